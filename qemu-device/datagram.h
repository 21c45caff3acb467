/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * datagram.h - where host and network side meet for datagrams: UDP sockets.
 *
 * Beside stream.h, and by its rules: a socket is named by a handle, which the
 * host side holds from toe_udp_open() until toe_udp_close(); afterwards it is
 * dead, while the NOP still sends what waits.  No call here sends a frame or
 * raises an event; both happen in toe_nop_frame_in(), toe_nop_timer() and
 * toe_nop_run() only.  Events are the udp_ members of ToeStreamOps.
 *
 * Handles are of a space of their own within the connections': the index of a
 * socket is at or above the adapter's number of connections, so that no handle
 * of one kind is ever one of the other.  toe_udp_index() gives the place in
 * an array of toe_udp_sockets() entries.
 */
#ifndef TOE_DATAGRAM_H
#define TOE_DATAGRAM_H

#include "stream.h"

/* Bytes of a datagram, the largest that UDP over IPv4 can name; IPv6: +20. */
#define TOE_UDP_DATA_MAX        65507u
#define TOE_UDP_DATA_MAX_V6     65527u

/* A datagram's envelope.  remote: its sender, or whom it is for. */
typedef struct ToeDgram {
    uint8_t family;             /* TOE_AF_*; send: 0: to the connected remote */
    uint8_t tos;                /* received */
    uint8_t ttl;                /* received */
    uint16_t rport;
    uint32_t len;               /* payload bytes */
    uint8_t raddr[16];
    uint8_t laddr[16];          /* received: the address it was sent to */
} ToeDgram;

/* Sockets that there can be at once. */
uint32_t toe_udp_sockets(ToeNop *n);
/* The place of a handle's socket, or UINT32_MAX: it is no socket's. */
uint32_t toe_udp_index(ToeNop *n, uint32_t handle);

/*
 * Open and bind, and connect if t->rport is not 0.  Zero laddr: any address of
 * ours (connected: the one that the route chooses, filled in); zero lport:
 * chosen and filled in.  flags: TOE_UDP_F_*.
 */
uint8_t toe_udp_open(ToeNop *n, ToeTuple *t, unsigned flags,
                     uint32_t *handle);
/*
 * Send to and receive from this remote only; family 0: from everybody again.
 * Fills in the rest of t.
 */
uint8_t toe_udp_connect(ToeNop *n, uint32_t handle, ToeTuple *t);
/* TOE_ST_HANDLE if dead or stale. */
uint8_t toe_udp_tuple(ToeNop *n, uint32_t handle, ToeTuple *t);
/* Let go; what was sent and waits still goes out. */
void toe_udp_close(ToeNop *n, uint32_t handle);

/*
 * May a datagram of d->len bytes be sent to d's remote now?  Fills in the
 * remote of a connected socket.  TOE_ST_OK, and toe_udp_send() must follow or
 * be forgotten; TOE_ST_STATE: no remote, or another than the connected one's
 * family; TOE_ST_TOOBIG; TOE_ST_PERM: to everybody; TOE_ST_AGAIN: the socket's queue is full, and
 * udp_writable() will follow; TOE_ST_NOROUTE, TOE_ST_ADDRNOTAVAIL,
 * TOE_ST_NOMEM.
 */
uint8_t toe_udp_send_check(ToeNop *n, uint32_t handle, ToeDgram *d);
/* Queue it, right after the check; takes over the buflets. */
void toe_udp_send(ToeNop *n, uint32_t handle, const ToeDgram *d,
                  ToeChain *data);

/* The oldest datagram received and its envelope.  False: there is none. */
bool toe_udp_rx(ToeNop *n, uint32_t handle, ToeDgram *d,
                const ToeChain **data);
/* Drop it. */
void toe_udp_rx_done(ToeNop *n, uint32_t handle);

/*
 * Receive what is sent to this group, and no longer.  TOE_ST_INVALID: it is
 * none, or of the other family; join: TOE_ST_ADDRINUSE: twice, TOE_ST_QUOTA:
 * too many for one socket, TOE_ST_NOMEM: for the adapter; leave:
 * TOE_ST_ADDRNOTAVAIL: not joined.  Closing leaves them all.
 */
uint8_t toe_udp_join(ToeNop *n, uint32_t handle, uint8_t family,
                     const uint8_t *addr);
uint8_t toe_udp_leave(ToeNop *n, uint32_t handle, uint8_t family,
                      const uint8_t *addr);

/*
 * For CONN_LIST: describe the socket at or after place *index, and move
 * *index behind it.  ctx and credit are the host side's.  False: no more.
 */
bool toe_udp_info(ToeNop *n, uint32_t *index, struct toe_hw_conn_info *info);

/* option: TOE_OPT_UDP_*. */
uint8_t toe_udp_setopt(ToeNop *n, uint32_t handle, uint32_t option,
                       uint64_t value);
uint8_t toe_udp_getopt(ToeNop *n, uint32_t handle, uint32_t option,
                       uint64_t *value);

#endif
