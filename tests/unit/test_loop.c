/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_loop.c - connections between two applications of one host: both ends
 * are NCBs of one adapter, and no frame is seen on its port.
 *
 * Each test runs over IPv4 and over IPv6 (_i).
 */
#include <stdlib.h>
#include "common_nop6.h"
#include "common_tcp.h"

#define CONNS	8

struct end {
	uint32_t handle;
	uint32_t sent, got;
	bool shut, over, let_go;
};

static struct talk *t;
static struct end end[2][CONNS];
static uint16_t port[CONNS];		/* of the connecting side */
static unsigned conns;
static uint32_t max_segment;

static uint8_t family(int v6)
{
	return v6 ? TOE_AF_INET6 : TOE_AF_INET;
}

static const uint8_t *own(int v6)
{
	static const uint8_t ip4[16] = { 10, 0, 2, 15 };
	static const uint8_t ip6[16] = { 0xfe, 0xc0, [15] = 0x15 };

	return v6 ? ip6 : ip4;
}

static uint8_t byte(unsigned side, unsigned i, uint32_t off)
{
	return talk_pattern(off + side * 1000003 + i * 777);
}

/* Which of the other side's connections is this? */
static void on_incoming(struct talk *talk, uint32_t handle)
{
	ToeTuple q;
	unsigned i;

	ck_assert_uint_eq(toe_stream_tuple(talk->w->n, handle, &q, NULL),
			  TOE_ST_OK);
	for (i = 0; i < conns && port[i] != q.rport; i++)
		;
	ck_assert_uint_lt(i, conns);
	ck_assert_uint_eq(end[1][i].handle, 0);
	end[1][i].handle = handle;
	toe_stream_accepted(talk->w->n, handle);
}

static void on_peer_closed(struct talk *talk, uint32_t handle)
{
	unsigned side, i;

	(void)talk;
	for (side = 0; side < 2; side++)
		for (i = 0; i < conns; i++)
			if (end[side][i].handle == handle)
				end[side][i].over = true;
}

static void start(void)
{
	ToeNopConfig config = world_default_config();

	config.max_segment = max_segment;
	t = talk_new_config(&config, 8u << 20);
	t->many = true;
	t->on_incoming = on_incoming;
	t->on_peer_closed = on_peer_closed;
	ck_assert_uint_eq(toe_nop_addr_add(t->w->n, TOE_AF_INET6, W6, 64),
			  TOE_ST_OK);
	world_advance(t->w, 10 * SEC);	/* announcements */
	world_forget(t->w);
	t->w->counters.v[TOE_CTR_PORT_FRAMES_OUT] = 0;
	memset(end, 0, sizeof(end));
	conns = 0;
}

static void setup(void)
{
	max_segment = 0;
	start();
}

static void teardown(void)
{
	/* Whatever happened, the port saw nothing of it. */
	ck_assert_uint_eq(COUNTER(t, PORT_FRAMES_OUT), 0);
	ck_assert_uint_eq(world_os_count(t->w), 0);
	talk_drop(t);
}

static void listen_on(int v6, uint32_t backlog)
{
	ToeTuple q = { .family = family(v6), .lport = LPORT };

	ck_assert_uint_eq(toe_stream_listen(t->w->n, &q, backlog,
					    &t->listener), TOE_ST_OK);
}

static uint8_t try_connect(int v6, const uint8_t *to, uint16_t rport)
{
	ToeTuple q = { .family = family(v6), .rport = rport };
	uint8_t st;

	memcpy(q.raddr, to, 16);
	st = toe_stream_connect(t->w->n, &q, &end[0][conns].handle);
	if (st == TOE_ST_OK) {
		ck_assert_mem_eq(q.laddr, to, 16);
		port[conns++] = q.lport;
	}
	return st;
}

static void connect_one(int v6)
{
	ck_assert_uint_eq(try_connect(v6, own(v6), LPORT), TOE_ST_OK);
}

/* Read and write what can be; total bytes each way, then FIN. */
static void pump(unsigned side, unsigned i, uint32_t total)
{
	struct end *e = &end[side][i];
	ToeNop *n = t->w->n;
	static uint8_t buf[1 << 16];
	ToeChain c = toe_chain_init();
	uint32_t len, k;

	if (!e->handle || e->let_go)
		return;
	len = MIN(toe_stream_rx(n, e->handle)->len, sizeof(buf));
	if (len) {
		toe_chain_copy_out(t->w->lm, toe_stream_rx(n, e->handle), 0,
				   buf, len, NULL);
		for (k = 0; k < len; k++)
			if (buf[k] != byte(!side, i, e->got + k))
				ck_abort_msg("side %u connection %u byte %u",
					     side, i, e->got + k);
		e->got += len;
		toe_stream_rx_consumed(n, e->handle, len);
	}
	len = MIN(toe_stream_send_space(n, e->handle), sizeof(buf));
	len = MIN(len, total - e->sent);
	if (len) {
		for (k = 0; k < len; k++)
			buf[k] = byte(side, i, e->sent + k);
		if (toe_chain_append(t->w->lm, &c, buf, len, TOE_LMEM_OUT)) {
			toe_stream_send(n, e->handle, &c, false);
			e->sent += len;
		}
	}
	if (e->sent == total && !e->shut &&
	    toe_stream_shutdown(n, e->handle) == TOE_ST_OK)
		e->shut = true;
	if (e->shut && e->over && e->got == total) {
		toe_stream_close(n, e->handle);
		e->let_go = true;
	}
}

static bool all_gone(void)
{
	unsigned side, i;

	for (side = 0; side < 2; side++)
		for (i = 0; i < conns; i++)
			if (!end[side][i].let_go)
				return false;
	return true;
}

static void transfer(uint32_t total)
{
	unsigned rounds, side, i;

	for (rounds = 0; !all_gone(); rounds++) {
		ck_assert_uint_lt(rounds, 20000);
		for (side = 0; side < 2; side++)
			for (i = 0; i < conns; i++)
				pump(side, i, total);
		world_run(t->w);
		world_advance(t->w, 1 * MS);
	}
}

/* ---- ---- */

START_TEST(a_connection)
{
	listen_on(_i, 4);
	connect_one(_i);
	world_run(t->w);
	EVENTS(t, "EI");
	transfer(300000);
	ck_assert_uint_eq(end[0][0].got, 300000);
	ck_assert_uint_eq(end[1][0].got, 300000);
	ck_assert_uint_gt(COUNTER(t, LOOP_PACKETS), 2 * 300000 / 1460);
	ck_assert_uint_eq(COUNTER(t, LOOP_DROPS), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_BAD_CHECKSUM), 0);
	/* One end in TIME-WAIT, for its time. */
	world_advance(t->w, 61 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
}
END_TEST

/* From one address of the port to another. */
START_TEST(two_addresses)
{
	ToeTuple q = { .family = family(_i), .rport = LPORT };
	const uint8_t *other = _i ? Q6 : IP(10, 0, 2, 99);

	ck_assert_uint_eq(toe_nop_addr_add(t->w->n, family(_i), other,
					   _i ? 64 : 24), TOE_ST_OK);
	world_advance(t->w, 10 * SEC);
	t->w->counters.v[TOE_CTR_PORT_FRAMES_OUT] = 0;	/* announced */
	listen_on(_i, 4);
	memcpy(q.raddr, own(_i), 16);
	memcpy(q.laddr, other, 16);
	ck_assert_uint_eq(toe_stream_connect(t->w->n, &q, &end[0][0].handle),
			  TOE_ST_OK);
	port[conns++] = q.lport;
	world_run(t->w);
	EVENTS(t, "EI");
	ck_assert_uint_eq(toe_stream_tuple(t->w->n, end[1][0].handle, &q,
					   NULL), TOE_ST_OK);
	ck_assert_mem_eq(q.laddr, own(_i), 16);
	ck_assert_mem_eq(q.raddr, other, 16);
	transfer(1000);
}
END_TEST

/* Never in the call that sends: a turn takes what the one before left. */
START_TEST(a_turn_each)
{
	listen_on(_i, 4);
	connect_one(_i);
	ck_assert_uint_eq(COUNTER(t, LOOP_PACKETS), 0);
	ck_assert(toe_nop_run(t->w->n, 1 << 20));	/* SYN out */
	ck_assert_uint_eq(COUNTER(t, LOOP_PACKETS), 0);
	ck_assert(toe_nop_run(t->w->n, 1 << 20));	/* in; SYN-ACK out */
	ck_assert_uint_eq(COUNTER(t, LOOP_PACKETS), 1);
	ck_assert_str_eq(t->log->str, "");
	ck_assert(toe_nop_run(t->w->n, 1 << 20));
	ck_assert_uint_eq(COUNTER(t, LOOP_PACKETS), 2);
	ck_assert_str_eq(t->log->str, "E");
	ck_assert(!toe_nop_run(t->w->n, 1 << 20));
	ck_assert_uint_eq(COUNTER(t, LOOP_PACKETS), 3);
	ck_assert_str_eq(t->log->str, "EI");
}
END_TEST

/* It is no business of the cable's. */
START_TEST(link_down_and_port_busy)
{
	toe_nop_link(t->w->n, false);
	listen_on(_i, 4);
	connect_one(_i);
	world_run(t->w);
	EVENTS(t, "EI");
	transfer(100000);
	/* What already waits for its turn is taken even if the port is busy. */
	connect_one(_i);
	toe_nop_run(t->w->n, 1 << 20);
	toe_nop_port_busy(t->w->n, true);
	ck_assert(!toe_nop_run(t->w->n, 1 << 20));
	ck_assert_uint_eq(talk_state(t, end[0][1].handle), TOE_TCP_SYN_SENT);
	toe_nop_port_busy(t->w->n, false);
	world_run(t->w);
	ck_assert_uint_eq(talk_state(t, end[0][1].handle),
			  TOE_TCP_ESTABLISHED);
}
END_TEST

/* The operating system's own listeners are not out of reach. */
START_TEST(nobody_listens)
{
	const uint8_t *loopback = _i ? IP6(0, 0, 0, 0, 1) : IP(127, 0, 0, 1);

	ck_assert_uint_eq(try_connect(_i, own(_i), LPORT), TOE_ST_NOROUTE);
	listen_on(_i, 4);
	ck_assert_uint_eq(try_connect(_i, own(_i), LPORT + 1),
			  TOE_ST_NOROUTE);
	ck_assert_uint_eq(try_connect(_i, loopback, LPORT), TOE_ST_NOROUTE);
	ck_assert_uint_eq(try_connect(!_i, own(!_i), LPORT), TOE_ST_NOROUTE);
	ck_assert_uint_eq(try_connect(_i, own(_i), LPORT), TOE_ST_OK);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 2);
}
END_TEST

/* The listener goes while the SYN is on its way: refused. */
START_TEST(listener_gone)
{
	listen_on(_i, 4);
	connect_one(_i);
	toe_stream_close(t->w->n, t->listener);
	world_run(t->w);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_REFUSED);
	ck_assert_uint_eq(COUNTER(t, TCP_RST_OUT), 1);
}
END_TEST

START_TEST(reset_by_the_other)
{
	listen_on(_i, 4);
	connect_one(_i);
	world_run(t->w);
	toe_stream_abort(t->w->n, end[1][0].handle);
	world_run(t->w);
	EVENTS(t, "EIC");
	ck_assert_uint_eq(t->status, TOE_ST_RESET);
}
END_TEST

START_TEST(address_removed)
{
	listen_on(_i, 4);
	connect_one(_i);
	world_run(t->w);
	EVENTS(t, "EI");
	talk_state(t, end[0][0].handle);
	ck_assert_uint_eq(toe_nop_addr_del(t->w->n, family(_i), own(_i),
					   _i ? 64 : 24), TOE_ST_OK);
	world_run(t->w);
	EVENTS(t, "CC");
	ck_assert_uint_eq(t->status, TOE_ST_ABORTED);
}
END_TEST

/* More than the ring holds, from all sides; with segments of 64 KiB, too. */
START_TEST(bulk)
{
	unsigned i;

	if (_i & 2) {
		talk_drop(t);
		max_segment = 65535;
		start();
	}
	listen_on(_i & 1, CONNS);
	for (i = 0; i < CONNS; i++)
		connect_one(_i & 1);
	world_run(t->w);
	transfer(1 << 20);
	for (i = 0; i < CONNS; i++) {
		ck_assert_uint_eq(end[0][i].got, 1 << 20);
		ck_assert_uint_eq(end[1][i].got, 1 << 20);
	}
	ck_assert_uint_eq(COUNTER(t, LOOP_DROPS), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 0);
}
END_TEST

/* Who does not look whether there is room: bounded, and counted. */
START_TEST(flood)
{
	unsigned i, sent = 0, round;

	for (round = 0; round < 5; round++) {
		for (i = 0; i < 10000; i++) {
			uint8_t *p = toe_ip_tx_buffer(t->w->n);
			size_t len = 8 + (i * 37 + round) % 1400;

			memset(p, 0, len);
			sent += toe_ip_output(t->w->n, family(_i), own(_i),
					      own(_i), 200, 64, 0, len,
					      0) == TOE_ST_OK;
		}
		ck_assert_uint_eq(sent + COUNTER(t, LOOP_DROPS),
				  (round + 1) * 10000 +
				  COUNTER(t, LOOP_PACKETS));
		ck_assert(toe_loop_full(t->w->n));
		world_run(t->w);
		ck_assert(!toe_loop_waits(t->w->n));
		ck_assert_uint_eq(COUNTER(t, LOOP_PACKETS), sent);
	}
	ck_assert_uint_gt(sent, 5 * 1000);
	ck_assert_uint_lt(sent, 5 * 10000);
	listen_on(_i, 1);
	connect_one(_i);
	world_run(t->w);
	EVENTS(t, "EI");
}
END_TEST

START_TEST(reset)
{
	listen_on(_i, 4);
	connect_one(_i);
	toe_nop_run(t->w->n, 1 << 20);
	ck_assert(toe_loop_waits(t->w->n));
	toe_nop_reset(t->w->n);
	ck_assert(!toe_loop_waits(t->w->n));
	ck_assert(!toe_nop_run(t->w->n, 1 << 20));
	ck_assert_uint_eq(COUNTER(t, LOOP_PACKETS), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("loop");
	TCase *c = tcase_create("loop");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 300);
	tcase_add_loop_test(c, a_connection, 0, 2);
	tcase_add_loop_test(c, two_addresses, 0, 2);
	tcase_add_loop_test(c, a_turn_each, 0, 2);
	tcase_add_loop_test(c, link_down_and_port_busy, 0, 2);
	tcase_add_loop_test(c, nobody_listens, 0, 2);
	tcase_add_loop_test(c, listener_gone, 0, 2);
	tcase_add_loop_test(c, reset_by_the_other, 0, 2);
	tcase_add_loop_test(c, address_removed, 0, 2);
	tcase_add_loop_test(c, bulk, 0, 4);
	tcase_add_loop_test(c, flood, 0, 2);
	tcase_add_loop_test(c, reset, 0, 2);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
