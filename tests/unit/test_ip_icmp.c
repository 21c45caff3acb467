/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ip_icmp.c - IPv4 and ICMP, packet by packet: what is refused, what is
 * TCP's, what is the operating system's, what is answered; and the settings
 * and timers of nop.c.
 */
#include <stdlib.h>
#include "fake_tcp.h"

static struct world *w;

static void setup(void)
{
	w = world_new();
	world_know_peer(w);
	fake_tcp_clear();
}

static void teardown(void)
{
	world_free(w);
}

static void kernel_down(void)
{
	ck_assert_uint_eq(toe_nop_port_set(w->n, 0, NULL, 0, 0), TOE_ST_OK);
}

/* Header checksum of the frame's packet made right again. */
static void fix(uint8_t *f)
{
	uint8_t *ip = f + TOE_ETH_HLEN;

	toe_put16(ip + 10, 0);
	toe_csum_store(ip + 10, toe_csum(ip, (ip[0] & 15) * 4u, 0));
}

/* ---- IPv4 in ---- */

/* By hand: 10.0.2.2:80 -> 10.0.2.15:16384, SYN; padded by the link. */
static const uint8_t tcp_frame[60] = {
	0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02,
	0x08, 0x00,
	0x45, 0x10, 0x00, 0x28, 0x00, 0x01, 0x40, 0x00, 0x3f, 0x06, 0x23, 0xaf,
	0x0a, 0x00, 0x02, 0x02, 0x0a, 0x00, 0x02, 0x0f,
	0x00, 0x50, 0x40, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
	0x50, 0x02, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
	0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
};

START_TEST(test_tcp_in)
{
	fake_tcp.takes = true;
	world_in(w, tcp_frame, sizeof(tcp_frame));
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_BAD_CHECKSUM), 0);
	ck_assert_uint_eq(fake_tcp.inputs, 1);
	ck_assert_uint_eq(fake_tcp.packet.family, TOE_AF_INET);
	ck_assert_uint_eq(fake_tcp.packet.tos, 0x10);
	ck_assert_uint_eq(fake_tcp.packet.ttl, 63);
	ck_assert_uint_eq(fake_tcp.packet.proto, TOE_PROTO_TCP);
	ck_assert_mem_eq(fake_tcp.packet.src, PEER_IP, 16);
	ck_assert_mem_eq(fake_tcp.packet.dst, WORLD_IP, 16);
	ck_assert_uint_eq(fake_tcp.packet.len, 20);	/* no padding */
	ck_assert_mem_eq(fake_tcp.payload, tcp_frame + 34, 20);
	ck_assert_uint_eq(world_os_count(w), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_IN), 1);
}
END_TEST

START_TEST(test_tcp_not_taken)
{
	world_in(w, tcp_frame, sizeof(tcp_frame));
	ck_assert_uint_eq(fake_tcp.inputs, 1);
	ck_assert_uint_eq(fake_tcp.rejects, 0);
	ck_assert_uint_eq(world_os_count(w), 1);
	kernel_down();
	world_in(w, tcp_frame, sizeof(tcp_frame));
	ck_assert_uint_eq(fake_tcp.rejects, 1);
	ck_assert_uint_eq(world_os_count(w), 1);
}
END_TEST

START_TEST(test_bad_header)
{
	uint8_t f[60];
	unsigned bad = 0;
	size_t len;

	fake_tcp.takes = true;
	/* Every shorter frame. */
	for (len = TOE_ETH_HLEN; len < 54; len++, bad++)
		world_in(w, tcp_frame, len);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_BAD_HEADER), bad);
	/* Version, header length, total length. */
	memcpy(f, tcp_frame, 60);
	f[14] = 0x65;
	fix(f);
	world_in(w, f, 60);
	f[14] = 0x44;
	fix(f);
	world_in(w, f, 60);
	memcpy(f, tcp_frame, 60);
	f[14] = 0x4f;
	world_in(w, f, 60);
	memcpy(f, tcp_frame, 60);
	toe_put16(f + 16, 19);
	fix(f);
	world_in(w, f, 60);
	toe_put16(f + 16, 47);
	fix(f);
	world_in(w, f, 60);
	bad += 5;
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_BAD_HEADER), bad);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_BAD_CHECKSUM), 0);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(world_os_count(w), 0);
	/* Exactly what is there. */
	toe_put16(f + 16, 46);
	fix(f);
	world_in(w, f, 60);
	ck_assert_uint_eq(fake_tcp.inputs, 1);
	ck_assert_uint_eq(fake_tcp.packet.len, 26);
}
END_TEST

START_TEST(test_bad_checksum)
{
	uint8_t f[60];
	int i;

	fake_tcp.takes = true;
	for (i = 14; i < 34; i++) {
		if (i == 14 || i == 16 || i == 17)
			continue;	/* those are looked at before */
		memcpy(f, tcp_frame, 60);
		f[i] ^= 0x04;
		world_in(w, f, 60);
	}
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_BAD_CHECKSUM), 17);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(world_os_count(w), 0);
}
END_TEST

START_TEST(test_options_skipped)
{
	uint8_t f[100] = { 0 };

	fake_tcp.takes = true;
	memcpy(f, tcp_frame, 34);
	f[14] = 0x4f;			/* 40 bytes of options: NOPs */
	memset(f + 34, 1, 40);
	memcpy(f + 74, tcp_frame + 34, 20);
	toe_put16(f + 16, 80);
	fix(f);
	world_in(w, f, 94);
	ck_assert_uint_eq(fake_tcp.inputs, 1);
	ck_assert_uint_eq(fake_tcp.packet.len, 20);
	ck_assert_mem_eq(fake_tcp.payload, tcp_frame + 34, 20);
}
END_TEST

START_TEST(test_sources_refused)
{
	const uint8_t *const bad[] = {
		IP(0, 0, 0, 0), IP(127, 0, 0, 1), IP(224, 0, 0, 1),
		IP(255, 255, 255, 255), IP(10, 0, 2, 255), WORLD_IP,
	};
	size_t i;

	fake_tcp.takes = true;
	for (i = 0; i < G_N_ELEMENTS(bad); i++)
		world_in_ip(w, bad[i], WORLD_IP, TOE_PROTO_TCP,
			    tcp_frame + 34, 20);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_BAD_HEADER),
			  G_N_ELEMENTS(bad));
	ck_assert_uint_eq(world_os_count(w), 0);
	world_expect_silence(w);
}
END_TEST

/* Broadcasts, groups and addresses not ours are none of the NOP's. */
START_TEST(test_not_ours)
{
	uint8_t f[60];

	fake_tcp.takes = true;
	world_in_ip(w, PEER_IP, IP(10, 0, 2, 16), TOE_PROTO_TCP,
		    tcp_frame + 34, 20);
	world_in_ip(w, PEER_IP, IP(10, 0, 2, 255), TOE_PROTO_TCP,
		    tcp_frame + 34, 20);
	/* Our address, but told to everybody. */
	memcpy(f, tcp_frame, 60);
	memcpy(f, BROADCAST_MAC, 6);
	world_in(w, f, 60);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(world_os_count(w), 3);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_IN), 0);
}
END_TEST

/* DHCP: the offer comes before the address is set. */
START_TEST(test_dhcp_without_address)
{
	uint8_t dhcp[300] = { 0, 67, 0, 68, 1, 44 };

	ck_assert_uint_eq(toe_nop_addr_del(w->n, TOE_AF_INET, WORLD_IP, 24),
			  TOE_ST_OK);
	world_in_ip(w, PEER_IP, WORLD_IP, TOE_PROTO_UDP, dhcp, sizeof(dhcp));
	ck_assert_uint_eq(world_os_count(w), 1);
	world_expect_silence(w);
}
END_TEST

/* test_ipfrag.c has the rest. */
START_TEST(test_fragments)
{
	uint8_t f[60];

	fake_tcp.takes = true;
	memcpy(f, tcp_frame, 60);
	toe_put16(f + 20, 0x0003);	/* the last: 24 bytes come before */
	fix(f);
	world_in(w, f, 60);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(world_os_count(w), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_REASM_NOW), 1);
	toe_put16(f + 20, 0x2000);	/* the first of several, 24 bytes */
	toe_put16(f + 16, 44);
	fix(f);
	world_in(w, f, 60);
	ck_assert_uint_eq(fake_tcp.inputs, 1);
	ck_assert_uint_eq(fake_tcp.packet.len, 44);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_FRAGMENTS), 0);
	f[23] = 132;
	fix(f);
	world_in(w, f, 60);
	ck_assert_uint_eq(world_os_count(w), 1);
}
END_TEST

START_TEST(test_large_in)
{
	uint8_t *p = g_malloc0(65515);

	fake_tcp.takes = true;
	p[0] = 77;
	world_in_ip(w, PEER_IP, WORLD_IP, TOE_PROTO_TCP, p, 65515);
	ck_assert_uint_eq(fake_tcp.inputs, 1);
	ck_assert_uint_eq(fake_tcp.packet.len, 65515);
	ck_assert_uint_eq(fake_tcp.payload[0], 77);
	g_free(p);
}
END_TEST

/* ---- IPv4 out ---- */

static uint8_t out(size_t len, unsigned flags)
{
	return toe_ip_output(w->n, TOE_AF_INET, WORLD_IP, FAR_IP, 200, 9,
			     0xb8, len, flags);
}

START_TEST(test_out)
{
	uint8_t *p = toe_ip_tx_buffer(w->n);
	ToeWireIpv4 ip;
	size_t i;

	for (i = 0; i < 1480; i++)
		p[i] = i;
	ck_assert_uint_eq(out(1480, TOE_IP_DF), TOE_ST_OK);
	ip = world_expect_ip(w, 200);
	ck_assert_mem_eq(w->last.data, PEER_MAC, 6);	/* the gateway's */
	ck_assert_mem_eq(ip.src, WORLD_IP, 4);
	ck_assert_mem_eq(ip.dst, FAR_IP, 4);
	ck_assert_uint_eq(ip.hlen, 20);
	ck_assert_uint_eq(ip.ttl, 9);
	ck_assert_uint_eq(ip.tos, 0xb8);
	ck_assert(ip.df && !ip.more && !ip.frag_off);
	ck_assert_uint_eq(ip.len, 1480);
	for (i = 0; i < 1480; i++)
		ck_assert_uint_eq(ip.payload[i], (uint8_t)i);
	/* The buffer still holds what it held. */
	ck_assert_uint_eq(p[1479], (uint8_t)1479);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_OUT), 1);
	/* The smallest is padded behind the packet. */
	ck_assert_uint_eq(out(0, 0), TOE_ST_OK);
	ip = world_expect_ip(w, 200);
	ck_assert_uint_eq(w->last.len, 60);
	ck_assert_uint_eq(ip.len, 0);
	ck_assert(!ip.df);
}
END_TEST

START_TEST(test_out_errors)
{
	ck_assert_uint_eq(out(1481, 0), TOE_ST_TOOBIG);
	ck_assert_uint_eq(out(SIZE_MAX - 20, 0), TOE_ST_TOOBIG);
	ck_assert_uint_eq(toe_ip_output(w->n, 77, WORLD_IP, FAR_IP,
					6, 64, 0, 20, 0), TOE_ST_INVALID);
	toe_nop_route_del(w->n, TOE_AF_INET, IP(0, 0, 0, 0), 0, PEER_IP, 0);
	ck_assert_uint_eq(out(100, 0), TOE_ST_NOROUTE);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_NO_ROUTE), 1);
	world_expect_silence(w);
}
END_TEST

/* One that may be fragmented has an identification that differs. */
START_TEST(test_out_id)
{
	uint16_t a, b;

	out(100, 0);
	out(100, 0);
	a = world_expect_ip(w, 200).id;
	b = world_expect_ip(w, 200).id;
	ck_assert_uint_ne(a, b);
	/* And does not tell who sees it how much went to others. */
	for (int i = 0; i < 20; i++) {
		toe_ip_output(w->n, TOE_AF_INET, WORLD_IP, PEER_IP, 200, 64, 0,
			      20, 0);
		world_expect_ip(w, 200);
	}
	out(100, 0);
	ck_assert_uint_eq((uint16_t)(world_expect_ip(w, 200).id - b), 1);
}
END_TEST

START_TEST(test_out_large)
{
	ToeNopConfig c = world_default_config();
	uint8_t laddr[16] = { 0 };
	uint32_t mtu;

	world_free(w);
	c.max_segment = 65535;
	w = world_new_config(&c, 1 << 20, NULL);
	world_know_peer(w);
	ck_assert_uint_eq(toe_ip_route(w->n, TOE_AF_INET, FAR_IP, laddr,
				       &mtu), TOE_ST_OK);
	ck_assert_uint_eq(mtu, 65535);
	memset(toe_ip_tx_buffer(w->n), 0x5a, 65515);
	ck_assert_uint_eq(out(65515, TOE_IP_DF), TOE_ST_OK);
	ck_assert_uint_eq(world_expect_ip(w, 200).len, 65515);
	ck_assert_uint_eq(out(65516, TOE_IP_DF), TOE_ST_TOOBIG);
}
END_TEST

/* ---- ICMP ---- */

static void icmp_in(uint8_t type, uint8_t code, uint32_t rest,
		    const void *body, size_t len)
{
	uint8_t *m = g_malloc(8 + len);

	toe_wire_icmp_build(m, type, code, rest);
	if (len)
		memcpy(m + 8, body, len);
	toe_csum_store(m + 2, toe_csum(m, 8 + len, 0));
	world_in_ip(w, PEER_IP, WORLD_IP, TOE_PROTO_ICMP, m, 8 + len);
	g_free(m);
}

START_TEST(test_echo)
{
	/* By hand: id 0x1234, sequence 1, "abcde"; checksum worked out. */
	static const uint8_t ask[] = { 8, 0, 0xbc, 0x03, 0x12, 0x34, 0, 1,
				       'a', 'b', 'c', 'd', 'e' };
	static const uint8_t reply[] = { 0, 0, 0xc4, 0x03, 0x12, 0x34, 0, 1,
					 'a', 'b', 'c', 'd', 'e' };
	ToeWireIpv4 ip;

	world_in_ip(w, PEER_IP, WORLD_IP, TOE_PROTO_ICMP, ask, sizeof(ask));
	ip = world_expect_ip(w, TOE_PROTO_ICMP);
	ck_assert_mem_eq(ip.src, WORLD_IP, 4);
	ck_assert_mem_eq(ip.dst, PEER_IP, 4);
	ck_assert_uint_eq(ip.ttl, 64);
	ck_assert_uint_eq(ip.len, sizeof(reply));
	ck_assert_mem_eq(ip.payload, reply, sizeof(reply));
	world_expect_silence(w);
	ck_assert_uint_eq(world_os_count(w), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_ECHO_REPLIES), 1);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_IN), 1);
}
END_TEST

START_TEST(test_echo_sizes)
{
	uint8_t body[1500] = { 0 };

	icmp_in(8, 0, 1, NULL, 0);
	ck_assert_uint_eq(world_expect_ip(w, TOE_PROTO_ICMP).len, 8);
	memset(body, 0xff, sizeof(body));
	icmp_in(8, 0, 1, body, 1472);
	ck_assert_uint_eq(world_expect_ip(w, TOE_PROTO_ICMP).len, 1480);
	/* Too long for one packet back: the kernel can fragment. */
	icmp_in(8, 0, 1, body, 1473);
	world_expect_silence(w);
	ck_assert_uint_eq(world_os_count(w), 1);
}
END_TEST

START_TEST(test_icmp_malformed)
{
	uint8_t m[12] = { 8, 0, 0, 0, 0x12, 0x34, 0, 1, 'a', 'b', 'c', 'd' };
	size_t len;

	for (len = 0; len < 8; len++)
		world_in_ip(w, PEER_IP, WORLD_IP, TOE_PROTO_ICMP, m, len);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_BAD), 8);
	world_in_ip(w, PEER_IP, WORLD_IP, TOE_PROTO_ICMP, m, 12);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_BAD), 9);
	world_expect_silence(w);
	ck_assert_uint_eq(world_os_count(w), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_IN), 0);
}
END_TEST

START_TEST(test_icmp_others)
{
	uint8_t quoted[28] = { 0 };

	icmp_in(0, 0, 1, NULL, 0);			/* echo reply */
	icmp_in(TOE_ICMP_REDIRECT, 1, 0, quoted, 28);
	icmp_in(TOE_ICMP_SOURCE_QUENCH, 0, 0, quoted, 28);
	icmp_in(13, 0, 1, quoted, 12);			/* timestamp */
	icmp_in(255, 255, 1, quoted, 12);
	ck_assert_uint_eq(world_os_count(w), 5);
	ck_assert_uint_eq(fake_tcp.errors, 0);
	world_expect_silence(w);
}
END_TEST

/* What a router quotes of a segment of ours: 28 bytes, TTL used up. */
static void make_quote(uint8_t *q, const uint8_t *src, uint8_t proto)
{
	toe_wire_ipv4_build(q, 0, 1500, 7, true, 1, proto, src, FAR_IP);
	toe_put16(q + 20, 16384);
	toe_put16(q + 22, 443);
	toe_put32(q + 24, 0xfedcba98);
}

START_TEST(test_icmp_error)
{
	static const struct {
		uint8_t type, code;
		uint32_t rest, mtu;
	} c[] = {
		{ TOE_ICMP_UNREACHABLE, 1, 0xffffffff, 0 },
		{ TOE_ICMP_UNREACHABLE, 4, 0x000005a0, 1440 },
		{ TOE_ICMP_UNREACHABLE, 4, 0, 0 },
		{ TOE_ICMP_TIME_EXCEEDED, 0, 1400, 0 },
		{ TOE_ICMP_PARAMETER, 0, 1400, 0 },
	};
	uint8_t q[28];
	size_t i;

	fake_tcp.knows = true;
	make_quote(q, WORLD_IP, TOE_PROTO_TCP);
	for (i = 0; i < G_N_ELEMENTS(c); i++) {
		icmp_in(c[i].type, c[i].code, c[i].rest, q, 28);
		ck_assert_uint_eq(fake_tcp.errors, i + 1);
		ck_assert_uint_eq(fake_tcp.error.family, TOE_AF_INET);
		ck_assert_uint_eq(fake_tcp.error.type, c[i].type);
		ck_assert_uint_eq(fake_tcp.error.code, c[i].code);
		ck_assert_uint_eq(fake_tcp.error.mtu, c[i].mtu);
		ck_assert_mem_eq(fake_tcp.error.src, WORLD_IP, 16);
		ck_assert_mem_eq(fake_tcp.error.dst, FAR_IP, 16);
		ck_assert_uint_eq(fake_tcp.error.lport, 16384);
		ck_assert_uint_eq(fake_tcp.error.rport, 443);
		ck_assert_uint_eq(fake_tcp.error.seq, 0xfedcba98);
	}
	ck_assert_uint_eq(world_os_count(w), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_ERRORS_IN), i);
	/* A connection of the kernel's. */
	fake_tcp.knows = false;
	icmp_in(TOE_ICMP_UNREACHABLE, 1, 0, q, 28);
	ck_assert_uint_eq(world_os_count(w), 1);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_ERRORS_IN), i);
	world_expect_silence(w);
}
END_TEST

START_TEST(test_icmp_error_with_options)
{
	uint8_t q[68] = { 0 };

	fake_tcp.knows = true;
	make_quote(q, WORLD_IP, TOE_PROTO_TCP);
	memcpy(q + 60, q + 20, 8);
	memset(q + 20, 1, 40);
	q[0] = 0x4f;
	icmp_in(TOE_ICMP_UNREACHABLE, 1, 0, q, 68);
	ck_assert_uint_eq(fake_tcp.errors, 1);
	ck_assert_uint_eq(fake_tcp.error.seq, 0xfedcba98);
	/* The options are there but not the ports. */
	icmp_in(TOE_ICMP_UNREACHABLE, 1, 0, q, 67);
	ck_assert_uint_eq(fake_tcp.errors, 1);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_BAD), 1);
}
END_TEST

START_TEST(test_icmp_error_refused)
{
	uint8_t q[28];
	size_t len;

	fake_tcp.knows = true;
	make_quote(q, WORLD_IP, TOE_PROTO_TCP);
	for (len = 0; len < 28; len++)
		icmp_in(TOE_ICMP_UNREACHABLE, 1, 0, q, len);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_BAD), 28);
	q[0] = 0x65;
	icmp_in(TOE_ICMP_UNREACHABLE, 1, 0, q, 28);
	q[0] = 0x44;
	icmp_in(TOE_ICMP_UNREACHABLE, 1, 0, q, 28);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_BAD), 30);
	ck_assert_uint_eq(world_os_count(w), 0);
	/* Not TCP; not the first fragment; not sent by us. */
	make_quote(q, WORLD_IP, TOE_PROTO_UDP);
	icmp_in(TOE_ICMP_UNREACHABLE, 3, 0, q, 28);
	make_quote(q, WORLD_IP, TOE_PROTO_TCP);
	q[7] = 1;
	icmp_in(TOE_ICMP_UNREACHABLE, 1, 0, q, 28);
	make_quote(q, IP(10, 0, 2, 16), TOE_PROTO_TCP);
	icmp_in(TOE_ICMP_UNREACHABLE, 1, 0, q, 28);
	ck_assert_uint_eq(world_os_count(w), 3);
	ck_assert_uint_eq(fake_tcp.errors, 0);
}
END_TEST

/* ---- ICMP unreachable ---- */

static void expect_unreachable(uint8_t code, size_t quoted)
{
	ToeWireIpv4 ip = world_expect_ip(w, TOE_PROTO_ICMP);
	ToeWireIcmp m;

	ck_assert_mem_eq(ip.dst, PEER_IP, 4);
	ck_assert_mem_eq(ip.src, WORLD_IP, 4);
	ck_assert_int_eq(toe_wire_icmp_parse(ip.payload, ip.len, &m),
			 TOE_WIRE_ICMP_OK);
	ck_assert_uint_eq(m.type, TOE_ICMP_UNREACHABLE);
	ck_assert_uint_eq(m.code, code);
	ck_assert_uint_eq(m.rest, 0);
	ck_assert_uint_eq(m.len, quoted);
	/* The quote begins with the header we sent it. */
	ck_assert_mem_eq(m.body + 12, PEER_IP, 4);
	ck_assert_mem_eq(m.body + 16, WORLD_IP, 4);
}

START_TEST(test_unreachable)
{
	uint8_t udp[1000] = { 0x12, 0x34, 0, 53, 0, 40, 0, 0 };

	world_in_ip(w, PEER_IP, WORLD_IP, TOE_PROTO_UDP, udp, 40);
	ck_assert_uint_eq(world_os_count(w), 1);	/* the kernel's */
	world_expect_silence(w);
	kernel_down();
	world_in_ip(w, PEER_IP, WORLD_IP, TOE_PROTO_UDP, udp, 40);
	expect_unreachable(TOE_ICMP_CODE_PORT, 60);
	world_in_ip(w, PEER_IP, WORLD_IP, 132, udp, 40);
	expect_unreachable(TOE_ICMP_CODE_PROTOCOL, 60);
	world_in_ip(w, PEER_IP, WORLD_IP, TOE_PROTO_UDP, udp, sizeof(udp));
	expect_unreachable(TOE_ICMP_CODE_PORT, 548);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_ERRORS_OUT), 3);
	ck_assert_uint_eq(world_os_count(w), 1);
}
END_TEST

/* Never about an error, a fragment, or what was sent to many. */
START_TEST(test_unreachable_never)
{
	uint8_t q[28], udp[8] = { 0, 0, 0, 0, 0, 8 }, f[60];

	kernel_down();
	make_quote(q, WORLD_IP, TOE_PROTO_UDP);
	icmp_in(TOE_ICMP_UNREACHABLE, 3, 0, q, 28);
	icmp_in(255, 0, 0, NULL, 0);
	memset(f, 0, sizeof(f));
	world_make_ip(f, PEER_IP, WORLD_IP, TOE_PROTO_UDP, udp, 8);
	toe_put16(f + 20, 0x0003);
	fix(f);
	world_in(w, f, 60);
	world_make_ip(f, PEER_IP, WORLD_IP, TOE_PROTO_UDP, udp, 8);
	memcpy(f, BROADCAST_MAC, 6);
	world_in(w, f, 60);
	world_in_ip(w, PEER_IP, IP(10, 0, 2, 255), TOE_PROTO_UDP, udp, 8);
	world_expect_silence(w);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_ERRORS_OUT), 0);
}
END_TEST

START_TEST(test_rate_limit)
{
	uint8_t udp[8] = { 0, 0, 0, 0, 0, 8 };
	int i;

	kernel_down();
	for (i = 0; i < 100; i++)
		world_in_ip(w, PEER_IP, WORLD_IP, TOE_PROTO_UDP, udp, 8);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_ERRORS_OUT), 20);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_RATE_LIMITED), 80);
	world_advance(w, 35 * MS);
	for (i = 0; i < 10; i++)
		world_in_ip(w, PEER_IP, WORLD_IP, TOE_PROTO_UDP, udp, 8);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_ERRORS_OUT), 23);
	world_advance(w, 5 * MS);	/* with the 5 that were left over */
	world_in_ip(w, PEER_IP, WORLD_IP, TOE_PROTO_UDP, udp, 8);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_ERRORS_OUT), 24);
	world_advance(w, 3600 * SEC);	/* no more than the bucket holds */
	for (i = 0; i < 100; i++)
		world_in_ip(w, PEER_IP, WORLD_IP, TOE_PROTO_UDP, udp, 8);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ICMP_ERRORS_OUT), 44);
}
END_TEST

/* ---- Settings and timers ---- */

START_TEST(test_params)
{
	static const struct {
		uint32_t param;
		uint64_t good, bad;
	} c[] = {
		{ TOE_PARAM_TIME_WAIT_MS, 100, 1ULL << 32 },
		{ TOE_PARAM_PORT_LO, 65535, 0 },
		{ TOE_PARAM_PORT_HI, 1, 65536 },
		{ TOE_PARAM_RCVBUF, 65536, 100 },
		{ TOE_PARAM_SNDBUF, 4096, UINT64_MAX },
		{ TOE_PARAM_ORPHAN_MS, 0, 1ULL << 40 },
		{ TOE_PARAM_FORWARD_TTL, 255, 256 },
		{ TOE_PARAM_FORWARD_TTL, 1, 0 },
		{ TOE_PARAM_CONGESTION, TOE_CC_NEWRENO, TOE_CC_MAX + 1 },
		{ TOE_PARAM_ECN, TOE_ECN_MODE_OFF, TOE_ECN_MODE_MAX + 1 },
		{ TOE_PARAM_PACING, 0, 2 },
	};
	uint64_t v;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(c); i++) {
		ck_assert_uint_eq(toe_nop_param_set(w->n, c[i].param,
						    c[i].good), TOE_ST_OK);
		ck_assert_uint_eq(toe_nop_param_set(w->n, c[i].param,
						    c[i].bad),
				  TOE_ST_INVALID);
		ck_assert_uint_eq(toe_nop_param_get(w->n, c[i].param, &v),
				  TOE_ST_OK);
		ck_assert_uint_eq(v, c[i].good);
	}
	ck_assert_uint_eq(w->guest_errors, i);
	ck_assert_uint_eq(toe_nop_param_set(w->n, 0, 1), TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_param_set(w->n, 99, 1), TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_param_get(w->n, 99, &v), TOE_ST_INVALID);
	ck_assert_uint_eq(w->n->time_wait_ms, 100);
	ck_assert_uint_eq(w->n->port_lo, 65535);
	ck_assert_uint_eq(w->n->port_hi, 1);
	ck_assert_uint_eq(w->n->rcvbuf, 65536);
	ck_assert_uint_eq(w->n->sndbuf, 4096);
	ck_assert_uint_eq(w->n->orphan_ms, 0);
	ck_assert_uint_eq(w->n->ttl, 1);
}
END_TEST

START_TEST(test_port_set)
{
	const uint8_t group[6] = { 1, 0, 0, 0, 0, 1 };

	ck_assert_uint_eq(toe_nop_port_set(w->n, 67, NULL, 0, 0),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_port_set(w->n, 9001, NULL, 0, 0),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_port_set(w->n, 0, group, 0, 0),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_port_set(w->n, 0, ZERO_MAC, 0, 0),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_port_set(w->n, 0, NULL, 8, 0),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(w->guest_errors, 5);
	ck_assert_uint_eq(w->n->mtu, 1500);
	ck_assert_uint_eq(w->n->filter, TOE_FILTER_UP);
	ck_assert_uint_eq(toe_nop_port_set(w->n, 9000, NULL, TOE_FILTER_UP,
					   0), TOE_ST_OK);
	ck_assert_uint_eq(out(8980, TOE_IP_DF), TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_port_set(w->n, 68, NULL, TOE_FILTER_UP, 0),
			  TOE_ST_OK);
	ck_assert_uint_eq(out(49, TOE_IP_DF), TOE_ST_TOOBIG);
}
END_TEST

START_TEST(test_timers)
{
	toe_timers_set(&w->n->timers, 5, w->now + SEC);
	toe_timers_set(&w->n->timers, 63, w->now + 2 * SEC);
	ck_assert(toe_nop_deadline(w->n) == w->now + SEC);
	world_advance(w, SEC - 1);
	ck_assert_uint_eq(fake_tcp.timers, 0);
	world_advance(w, 1);
	ck_assert_uint_eq(fake_tcp.timers, 1);
	ck_assert_uint_eq(fake_tcp.timer, 5);
	world_advance(w, SEC);
	ck_assert_uint_eq(fake_tcp.timers, 2);
	ck_assert_uint_eq(fake_tcp.timer, 63);
	ck_assert(toe_nop_deadline(w->n) == INT64_MAX);
}
END_TEST

/* Every packet cut and bent at random: nothing may break. */
START_TEST(test_garbage)
{
	GRand *r = g_rand_new_with_seed(_i + 1);
	uint8_t base[100] = { 0 }, f[100], q[28];
	int step;

	make_quote(q, WORLD_IP, TOE_PROTO_TCP);
	for (step = 0; step < 20000; step++) {
		size_t len = 60, i, n = g_rand_int_range(r, 0, 6);
		uint8_t m[36] = { TOE_ICMP_UNREACHABLE, 1 };

		switch (step % 4) {
		case 0:
			memcpy(base, tcp_frame, 60);
			break;
		case 1:
			memcpy(m + 8, q, 28);
			toe_csum_store(m + 2, toe_csum(m, 36, 0));
			len = world_make_ip(base, PEER_IP, WORLD_IP,
					    TOE_PROTO_ICMP, m, 36);
			break;
		case 2:
			len = world_make_ip(base, PEER_IP, WORLD_IP,
					    g_rand_int(r), q, 28);
			break;
		default:
			toe_wire_eth_build(base, BROADCAST_MAC, PEER_MAC,
					   TOE_ETHERTYPE_ARP);
			toe_wire_arp_build(base + 14, 1 + (step & 4) / 4,
					   PEER_MAC, PEER_IP, ZERO_MAC,
					   WORLD_IP);
			break;
		}
		memcpy(f, base, len);
		for (i = 0; i < n; i++)
			f[g_rand_int_range(r, 0, len)] = g_rand_int(r);
		if (step & 8 && f[14] >> 4 == 4 && (f[14] & 15) * 4u + 14 <= len)
			fix(f);
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
	Suite *s = suite_create("ip_icmp");
	TCase *i = tcase_create("ip"), *c = tcase_create("icmp");
	TCase *n = tcase_create("nop");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(i, setup, teardown);
	tcase_add_test(i, test_tcp_in);
	tcase_add_test(i, test_tcp_not_taken);
	tcase_add_test(i, test_bad_header);
	tcase_add_test(i, test_bad_checksum);
	tcase_add_test(i, test_options_skipped);
	tcase_add_test(i, test_sources_refused);
	tcase_add_test(i, test_not_ours);
	tcase_add_test(i, test_dhcp_without_address);
	tcase_add_test(i, test_fragments);
	tcase_add_test(i, test_large_in);
	tcase_add_test(i, test_out);
	tcase_add_test(i, test_out_errors);
	tcase_add_test(i, test_out_id);
	tcase_add_test(i, test_out_large);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_echo);
	tcase_add_test(c, test_echo_sizes);
	tcase_add_test(c, test_icmp_malformed);
	tcase_add_test(c, test_icmp_others);
	tcase_add_test(c, test_icmp_error);
	tcase_add_test(c, test_icmp_error_with_options);
	tcase_add_test(c, test_icmp_error_refused);
	tcase_add_test(c, test_unreachable);
	tcase_add_test(c, test_unreachable_never);
	tcase_add_test(c, test_rate_limit);
	tcase_add_checked_fixture(n, setup, teardown);
	tcase_add_test(n, test_params);
	tcase_add_test(n, test_port_set);
	tcase_add_test(n, test_timers);
	tcase_add_loop_test(n, test_garbage, 0, 4);
	suite_add_tcase(s, i);
	suite_add_tcase(s, c);
	suite_add_tcase(s, n);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
