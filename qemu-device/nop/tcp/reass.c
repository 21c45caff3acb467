/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reass.c - bytes that arrived ahead of their turn.
 *
 * A connection has a short list of ranges, ascending, neither overlapping nor
 * touching.  A new segment fills the gaps it covers: the bytes that are there
 * already stay (what was acknowledged by nobody may come again with other
 * contents; the first copy wins).  Ranges come from a pool of the whole
 * adapter.
 *
 * Bounds, as a peer chooses what it sends: the bytes are within the window,
 * the ranges at most TOE_RANGES_PER_CONN, and the buflets in proportion to
 * the receive buffer.  The last is the one that matters: one byte every other
 * byte would otherwise cost 2 KiB each.  For the same reason a range that
 * fills its buflets badly is copied, not moved, when it joins the in-order
 * bytes.  And bytes ahead never take the last quarter of local memory: they
 * leave it only when the gap before them is filled, and what fills it needs a
 * buflet.
 *
 * The list is also what a SACK option reports (RFC 2018).  The block with the
 * latest segment has to come first, then the ones reported before it, so that
 * each is told several times; c->sack_recent keeps one sequence number of each
 * in that order.  Bytes that came twice are reported in front of them, once
 * (D-SACK, RFC 2883).
 */
#include "nop/tcp/tcp.h"

static uint32_t buflets_for(uint32_t len)
{
    return len / TOE_BUFLET_SIZE + 1;
}

bool toe_reass_init(ToeTcp *t, uint32_t ranges)
{
    t->ranges_size = ranges;
    t->ranges = g_try_new0(ToeRange, ranges);
    if (!t->ranges) {
        return false;
    }
    toe_reass_reset(t);
    return true;
}

void toe_reass_reset(ToeTcp *t)
{
    for (uint32_t i = 0; i < t->ranges_size; i++) {
        t->ranges[i].next = i + 1 < t->ranges_size ? i + 1 : TOE_NONE;
        t->ranges[i].chain = toe_chain_init();
    }
    t->ranges_free = t->ranges_size ? 0 : TOE_NONE;
}

void toe_reass_free(ToeTcp *t)
{
    g_free(t->ranges);
}

static uint32_t range_end(const ToeRange *r)
{
    return r->seq + r->chain.len;
}

/* Unlink the range that *link names, and free it; its chain is empty. */
static void range_del(ToeTcp *t, ToeNcb *c, uint32_t *link)
{
    uint32_t i = *link;
    ToeRange *r = &t->ranges[i];

    *link = r->next;
    c->reass_buflets -= r->buflets;
    c->reass_ranges--;
    r->buflets = 0;
    r->next = t->ranges_free;
    t->ranges_free = i;
}

/*
 * Keep [seq, seq + len), which touches no byte that is there.  prev: the
 * range below, or NONE; *link: the range above.
 */
static bool fill_gap(ToeTcp *t, ToeNcb *c, uint32_t prev, uint32_t *link,
                     uint32_t seq, const uint8_t *data, uint32_t len)
{
    uint32_t limit = 2 * buflets_for(c->rcv_buf) + 32, i, before;
    /* The last quarter is for what comes in order: see above. */
    const ToeLmemClass cls = TOE_LMEM_OUT;
    ToeLmem *lm = t->nop->lm;
    ToeRange *r;

    if (c->reass_buflets + buflets_for(len) > limit) {
        return false;
    }
    before = toe_lmem_avail(lm, TOE_LMEM_IN);
    if (prev != TOE_NONE && range_end(&t->ranges[prev]) == seq) {
        /* The common case: the stream goes on behind a loss. */
        r = &t->ranges[prev];
        if (!toe_chain_append(lm, &r->chain, data, len, cls)) {
            return false;
        }
        before -= toe_lmem_avail(lm, TOE_LMEM_IN);
        r->buflets += before;
        c->reass_buflets += before;
        return true;
    }
    if (c->reass_ranges >= TOE_RANGES_PER_CONN || t->ranges_free == TOE_NONE) {
        return false;
    }
    i = t->ranges_free;
    r = &t->ranges[i];
    r->chain = toe_chain_init();
    if (!toe_chain_append(lm, &r->chain, data, len, cls)) {
        return false;
    }
    t->ranges_free = r->next;
    r->seq = seq;
    r->buflets = before - toe_lmem_avail(lm, TOE_LMEM_IN);
    r->next = *link;
    *link = i;
    c->reass_ranges++;
    c->reass_buflets += r->buflets;
    return true;
}

/* Join ranges that touch. */
static void join(ToeTcp *t, ToeNcb *c)
{
    uint32_t i = c->reass;

    while (i != TOE_NONE) {
        ToeRange *r = &t->ranges[i];

        if (r->next != TOE_NONE && range_end(r) == t->ranges[r->next].seq) {
            ToeRange *above = &t->ranges[r->next];

            toe_chain_concat(t->nop->lm, &r->chain, &above->chain);
            r->buflets += above->buflets;
            c->reass_buflets += above->buflets;     /* range_del() subtracts */
            range_del(t, c, &r->next);
        } else {
            i = r->next;
        }
    }
}

/* The range that holds seq, or NULL. */
static const ToeRange *range_at(const ToeTcp *t, const ToeNcb *c, uint32_t seq)
{
    for (uint32_t i = c->reass; i != TOE_NONE; i = t->ranges[i].next) {
        const ToeRange *r = &t->ranges[i];

        if (seq_lt(seq, r->seq)) {
            break;
        }
        if (seq_lt(seq, range_end(r))) {
            return r;
        }
    }
    return NULL;
}

/* A segment came for the range that holds seq: it is the first to report. */
static void report_first(const ToeTcp *t, ToeNcb *c, uint32_t seq)
{
    const ToeRange *now = range_at(t, c, seq);
    uint32_t kept[TOE_SACK_BLOCKS];
    unsigned n = 0;

    if (!now) {
        return;                                 /* there was no room */
    }
    kept[n++] = seq;
    for (unsigned i = 0; i < c->sack_recents && n < TOE_SACK_BLOCKS; i++) {
        const ToeRange *r = range_at(t, c, c->sack_recent[i]);

        if (r && r != now) {
            kept[n++] = c->sack_recent[i];
        }
    }
    memcpy(c->sack_recent, kept, n * sizeof(*kept));
    c->sack_recents = (uint8_t)n;
}

void toe_reass_duplicate(ToeNcb *c, uint32_t left, uint32_t right)
{
    if (!(c->flags2 & TOE_F2_SACK)) {
        return;
    }
    if (c->dsack.left != c->dsack.right && c->dsack.right == left) {
        c->dsack.right = right;                 /* of one burst */
    } else if (c->dsack.left == c->dsack.right) {
        c->dsack.left = left;
        c->dsack.right = right;
    }
}

uint8_t toe_reass_sack(const ToeTcp *t, const ToeNcb *c, ToeSackBlock *b,
                       unsigned max)
{
    unsigned n = 0;

    if (c->dsack.left != c->dsack.right && n < max) {
        const ToeRange *r = range_at(t, c, c->dsack.left);

        b[n++] = c->dsack;
        /* RFC 2883 section 4: followed by the block that it is part of. */
        if (r && n < max) {
            b[n].left = r->seq;
            b[n++].right = range_end(r);
        }
    }
    for (unsigned i = 0; i < c->sack_recents && n < max; i++) {
        const ToeRange *r = range_at(t, c, c->sack_recent[i]);
        bool again = !r;

        for (unsigned k = 0; k < n; k++) {
            again |= r && b[k].left == r->seq && b[k].right == range_end(r);
        }
        if (!again) {
            b[n].left = r->seq;
            b[n++].right = range_end(r);
        }
    }
    return (uint8_t)n;
}

bool toe_reass_insert(ToeTcp *t, ToeNcb *c, uint32_t seq, const uint8_t *data,
                      uint32_t len)
{
    uint32_t prev = TOE_NONE, *link = &c->reass, end = seq + len, first = seq;
    bool ok = true;

    while (ok && seq_lt(seq, end)) {
        uint32_t gap;

        /* Go to the first range that ends above seq. */
        while (*link != TOE_NONE &&
               seq_leq(range_end(&t->ranges[*link]), seq)) {
            prev = *link;
            link = &t->ranges[prev].next;
        }
        gap = end;
        if (*link != TOE_NONE && seq_lt(t->ranges[*link].seq, end)) {
            gap = t->ranges[*link].seq;
        }
        if (seq_lt(seq, gap)) {
            ok = fill_gap(t, c, prev, link, seq, data, gap - seq);
            data += gap - seq;
            seq = gap;
        } else {
            uint32_t skip = MIN(range_end(&t->ranges[*link]) - seq, end - seq);

            toe_reass_duplicate(c, seq, seq + skip);
            data += skip;
            seq += skip;
        }
    }
    join(t, c);
    report_first(t, c, first);
    return ok;
}

/* Append src to rx; copied if its buflets are badly filled. */
static void move_to_rx(ToeTcp *t, ToeNcb *c, ToeRange *r)
{
    ToeLmem *lm = t->nop->lm;

    if (r->chain.len < TOE_BUFLET_SIZE ||
        r->buflets > 2 * buflets_for(r->chain.len)) {
        while (r->chain.len) {
            uint32_t n = 0;
            uint8_t *p = toe_chain_span(lm, &r->chain, 0, &n, NULL);

            if (!toe_chain_append(lm, &c->rx, p, n, TOE_LMEM_IN)) {
                break;
            }
            toe_chain_trim_head(lm, &r->chain, n);
        }
    }
    toe_chain_concat(lm, &c->rx, &r->chain);
}

uint32_t toe_reass_pull(ToeTcp *t, ToeNcb *c)
{
    uint32_t bytes = 0;

    while (c->reass != TOE_NONE) {
        ToeRange *r = &t->ranges[c->reass];

        if (seq_gt(r->seq, c->rcv_nxt)) {
            break;
        }
        if (seq_leq(range_end(r), c->rcv_nxt)) {
            toe_chain_clear(t->nop->lm, &r->chain);
        } else {
            toe_chain_trim_head(t->nop->lm, &r->chain, c->rcv_nxt - r->seq);
            bytes += r->chain.len;
            c->rcv_nxt += r->chain.len;
            move_to_rx(t, c, r);
        }
        range_del(t, c, &c->reass);
    }
    return bytes;
}

void toe_reass_clear(ToeTcp *t, ToeNcb *c)
{
    while (c->reass != TOE_NONE) {
        toe_chain_clear(t->nop->lm, &t->ranges[c->reass].chain);
        range_del(t, c, &c->reass);
    }
}
