/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_nd.c - neighbour discovery, message by message (RFC 4861).
 */
#include <stdlib.h>
#include "common_nop6.h"
#include "fake_tcp.h"

#define SOLICITED	0x40000000u
#define OVERRIDE	0x20000000u

static struct world *w;

static void setup(void)
{
	w = world6_new();
	fake_tcp_clear();
}

static void teardown(void)
{
	world_free(w);
}

/* ---- What the neighbour says ---- */

static const uint8_t *group_of(const uint8_t *addr)
{
	static uint8_t g[16];

	memset(g, 0, 16);
	g[0] = 0xff, g[1] = 2, g[11] = 1, g[12] = 0xff;
	memcpy(g + 13, addr + 13, 3);
	return g;
}

static size_t body(uint8_t *b, const uint8_t *target, uint8_t option,
		   const uint8_t *mac)
{
	memcpy(b, target, 16);
	if (!mac)
		return 16;
	b[16] = option;
	b[17] = 1;
	memcpy(b + 18, mac, 6);
	return 24;
}

static void say_ns(const uint8_t *src, const uint8_t *dst,
		   const uint8_t *target, const uint8_t *mac)
{
	uint8_t b[24];

	world6_in_icmp(w, src, dst, 255, 135, 0, 0, b,
		       body(b, target, 1, mac));
}

static void say_na(const uint8_t *dst, const uint8_t *target,
		   const uint8_t *mac, uint32_t flags)
{
	uint8_t b[24];

	world6_in_icmp(w, target, dst, 255, 136, 0, flags, b,
		       body(b, target, 2, mac));
}

/* ---- What the adapter says ---- */

/* mac NULL: to the group. */
static void hear_ns(const uint8_t *target, const uint8_t *src,
		    const uint8_t *mac)
{
	uint8_t group[6] = { 0x33, 0x33, 0xff, target[13], target[14],
			     target[15] };
	ToeWireIpv6 ip = world6_expect(w, 58);
	ToeWireIcmp m;

	ck_assert_mem_eq(w->last.data, mac ? mac : group, 6);
	ck_assert_uint_eq(ip.hops, 255);
	ck_assert_mem_eq(ip.src, src, 16);
	ck_assert_mem_eq(ip.dst, mac ? target : group_of(target), 16);
	ck_assert_int_eq(toe_wire_icmp6_parse(ip.src, ip.dst, ip.payload,
					      ip.len, &m), TOE_WIRE_ICMP_OK);
	ck_assert_uint_eq(m.type, 135);
	ck_assert_uint_eq(m.rest, 0);
	ck_assert_uint_eq(m.len, 24);
	ck_assert_mem_eq(m.body, target, 16);
	ck_assert_mem_eq(m.body + 16, "\1\1", 2);
	ck_assert_mem_eq(m.body + 18, WORLD_MAC, 6);
}

static void hear_na(const uint8_t *target, const uint8_t *dst,
		    const uint8_t *mac, uint32_t flags)
{
	ToeWireIpv6 ip = world6_expect(w, 58);
	ToeWireIcmp m;

	ck_assert_mem_eq(w->last.data, mac, 6);
	ck_assert_uint_eq(ip.hops, 255);
	ck_assert_mem_eq(ip.src, target, 16);
	ck_assert_mem_eq(ip.dst, dst, 16);
	ck_assert_int_eq(toe_wire_icmp6_parse(ip.src, ip.dst, ip.payload,
					      ip.len, &m), TOE_WIRE_ICMP_OK);
	ck_assert_uint_eq(m.type, 136);
	ck_assert_uint_eq(m.rest, flags);
	ck_assert_mem_eq(m.body, target, 16);
	ck_assert_mem_eq(m.body + 16, "\2\1", 2);
	ck_assert_mem_eq(m.body + 18, WORLD_MAC, 6);
}

static uint8_t out(const uint8_t *dst)
{
	return toe_ip_output(w->n, TOE_AF_INET6, W6, dst, 200, 64, 0, 20, 0);
}

static void expect_to(const uint8_t *mac)
{
	world6_expect(w, 200);
	ck_assert_mem_eq(w->last.data, mac, 6);
}

/* P6 is known, by its answer. */
static void resolve_peer(void)
{
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	hear_ns(P6, W6, NULL);
	say_na(W6, P6, PEER_MAC, SOLICITED | OVERRIDE);
	expect_to(PEER_MAC);
	world_expect_silence(w);
}

/* ---- Asking ---- */

/* By hand, the whole frame. */
START_TEST(test_question_bytes)
{
	static const uint8_t want[] = {
		0x33, 0x33, 0xff, 0x00, 0x00, 0x02, 0x52, 0x54, 0x00, 0x12,
		0x34, 0x56, 0x86, 0xdd,
		0x60, 0, 0, 0, 0, 32, 58, 255,
		0xfe, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x15,
		0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0x02,
		0x87, 0x00, 0xf5, 0x47, 0, 0, 0, 0,
		0xfe, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02,
		1, 1, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56,
	};
	size_t len;
	const uint8_t *f;

	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	f = world_sent(w, &len);
	ck_assert(f);
	ck_assert_uint_eq(len, sizeof(want));
	ck_assert_mem_eq(f, want, sizeof(want));
}
END_TEST

START_TEST(test_resolve)
{
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	hear_ns(P6, W6, NULL);
	world_expect_silence(w);
	/* An answer without the MAC is none. */
	say_na(W6, P6, NULL, SOLICITED);
	world_expect_silence(w);
	say_na(W6, P6, PEER_MAC, SOLICITED);
	expect_to(PEER_MAC);
	expect_to(PEER_MAC);
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	expect_to(PEER_MAC);
	/* The operating system has neighbours of its own. */
	ck_assert_uint_eq(world_os_count(w), 2);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ND_SOLICITS_OUT), 1);
}
END_TEST

/* Link-local asks from link-local; what is far goes to the gateway. */
START_TEST(test_resolve_gateway)
{
	ck_assert_uint_eq(out(FAR6), TOE_ST_OK);
	hear_ns(P6_LL, W6_LL, NULL);
	say_na(W6_LL, P6_LL, PEER_MAC, SOLICITED | OVERRIDE);
	expect_to(PEER_MAC);
}
END_TEST

START_TEST(test_no_answer)
{
	int i;

	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	for (i = 0; i < 3; i++) {
		hear_ns(P6, W6, NULL);
		world_expect_silence(w);
		world_advance(w, SEC);
	}
	world_expect_silence(w);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ND_FAILED), 1);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_FAILED), 0);
	ck_assert_uint_eq(out(P6), TOE_ST_UNREACH);
	world_advance(w, 5 * SEC);
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	hear_ns(P6, W6, NULL);
}
END_TEST

/* ---- NUD ---- */

START_TEST(test_delay_and_probe)
{
	resolve_peer();
	world_advance(w, 29 * SEC);
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	expect_to(PEER_MAC);
	world_advance(w, 60 * SEC);		/* idle: nothing happens */
	world_expect_silence(w);
	ck_assert_uint_eq(out(P6), TOE_ST_OK);	/* stale: DELAY */
	expect_to(PEER_MAC);
	world_advance(w, 5 * SEC - 1);
	world_expect_silence(w);
	world_advance(w, 1);
	hear_ns(P6, W6, PEER_MAC);		/* PROBE */
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	expect_to(PEER_MAC);
	say_na(W6, P6, NULL, SOLICITED);	/* RFC 4861 4.4: may be without */
	world_advance(w, 20 * SEC);
	world_expect_silence(w);
	/* No answer any more: by unicast, by multicast (RFC 7048), gone. */
	world_advance(w, 20 * SEC);
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	expect_to(PEER_MAC);
	world_advance(w, 5 * SEC);
	hear_ns(P6, W6, PEER_MAC);
	world_advance(w, SEC);
	hear_ns(P6, W6, PEER_MAC);
	world_advance(w, SEC);
	hear_ns(P6, W6, PEER_MAC);
	world_advance(w, SEC);
	hear_ns(P6, W6, NULL);
	world_advance(w, 3 * SEC);
	ck_assert_uint_eq(out(P6), TOE_ST_UNREACH);
}
END_TEST

/* 7.2.5, line by line. */
/* A transport without an answer doubts the hop, not the far end. */
START_TEST(test_suspect)
{
	resolve_peer();
	toe_route_suspect(w->n, TOE_AF_INET6, P6);
	toe_route_suspect(w->n, TOE_AF_INET6, W6);	/* nobody's neighbour */
	toe_route_suspect(w->n, TOE_AF_INET6, ALL_NODES6);
	world_advance(w, 20 * SEC);
	world_expect_silence(w);		/* until it is used */
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	expect_to(PEER_MAC);
	world_advance(w, 5 * SEC);
	hear_ns(P6, W6, PEER_MAC);
	toe_route_suspect(w->n, TOE_AF_INET6, P6);	/* it is asked already */
	say_na(W6, P6, NULL, SOLICITED);
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	expect_to(PEER_MAC);
	world_advance(w, 20 * SEC);
	world_expect_silence(w);
}
END_TEST

START_TEST(test_adverts)
{
	/* Unsolicited, for nobody we know: nothing is learnt. */
	say_na(ALL_NODES6, P6, PEER_MAC, OVERRIDE);
	resolve_peer();
	/* Another MAC without override: REACHABLE becomes stale. */
	say_na(W6, P6, OTHER_MAC, SOLICITED);
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	expect_to(PEER_MAC);
	world_advance(w, 5 * SEC);
	hear_ns(P6, W6, PEER_MAC);
	/* In PROBE it is ignored. */
	say_na(W6, P6, OTHER_MAC, SOLICITED);
	world_advance(w, SEC);
	hear_ns(P6, W6, PEER_MAC);
	/* With override it counts. */
	say_na(W6, P6, OTHER_MAC, SOLICITED | OVERRIDE);
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	expect_to(OTHER_MAC);
	world_advance(w, 10 * SEC);
	world_expect_silence(w);
	/* Unsolicited with override: used, but stale. */
	say_na(ALL_NODES6, P6, PEER_MAC, OVERRIDE);
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	expect_to(PEER_MAC);
	world_advance(w, 5 * SEC);
	hear_ns(P6, W6, PEER_MAC);
	/* Unsolicited, the same again: says nothing about reachability. */
	say_na(ALL_NODES6, P6, PEER_MAC, OVERRIDE);
	world_advance(w, SEC);
	hear_ns(P6, W6, PEER_MAC);
}
END_TEST

START_TEST(test_host_entry)
{
	ck_assert_uint_eq(toe_nop_neigh_add(w->n, TOE_AF_INET6, P6, PEER_MAC),
			  TOE_ST_OK);
	say_na(ALL_NODES6, P6, OTHER_MAC, OVERRIDE);
	say_ns(P6, group_of(W6), W6, OTHER_MAC);
	hear_na(W6, P6, OTHER_MAC, SOLICITED | OVERRIDE);
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	expect_to(PEER_MAC);
	ck_assert_uint_eq(toe_nop_neigh_del(w->n, TOE_AF_INET6, P6),
			  TOE_ST_OK);
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	hear_ns(P6, W6, NULL);
	/* The same bytes are another neighbour in the other family. */
	ck_assert_uint_eq(toe_nop_neigh_add(w->n, TOE_AF_INET6,
					    IP(10, 0, 2, 77), PEER_MAC),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_ip_output(w->n, TOE_AF_INET, WORLD_IP,
					IP(10, 0, 2, 77), 200, 64, 0, 20, 0),
			  TOE_ST_OK);
	world_expect_arp(w, 1);
}
END_TEST

/* ---- Being asked ---- */

/* By hand: a question of fec0::2 for fec0::15, and the answer. */
START_TEST(test_answer_bytes)
{
	static const uint8_t ask[] = {
		0x33, 0x33, 0xff, 0x00, 0x00, 0x15, 0x52, 0x55, 0x0a, 0x00,
		0x02, 0x02, 0x86, 0xdd,
		0x60, 0, 0, 0, 0, 32, 58, 255,
		0xfe, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02,
		0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0x15,
		0x87, 0x00, 0x1d, 0x9a, 0, 0, 0, 0,
		0xfe, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x15,
		1, 1, 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02,
	};
	static const uint8_t reply[] = {
		0x88, 0x00, 0x92, 0x78, 0x60, 0, 0, 0,
		0xfe, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x15,
		2, 1, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56,
	};
	ToeWireIpv6 ip;

	world_in(w, ask, sizeof(ask));
	ip = world6_expect(w, 58);
	ck_assert_mem_eq(w->last.data, PEER_MAC, 6);
	ck_assert_uint_eq(ip.hops, 255);
	ck_assert_mem_eq(ip.src, W6, 16);
	ck_assert_mem_eq(ip.dst, P6, 16);
	ck_assert_uint_eq(ip.len, sizeof(reply));
	ck_assert_mem_eq(ip.payload, reply, sizeof(reply));
	world_expect_silence(w);
	/* The operating system would answer too. */
	ck_assert_uint_eq(world_os_count(w), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ND_ADVERTS_OUT), 1);
	/* Who asked is known, and stale: used at once, probed later. */
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	expect_to(PEER_MAC);
	world_advance(w, 5 * SEC);
	hear_ns(P6, W6, PEER_MAC);
}
END_TEST

START_TEST(test_asked_by_unicast)
{
	resolve_peer();
	say_ns(P6, W6, W6, NULL);
	hear_na(W6, P6, PEER_MAC, SOLICITED | OVERRIDE);
	/* The group is W6_LL's too, the target is another's: not ours. */
	say_ns(P6, group_of(W6), Q6, PEER_MAC);
	world_expect_silence(w);
}
END_TEST

/* Not known and without a MAC: the answer has to ask first. */
START_TEST(test_asked_without_mac)
{
	say_ns(P6, W6, W6, NULL);
	hear_ns(P6, W6, NULL);
	say_na(W6, P6, PEER_MAC, SOLICITED | OVERRIDE);
	hear_na(W6, P6, PEER_MAC, SOLICITED | OVERRIDE);
}
END_TEST

/* Another host tries whether our address is free (RFC 4862). */
START_TEST(test_duplicate)
{
	const uint8_t all[6] = { 0x33, 0x33, 0, 0, 0, 1 };

	say_ns(NO6, group_of(W6), W6, NULL);
	hear_na(W6, ALL_NODES6, all, OVERRIDE);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ND_CONFLICTS), 1);
	ck_assert_uint_eq(world_os_count(w), 0);
	/* One that claims it: shown to the operating system. */
	say_na(ALL_NODES6, W6, OTHER_MAC, OVERRIDE);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ND_CONFLICTS), 2);
	say_ns(W6, group_of(W6), W6, OTHER_MAC);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ND_CONFLICTS), 3);
	world_expect_silence(w);
}
END_TEST

/* Tentative: the operating system's business alone. */
START_TEST(test_not_our_address)
{
	ck_assert_uint_eq(toe_nop_port_set(w->n, 0, NULL, TOE_FILTER_UP |
					   TOE_FILTER_ALLMULTI, 0),
			  TOE_ST_OK);
	say_ns(NO6, group_of(Q6), Q6, NULL);
	say_ns(P6, group_of(Q6), Q6, PEER_MAC);
	world_expect_silence(w);
	ck_assert_uint_eq(world_os_count(w), 2);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ND_IN), 0);
}
END_TEST

/* 7.1.1 and 7.1.2. */
START_TEST(test_invalid)
{
	uint8_t b[40] = { 0 };
	uint64_t bad = 0;

	resolve_peer();
	body(b, W6, 1, OTHER_MAC);
	world6_in_icmp(w, P6, W6, 254, 135, 0, 0, b, 24), bad++;
	world6_in_icmp(w, P6, W6, 255, 135, 1, 0, b, 24), bad++;
	world6_in_icmp(w, P6, W6, 255, 135, 0, 0, b, 15), bad++;
	world6_in_icmp(w, P6, W6, 255, 135, 0, 0, b, 17), bad++;
	world6_in_icmp(w, P6, W6, 255, 135, 0, 0, b, 23), bad++;
	b[17] = 0;
	world6_in_icmp(w, P6, W6, 255, 135, 0, 0, b, 24), bad++;
	body(b, ALL_NODES6, 1, OTHER_MAC);
	world6_in_icmp(w, P6, W6, 255, 135, 0, 0, b, 24), bad++;
	say_ns(P6, W6, W6, BROADCAST_MAC), bad++;
	say_ns(P6, W6, W6, ZERO_MAC), bad++;
	/* Without a source: only to the group, and without a MAC. */
	say_ns(NO6, group_of(W6), W6, OTHER_MAC), bad++;
	say_ns(NO6, ALL_NODES6, W6, NULL), bad++;
	/* An advertisement to all is solicited by nobody. */
	say_na(ALL_NODES6, P6, OTHER_MAC, SOLICITED | OVERRIDE), bad++;
	body(b, P6, 2, OTHER_MAC);
	world6_in_icmp(w, P6, W6, 64, 136, 0, OVERRIDE, b, 24), bad++;
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ND_BAD), bad);
	world_expect_silence(w);
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	expect_to(PEER_MAC);
	/* Options that are not known are skipped. */
	body(b, W6, 1, PEER_MAC);
	memmove(b + 24, b + 16, 8);
	memcpy(b + 16, "\016\1\1\2\3\4\5\6", 8);
	world6_in_icmp(w, P6, W6, 255, 135, 0, 0, b, 32);
	hear_na(W6, P6, PEER_MAC, SOLICITED | OVERRIDE);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ND_BAD), bad);
}
END_TEST

/* ---- Announcing ---- */

START_TEST(test_announce)
{
	const uint8_t *a = IP6(0xfe, 0xc0, 0, 0, 0x16);
	const uint8_t all[6] = { 0x33, 0x33, 0, 0, 0, 1 };

	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET6, a, 64),
			  TOE_ST_OK);
	world_expect_silence(w);	/* from a call: nothing is sent */
	world_advance(w, 0);
	hear_na(a, ALL_NODES6, all, OVERRIDE);
	world_expect_silence(w);
	world_advance(w, 2 * SEC);
	hear_na(a, ALL_NODES6, all, OVERRIDE);
	world_advance(w, 100 * SEC);
	world_expect_silence(w);
	/* Another cable: every address, IPv4's as before. */
	toe_nop_link(w->n, false);
	toe_nop_link(w->n, true);
	world_advance(w, 0);
	world_expect_arp(w, 1);
	hear_na(W6, ALL_NODES6, all, OVERRIDE);
	hear_na(W6_LL, ALL_NODES6, all, OVERRIDE);
	hear_na(a, ALL_NODES6, all, OVERRIDE);
	world_expect_silence(w);
}
END_TEST

/* A flood of invented neighbours does not evict the one in use. */
START_TEST(test_flood)
{
	uint32_t i;

	resolve_peer();
	for (i = 0; i < 3000; i++) {
		say_ns(IP6(0xfe, 0xc0, 1, i >> 8, i), group_of(W6), W6,
		       OTHER_MAC);
		world_forget(w);
	}
	ck_assert_uint_eq(out(P6), TOE_ST_OK);
	expect_to(PEER_MAC);
	world_expect_silence(w);
}
END_TEST

/* ---- What must not be obeyed, or answered ---- */

/* An advertisement that names another MAC, cut into pieces bytes at a time. */
static void lying_advert(uint16_t piece)
{
	uint8_t m[32] = { 136 }, f[8 + 32];
	uint16_t at, n;

	toe_put32(m + 4, SOLICITED | OVERRIDE);
	memcpy(m + 8, P6, 16);
	m[24] = 2;
	m[25] = 1;
	memcpy(m + 26, OTHER_MAC, 6);
	toe_csum_store(m + 2, toe_csum(m, 32, toe_csum_pseudo(
		TOE_AF_INET6, P6, W6, 58, 32)));
	for (at = 0; at < 32; at += n) {
		n = MIN(piece, 32 - at);
		memset(f, 0, 8);
		f[0] = 58;
		toe_put16(f + 2, at | (at + n < 32));
		f[7] = 9;
		memcpy(f + 8, m + at, n);
		world6_in(w, P6, W6, 44, 255, f, 8 + n);
	}
}

START_TEST(not_in_fragments)
{
	const uint16_t pieces[] = { 32, 16, 8 };	/* one: "atomic" */

	toe_nop_neigh_del(w->n, TOE_AF_INET6, P6);
	toe_ip_output(w->n, TOE_AF_INET6, W6, P6, 200, 64, 0, 20, 0);
	world_run(w);
	world_forget(w);
	lying_advert(pieces[_i]);
	world_run(w);
	ck_assert_uint_eq(world_sent_count(w), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ND_BAD), 1);
}
END_TEST

START_TEST(no_error_about_a_redirect)
{
	uint8_t m[8 + 40] = { 58, 0, 0x80 | 5, 4 };	/* an unknown option */

	m[8] = 137;
	toe_csum_store(m + 10, toe_csum(m + 8, 40, toe_csum_pseudo(
		TOE_AF_INET6, P6_LL, W6, 58, 40)));
	world6_in(w, P6_LL, W6, 60, 255, m, sizeof(m));
	world_run(w);
	ck_assert_uint_eq(world_sent_count(w), 0);
	/* About another message there is one. */
	m[8] = 140;
	world6_in(w, P6_LL, W6, 60, 255, m, sizeof(m));
	world_run(w);
	ck_assert_uint_eq(world_sent_count(w), 1);
	world_forget(w);
}
END_TEST

START_TEST(invented_neighbours_evict_themselves)
{
	uint8_t src[16], echo[8] = { 0 };
	const uint8_t *f;
	size_t len;

	toe_nop_neigh_del(w->n, TOE_AF_INET6, P6);
	toe_ip_output(w->n, TOE_AF_INET6, W6, P6, 200, 64, 0, 20, 0);
	world_run(w);
	say_na(W6, P6, PEER_MAC, SOLICITED | OVERRIDE);
	world_run(w);
	world_forget(w);
	/* What is answered is sent to: each takes a place in the table. */
	memcpy(src, P6, 16);
	for (unsigned i = 0; i < TOE_NEIGHS_MAX + 100; i++) {
		toe_put16(src + 8, (uint16_t)(0x100 + i));
		world6_in_icmp(w, src, W6, 64, 128, 0, 0, echo, 8);
	}
	world_forget(w);
	toe_ip_output(w->n, TOE_AF_INET6, W6, P6, 200, 64, 0, 20, 0);
	f = world_sent(w, &len);
	ck_assert(f && f[20] == 200);
	world_forget(w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nd");
	TCase *c = tcase_create("nd");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_question_bytes);
	tcase_add_test(c, test_resolve);
	tcase_add_test(c, test_resolve_gateway);
	tcase_add_test(c, test_no_answer);
	tcase_add_test(c, test_delay_and_probe);
	tcase_add_test(c, test_suspect);
	tcase_add_test(c, test_adverts);
	tcase_add_test(c, test_host_entry);
	tcase_add_test(c, test_answer_bytes);
	tcase_add_test(c, test_asked_by_unicast);
	tcase_add_test(c, test_asked_without_mac);
	tcase_add_test(c, test_duplicate);
	tcase_add_test(c, test_not_our_address);
	tcase_add_test(c, test_invalid);
	tcase_add_test(c, test_announce);
	tcase_add_test(c, test_flood);
	tcase_add_loop_test(c, not_in_fragments, 0, 3);
	tcase_add_test(c, no_error_about_a_redirect);
	tcase_add_test(c, invented_neighbours_evict_themselves);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
