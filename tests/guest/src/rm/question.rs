// SPDX-License-Identifier: GPL-2.0
//! What is asked: each daemon's sequence against the stand-in, and harmless commands against the
//! real driver.

use anyhow::{Context, Result, bail};

use super::call::Connection;

/// One command with its parameters.
pub struct Question {
    pub name: &'static str,
    pub cmd: u32,
    pub params: Vec<u8>,
}

/// Not zero, so that a byte that nobody wrote is told from one that was zeroed.
const UNWRITTEN: u8 = 0xee;
/// A type of a Tesla P40.
pub const TYPE: u32 = 46;
/// The vGPU that starts, as Proxmox names the first one of the virtual machine [`VMID`]. The stand-in's
/// parameter `uuid` says the same, unless it is changed.
pub const UUID_TEXT: &str = "00000001-0000-0000-0000-000000000100";
pub const VMID: u32 = 100;
/// The same as a `guid_t`: the first three groups are little-endian numbers.
const UUID: [u8; 16] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];

/// The names by which checks refer to the questions.
pub mod name {
    pub const PCI_INFO: &str = "BUS_GET_PCI_INFO";
    pub const MODE: &str = "GPU_GET_VIRTUALIZATION_MODE";
    pub const INFOROM: &str = "GPU_GET_INFOROM_OBJECT_VERSION";
    pub const ZBC: &str = "GET_ZBC_CLEAR_TABLE";
    pub const SET_INFO: &str = "VGPU_CONFIG_SET_INFO";
    pub const TYPE_BY_NUMBER: &str = "VGPU_CONFIG_GET_VGPU_TYPE_INFO";
    pub const MIGRATION: &str = "VGPU_CONFIG_GET_MIGRATION_CAP";
    pub const START_DATA: &str = "VGPU_GET_START_DATA";
    pub const CREATE: &str = "VGPU_CREATE_DEVICE";
    pub const TYPE_OF_VGPU: &str = "HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO";
    pub const HOST_0104: &str = "0xa0820104";
}

/// Those that need a board which may host vGPUs.
pub const NEED_VGPUS: [&str; 5] =
    [name::TYPE_BY_NUMBER, name::MIGRATION, name::START_DATA, name::CREATE, name::TYPE_OF_VGPU];

/// The sizes of a branch's structures: type by number, type of a vGPU, created device, mode. 58094 is
/// 580.94 and later, of which the type of a vGPU is not known: that one is the stand-in's own.
fn sizes(branch: &str) -> Result<[usize; 4]> {
    Ok(match branch {
        "450" | "460" => [4536, 1840, 32, 4],
        "470" => [4536, 1848, 32, 4],
        "525" | "535" => [4960, 1872, 32, 4],
        "550" => [5096, 1872, 32, 4],
        "570" => [5232, 1872, 40, 8],
        "580" => [5424, 2328, 40, 8],
        "58094" => [5432, 2336, 40, 8],
        _ => bail!("no sizes for branch {branch}"),
    })
}

/// Parameters with `values` at their offsets.
fn params(size: usize, values: &[(usize, &[u8])]) -> Vec<u8> {
    let mut params = vec![UNWRITTEN; size];
    for (offset, bytes) in values {
        params[*offset..][..bytes.len()].copy_from_slice(bytes);
    }
    params
}

/// What a daemon asks a driver of `branch` while it starts and while a vGPU does.
pub fn of_daemon(branch: &str) -> Result<Vec<Question>> {
    let [by_number, of_vgpu, created, mode] = sizes(branch)?;
    let number = TYPE.to_le_bytes();
    let ask = |name, cmd, params| Question { name, cmd, params };
    Ok(vec![
        ask(name::PCI_INFO, 0x2080_1801, params(16, &[])),
        ask(name::MODE, 0x80_0289, params(mode, &[])),
        ask(name::INFOROM, 0x2080_014b, params(5, &[(0, b"OEM")])),
        ask(name::ZBC, 0x9096_0103, params(48, &[])),
        ask(name::TYPE_BY_NUMBER, 0xa081_0103, params(by_number, &[(0, &number)])),
        ask(name::MIGRATION, 0xa081_0112, params(1, &[])),
        ask(name::START_DATA, 0xc01, params(1056, &[])),
        ask(name::CREATE, 0xc02, params(created, &[(0, &UUID), (24, &number)])),
        ask(name::TYPE_OF_VGPU, 0xa082_0102, params(of_vgpu, &[(0, &number)])),
        ask(name::HOST_0104, 0xa082_0104, params(16, &[])),
        ask("a command that succeeds", 0x2080_18ff, params(256, &[])),
        ask("an unknown command", 0x2080_dead, params(64, &[])),
        ask("PCI info of a wrong size", 0x2080_1801, params(20, &[])),
        ask("a type of a wrong size", 0xa081_0103, params(by_number - 4, &[(0, &number)])),
    ])
}

/// What a type's information is preceded by where it is asked for by number, and where it is told.
const TYPE_BASE: usize = 8;
/// Behind a type that is told: whether it is the last one (ctrla081.h).
const STATE_SIZE: usize = 8;
const STATE_IN_PROGRESS: u32 = 1;
const STATE_READY: u32 = 2;

/// Asks a driver of `branch` for a type by its number.
pub fn type_by_number(branch: &str, number: u32) -> Result<Question> {
    let [by_number, ..] = sizes(branch)?;
    let params = params(by_number, &[(0, &number.to_le_bytes())]);
    Ok(Question { name: name::TYPE_BY_NUMBER, cmd: 0xa081_0103, params })
}

/// Tells the driver a type, given what it answered to [`type_by_number`]; and whether that was all.
pub fn set_info(answered: &[u8], last: bool) -> Question {
    let mut params = answered.to_vec();
    params[..TYPE_BASE].fill(0);
    let state = if last { STATE_READY } else { STATE_IN_PROGRESS };
    params.extend_from_slice(&state.to_le_bytes());
    params.resize(answered.len() + STATE_SIZE, 0);
    Question { name: name::SET_INFO, cmd: 0xa081_0101, params }
}

/// Tells a driver of `branch` one type, as if it were the last one, whatever the board is.
fn of_announcement(branch: &str) -> Result<Vec<Question>> {
    let [by_number, ..] = sizes(branch)?;
    Ok(vec![set_info(&params(by_number, &[(TYPE_BASE, &TYPE.to_le_bytes())]), true)])
}

/// What nvidia-vgpu-mgr asks a driver of `branch` when a vGPU starts.
pub fn start_data() -> Question {
    Question { name: name::START_DATA, cmd: 0xc01, params: params(1056, &[]) }
}

/// The two questions after [`start_data`], given what that was answered.
pub fn of_start(branch: &str, answered: &[u8]) -> Result<[Question; 2]> {
    let [_, of_vgpu, created, _] = sizes(branch)?;
    let uuid = &answered[..16];
    let text = String::from_utf8_lossy(&answered[16..1040]);
    let number = text.trim_end_matches('\0').strip_prefix("vgpu_type_id=").context("no type")?;
    let number = number.parse::<u32>().context("its type")?.to_le_bytes();
    let ask = |name, cmd, params| Question { name, cmd, params };
    Ok([
        ask(name::CREATE, 0xc02, params(created, &[(0, uuid), (24, &number)])),
        ask(name::TYPE_OF_VGPU, 0xa082_0102, params(of_vgpu, &[(0, &number)])),
    ])
}

/// Types in parameters of `size` bytes, which no layout has.
fn of_odd_size(size: usize) -> Vec<Question> {
    let number = TYPE.to_le_bytes();
    let ask = |name, cmd| Question { name, cmd, params: params(size, &[(0, &number)]) };
    vec![ask(name::TYPE_BY_NUMBER, 0xa081_0103), ask(name::TYPE_OF_VGPU, 0xa082_0102)]
}

/// Two vGPUs of one type start for one virtual machine; each is followed by the question for its type.
pub const SECOND_UUID_TEXT: &str = "00000002-0000-0000-0000-000000000100";

fn of_two_vgpus() -> Result<Vec<Question>> {
    let [_, of_vgpu, created, _] = sizes("550")?;
    let number = TYPE.to_le_bytes();
    let mut second = UUID;
    second[0] = 2;
    let ask = |name, cmd, params| Question { name, cmd, params };
    let start = |uuid| ask(name::CREATE, 0xc02, params(created, &[(0, uuid), (24, &number)]));
    let of_type = || ask(name::TYPE_OF_VGPU, 0xa082_0102, params(of_vgpu, &[(0, &number)]));
    Ok(vec![start(&UUID), of_type(), start(&second), of_type()])
}

/// One that is none of ours, one whose answer is short, and one whose answer is long.
fn of_cost() -> Result<Vec<Question>> {
    const NAMES: [&str; 3] = ["a command that succeeds", name::PCI_INFO, name::TYPE_BY_NUMBER];
    let mut all = of_daemon("550")?;
    all.retain(|question| NAMES.contains(&question.name));
    all.sort_by_key(|question| NAMES.iter().position(|name| *name == question.name));
    Ok(all)
}

/// What anyone may ask the real driver's client object (ctrl0000system.h, ctrl0000gpu.h): it says
/// the same each time, working board or not.
fn of_real() -> Vec<Question> {
    let ask = |name, cmd, size| Question { name, cmd, params: vec![0; size] };
    vec![
        ask("SYSTEM_GET_FEATURES", 0x1f0, 4),
        ask("SYSTEM_GET_CPU_INFO", 0x102, 104),
        ask("SYSTEM_GET_PRIVILEGED_STATUS", 0x135, 1),
        ask("GPU_GET_ATTACHED_IDS", 0x201, 128),
        ask("GPU_GET_PROBED_IDS", 0x214, 256),
        ask("an unknown command", 0xdead, 16),
        ask("attached IDs of a wrong size", 0x201, 64),
    ]
}

/// The questions that a program's argument names: a branch, `announce/BRANCH`, `odd/SIZE`, `two`, `cost`
/// or `real`.
pub fn set(name: &str) -> Result<Vec<Question>> {
    match name.split_once('/') {
        Some(("odd", size)) => Ok(of_odd_size(size.parse().context("no size")?)),
        Some(("announce", branch)) => of_announcement(branch),
        _ if name == "real" => Ok(of_real()),
        _ if name == "two" => of_two_vgpus(),
        _ if name == "cost" => of_cost(),
        _ => of_daemon(name),
    }
}

/// A connection that the questions of `set` can be asked over.
pub fn connect(set: &str) -> Result<Connection> {
    if set == "real" { Connection::with_client() } else { Connection::open() }
}
