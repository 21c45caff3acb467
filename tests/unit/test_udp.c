/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP on the network side: ports, who gets which datagram, checksums, queues,
 * ICMP errors, the path's MTU.  What goes out is in test_udp_out.c.
 */
#include "common_udp.h"

#define WORLD2_IP	IP(10, 0, 2, 16)

/* ---- Ports ---- */

START_TEST(port_is_chosen_at_random_from_the_range)
{
	struct world *w = start();
	uint16_t last = 0;
	unsigned neighbours = 0;

	for (int i = 0; i < 20; i++) {
		ToeTuple t = { .family = TOE_AF_INET };
		uint32_t handle;

		ck_assert_uint_eq(toe_udp_open(w->n, &t, 0, &handle),
				  TOE_ST_OK);
		ck_assert_uint_ge(t.lport, 16384);
		ck_assert_uint_le(t.lport, 32767);
		neighbours += t.lport - last == 1;
		last = t.lport;
	}
	ck_assert_uint_lt(neighbours, 3);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_SOCKETS), 20);
	world_free(w);
}
END_TEST

START_TEST(one_port_one_socket)
{
	struct world *w = start();
	uint32_t h, other;

	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET, WORLD2_IP, 24),
			  TOE_ST_OK);
	h = open_at(w, WORLD_IP, 5000);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, WORLD_IP, 5000, NOADDR, 0,
				   0, &other), TOE_ST_ADDRINUSE);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 5000, NOADDR, 0, 0,
				   &other), TOE_ST_ADDRINUSE);
	/* Another address, another port, the other family: no conflict. */
	open_at(w, WORLD2_IP, 5000);
	open_at(w, NOADDR, 5001);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET6, NOADDR, 5000, NOADDR, 0,
				   0, &other), TOE_ST_OK);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, WORLD_IP, 5001, NOADDR, 0,
				   0, &other), TOE_ST_ADDRINUSE);
	toe_udp_close(w->n, h);
	open_at(w, WORLD_IP, 5000);
	world_free(w);
}
END_TEST

START_TEST(sharing_needs_both)
{
	struct world *w = start();
	uint32_t a, b;

	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 5000, NOADDR, 0,
				   TOE_UDP_F_REUSE, &a), TOE_ST_OK);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 5000, NOADDR, 0, 0,
				   &b), TOE_ST_ADDRINUSE);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, WORLD_IP, 5000, NOADDR, 0,
				   TOE_UDP_F_REUSE, &b), TOE_ST_OK);
	open_at(w, NOADDR, 6000);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 6000, NOADDR, 0,
				   TOE_UDP_F_REUSE, &b), TOE_ST_ADDRINUSE);
	world_free(w);
}
END_TEST

START_TEST(sharing_is_bounded)
{
	struct world *w = start_ram(4u << 20, 1024);
	uint32_t h, n = 0;
	uint8_t status;

	do {
		status = try_open(w, TOE_AF_INET, NOADDR, 5000, NOADDR, 0,
				  TOE_UDP_F_REUSE, &h);
		n += status == TOE_ST_OK;
	} while (status == TOE_ST_OK);
	ck_assert_uint_eq(status, TOE_ST_ADDRINUSE);
	ck_assert_uint_eq(n, 256);
	world_free(w);
}
END_TEST

START_TEST(address_must_be_ours)
{
	struct world *w = start();
	uint32_t h;

	ck_assert_uint_eq(try_open(w, TOE_AF_INET, PEER_IP, 5000, NOADDR, 0,
				   0, &h), TOE_ST_ADDRNOTAVAIL);
	ck_assert_uint_eq(try_open(w, 7, NOADDR, 5000, NOADDR, 0, 0, &h),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, W6, 5000, NOADDR, 0, 0,
				   &h), TOE_ST_INVALID);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 5000, PEER_IP, 0,
				   0, &h), TOE_ST_INVALID);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 5000,
				   IP(10, 0, 2, 0), 53, 0, &h),
			  TOE_ST_NOROUTE);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_SOCKETS), 0);
	world_free(w);
}
END_TEST

START_TEST(table_is_bounded)
{
	struct world *w = start();
	uint32_t h[64], more;

	ck_assert_uint_eq(toe_udp_sockets(w->n), 64);
	for (int i = 0; i < 64; i++)
		h[i] = open_at(w, NOADDR, 0);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 0, NOADDR, 0, 0,
				   &more), TOE_ST_NOMEM);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 777, NOADDR, 0, 0,
				   &more), TOE_ST_NOMEM);
	toe_udp_close(w->n, h[7]);
	/* The port that was refused before is free. */
	more = open_at(w, NOADDR, 777);
	ck_assert_uint_eq(TOE_INDEX(more), TOE_INDEX(h[7]));
	ck_assert_uint_ne(more, h[7]);
	world_free(w);
}
END_TEST

START_TEST(stale_handle_is_dead)
{
	struct world *w = start();
	uint32_t h = open_at(w, NOADDR, 5000);
	ToeTuple t = { .family = 0 };
	uint64_t v;

	toe_udp_close(w->n, h);
	ck_assert_uint_eq(toe_udp_tuple(w->n, h, &t), TOE_ST_HANDLE);
	ck_assert_uint_eq(toe_udp_connect(w->n, h, &t), TOE_ST_HANDLE);
	ck_assert_uint_eq(toe_udp_getopt(w->n, h, TOE_OPT_UDP_TTL, &v),
			  TOE_ST_HANDLE);
	ck_assert_uint_eq(toe_udp_setopt(w->n, h, TOE_OPT_UDP_TTL, 1),
			  TOE_ST_HANDLE);
	ck_assert_uint_eq(send4(w, h, PEER_IP, 53, "x", 1), TOE_ST_HANDLE);
	expect_nothing(w, h);
	toe_udp_close(w->n, h);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_SOCKETS), 0);
	/* A handle of a connection is none of a socket. */
	ck_assert_uint_eq(toe_udp_index(w->n, TOE_HANDLE(3, 1)), UINT32_MAX);
	ck_assert_uint_ge(TOE_INDEX(h), w->config.connections);
	world_free(w);
}
END_TEST

/* ---- In ---- */

START_TEST(unconnected_takes_from_everybody)
{
	struct world *w = start();
	uint32_t h = open_at(w, NOADDR, 5000);

	in_from(w, PEER_IP, 53, WORLD_IP, 5000, "one", 3);
	in_from(w, FAR_IP, 54, WORLD_IP, 5000, "three", 5);
	ck_assert_uint_eq(ev.readable, 2);
	ck_assert_uint_eq(ev.handle, h);
	expect(w, h, 53, "one", 3);
	expect(w, h, 54, "three", 5);
	expect_nothing(w, h);
	ck_assert_uint_eq(world_os_count(w), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_IN), 2);
	ck_assert_uint_eq(lmem_used(w), 0);
	world_free(w);
}
END_TEST

START_TEST(envelope_says_where_from_and_to)
{
	struct world *w = start();
	uint32_t h = open_at(w, NOADDR, 5000);
	const ToeChain *c;
	ToeDgram d;

	in_from(w, FAR_IP, 54, WORLD_IP, 5000, "x", 1);
	ck_assert(toe_udp_rx(w->n, h, &d, &c));
	ck_assert_uint_eq(d.family, TOE_AF_INET);
	ck_assert_mem_eq(d.raddr, FAR_IP, 16);
	ck_assert_mem_eq(d.laddr, WORLD_IP, 16);
	ck_assert_uint_eq(d.ttl, 63);
	world_free(w);
}
END_TEST

START_TEST(connected_takes_from_its_remote_only)
{
	struct world *w = start();
	uint32_t h = open_to(w, 5000, PEER_IP, 53);

	in_from(w, PEER_IP, 54, WORLD_IP, 5000, "port", 4);
	in_from(w, FAR_IP, 53, WORLD_IP, 5000, "addr", 4);
	expect_nothing(w, h);
	ck_assert_uint_eq(world_os_count(w), 2);
	in_from(w, PEER_IP, 53, WORLD_IP, 5000, "yes", 3);
	expect(w, h, 53, "yes", 3);
	world_free(w);
}
END_TEST

START_TEST(most_specific_socket_wins)
{
	struct world *w = start();
	uint32_t any, bound, conn;

	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET, WORLD2_IP, 24),
			  TOE_ST_OK);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 5000, NOADDR, 0,
				   TOE_UDP_F_REUSE, &any), TOE_ST_OK);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, WORLD_IP, 5000, NOADDR, 0,
				   TOE_UDP_F_REUSE, &bound), TOE_ST_OK);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, WORLD_IP, 5000, PEER_IP, 53,
				   TOE_UDP_F_REUSE, &conn), TOE_ST_OK);
	in_from(w, PEER_IP, 53, WORLD_IP, 5000, "c", 1);
	in_from(w, PEER_IP, 54, WORLD_IP, 5000, "b", 1);
	in_from(w, PEER_IP, 53, WORLD2_IP, 5000, "a", 1);
	expect(w, conn, 53, "c", 1);
	expect(w, bound, 54, "b", 1);
	expect(w, any, 53, "a", 1);
	world_free(w);
}
END_TEST

START_TEST(sharers_get_a_part_of_the_remotes)
{
	struct world *w = start();
	unsigned count[4] = { 0 };
	uint32_t h[4];

	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 5000,
					   NOADDR, 0, TOE_UDP_F_REUSE,
					   &h[i]), TOE_ST_OK);
	for (uint16_t port = 1000; port < 1100; port++) {
		uint32_t first;

		in_from(w, PEER_IP, port, WORLD_IP, 5000, "1", 1);
		first = ev.handle;
		in_from(w, PEER_IP, port, WORLD_IP, 5000, "2", 1);
		ck_assert_uint_eq(ev.handle, first);
		for (int i = 0; i < 4; i++)
			count[i] += first == h[i];
	}
	for (int i = 0; i < 4; i++)
		ck_assert_uint_gt(count[i], 5);
	world_free(w);
}
END_TEST

START_TEST(ipv4_may_come_without_checksum)
{
	struct world *w = start();
	uint32_t h = open_at(w, NOADDR, 5000);
	uint8_t d[64];
	size_t len = make(d, TOE_AF_INET, PEER_IP, 53, WORLD_IP, 5000, "abc",
			  3, false);

	world_in_ip(w, PEER_IP, WORLD_IP, 17, d, len);
	expect(w, h, 53, "abc", 3);
	world_free(w);
}
END_TEST

START_TEST(ipv6_must_have_a_checksum)
{
	struct world *w = start6();
	uint32_t h;

	ck_assert_uint_eq(try_open(w, TOE_AF_INET6, NO6, 5000, NO6, 0, 0, &h),
			  TOE_ST_OK);
	in6(w, 5000, "abc", 3, false);
	expect_nothing(w, h);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_BAD_CHECKSUM), 1);
	ck_assert_uint_eq(world_os_count(w), 0);
	in6(w, 5000, "abc", 3, true);
	expect(w, h, 53, "abc", 3);
	world_free(w);
}
END_TEST

START_TEST(bad_checksum_is_dropped)
{
	struct world *w = start();
	uint32_t h = open_at(w, NOADDR, 5000);
	uint8_t d[64];
	size_t len = make(d, TOE_AF_INET, PEER_IP, 53, WORLD_IP, 5000, "abc",
			  3, true);

	for (size_t i = 0; i < len; i++) {
		if (i == 2 || i == 3 || i == 6 || i == 7)
			continue;	/* another port; no checksum */
		d[i] ^= 0x10;
		world_in_ip(w, PEER_IP, WORLD_IP, 17, d, len);
		d[i] ^= 0x10;
	}
	expect_nothing(w, h);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_BAD_CHECKSUM) +
			  world_counter(w, TOE_CTR_UDP_BAD), len - 4);
	ck_assert_uint_eq(world_os_count(w), 0);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

START_TEST(lengths_are_checked)
{
	static const struct { uint16_t says; size_t has; } bad[] = {
		{ 7, 20 }, { 0, 20 }, { 21, 20 }, { 65535, 20 },
	};
	struct world *w = start();
	uint32_t h = open_at(w, NOADDR, 5000);
	uint8_t d[64];

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		make(d, TOE_AF_INET, PEER_IP, 53, WORLD_IP, 5000,
		     "0123456789ab", 12, false);
		toe_put16(d + 4, bad[i].says);
		world_in_ip(w, PEER_IP, WORLD_IP, 17, d, bad[i].has);
	}
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_BAD), 4);
	/* Shorter than a header: nobody's port can be read, so not ours. */
	world_in_ip(w, PEER_IP, WORLD_IP, 17, d, 7);
	ck_assert_uint_eq(world_os_count(w), 1);
	expect_nothing(w, h);
	/* More than it says is not UDP's. */
	make(d, TOE_AF_INET, PEER_IP, 53, WORLD_IP, 5000, "abcdef", 6, false);
	toe_put16(d + 4, 8 + 4);
	world_in_ip(w, PEER_IP, WORLD_IP, 17, d, 14);
	expect(w, h, 53, "abcd", 4);
	world_free(w);
}
END_TEST

START_TEST(datagrams_of_every_size_arrive)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 511, 1472, 2047, 2048,
					2049, 9000, 40001, 65507 };
	struct world *w = start();
	uint32_t h = open_at(w, NOADDR, 5000);
	uint8_t *data = g_malloc(65535);

	for (size_t i = 0; i < 65535; i++)
		data[i] = (uint8_t)(i * 7 + (i >> 8));
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		w->cut = sizes[i] > 1472 ? 1480 : 0;
		in_from(w, PEER_IP, 53, WORLD_IP, 5000, data, sizes[i]);
		expect(w, h, 53, data, sizes[i]);
	}
	ck_assert_uint_eq(lmem_used(w), 0);
	g_free(data);
	world_free(w);
}
END_TEST

START_TEST(ipv6_datagram_in_fragments)
{
	struct world *w = start6();
	uint8_t d[2008], f[8 + 1448] = { 17 }, data[2000];
	uint32_t h;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 5 + (i >> 8));
	ck_assert_uint_eq(try_open(w, TOE_AF_INET6, NO6, 5000, NO6, 0, 0, &h),
			  TOE_ST_OK);
	make(d, TOE_AF_INET6, P6, 53, W6, 5000, data, 2000, true);
	toe_put32(f + 4, 0x1234);
	toe_put16(f + 2, 1448);
	memcpy(f + 8, d + 1448, 2008 - 1448);
	world6_in(w, P6, W6, 44, 64, f, 8 + 2008 - 1448);
	expect_nothing(w, h);
	toe_put16(f + 2, 1);
	memcpy(f + 8, d, 1448);
	world6_in(w, P6, W6, 44, 64, f, 8 + 1448);
	expect(w, h, 53, data, 2000);
	ck_assert_uint_eq(world_os_count(w), 0);
	world_free(w);
}
END_TEST

START_TEST(nobody_has_the_port)
{
	struct world *w = start();
	ToeWireIcmp m;
	ToeWireIpv4 ip;
	uint8_t data[2000] = { 1 };

	/* The operating system is up: it decides, also about fragments. */
	in_from(w, PEER_IP, 53, WORLD_IP, 5000, "x", 1);
	ck_assert_uint_eq(world_os_count(w), 1);
	w->cut = 1480;
	in_from(w, PEER_IP, 53, WORLD_IP, 5000, data, sizeof(data));
	ck_assert_uint_eq(world_os_count(w), 3);
	w->cut = 0;
	world_expect_silence(w);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_NO_PORT), 0);

	toe_nop_port_set(w->n, 0, NULL, 0, 0);
	in_from(w, PEER_IP, 53, WORLD_IP, 5000, "x", 1);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_NO_PORT), 1);
	world_run(w);
	ip = world_expect_ip(w, TOE_PROTO_ICMP);
	ck_assert_int_eq(toe_wire_icmp_parse(ip.payload, ip.len, &m),
			 TOE_WIRE_ICMP_OK);
	ck_assert_uint_eq(m.type, TOE_ICMP_UNREACHABLE);
	ck_assert_uint_eq(m.code, TOE_ICMP_CODE_PORT);
	world_free(w);
}
END_TEST

START_TEST(bad_one_is_not_answered)
{
	struct world *w = start();
	uint8_t d[64];
	size_t len = make(d, TOE_AF_INET, PEER_IP, 53, WORLD_IP, 5000, "abc",
			  3, true);

	toe_nop_port_set(w->n, 0, NULL, 0, 0);
	d[9] ^= 1;
	world_in_ip(w, PEER_IP, WORLD_IP, 17, d, len);
	world_run(w);
	world_expect_silence(w);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_BAD_CHECKSUM), 1);
	world_free(w);
}
END_TEST

START_TEST(nobody_has_the_ipv6_port)
{
	struct world *w = start6();
	ToeWireIcmp m;

	in6(w, 5000, "x", 1, true);
	ck_assert_uint_eq(world_os_count(w), 1);
	toe_nop_port_set(w->n, 0, NULL, 0, 0);
	in6(w, 5000, "x", 1, true);
	world_run(w);
	m = world6_expect_icmp(w, TOE_ICMP6_UNREACHABLE);
	ck_assert_uint_eq(m.code, TOE_ICMP6_CODE_PORT);
	world_free(w);
}
END_TEST

START_TEST(full_queue_drops_and_counts)
{
	struct world *w = start();
	uint32_t slow = open_at(w, NOADDR, 5000);
	uint32_t other = open_at(w, NOADDR, 5001);
	uint8_t data[1000] = { 0 };
	uint64_t drops;

	toe_udp_setopt(w->n, slow, TOE_OPT_UDP_RCVBUF, 10 * 1256);
	for (int i = 0; i < 15; i++)
		in_from(w, PEER_IP, 53, WORLD_IP, 5000, data, sizeof(data));
	ck_assert_uint_eq(ev.readable, 10);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_RX_FULL), 5);
	ck_assert_uint_eq(toe_udp_getopt(w->n, slow, TOE_OPT_UDP_DROPS,
					 &drops), TOE_ST_OK);
	ck_assert_uint_eq(drops, 5);
	/* Another socket does not feel it. */
	in_from(w, PEER_IP, 53, WORLD_IP, 5001, data, sizeof(data));
	expect(w, other, 53, data, sizeof(data));
	/* Room again. */
	expect(w, slow, 53, data, sizeof(data));
	in_from(w, PEER_IP, 53, WORLD_IP, 5000, data, sizeof(data));
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_RX_FULL), 5);
	toe_udp_close(w->n, slow);
	ck_assert_uint_eq(lmem_used(w), 0);
	world_free(w);
}
END_TEST

START_TEST(all_queues_leave_local_memory_to_others)
{
	struct world *w = start_ram(64 * 2048, 64);
	uint8_t data[1400] = { 0 };
	uint32_t first = 0;

	for (uint16_t p = 5000; p < 5030; p++) {
		uint32_t h = open_at(w, NOADDR, p);

		first = first ? first : h;
	}
	for (uint16_t p = 5000; p < 5030; p++)
		in_from(w, PEER_IP, 53, WORLD_IP, p, data, sizeof(data));
	ck_assert_uint_eq(lmem_used(w), 16);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_NO_BUFLET), 14);
	/* Empty ones take no buflet, but a record, and count as one. */
	for (int i = 0; i < 100; i++)
		in_from(w, PEER_IP, 53, WORLD_IP, 5020, data, 0);
	ck_assert_uint_eq(ev.readable, 16);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_NO_BUFLET), 114);
	/* What is taken off one is there for another. */
	expect(w, first, 53, data, sizeof(data));
	in_from(w, PEER_IP, 53, WORLD_IP, 5029, data, sizeof(data));
	ck_assert_uint_eq(ev.readable, 17);
	ck_assert_uint_eq(lmem_used(w), 16);
	world_free(w);
}
END_TEST

/* ---- ICMP ---- */

static void icmp_in(struct world *w, uint8_t type, uint8_t code,
		    const uint8_t *rem, uint16_t lport, uint16_t rport)
{
	uint8_t m[64] = { type, code };

	toe_wire_ipv4_build(m + 8, 0, 20 + 8 + 100, 1, false, 60, 17,
			    WORLD_IP, rem);
	toe_put16(m + 28, lport);
	toe_put16(m + 30, rport);
	toe_put16(m + 32, 108);
	toe_csum_store(m + 2, toe_csum(m, 36, 0));
	world_in_ip(w, FAR_IP, WORLD_IP, 1, m, 36);
}

START_TEST(icmp_errors_reach_the_socket)
{
	static const struct { uint8_t type, code, status; } kinds[] = {
		{ 3, 3, TOE_ST_REFUSED }, { 3, 2, TOE_ST_REFUSED },
		{ 3, 0, TOE_ST_UNREACH }, { 3, 1, TOE_ST_UNREACH },
		{ 3, 4, TOE_ST_TOOBIG }, { 3, 13, TOE_ST_UNREACH },
		{ 11, 0, TOE_ST_UNREACH },
	};
	struct world *w = start();
	uint32_t h = open_to(w, 5000, PEER_IP, 53);

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		icmp_in(w, kinds[i].type, kinds[i].code, PEER_IP, 5000, 53);
		ck_assert_uint_eq(ev.errors, i + 1);
		ck_assert_uint_eq(ev.handle, h);
		ck_assert_uint_eq(ev.status, kinds[i].status);
		ck_assert_uint_eq(ev.rport, 53);
		ck_assert_mem_eq(ev.raddr, PEER_IP, 16);
	}
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_ERRORS_IN),
			  G_N_ELEMENTS(kinds));
	/* About what a connected socket never sent: not for it. */
	icmp_in(w, 3, 3, PEER_IP, 5000, 54);
	icmp_in(w, 3, 3, FAR_IP, 5000, 53);
	icmp_in(w, 3, 3, PEER_IP, 5001, 53);
	ck_assert_uint_eq(ev.errors, G_N_ELEMENTS(kinds));
	ck_assert_uint_eq(world_os_count(w), 3);
	/* The socket goes on. */
	ck_assert_uint_eq(send4(w, h, PEER_IP, 53, "x", 1), TOE_ST_OK);
	world_free(w);
}
END_TEST

START_TEST(icmp_errors_name_the_remote)
{
	struct world *w = start();
	uint32_t h = open_at(w, NOADDR, 5000);

	icmp_in(w, 3, 3, FAR_IP, 5000, 99);
	ck_assert_uint_eq(ev.errors, 1);
	ck_assert_uint_eq(ev.handle, h);
	ck_assert_uint_eq(ev.rport, 99);
	ck_assert_mem_eq(ev.raddr, FAR_IP, 16);
	world_free(w);
}
END_TEST

START_TEST(icmp6_errors_reach_the_socket)
{
	struct world *w = start6();
	uint8_t q[64] = { 0 };
	uint32_t h;

	ck_assert_uint_eq(try_open(w, TOE_AF_INET6, NO6, 5000, P6, 53, 0, &h),
			  TOE_ST_OK);
	toe_wire_ipv6_build(q, 0, 0, 8, 17, 64, W6, P6);
	toe_put16(q + 40, 5000);
	toe_put16(q + 42, 53);
	world6_in_icmp(w, FAR6, W6, 64, 1, 4, 0, q, 48);
	ck_assert_uint_eq(ev.errors, 1);
	ck_assert_uint_eq(ev.handle, h);
	ck_assert_uint_eq(ev.status, TOE_ST_REFUSED);
	world6_in_icmp(w, FAR6, W6, 64, 1, 0, 0, q, 48);
	ck_assert_uint_eq(ev.status, TOE_ST_UNREACH);
	world6_in_icmp(w, FAR6, W6, 64, 2, 0, 1280, q, 48);
	ck_assert_uint_eq(ev.status, TOE_ST_TOOBIG);
	/* The first fragment of a datagram of ours. */
	memmove(q + 48, q + 40, 8);
	memset(q + 40, 0, 8);
	q[40] = 17;
	q[43] = 1;
	q[6] = 44;
	world6_in_icmp(w, FAR6, W6, 64, 1, 4, 0, q, 56);
	ck_assert_uint_eq(ev.errors, 4);
	ck_assert_uint_eq(ev.status, TOE_ST_REFUSED);
	/* A later one does not say whose it is. */
	q[42] = 1;
	world6_in_icmp(w, FAR6, W6, 64, 1, 4, 0, q, 56);
	ck_assert_uint_eq(ev.errors, 4);
	world_free(w);
}
END_TEST

/*
 * The whole frame that libslirp 4.7 answers with when a program's port on the
 * machine itself is not there: its source is 127.0.0.1.
 */
START_TEST(icmp_error_of_user_networking)
{
	uint8_t f[] = {
		0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x52, 0x55, 0x0a, 0x00,
		0x02, 0x02, 0x08, 0x00,
		0x45, 0xc0, 0x00, 0x3d, 0x00, 0x00, 0x00, 0x00, 0xff, 0x01,
		0x2f, 0xf0, 0x7f, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x02, 0x0f,
		0x03, 0x03, 0xa5, 0x8c, 0x00, 0x00, 0x00, 0x00,
		0x45, 0x00, 0x00, 0x21, 0x12, 0x34, 0x00, 0x00, 0x40, 0x11,
		0x50, 0x88, 0x0a, 0x00, 0x02, 0x0f, 0x0a, 0x00, 0x02, 0x02,
		0x13, 0x88, 0x00, 0x09, 0x00, 0x0d, 0x00, 0x00,
		0x68, 0x65, 0x6c, 0x6c, 0x6f,
	};
	struct world *w = start();
	uint32_t h = open_to(w, 5000, PEER_IP, 9);

	world_in(w, f, sizeof(f));
	ck_assert_uint_eq(ev.errors, 1);
	ck_assert_uint_eq(ev.handle, h);
	ck_assert_uint_eq(ev.status, TOE_ST_REFUSED);
	ck_assert_uint_eq(ev.rport, 9);
	/* About no socket of ours, and an echo request: refused as ever. */
	toe_udp_close(w->n, h);
	world_in(w, f, sizeof(f));
	f[34] = TOE_ICMP_ECHO_REQUEST;
	f[35] = 0;
	toe_put16(f + 36, 0);
	toe_csum_store(f + 36, toe_csum(f + 34, sizeof(f) - 34, 0));
	world_in(w, f, sizeof(f));
	ck_assert_uint_eq(ev.errors, 1);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_BAD_HEADER), 2);
	ck_assert_uint_eq(world_os_count(w), 0);
	world_run(w);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

START_TEST(icmp6_error_of_user_networking)
{
	struct world *w = start6();
	uint8_t q[48];
	uint32_t h;

	ck_assert_uint_eq(try_open(w, TOE_AF_INET6, NO6, 5000, P6, 9, 0, &h),
			  TOE_ST_OK);
	toe_wire_ipv6_build(q, 0, 0, 8, 17, 64, W6, P6);
	toe_put16(q + 40, 5000);
	toe_put16(q + 42, 9);
	world6_in_icmp(w, IP6(0, 0, 0, 0, 1), W6, 255, 1, 4, 0, q, 48);
	ck_assert_uint_eq(ev.errors, 1);
	ck_assert_uint_eq(ev.status, TOE_ST_REFUSED);
	world6_in_icmp(w, IP6(0, 0, 0, 0, 1), W6, 255, 128, 0, 0, q, 48);
	world6_in_icmp(w, IP6(0, 0, 0, 0, 2), W6, 255, 1, 4, 0, q, 48);
	ck_assert_uint_eq(ev.errors, 1);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP6_BAD_HEADER), 2);
	world_run(w);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

/* ---- The path's MTU ---- */

/* "Too big", about an IPv6 packet of so many bytes to P6 or FAR6. */
static void too_big6(struct world *w, const uint8_t *dst, uint16_t rport,
		     uint32_t size, uint32_t mtu)
{
	uint8_t q[48] = { 0 };

	toe_wire_ipv6_build(q, 0, 0, size - 40, 17, 60, W6, dst);
	toe_put16(q + 40, 5000);
	toe_put16(q + 42, rport);
	world6_in_icmp(w, P6, W6, 64, 2, 0, mtu, q, 48);
}

static uint64_t path6(struct world *w, uint32_t handle)
{
	uint64_t v;

	ck_assert_uint_eq(toe_udp_getopt(w->n, handle, TOE_OPT_UDP_PATH_MTU,
					 &v), TOE_ST_OK);
	return v;
}

START_TEST(router_says_too_big)
{
	struct world *w = start6();
	uint8_t data[3000] = { 0 };
	size_t at = 0, len;
	uint32_t h;

	ck_assert_uint_eq(try_open(w, TOE_AF_INET6, NO6, 5000, FAR6, 53, 0,
				   &h), TOE_ST_OK);
	toe_nop_neigh_add(w->n, TOE_AF_INET6, P6_LL, PEER_MAC);
	ck_assert_uint_eq(path6(w, h), 1500);
	ck_assert_uint_eq(send_to(w, h, 0, NO6, 0, data, 1452), TOE_ST_OK);
	world_run(w);
	ck_assert_uint_eq(world6_expect(w, 17).len, 1460);
	too_big6(w, FAR6, 53, 1500, 1400);
	ck_assert_uint_eq(ev.status, TOE_ST_TOOBIG);
	ck_assert_uint_eq(path6(w, h), 1400);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_PMTU_LOWERED), 1);
	/* It goes in fragments of that size now. */
	ck_assert_uint_eq(send_to(w, h, 0, NO6, 0, data, 3000), TOE_ST_OK);
	world_run(w);
	do {
		len = world6_expect(w, 44).len;
		ck_assert_uint_le(40 + len, 1400);
		at += len - 8;
	} while (at < 3008);
	ck_assert_uint_eq(at, 3008);
	world_expect_silence(w);
	/* Or is refused. */
	toe_udp_setopt(w->n, h, TOE_OPT_UDP_DONTFRAG, 1);
	ck_assert_uint_eq(send_to(w, h, 0, NO6, 0, data, 1353), TOE_ST_TOOBIG);
	ck_assert_uint_eq(send_to(w, h, 0, NO6, 0, data, 1352), TOE_ST_OK);
	world_run(w);
	ck_assert_uint_eq(world6_expect(w, 17).len, 1360);
	/* Not for ever. */
	world_advance(w, 601 * SEC);
	ck_assert_uint_eq(path6(w, h), 1500);
	world_free(w);
}
END_TEST

START_TEST(routers_that_are_not_believed)
{
	struct world *w = start6();
	uint8_t data[1452] = { 0 };
	uint32_t h;

	ck_assert_uint_eq(try_open(w, TOE_AF_INET6, NO6, 5000, P6, 53, 0,
				   &h), TOE_ST_OK);
	/* Nothing was sent, or nothing as large. */
	too_big6(w, P6, 53, 1500, 1400);
	send_to(w, h, 0, NO6, 0, data, 1000);
	world_run(w);
	too_big6(w, P6, 53, 1500, 1400);
	send_to(w, h, 0, NO6, 0, data, 1452);
	world_run(w);
	/* What is said to be too big is not. */
	too_big6(w, P6, 53, 1400, 1400);
	/* About another remote's. */
	too_big6(w, P6, 54, 1500, 1400);
	too_big6(w, FAR6, 53, 1500, 1400);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_PMTU_IGNORED), 3);
	ck_assert_uint_eq(path6(w, h), 1500);
	/* Below the least is nobody's honest word. */
	too_big6(w, P6, 53, 1500, 1279);
	ck_assert_uint_eq(path6(w, h), 1500);
	too_big6(w, P6, 53, 1500, 1280);
	ck_assert_uint_eq(path6(w, h), 1280);
	world_free(w);
}
END_TEST

/* IPv4 learns it only of what may not be fragmented on the way. */
START_TEST(ipv4_too_big)
{
	struct world *w = start();
	uint8_t m[36] = { 3, 4 }, data[1472] = { 0 };
	uint32_t h = open_to(w, 5000, FAR_IP, 53);
	uint64_t v;

	toe_udp_setopt(w->n, h, TOE_OPT_UDP_DONTFRAG, 1);
	ck_assert_uint_eq(send_to(w, h, 0, NOADDR, 0, data, 1472), TOE_ST_OK);
	ck_assert_uint_eq(send_to(w, h, 0, NOADDR, 0, data, 1473),
			  TOE_ST_TOOBIG);
	world_run(w);
	world_forget(w);
	for (uint16_t mtu = 1400; mtu; mtu = mtu == 1400 ? 300 : 0) {
		toe_put16(m + 6, mtu);
		toe_put16(m + 2, 0);
		toe_wire_ipv4_build(m + 8, 0, 1500, 1, true, 60, 17, WORLD_IP,
				    FAR_IP);
		toe_put16(m + 28, 5000);
		toe_put16(m + 30, 53);
		toe_put16(m + 32, 1480);
		toe_csum_store(m + 2, toe_csum(m, 36, 0));
		/* One that waits is too large when its turn comes. */
		toe_nop_port_busy(w->n, true);
		ck_assert_uint_eq(send_to(w, h, 0, NOADDR, 0, data,
					  mtu == 1400 ? 1472 : 1372),
				  TOE_ST_OK);
		world_in_ip(w, PEER_IP, WORLD_IP, 1, m, 36);
		toe_udp_getopt(w->n, h, TOE_OPT_UDP_PATH_MTU, &v);
		/* Each host takes 576: less is not believed. */
		ck_assert_uint_eq(v, MAX(mtu, 576));
		ev.status = 0;
		toe_nop_port_busy(w->n, false);
		world_run(w);
		ck_assert_uint_eq(ev.status, TOE_ST_TOOBIG);
		world_expect_silence(w);
		ck_assert_uint_eq(send_to(w, h, 0, NOADDR, 0, data, v - 27),
				  TOE_ST_TOOBIG);
		ck_assert_uint_eq(send_to(w, h, 0, NOADDR, 0, data, v - 28),
				  TOE_ST_OK);
		world_run(w);
		ck_assert_uint_eq(world_expect_ip(w, 17).len, v - 20);
	}
	ck_assert_uint_eq(lmem_used(w), 0);
	world_free(w);
}
END_TEST

START_TEST(path_of_no_remote)
{
	struct world *w = start();
	uint32_t h = open_at(w, NOADDR, 5000);
	uint64_t v;

	ck_assert_uint_eq(toe_udp_getopt(w->n, h, TOE_OPT_UDP_PATH_MTU, &v),
			  TOE_ST_STATE);
	ck_assert_uint_eq(toe_udp_setopt(w->n, h, TOE_OPT_UDP_PATH_MTU, 1500),
			  TOE_ST_INVALID);
	world_free(w);
}
END_TEST

/* ---- Reset ---- */

START_TEST(reset_forgets_everything)
{
	struct world *w = start();
	uint32_t a = open_at(w, NOADDR, 5000), b = open_to(w, 0, PEER_IP, 53);

	in_from(w, PEER_IP, 53, WORLD_IP, 5000, "x", 1);
	send_to(w, b, 0, NOADDR, 0, "x", 1);
	toe_nop_reset(w->n);
	toe_lmem_reset(w->lm);
	world_run(w);
	world_expect_silence(w);
	expect_nothing(w, a);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_SOCKETS), 0);
	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET, WORLD_IP, 24),
			  TOE_ST_OK);
	for (int i = 0; i < 64; i++) {
		uint32_t h = open_at(w, NOADDR, 5000 + i);

		ck_assert_uint_ne(h, a);
		ck_assert_uint_ne(h, b);
	}
	world_free(w);
}
END_TEST

START_TEST(parameters_are_new_sockets_limits)
{
	struct world *w = start();
	uint64_t v;
	uint32_t h;

	ck_assert_uint_eq(toe_nop_param_set(w->n, TOE_PARAM_UDP_RCVBUF, 4096),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_param_set(w->n, TOE_PARAM_UDP_SNDBUF, 8192),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_param_set(w->n, TOE_PARAM_UDP_SNDBUF, 1),
			  TOE_ST_INVALID);
	h = open_at(w, NOADDR, 5000);
	ck_assert_uint_eq(toe_udp_getopt(w->n, h, TOE_OPT_UDP_RCVBUF, &v),
			  TOE_ST_OK);
	ck_assert_uint_eq(v, 4096);
	ck_assert_uint_eq(toe_udp_getopt(w->n, h, TOE_OPT_UDP_SNDBUF, &v),
			  TOE_ST_OK);
	ck_assert_uint_eq(v, 8192);
	world_free(w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("udp");
	SRunner *sr = srunner_create(s);
	TCase *tc;
	int failed;

	tc = tcase_create("ports");
	tcase_add_test(tc, port_is_chosen_at_random_from_the_range);
	tcase_add_test(tc, one_port_one_socket);
	tcase_add_test(tc, sharing_needs_both);
	tcase_add_test(tc, sharing_is_bounded);
	tcase_add_test(tc, address_must_be_ours);
	tcase_add_test(tc, table_is_bounded);
	tcase_add_test(tc, stale_handle_is_dead);
	suite_add_tcase(s, tc);

	tc = tcase_create("in");
	tcase_add_test(tc, unconnected_takes_from_everybody);
	tcase_add_test(tc, envelope_says_where_from_and_to);
	tcase_add_test(tc, connected_takes_from_its_remote_only);
	tcase_add_test(tc, most_specific_socket_wins);
	tcase_add_test(tc, sharers_get_a_part_of_the_remotes);
	tcase_add_test(tc, ipv4_may_come_without_checksum);
	tcase_add_test(tc, ipv6_must_have_a_checksum);
	tcase_add_test(tc, bad_checksum_is_dropped);
	tcase_add_test(tc, lengths_are_checked);
	tcase_add_test(tc, datagrams_of_every_size_arrive);
	tcase_add_test(tc, ipv6_datagram_in_fragments);
	tcase_add_test(tc, nobody_has_the_port);
	tcase_add_test(tc, bad_one_is_not_answered);
	tcase_add_test(tc, nobody_has_the_ipv6_port);
	tcase_add_test(tc, full_queue_drops_and_counts);
	tcase_add_test(tc, all_queues_leave_local_memory_to_others);
	suite_add_tcase(s, tc);

	tc = tcase_create("icmp");
	tcase_add_test(tc, icmp_errors_reach_the_socket);
	tcase_add_test(tc, icmp_errors_name_the_remote);
	tcase_add_test(tc, icmp6_errors_reach_the_socket);
	tcase_add_test(tc, icmp_error_of_user_networking);
	tcase_add_test(tc, icmp6_error_of_user_networking);
	suite_add_tcase(s, tc);

	tc = tcase_create("path");
	tcase_add_test(tc, router_says_too_big);
	tcase_add_test(tc, routers_that_are_not_believed);
	tcase_add_test(tc, ipv4_too_big);
	tcase_add_test(tc, path_of_no_remote);
	suite_add_tcase(s, tc);

	tc = tcase_create("life");
	tcase_add_test(tc, reset_forgets_everything);
	tcase_add_test(tc, parameters_are_new_sockets_limits);
	suite_add_tcase(s, tc);

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
