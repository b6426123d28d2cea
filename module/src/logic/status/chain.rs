// SPDX-License-Identifier: GPL-2.0
//! From the board to the running vGPU: what has to happen, in its order, and what is missing.

use super::{DriverState, Gpu, GpuState, Report};
use crate::logic::driver::acceptance::{Acceptance, Obstacle};
use crate::logic::rm_control::Daemon;

/// A step on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// NVIDIA's driver is loaded and hooked.
    Attached,
    /// The driver has the board.
    Bound,
    /// A vGPU-capable board with the board's silicon is known, or the board is one itself.
    Answered,
    /// The driver takes the board for capable.
    Unlocked,
    /// `nvidia-vgpud` has asked the driver for boards.
    VgpudAsked,
    /// It does not give the board up.
    VgpudAccepts,
    /// vGPU types are registered with the kernel.
    TypesRegistered,
    /// There is a vGPU.
    VgpuCreated,
    /// `nvidia-vgpu-mgr` was told what every vGPU looks like.
    ManagerTold,
}

impl Link {
    /// All of them, in order.
    pub const ALL: [Link; 9] = [
        Link::Attached,
        Link::Bound,
        Link::Answered,
        Link::Unlocked,
        Link::VgpudAsked,
        Link::VgpudAccepts,
        Link::TypesRegistered,
        Link::VgpuCreated,
        Link::ManagerTold,
    ];

    /// What people and tools call it.
    pub fn name(self) -> &'static str {
        match self {
            Link::Attached => "driver attached",
            Link::Bound => "board bound",
            Link::Answered => "board known",
            Link::Unlocked => "unlocked",
            Link::VgpudAsked => "nvidia-vgpud asked",
            Link::VgpudAccepts => "and will accept it",
            Link::TypesRegistered => "types registered",
            Link::VgpuCreated => "vGPU created",
            Link::ManagerTold => "nvidia-vgpu-mgr told",
        }
    }

    /// Whether it is there for this board.
    fn holds(self, report: &Report<'_>, gpu: &Gpu) -> bool {
        // What comes later can't be there without what comes before it, even if nobody saw that: the
        // daemon may have asked before this module was loaded.
        let types = gpu.types.is_some_and(|types| types != 0);
        match self {
            Link::Attached => {
                matches!(report.driver, DriverState::Attached | DriverState::AnswersOnly(_))
            }
            Link::Bound => !matches!(gpu.state, GpuState::Held | GpuState::Unbound),
            Link::Answered => !matches!(
                gpu.state,
                GpuState::Unknown | GpuState::Off | GpuState::NoSriov | GpuState::NotYet
            ),
            Link::Unlocked => {
                matches!(gpu.state, GpuState::Unlocked | GpuState::Listed | GpuState::Waiting)
            }
            Link::VgpudAsked => types || report.told.asked(Daemon::Vgpud) != 0,
            // Where that is only possible, it is named once all else is there that types take.
            Link::VgpudAccepts => {
                let named = |why: Obstacle| why.is_certain() || report.types.is_loaded();
                types || !given_up(report, gpu).is_some_and(named)
            }
            // Where it could not be told whether there are any, that is not what is missing.
            Link::TypesRegistered => types || gpu.types.is_none(),
            Link::VgpuCreated => gpu.vgpus != 0 || gpu.types.is_none(),
            Link::ManagerTold => {
                let mut vgpus = report.vgpus.iter().filter(|vgpu| vgpu.gpu == gpu.address);
                vgpus.all(|vgpu| report.told.about(vgpu.uuid).is_some())
            }
        }
    }

    /// What to do where it is missing.
    fn advice(self, report: &Report<'_>, gpu: &Gpu) -> &'static str {
        match self {
            Link::Attached => match report.driver {
                DriverState::Absent => "load NVIDIA's vGPU host driver: modprobe nvidia",
                DriverState::Disabled => "switch the module on: its parameter enabled is 0",
                _ => "see the line of the driver above",
            },
            Link::Bound => {
                "the driver did not take it, or has given it back: journalctl -k -g NVRM"
            }
            Link::Unlocked if gpu.state == GpuState::OpenModules => gpu.state.explanation(),
            Link::Unlocked if matches!(report.driver, DriverState::AnswersOnly(_)) => {
                "without its checks being known, this driver takes only boards that it lists itself"
            }
            Link::Answered | Link::Unlocked => gpu.state.explanation(),
            Link::VgpudAsked => {
                "nvidia-vgpud has not asked since the module was loaded: \
                 systemctl restart nvidia-vgpud, and see journalctl -u nvidia-vgpud"
            }
            Link::VgpudAccepts => match given_up(report, gpu) {
                Some(Obstacle::SwitchedOff) => {
                    "nvidia-vgpud gives such boards up, and the parameter vgpud is 0: set it to 1, and \
                     systemctl restart nvidia-vgpud"
                }
                _ => {
                    "see the line of nvidia-vgpud below; with gpus=ID=ID the board is answered as itself, and \
                     needs its own ID in vgpuConfig.xml"
                }
            },
            Link::TypesRegistered if !report.types.is_loaded() => {
                "NVIDIA's module for it is not loaded: modprobe nvidia-vgpu-vfio"
            }
            Link::TypesRegistered if gpu.profiles_gone => {
                "nvidia-vgpud found none for this board: take vgpuConfig.xml from 16.x (535)"
            }
            Link::TypesRegistered => {
                "nvidia-vgpud has registered none: systemctl restart nvidia-vgpud, and see \
                 journalctl -u nvidia-vgpud"
            }
            Link::VgpuCreated => "create one: mdevctl start -u UUID -p BOARD -t TYPE, or have your hypervisor do it",
            Link::ManagerTold => {
                "nvidia-vgpu-mgr has not asked about a vGPU: start its virtual machine, and see \
                 journalctl -u nvidia-vgpu-mgr"
            }
        }
    }
}

/// Why `nvidia-vgpud` gives this board up, if it does.
fn given_up(report: &Report<'_>, gpu: &Gpu) -> Option<Obstacle> {
    let told = gpu.answered_as().map_or(gpu.device, |sibling| sibling.device);
    match report.acceptance {
        Some((device, Acceptance::GivenUp(why))) if device == told => Some(why),
        _ => None,
    }
}

/// The first link that is missing for a board, and what to do about it; `None` where all are there, and for
/// a board that another driver has: it is on another way.
pub fn missing(report: &Report<'_>, gpu: &Gpu) -> Option<(Link, &'static str)> {
    if gpu.state == GpuState::Held {
        return None;
    }
    let link = Link::ALL.into_iter().find(|link| !link.holds(report, gpu))?;
    Some((link, link.advice(report, gpu)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{board, report};
    use super::super::{Json, Reason, Text, TypeFiles, Vgpu};
    use super::*;
    use crate::logic::capability::tables::Unrecognised;
    use crate::logic::driver::vgpud::NotOne;
    use crate::logic::params::Applied;
    use crate::logic::profile::Uuid;
    use crate::logic::rm_control::{Effective, Told, ToldTable};
    use std::string::ToString;

    const REPLACED: TypeFiles = TypeFiles::Replaced { calls: 7, hidden: 1 };

    fn missing_of(report: &Report<'_>, gpu: &Gpu) -> Option<Link> {
        missing(report, gpu).map(|(link, _)| link)
    }

    fn asked() -> ToldTable {
        let mut told = ToldTable::EMPTY;
        told.asked_by(Daemon::Vgpud);
        told
    }

    #[test]
    fn the_first_link_that_is_missing_is_named() {
        let gpu = board(0x1b06, GpuState::Unlocked);
        let driver = |driver| missing_of(&report(driver, &[], &[]), &gpu);
        for state in [
            DriverState::Absent,
            DriverState::Disabled,
            DriverState::Refused(Reason::NoMemory),
            DriverState::Silent(Reason::KprobesOff),
        ] {
            assert_eq!(driver(state), Some(Link::Attached));
        }
        for (state, words) in [
            (DriverState::Absent, "modprobe nvidia"),
            (DriverState::Disabled, "enabled is 0"),
            (DriverState::Refused(Reason::NoMemory), "the line of the driver"),
        ] {
            let (_, advice) = missing(&report(state, &[], &[]), &gpu).unwrap();
            assert!(advice.contains(words), "{advice}");
        }
        assert_eq!(driver(DriverState::Attached), Some(Link::VgpudAsked));

        let mut report = report(DriverState::Attached, &[], &[]);
        for (state, expected) in [
            (GpuState::Unknown, Link::Answered),
            (GpuState::Off, Link::Answered),
            (GpuState::NoSriov, Link::Answered),
            (GpuState::NotYet, Link::Answered),
            (GpuState::Unbound, Link::Bound),
            (GpuState::NotUnlocked, Link::Unlocked),
            (GpuState::Waiting, Link::VgpudAsked),
            (GpuState::Listed, Link::VgpudAsked),
        ] {
            assert_eq!(missing_of(&report, &board(0x1b06, state)), Some(expected), "{state:?}");
        }

        let locked = GpuState::NotUnlocked;
        let advice = missing(&report, &board(0x1b06, locked)).unwrap().1;
        assert_eq!(advice, locked.explanation());

        // Nobody is to restart daemons for a board that a virtual machine has as a whole.
        assert_eq!(missing(&report, &board(0x1b06, GpuState::Held)), None);
        let only = Report {
            driver: DriverState::AnswersOnly(Reason::Tables(Unrecognised::NoGpuList)),
            ..report
        };
        assert_eq!(missing_of(&only, &board(0x2231, GpuState::Listed)), Some(Link::VgpudAsked));
        let (link, advice) = missing(&only, &board(0x1b06, GpuState::NotUnlocked)).unwrap();
        assert!(link == Link::Unlocked && advice.contains("lists itself"), "{advice}");
        let (link, advice) = missing(&only, &board(0x2231, GpuState::OpenModules)).unwrap();
        assert!(link == Link::Unlocked && advice.contains("proprietary type"), "{advice}");

        let told = asked();
        report.told = &told;
        for (acceptance, expected) in [
            (None, Link::TypesRegistered),
            (Some((0x1b38, Acceptance::Accepted)), Link::TypesRegistered),
            (Some((0x1b38, Acceptance::Kept)), Link::TypesRegistered),
            (Some((0x1b38, Acceptance::GivenUp(Obstacle::SwitchedOff))), Link::VgpudAccepts),
            (Some((0x1b38, Acceptance::GivenUp(Obstacle::Unwritable(-14)))), Link::VgpudAccepts),
            // That is only possible, and something else is missing for certain.
            (Some((0x1b38, Acceptance::GivenUp(Obstacle::Unreadable))), Link::TypesRegistered),
            // Another board's.
            (Some((0x13f2, Acceptance::GivenUp(Obstacle::SwitchedOff))), Link::TypesRegistered),
        ] {
            report.acceptance = acceptance;
            assert_eq!(missing_of(&report, &gpu), Some(expected), "{acceptance:?}");
        }
        let given_up = |why| Some((0x1b38, Acceptance::GivenUp(why)));
        report.acceptance = given_up(Obstacle::SwitchedOff);
        assert!(missing(&report, &gpu).unwrap().1.contains("vgpud is 0"));
        report.acceptance = given_up(Obstacle::Loop(NotOne::Many));
        let not_loaded = core::mem::replace(&mut report.types, REPLACED);
        assert_eq!(missing_of(&report, &gpu), Some(Link::VgpudAccepts));
        assert!(missing(&report, &gpu).unwrap().1.contains("as itself"));
        let text = Text(&report).to_string();
        let line = "nvidia-vgpud, told 10de:1b38: it may give such boards up: the loop";
        assert!(text.contains(line), "{text}");
        let json: serde_json::Value = serde_json::from_str(&Json(&report).to_string()).unwrap();
        assert_eq!(json["vgpud"]["told"], 0x1b38);
        assert_eq!(json["vgpud"]["state"], "gives up");
        assert!(json["vgpud"]["reason"].as_str().unwrap().contains("more than once"));
        report.types = not_loaded;
        report.acceptance = Some((0x1b38, Acceptance::Kept));
        let text = Text(&report).to_string();
        assert!(text.contains("nvidia-vgpud, told 10de:1b38: accepts it, since its own"), "{text}");
        assert_eq!(missing_of(&report, &gpu), Some(Link::TypesRegistered));
        assert!(missing(&report, &gpu).unwrap().1.contains("modprobe nvidia-vgpu-vfio"));
        report.types = REPLACED;
        assert!(missing(&report, &gpu).unwrap().1.contains("16.x"));
        let listed = Gpu { profiles_gone: false, ..gpu };
        assert!(missing(&report, &listed).unwrap().1.contains("journalctl"));

        let gpu = Gpu { types: Some(25), ..gpu };
        assert_eq!(missing_of(&report, &gpu), Some(Link::VgpuCreated));
        // What is there shows that the daemon has asked, even if that was before our time.
        report.told = &ToldTable::EMPTY;
        assert_eq!(missing_of(&report, &gpu), Some(Link::VgpuCreated));
        // That it can't be told at the moment is no reason to name it.
        report.told = &told;
        assert_eq!(missing_of(&report, &Gpu { types: None, ..gpu }), None);
    }

    #[test]
    fn every_vgpu_has_to_be_told_about() {
        let gpu = Gpu { types: Some(25), vgpus: 2, ..board(0x1b06, GpuState::Unlocked) };
        let uuid = |n| Uuid::from_bytes([n; 16]);
        let vgpu = |n| Vgpu { gpu: gpu.address, uuid: uuid(n), vgpu_type: Some(46) };
        let mut told = asked();
        let tell = |told: &mut ToldTable, n| {
            let mut params = [0; 1872];
            params[4..15].copy_from_slice(b"a \"quoted\"\x01");
            told.remember(Told {
                uuid: uuid(n),
                applied: Applied { by_vm: 2, ..Applied::default() },
                effective: Effective::of(0xa082_0102, &params),
            });
        };
        tell(&mut told, 1);
        let vgpus = [vgpu(1), vgpu(2)];
        let gpus = [gpu];
        let mut report = report(DriverState::Attached, &gpus, &[]);
        (report.vgpus, report.types, report.told) = (&vgpus, REPLACED, &told);
        assert_eq!(missing_of(&report, &gpu), Some(Link::ManagerTold));
        let text = Text(&report).to_string();
        assert!(text.contains(
            "vgpu 02020202-0202-0202-0202-020202020202, nvidia-46: nvidia-vgpu-mgr has not"
        ));
        assert!(text.contains("by its virtual machine: 2"), "{text}");
        assert!(text.contains("card_name='a \"quoted\"?'"), "{text}");
        assert!(text.contains("1 hidden, 7 calls"), "{text}");

        let json: serde_json::Value = serde_json::from_str(&Json(&report).to_string()).unwrap();
        let board = &json["gpus"][0];
        assert_eq!(board["missing"], "nvidia-vgpu-mgr told");
        assert_eq!((&board["types"], &board["vgpu_count"]), (&25.into(), &2.into()));
        assert_eq!(board["vgpus"][0]["told"]["by_vm"], 2);
        assert_eq!(board["vgpus"][0]["told"]["in_force"]["card_name"], "a \"quoted\"\u{1}");
        assert_eq!(board["vgpus"][0]["told"]["in_force"]["num_displays"], 0);
        assert!(board["vgpus"][1]["told"].is_null());
        assert_eq!(json["types"]["hidden"], 1);
        assert_eq!(json["asked"]["nvidia-vgpud"], 1);

        let mut all = asked();
        tell(&mut all, 1);
        tell(&mut all, 2);
        report.told = &all;
        assert_eq!(missing_of(&report, &gpu), None);
        assert!(Text(&report).to_string().contains("nothing is missing"));
    }
}
