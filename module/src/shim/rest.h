/* SPDX-License-Identifier: GPL-2.0 */
/* When the driver's ioctl is hooked: rest.c. */
#ifndef VGPU_UNLOCK_REST_H
#define VGPU_UNLOCK_REST_H

/*
 * Hooks the ioctl, and the driver's open(), by which it is known when that has to be done again. 0, or an
 * error number, and nothing is left behind.
 */
int vu_rest_begin(const char *ioctl, const char *open);
/* Takes both away, and returns when whoever was sent to a stub, that for the ioctl, too, is past it. */
void vu_rest_end(void);

#endif
