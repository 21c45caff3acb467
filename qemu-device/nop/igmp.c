/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * igmp.c - IGMP's packets: versions 1 (RFC 1112), 2 (RFC 2236) and 3 (RFC
 * 3376).  When they are sent, and what a query means, is group.c's.
 *
 * In.  Queries, which must have come from this link (TTL 1), and reports of
 * other hosts in the old versions, which spare us ours.  Everything goes on to
 * the operating system, whose groups are its own.
 *
 * Out.  TTL 1 and a router alert, from an address of ours, or from none if
 * there is none (4.2.13).  These packets are made here and not by ipv4.c, as
 * they are the only ones with an option; none waits for a neighbour.
 */
#include "group.h"
#include "toe_trace.h"
#include "wire_group.h"

#define ALL_HOSTS       0xe0000001u     /* 224.0.0.1 */
#define ALL_ROUTERS     0xe0000002u
#define ALL_V3_ROUTERS  0xe0000016u
#define TENTH           (100 * TOE_NS_PER_MS)

/* ---- Out ---- */

/* Frame and IP header around the message at payload_of(frame). */
static uint8_t *payload_of(uint8_t *frame)
{
    return frame + TOE_ETH_HLEN + TOE_IGMP_IP_HLEN;
}

static void send_igmp(ToeNop *n, uint8_t *frame, const uint8_t *dst,
                      size_t len)
{
    uint8_t src[16] = { 0 }, mac[6], *m = payload_of(frame);

    if (!toe_route_source(n, TOE_AF_INET, dst, src)) {
        memset(src, 0, sizeof(src));
    }
    toe_wire_ipv4_group_mac(mac, dst);
    toe_wire_eth_build(frame, mac, n->mac, TOE_ETHERTYPE_IPV4);
    toe_wire_igmp_ip_build(frame + TOE_ETH_HLEN, len,
                           toe_ipv4_identification(n, src, dst,
                                                   TOE_PROTO_IGMP),
                           src, dst);
    toe_put16(m + 2, 0);
    toe_csum_store(m + 2, toe_csum(m, len, 0));
    toe_trace_igmp_send(m[0], toe_get32(dst), len);
    if (toe_eth_output(n, frame, (size_t)(m - frame) + len) == TOE_ST_OK) {
        toe_count(n->counters, IGMP_OUT);
    }
}

uint32_t toe_igmp_room(const ToeNop *n)
{
    return (n->mtu - TOE_IGMP_IP_HLEN - TOE_IGMP_LEN) / TOE_IGMP_RECORD_LEN;
}

void toe_igmp_report(ToeNop *n, const ToeGroupRecord *r, uint32_t count)
{
    uint8_t *frame = toe_ip_tx_buffer(n), *m = payload_of(frame);
    uint8_t dst[16] = { 0 };

    memset(m, 0, TOE_IGMP_LEN + count * TOE_IGMP_RECORD_LEN);
    m[0] = TOE_IGMP_REPORT_V3;
    toe_put16(m + 6, (uint16_t)count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *out = m + TOE_IGMP_LEN + i * TOE_IGMP_RECORD_LEN;

        out[0] = r[i].type;
        memcpy(out + 4, r[i].addr, 4);
    }
    toe_put32(dst, ALL_V3_ROUTERS);
    send_igmp(n, frame, dst, TOE_IGMP_LEN + count * TOE_IGMP_RECORD_LEN);
}

void toe_igmp_report_old(ToeNop *n, unsigned version,
                         const ToeGroupRecord *r)
{
    uint8_t *frame = toe_ip_tx_buffer(n), *m = payload_of(frame);
    bool leave = r->type == TOE_GROUP_TO_INCLUDE;
    uint8_t dst[16] = { 0 };

    if (leave && version == 1) {
        return;                 /* there is no word for it */
    }
    memset(m, 0, TOE_IGMP_LEN);
    m[0] = leave ? TOE_IGMP_LEAVE_V2
           : version == 1 ? TOE_IGMP_REPORT_V1 : TOE_IGMP_REPORT_V2;
    memcpy(m + 4, r->addr, 4);
    if (leave) {
        toe_put32(dst, ALL_ROUTERS);
    } else {
        memcpy(dst, r->addr, 4);
    }
    send_igmp(n, frame, dst, TOE_IGMP_LEN);
}

/* ---- In ---- */

static bool is_group(const uint8_t *addr)
{
    return addr[0] >> 4 == 0xe;
}

static bool query(ToeNop *n, const ToeWireIpv4 *ip)
{
    uint8_t group[16] = { 0 };
    ToeWireQuery q;

    if (ip->ttl != 1 || !toe_wire_igmp_query(ip->payload, ip->len, &q)) {
        return false;
    }
    memcpy(group, q.group, 4);
    if (toe_get32(group)) {
        if (!is_group(group)) {
            return false;
        }
        toe_group_query(n, TOE_AF_INET, q.version, group, q.time * TENTH,
                        q.robustness);
        return true;
    }
    /* About all, so to all: else it is no router's (RFC 3376, 9.1). */
    if (toe_get32(ip->dst) != ALL_HOSTS) {
        return false;
    }
    toe_group_query(n, TOE_AF_INET, q.version, NULL, q.time * TENTH,
                    q.robustness);
    return true;
}

void toe_igmp_input(ToeNop *n, const ToeWireIpv4 *ip)
{
    const uint8_t *m = ip->payload;
    uint8_t group[16] = { 0 };
    bool good = true;

    toe_count(n->counters, IGMP_IN);
    if (ip->more || ip->frag_off || ip->len < TOE_IGMP_LEN ||
        !toe_csum_ok(toe_csum(m, ip->len, 0))) {
        good = false;
    } else if (m[0] == TOE_IGMP_QUERY) {
        good = query(n, ip);
    } else if (m[0] == TOE_IGMP_REPORT_V1 || m[0] == TOE_IGMP_REPORT_V2) {
        memcpy(group, m + 4, 4);
        good = is_group(group) && ip->ttl == 1;
        if (good) {
            toe_group_heard(n, TOE_AF_INET, group);
        }
    }
    if (!good) {
        toe_count(n->counters, IGMP_BAD);
        toe_trace_igmp_bad(toe_get32(ip->src), ip->len);
    }
}
