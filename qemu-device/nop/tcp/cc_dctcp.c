/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cc_dctcp.c - DCTCP (RFC 8257), for networks whose switches mark early.
 *
 * The share of bytes whose ACKs echo a mark is averaged over windows (alpha,
 * in 1024ths, with g = 1/16); a window with marks reduces cwnd by alpha / 2
 * rather than by half.  Growth, and the reaction to loss, are Reno's (3.5).
 * The receiver's half, which echoes each change of marking at once (3.2), is
 * in ecn.c, and so is the negotiation.  Without ECN nothing is ever marked and
 * what is left is Reno.
 */
#include "nop/tcp/tcp.h"

#define ONE     1024u
#define G_SHIFT 4u

static void dctcp_init(ToeNcb *c)
{
    ToeDctcp *d = &c->cc_state.dctcp;

    d->alpha = ONE;                             /* 4.2: the safe beginning */
    d->acked = d->marked = 0;
    d->window_end = c->snd_nxt;
}

/* RFC 8257 section 3.3, steps 1 to 8. */
static void dctcp_marked(ToeNcb *c, uint32_t bytes, bool ece)
{
    ToeDctcp *d = &c->cc_state.dctcp;
    uint32_t m;

    d->acked += bytes;
    d->marked += ece ? bytes : 0;
    if (seq_leq(c->snd_una, d->window_end)) {
        return;
    }
    m = d->acked ? (uint32_t)((uint64_t)d->marked * ONE / d->acked) : 0;
    /* Rounded up, or it would never reach zero again. */
    d->alpha -= (d->alpha + (1u << G_SHIFT) - 1) >> G_SHIFT;
    d->alpha = MIN(d->alpha + (m >> G_SHIFT), ONE);
    d->acked = d->marked = 0;
    d->window_end = c->snd_nxt;
}

static uint32_t dctcp_ssthresh(ToeNcb *c, uint32_t flight, ToeCcEvent why)
{
    const ToeDctcp *d = &c->cc_state.dctcp;

    c->cc_acked = 0;
    if (why != TOE_CC_MARK) {
        return MAX(flight / 2, 2u * c->mss);
    }
    return MAX(c->cwnd - (uint32_t)((uint64_t)c->cwnd * d->alpha / ONE / 2),
               2u * c->mss);
}

const ToeCcOps toe_cc_dctcp = {
    .name = "dctcp",
    .init = dctcp_init,
    .acked = toe_cc_reno_acked,
    .ssthresh = dctcp_ssthresh,
    .marked = dctcp_marked,
};
