// SPDX-License-Identifier: GPL-2.0
//! Object files made up here, with nothing of NVIDIA's in them but two magics.

use std::io::Write;

use object::{
    Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
    write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection},
};
use vgpu_unlock::capability::crypto::BoardCrypto;

use super::{report::Action, *};

pub(crate) mod packages;

const GPU_LIST_FIRST: [u8; 16] = [
    0xf3, 0xf5, 0x9e, 0x3d, 0x13, 0x91, 0x75, 0x18, 0x6a, 0x7b, 0x55, 0xed, 0xce, 0x5d, 0x84, 0x67,
];
const SACRIFICIAL: [u8; 16] = [
    0x9d, 0x72, 0xd9, 0x06, 0xa6, 0x20, 0xf4, 0x39, 0xe1, 0x11, 0x7d, 0x17, 0xb4, 0x53, 0x1d, 0x73,
];
const MAGIC: Magic = *b"the board's magi";
const KEY: Key = *b"the board's key.";

/// 550's first bytes of the board check, and its second gate.
const BOARD_CHECK_550: &str = "f30f1efa 4156415553 4883ed20 80bf01020000 00 c7451c00000000 \
     8b9f01020000 448bb701020000 7510";
const SECOND_GATE_550: &str = "85c0 7407 c7450c00000000 440fb6b301020000 4584f6 0f84";

const ID_550: &[u8] = b"\0nvidia id: NVIDIA UNIX x86_64 Kernel Module  550.163.01  Tue Apr  8\0";

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex.replace(char::is_whitespace, "")).unwrap()
}

/// A driver file under construction.
struct Driver {
    object: Object<'static>,
    text: SectionId,
    rodata: SectionId,
    symbol: SymbolId,
}

impl Driver {
    fn new(architecture: Architecture) -> Self {
        let mut object = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
        let text = object.add_section(vec![], b".text".to_vec(), SectionKind::Text);
        let rodata = object.add_section(vec![], b".rodata".to_vec(), SectionKind::ReadOnlyData);
        // A section of its own in front, so that a wrong base would show.
        object.append_section_data(text, &[0x90; 100], 16);
        object.append_section_data(rodata, &[0x11; 48], 16);
        let symbol = object.section_symbol(rodata);
        Self { object, text, rodata, symbol }
    }

    fn text(&mut self, hex: &str) -> u64 {
        self.object.append_section_data(self.text, &bytes(hex), 16)
    }

    fn data(&mut self, bytes: &[u8]) -> u64 {
        self.object.append_section_data(self.rodata, bytes, 1)
    }

    /// Aligned pointers into `.rodata`, as relocations.
    fn pointers(&mut self, to: &[u64]) -> u64 {
        let first = self.object.append_section_data(self.rodata, &vec![0; to.len() * 8], 32);
        for (i, target) in to.iter().enumerate() {
            self.pointer(self.rodata, first + 8 * i as u64, self.symbol, *target as i64);
        }
        first
    }

    fn pointer(&mut self, section: SectionId, offset: u64, symbol: SymbolId, addend: i64) {
        let flags = object::RelocationFlags::Elf { r_type: object::elf::R_X86_64_64 };
        let relocation = Relocation { offset, symbol, addend, flags };
        self.object.add_relocation(section, relocation).unwrap();
    }

    /// A GPU list of `boards` boards, the tenth of which has [`MAGIC`], then spare triples.
    fn tables(&mut self, boards: usize, spare: usize) -> (u64, u64) {
        let first = self.data(&GPU_LIST_FIRST);
        let other = self.data(&[0x77; 16]);
        let magic = self.data(&MAGIC);
        let sacrificial = self.data(&SACRIFICIAL);
        let (blocks, signature) = p400_entry();
        let blocks = self.data(&blocks);
        let signature = self.data(&signature);
        let mut list = vec![];
        for i in 0..boards {
            list.extend([
                [other, first, magic][match i {
                    0 => 1,
                    9 => 2,
                    _ => 0,
                }],
                blocks,
                signature,
            ]);
        }
        let list = self.pointers(&list);
        let mut vgpus = vec![];
        for _ in 0..spare {
            vgpus.extend([sacrificial, blocks, signature]);
        }
        self.data(&[0; 8]);
        (list, self.pointers(&vgpus))
    }

    fn whole_550() -> Self {
        let mut driver = Self::new(Architecture::X86_64);
        driver.data(ID_550);
        driver.text(BOARD_CHECK_550);
        driver.text(SECOND_GATE_550);
        driver.tables(20, 40);
        driver
    }

    fn file(&self) -> Vec<u8> {
        self.object.write().unwrap()
    }

    fn report(&self, board: Option<(Magic, Key)>) -> Report {
        inspect_bytes(&self.file(), board).unwrap()
    }
}

/// Count byte and blocks of a Quadro P400's entry under [`KEY`], and its signature.
fn p400_entry() -> (Vec<u8>, [u8; 32]) {
    let mut crypto = HostCrypto::new(&KEY);
    let mut plain = vec![11, 11, 0xb3, 0x1c, 0, 0, 0xbe, 0x11, 0, 0];
    plain.extend(b"Quadro P400Quadro P400");
    plain.resize(32, 0);
    let mut signed = vec![2];
    for block in plain.chunks_exact(16) {
        let mut block: [u8; 16] = block.try_into().unwrap();
        crypto.encrypt(&mut block);
        signed.extend(block);
    }
    let signature = crypto.sign(&signed);
    (signed, signature)
}

fn inspect_bytes(bytes: &[u8], board: Option<(Magic, Key)>) -> Result<Report> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(bytes)?;
    inspect(file.path(), board)
}

#[test]
fn a_whole_driver_is_supported() {
    let mut driver = Driver::new(Architecture::X86_64);
    driver.data(ID_550);
    let check = driver.text(BOARD_CHECK_550) as usize;
    let gate = driver.text(SECOND_GATE_550) as usize;
    let (list, spare) = driver.tables(20, 40);
    let report = driver.report(None);
    assert_eq!(report.driver.version.as_deref(), Some("550.163.01"));
    assert_eq!(report.verdict, Verdict::Supported);
    assert!(report.reasons.is_empty(), "{:?}", report.reasons);
    let sites: Vec<_> =
        report.sites.iter().map(|s| (s.name, s.offset, s.action, s.value)).collect();
    assert_eq!(
        sites,
        [("board check", check, Action::Return, 1), ("second gate", gate, Action::Store, 1)]
    );
    let tables = report.capability_tables.unwrap();
    assert_eq!(
        (tables.gpu_list_first, tables.gpu_list_count, tables.sacrificial_first),
        (list as usize, 20, spare as usize)
    );
    assert!(report.unlock.is_none());
}

#[test]
fn json_has_the_shape_that_the_issue_gives() {
    let json = serde_json::to_value(Driver::whole_550().report(Some((MAGIC, KEY)))).unwrap();
    let keys = |value: &serde_json::Value| {
        value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        keys(&json),
        "capability_tables driver flavour listed_boards reasons sites unlock verdict"
    );
    assert_eq!(keys(&json["driver"]), "releases version");
    assert_eq!(keys(&json["sites"][0]), "action name offset section value");
    assert_eq!(
        keys(&json["capability_tables"]),
        "gpu_list_count gpu_list_first needed sacrificial_first section"
    );
    let unlock = &json["unlock"];
    assert_eq!(keys(unlock), "board entries spoofed_device");
    assert_eq!(keys(&unlock["entries"][0]), "device name offset signature subsystem");
    assert_eq!(
        unlock["board"],
        serde_json::json!({ "device": "0x1cb3", "subsystem": "0x11be", "name": "Quadro P400" })
    );
    assert_eq!(unlock["spoofed_device"], "0x1b38");
    assert_eq!(unlock["entries"].as_array().unwrap().len(), 25);
    assert_eq!(json["verdict"], "supported");
    assert_eq!(json["sites"][1]["action"], "store");
    let without = serde_json::to_value(Driver::whole_550().report(None)).unwrap();
    assert!(without.get("unlock").is_none());
}

#[test]
fn unlocking_on_550_notes_that_it_dropped_the_p40() {
    let report = Driver::whole_550().report(Some((MAGIC, KEY)));
    assert_eq!(report.verdict, Verdict::Supported);
    assert_eq!(report.reasons.len(), 1);
    assert!(report.reasons[0].contains("no longer lists 0x1b38 itself"), "{:?}", report.reasons);
}

#[test]
fn a_wrong_key_and_a_foreign_magic_unlock_nothing_and_say_so() {
    let driver = Driver::whole_550();
    for (board, reason) in [((MAGIC, [1; 16]), "signature"), (([1; 16], KEY), "magic")] {
        let report = driver.report(Some(board));
        assert!(matches!(report.unlock, Some(None)));
        assert_eq!(report.verdict, Verdict::Supported);
        assert!(report.reasons[0].contains(reason), "{:?}", report.reasons);
        assert_eq!(serde_json::to_value(&report).unwrap()["unlock"], serde_json::Value::Null);
    }
}

#[test]
fn what_is_missing_or_twice_leaves_the_answers() {
    let mut no_gate = Driver::new(Architecture::X86_64);
    no_gate.data(ID_550);
    no_gate.text(BOARD_CHECK_550);
    no_gate.tables(20, 40);
    let mut two_checks = Driver::whole_550();
    two_checks.text(BOARD_CHECK_550);
    let mut no_tables = Driver::new(Architecture::X86_64);
    no_tables.data(b"NVIDIA UNIX x86_64 Kernel Module  470.256.02  x\0");
    for (driver, sites, reason) in [
        (no_gate, 1, "The second gate's signature does not stand in .text"),
        (two_checks, 1, "The board check's signature stands in .text more than once"),
        (no_tables, 0, "The capability tables cannot be told"),
    ] {
        let report = driver.report(None);
        assert_eq!(report.verdict, Verdict::AnswersOnly);
        assert_eq!(serde_json::to_value(report.verdict).unwrap(), "answers only");
        assert_eq!(report.sites.len(), sites);
        assert_eq!(report.reasons.len(), 1);
        assert!(report.reasons[0].starts_with(reason), "{:?}", report.reasons);
    }
}

#[test]
fn signatures_of_other_branches_are_pointed_out() {
    let with = |version: &str| {
        let mut driver = Driver::new(Architecture::X86_64);
        driver.data(format!("NVIDIA UNIX x86_64 Kernel Module  {version}  Tue Apr\0").as_bytes());
        let check = driver.text(BOARD_CHECK_550);
        driver.text(SECOND_GATE_550);
        driver.text(SECOND_GATE_550);
        driver.tables(20, 40);
        (driver.report(None), check as usize)
    };
    // Whether its own branch is known or not.
    for version in ["535.98", "999.1"] {
        let (report, check) = with(version);
        let found: Vec<_> = report.resembles.iter().map(|r| (r.name, r.offset)).collect();
        assert_eq!(found, [("board check", Some(check)), ("second gate", None)], "{version}");
        assert!(report.resembles.iter().all(|found| found.branches.contains(&550)), "{version}");
        let text = report.to_string();
        let said = format!("  board check    .text+{check:<#14x} as in 550");
        assert!(text.contains(&said), "{text}");
        assert!(text.contains("  second gate    .text, often         as in 550"), "{text}");
    }
    // Its own ones are none, whoever else has the same.
    assert!(Driver::whole_550().report(None).resembles.is_empty());
    let mut shared = Driver::new(Architecture::X86_64);
    shared.data(b"NVIDIA UNIX x86_64 Kernel Module  999.1  x\0");
    shared.text(
        "f30f1efa 4883ec08 4883ed10 80bf01020000 00 b801000000 7511 80bf01020000 00 7512 \
         0fb78f01020000 81f9301e0000",
    );
    assert_eq!(shared.report(None).resembles[0].branches[..2], [525, 535]);
}

#[test]
fn what_nobody_knows_is_unsupported() {
    for (version, verdict, reasons) in [
        // Tables that this branch does not go by are not missed.
        ("550.163.01", Verdict::AnswersOnly, 2),
        ("590.44.01", Verdict::AnswersOnly, 1),
        // Structures of known lengths, with other fields.
        ("595.45.04", Verdict::Unsupported, 1),
        ("999.10.01", Verdict::Unsupported, 1),
    ] {
        let mut driver = Driver::new(Architecture::X86_64);
        driver.data(format!("NVIDIA UNIX x86_64 Kernel Module  {version}  Tue Apr\0").as_bytes());
        let report = driver.report(None);
        assert_eq!(report.verdict, verdict, "{version}");
        assert_eq!(report.reasons.len(), reasons, "{version}: {:?}", report.reasons);
        assert!(report.capability_tables.is_none());
    }
}

#[test]
fn a_branch_that_needs_no_tables_is_supported_without() {
    let mut driver = Driver::new(Architecture::X86_64);
    driver.data(ID_550);
    driver.text(BOARD_CHECK_550);
    driver.text(SECOND_GATE_550);
    let report = driver.report(None);
    assert_eq!(report.verdict, Verdict::Supported);
    assert!(report.reasons.is_empty() && report.capability_tables.is_none());
    let report = Driver::whole_550().report(None);
    assert!(!report.capability_tables.as_ref().unwrap().needed);
    let text = report.to_string();
    assert!(text.contains("20 boards, left alone: this branch does not go by it"), "{text}");
}

#[test]
fn branches_decide_what_is_needed() {
    for (version, verdict, sites) in [
        ("418.226.00", Verdict::Unsupported, 0),
        ("470.256.02", Verdict::Supported, 0),
        // 550's board check, and another second gate.
        ("555.58.02", Verdict::AnswersOnly, 1),
        ("560.35.03", Verdict::AnswersOnly, 0),
        ("580.82.07", Verdict::AnswersOnly, 1),
        ("590.44.01", Verdict::AnswersOnly, 0),
        ("550.54.14", Verdict::Supported, 2),
        // 535's signatures are others than those that stand here.
        ("535.98", Verdict::AnswersOnly, 0),
    ] {
        let mut driver = Driver::new(Architecture::X86_64);
        driver.data(format!("NVIDIA UNIX x86_64 Kernel Module  {version}  Tue Apr\0").as_bytes());
        driver.text(BOARD_CHECK_550);
        driver.text(SECOND_GATE_550);
        driver.tables(20, 40);
        let report = driver.report(None);
        assert_eq!(report.driver.version.as_deref(), Some(version));
        assert_eq!((report.verdict, report.sites.len()), (verdict, sites), "{version}");
    }
}

#[test]
fn a_store_out_of_line_is_part_of_the_gate() {
    const GATE: &str = "85c0 0f859d000000 80bb01020000 00 7510 440fb6b301020000";
    const STORE: &str = "c7450c00000000 e957ffffff";
    let with = |version: &str, store: &str| {
        let mut driver = Driver::new(Architecture::X86_64);
        driver.data(format!("NVIDIA UNIX x86_64 Kernel Module  {version}  Tue Apr\0").as_bytes());
        driver.text(BOARD_CHECK_550);
        let gate = [bytes(GATE), vec![0x90; 0xa5 - 25], bytes(store)].concat();
        let gate = driver.text(&hex::encode(gate)) as usize;
        (driver.report(None), gate)
    };
    for version in ["570.124.03", "580.95.02"] {
        let (report, gate) = with(version, STORE);
        assert_eq!(report.verdict, Verdict::Supported, "{:?}", report.reasons);
        let site = &report.sites[1];
        assert_eq!((site.offset, site.action, site.value), (gate, Action::Store, 1));
        assert!(report.reasons[0].contains("was not run by us"), "{:?}", report.reasons);
        for wrong in ["c7450800000000 e957ffffff", "c7450c00000000 e95affffff"] {
            let (report, _) = with(version, wrong);
            assert_eq!((report.verdict, report.sites.len()), (Verdict::AnswersOnly, 1));
            assert_eq!(report.reasons.len(), 1, "{:?}", report.reasons);
            assert!(report.reasons[0].contains("what it jumps to is not"), "{:?}", report.reasons);
        }
    }
}

#[test]
fn who_changed_the_driver_is_named() {
    // As public patches leave 570's board check.
    const CHECK: &str = "f30f1efa b801000000 c3 cccccc 80bf01020000 00 c7451c00000000 \
         8b9f01020000 448bb701020000 7510";
    let mut patched = Driver::new(Architecture::X86_64);
    patched.data(ID_550);
    patched.text(CHECK);
    patched.text(SECOND_GATE_550);
    patched.tables(20, 40);
    let mut merged = Driver::whole_550();
    merged.data(b"nvidia: vup_hooks_init\0");
    let mut hooked = Driver::new(Architecture::X86_64);
    hooked.data(
        b"NVIDIA UNIX x86_64 Kernel Module  470.256.02  x\0\x014vGPU unlock patch applied.\n\0",
    );
    hooked.tables(20, 40);
    for (driver, words) in [
        (patched, "This driver is patched: reinstall the original"),
        (merged, "This driver is patched (by vGPU-Unlock-patcher, when it is loaded)"),
        (hooked, "vgpu_unlock_hooks.c is compiled into this driver: reinstall the original"),
    ] {
        let report = driver.report(None);
        assert_eq!(report.verdict, Verdict::Unsupported, "{words}");
        assert_eq!(report.reasons.len(), 1, "{:?}", report.reasons);
        assert!(report.reasons[0].starts_with(words), "{:?}", report.reasons);
    }
}

#[test]
fn a_module_says_its_version_in_modinfo() {
    let mut driver = Driver::whole_550();
    let info = driver.object.add_section(vec![], b".modinfo".to_vec(), SectionKind::ReadOnlyData);
    driver.object.append_section_data(
        info,
        b"license=NVIDIA\0version=550.54.14\0srcversion=1\0",
        1,
    );
    assert_eq!(driver.report(None).driver.version.as_deref(), Some("550.54.14"));
}

#[test]
fn no_version_or_two_are_unsupported() {
    let mut nameless = Driver::new(Architecture::X86_64);
    nameless.tables(20, 40);
    let mut beta = Driver::new(Architecture::X86_64);
    beta.data(b"NVIDIA UNIX x86_64 Kernel Module  550-beta  x\0");
    let mut two = Driver::whole_550();
    two.data(b"NVIDIA UNIX x86_64 Kernel Module  535.98  x\0");
    for (driver, reason) in [(nameless, "no version"), (beta, "no version"), (two, "two versions")]
    {
        let report = driver.report(None);
        assert_eq!(report.verdict, Verdict::Unsupported);
        assert!(report.driver.version.is_none());
        assert!(report.reasons[0].contains(reason), "{:?}", report.reasons);
    }
}

#[test]
fn pointers_elsewhere_are_no_table() {
    // A run of pointers to a symbol in another section, and to one that no file defines.
    let mut driver = Driver::whole_550();
    let text = driver.object.section_symbol(driver.text);
    let undefined = driver.object.add_symbol(Symbol {
        name: b"printk".to_vec(),
        value: 0,
        size: 0,
        kind: SymbolKind::Unknown,
        scope: SymbolScope::Unknown,
        weak: false,
        section: SymbolSection::Undefined,
        flags: SymbolFlags::None,
    });
    let at = driver.object.append_section_data(driver.rodata, &[0; 640], 32);
    for i in 0..80 {
        let symbol = if i % 2 == 0 { text } else { undefined };
        driver.pointer(driver.rodata, at + 8 * i, symbol, 8);
    }
    assert_eq!(driver.report(None).verdict, Verdict::Supported);
}

#[test]
fn the_board_check_is_asked_for_every_board() {
    // 550's first bytes, then: shr $16,%ebx; cmp $0x1eb8,%ebx; sete %al; pop; pop; pop; ret
    const CHECK: &str = "f30f1efa 4156415553 4883ed20 80bfda070000 00 c7451c00000000 \
        8b9fa00a0000 448bb7a80a0000 7500 c1eb10 81fbb81e0000 0f94c0 5b 415d 415e c3";
    let mut driver = Driver::new(Architecture::X86_64);
    driver.data(ID_550);
    driver.text(CHECK);
    driver.text(SECOND_GATE_550);
    driver.tables(20, 40);
    let report = driver.report(None);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["listed_boards"], serde_json::json!({ "boards": [{ "device": "0x1eb8" }] }));
    let text = report.to_string();
    let said =
        "  boards that this driver lists itself, by their IDs alone:\n    0x1eb8\n  GPU list";
    assert!(text.contains(said), "{text}");

    // Bytes that are only the signature are no function.
    let report = Driver::whole_550().report(None);
    assert!(matches!(report.listed_boards, Some(Listed::Unread(_))));
    assert!(report.to_string().contains("lists itself: cannot be read, "), "{report}");
    // A branch without a check.
    let mut driver = Driver::new(Architecture::X86_64);
    driver.data(b"NVIDIA UNIX x86_64 Kernel Module  470.256.02  x\0");
    assert!(driver.report(None).listed_boards.is_none());
}

#[test]
fn other_machines_and_kinds_are_named() {
    let report = Driver::new(Architecture::Aarch64).report(Some((MAGIC, KEY)));
    assert_eq!(report.verdict, Verdict::Unsupported);
    assert!(report.reasons[0].contains("arm64"), "{:?}", report.reasons);
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let report = inspect_bytes(&program, None).unwrap();
    assert_eq!(report.verdict, Verdict::Unsupported);
    assert!(report.reasons[0].contains("not a kernel module"), "{:?}", report.reasons);
}

#[test]
fn an_object_without_sections_is_unsupported() {
    let empty = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let report = inspect_bytes(&empty.write().unwrap(), Some((MAGIC, KEY))).unwrap();
    assert_eq!(report.verdict, Verdict::Unsupported);
    assert!(matches!(report.unlock, Some(None)));
}

#[test]
fn cut_off_and_damaged_files_never_panic() {
    let whole = Driver::whole_550().file();
    for len in (0..whole.len()).step_by(61) {
        // The section headers are at the end, so no prefix is a whole file.
        assert!(inspect_bytes(&whole[..len], Some((MAGIC, KEY))).is_err(), "{len} bytes");
    }
    let mut state = 7u32;
    for _ in 0..300 {
        let mut damaged = whole.clone();
        for _ in 0..4 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (state >> 8) as usize % damaged.len();
            // Half of the damage goes to where it hurts most: the headers at both ends.
            let at = if state & 2 == 0 { at % 64 } else { damaged.len() - 1 - at % 1200 };
            damaged[at] ^= (state >> 24) as u8;
        }
        let _ = inspect_bytes(&damaged, Some((MAGIC, KEY)));
    }
}

#[test]
fn people_get_a_screenful() {
    let text = Driver::whole_550().report(Some((MAGIC, KEY))).to_string();
    assert!(text.starts_with("driver 550.163.01: supported\n  board check"), "{text}");
    assert!(text.contains("board 0x1cb3 (subsystem 0x11be), Quadro P400"), "{text}");
    assert!(text.contains("GRID P40-24Q"), "{text}");
    assert!(text.lines().count() < 40 && text.lines().all(|line| line.len() < 160), "{text}");
}
