// SPDX-License-Identifier: GPL-2.0
//! The driver's device-ID checks, overridden by kprobes.

use kernel::alloc::flags::GFP_KERNEL;
use kernel::alloc::KVec;

use crate::logic::driver::branch::{Branch, Change, Site};
use crate::logic::signature::Hits;
use crate::logic::status::Reason;

use crate::sys::memory::Section;
use crate::sys::probe::{self, Effect, Probe};

/// Where each site of a branch is, in the order of [`Branch::sites`].
pub struct Found(KVec<(&'static Site, usize)>);

/// Looks for all sites of a branch in the driver's text.
///
/// # Errors
/// One of them is not there, not all of it, or there more than once.
pub fn find(branch: &'static Branch, text: &Section) -> Result<Found, Reason> {
    let mut found = KVec::new();
    for (site, hits) in branch.sites.iter().zip(branch.search(text.bytes())) {
        match hits {
            Hits::One(at) if site.is_whole(text.bytes(), at) => {
                found.push((site, at), GFP_KERNEL).map_err(|_| Reason::NoMemory)?;
            }
            Hits::One(_) => return Err(Reason::Detour(site.name)),
            Hits::None | Hits::Many => return Err(Reason::Site(site.name, hits)),
        }
    }
    Ok(Found(found))
}

/// The checks of one load of the driver: where they are, and what of them is overridden.
pub struct Checks {
    found: Found,
    text: Section,
    overrides: Option<Overrides>,
}

impl Checks {
    /// Those that were found in `text`. Nothing is changed.
    pub fn new(found: Found, text: Section) -> Self {
        Self { found, text, overrides: None }
    }

    /// Overrides every check, unless that was done.
    ///
    /// # Errors
    /// The kernel refused a probe; none is left behind.
    pub fn override_all(&mut self) -> Result<(), Reason> {
        if self.overrides.is_none() {
            self.overrides = Some(Overrides::place(&self.found, &self.text)?);
        }
        Ok(())
    }

    /// Has the driver decide for itself.
    pub fn give_back(&mut self) {
        drop(self.overrides.take());
    }

    /// The overrides in force, in the order they were placed.
    pub fn overrides(&self) -> impl Iterator<Item = &Override> {
        self.overrides.iter().flat_map(|overrides| overrides.0.iter())
    }
}

/// The overrides in force. Dropping it takes them away, the last one first.
struct Overrides(KVec<Override>);

/// One site's probes.
pub struct Override {
    site: &'static Site,
    probes: [Option<Probe>; 2],
}

impl Override {
    /// What the driver asks there.
    pub fn name(&self) -> &'static str {
        self.site.name
    }

    /// How often the driver asked.
    pub fn hits(&self) -> u64 {
        self.probes.iter().flatten().map(Probe::hits).fold(0, u64::saturating_add)
    }

    /// How often it asked and was not overridden.
    pub fn misses(&self) -> u64 {
        self.probes.iter().flatten().map(Probe::misses).fold(0, u64::saturating_add)
    }

    fn place(site: &'static Site, at: usize, text: &Section) -> Result<Self, Reason> {
        let place = |offset: u8, effect| {
            Probe::place(text.address(at.wrapping_add(offset.into())), effect)
                .map_err(|errno| probe::reason(site.name, errno))
        };
        let probes = match site.change {
            Change::Return(value) => [Some(place(0, Effect::Return(value))?), None],
            Change::Store(store) => {
                let effect = Effect::Store {
                    displacement: store.displacement,
                    value: store.value,
                    resume: text.address(at.wrapping_add(store.resume.into())),
                };
                // The store first: with the jump's probe alone it could not be reached, with its
                // own alone the jump still goes around it.
                let stores = match store.stores {
                    Some(stores) => Some(place(stores, effect)?),
                    None => None,
                };
                [stores, Some(place(store.jump, effect)?)]
            }
        };
        Ok(Self { site, probes })
    }
}

impl Overrides {
    /// Overrides every site, or none.
    ///
    /// # Errors
    /// The kernel refused a probe; those placed before are gone again.
    fn place(found: &Found, text: &Section) -> Result<Self, Reason> {
        let mut overrides = Self(KVec::new());
        for &(site, at) in found.0.iter() {
            let placed = Override::place(site, at, text)?;
            overrides.0.push(placed, GFP_KERNEL).map_err(|_| Reason::NoMemory)?;
        }
        Ok(overrides)
    }
}

impl Drop for Overrides {
    fn drop(&mut self) {
        for placed in self.0.iter_mut().rev() {
            for probe in placed.probes.iter_mut().rev() {
                drop(probe.take());
            }
        }
    }
}
