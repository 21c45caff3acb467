/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * common_nop6.c - see common_nop6.h.
 */
#include "common_nop6.h"

static void zero_counters(struct world *w)
{
	w->counters.v[TOE_CTR_PORT_FRAMES_OUT] = 0;
	w->counters.v[TOE_CTR_PORT_BYTES_OUT] = 0;
	w->counters.v[TOE_CTR_ND_ADVERTS_OUT] = 0;
}

struct world *world6_new_config(const ToeNopConfig *config, size_t ram,
				const ToeStreamOps *ops)
{
	struct world *w = world_new_config(config, ram, ops);

	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET6, W6, 64),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET6, W6_LL, 64),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET6, W6, 64, NULL,
					    256), TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET6, W6_LL, 64,
					    NULL, 256), TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET6, NO6, 0, P6_LL,
					    1024), TOE_ST_OK);
	world_advance(w, 10 * SEC);
	world_forget(w);
	zero_counters(w);
	return w;
}

struct world *world6_new(void)
{
	ToeNopConfig config = world_default_config();

	return world6_new_config(&config, 4u << 20, NULL);
}

void world6_know_peer(struct world *w)
{
	ck_assert_uint_eq(toe_nop_neigh_add(w->n, TOE_AF_INET6, P6, PEER_MAC),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_neigh_add(w->n, TOE_AF_INET6, P6_LL,
					    PEER_MAC), TOE_ST_OK);
}

/* ---- Frames to the adapter ---- */

size_t world6_make(uint8_t *out, const uint8_t *src, const uint8_t *dst,
		   uint8_t next, uint8_t hops, const void *payload,
		   size_t len)
{
	uint8_t mac[6] = { 0x33, 0x33, dst[12], dst[13], dst[14], dst[15] };

	toe_wire_eth_build(out, dst[0] == 0xff ? mac : WORLD_MAC, PEER_MAC,
			   TOE_ETHERTYPE_IPV6);
	toe_wire_ipv6_build(out + 14, 0, 0, len, next, hops, src, dst);
	if (len)
		memcpy(out + 54, payload, len);
	return 54 + len;
}

void world6_in(struct world *w, const uint8_t *src, const uint8_t *dst,
	       uint8_t next, uint8_t hops, const void *payload, size_t len)
{
	uint8_t *f = g_malloc(54 + len);

	len = world6_make(f, src, dst, next, hops, payload, len);
	f[14] |= w->tos >> 4;
	f[15] |= (uint8_t)(w->tos << 4);
	world_in(w, f, len);
	g_free(f);
}

void world6_in_icmp(struct world *w, const uint8_t *src, const uint8_t *dst,
		    uint8_t hops, uint8_t type, uint8_t code, uint32_t rest,
		    const void *body, size_t len)
{
	uint8_t *m = g_malloc(8 + len);
	uint32_t sum = toe_csum_pseudo(TOE_AF_INET6, src, dst, 58,
				       (uint32_t)len + 8);

	toe_wire_icmp_build(m, type, code, rest);
	if (len)
		memcpy(m + 8, body, len);
	toe_csum_store(m + 2, toe_csum(m, 8 + len, sum));
	world6_in(w, src, dst, 58, hops, m, 8 + len);
	g_free(m);
}

/* ---- Frames from the adapter ---- */

ToeWireIpv6 world6_expect(struct world *w, uint8_t next)
{
	ToeWireEth e;
	ToeWireIpv6 ip;
	size_t len;
	const uint8_t *f = world_sent(w, &len);

	ck_assert_msg(f, "no frame was sent, expected IPv6");
	ck_assert(toe_wire_eth_parse(f, len, &e));
	ck_assert_uint_eq(e.type, TOE_ETHERTYPE_IPV6);
	ck_assert_mem_eq(e.src, w->n->mac, 6);
	ck_assert(toe_wire_ipv6_parse(e.payload, e.len, &ip));
	ck_assert_uint_eq(ip.next, next);
	return ip;
}

ToeWireIcmp world6_expect_icmp(struct world *w, uint8_t type)
{
	ToeWireIpv6 ip = world6_expect(w, 58);
	ToeWireIcmp m;

	ck_assert_int_eq(toe_wire_icmp6_parse(ip.src, ip.dst, ip.payload,
					      ip.len, &m), TOE_WIRE_ICMP_OK);
	ck_assert_uint_eq(m.type, type);
	return m;
}
