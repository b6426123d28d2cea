// SPDX-License-Identifier: GPL-2.0
//! What the module did, for a person ([`text`]) and for tools ([`json`]).
//!
//! A [`Report`] is a picture taken under the module's lock; both forms say the same.

mod board;
mod chain;
mod driver;
mod json;
mod reason;
mod report;
mod text;
mod told;

pub use board::{state_of, Gpu, GpuState, Vgpu, Way, MAX_GPUS};
pub use chain::Link;
pub use driver::{DriverState, Hook, HookState, TablesState};
pub use json::Json;
pub use reason::Reason;
pub use report::Report;
pub use text::Text;
pub use told::{Answers, TypeFiles, UnknownSize};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::capability::{tables::Unrecognised, unlock::Refusal};
    use crate::logic::driver::site::Proof;
    use crate::logic::driver::version::Version;
    use crate::logic::gpu::{self, Address, Answer, Bound, Ids};
    use crate::logic::rm_control::ToldTable;
    use crate::logic::signature::Hits;
    use std::string::ToString;

    pub fn report<'a>(driver: DriverState, gpus: &'a [Gpu], hooks: &'a [Hook]) -> Report<'a> {
        Report {
            module_version: "1.2.3",
            driver_version: Version::parse(b"550.163.01"),
            driver,
            proof: Some(Proof::Run),
            gpus,
            vgpus: &[],
            hooks,
            types: TypeFiles::NotLoaded,
            told: &ToldTable::EMPTY,
            acceptance: None,
            answers: Answers::default(),
            tables: TablesState::Located,
            gpu_list_count: 1047,
            entries: 0,
            locate_us: 900,
        }
    }

    pub fn board(device: u16, state: GpuState) -> Gpu {
        Gpu {
            address: Address { domain: 0, bus: 1, slot: 0, function: 0 },
            device,
            subsystem: 0x120f,
            bound: Bound::Nvidia,
            functions: 0,
            answer: gpu::answer(Ids { device, subsystem: 0x120f }, Some(550)),
            state,
            profiles_gone: device == 0x1b06,
            types: Some(0),
            vgpus: 0,
        }
    }

    #[test]
    fn text_tells_the_whole_story() {
        let hooks = [Hook {
            name: "board check",
            kind: "kprobe",
            state: HookState::Placed,
            hits: 3,
            misses: 1,
        }];
        let gpus = [board(0x1b06, GpuState::Unlocked), board(0x1db6, GpuState::Listed)];
        let expected = "\
vgpu_unlock 1.2.3
driver: 550.163.01, attached
gpu 0000:01:00.0 10de:1b06, answered as 10de:1b38 Tesla P40: unlocked
  this driver branch has no profiles for it: take vgpuConfig.xml from 16.x (535)
  so far: driver attached, board bound, board known, unlocked
  missing: nvidia-vgpud asked (nvidia-vgpud has not asked since the module was loaded: systemctl restart nvidia-vgpud, and see journalctl -u nvidia-vgpud)
gpu 0000:01:00.0 10de:1db6: NVIDIA lists this board, it needs nothing
  so far: driver attached, board bound, board known, unlocked
  missing: nvidia-vgpud asked (nvidia-vgpud has not asked since the module was loaded: systemctl restart nvidia-vgpud, and see journalctl -u nvidia-vgpud)
hook board check (kprobe): placed, 3 hits, 1 misses
capability tables: located, 1047 boards listed
everything located in 900 us
";
        assert_eq!(Text(&report(DriverState::Attached, &gpus, &hooks)).to_string(), expected);
    }

    #[test]
    fn text_says_why_nothing_was_done() {
        let reason = Reason::Site("board check", Hits::Many);
        let mut report = report(DriverState::Refused(reason), &[], &[]);
        report.tables = TablesState::Absent;
        let expected = "\
vgpu_unlock 1.2.3
driver: 550.163.01, left exactly as it is: the signature of the board check is found more than once
gpus: none found
capability tables: absent
";
        assert_eq!(Text(&report).to_string(), expected);
    }

    #[test]
    fn json_parses_whatever_is_in_it() {
        let version = Version::parse(b"570.1").unwrap();
        let reasons = [
            Reason::FtraceOff,
            Reason::KprobesOff,
            Reason::NoVersion,
            Reason::UnknownBranch(version),
            Reason::Site("second gate", Hits::None),
            Reason::Tables(Unrecognised::TwoGpuLists),
            Reason::Hook("os_mem_copy", -16),
            Reason::NoMemory,
        ];
        for reason in reasons {
            let gpus = [board(0x1b06, GpuState::NotUnlocked), board(0x2684, GpuState::Unknown)];
            let text = Json(&report(DriverState::Refused(reason), &gpus, &[])).to_string();
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(json["driver"]["state"], "refused");
            assert_eq!(json["driver"]["reason"], reason.to_string());
            assert_eq!(json["gpus"][0]["answered_as"]["name"], "Tesla P40");
            assert!(json["gpus"][1]["answered_as"].is_null());
        }
        for refusal in [Refusal::WrongKey, Refusal::NoRoom { needed: 25, left: 3 }] {
            let mut report = report(DriverState::Attached, &[], &[]);
            report.tables = TablesState::Refused(refusal);
            let json: serde_json::Value = serde_json::from_str(&Json(&report).to_string()).unwrap();
            assert_eq!(json["tables"]["reason"], refusal.to_string());
        }
    }

    #[test]
    fn a_driver_of_which_only_answers_are_changed_says_so() {
        let version = Version::parse(b"590.44.01").unwrap();
        let reason = Reason::UnknownBranch(version);
        let gpus = [board(0x2231, GpuState::Listed), board(0x2684, GpuState::NoSriov)];
        let mut report = report(DriverState::AnswersOnly(reason), &gpus, &[]);
        (report.driver_version, report.proof) = (Some(version), None);
        report.tables = TablesState::Absent;
        let text = Text(&report).to_string();
        let expected =
            "driver: 590.44.01, answers only: driver branch 590 is not known; overrides work for \
                        boards that it lists itself, nothing else is changed\n";
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("SR-IOV, which it lacks"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&Json(&report).to_string()).unwrap();
        assert_eq!(json["driver"]["state"], "answers only");
        assert_eq!(json["driver"]["reason"], "driver branch 590 is not known");
        assert!(json["driver"]["proof"].is_null());
    }

    #[test]
    fn only_reasons_that_leave_the_answers_alone_leave_them() {
        let unknown = |text: &str| Reason::UnknownBranch(Version::parse(text.as_bytes()).unwrap());
        for (reason, leaves) in [
            (unknown("590.44.01"), true),
            (unknown("560.35.03"), true),
            (Reason::Site("second gate", Hits::None), true),
            (Reason::Site("second gate", Hits::Many), true),
            (Reason::Detour("second gate"), true),
            (Reason::Open(Version::parse(b"570.124.03").unwrap()), true),
            (Reason::Open(Version::parse(b"595.45.04").unwrap()), false),
            // What is patched may be answered by somebody else already.
            (Reason::Patched, false),
            (Reason::Hooks, false),
            (Reason::Tables(Unrecognised::NoSacrificial), true),
            // Structures of a known length with other fields, and nobody knows which.
            (unknown("595.45.04"), false),
            (unknown("999.10.01"), false),
            (unknown("418.226.00"), false),
            (Reason::NoVersion, false),
            (Reason::FtraceOff, false),
            (Reason::KprobesOff, false),
            (Reason::Hook("board check", -22), false),
            (Reason::NoMemory, false),
        ] {
            assert_eq!(reason.leaves_answers(), leaves, "{reason}");
        }
    }

    #[test]
    fn what_was_not_run_by_us_is_said() {
        let mut report = report(DriverState::Attached, &[], &[]);
        for (proof, word, said) in [
            (Proof::Run, "run", false),
            (Proof::File, "file", false),
            (Proof::Published, "published", true),
        ] {
            report.proof = Some(proof);
            let text = Text(&report).to_string();
            assert_eq!(text.contains("known from published bytes, and was not run by us"), said);
            assert_eq!(text.contains("`vgpu-unlock inspect`"), said);
            let json: serde_json::Value = serde_json::from_str(&Json(&report).to_string()).unwrap();
            assert_eq!(json["driver"]["proof"], word);
        }
    }

    #[test]
    fn who_has_a_board_is_named() {
        let held = Gpu { bound: Bound::to(b"vfio-pci"), ..board(0x1c03, GpuState::Held) };
        let unbound = Gpu { bound: Bound::Nobody, ..board(0x1b06, GpuState::Unbound) };
        let listed = Gpu { functions: 16, ..board(0x2231, GpuState::Listed) };
        let gpus = [held, unbound, listed];
        let report = report(DriverState::Attached, &gpus, &[]);
        let text = Text(&report).to_string();
        // Nothing but this is said of a board that a virtual machine has: no advice, no daemons.
        assert!(text.contains("gpu 0000:01:00.0 10de:1c03: used by vfio-pci\ngpu "), "{text}");
        assert!(text.contains("Tesla P40: no driver is bound to it\n"), "{text}");
        assert!(text.contains("missing: board bound (the driver did not take it"), "{text}");
        assert!(text.contains("needs nothing\n  virtual functions: 16\n"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&Json(&report).to_string()).unwrap();
        let said = |index: usize, key: &str| json["gpus"][index][key].clone();
        assert_eq!(said(0, "state"), "held");
        assert_eq!(said(0, "reason"), "used by vfio-pci");
        assert_eq!(said(0, "driver"), "vfio-pci");
        assert!(said(0, "missing").is_null() && said(0, "answered_as").is_null());
        assert_eq!((said(1, "state"), said(1, "driver").is_null()), ("unbound".into(), true));
        assert_eq!(said(2, "virtual_functions"), 16);
    }

    #[test]
    fn every_state_of_a_board_is_brought_about() {
        use GpuState::*;
        let attached = DriverState::Attached;
        let refused = DriverState::Refused(Reason::NoMemory);
        let silent = DriverState::Silent(Reason::KprobesOff);
        let only = DriverState::AnswersOnly(Reason::Tables(Unrecognised::NoGpuList));
        let (nvidia, nobody, vfio) = (Bound::Nvidia, Bound::Nobody, Bound::to(b"vfio-pci"));
        let sibling = gpu::answer(Ids { device: 0x1b06, subsystem: 0 }, None);
        let all = Way::Checks(true);
        let table = [
            // Who has it comes before all else, and then what the user wants.
            (sibling, false, vfio, attached, Held),
            (Answer::Listed, true, vfio, DriverState::Absent, Held),
            (sibling, true, nvidia, attached, Off),
            (Answer::Unknown, true, nvidia, attached, Off),
            (Answer::NoSriov, false, nvidia, attached, NoSriov),
            (Answer::NotYet, false, nobody, attached, NotYet),
            (Answer::Unknown, false, nobody, DriverState::Absent, Unknown),
            (Answer::Listed, false, nobody, DriverState::Absent, Listed),
            (Answer::Listed, false, nobody, attached, Unbound),
            (Answer::Listed, false, nvidia, refused, Listed),
            (Answer::Listed, false, Bound::Unknown, only, Listed),
            (sibling, false, nobody, DriverState::Absent, NoDriver),
            (sibling, false, nobody, refused, Unbound),
            (sibling, false, nvidia, refused, NotUnlocked),
            (sibling, false, nvidia, only, NotUnlocked),
            (sibling, false, nvidia, silent, NotUnlocked),
            (sibling, false, nvidia, DriverState::Disabled, NotUnlocked),
            (sibling, false, nvidia, attached, Unlocked),
            (Answer::Dropped, false, nvidia, attached, Unlocked),
            (Answer::Dropped, false, nvidia, only, NotUnlocked),
        ];
        for (answer, off, bound, driver, expected) in table {
            let state = state_of(answer, off, bound, &driver, all);
            assert_eq!(state, expected, "{answer:?} {off} {bound:?} {driver:?}");
        }
    }

    #[test]
    fn a_board_is_unlocked_when_everything_its_branch_needs_is_in_force() {
        use GpuState::*;
        let attached = DriverState::Attached;
        let silent = DriverState::Silent(Reason::KprobesOff);
        let sibling = gpu::answer(Ids { device: 0x1b06, subsystem: 0 }, None);
        let open = DriverState::AnswersOnly(Reason::Open(Version::parse(b"570.1.1").unwrap()));
        let listed = state_of(Answer::Listed, false, Bound::Nvidia, &open, Way::OpenModules);
        assert_eq!(listed, OpenModules);
        assert!(listed.explanation().contains("on this board: reinstall with the proprietary"));
        let listed = state_of(Answer::Listed, false, Bound::Nobody, &open, Way::OpenModules);
        assert_eq!(listed, Unbound);
        for (driver, way, expected) in [
            (open, Way::OpenModules, OpenModules),
            // 525 and newer: the checks decide.
            (attached, Way::Checks(true), Unlocked),
            (attached, Way::Checks(false), NotUnlocked),
            // 510 and older: the tables do.
            (attached, Way::Tables(None), Waiting),
            (attached, Way::Tables(Some(Ok(()))), Unlocked),
            (attached, Way::Tables(Some(Err(Refusal::WrongKey))), NotUnlocked),
            // Dead hooks override nothing, but what is written is written.
            (silent, Way::Checks(true), NotUnlocked),
            (silent, Way::Tables(Some(Ok(()))), Unlocked),
            (silent, Way::Tables(None), NotUnlocked),
            (DriverState::Disabled, Way::Tables(None), NotUnlocked),
        ] {
            assert_eq!(state_of(sibling, false, Bound::Nvidia, &driver, way), expected);
        }
    }
}
