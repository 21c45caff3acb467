/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * input.c - a segment arrives: RFC 9293 section 3.10.7, in its order.
 *
 * A segment is parsed and checked (options.c), its connection or listener
 * looked up, its checksum verified, and then it goes through the steps of
 * 3.10.7.4: timestamps (RFC 7323), sequence number, RST, SYN, ACK, data, FIN,
 * with the stricter rules of RFC 5961 against blind attacks.  Most segments
 * take the short way (header prediction): the next one expected, of an
 * established connection, with nothing special.
 *
 * Nothing is sent from here: a need for an ACK, a retransmission or a RST is
 * a flag in the NCB, or for segments without connection a place in a short
 * queue.  Events for the owner are collected and reported at the end.
 *
 * Challenge ACKs (RFC 5961 section 5, also out-of-window ACKs) are limited
 * twice: per connection, and in all.  The total is drawn at random for each
 * period, because a fixed one can be counted from outside and tells what goes
 * on on other connections.
 */
#include "nop/tcp/tcp.h"
#include "toe_trace.h"

#define PAWS_IDLE_NS (24 * 24 * 3600 * TOE_SEC)  /* RFC 7323 5.5 */

/* ---- Answers ---- */

static void ack_now(ToeTcp *t, ToeNcb *c)
{
    c->flags |= TOE_F_ACK_NOW;
    toe_tcp_mark(t, c);
}

static void dup_ack_now(ToeTcp *t, ToeNcb *c)
{
    if (c->dupacks_due < TOE_DUPACKS_PER_TURN) {
        c->dupacks_due++;
    }
    ack_now(t, c);
}

bool toe_tcp_may_challenge(ToeTcp *t, int64_t now)
{
    if (now - t->challenge_time >= TOE_CHALLENGE_NS || !t->challenge_time) {
        t->challenge_time = now;
        t->challenge_left = TOE_CHALLENGE_TOTAL / 2 +
                            toe_nop_random(t->nop) % TOE_CHALLENGE_TOTAL;
    }
    if (!t->challenge_left) {
        return false;
    }
    t->challenge_left--;
    toe_count(t->nop->counters, TCP_CHALLENGE_ACKS);
    return true;
}

static void challenge_ack(ToeTcp *t, ToeNcb *c, int64_t now)
{
    if (now - c->challenge_time >= TOE_CHALLENGE_NS || !c->challenge_time) {
        c->challenge_time = now;
        c->challenges = 0;
    }
    if (c->challenges >= TOE_CHALLENGE_PER_CONN ||
        !toe_tcp_may_challenge(t, now)) {
        return;
    }
    c->challenges++;
    toe_trace_tcp_challenge(toe_ncb_handle(t, c), c->state);
    ack_now(t, c);
}

void toe_tcp_reply_rst(ToeTcp *t, const ToeIpPacket *p, const ToeSeg *seg)
{
    ToeReply *r;

    if (seg->flags & TOE_RST) {
        return;
    }
    if (t->replies_count == TOE_REPLIES) {
        return;                 /* the peer tries again */
    }
    r = &t->replies[(t->replies_head + t->replies_count) % TOE_REPLIES];
    t->replies_count++;
    r->family = p->family;
    memcpy(r->laddr, p->dst, 16);
    memcpy(r->raddr, p->src, 16);
    r->lport = seg->dport;
    r->rport = seg->sport;
    /* RFC 9293 3.10.7.1. */
    if (seg->flags & TOE_ACK) {
        r->seq = seg->ack;
        r->ack = 0;
        r->flags = TOE_RST;
    } else {
        r->seq = 0;
        r->ack = seg->seq + seg->len + !!(seg->flags & TOE_SYN) +
                 !!(seg->flags & TOE_FIN);
        r->flags = TOE_RST | TOE_ACK;
    }
}

void toe_tcp_reject(ToeNop *n, const ToeIpPacket *p)
{
    ToeSeg seg;

    if (!toe_seg_parse(p, &seg)) {
        toe_count(n->counters, TCP_BAD);
        return;
    }
    if (!toe_seg_checksum_ok(p)) {
        toe_count(n->counters, TCP_BAD_CHECKSUM);
        return;
    }
    toe_count(n->counters, TCP_SEGS_IN);
    toe_tcp_reply_rst(n->tcp, p, &seg);
}

/* ---- Pieces of the synchronized states ---- */

static void update_window(ToeTcp *t, ToeNcb *c, const ToeSeg *seg)
{
    uint32_t wnd = seg->wnd << c->snd_wscale;

    /*
     * RFC 9293 3.10.7.4: an old segment must not take the window back.  One
     * that acknowledges something new is not old, whatever its sequence
     * number (the peer sends again, and SND.WL1 is of what came ahead of it);
     * to keep the window would move its right edge.
     */
    if (seq_lt(c->snd_wl2, seg->ack) || seq_lt(c->snd_wl1, seg->seq) ||
        (c->snd_wl1 == seg->seq && seq_leq(c->snd_wl2, seg->ack))) {
        if (wnd > c->snd_wnd && c->tx.len) {
            toe_tcp_mark(t, c);
        }
        c->snd_wnd = wnd;
        c->snd_wl1 = seg->seq;
        c->snd_wl2 = seg->ack;
        c->snd_wnd_max = MAX(c->snd_wnd_max, wnd);
    }
}

static void take_rtt(ToeNcb *c, const ToeSeg *seg, int64_t now)
{
    if (c->flags & TOE_F_RTT_TIMED) {
        if (seq_geq(seg->ack, c->rtt_seq)) {
            c->flags &= ~TOE_F_RTT_TIMED;
            toe_rtt_sample(c, now - c->rtt_time);
            toe_rtt_least(c, now - c->rtt_time, now);
        }
    } else if (c->flags & TOE_F_TS && seg->opt.have_ts && seg->opt.ts_ecr) {
        /* Valid for retransmitted segments as well (RFC 7323 section 4). */
        uint32_t ms = toe_ts_now(c, now) - seg->opt.ts_ecr;

        if (ms <= TOE_RTO_MAX_NS / TOE_MS) {
            toe_rtt_sample(c, MAX(ms, 1) * TOE_MS);
        }
    }
}

static ToeAckNews ack_news(const ToeNcb *c, const ToeSeg *seg, int64_t now)
{
    return (ToeAckNews) {
        .now = now, .flight = c->snd_max - c->snd_una, .fack = c->fack,
        .ece = c->flags2 & TOE_F2_ECN && seg->flags & TOE_ECE,
        .ts_ecr = c->flags & TOE_F_TS && seg->opt.have_ts ? seg->opt.ts_ecr
                                                          : 0,
    };
}

/* The same place, after the chain lost bytes at its head. */
static void pos_trimmed(ToeChainPos *pos, uint32_t bytes)
{
    if (pos->buflet != TOE_BUFLET_NONE && pos->start >= bytes) {
        pos->start -= bytes;
    } else {
        pos->buflet = TOE_BUFLET_NONE;
    }
}

/* snd_una moves up to ack, which is in (snd_una, snd_max]. */
static void advance_una(ToeTcp *t, ToeNcb *c, const ToeSeg *seg,
                        ToeAckNews *news)
{
    uint32_t acked = seg->ack - c->snd_una;
    uint32_t bytes = MIN(acked, c->tx.len);
    int64_t now = news->now;
    bool restart = true;

    if (c->flags2 & TOE_F2_SACK) {
        toe_sack_advance(t, c, seg->ack, news);
    } else {
        restart = toe_recovery_new_ack(t, c, seg->ack, news);
    }
    take_rtt(c, seg, now);
    toe_rto_progress(c);
    c->stalled = 0;
    c->closed_status = TOE_ST_OK;       /* soft errors were just that */
    if (acked > bytes) {
        c->flags |= TOE_F_FIN_ACKED;
    }
    if (bytes) {
        toe_chain_trim_head(t->nop->lm, &c->tx, bytes);
        pos_trimmed(&c->tx_pos, bytes);
        pos_trimmed(&c->rtx_pos, bytes);
        toe_autotune_acked(t, c, news->flight);
    }
    c->snd_una = seg->ack;
    c->snd_nxt = seq_max(c->snd_nxt, c->snd_una);
    if (!(c->flags2 & TOE_F2_SACK)) {
        toe_info_delivered(c, acked);
        toe_rate_acked(c, acked, now);
    }
    toe_urgent_acked(c);
    if (bytes) {
        toe_tcp_check_writable(c);
    }
    toe_plpmtud_acked(t, c, now);
    if (restart || c->snd_una == c->snd_max) {
        toe_timer_restart_rtx(t, c, now);
    }
    if (c->tx.len || toe_ncb_fin_pending(c)) {
        toe_tcp_mark(t, c);
    } else {
        toe_info_chrono(c, now);                /* else the output turn does */
    }
}

/* When will what was just received be acknowledged? */
static void schedule_ack(ToeTcp *t, ToeNcb *c, int64_t now)
{
    if (c->quickacks) {
        c->quickacks--;
        ack_now(t, c);
    } else if (c->rcv_nxt - c->rcv_acked >= 2u * c->rcv_mss) {
        ack_now(t, c);                          /* RFC 9293 SHLD-19 */
    } else if (!(c->flags & TOE_F_ACK_LATER)) {
        c->flags |= TOE_F_ACK_LATER;
        toe_timer_set(t, c, TOE_T_DELACK, now + TOE_DELACK_NS);
    }
}

/* len bytes at rcv_nxt.  False: no room, nothing taken. */
static bool take_in_order(ToeTcp *t, ToeNcb *c, const uint8_t *data,
                          uint32_t len)
{
    if (!toe_chain_append(t->nop->lm, &c->rx, data, len, TOE_LMEM_IN)) {
        toe_count(t->nop->counters, TCP_NO_BUFLET);
        return false;
    }
    c->rcv_nxt += len;
    c->bytes_in += len;
    toe_count_add(t->nop->counters, TCP_BYTES_IN, len);
    return true;
}

static void readable(ToeTcp *t, ToeNcb *c, const ToeSeg *seg)
{
    uint32_t full = toe_tcp_announced_mss(t, c) -
                    (c->flags & TOE_F_TS ? TOE_OPT_TS_LEN : 0);

    /*
     * A segment shorter than the largest seen is the end of something.  The
     * MSS we announced is no measure: peers stay below it, libslirp by 20.
     */
    c->events |= TOE_E_READABLE;
    toe_autotune_rtt(c, seg, toe_nop_now(t->nop));
    if (seg->flags & (TOE_PSH | TOE_FIN) || seg->len < c->rcv_mss) {
        c->events |= TOE_E_PUSH;
    }
    c->rcv_mss = (uint16_t)MAX(c->rcv_mss, MIN(seg->len, full));
}

static void take_timestamp(ToeNcb *c, const ToeSeg *seg, int64_t now)
{
    /* RFC 7323 4.3 (2), with Last.ACK.sent. */
    if (c->flags & TOE_F_TS && seg->opt.have_ts &&
        seq_leq(seg->seq, c->rcv_acked) &&
        (int32_t)(seg->opt.ts_val - c->ts_recent) >= 0) {
        c->ts_recent = seg->opt.ts_val;
        c->ts_recent_time = now;
    }
}

/*
 * Header prediction.  True: the segment was the one expected, or a plain ACK
 * of new data, and is done with.
 */
static bool fast_path(ToeTcp *t, ToeNcb *c, const ToeSeg *seg, int64_t now)
{
    uint32_t una = c->snd_una;
    ToeAckNews news;

    if (c->state != TOE_TCP_ESTABLISHED ||
        (seg->flags & ~(TOE_PSH | TOE_ECE | TOE_CWR)) != TOE_ACK ||
        seg->seq != c->rcv_nxt ||
        c->reass != TOE_NONE || seg->opt.sacks || seg->opt.uto ||
        c->flags & (TOE_F_RECOVERY | TOE_F_FIN_RCVD | TOE_F_PERSIST) ||
        c->sacked || c->lost || c->flags2 & (TOE_F2_LOSS | TOE_F2_TLP) ||
        !(c->flags & TOE_F_OWNED) || c->flags2 & TOE_F2_FO_WAIT ||
        seq_lt(seg->ack, c->snd_una) || seq_gt(seg->ack, c->snd_max)) {
        return false;
    }
    if (c->flags & TOE_F_TS) {
        if (!seg->opt.have_ts ||
            (int32_t)(seg->opt.ts_val - c->ts_recent) < 0) {
            return false;
        }
    }
    if (!seg->len) {
        if (seg->ack == c->snd_una) {
            return false;                       /* duplicate, window update */
        }
        take_timestamp(c, seg, now);
        news = ack_news(c, seg, now);
        advance_una(t, c, seg, &news);
        update_window(t, c, seg);
        if (c->flags2 & TOE_F2_SACK) {
            toe_recovery_ack(t, c, &news);
        }
        toe_ecn_ack(t, c, seg, una, news.flight);
        return true;
    }
    if (seg->len > c->rcv_adv - c->rcv_nxt ||
        (seg->flags & TOE_ECE && seg->ack == c->snd_una)) {
        return false;
    }
    take_timestamp(c, seg, now);
    if (seg->ack != c->snd_una) {
        news = ack_news(c, seg, now);
        advance_una(t, c, seg, &news);
        if (c->flags2 & TOE_F2_SACK) {
            toe_recovery_ack(t, c, &news);
        }
        toe_ecn_ack(t, c, seg, una, news.flight);
    }
    toe_ecn_data(t, c, seg);
    update_window(t, c, seg);
    if (take_in_order(t, c, seg->data, seg->len)) {
        readable(t, c, seg);
        schedule_ack(t, c, now);
    } else {
        ack_now(t, c);
    }
    return true;
}

/* ---- The steps of 3.10.7.4; true: go on with the next one ---- */

static bool check_paws(ToeTcp *t, ToeNcb *c, const ToeSeg *seg, int64_t now)
{
    if (!(c->flags & TOE_F_TS) || seg->flags & TOE_RST) {
        return true;
    }
    if (!seg->opt.have_ts) {
        /* RFC 7323 3.2; a SYN gets its challenge ACK below. */
        if (seg->flags & TOE_SYN) {
            return true;
        }
        toe_count(t->nop->counters, TCP_PAWS_DROPS);
        return false;
    }
    if ((int32_t)(seg->opt.ts_val - c->ts_recent) < 0 &&
        now - c->ts_recent_time < PAWS_IDLE_NS) {
        toe_count(t->nop->counters, TCP_PAWS_DROPS);
        if (seg->len) {
            dup_ack_now(t, c);
        } else {
            challenge_ack(t, c, now);
        }
        return false;
    }
    return true;
}

static void check_rst(ToeTcp *t, ToeNcb *c, const ToeSeg *seg, int64_t now)
{
    if (seg->seq == c->rcv_nxt) {
        toe_count(t->nop->counters, TCP_RST_IN);
        toe_trace_tcp_rst_in(toe_ncb_handle(t, c), c->state);
        toe_tcp_close_ncb(t, c, c->state == TOE_TCP_SYN_RECEIVED
                                ? TOE_ST_REFUSED : TOE_ST_RESET, false);
    } else if (seq_gt(seg->seq, c->rcv_nxt) && seq_lt(seg->seq, c->rcv_adv)) {
        challenge_ack(t, c, now);               /* RFC 5961 3.2 */
    } else {
        toe_count(t->nop->counters, TCP_OUT_OF_WINDOW);
    }
}

static bool check_syn(ToeTcp *t, ToeNcb *c, ToeSeg *seg, int64_t now)
{
    if (!(seg->flags & TOE_SYN)) {
        return true;
    }
    if ((c->state == TOE_TCP_SYN_RECEIVED || c->flags2 & TOE_F2_FO_WAIT) &&
        seg->seq == c->irs) {
        toe_ecn_syn(c, seg);
        if (seg->flags & TOE_ACK && seg->ack == c->snd_max) {
            /* Simultaneous open: the other's SYN-ACK (RFC 9293 3.5). */
            seg->flags &= ~(TOE_SYN | TOE_ECE | TOE_CWR);
            seg->seq++;
            seg->unscaled = true;
            ack_now(t, c);      /* in place of our own SYN-ACK, if unsent */
            return true;
        }
        /* Our SYN-ACK was lost; do not wait for the timer. */
        c->flags |= TOE_F_SEND_SYN;
        toe_tcp_mark(t, c);
        return false;
    }
    challenge_ack(t, c, now);                   /* RFC 5961 4.2 */
    return false;
}

/*
 * Is any of it in the window?  Cuts off what is not.  RFC 9293 3.4 table 6
 * and 3.10.7.4.
 */
static bool check_sequence(ToeTcp *t, ToeNcb *c, ToeSeg *seg, int64_t now)
{
    uint32_t wnd = seq_gt(c->rcv_adv, c->rcv_nxt) ? c->rcv_adv - c->rcv_nxt
                                                  : 0;
    uint32_t ahead;

    if (seq_lt(seg->seq, c->rcv_nxt)) {
        uint32_t old = c->rcv_nxt - seg->seq;
        uint32_t all = seg->len + !!(seg->flags & TOE_FIN);

        if (old >= all) {
            /* Nothing new: resent, or a probe of the peer's. */
            toe_count(t->nop->counters, TCP_OUT_OF_WINDOW);
            if (all) {
                if (seg->len) {
                    toe_reass_duplicate(c, seg->seq, seg->seq + seg->len);
                }
                dup_ack_now(t, c);
                /*
                 * Its ACK may be news all the same (both sides resend after
                 * a loss of ACKs); BSD's rule, allowed by 3.10.7.4.  Its
                 * number stays: the window of what was sent long ago must
                 * not replace that of a later segment.
                 */
                seg->len = 0;
                seg->flags &= ~TOE_FIN;
                return c->state != TOE_TCP_TIME_WAIT;
            }
            /*
             * So may that of a pure ACK: one sent before its sender knew that
             * we took the byte of its window probe is one too low.
             */
            challenge_ack(t, c, now);
            return toe_ncb_synchronized(c) && c->state != TOE_TCP_TIME_WAIT;
        }
        /* Repeated in part. */
        toe_reass_duplicate(c, seg->seq, c->rcv_nxt);
        seg->data += MIN(old, seg->len);
        seg->len -= MIN(old, seg->len);
        seg->seq = c->rcv_nxt;
        ack_now(t, c);
    }
    ahead = seg->seq - c->rcv_nxt;
    if (ahead > wnd || (ahead && ahead == wnd)) {
        toe_count(t->nop->counters, TCP_OUT_OF_WINDOW);
        if (seg->len || seg->flags & TOE_FIN) {
            dup_ack_now(t, c);
        } else {
            challenge_ack(t, c, now);
        }
        return false;
    }
    if (seg->len > wnd - ahead) {
        /*
         * A probe of a closed window, or more than we offered.  Keep the ACK
         * (3.10.7.4: special allowance), cut the rest and say so.
         */
        toe_count(t->nop->counters, TCP_OUT_OF_WINDOW);
        seg->len = wnd - ahead;
        seg->flags &= ~(TOE_FIN | TOE_PSH);
        ack_now(t, c);
    }
    return true;
}

static bool check_ack(ToeTcp *t, ToeNcb *c, const ToeIpPacket *p,
                      const ToeSeg *seg, uint32_t wire_len, int64_t now)
{
    uint32_t una = c->snd_una, flight = c->snd_max - c->snd_una;

    if (!(seg->flags & TOE_ACK)) {
        return false;
    }
    if (c->state == TOE_TCP_SYN_RECEIVED) {
        if (seq_leq(seg->ack, c->snd_una) || seq_gt(seg->ack, c->snd_max)) {
            toe_tcp_reply_rst(t, p, seg);
            return false;
        }
        if (c->flags & TOE_F_RTT_TIMED) {
            c->flags &= ~TOE_F_RTT_TIMED;
            toe_rtt_sample(c, now - c->rtt_time);
            toe_rtt_least(c, now - c->rtt_time, now);
        }
        toe_fastopen_synack(t, c, seg);
        c->snd_una = c->snd_nxt = seg->ack;
        c->snd_wnd = c->snd_wnd_max =
            seg->unscaled ? seg->wnd : seg->wnd << c->snd_wscale;
        c->snd_wl1 = seg->seq;
        c->snd_wl2 = seg->ack;
        toe_tcp_establish(t, c);
        return true;
    }
    if (seq_gt(seg->ack, c->snd_max) ||
        seq_lt(seg->ack, c->snd_una - c->snd_wnd_max)) {
        challenge_ack(t, c, now);               /* RFC 5961 5.2 */
        return false;
    }
    toe_fastopen_acked(t, c, seg->ack, now);
    if (c->flags2 & TOE_F2_SACK) {
        ToeAckNews news = ack_news(c, seg, now);

        if (seq_gt(seg->ack, c->snd_una)) {
            advance_una(t, c, seg, &news);
        }
        if (seg->opt.sacks && seg->ack == c->snd_una) {
            toe_sack_blocks(t, c, &seg->opt, &news);
        }
        if (seg->ack == c->snd_una) {
            news.dup = !wire_len && seg->wnd << c->snd_wscale == c->snd_wnd;
            toe_recovery_ack(t, c, &news);
        }
    } else if (seq_gt(seg->ack, c->snd_una)) {
        ToeAckNews news = ack_news(c, seg, now);

        advance_una(t, c, seg, &news);
    } else if (seg->ack == c->snd_una && !wire_len &&
               c->snd_una != c->snd_max && !(c->flags & TOE_F_PERSIST) &&
               seg->wnd << c->snd_wscale == c->snd_wnd) {
        toe_recovery_dup_ack(t, c);             /* RFC 5681 section 2 */
    }
    if (seq_geq(seg->ack, c->snd_una)) {
        toe_ecn_ack(t, c, seg, una, flight);
        update_window(t, c, seg);
    }
    if (!(c->flags & TOE_F_FIN_ACKED)) {
        return true;
    }
    switch (c->state) {
    case TOE_TCP_FIN_WAIT_1:
        toe_tcp_set_state(t, c, TOE_TCP_FIN_WAIT_2);
        toe_sockopt_lingered(t, c);
        if (!(c->flags & TOE_F_OWNED)) {
            toe_timer_orphan(t, c, now);
        }
        return true;
    case TOE_TCP_CLOSING:
        toe_tcp_time_wait(t, c);
        return false;
    case TOE_TCP_LAST_ACK:
        toe_tcp_close_ncb(t, c, TOE_ST_OK, false);
        return false;
    default:
        return true;
    }
}

/* rcv_nxt reached the peer's FIN. */
static void take_fin(ToeTcp *t, ToeNcb *c)
{
    c->flags |= TOE_F_FIN_TAKEN;
    c->rcv_nxt++;
    c->rcv_adv = seq_max(c->rcv_adv, c->rcv_nxt);
    toe_reass_clear(t, c);
    ack_now(t, c);
    if (c->flags & TOE_F_OWNED) {
        c->events |= TOE_E_PEER_CLOSED;
        if (c->events & TOE_E_READABLE) {
            c->events |= TOE_E_PUSH;
        }
    }
    switch (c->state) {
    case TOE_TCP_ESTABLISHED:
        toe_tcp_set_state(t, c, TOE_TCP_CLOSE_WAIT);
        break;
    case TOE_TCP_FIN_WAIT_1:
        toe_tcp_set_state(t, c, TOE_TCP_CLOSING);
        break;
    case TOE_TCP_FIN_WAIT_2:
        toe_tcp_time_wait(t, c);
        break;
    default:
        break;
    }
}

static void take_text(ToeTcp *t, ToeNcb *c, const ToeSeg *seg, int64_t now)
{
    uint32_t len = seg->len;
    bool gap = c->reass != TOE_NONE;

    if (!toe_ncb_receiving(c)) {
        return;
    }
    if (seg->flags & TOE_FIN && !(c->flags & TOE_F_FIN_RCVD)) {
        c->rcv_fin = seg->seq + len;
        c->flags |= TOE_F_FIN_RCVD;
    }
    if (c->flags & TOE_F_FIN_RCVD && seq_gt(seg->seq + len, c->rcv_fin)) {
        /* There is nothing behind a FIN. */
        len = seq_lt(seg->seq, c->rcv_fin) ? c->rcv_fin - seg->seq : 0;
    }
    if (len && (!(c->flags & TOE_F_OWNED) || c->so & TOE_SO_LINGERING)) {
        /* Nobody will read this: say so (RFC 9293 3.6.1). */
        toe_tcp_close_ncb(t, c, TOE_ST_ABORTED, true);
        return;
    }
    if (len) {
        toe_ecn_data(t, c, seg);
    }
    if (len && seg->seq == c->rcv_nxt) {
        if (!take_in_order(t, c, seg->data, len)) {
            ack_now(t, c);
            return;
        }
        if (gap) {
            uint32_t more = toe_reass_pull(t, c);

            c->bytes_in += more;
            toe_count_add(t->nop->counters, TCP_BYTES_IN, more);
            ack_now(t, c);                      /* RFC 5681 4.2 */
        }
        readable(t, c, seg);
        schedule_ack(t, c, now);
    } else if (len) {
        toe_count(t->nop->counters, TCP_OUT_OF_ORDER);
        c->ooo_segs++;
        if (!toe_reass_insert(t, c, seg->seq, seg->data, len)) {
            toe_count(t->nop->counters, TCP_NO_BUFLET);
        }
        dup_ack_now(t, c);
    } else if (seg->flags & TOE_FIN && seg->seq != c->rcv_nxt) {
        dup_ack_now(t, c);
    }
    if (c->flags & TOE_F_FIN_RCVD && c->rcv_nxt == c->rcv_fin) {
        take_fin(t, c);
    }
}

/* ---- States ---- */

/* RFC 9293 3.10.7.3. */
static void syn_sent(ToeTcp *t, ToeNcb *c, const ToeIpPacket *p, ToeSeg *seg,
                     int64_t now)
{
    bool ack = seg->flags & TOE_ACK;

    if (ack && (seq_leq(seg->ack, c->iss) || seq_gt(seg->ack, c->snd_max))) {
        toe_tcp_reply_rst(t, p, seg);
        return;
    }
    if (seg->flags & TOE_RST) {
        if (ack) {
            toe_count(t->nop->counters, TCP_RST_IN);
            toe_fastopen_refused(t, c);
            toe_tcp_close_ncb(t, c, TOE_ST_REFUSED, false);
        }
        return;
    }
    if (!(seg->flags & TOE_SYN)) {
        return;
    }
    c->irs = seg->seq;
    c->rcv_adv = seg->seq + 1 + (c->rcv_adv - c->rcv_nxt);
    c->rcv_nxt = c->rcv_acked = seg->seq + 1;
    toe_tcp_take_syn_options(t, c, seg);
    c->snd_wnd = c->snd_wnd_max = seg->wnd;     /* RFC 7323 2.2: not scaled */
    c->snd_wl1 = seg->seq;
    c->snd_wl2 = seg->ack;
    c->last_rcv = now;
    if (!ack) {
        /* Simultaneous open. */
        c->snd_wl2 = c->iss;
        toe_tcp_set_state(t, c, TOE_TCP_SYN_RECEIVED);
        c->flags |= TOE_F_SEND_SYN;
        toe_tcp_mark(t, c);
        return;
    }
    if (c->flags & TOE_F_RTT_TIMED) {
        c->flags &= ~TOE_F_RTT_TIMED;
        toe_rtt_sample(c, now - c->rtt_time);
        toe_rtt_least(c, now - c->rtt_time, now);
    }
    toe_fastopen_synack(t, c, seg);
    c->snd_una = c->snd_nxt = seg->ack;
    toe_tcp_establish(t, c);
    ack_now(t, c);
    /* Data on the SYN-ACK is rare, and will be sent again if too much. */
    seg->seq++;
    if (seg->len > c->rcv_adv - c->rcv_nxt) {
        seg->len = c->rcv_adv - c->rcv_nxt;
        seg->flags &= (uint8_t)~(TOE_FIN | TOE_PSH);
    }
    if (seg->len || seg->flags & TOE_FIN) {
        take_text(t, c, seg, now);
    }
}

/* RFC 9293 3.10.7.4, TIME-WAIT; a SYN that may reopen came elsewhere. */
static void time_wait(ToeTcp *t, ToeNcb *c, ToeSeg *seg, int64_t now)
{
    if (seg->flags & TOE_RST) {
        /*
         * RFC 1337, F1: our ACK of an old duplicate makes a peer without
         * the connection send one.  Obeyed, it would end the wait, and the
         * next old duplicate would be taken for the next connection's.
         */
        return;
    }
    if (!check_paws(t, c, seg, now) || !check_syn(t, c, seg, now)) {
        return;
    }
    if (seg->flags & TOE_FIN) {
        /* Our last ACK was lost. */
        ack_now(t, c);
        toe_timer_set(t, c, TOE_T_LIFE, now + t->nop->time_wait_ms * TOE_MS);
        if (c->flags & TOE_F_ON_TW) {
            toe_ncb_tw_del(t, c);
            toe_ncb_tw_add(t, c);
        }
        return;
    }
    check_sequence(t, c, seg, now);
}

static void segment_arrives(ToeTcp *t, ToeNcb *c, const ToeIpPacket *p,
                            ToeSeg *seg)
{
    int64_t now = toe_nop_now(t->nop);
    uint32_t wire_len = seg->len + !!(seg->flags & TOE_FIN);
    uint32_t up = seg->seq + seg->urg;          /* before it is cut */
    bool in_turn;

    toe_info_in(c, seg, now);
    if (c->state == TOE_TCP_SYN_SENT) {
        syn_sent(t, c, p, seg, now);
        return;
    }
    if (c->state == TOE_TCP_TIME_WAIT) {
        time_wait(t, c, seg, now);
        return;
    }
    if (fast_path(t, c, seg, now)) {
        c->last_rcv = now;
        return;
    }
    if (seg->flags & TOE_RST) {
        check_rst(t, c, seg, now);
        return;
    }
    if (!check_paws(t, c, seg, now) || !check_syn(t, c, seg, now)) {
        return;
    }
    /* RFC 7323 4.3 (2); and not what is old as a whole, 5.3 (R2). */
    in_turn = seq_leq(seg->seq, c->rcv_acked) &&
              seq_leq(c->rcv_acked, seg->seq + wire_len);
    if (!check_sequence(t, c, seg, now)) {
        /* It is alive all the same, if only to probe us. */
        if (seq_geq(seg->ack, c->snd_una) && seq_leq(seg->ack, c->snd_max)) {
            c->last_rcv = now;
        }
        return;
    }
    c->last_rcv = now;
    if (!check_ack(t, c, p, seg, wire_len, now)) {
        return;
    }
    if (in_turn && c->flags & TOE_F_TS && seg->opt.have_ts &&
        ((int32_t)(seg->opt.ts_val - c->ts_recent) >= 0 ||
         now - c->ts_recent_time >= PAWS_IDLE_NS)) {    /* RFC 7323 5.5 */
        c->ts_recent = seg->opt.ts_val;
        c->ts_recent_time = now;
    }
    toe_sockopt_uto_in(c, seg->opt.uto);
    if (seg->flags & TOE_URG && toe_ncb_receiving(c)) {
        toe_urgent_in(c, up);
    }
    if (seg->len || seg->flags & TOE_FIN) {
        take_text(t, c, seg, now);
    }
}

/*
 * A SYN for a connection in TIME-WAIT: may a new one replace it?  RFC 6191
 * section 2: if nothing of the old one can be mistaken for it.
 */
static bool may_reopen(const ToeNcb *c, const ToeSeg *seg)
{
    if ((seg->flags & (TOE_SYN | TOE_ACK | TOE_RST)) != TOE_SYN) {
        return false;
    }
    if (seg->opt.have_ts) {
        int32_t later = (int32_t)(seg->opt.ts_val - c->ts_recent);

        if (!(c->flags & TOE_F_TS)) {
            return true;        /* what is old has none: PAWS drops it */
        }
        if (later) {
            return later > 0;
        }
    }
    return seq_gt(seg->seq, c->rcv_nxt);
}

/*
 * A segment that belongs to no connection: of a handshake, or for a listener.
 * Returns the connection that it made, and goes on to, or NULL.
 */
static ToeNcb *handshake(ToeTcp *t, ToeSynReq *req, ToeNcb *listener,
                         const ToeIpPacket *p, const ToeSeg *seg,
                         const uint32_t *above)
{
    return req ? toe_synq_input(t, req, p, seg)
               : toe_tcp_listen_input(t, listener, p, seg, above);
}

bool toe_tcp_input(ToeNop *n, const ToeIpPacket *p)
{
    ToeTcp *t = n->tcp;
    ToeNcb *c, *listener = NULL;
    ToeSynReq *req = NULL;
    uint32_t old_end, *above = NULL;
    ToeSeg seg;
    bool good = toe_seg_parse(p, &seg);

    if (p->len < TOE_TCP_HDR) {
        return false;
    }
    c = toe_ncb_lookup(t, p->family, p->dst, seg.dport, p->src, seg.sport);
    if (!c) {
        req = toe_synq_lookup(t, p->family, p->dst, seg.dport, p->src,
                              seg.sport);
    }
    if (!req && (!c || c->state == TOE_TCP_TIME_WAIT)) {
        listener = toe_ncb_lookup_listener(t, p->family, p->dst, seg.dport);
    }
    if (!c && !req && !listener) {
        return false;
    }
    if (!good) {
        toe_count(n->counters, TCP_BAD);
        return true;
    }
    if (!toe_seg_checksum_ok(p)) {
        toe_count(n->counters, TCP_BAD_CHECKSUM);
        return true;
    }
    toe_count(n->counters, TCP_SEGS_IN);
    toe_trace_tcp_in(c ? toe_ncb_handle(t, c)
                     : req ? req->syn.listener : toe_ncb_handle(t, listener),
                     seg.flags, seg.seq, seg.ack, seg.len, seg.wnd);
    if (c && listener && may_reopen(c, &seg)) {
        old_end = c->snd_max;
        above = &old_end;
        toe_count(n->counters, TCP_TIME_WAIT_REUSED);
        toe_tcp_close_ncb(t, c, TOE_ST_OK, false);
        toe_tcp_reap(t, c);
        c = NULL;
    }
    if (!c) {
        c = handshake(t, req, listener, p, &seg, above);
        if (!c) {
            return true;
        }
        segment_arrives(t, c, p, &seg);
        if (c->state == TOE_TCP_SYN_RECEIVED) {
            /* What the request accepted does not make the connection. */
            toe_tcp_close_ncb(t, c, TOE_ST_ABORTED, false);
            toe_tcp_reap(t, c);
            return true;
        }
    } else {
        segment_arrives(t, c, p, &seg);
    }
    toe_tcp_deliver(t, c);
    return true;
}

/* ---- ICMP ---- */

bool toe_tcp_icmp_error(ToeNop *n, const ToeIcmpError *e)
{
    ToeTcp *t = n->tcp;
    ToeNcb *c = toe_ncb_lookup(t, e->family, e->src, e->lport, e->dst,
                               e->rport);
    bool v6 = e->family == TOE_AF_INET6;
    bool too_big, hard, refused;

    if (!c) {
        /*
         * About a SYN-ACK: taken, and left to the timer.  Whoever can forge
         * these must not end handshakes.
         */
        return toe_synq_lookup(t, e->family, e->src, e->lport, e->dst,
                               e->rport);
    }
    /* RFC 5927 4.1: only about what is in flight. */
    if (seq_lt(e->seq, c->snd_una) || seq_geq(e->seq, c->snd_max)) {
        toe_count(n->counters, TCP_OUT_OF_WINDOW);
        return true;
    }
    toe_trace_tcp_icmp(toe_ncb_handle(t, c), e->type, e->code, e->mtu);
    too_big = v6 ? e->type == 2 : e->type == 3 && e->code == 4;
    /* Unreachable: port or protocol; administratively prohibited. */
    refused = v6 ? e->type == 1 && e->code == 4
                 : e->type == 3 && (e->code == 2 || e->code == 3);
    hard = refused || (v6 ? e->type == 1 && e->code == 1
                          : e->type == 3 && (e->code == 9 || e->code == 10 ||
                                             e->code == 13));
    if (too_big) {
        toe_plpmtud_too_big(t, c, e->mtu, e->seq);
    } else if (hard && c->state == TOE_TCP_SYN_SENT) {
        toe_tcp_close_ncb(t, c, refused ? TOE_ST_REFUSED : TOE_ST_UNREACH,
                          false);
    } else if (e->type == (v6 ? 1 : 3)) {
        /*
         * RFC 5927 4.2: in synchronized states nothing is a hard error;
         * remember it in case that the connection times out.
         */
        c->closed_status = TOE_ST_UNREACH;
    }
    toe_tcp_deliver(t, c);
    return true;
}
