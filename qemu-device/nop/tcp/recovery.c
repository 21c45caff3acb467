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
 * With SACK the scoreboard (sack.c) knows what the peer has and RACK (rack.c)
 * says what is lost.  toe_recovery_ack() takes each ACK when both have seen
 * it:
 *
 *  - something lost begins recovery: ssthresh from congestion control, and
 *    cwnd by proportional rate reduction (RFC 6937) until all that was out at
 *    its beginning (recover) is acknowledged;
 *  - after a time-out all that is not SACKed is lost and is sent again in slow
 *    start.  If new data can be sent, the second ACK tells whether the
 *    time-out was spurious (F-RTO, RFC 5682);
 *  - a recovery that turns out to be needless, because the peer reports every
 *    segment resent as a duplicate, or its timestamp echoes say that the first
 *    copy arrived (RFC 3522), is undone: cwnd and ssthresh are what they were
 *    (RFC 4015's response, without its change of the RTO).
 *
 * What sends (output.c) sees toe_sack_next(), snd_nxt, TOE_F_RTX_ONE,
 * TOE_F2_FORCE and toe_recovery_window().
 */
#include "nop/tcp/tcp.h"
#include "toe_trace.h"

bool toe_recovery_new_ack(ToeTcp *t, ToeNcb *c, uint32_t ack,
                          const ToeAckNews *news)
{
    uint32_t flight = c->snd_max - c->snd_una, acked = ack - c->snd_una;
    bool restart = true;

    c->dupacks = 0;
    if (!(c->flags & TOE_F_RECOVERY)) {
        toe_cc_acked(c, &(ToeCcAck) {
            .now = news->now, .bytes = acked, .flight = flight,
            .ece = news->ece, .paced = toe_pacing_on(t, c),
        });
        if ((int32_t)(ack - c->recover) > 1 << 30) {
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
        c->ssthresh = toe_cc_reduce(c, c->snd_max - c->snd_una, TOE_CC_LOSS);
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

/* ---- With SACK ---- */

static void remember_for_undo(ToeNcb *c)
{
    c->undo_una = c->snd_una;
    c->undo_cwnd = c->cwnd;
    c->undo_ssthresh = c->ssthresh;
    c->undo_bytes = 0;
    c->undo_ts = 0;
    c->flags2 |= TOE_F2_UNDO;
}

static void undo(ToeTcp *t, ToeNcb *c)
{
    toe_count(t->nop->counters, TCP_SPURIOUS);
    toe_trace_tcp_undo(toe_ncb_handle(t, c), c->cwnd, c->undo_cwnd);
    c->cwnd = MAX(c->cwnd, c->undo_cwnd);
    c->ssthresh = MAX(c->ssthresh, c->undo_ssthresh);
    if (toe_cc_ops(c)->undo) {
        toe_cc_ops(c)->undo(c);
    }
    toe_ecn_undone(c);
    c->flags &= ~TOE_F_RECOVERY;
    c->flags2 &= ~(TOE_F2_UNDO | TOE_F2_LOSS | TOE_F2_FRTO |
                   TOE_F2_FRTO_NEW | TOE_F2_FORCE);
    toe_sack_find_all(t, c);
}

/* Does this ACK show that nothing had to be sent again? */
static bool was_spurious(const ToeTcp *t, ToeNcb *c, const ToeAckNews *news)
{
    if (!(c->flags2 & TOE_F2_UNDO)) {
        return false;
    }
    if (news->acked && !c->undo_ts && !c->lost &&
        (c->flags & TOE_F_RECOVERY || c->flags2 & TOE_F2_LOSS)) {
        /*
         * Nothing was resent yet: the first copies filled all holes.  ACKs of
         * a path that reorders often say so in one burst.  With a resent one
         * there would have been a D-SACK to widen RACK's window; so do that.
         */
        toe_rack_dsack(c);
        return true;
    }
    if (!c->undo_bytes) {
        return false;
    }
    if (news->dsacked) {
        c->undo_bytes -= MIN(c->undo_bytes, news->dsacked);
        if (!c->undo_bytes) {
            return true;
        }
    }
    /* After a time-out all was resent; else others may be lost indeed. */
    return news->first_copy &&
           (c->flags2 & TOE_F2_LOSS ||
            (c->flags & TOE_F_RECOVERY && !c->lost &&
             !toe_sack_any_resent(t, c)));
}

static void begin_recovery(ToeTcp *t, ToeNcb *c, const ToeAckNews *news)
{
    remember_for_undo(c);
    c->ssthresh = toe_cc_reduce(c, news->flight, TOE_CC_LOSS);
    c->recover = c->snd_nxt;
    c->prr_delivered = c->prr_out = 0;
    c->prr_flight = c->snd_nxt - c->snd_una - c->sacked + news->delivered;
    c->flags |= TOE_F_RECOVERY;
    c->flags &= ~TOE_F_RTT_TIMED;
    c->flags2 |= TOE_F2_FORCE;
    toe_timer_off(c, TOE_T_TLP);
    toe_count(t->nop->counters, TCP_FAST_RETRANSMITS);
    toe_trace_tcp_fast_retransmit(toe_ncb_handle(t, c), c->snd_una,
                                  c->ssthresh);
}

/* RFC 6937 section 3.1, with the slow-start reduction bound. */
static void proportional_rate(ToeNcb *c, const ToeAckNews *news)
{
    uint32_t pipe = toe_ncb_pipe(c), send;

    c->prr_delivered += news->delivered;
    if (pipe > c->ssthresh) {
        uint64_t due = ((uint64_t)c->prr_delivered * c->ssthresh +
                        MAX(c->prr_flight, 1) - 1) / MAX(c->prr_flight, 1);

        send = due > c->prr_out ? (uint32_t)MIN(due - c->prr_out, UINT32_MAX)
                                : 0;
    } else {
        uint32_t room = c->prr_delivered > c->prr_out
                        ? c->prr_delivered - c->prr_out : 0;

        room = MAX(room, news->delivered);
        if (news->acked) {
            room += c->mss;
        }
        send = MIN(c->ssthresh - pipe, room);
    }
    if (!pipe || !c->prr_out) {
        send = MAX(send, c->mss);               /* something has to move */
    }
    c->cwnd = MIN(pipe + send, TOE_CWND_MAX);
}

/* RFC 5682 section 3.1: what an ACK after a time-out tells. */
static void after_timeout(ToeTcp *t, ToeNcb *c, const ToeAckNews *news)
{
    bool all = seq_geq(c->snd_una, c->recover);

    if (c->flags2 & TOE_F2_FRTO_NEW) {
        if (news->original) {
            undo(t, c);                         /* step 3.b */
            return;
        }
        if (news->acked || news->sacked) {
            c->flags2 &= ~(TOE_F2_FRTO | TOE_F2_FRTO_NEW);
        }
    } else if (c->flags2 & TOE_F2_FRTO) {
        uint32_t off = c->snd_nxt - c->snd_una;

        if (news->acked && !all && off < c->tx.len &&
            c->snd_wnd >= off + c->mss) {
            c->flags2 |= TOE_F2_FRTO_NEW;       /* step 2.b */
        } else if (news->acked || news->sacked) {
            c->flags2 &= ~TOE_F2_FRTO;
        }
    }
    if (all) {
        c->flags2 &= ~(TOE_F2_LOSS | TOE_F2_FRTO | TOE_F2_FRTO_NEW |
                       TOE_F2_FORCE);
        toe_rack_recovered(c);
    }
}

void toe_recovery_ack(ToeTcp *t, ToeNcb *c, const ToeAckNews *news)
{
    bool in_recovery = c->flags & TOE_F_RECOVERY;

    if (news->acked) {
        c->dupacks = 0;
    } else if (news->sacked) {
        toe_count(t->nop->counters, TCP_DUP_ACKS_IN);
        c->dupacks = (uint8_t)MIN(c->dupacks + 1u, UINT8_MAX);
    }
    if (news->delivered) {
        toe_info_delivered(c, news->delivered);
    }
    if (news->delivered || news->acked) {
        toe_rate_acked(c, news->delivered, news->now);
    }
    if (news->dsack) {
        toe_count(t->nop->counters, TCP_DSACKS_IN);
        c->dsacks++;
        toe_rack_dsack(c);
    }
    if (c->flags2 & TOE_F2_TLP && toe_rack_probe_acked(c, news) &&
        !in_recovery && !(c->flags2 & TOE_F2_LOSS)) {
        /* One segment was lost and is repaired (RFC 8985 7.4.2). */
        c->ssthresh = toe_cc_reduce(c, news->flight, TOE_CC_LOSS);
        c->cwnd = MIN(c->cwnd, c->ssthresh);
    }
    if (was_spurious(t, c, news)) {
        undo(t, c);
    } else if (in_recovery && seq_geq(c->snd_una, c->recover)) {
        c->cwnd = c->ssthresh;
        c->flags &= ~TOE_F_RECOVERY;
        c->flags2 &= ~TOE_F2_FORCE;
        toe_rack_recovered(c);
    } else if (c->flags2 & TOE_F2_LOSS) {
        after_timeout(t, c, news);
    }
    if (c->sacked || c->flags & TOE_F_RECOVERY || c->flags2 & TOE_F2_LOSS) {
        toe_rack_detect(t, c, news->now);
        toe_tcp_mark(t, c);
    } else {
        toe_timer_off(c, TOE_T_REO);
    }
    if (c->lost && !(c->flags & TOE_F_RECOVERY) &&
        !(c->flags2 & TOE_F2_LOSS) &&
        !toe_plpmtud_probe_lost(t, c, news->now)) {
        begin_recovery(t, c, news);
    }
    if (c->flags & TOE_F_RECOVERY) {
        proportional_rate(c, news);
    } else if ((news->acked || news->rtt_us) && !in_recovery) {
        /* Of SACKed ones nothing grows yet, but their round trips tell. */
        toe_cc_acked(c, &(ToeCcAck) {
            .now = news->now, .bytes = news->acked,
            .delivered = news->delivered, .flight = news->flight,
            .rtt_us = news->rtt_us, .ece = news->ece,
            .paced = toe_pacing_on(t, c),
        });
        if (c->flags2 & TOE_F2_FRTO_NEW && news->acked) {
            c->cwnd = MIN(c->cwnd, 2u * c->mss);
        }
        if ((int32_t)(c->snd_una - c->recover) > 1 << 30) {
            /* Keep it near, so that the comparison does not wrap. */
            c->recover = c->snd_una - 1;
            c->undo_una = c->snd_una;
            c->dsack_round = c->snd_una;
            c->flags2 &= ~TOE_F2_UNDO;
        }
    }
    if (news->acked) {
        toe_rack_arm_probe(t, c, news->now);
    }
}

void toe_recovery_lost(ToeTcp *t, ToeNcb *c, int64_t now)
{
    ToeAckNews news = { .now = now, .flight = c->snd_max - c->snd_una };

    if (c->flags2 & TOE_F2_SACK) {
        toe_recovery_ack(t, c, &news);
        toe_tcp_mark(t, c);
    }
}

void toe_recovery_sent(ToeTcp *t, ToeNcb *c, uint32_t seq, uint32_t len,
                       bool again, int64_t now)
{
    if (c->flags & TOE_F_RECOVERY) {
        c->prr_out += len;
    }
    if (!again) {
        toe_sack_sent(t, c, seq, seq + len, now);
        return;
    }
    toe_sack_resent(t, c, seq, seq + len, now);
    if (c->flags2 & TOE_F2_UNDO) {
        c->undo_bytes += len;
        if (!c->undo_ts) {
            c->undo_ts = MAX(toe_ts_now(c, now), 1);
        }
    }
    if (seq == c->snd_una && c->flags & TOE_F_RECOVERY) {
        /* Give it the time that any segment has. */
        toe_timer_set(t, c, TOE_T_RTX, now + toe_rto(c));
    }
}

void toe_recovery_too_big(ToeTcp *t, ToeNcb *c)
{
    if (c->flags2 & TOE_F2_SACK) {
        toe_sack_lose_all(t, c);
        if (!(c->flags & TOE_F_RECOVERY)) {
            c->flags2 |= TOE_F2_LOSS;           /* cwnd stays */
            c->flags2 &= ~(TOE_F2_UNDO | TOE_F2_FRTO | TOE_F2_FRTO_NEW);
            c->recover = c->snd_nxt;
        }
    } else {
        c->snd_nxt = c->snd_una;
    }
    c->tx_pos.buflet = TOE_BUFLET_NONE;
}

static void timeout_with_sack(ToeTcp *t, ToeNcb *c)
{
    bool first = !(c->flags & TOE_F_RECOVERY) &&
                 !(c->flags2 & TOE_F2_LOSS);

    if (c->span_first != TOE_NONE &&
        t->spans[c->span_first].state == TOE_SPAN_SACKED) {
        /* It has what follows but not that? RFC 2018 section 8. */
        toe_count(t->nop->counters, TCP_SACK_RENEGES);
        toe_sack_renege(t, c);
    }
    if (first) {
        remember_for_undo(c);
        if (c->sacked > (TOE_DUPTHRESH - 1) * c->mss) {
            c->reordering = TOE_DUPTHRESH;      /* it was not that, then */
        }
    }
    if (c->backoff == 1) {
        c->ssthresh = toe_cc_reduce(c, c->snd_max - c->snd_una,
                                    TOE_CC_TIMEOUT);
    }
    c->cwnd = c->mss;
    c->recover = c->snd_nxt;
    c->dupacks = 0;
    c->flags &= ~TOE_F_RECOVERY;
    c->flags2 &= ~(TOE_F2_FRTO | TOE_F2_FRTO_NEW | TOE_F2_TLP |
                   TOE_F2_TLP_DUE);
    /* RFC 5682 2.1 step 1: not if it was in recovery already. */
    c->flags2 |= TOE_F2_LOSS | TOE_F2_FORCE | (first ? TOE_F2_FRTO : 0);
    toe_timer_off(c, TOE_T_REO);
    toe_timer_off(c, TOE_T_TLP);
    toe_sack_lose_all(t, c);
}

/* ---- Time-outs, with SACK or without ---- */

void toe_recovery_rto(ToeTcp *t, ToeNcb *c)
{
    if (c->flags2 & TOE_F2_SACK) {
        timeout_with_sack(t, c);
        return;
    }
    if (c->backoff == 1) {
        /* A repeated time-out says nothing new about the path. */
        c->ssthresh = toe_cc_reduce(c, c->snd_max - c->snd_una,
                                    TOE_CC_TIMEOUT);
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
    if (c->flags2 & TOE_F2_SACK) {
        /* So that the window less snd_nxt - snd_una is cwnd less pipe. */
        return c->cwnd + c->sacked + c->lost;
    }
    if (c->flags & TOE_F_RECOVERY || seq_leq(c->snd_una, c->recover)) {
        return c->cwnd;
    }
    return c->cwnd + MIN(c->dupacks, 2u) * c->mss;
}
