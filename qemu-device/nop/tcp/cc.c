/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cc.c - congestion control algorithms: NewReno's half of RFC 5681.
 *
 * Slow start with byte counting, at most one MSS an ACK would be RFC 5681's
 * letter; RFC 3465's L = 2 is what copes with delayed ACKs.  Congestion
 * avoidance adds one MSS once a whole cwnd was acknowledged (5681 eq. 3 by
 * counting bytes).  cwnd grows only if it was what held the sender back
 * (RFC 7661's concern): a connection that the application feeds slowly learns
 * nothing about the path and must not burst later.
 *
 * The mechanics of fast recovery (RFC 6582) are in recovery.c, as they are
 * the same for other algorithms.
 */
#include "nop/tcp/tcp.h"

uint32_t toe_cc_initial_window(uint32_t mss)
{
    return MIN(10 * mss, MAX(2 * mss, 14600));
}

static void newreno_init(ToeNcb *c)
{
    c->cwnd = toe_cc_initial_window(c->mss);
    c->ssthresh = TOE_CWND_MAX;
    c->cc_acked = 0;
}

static void newreno_acked(ToeNcb *c, uint32_t bytes, uint32_t flight,
                          int64_t now)
{
    (void)now;
    if (!(c->flags & TOE_F_CWND_LIMITED) && flight < c->cwnd / 2) {
        return;
    }
    if (c->cwnd < c->ssthresh) {
        c->cwnd += MIN(bytes, 2u * c->mss);
    } else {
        c->cc_acked += bytes;
        if (c->cc_acked >= c->cwnd) {
            c->cc_acked -= c->cwnd;
            c->cc_acked = MIN(c->cc_acked, c->cwnd);
            c->cwnd += c->mss;
        }
    }
    c->cwnd = MIN(c->cwnd, TOE_CWND_MAX);
}

static uint32_t newreno_ssthresh(ToeNcb *c, uint32_t flight)
{
    c->cc_acked = 0;
    return MAX(flight / 2, 2u * c->mss);        /* RFC 5681 eq. 4 */
}

static void newreno_idle(ToeNcb *c)
{
    /* RFC 5681 4.1: the restart window is min(IW, cwnd). */
    c->cwnd = MIN(c->cwnd, toe_cc_initial_window(c->mss));
    c->cc_acked = 0;
}

static const ToeCcOps algorithms[] = {
    [TOE_CC_NEWRENO] = {
        .name = "newreno",
        .init = newreno_init,
        .acked = newreno_acked,
        .ssthresh = newreno_ssthresh,
        .idle = newreno_idle,
    },
};

const ToeCcOps *toe_cc_ops(const ToeNcb *c)
{
    return &algorithms[c->cc < G_N_ELEMENTS(algorithms) ? c->cc : 0];
}
