/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sock.h - the host half of a UDP socket: who owns it, how many datagrams it
 * may receive, what it still has to report.  See sock.c.
 */
#ifndef TOE_SOCK_H
#define TOE_SOCK_H

#include "context.h"
#include "datagram.h"
#include "list.h"
#include "toe_hw.h"

/* Events not reported yet. */
#define TOE_SOCK_EV_RX          0x01
#define TOE_SOCK_EV_ERROR       0x02
#define TOE_SOCK_EV_WRITABLE    0x04

/* Of the adapter's groups one context may have a quarter joined. */
#define TOE_SOCK_CTX_GROUPS     256u

typedef enum ToeSockWait {      /* the context's list that holds it */
    TOE_SOCK_WAIT_NOT,
    TOE_SOCK_WAIT_READY,
    TOE_SOCK_WAIT_ANY,
    TOE_SOCK_WAIT_LARGE,
} ToeSockWait;

typedef struct ToeSock {
    uint32_t handle;            /* 0: free */
    uint32_t ctx;
    uint64_t cookie;            /* of UDP_OPEN */
    uint32_t credit;            /* datagrams that may still be delivered */
    uint8_t events;             /* TOE_SOCK_EV_* */
    uint8_t wait;               /* ToeSockWait */
    uint8_t status;             /* of the ERROR event, and its remote */
    uint8_t family;
    uint8_t ngroups;            /* joined */
    uint16_t rport;
    uint8_t raddr[16];
    ToeLink own;                /* the context's socks */
    ToeLink ev;                 /* by wait */
} ToeSock;

typedef struct ToeSocks {
    ToeSock *table;             /* size entries, by toe_udp_index() */
    uint32_t size;
} ToeSocks;

#define TOE_SOCK_LINKS(a, member) \
    ((ToeLinks) { (char *)(a)->socks.table + offsetof(ToeSock, member), \
                  sizeof(ToeSock) })

/* After the NOP was made: it says how many there are. */
void toe_sock_init(struct ToeAdapter *a);
void toe_sock_fini(struct ToeAdapter *a);
void toe_sock_reset(struct ToeAdapter *a);

/* The live socket of this handle, whoever owns it, or NULL. */
ToeSock *toe_sock_find(struct ToeAdapter *a, uint32_t handle);
/* Make the host half for a handle that the NOP just gave; NULL: no place. */
ToeSock *toe_sock_new(struct ToeAdapter *a, ToeCtx *ctx, uint32_t handle,
                      uint64_t cookie, uint32_t credit);
/* Let go; what was sent still goes out. */
void toe_sock_close(struct ToeAdapter *a, ToeSock *s);
void toe_sock_close_all(struct ToeAdapter *a, ToeCtx *ctx);
void toe_sock_credit(struct ToeAdapter *a, ToeSock *s, uint32_t datagrams);
/* Report whatever of a context's sockets waits and can be. */
void toe_sock_pump_ctx(struct ToeAdapter *a, ToeCtx *ctx);

/* Events of the NOP: part of toe_conn_ops. */
void toe_sock_on_readable(void *opaque, uint32_t handle);
void toe_sock_on_writable(void *opaque, uint32_t handle);
void toe_sock_on_error(void *opaque, uint32_t handle, uint8_t status,
                       uint16_t rport, const uint8_t *raddr);

#endif
