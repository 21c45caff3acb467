/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listen.c - the beginning of a connection: segments for a listener, what the
 * first segments agree on, initial sequence numbers, MSS.
 *
 * A SYN for a listener goes to the SYN queue (synq.c) or is answered with a
 * cookie (cookie.c); either way the NCB is made when the handshake's last ACK
 * comes, by toe_tcp_child(), and is ESTABLISHED at once.
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

static uint32_t keyed_hash(ToeTcp *t, uint8_t family, const uint8_t *laddr,
                           uint16_t lport, const uint8_t *raddr,
                           uint16_t rport, uint8_t what)
{
    IsnInput in = {
        .lport = lport, .rport = rport, .family = family, .what = what,
    };

    memcpy(in.laddr, laddr, 16);
    memcpy(in.raddr, raddr, 16);
    return (uint32_t)toe_siphash(&t->isn_key, &in, sizeof(in));
}

static uint32_t isn_clock(ToeTcp *t)
{
    return (uint32_t)(uint64_t)(toe_nop_now(t->nop) / 4000);
}

uint32_t toe_tcp_isn(ToeTcp *t, const ToeNcb *c)
{
    return keyed_hash(t, c->family, c->laddr, c->lport, c->raddr, c->rport,
                      0) + isn_clock(t);
}

uint32_t toe_tcp_isn_of(ToeTcp *t, const ToeSyn *s)
{
    return keyed_hash(t, s->family, s->laddr, s->lport, s->raddr, s->rport,
                      0) + isn_clock(t);
}

uint32_t toe_tcp_ts_offset(ToeTcp *t, const ToeNcb *c)
{
    return keyed_hash(t, c->family, c->laddr, c->lport, c->raddr, c->rport,
                      1);
}

uint32_t toe_tcp_ts_offset_of(ToeTcp *t, const ToeSyn *s)
{
    return keyed_hash(t, s->family, s->laddr, s->lport, s->raddr, s->rport,
                      1);
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
    toe_plpmtud_begin(t, c);
    toe_rack_init(c);
    toe_info_start(c, now);
    toe_rate_start(c, now);
    toe_autotune_start(c, now);
    toe_ecn_established(t, c);
    c->flags &= ~TOE_F_SEND_SYN;
    toe_timer_off(c, TOE_T_RTX);
    toe_tcp_set_state(t, c, TOE_TCP_ESTABLISHED);
    if (c->flags & TOE_F_HALF_OPEN) {
        c->flags &= ~TOE_F_HALF_OPEN;
        c->flags |= TOE_F_OWNED;
        c->events |= TOE_E_INCOMING;
        toe_count(t->nop->counters, TCP_PASSIVE_OPENS);
    } else if (c->flags & TOE_F_OWNED && !(c->flags2 & TOE_F2_FO_EARLY)) {
        c->events |= TOE_E_ESTABLISHED;
    }
    toe_timer_restart_keep(t, c, now);
    if (c->flags & TOE_F_FIN_QUEUED) {
        /* Closed before it was open: RFC 9293 3.10.4, SYN-RECEIVED. */
        toe_tcp_set_state(t, c, TOE_TCP_FIN_WAIT_1);
        toe_tcp_mark(t, c);
    }
}

bool toe_tcp_child(ToeTcp *t, ToeNcb *c, const ToeNcb *listener,
                   const ToeSyn *s)
{
    uint8_t laddr[16];
    uint32_t mtu;
    ToeSeg seg;

    memcpy(laddr, s->laddr, 16);
    if (toe_ip_route(t->nop, s->family, s->raddr, laddr, &mtu) != TOE_ST_OK) {
        return false;
    }
    toe_syn_segment(s, &seg);
    c->family = s->family;
    memcpy(c->laddr, s->laddr, 16);
    memcpy(c->raddr, s->raddr, 16);
    c->lport = s->lport;
    c->rport = s->rport;
    c->mtu = mtu;
    if (listener) {
        c->flags |= listener->flags & TOE_F_NODELAY;
        c->rcv_buf = listener->rcv_buf;
        c->snd_buf = listener->snd_buf;
        c->keepalive_s = listener->keepalive_s;
        c->user_timeout_ms = listener->user_timeout_ms;
        c->cc = listener->cc;
        c->ecn = listener->ecn;
        c->pacing_max = listener->pacing_max;
        c->pmtud = listener->pmtud;
        toe_sockopt_inherit(c, listener);
    }
    c->segs_in = 1;

    c->irs = seg.seq;
    c->rcv_nxt = c->rcv_acked = c->rcv_adv = seg.seq + 1;
    c->ts_offset = toe_tcp_ts_offset(t, c);
    toe_tcp_take_syn_options(t, c, &seg);
    if (s->fo_answer) {
        c->flags2 |= TOE_F2_FO_ANSWER;
    }
    c->iss = s->iss;
    c->snd_una = c->snd_nxt = c->snd_max = c->iss;
    c->snd_wnd = c->snd_wnd_max = seg.wnd;      /* never scaled in a SYN */
    c->snd_wl1 = seg.seq;
    c->snd_wl2 = c->iss;
    c->last_rcv = toe_nop_now(t->nop);
    return true;
}

ToeNcb *toe_tcp_listen_input(ToeTcp *t, ToeNcb *listener,
                             const ToeIpPacket *p, const ToeSeg *seg,
                             const uint32_t *above)
{
    if (seg->flags & TOE_RST) {
        return NULL;
    }
    if (seg->flags & TOE_ACK) {
        bool rst = true;
        ToeNcb *c = NULL;

        if (!(seg->flags & TOE_SYN)) {
            c = toe_cookie_ack(t, listener, p, seg, &rst);
        }
        if (rst) {
            toe_tcp_reply_rst(t, p, seg);
        }
        return c;
    }
    if (!(seg->flags & TOE_SYN)) {
        return NULL;
    }
    if (seg->flags & TOE_FIN || !seg->sport) {
        toe_count(t->nop->counters, TCP_BAD);
        return NULL;
    }
    toe_synq_syn(t, listener, p, seg, above);
    return NULL;
}

/* ---- Options ---- */

/* Seconds until the nth SYN-ACK would time out: 1, 3, 7, ... */
static uint32_t timeouts_to_seconds(unsigned n)
{
    uint32_t sum = 0, period = TOE_RTO_INIT_NS / TOE_SEC;

    while (n--) {
        sum += period;
        period = MIN(period * 2, TOE_RTO_MAX_NS / TOE_SEC);
    }
    return sum;
}

uint8_t toe_listen_setopt(ToeNcb *c, uint32_t option, uint64_t value)
{
    unsigned n = 0;

    if (c->kind != TOE_NCB_LISTENER) {
        return TOE_ST_INVALID;
    }
    switch (option) {
    case TOE_OPT_DEFER_ACCEPT:
        if (value > INT32_MAX) {
            return TOE_ST_INVALID;
        }
        /* Time is counted in SYN-ACKs that would be due, as in Linux. */
        while (n < TOE_SYNACK_RETRIES_MAX && timeouts_to_seconds(n) < value) {
            n++;
        }
        c->defer = (uint8_t)n;
        return TOE_ST_OK;
    case TOE_OPT_FASTOPEN:
        c->fastopen = (uint16_t)MIN(value, TOE_BACKLOG_MAX);
        return TOE_ST_OK;
    default:
        return TOE_ST_INVALID;
    }
}

uint8_t toe_listen_getopt(const ToeNcb *c, uint32_t option, uint64_t *value)
{
    if (c->kind != TOE_NCB_LISTENER) {
        return TOE_ST_INVALID;
    }
    switch (option) {
    case TOE_OPT_DEFER_ACCEPT:
        *value = timeouts_to_seconds(c->defer);
        return TOE_ST_OK;
    case TOE_OPT_FASTOPEN:
        *value = c->fastopen;
        return TOE_ST_OK;
    default:
        return TOE_ST_INVALID;
    }
}
