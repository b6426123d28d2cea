// SPDX-License-Identifier: GPL-2.0
//! What the documents say to people: that links lead somewhere, and that journeys are short and in the
//! words that doctor has.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use vgpu_unlock_cli::host::{Distribution, Host};

fn repo() -> PathBuf {
    // Asked at run time: another checkout may have compiled this, for the cache is shared.
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(repo().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn documents() -> Vec<String> {
    let names = fs::read_dir(repo().join("docs")).unwrap().map(|entry| entry.unwrap().file_name());
    let docs = names.map(|name| format!("docs/{}", name.into_string().unwrap()));
    docs.filter(|name| name.ends_with(".md")).chain(["README.md".to_owned()]).collect()
}

/// What the headings of a document are linked by: their letters, digits and hyphens, small, with
/// hyphens for spaces.
fn anchors(document: &str) -> BTreeSet<String> {
    let headings = document.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| -> String {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn links_lead_to_documents_and_headings_that_there_are() {
    let mut links = 0;
    for name in documents() {
        let text = read(&name);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            links += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let dir = Path::new(&name).parent().unwrap();
            let file =
                if file.is_empty() { name.clone() } else { dir.join(file).display().to_string() };
            let there = read(&file);
            let found = anchor.is_empty() || anchors(&there).contains(anchor);
            assert!(found, "{name}: {target}: no such heading");
        }
    }
    assert!(links > 10, "{links}");
}

/// The first block of code below a heading of docs/distributions.md, and the text around it.
fn journey(heading: &str) -> (Vec<String>, String) {
    let document = read("docs/distributions.md");
    let section = document.split("\n## ").find(|section| section.lines().next() == Some(heading));
    let section = section.unwrap_or_else(|| panic!("there is no {heading}"));
    let code = section.lines().skip_while(|line| !line.starts_with("    "));
    let code = code.take_while(|line| line.starts_with("    ")).map(|line| line.trim().to_owned());
    (code.collect(), section.to_owned())
}

#[test]
fn journeys_are_five_lines_in_the_words_that_doctor_has() {
    const OURS: [&str; 2] = ["vgpu-unlock-dkms", "vgpu-unlock"];
    for (heading, os_release, more) in [
        ("Debian 13 and 12", "ID=debian", &["/usr/sbin/update-initramfs"][..]),
        ("Proxmox VE 9 and 8", "ID=debian", &["/usr/sbin/update-initramfs", "/usr/bin/pveversion"]),
        ("Ubuntu 24.04", "ID=ubuntu\nID_LIKE=debian", &["/usr/sbin/update-initramfs"]),
        ("Fedora", "ID=fedora", &["/usr/bin/dracut", "/usr/sbin/grubby"]),
        (
            "RHEL, Rocky and Alma 9",
            "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"",
            &["/usr/bin/dracut", "/usr/sbin/grubby"],
        ),
        ("Arch", "ID=arch", &["/usr/bin/mkinitcpio"]),
        ("openSUSE", "ID=\"opensuse-leap\"", &["/usr/bin/dracut"]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in
            [("/etc/os-release", os_release)].into_iter().chain(more.iter().map(|path| (*path, "")))
        {
            let path = dir.path().join(&path[1..]);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let distribution = Distribution::of(&Host::below(dir.path()).unwrap()).unwrap();
        let (lines, section) = journey(heading);
        let all = lines.join("\n");
        assert!(lines.len() <= 5, "{heading}: {all}");
        assert_eq!(lines.last().map(String::as_str), Some("vgpu-unlock doctor"), "{heading}");
        let mut words = vec![
            distribution.install_ours(&OURS).expect(heading),
            distribution.refresh_initramfs(),
            "blacklist nouveau".into(),
        ];
        if more.contains(&"/usr/sbin/grubby") {
            words.extend(distribution.add_kernel_parameter("intel_iommu=on").into_iter().take(1));
        }
        for word in words {
            assert!(all.contains(&word), "{heading}: {word:?} is not in\n{all}");
        }
        // Only Debian's packages are run by us.
        assert_eq!(section.contains("\nNot run by us"), heading != "Debian 13 and 12", "{heading}");
    }
}

#[test]
fn where_the_package_can_not_be_installed_the_source_is() {
    let (lines, section) = journey("Ubuntu 22.04");
    assert!(lines.len() <= 5 && section.contains("Not run by us"), "{section}");
    for word in ["./vgpu-unlock_*.deb", "scripts/install", "rustc-1.82 rust-1.82-src"] {
        assert!(lines.iter().any(|line| line.contains(word)), "{word}");
    }
}

#[test]
fn the_readme_has_the_journey_of_debian() {
    let (lines, _) = journey("Debian 13 and 12");
    let lines = format!("    {}\n", lines.join("\n    "));
    assert!(read("README.md").contains(&lines), "{lines}");
}
