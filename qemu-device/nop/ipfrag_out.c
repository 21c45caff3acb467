/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipfrag_out.c - packets too large for the port go out in fragments.
 *
 * For UDP alone: TCP's segments fit.  IPv4: RFC 791, 3.2; IPv6: RFC 8200, 4.5,
 * where only the source may fragment.
 *
 * No bytes are moved.  The packet lies in the transmit buffer; the headers of
 * each fragment are written in front of its bytes, over those of the fragment
 * before it, which have been sent or copied by then.  So fragments go in order,
 * and the buffer's contents are gone afterwards.
 *
 * The size is that of the path, as far as it is known (pmtu.c).  If the
 * neighbour is still being looked for, all fragments wait or none does.
 *
 * The identification must not be foreseen by outsiders (RFC 7739), nor come
 * again soon for the same pair of hosts: ipv4.c.  IPv6 has 32 bits of it.
 */
#include "nop.h"
#include "toe_trace.h"
#include "wire.h"
#include "wire6.h"

#define FRAG6_HLEN      8u

/* What all fragments of a packet have in common. */
typedef struct Packet {
    uint8_t hop[16];
    const uint8_t *src;
    const uint8_t *dst;
    uint8_t proto;
    uint8_t ttl;
    uint8_t tos;
    size_t len;
    size_t room;                /* payload of one fragment */
} Packet;

/*
 * One fragment's Ethernet header in front of its IP header, and out with it:
 * the payload's piece at off.
 */
static uint8_t emit(ToeNop *n, uint8_t family, const Packet *p, size_t off,
                    uint8_t *header, size_t len)
{
    uint8_t *frame = header - TOE_ETH_HLEN;

    memset(frame, 0, 6);        /* neigh.c knows */
    memcpy(frame + 6, n->mac, 6);
    toe_put16(frame + 12, family == TOE_AF_INET ? TOE_ETHERTYPE_IPV4
                                                : TOE_ETHERTYPE_IPV6);
    return toe_neigh_output_part(n, family, p->hop, frame,
                                 TOE_ETH_HLEN + len, !off,
                                 off + p->room >= p->len);
}

static uint8_t fragments4(ToeNop *n, const Packet *p)
{
    uint16_t id = toe_ipv4_identification(n, p->src, p->dst, p->proto);
    size_t off, piece;

    for (off = 0; off < p->len; off += piece) {
        uint8_t *h = toe_ip_tx_buffer(n) + off - TOE_IPV4_HLEN;
        uint8_t status;

        piece = MIN(p->room, p->len - off);
        toe_wire_ipv4_build(h, p->tos, TOE_IPV4_HLEN + piece, id, false,
                            p->ttl, p->proto, p->src, p->dst);
        toe_put16(h + 6, (uint16_t)((off + piece < p->len ? 0x2000 : 0) |
                                    off / 8));
        toe_put16(h + 10, 0);
        toe_csum_store(h + 10, toe_csum(h, TOE_IPV4_HLEN, 0));
        status = emit(n, TOE_AF_INET, p, off, h, TOE_IPV4_HLEN + piece);
        if (status != TOE_ST_OK) {
            return status;      /* without this one the others are waste */
        }
        toe_count(n->counters, IP_OUT);
        toe_count(n->counters, IP_FRAGS_OUT);
    }
    return TOE_ST_OK;
}

static uint8_t fragments6(ToeNop *n, const Packet *p)
{
    const size_t headers = TOE_IPV6_HLEN + FRAG6_HLEN;
    uint32_t id = (uint32_t)toe_nop_random(n);
    uint32_t flow = (uint32_t)toe_nop_random(n);
    size_t off, piece;

    for (off = 0; off < p->len; off += piece) {
        uint8_t *h = toe_ip_tx_buffer(n) + off - headers;
        uint8_t *f = h + TOE_IPV6_HLEN;
        uint8_t status;

        piece = MIN(p->room, p->len - off);
        toe_wire_ipv6_build(h, p->tos, flow, FRAG6_HLEN + piece,
                            TOE_IPV6_FRAGMENT, p->ttl, p->src, p->dst);
        f[0] = p->proto;
        f[1] = 0;
        toe_put16(f + 2, (uint16_t)(off | (off + piece < p->len)));
        toe_put32(f + 4, id);
        status = emit(n, TOE_AF_INET6, p, off, h, headers + piece);
        if (status != TOE_ST_OK) {
            return status;
        }
        toe_count(n->counters, IP6_OUT);
        toe_count(n->counters, IP_FRAGS_OUT);
    }
    return TOE_ST_OK;
}

uint8_t toe_ip_output_fragments(ToeNop *n, uint8_t family,
                                const uint8_t *src, const uint8_t *dst,
                                uint8_t proto, uint8_t ttl, uint8_t tos,
                                size_t len)
{
    bool v6 = family == TOE_AF_INET6;
    size_t header = v6 ? TOE_IPV6_HLEN : TOE_IPV4_HLEN;
    size_t headers = v6 ? TOE_IPV6_HLEN + FRAG6_HLEN : TOE_IPV4_HLEN;
    uint32_t max = toe_ip_path_max(n, family, dst);
    Packet p = { .src = src, .dst = dst, .proto = proto, .ttl = ttl,
                 .tos = tos, .len = len };
    uint8_t status;

    if (len + header <= max) {
        return toe_ip_output(n, family, src, dst, proto, ttl, tos, len, 0);
    }
    if (len + (v6 ? 0 : header) > TOE_IPV4_MAX) {
        return TOE_ST_TOOBIG;
    }
    if (!toe_route_next_hop(n, family, dst, p.hop)) {
        toe_count(n->counters, IP_NO_ROUTE);
        return TOE_ST_NOROUTE;
    }
    p.room = (max - headers) & ~(size_t)7;
    toe_trace_ip_fragments_out(proto, len, max);
    status = toe_neigh_room(n, family, p.hop, len + (len / p.room + 1) *
                            (TOE_ETH_HLEN + headers));
    if (status != TOE_ST_OK) {
        return status;
    }
    return v6 ? fragments6(n, &p) : fragments4(n, &p);
}
