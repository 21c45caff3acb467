/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arp.c - the Address Resolution Protocol.
 *
 * The table of neighbours, whom to ask when, and what the answers change is
 * neigh.c's; here are the packets.
 *
 * Learning (RFC 826).  Any valid ARP packet updates an entry that exists; one
 * whose target is an address of ours also creates one, if the sender is on
 * link.
 *
 * Addresses of ours.  A request for one is answered here and the operating
 * system does not see it, for it would answer too.  A packet that claims one
 * for another MAC is a conflict: counted, shown to the operating system, and
 * answered with an announcement at most every ten seconds (RFC 5227, 2.4 b).
 */
#include "nop.h"
#include "toe_trace.h"
#include "wire.h"

#define TOE_ARP_DEFEND_NS       (10 * TOE_NS_PER_S)

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t zero[6];

/* ---- Sending ARP ---- */

/* dst: of the frame; the addresses: of the packet. */
static void send_arp(ToeNop *n, uint16_t op, const uint8_t *dst,
                     const uint8_t *spa, const uint8_t *tha,
                     const uint8_t *tpa)
{
    uint8_t frame[TOE_ETH_HLEN + TOE_ARP_LEN];

    toe_wire_eth_build(frame, dst, n->mac, TOE_ETHERTYPE_ARP);
    toe_wire_arp_build(frame + TOE_ETH_HLEN, op, n->mac, spa, tha, tpa);
    toe_trace_arp_send(op, toe_get32(spa), toe_get32(tpa));
    if (toe_eth_output(n, frame, sizeof(frame)) != TOE_ST_OK) {
        return;
    }
    if (op == TOE_ARP_REQUEST) {
        toe_count(n->counters, ARP_REQUESTS_OUT);
    } else {
        toe_count(n->counters, ARP_REPLIES_OUT);
    }
}

/*
 * Our address in the question is one in the neighbour's subnet, since many
 * hosts ignore others; the question is valid without one too (RFC 5227, a
 * probe).
 */
void toe_arp_request(ToeNop *n, const uint8_t *addr, const uint8_t *mac)
{
    uint8_t spa[16] = { 0 };

    toe_ip_route(n, TOE_AF_INET, addr, spa, NULL);
    send_arp(n, TOE_ARP_REQUEST, mac ? mac : broadcast, spa, zero, addr);
}

/* A request for our own address: everybody, note our MAC. */
void toe_arp_announce(ToeNop *n, const ToeLocalAddr *a)
{
    send_arp(n, TOE_ARP_REQUEST, broadcast, a->addr, zero, a->addr);
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
        toe_arp_announce(n, mine);
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
        memcpy(addr, a.spa, 4);
        toe_neigh_confirm(n, TOE_AF_INET, addr, a.sha,
                          for_us && a.op == TOE_ARP_REPLY, for_us);
    }
    if (for_us && a.op == TOE_ARP_REQUEST) {
        send_arp(n, TOE_ARP_REPLY, a.sha, a.tpa, a.sha, a.spa);
        return true;
    }
    return false;
}
