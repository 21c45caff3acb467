/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * synq.c - the SYN queue: connections between SYN and the ACK that ends the
 * handshake.
 *
 * Whoever can send a SYN, from an address of his own or not, makes one of
 * these, so it has to be cheap and limited (RFC 4987).  It is a record of a
 * table of its own, the SYN written down, a quarter of an NCB and without
 * timers, buflets or a handle; the connection is made when the ACK proves that
 * the peer gets what is sent to its address.  When the queue is full, the
 * record goes to the peer instead of the table: cookie.c.
 *
 * Two queues, each with its limit, as users know them from Linux
 *  SYN queue     of each listener: as many as its backlog, plus one, and at
 *                least TOE_SYNQ_LEAST; never above TOE_PARAM_SYN_BACKLOG.  In
 *                all: the table.  A SYN above that gets a cookie, or is
 *                dropped if cookies are off.
 *  accept queue  established, reported, and not taken by ACCEPT: as many as the
 *                backlog, plus one.  While it is full, SYNs are dropped and
 *                the final ACK of a handshake is ignored; the SYN-ACK is then
 *                sent again by the timer, and its ACK tries once more.
 *
 * Time.  A SYN-ACK is repeated after 1, 2, 4 ... s, TOE_PARAM_SYNACK_RETRIES
 * times; then the peer is forgotten without a word.  Requests with as many
 * time-outs behind them wait equally long, so each number has a list in which
 * the first is always the next one due, and one timer serves all.
 *
 * DEFER_ACCEPT.  The last ACK is ignored as long as it has no data with it,
 * and no SYN-ACK is sent again, until the time of the option is over; then the
 * SYN-ACK is, and the ACK that it brings is taken as it is, so that a peer
 * that waits for us to speak first is reported late, but is (as in Linux).
 *
 * Sending.  A request sends by being spread out into an NCB that is in no
 * table (toe_ncb_scratch()), as it would be if it were a connection, so that
 * output.c makes the SYN-ACK, and what a connection agrees on is decided in
 * one place, toe_tcp_child().
 *
 * Segments for a request are checked as in RFC 9293 3.10.7.4, SYN-RECEIVED,
 * with RFC 5961.  One that passes makes the connection, and is then given to
 * it like any other.
 */
#include "nop/tcp/tcp.h"
#include "toe_trace.h"

#define PER_CALL 1024u          /* time-outs handled at a time */

/* ---- Table ---- */

bool toe_synq_init(ToeTcp *t, uint32_t conns)
{
    ToeSynq *q = &t->synq;
    uint32_t buckets = 16;

    q->size = CLAMP(conns, TOE_SYNQ_SIZE_MIN, TOE_SYNQ_SIZE_MAX);
    while (buckets < q->size) {
        buckets *= 2;
    }
    q->hash_mask = buckets - 1;
    q->reqs = g_try_new0(ToeSynReq, q->size);
    q->hash = g_try_new(uint32_t, buckets);
    if (!q->reqs || !q->hash) {
        return false;
    }
    toe_synq_reset(t);
    return true;
}

void toe_synq_reset(ToeTcp *t)
{
    ToeSynq *q = &t->synq;

    memset(q->hash, 0xff, (q->hash_mask + 1) * sizeof(*q->hash));
    q->free_first = TOE_NONE;
    for (uint32_t i = q->size; i-- > 0;) {
        q->reqs[i].state = TOE_REQ_FREE;
        q->reqs[i].hash_next = q->free_first;
        q->free_first = i;
    }
    q->out_first = q->out_last = TOE_NONE;
    for (unsigned k = 0; k <= TOE_SYNACK_RETRIES_MAX; k++) {
        q->due_first[k] = q->due_last[k] = TOE_NONE;
    }
    q->armed = INT64_MAX;
    toe_count_add(t->nop->counters, TCP_SYN_QUEUE, -(int64_t)q->count);
    q->count = 0;
    q->cookies_head = q->cookies_count = 0;
    q->cookie_key.k[0] = toe_nop_random(t->nop);
    q->cookie_key.k[1] = toe_nop_random(t->nop);
}

void toe_synq_free(ToeTcp *t)
{
    g_free(t->synq.reqs);
    g_free(t->synq.hash);
}

static uint32_t index_of(const ToeSynq *q, const ToeSynReq *r)
{
    return (uint32_t)(r - q->reqs);
}

static uint32_t *bucket_of(ToeTcp *t, const ToeSyn *s)
{
    return &t->synq.hash[toe_ncb_tuple_hash(t, s->family, s->laddr, s->lport,
                                            s->raddr, s->rport) &
                         t->synq.hash_mask];
}

ToeSynReq *toe_synq_lookup(ToeTcp *t, uint8_t family, const uint8_t *laddr,
                           uint16_t lport, const uint8_t *raddr,
                           uint16_t rport)
{
    ToeSynq *q = &t->synq;
    uint32_t i;

    if (!q->count) {
        return NULL;
    }
    i = q->hash[toe_ncb_tuple_hash(t, family, laddr, lport, raddr, rport) &
                q->hash_mask];
    while (i != TOE_NONE) {
        ToeSynReq *r = &q->reqs[i];
        const ToeSyn *s = &r->syn;

        if (s->lport == lport && s->rport == rport && s->family == family &&
            !memcmp(s->raddr, raddr, 16) && !memcmp(s->laddr, laddr, 16)) {
            return r;
        }
        i = r->hash_next;
    }
    return NULL;
}

/* ---- Time ---- */

static void arm(ToeTcp *t, int64_t deadline)
{
    ToeSynq *q = &t->synq;

    if (deadline < q->armed) {
        q->armed = deadline;
        toe_timers_set(&t->nop->timers,
                       t->nop->config.connections + TOE_TIMER_SYNQ, deadline);
    }
}

static void due_add(ToeTcp *t, ToeSynReq *r, int64_t now)
{
    ToeSynq *q = &t->synq;
    unsigned k = r->timeouts;
    uint32_t i = index_of(q, r);

    /* The same for all of a list, so that it stays in order. */
    r->deadline = now + MIN(TOE_RTO_INIT_NS << k, TOE_RTO_MAX_NS);
    r->due_prev = q->due_last[k];
    r->due_next = TOE_NONE;
    if (q->due_last[k] == TOE_NONE) {
        q->due_first[k] = i;
    } else {
        q->reqs[q->due_last[k]].due_next = i;
    }
    q->due_last[k] = i;
    arm(t, r->deadline);
}

static void due_del(ToeSynq *q, ToeSynReq *r)
{
    unsigned k = r->timeouts;

    if (r->due_prev == TOE_NONE) {
        q->due_first[k] = r->due_next;
    } else {
        q->reqs[r->due_prev].due_next = r->due_next;
    }
    if (r->due_next == TOE_NONE) {
        q->due_last[k] = r->due_prev;
    } else {
        q->reqs[r->due_next].due_prev = r->due_prev;
    }
}

/* ---- Life ---- */

static void mark(ToeTcp *t, ToeSynReq *r)
{
    ToeSynq *q = &t->synq;
    uint32_t i = index_of(q, r);

    if (r->on_out) {
        return;
    }
    r->on_out = true;
    r->out_next = TOE_NONE;
    if (q->out_last == TOE_NONE) {
        q->out_first = i;
    } else {
        q->reqs[q->out_last].out_next = i;
    }
    q->out_last = i;
}

static void put_free(ToeSynq *q, ToeSynReq *r)
{
    r->state = TOE_REQ_FREE;
    r->hash_next = q->free_first;
    q->free_first = index_of(q, r);
}

void toe_synq_drop(ToeTcp *t, ToeSynReq *r, bool rst)
{
    ToeSynq *q = &t->synq;
    ToeNcb *listener = toe_ncb_by_handle(t, r->syn.listener);
    uint32_t *link = bucket_of(t, &r->syn), i = index_of(q, r);

    while (*link != i) {
        link = &q->reqs[*link].hash_next;
    }
    *link = r->hash_next;
    due_del(q, r);
    if (r->of_prev != TOE_NONE) {
        q->reqs[r->of_prev].of_next = r->of_next;
    } else if (listener) {
        listener->requests = r->of_next;
    }
    if (r->of_next != TOE_NONE) {
        q->reqs[r->of_next].of_prev = r->of_prev;
    }
    if (listener) {
        listener->nrequests--;
    }
    q->count--;
    toe_count_add(t->nop->counters, TCP_SYN_QUEUE, -1);
    r->synack = r->ack = false;
    if (rst) {
        r->state = TOE_REQ_RST;
        mark(t, r);
    } else if (r->on_out) {
        r->state = TOE_REQ_GONE;
    } else {
        put_free(q, r);
    }
}

void toe_synq_drop_listener(ToeTcp *t, ToeNcb *listener)
{
    while (listener->requests != TOE_NONE) {
        toe_count(t->nop->counters, TCP_ATTEMPT_FAILS);
        toe_synq_drop(t, &t->synq.reqs[listener->requests], true);
    }
}

void toe_synq_addr_gone(ToeTcp *t, uint8_t family, const uint8_t *addr)
{
    ToeSynq *q = &t->synq;

    for (uint32_t i = 0; q->count && i < q->size; i++) {
        ToeSynReq *r = &q->reqs[i];

        if (r->syn.family != family || memcmp(r->syn.laddr, addr, 16)) {
            continue;
        }
        if (r->state == TOE_REQ_OPEN) {
            toe_count(t->nop->counters, TCP_ATTEMPT_FAILS);
            toe_synq_drop(t, r, false);
        } else if (r->state == TOE_REQ_RST) {
            r->state = TOE_REQ_GONE;            /* not from there any more */
        }
    }
}

/* ---- SYNs ---- */

/* Half-open connections that this listener may have. */
static uint32_t limit(const ToeTcp *t, const ToeNcb *listener)
{
    return MIN(MAX(listener->backlog + 1, TOE_SYNQ_LEAST),
               t->nop->syn_backlog);
}

static void write_down(ToeTcp *t, ToeSyn *s, const ToeNcb *listener,
                       const ToeIpPacket *p, const ToeSeg *seg)
{
    const ToeTcpOptions *o = &seg->opt;

    memset(s, 0, sizeof(*s));
    memcpy(s->laddr, p->dst, 16);
    memcpy(s->raddr, p->src, 16);
    s->lport = seg->dport;
    s->rport = seg->sport;
    s->family = p->family;
    s->flags = seg->flags;
    s->seq = seg->seq;
    s->wnd = seg->wnd;
    s->listener = toe_ncb_handle(t, listener);
    if (o->have_mss) {
        s->options |= TOE_SYN_MSS;
        s->mss = o->mss;
    }
    if (o->have_wscale) {
        s->options |= TOE_SYN_WSCALE;
        s->wscale = o->wscale;
    }
    if (o->have_ts) {
        s->options |= TOE_SYN_TS;
        s->ts_val = o->ts_val;
    }
    if (o->sack_permitted) {
        s->options |= TOE_SYN_SACK;
    }
}

void toe_syn_segment(const ToeSyn *s, ToeSeg *seg)
{
    memset(seg, 0, sizeof(*seg));
    seg->sport = s->rport;
    seg->dport = s->lport;
    seg->seq = s->seq;
    seg->wnd = s->wnd;
    seg->flags = (uint8_t)s->flags;
    seg->opt.have_mss = s->options & TOE_SYN_MSS;
    seg->opt.mss = s->mss;
    seg->opt.have_wscale = s->options & TOE_SYN_WSCALE;
    seg->opt.wscale = s->wscale;
    seg->opt.have_ts = s->options & TOE_SYN_TS;
    seg->opt.ts_val = s->ts_val;
    seg->opt.sack_permitted = s->options & TOE_SYN_SACK;
}

static uint32_t isn(ToeTcp *t, const ToeSyn *s, const uint32_t *above)
{
    uint32_t iss = toe_tcp_isn_of(t, s);

    if (above && seq_leq(iss, *above)) {
        /* Nothing of the connection before may fit (RFC 9293 3.4.1). */
        iss = *above + TOE_ISN_STEP;
    }
    return iss;
}

static void refuse(ToeTcp *t, const ToeNcb *listener)
{
    toe_count(t->nop->counters, TCP_LISTEN_DROPS);
    toe_trace_tcp_listen_drop(toe_ncb_handle(t, listener), listener->pending);
}

void toe_synq_syn(ToeTcp *t, ToeNcb *listener, const ToeIpPacket *p,
                  const ToeSeg *seg, const uint32_t *above)
{
    ToeNop *n = t->nop;
    ToeSynq *q = &t->synq;
    int64_t now = toe_nop_now(n);
    uint8_t laddr[16];
    bool full = q->free_first == TOE_NONE ||
                listener->nrequests >= limit(t, listener);
    ToeSynReq *r;
    ToeSyn s;

    memcpy(laddr, p->dst, 16);
    if (toe_ncb_accept_full(listener) ||
        toe_ip_route(n, p->family, p->src, laddr, NULL) != TOE_ST_OK) {
        refuse(t, listener);
        return;
    }
    write_down(t, &s, listener, p, seg);
    if (toe_fastopen_syn(t, listener, &s, &seg->opt, now)) {
        s.iss = isn(t, &s, above);
        if (toe_fastopen_accept(t, listener, &s, seg)) {
            return;
        }
    }
    if (n->syn_cookies == TOE_SYN_COOKIES_ALWAYS ||
        (full && n->syn_cookies == TOE_SYN_COOKIES_FULL)) {
        if (!toe_cookie_syn(t, listener, &s, now)) {
            refuse(t, listener);
        }
        return;
    }
    if (full) {
        refuse(t, listener);
        return;
    }
    r = &q->reqs[q->free_first];
    q->free_first = r->hash_next;
    memset(r, 0, sizeof(*r));
    r->syn = s;
    r->syn.iss = isn(t, &s, above);
    r->state = TOE_REQ_OPEN;
    r->hash_next = *bucket_of(t, &s);
    *bucket_of(t, &s) = index_of(q, r);
    r->of_prev = TOE_NONE;
    r->of_next = listener->requests;
    if (listener->requests != TOE_NONE) {
        q->reqs[listener->requests].of_prev = index_of(q, r);
    }
    listener->requests = index_of(q, r);
    listener->nrequests++;
    q->count++;
    toe_count_add(n->counters, TCP_SYN_QUEUE, 1);
    due_add(t, r, now);
    r->synack = true;
    mark(t, r);
}

/* ---- The connection ---- */

ToeNcb *toe_synq_promote(ToeTcp *t, ToeNcb *listener, const ToeSyn *s,
                         uint32_t wnd)
{
    ToeNop *n = t->nop;
    ToeNcb *c;

    if (toe_ncb_accept_full(listener)) {
        toe_count(n->counters, TCP_ACCEPT_OVERFLOWS);
        return NULL;
    }
    c = toe_ncb_new(t, TOE_NCB_CONN);
    if (!c) {
        toe_count(n->counters, TCP_ACCEPT_OVERFLOWS);
        return NULL;
    }
    if (!toe_tcp_child(t, c, listener, s)) {
        toe_ncb_free(t, c);
        return NULL;
    }
    if (toe_ports_reserve(&n->tcp_ports, c->lport)) {
        c->flags |= TOE_F_PORT;
    }
    c->snd_nxt = c->snd_max = c->iss + 1;
    c->rcv_adv = c->rcv_nxt + wnd;
    c->segs_out = 1;            /* the SYN-ACK */
    t->conns++;
    toe_ncb_hash(t, c);
    toe_ncb_backlog_add(t, listener, c);
    c->flags |= TOE_F_HALF_OPEN;
    toe_tcp_set_state(t, c, TOE_TCP_SYN_RECEIVED);
    return c;
}

static void challenge(ToeTcp *t, ToeSynReq *r)
{
    if (r->challenges < TOE_CHALLENGE_PER_CONN &&
        toe_tcp_may_challenge(t, toe_nop_now(t->nop))) {
        r->challenges++;
        r->ack = true;
        mark(t, r);
    }
}

/*
 * RFC 9293 3.4, table 6, with the window of the SYN-ACK.  As strict as the
 * connection will be: one that does not take the segment that made it is lost.
 */
static bool in_window(const ToeSynReq *r, const ToeSeg *seg)
{
    uint32_t first = r->syn.seq + 1, end = first + r->wnd;
    uint32_t seg_end = seg->seq + seg->len + !!(seg->flags & TOE_FIN);

    return seg->seq == first ||
           (seq_gt(seg_end, first) && seq_lt(seg->seq, end));
}

ToeNcb *toe_synq_input(ToeTcp *t, ToeSynReq *r, const ToeIpPacket *p,
                       const ToeSeg *seg)
{
    ToeNop *n = t->nop;
    ToeNcb *listener = toe_ncb_by_handle(t, r->syn.listener), *c;
    bool ts = r->syn.options & TOE_SYN_TS;
    int64_t sent = r->sent;
    uint8_t resends = r->resends;
    bool timed = !r->resent && !r->acked;

    if ((seg->flags & (TOE_SYN | TOE_ACK | TOE_RST)) == TOE_SYN &&
        seg->seq == r->syn.seq) {
        /* Our SYN-ACK was lost; do not wait for the timer. */
        if (ts && seg->opt.have_ts &&
            (int32_t)(seg->opt.ts_val - r->syn.ts_val) > 0) {
            r->syn.ts_val = seg->opt.ts_val;
        }
        if ((seg->flags & (TOE_ECE | TOE_CWR)) != (TOE_ECE | TOE_CWR)) {
            r->syn.flags &= ~(TOE_ECE | TOE_CWR);   /* RFC 3168 6.1.1.1 */
        }
        r->synack = true;
        mark(t, r);
        return NULL;
    }
    if (ts && !(seg->flags & TOE_RST) &&
        (!seg->opt.have_ts ||
         (int32_t)(seg->opt.ts_val - r->syn.ts_val) < 0)) {
        toe_count(n->counters, TCP_PAWS_DROPS); /* RFC 7323 3.2 and 5.3 */
        if (seg->opt.have_ts) {
            challenge(t, r);
        }
        return NULL;
    }
    if (!in_window(r, seg)) {
        toe_count(n->counters, TCP_OUT_OF_WINDOW);
        if (!(seg->flags & TOE_RST)) {
            challenge(t, r);
        }
        return NULL;
    }
    if (seg->flags & TOE_RST) {
        if (seg->seq == r->syn.seq + 1) {
            toe_count(n->counters, TCP_RST_IN);
            toe_count(n->counters, TCP_ATTEMPT_FAILS);
            toe_synq_drop(t, r, false);
        } else {
            challenge(t, r);                    /* RFC 5961 3.2 */
        }
        return NULL;
    }
    if (seg->flags & TOE_SYN) {
        challenge(t, r);                        /* RFC 5961 4.2 */
        return NULL;
    }
    if (!(seg->flags & TOE_ACK)) {
        return NULL;
    }
    if (seg->ack != r->syn.iss + 1 || !r->sent) {
        toe_tcp_reply_rst(t, p, seg);
        return NULL;
    }
    if (!listener) {
        return NULL;
    }
    if (toe_ncb_accept_full(listener)) {
        /* As if it had been lost: the SYN-ACK is sent again. */
        toe_count(n->counters, TCP_ACCEPT_OVERFLOWS);
        r->acked = true;
        return NULL;
    }
    if (r->timeouts < listener->defer && !(seg->flags & TOE_FIN) &&
        !seg->len) {
        r->acked = true;                        /* DEFER_ACCEPT: nothing yet */
        toe_count(n->counters, TCP_DEFERRED);
        return NULL;
    }
    c = toe_synq_promote(t, listener, &r->syn, r->wnd);
    if (!c) {
        r->acked = true;
        return NULL;
    }
    toe_synq_drop(t, r, false);
    if (timed) {
        c->flags |= TOE_F_RTT_TIMED;
        c->rtt_seq = c->snd_max;
        c->rtt_time = sent;
    }
    c->backoff = resends;
    c->retransmits = resends;
    c->segs_out += resends;
    return c;
}

/* ---- Timer and output ---- */

static void timed_out(ToeTcp *t, ToeSynReq *r, int64_t now)
{
    const ToeNcb *listener = toe_ncb_by_handle(t, r->syn.listener);
    unsigned defer = listener ? listener->defer : 0;

    if (r->timeouts >= t->nop->synack_retries &&
        (!r->acked || r->timeouts >= defer)) {
        toe_count(t->nop->counters, TCP_ATTEMPT_FAILS);
        toe_synq_drop(t, r, false);
        return;
    }
    due_del(&t->synq, r);
    r->timeouts++;
    due_add(t, r, now);
    if (!r->acked || r->timeouts >= defer) {
        r->resends++;
        r->synack = true;
        mark(t, r);
    }
}

void toe_tcp_synq_timer(ToeNop *n)
{
    ToeTcp *t = n->tcp;
    ToeSynq *q = &t->synq;
    int64_t now = toe_nop_now(n), next = INT64_MAX;
    uint32_t left = PER_CALL;

    q->armed = INT64_MAX;
    for (unsigned k = 0; k <= TOE_SYNACK_RETRIES_MAX; k++) {
        while (left && q->due_first[k] != TOE_NONE &&
               q->reqs[q->due_first[k]].deadline <= now) {
            left--;
            timed_out(t, &q->reqs[q->due_first[k]], now);
        }
        if (q->due_first[k] != TOE_NONE) {
            next = MIN(next, q->reqs[q->due_first[k]].deadline);
        }
    }
    if (next != INT64_MAX) {
        arm(t, next);
    }
}

/* Send for a request, or a SYN that got a cookie, by way of an NCB. */
static void send_request(ToeTcp *t, ToeSynReq *r)
{
    ToeNcb *listener = toe_ncb_by_handle(t, r->syn.listener);
    ToeNcb *c = toe_ncb_scratch(t);

    if (!toe_tcp_child(t, c, listener, &r->syn)) {
        return;                                 /* no way to it any more */
    }
    c->state = TOE_TCP_SYN_RECEIVED;
    if (r->sent) {
        c->snd_nxt = c->snd_max = c->iss + 1;
        c->rcv_adv = c->rcv_nxt + r->wnd;
    }
    if (r->state == TOE_REQ_RST) {
        toe_tcp_output_request(t, c, TOE_RST);
        return;
    }
    if (r->ack && r->sent) {
        toe_tcp_output_request(t, c, TOE_ACK);
    }
    if (r->synack) {
        toe_tcp_output_request(t, c, TOE_SYN);
        r->wnd = c->rcv_adv - c->rcv_nxt;
        if (r->sent) {
            r->resent = true;
        } else {
            r->sent = MAX(toe_nop_now(t->nop), 1);
        }
    }
    r->ack = r->synack = false;
}

bool toe_synq_output(ToeTcp *t, uint32_t *budget)
{
    ToeSynq *q = &t->synq;

    while (q->out_first != TOE_NONE || q->cookies_count) {
        ToeSynReq *r;

        if (t->nop->port_busy) {
            return false;
        }
        if (!*budget) {
            return true;
        }
        *budget -= MIN(*budget, TOE_SYNACK_BYTES);
        if (q->out_first == TOE_NONE) {
            ToeSyn *s = &q->cookies[q->cookies_head];

            q->cookies_head = (q->cookies_head + 1) % TOE_COOKIE_RING;
            q->cookies_count--;
            toe_cookie_send(t, s);
            continue;
        }
        r = &q->reqs[q->out_first];
        q->out_first = r->out_next;
        if (q->out_first == TOE_NONE) {
            q->out_last = TOE_NONE;
        }
        r->on_out = false;
        if (r->state != TOE_REQ_GONE) {
            send_request(t, r);
        }
        if (r->state != TOE_REQ_OPEN) {
            put_free(q, r);
        }
    }
    return false;
}
