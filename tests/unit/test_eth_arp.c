/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_eth_arp.c - Ethernet and ARP, frame by frame: which frames are whose,
 * how neighbours are resolved, confirmed, given up and evicted, and what
 * happens while the port is busy.
 */
#include <stdlib.h>
#include "fake_tcp.h"

static struct world *w;

static void setup(void)
{
	w = world_new();
	fake_tcp_clear();
}

static void teardown(void)
{
	world_free(w);
}

/* A packet of the adapter's to dst; its payload begins with mark. */
static uint8_t send_ip_len(const uint8_t *dst, uint8_t mark, size_t len)
{
	uint8_t *p = toe_ip_tx_buffer(w->n);

	memset(p, 0, len);
	p[0] = mark;
	return toe_ip_output(w->n, TOE_AF_INET, WORLD_IP, dst, 200, 64, 0, len,
			     TOE_IP_DF);
}

static uint8_t send_ip(const uint8_t *dst, uint8_t mark)
{
	return send_ip_len(dst, mark, 100);
}

static void expect_ip_to(const uint8_t *mac, uint8_t mark)
{
	ToeWireIpv4 ip = world_expect_ip(w, 200);

	ck_assert_mem_eq(ip.header - TOE_ETH_HLEN, mac, 6);
	ck_assert_uint_eq(ip.payload[0], mark);
}

/* A broadcast question for addr. */
static void expect_question(const uint8_t *addr)
{
	ToeWireArp a = world_expect_arp(w, TOE_ARP_REQUEST);

	ck_assert_mem_eq(w->last.data, BROADCAST_MAC, 6);
	ck_assert_mem_eq(a.spa, WORLD_IP, 4);
	ck_assert_mem_eq(a.tha, ZERO_MAC, 6);
	ck_assert_mem_eq(a.tpa, addr, 4);
}

static void answer(const uint8_t *mac, const uint8_t *addr)
{
	world_in_arp(w, WORLD_MAC, TOE_ARP_REPLY, mac, addr, WORLD_MAC,
		     WORLD_IP);
}

/* ---- Ethernet ---- */

static void eth_in(const uint8_t *dst, const uint8_t *src, uint16_t type)
{
	uint8_t f[60] = { 0 };

	toe_wire_eth_build(f, dst, src, type);
	world_in(w, f, sizeof(f));
}

static void set_filter(uint32_t filter, uint64_t hash)
{
	ck_assert_uint_eq(toe_nop_port_set(w->n, 0, NULL, filter, hash),
			  TOE_ST_OK);
}

START_TEST(test_eth_malformed)
{
	const uint8_t group[6] = { 0x01, 0, 0x5e, 0, 0, 1 };
	uint8_t f[TOE_ETH_FRAME_MAX + 1] = { 0 };
	size_t len;

	toe_wire_eth_build(f, WORLD_MAC, PEER_MAC, 0x88b5);
	for (len = 0; len < TOE_ETH_HLEN; len++)
		world_in(w, f, len);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ETH_BAD), 14);
	world_in(w, f, sizeof(f));
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ETH_BAD), 15);
	eth_in(WORLD_MAC, group, 0x88b5);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ETH_BAD), 16);
	ck_assert_uint_eq(world_os_count(w), 0);
	world_in(w, f, sizeof(f) - 1);
	ck_assert_uint_eq(world_os_count(w), 1);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_PORT_FRAMES_IN), 17);
}
END_TEST

START_TEST(test_eth_filter)
{
	const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x01 };

	eth_in(WORLD_MAC, PEER_MAC, 0x88b5);
	eth_in(BROADCAST_MAC, PEER_MAC, 0x88b5);
	ck_assert_uint_eq(world_os_count(w), 2);
	eth_in(group, PEER_MAC, 0x88b5);
	eth_in(OTHER_MAC, PEER_MAC, 0x88b5);
	ck_assert_uint_eq(world_os_count(w), 2);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ETH_NOT_OURS), 1);

	set_filter(TOE_FILTER_UP | TOE_FILTER_ALLMULTI, 0);
	eth_in(group, PEER_MAC, 0x88b5);
	eth_in(OTHER_MAC, PEER_MAC, 0x88b5);
	ck_assert_uint_eq(world_os_count(w), 3);

	set_filter(TOE_FILTER_UP | TOE_FILTER_PROMISC, 0);
	eth_in(group, PEER_MAC, 0x88b5);
	eth_in(OTHER_MAC, PEER_MAC, 0x88b5);
	ck_assert_uint_eq(world_os_count(w), 5);

	set_filter(TOE_FILTER_PROMISC | TOE_FILTER_ALLMULTI, ~0ULL);
	eth_in(WORLD_MAC, PEER_MAC, 0x88b5);
	eth_in(group, PEER_MAC, 0x88b5);
	ck_assert_uint_eq(world_os_count(w), 5);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ETH_TO_OS), 5);
}
END_TEST

START_TEST(test_eth_mcast_hash)
{
	/*
	 * CRC-32 (as zlib.crc32 computes it) of 01:00:5e:00:00:fb is
	 * 0x7b232103, of 33:33:00:00:00:01 it is 0xa2aa2660.
	 */
	const uint8_t mdns[6] = { 0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb };
	const uint8_t nodes[6] = { 0x33, 0x33, 0x00, 0x00, 0x00, 0x01 };

	set_filter(TOE_FILTER_UP, 1ULL << (0x7b232103u >> 26));
	eth_in(mdns, PEER_MAC, 0x88b5);
	ck_assert_uint_eq(world_os_count(w), 1);
	eth_in(nodes, PEER_MAC, 0x88b5);
	ck_assert_uint_eq(world_os_count(w), 1);
	set_filter(TOE_FILTER_UP, 1ULL << (0xa2aa2660u >> 26));
	eth_in(mdns, PEER_MAC, 0x88b5);
	ck_assert_uint_eq(world_os_count(w), 1);
	eth_in(nodes, PEER_MAC, 0x88b5);
	ck_assert_uint_eq(world_os_count(w), 2);
}
END_TEST

/* The operating system gets the very bytes. */
START_TEST(test_eth_os_bytes)
{
	uint8_t f[100];
	const uint8_t *got;
	size_t len, i;

	for (i = 0; i < sizeof(f); i++)
		f[i] = i * 7;
	toe_wire_eth_build(f, WORLD_MAC, PEER_MAC, 0x8100);
	world_in(w, f, sizeof(f));
	got = world_os(w, &len);
	ck_assert_ptr_nonnull(got);
	ck_assert_uint_eq(len, sizeof(f));
	ck_assert_mem_eq(got, f, len);
}
END_TEST

START_TEST(test_eth_from_os)
{
	uint8_t f[100] = { 0 };
	const uint8_t *got;
	size_t len;

	toe_wire_eth_build(f, PEER_MAC, WORLD_MAC, 0x0800);
	f[20] = 99;
	ck_assert(toe_nop_eth_send(w->n, f, 42));
	got = world_sent(w, &len);
	ck_assert_uint_eq(len, TOE_ETH_MIN);	/* padded with zeros */
	ck_assert_mem_eq(got, f, TOE_ETH_MIN);
	ck_assert(toe_nop_eth_send(w->n, f, 100));
	got = world_sent(w, &len);
	ck_assert_uint_eq(len, 100);
	ck_assert_mem_eq(got, f, 100);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ETH_FROM_OS), 2);
	/* Refused, not stuck. */
	ck_assert(toe_nop_eth_send(w->n, f, 13));
	world_expect_silence(w);
	ck_assert_uint_eq(w->guest_errors, 1);
}
END_TEST

START_TEST(test_eth_no_link)
{
	uint8_t f[60] = { 0 };

	world_know_peer(w);
	toe_nop_link(w->n, false);
	ck_assert(toe_nop_eth_send(w->n, f, sizeof(f)));
	ck_assert_uint_eq(send_ip(PEER_IP, 1), TOE_ST_LINKDOWN);
	world_expect_silence(w);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_PORT_OUT_DROPS), 2);
}
END_TEST

/* An echo of our own frame is nothing to learn from or to answer. */
START_TEST(test_eth_own_echo)
{
	world_in_arp(w, BROADCAST_MAC, TOE_ARP_REQUEST, WORLD_MAC, WORLD_IP,
		     ZERO_MAC, WORLD_IP);
	world_expect_silence(w);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_CONFLICTS), 0);
}
END_TEST

/* ---- The port is busy ---- */

START_TEST(test_busy_os)
{
	uint8_t f[60] = { 0 };

	w->port_room = 1;
	ck_assert(toe_nop_eth_send(w->n, f, sizeof(f)));
	ck_assert(!toe_nop_eth_send(w->n, f, sizeof(f)));
	ck_assert_uint_eq(world_sent_count(w), 1);
	w->port_room = UINT32_MAX;
	toe_nop_port_busy(w->n, false);
	ck_assert(toe_nop_eth_send(w->n, f, sizeof(f)));
	ck_assert_uint_eq(world_sent_count(w), 2);
}
END_TEST

/* What cannot wait is kept, in order, and goes first. */
START_TEST(test_busy_deferred)
{
	unsigned i;

	world_know_peer(w);
	toe_nop_port_busy(w->n, true);
	for (i = 0; i < TOE_DEFER_FRAMES_MAX; i++)
		ck_assert_uint_eq(send_ip(PEER_IP, i), TOE_ST_OK);
	ck_assert_uint_eq(send_ip(PEER_IP, 0), TOE_ST_BUSY);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_PORT_OUT_DROPS), 1);
	ck_assert(!toe_nop_run(w->n, 1 << 20));
	world_expect_silence(w);
	ck_assert_uint_eq(fake_tcp.runs, 0);

	/* The port takes three, then is busy again. */
	w->port_room = 3;
	toe_nop_port_busy(w->n, false);
	ck_assert(!toe_nop_run(w->n, 1 << 20));
	ck_assert_uint_eq(world_sent_count(w), 3);
	ck_assert_uint_eq(fake_tcp.runs, 0);

	/* The budget ends a turn: 134 bytes each. */
	w->port_room = UINT32_MAX;
	toe_nop_port_busy(w->n, false);
	ck_assert(toe_nop_run(w->n, 134));
	ck_assert_uint_eq(world_sent_count(w), 4);
	ck_assert(!toe_nop_run(w->n, 1 << 20));
	for (i = 0; i < TOE_DEFER_FRAMES_MAX; i++)
		expect_ip_to(PEER_MAC, i);
	world_expect_silence(w);
	ck_assert_uint_eq(fake_tcp.runs, 1);
	ck_assert_uint_eq(w->n->defer_bytes, 0);
}
END_TEST

/* Ready again, but a turn has not come yet: nothing overtakes. */
START_TEST(test_busy_order)
{
	world_know_peer(w);
	toe_nop_port_busy(w->n, true);
	send_ip(PEER_IP, 1);
	toe_nop_port_busy(w->n, false);
	send_ip(PEER_IP, 2);
	world_run(w);
	expect_ip_to(PEER_MAC, 1);
	expect_ip_to(PEER_MAC, 2);
}
END_TEST

START_TEST(test_busy_bytes)
{
	ToeNopConfig c = world_default_config();
	unsigned i;

	world_free(w);
	c.max_segment = 65535;
	w = world_new_config(&c, 1 << 20, NULL);
	world_know_peer(w);
	toe_nop_port_busy(w->n, true);
	for (i = 0; send_ip_len(PEER_IP, i, 65515) == TOE_ST_OK; i++)
		ck_assert_uint_lt(i, 17);
	ck_assert_uint_eq(i, 15);	/* of 64 KiB and a header in 1 MiB */
	toe_nop_link(w->n, false);	/* forgets them */
	ck_assert_uint_eq(w->n->defer_frames, 0);
	ck_assert_uint_eq(w->n->defer_bytes, 0);
}
END_TEST

/* ---- ARP, written by hand ---- */

START_TEST(test_arp_request_for_us)
{
	static const uint8_t in[60] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff,	/* to everybody */
		0x52, 0x55, 0x0a, 0x00, 0x02, 0x02,
		0x08, 0x06,
		0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,
		0x52, 0x55, 0x0a, 0x00, 0x02, 0x02, 10, 0, 2, 2,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 10, 0, 2, 15,
	};
	static const uint8_t out[60] = {
		0x52, 0x55, 0x0a, 0x00, 0x02, 0x02,
		0x52, 0x54, 0x00, 0x12, 0x34, 0x56,
		0x08, 0x06,
		0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x02,
		0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 10, 0, 2, 15,
		0x52, 0x55, 0x0a, 0x00, 0x02, 0x02, 10, 0, 2, 2,
	};
	const uint8_t *f;
	size_t len;

	world_in(w, in, sizeof(in));
	f = world_sent(w, &len);
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(len, sizeof(out));
	ck_assert_mem_eq(f, out, len);
	world_expect_silence(w);
	ck_assert_uint_eq(world_os_count(w), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_REPLIES_OUT), 1);
	/* And the asker is known now. */
	ck_assert_uint_eq(send_ip(PEER_IP, 7), TOE_ST_OK);
	expect_ip_to(PEER_MAC, 7);
}
END_TEST

START_TEST(test_arp_request_for_other)
{
	world_in_arp(w, BROADCAST_MAC, TOE_ARP_REQUEST, PEER_MAC, PEER_IP,
		     ZERO_MAC, IP(10, 0, 2, 99));
	world_expect_silence(w);
	ck_assert_uint_eq(world_os_count(w), 1);
	/* Not learnt: it has to be asked. */
	send_ip(PEER_IP, 1);
	expect_question(PEER_IP);
}
END_TEST

/* RFC 5227: somebody asks whether the address is free. It is not. */
START_TEST(test_arp_probe)
{
	ToeWireArp a;

	world_in_arp(w, BROADCAST_MAC, TOE_ARP_REQUEST, OTHER_MAC,
		     IP(0, 0, 0, 0), ZERO_MAC, WORLD_IP);
	a = world_expect_arp(w, TOE_ARP_REPLY);
	ck_assert_mem_eq(a.spa, WORLD_IP, 4);
	ck_assert_mem_eq(a.tha, OTHER_MAC, 6);
	ck_assert_mem_eq(a.tpa, IP(0, 0, 0, 0), 4);
	ck_assert_uint_eq(world_os_count(w), 0);
}
END_TEST

START_TEST(test_arp_conflict)
{
	int i;

	for (i = 0; i < 3; i++)
		world_in_arp(w, BROADCAST_MAC, TOE_ARP_REQUEST, OTHER_MAC,
			     WORLD_IP, ZERO_MAC, WORLD_IP);
	expect_question(WORLD_IP);	/* one announcement, sender = target */
	world_expect_silence(w);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_CONFLICTS), 3);
	ck_assert_uint_eq(world_os_count(w), 3);
	world_advance(w, 10 * SEC);
	answer(OTHER_MAC, WORLD_IP);
	expect_question(WORLD_IP);
	world_expect_silence(w);
}
END_TEST

START_TEST(test_arp_malformed)
{
	const uint8_t group[6] = { 0x01, 0, 0, 0, 0, 1 };
	uint8_t f[TOE_ETH_HLEN + TOE_ARP_LEN] = { 0 };
	size_t len;

	toe_wire_eth_build(f, BROADCAST_MAC, PEER_MAC, TOE_ETHERTYPE_ARP);
	toe_wire_arp_build(f + TOE_ETH_HLEN, TOE_ARP_REQUEST, PEER_MAC,
			   PEER_IP, ZERO_MAC, WORLD_IP);
	for (len = TOE_ETH_HLEN; len < sizeof(f); len++)
		world_in(w, f, len);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_BAD), TOE_ARP_LEN);
	/* A sender that is nobody, a strange operation. */
	memcpy(f + 22, group, 6);
	world_in(w, f, sizeof(f));
	memcpy(f + 22, ZERO_MAC, 6);
	world_in(w, f, sizeof(f));
	memcpy(f + 22, PEER_MAC, 6);
	memcpy(f + 28, IP(255, 255, 255, 255), 4);
	world_in(w, f, sizeof(f));
	memcpy(f + 28, PEER_IP, 4);
	f[21] = 3;
	world_in(w, f, sizeof(f));
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_BAD), TOE_ARP_LEN + 4);
	ck_assert_uint_eq(world_os_count(w), 0);
	world_expect_silence(w);
	/* Another hardware type is none of our business. */
	f[21] = 1;
	f[15] = 6;
	world_in(w, f, sizeof(f));
	ck_assert_uint_eq(world_os_count(w), 1);
	world_expect_silence(w);
}
END_TEST

/* ---- Resolution ---- */

START_TEST(test_resolve)
{
	ck_assert_uint_eq(send_ip(FAR_IP, 1), TOE_ST_OK);
	ck_assert_uint_eq(send_ip(PEER_IP, 2), TOE_ST_OK);
	expect_question(PEER_IP);	/* the gateway, once for both */
	world_expect_silence(w);
	answer(PEER_MAC, PEER_IP);
	expect_ip_to(PEER_MAC, 1);
	expect_ip_to(PEER_MAC, 2);
	world_expect_silence(w);
	/* An answer to us may be one for the operating system as well. */
	ck_assert_uint_eq(world_os_count(w), 1);
	ck_assert_uint_eq(send_ip(FAR_IP, 3), TOE_ST_OK);
	expect_ip_to(PEER_MAC, 3);
	world_advance(w, 5 * SEC);
	world_expect_silence(w);	/* no timer is left over */
	ck_assert(toe_nop_deadline(w->n) == INT64_MAX);
}
END_TEST

START_TEST(test_resolve_retries)
{
	send_ip(PEER_IP, 1);
	expect_question(PEER_IP);
	world_advance(w, SEC - 1);
	world_expect_silence(w);
	world_advance(w, 1);
	expect_question(PEER_IP);
	world_advance(w, SEC);
	expect_question(PEER_IP);
	world_advance(w, SEC - 1);
	answer(PEER_MAC, PEER_IP);	/* in the last moment */
	expect_ip_to(PEER_MAC, 1);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_FAILED), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_REQUESTS_OUT), 3);
}
END_TEST

START_TEST(test_resolve_failure)
{
	send_ip(PEER_IP, 1);
	world_advance(w, 3 * SEC);
	ck_assert_uint_eq(world_sent_count(w), 3);
	world_forget(w);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_FAILED), 1);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_QUEUE_DROPS), 1);
	ck_assert_uint_eq(send_ip(FAR_IP, 2), TOE_ST_UNREACH);
	world_expect_silence(w);
	/* After a while it is asked anew. */
	world_advance(w, 5 * SEC);
	ck_assert_uint_eq(send_ip(FAR_IP, 3), TOE_ST_OK);
	expect_question(PEER_IP);
	answer(PEER_MAC, PEER_IP);
	expect_ip_to(PEER_MAC, 3);
}
END_TEST

/* It failed, and then it shows up by itself. */
START_TEST(test_resolve_comes_back)
{
	send_ip(PEER_IP, 1);
	world_advance(w, 3 * SEC);
	world_forget(w);
	world_in_arp(w, BROADCAST_MAC, TOE_ARP_REQUEST, PEER_MAC, PEER_IP,
		     ZERO_MAC, PEER_IP);
	ck_assert_uint_eq(send_ip(PEER_IP, 2), TOE_ST_OK);
	expect_ip_to(PEER_MAC, 2);
	world_advance(w, 20 * SEC);
	ck_assert_uint_eq(send_ip(PEER_IP, 3), TOE_ST_OK);
	expect_ip_to(PEER_MAC, 3);
}
END_TEST

START_TEST(test_pending_limit)
{
	int i;

	for (i = 0; i < 20; i++)
		ck_assert_uint_eq(send_ip(PEER_IP, i), TOE_ST_OK);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_QUEUE_DROPS), 4);
	world_forget(w);
	answer(PEER_MAC, PEER_IP);
	for (i = 4; i < 20; i++)	/* the newest were kept */
		expect_ip_to(PEER_MAC, i);
	world_expect_silence(w);
}
END_TEST

START_TEST(test_pending_bytes)
{
	ToeNopConfig c = world_default_config();
	uint8_t st = TOE_ST_OK;
	unsigned i;

	world_free(w);
	c.max_segment = 65535;
	w = world_new_config(&c, 1 << 20, NULL);
	for (i = 0; i < 40 && st == TOE_ST_OK; i++)
		st = send_ip_len(IP(10, 0, 2, 100 + i / 4), i, 65515);
	ck_assert_uint_eq(st, TOE_ST_NOMEM);
	ck_assert_uint_eq(i, 16);	/* 15 in 1 MiB */
	/* The memory comes back. */
	world_advance(w, 10 * SEC);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_QUEUE_DROPS), 16);
	ck_assert_uint_eq(send_ip_len(PEER_IP, 1, 65515), TOE_ST_OK);
}
END_TEST

START_TEST(test_update)
{
	send_ip(PEER_IP, 1);
	answer(PEER_MAC, PEER_IP);
	world_forget(w);
	/* It moved, and says so in a broadcast about itself. */
	world_in_arp(w, BROADCAST_MAC, TOE_ARP_REPLY, OTHER_MAC, PEER_IP,
		     BROADCAST_MAC, PEER_IP);
	send_ip(PEER_IP, 2);
	expect_ip_to(OTHER_MAC, 2);
}
END_TEST

START_TEST(test_not_on_link)
{
	/* It asks for us, but from an address that cannot be here. */
	world_in_arp(w, BROADCAST_MAC, TOE_ARP_REQUEST, OTHER_MAC, FAR_IP,
		     ZERO_MAC, WORLD_IP);
	world_expect_arp(w, TOE_ARP_REPLY);
	send_ip(FAR_IP, 1);
	expect_question(PEER_IP);
	/* Nor was it remembered for the day when it is on link. */
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET, FAR_IP, 32,
					    IP(0, 0, 0, 0), 0), TOE_ST_OK);
	send_ip(FAR_IP, 2);
	expect_question(FAR_IP);
}
END_TEST

/* ---- Growing old ---- */

static void expect_unicast_question(const uint8_t *mac, const uint8_t *addr)
{
	ToeWireArp a = world_expect_arp(w, TOE_ARP_REQUEST);

	ck_assert_mem_eq(w->last.data, mac, 6);
	ck_assert_mem_eq(a.tpa, addr, 4);
}

START_TEST(test_probe_confirms)
{
	send_ip(PEER_IP, 1);
	answer(PEER_MAC, PEER_IP);
	world_forget(w);
	world_advance(w, 60 * SEC);
	world_expect_silence(w);	/* nobody uses it */
	send_ip(PEER_IP, 2);
	expect_unicast_question(PEER_MAC, PEER_IP);
	expect_ip_to(PEER_MAC, 2);	/* in use meanwhile */
	answer(PEER_MAC, PEER_IP);
	world_advance(w, 10 * SEC);
	send_ip(PEER_IP, 3);
	expect_ip_to(PEER_MAC, 3);
	world_expect_silence(w);
}
END_TEST

/* A transport without an answer doubts the hop, not the far end. */
START_TEST(test_suspect)
{
	send_ip(PEER_IP, 1);
	answer(PEER_MAC, PEER_IP);
	world_forget(w);
	toe_route_suspect(w->n, TOE_AF_INET, FAR_IP);
	world_advance(w, SEC);
	world_expect_silence(w);	/* until it is used */
	send_ip(FAR_IP, 2);
	expect_unicast_question(PEER_MAC, PEER_IP);
	expect_ip_to(PEER_MAC, 2);
	answer(OTHER_MAC, PEER_IP);	/* another gateway has its address */
	send_ip(FAR_IP, 3);
	expect_ip_to(OTHER_MAC, 3);
	world_expect_silence(w);
}
END_TEST

START_TEST(test_probe_fails)
{
	send_ip(PEER_IP, 1);
	answer(PEER_MAC, PEER_IP);
	world_forget(w);
	world_advance(w, 60 * SEC);
	send_ip(PEER_IP, 2);
	expect_unicast_question(PEER_MAC, PEER_IP);
	expect_ip_to(PEER_MAC, 2);
	world_advance(w, 2 * SEC);
	expect_unicast_question(PEER_MAC, PEER_IP);
	expect_unicast_question(PEER_MAC, PEER_IP);
	world_advance(w, SEC);
	expect_question(PEER_IP);	/* now everybody is asked */
	send_ip(PEER_IP, 3);		/* and this waits */
	world_expect_silence(w);
	answer(OTHER_MAC, PEER_IP);
	expect_ip_to(OTHER_MAC, 3);
}
END_TEST

/* ---- The host's entries ---- */

START_TEST(test_host_entry)
{
	world_know_peer(w);
	send_ip(PEER_IP, 1);
	expect_ip_to(PEER_MAC, 1);
	/* What others say does not change it. */
	world_in_arp(w, BROADCAST_MAC, TOE_ARP_REQUEST, OTHER_MAC, PEER_IP,
		     ZERO_MAC, WORLD_IP);
	world_expect_arp(w, TOE_ARP_REPLY);
	send_ip(PEER_IP, 2);
	expect_ip_to(PEER_MAC, 2);
	/* Silence does not hurt. */
	world_advance(w, 60 * SEC);
	send_ip(PEER_IP, 3);
	world_advance(w, 4 * SEC);
	world_forget(w);
	send_ip(PEER_IP, 4);
	expect_ip_to(PEER_MAC, 4);
	world_advance(w, 10 * SEC);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_FAILED), 0);
	send_ip(PEER_IP, 5);
	world_forget(w);
	/* But an answer to our own question does change it. */
	world_advance(w, 60 * SEC);
	send_ip(PEER_IP, 6);
	expect_unicast_question(PEER_MAC, PEER_IP);
	expect_ip_to(PEER_MAC, 6);
	answer(OTHER_MAC, PEER_IP);
	send_ip(PEER_IP, 7);
	expect_ip_to(OTHER_MAC, 7);
	/* And the host can take it back. */
	ck_assert_uint_eq(toe_nop_neigh_del(w->n, TOE_AF_INET, PEER_IP),
			  TOE_ST_OK);
	send_ip(PEER_IP, 8);
	expect_question(PEER_IP);
}
END_TEST

START_TEST(test_host_resolves)
{
	send_ip(PEER_IP, 1);
	send_ip(PEER_IP, 2);
	expect_question(PEER_IP);
	world_know_peer(w);
	world_expect_silence(w);	/* nothing from within the call */
	ck_assert_uint_eq(send_ip(PEER_IP, 3), TOE_ST_OK);
	world_run(w);
	expect_ip_to(PEER_MAC, 1);
	expect_ip_to(PEER_MAC, 2);
	expect_ip_to(PEER_MAC, 3);
	world_expect_silence(w);
}
END_TEST

START_TEST(test_host_entry_bad)
{
	const uint8_t *const a[] = { IP(224, 0, 0, 1), IP(10, 0, 2, 255),
				     WORLD_IP, IP(0, 0, 0, 0) };
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(a); i++)
		ck_assert_uint_eq(toe_nop_neigh_add(w->n, TOE_AF_INET, a[i],
						    PEER_MAC),
				  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_neigh_add(w->n, TOE_AF_INET, PEER_IP,
					    BROADCAST_MAC), TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_neigh_add(w->n, TOE_AF_INET, PEER_IP,
					    ZERO_MAC), TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_neigh_add(w->n, TOE_AF_INET6,
					    IP(0, 0, 0, 0), PEER_MAC),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(w->guest_errors, 7);
	ck_assert_uint_eq(toe_nop_neigh_del(w->n, TOE_AF_INET,
					    IP(10, 0, 2, 77)), TOE_ST_OK);
}
END_TEST

/* ---- Bounds ---- */

/* A flood of invented neighbours does not evict the one in use. */
START_TEST(test_flood)
{
	unsigned i;

	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET, IP(10, 0, 2, 15),
					   8), TOE_ST_OK);
	send_ip(PEER_IP, 1);
	answer(PEER_MAC, PEER_IP);
	world_forget(w);
	for (i = 0; i < 3 * TOE_NEIGHS_MAX; i++) {
		world_in_arp(w, BROADCAST_MAC, TOE_ARP_REQUEST, OTHER_MAC,
			     IP(10, 7, i >> 8, i), ZERO_MAC, WORLD_IP);
		world_expect_arp(w, TOE_ARP_REPLY);
	}
	send_ip(PEER_IP, 2);
	expect_ip_to(PEER_MAC, 2);
	/* The table is full, and still there is room for a new one. */
	ck_assert_uint_eq(send_ip(IP(10, 8, 0, 1), 3), TOE_ST_OK);
	expect_question(IP(10, 8, 0, 1));
	answer(OTHER_MAC, IP(10, 8, 0, 1));
	expect_ip_to(OTHER_MAC, 3);
	send_ip(PEER_IP, 4);
	expect_ip_to(PEER_MAC, 4);
}
END_TEST

/* The adapter itself asks for more than the table holds. */
START_TEST(test_scan)
{
	unsigned i;

	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET, IP(10, 0, 2, 15),
					   8), TOE_ST_OK);
	world_run(w);
	world_forget(w);
	for (i = 0; i < 2 * TOE_NEIGHS_MAX; i++) {
		ck_assert_uint_eq(send_ip(IP(10, 7, i >> 8, 1 + i % 250), 1),
				  TOE_ST_OK);
		world_forget(w);
	}
	world_advance(w, 20 * SEC);
	world_forget(w);
	ck_assert(toe_nop_deadline(w->n) == INT64_MAX);
	send_ip(PEER_IP, 2);
	expect_question(PEER_IP);
	answer(PEER_MAC, PEER_IP);
	expect_ip_to(PEER_MAC, 2);
}
END_TEST

/* The one in use stays, however many others the adapter asks for. */
START_TEST(test_scan_beside_use)
{
	unsigned i;

	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET, IP(10, 0, 2, 15),
					   8), TOE_ST_OK);
	send_ip(PEER_IP, 1);
	answer(PEER_MAC, PEER_IP);
	for (i = 0; i < 3 * TOE_NEIGHS_MAX; i++) {
		send_ip(IP(10, 7, i >> 8, i), 1);
		world_forget(w);
		if (i % 500 == 0) {
			send_ip(PEER_IP, 2);
			expect_ip_to(PEER_MAC, 2);
		}
	}
}
END_TEST

/* What the host takes back does not count against its limit. */
START_TEST(test_host_reuse)
{
	unsigned i;

	for (i = 0; i < 2 * TOE_NEIGHS_MAX; i++) {
		const uint8_t *a = IP(10, 7, i >> 8, i);

		ck_assert_uint_eq(toe_nop_neigh_add(w->n, TOE_AF_INET, a,
						    OTHER_MAC), TOE_ST_OK);
		ck_assert_uint_eq(toe_nop_neigh_add(w->n, TOE_AF_INET, a,
						    PEER_MAC), TOE_ST_OK);
		ck_assert_uint_eq(toe_nop_neigh_del(w->n, TOE_AF_INET, a),
				  TOE_ST_OK);
	}
}
END_TEST

START_TEST(test_host_limit)
{
	unsigned i;
	uint8_t st = TOE_ST_OK;

	for (i = 0; st == TOE_ST_OK && i < TOE_NEIGHS_MAX; i++)
		st = toe_nop_neigh_add(w->n, TOE_AF_INET,
				       IP(10, 7, i >> 8, i), OTHER_MAC);
	ck_assert_uint_eq(st, TOE_ST_NOMEM);
	ck_assert_uint_gt(i, 512);
	send_ip(PEER_IP, 2);
	expect_question(PEER_IP);
	answer(PEER_MAC, PEER_IP);
	expect_ip_to(PEER_MAC, 2);
}
END_TEST

/* ---- Announcements ---- */

START_TEST(test_announce_addr)
{
	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET, IP(10, 0, 2, 16),
					   24), TOE_ST_OK);
	world_expect_silence(w);
	world_run(w);
	{
		ToeWireArp a = world_expect_arp(w, TOE_ARP_REQUEST);

		ck_assert_mem_eq(w->last.data, BROADCAST_MAC, 6);
		ck_assert_mem_eq(a.spa, IP(10, 0, 2, 16), 4);
		ck_assert_mem_eq(a.tpa, IP(10, 0, 2, 16), 4);
	}
	world_expect_silence(w);
	world_advance(w, 2 * SEC);
	world_expect_arp(w, TOE_ARP_REQUEST);
	world_expect_silence(w);
	world_advance(w, 60 * SEC);
	world_expect_silence(w);
}
END_TEST

START_TEST(test_announce_link)
{
	toe_nop_link(w->n, false);
	toe_nop_addr_add(w->n, TOE_AF_INET, IP(10, 0, 2, 16), 24);
	world_advance(w, 10 * SEC);
	world_expect_silence(w);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_REQUESTS_OUT), 0);
	toe_nop_link(w->n, true);
	world_run(w);
	ck_assert_uint_eq(world_sent_count(w), 2);
	world_advance(w, 10 * SEC);
	ck_assert_uint_eq(world_sent_count(w), 4);
}
END_TEST

START_TEST(test_announce_mac)
{
	ck_assert_uint_eq(toe_nop_port_set(w->n, 0, OTHER_MAC, TOE_FILTER_UP,
					   0), TOE_ST_OK);
	world_run(w);
	ck_assert_mem_eq(world_expect_arp(w, TOE_ARP_REQUEST).sha, OTHER_MAC,
			 6);
	eth_in(WORLD_MAC, PEER_MAC, 0x88b5);
	ck_assert_uint_eq(world_os_count(w), 0);
	eth_in(OTHER_MAC, PEER_MAC, 0x88b5);
	ck_assert_uint_eq(world_os_count(w), 1);
}
END_TEST

START_TEST(test_reset)
{
	send_ip(PEER_IP, 1);
	toe_nop_port_set(w->n, 9000, OTHER_MAC, TOE_FILTER_UP, 1);
	world_forget(w);
	toe_nop_reset(w->n);
	world_advance(w, 100 * SEC);
	world_expect_silence(w);
	ck_assert_uint_eq(fake_tcp.resets, 1);
	ck_assert_mem_eq(w->n->mac, WORLD_MAC, 6);
	ck_assert_uint_eq(w->n->mtu, 1500);
	ck_assert_uint_eq(send_ip(PEER_IP, 1), TOE_ST_NOROUTE);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_NO_ROUTE), 1);
	eth_in(WORLD_MAC, PEER_MAC, 0x88b5);
	ck_assert_uint_eq(world_os_count(w), 0);
	world_in_arp(w, BROADCAST_MAC, TOE_ARP_REQUEST, PEER_MAC, PEER_IP,
		     ZERO_MAC, WORLD_IP);
	world_expect_silence(w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("eth_arp");
	TCase *e = tcase_create("eth"), *a = tcase_create("arp");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(e, setup, teardown);
	tcase_add_test(e, test_eth_malformed);
	tcase_add_test(e, test_eth_filter);
	tcase_add_test(e, test_eth_mcast_hash);
	tcase_add_test(e, test_eth_os_bytes);
	tcase_add_test(e, test_eth_from_os);
	tcase_add_test(e, test_eth_no_link);
	tcase_add_test(e, test_eth_own_echo);
	tcase_add_test(e, test_busy_os);
	tcase_add_test(e, test_busy_deferred);
	tcase_add_test(e, test_busy_order);
	tcase_add_test(e, test_busy_bytes);
	tcase_add_checked_fixture(a, setup, teardown);
	tcase_add_test(a, test_arp_request_for_us);
	tcase_add_test(a, test_arp_request_for_other);
	tcase_add_test(a, test_arp_probe);
	tcase_add_test(a, test_arp_conflict);
	tcase_add_test(a, test_arp_malformed);
	tcase_add_test(a, test_resolve);
	tcase_add_test(a, test_resolve_retries);
	tcase_add_test(a, test_resolve_failure);
	tcase_add_test(a, test_resolve_comes_back);
	tcase_add_test(a, test_pending_limit);
	tcase_add_test(a, test_pending_bytes);
	tcase_add_test(a, test_update);
	tcase_add_test(a, test_not_on_link);
	tcase_add_test(a, test_probe_confirms);
	tcase_add_test(a, test_suspect);
	tcase_add_test(a, test_probe_fails);
	tcase_add_test(a, test_host_entry);
	tcase_add_test(a, test_host_resolves);
	tcase_add_test(a, test_host_entry_bad);
	tcase_add_test(a, test_flood);
	tcase_add_test(a, test_scan);
	tcase_add_test(a, test_scan_beside_use);
	tcase_add_test(a, test_host_reuse);
	tcase_add_test(a, test_host_limit);
	tcase_add_test(a, test_announce_addr);
	tcase_add_test(a, test_announce_link);
	tcase_add_test(a, test_announce_mac);
	tcase_add_test(a, test_reset);
	suite_add_tcase(s, e);
	suite_add_tcase(s, a);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
