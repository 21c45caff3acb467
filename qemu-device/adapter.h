/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adapter.h - the chip: every block of the adapter, wired together.
 *
 *   host memory                                                    network
 *       |                                                             |
 *   registers, admin -- contexts --- RQM --- outbound DMA --- TCP out |
 *       |                  |                     |  buflets           |
 *   memory validation -----+-------------- local memory ---- NOPs -- port
 *       |                  |                     |                    |
 *       +---------------- CQM, BQM --- inbound DMA ---------- TCP in  |
 *
 * Entry points are called with the world's lock held (QEMU's big lock), one at
 * a time.  They may be re-entered from env->send_frame(): a backend such as
 * libslirp answers a frame before the call returns.  Such frames go to a
 * backlog and are processed when the outer call is done.
 */
#ifndef TOE_ADAPTER_H
#define TOE_ADAPTER_H

#include <glib.h>
#include "env.h"
#include "lmem.h"
#include "stream.h"
#include "toe_hw.h"

typedef struct ToeConfig {
    uint8_t mac[6];
    uint32_t contexts;          /* 2..TOE_CONTEXTS_MAX */
    uint32_t connections;       /* NCBs */
    uint32_t mtu_max;
    uint32_t max_segment;       /* 0: the port takes MTU-sized packets only */
    uint32_t regions;
    uint32_t pages;             /* page addresses of all regions */
} ToeConfig;

#define TOE_CONTEXTS_MIN        2u
#define TOE_CONTEXTS_MAX        4096u
#define TOE_CONNECTIONS_MAX     (1u << 20)

typedef struct ToeAdapter ToeAdapter;

/* lmem_ram: lmem_size bytes that outlive the adapter.  Config was checked. */
ToeAdapter *toe_adapter_new(const ToeEnv *env, const ToeConfig *config,
                            uint8_t *lmem_ram, size_t lmem_size);
void toe_adapter_free(ToeAdapter *a);
/* Is an entry under way?  Then toe_adapter_free() must wait for its end. */
bool toe_adapter_busy(const ToeAdapter *a);
/* As TOE_CTL_RESET: every resource is back, connections vanish silently. */
void toe_adapter_reset(ToeAdapter *a);

/* BAR accesses; offsets and sizes are the guest's and unchecked. */
uint64_t toe_adapter_reg_read(ToeAdapter *a, uint64_t off, unsigned size);
void toe_adapter_reg_write(ToeAdapter *a, uint64_t off, uint64_t val,
                           unsigned size);
void toe_adapter_doorbell_write(ToeAdapter *a, uint64_t off, uint64_t val,
                                unsigned size);

/* The port's side. */
void toe_adapter_frame_in(ToeAdapter *a, const uint8_t *frame, size_t len);
void toe_adapter_port_ready(ToeAdapter *a);     /* takes frames again */
void toe_adapter_link(ToeAdapter *a, bool up);

/* The world's side. */
void toe_adapter_timer(ToeAdapter *a);          /* after env->set_timer */
void toe_adapter_run(ToeAdapter *a);            /* after env->kick */

const ToeCounters *toe_adapter_counters(ToeAdapter *a);

#endif
