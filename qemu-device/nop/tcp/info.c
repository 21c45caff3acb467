/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * info.c - what a connection has done and how it stands, for who asks.
 *
 * The host asks with INFO (toe_stream_tcp_info()) and gets the fields of
 * Linux's struct tcp_info, so that programs that steer by them, and people who
 * read them, find what they know.  Most is in the NCB for TCP's own sake; the
 * rest is counted here, by calls from the places where it happens.
 *
 * The engine counts bytes where Linux counts segments (cwnd, ssthresh, what is
 * in flight, SACKed, lost).  They are converted by the MSS, rounded up, so
 * that something is never nothing.
 *
 * Where a sender's time goes ("chronograph"): while there is something in the
 * send buffer the connection is busy; of that, it is held back by the peer's
 * window, or, with everything sent and an owner who wants to add more, by the
 * send buffer.  Time is kept in ticks of the clock itself, not of the interval:
 * what one interval loses by rounding another gains.
 */
#include "nop/tcp/tcp.h"

static uint32_t tick_of(int64_t now)
{
    return (uint32_t)((uint64_t)now >> TOE_CHRONO_SHIFT);
}

void toe_info_start(ToeNcb *c, int64_t now)
{
    c->data_in_ms = c->data_out_ms = c->ack_in_ms = toe_ms(now);
    c->chrono_since = tick_of(now);
}

void toe_info_in(ToeNcb *c, const ToeSeg *seg, int64_t now)
{
    c->segs_in++;
    if (seg->len) {
        c->data_segs_in++;
        c->data_in_ms = toe_ms(now);
    }
    if (seg->flags & TOE_ACK) {
        c->ack_in_ms = toe_ms(now);
    }
}

void toe_info_out(ToeNcb *c, uint32_t len, uint32_t again, int64_t now)
{
    if (!len) {
        return;
    }
    c->data_segs_out++;
    c->data_out_ms = toe_ms(now);
    c->bytes_retrans += again;
}

static uint32_t in_segments(const ToeNcb *c, uint32_t bytes)
{
    uint32_t mss = MAX(c->mss, 1);

    return bytes / mss + !!(bytes % mss);
}

void toe_info_delivered(ToeNcb *c, uint32_t bytes)
{
    c->delivered += in_segments(c, bytes);
}

void toe_info_reordered(ToeNcb *c, uint32_t left, uint32_t fack)
{
    uint32_t segments = in_segments(c, fack - left);

    c->reorderings++;
    if (segments > c->reordering) {
        c->reordering = (uint16_t)MIN(segments, TOE_REORDERING_MAX);
    }
}

void toe_info_marked(ToeNcb *c, uint32_t bytes)
{
    c->delivered_ce += in_segments(c, bytes);
}

/* ---- Where the time goes ---- */

static ToeChrono waits_for(const ToeNcb *c)
{
    uint32_t off = c->snd_nxt - c->snd_una;

    if (!c->tx.len) {
        return TOE_CHRONO_IDLE;
    }
    if (off >= c->tx.len) {
        return c->flags & TOE_F_SPACE_SHORT && c->tx.len >= c->snd_buf
               ? TOE_CHRONO_SNDBUF : TOE_CHRONO_BUSY;
    }
    /* Silly window avoidance leaves part of a segment unused. */
    if (c->snd_wnd < off + MIN(c->mss, c->tx.len - off) &&
        toe_recovery_window(c) > c->snd_wnd) {
        return TOE_CHRONO_RWND;
    }
    return TOE_CHRONO_BUSY;
}

void toe_info_chrono(ToeNcb *c, int64_t now)
{
    uint8_t next = (uint8_t)waits_for(c);
    uint32_t tick = tick_of(now);

    if (next == c->chrono_now) {
        return;
    }
    if (c->chrono_now != TOE_CHRONO_IDLE) {
        c->chrono[c->chrono_now - 1] += tick - c->chrono_since;
    }
    c->chrono_now = next;
    c->chrono_since = tick;
}

static uint64_t chrono_us(const ToeNcb *c, ToeChrono which, int64_t now)
{
    uint64_t ticks = c->chrono[which - 1];

    if (c->chrono_now == which) {
        ticks += tick_of(now) - c->chrono_since;
    }
    return (ticks << TOE_CHRONO_SHIFT) / 1000;
}

/* ---- The answer ---- */

static uint8_t ca_state(const ToeNcb *c)
{
    if (c->flags2 & TOE_F2_LOSS) {
        return TOE_CA_LOSS;
    }
    if (c->flags & TOE_F_RECOVERY) {
        return TOE_CA_RECOVERY;
    }
    if (c->flags2 & TOE_F2_ECN_REDUCED) {
        return TOE_CA_CWR;
    }
    return c->sacked || c->dupacks ? TOE_CA_DISORDER : TOE_CA_OPEN;
}

static uint8_t options(const ToeNcb *c)
{
    return (uint8_t)((c->flags & TOE_F_TS ? TOE_INFO_OPT_TIMESTAMPS : 0) |
                     (c->flags2 & TOE_F2_SACK ? TOE_INFO_OPT_SACK : 0) |
                     (c->flags & TOE_F_WSCALE ? TOE_INFO_OPT_WSCALE : 0) |
                     (c->flags2 & TOE_F2_ECN ? TOE_INFO_OPT_ECN : 0) |
                     (c->flags2 & TOE_F2_ECN_SEEN ? TOE_INFO_OPT_ECN_SEEN : 0) |
                     (c->flags2 & TOE_F2_SYN_DATA ? TOE_INFO_OPT_SYN_DATA : 0));
}

/* Segments in flight that were sent before; spans of one NCB are bounded. */
static uint32_t retransmitted(const ToeTcp *t, const ToeNcb *c)
{
    uint32_t bytes = 0;

    for (uint32_t i = c->span_first; i != TOE_NONE; i = t->spans[i].next) {
        const ToeSpan *s = &t->spans[i];

        if (s->again && s->state == TOE_SPAN_FLYING) {
            bytes += s->right - s->left;
        }
    }
    return in_segments(c, bytes);
}

static void fill_sender(ToeTcp *t, const ToeNcb *c, int64_t now,
                        struct toe_hw_tcp_info *info)
{
    uint32_t flight = c->snd_max - c->snd_una;
    bool syn = !toe_ncb_synchronized(c);        /* the first of these is */
    uint32_t sent = c->snd_nxt - c->snd_una;

    info->ca_state = ca_state(c);
    info->retransmits = c->flags & TOE_F_PERSIST ? 0 : c->backoff;
    info->probes = c->flags & TOE_F_PERSIST ? c->backoff : c->keep_probes;
    info->backoff = c->backoff;
    info->rto = (uint32_t)(toe_rto(c) / 1000);
    info->snd_mss = c->mss;
    info->unacked = in_segments(c, flight);
    info->sacked = in_segments(c, c->sacked);
    info->lost = in_segments(c, c->lost);
    info->retrans = retransmitted(t, c);
    if (toe_ncb_synchronized(c)) {
        info->last_data_sent = toe_ms(now) - c->data_out_ms;
        info->last_data_recv = toe_ms(now) - c->data_in_ms;
        info->last_ack_recv = toe_ms(now) - c->ack_in_ms;
    }
    info->rtt = c->srtt_us;
    info->rttvar = c->rttvar_us;
    info->min_rtt = c->min_rtt_us;
    info->snd_ssthresh = c->ssthresh >= TOE_CWND_MAX
                         ? TOE_INFO_SSTHRESH_NONE
                         : in_segments(c, c->ssthresh);
    info->snd_cwnd = in_segments(c, c->cwnd);
    info->reordering = MAX(c->reordering, TOE_DUPTHRESH);
    info->total_retrans = c->retransmits;
    info->pacing_rate = toe_pacing_rate(t, c);
    info->max_pacing_rate = c->pacing_max;
    info->bytes_acked = c->bytes_out -
                        MIN(flight - (syn && flight), c->tx.len);
    info->notsent_bytes = c->tx.len > sent ? c->tx.len - sent : 0;
    info->busy_time = chrono_us(c, TOE_CHRONO_BUSY, now) +
                      chrono_us(c, TOE_CHRONO_RWND, now) +
                      chrono_us(c, TOE_CHRONO_SNDBUF, now);
    info->rwnd_limited = chrono_us(c, TOE_CHRONO_RWND, now);
    info->sndbuf_limited = chrono_us(c, TOE_CHRONO_SNDBUF, now);
    info->delivery_rate = toe_rate(c);
    info->app_limited = !!(c->flags2 & TOE_F2_RATE_APP);
    info->delivered = c->delivered;
    info->delivered_ce = c->delivered_ce;
    info->bytes_sent = c->bytes_out + c->bytes_retrans;
    info->bytes_retrans = c->bytes_retrans;
    info->dsack_dups = c->dsacks;
    info->reord_seen = c->reorderings;
    info->snd_wnd = c->snd_wnd;
}

static void fill_receiver(ToeTcp *t, const ToeNcb *c,
                          struct toe_hw_tcp_info *info)
{
    info->ato = (uint32_t)(TOE_DELACK_NS / 1000);
    info->rcv_mss = c->rcv_mss;
    info->rcv_ssthresh = MIN(c->rcv_buf, 65535u << c->rcv_wscale);
    info->advmss = toe_tcp_announced_mss(t, c);
    info->rcv_rtt = c->drs_rtt_us;
    info->rcv_space = c->drs_space;
    info->rcv_ooopack = c->ooo_segs;
    info->rcv_wnd = toe_ncb_synchronized(c) ? c->rcv_adv - c->rcv_nxt : 0;
    info->bytes_received = c->bytes_in;
}

uint8_t toe_stream_tcp_info(ToeNop *n, uint32_t handle,
                            struct toe_hw_tcp_info *info)
{
    ToeTcp *t = n->tcp;
    const ToeNcb *c = toe_ncb_get(t, handle);
    int64_t now = toe_nop_now(n);

    memset(info, 0, sizeof(*info));
    if (!c) {
        return TOE_ST_HANDLE;
    }
    info->state = c->state;
    info->congestion = c->cc;
    if (c->kind == TOE_NCB_LISTENER) {
        info->unacked = c->pending;
        info->sacked = c->backlog;
        return TOE_ST_OK;
    }
    info->options = options(c);
    info->snd_wscale = c->snd_wscale;
    info->rcv_wscale = c->rcv_wscale;
    info->pmtu = c->mtu;
    info->segs_in = c->segs_in;
    info->segs_out = c->segs_out;
    info->data_segs_in = c->data_segs_in;
    info->data_segs_out = c->data_segs_out;
    fill_sender(t, c, now, info);
    fill_receiver(t, c, info);
    return TOE_ST_OK;
}
