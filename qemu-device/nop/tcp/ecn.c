/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ecn.c - explicit congestion notification, RFC 3168, and the half of DCTCP
 * (RFC 8257) that is not arithmetic.
 *
 * A router in trouble marks a packet (CE in the IP header) instead of dropping
 * it, if the packet says that its sender would understand (ECT).  The receiver
 * echoes the mark in TCP (ECE), the sender reduces its window as it does for a
 * loss and says so (CWR), the receiver stops echoing.  Nothing has to be sent
 * again.
 *
 * Agreement (6.1.1).  A SYN with ECE and CWR asks, a SYN-ACK with ECE alone
 * grants; a peer that just reflects reserved bits sets both, and does not.
 * c->ecn says whether we ask (on), grant (on, passive) or neither (off);
 * DCTCP cannot do without and always does both.  Old middleboxes drop SYNs that
 * ask, so a SYN is sent again without (6.1.1.1).  Who has sent or received any
 * SYN or SYN-ACK without it must not set ECT (6.1.1).  But if the answer to the
 * first SYN comes after all, the peer may not know of the second, and its
 * marks have to be echoed: so there are two flags, TOE_F2_ECN for what we send
 * and TOE_F2_ECN_HEEDED for what we receive.
 *
 * What is ECT (6.1.4 to 6.1.6).  New data only, with ECT(0).  Pure ACKs,
 * window probes and retransmissions are not: their loss would not be noticed,
 * or a forged one could be used to slow us down.  RFC 8311 4.3 lets experiments
 * lift this, and DCTCP's (RFC 8257 3.6) does for SYN, SYN-ACK and RST, which in
 * its networks would be the first to be dropped: there they are ECT.  RFC 8257
 * says nothing of ACKs and retransmissions, so they stay as they are.  ECT(1)
 * is not sent and means the same when received (RFC 8311 3.3; the nonce of RFC
 * 3540 is historic).  No smaller reduction for marks than for losses (RFC 8511)
 * is made: it relies on routers that mark early, which only DCTCP's user has
 * promised.
 *
 * Receiver (6.1.3).  A mark on data in the window sets TOE_F2_ECN_ECHO: all
 * ACKs carry ECE until data with CWR comes.  If that one is marked too, the
 * mark is the later word.  Marks on what carries no data, or lies outside the
 * window, are ignored (6.1.5).  With DCTCP the echo is exact instead: ECE says
 * whether the data that this ACK is about was marked.  So where the marking
 * changes, what is not yet acknowledged gets an ACK of its own with the old
 * echo (c->ecn_change, sent by output.c), and the segment that changed it one
 * at once with the new.  A turn's input may change it more often than there
 * are places; then some bytes are reported with their neighbours' mark.
 *
 * Sender (6.1.2).  An ECE reduces the window as congestion control wants for
 * TOE_CC_MARK, unless the window was reduced, for whatever reason, since the
 * data that the ACK is about was sent.  Each reduction notes snd_max
 * (ecn_recover); the first new data after it, which begins there, carries CWR.
 * Since the receiver echoes up to that very segment, an ACK has to go beyond
 * ecn_recover before its ECE is news.  Retransmissions carry no CWR: if the
 * segment with it is lost, the loss reduces the window again, with a CWR of its
 * own.
 */
#include "nop/tcp/tcp.h"
#include "toe_trace.h"

/* A SYN asks with both, a SYN-ACK grants with ECE alone. */
#define BOTH (TOE_ECE | TOE_CWR)

#define ASKED 1u                /* ecn_syns */
#define PLAIN 2u

static bool is_dctcp(const ToeNcb *c)
{
    return c->cc == TOE_CC_DCTCP;
}

static bool may_grant(const ToeNcb *c)
{
    return c->ecn != TOE_ECN_MODE_OFF || is_dctcp(c);
}

static bool may_ask(const ToeNcb *c)
{
    return c->ecn == TOE_ECN_MODE_ON || is_dctcp(c);
}

/* ---- Agreement ---- */

void toe_ecn_send_syn(ToeTcp *t, ToeNcb *c, ToeSeg *seg, bool again)
{
    if (seg->flags & TOE_ACK) {
        if (c->flags2 & TOE_F2_ECN) {
            seg->flags |= TOE_ECE;
            seg->ecn = is_dctcp(c) ? TOE_ECN_ECT0 : TOE_ECN_NOT_ECT;
        }
        return;
    }
    if (!again && may_ask(c)) {
        c->ecn_syns |= ASKED;
        seg->flags |= BOTH;
        seg->ecn = is_dctcp(c) ? TOE_ECN_ECT0 : TOE_ECN_NOT_ECT;
        return;
    }
    if (c->ecn_syns == ASKED) {
        toe_count(t->nop->counters, TCP_ECN_FALLBACKS);
    }
    c->ecn_syns |= PLAIN;
}

void toe_ecn_syn(ToeNcb *c, const ToeSeg *seg)
{
    uint8_t bits = seg->flags & BOTH;
    bool agreed;

    if (seg->flags & TOE_ACK) {
        agreed = bits == TOE_ECE && c->ecn_syns & ASKED;
    } else {
        /* A simultaneous open's SYN is no answer to one that did not ask. */
        agreed = bits == BOTH && (c->flags & TOE_F_ACTIVE
                                  ? c->ecn_syns == ASKED : may_grant(c));
    }
    if (!agreed) {
        c->flags2 &= ~(TOE_F2_ECN | TOE_F2_ECN_HEEDED);
    } else if (c->state != TOE_TCP_SYN_RECEIVED) {
        /* Later ones can only take it back. */
        c->flags2 |= TOE_F2_ECN_HEEDED;
        if (!(c->ecn_syns & PLAIN)) {
            c->flags2 |= TOE_F2_ECN;
        }
    }
}

void toe_ecn_established(ToeTcp *t, const ToeNcb *c)
{
    if (c->flags2 & TOE_F2_ECN) {
        toe_count(t->nop->counters, TCP_ECN_CONNS);
        toe_trace_tcp_ecn_agreed(toe_ncb_handle(t, c), c->cc);
    }
}

/* ---- Receiver ---- */

/*
 * The marking changes with the segment at hand: what came before it is
 * acknowledged by itself, unless nothing did, or all places are taken.
 */
static void marking_changes(ToeNcb *c)
{
    unsigned n = c->ecn_changes;
    uint32_t acked = n ? c->ecn_change[n - 1] : c->rcv_acked;

    if (seq_gt(c->rcv_nxt, acked) && n < TOE_ECN_CHANGES) {
        c->ecn_change[n] = c->rcv_nxt;
        c->ecn_change_ece &= (uint8_t)~(1u << n);
        if (c->flags2 & TOE_F2_ECN_ECHO) {
            c->ecn_change_ece |= (uint8_t)(1u << n);
        }
        c->ecn_changes++;
    }
    c->flags2 ^= TOE_F2_ECN_ECHO;
}

void toe_ecn_data(ToeTcp *t, ToeNcb *c, const ToeSeg *seg)
{
    bool ce = seg->ecn == TOE_ECN_CE, echo = c->flags2 & TOE_F2_ECN_ECHO;

    if (!(c->flags2 & TOE_F2_ECN_HEEDED)) {
        return;
    }
    if (seg->ecn != TOE_ECN_NOT_ECT) {
        c->flags2 |= TOE_F2_ECN_SEEN;
    }
    if (ce) {
        toe_count(t->nop->counters, TCP_CE_IN);
        toe_trace_tcp_ecn_ce(toe_ncb_handle(t, c), seg->seq, seg->flags);
    }
    if (is_dctcp(c)) {
        if (ce == echo) {
            return;
        }
        marking_changes(c);
    } else {
        if (seg->flags & TOE_CWR) {
            c->flags2 &= ~TOE_F2_ECN_ECHO;
        }
        if (ce) {
            c->flags2 |= TOE_F2_ECN_ECHO;
        }
        if (!(seg->flags & TOE_CWR) && (!ce || echo)) {
            return;
        }
    }
    /*
     * Not required, but the sender hears of it a delayed ACK sooner; and after
     * a CWR its window may be so small that it waits for this one.
     */
    c->flags |= TOE_F_ACK_NOW;
    toe_tcp_mark(t, c);
}

/* ---- Sender ---- */

void toe_ecn_reduced(ToeNcb *c, ToeCcEvent why)
{
    bool marked = why == TOE_CC_MARK || toe_ecn_covers(c);

    if (!(c->flags2 & TOE_F2_ECN)) {
        return;
    }
    c->ecn_recover = c->snd_max;
    c->flags2 |= TOE_F2_ECN_REDUCED | TOE_F2_ECN_CWR;
    if (marked) {
        /* Should a loss be undone, the mark in its window still counts. */
        c->flags2 |= TOE_F2_ECN_MARKED;
    } else {
        c->flags2 &= ~TOE_F2_ECN_MARKED;
    }
}

bool toe_ecn_covers(const ToeNcb *c)
{
    const uint32_t both = TOE_F2_ECN_REDUCED | TOE_F2_ECN_MARKED;

    return (c->flags2 & both) == both && seq_lt(c->snd_una, c->ecn_recover);
}

void toe_ecn_undone(ToeNcb *c)
{
    if (!(c->flags2 & TOE_F2_ECN_MARKED)) {
        c->flags2 &= ~(TOE_F2_ECN_REDUCED | TOE_F2_ECN_CWR);
    }
}

void toe_ecn_ack(ToeTcp *t, ToeNcb *c, const ToeSeg *seg, uint32_t una,
                 uint32_t flight)
{
    const ToeCcOps *ops = toe_cc_ops(c);
    bool ece = seg->flags & TOE_ECE;

    if (!(c->flags2 & TOE_F2_ECN)) {
        return;
    }
    if (c->flags2 & TOE_F2_ECN_REDUCED &&
        seq_gt(c->snd_una, c->ecn_recover)) {
        c->flags2 &= ~(TOE_F2_ECN_REDUCED | TOE_F2_ECN_MARKED);
    }
    if (ops->marked) {
        ops->marked(c, c->snd_una - una, ece);
    }
    if (!ece) {
        return;
    }
    toe_count(t->nop->counters, TCP_ECE_IN);
    toe_info_marked(c, c->snd_una - una);
    if (c->flags2 & TOE_F2_ECN_REDUCED) {
        /* It may have been for nothing, but this is something. */
        c->flags2 &= ~TOE_F2_UNDO;
        return;
    }
    c->flags2 &= ~TOE_F2_UNDO;                  /* marks are never spurious */
    c->ssthresh = toe_cc_reduce(c, flight, TOE_CC_MARK);
    c->cwnd = MIN(c->cwnd, c->ssthresh);
    if (c->cwnd <= c->mss) {
        /* 6.1.2: one segment, and still too much: one in a time-out. */
        toe_pacing_hold(c, toe_nop_now(t->nop) + toe_rto(c));
    }
    toe_count(t->nop->counters, TCP_ECN_REDUCED);
    toe_trace_tcp_ecn_reduced(toe_ncb_handle(t, c), c->snd_una, c->cwnd,
                              c->ssthresh);
}

void toe_ecn_send_data(ToeNcb *c, ToeSeg *seg, uint32_t len, bool fresh)
{
    if (!(c->flags2 & TOE_F2_ECN) || !len || !fresh) {
        return;
    }
    if (c->flags2 & TOE_F2_FO_AGAIN) {
        /* The SYN had it already, so that it is no new data. */
        if (seq_lt(seg->seq, c->fo_end)) {
            return;
        }
        c->flags2 &= ~TOE_F2_FO_AGAIN;
    }
    seg->ecn = TOE_ECN_ECT0;
    if (c->flags2 & TOE_F2_ECN_CWR) {
        c->flags2 &= ~TOE_F2_ECN_CWR;
        seg->flags |= TOE_CWR;
    }
}

void toe_ecn_send_rst(const ToeNcb *c, ToeSeg *seg)
{
    if (c->flags2 & TOE_F2_ECN && is_dctcp(c)) {
        seg->ecn = TOE_ECN_ECT0;                /* RFC 8257 3.6 */
    }
}
