/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cqm.c - the completion queue manager.
 *
 * A completion is written into the CQ's next entry at once; cq_tail, which
 * shows it to the application, is written once at the end of the turn
 * (toe_ctx_flush_all), after the entries and with a fence between.  Then, if
 * the queue is armed and cq_tail differs from the value it was armed with,
 * the interrupt is raised: once per arming.
 *
 * Nothing is lost when the CQ is full:
 *  - the RQM fetches a request only if there is room for its completion;
 *  - events stay as bits of their connection until there is room;
 *  - completions of SENDs that waited, which come when they come, go to the
 *    context's FIFO here.  As every SEND was fetched with room, and a
 *    connection holds TOE_PENDING_SENDS of them, the FIFO is bounded.  While
 *    it is not empty there is "no room", so nothing overtakes it.
 *
 * The cq_full protocol: the adapter sets cq_full, then looks at cq_head once
 * more; the application moves cq_head, then looks at cq_full.  One of the two
 * sees the other, so the CQ_SPACE doorbell is not missed.  An adapter that
 * finds room before the doorbell clears the flag, and then runs the context
 * itself, as nobody will ring.
 */
#include "adapter_priv.h"
#include "toe_trace.h"

static uint32_t cq_size(const ToeCtx *ctx)
{
    return 1u << ctx->q.cq_log2;
}

static bool has_slot(const ToeCtx *ctx)
{
    return ctx->out.cq_tail - ctx->in.cq_head < cq_size(ctx);
}

/* A free entry in the ring, with the cq_full protocol. */
static bool find_slot(ToeAdapter *a, ToeCtx *ctx)
{
    if (!has_slot(ctx)) {
        if (!toe_ctx_refresh(a, ctx, false)) {
            return false;
        }
        if (!has_slot(ctx)) {
            if (ctx->out.cq_full) {
                return false;
            }
            ctx->out.cq_full = 1;
            toe_count(&a->counters, CQM_FULL);
            toe_trace_cqm_full(ctx->id, ctx->out.cq_tail, ctx->in.cq_head);
            /* Also shows the completions that fill the queue. */
            if (!toe_ctx_publish(a, ctx) ||
                !toe_ctx_refresh(a, ctx, true) || !has_slot(ctx)) {
                return false;
            }
        }
    }
    if (ctx->out.cq_full) {
        /*
         * The application may not ring now: it may have moved cq_head and
         * not looked at the flag yet.  So whatever waits goes on by itself.
         */
        ctx->out.cq_full = 0;
        toe_ctx_dirty(a, ctx);
        toe_ctx_schedule(a, ctx, TOE_WORK_REFRESH | TOE_WORK_RQ |
                         TOE_WORK_EVENTS);
    }
    return true;
}

static bool write_cqe(ToeAdapter *a, ToeCtx *ctx,
                      const struct toe_hw_cqe *cqe)
{
    uint32_t slot = ctx->out.cq_tail & (cq_size(ctx) - 1);
    uint8_t status = toe_memval_write(a, ctx, ctx->q.key,
                                      ctx->q.cq + (uint64_t)slot *
                                      sizeof(*cqe), cqe, sizeof(*cqe),
                                      "completion queue");

    if (status != TOE_ST_OK) {
        toe_ctx_fault(a, ctx, status, "its completion queue is gone");
        return false;
    }
    ctx->out.cq_tail++;
    ctx->completions++;
    toe_count(&a->counters, CQM_COMPLETIONS);
    toe_trace_cqm_post(ctx->id, slot, cqe->type, cqe->status, cqe->handle,
                       cqe->cookie);
    toe_ctx_dirty(a, ctx);
    return true;
}

bool toe_cqm_room(ToeAdapter *a, ToeCtx *ctx)
{
    if (ctx->state == TOE_CTX_DRAINING) {
        return true;            /* nothing is written: see toe_cqm_post() */
    }
    return ctx->fifo_len == 0 && find_slot(a, ctx);
}

static void fifo_push(ToeCtx *ctx, const struct toe_hw_cqe *cqe)
{
    if (ctx->fifo_len == ctx->fifo_size) {
        uint32_t size = ctx->fifo_size ? ctx->fifo_size * 2 : 16;
        struct toe_hw_cqe *n = g_new(struct toe_hw_cqe, size);

        for (uint32_t i = 0; i < ctx->fifo_len; i++) {
            n[i] = ctx->fifo[(ctx->fifo_head + i) % ctx->fifo_size];
        }
        g_free(ctx->fifo);
        ctx->fifo = n;
        ctx->fifo_head = 0;
        ctx->fifo_size = size;
    }
    ctx->fifo[(ctx->fifo_head + ctx->fifo_len) % ctx->fifo_size] = *cqe;
    ctx->fifo_len++;
}

void toe_cqm_post(ToeAdapter *a, ToeCtx *ctx, const struct toe_hw_cqe *cqe)
{
    if (ctx->state != TOE_CTX_ACTIVE || ctx->faulted) {
        return;                 /* nobody reads them any more */
    }
    if (toe_cqm_room(a, ctx)) {
        write_cqe(a, ctx, cqe);
    } else if (!ctx->faulted) {
        fifo_push(ctx, cqe);
    }
}

void toe_cqm_drain(ToeAdapter *a, ToeCtx *ctx)
{
    while (ctx->fifo_len && ctx->state == TOE_CTX_ACTIVE &&
           find_slot(a, ctx)) {
        struct toe_hw_cqe cqe = ctx->fifo[ctx->fifo_head];

        ctx->fifo_head = (ctx->fifo_head + 1) % ctx->fifo_size;
        ctx->fifo_len--;
        if (!write_cqe(a, ctx, &cqe)) {
            return;
        }
    }
}

void toe_cqm_interrupt(ToeAdapter *a, ToeCtx *ctx)
{
    if (ctx->armed && ctx->published.cq_tail != ctx->arm_value) {
        ctx->armed = false;
        toe_count(&a->counters, CQM_INTERRUPTS);
        toe_trace_cqm_interrupt(ctx->id, ctx->vector);
        a->env.irq(a->env.opaque, ctx->vector);
    }
}

void toe_cqm_reset(ToeCtx *ctx)
{
    g_free(ctx->fifo);
    ctx->fifo = NULL;
    ctx->fifo_head = 0;
    ctx->fifo_len = 0;
    ctx->fifo_size = 0;
    ctx->armed = false;
}
