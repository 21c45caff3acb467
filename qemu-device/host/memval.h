/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memval.h - memory validation: keys, regions, and the only way from an
 * address in a request to host memory.  See memval.c.
 */
#ifndef TOE_MEMVAL_H
#define TOE_MEMVAL_H

#include "list.h"
#include "toe_hw.h"

struct ToeAdapter;
struct ToeCtx;

/* Generations are 12 bits wide and never 0, so that no key is 0. */
#define TOE_GENERATION_MAX      0xfffu
#define TOE_PAGE_SHIFT_MIN      12u
#define TOE_PAGE_SHIFT_MAX      30u

typedef struct ToeRegion {
    uint64_t length;            /* bytes */
    uint64_t *pages;            /* npages bus addresses, owned */
    uint32_t owner;             /* context */
    uint32_t first;             /* offset of byte 0 in page 0 */
    uint32_t npages;
    uint32_t pages_set;         /* given by MEM_PAGES so far */
    uint16_t generation;        /* of the key; of the next one if not used */
    uint8_t page_shift;
    uint8_t access;             /* TOE_MEM_* */
    bool used;
    ToeLink link;               /* free list, or the owner's regions */
} ToeRegion;

typedef struct ToeMemval {
    ToeRegion *table;           /* config.regions entries */
    ToeList free;               /* reused in the order they were freed */
    uint64_t npages;            /* held by all regions */
} ToeMemval;

void toe_memval_init(struct ToeAdapter *a);
void toe_memval_fini(struct ToeAdapter *a);
/* Revoke everything; generations go on, so that old keys stay dead. */
void toe_memval_reset(struct ToeAdapter *a);

/* The admin commands; return TOE_ST_*. */
uint8_t toe_memval_register(struct ToeAdapter *a,
                            const struct toe_hw_adm_cmd *cmd, uint32_t *key);
uint8_t toe_memval_pages(struct ToeAdapter *a,
                         const struct toe_hw_adm_cmd *cmd);
uint8_t toe_memval_revoke(struct ToeAdapter *a, uint32_t key);
/* Revoke all regions of a context. */
void toe_memval_revoke_all(struct ToeAdapter *a, struct ToeCtx *ctx);

/*
 * May ctx use [off, off + len) of key for access (TOE_MEM_*)?  TOE_ST_OK, or
 * the violation's status after counting, tracing and logging it; what names
 * the use in the log ("SEND piece").
 */
uint8_t toe_memval_check(struct ToeAdapter *a, struct ToeCtx *ctx,
                         uint32_t key, uint64_t off, uint64_t len,
                         uint8_t access, const char *what);
/*
 * Check, then copy.  TOE_ST_DMA if host memory did not answer; the buffer's
 * contents are then undefined.
 */
uint8_t toe_memval_read(struct ToeAdapter *a, struct ToeCtx *ctx,
                        uint32_t key, uint64_t off, void *buf, uint32_t len,
                        const char *what);
uint8_t toe_memval_write(struct ToeAdapter *a, struct ToeCtx *ctx,
                         uint32_t key, uint64_t off, const void *buf,
                         uint32_t len, const char *what);

#endif
