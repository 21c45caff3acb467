/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rack.c - loss detection by time, and probes for lost tails: RFC 8985.
 *
 * RACK.  Of all that was delivered, the piece sent last is remembered
 * (rack_sent, rack_end) with its round trip.  What was sent before it and is
 * not delivered is lost once a reordering window has passed too.  The window
 * is zero while the path has shown no reordering and either recovery is on or
 * three segments' worth is SACKed (which is RFC 6675's rule); else a quarter
 * of the least round trip, more for each round in which a D-SACK showed a
 * retransmission to be needless.  This finds lost retransmissions as well.
 * What is not lost yet but soon may be is looked at again by TOE_T_REO.
 *
 * TLP.  When nothing is known to be lost and no ACK comes for two round trips,
 * a probe (new data, or the last segment again) makes the peer say what it
 * has, so that a lost tail is repaired by RACK and not by a time-out.  If the
 * probe itself was the repair, congestion control is told (7.4).
 */
#include "nop/tcp/tcp.h"

#define REO_PERSIST 16u         /* recoveries, RFC 8985 6.2 step 4 */

void toe_rack_init(ToeNcb *c)
{
    c->fack = c->snd_una;
    c->rack_end = c->snd_una;
    c->rack_sent = c->rack_rtt = 0;
    c->reo_mult = 1;
    c->reo_persist = REO_PERSIST;
    c->dsack_round = c->snd_una;
    c->tlp_end = c->snd_una;
    c->undo_una = c->snd_una;
}

/* RACK_sent_after(). */
static bool sent_after(int64_t t1, uint32_t end1, int64_t t2, uint32_t end2)
{
    return t1 > t2 || (t1 == t2 && seq_gt(end1, end2));
}

void toe_rack_delivered(ToeNcb *c, const ToeSpan *s, const ToeAckNews *news)
{
    int64_t rtt = news->now - s->sent;

    if (s->again) {
        /* Was it the first copy that arrived?  RFC 8985 6.2 step 2. */
        if (news->ts_ecr &&
            (int32_t)(news->ts_ecr - toe_ts_now(c, s->sent)) < 0) {
            return;
        }
        if (rtt < (int64_t)c->min_rtt_us * 1000) {
            return;
        }
    }
    if (sent_after(s->sent, s->right, c->rack_sent, c->rack_end)) {
        c->rack_sent = s->sent;
        c->rack_end = s->right;
        c->rack_rtt = rtt;
    }
}

void toe_rack_dsack(ToeNcb *c)
{
    if (seq_geq(c->snd_una, c->dsack_round)) {
        /* Once a round trip. */
        c->dsack_round = c->snd_nxt;
        c->reo_mult = (uint8_t)MIN(c->reo_mult + 1u, 64u);
        c->reo_persist = REO_PERSIST;
    }
}

void toe_rack_recovered(ToeNcb *c)
{
    if (c->reo_persist && !--c->reo_persist) {
        c->reo_mult = 1;
        c->reo_persist = REO_PERSIST;
    }
}

static int64_t reordering_window(const ToeNcb *c)
{
    uint32_t rtt = c->min_rtt_us ? c->min_rtt_us : c->srtt_us;

    if (!(c->flags2 & TOE_F2_REORDERED) && c->reo_mult == 1 &&
        (c->flags & TOE_F_RECOVERY || c->flags2 & TOE_F2_LOSS ||
         c->dupacks >= TOE_DUPTHRESH ||
         c->sacked > (TOE_DUPTHRESH - 1) * c->mss)) {
        return 0;
    }
    return MIN((int64_t)rtt * c->reo_mult / 4, c->srtt_us) * 1000;
}

void toe_rack_detect(ToeTcp *t, ToeNcb *c, int64_t now)
{
    int64_t window = reordering_window(c), wait = INT64_MAX;

    for (uint32_t i = c->span_first; i != TOE_NONE; i = t->spans[i].next) {
        ToeSpan *s = &t->spans[i];
        int64_t left;

        if (s->state != TOE_SPAN_FLYING ||
            !sent_after(c->rack_sent, c->rack_end, s->sent, s->right)) {
            continue;
        }
        left = s->sent + c->rack_rtt + window - now;
        if (left <= 0) {
            toe_sack_set(c, s, TOE_SPAN_LOST);
        } else {
            wait = MIN(wait, left);
        }
    }
    if (wait == INT64_MAX) {
        toe_timer_off(c, TOE_T_REO);
    } else {
        toe_timer_set(t, c, TOE_T_REO, now + wait);
    }
}

/* ---- TLP ---- */

void toe_rack_arm_probe(ToeTcp *t, ToeNcb *c, int64_t now)
{
    int64_t pto;

    if (c->snd_una == c->snd_nxt || c->sacked || c->lost || !c->srtt_us ||
        c->flags & (TOE_F_RECOVERY | TOE_F_PERSIST) ||
        c->flags2 & (TOE_F2_LOSS | TOE_F2_TLP) || c->backoff) {
        toe_timer_off(c, TOE_T_TLP);
        return;
    }
    pto = MAX(2 * (int64_t)c->srtt_us * 1000, TOE_PTO_MIN_NS);
    if (c->snd_nxt - c->snd_una < 2u * c->mss) {
        /* Fewer than two full segments: the ACK may be delayed. */
        pto += TOE_WC_DELACK_NS;
    }
    /* Not later than the time-out, which the probe then puts off. */
    toe_timer_set(t, c, TOE_T_TLP, MIN(now + pto, c->deadline[TOE_T_RTX]));
}

void toe_rack_probed(ToeTcp *t, ToeNcb *c, bool resent, int64_t now)
{
    c->flags2 |= TOE_F2_TLP;
    c->flags2 &= ~TOE_F2_TLP_RESENT;
    if (resent) {
        c->flags2 |= TOE_F2_TLP_RESENT;
    }
    c->tlp_end = c->snd_nxt;
    toe_timer_off(c, TOE_T_TLP);
    toe_timer_set(t, c, TOE_T_RTX, now + toe_rto(c));
}

bool toe_rack_probe_acked(ToeNcb *c, const ToeAckNews *news)
{
    if (!(c->flags2 & TOE_F2_TLP) || seq_lt(c->snd_una, c->tlp_end)) {
        return false;
    }
    if (!(c->flags2 & TOE_F2_TLP_RESENT) || news->dsack_tlp) {
        c->flags2 &= ~TOE_F2_TLP;
        return false;                           /* both copies arrived */
    }
    if (seq_gt(c->snd_una, c->tlp_end)) {
        /* No word of a second copy while new data was acknowledged. */
        c->flags2 &= ~TOE_F2_TLP;
        return true;
    }
    if (news->dup && !news->acked && !news->sacked) {
        c->flags2 &= ~TOE_F2_TLP;               /* duplicate: the second copy */
    }
    return false;
}
