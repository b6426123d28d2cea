// SPDX-License-Identifier: GPL-2.0
//! Functions of ours that hooks are placed on.

use iced_x86::Mnemonic;

use super::elf::{Object, Step};

/// Daemons' calls are sent here, and a return probe sits on it. It must not stay on the stack.
const STUB: &str = "vu_ioctl_stub";
/// What it jumps to.
const TRAMPOLINE: &str = "__SCT__vu_ioctl";
/// It tells us whether ftrace works.
const CANARY: &str = "vu_traced";
/// How long the instruction is that ftrace changes.
const SITE: usize = 5;

/// What keeps a hook from being placed, or from seeing what it is for.
pub fn wrong(object: &Object) -> Vec<String> {
    let mut complaints: Vec<String> =
        [STUB, CANARY].iter().filter_map(|name| behind_site(object, name).err()).collect();
    if let Ok([step, ..]) = behind_site(object, STUB) {
        if !is_jump(object, step) {
            complaints.push(format!(
                "{STUB} goes on with {:?}, and not with a jump to {TRAMPOLINE}",
                step.does.code()
            ));
        }
    }
    complaints
}

/// What a function does behind the instruction that ftrace changes, of which there must be one.
fn behind_site<'a>(object: &'a Object, name: &str) -> Result<&'a [Step], String> {
    let function = object.function(name).ok_or_else(|| format!("there is no {name}"))?;
    let mut steps = object.steps(function);
    if let [first, rest @ ..] = steps {
        if first.does.mnemonic() == Mnemonic::Endbr64 {
            steps = rest;
        }
    }
    let listed = object.listed(&["__mcount_loc"]);
    match steps {
        [site, rest @ ..] if site.does.len() == SITE && listed.binary_search(&site.at).is_ok() => {
            Ok(rest)
        }
        _ => Err(format!("{name} does not begin with what ftrace can change")),
    }
}

fn is_jump(object: &Object, step: &Step) -> bool {
    let trampoline = object.function(TRAMPOLINE).map(|function| function.start);
    let mut targets = object.references(step).iter().map(|r| object.leads_to(step, r));
    step.does.mnemonic() == Mnemonic::Jmp && targets.any(|to| to.is_some() && to == trampoline)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::object::made::{
        ENDBR, Made,
        Piece::{self, Bytes, Call, Jump},
    };

    const FENTRY: Piece = Call("__fentry__");
    const SUB_8: Piece = Bytes(&[0x48, 0x83, 0xec, 0x08]);
    const RET: Piece = Bytes(&[0xc3]);

    fn wrong_with(stub: &[Piece], listed: &[&str]) -> Vec<String> {
        let made = Made::of(&[
            (STUB, stub),
            (CANARY, &[FENTRY, RET]),
            (TRAMPOLINE, &[Bytes(&[0xe9, 0, 0, 0, 0])]),
        ]);
        wrong(&made.table("__mcount_loc", listed).done())
    }

    #[test]
    fn the_stub_is_a_site_and_a_jump() {
        let both = [STUB, CANARY];
        let jump = format!("{STUB} goes on with");
        let site = format!("{STUB} does not begin with");
        let rows: [(&[Piece], &str); 6] = [
            (&[FENTRY, Jump(TRAMPOLINE)], ""),
            // As objtool leaves it: a long instruction that does nothing.
            (&[Bytes(&[0x0f, 0x1f, 0x44, 0, 0]), Jump(TRAMPOLINE)], ""),
            (&[FENTRY, Call(TRAMPOLINE), RET], &jump),
            (&[FENTRY, SUB_8, Jump(TRAMPOLINE)], &jump),
            (&[FENTRY, Jump("elsewhere")], &jump),
            (&[SUB_8, Jump(TRAMPOLINE)], &site),
        ];
        for (stub, begins) in rows {
            let complaints = wrong_with(stub, &both).join("\n");
            assert!(complaints.starts_with(begins), "{complaints}");
            assert_eq!(complaints.is_empty(), begins.is_empty(), "{complaints}");
        }
    }

    #[test]
    fn ftrace_has_to_know_the_sites() {
        let stub = [FENTRY, Jump(TRAMPOLINE)];
        let no_canary = wrong_with(&stub, &[STUB]);
        assert_eq!(no_canary, [format!("{CANARY} does not begin with what ftrace can change")]);
        // It lists what stands behind an ENDBR.
        let stub = [ENDBR, FENTRY, Jump(TRAMPOLINE)];
        assert_eq!(wrong_with(&stub, &[&format!("{STUB}+4"), CANARY]), [""; 0]);
        let before = wrong_with(&stub, &[STUB, CANARY]);
        assert_eq!(before, [format!("{STUB} does not begin with what ftrace can change")]);
        assert_eq!(wrong(&Made::of(&[("f", &[RET])]).done()).len(), 2);
    }
}
