/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ethq.c - raw Ethernet for the kernel's own context.
 *
 * The context that was created with TOE_RIGHT_ETH, one at most, sends whole
 * frames with ETH_SEND and gets every frame that is no business of the NOPs
 * as an ETH_RECV event, in its own queues like any other context.
 *
 * Out: the frame is put together from its pieces in one place and sent at
 * once.  While the port is busy, nothing is sent and the context's RQ waits,
 * so frames stay in order and none is lost on the way.
 *
 * In: a frame needs one buffer that holds all of it and room in the CQ, now.
 * Otherwise it is dropped and counted, as on any network adapter.
 */
#include "adapter_priv.h"
#include "toe_trace.h"

void toe_ethq_init(ToeAdapter *a)
{
    a->ethq.ctx = TOE_NONE;
    a->ethq.frame_size = a->config.mtu_max + TOE_ETH_HEADER + TOE_ETH_VLAN;
    a->ethq.frame = g_malloc(a->ethq.frame_size);
}

void toe_ethq_fini(ToeAdapter *a)
{
    g_free(a->ethq.frame);
}

void toe_ethq_reset(ToeAdapter *a)
{
    a->ethq.ctx = TOE_NONE;
    a->ethq.waiting = false;
}

uint8_t toe_ethq_send(ToeAdapter *a, ToeCtx *ctx,
                      const struct toe_hw_req *req, bool *busy)
{
    uint32_t total = 0, off = 0;
    uint8_t status;

    *busy = false;
    status = toe_dma_check_pieces(a, ctx, req->u.piece, req->npieces,
                                  a->ethq.frame_size, &total);
    if (status != TOE_ST_OK) {
        return status;
    }
    if (total < TOE_ETH_HEADER) {
        toe_count(&a->counters, VIOL_REQUEST);
        ctx->errors++;
        toe_guest_error(a, "context %u: an Ethernet frame of %u bytes",
                        ctx->id, total);
        return TOE_ST_INVALID;
    }
    if (!a->port.link) {
        return TOE_ST_LINKDOWN;
    }
    for (uint32_t i = 0; i < req->npieces; i++) {
        const struct toe_hw_piece *p = &req->u.piece[i];

        status = toe_memval_read(a, ctx, p->key, p->offset,
                                 a->ethq.frame + off, p->length,
                                 "ETH_SEND piece");
        if (status != TOE_ST_OK) {
            return status;
        }
        off += p->length;
    }
    if (!toe_nop_eth_send(a->nop, a->ethq.frame, total)) {
        a->ethq.waiting = true;
        *busy = true;
        return TOE_ST_OK;
    }
    a->turn.copied += total;
    toe_count_add(&a->counters, DMA_BYTES_OUT, total);
    toe_trace_ethq_send(ctx->id, total);
    return TOE_ST_OK;
}

static void drop(ToeAdapter *a, size_t len, const char *why)
{
    toe_count(&a->counters, ETH_OS_DROPS);
    toe_trace_ethq_drop(a->ethq.ctx, (uint32_t)len, why);
}

void toe_ethq_frame(ToeAdapter *a, const uint8_t *frame, size_t len)
{
    struct toe_hw_cqe cqe = { .type = TOE_EV_ETH_RECV };
    struct toe_hw_buf buf;
    int queue = TOE_BQ_LARGE;
    uint8_t status;
    ToeCtx *ctx;

    if (a->ethq.ctx == TOE_NONE) {
        drop(a, len, "no context for raw Ethernet");
        return;
    }
    ctx = &a->ctxs.table[a->ethq.ctx];
    if (ctx->state != TOE_CTX_ACTIVE || ctx->faulted) {
        drop(a, len, "its context is not active");
        return;
    }
    if (len > ctx->q.buf_size[TOE_BQ_LARGE]) {
        drop(a, len, "longer than a buffer");
        return;
    }
    if (!toe_cqm_room(a, ctx)) {
        drop(a, len, "completion queue full");
        return;
    }
    if (len <= ctx->q.buf_size[TOE_BQ_SMALL] &&
        toe_bqm_avail(a, ctx, TOE_BQ_SMALL)) {
        queue = TOE_BQ_SMALL;
    } else if (!toe_bqm_avail(a, ctx, TOE_BQ_LARGE)) {
        drop(a, len, "no buffer");
        return;
    }
    if (!toe_bqm_take(a, ctx, queue, &buf)) {
        return;
    }
    status = toe_memval_write(a, ctx, buf.key, buf.offset, frame, len,
                              "receive buffer");
    if (status != TOE_ST_OK) {
        toe_ctx_fault(a, ctx, status,
                      "it posted a receive buffer that cannot be used");
        return;
    }
    cqe.flags = queue == TOE_BQ_LARGE ? TOE_CQE_F_LARGE : 0;
    cqe.u.recv.buf_id = buf.buf_id;
    cqe.u.recv.length = len;
    toe_cqm_post(a, ctx, &cqe);
    a->turn.copied += len;
    toe_count_add(&a->counters, DMA_BYTES_IN, len);
    toe_trace_ethq_recv(ctx->id, (uint32_t)len, buf.buf_id);
}
