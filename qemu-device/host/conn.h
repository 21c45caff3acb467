/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conn.h - the host half of a connection: who owns it, what it still has to
 * report, how much it may receive, which SENDs wait.  See conn.c; the moving
 * of bytes is in dma.c.
 */
#ifndef TOE_CONN_H
#define TOE_CONN_H

#include "context.h"
#include "list.h"
#include "stream.h"
#include "toe_hw.h"

typedef enum ToeConnState {
    TOE_CONN_FREE,
    TOE_CONN_CONNECTING,        /* CONNECT, not established yet */
    TOE_CONN_OPEN,
    TOE_CONN_LISTENER,
    TOE_CONN_INCOMING,          /* waits for ACCEPT */
    TOE_CONN_CLOSING,           /* CLOSE came; SENDs before it still wait */
} ToeConnState;

/* Events not reported yet. */
#define TOE_CONN_EV_ESTABLISHED 0x01
#define TOE_CONN_EV_ACCEPT      0x02
#define TOE_CONN_EV_RX          0x04
#define TOE_CONN_EV_PEER_CLOSED 0x08
#define TOE_CONN_EV_CLOSED      0x10

typedef enum ToeConnWait {      /* the context's list that holds it */
    TOE_CONN_WAIT_NOT,
    TOE_CONN_WAIT_READY,
    TOE_CONN_WAIT_ANY,
    TOE_CONN_WAIT_LARGE,
} ToeConnWait;

/* A request that waits on its connection: SEND, SHUTDOWN or CLOSE. */
typedef struct ToeParked {
    uint64_t cookie;
    uint32_t next;              /* in the connection's queue or the free list */
    uint8_t opcode;
    uint8_t flags;
    uint16_t npieces;
    uint16_t piece;             /* the piece to go on with */
    uint32_t piece_done;        /* bytes of it taken */
    uint32_t total;             /* bytes of the SEND */
    uint32_t done;              /* bytes taken */
    struct toe_hw_piece inl[TOE_PIECES_INLINE];
    struct toe_hw_piece *list;  /* npieces, owned; NULL: they are in inl */
} ToeParked;

typedef struct ToeConn {
    uint32_t handle;
    uint32_t ctx;
    uint64_t cookie;            /* of CONNECT, LISTEN or ACCEPT */
    uint32_t listener;          /* INCOMING: its handle */
    uint32_t credit;            /* bytes that may still be delivered */
    ToeConnState state;
    uint8_t events;             /* TOE_CONN_EV_* */
    uint8_t status;             /* of CLOSED */
    bool dead;                  /* the protocol is through with it */
    bool shut;                  /* SHUTDOWN was taken */
    bool broken;                /* a SEND failed half way: nothing may follow */
    bool reported;              /* INCOMING: the ACCEPT event was posted */
    bool wants_lmem;            /* is on the context's want_lmem */
    ToeConnWait wait;
    uint32_t nparked;
    uint32_t park_first;
    uint32_t park_last;
    ToeLink own;                /* the context's conns */
    ToeLink ev;                 /* by wait */
    ToeLink lm;                 /* the context's want_lmem */
    ToeList incoming;           /* LISTENER: those that wait for ACCEPT */
    ToeLink in;                 /* INCOMING: its listener's incoming */
} ToeConn;

typedef struct ToeConns {
    ToeConn *table;             /* config.connections entries, by NCB index */
    ToeParked *parked;          /* grows on demand */
    uint32_t parked_size;
    uint32_t parked_free;
} ToeConns;

#define TOE_CONN_LINKS(a, member) \
    ((ToeLinks) { (char *)(a)->conns.table + offsetof(ToeConn, member), \
                  sizeof(ToeConn) })

/* Of all SENDs of a context that wait and came with a list. */
#define TOE_CTX_LIST_PIECES     4096u

extern const ToeStreamOps toe_conn_ops;

void toe_conn_init(struct ToeAdapter *a);
void toe_conn_fini(struct ToeAdapter *a);
void toe_conn_reset(struct ToeAdapter *a);

/* The live connection of this handle, whoever owns it, or NULL. */
ToeConn *toe_conn_find(struct ToeAdapter *a, uint32_t handle);
/* Make the host half for a handle that the NOP just gave; NULL: no place. */
ToeConn *toe_conn_new(struct ToeAdapter *a, ToeCtx *ctx, uint32_t handle,
                      ToeConnState state, uint64_t cookie);
static inline bool toe_conn_quota(const ToeCtx *ctx)
{
    return ctx->max_conns && ctx->nconns + ctx->nsocks >= ctx->max_conns;
}

/*
 * Let go in order: after the SENDs that wait.  cookie, quiet: of the CLOSE
 * request; its completion is posted here, at once or later.
 */
void toe_conn_close(struct ToeAdapter *a, ToeConn *c, uint64_t cookie,
                    bool quiet);
/* INCOMING no more: taken, or gone.  Takes it off its listener's list. */
void toe_conn_taken(struct ToeAdapter *a, ToeConn *c);
/* Let go now: waiting SENDs complete with status; RST if abort. */
void toe_conn_drop(struct ToeAdapter *a, ToeConn *c, uint8_t status,
                   bool abort);
/* Append to the requests that wait.  False: too many SENDs already. */
bool toe_conn_park(struct ToeAdapter *a, ToeConn *c, const ToeParked *p);
/* Are all bytes that were sent acknowledged? */
bool toe_conn_idle(struct ToeAdapter *a, ToeConn *c);
/* Go on with the requests that wait. */
void toe_conn_continue(struct ToeAdapter *a, ToeConn *c);
void toe_conn_credit(struct ToeAdapter *a, ToeConn *c, uint32_t bytes);
/* The same, but events are reported in a later step of the turn, not here. */
void toe_conn_credit_later(struct ToeAdapter *a, ToeConn *c, uint32_t bytes);
/* Report what can be reported now; park on the right list otherwise. */
void toe_conn_pump(struct ToeAdapter *a, ToeConn *c);
/* Pump every connection that is ready or whose buffers came. */
void toe_conn_pump_ctx(struct ToeAdapter *a, ToeCtx *ctx);
/* Fill the address part of an ESTABLISHED or ACCEPT event. */
void toe_conn_describe(struct ToeAdapter *a, ToeConn *c,
                       struct toe_hw_cqe *cqe);

/* ---- dma.c ---- */

typedef enum ToeDmaResult {
    TOE_DMA_DONE,               /* nothing left to do, or no credit */
    TOE_DMA_SPACE,              /* outbound: the send buffer is full */
    TOE_DMA_LMEM,               /* outbound: local memory is short */
    TOE_DMA_CQ,                 /* inbound: completion queue is full */
    TOE_DMA_ANY,                /* inbound: no buffer at all */
    TOE_DMA_LARGE,              /* inbound: no large buffer */
    TOE_DMA_TURN,               /* inbound: enough for this turn */
    TOE_DMA_FAILED,             /* outbound: *status says why;
                                 * inbound: the context was stopped */
} ToeDmaResult;

/* Check all pieces of a SEND and add them up.  TOE_ST_*. */
uint8_t toe_dma_check_pieces(struct ToeAdapter *a, ToeCtx *ctx,
                             const struct toe_hw_piece *piece, uint32_t n,
                             uint32_t max, uint32_t *total);
/* Fill the chain's n bytes from the pieces, from where p stands. */
uint8_t toe_dma_fill(struct ToeAdapter *a, ToeCtx *ctx, ToeParked *p,
                     const ToeChain *chain, uint32_t n);
/* Copy the first len bytes of rx to a posted buffer. */
uint8_t toe_dma_empty(struct ToeAdapter *a, ToeCtx *ctx, const ToeChain *rx,
                      uint32_t len, const struct toe_hw_buf *buf);
/* Outbound: take as many bytes of the SEND as there is space for. */
ToeDmaResult toe_dma_out(struct ToeAdapter *a, ToeCtx *ctx, ToeConn *c,
                         ToeParked *p, uint8_t *status);
/* Inbound: deliver what was received, as far as credit goes. */
ToeDmaResult toe_dma_in(struct ToeAdapter *a, ToeCtx *ctx, ToeConn *c);

#endif
