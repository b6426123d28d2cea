// SPDX-License-Identifier: GPL-2.0
//! The files of NVIDIA's vGPU types have a life of their own beside the driver's: they belong to another of
//! its modules, which comes and goes by itself, and say what is true only while the daemons are told it.
//!
//! All of this is called with the life cycle's mutex held.

use crate::logic::status::Reason;
use crate::sys::canary::Hooks;
use crate::sys::mdev::{self, Replaced};
use crate::sys::{log, probe};
use crate::unlock::types;

/// How it stands with the files of NVIDIA's vGPU types.
pub enum Types {
    /// NVIDIA's module that registers them is not loaded, or the daemons are told nothing by us.
    Absent,
    /// They say what is true.
    Replaced(Replaced),
    /// They say what the driver says, for this reason.
    Refused(Reason),
}

impl Types {
    /// Has the files say what is true, unless that was done. NVIDIA's module that registers types can't go
    /// meanwhile.
    pub fn take_hold(&mut self, hooks: &mut Hooks) {
        if matches!(self, Types::Replaced(_)) {
            return;
        }
        let place = || Replaced::place().map_err(|(name, errno)| probe::reason(name, errno));
        let replaced = if mdev::is_known() {
            hooks.arm().and_then(|()| place())
        } else {
            Err(Reason::OldMdev)
        };
        let known = matches!(self, Types::Refused(_));
        *self = match replaced {
            Ok(replaced) => {
                types::begin();
                Types::Replaced(replaced)
            }
            Err(reason) => {
                // Types may have been registered while some of the functions were replaced.
                types::forget();
                if !known {
                    log::warn(format_args!(
                        "vGPU types are shown as the driver has them: {reason}"
                    ));
                }
                Types::Refused(reason)
            }
        };
    }

    /// Whether they say what is true.
    pub fn are_replaced(&self) -> bool {
        matches!(self, Types::Replaced(_))
    }

    /// Has nothing sent to us any more. Calls of what stood in for the mdev core's functions may be under
    /// way for a while.
    pub fn end(&mut self) {
        *self = Types::Absent;
        types::forget();
    }
}
