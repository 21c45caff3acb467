/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fastopen.c - TCP Fast Open, RFC 7413: data in the SYN.
 *
 * The server
 *  A listener takes part with TOE_OPT_FASTOPEN, the number of connections that
 *  may be open by a cookie alone.  A SYN that asks for a cookie gets one with
 *  its SYN-ACK, and is otherwise a SYN like any other (synq.c); its data is not
 *  taken.  A SYN with a good cookie makes the connection at once: the data is
 *  delivered, and the application may answer before the handshake is over.
 *
 *  A cookie is a keyed hash of both addresses: it says that the peer once got
 *  what was sent to its address.  The key is replaced every TOE_FO_KEY_NS; the
 *  one before is good for as long again, and whoever uses it gets a new cookie.
 *  A bad cookie is answered with a good one, and so is a good one when too many
 *  connections are pending (but then without); data is then sent again by the
 *  peer.
 *
 *  Such a connection is ESTABLISHED as far as all other files are concerned,
 *  with TOE_F2_FO_WAIT until the SYN-ACK is acknowledged.  Meanwhile the
 *  retransmission timer repeats the SYN-ACK alone, data sent already follows
 *  when the handshake is over (as in Linux), CONN_LIST says SYN-RECEIVED, and
 *  it counts against the listener's limit.  snd_una steps over the SYN when
 *  the SYN-ACK is sent, so that the send buffer's head is where it always is.
 *
 * The client
 *  toe_stream_connect_fast().  What is known of a server stands in a small
 *  table, by address: cookie, MSS, and whether Fast Open did harm.  With a
 *  cookie the connection is reported at once (TOE_F2_FO_EARLY) and the SYN
 *  waits for the first bytes to send, which it takes with it, as many as the
 *  remembered MSS allows.  Without one the SYN asks for it.  A SYN sent again
 *  has neither cookie nor data.
 *
 *  Black holes (4.1.3): some boxes drop SYNs with data or with options that
 *  they do not know.  When a SYN with the option timed out, the server
 *  gets none for a minute, doubled each time in a row; an answer to a SYN
 *  with the option ends that.  The same if it was refused.
 */
#include "nop/tcp/tcp.h"
#include "toe_trace.h"

/* ---- Server: cookies ---- */

static void new_keys(ToeTcp *t, int64_t now)
{
    ToeFastOpen *f = &t->fastopen;
    int64_t age = now - f->key_time;

    if (f->key_time && age < TOE_FO_KEY_NS) {
        return;
    }
    if (f->key_time && age < 2 * TOE_FO_KEY_NS) {
        f->key[1] = f->key[0];
    } else {
        f->key[1].k[0] = toe_nop_random(t->nop);
        f->key[1].k[1] = toe_nop_random(t->nop);
    }
    f->key[0].k[0] = toe_nop_random(t->nop);
    f->key[0].k[1] = toe_nop_random(t->nop);
    f->key_time = MAX(now, 1);
}

static void make_cookie(const ToeSipKey *key, uint8_t family,
                        const uint8_t *laddr, const uint8_t *raddr,
                        uint8_t *cookie)
{
    struct {
        uint8_t laddr[16], raddr[16];
        uint64_t family;
    } in = { .family = family };
    uint64_t h;

    memcpy(in.laddr, laddr, 16);
    memcpy(in.raddr, raddr, 16);
    h = toe_siphash(key, &in, sizeof(in));
    for (unsigned i = 0; i < TOE_FO_COOKIE; i++) {
        cookie[i] = (uint8_t)(h >> (8 * i));
    }
}

/* Which key is this cookie of?  -1: none. */
static int check_cookie(ToeTcp *t, const ToeSyn *s, const ToeTcpOptions *o)
{
    uint8_t good[TOE_FO_COOKIE];

    if (o->fo_len != TOE_FO_COOKIE) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        make_cookie(&t->fastopen.key[i], s->family, s->laddr, s->raddr, good);
        if (!memcmp(good, o->fo_cookie, TOE_FO_COOKIE)) {
            return i;
        }
    }
    return -1;
}

bool toe_fastopen_syn(ToeTcp *t, ToeNcb *listener, ToeSyn *s,
                      const ToeTcpOptions *o, int64_t now)
{
    int key;

    if (!o->have_fo || !listener->fastopen ||
        !(t->nop->fastopen & TOE_FASTOPEN_SERVER)) {
        return false;
    }
    new_keys(t, now);
    if (!o->fo_len) {
        s->fo_answer = 1;
        return false;
    }
    key = check_cookie(t, s, o);
    s->fo_answer = key != 0;
    if (key < 0) {
        toe_count(t->nop->counters, TCP_FASTOPEN_BAD);
        return false;
    }
    if (listener->fo_pending >= listener->fastopen) {
        /* RFC 7413 5.1: no more than this may be held by forged SYNs. */
        toe_count(t->nop->counters, TCP_FASTOPEN_OVERFLOWS);
        return false;
    }
    return true;
}

bool toe_fastopen_accept(ToeTcp *t, ToeNcb *listener, const ToeSyn *s,
                         const ToeSeg *seg)
{
    ToeNcb *c = toe_synq_promote(t, listener, s, 0);
    uint32_t len;

    if (!c) {
        return false;
    }
    /* The SYN-ACK is not out: toe_fastopen_synack_sent() goes on from here. */
    c->snd_nxt = c->snd_max = c->iss;
    c->flags2 |= TOE_F2_FO_WAIT;
    listener->fo_pending++;
    toe_tcp_establish(t, c);
    len = MIN(seg->len, toe_tcp_receive_window(t, c));
    if (len && toe_chain_append(t->nop->lm, &c->rx, seg->data, len,
                                TOE_LMEM_IN)) {
        c->rcv_nxt += len;
        c->bytes_in += len;
        c->flags2 |= TOE_F2_SYN_DATA;
        toe_count_add(t->nop->counters, TCP_BYTES_IN, len);
        c->events |= TOE_E_READABLE | TOE_E_PUSH;
    }
    c->rcv_adv = c->rcv_nxt;
    c->flags |= TOE_F_SEND_SYN;
    toe_count(t->nop->counters, TCP_FASTOPEN_PASSIVE);
    toe_tcp_mark(t, c);
    toe_tcp_deliver(t, c);
    return true;
}

/* ---- Server: until the handshake is over ---- */

void toe_fastopen_synack_sent(ToeNcb *c)
{
    c->snd_una = c->iss + 1;
}

void toe_fastopen_done(ToeTcp *t, ToeNcb *c)
{
    ToeNcb *listener;

    if (!(c->flags2 & TOE_F2_FO_WAIT)) {
        return;
    }
    c->flags2 &= ~TOE_F2_FO_WAIT;
    listener = toe_ncb_by_handle(t, c->listener);
    if (listener && listener->fo_pending) {
        listener->fo_pending--;
    }
}

void toe_fastopen_acked(ToeTcp *t, ToeNcb *c, uint32_t ack, int64_t now)
{
    if (!(c->flags2 & TOE_F2_FO_WAIT) || seq_leq(ack, c->iss)) {
        return;
    }
    toe_fastopen_done(t, c);
    c->flags &= ~TOE_F_SEND_SYN;
    if (c->flags & TOE_F_RTT_TIMED && c->rtt_seq == c->iss + 1) {
        c->flags &= ~TOE_F_RTT_TIMED;
        toe_rtt_sample(c, now - c->rtt_time);
        toe_rtt_least(c, now - c->rtt_time, now);
    } else if (c->backoff && !c->srtt_us) {
        c->rto = TOE_RTO_SYN_NS;                /* RFC 6298 (5.7) */
    }
    c->backoff = 0;
    c->stalled = 0;
    toe_timer_restart_rtx(t, c, now);
    toe_tcp_mark(t, c);         /* if the window is closed, to probe it */
}

bool toe_fastopen_timeout(ToeTcp *t, ToeNcb *c, int64_t now)
{
    if (!(c->flags2 & TOE_F2_FO_WAIT)) {
        return false;
    }
    if (c->backoff >= t->nop->synack_retries) {
        toe_tcp_close_ncb(t, c, TOE_ST_TIMEDOUT, true);
        return true;
    }
    toe_count(t->nop->counters, TCP_RTO);
    c->backoff++;
    c->flags &= ~(TOE_F_RTT_TIMED | TOE_F_PERSIST);
    c->flags |= TOE_F_SEND_SYN;
    toe_timer_set(t, c, TOE_T_RTX, now + toe_rto(c));
    toe_tcp_mark(t, c);
    return true;
}

/* ---- Client: what is known of servers ---- */

static ToeFoPeer *set_of(ToeTcp *t, const ToeNcb *c)
{
    uint32_t h = toe_ncb_tuple_hash(t, c->family, c->raddr, 0, c->raddr, 0);

    return &t->fastopen.peers[h % (TOE_FO_PEERS / TOE_FO_WAYS) * TOE_FO_WAYS];
}

static ToeFoPeer *find_peer(ToeTcp *t, const ToeNcb *c)
{
    ToeFoPeer *p = set_of(t, c);

    for (unsigned i = 0; i < TOE_FO_WAYS; i++, p++) {
        if (p->family == c->family && !memcmp(p->raddr, c->raddr, 16)) {
            return p;
        }
    }
    return NULL;
}

/* The entry of c's peer; of the set, the one not used for longest gives way. */
static ToeFoPeer *get_peer(ToeTcp *t, const ToeNcb *c)
{
    ToeFoPeer *p = find_peer(t, c), *set = set_of(t, c);

    if (!p) {
        p = set;
        for (unsigned i = 1; i < TOE_FO_WAYS; i++) {
            if (!set[i].family || (p->family && set[i].used < p->used)) {
                p = &set[i];
            }
        }
        memset(p, 0, sizeof(*p));
        p->family = c->family;
        memcpy(p->raddr, c->raddr, 16);
    }
    p->used = toe_nop_now(t->nop);
    return p;
}

/* A SYN with the option did not come through. */
static void harmed(ToeTcp *t, ToeNcb *c)
{
    ToeFoPeer *p;

    if (!(c->flags2 & TOE_F2_FO_ASKED)) {
        return;
    }
    c->flags2 &= ~TOE_F2_FO_ASKED;
    p = get_peer(t, c);
    p->off_until = p->used + (TOE_FO_OFF_NS << p->losses);
    p->losses = (uint8_t)MIN(p->losses + 1u, TOE_FO_LOSSES_MAX);
    toe_count(t->nop->counters, TCP_FASTOPEN_BLACKHOLES);
    toe_trace_tcp_fastopen(toe_ncb_handle(t, c), 0, p->losses);
}

void toe_fastopen_syn_lost(ToeTcp *t, ToeNcb *c)
{
    harmed(t, c);
}

/* ---- Client: the SYN ---- */

void toe_fastopen_connect(ToeTcp *t, ToeNcb *c)
{
    const ToeFoPeer *p = find_peer(t, c);

    if (!(t->nop->fastopen & TOE_FASTOPEN_CLIENT) ||
        (p && p->off_until > toe_nop_now(t->nop))) {
        return;                                 /* like any other */
    }
    c->flags2 |= TOE_F2_FO_ASKED;
    if (p && p->len) {
        c->flags2 |= TOE_F2_FO_EARLY;
        c->flags &= ~TOE_F_SEND_SYN;
        c->peer_mss = p->mss;
        toe_tcp_update_mss(t, c);
        c->events |= TOE_E_ESTABLISHED;
    }
}

uint32_t toe_fastopen_option(ToeTcp *t, ToeNcb *c, ToeSeg *seg)
{
    const ToeFoPeer *p;
    uint32_t room;

    if (c->state != TOE_TCP_SYN_SENT) {
        if (c->flags2 & TOE_F2_FO_ANSWER && t->fastopen.key_time) {
            seg->opt.have_fo = true;
            seg->opt.fo_len = TOE_FO_COOKIE;
            make_cookie(&t->fastopen.key[0], c->family, c->laddr, c->raddr,
                        seg->opt.fo_cookie);
        }
        return 0;
    }
    if (!(c->flags2 & TOE_F2_FO_ASKED) || c->snd_max != c->iss) {
        return 0;                               /* 4.2.1: never twice */
    }
    seg->opt.have_fo = true;
    p = find_peer(t, c);
    if (!(c->flags2 & TOE_F2_FO_EARLY) || !p || !p->len) {
        seg->opt.fo_len = 0;
        return 0;
    }
    seg->opt.fo_len = p->len;
    memcpy(seg->opt.fo_cookie, p->cookie, p->len);
    /* All options together are 40 bytes at most; c->mss may know of some. */
    room = MIN(c->mss, p->mss);
    room = room > 40 ? room - 40 : 0;
    toe_count(t->nop->counters, TCP_FASTOPEN_ACTIVE);
    return MIN(c->tx.len, room);
}

void toe_fastopen_synack(ToeTcp *t, ToeNcb *c, const ToeSeg *seg)
{
    const ToeTcpOptions *o = &seg->opt;
    uint32_t sent = c->snd_max - c->iss - 1, taken;
    ToeFoPeer *p;

    if (c->flags2 & TOE_F2_FO_ASKED && seg->flags & TOE_ACK) {
        /* Whatever it says, it came through. */
        p = get_peer(t, c);
        p->losses = 0;
        p->off_until = 0;
        p->mss = c->peer_mss;
        if (o->have_fo && o->fo_len >= TOE_FO_COOKIE_MIN) {
            p->len = o->fo_len;
            memcpy(p->cookie, o->fo_cookie, o->fo_len);
            toe_trace_tcp_fastopen(toe_ncb_handle(t, c), p->len, 0);
        }
    }
    c->flags2 &= ~TOE_F2_FO_ASKED;
    if (!sent || !(seg->flags & TOE_ACK)) {
        return;
    }
    /* What the server took of the data; the rest is sent like any other. */
    taken = MIN(seg->ack - c->iss - 1, sent);
    toe_chain_trim_head(t->nop->lm, &c->tx, taken);
    c->tx_pos.buflet = c->rtx_pos.buflet = TOE_BUFLET_NONE;
    c->snd_max = seg->ack;
    if (taken) {
        c->flags2 |= TOE_F2_SYN_DATA;
    }
    if (taken < sent) {
        /* Counted with the SYN, and sent for the first time once more. */
        c->bytes_out -= sent - taken;
        c->bytes_retrans += sent - taken;
        c->retransmits++;
        toe_count_add(t->nop->counters, TCP_BYTES_OUT,
                      -(int64_t)(sent - taken));
        toe_count(t->nop->counters, TCP_RETRANSMITS);
        c->fo_end = c->iss + 1 + sent;
        c->flags2 |= TOE_F2_FO_AGAIN;
        toe_count(t->nop->counters, TCP_FASTOPEN_ACTIVE_FAILS);
    }
    toe_tcp_check_writable(c);
}

void toe_fastopen_refused(ToeTcp *t, ToeNcb *c)
{
    if (c->flags2 & TOE_F2_FO_EARLY) {
        harmed(t, c);
    }
}
