// SPDX-License-Identifier: GPL-2.0
//! Functions of ours that hooks are placed on.

use iced_x86::Mnemonic;

use super::elf::{Object, Step};

/// Daemons' calls are sent here, and a return probe sits on it. It must not stay on the stack.
const STUB: &str = "vu_ioctl_stub";
/// What it jumps to.
const TRAMPOLINE: &str = "__SCT__vu_ioctl";
/// Daemons are sent here when they open the device. What it does before it jumps is counted, and waited for;
/// the driver's function may take its time, and must not be called.
const OPEN_STUB: &str = "vu_open_stub";
/// What it jumps to.
const OPEN_TRAMPOLINE: &str = "__SCT__vu_open";
/// It tells us whether ftrace works.
const CANARY: &str = "vu_traced";
/// How long the instruction is that ftrace changes.
const SITE: usize = 5;

/// What keeps a hook from being placed, or from seeing what it is for.
pub fn wrong(object: &Object) -> Vec<String> {
    let mut complaints: Vec<String> =
        [STUB, CANARY].iter().filter_map(|name| behind_site(object, name).err()).collect();
    if let Ok([step, ..]) = behind_site(object, STUB) {
        if !is_jump(object, step, TRAMPOLINE) {
            complaints.push(format!(
                "{STUB} goes on with {:?}, and not with a jump to {TRAMPOLINE}",
                step.does.code()
            ));
        }
    }
    complaints.extend(calls_open(object));
    complaints
}

/// What is wrong with the stub for open().
fn calls_open(object: &Object) -> Option<String> {
    let Some(function) = object.function(OPEN_STUB) else {
        return Some(format!("there is no {OPEN_STUB}"));
    };
    let leads = |step: &&Step| leads_to(object, step, OPEN_TRAMPOLINE);
    let mut steps = object.steps(function).iter().filter(leads).peekable();
    let jumps = steps.peek().is_some() && steps.all(|step| is_jump(object, step, OPEN_TRAMPOLINE));
    (!jumps).then(|| format!("{OPEN_STUB} does not end with a jump to {OPEN_TRAMPOLINE}"))
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

fn is_jump(object: &Object, step: &Step, trampoline: &str) -> bool {
    step.does.mnemonic() == Mnemonic::Jmp && leads_to(object, step, trampoline)
}

fn leads_to(object: &Object, step: &Step, name: &str) -> bool {
    let start = object.function(name).map(|function| function.start);
    let mut targets = object.references(step).iter().map(|r| object.leads_to(step, r));
    targets.any(|to| to.is_some() && to == start)
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

    const GOOD_OPEN_STUB: [Piece; 3] = [FENTRY, Call("vu_daemon_opens"), Jump(OPEN_TRAMPOLINE)];

    fn wrong_with(stub: &[Piece], listed: &[&str]) -> Vec<String> {
        wrong_with_both(stub, &GOOD_OPEN_STUB, listed)
    }

    fn wrong_with_both(stub: &[Piece], open_stub: &[Piece], listed: &[&str]) -> Vec<String> {
        let made = Made::of(&[
            (STUB, stub),
            (OPEN_STUB, open_stub),
            (CANARY, &[FENTRY, RET]),
            (TRAMPOLINE, &[Bytes(&[0xe9, 0, 0, 0, 0])]),
            (OPEN_TRAMPOLINE, &[Bytes(&[0xe9, 0, 0, 0, 0])]),
        ]);
        wrong(&made.table("__mcount_loc", listed).done())
    }

    #[test]
    fn the_stub_for_open_ends_with_a_jump() {
        let good = [FENTRY, Jump(TRAMPOLINE)];
        let said = [format!("{OPEN_STUB} does not end with a jump to {OPEN_TRAMPOLINE}")];
        let rows: [(&[Piece], bool); 4] = [
            (&GOOD_OPEN_STUB, true),
            (&[FENTRY, Call("vu_daemon_opens"), Call(OPEN_TRAMPOLINE), RET], false),
            (&[FENTRY, Jump(OPEN_TRAMPOLINE), Call(OPEN_TRAMPOLINE), RET], false),
            (&[FENTRY, Call("vu_daemon_opens"), RET], false),
        ];
        for (open_stub, is_good) in rows {
            let complaints = wrong_with_both(&good, open_stub, &[STUB, CANARY]);
            assert_eq!(complaints, if is_good { &[] } else { &said[..] });
        }
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
        assert_eq!(wrong(&Made::of(&[("f", &[RET])]).done()).len(), 3);
    }
}
