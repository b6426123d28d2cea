// SPDX-License-Identifier: GPL-2.0
//! Plans for boards that people have.

use super::*;
use crate::board::types;
use crate::profile::{BoardMemory, Import};

const GIB: u64 = 1 << 30;

fn request(gib: u64, wishes: &[(Owner, Option<u64>)]) -> Request {
    let wish = |&(owner, gib): &(Owner, Option<u64>)| Wish {
        owner,
        total: gib.map(|gib| gib * GIB),
        vgpu_type: None,
    };
    Request {
        board: "the board".to_owned(),
        memory: gib * GIB,
        reserve: None,
        ecc: false,
        types: types(0x1b38),
        vgpu_type: None,
        beside: Vec::new(),
        mode: Mode::EqualSize,
        wishes: wishes.iter().map(wish).collect(),
        displays: None,
        resolution: None,
    }
}

fn three() -> Request {
    request(11, &[(Owner::Vm(100), Some(6)), (Owner::Vm(101), None), (Owner::Vm(102), None)])
}

fn error(request: &Request) -> String {
    plan(request).unwrap_err().to_string()
}

#[test]
fn this_board_three_machines_one_with_6_gib() {
    let plan = plan(&three()).unwrap();
    assert_eq!(
        plan.toml(),
        "[profile.nvidia-47]\nmax_instances = 3\nframebuffer = \"2216MiB\"\n\
         framebuffer_reservation = \"216MiB\"\n\n[vm.100]\nframebuffer = \"5696MiB\"\n\
         framebuffer_reservation = \"448MiB\"\n"
    );
    assert_eq!((plan.left, plan.reserve, &plan.warnings[..]), (0, 256 << 20, &[][..]));
    let text = plan.text();
    for line in [
        "board: the board, 11264MiB, 256MiB kept for the host",
        "type: nvidia-47 (GRID P40-2Q), 3 of them",
        "vGPU   type              whole  framebuffer  reservation",
        "vm 100 nvidia-47       6144MiB      5696MiB       448MiB",
        "vm 101 nvidia-47       2432MiB      2216MiB       216MiB",
        "left                      0MiB",
        "note: a vGPU's memory is one piece: start the VM with the most first, or there may be no piece \
         as large",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let json = plan.json();
    assert_eq!(json["vgpus"][0]["vm"], 100);
    assert_eq!(json["vgpus"][0]["framebuffer"], 5696u64 << 20);
    assert_eq!(json["vgpus"][1]["total"], 2432u64 << 20);
    assert_eq!(json["types"][0]["name"], "GRID P40-2Q");
    assert_eq!(json["overrides"], plan.toml());
}

/// What the README shows is what is printed.
#[test]
fn the_readme_shows_this_plan() {
    let mut request = three();
    request.board = "GeForce GTX 1080 Ti".to_owned();
    let readme = std::fs::read_to_string(crate::test_files().join("../README.md")).unwrap();
    let command = "$ vgpu-unlock plan --board 1b06 --vm 100=6GiB --vm 101 --vm 102\n";
    let shown = format!("{command}{}", plan(&request).unwrap().text());
    assert!(readme.contains(&shown), "{shown}");
}

#[test]
fn who_is_not_named_has_what_the_type_has() {
    let mut wishes = vec![(Owner::Vm(100), Some(6))];
    wishes.extend([(Owner::Any, None); 2]);
    let plan = plan(&request(11, &wishes)).unwrap();
    assert_eq!(plan.sections.len(), 2);
    assert!(plan.text().contains("any    nvidia-47       2432MiB"), "{}", plan.text());
    // One that is named and wants less has a section of its own, and the type keeps the others' size.
    wishes.push((Owner::Vm(7), Some(1)));
    let plan = super::plan(&request(11, &wishes)).unwrap();
    let targets: Vec<_> = plan.sections.iter().map(|section| &section.target[..]).collect();
    assert_eq!(targets, ["nvidia-46", "vm/100", "vm/7"]);
    assert_eq!(plan.sections[0].settings[1], (Key::Framebuffer, Value::Number(1736 << 20)));
}

#[test]
fn displays_have_their_pixels() {
    let mut request = request(8, &[(Owner::Any, None)]);
    (request.displays, request.resolution) = (Some(2), Some((1920, 1080)));
    let toml = plan(&request).unwrap().toml();
    assert!(toml.contains("num_displays = 2\ndisplay_width = 1920\n"), "{toml}");
    assert!(toml.contains("max_pixels = 4147200\n"), "{toml}");
}

#[test]
fn the_host_has_its_part_where_there_is_one() {
    let whole = [(Owner::Any, Some(8)); 3];
    let plan = plan(&request(24, &whole)).unwrap();
    assert_eq!((plan.reserve, plan.left, plan.notes.len()), (0, 0, 0));
    assert!(plan.warnings[0].contains("nothing is left for the host"), "{:?}", plan.warnings);
    let mut reserved = request(24, &whole);
    reserved.reserve = Some(GIB);
    assert!(
        error(&reserved)
            .contains("the board has 24GiB, of which 1GiB are kept: that is 1GiB too much")
    );
    // A Tesla P40 with ECC has 23040MiB.
    let mut ecc = request(24, &[(Owner::Any, None)]);
    (ecc.ecc, ecc.reserve) = (true, Some(0));
    let plan = super::plan(&ecc).unwrap();
    assert_eq!(plan.vgpus[0].total(), 23040 << 20);
}

#[test]
fn what_does_not_fit_is_said_with_numbers() {
    let vm = Owner::Vm;
    for (request, said) in [
        (request(8, &[]), "no vGPU is wished for"),
        (request(8, &[(vm(1), Some(9))]), "the vGPUs need 9GiB, but the board has 8GiB"),
        (request(8, &[(vm(1), Some(8)), (vm(2), None)]), "for the 1 without a size 0MiB are left"),
        (request(2, &[(Owner::Any, None); 9]), "each needs at least 384MiB"),
        (
            request(24, &[(Owner::Any, None); 25]),
            "NVIDIA allows 25 vGPUs on a board; of the smallest 24",
        ),
    ] {
        let error = error(&request);
        assert!(error.contains(said), "{error}");
    }
    let mut small = three();
    small.wishes[0].total = Some(5);
    assert!(error(&small).contains("a vGPU has at least 384MiB in steps of 64MiB, not 0MiB"));
    let mut unknown = three();
    unknown.types.clear();
    assert!(error(&unknown).contains("say --type nvidia-N"));
    unknown.vgpu_type = Some(999);
    let plan = plan(&unknown).unwrap();
    assert!(plan.warnings[0].contains("nvidia-999 is not among the types that are known"));
    let mut odd = three();
    odd.wishes[0].total = Some(6000 << 20);
    assert!(super::plan(&odd).unwrap().warnings[0].contains("6000MiB was rounded down to 5952MiB"));
}

#[test]
fn types_that_must_not_be_mixed_are_refused() {
    let mut mixed = three();
    mixed.wishes[0].vgpu_type = Some(50);
    assert!(error(&mixed).contains("nvidia-47 (GRID P40-2Q) has 2048MiB, nvidia-50"));
    mixed.mode = Mode::MixedSize;
    let plan = plan(&mixed).unwrap();
    assert!(plan.warnings[0].contains("that needs mixed-size mode, vGPU 17 or newer"));
    let targets: Vec<_> = plan.sections.iter().map(|section| &section.target[..]).collect();
    assert_eq!(targets, ["nvidia-47", "nvidia-50"]);
    let mut beside = three();
    beside.beside = vec![46];
    assert!(error(&beside).contains("in equal-size mode"));
    let mut many = three();
    many.vgpu_type = Some(52);
    let plan = super::plan(&many).unwrap();
    assert!(plan.warnings[0].contains("NVIDIA allows 2 vGPUs of nvidia-52"), "{:?}", plan.warnings);
}

/// What is planned, the importer has nothing to say against, on the very board.
#[test]
fn a_plan_is_right_for_the_importer() {
    let mut displays = three();
    (displays.displays, displays.resolution) = (Some(4), Some((2560, 1440)));
    for request in [
        three(),
        displays,
        request(24, &[(Owner::Any, None); 24]),
        request(2, &[(Owner::Any, None)]),
    ] {
        let plan = plan(&request).unwrap();
        let mut import = Import::default();
        import.set_board(BoardMemory { name: "it".to_owned(), bytes: request.memory });
        import.profiles("plan", &plan.toml());
        let report = import.report();
        assert!(!report.contains("warning: ") && !report.contains("error: "), "{report}");
        let again: Vec<_> =
            import.settings().map(|(t, k, v)| (t.to_owned(), k, v.clone())).collect();
        let planned = plan.sections.iter().flat_map(|section| {
            section.settings.iter().map(|(k, v)| (section.target.clone(), *k, v.clone()))
        });
        assert_eq!(again, planned.collect::<Vec<_>>());
    }
}
