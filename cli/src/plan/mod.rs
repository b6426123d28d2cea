// SPDX-License-Identifier: GPL-2.0
//! Plans the overrides with which a board's memory goes to virtual machines.

mod choose;
mod file;
mod planned;
mod request;
mod rules;
mod share;
mod show;

use anyhow::{Result, bail};
use vgpu_unlock::profile::{Key, split_vram};

use crate::board::Type;
use crate::profile::{Section, Value, written_size};

pub use file::merge;
pub use planned::{Plan, Planned};
pub use request::{Owner, Request, Wish};
pub use rules::Mode;
pub use share::STEP;

/// What is kept for the host where nobody says otherwise, and where there is so much: what the driver and
/// a display of the host take. An assumption; it was not measured. NVIDIA's own types leave nothing but
/// their reservations.
const HOST: u64 = 256 << 20;

/// Whether a key is about how much memory a vGPU has.
pub fn takes_memory(key: Key) -> bool {
    matches!(key, Key::Framebuffer | Key::FramebufferReservation | Key::Vram)
}

/// Plans.
///
/// # Errors
/// It does not fit, or the types don't.
pub fn plan(request: &Request) -> Result<Plan> {
    let Request { memory, wishes, types, .. } = request;
    if wishes.is_empty() {
        bail!("no vGPU is wished for: --vm 100=6GiB, or --vms 3");
    }
    // With ECC on, a Tesla P40 has 23040 of its 24576 MiB, as nvidia-smi prints it: 15 of 16.
    let ecc = if request.ecc { memory / 16 } else { 0 };
    let usable = memory.saturating_sub(ecc);
    let named: u64 = wishes.iter().filter_map(|w| w.total).fold(0, u64::saturating_add);
    let host = request.reserve.unwrap_or_else(|| HOST.min(usable.saturating_sub(named)));
    let reserve = ecc.saturating_add(host);
    let room = usable.saturating_sub(host);
    let totals: Vec<_> = wishes.iter().map(|wish| wish.total).collect();
    let totals = share::share(room, &totals).map_err(|misfit| {
        anyhow::anyhow!("{}", show::misfit(&request.board, *memory, reserve, misfit))
    })?;

    let mut warnings = Vec::new();
    let base = base_type(request, &totals)?;
    let numbers: Vec<u32> = wishes.iter().map(|wish| wish.vgpu_type.unwrap_or(base)).collect();
    let all: Vec<u32> = numbers.iter().chain(&request.beside).copied().collect();
    match rules::together(&all, types, request.mode) {
        rules::Verdict::Fine => {}
        rules::Verdict::Perhaps(why) => warnings.push(why),
        rules::Verdict::Refused(why) => bail!("{why}"),
    }
    let vgpus: Vec<Planned> = wishes
        .iter()
        .zip(&totals)
        .zip(&numbers)
        .filter_map(|((wish, &total), &vgpu_type)| {
            let parts = split_vram(total)?;
            let (framebuffer, reservation) = (parts.framebuffer, parts.reservation);
            Some(Planned { owner: wish.owner, vgpu_type, framebuffer, reservation })
        })
        .collect();
    for (wish, total) in wishes.iter().zip(&totals) {
        if let Some(wished) = wish.total.filter(|wished| wished != total) {
            warnings.push(format!(
                "{} was rounded down to {}: memory is given in steps of {}",
                written_size(wished),
                written_size(*total),
                written_size(STEP)
            ));
        }
    }
    if host == 0 && request.reserve.is_none() {
        warnings.push("nothing is left for the host but the vGPUs' reservations".to_owned());
    }
    let used = used_types(&numbers, types, &mut warnings);
    let sum = totals.iter().fold(0, |sum: u64, &total| sum.saturating_add(total));
    let sections = sections(request, &used, &vgpus);
    Ok(Plan {
        board: request.board.clone(),
        memory: *memory,
        reserve,
        left: room.saturating_sub(sum),
        types: used,
        notes: notes(&vgpus),
        vgpus,
        warnings,
        sections,
    })
}

/// The type of those who wish none.
fn base_type(request: &Request, totals: &[u64]) -> Result<u32> {
    let without = || request.wishes.iter().zip(totals).filter(|(wish, _)| wish.vgpu_type.is_none());
    if let Some(number) = request.vgpu_type {
        return Ok(number);
    }
    let (count, least) = (without().count() as u64, without().map(|(_, &total)| total).min());
    // Nobody needs one.
    let Some(least) = least else { return Ok(0) };
    if request.types.is_empty() {
        bail!(
            "the types of {} are not known: say --type nvidia-N, of those that `mdevctl types` lists",
            request.board
        );
    }
    match choose::choose(&request.types, count, least) {
        Some(of) => Ok(of.number),
        None => bail!(
            "of no type of {}, NVIDIA allows {count} vGPUs on a board; of the smallest {}",
            request.board,
            request.types.iter().map(|of| of.max_instances).max().unwrap_or(0)
        ),
    }
}

/// Each type that is used with its count, in the order of their numbers.
fn used_types(
    numbers: &[u32],
    known: &[Type],
    warnings: &mut Vec<String>,
) -> Vec<(u32, Option<Type>, u64)> {
    let mut used: Vec<u32> = numbers.to_vec();
    used.sort_unstable();
    used.dedup();
    let count = |number: u32| numbers.iter().filter(|other| **other == number).count() as u64;
    let with = |number: u32| {
        let of = known.iter().find(|known| known.number == number).cloned();
        (number, of, count(number))
    };
    let used: Vec<_> = used.into_iter().map(with).collect();
    for (number, of, count) in &used {
        match of {
            Some(of) if of.max_instances < *count => warnings.push(format!(
                "NVIDIA allows {} vGPUs of nvidia-{number} ({}) on a board: the driver refuses more, \
                 whatever max_instances says",
                of.max_instances, of.name
            )),
            None => warnings.push(format!(
                "nvidia-{number} is not among the types that are known of this board: look at \
                 `mdevctl types`"
            )),
            Some(_) => {}
        }
    }
    used
}

/// A vGPU's memory is one piece: source is vgpu_unlock-rs's issue 30, where a machine with the larger
/// part did not start any more behind one with the smaller.
fn notes(vgpus: &[Planned]) -> Vec<String> {
    let sizes = || vgpus.iter().map(Planned::total);
    if sizes().min() == sizes().max() {
        return Vec::new();
    }
    vec![
        "a vGPU's memory is one piece: start the VM with the most first, or there may be no piece as \
         large"
            .to_owned(),
    ]
}

/// The overrides: what most have stands in the type's section, what single ones have in theirs.
fn sections(
    request: &Request,
    used: &[(u32, Option<Type>, u64)],
    vgpus: &[Planned],
) -> Vec<Section> {
    let memory = |planned: &Planned| {
        vec![
            (Key::Framebuffer, Value::Number(planned.framebuffer)),
            (Key::FramebufferReservation, Value::Number(planned.reservation)),
        ]
    };
    let mut sections = Vec::new();
    for &(number, _, count) in used {
        let of = || vgpus.iter().filter(move |planned| planned.vgpu_type == number);
        // Who has no section of his own needs the type's; otherwise the smallest does no harm.
        let any = of().find(|planned| planned.owner == Owner::Any);
        let Some(base) = any.or_else(|| of().min_by_key(|planned| planned.total())) else {
            continue;
        };
        let mut settings = vec![(Key::MaxInstances, Value::Number(count))];
        settings.extend(memory(base));
        settings.extend(displays(request));
        sections.push(Section { target: format!("nvidia-{number}"), settings });
        for planned in of().filter(|planned| planned.total() != base.total()) {
            let target = match planned.owner {
                Owner::Vm(number) => format!("vm/{number}"),
                Owner::Mdev(uuid) => format!("mdev/{uuid}"),
                Owner::Any => continue,
            };
            sections.push(Section { target, settings: memory(planned) });
        }
    }
    sections
}

fn displays(request: &Request) -> Vec<(Key, Value)> {
    let mut settings = Vec::new();
    let mut put = |key, number: u64| settings.push((key, Value::Number(number)));
    if let Some(displays) = request.displays {
        put(Key::NumDisplays, displays.into());
    }
    if let Some((width, height)) = request.resolution {
        put(Key::DisplayWidth, width.into());
        put(Key::DisplayHeight, height.into());
        let pixels = u64::from(width).saturating_mul(height.into());
        let all = pixels.saturating_mul(request.displays.unwrap_or(1).into());
        put(Key::MaxPixels, all.min(u32::MAX.into()));
    }
    settings
}

#[cfg(test)]
mod tests;
