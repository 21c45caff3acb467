/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_v6.c - TCP over IPv6, segment by segment: MSS, checksum, path MTU,
 * ICMPv6 errors, refused segments, ECN.  TCP itself is tested over IPv4.
 */
#include "common_nop6.h"
#include "common_tcp.h"

static struct talk *t;
static uint32_t h;
static uint16_t lport;
static uint32_t iss;

/* User networking: large segments, for IPv4. */
static void setup(void)
{
	ToeNopConfig config = world_default_config();
	struct world *w;

	config.max_segment = 65535;
	t = talk_new_config(&config, 4 << 20);
	w = t->w;
	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET6, W6, 64),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET6, W6, 64, NULL,
					    0), TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET6, NO6, 0, P6,
					    0), TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_neigh_add(w->n, TOE_AF_INET6, P6, PEER_MAC),
			  TOE_ST_OK);
	world_advance(w, 10 * SEC);
	world_forget(w);
}

static void teardown(void)
{
	talk_drop(t);
}

/* The next segment, its checksum summed by hand; *len: of its payload. */
static const uint8_t *hear(uint8_t flags, size_t *len)
{
	ToeWireIpv6 ip = world6_expect(t->w, 6);
	uint32_t sum = 6 + (uint32_t)ip.len;
	size_t i, hlen;

	for (i = 8; i < 40; i += 2)
		sum += toe_get16(ip.header + i);
	for (i = 0; i < ip.len; i++)
		sum += i & 1 ? ip.payload[i] : ip.payload[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	ck_assert_uint_eq(sum, 0xffff);
	ck_assert_mem_eq(ip.src, W6, 16);
	ck_assert_mem_eq(ip.dst, FAR6, 16);
	ck_assert_uint_eq(toe_get16(ip.payload), lport);
	ck_assert_uint_eq(toe_get16(ip.payload + 2), 443);
	ck_assert_uint_eq(ip.payload[13] & ~PSH, flags);
	hlen = (ip.payload[12] >> 4) * 4u;
	*len = ip.len - hlen;
	return ip.payload;
}

static void say(uint8_t flags, uint32_t seq, uint32_t ack, const void *opts,
		size_t olen)
{
	uint8_t s[60] = { 0 };
	size_t len = 20 + olen;

	toe_put16(s, 443);
	toe_put16(s + 2, lport);
	toe_put32(s + 4, 7000 + seq);
	toe_put32(s + 8, flags & ACK ? iss + ack : 0);
	s[12] = (uint8_t)(len / 4 << 4);
	s[13] = flags;
	toe_put16(s + 14, 65535);
	if (olen)
		memcpy(s + 20, opts, olen);
	toe_csum_store(s + 16, toe_csum(s, len, toe_csum_pseudo(TOE_AF_INET6,
								FAR6, W6, 6,
								len)));
	world6_in(t->w, FAR6, W6, 6, 64, s, len);
	world_run(t->w);
}

static const uint8_t *connect_with(uint8_t flags)
{
	ToeTuple q = { .family = TOE_AF_INET6, .rport = 443 };
	const uint8_t *s;
	size_t len;

	memcpy(q.raddr, FAR6, 16);
	ck_assert_uint_eq(toe_stream_connect(t->w->n, &q, &h), TOE_ST_OK);
	ck_assert_mem_eq(q.laddr, W6, 16);
	t->h = h;
	lport = q.lport;
	world_run(t->w);
	s = hear(flags, &len);
	iss = toe_get32(s + 4);
	return s;
}

static const uint8_t *connect_syn(void)
{
	return connect_with(SYN);
}

static void open_it(void)
{
	size_t len;

	connect_syn();
	say(SYN | ACK, 0, 1, "\2\4\5\xa0", 4);	/* MSS 1440 */
	hear(ACK, &len);
	EVENTS(t, "E");
}

static void too_big(uint32_t mtu, uint32_t seq)
{
	uint8_t q[60] = { 0 };

	toe_wire_ipv6_build(q, 0, 0, 1460, 6, 60, W6, FAR6);
	toe_put16(q + 40, lport);
	toe_put16(q + 42, 443);
	toe_put32(q + 44, iss + seq);
	world6_in_icmp(t->w, P6, W6, 64, 2, 0, mtu, q, sizeof(q));
	world_run(t->w);
}

START_TEST(test_mss)
{
	const uint8_t *s = connect_syn();

	ck_assert_uint_eq(s[20], 2);
	ck_assert_uint_eq(s[21], 4);
	ck_assert_uint_eq(toe_get16(s + 22), 1440);
}
END_TEST

/* No IPv6 packet above the MTU, whatever IPv4's max_segment is. */
START_TEST(test_segments)
{
	size_t len;

	open_it();
	talk_send(t, 0, 3000);
	world_run(t->w);
	hear(ACK, &len);
	ck_assert_uint_eq(len, 1440);
	hear(ACK, &len);
	ck_assert_uint_eq(len, 1440);
}
END_TEST

START_TEST(test_path_mtu)
{
	size_t len;

	open_it();
	talk_send(t, 0, 2880);
	world_run(t->w);
	hear(ACK, &len);
	hear(ACK, &len);
	world_expect_silence(t->w);
	too_big(1279, 1);			/* RFC 8201: never */
	too_big(1400, 2881);			/* RFC 5927: not in flight */
	too_big(1400, 0x80000000);
	too_big(9000, 1);			/* larger: a lie */
	world_expect_silence(t->w);
	too_big(1280, 1);
	hear(ACK, &len);			/* again, and smaller */
	ck_assert_uint_eq(len, 1220);
}
END_TEST

START_TEST(test_unreachable)
{
	uint8_t q[48];

	connect_syn();
	toe_wire_ipv6_build(q, 0, 0, 20, 6, 60, W6, FAR6);
	toe_put16(q + 40, lport);
	toe_put16(q + 42, 443);
	toe_put32(q + 44, iss + 9);
	world6_in_icmp(t->w, P6, W6, 64, 1, 4, 0, q, 48);
	EVENTS(t, "");				/* not our sequence number */
	toe_put32(q + 44, iss);
	world6_in_icmp(t->w, P6, W6, 64, 1, 4, 0, q, 48);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_REFUSED);
}
END_TEST

START_TEST(test_bad_checksum)
{
	uint8_t s[20] = { 0 };

	open_it();
	toe_put16(s, 443);
	toe_put16(s + 2, lport);
	s[12] = 5 << 4;
	s[13] = RST | ACK;
	world6_in(t->w, FAR6, W6, 6, 64, s, 20);
	ck_assert_uint_eq(COUNTER(t, TCP_BAD_CHECKSUM), 1);
	EVENTS(t, "");
}
END_TEST

/* A listener for any address is its family's alone. */
START_TEST(test_listener)
{
	ToeTuple q = { .family = TOE_AF_INET6, .lport = 443 };
	uint32_t l;
	size_t len;

	ck_assert_uint_eq(toe_stream_listen(t->w->n, &q, 4, &l), TOE_ST_OK);
	t->listener = l;
	t->lport = 443;
	SAY(t, .flags = SYN);			/* over IPv4 */
	ck_assert_uint_eq(world_sent_count(t->w), 0);
	ck_assert_uint_eq(world_os_count(t->w), 1);
	lport = 443;
	say(SYN, 0, 0, NULL, 0);
	iss = toe_get32(hear(SYN | ACK, &len) + 4);
	say(ACK, 1, 1, NULL, 0);
	EVENTS(t, "I");
	toe_stream_accepted(t->w->n, t->h);
}
END_TEST

/* The address goes: so does the connection, without a RST from it. */
START_TEST(test_address_gone)
{
	open_it();
	ck_assert_uint_eq(toe_nop_addr_del(t->w->n, TOE_AF_INET6, W6, 64),
			  TOE_ST_OK);
	world_run(t->w);
	world_expect_silence(t->w);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_ABORTED);
}
END_TEST

/* The traffic class of the packet with this segment. */
static unsigned class_of(const uint8_t *segment)
{
	return toe_get16(segment - 40) >> 4 & 0xff;
}

/* RFC 3168 over IPv6: its field is the traffic class's. */
START_TEST(test_ecn)
{
	uint8_t d[30] = { 0 };
	const uint8_t *s;
	size_t len;

	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_ECN,
					    TOE_ECN_MODE_ON), TOE_ST_OK);
	s = connect_with(SYN | ECE | CWR);
	ck_assert_uint_eq(class_of(s), 0);
	say(SYN | ACK | ECE, 0, 1, "\2\4\5\xa0", 4);
	ck_assert_uint_eq(class_of(hear(ACK, &len)), 0);
	EVENTS(t, "E");
	talk_send(t, 0, 100);
	world_run(t->w);
	ck_assert_uint_eq(class_of(hear(ACK, &len)), 2);
	ck_assert_uint_eq(len, 100);
	toe_put16(d, 443);
	toe_put16(d + 2, lport);
	toe_put32(d + 4, 7001);
	toe_put32(d + 8, iss + 1);
	d[12] = 5 << 4;
	d[13] = ACK;
	toe_put16(d + 14, 65535);
	toe_csum_store(d + 16, toe_csum(d, 30, toe_csum_pseudo(TOE_AF_INET6,
							       FAR6, W6, 6,
							       30)));
	t->w->tos = 3;
	world6_in(t->w, FAR6, W6, 6, 64, d, 30);
	t->w->tos = 0;
	world_run(t->w);
	s = hear(ACK | ECE, &len);
	ck_assert_uint_eq(toe_get32(s + 8), 7011);
	ck_assert_uint_eq(class_of(s), 0);
	say(ACK | ECE, 11, 101, NULL, 0);
	ck_assert_uint_eq(COUNTER(t, TCP_ECN_REDUCED), 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_v6");
	TCase *c = tcase_create("v6");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_mss);
	tcase_add_test(c, test_segments);
	tcase_add_test(c, test_path_mtu);
	tcase_add_test(c, test_unreachable);
	tcase_add_test(c, test_bad_checksum);
	tcase_add_test(c, test_listener);
	tcase_add_test(c, test_address_gone);
	tcase_add_test(c, test_ecn);
	suite_add_tcase(s, c);
	return talk_main(s);
}
