// SPDX-License-Identifier: GPL-2.0
//! Booting a kernel with an emulated GPU and finding out what a scenario has to say.
//!
//! Several things can go wrong, and each is reported as what it is: the guest never spoke (boot),
//! it could not get to its checks (set-up), a check does not hold, time ran out, or the kernel
//! complained although the scenario had not announced it.

mod console;
mod daemons;
mod emulated_gpu;
mod initramfs;
mod libvirt;
mod modules;
mod outcome;
mod preloaded;
mod programs;
mod protocol;
mod qemu;
mod scenario;
mod standin;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

pub use emulated_gpu::{BoardOptions, in_words as boards_in_words};
pub use outcome::Outcome;
pub use protocol::Line;
pub use scenario::{DEMO, Expect, SCENARIOS, STABLE, Scenario, all, find};
pub use standin::{PEOPLES, stage};

use crate::{
    dirs,
    kernel::{self, Prepared, Target},
    paths, sh,
};
use emulated_gpu::{EmulatedGpu, Model};
use initramfs::Initramfs;

/// How much longer a scenario may take on a busy host than on a quiet one, with room: the limit ends what hangs.
const BUSY: u32 = 3;

/// How often a machine is started whose kernel hangs before init. Nothing of ours has run by then.
const TRIES: u32 = 3;

/// Boots `target` and runs `scenario` on it. `watch` gets to see every line of the guest's as it
/// comes.
///
/// # Errors
/// The machine cannot be built: a module does not compile, a file is missing. What happens once it
/// runs is in the outcome.
pub fn run(
    target: &'static Target,
    scenario: &Scenario,
    board: &BoardOptions,
    watch: &mut dyn FnMut(&protocol::Line),
) -> Result<Outcome> {
    run_on(&kernel::prepare(target)?, scenario, board, watch)
}

/// As [`run`], with whatever compilers the kernel is prepared for.
///
/// # Errors
/// As [`run`].
pub fn run_on(
    kernel: &Prepared,
    scenario: &Scenario,
    board: &BoardOptions,
    watch: &mut dyn FnMut(&protocol::Line),
) -> Result<Outcome> {
    let target = kernel.target;
    let dir = directory(target, scenario)?;
    let initramfs = dir.join("initramfs");
    build(kernel, scenario)?
        .write(&initramfs)
        .with_context(|| format!("making {}", initramfs.display()))?;

    let machine = |gpus: &[EmulatedGpu]| qemu::Machine {
        vmlinuz: &kernel.vmlinuz,
        initramfs: &initramfs,
        gpu_sockets: sockets(gpus),
        console: dir.join("console.log"),
        arguments: scenario.kernel_arguments(),
        iommu: scenario.iommu,
        counted: scenario.counted,
        timeout: scenario.timeout * kernel.target.patience * BUSY,
        patience: kernel.target.patience,
    };
    power_on(target.name, &dir, (scenario.boards, board), &machine, watch)
}

/// A system that was packed whole, with an init of its own.
pub struct System<'a> {
    /// What people call it.
    pub name: &'a str,
    /// Has its `system.cpio` and `vmlinuz`; the kernel's log goes there.
    pub dir: &'a Path,
    /// The kernel's command line.
    pub arguments: &'a str,
    /// From power-on to power-off.
    pub timeout: Duration,
}

impl System<'_> {
    /// Boots it, with the emulated GPU and an IOMMU.
    ///
    /// # Errors
    /// As [`run`].
    pub fn boot(&self, watch: &mut dyn FnMut(&protocol::Line)) -> Result<Outcome> {
        let (vmlinuz, initramfs) = (self.dir.join("vmlinuz"), self.dir.join("system.cpio"));
        let machine = |gpus: &[EmulatedGpu]| qemu::Machine {
            vmlinuz: &vmlinuz,
            initramfs: &initramfs,
            gpu_sockets: sockets(gpus),
            console: self.dir.join("console.log"),
            arguments: self.arguments.to_owned(),
            iommu: true,
            counted: false,
            timeout: self.timeout,
            // systemd starts a good deal before it starts what speaks.
            patience: 3,
        };
        let boards = (scenario::ONE_BOARD, &BoardOptions::default());
        power_on(self.name, self.dir, boards, &machine, watch)
    }
}

/// Starts a machine, once more where its kernel hangs before init, and judges what came of it.
fn power_on<'a>(
    name: &str,
    dir: &Path,
    boards: (&[Model], &BoardOptions),
    machine: &dyn Fn(&[EmulatedGpu]) -> qemu::Machine<'a>,
    watch: &mut dyn FnMut(&protocol::Line),
) -> Result<Outcome> {
    let mut tries = 0;
    let (end, took) = loop {
        tries += 1;
        let gpus = start(dir, boards)?;
        let started = Instant::now();
        let end = machine(&gpus).run(watch)?;
        if !end.hung_in_boot() || tries == TRIES {
            break (end, started.elapsed());
        }
        eprintln!("... {name} hung while it booted, try {} of {TRIES}", tries + 1);
    };
    Ok(outcome::judge(end, took))
}

/// A machine's boards, of which the options say what the first one is instead.
fn start(dir: &Path, (models, first): (&[Model], &BoardOptions)) -> Result<Vec<EmulatedGpu>> {
    let others = BoardOptions::default();
    let start = |(index, model)| {
        let options = if index == 0 { first } else { &others };
        EmulatedGpu::start(dir, index, model, options)
    };
    models.iter().enumerate().map(start).collect()
}

fn sockets(gpus: &[EmulatedGpu]) -> Vec<PathBuf> {
    gpus.iter().map(|gpu| gpu.socket().to_owned()).collect()
}

/// The guest's files: init, what it loads, and what that depends on.
fn build(kernel: &Prepared, scenario: &Scenario) -> Result<Initramfs> {
    let mut image = Initramfs::new();
    image.add("init", &sh::cargo_build_static("guest")?)?;

    let mut ours = vec![];
    for helper in std::iter::once(&"probe").chain(scenario.helpers) {
        let source = paths::repo().join("tests/modules").join(helper);
        for module in kernel::build::c_modules(kernel, &source)? {
            ours.push((String::new(), module));
        }
    }
    if scenario.unlock {
        ours.push((String::new(), kernel::build::module(kernel)?));
    }
    if let Some(version) = scenario.real_driver {
        ours.push((String::new(), crate::driver::build(kernel, version)?));
    }
    for variant in scenario.standins {
        for module in standin::build(kernel, variant)? {
            ours.push((format!("standin-{}/", variant.name), module));
        }
    }
    let files: Vec<PathBuf> = ours.iter().map(|(_, module)| module.clone()).collect();
    for (dir, module) in &ours {
        image.add(&format!("modules/{dir}{}", modules::file_name(module)?), module)?;
    }
    let mut order = String::new();
    for dependency in modules::dependencies(kernel, &files, scenario.kernels_modules)? {
        let name = modules::name(&dependency)?;
        image.add_bytes(&format!("modules/{name}.ko"), modules::decompressed(&dependency)?);
        order.push_str(&format!("{name}\n"));
    }
    image.add_bytes("modules/order", order.into_bytes());
    if scenario.daemons {
        for (path, program) in daemons::build()? {
            image.add(&path, &program)?;
        }
    }
    for program in scenario.programs {
        programs::add(&mut image, Path::new(program))?;
    }
    if scenario.libvirt {
        libvirt::add(&mut image)?;
    }
    if scenario.preloaded {
        preloaded::add(&mut image)?;
    }
    Ok(image)
}

/// Where a run leaves its console; what another run left there is gone.
fn directory(target: &Target, scenario: &Scenario) -> Result<PathBuf> {
    let dir = paths::cache().join("vm").join(format!("{}-{}", target.name, scenario.name));
    dirs::empty(&dir)?;
    Ok(dir)
}
