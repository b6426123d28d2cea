// SPDX-License-Identifier: GPL-2.0
//! The pure half of vgpu_unlock.
#![no_std]
