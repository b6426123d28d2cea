// SPDX-License-Identifier: GPL-2.0
//! The module's parameters and their one grammar.
//!
//! ```text
//! parameter        default
//! enabled=0|1      1        whether anything is changed at all
//! gpus=RULES                what boards are answered as, where that is not the built-in table's
//! migration=0|1    0        whether the driver is said to be able to migrate vGPUs
//! overrides=...             what is changed about vGPU types and about single vGPUs
//! vgpud=0|1        1        whether nvidia-vgpud is kept from giving boards up
//! verbosity=0|1|2  1        what is logged: errors; also what was done; also each changed answer
//! ```
//!
//! # Grammar
//!
//! ```text
//! switch    = "0" | "1" ;
//! verbosity = "0" | "1" | "2" ;
//!
//! gpus      = [ rule { "," rule } [ "," ] ] ;
//! rule      = board "=" answer ;
//! board     = id | "10de:" id [ ":" id ]               (* device, subsystem *)
//!           | [ domain ":" ] bus ":" slot "." function
//!           | "any" ;
//! answer    = "off" | "auto" | id [ ":" id ] ;         (* device, subsystem *)
//! id        = [ "0x" ] hex hex hex hex ;
//!
//! overrides = [ section { ";" section } [ ";" ] ] ;
//! section   = target ":" setting { "," setting } ;
//! target    = "nvidia-" decimal | "mdev/" uuid | "vm/" decimal ;
//! setting   = key "=" value ;                          (* profile::Key has the keys *)
//! value     = number | switch | size | text ;          (* as the key wants it *)
//! number    = decimal | "0x" hex { hex } ;
//! size      = number | decimal [ "." decimal ] { " " } unit ;
//! unit      = "kB" | "KB" | "MB" | "GB" | "TB" | "KiB" | "MiB" | "GiB" | "TiB" ;
//! text      = "'" { character | escape } "'" | '"' { character | escape } '"'
//!           | bare { bare } ;
//! bare      = (* anything but white space, comma, semicolon and quotation marks; or an escape *) ;
//! escape    = "%" hex hex ;                            (* one byte of UTF-8; %25 is a % *)
//! decimal   = digit { digit } ;
//! ```
//!
//! White space may stand between any two of these, except within `board`, `answer`, `target`, `id`
//! and `number`; `echo` may end a line. Nothing may be given twice: a board, a key within a section;
//! nor `vram` beside what it sets. `domain`, `bus`, `slot` and `function` are hexadecimal, as
//! `lspci -D` prints them.
//!
//! # What is in force
//!
//! Of the rules for a board, that for its address counts, or else that for its device and subsystem
//! ID, or else that for its device ID, or else that for any board; their order does not matter. Of the sections that fit a
//! vGPU, those for its type are applied first, then those for its UUID, then those for its virtual
//! machine, each in the order in which they are written: the last one wins, key by key.
//!
//! A value that is wrong in any place changes nothing: the value before it stays in force.
//!
//! # Quotation marks
//!
//! The kernel's command line and modprobe.d hand on a value between double quotation marks
//! without them, and take a backslash or another double quotation mark for themselves. So write the
//! whole value between double quotation marks, text with spaces within it between single ones, and
//! what remains as an escape:
//!
//! ```text
//! options vgpu_unlock overrides="nvidia-55:vram=4GiB;vm/100:card_name='My %22GPU%22'"
//! ```
//!
//! Or do without any: `overrides=nvidia-55:vram=4GiB;vm/100:card_name=My%20%22GPU%22`.

mod error;
mod gpus;
mod number;
pub mod overrides;
mod scan;
mod switch;

pub use error::ParseError;
pub use gpus::{Gpus, Rule};
pub use overrides::{Applied, Overrides, Which};
pub use switch::{parse_switch, parse_verbosity, Verbosity};
