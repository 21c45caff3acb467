/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipfrag.h - between the engine that puts fragments together (ipfrag.c) and
 * its two front ends, which know the formats (ipfrag4.c, ipfrag6.c).
 */
#ifndef TOE_NOP_IPFRAG_H
#define TOE_NOP_IPFRAG_H

#include "nop.h"

/* A fragment, checked as far as its format goes; in a frame. */
typedef struct ToeFragment {
    uint8_t src[16];
    uint8_t dst[16];
    uint32_t id;
    uint8_t proto;              /* what its payload is, or the first one's */
    uint8_t tos;
    uint8_t ttl;
    bool more;
    uint32_t off;               /* bytes */
    const uint8_t *header;      /* of IP */
    uint32_t hlen;              /* of all that is not payload */
    uint32_t named;             /* IPv6: where that says "a fragment" */
    const uint8_t *payload;
    uint32_t len;
} ToeFragment;

/*
 * What the fragments make, or the first of them; in a buffer of the engine's,
 * header and payload together, to be written to.
 */
typedef struct ToeFragJoined {
    const uint8_t *src;         /* 16 bytes each; the header's may not agree */
    const uint8_t *dst;
    uint32_t id;
    uint8_t proto;
    uint8_t tos;
    uint8_t ttl;
    uint8_t *header;
    uint32_t hlen;
    uint32_t named;
    uint32_t len;
} ToeFragJoined;

/* What differs between the families. */
typedef struct ToeFragFamily {
    uint8_t family;
    uint8_t source_bytes;       /* of an address: who it is, for the limits */
    bool by_proto;              /* the protocol tells packets apart, too */
    uint32_t falls_away;        /* of the header, at its end, in the whole */
    uint32_t max;               /* of the whole, header and payload */
    int64_t time;               /* from the first fragment to come */
    enum toe_counter dropped;
    enum toe_counter whole;
    enum toe_counter now;
    enum toe_counter timeouts;
    enum toe_counter overlaps;
    enum toe_counter refused;
    enum toe_counter evicted;
    /* Whole.  False: it is the operating system's. */
    bool (*deliver)(ToeNop *n, ToeFragJoined *j);
    /* Time is over: tell the source; j is the first fragment. */
    void (*tell)(ToeNop *n, const ToeFragJoined *j);
} ToeFragFamily;

extern const ToeFragFamily toe_ipfrag4;
extern const ToeFragFamily toe_ipfrag6;

/*
 * A fragment in this frame.  why: the front end refuses it, for the trace;
 * NULL: it does not.
 */
void toe_ipfrag_input(ToeNop *n, const ToeFragFamily *family,
                      const uint8_t *frame, size_t len, const ToeFragment *f,
                      const char *why);

#endif
