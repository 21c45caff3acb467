/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context.h - contexts: what one application owns of the adapter, with its
 * request, completion and buffer queues.  See context.c for a context's life,
 * rqm.c, cqm.c and bqm.c for its queues.
 */
#ifndef TOE_CONTEXT_H
#define TOE_CONTEXT_H

#include <glib.h>
#include "list.h"
#include "toe_hw.h"

struct ToeAdapter;

#define TOE_BQ_SMALL            0
#define TOE_BQ_LARGE            1
#define TOE_BQ_CACHE            8u      /* entries fetched ahead */

typedef enum ToeCtxState {
    TOE_CTX_FREE,
    TOE_CTX_CREATED,            /* CTX_CREATE: rights, no queues yet */
    TOE_CTX_ACTIVE,             /* CTX_QUEUES */
    TOE_CTX_DRAINING,           /* CTX_DESTROY with DRAIN */
} ToeCtxState;

/* Where the queues are: CTX_QUEUES, checked by toe_ctx_queues_check(). */
typedef struct ToeCtxQueues {
    uint32_t key;
    uint32_t page;
    uint32_t rq;
    uint32_t cq;
    uint32_t bq[2];
    uint8_t rq_log2;
    uint8_t cq_log2;
    uint8_t bq_log2[2];
    uint32_t buf_size[2];
} ToeCtxQueues;

/* The application's line of the context page, as last read and checked. */
typedef struct ToeCtxIn {
    uint32_t rq_tail;
    uint32_t cq_head;
    uint32_t bq_tail[2];
} ToeCtxIn;

/* The adapter's line.  This is the state itself, not a copy of it. */
typedef struct ToeCtxOut {
    uint32_t cq_tail;
    uint32_t rq_head;
    uint32_t bq_head[2];
    uint32_t rq_looking;
    uint32_t bq_starved;
    uint32_t cq_full;
    uint32_t fault;
} ToeCtxOut;

/* Reasons to run a context in this turn. */
#define TOE_WORK_REFRESH        0x01    /* a doorbell: read the page again */
#define TOE_WORK_RQ             0x02    /* requests may wait */
#define TOE_WORK_EVENTS         0x04    /* completions, events may wait */

#define TOE_WATCH_KICKS         40u      /* after the last large delivery */

typedef struct ToeCtx {
    uint32_t id;
    ToeCtxState state;
    bool faulted;               /* stopped after a violation of its rings */
    uint32_t rights;            /* TOE_RIGHT_* */
    uint32_t vector;
    uint32_t max_conns;         /* 0: no limit */
    uint32_t max_regions;       /* 0: no limit */

    uint32_t nconns;
    uint32_t nsocks;            /* UDP sockets; max_conns counts them too */
    uint32_t ngroups;           /* joined by all of them */
    uint32_t nregions;
    ToeList conns;              /* all its connections */
    ToeList socks;              /* all its UDP sockets */
    ToeList regions;            /* all its memory regions */

    ToeCtxQueues q;
    ToeCtxIn in;
    ToeCtxOut out;
    ToeCtxOut published;        /* out as the page has it */
    uint64_t read_turn;         /* turn in which the page was last read */

    /* Completions. */
    bool armed;
    uint32_t arm_value;         /* interrupt once cq_tail differs */
    struct toe_hw_cqe *fifo;    /* completions for which the CQ had no room */
    uint32_t fifo_head, fifo_len, fifo_size;

    /* Receive buffers: entries fetched and not used yet. */
    struct toe_hw_buf buf[2][TOE_BQ_CACHE];
    uint32_t buf_first[2];      /* ring index of buf[q][0] */
    uint32_t buf_count[2];      /* entries fetched, used ones included */

    /* Connections that have something to report, by what they wait for. */
    ToeList ready;              /* nothing but a turn and CQ space */
    ToeList want_any;           /* a buffer of any size */
    ToeList want_large;         /* a large buffer */
    ToeList want_lmem;          /* local memory for a SEND */
    ToeList sock_ready;         /* the same of its UDP sockets */
    ToeList sock_want_any;
    ToeList sock_want_large;
    uint32_t list_pieces;       /* of its waiting SENDs, held by the adapter */

    /* Options that the next CONNECT or LISTEN begins with, rqm.c. */
    struct {
        uint32_t option;
        uint64_t value;
    } first[TOE_FIRST_OPTIONS];
    uint32_t nfirst;

    /* Draining. */
    uint16_t drain_tag;
    bool drain_closed;          /* RQ done, connections were told to close */

    uint8_t work;               /* TOE_WORK_* */
    uint8_t watch;              /* kicks left to look at rq_tail unasked */
    bool on_run, on_dirty, on_lmem, on_watched;
    ToeLink run;                /* a->ctxs.run */
    ToeLink dirty;              /* a->ctxs.dirty */
    ToeLink lmem;               /* a->ctxs.lmem */
    ToeLink watched;            /* a->ctxs.watched */

    uint64_t requests;
    uint64_t completions;
    uint64_t errors;
} ToeCtx;

typedef struct ToeContexts {
    ToeCtx *table;              /* config.contexts entries */
    ToeList run;                /* to be run in this or the next turn */
    ToeList dirty;              /* page or interrupt is due */
    ToeList lmem;               /* have SENDs that wait for local memory */
    ToeList watched;            /* will write requests soon, unasked */
    uint32_t nruns;             /* length of run */
} ToeContexts;

#define TOE_CTX_LINKS(a, member) \
    ((ToeLinks) { (char *)(a)->ctxs.table + offsetof(ToeCtx, member), \
                  sizeof(ToeCtx) })

void toe_ctx_init(struct ToeAdapter *a);
void toe_ctx_fini(struct ToeAdapter *a);
/* All contexts free at once, nobody is told. */
void toe_ctx_reset(struct ToeAdapter *a);

/* The admin commands; return TOE_ST_*. */
uint8_t toe_ctx_create(struct ToeAdapter *a,
                       const struct toe_hw_adm_cmd *cmd);
uint8_t toe_ctx_queues(struct ToeAdapter *a,
                       const struct toe_hw_adm_cmd *cmd);
/* *later: the completion follows by toe_admin_complete() with this tag. */
uint8_t toe_ctx_destroy(struct ToeAdapter *a,
                        const struct toe_hw_adm_cmd *cmd, bool *later);
/*
 * Is this a sound description of queues for ctx?  Used by CTX_QUEUES, and
 * again on state that comes in by migration.
 */
uint8_t toe_ctx_queues_check(struct ToeAdapter *a, ToeCtx *ctx,
                             const ToeCtxQueues *q);
void toe_ctx_info(ToeCtx *ctx, struct toe_hw_ctx_info *info);

/* A doorbell page was written: off within the page. */
void toe_ctx_doorbell(struct ToeAdapter *a, uint32_t id, uint32_t off,
                      uint32_t value);
/* Have the context run for these reasons (TOE_WORK_*). */
void toe_ctx_schedule(struct ToeAdapter *a, ToeCtx *ctx, uint8_t work);
/*
 * Much arrived for this context: it will ask for more, so look at rq_tail for
 * a few kicks without being asked.  A doorbell costs the application the way
 * to the adapter, through a lock that the receiving thread holds.
 */
void toe_ctx_watch(struct ToeAdapter *a, ToeCtx *ctx);
/* A kick: have the watched contexts run.  True if there are any. */
bool toe_ctx_watched(struct ToeAdapter *a);
/* Run every scheduled context once.  True if any did something. */
bool toe_ctx_run_all(struct ToeAdapter *a);
/* Write pages and raise interrupts that are due. */
void toe_ctx_flush_all(struct ToeAdapter *a);
/* Retry SENDs that wait for local memory. True if any went on. */
bool toe_ctx_lmem_retry(struct ToeAdapter *a);

/* Active and not stopped: it may run requests and get events. */
static inline bool toe_ctx_alive(const ToeCtx *ctx)
{
    return !ctx->faulted && (ctx->state == TOE_CTX_ACTIVE ||
                             ctx->state == TOE_CTX_DRAINING);
}

/*
 * Read the application's line of the page, at most once a turn unless again.
 * False if that stopped the context.
 */
bool toe_ctx_refresh(struct ToeAdapter *a, ToeCtx *ctx, bool again);
/* The adapter's line changed: write it by the end of the turn. */
void toe_ctx_dirty(struct ToeAdapter *a, ToeCtx *ctx);
/* Write it now.  False if that stopped the context. */
bool toe_ctx_publish(struct ToeAdapter *a, ToeCtx *ctx);
/* Stop the context: page, EV_FAULT, interrupt. */
void toe_ctx_fault(struct ToeAdapter *a, ToeCtx *ctx, uint8_t status,
                   const char *why);
/* A connection of a draining context was let go: perhaps it was the last. */
void toe_ctx_conn_gone(struct ToeAdapter *a, ToeCtx *ctx);

/* ---- rqm.c ---- */

/* Fetch and run requests within the turn's budget.  True if more wait. */
bool toe_rqm_run(struct ToeAdapter *a, ToeCtx *ctx);

/* ---- cqm.c ---- */

/* Is there room for one more completion?  If not, CQ_SPACE will be rung. */
bool toe_cqm_room(struct ToeAdapter *a, ToeCtx *ctx);
/* Post a completion or event; kept on the adapter if the CQ has no room. */
void toe_cqm_post(struct ToeAdapter *a, ToeCtx *ctx,
                  const struct toe_hw_cqe *cqe);
/* Write kept completions as far as there is room. */
void toe_cqm_drain(struct ToeAdapter *a, ToeCtx *ctx);
/* Raise the interrupt if it is armed and due. */
void toe_cqm_interrupt(struct ToeAdapter *a, ToeCtx *ctx);
void toe_cqm_reset(ToeCtx *ctx);

/* ---- bqm.c ---- */

/* Are buffers of this queue there?  Looks again once a turn. */
bool toe_bqm_avail(struct ToeAdapter *a, ToeCtx *ctx, int queue);
/*
 * The same, and if not: ask the application to ring TOE_DB_BQ.  queue < 0:
 * of any queue.
 */
bool toe_bqm_wait(struct ToeAdapter *a, ToeCtx *ctx, int queue);
/*
 * Take the next buffer (toe_bqm_avail() was true).  False if that stopped the
 * context.
 */
bool toe_bqm_take(struct ToeAdapter *a, ToeCtx *ctx, int queue,
                  struct toe_hw_buf *buf);
/* Nothing waits for buffers any more: withdraw the request for a doorbell. */
void toe_bqm_satisfied(struct ToeAdapter *a, ToeCtx *ctx);

#endif
