// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_tcp.c - TCP through the whole adapter: requests in guest memory on one
 * side, segments on the wire on the other, the clock in the test's hand.
 * (Each rule of TCP by itself is the unit tests' business.)
 */
#include "libpeer.h"

#include <stdlib.h>
#include <string.h>

static struct net n;
static struct tcp t;

static void setup(void)
{
	net_open(&n, "contexts=16,connections=64,localmem=4M");
}

static void teardown(void)
{
	net_close(&n);
}

static void expect_event(uint8_t type, uint32_t handle, uint8_t status)
{
	struct toe_hw_cqe e;

	hw_cq_expect(&n.ctx, type, &e);
	ck_assert_uint_eq(e.handle, handle);
	ck_assert_uint_eq(e.status, status);
}

/* All NCBs, orphans and buflets are back, after whatever TIME-WAIT there is. */
static void expect_all_back(void)
{
	qt_clock_step(n.hw.qt, 300ll * 1000000000);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_NCBS), 0);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_ORPHANS), 0);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_TIME_WAIT), 0);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_LMEM_BUFLETS_FREE),
			  hw_counter(&n.hw, TOE_CTR_LMEM_BUFLETS));
}

/* ---- Opening ---- */

START_TEST(connect_syn)
{
	struct toe_hw_req r;
	struct toe_hw_cqe e;
	struct pkt k;

	tcp_init(&t, &n.peer, 80, 0);
	hw_connect_req(&r, PEER_IP, 80, 2000, 0);
	r.cookie = 0xfeedfacecafef00dull;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, &e), TOE_ST_OK);
	ck_assert_uint_ne(e.handle, 0);
	tcp_expect(&t, TH_SYN, 0, &k);
	ck_assert_uint_eq(n.peer.arp_asked, 1);
	ck_assert_mem_eq(k.frame, peer_mac, 6);
	ck_assert_mem_eq(k.frame + 6, dut_mac, 6);
	ck_assert_uint_eq(k.sport, 2000);
	ck_assert_uint_eq(k.mss, 1460);
	ck_assert_int_ge(k.wscale, 0);
	ck_assert_uint_gt(k.ttl, 32);
	hw_cq_none(&n.ctx);
	/* The SYN is sent again after a second or so, and unchanged. */
	qt_clock_step(n.hw.qt, 1500000000ll);
	t.rcv_nxt = 0;
	{
		struct pkt again;

		tcp_recv(&t, &again);
		ck_assert_uint_eq(again.flags, TH_SYN);
		ck_assert_uint_eq(again.seq, k.seq);
		t.rcv_nxt = again.seq + 1;
	}
	t.dport = 2000;
	tcp_send(&t, TH_SYN | TH_ACK, NULL, 0);
	tcp_expect(&t, TH_ACK, 0, NULL);
	hw_cq_expect(&n.ctx, TOE_EV_ESTABLISHED, &e);
	ck_assert_uint_eq(e.cookie, 0xfeedfacecafef00dull);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_ACTIVE_OPENS), 1);
}
END_TEST

START_TEST(refused)
{
	struct toe_hw_req r;
	struct toe_hw_cqe e;
	struct pkt k;

	tcp_init(&t, &n.peer, 80, 0);
	hw_connect_req(&r, PEER_IP, 80, 0, 0);
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, &e), TOE_ST_OK);
	tcp_expect(&t, TH_SYN, 0, &k);
	t.dport = k.sport;
	tcp_send(&t, TH_RST | TH_ACK, NULL, 0);
	expect_event(TOE_EV_CLOSED, e.handle, TOE_ST_REFUSED);
	/* The handle is dead. */
	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_CLOSE, e.handle),
			  TOE_ST_HANDLE);
	expect_all_back();
}
END_TEST

START_TEST(nobody_answers)
{
	struct toe_hw_req r;
	struct toe_hw_cqe e, done;
	unsigned i, syns = 0;
	struct pkt k;

	hw_connect_req(&r, PEER_IP, 80, 0, 0);
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, &e), TOE_ST_OK);
	for (i = 0; i < 300; i++) {
		qt_clock_step(n.hw.qt, 1000000000);
		while (peer_poll(&n.peer, &k))
			syns += k.proto == 6 && k.flags == TH_SYN;
		if (hw_cq_poll(&n.ctx, &done))
			break;
	}
	ck_assert_uint_eq(done.type, TOE_EV_CLOSED);
	ck_assert_uint_eq(done.status, TOE_ST_TIMEDOUT);
	ck_assert_uint_eq(done.handle, e.handle);
	ck_assert_uint_ge(syns, 3);		/* RFC 9293: backs off */
	ck_assert_uint_le(syns, 12);
	expect_all_back();
}
END_TEST

START_TEST(bad_connects)
{
	struct toe_hw_req r;
	struct toe_hw_cqe e;

#define TRY(status) do { \
	r.cookie = 0; \
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, &e), status); \
	hw_connect_req(&r, PEER_IP, 80, 0, 0); \
} while (0)
	hw_connect_req(&r, PEER_IP, 80, 0, 0);
	r.u.connect.rport = 0;
	TRY(TOE_ST_INVALID);
	r.u.connect.family = 7;
	TRY(TOE_ST_INVALID);
	r.u.connect.rsvd2 = 1;
	TRY(TOE_ST_INVALID);
	r.handle = 1;
	TRY(TOE_ST_INVALID);
	r.npieces = 1;
	TRY(TOE_ST_INVALID);
	r.flags = TOE_REQ_F_MORE;
	TRY(TOE_ST_INVALID);
	hw_put_ipv4(r.u.connect.laddr, 0x01020304);
	TRY(TOE_ST_ADDRNOTAVAIL);
	hw_put_ipv4(r.u.connect.raddr, 0xc0a80101);
	TRY(TOE_ST_NOROUTE);
	r.opcode = TOE_OP_RECV_INTO;
	TRY(TOE_ST_INVALID);
	peer_none(&n.peer);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_NCBS), 0);
}
END_TEST

START_TEST(low_ports_need_a_right)
{
	struct toe_hw_req r;
	struct hw_ctx c;

	hw_ctx_new(&n.hw, &c, 3, 0);
	hw_connect_req(&r, PEER_IP, 80, 1023, 0);
	ck_assert_uint_eq(hw_req_wait(&c, &r, NULL), TOE_ST_PERM);
	hw_listen_req(&r, 80, 1);
	ck_assert_uint_eq(hw_req_wait(&c, &r, NULL), TOE_ST_PERM);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_VIOL_PERM), 2);
	hw_listen_req(&r, 1024, 1);
	ck_assert_uint_eq(hw_req_wait(&c, &r, NULL), TOE_ST_OK);
	/* The context of this test has it; a port is one listener's. */
	net_listen(&n, 80, 1);
	hw_listen_req(&r, 80, 1);
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_ADDRINUSE);
	hw_ctx_free(&c);
}
END_TEST

START_TEST(quota)
{
	struct toe_hw_req r;
	struct hw_ctx c;
	struct toe_hw_adm_cmd cmd;
	unsigned i;

	ck_assert_uint_eq(hw_ctx_create(&n.hw, 3, 0, 1, 3), TOE_ST_OK);
	c = (struct hw_ctx) { .hw = &n.hw, .id = 3, .rq_log2 = 3, .cq_log2 = 3,
			      .bqs_log2 = 3, .bql_log2 = 3, .rq = 128,
			      .cq = 640, .bqs = 1152, .bql = 1280 };
	hw_region_new(&n.hw, &c.mem, 3, TOE_MEM_READ | TOE_MEM_WRITE, 4096);
	hw_ctx_queues_cmd(&c, &cmd);
	hw_admin_ok(&n.hw, &cmd);
	for (i = 0; i < 3; i++) {
		hw_listen_req(&r, (uint16_t)(3000 + i), 1);
		ck_assert_uint_eq(hw_req_wait(&c, &r, NULL), TOE_ST_OK);
	}
	hw_listen_req(&r, 3003, 1);
	ck_assert_uint_eq(hw_req_wait(&c, &r, NULL), TOE_ST_QUOTA);
	hw_ctx_free(&c);
}
END_TEST

START_TEST(ncbs_run_out)
{
	struct toe_hw_req r;
	uint8_t status = TOE_ST_OK;
	unsigned i;

	for (i = 0; i < 70 && status == TOE_ST_OK; i++) {
		hw_listen_req(&r, (uint16_t)(3000 + i), 1);
		status = hw_req_wait(&n.ctx, &r, NULL);
	}
	ck_assert_uint_eq(status, TOE_ST_NOMEM);
	ck_assert_uint_eq(i, 65);
	ck_assert_uint_eq(hw_ctx_destroy(&n.hw, 1, 0), TOE_ST_OK);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_NCBS), 0);
}
END_TEST

/* ---- Listening ---- */

START_TEST(listen_accept)
{
	uint32_t l = net_listen(&n, 5001, 8);
	uint32_t h = net_accept(&n, &t, l, 40000, 5001, 4096);
	struct toe_hw_cqe e;
	struct pkt k;
	char buf[8];

	ck_assert_uint_ne(h, l);
	tcp_send(&t, TH_ACK | TH_PSH, "ping", 4);
	hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
	ck_assert_uint_eq(e.handle, h);
	ck_assert_uint_eq(hw_recv_take(&n.ctx, &e, buf, sizeof(buf)), 4);
	ck_assert_uint_eq(hw_send(&n.ctx, h, "pong", 4), TOE_ST_OK);
	tcp_expect(&t, TH_ACK, 4, &k);
	ck_assert_mem_eq(k.data, "pong", 4);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_PASSIVE_OPENS), 1);
	/* A listener carries no data. */
	ck_assert_uint_eq(hw_send(&n.ctx, l, "x", 1), TOE_ST_STATE);
}
END_TEST

START_TEST(listen_any_port)
{
	struct toe_hw_req r;
	struct toe_hw_cqe e;

	hw_listen_req(&r, 0, 8);
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, &e), TOE_ST_OK);
	ck_assert_uint_ge(e.u.cpl.result, 1024);
	ck_assert_uint_le(e.u.cpl.result, 65535);
	net_accept(&n, &t, e.handle, 40000, (uint16_t)e.u.cpl.result, 0);
}
END_TEST

/* Bytes that come before ACCEPT wait, and are delivered after it. */
START_TEST(data_before_accept)
{
	struct toe_hw_req r = { .opcode = TOE_OP_ACCEPT };
	uint32_t l = net_listen(&n, 5001, 8);
	struct toe_hw_cqe e, a;
	char buf[16];

	tcp_init(&t, &n.peer, 40000, 5001);
	tcp_send(&t, TH_SYN, NULL, 0);
	tcp_expect(&t, TH_SYN | TH_ACK, 0, NULL);
	tcp_send(&t, TH_ACK, NULL, 0);
	hw_cq_expect(&n.ctx, TOE_EV_ACCEPT, &a);
	ck_assert_uint_eq(a.u.conn.listener, l);
	tcp_send(&t, TH_ACK | TH_PSH, "early", 5);
	tcp_send(&t, TH_FIN | TH_ACK, NULL, 0);
	peer_flush(&n.peer);
	hw_cq_none(&n.ctx);
	/* Only ACCEPT, CLOSE and ABORT can be asked for now. */
	ck_assert_uint_eq(hw_send(&n.ctx, a.handle, "x", 1), TOE_ST_STATE);
	r.handle = a.handle;
	r.u.credit.credit = 100;
	hw_req_wait(&n.ctx, &r, &e);
	ck_assert_uint_eq(e.status, TOE_ST_OK);
	hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
	ck_assert_uint_eq(hw_recv_take(&n.ctx, &e, buf, sizeof(buf)), 5);
	ck_assert_mem_eq(buf, "early", 5);
	expect_event(TOE_EV_PEER_CLOSED, a.handle, TOE_ST_OK);
}
END_TEST

START_TEST(died_before_accept)
{
	struct toe_hw_req r = { .opcode = TOE_OP_ACCEPT };
	struct toe_hw_cqe a;

	net_listen(&n, 5001, 8);
	tcp_init(&t, &n.peer, 40000, 5001);
	tcp_send(&t, TH_SYN, NULL, 0);
	tcp_expect(&t, TH_SYN | TH_ACK, 0, NULL);
	tcp_send(&t, TH_ACK, NULL, 0);
	hw_cq_expect(&n.ctx, TOE_EV_ACCEPT, &a);
	tcp_send(&t, TH_RST, NULL, 0);
	peer_flush(&n.peer);
	hw_cq_none(&n.ctx);
	r.handle = a.handle;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_RESET);
	r.cookie = 0;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_HANDLE);
}
END_TEST

START_TEST(backlog)
{
	uint32_t l = net_listen(&n, 5001, 1);
	struct toe_hw_cqe e;
	struct tcp c[3];
	unsigned i;

	for (i = 0; i < 2; i++) {
		tcp_init(&c[i], &n.peer, (uint16_t)(40000 + i), 5001);
		tcp_send(&c[i], TH_SYN, NULL, 0);
		tcp_expect(&c[i], TH_SYN | TH_ACK, 0, NULL);
		tcp_send(&c[i], TH_ACK, NULL, 0);
		hw_cq_expect(&n.ctx, TOE_EV_ACCEPT, &e);
	}
	tcp_init(&c[2], &n.peer, 40002, 5001);
	tcp_send(&c[2], TH_SYN, NULL, 0);
	peer_none(&n.peer);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_LISTEN_DROPS), 1);
	/* Closing the listener resets those that nobody took. */
	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_CLOSE, l), TOE_ST_OK);
	for (i = 0; i < 2; i++) {
		struct pkt k;

		peer_recv(&n.peer, &k);
		ck_assert(k.flags & TH_RST);
	}
	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_ABORT, e.handle),
			  TOE_ST_HANDLE);
	expect_all_back();
}
END_TEST

/* ---- Data ---- */

START_TEST(bulk_out)
{
	enum { LEN = 120000 };
	uint8_t *out = malloc(LEN), *in = malloc(LEN);
	uint32_t h = net_connect(&n, &t, 80, 0);
	struct toe_hw_req r;
	struct toe_hw_cqe e;

	pattern_fill(out, 9, 0, LEN);
	hw_mem_write(&n.hw, &n.ctx.mem, n.ctx.data, out, LEN);
	hw_send_req(&n.ctx, &r, h, 0, LEN);
	hw_req(&n.ctx, &r);
	tcp_collect(&t, in, LEN);
	pattern_check(in, 9, 0, LEN);
	hw_cq_expect(&n.ctx, TOE_EV_COMPLETION, &e);
	ck_assert_uint_eq(e.status, TOE_ST_OK);
	ck_assert_uint_eq(e.u.cpl.bytes, LEN);
	peer_flush(&n.peer);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_BYTES_OUT), LEN);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_RETRANSMITS), 0);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_LMEM_BUFLETS_FREE),
			  hw_counter(&n.hw, TOE_CTR_LMEM_BUFLETS));
	free(out);
	free(in);
}
END_TEST

START_TEST(bulk_in)
{
	enum { LEN = 100000, SEG = 1460 };
	uint8_t *out = malloc(LEN), *in = malloc(LEN);
	uint32_t h = net_connect(&n, &t, 80, LEN);
	uint32_t sent = 0, got = 0;

	pattern_fill(out, 10, 0, LEN);
	while (got < LEN) {
		struct toe_hw_cqe e;
		struct pkt k;

		while (sent < LEN && sent - got < 20000) {
			uint32_t len = LEN - sent < SEG ? LEN - sent : SEG;

			tcp_send(&t, TH_ACK | (sent + len == LEN ? TH_PSH : 0),
				 out + sent, len);
			sent += len;
		}
		hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
		ck_assert_uint_eq(e.handle, h);
		got += hw_recv_take(&n.ctx, &e, in + got, LEN - got);
		while (peer_poll(&n.peer, &k))
			ck_assert_uint_eq(k.flags, TH_ACK);
	}
	pattern_check(in, 10, 0, LEN);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_BYTES_IN), LEN);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_LMEM_BUFLETS_FREE),
			  hw_counter(&n.hw, TOE_CTR_LMEM_BUFLETS));
	free(out);
	free(in);
}
END_TEST

START_TEST(small_and_large_buffers)
{
	uint32_t h = net_connect(&n, &t, 80, 100000);
	uint8_t out[1460], in[1460];
	struct toe_hw_cqe e;

	pattern_fill(out, 2, 0, sizeof(out));
	tcp_send(&t, TH_ACK | TH_PSH, out, HW_SMALL);
	hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
	ck_assert_uint_eq(e.handle, h);
	ck_assert_uint_eq(e.flags, 0);
	ck_assert_uint_eq(hw_recv_take(&n.ctx, &e, in, sizeof(in)), HW_SMALL);
	tcp_send(&t, TH_ACK | TH_PSH, out, HW_SMALL + 1);
	hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
	ck_assert_uint_eq(e.flags, TOE_CQE_F_LARGE);
	ck_assert_uint_eq(hw_recv_take(&n.ctx, &e, in, sizeof(in)),
			  HW_SMALL + 1);
}
END_TEST

/* Nothing is delivered beyond the credit; the rest comes with more credit. */
START_TEST(credit)
{
	uint32_t h = net_connect(&n, &t, 80, 10);
	struct toe_hw_cqe e;
	uint8_t in[100];

	tcp_send(&t, TH_ACK | TH_PSH, "0123456789abcdefghij", 20);
	hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
	ck_assert_uint_eq(hw_recv_take(&n.ctx, &e, in, sizeof(in)), 10);
	ck_assert_mem_eq(in, "0123456789", 10);
	hw_cq_none(&n.ctx);
	hw_credit(&n.ctx, h, 3);
	hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
	ck_assert_uint_eq(hw_recv_take(&n.ctx, &e, in, sizeof(in)), 3);
	ck_assert_mem_eq(in, "abc", 3);
	tcp_send(&t, TH_FIN | TH_ACK, NULL, 0);
	peer_flush(&n.peer);
	hw_cq_none(&n.ctx);		/* FIN waits behind the bytes */
	hw_credit(&n.ctx, h, 0xffffffff);
	hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
	ck_assert_uint_eq(hw_recv_take(&n.ctx, &e, in, sizeof(in)), 7);
	expect_event(TOE_EV_PEER_CLOSED, h, TOE_ST_OK);
	hw_cq_none(&n.ctx);
}
END_TEST

/* No buffers: the data waits, starved is said, and posting brings it. */
START_TEST(starved)
{
	struct toe_hw_req r;
	struct toe_hw_cqe e;
	struct hw_ctx c;
	struct pkt k;
	uint8_t in[HW_LARGE];
	const uint32_t flag = offsetof(struct toe_hw_ctx_page, bq_starved);

	hw_ctx_make(&n.hw, &c, 4, 0, 4);
	tcp_init(&t, &n.peer, 80, 0);
	hw_connect_req(&r, PEER_IP, 80, 0, 1000);
	ck_assert_uint_eq(hw_req_wait(&c, &r, &e), TOE_ST_OK);
	tcp_expect(&t, TH_SYN, 0, &k);
	t.dport = k.sport;
	tcp_send(&t, TH_SYN | TH_ACK, NULL, 0);
	tcp_expect(&t, TH_ACK, 0, NULL);
	hw_cq_expect(&c, TOE_EV_ESTABLISHED, &e);
	ck_assert_uint_eq(hw_mem_readl(&n.hw, &c.mem, c.page + flag), 0);
	tcp_send(&t, TH_ACK | TH_PSH, "data", 4);
	peer_flush(&n.peer);
	hw_cq_none(&c);
	ck_assert_uint_ne(hw_mem_readl(&n.hw, &c.mem, c.page + flag), 0);
	hw_post_large(&c, 0);
	hw_cq_none(&c);			/* without the doorbell, nothing */
	hw_ring_bq(&c);
	hw_cq_expect(&c, TOE_EV_RECV, &e);
	ck_assert_uint_eq(e.flags, TOE_CQE_F_LARGE);
	ck_assert_uint_eq(hw_recv_take(&c, &e, in, sizeof(in)), 4);
	ck_assert_uint_eq(hw_mem_readl(&n.hw, &c.mem, c.page + flag), 0);
	ck_assert_uint_ge(hw_counter(&n.hw, TOE_CTR_BQM_STARVED), 1);
	hw_ctx_free(&c);
}
END_TEST

/* A completion queue of 8 that nobody reads: nothing is lost. */
START_TEST(completion_queue_full)
{
	struct toe_hw_cqe e;
	struct hw_ctx c;
	struct toe_hw_req r = { .opcode = TOE_OP_NOP };
	unsigned i;

	hw_ctx_make(&n.hw, &c, 4, 0, 3);
	for (i = 0; i < 8; i++) {
		r.cookie = i + 1;
		hw_req(&c, &r);
	}
	for (; i < 12; i++) {		/* the RQ is empty again by now */
		r.cookie = i + 1;
		hw_req(&c, &r);
	}
	qt_settle(n.hw.qt);
	ck_assert_uint_ne(hw_mem_readl(&n.hw, &c.mem, c.page +
			  offsetof(struct toe_hw_ctx_page, cq_full)), 0);
	for (i = 0; i < 12; i++) {
		hw_cq_expect(&c, TOE_EV_COMPLETION, &e);
		ck_assert_uint_eq(e.cookie, i + 1);
	}
	hw_cq_none(&c);
	ck_assert_uint_ge(hw_counter(&n.hw, TOE_CTR_CQM_FULL), 1);
	hw_ctx_free(&c);
}
END_TEST

START_TEST(quiet)
{
	uint32_t h = net_connect(&n, &t, 80, 0);
	struct toe_hw_req r;
	struct toe_hw_cqe e;

	hw_send_req(&n.ctx, &r, h, 0, 5);
	r.flags = TOE_REQ_F_QUIET;
	hw_req(&n.ctx, &r);
	tcp_expect(&t, TH_ACK, 5, NULL);
	hw_cq_none(&n.ctx);
	r.u.piece[0].key = 0;
	r.cookie = 77;
	hw_req(&n.ctx, &r);
	hw_cq_expect(&n.ctx, TOE_EV_COMPLETION, &e);
	ck_assert_uint_eq(e.status, TOE_ST_KEY);
	ck_assert_uint_eq(e.cookie, 77);
}
END_TEST

/* Many SENDs while the peer's window is closed: 16 wait, the next is told. */
START_TEST(pending_limit)
{
	uint32_t h = net_connect(&n, &t, 80, 0);
	struct toe_hw_req r = { .opcode = TOE_OP_SETOPT, .handle = h };
	struct toe_hw_cqe e;
	unsigned i, again = 0;

	r.u.opt.option = TOE_OPT_SNDBUF;
	r.u.opt.value = 16384;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_OK);
	for (i = 0; i < TOE_PENDING_SENDS + 4; i++) {
		hw_send_req(&n.ctx, &r, h, 0, HW_DATA);
		hw_req(&n.ctx, &r);
		qt_settle(n.hw.qt);
		while (hw_cq_poll(&n.ctx, &e)) {
			ck_assert_uint_eq(e.status, TOE_ST_AGAIN);
			again++;
		}
	}
	ck_assert_uint_eq(again, 4);
	/* ABORT ends those that wait, in order, before its own completion. */
	r = (struct toe_hw_req) { .opcode = TOE_OP_ABORT, .handle = h };
	hw_req(&n.ctx, &r);
	for (i = 0; i < TOE_PENDING_SENDS; i++) {
		hw_cq_expect(&n.ctx, TOE_EV_COMPLETION, &e);
		ck_assert_uint_eq(e.u.cpl.opcode, TOE_OP_SEND);
		ck_assert_uint_eq(e.status, TOE_ST_ABORTED);
	}
	hw_cq_expect(&n.ctx, TOE_EV_COMPLETION, &e);
	ck_assert_uint_eq(e.u.cpl.opcode, TOE_OP_ABORT);
	ck_assert_uint_eq(e.status, TOE_ST_OK);
	hw_cq_none(&n.ctx);
}
END_TEST

/* ---- Loss, windows, acknowledgments ---- */

START_TEST(retransmission)
{
	uint32_t h = net_connect(&n, &t, 80, 0);
	struct pkt k;
	uint32_t seq, i;

	ck_assert_uint_eq(hw_send(&n.ctx, h, "lost?", 5), TOE_ST_OK);
	tcp_expect(&t, TH_ACK, 5, &k);
	seq = k.seq;
	/* The peer drops it three times; each time it comes again, later. */
	for (i = 0; i < 3; i++) {
		int64_t waited = 0;

		peer_none(&n.peer);
		while (!peer_poll(&n.peer, &k)) {
			qt_clock_step(n.hw.qt, 50000000);
			waited += 50;
			ck_assert_int_lt(waited, 60000);
		}
		ck_assert_uint_eq(k.seq, seq);
		ck_assert_uint_eq(k.len, 5);
		ck_assert_mem_eq(k.data, "lost?", 5);
		ck_assert_int_ge(waited, 150 << i);	/* backs off */
	}
	tcp_send(&t, TH_ACK, NULL, 0);
	peer_flush(&n.peer);
	qt_clock_step(n.hw.qt, 60000000000ll);
	peer_none(&n.peer);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_RETRANSMITS), 3);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_RTO), 3);
}
END_TEST

/* Three duplicate ACKs bring the lost segment without the clock. */
START_TEST(fast_retransmit)
{
	enum { SEG = 1460, LEN = 6 * SEG };
	uint32_t h = net_connect(&n, &t, 80, 0);
	uint8_t out[LEN];
	struct pkt k;
	uint32_t first, i;

	pattern_fill(out, 3, 0, LEN);
	ck_assert_uint_eq(hw_send(&n.ctx, h, out, LEN), TOE_ST_OK);
	tcp_recv(&t, &k);			/* dropped */
	first = k.seq;
	ck_assert_uint_eq(k.len, SEG);
	for (i = 0; i < 3; i++) {
		tcp_recv(&t, &k);
		ck_assert_uint_gt(k.seq - first, 0);
		tcp_send(&t, TH_ACK, NULL, 0);	/* still asks for the first */
	}
	peer_flush(&n.peer);
	do {
		tcp_recv(&t, &k);		/* others may come before */
	} while (k.seq != first);
	ck_assert_uint_eq(k.len, SEG);
	pattern_check(k.data, 3, 0, SEG);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_FAST_RETRANSMITS), 1);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_RTO), 0);
}
END_TEST

START_TEST(out_of_order)
{
	uint32_t h = net_connect(&n, &t, 80, 100);
	uint32_t base = t.snd_nxt;
	struct toe_hw_cqe e;
	struct pkt k;
	char buf[16];

	tcp_send_at(&t, TH_ACK | TH_PSH, base + 5, t.rcv_nxt, "fghij", 5);
	peer_flush(&n.peer);
	hw_cq_none(&n.ctx);
	tcp_recv(&t, &k);			/* a duplicate ACK, at once */
	ck_assert_uint_eq(k.ack, base);
	tcp_send_at(&t, TH_ACK | TH_PSH, base, t.rcv_nxt, "abcde", 5);
	t.snd_nxt = base + 10;
	hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
	ck_assert_uint_eq(e.handle, h);
	ck_assert_uint_eq(hw_recv_take(&n.ctx, &e, buf, sizeof(buf)), 10);
	ck_assert_mem_eq(buf, "abcdefghij", 10);
	tcp_expect_ack(&t);
}
END_TEST

START_TEST(delayed_ack)
{
	uint32_t h = net_connect(&n, &t, 80, 100000);
	struct toe_hw_cqe e;
	uint8_t buf[3000], seg[1460];
	unsigned i;

	(void)h;
	/* Past any quick phase at the start. */
	for (i = 0; i < 20; i++) {
		tcp_send(&t, TH_ACK | TH_PSH, "x", 1);
		hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
		hw_recv_take(&n.ctx, &e, buf, sizeof(buf));
		tcp_expect_ack(&t);
	}
	tcp_send(&t, TH_ACK | TH_PSH, "y", 1);
	hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
	hw_recv_take(&n.ctx, &e, buf, sizeof(buf));
	peer_none(&n.peer);			/* not yet */
	tcp_expect_ack(&t);			/* within 500 ms */
	/* Two full segments are acknowledged without the clock. */
	memset(seg, 7, sizeof(seg));
	tcp_send(&t, TH_ACK, seg, sizeof(seg));
	tcp_send(&t, TH_ACK, seg, sizeof(seg));
	peer_flush(&n.peer);
	{
		struct pkt k;

		do
			tcp_recv(&t, &k);
		while (k.ack != t.snd_nxt);
	}
}
END_TEST

START_TEST(zero_window)
{
	uint32_t h = net_connect(&n, &t, 80, 0);
	struct pkt k;
	int i;

	t.win = 0;
	tcp_send(&t, TH_ACK, NULL, 0);
	peer_flush(&n.peer);
	ck_assert_uint_eq(hw_send(&n.ctx, h, "waiting", 7), TOE_ST_OK);
	peer_none(&n.peer);
	/* Probes come, and go on although each is answered with window 0. */
	for (i = 0; i < 4; i++) {
		int64_t waited = 0;

		while (!peer_poll(&n.peer, &k)) {
			qt_clock_step(n.hw.qt, 100000000);
			waited += 100;
			ck_assert_int_lt(waited, 120000);
		}
		ck_assert_uint_le(k.len, 1);
		tcp_send(&t, TH_ACK, NULL, 0);
		peer_flush(&n.peer);
	}
	ck_assert_uint_ge(hw_counter(&n.hw, TOE_CTR_TCP_PROBES), 4);
	/* The window opens: the data comes without the clock. */
	t.win = 65535;
	tcp_send(&t, TH_ACK, NULL, 0);
	do
		tcp_recv(&t, &k);
	while (k.seq + k.len != t.rcv_nxt + 7);
	t.rcv_nxt += 7;
	tcp_send(&t, TH_ACK, NULL, 0);
	peer_flush(&n.peer);
	hw_cq_none(&n.ctx);
}
END_TEST

/* The application takes nothing: the window closes over what is held. */
START_TEST(receive_window_closes)
{
	uint32_t h = net_connect(&n, &t, 80, 0);
	static uint8_t seg[1460], in[HW_LARGE];
	uint32_t sent = 0, got = 0, right = 0, edge;
	struct pkt k;

	edge = t.snd_nxt;
	/* Fill the window as it was offered in the last ACK (65535 or less). */
	for (;;) {
		pattern_fill(seg, 8, sent, sizeof(seg));
		tcp_send(&t, TH_ACK | TH_PSH, seg, sizeof(seg));
		sent += sizeof(seg);
		peer_flush(&n.peer);
		qt_clock_step(n.hw.qt, 500000000);
		while (peer_poll(&n.peer, &k)) {
			ck_assert_uint_eq(k.flags, TH_ACK);
			/* The right edge never moves left. */
			ck_assert_int_ge((int32_t)(k.ack + k.win - edge -
						   right), 0);
			right = k.ack + k.win - edge;
		}
		if (right - sent < sizeof(seg) || sent > (16u << 20))
			break;
	}
	ck_assert_uint_lt(sent, 16u << 20);
	hw_cq_none(&n.ctx);
	/* Credit brings everything, and the window opens again. */
	hw_credit(&n.ctx, h, sent);
	while (got < sent) {
		struct toe_hw_cqe e;
		uint32_t len;

		hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
		len = hw_recv_take(&n.ctx, &e, in, sizeof(in));
		pattern_check(in, 8, got, len);
		got += len;
	}
	ck_assert_uint_eq(got, sent);
	qt_clock_step(n.hw.qt, 500000000);
	ck_assert(peer_poll(&n.peer, &k));
	while (peer_poll(&n.peer, &k))
		;
	ck_assert_uint_ge(k.win, 1460);
}
END_TEST

START_TEST(bad_checksum)
{
	uint32_t h = net_connect(&n, &t, 80, 100);
	struct toe_hw_cqe e;
	char buf[8];

	t.bad_checksum = 0x0101;
	tcp_send_at(&t, TH_ACK | TH_PSH, t.snd_nxt, t.rcv_nxt, "bad", 3);
	peer_flush(&n.peer);
	hw_cq_none(&n.ctx);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_BAD_CHECKSUM), 1);
	t.bad_checksum = 0;
	tcp_send(&t, TH_ACK | TH_PSH, "good", 4);
	hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
	ck_assert_uint_eq(e.handle, h);
	ck_assert_uint_eq(hw_recv_take(&n.ctx, &e, buf, sizeof(buf)), 4);
	ck_assert_mem_eq(buf, "good", 4);
}
END_TEST

/* ---- Closing ---- */

START_TEST(we_close_first)
{
	uint32_t h = net_connect(&n, &t, 80, 100);

	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_SHUTDOWN, h), TOE_ST_OK);
	tcp_expect(&t, TH_FIN | TH_ACK, 0, NULL);
	ck_assert_uint_eq(hw_send(&n.ctx, h, "x", 1), TOE_ST_CLOSED);
	ck_assert_uint_ne(hw_simple(&n.ctx, TOE_OP_SHUTDOWN, h), TOE_ST_OK);
	tcp_send(&t, TH_ACK, NULL, 0);
	/* Half closed: the peer's bytes still come. */
	tcp_send(&t, TH_ACK | TH_PSH, "late", 4);
	{
		struct toe_hw_cqe e;
		char buf[8];

		hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
		ck_assert_uint_eq(hw_recv_take(&n.ctx, &e, buf, sizeof(buf)),
				  4);
	}
	tcp_expect_ack(&t);
	tcp_send(&t, TH_FIN | TH_ACK, NULL, 0);
	tcp_expect_ack(&t);
	expect_event(TOE_EV_PEER_CLOSED, h, TOE_ST_OK);
	expect_event(TOE_EV_CLOSED, h, TOE_ST_OK);
	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_CLOSE, h), TOE_ST_HANDLE);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_TIME_WAIT), 1);
	expect_all_back();
}
END_TEST

START_TEST(peer_closes_first)
{
	uint32_t h = net_connect(&n, &t, 80, 100);

	tcp_send(&t, TH_FIN | TH_ACK, NULL, 0);
	expect_event(TOE_EV_PEER_CLOSED, h, TOE_ST_OK);
	tcp_expect_ack(&t);
	ck_assert_uint_eq(hw_send(&n.ctx, h, "bye", 3), TOE_ST_OK);
	tcp_expect(&t, TH_ACK, 3, NULL);
	tcp_send(&t, TH_ACK, NULL, 0);
	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_SHUTDOWN, h), TOE_ST_OK);
	tcp_expect(&t, TH_FIN | TH_ACK, 0, NULL);
	hw_cq_none(&n.ctx);
	tcp_send(&t, TH_ACK, NULL, 0);
	expect_event(TOE_EV_CLOSED, h, TOE_ST_OK);
	expect_all_back();
}
END_TEST

START_TEST(both_close)
{
	uint32_t h = net_connect(&n, &t, 80, 100);

	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_SHUTDOWN, h), TOE_ST_OK);
	tcp_expect(&t, TH_FIN | TH_ACK, 0, NULL);
	/* The peer's FIN crosses: it does not acknowledge ours. */
	tcp_send_at(&t, TH_FIN | TH_ACK, t.snd_nxt, t.rcv_nxt - 1, NULL, 0);
	t.snd_nxt++;
	tcp_expect_ack(&t);
	expect_event(TOE_EV_PEER_CLOSED, h, TOE_ST_OK);
	tcp_send(&t, TH_ACK, NULL, 0);
	expect_event(TOE_EV_CLOSED, h, TOE_ST_OK);
	expect_all_back();
}
END_TEST

/* CLOSE at once after SEND: data, then FIN; no event. */
START_TEST(close_delivers)
{
	uint32_t h = net_connect(&n, &t, 80, 100);
	struct pkt k;

	ck_assert_uint_eq(hw_send(&n.ctx, h, "last words", 10), TOE_ST_OK);
	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_CLOSE, h), TOE_ST_OK);
	ck_assert_uint_eq(hw_send(&n.ctx, h, "x", 1), TOE_ST_HANDLE);
	tcp_recv(&t, &k);
	ck_assert_uint_eq(k.len, 10);
	ck_assert_mem_eq(k.data, "last words", 10);
	t.rcv_nxt = k.seq + 10;
	if (k.flags & TH_FIN)
		t.rcv_nxt++;
	else
		tcp_expect(&t, TH_FIN | TH_ACK, 0, NULL);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_ORPHANS), 1);
	tcp_send(&t, TH_FIN | TH_ACK, NULL, 0);
	tcp_expect_ack(&t);
	hw_cq_none(&n.ctx);
	expect_all_back();
}
END_TEST

/* Bytes that nobody read: CLOSE resets (RFC 9293 section 3.6.1). */
START_TEST(close_unread)
{
	uint32_t h = net_connect(&n, &t, 80, 0);
	struct pkt k;

	tcp_send(&t, TH_ACK | TH_PSH, "unread", 6);
	peer_flush(&n.peer);
	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_CLOSE, h), TOE_ST_OK);
	do
		tcp_recv(&t, &k);
	while (!(k.flags & TH_RST));
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_NCBS), 0);
	expect_all_back();
}
END_TEST

START_TEST(abort_resets)
{
	uint32_t h = net_connect(&n, &t, 80, 0);
	struct pkt k;

	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_ABORT, h), TOE_ST_OK);
	tcp_recv(&t, &k);
	ck_assert(k.flags & TH_RST);
	ck_assert_uint_eq(k.seq, t.rcv_nxt);
	hw_cq_none(&n.ctx);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_NCBS), 0);
	expect_all_back();
}
END_TEST

START_TEST(peer_resets)
{
	uint32_t h = net_connect(&n, &t, 80, 100);

	tcp_send(&t, TH_RST | TH_ACK, NULL, 0);
	expect_event(TOE_EV_CLOSED, h, TOE_ST_RESET);
	hw_cq_none(&n.ctx);
	peer_none(&n.peer);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_RST_IN), 1);
	expect_all_back();
}
END_TEST

/* RFC 5961: an RST in the window but not at its edge is challenged. */
START_TEST(blind_reset)
{
	uint32_t h = net_connect(&n, &t, 80, 100);
	struct pkt k;

	tcp_send_at(&t, TH_RST, t.snd_nxt + 100, 0, NULL, 0);
	tcp_recv(&t, &k);
	ck_assert_uint_eq(k.flags, TH_ACK);
	ck_assert_uint_eq(k.ack, t.snd_nxt);
	hw_cq_none(&n.ctx);
	tcp_send_at(&t, TH_RST, t.snd_nxt - 1, 0, NULL, 0);
	peer_none(&n.peer);
	ck_assert_uint_eq(hw_send(&n.ctx, h, "alive", 5), TOE_ST_OK);
	tcp_expect(&t, TH_ACK, 5, NULL);
}
END_TEST

/* The context goes with DRAIN while requests wait: all bytes arrive. */
START_TEST(drain)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_CTX_DESTROY,
				      .flags = TOE_ADM_F_DRAIN };
	struct toe_hw_adm_cpl cpl;
	struct toe_hw_req r;
	static uint8_t out[HW_DATA], in[2 * HW_DATA];
	struct pkt k;
	uint32_t h, i;

	/* Less than the SENDs: they have to wait. */
	ck_assert_uint_eq(hw_param_set(&n.hw, TOE_PARAM_SNDBUF, 65536),
			  TOE_ST_OK);
	h = net_connect(&n, &t, 80, 0);
	pattern_fill(out, 11, 0, sizeof(out));
	hw_mem_write(&n.hw, &n.ctx.mem, n.ctx.data, out, sizeof(out));
	for (i = 0; i < 2; i++) {
		hw_send_req(&n.ctx, &r, h, 0, HW_DATA);
		r.flags = TOE_REQ_F_QUIET;
		hw_req_put(&n.ctx, &r);
	}
	/* No doorbell: DESTROY must look at the ring itself. */
	cmd.u.ctx_destroy.ctx = 1;
	hw_admin_post(&n.hw, &cmd);
	tcp_collect(&t, in, sizeof(in));
	pattern_check(in, 11, 0, HW_DATA);
	pattern_check(in + HW_DATA, 11, 0, HW_DATA);
	while (!t.fin) {
		tcp_recv(&t, &k);
		t.fin = k.flags & TH_FIN;
		t.rcv_nxt += t.fin;
	}
	ck_assert_uint_ge(hw_counter(&n.hw, TOE_CTR_RQM_PARKED), 1);
	tcp_send(&t, TH_FIN | TH_ACK, NULL, 0);
	hw_admin_next(&n.hw, &cpl);
	ck_assert_uint_eq(cpl.status, TOE_ST_OK);
	ck_assert_uint_eq(cpl.opcode, TOE_ADM_CTX_DESTROY);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_MEM_REGIONS), 0);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_CTX_ACTIVE), 0);
	peer_flush(&n.peer);
	expect_all_back();
}
END_TEST

/* A draining that never ends is ended by a second CTX_DESTROY. */
START_TEST(drain_forced)
{
	uint32_t h = net_connect(&n, &t, 80, 0);
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_CTX_DESTROY,
				      .flags = TOE_ADM_F_DRAIN };
	struct toe_hw_adm_cpl cpl;
	struct toe_hw_req r;
	uint16_t first;
	unsigned i, seen = 0;

	for (i = 0; i < 8; i++) {
		hw_send_req(&n.ctx, &r, h, 0, HW_DATA);
		hw_req(&n.ctx, &r);
	}
	cmd.u.ctx_destroy.ctx = 1;
	first = hw_admin_post(&n.hw, &cmd);
	qt_settle(n.hw.qt);
	ck_assert(!hw_admin_ready(&n.hw));
	/* Other commands go on meanwhile. */
	cmd = (struct toe_hw_adm_cmd) { .opcode = TOE_ADM_NOP };
	hw_admin_ok(&n.hw, &cmd);
	cmd.opcode = TOE_ADM_CTX_DESTROY;
	cmd.u.ctx_destroy.ctx = 1;
	hw_admin_post(&n.hw, &cmd);
	for (i = 0; i < 2; i++) {
		hw_admin_next(&n.hw, &cpl);
		ck_assert_uint_eq(cpl.status, cpl.tag == first ?
				  TOE_ST_ABORTED : TOE_ST_OK);
		seen += cpl.tag == first;
	}
	ck_assert_uint_eq(seen, 1);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_CTX_ACTIVE), 0);
}
END_TEST

START_TEST(options)
{
	static const struct {
		uint32_t option;
		uint64_t value;
	} good[] = {
		{ TOE_OPT_NODELAY, 1 }, { TOE_OPT_NODELAY, 0 },
		{ TOE_OPT_KEEPALIVE, 30 }, { TOE_OPT_USER_TIMEOUT, 10000 },
		{ TOE_OPT_RCVBUF, 32768 }, { TOE_OPT_SNDBUF, 32768 },
	};
	uint32_t h = net_connect(&n, &t, 80, 0);
	struct toe_hw_req r = { .handle = h };
	struct toe_hw_cqe e;
	unsigned i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		r.opcode = TOE_OP_SETOPT;
		r.cookie = 0;
		r.u.opt.option = good[i].option;
		r.u.opt.value = good[i].value;
		ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_OK);
		r.opcode = TOE_OP_GETOPT;
		r.cookie = 0;
		r.u.opt.value = 0;
		ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, &e), TOE_ST_OK);
		ck_assert_uint_eq(e.u.cpl.result, good[i].value);
	}
	r.opcode = TOE_OP_SETOPT;
	r.cookie = 0;
	r.u.opt.option = 0;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_INVALID);
	r.cookie = 0;
	r.u.opt.option = 99;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_INVALID);
	r.cookie = 0;
	r.u.opt.option = TOE_OPT_NODELAY;
	r.u.opt.value = 2;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_INVALID);
}
END_TEST

START_TEST(many_at_once)
{
	enum { N = 20 };
	uint32_t h[N];
	struct tcp c[N];
	unsigned i;

	for (i = 0; i < N; i++)
		h[i] = net_connect(&n, &c[i], (uint16_t)(100 + i), 1000);
	for (i = N; i-- > 0;) {
		struct toe_hw_cqe e;
		struct pkt k;
		char buf[8];

		ck_assert_uint_eq(hw_send(&n.ctx, h[i], &i, 4), TOE_ST_OK);
		tcp_expect(&c[i], TH_ACK, 4, &k);
		ck_assert_mem_eq(k.data, &i, 4);
		tcp_send(&c[i], TH_ACK | TH_PSH, &i, 4);
		hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
		ck_assert_uint_eq(e.handle, h[i]);
		ck_assert_uint_eq(hw_recv_take(&n.ctx, &e, buf, 8), 4);
		ck_assert_mem_eq(buf, &i, 4);
		tcp_expect_ack(&c[i]);
	}
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_NCBS), N);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp");
	TCase *tc = qt_case(s, "open", setup, teardown);

	tcase_add_test(tc, connect_syn);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, nobody_answers);
	tcase_add_test(tc, bad_connects);
	tcase_add_test(tc, low_ports_need_a_right);
	tcase_add_test(tc, quota);
	tcase_add_test(tc, ncbs_run_out);
	tc = qt_case(s, "listen", setup, teardown);
	tcase_add_test(tc, listen_accept);
	tcase_add_test(tc, listen_any_port);
	tcase_add_test(tc, data_before_accept);
	tcase_add_test(tc, died_before_accept);
	tcase_add_test(tc, backlog);
	tc = qt_case(s, "data", setup, teardown);
	tcase_add_test(tc, bulk_out);
	tcase_add_test(tc, bulk_in);
	tcase_add_test(tc, small_and_large_buffers);
	tcase_add_test(tc, credit);
	tcase_add_test(tc, starved);
	tcase_add_test(tc, completion_queue_full);
	tcase_add_test(tc, quiet);
	tcase_add_test(tc, pending_limit);
	tcase_add_test(tc, options);
	tcase_add_test(tc, many_at_once);
	tc = qt_case(s, "wire", setup, teardown);
	tcase_add_test(tc, retransmission);
	tcase_add_test(tc, fast_retransmit);
	tcase_add_test(tc, out_of_order);
	tcase_add_test(tc, delayed_ack);
	tcase_add_test(tc, zero_window);
	tcase_add_test(tc, receive_window_closes);
	tcase_add_test(tc, bad_checksum);
	tc = qt_case(s, "close", setup, teardown);
	tcase_add_test(tc, we_close_first);
	tcase_add_test(tc, peer_closes_first);
	tcase_add_test(tc, both_close);
	tcase_add_test(tc, close_delivers);
	tcase_add_test(tc, close_unread);
	tcase_add_test(tc, abort_resets);
	tcase_add_test(tc, peer_resets);
	tcase_add_test(tc, blind_reset);
	tcase_add_test(tc, drain);
	tcase_add_test(tc, drain_forced);
	return qt_main(s);
}
