/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ipfrag6.c - IPv6 fragments, frame by frame: what test_ipfrag.c shows of
 * the engine, through IPv6's side of it, and what only IPv6 has: headers in
 * front and behind, the whole chain in the first fragment, atomic fragments,
 * and what is told to the source.
 *
 * As there, a test cuts fragments out of message[]; in frag() all numbers are
 * bytes of the fragmentable part; what is not given is 0, P6, TCP.
 */
#include <stdlib.h>
#include "common_nop6.h"
#include "fake_tcp.h"

#define MESSAGE_MAX	70000
#define WAIT		(60 * SEC)

static struct world *w;
static uint8_t message[MESSAGE_MAX];
static size_t buflets;

struct frag {
	const uint8_t *src;
	uint8_t next;		/* of the fragment header */
	uint32_t id;
	uint32_t off;
	uint32_t len;
	bool more;
	uint8_t tos;
	uint32_t front;		/* bytes of destination options before it */
	uint32_t padding;	/* of the link */
	uint8_t xor;		/* of the last byte */
	uint8_t reserved;	/* bits nobody looks at */
};

#define FRAME_MAX_OF(f)	(14 + 40 + (f)->front + 8 + (f)->len + (f)->padding)
#define FRAG(...)	frag(&(struct frag){ __VA_ARGS__ })

static void setup(void)
{
	size_t i;

	w = world6_new();
	world6_know_peer(w);
	fake_tcp_clear();
	fake_tcp.takes = true;
	for (i = 0; i < MESSAGE_MAX; i++)
		message[i] = i * 7 + (i >> 8);
	message[12] = 0x50;	/* a TCP header of 20 bytes */
	buflets = toe_lmem_avail(w->lm, TOE_LMEM_IN);
}

static void teardown(void)
{
	world_advance(w, WAIT);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP6_REASM_NOW), 0);
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

/* len bytes of destination options that say nothing: PadN all of it. */
static void pad_header(uint8_t *p, uint8_t next, uint32_t len)
{
	uint32_t at = 2;

	p[0] = next;
	p[1] = len / 8 - 1;
	while (at < len) {
		uint32_t n = MIN(len - at, 257);

		if (len - at - n == 1)
			n--;
		p[at] = 1;
		p[at + 1] = n - 2;
		memset(p + at + 2, 0, n - 2);
		at += n;
	}
}

static size_t make(uint8_t *out, const struct frag *f)
{
	uint8_t *ip = out + 14, *h = ip + 40 + f->front;

	ck_assert_uint_eq(f->off % 8, 0);
	toe_wire_eth_build(out, WORLD_MAC, PEER_MAC, TOE_ETHERTYPE_IPV6);
	toe_wire_ipv6_build(ip, f->tos, 0x12345, f->front + 8 + f->len,
			    f->front ? 60 : 44, 61, f->src ? f->src : P6, W6);
	if (f->front)
		pad_header(ip + 40, 44, f->front);
	h[0] = f->next ? f->next : TOE_PROTO_TCP;
	h[1] = f->reserved;
	toe_put16(h + 2, f->off | (f->reserved & 6) | f->more);
	toe_put32(h + 4, f->id);
	memcpy(h + 8, message + f->off, f->len);
	if (f->len)
		h[8 + f->len - 1] ^= f->xor;
	memset(h + 8 + f->len, 0xee, f->padding);
	return FRAME_MAX_OF(f);
}

static void frag(const struct frag *f)
{
	uint8_t *frame = g_malloc(FRAME_MAX_OF(f));

	world_in(w, frame, make(frame, f));
	g_free(frame);
}

/* TCP got len bytes of the message from at on, for the nth time. */
static void expect_tcp_at(unsigned nth, size_t at, size_t len)
{
	ck_assert_uint_eq(fake_tcp.inputs, nth);
	ck_assert_uint_eq(fake_tcp.packet.family, TOE_AF_INET6);
	ck_assert_mem_eq(fake_tcp.packet.dst, W6, 16);
	ck_assert_uint_eq(fake_tcp.packet.len, len);
	ck_assert_mem_eq(fake_tcp.payload, message + at, len);
}

static void expect_tcp(unsigned nth, size_t len)
{
	expect_tcp_at(nth, 0, len);
}

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

/* An ICMPv6 error to P6 that quotes the fragment with this identification. */
static void expect_error(uint8_t type, uint8_t code, uint32_t rest,
			 uint32_t front, uint32_t id)
{
	ToeWireIcmp m = world6_expect_icmp(w, type);

	ck_assert_uint_eq(m.code, code);
	ck_assert_uint_eq(m.rest, rest);
	ck_assert_uint_ge(m.len, 40 + front + 8 + 7);
	ck_assert_mem_eq(m.body + 8, P6, 16);
	ck_assert_mem_eq(m.body + 24, W6, 16);
	ck_assert_uint_eq(m.body[front ? 40 : 6], 44);
	ck_assert_uint_eq(toe_get32(m.body + 40 + front + 4), id);
}

static void make_echo(size_t len)
{
	uint32_t sum = toe_csum_pseudo(TOE_AF_INET6, P6, W6, 58, len);

	toe_put32(message, 0x80000000);
	toe_put32(message + 4, 0x00070001);
	toe_csum_store(message + 2, toe_csum(message, len, sum));
}

/* ---- Put together ---- */

START_TEST(in_order)
{
	FRAG(.id = 0xdeadbeef, .len = 1448, .more = true, .tos = 0x10);
	FRAG(.id = 0xdeadbeef, .off = 1448, .len = 1448, .more = true);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 1);
	FRAG(.id = 0xdeadbeef, .off = 2896, .len = 77);
	expect_tcp(1, 2973);
	ck_assert_uint_eq(fake_tcp.packet.ttl, 61);
	ck_assert_uint_eq(fake_tcp.packet.tos, 0x10);
	ck_assert_mem_eq(fake_tcp.packet.src, P6, 16);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASSEMBLED), 1);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 0);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_FRAGMENTS), 0);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_BAD_HEADER), 0);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASSEMBLED), 0);
	world_expect_silence(w);
	ck_assert_uint_eq(world_os_count(w), 0);
}
END_TEST

START_TEST(holes)
{
	static const struct frag f[5] = {
		{ .off = 0, .len = 400, .more = true },
		{ .off = 400, .len = 8, .more = true },
		{ .off = 408, .len = 1000, .more = true, .reserved = 0xff },
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

/*
 * Source, destination and identification tell packets apart; the protocol
 * does not, and the first fragment's word counts (RFC 8200, 4.5).
 */
START_TEST(which_packet)
{
	FRAG(.id = 1, .len = 64, .more = true);
	FRAG(.id = 0x10001, .len = 64, .more = true);
	FRAG(.id = 1, .src = FAR6, .len = 64, .more = true);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 3);
	FRAG(.id = 0x10001, .next = TOE_PROTO_ICMP6, .off = 64, .len = 9);
	expect_tcp(1, 73);
	ck_assert_uint_eq(fake_tcp.packet.proto, TOE_PROTO_TCP);
	/* Also if the other one came first. */
	FRAG(.id = 3, .next = TOE_PROTO_ICMP6, .off = 64, .len = 9);
	FRAG(.id = 3, .len = 64, .more = true);
	expect_tcp(2, 73);
	FRAG(.id = 1, .src = FAR6, .off = 64, .len = 9);
	expect_tcp(3, 73);
	ck_assert_mem_eq(fake_tcp.packet.src, FAR6, 16);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 1);
}
END_TEST

/* 65535 bytes after the IPv6 header are possible, no more. */
START_TEST(largest)
{
	uint32_t off;

	for (off = 0; off + 1448 < 65535; off += 1448)
		FRAG(.off = off, .len = 1448, .more = true);
	FRAG(.off = off, .len = 65535 - off);
	expect_tcp(1, 65535);
}
END_TEST

/* Headers before the fragment header are the first fragment's. */
START_TEST(headers_in_front)
{
	FRAG(.off = 48, .len = 9, .front = 8);
	FRAG(.len = 48, .more = true, .front = 24);
	expect_tcp(1, 57);
	FRAG(.id = 2, .len = 48, .more = true, .front = 1024);
	FRAG(.id = 2, .off = 48, .len = 9);
	expect_tcp(2, 57);
}
END_TEST

/* And headers in what was cut, before the transport's. */
START_TEST(headers_behind)
{
	pad_header(message, TOE_PROTO_TCP, 16);
	message[16 + 12] = 0x50;
	FRAG(.next = 60, .len = 40, .more = true);
	FRAG(.next = 60, .off = 40, .len = 50);
	expect_tcp_at(1, 16, 74);
}
END_TEST

START_TEST(ecn)
{
	static const struct {
		uint8_t a, b;
		int joined;
	} c[] = {
		{ 0, 0, 0 }, { 1, 1, 1 }, { 3, 3, 3 }, { 2, 3, 3 }, { 3, 2, 3 },
		{ 0xba, 0xbb, 0xbb }, { 0, 3, -1 }, { 3, 0, -1 },
	};
	unsigned taken = 0;
	uint32_t i;

	for (i = 0; i < G_N_ELEMENTS(c); i++) {
		FRAG(.id = i, .len = 40, .more = true, .tos = c[i].a);
		FRAG(.id = i, .off = 40, .len = 40, .tos = c[i].b);
		if (c[i].joined >= 0) {
			expect_tcp(++taken, 80);
			ck_assert_int_eq(fake_tcp.packet.tos, c[i].joined);
		}
	}
	ck_assert_uint_eq(fake_tcp.inputs, taken);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_REFUSED), 2);
}
END_TEST

/* RFC 6946: alone, although others with its identification wait. */
START_TEST(atomic)
{
	FRAG(.id = 7, .len = 64, .more = true);
	FRAG(.id = 7, .len = 100, .reserved = 0xff);
	expect_tcp(1, 100);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_OVERLAPS), 0);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 1);
	FRAG(.id = 7, .off = 64, .len = 10);
	expect_tcp(2, 74);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASSEMBLED), 1);
}
END_TEST

/* ---- Whose they are ---- */

START_TEST(os_gets_them_as_they_came)
{
	fake_tcp.takes = false;
	FRAG(.off = 1448, .len = 800, .more = true);
	FRAG(.off = 2248, .len = 3);
	ck_assert_uint_eq(world_os_count(w), 0);
	FRAG(.len = 1448, .more = true, .front = 16);
	ck_assert_uint_eq(fake_tcp.inputs, 1);
	ck_assert_uint_eq(fake_tcp.rejects, 0);
	EXPECT_OS(.off = 1448, .len = 800, .more = true);
	EXPECT_OS(.off = 2248, .len = 3);
	EXPECT_OS(.len = 1448, .more = true, .front = 16);
	ck_assert_uint_eq(world_os_count(w), 0);
	kernel_down();
	FRAG(.id = 2, .len = 1448, .more = true);
	FRAG(.id = 2, .off = 1448, .len = 1);
	ck_assert_uint_eq(fake_tcp.rejects, 1);
	ck_assert_uint_eq(world_os_count(w), 0);
}
END_TEST

START_TEST(other_protocol)
{
	ToeWireIcmp m;

	FRAG(.next = 132, .off = 80, .len = 8);
	EXPECT_OS(.next = 132, .off = 80, .len = 8);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 0);
	/* The adapter answers for it: about the whole. */
	kernel_down();
	FRAG(.next = 132, .off = 80, .len = 8);
	FRAG(.next = 132, .len = 80, .more = true);
	m = world6_expect_icmp(w, TOE_ICMP6_PARAMETER);
	ck_assert_uint_eq(m.code, TOE_ICMP6_CODE_NEXT);
	ck_assert_uint_eq(m.len, 40 + 88);
	ck_assert_uint_eq(m.body[6], 132);
	ck_assert_uint_eq(toe_get16(m.body + 4), 88);
	ck_assert_mem_eq(m.body + 40, message, 88);
	ck_assert_uint_eq(world_os_count(w), 0);
}
END_TEST

START_TEST(echo)
{
	ToeWireIcmp m;

	make_echo(1000);
	FRAG(.next = TOE_PROTO_ICMP6, .off = 576, .len = 424);
	world_expect_silence(w);
	FRAG(.next = TOE_PROTO_ICMP6, .len = 576, .more = true);
	m = world6_expect_icmp(w, TOE_ICMP6_ECHO_REPLY);
	ck_assert_uint_eq(m.len, 992);
	ck_assert_mem_eq(m.body, message + 8, 992);
	ck_assert_uint_eq(world_os_count(w), 0);
}
END_TEST

START_TEST(not_for_us)
{
	uint8_t f[2000];
	size_t len = make(f, &(struct frag){ .len = 40, .more = true });

	f[14 + 39] = 0x16;
	world_in(w, f, len);
	ck_assert_uint_eq(world_os_count(w), 1);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 0);
}
END_TEST

/* A source that is nobody's, or our own, is refused before. */
START_TEST(sources_refused)
{
	FRAG(.src = NO6, .len = 40, .more = true);
	FRAG(.src = W6, .len = 40, .more = true);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_BAD_HEADER), 2);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 0);
}
END_TEST

/* ---- Duplicates and overlaps, RFC 5722 ---- */

START_TEST(duplicates)
{
	FRAG(.len = 2400, .more = true);
	FRAG(.len = 2400, .more = true);
	FRAG(.off = 4000, .len = 8);
	FRAG(.off = 4000, .len = 8);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_OVERLAPS), 0);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_FRAGMENTS), 2);
	FRAG(.off = 2400, .len = 1600, .more = true);
	expect_tcp(1, 4008);
}
END_TEST

START_TEST(overlaps)
{
	static const struct frag bad[] = {
		{ .off = 800, .len = 800, .more = true, .xor = 1 },
		{ .off = 800, .len = 800 },
		{ .off = 800, .len = 792, .more = true },
		{ .off = 0, .len = 808, .more = true },
		{ .off = 0, .len = 2400, .more = true },
		{ .off = 1592, .len = 8, .more = true },
		{ .off = 880, .len = 80, .more = true },
		{ .off = 1600, .len = 800 },
		{ .off = 80, .len = 720 },
		{ .off = 2400, .len = 99 },
		{ .off = 2496, .len = 4 },
		{ .off = 2504, .len = 8, .more = true },
	};

	FRAG(.off = 800, .len = 800, .more = true);
	FRAG(.off = 2400, .len = 100);
	frag(&bad[_i]);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_OVERLAPS), 1);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_FRAGMENTS), 3);
	ck_assert_uint_eq(toe_lmem_avail(w->lm, TOE_LMEM_IN), buflets);
	FRAG(.len = 800, .more = true);
	FRAG(.off = 800, .len = 800, .more = true);
	FRAG(.off = 1600, .len = 800, .more = true);
	FRAG(.off = 2400, .len = 100);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_FRAGMENTS), 7);
	/* Silently (RFC 5722, 4), also when its time is over. */
	world_advance(w, WAIT);
	world_expect_silence(w);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_TIMEOUTS), 0);
	ck_assert_uint_eq(world_os_count(w), 0);
	FRAG(.len = 800, .more = true);
	FRAG(.off = 800, .len = 8);
	expect_tcp(1, 808);
}
END_TEST

/* ---- Refused, and told ---- */

START_TEST(not_a_multiple_of_8)
{
	FRAG(.id = 5, .len = 401, .more = true);
	expect_error(4, 0, 4, 0, 5);
	FRAG(.id = 6, .off = 80, .len = 7, .more = true, .front = 8);
	expect_error(4, 0, 4, 8, 6);
	FRAG(.off = 80, .len = 0);
	FRAG(.len = 0, .more = true);
	world_expect_silence(w);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_REFUSED), 4);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_FRAGMENTS), 4);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 0);
}
END_TEST

START_TEST(beyond_65535)
{
	FRAG(.id = 1, .off = 65520, .len = 16);
	expect_error(4, 0, 42, 0, 1);
	FRAG(.id = 2, .off = 65528, .len = 1448, .more = true);
	expect_error(4, 0, 42, 0, 2);
	/* The header in front counts; its length moves the pointer. */
	FRAG(.id = 3, .off = 65520, .len = 15, .front = 8);
	expect_error(4, 0, 50, 8, 3);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_REFUSED), 3);
	FRAG(.id = 4, .off = 60000, .len = 5535);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_REFUSED), 3);
	/* Together with the first one's header: silently. */
	FRAG(.id = 4, .len = 60000, .more = true, .front = 8);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_REFUSED), 4);
	world_expect_silence(w);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
}
END_TEST

/* RFC 7112: each of these first fragments hides something. */
START_TEST(chain_in_pieces)
{
	static const struct {
		uint8_t next, len;
	} bad[] = {
		{ 6, 8 }, { 6, 16 }, { 17, 0 }, { 60, 8 }, { 60, 16 },
		{ 60, 32 }, { 43, 8 }, { 0, 16 }, { 44, 8 },
	};

	/* Options of 16 bytes before TCP; what 44 sees is the same. */
	pad_header(message, TOE_PROTO_TCP, 16);
	message[12] = 0;
	message[28] = 0x50;
	FRAG(.id = 9, .next = bad[_i].next, .len = bad[_i].len, .more = true);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_REFUSED), 1);
	if (bad[_i].len)
		expect_error(4, 3, 0, 0, 9);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 0);
	/* With all of it, it is taken. */
	FRAG(.id = 10, .next = 60, .len = 40, .more = true);
	FRAG(.id = 10, .next = 60, .off = 40, .len = 1);
	expect_tcp_at(1, 16, 25);
}
END_TEST

/* A TCP header with options is whole with them only. */
START_TEST(tcp_options_in_pieces)
{
	message[12] = 0x80;
	FRAG(.id = 1, .len = 24, .more = true);
	expect_error(4, 3, 0, 0, 1);
	FRAG(.id = 2, .len = 32, .more = true);
	world_expect_silence(w);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 1);
}
END_TEST

/* Fragments of a fragment: put together, and dropped. */
START_TEST(nested)
{
	message[0] = TOE_PROTO_TCP;
	message[1] = 0;
	toe_put16(message + 2, 1);
	message[8 + 12] = 0x50;
	FRAG(.next = 44, .len = 40, .more = true);
	FRAG(.next = 44, .off = 40, .len = 8);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASSEMBLED), 1);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 0);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_BAD_HEADER), 1);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(world_os_count(w), 0);
}
END_TEST

/* Nothing is said about an error, nor more than the rate limit allows. */
START_TEST(answers_limited)
{
	unsigned i;

	message[0] = TOE_ICMP6_UNREACHABLE;
	FRAG(.next = TOE_PROTO_ICMP6, .len = 401, .more = true);
	world_expect_silence(w);
	for (i = 0; i < 1000; i++)
		FRAG(.id = i, .len = 401, .more = true);
	ck_assert_uint_eq(world_sent_count(w), 20);
	ck_assert_uint_eq(counter(TOE_CTR_ICMP_RATE_LIMITED), 980);
}
END_TEST

/* ---- Time ---- */

START_TEST(time_over)
{
	FRAG(.id = 5, .len = 800, .more = true, .front = 8);
	world_advance(w, 10 * SEC);
	FRAG(.id = 6, .off = 800, .len = 800, .more = true);
	world_advance(w, 49 * SEC);
	FRAG(.id = 5, .off = 800, .len = 800, .more = true);
	world_advance(w, 1 * SEC - 1);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_TIMEOUTS), 0);
	world_advance(w, 1);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_TIMEOUTS), 1);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_FRAGMENTS), 2);
	expect_error(3, 1, 0, 8, 5);
	/* Nothing is said of one whose beginning never came. */
	world_advance(w, 10 * SEC);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_TIMEOUTS), 2);
	FRAG(.id = 7, .len = 800, .more = true);
	world_advance(w, WAIT - 1);
	FRAG(.id = 7, .off = 800, .len = 3);
	expect_tcp(1, 803);
	ck_assert_uint_eq(counter(TOE_CTR_ICMP6_ERRORS_OUT), 1);
}
END_TEST

/* IPv4's 30 s and IPv6's 60 s in one table. */
START_TEST(two_times)
{
	uint8_t ip[1024];

	FRAG(.len = 800, .more = true);
	w->cut = 512;
	memset(ip, 0, sizeof(ip));
	world_in_ip(w, PEER_IP, WORLD_IP, TOE_PROTO_TCP, ip, 1000);
	ck_assert_uint_eq(fake_tcp.inputs, 1);
	w->cut = 0;
	world_advance(w, 10 * SEC);
	/* The first half of one, by hand. */
	{
		uint8_t f[14 + 20 + 24] = { 0 };

		toe_wire_eth_build(f, WORLD_MAC, PEER_MAC,
				   TOE_ETHERTYPE_IPV4);
		toe_wire_ipv4_build(f + 14, 0, 44, 1, false, 64,
				    TOE_PROTO_TCP, PEER_IP, WORLD_IP);
		toe_put16(f + 20, 0x2000);
		toe_put16(f + 24, 0);
		toe_csum_store(f + 24, toe_csum(f + 14, 20, 0));
		world_in(w, f, sizeof(f));
	}
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 1);
	world_advance(w, 30 * SEC);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_NOW), 0);
	ck_assert_uint_eq(counter(TOE_CTR_IP_REASM_TIMEOUTS), 1);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 1);
	world_advance(w, 20 * SEC);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 0);
}
END_TEST

START_TEST(time_over_untold)
{
	message[0] = TOE_ICMP6_TOO_BIG;
	FRAG(.next = TOE_PROTO_ICMP6, .len = 80, .more = true);
	world_advance(w, WAIT);
	FRAG(.len = 80, .more = true);
	toe_nop_addr_del(w->n, TOE_AF_INET6, W6, 64);
	world_advance(w, WAIT);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_TIMEOUTS), 2);
	world_expect_silence(w);
}
END_TEST

/* ---- Floods ---- */

/* Whoever sends from all over his /64 is one source. */
START_TEST(flood_of_one_net)
{
	uint8_t src[16];
	unsigned i;

	memcpy(src, FAR6, 16);
	FRAG(.len = 1448, .more = true);
	for (i = 0; i < 1000; i++) {
		toe_put32(src + 12, i + 1);
		FRAG(.src = src, .id = i, .len = 1448, .more = true);
	}
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 17);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_EVICTED), 984);
	ck_assert_uint_ge(toe_lmem_avail(w->lm, TOE_LMEM_IN), buflets - 17);
	FRAG(.off = 1448, .len = 4);
	expect_tcp(1, 1452);
	world_advance(w, WAIT);
	ck_assert_uint_le(world_sent_count(w), 20);
}
END_TEST

START_TEST(flood_of_many_nets)
{
	uint8_t src[16];
	unsigned i;

	memcpy(src, FAR6, 16);
	for (i = 0; i < 20000; i++) {
		toe_put32(src + 4, i);
		FRAG(.src = src, .len = 24, .more = true);
	}
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_NOW), 64);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_EVICTED), 20000 - 64);
	ck_assert_uint_ge(toe_lmem_avail(w->lm, TOE_LMEM_IN), buflets - 64);
}
END_TEST

START_TEST(flood_of_pieces)
{
	unsigned i;

	FRAG(.len = 24, .more = true);
	for (i = 0; i < 255; i++)
		FRAG(.off = 24 + 8 * i, .len = 8, .more = true);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_EVICTED), 0);
	FRAG(.off = 24 + 8 * i, .len = 8);
	ck_assert_uint_eq(counter(TOE_CTR_IP6_REASM_EVICTED), 1);
	ck_assert_uint_eq(toe_lmem_avail(w->lm, TOE_LMEM_IN), buflets);
}
END_TEST

START_TEST(garbage)
{
	GRand *r = g_rand_new_with_seed(_i + 1);
	unsigned inputs = 0, step;

	for (step = 0; step < 20000; step++) {
		struct frag f = {
			.id = g_rand_int_range(r, 0, 8),
			.src = g_rand_int(r) & 1 ? FAR6 : NULL,
			.off = 8 * g_rand_int_range(r, 0, 5) *
			       (g_rand_int(r) & 15 ? 3 : 680),
			.len = g_rand_int(r) & 7 ? 24 :
			       g_rand_int_range(r, 0, 3000),
			.more = g_rand_int(r) & 3,
			.tos = g_rand_int(r) & 31 ? 0 : 3,
			.front = g_rand_int(r) & 7 ? 0 : 8,
			.next = g_rand_int(r) & 15 ? 0 : 60,
			.xor = g_rand_int(r) & 63 ? 0 : 1,
		};

		f.more |= !f.off;
		frag(&f);
		inputs = fake_tcp.inputs;
		if (!(g_rand_int(r) & 255))
			world_advance(w, g_rand_int_range(r, 1, 80) * SEC);
		world_forget(w);
	}
	ck_assert_uint_gt(inputs, 10);
	g_rand_free(r);
}
END_TEST

/* Bytes of no meaning behind a fragment header, whole frames of them. */
START_TEST(noise)
{
	GRand *r = g_rand_new_with_seed(_i + 1);
	uint8_t p[600];
	unsigned step, i;

	for (step = 0; step < 20000; step++) {
		size_t len = g_rand_int_range(r, 0, sizeof(p));

		for (i = 0; i < len; i++)
			p[i] = g_rand_int(r) & 3 ? 0 : g_rand_int(r);
		if (len > 4 && g_rand_int(r) & 1)
			p[0] = (const uint8_t[]){ 0, 6, 43, 44, 58, 60 }
			       [g_rand_int_range(r, 0, 6)];
		world6_in(w, P6, W6, g_rand_int(r) & 7 ? 44 : 60, 64, p, len);
		world_forget(w);
	}
	g_rand_free(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ipfrag6");
	TCase *t = tcase_create("together"), *o = tcase_create("whose");
	TCase *a = tcase_create("attacks"), *f = tcase_create("floods");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, in_order);
	tcase_add_loop_test(t, holes, 0, 120);
	tcase_add_test(t, which_packet);
	tcase_add_test(t, largest);
	tcase_add_test(t, headers_in_front);
	tcase_add_test(t, headers_behind);
	tcase_add_test(t, ecn);
	tcase_add_test(t, atomic);
	tcase_add_test(t, time_over);
	tcase_add_test(t, two_times);
	tcase_add_test(t, time_over_untold);
	tcase_add_checked_fixture(o, setup, teardown);
	tcase_add_test(o, os_gets_them_as_they_came);
	tcase_add_test(o, other_protocol);
	tcase_add_test(o, echo);
	tcase_add_test(o, not_for_us);
	tcase_add_test(o, sources_refused);
	tcase_add_checked_fixture(a, setup, teardown);
	tcase_add_test(a, duplicates);
	tcase_add_loop_test(a, overlaps, 0, 12);
	tcase_add_test(a, not_a_multiple_of_8);
	tcase_add_test(a, beyond_65535);
	tcase_add_loop_test(a, chain_in_pieces, 0, 9);
	tcase_add_test(a, tcp_options_in_pieces);
	tcase_add_test(a, nested);
	tcase_add_test(a, answers_limited);
	tcase_add_checked_fixture(f, setup, teardown);
	tcase_set_timeout(f, 60);
	tcase_add_test(f, flood_of_one_net);
	tcase_add_test(f, flood_of_many_nets);
	tcase_add_test(f, flood_of_pieces);
	tcase_add_loop_test(f, garbage, 0, 4);
	tcase_add_loop_test(f, noise, 0, 4);
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
