/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cc.c - congestion control: the table of algorithms, and what they share.
 *
 * cwnd grows only if it was what held the sender back: a connection that the
 * application feeds slowly learns nothing about the path and must not burst
 * later.  What cwnd says is believed only as long as it is used (congestion
 * window validation, RFC 2861, which is also what Linux does):
 *
 *  - no data was sent for longer than an RTO: cwnd is the restart window (RFC
 *    5681 4.1, at once; RFC 2861 would halve it for each RTO);
 *  - the application used less than cwnd for an RTO: cwnd comes half way down
 *    to what was used, but not below the initial window.
 *
 * Both leave three quarters of what cwnd was in ssthresh, up to which slow
 * start then goes: the path is not forgotten, only probed again.  RFC 7661
 * would keep cwnd for minutes, which asks for more trust in old knowledge.
 *
 * The initial window is RFC 6928's, of one segment if the SYN had to be sent
 * more than twice.  Growth counts bytes (RFC 3465): in slow start at most two
 * segments for an ACK, one after a time-out, when an ACK may be about much that
 * arrived before it.
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
    if (why == TOE_CC_LOSS) {
        /* RFC 5681 3.2: what limited transmit sent does not count. */
        flight = MIN(flight, MAX(c->cwnd, c->mss));
    }
    ssthresh = toe_cc_ops(c)->ssthresh(c, flight, why);
    toe_ecn_reduced(c, why);
    return ssthresh;
}

void toe_cc_syn_lost(ToeNcb *c, unsigned times)
{
    /* RFC 6928 2: one loss may be chance. */
    if (times > 1) {
        c->cwnd = c->mss;
    }
}

/* RFC 2861 3.1 and 3.2: cwnd falls, but what it was is remembered. */
static void fall_to(ToeNcb *c, uint32_t cwnd)
{
    c->ssthresh = MAX(c->ssthresh, c->cwnd / 4 * 3);
    c->cwnd = cwnd;
    c->cc_acked = 0;
    if (toe_cc_ops(c)->idle) {
        toe_cc_ops(c)->idle(c);
    }
}

static void validated(ToeNcb *c, int64_t now)
{
    c->cwv_time = now;
    c->cwv_used = 0;
}

void toe_cc_idle(ToeNcb *c, int64_t now)
{
    uint32_t restart = toe_cc_initial_window(c->mss);

    if (now - c->data_sent <= toe_rto(c)) {
        return;
    }
    if (c->cwnd > restart) {
        fall_to(c, restart);
    }
    validated(c, now);
}

void toe_cc_validate(ToeNcb *c, int64_t now)
{
    if (c->flags & (TOE_F_CWND_LIMITED | TOE_F_RECOVERY) || c->lost ||
        c->sacked || c->flags2 & TOE_F2_LOSS) {
        validated(c, now);
        return;
    }
    c->cwv_used = MAX(c->cwv_used, c->snd_max - c->snd_una);
    if (now - c->cwv_time > toe_rto(c)) {
        uint32_t used = MAX(c->cwv_used, toe_cc_initial_window(c->mss));

        if (used < c->cwnd) {
            fall_to(c, (c->cwnd + used) / 2);
        }
        validated(c, now);
    }
}

void toe_cc_reno_acked(ToeNcb *c, const ToeCcAck *a)
{
    if (!toe_cc_limited(c, a->flight)) {
        return;
    }
    if (c->cwnd < c->ssthresh) {
        /* RFC 3465 2.2 and 2.3: L = 2 copes with delayed ACKs. */
        bool timeout = c->flags2 & TOE_F2_LOSS ||
                       seq_lt(c->snd_una, c->recover);

        c->cwnd += MIN(a->bytes, (timeout ? 1u : 2u) * c->mss);
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
