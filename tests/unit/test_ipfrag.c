/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ipfrag.c - IPv4 fragments, frame by frame: put together in any order,
 * given to TCP, to ICMP or, as they came, to the operating system; and what
 * an attacker sends instead.
 *
 * A test cuts fragments out of one packet, message[].  In frag() all numbers
 * are bytes of the payload; what is not given is 0, PEER_IP, TCP.
 */
#include <stdlib.h>
#include "fake_tcp.h"

#define MESSAGE_MAX	68000
#define WAIT		(30 * SEC)

static struct world *w;
static uint8_t message[MESSAGE_MAX];
static size_t buflets;		/* free at the start */

struct frag {
	const uint8_t *src;
	uint8_t proto;
	uint16_t id;
	uint32_t off;
	uint32_t len;
	bool more;
	uint8_t tos;
	uint8_t options;	/* bytes of NOPs */
	uint32_t padding;	/* of the link */
	uint8_t xor;		/* of the last byte: not the message's */
};

/* Room for the frame of this fragment. */
#define FRAME_MAX_OF(f)	(14 + 60 + (f)->len + (f)->padding + 60)

#define FRAG(...)	frag(&(struct frag){ __VA_ARGS__ })

static void setup(void)
{
	size_t i;

	w = world_new();
	world_know_peer(w);
	fake_tcp_clear();
	fake_tcp.takes = true;
	for (i = 0; i < MESSAGE_MAX; i++)
		message[i] = i * 7 + (i >> 8);
	buflets = toe_lmem_avail(w->lm, TOE_LMEM_IN);
}

/* Nothing may be left when all have had their time. */
static void teardown(void)
{
	world_advance(w, WAIT);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_REASM_NOW), 0);
	ck_assert_uint_eq(toe_lmem_avail(w->lm, TOE_LMEM_IN), buflets);
	world_free(w);
}

static uint64_t counter(enum toe_counter c)
{
	return world_counter(w, c);
}

static void kernel_down(void)
{
	ck_assert_uint_eq(toe_nop_port_set(w->n, 0, NULL, 0, 0), TOE_ST_OK);
}

/* The frame of a fragment; returns its length. out: FRAME_MAX_OF(f). */
static size_t make(uint8_t *out, const struct frag *f)
{
	const uint8_t *src = f->src ? f->src : PEER_IP;
	size_t hlen = 20 + f->options, len = 14 + hlen + f->len;
	uint8_t *ip = out + 14;

	ck_assert_uint_eq(f->off % 8, 0);
	memcpy(out, WORLD_MAC, 6);
	memcpy(out + 6, PEER_MAC, 6);
	toe_put16(out + 12, 0x0800);
	memset(ip, 1, hlen);
	ip[0] = 0x40 | hlen / 4;
	ip[1] = f->tos;
	toe_put16(ip + 2, hlen + f->len);
	toe_put16(ip + 4, f->id);
	toe_put16(ip + 6, (f->more ? 0x2000 : 0) | f->off / 8);
	ip[8] = 61;
	ip[9] = f->proto ? f->proto : TOE_PROTO_TCP;
	toe_put16(ip + 10, 0);
	memcpy(ip + 12, src, 4);
	memcpy(ip + 16, WORLD_IP, 4);
	toe_csum_store(ip + 10, toe_csum(ip, hlen, 0));
	memcpy(ip + hlen, message + f->off, f->len);
	if (f->len)
		ip[hlen + f->len - 1] ^= f->xor;
	memset(out + len, 0xee, 60 + f->padding);
	len += f->padding;
	return MAX(len, 60);
}

static void frag(const struct frag *f)
{
	uint8_t *frame = g_malloc(FRAME_MAX_OF(f));

	world_in(w, frame, make(frame, f));
	g_free(frame);
}

/* TCP got the first len bytes of the message, for the nth time. */
static void expect_tcp(unsigned nth, size_t len)
{
	ck_assert_uint_eq(fake_tcp.inputs, nth);
	ck_assert_uint_eq(fake_tcp.packet.len, len);
	ck_assert_mem_eq(fake_tcp.payload, message, len);
}

/* The operating system's next frame is that of this fragment. */
static void expect_os(const struct frag *f)
{
	uint8_t *frame = g_malloc(FRAME_MAX_OF(f));
	size_t len = make(frame, f), got;
	const uint8_t *p = world_os(w, &got);

	ck_assert_msg(p, "the operating system got no frame");
	ck_assert_uint_eq(got, len);
	ck_assert_mem_eq(p, frame, len);
	g_free(frame);
}

#define EXPECT_OS(...)	expect_os(&(struct frag){ __VA_ARGS__ })

/* An ICMP error about the fragment whose header begins so. */
static void expect_time_exceeded(uint16_t id)
{
	ToeWireIpv4 ip = world_expect_ip(w, TOE_PROTO_ICMP);
	ToeWireIcmp m;

	ck_assert_mem_eq(ip.dst, PEER_IP, 4);
	ck_assert_mem_eq(ip.src, WORLD_IP, 4);
	ck_assert_int_eq(toe_wire_icmp_parse(ip.payload, ip.len, &m),
			 TOE_WIRE_ICMP_OK);
	ck_assert_uint_eq(m.type, 11);
	ck_assert_uint_eq(m.code, 1);
	ck_assert_uint_eq(m.rest, 0);
	ck_assert_uint_ge(m.len, 28);
	ck_assert_uint_eq(toe_get16(m.body + 4), id);
	ck_assert_uint_eq(toe_get16(m.body + 6), 0x2000);
	ck_assert_mem_eq(m.body + 12, PEER_IP, 4);
	ck_assert_mem_eq(m.body + 20, message, 8);
}

/* An echo request of so many bytes of payload, ICMP header included. */
static void make_echo(size_t len)
{
	toe_put32(message, 0x08000000);
	toe_put32(message + 4, 0x00070001);
	toe_csum_store(message + 2, toe_csum(message, len, 0));
}

/* ---- Put together ---- */

/*
 * By hand: 10.0.2.2:80 -> 10.0.2.15:16384, 24 bytes of TCP and 10 of data in
 * two fragments of 24 and 10 bytes, identification 0x0bad.
 */
static const uint8_t hand[2][60] = { {
	0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02,
	0x08, 0x00,
	0x45, 0x10, 0x00, 0x2c, 0x0b, 0xad, 0x20, 0x00, 0x3f, 0x06, 0x37, 0xff,
	0x0a, 0x00, 0x02, 0x02, 0x0a, 0x00, 0x02, 0x0f,
	0x00, 0x50, 0x40, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
	0x60, 0x02, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4,
	0xee, 0xee,
}, {
	0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02,
	0x08, 0x00,
	0x45, 0x10, 0x00, 0x1e, 0x0b, 0xad, 0x00, 0x03, 0x3f, 0x06, 0x58, 0x0a,
	0x0a, 0x00, 0x02, 0x02, 0x0a, 0x00, 0x02, 0x0f,
	'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j',
	0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
	0xee, 0xee, 0xee, 0xee,
} };

START_TEST(by_hand)
{
	int first = _i;

	world_in(w, hand[first], 60);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 1);
	world_in(w, hand[!first], 60);
	ck_assert_uint_eq(counter(TOE_CTR_IP_BAD_CHECKSUM), 0);
	ck_assert_uint_eq(fake_tcp.inputs, 1);
	ck_assert_uint_eq(fake_tcp.packet.family, TOE_AF_INET);
	ck_assert_uint_eq(fake_tcp.packet.tos, 0x10);
	ck_assert_uint_eq(fake_tcp.packet.ttl, 63);
	ck_assert_uint_eq(fake_tcp.packet.proto, TOE_PROTO_TCP);
	ck_assert_mem_eq(fake_tcp.packet.src, PEER_IP, 16);
	ck_assert_mem_eq(fake_tcp.packet.dst, WORLD_IP, 16);
	ck_assert_uint_eq(fake_tcp.packet.len, 34);	/* no padding */
	ck_assert_mem_eq(fake_tcp.payload, hand[0] + 34, 24);
	ck_assert_mem_eq(fake_tcp.payload + 24, "abcdefghij", 10);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASSEMBLED), 1);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 0);
	ck_assert_uint_eq(counter(TOE_CTR_IP_FRAGMENTS), 0);
	ck_assert_uint_eq(world_os_count(w), 0);
	world_expect_silence(w);
	ck_assert(toe_nop_deadline(w->n) == INT64_MAX);
}
END_TEST

START_TEST(in_order)
{
	FRAG(.len = 1480, .more = true);
	FRAG(.off = 1480, .len = 1480, .more = true);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	FRAG(.off = 2960, .len = 77);
	expect_tcp(1, 3037);
}
END_TEST

START_TEST(reverse)
{
	FRAG(.off = 2960, .len = 77);
	FRAG(.off = 1480, .len = 1480, .more = true);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	FRAG(.len = 1480, .more = true);
	expect_tcp(1, 3037);
}
END_TEST

/* Holes at the beginning, in the middle and at the end, in every order. */
START_TEST(holes)
{
	static const struct frag f[5] = {
		{ .off = 0, .len = 400, .more = true },
		{ .off = 400, .len = 8, .more = true },	/* as a router cuts */
		{ .off = 408, .len = 1000, .more = true },
		{ .off = 1408, .len = 3200, .more = true },
		{ .off = 4608, .len = 1 },
	};
	int order = _i, left = 5, place[5] = { 0, 1, 2, 3, 4 };

	while (left) {
		int at = order % left, which = place[at];

		order /= left;
		ck_assert_uint_eq(fake_tcp.inputs, 0);
		frag(&f[which]);
		left--;
		memmove(place + at, place + at + 1,
			(left - at) * sizeof(place[0]));
	}
	expect_tcp(1, 4609);
}
END_TEST

/* What differs in one of the four is another packet. */
START_TEST(many_at_once)
{
	const struct frag f[] = {
		{ .id = 1 },
		{ .id = 2 },
		{ .id = 1, .src = FAR_IP },
		{ .id = 1, .proto = TOE_PROTO_ICMP },
	};
	size_t i;

	make_echo(120);
	for (i = 0; i < G_N_ELEMENTS(f); i++) {
		FRAG(.id = f[i].id, .src = f[i].src, .proto = f[i].proto,
		     .len = 64, .more = true);
	}
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 4);
	for (i = 0; i < 3; i++) {
		FRAG(.id = f[i].id, .src = f[i].src, .off = 64, .len = 56);
		expect_tcp(i + 1, 120);
		ck_assert_mem_eq(fake_tcp.packet.src,
				 f[i].src ? f[i].src : PEER_IP, 16);
	}
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 1);
	world_expect_silence(w);
	FRAG(.id = 1, .proto = TOE_PROTO_ICMP, .off = 64, .len = 56);
	world_expect_ip(w, TOE_PROTO_ICMP);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASSEMBLED), 4);
}
END_TEST

/* The largest there can be, and its content. */
START_TEST(largest)
{
	uint32_t off;

	for (off = 0; off + 1480 < 65515; off += 1480)
		FRAG(.off = off, .len = 1480, .more = true);
	FRAG(.off = off, .len = 65515 - off);
	expect_tcp(1, 65515);
}
END_TEST

/* Only the first has all options (RFC 791); they are no payload. */
START_TEST(options)
{
	FRAG(.off = 48, .len = 9, .options = 4);
	FRAG(.len = 48, .more = true, .options = 40);
	expect_tcp(1, 57);
}
END_TEST

START_TEST(ecn)
{
	static const struct {
		uint8_t a, b;
		int joined;	/* -1: dropped */
	} c[] = {
		{ 0, 0, 0 }, { 1, 1, 1 }, { 2, 2, 2 }, { 3, 3, 3 },
		{ 2, 3, 3 }, { 3, 2, 3 }, { 1, 3, 3 }, { 0xb8, 0xb8, 0xb8 },
		{ 0xba, 0xbb, 0xbb }, { 0, 3, -1 }, { 3, 0, -1 },
	};
	unsigned taken = 0;
	uint16_t i;

	for (i = 0; i < G_N_ELEMENTS(c); i++) {
		FRAG(.id = i, .len = 40, .more = true, .tos = c[i].a);
		FRAG(.id = i, .off = 40, .len = 40, .tos = c[i].b);
		if (c[i].joined >= 0) {
			expect_tcp(++taken, 80);
			ck_assert_int_eq(fake_tcp.packet.tos, c[i].joined);
		}
	}
	ck_assert_uint_eq(fake_tcp.inputs, taken);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_REFUSED), 2);
}
END_TEST

/* ---- Whose they are ---- */

START_TEST(os_gets_them_as_they_came)
{
	fake_tcp.takes = false;
	FRAG(.off = 1480, .len = 800, .more = true);
	FRAG(.off = 2280, .len = 3);
	ck_assert_uint_eq(world_os_count(w), 0);
	FRAG(.len = 1480, .more = true, .options = 8);
	ck_assert_uint_eq(fake_tcp.inputs, 1);
	ck_assert_uint_eq(fake_tcp.rejects, 0);
	EXPECT_OS(.off = 1480, .len = 800, .more = true);
	EXPECT_OS(.off = 2280, .len = 3);
	EXPECT_OS(.len = 1480, .more = true, .options = 8);
	ck_assert_uint_eq(world_os_count(w), 0);
	ck_assert_uint_eq(counter(TOE_CTR_ETH_TO_OS), 3);
	kernel_down();
	FRAG(.id = 2, .len = 1480, .more = true);
	FRAG(.id = 2, .off = 1480, .len = 1);
	ck_assert_uint_eq(fake_tcp.rejects, 1);
	ck_assert_uint_eq(world_os_count(w), 0);
}
END_TEST

START_TEST(other_protocol)
{
	ToeWireIpv4 ip;

	/* The operating system's at once, whatever else comes. */
	FRAG(.proto = 132, .off = 80, .len = 8);
	EXPECT_OS(.proto = 132, .off = 80, .len = 8);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 0);
	/* The adapter answers for it: about the whole. */
	kernel_down();
	FRAG(.proto = 132, .off = 80, .len = 8);
	FRAG(.proto = 132, .len = 80, .more = true, .options = 4);
	ip = world_expect_ip(w, TOE_PROTO_ICMP);
	ck_assert_uint_eq(ip.payload[0], 3);
	ck_assert_uint_eq(ip.payload[1], 2);
	ck_assert_uint_eq(ip.len, 8 + 24 + 88);
	ck_assert_uint_eq(toe_get16(ip.payload + 8 + 2), 24 + 88);
	ck_assert_uint_eq(toe_get16(ip.payload + 8 + 6), 0);
	ck_assert(toe_csum_ok(toe_csum(ip.payload + 8, 24, 0)));
	ck_assert_mem_eq(ip.payload + 8 + 24, message, 88);
	ck_assert_uint_eq(world_os_count(w), 0);
}
END_TEST

START_TEST(echo)
{
	ToeWireIpv4 ip;

	make_echo(1000);
	FRAG(.proto = TOE_PROTO_ICMP, .off = 576, .len = 424);
	world_expect_silence(w);
	FRAG(.proto = TOE_PROTO_ICMP, .len = 576, .more = true);
	ip = world_expect_ip(w, TOE_PROTO_ICMP);
	ck_assert_uint_eq(ip.len, 1000);
	ck_assert_uint_eq(ip.payload[0], 0);
	ck_assert(toe_csum_ok(toe_csum(ip.payload, ip.len, 0)));
	ck_assert_mem_eq(ip.payload + 4, message + 4, 996);
	ck_assert_uint_eq(world_os_count(w), 0);
	/* An answer that does not fit one packet is the system's to make. */
	make_echo(2000);
	FRAG(.proto = TOE_PROTO_ICMP, .len = 1480, .more = true);
	FRAG(.proto = TOE_PROTO_ICMP, .off = 1480, .len = 520);
	world_expect_silence(w);
	EXPECT_OS(.proto = TOE_PROTO_ICMP, .len = 1480, .more = true);
	EXPECT_OS(.proto = TOE_PROTO_ICMP, .off = 1480, .len = 520);
}
END_TEST

START_TEST(not_for_us)
{
	uint8_t f[2000];
	size_t len = make(f, &(struct frag){ .len = 40, .more = true });

	memcpy(f + 30, IP(10, 0, 2, 16), 4);
	toe_put16(f + 24, 0);
	toe_csum_store(f + 24, toe_csum(f + 14, 20, 0));
	world_in(w, f, len);
	ck_assert_uint_eq(world_os_count(w), 1);
	len = make(f, &(struct frag){ .len = 40, .more = true });
	memcpy(f, BROADCAST_MAC, 6);
	world_in(w, f, len);
	ck_assert_uint_eq(world_os_count(w), 2);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 0);
}
END_TEST

/* ---- Duplicates and overlaps ---- */

START_TEST(duplicates)
{
	FRAG(.len = 2400, .more = true);
	FRAG(.len = 2400, .more = true);
	FRAG(.off = 4000, .len = 8);
	FRAG(.off = 4000, .len = 8);
	FRAG(.len = 2400, .more = true);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_OVERLAPS), 0);
	ck_assert_uint_eq(counter(TOE_CTR_IP_FRAGMENTS), 3);
	FRAG(.off = 2400, .len = 1600, .more = true);
	expect_tcp(1, 4008);
}
END_TEST

/*
 * There are [800, 1600) and the last, [2400, 2500).  Each of these kills the
 * packet, together with the pieces that would have completed it.
 */
START_TEST(overlaps)
{
	static const struct frag bad[] = {
		{ .off = 800, .len = 800, .more = true, .xor = 1 },
		{ .off = 800, .len = 800 },
		{ .off = 800, .len = 792, .more = true },
		{ .off = 800, .len = 808, .more = true },
		{ .off = 0, .len = 808, .more = true },
		{ .off = 0, .len = 1600, .more = true },
		{ .off = 0, .len = 2400, .more = true },
		{ .off = 1592, .len = 8, .more = true },
		{ .off = 1592, .len = 80, .more = true },
		{ .off = 880, .len = 80, .more = true },
		{ .off = 1600, .len = 808, .more = true },
		{ .off = 1600, .len = 800 },		/* another end */
		{ .off = 80, .len = 720 },
		{ .off = 2400, .len = 99 },
		{ .off = 2400, .len = 100, .xor = 0x80 },
		{ .off = 2400, .len = 96, .more = true },
		{ .off = 2400, .len = 104, .more = true },
		{ .off = 2496, .len = 4 },
		{ .off = 2504, .len = 8 },
		{ .off = 2504, .len = 8, .more = true },
	};

	FRAG(.off = 800, .len = 800, .more = true);
	FRAG(.off = 2400, .len = 100);
	frag(&bad[_i]);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_OVERLAPS), 1);
	ck_assert_uint_eq(counter(TOE_CTR_IP_FRAGMENTS), 3);
	/* Its memory is free, but it is not forgotten. */
	ck_assert_uint_eq(toe_lmem_avail(w->lm, TOE_LMEM_IN), buflets);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 1);
	FRAG(.len = 800, .more = true);
	FRAG(.off = 800, .len = 800, .more = true);
	FRAG(.off = 1600, .len = 800, .more = true);
	FRAG(.off = 2400, .len = 100);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(counter(TOE_CTR_IP_FRAGMENTS), 7);
	ck_assert_uint_eq(toe_lmem_avail(w->lm, TOE_LMEM_IN), buflets);
	/* Its time over, the identification is good again; no word of it. */
	world_advance(w, WAIT);
	world_expect_silence(w);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_TIMEOUTS), 0);
	ck_assert_uint_eq(world_os_count(w), 0);
	FRAG(.len = 800, .more = true);
	FRAG(.off = 800, .len = 8);
	expect_tcp(1, 808);
}
END_TEST

/* The attack of 1997: the second lies inside the first. */
START_TEST(teardrop)
{
	FRAG(.id = 242, .len = 48, .more = true);
	FRAG(.id = 242, .off = 24, .len = 4);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_OVERLAPS), 1);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	/* And its kernel's case, where the adapter answers for UDP. */
	kernel_down();
	FRAG(.proto = TOE_PROTO_UDP, .id = 242, .len = 56, .more = true);
	FRAG(.proto = TOE_PROTO_UDP, .id = 242, .off = 24, .len = 4);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_OVERLAPS), 2);
	world_expect_silence(w);
}
END_TEST

/* ---- Refused ---- */

START_TEST(ping_of_death)
{
	uint32_t off;

	make_echo(65515);
	for (off = 0; off < 65120; off += 1480)
		FRAG(.proto = TOE_PROTO_ICMP, .off = off, .len = 1480,
		     .more = true);
	ck_assert_uint_eq(off, 65120);
	FRAG(.proto = TOE_PROTO_ICMP, .off = 65120, .len = 396);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_REFUSED), 1);
	FRAG(.proto = TOE_PROTO_ICMP, .off = 65528, .len = 400);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_REFUSED), 2);
	FRAG(.proto = TOE_PROTO_ICMP, .off = 65528, .len = 1480, .more = true);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_REFUSED), 3);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASSEMBLED), 0);
	ck_assert_uint_eq(world_os_count(w), 0);
	world_expect_silence(w);
	/* One byte less is a packet. */
	FRAG(.proto = TOE_PROTO_ICMP, .off = 65120, .len = 395);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASSEMBLED), 1);
}
END_TEST

/* Every fragment alone is short enough, the first one's options are not. */
START_TEST(too_long_with_options)
{
	FRAG(.off = 60000, .len = 5515);
	FRAG(.len = 60000, .more = true, .options = 4);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_REFUSED), 1);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(toe_lmem_avail(w->lm, TOE_LMEM_IN), buflets);
}
END_TEST

START_TEST(tiny)
{
	static const struct frag bad[] = {
		{ .len = 8, .more = true },
		{ .len = 16, .more = true },
		{ .off = 8, .len = 16 },
		{ .off = 8, .len = 400, .more = true },
		{ .off = 16, .len = 400, .more = true },
		{ .len = 0, .more = true },
		{ .off = 80, .len = 0 },
		{ .off = 80, .len = 0, .more = true },
		{ .len = 401, .more = true },
		{ .off = 80, .len = 7, .more = true },
	};
	unsigned i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		frag(&bad[i]);
		ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_REFUSED), i + 1);
		ck_assert_uint_eq(counter(TOE_CTR_IP_FRAGMENTS), i + 1);
	}
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 0);
	/* ICMP has 8 bytes of header. */
	make_echo(16);
	FRAG(.proto = TOE_PROTO_ICMP, .len = 8, .more = true);
	FRAG(.proto = TOE_PROTO_ICMP, .off = 8, .len = 8);
	ck_assert_uint_eq(counter(TOE_CTR_ICMP_ECHO_REPLIES), 1);
}
END_TEST

/* ---- Time ---- */

START_TEST(time_over)
{
	FRAG(.id = 5, .len = 800, .more = true);
	world_advance(w, 10 * SEC);
	FRAG(.id = 6, .off = 800, .len = 800, .more = true);
	world_advance(w, 19 * SEC);
	FRAG(.id = 5, .off = 800, .len = 800, .more = true);
	world_advance(w, 1 * SEC - 1);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_TIMEOUTS), 0);
	world_advance(w, 1);
	/* Not prolonged by what came later. */
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_TIMEOUTS), 1);
	ck_assert_uint_eq(counter(TOE_CTR_IP_FRAGMENTS), 2);
	expect_time_exceeded(5);
	/* The rest comes too late: it is another packet's. */
	FRAG(.id = 5, .off = 1600, .len = 3);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	/* Nothing is said of one whose beginning never came. */
	world_advance(w, 10 * SEC);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_TIMEOUTS), 2);
	world_expect_silence(w);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 1);
	/* In the last moment is in time. */
	FRAG(.id = 7, .len = 800, .more = true);
	world_advance(w, WAIT - 1);
	FRAG(.id = 7, .off = 800, .len = 3);
	expect_tcp(1, 803);
	world_expect_silence(w);
	ck_assert(toe_nop_deadline(w->n) == INT64_MAX);
}
END_TEST

/* RFC 1122, 3.2.2: no ICMP error about one; none about another's address. */
START_TEST(time_over_untold)
{
	message[0] = TOE_ICMP_UNREACHABLE;
	FRAG(.proto = TOE_PROTO_ICMP, .len = 80, .more = true);
	world_advance(w, WAIT);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_TIMEOUTS), 1);
	FRAG(.len = 80, .more = true);
	toe_nop_addr_del(w->n, TOE_AF_INET, WORLD_IP, 24);
	world_advance(w, WAIT);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_TIMEOUTS), 2);
	world_expect_silence(w);
}
END_TEST

/* ---- Floods ---- */

/* One source's flood drives out its own, not those of others. */
START_TEST(flood_of_one_source)
{
	unsigned i;

	FRAG(.src = FAR_IP, .len = 1480, .more = true);
	for (i = 0; i < 1000; i++)
		FRAG(.id = i, .len = 1480, .more = true);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 17);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_EVICTED), 984);
	ck_assert_uint_ge(toe_lmem_avail(w->lm, TOE_LMEM_IN), buflets - 17);
	FRAG(.src = FAR_IP, .off = 1480, .len = 4);
	expect_tcp(1, 1484);
	/* The newest are there, the oldest are not. */
	FRAG(.id = 999, .off = 1480, .len = 4);
	FRAG(.id = 984, .off = 1480, .len = 4);
	expect_tcp(3, 1484);
	FRAG(.id = 983, .off = 1480, .len = 4);
	ck_assert_uint_eq(fake_tcp.inputs, 3);
	/* What is said of those left is limited, too. */
	world_advance(w, WAIT);
	ck_assert_uint_le(world_sent_count(w), 20);
}
END_TEST

START_TEST(flood_of_many_sources)
{
	unsigned i;

	for (i = 0; i < 20000; i++)
		FRAG(.src = IP(1 + (i >> 16), i >> 8, i, 1), .len = 24,
		     .more = true);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 64);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_EVICTED), 20000 - 64);
	ck_assert_uint_ge(toe_lmem_avail(w->lm, TOE_LMEM_IN), buflets - 64);
	i -= 64;
	FRAG(.src = IP(1 + (i >> 16), i >> 8, i, 1), .off = 24, .len = 1);
	expect_tcp(1, 25);
}
END_TEST

/* What lies behind the packet in its frame is not kept. */
START_TEST(flood_of_padding)
{
	FRAG(.len = 24, .more = true, .padding = 60000);
	ck_assert_uint_eq(toe_lmem_avail(w->lm, TOE_LMEM_IN), buflets - 1);
	FRAG(.off = 24, .len = 7, .padding = 60000);
	expect_tcp(1, 31);
}
END_TEST

/* Local memory: a quarter, here 1 MiB, however large the frames are. */
START_TEST(flood_of_bytes)
{
	uint64_t least = buflets;
	unsigned i;

	for (i = 0; i < 200; i++) {
		FRAG(.id = i, .src = IP(10, 0, 2, 20 + i % 50),
		     .len = 60000, .more = true, .padding = 5000);
		least = MIN(least, toe_lmem_avail(w->lm, TOE_LMEM_IN));
	}
	ck_assert_uint_ge(least, buflets - buflets / 4);
	ck_assert_uint_lt(least, buflets - buflets / 5);
	FRAG(.id = 199, .src = IP(10, 0, 2, 69), .off = 60000, .len = 5);
	expect_tcp(1, 60005);
}
END_TEST

/* Crumbs: limited for one packet, and in all. */
START_TEST(flood_of_pieces)
{
	unsigned id, i;

	FRAG(.len = 24, .more = true);
	for (i = 0; i < 255; i++)
		FRAG(.off = 24 + 8 * i, .len = 8, .more = true);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_EVICTED), 0);
	FRAG(.off = 24 + 8 * i, .len = 8);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_EVICTED), 1);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(toe_lmem_avail(w->lm, TOE_LMEM_IN), buflets);
	for (id = 1; id < 10; id++) {
		for (i = 0; i < 200; i++)
			FRAG(.id = id, .off = 24 + 8 * i, .len = 8,
			     .more = true);
	}
	/* 1024 are 5 packets and a bit; the oldest went, the dead one first. */
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 5);
	FRAG(.id = 9, .len = 24, .more = true);
	FRAG(.id = 9, .off = 1624, .len = 1);
	expect_tcp(1, 1625);
}
END_TEST

/* No buflet is free: the packet is lost, and nothing else. */
START_TEST(no_local_memory)
{
	ToeChain all = toe_chain_init();

	ck_assert(toe_chain_extend(w->lm, &all,
				   (buflets - 2) * TOE_BUFLET_SIZE,
				   TOE_LMEM_IN));
	FRAG(.id = 1, .len = 2960, .more = true);
	FRAG(.id = 2, .len = 1480, .more = true);	/* takes the place */
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_EVICTED), 1);
	FRAG(.id = 2, .off = 1480, .len = 40);
	expect_tcp(1, 1520);
	FRAG(.id = 3, .len = 5000, .more = true);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_EVICTED), 2);
	toe_chain_clear(w->lm, &all);
}
END_TEST

START_TEST(reset)
{
	FRAG(.id = 1, .len = 2960, .more = true);
	FRAG(.id = 2, .len = 2960, .more = true);
	FRAG(.id = 2, .len = 2952, .more = true);
	toe_nop_reset(w->n);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 0);
	ck_assert_uint_eq(toe_lmem_avail(w->lm, TOE_LMEM_IN), buflets);
	ck_assert(toe_nop_deadline(w->n) == INT64_MAX);
}
END_TEST

/*
 * Anything at all, over a few identifications so that it meets: nothing
 * breaks, nothing is lost, and what TCP gets is what was sent.
 */
START_TEST(garbage)
{
	GRand *r = g_rand_new_with_seed(_i + 1);
	unsigned inputs = 0, step;

	for (step = 0; step < 30000; step++) {
		struct frag f = {
			.id = g_rand_int_range(r, 0, 8),
			.src = g_rand_int(r) & 1 ? FAR_IP : NULL,
			.off = 8 * g_rand_int_range(r, 0, 5) *
			       (g_rand_int(r) & 15 ? 3 : 680),
			.len = g_rand_int(r) & 7 ? 24 :
			       g_rand_int_range(r, 0, 3000),
			.more = g_rand_int(r) & 3,
			.tos = g_rand_int(r) & 31 ? 0 : 3,
			.options = g_rand_int(r) & 7 ? 0 : 8,
			.xor = g_rand_int(r) & 63 ? 0 : 1,
		};
		bool clean = !f.xor;

		f.more |= !f.off;	/* else it is no fragment */
		frag(&f);
		if (clean && fake_tcp.inputs != inputs)
			ck_assert_mem_eq(fake_tcp.payload, message, 20);
		inputs = fake_tcp.inputs;
		if (!(g_rand_int(r) & 255))
			world_advance(w, g_rand_int_range(r, 1, 40) * SEC);
		world_forget(w);
	}
	ck_assert_uint_gt(inputs, 20);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_REASSEMBLED), inputs);
	g_rand_free(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ipfrag");
	TCase *t = tcase_create("together"), *o = tcase_create("whose");
	TCase *a = tcase_create("attacks"), *f = tcase_create("floods");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, by_hand, 0, 2);
	tcase_add_test(t, in_order);
	tcase_add_test(t, reverse);
	tcase_add_loop_test(t, holes, 0, 120);
	tcase_add_test(t, many_at_once);
	tcase_add_test(t, largest);
	tcase_add_test(t, options);
	tcase_add_test(t, ecn);
	tcase_add_test(t, time_over);
	tcase_add_test(t, time_over_untold);
	tcase_add_checked_fixture(o, setup, teardown);
	tcase_add_test(o, os_gets_them_as_they_came);
	tcase_add_test(o, other_protocol);
	tcase_add_test(o, echo);
	tcase_add_test(o, not_for_us);
	tcase_add_checked_fixture(a, setup, teardown);
	tcase_add_test(a, duplicates);
	tcase_add_loop_test(a, overlaps, 0, 20);
	tcase_add_test(a, teardrop);
	tcase_add_test(a, ping_of_death);
	tcase_add_test(a, too_long_with_options);
	tcase_add_test(a, tiny);
	tcase_add_checked_fixture(f, setup, teardown);
	tcase_set_timeout(f, 60);
	tcase_add_test(f, flood_of_one_source);
	tcase_add_test(f, flood_of_many_sources);
	tcase_add_test(f, flood_of_padding);
	tcase_add_test(f, flood_of_bytes);
	tcase_add_test(f, flood_of_pieces);
	tcase_add_test(f, no_local_memory);
	tcase_add_test(f, reset);
	tcase_add_loop_test(f, garbage, 0, 4);
	suite_add_tcase(s, t);
	suite_add_tcase(s, o);
	suite_add_tcase(s, a);
	suite_add_tcase(s, f);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
