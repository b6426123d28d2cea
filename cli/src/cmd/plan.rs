// SPDX-License-Identifier: GPL-2.0
//! `vgpu-unlock plan`: shares a board's memory out to virtual machines.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use vgpu_unlock::gpu::{self, Ids};
use vgpu_unlock::profile::Uuid;

use crate::board::{self, Type, host};
use crate::plan::{self, Mode, Owner, Request, Wish};
use crate::profile::{Import, OVERRIDES, Section};

/// Shares a board's memory out to virtual machines.
///
/// The overrides for it are printed, and added to overrides.toml with --write; `vgpu-unlock apply` loads
/// them then.
///
/// Sizes are the whole of a vGPU's memory, as NVIDIA's types are called by it: of a 2Q type's 2GiB the
/// guest has 1856MiB, the host keeps the rest. All VMs get the same type, and their sizes by overrides.
#[derive(clap::Args)]
#[command(after_help = "Example: vgpu-unlock plan --board 1b06 --vm 100=6GiB --vm 101 --vm 102")]
pub struct Args {
    /// A VM by its number in Proxmox, or a vGPU by its UUID, with its memory, and with a type of its own
    /// where it has one: 100=6GiB, 101, 102=2GiB@nvidia-47. What has no memory shares what is left.
    #[arg(long = "vm", value_name = "VM[=SIZE][@nvidia-N]", value_parser = wish)]
    vms: Vec<Wish>,
    /// How many vGPUs there are in all; those that no --vm names share what is left.
    #[arg(long = "vms", value_name = "COUNT")]
    count: Option<u16>,
    /// The board: its PCI device ID, such as 1b06, or the place of one of this host's, such as 01:00.0.
    #[arg(long, value_name = "ID")]
    board: Option<String>,
    /// Its memory, where the device ID does not tell: 11GiB.
    #[arg(long, value_name = "SIZE", value_parser = super::size)]
    memory: Option<u64>,
    /// What is kept for the host; otherwise 256MiB, if the VMs leave so much.
    #[arg(long, value_name = "SIZE", value_parser = reserve)]
    reserve: Option<u64>,
    /// ECC memory is on, and takes a 16th of a board that has no memory for it (GDDR).
    #[arg(long)]
    ecc: bool,
    /// The type to base it on: nvidia-47. Otherwise one is chosen.
    #[arg(long = "type", value_name = "nvidia-N", value_parser = super::vgpu_type)]
    vgpu_type: Option<u32>,
    /// The board is in mixed-size mode: vGPU 17 or newer, and not every board.
    #[arg(long)]
    mixed_size: bool,
    /// How many displays each VM has.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=4))]
    displays: Option<u32>,
    /// The size of a display: 1920x1080.
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = resolution)]
    resolution: Option<(u32, u32)>,
    /// Print JSON; sizes are in bytes.
    #[arg(long)]
    json: bool,
    /// Add the overrides to a file, by default /etc/vgpu_unlock/overrides.toml. What else is in it stays.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = OVERRIDES)]
    write: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// It does not fit, or the file has something else.
pub fn run(args: &Args) -> Result<()> {
    let request = request(args, Path::new("/"))?;
    let mut plan = plan::plan(&request)?;
    let merged = match &args.write {
        Some(path) => {
            let (text, others) = merged(path, &plan.sections)?;
            plan.warnings.extend(others);
            Some((path, text))
        }
        None => None,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&plan.json())?);
    } else {
        print!("{}", plan.text());
    }
    if let Some((path, text)) = merged {
        super::write(path, &text, true)?;
    }
    Ok(())
}

/// The file's text with the plan in it, and what else in it takes memory.
fn merged(path: &Path, sections: &[Section]) -> Result<(String, Vec<String>)> {
    let name = path.display().to_string();
    let text = super::read(path)?.unwrap_or_default();
    let mut before = Import::default();
    before.profiles(&name, &text);
    let planned = |target: &str| sections.iter().any(|section| section.target == target);
    let mut others: Vec<&str> = before
        .settings()
        .filter(|(target, key, _)| !planned(target) && plan::takes_memory(*key))
        .map(|(target, ..)| target)
        .collect();
    others.dedup();
    let others = others
        .into_iter()
        .map(|target| format!("{name} gives memory to {target}, too, which is not counted here"));
    let others = others.collect();
    Ok((plan::merge(&name, &text, sections)?, others))
}

/// What is asked, with what is known of the board. `root` is `/`, or what a test has made.
fn request(args: &Args, root: &Path) -> Result<Request> {
    let mut wishes = args.vms.clone();
    for (i, wish) in wishes.iter().enumerate() {
        if wishes[..i].iter().any(|other| other.owner == wish.owner) {
            bail!("--vm names the same VM twice; one with two vGPUs is planned by their UUIDs");
        }
    }
    if let Some(count) = args.count.map(usize::from) {
        if count < wishes.len() {
            bail!("--vms {count}, but --vm names {}", wishes.len());
        }
        wishes.resize(count, Wish { owner: Owner::Any, total: None, vgpu_type: None });
    }
    let Chosen { name, memory, types, beside } = chosen(args, root)?;
    Ok(Request {
        board: name,
        memory,
        reserve: args.reserve,
        ecc: args.ecc,
        types,
        vgpu_type: args.vgpu_type,
        beside,
        mode: if args.mixed_size { Mode::MixedSize } else { Mode::EqualSize },
        wishes,
        displays: args.displays,
        resolution: args.resolution,
    })
}

/// The board that is meant.
struct Chosen {
    name: String,
    memory: u64,
    types: Vec<Type>,
    beside: Vec<u32>,
}

fn chosen(args: &Args, root: &Path) -> Result<Chosen> {
    let of_host = host::boards(root);
    let (device, host) = match args.board.as_deref() {
        Some(id) => named(id, &of_host)?,
        None => match &of_host[..] {
            [only] => (Some(only.device), Some(only)),
            // The memory is enough, if the type is said, too.
            _ if args.memory.is_some() => (None, None),
            [] => bail!("this host has no NVIDIA board: say --board 1b06, or --memory 11GiB"),
            several => {
                let list =
                    several.iter().map(|board| format!("{} ({:04x})", board.address, board.device));
                bail!(
                    "this host has {}: say which with --board",
                    list.collect::<Vec<_>>().join(", ")
                )
            }
        },
    };
    let known = device.and_then(board::find);
    let name = match (known, device) {
        (Some(known), _) => known.name.to_owned(),
        (None, Some(device)) => format!("the board {device:04x}"),
        (None, None) => "the board".to_owned(),
    };
    let memory = match (args.memory, known) {
        (Some(memory), _) => memory,
        (None, Some(known)) => match known.memory() {
            Some(memory) => memory,
            None => {
                let sizes: Vec<_> = known.gib.iter().map(|gib| format!("{gib}GiB")).collect();
                bail!("a {name} has {}: say which with --memory", sizes.join(" or "))
            }
        },
        (None, None) => bail!("how much memory {name} has is not known: say --memory 11GiB"),
    };
    // What the driver registered is right; without a driver there is what is known of the board that
    // this one is answered as.
    let registered = host.map(|host| &host.types[..]).unwrap_or_default();
    let beside = registered.iter().filter(|(_, vgpus)| *vgpus != 0).map(|(of, _)| of.number);
    let beside = beside.collect();
    let mut types: Vec<Type> = registered.iter().map(|(of, _)| of.clone()).collect();
    if types.is_empty() {
        types = device.map(types_of).unwrap_or_default();
    }
    // Only Q types have all that a VM may want, so one of them is chosen, if there is any.
    types.sort_by_key(|of| of.series() != Some('Q'));
    Ok(Chosen { name, memory, types, beside })
}

fn types_of(device: u16) -> Vec<Type> {
    // Of which subsystem it is makes no difference to the types.
    let answered = gpu::answer(Ids { device, subsystem: 0 }, None).sibling();
    board::types(answered.map_or(device, |sibling| sibling.device))
}

/// The board that `--board` names.
fn named<'h>(
    id: &str,
    of_host: &'h [host::HostBoard],
) -> Result<(Option<u16>, Option<&'h host::HostBoard>)> {
    let lower = id.to_ascii_lowercase();
    if lower.contains('.') {
        let found = of_host.iter().find(|board| {
            board.address == lower || board.address.strip_prefix("0000:") == Some(&lower)
        });
        return match found {
            Some(board) => Ok((Some(board.device), Some(board))),
            None => bail!("--board {id}: no NVIDIA board of this host is there"),
        };
    }
    let digits = lower.trim_start_matches("10de:").trim_start_matches("0x");
    let device = u16::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 4);
    let Some(device) = device else {
        bail!(
            "--board {id}: write a PCI device ID such as 1b06, as lspci -nn prints it, or a place such as 01:00.0"
        )
    };
    Ok((Some(device), of_host.iter().find(|board| board.device == device)))
}

/// `VM[=SIZE][@nvidia-N]`.
fn wish(text: &str) -> Result<Wish, String> {
    let (text, vgpu_type) = match text.split_once('@') {
        Some((text, of)) => (text, Some(super::vgpu_type(of)?)),
        None => (text, None),
    };
    let (name, total) = match text.split_once('=') {
        Some((name, size)) => (name, Some(super::size(size)?)),
        None => (text, None),
    };
    let owner = match (name.parse::<u64>(), Uuid::parse(name.as_bytes())) {
        (Ok(number), _) if number < 1_000_000_000_000 => Owner::Vm(number),
        (_, Some(uuid)) => Owner::Mdev(uuid),
        _ => {
            return Err(
                "expected a VM's number or a vGPU's UUID, such as 100 or 100=6GiB".to_owned()
            );
        }
    };
    Ok(Wish { owner, total, vgpu_type })
}

fn reserve(text: &str) -> Result<u64, String> {
    if text == "0" { Ok(0) } else { super::size(text) }
}

fn resolution(text: &str) -> Result<(u32, u32), String> {
    let numbers = text.split_once(['x', 'X', '×']);
    let numbers = numbers.and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    let seen = |&(width, height): &(u32, u32)| {
        (1..=16384).contains(&width) && (1..=16384).contains(&height)
    };
    numbers.filter(seen).ok_or_else(|| "expected pixels such as 1920x1080".to_owned())
}

#[cfg(test)]
pub(crate) mod tests;
