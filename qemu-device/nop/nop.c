/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nop.c - the network side as a whole: life, settings, turns.
 *
 * Everything that moves begins here: a frame from the port, an expired timer,
 * or a turn of output.  nop.h has the map of what calls what.
 *
 * Work in one call is bounded: one frame, TOE_TIMERS_PER_CALL timers, or the
 * budget of a turn; what is left is still due (toe_nop_deadline()) or said to
 * wait (toe_nop_run()).
 *
 * Ephemeral ports: operating system and adapter have the same address and do
 * not ask each other, so the adapter's ports are by default chosen from below
 * those that Linux takes (32768 to 60999).
 */
#include "group.h"
#include "nop.h"
#include "tcp/tcp.h"
#include "toe_trace.h"
#include "udp.h"
#include "wire.h"

#define TOE_TIMERS_PER_CALL     1024u

#define TOE_TIME_WAIT_MS        60000u
#define TOE_TIME_WAIT_MS_MAX    600000u
#define TOE_ORPHAN_MS           120000u
#define TOE_ORPHAN_MS_MAX       3600000u
#define TOE_BUF_DEFAULT         (512u << 10)
#define TOE_PORT_LO             16384u
#define TOE_PORT_HI             32767u
#define TOE_TTL                 64u

void toe_nop_guest_error(ToeNop *n, const char *fmt, ...)
{
    char sentence[256];
    va_list args;

    va_start(args, fmt);
    g_vsnprintf(sentence, sizeof(sentence), fmt, args);
    va_end(args);
    n->env->guest_error(n->env->opaque, sentence);
}

/* ---- Life ---- */

/* All that is not a table with memory of its own, as after power-on. */
static void set_defaults(ToeNop *n)
{
    memcpy(n->mac, n->config.mac, 6);
    n->mtu = MIN(TOE_MTU_DEFAULT, n->config.mtu_max);
    n->filter = 0;
    n->mcast_hash = 0;
    n->time_wait_ms = TOE_TIME_WAIT_MS;
    n->orphan_ms = TOE_ORPHAN_MS;
    n->rcvbuf = TOE_BUF_DEFAULT;
    n->sndbuf = TOE_BUF_DEFAULT;
    n->rcvbuf_max = n->sndbuf_max = TOE_BUF_MAX;
    n->uto_min_ms = TOE_UTO_MIN_MS_DEFAULT;
    n->uto_max_ms = TOE_UTO_MAX_MS_DEFAULT;
    n->port_lo = TOE_PORT_LO;
    n->port_hi = TOE_PORT_HI;
    n->ttl = TOE_TTL;
    n->congestion = TOE_CC_CUBIC;
    n->ecn = TOE_ECN_MODE_PASSIVE;
    n->pacing = 1;
    n->udp_rcvbuf = TOE_UDP_BUF_DEFAULT;
    n->udp_sndbuf = TOE_UDP_BUF_DEFAULT;
    n->syn_cookies = TOE_SYN_COOKIES_FULL;
    n->synack_retries = TOE_SYNACK_RETRIES;
    n->fastopen = TOE_FASTOPEN_CLIENT | TOE_FASTOPEN_SERVER;
    n->syn_backlog = TOE_BACKLOG_MAX + 1;
    n->mtu_probing = 0;
    toe_route_reset(n);
    toe_pmtu_reset(n);
    toe_icmp_reset(n);
    n->hash_key.k[0] = toe_nop_random(n);
    n->hash_key.k[1] = toe_nop_random(n);
}

ToeNop *toe_nop_new(const ToeEnv *env, ToeLmem *lm, ToeCounters *counters,
                    const ToeNopConfig *config, const ToeStreamOps *ops,
                    void *ops_opaque)
{
    ToeNop *n = g_new0(ToeNop, 1);

    n->env = env;
    n->lm = lm;
    n->counters = counters;
    n->config = *config;
    /* An IPv4 packet has no more, and a port has no less. */
    n->config.mtu_max = CLAMP(n->config.mtu_max, TOE_MTU_MIN, TOE_IPV4_MAX);
    n->config.max_segment = MIN(n->config.max_segment, TOE_IPV4_MAX);
    n->ops = ops;
    n->ops_opaque = ops_opaque;
    n->link = true;             /* until toe_nop_link() says otherwise */
    n->tx = g_malloc0(TOE_TX_SIZE);
    toe_timers_init(&n->timers, config->connections + TOE_TIMERS_OWN);
    toe_ports_init(&n->tcp_ports);
    toe_ports_init(&n->udp_ports);
    set_defaults(n);
    n->neighs = toe_neigh_new(n);
    n->ipfrag = toe_ipfrag_new(n);
    n->loop = toe_loop_new();
    n->groups = toe_groups_new();
    n->tcp = toe_tcp_new(n);
    n->udp = toe_udp_new(n);
    return n;
}

void toe_nop_free(ToeNop *n)
{
    if (!n) {
        return;
    }
    toe_udp_free(n->udp);
    toe_tcp_free(n->tcp);
    toe_groups_free(n->groups);
    toe_loop_free(n->loop);
    toe_ipfrag_free(n);
    toe_neigh_free(n);
    toe_eth_reset(n);
    toe_ports_destroy(&n->tcp_ports);
    toe_ports_destroy(&n->udp_ports);
    toe_timers_destroy(&n->timers);
    g_free(n->tx);
    g_free(n);
}

/*
 * The link and the port's being busy are facts of the world, which a reset
 * does not change.
 */
void toe_nop_reset(ToeNop *n)
{
    toe_udp_reset(n->udp);
    toe_tcp_reset(n->tcp);
    toe_ipfrag_reset(n);
    toe_loop_reset(n);
    toe_groups_reset(n);
    toe_neigh_reset(n);
    toe_eth_reset(n);
    toe_ports_clear(&n->tcp_ports);
    toe_ports_clear(&n->udp_ports);
    toe_timers_clear(&n->timers);
    set_defaults(n);
}

/* ---- Turns ---- */

void toe_nop_frame_in(ToeNop *n, const uint8_t *frame, size_t len)
{
    n->in_frame = true;
    toe_eth_input(n, frame, len);
    n->in_frame = false;
}

void toe_nop_timer(ToeNop *n)
{
    int64_t now = toe_nop_now(n);
    uint32_t left = TOE_TIMERS_PER_CALL;
    uint32_t id;

    while (left-- && toe_timers_pop(&n->timers, now, &id)) {
        if (id < n->config.connections) {
            toe_tcp_timer(n, id);
        } else if (id - n->config.connections == TOE_TIMER_IPFRAG) {
            toe_ipfrag_timer(n);
        } else if (id - n->config.connections == TOE_TIMER_GROUPS) {
            toe_groups_timer(n);
        } else if (id - n->config.connections == TOE_TIMER_SYNQ) {
            toe_tcp_synq_timer(n);
        } else {
            toe_neigh_timer(n, id - n->config.connections);
        }
    }
}

int64_t toe_nop_deadline(ToeNop *n)
{
    return toe_timers_next(&n->timers);
}

bool toe_nop_run(ToeNop *n, uint32_t budget)
{
    uint32_t share;
    bool more;

    toe_loop_run(n);
    toe_eth_flush(n, &budget);
    if (n->port_busy) {
        return toe_loop_waits(n);
    }
    if (n->defer_first) {
        return true;            /* the budget is used up */
    }
    /* Neither may starve the other: UDP first, but half of it at most. */
    share = budget - budget / 2;
    budget -= share;
    more = toe_udp_run(n, &share);
    budget += share;
    if (!n->port_busy) {
        more |= toe_tcp_run(n, &budget);
    }
    return (more && !n->port_busy) || toe_loop_waits(n);
}

void toe_nop_port_busy(ToeNop *n, bool busy)
{
    n->port_busy = busy;
}

void toe_nop_link(ToeNop *n, bool up)
{
    if (up == n->link) {
        return;
    }
    toe_trace_nop_link(up);
    n->link = up;
    if (up) {
        /* Perhaps it is another cable: tell whoever is there now. */
        toe_neigh_announce(n, NULL);
        toe_groups_announce(n);
    } else {
        toe_eth_reset(n);
    }
}

/* ---- Settings ---- */

uint8_t toe_nop_port_set(ToeNop *n, uint32_t mtu, const uint8_t *mac,
                         uint32_t filter, uint64_t mcast_hash)
{
    const uint32_t known = TOE_FILTER_PROMISC | TOE_FILTER_ALLMULTI |
                           TOE_FILTER_UP;

    if (mtu && (mtu < TOE_MTU_MIN || mtu > n->config.mtu_max)) {
        toe_nop_guest_error(n, "MTU %u is not within %u to %u", mtu,
                            TOE_MTU_MIN, n->config.mtu_max);
        return TOE_ST_INVALID;
    }
    if (mac && (toe_mac_is_group(mac) || toe_mac_is_zero(mac))) {
        toe_nop_guest_error(n, "MAC %02x:%02x:%02x:%02x:%02x:%02x is no "
                            "station's", mac[0], mac[1], mac[2], mac[3],
                            mac[4], mac[5]);
        return TOE_ST_INVALID;
    }
    if (filter & ~known) {
        toe_nop_guest_error(n, "receive filter 0x%x has unknown bits", filter);
        return TOE_ST_INVALID;
    }
    if (mtu) {
        n->mtu = mtu;
    }
    if (mac && memcmp(mac, n->mac, 6)) {
        memcpy(n->mac, mac, 6);
        toe_neigh_announce(n, NULL);
    }
    n->filter = filter;
    n->mcast_hash = mcast_hash;
    toe_trace_nop_port_set(n->mtu, n->filter, n->mcast_hash);
    return TOE_ST_OK;
}

/* Where a parameter lives, and what it may be. */
typedef struct Param {
    uint32_t param;
    uint64_t min;
    uint64_t max;
    size_t offset;
    size_t size;
} Param;

#define PARAM(id, member, min, max) \
    { id, min, max, offsetof(ToeNop, member), sizeof(((ToeNop *)0)->member) }

static const Param params[] = {
    PARAM(TOE_PARAM_TIME_WAIT_MS, time_wait_ms, 0, TOE_TIME_WAIT_MS_MAX),
    PARAM(TOE_PARAM_PORT_LO, port_lo, 1, 65535),
    PARAM(TOE_PARAM_PORT_HI, port_hi, 1, 65535),
    PARAM(TOE_PARAM_RCVBUF, rcvbuf, TOE_BUF_MIN, TOE_BUF_MAX),
    PARAM(TOE_PARAM_SNDBUF, sndbuf, TOE_BUF_MIN, TOE_BUF_MAX),
    PARAM(TOE_PARAM_ORPHAN_MS, orphan_ms, 0, TOE_ORPHAN_MS_MAX),
    PARAM(TOE_PARAM_FORWARD_TTL, ttl, 1, 255),
    PARAM(TOE_PARAM_CONGESTION, congestion, 0, TOE_CC_MAX),
    PARAM(TOE_PARAM_ECN, ecn, 0, TOE_ECN_MODE_MAX),
    PARAM(TOE_PARAM_PACING, pacing, 0, 1),
    PARAM(TOE_PARAM_RCVBUF_MAX, rcvbuf_max, TOE_BUF_MIN, TOE_BUF_AUTO_MAX),
    PARAM(TOE_PARAM_SNDBUF_MAX, sndbuf_max, TOE_BUF_MIN, TOE_BUF_AUTO_MAX),
    PARAM(TOE_PARAM_UTO_MIN_MS, uto_min_ms, TOE_UTO_LEAST_MS,
          TOE_UTO_MIN_MS_MAX),
    PARAM(TOE_PARAM_UTO_MAX_MS, uto_max_ms, TOE_UTO_LEAST_MS,
          TOE_UTO_MAX_MS_MAX),
    PARAM(TOE_PARAM_UDP_RCVBUF, udp_rcvbuf, TOE_UDP_BUF_MIN, TOE_UDP_BUF_MAX),
    PARAM(TOE_PARAM_UDP_SNDBUF, udp_sndbuf, TOE_UDP_BUF_MIN, TOE_UDP_BUF_MAX),
    PARAM(TOE_PARAM_SYN_COOKIES, syn_cookies, 0, TOE_SYN_COOKIES_ALWAYS),
    PARAM(TOE_PARAM_SYNACK_RETRIES, synack_retries, 0,
          TOE_SYNACK_RETRIES_MAX),
    PARAM(TOE_PARAM_FASTOPEN, fastopen, 0,
          TOE_FASTOPEN_CLIENT | TOE_FASTOPEN_SERVER),
    PARAM(TOE_PARAM_SYN_BACKLOG, syn_backlog, 1, TOE_BACKLOG_MAX + 1),
    PARAM(TOE_PARAM_MTU_PROBING, mtu_probing, 0, 1),
};

static const Param *find_param(uint32_t param)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(params); i++) {
        if (params[i].param == param) {
            return &params[i];
        }
    }
    return NULL;
}

uint8_t toe_nop_param_set(ToeNop *n, uint32_t param, uint64_t value)
{
    const Param *p = find_param(param);
    uint8_t *at;

    if (!p) {
        toe_nop_guest_error(n, "parameter %u does not exist", param);
        return TOE_ST_INVALID;
    }
    if (value < p->min || value > p->max) {
        toe_nop_guest_error(n, "parameter %u: %" PRIu64 " is not within "
                            "%" PRIu64 " to %" PRIu64, param, value, p->min,
                            p->max);
        return TOE_ST_INVALID;
    }
    at = (uint8_t *)n + p->offset;
    switch (p->size) {
    case 1:
        *at = (uint8_t)value;
        break;
    case 2:
        *(uint16_t *)at = (uint16_t)value;
        break;
    default:
        *(uint32_t *)at = (uint32_t)value;
        break;
    }
    toe_trace_nop_param(param, value);
    return TOE_ST_OK;
}

uint8_t toe_nop_param_get(ToeNop *n, uint32_t param, uint64_t *value)
{
    const Param *p = find_param(param);
    const uint8_t *at;

    if (!p) {
        toe_nop_guest_error(n, "parameter %u does not exist", param);
        return TOE_ST_INVALID;
    }
    at = (const uint8_t *)n + p->offset;
    switch (p->size) {
    case 1:
        *value = *at;
        break;
    case 2:
        *value = *(const uint16_t *)at;
        break;
    default:
        *value = *(const uint32_t *)at;
        break;
    }
    return TOE_ST_OK;
}

static bool neigh_valid(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    return toe_route_is_host(n, family, addr) &&
           !toe_ip_is_local(n, family, addr);
}

uint8_t toe_nop_neigh_add(ToeNop *n, uint8_t family, const uint8_t *addr,
                          const uint8_t *mac)
{
    if (!neigh_valid(n, family, addr) || toe_mac_is_group(mac) ||
        toe_mac_is_zero(mac)) {
        toe_nop_guest_error(n, "neighbour to add is none: family %u, 0x%08x "
                            "at %02x:%02x:%02x:%02x:%02x:%02x", family,
                            toe_get32(addr), mac[0], mac[1], mac[2], mac[3],
                            mac[4], mac[5]);
        return TOE_ST_INVALID;
    }
    return toe_neigh_set(n, family, addr, mac);
}

uint8_t toe_nop_neigh_del(ToeNop *n, uint8_t family, const uint8_t *addr)
{
    if (!toe_route_is_host(n, family, addr)) {
        return TOE_ST_INVALID;
    }
    /* It may have been evicted or forgotten meanwhile: no error. */
    return toe_neigh_set(n, family, addr, NULL);
}
