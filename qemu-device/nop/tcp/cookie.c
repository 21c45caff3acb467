/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cookie.c - SYN cookies, RFC 4987 section 3.6: a SYN that finds the SYN
 * queue full is answered without anything being kept of it.
 *
 * What has to be known when the ACK comes is in our initial sequence number:
 *
 *	ISS = H(key; tuple, peer's ISN, minutes, MSS index) << 3 | MSS index
 *
 * H has 29 bits.  "Minutes" counts 64 s; an ACK is believed in the minute of
 * its SYN and the next, so a cookie lives 64 to 128 s.  The ACK has the
 * peer's ISN + 1 and the ISS + 1, so two hashes tell a true one from a forged,
 * which has a chance of 2 in 2^29, however clever: the index being legible
 * tells nobody anything.  (The classic format keeps 24 bits of hash.)  The
 * price is an ISS that does not grow with time; segments of an older
 * connection are kept out by timestamps (RFC 7323 section 5) alone.
 *
 * The MSS is rounded down to one of eight.  Window scale, SACK and ECN do not
 * fit; a peer that sends timestamps gets them in the low six bits of ours and
 * echoes them.  The clock of the timestamp is set back for it by less than
 * 128 ms, never ahead.  Without timestamps the connection has none of the
 * three, and the SYN-ACK says so.
 *
 * Limits.  A SYN-ACK with a cookie is sent once; if the ACK is lost the
 * connection comes with the peer's next segment.  Cookies are believed by
 * listeners that sent some lately, so that an ACK to a listener costs no
 * hashes in peaceful times, and guessing is possible in an attack only.  In
 * such times an ACK without a connection gets no answer, see below.
 */
#include "nop/tcp/tcp.h"
#include "toe_trace.h"

#define INDEX_BITS      3u
#define TS_BITS         6u
#define TS_WSCALE       0x0fu           /* this much; 15: no scaling */
#define TS_NO_WSCALE    0x0fu
#define TS_SACK         0x10u
#define TS_ECN          0x20u
/* An echo is as old as the cookie at most, and set back a little. */
#define TS_AGE_MAX      ((uint32_t)(2 * TOE_COOKIE_NS / TOE_MS) + 128u)

#define ECN_ASKED       (TOE_ECE | TOE_CWR)     /* RFC 3168 6.1.1 */

/* What peers say, from Ethernet, tunnels and PPPoE, IPv4 and IPv6. */
static const uint16_t mss_table[1u << INDEX_BITS] = {
    TOE_MSS_MIN, 256, TOE_MSS_DEFAULT_V4, TOE_MSS_DEFAULT_V6, 1360, 1440,
    1460, 8940,
};

static uint32_t minutes(int64_t now)
{
    return (uint32_t)(uint64_t)(now / TOE_COOKIE_NS);
}

static uint32_t cookie(const ToeTcp *t, const ToeSyn *s, uint32_t count,
                       uint32_t index)
{
    struct {
        uint8_t laddr[16], raddr[16];
        uint16_t lport, rport;
        uint32_t seq, count;
        uint8_t family, index, zero[2];
    } in;

    memset(&in, 0, sizeof(in));
    memcpy(in.laddr, s->laddr, 16);
    memcpy(in.raddr, s->raddr, 16);
    in.lport = s->lport;
    in.rport = s->rport;
    in.seq = s->seq;
    in.count = count;
    in.family = s->family;
    in.index = (uint8_t)index;
    return (uint32_t)toe_siphash(&t->synq.cookie_key, &in, sizeof(in)) <<
           INDEX_BITS | index;
}

static uint32_t mss_index(const ToeSyn *s)
{
    uint32_t mss = s->options & TOE_SYN_MSS ? s->mss
                   : s->family == TOE_AF_INET6 ? TOE_MSS_DEFAULT_V6
                                               : TOE_MSS_DEFAULT_V4;
    uint32_t i = G_N_ELEMENTS(mss_table) - 1;

    while (i && mss_table[i] > mss) {
        i--;
    }
    return i;
}

/*
 * The window of the SYN-ACK.  Nobody remembers it, and it must not be taken
 * back: so it does not depend on how much memory is free at the moment.
 */
static uint32_t first_window(const ToeNcb *listener)
{
    return MIN(listener->rcv_buf, 65535);
}

bool toe_cookie_syn(ToeTcp *t, ToeNcb *listener, ToeSyn *s, int64_t now)
{
    ToeSynq *q = &t->synq;
    uint32_t index = mss_index(s);

    if (q->cookies_count == TOE_COOKIE_RING) {
        return false;                           /* more than a turn answers */
    }
    if (!(s->options & TOE_SYN_TS)) {
        s->options &= TOE_SYN_MSS;
        s->flags &= ~ECN_ASKED;
    }
    s->iss = cookie(t, s, minutes(now), index);
    listener->cookie_time = now;
    q->cookies[(q->cookies_head + q->cookies_count) % TOE_COOKIE_RING] = *s;
    q->cookies_count++;
    return true;
}

void toe_cookie_send(ToeTcp *t, const ToeSyn *s)
{
    ToeNcb *listener = toe_ncb_by_handle(t, s->listener);
    ToeNcb *c = toe_ncb_scratch(t);

    if (!listener || !toe_tcp_child(t, c, listener, s)) {
        return;
    }
    c->state = TOE_TCP_SYN_RECEIVED;
    c->rcv_adv = c->rcv_nxt + first_window(listener);
    if (s->options & TOE_SYN_TS) {
        uint32_t now = toe_ts_now(c, toe_nop_now(t->nop)), ts, bits;

        bits = s->options & TOE_SYN_WSCALE ? s->wscale : TS_NO_WSCALE;
        if (s->options & TOE_SYN_SACK) {
            bits |= TS_SACK;
        }
        if ((s->flags & ECN_ASKED) == ECN_ASKED) {
            bits |= TS_ECN;
        }
        ts = (now & ~((1u << TS_BITS) - 1)) | bits;
        if (ts - now < 1u << TS_BITS && ts != now) {
            ts -= 1u << TS_BITS;
        }
        c->ts_offset += ts - now;
    }
    toe_count(t->nop->counters, TCP_COOKIES_SENT);
    toe_trace_tcp_cookie(s->rport, s->iss, true);
    toe_tcp_output_request(t, c, TOE_SYN);
}

/* The options of the SYN, out of the timestamp that came back. */
static bool take_options(ToeTcp *t, ToeSyn *s, const ToeSeg *seg, int64_t now)
{
    uint32_t age, bits = seg->opt.ts_ecr;

    if (!seg->opt.have_ts) {
        return true;
    }
    age = (uint32_t)(uint64_t)(now / TOE_MS) + toe_tcp_ts_offset_of(t, s) -
          seg->opt.ts_ecr;
    if (age > TS_AGE_MAX) {
        return false;                           /* never sent by us */
    }
    s->options |= TOE_SYN_TS;
    s->ts_val = seg->opt.ts_val;
    if ((bits & TS_WSCALE) != TS_NO_WSCALE) {
        s->options |= TOE_SYN_WSCALE;
        s->wscale = bits & TS_WSCALE;
    }
    if (bits & TS_SACK) {
        s->options |= TOE_SYN_SACK;
    }
    if (bits & TS_ECN) {
        s->flags |= ECN_ASKED;
    }
    return true;
}

ToeNcb *toe_cookie_ack(ToeTcp *t, ToeNcb *listener, const ToeIpPacket *p,
                       const ToeSeg *seg, bool *rst)
{
    int64_t now = toe_nop_now(t->nop);
    uint32_t iss = seg->ack - 1, index = iss & ((1u << INDEX_BITS) - 1);
    ToeNcb *c;
    ToeSyn s;

    *rst = true;
    if (t->nop->syn_cookies == TOE_SYN_COOKIES_OFF ||
        !listener->cookie_time ||
        now - listener->cookie_time > 2 * TOE_COOKIE_NS || !seg->sport) {
        return NULL;
    }
    /*
     * From here on there is no RST (RFC 9293 3.10.7.2 wants one).  What fails
     * may have overtaken the segment with the cookie, whose place in the
     * sequence space is part of it; that comes again, while a RST would end a
     * good connection.  And an ACK flood makes no noise.
     */
    *rst = false;
    memset(&s, 0, sizeof(s));
    memcpy(s.laddr, p->dst, 16);
    memcpy(s.raddr, p->src, 16);
    s.lport = seg->dport;
    s.rport = seg->sport;
    s.family = p->family;
    s.flags = TOE_SYN;
    s.seq = seg->seq - 1;
    s.wnd = seg->wnd;
    s.options = TOE_SYN_MSS;
    s.mss = mss_table[index];
    s.iss = iss;
    s.listener = toe_ncb_handle(t, listener);
    if ((cookie(t, &s, minutes(now), index) != iss &&
         cookie(t, &s, minutes(now) - 1, index) != iss) ||
        !take_options(t, &s, seg, now)) {
        toe_count(t->nop->counters, TCP_COOKIES_BAD);
        toe_trace_tcp_cookie(s.rport, iss, false);
        return NULL;
    }
    c = toe_synq_promote(t, listener, &s, first_window(listener));
    if (c) {
        toe_count(t->nop->counters, TCP_COOKIES_OK);
    }
    return c;
}
