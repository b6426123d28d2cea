// SPDX-License-Identifier: GPL-2.0
//! What a kernel module's file says about itself.

use object::{File, Object, ObjectSection};

use super::{Host, Seen, Unseen};
use crate::inspect::object_file;

/// What `sign-file` of the kernel puts at the end of a module that it signed.
const SIGNED: &[u8] = b"~Module signature appended~\n";

/// A module's own words.
#[derive(Debug, PartialEq, Eq)]
pub struct ModuleInfo {
    /// `name=value`, one after the other.
    fields: Vec<String>,
    /// Whether there is a signature at its end.
    pub signed: bool,
}

impl ModuleInfo {
    /// The first field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
    }
}

impl Host {
    /// Reads a module's file, compressed or not.
    ///
    /// # Errors
    /// It can't be read, or is no module.
    pub fn module_info(&self, path: &str) -> Seen<ModuleInfo> {
        let unseen = |why: String| Unseen { what: path.into(), why, needs_root: false };
        // What the kernel keeps from us is to be told apart from what is no module.
        if self.ask(path, |path| std::fs::File::open(path))?.is_none() {
            return Err(unseen("it is in the list of modules, and does not exist".into()));
        }
        let bytes = object_file(&self.path(path))
            .map_err(|error| unseen(error.root_cause().to_string()))?;
        let file = File::parse(&*bytes).map_err(|error| unseen(error.to_string()))?;
        let info = file.section_by_name(".modinfo").and_then(|section| section.data().ok());
        let fields = info.unwrap_or_default().split(|&byte| byte == 0);
        Ok(ModuleInfo {
            fields: fields.map(|field| String::from_utf8_lossy(field).into_owned()).collect(),
            signed: bytes.ends_with(SIGNED),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{MadeUp, module};

    #[test]
    fn a_module_says_its_licence_and_whether_it_is_signed() {
        let mut made_up = MadeUp::default();
        made_up
            .file("/m/plain.ko", module("license=Dual MIT/GPL\0version=570.1\0", false))
            .file("/m/signed.ko", module("license=NVIDIA\0", true))
            .file("/m/none.ko", "text");
        let host = made_up.host();
        let plain = host.module_info("/m/plain.ko").unwrap();
        assert_eq!((plain.field("license"), plain.signed), (Some("Dual MIT/GPL"), false));
        assert_eq!((plain.field("version"), plain.field("lic")), (Some("570.1"), None));
        let signed = host.module_info("/m/signed.ko").unwrap();
        assert_eq!((signed.field("license"), signed.signed), (Some("NVIDIA"), true));
        assert!(host.module_info("/m/none.ko").unwrap_err().why.contains("neither an ELF"));
        assert!(host.module_info("/m/missing.ko").unwrap_err().why.contains("does not exist"));
    }
}
