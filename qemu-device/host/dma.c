/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dma.c - the DMA engines.
 *
 * Outbound: the pieces of a SEND are validated, all of them, before the first
 * byte moves; then they are copied into buflets, as many bytes as the send
 * buffer and local memory take, and handed to the connection.  A piece is
 * validated again each time it is used, as its region may have been revoked
 * while the SEND waited.
 *
 * Inbound: bytes that the NOP has in order are copied to the buffers that the
 * context posted: to a small one if all that is there fits, else to large
 * ones.  Each buffer makes one RECV event.  The connection's credit goes down
 * by what was delivered; without credit the bytes stay on the adapter and the
 * TCP window closes over them.
 *
 * A buffer that the context posted and may not be written to stops the
 * context (TOE_EV_FAULT with the violation's status): bytes cannot be
 * delivered around it in order, and only a broken program posts it.
 */
#include "adapter_priv.h"
#include "toe_trace.h"

/*
 * A SEND of which only a part fits in the send buffer is sent without its
 * part-filled last segment if the part is at least this long: then there is
 * a whole segment before it whose acknowledgment makes space for the rest.
 */
#define HOLD_TAIL_BYTES (128u << 10)

uint8_t toe_dma_check_pieces(ToeAdapter *a, ToeCtx *ctx,
                             const struct toe_hw_piece *piece, uint32_t n,
                             uint32_t max, uint32_t *total)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint8_t status;

        if (!piece[i].length) {
            toe_count(&a->counters, VIOL_REQUEST);
            ctx->errors++;
            toe_guest_error(a, "context %u: piece %u of %u has no length",
                            ctx->id, i, n);
            return TOE_ST_INVALID;
        }
        status = toe_memval_check(a, ctx, piece[i].key, piece[i].offset,
                                  piece[i].length, TOE_MEM_READ,
                                  "SEND piece");
        if (status != TOE_ST_OK) {
            return status;
        }
        sum += piece[i].length;
    }
    if (sum > max) {
        toe_count(&a->counters, VIOL_REQUEST);
        ctx->errors++;
        toe_guest_error(a, "context %u: %" PRIu64 " bytes in one request, at "
                        "most %u are allowed", ctx->id, sum, max);
        return TOE_ST_TOOBIG;
    }
    *total = sum;
    return TOE_ST_OK;
}

/* Fill the chain's n bytes from the pieces, from where p stands. */
uint8_t toe_dma_fill(ToeAdapter *a, ToeCtx *ctx, ToeParked *p,
                     const ToeChain *chain, uint32_t n)
{
    const struct toe_hw_piece *piece = p->list ? p->list : p->inl;
    ToeChainPos pos = { TOE_BUFLET_NONE, 0 };
    uint32_t off = 0;

    while (off < n) {
        const struct toe_hw_piece *at = &piece[p->piece];
        uint32_t len;
        uint8_t *to = toe_chain_span(a->lmem, chain, off, &len, &pos);
        uint8_t status;

        len = MIN(len, n - off);
        len = MIN(len, at->length - p->piece_done);
        status = toe_memval_read(a, ctx, at->key, at->offset + p->piece_done,
                                 to, len, "SEND piece");
        if (status != TOE_ST_OK) {
            return status;
        }
        off += len;
        p->piece_done += len;
        if (p->piece_done == at->length) {
            p->piece++;
            p->piece_done = 0;
        }
    }
    return TOE_ST_OK;
}

ToeDmaResult toe_dma_out(ToeAdapter *a, ToeCtx *ctx, ToeConn *c, ToeParked *p,
                         uint8_t *status)
{
    ToeChain chain = toe_chain_init();
    uint32_t left = p->total - p->done;
    uint32_t n = MIN(left, toe_stream_send_space(a->nop, c->handle));
    uint64_t room = (uint64_t)toe_lmem_avail(a->lmem, TOE_LMEM_OUT) *
                    TOE_BUFLET_SIZE;
    bool no_lmem = n > room;
    bool more;

    if (!n) {
        return TOE_DMA_SPACE;
    }
    n = MIN(n, room);
    if (!n || !toe_chain_extend(a->lmem, &chain, n, TOE_LMEM_OUT)) {
        return TOE_DMA_LMEM;
    }
    *status = toe_dma_fill(a, ctx, p, &chain, n);
    if (*status != TOE_ST_OK) {
        toe_chain_clear(a->lmem, &chain);
        return TOE_DMA_FAILED;
    }
    p->done += n;
    a->turn.copied += n;
    toe_count_add(&a->counters, DMA_BYTES_OUT, n);
    more = p->done == p->total ? p->flags & TOE_REQ_F_MORE
                               : n >= HOLD_TAIL_BYTES;
    toe_trace_dma_out(ctx->id, c->handle, n, p->done, p->total);
    toe_stream_send(a->nop, c->handle, &chain, more);
    if (p->done == p->total && p->flags & TOE_REQ_F_URGENT) {
        toe_stream_urgent(a->nop, c->handle);
    }
    return p->done == p->total ? TOE_DMA_DONE
           : no_lmem ? TOE_DMA_LMEM : TOE_DMA_SPACE;
}

/* Copy the first len bytes of rx to a posted buffer. */
uint8_t toe_dma_empty(ToeAdapter *a, ToeCtx *ctx, const ToeChain *rx,
                      uint32_t len, const struct toe_hw_buf *buf)
{
    ToeChainPos pos = { TOE_BUFLET_NONE, 0 };
    uint32_t off = 0;

    while (off < len) {
        uint32_t n;
        const uint8_t *from = toe_chain_span(a->lmem, rx, off, &n, &pos);
        uint8_t status;

        if (buf->offset > UINT64_MAX - off) {
            return TOE_ST_BOUNDS;
        }
        n = MIN(n, len - off);
        status = toe_memval_write(a, ctx, buf->key, buf->offset + off, from,
                                  n, "receive buffer");
        if (status != TOE_ST_OK) {
            return status;
        }
        off += n;
    }
    return TOE_ST_OK;
}

/* A delivery of this size is part of a bulk transfer. */
#define TOE_WATCH_BYTES (16u << 10)

ToeDmaResult toe_dma_in(ToeAdapter *a, ToeCtx *ctx, ToeConn *c)
{
    uint32_t budget = TOE_TURN_DELIVER;

    for (;;) {
        const ToeChain *rx = toe_stream_rx(a->nop, c->handle);
        uint32_t left = rx ? MIN(rx->len, c->credit) : 0;
        bool fits = left <= ctx->q.buf_size[TOE_BQ_SMALL];
        int queue = TOE_BQ_LARGE;
        struct toe_hw_buf buf;
        struct toe_hw_cqe cqe = {
            .type = TOE_EV_RECV,
            .handle = c->handle,
            .cookie = c->cookie,
        };
        uint32_t len;
        uint8_t status;

        if (!left) {
            return TOE_DMA_DONE;
        }
        if (!budget) {
            return TOE_DMA_TURN;
        }
        if (!toe_cqm_room(a, ctx)) {
            return ctx->faulted ? TOE_DMA_FAILED : TOE_DMA_CQ;
        }
        if (!toe_bqm_wait(a, ctx, fits ? -1 : TOE_BQ_LARGE)) {
            return ctx->faulted ? TOE_DMA_FAILED
                   : fits ? TOE_DMA_ANY : TOE_DMA_LARGE;
        }
        if (fits && toe_bqm_avail(a, ctx, TOE_BQ_SMALL)) {
            queue = TOE_BQ_SMALL;
        }
        if (!toe_bqm_take(a, ctx, queue, &buf)) {
            return TOE_DMA_FAILED;
        }

        len = MIN(left, ctx->q.buf_size[queue]);
        status = toe_dma_empty(a, ctx, rx, len, &buf);
        if (status != TOE_ST_OK) {
            toe_trace_dma_bad_buffer(ctx->id, buf.key, buf.offset, len,
                                     status);
            toe_ctx_fault(a, ctx, status,
                          "it posted a receive buffer that cannot be used");
            return TOE_DMA_FAILED;
        }
        cqe.flags = (queue == TOE_BQ_LARGE ? TOE_CQE_F_LARGE : 0) |
                    (len < left ? TOE_CQE_F_MORE : 0);
        cqe.u.recv.buf_id = buf.buf_id;
        cqe.u.recv.length = len;
        toe_cqm_post(a, ctx, &cqe);
        toe_trace_dma_in(ctx->id, c->handle, len, left - len, buf.buf_id);
        if (len >= TOE_WATCH_BYTES) {
            toe_ctx_watch(a, ctx);
        }
        c->credit -= len;
        budget -= MIN(budget, len);
        a->turn.copied += len;
        toe_count_add(&a->counters, DMA_BYTES_IN, len);
        toe_stream_rx_consumed(a->nop, c->handle, len);
    }
}
