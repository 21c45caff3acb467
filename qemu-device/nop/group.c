/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * group.c - multicast groups that sockets of the adapter listen to, of both
 * families, and what is to be said about them to routers.
 *
 * Theory of operation
 *
 * A group is in a fixed table, found by a keyed hash, and counts its listeners:
 * a socket counts once for each of its groups (udp.c).  Filtering is by this
 * table alone: the port hands over every frame to a group.
 *
 * Reports.  Routers forward a group to a link only while somebody there says
 * that he listens.  What is said, and when, is the same for IGMP and MLD, as
 * MLDv2 is IGMPv3 in other clothes (RFC 3376, RFC 3810); the packets are
 * igmp.c's and mld.c's.  Sockets ask for all sources, so a group's filter is
 * always "exclude none", and these are all the cases:
 *
 *   joined     change to exclude, robustness times, the later ones after a
 *              random part of a second; the old versions: a report
 *   left       change to include, likewise; old: one "leave" or "done"
 *   asked      is exclude, after a random part of the time that the query
 *              gives.  About all groups: in as few packets as possible.  A
 *              query about some sources of a group is answered as one about
 *              the group, which says more than was asked
 *
 * Old versions.  As long as a router of an older version has been heard
 * lately, that version is spoken (RFC 3376 7.2.1, RFC 3810 8.2.1); in these
 * another host's report saves ours.  Here they are called 1, 2 and 3; MLDv1 is
 * a version 2, as is IGMPv2 that it was made of.
 *
 * The operating system of the same port has groups of its own and reports them
 * itself; queries go to both, and both answer for their own.  If the adapter
 * leaves a group that the operating system still has, the router asks and the
 * operating system answers, as it would be between two hosts.
 *
 * All hosts' groups (224.0.0.1, ff02::1), and what never leaves a host, are
 * not reported.
 *
 * Bounds.  A flood of queries costs one answer for each group in the time that
 * a query gives, TIME_LEAST at least: a pending answer serves all.  One timer
 * stands for the first thing to do; it then looks at the whole table.  A group
 * that was left stays until that was said, unless its place is needed.
 */
#include "group.h"
#include "toe_trace.h"
#include "wire.h"
#include "wire6.h"

#define BUCKETS                 1024u           /* a power of two */
#define ROBUSTNESS              2u              /* RFC 3376, 8.1 */
#define CHANGE_NS               TOE_NS_PER_S    /* 8.11 */
#define CHANGE_OLD_NS           (10 * TOE_NS_PER_S)     /* RFC 2236, 8.10 */
#define QUERY_INTERVAL_NS       (125 * TOE_NS_PER_S)    /* 8.2 */
#define TIME_LEAST              (100 * TOE_NS_PER_MS)
#define BATCH                   64u             /* records of one packet */

typedef struct Group {
    uint8_t family;
    uint8_t addr[16];
    uint32_t refs;              /* listeners; 0: left */
    uint8_t changes;            /* reports of a change still to be sent */
    int64_t change_at;
    int64_t answer_at;          /* to a query; TOE_TIMER_OFF: none */
    uint16_t hash_next;         /* free: the next free one */
    bool used;
} Group;

/* What is known of the link's routers, for each family. */
typedef struct Querier {
    uint8_t robustness;
    int64_t v1_until;           /* old versions are spoken until then */
    int64_t v2_until;
    int64_t general_at;         /* answer about all; TOE_TIMER_OFF: none */
} Querier;

struct ToeGroups {
    Group group[TOE_GROUPS_MAX];
    uint16_t bucket[BUCKETS];
    uint16_t free;
    uint32_t joined;            /* with listeners */
    Querier querier[2];
};

/* Records of one packet, collected. */
typedef struct Batch {
    uint8_t family;
    uint32_t count;
    uint32_t room;
    ToeGroupRecord r[BATCH];
} Batch;

static const uint8_t families[2] = { TOE_AF_INET, TOE_AF_INET6 };

static Querier *querier_of(ToeNop *n, uint8_t family)
{
    return &n->groups->querier[family == TOE_AF_INET6];
}

static unsigned version_of(ToeNop *n, uint8_t family)
{
    const Querier *q = querier_of(n, family);
    int64_t now = toe_nop_now(n);

    return q->v1_until > now ? 1 : q->v2_until > now ? 2 : 3;
}

/* Is it ever reported? */
static bool reported(uint8_t family, const uint8_t *addr)
{
    static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };

    if (family == TOE_AF_INET) {
        return toe_get32(addr) != 0xe0000001;
    }
    /* RFC 3810, 6: not all nodes, nor scopes reserved or of an interface. */
    return memcmp(addr, all_nodes, 16) && (addr[1] & 0xf) > 1;
}

/* ---- The table ---- */

static uint16_t *bucket_of(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    uint8_t key[17];

    key[0] = family;
    memcpy(key + 1, addr, 16);
    return &n->groups->bucket[toe_siphash(&n->hash_key, key, sizeof(key)) &
                              (BUCKETS - 1)];
}

static Group *find(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    uint16_t i = *bucket_of(n, family, addr);

    while (i != TOE_GROUP_NONE) {
        Group *e = &n->groups->group[i];

        if (e->family == family && !memcmp(e->addr, addr, 16)) {
            return e;
        }
        i = e->hash_next;
    }
    return NULL;
}

static uint16_t index_of(ToeNop *n, const Group *e)
{
    return (uint16_t)(e - n->groups->group);
}

static void forget(ToeNop *n, Group *e)
{
    ToeGroups *g = n->groups;
    uint16_t *link = bucket_of(n, e->family, e->addr);
    uint16_t i = index_of(n, e);

    while (*link != i) {
        link = &g->group[*link].hash_next;
    }
    *link = e->hash_next;
    e->used = false;
    e->hash_next = g->free;
    g->free = i;
}

/* A place; of a group that was left and is only still to be said so. */
static Group *take_place(ToeNop *n)
{
    ToeGroups *g = n->groups;
    Group *e;

    for (uint32_t i = 0; g->free == TOE_GROUP_NONE && i < TOE_GROUPS_MAX;
         i++) {
        if (!g->group[i].refs) {
            forget(n, &g->group[i]);
        }
    }
    if (g->free == TOE_GROUP_NONE) {
        return NULL;
    }
    e = &g->group[g->free];
    g->free = e->hash_next;
    return e;
}

static Group *create(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    uint16_t *bucket = bucket_of(n, family, addr);
    Group *e = take_place(n);

    if (!e) {
        return NULL;
    }
    *e = (Group) { .family = family, .used = true,
                   .answer_at = TOE_TIMER_OFF, .hash_next = *bucket };
    memcpy(e->addr, addr, 16);
    *bucket = index_of(n, e);
    return e;
}

/* ---- When ---- */

static int64_t next_of(const Group *e)
{
    int64_t at = e->changes ? e->change_at : TOE_TIMER_OFF;

    return MIN(at, e->answer_at);
}

static void arm(ToeNop *n, int64_t at)
{
    uint32_t id = n->config.connections + TOE_TIMER_GROUPS;

    if (at < toe_timers_get(&n->timers, id)) {
        toe_timers_set(&n->timers, id, at);
    }
}

static int64_t soon(ToeNop *n, int64_t within)
{
    return toe_nop_now(n) + 1 +
           (int64_t)(toe_nop_random(n) % (uint64_t)MAX(within, TIME_LEAST));
}

/* Say that e changed, from a timer: joining and leaving send nothing. */
static void changed(ToeNop *n, Group *e)
{
    if (!reported(e->family, e->addr)) {
        return;
    }
    e->changes = querier_of(n, e->family)->robustness;
    e->change_at = toe_nop_now(n);
    arm(n, e->change_at);
}

/* ---- What is asked for ---- */

uint16_t toe_group_join(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    Group *e = find(n, family, addr);

    if (!e) {
        e = create(n, family, addr);
    }
    if (!e) {
        return TOE_GROUP_NONE;
    }
    if (!e->refs++) {
        n->groups->joined++;
        toe_count(n->counters, GROUPS);
        toe_trace_group_join(toe_addr_hi(addr), toe_addr_lo(addr));
        changed(n, e);
    }
    return index_of(n, e);
}

void toe_group_leave(ToeNop *n, uint16_t index)
{
    Group *e = &n->groups->group[index];

    if (--e->refs) {
        return;
    }
    n->groups->joined--;
    toe_count_add(n->counters, GROUPS, -1);
    toe_trace_group_leave(toe_addr_hi(e->addr), toe_addr_lo(e->addr));
    e->answer_at = TOE_TIMER_OFF;
    e->changes = 0;
    changed(n, e);
    if (!e->changes) {
        forget(n, e);
    }
}

uint16_t toe_group_find(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    const Group *e = n->groups->joined ? find(n, family, addr) : NULL;

    return e && e->refs ? index_of(n, e) : TOE_GROUP_NONE;
}

bool toe_group_mac(ToeNop *n, uint8_t family, const uint8_t *addr,
                   uint8_t *mac)
{
    switch (toe_route_kind(n, family, addr)) {
    case TOE_DST_GROUP:
        if (family == TOE_AF_INET6) {
            toe_wire_ipv6_group_mac(mac, addr);
        } else {
            toe_wire_ipv4_group_mac(mac, addr);
        }
        return true;
    case TOE_DST_BROADCAST:
        memset(mac, 0xff, 6);
        return true;
    default:
        return false;
    }
}

/* ---- Queries ---- */

/* A router of an older version: begin anew in that (RFC 3376, 7.2.1). */
static void older_router(ToeNop *n, uint8_t family, unsigned version,
                         int64_t time)
{
    Querier *q = querier_of(n, family);
    int64_t until = toe_nop_now(n) + q->robustness * QUERY_INTERVAL_NS + time;
    unsigned before = version_of(n, family);

    if (version == 1) {
        q->v1_until = until;
    } else {
        q->v2_until = until;
    }
    if (version_of(n, family) >= before) {
        return;
    }
    q->general_at = TOE_TIMER_OFF;
    for (uint32_t i = 0; i < TOE_GROUPS_MAX; i++) {
        Group *e = &n->groups->group[i];

        if (e->used && e->family == family) {
            e->answer_at = TOE_TIMER_OFF;
        }
    }
}

static void answer_soon(ToeNop *n, Group *e, int64_t time)
{
    if (e->used && e->refs && reported(e->family, e->addr)) {
        e->answer_at = MIN(e->answer_at, soon(n, time));
        arm(n, e->answer_at);
    }
}

void toe_group_query(ToeNop *n, uint8_t family, unsigned version,
                     const uint8_t *addr, int64_t time, unsigned robustness)
{
    Querier *q = querier_of(n, family);
    Group *e = addr ? find(n, family, addr) : NULL;

    toe_trace_group_query(family, version, time);
    if (version < 3) {
        older_router(n, family, version, time);
    } else {
        q->robustness = (uint8_t)(robustness ? robustness : ROBUSTNESS);
    }
    if (!n->groups->joined || (addr && !e)) {
        return;
    }
    if (addr) {
        answer_soon(n, e, time);
    } else if (version_of(n, family) == 3) {
        q->general_at = MIN(q->general_at, soon(n, time));
        arm(n, q->general_at);
    } else {
        for (uint32_t i = 0; i < TOE_GROUPS_MAX; i++) {
            e = &n->groups->group[i];
            if (e->used && e->family == family) {
                answer_soon(n, e, time);
            }
        }
    }
}

void toe_group_heard(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    Group *e = find(n, family, addr);

    if (e && version_of(n, family) < 3) {
        e->answer_at = TOE_TIMER_OFF;
    }
}

/* ---- Reports ---- */

static Batch batch_begin(ToeNop *n, uint8_t family)
{
    uint32_t room = family == TOE_AF_INET6 ? toe_mld_room(n)
                                           : toe_igmp_room(n);

    return (Batch) { .family = family, .room = MIN(room, BATCH) };
}

static void batch_end(ToeNop *n, Batch *b)
{
    if (b->count && b->family == TOE_AF_INET6) {
        toe_mld_report(n, b->r, b->count);
    } else if (b->count) {
        toe_igmp_report(n, b->r, b->count);
    }
    b->count = 0;
}

static void say(ToeNop *n, Batch *b, const Group *e, uint8_t type)
{
    unsigned version = version_of(n, e->family);
    ToeGroupRecord r = { type, e->addr };

    if (version == 3) {
        if (b->count == b->room) {
            batch_end(n, b);
        }
        if (b->count < b->room) {
            b->r[b->count++] = r;
        }
    } else if (e->family == TOE_AF_INET6) {
        toe_mld_report_old(n, &r);
    } else {
        toe_igmp_report_old(n, version, &r);
    }
}

/* Is left to be said; the old versions say it once. */
static void say_change(ToeNop *n, Batch *b, Group *e)
{
    bool old = version_of(n, e->family) < 3;

    say(n, b, e, e->refs ? TOE_GROUP_TO_EXCLUDE : TOE_GROUP_TO_INCLUDE);
    e->changes = old && !e->refs ? 0 : e->changes - 1;
    if (e->changes) {
        e->change_at = soon(n, old ? CHANGE_OLD_NS : CHANGE_NS);
    }
}

/* What is due of one family; the earliest of what is not. */
static int64_t run_family(ToeNop *n, uint8_t family)
{
    Querier *q = querier_of(n, family);
    int64_t now = toe_nop_now(n), next = TOE_TIMER_OFF;
    bool general = q->general_at <= now;
    Batch b = batch_begin(n, family);

    if (general) {
        q->general_at = TOE_TIMER_OFF;
    }
    for (uint32_t i = 0; i < TOE_GROUPS_MAX; i++) {
        Group *e = &n->groups->group[i];

        if (!e->used || e->family != family) {
            continue;
        }
        if (e->changes && e->change_at <= now) {
            say_change(n, &b, e);
        }
        if (e->refs && reported(family, e->addr) &&
            (general || e->answer_at <= now)) {
            e->answer_at = TOE_TIMER_OFF;
            say(n, &b, e, TOE_GROUP_IS_EXCLUDE);
        }
        next = MIN(next, next_of(e));
    }
    batch_end(n, &b);
    for (uint32_t i = 0; i < TOE_GROUPS_MAX; i++) {
        Group *e = &n->groups->group[i];

        if (e->used && e->family == family && !e->refs && !e->changes) {
            forget(n, e);
        }
    }
    return MIN(next, q->general_at);
}

void toe_groups_timer(ToeNop *n)
{
    int64_t next = TOE_TIMER_OFF, at;

    for (unsigned i = 0; i < G_N_ELEMENTS(families); i++) {
        at = run_family(n, families[i]);
        next = MIN(next, at);
    }
    arm(n, next);
}

void toe_groups_announce(ToeNop *n)
{
    for (uint32_t i = 0; i < TOE_GROUPS_MAX; i++) {
        Group *e = &n->groups->group[i];

        if (e->used && e->refs) {
            changed(n, e);
        }
    }
}

/* ---- Life ---- */

static void clear(ToeGroups *g)
{
    memset(g, 0, sizeof(*g));
    for (uint32_t i = 0; i < TOE_GROUPS_MAX; i++) {
        g->group[i].hash_next = (uint16_t)(i + 1 < TOE_GROUPS_MAX
                                           ? i + 1 : TOE_GROUP_NONE);
    }
    for (uint32_t i = 0; i < BUCKETS; i++) {
        g->bucket[i] = TOE_GROUP_NONE;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(families); i++) {
        g->querier[i].robustness = ROBUSTNESS;
        g->querier[i].v1_until = g->querier[i].v2_until = INT64_MIN;
        g->querier[i].general_at = TOE_TIMER_OFF;
    }
}

ToeGroups *toe_groups_new(void)
{
    ToeGroups *g = g_new(ToeGroups, 1);

    clear(g);
    return g;
}

void toe_groups_free(ToeGroups *g)
{
    g_free(g);
}

void toe_groups_reset(ToeNop *n)
{
    clear(n->groups);
    n->counters->v[TOE_CTR_GROUPS] = 0;
}
