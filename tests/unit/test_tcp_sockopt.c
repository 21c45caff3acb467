/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_sockopt.c - options that the owner of a connection sets, and the
 * sizes that buffers find by themselves.
 */
#include "common_tcp.h"

static uint64_t get(struct talk *t, uint32_t option)
{
	uint64_t value = 0;

	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, option, &value),
			  TOE_ST_OK);
	return value;
}

static uint8_t set(struct talk *t, uint32_t option, uint64_t value)
{
	return toe_stream_setopt(t->w->n, t->h, option, value);
}

static struct toe_hw_tcp_info ask(struct talk *t)
{
	struct toe_hw_tcp_info i;

	ck_assert_uint_eq(toe_stream_tcp_info(t->w->n, t->h, &i), TOE_ST_OK);
	return i;
}

/* ---- Values ---- */

START_TEST(values_are_checked)
{
	static const struct {
		uint32_t option;
		uint64_t bad, good, unset;
	} table[] = {
		{ TOE_OPT_CORK, 2, 1, 0 },
		{ TOE_OPT_KEEPINTVL, 32768, 10, 75 },
		{ TOE_OPT_KEEPCNT, 128, 3, 9 },
		{ TOE_OPT_LINGER, 5, TOE_LINGER_ON | 1000, 0 },
		{ TOE_OPT_QUICKACK, 2, 0, 1 },
		{ TOE_OPT_TOS, 256, 0x88, 0 },
		{ TOE_OPT_TTL, 256, 7, 64 },
		{ TOE_OPT_UTO, 4, TOE_UTO_TAKE, 0 },
	};
	struct talk *t = talk_new();
	size_t i;

	talk_open_active(t, NULL);
	for (i = 0; i < G_N_ELEMENTS(table); i++) {
		ck_assert_uint_eq(get(t, table[i].option), table[i].unset);
		ck_assert_uint_eq(set(t, table[i].option, table[i].bad),
				  TOE_ST_INVALID);
		ck_assert_uint_eq(set(t, table[i].option, UINT64_MAX),
				  TOE_ST_INVALID);
		ck_assert_uint_eq(get(t, table[i].option), table[i].unset);
		ck_assert_uint_eq(set(t, table[i].option, table[i].good),
				  TOE_ST_OK);
		ck_assert_uint_eq(get(t, table[i].option), table[i].good);
	}
	ck_assert_uint_eq(set(t, TOE_OPT_MAXSEG, 87), TOE_ST_INVALID);
	ck_assert_uint_eq(set(t, TOE_OPT_MAXSEG, 65536), TOE_ST_INVALID);
	ck_assert_uint_eq(set(t, TOE_OPT_LINGER, TOE_LINGER_ON << 1),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(set(t, 31, 0), TOE_ST_INVALID);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, 31,
					    &(uint64_t){ 0 }), TOE_ST_INVALID);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(a_listener_hands_down)
{
	static const struct {
		uint32_t option;
		uint64_t value;
	} table[] = {
		{ TOE_OPT_CORK, 1 }, { TOE_OPT_KEEPINTVL, 11 },
		{ TOE_OPT_KEEPCNT, 4 },
		{ TOE_OPT_LINGER, TOE_LINGER_ON | 1500 },
		{ TOE_OPT_NOTSENT_LOWAT, 5000 },
		{ TOE_OPT_WINDOW_CLAMP, 9000 }, { TOE_OPT_TOS, 0x20 },
		{ TOE_OPT_TTL, 33 },
		{ TOE_OPT_UTO, TOE_UTO_SEND | TOE_UTO_TAKE },
		{ TOE_OPT_MAXSEG, 900 }, { TOE_OPT_RCVBUF, 8192 },
		{ TOE_OPT_SNDBUF, 16384 }, { TOE_OPT_KEEPALIVE, 60 },
		{ TOE_OPT_USER_TIMEOUT, 7000 }, { TOE_OPT_NODELAY, 1 },
		{ TOE_OPT_CONGESTION, TOE_CC_NEWRENO },
	};
	struct talk *t = talk_new();
	const struct talk_seg *s;
	size_t i;

	talk_listen(t, 16);
	for (i = 0; i < G_N_ELEMENTS(table); i++)
		ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener,
						    table[i].option,
						    table[i].value),
				  TOE_ST_OK);
	SAY(t, .flags = SYN, .mss = 1460);
	s = HEAR(t, .flags = SYN | ACK, .seq = 0, .ack = 1);
	ck_assert_uint_eq(s->mss, 900);
	ck_assert_uint_eq(s->ttl, 33);
	ck_assert_uint_eq(s->tos, 0x20);
	ck_assert_uint_eq(s->uto, 7);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	for (i = 0; i < G_N_ELEMENTS(table); i++)
		ck_assert_uint_eq(get(t, table[i].option), table[i].value);
	talk_free(t);
}
END_TEST

/* ---- CORK ---- */

START_TEST(cork)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_NODELAY, 1);
	talk_setopt(t, TOE_OPT_CORK, 1);
	talk_send(t, 0, 100);
	SILENCE(t);			/* stronger than NODELAY */
	talk_send(t, 100, 1400);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1460);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1461);
	SILENCE(t);
	talk_setopt(t, TOE_OPT_CORK, 0);
	HEAR(t, .flags = ACK | PSH, .seq = 1461, .ack = 1, .len = 40);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1501);
	/* The ceiling. */
	talk_setopt(t, TOE_OPT_CORK, 1);
	talk_send(t, 1500, 10);
	world_advance(t->w, 199 * MS);
	SILENCE(t);
	world_advance(t->w, MS);
	HEAR(t, .flags = ACK | PSH, .seq = 1501, .ack = 1, .len = 10);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1511);
	/* NODELAY set again pushes once, and corked it stays. */
	talk_send(t, 1510, 10);
	talk_setopt(t, TOE_OPT_NODELAY, 1);
	HEAR(t, .flags = ACK | PSH, .seq = 1511, .ack = 1, .len = 10);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1521);
	talk_send(t, 1520, 10);
	SILENCE(t);
	/* The end of the stream takes it along. */
	talk_shutdown(t);
	HEAR(t, .flags = FIN | ACK | PSH, .seq = 1521, .ack = 1, .len = 10);
	g_string_truncate(t->log, 0);
	talk_free(t);
}
END_TEST

START_TEST(cork_ceiling_with_user_networking)
{
	ToeNopConfig config = world_default_config();
	struct talk *t;

	/* Silly windows wait 5 ms there, what is corked 200. */
	config.max_segment = 65535;
	t = talk_new_config(&config, 4u << 20);
	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_CORK, 1);
	talk_send(t, 0, 10);
	world_advance(t->w, 199 * MS);
	SILENCE(t);
	world_advance(t->w, MS);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	talk_free(t);
}
END_TEST

/* ---- MAXSEG ---- */

START_TEST(maxseg_before_connect)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	talk_connect(t);
	ck_assert_uint_eq(set(t, TOE_OPT_MAXSEG, 700), TOE_ST_OK);
	ck_assert_uint_eq(get(t, TOE_OPT_MAXSEG), 700);
	s = HEAR(t, .flags = SYN, .seq = 0);
	ck_assert_uint_eq(s->mss, 700);
	SAY(t, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	ck_assert_uint_eq(get(t, TOE_OPT_MAXSEG), 700);
	talk_send(t, 0, 1400);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 700);
	HEAR(t, .flags = ACK | PSH, .seq = 701, .ack = 1, .len = 700);
	talk_free(t);
}
END_TEST

START_TEST(maxseg_after_connect)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	ck_assert_uint_eq(get(t, TOE_OPT_MAXSEG), 1460);
	talk_setopt(t, TOE_OPT_MAXSEG, 500);
	ck_assert_uint_eq(get(t, TOE_OPT_MAXSEG), 500);
	talk_send(t, 0, 1000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 500);
	HEAR(t, .flags = ACK | PSH, .seq = 501, .ack = 1, .len = 500);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1001);
	/* Not above what the peer announced. */
	talk_setopt(t, TOE_OPT_MAXSEG, 60000);
	ck_assert_uint_eq(get(t, TOE_OPT_MAXSEG), 1460);
	talk_setopt(t, TOE_OPT_MAXSEG, 0);
	ck_assert_uint_eq(get(t, TOE_OPT_MAXSEG), 1460);
	talk_free(t);
}
END_TEST

/* ---- QUICKACK ---- */

/* RFC 5681 4.2 */
START_TEST(quickack)
{
	struct talk *t = talk_new();
	uint32_t seq = 1;

	talk_open_active(t, NULL);
	talk_warm_up(t, &seq);
	ck_assert_uint_eq(get(t, TOE_OPT_QUICKACK), 0);
	SAY(t, .flags = ACK, .seq = seq, .ack = 1, .len = 100);
	seq += 100;
	SILENCE(t);			/* delayed */
	talk_setopt(t, TOE_OPT_QUICKACK, 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = seq);
	SAY(t, .flags = ACK, .seq = seq, .ack = 1, .len = 100);
	seq += 100;
	HEAR(t, .flags = ACK, .seq = 1, .ack = seq);
	talk_setopt(t, TOE_OPT_QUICKACK, 0);
	SAY(t, .flags = ACK, .seq = seq, .ack = 1, .len = 100);
	seq += 100;
	SILENCE(t);
	world_advance(t->w, 40 * MS);
	HEAR(t, .flags = ACK, .seq = 1, .ack = seq);
	g_string_truncate(t->log, 0);
	talk_free(t);
}
END_TEST

/* ---- NOTSENT_LOWAT ---- */

START_TEST(notsent_lowat)
{
	struct talk *t = talk_new();

	t->wnd = 2920;
	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_NOTSENT_LOWAT, 2000);
	talk_send(t, 0, 2920 + 2000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1460);
	HEAR(t, .flags = ACK, .seq = 1461, .ack = 1, .len = 1460);
	ck_assert_uint_eq(toe_stream_send_space(t->w->n, t->h), 0);
	EVENTS(t, "");
	/* Not yet at half of it: 2000 - 970 wait, then 570. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 2921, .wnd = 970 + 1);
	EVENTS(t, "");
	ck_assert_uint_eq(toe_stream_send_space(t->w->n, t->h), 0);
	SAY(t, .flags = ACK, .seq = 1, .ack = 2921, .wnd = 1460 + 1);
	HEAR(t, .flags = ACK, .seq = 2921, .ack = 1, .len = 1460);
	EVENTS(t, "W");
	ck_assert_uint_gt(toe_stream_send_space(t->w->n, t->h), 0);
	talk_setopt(t, TOE_OPT_NOTSENT_LOWAT, 100);
	ck_assert_uint_eq(toe_stream_send_space(t->w->n, t->h), 0);
	talk_setopt(t, TOE_OPT_NOTSENT_LOWAT, 0);
	EVENTS(t, "W");
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

/* ---- WINDOW_CLAMP ---- */

START_TEST(window_clamp)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;
	uint32_t seq = 1, edge;

	talk_connect(t);
	ck_assert_uint_eq(set(t, TOE_OPT_WINDOW_CLAMP, 8000), TOE_ST_OK);
	s = HEAR(t, .flags = SYN, .seq = 0);
	ck_assert_uint_eq(s->window, 8000);
	SAY(t, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_le(s->window, 8000);
	EVENTS(t, "E");
	while (seq < 30000) {
		SAY(t, .flags = ACK, .seq = seq, .ack = 1, .len = 1000);
		talk_read(t, seq - 1, 1000);
		seq += 1000;
		world_advance(t->w, 40 * MS);
		while ((s = talk_any(t)))
			ck_assert_uint_le(s->window, 8000);
	}
	ck_assert_uint_eq(ask(t).rcv_wnd, 8000);
	/* What was promised is kept: RFC 9293 3.8.6. */
	edge = seq + ask(t).rcv_wnd;
	talk_setopt(t, TOE_OPT_WINDOW_CLAMP, 1);
	ck_assert_uint_eq(get(t, TOE_OPT_WINDOW_CLAMP), 1024);
	while (seq < edge) {
		SAY(t, .flags = ACK, .seq = seq, .ack = 1, .len = 1000);
		talk_read(t, seq - 1, 1000);
		seq += 1000;
		world_advance(t->w, 40 * MS);
		while ((s = talk_any(t)))
			ck_assert_uint_ge(seq + s->window, edge);
	}
	ck_assert_uint_le(ask(t).rcv_wnd, 1024);
	ck_assert_uint_gt(ask(t).rcv_wnd, 0);
	talk_setopt(t, TOE_OPT_WINDOW_CLAMP, 0);
	s = talk_any(t);
	ck_assert(s && s->window > 8000);
	g_string_truncate(t->log, 0);
	talk_free(t);
}
END_TEST

/* ---- TOS, TTL ---- */

START_TEST(tos_and_ttl)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	talk_connect(t);
	ck_assert_uint_eq(set(t, TOE_OPT_TOS, 0xff), TOE_ST_OK);
	ck_assert_uint_eq(get(t, TOE_OPT_TOS), 0xfc);	/* not ECN's */
	ck_assert_uint_eq(set(t, TOE_OPT_TTL, 3), TOE_ST_OK);
	s = HEAR(t, .flags = SYN, .seq = 0);
	ck_assert_uint_eq(s->tos, 0xfc);
	ck_assert_uint_eq(s->ttl, 3);
	SAY(t, .flags = SYN | ACK, .seq = 0, .ack = 1);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(s->ttl, 3);
	EVENTS(t, "E");
	talk_setopt(t, TOE_OPT_TTL, 0);
	talk_setopt(t, TOE_OPT_TOS, 0x10);
	talk_send(t, 0, 10);
	s = HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	ck_assert_uint_eq(s->tos, 0x10);
	ck_assert_uint_eq(s->ttl, 64);
	talk_free(t);
}
END_TEST

/* ---- LINGER ---- */

/* RFC 9293 3.6 */
START_TEST(linger_waits_for_the_last_ack)
{
	struct talk *t = talk_new();
	bool delivered;

	talk_open_active(t, NULL);
	ck_assert(!toe_stream_linger(t->w->n, t->h, &delivered));
	talk_setopt(t, TOE_OPT_LINGER, TOE_LINGER_ON | 1000);
	talk_send(t, 0, 10);
	ck_assert(toe_stream_linger(t->w->n, t->h, &delivered));
	HEAR(t, .flags = FIN | ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	SAY(t, .flags = ACK, .seq = 1, .ack = 11);
	ck_assert(toe_stream_linger(t->w->n, t->h, &delivered));
	EVENTS(t, "");
	SAY(t, .flags = ACK, .seq = 1, .ack = 12);
	EVENTS(t, "W");
	ck_assert(!toe_stream_linger(t->w->n, t->h, &delivered));
	ck_assert(delivered);
	toe_stream_close(t->w->n, t->h);
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 12);
	HEAR(t, .flags = ACK, .seq = 12, .ack = 2);
	talk_free(t);
}
END_TEST

START_TEST(linger_time_is_over)
{
	struct talk *t = talk_new();
	bool delivered;

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_LINGER, TOE_LINGER_ON | 1000);
	talk_send(t, 0, 10);
	ck_assert(toe_stream_linger(t->w->n, t->h, &delivered));
	HEAR(t, .flags = FIN | ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	world_advance(t->w, 999 * MS);
	EVENTS(t, "");
	world_advance(t->w, MS);
	EVENTS(t, "W");
	ck_assert(!toe_stream_linger(t->w->n, t->h, &delivered));
	ck_assert(!delivered);
	toe_stream_close(t->w->n, t->h);
	world_forget(t->w);
	/* Delivery goes on all the same. */
	world_advance(t->w, 4 * SEC);
	HEAR(t, .flags = FIN | ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(linger_ends_with_the_connection)
{
	struct talk *t = talk_new();
	bool delivered;

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_LINGER, TOE_LINGER_ON | 60000);
	ck_assert(toe_stream_linger(t->w->n, t->h, &delivered));
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	/* Nobody will read what comes now. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	HEAR(t, .flags = RST | ACK, .seq = 2, .ack = 1);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_ABORTED);
	toe_stream_close(t->w->n, t->h);
	talk_free(t);

	/* Unread bytes: nothing to wait for. */
	t = talk_new();
	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_LINGER, TOE_LINGER_ON | 60000);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 11);
	ck_assert(!toe_stream_linger(t->w->n, t->h, &delivered));
	toe_stream_close(t->w->n, t->h);
	HEAR(t, .flags = RST | ACK, .seq = 1, .ack = 11);
	g_string_truncate(t->log, 0);
	talk_free(t);
}
END_TEST

START_TEST(linger_zero_resets)
{
	struct talk *t = talk_new();
	bool delivered;

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_LINGER, TOE_LINGER_ON);
	t->wnd = 0;
	talk_send(t, 0, 10);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	ck_assert(!toe_stream_linger(t->w->n, t->h, &delivered));
	toe_stream_close(t->w->n, t->h);
	HEAR(t, .flags = RST | ACK, .seq = 11, .ack = 1);
	talk_free(t);
}
END_TEST

/* ---- Keepalive, R2 and the user time-out ---- */

/* RFC 9293 3.8.4 */
START_TEST(keepalive_with_interval_and_count)
{
	struct talk *t = talk_new();
	unsigned i;

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_KEEPALIVE, 100);
	talk_setopt(t, TOE_OPT_KEEPINTVL, 7);
	talk_setopt(t, TOE_OPT_KEEPCNT, 3);
	talk_wait(t, 99 * SEC);
	SILENCE(t);
	talk_wait(t, SEC);
	HEAR(t, .flags = ACK, .seq = 0, .ack = 1);
	/* An answer starts it anew (RFC 9293 3.8.4). */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	talk_wait(t, 99 * SEC);
	SILENCE(t);
	talk_wait(t, SEC);
	for (i = 0; i < 3; i++) {
		HEAR(t, .flags = ACK, .seq = 0, .ack = 1);
		talk_wait(t, 6 * SEC);
		SILENCE(t);
		EVENTS(t, "");
		talk_wait(t, SEC);
	}
	HEAR(t, .flags = RST | ACK, .seq = 1, .ack = 1);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_TIMEDOUT);
	toe_stream_close(t->w->n, t->h);
	talk_free(t);
}
END_TEST

/* RFC 9293 3.8.4 */
START_TEST(keepalive_is_off_by_default)
{
	struct talk *t = talk_new();

	/* RFC 1122 4.2.3.6: MUST default to off. */
	talk_open_active(t, NULL);
	talk_wait(t, 4 * 3600 * SEC);
	SILENCE(t);
	talk_free(t);
}
END_TEST

/* Time from the first transmission until the connection is given up. */
static int64_t given_up_after(struct talk *t)
{
	int64_t begin = t->w->now;

	while (!t->log->len && t->w->now - begin < 7200 * SEC)
		talk_wait(t, SEC / 4);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_TIMEDOUT);
	return t->w->now - begin;
}

/* RFC 9293 3.8.3 */
START_TEST(r2_by_default)
{
	struct talk *t = talk_new();
	int64_t took;

	/* RFC 9293 3.8.3: at least 100 s, and R1 retransmissions before. */
	talk_open_active(t, NULL);
	talk_send(t, 0, 10);
	took = given_up_after(t);
	ck_assert_int_ge(took, 100 * SEC);
	ck_assert_int_le(took, 130 * SEC);
	ck_assert_uint_ge(COUNTER(t, TCP_RETRANSMITS), 3);
	toe_stream_close(t->w->n, t->h);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

/* RFC 5482 3.1 */
START_TEST(user_timeout_is_ours_alone)
{
	struct talk *t = talk_new();
	int64_t took;

	/* A peer's option means nothing to who did not ask for it. */
	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_USER_TIMEOUT, 20000);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .uto = 1000);
	talk_send(t, 0, 10);
	took = given_up_after(t);
	ck_assert_int_ge(took, 20 * SEC);
	ck_assert_int_le(took, 22 * SEC);
	toe_stream_close(t->w->n, t->h);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

/* RFC 5482 3.1 */
START_TEST(uto_is_taken_within_bounds)
{
	static const struct {
		uint16_t uto;		/* as on the wire */
		int64_t ours_ms, want_s;
	} table[] = {
		{ 300, 0, 300 },		/* seconds */
		{ 0x8000 | 10, 0, 600 },	/* minutes */
		{ 5, 0, 120 },			/* ours is longer */
		{ 5, 20000, 100 },		/* L_LIMIT */
		{ 0x8000 | 1000, 0, 900 },	/* U_LIMIT, set below */
		{ 0, 0, 120 },			/* nothing: section 3.2 */
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(table); i++) {
		struct talk *t = talk_new();
		int64_t took;

		ck_assert_uint_eq(toe_nop_param_set(t->w->n,
						    TOE_PARAM_UTO_MAX_MS,
						    900000), TOE_ST_OK);
		talk_open_active(t, NULL);
		talk_setopt(t, TOE_OPT_UTO, TOE_UTO_TAKE);
		talk_setopt(t, TOE_OPT_USER_TIMEOUT,
			    (uint64_t)table[i].ours_ms);
		SAY(t, .flags = ACK, .seq = 1, .ack = 1,
		    .uto = table[i].uto);
		talk_send(t, 0, 10);
		took = given_up_after(t) / SEC;
		ck_assert_int_ge(took, table[i].want_s);
		ck_assert_int_le(took, table[i].want_s + 65);
		toe_stream_close(t->w->n, t->h);
		world_forget(t->w);
		talk_drop(t);
	}
}
END_TEST

/* RFC 5482 3.2 */
START_TEST(uto_is_sent_when_asked)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_USER_TIMEOUT, 1500);
	SILENCE(t);
	talk_setopt(t, TOE_OPT_UTO, TOE_UTO_SEND);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(s->uto, 2);		/* rounded up */
	/* Once: not with what follows. */
	talk_send(t, 0, 10);
	s = HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	ck_assert_uint_eq(s->uto, 0);
	/* A change is told; too many seconds are minutes. */
	talk_setopt(t, TOE_OPT_USER_TIMEOUT, 40000 * 1000u);
	s = HEAR(t, .flags = ACK, .seq = 11, .ack = 1);
	ck_assert_uint_eq(s->uto, 0x8000 | 667);
	/* With data to send the option has a segment of its own. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 11);
	talk_setopt(t, TOE_OPT_USER_TIMEOUT, 5000);
	talk_send(t, 10, 1460);
	s = HEAR(t, .flags = ACK | PSH, .seq = 11, .ack = 1, .len = 1460);
	ck_assert_uint_eq(s->uto, 0);
	s = HEAR(t, .flags = ACK, .seq = 1471, .ack = 1);
	ck_assert_uint_eq(s->uto, 5);
	talk_free(t);
}
END_TEST

/* ---- Auto-tuning ---- */

/* RFC 7323 2.3 */
START_TEST(window_scale_is_for_the_largest)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	talk_connect(t);
	s = HEAR(t, .flags = SYN, .seq = 0);
	ck_assert_int_eq(s->wscale, 7 + 1);	/* 4 MiB */
	talk_drop(t);
	t = talk_new();
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_RCVBUF_MAX,
					    16u << 20), TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_RCVBUF_MAX,
					    (16u << 20) + 1), TOE_ST_INVALID);
	talk_connect(t);
	s = HEAR(t, .flags = SYN, .seq = 0);
	ck_assert_int_eq(s->wscale, 9 + 1);
	SAY(t, .flags = SYN | ACK, .seq = 0, .ack = 1, .wscale = 1);
	world_forget(t->w);
	ck_assert_uint_eq(ask(t).rcv_wscale, 9);
	talk_drop(t);
}
END_TEST

#define RTT (20 * MS)

/*
 * A round trip: the peer sends n segments and the application reads what share
 * of them it wants.  The adapter's ACKs are not looked at.
 */
static void round_trip(struct talk *t, uint32_t *seq, uint32_t n, bool read)
{
	while (n--) {
		SAY(t, .flags = ACK, .seq = *seq, .ack = 1, .len = 1460);
		if (read)
			talk_read(t, *seq - 1, 1460);
		*seq += 1460;
	}
	world_advance(t->w, RTT);
	world_forget(t->w);
}

static struct talk *tuned_talk(uint32_t rcvbuf)
{
	ToeNopConfig config = world_default_config();
	struct talk *t = talk_new_config(&config, 64u << 20);

	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_RCVBUF,
					    rcvbuf), TOE_ST_OK);
	talk_connect(t);
	HEAR(t, .flags = SYN, .seq = 0);
	world_advance(t->w, RTT);	/* so the handshake says */
	SAY(t, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460,
	    .wscale = 8, .sackok = true);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	ck_assert_uint_eq(get(t, TOE_OPT_RCVBUF), rcvbuf);
	return t;
}

START_TEST(receive_buffer_follows_the_reader)
{
	struct talk *t = tuned_talk(65536);
	uint32_t seq = 1, before;

	round_trip(t, &seq, 10, true);
	round_trip(t, &seq, 20, true);
	ck_assert_uint_gt(get(t, TOE_OPT_RCVBUF), 65536);
	round_trip(t, &seq, 40, true);
	round_trip(t, &seq, 1, true);	/* whose first read ends the round */
	/* Twice of what the last round took, at least. */
	ck_assert_uint_ge(get(t, TOE_OPT_RCVBUF), 2 * 40 * 1460);
	ck_assert_uint_ge(ask(t).rcv_space, 40 * 1460);
	ck_assert_uint_gt(ask(t).rcv_wnd, 65536);
	/* No more than that is of use, and none is taken back. */
	before = (uint32_t)get(t, TOE_OPT_RCVBUF);
	round_trip(t, &seq, 10, true);
	round_trip(t, &seq, 10, true);
	ck_assert_uint_eq(get(t, TOE_OPT_RCVBUF), before);
	talk_drop(t);
}
END_TEST

START_TEST(receive_buffer_has_an_end)
{
	struct talk *t = tuned_talk(65536);
	uint32_t seq = 1, n;

	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_RCVBUF_MAX,
					    150000), TOE_ST_OK);
	for (n = 10; n <= 80; n *= 2)
		round_trip(t, &seq, n, true);
	ck_assert_uint_eq(get(t, TOE_OPT_RCVBUF), 150000);
	talk_drop(t);
}
END_TEST

START_TEST(receive_buffer_set_by_hand_stays)
{
	struct talk *t = tuned_talk(65536);
	uint32_t seq = 1, n;

	talk_setopt(t, TOE_OPT_RCVBUF, 70000);
	for (n = 10; n <= 40; n *= 2)
		round_trip(t, &seq, n, true);
	ck_assert_uint_eq(get(t, TOE_OPT_RCVBUF), 70000);
	talk_drop(t);
}
END_TEST

START_TEST(receive_buffer_of_who_does_not_read)
{
	struct talk *t = tuned_talk(65536);
	uint32_t seq = 1;

	round_trip(t, &seq, 10, false);
	round_trip(t, &seq, 20, false);
	round_trip(t, &seq, 10, false);
	ck_assert_uint_eq(get(t, TOE_OPT_RCVBUF), 65536);
	talk_drop(t);
}
END_TEST

START_TEST(receive_buffer_under_pressure)
{
	struct talk *t = tuned_talk(65536);
	ToeChain hog = toe_chain_init();
	uint32_t seq = 1, n;

	ck_assert(toe_chain_extend(t->w->lm, &hog, 50u << 20, TOE_LMEM_IN));
	for (n = 10; n <= 40; n *= 2)
		round_trip(t, &seq, n, true);
	ck_assert_uint_eq(get(t, TOE_OPT_RCVBUF), 65536);
	toe_chain_clear(t->w->lm, &hog);
	talk_drop(t);
}
END_TEST

/* Send as much as fits, and acknowledge all that comes. */
static void send_round(struct talk *t, uint32_t *off, uint32_t *acked)
{
	uint32_t space = toe_stream_send_space(t->w->n, t->h);
	const struct talk_seg *s;

	if (space)
		talk_send(t, *off, space);
	*off += space;
	world_advance(t->w, RTT);
	while ((s = talk_any(t)))
		if (s->seq + s->len > *acked)
			*acked = s->seq + s->len;
	SAY(t, .flags = ACK, .seq = 1, .ack = *acked);
	world_run(t->w);
	while ((s = talk_any(t)))
		if (s->seq + s->len > *acked)
			*acked = s->seq + s->len;
}

START_TEST(send_buffer_follows_cwnd)
{
	ToeNopConfig config = world_default_config();
	struct talk *t = talk_new_config(&config, 64u << 20);
	uint32_t off = 0, acked = 1;
	unsigned i;

	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_SNDBUF, 32768),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_SNDBUF_MAX,
					    300000), TOE_ST_OK);
	talk_open_active(t, &(struct talk_seg){ .mss = 1460, .wscale = 8,
						.sackok = true });
	ck_assert_uint_eq(get(t, TOE_OPT_SNDBUF), 32768);
	for (i = 0; i < 4; i++)
		send_round(t, &off, &acked);
	ck_assert_uint_gt(get(t, TOE_OPT_SNDBUF), 32768);
	for (i = 0; i < 12; i++)
		send_round(t, &off, &acked);
	ck_assert_uint_eq(get(t, TOE_OPT_SNDBUF), 300000);
	world_forget(t->w);
	talk_drop(t);
	/* Set by hand it stays. */
	t = talk_new_config(&config, 64u << 20);
	talk_open_active(t, &(struct talk_seg){ .mss = 1460, .wscale = 8,
						.sackok = true });
	talk_setopt(t, TOE_OPT_SNDBUF, 32768);
	for (off = 0, acked = 1, i = 0; i < 8; i++)
		send_round(t, &off, &acked);
	ck_assert_uint_eq(get(t, TOE_OPT_SNDBUF), 32768);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_sockopt");
	TCase *tc = tcase_create("options");

	tcase_add_test(tc, values_are_checked);
	tcase_add_test(tc, a_listener_hands_down);
	tcase_add_test(tc, cork);
	tcase_add_test(tc, cork_ceiling_with_user_networking);
	tcase_add_test(tc, maxseg_before_connect);
	tcase_add_test(tc, maxseg_after_connect);
	tcase_add_test(tc, quickack);
	tcase_add_test(tc, notsent_lowat);
	tcase_add_test(tc, window_clamp);
	tcase_add_test(tc, tos_and_ttl);
	tcase_add_test(tc, linger_waits_for_the_last_ack);
	tcase_add_test(tc, linger_time_is_over);
	tcase_add_test(tc, linger_ends_with_the_connection);
	tcase_add_test(tc, linger_zero_resets);
	suite_add_tcase(s, tc);
	tc = tcase_create("time");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, keepalive_with_interval_and_count);
	tcase_add_test(tc, keepalive_is_off_by_default);
	tcase_add_test(tc, r2_by_default);
	tcase_add_test(tc, user_timeout_is_ours_alone);
	tcase_add_test(tc, uto_is_taken_within_bounds);
	tcase_add_test(tc, uto_is_sent_when_asked);
	suite_add_tcase(s, tc);
	tc = tcase_create("buffers");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, window_scale_is_for_the_largest);
	tcase_add_test(tc, receive_buffer_follows_the_reader);
	tcase_add_test(tc, receive_buffer_has_an_end);
	tcase_add_test(tc, receive_buffer_set_by_hand_stays);
	tcase_add_test(tc, receive_buffer_of_who_does_not_read);
	tcase_add_test(tc, receive_buffer_under_pressure);
	tcase_add_test(tc, send_buffer_follows_cwnd);
	suite_add_tcase(s, tc);
	return talk_main(s);
}
