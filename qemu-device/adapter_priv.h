/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adapter_priv.h - the chip, opened: struct ToeAdapter.
 *
 * One member per block, in the order that data passes through them.  host/
 * and adapter.c include this; nop/ does not.
 *
 * A turn is one entry from the world (a register access, a doorbell, a frame,
 * a timer, a kick) with all the work it causes.  It is bounded by the figures
 * below; what is left over is done in the next turn, which the adapter asks
 * for with env->kick().
 */
#ifndef TOE_ADAPTER_PRIV_H
#define TOE_ADAPTER_PRIV_H

#include <glib.h>
#include "adapter.h"
#include "counters.h"
#include "env.h"
#include "host/admin.h"
#include "host/conn.h"
#include "host/context.h"
#include "host/ethq.h"
#include "host/memval.h"
#include "host/regs.h"
#include "host/sock.h"
#include "lmem.h"
#include "stream.h"

/*
 * Everything in host memory is little-endian; the structures of toe_hw.h are
 * used as they are.
 */
#if G_BYTE_ORDER != G_LITTLE_ENDIAN
#error "the TOE adapter runs on little-endian hosts only"
#endif

#define TOE_TURN_REQUESTS       64u             /* of one context */
#define TOE_TURN_BYTES          (1u << 20)      /* copied in, one context */
#define TOE_TURN_ALL_REQUESTS   256u            /* of all contexts */
#define TOE_TURN_ALL_BYTES      (4u << 20)
#define TOE_TURN_DELIVER        (256u << 10)    /* copied out, one connection */
#define TOE_TURN_OUTPUT         (1u << 20)      /* bytes given to the port */
#define TOE_TURN_COMMANDS       32u             /* admin */
#define TOE_TURN_ROUNDS         32u             /* input, requests, output */

#define TOE_BACKLOG_BYTES       (2u << 20)
#define TOE_BACKLOG_FRAMES      4096u
#define TOE_FRAME_MAX           (65535u + 64u)  /* longest frame taken in */

/* The port: frames that came while the adapter was busy. */
typedef struct ToePort {
    bool link;
    bool busy;                  /* the world wants no more frames */
    uint8_t *backlog;           /* TOE_BACKLOG_BYTES of length + frame */
    uint32_t backlog_head;      /* next one to process */
    uint32_t backlog_tail;
    uint32_t backlog_frames;
} ToePort;

/* What the turn did, and what it left for the next. */
typedef struct ToeTurn {
    uint64_t number;
    bool busy;                  /* an entry is under way */
    bool timed;                 /* now is valid: the clock is read once a round */
    bool burst;                 /* the last turn was a frame's */
    int64_t now;
    bool reset;                 /* reset when it is done */
    bool ready;                 /* the port became ready meanwhile */
    bool link_changed;
    bool link_up;
    bool kicked;                /* toe_adapter_run() will be called */
    uint32_t commands;          /* admin, run in this turn */
    uint32_t requests;          /* run in this turn */
    uint64_t copied;            /* bytes moved from and to host memory */
    uint32_t output;            /* bytes sent in this turn */
    int64_t deadline;           /* given to env->set_timer */
} ToeTurn;

struct ToeAdapter {
    ToeEnv env;                 /* the world as it was given */
    ToeEnv nop_env;             /* the world as the NOPs see it */
    ToeConfig config;
    ToeCounters counters;
    ToeTurn turn;

    ToeRegs regs;               /* register interface */
    ToeAdmin admin;             /* admin queue */
    ToeContexts ctxs;           /* contexts: doorbells, RQM, CQM, BQM */
    ToeMemval memval;           /* memory validation */
    ToeConns conns;             /* host halves of connections, DMA engines */
    ToeSocks socks;             /* host halves of UDP sockets */
    ToeEthq ethq;               /* raw Ethernet */
    ToeLmem *lmem;              /* local memory */
    ToeNop *nop;                /* network operation processors, NCBs */
    ToePort port;               /* the port's backlog */
};

/* Tell the world of a mistake of the guest. */
void toe_guest_error(ToeAdapter *a, const char *fmt, ...)
    G_GNUC_PRINTF(2, 3);
/* Have toe_adapter_run() called. */
void toe_adapter_kick(ToeAdapter *a);

/* DMA by bus address; counts errors. */
bool toe_dma_read_bus(ToeAdapter *a, uint64_t addr, void *buf, size_t len);
bool toe_dma_write_bus(ToeAdapter *a, uint64_t addr, const void *buf,
                       size_t len);

static inline ToeCtx *toe_conn_ctx(ToeAdapter *a, const ToeConn *c)
{
    return &a->ctxs.table[c->ctx];
}

/* Are all bytes of a reserved field zero? */
static inline bool toe_all_zero(const void *p, size_t len)
{
    const uint8_t *b = p;

    while (len--) {
        if (*b++) {
            return false;
        }
    }
    return true;
}

#endif
