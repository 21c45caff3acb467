/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sock.c - the host half of a UDP socket.
 *
 * As with connections (conn.c) the NOP has the protocol's half, and both have
 * the same index.  A socket is there from UDP_OPEN to UDP_CLOSE and never ends
 * by itself.
 *
 * Receiving.  A datagram goes whole into one buffer: a small one if it fits,
 * else a large one, and what does not fit in that is cut off and said to be
 * (TOE_CQE_F_TRUNC).  Each takes one of the socket's credit, which counts
 * datagrams, since that is what buffers count.  Without credit, or while there
 * is no buffer, datagrams stay in the socket's queue on the adapter, and when
 * that is full they are dropped there: a socket that nobody reads takes
 * neither the buffers nor the memory of the others.
 *
 * Errors and "writable again" are events like any other; of errors the latest
 * is told, one at a time.
 *
 * A socket that cannot report now is on one list of its context, as a
 * connection would be: for a turn or room in the CQ, a buffer, a large buffer.
 *
 * Sending has no state here.  UDP_SEND checks everything, copies once and is
 * done, or is refused with TOE_ST_AGAIN: it never waits (sock_ops.c).
 */
#include "adapter_priv.h"
#include "toe_trace.h"

#define PUMPS_PER_TURN 256u

void toe_sock_init(ToeAdapter *a)
{
    a->socks.size = toe_udp_sockets(a->nop);
    a->socks.table = g_new0(ToeSock, a->socks.size);
}

static ToeCtx *ctx_of(ToeAdapter *a, const ToeSock *s)
{
    return &a->ctxs.table[s->ctx];
}

static uint32_t index_of(ToeAdapter *a, const ToeSock *s)
{
    return (uint32_t)(s - a->socks.table);
}

static ToeList *wait_list(ToeCtx *ctx, uint8_t wait)
{
    return wait == TOE_SOCK_WAIT_READY ? &ctx->sock_ready
           : wait == TOE_SOCK_WAIT_ANY ? &ctx->sock_want_any
           : &ctx->sock_want_large;
}

static void set_wait(ToeAdapter *a, ToeSock *s, uint8_t wait)
{
    ToeLinks ev = TOE_SOCK_LINKS(a, ev);

    if (s->wait == wait) {
        return;
    }
    if (s->wait != TOE_SOCK_WAIT_NOT) {
        toe_list_remove(wait_list(ctx_of(a, s), s->wait), ev, index_of(a, s));
    }
    s->wait = wait;
    if (wait != TOE_SOCK_WAIT_NOT) {
        toe_list_append(wait_list(ctx_of(a, s), wait), ev, index_of(a, s));
    }
}

ToeSock *toe_sock_find(ToeAdapter *a, uint32_t handle)
{
    uint32_t index = toe_udp_index(a->nop, handle);
    ToeSock *s = index < a->socks.size ? &a->socks.table[index] : NULL;

    return s && handle && s->handle == handle ? s : NULL;
}

ToeSock *toe_sock_new(ToeAdapter *a, ToeCtx *ctx, uint32_t handle,
                      uint64_t cookie, uint32_t credit)
{
    uint32_t index = toe_udp_index(a->nop, handle);
    ToeSock *s;

    if (index >= a->socks.size || a->socks.table[index].handle) {
        return NULL;
    }
    s = &a->socks.table[index];
    *s = (ToeSock) { .handle = handle, .ctx = ctx->id, .cookie = cookie,
                     .credit = credit };
    toe_list_append(&ctx->socks, TOE_SOCK_LINKS(a, own), index);
    ctx->nsocks++;
    toe_trace_sock_new(ctx->id, handle, credit);
    return s;
}

static void release(ToeAdapter *a, ToeSock *s)
{
    ToeCtx *ctx = ctx_of(a, s);

    toe_trace_sock_free(ctx->id, s->handle);
    set_wait(a, s, TOE_SOCK_WAIT_NOT);
    toe_list_remove(&ctx->socks, TOE_SOCK_LINKS(a, own), index_of(a, s));
    ctx->nsocks--;
    ctx->ngroups -= s->ngroups;
    s->handle = 0;
}

void toe_sock_close(ToeAdapter *a, ToeSock *s)
{
    toe_udp_close(a->nop, s->handle);
    release(a, s);
}

void toe_sock_close_all(ToeAdapter *a, ToeCtx *ctx)
{
    while (ctx->socks.first != TOE_NONE) {
        toe_sock_close(a, &a->socks.table[ctx->socks.first]);
    }
}

void toe_sock_reset(ToeAdapter *a)
{
    for (uint32_t i = 0; i < a->socks.size; i++) {
        if (a->socks.table[i].handle) {
            release(a, &a->socks.table[i]);
        }
    }
}

void toe_sock_fini(ToeAdapter *a)
{
    toe_sock_reset(a);
    g_free(a->socks.table);
}

/* ---- Reporting --------------------------------------------------------- */

/* Post one event if there is room.  False: wait for room. */
static bool report(ToeAdapter *a, ToeCtx *ctx, ToeSock *s, uint8_t bit,
                   uint8_t type)
{
    struct toe_hw_cqe cqe = {
        .type = type,
        .handle = s->handle,
        .cookie = s->cookie,
    };

    if (!(s->events & bit)) {
        return true;
    }
    if (!toe_cqm_room(a, ctx)) {
        set_wait(a, s, TOE_SOCK_WAIT_READY);
        return false;
    }
    if (type == TOE_EV_UDP_ERROR) {
        cqe.status = s->status;
        cqe.u.udp_error.family = s->family;
        cqe.u.udp_error.rport = s->rport;
        memcpy(cqe.u.udp_error.raddr, s->raddr, 16);
    }
    s->events &= ~bit;
    toe_cqm_post(a, ctx, &cqe);
    return true;
}

/* One datagram into one buffer.  False: that stopped the context. */
static bool deliver_one(ToeAdapter *a, ToeCtx *ctx, ToeSock *s,
                        const ToeDgram *d, const ToeChain *data, int queue)
{
    struct toe_hw_cqe cqe = {
        .type = TOE_EV_UDP_RECV,
        .handle = s->handle,
        .cookie = s->cookie,
    };
    struct toe_hw_buf buf;
    uint32_t len = MIN(d->len, ctx->q.buf_size[queue]);
    uint8_t status;

    if (!toe_bqm_take(a, ctx, queue, &buf)) {
        return false;
    }
    status = toe_dma_empty(a, ctx, data, len, &buf);
    if (status != TOE_ST_OK) {
        toe_trace_dma_bad_buffer(ctx->id, buf.key, buf.offset, len, status);
        toe_ctx_fault(a, ctx, status,
                      "it posted a receive buffer that cannot be used");
        return false;
    }
    cqe.flags = (queue == TOE_BQ_LARGE ? TOE_CQE_F_LARGE : 0) |
                (len < d->len ? TOE_CQE_F_TRUNC : 0);
    cqe.u.udp_recv.buf_id = buf.buf_id;
    cqe.u.udp_recv.length = len;
    cqe.u.udp_recv.total = (uint16_t)d->len;
    cqe.u.udp_recv.family = d->family;
    cqe.u.udp_recv.tos = d->tos;
    cqe.u.udp_recv.ttl = d->ttl;
    cqe.u.udp_recv.rport = d->rport;
    memcpy(cqe.u.udp_recv.laddr, d->laddr, 16);
    memcpy(cqe.u.udp_recv.raddr, d->raddr, 16);
    toe_cqm_post(a, ctx, &cqe);
    toe_trace_sock_deliver(ctx->id, s->handle, d->len, buf.buf_id);
    s->credit--;
    a->turn.copied += len;
    toe_count_add(&a->counters, DMA_BYTES_IN, len);
    toe_udp_rx_done(a->nop, s->handle);
    return true;
}

static void deliver(ToeAdapter *a, ToeCtx *ctx, ToeSock *s)
{
    uint64_t stop_at = a->turn.copied + TOE_TURN_DELIVER;
    uint32_t left = PUMPS_PER_TURN;     /* empty ones copy nothing */
    const ToeChain *data;
    ToeDgram d;

    while (toe_udp_rx(a->nop, s->handle, &d, &data)) {
        bool fits = d.len <= ctx->q.buf_size[TOE_BQ_SMALL];
        int queue = TOE_BQ_LARGE;

        if (!s->credit) {
            return;
        }
        if (!left-- || a->turn.copied >= stop_at) {
            set_wait(a, s, TOE_SOCK_WAIT_READY);
            toe_ctx_schedule(a, ctx, TOE_WORK_EVENTS);
            return;
        }
        if (!toe_cqm_room(a, ctx)) {
            set_wait(a, s, TOE_SOCK_WAIT_READY);
            return;
        }
        if (!toe_bqm_wait(a, ctx, fits ? -1 : TOE_BQ_LARGE)) {
            set_wait(a, s, fits ? TOE_SOCK_WAIT_ANY : TOE_SOCK_WAIT_LARGE);
            return;
        }
        if (fits && toe_bqm_avail(a, ctx, TOE_BQ_SMALL)) {
            queue = TOE_BQ_SMALL;
        }
        if (!deliver_one(a, ctx, s, &d, data, queue)) {
            return;
        }
    }
    s->events &= ~TOE_SOCK_EV_RX;
}

static void pump(ToeAdapter *a, ToeSock *s)
{
    ToeCtx *ctx = ctx_of(a, s);

    if (ctx->state != TOE_CTX_ACTIVE || ctx->faulted) {
        return;
    }
    set_wait(a, s, TOE_SOCK_WAIT_NOT);
    if (report(a, ctx, s, TOE_SOCK_EV_ERROR, TOE_EV_UDP_ERROR) &&
        report(a, ctx, s, TOE_SOCK_EV_WRITABLE, TOE_EV_UDP_WRITABLE) &&
        (s->events & TOE_SOCK_EV_RX)) {
        deliver(a, ctx, s);
    }
}

/* The next socket whose wait is over, or NULL. */
static ToeSock *next(ToeAdapter *a, ToeCtx *ctx)
{
    uint32_t i = ctx->sock_ready.first;

    if (i == TOE_NONE && ctx->sock_want_large.first != TOE_NONE &&
        toe_bqm_avail(a, ctx, TOE_BQ_LARGE)) {
        i = ctx->sock_want_large.first;
    }
    if (i == TOE_NONE && ctx->sock_want_any.first != TOE_NONE &&
        (toe_bqm_avail(a, ctx, TOE_BQ_SMALL) ||
         toe_bqm_avail(a, ctx, TOE_BQ_LARGE))) {
        i = ctx->sock_want_any.first;
    }
    return i != TOE_NONE ? &a->socks.table[i] : NULL;
}

void toe_sock_pump_ctx(ToeAdapter *a, ToeCtx *ctx)
{
    uint32_t left = PUMPS_PER_TURN;
    uint64_t stop_at = a->turn.copied + TOE_TURN_BYTES;
    ToeSock *s;

    while (toe_ctx_alive(ctx) && (ctx->sock_ready.first != TOE_NONE ||
                                  ctx->sock_want_any.first != TOE_NONE ||
                                  ctx->sock_want_large.first != TOE_NONE) &&
           toe_cqm_room(a, ctx) && (s = next(a, ctx))) {
        if (!left-- || a->turn.copied >= stop_at) {
            toe_ctx_schedule(a, ctx, TOE_WORK_EVENTS);
            return;
        }
        pump(a, s);
    }
    if (toe_ctx_alive(ctx)) {
        toe_bqm_satisfied(a, ctx);
    }
}

void toe_sock_credit(ToeAdapter *a, ToeSock *s, uint32_t datagrams)
{
    s->credit = datagrams > UINT32_MAX - s->credit ? UINT32_MAX
                                                   : s->credit + datagrams;
    if (s->events) {
        pump(a, s);
    }
}

/* ---- Events of the NOP ------------------------------------------------- */

static void raise_event(ToeAdapter *a, ToeSock *s, uint8_t event)
{
    s->events |= event;
    if (s->wait == TOE_SOCK_WAIT_NOT) {
        pump(a, s);             /* else its turn comes */
    }
}

void toe_sock_on_readable(void *opaque, uint32_t handle)
{
    ToeSock *s = toe_sock_find(opaque, handle);

    if (s) {
        raise_event(opaque, s, TOE_SOCK_EV_RX);
    }
}

void toe_sock_on_writable(void *opaque, uint32_t handle)
{
    ToeSock *s = toe_sock_find(opaque, handle);

    if (s) {
        raise_event(opaque, s, TOE_SOCK_EV_WRITABLE);
    }
}

void toe_sock_on_error(void *opaque, uint32_t handle, uint8_t status,
                       uint16_t rport, const uint8_t *raddr)
{
    ToeSock *s = toe_sock_find(opaque, handle);
    ToeAdapter *a = opaque;
    ToeTuple t;

    if (!s || toe_udp_tuple(a->nop, handle, &t) != TOE_ST_OK) {
        return;
    }
    s->status = status;
    s->family = t.family;
    s->rport = rport;
    memcpy(s->raddr, raddr, 16);
    /* It does not wait for a buffer as datagrams do. */
    if (s->wait == TOE_SOCK_WAIT_ANY || s->wait == TOE_SOCK_WAIT_LARGE) {
        set_wait(a, s, TOE_SOCK_WAIT_NOT);
    }
    raise_event(a, s, TOE_SOCK_EV_ERROR);
}
