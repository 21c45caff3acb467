/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp.c - UDP (RFC 768, RFC 1122 section 4.1, RFC 8085): sockets.
 *
 * Theory of operation
 *
 * A socket is an entry of a fixed table, named by a handle.  It is bound from
 * the start: to one local port, and to one address of ours or to any.  It may
 * be connected to one remote; then it has one local address, and only that
 * remote's datagrams reach it.
 *
 * Finding it (udp_in.c).  One hash table, keyed by a secret since peers choose
 * half of the input, has each socket under all of its tuple, with zeros for
 * what it leaves open.  A datagram is looked up three times: as a connected
 * socket's, as that of a socket bound to its address, as that of one bound to
 * any.  The first that is found gets it.
 *
 * Whose port.  Two sockets may not have the same local port and overlapping
 * addresses (equal, or one of them any), unless both have asked to share
 * (TOE_UDP_F_REUSE): TOE_ST_ADDRINUSE.  Sockets that share and are equal get
 * each a part of the remotes, by a hash of the remote, so that one remote's
 * datagrams go to one socket.  Two connected sockets never have the same
 * tuple.  A port that a socket has is the adapter's: the operating system gets
 * what no socket of the adapter takes.  Ephemeral ports are chosen at random
 * among those without any socket (RFC 6056).
 *
 * Queues.  Datagrams wait in records, each with its bytes in buflets of its
 * own.  Received ones until the host side takes them: rcvbuf bounds what one
 * socket may hold, and a quarter of local memory what all may; beyond that
 * they are dropped and counted, for UDP promises nothing.  Datagrams to send
 * wait for the next turn of output only, or while the port is busy: sndbuf
 * bounds them, and a sender is told TOE_ST_AGAIN, then udp_writable().
 * Sockets send in turn, one datagram each.
 *
 * Groups (group.c).  A socket may join TOE_UDP_GROUPS of them.  What is sent
 * to a group goes, as a copy of its own, to each socket that has joined it and
 * has the port, whatever address that is bound to; what is sent to everybody,
 * to each that is bound to any address.  To send to everybody must be asked
 * for (TOE_OPT_UDP_BROADCAST); to groups goes with a TTL of its own, and with
 * TOE_OPT_UDP_MCAST_LOOP to the adapter's own sockets too.
 *
 * A socket that is let go sends what waits and is then free.  If sockets run
 * out meanwhile, the one among these that waits longest is given up.
 *
 * No timers, and no state of the network: what a reset forgets, nobody misses.
 */
#include "udp.h"
#include "toe_trace.h"

typedef struct SockKey {
    uint8_t laddr[16];
    uint8_t raddr[16];
    uint16_t lport;
    uint16_t rport;
    uint32_t family;
} SockKey;

_Static_assert(sizeof(SockKey) == 40, "no padding: it is hashed");

static const uint8_t no_addr[16];

static bool is_zero(const uint8_t *addr)
{
    return !memcmp(addr, no_addr, 16);
}

ToeLinks toe_udp_port_links(ToeUdp *u)
{
    return (ToeLinks) { (char *)u->socks + offsetof(ToeUdpSock, port),
                        sizeof(ToeUdpSock) };
}

/* ---- Life ---- */

static void put_free(ToeUdp *u, ToeUdpSock *s)
{
    uint32_t index = toe_udp_sock_index(u, s);

    /* As with NCBs: a generation comes back as late as possible. */
    s->hash_next = TOE_NONE;
    if (u->free_first == TOE_NONE) {
        u->free_first = index;
    } else {
        u->socks[u->free_last].hash_next = index;
    }
    u->free_last = index;
}

static void clear(ToeUdp *u)
{
    memset(u->hash, 0xff, (u->hash_mask + 1) * sizeof(*u->hash));
    for (uint32_t i = 0; i <= u->port_mask; i++) {
        u->by_port[i] = toe_list_init();
    }
    u->free_first = u->free_last = TOE_NONE;
    u->out_first = u->out_last = TOE_NONE;
    u->records_free = TOE_NONE;
    for (uint32_t i = u->nrecords; i-- > 0;) {
        u->records[i].data = toe_chain_init();
        u->records[i].next = u->records_free;
        u->records_free = i;
    }
    for (uint32_t i = 0; i < u->size; i++) {
        ToeUdpSock *s = &u->socks[i];
        uint16_t generation = s->generation;

        if (s->kind != TOE_UDP_FREE) {
            generation = generation >= 4095 ? 1 : generation + 1;
        }
        memset(s, 0, sizeof(*s));
        s->generation = generation;
        put_free(u, s);
    }
    u->rx_buflets = 0;
    u->hash_key.k[0] = toe_nop_random(u->nop);
    u->hash_key.k[1] = toe_nop_random(u->nop);
}

ToeUdp *toe_udp_new(ToeNop *n)
{
    ToeUdp *u = g_new0(ToeUdp, 1);
    uint32_t left = (1u << TOE_INDEX_BITS) - MIN(n->config.connections,
                                                 1u << TOE_INDEX_BITS);
    uint32_t buckets = 16;

    u->nop = n;
    u->size = MIN(MIN(n->config.connections, TOE_UDP_SOCKETS_MAX), left);
    while (buckets < u->size) {
        buckets *= 2;
    }
    u->socks = g_new0(ToeUdpSock, u->size);
    u->hash = g_new(uint32_t, buckets);
    u->hash_mask = buckets - 1;
    u->by_port = g_new(ToeList, buckets);
    u->port_mask = buckets - 1;
    /* One each buflet: more datagrams with bytes there cannot be. */
    u->nrecords = toe_lmem_total(n->lm);
    u->records = g_new0(ToeUdpRecord, u->nrecords);
    u->rx_buflets_max = toe_lmem_total(n->lm) / 4;
    for (uint32_t i = 0; i < u->size; i++) {
        u->socks[i].generation = 1;
    }
    clear(u);
    return u;
}

void toe_udp_free(ToeUdp *u)
{
    g_free(u->records);
    g_free(u->by_port);
    g_free(u->hash);
    g_free(u->socks);
    g_free(u);
}

/* Local memory is reset as a whole by whoever calls this. */
void toe_udp_reset(ToeUdp *u)
{
    ToeNop *n = u->nop;

    for (uint32_t i = 0; i < u->nrecords; i++) {
        toe_chain_clear(n->lm, &u->records[i].data);
    }
    clear(u);
    n->counters->v[TOE_CTR_UDP_SOCKETS] = 0;
}

/* ---- Queues ---- */

uint32_t toe_udp_buflets(uint32_t len)
{
    return MAX(1u, (len + TOE_BUFLET_SIZE - 1) / TOE_BUFLET_SIZE);
}

static uint32_t cost(const ToeDgram *d)
{
    return TOE_UDP_OVERHEAD + d->len;
}

bool toe_udp_put(ToeUdp *u, ToeUdpQueue *q, const ToeDgram *d,
                 ToeChain *data)
{
    uint32_t i = u->records_free;
    ToeUdpRecord *r;

    if (i == TOE_NONE) {
        return false;
    }
    r = &u->records[i];
    u->records_free = r->next;
    r->d = *d;
    r->data = *data;
    r->next = TOE_NONE;
    *data = toe_chain_init();
    if (q->first == TOE_NONE) {
        q->first = i;
    } else {
        u->records[q->last].next = i;
    }
    q->last = i;
    q->bytes += cost(d);
    return true;
}

uint32_t toe_udp_take(ToeUdp *u, ToeUdpQueue *q)
{
    uint32_t i = q->first;
    ToeUdpRecord *r = &u->records[i];

    q->first = r->next;
    if (q->first == TOE_NONE) {
        q->last = TOE_NONE;
    }
    q->bytes -= cost(&r->d);
    return i;
}

void toe_udp_record_free(ToeUdp *u, uint32_t index)
{
    ToeUdpRecord *r = &u->records[index];

    toe_chain_clear(u->nop->lm, &r->data);
    r->next = u->records_free;
    u->records_free = index;
}

static void drop_rx(ToeUdp *u, ToeUdpSock *s)
{
    uint32_t i = toe_udp_take(u, &s->rx);

    u->rx_buflets -= toe_udp_buflets(u->records[i].d.len);
    toe_udp_record_free(u, i);
}

/* ---- The table ---- */

static uint32_t bucket(const ToeUdp *u, uint8_t family, const uint8_t *laddr,
                       uint16_t lport, const uint8_t *raddr, uint16_t rport)
{
    SockKey k = { .lport = lport, .rport = rport, .family = family };

    memcpy(k.laddr, laddr, 16);
    memcpy(k.raddr, raddr, 16);
    return (uint32_t)toe_siphash(&u->hash_key, &k, sizeof(k)) & u->hash_mask;
}

static bool is_tuple(const ToeUdpSock *s, uint8_t family,
                     const uint8_t *laddr, uint16_t lport,
                     const uint8_t *raddr, uint16_t rport)
{
    return s->lport == lport && s->rport == rport && s->family == family &&
           !memcmp(s->laddr, laddr, 16) && !memcmp(s->raddr, raddr, 16);
}

ToeUdpSock *toe_udp_lookup(ToeUdp *u, uint8_t family, const uint8_t *laddr,
                           uint16_t lport, const uint8_t *raddr,
                           uint16_t rport, uint32_t pick)
{
    uint32_t head = u->hash[bucket(u, family, laddr, lport, raddr, rport)];
    uint32_t count = 0;

    for (uint32_t i = head; i != TOE_NONE; i = u->socks[i].hash_next) {
        count += is_tuple(&u->socks[i], family, laddr, lport, raddr, rport);
    }
    if (!count) {
        return NULL;
    }
    pick %= count;
    for (uint32_t i = head; i != TOE_NONE; i = u->socks[i].hash_next) {
        if (is_tuple(&u->socks[i], family, laddr, lport, raddr, rport) &&
            !pick--) {
            return &u->socks[i];
        }
    }
    return NULL;
}

static void hash_add(ToeUdp *u, ToeUdpSock *s)
{
    uint32_t *head = &u->hash[bucket(u, s->family, s->laddr, s->lport,
                                     s->raddr, s->rport)];

    s->hash_next = *head;
    *head = toe_udp_sock_index(u, s);
}

static void hash_del(ToeUdp *u, ToeUdpSock *s)
{
    uint32_t index = toe_udp_sock_index(u, s);
    uint32_t *at = &u->hash[bucket(u, s->family, s->laddr, s->lport,
                                   s->raddr, s->rport)];

    while (*at != TOE_NONE && *at != index) {
        at = &u->socks[*at].hash_next;
    }
    if (*at == index) {
        *at = s->hash_next;
    }
}

ToeList *toe_udp_port_list(ToeUdp *u, uint16_t lport)
{
    /* The owners of the machine choose these, not the peers: no key needed. */
    return &u->by_port[lport & u->port_mask];
}

ToeUdpSock *toe_udp_find(ToeUdp *u, uint32_t handle)
{
    uint32_t index = toe_udp_index(u->nop, handle);
    ToeUdpSock *s = index != UINT32_MAX ? &u->socks[index] : NULL;

    return s && s->kind == TOE_UDP_OPEN &&
           s->generation == TOE_GENERATION(handle) ? s : NULL;
}

void toe_udp_sock_free(ToeUdp *u, ToeUdpSock *s)
{
    while (s->tx.first != TOE_NONE) {
        toe_udp_record_free(u, toe_udp_take(u, &s->tx));
    }
    toe_list_remove(toe_udp_port_list(u, s->lport), toe_udp_port_links(u),
                    toe_udp_sock_index(u, s));
    toe_ports_release(&u->nop->udp_ports, s->lport);
    toe_count_add(u->nop->counters, UDP_SOCKETS, -1);
    s->kind = TOE_UDP_FREE;
    s->generation = s->generation >= 4095 ? 1 : s->generation + 1;
    put_free(u, s);             /* no queue: it is on no list of output */
}

/* A socket that is only sending its last: it is given up for a new one. */
static bool give_up_closing(ToeUdp *u)
{
    for (uint32_t i = u->out_first, prev = TOE_NONE; i != TOE_NONE;
         prev = i, i = u->socks[i].out_next) {
        ToeUdpSock *s = &u->socks[i];

        if (s->kind != TOE_UDP_CLOSING) {
            continue;
        }
        if (prev == TOE_NONE) {
            u->out_first = s->out_next;
        } else {
            u->socks[prev].out_next = s->out_next;
        }
        if (u->out_last == i) {
            u->out_last = prev;
        }
        s->on_out = false;
        toe_count(u->nop->counters, UDP_OUT_DROPS);
        toe_udp_sock_free(u, s);
        return true;
    }
    return false;
}

static ToeUdpSock *take_free(ToeUdp *u)
{
    ToeUdpSock *s;

    if (u->free_first == TOE_NONE && !give_up_closing(u)) {
        return NULL;
    }
    s = &u->socks[u->free_first];
    u->free_first = s->hash_next;
    if (u->free_first == TOE_NONE) {
        u->free_last = TOE_NONE;
    }
    return s;
}

/* ---- Addresses ---- */

/* To a group or to everybody: there is one port to send it from. */
static uint8_t group_route(ToeNop *n, uint8_t family, const uint8_t *dst,
                           uint8_t *laddr)
{
    if (!is_zero(laddr)) {
        return toe_ip_is_local(n, family, laddr) ? TOE_ST_OK
                                                 : TOE_ST_ADDRNOTAVAIL;
    }
    return toe_route_source(n, family, dst, laddr) ? TOE_ST_OK
                                                   : TOE_ST_ADDRNOTAVAIL;
}

uint8_t toe_udp_route(ToeNop *n, uint8_t family, const uint8_t *dst,
                      bool broadcast, uint8_t *laddr, bool *local)
{
    ToeDst kind = toe_route_kind(n, family, dst);

    *local = false;
    if (kind == TOE_DST_BROADCAST && !broadcast) {
        return TOE_ST_PERM;
    }
    if (kind != TOE_DST_HOST) {
        return group_route(n, family, dst, laddr);
    }
    *local = toe_ip_is_local(n, family, dst);
    if (!*local) {
        return toe_ip_route(n, family, dst, laddr, NULL);
    }
    /* To ourselves, from the same address unless another is wanted. */
    if (is_zero(laddr)) {
        memcpy(laddr, dst, 16);
    }
    return toe_ip_is_local(n, family, laddr) ? TOE_ST_OK
                                             : TOE_ST_ADDRNOTAVAIL;
}

static bool addr_ok(uint8_t family, const uint8_t *addr)
{
    return family == TOE_AF_INET6 ||
           (family == TOE_AF_INET && !memcmp(addr + 4, no_addr, 12));
}

/* May a socket with these have this port beside those that do already? */
static uint8_t port_status(ToeUdp *u, uint8_t family, const uint8_t *laddr,
                           uint16_t lport, unsigned flags)
{
    ToeLinks links = toe_udp_port_links(u);
    uint32_t i;

    if (toe_ports_refs(&u->nop->udp_ports, lport) >= TOE_UDP_PORT_SHARE) {
        return TOE_ST_ADDRINUSE;
    }
    for (i = toe_udp_port_list(u, lport)->first; i != TOE_NONE;
         i = toe_list_next(links, i)) {
        const ToeUdpSock *s = &u->socks[i];

        if (s->lport != lport || s->family != family ||
            (!is_zero(s->laddr) && !is_zero(laddr) &&
             memcmp(s->laddr, laddr, 16)) ||
            (s->flags & flags & TOE_UDP_F_REUSE)) {
            continue;
        }
        return TOE_ST_ADDRINUSE;
    }
    return TOE_ST_OK;
}

/* The remote end of a connected socket; fills in *laddr. */
static uint8_t remote_status(ToeUdp *u, const ToeTuple *t, bool broadcast,
                             uint8_t *laddr)
{
    bool local;

    if (!addr_ok(t->family, t->raddr) || !t->rport) {
        return TOE_ST_INVALID;
    }
    return toe_udp_route(u->nop, t->family, t->raddr, broadcast, laddr,
                         &local);
}

static bool tuple_taken(ToeUdp *u, const ToeTuple *t)
{
    return t->rport && toe_udp_lookup(u, t->family, t->laddr, t->lport,
                                      t->raddr, t->rport, 0);
}

/* ---- What the host side asks for ---- */

uint32_t toe_udp_sockets(ToeNop *n)
{
    return n->udp->size;
}

uint32_t toe_udp_index(ToeNop *n, uint32_t handle)
{
    uint32_t index = TOE_INDEX(handle);

    return index >= n->config.connections &&
           index - n->config.connections < n->udp->size
           ? index - n->config.connections : UINT32_MAX;
}

uint8_t toe_udp_open(ToeNop *n, ToeTuple *t, unsigned flags,
                     uint32_t *handle)
{
    ToeUdp *u = n->udp;
    uint8_t bound[16], status;
    ToeUdpSock *s;
    bool chosen = !t->lport;

    if (!addr_ok(t->family, t->laddr) || !addr_ok(t->family, t->raddr) ||
        (!t->rport && !is_zero(t->raddr))) {
        return TOE_ST_INVALID;
    }
    if (!is_zero(t->laddr) && !toe_ip_is_local(n, t->family, t->laddr)) {
        return TOE_ST_ADDRNOTAVAIL;
    }
    memcpy(bound, t->laddr, 16);
    if (t->rport) {
        status = remote_status(u, t, false, t->laddr);
        if (status != TOE_ST_OK) {
            return status;
        }
    }
    if (chosen) {
        t->lport = toe_ports_pick(&n->udp_ports, n->port_lo, n->port_hi,
                                  toe_nop_random(n), NULL, NULL);
        if (!t->lport) {
            return TOE_ST_ADDRNOTAVAIL;
        }
    } else {
        status = port_status(u, t->family, t->laddr, t->lport, flags);
        if (status == TOE_ST_OK && tuple_taken(u, t)) {
            status = TOE_ST_ADDRINUSE;
        }
        if (status != TOE_ST_OK) {
            return status;
        }
        toe_ports_reserve(&n->udp_ports, t->lport);
    }
    s = take_free(u);
    if (!s) {
        toe_ports_release(&n->udp_ports, t->lport);
        return TOE_ST_NOMEM;
    }
    *s = (ToeUdpSock) {
        .generation = s->generation,
        .kind = TOE_UDP_OPEN,
        .family = t->family,
        .lport = t->lport,
        .rport = t->rport,
        .flags = (uint8_t)flags,
        .rcvbuf = n->udp_rcvbuf,
        .sndbuf = n->udp_sndbuf,
        .rx = { TOE_NONE, TOE_NONE, 0 },
        .tx = { TOE_NONE, TOE_NONE, 0 },
        .out_next = TOE_NONE,
        .group_ttl = 1,                 /* RFC 1112, 6.1 */
        .group_loop = true,
    };
    memcpy(s->bound, bound, 16);
    memcpy(s->laddr, t->laddr, 16);
    memcpy(s->raddr, t->raddr, 16);
    hash_add(u, s);
    toe_list_append(toe_udp_port_list(u, s->lport), toe_udp_port_links(u),
                    toe_udp_sock_index(u, s));
    toe_count(n->counters, UDP_SOCKETS);
    *handle = toe_udp_handle(u, s);
    toe_trace_udp_open(*handle, t->family, t->lport, t->rport, flags);
    return TOE_ST_OK;
}

uint8_t toe_udp_connect(ToeNop *n, uint32_t handle, ToeTuple *t)
{
    ToeUdp *u = n->udp;
    ToeUdpSock *s = toe_udp_find(u, handle);
    uint8_t status;

    if (!s) {
        return TOE_ST_HANDLE;
    }
    if (!t->family) {
        *t = (ToeTuple) { .family = s->family };
    } else if (t->family != s->family) {
        return TOE_ST_INVALID;
    }
    t->lport = s->lport;
    memcpy(t->laddr, s->bound, 16);
    if (t->rport || !is_zero(t->raddr)) {
        status = remote_status(u, t, s->broadcast, t->laddr);
        if (status != TOE_ST_OK) {
            return status;
        }
        if (!is_tuple(s, t->family, t->laddr, t->lport, t->raddr,
                      t->rport) && tuple_taken(u, t)) {
            return TOE_ST_ADDRINUSE;
        }
    }
    hash_del(u, s);
    memcpy(s->laddr, t->laddr, 16);
    memcpy(s->raddr, t->raddr, 16);
    s->rport = t->rport;
    hash_add(u, s);
    toe_trace_udp_connect(handle, s->lport, s->rport);
    return TOE_ST_OK;
}

uint8_t toe_udp_tuple(ToeNop *n, uint32_t handle, ToeTuple *t)
{
    const ToeUdpSock *s = toe_udp_find(n->udp, handle);

    if (!s) {
        return TOE_ST_HANDLE;
    }
    *t = (ToeTuple) { .family = s->family, .lport = s->lport,
                      .rport = s->rport };
    memcpy(t->laddr, s->laddr, 16);
    memcpy(t->raddr, s->raddr, 16);
    return TOE_ST_OK;
}

void toe_udp_close(ToeNop *n, uint32_t handle)
{
    ToeUdp *u = n->udp;
    ToeUdpSock *s = toe_udp_find(u, handle);

    if (!s) {
        return;
    }
    toe_trace_udp_close(handle, s->rx.bytes, s->tx.bytes);
    while (s->rx.first != TOE_NONE) {
        drop_rx(u, s);
    }
    while (s->ngroups) {
        toe_group_leave(n, s->groups[--s->ngroups]);
    }
    hash_del(u, s);             /* nothing is received any more */
    s->kind = TOE_UDP_CLOSING;
    if (s->tx.first == TOE_NONE) {
        toe_udp_sock_free(u, s);
    }
}

/* ---- Groups ---- */

/* The place of the group among the socket's, or ngroups. */
static unsigned member_at(const ToeUdpSock *s, uint16_t group)
{
    unsigned i = 0;

    while (i < s->ngroups && s->groups[i] != group) {
        i++;
    }
    return i;
}

static uint8_t group_status(ToeNop *n, const ToeUdpSock *s, uint8_t family,
                            const uint8_t *addr)
{
    if (!s) {
        return TOE_ST_HANDLE;
    }
    return family == s->family && addr_ok(family, addr) &&
           toe_route_kind(n, family, addr) == TOE_DST_GROUP
           ? TOE_ST_OK : TOE_ST_INVALID;
}

uint8_t toe_udp_join(ToeNop *n, uint32_t handle, uint8_t family,
                     const uint8_t *addr)
{
    ToeUdpSock *s = toe_udp_find(n->udp, handle);
    uint8_t status = group_status(n, s, family, addr);
    uint16_t group;

    if (status != TOE_ST_OK) {
        return status;
    }
    group = toe_group_find(n, family, addr);
    if (group != TOE_GROUP_NONE && member_at(s, group) < s->ngroups) {
        return TOE_ST_ADDRINUSE;
    }
    if (s->ngroups == TOE_UDP_GROUPS) {
        return TOE_ST_QUOTA;
    }
    group = toe_group_join(n, family, addr);
    if (group == TOE_GROUP_NONE) {
        return TOE_ST_NOMEM;
    }
    s->groups[s->ngroups++] = group;
    return TOE_ST_OK;
}

uint8_t toe_udp_leave(ToeNop *n, uint32_t handle, uint8_t family,
                      const uint8_t *addr)
{
    ToeUdpSock *s = toe_udp_find(n->udp, handle);
    uint8_t status = group_status(n, s, family, addr);
    uint16_t group;
    unsigned at;

    if (status != TOE_ST_OK) {
        return status;
    }
    group = toe_group_find(n, family, addr);
    at = group == TOE_GROUP_NONE ? s->ngroups : member_at(s, group);
    if (at == s->ngroups) {
        return TOE_ST_ADDRNOTAVAIL;
    }
    s->groups[at] = s->groups[--s->ngroups];
    toe_group_leave(n, group);
    return TOE_ST_OK;
}

bool toe_udp_rx(ToeNop *n, uint32_t handle, ToeDgram *d,
                const ToeChain **data)
{
    const ToeUdpSock *s = toe_udp_find(n->udp, handle);

    if (!s || s->rx.first == TOE_NONE) {
        return false;
    }
    *d = n->udp->records[s->rx.first].d;
    *data = &n->udp->records[s->rx.first].data;
    return true;
}

void toe_udp_rx_done(ToeNop *n, uint32_t handle)
{
    ToeUdpSock *s = toe_udp_find(n->udp, handle);

    if (s && s->rx.first != TOE_NONE) {
        drop_rx(n->udp, s);
    }
}

/* ---- Options ---- */

/* An option that is on or off. */
static uint8_t set_switch(bool *to, uint64_t value)
{
    if (value > 1) {
        return TOE_ST_INVALID;
    }
    *to = value;
    return TOE_ST_OK;
}

uint8_t toe_udp_setopt(ToeNop *n, uint32_t handle, uint32_t option,
                       uint64_t value)
{
    ToeUdpSock *s = toe_udp_find(n->udp, handle);

    if (!s) {
        return TOE_ST_HANDLE;
    }
    switch (option) {
    case TOE_OPT_UDP_RCVBUF:
        s->rcvbuf = (uint32_t)CLAMP(value, TOE_UDP_BUF_MIN, TOE_UDP_BUF_MAX);
        return TOE_ST_OK;
    case TOE_OPT_UDP_SNDBUF:
        s->sndbuf = (uint32_t)CLAMP(value, TOE_UDP_BUF_MIN, TOE_UDP_BUF_MAX);
        return TOE_ST_OK;
    case TOE_OPT_UDP_TTL:
        if (value > 255) {
            return TOE_ST_INVALID;
        }
        s->ttl = (uint8_t)value;
        return TOE_ST_OK;
    case TOE_OPT_UDP_TOS:
        if (value > 255) {
            return TOE_ST_INVALID;
        }
        s->tos = (uint8_t)value;
        return TOE_ST_OK;
    case TOE_OPT_UDP_MCAST_TTL:
        if (value > 255) {
            return TOE_ST_INVALID;
        }
        s->group_ttl = (uint8_t)value;
        return TOE_ST_OK;
    case TOE_OPT_UDP_DONTFRAG:
        return set_switch(&s->dont_fragment, value);
    case TOE_OPT_UDP_BROADCAST:
        return set_switch(&s->broadcast, value);
    case TOE_OPT_UDP_MCAST_LOOP:
        return set_switch(&s->group_loop, value);
    default:
        return TOE_ST_INVALID;
    }
}

uint8_t toe_udp_getopt(ToeNop *n, uint32_t handle, uint32_t option,
                       uint64_t *value)
{
    const ToeUdpSock *s = toe_udp_find(n->udp, handle);

    if (!s) {
        return TOE_ST_HANDLE;
    }
    switch (option) {
    case TOE_OPT_UDP_RCVBUF:
        *value = s->rcvbuf;
        return TOE_ST_OK;
    case TOE_OPT_UDP_SNDBUF:
        *value = s->sndbuf;
        return TOE_ST_OK;
    case TOE_OPT_UDP_TTL:
        *value = s->ttl ? s->ttl : n->ttl;
        return TOE_ST_OK;
    case TOE_OPT_UDP_TOS:
        *value = s->tos;
        return TOE_ST_OK;
    case TOE_OPT_UDP_DONTFRAG:
        *value = s->dont_fragment;
        return TOE_ST_OK;
    case TOE_OPT_UDP_DROPS:
        *value = s->drops;
        return TOE_ST_OK;
    case TOE_OPT_UDP_BROADCAST:
        *value = s->broadcast;
        return TOE_ST_OK;
    case TOE_OPT_UDP_MCAST_TTL:
        *value = s->group_ttl;
        return TOE_ST_OK;
    case TOE_OPT_UDP_MCAST_LOOP:
        *value = s->group_loop;
        return TOE_ST_OK;
    case TOE_OPT_UDP_PATH_MTU:
        if (!s->rport) {
            return TOE_ST_STATE;
        }
        *value = toe_ip_path_max(n, s->family, s->raddr);
        return TOE_ST_OK;
    default:
        return TOE_ST_INVALID;
    }
}

/* ---- What is open ---- */

bool toe_udp_info(ToeNop *n, uint32_t *index, struct toe_hw_conn_info *info)
{
    ToeUdp *u = n->udp;

    for (uint32_t i = *index; i < u->size; i++) {
        const ToeUdpSock *s = &u->socks[i];

        if (s->kind == TOE_UDP_FREE) {
            continue;
        }
        *info = (struct toe_hw_conn_info) {
            .handle = toe_udp_handle(u, s),
            .family = s->family,
            .state = s->rport ? TOE_CONN_UDP_CONNECTED : TOE_CONN_UDP,
            .lport = s->lport,
            .rport = s->rport,
            .rxq = s->rx.bytes,
            .txq = s->tx.bytes,
            .bytes_in = s->bytes_in,
            .bytes_out = s->bytes_out,
        };
        memcpy(info->laddr, s->laddr, 16);
        memcpy(info->raddr, s->raddr, 16);
        *index = i + 1;
        return true;
    }
    *index = u->size;
    return false;
}
