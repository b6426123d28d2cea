// SPDX-License-Identifier: GPL-2.0
//! A daemon whose memory is slow to come: the page with an answer is taken away again while the driver still sleeps,
//! and whoever looks at it then waits until it is brought (userfaultfd).

use std::{
    io::{self, Read, Write},
    os::fd::{AsFd, OwnedFd},
    ptr, thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustix::{
    ioctl::{Updater, ioctl, opcode},
    mm::{Advice, MapFlags, ProtFlags, UserfaultfdFlags, madvise, mmap_anonymous, userfaultfd},
};

use super::{
    answer::{Answer, Answered, Route},
    question::{self, name},
};

const PAGE: usize = 4096;

/// What is printed when somebody waits for the page.
pub const MISSED: &str = "missed";

/// struct uffdio_api.
#[repr(C)]
struct Api {
    api: u64,
    features: u64,
    ioctls: u64,
}

/// struct uffdio_register.
#[repr(C)]
struct Register {
    start: u64,
    len: u64,
    mode: u64,
    ioctls: u64,
}

/// struct uffdio_copy.
#[repr(C)]
struct Copy {
    to: u64,
    from: u64,
    len: u64,
    mode: u64,
    copied: i64,
}

const UFFD_API: u64 = 0xaa;
const API: u32 = opcode::read_write::<Api>(0xaa, 0x3f);
const REGISTER: u32 = opcode::read_write::<Register>(0xaa, 0x00);
const COPY: u32 = opcode::read_write::<Copy>(0xaa, 0x03);
const MODE_MISSING: u64 = 1;
/// struct uffd_msg begins with this where a page is missed.
const EVENT_PAGEFAULT: u8 = 0x12;
const MESSAGE: usize = 32;

/// A page of this process's, which is never given back.
#[derive(Clone, Copy)]
struct Page(*mut u8);

// SAFETY: Nothing but memory, which all threads have.
unsafe impl Send for Page {}

impl Page {
    fn new() -> Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: A new place, which is nobody else's.
        let page = unsafe { mmap_anonymous(ptr::null_mut(), PAGE, access, MapFlags::PRIVATE) };
        Ok(Self(page.context("asking for a page")?.cast()))
    }

    fn read(self) -> Vec<u8> {
        // SAFETY: Mapped for ever. Somebody else may write it now, byte by byte: each is read once.
        (0..PAGE).map(|i| unsafe { self.0.add(i).read_volatile() }).collect()
    }

    /// Its first bytes, for the driver to write.
    fn params(&mut self, len: usize) -> &mut [u8] {
        // SAFETY: As above; this thread looks at them again when the driver has written them.
        unsafe { std::slice::from_raw_parts_mut(self.0, len.min(PAGE)) }
    }
}

/// Who brings a page that somebody else misses.
struct Bringer(OwnedFd);

impl Bringer {
    fn new() -> Result<Self> {
        // SAFETY: It concerns no memory until some is registered.
        let fd = unsafe { userfaultfd(UserfaultfdFlags::CLOEXEC) }.context("userfaultfd")?;
        let mut api = Api { api: UFFD_API, features: 0, ioctls: 0 };
        // SAFETY: It is what the kernel reads and writes for this.
        unsafe { ioctl(fd.as_fd(), Updater::<API, Api>::new(&mut api)) }.context("UFFDIO_API")?;
        Ok(Self(fd))
    }

    /// Takes the page away.
    fn take(&self, page: Page) -> Result<()> {
        let mut range =
            Register { start: page.0 as u64, len: PAGE as u64, mode: MODE_MISSING, ioctls: 0 };
        // SAFETY: It is what the kernel reads and writes for this; the page is ours.
        unsafe { ioctl(self.0.as_fd(), Updater::<REGISTER, Register>::new(&mut range)) }
            .context("UFFDIO_REGISTER")?;
        // SAFETY: Whoever reads it waits for `bring`, which brings what was there.
        unsafe { madvise(page.0.cast(), PAGE, Advice::LinuxDontNeed) }.context("madvise")
    }

    /// Waits until somebody misses it.
    fn missed(&self) -> Result<()> {
        let mut message = [0; MESSAGE];
        let read = rustix::io::read(&self.0, &mut message).context("reading userfaultfd")?;
        ensure!(read == MESSAGE && message[0] == EVENT_PAGEFAULT, "it says {message:?}");
        Ok(())
    }

    fn bring(&self, page: Page, bytes: &[u8]) -> Result<()> {
        let mut copy = Copy {
            to: page.0 as u64,
            from: bytes.as_ptr() as u64,
            len: PAGE as u64,
            mode: 0,
            copied: 0,
        };
        ensure!(bytes.len() == PAGE, "no page");
        // SAFETY: It is what the kernel reads and writes for this; both are pages.
        unsafe { ioctl(self.0.as_fd(), Updater::<COPY, Copy>::new(&mut copy)) }
            .context("UFFDIO_COPY")?;
        Ok(())
    }
}

/// Asks the question that every daemon asks first; says when the page with the answer is missed, brings it when
/// standard input ends, and prints the answer.
pub fn run(set: &str) -> Result<()> {
    let questions = question::of_daemon(set)?;
    let question = questions.into_iter().find(|q| q.name == name::PCI_INFO);
    let question = question.context("a daemon that does not ask for PCI info")?;
    let connection = question::connect(set)?;
    let mut page = Page::new()?;
    let len = question.params.len();
    page.params(len).copy_from_slice(&question.params);
    let unanswered = page.read();
    let bringer = Bringer::new()?;
    let asked = thread::spawn(move || -> Result<Answer> {
        // All of it goes to the thread.
        let mut page = page;
        let status = connection.ask(Route::Direct, question.cmd, page.params(len))?;
        Ok(Answer { status, params: page.params(len).to_vec() })
    });
    while page.read() == unanswered {
        ensure!(!asked.is_finished(), "it was asked, and nothing was answered");
        thread::sleep(Duration::from_millis(1));
    }
    // Some of it is there; then all is.
    thread::sleep(Duration::from_millis(50));
    let answered = page.read();
    bringer.take(page)?;
    bringer.missed()?;
    println!("{MISSED}");
    io::stdout().flush()?;
    // Whatever comes, it is the end of it that counts.
    let _ = io::stdin().read_to_end(&mut vec![]);
    bringer.bring(page, &answered)?;
    let answer = asked.join().ok().context("the thread panicked")??;
    println!("{}", Answered { name: name::PCI_INFO.to_owned(), route: Route::Direct, answer });
    Ok(())
}
