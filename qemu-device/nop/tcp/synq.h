/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * synq.h - half-open connections: the SYN queue.  See synq.c and cookie.c.
 */
#ifndef TOE_NOP_TCP_SYNQ_H
#define TOE_NOP_TCP_SYNQ_H

#include <stdbool.h>
#include <stdint.h>
#include "nop/siphash.h"

#define TOE_SYNACK_RETRIES      5u              /* 1 + 2 + .. + 32 s in all */
#define TOE_SYNACK_RETRIES_MAX  15u
#define TOE_SYNQ_SIZE_MIN       64u
#define TOE_SYNQ_SIZE_MAX       16384u
#define TOE_SYNQ_LEAST          8u              /* of one listener */
#define TOE_COOKIE_RING         256u            /* SYN-ACKs of one turn */
#define TOE_COOKIE_NS           (64 * TOE_NS_PER_S)

/* Options that a SYN had. */
#define TOE_SYN_MSS             0x01u
#define TOE_SYN_WSCALE          0x02u
#define TOE_SYN_TS              0x04u
#define TOE_SYN_SACK            0x08u

/* A SYN written down: what it takes to make the connection out of it. */
typedef struct ToeSyn {
    uint8_t laddr[16];
    uint8_t raddr[16];
    uint16_t lport;
    uint16_t rport;
    uint8_t family;
    uint8_t options;            /* TOE_SYN_* */
    uint8_t wscale;
    uint8_t fo_answer;          /* a Fast Open cookie goes with the SYN-ACK */
    uint16_t flags;             /* of the header */
    uint16_t mss;
    uint32_t seq;
    uint32_t wnd;
    uint32_t ts_val;            /* the latest one of this peer */
    uint32_t iss;               /* ours */
    uint32_t listener;          /* handle */
} ToeSyn;

typedef enum ToeSynReqState {
    TOE_REQ_FREE,
    TOE_REQ_OPEN,
    TOE_REQ_RST,                /* a RST is due, then it is free */
    TOE_REQ_GONE,               /* free, once it is off the output list */
} ToeSynReqState;

/* One half-open connection. */
typedef struct ToeSynReq {
    ToeSyn syn;
    uint32_t hash_next;         /* or of the free ones */
    uint32_t of_prev, of_next;  /* of the same listener */
    uint32_t due_prev, due_next;        /* as many SYN-ACKs, by deadline */
    uint32_t out_next;
    uint8_t state;              /* ToeSynReqState */
    uint8_t timeouts;           /* of the timer, whether it sent or not */
    uint8_t resends;            /* SYN-ACKs sent again by the timer */
    uint8_t challenges;
    bool on_out;
    bool synack;                /* what is due: SYN-ACK, */
    bool ack;                   /* ACK */
    bool resent;                /* more than one SYN-ACK went out */
    bool acked;                 /* the final ACK came, and was ignored: the
                                 * next one tells nothing about the path */
    int64_t sent;               /* first SYN-ACK, 0: not yet */
    int64_t deadline;
    uint32_t wnd;               /* offered in the SYN-ACK */
} ToeSynReq;

_Static_assert(sizeof(ToeSynReq) <= 160, "a half-open connection is cheap");

typedef struct ToeSynq {
    ToeSynReq *reqs;
    uint32_t size;
    uint32_t free_first;
    uint32_t *hash;             /* by 4-tuple */
    uint32_t hash_mask;
    uint32_t count;             /* half-open now */
    uint32_t out_first, out_last;
    /* By number of time-outs, the oldest first. */
    uint32_t due_first[TOE_SYNACK_RETRIES_MAX + 1];
    uint32_t due_last[TOE_SYNACK_RETRIES_MAX + 1];
    int64_t armed;              /* what the timer is set to */
    ToeSipKey cookie_key;
    ToeSyn cookies[TOE_COOKIE_RING];    /* to be answered in this turn */
    uint32_t cookies_head;
    uint32_t cookies_count;
} ToeSynq;

#endif
