/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lmem.h - local memory: the adapter's RAM, carved into buflets.
 *
 * Every payload byte that the adapter holds lives in a buflet: a piece of
 * TOE_BUFLET_SIZE bytes named by its index.  Chains of buflets carry byte
 * streams.  Names, not pointers, because the state must survive migration.
 *
 * Two users compete: outbound data (class OUT) and inbound data (class IN).
 * OUT may not take the last quarter, so that a host that sends to a dead peer
 * cannot keep the adapter from receiving; IN may take everything.
 */
#ifndef TOE_LMEM_H
#define TOE_LMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "counters.h"

#define TOE_BUFLET_SIZE 2048u
#define TOE_BUFLET_NONE 0xffffffffu

typedef enum ToeLmemClass { TOE_LMEM_OUT, TOE_LMEM_IN } ToeLmemClass;

/* A byte stream in buflets.  {NONE, NONE, 0} (toe_chain_init) is empty. */
typedef struct ToeChain {
    uint32_t first;
    uint32_t last;
    uint32_t len;               /* bytes */
} ToeChain;

/* A place in a chain, so that a walk can go on where it stopped. */
typedef struct ToeChainPos {
    uint32_t buflet;            /* NONE: not known, start at the head */
    uint32_t start;             /* chain offset of that buflet's first byte */
} ToeChainPos;

typedef struct ToeLmem ToeLmem;

/*
 * ram: size bytes that the caller keeps alive (a RAM block in QEMU); size is
 * rounded down to whole buflets.  counters may be NULL.
 */
ToeLmem *toe_lmem_new(uint8_t *ram, size_t size, ToeCounters *counters);
void toe_lmem_free(ToeLmem *lm);
void toe_lmem_reset(ToeLmem *lm);               /* every buflet is free again */

uint32_t toe_lmem_total(const ToeLmem *lm);     /* buflets */
uint32_t toe_lmem_avail(const ToeLmem *lm, ToeLmemClass cls);
uint8_t *toe_lmem_ram(ToeLmem *lm, size_t *size);

static inline ToeChain toe_chain_init(void)
{
    return (ToeChain) { TOE_BUFLET_NONE, TOE_BUFLET_NONE, 0 };
}

/*
 * Make room for len more bytes at the end of the chain and count them in; the
 * contents are the caller's to fill through toe_chain_span().  Uses the room
 * left in the last buflet first.  False, and nothing changed, if the class
 * has not enough buflets.
 */
bool toe_chain_extend(ToeLmem *lm, ToeChain *c, uint32_t len,
                      ToeLmemClass cls);
/* toe_chain_extend() and copy.  False: nothing appended. */
bool toe_chain_append(ToeLmem *lm, ToeChain *c, const void *data, uint32_t len,
                      ToeLmemClass cls);
/* Move all of src to the end of dst; src is empty afterwards.  Cannot fail. */
void toe_chain_concat(ToeLmem *lm, ToeChain *dst, ToeChain *src);
/* Drop len bytes from the head, from the tail; everything. */
void toe_chain_trim_head(ToeLmem *lm, ToeChain *c, uint32_t len);
void toe_chain_trim_tail(ToeLmem *lm, ToeChain *c, uint32_t len);
void toe_chain_clear(ToeLmem *lm, ToeChain *c);

/*
 * The contiguous bytes at chain offset off: their address, and in *n how
 * many.  NULL at the end.  pos, if not NULL, makes a walk linear: it is
 * updated, and must be reset to buflet NONE whenever the chain was trimmed at
 * the head.
 */
uint8_t *toe_chain_span(ToeLmem *lm, const ToeChain *c, uint32_t off,
                        uint32_t *n, ToeChainPos *pos);
/* Copy bytes out; off + len must be within the chain. */
void toe_chain_copy_out(ToeLmem *lm, const ToeChain *c, uint32_t off,
                        void *dst, uint32_t len, ToeChainPos *pos);

#endif
