/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * route.c - the port's addresses, and the way to any other.
 *
 * The driver mirrors what the operating system's interface has: addresses,
 * and routes, with a gateway or on link.  An IPv4 address stands for an on-link
 * route to its own subnet; an IPv6 address's prefix says nothing about what is
 * on link (RFC 5942), that is the routes' alone.  Both are small bounded tables.  The routes are
 * kept sorted, longest prefix first, then lowest metric, then oldest, so that
 * a lookup takes the first that matches.
 *
 * The driver's requests may come in any order and twice: adding what is there
 * is no error, and a route is told from another by destination, prefix,
 * gateway and metric together.
 *
 * What is sent to an address of the port's own does not leave the adapter: it
 * goes through loop.c, whatever the routes say.  127.0.0.0/8 and ::1 are the
 * operating system's alone, as it does not share them with any interface;
 * there is no route to them.  What is for a group or for everybody needs no
 * route, as there is one port; toe_ip_route() knows none, as that is for hosts.
 */
#include "nop.h"
#include "toe_trace.h"
#include "wire.h"
#include "wire6.h"

/* An address of either family in a message, as 16 bytes. */
#define ADDR_FMT        "0x%016" PRIx64 "%016" PRIx64
#define ADDR_ARG(a)     toe_addr_hi(a), toe_addr_lo(a)

static const uint8_t no_addr[16];

static bool is_zero(const uint8_t *addr)
{
    return !memcmp(addr, no_addr, 16);
}

/* An IPv4 address stands in four bytes; the others must be zero. */
static bool well_formed(uint8_t family, const uint8_t *addr)
{
    return family == TOE_AF_INET6 ||
           (family == TOE_AF_INET && !memcmp(addr + 4, no_addr, 12));
}

static uint8_t prefix_max(uint8_t family)
{
    return family == TOE_AF_INET6 ? 128 : 32;
}

static bool unicast(uint8_t family, const uint8_t *addr)
{
    return family == TOE_AF_INET6 ? toe_wire_ipv6_is_host(addr)
                                  : toe_wire_ipv4_is_host(addr);
}

static uint32_t mask(uint8_t prefix)
{
    return prefix ? 0xffffffffu << (32 - prefix) : 0;
}

/* The number of bits that are the same at the beginning. */
static unsigned common_bits(const uint8_t *a, const uint8_t *b)
{
    unsigned i;

    for (i = 0; i < 128; i += 32) {
        uint32_t diff = toe_get32(a + i / 8) ^ toe_get32(b + i / 8);

        if (diff) {
            return i + (unsigned)__builtin_clz(diff);
        }
    }
    return 128;
}

static bool in_net(const uint8_t *addr, const uint8_t *net, uint8_t prefix)
{
    return common_bits(addr, net) >= prefix;
}

/*
 * The highest address of a subnet, and the lowest, are not a host's, except
 * in subnets of one or two (RFC 3021).
 */
static bool is_subnet_broadcast(const ToeLocalAddr *a, const uint8_t *addr)
{
    uint32_t host;

    if (a->family != TOE_AF_INET || a->prefix >= 31 ||
        !in_net(addr, a->addr, a->prefix)) {
        return false;
    }
    host = toe_get32(addr) & ~mask(a->prefix);
    return host == 0 || host == ~mask(a->prefix);
}

ToeLocalAddr *toe_route_local(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    uint32_t i;

    for (i = 0; i < n->naddrs; i++) {
        ToeLocalAddr *a = &n->addrs[i];

        if (a->family == family && !memcmp(a->addr, addr, 16)) {
            return a;
        }
    }
    return NULL;
}

bool toe_ip_is_local(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    return toe_route_local(n, family, addr) != NULL;
}

bool toe_route_is_host(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    uint32_t i;

    if (!well_formed(family, addr) || !unicast(family, addr)) {
        return false;
    }
    if (family == TOE_AF_INET6) {
        return true;
    }
    for (i = 0; i < n->naddrs; i++) {
        if (is_subnet_broadcast(&n->addrs[i], addr)) {
            return false;
        }
    }
    return true;
}

ToeDst toe_route_kind(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    uint32_t i;

    if (family == TOE_AF_INET6) {
        return toe_wire_ipv6_is_group(addr) ? TOE_DST_GROUP : TOE_DST_HOST;
    }
    if (!well_formed(family, addr)) {
        return TOE_DST_HOST;
    }
    if (toe_wire_ipv4_is_group(addr)) {
        return TOE_DST_GROUP;
    }
    if (toe_get32(addr) == 0xffffffff) {
        return TOE_DST_BROADCAST;
    }
    for (i = 0; i < n->naddrs; i++) {
        const ToeLocalAddr *a = &n->addrs[i];

        /* Not the lowest one, which only old hosts took for everybody. */
        if (is_subnet_broadcast(a, addr) &&
            (toe_get32(addr) | mask(a->prefix)) == 0xffffffff) {
            return TOE_DST_BROADCAST;
        }
    }
    return TOE_DST_HOST;
}

uint32_t toe_ip_path_max(ToeNop *n, uint8_t family, const uint8_t *dst)
{
    uint32_t max = toe_ip_max(n, family);

    if (toe_route_kind(n, family, dst) != TOE_DST_HOST) {
        return n->mtu;          /* it is not for the backend alone */
    }
    if ((n->config.max_segment && family == TOE_AF_INET) ||
        toe_ip_is_local(n, family, dst)) {
        return max;
    }
    return toe_pmtu_get(n, family, dst, max);
}

static const ToeRoute *lookup(ToeNop *n, uint8_t family, const uint8_t *dst)
{
    uint32_t i;

    for (i = 0; i < n->nroutes; i++) {
        const ToeRoute *r = &n->routes[i];

        if (r->family == family && in_net(dst, r->dst, r->prefix)) {
            return r;
        }
    }
    return NULL;
}

bool toe_route_next_hop(ToeNop *n, uint8_t family, const uint8_t *dst,
                        uint8_t *hop)
{
    const ToeRoute *r;

    if (!well_formed(family, dst)) {
        return false;
    }
    if (toe_route_kind(n, family, dst) != TOE_DST_HOST) {
        memcpy(hop, dst, 16);
        return true;
    }
    r = lookup(n, family, dst);
    if (!r) {
        return false;
    }
    memcpy(hop, is_zero(r->gateway) ? dst : r->gateway, 16);
    return true;
}

void toe_route_suspect(ToeNop *n, uint8_t family, const uint8_t *dst)
{
    uint8_t hop[16];

    if (!toe_ip_is_local(n, family, dst) &&
        toe_route_next_hop(n, family, dst, hop)) {
        toe_neigh_suspect(n, family, hop);
    }
}

bool toe_route_on_link(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    const ToeRoute *r;

    if (!well_formed(family, addr)) {
        return false;
    }
    r = lookup(n, family, addr);
    return r && is_zero(r->gateway);
}

/*
 * The source address: one in the subnet of the neighbour the packet goes to,
 * since answers then come back the same way; of several the one with the
 * longest prefix; else the first there is (RFC 1122, 3.3.4.3).
 */
static const ToeLocalAddr *choose_ipv4(ToeNop *n, const uint8_t *hop)
{
    const ToeLocalAddr *best = NULL, *first = NULL;
    uint32_t i;

    for (i = 0; i < n->naddrs; i++) {
        const ToeLocalAddr *a = &n->addrs[i];

        if (a->family != TOE_AF_INET) {
            continue;
        }
        first = first ? first : a;
        if (in_net(hop, a->addr, a->prefix) &&
            (!best || a->prefix > best->prefix)) {
            best = a;
        }
    }
    return best ? best : first;
}

/* RFC 4291, 2.7, as numbers that grow with the scope. */
static unsigned scope(const uint8_t *a)
{
    if (a[0] == 0xff) {
        return a[1] & 0xf;      /* a group says it */
    }
    if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) {
        return 0x2;             /* link-local */
    }
    if (a[0] == 0xfe && (a[1] & 0xc0) == 0xc0) {
        return 0x5;             /* site-local */
    }
    return 0xe;
}

/* RFC 6724, 2.1: the labels of the default policy table that hosts have. */
static unsigned label(const uint8_t *a)
{
    if ((a[0] & 0xfe) == 0xfc) {
        return 13;              /* unique local */
    }
    if (a[0] == 0xfe && (a[1] & 0xc0) == 0xc0) {
        return 11;
    }
    if (toe_get32(a) == 0x20010000) {
        return 5;
    }
    return toe_get16(a) == 0x2002 ? 2 : 1;
}

/*
 * Is a better than b for dst?  RFC 6724, section 5, the rules for which there
 * is something to know here: 2 (scope), 6 (label), 8 (longest match).
 */
static bool better(const ToeLocalAddr *a, const ToeLocalAddr *b,
                   const uint8_t *dst)
{
    unsigned sa = scope(a->addr), sb = scope(b->addr), sd = scope(dst);
    unsigned ca, cb;

    if (sa != sb) {
        return sa < sb ? sa >= sd : sb < sd;
    }
    if ((label(a->addr) == label(dst)) != (label(b->addr) == label(dst))) {
        return label(a->addr) == label(dst);
    }
    ca = MIN(common_bits(a->addr, dst), a->prefix);
    cb = MIN(common_bits(b->addr, dst), b->prefix);
    return ca > cb;
}

static const ToeLocalAddr *choose_ipv6(ToeNop *n, const uint8_t *dst)
{
    const ToeLocalAddr *best = NULL;
    uint32_t i;

    for (i = 0; i < n->naddrs; i++) {
        const ToeLocalAddr *a = &n->addrs[i];

        if (a->family == TOE_AF_INET6 && (!best || better(a, best, dst))) {
            best = a;
        }
    }
    return best;
}

bool toe_route_source(ToeNop *n, uint8_t family, const uint8_t *hop,
                      uint8_t *laddr)
{
    const ToeLocalAddr *a = family == TOE_AF_INET6 ? choose_ipv6(n, hop)
                                                   : choose_ipv4(n, hop);

    if (a) {
        memcpy(laddr, a->addr, 16);
    }
    return a != NULL;
}

uint8_t toe_ip_route(ToeNop *n, uint8_t family, const uint8_t *dst,
                     uint8_t *laddr, uint32_t *mtu)
{
    uint8_t hop[16];

    if (!well_formed(family, dst) || !well_formed(family, laddr)) {
        return TOE_ST_INVALID;
    }
    if (!is_zero(laddr) && !toe_ip_is_local(n, family, laddr)) {
        return TOE_ST_ADDRNOTAVAIL;
    }
    if (toe_ip_is_local(n, family, dst)) {
        if (is_zero(laddr)) {
            memcpy(laddr, dst, 16);
        }
        if (mtu) {
            *mtu = toe_ip_max(n, family);
        }
        return TOE_ST_OK;
    }
    if (!toe_route_is_host(n, family, dst) ||
        !toe_route_next_hop(n, family, dst, hop)) {
        toe_trace_route_none(toe_addr_hi(dst), toe_addr_lo(dst));
        return TOE_ST_NOROUTE;
    }
    /* IPv4: by the neighbour; IPv6: by the destination. */
    if (is_zero(laddr) &&
        !toe_route_source(n, family, family == TOE_AF_INET6 ? dst : hop,
                          laddr)) {
        return TOE_ST_ADDRNOTAVAIL;
    }
    if (mtu) {
        *mtu = toe_ip_path_max(n, family, dst);
    }
    return TOE_ST_OK;
}

/* ---- The driver's requests ---- */

static bool same_route(const ToeRoute *a, const ToeRoute *b)
{
    return a->family == b->family && a->prefix == b->prefix &&
           a->connected == b->connected && a->metric == b->metric &&
           !memcmp(a->dst, b->dst, 16) && !memcmp(a->gateway, b->gateway, 16);
}

static ToeRoute *find_route(ToeNop *n, const ToeRoute *want)
{
    uint32_t i;

    for (i = 0; i < n->nroutes; i++) {
        if (same_route(&n->routes[i], want)) {
            return &n->routes[i];
        }
    }
    return NULL;
}

static uint8_t insert_route(ToeNop *n, const ToeRoute *r)
{
    uint32_t at;

    if (find_route(n, r)) {
        return TOE_ST_OK;
    }
    if (n->nroutes == TOE_ROUTES_MAX) {
        return TOE_ST_NOMEM;
    }
    for (at = 0; at < n->nroutes; at++) {
        const ToeRoute *o = &n->routes[at];

        if (r->prefix > o->prefix ||
            (r->prefix == o->prefix && r->metric < o->metric)) {
            break;
        }
    }
    memmove(&n->routes[at + 1], &n->routes[at],
            (n->nroutes - at) * sizeof(n->routes[0]));
    n->routes[at] = *r;
    n->nroutes++;
    return TOE_ST_OK;
}

static bool remove_route(ToeNop *n, const ToeRoute *want)
{
    ToeRoute *r = find_route(n, want);

    if (!r) {
        return false;
    }
    n->nroutes--;
    memmove(r, r + 1,
            (size_t)(&n->routes[n->nroutes] - r) * sizeof(n->routes[0]));
    return true;
}

/* A route from arguments, the bits behind the prefix cleared. */
static ToeRoute make_route(uint8_t family, const uint8_t *dst, uint8_t prefix,
                           const uint8_t *gateway, uint32_t metric)
{
    ToeRoute r = { .family = family, .prefix = prefix, .metric = metric };

    memcpy(r.dst, dst, 16);
    if (prefix < 128) {
        r.dst[prefix / 8] &= 0xff00u >> prefix % 8;
        memset(&r.dst[prefix / 8 + 1], 0, 15u - prefix / 8);
    }
    if (gateway) {
        memcpy(r.gateway, gateway, 16);
    }
    return r;
}

/* The on-link route that an address stands for. */
static ToeRoute connected_route(const ToeLocalAddr *a)
{
    ToeRoute r = make_route(a->family, a->addr, a->prefix, NULL, 0);

    r.connected = true;
    return r;
}

uint8_t toe_nop_addr_add(ToeNop *n, uint8_t family, const uint8_t *addr,
                         uint8_t prefix)
{
    ToeLocalAddr *a;
    ToeRoute r;
    uint32_t i;

    if (!well_formed(family, addr) || prefix > prefix_max(family) ||
        !unicast(family, addr)) {
        toe_nop_guest_error(n, "address to add is no host address: family %u, "
                            ADDR_FMT "/%u", family, ADDR_ARG(addr), prefix);
        return TOE_ST_INVALID;
    }
    for (i = 0; i < n->naddrs; i++) {
        a = &n->addrs[i];
        if (a->family == family && a->prefix == prefix &&
            !memcmp(a->addr, addr, 16)) {
            return TOE_ST_OK;
        }
    }
    if (n->naddrs == TOE_ADDRS_MAX) {
        return TOE_ST_NOMEM;
    }
    a = &n->addrs[n->naddrs];
    *a = (ToeLocalAddr) { .family = family, .prefix = prefix };
    memcpy(a->addr, addr, 16);
    a->defended = INT64_MIN;
    /* Two addresses of one subnet share its route; removal looks for that. */
    r = connected_route(a);
    if (family == TOE_AF_INET && insert_route(n, &r) != TOE_ST_OK) {
        return TOE_ST_NOMEM;
    }
    n->naddrs++;
    toe_trace_route_addr_add(toe_addr_hi(addr), toe_addr_lo(addr), prefix);
    toe_neigh_announce(n, a);
    return TOE_ST_OK;
}

uint8_t toe_nop_addr_del(ToeNop *n, uint8_t family, const uint8_t *addr,
                         uint8_t prefix)
{
    ToeRoute gone;
    uint32_t i;

    if (!well_formed(family, addr) || prefix > prefix_max(family)) {
        return TOE_ST_INVALID;
    }
    for (i = 0; i < n->naddrs; i++) {
        const ToeLocalAddr *a = &n->addrs[i];

        if (a->family == family && a->prefix == prefix &&
            !memcmp(a->addr, addr, 16)) {
            break;
        }
    }
    if (i == n->naddrs) {
        return TOE_ST_ADDRNOTAVAIL;
    }
    gone = connected_route(&n->addrs[i]);
    /* The order stays: the first address is the default source. */
    n->naddrs--;
    memmove(&n->addrs[i], &n->addrs[i + 1],
            (n->naddrs - i) * sizeof(n->addrs[0]));
    for (i = 0; i < n->naddrs; i++) {
        ToeRoute r = connected_route(&n->addrs[i]);

        if (same_route(&r, &gone)) {
            break;
        }
    }
    if (i == n->naddrs) {
        remove_route(n, &gone);
    }
    toe_trace_route_addr_del(toe_addr_hi(addr), toe_addr_lo(addr), prefix);
    if (!toe_ip_is_local(n, family, addr)) {
        toe_tcp_addr_gone(n, family, addr);
    }
    return TOE_ST_OK;
}

static bool route_valid(uint8_t family, const uint8_t *dst, uint8_t prefix,
                        const uint8_t *gateway)
{
    return well_formed(family, dst) && prefix <= prefix_max(family) &&
           (!gateway || (well_formed(family, gateway) &&
                         (is_zero(gateway) || unicast(family, gateway))));
}

uint8_t toe_nop_route_add(ToeNop *n, uint8_t family, const uint8_t *dst,
                          uint8_t prefix, const uint8_t *gateway,
                          uint32_t metric)
{
    ToeRoute r;

    if (!route_valid(family, dst, prefix, gateway)) {
        toe_nop_guest_error(n, "route to add is malformed: family %u, "
                            ADDR_FMT "/%u", family, ADDR_ARG(dst), prefix);
        return TOE_ST_INVALID;
    }
    r = make_route(family, dst, prefix, gateway, metric);
    toe_trace_route_add(toe_addr_hi(r.dst), toe_addr_lo(r.dst), prefix,
                        toe_addr_hi(r.gateway), toe_addr_lo(r.gateway),
                        metric);
    return insert_route(n, &r);
}

uint8_t toe_nop_route_del(ToeNop *n, uint8_t family, const uint8_t *dst,
                          uint8_t prefix, const uint8_t *gateway,
                          uint32_t metric)
{
    ToeRoute r;

    if (!route_valid(family, dst, prefix, gateway)) {
        return TOE_ST_INVALID;
    }
    r = make_route(family, dst, prefix, gateway, metric);
    toe_trace_route_del(toe_addr_hi(r.dst), toe_addr_lo(r.dst), prefix,
                        toe_addr_hi(r.gateway), toe_addr_lo(r.gateway),
                        metric);
    return remove_route(n, &r) ? TOE_ST_OK : TOE_ST_NOROUTE;
}

void toe_route_reset(ToeNop *n)
{
    n->naddrs = 0;
    n->nroutes = 0;
}
