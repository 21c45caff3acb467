/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.h - the formats of Ethernet, ARP, IPv4 and ICMP; IPv6's are in wire6.h.
 *
 * The one place that knows where a field lies.  A parser takes bytes of
 * unknown origin and gives a typed structure all of whose lengths were
 * checked, or says what was wrong; it reads nothing beyond the length given
 * and judges nothing but the format.  A builder writes a header at the place
 * given, which has room for it.
 *
 * Numbers are in host order, addresses are pointers to or copies of the
 * bytes as they came.
 */
#ifndef TOE_NOP_WIRE_H
#define TOE_NOP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "checksum.h"

static inline uint16_t toe_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t toe_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
           (uint32_t)p[2] << 8 | p[3];
}

static inline void toe_put16(uint8_t *p, uint16_t v)
{
    p[0] = v >> 8;
    p[1] = (uint8_t)v;
}

static inline void toe_put32(uint8_t *p, uint32_t v)
{
    p[0] = v >> 24;
    p[1] = v >> 16;
    p[2] = v >> 8;
    p[3] = (uint8_t)v;
}

/* An address of either family in two numbers, for trace events. */
static inline uint64_t toe_addr_hi(const uint8_t *addr)
{
    return (uint64_t)toe_get32(addr) << 32 | toe_get32(addr + 4);
}

static inline uint64_t toe_addr_lo(const uint8_t *addr)
{
    return toe_addr_hi(addr + 8);
}

/* ---- Ethernet II ---- */

#define TOE_ETH_HLEN            14u
#define TOE_ETH_MIN             60u     /* without FCS; shorter is padded */
#define TOE_ETH_ALEN            6u
#define TOE_ETHERTYPE_IPV4      0x0800u
#define TOE_ETHERTYPE_ARP       0x0806u
#define TOE_ETHERTYPE_IPV6      0x86ddu
#define TOE_ETHERTYPE_VLAN      0x8100u /* 802.1Q; the rest of the tag: */
#define TOE_VLAN_TAG_REST       4u      /* priority and VLAN, type */
#define TOE_VLAN_ID             0x0fffu

typedef struct ToeWireEth {
    const uint8_t *dst;
    const uint8_t *src;
    uint16_t type;
    const uint8_t *payload;
    size_t len;                 /* of the payload, padding included */
} ToeWireEth;

static inline bool toe_wire_eth_parse(const uint8_t *p, size_t len,
                                      ToeWireEth *e)
{
    if (len < TOE_ETH_HLEN) {
        return false;
    }
    e->dst = p;
    e->src = p + 6;
    e->type = toe_get16(p + 12);
    e->payload = p + TOE_ETH_HLEN;
    e->len = len - TOE_ETH_HLEN;
    return true;
}

static inline void toe_wire_eth_build(uint8_t *p, const uint8_t *dst,
                                      const uint8_t *src, uint16_t type)
{
    memcpy(p, dst, 6);
    memcpy(p + 6, src, 6);
    toe_put16(p + 12, type);
}

/* ---- ARP for IPv4 over Ethernet (RFC 826) ---- */

#define TOE_ARP_LEN             28u
#define TOE_ARP_REQUEST         1u
#define TOE_ARP_REPLY           2u

typedef struct ToeWireArp {
    uint16_t op;
    const uint8_t *sha;         /* sender's MAC */
    const uint8_t *spa;         /* sender's IPv4 address */
    const uint8_t *tha;         /* target's */
    const uint8_t *tpa;
} ToeWireArp;

typedef enum ToeWireArpResult {
    TOE_WIRE_ARP_OK,
    TOE_WIRE_ARP_SHORT,
    TOE_WIRE_ARP_OTHER,         /* not IPv4 over Ethernet */
} ToeWireArpResult;

static inline ToeWireArpResult toe_wire_arp_parse(const uint8_t *p,
                                                  size_t len, ToeWireArp *a)
{
    if (len < 8) {
        return TOE_WIRE_ARP_SHORT;
    }
    if (toe_get16(p) != 1 || toe_get16(p + 2) != TOE_ETHERTYPE_IPV4 ||
        p[4] != 6 || p[5] != 4) {
        return TOE_WIRE_ARP_OTHER;
    }
    if (len < TOE_ARP_LEN) {
        return TOE_WIRE_ARP_SHORT;
    }
    a->op = toe_get16(p + 6);
    a->sha = p + 8;
    a->spa = p + 14;
    a->tha = p + 18;
    a->tpa = p + 24;
    return TOE_WIRE_ARP_OK;
}

static inline void toe_wire_arp_build(uint8_t *p, uint16_t op,
                                      const uint8_t *sha, const uint8_t *spa,
                                      const uint8_t *tha, const uint8_t *tpa)
{
    toe_put16(p, 1);
    toe_put16(p + 2, TOE_ETHERTYPE_IPV4);
    p[4] = 6;
    p[5] = 4;
    toe_put16(p + 6, op);
    memcpy(p + 8, sha, 6);
    memcpy(p + 14, spa, 4);
    memcpy(p + 18, tha, 6);
    memcpy(p + 24, tpa, 4);
}

/* ---- IPv4 (RFC 791) ---- */

#define TOE_IPV4_HLEN           20u     /* without options */

typedef struct ToeWireIpv4 {
    const uint8_t *header;
    size_t hlen;                /* options included */
    uint8_t tos;
    uint8_t ttl;
    uint8_t proto;
    uint16_t id;
    uint16_t frag_off;          /* bytes */
    bool more;                  /* fragments follow */
    bool df;
    const uint8_t *src;
    const uint8_t *dst;
    const uint8_t *payload;
    size_t len;                 /* of the payload, link padding cut off */
} ToeWireIpv4;

typedef enum ToeWireIpv4Result {
    TOE_WIRE_IPV4_OK,
    TOE_WIRE_IPV4_HEADER,       /* version, header length, or too short */
    TOE_WIRE_IPV4_CHECKSUM,
    TOE_WIRE_IPV4_CUT,          /* header good, but less came than it says */
} ToeWireIpv4Result;

/* On TOE_WIRE_IPV4_CUT all is filled in, with the bytes that are there. */
static inline ToeWireIpv4Result toe_wire_ipv4_parse(const uint8_t *p,
                                                    size_t len,
                                                    ToeWireIpv4 *ip)
{
    size_t hlen, total;
    uint16_t frag;

    if (len < TOE_IPV4_HLEN || p[0] >> 4 != 4) {
        return TOE_WIRE_IPV4_HEADER;
    }
    hlen = (p[0] & 15) * 4u;
    total = toe_get16(p + 2);
    if (hlen < TOE_IPV4_HLEN || hlen > len || total < hlen) {
        return TOE_WIRE_IPV4_HEADER;
    }
    if (!toe_csum_ok(toe_csum(p, hlen, 0))) {
        return TOE_WIRE_IPV4_CHECKSUM;
    }
    frag = toe_get16(p + 6);
    ip->header = p;
    ip->hlen = hlen;
    ip->tos = p[1];
    ip->id = toe_get16(p + 4);
    ip->df = frag & 0x4000;
    ip->more = frag & 0x2000;
    ip->frag_off = (frag & 0x1fff) * 8u;
    ip->ttl = p[8];
    ip->proto = p[9];
    ip->src = p + 12;
    ip->dst = p + 16;
    ip->payload = p + hlen;
    ip->len = (total < len ? total : len) - hlen;
    return total <= len ? TOE_WIRE_IPV4_OK : TOE_WIRE_IPV4_CUT;
}

/*
 * The packet quoted in an ICMP error: of its payload there may be but 8
 * bytes, and routers changed its TTL and so its checksum, perhaps not both.
 */
static inline bool toe_wire_ipv4_parse_quoted(const uint8_t *p, size_t len,
                                              ToeWireIpv4 *ip)
{
    size_t hlen;

    if (len < TOE_IPV4_HLEN || p[0] >> 4 != 4) {
        return false;
    }
    hlen = (p[0] & 15) * 4u;
    if (hlen < TOE_IPV4_HLEN || hlen + 8 > len) {
        return false;
    }
    memset(ip, 0, sizeof(*ip));
    ip->header = p;
    ip->hlen = hlen;
    ip->proto = p[9];
    ip->frag_off = (toe_get16(p + 6) & 0x1fff) * 8u;
    ip->src = p + 12;
    ip->dst = p + 16;
    ip->payload = p + hlen;
    ip->len = len - hlen;
    return true;
}

/* total: header and payload, at most 65535.  Without options. */
static inline void toe_wire_ipv4_build(uint8_t *p, uint8_t tos,
                                       uint16_t total, uint16_t id, bool df,
                                       uint8_t ttl, uint8_t proto,
                                       const uint8_t *src,
                                       const uint8_t *dst)
{
    p[0] = 0x45;
    p[1] = tos;
    toe_put16(p + 2, total);
    toe_put16(p + 4, id);
    toe_put16(p + 6, df ? 0x4000 : 0);
    p[8] = ttl;
    p[9] = proto;
    toe_put16(p + 10, 0);
    memcpy(p + 12, src, 4);
    memcpy(p + 16, dst, 4);
    toe_csum_store(p + 10, toe_csum(p, TOE_IPV4_HLEN, 0));
}

/* Could a host have this address?  Not 0/8, 127/8, class D, class E. */
static inline bool toe_wire_ipv4_is_host(const uint8_t *a)
{
    return a[0] != 0 && a[0] != 127 && a[0] < 224;
}

static inline bool toe_wire_ipv4_is_group(const uint8_t *a)
{
    return a[0] >> 4 == 0xe;
}

/*
 * Four bytes of a header as the 16 of an address.  Written in the two words in
 * which they are compared right after: a processor does not hand a store on to
 * a wider load, but waits until it is through.
 */
static inline void toe_wire_ipv4_widen(uint8_t *to, const uint8_t *from)
{
    uint64_t word = 0;

    memcpy(&word, from, 4);
    memcpy(to, &word, 8);
    memset(to + 8, 0, 8);
}

/* The MAC of a group: the lower 23 bits of it (RFC 1112, 6.4). */
static inline void toe_wire_ipv4_group_mac(uint8_t *mac,
                                           const uint8_t *group)
{
    mac[0] = 0x01;
    mac[1] = 0x00;
    mac[2] = 0x5e;
    mac[3] = group[1] & 0x7f;
    mac[4] = group[2];
    mac[5] = group[3];
}

/* ---- ICMP (RFC 792) ---- */

#define TOE_ICMP_HLEN           8u
#define TOE_ICMP_ECHO_REPLY     0u
#define TOE_ICMP_UNREACHABLE    3u
#define TOE_ICMP_SOURCE_QUENCH  4u
#define TOE_ICMP_REDIRECT       5u
#define TOE_ICMP_ECHO_REQUEST   8u
#define TOE_ICMP_TIME_EXCEEDED  11u
#define TOE_ICMP_PARAMETER      12u

#define TOE_ICMP_CODE_PROTOCOL  2u      /* of unreachable */
#define TOE_ICMP_CODE_PORT      3u
#define TOE_ICMP_CODE_TOO_BIG   4u
#define TOE_ICMP_CODE_REASSEMBLY 1u     /* of time exceeded */

typedef struct ToeWireIcmp {
    uint8_t type;
    uint8_t code;
    uint32_t rest;              /* bytes 4..7, their meaning is the type's */
    const uint8_t *body;        /* after the 8 bytes of header */
    size_t len;
} ToeWireIcmp;

typedef enum ToeWireIcmpResult {
    TOE_WIRE_ICMP_OK,
    TOE_WIRE_ICMP_SHORT,
    TOE_WIRE_ICMP_CHECKSUM,
} ToeWireIcmpResult;

static inline ToeWireIcmpResult toe_wire_icmp_parse(const uint8_t *p,
                                                    size_t len,
                                                    ToeWireIcmp *i)
{
    if (len < TOE_ICMP_HLEN) {
        return TOE_WIRE_ICMP_SHORT;
    }
    if (!toe_csum_ok(toe_csum(p, len, 0))) {
        return TOE_WIRE_ICMP_CHECKSUM;
    }
    i->type = p[0];
    i->code = p[1];
    i->rest = toe_get32(p + 4);
    i->body = p + TOE_ICMP_HLEN;
    i->len = len - TOE_ICMP_HLEN;
    return TOE_WIRE_ICMP_OK;
}

/* The header; the checksum covers the body and is 0 until it is stored. */
static inline void toe_wire_icmp_build(uint8_t *p, uint8_t type,
                                       uint8_t code, uint32_t rest)
{
    p[0] = type;
    p[1] = code;
    toe_put16(p + 2, 0);
    toe_put32(p + 4, rest);
}

static inline bool toe_wire_icmp_is_error(uint8_t type)
{
    return type == TOE_ICMP_UNREACHABLE || type == TOE_ICMP_SOURCE_QUENCH ||
           type == TOE_ICMP_REDIRECT || type == TOE_ICMP_TIME_EXCEEDED ||
           type == TOE_ICMP_PARAMETER;
}

#endif
