/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_send.c - bytes out: Nagle, silly windows, the peer's window and
 * probes, retransmission, congestion control, keepalive.
 */
#include "common_tcp.h"

/* Read what was sent as (seq, len) in full segments from seq on. */
static void hear_full(struct talk *t, uint32_t seq, unsigned count)
{
	while (count--) {
		HEAR(t, .flags = ACK, .seq = seq, .ack = 1, .len = 1460);
		seq += 1460;
	}
}

START_TEST(nagle)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_send(t, 0, 10);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	/* In flight: small ones wait, full ones do not. */
	talk_send(t, 10, 10);
	talk_send(t, 20, 10);
	SILENCE(t);
	talk_send(t, 30, 1460);
	HEAR(t, .flags = ACK, .seq = 11, .ack = 1, .len = 1460);
	SILENCE(t);
	SAY(t, .flags = ACK, .seq = 1, .ack = 11);
	SILENCE(t);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1471);
	HEAR(t, .flags = ACK | PSH, .seq = 1471, .ack = 1, .len = 20);
	talk_free(t);
}
END_TEST

START_TEST(nodelay)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_NODELAY, 1);
	talk_send(t, 0, 10);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	talk_send(t, 10, 10);
	HEAR(t, .flags = ACK | PSH, .seq = 11, .ack = 1, .len = 10);
	/* Turned on with something held back. */
	talk_setopt(t, TOE_OPT_NODELAY, 0);
	talk_send(t, 20, 10);
	SILENCE(t);
	talk_setopt(t, TOE_OPT_NODELAY, 1);
	HEAR(t, .flags = ACK | PSH, .seq = 21, .ack = 1, .len = 10);
	talk_free(t);
}
END_TEST

START_TEST(more)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_NODELAY, 1);
	talk_send_more(t, 0, 10, true);
	SILENCE(t);
	talk_send_more(t, 10, 10, false);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 20);
	SAY(t, .flags = ACK, .seq = 1, .ack = 21);
	/* A promise not kept costs 200 ms. */
	talk_send_more(t, 20, 10, true);
	world_advance(t->w, 199 * MS);
	SILENCE(t);
	world_advance(t->w, MS);
	HEAR(t, .flags = ACK, .seq = 21, .ack = 1, .len = 10);
	SAY(t, .flags = ACK, .seq = 1, .ack = 31);
	/* Full segments go. */
	talk_send_more(t, 30, 1500, true);
	HEAR(t, .flags = ACK, .seq = 31, .ack = 1, .len = 1460);
	/* FIN takes the rest along. */
	talk_shutdown(t);
	HEAR(t, .flags = FIN | ACK | PSH, .seq = 1491, .ack = 1, .len = 40);
	g_string_truncate(t->log, 0);
	talk_free(t);
}
END_TEST

START_TEST(odd_pieces)
{
	struct talk *t = talk_new();
	uint32_t off = 0, i;

	/* Checksums over pieces that begin at odd offsets. */
	talk_open_active(t, NULL);
	for (i = 0; i < 40; i++) {
		uint32_t len = 1025 + 2 * i;

		talk_send_more(t, off, len, true);
		off += len;
	}
	talk_send(t, off, 1);
	off++;
	for (i = 0; i < off;) {
		const struct talk_seg *s = talk_any(t);
		uint32_t k;

		ck_assert(s);
		ck_assert_uint_eq(s->seq, 1 + i);
		for (k = 0; k < s->len; k++)
			if (s->payload[k] != talk_pattern(i + k))
				ck_abort_msg("byte %u is wrong", i + k);
		i += s->len;
		SAY(t, .flags = ACK, .seq = 1, .ack = 1 + i);
	}
	g_string_truncate(t->log, 0);
	talk_free(t);
}
END_TEST

START_TEST(small_writes_share_buflets)
{
	struct talk *t = talk_new();
	uint32_t total = toe_lmem_total(t->w->lm), i;

	t->wnd = 0;
	talk_open_active(t, NULL);
	for (i = 0; i < 2000; i++)
		talk_send(t, i, 1);
	ck_assert_uint_ge(toe_lmem_avail(t->w->lm, TOE_LMEM_IN), total - 3);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(peer_window)
{
	struct talk *t = talk_new();

	t->wnd = 2000;
	talk_open_active(t, NULL);
	talk_send(t, 0, 5000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1460);
	SILENCE(t);	/* 540 bytes would be silly */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1461);
	HEAR(t, .flags = ACK, .seq = 1461, .ack = 1, .len = 1460);
	t->wnd = 10000;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1461);
	HEAR(t, .flags = ACK, .seq = 2921, .ack = 1, .len = 1460);
	SAY(t, .flags = ACK, .seq = 1, .ack = 4381);
	HEAR(t, .flags = ACK | PSH, .seq = 4381, .ack = 1, .len = 620);
	talk_free(t);
}
END_TEST

START_TEST(half_the_largest_window)
{
	struct talk *t = talk_new();

	/* RFC 9293 3.8.6.2.1 (3): a peer whose window is below the MSS. */
	t->wnd = 1000;
	talk_open_active(t, NULL);
	talk_send(t, 0, 5000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1001, .wnd = 499 + 1);
	SILENCE(t);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1001, .wnd = 500 + 1);
	HEAR(t, .flags = ACK, .seq = 1001, .ack = 1, .len = 500);
	/* (4): the override time-out. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1501, .wnd = 10 + 1);
	world_advance(t->w, 199 * MS);
	SILENCE(t);
	world_advance(t->w, MS);
	HEAR(t, .flags = ACK, .seq = 1501, .ack = 1, .len = 10);
	talk_free(t);
}
END_TEST

START_TEST(zero_window_probe)
{
	struct talk *t = talk_new();
	int64_t wait = 200 * MS;
	unsigned i;

	t->wnd = 0;
	talk_open_active(t, NULL);
	talk_send(t, 0, 3000);
	for (i = 0; i < 6; i++) {
		world_advance(t->w, wait - MS);
		SILENCE(t);
		world_advance(t->w, MS);
		HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1);
		/* Refused, but alive. */
		SAY(t, .flags = ACK, .seq = 1, .ack = 1);
		wait *= 2;
	}
	ck_assert_uint_eq(COUNTER(t, TCP_PROBES), 6);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 0);
	t->wnd = 65535;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1460);
	HEAR(t, .flags = ACK, .seq = 1461, .ack = 1, .len = 1460);
	SAY(t, .flags = ACK, .seq = 1, .ack = 2921);
	HEAR(t, .flags = ACK, .seq = 2921, .ack = 1, .len = 80);
	SAY(t, .flags = ACK, .seq = 1, .ack = 3001);
	talk_free(t);
}
END_TEST

START_TEST(user_network_stall)
{
	ToeNopConfig config = world_default_config();
	int64_t wait = 5 * MS;
	struct talk *t;
	unsigned i;

	/* libslirp tells nobody that its window is open again. */
	config.max_segment = 65535;
	t = talk_new_config(&config, 4u << 20);
	t->wnd = 0;
	talk_open_active(t, NULL);
	talk_send(t, 0, 3000);
	for (i = 0; i < 4; i++) {
		world_advance(t->w, wait - MS);
		SILENCE(t);
		world_advance(t->w, MS);
		HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1);
		SAY(t, .flags = ACK, .seq = 1, .ack = 1);
		wait *= 2;
	}
	/* A window too small for all that waits: not for long either. */
	t->wnd = 2000;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 2000);
	SAY(t, .flags = ACK, .seq = 1, .ack = 2001, .wnd = 900 + 1);
	world_advance(t->w, 4 * MS);
	SILENCE(t);
	world_advance(t->w, MS);
	HEAR(t, .flags = ACK, .seq = 2001, .ack = 1, .len = 900);
	talk_drop(t);
}
END_TEST

START_TEST(probe_byte_taken)
{
	struct talk *t = talk_new();

	t->wnd = 0;
	talk_open_active(t, NULL);
	talk_send(t, 0, 100);
	world_advance(t->w, 200 * MS);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 2);
	SILENCE(t);
	world_advance(t->w, 300 * MS);
	HEAR(t, .flags = ACK, .seq = 2, .ack = 1, .len = 1);
	t->wnd = 1000;
	SAY(t, .flags = ACK, .seq = 1, .ack = 3);
	HEAR(t, .flags = ACK, .seq = 3, .ack = 1, .len = 98);
	SAY(t, .flags = ACK, .seq = 1, .ack = 101);
	ck_assert_uint_eq(talk_info(t, t->h).bytes_out, 100);
	talk_free(t);
}
END_TEST

START_TEST(probing_goes_on_for_ever)
{
	struct talk *t = talk_new();
	unsigned i;

	/* RFC 9293 3.8.6.1: as long as the peer answers. */
	t->wnd = 0;
	talk_open_active(t, NULL);
	talk_send(t, 0, 100);
	for (i = 0; i < 100; i++) {
		world_know_peer(t->w);
		world_advance(t->w, 61 * SEC);
		ck_assert(world_sent_count(t->w));
		world_forget(t->w);
		SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	}
	EVENTS(t, "");
	/* Then it dies. */
	world_advance(t->w, 300 * SEC);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_TIMEDOUT);
	talk_drop(t);
}
END_TEST

START_TEST(window_taken_back)
{
	struct talk *t = talk_new();

	/* RFC 9293 3.8.6, SHLD-15: bytes beyond the edge are resent. */
	talk_open_active(t, NULL);
	talk_send(t, 0, 1460);
	hear_full(t, 1, 1);
	t->wnd = 0;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	world_advance(t->w, 250 * MS);
	hear_full(t, 1, 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1461);
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
	talk_free(t);
}
END_TEST

START_TEST(rto_and_backoff)
{
	struct talk *t = talk_new();
	int64_t wait = 200 * MS;
	unsigned i;

	talk_open_active(t, NULL);
	talk_send(t, 0, 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	for (i = 0; i < 6; i++) {
		world_advance(t->w, wait - 2 * MS);
		SILENCE(t);
		world_advance(t->w, 2 * MS);
		HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
		wait *= 2;
	}
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 6);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 6);
	ck_assert_uint_eq(talk_info(t, t->h).retransmits, 6);
	ck_assert_uint_eq(COUNTER(t, TCP_BYTES_OUT), 100);
	SAY(t, .flags = ACK, .seq = 1, .ack = 101);
	world_advance(t->w, 10 * SEC);
	/* Karn: the ambiguous ACK said nothing, so the RTO stays. */
	talk_send(t, 100, 100);
	HEAR(t, .flags = ACK, .seq = 101, .ack = 1, .len = 100);
	ck_assert_uint_eq(talk_info(t, t->h).rto_us, 12800000);
	SAY(t, .flags = ACK, .seq = 1, .ack = 201);
	ck_assert_uint_eq(talk_info(t, t->h).rto_us, 200000);
	talk_free(t);
}
END_TEST

/* RFC 9293 3.8.3; MUST-20 SHLD-10 */
START_TEST(neighbour_is_asked_at_r1)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_send(t, 0, 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	world_advance(t->w, 700 * MS);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 2);
	ck_assert_uint_eq(t->w->questions, 0);
	world_advance(t->w, 800 * MS);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 3);
	ck_assert_uint_eq(t->w->questions, 1);
	/* It answers, but that is not the peer's answer. */
	world_advance(t->w, 1600 * MS);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 4);
	ck_assert_uint_eq(t->w->questions, 2);
	world_forget(t->w);
	SAY(t, .flags = ACK, .seq = 1, .ack = 101);
	talk_send(t, 100, 100);
	HEAR(t, .flags = ACK, .seq = 101, .ack = 1, .len = 100);
	ck_assert_uint_eq(t->w->questions, 2);
	talk_free(t);
}
END_TEST

START_TEST(data_gives_up)
{
	struct talk *t = talk_new();
	const struct talk_seg *s, *last = NULL;

	/* R2, RFC 9293 3.8.3: at least 100 s. */
	talk_open_active(t, NULL);
	talk_send(t, 0, 100);
	talk_wait(t, 100 * SEC);
	world_forget(t->w);
	EVENTS(t, "");
	talk_wait(t, 60 * SEC);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_TIMEDOUT);
	while ((s = talk_any(t)))
		last = s;
	ck_assert(last && last->flags == (RST | ACK));
	talk_close(t);
	talk_free(t);
}
END_TEST

START_TEST(user_timeout)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_USER_TIMEOUT, 1000);
	talk_send(t, 0, 100);
	world_advance(t->w, 990 * MS);
	EVENTS(t, "");
	world_advance(t->w, 20 * MS);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_TIMEDOUT);
	world_forget(t->w);
	talk_free(t);
}
END_TEST

START_TEST(rtt_estimate)
{
	struct talk *t = talk_new();
	struct toe_hw_conn_info i;
	uint32_t k;

	talk_connect(t);
	HEAR(t, .flags = SYN);
	world_advance(t->w, 100 * MS);
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	i = talk_info(t, t->h);
	/* RFC 6298 (2.2): SRTT R, RTTVAR R/2, RTO R + 4 R/2. */
	ck_assert_uint_eq(i.srtt_us, 100000);
	ck_assert_uint_eq(i.rto_us, 300000);
	/* (2.3): 100 -> 7/8 100 + 1/8 20 = 90; var 3/4 50 + 1/4 80 = 57.5 */
	talk_send(t, 0, 10);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	world_advance(t->w, 20 * MS);
	SAY(t, .flags = ACK, .seq = 1, .ack = 11);
	i = talk_info(t, t->h);
	ck_assert_uint_eq(i.srtt_us, 90000);
	ck_assert_uint_eq(i.rto_us, 90000 + 4 * 57500);
	for (k = 0; k < 60; k++) {
		talk_send(t, 10 + k, 1);
		HEAR(t, .flags = ACK, .seq = 11 + k, .ack = 1, .len = 1);
		world_advance(t->w, MS);
		SAY(t, .flags = ACK, .seq = 1, .ack = 12 + k);
	}
	ck_assert_uint_eq(talk_info(t, t->h).rto_us, 200000);
	talk_free(t);
}
END_TEST

START_TEST(slow_start)
{
	struct talk *t = talk_new();
	uint32_t iw = 10 * 1460;

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_CONGESTION, TOE_CC_NEWRENO);
	ck_assert_uint_eq(talk_info(t, t->h).cwnd, iw);
	talk_send(t, 0, 100000);
	hear_full(t, 1, 10);
	SILENCE(t);
	/* Two segments acknowledged: two more each. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 2 * 1460);
	hear_full(t, 1 + 10 * 1460, 4);
	SILENCE(t);
	ck_assert_uint_eq(talk_info(t, t->h).cwnd, iw + 2 * 1460);
	/* One ACK for many counts as two segments (RFC 3465, L = 2). */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 12 * 1460);
	ck_assert_uint_eq(talk_info(t, t->h).cwnd, iw + 4 * 1460);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(fast_retransmit)
{
	struct talk *t = talk_new();
	struct toe_hw_conn_info i;

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_CONGESTION, TOE_CC_NEWRENO);
	talk_send(t, 0, 40000);
	hear_full(t, 1, 10);
	/* The first is lost.  Limited transmit, RFC 3042. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	hear_full(t, 1 + 10 * 1460, 1);
	SILENCE(t);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	hear_full(t, 1 + 11 * 1460, 1);
	SILENCE(t);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	hear_full(t, 1, 1);
	SILENCE(t);
	ck_assert_uint_eq(COUNTER(t, TCP_FAST_RETRANSMITS), 1);
	i = talk_info(t, t->h);
	/* Of 12 in flight, two by limited transmit: RFC 5681 3.2 (2). */
	ck_assert_uint_eq(i.ssthresh, 5 * 1460);
	ck_assert_uint_eq(i.cwnd, 8 * 1460);
	/* Each further one inflates; at 12 in flight, the fifth sends. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	SILENCE(t);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	hear_full(t, 1 + 12 * 1460, 1);
	/* All that was outstanding: over, cwnd is ssthresh or less. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 12 * 1460);
	i = talk_info(t, t->h);
	ck_assert_uint_le(i.cwnd, 5 * 1460);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 0);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(partial_ack)
{
	struct talk *t = talk_new();
	unsigned i;

	talk_open_active(t, NULL);
	talk_send(t, 0, 14600);
	hear_full(t, 1, 10);
	/* The first and the fifth are lost. */
	for (i = 0; i < 3; i++)
		SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	hear_full(t, 1, 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 4 * 1460);
	hear_full(t, 1 + 4 * 1460, 1);
	SILENCE(t);
	SAY(t, .flags = ACK, .seq = 1, .ack = 14601);
	SILENCE(t);
	ck_assert_uint_eq(COUNTER(t, TCP_FAST_RETRANSMITS), 1);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 2);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 0);
	talk_free(t);
}
END_TEST

START_TEST(go_back_after_rto)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_CONGESTION, TOE_CC_NEWRENO);
	talk_send(t, 0, 14600);
	hear_full(t, 1, 10);
	world_advance(t->w, 250 * MS);
	hear_full(t, 1, 1);
	SILENCE(t);
	ck_assert_uint_eq(talk_info(t, t->h).cwnd, 1460);
	ck_assert_uint_eq(talk_info(t, t->h).ssthresh, 5 * 1460);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1461);
	hear_full(t, 1461, 2);
	/* The rest was there all along. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 14601);
	SILENCE(t);
	/* Duplicates of what was resent do not start fast recovery. */
	talk_send(t, 14600, 5 * 1460);
	world_forget(t->w);
	world_run(t->w);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(no_fast_retransmit_after_rto)
{
	struct talk *t = talk_new();
	unsigned i;

	talk_open_active(t, NULL);
	talk_send(t, 0, 14600);
	hear_full(t, 1, 10);
	world_advance(t->w, 250 * MS);
	hear_full(t, 1, 1);
	/* RFC 6582 section 4: recover was set by the time-out. */
	for (i = 0; i < 10; i++)
		SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	SILENCE(t);
	ck_assert_uint_eq(COUNTER(t, TCP_FAST_RETRANSMITS), 0);
	ck_assert_uint_eq(talk_info(t, t->h).cwnd, 1460);
	talk_free(t);
}
END_TEST

START_TEST(restart_after_idle)
{
	struct talk *t = talk_new();
	uint32_t sent = 0, acked = 0;
	unsigned i;

	talk_open_active(t, NULL);
	for (i = 0; i < 6; i++) {
		const struct talk_seg *s;

		talk_send(t, sent, 20 * 1460);
		sent += 20 * 1460;
		while (acked < sent && (s = talk_any(t))) {
			acked = s->seq + s->len - 1;
			SAY(t, .flags = ACK, .seq = 1, .ack = acked + 1);
		}
	}
	ck_assert_uint_gt(talk_info(t, t->h).cwnd, 15 * 1460);
	world_advance(t->w, 10 * SEC);
	g_string_truncate(t->log, 0);
	/* RFC 5681 4.1. */
	talk_send(t, sent, 30 * 1460);
	hear_full(t, 1 + sent, 10);
	SILENCE(t);
	talk_free(t);
}
END_TEST

START_TEST(writable_event)
{
	struct talk *t = talk_new();
	uint32_t space, i;

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_SNDBUF, 30000);
	talk_send(t, 0, 30000);
	ck_assert_uint_eq(toe_stream_send_space(t->w->n, t->h), 0);
	for (i = 1; i <= 6; i++)
		SAY(t, .flags = ACK, .seq = 1, .ack = 1 + i * 1460);
	EVENTS(t, "");		/* less than a third */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 7 * 1460);
	EVENTS(t, "W");
	space = toe_stream_send_space(t->w->n, t->h);
	ck_assert_uint_eq(space, 7 * 1460);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 8 * 1460);
	EVENTS(t, "");
	/* Someone may have wanted all of it. */
	while (talk_any(t))
		;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 20 * 1460);
	HEAR(t, .flags = ACK, .seq = 1 + 20 * 1460, .ack = 1, .len = 800);
	EVENTS(t, "");
	SAY(t, .flags = ACK, .seq = 1, .ack = 30001);
	EVENTS(t, "W");
	ck_assert_uint_eq(toe_stream_send_space(t->w->n, t->h), 30000);
	talk_shutdown(t);
	ck_assert_uint_eq(toe_stream_send_space(t->w->n, t->h), 0);
	HEAR(t, .flags = FIN | ACK, .seq = 30001, .ack = 1);
	talk_free(t);
}
END_TEST

START_TEST(keepalive)
{
	struct talk *t = talk_new();
	unsigned i;

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_KEEPALIVE, 10);
	world_advance(t->w, 9 * SEC);
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 2);
	talk_read(t, 0, 1);
	EVENTS(t, "R");
	world_advance(t->w, 9 * SEC);
	SILENCE(t);
	world_advance(t->w, SEC);
	HEAR(t, .flags = ACK, .seq = 0, .ack = 2);
	SAY(t, .flags = ACK, .seq = 2, .ack = 1);
	for (i = 0; i < 9; i++) {
		world_know_peer(t->w);
		world_advance(t->w, 10 * SEC);
		HEAR(t, .flags = ACK, .seq = 0, .ack = 2);
	}
	EVENTS(t, "");
	world_advance(t->w, 10 * SEC);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_TIMEDOUT);
	world_forget(t->w);
	talk_free(t);
}
END_TEST

START_TEST(path_mtu)
{
	struct talk *t = talk_new();
	ToeIcmpError e = { .family = TOE_AF_INET, .type = 3, .code = 4,
			   .rport = RPORT, .mtu = 1000 };

	memcpy(e.src, WORLD_IP, 16);
	memcpy(e.dst, PEER_IP, 16);
	talk_open_active(t, NULL);
	e.lport = t->lport;
	talk_send(t, 0, 2920);
	hear_full(t, 1, 2);
	e.seq = t->iss + 5000;			/* not in flight */
	ck_assert(toe_tcp_icmp_error(t->w->n, &e));
	SILENCE(t);
	e.seq = t->iss + 1;
	ck_assert(toe_tcp_icmp_error(t->w->n, &e));
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 960);
	HEAR(t, .flags = ACK, .seq = 961, .ack = 1, .len = 960);
	HEAR(t, .flags = ACK, .seq = 1921, .ack = 1, .len = 960);
	HEAR(t, .flags = ACK, .seq = 2881, .ack = 1, .len = 40);
	/* Never below a floor, never up again. */
	e.mtu = 10;
	ck_assert(toe_tcp_icmp_error(t->w->n, &e));
	ck_assert_uint_eq(talk_info(t, t->h).mss, 552 - 40);
	e.mtu = 1400;
	ck_assert(toe_tcp_icmp_error(t->w->n, &e));
	ck_assert_uint_eq(talk_info(t, t->h).mss, 552 - 40);
	/* "Unreachable" does not kill an established connection. */
	e.code = 3;
	ck_assert(toe_tcp_icmp_error(t->w->n, &e));
	EVENTS(t, "");
	world_run(t->w);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(send_wraps)
{
	struct talk *t = talk_new();
	uint32_t sent = 0, i;

	/* Our own numbers pass zero: wait until the ISN clock stands there. */
	talk_listen(t, 4);
	SAY(t, .flags = SYN);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = RST, .seq = 1);
	world_advance(t->w, (int64_t)(0xffffffff - t->iss - 20000) * 4000);
	world_know_peer(t->w);
	world_forget(t->w);
	talk_open_passive(t, NULL);
	ck_assert_uint_gt(t->iss, 0xfff00000);
	for (i = 0; i < 40; i++) {
		talk_send(t, sent, 1460);
		HEAR(t, .flags = ACK, .seq = 1 + sent, .ack = 1, .len = 1460);
		if (i % 5 == 4) {
			world_advance(t->w, 300 * MS);
			HEAR(t, .flags = ACK, .seq = 1 + sent, .ack = 1,
			     .len = 1460);
		}
		sent += 1460;
		SAY(t, .flags = ACK, .seq = 1, .ack = 1 + sent);
	}
	ck_assert_uint_lt(t->iss + sent, 1000000);
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
	talk_free(t);
}
END_TEST

START_TEST(timestamp_rtt_on_retransmission)
{
	struct talk *t = talk_new();

	talk_open_active(t, &(struct talk_seg){ .mss = 1460, .ts = true,
						.tsecr = 0 });
	talk_send(t, 0, 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	world_advance(t->w, 200 * MS);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	world_advance(t->w, 50 * MS);
	/* The echo tells which one it was (RFC 7323 section 4). */
	SAY(t, .flags = ACK, .seq = 1, .ack = 101);
	ck_assert_uint_gt(talk_info(t, t->h).srtt_us, 5000);
	ck_assert_uint_lt(talk_info(t, t->h).srtt_us, 10000);
	talk_free(t);
}
END_TEST

START_TEST(options_are_checked)
{
	struct talk *t = talk_new();
	uint64_t v;

	talk_open_active(t, NULL);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->h, TOE_OPT_NODELAY,
					    2), TOE_ST_INVALID);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->h, TOE_OPT_KEEPALIVE,
					    40000), TOE_ST_INVALID);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->h,
					    TOE_OPT_USER_TIMEOUT, 1ull << 33),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->h, 99, 0),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, 99, &v),
			  TOE_ST_INVALID);
	talk_setopt(t, TOE_OPT_SNDBUF, 1ull << 40);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_SNDBUF,
					    &v), TOE_ST_OK);
	ck_assert_uint_eq(v, 4 << 20);
	talk_setopt(t, TOE_OPT_SNDBUF, 0);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_SNDBUF,
					    &v), TOE_ST_OK);
	ck_assert_uint_eq(v, 4096);
	talk_free(t);
}
END_TEST

START_TEST(budget_is_kept)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_send(t, 0, 14600);
	ck_assert(toe_nop_run(t->w->n, 3000));
	ck_assert_uint_eq(world_sent_count(t->w), 2);
	ck_assert(toe_nop_run(t->w->n, 1));
	ck_assert_uint_eq(world_sent_count(t->w), 3);
	ck_assert(!toe_nop_run(t->w->n, 1 << 20));
	hear_full(t, 1, 10);
	talk_free(t);
}
END_TEST

START_TEST(port_becomes_busy)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_send(t, 0, 14600);
	t->w->port_room = 4;
	ck_assert(!toe_nop_run(t->w->n, 1 << 20));
	ck_assert_uint_eq(world_sent_count(t->w), 4);
	t->w->port_room = UINT32_MAX;
	toe_nop_port_busy(t->w->n, false);
	hear_full(t, 1, 10);
	talk_free(t);
}
END_TEST

START_TEST(ack_does_not_touch_the_heap)
{
	struct talk *t = talk_new();
	int64_t before;
	unsigned i;

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_NODELAY, 1);
	talk_send(t, 0, 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1);
	before = toe_nop_deadline(t->w->n);
	for (i = 1; i < 50; i++) {
		t->w->now += MS;
		talk_send(t, i, 1);
		HEAR(t, .flags = ACK, .seq = 1 + i, .ack = 1, .len = 1);
		SAY(t, .flags = ACK, .seq = 1, .ack = 1 + i);
		ck_assert_int_eq(toe_nop_deadline(t->w->n), before);
	}
	/* It expires in vain, and the true one is kept. */
	world_advance(t->w, 160 * MS);
	SILENCE(t);
	world_advance(t->w, 60 * MS);
	HEAR(t, .flags = ACK, .seq = 50, .ack = 1, .len = 1);
	talk_free(t);
}
END_TEST

START_TEST(window_of_a_new_ack)
{
	struct talk *t = talk_new();

	t->wnd = 3000;
	talk_open_active(t, NULL);
	talk_send(t, 0, 10000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1460);
	HEAR(t, .flags = ACK, .seq = 1461, .ack = 1, .len = 1460);
	/* Ahead of its turn: SND.WL1 is 101 now. */
	SAY(t, .flags = ACK, .seq = 101, .ack = 1, .len = 10);
	HEAR(t, .flags = ACK, .seq = 2921, .ack = 1);
	/*
	 * Sent again from below, and all are acknowledged: the window must not
	 * move along with SND.UNA.
	 */
	SAY(t, .flags = ACK, .seq = 1, .ack = 2921, .wnd = 1000 + 1);
	ck_assert_uint_eq(talk_info(t, t->h).snd_wnd, 1000);
	SILENCE(t);
	talk_drop(t);
}
END_TEST

START_TEST(ack_below_the_probe)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	/* The peer probes our window, and the byte fits. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 2);
	talk_send(t, 0, 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 2, .len = 100);
	/* It does not know yet, and acknowledges from where it stands. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 101);
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
	talk_drop(t);
}
END_TEST

START_TEST(rto_has_a_margin)
{
	struct talk *t = talk_new();
	unsigned i;

	talk_open_active(t, NULL);
	/* A steady path of just less than the least time-out. */
	for (i = 0; i < 60; i++) {
		talk_send(t, i, 1);
		HEAR(t, .flags = ACK, .seq = 1 + i, .ack = 1, .len = 1);
		world_advance(t->w, 190 * MS);
		SAY(t, .flags = ACK, .seq = 1, .ack = 2 + i);
	}
	ck_assert_uint_ge(talk_info(t, t->h).rto_us, 250000);
	talk_send(t, i, 1);
	HEAR(t, .flags = ACK, .seq = 1 + i, .ack = 1, .len = 1);
	world_advance(t->w, 235 * MS);		/* its ACK was delayed */
	SILENCE(t);
	talk_drop(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_send");
	TCase *c = tcase_create("send");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, nagle);
	tcase_add_test(c, nodelay);
	tcase_add_test(c, more);
	tcase_add_test(c, odd_pieces);
	tcase_add_test(c, small_writes_share_buflets);
	tcase_add_test(c, peer_window);
	tcase_add_test(c, half_the_largest_window);
	tcase_add_test(c, zero_window_probe);
	tcase_add_test(c, user_network_stall);
	tcase_add_test(c, probe_byte_taken);
	tcase_add_test(c, probing_goes_on_for_ever);
	tcase_add_test(c, window_taken_back);
	tcase_add_test(c, window_of_a_new_ack);
	tcase_add_test(c, ack_below_the_probe);
	tcase_add_test(c, rto_has_a_margin);
	tcase_add_test(c, rto_and_backoff);
	tcase_add_test(c, neighbour_is_asked_at_r1);
	tcase_add_test(c, data_gives_up);
	tcase_add_test(c, user_timeout);
	tcase_add_test(c, rtt_estimate);
	tcase_add_test(c, slow_start);
	tcase_add_test(c, fast_retransmit);
	tcase_add_test(c, partial_ack);
	tcase_add_test(c, go_back_after_rto);
	tcase_add_test(c, no_fast_retransmit_after_rto);
	tcase_add_test(c, restart_after_idle);
	tcase_add_test(c, writable_event);
	tcase_add_test(c, keepalive);
	tcase_add_test(c, path_mtu);
	tcase_add_test(c, send_wraps);
	tcase_add_test(c, timestamp_rtt_on_retransmission);
	tcase_add_test(c, options_are_checked);
	tcase_add_test(c, budget_is_kept);
	tcase_add_test(c, port_becomes_busy);
	tcase_add_test(c, ack_does_not_touch_the_heap);
	suite_add_tcase(s, c);
	return talk_main(s);
}
