// SPDX-License-Identifier: GPL-2.0
//! Mediated devices: what the kernel's mdev core shows in sysfs, and Debian's mdevctl.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

const MDEVCTL: &str = "/usr/bin/mdevctl";
/// Those that its package brings along, and that it insists on.
const MDEVCTL_DIRS: [&str; 3] = [
    "/etc/mdevctl.d",
    "/usr/lib/mdevctl/scripts.d/callouts",
    "/usr/lib/mdevctl/scripts.d/notifiers",
];

/// The files of one type, as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    pub name: String,
    pub description: String,
    pub available: String,
    pub api: String,
}

/// By name, such as `nvidia-46`.
pub type Types = BTreeMap<String, Files>;

/// The board as the parent of mediated devices, by its PCI address.
pub struct Parent<'a>(pub &'a str);

impl Parent<'_> {
    fn dir(&self) -> String {
        format!("/sys/class/mdev_bus/{}/mdev_supported_types", self.0)
    }

    /// Fails unless there is nothing of mediated devices about the board.
    pub fn is_none(&self) -> Result<()> {
        let device = format!("/sys/bus/pci/devices/{}/mdev_supported_types", self.0);
        for path in [&format!("/sys/class/mdev_bus/{}", self.0), &device] {
            ensure!(!Path::new(path).exists(), "there is {path}");
        }
        Ok(())
    }

    /// All of its types.
    pub fn types(&self) -> Result<Types> {
        let mut types = Types::new();
        let dir = self.dir();
        for entry in fs::read_dir(&dir).with_context(|| format!("listing {dir}"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let file = |file| read(&format!("{dir}/{name}/{file}"));
            let files = Files {
                name: file("name")?,
                description: file("description")?,
                available: file("available_instances")?,
                api: file("device_api")?,
            };
            types.insert(name, files);
        }
        Ok(types)
    }

    /// Creates a vGPU as mdevctl does in the end, which refuses more than is available itself.
    pub fn create(&self, kind: &str, uuid: &str) -> Result<()> {
        let path = format!("{}/{kind}/create", self.dir());
        // Without a wish to create the file, where there is none it is said that there is none.
        let write = || OpenOptions::new().write(true).open(&path)?.write_all(uuid.as_bytes());
        write().with_context(|| format!("creating a vGPU of {kind}"))
    }

    /// One file of a type's, as it is, by one read: another one that only finds its end would fail
    /// where the type is gone by then.
    pub fn file(&self, kind: &str, file: &str) -> Result<String> {
        let path = format!("{}/{kind}/{file}", self.dir());
        let mut page = [0; 4096];
        let mut read = || File::open(&path)?.read(&mut page);
        let len = read().with_context(|| format!("reading {path}"))?;
        Ok(String::from_utf8_lossy(&page[..len]).into_owned())
    }

    /// Whether there is a type.
    pub fn has(&self, kind: &str) -> bool {
        Path::new(&self.dir()).join(kind).exists()
    }

    /// How many more vGPUs of a type there can be.
    pub fn available(&self, kind: &str) -> Result<u32> {
        let text = read(&format!("{}/{kind}/available_instances", self.dir()))?;
        text.trim_end().parse().with_context(|| format!("{kind} has {text:?} available"))
    }
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {path}"))
}

/// The number of the kernel's error behind an error.
pub fn number(error: &anyhow::Error) -> Option<i32> {
    error.downcast_ref::<io::Error>()?.raw_os_error()
}

/// Removes a vGPU.
pub fn remove(uuid: &str) -> Result<()> {
    let path = format!("/sys/bus/mdev/devices/{uuid}/remove");
    fs::write(&path, "1").with_context(|| format!("removing the vGPU {uuid}"))
}

/// Whether there is a vGPU.
pub fn exists(uuid: &str) -> bool {
    Path::new("/sys/bus/mdev/devices").join(uuid).exists()
}

/// Makes the directories that mdevctl wants.
pub fn prepare() -> Result<()> {
    for dir in MDEVCTL_DIRS {
        fs::create_dir_all(dir).with_context(|| format!("creating {dir}"))?;
    }
    Ok(())
}

/// Runs mdevctl, and returns what it printed.
pub fn mdevctl(arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(MDEVCTL);
    let out = command.args(arguments).output().context("starting mdevctl")?;
    let said = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "mdevctl {arguments:?}: {}, {}", out.status, said.trim());
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// The types of `parent`, as mdevctl shows them.
pub fn mdevctl_types(parent: &Parent) -> Result<Types> {
    let text = mdevctl(&["types", "--parent", parent.0, "--dumpjson"])?;
    let json: Value = serde_json::from_str(&text).with_context(|| format!("it said {text}"))?;
    let list = json.pointer("/0").and_then(|first| first.get(parent.0)).and_then(Value::as_array);
    let mut types = Types::new();
    for entry in list.with_context(|| format!("no types of {} in {json}", parent.0))? {
        let Some((name, value)) = entry.as_object().and_then(|entry| entry.iter().next()) else {
            bail!("{entry} is no type");
        };
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let files = Files {
            name: text("name"),
            description: text("description"),
            available: value["available_instances"].to_string(),
            api: text("device_api"),
        };
        types.insert(name.clone(), files);
    }
    Ok(types)
}

/// The same types without the ends of lines.
pub fn trimmed(types: &Types) -> Types {
    let trim = |text: &String| text.trim_end().to_owned();
    let files = |files: &Files| Files {
        name: trim(&files.name),
        description: trim(&files.description),
        available: trim(&files.available),
        api: trim(&files.api),
    };
    types.iter().map(|(name, of_type)| (name.clone(), files(of_type))).collect()
}
