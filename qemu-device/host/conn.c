/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conn.c - the host half of a connection.
 *
 * The NOP has the protocol's half (the NCB); this half says which context
 * owns the connection, what it may still receive, which requests wait on it,
 * and which events were not reported yet.  Both have the same index, that of
 * the handle.  The half exists from CONNECT, LISTEN or an incoming connection
 * until toe_stream_close() or toe_stream_abort(); afterwards the handle is
 * dead for the application, whatever the NOP still does.
 *
 * Reporting (toe_conn_pump)
 *  Events are bits; each is reported when everything before it was, and when
 *  there is room: ESTABLISHED or ACCEPT, then URGENT, which does not wait for
 *  the bytes before it, then received bytes, then PEER_CLOSED, then CLOSED,
 *  which lets the connection go.  An incoming connection is silent between
 *  ACCEPT the event and ACCEPT the request; its bytes stay on the adapter.
 *  Bytes the application gave no credit for stay on the adapter too, and hold
 *  back PEER_CLOSED and CLOSED: no byte that was received in order is ever
 *  dropped in favour of an event.
 *
 *  A connection that cannot report now is on one list of its context:
 *    ready        room in the CQ, or just a later turn
 *    want_any     a receive buffer of any size
 *    want_large   a large receive buffer
 *  and those lists are served in order, each connection for a bounded number
 *  of bytes.  Small data with PSH is delivered at once, inside the frame's
 *  turn; anything else is put off to the next turn, so that segments that
 *  arrive together make one completion.
 *
 * Waiting requests
 *  A SEND that finds no space in the send buffer or no buflet waits in its
 *  connection's queue, and so do SENDs, SHUTDOWN and CLOSE after it.  It goes
 *  on when the NOP says writable() or buflets are free again.  Other
 *  connections and the RQ go on meanwhile.
 *
 *  With TOE_OPT_LINGER a CLOSE waits as well, until all is acknowledged or its
 *  time is over.
 *
 *  A SEND that fails when some of its bytes are taken already (its region was
 *  revoked meanwhile) breaks the connection: bytes sent after it would close up
 *  to bytes before it, and the peer could not tell.  What was taken is sent,
 *  no SEND or SHUTDOWN succeeds any more, and CLOSE ends with a RST.
 */
#include "adapter_priv.h"
#include "toe_trace.h"

#define PUMPS_PER_TURN 256u

/* ---- Table, lists ------------------------------------------------------ */

void toe_conn_init(ToeAdapter *a)
{
    a->conns.table = g_new0(ToeConn, a->config.connections);
    a->conns.parked_free = TOE_NONE;
}

/* An entry of the pool of waiting requests. */
static uint32_t parked_get(ToeAdapter *a)
{
    ToeConns *t = &a->conns;
    uint32_t i;

    if (t->parked_free == TOE_NONE) {
        uint32_t size = t->parked_size ? t->parked_size * 2 : 64;

        t->parked = g_renew(ToeParked, t->parked, size);
        for (i = size; i-- > t->parked_size;) {
            t->parked[i].list = NULL;
            t->parked[i].next = t->parked_free;
            t->parked_free = i;
        }
        t->parked_size = size;
    }
    i = t->parked_free;
    t->parked_free = t->parked[i].next;
    return i;
}

static void parked_put(ToeAdapter *a, ToeCtx *ctx, uint32_t i)
{
    ToeParked *p = &a->conns.parked[i];

    if (p->list) {
        ctx->list_pieces -= p->npieces;
        g_free(p->list);
        p->list = NULL;
    }
    p->next = a->conns.parked_free;
    a->conns.parked_free = i;
}

static ToeList *wait_list(ToeCtx *ctx, ToeConnWait wait)
{
    switch (wait) {
    case TOE_CONN_WAIT_READY:
        return &ctx->ready;
    case TOE_CONN_WAIT_ANY:
        return &ctx->want_any;
    case TOE_CONN_WAIT_LARGE:
        return &ctx->want_large;
    default:
        return NULL;
    }
}

static void set_wait(ToeAdapter *a, ToeConn *c, ToeConnWait wait)
{
    ToeCtx *ctx = toe_conn_ctx(a, c);
    ToeLinks ev = TOE_CONN_LINKS(a, ev);
    uint32_t index = TOE_INDEX(c->handle);

    if (c->wait == wait) {
        return;
    }
    if (c->wait != TOE_CONN_WAIT_NOT) {
        toe_list_remove(wait_list(ctx, c->wait), ev, index);
    }
    c->wait = wait;
    if (wait != TOE_CONN_WAIT_NOT) {
        toe_list_append(wait_list(ctx, wait), ev, index);
    }
}

static void set_wants_lmem(ToeAdapter *a, ToeConn *c, bool wants)
{
    ToeCtx *ctx = toe_conn_ctx(a, c);
    ToeLinks lm = TOE_CONN_LINKS(a, lm);
    uint32_t index = TOE_INDEX(c->handle);

    if (c->wants_lmem == wants) {
        return;
    }
    c->wants_lmem = wants;
    if (!wants) {
        toe_list_remove(&ctx->want_lmem, lm, index);
        return;
    }
    toe_list_append(&ctx->want_lmem, lm, index);
    if (!ctx->on_lmem) {
        ctx->on_lmem = true;
        toe_list_append(&a->ctxs.lmem, TOE_CTX_LINKS(a, lmem), ctx->id);
    }
}

ToeConn *toe_conn_find(ToeAdapter *a, uint32_t handle)
{
    uint32_t index = TOE_INDEX(handle);
    ToeConn *c;

    if (index >= a->config.connections) {
        return NULL;
    }
    c = &a->conns.table[index];
    return c->state != TOE_CONN_FREE && c->handle == handle ? c : NULL;
}

ToeConn *toe_conn_new(ToeAdapter *a, ToeCtx *ctx, uint32_t handle,
                      ToeConnState state, uint64_t cookie)
{
    uint32_t index = TOE_INDEX(handle);
    ToeConn *c;

    if (index >= a->config.connections ||
        a->conns.table[index].state != TOE_CONN_FREE) {
        return NULL;
    }
    c = &a->conns.table[index];
    memset(c, 0, sizeof(*c));
    c->handle = handle;
    c->ctx = ctx->id;
    c->cookie = cookie;
    c->state = state;
    c->park_first = TOE_NONE;
    c->park_last = TOE_NONE;
    c->incoming = toe_list_init();
    toe_list_append(&ctx->conns, TOE_CONN_LINKS(a, own), index);
    ctx->nconns++;
    toe_trace_conn_new(ctx->id, handle, state);
    return c;
}

void toe_conn_taken(ToeAdapter *a, ToeConn *c)
{
    ToeConn *l = c->listener ? toe_conn_find(a, c->listener) : NULL;

    if (l) {
        toe_list_remove(&l->incoming, TOE_CONN_LINKS(a, in),
                        TOE_INDEX(c->handle));
    }
    c->listener = 0;
}

/* The host half is gone; requests that wait on it were completed before. */
static void release(ToeAdapter *a, ToeConn *c)
{
    ToeCtx *ctx = toe_conn_ctx(a, c);

    toe_trace_conn_free(ctx->id, c->handle);
    while (c->nparked) {
        uint32_t i = c->park_first;

        c->park_first = a->conns.parked[i].next;
        c->nparked--;
        parked_put(a, ctx, i);
    }
    toe_conn_taken(a, c);
    set_wait(a, c, TOE_CONN_WAIT_NOT);
    set_wants_lmem(a, c, false);
    toe_list_remove(&ctx->conns, TOE_CONN_LINKS(a, own),
                    TOE_INDEX(c->handle));
    ctx->nconns--;
    c->state = TOE_CONN_FREE;
    c->handle = 0;
    toe_ctx_conn_gone(a, ctx);
}

void toe_conn_reset(ToeAdapter *a)
{
    for (uint32_t i = 0; i < a->config.connections; i++) {
        if (a->conns.table[i].state != TOE_CONN_FREE) {
            release(a, &a->conns.table[i]);
        }
    }
}

void toe_conn_fini(ToeAdapter *a)
{
    toe_conn_reset(a);
    g_free(a->conns.parked);
    g_free(a->conns.table);
}

/* ---- Waiting requests -------------------------------------------------- */

static void complete(ToeAdapter *a, ToeConn *c, uint8_t opcode,
                     uint64_t cookie, uint32_t bytes, uint8_t status,
                     bool quiet)
{
    struct toe_hw_cqe cqe = {
        .type = TOE_EV_COMPLETION,
        .status = status,
        .handle = c->handle,
        .cookie = cookie,
        .u.cpl.opcode = opcode,
        .u.cpl.bytes = bytes,
    };

    if (status != TOE_ST_OK) {
        toe_count(&a->counters, RQM_ERRORS);
    }
    if (status != TOE_ST_OK || !quiet) {
        toe_cqm_post(a, toe_conn_ctx(a, c), &cqe);
    }
}

/* Take the first waiting request off the queue and complete it. */
static void unpark(ToeAdapter *a, ToeConn *c, uint8_t status)
{
    uint32_t i = c->park_first;
    ToeParked *p = &a->conns.parked[i];

    toe_trace_conn_unpark(c->ctx, c->handle, p->opcode, p->done, status);
    complete(a, c, p->opcode, p->cookie, p->done, status,
             p->flags & TOE_REQ_F_QUIET);
    c->park_first = p->next;
    if (--c->nparked == 0) {
        c->park_last = TOE_NONE;
    }
    parked_put(a, toe_conn_ctx(a, c), i);
}

static void park(ToeAdapter *a, ToeConn *c, const ToeParked *p)
{
    uint32_t i = parked_get(a);

    a->conns.parked[i] = *p;
    a->conns.parked[i].next = TOE_NONE;
    if (p->list) {
        toe_conn_ctx(a, c)->list_pieces += p->npieces;
    }
    if (c->nparked++ == 0) {
        c->park_first = i;
    } else {
        a->conns.parked[c->park_last].next = i;
    }
    c->park_last = i;
}

bool toe_conn_park(ToeAdapter *a, ToeConn *c, const ToeParked *p)
{
    /* SHUTDOWN and CLOSE are one at most: a full queue must not refuse them. */
    if (p->opcode == TOE_OP_SEND && c->nparked >= TOE_PENDING_SENDS) {
        return false;
    }
    park(a, c, p);
    return true;
}

/* The end of the stream as the peer may see it: in order, or cut off. */
static void let_go(ToeAdapter *a, ToeConn *c)
{
    if (c->broken) {
        toe_stream_abort(a->nop, c->handle);
    } else {
        toe_stream_close(a->nop, c->handle);
    }
}

/* A context that goes away does not wait for its connections to be read. */
static bool lingers(ToeAdapter *a, ToeConn *c, bool *delivered)
{
    ToeCtx *ctx = toe_conn_ctx(a, c);

    return !c->dead && !c->broken && !ctx->faulted &&
           ctx->state == TOE_CTX_ACTIVE &&
           toe_stream_linger(a->nop, c->handle, delivered);
}

bool toe_conn_idle(ToeAdapter *a, ToeConn *c)
{
    uint64_t size;

    return toe_stream_getopt(a->nop, c->handle, TOE_OPT_SNDBUF, &size) ==
           TOE_ST_OK && toe_stream_send_space(a->nop, c->handle) >= size;
}

void toe_conn_continue(ToeAdapter *a, ToeConn *c)
{
    ToeCtx *ctx = toe_conn_ctx(a, c);
    /* The CLOSE is next and waits: it began to linger. */
    bool lingered = c->nparked &&
                    a->conns.parked[c->park_first].opcode == TOE_OP_CLOSE;

    set_wants_lmem(a, c, false);
    while (c->nparked) {
        ToeParked *p = &a->conns.parked[c->park_first];
        uint8_t status = TOE_ST_OK;

        if (p->opcode == TOE_OP_CLOSE) {
            bool delivered = true;

            if (lingers(a, c, &delivered)) {
                return;         /* until writable() */
            }
            let_go(a, c);
            unpark(a, c, lingered && c->dead ? c->status
                         : delivered ? TOE_ST_OK : TOE_ST_TIMEDOUT);
            release(a, c);
            return;
        }
        if (c->dead || c->broken || ctx->faulted) {
            status = !c->dead ? TOE_ST_ABORTED
                     : c->status != TOE_ST_OK ? c->status : TOE_ST_CLOSED;
        } else if (p->opcode == TOE_OP_SHUTDOWN) {
            status = toe_stream_shutdown(a->nop, c->handle);
        } else {
            switch (toe_dma_out(a, ctx, c, p, &status)) {
            case TOE_DMA_SPACE:
                return;         /* until writable() */
            case TOE_DMA_LMEM:
                set_wants_lmem(a, c, true);
                return;
            case TOE_DMA_FAILED:
                c->broken = p->done != 0;
                break;
            default:
                break;          /* all taken */
            }
        }
        unpark(a, c, status);
    }
}

/* ---- Letting go -------------------------------------------------------- */

/* Connections of a listener that nobody took go with it. */
static void drop_incoming(ToeAdapter *a, ToeConn *l)
{
    while (l->incoming.first != TOE_NONE) {
        ToeConn *c = &a->conns.table[l->incoming.first];

        toe_stream_abort(a->nop, c->handle);
        release(a, c);
    }
}

void toe_conn_drop(ToeAdapter *a, ToeConn *c, uint8_t status, bool abort)
{
    drop_incoming(a, c);
    while (c->nparked) {
        bool close = a->conns.parked[c->park_first].opcode == TOE_OP_CLOSE;

        unpark(a, c, close ? TOE_ST_OK : status);
    }
    if (abort) {
        toe_stream_abort(a->nop, c->handle);
    } else {
        toe_stream_close(a->nop, c->handle);
    }
    release(a, c);
}

void toe_conn_close(ToeAdapter *a, ToeConn *c, uint64_t cookie, bool quiet)
{
    bool delivered;

    if (c->nparked || lingers(a, c, &delivered)) {
        ToeParked p = {
            .cookie = cookie,
            .opcode = TOE_OP_CLOSE,
            .flags = quiet ? TOE_REQ_F_QUIET : 0,
        };

        toe_conn_taken(a, c);           /* its listener may go before it */
        c->state = TOE_CONN_CLOSING;
        c->events = 0;
        set_wait(a, c, TOE_CONN_WAIT_NOT);
        park(a, c, &p);
        if (c->dead || toe_conn_ctx(a, c)->faulted) {
            toe_conn_continue(a, c);
        }
        return;
    }
    drop_incoming(a, c);
    let_go(a, c);
    complete(a, c, TOE_OP_CLOSE, cookie, 0, TOE_ST_OK, quiet);
    release(a, c);
}

/* ---- Reporting --------------------------------------------------------- */

void toe_conn_describe(ToeAdapter *a, ToeConn *c, struct toe_hw_cqe *cqe)
{
    ToeTuple t;
    uint16_t mss;

    if (toe_stream_tuple(a->nop, c->handle, &t, &mss) != TOE_ST_OK) {
        return;                 /* it died meanwhile; CLOSED follows */
    }
    cqe->u.conn.family = t.family;
    cqe->u.conn.lport = t.lport;
    cqe->u.conn.rport = t.rport;
    cqe->u.conn.mss = mss;
    memcpy(cqe->u.conn.laddr, t.laddr, sizeof(t.laddr));
    memcpy(cqe->u.conn.raddr, t.raddr, sizeof(t.raddr));
}

/* Post one event if there is room.  False: wait for room. */
static bool report(ToeAdapter *a, ToeCtx *ctx, ToeConn *c, uint8_t bit,
                   uint8_t type, uint8_t status)
{
    struct toe_hw_cqe cqe = {
        .type = type,
        .status = status,
        .handle = c->handle,
        .cookie = c->cookie,
    };

    if (!(c->events & bit)) {
        return true;
    }
    if (!toe_cqm_room(a, ctx)) {
        set_wait(a, c, TOE_CONN_WAIT_READY);
        return false;
    }
    if (type == TOE_EV_ESTABLISHED || type == TOE_EV_ACCEPT) {
        toe_conn_describe(a, c, &cqe);
        cqe.u.conn.listener = c->listener;
    } else if (type == TOE_EV_URGENT) {
        cqe.u.urgent.mark = c->urgent_mark;
    }
    c->events &= ~bit;
    toe_cqm_post(a, ctx, &cqe);
    return true;
}

/* Deliver received bytes.  True if none is left, so that events may follow. */
static bool deliver(ToeAdapter *a, ToeCtx *ctx, ToeConn *c)
{
    const ToeChain *rx;

    switch (toe_dma_in(a, ctx, c)) {
    case TOE_DMA_CQ:
        set_wait(a, c, TOE_CONN_WAIT_READY);
        return false;
    case TOE_DMA_ANY:
        set_wait(a, c, TOE_CONN_WAIT_ANY);
        return false;
    case TOE_DMA_LARGE:
        set_wait(a, c, TOE_CONN_WAIT_LARGE);
        return false;
    case TOE_DMA_TURN:
        set_wait(a, c, TOE_CONN_WAIT_READY);
        toe_ctx_schedule(a, ctx, TOE_WORK_EVENTS);
        return false;
    case TOE_DMA_FAILED:
        return false;
    default:
        break;
    }
    rx = toe_stream_rx(a->nop, c->handle);
    if (rx && rx->len) {
        return false;           /* until there is credit */
    }
    c->events &= ~TOE_CONN_EV_RX;
    return true;
}

void toe_conn_pump(ToeAdapter *a, ToeConn *c)
{
    ToeCtx *ctx = toe_conn_ctx(a, c);

    if (ctx->state != TOE_CTX_ACTIVE || ctx->faulted ||
        c->state == TOE_CONN_CLOSING) {
        return;
    }
    set_wait(a, c, TOE_CONN_WAIT_NOT);
    if (!report(a, ctx, c, TOE_CONN_EV_ESTABLISHED, TOE_EV_ESTABLISHED,
                TOE_ST_OK)) {
        return;
    }
    if (c->state == TOE_CONN_INCOMING) {
        if (c->events & TOE_CONN_EV_ACCEPT) {
            c->reported = report(a, ctx, c, TOE_CONN_EV_ACCEPT,
                                 TOE_EV_ACCEPT, TOE_ST_OK);
        }
        return;
    }
    if (!report(a, ctx, c, TOE_CONN_EV_URGENT, TOE_EV_URGENT, TOE_ST_OK)) {
        return;
    }
    if ((c->events & TOE_CONN_EV_RX) && !deliver(a, ctx, c)) {
        return;
    }
    if (!report(a, ctx, c, TOE_CONN_EV_PEER_CLOSED, TOE_EV_PEER_CLOSED,
                TOE_ST_OK)) {
        return;
    }
    if (c->events & TOE_CONN_EV_CLOSED) {
        if (report(a, ctx, c, TOE_CONN_EV_CLOSED, TOE_EV_CLOSED, c->status)) {
            drop_incoming(a, c);        /* its address was taken away */
            toe_stream_close(a->nop, c->handle);
            release(a, c);
        }
    }
}

void toe_conn_pump_ctx(ToeAdapter *a, ToeCtx *ctx)
{
    uint32_t left = PUMPS_PER_TURN;
    uint64_t stop_at = a->turn.copied + TOE_TURN_BYTES;

    while (ctx->ready.first != TOE_NONE && toe_ctx_alive(ctx) &&
           toe_cqm_room(a, ctx)) {
        if (!left-- || a->turn.copied >= stop_at) {
            toe_ctx_schedule(a, ctx, TOE_WORK_EVENTS);
            return;
        }
        toe_conn_pump(a, &a->conns.table[ctx->ready.first]);
    }
    while (toe_ctx_alive(ctx) && toe_cqm_room(a, ctx)) {
        uint32_t i = TOE_NONE;

        if (ctx->want_large.first != TOE_NONE &&
            toe_bqm_avail(a, ctx, TOE_BQ_LARGE)) {
            i = ctx->want_large.first;
        } else if (ctx->want_any.first != TOE_NONE &&
                   (toe_bqm_avail(a, ctx, TOE_BQ_SMALL) ||
                    toe_bqm_avail(a, ctx, TOE_BQ_LARGE))) {
            i = ctx->want_any.first;
        }
        if (i == TOE_NONE) {
            break;
        }
        if (!left-- || a->turn.copied >= stop_at) {
            toe_ctx_schedule(a, ctx, TOE_WORK_EVENTS);
            return;
        }
        toe_conn_pump(a, &a->conns.table[i]);
    }
    if (toe_ctx_alive(ctx)) {
        toe_bqm_satisfied(a, ctx);
    }
}

static void add_credit(ToeAdapter *a, ToeConn *c, uint32_t bytes)
{
    const ToeChain *rx = toe_stream_rx(a->nop, c->handle);

    c->credit = bytes > UINT32_MAX - c->credit ? UINT32_MAX
                                               : c->credit + bytes;
    if (rx && rx->len) {
        c->events |= TOE_CONN_EV_RX;
    }
}

void toe_conn_credit(ToeAdapter *a, ToeConn *c, uint32_t bytes)
{
    add_credit(a, c, bytes);
    if (c->events) {
        toe_conn_pump(a, c);
    }
}

void toe_conn_credit_later(ToeAdapter *a, ToeConn *c, uint32_t bytes)
{
    add_credit(a, c, bytes);
    if (c->events) {
        set_wait(a, c, TOE_CONN_WAIT_READY);
        toe_ctx_schedule(a, toe_conn_ctx(a, c), TOE_WORK_EVENTS);
    }
}

/* ---- Events of the NOP ------------------------------------------------- */

static void on_established(void *opaque, uint32_t handle)
{
    ToeAdapter *a = opaque;
    ToeConn *c = toe_conn_find(a, handle);

    if (!c) {
        return;
    }
    toe_trace_conn_event(c->ctx, handle, "established", 0);
    if (c->state == TOE_CONN_CONNECTING) {
        c->state = TOE_CONN_OPEN;
        c->events |= TOE_CONN_EV_ESTABLISHED;
        toe_conn_pump(a, c);
    }
    /* SENDs may wait since before; a CLOSE behind them ends it here. */
    toe_conn_continue(a, c);
}

static void on_incoming(void *opaque, uint32_t listener, uint32_t handle)
{
    ToeAdapter *a = opaque;
    ToeConn *l = toe_conn_find(a, listener);
    ToeCtx *ctx = l ? toe_conn_ctx(a, l) : NULL;
    ToeConn *c = NULL;

    if (l && l->state == TOE_CONN_LISTENER &&
        ctx->state == TOE_CTX_ACTIVE && !ctx->faulted &&
        !toe_conn_quota(ctx)) {
        c = toe_conn_new(a, ctx, handle, TOE_CONN_INCOMING, l->cookie);
    }
    if (!c) {
        toe_count(&a->counters, TCP_LISTEN_DROPS);
        toe_stream_abort(a->nop, handle);
        return;
    }
    toe_trace_conn_event(c->ctx, handle, "incoming", listener);
    c->listener = listener;
    toe_list_append(&l->incoming, TOE_CONN_LINKS(a, in), TOE_INDEX(handle));
    c->events |= TOE_CONN_EV_ACCEPT;
    toe_conn_pump(a, c);
}

static void on_readable(void *opaque, uint32_t handle, bool push)
{
    ToeAdapter *a = opaque;
    ToeConn *c = toe_conn_find(a, handle);
    ToeCtx *ctx;

    if (!c) {
        return;
    }
    c->events |= TOE_CONN_EV_RX;
    if (c->state != TOE_CONN_OPEN || !c->credit ||
        c->wait == TOE_CONN_WAIT_ANY || c->wait == TOE_CONN_WAIT_LARGE) {
        return;
    }
    ctx = toe_conn_ctx(a, c);
    if (ctx->state != TOE_CTX_ACTIVE || ctx->faulted) {
        return;
    }
    if (push && toe_stream_rx(a->nop, handle)->len <=
                ctx->q.buf_size[TOE_BQ_SMALL]) {
        toe_conn_pump(a, c);
        return;
    }
    set_wait(a, c, TOE_CONN_WAIT_READY);
    toe_ctx_schedule(a, ctx, TOE_WORK_EVENTS);
}

static void on_writable(void *opaque, uint32_t handle)
{
    ToeAdapter *a = opaque;
    ToeConn *c = toe_conn_find(a, handle);

    if (c) {
        toe_conn_continue(a, c);
    }
}

static void on_urgent(void *opaque, uint32_t handle, uint64_t mark)
{
    ToeAdapter *a = opaque;
    ToeConn *c = toe_conn_find(a, handle);

    if (!c || c->state == TOE_CONN_CLOSING) {
        return;
    }
    toe_trace_conn_event(c->ctx, handle, "urgent", (uint32_t)mark);
    c->urgent_mark = mark;
    c->events |= TOE_CONN_EV_URGENT;
    toe_conn_pump(a, c);
}

static void on_peer_closed(void *opaque, uint32_t handle)
{
    ToeAdapter *a = opaque;
    ToeConn *c = toe_conn_find(a, handle);

    if (!c || c->state == TOE_CONN_CLOSING) {
        return;
    }
    toe_trace_conn_event(c->ctx, handle, "peer closed", 0);
    c->events |= TOE_CONN_EV_PEER_CLOSED;
    toe_conn_pump(a, c);
}

static void on_closed(void *opaque, uint32_t handle, uint8_t status)
{
    ToeAdapter *a = opaque;
    ToeConn *c = toe_conn_find(a, handle);

    if (!c) {
        return;
    }
    toe_trace_conn_event(c->ctx, handle, "closed", status);
    c->dead = true;
    c->status = status;
    if (c->state == TOE_CONN_CLOSING) {
        toe_conn_continue(a, c);        /* ends with the CLOSE */
        return;
    }
    if (c->state == TOE_CONN_INCOMING && !c->reported) {
        toe_conn_drop(a, c, status, false);
        return;
    }
    toe_conn_continue(a, c);
    c->events |= TOE_CONN_EV_CLOSED;
    toe_conn_pump(a, c);
}

static void on_eth_frame(void *opaque, const uint8_t *frame, size_t len)
{
    toe_ethq_frame(opaque, frame, len);
}

const ToeStreamOps toe_conn_ops = {
    .established = on_established,
    .incoming = on_incoming,
    .readable = on_readable,
    .writable = on_writable,
    .urgent = on_urgent,
    .peer_closed = on_peer_closed,
    .closed = on_closed,
    .eth_frame = on_eth_frame,
    .udp_readable = toe_sock_on_readable,
    .udp_writable = toe_sock_on_writable,
    .udp_error = toe_sock_on_error,
};
