// SPDX-License-Identifier: GPL-2.0
//! Takes the picture that the status files show.

use core::fmt::Write;

use crate::logic;
use crate::logic::gpu::{Address, Answer, Bound};
use crate::logic::params::Rule;
use crate::logic::profile::Uuid;
use crate::logic::status::{
    self, DriverState, Gpu, GpuState, Hook, HookState, Json, Report, TablesState, Text, TypeFiles,
    Vgpu, Way, MAX_GPUS,
};
use crate::sys::log;
use crate::unlock::answers;
use crate::unlock::attachment::Attachment;
use crate::unlock::boards::{self, Board};
use crate::unlock::lifecycle::{self, Driver, Types};
use crate::unlock::tables::{Outcome, Unlocker};
use crate::unlock::types;
use crate::unlock::vgpud;

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
        let branch = state.driver().version().map(|version| version.branch);
        for found in boards::all(branch).take(MAX_GPUS) {
            let mut board = gpu(&found, &driver, state.driver());
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
        let unlocker = attachment.and_then(Attachment::unlocker);
        // The last of the locks that are taken here.
        let told = answers::told();
        f(&Report {
            module_version: VERSION,
            driver_version: state.driver().version(),
            driver,
            proof: attachment.and_then(Attachment::proof),
            gpus: gpus.as_slice(),
            vgpus: vgpus.as_slice(),
            hooks: hooks.as_slice(),
            types,
            told: &told,
            acceptance: vgpud::report(),
            answers: answers::report(),
            tables: attachment.map_or(TablesState::Absent, |a| tables(gpus.as_slice(), a)),
            gpu_list_count: unlocker.map_or(0, Unlocker::gpu_list_count),
            entries: unlocker.map_or(0, Unlocker::entries),
            locate_us: attachment.map_or(0, Attachment::locate_us),
        });
    });
}

/// Writes a line to the log for each board of which it does not say that already. Where the driver is just
/// `coming`, it has taken no board yet. Whether there is a board of which nothing can be said, because the
/// kernel is just binding it.
pub fn log_boards(coming: bool) -> bool {
    lifecycle::with_said(|state, said| {
        let Driver::Attached(attachment) = state.driver() else { return false };
        let driver = state.driver_state();
        let mut settling = false;
        for board in boards::all(Some(attachment.version().branch)) {
            let bound = match board.bound {
                Bound::Nobody if coming => Bound::Unknown,
                Bound::Unknown if !coming => {
                    settling = true;
                    continue;
                }
                bound => bound,
            };
            let gpu = gpu(&Board { bound, ..board }, &driver, state.driver());
            if !said.is_news(&gpu) {
                continue;
            }
            let (address, device, how) = (gpu.address, gpu.device, gpu.explanation());
            match gpu.answered_as() {
                Some(sibling) => log::info(format_args!(
                    "{address} 10de:{device:04x} answered as 10de:{:04x} {}: {how}",
                    sibling.device, sibling.name
                )),
                None => log::info(format_args!("{address} 10de:{device:04x}: {how}")),
            }
        }
        settling
    })
}

/// How it stands with one board, but for its types and vGPUs.
fn gpu(board: &Board, driver: &DriverState, attached: &Driver) -> Gpu {
    let branch = attached.version().map(|version| version.branch);
    let way = match attached {
        Driver::Attached(attachment) => attachment.way(board.address, board.ids.device),
        Driver::Absent | Driver::Refused { .. } => Way::Checks(false),
    };
    let off = board.rule == Rule::Off;
    let state = status::state_of(board.answer, off, board.bound, driver, way);
    // Nobody is answered as another where only overrides work.
    let answer = match (driver, board.answer) {
        (DriverState::AnswersOnly(_), Answer::As(..)) => Answer::Unknown,
        (_, answer) => answer,
    };
    let gone = |branch| match answer {
        Answer::As(_, sibling) => !logic::gpu::lists(&sibling, branch),
        answer => answer == Answer::Dropped,
    };
    let unlocked = matches!(state, GpuState::Unlocked | GpuState::Waiting);
    Gpu {
        address: board.address,
        device: board.ids.device,
        subsystem: board.ids.subsystem,
        bound: board.bound,
        functions: board.gpu.functions(),
        answer,
        state,
        profiles_gone: unlocked && branch.is_some_and(gone),
        types: None,
        vgpus: 0,
    }
}

fn tables(gpus: &[Gpu], attachment: &Attachment) -> TablesState {
    let Some(unlocker) = attachment.unlocker() else {
        return match attachment.only_answers() {
            Some(_) => TablesState::Absent,
            None => TablesState::NotNeeded,
        };
    };
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
    if let Some((waiting, hits)) = attachment.key_hook() {
        let state = if waiting { alive } else { HookState::Done };
        add(Hook { name: "os_mem_copy", kind: "ftrace", state, hits, misses: 0 });
    }
    for placed in attachment.overrides() {
        add(Hook {
            name: placed.name(),
            kind: "kprobe",
            state: alive,
            hits: placed.hits(),
            misses: placed.misses(),
        });
    }
    if let Some((name, placed, hits, misses)) = attachment.calls() {
        let state = match placed {
            Ok(true) => alive,
            Ok(false) => HookState::Resting,
            Err(_) => HookState::Lost,
        };
        add(Hook { name, kind: "kretprobe", state, hits, misses });
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
    bound: Bound::Unknown,
    functions: 0,
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
