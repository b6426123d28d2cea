// SPDX-License-Identifier: GPL-2.0
//! Takes the picture that the status files show.

use core::fmt::Write;

use crate::logic::driver::branch;
use crate::logic::gpu::Address;
use crate::logic::gpu::Answer;
use crate::logic::params::Rule;
use crate::logic::profile::Uuid;
use crate::logic::status::{
    self, DriverState, Gpu, GpuState, Hook, HookState, Json, Report, TablesState, Text, TypeFiles,
    Vgpu, MAX_GPUS,
};
use crate::sys::{log, pci};
use crate::unlock::answers;
use crate::unlock::attachment::Attachment;
use crate::unlock::lifecycle::{self, Driver, Types};
use crate::unlock::settings;
use crate::unlock::tables::Outcome;
use crate::unlock::types;

/// Our own version, as Cargo.toml and dkms.conf have it too (a test compares them).
pub const VERSION: &str = "0.1.0";

/// The most hooks there are: two sites, one that waits for a key, and the daemons' calls.
const MAX_HOOKS: usize = 4;

/// Writes the status for people.
pub fn text(to: &mut impl Write) {
    with_report(&mut |report| {
        // The file takes everything; what is too much for it, it asks for again.
        let _ = write!(to, "{}", Text(report));
    });
}

/// Writes the status for tools.
pub fn json(to: &mut impl Write) {
    with_report(&mut |report| {
        let _ = write!(to, "{}", Json(report));
    });
}

fn with_report(f: &mut dyn FnMut(&Report<'_>)) {
    lifecycle::with_state(|state| {
        let driver = state.driver_state();
        let attachment = match state.driver() {
            Driver::Attached(attachment) => Some(&**attachment),
            Driver::Absent | Driver::Refused { .. } => None,
        };
        let mut gpus = List::<_, MAX_GPUS>::new(NO_GPU);
        let mut vgpus = List::<_, MAX_VGPUS>::new(NO_VGPU);
        let types_loaded = state.types_loaded();
        for found in pci::gpus().take(MAX_GPUS) {
            let mut board = gpu(&found, &driver, attachment);
            let known = match state.types() {
                Types::Replaced(_) => types::of_board(board.address, |vgpu| vgpus.push(vgpu)),
                Types::Absent if !types_loaded => Some((0, 0)),
                Types::Absent | Types::Refused(_) => None,
            };
            board.types = known.map(|(types, _)| types);
            board.vgpus = known.map_or(0, |(_, vgpus)| vgpus);
            gpus.push(board);
        }
        let mut hooks = List::<_, MAX_HOOKS>::new(NO_HOOK);
        if let Some(attachment) = attachment {
            list_hooks(&driver, attachment, |hook| hooks.push(hook));
        }
        let types = match state.types() {
            Types::Absent if types_loaded => TypeFiles::LeftAlone,
            Types::Absent => TypeFiles::NotLoaded,
            Types::Replaced(replaced) => {
                TypeFiles::Replaced { calls: replaced.hits(), hidden: types::hidden() }
            }
            Types::Refused(reason) => TypeFiles::Refused(*reason),
        };
        // The last of the locks that are taken here.
        let told = answers::told();
        f(&Report {
            module_version: VERSION,
            driver_version: state.driver().version(),
            driver,
            gpus: gpus.as_slice(),
            vgpus: vgpus.as_slice(),
            hooks: hooks.as_slice(),
            types,
            told: &told,
            answers: answers::report(),
            tables: attachment.map_or(TablesState::Absent, |a| tables(gpus.as_slice(), a)),
            gpu_list_count: attachment.map_or(0, |a| a.unlocker().gpu_list_count()),
            entries: attachment.map_or(0, |a| a.unlocker().entries()),
            locate_us: attachment.map_or(0, Attachment::locate_us),
        });
    });
}

/// Writes a line for each board to the log.
pub fn log_boards() {
    lifecycle::with_state(|state| {
        let Driver::Attached(attachment) = state.driver() else { return };
        for found in pci::gpus() {
            let gpu = gpu(&found, &DriverState::Attached, Some(attachment));
            let (address, device, how) = (gpu.address, gpu.device, gpu.state.explanation());
            match gpu.answer {
                Answer::As(_, sibling) => log::info(format_args!(
                    "{address} 10de:{device:04x} answered as 10de:{:04x} {}: {how}",
                    sibling.device, sibling.name
                )),
                Answer::Listed | Answer::Unknown => {
                    log::info(format_args!("{address} 10de:{device:04x}: {how}"));
                }
            }
        }
    });
}

/// How it stands with one board, but for its types and vGPUs.
fn gpu(gpu: &pci::Gpu, driver: &DriverState, attachment: Option<&Attachment>) -> Gpu {
    let address = Address::from(gpu);
    let (rule, answer) = settings::with(|p| {
        let ids = (gpu.device, gpu.subsystem, Some(address));
        (p.gpus.rule(ids.0, ids.1, ids.2), p.gpus.board(ids.0, ids.1, ids.2))
    });
    let state = match answer {
        _ if rule == Rule::Off => GpuState::Off,
        Answer::Listed => GpuState::Listed,
        Answer::Unknown => GpuState::Unknown,
        Answer::As(..) => {
            let written = match attachment.and_then(|a| a.unlocker().outcome(address)) {
                None | Some(Outcome::Waiting) => None,
                Some(Outcome::Unlocked(_)) => Some(Ok(())),
                Some(Outcome::Refused(refusal)) => Some(Err(refusal)),
            };
            let overridden = attachment.is_some_and(Attachment::checks_overridden);
            status::unlocked_state(driver, overridden, written)
        }
    };
    let profiles_gone = match (attachment.and_then(|a| branch::of(&a.version())), answer) {
        (Some(branch), Answer::As(_, sibling)) => branch.unlisted.contains(&sibling.device),
        _ => false,
    };
    Gpu {
        address,
        device: gpu.device,
        subsystem: gpu.subsystem,
        answer,
        state,
        profiles_gone,
        types: None,
        vgpus: 0,
    }
}

fn tables(gpus: &[Gpu], attachment: &Attachment) -> TablesState {
    let unlocker = attachment.unlocker();
    let refused = gpus.iter().find_map(|gpu| match unlocker.outcome(gpu.address) {
        Some(Outcome::Refused(refusal)) => Some(TablesState::Refused(refusal)),
        _ => None,
    });
    match (refused, unlocker.entries()) {
        (Some(refused), _) => refused,
        (None, 0) => TablesState::Located,
        (None, _) => TablesState::Rewritten,
    }
}

fn list_hooks(driver: &DriverState, attachment: &Attachment, mut add: impl FnMut(Hook)) {
    let alive = match driver {
        DriverState::Silent(_) => HookState::Silent,
        _ => HookState::Placed,
    };
    let (waiting, hits) = attachment.key_hook();
    let waiting = if waiting { alive } else { HookState::Done };
    add(Hook { name: "os_mem_copy", kind: "ftrace", state: waiting, hits, misses: 0 });
    for placed in attachment.overrides() {
        add(Hook {
            name: placed.name(),
            kind: "kprobe",
            state: alive,
            hits: placed.hits(),
            misses: placed.misses(),
        });
    }
    if let Some((name, hits, misses)) = attachment.calls() {
        add(Hook { name, kind: "kretprobe", state: alive, hits, misses });
    }
}

/// A list without memory of its own; what is too much is left out.
struct List<T, const N: usize> {
    items: [T; N],
    len: usize,
}

impl<T: Copy, const N: usize> List<T, N> {
    fn new(empty: T) -> Self {
        Self { items: [empty; N], len: 0 }
    }

    fn push(&mut self, item: T) {
        if let Some(slot) = self.items.get_mut(self.len) {
            *slot = item;
            self.len = self.len.saturating_add(1);
        }
    }

    fn as_slice(&self) -> &[T] {
        self.items.get(..self.len).unwrap_or(&[])
    }
}

const NO_GPU: Gpu = Gpu {
    address: Address { domain: 0, bus: 0, slot: 0, function: 0 },
    device: 0,
    subsystem: 0,
    answer: Answer::Unknown,
    state: GpuState::Unknown,
    profiles_gone: false,
    types: None,
    vgpus: 0,
};

/// The most vGPUs that are listed one by one.
const MAX_VGPUS: usize = 32;

const NO_VGPU: Vgpu =
    Vgpu { gpu: NO_GPU.address, uuid: Uuid::from_bytes([0; 16]), vgpu_type: None };

const NO_HOOK: Hook = Hook { name: "", kind: "", state: HookState::Done, hits: 0, misses: 0 };
