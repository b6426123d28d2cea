// SPDX-License-Identifier: GPL-2.0
//! Takes out of a text what says whose host it is.

use vgpu_unlock::profile::Uuid;

use crate::host::Host;

/// The length of a UUID's text.
const UUID_LEN: usize = 36;

/// What is masked besides UUIDs.
pub(super) struct Mask {
    /// The host's name without its domain.
    name: Option<String>,
}

impl Mask {
    pub fn of(host: &Host) -> Self {
        let files = ["/proc/sys/kernel/hostname", "/etc/hostname"];
        let mut names = files.iter().filter_map(|file| host.line(file).ok().flatten());
        let name = names.find(|name| !name.is_empty());
        let name = name.and_then(|name| name.split('.').next().map(str::to_owned));
        Self { name: name.filter(|name| name != "localhost") }
    }

    /// The text without them. The same UUID is the same number everywhere.
    pub fn mask(&self, text: &str) -> String {
        let mut seen: Vec<String> = vec![];
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        let mut before = None;
        while let Some(first) = rest.chars().next() {
            // In a longer word, it would be part of something else. A UUID may have GPU- before it.
            let starts_word = !before.is_some_and(is_word);
            let starts_uuid = starts_word || before == Some('-');
            if let Some(uuid) = rest.get(..UUID_LEN).filter(|it| starts_uuid && is_uuid(it)) {
                let uuid = uuid.to_lowercase();
                let number = seen.iter().position(|it| *it == uuid).unwrap_or_else(|| {
                    seen.push(uuid);
                    seen.len() - 1
                });
                masked += &format!("UUID-{}", number + 1);
                rest = &rest[UUID_LEN..];
                before = Some('0');
            } else if let Some(len) = self.name_at(rest).filter(|_| starts_word) {
                masked += "HOST";
                rest = &rest[len..];
                before = Some('0');
            } else {
                masked.push(first);
                rest = &rest[first.len_utf8()..];
                before = Some(first);
            }
        }
        masked
    }

    /// How long the host's name is that a text begins with, its domain included.
    fn name_at(&self, text: &str) -> Option<usize> {
        let name = self.name.as_deref()?;
        let mut len = text.get(..name.len()).filter(|it| it.eq_ignore_ascii_case(name))?.len();
        let mut rest = &text[len..];
        if rest.starts_with(is_word) {
            return None;
        }
        // A full stop before a space ends a sentence, not a name.
        while let Some(label) = rest.strip_prefix('.') {
            let end = label.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            let end = end.unwrap_or(label.len());
            if end == 0 {
                break;
            }
            len += end + 1;
            rest = &text[len..];
        }
        Some(len)
    }
}

fn is_uuid(text: &str) -> bool {
    Uuid::parse(text.as_bytes()).is_some()
}

/// What may stand within a name: of a host, and of a kernel's release that has the host's in it.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::made_up::MadeUp;

    #[test]
    fn uuids_and_the_hosts_name_are_masked_and_nothing_else() {
        let mut made_up = MadeUp::default();
        made_up.file("/etc/hostname", "pve\n");
        let mask = Mask::of(&made_up.host());
        for (text, expected) in [
            ("vgpu 00000000-0000-0000-0000-000000000100, x", "vgpu UUID-1, x"),
            (
                "GPU-71dcdf29-68ae-87d1-b57b-86d9f8f01ffc 71DCDF29-68ae-87d1-b57b-86d9f8f01ffc",
                "GPU-UUID-1 UUID-1",
            ),
            (
                "root=UUID=71dcdf29-68ae-87d1-b57b-86d9f8f01ffc mdev/00000000-0000-0000-0000-000000000100:x",
                "root=UUID=UUID-1 mdev/UUID-2:x",
            ),
            ("kernel 6.8.12-4-pve on pve", "kernel 6.8.12-4-pve on HOST"),
            ("pve: pve.home.example.org. PVE2 pve2 improve", "HOST: HOST. PVE2 pve2 improve"),
            ("root@pve", "root@HOST"),
            (
                "größe 71dcdf29-68ae-87d1-b57b-86d9f8f01ff",
                "größe 71dcdf29-68ae-87d1-b57b-86d9f8f01ff",
            ),
        ] {
            assert_eq!(mask.mask(text), expected);
        }
        made_up.file("/etc/hostname", "localhost.localdomain\n");
        assert_eq!(Mask::of(&made_up.host()).mask("localhost"), "localhost");
    }
}
