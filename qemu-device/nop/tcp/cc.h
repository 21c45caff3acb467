/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cc.h - congestion control as a table of functions.
 *
 * recovery.c finds out that something was acknowledged or lost; the algorithm
 * says what that means for cwnd and ssthresh.  It keeps its state in the NCB
 * (cwnd, ssthresh, cc_acked, cc_priv), all in bytes.  A further algorithm is
 * one more entry in cc.c's table; ncb->cc is the index.
 */
#ifndef TOE_NOP_TCP_CC_H
#define TOE_NOP_TCP_CC_H

#include <stdint.h>

struct ToeNcb;

typedef struct ToeCcOps {
    const char *name;
    /* The connection is established, mss is known. */
    void (*init)(struct ToeNcb *c);
    /*
     * bytes were acknowledged outside of recovery, flight were outstanding
     * before that.
     */
    void (*acked)(struct ToeNcb *c, uint32_t bytes, uint32_t flight,
                  int64_t now);
    /* Loss: the new ssthresh, from the bytes outstanding. */
    uint32_t (*ssthresh)(struct ToeNcb *c, uint32_t flight);
    /* Nothing was sent for longer than an RTO. */
    void (*idle)(struct ToeNcb *c);
} ToeCcOps;

#define TOE_CC_NEWRENO          0u
#define TOE_CC_DEFAULT          TOE_CC_NEWRENO
#define TOE_CWND_MAX            (1u << 30)

const ToeCcOps *toe_cc_ops(const struct ToeNcb *c);
/* RFC 6928: min(10 MSS, max(2 MSS, 14600)). */
uint32_t toe_cc_initial_window(uint32_t mss);

#endif
