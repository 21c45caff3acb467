/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp_timer.c - the timers of a connection, and the round-trip estimate.
 *
 * An NCB has several deadlines (ToeTcpTimer) and one entry in the NOP's heap,
 * which stands at or before the earliest of them.  A deadline that moves
 * later, which is what each ACK does to the retransmission timer, does not
 * touch the heap: the entry expires in vain once, and is then set to what is
 * earliest by that time.
 *
 *  RTX       something is in flight: RFC 6298 time-out, with back-off.  With
 *            TOE_F_PERSIST instead: the peer's window is closed and data
 *            waits, probe it (RFC 9293 3.8.6.1), for ever while it answers.
 *  TLP       the tail of a flight may be lost: probe (RFC 8985 section 7)
 *  REO       what RACK still takes for reordered is lost (RFC 8985 6.2)
 *  DELACK    an ACK is owed (RFC 9293 3.8.6.3)
 *  PACE      new data was held back by pacing
 *  OVERRIDE  a small segment was held back with nothing in flight that could
 *            free it (RFC 9293 3.8.6.2.1)
 *  KEEP      keepalive (RFC 9293 3.8.4)
 *  LIFE      the end of SYN-RECEIVED, TIME-WAIT, and of orphans
 *
 * Giving up (RFC 9293 3.8.3, R2) is decided when RTX expires, by how long the
 * peer has not acknowledged anything.
 */
#include "nop/tcp/tcp.h"
#include "toe_trace.h"

static int64_t earliest(const ToeNcb *c)
{
    int64_t e = INT64_MAX;

    for (unsigned i = 0; i < TOE_T_MAX; i++) {
        e = MIN(e, c->deadline[i]);
    }
    return e;
}

void toe_timer_set(ToeTcp *t, ToeNcb *c, ToeTcpTimer which, int64_t deadline)
{
    c->deadline[which] = deadline;
    if (deadline < c->armed) {
        c->armed = deadline;
        toe_timers_set(&t->nop->timers, toe_ncb_index(t, c), deadline);
    }
}

void toe_timer_off(ToeNcb *c, ToeTcpTimer which)
{
    c->deadline[which] = INT64_MAX;
}

void toe_timer_all_off(ToeTcp *t, ToeNcb *c)
{
    for (unsigned i = 0; i < TOE_T_MAX; i++) {
        c->deadline[i] = INT64_MAX;
    }
    if (c->armed != INT64_MAX) {
        c->armed = INT64_MAX;
        toe_timers_set(&t->nop->timers, toe_ncb_index(t, c), INT64_MAX);
    }
}

void toe_rtt_sample(ToeNcb *c, int64_t rtt_ns)
{
    uint32_t r = (uint32_t)(CLAMP(rtt_ns, 1000, TOE_RTO_MAX_NS) / 1000);
    int64_t rto;

    if (!c->srtt_us) {
        c->srtt_us = r;                         /* RFC 6298 (2.2) */
        c->rttvar_us = r / 2;
    } else {
        uint32_t delta = r > c->srtt_us ? r - c->srtt_us : c->srtt_us - r;

        c->rttvar_us += ((int32_t)delta - (int32_t)c->rttvar_us) / 4;
        c->srtt_us += ((int32_t)r - (int32_t)c->srtt_us) / 8;
        c->srtt_us = MAX(c->srtt_us, 1);
    }
    /*
     * A steady path has no variance, but its receiver may delay an ACK: without
     * a margin each round trip of a little below the minimum times out for
     * nothing.
     */
    rto = (int64_t)c->srtt_us * 1000 + MAX(4000ll * c->rttvar_us,
                                           TOE_RTO_MARGIN_NS);
    c->rto = CLAMP(rto, TOE_RTO_MIN_NS, TOE_RTO_MAX_NS);
    c->backoff = 0;
}

void toe_rtt_least(ToeNcb *c, int64_t rtt_ns, int64_t now)
{
    uint32_t r = (uint32_t)(CLAMP(rtt_ns, 1000, TOE_RTO_MAX_NS) / 1000);

    if (!c->min_rtt_us || r <= c->min_rtt_us ||
        now - c->min_rtt_time > TOE_MIN_RTT_NS) {
        c->min_rtt_us = r;
        c->min_rtt_time = now;
    }
}

int64_t toe_rto(const ToeNcb *c)
{
    return MIN(c->rto << MIN(c->backoff, 16), TOE_RTO_MAX_NS);
}

void toe_rto_progress(ToeNcb *c)
{
    /*
     * RFC 6298 section 5: only a new measurement takes the RTO down again.  An
     * ACK of what was sent twice is none (Karn), and if the path has become
     * slower than the RTO, each segment would be sent twice for ever.
     */
    if (!(c->flags & TOE_F_PERSIST)) {
        c->rto = toe_rto(c);
    }
    c->backoff = 0;
}

int64_t toe_persist_time(const ToeTcp *t, const ToeNcb *c)
{
    int64_t rto = toe_rto(c);

    if (t->nop->config.max_segment) {
        rto = MIN(rto, TOE_USER_STALL_NS << MIN(c->backoff, 16));
    }
    return rto;
}

int64_t toe_override_time(const ToeTcp *t)
{
    return t->nop->config.max_segment ? TOE_USER_STALL_NS : TOE_OVERRIDE_NS;
}

void toe_timer_restart_rtx(ToeTcp *t, ToeNcb *c, int64_t now)
{
    c->flags &= ~TOE_F_PERSIST;
    if (c->snd_una != c->snd_max) {
        toe_timer_set(t, c, TOE_T_RTX, now + toe_rto(c));
    } else {
        toe_timer_off(c, TOE_T_RTX);
    }
}

void toe_timer_restart_keep(ToeTcp *t, ToeNcb *c, int64_t now)
{
    c->keep_probes = 0;
    if (c->keepalive_s && toe_ncb_synchronized(c) &&
        c->state != TOE_TCP_TIME_WAIT) {
        toe_timer_set(t, c, TOE_T_KEEP, now + c->keepalive_s * TOE_SEC);
    } else {
        toe_timer_off(c, TOE_T_KEEP);
    }
}

void toe_timer_orphan(ToeTcp *t, ToeNcb *c, int64_t now)
{
    int64_t life = t->nop->orphan_ms * TOE_MS;

    if (c->state == TOE_TCP_FIN_WAIT_2) {
        life = MIN(life, TOE_FIN_WAIT_2_NS);
    }
    toe_timer_set(t, c, TOE_T_LIFE, now + life);
}

static void give_up(ToeTcp *t, ToeNcb *c)
{
    bool rst = c->state != TOE_TCP_SYN_SENT;

    toe_trace_tcp_timeout(toe_ncb_handle(t, c), c->state);
    /* A soft ICMP error, remembered on the way, says more than "time-out". */
    toe_tcp_close_ncb(t, c, c->closed_status ? c->closed_status
                                             : TOE_ST_TIMEDOUT, rst);
}

static void rtx_expired(ToeTcp *t, ToeNcb *c, int64_t now)
{
    int64_t since;

    if (toe_fastopen_timeout(t, c, now)) {
        return;
    }
    if (c->flags & TOE_F_PERSIST) {
        /* Silence since the probes began counts, a closed window does not. */
        if (c->backoff >= 3 && now - MAX(c->last_rcv, c->stalled) >=
                               toe_sockopt_patience(t, c)) {
            give_up(t, c);
            return;
        }
        c->backoff = MIN(c->backoff + 1, 16);
        c->flags |= TOE_F_PROBE;
        toe_timer_set(t, c, TOE_T_RTX, now + toe_persist_time(t, c));
        toe_tcp_mark(t, c);
        return;
    }
    if (c->snd_una == c->snd_max) {
        return;
    }
    if (!c->stalled) {
        c->stalled = now - toe_rto(c);
    }
    /* A window that was taken back is no failure while the peer answers. */
    since = c->snd_wnd || !toe_ncb_synchronized(c)
            ? c->stalled : MAX(c->stalled, c->last_rcv);
    if (now - since >= toe_sockopt_patience(t, c)) {
        give_up(t, c);
        return;
    }
    if (toe_ncb_synchronized(c)) {
        toe_plpmtud_timeout(t, c);
    }
    toe_count(t->nop->counters, TCP_RTO);
    toe_trace_tcp_rto(toe_ncb_handle(t, c), c->snd_una, c->backoff);
    c->backoff = MIN(c->backoff + 1, 16);       /* RFC 6298 (5.5) */
    if (c->backoff >= TOE_R1) {
        toe_route_suspect(t->nop, c->family, c->raddr);
    }
    c->flags &= ~TOE_F_RTT_TIMED;               /* Karn */
    if (c->state == TOE_TCP_SYN_SENT || c->state == TOE_TCP_SYN_RECEIVED) {
        toe_fastopen_syn_lost(t, c);
        c->flags |= TOE_F_SEND_SYN;
    } else {
        toe_recovery_rto(t, c);
    }
    toe_timer_set(t, c, TOE_T_RTX,
                  MIN(now + toe_rto(c), since + toe_sockopt_patience(t, c)));
    toe_tcp_mark(t, c);
}

static void tlp_expired(ToeTcp *t, ToeNcb *c, int64_t now)
{
    if (c->snd_una == c->snd_nxt ||
        c->flags2 & (TOE_F2_TLP | TOE_F2_LOSS) || c->flags & (TOE_F_RECOVERY | TOE_F_PERSIST) || c->sacked || c->lost) {
        return;
    }
    c->flags2 |= TOE_F2_TLP_DUE;
    /* The time-out runs from the probe on (RFC 8985 7.3). */
    toe_timer_set(t, c, TOE_T_RTX, now + toe_rto(c));
    toe_tcp_mark(t, c);
}

static void keep_expired(ToeTcp *t, ToeNcb *c, int64_t now)
{
    int64_t idle = c->keepalive_s * TOE_SEC;
    int64_t interval = c->keep_intvl_s ? c->keep_intvl_s * TOE_SEC
                                       : MIN(idle, TOE_KEEP_INTVL_NS);
    uint32_t probes = c->keep_cnt ? c->keep_cnt : TOE_KEEP_PROBES;

    if (!c->keepalive_s) {
        return;
    }
    if (c->last_rcv >= now - interval) {
        c->keep_probes = 0;                     /* the last one was answered */
    }
    if (now - c->last_rcv < idle) {
        toe_timer_set(t, c, TOE_T_KEEP, c->last_rcv + idle);
        return;
    }
    if (c->user_timeout_ms ? now - c->last_rcv >= idle + toe_sockopt_patience(t, c)
                           : c->keep_probes >= probes) {
        give_up(t, c);
        return;
    }
    /* In flight data asks the same question by itself. */
    if (c->snd_una == c->snd_max) {
        c->keep_probes++;
        c->flags |= TOE_F_KEEP_PROBE;
        toe_tcp_mark(t, c);
    }
    toe_timer_set(t, c, TOE_T_KEEP, now + interval);
}

static void life_expired(ToeTcp *t, ToeNcb *c)
{
    if (c->so & TOE_SO_LINGERING && c->flags & TOE_F_OWNED) {
        toe_sockopt_lingered(t, c);
        return;
    }
    switch (c->state) {
    case TOE_TCP_TIME_WAIT:
        toe_trace_tcp_time_wait_over(toe_ncb_handle(t, c));
        toe_tcp_close_ncb(t, c, TOE_ST_OK, false);
        break;
    case TOE_TCP_SYN_RECEIVED:
        toe_tcp_close_ncb(t, c, TOE_ST_TIMEDOUT, true);
        break;
    case TOE_TCP_FIN_WAIT_2:
        /*
         * All was delivered; the peer just does not close.  Its next segment
         * finds no connection and gets a RST.
         */
        toe_tcp_close_ncb(t, c, TOE_ST_TIMEDOUT, false);
        break;
    default:
        give_up(t, c);
        break;
    }
}

void toe_tcp_timer(ToeNop *n, uint32_t index)
{
    ToeTcp *t = n->tcp;
    int64_t now = toe_nop_now(n);
    ToeNcb *c;

    if (index >= t->size) {
        return;
    }
    c = &t->ncbs[index];
    if (c->kind == TOE_NCB_FREE) {
        return;
    }
    c->armed = INT64_MAX;
    for (unsigned i = 0; i < TOE_T_MAX; i++) {
        if (c->deadline[i] > now) {
            continue;
        }
        c->deadline[i] = INT64_MAX;
        switch ((ToeTcpTimer)i) {
        case TOE_T_TLP:
            tlp_expired(t, c, now);
            break;
        case TOE_T_REO:
            toe_recovery_lost(t, c, now);
            break;
        case TOE_T_RTX:
            rtx_expired(t, c, now);
            break;
        case TOE_T_DELACK:
            if (c->flags & TOE_F_ACK_LATER) {
                c->flags |= TOE_F_ACK_NOW;
                toe_tcp_mark(t, c);
            }
            break;
        case TOE_T_PACE:
            toe_tcp_mark(t, c);
            break;
        case TOE_T_OVERRIDE:
            c->flags |= TOE_F_OVERRIDE;
            toe_tcp_mark(t, c);
            break;
        case TOE_T_KEEP:
            keep_expired(t, c, now);
            break;
        case TOE_T_LIFE:
            life_expired(t, c);
            break;
        case TOE_T_MAX:
            break;
        }
    }
    if (earliest(c) < c->armed) {
        c->armed = earliest(c);
        toe_timers_set(&n->timers, index, c->armed);
    }
    toe_tcp_deliver(t, c);
}
