/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.h - where the host side and the network side of the adapter meet.
 *
 * host/ knows queues, keys and contexts, and nothing of TCP.  nop/ knows
 * protocols, and nothing of PCI or queues.  Between them go the bytes and the
 * events of connections, raw frames, and the port's configuration, through
 * this header alone.  Later stages (iSCSI, encryption) sit between the two
 * and speak the same interface on both sides.
 *
 * Connections
 *  A connection (or listener) is named by a handle: index + generation of its
 *  NCB.  The host side holds it from connect/listen/accept until it calls
 *  toe_stream_close() or toe_stream_abort(); afterwards the handle is dead for
 *  the host and no event of it is reported, while the NOP goes on by itself
 *  as long as the protocol needs (an orphan, TIME-WAIT).  TOE_INDEX(handle)
 *  is below the adapter's number of connections, so that the host side can
 *  keep its own half of the state in an array.
 *
 * Turns
 *  Nothing here sends a frame or calls an event from inside a call of the
 *  other side, except where stated.  Calls mark connections as having work;
 *  toe_nop_run() does the output, and events are reported from
 *  toe_nop_frame_in(), toe_nop_timer() and toe_nop_run() only.  An event
 *  callback may call any toe_stream_ function, also for the same handle.
 */
#ifndef TOE_STREAM_H
#define TOE_STREAM_H

#include "env.h"
#include "lmem.h"
#include "toe_hw.h"

typedef struct ToeNop ToeNop;

typedef struct ToeTuple {
    uint8_t family;             /* TOE_AF_* */
    uint16_t lport;
    uint16_t rport;
    uint8_t laddr[16];
    uint8_t raddr[16];
} ToeTuple;

/* ---- Events, network side to host side ---- */

typedef struct ToeStreamOps {
    /* A connect succeeded. */
    void (*established)(void *opaque, uint32_t handle);
    /*
     * A connection of this listener is established.  The host must answer
     * for it: toe_stream_close/abort, or keep it.  It counts against the
     * backlog until toe_stream_accepted().
     */
    void (*incoming)(void *opaque, uint32_t listener, uint32_t handle);
    /* In-order bytes were added to toe_stream_rx(). push: deliver now. */
    void (*readable)(void *opaque, uint32_t handle, bool push);
    /* toe_stream_send_space() grew after it had been short. */
    void (*writable)(void *opaque, uint32_t handle);
    /* FIN received: no more bytes will be added to toe_stream_rx(). */
    void (*peer_closed)(void *opaque, uint32_t handle);
    /*
     * The protocol is through with the connection (TOE_ST_OK: both sides
     * closed in order).  Bytes in toe_stream_rx() are still there; the host
     * still has to call toe_stream_close().
     */
    void (*closed)(void *opaque, uint32_t handle, uint8_t status);
    /* A frame that is no business of the NOPs. Valid during the call. */
    void (*eth_frame)(void *opaque, const uint8_t *frame, size_t len);

    /* Of sockets, datagram.h.  There is one more datagram in toe_udp_rx(). */
    void (*udp_readable)(void *opaque, uint32_t handle);
    /* There is room again, after TOE_ST_AGAIN. */
    void (*udp_writable)(void *opaque, uint32_t handle);
    /*
     * A datagram that was sent to this remote did not arrive: ICMP said so.
     * The socket goes on.
     */
    void (*udp_error)(void *opaque, uint32_t handle, uint8_t status,
                      uint16_t rport, const uint8_t *raddr);
} ToeStreamOps;

/* ---- Life of the network side ---- */

typedef struct ToeNopConfig {
    uint8_t mac[6];
    uint32_t connections;       /* size of the NCB table */
    uint32_t mtu_max;           /* of the port, IP bytes */
    uint32_t max_segment;       /* largest IPv4 packet to send; 0: the MTU */
} ToeNopConfig;

/* env, lm, counters, ops stay alive longer than the NOP. */
ToeNop *toe_nop_new(const ToeEnv *env, ToeLmem *lm, ToeCounters *counters,
                    const ToeNopConfig *config, const ToeStreamOps *ops,
                    void *ops_opaque);
void toe_nop_free(ToeNop *n);
/* Power-on state; no event, no frame.  The permanent MAC is back. */
void toe_nop_reset(ToeNop *n);

/*
 * One received Ethernet frame, without FCS, at most 64 KiB + headers.  May be
 * called only when no other call into the NOP is under way.
 */
void toe_nop_frame_in(ToeNop *n, const uint8_t *frame, size_t len);
/* Run expired timers.  Deadlines are given through toe_nop_deadline(). */
void toe_nop_timer(ToeNop *n);
/* Time of the next timer, INT64_MAX if none. */
int64_t toe_nop_deadline(ToeNop *n);
/*
 * Send what is due: at most about budget bytes (frames are not split).
 * Returns true if more waits.  The port's busy state ends a turn early; then
 * it returns false and is called again after toe_adapter_port_ready().
 */
bool toe_nop_run(ToeNop *n, uint32_t budget);
/* env->send_frame returned false: hold output until called with false. */
void toe_nop_port_busy(ToeNop *n, bool busy);
void toe_nop_link(ToeNop *n, bool up);

/* ---- Configuration; all return TOE_ST_* ---- */

uint8_t toe_nop_addr_add(ToeNop *n, uint8_t family, const uint8_t *addr,
                         uint8_t prefix);
uint8_t toe_nop_addr_del(ToeNop *n, uint8_t family, const uint8_t *addr,
                         uint8_t prefix);
uint8_t toe_nop_route_add(ToeNop *n, uint8_t family, const uint8_t *dst,
                          uint8_t prefix, const uint8_t *gateway,
                          uint32_t metric);
uint8_t toe_nop_route_del(ToeNop *n, uint8_t family, const uint8_t *dst,
                          uint8_t prefix, const uint8_t *gateway,
                          uint32_t metric);
uint8_t toe_nop_neigh_add(ToeNop *n, uint8_t family, const uint8_t *addr,
                          const uint8_t *mac);
uint8_t toe_nop_neigh_del(ToeNop *n, uint8_t family, const uint8_t *addr);
/* mtu 0, mac NULL: leave as it is.  filter: TOE_FILTER_*. */
uint8_t toe_nop_port_set(ToeNop *n, uint32_t mtu, const uint8_t *mac,
                         uint32_t filter, uint64_t mcast_hash);
uint8_t toe_nop_param_set(ToeNop *n, uint32_t param, uint64_t value);
uint8_t toe_nop_param_get(ToeNop *n, uint32_t param, uint64_t *value);

/* ---- Raw Ethernet, host side to network side ---- */

/* Send a whole frame of the kernel.  False: port busy, nothing sent. */
bool toe_nop_eth_send(ToeNop *n, const uint8_t *frame, size_t len);

/* ---- Connections; status is TOE_ST_* ---- */

/*
 * Open actively.  t: raddr and rport given; zero laddr and lport are chosen
 * and filled in.  On TOE_ST_OK *handle is the new connection, in SYN-SENT.
 */
uint8_t toe_stream_connect(ToeNop *n, ToeTuple *t, uint32_t *handle);
/*
 * The same by Fast Open (RFC 7413), if that is allowed and the peer is known:
 * established() comes at once, toe_stream_send() may be called from then on, and
 * its first bytes go with the SYN, which waits for them (or for a shutdown).
 * Whether the peer is there is known later; closed() tells if it is not.
 */
uint8_t toe_stream_connect_fast(ToeNop *n, ToeTuple *t, uint32_t *handle);
/* t: laddr (zero: any) and lport (0: chosen and filled in). */
uint8_t toe_stream_listen(ToeNop *n, ToeTuple *t, uint32_t backlog,
                          uint32_t *handle);
/* The owner took the connection that incoming() reported. */
void toe_stream_accepted(ToeNop *n, uint32_t handle);
/* TOE_ST_HANDLE if dead or stale. */
uint8_t toe_stream_tuple(ToeNop *n, uint32_t handle, ToeTuple *t,
                         uint16_t *mss);

/*
 * Bytes that send would take now: 0 before ESTABLISHED, after shutdown, or
 * when the send buffer is full (then writable() follows once at least a third
 * of it, or all that was asked for, is free again).
 */
uint32_t toe_stream_send_space(ToeNop *n, uint32_t handle);
/*
 * Append to the send buffer; takes over the buflets, data is empty after.
 * data->len must not exceed toe_stream_send_space().  more: do not send a
 * part-filled last segment yet.
 */
void toe_stream_send(ToeNop *n, uint32_t handle, ToeChain *data, bool more);

/* In-order bytes received and not consumed; owned by the connection. */
const ToeChain *toe_stream_rx(ToeNop *n, uint32_t handle);
/* Drop len bytes from the head of rx; may open the window. */
void toe_stream_rx_consumed(ToeNop *n, uint32_t handle, uint32_t len);

/* FIN after all data.  TOE_ST_STATE before ESTABLISHED or when repeated. */
uint8_t toe_stream_shutdown(ToeNop *n, uint32_t handle);
/*
 * Let go in order: sends what is buffered, then FIN; RST if bytes were
 * received and not consumed, or arrive later (RFC 9293 3.6.1).  A listener
 * stops, its connections not yet reported are reset.
 */
void toe_stream_close(ToeNop *n, uint32_t handle);
/* Let go at once with RST. */
void toe_stream_abort(ToeNop *n, uint32_t handle);

/* option: TOE_OPT_*. */
uint8_t toe_stream_setopt(ToeNop *n, uint32_t handle, uint32_t option,
                          uint64_t value);
uint8_t toe_stream_getopt(ToeNop *n, uint32_t handle, uint32_t option,
                          uint64_t *value);

/*
 * For CONN_LIST: describe the NCB in use at or after index *index, and move
 * *index behind it.  False if there is none.  ctx and credit are the host
 * side's to fill in.
 */
bool toe_stream_info(ToeNop *n, uint32_t *index,
                     struct toe_hw_conn_info *info);

#endif
