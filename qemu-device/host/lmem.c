/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lmem.c - local memory: buflets, and the chains made of them.
 *
 * The RAM is cut into buflets of TOE_BUFLET_SIZE bytes.  A table beside it
 * says for each buflet where its bytes start, how many there are, and which
 * buflet follows in its chain.  Tables of indices, no pointers: they are saved
 * as they are.
 *
 * The free buflet with the lowest index is taken first.  So what is in use
 * stays together at the low end, in the processor's cache, and a chain mostly
 * gets buflets that are neighbours in RAM however long the adapter runs:
 * toe_chain_span() gives several of them as one span, for fewer and larger
 * DMA transfers.  (A list of free buflets, last in first out, is as warm but
 * is shuffled by use until no neighbour is left.)  Free buflets are bits in
 * words, with a bit for each word that has one, and so on up, so that finding
 * the lowest costs the same however many there are.
 *
 * Class OUT may not take the last quarter (lmem.h).  The class is looked at
 * when buflets are taken only; a buflet does not remember it.
 */
#include <glib.h>
#include <string.h>
#include "lmem.h"

/* Buflets in one span at most: bounds the search, and holds a 64 KiB frame. */
#define SPAN_BUFLETS 32

/* 64 times 64 times 64 words of 64 buflets: 32 GiB. */
#define LEVELS 4

typedef struct ToeBuflet {
    uint32_t next;              /* in its chain, or NONE */
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
    /*
     * free[0]: a bit per buflet, set if it is free; free[i + 1]: a bit per
     * word of free[i], set if that is not 0.  free[LEVELS - 1] is one word.
     */
    uint64_t *free[LEVELS];
};

static void show_free(ToeLmem *lm)
{
    if (lm->counters) {
        lm->counters->v[TOE_CTR_LMEM_BUFLETS_FREE] = lm->navail;
    }
}

static uint32_t words(uint32_t bits)
{
    return bits / 64 + (bits % 64 != 0);
}

static void set_free(ToeLmem *lm, uint32_t i)
{
    for (int level = 0; level < LEVELS; level++) {
        uint64_t *word = &lm->free[level][i / 64];
        bool was_empty = !*word;

        *word |= UINT64_C(1) << i % 64;
        if (!was_empty) {
            return;
        }
        i /= 64;
    }
}

/* The caller knows that there is one. */
static uint32_t take_lowest(ToeLmem *lm)
{
    uint32_t i = 0;

    for (int level = LEVELS; level-- > 0;) {
        i = i * 64 + (uint32_t)__builtin_ctzll(lm->free[level][i]);
    }
    for (uint32_t level = 0, k = i; level < LEVELS; level++, k /= 64) {
        uint64_t *word = &lm->free[level][k / 64];

        *word &= ~(UINT64_C(1) << k % 64);
        if (*word) {
            break;
        }
    }
    return i;
}

ToeLmem *toe_lmem_new(uint8_t *ram, size_t size, ToeCounters *counters)
{
    ToeLmem *lm = g_new0(ToeLmem, 1);
    size_t total = size / TOE_BUFLET_SIZE;

    lm->ram = ram;
    lm->total = MIN(total, (size_t)1 << 6 * LEVELS);
    lm->size = (size_t)lm->total * TOE_BUFLET_SIZE;
    lm->counters = counters;
    lm->table = g_new0(ToeBuflet, lm->total);
    for (uint32_t level = 0, n = lm->total; level < LEVELS; level++) {
        n = MAX(words(n), 1);
        lm->free[level] = g_new0(uint64_t, n);
    }
    toe_lmem_reset(lm);
    return lm;
}

void toe_lmem_free(ToeLmem *lm)
{
    if (lm) {
        for (int level = 0; level < LEVELS; level++) {
            g_free(lm->free[level]);
        }
        g_free(lm->table);
        g_free(lm);
    }
}

void toe_lmem_reset(ToeLmem *lm)
{
    for (uint32_t i = 0; i < lm->total; i++) {
        lm->table[i] = (ToeBuflet) { .next = TOE_BUFLET_NONE };
        set_free(lm, i);
    }
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
        uint32_t i = take_lowest(lm);
        ToeBuflet *b = &lm->table[i];

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

/* Give the buflets from first to last, all or a part of a chain, back. */
static void put_back(ToeLmem *lm, uint32_t first, uint32_t last)
{
    uint32_t i = first;

    set_free(lm, i);
    lm->navail++;
    while (i != last) {
        i = lm->table[i].next;
        set_free(lm, i);
        lm->navail++;
    }
    show_free(lm);
}

void toe_chain_trim_head(ToeLmem *lm, ToeChain *c, uint32_t len)
{
    uint32_t first = c->first;
    uint32_t i = first;
    uint32_t last = TOE_BUFLET_NONE;

    if (len >= c->len) {
        toe_chain_clear(lm, c);
        return;
    }
    c->len -= len;
    while (len >= lm->table[i].used) {
        len -= lm->table[i].used;
        last = i;
        i = lm->table[i].next;
    }
    lm->table[i].start += len;
    lm->table[i].used -= len;
    c->first = i;
    if (last != TOE_BUFLET_NONE) {
        put_back(lm, first, last);
    }
}

void toe_chain_trim_tail(ToeLmem *lm, ToeChain *c, uint32_t len)
{
    uint32_t keep, i, first, old_last;

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
        put_back(lm, first, old_last);
    }
}

void toe_chain_clear(ToeLmem *lm, ToeChain *c)
{
    if (c->first != TOE_BUFLET_NONE) {
        put_back(lm, c->first, c->last);
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
