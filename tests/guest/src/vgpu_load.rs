// SPDX-License-Identifier: GPL-2.0
//! Threads that read types' files, and that create and remove vGPUs, while others do something else.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::sleep,
    time::Duration,
};

use anyhow::{Result, ensure};

use crate::mdev::{self, Files, Parent, Types};

/// What there is to read of a type.
const FILES: [&str; 3] = ["name", "description", "available_instances"];

/// The kernel's error numbers.
pub const ENOENT: i32 = 2;
pub const EAGAIN: i32 = 11;
pub const ENODEV: i32 = 19;
pub const EUSERS: i32 = 87;
/// What reading a file says that goes or is gone; and creating a vGPU, which may be refused besides.
const GONE: [i32; 2] = [ENOENT, ENODEV];
const REFUSED: [i32; 4] = [ENOENT, ENODEV, EAGAIN, EUSERS];

fn text_of<'a>(files: &'a Files, file: &str) -> &'a str {
    match file {
        "name" => &files.name,
        "description" => &files.description,
        _ => &files.available,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poison| poison.into_inner())
}

/// Notes of what was wrong; the first ones are kept.
#[derive(Default)]
struct Wrong(Mutex<(usize, Vec<String>)>);

impl Wrong {
    fn note(&self, what: String) {
        let mut wrong = lock(&self.0);
        wrong.0 += 1;
        if wrong.1.len() < 3 {
            wrong.1.push(what);
        }
    }

    /// Fails where there was something.
    fn none(&self) -> Result<()> {
        let wrong = lock(&self.0);
        ensure!(wrong.0 == 0, "{} times: {}", wrong.0, wrong.1.join("; "));
        Ok(())
    }
}

/// What a file may say, and how often it did.
type Answers = Vec<(String, AtomicUsize)>;

/// Threads that read, of which each answer must be one of a few.
pub struct Readers {
    kinds: Vec<String>,
    allowed: HashMap<(String, &'static str), Answers>,
    /// Whether types may be gone for a moment.
    may_be_gone: bool,
    stop: AtomicBool,
    gone: AtomicUsize,
    wrong: Wrong,
}

impl Readers {
    /// Allows what files say in each of `pictures`.
    pub fn new(pictures: &[&Types], may_be_gone: bool) -> Self {
        let mut allowed = HashMap::<_, Answers>::new();
        let mut kinds = vec![];
        for (kind, files) in pictures.iter().flat_map(|types| types.iter()) {
            if !kinds.contains(kind) {
                kinds.push(kind.clone());
            }
            for file in FILES {
                let answers = allowed.entry((kind.clone(), file)).or_default();
                let text = text_of(files, file);
                if !answers.iter().any(|(known, _)| known == text) {
                    answers.push((text.to_owned(), AtomicUsize::new(0)));
                }
            }
        }
        let (stop, gone) = (AtomicBool::new(false), AtomicUsize::new(0));
        Self { kinds, allowed, may_be_gone, stop, gone, wrong: Wrong::default() }
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// What the thread `number` does until [`Readers::stop`].
    pub fn read(&self, parent: &Parent, number: usize) {
        // Not all threads at the same file.
        let start = number * 7;
        for i in start.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let kind = &self.kinds[i / FILES.len() % self.kinds.len()];
            let file = FILES[i % FILES.len()];
            if i % 50 == 0 {
                // Modules are loaded and unloaded by the same two processors.
                sleep(Duration::from_millis(5));
            }
            let Some(answers) = self.allowed.get(&(kind.clone(), file)) else { continue };
            match parent.file(kind, file) {
                Ok(text) => match answers.iter().find(|(known, _)| *known == text) {
                    Some((_, count)) => drop(count.fetch_add(1, Ordering::Relaxed)),
                    None => self.wrong.note(format!("{kind}/{file} says {text:?}")),
                },
                Err(error) => {
                    let gone = mdev::number(&error).is_some_and(|errno| GONE.contains(&errno));
                    if gone && self.may_be_gone {
                        self.gone.fetch_add(1, Ordering::Relaxed);
                        sleep(Duration::from_millis(1));
                    } else {
                        self.wrong.note(format!("{error:#}"));
                    }
                }
            }
        }
    }

    /// Fails where an answer was none of those that are allowed.
    pub fn all_allowed(&self) -> Result<()> {
        self.wrong.none()
    }

    /// Fails where one that is allowed never came.
    pub fn all_seen(&self) -> Result<()> {
        let unseen = self.allowed.iter().filter(|(_, answers)| {
            answers.iter().any(|(_, count)| count.load(Ordering::Relaxed) == 0)
        });
        let unseen: Vec<_> = unseen.map(|((kind, file), _)| format!("{kind}/{file}")).collect();
        ensure!(unseen.is_empty(), "not all of {unseen:?}");
        Ok(())
    }

    /// How many answers came, and how often a file was gone.
    pub fn count(&self) -> (usize, usize) {
        let all = self.allowed.values().flatten();
        let answers = all.map(|(_, count)| count.load(Ordering::Relaxed)).sum();
        (answers, self.gone.load(Ordering::Relaxed))
    }
}

/// Threads that create a vGPU, look whether it stays, and remove it.
#[derive(Default)]
pub struct Creators {
    /// Milliseconds that a thread sleeps at most between two vGPUs.
    rest: u32,
    stop: AtomicBool,
    created: AtomicUsize,
    /// How many there are, and were at most.
    present: AtomicUsize,
    most: AtomicUsize,
    refused: Mutex<BTreeMap<i32, usize>>,
    wrong: Wrong,
}

impl Creators {
    pub fn resting(rest: u32) -> Self {
        Self { rest, ..Self::default() }
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// What the thread `thread` does until [`Creators::stop`].
    pub fn create(&self, parent: &Parent, kind: &str, thread: u32) {
        for number in 0u32.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let uuid = format!("{number:08x}-0000-0000-{thread:04x}-0000000000bb");
            match parent.create(kind, &uuid) {
                Ok(()) => self.created(&uuid),
                Err(error) => match mdev::number(&error) {
                    Some(errno) if REFUSED.contains(&errno) => {
                        *lock(&self.refused).entry(errno).or_default() += 1;
                    }
                    _ => self.wrong.note(format!("{error:#}")),
                },
            }
            // Sometimes there is none for a while, so that types can be registered anew.
            sleep(Duration::from_millis(u64::from((number * 7 + thread * 13) % self.rest)));
        }
    }

    fn created(&self, uuid: &str) {
        self.created.fetch_add(1, Ordering::Relaxed);
        let present = self.present.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(present, Ordering::SeqCst);
        for moment in 0..4 {
            if !mdev::exists(uuid) {
                self.wrong.note(format!("{uuid} was created and is gone ({moment})"));
            }
            sleep(Duration::from_millis(3));
        }
        self.present.fetch_sub(1, Ordering::SeqCst);
        if let Err(error) = mdev::remove(uuid) {
            self.wrong.note(format!("{error:#}"));
        }
    }

    /// Fails where a vGPU went by itself, could not be removed, or was refused in a way that is not
    /// meant to be.
    pub fn none_lost(&self) -> Result<()> {
        self.wrong.none()
    }

    /// How many were created, and how many there were at most at the same time.
    pub fn count(&self) -> (usize, usize) {
        (self.created.load(Ordering::Relaxed), self.most.load(Ordering::SeqCst))
    }

    /// How often which error was said, by its number.
    pub fn refused(&self) -> BTreeMap<i32, usize> {
        lock(&self.refused).clone()
    }
}
