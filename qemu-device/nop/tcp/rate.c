/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rate.c - how fast data is delivered: draft-cheng-iccrg-delivery-rate-
 * estimation, for INFO.
 *
 * A sample is what was delivered (acknowledged or SACKed for the first time)
 * while one segment was on its way, over the time that took: the longer one of
 * the time in which it was sent and the time in which it was acknowledged, so
 * that neither a burst sent nor ACKs that come in a bunch make the path look
 * faster than it is.
 *
 * The draft samples with each segment.  We time one at a time, the next new one
 * after the last was acknowledged, so about one in a round trip; that needs no
 * memory for each segment and works without SACK.  One that is sent again is
 * forgotten.
 *
 * When the application had nothing to send the sample says how fast it was, not
 * how fast the path is.  Such a sample counts only if it is the faster one, and
 * INFO says that it is one.
 */
#include "nop/tcp/tcp.h"

void toe_rate_start(ToeNcb *c, int64_t now)
{
    c->rate_delivered_us = c->rate_first_us = toe_us(now);
    c->flags2 &= ~(TOE_F2_RATE_TIMED | TOE_F2_RATE_APP);
    c->flags2 |= TOE_F2_RATE_SLOW_APP;  /* it has sent nothing so far */
    c->rate_slow_until = c->rate_delivered;
}

void toe_rate_sent(ToeNcb *c, uint32_t end, int64_t now)
{
    if (c->snd_una == c->snd_max) {
        /* After silence the time begins here. */
        c->rate_delivered_us = c->rate_first_us = toe_us(now);
    }
    if (c->flags2 & TOE_F2_RATE_TIMED) {
        return;
    }
    c->flags2 |= TOE_F2_RATE_TIMED;
    c->flags2 &= ~TOE_F2_RATE_LIMITED;
    if (c->flags2 & TOE_F2_RATE_SLOW_APP) {
        c->flags2 |= TOE_F2_RATE_LIMITED;
    }
    c->rate_seq = end;
    c->rate_sent_us = toe_us(now);
    c->rate_sent_first_us = c->rate_first_us;
    c->rate_sent_delivered_us = c->rate_delivered_us;
    c->rate_sent_delivered = c->rate_delivered;
}

void toe_rate_resent(ToeNcb *c, uint32_t seq, uint32_t end)
{
    if (seq_lt(seq, c->rate_seq) && seq_geq(end, c->rate_seq)) {
        c->flags2 &= ~TOE_F2_RATE_TIMED;
    }
}

void toe_rate_idle(ToeNcb *c)
{
    uint32_t pipe = c->snd_nxt - c->snd_una;

    if (c->lost || pipe >= toe_recovery_window(c)) {
        return;                         /* cwnd is what limits it */
    }
    c->flags2 |= TOE_F2_RATE_SLOW_APP;
    c->rate_slow_until = c->rate_delivered + pipe - c->sacked;
}

static void sample(ToeNcb *c)
{
    uint32_t bytes = c->rate_delivered - c->rate_sent_delivered;
    uint32_t us = MAX(c->rate_sent_us - c->rate_sent_first_us,
                      c->rate_delivered_us - c->rate_sent_delivered_us);
    bool limited = c->flags2 & TOE_F2_RATE_LIMITED;

    c->rate_first_us = c->rate_sent_us;
    if (!us || us < c->min_rtt_us) {
        return;                         /* not possible: no measurement */
    }
    if (limited && (uint64_t)bytes * c->rate_us < (uint64_t)c->rate_bytes * us) {
        return;
    }
    c->rate_bytes = bytes;
    c->rate_us = us;
    c->flags2 &= ~TOE_F2_RATE_APP;
    if (limited) {
        c->flags2 |= TOE_F2_RATE_APP;
    }
}

void toe_rate_acked(ToeNcb *c, uint32_t bytes, int64_t now)
{
    if (bytes) {
        c->rate_delivered += bytes;
        c->rate_delivered_us = toe_us(now);
        if ((int32_t)(c->rate_delivered - c->rate_slow_until) > 0) {
            c->flags2 &= ~TOE_F2_RATE_SLOW_APP;
        }
    }
    if (c->flags2 & TOE_F2_RATE_TIMED && seq_geq(c->snd_una, c->rate_seq)) {
        c->flags2 &= ~TOE_F2_RATE_TIMED;
        sample(c);
    }
}

uint64_t toe_rate(const ToeNcb *c)
{
    return c->rate_us ? (uint64_t)c->rate_bytes * 1000000 / c->rate_us : 0;
}
