/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rqm_priv.h - what the handlers of requests share: rqm.c, sock_ops.c.
 */
#ifndef TOE_RQM_PRIV_H
#define TOE_RQM_PRIV_H

#include "adapter_priv.h"

#define LATER (-1)
#define AGAIN (-2)

typedef struct Request {
    ToeCtx *ctx;
    ToeConn *c;                 /* of ops that name a connection */
    ToeSock *s;                 /* of ops that name a socket */
    const struct toe_hw_req *r;
    struct toe_hw_cqe cqe;      /* completion to be */
} Request;

/* Count and log; TOE_ST_INVALID. */
int toe_rqm_bad(ToeAdapter *a, Request *q, const char *why);
/* May the context have this local port?  False: counted and logged. */
bool toe_rqm_port_allowed(ToeAdapter *a, ToeCtx *ctx, uint16_t port,
                          const char *what);

/* ---- sock_ops.c ---- */

int toe_op_udp_open(ToeAdapter *a, Request *q);
int toe_op_udp_connect(ToeAdapter *a, Request *q);
int toe_op_udp_send(ToeAdapter *a, Request *q);
int toe_op_udp_credit(ToeAdapter *a, Request *q);
int toe_op_udp_close(ToeAdapter *a, Request *q);
int toe_op_udp_setopt(ToeAdapter *a, Request *q);
int toe_op_udp_getopt(ToeAdapter *a, Request *q);
int toe_op_udp_join(ToeAdapter *a, Request *q);
int toe_op_udp_leave(ToeAdapter *a, Request *q);

#endif
