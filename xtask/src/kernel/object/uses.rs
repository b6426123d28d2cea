// SPDX-License-Identifier: GPL-2.0
//! Who calls which code of the object's own, and who has its address.

use iced_x86::OpKind;

use super::elf::{Object, Place, Section, Step, Target};

/// Tables that say where code is, for the kernel to patch it or to find out about it. Nobody calls what
/// these name.
const TABLES: [&str; 18] = [
    ".altinstructions",
    ".parainstructions",
    ".smp_locks",
    ".retpoline_sites",
    ".return_sites",
    ".call_sites",
    ".cfi_sites",
    ".ibt_endbr_seal",
    ".orc_unwind",
    ".orc_unwind_ip",
    ".static_call_sites",
    "__bug_table",
    "__ex_table",
    "__jump_table",
    "__mcount_loc",
    "__patchable_function_entries",
    "_kprobe_blacklist",
    ".eh_frame",
];

/// A use of code.
#[derive(Debug)]
pub struct Use {
    /// What is used.
    pub of: Place,
    /// Whether its address is taken; otherwise it is called, or jumped to.
    pub taken: bool,
    /// By whom, as people say it.
    pub by: String,
}

/// All uses of the object's code from outside of where they stand.
pub fn uses(object: &Object) -> Vec<Use> {
    let mut uses = vec![];
    for section in object.sections.iter().filter(|section| is_data(section)) {
        for reference in &section.references {
            if let Target::Place(of) = reference.target {
                uses.push(Use { of, taken: true, by: section.name.clone() });
            }
        }
    }
    for step in &object.code {
        for of in places(object, step) {
            uses.push(Use { of, taken: !step.branches(), by: object.describe(step.at) });
        }
    }
    uses.retain(|used| object.is_code(used.of));
    uses
}

fn is_data(section: &Section) -> bool {
    section.loaded && !section.executable && !TABLES.contains(&section.name.as_str())
}

/// Where an instruction leads to, or what it takes the address of.
fn places(object: &Object, step: &Step) -> Vec<Place> {
    let references = object.references(step);
    // What lies in the same section, the assembler can do without a relocation.
    if references.is_empty() && step.does.op0_kind() == OpKind::NearBranch64 && step.branches() {
        return vec![Place { offset: step.does.near_branch_target(), ..step.at }];
    }
    references.iter().filter_map(|reference| object.leads_to(step, reference)).collect()
}
