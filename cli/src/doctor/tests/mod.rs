// SPDX-License-Identifier: GPL-2.0
//! Made-up hosts, and what is found on them.

mod boards;
mod daemons;
mod drivers;
pub mod hosts;
mod journals;
mod modules;
mod overrides;
mod platforms;

use super::{LINKS, State, Verdict};
use hosts::{asked, finds, healthy, link, status};

#[test]
fn a_host_on_which_all_is_right_is_all_right() {
    let report = asked(&healthy(), false);
    let states: Vec<_> = report.links.iter().map(|link| link.state).collect();
    assert_eq!(states, [State::Ok; LINKS.len()], "\n{report}");
    assert_eq!((report.verdict(), report.verdict().exit_status()), (Verdict::Ok, 0));
    let text = report.to_string();
    assert!(text.starts_with("Debian GNU/Linux 13 (trixie), kernel 6.12.57+deb13-amd64\n"));
    assert!(text.ends_with("all links hold\n"), "{text}");
    assert!(text.contains("answered as 10de:1b38 Tesla P40"), "{text}");
}

#[test]
fn the_walk_stops_at_the_first_broken_link_and_goes_on_where_it_is_told_to() {
    let mut host = healthy();
    host.remove("/sys/kernel/iommu_groups").remove("/sys/class/iommu").remove(hosts::CONFIG);
    let report = asked(&host, false);
    assert_eq!((report.verdict(), report.verdict().exit_status()), (Verdict::Broken, 1));
    let text = report.to_string();
    assert!(text.contains("-       board               not asked, because of: IOMMU\n"), "{text}");
    assert!(text.ends_with("broken: IOMMU\n"), "{text}");

    let report = asked(&host, true);
    assert_eq!(link(&report, "board").0, State::Ok);
    assert_eq!(link(&report, "config").0, State::Broken);
    assert!(report.to_string().ends_with("broken: IOMMU, vgpuConfig.xml\n"), "{report}");
}

#[test]
fn with_all_what_has_nothing_to_look_at_says_so() {
    let report = asked(&crate::host::made_up::MadeUp::default(), true);
    for id in ["holder", "flavour", "host-package", "version", "daemons", "config", "types"] {
        let (state, text) = link(&report, id);
        assert_eq!(state, State::NotAsked, "\n{report}");
        assert!(text.contains("not asked: "), "{text}");
    }
    let broken: Vec<_> =
        report.links.iter().filter(|it| it.state == State::Broken).map(|it| it.link).collect();
    assert_eq!(broken, ["virtualisation", "iommu", "board", "driver"], "\n{report}");
}

#[test]
fn programs_read_what_people_read() {
    let mut host = healthy();
    host.remove("/sys/module/vgpu_unlock");
    let json = serde_json::to_value(asked(&host, false)).unwrap();
    assert_eq!(json["verdict"], "broken");
    assert_eq!(json["kernel"], hosts::RELEASE);
    let links = json["links"].as_array().unwrap();
    assert_eq!(links.len(), LINKS.len());
    let loaded = links.iter().find(|link| link["link"] == "loaded").unwrap();
    assert_eq!(loaded["state"], "broken");
    assert_eq!(loaded["findings"][0]["cure"][0], "modprobe vgpu_unlock");
    assert_eq!(links.last().unwrap()["state"], "not-asked");
    let why = &links.last().unwrap()["findings"][0]["what"];
    assert_eq!(why, "not asked, because of: vgpu_unlock loaded");
}

#[test]
fn what_needs_root_is_said_and_is_not_taken_for_broken() {
    let mut host = healthy();
    host.refuse("/sys/kernel/debug").refuse("/proc/701/maps").refuse("/proc/701/environ");
    host.refuse("/journal.json").refuse("/etc/pve/qemu-server");
    let report = asked(&host, false);
    let unseen: Vec<_> =
        report.links.iter().filter(|it| it.state == State::Unseen).map(|it| it.link).collect();
    assert_eq!(unseen, ["leftovers", "unlocked", "vgpus", "journal"], "\n{report}");
    assert_eq!((report.verdict(), report.verdict().exit_status()), (Verdict::Unseen, 2));
    let (_, text) = link(&report, "unlocked");
    assert!(
        text.contains("/sys/kernel/debug/vgpu_unlock/status.json: permission denied (needs root)")
    );
    assert!(text.contains("-> ask again as root"), "{text}");
    assert!(
        report.to_string().contains("not seen: older unlocks, unlocked, vGPUs, daemons' errors\n")
    );
}

#[test]
fn whatever_stands_in_a_file_nothing_panics() {
    // Every file of the host in turn: empty, cut, and nonsense.
    let host = healthy();
    let root = host.path("/");
    let mut files = vec![];
    let mut dirs = vec![root.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                dirs.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    assert!(files.len() > 30);
    for file in files {
        let original = std::fs::read(&file).unwrap();
        let half = original[..original.len() / 2].to_vec();
        for content in
            [vec![], half, b"\xff\0: = , . / - 0x \n[".to_vec(), b"{\"gpus\":7}".to_vec()]
        {
            std::fs::write(&file, content).unwrap();
            let report = asked(&host, true);
            assert_eq!(report.links.len(), LINKS.len());
        }
        std::fs::write(&file, original).unwrap();
    }
}

#[test]
fn a_later_modules_words_are_shown_as_they_are() {
    let mut host = healthy();
    status(&mut host, |status| {
        status["driver"]["state"] = "watching".into();
        status["driver"]["reason"] = "the checks of branch 580 are not known".into();
        status["gpus"][0]["state"] = "answered".into();
        status["gpus"][0]["reason"] = "answered, and left alone otherwise".into();
    });
    finds(
        &host,
        "unlocked",
        State::Note,
        &["watching: the checks of branch 580", "answered (answered, and"],
    );
    finds(&host, "version", State::Note, &["550.163.01, watching: the checks of branch 580"]);
}
