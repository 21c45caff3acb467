/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp_out.c - datagrams on their way out.
 *
 * What the host side sends waits in its socket's queue until the next turn of
 * output, since a call of the host's sends no frame.  The socket is on the
 * list of those with output; they go in turn, one datagram each.
 *
 * Everything that the host can be told at once is checked when it asks
 * (toe_udp_send_check()).  What goes wrong later (an address was taken away,
 * the neighbour does not answer) is what a network does to datagrams: it is
 * dropped and counted; an unreachable neighbour is told as an error, as if a
 * router had said so.
 *
 * What is for an address of ours never leaves the adapter: it is received
 * here.  If no socket has its port the sender is told TOE_ST_REFUSED: the
 * operating system's sockets have no way to an application of the adapter on
 * the same address, nor back.
 *
 * To a group it goes twice: to the sockets here that have joined it, unless
 * the sender does not want that, and to the network, unless its TTL is 0.
 */
#include "udp.h"
#include "toe_trace.h"

static const uint8_t no_addr[16];

static uint32_t ip_hlen(const ToeUdpSock *s)
{
    return s->family == TOE_AF_INET6 ? 40 : TOE_IPV4_HLEN;
}

uint32_t toe_udp_data_max(ToeNop *n, const ToeUdpSock *s,
                          const uint8_t *dst)
{
    if (s->dont_fragment) {
        return toe_ip_path_max(n, s->family, dst) - ip_hlen(s) -
               TOE_UDP_HLEN;
    }
    return s->family == TOE_AF_INET6 ? TOE_UDP_DATA_MAX_V6
                                     : TOE_UDP_DATA_MAX;
}

void toe_udp_out_add(ToeUdp *u, ToeUdpSock *s)
{
    uint32_t index = toe_udp_sock_index(u, s);

    if (s->on_out) {
        return;
    }
    s->on_out = true;
    s->out_next = TOE_NONE;
    if (u->out_first == TOE_NONE) {
        u->out_first = index;
    } else {
        u->socks[u->out_last].out_next = index;
    }
    u->out_last = index;
}

static ToeUdpSock *out_take(ToeUdp *u)
{
    ToeUdpSock *s = &u->socks[u->out_first];

    u->out_first = s->out_next;
    if (u->out_first == TOE_NONE) {
        u->out_last = TOE_NONE;
    }
    s->out_next = TOE_NONE;
    s->on_out = false;
    return s;
}

/* ---- What the host side asks for ---- */

uint8_t toe_udp_send_check(ToeNop *n, uint32_t handle, ToeDgram *d)
{
    ToeUdpSock *s = toe_udp_find(n->udp, handle);
    uint8_t laddr[16], status;
    bool local;

    if (!s) {
        return TOE_ST_HANDLE;
    }
    if (!d->family) {
        if (!s->rport) {
            return TOE_ST_STATE;
        }
        d->family = s->family;
        d->rport = s->rport;
        memcpy(d->raddr, s->raddr, 16);
    }
    if (d->family != s->family || !d->rport ||
        (d->family == TOE_AF_INET && memcmp(d->raddr + 4, no_addr, 12))) {
        return TOE_ST_INVALID;
    }
    if (d->len > toe_udp_data_max(n, s, d->raddr)) {
        return TOE_ST_TOOBIG;
    }
    memcpy(laddr, s->laddr, 16);
    status = toe_udp_route(n, d->family, d->raddr, s->broadcast, laddr,
                           &local);
    if (status != TOE_ST_OK) {
        return status;
    }
    /* As long as it holds less than its limit, one more fits. */
    if (s->tx.bytes >= s->sndbuf) {
        s->wants_space = true;
        return TOE_ST_AGAIN;
    }
    return n->udp->records_free == TOE_NONE ? TOE_ST_NOMEM : TOE_ST_OK;
}

void toe_udp_send(ToeNop *n, uint32_t handle, const ToeDgram *d,
                  ToeChain *data)
{
    ToeUdpSock *s = toe_udp_find(n->udp, handle);

    if (!s || !toe_udp_put(n->udp, &s->tx, d, data)) {
        toe_chain_clear(n->lm, data);
        return;
    }
    toe_udp_out_add(n->udp, s);
}

/* ---- Turns ---- */

/* Header and payload into the transmit buffer. */
static void build(ToeNop *n, const ToeUdpSock *s, const ToeUdpRecord *r,
                  const uint8_t *laddr)
{
    uint8_t *out = toe_ip_tx_buffer(n);
    uint32_t total = TOE_UDP_HLEN + r->d.len;
    ToeChainPos pos = { TOE_BUFLET_NONE, 0 };
    uint32_t sum, off, len;

    toe_put16(out, s->lport);
    toe_put16(out + 2, r->d.rport);
    toe_put16(out + 4, (uint16_t)total);
    toe_put16(out + 6, 0);
    sum = toe_csum_pseudo(s->family, laddr, r->d.raddr, TOE_PROTO_UDP, total);
    sum = toe_csum(out, TOE_UDP_HLEN, sum);
    for (off = 0; off < r->d.len; off += len) {
        const uint8_t *from = toe_chain_span(n->lm, &r->data, off, &len,
                                             &pos);
        uint32_t part;

        if (!from) {
            break;
        }
        len = MIN(len, r->d.len - off);
        part = toe_csum_copy(out + TOE_UDP_HLEN + off, from, len, 0);
        sum = toe_csum_join(sum, part, off);
    }
    toe_csum_store(out + 6, sum);
    if (!toe_get16(out + 6)) {
        toe_put16(out + 6, 0xffff);     /* zero would mean none: RFC 768 */
    }
}

/* To ourselves.  False: nobody has the port. */
static bool to_ourselves(ToeNop *n, const ToeUdpSock *s, const ToeDgram *d,
                         const uint8_t *laddr)
{
    ToeIpPacket p = {
        .family = s->family,
        .tos = s->tos,
        .ttl = s->ttl ? s->ttl : n->ttl,
        .proto = TOE_PROTO_UDP,
        .payload = toe_ip_tx_buffer(n),
        .len = TOE_UDP_HLEN + d->len,
    };

    memcpy(p.src, laddr, 16);
    memcpy(p.dst, d->raddr, 16);
    return toe_udp_deliver(n, &p, d->len);
}

/* If it is to a group or to everybody: to the sockets here that want it. */
static void to_members(ToeNop *n, const ToeUdpSock *s, const ToeDgram *d,
                       const uint8_t *laddr)
{
    ToeDst kind = toe_route_kind(n, s->family, d->raddr);
    ToeIpPacket p = {
        .family = s->family,
        .tos = s->tos,
        .ttl = kind == TOE_DST_GROUP ? s->group_ttl
               : s->ttl ? s->ttl : n->ttl,
        .proto = TOE_PROTO_UDP,
        .payload = toe_ip_tx_buffer(n),
        .len = TOE_UDP_HLEN + d->len,
    };

    if (kind == TOE_DST_HOST || (kind == TOE_DST_GROUP && !s->group_loop)) {
        return;
    }
    memcpy(p.src, laddr, 16);
    memcpy(p.dst, d->raddr, 16);
    toe_udp_to_group(n, &p, d->len);
}

/* packet: bytes of the largest IP packet that this made. */
static uint8_t to_network(ToeNop *n, const ToeUdpSock *s, const ToeDgram *d,
                          const uint8_t *laddr, uint32_t *packet)
{
    bool group = toe_route_kind(n, s->family, d->raddr) == TOE_DST_GROUP;
    uint8_t ttl = group ? s->group_ttl : s->ttl ? s->ttl : n->ttl;
    uint32_t path = toe_ip_path_max(n, s->family, d->raddr);
    size_t len = TOE_UDP_HLEN + d->len;

    if (!ttl) {
        return TOE_ST_OK;       /* for this host alone */
    }
    *packet = MIN(path, (uint32_t)len + ip_hlen(s));
    if (s->dont_fragment) {
        if (len + ip_hlen(s) > path) {
            return TOE_ST_TOOBIG;       /* it was lowered meanwhile */
        }
        return toe_ip_output(n, s->family, laddr, d->raddr, TOE_PROTO_UDP,
                             ttl, s->tos, len, TOE_IP_DF);
    }
    return toe_ip_output_fragments(n, s->family, laddr, d->raddr,
                                   TOE_PROTO_UDP, ttl, s->tos, len);
}

static void send_one(ToeNop *n, ToeUdpSock *s, uint32_t *budget)
{
    ToeUdp *u = n->udp;
    uint32_t i = toe_udp_take(u, &s->tx);
    uint32_t handle = toe_udp_handle(u, s);
    bool owned = s->kind == TOE_UDP_OPEN;
    ToeDgram d = u->records[i].d;
    /* As it is now: its owner may do anything when somebody is told. */
    ToeUdpSock from = *s;
    uint8_t laddr[16], status;
    uint32_t packet = 0;
    bool local;

    memcpy(laddr, s->laddr, 16);
    status = toe_udp_route(n, s->family, d.raddr, s->broadcast, laddr,
                           &local);
    if (status == TOE_ST_OK) {
        build(n, s, &u->records[i], laddr);
    }
    /* Its buflets are free again before anybody may ask for some. */
    toe_udp_record_free(u, i);
    *budget -= MIN(*budget, d.len + TOE_ETH_HLEN + TOE_IPV4_HLEN);
    if (s->tx.first != TOE_NONE) {
        toe_udp_out_add(u, s);
    } else if (!owned) {
        toe_udp_sock_free(u, s);
    }

    /* In here the owner may do anything: s is looked for again after it. */
    if (status == TOE_ST_OK && local && !to_ourselves(n, &from, &d, laddr)) {
        status = TOE_ST_REFUSED;
    }
    if (status == TOE_ST_OK && !local) {
        to_members(n, &from, &d, laddr);
        status = to_network(n, &from, &d, laddr, &packet);
    }
    toe_trace_udp_send(handle, d.rport, d.len, status);
    s = toe_udp_find(u, handle);
    if (s) {
        s->packet_max = MAX(s->packet_max, packet);
        s->bytes_out += status == TOE_ST_OK ? d.len : 0;
    }
    if (status == TOE_ST_OK) {
        toe_count(n->counters, UDP_OUT);
    } else {
        toe_count(n->counters, UDP_OUT_DROPS);
    }
    if (owned && (status == TOE_ST_REFUSED || status == TOE_ST_UNREACH ||
                  status == TOE_ST_TOOBIG)) {
        n->ops->udp_error(n->ops_opaque, handle, status, d.rport, d.raddr);
    }
    s = toe_udp_find(u, handle);
    if (s && s->wants_space && s->tx.bytes <= s->sndbuf / 2) {
        s->wants_space = false;
        n->ops->udp_writable(n->ops_opaque, handle);
    }
}

bool toe_udp_run(ToeNop *n, uint32_t *budget)
{
    ToeUdp *u = n->udp;

    while (u->out_first != TOE_NONE && *budget && !n->port_busy) {
        ToeUdpSock *s = out_take(u);

        send_one(n, s, budget);
    }
    return u->out_first != TOE_NONE;
}
