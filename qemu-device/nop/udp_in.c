/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp_in.c - datagrams and ICMP errors to the sockets they are for.
 *
 * The header is judged only once a socket was found, or when the adapter
 * answers as the host: otherwise the datagram is the operating system's, which
 * judges it itself.  A bad one is dropped and never answered.
 *
 * To a group or to everybody: each socket that wants it gets a copy, and the
 * operating system the packet, as it may have listeners too.  Who wants it is
 * found before the first is told, for an owner that is told may do anything.
 *
 * A path's MTU.  "Too big" is believed of a quote that belongs to a socket, of
 * a packet that is too big for what the router says it takes and not larger
 * than what the socket has ever sent: who has a socket that sends but small
 * ones is safe (RFC 8085, 3.2).  Of a connected socket, who did not see our
 * packets must guess both ports; of another, where nobody keeps whom it sent
 * to, its own is enough.  Nobody is believed below what each host takes.
 *
 * Checksum.  IPv4: zero means that the sender made none (RFC 768).  IPv6: it
 * must be there, as nothing else protects the addresses (RFC 8200, 8.1).
 */
#include "udp.h"
#include "toe_trace.h"

static const uint8_t no_addr[16];

/* The socket for a datagram, or for an error about one. */
static ToeUdpSock *lookup(ToeUdp *u, uint8_t family, const uint8_t *laddr,
                          uint16_t lport, const uint8_t *raddr,
                          uint16_t rport)
{
    uint8_t remote[18];
    ToeUdpSock *s;
    uint32_t pick;

    s = toe_udp_lookup(u, family, laddr, lport, raddr, rport, 0);
    if (s || !toe_ports_refs(&u->nop->udp_ports, lport)) {
        return s;
    }
    memcpy(remote, raddr, 16);
    toe_put16(remote + 16, rport);
    pick = (uint32_t)toe_siphash(&u->hash_key, remote, sizeof(remote));
    s = toe_udp_lookup(u, family, laddr, lport, no_addr, 0, pick);
    return s ? s : toe_udp_lookup(u, family, no_addr, lport, no_addr, 0,
                                  pick);
}

/* Is the header right?  *len: of the payload. */
static bool check(ToeNop *n, const ToeIpPacket *p, size_t *len)
{
    const uint8_t *h = p->payload;
    size_t total;

    if (p->len < TOE_UDP_HLEN) {
        toe_count(n->counters, UDP_BAD);
        return false;
    }
    /* What IP brought beyond that length is not UDP's (RFC 1122, 4.1.3). */
    total = toe_get16(h + 4);
    if (total < TOE_UDP_HLEN || total > p->len) {
        toe_count(n->counters, UDP_BAD);
        toe_trace_udp_bad(p->family, p->len, total);
        return false;
    }
    if (toe_get16(h + 6) || p->family == TOE_AF_INET6) {
        uint32_t sum = toe_csum_pseudo(p->family, p->src, p->dst,
                                       TOE_PROTO_UDP, (uint32_t)total);

        if (!toe_get16(h + 6) || !toe_csum_ok(toe_csum(h, total, sum))) {
            toe_count(n->counters, UDP_BAD_CHECKSUM);
            toe_trace_udp_bad(p->family, p->len, total);
            return false;
        }
    }
    *len = total - TOE_UDP_HLEN;
    return true;
}

/* Append it to the socket's queue.  False: there is no room. */
static bool receive(ToeUdp *u, ToeUdpSock *s, const ToeIpPacket *p,
                    size_t len)
{
    ToeNop *n = u->nop;
    ToeDgram d = {
        .family = p->family,
        .tos = p->tos,
        .ttl = p->ttl,
        .rport = toe_get16(p->payload),
        .len = (uint32_t)len,
    };
    uint32_t need = toe_udp_buflets(d.len);
    ToeChain data = toe_chain_init();

    memcpy(d.raddr, p->src, 16);
    memcpy(d.laddr, p->dst, 16);
    /* As long as it holds less than its limit, one more fits. */
    if (s->rx.bytes >= s->rcvbuf) {
        toe_count(n->counters, UDP_RX_FULL);
        s->drops++;
        return false;
    }
    if (u->rx_buflets + need > u->rx_buflets_max ||
        u->records_free == TOE_NONE ||
        !toe_chain_append(n->lm, &data, p->payload + TOE_UDP_HLEN, d.len,
                          TOE_LMEM_IN)) {
        toe_count(n->counters, UDP_NO_BUFLET);
        s->drops++;
        return false;
    }
    toe_udp_put(u, &s->rx, &d, &data);
    s->bytes_in += d.len;
    u->rx_buflets += need;
    toe_count(n->counters, UDP_IN);
    toe_trace_udp_receive(toe_udp_handle(u, s), d.rport, d.len);
    n->ops->udp_readable(n->ops_opaque, toe_udp_handle(u, s));
    return true;
}

bool toe_udp_deliver(ToeNop *n, const ToeIpPacket *p, size_t len)
{
    ToeUdpSock *s = lookup(n->udp, p->family, p->dst,
                           toe_get16(p->payload + 2), p->src,
                           toe_get16(p->payload));

    if (s) {
        receive(n->udp, s, p, len);
    }
    return s != NULL;
}

/* ---- To more than one ---- */

/* Does it want what came to this group; TOE_GROUP_NONE: to everybody? */
static bool wants(const ToeUdpSock *s, const ToeIpPacket *p, uint16_t group)
{
    unsigned i;

    if (s->kind != TOE_UDP_OPEN || s->family != p->family ||
        s->lport != toe_get16(p->payload + 2) ||
        (s->rport && (s->rport != toe_get16(p->payload) ||
                      memcmp(s->raddr, p->src, 16)))) {
        return false;
    }
    if (group == TOE_GROUP_NONE) {
        return !memcmp(s->laddr, no_addr, 16);
    }
    for (i = 0; i < s->ngroups; i++) {
        if (s->groups[i] == group) {
            return true;
        }
    }
    return false;
}

/* Who wants it; TOE_UDP_PORT_SHARE places.  How many. */
static uint32_t takers(ToeNop *n, const ToeIpPacket *p, uint32_t *handles)
{
    uint16_t group = toe_group_find(n, p->family, p->dst);
    ToeUdp *u = n->udp;
    ToeLinks links = toe_udp_port_links(u);
    uint16_t lport = toe_get16(p->payload + 2);
    uint32_t i, count = 0;

    if (!toe_ports_refs(&n->udp_ports, lport) ||
        (group == TOE_GROUP_NONE &&
         toe_route_kind(n, p->family, p->dst) != TOE_DST_BROADCAST)) {
        return 0;
    }
    for (i = toe_udp_port_list(u, lport)->first;
         i != TOE_NONE && count < TOE_UDP_PORT_SHARE;
         i = toe_list_next(links, i)) {
        if (wants(&u->socks[i], p, group)) {
            handles[count++] = toe_udp_handle(u, &u->socks[i]);
        }
    }
    return count;
}

static void give(ToeNop *n, const ToeIpPacket *p, size_t len,
                 const uint32_t *handles, uint32_t count)
{
    bool taken = false;
    uint32_t i;

    for (i = 0; i < count; i++) {
        ToeUdpSock *s = toe_udp_find(n->udp, handles[i]);

        if (s) {
            taken |= receive(n->udp, s, p, len);
        }
    }
    if (taken) {
        toe_count(n->counters, UDP_GROUP_IN);
    }
}

void toe_udp_to_group(ToeNop *n, const ToeIpPacket *p, size_t len)
{
    uint32_t handles[TOE_UDP_PORT_SHARE];
    uint32_t count = takers(n, p, handles);

    if (count) {
        give(n, p, len, handles, count);
    }
}

void toe_udp_group_input(ToeNop *n, const ToeIpPacket *p)
{
    uint32_t handles[TOE_UDP_PORT_SHARE];
    uint32_t count = p->len >= TOE_UDP_HLEN ? takers(n, p, handles) : 0;
    size_t len;

    if (count && check(n, p, &len)) {
        give(n, p, len, handles, count);
    }
}

/* ---- To one ---- */

bool toe_udp_input(ToeNop *n, const ToeIpPacket *p)
{
    bool os_up = n->filter & TOE_FILTER_UP;
    ToeUdpSock *s = NULL;
    size_t len;

    if (p->len >= TOE_UDP_HLEN) {
        s = lookup(n->udp, p->family, p->dst, toe_get16(p->payload + 2),
                   p->src, toe_get16(p->payload));
    }
    if (!s && os_up) {
        return false;
    }
    if (!check(n, p, &len)) {
        return true;
    }
    if (!s) {
        toe_count(n->counters, UDP_NO_PORT);
        return false;
    }
    receive(n->udp, s, p, len);
    return true;
}

/*
 * What an application is told.  "Time exceeded" and the like are no verdict
 * on the remote, but RFC 1122, 4.1.3.3, wants them told too.
 */
static uint8_t error_status(const ToeIcmpError *e)
{
    bool unreachable, port, too_big;

    if (e->family == TOE_AF_INET) {
        unreachable = e->type == 3;
        port = unreachable && (e->code == 2 || e->code == 3);
        too_big = unreachable && e->code == 4;
    } else {
        port = e->type == 1 && e->code == 4;
        too_big = e->type == 2;
    }
    return port ? TOE_ST_REFUSED : too_big ? TOE_ST_TOOBIG : TOE_ST_UNREACH;
}

static void path_mtu(ToeNop *n, const ToeUdpSock *s, const ToeIcmpError *e)
{
    uint32_t least = e->family == TOE_AF_INET6 ? TOE_MTU_MIN_V6
                                               : TOE_UDP_PATH_LEAST;
    uint32_t mtu = MAX(e->mtu, least);

    if (e->size <= mtu || e->size > s->packet_max) {
        toe_count(n->counters, UDP_PMTU_IGNORED);
    } else if (mtu < toe_ip_path_max(n, e->family, e->dst)) {
        toe_count(n->counters, UDP_PMTU_LOWERED);
        toe_pmtu_set(n, e->family, e->dst, mtu);
    }
}

bool toe_udp_icmp_error(ToeNop *n, const ToeIcmpError *e)
{
    ToeUdpSock *s = lookup(n->udp, e->family, e->src, e->lport, e->dst,
                           e->rport);
    uint8_t status = error_status(e);

    if (!s) {
        return false;
    }
    toe_count(n->counters, UDP_ERRORS_IN);
    if (status == TOE_ST_TOOBIG) {
        path_mtu(n, s, e);
    }
    toe_trace_udp_error(toe_udp_handle(n->udp, s), e->rport, status);
    n->ops->udp_error(n->ops_opaque, toe_udp_handle(n->udp, s), status,
                      e->rport, e->dst);
    return true;
}
