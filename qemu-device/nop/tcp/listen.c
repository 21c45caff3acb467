/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listen.c - the beginning of a connection: SYNs for a listener, what the
 * first segments agree on, initial sequence numbers, MSS.
 *
 * A SYN for a listener makes a half-open NCB (SYN-RECEIVED), which is on the
 * listener's list until it is ESTABLISHED and reported.  A listener's
 * backlog bounds those and the ones reported but not accepted; the adapter as
 * a whole has at most half of its NCBs half-open, so that a flood on one
 * listener cannot keep others, or active opens, from working (RFC 4987).
 * SYNs above a limit are dropped and counted: the peer tries again.
 */
#include "nop/tcp/tcp.h"
#include "toe_trace.h"

typedef struct IsnInput {
    uint8_t laddr[16];
    uint8_t raddr[16];
    uint16_t lport;
    uint16_t rport;
    uint8_t family;
    uint8_t what;
    uint8_t zero[2];
} IsnInput;

static uint32_t keyed_hash(ToeTcp *t, const ToeNcb *c, uint8_t what)
{
    IsnInput in = {
        .lport = c->lport, .rport = c->rport, .family = c->family,
        .what = what,
    };

    memcpy(in.laddr, c->laddr, 16);
    memcpy(in.raddr, c->raddr, 16);
    return (uint32_t)toe_siphash(&t->isn_key, &in, sizeof(in));
}

uint32_t toe_tcp_isn(ToeTcp *t, const ToeNcb *c)
{
    return keyed_hash(t, c, 0) +
           (uint32_t)(uint64_t)(toe_nop_now(t->nop) / 4000);
}

uint32_t toe_tcp_ts_offset(ToeTcp *t, const ToeNcb *c)
{
    return keyed_hash(t, c, 1);
}

static uint32_t headers(const ToeNcb *c)
{
    return (c->family == TOE_AF_INET6 ? 40 : 20) + TOE_TCP_HDR;
}

uint16_t toe_tcp_announced_mss(ToeTcp *t, const ToeNcb *c)
{
    uint32_t mtu = MAX(t->nop->mtu, headers(c) + TOE_MSS_MIN);
    uint32_t mss = MIN(mtu - headers(c), 65535 - headers(c));

    return (uint16_t)(c->maxseg ? MIN(mss, c->maxseg) : mss);
}

void toe_tcp_update_mss(ToeTcp *t, ToeNcb *c)
{
    uint32_t mss = MAX(c->mtu, headers(c) + TOE_MSS_MIN) - headers(c);

    /*
     * A user-networking backend takes whatever IPv4 packet it is given; the
     * MSS that it announces is about frames that never exist.
     */
    if (!t->nop->config.max_segment || c->family != TOE_AF_INET) {
        mss = MIN(mss, c->peer_mss);
    }
    mss = MIN(mss, 65535 - headers(c));
    if (c->maxseg) {
        mss = MIN(mss, c->maxseg);
    }
    if (c->flags & TOE_F_TS) {
        mss -= TOE_OPT_TS_LEN;                  /* RFC 6691 */
    }
    c->mss = (uint16_t)mss;
}

void toe_tcp_take_syn_options(ToeTcp *t, ToeNcb *c, const ToeSeg *seg)
{
    const ToeTcpOptions *o = &seg->opt;

    c->peer_mss = c->family == TOE_AF_INET6 ? TOE_MSS_DEFAULT_V6
                                            : TOE_MSS_DEFAULT_V4;
    if (o->have_mss) {
        c->peer_mss = MAX(o->mss, TOE_MSS_MIN);
    }
    c->flags &= ~(TOE_F_WSCALE | TOE_F_TS);
    c->flags2 &= ~TOE_F2_SACK;
    if (o->sack_permitted) {
        c->flags2 |= TOE_F2_SACK;
    }
    c->snd_wscale = c->rcv_wscale = 0;
    if (o->have_wscale) {
        c->flags |= TOE_F_WSCALE;
        c->snd_wscale = o->wscale;
        c->rcv_wscale = c->wscale_offer;
    }
    toe_sockopt_uto_in(c, o->uto);
    if (o->have_ts) {
        c->flags |= TOE_F_TS;
        c->ts_recent = o->ts_val;
        c->ts_recent_time = toe_nop_now(t->nop);
    }
    toe_ecn_syn(c, seg);
    toe_tcp_update_mss(t, c);
}

void toe_tcp_establish(ToeTcp *t, ToeNcb *c)
{
    int64_t now = toe_nop_now(t->nop);
    unsigned timeouts = c->backoff;

    if (c->backoff && !c->srtt_us) {
        c->rto = TOE_RTO_SYN_NS;                /* RFC 6298 (5.7) */
    }
    c->backoff = 0;
    c->stalled = 0;
    c->closed_status = TOE_ST_OK;
    c->recover = c->iss;
    c->quickacks = TOE_QUICKACKS;
    c->rcv_mss = (uint16_t)MIN(toe_tcp_announced_mss(t, c),
                               TOE_MSS_DEFAULT_V4);
    toe_cc_start(c);
    toe_cc_syn_lost(c, timeouts);
    c->data_sent = c->cwv_time = now;
    toe_rack_init(c);
    toe_info_start(c, now);
    toe_autotune_start(c, now);
    toe_ecn_established(t, c);
    c->flags &= ~TOE_F_SEND_SYN;
    toe_timer_off(c, TOE_T_RTX);
    toe_tcp_set_state(t, c, TOE_TCP_ESTABLISHED);
    if (c->flags & TOE_F_HALF_OPEN) {
        toe_timer_off(c, TOE_T_LIFE);
        toe_ncb_half_open_del(t, c);
        c->flags |= TOE_F_OWNED;
        c->events |= TOE_E_INCOMING;
        toe_count(t->nop->counters, TCP_PASSIVE_OPENS);
    } else if (c->flags & TOE_F_OWNED) {
        c->events |= TOE_E_ESTABLISHED;
    }
    toe_timer_restart_keep(t, c, now);
    if (c->flags & TOE_F_FIN_QUEUED) {
        /* Closed before it was open: RFC 9293 3.10.4, SYN-RECEIVED. */
        toe_tcp_set_state(t, c, TOE_TCP_FIN_WAIT_1);
        toe_tcp_mark(t, c);
    }
}

void toe_tcp_listen_input(ToeTcp *t, ToeNcb *listener, const ToeIpPacket *p,
                          const ToeSeg *seg)
{
    ToeNop *n = t->nop;
    uint8_t laddr[16];
    uint32_t mtu;
    ToeNcb *c;

    if (seg->flags & TOE_RST) {
        return;
    }
    if (seg->flags & TOE_ACK) {
        toe_tcp_reply_rst(t, p, seg);
        return;
    }
    if (!(seg->flags & TOE_SYN)) {
        return;
    }
    if (seg->flags & TOE_FIN || !seg->sport) {
        toe_count(n->counters, TCP_BAD);
        return;
    }
    memcpy(laddr, p->dst, 16);
    if (listener->pending >= listener->backlog ||
        t->half_open >= MAX(t->size / 2, 1) ||
        toe_ip_route(n, p->family, p->src, laddr, &mtu) != TOE_ST_OK ||
        !(c = toe_ncb_new(t, TOE_NCB_CONN))) {
        toe_count(n->counters, TCP_LISTEN_DROPS);
        toe_trace_tcp_listen_drop(toe_ncb_handle(t, listener),
                                  listener->pending);
        return;
    }
    c->family = p->family;
    memcpy(c->laddr, p->dst, 16);
    memcpy(c->raddr, p->src, 16);
    c->lport = seg->dport;
    c->rport = seg->sport;
    c->mtu = mtu;
    if (toe_ports_reserve(&n->tcp_ports, c->lport)) {
        c->flags |= TOE_F_PORT;
    }
    c->flags |= listener->flags & TOE_F_NODELAY;
    c->rcv_buf = listener->rcv_buf;
    c->snd_buf = listener->snd_buf;
    c->keepalive_s = listener->keepalive_s;
    c->user_timeout_ms = listener->user_timeout_ms;
    c->cc = listener->cc;
    toe_sockopt_inherit(c, listener);
    c->ecn = listener->ecn;
    c->pacing_max = listener->pacing_max;

    c->irs = seg->seq;
    c->rcv_nxt = c->rcv_acked = c->rcv_adv = seg->seq + 1;
    c->ts_offset = toe_tcp_ts_offset(t, c);
    toe_tcp_take_syn_options(t, c, seg);
    c->iss = toe_tcp_isn(t, c);
    c->snd_una = c->snd_nxt = c->snd_max = c->iss;
    c->snd_wnd = c->snd_wnd_max = seg->wnd;     /* never scaled in a SYN */
    c->snd_wl1 = seg->seq;
    c->snd_wl2 = c->iss;
    c->last_rcv = toe_nop_now(n);
    c->segs_in = 1;
    t->conns++;
    toe_ncb_hash(t, c);
    toe_ncb_half_open_add(t, listener, c);
    toe_tcp_set_state(t, c, TOE_TCP_SYN_RECEIVED);
    toe_timer_set(t, c, TOE_T_LIFE, c->last_rcv + TOE_SYN_RCVD_NS);
    c->flags |= TOE_F_SEND_SYN;
    toe_tcp_mark(t, c);
}
