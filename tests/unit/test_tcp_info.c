/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_info.c - what INFO says of a connection, field by field, against a
 * conversation whose numbers are known.
 */
#include "common_tcp.h"

static struct toe_hw_tcp_info ask(struct talk *t)
{
	struct toe_hw_tcp_info i;

	ck_assert_uint_eq(toe_stream_tcp_info(t->w->n, t->h, &i), TOE_ST_OK);
	return i;
}

static void open_with_sack(struct talk *t)
{
	talk_open_active(t, &(struct talk_seg){ .mss = 1460, .sackok = true,
						.wscale = 3 });
}

START_TEST(states)
{
	struct talk *t = talk_new();
	struct toe_hw_tcp_info i;

	talk_listen(t, 16);
	ck_assert_uint_eq(toe_stream_tcp_info(t->w->n, t->listener, &i),
			  TOE_ST_OK);
	ck_assert_uint_eq(i.state, TOE_TCP_LISTEN);
	ck_assert_uint_eq(i.unacked, 0);
	ck_assert_uint_eq(i.sacked, 16);
	SAY(t, .flags = SYN, .mss = 1460);
	ck_assert_uint_eq(toe_stream_tcp_info(t->w->n, t->listener, &i),
			  TOE_ST_OK);
	ck_assert_uint_eq(i.unacked, 0);	/* half open */
	HEAR(t, .flags = SYN | ACK, .seq = 0, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(toe_stream_tcp_info(t->w->n, t->listener, &i),
			  TOE_ST_OK);
	ck_assert_uint_eq(i.unacked, 1);
	toe_stream_accepted(t->w->n, t->h);
	ck_assert_uint_eq(toe_stream_tcp_info(t->w->n, t->listener, &i),
			  TOE_ST_OK);
	ck_assert_uint_eq(i.unacked, 0);
	i = ask(t);
	ck_assert_uint_eq(i.state, TOE_TCP_ESTABLISHED);
	ck_assert_uint_eq(i.segs_in, 2);
	ck_assert_uint_eq(i.segs_out, 1);
	ck_assert_uint_eq(toe_stream_tcp_info(t->w->n, t->h + 1, &i),
			  TOE_ST_HANDLE);
	ck_assert_uint_eq(toe_stream_tcp_info(t->w->n, 0, &i), TOE_ST_HANDLE);
	talk_free(t);
}
END_TEST

START_TEST(what_was_agreed)
{
	struct talk *t = talk_new();
	struct toe_hw_tcp_info i;

	open_with_sack(t);
	i = ask(t);
	ck_assert_uint_eq(i.options, TOE_INFO_OPT_SACK | TOE_INFO_OPT_WSCALE);
	ck_assert_uint_eq(i.snd_wscale, 2);
	ck_assert_uint_gt(i.rcv_wscale, 0);
	ck_assert_uint_eq(i.snd_mss, 1460);
	ck_assert_uint_eq(i.advmss, 1460);
	ck_assert_uint_eq(i.pmtu, 1500);
	ck_assert_uint_eq(i.congestion, TOE_CC_CUBIC);
	ck_assert_uint_eq(i.snd_ssthresh, TOE_INFO_SSTHRESH_NONE);
	ck_assert_uint_eq(i.snd_cwnd, 10);	/* RFC 6928 */
	ck_assert_uint_eq(i.reordering, 3);
	ck_assert_uint_eq(i.ato, 40000);
	ck_assert_uint_eq(i.snd_wnd, 65535);	/* a SYN's is not scaled */
	ck_assert_uint_gt(i.rcv_wnd, 0);
	ck_assert_uint_ge(i.rcv_ssthresh, i.rcv_wnd);
	talk_free(t);

	t = talk_new();
	talk_open_active(t, &(struct talk_seg){ .mss = 1000, .ts = true,
						.tsval = 1 });
	i = ask(t);
	ck_assert_uint_eq(i.options, TOE_INFO_OPT_TIMESTAMPS);
	ck_assert_uint_eq(i.snd_mss, 988);	/* RFC 6691: options taken off */
	talk_free(t);
}
END_TEST

START_TEST(accounts_of_the_sender)
{
	struct talk *t = talk_new();
	struct toe_hw_tcp_info i;

	talk_open_active(t, NULL);
	talk_send(t, 0, 3000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1460);
	HEAR(t, .flags = ACK, .seq = 1461, .ack = 1, .len = 1460);
	SILENCE(t);			/* Nagle holds 80 bytes */
	world_advance(t->w, 20 * MS);
	i = ask(t);
	ck_assert_uint_eq(i.unacked, 2);
	ck_assert_uint_eq(i.notsent_bytes, 80);
	ck_assert_uint_eq(i.bytes_sent, 2920);
	ck_assert_uint_eq(i.bytes_acked, 0);
	ck_assert_uint_eq(i.data_segs_out, 2);
	ck_assert_uint_eq(i.segs_out, 4);	/* SYN, ACK, two of data */
	ck_assert_uint_eq(i.last_data_sent, 20);
	ck_assert_uint_eq(i.delivered, 0);
	SAY(t, .flags = ACK, .seq = 1, .ack = 2921);
	HEAR(t, .flags = ACK | PSH, .seq = 2921, .ack = 1, .len = 80);
	world_advance(t->w, 5 * MS);
	i = ask(t);
	ck_assert_uint_eq(i.unacked, 1);
	ck_assert_uint_eq(i.delivered, 2);
	ck_assert_uint_eq(i.bytes_acked, 2920);
	ck_assert_uint_eq(i.bytes_sent, 3000);
	ck_assert_uint_eq(i.notsent_bytes, 0);
	ck_assert_uint_eq(i.last_ack_recv, 5);
	/*
	 * The first sample is the handshake's, which took no time (1 us is the
	 * least); RFC 6298 (2.3) smooths the second into it.
	 */
	ck_assert_uint_ge(i.rtt, 20000 / 8);
	ck_assert_uint_le(i.rtt, 20000 / 8 + 2);
	ck_assert_uint_gt(i.rttvar, 0);
	ck_assert_uint_gt(i.rto, i.rtt);
	SAY(t, .flags = ACK, .seq = 1, .ack = 3001);
	i = ask(t);
	ck_assert_uint_eq(i.unacked, 0);
	ck_assert_uint_eq(i.bytes_acked, 3000);
	ck_assert_uint_eq(i.bytes_retrans, 0);
	ck_assert_uint_eq(i.total_retrans, 0);
	talk_free(t);
}
END_TEST

START_TEST(accounts_of_the_receiver)
{
	struct talk *t = talk_new();
	struct toe_hw_tcp_info i;

	open_with_sack(t);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1001);
	SAY(t, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
	world_forget(t->w);
	world_advance(t->w, 7 * MS);
	i = ask(t);
	ck_assert_uint_eq(i.bytes_received, 1000);
	ck_assert_uint_eq(i.data_segs_in, 2);
	ck_assert_uint_eq(i.rcv_ooopack, 1);
	ck_assert_uint_eq(i.rcv_mss, 1000);
	ck_assert_uint_eq(i.last_data_recv, 7);
	SAY(t, .flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	world_forget(t->w);
	i = ask(t);
	ck_assert_uint_eq(i.bytes_received, 3000);
	g_string_truncate(t->log, 0);
	talk_drop(t);
}
END_TEST

START_TEST(loss_and_recovery)
{
	struct talk *t = talk_new();
	struct toe_hw_tcp_info i;
	unsigned k;

	open_with_sack(t);
	talk_send(t, 0, 10 * 1460);
	for (k = 0; k < 10; k++)
		HEAR(t, .flags = ACK, .seq = 1 + k * 1460, .ack = 1,
		     .len = 1460);
	world_advance(t->w, 5 * MS);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .sacks = 1,
	    .sack = { { 1461, 2921 } });
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1460);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .sacks = 1,
	    .sack = { { 1461, 2921 + 3 * 1460 } });
	i = ask(t);
	ck_assert_uint_eq(i.ca_state, TOE_CA_RECOVERY);
	ck_assert_uint_eq(i.sacked, 4);
	ck_assert_uint_eq(i.retrans, 1);
	ck_assert_uint_eq(i.unacked, 10);
	ck_assert_uint_eq(i.delivered, 4);
	ck_assert_uint_eq(i.total_retrans, 1);
	ck_assert_uint_eq(i.bytes_retrans, 1460);
	ck_assert_uint_eq(i.bytes_sent, 11 * 1460);
	ck_assert_uint_lt(i.snd_ssthresh, 10);
	/* All arrives, one of them twice: RFC 2883. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 14601, .sacks = 1,
	    .sack = { { 1, 1461 } });
	i = ask(t);
	ck_assert_uint_eq(i.ca_state, TOE_CA_OPEN);
	ck_assert_uint_eq(i.delivered, 10);
	ck_assert_uint_eq(i.dsack_dups, 1);
	ck_assert_uint_eq(i.retrans, 0);
	g_string_truncate(t->log, 0);
	talk_drop(t);
}
END_TEST

START_TEST(disorder)
{
	struct talk *t = talk_new();
	struct toe_hw_tcp_info i;

	talk_open_active(t, NULL);
	talk_send(t, 0, 2 * 1460);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1460);
	HEAR(t, .flags = ACK | PSH, .seq = 1461, .ack = 1, .len = 1460);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	i = ask(t);
	ck_assert_uint_eq(i.ca_state, TOE_CA_DISORDER);
	SAY(t, .flags = ACK, .seq = 1, .ack = 2921);
	i = ask(t);
	ck_assert_uint_eq(i.ca_state, TOE_CA_OPEN);
	talk_free(t);
}
END_TEST

START_TEST(time_out)
{
	struct talk *t = talk_new();
	struct toe_hw_tcp_info i;

	open_with_sack(t);
	talk_send(t, 0, 1000);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 1000);
	world_advance(t->w, 30 * SEC);
	world_forget(t->w);
	i = ask(t);
	ck_assert_uint_eq(i.ca_state, TOE_CA_LOSS);
	ck_assert_uint_ge(i.backoff, 3);
	ck_assert_uint_eq(i.retransmits, i.backoff);
	ck_assert_uint_ge(i.total_retrans, i.retransmits);
	ck_assert_uint_eq(i.bytes_retrans, 1000 * i.total_retrans);
	ck_assert_uint_eq(i.snd_cwnd, 1);
	talk_drop(t);
}
END_TEST

START_TEST(congestion_marks)
{
	struct talk *t = talk_new();
	struct toe_hw_tcp_info i;

	talk_connect(t);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->h, TOE_OPT_ECN,
					    TOE_ECN_MODE_ON), TOE_ST_OK);
	HEAR(t, .flags = SYN | ECE | CWR);
	SAY(t, .flags = SYN | ACK | ECE, .ack = 1, .mss = 1460,
	    .sackok = true);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	i = ask(t);
	ck_assert_uint_eq(i.options, TOE_INFO_OPT_SACK | TOE_INFO_OPT_ECN);
	talk_send(t, 0, 4 * 1460);
	world_run(t->w);
	world_forget(t->w);
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 2921);
	i = ask(t);
	ck_assert_uint_eq(i.ca_state, TOE_CA_CWR);
	ck_assert_uint_eq(i.delivered, 2);
	ck_assert_uint_eq(i.delivered_ce, 2);
	SAY(t, .flags = ACK, .seq = 1, .ack = 5841);
	i = ask(t);
	ck_assert_uint_eq(i.delivered, 4);
	ck_assert_uint_eq(i.delivered_ce, 2);
	/* Data that may be marked, or not, or is. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 5841, .len = 100);
	ck_assert(!(ask(t).options & TOE_INFO_OPT_ECN_SEEN));
	SAY(t, .flags = ACK, .seq = 101, .ack = 5841, .len = 100, .tos = 2);
	ck_assert(ask(t).options & TOE_INFO_OPT_ECN_SEEN);
	world_forget(t->w);
	g_string_truncate(t->log, 0);
	talk_drop(t);
}
END_TEST

/* n full segments go out now. */
static void hear_segments(struct talk *t, uint32_t off, unsigned n)
{
	while (n--) {
		const struct talk_seg *s = talk_any(t);

		ck_assert_ptr_nonnull(s);
		ck_assert_uint_eq(s->seq, 1 + off);
		ck_assert_uint_eq(s->len, 1460);
		off += 1460;
	}
	SILENCE(t);
}

START_TEST(rate_of_delivery)
{
	struct talk *t = talk_new();
	struct toe_hw_tcp_info i;
	unsigned k;

	if (_i)
		open_with_sack(t);
	else
		talk_open_active(t, NULL);
	ck_assert_uint_eq(ask(t).delivery_rate, 0);
	/* A window of ten at once, and its ACK 100 ms later. */
	talk_send(t, 0, 40 * 1460);
	hear_segments(t, 0, 10);
	world_advance(t->w, 100 * MS);
	ck_assert_uint_eq(ask(t).delivery_rate, 0);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 10 * 1460);
	i = ask(t);
	ck_assert_uint_eq(i.delivery_rate, 10 * 1460 * 10);
	ck_assert_uint_eq(i.app_limited, 1);	/* nothing was sent before */
	/* More than ten, of which two arrive. */
	world_forget(t->w);
	world_advance(t->w, 100 * MS);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 12 * 1460);
	i = ask(t);
	ck_assert_uint_eq(i.delivery_rate, 2 * 1460 * 10);
	ck_assert_uint_eq(i.app_limited, 0);
	/* To the end; what is timed then is not held up by the application. */
	for (k = 13; k <= 40; k++) {
		world_advance(t->w, MS);
		SAY(t, .flags = ACK, .seq = 1, .ack = 1 + k * 1460);
		world_forget(t->w);
	}
	i = ask(t);
	ck_assert_uint_gt(i.delivery_rate, 50000);
	ck_assert_uint_eq(i.app_limited, 0);
	/* A trickle is not what the path can do. */
	talk_send(t, 40 * 1460, 1460);
	world_forget(t->w);
	world_advance(t->w, 100 * MS);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 41 * 1460);
	ck_assert_uint_eq(ask(t).delivery_rate, i.delivery_rate);
	ck_assert_uint_eq(ask(t).app_limited, 0);
	g_string_truncate(t->log, 0);
	talk_drop(t);
}
END_TEST

START_TEST(rate_of_what_was_sent_again)
{
	struct talk *t = talk_new();

	/* Which copy arrived?  It says nothing of the path. */
	open_with_sack(t);
	talk_send(t, 0, 1000);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 1000);
	world_advance(t->w, 2 * SEC);
	world_forget(t->w);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1001);
	ck_assert_uint_eq(ask(t).delivery_rate, 0);
	/* The next one does. */
	talk_send(t, 1000, 1000);
	HEAR(t, .flags = ACK | PSH, .seq = 1001, .ack = 1, .len = 1000);
	world_advance(t->w, 50 * MS);
	SAY(t, .flags = ACK, .seq = 1, .ack = 2001);
	ck_assert_uint_eq(ask(t).delivery_rate, 20000);
	g_string_truncate(t->log, 0);
	talk_drop(t);
}
END_TEST

START_TEST(reordering_seen)
{
	struct talk *t = talk_new();
	struct toe_hw_tcp_info i;

	/* A round trip of 20 ms, a quarter of which may be reordering. */
	talk_connect(t);
	HEAR(t, .flags = SYN);
	world_advance(t->w, 20 * MS);
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460, .sackok = true);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	talk_send(t, 0, 10 * 1460);
	hear_segments(t, 0, 10);
	world_advance(t->w, 20 * MS);
	/* The 7th comes before the 2nd. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1461, .sacks = 1,
	    .sack = { { 1 + 6 * 1460, 1 + 7 * 1460 } });
	ck_assert_uint_eq(ask(t).reordering, 3);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 2 * 1460, .sacks = 1,
	    .sack = { { 1 + 6 * 1460, 1 + 7 * 1460 } });
	i = ask(t);
	ck_assert_uint_eq(i.reordering, 6);
	ck_assert_uint_eq(i.reord_seen, 1);
	/* Less of it changes nothing. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 7 * 1460);
	i = ask(t);
	ck_assert_uint_eq(i.reordering, 6);
	ck_assert_uint_eq(i.reord_seen, 2);
	world_forget(t->w);
	g_string_truncate(t->log, 0);
	talk_drop(t);
}
END_TEST

static int near(uint64_t us, int64_t want_ns)
{
	int64_t off = (int64_t)us * 1000 - want_ns;

	/* One tick at each end. */
	return off >= -(2ll << 18) && off <= 2ll << 18;
}

START_TEST(where_the_time_goes)
{
	struct talk *t = talk_new();
	struct toe_hw_tcp_info i;

	t->wnd = 2000;
	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_NODELAY, 1);
	world_advance(t->w, 100 * MS);
	i = ask(t);
	ck_assert_uint_eq(i.busy_time, 0);
	/* The path's time. */
	talk_send(t, 0, 1000);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 1000);
	world_advance(t->w, 50 * MS);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1001);
	world_advance(t->w, 300 * MS);
	i = ask(t);
	ck_assert(near(i.busy_time, 50 * MS));
	ck_assert_uint_eq(i.rwnd_limited, 0);
	/* The peer's window. */
	talk_send(t, 1000, 4000);
	HEAR(t, .flags = ACK, .seq = 1001, .ack = 1, .len = 1460);
	world_advance(t->w, 70 * MS);
	i = ask(t);
	ck_assert(near(i.rwnd_limited, 70 * MS));
	ck_assert(near(i.busy_time, 120 * MS));
	t->wnd = 60000;
	SAY(t, .flags = ACK, .seq = 1, .ack = 2461);
	HEAR(t, .flags = ACK, .seq = 2461, .ack = 1, .len = 1460);
	HEAR(t, .flags = ACK | PSH, .seq = 3921, .ack = 1, .len = 1080);
	world_advance(t->w, 30 * MS);
	i = ask(t);
	ck_assert(near(i.rwnd_limited, 70 * MS));
	ck_assert(near(i.busy_time, 150 * MS));
	SAY(t, .flags = ACK, .seq = 1, .ack = 5001);
	/* The send buffer's. */
	talk_setopt(t, TOE_OPT_SNDBUF, 4096);
	talk_send(t, 5000, 4096);
	ck_assert_uint_eq(toe_stream_send_space(t->w->n, t->h), 0);
	world_run(t->w);
	world_forget(t->w);
	world_advance(t->w, 40 * MS);
	i = ask(t);
	ck_assert(near(i.sndbuf_limited, 40 * MS));
	ck_assert(near(i.busy_time, 190 * MS));
	g_string_truncate(t->log, 0);
	talk_drop(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_info");
	TCase *tc = tcase_create("info");

	tcase_add_test(tc, states);
	tcase_add_test(tc, what_was_agreed);
	tcase_add_test(tc, accounts_of_the_sender);
	tcase_add_test(tc, accounts_of_the_receiver);
	tcase_add_test(tc, loss_and_recovery);
	tcase_add_test(tc, disorder);
	tcase_add_test(tc, time_out);
	tcase_add_test(tc, congestion_marks);
	tcase_add_test(tc, where_the_time_goes);
	tcase_add_loop_test(tc, rate_of_delivery, 0, 2);
	tcase_add_test(tc, rate_of_what_was_sent_again);
	tcase_add_test(tc, reordering_seen);
	suite_add_tcase(s, tc);
	return talk_main(s);
}
