/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sock_ops.c - the requests about UDP sockets, 0x20 to 0x2f.
 *
 * Run by rqm.c's table after its checks: flags, reserved bytes behind the
 * body, rights, the handle's owner and generation.  None of them waits.
 */
#include "rqm_priv.h"
#include "toe_trace.h"

/* The result of UDP_OPEN and UDP_CONNECT: local port and address. */
static void tell_local(Request *q, const ToeTuple *t)
{
    q->cqe.u.udp_cpl.result = t->lport;
    memcpy(q->cqe.u.udp_cpl.laddr, t->laddr, 16);
}

int toe_op_udp_open(ToeAdapter *a, Request *q)
{
    const struct toe_hw_req *r = q->r;
    ToeTuple t = {
        .family = r->u.udp_open.family,
        .lport = r->u.udp_open.lport,
        .rport = r->u.udp_open.rport,
    };
    uint32_t handle;
    uint8_t status;

    if (r->u.udp_open.rsvd0 || r->u.udp_open.rsvd1) {
        return toe_rqm_bad(a, q, "a reserved field is not zero");
    }
    if (r->u.udp_open.flags & ~TOE_UDP_F_REUSE) {
        return toe_rqm_bad(a, q, "a socket has no such flag");
    }
    if (!toe_rqm_port_allowed(a, q->ctx, t.lport, "UDP_OPEN")) {
        return TOE_ST_PERM;
    }
    if (toe_conn_quota(q->ctx)) {
        return TOE_ST_QUOTA;
    }
    memcpy(t.laddr, r->u.udp_open.laddr, sizeof(t.laddr));
    memcpy(t.raddr, r->u.udp_open.raddr, sizeof(t.raddr));
    status = toe_udp_open(a->nop, &t, r->u.udp_open.flags, &handle);
    if (status != TOE_ST_OK) {
        return status;
    }
    if (!toe_sock_new(a, q->ctx, handle, r->cookie, r->u.udp_open.credit)) {
        toe_udp_close(a->nop, handle);
        return TOE_ST_NOMEM;
    }
    q->cqe.handle = handle;
    tell_local(q, &t);
    return TOE_ST_OK;
}

int toe_op_udp_connect(ToeAdapter *a, Request *q)
{
    const struct toe_hw_req *r = q->r;
    ToeTuple t = {
        .family = r->u.udp_connect.family,
        .rport = r->u.udp_connect.rport,
    };
    uint8_t status;

    if (r->u.udp_connect.rsvd0 || r->u.udp_connect.rsvd1) {
        return toe_rqm_bad(a, q, "a reserved field is not zero");
    }
    memcpy(t.raddr, r->u.udp_connect.raddr, sizeof(t.raddr));
    if (!t.family != !t.rport ||
        (!t.family && !toe_all_zero(t.raddr, sizeof(t.raddr)))) {
        return toe_rqm_bad(a, q, "the remote is neither whole nor zero");
    }
    status = toe_udp_connect(a->nop, q->s->handle, &t);
    if (status == TOE_ST_OK) {
        tell_local(q, &t);
    }
    return status;
}

/* Copy and check the pieces; *use: where they are then. */
static int take_pieces(ToeAdapter *a, Request *q, struct toe_hw_piece *room,
                       ToeParked *p)
{
    const struct toe_hw_req *r = q->r;
    const struct toe_hw_piece *list = &r->u.udp_send.piece;
    uint32_t size = r->npieces * sizeof(*room);
    uint8_t status;

    p->npieces = r->npieces;
    p->list = room;
    if (!(r->flags & TOE_REQ_F_LIST)) {
        if (r->npieces > 1 ||
            (!r->npieces && (list->key || list->length || list->offset))) {
            return toe_rqm_bad(a, q, "npieces is not 0 or 1");
        }
        room[0] = *list;
    } else {
        if (!r->npieces || r->npieces > TOE_PIECES_MAX) {
            return toe_rqm_bad(a, q, "npieces is not 1..256");
        }
        if (list->length != size) {
            return toe_rqm_bad(a, q, "the list's length is not that of its "
                               "pieces");
        }
        status = toe_memval_read(a, q->ctx, list->key, list->offset, room,
                                 size, "UDP_SEND list");
        if (status != TOE_ST_OK) {
            return status;
        }
    }
    return toe_dma_check_pieces(a, q->ctx, room, p->npieces,
                                TOE_UDP_DATA_MAX_V6, &p->total);
}

int toe_op_udp_send(ToeAdapter *a, Request *q)
{
    const struct toe_hw_req *r = q->r;
    struct toe_hw_piece room[TOE_PIECES_MAX];
    ToeChain data = toe_chain_init();
    ToeParked p = { .opcode = TOE_OP_UDP_SEND };
    ToeDgram d = {
        .family = r->u.udp_send.family,
        .rport = r->u.udp_send.rport,
    };
    int status;

    if (r->u.udp_send.rsvd0 || r->u.udp_send.rsvd1) {
        return toe_rqm_bad(a, q, "a reserved field is not zero");
    }
    memcpy(d.raddr, r->u.udp_send.raddr, sizeof(d.raddr));
    if (!d.family && (d.rport || !toe_all_zero(d.raddr, sizeof(d.raddr)))) {
        return toe_rqm_bad(a, q, "a remote without a family");
    }
    status = take_pieces(a, q, room, &p);
    if (status != TOE_ST_OK) {
        return status;
    }
    d.len = p.total;
    status = toe_udp_send_check(a->nop, q->s->handle, &d);
    if (status != TOE_ST_OK) {
        return status;
    }
    if (!toe_chain_extend(a->lmem, &data, d.len, TOE_LMEM_OUT)) {
        return TOE_ST_NOMEM;
    }
    status = toe_dma_fill(a, q->ctx, &p, &data, d.len);
    if (status != TOE_ST_OK) {
        toe_chain_clear(a->lmem, &data);
        return status;
    }
    a->turn.copied += d.len;
    toe_count_add(&a->counters, DMA_BYTES_OUT, d.len);
    toe_udp_send(a->nop, q->s->handle, &d, &data);
    q->cqe.u.cpl.bytes = d.len;
    return TOE_ST_OK;
}

int toe_op_udp_credit(ToeAdapter *a, Request *q)
{
    toe_sock_credit(a, q->s, q->r->u.credit.credit);
    return TOE_ST_OK;
}

int toe_op_udp_close(ToeAdapter *a, Request *q)
{
    toe_sock_close(a, q->s);
    return TOE_ST_OK;
}

static bool group_reserved(const struct toe_hw_req *r)
{
    return !toe_all_zero(r->u.udp_group.rsvd0, sizeof(r->u.udp_group.rsvd0));
}

int toe_op_udp_join(ToeAdapter *a, Request *q)
{
    uint8_t status;

    if (group_reserved(q->r)) {
        return toe_rqm_bad(a, q, "a reserved field is not zero");
    }
    if (q->ctx->ngroups >= TOE_SOCK_CTX_GROUPS) {
        return TOE_ST_QUOTA;
    }
    status = toe_udp_join(a->nop, q->s->handle, q->r->u.udp_group.family,
                          q->r->u.udp_group.group);
    if (status == TOE_ST_OK) {
        q->s->ngroups++;
        q->ctx->ngroups++;
    }
    return status;
}

int toe_op_udp_leave(ToeAdapter *a, Request *q)
{
    uint8_t status;

    if (group_reserved(q->r)) {
        return toe_rqm_bad(a, q, "a reserved field is not zero");
    }
    status = toe_udp_leave(a->nop, q->s->handle, q->r->u.udp_group.family,
                           q->r->u.udp_group.group);
    if (status == TOE_ST_OK) {
        q->s->ngroups--;
        q->ctx->ngroups--;
    }
    return status;
}

int toe_op_udp_setopt(ToeAdapter *a, Request *q)
{
    if (q->r->u.opt.rsvd0) {
        return toe_rqm_bad(a, q, "a reserved field is not zero");
    }
    return toe_udp_setopt(a->nop, q->s->handle, q->r->u.opt.option,
                          q->r->u.opt.value);
}

int toe_op_udp_getopt(ToeAdapter *a, Request *q)
{
    uint64_t value = 0;
    uint8_t status;

    if (q->r->u.opt.rsvd0 || q->r->u.opt.value) {
        return toe_rqm_bad(a, q, "a reserved field is not zero");
    }
    status = toe_udp_getopt(a->nop, q->s->handle, q->r->u.opt.option, &value);
    q->cqe.u.cpl.result = status == TOE_ST_OK ? value : 0;
    return status;
}
