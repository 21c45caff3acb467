/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * env.h - how the adapter reaches the world.
 *
 * The adapter's core (everything but toe.c and port.c) is plain C and glib.
 * Whoever creates it, the PCI function in QEMU or a test, hands it this table.
 * The core has no globals and reads no clock of its own, so that a run with
 * the same inputs is the same every time.
 */
#ifndef TOE_ENV_H
#define TOE_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ToeEnv {
    void *opaque;                       /* first argument of every call */

    /*
     * Host memory by bus address.  False if any byte did not answer (no RAM
     * there, IOMMU fault, the device's own BARs); the data is then undefined.
     */
    bool (*dma_read)(void *opaque, uint64_t addr, void *buf, size_t len);
    bool (*dma_write)(void *opaque, uint64_t addr, const void *buf,
                      size_t len);

    /* Raise MSI-X vector; the core has checked its range. */
    void (*irq)(void *opaque, unsigned vector);

    /*
     * Send one Ethernet frame without FCS; the frame is the caller's again
     * on return.  False: the port took it but wants no more until
     * toe_adapter_port_ready() is called.
     */
    bool (*send_frame)(void *opaque, const uint8_t *frame, size_t len);

    /* Virtual clock, ns. */
    int64_t (*now)(void *opaque);

    /* Call toe_adapter_timer() at or after this time; INT64_MAX: never. */
    void (*set_timer)(void *opaque, int64_t deadline);

    /* Call toe_adapter_run() soon, from the main loop, not from here. */
    void (*kick)(void *opaque);

    void (*random)(void *opaque, void *buf, size_t len);

    /* A mistake of the guest, one sentence with the value in it. */
    void (*guest_error)(void *opaque, const char *sentence);
} ToeEnv;

#endif
