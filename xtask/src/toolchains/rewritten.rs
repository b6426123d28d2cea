// SPDX-License-Identifier: GPL-2.0
//! A kernel's headers, as if clang had built it: no distribution that is tested here has one that was.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{kernel::Prepared, root::Root, sh};

/// What is another answer then: an option, and what it is, if it is set at all. What clang has of its own, a
/// module's build does not ask for.
const ANSWERS: &[(&str, Option<&str>)] = &[
    ("CC_IS_GCC", None),
    ("CC_IS_CLANG", Some("y")),
    ("GCC_VERSION", Some("0")),
    ("LD_IS_BFD", None),
    ("LD_IS_LLD", Some("y")),
    ("LD_VERSION", Some("0")),
    // gcc itself lists the calls to the tracer; after clang, objtool does.
    ("FTRACE_MCOUNT_USE_CC", None),
    ("FTRACE_MCOUNT_USE_OBJTOOL", Some("y")),
    // … and leaves them as the kernel, which gcc has built, expects them.
    ("HAVE_OBJTOOL_NOP_MCOUNT", None),
    // What clang (19) does not know, or spells otherwise.
    ("CC_HAS_MIN_FUNCTION_ALIGNMENT", None),
    ("CC_HAS_SANE_FUNCTION_ALIGNMENT", None),
    ("CC_IMPLICIT_FALLTHROUGH", Some("\"-Wimplicit-fallthrough\"")),
    ("CC_HAS_NAMED_AS", None),
    ("CC_HAS_NAMED_AS_FIXED_SANITIZERS", None),
    ("USE_X86_SEG_SUPPORT", None),
    ("GCC10_NO_ARRAY_BOUNDS", None),
    ("CC_NO_ARRAY_BOUNDS", None),
    ("GCC_NO_STRINGOP_OVERFLOW", None),
    ("CC_NO_STRINGOP_OVERFLOW", None),
];

/// Files of the headers that have the configuration.
const FILES: [&str; 3] = [".config", "include/config/auto.conf", "include/generated/autoconf.h"];

/// Copies the headers of `kernel` to a directory in `dir`, and returns that.
///
/// # Errors
/// They cannot be copied, or an answer cannot be put into them.
pub fn for_clang(kernel: &Prepared, dir: &Path) -> Result<PathBuf> {
    let said = sh::output(Root::Clang.program("clang")?.arg("--version"))?;
    let text = said.lines().next().unwrap_or_default();
    let version = version(text).with_context(|| format!("no version in {text:?}"))?.to_string();
    let text = format!("\"{text}\"");
    let own = [
        ("CC_VERSION_TEXT", Some(text.as_str())),
        ("CLANG_VERSION", Some(&version)),
        ("LLD_VERSION", Some(&version)),
    ];

    let headers = dir.join("headers");
    sh::output(Command::new("cp").arg("-a").arg(&kernel.headers).arg(&headers))?;
    links_lead_where_they_led(&kernel.headers, &headers)?;
    for name in FILES {
        let file = headers.join(name);
        let mut text =
            fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        for (option, answer) in ANSWERS.iter().chain(&own) {
            // What make reads has no quotes, for it would keep them.
            let of_make = name.ends_with(".conf");
            let answer = answer.map(|text| if of_make { text.trim_matches('"') } else { text });
            text = answered(&text, option, answer, name.ends_with(".h"));
        }
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    let config = fs::read_to_string(headers.join(FILES[0]))?;
    ensure!(config.contains("\nCONFIG_CC_IS_CLANG=y\n"), "the headers do not say clang");
    Ok(headers)
}

/// Links of `copy` that began where the original is: Debian's lead to programs that kernels share.
fn links_lead_where_they_led(original: &Path, copy: &Path) -> Result<()> {
    for entry in fs::read_dir(copy).with_context(|| format!("reading {}", copy.display()))? {
        let link = entry?.path();
        let Ok(leads) = fs::read_link(&link) else { continue };
        fs::remove_file(&link).with_context(|| format!("removing {}", link.display()))?;
        symlink(original.join(leads), &link)
            .with_context(|| format!("making {}", link.display()))?;
    }
    Ok(())
}

/// `text` with another answer: a file of C macros, or one that make reads.
fn answered(text: &str, option: &str, answer: Option<&str>, macros: bool) -> String {
    let starts = match macros {
        true => [format!("#define CONFIG_{option} "), format!("#undef CONFIG_{option} ")],
        false => [format!("CONFIG_{option}="), format!("# CONFIG_{option} is")],
    };
    let others = text.lines().filter(|line| !starts.iter().any(|start| line.starts_with(start)));
    let mut lines: Vec<String> = others.map(str::to_owned).collect();
    lines.extend(answer.map(|answer| match (macros, answer) {
        (true, "y") => format!("#define CONFIG_{option} 1"),
        (true, answer) => format!("#define CONFIG_{option} {answer}"),
        (false, answer) => format!("CONFIG_{option}={answer}"),
    }));
    lines.join("\n") + "\n"
}

/// 190107 of "Debian clang version 19.1.7 (3+b1)".
fn version(text: &str) -> Option<u32> {
    let mut numbers =
        text.split_once(" version ")?.1.split([' ', '.']).map(|n| n.parse::<u32>().ok());
    let [major, minor, patch] = [numbers.next()??, numbers.next()??, numbers.next()??];
    Some(major * 10_000 + minor * 100 + patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_put_in_the_place_of_others() {
        let config = "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_AB=1\n";
        assert_eq!(answered(config, "A", None, false), "# CONFIG_B is not set\nCONFIG_AB=1\n");
        assert_eq!(
            answered(config, "B", Some("y"), false),
            "CONFIG_A=y\nCONFIG_AB=1\nCONFIG_B=y\n"
        );
        let header = "#define CONFIG_A 1\n#define CONFIG_AB 1\n";
        assert_eq!(
            answered(header, "A", Some("7"), true),
            "#define CONFIG_AB 1\n#define CONFIG_A 7\n"
        );
        assert_eq!(
            answered(header, "A", Some("y"), true),
            "#define CONFIG_AB 1\n#define CONFIG_A 1\n"
        );
    }

    #[test]
    fn a_copy_s_links_lead_where_the_original_s_do() {
        let dir = std::env::temp_dir().join(format!("vgpu-unlock-links-{}", std::process::id()));
        crate::dirs::empty(&dir.join("a/original")).unwrap();
        crate::dirs::empty(&dir.join("copy")).unwrap();
        fs::write(dir.join("a/programs"), "them").unwrap();
        symlink("../programs", dir.join("copy/scripts")).unwrap();
        links_lead_where_they_led(&dir.join("a/original"), &dir.join("copy")).unwrap();
        assert_eq!(fs::read_to_string(dir.join("copy/scripts")).unwrap(), "them");
        crate::dirs::remove(&dir).unwrap();
    }

    #[test]
    fn versions_are_as_kconfig_writes_them() {
        assert_eq!(version("Debian clang version 19.1.7 (3+b1)"), Some(190_107));
        assert_eq!(version("clang version 18.1.3"), Some(180_103));
        for none in ["clang", "clang version", "clang version 19"] {
            assert_eq!(version(none), None, "{none}");
        }
    }
}
