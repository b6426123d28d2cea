// SPDX-License-Identifier: GPL-2.0
//! `gpus`: what each board is answered as. The closest rule counts.

mod rule;

pub use rule::Rule;

use super::error::ParseError;
use crate::logic::gpu::{self, Address, Answer, Ids, Sibling};
use rule::{Board, Rules};

/// The parameter `gpus`, read and found right. See the module's documentation for its grammar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gpus<'a>(pub(crate) &'a [u8]);

impl<'a> Gpus<'a> {
    /// Reads all rules.
    ///
    /// # Errors
    /// The first thing that is wrong, a second rule for a board included.
    pub fn parse(text: &'a [u8]) -> Result<Self, ParseError> {
        let mut rules = Rules::new(text);
        loop {
            let mut before = Rules::new(text);
            let Some(rule) = rules.next() else { return Ok(Self(text)) };
            let (at, board, _) = rule?;
            while let Some(Ok((earlier, other, _))) = before.next() {
                if earlier >= at {
                    break;
                }
                if other == board {
                    return Err(ParseError { at, what: "gpus", expected: "one rule a board" });
                }
            }
        }
    }

    /// A text that [`Gpus::parse`] has accepted before.
    ///
    /// Of another one, what stands in front of its first error is in force.
    pub const fn accepted(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// Whether any rule is for a bus address, so that it matters which one a board has.
    pub fn name_addresses(&self) -> bool {
        Rules::new(self.0).map_while(Result::ok).any(|(_, board, _)| matches!(board, Board::At(_)))
    }

    /// The rule for a board: that for its address, or else its device and subsystem ID, or else its
    /// device ID, or else any board. Without one it is [`Rule::Auto`].
    ///
    /// `address` is `None` where the caller does not know it.
    pub fn rule(&self, ids: Ids, address: Option<Address>) -> Rule {
        let mut best = (0, Rule::Auto);
        for (_, board, rule) in Rules::new(self.0).map_while(Result::ok) {
            match board.rank(ids, address) {
                Some(rank) if rank > best.0 => best = (rank, rule),
                _ => {}
            }
        }
        best.1
    }

    /// What is done about a board by a driver of this branch: the built-in table's answer, unless a rule
    /// says another one. A board that is left alone is answered as none.
    pub fn board(&self, ids: Ids, address: Option<Address>, branch: Option<u16>) -> Answer {
        match self.rule(ids, address) {
            Rule::Off => Answer::Unknown,
            Rule::Auto => gpu::answer(ids, branch),
            Rule::As(other, its) => gpu::answer_as(ids, branch, named(ids, other, its)),
        }
    }

    /// The IDs that a board is answered with; `None` where it keeps its own. Those depend on no branch.
    ///
    /// Where a rule names no subsystem ID, the built-in table's is taken, if it has one with that
    /// device ID for this board, and otherwise the board keeps its own.
    pub fn answer(&self, ids: Ids, address: Option<Address>) -> Option<Ids> {
        let sibling = match self.rule(ids, address) {
            Rule::Off => None,
            Rule::Auto => gpu::answer(ids, None).sibling(),
            Rule::As(other, its) => Some(named(ids, other, its)),
        };
        sibling.map(|sibling| Ids {
            device: sibling.device,
            subsystem: sibling.subsystem.unwrap_or(ids.subsystem),
        })
    }
}

/// The board that a rule names for another one. Without a subsystem ID of the rule's it has the built-in
/// table's, if that has the same board for this one.
fn named(ids: Ids, other: u16, subsystem: Option<u16>) -> Sibling {
    let table = gpu::answer(ids, None).sibling().filter(|sibling| sibling.device == other);
    gpu::chosen(other, subsystem.or(table.and_then(|sibling| sibling.subsystem)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: u16 = 0x1234;

    fn address(bus: u8) -> Option<Address> {
        Some(Address { domain: 0, bus, slot: 0, function: 0 })
    }

    fn ids(device: u16) -> Ids {
        Ids { device, subsystem: OWN }
    }

    fn answer(text: &str, device: u16, bus: u8) -> Option<(u16, u16)> {
        let gpus = Gpus::parse(text.as_bytes()).unwrap();
        gpus.answer(ids(device), address(bus)).map(|i| (i.device, i.subsystem))
    }

    #[test]
    fn what_was_accepted_says_the_same_again() {
        let text = b"1b06=off,10de:1b06:120f=1b38";
        let (first, again) = (Gpus::parse(text).unwrap(), Gpus::accepted(text));
        for subsystem in [0x120f, OWN] {
            let ids = Ids { device: 0x1b06, subsystem };
            assert_eq!(again.rule(ids, None), first.rule(ids, None));
        }
        let broken = Gpus::accepted(b"1b06=off,nonsense,1b07=off");
        assert_eq!(broken.rule(ids(0x1b06), None), Rule::Off);
        assert_eq!(broken.rule(ids(0x1b07), None), Rule::Auto);
    }

    #[test]
    fn rules_for_addresses_are_told_from_others() {
        for (text, expected) in [
            ("", false),
            ("1b06=off,10de:1b06:120f=1b38", false),
            ("1b06=off,0000:01:00.0=auto", true),
            ("01:00.0=off", true),
        ] {
            assert_eq!(Gpus::parse(text.as_bytes()).unwrap().name_addresses(), expected, "{text}");
        }
    }

    #[test]
    fn without_rules_the_table_decides() {
        for text in ["", " ", "\n"] {
            assert_eq!(answer(text, 0x1b06, 1), Some((0x1b38, OWN)));
            assert_eq!(answer(text, 0x1e04, 1), Some((0x1e30, 0x12ba)));
            assert_eq!(answer(text, 0x1b38, 1), None);
            assert_eq!(answer(text, 0x2684, 1), None);
        }
    }

    #[test]
    fn a_rule_can_name_the_board_in_every_way() {
        for text in ["10de:1b06=13f2", "1b06=13f2", "0x10de:0x1b06=0x13f2", "10DE:1B06=13F2"] {
            assert_eq!(answer(text, 0x1b06, 1), Some((0x13f2, OWN)), "{text}");
            assert_eq!(answer(text, 0x1b07, 1), Some((0x1b38, OWN)), "{text}");
        }
        for text in ["0000:01:00.0=13f2", "01:00.0=13f2", "0:1:0.0=13f2"] {
            assert_eq!(answer(text, 0x1b06, 1), Some((0x13f2, OWN)), "{text}");
            assert_eq!(answer(text, 0x1b06, 2), Some((0x1b38, OWN)), "{text}");
        }
        assert_eq!(answer("10de:1b06:1234=13f2", 0x1b06, 1), Some((0x13f2, OWN)));
        assert_eq!(answer("10de:1b06:4321=13f2", 0x1b06, 1), Some((0x1b38, OWN)));
    }

    #[test]
    fn an_address_without_a_domain_fits_addresses_of_all_sizes() {
        let text = b"12345678:ff:1f.7=off";
        let at = Address { domain: 0x1234_5678, bus: 0xff, slot: 31, function: 7 };
        assert_eq!(Gpus::parse(text).unwrap().rule(ids(1), Some(at)), Rule::Off);
    }

    #[test]
    fn answers_can_be_off_auto_or_ids() {
        assert_eq!(answer("1b06=off", 0x1b06, 1), None);
        assert_eq!(answer("1b06=auto", 0x1b06, 1), Some((0x1b38, OWN)));
        assert_eq!(answer("1b06=1b38:11a0", 0x1b06, 1), Some((0x1b38, 0x11a0)));
        // The table's subsystem ID, where it answers this board with that device ID; else its own.
        assert_eq!(answer("2182=1e30", 0x2182, 1), Some((0x1e30, 0x12ba)));
        assert_eq!(answer("2684=2230", 0x2684, 1), Some((0x2230, OWN)));
    }

    #[test]
    fn a_rule_decides_what_is_done_about_a_board() {
        let board = |text: &'static str, device| {
            Gpus::parse(text.as_bytes()).unwrap().board(ids(device), address(1), Some(535))
        };
        for device in [0x1b06, 0x1b38, 0x2684] {
            assert_eq!(board("1b06=auto", device), gpu::answer(ids(device), Some(535)));
            assert_eq!(board("01:00.0=off", device), Answer::Unknown);
        }
        for (text, device, expected) in [
            ("1b06=1e30:12ba", 0x1b06, (0x1e30, Some(0x12ba), "Quadro RTX 6000")),
            ("2182=1e30", 0x2182, (0x1e30, Some(0x12ba), "Quadro RTX 6000")),
            ("2684=2230", 0x2684, (0x2230, None, "RTX A6000")),
            ("1b38=1bb3", 0x1b38, (0x1bb3, None, "Tesla P4")),
            ("1b06=1b06", 0x1b06, (0x1b06, None, "unknown board")),
        ] {
            let sibling = board(text, device).sibling().unwrap();
            assert_eq!((sibling.device, sibling.subsystem, sibling.name), expected, "{text}");
        }
        // Answered as what it is, a board that NVIDIA lists needs nothing.
        assert_eq!(board("1b38=1b38:11a0", 0x1b38), Answer::Listed);
        // Nor one that this branch has dropped, which is what it is anyway.
        let gpus = Gpus::parse(b"1b38=1b38").unwrap();
        assert_eq!(gpus.board(ids(0x1b38), address(1), Some(550)), Answer::Dropped);
        assert_eq!(
            gpus.board(ids(0x1b06), address(1), Some(550)).sibling().unwrap().device,
            0x1b38
        );
    }

    #[test]
    fn the_closest_rule_wins_whatever_the_order() {
        for text in [
            "1b06=off,10de:1b06:1234=13f2,01:00.0=auto",
            "01:00.0=auto , 10de:1b06:1234=13f2 ,\n1b06=off,",
        ] {
            assert_eq!(answer(text, 0x1b06, 1), Some((0x1b38, OWN)));
            assert_eq!(answer(text, 0x1b06, 2), Some((0x13f2, OWN)));
            let gpus = Gpus::parse(text.as_bytes()).unwrap();
            assert_eq!(gpus.rule(Ids { device: 0x1b06, subsystem: 1 }, None), Rule::Off);
            assert_eq!(gpus.rule(ids(0x1b06), None), Rule::As(0x13f2, None));
        }
    }

    #[test]
    fn a_rule_for_any_board_is_for_those_without_a_closer_one() {
        for text in ["any=off,1b06=13f2,02:00.0=auto", "02:00.0=auto,1b06=13f2,any=off"] {
            assert_eq!(answer(text, 0x1b06, 1), Some((0x13f2, OWN)), "{text}");
            assert_eq!(answer(text, 0x1e04, 1), None, "{text}");
            assert_eq!(answer(text, 0x1e04, 2), Some((0x1e30, 0x12ba)), "{text}");
        }
        let gpus = Gpus::parse(b"any=off").unwrap();
        assert!(!gpus.name_addresses());
        for device in [0x1b06, 0x1b38, 0x2684] {
            assert_eq!(gpus.board(ids(device), address(1), None), Answer::Unknown);
        }
    }
}
