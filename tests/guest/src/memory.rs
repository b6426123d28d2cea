// SPDX-License-Identifier: GPL-2.0
//! What the kernel has in use: memory of its own, and references to modules. Two looks tell what was not given back.

use std::{collections::BTreeMap, fs, path::Path, thread::sleep, time::Duration};

use anyhow::{Context, Result, ensure};

use crate::kernel;

const OBJECTS: &str = "/proc/slabinfo";

/// How often each of something is there, by its name.
type Counts = BTreeMap<String, i64>;

pub struct Memory {
    /// Objects of each of the allocator's caches.
    objects: Counts,
    /// Areas of vmalloc's, by who asked for them.
    areas: Counts,
    /// References to each module.
    modules: Counts,
    /// Kilobytes that each processor has its own copy of.
    percpu: i64,
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {path}"))
}

/// The word at `name` and that at `number` of each line that has both.
fn counts(path: &str, name: usize, number: usize) -> Result<Counts> {
    let text = read(path)?;
    let count = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        Some(((*words.get(name)?).to_owned(), words.get(number)?.parse().ok()?))
    };
    Ok(text.lines().filter_map(count).collect())
}

/// Of each cache, but for those in which the kernel's search for leaks keeps what it knows of the others.
fn objects() -> Result<Counts> {
    let mut objects = counts(OBJECTS, 0, 1)?;
    objects.retain(|name, _| !name.starts_with("kmemleak_"));
    Ok(objects)
}

/// By who asked for them. The stacks of tasks are kept for later ones: how many there are says nothing.
fn areas() -> Result<Counts> {
    let mut areas = Counts::new();
    for line in read("/proc/vmallocinfo")?.lines() {
        let caller = line.split_whitespace().nth(2).unwrap_or("nobody");
        let caller = caller.split('+').next().unwrap_or(caller);
        if !["dup_task_struct", "copy_process"].iter().any(|stacks| caller.contains(stacks)) {
            *areas.entry(caller.to_owned()).or_default() += 1;
        }
    }
    Ok(areas)
}

/// Has the kernel give back what it only keeps in case it is wanted again.
fn settle() -> Result<()> {
    for cache in fs::read_dir("/sys/kernel/slab").into_iter().flatten() {
        // Some have no such file; what they keep shows as noise.
        let _ = fs::write(cache?.path().join("shrink"), "1");
    }
    // Those files' names are kept, too: this comes after.
    kernel::write("/proc/sys/vm/drop_caches", "3")?;
    // What waits for all processors to have passed by, and work.
    sleep(Duration::from_millis(1500));
    Ok(())
}

/// How often one has to look. The allocator says of a slab that a processor has for itself that all of it is in use,
/// so that each look shows some hundreds too many of something, and of something else the next time. What was not
/// given back is there each time.
const LOOKS: usize = 8;

/// What both have of each.
fn least(one: &Counts, other: &Counts) -> Counts {
    let both = |(name, count): (&String, &i64)| Some((name.clone(), *count.min(other.get(name)?)));
    one.iter().filter_map(both).collect()
}

impl Memory {
    /// Looks when all is quiet, and takes the least of what it sees; `None` where the kernel does not say what its
    /// allocator has in use.
    pub fn settled() -> Result<Option<Self>> {
        if !Path::new(OBJECTS).exists() {
            return Ok(None);
        }
        let mut least = Self::look()?;
        for _ in 1..LOOKS {
            least = Self::look()?.at_most(&least);
        }
        Ok(Some(least))
    }

    /// References are no matter of chance.
    fn at_most(self, other: &Self) -> Self {
        Self {
            objects: least(&self.objects, &other.objects),
            areas: least(&self.areas, &other.areas),
            modules: self.modules,
            percpu: self.percpu.min(other.percpu),
        }
    }

    fn look() -> Result<Self> {
        settle()?;
        let percpu = counts("/proc/meminfo", 0, 1)?.get("Percpu:").copied().unwrap_or(0);
        let (objects, modules) = (objects()?, counts("/proc/modules", 0, 2)?);
        Ok(Self { objects, areas: areas()?, modules, percpu })
    }

    /// What there is more of than before, the most first, as a person reads it.
    pub fn more_than(&self, before: &Self) -> String {
        let text = |what, more: Vec<(String, i64)>| {
            let more = more.iter().take(6).map(|(name, count)| format!("{name} +{count}"));
            format!("{what}: {}", more.collect::<Vec<_>>().join(", "))
        };
        let objects = text("objects", growth(&before.objects, &self.objects));
        let areas = text("areas", growth(&before.areas, &self.areas));
        format!("{objects}; {areas}; {} kB more for each processor", self.percpu - before.percpu)
    }

    /// Fails where there are `objects` more in one of the caches, or that many areas more of one kind.
    pub fn fewer_more_than(&self, before: &Self, objects: i64) -> Result<()> {
        let all = [(&before.objects, &self.objects), (&before.areas, &self.areas)];
        for (before, now) in all {
            let grown = growth(before, now);
            let wrong: Vec<_> = grown.iter().filter(|(_, count)| *count >= objects).collect();
            ensure!(wrong.is_empty(), "{objects} or more: {wrong:?}");
        }
        Ok(())
    }

    /// Fails where a processor's own memory has grown by as much.
    pub fn percpu_stays(&self, before: &Self, kilobytes: i64) -> Result<()> {
        let more = self.percpu - before.percpu;
        ensure!(more < kilobytes, "{more} kB more, from {} kB", before.percpu);
        Ok(())
    }

    /// Fails unless each module has as many references as before.
    pub fn same_references(&self, before: &Self) -> Result<()> {
        let (now, before) = (&self.modules, &before.modules);
        ensure!(now == before, "{now:?} instead of {before:?}");
        Ok(())
    }
}

fn growth(before: &Counts, now: &Counts) -> Vec<(String, i64)> {
    let grown = |(name, count): (&String, &i64)| {
        let more = count - before.get(name).copied().unwrap_or(0);
        (more > 0).then(|| (name.clone(), more))
    };
    let mut grown: Vec<_> = now.iter().filter_map(grown).collect();
    grown.sort_by_key(|(_, more)| -more);
    grown
}
