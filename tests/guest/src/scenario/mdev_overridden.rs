// SPDX-License-Identifier: GPL-2.0
//! What sysfs and mdevctl show of overridden and hidden types. Each check leaves the driver and both
//! modules loaded, the board's types registered, no vGPU and no override.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::{
    mdev::{
        KIND, OTHER_KIND, equal_types, load_drivers, shown, unload_drivers, with_created,
        with_vgpus,
    },
    rm_control::set_module,
    steps::{MODULE, attached, hears, hears_times, soon},
};
use crate::{
    kernel::{self, Log},
    mdev::{Parent, Types, trimmed},
    report::{Report, equal},
    rm::run,
};

const OVERRIDES: &str = "nvidia-46:card_name='My vGPU',num_displays=1,display_width=1920,\
                         display_height=1080,frl_config=30,vram=2GiB,max_instances=3";
const HIDDEN: &str = "nvidia-47:hidden=1";

/// What is to be checked of one branch.
struct Checks<'a> {
    parent: &'a Parent<'a>,
    /// Its types without overrides, byte for byte.
    factory: Types,
}

pub fn run(report: &mut Report, parent: &Parent, branch: &str) -> Result<()> {
    if mdev_core_is_known()? {
        overridden(report, parent, branch)
    } else {
        left_alone(report, parent)
    }
}

/// Whether the kernel's mdev core is that of Linux 6.1 and newer, which has files of types written.
pub fn mdev_core_is_known() -> Result<bool> {
    const SYMBOLS: &str = "/proc/kallsyms";
    let text = fs::read_to_string(SYMBOLS).with_context(|| format!("reading {SYMBOLS}"))?;
    Ok(text.contains(" mdev_register_parent\t[mdev]"))
}

/// Where the files of types are the driver's own, they keep its words, and both log and status say so.
fn left_alone(report: &mut Report, parent: &Parent) -> Result<()> {
    const WHY: &str = "before Linux 6.1 they are the driver's own";
    let factory = parent.types()?;
    set_module("overrides", OVERRIDES)?;
    report.check("an overridden type keeps the driver's words, byte for byte", || {
        equal_types(&parent.types()?, &factory)
    });
    set_module("overrides", HIDDEN)?;
    report.check("a hidden type stays", || equal_types(&parent.types()?, &factory));
    set_module("overrides", "")?;
    report.check("the status says why", || {
        let text = crate::status::text()?;
        ensure!(text.contains(WHY), "it does not:\n{text}");
        Ok(())
    });
    let mut log = Log::from_now()?;
    kernel::unload(MODULE)?;
    kernel::load(MODULE)?;
    report.check("the log says so once, however often parameters are set", || {
        soon(attached)?;
        set_module("overrides", OVERRIDES)?;
        set_module("overrides", "")?;
        hears_times(&mut log, &[WHY], 1)
    });
    Ok(())
}

fn overridden(report: &mut Report, parent: &Parent, branch: &str) -> Result<()> {
    let checks = Checks { parent, factory: parent.types()? };
    checks.values(report)?;
    checks.sums_and_limits(report)?;
    checks.put_back(report)?;
    checks.hidden_at_run_time(report)?;
    checks.hidden_with_vgpu(report, branch)?;
    checks.hidden_from_the_start(report, branch)
}

impl Checks<'_> {
    /// The factory's types with other texts for [`KIND`].
    fn with(&self, name: &str, description: &str, available: u32) -> Types {
        let mut types = trimmed(&self.factory);
        if let Some(files) = types.get_mut(KIND) {
            files.name = name.to_owned();
            files.description = description.to_owned();
            files.available = available.to_string();
        }
        types
    }

    fn without(&self, kind: &str) -> Types {
        let mut types = trimmed(&self.factory);
        types.remove(kind);
        types
    }

    /// Fails unless every file of every type is as the driver made it, byte for byte.
    fn is_factory(&self) -> Result<()> {
        equal_types(&self.parent.types()?, &self.factory)
    }

    fn values(&self, report: &mut Report) -> Result<()> {
        const DESCRIPTION: &str = "num_heads=1, frl_config=30, framebuffer=2048M, \
                                   max_resolution=1920x1080, max_instance=3";
        set_module("overrides", OVERRIDES)?;
        let overridden = self.with("My vGPU", DESCRIPTION, 3);
        report.check("an overridden type is shown as such, all others as ever", || {
            shown(self.parent, &overridden)?;
            // Not only the text of the others: each byte.
            let mut now = self.parent.types()?;
            now.insert(KIND.to_owned(), self.factory[KIND].clone());
            equal_types(&now, &self.factory)
        });
        report.check("its available instances count down from the overridden number", || {
            for count in 1..=3 {
                with_created(self.parent, KIND, count, || {
                    shown(self.parent, &with_vgpus(&overridden, KIND, count))
                })
                .with_context(|| format!("with {count}"))?;
            }
            shown(self.parent, &overridden)
        });
        report.check("more vGPUs than the overridden number leave none available", || {
            set_module("overrides", "")?;
            with_created(self.parent, KIND, 5, || {
                set_module("overrides", OVERRIDES)?;
                equal(self.parent.available(KIND)?, 0)
            })
        });
        set_module("overrides", "")
    }

    fn sums_and_limits(&self, report: &mut Report) -> Result<()> {
        report.check("framebuffer and its reservation are shown as their sum", || {
            const DESCRIPTION: &str = "num_heads=4, frl_config=60, framebuffer=1600M, \
                                       max_resolution=5120x2880, max_instance=24";
            set_module("overrides", "nvidia-46:framebuffer=1536MiB,framebuffer_reservation=64MiB")?;
            shown(self.parent, &self.with("GRID P40-1Q", DESCRIPTION, 24))
        });
        report.check("more instances than the driver would create are not shown", || {
            const DESCRIPTION: &str = "num_heads=2, frl_config=60, framebuffer=1024M, \
                                       max_resolution=5120x2880, max_instance=24";
            set_module("overrides", "nvidia-46:max_instances=99,num_displays=2")?;
            let overridden = self.with("GRID P40-1Q", DESCRIPTION, 24);
            shown(self.parent, &overridden)?;
            with_created(self.parent, KIND, 1, || {
                shown(self.parent, &with_vgpus(&overridden, KIND, 1))
            })
        });
        set_module("overrides", "")
    }

    fn put_back(&self, report: &mut Report) -> Result<()> {
        report.check("without overrides all is as before, byte for byte", || self.is_factory());
        set_module("overrides", OVERRIDES)?;
        kernel::unload(MODULE)?;
        report.check("after rmmod all is as before, byte for byte", || self.is_factory());
        kernel::load(MODULE)?;
        report.check("attached again, all hooks placed", || soon(attached));
        report.check("a module that comes after the types shows its overrides, too", || {
            set_module("overrides", OVERRIDES)?;
            equal(trimmed(&self.parent.types()?)[KIND].name.as_str(), "My vGPU")?;
            set_module("overrides", "")?;
            self.is_factory()
        });
        Ok(())
    }

    fn hidden_at_run_time(&self, report: &mut Report) -> Result<()> {
        set_module("overrides", HIDDEN)?;
        report.check("a hidden type is gone, the others are as ever", || {
            soon(|| shown(self.parent, &self.without(OTHER_KIND)))
        });
        set_module("overrides", "")?;
        report.check("it is back when it is not hidden any more, byte for byte", || {
            soon(|| self.is_factory())
        });
        set_module("overrides", HIDDEN)?;
        report.check("it is gone again", || soon(|| shown(self.parent, &self.without(OTHER_KIND))));
        kernel::unload(MODULE)?;
        report.check("it is back after rmmod, byte for byte", || soon(|| self.is_factory()));
        kernel::load(MODULE)?;
        report.check("attached again, all hooks placed", || soon(attached));
        Ok(())
    }

    /// Types can't be registered anew under a vGPU.
    fn hidden_with_vgpu(&self, report: &mut Report, branch: &str) -> Result<()> {
        report.check("with a vGPU on the board a type stays, and the log says so", || {
            with_created(self.parent, KIND, 1, || {
                let mut log = Log::from_now()?;
                set_module("overrides", HIDDEN)?;
                hears(&mut log, "hidden")?;
                let present = with_vgpus(&trimmed(&self.factory), KIND, 1);
                shown(self.parent, &present)
            })
        });
        report.check("it is gone when the driver registers its types the next time", || {
            unload_drivers()?;
            load_drivers(branch)?;
            soon(attached)?;
            run::register(branch)?;
            soon(|| shown(self.parent, &self.without(OTHER_KIND)))
        });
        set_module("overrides", "")?;
        report.check("and back when it is not hidden any more", || soon(|| self.is_factory()));
        Ok(())
    }

    fn hidden_from_the_start(&self, report: &mut Report, branch: &str) -> Result<()> {
        unload_drivers()?;
        set_module("overrides", HIDDEN)?;
        load_drivers(branch)?;
        report.check("attached to the driver that came back", || soon(attached));
        report.check("nvidia-vgpud tells the driver the hidden type, too", || {
            equal(run::register(branch)?.types.len(), self.factory.len())
        });
        report.check("a type that is hidden from the start never comes", || {
            shown(self.parent, &self.without(OTHER_KIND))
        });
        set_module("overrides", "")?;
        report.check("it comes when it is not hidden any more, byte for byte", || {
            soon(|| self.is_factory())
        });
        Ok(())
    }
}
