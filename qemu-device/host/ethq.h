/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ethq.h - raw Ethernet for the kernel's context.  See ethq.c.
 */
#ifndef TOE_ETHQ_H
#define TOE_ETHQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "toe_hw.h"

struct ToeAdapter;
struct ToeCtx;

#define TOE_ETH_HEADER          14u
#define TOE_ETH_VLAN            4u

typedef struct ToeEthq {
    uint32_t ctx;               /* the one with TOE_RIGHT_ETH, or TOE_NONE */
    bool waiting;               /* its RQ waits for the port */
    uint8_t *frame;             /* one outgoing frame is put together here */
    uint32_t frame_size;
} ToeEthq;

void toe_ethq_init(struct ToeAdapter *a);
void toe_ethq_fini(struct ToeAdapter *a);
void toe_ethq_reset(struct ToeAdapter *a);

/* A frame for the operating system. */
void toe_ethq_frame(struct ToeAdapter *a, const uint8_t *frame, size_t len);
/* ETH_SEND.  *busy: nothing was sent, ask again when the port is ready. */
uint8_t toe_ethq_send(struct ToeAdapter *a, struct ToeCtx *ctx,
                      const struct toe_hw_req *req, bool *busy);

#endif
