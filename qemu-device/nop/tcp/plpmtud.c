/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plpmtud.c - how large a packet the path takes: path MTU discovery with
 * routers' help (RFC 1191, RFC 8201) and without (RFC 4821, RFC 8899).
 *
 * Down.  A router says "too big".  input.c has checked that it speaks of
 * something in flight; then (RFC 5927, 7.2)
 *
 *   what it claims is no less than what we send       a lie, or about a probe
 *   packets as large as what we send were never
 *   acknowledged                                      believed at once
 *   they were                                         only if the segment then
 *                                                     times out, not if it is
 *                                                     acknowledged
 *
 * If no router says anything (a black hole), the third time-out in a row of a
 * large segment, and every second one from then on, lowers the MTU, first to
 * what most paths take (TOE_PLPMTU_BASE), then to the least there is.
 *
 * Up.  Ten minutes after it went down (RFC 1191 6.3; RFC 8899 PMTU_RAISE_TIMER)
 * a probe goes out: one segment of real data, larger than the MSS (RFC 4821,
 * 7), while enough other data follows that its loss shows.  Its ACK raises the
 * MTU.  Its loss alone says nothing of congestion, so neither ssthresh nor
 * cwnd change (7.6.2); after three the size counts as too large (RFC 8899
 * 5.1.2), and the next one is half-way between it and the MTU, until little is
 * left to gain.  Without SACK the loss of a probe is not told from others: no
 * probes.  Without TOE_PARAM_MTU_PROBING there are neither these nor black
 * holes, and when its time has come the MTU is the port's again, as RFC 1191
 * says, until a router objects.
 *
 * TOE_OPT_MTU_DISCOVER: DONT sends IPv4 without DF and lets routers fragment
 * (IPv6, where they don't, stays at 1280); WANT, the default, and DO are as
 * above; PROBE believes no router, and finds out by itself.
 */
#include "nop/tcp/tcp.h"
#include "toe_trace.h"

#define PROBES_MAX      3u              /* RFC 8899 5.1.2, MAX_PROBES */
#define NEAR_ENOUGH     8u              /* bytes not worth a further probe */
#define FOLLOW          (TOE_DUPTHRESH + 1)     /* full segments behind one */

/* IP and TCP header, without options. */
static uint32_t headers(const ToeNcb *c)
{
    return (c->family == TOE_AF_INET6 ? 40 : 20) + TOE_TCP_HDR;
}

static uint32_t overhead(const ToeNcb *c)
{
    return headers(c) + (c->flags & TOE_F_TS ? TOE_OPT_TS_LEN : 0);
}

static uint32_t least(const ToeNcb *c)
{
    return c->family == TOE_AF_INET6 ? TOE_PMTU_MIN_V6 : TOE_PMTU_MIN_V4;
}

/* The port's and the peer's limit. */
static uint32_t limit(const ToeTcp *t, const ToeNcb *c)
{
    return MIN(toe_ip_max(t->nop, c->family), c->peer_mss + headers(c));
}

/* A user-networking backend takes IPv4 packets of any size. */
static bool applies(const ToeTcp *t, const ToeNcb *c)
{
    return !(t->nop->config.max_segment && c->family == TOE_AF_INET) &&
           c->pmtud != TOE_PMTUD_DONT;
}

static void set_mtu(ToeTcp *t, ToeNcb *c, uint32_t mtu)
{
    toe_trace_tcp_pmtu(toe_ncb_handle(t, c), mtu);
    c->mtu = mtu;
    c->size_out = 0;
    c->probe_mtu = 0;
    toe_tcp_update_mss(t, c);
    c->cwnd = MAX(c->cwnd, c->mss);
}

static void lower(ToeTcp *t, ToeNcb *c, uint32_t mtu)
{
    set_mtu(t, c, mtu);
    c->size_acked = 0;
    c->mtu_high = 0;
    c->raise_at = toe_nop_now(t->nop) + TOE_PMTU_AGE_NS;
    toe_pmtu_set(t->nop, c->family, c->raddr, mtu);
    toe_count(t->nop->counters, TCP_PMTU_LOWERED);
}

void toe_plpmtud_begin(ToeTcp *t, ToeNcb *c)
{
    if (applies(t, c) && c->mtu < limit(t, c)) {
        /* Another connection found out, perhaps long ago. */
        c->raise_at = toe_nop_now(t->nop) + TOE_PMTU_AGE_NS;
    }
}

/* ---- Down ---- */

/* RFC 1191 7.1: a router that does not say its MTU. */
static uint32_t plateau(uint32_t mtu)
{
    static const uint16_t plateaus[] = { 32000, 17914, 8166, 4352, 2002,
                                         1492, 1006 };

    for (unsigned i = 0; i < G_N_ELEMENTS(plateaus); i++) {
        if (plateaus[i] < mtu) {
            return plateaus[i];
        }
    }
    return TOE_PMTU_MIN_V4;
}

void toe_plpmtud_too_big(ToeTcp *t, ToeNcb *c, uint32_t mtu, uint32_t seq)
{
    if (!applies(t, c) || c->pmtud == TOE_PMTUD_PROBE) {
        return;
    }
    mtu = MAX(mtu ? mtu : plateau(c->mtu), least(c));
    if (mtu >= c->mtu) {
        if (c->probe_mtu && mtu < c->probe_mtu && seq == c->probe_seq) {
            c->mtu_high = (uint16_t)(mtu + 1);
        }
        return;
    }
    if (c->size_acked && mtu < c->size_acked + overhead(c)) {
        c->ptb_mtu = (uint16_t)mtu;
        c->ptb_seq = seq;
        return;
    }
    lower(t, c, mtu);
    if (toe_ncb_synchronized(c) && c->snd_una != c->snd_max) {
        /* What was too big is lost for sure, and not by congestion. */
        toe_recovery_too_big(t, c);
        c->flags &= ~TOE_F_RTT_TIMED;
        toe_tcp_mark(t, c);
    }
}

void toe_plpmtud_timeout(ToeTcp *t, ToeNcb *c)
{
    uint32_t next = c->mtu > TOE_PLPMTU_BASE ? TOE_PLPMTU_BASE : least(c);
    uint32_t out = MIN(c->snd_max - c->snd_una, c->tx.len);

    if (!applies(t, c)) {
        return;
    }
    c->probe_mtu = 0;                   /* it will be sent again, smaller */
    if (c->ptb_mtu) {
        next = c->ptb_mtu;
        c->ptb_mtu = 0;
        if (next < c->mtu) {
            lower(t, c, next);
        }
        return;
    }
    next = MAX(next, least(c));
    /*
     * Is what timed out larger than what would be tried then?  The peer's
     * window may keep it below the MSS.  That something behind it arrived
     * says nothing: it may have been small.  c->backoff counts the time-outs
     * before this one: it is the third, fifth...
     */
    if (t->nop->mtu_probing && c->backoff >= 2 && !(c->backoff & 1) &&
        next < c->mtu &&
        MIN(out, c->mss) + overhead(c) > next) {
        toe_count(t->nop->counters, TCP_BLACK_HOLES);
        if (!c->mtu_high || c->mtu < c->mtu_high) {
            c->mtu_high = (uint16_t)MIN(c->mtu, UINT16_MAX);
        }
        set_mtu(t, c, next);
        c->size_acked = 0;
        c->raise_at = INT64_MAX;
        c->flags2 |= TOE_F2_BLACK_HOLE;
    }
}

/* ---- Up ---- */

uint32_t toe_plpmtud_probe(ToeTcp *t, ToeNcb *c, uint32_t avail,
                           uint32_t usable)
{
    int64_t now = toe_nop_now(t->nop);
    uint32_t high, size, len;

    if (now < c->raise_at || c->probe_mtu || !applies(t, c)) {
        return 0;
    }
    if (!t->nop->mtu_probing || !(c->flags2 & TOE_F2_SACK)) {
        c->raise_at = INT64_MAX;
        if (!c->mtu_high && c->mtu < limit(t, c)) {
            set_mtu(t, c, limit(t, c));
        }
        return 0;
    }
    if (c->flags & TOE_F_RECOVERY || c->flags2 & TOE_F2_LOSS || c->lost ||
        c->sacked || c->snd_nxt != c->snd_max) {
        return 0;
    }
    high = c->mtu_high ? MIN(c->mtu_high, limit(t, c) + 1)
                       : limit(t, c) + 1;
    if (high <= c->mtu + (c->mtu_high ? NEAR_ENOUGH : 1)) {
        /* Enough, until the path may have changed. */
        c->mtu_high = 0;
        c->raise_at = c->mtu < limit(t, c) ? now + TOE_PMTU_AGE_NS
                                           : INT64_MAX;
        return 0;
    }
    size = c->mtu_high ? (c->mtu + high) / 2 : high - 1;
    len = size - overhead(c);
    if (len <= c->mss || MIN(avail, usable) < len + FOLLOW * c->mss) {
        return 0;
    }
    return len;
}

void toe_plpmtud_probed(ToeTcp *t, ToeNcb *c, uint32_t seq, uint32_t len)
{
    c->probe_seq = seq;
    c->probe_end = seq + len;
    c->probe_mtu = (uint16_t)(len + overhead(c));
    toe_count(t->nop->counters, TCP_MTU_PROBES);
    toe_trace_tcp_mtu_probe(toe_ncb_handle(t, c), c->probe_mtu, c->mtu,
                            c->mtu_high);
}

static void probe_passed(ToeTcp *t, ToeNcb *c, int64_t now)
{
    c->size_acked = (uint16_t)(c->probe_mtu - overhead(c));
    set_mtu(t, c, c->probe_mtu);
    c->probes_lost = 0;
    c->raise_at = now;                  /* and on */
    toe_pmtu_set(t->nop, c->family, c->raddr, c->mtu);
    toe_count(t->nop->counters, TCP_MTU_PROBES_ACKED);
}

bool toe_plpmtud_probe_lost(ToeTcp *t, ToeNcb *c, int64_t now)
{
    uint32_t left, right;

    /* One range, and within the probe. */
    if (!toe_sack_next(t, c, &left, &right) || seq_lt(left, c->probe_seq) ||
        seq_gt(right, c->probe_end) || c->lost != right - left) {
        return false;
    }
    if (!c->probe_mtu) {
        return c->flags2 & TOE_F2_PROBE_LOST;   /* waits to be sent again */
    }
    if (++c->probes_lost >= PROBES_MAX ||
        (c->mtu_high && c->mtu_high <= c->probe_mtu)) {
        /* In vain often enough, or a router has said so. */
        c->probes_lost = 0;
        c->mtu_high = MIN(c->mtu_high ? c->mtu_high : UINT16_MAX,
                          c->probe_mtu);
    }
    c->raise_at = now + TOE_PLPMTU_AGAIN_NS;
    c->probe_mtu = 0;
    c->flags2 |= TOE_F2_PROBE_LOST | TOE_F2_FORCE;
    toe_tcp_mark(t, c);
    return true;
}

/* ---- What happens anyway ---- */

void toe_plpmtud_sent(ToeNcb *c, uint32_t seq, uint32_t len)
{
    if (seq_lt(seq, c->snd_max)) {
        /* Sent again, perhaps in other pieces: its ACK says nothing. */
        if (c->size_out && seq_lt(seq, c->size_end)) {
            c->size_out = 0;
        }
        if (c->probe_mtu && seq_lt(seq, c->probe_end)) {
            c->probe_mtu = 0;
        }
    } else if (!c->size_out && len > c->size_acked) {
        c->size_out = (uint16_t)len;
        c->size_end = seq + len;
    }
}

void toe_plpmtud_acked(ToeTcp *t, ToeNcb *c, int64_t now)
{
    if (c->size_out && seq_geq(c->snd_una, c->size_end)) {
        c->size_acked = c->size_out;
        c->size_out = 0;
    }
    if (c->ptb_mtu && seq_gt(c->snd_una, c->ptb_seq)) {
        /* It came through: the router lied, or was none. */
        c->ptb_mtu = 0;
        toe_count(t->nop->counters, TCP_PMTU_IGNORED);
    }
    if (!c->lost) {
        c->flags2 &= ~TOE_F2_PROBE_LOST;
    }
    if (c->flags2 & TOE_F2_BLACK_HOLE) {
        c->flags2 &= ~TOE_F2_BLACK_HOLE;
        c->raise_at = now + TOE_PMTU_AGE_NS;
        toe_pmtu_set(t->nop, c->family, c->raddr, c->mtu);
    }
    if (c->probe_mtu && seq_geq(c->snd_una, c->probe_end)) {
        probe_passed(t, c, now);
    }
}

uint8_t toe_plpmtud_setopt(ToeTcp *t, ToeNcb *c, uint64_t value)
{
    if (value > TOE_PMTUD_MAX) {
        return TOE_ST_INVALID;
    }
    c->pmtud = (uint8_t)value;
    if (c->kind == TOE_NCB_CONN && value == TOE_PMTUD_DONT) {
        uint32_t max = toe_ip_max(t->nop, c->family);

        c->ptb_mtu = 0;
        c->mtu = c->family == TOE_AF_INET6 ? MIN(max, TOE_PMTU_MIN_V6) : max;
        c->raise_at = INT64_MAX;
        if (toe_ncb_synchronized(c)) {
            set_mtu(t, c, c->mtu);
        }
    }
    return TOE_ST_OK;
}
