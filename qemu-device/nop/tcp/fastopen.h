/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fastopen.h - TCP Fast Open, RFC 7413.  See fastopen.c.
 */
#ifndef TOE_NOP_TCP_FASTOPEN_H
#define TOE_NOP_TCP_FASTOPEN_H

#include <stdbool.h>
#include <stdint.h>
#include "nop/siphash.h"

#define TOE_FO_COOKIE           8u      /* bytes of ours */
#define TOE_FO_COOKIE_MIN       4u      /* RFC 7413 2 */
#define TOE_FO_COOKIE_MAX       16u
#define TOE_FO_KEY_NS           (4 * 3600 * TOE_NS_PER_S)
#define TOE_FO_PEERS            256u    /* servers remembered */
#define TOE_FO_WAYS             4u
#define TOE_FO_OFF_NS           (60 * TOE_NS_PER_S)     /* doubles */
#define TOE_FO_LOSSES_MAX       10u

/* What a client knows of a server, RFC 7413 4.1.3. */
typedef struct ToeFoPeer {
    uint8_t raddr[16];
    uint8_t family;             /* 0: free */
    uint8_t len;                /* of the cookie; 0: none */
    uint8_t losses;             /* SYNs of ours that vanished, in a row */
    uint8_t pad;
    uint16_t mss;
    uint8_t cookie[TOE_FO_COOKIE_MAX];
    int64_t used;
    int64_t off_until;          /* no Fast Open before; 0: go on */
} ToeFoPeer;

typedef struct ToeFastOpen {
    ToeSipKey key[2];           /* of our cookies: this one, the one before */
    int64_t key_time;           /* when key[0] was made; 0: there is none */
    ToeFoPeer peers[TOE_FO_PEERS];
} ToeFastOpen;

#endif
