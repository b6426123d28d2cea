// SPDX-License-Identifier: GPL-2.0
//! What a reviewer would have to remember.

mod faults;
mod imports;
mod structure;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn repo() -> PathBuf {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this");
    Path::new(&xtask).parent().unwrap().to_owned()
}

/// Every file that git tracks or would, as paths relative to the repository.
fn files() -> Vec<String> {
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(repo())
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files: Vec<_> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter(|f| repo().join(f).is_file())
        .map(str::to_owned)
        .collect();
    assert!(files.len() > 50, "git lists the whole repository");
    files
}

fn read(file: &str) -> String {
    fs::read_to_string(repo().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

fn complain(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn every_source_file_names_its_licence() {
    // Debian's tools take no comment in these.
    let debian = ["debian/changelog", "debian/copyright", "debian/source/format"];
    let exempt = |f: &str| {
        f == "LICENSE" || f == ".gitignore" || f.ends_with(".lock") || debian.contains(&f)
    };
    let without = |f: &&String| {
        !exempt(f)
            && !read(f).lines().take(3).any(|l| l.contains("SPDX-License-Identifier: GPL-2.0"))
    };
    complain(files().iter().filter(without).map(|f| format!("{f}: no SPDX line")).collect());
}

#[test]
fn every_unsafe_block_says_why_it_is_sound() {
    let mut complaints = vec![];
    for file in files().iter().filter(|f| f.ends_with(".rs")) {
        let text = read(file);
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            let asks =
                code.contains(concat!("unsafe", " {")) || code.contains(concat!("unsafe", " impl"));
            let declares = code.contains(concat!("unsafe", " fn")) && !code.contains("extern");
            // The reason stands above the statement, or above its function for a declaration.
            let above = lines[i.saturating_sub(if declares { 24 } else { 9 })..=i].join("\n");
            let wanted = if declares { "# Safety" } else { "SAFETY:" };
            if (asks || declares) && !above.contains(wanted) {
                complaints.push(format!("{file}:{}: unsafe without {wanted}", i + 1));
            }
        }
    }
    complain(complaints);
}

#[test]
fn unsafe_code_is_in_its_room() {
    // The rest of the kernel side may promise something to sys, and says what, no more.
    let rooms = [
        "module/src/sys/",
        "module/src/unlock/lifecycle/mod.rs",
        "module/src/unlock/attachment.rs",
        "module/src/unlock/tables/",
    ];
    let outside = |f: &&String| {
        f.starts_with("module/src/")
            && f.ends_with(".rs")
            && !rooms.iter().any(|room| f.starts_with(room))
            && read(f).lines().any(|l| l.split("//").next().unwrap_or("").contains("unsafe "))
    };
    complain(files().iter().filter(outside).map(|f| format!("{f}: unsafe code")).collect());
}

/// Cargo takes what another checkout has compiled into the shared cache for this one's: what was true of that one at
/// compile time is not true here.
#[test]
fn where_the_files_are_is_asked_at_run_time() {
    let asked = concat!("env!(\"CARGO_", "MANIFEST_DIR\")");
    let early = |f: &&String| f.as_str() != "xtask/src/paths.rs" && read(f).contains(asked);
    complain(files().iter().filter(early).map(|f| format!("{f}: asks at compile time")).collect());
}

#[test]
fn files_do_not_run_away() {
    const LIMIT: usize = 600;
    // Tables of facts are as long as the facts.
    let exempt = |f: &str| f.ends_with("/data.rs") || f.ends_with(".lock") || f == "LICENSE";
    let long = |f: &&String| !exempt(f) && read(f).lines().count() > LIMIT;
    complain(
        files().iter().filter(long).map(|f| format!("{f}: more than {LIMIT} lines")).collect(),
    );
}

#[test]
fn the_version_is_the_same_everywhere() {
    let version = env!("CARGO_PKG_VERSION");
    for (file, line) in [
        ("dkms.conf", format!("PACKAGE_VERSION=\"{version}\"")),
        ("module/src/unlock/report.rs", format!("pub const VERSION: &str = \"{version}\";")),
        ("Cargo.toml", format!("version = \"{version}\"")),
        ("debian/changelog", format!("vgpu-unlock ({version}) ")),
        ("scripts/packages/vgpu-unlock.spec", format!("Version: {version}")),
        ("scripts/packages/PKGBUILD", format!("pkgver={version}")),
    ] {
        assert!(read(file).contains(&line), "{file} does not say {line}");
    }
}

#[test]
fn packages_depend_on_the_compilers_that_the_scripts_know() {
    let lib = read("scripts/lib.sh");
    let line = lib.lines().find(|line| line.contains("for name in rustc ")).expect("apt_rustc");
    let (names, minors) = line.split_once(" in ").unwrap().1.split_once(" rustc-1.8{").unwrap();
    let minors = minors.split_once('}').unwrap().0.split(',');
    let mut compilers: Vec<_> = names.split(' ').map(str::to_owned).collect();
    compilers.extend(minors.map(|minor| format!("rustc-1.8{minor}")));
    let sources = compilers.iter().map(|name| match name.as_str() {
        "rustc" => "rust-src".to_owned(),
        "rustc-web" => "rust-web-src".to_owned(),
        name => format!("rust-{}-src", name.trim_start_matches("rustc-")),
    });
    let sources: Vec<_> = sources.collect();
    assert!(compilers.len() > 3, "{compilers:?}");
    let control = read("debian/control");
    for wanted in [compilers, sources] {
        // With the versions that some have to have.
        let alternatives = control.lines().map(|line| {
            line.trim().trim_end_matches(',').split(" | ").map(|one| one.split(' ').next().unwrap())
        });
        let found =
            alternatives.into_iter().any(|names| names.eq(wanted.iter().map(String::as_str)));
        assert!(found, "debian/control does not have {wanted:?}");
    }
}

#[test]
fn the_kernel_side_is_formatted() {
    // cargo fmt sees what cargo builds; this is the other root.
    let output = Command::new("rustfmt")
        .args(["--check", "--edition", "2021", "--config-path"])
        .arg(repo())
        .arg(repo().join("module/src/vgpu_unlock_main.rs"))
        .output()
        .expect("rustfmt runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// The test of the packages compares with the built module, when it is their turn.
#[test]
fn packages_settings_have_every_parameter() {
    let shim = read("module/src/shim/param.c");
    let named = shim.lines().filter_map(|line| line.strip_prefix("VU_PARAM(")?.split(',').next());
    let settings = read("scripts/packages/modprobe.d/vgpu_unlock.conf");
    let mut parameters = 0;
    for name in named.filter(|name| *name != "name") {
        parameters += 1;
        let line = format!("\n#options vgpu_unlock {name}=");
        assert!(settings.contains(&line), "modprobe.d does not have {name}");
    }
    assert!(parameters > 4, "{parameters}");
}
