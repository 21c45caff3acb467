/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_vlan.c - frames with an 802.1Q tag: one that gives a priority alone is
 * looked at as if it had none; one of a VLAN is the operating system's, which
 * gets it as it came.
 */
#include <stdlib.h>
#include "common_nop6.h"
#include "fake_tcp.h"

static struct world *w;

static void setup(void)
{
	w = world6_new();
	world_know_peer(w);
	world6_know_peer(w);
	fake_tcp_clear();
	fake_tcp.takes = true;
}

static void teardown(void)
{
	world_free(w);
}

/* Put a tag into a frame of so many bytes, behind the addresses. */
static size_t tag(uint8_t *f, size_t len, uint16_t type, uint16_t tci)
{
	memmove(f + 16, f + 12, len - 12);
	toe_put16(f + 12, type);
	toe_put16(f + 14, tci);
	return len + 4;
}

static void expect_os(const uint8_t *f, size_t len)
{
	size_t got;
	const uint8_t *p = world_os(w, &got);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(got, len);
	ck_assert_mem_eq(p, f, len);
}

/* By hand: priority 5, VLAN 0; 10.0.2.2:80 -> 10.0.2.15:16384, SYN. */
static const uint8_t by_hand[] = {
	0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02,
	0x81, 0x00, 0xa0, 0x00, 0x08, 0x00,
	0x45, 0x00, 0x00, 0x28, 0x00, 0x01, 0x40, 0x00, 0x40, 0x06, 0x22, 0xbf,
	0x0a, 0x00, 0x02, 0x02, 0x0a, 0x00, 0x02, 0x0f,
	0x00, 0x50, 0x40, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
	0x50, 0x02, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
	0xee, 0xee,
};

START_TEST(priority)
{
	world_in(w, by_hand, sizeof(by_hand));
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_BAD_CHECKSUM), 0);
	ck_assert_uint_eq(fake_tcp.inputs, 1);
	ck_assert_uint_eq(fake_tcp.packet.len, 20);	/* no padding */
	ck_assert_mem_eq(fake_tcp.payload, by_hand + 38, 20);
	ck_assert_uint_eq(world_os_count(w), 0);
	/* What TCP does not want reaches the system with its tag. */
	fake_tcp.takes = false;
	world_in(w, by_hand, sizeof(by_hand));
	expect_os(by_hand, sizeof(by_hand));
}
END_TEST

START_TEST(priority_ipv6_and_arp)
{
	uint8_t f[128] = { 0 }, seg[20] = { [12] = 0x50 };
	size_t len = world6_make(f, P6, W6, TOE_PROTO_TCP, 64, seg, 20);
	ToeWireArp a;

	world_in(w, f, tag(f, len, 0x8100, 0xe000));
	ck_assert_uint_eq(fake_tcp.inputs, 1);
	ck_assert_uint_eq(fake_tcp.packet.family, TOE_AF_INET6);
	toe_wire_eth_build(f, BROADCAST_MAC, PEER_MAC, TOE_ETHERTYPE_ARP);
	toe_wire_arp_build(f + 14, TOE_ARP_REQUEST, PEER_MAC, PEER_IP,
			   ZERO_MAC, WORLD_IP);
	world_in(w, f, tag(f, 60, 0x8100, 0));
	a = world_expect_arp(w, TOE_ARP_REPLY);	/* without a tag */
	ck_assert_mem_eq(a.tpa, PEER_IP, 4);
}
END_TEST

/* Fragments are kept with their tags, and come out with them. */
START_TEST(priority_fragments)
{
	uint8_t f[2][200];
	size_t len[2];
	int i, round;

	for (round = 0; round < 2; round++) {
		fake_tcp.takes = !round;
		for (i = 0; i < 2; i++) {
			memset(f[i], i, sizeof(f[i]));
			toe_wire_eth_build(f[i], WORLD_MAC, PEER_MAC,
					   TOE_ETHERTYPE_IPV4);
			toe_wire_ipv4_build(f[i] + 14, 0, 60, 7, false, 64,
					    TOE_PROTO_TCP, PEER_IP, WORLD_IP);
			toe_put16(f[i] + 20, i ? 5 : 0x2000);
			toe_put16(f[i] + 24, 0);
			toe_csum_store(f[i] + 24, toe_csum(f[i] + 14, 20, 0));
			len[i] = tag(f[i], 74, 0x8100, 0x2000);
			world_in(w, f[i], len[i]);
		}
		ck_assert_uint_eq(fake_tcp.inputs, round + 1);
		ck_assert_uint_eq(fake_tcp.packet.len, 80);
		if (round) {
			expect_os(f[0], len[0]);
			expect_os(f[1], len[1]);
		}
	}
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_REASSEMBLED), 2);
}
END_TEST

START_TEST(vlan)
{
	static const struct {
		uint16_t type, tci;
	} c[] = {
		{ 0x8100, 1 }, { 0x8100, 5 }, { 0x8100, 0xefff },
		{ 0x88a8, 0 }, { 0x88a8, 5 }, { 0x9100, 0 },
	};
	uint8_t f[128];
	size_t len;

	memcpy(f, by_hand, sizeof(by_hand));
	toe_put16(f + 12, c[_i].type);
	toe_put16(f + 14, c[_i].tci);
	world_in(w, f, sizeof(by_hand));
	expect_os(f, sizeof(by_hand));
	/* Who asks for us in a VLAN is not answered here, nor learnt. */
	toe_wire_eth_build(f, BROADCAST_MAC, OTHER_MAC, TOE_ETHERTYPE_ARP);
	toe_wire_arp_build(f + 14, TOE_ARP_REQUEST, OTHER_MAC, PEER_IP,
			   ZERO_MAC, WORLD_IP);
	len = tag(f, 60, c[_i].type, c[_i].tci);
	world_in(w, f, len);
	expect_os(f, len);
	world_expect_silence(w);
	ck_assert_uint_eq(fake_tcp.inputs, 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_IN), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_IN), 0);
}
END_TEST

/* Two tags of priority: only one is looked through. Cut ones. */
START_TEST(odd)
{
	uint8_t f[128];
	size_t len;

	memcpy(f, by_hand, sizeof(by_hand));
	len = tag(f, sizeof(by_hand), 0x8100, 0);
	world_in(w, f, len);
	expect_os(f, len);
	for (len = 14; len < sizeof(by_hand) - 2; len++) {
		uint8_t *cut = g_memdup2(by_hand, len);

		world_in(w, cut, len);
		g_free(cut);
		world_forget(w);
	}
	ck_assert_uint_eq(fake_tcp.inputs, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vlan");
	TCase *c = tcase_create("vlan");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, priority);
	tcase_add_test(c, priority_ipv6_and_arp);
	tcase_add_test(c, priority_fragments);
	tcase_add_loop_test(c, vlan, 0, 6);
	tcase_add_test(c, odd);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
