// SPDX-License-Identifier: GPL-2.0
//! One call, by either of its two ways.

use std::{
    ffi::{c_int, c_ulong},
    fs::File,
    io,
    os::fd::AsRawFd,
};

use anyhow::{Context, Result, ensure};
use rustix::ioctl::opcode;

const DEVICE: &str = "/dev/nvidiactl";

const ESC_RM_CONTROL: u32 = 0x2a;
const ESC_RM_ALLOC: u32 = 0x2b;
const ESC_XFER: u32 = 211;
/// The class of a client.
const NV01_ROOT: u32 = 0;

/// NVOS54.
#[repr(C)]
struct Control {
    client: u32,
    object: u32,
    cmd: u32,
    flags: u32,
    params: u64,
    params_size: u32,
    status: u32,
}

/// NVOS21.
#[repr(C)]
struct Alloc {
    root: u32,
    parent: u32,
    new: u32,
    class: u32,
    params: u64,
    params_size: u32,
    status: u32,
}

#[repr(C)]
struct Transfer {
    cmd: u32,
    size: u32,
    pointer: u64,
}

const CONTROL: u32 = opcode::read_write::<Control>(b'F', ESC_RM_CONTROL as u8);
const ALLOC: u32 = opcode::read_write::<Alloc>(b'F', ESC_RM_ALLOC as u8);
const TRANSFER: u32 = opcode::read_write::<Transfer>(b'F', ESC_XFER as u8);

unsafe extern "C" {
    /// libc's, as NVIDIA's daemons have it: what is preloaded into them stands in its way. rustix would go past it.
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
}

/// # Safety
/// `argument` is what the driver reads and writes for `request`, and so is what it points to.
unsafe fn call<T>(device: &File, request: u32, argument: &mut T) -> io::Result<()> {
    let argument = std::ptr::from_mut(argument);
    // SAFETY: The caller says so.
    match unsafe { ioctl(device.as_raw_fd(), c_ulong::from(request), argument) } {
        ..0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// The way that a call takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Direct,
    Transfer,
}

impl Route {
    pub const ALL: [Route; 2] = [Route::Direct, Route::Transfer];
}

/// An open control device.
pub struct Connection {
    device: File,
    client: u32,
}

impl Connection {
    /// For the stand-in, which does not ask who is asking.
    pub fn open() -> Result<Self> {
        let device = File::options().read(true).write(true).open(DEVICE);
        Ok(Self { device: device.with_context(|| format!("opening {DEVICE}"))?, client: 0 })
    }

    /// With a client, as the real driver wants it.
    pub fn with_client() -> Result<Self> {
        let mut connection = Self::open()?;
        let mut alloc = Alloc {
            root: 0,
            parent: 0,
            new: 0,
            class: NV01_ROOT,
            params: 0,
            params_size: 0,
            status: !0,
        };
        // SAFETY: NVOS21 is what the driver reads and writes for this escape, and it points nowhere.
        unsafe { call(&connection.device, ALLOC, &mut alloc) }.context("asking for a client")?;
        ensure!(alloc.status == 0, "asking for a client: status {:#x}", alloc.status);
        connection.client = alloc.new;
        Ok(connection)
    }

    /// Asks; the answer is in `params`. Returns its status.
    pub fn ask(&self, route: Route, cmd: u32, params: &mut [u8]) -> Result<u32> {
        let mut control = Control {
            client: self.client,
            object: self.client,
            cmd,
            flags: 0,
            params: params.as_mut_ptr() as u64,
            params_size: u32::try_from(params.len()).context("too many parameters")?,
            status: !0,
        };
        match route {
            Route::Direct => {
                // SAFETY: NVOS54 is what the driver reads and writes for this escape; it points to
                // `params`, which are ours to change.
                unsafe { call(&self.device, CONTROL, &mut control) }
            }
            Route::Transfer => {
                let mut transfer = Transfer {
                    cmd: ESC_RM_CONTROL,
                    size: size_of::<Control>() as u32,
                    pointer: (&raw mut control) as u64,
                };
                // SAFETY: As above, one more pointer away.
                unsafe { call(&self.device, TRANSFER, &mut transfer) }
            }
        }
        .with_context(|| format!("command {cmd:#x}, {route:?}"))?;
        Ok(control.status)
    }
}
