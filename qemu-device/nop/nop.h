/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nop.h - inside the network operation processors.
 *
 * What the files of nop/ share with each other and nobody else: the state of
 * the network side, and the calls between Ethernet, ARP, IPv4, ICMP and TCP.
 * The host side knows stream.h only.
 *
 *   frame in:   nop.c -> eth.c -> arp.c | ipv4.c -> icmp.c | tcp/
 *                                         (ipfrag4.c -> ipfrag.c)
 *                          \            ipv6.c -> icmp6.c -> nd.c | tcp/
 *                          \-> the operating system (ops->eth_frame)
 *   packet out: tcp/, icmp.c, icmp6.c -> ipv4.c | ipv6.c -> route.c
 *               -> neigh.c (asks by arp.c, nd.c) -> eth.c -> port
 *               group.c -> igmp.c | mld.c -> eth.c, for groups
 *               -> loop.c -> ipv4.c | ipv6.c, for our own addresses
 *
 * Addresses are 16 bytes in network order; an IPv4 address stands in the
 * first four and the rest is zero.  Times are ns of the virtual clock.
 */
#ifndef TOE_NOP_H
#define TOE_NOP_H

#include <string.h>
#include <glib.h>
#include "checksum.h"
#include "counters.h"
#include "env.h"
#include "lmem.h"
#include "ports.h"
#include "siphash.h"
#include "stream.h"
#include "timer.h"
#include "toe_hw.h"

#define TOE_NS_PER_MS           1000000LL
#define TOE_NS_PER_S            1000000000LL

#define TOE_PROTO_ICMP          1u
#define TOE_PROTO_IGMP          2u
#define TOE_PROTO_TCP           6u
#define TOE_PROTO_UDP           17u
#define TOE_PROTO_ICMP6         58u

#define TOE_ETH_FRAME_MAX       (65535u + 18u)  /* IPv4 packet, VLAN tag */
#define TOE_MTU_MIN             68u             /* RFC 791 */
#define TOE_MTU_DEFAULT         1500u
#define TOE_MTU_MIN_V6          1280u           /* RFC 8200, 5 */

/* Room before the transport header in the transmit buffer. */
#define TOE_TX_HEADROOM         128u

#define TOE_IPV4_MAX            65535u
#define TOE_TX_SIZE             (TOE_TX_HEADROOM + TOE_IPV4_MAX + 1u)

#define TOE_ADDRS_MAX           64u
#define TOE_ROUTES_MAX          512u
#define TOE_NEIGHS_MAX          1024u
#define TOE_IP_IDS              256u            /* counters, ipv4.c */
#define TOE_PMTU_MAX            256u
#define TOE_PMTU_AGE_NS         (600 * TOE_NS_PER_S)    /* RFC 8201, 4 */

/* Output that waits because the port is busy. */
#define TOE_DEFER_FRAMES_MAX    2048u   /* 64 KiB in the smallest fragments */
#define TOE_DEFER_BYTES_MAX     (1u << 20)

/* Timer ids from config.connections on are the NOP's own. */
#define TOE_TIMER_ANNOUNCE      0u
#define TOE_TIMER_IPFRAG        1u
#define TOE_TIMER_GROUPS        2u
#define TOE_TIMER_SYNQ          7u
#define TOE_TIMER_NEIGH         8u              /* + index of the neighbour */
#define TOE_TIMERS_OWN          (TOE_TIMER_NEIGH + TOE_NEIGHS_MAX)

typedef struct ToeTcp ToeTcp;
typedef struct ToeUdp ToeUdp;
typedef struct ToeIpFrag ToeIpFrag;
typedef struct ToeGroups ToeGroups;
typedef struct ToeLoop ToeLoop;
typedef struct ToeNeighs ToeNeighs;

/* An address of the port. */
typedef struct ToeLocalAddr {
    uint8_t family;
    uint8_t prefix;
    uint8_t announce;           /* announcements still to be sent */
    uint8_t addr[16];
    int64_t defended;           /* last defence against another claim */
} ToeLocalAddr;

typedef struct ToeRoute {
    uint8_t family;
    uint8_t prefix;
    bool connected;             /* belongs to a local address */
    uint32_t metric;
    uint8_t dst[16];            /* bits behind the prefix are zero */
    uint8_t gateway[16];        /* zero: on link */
} ToeRoute;

/* What is known of the path to a host. */
typedef struct ToePathMtu {
    uint8_t family;
    uint8_t dst[16];
    uint32_t mtu;
    int64_t expires;
} ToePathMtu;

/* A frame waiting for something. */
typedef struct ToeWaiting {
    struct ToeWaiting *next;
    size_t len;
    bool more;                  /* the next one is of the same packet */
    uint8_t data[];
} ToeWaiting;

struct ToeNop {
    const ToeEnv *env;
    ToeLmem *lm;
    ToeCounters *counters;
    ToeNopConfig config;
    const ToeStreamOps *ops;
    void *ops_opaque;

    /* The port, as the driver set it. */
    uint8_t mac[6];
    uint32_t mtu;               /* IP bytes; TOE_MTU_MIN..config.mtu_max */
    uint32_t filter;            /* TOE_FILTER_* */
    uint64_t mcast_hash;
    bool link;
    bool port_busy;             /* send nothing now */
    bool in_frame;              /* toe_nop_frame_in(): send nothing either */
    ToeWaiting *defer_first;    /* what was sent nevertheless */
    ToeWaiting *defer_last;
    uint32_t defer_frames;
    uint32_t defer_bytes;

    /* TOE_PARAM_* */
    uint32_t time_wait_ms;
    uint32_t orphan_ms;
    uint32_t rcvbuf;
    uint32_t sndbuf;
    uint16_t port_lo;           /* may be above port_hi: toe_ports_pick() */
    uint16_t port_hi;
    uint8_t ttl;
    uint8_t congestion;
    uint8_t ecn;
    uint8_t pacing;
    uint32_t rcvbuf_max;        /* where auto-tuning ends */
    uint32_t sndbuf_max;
    uint32_t uto_min_ms;
    uint32_t uto_max_ms;
    uint8_t syn_cookies;        /* TOE_SYN_COOKIES_* */
    uint8_t synack_retries;
    uint8_t fastopen;           /* TOE_FASTOPEN_* */
    uint32_t syn_backlog;
    uint8_t mtu_probing;

    ToeTimers timers;
    ToePorts tcp_ports;
    ToePorts udp_ports;
    ToeSipKey hash_key;         /* for tables and identifiers */

    ToeLocalAddr addrs[TOE_ADDRS_MAX];
    uint32_t naddrs;
    ToeRoute routes[TOE_ROUTES_MAX];    /* first match is the best */
    uint32_t nroutes;
    ToePathMtu pmtu[TOE_PMTU_MAX];      /* in sets */

    ToeIpFrag *ipfrag;
    ToeNeighs *neighs;
    ToeLoop *loop;
    ToeGroups *groups;
    uint16_t ip_id[TOE_IP_IDS];
    uint32_t icmp_tokens;       /* errors that may be sent now */
    int64_t icmp_refill;        /* time up to which tokens were given */

    uint8_t *tx;                /* headroom + 64 KiB */
    ToeTcp *tcp;
    ToeUdp *udp;
    uint32_t udp_rcvbuf;        /* TOE_PARAM_UDP_* */
    uint32_t udp_sndbuf;
};

/* ---- nop.c ---- */

static inline int64_t toe_nop_now(ToeNop *n)
{
    return n->env->now(n->env->opaque);
}

/* A random number from the world. */
static inline uint64_t toe_nop_random(ToeNop *n)
{
    uint64_t r;

    n->env->random(n->env->opaque, &r, sizeof(r));
    return r;
}

/* A mistake of the guest, printf style. */
void toe_nop_guest_error(ToeNop *n, const char *fmt, ...)
    G_GNUC_PRINTF(2, 3);

/* ---- What goes between IP and the transports ---- */

/* A received packet; lengths, checksum of the header, addresses checked. */
typedef struct ToeIpPacket {
    uint8_t family;             /* TOE_AF_* */
    uint8_t tos;
    uint8_t ttl;
    uint8_t proto;
    uint8_t src[16];            /* unicast, not our own */
    uint8_t dst[16];            /* ours */
    const uint8_t *payload;     /* transport header on */
    size_t len;
} ToeIpPacket;

/*
 * An ICMP error about a TCP segment of ours; nothing in it is trustworthy:
 * TCP checks that seq is outstanding (RFC 5927).
 */
typedef struct ToeIcmpError {
    uint8_t family;
    uint8_t type;               /* as on the wire */
    uint8_t code;
    uint8_t src[16];            /* of the quoted packet: local */
    uint8_t dst[16];            /* of the quoted packet: remote */
    uint16_t lport;
    uint16_t rport;
    uint32_t seq;
    uint32_t mtu;               /* fragmentation needed: next hop's, or 0 */
    uint32_t size;              /* IP bytes of the quoted packet, it says */
} ToeIcmpError;

/* ---- tcp/ ---- */

ToeTcp *toe_tcp_new(ToeNop *n);
void toe_tcp_free(ToeTcp *tcp);
/* Every connection vanishes: no event, no segment. */
void toe_tcp_reset(ToeTcp *tcp);
/*
 * A segment.  False: no connection or listener of the adapter takes it; it
 * goes to the operating system, or to toe_tcp_reject() if that is not up.
 */
bool toe_tcp_input(ToeNop *n, const ToeIpPacket *p);
/* Answer RST (RFC 9293 3.10.7.1). */
void toe_tcp_reject(ToeNop *n, const ToeIpPacket *p);
/* False: about no connection of the adapter. */
bool toe_tcp_icmp_error(ToeNop *n, const ToeIcmpError *e);
/* The timer of this NCB expired; index < config.connections. */
void toe_tcp_timer(ToeNop *n, uint32_t index);
/* A half-open connection waited long enough. */
void toe_tcp_synq_timer(ToeNop *n);
/*
 * An output turn; takes the frame bytes it sent off *budget and ends when
 * that is used up or n->port_busy is set.  True: more waits.
 */
bool toe_tcp_run(ToeNop *n, uint32_t *budget);
/* This address is no longer ours. */
void toe_tcp_addr_gone(ToeNop *n, uint8_t family, const uint8_t *addr);

/* ---- udp.c, udp_in.c, udp_out.c ---- */

ToeUdp *toe_udp_new(ToeNop *n);
void toe_udp_free(ToeUdp *u);
/* Every socket vanishes: no event, no datagram. */
void toe_udp_reset(ToeUdp *u);
/*
 * A datagram to an address of ours.  False: no socket of the adapter takes
 * it; it goes to the operating system, or is answered "port unreachable".
 */
bool toe_udp_input(ToeNop *n, const ToeIpPacket *p);
/*
 * A datagram to a group or to everybody: each socket that wants it gets a
 * copy.  Whoever else is on this host is not the adapter's to say.
 */
void toe_udp_group_input(ToeNop *n, const ToeIpPacket *p);
/* False: about no socket of the adapter. */
bool toe_udp_icmp_error(ToeNop *n, const ToeIcmpError *e);
/* An output turn, as toe_tcp_run(). */
bool toe_udp_run(ToeNop *n, uint32_t *budget);

/* ---- route.c ---- */

/*
 * Find the way to dst.  laddr: a local address, or zero: chosen and filled
 * in.  *mtu: the largest IP packet that toe_ip_output() takes for it, which
 * is config.max_segment if the port takes large packets, else n->mtu, or
 * less if the path is known not to take that (pmtu.c); may be
 * NULL.  TOE_ST_OK; TOE_ST_INVALID: family; TOE_ST_ADDRNOTAVAIL: laddr is
 * not ours, or there is none to choose; TOE_ST_NOROUTE: also for dst not a
 * unicast address.  To our own addresses it leads through loop.c.
 */
uint8_t toe_ip_route(ToeNop *n, uint8_t family, const uint8_t *dst,
                     uint8_t *laddr, uint32_t *mtu);
bool toe_ip_is_local(ToeNop *n, uint8_t family, const uint8_t *addr);
/* What sort of destination this is; of one that is malformed: TOE_DST_HOST. */
typedef enum ToeDst {
    TOE_DST_HOST,               /* one host, or no address at all */
    TOE_DST_GROUP,              /* multicast */
    TOE_DST_BROADCAST,          /* limited, or of a subnet of ours */
} ToeDst;
ToeDst toe_route_kind(ToeNop *n, uint8_t family, const uint8_t *addr);
/*
 * The largest IP packet that goes to dst in one piece: the port's, or the
 * path's if that is known to take less.
 */
uint32_t toe_ip_path_max(ToeNop *n, uint8_t family, const uint8_t *dst);
/* The local address's entry, or NULL. */
ToeLocalAddr *toe_route_local(ToeNop *n, uint8_t family, const uint8_t *addr);
/* The neighbour to send to for dst, or the group.  False: no route. */
bool toe_route_next_hop(ToeNop *n, uint8_t family, const uint8_t *dst,
                        uint8_t *hop);
/* May one host have this address, as far as our own subnets tell? */
bool toe_route_is_host(ToeNop *n, uint8_t family, const uint8_t *addr);
/* Our address to speak from to this neighbour.  False: there is none. */
bool toe_route_source(ToeNop *n, uint8_t family, const uint8_t *hop,
                      uint8_t *laddr);
/*
 * What is sent to dst finds no answer, says its transport (RFC 1122, 3.3.1.4):
 * whoever it goes by is asked for again when next used, to find a gateway that
 * died or moved.
 */
void toe_route_suspect(ToeNop *n, uint8_t family, const uint8_t *dst);
/* Is addr reached without a gateway? */
bool toe_route_on_link(ToeNop *n, uint8_t family, const uint8_t *addr);
void toe_route_reset(ToeNop *n);

/* ---- ipv4.c ---- */

#define TOE_IP_DF               0x1u    /* do not fragment */

/*
 * Where the transport header goes; after it there is room for 64 KiB.  There
 * is one such buffer: it is the caller's until toe_ip_output(), which leaves
 * the contents from here on as they are.
 */
uint8_t *toe_ip_tx_buffer(ToeNop *n);
/*
 * Send the len bytes in the transmit buffer, whose transport checksum is in
 * place.  Headers are put before them.  While the neighbour is being resolved
 * or the port is busy, a bounded number of copies waits: TOE_ST_OK as well.
 * TOE_ST_NOROUTE, TOE_ST_TOOBIG; TOE_ST_UNREACH: the neighbour did not
 * answer lately; TOE_ST_BUSY, TOE_ST_NOMEM: no room to wait, dropped and
 * counted; TOE_ST_LINKDOWN: dropped.
 */
uint8_t toe_ip_output(ToeNop *n, uint8_t family, const uint8_t *src,
                      const uint8_t *dst, uint8_t proto, uint8_t ttl,
                      uint8_t tos, size_t len, unsigned flags);
/* The largest IP packet that may be sent. */
uint32_t toe_ip_max(const ToeNop *n, uint8_t family);
/* An IPv4 identification for a packet that may be fragmented. */
uint16_t toe_ipv4_identification(ToeNop *n, const uint8_t *src,
                                 const uint8_t *dst, uint8_t proto);

/* ---- ipfrag_out.c ---- */

/*
 * As toe_ip_output(), for what does not fit in one packet too: up to 65535
 * bytes with an IPv4 header, 65535 without an IPv6 header.  It goes out in
 * fragments, and the transmit buffer is then used up.
 */
uint8_t toe_ip_output_fragments(ToeNop *n, uint8_t family,
                                const uint8_t *src, const uint8_t *dst,
                                uint8_t proto, uint8_t ttl, uint8_t tos,
                                size_t len);

struct ToeWireIpv4;
struct ToeWireIpv6;

/*
 * An IPv4 packet, the len bytes at offset packet of an Ethernet frame;
 * unicast: the frame was for our MAC alone.  False: it is the operating
 * system's.
 */
bool toe_ipv4_input(ToeNop *n, const uint8_t *frame, size_t frame_len,
                    size_t packet, size_t len, bool unicast);
/*
 * A whole packet for us to the NOP that it is for.  False: it is the
 * operating system's.
 */
bool toe_ipv4_deliver(ToeNop *n, const struct ToeWireIpv4 *ip);
/* What the layers above see of it.  payload is where ip's is. */
void toe_ipv4_packet(const struct ToeWireIpv4 *ip, ToeIpPacket *p);

/* ---- ipfrag.c ---- */

/* Both set and clear n->ipfrag.  Local memory outlives it. */
ToeIpFrag *toe_ipfrag_new(ToeNop *n);
void toe_ipfrag_free(ToeNop *n);
void toe_ipfrag_reset(ToeNop *n);
void toe_ipfrag_timer(ToeNop *n);

/* ---- ipfrag4.c, ipfrag6.c ---- */

/*
 * A fragment for us, in this frame: kept, dropped and counted, or the last
 * one.  The whole packet then goes to toe_ipv4_deliver(), or the frames of all
 * its fragments to the operating system.
 */
void toe_ipfrag4_input(ToeNop *n, const uint8_t *frame, size_t len,
                       const struct ToeWireIpv4 *ip);
/*
 * The same for IPv6 and toe_ipv6_deliver().  at: offset of the fragment
 * header, which is whole, from the packet's; named: of the field that names it.
 */
void toe_ipfrag6_input(ToeNop *n, const uint8_t *frame, size_t len,
                       const struct ToeWireIpv6 *ip, size_t at,
                       size_t named);

/* ---- loop.c: to our own addresses ---- */

ToeLoop *toe_loop_new(void);
void toe_loop_free(ToeLoop *l);
void toe_loop_reset(ToeNop *n);
/*
 * Keep a whole IP packet for the next turn.  TOE_ST_OK; TOE_ST_BUSY: no room,
 * dropped and counted.
 */
uint8_t toe_loop_output(ToeNop *n, uint8_t family, const uint8_t *packet,
                        size_t len);
/* Who can wait sends no more in this turn. */
bool toe_loop_full(const ToeNop *n);
bool toe_loop_waits(const ToeNop *n);
/* A turn: what waits goes to the NOPs. */
void toe_loop_run(ToeNop *n);

/* ---- pmtu.c ---- */

/* The MTU of the path to dst: mtu, or less if that is known. */
uint32_t toe_pmtu_get(ToeNop *n, uint8_t family, const uint8_t *dst,
                      uint32_t mtu);
/* It is so, as somebody has verified. */
void toe_pmtu_set(ToeNop *n, uint8_t family, const uint8_t *dst,
                  uint32_t mtu);
void toe_pmtu_reset(ToeNop *n);

/* ---- icmp.c ---- */

/* An ICMP message to us.  False: it is the operating system's. */
bool toe_icmp_input(ToeNop *n, const ToeIpPacket *p);
/* The same, but nothing is answered: only an error about ours is taken. */
bool toe_icmp_error_input(ToeNop *n, const ToeIpPacket *p);
/*
 * Answer a packet with "destination unreachable" and this code, if the rules
 * of RFC 1122 3.2.2 and the rate limit allow.
 */
void toe_icmp_unreachable(ToeNop *n, const struct ToeWireIpv4 *ip,
                          uint8_t code);
/*
 * Tell the sender of this fragment, the first of its packet, that the others
 * did not come in time.  The same rate limit.
 */
void toe_icmp_reassembly_time(ToeNop *n, const struct ToeWireIpv4 *ip);
void toe_icmp_reset(ToeNop *n);

/* May an error go out now?  Of both families together; takes a token. */
bool toe_icmp_may_send(ToeNop *n);

/* ---- ipv6.c ---- */

/* As toe_ipv4_input().  False: it is the operating system's, perhaps too. */
bool toe_ipv6_input(ToeNop *n, const uint8_t *frame, size_t frame_len,
                    size_t packet, size_t len, bool unicast);
/* A packet put together, as toe_ipv4_deliver(). */
bool toe_ipv6_deliver(ToeNop *n, const uint8_t *packet, size_t len);
/* RFC 4443, 2.4 e: no error is sent about an error. */
bool toe_ipv6_carries_error(const struct ToeWireIpv6 *ip);
/*
 * Are all headers here, up to the transport's and that one included (RFC
 * 7112)?  next: what p begins with.
 */
bool toe_ipv6_chain_whole(const uint8_t *p, size_t len, uint8_t next);
/* toe_ip_output() for TOE_AF_INET6. */
uint8_t toe_ipv6_output(ToeNop *n, const uint8_t *src, const uint8_t *dst,
                        uint8_t proto, uint8_t ttl, uint8_t tos, size_t len);

/* ---- icmp6.c ---- */

/* An ICMPv6 message to us or to a group of ours.  False: as above. */
bool toe_icmp6_input(ToeNop *n, const ToeIpPacket *p);
/* As toe_icmp_error_input(). */
bool toe_icmp6_error_input(ToeNop *n, const ToeIpPacket *p);
/*
 * Answer a packet with this error, if RFC 4443 2.4 and the rate limit allow.
 * rest: the type's 32 bits.
 */
void toe_icmp6_error(ToeNop *n, const struct ToeWireIpv6 *ip, uint8_t type,
                     uint8_t code, uint32_t rest);

/* ---- nd.c ---- */

struct ToeWireIcmp;
/* A neighbour solicitation or advertisement.  False: as above. */
bool toe_nd_input(ToeNop *n, const ToeIpPacket *p,
                  const struct ToeWireIcmp *m);
/* Ask for a neighbour: him alone, or everybody (mac NULL). */
void toe_nd_solicit(ToeNop *n, const uint8_t *addr, const uint8_t *mac);
/* Tell everybody our MAC for this address. */
void toe_nd_announce(ToeNop *n, const ToeLocalAddr *a);

/* ---- arp.c ---- */

/* An ARP packet.  True: handled; false: the operating system wants it too. */
bool toe_arp_input(ToeNop *n, const uint8_t *packet, size_t len);
/* As toe_nd_solicit() and toe_nd_announce(). */
void toe_arp_request(ToeNop *n, const uint8_t *addr, const uint8_t *mac);
void toe_arp_announce(ToeNop *n, const ToeLocalAddr *a);

/* ---- neigh.c ---- */

ToeNeighs *toe_neigh_new(ToeNop *n);
void toe_neigh_free(ToeNop *n);
void toe_neigh_reset(ToeNop *n);
/*
 * Send an IP frame to this neighbour: fills in the destination MAC, or
 * keeps a copy and resolves.  As toe_ip_output().
 */
uint8_t toe_neigh_output(ToeNop *n, uint8_t family, const uint8_t *hop,
                         uint8_t *frame, size_t len);
/*
 * A packet in several frames, all or none of which wait: toe_neigh_room()
 * with the bytes of all, and if that says TOE_ST_OK each of them at once.
 */
uint8_t toe_neigh_room(ToeNop *n, uint8_t family, const uint8_t *hop,
                       size_t len);
uint8_t toe_neigh_output_part(ToeNop *n, uint8_t family, const uint8_t *hop,
                              uint8_t *frame, size_t len, bool first,
                              bool last);
/*
 * ARP: the neighbour is there, with this MAC.  answer: to a question of ours;
 * add: also if it is not in the table.
 */
void toe_neigh_confirm(ToeNop *n, uint8_t family, const uint8_t *addr,
                       const uint8_t *mac, bool answer, bool add);
/* ND: the neighbour says its MAC, asking for us (RFC 4861, 7.2.3). */
void toe_neigh_hear(ToeNop *n, uint8_t family, const uint8_t *addr,
                    const uint8_t *mac);
/* ND: an advertisement (RFC 4861, 7.2.5); mac may be NULL. */
void toe_neigh_advert(ToeNop *n, uint8_t family, const uint8_t *addr,
                      const uint8_t *mac, bool solicited, bool override);
/* It may be gone: ask it again as soon as it is used. */
void toe_neigh_suspect(ToeNop *n, uint8_t family, const uint8_t *addr);
/* The driver's word on a neighbour (mac NULL: forget it). */
uint8_t toe_neigh_set(ToeNop *n, uint8_t family, const uint8_t *addr,
                      const uint8_t *mac);
/* Announce an address (NULL: all) to the neighbours, from a timer. */
void toe_neigh_announce(ToeNop *n, ToeLocalAddr *a);
/* A timer of neigh.c's; id as in TOE_TIMER_*. */
void toe_neigh_timer(ToeNop *n, uint32_t id);

/* ---- eth.c ---- */

/* Sort one received frame. */
void toe_eth_input(ToeNop *n, const uint8_t *frame, size_t len);
/* A received frame that was kept, and is the operating system's after all. */
void toe_eth_to_os(ToeNop *n, const uint8_t *frame, size_t len);
/*
 * Send a frame of the NOP's: at once, or a copy when the port is ready again.
 * TOE_ST_OK, TOE_ST_LINKDOWN, TOE_ST_BUSY: no room, dropped and counted.
 */
uint8_t toe_eth_output(ToeNop *n, const uint8_t *frame, size_t len);
/* Send what waited for the port, as long as it takes it. */
void toe_eth_flush(ToeNop *n, uint32_t *budget);
/* Forget what waits for the port. */
void toe_eth_reset(ToeNop *n);

static inline bool toe_mac_is_group(const uint8_t *mac)
{
    return mac[0] & 1;
}

static inline bool toe_mac_is_zero(const uint8_t *mac)
{
    return !(mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

#endif
