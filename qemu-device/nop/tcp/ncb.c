/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ncb.c - the table of network control blocks.
 *
 * A fixed array, allocated once.  A handle is index + generation; the
 * generation changes when an NCB is freed, so that a stale handle is
 * recognised.  Free NCBs wait in a queue, the one freed longest ago is taken
 * first, so that a generation comes back as late as possible.
 *
 * Connections are found by a keyed hash (SipHash) of the 4-tuple: a peer
 * that knows the function but not the key cannot fill one bucket.  Listeners
 * stand in a table of their own, by port.  Collisions are chained through
 * hash_next.
 *
 * A two-way list through list_prev/list_next: the NCBs in TIME-WAIT that
 * nobody owns, oldest first.  The list of NCBs that wait for output is
 * one-way through out_next; an NCB freed while on it stays on it and is
 * skipped when its turn comes, or found to be alive again, which is harmless.
 *
 * Behind the table is one NCB more, for what sends but is no connection yet
 * (synq.c): it belongs to whoever called toe_ncb_scratch() last.
 */
#include "nop/tcp/tcp.h"

typedef struct TupleKey {
    uint8_t laddr[16];
    uint8_t raddr[16];
    uint16_t lport;
    uint16_t rport;
    uint32_t family;
} TupleKey;

_Static_assert(sizeof(TupleKey) == 40, "no padding: it is hashed");

uint32_t toe_ncb_tuple_hash(const ToeTcp *t, uint8_t family,
                            const uint8_t *laddr, uint16_t lport,
                            const uint8_t *raddr, uint16_t rport)
{
    TupleKey k = { .lport = lport, .rport = rport, .family = family };

    memcpy(k.laddr, laddr, 16);
    memcpy(k.raddr, raddr, 16);
    return (uint32_t)toe_siphash(&t->hash_key, &k, sizeof(k));
}

static uint32_t tuple_bucket(const ToeTcp *t, uint8_t family,
                             const uint8_t *laddr, uint16_t lport,
                             const uint8_t *raddr, uint16_t rport)
{
    return toe_ncb_tuple_hash(t, family, laddr, lport, raddr, rport) &
           t->hash_mask;
}

static uint32_t listen_bucket(const ToeTcp *t, uint8_t family, uint16_t lport)
{
    /* The owner of the machine chooses these, not the peer: no key needed. */
    return (lport * 2654435761u + family) >> 8 & t->listen_mask;
}

static void random_key(ToeTcp *t, ToeSipKey *key)
{
    key->k[0] = toe_nop_random(t->nop);
    key->k[1] = toe_nop_random(t->nop);
}

static void put_free(ToeTcp *t, uint32_t index)
{
    t->ncbs[index].free_next = TOE_NONE;
    if (t->free_last == TOE_NONE) {
        t->free_first = index;
    } else {
        t->ncbs[t->free_last].free_next = index;
    }
    t->free_last = index;
}

bool toe_ncb_table_init(ToeTcp *t, uint32_t size)
{
    uint32_t buckets = 16, listen_buckets;

    while (buckets < size && buckets < 1u << TOE_INDEX_BITS) {
        buckets *= 2;
    }
    listen_buckets = MIN(buckets, 4096);
    t->size = size;
    if (posix_memalign((void **)&t->ncbs, _Alignof(ToeNcb),
                       ((size_t)size + 1) * sizeof(ToeNcb))) {
        t->ncbs = NULL;
    } else {
        memset(t->ncbs, 0, ((size_t)size + 1) * sizeof(ToeNcb));
    }
    t->hash = g_try_new(uint32_t, buckets);
    t->listen_hash = g_try_new(uint32_t, listen_buckets);
    if (!t->ncbs || !t->hash || !t->listen_hash) {
        return false;
    }
    t->hash_mask = buckets - 1;
    t->listen_mask = listen_buckets - 1;
    for (uint32_t i = 0; i < size; i++) {
        t->ncbs[i].generation = 1;
    }
    toe_ncb_table_reset(t);
    return true;
}

void toe_ncb_table_reset(ToeTcp *t)
{
    memset(t->hash, 0xff, (t->hash_mask + 1) * sizeof(*t->hash));
    memset(t->listen_hash, 0xff,
           (t->listen_mask + 1) * sizeof(*t->listen_hash));
    t->free_first = t->free_last = TOE_NONE;
    t->out_first = t->out_last = TOE_NONE;
    t->tw_first = t->tw_last = TOE_NONE;
    t->conns = 0;
    random_key(t, &t->hash_key);
    random_key(t, &t->isn_key);
    random_key(t, &t->port_key);
    for (uint32_t i = 0; i < t->size; i++) {
        t->ncbs[i].flags = 0;
        put_free(t, i);
    }
}

void toe_ncb_table_free(ToeTcp *t)
{
    free(t->ncbs);
    g_free(t->hash);
    g_free(t->listen_hash);
}

static uint32_t take_free(ToeTcp *t)
{
    uint32_t index = t->free_first;

    if (index != TOE_NONE) {
        t->free_first = t->ncbs[index].free_next;
        if (t->free_first == TOE_NONE) {
            t->free_last = TOE_NONE;
        }
    }
    return index;
}

static void init_ncb(ToeTcp *t, ToeNcb *c, ToeNcbKind kind)
{
    memset(c, 0, sizeof(*c));
    c->kind = (uint8_t)kind;
    c->state = TOE_TCP_CLOSED;
    c->hash_next = c->free_next = TOE_NONE;
    c->list_prev = c->list_next = c->requests = TOE_NONE;
    c->tx = c->rx = toe_chain_init();
    c->tx_pos.buflet = TOE_BUFLET_NONE;
    c->reass = TOE_NONE;
    c->span_first = c->span_last = TOE_NONE;
    c->rtx_pos.buflet = TOE_BUFLET_NONE;
    c->snd_buf = CLAMP(t->nop->sndbuf, TOE_BUF_MIN, TOE_BUF_MAX);
    c->rcv_buf = CLAMP(t->nop->rcvbuf, TOE_BUF_MIN, TOE_BUF_MAX);
    c->wscale_offer = toe_autotune_wscale(t->nop);
    c->rto = TOE_RTO_INIT_NS;
    c->cc = t->nop->congestion;
    c->ecn = t->nop->ecn;
    c->pmtud = TOE_PMTUD_WANT;
    c->raise_at = INT64_MAX;
    c->armed = INT64_MAX;
    for (unsigned i = 0; i < TOE_T_MAX; i++) {
        c->deadline[i] = INT64_MAX;
    }
}

ToeNcb *toe_ncb_new(ToeTcp *t, ToeNcbKind kind)
{
    uint32_t index = take_free(t);
    uint32_t on_out, out_next;
    uint16_t generation;
    ToeNcb *c;

    if (index == TOE_NONE && t->tw_first != TOE_NONE) {
        /* A connection in TIME-WAIT has done all it has to do but wait. */
        toe_ncb_free(t, &t->ncbs[t->tw_first]);
        index = take_free(t);
    }
    if (index == TOE_NONE) {
        return NULL;
    }
    c = &t->ncbs[index];
    generation = c->generation;
    on_out = c->flags & TOE_F_ON_OUT;
    out_next = c->out_next;
    init_ncb(t, c, kind);
    c->generation = generation;
    c->flags = on_out;
    c->out_next = out_next;
    toe_count_add(t->nop->counters, TCP_NCBS, 1);
    return c;
}

ToeNcb *toe_ncb_scratch(ToeTcp *t)
{
    ToeNcb *c = &t->ncbs[t->size];

    init_ncb(t, c, TOE_NCB_CONN);
    c->armed = INT64_MIN;       /* no deadline of it reaches the heap */
    return c;
}

void toe_ncb_free(ToeTcp *t, ToeNcb *c)
{
    uint32_t index = toe_ncb_index(t, c);

    if (c->kind == TOE_NCB_FREE) {
        return;
    }
    toe_timer_all_off(t, c);
    toe_ncb_unhash(t, c);
    toe_fastopen_done(t, c);
    toe_ncb_backlog_del(t, c);
    toe_ncb_tw_del(t, c);
    toe_ncb_drop_bytes(t, c, true);
    if (c->state == TOE_TCP_TIME_WAIT) {
        toe_count_add(t->nop->counters, TCP_TIME_WAIT, -1);
    }
    if (c->flags & TOE_F_ORPHAN) {
        toe_count_add(t->nop->counters, TCP_ORPHANS, -1);
    }
    if (c->flags & TOE_F_PORT) {
        toe_ports_release(&t->nop->tcp_ports, c->lport);
    }
    c->flags &= TOE_F_ON_OUT;
    c->kind = TOE_NCB_FREE;
    c->state = TOE_TCP_CLOSED;
    c->events = 0;
    /* 12 bits of a handle; 0 is never one, so that handle 0 means none. */
    c->generation = c->generation >= 4095 ? 1 : c->generation + 1;
    toe_count_add(t->nop->counters, TCP_NCBS, -1);
    put_free(t, index);
}

ToeNcb *toe_ncb_by_handle(ToeTcp *t, uint32_t handle)
{
    uint32_t index = TOE_INDEX(handle);
    ToeNcb *c;

    if (index >= t->size) {
        return NULL;
    }
    c = &t->ncbs[index];
    return c->kind != TOE_NCB_FREE && c->generation == TOE_GENERATION(handle)
           ? c : NULL;
}

ToeNcb *toe_ncb_get(ToeTcp *t, uint32_t handle)
{
    ToeNcb *c = toe_ncb_by_handle(t, handle);

    return c && c->flags & TOE_F_OWNED ? c : NULL;
}

static bool has_tuple(const ToeNcb *c, uint8_t family, const uint8_t *laddr,
                      uint16_t lport, const uint8_t *raddr, uint16_t rport)
{
    return c->lport == lport && c->rport == rport && c->family == family &&
           !memcmp(c->raddr, raddr, 16) && !memcmp(c->laddr, laddr, 16);
}

ToeNcb *toe_ncb_lookup(ToeTcp *t, uint8_t family, const uint8_t *laddr,
                       uint16_t lport, const uint8_t *raddr, uint16_t rport)
{
    ToeNcb *recent = &t->ncbs[t->recent];
    uint32_t *first, *link;

    /* Segments come in trains. */
    if (recent->flags & TOE_F_HASHED && recent->kind != TOE_NCB_LISTENER &&
        has_tuple(recent, family, laddr, lport, raddr, rport)) {
        return recent;
    }
    first = &t->hash[tuple_bucket(t, family, laddr, lport, raddr, rport)];
    for (link = first; *link != TOE_NONE;) {
        uint32_t i = *link;
        ToeNcb *c = &t->ncbs[i];

        if (has_tuple(c, family, laddr, lport, raddr, rport)) {
            toe_ncb_prefetch(c);
            t->recent = i;
            if (link != first) {
                /* Busy ones come first: an idle one costs a cache miss. */
                *link = c->hash_next;
                c->hash_next = *first;
                *first = i;
            }
            return c;
        }
        link = &c->hash_next;
    }
    return NULL;
}

static bool addr_is_any(const uint8_t *addr)
{
    static const uint8_t any[16];

    return !memcmp(addr, any, 16);
}

ToeNcb *toe_ncb_lookup_listener(ToeTcp *t, uint8_t family,
                                const uint8_t *laddr, uint16_t lport)
{
    uint32_t i = t->listen_hash[listen_bucket(t, family, lport)];
    ToeNcb *found = NULL;

    while (i != TOE_NONE) {
        ToeNcb *c = &t->ncbs[i];

        if (c->lport == lport && c->family == family) {
            if (!memcmp(c->laddr, laddr, 16)) {
                return c;
            }
            if (addr_is_any(c->laddr)) {
                found = c;
            }
        }
        i = c->hash_next;
    }
    return found;
}

ToeNcb *toe_ncb_listener_conflict(ToeTcp *t, uint8_t family,
                                  const uint8_t *laddr, uint16_t lport)
{
    uint32_t i = t->listen_hash[listen_bucket(t, family, lport)];

    while (i != TOE_NONE) {
        ToeNcb *c = &t->ncbs[i];

        if (c->lport == lport && c->family == family &&
            (addr_is_any(laddr) || addr_is_any(c->laddr) ||
             !memcmp(c->laddr, laddr, 16))) {
            return c;
        }
        i = c->hash_next;
    }
    return NULL;
}

static uint32_t *bucket_of(ToeTcp *t, const ToeNcb *c)
{
    if (c->kind == TOE_NCB_LISTENER) {
        return &t->listen_hash[listen_bucket(t, c->family, c->lport)];
    }
    return &t->hash[tuple_bucket(t, c->family, c->laddr, c->lport, c->raddr,
                                 c->rport)];
}

void toe_ncb_hash(ToeTcp *t, ToeNcb *c)
{
    uint32_t *bucket = bucket_of(t, c);

    c->hash_next = *bucket;
    *bucket = toe_ncb_index(t, c);
    c->flags |= TOE_F_HASHED;
}

void toe_ncb_unhash(ToeTcp *t, ToeNcb *c)
{
    uint32_t *link, index = toe_ncb_index(t, c);

    if (!(c->flags & TOE_F_HASHED)) {
        return;
    }
    for (link = bucket_of(t, c); *link != TOE_NONE;
         link = &t->ncbs[*link].hash_next) {
        if (*link == index) {
            *link = c->hash_next;
            break;
        }
    }
    c->hash_next = TOE_NONE;
    c->flags &= ~TOE_F_HASHED;
}

void toe_ncb_backlog_add(ToeTcp *t, ToeNcb *listener, ToeNcb *c)
{
    listener->pending++;
    c->listener = toe_ncb_handle(t, listener);
    c->flags |= TOE_F_BACKLOG;
}

void toe_ncb_backlog_del(ToeTcp *t, ToeNcb *c)
{
    ToeNcb *listener;

    if (!(c->flags & TOE_F_BACKLOG)) {
        return;
    }
    c->flags &= ~TOE_F_BACKLOG;
    listener = toe_ncb_by_handle(t, c->listener);
    if (listener && listener->pending) {
        listener->pending--;
    }
}

void toe_ncb_tw_add(ToeTcp *t, ToeNcb *c)
{
    uint32_t index = toe_ncb_index(t, c);

    c->list_next = TOE_NONE;
    c->list_prev = t->tw_last;
    if (t->tw_last == TOE_NONE) {
        t->tw_first = index;
    } else {
        t->ncbs[t->tw_last].list_next = index;
    }
    t->tw_last = index;
    c->flags |= TOE_F_ON_TW;
}

void toe_ncb_tw_del(ToeTcp *t, ToeNcb *c)
{
    if (!(c->flags & TOE_F_ON_TW)) {
        return;
    }
    c->flags &= ~TOE_F_ON_TW;
    if (c->list_prev == TOE_NONE) {
        t->tw_first = c->list_next;
    } else {
        t->ncbs[c->list_prev].list_next = c->list_next;
    }
    if (c->list_next == TOE_NONE) {
        t->tw_last = c->list_prev;
    } else {
        t->ncbs[c->list_next].list_prev = c->list_prev;
    }
    c->list_prev = c->list_next = TOE_NONE;
}

void toe_ncb_drop_bytes(ToeTcp *t, ToeNcb *c, bool rx)
{
    toe_chain_clear(t->nop->lm, &c->tx);
    c->tx_pos.buflet = c->rtx_pos.buflet = TOE_BUFLET_NONE;
    toe_reass_clear(t, c);
    toe_sack_clear(t, c);
    if (rx) {
        toe_chain_clear(t->nop->lm, &c->rx);
    }
}
