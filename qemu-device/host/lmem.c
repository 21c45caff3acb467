/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lmem.c - local memory: buflets, and the chains made of them.
 *
 * The RAM is cut into buflets of TOE_BUFLET_SIZE bytes.  A table beside it
 * says for each buflet where its bytes start, how many there are, and which
 * buflet follows in its chain; free buflets are chained the same way.  Tables
 * of indices, no pointers: they are saved as they are.
 *
 * Free buflets are taken from the head of the free list and go back there, so
 * that the memory last used, still in the processor's cache, is used first.
 * A trimmed chain goes back as one piece, in its own order.  So a chain
 * mostly gets buflets that are neighbours in RAM, and toe_chain_span() can
 * give several of them as one span: fewer, larger DMA transfers.
 *
 * Class OUT may not take the last quarter (lmem.h).  The class is looked at
 * when buflets are taken only; a buflet does not remember it.
 */
#include <glib.h>
#include <string.h>
#include "lmem.h"

/* Buflets in one span at most: bounds the search, and holds a 64 KiB frame. */
#define SPAN_BUFLETS 32

typedef struct ToeBuflet {
    uint32_t next;              /* in its chain or the free list, or NONE */
    uint16_t start;             /* of the bytes in the buflet */
    uint16_t used;              /* bytes */
} ToeBuflet;

struct ToeLmem {
    uint8_t *ram;
    size_t size;
    ToeCounters *counters;
    ToeBuflet *table;
    uint32_t total;
    uint32_t navail;
    uint32_t free;              /* first free buflet */
};

static void show_free(ToeLmem *lm)
{
    if (lm->counters) {
        lm->counters->v[TOE_CTR_LMEM_BUFLETS_FREE] = lm->navail;
    }
}

ToeLmem *toe_lmem_new(uint8_t *ram, size_t size, ToeCounters *counters)
{
    ToeLmem *lm = g_new0(ToeLmem, 1);
    size_t total = size / TOE_BUFLET_SIZE;

    lm->ram = ram;
    lm->total = MIN(total, (size_t)TOE_BUFLET_NONE);
    lm->size = (size_t)lm->total * TOE_BUFLET_SIZE;
    lm->counters = counters;
    lm->table = g_new0(ToeBuflet, lm->total);
    toe_lmem_reset(lm);
    return lm;
}

void toe_lmem_free(ToeLmem *lm)
{
    if (lm) {
        g_free(lm->table);
        g_free(lm);
    }
}

void toe_lmem_reset(ToeLmem *lm)
{
    for (uint32_t i = 0; i < lm->total; i++) {
        lm->table[i].next = i + 1 < lm->total ? i + 1 : TOE_BUFLET_NONE;
        lm->table[i].start = 0;
        lm->table[i].used = 0;
    }
    lm->free = lm->total ? 0 : TOE_BUFLET_NONE;
    lm->navail = lm->total;
    if (lm->counters) {
        lm->counters->v[TOE_CTR_LMEM_BUFLETS] = lm->total;
    }
    show_free(lm);
}

uint32_t toe_lmem_total(const ToeLmem *lm)
{
    return lm->total;
}

uint32_t toe_lmem_avail(const ToeLmem *lm, ToeLmemClass cls)
{
    uint32_t kept = cls == TOE_LMEM_OUT ? lm->total / 4 : 0;

    return lm->navail > kept ? lm->navail - kept : 0;
}

uint8_t *toe_lmem_ram(ToeLmem *lm, size_t *size)
{
    *size = lm->size;
    return lm->ram;
}

/* Bytes that still fit behind the bytes of a buflet. */
static uint32_t room_behind(const ToeBuflet *b)
{
    return TOE_BUFLET_SIZE - b->start - b->used;
}

bool toe_chain_extend(ToeLmem *lm, ToeChain *c, uint32_t len,
                      ToeLmemClass cls)
{
    uint32_t room = c->last != TOE_BUFLET_NONE
                    ? room_behind(&lm->table[c->last]) : 0;
    uint32_t rest, need;

    if (len > UINT32_MAX - c->len) {
        return false;
    }
    rest = len > room ? len - room : 0;
    need = rest / TOE_BUFLET_SIZE + (rest % TOE_BUFLET_SIZE != 0);
    if (need > 0 && need > toe_lmem_avail(lm, cls)) {
        return false;
    }

    if (room) {
        lm->table[c->last].used += len - rest;
    }
    while (rest) {
        uint32_t i = lm->free;
        ToeBuflet *b = &lm->table[i];

        lm->free = b->next;
        b->next = TOE_BUFLET_NONE;
        b->start = 0;
        b->used = MIN(rest, TOE_BUFLET_SIZE);
        rest -= b->used;
        if (c->last == TOE_BUFLET_NONE) {
            c->first = i;
        } else {
            lm->table[c->last].next = i;
        }
        c->last = i;
    }
    lm->navail -= need;
    c->len += len;
    show_free(lm);
    return true;
}

bool toe_chain_append(ToeLmem *lm, ToeChain *c, const void *data, uint32_t len,
                      ToeLmemClass cls)
{
    const uint8_t *from = data;
    uint32_t last = c->last;
    uint32_t used = last != TOE_BUFLET_NONE ? lm->table[last].used : 0;
    uint32_t i;

    if (!toe_chain_extend(lm, c, len, cls)) {
        return false;
    }
    /* Start at the old end, not at the head: appending stays cheap. */
    i = last != TOE_BUFLET_NONE ? last : c->first;
    while (len) {
        ToeBuflet *b = &lm->table[i];
        uint32_t n = MIN(len, b->used - used);

        memcpy(lm->ram + (size_t)i * TOE_BUFLET_SIZE + b->start + used,
               from, n);
        from += n;
        len -= n;
        used = 0;
        i = b->next;
    }
    return true;
}

void toe_chain_concat(ToeLmem *lm, ToeChain *dst, ToeChain *src)
{
    if (src->first != TOE_BUFLET_NONE) {
        if (dst->last == TOE_BUFLET_NONE) {
            dst->first = src->first;
        } else {
            lm->table[dst->last].next = src->first;
        }
        dst->last = src->last;
        dst->len += src->len;
    }
    *src = toe_chain_init();
}

/* Give n buflets, chained from first to last, back to the free list. */
static void put_back(ToeLmem *lm, uint32_t first, uint32_t last, uint32_t n)
{
    lm->table[last].next = lm->free;
    lm->free = first;
    lm->navail += n;
    show_free(lm);
}

void toe_chain_trim_head(ToeLmem *lm, ToeChain *c, uint32_t len)
{
    uint32_t first = c->first;
    uint32_t i = first;
    uint32_t last = TOE_BUFLET_NONE;
    uint32_t n = 0;

    if (len >= c->len) {
        toe_chain_clear(lm, c);
        return;
    }
    c->len -= len;
    while (len >= lm->table[i].used) {
        len -= lm->table[i].used;
        last = i;
        i = lm->table[i].next;
        n++;
    }
    lm->table[i].start += len;
    lm->table[i].used -= len;
    c->first = i;
    if (n) {
        put_back(lm, first, last, n);
    }
}

void toe_chain_trim_tail(ToeLmem *lm, ToeChain *c, uint32_t len)
{
    uint32_t keep, i, first, old_last, n = 0;

    if (len >= c->len) {
        toe_chain_clear(lm, c);
        return;
    }
    if (!len) {
        return;
    }
    /* Find the buflet that holds the last byte to keep. */
    keep = c->len - len;
    i = c->first;
    c->len = keep;
    while (keep > lm->table[i].used) {
        keep -= lm->table[i].used;
        i = lm->table[i].next;
    }
    lm->table[i].used = keep;
    first = lm->table[i].next;
    old_last = c->last;
    lm->table[i].next = TOE_BUFLET_NONE;
    c->last = i;
    if (first != TOE_BUFLET_NONE) {
        for (uint32_t k = first; k != TOE_BUFLET_NONE;
             k = lm->table[k].next) {
            n++;
        }
        put_back(lm, first, old_last, n);
    }
}

void toe_chain_clear(ToeLmem *lm, ToeChain *c)
{
    uint32_t n = 0;

    for (uint32_t i = c->first; i != TOE_BUFLET_NONE;
         i = lm->table[i].next) {
        n++;
    }
    if (n) {
        put_back(lm, c->first, c->last, n);
    }
    *c = toe_chain_init();
}

uint8_t *toe_chain_span(ToeLmem *lm, const ToeChain *c, uint32_t off,
                        uint32_t *n, ToeChainPos *pos)
{
    uint32_t i = c->first;
    uint32_t start = 0;
    uint32_t left, at;
    uint8_t *p;

    if (off >= c->len) {
        *n = 0;
        return NULL;
    }
    if (pos && pos->buflet != TOE_BUFLET_NONE && pos->start <= off) {
        i = pos->buflet;
        start = pos->start;
    }
    while (off - start >= lm->table[i].used) {
        start += lm->table[i].used;
        i = lm->table[i].next;
    }
    at = off - start;
    p = lm->ram + (size_t)i * TOE_BUFLET_SIZE + lm->table[i].start + at;
    left = lm->table[i].used - at;
    if (pos) {
        pos->buflet = i;
        pos->start = start;
    }
    /* Go on as long as the next buflet is also the next one in RAM. */
    for (int more = SPAN_BUFLETS - 1; more > 0 &&
         lm->table[i].start + lm->table[i].used == TOE_BUFLET_SIZE &&
         lm->table[i].next == i + 1 && lm->table[i + 1].start == 0; more--) {
        i++;
        left += lm->table[i].used;
    }
    *n = left;
    return p;
}

void toe_chain_copy_out(ToeLmem *lm, const ToeChain *c, uint32_t off,
                        void *dst, uint32_t len, ToeChainPos *pos)
{
    uint8_t *to = dst;

    while (len) {
        uint32_t n;
        const uint8_t *p = toe_chain_span(lm, c, off, &n, pos);

        if (!p) {
            return;
        }
        n = MIN(n, len);
        memcpy(to, p, n);
        to += n;
        off += n;
        len -= n;
    }
}
