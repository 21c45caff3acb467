/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_ip.c - what the IP layer does to connections: ICMP errors by kind
 * and state (RFC 1122 4.2.3.9, RFC 5927, RFC 5461), routes that change under
 * open connections.  Both families (_i).
 */
#include <stdlib.h>
#include "common_nop6.h"
#include "common_tcp.h"

static struct talk *t;
static struct world *w;
static uint32_t iss;
static uint16_t lport;

static void setup(void)
{
	t = talk_new();
	w = t->w;
	t->many = true;
	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET6, W6, 64),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET6, W6, 64, NULL,
					    0), TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_neigh_add(w->n, TOE_AF_INET6, P6, PEER_MAC),
			  TOE_ST_OK);
	world_advance(w, 10 * SEC);
	world_forget(w);
}

static void teardown(void)
{
	world_forget(w);
	talk_drop(t);
}

static const uint8_t *addr(int v6, bool ours)
{
	static const uint8_t a[4][16] = {
		{ 10, 0, 2, 15 }, { 10, 0, 2, 2 },
		{ 0xfe, 0xc0, [15] = 0x15 }, { 0xfe, 0xc0, [15] = 2 },
	};

	return a[2 * v6 + !ours];
}

/* The TCP header of the frame. */
static const uint8_t *segment(int v6, const uint8_t *frame)
{
	return frame + (v6 ? 54 : 34);
}

/* Connect, and see the SYN. */
static void connect_it(int v6)
{
	ToeTuple q = { .family = v6 ? TOE_AF_INET6 : TOE_AF_INET,
		       .rport = RPORT };
	const uint8_t *f;
	size_t len;

	memcpy(q.raddr, addr(v6, false), 16);
	ck_assert_uint_eq(toe_stream_connect(w->n, &q, &t->h), TOE_ST_OK);
	lport = q.lport;
	world_run(w);
	f = world_sent(w, &len);
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(segment(v6, f)[13], SYN);
	iss = toe_get32(segment(v6, f) + 4);
}

/* A segment without options from the peer. */
static void say(int v6, uint8_t flags, uint32_t seq, uint32_t ack)
{
	uint8_t p[20] = { 0 };
	uint8_t family = v6 ? TOE_AF_INET6 : TOE_AF_INET;

	toe_put16(p, RPORT);
	toe_put16(p + 2, lport);
	toe_put32(p + 4, 1000 + seq);
	toe_put32(p + 8, iss + ack);
	p[12] = 5 << 4;
	p[13] = flags;
	toe_put16(p + 14, 65535);
	toe_csum_store(p + 16, toe_csum(p, 20,
					toe_csum_pseudo(family, addr(v6, false),
							addr(v6, true), 6,
							20)));
	if (v6)
		world6_in(w, addr(v6, false), addr(v6, true), 6, 64, p, 20);
	else
		world_in_ip(w, addr(v6, false), addr(v6, true), 6, p, 20);
}

static void open_it(int v6)
{
	connect_it(v6);
	say(v6, SYN | ACK, 0, 1);
	EVENTS(t, "E");
	world_forget(w);
}

/* An ICMP message on the wire about the segment at seq. */
static void icmp(int v6, uint8_t type, uint8_t code, uint32_t seq)
{
	uint8_t m[60] = { 0 };
	size_t hlen = v6 ? 40 : 20;
	uint8_t *seg = m + hlen;

	if (v6)
		toe_wire_ipv6_build(m, 0, 0, 20, 6, 60, addr(v6, true),
				    addr(v6, false));
	else
		toe_wire_ipv4_build(m, 0, 40, 1, true, 60, 6, addr(v6, true),
				    addr(v6, false));
	toe_put16(seg, lport);
	toe_put16(seg + 2, RPORT);
	toe_put32(seg + 4, seq);
	if (v6) {
		world6_in_icmp(w, P6, W6, 64, type, code, 0, m, hlen + 8);
	} else {
		uint8_t i[36];

		toe_wire_icmp_build(i, type, code, 0);
		memcpy(i + 8, m, 28);
		toe_csum_store(i + 2, toe_csum(i, 36, 0));
		world_in_ip(w, FAR_IP, WORLD_IP, TOE_PROTO_ICMP, i, 36);
	}
	world_run(w);
}

/* What an error means to a connection that is not open yet; 255: nothing. */
static const struct {
	uint8_t v6, type, code, status;
} kinds[] = {
	{ 0, 3, 0, 255 },			/* net: soft */
	{ 0, 3, 1, 255 },			/* host: soft */
	{ 0, 3, 2, TOE_ST_REFUSED },		/* protocol: hard */
	{ 0, 3, 3, TOE_ST_REFUSED },		/* port: hard */
	{ 0, 3, 5, 255 },			/* source route failed: soft */
	{ 0, 3, 9, TOE_ST_UNREACH },		/* prohibited */
	{ 0, 3, 10, TOE_ST_UNREACH },
	{ 0, 3, 13, TOE_ST_UNREACH },
	{ 0, 4, 0, 255 },			/* source quench, RFC 6633 */
	{ 0, 11, 0, 255 },			/* time exceeded: soft */
	{ 0, 11, 1, 255 },
	{ 0, 12, 0, 255 },			/* parameter problem: soft */
	{ 1, 1, 0, 255 },			/* no route: soft */
	{ 1, 1, 1, TOE_ST_UNREACH },		/* prohibited */
	{ 1, 1, 3, 255 },			/* address: soft */
	{ 1, 1, 4, TOE_ST_REFUSED },		/* port: hard */
	{ 1, 3, 0, 255 },			/* time exceeded */
	{ 1, 4, 0, 255 },			/* parameter problem */
};

START_TEST(errors_while_connecting)
{
	int v6 = kinds[_i].v6;

	connect_it(v6);
	/* Of another segment than ours: nobody's. */
	icmp(v6, kinds[_i].type, kinds[_i].code, iss + 1);
	icmp(v6, kinds[_i].type, kinds[_i].code, iss - 1);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_SYN_SENT);
	icmp(v6, kinds[_i].type, kinds[_i].code, iss);
	if (kinds[_i].status == 255) {
		ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_SYN_SENT);
		say(v6, SYN | ACK, 0, 1);
		EVENTS(t, "E");
	} else {
		EVENTS(t, "C");
		ck_assert_uint_eq(t->status, kinds[_i].status);
	}
}
END_TEST

/* RFC 5927 4.2: none ends an open connection, or slows it down. */
START_TEST(errors_while_open)
{
	int v6 = kinds[_i].v6;
	struct toe_hw_conn_info before, after;

	open_it(v6);
	talk_send(t, 0, 100);
	world_run(w);
	before = talk_info(t, t->h);
	icmp(v6, kinds[_i].type, kinds[_i].code, iss + 1);
	after = talk_info(t, t->h);
	ck_assert_uint_eq(after.state, TOE_TCP_ESTABLISHED);
	ck_assert_uint_eq(after.cwnd, before.cwnd);
	ck_assert_uint_eq(after.mss, before.mss);
	ck_assert_uint_eq(after.retransmits, 0);
	say(v6, ACK, 1, 101);
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
	EVENTS(t, "");
}
END_TEST

/* But it says why, if the connection then times out. */
START_TEST(soft_error_remembered)
{
	unsigned told;

	for (told = 0; told < 2; told++) {
		open_it(_i);
		talk_setopt(t, TOE_OPT_USER_TIMEOUT, 5000);
		talk_send(t, 0, 100);
		world_run(w);
		if (told)
			icmp(_i, _i ? 1 : 3, 0, iss + 1);
		world_advance(w, 20 * SEC);
		ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_CLOSED);
		ck_assert_uint_eq(t->status, told ? TOE_ST_UNREACH
						  : TOE_ST_TIMEDOUT);
		g_string_truncate(t->log, 0);
		talk_close(t);
		world_forget(w);
		toe_nop_neigh_add(w->n, TOE_AF_INET, PEER_IP, PEER_MAC);
		toe_nop_neigh_add(w->n, TOE_AF_INET6, P6, PEER_MAC);
	}
}
END_TEST

/* ---- Routes ---- */

static void expect_mac(const uint8_t *mac)
{
	size_t len;
	const uint8_t *f = world_sent(w, &len);

	ck_assert_ptr_nonnull(f);
	ck_assert_mem_eq(f, mac, 6);
}

/* A better route takes an open connection to another neighbour, and back. */
START_TEST(route_changes)
{
	uint8_t family = _i ? TOE_AF_INET6 : TOE_AF_INET;
	const uint8_t *gw = _i ? Q6 : IP(10, 0, 2, 99);
	uint8_t all = _i ? 128 : 32;
	uint8_t peer[16];

	memcpy(peer, addr(_i, false), 16);
	open_it(_i);
	ck_assert_uint_eq(toe_nop_neigh_add(w->n, family, gw, OTHER_MAC),
			  TOE_ST_OK);
	talk_setopt(t, TOE_OPT_NODELAY, 1);
	talk_send(t, 0, 10);
	world_run(w);
	expect_mac(PEER_MAC);
	ck_assert_uint_eq(toe_nop_route_add(w->n, family, peer, all, gw, 10),
			  TOE_ST_OK);
	talk_send(t, 10, 10);
	world_run(w);
	expect_mac(OTHER_MAC);
	/* The same prefix, a better metric, on link. */
	ck_assert_uint_eq(toe_nop_route_add(w->n, family, peer, all, NULL, 5),
			  TOE_ST_OK);
	talk_send(t, 20, 10);
	world_run(w);
	expect_mac(PEER_MAC);
	ck_assert_uint_eq(toe_nop_route_del(w->n, family, peer, all, NULL, 5),
			  TOE_ST_OK);
	talk_send(t, 30, 10);
	world_run(w);
	expect_mac(OTHER_MAC);
	ck_assert_uint_eq(toe_nop_route_del(w->n, family, peer, all, gw, 10),
			  TOE_ST_OK);
	talk_send(t, 40, 10);
	world_run(w);
	expect_mac(PEER_MAC);
	say(_i, ACK, 1, 51);
	ck_assert_uint_eq(talk_info(t, t->h).retransmits, 0);
}
END_TEST

/* Without a route nothing is lost but time: it goes on when there is one. */
START_TEST(no_route_for_a_while)
{
	uint8_t family = _i ? TOE_AF_INET6 : TOE_AF_INET;
	uint64_t none;

	open_it(_i);
	if (_i)
		toe_nop_route_del(w->n, family, W6, 64, NULL, 0);
	else
		toe_nop_addr_add(w->n, family, IP(10, 0, 2, 15), 32);
	if (!_i) {
		/* The address stays, the subnet's and the default route go. */
		toe_nop_addr_del(w->n, family, WORLD_IP, 24);
		toe_nop_route_del(w->n, family, IP(0, 0, 0, 0), 0, PEER_IP, 0);
	}
	none = world_counter(w, TOE_CTR_IP_NO_ROUTE);
	talk_send(t, 0, 100);
	world_advance(w, 2 * SEC);
	ck_assert_uint_gt(world_counter(w, TOE_CTR_IP_NO_ROUTE), none);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_ESTABLISHED);
	world_forget(w);
	ck_assert_uint_eq(toe_nop_route_add(w->n, family, addr(_i, false),
					    _i ? 128 : 32, NULL, 0),
			  TOE_ST_OK);
	world_advance(w, 10 * SEC);
	expect_mac(PEER_MAC);
	say(_i, ACK, 1, 101);
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
}
END_TEST

/* The address goes, and its connections with it; no RST from nowhere. */
START_TEST(address_removed)
{
	open_it(_i);
	ck_assert_uint_eq(toe_nop_addr_del(w->n, _i ? TOE_AF_INET6
						    : TOE_AF_INET,
					   addr(_i, true), _i ? 64 : 24),
			  TOE_ST_OK);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_ABORTED);
	world_expect_silence(w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_ip");
	TCase *c = tcase_create("tcp_ip");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, errors_while_connecting, 0,
			    G_N_ELEMENTS(kinds));
	tcase_add_loop_test(c, errors_while_open, 0, G_N_ELEMENTS(kinds));
	tcase_add_loop_test(c, soft_error_remembered, 0, 2);
	tcase_add_loop_test(c, route_changes, 0, 2);
	tcase_add_loop_test(c, no_route_for_a_while, 0, 2);
	tcase_add_loop_test(c, address_removed, 0, 2);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
