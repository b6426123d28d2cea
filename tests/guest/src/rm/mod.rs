// SPDX-License-Identifier: GPL-2.0
//! RM control: what NVIDIA's daemons ask the driver by ioctl, asked by programs of their names.
//!
//! Numbers and structures are those of NVIDIA's MIT-licensed headers (nvos.h, nv-ioctl.h,
//! nv_escape.h and the ctrl*.h that [`question`] names).

pub mod answer;
pub mod cost;
pub mod expected;
pub mod family;
pub mod overrides;
pub mod program;
pub mod question;
pub mod run;
pub mod traced;

mod call;
mod slow;
