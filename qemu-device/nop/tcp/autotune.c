/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * autotune.c - the size of a connection's buffers.
 *
 * Buffers begin with TOE_PARAM_RCVBUF and TOE_PARAM_SNDBUF and grow with what
 * the path and the application turn out to need, up to TOE_PARAM_RCVBUF_MAX
 * and TOE_PARAM_SNDBUF_MAX.  They are limits: an idle connection holds no
 * memory, whatever they are.  An owner who sets a size has decided, and it
 * stays.
 *
 * Receiving.  A sender in slow start doubles its window each round trip, so
 * the window offered must be twice of what the application took in the last
 * one ("dynamic right-sizing", as Linux does it), and more while that still
 * grows.  The round trip is that of the handshake until there is a better
 * estimate: the echo of our timestamps, or without them the time that a whole
 * window of data takes to come, of which the least counts.  An application
 * that does not read gets no larger buffer.
 *
 * Sending.  A window in flight, and another one to send when it is
 * acknowledged: twice cwnd, as long as cwnd is what limits.
 *
 * Neither grows while local memory is short.  Neither shrinks: a window that
 * was promised is kept (RFC 9293 3.8.6); under pressure output.c offers less
 * new window instead.
 *
 * The window scale is chosen with the SYN, for the largest buffer there may
 * ever be (RFC 7323 2.2).
 */
#include "nop/tcp/tcp.h"

#define PRESSURE 4u             /* this part of local memory has to be free */

uint8_t toe_autotune_wscale(const ToeNop *n)
{
    uint32_t most = MAX(n->rcvbuf_max, TOE_BUF_MAX);
    uint8_t scale = 0;

    while (scale < TOE_WSCALE_MAX && 65535u << scale < most) {
        scale++;
    }
    return scale;
}

static bool pressure(ToeTcp *t, ToeLmemClass class)
{
    return toe_lmem_avail(t->nop->lm, class) <
           toe_lmem_total(t->nop->lm) / PRESSURE;
}

/* ---- Receiving ---- */

void toe_autotune_start(ToeNcb *c, int64_t now)
{
    /* What a sender with an initial window sends at once is no news. */
    c->drs_space = MIN(c->rcv_buf, 10u * MAX(c->mss, 1));
    c->drs_read = (uint32_t)c->bytes_in;
    c->drs_since_us = c->drs_rtt_since_us = toe_us(now);
    c->drs_rtt_us = c->srtt_us;
    c->drs_rtt_seq = c->rcv_adv;
}

void toe_autotune_rtt(ToeNcb *c, const ToeSeg *seg, int64_t now)
{
    uint32_t us;

    if (c->flags & TOE_F_TS && seg->opt.have_ts && seg->opt.ts_ecr) {
        uint32_t ms = toe_ts_now(c, now) - seg->opt.ts_ecr;

        /* A short segment may have waited for its writer. */
        if (seg->len < c->rcv_mss || ms > TOE_RTO_MAX_NS / TOE_MS) {
            return;
        }
        us = MAX(ms, 1) * 1000;
        c->drs_rtt_us = c->drs_rtt_us
                        ? c->drs_rtt_us - c->drs_rtt_us / 8 + us / 8 : us;
        return;
    }
    if (seq_lt(c->rcv_nxt, c->drs_rtt_seq)) {
        return;
    }
    us = MAX(toe_us(now) - c->drs_rtt_since_us, 1);
    if (!c->drs_rtt_us || us < c->drs_rtt_us) {
        c->drs_rtt_us = us;
    }
    c->drs_rtt_seq = seq_max(c->rcv_adv, c->rcv_nxt + 1);
    c->drs_rtt_since_us = toe_us(now);
}

void toe_autotune_read(ToeTcp *t, ToeNcb *c, int64_t now)
{
    uint32_t read = (uint32_t)c->bytes_in - c->rx.len;
    uint32_t took = read - c->drs_read;

    if (!c->drs_rtt_us || toe_us(now) - c->drs_since_us < c->drs_rtt_us) {
        return;
    }
    if (took > c->drs_space) {
        /*
         * As much again for slow start, and twice the growth on top if it
         * speeds up; it cannot more than double.
         */
        uint64_t want = 2ull * took + 16u * c->rcv_mss;
        uint32_t more = MIN(took - c->drs_space, c->drs_space);

        want += 2 * (want * more / MAX(c->drs_space, 1));
        want = MIN(want, t->nop->rcvbuf_max);
        if (want > c->rcv_buf && !(c->so & TOE_SO_RCVBUF) &&
            !pressure(t, TOE_LMEM_IN)) {
            c->rcv_buf = (uint32_t)want;
        }
        c->drs_space = took;
    }
    c->drs_read = read;
    c->drs_since_us = toe_us(now);
}

/* ---- Sending ---- */

void toe_autotune_acked(ToeTcp *t, ToeNcb *c, uint32_t flight)
{
    uint32_t want = MIN(2 * (uint64_t)c->cwnd, t->nop->sndbuf_max);

    if (want <= c->snd_buf || c->so & TOE_SO_SNDBUF ||
        c->flags & TOE_F_RECOVERY || c->flags2 & TOE_F2_LOSS ||
        flight >= c->cwnd || pressure(t, TOE_LMEM_OUT)) {
        /* A flight that fills cwnd had enough to send. */
        return;
    }
    c->snd_buf = want;
}
