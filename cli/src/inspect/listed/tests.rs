// SPDX-License-Identifier: GPL-2.0
//! Functions of our own, as GCC 12.2 compiles them (-O2 -fcf-protection), and what it would do to one.

use super::*;

/// A flag at 0x100, the device ID at 0x112 and the subsystem ID at 0x11a, each as 16 bits; listed are
/// 0x1b38, 0x1b39, 0x1bb3, 0x13bd without two subsystem IDs, and six that a bit test finds. Everything
/// else is another function's to say, with a jump at its end.
const WORDS: &str = "\
    f30f1efa 80bf0001000000 7563 0fb78712010000 663d391b 772e 663d371b 7750 663dbd13 7542 \
    0fb7871a010000 663d0a11 0f95c1 31d2 663d4511 0f95c2 21ca 89d0 c3 660f1f440000 663db31b 7422 \
    662db020 6683f809 7710 b9a5030000 ba01000000 480fa3c1 72d7 e900000000 0f1f00 ba01000000 89d0 c3";

/// Where `WORDS` has the other function's address.
const WORDS_JUMP: u64 = 0x69;

/// Likewise with 0x1db1, 0x1db3, 0x13bd with one subsystem ID or if another function says so, and
/// 0x1e37 with two.
const CALLS: &str = "\
    f30f1efa 80bf0001000000 7525 0fb78712010000 0fb7971a010000 3db31d0000 7410 771c 3dbd130000 7435 \
    3db11d0000 7520 b801000000 c3 0f1f840000000000 3d371e0000 750b 83e2fd 81fa04130000 74e0 \
    e900000000 660f1f840000000000 b801000000 81fa60110000 741b 4883ec08 e800000000 85c0 0f95c0 \
    4883c408 0fb6c0 c3 0f1f440000 c3";

const CALLS_JUMPS: [u64; 2] = [0x53, 0x72];

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex.replace(char::is_whitespace, "")).unwrap()
}

fn listed(text: &[u8], start: usize, relocations: &[u64]) -> Result<Vec<String>, String> {
    let boards = boards(text, start, relocations)?;
    Ok(boards.iter().map(ToString::to_string).collect())
}

/// What `CODE` says, which is put behind an instruction that keeps IDs out of the way.
fn refusal(code: &str) -> String {
    listed(&bytes(code), 0, &[]).unwrap_err()
}

#[test]
fn a_check_is_followed_for_every_id() {
    let ids = "0x13bd (not subsystem 0x110a or 0x1145), 0x1b38, 0x1b39, 0x1bb3, 0x20b0, 0x20b2, \
               0x20b5, 0x20b7, 0x20b8, 0x20b9";
    assert_eq!(listed(&bytes(WORDS), 0, &[WORDS_JUMP]).unwrap().join(", "), ids);
    // Wherever it stands.
    let text = [vec![0xcc; 0x345], bytes(WORDS), vec![0xcc; 9]].concat();
    let found = listed(&text, 0x345, &[3, 0x345 + WORDS_JUMP, 0x999]).unwrap();
    assert_eq!(found.join(", "), ids);
}

#[test]
fn what_another_function_says_is_not_taken_for_an_answer() {
    let ids = "0x13bd (subsystem 0x1160), 0x1db1, 0x1db3, 0x1e37 (subsystem 0x1304 or 0x1306)";
    assert_eq!(listed(&bytes(CALLS), 0, &CALLS_JUMPS).unwrap().join(", "), ids);
}

#[test]
fn ids_that_are_the_upper_half_of_a_word_are_found() {
    // mov 0x10(%rdi),%eax; mov 0x18(%rdi),%edx; shr $16,%eax; shr $16,%edx; cmp $0x1234,%eax; jne 1f;
    // cmp $0x12ba,%edx; 1: sete %al; ret
    let code = "8b4710 8b5718 c1e810 c1ea10 3d34120000 7506 81faba120000 0f94c0 c3";
    assert_eq!(listed(&bytes(code), 0, &[]).unwrap(), ["0x1234 (subsystem 0x12ba)"]);
}

#[test]
fn locals_are_kept_on_both_stacks() {
    // push %rbx; movzwl (%rdi),%ebx; movl $1,-4(%rbp); mov -4(%rbp),%eax; cmp $0x1b38,%ebx; je 1f;
    // xor %eax,%eax; 1: pop %rbx; ret
    let code = "53 0fb71f c745fc01000000 8b45fc 81fb381b0000 7402 31c0 5b c3";
    assert_eq!(listed(&bytes(code), 0, &[]).unwrap(), ["0x1b38"]);
}

#[test]
fn what_is_not_known_is_refused() {
    for (code, said) in [
        ("0fb707 f7d8 c3", "f7d8 at .text+0x3 does"),
        ("0fb707 8b05 00000000 c3", "8b0500000000 at .text+0x3 does"),
        ("0fb707 8b4424f0 c3", "8b4424f0 at .text+0x3 does"),
        ("0fb707 65 8b00 c3", "658b00 at .text+0x3 does"),
        ("0fb707 6601f8 70f0 c3", "70f0 at .text+0x6 does"),
        ("0fb707 ffe0", "ffe0 at .text+0x3 does"),
        // mov %ah,%al
        ("0fb707 88e0 c3", "88e0 at .text+0x3 does"),
        ("ebfe", "does not end"),
        ("eb7f", "goes too far"),
        ("eb80", "goes too far"),
        ("0fb707", "goes too far"),
        ("b801000000 c3", "more than 200 boards"),
        ("31c0 c3", "no board at all"),
        ("", "goes too far"),
    ] {
        let refusal = refusal(code);
        assert!(refusal.contains(said), "{code}: {refusal}");
    }
    // An address that is not there yet.
    let relocated = listed(&bytes("0fb707 3d00000000 0f94c0 c3"), 0, &[4]).unwrap_err();
    assert!(relocated.contains("3d00000000 at .text+0x3 does"), "{relocated}");
    assert!(listed(&bytes(WORDS), 0x1000, &[]).is_err());
}

#[test]
fn damaged_functions_never_panic() {
    let whole = bytes(CALLS);
    let mut state = 7u32;
    for _ in 0..2000 {
        let mut code = whole.clone();
        for _ in 0..2 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (state >> 8) as usize % code.len();
            code[at] ^= (state >> 24) as u8;
        }
        let mut machine = Machine::new(&code, 0, &CALLS_JUMPS);
        for device in [0, 0x13bd, 0x1db1, 0x1e37, 0xffff] {
            let _ = machine.run(device, 0x1304);
        }
    }
}
