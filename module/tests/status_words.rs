// SPDX-License-Identifier: GPL-2.0
//! What people and tools read in every state there is: none is without words, and no two have the same.

use std::collections::BTreeSet;

use serde_json::Value;
use vgpu_unlock::{
    capability::{tables::Unrecognised, unlock::Refusal},
    driver::{
        acceptance::{Acceptance, Obstacle},
        version::Version,
        vgpud::NotOne,
    },
    gpu::{Address, Answer, Bound},
    params::Applied,
    profile::{Key, Skipped, Uuid},
    rm_control::{Effective, Told, ToldTable},
    status::{
        Answers, DriverState, Gpu, GpuState, Hook, HookState, Json, Reason, Report, TablesState,
        Text, TypeFiles, UnknownSize, Vgpu,
    },
};

const ADDRESS: Address = Address { domain: 0, bus: 1, slot: 0, function: 0 };

fn report(told: &ToldTable) -> Report<'_> {
    Report {
        module_version: "1.2.3",
        driver_version: Version::parse(b"550.163.01"),
        driver: DriverState::Attached,
        proof: None,
        gpus: &[],
        vgpus: &[],
        hooks: &[],
        types: TypeFiles::NotLoaded,
        told,
        acceptance: None,
        answers: Answers::default(),
        tables: TablesState::Absent,
        gpu_list_count: 0,
        entries: 7,
        locate_us: 900,
    }
}

fn board(state: GpuState) -> Gpu {
    Gpu {
        address: ADDRESS,
        device: 0x1c03,
        subsystem: 0x120f,
        bound: Bound::Nvidia,
        functions: 0,
        answer: Answer::Unknown,
        state,
        profiles_gone: false,
        types: None,
        vgpus: 0,
    }
}

/// Both ways to say it. The text is searched for a line.
fn said(report: &Report<'_>, line: &str) -> Value {
    let text = Text(report).to_string();
    assert!(text.lines().any(|found| found == line), "{line:?} is not in {text}");
    serde_json::from_str(&Json(report).to_string()).unwrap()
}

#[test]
fn the_driver() {
    let kprobes = "kprobes are off (echo 1 > /sys/kernel/debug/kprobes/enabled)";
    let silent = DriverState::Silent(Reason::KprobesOff);
    for (driver, word, text, reason) in [
        (DriverState::Absent, "absent", "not loaded", Value::Null),
        (DriverState::Disabled, "disabled", "left alone, because of enabled=0", Value::Null),
        (
            silent,
            "silent",
            "hooked, but the hooks do nothing: kprobes are off (echo 1 > /sys/kernel/debug/kprobes/enabled)",
            kprobes.into(),
        ),
    ] {
        let report = Report { driver, ..report(&ToldTable::EMPTY) };
        let json = said(&report, &format!("driver: 550.163.01, {text}"));
        assert_eq!((&json["driver"]["state"], &json["driver"]["reason"]), (&word.into(), &reason));
    }
    let report =
        Report { driver: DriverState::Absent, driver_version: None, ..report(&ToldTable::EMPTY) };
    assert!(said(&report, "driver: not loaded")["driver"]["version"].is_null());
}

#[test]
fn why_a_driver_was_left_alone() {
    let version = Version::parse(b"570.124.03").unwrap();
    for (reason, words) in [
        (Reason::Detour("second gate"), "the second gate is found, but what it jumps to is not"),
        (Reason::Patched, "this driver is patched: reinstall"),
        (Reason::Hooks, "vgpu_unlock_hooks.c is compiled into this driver: reinstall"),
        (Reason::Open(version), "open modules can't host vGPUs on boards up to Ampere: reinstall"),
        (Reason::Tables(Unrecognised::NoGpuList), "no capability table begins with"),
        (Reason::Tables(Unrecognised::NoSacrificial), "no capability table entry that could be"),
    ] {
        let report = Report { driver: DriverState::Refused(reason), ..report(&ToldTable::EMPTY) };
        let line = format!("driver: 550.163.01, left exactly as it is: {reason}");
        let json = said(&report, &line);
        assert!(json["driver"]["reason"].as_str().unwrap().starts_with(words), "{reason}");
    }
}

#[test]
fn hooks() {
    for (state, word) in [
        (HookState::Placed, "placed"),
        (HookState::Silent, "silent"),
        (HookState::Done, "done"),
        (HookState::Resting, "resting"),
        (HookState::Lost, "lost"),
    ] {
        let hooks = [Hook { name: "board check", kind: "kprobe", state, hits: 3, misses: 1 }];
        let report = Report { hooks: &hooks, ..report(&ToldTable::EMPTY) };
        let line = format!("hook board check (kprobe): {word}, 3 hits, 1 misses");
        let hook = &said(&report, &line)["hooks"][0];
        assert_eq!((&hook["name"], &hook["kind"]), (&"board check".into(), &"kprobe".into()));
        assert_eq!(hook["state"], word);
        assert_eq!((&hook["hits"], &hook["misses"]), (&3.into(), &1.into()));
    }
}

#[test]
fn the_capability_tables() {
    for (tables, word, more) in [
        (TablesState::NotNeeded, "not needed", ""),
        (TablesState::Rewritten, "rewritten", ", 7 entries"),
    ] {
        let report = Report { tables, ..report(&ToldTable::EMPTY) };
        let json = said(&report, &format!("capability tables: {word}{more}"));
        assert_eq!(json["tables"]["state"], word);
        assert_eq!(json["tables"]["entries"], 7);
    }
    let device = 0x1c03;
    for (refusal, words) in [
        (Refusal::NoEntry, "no capability table entry bears the board's magic"),
        (Refusal::Damaged, "the board's capability table entry is damaged"),
        (Refusal::Listed { device }, "NVIDIA lists board 0x1c03 itself"),
        (Refusal::NoSibling { device }, "no vGPU-capable board is known for 0x1c03"),
        (Refusal::NoTypes { device }, "board 0x1c03, which gpus names, has no vGPU types"),
    ] {
        let tables = TablesState::Refused(refusal);
        let report = Report { tables, ..report(&ToldTable::EMPTY) };
        let json = said(&report, &format!("capability tables: refused: {words}"));
        assert_eq!(json["tables"]["reason"], words);
    }
}

#[test]
fn files_of_vgpu_types() {
    let none = Report { types: TypeFiles::LeftAlone, ..report(&ToldTable::EMPTY) };
    assert!(!Text(&none).to_string().contains("vGPU types"));
    let json: Value = serde_json::from_str(&Json(&none).to_string()).unwrap();
    assert_eq!(
        (&json["types"]["state"], &json["types"]["reason"]),
        (&"left alone".into(), &Value::Null)
    );

    let why = "before Linux 6.1 they are the driver's own; overrides work all the same";
    let types = TypeFiles::Refused(Reason::OldMdev);
    let refused = Report { types, ..report(&ToldTable::EMPTY) };
    let json = said(&refused, &format!("vGPU types: shown as the driver has them: {why}"));
    assert_eq!(
        (&json["types"]["state"], &json["types"]["reason"]),
        (&"refused".into(), &why.into())
    );
}

#[test]
fn what_nvidia_vgpud_makes_of_a_board() {
    let may = "it may give such boards up: ";
    let given_up =
        |obstacle, words: &str| (Acceptance::GivenUp(obstacle), "gives up", words.to_owned());
    for (acceptance, state, words) in [
        (Acceptance::Accepted, "accepts", "accepts it".to_owned()),
        (
            Acceptance::Kept,
            "kept",
            "accepts it, since its own copy of its program was changed".to_owned(),
        ),
        given_up(Obstacle::SwitchedOff, "it gives such boards up, and the parameter vgpud is 0"),
        given_up(Obstacle::Loop(NotOne::None), &format!("{may}{}", NotOne::None)),
        given_up(Obstacle::TooLong(12), &format!("{may}its program has 12 bytes")),
        given_up(Obstacle::Unreadable, &format!("{may}its program can't be read")),
        given_up(Obstacle::NoMemory, &format!("{may}no memory to look through its program")),
        given_up(
            Obstacle::Unwritable(-14),
            "it gives such boards up, and its memory can't be changed (error -14)",
        ),
    ] {
        let acceptance = Some((0x1b38, acceptance));
        let report = Report { acceptance, ..report(&ToldTable::EMPTY) };
        let json = said(&report, &format!("nvidia-vgpud, told 10de:1b38: {words}"));
        assert_eq!(
            (&json["vgpud"]["told"], &json["vgpud"]["state"]),
            (&0x1b38.into(), &state.into())
        );
        let reason = if state == "gives up" { words.into() } else { Value::Null };
        assert_eq!(json["vgpud"]["reason"], reason);
    }
}

#[test]
fn answers_that_were_given() {
    let unknown = Some((3, UnknownSize { command: 0x2080_1801, size: 20 }));
    let answers = Answers { seen: 9, changed: 5, lost: 1, unknown };
    let report = Report { answers, ..report(&ToldTable::EMPTY) };
    let json = said(&report, "answers to the daemons: 9 seen, 5 changed, 1 lost");
    let words = "RM control command 0x20801801 has parameters of 20 bytes, which is new";
    said(&report, &format!("  {words}: left alone 3 times"));
    assert_eq!(
        (&json["answers"]["unknown"], &json["answers"]["last_unknown"]),
        (&3.into(), &words.into())
    );
}

#[test]
fn answers_that_were_only_lost_are_told_too() {
    let quiet = report(&ToldTable::EMPTY);
    assert!(!Text(&quiet).to_string().contains("answers to the daemons"));
    let report = Report { answers: Answers { lost: 2, ..Answers::default() }, ..quiet };
    said(&report, "answers to the daemons: 0 seen, 0 changed, 2 lost");
}

#[test]
fn every_state_of_a_board_has_words_of_its_own() {
    use GpuState::*;
    let (mut words, mut sentences) = (BTreeSet::new(), BTreeSet::new());
    let states = [
        Held,
        Off,
        Listed,
        NotYet,
        NoSriov,
        OpenModules,
        Unknown,
        NoDriver,
        Unbound,
        NotUnlocked,
        Waiting,
        Unlocked,
    ];
    for state in states {
        let gpus = [board(state)];
        let report = Report { gpus: &gpus, ..report(&ToldTable::EMPTY) };
        let shown = match state {
            Held => "used by nvidia".to_owned(),
            _ => state.explanation().to_owned(),
        };
        let json = said(&report, &format!("gpu 0000:01:00.0 10de:1c03: {shown}"));
        assert_eq!(
            (&json["gpus"][0]["state"], &json["gpus"][0]["reason"]),
            (&state.word().into(), &shown.into())
        );
        // How many types it has could not be told.
        assert!(json["gpus"][0]["types"].is_null());
        assert!(words.insert(state.word()) && sentences.insert(state.explanation()), "{state:?}");
    }
}

#[test]
fn a_board_that_has_not_come_anywhere_and_a_vgpu_without_a_type() {
    let uuid = Uuid::from_bytes([0x11; 16]);
    let gpus = [board(GpuState::NoDriver)];
    let vgpus = [Vgpu { gpu: ADDRESS, uuid, vgpu_type: None }];
    let mut told = ToldTable::EMPTY;
    let absent =
        Report { driver: DriverState::Absent, gpus: &gpus, vgpus: &vgpus, ..report(&told) };
    let json = said(&absent, &format!("  vgpu {uuid}: nvidia-vgpu-mgr has not asked about it"));
    assert!(!Text(&absent).to_string().contains("so far"));
    assert!(json["gpus"][0]["vgpus"][0]["type"].is_null());

    for (why, words) in [
        (Skipped::Absent, "this driver branch has no such field"),
        (Skipped::TooLong, "the text is too long for this driver branch"),
    ] {
        let applied = Applied { skipped: Some((Key::AdapterName, why)), ..Applied::default() };
        told.remember(Told { uuid, applied, effective: Effective::of(0, &[]) });
        let report = Report { gpus: &gpus, vgpus: &vgpus, ..report(&told) };
        let json = said(&report, &format!("    adapter_name is not in force: {words}"));
        let skipped = &json["gpus"][0]["vgpus"][0]["told"]["skipped"];
        assert_eq!((&skipped["key"], &skipped["why"]), (&"adapter_name".into(), &words.into()));
    }
}
