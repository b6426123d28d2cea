// SPDX-License-Identifier: GPL-2.0
//! The board behind a vfio-user socket.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, AsRawFd},
    path::Path,
};

use anyhow::{Context, Result, anyhow};
use vfio_bindings::bindings::vfio::{
    VFIO_IRQ_INFO_EVENTFD, VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_INTX_IRQ_INDEX,
    VFIO_PCI_NUM_IRQS, VFIO_PCI_NUM_REGIONS, VFIO_REGION_INFO_FLAG_CAPS,
    VFIO_REGION_INFO_FLAG_MMAP, VFIO_REGION_INFO_FLAG_READ, VFIO_REGION_INFO_FLAG_WRITE,
    vfio_region_info, vfio_region_sparse_mmap_area,
};
use vfio_user::{
    DmaMapFlags, DmaUnmapFlags, IrqInfo, Server, ServerBackend, ServerRegion, SparseArea,
};

use crate::{
    bars::Bar,
    config::{self, ConfigSpace},
};

/// A board that does nothing by itself: no interrupt, no DMA.
struct Board {
    config: ConfigSpace,
    bars: Vec<Bar>,
}

impl Board {
    fn bar(&self, region: u32) -> Result<&Bar> {
        self.bars
            .iter()
            .find(|bar| bar.layout().index == region as usize)
            .ok_or_else(|| anyhow!("the board has no region {region}"))
    }
}

/// What QEMU asked for and cannot have, as its protocol wants it.
fn refused(error: anyhow::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

impl ServerBackend for Board {
    fn region_read(&mut self, region: u32, offset: u64, data: &mut [u8]) -> io::Result<()> {
        match region {
            VFIO_PCI_CONFIG_REGION_INDEX => self.config.read(offset, data),
            _ => self.bar(region).and_then(|bar| bar.read(offset, data)),
        }
        .map_err(refused)
    }

    fn region_write(&mut self, region: u32, offset: u64, data: &[u8]) -> io::Result<()> {
        match region {
            VFIO_PCI_CONFIG_REGION_INDEX => self.config.write(offset, data),
            _ => self.bar(region).and_then(|bar| bar.write(offset, data)),
        }
        .map_err(refused)
    }

    fn dma_map(
        &mut self,
        _: DmaMapFlags,
        _: u64,
        _: u64,
        _: u64,
        _: Option<File>,
    ) -> io::Result<()> {
        Ok(())
    }

    fn dma_unmap(&mut self, _: DmaUnmapFlags, _: u64, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn set_irqs(&mut self, _: u32, _: u32, _: u32, _: u32, _: Vec<File>) -> io::Result<()> {
        Ok(())
    }
}

fn region(index: u32, bars: &[Bar]) -> ServerRegion {
    let mut info = vfio_region_info {
        argsz: size_of::<vfio_region_info>() as u32,
        index,
        ..Default::default()
    };
    let bar = bars.iter().find(|bar| bar.layout().index == index as usize);
    let mut sparse_areas = vec![];
    if index == VFIO_PCI_CONFIG_REGION_INDEX {
        info.size = config::SIZE as u64;
        info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    } else if let Some(bar) = bar {
        info.size = bar.layout().size;
        info.flags = VFIO_REGION_INFO_FLAG_READ
            | VFIO_REGION_INFO_FLAG_WRITE
            | VFIO_REGION_INFO_FLAG_MMAP
            | VFIO_REGION_INFO_FLAG_CAPS;
        let area = vfio_region_sparse_mmap_area { offset: 0, size: info.size };
        sparse_areas.push(SparseArea { area });
    }
    ServerRegion {
        region_info: info,
        sparse_areas,
        mmap_fd: bar.map(|bar| bar.memory().as_fd().as_raw_fd()),
    }
}

/// Serves one QEMU at `socket`, until it goes.
///
/// # Errors
/// The socket cannot be made, or the connection breaks.
pub fn serve(socket: &Path, config: ConfigSpace, bars: Vec<Bar>) -> Result<()> {
    let regions = (0..VFIO_PCI_NUM_REGIONS).map(|index| region(index, &bars)).collect();
    let irqs = (0..VFIO_PCI_NUM_IRQS)
        .map(|index| match index {
            VFIO_PCI_INTX_IRQ_INDEX => IrqInfo { index, count: 1, flags: VFIO_IRQ_INFO_EVENTFD },
            _ => IrqInfo { index, count: 0, flags: 0 },
        })
        .collect();
    let server = Server::new(socket, true, irqs, regions)
        .with_context(|| format!("--socket {}: cannot listen there", socket.display()))?;
    // The regions hold plain descriptor numbers; `board` owns the files and outlives the server.
    let mut board = Board { config, bars };
    server.run(&mut board).with_context(|| format!("serving {}", socket.display()))
}
