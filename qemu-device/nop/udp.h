/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp.h - inside UDP: what udp.c, udp_in.c and udp_out.c share.
 */
#ifndef TOE_NOP_UDP_H
#define TOE_NOP_UDP_H

#include "datagram.h"
#include "group.h"
#include "list.h"
#include "nop.h"
#include "wire.h"

#define TOE_UDP_HLEN            8u

#define TOE_UDP_SOCKETS_MAX     16384u
#define TOE_UDP_PORT_SHARE      256u    /* sockets on one local port */
#define TOE_UDP_BUF_DEFAULT     212992u /* what Linux has */
#define TOE_UDP_BUF_MIN         2048u
#define TOE_UDP_BUF_MAX         (8u << 20)
#define TOE_UDP_GROUPS          16u     /* that a socket may join */
/* No path is believed to take less: what every host takes (RFC 791). */
#define TOE_UDP_PATH_LEAST      576u
/* What a datagram costs a queue besides its bytes. */
#define TOE_UDP_OVERHEAD        256u

typedef enum ToeUdpKind {
    TOE_UDP_FREE,
    TOE_UDP_OPEN,
    TOE_UDP_CLOSING,            /* without an owner; its queue goes out */
} ToeUdpKind;

/* A datagram in a queue.  In a table: local memory is the guest's to write. */
typedef struct ToeUdpRecord {
    ToeDgram d;
    ToeChain data;
    uint32_t next;              /* in its queue, or the next free one */
} ToeUdpRecord;

typedef struct ToeUdpQueue {
    uint32_t first;
    uint32_t last;
    uint32_t bytes;             /* TOE_UDP_OVERHEAD for each included */
} ToeUdpQueue;

typedef struct ToeUdpSock {
    uint16_t generation;
    uint8_t kind;               /* ToeUdpKind */
    uint8_t family;
    uint16_t lport;
    uint16_t rport;             /* 0: not connected */
    uint8_t flags;              /* TOE_UDP_F_* */
    uint8_t ttl;                /* 0: the adapter's */
    uint8_t tos;
    bool dont_fragment;
    bool broadcast;             /* may send to everybody */
    bool group_loop;            /* what it sends to groups is heard here */
    uint8_t group_ttl;
    uint8_t ngroups;
    uint16_t groups[TOE_UDP_GROUPS];    /* joined: places in group.c */
    bool wants_space;           /* TOE_ST_AGAIN was said */
    bool on_out;
    uint8_t bound[16];          /* as asked for at open; zero: any */
    uint8_t laddr[16];          /* connected: chosen; else as bound */
    uint8_t raddr[16];
    uint32_t rcvbuf;
    uint32_t sndbuf;
    uint64_t drops;             /* datagrams that found no room */
    uint32_t packet_max;        /* bytes of the largest IP packet sent */
    uint64_t bytes_in;          /* payload */
    uint64_t bytes_out;
    ToeUdpQueue rx;
    ToeUdpQueue tx;
    uint32_t hash_next;         /* free: the next free one */
    uint32_t out_next;
    ToeLink port;               /* sockets of the same local port */
} ToeUdpSock;

struct ToeUdp {
    ToeNop *nop;
    ToeUdpSock *socks;
    uint32_t size;
    uint32_t free_first, free_last;
    uint32_t *hash;             /* by all of the tuple; see udp.c */
    uint32_t hash_mask;
    ToeList *by_port;           /* by a hash of the port: conflicts */
    uint32_t port_mask;
    ToeUdpRecord *records;
    uint32_t nrecords;
    uint32_t records_free;
    uint32_t rx_buflets;        /* of all queues */
    uint32_t rx_buflets_max;
    uint32_t out_first, out_last;
    ToeSipKey hash_key;
};

static inline uint32_t toe_udp_sock_index(const ToeUdp *u,
                                          const ToeUdpSock *s)
{
    return (uint32_t)(s - u->socks);
}

static inline uint32_t toe_udp_handle(const ToeUdp *u, const ToeUdpSock *s)
{
    return TOE_HANDLE(u->nop->config.connections + toe_udp_sock_index(u, s),
                      s->generation);
}

/* The socket of this handle, owned and alive, or NULL. */
ToeUdpSock *toe_udp_find(ToeUdp *u, uint32_t handle);
/* The socket with exactly this tuple; of several equal ones, by pick. */
ToeUdpSock *toe_udp_lookup(ToeUdp *u, uint8_t family, const uint8_t *laddr,
                           uint16_t lport, const uint8_t *raddr,
                           uint16_t rport, uint32_t pick);
/* That a datagram is charged with: an empty one has none, but a record. */
uint32_t toe_udp_buflets(uint32_t len);
/* Queues; put takes over the chain.  False: no record is free. */
bool toe_udp_put(ToeUdp *u, ToeUdpQueue *q, const ToeDgram *d,
                 ToeChain *data);
/* Take the first record off; toe_udp_record_free() follows. */
uint32_t toe_udp_take(ToeUdp *u, ToeUdpQueue *q);
void toe_udp_record_free(ToeUdp *u, uint32_t index);
/* All of CLOSING is done: the socket is free. */
void toe_udp_sock_free(ToeUdp *u, ToeUdpSock *s);
/*
 * The way to dst: *laddr, if zero, is chosen.  *local: it is our own address;
 * nothing needs to leave the adapter.  TOE_ST_PERM: to everybody, which must
 * be asked for.
 */
uint8_t toe_udp_route(ToeNop *n, uint8_t family, const uint8_t *dst,
                      bool broadcast, uint8_t *laddr, bool *local);
/* A datagram to a group or to everybody, its header right. */
void toe_udp_to_group(ToeNop *n, const ToeIpPacket *p, size_t len);
/* The list of the sockets that may have this port; links of the members. */
ToeList *toe_udp_port_list(ToeUdp *u, uint16_t lport);
ToeLinks toe_udp_port_links(ToeUdp *u);
/* A datagram for a socket of ours; no checks.  False: nobody wants it. */
bool toe_udp_deliver(ToeNop *n, const ToeIpPacket *p, size_t len);
/* Have it sent in the next turn of output. */
void toe_udp_out_add(ToeUdp *u, ToeUdpSock *s);
/* The largest payload that is sent there. */
uint32_t toe_udp_data_max(ToeNop *n, const ToeUdpSock *s,
                          const uint8_t *dst);

#endif
