/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP on the network side, what goes out: headers, fragments, queues, the
 * neighbour that is looked for, and what a socket sends to its own address.
 */
#include "common_udp.h"

/* ---- Out ---- */

START_TEST(datagram_goes_out)
{
	struct world *w = start();
	uint32_t h = open_at(w, NOADDR, 5000);

	ck_assert_uint_eq(send4(w, h, PEER_IP, 53, "hello", 5), TOE_ST_OK);
	world_expect_silence(w);
	world_run(w);
	expect_out(w, 5000, PEER_IP, 53, "hello", 5);
	ck_assert_uint_eq(send4(w, h, FAR_IP, 54, "", 0), TOE_ST_OK);
	world_run(w);
	expect_out(w, 5000, FAR_IP, 54, "", 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_OUT), 2);
	ck_assert_uint_eq(lmem_used(w), 0);
	world_free(w);
}
END_TEST

START_TEST(connected_needs_no_remote)
{
	struct world *w = start();
	uint32_t h = open_at(w, NOADDR, 5000);
	ToeTuple t = { .family = TOE_AF_INET, .rport = 53 };

	ck_assert_uint_eq(send_to(w, h, 0, NOADDR, 0, "x", 1), TOE_ST_STATE);
	memcpy(t.raddr, PEER_IP, 16);
	ck_assert_uint_eq(toe_udp_connect(w->n, h, &t), TOE_ST_OK);
	ck_assert_uint_eq(t.lport, 5000);
	ck_assert_mem_eq(t.laddr, WORLD_IP, 16);
	ck_assert_uint_eq(send_to(w, h, 0, NOADDR, 0, "x", 1), TOE_ST_OK);
	ck_assert_uint_eq(send4(w, h, FAR_IP, 54, "y", 1), TOE_ST_OK);
	world_run(w);
	expect_out(w, 5000, PEER_IP, 53, "x", 1);
	expect_out(w, 5000, FAR_IP, 54, "y", 1);
	in_from(w, FAR_IP, 54, WORLD_IP, 5000, "no", 2);
	expect_nothing(w, h);

	t = (ToeTuple){ .family = 0 };
	ck_assert_uint_eq(toe_udp_connect(w->n, h, &t), TOE_ST_OK);
	ck_assert_mem_eq(t.laddr, NOADDR, 16);
	ck_assert_uint_eq(send_to(w, h, 0, NOADDR, 0, "x", 1), TOE_ST_STATE);
	in_from(w, FAR_IP, 54, WORLD_IP, 5000, "yes", 3);
	expect(w, h, 54, "yes", 3);
	world_free(w);
}
END_TEST

START_TEST(same_tuple_twice_is_refused)
{
	struct world *w = start();
	ToeTuple t = { .family = TOE_AF_INET, .rport = 53 };
	uint32_t a, b;

	memcpy(t.raddr, PEER_IP, 16);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 5000, PEER_IP, 53,
				   TOE_UDP_F_REUSE, &a), TOE_ST_OK);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 5000, PEER_IP, 53,
				   TOE_UDP_F_REUSE, &b), TOE_ST_ADDRINUSE);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 5000, PEER_IP, 54,
				   TOE_UDP_F_REUSE, &b), TOE_ST_OK);
	ck_assert_uint_eq(toe_udp_connect(w->n, b, &t), TOE_ST_ADDRINUSE);
	ck_assert_uint_eq(toe_udp_connect(w->n, a, &t), TOE_ST_OK);
	world_free(w);
}
END_TEST

START_TEST(checksum_zero_is_sent_as_ones)
{
	struct world *w = start();
	uint32_t h = open_to(w, 5000, PEER_IP, 53);
	uint8_t data[2] = { 0, 0 };
	ToeWireIpv4 ip;

	send_to(w, h, 0, NOADDR, 0, data, 2);
	world_run(w);
	ip = world_expect_ip(w, 17);
	memcpy(data, ip.payload + 6, 2);
	/* With its own checksum as payload the sum is all ones. */
	send_to(w, h, 0, NOADDR, 0, data, 2);
	world_run(w);
	ip = world_expect_ip(w, 17);
	ck_assert_uint_eq(toe_get16(ip.payload + 6), 0xffff);
	world_free(w);
}
END_TEST

START_TEST(ttl_and_tos_are_the_sockets)
{
	struct world *w = start();
	uint32_t h = open_to(w, 5000, PEER_IP, 53);
	ToeWireIpv4 ip;
	uint64_t v;

	send_to(w, h, 0, NOADDR, 0, "x", 1);
	world_run(w);
	ip = world_expect_ip(w, 17);
	ck_assert_uint_eq(ip.ttl, 64);
	ck_assert_uint_eq(ip.tos, 0);
	ck_assert(!ip.df);
	ck_assert_uint_eq(toe_udp_setopt(w->n, h, TOE_OPT_UDP_TTL, 3),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_udp_setopt(w->n, h, TOE_OPT_UDP_TOS, 0xb8),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_udp_setopt(w->n, h, TOE_OPT_UDP_DONTFRAG, 1),
			  TOE_ST_OK);
	send_to(w, h, 0, NOADDR, 0, "x", 1);
	world_run(w);
	ip = world_expect_ip(w, 17);
	ck_assert_uint_eq(ip.ttl, 3);
	ck_assert_uint_eq(ip.tos, 0xb8);
	ck_assert(ip.df);
	ck_assert_uint_eq(toe_udp_getopt(w->n, h, TOE_OPT_UDP_TTL, &v),
			  TOE_ST_OK);
	ck_assert_uint_eq(v, 3);
	ck_assert_uint_eq(toe_udp_setopt(w->n, h, TOE_OPT_UDP_TTL, 256),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_udp_setopt(w->n, h, TOE_OPT_UDP_DROPS, 1),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_udp_setopt(w->n, h, TOE_OPT_NODELAY, 1),
			  TOE_ST_INVALID);
	world_free(w);
}
END_TEST

START_TEST(refusals_to_send)
{
	struct world *w = start();
	uint32_t h = open_at(w, NOADDR, 5000);
	uint8_t *data = g_malloc0(65536);

	ck_assert_uint_eq(send4(w, h, PEER_IP, 0, "x", 1), TOE_ST_INVALID);
	ck_assert_uint_eq(send_to(w, h, TOE_AF_INET6, P6, 53, "x", 1),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(send4(w, h, W6, 53, "x", 1), TOE_ST_INVALID);
	ck_assert_uint_eq(send4(w, h, IP(10, 0, 2, 0), 53, "x", 1),
			  TOE_ST_NOROUTE);
	ck_assert_uint_eq(send4(w, h, PEER_IP, 53, data, 65508),
			  TOE_ST_TOOBIG);
	toe_udp_setopt(w->n, h, TOE_OPT_UDP_DONTFRAG, 1);
	ck_assert_uint_eq(send4(w, h, PEER_IP, 53, data, 1473),
			  TOE_ST_TOOBIG);
	ck_assert_uint_eq(send4(w, h, PEER_IP, 53, data, 1472), TOE_ST_OK);
	world_run(w);
	expect_out(w, 5000, PEER_IP, 53, data, 1472);
	g_free(data);
	world_free(w);
}
END_TEST

START_TEST(large_datagram_goes_out_in_fragments)
{
	static const size_t sizes[] = { 1473, 1480, 2960, 2953, 20001, 65507 };
	struct world *w = start();
	uint32_t h = open_to(w, 5000, PEER_IP, 53);
	uint8_t *data = g_malloc(65535), *got = g_malloc(65535 + 8);
	uint16_t last_id = 0;

	for (size_t i = 0; i < 65535; i++)
		data[i] = (uint8_t)(i * 13 + (i >> 8));
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		size_t total = sizes[i] + 8, at = 0;
		ToeWireIpv4 ip;
		uint32_t sum;
		bool first = true;

		ck_assert_uint_eq(send_to(w, h, 0, NOADDR, 0, data, sizes[i]),
				  TOE_ST_OK);
		world_run(w);
		do {
			ip = world_expect_ip(w, 17);
			ck_assert_uint_le(ip.hlen + ip.len, 1500);
			ck_assert_uint_eq(ip.frag_off, at);
			ck_assert(!ip.df);
			ck_assert(!ip.more || ip.len % 8 == 0);
			if (first)
				ck_assert_uint_ne(ip.id, last_id);
			else
				ck_assert_uint_eq(ip.id, last_id);
			last_id = ip.id;
			first = false;
			ck_assert_uint_le(at + ip.len, total);
			memcpy(got + at, ip.payload, ip.len);
			at += ip.len;
		} while (ip.more);
		ck_assert_uint_eq(at, total);
		ck_assert_uint_eq(toe_get16(got + 4), total);
		sum = toe_csum_pseudo(TOE_AF_INET, WORLD_IP, PEER_IP, 17,
				      (uint32_t)total);
		ck_assert(toe_csum_ok(toe_csum(got, total, sum)));
		ck_assert_mem_eq(got + 8, data, sizes[i]);
		world_expect_silence(w);
	}
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_OUT),
			  G_N_ELEMENTS(sizes));
	g_free(data);
	g_free(got);
	world_free(w);
}
END_TEST

START_TEST(large_ipv6_datagram_goes_out_in_fragments)
{
	static const size_t sizes[] = { 1453, 2900, 65527 };
	struct world *w = start6();
	uint8_t *data = g_malloc(65535), *got = g_malloc(65535 + 8);
	uint32_t h;

	for (size_t i = 0; i < 65535; i++)
		data[i] = (uint8_t)(i * 11 + (i >> 8));
	ck_assert_uint_eq(try_open(w, TOE_AF_INET6, NO6, 5000, P6, 53, 0, &h),
			  TOE_ST_OK);
	ck_assert_uint_eq(send_to(w, h, 0, NO6, 0, data, 1452), TOE_ST_OK);
	world_run(w);
	world6_expect(w, 17);
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		size_t total = sizes[i] + 8, at = 0;
		uint32_t sum, id = 0;
		bool more;

		ck_assert_uint_eq(send_to(w, h, 0, NO6, 0, data, sizes[i]),
				  TOE_ST_OK);
		world_run(w);
		do {
			ToeWireIpv6 ip = world6_expect(w, 44);
			uint16_t off = toe_get16(ip.payload + 2);

			ck_assert_uint_le(40 + ip.len, 1500);
			ck_assert_uint_eq(ip.payload[0], 17);
			ck_assert_uint_eq(off & ~7u, at);
			more = off & 1;
			if (at)
				ck_assert_uint_eq(toe_get32(ip.payload + 4),
						  id);
			id = toe_get32(ip.payload + 4);
			memcpy(got + at, ip.payload + 8, ip.len - 8);
			at += ip.len - 8;
			ck_assert(!more || at % 8 == 0);
		} while (more);
		ck_assert_uint_eq(at, total);
		sum = toe_csum_pseudo(TOE_AF_INET6, W6, P6, 17,
				      (uint32_t)total);
		ck_assert(toe_csum_ok(toe_csum(got, total, sum)));
		ck_assert_mem_eq(got + 8, data, sizes[i]);
	}
	g_free(data);
	g_free(got);
	world_free(w);
}
END_TEST

START_TEST(port_that_takes_large_packets_gets_them)
{
	ToeNopConfig config = world_default_config();
	uint8_t *data = g_malloc0(65507);
	struct world *w;
	uint32_t h;

	config.max_segment = 65535;
	memset(&ev, 0, sizeof(ev));
	w = world_new_config(&config, 4u << 20, &udp_ops);
	world_know_peer(w);
	h = open_to(w, 5000, PEER_IP, 53);
	ck_assert_uint_eq(send_to(w, h, 0, NOADDR, 0, data, 65507), TOE_ST_OK);
	world_run(w);
	expect_out(w, 5000, PEER_IP, 53, data, 65507);
	g_free(data);
	world_free(w);
}
END_TEST

START_TEST(full_send_queue_says_again_then_writable)
{
	struct world *w = start();
	uint32_t h = open_to(w, 5000, PEER_IP, 53);
	uint32_t other = open_to(w, 5001, PEER_IP, 53);
	uint8_t data[768] = { 0 };
	unsigned n = 0;

	toe_udp_setopt(w->n, h, TOE_OPT_UDP_SNDBUF, 10 * 1024);
	w->port_room = 1;
	ck_assert_uint_eq(send_to(w, other, 0, NOADDR, 0, "o", 1), TOE_ST_OK);
	world_run(w);		/* the port is busy now */
	while (send_to(w, h, 0, NOADDR, 0, data, sizeof(data)) == TOE_ST_OK)
		n++;
	ck_assert_uint_eq(n, 10);
	ck_assert_uint_eq(send_to(w, h, 0, NOADDR, 0, data, 1), TOE_ST_AGAIN);
	/* Another socket's queue is its own. */
	ck_assert_uint_eq(send_to(w, other, 0, NOADDR, 0, "o", 1), TOE_ST_OK);
	ck_assert_uint_eq(ev.writable, 0);
	world_run(w);
	ck_assert_uint_eq(world_sent_count(w), 1);
	w->port_room = UINT32_MAX;
	toe_nop_port_busy(w->n, false);
	world_run(w);
	ck_assert_uint_eq(ev.writable, 1);
	ck_assert_uint_eq(ev.handle, h);
	ck_assert_uint_eq(world_sent_count(w), 12);
	ck_assert_uint_eq(lmem_used(w), 0);
	world_free(w);
}
END_TEST

START_TEST(sockets_send_in_turn)
{
	struct world *w = start();
	uint32_t a = open_to(w, 5000, PEER_IP, 53);
	uint32_t b = open_to(w, 5001, PEER_IP, 53);

	for (int i = 0; i < 3; i++)
		send_to(w, a, 0, NOADDR, 0, "a", 1);
	send_to(w, b, 0, NOADDR, 0, "b", 1);
	world_run(w);
	expect_out(w, 5000, PEER_IP, 53, "a", 1);
	expect_out(w, 5001, PEER_IP, 53, "b", 1);
	expect_out(w, 5000, PEER_IP, 53, "a", 1);
	world_free(w);
}
END_TEST

START_TEST(close_sends_what_waits)
{
	struct world *w = start();
	uint32_t h = open_to(w, 5000, PEER_IP, 53), other;

	send_to(w, h, 0, NOADDR, 0, "1", 1);
	send_to(w, h, 0, NOADDR, 0, "2", 1);
	toe_udp_close(w->n, h);
	/* The port is its own until then, but nothing is received. */
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 5000, NOADDR, 0, 0,
				   &other), TOE_ST_ADDRINUSE);
	in_from(w, PEER_IP, 53, WORLD_IP, 5000, "x", 1);
	ck_assert_uint_eq(world_os_count(w), 1);
	world_run(w);
	expect_out(w, 5000, PEER_IP, 53, "1", 1);
	expect_out(w, 5000, PEER_IP, 53, "2", 1);
	open_at(w, NOADDR, 5000);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_SOCKETS), 1);
	ck_assert_uint_eq(lmem_used(w), 0);
	world_free(w);
}
END_TEST

START_TEST(closed_sockets_are_given_up_when_all_are_used)
{
	struct world *w = start();
	uint32_t h;

	toe_nop_port_busy(w->n, true);
	for (int i = 0; i < 64; i++) {
		h = open_to(w, 5000 + i, PEER_IP, 53);
		send_to(w, h, 0, NOADDR, 0, "x", 1);
		if (i < 2)
			toe_udp_close(w->n, h);
	}
	open_at(w, NOADDR, 7000);
	open_at(w, NOADDR, 7001);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_OUT_DROPS), 2);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 7002, NOADDR, 0, 0,
				   &h), TOE_ST_NOMEM);
	toe_nop_port_busy(w->n, false);
	world_run(w);
	ck_assert_uint_eq(world_sent_count(w), 62);
	ck_assert_uint_eq(lmem_used(w), 0);
	world_free(w);
}
END_TEST

/* All fragments of one datagram come next: its number of bytes. */
static size_t expect_fragments(struct world *w, uint8_t first)
{
	size_t at = 0;
	ToeWireIpv4 ip;

	do {
		ip = world_expect_ip(w, 17);
		ck_assert_mem_eq(w->last.data, OTHER_MAC, 6);
		ck_assert_uint_eq(ip.frag_off, at);
		if (!at)
			ck_assert_uint_eq(ip.payload[8], first);
		at += ip.len;
	} while (ip.more);
	return at;
}

/* The first large datagram to a neighbour: all of it waits, or nothing. */
START_TEST(large_datagram_waits_for_the_neighbour)
{
	struct world *w = start_ram(16u << 20, 64);
	uint32_t h = open_to(w, 5000, IP(10, 0, 2, 99), 53);
	uint8_t *data = g_malloc0(65507);

	toe_udp_setopt(w->n, h, TOE_OPT_UDP_SNDBUF, 8u << 20);
	for (uint8_t i = 0; i < 4; i++) {
		data[0] = i;
		ck_assert_uint_eq(send_to(w, h, 0, NOADDR, 0, data, 65507),
				  TOE_ST_OK);
	}
	world_run(w);
	world_expect_arp(w, TOE_ARP_REQUEST);
	world_expect_silence(w);
	world_in_arp(w, WORLD_MAC, TOE_ARP_REPLY, OTHER_MAC,
		     IP(10, 0, 2, 99), WORLD_MAC, WORLD_IP);
	for (uint8_t i = 0; i < 4; i++)
		ck_assert_uint_eq(expect_fragments(w, i), 65515);
	world_expect_silence(w);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_QUEUE_DROPS), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_PORT_OUT_DROPS), 0);
	g_free(data);
	world_free(w);
}
END_TEST

START_TEST(only_whole_datagrams_wait)
{
	struct world *w = start_ram(16u << 20, 64);
	uint32_t h = open_to(w, 5000, IP(10, 0, 2, 99), 53);
	uint8_t *data = g_malloc0(65507);
	unsigned got = 0;

	toe_udp_setopt(w->n, h, TOE_OPT_UDP_SNDBUF, 8u << 20);
	/* More than the bytes that may wait: the latest find no room. */
	for (int i = 0; i < 30; i++)
		send_to(w, h, 0, NOADDR, 0, data, 65507);
	world_run(w);
	world_expect_arp(w, TOE_ARP_REQUEST);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_QUEUE_DROPS), 15);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_OUT_DROPS), 15);
	world_in_arp(w, WORLD_MAC, TOE_ARP_REPLY, OTHER_MAC,
		     IP(10, 0, 2, 99), WORLD_MAC, WORLD_IP);
	for (; world_sent_count(w); got++)
		ck_assert_uint_eq(expect_fragments(w, 0), 65515);
	ck_assert_uint_eq(got, 15);
	g_free(data);
	world_free(w);
}
END_TEST

/* More than the packets that may wait: the oldest go, with all fragments. */
START_TEST(oldest_datagram_goes_whole)
{
	struct world *w = start();
	uint32_t h = open_to(w, 5000, IP(10, 0, 2, 99), 53);
	uint8_t data[4000] = { 0 };

	for (uint8_t i = 0; i < 20; i++) {
		data[0] = i;
		send_to(w, h, 0, NOADDR, 0, data, i % 2 ? 4000 : 100);
	}
	world_run(w);
	world_expect_arp(w, TOE_ARP_REQUEST);
	world_in_arp(w, WORLD_MAC, TOE_ARP_REPLY, OTHER_MAC,
		     IP(10, 0, 2, 99), WORLD_MAC, WORLD_IP);
	for (uint8_t i = 4; i < 20; i++)
		ck_assert_uint_eq(expect_fragments(w, i),
				  i % 2 ? 4008 : 108);
	world_expect_silence(w);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_QUEUE_DROPS), 4);
	world_free(w);
}
END_TEST

START_TEST(unreachable_neighbour_is_an_error)
{
	struct world *w = start();
	uint32_t h = open_to(w, 5000, IP(10, 0, 2, 99), 53);

	send_to(w, h, 0, NOADDR, 0, "x", 1);
	world_advance(w, 4 * SEC);
	send_to(w, h, 0, NOADDR, 0, "x", 1);
	world_run(w);
	ck_assert_uint_eq(ev.errors, 1);
	ck_assert_uint_eq(ev.handle, h);
	ck_assert_uint_eq(ev.status, TOE_ST_UNREACH);
	world_free(w);
}
END_TEST

START_TEST(address_that_is_gone_is_not_used)
{
	struct world *w = start();
	uint32_t h = open_to(w, 5000, PEER_IP, 53);

	send_to(w, h, 0, NOADDR, 0, "x", 1);
	toe_nop_addr_del(w->n, TOE_AF_INET, WORLD_IP, 24);
	world_run(w);
	world_expect_silence(w);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_OUT_DROPS), 1);
	ck_assert_uint_eq(send_to(w, h, 0, NOADDR, 0, "x", 1),
			  TOE_ST_ADDRNOTAVAIL);
	ck_assert_uint_eq(lmem_used(w), 0);
	world_free(w);
}
END_TEST

/* ---- To ourselves ---- */

START_TEST(one_application_to_another)
{
	struct world *w = start();
	uint32_t a = open_at(w, NOADDR, 5000), b = open_at(w, NOADDR, 6000);
	const ToeChain *c;
	ToeDgram d;

	ck_assert_uint_eq(send4(w, a, WORLD_IP, 6000, "ping", 4), TOE_ST_OK);
	world_run(w);
	ck_assert_uint_eq(ev.handle, b);
	ck_assert(toe_udp_rx(w->n, b, &d, &c));
	ck_assert_mem_eq(d.raddr, WORLD_IP, 16);
	ck_assert_mem_eq(d.laddr, WORLD_IP, 16);
	expect(w, b, 5000, "ping", 4);
	ck_assert_uint_eq(send4(w, b, WORLD_IP, 5000, "pong", 4), TOE_ST_OK);
	world_run(w);
	expect(w, a, 6000, "pong", 4);
	/* To itself, too. */
	ck_assert_uint_eq(send4(w, a, WORLD_IP, 5000, "me", 2), TOE_ST_OK);
	world_run(w);
	expect(w, a, 5000, "me", 2);
	world_expect_silence(w);
	ck_assert_uint_eq(ev.errors, 0);
	world_free(w);
}
END_TEST

START_TEST(nobody_here_has_the_port)
{
	struct world *w = start();
	uint32_t a = open_to(w, 5000, WORLD_IP, 6000);

	ck_assert_uint_eq(send_to(w, a, 0, NOADDR, 0, "x", 1), TOE_ST_OK);
	world_run(w);
	ck_assert_uint_eq(ev.errors, 1);
	ck_assert_uint_eq(ev.handle, a);
	ck_assert_uint_eq(ev.status, TOE_ST_REFUSED);
	ck_assert_uint_eq(ev.rport, 6000);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("udp_out");
	SRunner *sr = srunner_create(s);
	TCase *tc;
	int failed;

	tc = tcase_create("out");
	tcase_add_test(tc, datagram_goes_out);
	tcase_add_test(tc, connected_needs_no_remote);
	tcase_add_test(tc, same_tuple_twice_is_refused);
	tcase_add_test(tc, checksum_zero_is_sent_as_ones);
	tcase_add_test(tc, ttl_and_tos_are_the_sockets);
	tcase_add_test(tc, refusals_to_send);
	tcase_add_test(tc, large_datagram_goes_out_in_fragments);
	tcase_add_test(tc, large_ipv6_datagram_goes_out_in_fragments);
	tcase_add_test(tc, port_that_takes_large_packets_gets_them);
	tcase_add_test(tc, full_send_queue_says_again_then_writable);
	tcase_add_test(tc, sockets_send_in_turn);
	tcase_add_test(tc, close_sends_what_waits);
	tcase_add_test(tc, closed_sockets_are_given_up_when_all_are_used);
	tcase_add_test(tc, large_datagram_waits_for_the_neighbour);
	tcase_add_test(tc, only_whole_datagrams_wait);
	tcase_add_test(tc, oldest_datagram_goes_whole);
	tcase_add_test(tc, unreachable_neighbour_is_an_error);
	tcase_add_test(tc, address_that_is_gone_is_not_used);
	suite_add_tcase(s, tc);

	tc = tcase_create("ourselves");
	tcase_add_test(tc, one_application_to_another);
	tcase_add_test(tc, nobody_here_has_the_port);
	suite_add_tcase(s, tc);

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
