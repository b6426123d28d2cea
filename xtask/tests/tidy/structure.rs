// SPDX-License-Identifier: GPL-2.0
//! Dependencies go down, and only down.

use crate::imports::Crate;
use crate::{complain, files, read};

/// The crates, each by its directory and its root file.
const CRATES: [(&str, &str); 4] = [
    ("module/src/", "vgpu_unlock_main.rs"),
    ("module/kernel/src/", "lib.rs"),
    ("cli/src/", "lib.rs"),
    ("xtask/src/", "main.rs"),
];

fn sources(dir: &str) -> Vec<String> {
    files().iter().filter_map(|f| Some(f.strip_prefix(dir)?.to_owned())).collect()
}

/// A crate by its directory. Files that only tests have, and other roots, are left out.
fn open(dir: &str, root: &str) -> Crate {
    let is_test = |f: &str| f.split('/').any(|part| part == "tests" || part == "tests.rs");
    let other_root = |f: &str| !f.contains('/') && f != root && ["lib.rs", "main.rs"].contains(&f);
    let names: Vec<String> = sources(dir)
        .into_iter()
        .filter(|f| {
            f.ends_with(".rs") && !is_test(f) && !other_root(f) && !f.contains("differential")
        })
        .collect();
    Crate::new(root, &names, |name| read(&format!("{dir}{name}")))
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut complaints = vec![];
    for (dir, root) in CRATES {
        for circle in open(dir, root).circles() {
            complaints.push(format!("{dir}: {}", circle.join(" -> ")));
        }
    }
    complain(complaints);
}

/// The module's floors, the lowest first.
const FLOORS: [&str; 4] = ["logic", "sys", "unlock", ""];

/// How things lie within `unlock`, the lowest first; what stands together does not know each other.
const UNLOCK: [&[&str]; 7] = [
    &["settings"],
    &["boards", "vgpud"],
    &["sites", "tables", "answers", "types"],
    &["attachment"],
    &["lifecycle"],
    &["report"],
    &["events"],
];

#[test]
fn the_modules_imports_go_down() {
    // The root is no floor's business, and what only cargo sees may look at all that decides.
    let floor = |f: &str| {
        let folder = f.split_once('/').map_or("", |(folder, _)| folder);
        if folder == "host" {
            return Some(FLOORS.len());
        }
        FLOORS.iter().position(|name| *name == folder)
    };
    let place = |f: &str| {
        let room = f.strip_prefix("unlock/")?.split(['/', '.']).next()?;
        UNLOCK.iter().position(|rooms| rooms.contains(&room)).map(|at| (at, room.to_owned()))
    };
    let mut complaints = vec![];
    let module = open("module/src/", "vgpu_unlock_main.rs");
    for (from, to) in module.imports() {
        let (Some(a), Some(b)) = (floor(from), floor(to)) else {
            complaints.push(format!("{from} or {to} is on no floor"));
            continue;
        };
        if b > a {
            complaints.push(format!("{from} imports {to}: that is upwards"));
        }
        if let (Some((a, room)), Some((b, other))) = (place(from), place(to)) {
            if b > a || (a == b && room != other) {
                complaints.push(format!("{from} imports {to}: that is not down"));
            }
        }
        if from.starts_with("unlock/") && from != "unlock/mod.rs" && place(from).is_none() {
            complaints.push(format!("{from} has no place in UNLOCK"));
        }
    }
    complain(complaints);
}

#[test]
fn what_decides_needs_core_only() {
    let mut complaints = vec![];
    for file in sources("module/src/logic/") {
        let text = read(&format!("module/src/logic/{file}"));
        let code = text.lines().map(|l| l.split("//").next().unwrap_or(""));
        for (i, line) in code.enumerate() {
            for other in ["kernel::", "std::", "alloc::", "unsafe "] {
                // Tests are cargo's, at the end of the file.
                let test = text.lines().take(i).any(|l| l == "#[cfg(test)]" || l == "mod tests {");
                if line.contains(other) && !test {
                    complaints.push(format!("logic/{file}:{}: {other}", i + 1));
                }
            }
        }
    }
    complain(complaints);
}

#[test]
fn both_roots_have_what_decides() {
    for root in ["vgpu_unlock_main.rs", "lib.rs"] {
        assert!(read(&format!("module/src/{root}")).contains("mod logic;"), "{root}");
    }
}

#[test]
fn the_modules_files_are_read_in_a_sitting() {
    const LIMIT: usize = 350;
    // Tables of facts are as long as the facts, and nobody reads what is generated.
    let exempt = |f: &str| f.ends_with("/data.rs") || f == "module/src/sys/bindings.rs";
    let long =
        |f: &&String| f.starts_with("module/src/") && !exempt(f) && read(f).lines().count() > LIMIT;
    complain(
        files().iter().filter(long).map(|f| format!("{f}: more than {LIMIT} lines")).collect(),
    );
}
