/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipv4.c - IPv4 in and out (RFC 791, RFC 1122 section 3.2.1).
 *
 * In.  Only what was sent to our MAC and to an address of ours is the
 * adapter's; addresses that the operating system is only about to get (DHCP)
 * and what it might forward are passed on unseen.  Of the
 * adapter's packets the header is checked, options are skipped, and a source
 * that no single host can have, or that is our own, is refused: answering it
 * would serve an attack (RFC 1122, 3.2.1.3).  But an ICMP error from a
 * loopback address is looked at, as it is not answered, and says no less than
 * one from any other: libslirp names 127.0.0.1 as the source if a program's
 * port on the machine itself is not there.
 *
 * Datagrams to a group that a socket has joined, or to everybody, are copied
 * to the sockets (udp_in.c), and IGMP is listened to; both go on to the
 * operating system, which has listeners of its own.
 *
 * What the transports do not take is the operating system's.  While its
 * interface is not up, the adapter answers as the host: RST, or ICMP
 * unreachable.
 *
 * Fragments of TCP, UDP and ICMP are put together in ipfrag4.c, and only then
 * is it seen whose they are: the operating system would find no connection,
 * and reset one that lives on the adapter.  Those of other protocols go to
 * the operating system at once, if that is up.
 *
 * Out.  The transport leaves its packet in the one transmit buffer; the
 * headers are put in front of it in place.
 */
#include "group.h"
#include "toe_trace.h"
#include "wire.h"

/* ---- In ---- */

static bool dispatch(ToeNop *n, const ToeWireIpv4 *ip, const ToeIpPacket *p)
{
    bool os_up = n->filter & TOE_FILTER_UP;

    switch (ip->proto) {
    case TOE_PROTO_ICMP:
        return toe_icmp_input(n, p);
    case TOE_PROTO_TCP:
        if (toe_tcp_input(n, p)) {
            return true;
        }
        if (!os_up) {
            toe_tcp_reject(n, p);
        }
        return !os_up;
    case TOE_PROTO_UDP:
        if (toe_udp_input(n, p)) {
            return true;
        }
        /* fall through */
    default:
        if (!os_up) {
            toe_icmp_unreachable(n, ip, ip->proto == TOE_PROTO_UDP ?
                                 TOE_ICMP_CODE_PORT :
                                 TOE_ICMP_CODE_PROTOCOL);
        }
        return !os_up;
    }
}

void toe_ipv4_packet(const ToeWireIpv4 *ip, ToeIpPacket *p)
{
    p->family = TOE_AF_INET;
    p->tos = ip->tos;
    p->ttl = ip->ttl;
    p->proto = ip->proto;
    p->payload = ip->payload;
    p->len = ip->len;
    toe_wire_ipv4_widen(p->src, ip->src);
    toe_wire_ipv4_widen(p->dst, ip->dst);
}

static bool deliver(ToeNop *n, const ToeWireIpv4 *ip, const ToeIpPacket *p)
{
    if (toe_route_kind(n, TOE_AF_INET, p->dst) != TOE_DST_HOST) {
        if (p->proto == TOE_PROTO_UDP) {
            toe_udp_group_input(n, p);
        }
        return false;
    }
    return dispatch(n, ip, p);
}

bool toe_ipv4_deliver(ToeNop *n, const ToeWireIpv4 *ip)
{
    ToeIpPacket p;

    toe_ipv4_packet(ip, &p);
    return deliver(n, ip, &p);
}

/* True: taken. */
static bool fragment(ToeNop *n, const uint8_t *frame, size_t len,
                     const ToeWireIpv4 *ip)
{
    toe_trace_ip_fragment(toe_get32(ip->src), ip->id, ip->frag_off);
    if (ip->proto != TOE_PROTO_TCP && ip->proto != TOE_PROTO_UDP &&
        ip->proto != TOE_PROTO_ICMP && n->filter & TOE_FILTER_UP) {
        return false;
    }
    toe_ipfrag4_input(n, frame, len, ip);
    return true;
}

/* To more than one host.  False: also, or only, the operating system's. */
static bool group_input(ToeNop *n, const uint8_t *frame, size_t frame_len,
                        const ToeWireIpv4 *ip)
{
    ToeIpPacket p;
    ToeDst kind;

    toe_ipv4_packet(ip, &p);
    kind = toe_route_kind(n, TOE_AF_INET, p.dst);
    if (kind == TOE_DST_HOST) {
        return false;           /* RFC 1122, 3.3.6: not for us */
    }
    if (ip->proto == TOE_PROTO_IGMP && kind == TOE_DST_GROUP) {
        toe_igmp_input(n, ip);
        return false;
    }
    /* Who has no address yet may ask everybody. */
    if (ip->proto != TOE_PROTO_UDP ||
        (kind == TOE_DST_GROUP &&
         toe_group_find(n, TOE_AF_INET, p.dst) == TOE_GROUP_NONE) ||
        toe_ip_is_local(n, TOE_AF_INET, p.src) ||
        !(toe_route_is_host(n, TOE_AF_INET, p.src) ||
          (kind == TOE_DST_BROADCAST && !toe_get32(p.src)))) {
        return false;
    }
    if (ip->more || ip->frag_off) {
        return fragment(n, frame, frame_len, ip);
    }
    return deliver(n, ip, &p);
}

/* A source that no host can have, or ours.  True: there was a use for it. */
static bool odd_source(ToeNop *n, const ToeWireIpv4 *ip, const ToeIpPacket *p)
{
    return p->src[0] == 127 && p->proto == TOE_PROTO_ICMP && !ip->more &&
           !ip->frag_off && toe_icmp_error_input(n, p);
}

bool toe_ipv4_input(ToeNop *n, const uint8_t *frame, size_t frame_len,
                    size_t packet, size_t len, bool unicast)
{
    ToeIpPacket p;
    ToeWireIpv4 ip;

    if (!unicast) {
        return toe_wire_ipv4_parse(frame + packet, len, &ip) ==
               TOE_WIRE_IPV4_OK && group_input(n, frame, frame_len, &ip);
    }
    switch (toe_wire_ipv4_parse(frame + packet, len, &ip)) {
    case TOE_WIRE_IPV4_CHECKSUM:
        toe_count(n->counters, IP_BAD_CHECKSUM);
        return true;
    case TOE_WIRE_IPV4_HEADER:
    case TOE_WIRE_IPV4_CUT:
        toe_count(n->counters, IP_BAD_HEADER);
        toe_trace_ip_bad(len);
        return true;
    case TOE_WIRE_IPV4_OK:
        break;
    }
    toe_ipv4_packet(&ip, &p);
    if (!toe_ip_is_local(n, TOE_AF_INET, p.dst)) {
        return false;
    }
    toe_count(n->counters, IP_IN);
    toe_trace_ip_receive(toe_get32(ip.src), toe_get32(ip.dst), ip.proto,
                         ip.len);
    if (!toe_route_is_host(n, TOE_AF_INET, p.src) ||
        toe_ip_is_local(n, TOE_AF_INET, p.src)) {
        if (!odd_source(n, &ip, &p)) {
            toe_count(n->counters, IP_BAD_HEADER);
        }
        return true;
    }
    if (ip.more || ip.frag_off) {
        return fragment(n, frame, frame_len, &ip);
    }
    return deliver(n, &ip, &p);
}

/* ---- Out ---- */

uint8_t *toe_ip_tx_buffer(ToeNop *n)
{
    return n->tx + TOE_TX_HEADROOM;
}

/*
 * Large segments are for IPv4 alone: a user-networking backend drops IPv6
 * packets above the MTU.
 */
uint32_t toe_ip_max(const ToeNop *n, uint8_t family)
{
    return family == TOE_AF_INET ? MAX(n->mtu, n->config.max_segment)
                                 : n->mtu;
}

/*
 * The identification only has to differ among packets that may be fragmented
 * and are in flight together (RFC 6864); one that an outsider can follow
 * tells him how much we send to others (RFC 7739): each flow has a counter
 * that it shares with few.
 */
uint16_t toe_ipv4_identification(ToeNop *n, const uint8_t *src,
                                 const uint8_t *dst, uint8_t proto)
{
    uint8_t flow[9];
    uint64_t h;

    memcpy(flow, src, 4);
    memcpy(flow + 4, dst, 4);
    flow[8] = proto;
    h = toe_siphash(&n->hash_key, flow, sizeof(flow));
    return (uint16_t)(h + n->ip_id[(h >> 16) % TOE_IP_IDS]++);
}

uint8_t toe_ip_output(ToeNop *n, uint8_t family, const uint8_t *src,
                      const uint8_t *dst, uint8_t proto, uint8_t ttl,
                      uint8_t tos, size_t len, unsigned flags)
{
    uint8_t *header = toe_ip_tx_buffer(n) - TOE_IPV4_HLEN;
    uint8_t *frame = header - TOE_ETH_HLEN;
    bool df = flags & TOE_IP_DF;
    bool local = toe_ip_is_local(n, family, dst);
    uint8_t hop[16];
    uint8_t status;

    if (family == TOE_AF_INET6) {
        return toe_ipv6_output(n, src, dst, proto, ttl, tos, len);
    }
    if (family != TOE_AF_INET) {
        return TOE_ST_INVALID;
    }
    if (len + TOE_IPV4_HLEN > toe_ip_max(n, family)) {
        return TOE_ST_TOOBIG;
    }
    if (!local && !toe_route_next_hop(n, family, dst, hop)) {
        toe_count(n->counters, IP_NO_ROUTE);
        return TOE_ST_NOROUTE;
    }
    toe_wire_ipv4_build(header, tos, len + TOE_IPV4_HLEN,
                        df ? 0 : toe_ipv4_identification(n, src, dst,
                                                         proto),
                        df, ttl, proto, src, dst);
    if (local) {
        return toe_loop_output(n, family, header, TOE_IPV4_HLEN + len);
    }
    /* The neighbour's MAC is filled in by neigh.c. */
    memset(frame, 0, 6);
    memcpy(frame + 6, n->mac, 6);
    toe_put16(frame + 12, TOE_ETHERTYPE_IPV4);
    status = toe_neigh_output(n, family, hop, frame,
                              TOE_ETH_HLEN + TOE_IPV4_HLEN + len);
    if (status == TOE_ST_OK) {
        toe_count(n->counters, IP_OUT);
    }
    toe_trace_ip_send(toe_get32(src), toe_get32(dst), proto, len, status);
    return status;
}
