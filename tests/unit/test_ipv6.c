/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ipv6.c - IPv6 and ICMPv6, packet by packet: what is refused, extension
 * headers, what is TCP's, what is the operating system's, what is answered;
 * addresses, routes and the choice of a source.
 */
#include <stdlib.h>
#include "common_nop6.h"
#include "fake_tcp.h"

static struct world *w;

static void setup(void)
{
	w = world6_new();
	world6_know_peer(w);
	fake_tcp_clear();
	fake_tcp.takes = true;
}

static void teardown(void)
{
	world_free(w);
}

static void kernel_down(void)
{
	ck_assert_uint_eq(toe_nop_port_set(w->n, 0, NULL, 0, 0), TOE_ST_OK);
}

/* ---- IPv6 in ---- */

/* By hand: [fec0::2]:80 -> [fec0::15]:16384, SYN; padded by the link. */
static const uint8_t tcp_frame[] = {
	0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02,
	0x86, 0xdd,
	0x61, 0x0a, 0xbc, 0xde, 0x00, 0x14, 0x06, 0x3f,
	0xfe, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02,
	0xfe, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x15,
	0x00, 0x50, 0x40, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
	0x50, 0x02, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
	0xee, 0xee,
};

START_TEST(test_tcp_in)
{
	world_in(w, tcp_frame, sizeof(tcp_frame));
	ck_assert_uint_eq(fake_tcp.inputs, 1);
	ck_assert_uint_eq(fake_tcp.packet.family, TOE_AF_INET6);
	ck_assert_uint_eq(fake_tcp.packet.tos, 0x10);
	ck_assert_uint_eq(fake_tcp.packet.ttl, 63);
	ck_assert_uint_eq(fake_tcp.packet.proto, TOE_PROTO_TCP);
	ck_assert_mem_eq(fake_tcp.packet.src, P6, 16);
	ck_assert_mem_eq(fake_tcp.packet.dst, W6, 16);
	ck_assert_uint_eq(fake_tcp.packet.len, 20);	/* no padding */
	ck_assert_mem_eq(fake_tcp.payload, tcp_frame + 54, 20);
	ck_assert_uint_eq(world_os_count(w), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP6_IN), 1);
}
END_TEST

START_TEST(test_tcp_not_taken)
{
	fake_tcp.takes = false;
	world_in(w, tcp_frame, sizeof(tcp_frame));
	ck_assert_uint_eq(world_os_count(w), 1);
	ck_assert_uint_eq(fake_tcp.rejects, 0);
	kernel_down();
	world_in(w, tcp_frame, sizeof(tcp_frame));
	ck_assert_uint_eq(world_os_count(w), 1);
	ck_assert_uint_eq(fake_tcp.rejects, 1);
}
END_TEST

START_TEST(test_bad_header)
{
	uint8_t f[sizeof(tcp_frame)];
	size_t len;

	/* Cut anywhere before its end. */
	for (len = 14; len < 74; len++)
		world_in(w, tcp_frame, len);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP6_BAD_HEADER), 60);
	memcpy(f, tcp_frame, sizeof(f));
	f[14] = 0x51;
	world_in(w, f, sizeof(f));
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP6_BAD_HEADER), 61);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(world_os_count(w), 0);
}
END_TEST

START_TEST(test_sources_refused)
{
	const uint8_t *const bad[] = {
		NO6, IP6(0, 0, 0, 0, 1), ALL_NODES6, W6, W6_LL,
		((const uint8_t[16]){ [10] = 0xff, 0xff, 10, 0, 2, 2 }),
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++)
		world6_in(w, bad[i], W6, 6, 64, tcp_frame + 54, 20);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP6_BAD_HEADER), i);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(world_os_count(w), 0);
}
END_TEST

START_TEST(test_not_ours)
{
	uint8_t f[sizeof(tcp_frame)];

	ck_assert_uint_eq(toe_nop_port_set(w->n, 0, NULL, TOE_FILTER_UP |
					   TOE_FILTER_ALLMULTI, 0),
			  TOE_ST_OK);
	world6_in(w, P6, Q6, 6, 64, tcp_frame + 54, 20);
	world6_in(w, P6, ALL_NODES6, 6, 64, tcp_frame + 54, 20);
	/* Our address, but sent to a group's MAC. */
	memcpy(f, tcp_frame, sizeof(f));
	memcpy(f, "\x33\x33\0\0\0\1", 6);
	world_in(w, f, sizeof(f));
	ck_assert_uint_eq(world_os_count(w), 3);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP6_IN), 0);
}
END_TEST

/* ---- Extension headers ---- */

/* Headers, then the TCP header of tcp_frame. */
static void ext_in(uint8_t next, const uint8_t *ext, size_t len)
{
	uint8_t *p = g_malloc(len + 20);

	memcpy(p, ext, len);
	memcpy(p + len, tcp_frame + 54, 20);
	world6_in(w, P6, W6, next, 64, p, len + 20);
	g_free(p);
}

#define EXT(next, ...) do { \
	const uint8_t ext_bytes[] = { __VA_ARGS__ }; \
	ext_in(next, ext_bytes, sizeof(ext_bytes)); \
} while (0)

static void expect_problem(uint8_t code, uint32_t pointer)
{
	ToeWireIcmp m = world6_expect_icmp(w, 4);

	ck_assert_uint_eq(m.code, code);
	ck_assert_uint_eq(m.rest, pointer);
	/* It quotes the packet. */
	ck_assert_uint_eq(m.body[0] >> 4, 6);
	ck_assert_mem_eq(m.body + 8, P6, 16);
	ck_assert_mem_eq(m.body + 24, W6, 16);
}

START_TEST(test_extensions_skipped)
{
	/* Hop-by-hop: PadN; destination: Pad1 and an option to skip. */
	EXT(0, 60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 0, 0x3e, 2, 1, 2);
	/* Hop-by-hop with the router alert (5), 16 bytes long. */
	EXT(0, 6, 1, 5, 2, 0, 0, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0);
	/* Routing headers with nothing left: of any type. */
	EXT(43, 6, 0, 0, 0, 0, 0, 0, 0);
	EXT(43, 60, 2, 77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0);
	/* A fragment that is the whole (RFC 6946). */
	EXT(44, 6, 0, 0, 0, 1, 2, 3, 4);
	ck_assert_uint_eq(fake_tcp.inputs, 5);
	ck_assert_uint_eq(fake_tcp.packet.proto, TOE_PROTO_TCP);
	ck_assert_uint_eq(fake_tcp.packet.len, 20);
	ck_assert_mem_eq(fake_tcp.payload, tcp_frame + 54, 20);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP6_BAD_HEADER), 0);
	world_expect_silence(w);
}
END_TEST

START_TEST(test_extensions_refused)
{
	/* Hop-by-hop where it must not be. */
	EXT(60, 0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0);
	expect_problem(1, 40);
	/* Options: say so; say so unless to a group; the home address. */
	EXT(60, 6, 0, 0x80, 0, 1, 2, 0, 0);
	expect_problem(2, 42);
	EXT(0, 6, 0, 0, 0xc2, 3, 1, 2, 3);
	expect_problem(2, 43);
	EXT(60, 6, 2, 1, 2, 0, 0, 0xc9, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 0, 0, 0, 0);
	expect_problem(2, 46);
	/* Routing: type 0 (RFC 5095), another one; segments are left. */
	EXT(43, 6, 2, 0, 1, 0, 0, 0, 0, 0xfe, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 0, 0, 0, 9);
	expect_problem(0, 42);
	EXT(43, 6, 0, 253, 1, 0, 0, 0, 0);
	expect_problem(0, 42);
	/* An option that drops without a word. */
	EXT(60, 6, 0, 0x40, 4, 0, 0, 0, 0);
	world_expect_silence(w);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP6_BAD_HEADER), 7);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP6_ERRORS_OUT), 6);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(world_os_count(w), 0);
}
END_TEST

START_TEST(test_extensions_malformed)
{
	uint8_t many[9 * 8] = { 0 };
	size_t i;

	/* Longer than the packet; an option longer than the header. */
	EXT(60, 6, 3, 1, 4, 0, 0, 0, 0);
	EXT(60, 6, 255, 1, 4, 0, 0, 0, 0);
	EXT(60, 6, 0, 1, 5, 0, 0, 0, 0);
	EXT(60, 6, 0, 1, 3, 0, 0, 0, 1);
	/* Nothing there, or less than a unit. */
	world6_in(w, P6, W6, 60, 64, NULL, 0);
	world6_in(w, P6, W6, 43, 64, tcp_frame, 7);
	world6_in(w, P6, W6, 44, 64, tcp_frame, 7);
	/* Too many, each right. */
	for (i = 0; i < sizeof(many); i += 8) {
		many[i] = i == sizeof(many) - 8 ? 6 : 60;
		many[i + 2] = 1;
		many[i + 3] = 4;
	}
	ext_in(60, many, sizeof(many));
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP6_BAD_HEADER), 8);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ext_in(60, many + 8, sizeof(many) - 8);
	ck_assert_uint_eq(fake_tcp.inputs, 1);
	world_expect_silence(w);
	ck_assert_uint_eq(world_os_count(w), 0);
}
END_TEST

/* No error about an error, even if a bad header is before it. */
START_TEST(test_no_error_about_error)
{
	uint8_t p[8 + 8 + 48] = { 58, 0, 0x80, 4, 0, 0, 0, 0, 1, 0 };

	world6_in(w, P6, W6, 60, 64, p, sizeof(p));
	world_expect_silence(w);
	p[8] = 128;
	world6_in(w, P6, W6, 60, 64, p, sizeof(p));
	expect_problem(2, 42);
}
END_TEST

START_TEST(test_fragments)
{
	/* test_ipfrag6.c has the rest. */
	EXT(44, 6, 0, 0, 8, 0, 0, 0, 1);		/* the last of TCP */
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP6_REASM_NOW), 1);
	ck_assert_uint_eq(world_os_count(w), 0);
	EXT(44, 132, 0, 0, 1, 0, 0, 0, 1);
	ck_assert_uint_eq(world_os_count(w), 1);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
}
END_TEST

START_TEST(test_other_protocols)
{
	uint8_t udp[8] = { 0x12, 0x34, 0, 53, 0, 8 };
	ToeWireIcmp m;

	toe_csum_store(udp + 6, toe_csum(udp, 8,
		       toe_csum_pseudo(TOE_AF_INET6, P6, W6, 17, 8)));
	world6_in(w, P6, W6, 17, 64, udp, 8);
	world6_in(w, P6, W6, 132, 64, udp, 8);
	world6_in(w, P6, W6, 50, 64, udp, 8);
	world6_in(w, P6, W6, 59, 64, NULL, 0);
	ck_assert_uint_eq(world_os_count(w), 4);
	world_expect_silence(w);
	kernel_down();
	world6_in(w, P6, W6, 17, 64, udp, 8);
	m = world6_expect_icmp(w, 1);
	ck_assert_uint_eq(m.code, 4);
	ck_assert_uint_eq(m.len, 48);
	world6_in(w, P6, W6, 132, 64, udp, 8);
	expect_problem(1, 6);
	world6_in(w, P6, W6, 59, 64, NULL, 0);
	world_expect_silence(w);
	ck_assert_uint_eq(world_os_count(w), 4);
}
END_TEST

START_TEST(test_rate_limit)
{
	int i;

	for (i = 0; i < 100; i++)
		EXT(43, 6, 0, 253, 1, 0, 0, 0, 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP6_ERRORS_OUT), 20);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_RATE_LIMITED), 80);
}
END_TEST

/* ---- Out ---- */

static uint8_t out(const uint8_t *dst, size_t len)
{
	uint8_t src[16] = { 0 };
	uint8_t st = toe_ip_route(w->n, TOE_AF_INET6, dst, src, NULL);

	return st ? st : toe_ip_output(w->n, TOE_AF_INET6, src, dst, 200, 9,
				       0xb8, len, TOE_IP_DF);
}

START_TEST(test_out)
{
	ToeWireIpv6 ip;

	memset(toe_ip_tx_buffer(w->n), 0x5a, 1460);
	ck_assert_uint_eq(out(FAR6, 1460), TOE_ST_OK);
	ip = world6_expect(w, 200);
	ck_assert_mem_eq(w->last.data, PEER_MAC, 6);	/* the gateway's */
	ck_assert_mem_eq(ip.src, W6, 16);
	ck_assert_mem_eq(ip.dst, FAR6, 16);
	ck_assert_uint_eq(ip.hops, 9);
	ck_assert_uint_eq(ip.tos, 0xb8);
	ck_assert_uint_eq(ip.len, 1460);
	ck_assert_uint_eq(ip.payload[1459], 0x5a);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP6_OUT), 1);
	ck_assert_uint_eq(out(FAR6, 1461), TOE_ST_TOOBIG);
	ck_assert_uint_eq(out(FAR6, SIZE_MAX - 20), TOE_ST_TOOBIG);
	ck_assert_uint_eq(toe_nop_route_del(w->n, TOE_AF_INET6, NO6, 0, P6_LL,
					    1024), TOE_ST_OK);
	ck_assert_uint_eq(out(FAR6, 100), TOE_ST_NOROUTE);
	ck_assert_uint_eq(out(P6, 100), TOE_ST_OK);
}
END_TEST

/* User networking takes large IPv4 segments, and no IPv6 above the MTU. */
START_TEST(test_out_never_large)
{
	ToeNopConfig c = world_default_config();
	uint8_t laddr[16] = { 0 };
	uint32_t mtu;

	world_free(w);
	c.max_segment = 65535;
	w = world6_new_config(&c, 1 << 20, NULL);
	world6_know_peer(w);
	ck_assert_uint_eq(toe_ip_route(w->n, TOE_AF_INET6, FAR6, laddr, &mtu),
			  TOE_ST_OK);
	ck_assert_uint_eq(mtu, 1500);
	ck_assert_uint_eq(out(P6, 1461), TOE_ST_TOOBIG);
}
END_TEST

/* ---- Addresses and routes ---- */

static void expect_source(const uint8_t *dst, const uint8_t *want)
{
	uint8_t laddr[16] = { 0 };

	ck_assert_uint_eq(toe_ip_route(w->n, TOE_AF_INET6, dst, laddr, NULL),
			  TOE_ST_OK);
	ck_assert_mem_eq(laddr, want, 16);
}

START_TEST(test_source)
{
	const uint8_t *global = IP6(0x20, 0x01, 9, 9, 9);
	const uint8_t *unique = IP6(0xfd, 0, 0, 0, 7);
	uint8_t laddr[16] = { 0 };

	expect_source(P6, W6);
	expect_source(P6_LL, W6_LL);
	expect_source(FAR6, W6);	/* the largest scope there is */
	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET6, unique, 64),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET6, global, 128),
			  TOE_ST_OK);
	expect_source(FAR6, global);	/* by label */
	expect_source(IP6(0xfd, 0, 0, 0, 8), unique);
	expect_source(P6, W6);		/* by scope */
	expect_source(P6_LL, W6_LL);
	/* One that is given must be ours. */
	memcpy(laddr, P6, 16);
	ck_assert_uint_eq(toe_ip_route(w->n, TOE_AF_INET6, Q6, laddr, NULL),
			  TOE_ST_ADDRNOTAVAIL);
	/* An IPv4 address is none for IPv6, nor the other way round. */
	memset(laddr, 0, 16);
	ck_assert_uint_eq(toe_ip_route(w->n, TOE_AF_INET, PEER_IP, laddr,
				       NULL), TOE_ST_OK);
	ck_assert_mem_eq(laddr, WORLD_IP, 16);
}
END_TEST

START_TEST(test_routes)
{
	const uint8_t *host = IP6(0x20, 0x01, 0, 0, 0x42);
	uint8_t hop[16];

	/* An address makes no route (RFC 5942). */
	ck_assert(toe_route_on_link(w->n, TOE_AF_INET6, Q6));
	ck_assert_uint_eq(toe_nop_route_del(w->n, TOE_AF_INET6, W6, 64, NULL,
					    256), TOE_ST_OK);
	ck_assert(!toe_route_on_link(w->n, TOE_AF_INET6, Q6));
	/* Longest prefix, at bits that are no byte's end. */
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET6, host, 123,
					    Q6, 0), TOE_ST_OK);
	ck_assert(toe_route_next_hop(w->n, TOE_AF_INET6, host, hop));
	ck_assert_mem_eq(hop, Q6, 16);
	ck_assert(toe_route_next_hop(w->n, TOE_AF_INET6,
				     IP6(0x20, 0x01, 0, 0, 0x5f), hop));
	ck_assert_mem_eq(hop, Q6, 16);
	ck_assert(toe_route_next_hop(w->n, TOE_AF_INET6,
				     IP6(0x20, 0x01, 0, 0, 0x60), hop));
	ck_assert_mem_eq(hop, P6_LL, 16);
	/* Named by any address in the net. */
	ck_assert_uint_eq(toe_nop_route_del(w->n, TOE_AF_INET6,
					    IP6(0x20, 0x01, 0, 0, 0x5e), 123,
					    Q6, 0), TOE_ST_OK);
	/* IPv4's default route is not IPv6's. */
	ck_assert_uint_eq(toe_nop_route_del(w->n, TOE_AF_INET6, NO6, 0, P6_LL,
					    1024), TOE_ST_OK);
	ck_assert(!toe_route_next_hop(w->n, TOE_AF_INET6, host, hop));
	ck_assert(toe_route_next_hop(w->n, TOE_AF_INET, FAR_IP, hop));
	ck_assert_mem_eq(hop, PEER_IP, 16);
}
END_TEST

START_TEST(test_addr_bad)
{
	const uint8_t *const bad[] = {
		NO6, IP6(0, 0, 0, 0, 1), ALL_NODES6,
		((const uint8_t[16]){ [10] = 0xff, 0xff, 10, 0, 2, 2 }),
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++)
		ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET6, bad[i],
						   64), TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET6, W6, 64,
					    ALL_NODES6, 0), TOE_ST_INVALID);
	ck_assert_uint_eq(w->guest_errors, i + 1);
	/* Gone: TCP is told, and it is nobody's. */
	ck_assert_uint_eq(toe_nop_addr_del(w->n, TOE_AF_INET6, W6, 64),
			  TOE_ST_OK);
	ck_assert_uint_eq(fake_tcp.gone, 1);
	ck_assert_mem_eq(fake_tcp.gone_addr, W6, 16);
	world_in(w, tcp_frame, sizeof(tcp_frame));
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(world_os_count(w), 1);
}
END_TEST

/* ---- ICMPv6 ---- */

START_TEST(test_echo)
{
	/* By hand: id 0x1234, sequence 1, "abcde"; checksum worked out. */
	static const uint8_t ask[] = { 128, 0, 0x46, 0x23, 0x12, 0x34, 0, 1,
				       'a', 'b', 'c', 'd', 'e' };
	static const uint8_t reply[] = { 129, 0, 0x45, 0x23, 0x12, 0x34, 0, 1,
					 'a', 'b', 'c', 'd', 'e' };
	uint8_t bad[sizeof(ask)];
	ToeWireIpv6 ip;

	world6_in(w, P6, W6, 58, 64, ask, sizeof(ask));
	ip = world6_expect(w, 58);
	ck_assert_mem_eq(ip.src, W6, 16);
	ck_assert_mem_eq(ip.dst, P6, 16);
	ck_assert_uint_eq(ip.hops, 64);
	ck_assert_uint_eq(ip.len, sizeof(reply));
	ck_assert_mem_eq(ip.payload, reply, sizeof(reply));
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP6_ECHO_REPLIES), 1);
	memcpy(bad, ask, sizeof(ask));
	bad[2]++;
	world6_in(w, P6, W6, 58, 64, bad, sizeof(bad));
	world6_in(w, P6, W6, 58, 64, ask, 7);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP6_BAD), 2);
	world_expect_silence(w);
	ck_assert_uint_eq(world_os_count(w), 0);
}
END_TEST

START_TEST(test_echo_too_long)
{
	uint8_t body[1453] = { 0 };

	world6_in_icmp(w, P6, W6, 64, 128, 0, 1, body, 1452);
	ck_assert_uint_eq(world6_expect(w, 58).len, 1460);
	world6_in_icmp(w, P6, W6, 64, 128, 0, 1, body, 1453);
	world_expect_silence(w);
	ck_assert_uint_eq(world_os_count(w), 1);	/* it can fragment */
}
END_TEST

START_TEST(test_icmp_others)
{
	static const uint8_t types[] = { 129, 130, 133, 134, 137, 143, 255 };
	uint8_t body[40] = { 0 };
	size_t i;

	for (i = 0; i < sizeof(types); i++)
		world6_in_icmp(w, P6_LL, W6, 255, types[i], 0, 0, body, 40);
	ck_assert_uint_eq(world_os_count(w), i);
	world_expect_silence(w);
	/* A router's word to all nodes too. */
	ck_assert_uint_eq(toe_nop_port_set(w->n, 0, NULL, TOE_FILTER_UP |
					   TOE_FILTER_ALLMULTI, 0),
			  TOE_ST_OK);
	world6_in_icmp(w, P6_LL, ALL_NODES6, 255, 134, 0, 0, body, 8);
	world6_in_icmp(w, P6_LL, ALL_NODES6, 255, 128, 0, 0, body, 8);
	ck_assert_uint_eq(world_os_count(w), i + 2);
	world_expect_silence(w);
}
END_TEST

static void make_quote(uint8_t *q, const uint8_t *src, uint8_t next)
{
	toe_wire_ipv6_build(q, 0, 0, 1460, next, 1, src, FAR6);
	toe_put16(q + 40, 16384);
	toe_put16(q + 42, 443);
	toe_put32(q + 44, 0xfedcba98);
}

START_TEST(test_icmp_error)
{
	static const struct {
		uint8_t type, code;
		uint32_t rest, mtu;
	} c[] = {
		{ 1, 4, 0, 0 }, { 2, 0, 1280, 1280 }, { 2, 0, 1400, 1400 },
		{ 3, 0, 1400, 0 }, { 4, 1, 6, 0 },
	};
	uint8_t q[48];
	size_t i, len;

	fake_tcp.knows = true;
	make_quote(q, W6, 6);
	for (i = 0; i < G_N_ELEMENTS(c); i++) {
		world6_in_icmp(w, P6_LL, W6, 64, c[i].type, c[i].code,
			       c[i].rest, q, 48);
		ck_assert_uint_eq(fake_tcp.errors, i + 1);
		ck_assert_uint_eq(fake_tcp.error.family, TOE_AF_INET6);
		ck_assert_uint_eq(fake_tcp.error.type, c[i].type);
		ck_assert_uint_eq(fake_tcp.error.code, c[i].code);
		ck_assert_uint_eq(fake_tcp.error.mtu, c[i].mtu);
		ck_assert_mem_eq(fake_tcp.error.src, W6, 16);
		ck_assert_mem_eq(fake_tcp.error.dst, FAR6, 16);
		ck_assert_uint_eq(fake_tcp.error.lport, 16384);
		ck_assert_uint_eq(fake_tcp.error.rport, 443);
		ck_assert_uint_eq(fake_tcp.error.seq, 0xfedcba98);
	}
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP6_ERRORS_IN), i);
	/* A path has 1280 bytes at least (RFC 8201, 4). */
	world6_in_icmp(w, P6_LL, W6, 64, 2, 0, 1279, q, 48);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP6_BAD), 1);
	for (len = 0; len < 48; len++)
		world6_in_icmp(w, P6_LL, W6, 64, 1, 0, 0, q, len);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP6_BAD), 49);
	ck_assert_uint_eq(fake_tcp.errors, i);
	ck_assert_uint_eq(world_os_count(w), 0);
	/* Not TCP; not from the address it came to; a kernel's connection. */
	make_quote(q, W6, 17);
	world6_in_icmp(w, P6_LL, W6, 64, 1, 4, 0, q, 48);
	make_quote(q, W6_LL, 6);
	world6_in_icmp(w, P6_LL, W6, 64, 1, 4, 0, q, 48);
	ck_assert_uint_eq(fake_tcp.errors, i);
	fake_tcp.knows = false;
	make_quote(q, W6, 6);
	world6_in_icmp(w, P6_LL, W6, 64, 1, 4, 0, q, 48);
	ck_assert_uint_eq(world_os_count(w), 3);
	world_expect_silence(w);
}
END_TEST

/* Every packet cut and bent at random: nothing may break. */
START_TEST(test_garbage)
{
	GRand *r = g_rand_new_with_seed(_i + 1);
	static const uint8_t nexts[] = { 0, 43, 44, 60, 58, 6, 17, 59 };
	uint8_t p[96], f[160];
	int step;

	for (step = 0; step < 20000; step++) {
		size_t len, i;

		for (i = 0; i < sizeof(p); i++)
			p[i] = g_rand_int_range(r, 0, step & 1 ? 4 : 256);
		for (i = 0; i < sizeof(p); i += 8)
			if (g_rand_int_range(r, 0, 4))
				p[i] = nexts[g_rand_int_range(r, 0, 8)];
		len = world6_make(f, P6, step & 2 ? W6 : ALL_NODES6,
				  nexts[g_rand_int_range(r, 0, 8)], 255, p,
				  g_rand_int_range(r, 0, sizeof(p)));
		if (step & 16)
			len = g_rand_int_range(r, 0, len + 1);
		world_in(w, f, len);
		world_forget(w);
	}
	ck_assert_uint_eq(world_counter(w, TOE_CTR_PORT_FRAMES_IN), step);
	g_rand_free(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ipv6");
	TCase *i = tcase_create("ip"), *c = tcase_create("icmp");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(i, setup, teardown);
	tcase_add_test(i, test_tcp_in);
	tcase_add_test(i, test_tcp_not_taken);
	tcase_add_test(i, test_bad_header);
	tcase_add_test(i, test_sources_refused);
	tcase_add_test(i, test_not_ours);
	tcase_add_test(i, test_extensions_skipped);
	tcase_add_test(i, test_extensions_refused);
	tcase_add_test(i, test_extensions_malformed);
	tcase_add_test(i, test_no_error_about_error);
	tcase_add_test(i, test_fragments);
	tcase_add_test(i, test_other_protocols);
	tcase_add_test(i, test_rate_limit);
	tcase_add_test(i, test_out);
	tcase_add_test(i, test_out_never_large);
	tcase_add_test(i, test_source);
	tcase_add_test(i, test_routes);
	tcase_add_test(i, test_addr_bad);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_echo);
	tcase_add_test(c, test_echo_too_long);
	tcase_add_test(c, test_icmp_others);
	tcase_add_test(c, test_icmp_error);
	tcase_add_loop_test(c, test_garbage, 0, 4);
	suite_add_tcase(s, i);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
