/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recovery.c - what was lost, and what to send again.
 *
 * Without SACK the signs are duplicate ACKs and time:
 *
 *  - the first two duplicate ACKs let one new segment each go out beyond
 *    cwnd (limited transmit, RFC 3042), so that small windows reach three;
 *  - the third starts fast recovery (RFC 5681 3.2): the segment at snd_una is
 *    sent again, cwnd is inflated by each further duplicate;
 *  - a partial ACK in it says that the next segment is lost too (RFC 6582);
 *    an ACK of all that was outstanding (recover) ends it;
 *  - after a time-out everything from snd_una on is sent again in slow start
 *    (go-back), and duplicate ACKs that this causes do not start fast
 *    recovery (RFC 6582 section 4, the careful variant).
 *
 * SACK and RACK replace the judgement of what is lost here; what sends
 * (output.c) only sees snd_nxt, TOE_F_RTX_ONE and toe_recovery_window().
 */
#include "nop/tcp/tcp.h"
#include "toe_trace.h"

bool toe_recovery_new_ack(ToeTcp *t, ToeNcb *c, uint32_t ack, int64_t now)
{
    uint32_t flight = c->snd_max - c->snd_una, acked = ack - c->snd_una;
    bool restart = true;

    c->dupacks = 0;
    if (!(c->flags & TOE_F_RECOVERY)) {
        toe_cc_ops(c)->acked(c, acked, flight, now);
        if (ack - c->recover > 1u << 30) {
            /* Keep it near, so that the comparison does not wrap. */
            c->recover = ack - 1;
        }
        return true;
    }
    if (seq_geq(ack, c->recover)) {
        /* RFC 6582 3.2 step 3, full acknowledgment, option 1: no burst. */
        c->cwnd = MIN(c->ssthresh, MAX(c->snd_max - ack, c->mss) + c->mss);
        c->flags &= ~(TOE_F_RECOVERY | TOE_F_PARTIAL);
    } else {
        /* Partial: deflate, and send the next one again. */
        c->cwnd = c->cwnd > acked ? c->cwnd - acked : 0;
        if (acked >= c->mss) {
            c->cwnd += c->mss;
        }
        c->cwnd = MAX(c->cwnd, c->mss);
        /* "Impatient": only the first one restarts the timer. */
        restart = !(c->flags & TOE_F_PARTIAL);
        c->flags |= TOE_F_PARTIAL | TOE_F_RTX_ONE;
        toe_tcp_mark(t, c);
    }
    return restart;
}

void toe_recovery_dup_ack(ToeTcp *t, ToeNcb *c)
{
    toe_count(t->nop->counters, TCP_DUP_ACKS_IN);
    if (c->dupacks < UINT8_MAX) {
        c->dupacks++;
    }
    if (c->flags & TOE_F_RECOVERY) {
        c->cwnd = MIN(c->cwnd + c->mss, TOE_CWND_MAX);
    } else if (c->dupacks == TOE_DUPTHRESH && seq_gt(c->snd_una, c->recover)) {
        c->ssthresh = toe_cc_ops(c)->ssthresh(c, c->snd_max - c->snd_una);
        c->recover = c->snd_max;
        c->cwnd = c->ssthresh + TOE_DUPTHRESH * c->mss;
        c->flags |= TOE_F_RECOVERY | TOE_F_RTX_ONE;
        c->flags &= ~(TOE_F_PARTIAL | TOE_F_RTT_TIMED);
        toe_count(t->nop->counters, TCP_FAST_RETRANSMITS);
        toe_trace_tcp_fast_retransmit(toe_ncb_handle(t, c), c->snd_una,
                                      c->ssthresh);
    }
    toe_tcp_mark(t, c);
}

void toe_recovery_rto(ToeTcp *t, ToeNcb *c)
{
    (void)t;
    if (c->backoff == 1) {
        /* A repeated time-out says nothing new about the path. */
        c->ssthresh = toe_cc_ops(c)->ssthresh(c, c->snd_max - c->snd_una);
    }
    c->cwnd = c->mss;                           /* RFC 5681: the loss window */
    c->recover = c->snd_max;
    c->dupacks = 0;
    c->flags &= ~(TOE_F_RECOVERY | TOE_F_PARTIAL | TOE_F_RTX_ONE);
    c->snd_nxt = c->snd_una;
    c->tx_pos.buflet = TOE_BUFLET_NONE;
}

uint32_t toe_recovery_window(const ToeNcb *c)
{
    if (c->flags & TOE_F_RECOVERY || seq_leq(c->snd_una, c->recover)) {
        return c->cwnd;
    }
    return c->cwnd + MIN(c->dupacks, 2u) * c->mss;
}
