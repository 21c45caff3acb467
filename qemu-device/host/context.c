/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context.c - contexts: what one application owns of the adapter.
 *
 * Life
 *   FREE --CTX_CREATE--> CREATED --CTX_QUEUES--> ACTIVE --CTX_DESTROY--> FREE
 *                                                  | CTX_DESTROY + DRAIN
 *                                                  v
 *                                               DRAINING --> FREE
 *  The kernel creates a context with its rights and quotas, registers the
 *  memory that holds its queues, and names the queues; from then on the
 *  application that has the doorbell page works alone.
 *
 *  CTX_DESTROY lets go of everything at once: connections are closed in order
 *  (bytes on the adapter are still sent, by the NOP, without an owner), SENDs
 *  that wait are dropped.  With DRAIN the requests already in the RQ are run
 *  first, then each connection is closed after the SENDs that wait on it, and
 *  only when the last one is gone the command completes.  Nothing is written
 *  to the context's queues meanwhile.  A CTX_DESTROY without the flag ends
 *  the wait; the first command then completes with TOE_ST_ABORTED.
 *
 * The context page
 *  ctx->in is the application's line, read in one piece at most once a turn
 *  (toe_ctx_refresh) and checked: an index that claims more entries than the
 *  ring holds stops the context.  ctx->out is the adapter's line: it *is* the
 *  state, the page only shows it.  It is written at the end of the turn if it
 *  changed (toe_ctx_flush_all), as one aligned power-of-two piece, so that
 *  no index is ever seen half written.
 *
 * Running
 *  Doorbells and events schedule a context; contexts are run in turn, each
 *  for a bounded number of requests, so that none starves the others.
 *
 * A stopped context (fault) keeps its connections until the kernel destroys
 * it: data that was accepted is still sent.
 */
#include "adapter_priv.h"
#include "toe_trace.h"

/* Retry SENDs when this many buflets are free again. */
#define LMEM_RETRY_BUFLETS 32u

G_STATIC_ASSERT(sizeof(ToeCtxIn) == 16);
G_STATIC_ASSERT(sizeof(ToeCtxOut) == 32);
G_STATIC_ASSERT(offsetof(struct toe_hw_ctx_page, cq_tail) == 64);
G_STATIC_ASSERT(offsetof(struct toe_hw_ctx_page, fault) -
                offsetof(struct toe_hw_ctx_page, cq_tail) ==
                offsetof(ToeCtxOut, fault));

#define PAGE_OUT offsetof(struct toe_hw_ctx_page, cq_tail)

static void clear(ToeCtx *ctx, uint32_t id)
{
    memset(ctx, 0, sizeof(*ctx));
    ctx->id = id;
    ctx->state = TOE_CTX_FREE;
    ctx->conns = toe_list_init();
    ctx->regions = toe_list_init();
    ctx->ready = toe_list_init();
    ctx->want_any = toe_list_init();
    ctx->want_large = toe_list_init();
    ctx->want_lmem = toe_list_init();
    ctx->socks = toe_list_init();
    ctx->sock_ready = toe_list_init();
    ctx->sock_want_any = toe_list_init();
    ctx->sock_want_large = toe_list_init();
}

void toe_ctx_init(ToeAdapter *a)
{
    a->ctxs.table = g_new0(ToeCtx, a->config.contexts);
    a->ctxs.run = toe_list_init();
    a->ctxs.dirty = toe_list_init();
    a->ctxs.lmem = toe_list_init();
    a->ctxs.watched = toe_list_init();
    for (uint32_t i = 0; i < a->config.contexts; i++) {
        clear(&a->ctxs.table[i], i);
    }
}

static void off_lists(ToeAdapter *a, ToeCtx *ctx)
{
    if (ctx->on_run) {
        toe_list_remove(&a->ctxs.run, TOE_CTX_LINKS(a, run), ctx->id);
        a->ctxs.nruns--;
        ctx->on_run = false;
    }
    if (ctx->on_dirty) {
        toe_list_remove(&a->ctxs.dirty, TOE_CTX_LINKS(a, dirty), ctx->id);
        ctx->on_dirty = false;
    }
    if (ctx->on_lmem) {
        toe_list_remove(&a->ctxs.lmem, TOE_CTX_LINKS(a, lmem), ctx->id);
        ctx->on_lmem = false;
    }
    if (ctx->on_watched) {
        toe_list_remove(&a->ctxs.watched, TOE_CTX_LINKS(a, watched), ctx->id);
        ctx->on_watched = false;
    }
}

/* The context is free again; its connections are gone. */
static void release(ToeAdapter *a, ToeCtx *ctx)
{
    uint32_t id = ctx->id;

    toe_memval_revoke_all(a, ctx);
    toe_cqm_reset(ctx);
    off_lists(a, ctx);
    if (ctx->state == TOE_CTX_ACTIVE || ctx->state == TOE_CTX_DRAINING) {
        toe_count_add(&a->counters, CTX_ACTIVE, -1);
    }
    if (a->ethq.ctx == id) {
        toe_ethq_reset(a);
    }
    toe_trace_context_free(id);
    clear(ctx, id);
}

void toe_ctx_reset(ToeAdapter *a)
{
    for (uint32_t i = 0; i < a->config.contexts; i++) {
        if (a->ctxs.table[i].state != TOE_CTX_FREE) {
            release(a, &a->ctxs.table[i]);
        }
    }
}

void toe_ctx_fini(ToeAdapter *a)
{
    toe_ctx_reset(a);
    g_free(a->ctxs.table);
}

/* ---- Admin commands ---------------------------------------------------- */

static ToeCtx *known(ToeAdapter *a, uint32_t id, const char *command)
{
    if (id >= a->config.contexts ||
        a->ctxs.table[id].state == TOE_CTX_FREE) {
        toe_guest_error(a, "%s: there is no context %u", command, id);
        return NULL;
    }
    return &a->ctxs.table[id];
}

uint8_t toe_ctx_create(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd)
{
    uint32_t id = cmd->u.ctx_create.ctx;
    uint32_t rights = cmd->u.ctx_create.rights;
    uint32_t vector = cmd->u.ctx_create.vector;
    ToeCtx *ctx;

    if (!toe_all_zero(cmd->u.ctx_create.rsvd,
                      sizeof(cmd->u.ctx_create.rsvd))) {
        toe_guest_error(a, "CTX_CREATE: a reserved field is not zero");
        return TOE_ST_INVALID;
    }
    if (id >= a->config.contexts || vector >= TOE_MSIX_VECTORS ||
        (rights & ~(TOE_RIGHT_ETH | TOE_RIGHT_LOWPORT | TOE_RIGHT_PHYS))) {
        toe_guest_error(a, "CTX_CREATE: context %u of %u, vector %u of %u or "
                        "rights 0x%x are out of range", id,
                        a->config.contexts, vector, TOE_MSIX_VECTORS, rights);
        return TOE_ST_INVALID;
    }
    ctx = &a->ctxs.table[id];
    if (ctx->state != TOE_CTX_FREE) {
        toe_guest_error(a, "CTX_CREATE: context %u is in use", id);
        return TOE_ST_BUSY;
    }
    if ((rights & TOE_RIGHT_ETH) && a->ethq.ctx != TOE_NONE) {
        toe_guest_error(a, "CTX_CREATE: raw Ethernet belongs to context %u",
                        a->ethq.ctx);
        return TOE_ST_BUSY;
    }
    ctx->state = TOE_CTX_CREATED;
    ctx->rights = rights;
    ctx->vector = vector;
    ctx->max_conns = cmd->u.ctx_create.max_conns;
    ctx->max_regions = cmd->u.ctx_create.max_regions;
    if (rights & TOE_RIGHT_ETH) {
        a->ethq.ctx = id;
    }
    toe_trace_context_create(id, rights, vector);
    return TOE_ST_OK;
}

static bool log2_ok(uint8_t log2)
{
    return log2 >= TOE_QUEUE_LOG2_MIN && log2 <= TOE_QUEUE_LOG2_MAX;
}

uint8_t toe_ctx_queues_check(ToeAdapter *a, ToeCtx *ctx,
                             const ToeCtxQueues *q)
{
    uint8_t status;

    if (!log2_ok(q->rq_log2) || !log2_ok(q->cq_log2) ||
        !log2_ok(q->bq_log2[0]) || !log2_ok(q->bq_log2[1])) {
        toe_guest_error(a, "context %u: queue sizes 2^%u, 2^%u, 2^%u, 2^%u "
                        "must be 2^%u..2^%u", ctx->id, q->rq_log2,
                        q->cq_log2, q->bq_log2[0], q->bq_log2[1],
                        TOE_QUEUE_LOG2_MIN, TOE_QUEUE_LOG2_MAX);
        return TOE_ST_INVALID;
    }
    if (q->buf_size[TOE_BQ_SMALL] < TOE_SMALL_MIN ||
        q->buf_size[TOE_BQ_LARGE] < q->buf_size[TOE_BQ_SMALL] ||
        q->buf_size[TOE_BQ_LARGE] > TOE_LARGE_MAX) {
        toe_guest_error(a, "context %u: buffers of %u and %u bytes: must be "
                        "%u..%u, small ones first", ctx->id,
                        q->buf_size[TOE_BQ_SMALL], q->buf_size[TOE_BQ_LARGE],
                        TOE_SMALL_MIN, TOE_LARGE_MAX);
        return TOE_ST_INVALID;
    }
    if ((q->page | q->rq | q->cq | q->bq[0] | q->bq[1]) & 63) {
        toe_guest_error(a, "context %u: a queue is not 64-byte aligned",
                        ctx->id);
        return TOE_ST_INVALID;
    }
    status = toe_memval_check(a, ctx, q->key, q->page,
                              sizeof(struct toe_hw_ctx_page),
                              TOE_MEM_READ | TOE_MEM_WRITE, "context page");
    if (status == TOE_ST_OK) {
        status = toe_memval_check(a, ctx, q->key, q->rq,
                                  sizeof(struct toe_hw_req) << q->rq_log2,
                                  TOE_MEM_READ, "request queue");
    }
    if (status == TOE_ST_OK) {
        status = toe_memval_check(a, ctx, q->key, q->cq,
                                  sizeof(struct toe_hw_cqe) << q->cq_log2,
                                  TOE_MEM_WRITE, "completion queue");
    }
    for (int i = 0; i < 2 && status == TOE_ST_OK; i++) {
        status = toe_memval_check(a, ctx, q->key, q->bq[i],
                                  sizeof(struct toe_hw_buf) << q->bq_log2[i],
                                  TOE_MEM_READ, "buffer queue");
    }
    return status;
}

uint8_t toe_ctx_queues(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd)
{
    ToeCtxQueues q = {
        .key = cmd->u.ctx_queues.key,
        .page = cmd->u.ctx_queues.page,
        .rq = cmd->u.ctx_queues.rq,
        .cq = cmd->u.ctx_queues.cq,
        .bq = { cmd->u.ctx_queues.bq_small, cmd->u.ctx_queues.bq_large },
        .rq_log2 = cmd->u.ctx_queues.rq_log2,
        .cq_log2 = cmd->u.ctx_queues.cq_log2,
        .bq_log2 = { cmd->u.ctx_queues.bq_small_log2,
                     cmd->u.ctx_queues.bq_large_log2 },
        .buf_size = { cmd->u.ctx_queues.small_size,
                      cmd->u.ctx_queues.large_size },
    };
    ToeCtx *ctx;
    uint8_t status;

    if (!toe_all_zero(cmd->u.ctx_queues.rsvd,
                      sizeof(cmd->u.ctx_queues.rsvd))) {
        toe_guest_error(a, "CTX_QUEUES: a reserved field is not zero");
        return TOE_ST_INVALID;
    }
    ctx = known(a, cmd->u.ctx_queues.ctx, "CTX_QUEUES");
    if (!ctx) {
        return TOE_ST_STATE;
    }
    if (ctx->state != TOE_CTX_CREATED) {
        toe_guest_error(a, "CTX_QUEUES: context %u is active already",
                        ctx->id);
        return TOE_ST_STATE;
    }
    status = toe_ctx_queues_check(a, ctx, &q);
    if (status != TOE_ST_OK) {
        return status;
    }
    /* All indices start at 0, whatever the page held. */
    status = toe_memval_write(a, ctx, q.key, (uint64_t)q.page + PAGE_OUT,
                              &ctx->out, sizeof(ctx->out), "context page");
    if (status != TOE_ST_OK) {
        return status;
    }
    ctx->q = q;
    ctx->published = ctx->out;
    ctx->state = TOE_CTX_ACTIVE;
    toe_count(&a->counters, CTX_ACTIVE);
    toe_trace_context_active(ctx->id, q.key, q.rq_log2, q.cq_log2);
    return TOE_ST_OK;
}

/* Close every socket and connection, or let it go at once. */
static void all_conns(ToeAdapter *a, ToeCtx *ctx, bool now)
{
    ToeLinks own = TOE_CONN_LINKS(a, own);
    uint32_t i, next;

    toe_sock_close_all(a, ctx);
    /*
     * Connections that wait for ACCEPT first: closing their listener would
     * take them off the list under this loop.
     */
    for (i = ctx->conns.first; i != TOE_NONE; i = next) {
        ToeConn *c = &a->conns.table[i];

        next = toe_list_next(own, i);
        if (c->state == TOE_CONN_INCOMING) {
            toe_conn_drop(a, c, TOE_ST_ABORTED, true);
        }
    }
    for (i = ctx->conns.first; i != TOE_NONE; i = next) {
        ToeConn *c = &a->conns.table[i];

        next = toe_list_next(own, i);
        if (now) {
            toe_conn_drop(a, c, TOE_ST_ABORTED, false);
        } else if (c->state != TOE_CONN_CLOSING) {
            toe_conn_close(a, c, 0, true);
        } else {
            toe_conn_continue(a, c);    /* it need not linger any more */
        }
    }
}

uint8_t toe_ctx_destroy(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                        bool *later)
{
    bool drain = cmd->flags & TOE_ADM_F_DRAIN;
    ToeCtx *ctx;

    *later = false;
    if (!toe_all_zero(cmd->u.ctx_destroy.rsvd,
                      sizeof(cmd->u.ctx_destroy.rsvd))) {
        toe_guest_error(a, "CTX_DESTROY: a reserved field is not zero");
        return TOE_ST_INVALID;
    }
    ctx = known(a, cmd->u.ctx_destroy.ctx, "CTX_DESTROY");
    if (!ctx) {
        return TOE_ST_STATE;
    }
    toe_trace_context_destroy(ctx->id, drain, ctx->nconns);
    if (ctx->state == TOE_CTX_DRAINING) {
        if (drain) {
            return TOE_ST_BUSY;
        }
        toe_admin_complete(a, TOE_ADM_CTX_DESTROY, ctx->drain_tag,
                           TOE_ST_ABORTED);
    } else if (drain && ctx->state == TOE_CTX_ACTIVE) {
        /* What the application has posted by now is what will be run. */
        if (!ctx->faulted) {
            toe_ctx_refresh(a, ctx, true);
        }
        ctx->state = TOE_CTX_DRAINING;
        ctx->drain_tag = cmd->tag;
        toe_cqm_reset(ctx);
        toe_ctx_schedule(a, ctx, TOE_WORK_RQ);
        *later = true;
        return TOE_ST_OK;
    }
    if (ctx->state == TOE_CTX_ACTIVE) {
        ctx->state = TOE_CTX_DRAINING;  /* nothing is reported any more */
    }
    all_conns(a, ctx, true);
    release(a, ctx);
    return TOE_ST_OK;
}

void toe_ctx_info(ToeCtx *ctx, struct toe_hw_ctx_info *info)
{
    *info = (struct toe_hw_ctx_info) {
        .ctx = ctx->id,
        .rights = ctx->rights,
        .conns = ctx->nconns + ctx->nsocks,
        .regions = ctx->nregions,
        .requests = ctx->requests,
        .completions = ctx->completions,
        .errors = ctx->errors,
        .rq_pending = ctx->in.rq_tail - ctx->out.rq_head,
        .cq_pending = ctx->out.cq_tail - ctx->in.cq_head + ctx->fifo_len,
        .flags = (ctx->state == TOE_CTX_ACTIVE ? TOE_CTX_INFO_ACTIVE : 0) |
                 (ctx->state == TOE_CTX_DRAINING
                  ? TOE_CTX_INFO_DRAINING : 0) |
                 (ctx->faulted ? TOE_CTX_INFO_FAULT : 0),
    };
}

/* ---- The context page -------------------------------------------------- */

bool toe_ctx_refresh(ToeAdapter *a, ToeCtx *ctx, bool again)
{
    ToeCtxIn in;
    uint8_t status;
    const char *bad = NULL;

    if (ctx->state != TOE_CTX_ACTIVE || ctx->faulted) {
        return toe_ctx_alive(ctx);
    }
    if (!again && ctx->read_turn == a->turn.number) {
        return true;
    }
    status = toe_memval_read(a, ctx, ctx->q.key, ctx->q.page, &in, sizeof(in),
                             "context page");
    if (status != TOE_ST_OK) {
        toe_ctx_fault(a, ctx, status, "its context page is gone");
        return false;
    }
    if (in.rq_tail - ctx->out.rq_head > 1u << ctx->q.rq_log2) {
        bad = "rq_tail claims more requests than the queue holds";
    } else if (ctx->out.cq_tail - in.cq_head > 1u << ctx->q.cq_log2) {
        bad = "cq_head is not between the oldest completion and cq_tail";
    } else if (in.bq_tail[0] - ctx->out.bq_head[0] >
               1u << ctx->q.bq_log2[0]) {
        bad = "bq_small_tail claims more buffers than the queue holds";
    } else if (in.bq_tail[1] - ctx->out.bq_head[1] >
               1u << ctx->q.bq_log2[1]) {
        bad = "bq_large_tail claims more buffers than the queue holds";
    }
    if (bad) {
        toe_count(&a->counters, VIOL_RING);
        ctx->errors++;
        toe_trace_context_bad_index(ctx->id, in.rq_tail, in.cq_head,
                                    in.bq_tail[0], in.bq_tail[1]);
        toe_guest_error(a, "context %u: rq_tail %u (head %u), cq_head %u "
                        "(tail %u), bq tails %u and %u (heads %u and %u)",
                        ctx->id, in.rq_tail, ctx->out.rq_head, in.cq_head,
                        ctx->out.cq_tail, in.bq_tail[0], in.bq_tail[1],
                        ctx->out.bq_head[0], ctx->out.bq_head[1]);
        toe_ctx_fault(a, ctx, TOE_ST_BOUNDS, bad);
        return false;
    }
    ctx->in = in;
    ctx->read_turn = a->turn.number;
    return true;
}

void toe_ctx_dirty(ToeAdapter *a, ToeCtx *ctx)
{
    if (!ctx->on_dirty && ctx->state == TOE_CTX_ACTIVE) {
        ctx->on_dirty = true;
        toe_list_append(&a->ctxs.dirty, TOE_CTX_LINKS(a, dirty), ctx->id);
    }
}

/*
 * Write the part of the adapter's line that changed: the smallest aligned
 * power-of-two number of words that covers it.
 */
static uint8_t write_line(ToeAdapter *a, ToeCtx *ctx)
{
    uint32_t now[sizeof(ToeCtxOut) / 4], old[sizeof(ToeCtxOut) / 4];
    uint32_t lo = 0, hi = G_N_ELEMENTS(now), n = 1;

    memcpy(now, &ctx->out, sizeof(now));
    memcpy(old, &ctx->published, sizeof(old));
    while (lo < hi && now[lo] == old[lo]) {
        lo++;
    }
    if (lo == hi) {
        return TOE_ST_OK;
    }
    while (now[hi - 1] == old[hi - 1]) {
        hi--;
    }
    while ((lo & ~(n - 1)) + n < hi) {
        n *= 2;
    }
    lo &= ~(n - 1);
    ctx->published = ctx->out;
    /* The entries that the indices show must be seen before the indices. */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    return toe_memval_write(a, ctx, ctx->q.key,
                            ctx->q.page + PAGE_OUT + lo * UINT64_C(4),
                            now + lo, n * 4, "context page");
}

bool toe_ctx_publish(ToeAdapter *a, ToeCtx *ctx)
{
    uint8_t status;

    if (ctx->state != TOE_CTX_ACTIVE || ctx->faulted) {
        return toe_ctx_alive(ctx);
    }
    status = write_line(a, ctx);
    if (status != TOE_ST_OK) {
        toe_ctx_fault(a, ctx, status, "its context page is gone");
        return false;
    }
    /* Flags were set above; indices will be read next: a full fence. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return true;
}

void toe_ctx_flush_all(ToeAdapter *a)
{
    while (a->ctxs.dirty.first != TOE_NONE) {
        ToeCtx *ctx = &a->ctxs.table[a->ctxs.dirty.first];

        toe_list_remove(&a->ctxs.dirty, TOE_CTX_LINKS(a, dirty), ctx->id);
        ctx->on_dirty = false;
        if (toe_ctx_publish(a, ctx)) {
            toe_cqm_interrupt(a, ctx);
        }
    }
}

void toe_ctx_fault(ToeAdapter *a, ToeCtx *ctx, uint8_t status,
                   const char *why)
{
    bool room;

    if (ctx->faulted) {
        return;
    }
    ctx->faulted = true;
    toe_trace_context_fault(ctx->id, status, why);
    toe_guest_error(a, "context %u is stopped (status %u): %s", ctx->id,
                    status, why);
    if (ctx->state != TOE_CTX_ACTIVE) {
        return;
    }
    /*
     * Best effort from here: the memory in question may be the very reason.
     * The kernel learns of it by the interrupt, armed or not.
     */
    room = ctx->out.cq_tail - ctx->in.cq_head < 1u << ctx->q.cq_log2;
    if (room) {
        struct toe_hw_cqe cqe = { .type = TOE_EV_FAULT, .status = status };
        uint32_t slot = ctx->out.cq_tail & ((1u << ctx->q.cq_log2) - 1);

        if (toe_memval_write(a, ctx, ctx->q.key, ctx->q.cq + (uint64_t)slot *
                             sizeof(cqe), &cqe, sizeof(cqe),
                             "completion queue") == TOE_ST_OK) {
            ctx->out.cq_tail++;
            ctx->completions++;
            toe_count(&a->counters, CQM_COMPLETIONS);
        }
    }
    ctx->out.fault = status;
    ctx->out.rq_looking = 0;
    write_line(a, ctx);
    ctx->armed = false;
    toe_count(&a->counters, CQM_INTERRUPTS);
    toe_trace_cqm_interrupt(ctx->id, ctx->vector);
    a->env.irq(a->env.opaque, ctx->vector);
}

/* ---- Doorbells and running --------------------------------------------- */

void toe_ctx_doorbell(ToeAdapter *a, uint32_t id, uint32_t off,
                      uint32_t value)
{
    ToeCtx *ctx = id < a->config.contexts ? &a->ctxs.table[id] : NULL;

    toe_trace_context_doorbell(id, off, value);
    if (!ctx || ctx->state != TOE_CTX_ACTIVE) {
        toe_count(&a->counters, VIOL_DOORBELL);
        toe_guest_error(a, "doorbell 0x%x of context %u, which is not "
                        "active", off, id);
        return;
    }
    if (ctx->faulted) {
        return;                 /* it may not have noticed yet */
    }
    switch (off) {
    case TOE_DB_RQ:
        toe_ctx_schedule(a, ctx, TOE_WORK_REFRESH | TOE_WORK_RQ);
        break;
    case TOE_DB_CQ_ARM:
        ctx->armed = true;
        ctx->arm_value = value;
        /* The end of the turn compares: see toe_cqm_interrupt(). */
        toe_ctx_dirty(a, ctx);
        break;
    case TOE_DB_BQ:
    case TOE_DB_CQ_SPACE:
        toe_ctx_schedule(a, ctx, TOE_WORK_REFRESH | TOE_WORK_EVENTS);
        break;
    default:
        toe_count(&a->counters, VIOL_DOORBELL);
        ctx->errors++;
        toe_guest_error(a, "context %u: there is no doorbell 0x%x", id, off);
        break;
    }
}

void toe_ctx_schedule(ToeAdapter *a, ToeCtx *ctx, uint8_t work)
{
    ctx->work |= work;
    if (!ctx->on_run) {
        ctx->on_run = true;
        a->ctxs.nruns++;
        toe_list_append(&a->ctxs.run, TOE_CTX_LINKS(a, run), ctx->id);
    }
}

void toe_ctx_watch(ToeAdapter *a, ToeCtx *ctx)
{
    ctx->watch = TOE_WATCH_KICKS;
    if (!ctx->on_watched) {
        ctx->on_watched = true;
        toe_list_append(&a->ctxs.watched, TOE_CTX_LINKS(a, watched), ctx->id);
        toe_adapter_kick(a);
    }
}

bool toe_ctx_watched(ToeAdapter *a)
{
    ToeLinks links = TOE_CTX_LINKS(a, watched);
    uint32_t i = a->ctxs.watched.first;

    while (i != TOE_NONE) {
        ToeCtx *ctx = &a->ctxs.table[i];

        i = toe_list_next(links, i);
        if (!--ctx->watch) {
            toe_list_remove(&a->ctxs.watched, links, ctx->id);
            ctx->on_watched = false;
        }
        /* The last time it clears rq_looking. */
        toe_ctx_schedule(a, ctx, TOE_WORK_REFRESH | TOE_WORK_RQ);
    }
    return a->ctxs.watched.first != TOE_NONE;
}

void toe_ctx_conn_gone(ToeAdapter *a, ToeCtx *ctx)
{
    if (ctx->state == TOE_CTX_DRAINING && ctx->drain_closed &&
        ctx->nconns == 0) {
        toe_ctx_schedule(a, ctx, TOE_WORK_EVENTS);
    }
}

static void run_draining(ToeAdapter *a, ToeCtx *ctx)
{
    if (!ctx->drain_closed) {
        if (!ctx->faulted && toe_rqm_run(a, ctx)) {
            toe_ctx_schedule(a, ctx, TOE_WORK_RQ);
            return;
        }
        if (a->ethq.ctx == ctx->id && a->ethq.waiting && !ctx->faulted) {
            return;             /* the port will run it again */
        }
        all_conns(a, ctx, false);
        ctx->drain_closed = true;
    }
    if (ctx->nconns == 0) {
        toe_admin_complete(a, TOE_ADM_CTX_DESTROY, ctx->drain_tag,
                           TOE_ST_OK);
        release(a, ctx);
    }
}

static void run(ToeAdapter *a, ToeCtx *ctx)
{
    uint8_t work = ctx->work;

    ctx->work = 0;
    if (ctx->state == TOE_CTX_DRAINING) {
        run_draining(a, ctx);
        return;
    }
    if (!toe_ctx_alive(ctx)) {
        return;
    }
    if ((work & TOE_WORK_REFRESH) && !toe_ctx_refresh(a, ctx, true)) {
        return;
    }
    toe_cqm_drain(a, ctx);
    /* Neither may always be the first at the buffers. */
    if (a->turn.number & 1) {
        toe_sock_pump_ctx(a, ctx);
    }
    toe_conn_pump_ctx(a, ctx);
    if (!(a->turn.number & 1)) {
        toe_sock_pump_ctx(a, ctx);
    }
    if (toe_ctx_alive(ctx) && toe_rqm_run(a, ctx)) {
        toe_ctx_schedule(a, ctx, TOE_WORK_RQ);
    }
}

bool toe_ctx_run_all(ToeAdapter *a)
{
    uint32_t n = a->ctxs.nruns;
    bool any = false;

    while (n-- && a->ctxs.run.first != TOE_NONE &&
           a->turn.requests < TOE_TURN_ALL_REQUESTS &&
           a->turn.copied < TOE_TURN_ALL_BYTES) {
        ToeCtx *ctx = &a->ctxs.table[a->ctxs.run.first];

        toe_list_remove(&a->ctxs.run, TOE_CTX_LINKS(a, run), ctx->id);
        ctx->on_run = false;
        a->ctxs.nruns--;
        run(a, ctx);
        any = true;
    }
    return any;
}

bool toe_ctx_lmem_retry(ToeAdapter *a)
{
    uint32_t enough = CLAMP(toe_lmem_total(a->lmem) / 16, 1,
                            LMEM_RETRY_BUFLETS);
    bool any = false;
    uint32_t tries = 64;
    uint32_t avail;

    /*
     * Contexts in turn, and the connections of each in turn.
     *
     * A connection with bytes in flight can wait until a good piece fits: its
     * own acknowledgments will come (writable()).  One without must take what
     * there is, or it might wait for ever, as others need not give back.
     */
    while (tries-- && a->ctxs.lmem.first != TOE_NONE &&
           (avail = toe_lmem_avail(a->lmem, TOE_LMEM_OUT)) != 0) {
        ToeCtx *ctx = &a->ctxs.table[a->ctxs.lmem.first];
        uint32_t i = ctx->want_lmem.first;
        bool now;

        toe_list_remove(&a->ctxs.lmem, TOE_CTX_LINKS(a, lmem), ctx->id);
        ctx->on_lmem = false;
        if (i == TOE_NONE) {
            continue;
        }
        now = avail >= enough || toe_conn_idle(a, &a->conns.table[i]);
        toe_list_remove(&ctx->want_lmem, TOE_CONN_LINKS(a, lm), i);
        a->conns.table[i].wants_lmem = !now;
        if (!now) {
            toe_list_append(&ctx->want_lmem, TOE_CONN_LINKS(a, lm), i);
        }
        if (ctx->want_lmem.first != TOE_NONE) {
            ctx->on_lmem = true;
            toe_list_append(&a->ctxs.lmem, TOE_CTX_LINKS(a, lmem), ctx->id);
        }
        if (now) {
            toe_conn_continue(a, &a->conns.table[i]);
            any = true;
        }
    }
    return any;
}
