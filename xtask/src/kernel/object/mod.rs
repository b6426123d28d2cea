// SPDX-License-Identifier: GPL-2.0
//! What can be seen of a built module without loading it: that its code is as the kernel's configuration
//! wants it, whichever compiler made it, and that it has none of what a kernel cannot take.

mod branches;
mod config;
mod elf;
mod hooked;
mod imports;
mod landing;
mod loader;
#[cfg(test)]
mod made;
mod padding;
mod panics;
mod registers;
mod stack;
mod uses;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use super::{Prepared, build, upstream};
use crate::check::Check;
use config::Config;
use elf::Object;

/// Something that holds for every object that this kernel loads.
struct Rule {
    /// What holds.
    says: &'static str,
    /// Whether the kernel wants it.
    wanted: fn(&Config) -> bool,
    /// In what.
    of: Of,
    /// What is not so.
    broken: fn(&Object, &Config) -> Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// The module as a whole.
    Module,
    /// What C has made of the shim.
    Shim,
}

/// How many complaints of a kind are worth reading.
const SHOWN: usize = 4;

const RULES: &[Rule] = &[
    Rule {
        says: "no register of SSE, AVX or the x87",
        wanted: |_| true,
        of: Of::Module,
        broken: |object, _| registers::foreign(object),
    },
    Rule {
        says: "nothing below the stack pointer",
        wanted: |_| true,
        of: Of::Module,
        broken: |object, _| stack::red_zone(object),
    },
    Rule {
        says: "returns by the thunk",
        wanted: |config| config.has(&["MITIGATION_RETHUNK", "RETHUNK"]),
        of: Of::Module,
        broken: |object, _| branches::bare_returns(object),
    },
    Rule {
        says: "calls and jumps through pointers by the thunk",
        wanted: |config| config.has(&["MITIGATION_RETPOLINE", "RETPOLINE"]),
        of: Of::Module,
        broken: |object, _| branches::bare_pointers(object),
    },
    Rule {
        says: "returns and jumps end in an INT3",
        wanted: |config| config.has(&["MITIGATION_SLS", "SLS"]),
        of: Of::Module,
        broken: |object, _| branches::open_ends(object),
    },
    Rule {
        says: "an ENDBR where an address is taken",
        wanted: |config| config.has(&["X86_KERNEL_IBT"]),
        of: Of::Module,
        broken: |object, _| landing::missing(object),
    },
    Rule {
        // Rust's pointers are those of its own tables, which are seen to above. C's would be the driver's.
        says: "C calls nothing through a pointer",
        wanted: |_| true,
        of: Of::Shim,
        broken: |object, _| branches::pointers(object),
    },
    Rule {
        says: "room in front of functions",
        wanted: |config| config.has(&["CALL_PADDING"]),
        of: Of::Module,
        broken: |object, config| padding::missing(object, config.number("FUNCTION_PADDING_BYTES")),
    },
    Rule {
        says: "a frame pointer where others are called",
        wanted: |config| config.has(&["UNWINDER_FRAME_POINTER", "FRAME_POINTER"]),
        of: Of::Module,
        broken: |object, _| stack::frameless(object),
    },
    Rule {
        says: "the unwinder knows the code",
        wanted: |config| config.has(&["UNWINDER_ORC"]),
        of: Of::Module,
        broken: |object, _| stack::unknown_to_orc(object),
    },
    Rule {
        says: "relocations that the loader knows",
        wanted: |_| true,
        of: Of::Module,
        broken: |object, _| loader::unknown_relocations(object),
    },
    Rule {
        says: "names that the kernel does not cut off",
        wanted: |_| true,
        of: Of::Module,
        broken: |object, config| loader::long_names(object, config.name_limit),
    },
    Rule {
        says: "no panic",
        wanted: |_| true,
        of: Of::Module,
        broken: |object, _| [panics::named(object), panics::traps(object)].concat(),
    },
    Rule {
        says: "functions with hooks can be hooked, and the stub is a jump",
        wanted: |_| true,
        of: Of::Module,
        broken: |object, _| hooked::wrong(object),
    },
];

/// Builds the module for `kernel` and looks at it.
///
/// # Errors
/// It cannot be built without a warning, or an object or the kernel's configuration cannot be read.
pub fn checks(kernel: &Prepared) -> Result<Vec<Check>> {
    let module = build::module(kernel)?;
    let config = Config::read(kernel)?;
    let whole = [Object::read(&module)?];
    let shim = c_objects(&module.with_file_name("shim"))?;
    let shim = shim.iter().map(|path| Object::read(path)).collect::<Result<Vec<_>>>()?;
    let name = |says: &str| format!("module for {}: {says}", kernel.target.name);
    let wanted = RULES.iter().filter(|rule| (rule.wanted)(&config));
    let mut checks: Vec<Check> = wanted
        .map(|rule| Check {
            name: name(rule.says),
            result: judged(rule, if rule.of == Of::Module { &whole } else { &shim }, &config),
        })
        .collect();
    checks.push(Check {
        name: name("the stubs may end in a jump, whatever the kernel's flags"),
        result: STUBS.iter().try_for_each(|stub| {
            let path = module.with_file_name("shim").join(format!(".{stub}.o.cmd"));
            let command =
                fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            ensure!(allows_tail_calls(&command), "{}: it may not", path.display());
            Ok(())
        }),
    });
    let [whole] = &whole;
    checks.push(match series(&kernel.release).and_then(|series| upstream::exports(&series)) {
        Ok(exports) => Check {
            name: name(&format!("{} exports all {} imports", exports.from(), whole.imports.len())),
            result: complaint(&imports::missing(whole, &exports)),
        },
        Err(error) => Check { name: name("upstream exports all imports"), result: Err(error) },
    });
    Ok(checks)
}

/// The shim's files with functions that have to end in a jump. A kernel with frame pointers forbids it everywhere.
const STUBS: [&str; 2] = ["calls", "rest"];

/// Whether the last word of a compiler's options about that allows it.
fn allows_tail_calls(command: &str) -> bool {
    let options = command.split_whitespace().rev();
    let mut words = options.filter(|word| word.ends_with("optimize-sibling-calls"));
    words.next() == Some("-foptimize-sibling-calls")
}

/// 6.12 of 6.12.118+deb13-amd64
fn series(release: &str) -> Result<String> {
    let mut numbers = release.split('.');
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => Ok(format!("{major}.{minor}")),
        _ => bail!("{release} is no kernel's release"),
    }
}

fn c_objects(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut objects = vec![];
    for entry in fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "o") {
            objects.push(path);
        }
    }
    if objects.is_empty() {
        bail!("{} has no object", dir.display());
    }
    objects.sort();
    Ok(objects)
}

fn judged(rule: &Rule, objects: &[Object], config: &Config) -> Result<()> {
    let complaints: Vec<String> =
        objects.iter().flat_map(|object| (rule.broken)(object, config)).collect();
    complaint(&complaints)
}

fn complaint(complaints: &[String]) -> Result<()> {
    if complaints.is_empty() {
        return Ok(());
    }
    let shown = complaints.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match complaints.len().saturating_sub(SHOWN) {
        0 => bail!("{shown}"),
        more => bail!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use made::{
        Made,
        Piece::{Bytes, Call},
    };

    #[test]
    fn a_rule_applies_where_the_kernel_wants_it() {
        let names = |config: &str| -> Vec<&str> {
            let config = Config::of(config);
            RULES.iter().filter(|rule| (rule.wanted)(&config)).map(|rule| rule.says).collect()
        };
        let always = names("");
        for (option, says) in [
            ("CONFIG_MITIGATION_RETHUNK=y", "returns by the thunk"),
            ("CONFIG_RETHUNK=y", "returns by the thunk"),
            ("CONFIG_RETPOLINE=y", "calls and jumps through pointers by the thunk"),
            ("CONFIG_SLS=y", "returns and jumps end in an INT3"),
            ("CONFIG_X86_KERNEL_IBT=y", "an ENDBR where an address is taken"),
            ("CONFIG_CALL_PADDING=y", "room in front of functions"),
            ("CONFIG_FRAME_POINTER=y", "a frame pointer where others are called"),
            ("CONFIG_UNWINDER_ORC=y", "the unwinder knows the code"),
        ] {
            assert!(!always.contains(&says), "{says}");
            let more = names(option);
            let new: Vec<_> = more.iter().filter(|name| !always.contains(name)).collect();
            assert_eq!(new, [&says], "{option}");
        }
    }

    #[test]
    fn complaints_are_counted_and_not_all_shown() {
        let rule = RULES.iter().find(|rule| rule.says == "returns by the thunk").unwrap();
        let fine = Made::of(&[("f", &[Call("g")])]).done();
        let returns = Made::of(&[("f", &[Bytes(&[0xc3; 6])])]).done();
        let said = |objects: &[Object]| judged(rule, objects, &Config::default());
        assert!(said(&[fine]).is_ok());
        assert_eq!(
            said(&[returns]).unwrap_err().to_string(),
            "f: Retnq, f+0x1: Retnq, f+0x2: Retnq, f+0x3: Retnq and 2 more"
        );
    }

    #[test]
    fn the_last_word_about_tail_calls_counts() {
        let [yes, no] = ["-foptimize-sibling-calls", "-fno-optimize-sibling-calls"];
        assert!(allows_tail_calls(&format!("gcc {no} -O2 {yes} -c")));
        assert!(!allows_tail_calls(&format!("gcc {yes} -O2 {no} -c")));
        assert!(!allows_tail_calls("gcc -O2 -c"));
    }

    #[test]
    fn a_release_is_of_a_series() {
        assert_eq!(series("6.12.118+deb13-amd64").unwrap(), "6.12");
        assert_eq!(series("5.10.0-46-amd64").unwrap(), "5.10");
        assert_eq!(series("6.12.118-4-pve").unwrap(), "6.12");
        assert!(series("linux").is_err());
    }
}
