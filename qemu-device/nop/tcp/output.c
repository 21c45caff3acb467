/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * output.c - what to send, and when.
 *
 * Everything is sent from an output turn (toe_tcp_run()); the other files
 * set flags in the NCB and mark it.  A turn looks at the NCB as it is then,
 * so that a burst of segments is answered by one ACK, and an ACK that would
 * have been sent alone rides on data.
 *
 * For each marked NCB, in this order: RST; SYN; zero-window probe and
 * keepalive probe; the one segment that fast retransmit asks for; new data,
 * or after a time-out old data, from snd_nxt on; duplicate ACKs; an ACK that
 * is due and did not ride on any of these.
 *
 * New data is subject to the peer's window, to congestion control, to Nagle
 * and to the sender's silly window avoidance (RFC 9293 3.8.6.2.1, 3.7.4).
 * What these hold back while nothing is in flight needs a timer, since no ACK
 * will come: PERSIST if the window is closed, else OVERRIDE.
 *
 * The window offered is what the receive buffer has room for, bounded by a
 * fair share of the free buflets, never pulled back (RFC 9293 3.8.6, SHLD-14)
 * and moved only by worthwhile steps (3.8.6.2.2).
 */
#include "nop/tcp/tcp.h"
#include "toe_trace.h"

#define QUANTUM (256u << 10)    /* bytes of one connection in a row */
#define FRAME_OVERHEAD 54u      /* Ethernet, IPv4, TCP: for the budget */

static void spend(uint32_t *budget, uint32_t bytes)
{
    *budget = *budget > bytes ? *budget - bytes : 0;
}

/* ---- The window we offer ---- */

static uint32_t fair_share(ToeTcp *t)
{
    uint64_t free = (uint64_t)toe_lmem_avail(t->nop->lm, TOE_LMEM_IN) *
                    TOE_BUFLET_SIZE;

    /*
     * Few connections fill their window at a time: count one in sixteen.
     * Too much is promised when all do; then segments are dropped, which
     * their senders repair.
     */
    return (uint32_t)MIN(free / 2 / (1 + t->conns / 16), UINT32_MAX);
}

/* TOE_OPT_WINDOW_CLAMP. */
static uint32_t clamp_of(const ToeNcb *c)
{
    return c->window_clamp ? c->window_clamp : UINT32_MAX;
}

/* Steps smaller than this are not worth a window update. */
static uint32_t window_step(ToeTcp *t, const ToeNcb *c)
{
    /* When memory is short the share is all the buffer there is. */
    uint32_t most = MIN(MIN(c->rcv_buf, clamp_of(c)), fair_share(t));

    return MAX(MIN(2u * c->rcv_mss, most / 2), 1);
}

uint32_t toe_tcp_receive_window(ToeTcp *t, const ToeNcb *c)
{
    uint32_t room = c->rcv_buf > c->rx.len ? c->rcv_buf - c->rx.len : 0;
    uint32_t old = seq_gt(c->rcv_adv, c->rcv_nxt) ? c->rcv_adv - c->rcv_nxt
                                                  : 0;
    uint32_t wnd = MIN(MIN(room, clamp_of(c)), fair_share(t));

    /* RFC 9293 3.8.6.2.2, here min(2 MSS, buffer / 2). */
    if (wnd < old || wnd - old < window_step(t, c)) {
        wnd = old;
    }
    return MIN(wnd, 65535u << c->rcv_wscale);
}

bool toe_tcp_window_update_due(ToeTcp *t, const ToeNcb *c)
{
    uint32_t most = MIN(MIN(c->rcv_buf, clamp_of(c)),
                        65535u << c->rcv_wscale);
    uint32_t old = c->rcv_adv - c->rcv_nxt;
    uint32_t wnd = toe_tcp_receive_window(t, c);

    /*
     * While more than half is open the sender has no reason to stop (it may
     * send what is at least half of the largest window it saw), and the next
     * ACK carries the news.
     */
    return toe_ncb_receiving(c) && wnd > old && wnd - old >= window_step(t, c) &&
           (old <= most / 2 || wnd - old >= most / 2);
}

/* The header's window field, and the right edge it stands for. */
static uint32_t window_field(ToeTcp *t, const ToeNcb *c, uint32_t *edge)
{
    uint32_t wnd = toe_tcp_receive_window(t, c);
    uint32_t unit = 1u << c->rcv_wscale;
    uint32_t room = c->rcv_buf > c->rx.len ? c->rcv_buf - c->rx.len : 0;
    uint32_t field = wnd >> c->rcv_wscale;

    room = MIN(room, clamp_of(c));
    /*
     * Rounding down pulls the edge back by less than a unit (RFC 7323 2.4);
     * round up as long as there is room.
     */
    if (wnd & (unit - 1) && field < 65535 &&
        ((field + 1) << c->rcv_wscale) <= room) {
        field++;
    }
    *edge = c->rcv_nxt + (field << c->rcv_wscale);
    return field;
}

/* ---- One segment ---- */

/*
 * Fields that all segments of a connection share.  now: what the segment is
 * said to have been sent at must be the time in its timestamp, or an echo of
 * it could be taken for one of an earlier segment (RFC 3522).
 */
static void common_fields(ToeTcp *t, ToeNcb *c, ToeSeg *seg, uint32_t *edge,
                          int64_t now)
{
    memset(seg, 0, sizeof(*seg));
    seg->sport = c->lport;
    seg->dport = c->rport;
    seg->ack = c->rcv_nxt;
    seg->flags = TOE_ACK;
    seg->wnd = window_field(t, c, edge);
    if (c->flags & TOE_F_TS) {
        seg->opt.have_ts = true;
        seg->opt.ts_val = toe_ts_now(c, now);
        seg->opt.ts_ecr = c->ts_recent;
    }
    if (c->flags2 & TOE_F2_ECN_ECHO) {
        seg->flags |= TOE_ECE;
    }
}

static uint8_t transmit(ToeTcp *t, ToeNcb *c, uint8_t *p, uint32_t hlen,
                        uint32_t len, uint32_t sum, const ToeSeg *seg)
{
    ToeNop *n = t->nop;

    toe_seg_seal(p, hlen, len, sum, c->family, c->laddr, c->raddr);
    toe_count(n->counters, TCP_SEGS_OUT);
    toe_trace_tcp_out(toe_ncb_handle(t, c), seg->flags, seg->seq, seg->ack,
                      len, seg->wnd);
    c->segs_out++;
    return toe_ip_output(n, c->family, c->laddr, c->raddr, TOE_PROTO_TCP,
                         c->ttl ? c->ttl : n->ttl, c->tos | seg->ecn,
                         hlen + len,
                         c->pmtud == TOE_PMTUD_DONT ? 0 : TOE_IP_DF);
}

/* The blocks of a SACK option, as many as room bytes hold. */
static void sack_field(ToeTcp *t, const ToeNcb *c, ToeSeg *seg, uint32_t room)
{
    if (c->flags2 & TOE_F2_SACK && room >= TOE_OPT_SACK_MIN &&
        (c->reass != TOE_NONE || c->dsack.left != c->dsack.right)) {
        seg->opt.sacks = toe_reass_sack(t, c, seg->opt.sack,
                                        MIN((room - 4) / 8, TOE_SACK_BLOCKS));
    }
}

/* An ACK went out, alone or with data. */
static void ack_sent(ToeNcb *c, uint32_t edge)
{
    c->rcv_acked = c->rcv_nxt;
    c->rcv_adv = seq_max(c->rcv_adv, edge);
    c->flags &= ~(TOE_F_ACK_NOW | TOE_F_ACK_LATER);
    c->ecn_changes = 0;
    toe_timer_off(c, TOE_T_DELACK);
}

/*
 * SND.NXT of what carries no data.  After a time-out snd_nxt went back, but the
 * peer may have all up to snd_max; and of a closed window's probe, nothing.
 */
static uint32_t idle_seq(const ToeNcb *c)
{
    return c->flags & TOE_F_PERSIST ? c->snd_nxt : c->snd_max;
}

static void send_rst(ToeTcp *t, ToeNcb *c)
{
    uint8_t *p = toe_ip_tx_buffer(t->nop);
    ToeSeg seg = {
        .sport = c->lport, .dport = c->rport, .seq = idle_seq(c),
        .ack = c->rcv_nxt, .flags = TOE_RST | TOE_ACK,
    };
    uint32_t hlen = toe_seg_emit(p, &seg);

    toe_ecn_send_rst(c, &seg);
    c->flags &= ~TOE_F_SEND_RST;
    toe_count(t->nop->counters, TCP_RST_OUT);
    transmit(t, c, p, hlen, 0, 0, &seg);
}

static void send_ack(ToeTcp *t, ToeNcb *c, uint32_t seq)
{
    uint8_t *p = toe_ip_tx_buffer(t->nop);
    uint32_t edge;
    ToeSeg seg;

    common_fields(t, c, &seg, &edge, toe_nop_now(t->nop));
    seg.seq = seq;
    toe_urgent_out(c, &seg);
    if (c->so & TOE_SO_UTO_DUE) {
        /* RFC 5482 3.3: not in each segment, and not where data has to fit. */
        c->so &= ~TOE_SO_UTO_DUE;
        seg.opt.uto = toe_sockopt_uto(c);
    }
    sack_field(t, c, &seg, TOE_TCP_HDR_MAX - TOE_TCP_HDR -
                           (seg.opt.have_ts ? TOE_OPT_TS_LEN : 0) -
                           (seg.opt.uto ? 4 : 0));
    transmit(t, c, p, toe_seg_emit(p, &seg), 0, 0, &seg);
    c->dsack.left = c->dsack.right;             /* RFC 2883: once */
    ack_sent(c, edge);
}

/*
 * One ACK for what came before each change of marking, with the echo that
 * belongs to it (RFC 8257 3.2); the last one is any other's business.
 */
static void send_ecn_changes(ToeTcp *t, ToeNcb *c, uint32_t *budget)
{
    unsigned n = c->ecn_changes, ece = c->ecn_change_ece;
    uint32_t change[TOE_ECN_CHANGES];

    memcpy(change, c->ecn_change, sizeof(change));
    c->ecn_changes = 0;
    for (unsigned i = 0; i < n && !t->nop->port_busy; i++) {
        uint8_t *p = toe_ip_tx_buffer(t->nop);
        uint32_t edge;
        ToeSeg seg;

        common_fields(t, c, &seg, &edge, toe_nop_now(t->nop));
        seg.seq = idle_seq(c);
        seg.ack = change[i];
        /* The right edge as it is, as near as the scale allows. */
        edge = seq_max(edge, c->rcv_adv);
        seg.wnd = MIN((edge - change[i]) >> c->rcv_wscale, 65535);
        seg.flags = ece & 1u << i ? TOE_ACK | TOE_ECE : TOE_ACK;
        transmit(t, c, p, toe_seg_emit(p, &seg), 0, 0, &seg);
        c->rcv_acked = change[i];
        c->rcv_adv = seq_max(c->rcv_adv,
                             change[i] + (seg.wnd << c->rcv_wscale));
        spend(budget, FRAME_OVERHEAD);
    }
}

/*
 * Copy len bytes of the send buffer at offset off to dst and sum them up.
 * Where pieces join at an odd offset, the later one is summed by itself.
 */
static uint32_t copy_payload(ToeTcp *t, ToeNcb *c, uint8_t *dst, uint32_t off,
                             uint32_t len, ToeChainPos *pos)
{
    uint32_t done = 0, sum = 0;

    while (done < len) {
        uint32_t n = 0, part;
        uint8_t *src = toe_chain_span(t->nop->lm, &c->tx, off + done, &n, pos);

        n = MIN(n, len - done);
        if (!(done & 1)) {
            sum = toe_csum_copy(dst + done, src, n, sum);
        } else {
            part = toe_csum_copy(dst + done, src, n, 0);
            sum = toe_csum_join(sum, part, done);
        }
        done += n;
    }
    return sum;
}

/* SYN in SYN-SENT, SYN-ACK in SYN-RECEIVED; first or again. */
static uint8_t send_syn(ToeTcp *t, ToeNcb *c)
{
    uint8_t *p = toe_ip_tx_buffer(t->nop);
    int64_t now = toe_nop_now(t->nop);
    bool active = c->state == TOE_TCP_SYN_SENT;
    uint32_t edge, wnd = toe_tcp_receive_window(t, c), hlen, sum, len;
    ToeSeg seg;

    c->flags &= ~TOE_F_SEND_SYN;
    common_fields(t, c, &seg, &edge, now);
    seg.seq = c->iss;
    seg.flags = active ? TOE_SYN : TOE_SYN | TOE_ACK;
    seg.ack = active ? 0 : c->rcv_nxt;
    seg.wnd = MIN(wnd, 65535);                  /* RFC 7323 2.2: not scaled */
    seg.opt.have_mss = true;
    seg.opt.mss = toe_tcp_announced_mss(t, c);
    if (active || c->flags & TOE_F_WSCALE) {
        seg.opt.have_wscale = true;
        seg.opt.wscale = c->wscale_offer;
    }
    if (active) {
        seg.opt.have_ts = true;
        seg.opt.ts_val = toe_ts_now(c, now);
        seg.opt.ts_ecr = 0;
    }
    seg.opt.sack_permitted = active || c->flags2 & TOE_F2_SACK;
    toe_ecn_send_syn(t, c, &seg, c->snd_max != c->iss);
    len = toe_fastopen_option(t, c, &seg);
    if (c->so & TOE_SO_UTO_SEND && !seg.opt.have_fo) {
        /* Not both: a cookie leaves no room for it. */
        c->so &= ~TOE_SO_UTO_DUE;
        seg.opt.uto = toe_sockopt_uto(c);
    }
    if (c->snd_max == c->iss) {
        c->snd_nxt = c->snd_max = c->iss + 1 + len;
        c->bytes_out += len;
        toe_count_add(t->nop->counters, TCP_BYTES_OUT, len);
        c->rtt_seq = c->snd_max;
        c->rtt_time = now;
        c->flags |= TOE_F_RTT_TIMED;
    } else {
        c->retransmits++;
        c->flags &= ~TOE_F_RTT_TIMED;
        toe_count(t->nop->counters, TCP_RETRANSMITS);
    }
    if (c->deadline[TOE_T_RTX] == INT64_MAX) {
        toe_timer_set(t, c, TOE_T_RTX, now + toe_rto(c));
    }
    if (!active) {
        ack_sent(c, c->rcv_nxt + seg.wnd);
    } else {
        /* The edge is taken up when we know rcv_nxt. */
        c->rcv_adv = c->rcv_nxt + seg.wnd;
    }
    hlen = toe_seg_emit(p, &seg);
    sum = len ? copy_payload(t, c, p + hlen, 0, len, NULL) : 0;
    return transmit(t, c, p, hlen, len, sum, &seg);
}

/* len bytes from seq on, and FIN if it follows them and is asked for. */
static void send_data(ToeTcp *t, ToeNcb *c, uint32_t seq, uint32_t len,
                      bool fin, uint32_t *budget)
{
    ToeNop *n = t->nop;
    uint8_t *p = toe_ip_tx_buffer(n);
    uint32_t off = seq - c->snd_una, hlen, sum, edge, end;
    bool next = seq == c->snd_nxt, news;
    int64_t now = toe_nop_now(n);
    ToeSeg seg;

    common_fields(t, c, &seg, &edge, now);
    seg.seq = seq;
    toe_urgent_out(c, &seg);
    if (fin) {
        seg.flags |= TOE_FIN;
    }
    if (len && off + len == c->tx.len && !(c->flags & TOE_F_MORE)) {
        seg.flags |= TOE_PSH;
    }
    toe_ecn_send_data(c, &seg, len, seq_geq(seq, c->snd_max));
    hlen = toe_seg_emit(p, &seg);
    sum = copy_payload(t, c, p + hlen, off, len,
                       next ? &c->tx_pos : &c->rtx_pos);

    end = seq + len + fin;
    toe_plpmtud_sent(c, seq, len);
    if (c->flags2 & TOE_F2_SACK) {
        toe_recovery_sent(t, c, seq, len + fin, !next, now);
    }
    if (seq_lt(seq, c->snd_max)) {
        c->retransmits++;
        toe_count(n->counters, TCP_RETRANSMITS);
        toe_rate_resent(c, seq, end);
        if (c->flags & TOE_F_RTT_TIMED && seq_lt(seq, c->rtt_seq)) {
            c->flags &= ~TOE_F_RTT_TIMED;       /* Karn */
        }
    } else if (!(c->flags & (TOE_F_RTT_TIMED | TOE_F_RECOVERY)) &&
               !c->sacked && !(c->flags2 & TOE_F2_LOSS)) {
        /* With a hole below, its ACK would come too late. */
        c->flags |= TOE_F_RTT_TIMED;
        c->rtt_seq = end;
        c->rtt_time = now;
    }
    if (len && seq == c->snd_max) {
        toe_rate_sent(c, end, now);
    }
    if (len) {
        uint32_t old = seq_lt(seq, c->snd_max) ? c->snd_max - seq : 0;

        toe_info_out(c, len, MIN(old, len), now);
    }
    if (seq_gt(seq + len, c->snd_max)) {
        uint32_t fresh = seq + len - seq_max(seq, c->snd_max);

        c->bytes_out += fresh;
        toe_count_add(n->counters, TCP_BYTES_OUT, fresh);
    }
    if (next) {
        c->snd_nxt = end;
    }
    c->snd_max = seq_max(c->snd_max, end);
    if (c->flags & TOE_F_PERSIST) {
        c->flags &= ~TOE_F_PERSIST;
        c->backoff = 0;
        c->stalled = 0;
        toe_timer_off(c, TOE_T_RTX);
    }
    if (c->deadline[TOE_T_RTX] == INT64_MAX) {
        toe_timer_set(t, c, TOE_T_RTX, now + toe_rto(c));
    }
    toe_pacing_sent(t, c, len, now);
    c->data_sent = now;
    transmit(t, c, p, hlen, len, sum, &seg);
    news = (c->flags & TOE_F_ACK_NOW && c->flags2 & TOE_F2_SACK &&
            (c->reass != TOE_NONE || c->dsack.left != c->dsack.right)) ||
           c->so & TOE_SO_UTO_DUE;
    ack_sent(c, edge);
    if (news) {
        /* These options would have made the segment too long: they follow. */
        c->flags |= TOE_F_ACK_NOW;
    }
    spend(budget, FRAME_OVERHEAD + len);
}

/* ---- Probes ---- */

static void send_probe(ToeTcp *t, ToeNcb *c)
{
    ToeNop *n = t->nop;
    uint8_t *p = toe_ip_tx_buffer(n);
    uint32_t edge, hlen, sum = 0, len = 0;
    ToeSeg seg;

    c->flags &= ~TOE_F_PROBE;
    common_fields(t, c, &seg, &edge, toe_nop_now(n));
    seg.seq = c->snd_una;
    toe_urgent_out(c, &seg);
    hlen = toe_seg_emit(p, &seg);
    if (c->tx.len) {
        /*
         * One byte beyond the window (RFC 9293 3.8.6.1).  The peer may take
         * it, so it counts as sent; snd_nxt stays, it will be sent again.
         */
        len = 1;
        sum = copy_payload(t, c, p + hlen, 0, 1, NULL);
        toe_info_out(c, 1, c->snd_max != c->snd_una, toe_nop_now(n));
        if (c->snd_max == c->snd_una) {
            c->snd_max++;
            c->bytes_out++;
            toe_count(n->counters, TCP_BYTES_OUT);
        }
        c->flags &= ~TOE_F_RTT_TIMED;
    }
    c->probes++;
    toe_count(n->counters, TCP_PROBES);
    transmit(t, c, p, hlen, len, sum, &seg);
    ack_sent(c, edge);
}

/* ---- New data ---- */

/* Nothing is in flight and data waits: who will wake us? */
static void held_back(ToeTcp *t, ToeNcb *c, uint32_t usable)
{
    int64_t now = toe_nop_now(t->nop);

    if (c->flags2 & TOE_F2_FO_WAIT ||
        (c->snd_una != c->snd_max && !(c->flags & TOE_F_PERSIST))) {
        return;                                 /* an ACK, or RTX */
    }
    if (!usable) {
        if (!(c->flags & TOE_F_PERSIST) ||
            c->deadline[TOE_T_RTX] == INT64_MAX) {
            c->flags |= TOE_F_PERSIST;
            c->backoff = 0;
            c->stalled = now;
            toe_timer_set(t, c, TOE_T_RTX, now + toe_persist_time(t, c));
        }
    } else if (c->deadline[TOE_T_OVERRIDE] == INT64_MAX) {
        toe_timer_set(t, c, TOE_T_OVERRIDE,
                      now + (c->so & TOE_SO_CORK ? TOE_OVERRIDE_NS
                                                 : toe_override_time(t)));
    }
}

/*
 * Is a segment of len bytes, of avail that wait, worth sending?  RFC 9293
 * 3.8.6.2.1 and Nagle (3.7.4).
 */
static bool worth_sending(const ToeNcb *c, uint32_t len, uint32_t avail,
                          bool fin)
{
    if (len >= c->mss || fin || c->flags & TOE_F_OVERRIDE) {
        return true;                            /* (1), (3 with FIN), (4) */
    }
    if (seq_lt(c->snd_nxt, c->snd_max) || c->flags2 & TOE_F2_FRTO_NEW) {
        return true;            /* sent before; or new data was promised */
    }
    if (len && toe_urgent_waits(c)) {
        return true;                            /* it is in a hurry */
    }
    if (len < avail) {
        return len >= c->snd_wnd_max / 2;       /* (3) */
    }
    if (c->flags & TOE_F_MORE || c->so & TOE_SO_CORK) {
        return false;
    }
    return c->flags & TOE_F_NODELAY || c->snd_nxt == c->snd_una;  /* (2) */
}

/* Send from snd_nxt on.  True: the turn is over, but more could go. */
static bool send_stream(ToeTcp *t, ToeNcb *c, uint32_t *budget)
{
    uint32_t quantum = QUANTUM;

    if (c->snd_una == c->snd_max && c->tx.len) {
        toe_cc_idle(c, toe_nop_now(t->nop));
    }
    for (;;) {
        uint32_t off = c->snd_nxt - c->snd_una;
        uint32_t cwnd = toe_recovery_window(c);
        uint32_t wnd = MIN(c->snd_wnd, cwnd);
        uint32_t avail, usable, len, probe;
        bool fin;

        if (off > c->tx.len) {
            return false;                       /* FIN was sent */
        }
        avail = c->tx.len - off;
        usable = wnd > off ? wnd - off : 0;
        if (!off && c->snd_max != c->snd_una &&
            !(c->flags & TOE_F_PERSIST)) {
            /*
             * A peer that took its window back still gets retransmissions
             * (RFC 9293 3.8.6, SHLD-15).
             */
            usable = MAX(usable, MIN(c->mss, c->snd_max - c->snd_una));
        }
        probe = toe_plpmtud_probe(t, c, avail, usable);
        len = probe ? probe : MIN(MIN(avail, usable), c->mss);
        fin = toe_ncb_fin_pending(c) && len == avail;
        if (!avail && !fin) {
            toe_cc_validate(c, toe_nop_now(t->nop));
            c->flags &= ~TOE_F_CWND_LIMITED;    /* the application is slow */
            toe_rate_idle(c);
            break;
        }
        if (avail > usable) {
            /* What holds it back: ours or the peer's window? */
            if (cwnd <= c->snd_wnd) {
                c->flags |= TOE_F_CWND_LIMITED;
            } else {
                c->flags &= ~TOE_F_CWND_LIMITED;
            }
        }
        if ((!len && !fin) || !worth_sending(c, len, avail, fin)) {
            held_back(t, c, usable);
            break;
        }
        if (!*budget || !quantum || t->nop->port_busy) {
            return true;
        }
        if (len && !toe_pacing_ready(t, c, toe_nop_now(t->nop))) {
            return false;
        }
        spend(&quantum, len);
        send_data(t, c, c->snd_nxt, len, fin, budget);
        if (probe) {
            toe_plpmtud_probed(t, c, c->snd_nxt - len, len);
        }
        toe_timer_off(c, TOE_T_OVERRIDE);
    }
    c->flags &= ~TOE_F_OVERRIDE;
    return false;
}

/* Send [seq, seq + len) of what was sent before, FIN counted, at most MSS. */
static void resend(ToeTcp *t, ToeNcb *c, uint32_t seq, uint32_t len,
                   uint32_t *budget)
{
    uint32_t end = toe_ncb_snd_end(c), bytes;

    bytes = seq_lt(seq, end) ? MIN(MIN(len, c->mss), end - seq) : 0;
    send_data(t, c, seq, bytes, seq + bytes == end && len > bytes &&
                                toe_ncb_fin_pending(c), budget);
}

/* Send again what is lost, as pipe allows: RFC 6675 section 5. */
static bool send_lost(ToeTcp *t, ToeNcb *c, uint32_t *budget)
{
    uint32_t left, right, len;

    while (!(c->flags2 & TOE_F2_FRTO_NEW) &&
           toe_sack_next(t, c, &left, &right)) {
        len = MIN(right - left, c->mss);
        if (toe_ncb_pipe(c) + len > c->cwnd &&
            !(c->flags2 & TOE_F2_FORCE)) {
            return false;
        }
        if (left != c->snd_una &&
            left + len - c->snd_una > MAX(c->snd_wnd, c->mss)) {
            return false;                       /* the window shrank */
        }
        if (!*budget || t->nop->port_busy) {
            return true;
        }
        c->flags2 &= ~TOE_F2_FORCE;
        resend(t, c, left, right - left, budget);
    }
    c->flags2 &= ~TOE_F2_FORCE;
    return false;
}

/* A tail loss probe: new data if there is some, else the last segment. */
static void send_tail(ToeTcp *t, ToeNcb *c, uint32_t *budget)
{
    uint32_t off = c->snd_nxt - c->snd_una, len, out;
    bool fresh = false;

    if (!off || c->lost || c->sacked) {
        return;                                 /* an ACK was faster */
    }
    out = MIN(off, c->mss);
    if (off < c->tx.len && c->snd_wnd > off) {
        len = MIN(MIN(c->tx.len - off, c->snd_wnd - off), c->mss);
        send_data(t, c, c->snd_nxt, len, false, budget);
        fresh = true;
    } else {
        resend(t, c, c->snd_nxt - out, out, budget);
    }
    c->probes++;
    toe_count(t->nop->counters, TCP_TLP_PROBES);
    toe_rack_probed(t, c, !fresh, toe_nop_now(t->nop));
}

bool toe_tcp_output(ToeTcp *t, ToeNcb *c, uint32_t *budget)
{
    uint32_t before;
    bool more = false;
    unsigned acks;
    uint8_t st;

    switch (c->state) {
    case TOE_TCP_LISTEN:
        return false;
    case TOE_TCP_CLOSED:
        if (c->flags & TOE_F_SEND_RST) {
            send_rst(t, c);
            spend(budget, FRAME_OVERHEAD);
        }
        toe_tcp_deliver(t, c);
        return false;
    case TOE_TCP_SYN_SENT:
    case TOE_TCP_SYN_RECEIVED:
        if (c->flags & TOE_F_SEND_SYN) {
            st = send_syn(t, c);
            spend(budget, FRAME_OVERHEAD + 20);
            if (c->state == TOE_TCP_SYN_SENT &&
                (st == TOE_ST_UNREACH || st == TOE_ST_NOROUTE)) {
                /* The next hop does not answer: no use in waiting. */
                toe_tcp_close_ncb(t, c, TOE_ST_UNREACH, false);
                toe_tcp_deliver(t, c);
                return false;
            }
        } else if (c->flags & TOE_F_ACK_NOW &&
                   c->state == TOE_TCP_SYN_RECEIVED) {
            send_ack(t, c, idle_seq(c));
            spend(budget, FRAME_OVERHEAD);
        }
        return false;
    default:
        break;
    }
    if (c->flags & TOE_F_SEND_SYN && c->flags2 & TOE_F2_FO_WAIT) {
        send_syn(t, c);
        toe_fastopen_synack_sent(c);
        spend(budget, FRAME_OVERHEAD + 20);
    }
    if (c->ecn_changes) {
        send_ecn_changes(t, c, budget);
    }
    if (c->flags & TOE_F_PROBE) {
        if (c->flags & TOE_F_PERSIST && !c->snd_wnd) {
            send_probe(t, c);
            spend(budget, FRAME_OVERHEAD + 1);
        }
        c->flags &= ~TOE_F_PROBE;
    }
    if (c->flags & TOE_F_KEEP_PROBE) {
        /* An old sequence number makes the peer answer (RFC 9293 3.8.4). */
        c->flags &= ~TOE_F_KEEP_PROBE;
        toe_count(t->nop->counters, TCP_PROBES);
        c->probes++;
        send_ack(t, c, c->snd_nxt - 1);
        spend(budget, FRAME_OVERHEAD);
    }
    if (c->flags & TOE_F_RTX_ONE) {
        c->flags &= ~TOE_F_RTX_ONE;
        if (c->snd_una != c->snd_max) {
            uint32_t sent = MIN(c->snd_max - c->snd_una, c->tx.len);
            uint32_t len = MIN(sent, c->mss);
            bool fin = toe_ncb_fin_pending(c) && len == c->tx.len &&
                       c->snd_max - c->snd_una > len;

            send_data(t, c, c->snd_una, len, fin, budget);
        }
    }
    before = c->snd_nxt;
    if (c->flags2 & TOE_F2_TLP_DUE) {
        c->flags2 &= ~TOE_F2_TLP_DUE;
        send_tail(t, c, budget);
    }
    if (c->lost) {
        more = send_lost(t, c, budget);
    }
    if (c->state != TOE_TCP_TIME_WAIT && !more &&
        (!c->lost || c->flags2 & TOE_F2_FRTO_NEW) &&
        (c->tx.len || toe_ncb_fin_pending(c))) {
        more = send_stream(t, c, budget);
    }
    toe_info_chrono(c, toe_nop_now(t->nop));
    if (c->notsent_lowat && before != c->snd_nxt) {
        toe_tcp_check_writable(c);
        if (c->events) {
            toe_tcp_mark(t, c);                 /* reported in its turn */
        }
    }
    if (before != c->snd_nxt && c->flags2 & TOE_F2_SACK) {
        toe_rack_arm_probe(t, c, toe_nop_now(t->nop));
    }
    if (t->nop->port_busy) {
        return true;
    }
    /* The sender counts them: one for each segment out of order. */
    acks = MAX(c->dupacks_due, c->flags & TOE_F_ACK_NOW ? 1 : 0);
    c->dupacks_due = 0;
    while (acks && !t->nop->port_busy) {
        acks--;
        send_ack(t, c, idle_seq(c));
        spend(budget, FRAME_OVERHEAD);
    }
    return more;
}

void toe_tcp_output_request(ToeTcp *t, ToeNcb *c, uint8_t what)
{
    if (what == TOE_SYN) {
        send_syn(t, c);
    } else if (what == TOE_ACK) {
        send_ack(t, c, idle_seq(c));
    } else {
        send_rst(t, c);
    }
}

void toe_tcp_output_replies(ToeTcp *t, uint32_t *budget)
{
    ToeNop *n = t->nop;

    while (t->replies_count && *budget && !n->port_busy) {
        ToeReply *r = &t->replies[t->replies_head];
        uint8_t *p = toe_ip_tx_buffer(n);
        ToeSeg seg = {
            .sport = r->lport, .dport = r->rport, .seq = r->seq,
            .ack = r->ack, .flags = r->flags,
        };
        uint32_t hlen = toe_seg_emit(p, &seg);

        toe_seg_seal(p, hlen, 0, 0, r->family, r->laddr, r->raddr);
        t->replies_head = (t->replies_head + 1) % TOE_REPLIES;
        t->replies_count--;
        toe_count(n->counters, TCP_SEGS_OUT);
        toe_count(n->counters, TCP_RST_OUT);
        toe_ip_output(n, r->family, r->laddr, r->raddr, TOE_PROTO_TCP, n->ttl,
                      0, hlen, TOE_IP_DF);
        spend(budget, FRAME_OVERHEAD);
    }
}
