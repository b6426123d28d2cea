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

pub use board::{unlocked_state, Gpu, GpuState, Vgpu, MAX_GPUS};
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
    use crate::logic::driver::version::Version;
    use crate::logic::gpu::{self, Address};
    use crate::logic::rm_control::ToldTable;
    use crate::logic::signature::Hits;
    use std::string::ToString;

    pub fn report<'a>(driver: DriverState, gpus: &'a [Gpu], hooks: &'a [Hook]) -> Report<'a> {
        Report {
            module_version: "1.2.3",
            driver_version: Version::parse(b"550.163.01"),
            driver,
            gpus,
            vgpus: &[],
            hooks,
            types: TypeFiles::NotLoaded,
            told: &ToldTable::EMPTY,
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
            answer: gpu::answer(device),
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
  so far: driver attached, board known, unlocked
  missing: nvidia-vgpud asked (nvidia-vgpud has not asked since the module was loaded: systemctl restart nvidia-vgpud, and see journalctl -u nvidia-vgpud)
gpu 0000:01:00.0 10de:1db6: NVIDIA lists this board, it needs nothing
  so far: driver attached, board known, unlocked
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
    fn a_board_is_unlocked_when_everything_its_branch_needs_is_in_force() {
        use GpuState::*;
        let attached = DriverState::Attached;
        let refused = DriverState::Refused(Reason::NoMemory);
        let silent = DriverState::Silent(Reason::KprobesOff);
        for (driver, checks, written, expected) in [
            (DriverState::Absent, false, None, NoDriver),
            (refused, false, None, NotUnlocked),
            // 525 and newer: the checks decide.
            (attached, true, None, Unlocked),
            (attached, true, Some(Err(Refusal::WrongKey)), Unlocked),
            // 510 and older: the tables do.
            (attached, false, None, Waiting),
            (attached, false, Some(Ok(())), Unlocked),
            (attached, false, Some(Err(Refusal::WrongKey)), NotUnlocked),
            // Dead hooks override nothing, but what is written is written.
            (silent, true, Some(Ok(())), NotUnlocked),
            (silent, false, Some(Ok(())), Unlocked),
            (silent, false, None, NotUnlocked),
            (DriverState::Disabled, false, None, NotUnlocked),
        ] {
            assert_eq!(unlocked_state(&driver, checks, written), expected);
        }
    }
}
