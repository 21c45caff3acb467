/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nd.c - neighbour discovery for IPv6 (RFC 4861).
 *
 * The table of neighbours, its states and when to ask are neigh.c's, shared
 * with ARP; here are the packets: neighbour solicitations and advertisements.
 * Router solicitations, router advertisements and redirects are the operating
 * system's, and so is duplicate address detection: an address comes here
 * (ADDR_ADD) when it is no longer tentative.
 *
 * Addresses of ours.  A solicitation for one, in its solicited-node group or
 * by unicast, is answered here, and the operating system does not see it, for
 * it would answer too.  So is the solicitation without a source by which
 * somebody finds out that the address is taken (RFC 4862, 5.4.3): with an
 * advertisement to all nodes.
 *
 * Advertisements change the table and go on to the operating system, which
 * has neighbours of its own.  One that claims an address of ours is counted
 * and changes nothing; the operating system has to judge it.
 *
 * Everything that has not a hop limit of 255 was forwarded, and is no
 * neighbour's word: counted and dropped (7.1).
 */
#include "nop.h"
#include "toe_trace.h"
#include "wire.h"
#include "wire6.h"

static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };

/* ---- Out ---- */

static void send_nd(ToeNop *n, uint8_t type, uint32_t rest,
                    const uint8_t *mac, const uint8_t *src,
                    const uint8_t *dst, const uint8_t *target)
{
    uint8_t frame[TOE_ETH_HLEN + TOE_IPV6_HLEN + TOE_ND_LEN];
    uint8_t *ip = frame + TOE_ETH_HLEN;

    toe_wire_eth_build(frame, mac, n->mac, TOE_ETHERTYPE_IPV6);
    toe_wire_ipv6_build(ip, 0, 0, TOE_ND_LEN, TOE_PROTO_ICMP6, TOE_ND_HOPS,
                        src, dst);
    toe_wire_nd_build(ip + TOE_IPV6_HLEN, type, rest, src, dst, target,
                      n->mac);
    toe_trace_nd_send(type, toe_addr_hi(target), toe_addr_lo(target));
    if (toe_eth_output(n, frame, sizeof(frame)) != TOE_ST_OK) {
        return;
    }
    if (type == TOE_ICMP6_SOLICIT) {
        toe_count(n->counters, ND_SOLICITS_OUT);
    } else {
        toe_count(n->counters, ND_ADVERTS_OUT);
    }
}

void toe_nd_solicit(ToeNop *n, const uint8_t *addr, const uint8_t *mac)
{
    uint8_t src[16], group[16], group_mac[6];

    /* Without a source it would be duplicate address detection. */
    if (!toe_route_source(n, TOE_AF_INET6, addr, src)) {
        return;
    }
    toe_wire_ipv6_solicited(group, addr);
    toe_wire_ipv6_group_mac(group_mac, group);
    send_nd(n, TOE_ICMP6_SOLICIT, 0, mac ? mac : group_mac, src,
            mac ? addr : group, addr);
}

static void to_all_nodes(ToeNop *n, const uint8_t *addr)
{
    uint8_t mac[6];

    toe_wire_ipv6_group_mac(mac, all_nodes);
    send_nd(n, TOE_ICMP6_ADVERT, TOE_ND_OVERRIDE, mac, addr, all_nodes, addr);
}

void toe_nd_announce(ToeNop *n, const ToeLocalAddr *a)
{
    to_all_nodes(n, a->addr);
}

/*
 * To the MAC that the question named; the table is not used for it, so that a
 * flood of questions does not warm the entries that it made.  Else through
 * the table: the answer may have to ask first (7.2.4).
 */
static void answer(ToeNop *n, const uint8_t *target, const uint8_t *to,
                   const uint8_t *mac)
{
    if (mac) {
        send_nd(n, TOE_ICMP6_ADVERT, TOE_ND_SOLICITED | TOE_ND_OVERRIDE, mac,
                target, to, target);
        return;
    }
    toe_wire_nd_build(toe_ip_tx_buffer(n), TOE_ICMP6_ADVERT,
                      TOE_ND_SOLICITED | TOE_ND_OVERRIDE, target, to, target,
                      n->mac);
    toe_trace_nd_send(TOE_ICMP6_ADVERT, toe_addr_hi(target),
                      toe_addr_lo(target));
    if (toe_ip_output(n, TOE_AF_INET6, target, to, TOE_PROTO_ICMP6,
                      TOE_ND_HOPS, 0, TOE_ND_LEN, 0) == TOE_ST_OK) {
        toe_count(n->counters, ND_ADVERTS_OUT);
    }
}

/* ---- In ---- */

static void conflict(ToeNop *n, const uint8_t *addr)
{
    toe_count(n->counters, ND_CONFLICTS);
    toe_trace_nd_conflict(toe_addr_hi(addr), toe_addr_lo(addr));
}

/* 7.2.3. */
static bool solicitation(ToeNop *n, const ToeIpPacket *p,
                         const ToeWireNd *nd)
{
    if (!toe_ip_is_local(n, TOE_AF_INET6, nd->target)) {
        return false;           /* tentative perhaps, or another host's */
    }
    if (toe_wire_ipv6_is_zero(p->src)) {
        conflict(n, nd->target);
        to_all_nodes(n, nd->target);
        return true;
    }
    if (toe_ip_is_local(n, TOE_AF_INET6, p->src)) {
        conflict(n, p->src);
        return false;
    }
    if (nd->source_mac) {
        toe_neigh_hear(n, TOE_AF_INET6, p->src, nd->source_mac);
    }
    answer(n, nd->target, p->src, nd->source_mac);
    return true;
}

/* 7.2.5. */
static bool advertisement(ToeNop *n, const ToeWireIcmp *m,
                          const ToeWireNd *nd)
{
    if (toe_ip_is_local(n, TOE_AF_INET6, nd->target)) {
        conflict(n, nd->target);
        return false;
    }
    toe_neigh_advert(n, TOE_AF_INET6, nd->target, nd->target_mac,
                     m->rest & TOE_ND_SOLICITED, m->rest & TOE_ND_OVERRIDE);
    return false;
}

static bool station(const uint8_t *mac)
{
    return !mac || !(toe_mac_is_group(mac) || toe_mac_is_zero(mac));
}

/* 7.1.1 and 7.1.2; the checksum was seen to. */
static bool valid(const ToeIpPacket *p, const ToeWireIcmp *m, ToeWireNd *nd)
{
    bool group = toe_wire_ipv6_is_group(p->dst);

    if (p->ttl != TOE_ND_HOPS || m->code || !toe_wire_nd_parse(m, nd) ||
        !toe_wire_ipv6_is_host(nd->target) || !station(nd->source_mac) ||
        !station(nd->target_mac)) {
        return false;
    }
    if (m->type == TOE_ICMP6_ADVERT) {
        return !(group && m->rest & TOE_ND_SOLICITED) &&
               toe_wire_ipv6_is_host(p->src);
    }
    return toe_wire_ipv6_is_zero(p->src)
           ? p->dst[12] == 0xff && group && !nd->source_mac
           : toe_wire_ipv6_is_host(p->src);
}

bool toe_nd_input(ToeNop *n, const ToeIpPacket *p, const ToeWireIcmp *m)
{
    ToeWireNd nd;

    toe_count(n->counters, ND_IN);
    if (!valid(p, m, &nd)) {
        toe_count(n->counters, ND_BAD);
        toe_trace_nd_bad(m->type, p->len);
        return true;
    }
    toe_trace_nd_receive(m->type, toe_addr_hi(nd.target),
                         toe_addr_lo(nd.target), m->rest >> 24);
    return m->type == TOE_ICMP6_SOLICIT ? solicitation(n, p, &nd)
                                        : advertisement(n, m, &nd);
}
