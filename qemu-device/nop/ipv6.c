/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipv6.c - IPv6 in and out (RFC 8200).
 *
 * In.  The adapter's is what was sent to our MAC and to an address of ours,
 * and neighbour discovery in the groups that our addresses imply: all nodes,
 * and the solicited-node group of each.  Everything else is passed on unseen:
 * addresses that are still tentative, what the operating system might forward.
 * A source that no host can have, or that is our own, is refused, but for
 * errors from ::1 (see ipv4.c).
 *
 * Datagrams to a group that a socket has joined are copied to the sockets
 * (udp_in.c), and MLD is listened to; both go on to the operating system, and
 * nothing in such a packet is ever answered.
 *
 * Extension headers are walked in the order in which they come, each within
 * the packet, and TOE_IPV6_EXT_MAX of them at most (RFC 8504, 5.3).
 *
 *   hop-by-hop    only as the first (4.1); options as below
 *   destination   options: what is not known is skipped, or the packet is
 *                 dropped, or that is also said, as its type wants (4.2)
 *   routing       ignored when no segments are left; else we are not the
 *                 destination that it wants, and no type of it is known here
 *                 (4.4, RFC 5095): dropped and said
 *   fragment      a packet that is one whole fragment is taken (RFC 6946).
 *                 Others that may carry TCP, UDP or ICMPv6 are put together
 *                 (ipfrag6.c), and only then is it seen whose they are: the
 *                 operating system would find no connection, and reset one
 *                 that lives on the adapter.  The rest goes to the operating
 *                 system at once, if that is up.
 *
 * What the transports do not take is the operating system's.  While its
 * interface is not up, the adapter answers as the host.
 *
 * Out.  As ipv4.c: headers are put before what is in the transmit buffer.
 * No packet of ours is larger than the MTU; fragments are made by
 * ipfrag_out.c.
 */
#include "group.h"
#include "toe_trace.h"
#include "wire.h"
#include "wire6.h"
#include "wire_group.h"

#define TOE_IPV6_EXT_MAX        8u
#define TCP_HEADER              20u     /* without options */

/* ---- Extension headers ---- */

typedef enum Verdict {
    GOOD,
    BAD,                        /* malformed: drop */
    REFUSED,                    /* drop, and say why */
    FRAGMENT,
} Verdict;

/* Where the walk through a packet is; offsets are from the IPv6 header. */
typedef struct Walk {
    const uint8_t *packet;
    size_t end;
    size_t at;
    size_t named;               /* the field that says what is at "at" */
    uint8_t next;               /* what that is */
    uint8_t code;               /* REFUSED: of the parameter problem */
    size_t pointer;
    bool pieces;                /* it has, or had, a fragment header */
} Walk;

static Verdict refuse(Walk *w, uint8_t code, size_t pointer)
{
    w->code = code;
    w->pointer = pointer;
    return REFUSED;
}

/* The options from "at" to end (4.2). */
static Verdict options(Walk *w, size_t at, size_t end)
{
    while (at < end) {
        const uint8_t *o = w->packet + at;

        if (!o[0]) {            /* Pad1, the one without a length */
            at++;
            continue;
        }
        if (end - at < 2 || o[1] > end - at - 2) {
            return BAD;
        }
        if (o[0] >> 6 == 1) {
            return BAD;
        }
        if (o[0] >> 6 >= 2) {   /* 3: not if sent to a group; it was not */
            return refuse(w, TOE_ICMP6_CODE_OPTION, at);
        }
        at += 2u + o[1];
    }
    return GOOD;
}

/* The length of the extension header at "at", or 0. */
static size_t extension_length(const Walk *w)
{
    size_t left = w->end - w->at, len = TOE_IPV6_EXT_UNIT;

    if (left < len) {
        return 0;
    }
    if (w->next != TOE_IPV6_FRAGMENT) {
        len += w->packet[w->at + 1] * TOE_IPV6_EXT_UNIT;
    }
    return len <= left ? len : 0;
}

static bool is_extension(uint8_t next)
{
    return next == TOE_IPV6_HOP_BY_HOP || next == TOE_IPV6_ROUTING ||
           next == TOE_IPV6_FRAGMENT || next == TOE_IPV6_DESTINATION;
}

static Walk walk_begin(const ToeWireIpv6 *ip)
{
    return (Walk) {
        .packet = ip->header, .end = TOE_IPV6_HLEN + ip->len,
        .at = TOE_IPV6_HLEN, .named = 6, .next = ip->next,
    };
}

static void walk_on(Walk *w, size_t len)
{
    w->next = w->packet[w->at];
    w->named = w->at;
    w->at += len;
}

/* Up to the transport's header. */
static Verdict walk(Walk *w)
{
    unsigned count;

    for (count = 0; is_extension(w->next); count++) {
        const uint8_t *h = w->packet + w->at;
        size_t len = extension_length(w);
        Verdict v = GOOD;

        toe_trace_ip6_extension(w->next, w->at);
        if (!len || count == TOE_IPV6_EXT_MAX) {
            return BAD;
        }
        switch (w->next) {
        case TOE_IPV6_HOP_BY_HOP:
            if (count) {
                return refuse(w, TOE_ICMP6_CODE_NEXT, w->named);
            }
            /* fall through */
        case TOE_IPV6_DESTINATION:
            v = options(w, w->at + 2, w->at + len);
            break;
        case TOE_IPV6_ROUTING:
            if (h[3]) {         /* segments left */
                v = refuse(w, TOE_ICMP6_CODE_FIELD, w->at + 2);
            }
            break;
        default:
            w->pieces = true;   /* an atomic one, too */
            if (toe_get16(h + 2) & 0xfff9) {    /* offset, more */
                v = FRAGMENT;
            }
            break;
        }
        if (v != GOOD) {
            return v;
        }
        walk_on(w, len);
    }
    return GOOD;
}

bool toe_ipv6_carries_error(const ToeWireIpv6 *ip)
{
    Walk w = walk_begin(ip);
    unsigned count;
    size_t len;

    for (count = 0; is_extension(w.next) && count < TOE_IPV6_EXT_MAX &&
         (len = extension_length(&w)); count++) {
        walk_on(&w, len);
    }
    return w.next == TOE_PROTO_ICMP6 && w.at < w.end &&
           (toe_wire_icmp6_is_error(w.packet[w.at]) ||
            w.packet[w.at] == TOE_ICMP6_REDIRECT);
}

bool toe_ipv6_chain_whole(const uint8_t *p, size_t len, uint8_t next)
{
    Walk w = { .packet = p, .end = len, .next = next };
    unsigned count;
    size_t hlen;

    for (count = 0; is_extension(w.next); count++) {
        hlen = extension_length(&w);
        if (!hlen || count == TOE_IPV6_EXT_MAX) {
            return false;
        }
        walk_on(&w, hlen);
    }
    len -= w.at;
    switch (w.next) {
    case TOE_PROTO_TCP:
        return len >= TCP_HEADER && len >= (p[w.at + 12] >> 4) * 4u;
    case TOE_PROTO_UDP:
    case TOE_PROTO_ICMP6:
        return len >= 8;
    default:
        return w.next == TOE_IPV6_NONE || len;
    }
}

static void problem(ToeNop *n, const ToeWireIpv6 *ip, const Walk *w)
{
    if (!toe_ipv6_carries_error(ip) && !toe_wire_ipv6_is_group(ip->dst)) {
        toe_icmp6_error(n, ip, TOE_ICMP6_PARAMETER, w->code,
                        (uint32_t)w->pointer);
    }
}

/* ---- In ---- */

/* A group in which somebody looks for us. */
static bool is_our_group(ToeNop *n, const uint8_t *dst)
{
    static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
    uint8_t group[16];
    uint32_t i;

    if (!toe_wire_ipv6_is_group(dst)) {
        return false;
    }
    if (!memcmp(dst, all_nodes, 16)) {
        return true;
    }
    for (i = 0; i < n->naddrs; i++) {
        if (n->addrs[i].family != TOE_AF_INET6) {
            continue;
        }
        toe_wire_ipv6_solicited(group, n->addrs[i].addr);
        if (!memcmp(dst, group, 16)) {
            return true;
        }
    }
    return false;
}

static ToeIpPacket make_packet(const ToeWireIpv6 *ip, const Walk *w)
{
    ToeIpPacket p = {
        .family = TOE_AF_INET6, .tos = ip->tos, .ttl = ip->hops,
        .proto = w->next, .payload = w->packet + w->at, .len = w->end - w->at,
    };

    memcpy(p.src, ip->src, 16);
    memcpy(p.dst, ip->dst, 16);
    return p;
}

static bool dispatch(ToeNop *n, const ToeWireIpv6 *ip, Walk *w)
{
    ToeIpPacket p = make_packet(ip, w);
    bool os_up = n->filter & TOE_FILTER_UP;

    switch (w->next) {
    case TOE_PROTO_ICMP6:
        if (w->pieces && p.len && (*p.payload == TOE_ICMP6_SOLICIT ||
                                   *p.payload == TOE_ICMP6_ADVERT)) {
            toe_count(n->counters, ND_BAD);     /* RFC 6980, 5 */
            return true;
        }
        return toe_icmp6_input(n, &p);
    case TOE_PROTO_TCP:
        if (toe_tcp_input(n, &p)) {
            return true;
        }
        if (!os_up) {
            toe_tcp_reject(n, &p);
        }
        return !os_up;
    case TOE_PROTO_UDP:
        if (toe_udp_input(n, &p)) {
            return true;
        }
        /* fall through */
    default:
        if (os_up || w->next == TOE_IPV6_NONE) {
            return !os_up;
        }
        if (w->next == TOE_PROTO_UDP) {
            toe_icmp6_error(n, ip, TOE_ICMP6_UNREACHABLE,
                            TOE_ICMP6_CODE_PORT, 0);
        } else {
            refuse(w, TOE_ICMP6_CODE_NEXT, w->named);
            problem(n, ip, w);
        }
        return true;
    }
}

/*
 * True: taken.  What is in a packet can be told from its first fragment only
 * (the others may say anything, RFC 8200 4.5), but senders do not lie.
 */
static bool fragment(ToeNop *n, const uint8_t *frame, size_t frame_len,
                     const ToeWireIpv6 *ip, const Walk *w)
{
    const uint8_t *h = w->packet + w->at;

    toe_trace_ip6_fragment(h[0], toe_get16(h + 2));
    if (h[0] != TOE_PROTO_TCP && h[0] != TOE_PROTO_UDP &&
        h[0] != TOE_PROTO_ICMP6 && !is_extension(h[0]) && n->filter & TOE_FILTER_UP) {
        return false;
    }
    toe_ipfrag6_input(n, frame, frame_len, ip, w->at, w->named);
    return true;
}

static void bad(ToeNop *n, size_t len)
{
    toe_count(n->counters, IP6_BAD_HEADER);
    toe_trace_ip6_bad(len);
}

bool toe_ipv6_deliver(ToeNop *n, const uint8_t *packet, size_t len)
{
    ToeWireIpv6 ip;
    Walk w;

    if (!toe_wire_ipv6_parse(packet, len, &ip)) {
        bad(n, len);
        return true;
    }
    w = walk_begin(&ip);
    w.pieces = true;
    switch (walk(&w)) {
    case GOOD:
        if (toe_wire_ipv6_is_group(ip.dst)) {
            ToeIpPacket p = make_packet(&ip, &w);

            if (p.proto == TOE_PROTO_UDP) {
                toe_udp_group_input(n, &p);
            }
            return false;
        }
        return dispatch(n, &ip, &w);
    case REFUSED:
        problem(n, &ip, &w);
        break;
    case FRAGMENT:              /* fragments of a fragment: nobody's */
    case BAD:
        break;
    }
    bad(n, len);
    return true;
}

/* A multicast listener message, with the checksum right. */
static void mld(ToeNop *n, const ToeWireIpv6 *ip, const ToeIpPacket *p)
{
    ToeWireIcmp m;
    Walk w = walk_begin(ip);    /* the packet's first header was found good */
    bool alert = ip->next == TOE_IPV6_HOP_BY_HOP &&
                 toe_wire_has_alert(ip->payload + 2,
                                    extension_length(&w) - 2);

    if (p->len && toe_mld_is(*p->payload) &&
        toe_wire_icmp6_parse(p->src, p->dst, p->payload, p->len, &m) ==
        TOE_WIRE_ICMP_OK) {
        toe_mld_input(n, p, &m, alert);
    }
}

/* To a group.  False: also, or only, the operating system's. */
static bool group_input(ToeNop *n, const uint8_t *frame, size_t frame_len,
                        const ToeWireIpv6 *ip)
{
    Walk w = walk_begin(ip);
    Verdict v;
    ToeIpPacket p;

    if (!toe_route_is_host(n, TOE_AF_INET6, ip->src) ||
        toe_ip_is_local(n, TOE_AF_INET6, ip->src)) {
        return false;
    }
    v = walk(&w);
    p = make_packet(ip, &w);
    if (v == GOOD && w.next == TOE_PROTO_ICMP6) {
        mld(n, ip, &p);
        return false;
    }
    if (toe_group_find(n, TOE_AF_INET6, ip->dst) == TOE_GROUP_NONE) {
        return false;
    }
    if (v == GOOD && w.next == TOE_PROTO_UDP) {
        toe_udp_group_input(n, &p);
    }
    return v == FRAGMENT && fragment(n, frame, frame_len, ip, &w);
}

bool toe_ipv6_input(ToeNop *n, const uint8_t *frame, size_t frame_len,
                    size_t packet, size_t len, bool unicast)
{
    ToeWireIpv6 ip;
    Walk w;

    if (!toe_wire_ipv6_parse(frame + packet, len, &ip)) {
        if (unicast) {
            bad(n, len);
        }
        return unicast;
    }
    w = walk_begin(&ip);
    if (ip.next == TOE_PROTO_ICMP6 && is_our_group(n, ip.dst)) {
        ToeIpPacket p = make_packet(&ip, &w);

        return toe_icmp6_input(n, &p);
    }
    if (!unicast && toe_wire_ipv6_is_group(ip.dst)) {
        return group_input(n, frame, frame_len, &ip);
    }
    if (!unicast || !toe_ip_is_local(n, TOE_AF_INET6, ip.dst)) {
        return false;
    }
    toe_count(n->counters, IP6_IN);
    toe_trace_ip6_receive(toe_addr_hi(ip.src), toe_addr_lo(ip.src), ip.next,
                          ip.len);
    if (!toe_route_is_host(n, TOE_AF_INET6, ip.src) ||
        toe_ip_is_local(n, TOE_AF_INET6, ip.src)) {
        ToeIpPacket p = make_packet(&ip, &w);

        if (!toe_wire_ipv6_is_loopback(ip.src) ||
            ip.next != TOE_PROTO_ICMP6 || !toe_icmp6_error_input(n, &p)) {
            toe_count(n->counters, IP6_BAD_HEADER);
        }
        return true;
    }
    switch (walk(&w)) {
    case GOOD:
        return dispatch(n, &ip, &w);
    case FRAGMENT:
        return fragment(n, frame, frame_len, &ip, &w);
    case REFUSED:
        problem(n, &ip, &w);
        break;
    case BAD:
        break;
    }
    bad(n, len);
    return true;
}

/* ---- Out ---- */

/*
 * One label for each flow, which nobody can foresee (RFC 6437, 3): of
 * addresses, protocol, and for TCP and UDP the ports.
 */
static uint32_t flow_label(ToeNop *n, const uint8_t *src, const uint8_t *dst,
                           uint8_t proto, const uint8_t *transport)
{
    uint8_t flow[37] = { 0 };

    memcpy(flow, src, 16);
    memcpy(flow + 16, dst, 16);
    flow[32] = proto;
    if (proto == TOE_PROTO_TCP || proto == TOE_PROTO_UDP) {
        memcpy(flow + 33, transport, 4);
    }
    return (uint32_t)toe_siphash(&n->hash_key, flow, sizeof(flow));
}

uint8_t toe_ipv6_output(ToeNop *n, const uint8_t *src, const uint8_t *dst,
                        uint8_t proto, uint8_t ttl, uint8_t tos, size_t len)
{
    uint8_t *header = toe_ip_tx_buffer(n) - TOE_IPV6_HLEN;
    uint8_t *frame = header - TOE_ETH_HLEN;
    bool local = toe_ip_is_local(n, TOE_AF_INET6, dst);
    uint8_t hop[16];
    uint8_t status;

    if (len > toe_ip_max(n, TOE_AF_INET6) - TOE_IPV6_HLEN) {
        return TOE_ST_TOOBIG;
    }
    if (!local && !toe_route_next_hop(n, TOE_AF_INET6, dst, hop)) {
        toe_count(n->counters, IP_NO_ROUTE);
        return TOE_ST_NOROUTE;
    }
    toe_wire_ipv6_build(header, tos,
                        flow_label(n, src, dst, proto, toe_ip_tx_buffer(n)),
                        len, proto, ttl, src, dst);
    if (local) {
        return toe_loop_output(n, TOE_AF_INET6, header, TOE_IPV6_HLEN + len);
    }
    /* The neighbour's MAC is filled in by neigh.c. */
    memset(frame, 0, 6);
    memcpy(frame + 6, n->mac, 6);
    toe_put16(frame + 12, TOE_ETHERTYPE_IPV6);
    status = toe_neigh_output(n, TOE_AF_INET6, hop, frame,
                              TOE_ETH_HLEN + TOE_IPV6_HLEN + len);
    if (status == TOE_ST_OK) {
        toe_count(n->counters, IP6_OUT);
    }
    toe_trace_ip6_send(toe_addr_hi(dst), toe_addr_lo(dst), proto, len,
                       status);
    return status;
}
