/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * icmp6.c - ICMPv6 (RFC 4443).
 *
 * Taken here: echo requests to an address of ours, which are answered;
 * neighbour solicitations and advertisements (nd.c); and errors about TCP
 * connections and UDP sockets of the adapter, which are parsed and handed to
 * TCP or UDP with addresses, ports and sequence number; TCP decides whether
 * to believe them (RFC 5927).  "Packet too big" below the least MTU of IPv6 is
 * nobody's honest word and is dropped (RFC 8201, 4).  All else (echo replies,
 * routers' messages, multicast listeners, errors about the kernel's own
 * packets) is the operating system's.
 *
 * Made here: "parameter problem" about extension headers, and "destination
 * unreachable" while the operating system's interface is not up, since
 * otherwise it answers itself.  Never about an error, nor about a packet to
 * or from more than one host.  icmp.c's token bucket limits them.
 */
#include "nop.h"
#include "toe_trace.h"
#include "wire.h"
#include "wire6.h"

/* ---- In ---- */

static void seal(uint8_t *out, const uint8_t *src, const uint8_t *dst,
                 size_t len, uint32_t sum)
{
    toe_csum_store(out + 2,
                   toe_csum_join(sum, toe_csum_pseudo(TOE_AF_INET6, src, dst,
                                                      TOE_PROTO_ICMP6,
                                                      (uint32_t)len), 0));
}

static bool echo_request(ToeNop *n, const ToeIpPacket *p,
                         const ToeWireIcmp *m)
{
    uint8_t *out = toe_ip_tx_buffer(n);
    uint32_t sum;
    uint8_t st;

    if (p->len + TOE_IPV6_HLEN > toe_ip_max(n, p->family)) {
        return false;           /* the operating system can fragment */
    }
    toe_wire_icmp_build(out, TOE_ICMP6_ECHO_REPLY, 0, m->rest);
    sum = toe_csum(out, TOE_ICMP_HLEN, 0);
    sum = toe_csum_copy(out + TOE_ICMP_HLEN, m->body, m->len, sum);
    seal(out, p->dst, p->src, p->len, sum);
    st = toe_ip_output(n, p->family, p->dst, p->src, TOE_PROTO_ICMP6, n->ttl,
                       p->tos, p->len, 0);
    if (st == TOE_ST_OK) {
        toe_count(n->counters, ICMP6_ECHO_REPLIES);
    }
    toe_trace_icmp6_echo(toe_addr_hi(p->src), toe_addr_lo(p->src), p->len,
                         st);
    return true;
}

static bool error(ToeNop *n, const ToeIpPacket *p, const ToeWireIcmp *m)
{
    ToeIcmpError e = { .family = p->family, .type = m->type,
                       .code = m->code };
    ToeWireIpv6 q;

    if (!toe_wire_ipv6_parse_quoted(m->body, m->len, &q)) {
        toe_count(n->counters, ICMP6_BAD);
        toe_trace_icmp6_bad(p->len);
        return true;
    }
    /* The first fragment of a datagram of ours: ipfrag_out.c. */
    if (q.next == TOE_IPV6_FRAGMENT && q.len >= 16 &&
        !(toe_get16(q.payload + 2) & 0xfff8)) {
        q.next = q.payload[0];
        q.payload += 8;
        q.len -= 8;
    }
    /* It must quote a packet that we sent: from the address it came to. */
    if ((q.next != TOE_PROTO_TCP && q.next != TOE_PROTO_UDP) ||
        memcmp(q.src, p->dst, 16)) {
        return false;
    }
    memcpy(e.src, q.src, 16);
    memcpy(e.dst, q.dst, 16);
    e.lport = toe_get16(q.payload);
    e.rport = toe_get16(q.payload + 2);
    e.seq = toe_get32(q.payload + 4);
    e.size = TOE_IPV6_HLEN + toe_get16(q.header + 4);
    if (m->type == TOE_ICMP6_TOO_BIG) {
        if (m->rest < TOE_MTU_MIN_V6) {
            toe_count(n->counters, ICMP6_BAD);
            toe_trace_icmp6_bad(p->len);
            return true;
        }
        e.mtu = m->rest;
    }
    if (q.next == TOE_PROTO_UDP ? !toe_udp_icmp_error(n, &e)
                                : !toe_tcp_icmp_error(n, &e)) {
        return false;
    }
    toe_count(n->counters, ICMP6_ERRORS_IN);
    toe_trace_icmp6_error(m->type, m->code, e.lport, e.rport);
    return true;
}

static bool is_error(const ToeWireIcmp *m)
{
    return m->type == TOE_ICMP6_UNREACHABLE ||
           m->type == TOE_ICMP6_TOO_BIG ||
           m->type == TOE_ICMP6_TIME_EXCEEDED ||
           m->type == TOE_ICMP6_PARAMETER;
}

bool toe_icmp6_error_input(ToeNop *n, const ToeIpPacket *p)
{
    ToeWireIcmp m;

    if (toe_wire_icmp6_parse(p->src, p->dst, p->payload, p->len, &m) !=
        TOE_WIRE_ICMP_OK || !is_error(&m) || !error(n, p, &m)) {
        return false;
    }
    toe_count(n->counters, ICMP6_IN);
    return true;
}

bool toe_icmp6_input(ToeNop *n, const ToeIpPacket *p)
{
    bool group = toe_wire_ipv6_is_group(p->dst);
    ToeWireIcmp m;
    bool taken;

    if (toe_wire_icmp6_parse(p->src, p->dst, p->payload, p->len, &m) !=
        TOE_WIRE_ICMP_OK) {
        toe_count(n->counters, ICMP6_BAD);
        toe_trace_icmp6_bad(p->len);
        return true;
    }
    if (m.type == TOE_ICMP6_SOLICIT || m.type == TOE_ICMP6_ADVERT) {
        return toe_nd_input(n, p, &m);
    }
    if (group) {
        return false;
    }
    if (m.type == TOE_ICMP6_ECHO_REQUEST) {
        taken = echo_request(n, p, &m);
    } else {
        taken = is_error(&m) && error(n, p, &m);
    }
    if (taken) {
        toe_count(n->counters, ICMP6_IN);
    }
    return taken;
}

/* ---- Out ---- */

void toe_icmp6_error(ToeNop *n, const ToeWireIpv6 *ip, uint8_t type,
                     uint8_t code, uint32_t rest)
{
    const size_t headers = TOE_IPV6_HLEN + TOE_ICMP_HLEN;
    size_t quote = MIN(TOE_IPV6_HLEN + ip->len, TOE_MTU_MIN_V6 - headers);
    uint8_t *out = toe_ip_tx_buffer(n);
    uint8_t src[16], dst[16];
    uint32_t sum;

    if (!toe_icmp_may_send(n)) {
        toe_count(n->counters, ICMP_RATE_LIMITED);
        return;
    }
    memcpy(src, ip->dst, 16);
    memcpy(dst, ip->src, 16);
    toe_wire_icmp_build(out, type, code, rest);
    sum = toe_csum(out, TOE_ICMP_HLEN, 0);
    sum = toe_csum_copy(out + TOE_ICMP_HLEN, ip->header, quote, sum);
    seal(out, src, dst, TOE_ICMP_HLEN + quote, sum);
    if (toe_ip_output(n, TOE_AF_INET6, src, dst, TOE_PROTO_ICMP6, n->ttl, 0,
                      TOE_ICMP_HLEN + quote, 0) == TOE_ST_OK) {
        toe_count(n->counters, ICMP6_ERRORS_OUT);
    }
    toe_trace_icmp6_send(type, code, rest);
}
