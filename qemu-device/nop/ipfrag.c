/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipfrag.c - fragments put together (RFC 791 3.2, RFC 815, RFC 1122 3.3.2;
 * RFC 8200 4.5, RFC 5722).
 *
 * What comes here.  Fragments of what the adapter may want: TCP, UDP and ICMP
 * always; while the operating system is not up, everything, since the adapter
 * then answers as the host.  ipv4.c and ipv6.c have checked headers and
 * addresses; what differs between the two is in ipfrag4.c and ipfrag6.c.
 *
 * How.  A datagram being put together is known by source, destination and
 * identification, and for IPv4 by the protocol.  The frames of its fragments
 * are kept whole, as they came, in one chain of buflets in the order of their
 * arrival.  Beside it are pieces, one for each fragment, in the order of their offsets: what
 * lies between two neighbours is a hole of RFC 815.  A fragment must fill a
 * hole, or the beginning, middle or end of one.  Since pieces never overlap,
 * the datagram is whole as soon as they sum up to its length.
 *
 * Then the payload is copied together and goes the way of any other packet
 * (family->deliver()).  If no NOP takes it, the operating system gets the
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
 *  - The front ends refuse fragments that hide the transport's header, and
 *    datagrams beyond what the length field can say ("ping of death").
 *  - A flood meets fixed tables: TOE_IPFRAG_DATAGRAMS entries, of which one
 *    source has at most TOE_IPFRAG_PER_SOURCE; TOE_IPFRAG_PIECES pieces, of
 *    which one datagram has at most TOE_IPFRAG_PER_DATAGRAM; a quarter of
 *    local memory, at most TOE_IPFRAG_BYTES.  Both families share them.  At a
 *    limit the oldest goes, of the same source if the limit is the source's.
 *
 * Time.  A datagram has its family's time from its first fragment on, never
 * prolonged.  Then it is given up, with an ICMP "time exceeded" if the
 * fragment with the transport header had come (RFC 792, RFC 8200), which
 * ICMP's rate limit bounds.  One timer stands for the first to expire.
 *
 * Local memory can be written through a window by the guest's kernel.  So
 * nothing is read back from there that a decision depends on: lengths and
 * offsets are in the tables, which are indices throughout and can be saved.
 */
#include "ipfrag.h"
#include "toe_trace.h"
#include "wire.h"

#define TOE_IPFRAG_DATAGRAMS    64u
#define TOE_IPFRAG_PER_SOURCE   16u
#define TOE_IPFRAG_PIECES       1024u
#define TOE_IPFRAG_PER_DATAGRAM 256u    /* 64 KiB over an MTU of 296 */
#define TOE_IPFRAG_BYTES        (4u << 20)

#define NONE                    UINT16_MAX
/* A frame, or what fragments make: up to 65535 bytes after IPv6's header. */
#define SCRATCH_SIZE            (64u + TOE_ETH_FRAME_MAX)

#define ECN_NOT_ECT             0u      /* RFC 3168 */
#define ECN_CE                  3u

/* A fragment that came. */
typedef struct Piece {
    uint32_t at;                /* where its frame is in the chain */
    uint32_t frame_len;
    uint32_t header;            /* offset of the IP header in the frame */
    uint32_t hlen;
    uint16_t off;               /* of its payload in the datagram's */
    uint16_t len;
    uint16_t next;              /* the next higher offset; or next free */
    uint16_t later;             /* the next to arrive */
} Piece;

typedef struct Datagram {
    bool used;
    bool dead;                  /* discarded; so is what still comes */
    uint8_t family;
    uint8_t proto;              /* of the first piece, once it is there */
    uint8_t tos;                /* of the first piece; its ECN not looked at */
    uint8_t ttl;
    uint8_t ecn;                /* a bit for each ECN value seen */
    uint32_t id;
    uint8_t src[16];
    uint8_t dst[16];
    uint32_t named;             /* of the first piece */
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

static const ToeFragFamily *family_of(const Datagram *d)
{
    return d->family == TOE_AF_INET6 ? &toe_ipfrag6 : &toe_ipfrag4;
}

static void count(ToeNop *n, enum toe_counter c, int64_t more)
{
    n->counters->v[c] += (uint64_t)more;
}

static bool is_from(const Datagram *d, uint8_t family, const uint8_t *src)
{
    return d->used && d->family == family &&
           !memcmp(d->src, src, family_of(d)->source_bytes);
}

/* The oldest; src not NULL: of this source. */
static Datagram *oldest(ToeIpFrag *f, uint8_t family, const uint8_t *src,
                        const Datagram *except)
{
    Datagram *found = NULL;

    for (uint32_t i = 0; i < TOE_IPFRAG_DATAGRAMS; i++) {
        Datagram *d = &f->datagram[i];

        if (d->used && d != except && (!src || is_from(d, family, src)) &&
            (!found || d->born < found->born)) {
            found = d;
        }
    }
    return found;
}

static Datagram *first_to_expire(ToeIpFrag *f)
{
    Datagram *found = NULL;

    for (uint32_t i = 0; i < TOE_IPFRAG_DATAGRAMS; i++) {
        Datagram *d = &f->datagram[i];

        if (d->used && (!found || d->expires < found->expires)) {
            found = d;
        }
    }
    return found;
}

static void set_timer(ToeNop *n)
{
    const Datagram *d = first_to_expire(n->ipfrag);

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
    count(n, family_of(d)->now, -1);
    set_timer(n);
}

/* Let go of a datagram that never became whole; why: for the trace. */
static void give_up(ToeNop *n, Datagram *d, const char *why)
{
    toe_trace_ipfrag_discard(toe_addr_hi(d->src), toe_addr_lo(d->src), d->id,
                             d->proto, d->pieces, why);
    count(n, family_of(d)->dropped, d->pieces);
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
        count(n, family_of(d)->evicted, 1);
        give_up(n, d, why);
    }
    forget(n, d);
}

static bool is_of(const Datagram *d, const ToeFragFamily *family,
                  const ToeFragment *fr)
{
    return d->used && d->family == family->family && d->id == fr->id &&
           (!family->by_proto || d->proto == fr->proto) &&
           !memcmp(d->src, fr->src, 16) && !memcmp(d->dst, fr->dst, 16);
}

/* The datagram of this fragment; a new one if there is none. */
static Datagram *find(ToeNop *n, const ToeFragFamily *family,
                      const ToeFragment *fr)
{
    ToeIpFrag *f = n->ipfrag;
    Datagram *unused = NULL;
    uint32_t of_source = 0;

    for (uint32_t i = 0; i < TOE_IPFRAG_DATAGRAMS; i++) {
        Datagram *d = &f->datagram[i];

        if (is_of(d, family, fr)) {
            return d;
        }
        if (!d->used) {
            unused = unused ? unused : d;
        } else if (is_from(d, family->family, fr->src)) {
            of_source++;
        }
    }
    if (of_source >= TOE_IPFRAG_PER_SOURCE) {
        unused = oldest(f, family->family, fr->src, NULL);
        evict(n, unused, "too many of one source");
    } else if (!unused) {
        unused = oldest(f, 0, NULL, NULL);
        evict(n, unused, "too many");
    }
    *unused = (Datagram) {
        .used = true,
        .family = family->family,
        .proto = fr->proto,
        .id = fr->id,
        .born = f->born++,
        .expires = toe_nop_now(n) + family->time,
        .first = NONE,
        .early = NONE,
        .late = NONE,
        .frames = toe_chain_init(),
    };
    memcpy(unused->src, fr->src, 16);
    memcpy(unused->dst, fr->dst, 16);
    count(n, family->now, 1);
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
        Datagram *victim = oldest(f, 0, NULL, d);

        if (!victim) {
            return false;
        }
        evict(n, victim, "no room");
    }
    f->held += more;
    return true;
}

/* ---- Fragments ---- */

/* Are the fragment's bytes those of this piece? */
static bool same_bytes(ToeNop *n, const Datagram *d, const Piece *p,
                       const ToeFragment *fr)
{
    uint32_t at = p->at + p->header + p->hlen;
    const uint8_t *want = fr->payload;
    uint32_t left = fr->len, span;

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
static Fit fit(ToeNop *n, const Datagram *d, const ToeFragment *fr,
               uint16_t *prev)
{
    const Piece *piece = n->ipfrag->piece;
    uint32_t end = fr->off + fr->len;
    uint16_t next = d->first;

    *prev = NONE;
    while (next != NONE && piece[next].off < fr->off) {
        *prev = next;
        next = piece[next].next;
    }
    if (next != NONE && piece[next].off == fr->off &&
        piece[next].len == fr->len && fr->more == (d->total != end)) {
        return same_bytes(n, d, &piece[next], fr) ? FIT_DUPLICATE : FIT_NOT;
    }
    if (*prev != NONE &&
        piece[*prev].off + piece[*prev].len > fr->off) {
        return FIT_NOT;
    }
    if (next != NONE && (end > piece[next].off || !fr->more)) {
        return FIT_NOT;
    }
    /* The end is where it was said to be, and said once. */
    if (d->total && (!fr->more || end >= d->total)) {
        return FIT_NOT;
    }
    return FIT_HOLE;
}

/*
 * Make a piece of a fragment that fits behind prev, in this frame.  False: no
 * room.
 */
static bool keep(ToeNop *n, Datagram *d, uint16_t prev, const uint8_t *frame,
                 size_t len, const ToeFragment *fr)
{
    ToeIpFrag *f = n->ipfrag;
    uint16_t *link = prev == NONE ? &d->first : &f->piece[prev].next;
    size_t end = fr->payload + fr->len - frame;
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
        .header = (uint32_t)(fr->header - frame),
        .hlen = fr->hlen,
        .off = (uint16_t)fr->off,
        .len = (uint16_t)fr->len,
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
    d->have += fr->len;
    d->ecn |= (uint8_t)(1u << (fr->tos & 3));
    if (!fr->more) {
        d->total = fr->off + fr->len;
    }
    if (!fr->off) {
        d->proto = fr->proto;
        d->tos = fr->tos;
        d->ttl = fr->ttl;
        d->named = fr->named;
    }
    toe_trace_ipfrag_keep(toe_addr_hi(fr->src), toe_addr_lo(fr->src), fr->id,
                          fr->off, fr->len, f->held);
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

/* The first piece's header in the scratch buffer; its length is whole. */
static ToeFragJoined begin_join(ToeNop *n, const Datagram *d)
{
    ToeIpFrag *f = n->ipfrag;
    const Piece *p = &f->piece[d->first];

    toe_chain_copy_out(n->lm, &d->frames, p->at + p->header, f->scratch,
                       p->hlen, NULL);
    return (ToeFragJoined) {
        .src = d->src,
        .dst = d->dst,
        .id = d->id,
        .proto = d->proto,
        .tos = d->tos,
        .ttl = d->ttl,
        .header = f->scratch,
        .hlen = p->hlen,
        .named = d->named,
    };
}

/* Put the packet together, with the header of the first fragment. */
static ToeFragJoined join(ToeNop *n, const Datagram *d)
{
    ToeFragJoined j = begin_join(n, d);
    ToeChainPos pos = { .buflet = TOE_BUFLET_NONE };
    const Piece *p;

    j.hlen -= family_of(d)->falls_away;
    j.len = d->total;
    for (uint16_t i = d->first; i != NONE; i = p->next) {
        p = &n->ipfrag->piece[i];
        toe_chain_copy_out(n->lm, &d->frames, p->at + p->header + p->hlen,
                           j.header + j.hlen + p->off, p->len, &pos);
    }
    return j;
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
    const ToeFragFamily *family = family_of(d);
    ToeFragJoined j;

    if (n->ipfrag->piece[d->first].hlen - family->falls_away + d->total >
        family->max) {
        /* Only the first fragment's header makes it too long. */
        count(n, family->refused, 1);
        discard(n, d, "beyond 65535");
        return;
    }
    if (!join_ecn(d)) {
        count(n, family->refused, 1);
        discard(n, d, "ECN");
        return;
    }
    count(n, family->whole, 1);
    toe_trace_ipfrag_whole(toe_addr_hi(d->src), toe_addr_lo(d->src), d->id,
                           d->proto, d->pieces, d->total);
    j = join(n, d);
    if (!family->deliver(n, &j)) {
        to_os(n, d);
    }
    forget(n, d);
}

static void drop(ToeNop *n, const ToeFragFamily *family,
                 const ToeFragment *fr, const char *why)
{
    toe_trace_ipfrag_drop(toe_addr_hi(fr->src), toe_addr_lo(fr->src), fr->id,
                          fr->off, fr->len, why);
    count(n, family->dropped, 1);
}

void toe_ipfrag_input(ToeNop *n, const ToeFragFamily *family,
                      const uint8_t *frame, size_t len, const ToeFragment *fr,
                      const char *why)
{
    Datagram *d;
    uint16_t prev;

    if (why) {
        count(n, family->refused, 1);
        drop(n, family, fr, why);
        return;
    }
    d = find(n, family, fr);
    if (d->dead) {
        drop(n, family, fr, "of a discarded packet");
        return;
    }
    switch (fit(n, d, fr, &prev)) {
    case FIT_DUPLICATE:
        drop(n, family, fr, "duplicate");
        return;
    case FIT_NOT:
        count(n, family->overlaps, 1);
        drop(n, family, fr, "overlap");
        discard(n, d, "overlap");
        return;
    case FIT_HOLE:
        break;
    }
    if (!keep(n, d, prev, frame, len, fr)) {
        count(n, family->evicted, 1);
        drop(n, family, fr, "no room");
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
    ToeFragJoined j;

    if (!p || p->off || !toe_ip_is_local(n, d->family, d->dst)) {
        return;
    }
    j = begin_join(n, d);
    j.len = p->len;
    toe_chain_copy_out(n->lm, &d->frames, p->at + p->header + p->hlen,
                       j.header + j.hlen, p->len, NULL);
    family_of(d)->tell(n, &j);
}

void toe_ipfrag_timer(ToeNop *n)
{
    int64_t now = toe_nop_now(n);
    Datagram *d;

    while ((d = first_to_expire(n->ipfrag)) && d->expires <= now) {
        if (!d->dead) {
            count(n, family_of(d)->timeouts, 1);
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
