/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cc.c - congestion control: the table of algorithms, and what they share.
 *
 * cwnd grows only if it was what held the sender back (RFC 7661's concern): a
 * connection that the application feeds slowly learns nothing about the path
 * and must not burst later.  After idleness it starts again from the restart
 * window, RFC 5681 4.1.
 *
 * The mechanics of recovery are in recovery.c, as they are the same for all
 * algorithms.
 */
#include "nop/tcp/tcp.h"

static const ToeCcOps *const algorithms[] = {
    [TOE_CC_CUBIC] = &toe_cc_cubic,
    [TOE_CC_NEWRENO] = &toe_cc_newreno,
    [TOE_CC_DCTCP] = &toe_cc_dctcp,
};

_Static_assert(G_N_ELEMENTS(algorithms) == TOE_CC_MAX + 1,
               "each algorithm has a number in toe_hw.h");

const ToeCcOps *toe_cc_ops(const ToeNcb *c)
{
    return algorithms[MIN(c->cc, TOE_CC_MAX)];
}

bool toe_cc_exists(uint64_t cc)
{
    return cc <= TOE_CC_MAX;
}

uint32_t toe_cc_initial_window(uint32_t mss)
{
    return MIN(10 * mss, MAX(2 * mss, 14600));
}

void toe_cc_start(ToeNcb *c)
{
    c->cwnd = toe_cc_initial_window(c->mss);
    c->ssthresh = TOE_CWND_MAX;
    c->cc_acked = 0;
    toe_cc_ops(c)->init(c);
}

bool toe_cc_limited(const ToeNcb *c, uint32_t flight)
{
    return c->flags & TOE_F_CWND_LIMITED || flight >= c->cwnd / 2;
}

void toe_cc_acked(ToeNcb *c, const ToeCcAck *a)
{
    /*
     * RFC 3168 6.1.2: an ACK with ECE lets nothing grow.  DCTCP's echoes are
     * about single packets; it grows as ever (RFC 8257 3.4).
     */
    if (a->ece && !toe_cc_ops(c)->marked) {
        return;
    }
    toe_cc_ops(c)->acked(c, a);
    c->cwnd = MIN(c->cwnd, TOE_CWND_MAX);
}

uint32_t toe_cc_reduce(ToeNcb *c, uint32_t flight, ToeCcEvent why)
{
    uint32_t ssthresh;

    /*
     * RFC 3168 6.1.2: what was marked and what was lost of one window of data
     * is one sign of congestion.  But DCTCP's answer to a mark is so mild
     * that a loss still needs its own (RFC 8257 3.5).
     */
    if (why == TOE_CC_LOSS && toe_ecn_covers(c) && !toe_cc_ops(c)->marked) {
        return MIN(c->ssthresh, c->cwnd);
    }
    ssthresh = toe_cc_ops(c)->ssthresh(c, flight, why);
    toe_ecn_reduced(c, why);
    return ssthresh;
}

void toe_cc_idle(ToeNcb *c)
{
    c->cwnd = MIN(c->cwnd, toe_cc_initial_window(c->mss));
    c->cc_acked = 0;
    if (toe_cc_ops(c)->idle) {
        toe_cc_ops(c)->idle(c);
    }
}

void toe_cc_reno_acked(ToeNcb *c, const ToeCcAck *a)
{
    if (!toe_cc_limited(c, a->flight)) {
        return;
    }
    if (c->cwnd < c->ssthresh) {
        /* RFC 3465, L = 2: copes with delayed ACKs. */
        c->cwnd += MIN(a->bytes, 2u * c->mss);
        return;
    }
    /* One MSS once a whole cwnd was acknowledged: 5681 eq. 3 in bytes. */
    c->cc_acked += a->bytes;
    if (c->cc_acked >= c->cwnd) {
        c->cc_acked -= c->cwnd;
        c->cc_acked = MIN(c->cc_acked, c->cwnd);
        c->cwnd += c->mss;
    }
}
