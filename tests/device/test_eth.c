// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_eth.c - frames: raw Ethernet of the kernel's context, ARP and ICMP echo
 * that the adapter answers itself, and which frame goes to whom.
 */
#include "libpeer.h"

#include <string.h>

static struct net n;
static struct hw_ctx k0;		/* the kernel's context */

static void filter(uint32_t f)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_PORT_SET };

	cmd.u.port_set.filter = f;
	hw_admin_ok(&n.hw, &cmd);
}

static void setup(void)
{
	net_open(&n, "contexts=16,connections=32,localmem=1M");
	hw_ctx_new(&n.hw, &k0, TOE_CTX_KERNEL, TOE_RIGHT_ETH |
		   TOE_RIGHT_PHYS);
	filter(TOE_FILTER_UP);
	/* Known, so that no ARP reply goes to the operating system too. */
	ck_assert_uint_eq(hw_neigh_add(&n.hw, PEER_IP, peer_mac), TOE_ST_OK);
	peer_none(&n.peer);
}

static void teardown(void)
{
	hw_ctx_free(&k0);
	net_close(&n);
}

/* The frame that the kernel's context gets next; its length. */
static uint32_t to_os(uint8_t *buf, uint32_t len)
{
	struct toe_hw_cqe e;

	hw_cq_expect(&k0, TOE_EV_ETH_RECV, &e);
	ck_assert_uint_eq(e.handle, 0);
	ck_assert_uint_eq(e.cookie, 0);
	return hw_recv_take(&k0, &e, buf, len);
}

static void expect_to_os(const void *frame, uint32_t len)
{
	uint8_t buf[HW_LARGE];

	ck_assert_uint_eq(to_os(buf, sizeof(buf)), len);
	ck_assert_mem_eq(buf, frame, len);
}

static uint8_t eth_send(struct hw_ctx *c, uint32_t len)
{
	struct toe_hw_req r;

	hw_send_req(c, &r, 0, 0, len);
	r.opcode = TOE_OP_ETH_SEND;
	return hw_req_wait(c, &r, NULL);
}

START_TEST(send)
{
	uint8_t f[1514];
	struct pkt k;
	uint32_t len;

	pattern_fill(f, 1, 0, sizeof(f));
	peer_eth(f, peer_mac, dut_mac, 0x88b5);
	hw_mem_write(&n.hw, &k0.mem, k0.data, f, sizeof(f));
	for (len = 60; len <= sizeof(f); len += 727) {
		ck_assert_uint_eq(eth_send(&k0, len), TOE_ST_OK);
		peer_recv(&n.peer, &k);
		ck_assert_uint_eq(k.frame_len, len);
		ck_assert_mem_eq(k.frame, f, len);
	}
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_ETH_FROM_OS), 3);
}
END_TEST

START_TEST(send_pieces_and_phys)
{
	struct toe_hw_req r;
	struct pkt k;
	uint8_t f[300];
	uint64_t at = hw_alloc(&n.hw, 4096);

	pattern_fill(f, 2, 0, sizeof(f));
	peer_eth(f, bcast_mac, dut_mac, 0x88b5);
	hw_mem_write(&n.hw, &k0.mem, k0.data, f, 14);
	qt_write(n.hw.qt, at + 3, f + 14, 100);
	hw_mem_write(&n.hw, &k0.mem, k0.data + 4000, f + 114, 186);
	hw_send_req(&k0, &r, 0, 0, 14);
	r.opcode = TOE_OP_ETH_SEND;
	r.npieces = 3;
	r.u.piece[1].key = TOE_KEY_PHYS;
	r.u.piece[1].offset = at + 3;
	r.u.piece[1].length = 100;
	r.u.piece[2].key = k0.mem.key;
	r.u.piece[2].offset = k0.data + 4000;
	r.u.piece[2].length = 186;
	ck_assert_uint_eq(hw_req_wait(&k0, &r, NULL), TOE_ST_OK);
	peer_recv(&n.peer, &k);
	ck_assert_uint_eq(k.frame_len, sizeof(f));
	ck_assert_mem_eq(k.frame, f, sizeof(f));
	/* A bus address at which nothing answers. */
	r.cookie = 0;
	r.u.piece[1].offset = 0xd0000000;
	ck_assert_uint_eq(hw_req_wait(&k0, &r, NULL), TOE_ST_DMA);
	r.cookie = 0;
	r.u.piece[1].offset = ~0ull - 10;
	ck_assert_uint_ne(hw_req_wait(&k0, &r, NULL), TOE_ST_OK);
	peer_none(&n.peer);
}
END_TEST

START_TEST(send_bad)
{
	struct toe_hw_req r;

	ck_assert_uint_eq(eth_send(&k0, 13), TOE_ST_INVALID);
	ck_assert_uint_eq(eth_send(&k0, 1519), TOE_ST_TOOBIG);
	ck_assert_uint_eq(eth_send(&k0, 65536), TOE_ST_TOOBIG);
	/* An ordinary application may not. */
	ck_assert_uint_eq(eth_send(&n.ctx, 60), TOE_ST_PERM);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_VIOL_PERM), 1);
	hw_send_req(&k0, &r, 5, 0, 60);
	r.opcode = TOE_OP_ETH_SEND;
	ck_assert_uint_eq(hw_req_wait(&k0, &r, NULL), TOE_ST_INVALID);
	peer_none(&n.peer);
}
END_TEST

START_TEST(receive)
{
	uint8_t f[1514];

	pattern_fill(f, 3, 0, sizeof(f));
	peer_eth(f, dut_mac, peer_mac, 0x88b5);
	peer_send(&n.peer, f, 60);
	expect_to_os(f, 60);
	peer_send(&n.peer, f, HW_SMALL);
	expect_to_os(f, HW_SMALL);
	peer_send(&n.peer, f, HW_SMALL + 1);
	expect_to_os(f, HW_SMALL + 1);
	peer_send(&n.peer, f, sizeof(f));
	expect_to_os(f, sizeof(f));
	memcpy(f, bcast_mac, 6);
	peer_send(&n.peer, f, 100);
	expect_to_os(f, 100);
	hw_cq_none(&k0);
}
END_TEST

START_TEST(filters)
{
	static const uint8_t other[6] = { 2, 9, 9, 9, 9, 9 };
	static const uint8_t mcast[6] = { 1, 0, 0x5e, 1, 2, 3 };
	uint8_t f[100];

	pattern_fill(f, 3, 0, sizeof(f));
	peer_eth(f, other, peer_mac, 0x88b5);
	peer_send(&n.peer, f, sizeof(f));
	peer_flush(&n.peer);
	hw_cq_none(&k0);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_ETH_NOT_OURS), 1);
	filter(TOE_FILTER_UP | TOE_FILTER_PROMISC);
	peer_send(&n.peer, f, sizeof(f));
	expect_to_os(f, sizeof(f));
	filter(TOE_FILTER_UP);
	memcpy(f, mcast, 6);
	peer_send(&n.peer, f, sizeof(f));
	peer_flush(&n.peer);
	hw_cq_none(&k0);
	filter(TOE_FILTER_UP | TOE_FILTER_ALLMULTI);
	peer_send(&n.peer, f, sizeof(f));
	expect_to_os(f, sizeof(f));
	/* Interface down: nothing comes. */
	filter(0);
	memcpy(f, dut_mac, 6);
	peer_send(&n.peer, f, sizeof(f));
	peer_flush(&n.peer);
	hw_cq_none(&k0);
}
END_TEST

/* No buffer, no completion entry: dropped, counted, and it goes on. */
START_TEST(receive_overrun)
{
	uint8_t f[60];
	struct toe_hw_cqe e;
	unsigned i, got = 0;

	pattern_fill(f, 3, 0, sizeof(f));
	peer_eth(f, dut_mac, peer_mac, 0x88b5);
	for (i = 0; i < 50; i++) {
		f[20] = (uint8_t)i;
		peer_send(&n.peer, f, sizeof(f));
	}
	peer_flush(&n.peer);
	while (hw_cq_poll(&k0, &e)) {
		ck_assert_uint_eq(e.type, TOE_EV_ETH_RECV);
		hw_recv_take(&k0, &e, f, sizeof(f));
		ck_assert_uint_eq(f[20], got);
		got++;
	}
	/* The completion queue has 16 entries. */
	ck_assert_uint_eq(got, 16);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_ETH_OS_DROPS), 50 - got);
	f[20] = 77;
	peer_send(&n.peer, f, sizeof(f));
	expect_to_os(f, sizeof(f));
}
END_TEST

START_TEST(short_frames)
{
	uint8_t f[60];
	unsigned len;

	peer_eth(f, dut_mac, peer_mac, 0x0800);
	for (len = 1; len < 14; len++)
		peer_send(&n.peer, f, len);
	peer_flush(&n.peer);
	hw_cq_none(&k0);
	qt_alive(n.hw.qt);
}
END_TEST

/* ---- ARP ---- */

static void expect_arp_reply(uint32_t ip)
{
	struct pkt k;

	peer_recv(&n.peer, &k);
	ck_assert_uint_eq(k.ethertype, 0x0806);
	ck_assert_mem_eq(k.frame, peer_mac, 6);
	ck_assert_uint_eq(get16(k.data + 6), 2);
	ck_assert_mem_eq(k.data + 8, dut_mac, 6);
	ck_assert_uint_eq(get32(k.data + 14), ip);
	ck_assert_mem_eq(k.data + 18, peer_mac, 6);
	ck_assert_uint_eq(get32(k.data + 24), PEER_IP);
}

START_TEST(arp_answered)
{
	peer_arp(&n.peer, 1, bcast_mac, PEER_IP, NULL, DUT_IP);
	expect_arp_reply(DUT_IP);
	/* Not for an address that is not the port's. */
	peer_arp(&n.peer, 1, bcast_mac, PEER_IP, NULL, DUT_IP + 5);
	peer_none(&n.peer);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_ARP_REPLIES_OUT), 1);
	ck_assert_uint_eq(hw_addr_add(&n.hw, DUT_IP + 5, 24), TOE_ST_OK);
	peer_arp(&n.peer, 1, bcast_mac, PEER_IP, NULL, DUT_IP + 5);
	expect_arp_reply(DUT_IP + 5);
}
END_TEST

START_TEST(arp_reply_goes_to_os_too)
{
	uint8_t buf[100];

	peer_arp(&n.peer, 2, dut_mac, PEER_IP, dut_mac, DUT_IP);
	ck_assert_uint_ge(to_os(buf, sizeof(buf)), 42);
	ck_assert_uint_eq(get16(buf + 12), 0x0806);
}
END_TEST

/* Nobody answers: three requests, a second apart, then the connect fails. */
START_TEST(arp_fails)
{
	struct toe_hw_req r;
	struct toe_hw_cqe e;
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_NEIGH_DEL };
	unsigned i;

	cmd.u.neigh.family = TOE_AF_INET;
	hw_put_ipv4(cmd.u.neigh.addr, PEER_IP);
	hw_admin_ok(&n.hw, &cmd);
	n.peer.answer_arp = false;
	hw_connect_req(&r, PEER_IP, 80, 0, 0);
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_OK);
	for (i = 0; i < 200; i++) {
		struct pkt k;

		qt_clock_step(n.hw.qt, 1000000000);
		while (peer_poll(&n.peer, &k))
			ck_abort_msg("a frame to an unknown neighbour");
		if (hw_cq_poll(&n.ctx, &e))
			break;
	}
	ck_assert_uint_eq(e.type, TOE_EV_CLOSED);
	ck_assert(e.status == TOE_ST_UNREACH || e.status == TOE_ST_TIMEDOUT);
	ck_assert_uint_ge(n.peer.arp_asked, 3);
	ck_assert_uint_ge(hw_counter(&n.hw, TOE_CTR_ARP_FAILED), 1);
}
END_TEST

START_TEST(bad_arp)
{
	uint8_t f[60] = { 0 };
	unsigned i;

	/* Each byte of the fixed part wrong in turn; all lengths. */
	for (i = 0; i < 8; i++) {
		peer_eth(f, dut_mac, peer_mac, 0x0806);
		memcpy(f + 14, "\0\1\x08\0\6\4\0\1", 8);
		memcpy(f + 22, peer_mac, 6);
		put32(f + 28, PEER_IP);
		put32(f + 38, DUT_IP);
		f[14 + i] ^= 0x55;
		peer_send(&n.peer, f, sizeof(f));
	}
	f[14 + 7] ^= 0x55;
	for (i = 14; i < 42; i++)
		peer_send(&n.peer, f, i);
	peer_none(&n.peer);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_ARP_REPLIES_OUT), 0);
}
END_TEST

/* ---- ICMP and IP ---- */

static size_t echo(uint8_t *f, uint32_t len)
{
	static uint8_t m[2000];

	pattern_fill(m, 6, 0, len);
	m[0] = 8;
	m[1] = 0;
	put16(m + 2, 0);
	put16(m + 2, peer_checksum(m, len, 0));
	return peer_ipv4(f, PEER_IP, DUT_IP, 1, m, len);
}

START_TEST(echo_answered)
{
	static const uint32_t lens[] = { 8, 9, 64, 65, 1480 };
	uint8_t f[2100];
	struct pkt k;
	unsigned i;

	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		size_t len = echo(f, lens[i]);

		peer_send(&n.peer, f, len);
		peer_recv(&n.peer, &k);
		ck_assert_uint_eq(k.proto, 1);
		ck_assert_uint_eq(k.src, DUT_IP);
		ck_assert_uint_eq(k.dst, PEER_IP);
		ck_assert_uint_eq(k.len, lens[i]);
		ck_assert_uint_eq(k.data[0], 0);
		if (lens[i] > 4)
			ck_assert_mem_eq(k.data + 4, f + 38, lens[i] - 4);
	}
	hw_cq_none(&k0);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_ICMP_ECHO_REPLIES), 5);
}
END_TEST

START_TEST(bad_packets)
{
	uint8_t f[2100];
	size_t len = echo(f, 64);
	uint64_t bad;

	f[40] ^= 1;				/* ICMP checksum */
	peer_send(&n.peer, f, len);
	len = echo(f, 64);
	f[24] ^= 1;				/* IP checksum */
	peer_send(&n.peer, f, len);
	len = echo(f, 64);
	f[14] = 0x44;				/* header of 16 bytes */
	peer_send(&n.peer, f, len);
	len = echo(f, 64);
	put16(f + 16, 2000);			/* longer than the frame */
	peer_send(&n.peer, f, len);
	len = echo(f, 64);
	f[14] = 0x65;				/* version 6 */
	peer_send(&n.peer, f, len);
	for (len = 14; len < 34; len++)		/* cut off */
		peer_send(&n.peer, f, len);
	peer_none(&n.peer);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_ICMP_ECHO_REPLIES), 0);
	bad = hw_counter(&n.hw, TOE_CTR_IP_BAD_HEADER) +
	      hw_counter(&n.hw, TOE_CTR_IP_BAD_CHECKSUM) +
	      hw_counter(&n.hw, TOE_CTR_ICMP_BAD) +
	      hw_counter(&n.hw, TOE_CTR_ETH_BAD);
	ck_assert_uint_ge(bad, 4);
	ck_assert_uint_ge(hw_counter(&n.hw, TOE_CTR_IP_BAD_CHECKSUM), 1);
}
END_TEST

START_TEST(unknown_tcp)
{
	struct tcp t;
	struct pkt k;
	uint8_t buf[200];
	uint32_t len;

	/* Up: it is the operating system's. */
	tcp_init(&t, &n.peer, 1234, 4321);
	tcp_send(&t, TH_SYN, NULL, 0);
	len = to_os(buf, sizeof(buf));
	ck_assert_uint_ge(len, 54);
	ck_assert_uint_eq(get16(buf + 36), 4321);
	peer_none(&n.peer);
	/* Down: refused. */
	filter(0);
	tcp_send(&t, TH_SYN, NULL, 0);
	peer_recv(&n.peer, &k);
	ck_assert_uint_eq(k.proto, 6);
	ck_assert_uint_eq(k.flags, TH_RST | TH_ACK);
	ck_assert_uint_eq(k.ack, t.snd_nxt);
	/* Never RST for an RST. */
	tcp_send(&t, TH_RST | TH_ACK, NULL, 0);
	peer_none(&n.peer);
}
END_TEST

START_TEST(unknown_udp)
{
	uint8_t f[100], udp[20] = { 0, 9, 0, 7, 0, 20, 0, 0 };
	struct pkt k;
	size_t len = peer_ipv4(f, PEER_IP, DUT_IP, 17, udp, sizeof(udp));

	peer_send(&n.peer, f, len);
	expect_to_os(f, (uint32_t)len);
	filter(0);
	peer_send(&n.peer, f, len);
	peer_recv(&n.peer, &k);
	ck_assert_uint_eq(k.proto, 1);
	ck_assert_uint_eq(k.data[0], 3);	/* unreachable */
	ck_assert_uint_eq(k.data[1], 3);	/* port */
	/* It quotes the packet. */
	ck_assert_mem_eq(k.data + 8 + 12, f + 26, 8);
	/* Not for broadcasts. */
	memcpy(f, bcast_mac, 6);
	peer_send(&n.peer, f, len);
	peer_none(&n.peer);
}
END_TEST

/* UDP's fragments go to the operating system, an echo's are put together. */
START_TEST(fragments)
{
	static const struct {
		uint8_t proto;
		uint32_t off, len;
		uint16_t more;
	} c[] = {
		{ 132, 0, 800, 0x2000 },
		{ 1, 800, 200, 0 },
		{ 1, 0, 800, 0x2000 },
	};
	uint8_t f[2100], whole[2100];
	struct pkt k;
	unsigned i;

	echo(whole, 1000);
	for (i = 0; i < 3; i++) {
		size_t len = peer_ipv4(f, PEER_IP, DUT_IP, c[i].proto,
				       whole + 34 + c[i].off, c[i].len);

		put16(f + 18, 77);		/* identification */
		put16(f + 20, c[i].more | c[i].off / 8);
		put16(f + 24, 0);
		put16(f + 24, peer_checksum(f + 14, 20, 0));
		peer_send(&n.peer, f, len);
		if (c[i].proto == 132)
			expect_to_os(f, (uint32_t)len);
		else if (c[i].off)
			peer_none(&n.peer);
	}
	peer_recv(&n.peer, &k);
	ck_assert_uint_eq(k.proto, 1);
	ck_assert_uint_eq(k.len, 1000);
	ck_assert_uint_eq(k.data[0], 0);
	ck_assert_mem_eq(k.data + 8, whole + 42, 992);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_IP_REASSEMBLED), 1);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_IP_REASM_NOW), 0);
}
END_TEST

/* The socket behind the port is full for a while: no frame is lost. */
START_TEST(port_busy)
{
	struct toe_hw_req r;
	struct toe_hw_cqe e;
	uint8_t f[60];
	struct pkt k;
	unsigned i, sent = 0, done = 0, got = 0;

	for (i = 0; i < 60; i++) {
		pattern_fill(f, i, 0, sizeof(f));
		peer_eth(f, peer_mac, dut_mac, 0x88b5);
		f[14] = (uint8_t)i;
		hw_mem_write(&n.hw, &k0.mem, k0.data + 60 * i, f, sizeof(f));
	}
	/* The peer does not take frames while the ring is filled. */
	for (; sent < 16; sent++) {
		hw_send_req(&k0, &r, 0, 60 * sent, 60);
		r.opcode = TOE_OP_ETH_SEND;
		hw_req(&k0, &r);
	}
	qt_settle(n.hw.qt);
	while (got < 60) {
		if (peer_poll(&n.peer, &k)) {
			ck_assert_uint_eq(k.frame_len, 60);
			ck_assert_uint_eq(k.data[0], got);
			got++;
		}
		if (hw_cq_poll(&k0, &e)) {
			ck_assert_uint_eq(e.status, TOE_ST_OK);
			done++;
			if (sent < 60) {
				hw_send_req(&k0, &r, 0, 60 * sent, 60);
				r.opcode = TOE_OP_ETH_SEND;
				hw_req(&k0, &r);
				sent++;
			}
		}
	}
	while (done < 60) {
		hw_cq_expect(&k0, TOE_EV_COMPLETION, &e);
		done++;
	}
	peer_none(&n.peer);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("eth");
	TCase *tc = qt_case(s, "raw", setup, teardown);

	tcase_add_test(tc, send);
	tcase_add_test(tc, send_pieces_and_phys);
	tcase_add_test(tc, send_bad);
	tcase_add_test(tc, receive);
	tcase_add_test(tc, filters);
	tcase_add_test(tc, receive_overrun);
	tcase_add_test(tc, short_frames);
	tcase_add_test(tc, port_busy);
	tc = qt_case(s, "arp", setup, teardown);
	tcase_add_test(tc, arp_answered);
	tcase_add_test(tc, arp_reply_goes_to_os_too);
	tcase_add_test(tc, arp_fails);
	tcase_add_test(tc, bad_arp);
	tc = qt_case(s, "ip", setup, teardown);
	tcase_add_test(tc, echo_answered);
	tcase_add_test(tc, bad_packets);
	tcase_add_test(tc, unknown_tcp);
	tcase_add_test(tc, unknown_udp);
	tcase_add_test(tc, fragments);
	return qt_main(s);
}
