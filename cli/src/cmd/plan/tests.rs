// SPDX-License-Identifier: GPL-2.0
//! What is asked of a plan, on hosts that are made up.

use super::*;
use crate::board::host::tests::{add, add_type};
use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

fn args(line: &str) -> Args {
    Cli::try_parse_from(format!("plan {line}").split(' ')).unwrap_or_else(|e| panic!("{e}")).args
}

fn asked(line: &str, root: &Path) -> Result<Request> {
    request(&args(line), root)
}

/// What is printed for a line of arguments, on a host without boards.
pub(crate) fn screen(line: &str) -> String {
    let root = tempfile::tempdir().unwrap();
    plan::plan(&asked(line, root.path()).unwrap()).unwrap().text()
}

#[test]
fn a_host_says_what_board_and_which_types_it_has() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let error = |line: &str| asked(line, root).unwrap_err().to_string();
    assert!(error("--vms 3").contains("no NVIDIA board"));
    let board = add(root, "0000:01:00.0", ["0x10de", "0x1b06", "0x030000"]);
    let request = asked("--vms 3", root).unwrap();
    assert_eq!((&request.board[..], request.memory >> 30), ("GeForce GTX 1080 Ti", 11));
    assert_eq!(request.types, board::types(0x1b38));
    assert_eq!(request.wishes.len(), 3);
    add_type(&board, 156, "GRID P40-2B", 2048, 12, &[]);
    add_type(&board, 47, "GRID P40-2Q", 2048, 12, &["uuid"]);
    let request = asked("--vms 3", root).unwrap();
    assert_eq!(request.types.iter().map(|of| of.number).collect::<Vec<_>>(), [47, 156]);
    assert_eq!(request.beside, [47]);
    add(root, "0000:02:00.0", ["0x10de", "0x1c03", "0x030000"]);
    assert!(error("--vms 3").contains("0000:01:00.0 (1b06), 0000:02:00.0 (1c03): say which"));
    for (line, gib) in [
        ("--vms 1 --board 02:00.0", 6),
        ("--vms 1 --board 0000:01:00.0", 11),
        ("--vms 1 --board 10DE:1B80", 8),
        ("--vms 1 --board 1e30 --memory 48GiB", 48),
        ("--vms 1 --memory 3GiB", 3),
    ] {
        assert_eq!(asked(line, root).unwrap().memory >> 30, gib, "{line}");
    }
    for (line, said) in [
        ("--vms 1 --board 1e30", "has 24GiB or 48GiB: say which with --memory"),
        ("--vms 1 --board 2684", "how much memory the board 2684 has is not known"),
        ("--vms 1 --board 03:00.0", "no NVIDIA board of this host is there"),
        ("--vms 1 --board 1080ti", "write a PCI device ID such as 1b06"),
        ("--vms 1 --vm 1 --vm 2 --board 1b06", "--vms 1, but --vm names 2"),
        ("--vm 1 --vm 1=2GiB --board 1b06", "the same VM twice"),
    ] {
        assert!(error(line).contains(said), "{line}: {}", error(line));
    }
}

#[test]
fn wishes_are_read() {
    let uuid = "2b7bc7e4-8784-4933-8613-9bc92bbc718c";
    let of =
        |owner, gib: Option<u64>, vgpu_type| Wish { owner, total: gib.map(|g| g << 30), vgpu_type };
    for (text, expected) in [
        ("100", of(Owner::Vm(100), None, None)),
        ("100=6GiB", of(Owner::Vm(100), Some(6), None)),
        ("100=6GiB@nvidia-50", of(Owner::Vm(100), Some(6), Some(50))),
        ("7@50", of(Owner::Vm(7), None, Some(50))),
        (uuid, of(Owner::Mdev(Uuid::parse(uuid.as_bytes()).unwrap()), None, None)),
    ] {
        assert_eq!(wish(text), Ok(expected), "{text}");
    }
    for text in ["", "web", "100=6", "100=6GB", "=6GiB", "100@x", "1234567890123"] {
        assert!(wish(text).is_err(), "{text}");
    }
    assert_eq!(resolution("1920x1080"), Ok((1920, 1080)));
    for text in ["1920", "x", "0x0", "99999x1"] {
        assert!(resolution(text).is_err(), "{text}");
    }
}

#[test]
fn a_file_is_added_to_and_what_is_not_counted_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overrides.toml");
    let request = asked("--vm 100=6GiB --vms 3 --board 1b06", dir.path()).unwrap();
    let plan = plan::plan(&request).unwrap();
    let (text, others) = merged(&path, &plan.sections).unwrap();
    assert_eq!((&text, others.len()), (&plan.toml(), 0));
    std::fs::write(&path, "# mine\n[vm.200]\nvram = \"4GiB\"\n[vm.201]\ncuda_enabled = 1\n")
        .unwrap();
    let (text, others) = merged(&path, &plan.sections).unwrap();
    assert!(
        text.starts_with("# mine\n[vm.200]\n") && text.contains("[profile.nvidia-47]"),
        "{text}"
    );
    assert_eq!(others.len(), 1);
    assert!(others[0].contains("gives memory to vm/200, too"), "{others:?}");
}
