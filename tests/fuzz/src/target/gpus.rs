// SPDX-License-Identifier: GPL-2.0
//! `gpus`, against the grammar read in another way: cut at the commas first.

use vgpu_unlock::{
    gpu::Address,
    gpu::{self, Answer, Ids},
    params::{Gpus, Rule},
};

use super::texts;
use crate::Target;

pub static TARGET: Target = Target {
    name: "gpus",
    run,
    seeds: || {
        texts(&[
            "1b06=off,10de:1b06:1234=13f2,01:00.0=auto",
            "01:00.0=auto , 0x10de:0x1b06:1234=1e30:12ba ,\n1b06=off,",
            "12345678:ff:1f.7=off",
            "1b06=1b38\n",
            "2182=1e30,1e04=2230",
            "1b06=auto,any=off",
            "any=1b38,1e04=off",
            " ,",
        ])
    },
    words: || vec!["off", "auto", "any", "10de:", "0x10de:", "1b06", "0000:01:00.0", "=1b38", ","],
    max_len: 256,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Board {
    At(Address),
    Device(u16, Option<u16>),
    Any,
}

fn run(text: &[u8]) {
    let expected = rules(text);
    let gpus = match Gpus::parse(text) {
        Ok(gpus) => gpus,
        Err(error) => {
            assert_eq!(expected, None, "{error}");
            return assert!(error.at <= text.len() && error.what == "gpus");
        }
    };
    let expected = expected.expect("what was read is right");
    assert_eq!(gpus.text(), text);
    let own = Address { domain: 1, bus: 2, slot: 3, function: 4 };
    for (board, _) in &expected {
        match *board {
            Board::At(address) => {
                check(&gpus, &expected, (0x1b06, 0x120f, Some(address)));
                check(&gpus, &expected, (0x2684, 0, Some(address)));
            }
            Board::Device(device, subsystem) => {
                let subsystem = subsystem.unwrap_or(0x120f);
                for address in [None, Some(own)] {
                    check(&gpus, &expected, (device, subsystem, address));
                    check(&gpus, &expected, (device, !subsystem, address));
                }
            }
            Board::Any => check(&gpus, &expected, (0x1b06, 0x120f, Some(own))),
        }
    }
    check(&gpus, &expected, (0x1e04, 1, Some(own)));
}

fn check(
    gpus: &Gpus<'_>,
    rules: &[(Board, Rule)],
    (device, subsystem, address): (u16, u16, Option<Address>),
) {
    let of = |board| rules.iter().find(|(other, _)| *other == board).map(|(_, rule)| *rule);
    let rule = address
        .and_then(|address| of(Board::At(address)))
        .or_else(|| of(Board::Device(device, Some(subsystem))))
        .or_else(|| of(Board::Device(device, None)))
        .or_else(|| of(Board::Any))
        .unwrap_or(Rule::Auto);
    let ids = Ids { device, subsystem };
    assert_eq!(gpus.rule(ids, address), rule);

    let built_in = gpu::answer(ids, None).sibling();
    let answer = match rule {
        Rule::Off => None,
        Rule::As(id, Some(sub)) => Some(Ids { device: id, subsystem: sub }),
        Rule::As(id, None) => {
            let table = built_in.filter(|sibling| sibling.device == id).and_then(|s| s.subsystem);
            Some(Ids { device: id, subsystem: table.unwrap_or(subsystem) })
        }
        Rule::Auto => built_in.map(|sibling| Ids {
            device: sibling.device,
            subsystem: sibling.subsystem.unwrap_or(subsystem),
        }),
    };
    assert_eq!(gpus.answer(ids, address), answer);

    for branch in [None, Some(470), Some(550), Some(590)] {
        board_is(gpus.board(ids, address, branch), ids, branch, (rule, answer));
    }
}

fn board_is(board: Answer, ids: Ids, branch: Option<u16>, (rule, answer): (Rule, Option<Ids>)) {
    let built_in = gpu::answer(ids, branch);
    // Of these, the table says nothing else than that they are NVIDIA's own.
    let native = matches!(built_in, Answer::Listed | Answer::Dropped | Answer::NotYet);
    match rule {
        Rule::Off => assert_eq!(board, Answer::Unknown),
        Rule::Auto => assert_eq!(board, built_in),
        Rule::As(id, _) if id == ids.device && native => assert_eq!(board, built_in),
        // What status and tables go by is what the daemons are told.
        Rule::As(..) => {
            let sibling = board.sibling().map(|sibling| Ids {
                device: sibling.device,
                subsystem: sibling.subsystem.unwrap_or(ids.subsystem),
            });
            assert_eq!(sibling, answer);
        }
    }
}

/// All rules, each for another board; `None` where the text is wrong.
fn rules(text: &[u8]) -> Option<Vec<(Board, Rule)>> {
    let text = std::str::from_utf8(text).ok()?.trim_matches(space);
    if text.is_empty() {
        return Some(vec![]);
    }
    let mut rules: Vec<(Board, Rule)> = vec![];
    for part in text.strip_suffix(',').unwrap_or(text).split(',') {
        let (board, answer) = part.split_once('=')?;
        let (board, answer) = (board_of(board.trim_matches(space))?, answer.trim_matches(space));
        if rules.iter().any(|(other, _)| *other == board) {
            return None;
        }
        rules.push((board, rule_of(answer)?));
    }
    Some(rules)
}

fn space(c: char) -> bool {
    c.is_ascii_whitespace()
}

fn board_of(text: &str) -> Option<Board> {
    if text == "any" {
        return Some(Board::Any);
    }
    let parts: Vec<&str> = text.split(':').collect();
    if let Some((slot, function)) = parts.last()?.split_once('.') {
        let (domain, bus) = match parts[..] {
            [domain, bus, _] => (domain, bus),
            [bus, _] => ("0", bus),
            _ => return None,
        };
        let (slot, function) = (hex(slot, 2)?, hex(function, 1)?);
        return (slot < 32 && function < 8).then_some(Board::At(Address {
            domain: hex(domain, 8)?,
            bus: hex(bus, 2)?.try_into().ok()?,
            slot: slot.try_into().ok()?,
            function: function.try_into().ok()?,
        }));
    }
    let ids = parts.iter().map(|part| id(part)).collect::<Option<Vec<u16>>>()?;
    match ids[..] {
        [device] | [0x10de, device] => Some(Board::Device(device, None)),
        [0x10de, device, subsystem] => Some(Board::Device(device, Some(subsystem))),
        _ => None,
    }
}

fn rule_of(text: &str) -> Option<Rule> {
    match text {
        "off" => Some(Rule::Off),
        "auto" => Some(Rule::Auto),
        _ => match text.split_once(':') {
            None => Some(Rule::As(id(text)?, None)),
            Some((device, subsystem)) => Some(Rule::As(id(device)?, Some(id(subsystem)?))),
        },
    }
}

fn id(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    (digits.len() == 4).then(|| hex(digits, 4))??.try_into().ok()
}

fn hex(digits: &str, most: usize) -> Option<u32> {
    let right = (1..=most).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_hexdigit());
    right.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}
