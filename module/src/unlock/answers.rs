// SPDX-License-Identifier: GPL-2.0
//! What the vGPU daemons are told: RM control calls, changed after the driver has answered.
//!
//! That a daemon's call of the driver's ioctl has returned is noticed by [`sys::calls`](crate::sys::calls),
//! which has [`answered`] called by the daemon's own task before it is back in user space. There the answer
//! lies in the daemon's memory, and that is what is changed. So no other process can gain anything: it
//! could only be told what it can write into its own memory anyway.

use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::logic::gpu::{Address, Ids};
use crate::logic::params::Gpus;
use crate::logic::rm_control::command::{nvos54, BUS_GET_PCI_INFO, NV_OK};
use crate::logic::rm_control::{
    self, Boards, Call, Daemon, Effective, Policy, ProcessTable, Told, ToldTable, Verdict,
};
use crate::logic::status::{Answers, UnknownSize};
use crate::sys::calls::{self, CONTROL, XFER};
use crate::sys::lock::{AnswersMutex, MutexGuard, Mutexed, ToldMutex};
use crate::sys::user::{self, UserAddress, UserBytes};
use crate::sys::{clock, log, pci};
use crate::unlock::{settings, vgpud};

/// Bytes of a transfer: `u32 cmd, u32 size, u64 pointer`.
const XFER_LEN: usize = 16;

/// The number in an ioctl command, its lowest eight bits.
fn number(command: u32) -> u32 {
    command & 0xff
}

/// The size of the argument in an ioctl command, fourteen bits from bit 16 on.
fn size(command: u32) -> usize {
    (command >> 16 & 0x3fff) as usize
}

/// Calls of the daemons that are among those we know.
static SEEN: AtomicU64 = AtomicU64::new(0);
/// Of those, how many were changed.
static CHANGED: AtomicU64 = AtomicU64::new(0);
/// Of those, how many had parameters of an unknown length.
static UNKNOWN: AtomicU64 = AtomicU64::new(0);
/// The last of these: its command, and in the lower half its length.
static LAST_UNKNOWN: AtomicU64 = AtomicU64::new(0);

/// Boards are what the driver takes them for: nothing but the overrides is answered.
static OVERRIDES_ONLY: AtomicBool = AtomicBool::new(false);

/// Says whether nothing but the overrides is to be answered. Nobody may be answered meanwhile.
pub fn restrict(overrides_only: bool) {
    OVERRIDES_ONLY.store(overrides_only, Ordering::Relaxed);
}

/// Nobody who holds its lock waits for a daemon's memory: one whose pages are slow to come would hold up
/// all others.
static MEMORY: Mutexed<Memory, AnswersMutex> =
    Mutexed::new(Memory { processes: ProcessTable::EMPTY, told: [None; TOLD_SIZES] });

/// What the daemons were told about vGPUs. The same holds for its lock.
static TOLD: Mutexed<ToldTable, ToldMutex> = Mutexed::new(ToldTable::EMPTY);

/// What the daemons were told about vGPUs, for the status.
pub fn told() -> MutexGuard<ToldTable, ToldMutex> {
    TOLD.lock()
}

struct Memory {
    processes: ProcessTable,
    /// Parameters of unknown lengths that the log has a line about.
    told: [Option<UnknownSize>; TOLD_SIZES],
}

/// Unknown lengths that are told apart: one for each command that has parameters, with some to spare.
const TOLD_SIZES: usize = 16;

impl Memory {
    fn note_unknown(&mut self, unknown: UnknownSize) {
        UNKNOWN.fetch_add(1, Ordering::Relaxed);
        let size = u32::try_from(unknown.size).unwrap_or(u32::MAX);
        LAST_UNKNOWN.store(u64::from(unknown.command) << 32 | u64::from(size), Ordering::Relaxed);
        if self.told.contains(&Some(unknown)) {
            return;
        }
        // With no room left the log stays as it is; the status goes on counting.
        if let Some(room) = self.told.iter_mut().find(|told| told.is_none()) {
            *room = Some(unknown);
            log::warn(format_args!("{unknown}: left alone"));
        }
    }
}

/// How it stands with the answers, for the status.
pub fn report() -> Answers {
    let last = LAST_UNKNOWN.load(Ordering::Relaxed);
    let unknown = UnknownSize { command: (last >> 32) as u32, size: last as u32 as usize };
    let count = UNKNOWN.load(Ordering::Relaxed);
    Answers {
        seen: SEEN.load(Ordering::Relaxed),
        changed: CHANGED.load(Ordering::Relaxed),
        lost: calls::lost(),
        unknown: (count != 0).then_some((count, unknown)),
    }
}

/// Boards as the user has them answered. A call does not say which board it is about, but its IDs
/// nearly always do.
struct OnTheBus<'a>(Gpus<'a>);

impl OnTheBus<'_> {
    /// Where the board is, if that makes a difference to the user.
    fn address(&self, ids: Ids) -> Option<Address> {
        let same = |gpu: &pci::Gpu| gpu.ids() == ids;
        // Looking for it takes longer than all the rest.
        let found = self.0.name_addresses().then(|| pci::gpus().find(same)).flatten();
        found.map(|gpu| gpu.address())
    }
}

impl Boards for OnTheBus<'_> {
    fn answer(&self, ids: Ids) -> Option<Ids> {
        self.0.answer(ids, self.address(ids))
    }
}

/// Whether a driver of this branch accepts the board only because of us.
fn unlocked(ids: Ids, branch: u16) -> bool {
    !OVERRIDES_ONLY.load(Ordering::Relaxed)
        && settings::with(|user| {
            let address = OnTheBus(user.gpus).address(ids);
            user.gpus.board(ids, address, Some(branch)).needs_unlock()
        })
}

/// Changes the answer of an ioctl, in the task that made it.
pub fn answered(command: u32, argument: UserAddress) {
    // Where the daemon's memory is not there, nobody will read the answer either.
    let _ = call_of(command, argument).and_then(answer);
}

fn answer(call_at: UserAddress) -> Option<()> {
    let mut head = [0; nvos54::SIZE];
    call_at.read(&mut head)?;
    let cmd = u32_at(&head, nvos54::CMD)?;
    let interest = rm_control::interest(cmd)?;
    SEEN.fetch_add(1, Ordering::Relaxed);
    TOLD.lock().asked_by(user::daemon());

    let params_at =
        UserAddress(u64::from_le_bytes(head.get(nvos54::PARAMS..)?.get(..8)?.try_into().ok()?));
    let size = u32_at(&head, nvos54::PARAMS_SIZE)? as usize;
    let status = u32_at(&head, nvos54::STATUS)?;
    // Parameters of an unknown length are not looked at.
    let wanted = if interest.knows(size) { size.min(interest.max_params) } else { 0 };
    let mut params = UserBytes::read(params_at, wanted)?;
    let asked_by_vgpud = cmd == BUS_GET_PCI_INFO && user::daemon() == Daemon::Vgpud;
    let board = asked_by_vgpud.then(|| ids_in(&params)).flatten();
    let mut call = Call { cmd, status, params: &mut params };
    let (verdict, told) = decide(&mut call)?;
    match verdict {
        Verdict::Untouched => {}
        Verdict::UnknownSize => MEMORY.lock().note_unknown(UnknownSize { command: cmd, size }),
        Verdict::Edited(edited) => {
            let changed = call.params.get(edited.params.clone())?;
            params_at.add(edited.params.start).write(changed)?;
            if edited.status {
                call_at.add(nvos54::STATUS).write(&call.status.to_le_bytes())?;
            }
            CHANGED.fetch_add(1, Ordering::Relaxed);
            let Range { start, end } = edited.params;
            log::detail(format_args!(
                "answer to RM control {cmd:#x} changed: bytes {start} to {end}, status {status:#x}"
            ));
        }
    }
    if let Some(told) = told {
        TOLD.lock().remember(told);
    }
    if let (Some(board), Some(branch), NV_OK) = (board, vgpud::branch(), status) {
        if unlocked(board, branch) {
            vgpud::told(ids_in(call.params)?.device);
        }
    }
    Some(())
}

/// Edits a call, and says what its daemon is told about a vGPU, if that was the question.
fn decide(call: &mut Call<'_>) -> Option<(Verdict, Option<Told>)> {
    let mut memory = MEMORY.lock();
    let (own, parent) = user::processes();
    let process = memory.processes.recall(own, parent, clock::now_ns())?;
    let verdict = settings::with(|user| {
        let boards = OnTheBus(user.gpus);
        let policy = Policy {
            boards: &boards,
            migration: user.migration,
            overrides: user.overrides,
            overrides_only: OVERRIDES_ONLY.load(Ordering::Relaxed),
        };
        rm_control::edit(call, &policy, process)
    });
    if matches!(verdict, Verdict::UnknownSize) {
        return Some((verdict, None));
    }
    // A question for a type as such is for no vGPU.
    let told = process.take_answer().and_then(|(_, uuid, applied)| {
        let effective = Effective::of(call.cmd, call.params);
        Some(Told { uuid: uuid?, applied, effective })
    });
    Some((verdict, told))
}

/// The IDs in the answer to [`BUS_GET_PCI_INFO`]: each is behind its vendor's.
fn ids_in(params: &[u8]) -> Option<Ids> {
    let id_at = |at: usize| Some(u16::from_le_bytes(*params.get(at..)?.first_chunk()?));
    Some(Ids { device: id_at(2)?, subsystem: id_at(6)? })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..)?.get(..4)?.try_into().ok()?))
}

/// Where the NVOS54 of a call is, if it is an RM control call.
fn call_of(command: u32, argument: UserAddress) -> Option<UserAddress> {
    match (number(command), size(command)) {
        (CONTROL, nvos54::SIZE) => Some(argument),
        (XFER, XFER_LEN) => {
            let mut transfer = [0; XFER_LEN];
            argument.read(&mut transfer)?;
            let [c0, c1, c2, c3, s0, s1, s2, s3, pointer @ ..] = transfer;
            let real = u32::from_le_bytes([c0, c1, c2, c3]) == CONTROL
                && u32::from_le_bytes([s0, s1, s2, s3]) as usize == nvos54::SIZE;
            real.then(|| UserAddress(u64::from_le_bytes(pointer)))
        }
        _ => None,
    }
}
