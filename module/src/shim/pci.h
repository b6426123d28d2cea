/* SPDX-License-Identifier: GPL-2.0 */
/* The part of shim.h that is about the NVIDIA GPUs on the PCI bus: pci.c. */
#ifndef VGPU_UNLOCK_PCI_H
#define VGPU_UNLOCK_PCI_H

/* A place on the PCI bus. */
struct vu_place {
	u32 domain;
	u8 bus;
	u8 slot;
	u8 function;
};

/* Whether a driver has a device: the kernel may be just at it. */
enum vu_bound { VU_BOUND_UNKNOWN, VU_BOUND_NOBODY, VU_BOUND_DRIVER };
/* Bytes of a driver's name that are kept. */
#define VU_DRIVER_NAME 24

/* One NVIDIA GPU on the PCI bus, or a virtual function of one. */
struct vu_gpu {
	struct vu_place place;
	/* Where the board is that it is a function of. */
	struct vu_place board;
	bool is_virtual;
	u16 device;
	u16 subsystem;
	u64 bar3_start;
	u64 bar3_len;
	/* How many virtual functions it has. */
	u32 functions;
	enum vu_bound bound;
	/* Not ended by NUL where it is longer. */
	char driver[VU_DRIVER_NAME];
};
/* Fills `gpu` with the GPU number `index`, virtual functions left out or not; false behind the last one. */
bool vu_gpu(unsigned int index, bool with_virtual, struct vu_gpu *gpu);

/* Has vu_boards_changed() called when a GPU comes or goes, or a driver takes one or gives it back. */
int vu_boards_watch(void);
void vu_boards_unwatch(void);
/* Rust's: in process context, with the device's lock held. */
void vu_boards_changed(void);

struct device;
/* Where the board is that an NVIDIA GPU is a function of. */
void vu_device_board(const struct device *dev, struct vu_place *board);
/* The device's lock, which the driver's probe() and remove() are called with; false: it is taken. */
bool vu_device_trylock(struct device *dev);
void vu_device_unlock(struct device *dev);
void vu_device_get(struct device *dev);
void vu_device_put(struct device *dev);

#endif
