/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp.c - TCP of the adapter: life, and the calls of the host side.
 *
 * Theory of operation
 * ===================
 *
 * Aim.  A complete TCP (RFC 9293), client and server, for connections that
 * live on the adapter: the host side hands over bytes in buflets and takes
 * bytes in buflets, and knows nothing of segments.  Fast where it matters
 * (one connection's bulk data with segments of up to 64 KiB; many short
 * connections), bounded everywhere (a peer or an application can cost the
 * adapter what the configuration grants it, and no more), and savable: the
 * state is arrays of plain numbers that name each other by index.
 *
 * Files.
 *
 *   tcp.c        life; states; toe_stream_* for the host side; the output turn
 *   ncb.c        the table of NCBs, handles, look-up, lists
 *   options.c    the segment's format, from and to bytes
 *   listen.c     segments for listeners, what a SYN agrees on, ISN, MSS
 *   synq.c       half-open connections: the SYN queue
 *   cookie.c     SYN cookies, when it is full
 *   fastopen.c   Fast Open: data in the SYN
 *   input.c      a segment arrives; ICMP errors
 *   recovery.c   what was lost, what to send again
 *   sack.c       the scoreboard: what is out, what the peer has of it
 *   rack.c       RACK-TLP: lost by time, and probes for lost tails
 *   cc*.c        congestion control: how much may be in flight
 *   pacing.c     new data spread over the round trip
 *   ecn.c        marks of congestion: agreed on, echoed, obeyed
 *   plpmtud.c    how large a packet the path takes
 *   output.c     what to send now; windows offered
 *   reass.c      bytes ahead of their turn
 *   tcp_timer.c  timers, RTT, RTO
 *   info.c       accounts of a connection, for who asks
 *   sockopt.c    options that the owner sets
 *   autotune.c   the size of buffers
 *   urgent.c     urgent data
 *
 * Entrances.  Three come from the network side: toe_tcp_input() with a
 * segment (and toe_tcp_icmp_error()), toe_tcp_timer() with an expired timer,
 * toe_tcp_run() for a turn of output.  The rest are the host side's
 * toe_stream_* calls.  Only toe_tcp_run() sends, and only the first three
 * report events; whoever finds something to send sets flags in the NCB and
 * marks it (toe_tcp_mark()), whoever finds something to report sets a bit in
 * c->events, and toe_tcp_deliver() reports it when the segment is done with.
 * So an event callback finds a consistent NCB and may call anything, close
 * included; and a burst of segments makes one ACK.
 *
 * Life of an NCB.  toe_ncb_new() takes a free one.  It is
 *
 *   owned      while the host side has the handle (TOE_F_OWNED): from connect
 *              or listen, or from the incoming() event, to close or abort;
 *   hashed     while segments may find it: until CLOSED;
 *   an orphan  when the host side let go and the protocol goes on.
 *
 * toe_tcp_close_ncb() ends the protocol: state CLOSED, out of the hash, timers
 * off, closed() for the owner, perhaps a RST for the next turn.
 * toe_tcp_reap() frees an NCB that is CLOSED, not owned, and has no RST to
 * send; nothing else frees one in use, except that the oldest TIME-WAIT is
 * sacrificed when the table is full.
 *
 * States change where RFC 9293 says: on CLOSE and SHUTDOWN here
 * (toe_tcp_queue_fin()), on SYN, ACK of FIN, and FIN in input.c, on time in
 * tcp_timer.c.
 *
 * Sending.  c->tx is one chain with the byte of sequence number snd_una at
 * its head; what was sent stays in it until acknowledged.  SYN and FIN occupy
 * sequence numbers but no bytes: data is sent only after the SYN was
 * acknowledged, and the FIN stands at snd_una + tx.len until it is.  snd_nxt
 * is what is sent next, snd_max the highest ever sent; they differ while data
 * is sent again after a time-out, and after a zero-window probe.  tx_pos
 * remembers the buflet at snd_nxt, so that building a segment does not walk
 * the chain.
 *
 * Receiving.  In-order bytes are copied once from the frame to c->rx, bytes
 * ahead to ranges (reass.c).  The window offered is the room in rcv_buf, less
 * when local memory gets short; rcv_adv is its right edge, which never moves
 * back, so whatever was promised and fits local memory is taken.  What does
 * not fit is dropped unacknowledged, and comes again.
 *
 * User networking.  With config.max_segment the backend takes IPv4 segments
 * of up to 64 KiB; the send MSS is then derived from it alone.  Everything,
 * the initial window included, counts in bytes of that MSS.
 *
 * Hostile peers.  Blind attacks: RFC 5961 (exact RST, challenge ACKs for SYN
 * and ACK, limited), RFC 6528 (ISN), RFC 6056 (ports), RFC 5927 (ICMP).
 * Floods: RFC 4987 (SYN queue, cookies), keyed hashes.  Memory: windows,
 * reass.c's bounds, compaction of small pieces here and there.  Time: no loop
 * is longer than what a segment holds, or a turn's budget.
 */
#include "nop/tcp/tcp.h"
#include "toe_trace.h"

/* ---- Life ---- */

ToeTcp *toe_tcp_new(ToeNop *n)
{
    ToeTcp *t = g_try_new0(ToeTcp, 1);

    if (!t) {
        return NULL;
    }
    t->nop = n;
    if (!toe_ncb_table_init(t, n->config.connections) ||
        !toe_reass_init(t, CLAMP(n->config.connections * 4, 256, 65536)) ||
        !toe_sack_init(t, n->config.connections,
                       CLAMP(n->config.connections * 4, 4096, 65536)) ||
        !toe_synq_init(t, n->config.connections)) {
        toe_synq_free(t);
        toe_ncb_table_free(t);
        toe_reass_free(t);
        toe_sack_free(t);
        g_free(t);
        return NULL;
    }
    return t;
}

/* Free what is in use, without a word to anybody. */
static void free_all(ToeTcp *t)
{
    for (uint32_t i = 0; i < t->size; i++) {
        t->ncbs[i].flags &= ~TOE_F_SEND_RST;
        toe_ncb_free(t, &t->ncbs[i]);
    }
}

void toe_tcp_free(ToeTcp *t)
{
    if (!t) {
        return;
    }
    free_all(t);
    toe_synq_free(t);
    toe_ncb_table_free(t);
    toe_reass_free(t);
    toe_sack_free(t);
    g_free(t);
}

void toe_tcp_reset(ToeTcp *t)
{
    free_all(t);
    toe_ncb_table_reset(t);
    toe_synq_reset(t);
    memset(&t->fastopen, 0, sizeof(t->fastopen));
    toe_reass_reset(t);
    toe_sack_reset(t);
    t->replies_head = t->replies_count = 0;
    t->challenge_time = 0;
}

/* ---- States and events ---- */

void toe_tcp_mark(ToeTcp *t, ToeNcb *c)
{
    uint32_t index = toe_ncb_index(t, c);

    if (c->flags & TOE_F_ON_OUT) {
        return;
    }
    c->flags |= TOE_F_ON_OUT;
    c->out_next = TOE_NONE;
    if (t->out_last == TOE_NONE) {
        t->out_first = index;
    } else {
        t->ncbs[t->out_last].out_next = index;
    }
    t->out_last = index;
}

void toe_tcp_set_state(ToeTcp *t, ToeNcb *c, uint8_t state)
{
    toe_trace_tcp_state(toe_ncb_handle(t, c), c->state, state);
    c->state = state;
}

static void orphan(ToeTcp *t, ToeNcb *c, bool is)
{
    if (is != !!(c->flags & TOE_F_ORPHAN)) {
        c->flags ^= TOE_F_ORPHAN;
        toe_count_add(t->nop->counters, TCP_ORPHANS, is ? 1 : -1);
    }
}

void toe_tcp_close_ncb(ToeTcp *t, ToeNcb *c, uint8_t status, bool rst)
{
    if (c->state == TOE_TCP_CLOSED) {
        return;
    }
    if (c->state == TOE_TCP_SYN_SENT || c->state == TOE_TCP_SYN_RECEIVED) {
        toe_count(t->nop->counters, TCP_ATTEMPT_FAILS);
    }
    if (c->state == TOE_TCP_TIME_WAIT) {
        /* closed() was reported when it entered TIME-WAIT. */
        toe_count_add(t->nop->counters, TCP_TIME_WAIT, -1);
    } else {
        t->conns--;
        c->closed_status = status;
        if (c->flags & TOE_F_OWNED) {
            c->events |= TOE_E_CLOSED;
        }
    }
    toe_tcp_set_state(t, c, TOE_TCP_CLOSED);
    toe_timer_all_off(t, c);
    toe_fastopen_done(t, c);
    toe_ncb_unhash(t, c);
    toe_ncb_tw_del(t, c);
    toe_ncb_drop_bytes(t, c, !(c->flags & TOE_F_OWNED));
    toe_info_chrono(c, toe_nop_now(t->nop));
    orphan(t, c, false);
    if (rst) {
        c->flags |= TOE_F_SEND_RST;
    }
    /* For the RST, or for events raised where none may be reported. */
    toe_tcp_mark(t, c);
}

void toe_tcp_time_wait(ToeTcp *t, ToeNcb *c)
{
    int64_t now = toe_nop_now(t->nop);

    toe_timer_all_off(t, c);
    toe_ncb_drop_bytes(t, c, !(c->flags & TOE_F_OWNED));
    orphan(t, c, false);
    t->conns--;
    toe_tcp_set_state(t, c, TOE_TCP_TIME_WAIT);
    toe_count_add(t->nop->counters, TCP_TIME_WAIT, 1);
    toe_timer_set(t, c, TOE_T_LIFE, now + t->nop->time_wait_ms * TOE_MS);
    if (c->flags & TOE_F_OWNED) {
        c->closed_status = TOE_ST_OK;
        c->events |= TOE_E_CLOSED;
    } else {
        toe_ncb_tw_add(t, c);
    }
}

void toe_tcp_queue_fin(ToeTcp *t, ToeNcb *c)
{
    if (c->flags & TOE_F_FIN_QUEUED) {
        return;
    }
    c->flags |= TOE_F_FIN_QUEUED;
    c->flags &= ~TOE_F_MORE;
    if (c->state == TOE_TCP_ESTABLISHED) {
        toe_tcp_set_state(t, c, TOE_TCP_FIN_WAIT_1);
    } else if (c->state == TOE_TCP_CLOSE_WAIT) {
        toe_tcp_set_state(t, c, TOE_TCP_LAST_ACK);
    }
    toe_tcp_mark(t, c);
}

void toe_tcp_reap(ToeTcp *t, ToeNcb *c)
{
    /*
     * The common case first.  kind and state would be read together with
     * events, which was just written: a load that waits for the store.
     */
    if (c->flags & (TOE_F_OWNED | TOE_F_SEND_RST)) {
        return;
    }
    if (c->kind == TOE_NCB_CONN && c->state == TOE_TCP_CLOSED) {
        toe_ncb_free(t, c);
    }
}

/* Take the event out of c, if it is there and somebody wants it. */
static bool next_event(ToeTcp *t, ToeNcb *c, uint32_t handle, uint8_t event)
{
    if (!(c->events & event) || toe_ncb_get(t, handle) != c) {
        return false;
    }
    c->events &= (uint8_t)~event;
    return true;
}

void toe_tcp_deliver(ToeTcp *t, ToeNcb *c)
{
    const ToeStreamOps *ops = t->nop->ops;
    void *opaque = t->nop->ops_opaque;
    uint32_t handle = toe_ncb_handle(t, c);

    if (c->kind == TOE_NCB_FREE) {
        return;
    }
    if (next_event(t, c, handle, TOE_E_ESTABLISHED)) {
        ops->established(opaque, handle);
    }
    if (next_event(t, c, handle, TOE_E_INCOMING)) {
        ops->incoming(opaque, c->listener, handle);
    }
    if (next_event(t, c, handle, TOE_E_URGENT) && ops->urgent) {
        ops->urgent(opaque, handle, toe_urgent_mark(c));
    }
    if (next_event(t, c, handle, TOE_E_READABLE)) {
        bool push = c->events & TOE_E_PUSH;

        c->events &= (uint8_t)~TOE_E_PUSH;
        ops->readable(opaque, handle, push);
    }
    if (next_event(t, c, handle, TOE_E_WRITABLE)) {
        ops->writable(opaque, handle);
    }
    if (next_event(t, c, handle, TOE_E_PEER_CLOSED)) {
        ops->peer_closed(opaque, handle);
    }
    if (next_event(t, c, handle, TOE_E_CLOSED)) {
        ops->closed(opaque, handle, c->closed_status);
    }
    if (toe_ncb_by_handle(t, handle) == c) {
        toe_tcp_reap(t, c);
    }
}

void toe_tcp_check_writable(ToeNcb *c)
{
    uint32_t space = c->tx.len < c->snd_buf ? c->snd_buf - c->tx.len : 0;

    if (!(c->flags & (TOE_F_SPACE_SHORT | TOE_F_SPACE_WANT)) ||
        !(c->flags & TOE_F_OWNED) || c->flags & TOE_F_FIN_QUEUED) {
        return;
    }
    if (toe_sockopt_notsent_full(c)) {
        return;
    }
    if ((c->flags & TOE_F_SPACE_SHORT && space >= c->snd_buf / 3) ||
        !c->tx.len) {
        c->flags &= ~TOE_F_SPACE_SHORT;
        if (!c->tx.len) {
            c->flags &= ~TOE_F_SPACE_WANT;
        }
        c->events |= TOE_E_WRITABLE;
    }
}

bool toe_tcp_run(ToeNop *n, uint32_t *budget)
{
    ToeTcp *t = n->tcp;

    toe_tcp_output_replies(t, budget);
    if (toe_synq_output(t, budget)) {
        return true;
    }
    while (t->out_first != TOE_NONE) {
        ToeNcb *c = &t->ncbs[t->out_first];

        if (n->port_busy) {
            return false;
        }
        if (!*budget || toe_loop_full(n)) {
            return true;
        }
        t->out_first = c->out_next;
        if (t->out_first == TOE_NONE) {
            t->out_last = TOE_NONE;
        } else {
            toe_ncb_prefetch(&t->ncbs[t->out_first]);
        }
        c->flags &= ~TOE_F_ON_OUT;
        if (c->kind == TOE_NCB_FREE) {
            continue;
        }
        if (c->events) {
            uint32_t handle = toe_ncb_handle(t, c);

            toe_tcp_deliver(t, c);
            if (toe_ncb_by_handle(t, handle) != c) {
                continue;
            }
        }
        if (toe_tcp_output(t, c, budget)) {
            toe_tcp_mark(t, c);
        }
    }
    return t->replies_count && !n->port_busy;
}

void toe_tcp_addr_gone(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    ToeTcp *t = n->tcp;

    toe_synq_addr_gone(t, family, addr);
    for (uint32_t i = 0; i < t->size; i++) {
        ToeNcb *c = &t->ncbs[i];

        if (c->kind == TOE_NCB_FREE || c->family != family ||
            memcmp(c->laddr, addr, 16)) {
            continue;
        }
        if (c->kind == TOE_NCB_LISTENER) {
            /* Nothing will come; the owner hears of it and lets go. */
            if (c->state == TOE_TCP_LISTEN) {
                toe_ncb_unhash(t, c);
                toe_tcp_set_state(t, c, TOE_TCP_CLOSED);
                c->closed_status = TOE_ST_ABORTED;
                c->events |= TOE_E_CLOSED;
                toe_tcp_mark(t, c);
            }
            continue;
        }
        /* A RST from an address that is not ours any more must not be. */
        toe_tcp_close_ncb(t, c, TOE_ST_ABORTED, false);
        toe_tcp_reap(t, c);
    }
}

/* ---- The host side's calls ---- */

static bool addr_is_zero(const uint8_t *addr)
{
    static const uint8_t zero[16];

    return !memcmp(addr, zero, 16);
}

static bool family_ok(uint8_t family)
{
    return family == TOE_AF_INET || family == TOE_AF_INET6;
}

/* Which connections in TIME-WAIT may a new one replace? */
typedef enum Reuse {
    REUSE_NONE,
    REUSE_TIMESTAMPS,           /* those with timestamps */
    REUSE_ANY,
} Reuse;

/*
 * Seen from us, who open the new one: our timestamp and our ISN are above the
 * old ones, so the peer takes the SYN even if it waits as well (RFC 6191); and
 * what comes late of the old one is dropped by PAWS, once the peer's clock
 * has moved on (RFC 7323 B.2).  Without timestamps it could be taken.
 */
static bool may_replace(ToeTcp *t, const ToeNcb *c, Reuse reuse)
{
    return c->flags & TOE_F_ON_TW &&
           (reuse == REUSE_ANY ||
            (reuse == REUSE_TIMESTAMPS && c->flags & TOE_F_TS &&
             toe_nop_now(t->nop) - c->ts_recent_time > TOE_SEC));
}

/* For toe_ports_pick(): is there room for this connection on the port? */
typedef struct PortQuery {
    ToeTcp *t;
    const ToeTuple *tuple;
    Reuse reuse;
} PortQuery;

static bool tuple_free(ToeTcp *t, const ToeTuple *q, uint16_t lport,
                       Reuse reuse)
{
    ToeNcb *c;

    if (toe_ncb_listener_conflict(t, q->family, q->laddr, lport)) {
        return false;
    }
    c = toe_ncb_lookup(t, q->family, q->laddr, lport, q->raddr, q->rport);
    return !c || may_replace(t, c, reuse);
}

static bool connect_port_usable(void *opaque, uint16_t port)
{
    PortQuery *q = opaque;

    return tuple_free(q->t, q->tuple, port, q->reuse);
}

static bool listen_port_usable(void *opaque, uint16_t port)
{
    PortQuery *q = opaque;

    return !toe_ports_refs(&q->t->nop->tcp_ports, port);
}

/*
 * Where the search for a local port begins: RFC 6056 section 3.3.3.  Nobody
 * who lacks the key can tell a connection's port from another peer's, yet a
 * port comes up again for the same peer only when the whole range was used,
 * by when the peer has forgotten its old connection.  Purely random ports
 * repeat early, and libslirp refuses a SYN that meets its own TIME-WAIT.
 */
static uint64_t first_port(ToeTcp *t, const ToeTuple *q)
{
    struct {
        uint8_t laddr[16], raddr[16];
        uint16_t rport;
    } in;

    memset(&in, 0, sizeof(in));
    memcpy(in.laddr, q->laddr, 16);
    memcpy(in.raddr, q->raddr, 16);
    in.rport = q->rport;
    return (uint32_t)(toe_siphash(&t->port_key, &in, sizeof(in)) +
                      t->port_counter++);
}

uint8_t toe_stream_connect(ToeNop *n, ToeTuple *tuple, uint32_t *handle)
{
    ToeTcp *t = n->tcp;
    ToeTuple q = *tuple;
    PortQuery query = { .t = t, .tuple = &q };
    ToeNcb *c, *old;
    uint32_t mtu, old_end = 0;
    uint8_t st;

    if (!family_ok(q.family) || !q.rport || addr_is_zero(q.raddr)) {
        return TOE_ST_INVALID;
    }
    st = toe_ip_route(n, q.family, q.raddr, q.laddr, &mtu);
    if (st != TOE_ST_OK) {
        return st;
    }
    if (toe_ip_is_local(n, q.family, q.raddr) &&
        !toe_ncb_lookup_listener(t, q.family, q.raddr, q.rport)) {
        return TOE_ST_NOROUTE;          /* perhaps the OS listens: loop.c */
    }
    c = toe_ncb_new(t, TOE_NCB_CONN);
    if (!c) {
        return TOE_ST_NOMEM;
    }
    if (q.lport) {
        if (!tuple_free(t, &q, q.lport, REUSE_TIMESTAMPS)) {
            toe_ncb_free(t, c);
            return TOE_ST_ADDRINUSE;
        }
        toe_ports_reserve(&n->tcp_ports, q.lport);
    } else {
        q.lport = toe_ports_pick(&n->tcp_ports, n->port_lo, n->port_hi,
                                 first_port(t, &q), connect_port_usable,
                                 &query);
        /*
         * All in use.  Better one in TIME-WAIT than none: best where
         * timestamps tell the two apart, else by our ISN alone.
         */
        while (!q.lport && query.reuse < REUSE_ANY) {
            query.reuse++;
            q.lport = toe_ports_pick(&n->tcp_ports, n->port_lo, n->port_hi,
                                     first_port(t, &q), connect_port_usable,
                                     &query);
        }
        if (!q.lport) {
            toe_ncb_free(t, c);
            return TOE_ST_ADDRNOTAVAIL;
        }
    }
    old = toe_ncb_lookup(t, q.family, q.laddr, q.lport, q.raddr, q.rport);
    if (old) {
        old_end = old->snd_max;
        toe_count(n->counters, TCP_TIME_WAIT_REUSED);
        toe_ncb_free(t, old);
    }
    c->flags |= TOE_F_PORT | TOE_F_OWNED | TOE_F_ACTIVE | TOE_F_SEND_SYN;
    c->family = q.family;
    memcpy(c->laddr, q.laddr, 16);
    memcpy(c->raddr, q.raddr, 16);
    c->lport = q.lport;
    c->rport = q.rport;
    c->mtu = mtu;
    c->iss = toe_tcp_isn(t, c);
    if (old && seq_leq(c->iss, old_end)) {
        c->iss = old_end + TOE_ISN_STEP;
    }
    c->ts_offset = toe_tcp_ts_offset(t, c);
    c->snd_una = c->snd_nxt = c->snd_max = c->iss;
    c->last_rcv = toe_nop_now(n);
    t->conns++;
    toe_ncb_hash(t, c);
    toe_tcp_set_state(t, c, TOE_TCP_SYN_SENT);
    toe_tcp_mark(t, c);
    toe_count(n->counters, TCP_ACTIVE_OPENS);
    *tuple = q;
    *handle = toe_ncb_handle(t, c);
    return TOE_ST_OK;
}

uint8_t toe_stream_connect_fast(ToeNop *n, ToeTuple *tuple, uint32_t *handle)
{
    uint8_t st = toe_stream_connect(n, tuple, handle);

    if (st == TOE_ST_OK) {
        toe_fastopen_connect(n->tcp, toe_ncb_get(n->tcp, *handle));
    }
    return st;
}

uint8_t toe_stream_listen(ToeNop *n, ToeTuple *tuple, uint32_t backlog,
                          uint32_t *handle)
{
    ToeTcp *t = n->tcp;
    PortQuery query = { .t = t, .tuple = tuple };
    ToeNcb *c;

    if (!family_ok(tuple->family)) {
        return TOE_ST_INVALID;
    }
    if (!addr_is_zero(tuple->laddr) &&
        !toe_ip_is_local(n, tuple->family, tuple->laddr)) {
        return TOE_ST_ADDRNOTAVAIL;
    }
    if (tuple->lport && toe_ncb_listener_conflict(t, tuple->family,
                                                  tuple->laddr,
                                                  tuple->lport)) {
        return TOE_ST_ADDRINUSE;
    }
    c = toe_ncb_new(t, TOE_NCB_LISTENER);
    if (!c) {
        return TOE_ST_NOMEM;
    }
    if (tuple->lport) {
        toe_ports_reserve(&n->tcp_ports, tuple->lport);
    } else {
        tuple->lport = toe_ports_pick(&n->tcp_ports, n->port_lo, n->port_hi,
                                      toe_nop_random(n), listen_port_usable,
                                      &query);
        if (!tuple->lport) {
            toe_ncb_free(t, c);
            return TOE_ST_ADDRNOTAVAIL;
        }
    }
    c->flags |= TOE_F_PORT | TOE_F_OWNED;
    c->family = tuple->family;
    memcpy(c->laddr, tuple->laddr, 16);
    c->lport = tuple->lport;
    c->backlog = MIN(backlog, TOE_BACKLOG_MAX);
    toe_ncb_hash(t, c);
    toe_tcp_set_state(t, c, TOE_TCP_LISTEN);
    *handle = toe_ncb_handle(t, c);
    return TOE_ST_OK;
}

void toe_stream_accepted(ToeNop *n, uint32_t handle)
{
    ToeNcb *c = toe_ncb_get(n->tcp, handle);

    if (c) {
        toe_ncb_backlog_del(n->tcp, c);
    }
}

uint8_t toe_stream_tuple(ToeNop *n, uint32_t handle, ToeTuple *tuple,
                         uint16_t *mss)
{
    ToeNcb *c = toe_ncb_get(n->tcp, handle);

    if (!c) {
        return TOE_ST_HANDLE;
    }
    memset(tuple, 0, sizeof(*tuple));
    tuple->family = c->family;
    tuple->lport = c->lport;
    tuple->rport = c->rport;
    memcpy(tuple->laddr, c->laddr, 16);
    memcpy(tuple->raddr, c->raddr, 16);
    if (mss) {
        *mss = c->mss;
    }
    return TOE_ST_OK;
}

uint32_t toe_stream_send_space(ToeNop *n, uint32_t handle)
{
    ToeNcb *c = toe_ncb_get(n->tcp, handle);
    uint32_t space;

    if (!c || c->kind != TOE_NCB_CONN || c->flags & TOE_F_FIN_QUEUED) {
        return 0;
    }
    if (c->state != TOE_TCP_ESTABLISHED && c->state != TOE_TCP_CLOSE_WAIT &&
        !toe_fastopen_early(c)) {
        return 0;
    }
    space = c->tx.len < c->snd_buf ? c->snd_buf - c->tx.len : 0;
    if (c->notsent_lowat &&
        c->tx.len - MIN(c->snd_nxt - c->snd_una, c->tx.len) >=
        c->notsent_lowat) {
        space = 0;
    }
    /* The caller may want more than this: remember to tell. */
    if (space < c->snd_buf / 3) {
        c->flags |= TOE_F_SPACE_SHORT;
    }
    if (space < c->snd_buf) {
        c->flags |= TOE_F_SPACE_WANT;
    }
    return space;
}

/* Fast Open: the SYN waited for something to send. */
static void syn_due(ToeNcb *c)
{
    if (toe_fastopen_early(c) && c->snd_max == c->iss) {
        c->flags |= TOE_F_SEND_SYN;
    }
}

void toe_stream_send(ToeNop *n, uint32_t handle, ToeChain *data, bool more)
{
    ToeTcp *t = n->tcp;
    ToeNcb *c = toe_ncb_get(t, handle);
    uint32_t got = 0;
    uint8_t *p;

    if (!c || toe_stream_send_space(n, handle) < data->len) {
        /* Against the rules of stream.h: nowhere to put it. */
        toe_chain_clear(n->lm, data);
        return;
    }
    if (data->len <= TOE_BUFLET_SIZE / 2 && c->tx.len) {
        /*
         * Small pieces would cost a buflet each; pack them.  If memory is
         * short the rest goes as it is.
         */
        while (data->len && (p = toe_chain_span(n->lm, data, 0, &got, NULL)) &&
               toe_chain_append(n->lm, &c->tx, p, got, TOE_LMEM_OUT)) {
            toe_chain_trim_head(n->lm, data, got);
        }
    }
    toe_chain_concat(n->lm, &c->tx, data);
    *data = toe_chain_init();
    if (more) {
        c->flags |= TOE_F_MORE;
    } else {
        c->flags &= ~TOE_F_MORE;
    }
    if (c->snd_buf - MIN(c->tx.len, c->snd_buf) < c->snd_buf / 3) {
        c->flags |= TOE_F_SPACE_SHORT;
    }
    syn_due(c);
    toe_tcp_mark(t, c);
}

const ToeChain *toe_stream_rx(ToeNop *n, uint32_t handle)
{
    static const ToeChain empty = { TOE_BUFLET_NONE, TOE_BUFLET_NONE, 0 };
    ToeNcb *c = toe_ncb_get(n->tcp, handle);

    return c ? &c->rx : &empty;
}

void toe_stream_rx_consumed(ToeNop *n, uint32_t handle, uint32_t len)
{
    ToeTcp *t = n->tcp;
    ToeNcb *c = toe_ncb_get(t, handle);

    if (!c || !len) {
        return;
    }
    toe_chain_trim_head(n->lm, &c->rx, MIN(len, c->rx.len));
    toe_autotune_read(t, c, toe_nop_now(n));
    toe_urgent_read(c);
    if (toe_tcp_window_update_due(t, c)) {
        c->flags |= TOE_F_ACK_NOW;
        toe_tcp_mark(t, c);
    }
}

uint8_t toe_stream_shutdown(ToeNop *n, uint32_t handle)
{
    ToeNcb *c = toe_ncb_get(n->tcp, handle);

    if (!c) {
        return TOE_ST_HANDLE;
    }
    if (c->flags & TOE_F_FIN_QUEUED || c->kind != TOE_NCB_CONN ||
        (c->state != TOE_TCP_ESTABLISHED && c->state != TOE_TCP_CLOSE_WAIT &&
         !toe_fastopen_early(c))) {
        return TOE_ST_STATE;
    }
    syn_due(c);
    toe_tcp_queue_fin(n->tcp, c);
    return TOE_ST_OK;
}

/* Take the handle from the host side. */
static void disown(ToeTcp *t, ToeNcb *c)
{
    c->flags &= ~TOE_F_OWNED;
    c->events = 0;
    toe_ncb_backlog_del(t, c);
}

static void close_listener(ToeTcp *t, ToeNcb *c)
{
    toe_synq_drop_listener(t, c);
    disown(t, c);
    toe_ncb_free(t, c);
}

void toe_stream_close(ToeNop *n, uint32_t handle)
{
    ToeTcp *t = n->tcp;
    ToeNcb *c = toe_ncb_get(t, handle);
    bool unread;

    if (!c) {
        return;
    }
    toe_trace_tcp_close(handle, c->state, c->rx.len, c->tx.len);
    if (c->kind == TOE_NCB_LISTENER) {
        close_listener(t, c);
        return;
    }
    if (c->so & TOE_SO_LINGER && !c->linger_ms &&
        c->state != TOE_TCP_TIME_WAIT) {
        toe_stream_abort(n, handle);            /* as SO_LINGER with 0 */
        return;
    }
    unread = c->rx.len || c->reass != TOE_NONE;
    disown(t, c);
    toe_chain_clear(n->lm, &c->rx);
    switch (c->state) {
    case TOE_TCP_CLOSED:
        break;
    case TOE_TCP_SYN_SENT:
        if (toe_fastopen_early(c) && c->tx.len) {
            /* Taken already, and so to be delivered. */
            orphan(t, c, true);
            toe_tcp_queue_fin(t, c);
            toe_timer_orphan(t, c, toe_nop_now(n));
            break;
        }
        toe_tcp_close_ncb(t, c, TOE_ST_ABORTED, false);
        break;
    case TOE_TCP_TIME_WAIT:
        toe_ncb_tw_add(t, c);
        break;
    default:
        if (unread) {
            /* RFC 9293 3.6.1: the peer must know that this was lost. */
            toe_tcp_close_ncb(t, c, TOE_ST_ABORTED, true);
            break;
        }
        orphan(t, c, true);
        toe_tcp_queue_fin(t, c);
        toe_timer_orphan(t, c, toe_nop_now(n));
        break;
    }
    toe_tcp_reap(t, c);
}

void toe_stream_abort(ToeNop *n, uint32_t handle)
{
    ToeTcp *t = n->tcp;
    ToeNcb *c = toe_ncb_get(t, handle);
    bool rst;

    if (!c) {
        return;
    }
    if (c->kind == TOE_NCB_LISTENER) {
        close_listener(t, c);
        return;
    }
    disown(t, c);
    /* RFC 9293 3.10.5; where both FINs were exchanged a RST has no use. */
    rst = c->state == TOE_TCP_SYN_RECEIVED ||
          c->state == TOE_TCP_ESTABLISHED || c->state == TOE_TCP_FIN_WAIT_1 ||
          c->state == TOE_TCP_FIN_WAIT_2 || c->state == TOE_TCP_CLOSE_WAIT ||
          ((c->state == TOE_TCP_CLOSING || c->state == TOE_TCP_LAST_ACK) &&
           c->tx.len);
    if (c->state == TOE_TCP_CLOSED) {
        toe_chain_clear(n->lm, &c->rx);
    }
    toe_tcp_close_ncb(t, c, TOE_ST_ABORTED, rst);
    toe_tcp_reap(t, c);
}

uint8_t toe_stream_setopt(ToeNop *n, uint32_t handle, uint32_t option,
                          uint64_t value)
{
    ToeTcp *t = n->tcp;
    ToeNcb *c = toe_ncb_get(t, handle);

    if (!c) {
        return TOE_ST_HANDLE;
    }
    switch (option) {
    case TOE_OPT_NODELAY:
        if (value > 1) {
            return TOE_ST_INVALID;
        }
        if (value) {
            c->flags |= TOE_F_NODELAY;
            if (c->so & TOE_SO_CORK) {
                c->flags |= TOE_F_OVERRIDE;     /* once, as Linux does */
            }
            if (c->tx.len) {
                toe_tcp_mark(t, c);
            }
        } else {
            c->flags &= ~TOE_F_NODELAY;
        }
        return TOE_ST_OK;
    case TOE_OPT_RCVBUF:
        c->so |= TOE_SO_RCVBUF;
        c->rcv_buf = (uint32_t)CLAMP(value, TOE_BUF_MIN, TOE_BUF_MAX);
        if (toe_tcp_window_update_due(t, c)) {
            c->flags |= TOE_F_ACK_NOW;
            toe_tcp_mark(t, c);
        }
        return TOE_ST_OK;
    case TOE_OPT_SNDBUF:
        c->so |= TOE_SO_SNDBUF;
        c->snd_buf = (uint32_t)CLAMP(value, TOE_BUF_MIN, TOE_BUF_MAX);
        toe_tcp_check_writable(c);
        if (c->events) {
            toe_tcp_mark(t, c);
        }
        return TOE_ST_OK;
    case TOE_OPT_KEEPALIVE:
        if (value > 32767) {
            return TOE_ST_INVALID;
        }
        c->keepalive_s = (uint32_t)value;
        if (c->kind == TOE_NCB_CONN) {
            toe_timer_restart_keep(t, c, toe_nop_now(n));
        }
        return TOE_ST_OK;
    case TOE_OPT_USER_TIMEOUT:
        if (value > INT32_MAX) {
            return TOE_ST_INVALID;
        }
        c->user_timeout_ms = (uint32_t)value;
        if (c->so & TOE_SO_UTO_SEND && toe_ncb_synchronized(c)) {
            c->so |= TOE_SO_UTO_DUE;            /* RFC 5482 3.1: it changed */
            c->flags |= TOE_F_ACK_NOW;
            toe_tcp_mark(t, c);
        }
        return TOE_ST_OK;
    case TOE_OPT_CONGESTION:
        if (!toe_cc_exists(value)) {
            return TOE_ST_INVALID;
        }
        if (c->cc != value) {
            c->cc = (uint8_t)value;
            c->cc_acked = 0;
            toe_cc_ops(c)->init(c);
        }
        return TOE_ST_OK;
    case TOE_OPT_ECN:
        if (value > TOE_ECN_MODE_MAX) {
            return TOE_ST_INVALID;
        }
        c->ecn = (uint8_t)value;
        return TOE_ST_OK;
    case TOE_OPT_PACING_RATE:
        /* Less, and a segment would take longer than any timer waits. */
        c->pacing_max = value ? MAX(value, TOE_PACING_MIN) : 0;
        c->pace_time = MIN(c->pace_time, toe_nop_now(n));
        if (c->tx.len) {
            toe_tcp_mark(t, c);
        }
        return TOE_ST_OK;
    case TOE_OPT_MTU_DISCOVER:
        return toe_plpmtud_setopt(t, c, value);
    default:
        return toe_sockopt_set(t, c, option, value);
    }
}

uint8_t toe_stream_getopt(ToeNop *n, uint32_t handle, uint32_t option,
                          uint64_t *value)
{
    ToeNcb *c = toe_ncb_get(n->tcp, handle);

    if (!c) {
        return TOE_ST_HANDLE;
    }
    switch (option) {
    case TOE_OPT_NODELAY:
        *value = !!(c->flags & TOE_F_NODELAY);
        return TOE_ST_OK;
    case TOE_OPT_RCVBUF:
        *value = c->rcv_buf;
        return TOE_ST_OK;
    case TOE_OPT_SNDBUF:
        *value = c->snd_buf;
        return TOE_ST_OK;
    case TOE_OPT_KEEPALIVE:
        *value = c->keepalive_s;
        return TOE_ST_OK;
    case TOE_OPT_USER_TIMEOUT:
        *value = c->user_timeout_ms;
        return TOE_ST_OK;
    case TOE_OPT_CONGESTION:
        *value = c->cc;
        return TOE_ST_OK;
    case TOE_OPT_MTU_DISCOVER:
        *value = c->pmtud;
        return TOE_ST_OK;
    case TOE_OPT_PATH_MTU:
        *value = c->mtu;
        return TOE_ST_OK;
    case TOE_OPT_ECN:
        *value = c->ecn;
        return TOE_ST_OK;
    case TOE_OPT_ECN_AGREED:
        *value = !!(c->flags2 & TOE_F2_ECN);
        return TOE_ST_OK;
    case TOE_OPT_PACING_RATE:
        *value = c->pacing_max;
        return TOE_ST_OK;
    default:
        return toe_sockopt_get(n->tcp, c, option, value);
    }
}

bool toe_stream_info(ToeNop *n, uint32_t *index,
                     struct toe_hw_conn_info *info)
{
    ToeTcp *t = n->tcp;
    ToeNcb *c;

    while (*index < t->size && t->ncbs[*index].kind == TOE_NCB_FREE) {
        (*index)++;
    }
    if (*index >= t->size) {
        return false;
    }
    c = &t->ncbs[(*index)++];
    memset(info, 0, sizeof(*info));
    info->handle = toe_ncb_handle(t, c);
    info->family = c->family;
    info->state = c->flags2 & TOE_F2_FO_WAIT ? TOE_TCP_SYN_RECEIVED : c->state;
    info->lport = c->lport;
    info->rport = c->rport;
    memcpy(info->laddr, c->laddr, 16);
    memcpy(info->raddr, c->raddr, 16);
    if (c->kind == TOE_NCB_LISTENER) {
        info->rxq = c->pending;
        info->txq = c->backlog;
        return true;
    }
    info->mss = c->mss;
    info->rxq = c->rx.len;
    info->txq = c->tx.len;
    info->cwnd = c->cwnd;
    info->ssthresh = c->ssthresh;
    info->srtt_us = c->srtt_us;
    info->rto_us = (uint32_t)(toe_rto(c) / 1000);
    info->retransmits = c->retransmits;
    info->bytes_in = c->bytes_in;
    info->bytes_out = c->bytes_out;
    info->snd_wnd = c->snd_wnd;
    info->rcv_wnd = toe_ncb_synchronized(c) ? c->rcv_adv - c->rcv_nxt : 0;
    return true;
}
