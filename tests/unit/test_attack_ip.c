/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_attack_ip.c - floods of the IP layer, while a connection lives: what is
 * held is bounded by configuration, what is answered by rate, and the
 * connection does not notice.  Each test prints its figures.
 *
 * Attackers come from everywhere (rnd()); the connection's peer is PEER, and
 * its segments come in fragments where the table of fragments is attacked.
 */
#include <stdio.h>
#include <stdlib.h>
#include "common_nop6.h"
#include "common_tcp.h"

#define FLOOD	100000u

static struct talk *t;
static struct world *w;
static GRand *r;
static size_t buflets, least;
static uint32_t next_seq;
static unsigned answers;	/* frames sent to attackers */

static void setup(void)
{
	t = talk_new();
	w = t->w;
	r = g_rand_new_with_seed(1);
	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET6, W6, 64),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET6, W6, 64, NULL,
					    0), TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET6, NO6, 0, P6, 0),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_neigh_add(w->n, TOE_AF_INET6, P6, PEER_MAC),
			  TOE_ST_OK);
	world_advance(w, 10 * SEC);	/* announcements */
	world_forget(w);
	talk_open_active(t, &(struct talk_seg){ .mss = 1460, .sackok = true });
	next_seq = 1;
	talk_warm_up(t, &next_seq);
	world_forget(w);
	g_string_truncate(t->log, 0);
	buflets = least = toe_lmem_avail(w->lm, TOE_LMEM_IN);
	answers = 0;
}

static void teardown(void)
{
	/* What the attack left behind goes by itself. */
	world_advance(w, 70 * SEC);
	ck_assert_uint_eq(COUNTER(t, IP_REASM_NOW), 0);
	ck_assert_uint_eq(COUNTER(t, IP6_REASM_NOW), 0);
	ck_assert_uint_eq(toe_lmem_avail(w->lm, TOE_LMEM_IN), buflets);
	world_forget(w);
	g_rand_free(r);
	talk_drop(t);
}

static uint64_t counter(enum toe_counter c)
{
	return world_counter(w, c);
}

/* After each frame of an attack. */
static void note(void)
{
	least = MIN(least, toe_lmem_avail(w->lm, TOE_LMEM_IN));
	answers += world_sent_count(w);
	world_forget(w);
}

static unsigned held_kib(void)
{
	return (unsigned)((buflets - least) * TOE_BUFLET_SIZE >> 10);
}

/* The connection takes a segment and acknowledges it. */
static void still_works(uint32_t cut)
{
	note();
	w->cut = cut;
	SAY(t, .flags = ACK | PSH, .seq = next_seq, .ack = 1, .len = 1000);
	w->cut = 0;
	talk_read(t, next_seq - 1, 1000);
	next_seq += 1000;
	world_advance(w, 1 * SEC);	/* a delayed ACK */
	HEAR(t, .flags = ACK, .seq = 1, .ack = next_seq);
	g_string_truncate(t->log, 0);
	note();
}

static void src4(uint8_t *src)
{
	memset(src, 0, 16);
	toe_put32(src, 0x0b000000 + g_rand_int_range(r, 1, 0xffffff));
}

static void src6(uint8_t *src)
{
	memset(src, 0, 16);
	toe_put16(src, 0x2001);
	toe_put32(src + 4, g_rand_int(r));
	toe_put32(src + 12, g_rand_int(r));
}

/* ---- Fragments ---- */

static void frag4(const uint8_t *src, uint16_t id, uint32_t off, uint32_t len,
		  bool more)
{
	uint8_t *f = g_malloc0(34 + len);

	toe_wire_eth_build(f, WORLD_MAC, PEER_MAC, TOE_ETHERTYPE_IPV4);
	toe_wire_ipv4_build(f + 14, 0, 20 + len, id, false, 64, TOE_PROTO_TCP,
			    src, WORLD_IP);
	toe_put16(f + 20, off / 8 | (more ? 0x2000 : 0));
	toe_put16(f + 24, 0);
	toe_csum_store(f + 24, toe_csum(f + 14, 20, 0));
	world_in(w, f, MAX(34 + len, 34));
	g_free(f);
}

static void frag6(const uint8_t *src, uint32_t id, uint32_t off, uint32_t len,
		  bool more)
{
	uint8_t *p = g_malloc0(8 + len);

	p[0] = TOE_PROTO_TCP;
	toe_put16(p + 2, off | more);
	toe_put32(p + 4, id);
	if (!off && len > 12)
		p[8 + 12] = 0x50;
	world6_in(w, src, W6, TOE_IPV6_FRAGMENT, 64, p, 8 + len);
	g_free(p);
}

/* Beginnings and ends of both families that never meet. */
START_TEST(fragment_flood)
{
	uint8_t src[16];
	unsigned i;

	for (i = 0; i < FLOOD; i++) {
		uint32_t off = g_rand_int(r) & 1 ? 0 : 8 * g_rand_int_range(r,
								200, 5000);

		if (g_rand_int(r) & 1) {
			src4(src);
			frag4(src, g_rand_int(r), off, 1400, true);
		} else {
			src6(src);
			frag6(src, g_rand_int(r), off, 1400, true);
		}
		note();
		if (i % 10000 == 0)
			still_works(504);
	}
	still_works(504);
	ck_assert_uint_le(counter(TOE_CTR_IP_REASM_NOW) +
			  counter(TOE_CTR_IP6_REASM_NOW), 64);
	ck_assert_uint_le(buflets - least, buflets / 4);
	printf("fragment flood: %u fragments, at most %u KiB held, "
	       "%u answers\n", FLOOD, held_kib(), answers);
}
END_TEST

/* As large as they come: local memory is the limit, a quarter of it. */
START_TEST(fragment_flood_of_bytes)
{
	uint8_t src[16];
	unsigned i;

	for (i = 0; i < 5000; i++) {
		if (i & 1) {
			src4(src);
			frag4(src, i, 0, 60000, true);
		} else {
			src6(src);
			frag6(src, i, 0, 60000, true);
		}
		note();
	}
	still_works(504);
	ck_assert_uint_gt(buflets - least, 0);
	ck_assert_uint_le(buflets - least, buflets / 4);
	printf("fragment flood of 60000 bytes each: at most %u of %u KiB "
	       "held\n", held_kib(),
	       (unsigned)(buflets * TOE_BUFLET_SIZE >> 10));
}
END_TEST

/*
 * Against the connection itself: fragments with its peer's address, for every
 * identification, so that they meet its own (4963's attack).  What is damaged
 * is dropped and comes again; nothing false gets in.
 */
START_TEST(fragments_of_the_peer)
{
	unsigned i, repeats;

	for (i = 0; i < 65536; i++) {
		frag4(PEER_IP, i, 504, 504, true);
		note();
	}
	ck_assert_uint_le(counter(TOE_CTR_IP_REASM_NOW), 16);
	for (repeats = 0; talk_unread(t) < 1000; repeats++) {
		ck_assert_uint_lt(repeats, 40);
		w->cut = 504;
		SAY(t, .flags = ACK | PSH, .seq = next_seq, .ack = 1,
		    .len = 1000);
		w->cut = 0;
		world_advance(w, 1 * SEC);
	}
	talk_read(t, next_seq - 1, 1000);
	g_string_truncate(t->log, 0);
	note();
	printf("fragments of the peer: %u forged, the segment arrived at "
	       "attempt %u\n", i, repeats);
}
END_TEST

START_TEST(overlaps_and_tiny_ones)
{
	uint8_t src[16];
	unsigned i;

	for (i = 0; i < FLOOD; i++) {
		uint32_t off = 8 * g_rand_int_range(r, 0, 8);
		uint32_t len = 8 * g_rand_int_range(r, 0, 8);

		memset(src, 0, 16);
		if (i & 1) {
			toe_put32(src, 0x0b000001);
			frag4(src, i / 64, off, len, g_rand_int(r) & 3);
		} else {
			memcpy(src, FAR6, 16);
			frag6(src, i / 64, off, len, g_rand_int(r) & 3);
		}
		note();
	}
	still_works(504);
	ck_assert_uint_gt(counter(TOE_CTR_IP_REASM_OVERLAPS), 100);
	ck_assert_uint_gt(counter(TOE_CTR_IP6_REASM_OVERLAPS), 100);
	ck_assert_uint_gt(counter(TOE_CTR_IP_REASM_REFUSED), 1000);
	ck_assert_uint_gt(counter(TOE_CTR_IP6_REASM_REFUSED), 1000);
	/* IPv6's refusals are told: 20 at once, then by the clock. */
	ck_assert_uint_le(counter(TOE_CTR_ICMP6_ERRORS_OUT), 20 + 2 * 100);
	printf("overlaps and tiny fragments: %u sent, %u overlaps, %u refused, "
	       "at most %u KiB held, %u answers\n", FLOOD,
	       (unsigned)(counter(TOE_CTR_IP_REASM_OVERLAPS) +
			  counter(TOE_CTR_IP6_REASM_OVERLAPS)),
	       (unsigned)(counter(TOE_CTR_IP_REASM_REFUSED) +
			  counter(TOE_CTR_IP6_REASM_REFUSED)),
	       held_kib(), answers);
}
END_TEST

/* ---- ICMP ---- */

/* An ICMP error that quotes a TCP segment of this connection. */
static void icmp_error(uint8_t type, uint8_t code, uint32_t rest,
		       uint16_t lport, uint16_t rport, uint32_t seq)
{
	uint8_t m[36] = { 0 };
	uint8_t src[16];

	toe_wire_icmp_build(m, type, code, rest);
	toe_wire_ipv4_build(m + 8, 0, 1500, 1, true, 60, TOE_PROTO_TCP,
			    WORLD_IP, PEER_IP);
	toe_put16(m + 28, lport);
	toe_put16(m + 30, rport);
	toe_put32(m + 32, seq);
	toe_csum_store(m + 2, toe_csum(m, sizeof(m), 0));
	src4(src);
	world_in_ip(w, src, WORLD_IP, TOE_PROTO_ICMP, m, sizeof(m));
}

/*
 * RFC 5927: who knows the four-tuple but not what is in flight can do nothing,
 * and whoever does know cannot end the connection nor take its MSS, since
 * segments of that size arrive.
 */
START_TEST(icmp_errors)
{
	static const struct {
		uint8_t type, code;
		uint32_t rest;
	} e[] = {
		{ 3, 0, 0 }, { 3, 1, 0 }, { 3, 2, 0 }, { 3, 3, 0 },
		{ 3, 4, 68 }, { 3, 4, 0 }, { 3, 9, 0 }, { 3, 10, 0 },
		{ 3, 13, 0 }, { 4, 0, 0 }, { 5, 1, 0 }, { 11, 0, 0 },
		{ 11, 1, 0 }, { 12, 0, 0 },
	};
	uint32_t mss = talk_info(t, t->h).mss, cwnd;
	unsigned i;

	talk_send(t, 0, mss);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = next_seq, .len = mss);
	SAY(t, .flags = ACK, .seq = next_seq, .ack = 1 + mss);
	talk_send(t, mss, mss);
	HEAR(t, .flags = ACK | PSH, .seq = 1 + mss, .ack = next_seq,
	     .len = mss);
	cwnd = talk_info(t, t->h).cwnd;
	for (i = 0; i < FLOOD; i++) {
		unsigned k = i % G_N_ELEMENTS(e);

		/* Half of them know all; the others guess. */
		icmp_error(e[k].type, e[k].code, e[k].rest, t->lport, t->rport,
			   i & 1 ? t->iss + 1 + mss : g_rand_int(r));
		note();
	}
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_ESTABLISHED);
	ck_assert_uint_eq(talk_info(t, t->h).mss, mss);
	ck_assert_uint_eq(talk_info(t, t->h).cwnd, cwnd);
	ck_assert_uint_eq(answers, 0);
	SAY(t, .flags = ACK, .seq = next_seq, .ack = 1 + 2 * mss);
	ck_assert_uint_eq(talk_info(t, t->h).mss, mss);
	EVENTS(t, "");
	printf("ICMP errors: %u, the connection lives, MSS %u\n", FLOOD, mss);
}
END_TEST

/*
 * While the operating system is not up the adapter speaks for the host, of
 * SCTP here: nobody has it.
 */
START_TEST(answers_by_rate)
{
	uint8_t src[16], p[64] = { 0 };
	unsigned i;

	ck_assert_uint_eq(toe_nop_port_set(w->n, 0, NULL, 0, 0), TOE_ST_OK);
	for (i = 0; i < FLOOD; i++) {
		if (i & 1) {
			src4(src);
			world_in_ip(w, src, WORLD_IP, 132, p, 64);
		} else {
			src6(src);
			world6_in(w, src, W6, 132, 64, p, 64);
		}
		note();
		if (i % 1000 == 0)
			world_advance(w, 10 * MS);
	}
	ck_assert_uint_le(answers, 20 + FLOOD / 1000);
	ck_assert_uint_eq(counter(TOE_CTR_ICMP_ERRORS_OUT) +
			  counter(TOE_CTR_ICMP6_ERRORS_OUT) +
			  counter(TOE_CTR_ICMP_RATE_LIMITED), FLOOD);
	still_works(0);
	printf("packets for nobody: %u in one second, %u answers\n", FLOOD,
	       answers);
}
END_TEST

/* An echo request has an answer of its size, and the port is busy. */
START_TEST(echo_flood_port_busy)
{
	uint8_t src[16], m[1000] = { TOE_ICMP_ECHO_REQUEST };
	unsigned i;

	toe_csum_store(m + 2, toe_csum(m, sizeof(m), 0));
	toe_nop_port_busy(w->n, true);
	for (i = 0; i < 20000; i++) {
		src4(src);
		world_in_ip(w, src, WORLD_IP, TOE_PROTO_ICMP, m, sizeof(m));
		ck_assert_uint_le(w->n->defer_frames, TOE_DEFER_FRAMES_MAX);
		ck_assert_uint_le(w->n->defer_bytes, TOE_DEFER_BYTES_MAX);
	}
	printf("echo flood, port busy: %u requests, %u frames of %u KiB wait, "
	       "%u dropped\n", i, w->n->defer_frames,
	       w->n->defer_bytes >> 10,
	       (unsigned)counter(TOE_CTR_PORT_OUT_DROPS));
	ck_assert_uint_gt(counter(TOE_CTR_PORT_OUT_DROPS),
			  i - TOE_DEFER_BYTES_MAX / sizeof(m));
	toe_nop_port_busy(w->n, false);
	world_run(w);
	still_works(0);
}
END_TEST

/* ---- Neighbours ---- */

/*
 * Invented neighbours ask for us, all different; then applications send to
 * addresses of a large subnet that nobody has.  The table does not grow, and
 * the peer keeps his place.
 */
START_TEST(neighbours)
{
	uint8_t mac[6] = { 0x52, 0x55, 0, 0, 0, 0 }, addr[16] = { 0 };
	unsigned i, refused = 0;

	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET,
					    IP(10, 0, 0, 0), 8, NULL, 0),
			  TOE_ST_OK);
	for (i = 0; i < FLOOD; i++) {
		toe_put32(mac + 2, i);
		toe_put32(addr, 0x0a400000 + i);
		world_in_arp(w, BROADCAST_MAC, TOE_ARP_REQUEST, mac, addr,
			     ZERO_MAC, WORLD_IP);
		note();
		if (i % 20000 == 0)
			still_works(0);
	}
	ck_assert_uint_ge(counter(TOE_CTR_ARP_REPLIES_OUT), FLOOD);
	still_works(0);
	for (i = 0; i < FLOOD; i++) {
		memset(toe_ip_tx_buffer(w->n), 0, 1000);
		toe_put32(addr, 0x0a800000 + i);
		refused += toe_ip_output(w->n, TOE_AF_INET, WORLD_IP, addr,
					 200, 64, 0, 1000, 0) != TOE_ST_OK;
		note();
		if (i % 20000 == 0)
			still_works(0);
	}
	still_works(0);
	printf("neighbours: %u invented ones, %u that nobody has; %u places, "
	       "%u packets dropped, %u refused\n", FLOOD, FLOOD,
	       TOE_NEIGHS_MAX, (unsigned)counter(TOE_CTR_ARP_QUEUE_DROPS),
	       refused);
	/* All but what may wait at most. */
	ck_assert_uint_ge(counter(TOE_CTR_ARP_QUEUE_DROPS),
			  FLOOD - TOE_NEIGHS_MAX - (1 << 20) / 1000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("attack_ip");
	TCase *c = tcase_create("attack_ip");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 600);
	tcase_add_test(c, fragment_flood);
	tcase_add_test(c, fragment_flood_of_bytes);
	tcase_add_test(c, fragments_of_the_peer);
	tcase_add_test(c, overlaps_and_tiny_ones);
	tcase_add_test(c, icmp_errors);
	tcase_add_test(c, answers_by_rate);
	tcase_add_test(c, echo_flood_port_busy);
	tcase_add_test(c, neighbours);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
