/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipfrag4.c - IPv4's side of reassembly (RFC 791 3.2, RFC 1122 3.3.2); the
 * work is ipfrag.c's.
 *
 * A first fragment without the whole transport header, or a later one that
 * reaches into it, is refused: a filter would not see what it is (RFC 1858,
 * RFC 3128).  Small ones elsewhere are legitimate (a router may cut 1480
 * bytes in 1472 and 8); their number is limited.
 */
#include "ipfrag.h"
#include "wire.h"

#define TCP_HEADER              20u     /* without options */
#define HEADER                  8u      /* of the others */

/* A fragment no honest sender or router makes. */
static const char *refused(const ToeWireIpv4 *ip)
{
    uint32_t header = ip->proto == TOE_PROTO_TCP ? TCP_HEADER : HEADER;

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

void toe_ipfrag4_input(ToeNop *n, const uint8_t *frame, size_t len,
                       const ToeWireIpv4 *ip)
{
    ToeFragment f = {
        .id = ip->id,
        .proto = ip->proto,
        .tos = ip->tos,
        .ttl = ip->ttl,
        .more = ip->more,
        .off = ip->frag_off,
        .header = ip->header,
        .hlen = (uint32_t)ip->hlen,
        .payload = ip->payload,
        .len = (uint32_t)ip->len,
    };

    memcpy(f.src, ip->src, 4);
    memcpy(f.dst, ip->dst, 4);
    toe_ipfrag_input(n, &toe_ipfrag4, frame, len, &f, refused(ip));
}

/* The header of the first fragment says now that it is whole. */
static bool deliver(ToeNop *n, ToeFragJoined *j)
{
    uint8_t *h = j->header;
    ToeWireIpv4 ip = {
        .header = h,
        .hlen = j->hlen,
        .tos = j->tos,
        .ttl = j->ttl,
        .proto = j->proto,
        .id = (uint16_t)j->id,
        .src = j->src,
        .dst = j->dst,
        .payload = h + j->hlen,
        .len = j->len,
    };

    h[0] = (uint8_t)(0x40 | j->hlen / 4);
    h[1] = j->tos;
    toe_put16(h + 2, (uint16_t)(j->hlen + j->len));
    toe_put16(h + 6, 0);
    toe_put16(h + 10, 0);
    toe_csum_store(h + 10, toe_csum(h, j->hlen, 0));
    return toe_ipv4_deliver(n, &ip);
}

static void tell(ToeNop *n, const ToeFragJoined *j)
{
    ToeWireIpv4 ip = {
        .header = j->header, .hlen = j->hlen, .proto = j->proto,
        .src = j->src, .dst = j->dst, .payload = j->header + j->hlen,
        .len = j->len,
    };

    /* Never about an ICMP error (RFC 1122, 3.2.2). */
    if (j->proto != TOE_PROTO_ICMP || !toe_wire_icmp_is_error(*ip.payload)) {
        toe_icmp_reassembly_time(n, &ip);
    }
}

const ToeFragFamily toe_ipfrag4 = {
    .family = TOE_AF_INET,
    .source_bytes = 4,
    .by_proto = true,
    .max = TOE_IPV4_MAX,
    .time = 30 * TOE_NS_PER_S,
    .dropped = TOE_CTR_IP_FRAGMENTS,
    .whole = TOE_CTR_IP_REASSEMBLED,
    .now = TOE_CTR_IP_REASM_NOW,
    .timeouts = TOE_CTR_IP_REASM_TIMEOUTS,
    .overlaps = TOE_CTR_IP_REASM_OVERLAPS,
    .refused = TOE_CTR_IP_REASM_REFUSED,
    .evicted = TOE_CTR_IP_REASM_EVICTED,
    .deliver = deliver,
    .tell = tell,
};
