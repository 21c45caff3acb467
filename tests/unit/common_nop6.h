/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * common_nop6.h - common_nop.h's world with IPv6.
 *
 * The port has W6 (fec0::15/64) and W6_LL (fe80::15/64) beside its IPv4
 * address, both nets on link and a default route by P6_LL (fe80::2).  The
 * neighbours P6 (fec0::2) and P6_LL have PEER_MAC, to be learnt.
 */
#ifndef TOE_TESTS_COMMON_NOP6_H
#define TOE_TESTS_COMMON_NOP6_H

#include "common_nop.h"
#include "nop/wire6.h"

/* Two bytes at the beginning, three at the end. */
#define IP6(a, b, x, y, z) \
	((const uint8_t[16]){ a, b, [13] = x, [14] = y, [15] = z })
#define W6		IP6(0xfe, 0xc0, 0, 0, 0x15)
#define W6_LL		IP6(0xfe, 0x80, 0, 0, 0x15)
#define P6		IP6(0xfe, 0xc0, 0, 0, 2)
#define P6_LL		IP6(0xfe, 0x80, 0, 0, 2)
#define Q6		IP6(0xfe, 0xc0, 0, 0, 0x99)	/* on link too */
#define FAR6		IP6(0x20, 0x01, 0, 0, 1)	/* by the gateway */
#define NO6		IP6(0, 0, 0, 0, 0)
#define ALL_NODES6	IP6(0xff, 0x02, 0, 0, 1)

/* As world_new(); the announcements are sent and forgotten. */
struct world *world6_new(void);
struct world *world6_new_config(const ToeNopConfig *config, size_t ram,
				const ToeStreamOps *ops);
void world6_know_peer(struct world *w);

/* ---- Frames to the adapter ---- */

/* From PEER_MAC to WORLD_MAC or the group's; header right. */
void world6_in(struct world *w, const uint8_t *src, const uint8_t *dst,
	       uint8_t next, uint8_t hops, const void *payload, size_t len);
size_t world6_make(uint8_t *out, const uint8_t *src, const uint8_t *dst,
		   uint8_t next, uint8_t hops, const void *payload,
		   size_t len);
/* ICMPv6 with its checksum. */
void world6_in_icmp(struct world *w, const uint8_t *src, const uint8_t *dst,
		    uint8_t hops, uint8_t type, uint8_t code, uint32_t rest,
		    const void *body, size_t len);

/* ---- Frames from the adapter ---- */

/* Source and destination MAC of the frame are in w->last.data. */
ToeWireIpv6 world6_expect(struct world *w, uint8_t next);
ToeWireIcmp world6_expect_icmp(struct world *w, uint8_t type);

#endif
