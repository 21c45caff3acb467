/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arp.c - the neighbour table and the Address Resolution Protocol.
 *
 * Theory of operation
 *
 * The adapter resolves neighbours itself.  An entry is in one of these states:
 *
 *   INCOMPLETE  asked for, by broadcast, once a second; packets wait in it.
 *               After TOE_ARP_TRIES without an answer: FAILED.
 *   REACHABLE   answered; good for TOE_ARP_REACHABLE_NS.
 *   PROBE       that time is over and the entry was used again: the neighbour
 *               is asked by unicast, once a second, while its MAC stays in
 *               use.  Without an answer: INCOMPLETE, that is by broadcast.
 *   GIVEN       the host set the MAC while packets waited: they go out in the
 *               next turn, and the entry is REACHABLE.
 *   FAILED      did not answer; for TOE_ARP_FAILED_NS whoever sends to it is
 *               told TOE_ST_UNREACH.  Then the entry is gone.
 *
 * "Stale" is no state but REACHABLE with its time over: nothing happens to an
 * entry that nobody uses, so an idle one costs no timer.
 *
 * Learning (RFC 826).  Any valid ARP packet updates an entry that exists; one
 * whose target is an address of ours also creates one, if the sender is on
 * link.  Entries that the host set (NEIGH_ADD mirrors the kernel's table) are
 * the host's word: only an answer to our own probe changes their MAC, and
 * silence does not stop their use, because a static entry's owner need not
 * speak ARP at all.
 *
 * Addresses of ours.  A request for one is answered here and the operating
 * system does not see it, for it would answer too.  A packet that claims one
 * for another MAC is a conflict: counted, shown to the operating system, and
 * answered with an announcement at most every ten seconds (RFC 5227, 2.4 b).
 * A new address and a port that gets link are announced twice.
 *
 * Bounds.  The table has TOE_NEIGHS_MAX places.  When it is full the least
 * recently used entry goes.  What only came in from the network, and was never
 * sent to, enters at the cold end, so that a flood of invented neighbours
 * evicts itself and not the neighbours in use.  The packets that wait are
 * limited for each neighbour and in bytes for all.
 */
#include "nop.h"
#include "toe_trace.h"
#include "wire.h"

#define TOE_ARP_TRIES           3u
#define TOE_ARP_RETRY_NS        TOE_NS_PER_S
#define TOE_ARP_REACHABLE_NS    (60 * TOE_NS_PER_S)
#define TOE_ARP_FAILED_NS       (5 * TOE_NS_PER_S)
#define TOE_ARP_PENDING_MAX     16u             /* packets of a neighbour */
#define TOE_ARP_PENDING_BYTES   (1u << 20)      /* of all neighbours */
#define TOE_ARP_HOST_MAX        (TOE_NEIGHS_MAX * 3 / 4)
#define TOE_ARP_ANNOUNCE_NUM    2u              /* RFC 5227, 1.1 */
#define TOE_ARP_ANNOUNCE_NS     (2 * TOE_NS_PER_S)
#define TOE_ARP_DEFEND_NS       (10 * TOE_NS_PER_S)
#define TOE_ARP_BUCKETS         1024u           /* a power of two */

#define NONE UINT16_MAX

typedef enum NeighState {
    NEIGH_FREE,
    NEIGH_INCOMPLETE,
    NEIGH_REACHABLE,
    NEIGH_PROBE,
    NEIGH_GIVEN,
    NEIGH_FAILED,
} NeighState;

typedef struct Neigh {
    uint8_t state;
    uint8_t tries;              /* requests sent in this state */
    bool host;                  /* set by the driver */
    uint8_t addr[4];
    uint8_t mac[6];             /* INCOMPLETE: only if it is the host's */
    uint16_t hash_next;         /* FREE: the next free place */
    uint16_t newer;             /* in the order of use */
    uint16_t older;
    int64_t confirmed;          /* last time it answered */
    ToeWaiting *first;
    ToeWaiting *last;
    uint32_t pending;           /* packets waiting */
} Neigh;

struct ToeArp {
    Neigh neigh[TOE_NEIGHS_MAX];
    uint16_t bucket[TOE_ARP_BUCKETS];
    uint16_t free;
    uint16_t newest;
    uint16_t oldest;
    uint32_t hosts;             /* entries set by the driver */
    uint32_t pending_bytes;
};

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t zero[6];

/* ---- The table ---- */

static uint16_t index_of(const ToeArp *arp, const Neigh *e)
{
    return (uint16_t)(e - arp->neigh);
}

static uint16_t *bucket_of(ToeNop *n, const uint8_t *addr)
{
    uint64_t h = toe_siphash(&n->hash_key, addr, 4);

    return &n->arp->bucket[h & (TOE_ARP_BUCKETS - 1)];
}

static void set_timer(ToeNop *n, const Neigh *e, int64_t deadline)
{
    toe_timers_set(&n->timers, n->config.connections + TOE_TIMER_NEIGH +
                   index_of(n->arp, e), deadline);
}

static void order_unlink(ToeArp *arp, Neigh *e)
{
    if (e->newer != NONE) {
        arp->neigh[e->newer].older = e->older;
    } else {
        arp->newest = e->older;
    }
    if (e->older != NONE) {
        arp->neigh[e->older].newer = e->newer;
    } else {
        arp->oldest = e->newer;
    }
}

static void order_link(ToeArp *arp, Neigh *e, bool warm)
{
    uint16_t i = index_of(arp, e);

    e->newer = e->older = NONE;
    if (arp->newest == NONE) {
        arp->newest = arp->oldest = i;
    } else if (warm) {
        e->older = arp->newest;
        arp->neigh[arp->newest].newer = i;
        arp->newest = i;
    } else {
        e->newer = arp->oldest;
        arp->neigh[arp->oldest].older = i;
        arp->oldest = i;
    }
}

static void touch(ToeArp *arp, Neigh *e)
{
    if (e->newer != NONE) {
        order_unlink(arp, e);
        order_link(arp, e, true);
    }
}

static Neigh *find(ToeNop *n, const uint8_t *addr)
{
    ToeArp *arp = n->arp;
    uint16_t i = *bucket_of(n, addr);

    while (i != NONE) {
        Neigh *e = &arp->neigh[i];

        if (!memcmp(e->addr, addr, 4)) {
            return e;
        }
        i = e->hash_next;
    }
    return NULL;
}

/* Take the first packet that waits; the caller frees it. */
static ToeWaiting *take_pending(ToeArp *arp, Neigh *e)
{
    ToeWaiting *w = e->first;

    if (w) {
        e->first = w->next;
        if (!e->first) {
            e->last = NULL;
        }
        e->pending--;
        arp->pending_bytes -= w->len;
    }
    return w;
}

static void drop_pending(ToeNop *n, Neigh *e)
{
    ToeWaiting *w;

    while ((w = take_pending(n->arp, e))) {
        toe_count(n->counters, ARP_QUEUE_DROPS);
        g_free(w);
    }
}

static void forget(ToeNop *n, Neigh *e)
{
    ToeArp *arp = n->arp;
    uint16_t *link = bucket_of(n, e->addr);
    uint16_t i = index_of(arp, e);

    drop_pending(n, e);
    set_timer(n, e, TOE_TIMER_OFF);
    while (*link != i) {
        link = &arp->neigh[*link].hash_next;
    }
    *link = e->hash_next;
    order_unlink(arp, e);
    arp->hosts -= e->host;
    memset(e, 0, sizeof(*e));
    e->hash_next = arp->free;
    arp->free = i;
}

/*
 * Make room for an entry: the oldest goes that is not the host's.  There is
 * one, since the host's entries are limited; the walk is bounded by them.
 */
static void evict(ToeNop *n)
{
    ToeArp *arp = n->arp;
    uint16_t i = arp->oldest;

    while (i != NONE && arp->neigh[i].host) {
        i = arp->neigh[i].newer;
    }
    if (i != NONE) {
        toe_trace_arp_evict(toe_get32(arp->neigh[i].addr));
        forget(n, &arp->neigh[i]);
    }
}

static Neigh *create(ToeNop *n, const uint8_t *addr, bool warm)
{
    ToeArp *arp = n->arp;
    uint16_t *bucket = bucket_of(n, addr);
    Neigh *e;

    if (arp->free == NONE) {
        evict(n);
    }
    if (arp->free == NONE) {
        return NULL;
    }
    e = &arp->neigh[arp->free];
    arp->free = e->hash_next;
    memset(e, 0, sizeof(*e));
    memcpy(e->addr, addr, 4);
    e->hash_next = *bucket;
    *bucket = index_of(arp, e);
    order_link(arp, e, warm);
    return e;
}

/* ---- Sending ARP ---- */

/* dst: of the frame; the addresses: of the packet. */
static void send_arp(ToeNop *n, uint16_t op, const uint8_t *dst,
                     const uint8_t *spa, const uint8_t *tha,
                     const uint8_t *tpa)
{
    uint8_t frame[TOE_ETH_HLEN + TOE_ARP_LEN];

    toe_wire_eth_build(frame, dst, n->mac, TOE_ETHERTYPE_ARP);
    toe_wire_arp_build(frame + TOE_ETH_HLEN, op, n->mac, spa, tha, tpa);
    if (op == TOE_ARP_REQUEST) {
        toe_count(n->counters, ARP_REQUESTS_OUT);
    } else {
        toe_count(n->counters, ARP_REPLIES_OUT);
    }
    toe_trace_arp_send(op, toe_get32(spa), toe_get32(tpa));
    toe_eth_output(n, frame, sizeof(frame));
}

/*
 * Ask for e.  Our address in the question is one in the neighbour's subnet,
 * since many hosts ignore others; the question is valid without one too
 * (RFC 5227, a probe).
 */
static void send_request(ToeNop *n, Neigh *e, const uint8_t *dst)
{
    uint8_t hop[16] = { 0 }, spa[16] = { 0 };

    memcpy(hop, e->addr, 4);
    toe_ip_route(n, TOE_AF_INET, hop, spa, NULL);
    e->tries++;
    send_arp(n, TOE_ARP_REQUEST, dst, spa, zero, e->addr);
    set_timer(n, e, toe_nop_now(n) + TOE_ARP_RETRY_NS);
}

/* A request for our own address: everybody, note our MAC. */
static void send_announcement(ToeNop *n, ToeLocalAddr *a)
{
    send_arp(n, TOE_ARP_REQUEST, broadcast, a->addr, zero, a->addr);
}

/* ---- State changes ---- */

static void start_incomplete(ToeNop *n, Neigh *e)
{
    e->state = NEIGH_INCOMPLETE;
    e->tries = 0;
    send_request(n, e, broadcast);
}

static void start_probe(ToeNop *n, Neigh *e)
{
    e->state = NEIGH_PROBE;
    e->tries = 0;
    send_request(n, e, e->mac);
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
    toe_trace_arp_resolved(toe_get32(e->addr), e->pending);
    while ((w = take_pending(n->arp, e))) {
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
    toe_count(n->counters, ARP_FAILED);
    toe_trace_arp_failed(toe_get32(e->addr), e->pending);
    drop_pending(n, e);
    e->state = NEIGH_FAILED;
    set_timer(n, e, toe_nop_now(n) + TOE_ARP_FAILED_NS);
}

static void neigh_timer(ToeNop *n, Neigh *e)
{
    switch (e->state) {
    case NEIGH_INCOMPLETE:
        if (e->tries < TOE_ARP_TRIES) {
            send_request(n, e, broadcast);
        } else {
            failed(n, e);
        }
        break;
    case NEIGH_PROBE:
        if (e->tries < TOE_ARP_TRIES) {
            send_request(n, e, e->mac);
        } else {
            start_incomplete(n, e);
        }
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

void toe_arp_announce(ToeNop *n, ToeLocalAddr *a)
{
    uint32_t i;

    for (i = 0; i < n->naddrs; i++) {
        if (!a || a == &n->addrs[i]) {
            n->addrs[i].announce = TOE_ARP_ANNOUNCE_NUM;
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
            send_announcement(n, a);
            more |= a->announce;
        }
    }
    if (more) {
        toe_timers_set(&n->timers, n->config.connections + TOE_TIMER_ANNOUNCE,
                       toe_nop_now(n) + TOE_ARP_ANNOUNCE_NS);
    }
}

void toe_arp_timer(ToeNop *n, uint32_t id)
{
    if (id == TOE_TIMER_ANNOUNCE) {
        announce_timer(n);
    } else if (id >= TOE_TIMER_NEIGH &&
               id - TOE_TIMER_NEIGH < TOE_NEIGHS_MAX) {
        neigh_timer(n, &n->arp->neigh[id - TOE_TIMER_NEIGH]);
    }
}

/* ---- Packets to send ---- */

static uint8_t keep(ToeNop *n, Neigh *e, const uint8_t *frame, size_t len)
{
    ToeArp *arp = n->arp;
    ToeWaiting *w;

    /* The newest is the one to keep (RFC 1122, 2.3.2.2). */
    if (e->pending >= TOE_ARP_PENDING_MAX) {
        g_free(take_pending(arp, e));
        toe_count(n->counters, ARP_QUEUE_DROPS);
    }
    if (arp->pending_bytes + len > TOE_ARP_PENDING_BYTES) {
        toe_count(n->counters, ARP_QUEUE_DROPS);
        return TOE_ST_NOMEM;
    }
    w = g_malloc(sizeof(*w) + len);
    w->next = NULL;
    w->len = len;
    memcpy(w->data, frame, len);
    if (e->last) {
        e->last->next = w;
    } else {
        e->first = w;
    }
    e->last = w;
    e->pending++;
    arp->pending_bytes += len;
    return TOE_ST_OK;
}

uint8_t toe_arp_output(ToeNop *n, const uint8_t *hop, uint8_t *frame,
                       size_t len)
{
    Neigh *e = find(n, hop);

    if (!e) {
        uint8_t st;

        e = create(n, hop, true);
        if (!e) {
            return TOE_ST_NOMEM;
        }
        st = keep(n, e, frame, len);
        start_incomplete(n, e);
        return st;
    }
    touch(n->arp, e);
    switch (e->state) {
    case NEIGH_INCOMPLETE:
        if (!e->host) {
            return keep(n, e, frame, len);
        }
        break;
    case NEIGH_GIVEN:
        return keep(n, e, frame, len);
    case NEIGH_FAILED:
        toe_count(n->counters, ARP_QUEUE_DROPS);
        return TOE_ST_UNREACH;
    case NEIGH_REACHABLE:
        if (toe_nop_now(n) - e->confirmed >= TOE_ARP_REACHABLE_NS) {
            start_probe(n, e);
        }
        break;
    default:
        break;
    }
    memcpy(frame, e->mac, 6);
    return toe_eth_output(n, frame, len);
}

/* ---- Packets received ---- */

/*
 * Another host claims an address of ours.  One announcement repairs the
 * tables of those who believed it; more than one in ten seconds would be a
 * quarrel without end.
 */
static void conflict(ToeNop *n, ToeLocalAddr *mine, const ToeWireArp *a)
{
    int64_t now = toe_nop_now(n);

    toe_count(n->counters, ARP_CONFLICTS);
    toe_trace_arp_conflict(toe_get32(a->spa), toe_get32(a->sha + 2));
    if (mine->defended == INT64_MIN ||
        now - mine->defended >= TOE_ARP_DEFEND_NS) {
        mine->defended = now;
        send_announcement(n, mine);
    }
}

/* RFC 826's table update.  for_us: the target is an address of ours. */
static void learn(ToeNop *n, const ToeWireArp *a, bool for_us)
{
    uint8_t addr[16] = { 0 };
    Neigh *e = find(n, a->spa);
    bool asked;

    if (e) {
        asked = e->state == NEIGH_PROBE || e->state == NEIGH_INCOMPLETE;
        if (e->host && memcmp(e->mac, a->sha, 6) &&
            !(asked && for_us && a->op == TOE_ARP_REPLY)) {
            return;
        }
        resolved(n, e, a->sha);
        return;
    }
    memcpy(addr, a->spa, 4);
    if (for_us && toe_route_on_link(n, TOE_AF_INET, addr)) {
        e = create(n, a->spa, false);
        if (e) {
            resolved(n, e, a->sha);
        }
    }
}

bool toe_arp_input(ToeNop *n, const uint8_t *packet, size_t len)
{
    uint8_t addr[16] = { 0 };
    ToeLocalAddr *mine;
    ToeWireArp a;
    bool for_us;

    toe_count(n->counters, ARP_IN);
    switch (toe_wire_arp_parse(packet, len, &a)) {
    case TOE_WIRE_ARP_SHORT:
        toe_count(n->counters, ARP_BAD);
        return true;
    case TOE_WIRE_ARP_OTHER:
        return false;
    case TOE_WIRE_ARP_OK:
        break;
    }
    toe_trace_arp_receive(a.op, toe_get32(a.spa), toe_get32(a.tpa));
    if (toe_mac_is_group(a.sha) || toe_mac_is_zero(a.sha) ||
        (toe_get32(a.spa) && !toe_wire_ipv4_is_host(a.spa)) ||
        (a.op != TOE_ARP_REQUEST && a.op != TOE_ARP_REPLY)) {
        toe_count(n->counters, ARP_BAD);
        return true;
    }
    memcpy(addr, a.spa, 4);
    mine = toe_route_local(n, TOE_AF_INET, addr);
    if (!memcmp(a.sha, n->mac, 6)) {
        /* Our own packet came back, or somebody has our MAC. */
        return false;
    }
    if (mine) {
        conflict(n, mine, &a);
        return false;
    }
    memcpy(addr, a.tpa, 4);
    for_us = toe_ip_is_local(n, TOE_AF_INET, addr);
    if (toe_get32(a.spa)) {     /* zero: a probe (RFC 5227) says nothing */
        learn(n, &a, for_us);
    }
    if (for_us && a.op == TOE_ARP_REQUEST) {
        send_arp(n, TOE_ARP_REPLY, a.sha, a.tpa, a.sha, a.spa);
        return true;
    }
    return false;
}

/* ---- The driver's word, and life ---- */

uint8_t toe_arp_set(ToeNop *n, const uint8_t *addr, const uint8_t *mac)
{
    ToeArp *arp = n->arp;
    Neigh *e = find(n, addr);

    if (!mac) {
        if (e) {
            forget(n, e);
        }
        return TOE_ST_OK;
    }
    if (!e || !e->host) {
        if (arp->hosts >= TOE_ARP_HOST_MAX) {
            return TOE_ST_NOMEM;
        }
        if (!e) {
            e = create(n, addr, true);
        }
        if (!e) {
            return TOE_ST_NOMEM;
        }
        e->host = true;
        arp->hosts++;
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
static void clear(ToeArp *arp)
{
    uint16_t i;

    for (i = 0; i < TOE_NEIGHS_MAX; i++) {
        Neigh *e = &arp->neigh[i];
        ToeWaiting *w;

        while ((w = take_pending(arp, e))) {
            g_free(w);
        }
        memset(e, 0, sizeof(*e));
        e->hash_next = i + 1u < TOE_NEIGHS_MAX ? i + 1u : NONE;
    }
    for (i = 0; i < TOE_ARP_BUCKETS; i++) {
        arp->bucket[i] = NONE;
    }
    arp->free = 0;
    arp->newest = arp->oldest = NONE;
    arp->hosts = 0;
    arp->pending_bytes = 0;
}

ToeArp *toe_arp_new(ToeNop *n)
{
    ToeArp *arp = g_new0(ToeArp, 1);

    (void)n;
    clear(arp);
    return arp;
}

void toe_arp_free(ToeNop *n)
{
    clear(n->arp);
    g_free(n->arp);
    n->arp = NULL;
}

void toe_arp_reset(ToeNop *n)
{
    clear(n->arp);
}
