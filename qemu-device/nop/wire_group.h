/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire_group.h - the formats of IGMP (RFC 1112, 2236, 3376) and MLD (RFC 2710,
 * 3810), and of the router alert that their packets carry; wire.h's rules
 * apply.
 */
#ifndef TOE_NOP_WIRE_GROUP_H
#define TOE_NOP_WIRE_GROUP_H

#include "wire.h"
#include "wire6.h"

#define TOE_IGMP_QUERY          0x11u
#define TOE_IGMP_REPORT_V1      0x12u
#define TOE_IGMP_REPORT_V2      0x16u
#define TOE_IGMP_LEAVE_V2       0x17u
#define TOE_IGMP_REPORT_V3      0x22u
#define TOE_IGMP_LEN            8u      /* before v3, and the report's head */
#define TOE_IGMP_QUERY_V3_LEN   12u
#define TOE_IGMP_RECORD_LEN     8u      /* without sources */
/* An IPv4 header with the router alert option (RFC 2113). */
#define TOE_IGMP_IP_HLEN        24u

#define TOE_MLD_QUERY           130u
#define TOE_MLD_REPORT_V1       131u
#define TOE_MLD_DONE_V1         132u
#define TOE_MLD_REPORT_V2       143u
#define TOE_MLD_LEN             24u     /* of v1, ICMP's header included */
#define TOE_MLD_QUERY_V2_LEN    28u
#define TOE_MLD_RECORD_LEN      20u
/* A hop-by-hop header with the router alert option (RFC 2711). */
#define TOE_MLD_ALERT_LEN       8u

/* A query, of either protocol. */
typedef struct ToeWireQuery {
    unsigned version;           /* IGMP's, or MLD's plus one */
    const uint8_t *group;       /* 4 or 16 bytes */
    uint32_t time;              /* tenths of a second; MLD: milliseconds */
    uint8_t robustness;         /* 0: not said */
} ToeWireQuery;

/* Eight or sixteen bits, the upper half of them floating point. */
static inline uint32_t toe_wire_query_time(uint32_t code, unsigned mantissa)
{
    uint32_t top = 1u << (mantissa + 3);

    if (code < top) {
        return code;
    }
    return ((code & ((1u << mantissa) - 1)) | 1u << mantissa)
           << ((code >> mantissa & 7) + 3);
}

/* p: an IGMP message of a good checksum and TOE_IGMP_LEN bytes at least. */
static inline bool toe_wire_igmp_query(const uint8_t *p, size_t len,
                                       ToeWireQuery *q)
{
    if (len > TOE_IGMP_LEN && len < TOE_IGMP_QUERY_V3_LEN) {
        return false;
    }
    q->group = p + 4;
    q->robustness = 0;
    if (len == TOE_IGMP_LEN) {
        q->version = p[1] ? 2 : 1;
        q->time = p[1] ? p[1] : 100;
        return true;
    }
    q->version = 3;
    q->time = toe_wire_query_time(p[1], 4);
    q->robustness = p[8] & 7;
    return true;
}

static inline bool toe_wire_mld_query(const ToeWireIcmp *m, ToeWireQuery *q)
{
    size_t len = m->len + TOE_ICMP_HLEN;

    if (len < TOE_MLD_LEN ||
        (len > TOE_MLD_LEN && len < TOE_MLD_QUERY_V2_LEN)) {
        return false;
    }
    q->group = m->body;
    q->robustness = 0;
    if (len == TOE_MLD_LEN) {
        q->version = 2;
        q->time = m->rest >> 16;
        return true;
    }
    q->version = 3;
    q->time = toe_wire_query_time(m->rest >> 16, 12);
    q->robustness = m->body[16] & 7;
    return true;
}

/* Is there a router alert among these options (RFC 8200, 4.2)? */
static inline bool toe_wire_has_alert(const uint8_t *o, size_t len)
{
    while (len >= 4) {
        if (o[0] == 5 && o[1] == 2) {
            return true;
        }
        if (!o[0]) {
            o++;
            len--;
        } else if (o[1] + 2u > len) {
            return false;
        } else {
            len -= o[1] + 2u;
            o += o[1] + 2u;
        }
    }
    return false;
}

/* The IPv4 header of a message of len bytes. */
static inline void toe_wire_igmp_ip_build(uint8_t *p, size_t len, uint16_t id,
                                          const uint8_t *src,
                                          const uint8_t *dst)
{
    toe_wire_ipv4_build(p, 0xc0, (uint16_t)(TOE_IGMP_IP_HLEN + len), id,
                        true, 1, 2, src, dst);
    p[0] = 0x46;
    toe_put32(p + 20, 0x94040000);      /* router alert */
    toe_put16(p + 10, 0);
    toe_csum_store(p + 10, toe_csum(p, TOE_IGMP_IP_HLEN, 0));
}

static inline void toe_wire_mld_alert_build(uint8_t *p)
{
    p[0] = 58;                          /* ICMPv6 follows */
    p[1] = 0;
    toe_put32(p + 2, 0x05020000);       /* router alert: MLD */
    toe_put16(p + 6, 0x0100);           /* PadN of nothing */
}

#endif
