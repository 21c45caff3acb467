/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire6.h - the formats of IPv6, its extension headers, ICMPv6 and neighbour
 * discovery; wire.h's rules apply.
 *
 * ICMPv6 messages have the header of ICMP, so they are a ToeWireIcmp too.
 */
#ifndef TOE_NOP_WIRE6_H
#define TOE_NOP_WIRE6_H

#include "toe_hw.h"
#include "wire.h"

/* ---- IPv6 (RFC 8200) ---- */

#define TOE_IPV6_HLEN           40u
#define TOE_IPV6_ALEN           16u
#define TOE_IPV6_HOP_BY_HOP     0u
#define TOE_IPV6_ROUTING        43u
#define TOE_IPV6_FRAGMENT       44u
#define TOE_IPV6_NONE           59u
#define TOE_IPV6_DESTINATION    60u
#define TOE_IPV6_EXT_UNIT       8u      /* lengths count in these */

typedef struct ToeWireIpv6 {
    const uint8_t *header;
    uint8_t tos;                /* traffic class */
    uint8_t hops;               /* hop limit */
    uint8_t next;               /* header */
    const uint8_t *src;
    const uint8_t *dst;
    const uint8_t *payload;     /* extension headers included */
    size_t len;                 /* of the payload, link padding cut off */
} ToeWireIpv6;

static inline bool toe_wire_ipv6_parse(const uint8_t *p, size_t len,
                                       ToeWireIpv6 *ip)
{
    if (len < TOE_IPV6_HLEN || p[0] >> 4 != 6) {
        return false;
    }
    ip->header = p;
    ip->tos = (uint8_t)(toe_get16(p) >> 4);
    ip->len = toe_get16(p + 4);
    ip->next = p[6];
    ip->hops = p[7];
    ip->src = p + 8;
    ip->dst = p + 24;
    ip->payload = p + TOE_IPV6_HLEN;
    return ip->len <= len - TOE_IPV6_HLEN;
}

/* flow: the label, 20 bits; len: of what follows, at most 65535. */
static inline void toe_wire_ipv6_build(uint8_t *p, uint8_t tos,
                                       uint32_t flow, size_t len,
                                       uint8_t next, uint8_t hops,
                                       const uint8_t *src,
                                       const uint8_t *dst)
{
    toe_put32(p, 6u << 28 | (uint32_t)tos << 20 | (flow & 0xfffff));
    toe_put16(p + 4, (uint16_t)len);
    p[6] = next;
    p[7] = hops;
    memcpy(p + 8, src, TOE_IPV6_ALEN);
    memcpy(p + 24, dst, TOE_IPV6_ALEN);
}

static inline bool toe_wire_ipv6_is_group(const uint8_t *a)
{
    return a[0] == 0xff;
}

static inline bool toe_wire_ipv6_is_zero(const uint8_t *a)
{
    return !(toe_get32(a) | toe_get32(a + 4) | toe_get32(a + 8) |
             toe_get32(a + 12));
}

/*
 * Could a host on a network have this address?  Not a group, not ::/96 with
 * the unspecified and the loopback address in it, not an IPv4 address in
 * disguise (::ffff:0:0/96), which nobody may send (RFC 4291, 2.5).
 */
static inline bool toe_wire_ipv6_is_host(const uint8_t *a)
{
    if (toe_get32(a) | toe_get32(a + 4)) {
        return !toe_wire_ipv6_is_group(a);
    }
    return toe_get32(a + 8) != 0 && toe_get32(a + 8) != 0xffff;
}

/* ::1, which never was on a wire. */
static inline bool toe_wire_ipv6_is_loopback(const uint8_t *a)
{
    return !(toe_get32(a) | toe_get32(a + 4) | toe_get32(a + 8)) &&
           toe_get32(a + 12) == 1;
}

/* The group in which a host with this address is solicited (RFC 4291). */
static inline void toe_wire_ipv6_solicited(uint8_t *group,
                                           const uint8_t *addr)
{
    memset(group, 0, TOE_IPV6_ALEN);
    group[0] = 0xff;
    group[1] = 0x02;
    group[11] = 0x01;
    group[12] = 0xff;
    memcpy(group + 13, addr + 13, 3);
}

/* The MAC of a group (RFC 2464, 7). */
static inline void toe_wire_ipv6_group_mac(uint8_t *mac,
                                           const uint8_t *group)
{
    mac[0] = mac[1] = 0x33;
    memcpy(mac + 2, group + 12, 4);
}

/* ---- ICMPv6 (RFC 4443) ---- */

#define TOE_ICMP6_UNREACHABLE   1u
#define TOE_ICMP6_TOO_BIG       2u
#define TOE_ICMP6_TIME_EXCEEDED 3u
#define TOE_ICMP6_PARAMETER     4u
#define TOE_ICMP6_ECHO_REQUEST  128u
#define TOE_ICMP6_ECHO_REPLY    129u
#define TOE_ICMP6_SOLICIT       135u
#define TOE_ICMP6_ADVERT        136u
#define TOE_ICMP6_REDIRECT      137u

#define TOE_ICMP6_CODE_PORT     4u      /* of unreachable */
#define TOE_ICMP6_CODE_FIELD    0u      /* of parameter problem */
#define TOE_ICMP6_CODE_NEXT     1u
#define TOE_ICMP6_CODE_OPTION   2u
#define TOE_ICMP6_CODE_CHAIN    3u      /* RFC 7112 */
#define TOE_ICMP6_CODE_REASSEMBLY 1u    /* of time exceeded */

static inline bool toe_wire_icmp6_is_error(uint8_t type)
{
    return type < 128;
}

static inline ToeWireIcmpResult toe_wire_icmp6_parse(const uint8_t *src,
                                                     const uint8_t *dst,
                                                     const uint8_t *p,
                                                     size_t len,
                                                     ToeWireIcmp *i)
{
    uint32_t sum;

    if (len < TOE_ICMP_HLEN) {
        return TOE_WIRE_ICMP_SHORT;
    }
    sum = toe_csum_pseudo(TOE_AF_INET6, src, dst, 58, (uint32_t)len);
    if (!toe_csum_ok(toe_csum(p, len, sum))) {
        return TOE_WIRE_ICMP_CHECKSUM;
    }
    i->type = p[0];
    i->code = p[1];
    i->rest = toe_get32(p + 4);
    i->body = p + TOE_ICMP_HLEN;
    i->len = len - TOE_ICMP_HLEN;
    return TOE_WIRE_ICMP_OK;
}

/*
 * The packet quoted in an ICMPv6 error, which begins with the header that we
 * sent: we send no extension header but a fragment's, and errors about fragments
 * are not looked at, so one that has some is not ours.
 */
static inline bool toe_wire_ipv6_parse_quoted(const uint8_t *p, size_t len,
                                              ToeWireIpv6 *ip)
{
    if (len < TOE_IPV6_HLEN + 8 || p[0] >> 4 != 6) {
        return false;
    }
    memset(ip, 0, sizeof(*ip));
    ip->header = p;
    ip->next = p[6];
    ip->src = p + 8;
    ip->dst = p + 24;
    ip->payload = p + TOE_IPV6_HLEN;
    ip->len = len - TOE_IPV6_HLEN;
    return true;
}

/* ---- Neighbour discovery (RFC 4861) ---- */

#define TOE_ND_HOPS             255u    /* nobody forwarded it */
#define TOE_ND_OPT_SOURCE       1u      /* link-layer address */
#define TOE_ND_OPT_TARGET       2u
#define TOE_ND_OPT_LEN          8u      /* of these two, for Ethernet */
#define TOE_ND_LEN              (TOE_ICMP_HLEN + 16u + TOE_ND_OPT_LEN)
#define TOE_ND_SOLICITED        0x40000000u     /* in the rest of an advert */
#define TOE_ND_OVERRIDE         0x20000000u

typedef struct ToeWireNd {
    const uint8_t *target;
    const uint8_t *source_mac;  /* of the options; NULL: not there */
    const uint8_t *target_mac;
} ToeWireNd;

/* The body of a solicitation or an advertisement. */
static inline bool toe_wire_nd_parse(const ToeWireIcmp *m, ToeWireNd *nd)
{
    size_t at = 16;

    if (m->len < at) {
        return false;
    }
    nd->target = m->body;
    nd->source_mac = nd->target_mac = NULL;
    while (at < m->len) {
        const uint8_t *o = m->body + at;
        size_t olen;

        if (m->len - at < 2) {
            return false;
        }
        olen = o[1] * 8u;
        if (!olen || olen > m->len - at) {
            return false;
        }
        if (o[0] == TOE_ND_OPT_SOURCE && olen == TOE_ND_OPT_LEN) {
            nd->source_mac = o + 2;
        } else if (o[0] == TOE_ND_OPT_TARGET && olen == TOE_ND_OPT_LEN) {
            nd->target_mac = o + 2;
        }
        at += olen;
    }
    return true;
}

/* TOE_ND_LEN bytes, checksum included. */
static inline void toe_wire_nd_build(uint8_t *p, uint8_t type, uint32_t rest,
                                     const uint8_t *src, const uint8_t *dst,
                                     const uint8_t *target,
                                     const uint8_t *mac)
{
    uint32_t sum = toe_csum_pseudo(TOE_AF_INET6, src, dst, 58, TOE_ND_LEN);

    toe_wire_icmp_build(p, type, 0, rest);
    memcpy(p + 8, target, TOE_IPV6_ALEN);
    p[24] = type == TOE_ICMP6_SOLICIT ? TOE_ND_OPT_SOURCE
                                      : TOE_ND_OPT_TARGET;
    p[25] = 1;
    memcpy(p + 26, mac, 6);
    toe_csum_store(p + 2, toe_csum(p, TOE_ND_LEN, sum));
}

#endif
