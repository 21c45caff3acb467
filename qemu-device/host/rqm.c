/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rqm.c - the request queue manager: fetches requests and runs them.
 *
 * Requests are read in batches, copied once, and run in order through a table
 * that says for each opcode which flags it may carry, whether it names a
 * connection, how many bytes of its body are defined (the rest must be zero),
 * and who handles it.  A request is run only if the CQ has room for its
 * completion.  One context runs a bounded number of requests a turn.
 *
 * A handler returns the status of its completion, or LATER: a SEND, SHUTDOWN
 * or CLOSE that waits on its connection (conn.c), or AGAIN: run this request
 * once more when the port is ready, and nothing of this queue before.
 *
 * Completions of one connection's SEND, SHUTDOWN, CLOSE and ABORT come in the
 * order of the requests.  CREDIT, SETOPT, GETOPT and INFO act at once and
 * may complete before a SEND that waits.
 *
 * No doorbell is missed: while requests are left for the next turn, or the
 * context is watched (toe_ctx_watch()), rq_looking is set, and the application
 * need not ring.  Before the adapter stops
 * looking it clears the flag and reads rq_tail once more; the application
 * moves rq_tail, then looks at rq_looking.  Requests that wait for the CQ or
 * the port leave the flag as it is: the adapter looks again when they go on.
 */
#include "rqm_priv.h"
#include "toe_trace.h"

#define BATCH 16u

typedef struct Op {
    const char *name;
    int (*run)(ToeAdapter *a, Request *q);
    uint8_t flags;              /* allowed, besides QUIET */
    uint8_t rights;             /* needed */
    uint8_t body;               /* bytes defined; the rest must be zero */
    bool handle;                /* names a connection of the context */
    bool socket;                /* names a socket of the context */
    bool pieces;                /* npieces means something */
    bool silent;                /* QUIET whether it says so or not */
    bool next;                  /* handle 0: about the connection to come */
    bool first;                 /* that is this; it uses up what was said */
} Op;

bool toe_rqm_port_allowed(ToeAdapter *a, ToeCtx *ctx, uint16_t port,
                          const char *what)
{
    if (port == 0 || port >= 1024 || (ctx->rights & TOE_RIGHT_LOWPORT)) {
        return true;
    }
    toe_count(&a->counters, VIOL_PERM);
    ctx->errors++;
    toe_guest_error(a, "context %u: %s: local port %u needs the right for "
                    "ports below 1024", ctx->id, what, port);
    return false;
}

int toe_rqm_bad(ToeAdapter *a, Request *q, const char *why)
{
    toe_count(&a->counters, VIOL_REQUEST);
    q->ctx->errors++;
    toe_trace_rqm_bad(q->ctx->id, q->r->opcode, q->r->flags, why);
    toe_guest_error(a, "context %u: request 0x%02x, flags 0x%02x: %s",
                    q->ctx->id, q->r->opcode, q->r->flags, why);
    return TOE_ST_INVALID;
}

static int bad_request(ToeAdapter *a, Request *q, const char *why)
{
    return toe_rqm_bad(a, q, why);
}

/* ---- Handlers ---------------------------------------------------------- */

static int op_nop(ToeAdapter *a, Request *q)
{
    (void)a;
    (void)q;
    return TOE_ST_OK;
}

/*
 * The SETOPTs that came before.  They count from the first segment on, which
 * goes out later in this turn.
 */
static uint8_t options_before(ToeAdapter *a, ToeCtx *ctx, uint32_t handle)
{
    uint8_t status = TOE_ST_OK;

    for (uint32_t i = 0; i < ctx->nfirst && status == TOE_ST_OK; i++) {
        status = toe_stream_setopt(a->nop, handle, ctx->first[i].option,
                                   ctx->first[i].value);
    }
    return status;
}

static int op_connect(ToeAdapter *a, Request *q)
{
    const struct toe_hw_req *r = q->r;
    ToeTuple t = {
        .family = r->u.connect.family,
        .lport = r->u.connect.lport,
        .rport = r->u.connect.rport,
    };
    ToeConn *c;
    uint32_t handle;
    uint8_t status;

    if (r->u.connect.rsvd0 || r->u.connect.rsvd1 || r->u.connect.rsvd2) {
        return bad_request(a, q, "a reserved field is not zero");
    }
    if (!t.rport) {
        return bad_request(a, q, "the remote port is 0");
    }
    if (!toe_rqm_port_allowed(a, q->ctx, t.lport, "CONNECT")) {
        return TOE_ST_PERM;
    }
    if (toe_conn_quota(q->ctx)) {
        return TOE_ST_QUOTA;
    }
    memcpy(t.laddr, r->u.connect.laddr, sizeof(t.laddr));
    memcpy(t.raddr, r->u.connect.raddr, sizeof(t.raddr));
    status = r->flags & TOE_REQ_F_FASTOPEN
             ? toe_stream_connect_fast(a->nop, &t, &handle)
             : toe_stream_connect(a->nop, &t, &handle);
    if (status != TOE_ST_OK) {
        return status;
    }
    status = options_before(a, q->ctx, handle);
    if (status != TOE_ST_OK) {
        toe_stream_abort(a->nop, handle);
        return status;
    }
    c = toe_conn_new(a, q->ctx, handle, TOE_CONN_CONNECTING, r->cookie);
    if (!c) {
        toe_stream_abort(a->nop, handle);
        return TOE_ST_NOMEM;
    }
    c->credit = r->u.connect.credit;
    q->cqe.handle = handle;
    toe_trace_rqm_connect(q->ctx->id, handle, t.lport, t.rport);
    return TOE_ST_OK;
}

static int op_listen(ToeAdapter *a, Request *q)
{
    const struct toe_hw_req *r = q->r;
    ToeTuple t = {
        .family = r->u.listen.family,
        .lport = r->u.listen.lport,
    };
    uint32_t handle;
    uint8_t status;

    if (r->u.listen.rsvd0) {
        return bad_request(a, q, "a reserved field is not zero");
    }
    if (!toe_rqm_port_allowed(a, q->ctx, t.lport, "LISTEN")) {
        return TOE_ST_PERM;
    }
    if (toe_conn_quota(q->ctx)) {
        return TOE_ST_QUOTA;
    }
    memcpy(t.laddr, r->u.listen.laddr, sizeof(t.laddr));
    status = toe_stream_listen(a->nop, &t, r->u.listen.backlog, &handle);
    if (status != TOE_ST_OK) {
        return status;
    }
    status = options_before(a, q->ctx, handle);
    if (status != TOE_ST_OK) {
        toe_stream_abort(a->nop, handle);
        return status;
    }
    if (!toe_conn_new(a, q->ctx, handle, TOE_CONN_LISTENER, r->cookie)) {
        toe_stream_abort(a->nop, handle);
        return TOE_ST_NOMEM;
    }
    q->cqe.handle = handle;
    q->cqe.u.cpl.result = t.lport;
    toe_trace_rqm_listen(q->ctx->id, handle, t.lport);
    return TOE_ST_OK;
}

static int op_accept(ToeAdapter *a, Request *q)
{
    ToeConn *c = q->c;

    if (c->state != TOE_CONN_INCOMING || !c->reported) {
        return TOE_ST_STATE;
    }
    if (c->dead && c->status != TOE_ST_OK) {
        uint8_t status = c->status;

        /* It came, and died before anyone took it. */
        toe_conn_drop(a, c, status, false);
        return status;
    }
    c->state = TOE_CONN_OPEN;
    c->cookie = q->r->cookie;
    toe_conn_taken(a, c);
    toe_stream_accepted(a->nop, c->handle);
    toe_trace_rqm_accept(q->ctx->id, c->handle);
    /* What is there already is reported behind this request's completion. */
    toe_conn_credit_later(a, c, q->r->u.credit.credit);
    return TOE_ST_OK;
}

/* Copy the pieces of a SEND, which may be in a list in host memory. */
static int take_pieces(ToeAdapter *a, Request *q, ToeParked *p)
{
    const struct toe_hw_req *r = q->r;
    const struct toe_hw_piece *list = &r->u.piece[0];
    const struct toe_hw_piece *use = p->inl;
    uint32_t size = r->npieces * sizeof(struct toe_hw_piece);
    uint8_t status;

    p->npieces = r->npieces;
    if (!(r->flags & TOE_REQ_F_LIST)) {
        if (!r->npieces || r->npieces > TOE_PIECES_INLINE) {
            return bad_request(a, q, "npieces is not 1..3");
        }
        memcpy(p->inl, r->u.piece, size);
    } else {
        if (!r->npieces || r->npieces > TOE_PIECES_MAX) {
            return bad_request(a, q, "npieces is not 1..256");
        }
        if (list->length != size) {
            return bad_request(a, q, "the list's length is not that of its "
                               "pieces");
        }
        if (q->ctx->list_pieces + r->npieces > TOE_CTX_LIST_PIECES) {
            return TOE_ST_AGAIN;
        }
        p->list = g_malloc(size);
        status = toe_memval_read(a, q->ctx, list->key, list->offset, p->list,
                                 size, "SEND list");
        if (status != TOE_ST_OK) {
            return status;
        }
        use = p->list;
    }
    return toe_dma_check_pieces(a, q->ctx, use, p->npieces, TOE_SEND_MAX,
                                &p->total);
}

static int op_send(ToeAdapter *a, Request *q)
{
    ToeConn *c = q->c;
    ToeParked p = {
        .cookie = q->r->cookie,
        .opcode = TOE_OP_SEND,
        .flags = q->r->flags,
    };
    int status;
    uint8_t dma_status = TOE_ST_OK;

    if (c->state != TOE_CONN_OPEN && c->state != TOE_CONN_CONNECTING) {
        return TOE_ST_STATE;
    }
    if (c->shut) {
        return TOE_ST_CLOSED;
    }
    if (c->dead) {
        return c->status != TOE_ST_OK ? c->status : TOE_ST_CLOSED;
    }
    if (c->broken) {
        return TOE_ST_ABORTED;
    }
    if (c->nparked >= TOE_PENDING_SENDS) {
        return TOE_ST_AGAIN;
    }
    status = take_pieces(a, q, &p);
    if (status != TOE_ST_OK) {
        g_free(p.list);
        return status;
    }

    if (!c->nparked) {
        switch (toe_dma_out(a, q->ctx, c, &p, &dma_status)) {
        case TOE_DMA_DONE:
            g_free(p.list);
            q->cqe.u.cpl.bytes = p.done;
            return TOE_ST_OK;
        case TOE_DMA_FAILED:
            g_free(p.list);
            q->cqe.u.cpl.bytes = p.done;
            return dma_status;
        default:
            break;              /* the rest waits */
        }
    }
    if (!toe_conn_park(a, c, &p)) {
        g_free(p.list);
        return TOE_ST_AGAIN;
    }
    toe_count(&a->counters, RQM_PARKED);
    toe_trace_rqm_park(q->ctx->id, c->handle, p.done, p.total);
    if (c->nparked == 1) {
        toe_conn_continue(a, c);        /* joins the list it waits on */
    }
    return LATER;
}

static int op_credit(ToeAdapter *a, Request *q)
{
    if (q->c->state != TOE_CONN_OPEN &&
        q->c->state != TOE_CONN_CONNECTING) {
        return TOE_ST_STATE;
    }
    toe_conn_credit(a, q->c, q->r->u.credit.credit);
    return TOE_ST_OK;
}

static int op_shutdown(ToeAdapter *a, Request *q)
{
    ToeConn *c = q->c;
    ToeParked p = {
        .cookie = q->r->cookie,
        .opcode = TOE_OP_SHUTDOWN,
        .flags = q->r->flags,
    };

    if (c->state != TOE_CONN_OPEN && c->state != TOE_CONN_CONNECTING) {
        return TOE_ST_STATE;
    }
    if (c->shut) {
        return TOE_ST_CLOSED;
    }
    if (c->dead) {
        return c->status != TOE_ST_OK ? c->status : TOE_ST_CLOSED;
    }
    if (c->broken) {
        return TOE_ST_ABORTED;
    }
    if (c->nparked) {
        if (!toe_conn_park(a, c, &p)) {
            return TOE_ST_AGAIN;
        }
        c->shut = true;
        return LATER;
    }
    if (c->state == TOE_CONN_CONNECTING) {
        return TOE_ST_STATE;
    }
    c->shut = true;
    return toe_stream_shutdown(a->nop, c->handle);
}

static int op_close(ToeAdapter *a, Request *q)
{
    /* Posts its own completion, now or after the SENDs before it. */
    toe_conn_close(a, q->c, q->r->cookie, q->r->flags & TOE_REQ_F_QUIET);
    return LATER;
}

static int op_abort(ToeAdapter *a, Request *q)
{
    toe_conn_drop(a, q->c, TOE_ST_ABORTED, true);
    return TOE_ST_OK;
}

/* Without a handle: to be remembered.  Its value is judged when it is used. */
static int setopt_before(ToeAdapter *a, Request *q)
{
    ToeCtx *ctx = q->ctx;
    uint32_t i = 0;

    while (i < ctx->nfirst && ctx->first[i].option != q->r->u.opt.option) {
        i++;
    }
    if (i == TOE_FIRST_OPTIONS) {
        return bad_request(a, q, "too many options without a handle");
    }
    ctx->first[i].option = q->r->u.opt.option;
    ctx->first[i].value = q->r->u.opt.value;
    ctx->nfirst = MAX(ctx->nfirst, i + 1);
    return TOE_ST_OK;
}

static int op_setopt(ToeAdapter *a, Request *q)
{
    if (q->r->u.opt.rsvd0) {
        return bad_request(a, q, "a reserved field is not zero");
    }
    if (!q->r->handle) {
        return setopt_before(a, q);
    }
    return toe_stream_setopt(a->nop, q->c->handle, q->r->u.opt.option,
                             q->r->u.opt.value);
}

static int op_getopt(ToeAdapter *a, Request *q)
{
    uint64_t value = 0;
    uint8_t status;

    if (q->r->u.opt.rsvd0 || q->r->u.opt.value) {
        return bad_request(a, q, "a reserved field is not zero");
    }
    status = toe_stream_getopt(a->nop, q->c->handle, q->r->u.opt.option,
                               &value);
    q->cqe.u.cpl.result = status == TOE_ST_OK ? value : 0;
    return status;
}

static int op_info(ToeAdapter *a, Request *q)
{
    const struct toe_hw_piece *piece = &q->r->u.piece[0];
    struct toe_hw_tcp_info info;
    uint32_t len = MIN(piece->length, sizeof(info));
    uint8_t status;

    if (q->r->npieces != 1 || !len) {
        return bad_request(a, q, "it needs one piece with a length");
    }
    status = toe_stream_tcp_info(a->nop, q->c->handle, &info);
    if (status == TOE_ST_OK) {
        status = toe_memval_write(a, q->ctx, piece->key, piece->offset, &info,
                                  len, "INFO piece");
    }
    q->cqe.u.cpl.bytes = status == TOE_ST_OK ? len : 0;
    return status;
}

static int op_eth_send(ToeAdapter *a, Request *q)
{
    bool busy;
    uint8_t status;

    if (!q->r->npieces || q->r->npieces > TOE_PIECES_INLINE) {
        return bad_request(a, q, "npieces is not 1..3");
    }
    status = toe_ethq_send(a, q->ctx, q->r, &busy);
    return busy ? AGAIN : status;
}

static const Op ops[256] = {
    [TOE_OP_NOP] = { .name = "NOP", .run = op_nop },
    [TOE_OP_CONNECT] = { .name = "CONNECT", .run = op_connect, .body = 48,
                         .flags = TOE_REQ_F_FASTOPEN, .first = true },
    [TOE_OP_LISTEN] = { .name = "LISTEN", .run = op_listen, .body = 24,
                        .first = true },
    [TOE_OP_ACCEPT] = { .name = "ACCEPT", .run = op_accept, .body = 4,
                        .handle = true },
    [TOE_OP_SEND] = { .name = "SEND", .run = op_send, .body = 48,
                      .flags = TOE_REQ_F_MORE | TOE_REQ_F_LIST |
                               TOE_REQ_F_URGENT,
                      .handle = true, .pieces = true },
    [TOE_OP_CREDIT] = { .name = "CREDIT", .run = op_credit, .body = 4,
                        .handle = true, .silent = true },
    [TOE_OP_SHUTDOWN] = { .name = "SHUTDOWN", .run = op_shutdown,
                          .handle = true },
    [TOE_OP_CLOSE] = { .name = "CLOSE", .run = op_close, .handle = true },
    [TOE_OP_ABORT] = { .name = "ABORT", .run = op_abort, .handle = true },
    [TOE_OP_SETOPT] = { .name = "SETOPT", .run = op_setopt, .body = 16,
                        .handle = true, .next = true },
    [TOE_OP_GETOPT] = { .name = "GETOPT", .run = op_getopt, .body = 16,
                        .handle = true },
    [TOE_OP_INFO] = { .name = "INFO", .run = op_info, .body = 16,
                      .handle = true, .pieces = true },
    [TOE_OP_UDP_OPEN] = { .name = "UDP_OPEN", .run = toe_op_udp_open,
                          .body = 48 },
    [TOE_OP_UDP_CONNECT] = { .name = "UDP_CONNECT", .run = toe_op_udp_connect,
                             .body = 24, .socket = true },
    [TOE_OP_UDP_SEND] = { .name = "UDP_SEND", .run = toe_op_udp_send,
                          .body = 40, .flags = TOE_REQ_F_LIST,
                          .socket = true, .pieces = true },
    [TOE_OP_UDP_CREDIT] = { .name = "UDP_CREDIT", .run = toe_op_udp_credit,
                            .body = 4, .socket = true, .silent = true },
    [TOE_OP_UDP_CLOSE] = { .name = "UDP_CLOSE", .run = toe_op_udp_close,
                           .socket = true },
    [TOE_OP_UDP_SETOPT] = { .name = "UDP_SETOPT", .run = toe_op_udp_setopt,
                            .body = 16, .socket = true },
    [TOE_OP_UDP_GETOPT] = { .name = "UDP_GETOPT", .run = toe_op_udp_getopt,
                            .body = 16, .socket = true },
    [TOE_OP_UDP_JOIN] = { .name = "UDP_JOIN", .run = toe_op_udp_join,
                          .body = 24, .socket = true },
    [TOE_OP_UDP_LEAVE] = { .name = "UDP_LEAVE", .run = toe_op_udp_leave,
                           .body = 24, .socket = true },
    [TOE_OP_ETH_SEND] = { .name = "ETH_SEND", .run = op_eth_send, .body = 48,
                          .rights = TOE_RIGHT_ETH, .pieces = true },
};

/* ---- Fetch and dispatch ------------------------------------------------ */

/* What holds for every request; then the handle's owner and generation. */
static int check_request(ToeAdapter *a, Request *q, const Op *op)
{
    const struct toe_hw_req *r = q->r;
    ToeCtx *ctx = q->ctx;
    uint32_t owner;

    if (!op->run) {
        return bad_request(a, q, "there is no such opcode");
    }
    if (r->flags & ~(op->flags | TOE_REQ_F_QUIET)) {
        return bad_request(a, q, "it may not have these flags");
    }
    if ((!op->pieces && r->npieces) ||
        !toe_all_zero(r->u.raw + op->body, sizeof(r->u.raw) - op->body)) {
        return bad_request(a, q, "a reserved field is not zero");
    }
    if ((ctx->rights & op->rights) != op->rights) {
        toe_count(&a->counters, VIOL_PERM);
        ctx->errors++;
        toe_guest_error(a, "context %u: %s needs rights 0x%x, it has 0x%x",
                        ctx->id, op->name, op->rights, ctx->rights);
        return TOE_ST_PERM;
    }
    if (op->next && !r->handle) {
        return TOE_ST_OK;
    }
    if (!op->handle && !op->socket) {
        return r->handle ? bad_request(a, q, "it may not name a handle")
                         : TOE_ST_OK;
    }
    if (op->socket) {
        q->s = toe_sock_find(a, r->handle);
        owner = q->s ? q->s->ctx : TOE_NONE;
    } else {
        q->c = toe_conn_find(a, r->handle);
        owner = q->c ? q->c->ctx : TOE_NONE;
    }
    if (owner != TOE_NONE && owner != ctx->id) {
        toe_count(&a->counters, VIOL_OWNER);
        ctx->errors++;
        toe_trace_rqm_violation(ctx->id, r->opcode, r->handle, TOE_ST_OWNER);
        toe_guest_error(a, "context %u: %s: handle 0x%x belongs to another "
                        "context", ctx->id, op->name, r->handle);
        return TOE_ST_OWNER;
    }
    if (owner == TOE_NONE || (q->c && q->c->state == TOE_CONN_CLOSING)) {
        toe_count(&a->counters, VIOL_HANDLE);
        ctx->errors++;
        toe_trace_rqm_violation(ctx->id, r->opcode, r->handle,
                                TOE_ST_HANDLE);
        toe_guest_error(a, "context %u: %s: there is no handle 0x%x",
                        ctx->id, op->name, r->handle);
        return TOE_ST_HANDLE;
    }
    return TOE_ST_OK;
}

/* False: the request must be run again when the port is ready. */
static bool execute(ToeAdapter *a, ToeCtx *ctx, const struct toe_hw_req *r)
{
    const Op *op = &ops[r->opcode];
    Request q = {
        .ctx = ctx,
        .r = r,
        .cqe = {
            .type = TOE_EV_COMPLETION,
            .handle = r->handle,
            .cookie = r->cookie,
            .u.cpl.opcode = r->opcode,
        },
    };
    int status;

    toe_trace_rqm_request(ctx->id, r->opcode, r->flags, r->handle,
                          r->cookie);
    status = check_request(a, &q, op);
    if (status == TOE_ST_OK) {
        status = op->run(a, &q);
    }
    if (status == AGAIN) {
        return false;
    }
    if (op->first) {
        ctx->nfirst = 0;                /* whatever became of it */
    }
    if (status > TOE_ST_OK) {
        toe_count(&a->counters, RQM_ERRORS);
    }
    if (status > TOE_ST_OK || (status == TOE_ST_OK && !op->silent &&
                               !(r->flags & TOE_REQ_F_QUIET))) {
        q.cqe.status = status;
        toe_cqm_post(a, ctx, &q.cqe);
    }
    return true;
}

bool toe_rqm_run(ToeAdapter *a, ToeCtx *ctx)
{
    struct toe_hw_req batch[BATCH];
    uint32_t size = 1u << ctx->q.rq_log2;
    uint32_t left = TOE_TURN_REQUESTS;
    uint64_t stop_at = a->turn.copied + TOE_TURN_BYTES;

    while (toe_ctx_alive(ctx)) {
        uint32_t waiting = ctx->in.rq_tail - ctx->out.rq_head;
        uint32_t slot = ctx->out.rq_head & (size - 1);
        uint32_t n;
        uint8_t status;

        if (!waiting) {
            if (ctx->watch) {
                if (!ctx->out.rq_looking) {
                    ctx->out.rq_looking = 1;
                    toe_ctx_dirty(a, ctx);
                }
                return false;
            }
            if (!ctx->out.rq_looking) {
                return false;
            }
            ctx->out.rq_looking = 0;
            if (!toe_ctx_publish(a, ctx) || !toe_ctx_refresh(a, ctx, true)) {
                return false;
            }
            continue;
        }
        if (!left || a->turn.copied >= stop_at) {
            ctx->out.rq_looking = 1;
            toe_ctx_dirty(a, ctx);
            return true;
        }
        if (!toe_cqm_room(a, ctx)) {
            return false;               /* room in the CQ runs it again */
        }

        n = MIN(MIN(waiting, left), MIN(BATCH, size - slot));
        status = toe_memval_read(a, ctx, ctx->q.key, ctx->q.rq +
                                 (uint64_t)slot * sizeof(batch[0]), batch,
                                 n * sizeof(batch[0]), "request queue");
        if (status != TOE_ST_OK) {
            toe_ctx_fault(a, ctx, status, "its request queue is gone");
            return false;
        }
        for (uint32_t i = 0; i < n; i++) {
            if (a->turn.copied >= stop_at || !toe_cqm_room(a, ctx)) {
                break;
            }
            if (!execute(a, ctx, &batch[i])) {
                return false;           /* the port runs it again */
            }
            ctx->out.rq_head++;
            ctx->requests++;
            toe_count(&a->counters, RQM_REQUESTS);
            a->turn.requests++;
            left--;
            toe_ctx_dirty(a, ctx);
            if (!toe_ctx_alive(ctx)) {
                return false;
            }
        }
    }
    return false;
}
