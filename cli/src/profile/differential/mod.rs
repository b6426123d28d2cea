// SPDX-License-Identifier: GPL-2.0
//! Files of users, from `profile import` to the bytes that NVIDIA's daemons read.
//!
//! Each `tests/overrides/NAME.toml`, with its `NAME.config.toml` where there is one, goes the way that
//! it goes at a user's: it is imported, the line for modprobe.d is taken apart as modprobe and the
//! kernel do, the module's parameters are read, and every structure of every driver branch is edited.
//! What must come out stands in `NAME.expected.toml`, in the names of NVIDIA's header. It was written
//! from what `profile_override.toml` is documented to mean, and the offsets are C's.

mod expectation;
pub mod modprobe;
mod round_trip;

use std::collections::BTreeMap;

use structures::Structure;
use vgpu_unlock::host::ReadOverrides;
use vgpu_unlock::params::{Gpus, parse_switch};
use vgpu_unlock::profile::Key;
use vgpu_unlock::rm_control::{Call, Policy, ProcessMemory, edit};

use self::expectation::{Expectation, Is, Vgpu};
use super::{BoardMemory, Import};

/// A user's files, and what must become of them.
pub struct Case {
    pub name: String,
    pub overrides: String,
    config: Option<String>,
    pub expected: Expectation,
}

fn cases() -> Vec<Case> {
    cases_in("../tests/overrides")
}

/// The cases of a directory.
pub fn cases_in(dir: &str) -> Vec<Case> {
    let dir = crate::test_files().join(dir);
    let read = |name: String| std::fs::read_to_string(dir.join(name));
    let mut names: Vec<String> = std::fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(".expected.toml")?.to_owned()))
        .collect();
    names.sort();
    let case = |name: String| Case {
        overrides: read(format!("{name}.toml")).unwrap(),
        config: read(format!("{name}.config.toml")).ok(),
        expected: Expectation::read(&read(format!("{name}.expected.toml")).unwrap()),
        name,
    };
    names.into_iter().map(case).collect()
}

/// Imports the files of a case. In remarks they are called `overrides` and `config`.
pub fn import(case: &Case) -> Import {
    let mut import = Import::default();
    if let Some(gib) = case.expected.board {
        import.set_board(BoardMemory { name: "the board".to_owned(), bytes: gib << 30 });
    }
    import.profiles("overrides", &case.overrides);
    if let Some(config) = &case.config {
        import.config("config", config);
    }
    import
}

/// A structure as the driver of its branch answers it, about a vGPU that was started before.
fn answered(structure: &Structure, vgpu: &Vgpu, parameters: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut bytes = structure.filled(vgpu.vgpu_type);
    let parameter = |name: &str| parameters.get(name).map_or(&[][..], Vec::as_slice);
    let switch = |name| parameters.get(name).map(|value| parse_switch("", value).unwrap());
    if switch("enabled") == Some(false) {
        return bytes;
    }
    let boards = Gpus::parse(parameter("gpus")).unwrap();
    let read = ReadOverrides::parse(parameter("overrides")).unwrap();
    let migration = switch("migration") == Some(true);
    let overrides = read.view();
    let policy = Policy { boards: &boards, migration, overrides, overrides_only: false };
    let mut process = ProcessMemory::new();
    if let Some(uuid) = &vgpu.mdev {
        // VGPU_GET_START_DATA: the UUID, and the type within a text.
        let mut start = vec![0; 1056];
        start[..16].copy_from_slice(&guid(uuid));
        let text = format!("vgpu_type_id={}\n", vgpu.vgpu_type);
        start[16..16 + text.len()].copy_from_slice(text.as_bytes());
        edit(&mut Call { cmd: 0xc01, status: 0, params: &mut start }, &policy, &mut process);
    }
    let mut call = Call { cmd: structure.cmd, status: 0, params: &mut bytes };
    edit(&mut call, &policy, &mut process);
    bytes
}

/// A UUID as a `guid_t`: the first three groups are little-endian numbers.
fn guid(uuid: &str) -> [u8; 16] {
    let digits = uuid.replace('-', "");
    let mut bytes: [u8; 16] = hex::decode(digits).unwrap().try_into().unwrap();
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

/// The same structure as it is documented to be.
fn documented(structure: &Structure, vgpu: &Vgpu) -> Vec<u8> {
    let mut bytes = structure.filled(vgpu.vgpu_type);
    for (field, is) in &vgpu.fields {
        let Some((at, len)) = structure.place(field) else { continue };
        let mut content = match is {
            Is::Number(number) => {
                let content = number.to_le_bytes()[..len].to_vec();
                assert!(number.to_le_bytes()[len..].iter().all(|&byte| byte == 0), "{field}");
                content
            }
            Is::Text(text) if field.ends_with("_Unicode") => {
                text.encode_utf16().flat_map(u16::to_le_bytes).collect()
            }
            Is::Text(text) => text.as_bytes().to_vec(),
        };
        // A text needs its NUL; what the branch has no room for is left as the driver says it.
        if matches!(is, Is::Text(_)) && content.len() >= len {
            continue;
        }
        content.resize(len, 0);
        bytes[at..at + len].copy_from_slice(&content);
    }
    bytes
}

#[test]
fn files_do_what_is_documented_to_every_structure_and_nothing_else() {
    let structures = structures::all();
    let mut compared = 0;
    for case in cases() {
        let name = &case.name;
        let import = import(&case);
        let conf = import.modprobe_conf();
        assert_eq!(conf.is_err(), case.expected.refused, "{name}: {}", import.report());
        let Ok(conf) = conf else { continue };
        let parameters = modprobe::parameters(&conf, "vgpu_unlock");
        let mut others = parameters.clone();
        others.remove("overrides");
        assert_eq!(others, case.expected.parameters, "{name}");
        for structure in &structures {
            for vgpu in &case.expected.vgpus {
                let (got, wanted) =
                    (answered(structure, vgpu, &parameters), documented(structure, vgpu));
                let first = got.iter().zip(&wanted).position(|(got, wanted)| got != wanted);
                assert_eq!(first, None, "{name}: {vgpu:?} in {}, a byte is wrong", structure.name);
                assert_eq!(got.len(), wanted.len());
                compared += 1;
            }
        }
    }
    assert!(compared > 500, "{compared} structures only");
    println!("{compared} structures compared");
}

/// What is wrong with the remarks about a case's files, if they are not those expected.
pub fn wrong_remarks(case: &Case, import: &Import) -> Option<String> {
    let report = import.report();
    let remarks: Vec<_> = report
        .lines()
        .filter(|line| {
            ["note", "warning", "error"].iter().any(|w| line.contains(&format!(": {w}: ")))
        })
        .collect();
    let expected = &case.expected.remarks;
    let as_expected = |(line, expected): (&&str, &String)| {
        let (place, said) = expected.split_once(": ").unwrap();
        line.strip_prefix(place).is_some_and(|rest| {
            let (weight, said) = said.split_once(": ").unwrap();
            rest.starts_with(&format!(": {weight}: ")) && rest.contains(said)
        })
    };
    let same = remarks.len() == expected.len();
    if same && remarks.iter().zip(expected).all(as_expected) {
        return None;
    }
    let (expected, remarks) = (expected.join("\n"), remarks.join("\n"));
    Some(format!("{}: expected\n{expected}\nbut there is\n{remarks}\n", case.name))
}

#[test]
fn remarks_are_those_that_a_file_deserves() {
    let wrong = |case: Case| wrong_remarks(&case, &import(&case));
    let complaints: Vec<_> = cases().into_iter().filter_map(wrong).collect();
    assert!(complaints.is_empty(), "{}", complaints.concat());
}

#[test]
fn every_key_and_section_is_in_a_file() {
    let cases = cases();
    let has = |text: &str| cases.iter().any(|case| case.overrides.contains(text));
    for key in Key::ALL {
        assert!(has(&format!("\n{} = ", key.name())), "{}", key.name());
    }
    for text in ["[profile.nvidia-", "[mdev.", "[vm.", "\r\n", "# "] {
        assert!(has(text), "{text:?}");
    }
    let fields = |case: &Case| -> Vec<String> {
        case.expected.vgpus.iter().flat_map(|vgpu| vgpu.fields.keys().cloned()).collect()
    };
    let fields: std::collections::BTreeSet<_> = cases.iter().flat_map(fields).collect();
    // The keys but `vram` and `hidden`, and the twin in UTF-16.
    assert_eq!(fields.len(), Key::ALL.len() - 2 + 1, "{fields:?}");
    let known = |field: &&String| structures::all().iter().any(|s| s.place(field).is_some());
    assert!(fields.iter().all(|field| known(&field)), "{fields:?}");
}

#[test]
fn a_file_without_a_byte_is_right() {
    let mut import = Import::default();
    import.profiles("overrides", "");
    import.config("config", "");
    assert_eq!(import.report(), "");
    let conf = import.modprobe_conf().unwrap();
    assert_eq!(modprobe::parameters(&conf, "vgpu_unlock"), BTreeMap::new());
}
