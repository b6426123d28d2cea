// SPDX-License-Identifier: GPL-2.0
//! What must become of a user's files.
//!
//! ```toml
//! refused = true                  # nothing may be written; otherwise left out
//! board = 11                      # GiB of the board, where that is known
//! remarks = ["overrides:4: warning: num_display is ignored"]  # all of them: place, weight, a part
//! overrides = "vm/100:gpu_type=1" # the parameter, where it is compared
//! [parameters]                    # all others
//! migration = "1"
//! [[vgpu]]                        # a vGPU that the daemons ask about
//! type = 55
//! mdev = "00000000-0000-0000-0000-000000000100"   # left out: not started yet
//! set = { numHeads = 1 }          # what is not as the driver has it, in the header's names
//! ```

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// What a field must be.
#[derive(Debug)]
pub enum Is {
    Number(u64),
    /// UTF-8, or UTF-16 if the field's name says so; zeroes behind it.
    Text(String),
}

/// A vGPU.
#[derive(Debug)]
pub struct Vgpu {
    pub vgpu_type: u32,
    pub mdev: Option<String>,
    pub fields: BTreeMap<String, Is>,
}

/// What must become of a case.
#[derive(Default)]
pub struct Expectation {
    pub refused: bool,
    pub board: Option<u64>,
    pub overrides: Option<String>,
    pub remarks: Vec<String>,
    pub parameters: BTreeMap<String, Vec<u8>>,
    pub vgpus: Vec<Vgpu>,
}

impl Expectation {
    /// Reads a file. What is wrong with it ends the test.
    pub fn read(text: &str) -> Self {
        let root = DeTable::parse(text).unwrap_or_else(|error| panic!("{error}"));
        let mut expected = Self::default();
        for (key, value) in root.get_ref() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("refused", value) => expected.refused = value.as_bool().unwrap(),
                ("board", value) => expected.board = number_of(value),
                ("overrides", value) => expected.overrides = Some(text_of(value)),
                ("remarks", DeValue::Array(remarks)) => {
                    expected.remarks =
                        remarks.iter().map(|remark| text_of(remark.get_ref())).collect();
                }
                ("parameters", value) => {
                    for (name, value) in value.as_table().unwrap() {
                        let value = text_of(value.get_ref()).into_bytes();
                        expected.parameters.insert(name.get_ref().to_string(), value);
                    }
                }
                ("vgpu", DeValue::Array(vgpus)) => {
                    expected.vgpus =
                        vgpus.iter().map(|v| vgpu(v.get_ref().as_table().unwrap())).collect();
                }
                (key, _) => panic!("{key}"),
            }
        }
        expected
    }
}

fn vgpu(table: &DeTable<'_>) -> Vgpu {
    let mut vgpu = Vgpu { vgpu_type: 0, mdev: None, fields: BTreeMap::new() };
    for (key, value) in table {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("type", value) => vgpu.vgpu_type = number_of(value).unwrap().try_into().unwrap(),
            ("mdev", value) => vgpu.mdev = Some(text_of(value)),
            ("set", DeValue::Table(fields)) => {
                for (field, value) in fields {
                    let value = value.get_ref();
                    let is = number_of(value).map_or_else(|| Is::Text(text_of(value)), Is::Number);
                    vgpu.fields.insert(field.get_ref().to_string(), is);
                }
            }
            (key, _) => panic!("{key}"),
        }
    }
    assert_ne!(vgpu.vgpu_type, 0);
    vgpu
}

fn number_of(value: &DeValue<'_>) -> Option<u64> {
    let number = value.as_integer()?;
    Some(u64::from_str_radix(number.as_str(), number.radix()).unwrap())
}

fn text_of(value: &DeValue<'_>) -> String {
    value.as_str().unwrap().to_owned()
}
