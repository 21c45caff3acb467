/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * icmp.c - ICMP for IPv4 (RFC 792, RFC 1122 section 3.2.2).
 *
 * Taken here: echo requests, which are answered, and errors about TCP
 * connections and UDP sockets of the adapter, which are parsed and handed to
 * TCP or UDP with addresses, ports and sequence number; TCP decides whether
 * to believe them.  All else (echo replies, redirects, errors about the kernel's
 * own packets) is the operating system's.
 *
 * Made here: "destination unreachable", only while the operating system's
 * interface is not up, since otherwise it answers itself; and "time exceeded"
 * for fragments that the adapter waited for in vain.  Never about a packet to
 * or from more than one host, or about an error; ipv4.c and ipfrag4.c see to
 * that.  A token bucket limits them: TOE_ICMP_BURST at once, then one each
 * TOE_ICMP_INTERVAL_NS (RFC 1812, 4.3.2.8), those of ICMPv6 included.
 */
#include "nop.h"
#include "toe_trace.h"
#include "wire.h"

#define TOE_ICMP_BURST          20u
#define TOE_ICMP_INTERVAL_NS    (10 * TOE_NS_PER_MS)
#define TOE_ICMP_QUOTE_MAX      548u    /* 576 with our headers: RFC 1812 */

/* ---- In ---- */

static bool echo_request(ToeNop *n, const ToeIpPacket *p,
                         const ToeWireIcmp *m)
{
    uint8_t *out = toe_ip_tx_buffer(n);
    uint32_t sum;
    uint8_t st;

    if (p->len + TOE_IPV4_HLEN > toe_ip_max(n, p->family)) {
        return false;           /* the operating system can fragment */
    }
    toe_wire_icmp_build(out, TOE_ICMP_ECHO_REPLY, 0, m->rest);
    sum = toe_csum(out, TOE_ICMP_HLEN, 0);
    sum = toe_csum_copy(out + TOE_ICMP_HLEN, m->body, m->len, sum);
    toe_csum_store(out + 2, sum);
    st = toe_ip_output(n, p->family, p->dst, p->src, TOE_PROTO_ICMP, n->ttl,
                       p->tos, p->len, 0);
    if (st == TOE_ST_OK) {
        toe_count(n->counters, ICMP_ECHO_REPLIES);
    }
    toe_trace_icmp_echo(toe_get32(p->src), p->len, st);
    return true;
}

static bool error(ToeNop *n, const ToeIpPacket *p, const ToeWireIcmp *m)
{
    ToeIcmpError e = { .family = p->family, .type = m->type,
                       .code = m->code };
    ToeWireIpv4 q;

    if (!toe_wire_ipv4_parse_quoted(m->body, m->len, &q)) {
        toe_count(n->counters, ICMP_BAD);
        toe_trace_icmp_bad(toe_get32(p->src), p->len);
        return true;
    }
    /* It must quote a packet that we sent: from the address it came to. */
    if ((q.proto != TOE_PROTO_TCP && q.proto != TOE_PROTO_UDP) ||
        q.frag_off || memcmp(q.src, p->dst, 4)) {
        return false;
    }
    memcpy(e.src, q.src, 4);
    memcpy(e.dst, q.dst, 4);
    e.lport = toe_get16(q.payload);
    e.rport = toe_get16(q.payload + 2);
    e.seq = toe_get32(q.payload + 4);
    e.size = toe_get16(q.header + 2);
    if (m->type == TOE_ICMP_UNREACHABLE && m->code == TOE_ICMP_CODE_TOO_BIG) {
        e.mtu = m->rest & 0xffff;       /* RFC 1191 */
    }
    if (q.proto == TOE_PROTO_UDP ? !toe_udp_icmp_error(n, &e)
                                : !toe_tcp_icmp_error(n, &e)) {
        return false;
    }
    toe_count(n->counters, ICMP_ERRORS_IN);
    toe_trace_icmp_error(toe_get32(p->src), m->type, m->code, e.lport,
                         e.rport);
    return true;
}

static bool is_error(const ToeWireIcmp *m)
{
    return m->type == TOE_ICMP_UNREACHABLE ||
           m->type == TOE_ICMP_TIME_EXCEEDED ||
           m->type == TOE_ICMP_PARAMETER;
}

bool toe_icmp_error_input(ToeNop *n, const ToeIpPacket *p)
{
    ToeWireIcmp m;

    if (toe_wire_icmp_parse(p->payload, p->len, &m) != TOE_WIRE_ICMP_OK ||
        !is_error(&m) || !error(n, p, &m)) {
        return false;
    }
    toe_count(n->counters, ICMP_IN);
    return true;
}

bool toe_icmp_input(ToeNop *n, const ToeIpPacket *p)
{
    ToeWireIcmp m;
    bool taken;

    if (toe_wire_icmp_parse(p->payload, p->len, &m) != TOE_WIRE_ICMP_OK) {
        toe_count(n->counters, ICMP_BAD);
        toe_trace_icmp_bad(toe_get32(p->src), p->len);
        return true;
    }
    if (m.type == TOE_ICMP_ECHO_REQUEST) {
        taken = echo_request(n, p, &m);
    } else {
        taken = is_error(&m) && error(n, p, &m);
    }
    if (taken) {
        toe_count(n->counters, ICMP_IN);
    }
    return taken;
}

/* ---- Out ---- */

bool toe_icmp_may_send(ToeNop *n)
{
    int64_t now = toe_nop_now(n);
    int64_t given = (now - n->icmp_refill) / TOE_ICMP_INTERVAL_NS;

    if (given > 0) {
        n->icmp_tokens = MIN(given + n->icmp_tokens, TOE_ICMP_BURST);
        n->icmp_refill += given * TOE_ICMP_INTERVAL_NS;
    }
    if (!n->icmp_tokens) {
        return false;
    }
    n->icmp_tokens--;
    return true;
}

static void send_error(ToeNop *n, const ToeWireIpv4 *ip, uint8_t type,
                       uint8_t code)
{
    uint8_t src[16] = { 0 }, dst[16] = { 0 };
    uint8_t *out = toe_ip_tx_buffer(n);
    size_t quote = MIN(ip->hlen + ip->len, TOE_ICMP_QUOTE_MAX);
    uint32_t sum;

    if (!toe_icmp_may_send(n)) {
        toe_count(n->counters, ICMP_RATE_LIMITED);
        return;
    }
    quote = MIN(quote, toe_ip_max(n, TOE_AF_INET) - TOE_IPV4_HLEN -
                       TOE_ICMP_HLEN);
    toe_wire_icmp_build(out, type, code, 0);
    sum = toe_csum(out, TOE_ICMP_HLEN, 0);
    sum = toe_csum_copy(out + TOE_ICMP_HLEN, ip->header, quote, sum);
    toe_csum_store(out + 2, sum);
    memcpy(src, ip->dst, 4);
    memcpy(dst, ip->src, 4);
    if (toe_ip_output(n, TOE_AF_INET, src, dst, TOE_PROTO_ICMP, n->ttl, 0,
                      TOE_ICMP_HLEN + quote, 0) == TOE_ST_OK) {
        toe_count(n->counters, ICMP_ERRORS_OUT);
    }
    toe_trace_icmp_error_out(toe_get32(dst), type, code, ip->proto);
}

void toe_icmp_unreachable(ToeNop *n, const ToeWireIpv4 *ip, uint8_t code)
{
    send_error(n, ip, TOE_ICMP_UNREACHABLE, code);
}

void toe_icmp_reassembly_time(ToeNop *n, const ToeWireIpv4 *ip)
{
    send_error(n, ip, TOE_ICMP_TIME_EXCEEDED, TOE_ICMP_CODE_REASSEMBLY);
}

void toe_icmp_reset(ToeNop *n)
{
    n->icmp_tokens = TOE_ICMP_BURST;
    n->icmp_refill = toe_nop_now(n);
}
