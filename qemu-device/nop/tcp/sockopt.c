/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockopt.c - options that the owner of a connection sets, beyond the oldest
 * in tcp.c, and what they mean where it is more than a number.
 *
 * They mean what Linux's options of the same name mean, so that the POSIX
 * layer above can hand them down.  A listener's are inherited by its
 * connections.
 *
 * LINGER.  The host asks toe_stream_linger() before it closes.  The first time
 * the FIN is queued and a time set; then writable() tells, once, that the peer
 * has acknowledged everything or that the time is over.  Meanwhile nobody
 * reads any more: data that comes is answered with RST, as after CLOSE.  When
 * the connection ends before, closed() tells.
 *
 * User time-out (RFC 5482).  Who asks for it (TOE_UTO_SEND) tells the peer with
 * the SYN-ACK, or, set later or changed, with the next pure ACK: there the
 * option takes no room from data.  What a peer tells counts only if the owner
 * said so (TOE_UTO_TAKE), and only within the adapter's bounds, so that nobody
 * makes us drop connections early or hold them for ever (section 6).
 */
#include "nop/tcp/tcp.h"

#define UTO_MINUTES             0x8000u         /* granularity bit */
#define UTO_VALUE               0x7fffu

/* ---- Linger ---- */

bool toe_stream_linger(ToeNop *n, uint32_t handle, bool *delivered)
{
    ToeTcp *t = n->tcp;
    ToeNcb *c = toe_ncb_get(t, handle);

    *delivered = true;
    if (!c || c->kind != TOE_NCB_CONN || !(c->so & TOE_SO_LINGER) ||
        !c->linger_ms) {
        return false;
    }
    if (c->so & TOE_SO_LINGERING) {
        *delivered = c->flags & TOE_F_FIN_ACKED;
        return !*delivered && !(c->so & TOE_SO_LINGERED);
    }
    /*
     * Nothing to wait for: not open, or gone, or about to be reset because of
     * bytes that nobody read (RFC 9293 3.6.1).
     */
    if (!toe_ncb_synchronized(c) || c->state == TOE_TCP_TIME_WAIT ||
        c->flags & TOE_F_FIN_ACKED || c->rx.len || c->reass != TOE_NONE) {
        return false;
    }
    c->so |= TOE_SO_LINGERING;
    toe_tcp_queue_fin(t, c);
    toe_timer_set(t, c, TOE_T_LIFE,
                  toe_nop_now(n) + c->linger_ms * TOE_MS);
    return true;
}

void toe_sockopt_lingered(ToeTcp *t, ToeNcb *c)
{
    if (!(c->so & TOE_SO_LINGERING) || !(c->flags & TOE_F_OWNED) ||
        c->so & TOE_SO_LINGERED) {
        return;
    }
    c->so |= TOE_SO_LINGERED;
    toe_timer_off(c, TOE_T_LIFE);
    c->events |= TOE_E_WRITABLE;
    toe_tcp_mark(t, c);
}

/* ---- User time-out, RFC 5482 ---- */

static uint32_t default_patience_ms(const ToeNcb *c)
{
    return (uint32_t)((c->state == TOE_TCP_SYN_SENT ? TOE_R2_SYN_NS
                                                    : TOE_R2_NS) / TOE_MS);
}

uint16_t toe_sockopt_uto(const ToeNcb *c)
{
    uint32_t ms = c->user_timeout_ms ? c->user_timeout_ms
                                     : default_patience_ms(c);
    uint32_t s = ms / 1000 + !!(ms % 1000);

    if (s <= UTO_VALUE) {
        return (uint16_t)s;
    }
    return (uint16_t)(UTO_MINUTES | MIN(s / 60 + !!(s % 60), UTO_VALUE));
}

void toe_sockopt_uto_in(ToeNcb *c, uint16_t uto)
{
    uint32_t value = uto & UTO_VALUE;

    if (value) {                /* 0 means nothing: section 3.2 */
        c->uto_peer_ms = value * (uto & UTO_MINUTES ? 60000u : 1000u);
    }
}

int64_t toe_sockopt_patience(const ToeTcp *t, const ToeNcb *c)
{
    uint32_t ms = c->user_timeout_ms ? c->user_timeout_ms
                                     : default_patience_ms(c);

    if (c->so & TOE_SO_UTO_TAKE && c->uto_peer_ms) {
        /* Section 3.1: min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)). */
        ms = MAX(MAX(ms, c->uto_peer_ms), t->nop->uto_min_ms);
        ms = MIN(ms, t->nop->uto_max_ms);
    }
    return ms * TOE_MS;
}

/* ---- What was never sent ---- */

static uint32_t notsent(const ToeNcb *c)
{
    return c->tx.len - MIN(c->snd_nxt - c->snd_una, c->tx.len);
}

bool toe_sockopt_notsent_full(const ToeNcb *c)
{
    /* Writable again at half of it, as in Linux: else each segment tells. */
    return c->notsent_lowat && notsent(c) && notsent(c) >= c->notsent_lowat / 2;
}

/* ---- Setting ---- */

static uint8_t set_bit(ToeNcb *c, uint16_t bit, uint64_t value)
{
    if (value > 1) {
        return TOE_ST_INVALID;
    }
    c->so = (uint16_t)(value ? c->so | bit : c->so & ~bit);
    return TOE_ST_OK;
}

static uint8_t set_linger(ToeNcb *c, uint64_t value)
{
    if (value & ~(TOE_LINGER_ON | UINT32_MAX) ||
        (value && !(value & TOE_LINGER_ON))) {
        return TOE_ST_INVALID;
    }
    c->linger_ms = (uint32_t)value;
    return set_bit(c, TOE_SO_LINGER, !!value);
}

static uint8_t set_maxseg(ToeTcp *t, ToeNcb *c, uint64_t value)
{
    if (value && (value < TOE_MAXSEG_MIN || value > 65535)) {
        return TOE_ST_INVALID;
    }
    c->maxseg = (uint16_t)value;
    if (c->kind == TOE_NCB_CONN && toe_ncb_synchronized(c)) {
        toe_tcp_update_mss(t, c);
        toe_tcp_mark(t, c);
    }
    return TOE_ST_OK;
}

static void set_quickack(ToeTcp *t, ToeNcb *c, bool on)
{
    c->quickacks = on ? TOE_QUICKACKS : 0;
    if (on && c->flags & TOE_F_ACK_LATER) {
        c->flags |= TOE_F_ACK_NOW;
        toe_tcp_mark(t, c);
    }
}

static void set_uto(ToeTcp *t, ToeNcb *c, uint32_t value)
{
    bool news = value & TOE_UTO_SEND && !(c->so & TOE_SO_UTO_SEND);

    c->so &= (uint16_t)~(TOE_SO_UTO_SEND | TOE_SO_UTO_TAKE | TOE_SO_UTO_DUE);
    c->so |= (value & TOE_UTO_SEND ? TOE_SO_UTO_SEND : 0) |
             (value & TOE_UTO_TAKE ? TOE_SO_UTO_TAKE : 0);
    if (news && c->kind == TOE_NCB_CONN) {
        c->so |= TOE_SO_UTO_DUE;
        if (toe_ncb_synchronized(c) && c->state != TOE_TCP_TIME_WAIT) {
            c->flags |= TOE_F_ACK_NOW;
            toe_tcp_mark(t, c);
        }
    }
}

uint8_t toe_sockopt_set(ToeTcp *t, ToeNcb *c, uint32_t option, uint64_t value)
{
    uint8_t st = TOE_ST_OK;

    switch (option) {
    case TOE_OPT_CORK:
        st = set_bit(c, TOE_SO_CORK, value);
        if (!value && c->tx.len) {
            toe_tcp_mark(t, c);
        }
        return st;
    case TOE_OPT_KEEPINTVL:
        if (value > 32767) {
            return TOE_ST_INVALID;
        }
        c->keep_intvl_s = (uint16_t)value;
        return TOE_ST_OK;
    case TOE_OPT_KEEPCNT:
        if (value > 127) {
            return TOE_ST_INVALID;
        }
        c->keep_cnt = (uint8_t)value;
        return TOE_ST_OK;
    case TOE_OPT_LINGER:
        return set_linger(c, value);
    case TOE_OPT_MAXSEG:
        return set_maxseg(t, c, value);
    case TOE_OPT_QUICKACK:
        if (value > 1) {
            return TOE_ST_INVALID;
        }
        set_quickack(t, c, value);
        return TOE_ST_OK;
    case TOE_OPT_NOTSENT_LOWAT:
        c->notsent_lowat = (uint32_t)MIN(value, UINT32_MAX);
        toe_tcp_check_writable(c);
        if (c->events) {
            toe_tcp_mark(t, c);
        }
        return TOE_ST_OK;
    case TOE_OPT_WINDOW_CLAMP:
        c->window_clamp = value ? (uint32_t)CLAMP(value, TOE_WINDOW_CLAMP_MIN,
                                                  UINT32_MAX) : 0;
        if (toe_tcp_window_update_due(t, c)) {
            c->flags |= TOE_F_ACK_NOW;
            toe_tcp_mark(t, c);
        }
        return TOE_ST_OK;
    case TOE_OPT_TOS:
        if (value > 255) {
            return TOE_ST_INVALID;
        }
        c->tos = (uint8_t)(value & ~3u);        /* RFC 3168: ECN's own */
        return TOE_ST_OK;
    case TOE_OPT_TTL:
        if (value > 255) {
            return TOE_ST_INVALID;
        }
        c->ttl = (uint8_t)value;
        return TOE_ST_OK;
    case TOE_OPT_UTO:
        if (value & ~(uint64_t)(TOE_UTO_SEND | TOE_UTO_TAKE)) {
            return TOE_ST_INVALID;
        }
        set_uto(t, c, (uint32_t)value);
        return TOE_ST_OK;
    default:
        return toe_listen_setopt(c, option, value);
    }
}

uint8_t toe_sockopt_get(ToeTcp *t, const ToeNcb *c, uint32_t option,
                        uint64_t *value)
{
    switch (option) {
    case TOE_OPT_CORK:
        *value = !!(c->so & TOE_SO_CORK);
        break;
    case TOE_OPT_KEEPINTVL:
        *value = c->keep_intvl_s ? c->keep_intvl_s
                                 : (uint64_t)(TOE_KEEP_INTVL_NS / TOE_SEC);
        break;
    case TOE_OPT_KEEPCNT:
        *value = c->keep_cnt ? c->keep_cnt : TOE_KEEP_PROBES;
        break;
    case TOE_OPT_LINGER:
        *value = c->so & TOE_SO_LINGER ? TOE_LINGER_ON | c->linger_ms : 0;
        break;
    case TOE_OPT_MAXSEG:
        *value = c->kind == TOE_NCB_CONN && toe_ncb_synchronized(c)
                 ? c->mss : c->maxseg;
        break;
    case TOE_OPT_QUICKACK:
        *value = !!c->quickacks;
        break;
    case TOE_OPT_NOTSENT_LOWAT:
        *value = c->notsent_lowat;
        break;
    case TOE_OPT_WINDOW_CLAMP:
        *value = c->window_clamp;
        break;
    case TOE_OPT_TOS:
        *value = c->tos;
        break;
    case TOE_OPT_TTL:
        *value = c->ttl ? c->ttl : t->nop->ttl;
        break;
    case TOE_OPT_UTO:
        *value = (c->so & TOE_SO_UTO_SEND ? TOE_UTO_SEND : 0) |
                 (c->so & TOE_SO_UTO_TAKE ? TOE_UTO_TAKE : 0);
        break;
    default:
        return toe_listen_getopt(c, option, value);
    }
    return TOE_ST_OK;
}

void toe_sockopt_inherit(ToeNcb *c, const ToeNcb *listener)
{
    c->so = listener->so;
    c->linger_ms = listener->linger_ms;
    c->notsent_lowat = listener->notsent_lowat;
    c->window_clamp = listener->window_clamp;
    c->maxseg = listener->maxseg;
    c->keep_intvl_s = listener->keep_intvl_s;
    c->keep_cnt = listener->keep_cnt;
    c->tos = listener->tos;
    c->ttl = listener->ttl;
}
