/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipfrag.c - IPv4 fragments put together (RFC 791 3.2, RFC 815, RFC 1122
 * 3.3.2).
 *
 * What comes here.  Fragments of what the adapter may want: TCP, UDP and ICMP
 * always; while the operating system is not up, everything, since the adapter
 * then answers as the host.  ipv4.c has checked header and addresses.
 *
 * How.  A datagram being put together is known by source, destination,
 * protocol and identification.  The frames of its fragments are kept whole,
 * as they came, in one chain of buflets in the order of their arrival.  Beside
 * it are pieces, one for each fragment, in the order of their offsets: what
 * lies between two neighbours is a hole of RFC 815.  A fragment must fill a
 * hole, or the beginning, middle or end of one.  Since pieces never overlap,
 * the datagram is whole as soon as they sum up to its length.
 *
 * Then the payload is copied together and goes the way of any other packet
 * (toe_ipv4_deliver()).  If no NOP takes it, the operating system gets the
 * fragments themselves, in the order they came, and sees nothing of all this
 * but a delay.
 *
 * Attacks.
 *  - Overlaps let a fragment replace what a filter has seen before (RFC 1858,
 *    RFC 3128; "teardrop" broke hosts with them).  As RFC 5722 says for IPv6,
 *    a datagram with one is discarded, together with its fragments still to
 *    come: the entry stays, empty ("dead"), until its time is over.  The same
 *    for fragments that contradict each other about the end.  Only an exact
 *    copy, every byte of it, is a duplicate of the network's, and ignored.
 *  - A first fragment without the whole transport header, or a later one that
 *    reaches into it, is refused (RFC 1858, 3.2).  Small ones elsewhere are
 *    legitimate (a router may cut 1480 bytes in 1472 and 8); their number is
 *    limited.
 *  - A datagram longer than 65535 bytes ("ping of death") is refused.
 *  - A flood meets fixed tables: TOE_IPFRAG_DATAGRAMS entries, of which one
 *    source has at most TOE_IPFRAG_PER_SOURCE; TOE_IPFRAG_PIECES pieces, of
 *    which one datagram has at most TOE_IPFRAG_PER_DATAGRAM; a quarter of
 *    local memory, at most TOE_IPFRAG_BYTES.  At a limit the oldest goes, of
 *    the same source if the limit is the source's.
 *
 * Time.  A datagram has TOE_IPFRAG_TIME_NS from its first fragment on, never
 * prolonged.  Then it is given up, with an ICMP "time exceeded" if the
 * fragment with the transport header had come (RFC 792), which ICMP's rate
 * limit bounds.  All have the same time, so one timer, for the oldest, does.
 *
 * Local memory can be written through a window by the guest's kernel.  So
 * nothing is read back from there that a decision depends on: lengths and
 * offsets are in the tables, which are indices throughout and can be saved.
 */
#include "nop.h"
#include "toe_trace.h"
#include "wire.h"

#define TOE_IPFRAG_DATAGRAMS    64u
#define TOE_IPFRAG_PER_SOURCE   16u
#define TOE_IPFRAG_PIECES       1024u
#define TOE_IPFRAG_PER_DATAGRAM 256u    /* 64 KiB over an MTU of 296 */
#define TOE_IPFRAG_BYTES        (4u << 20)
#define TOE_IPFRAG_TIME_NS      (30 * TOE_NS_PER_S)

#define NONE                    UINT16_MAX
#define HEADER_MAX              60u     /* of IPv4, with options */
#define SCRATCH_SIZE            (HEADER_MAX + TOE_ETH_FRAME_MAX)
#define TCP_HEADER              20u     /* without options */

#define ECN_NOT_ECT             0u      /* RFC 3168 */
#define ECN_CE                  3u

/* A fragment that came. */
typedef struct Piece {
    uint32_t at;                /* where its frame is in the chain */
    uint32_t frame_len;
    uint16_t header;            /* offset of the IPv4 header in the frame */
    uint16_t hlen;
    uint16_t off;               /* of its payload in the datagram's */
    uint16_t len;
    uint16_t next;              /* the next higher offset; or next free */
    uint16_t later;             /* the next to arrive */
} Piece;

typedef struct Datagram {
    bool used;
    bool dead;                  /* discarded; so is what still comes */
    uint8_t proto;
    uint8_t tos;                /* of the first piece; its ECN not looked at */
    uint8_t ttl;
    uint8_t ecn;                /* a bit for each ECN value seen */
    uint16_t id;
    uint8_t src[4];
    uint8_t dst[4];
    uint64_t born;              /* smaller: older */
    int64_t expires;
    uint16_t first;             /* piece with the lowest offset */
    uint16_t early;             /* first and last piece to arrive */
    uint16_t late;
    uint16_t pieces;
    uint32_t have;              /* payload bytes in all pieces */
    uint32_t total;             /* payload bytes; 0: not known yet */
    ToeChain frames;
} Datagram;

struct ToeIpFrag {
    Datagram datagram[TOE_IPFRAG_DATAGRAMS];
    Piece piece[TOE_IPFRAG_PIECES];
    uint16_t free;              /* pieces */
    uint64_t born;              /* datagrams so far */
    uint32_t held;              /* bytes of buflets */
    uint32_t held_max;
    uint8_t scratch[SCRATCH_SIZE];      /* during one call only */
};

/* ---- The tables ---- */

static Datagram *oldest(ToeIpFrag *f, const uint8_t *src,
                        const Datagram *except)
{
    Datagram *found = NULL;

    for (uint32_t i = 0; i < TOE_IPFRAG_DATAGRAMS; i++) {
        Datagram *d = &f->datagram[i];

        if (d->used && d != except && (!src || !memcmp(d->src, src, 4)) &&
            (!found || d->born < found->born)) {
            found = d;
        }
    }
    return found;
}

static void set_timer(ToeNop *n)
{
    const Datagram *d = oldest(n->ipfrag, NULL, NULL);

    toe_timers_set(&n->timers, n->config.connections + TOE_TIMER_IPFRAG,
                   d ? d->expires : TOE_TIMER_OFF);
}

/* Buflets, in bytes, of a chain that was only ever appended to. */
static uint32_t buflets_for(uint32_t len)
{
    return (len + TOE_BUFLET_SIZE - 1) / TOE_BUFLET_SIZE * TOE_BUFLET_SIZE;
}

/* Give back what the datagram holds. */
static void empty(ToeNop *n, Datagram *d)
{
    ToeIpFrag *f = n->ipfrag;

    while (d->first != NONE) {
        uint16_t i = d->first;

        d->first = f->piece[i].next;
        f->piece[i].next = f->free;
        f->free = i;
    }
    d->early = d->late = NONE;
    d->pieces = 0;
    d->have = 0;
    f->held -= buflets_for(d->frames.len);
    toe_chain_clear(n->lm, &d->frames);
}

static void forget(ToeNop *n, Datagram *d)
{
    empty(n, d);
    d->used = false;
    toe_count_add(n->counters, IP_REASM_NOW, -1);
    set_timer(n);
}

/* Let go of a datagram that never became whole; why: for the trace. */
static void give_up(ToeNop *n, Datagram *d, const char *why)
{
    toe_trace_ipfrag_discard(toe_get32(d->src), d->id, d->proto, d->pieces,
                             why);
    toe_count_add(n->counters, IP_FRAGMENTS, d->pieces);
}

/* No fragment of this datagram is wanted any more, come or still to come. */
static void discard(ToeNop *n, Datagram *d, const char *why)
{
    give_up(n, d, why);
    empty(n, d);
    d->dead = true;
}

static void evict(ToeNop *n, Datagram *d, const char *why)
{
    if (!d->dead) {
        toe_count(n->counters, IP_REASM_EVICTED);
        give_up(n, d, why);
    }
    forget(n, d);
}

static bool is_of(const Datagram *d, const ToeWireIpv4 *ip)
{
    return d->used && d->id == ip->id && d->proto == ip->proto &&
           !memcmp(d->src, ip->src, 4) && !memcmp(d->dst, ip->dst, 4);
}

/* The datagram of this fragment; a new one if there is none. */
static Datagram *find(ToeNop *n, const ToeWireIpv4 *ip)
{
    ToeIpFrag *f = n->ipfrag;
    Datagram *unused = NULL;
    uint32_t of_source = 0;

    for (uint32_t i = 0; i < TOE_IPFRAG_DATAGRAMS; i++) {
        Datagram *d = &f->datagram[i];

        if (is_of(d, ip)) {
            return d;
        }
        if (!d->used) {
            unused = unused ? unused : d;
        } else if (!memcmp(d->src, ip->src, 4)) {
            of_source++;
        }
    }
    if (of_source >= TOE_IPFRAG_PER_SOURCE) {
        unused = oldest(f, ip->src, NULL);
        evict(n, unused, "too many of one source");
    } else if (!unused) {
        unused = oldest(f, NULL, NULL);
        evict(n, unused, "too many");
    }
    *unused = (Datagram) {
        .used = true,
        .proto = ip->proto,
        .id = ip->id,
        .born = f->born++,
        .expires = toe_nop_now(n) + TOE_IPFRAG_TIME_NS,
        .first = NONE,
        .early = NONE,
        .late = NONE,
        .frames = toe_chain_init(),
    };
    memcpy(unused->src, ip->src, 4);
    memcpy(unused->dst, ip->dst, 4);
    toe_count(n->counters, IP_REASM_NOW);
    set_timer(n);
    return unused;
}

/*
 * Append a frame to d's, at the cost of older datagrams if need be; a piece
 * is free then, too.
 */
static bool store(ToeNop *n, Datagram *d, const uint8_t *frame, uint32_t len)
{
    ToeIpFrag *f = n->ipfrag;
    uint32_t more = buflets_for(d->frames.len + len) -
                    buflets_for(d->frames.len);

    while (f->free == NONE || f->held + more > f->held_max ||
           !toe_chain_append(n->lm, &d->frames, frame, len, TOE_LMEM_IN)) {
        Datagram *victim = oldest(f, NULL, d);

        if (!victim) {
            return false;
        }
        evict(n, victim, "no room");
    }
    f->held += more;
    return true;
}

/* ---- Fragments ---- */

/* A fragment no honest sender or router makes. */
static const char *refused(const ToeWireIpv4 *ip)
{
    uint32_t header = ip->proto == TOE_PROTO_TCP ? TCP_HEADER : 8;

    if (!ip->len) {
        return "empty";
    }
    if (ip->more && ip->len % 8) {
        return "not a multiple of 8";
    }
    if (ip->hlen + ip->frag_off + ip->len > TOE_IPV4_MAX) {
        return "beyond 65535";
    }
    if (ip->frag_off < header && (ip->frag_off || ip->len < header)) {
        return "header in pieces";
    }
    return NULL;
}

/* Are the fragment's bytes those of this piece? */
static bool same_bytes(ToeNop *n, const Datagram *d, const Piece *p,
                       const ToeWireIpv4 *ip)
{
    uint32_t at = p->at + p->header + p->hlen;
    const uint8_t *want = ip->payload;
    uint32_t left = ip->len, span;

    while (left) {
        const uint8_t *have = toe_chain_span(n->lm, &d->frames, at, &span,
                                             NULL);

        if (!have) {
            return false;
        }
        span = MIN(span, left);
        if (memcmp(have, want, span)) {
            return false;
        }
        at += span;
        want += span;
        left -= span;
    }
    return true;
}

typedef enum Fit {
    FIT_HOLE,
    FIT_DUPLICATE,
    FIT_NOT,
} Fit;

/* *prev: the piece it comes behind, NONE if it is the lowest. */
static Fit fit(ToeNop *n, const Datagram *d, const ToeWireIpv4 *ip,
               uint16_t *prev)
{
    const Piece *piece = n->ipfrag->piece;
    uint32_t end = ip->frag_off + ip->len;
    uint16_t next = d->first;

    *prev = NONE;
    while (next != NONE && piece[next].off < ip->frag_off) {
        *prev = next;
        next = piece[next].next;
    }
    if (next != NONE && piece[next].off == ip->frag_off &&
        piece[next].len == ip->len && ip->more == (d->total != end)) {
        return same_bytes(n, d, &piece[next], ip) ? FIT_DUPLICATE : FIT_NOT;
    }
    if (*prev != NONE &&
        piece[*prev].off + piece[*prev].len > ip->frag_off) {
        return FIT_NOT;
    }
    if (next != NONE && (end > piece[next].off || !ip->more)) {
        return FIT_NOT;
    }
    /* The end is where it was said to be, and said once. */
    if (d->total && (!ip->more || end >= d->total)) {
        return FIT_NOT;
    }
    return FIT_HOLE;
}

/*
 * Make a piece of a fragment that fits behind prev, in this frame.  False: no
 * room.
 */
static bool keep(ToeNop *n, Datagram *d, uint16_t prev, const uint8_t *frame,
                 size_t len, const ToeWireIpv4 *ip)
{
    ToeIpFrag *f = n->ipfrag;
    uint16_t *link = prev == NONE ? &d->first : &f->piece[prev].next;
    size_t end = ip->payload + ip->len - frame;
    uint32_t at = d->frames.len;
    uint16_t i;
    Piece *p;

    /* Padding is the link's; a flood of it would fill memory with nothing. */
    len = MIN(len, MAX(end, TOE_ETH_MIN));
    if (d->pieces >= TOE_IPFRAG_PER_DATAGRAM || !store(n, d, frame, len)) {
        return false;
    }
    i = f->free;
    p = &f->piece[i];
    f->free = p->next;
    *p = (Piece) {
        .at = at,
        .frame_len = len,
        .header = ip->header - frame,
        .hlen = ip->hlen,
        .off = ip->frag_off,
        .len = ip->len,
        .next = *link,
        .later = NONE,
    };
    *link = i;
    if (d->late == NONE) {
        d->early = i;
    } else {
        f->piece[d->late].later = i;
    }
    d->late = i;
    d->pieces++;
    d->have += ip->len;
    d->ecn |= 1u << (ip->tos & 3);
    if (!ip->more) {
        d->total = ip->frag_off + ip->len;
    }
    if (!ip->frag_off) {
        d->tos = ip->tos;
        d->ttl = ip->ttl;
    }
    toe_trace_ipfrag_keep(toe_get32(ip->src), ip->id, ip->frag_off, ip->len,
                          f->held);
    return true;
}

/* ---- Whole ---- */

/*
 * The ECN field of the whole (RFC 3168, 5.3): congestion met by one fragment
 * was met by the packet.  False: a marked fragment among others that could
 * not be marked; somebody cheats, or erases marks.
 */
static bool join_ecn(Datagram *d)
{
    if (!(d->ecn & 1u << ECN_CE)) {
        return true;
    }
    d->tos |= ECN_CE;
    return !(d->ecn & 1u << ECN_NOT_ECT);
}

/*
 * Put the packet together in the scratch buffer, with the header of the first
 * fragment, which says now that it is whole.
 */
static void join(ToeNop *n, const Datagram *d, ToeWireIpv4 *ip)
{
    ToeIpFrag *f = n->ipfrag;
    const Piece *p = &f->piece[d->first];
    ToeChainPos pos = { .buflet = TOE_BUFLET_NONE };
    uint8_t *h = f->scratch, *to = h + p->hlen;
    size_t hlen = p->hlen;

    toe_chain_copy_out(n->lm, &d->frames, p->at + p->header, h, hlen, NULL);
    for (uint16_t i = d->first; i != NONE; i = p->next) {
        p = &f->piece[i];
        toe_chain_copy_out(n->lm, &d->frames, p->at + p->header + p->hlen,
                           to + p->off, p->len, &pos);
    }
    h[0] = 0x40 | hlen / 4;
    h[1] = d->tos;
    toe_put16(h + 2, hlen + d->total);
    toe_put16(h + 6, 0);
    toe_put16(h + 10, 0);
    toe_csum_store(h + 10, toe_csum(h, hlen, 0));
    *ip = (ToeWireIpv4) {
        .header = h,
        .hlen = hlen,
        .tos = d->tos,
        .ttl = d->ttl,
        .proto = d->proto,
        .id = d->id,
        .src = d->src,
        .dst = d->dst,
        .payload = to,
        .len = d->total,
    };
}

static void to_os(ToeNop *n, const Datagram *d)
{
    ToeIpFrag *f = n->ipfrag;
    ToeChainPos pos = { .buflet = TOE_BUFLET_NONE };
    uint16_t i;

    for (i = d->early; i != NONE; i = f->piece[i].later) {
        const Piece *p = &f->piece[i];

        toe_chain_copy_out(n->lm, &d->frames, p->at, f->scratch,
                           p->frame_len, &pos);
        toe_eth_to_os(n, f->scratch, p->frame_len);
    }
}

static void whole(ToeNop *n, Datagram *d)
{
    ToeWireIpv4 ip;

    if (n->ipfrag->piece[d->first].hlen + d->total > TOE_IPV4_MAX) {
        /* Only the first fragment's options make it too long. */
        toe_count(n->counters, IP_REASM_REFUSED);
        discard(n, d, "beyond 65535");
        return;
    }
    if (!join_ecn(d)) {
        toe_count(n->counters, IP_REASM_REFUSED);
        discard(n, d, "ECN");
        return;
    }
    toe_count(n->counters, IP_REASSEMBLED);
    toe_trace_ipfrag_whole(toe_get32(d->src), d->id, d->proto, d->pieces,
                           d->total);
    join(n, d, &ip);
    if (!toe_ipv4_deliver(n, &ip)) {
        to_os(n, d);
    }
    forget(n, d);
}

static void drop(ToeNop *n, const ToeWireIpv4 *ip, const char *why)
{
    toe_trace_ipfrag_drop(toe_get32(ip->src), ip->id, ip->frag_off, ip->len,
                          why);
    toe_count(n->counters, IP_FRAGMENTS);
}

void toe_ipfrag_input(ToeNop *n, const uint8_t *frame, size_t len,
                      const ToeWireIpv4 *ip)
{
    const char *why = refused(ip);
    Datagram *d;
    uint16_t prev;

    if (why) {
        toe_count(n->counters, IP_REASM_REFUSED);
        drop(n, ip, why);
        return;
    }
    d = find(n, ip);
    if (d->dead) {
        drop(n, ip, "of a discarded packet");
        return;
    }
    switch (fit(n, d, ip, &prev)) {
    case FIT_DUPLICATE:
        drop(n, ip, "duplicate");
        return;
    case FIT_NOT:
        toe_count(n->counters, IP_REASM_OVERLAPS);
        drop(n, ip, "overlap");
        discard(n, d, "overlap");
        return;
    case FIT_HOLE:
        break;
    }
    if (!keep(n, d, prev, frame, len, ip)) {
        toe_count(n->counters, IP_REASM_EVICTED);
        drop(n, ip, "no room");
        discard(n, d, "no room");
        return;
    }
    if (d->have == d->total) {
        whole(n, d);
    }
}

/* ---- Time ---- */

/* "Time exceeded", about the fragment that has the transport header. */
static void tell(ToeNop *n, const Datagram *d)
{
    const Piece *p = d->first == NONE ? NULL : &n->ipfrag->piece[d->first];
    uint8_t *h = n->ipfrag->scratch;
    ToeWireIpv4 ip = { .header = h, .proto = d->proto, .src = d->src,
                       .dst = d->dst };
    uint8_t dst[16] = { 0 };

    memcpy(dst, d->dst, 4);
    if (!p || p->off || !toe_ip_is_local(n, TOE_AF_INET, dst)) {
        return;
    }
    ip.hlen = p->hlen;
    ip.len = p->len;
    ip.payload = h + p->hlen;
    toe_chain_copy_out(n->lm, &d->frames, p->at + p->header, h,
                       ip.hlen + ip.len, NULL);
    /* Never about an ICMP error (RFC 1122, 3.2.2). */
    if (d->proto != TOE_PROTO_ICMP || !toe_wire_icmp_is_error(*ip.payload)) {
        toe_icmp_reassembly_time(n, &ip);
    }
}

void toe_ipfrag_timer(ToeNop *n)
{
    int64_t now = toe_nop_now(n);
    Datagram *d;

    while ((d = oldest(n->ipfrag, NULL, NULL)) && d->expires <= now) {
        if (!d->dead) {
            toe_count(n->counters, IP_REASM_TIMEOUTS);
            tell(n, d);
            give_up(n, d, "time");
        }
        forget(n, d);
    }
    set_timer(n);
}

/* ---- Life ---- */

static void clear_tables(ToeNop *n)
{
    ToeIpFrag *f = n->ipfrag;
    uint64_t quarter = (uint64_t)toe_lmem_total(n->lm) / 4 * TOE_BUFLET_SIZE;

    memset(f->datagram, 0, sizeof(f->datagram));
    for (uint16_t i = 0; i < TOE_IPFRAG_PIECES; i++) {
        f->piece[i].next = i + 1u < TOE_IPFRAG_PIECES ? i + 1 : NONE;
    }
    f->free = 0;
    f->held = 0;
    f->held_max = MIN(quarter, TOE_IPFRAG_BYTES);
}

ToeIpFrag *toe_ipfrag_new(ToeNop *n)
{
    n->ipfrag = g_new0(ToeIpFrag, 1);
    clear_tables(n);
    return n->ipfrag;
}

void toe_ipfrag_reset(ToeNop *n)
{
    for (uint32_t i = 0; i < TOE_IPFRAG_DATAGRAMS; i++) {
        if (n->ipfrag->datagram[i].used) {
            forget(n, &n->ipfrag->datagram[i]);
        }
    }
    clear_tables(n);
}

void toe_ipfrag_free(ToeNop *n)
{
    toe_ipfrag_reset(n);
    g_free(n->ipfrag);
    n->ipfrag = NULL;
}
