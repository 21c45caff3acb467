/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mld.c - MLD's packets: versions 1 (RFC 2710) and 2 (RFC 3810).  When they
 * are sent, and what a query means, is group.c's; MLDv1 is a version 2 there.
 *
 * In.  Queries and other hosts' reports of version 1.  A query counts only if
 * it came from this link: a link-local source, a hop limit of 1 and a router
 * alert (RFC 3810, 5.1.14).  All goes on to the operating system.
 *
 * Out.  From a link-local address, or from none if there is none (5.2.13), in
 * a packet with a router alert, made here.
 */
#include "group.h"
#include "toe_trace.h"
#include "wire_group.h"

static const uint8_t all_routers[16] = { 0xff, 0x02, [15] = 2 };
static const uint8_t all_v2_routers[16] = { 0xff, 0x02, [15] = 0x16 };

#define HEADERS         (TOE_IPV6_HLEN + TOE_MLD_ALERT_LEN)

static bool is_link_local(const uint8_t *a)
{
    return a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
}

/* ---- Out ---- */

static uint8_t *payload_of(uint8_t *frame)
{
    return frame + TOE_ETH_HLEN + HEADERS;
}

static void send_mld(ToeNop *n, uint8_t *frame, const uint8_t *dst,
                     size_t len)
{
    uint8_t *ip = frame + TOE_ETH_HLEN, *m = payload_of(frame);
    uint8_t src[16], mac[6];

    /* To a group of this link a link-local address is the nearest. */
    if (!toe_route_source(n, TOE_AF_INET6, all_routers, src) ||
        !is_link_local(src)) {
        memset(src, 0, sizeof(src));
    }
    toe_wire_ipv6_group_mac(mac, dst);
    toe_wire_eth_build(frame, mac, n->mac, TOE_ETHERTYPE_IPV6);
    toe_wire_ipv6_build(ip, 0, 0, TOE_MLD_ALERT_LEN + len,
                        TOE_IPV6_HOP_BY_HOP, 1, src, dst);
    toe_wire_mld_alert_build(ip + TOE_IPV6_HLEN);
    toe_put16(m + 2, 0);
    toe_csum_store(m + 2, toe_csum(m, len,
                   toe_csum_pseudo(TOE_AF_INET6, src, dst, TOE_PROTO_ICMP6,
                                   (uint32_t)len)));
    toe_trace_mld_send(m[0], toe_addr_hi(dst), toe_addr_lo(dst), len);
    if (toe_eth_output(n, frame, (size_t)(m - frame) + len) == TOE_ST_OK) {
        toe_count(n->counters, MLD_OUT);
    }
}

uint32_t toe_mld_room(const ToeNop *n)
{
    uint32_t mtu = MAX(n->mtu, TOE_MTU_MIN_V6);

    return (mtu - (uint32_t)HEADERS - TOE_ICMP_HLEN) / TOE_MLD_RECORD_LEN;
}

void toe_mld_report(ToeNop *n, const ToeGroupRecord *r, uint32_t count)
{
    uint8_t *frame = toe_ip_tx_buffer(n), *m = payload_of(frame);

    memset(m, 0, TOE_ICMP_HLEN + count * TOE_MLD_RECORD_LEN);
    toe_wire_icmp_build(m, TOE_MLD_REPORT_V2, 0, count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *out = m + TOE_ICMP_HLEN + i * TOE_MLD_RECORD_LEN;

        out[0] = r[i].type;
        memcpy(out + 4, r[i].addr, 16);
    }
    send_mld(n, frame, all_v2_routers,
             TOE_ICMP_HLEN + count * TOE_MLD_RECORD_LEN);
}

void toe_mld_report_old(ToeNop *n, const ToeGroupRecord *r)
{
    uint8_t *frame = toe_ip_tx_buffer(n), *m = payload_of(frame);
    bool leave = r->type == TOE_GROUP_TO_INCLUDE;

    toe_wire_icmp_build(m, leave ? TOE_MLD_DONE_V1 : TOE_MLD_REPORT_V1, 0,
                        0);
    memcpy(m + TOE_ICMP_HLEN, r->addr, 16);
    send_mld(n, frame, leave ? all_routers : r->addr, TOE_MLD_LEN);
}

/* ---- In ---- */

bool toe_mld_is(uint8_t type)
{
    return type == TOE_MLD_QUERY || type == TOE_MLD_REPORT_V1;
}

static bool query(ToeNop *n, const ToeIpPacket *p, const ToeWireIcmp *m)
{
    static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
    ToeWireQuery q;
    bool general;

    if (!toe_wire_mld_query(m, &q)) {
        return false;
    }
    general = toe_wire_ipv6_is_zero(q.group);
    if (general ? memcmp(p->dst, all_nodes, 16) != 0
                : !toe_wire_ipv6_is_group(q.group)) {
        return false;
    }
    toe_group_query(n, TOE_AF_INET6, q.version, general ? NULL : q.group,
                    q.time * TOE_NS_PER_MS, q.robustness);
    return true;
}

void toe_mld_input(ToeNop *n, const ToeIpPacket *p, const ToeWireIcmp *m,
                   bool alert)
{
    bool good = p->ttl == 1 && alert && is_link_local(p->src) && !m->code;

    toe_count(n->counters, MLD_IN);
    if (good && m->type == TOE_MLD_QUERY) {
        good = query(n, p, m);
    } else if (good) {
        good = m->len + TOE_ICMP_HLEN >= TOE_MLD_LEN;
        if (good) {
            toe_group_heard(n, TOE_AF_INET6, m->body);
        }
    }
    if (!good) {
        toe_count(n->counters, MLD_BAD);
        toe_trace_mld_bad(m->type, p->len);
    }
}
