/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * neigh.c - the neighbour table, of both address families.
 *
 * Theory of operation
 *
 * The adapter resolves neighbours itself.  This file has the table, the states
 * and the packets that wait; how a question looks on the wire, and what an
 * answer says, is arp.c's for IPv4 and nd.c's for IPv6.  An entry is in one
 * of these states:
 *
 *   INCOMPLETE  asked for, by broadcast or multicast, once a second; packets
 *               wait in it.  After TOE_NEIGH_TRIES without an answer: FAILED.
 *   REACHABLE   answered; good for reachable_time().
 *   DELAY       IPv6 only (RFC 4861, 7.3.3): that time is over and the entry
 *               was used again.  For some seconds the neighbour may confirm by
 *               itself; then PROBE.
 *   PROBE       the neighbour is asked by unicast, once a second, while its
 *               MAC stays in use.  Without an answer: INCOMPLETE, that is by
 *               broadcast, or by multicast as RFC 7048 wants it.
 *   GIVEN       the host set the MAC while packets waited: they go out in the
 *               next turn, and the entry is REACHABLE.
 *   FAILED      did not answer; for TOE_NEIGH_FAILED_NS whoever sends to it is
 *               told TOE_ST_UNREACH.  Then the entry is gone.
 *
 * "Stale" is no state but REACHABLE with its time over: nothing happens to an
 * entry that nobody uses, so an idle one costs no timer.  What was only heard
 * of an IPv6 neighbour, and is no answer, makes an entry that is stale from the
 * start (RFC 4861, 7.2.5; ARP knows no difference, RFC 826); one that TCP has
 * sent by in vain becomes stale.
 *
 * Entries that the host set (NEIGH_ADD mirrors the kernel's table) are the
 * host's word: only an answer to our own probe changes their MAC, and silence
 * does not stop their use, because a static entry's owner need not speak ARP
 * at all.
 *
 * A new address and a port that gets link are announced twice.
 *
 * Bounds.  The table has TOE_NEIGHS_MAX places.  When it is full the least
 * recently used entry goes.  What only came in from the network, and was never
 * sent to, enters at the cold end, so that a flood of invented neighbours
 * evicts itself and not the neighbours in use.  The packets that wait are
 * limited for each neighbour and in bytes for all.  A packet in fragments is
 * one packet: its frames wait together or not at all, since without one of
 * them the others are waste.
 *
 * A group of hosts and everybody are no neighbours: their MACs are known.
 */
#include "group.h"
#include "toe_trace.h"
#include "wire.h"

#define TOE_NEIGH_TRIES         3u
#define TOE_NEIGH_RETRY_NS      TOE_NS_PER_S
#define TOE_NEIGH_REACH_V4_NS   (60 * TOE_NS_PER_S)
#define TOE_NEIGH_REACH_V6_NS   (30 * TOE_NS_PER_S)     /* RFC 4861, 10 */
#define TOE_NEIGH_DELAY_NS      (5 * TOE_NS_PER_S)      /* RFC 4861, 10 */
#define TOE_NEIGH_FAILED_NS     (5 * TOE_NS_PER_S)
#define TOE_NEIGH_PENDING_MAX   16u             /* packets of a neighbour */
#define TOE_NEIGH_PENDING_BYTES (1u << 20)      /* of all neighbours */
#define TOE_NEIGH_HOST_MAX      (TOE_NEIGHS_MAX * 3 / 4)
#define TOE_NEIGH_ANNOUNCE_NUM  2u              /* RFC 5227, 1.1 */
#define TOE_NEIGH_ANNOUNCE_NS   (2 * TOE_NS_PER_S)
#define TOE_NEIGH_BUCKETS       1024u           /* a power of two */

#define NONE UINT16_MAX

typedef enum NeighState {
    NEIGH_FREE,
    NEIGH_INCOMPLETE,
    NEIGH_REACHABLE,
    NEIGH_DELAY,
    NEIGH_PROBE,
    NEIGH_GIVEN,
    NEIGH_FAILED,
} NeighState;

typedef struct Neigh {
    uint8_t state;
    uint8_t tries;              /* requests sent in this state */
    bool host;                  /* set by the driver */
    uint8_t family;
    uint8_t addr[16];
    uint8_t mac[6];             /* INCOMPLETE: only if it is the host's */
    uint16_t hash_next;         /* FREE: the next free place */
    uint16_t newer;             /* in the order of use */
    uint16_t older;
    int64_t confirmed;          /* last time it answered */
    ToeWaiting *first;
    ToeWaiting *last;
    uint32_t pending;           /* packets waiting, not frames */
} Neigh;

struct ToeNeighs {
    Neigh neigh[TOE_NEIGHS_MAX];
    uint16_t bucket[TOE_NEIGH_BUCKETS];
    uint16_t free;
    uint16_t newest;
    uint16_t oldest;
    uint32_t hosts;             /* entries set by the driver */
    uint32_t pending_bytes;
};

/* ---- The table ---- */

static uint16_t index_of(const ToeNeighs *tab, const Neigh *e)
{
    return (uint16_t)(e - tab->neigh);
}

static uint16_t *bucket_of(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    uint8_t key[17];
    uint64_t h;

    key[0] = family;
    memcpy(key + 1, addr, 16);
    h = toe_siphash(&n->hash_key, key, sizeof(key));
    return &n->neighs->bucket[h & (TOE_NEIGH_BUCKETS - 1)];
}

static void set_timer(ToeNop *n, const Neigh *e, int64_t deadline)
{
    toe_timers_set(&n->timers, n->config.connections + TOE_TIMER_NEIGH +
                   index_of(n->neighs, e), deadline);
}

static void order_unlink(ToeNeighs *tab, Neigh *e)
{
    if (e->newer != NONE) {
        tab->neigh[e->newer].older = e->older;
    } else {
        tab->newest = e->older;
    }
    if (e->older != NONE) {
        tab->neigh[e->older].newer = e->newer;
    } else {
        tab->oldest = e->newer;
    }
}

static void order_link(ToeNeighs *tab, Neigh *e, bool warm)
{
    uint16_t i = index_of(tab, e);

    e->newer = e->older = NONE;
    if (tab->newest == NONE) {
        tab->newest = tab->oldest = i;
    } else if (warm) {
        e->older = tab->newest;
        tab->neigh[tab->newest].newer = i;
        tab->newest = i;
    } else {
        e->newer = tab->oldest;
        tab->neigh[tab->oldest].older = i;
        tab->oldest = i;
    }
}

static void touch(ToeNeighs *tab, Neigh *e)
{
    if (e->newer != NONE) {
        order_unlink(tab, e);
        order_link(tab, e, true);
    }
}

static bool is_of(const Neigh *e, uint8_t family, const uint8_t *addr)
{
    return e->family == family && !memcmp(e->addr, addr, 16);
}

static Neigh *find(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    ToeNeighs *tab = n->neighs;
    uint16_t i;

    /* Nearly all goes to the same one, the gateway: no need to look it up. */
    if (tab->newest != NONE &&
        is_of(&tab->neigh[tab->newest], family, addr)) {
        return &tab->neigh[tab->newest];
    }
    i = *bucket_of(n, family, addr);
    while (i != NONE) {
        if (is_of(&tab->neigh[i], family, addr)) {
            return &tab->neigh[i];
        }
        i = tab->neigh[i].hash_next;
    }
    return NULL;
}

/* Take the first frame that waits; the caller frees it. */
static ToeWaiting *take_pending(ToeNeighs *tab, Neigh *e)
{
    ToeWaiting *w = e->first;

    if (w) {
        e->first = w->next;
        if (!e->first) {
            e->last = NULL;
        }
        e->pending -= !w->more;
        tab->pending_bytes -= w->len;
    }
    return w;
}

/* Drop the first packet that waits, all its frames. */
static void drop_packet(ToeNop *n, Neigh *e)
{
    ToeWaiting *w;
    bool more;

    do {
        w = take_pending(n->neighs, e);
        more = w && w->more;
        g_free(w);
    } while (more);
    toe_count(n->counters, ARP_QUEUE_DROPS);
}

static void drop_pending(ToeNop *n, Neigh *e)
{
    while (e->first) {
        drop_packet(n, e);
    }
}

static void forget(ToeNop *n, Neigh *e)
{
    ToeNeighs *tab = n->neighs;
    uint16_t *link = bucket_of(n, e->family, e->addr);
    uint16_t i = index_of(tab, e);

    drop_pending(n, e);
    set_timer(n, e, TOE_TIMER_OFF);
    while (*link != i) {
        link = &tab->neigh[*link].hash_next;
    }
    *link = e->hash_next;
    order_unlink(tab, e);
    tab->hosts -= e->host;
    memset(e, 0, sizeof(*e));
    e->hash_next = tab->free;
    tab->free = i;
}

static bool is_silent(const Neigh *e)
{
    return e->state == NEIGH_INCOMPLETE || e->state == NEIGH_FAILED;
}

/*
 * Make room for an entry: the oldest goes that is not the host's.  There is
 * one, since the host's entries are limited; the walk is bounded by the table.
 */
static void evict(ToeNop *n)
{
    ToeNeighs *tab = n->neighs;
    uint16_t i = tab->oldest;

    /* Who does not answer goes before who does (RFC 6583, 4.2). */
    while (i != NONE && (tab->neigh[i].host || !is_silent(&tab->neigh[i]))) {
        i = tab->neigh[i].newer;
    }
    if (i == NONE) {
        i = tab->oldest;
        while (i != NONE && tab->neigh[i].host) {
            i = tab->neigh[i].newer;
        }
    }
    if (i != NONE) {
        toe_trace_neigh_evict(toe_addr_hi(tab->neigh[i].addr),
                              toe_addr_lo(tab->neigh[i].addr));
        forget(n, &tab->neigh[i]);
    }
}

static Neigh *create(ToeNop *n, uint8_t family, const uint8_t *addr,
                     bool warm)
{
    ToeNeighs *tab = n->neighs;
    uint16_t *bucket = bucket_of(n, family, addr);
    Neigh *e;

    if (tab->free == NONE) {
        evict(n);
    }
    if (tab->free == NONE) {
        return NULL;
    }
    e = &tab->neigh[tab->free];
    tab->free = e->hash_next;
    memset(e, 0, sizeof(*e));
    e->family = family;
    memcpy(e->addr, addr, 16);
    e->hash_next = *bucket;
    *bucket = index_of(tab, e);
    order_link(tab, e, warm);
    return e;
}

/* ---- State changes ---- */

static int64_t reachable_time(const Neigh *e)
{
    return e->family == TOE_AF_INET6 ? TOE_NEIGH_REACH_V6_NS
                                     : TOE_NEIGH_REACH_V4_NS;
}

/* Ask for e: the neighbour alone, or everybody. */
static void send_request(ToeNop *n, Neigh *e, bool unicast)
{
    const uint8_t *mac = unicast ? e->mac : NULL;

    e->tries++;
    if (e->family == TOE_AF_INET6) {
        toe_nd_solicit(n, e->addr, mac);
    } else {
        toe_arp_request(n, e->addr, mac);
    }
    set_timer(n, e, toe_nop_now(n) + TOE_NEIGH_RETRY_NS);
}

static void start_incomplete(ToeNop *n, Neigh *e)
{
    e->state = NEIGH_INCOMPLETE;
    e->tries = 0;
    send_request(n, e, false);
}

static void start_probe(ToeNop *n, Neigh *e)
{
    e->state = NEIGH_PROBE;
    e->tries = 0;
    send_request(n, e, true);
}

/* A stale entry is used. */
static void probe_soon(ToeNop *n, Neigh *e)
{
    if (e->family != TOE_AF_INET6) {
        start_probe(n, e);
        return;
    }
    e->state = NEIGH_DELAY;
    set_timer(n, e, toe_nop_now(n) + TOE_NEIGH_DELAY_NS);
}

/* The neighbour has this MAC: send what waited. */
static void resolved(ToeNop *n, Neigh *e, const uint8_t *mac)
{
    ToeWaiting *w;

    e->state = NEIGH_REACHABLE;
    e->tries = 0;
    e->confirmed = toe_nop_now(n);
    memcpy(e->mac, mac, 6);
    set_timer(n, e, TOE_TIMER_OFF);
    toe_trace_neigh_resolved(toe_addr_hi(e->addr), toe_addr_lo(e->addr),
                             e->pending);
    while ((w = take_pending(n->neighs, e))) {
        memcpy(w->data, e->mac, 6);
        toe_eth_output(n, w->data, w->len);
        g_free(w);
    }
}

static void failed(ToeNop *n, Neigh *e)
{
    if (e->host) {
        /* The host knows better; ask again when this time is over too. */
        resolved(n, e, e->mac);
        return;
    }
    if (e->family == TOE_AF_INET6) {
        toe_count(n->counters, ND_FAILED);
    } else {
        toe_count(n->counters, ARP_FAILED);
    }
    toe_trace_neigh_failed(toe_addr_hi(e->addr), toe_addr_lo(e->addr),
                           e->pending);
    drop_pending(n, e);
    e->state = NEIGH_FAILED;
    set_timer(n, e, toe_nop_now(n) + TOE_NEIGH_FAILED_NS);
}

static void neigh_timer(ToeNop *n, Neigh *e)
{
    switch (e->state) {
    case NEIGH_INCOMPLETE:
        if (e->tries < TOE_NEIGH_TRIES) {
            send_request(n, e, false);
        } else {
            failed(n, e);
        }
        break;
    case NEIGH_PROBE:
        if (e->tries < TOE_NEIGH_TRIES) {
            send_request(n, e, true);
        } else {
            start_incomplete(n, e);
        }
        break;
    case NEIGH_DELAY:
        start_probe(n, e);
        break;
    case NEIGH_GIVEN:
        resolved(n, e, e->mac);
        break;
    case NEIGH_FAILED:
        forget(n, e);
        break;
    default:
        break;
    }
}

/* ---- Announcements ---- */

void toe_neigh_announce(ToeNop *n, ToeLocalAddr *a)
{
    uint32_t i;

    for (i = 0; i < n->naddrs; i++) {
        if (!a || a == &n->addrs[i]) {
            n->addrs[i].announce = TOE_NEIGH_ANNOUNCE_NUM;
        }
    }
    if (n->naddrs) {
        toe_timers_set(&n->timers, n->config.connections + TOE_TIMER_ANNOUNCE,
                       toe_nop_now(n));
    }
}

static void announce_timer(ToeNop *n)
{
    bool more = false;
    uint32_t i;

    if (!n->link) {
        return;                 /* toe_nop_link() starts again */
    }
    for (i = 0; i < n->naddrs; i++) {
        ToeLocalAddr *a = &n->addrs[i];

        if (a->announce) {
            a->announce--;
            if (a->family == TOE_AF_INET6) {
                toe_nd_announce(n, a);
            } else {
                toe_arp_announce(n, a);
            }
            more |= a->announce;
        }
    }
    if (more) {
        toe_timers_set(&n->timers, n->config.connections + TOE_TIMER_ANNOUNCE,
                       toe_nop_now(n) + TOE_NEIGH_ANNOUNCE_NS);
    }
}

void toe_neigh_timer(ToeNop *n, uint32_t id)
{
    if (id == TOE_TIMER_ANNOUNCE) {
        announce_timer(n);
    } else if (id >= TOE_TIMER_NEIGH &&
               id - TOE_TIMER_NEIGH < TOE_NEIGHS_MAX) {
        neigh_timer(n, &n->neighs->neigh[id - TOE_TIMER_NEIGH]);
    }
}

/* ---- Packets to send ---- */

/* Room for one more packet of len bytes in all its frames. */
static uint8_t make_room(ToeNop *n, Neigh *e, size_t len)
{
    ToeNeighs *tab = n->neighs;

    /* The newest is the one to keep (RFC 1122, 2.3.2.2). */
    if (e->pending >= TOE_NEIGH_PENDING_MAX) {
        drop_packet(n, e);
    }
    if (tab->pending_bytes + len > TOE_NEIGH_PENDING_BYTES) {
        toe_count(n->counters, ARP_QUEUE_DROPS);
        return TOE_ST_NOMEM;
    }
    return TOE_ST_OK;
}

/* A frame of a packet that there is room for. */
static uint8_t keep(ToeNop *n, Neigh *e, const uint8_t *frame, size_t len,
                    bool last)
{
    ToeNeighs *tab = n->neighs;
    ToeWaiting *w = g_malloc(sizeof(*w) + len);

    w->next = NULL;
    w->len = len;
    w->more = !last;
    memcpy(w->data, frame, len);
    if (e->last) {
        e->last->next = w;
    } else {
        e->first = w;
    }
    e->last = w;
    e->pending += last;
    tab->pending_bytes += len;
    return TOE_ST_OK;
}

/* Does what is sent to it wait? */
static bool must_wait(const Neigh *e)
{
    return e->state == NEIGH_GIVEN ||
           (e->state == NEIGH_INCOMPLETE && !e->host);
}

uint8_t toe_neigh_room(ToeNop *n, uint8_t family, const uint8_t *hop,
                       size_t len)
{
    uint8_t mac[6];
    Neigh *e;

    if (toe_group_mac(n, family, hop, mac)) {
        return TOE_ST_OK;
    }
    e = find(n, family, hop);
    if (!e) {
        e = create(n, family, hop, true);
        if (!e) {
            return TOE_ST_NOMEM;
        }
        start_incomplete(n, e);
    }
    return must_wait(e) ? make_room(n, e, len) : TOE_ST_OK;
}

uint8_t toe_neigh_output_part(ToeNop *n, uint8_t family, const uint8_t *hop,
                              uint8_t *frame, size_t len, bool first,
                              bool last)
{
    Neigh *e;

    if (toe_group_mac(n, family, hop, frame)) {
        return toe_eth_output(n, frame, len);
    }
    e = find(n, family, hop);
    if (!e) {
        e = create(n, family, hop, true);
        if (!e) {
            return TOE_ST_NOMEM;
        }
        start_incomplete(n, e);
    }
    touch(n->neighs, e);
    if (must_wait(e)) {
        uint8_t st = first && last ? make_room(n, e, len) : TOE_ST_OK;

        return st == TOE_ST_OK ? keep(n, e, frame, len, last) : st;
    }
    switch (e->state) {
    case NEIGH_FAILED:
        toe_count(n->counters, ARP_QUEUE_DROPS);
        return TOE_ST_UNREACH;
    case NEIGH_REACHABLE:
        if (toe_nop_now(n) - e->confirmed >= reachable_time(e)) {
            probe_soon(n, e);
        }
        break;
    default:
        break;
    }
    memcpy(frame, e->mac, 6);
    return toe_eth_output(n, frame, len);
}

uint8_t toe_neigh_output(ToeNop *n, uint8_t family, const uint8_t *hop,
                         uint8_t *frame, size_t len)
{
    return toe_neigh_output_part(n, family, hop, frame, len, true, true);
}

/* ---- What was heard ---- */

/* An entry for a neighbour that nobody asked for. */
static Neigh *create_heard(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    return toe_route_on_link(n, family, addr) ? create(n, family, addr, false)
                                              : NULL;
}

/* Its last answer is too old, whenever that was. */
static void doubt(ToeNop *n, Neigh *e)
{
    e->confirmed = toe_nop_now(n) - reachable_time(e);
}

/* The MAC is known now, but not that the neighbour can be reached. */
static void stale(ToeNop *n, Neigh *e, const uint8_t *mac)
{
    resolved(n, e, mac);
    doubt(n, e);
}

void toe_neigh_suspect(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    Neigh *e = find(n, family, addr);

    if (e) {
        doubt(n, e);
    }
}

static bool asked(const Neigh *e)
{
    return e->state == NEIGH_PROBE || e->state == NEIGH_INCOMPLETE;
}

void toe_neigh_confirm(ToeNop *n, uint8_t family, const uint8_t *addr,
                       const uint8_t *mac, bool answer, bool add)
{
    Neigh *e = find(n, family, addr);

    if (e && e->host && memcmp(e->mac, mac, 6) && !(asked(e) && answer)) {
        return;
    }
    if (!e && add) {
        e = create_heard(n, family, addr);
    }
    if (e) {
        resolved(n, e, mac);
    }
}

void toe_neigh_hear(ToeNop *n, uint8_t family, const uint8_t *addr,
                    const uint8_t *mac)
{
    Neigh *e = find(n, family, addr);

    if (!e) {
        e = create_heard(n, family, addr);
        if (!e) {
            return;
        }
    } else if (e->host || (e->state != NEIGH_INCOMPLETE &&
                           e->state != NEIGH_FAILED &&
                           !memcmp(e->mac, mac, 6))) {
        return;
    }
    stale(n, e, mac);
}

void toe_neigh_advert(ToeNop *n, uint8_t family, const uint8_t *addr,
                      const uint8_t *mac, bool solicited, bool override)
{
    Neigh *e = find(n, family, addr);
    bool known, differs;

    if (!e) {
        return;
    }
    known = e->state != NEIGH_INCOMPLETE && e->state != NEIGH_FAILED;
    if (!known && !mac) {
        return;                 /* an answer without what was asked for */
    }
    differs = mac && memcmp(e->mac, mac, 6);
    if (e->host && differs && !(solicited && override && asked(e))) {
        return;
    }
    if (known && differs && !override) {
        /* Another MAC, but not meant to replace ours: have a look soon. */
        doubt(n, e);
    } else if (solicited) {
        resolved(n, e, mac ? mac : e->mac);
    } else if (!known || differs) {
        stale(n, e, mac);
    }
}

/* ---- The driver's word, and life ---- */

uint8_t toe_neigh_set(ToeNop *n, uint8_t family, const uint8_t *addr,
                      const uint8_t *mac)
{
    ToeNeighs *tab = n->neighs;
    Neigh *e = find(n, family, addr);

    if (!mac) {
        if (e) {
            forget(n, e);
        }
        return TOE_ST_OK;
    }
    if (!e || !e->host) {
        if (tab->hosts >= TOE_NEIGH_HOST_MAX) {
            return TOE_ST_NOMEM;
        }
        if (!e) {
            e = create(n, family, addr, true);
        }
        if (!e) {
            return TOE_ST_NOMEM;
        }
        e->host = true;
        tab->hosts++;
    }
    if (e->pending) {
        /* This is a call of the host side, from which nothing is sent. */
        memcpy(e->mac, mac, 6);
        e->state = NEIGH_GIVEN;
        set_timer(n, e, toe_nop_now(n));
        return TOE_ST_OK;
    }
    resolved(n, e, mac);
    return TOE_ST_OK;
}

/* Empty the table without a word; packets that wait are not counted. */
static void clear(ToeNeighs *tab)
{
    uint16_t i;

    for (i = 0; i < TOE_NEIGHS_MAX; i++) {
        Neigh *e = &tab->neigh[i];
        ToeWaiting *w;

        while ((w = take_pending(tab, e))) {
            g_free(w);
        }
        memset(e, 0, sizeof(*e));
        e->hash_next = i + 1u < TOE_NEIGHS_MAX ? i + 1u : NONE;
    }
    for (i = 0; i < TOE_NEIGH_BUCKETS; i++) {
        tab->bucket[i] = NONE;
    }
    tab->free = 0;
    tab->newest = tab->oldest = NONE;
    tab->hosts = 0;
    tab->pending_bytes = 0;
}

ToeNeighs *toe_neigh_new(ToeNop *n)
{
    ToeNeighs *tab = g_new0(ToeNeighs, 1);

    (void)n;
    clear(tab);
    return tab;
}

void toe_neigh_free(ToeNop *n)
{
    clear(n->neighs);
    g_free(n->neighs);
    n->neighs = NULL;
}

void toe_neigh_reset(ToeNop *n)
{
    clear(n->neighs);
}
