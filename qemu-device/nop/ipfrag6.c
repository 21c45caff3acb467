/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipfrag6.c - IPv6's side of reassembly (RFC 8200, 4.5); the work is
 * ipfrag.c's.
 *
 * What differs from IPv4: the identification has 32 bits and is the source's
 * alone, whatever the protocol; the fragment header, and with it the field
 * that named it, falls away in the whole; the first fragment must hold all
 * headers up to the transport's, that included (RFC 7112), so that nothing
 * hides behind them; and what is refused is told to the source, as far as
 * RFC 8200 wants it, under ICMP's rate limit.
 *
 * A packet that is one whole fragment ("atomic") does not come here: it is
 * taken by itself, whatever else has its identification (RFC 6946).  The
 * adapter sends no atomic one (RFC 8021).
 *
 * A host has a whole /64 to send from, so that is "one source" for the limits.
 */
#include "ipfrag.h"
#include "wire.h"
#include "wire6.h"

#define FRAGMENT_HEADER         8u
#define FIELD_LENGTH            4u      /* where the payload length is */
#define FIELD_OFFSET            2u      /* in the fragment header */
#define PACKET_MAX              (TOE_IPV6_HLEN + 65535u)

/* The packet that begins so, for an ICMPv6 error. */
static ToeWireIpv6 quote(const uint8_t *header, size_t len)
{
    return (ToeWireIpv6) {
        .header = header, .next = header[6], .src = header + 8,
        .dst = header + 24, .payload = header + TOE_IPV6_HLEN,
        .len = len - TOE_IPV6_HLEN,
    };
}

static void problem(ToeNop *n, const ToeFragment *f, uint8_t code,
                    uint32_t pointer)
{
    ToeWireIpv6 ip = quote(f->header, f->hlen + f->len);

    if (!toe_ipv6_carries_error(&ip) && !toe_wire_ipv6_is_group(f->dst)) {
        toe_icmp6_error(n, &ip, TOE_ICMP6_PARAMETER, code, pointer);
    }
}

static const char *refused(ToeNop *n, const ToeFragment *f)
{
    if (!f->len) {
        return "empty";
    }
    if (f->more && f->len % 8) {
        problem(n, f, TOE_ICMP6_CODE_FIELD, FIELD_LENGTH);
        return "not a multiple of 8";
    }
    if (f->hlen - FRAGMENT_HEADER + f->off + f->len > PACKET_MAX) {
        problem(n, f, TOE_ICMP6_CODE_FIELD,
                f->hlen - FRAGMENT_HEADER + FIELD_OFFSET);
        return "beyond 65535";
    }
    if (!f->off && !toe_ipv6_chain_whole(f->payload, f->len, f->proto)) {
        problem(n, f, TOE_ICMP6_CODE_CHAIN, 0);
        return "header in pieces";
    }
    return NULL;
}

void toe_ipfrag6_input(ToeNop *n, const uint8_t *frame, size_t len,
                       const ToeWireIpv6 *ip, size_t at, size_t named)
{
    const uint8_t *h = ip->header + at;
    ToeFragment f = {
        .id = toe_get32(h + 4),
        .proto = h[0],
        .tos = ip->tos,
        .ttl = ip->hops,
        .more = h[3] & 1,
        .off = toe_get16(h + 2) & 0xfff8u,
        .header = ip->header,
        .hlen = (uint32_t)(at + FRAGMENT_HEADER),
        .named = (uint32_t)named,
        .payload = h + FRAGMENT_HEADER,
        .len = (uint32_t)(TOE_IPV6_HLEN + ip->len - at - FRAGMENT_HEADER),
    };

    memcpy(f.src, ip->src, 16);
    memcpy(f.dst, ip->dst, 16);
    toe_ipfrag_input(n, &toe_ipfrag6, frame, len, &f, refused(n, &f));
}

static bool deliver(ToeNop *n, ToeFragJoined *j)
{
    uint8_t *h = j->header;

    /* Not what the kernel may have made of it in local memory. */
    toe_wire_ipv6_build(h, j->tos, toe_get32(h),
                        j->hlen - TOE_IPV6_HLEN + j->len, h[6], j->ttl,
                        j->src, j->dst);
    h[j->named] = j->proto;
    return toe_ipv6_deliver(n, h, j->hlen + j->len);
}

static void tell(ToeNop *n, const ToeFragJoined *j)
{
    ToeWireIpv6 ip = quote(j->header, j->hlen + j->len);

    ip.src = j->src;
    ip.dst = j->dst;
    if (!toe_ipv6_carries_error(&ip)) {
        toe_icmp6_error(n, &ip, TOE_ICMP6_TIME_EXCEEDED,
                        TOE_ICMP6_CODE_REASSEMBLY, 0);
    }
}

const ToeFragFamily toe_ipfrag6 = {
    .family = TOE_AF_INET6,
    .source_bytes = 8,
    .falls_away = FRAGMENT_HEADER,
    .max = PACKET_MAX,
    .time = 60 * TOE_NS_PER_S,          /* RFC 8200, 4.5 */
    .dropped = TOE_CTR_IP6_FRAGMENTS,
    .whole = TOE_CTR_IP6_REASSEMBLED,
    .now = TOE_CTR_IP6_REASM_NOW,
    .timeouts = TOE_CTR_IP6_REASM_TIMEOUTS,
    .overlaps = TOE_CTR_IP6_REASM_OVERLAPS,
    .refused = TOE_CTR_IP6_REASM_REFUSED,
    .evicted = TOE_CTR_IP6_REASM_EVICTED,
    .deliver = deliver,
    .tell = tell,
};
