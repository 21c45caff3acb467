/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bqm.c - the buffer queue manager: receive buffers that contexts post.
 *
 * Each context has a ring of small buffers and a ring of large ones.  Entries
 * are fetched a few at a time into a cache (copied once) and used in order;
 * bq_head counts used ones, so a cached entry's slot still belongs to the
 * adapter.  An entry's key, bounds and direction are validated when data is
 * written to it (dma.c): a region may have been revoked since it was posted.
 *
 * When data waits and no buffer is there, the adapter sets bq_starved and
 * looks at the tails once more; the application posts, then looks at
 * bq_starved and rings TOE_DB_BQ.  The wake-up cannot be missed.
 *
 * Raw Ethernet does not wait: frames without a buffer are dropped (ethq.c).
 */
#include "adapter_priv.h"
#include "toe_trace.h"

static bool posted(const ToeCtx *ctx, int queue)
{
    return ctx->in.bq_tail[queue] != ctx->out.bq_head[queue];
}

bool toe_bqm_avail(ToeAdapter *a, ToeCtx *ctx, int queue)
{
    return posted(ctx, queue) ||
           (toe_ctx_refresh(a, ctx, false) && posted(ctx, queue));
}

static bool posted_any(const ToeCtx *ctx, int queue)
{
    return queue < 0
           ? posted(ctx, TOE_BQ_SMALL) || posted(ctx, TOE_BQ_LARGE)
           : posted(ctx, queue);
}

bool toe_bqm_wait(ToeAdapter *a, ToeCtx *ctx, int queue)
{
    if (posted_any(ctx, queue) ||
        (toe_ctx_refresh(a, ctx, false) && posted_any(ctx, queue))) {
        return true;
    }
    if (ctx->faulted || ctx->out.bq_starved) {
        return false;
    }
    ctx->out.bq_starved = 1;
    toe_count(&a->counters, BQM_STARVED);
    toe_trace_bqm_starved(ctx->id, ctx->out.bq_head[TOE_BQ_SMALL],
                          ctx->out.bq_head[TOE_BQ_LARGE]);
    return toe_ctx_publish(a, ctx) && toe_ctx_refresh(a, ctx, true) &&
           posted_any(ctx, queue);
}

void toe_bqm_satisfied(ToeAdapter *a, ToeCtx *ctx)
{
    if (ctx->out.bq_starved && ctx->want_any.first == TOE_NONE &&
        ctx->want_large.first == TOE_NONE &&
        ctx->sock_want_any.first == TOE_NONE &&
        ctx->sock_want_large.first == TOE_NONE) {
        ctx->out.bq_starved = 0;
        toe_ctx_dirty(a, ctx);
    }
}

/* Fetch entries from head on; posted() is true. */
static bool fetch(ToeAdapter *a, ToeCtx *ctx, int queue)
{
    uint32_t head = ctx->out.bq_head[queue];
    uint32_t size = 1u << ctx->q.bq_log2[queue];
    uint32_t slot = head & (size - 1);
    uint32_t n = MIN(ctx->in.bq_tail[queue] - head, TOE_BQ_CACHE);
    uint8_t status;

    n = MIN(n, size - slot);
    status = toe_memval_read(a, ctx, ctx->q.key, ctx->q.bq[queue] +
                             (uint64_t)slot * sizeof(struct toe_hw_buf),
                             ctx->buf[queue], n * sizeof(struct toe_hw_buf),
                             "buffer queue");
    if (status != TOE_ST_OK) {
        toe_ctx_fault(a, ctx, status, "its buffer queue is gone");
        return false;
    }
    ctx->buf_first[queue] = head;
    ctx->buf_count[queue] = n;
    return true;
}

bool toe_bqm_take(ToeAdapter *a, ToeCtx *ctx, int queue,
                  struct toe_hw_buf *buf)
{
    uint32_t at = ctx->out.bq_head[queue] - ctx->buf_first[queue];

    if (at >= ctx->buf_count[queue]) {
        if (!fetch(a, ctx, queue)) {
            return false;
        }
        at = 0;
    }
    *buf = ctx->buf[queue][at];
    ctx->out.bq_head[queue]++;
    toe_ctx_dirty(a, ctx);
    return true;
}
