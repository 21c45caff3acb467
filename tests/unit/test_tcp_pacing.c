/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_pacing.c - new data is spread over the round trip, or goes no faster
 * than the application allows.
 */
#include "common_tcp.h"
#include "nop/tcp/tcp.h"

#define M	1460u

static ToeNcb *ncb(struct talk *t)
{
	return toe_ncb_by_handle(t->w->n->tcp, t->h);
}

/* A connection whose round trip is us, as its SYN measured. */
static struct talk *open_rtt(const ToeNopConfig *config, int64_t us)
{
	struct talk *t = talk_new_config(config, 32 << 20);

	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_PACING, 1),
			  TOE_ST_OK);
	talk_connect(t);
	HEAR(t, .flags = SYN);
	t->w->now += us * 1000;
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460, .sackok = true,
	    .wscale = 8);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	/* A window that is never the limit. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(talk_info(t, t->h).srtt_us, us);
	talk_setopt(t, TOE_OPT_SNDBUF, 4 << 20);
	return t;
}

static struct talk *open_ms(unsigned ms)
{
	ToeNopConfig config = world_default_config();

	return open_rtt(&config, ms * 1000);
}

/* Bytes that were sent meanwhile. */
static uint32_t heard(struct talk *t)
{
	const struct talk_seg *s;
	uint32_t bytes = 0;

	while ((s = talk_any(t)))
		bytes += s->len;
	return bytes;
}

START_TEST(spread_in_slow_start)
{
	struct talk *t = open_ms(100);
	unsigned i;

	/* 20 segments at 2 x 20 in 100 ms: ten at once, then two in 5 ms. */
	ncb(t)->cwnd = 20 * M;
	talk_send(t, 0, 100 * M);
	ck_assert_uint_eq(heard(t), 10 * M);
	world_advance(t->w, 4 * MS);
	ck_assert_uint_eq(heard(t), 0);
	for (i = 0; i < 5; i++) {
		world_advance(t->w, 5 * MS);
		ck_assert_uint_eq(heard(t), 2 * M);
	}
	/* Then cwnd is the limit, in half a round trip. */
	world_advance(t->w, 50 * MS);
	ck_assert_uint_eq(heard(t), 0);
	ck_assert_uint_ge(COUNTER(t, TCP_PACED), 5);
	talk_drop(t);
}
END_TEST

START_TEST(spread_in_avoidance)
{
	struct talk *t = open_ms(100);
	uint32_t sent = 0;
	unsigned i;

	/* 1.2 x 120 in 100 ms: 14 in 10 ms. */
	ncb(t)->cwnd = ncb(t)->ssthresh = 120 * M;
	talk_send(t, 0, 200 * M);
	sent = heard(t);
	ck_assert_uint_ge(sent, 10 * M);
	ck_assert_uint_le(sent, 11 * M);
	for (i = 1; i <= 7; i++) {
		world_advance(t->w, 10 * MS);
		sent += heard(t);
		ck_assert_uint_ge(sent, (8 + 14 * i) * M);
		ck_assert_uint_le(sent, (14 + 15 * i) * M);
	}
	talk_drop(t);
}
END_TEST

START_TEST(acks_are_not_waited_for)
{
	struct talk *t = open_ms(100);

	/* What an ACK allows goes with the pace, not with the ACK. */
	ncb(t)->cwnd = ncb(t)->ssthresh = 40 * M;
	talk_send(t, 0, 40 * M);
	world_advance(t->w, 99 * MS);
	ck_assert_uint_eq(heard(t), 40 * M);
	talk_send(t, 40 * M, 40 * M);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 40 * M);
	ck_assert_uint_le(heard(t), 11 * M);
	world_advance(t->w, 99 * MS);
	ck_assert_uint_ge(heard(t), 28 * M);
	talk_drop(t);
}
END_TEST

START_TEST(where_there_is_nothing_to_spread)
{
	ToeNopConfig config = world_default_config();
	struct talk *t;

	/* A short round trip. */
	t = open_rtt(&config, 1900);
	ncb(t)->cwnd = 100 * M;
	talk_send(t, 0, 100 * M);
	ck_assert_uint_eq(heard(t), 100 * M);
	ck_assert_uint_eq(COUNTER(t, TCP_PACED), 0);
	talk_drop(t);

	/* Segments that are no wire's. */
	config.max_segment = 65535;
	t = open_rtt(&config, 100000);
	ck_assert_uint_gt(talk_info(t, t->h).mss, 60000);
	ncb(t)->cwnd = 4 << 20;
	talk_send(t, 0, 4 << 20);
	/* All but the last, which Nagle holds. */
	ck_assert_uint_gt(heard(t), (4 << 20) - 60000);
	ck_assert_uint_eq(COUNTER(t, TCP_PACED), 0);
	talk_drop(t);

	/* Not wanted. */
	t = open_ms(100);
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_PACING, 0),
			  TOE_ST_OK);
	ncb(t)->cwnd = 100 * M;
	talk_send(t, 0, 100 * M);
	ck_assert_uint_eq(heard(t), 100 * M);
	talk_drop(t);
}
END_TEST

/* What goes in ms, all acknowledged 5 ms later; looked at each step us. */
static uint32_t run_for(struct talk *t, uint32_t from, unsigned ms,
			unsigned step)
{
	uint32_t sent = from, acked[5000 / 100 + 1], i, n;
	unsigned lag = 5000 / step;

	ck_assert_uint_lt(lag, G_N_ELEMENTS(acked));
	for (i = 0; i <= lag; i++)
		acked[i] = from;
	for (i = 0; i < ms * 1000 / step; i++) {
		if (toe_stream_send_space(t->w->n, t->h) > 1 << 20)
			talk_send(t, sent + talk_info(t, t->h).txq -
				     (sent - acked[i % (lag + 1)]), 1 << 20);
		sent += heard(t);
		acked[i % (lag + 1)] = sent;
		t->w->now += step * 1000;
		n = acked[(i + 1) % (lag + 1)];
		SAY(t, .flags = ACK, .seq = 1, .ack = 1 + n);
		sent += heard(t);
	}
	return sent - from;
}

START_TEST(limit_of_the_application)
{
	static const uint32_t rates[] = { 20000, 1000000, 20000000 };
	ToeNopConfig config = world_default_config();
	struct talk *t = open_rtt(&config, _i & 1 ? 100 : 5000);
	uint32_t rate = rates[_i / 2], bytes;
	uint64_t v = 0;

	/* With or without pacing by itself; the turns come each ms. */
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_PACING, 0),
			  TOE_ST_OK);
	talk_setopt(t, TOE_OPT_PACING_RATE, rate);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_PACING_RATE,
					    &v), TOE_ST_OK);
	ck_assert_uint_eq(v, rate);
	ncb(t)->cwnd = 2 << 20;
	bytes = run_for(t, 0, 1000, 1000);
	ck_assert_uint_ge(bytes, rate / 100 * 98);
	ck_assert_uint_le(bytes, rate / 100 * 102 + 13 * M);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 0);
	talk_drop(t);
}
END_TEST

START_TEST(limit_is_an_option)
{
	struct talk *t = talk_new();
	uint64_t v = 0;

	talk_listen(t, 4);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener,
					    TOE_OPT_PACING_RATE, 7777),
			  TOE_ST_OK);
	talk_open_passive(t, NULL);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_PACING_RATE,
					    &v), TOE_ST_OK);
	ck_assert_uint_eq(v, 7777);
	talk_setopt(t, TOE_OPT_PACING_RATE, 1);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_PACING_RATE,
					    &v), TOE_ST_OK);
	ck_assert_uint_eq(v, TOE_PACING_MIN);
	/* At that rate the eleventh takes its time; without, it does not. */
	ncb(t)->cwnd = 20 * M;
	talk_send(t, 0, 20 * M);
	ck_assert_uint_eq(heard(t), 10 * M);
	world_advance(t->w, 100 * MS);
	ck_assert_uint_eq(heard(t), 0);
	talk_setopt(t, TOE_OPT_PACING_RATE, UINT64_MAX);
	ck_assert_uint_eq(heard(t), 10 * M);
	talk_setopt(t, TOE_OPT_PACING_RATE, 0);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_PACING_RATE,
					    &v), TOE_ST_OK);
	ck_assert_uint_eq(v, 0);
	talk_drop(t);
}
END_TEST

START_TEST(what_is_sent_again_does_not_wait)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;
	uint32_t i;

	talk_open_active(t, &(struct talk_seg){ .mss = 1460,
						.sackok = true });
	talk_setopt(t, TOE_OPT_PACING_RATE, 10000);
	talk_send(t, 0, 20 * M);
	for (i = 0; i < 10; i++)
		HEAR(t, .flags = ACK, .seq = 1 + i * M, .ack = 1, .len = M);
	t->w->now += 10 * MS;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .sacks = 1,
	    .sack = { { 1 + M, 1 + 10 * M } });
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = M);
	SILENCE(t);
	/* A time-out comes when it comes. */
	world_advance(t->w, 260 * MS);
	while ((s = talk_any(t)))
		ck_assert_uint_eq(s->seq, 1);
	ck_assert_uint_ge(COUNTER(t, TCP_RTO), 1);
	talk_drop(t);
}
END_TEST

START_TEST(fin_follows_the_last_byte)
{
	struct talk *t = open_ms(100);
	const struct talk_seg *s;
	uint32_t end = 0, fins = 0;

	ncb(t)->cwnd = 30 * M;
	talk_send(t, 0, 30 * M);
	talk_shutdown(t);
	world_advance(t->w, 90 * MS);
	while ((s = talk_any(t))) {
		ck_assert_uint_eq(s->seq, 1 + end);
		end += s->len;
		if (s->flags & FIN) {
			fins++;
			ck_assert_uint_eq(end, 30 * M);
		}
	}
	ck_assert_uint_eq(fins, 1);
	/* A reset in the middle leaves no timer that finds something. */
	talk_abort(t);
	ck_assert_uint_eq(heard(t), 0);
	talk_wait(t, 10 * SEC);
	ck_assert_uint_eq(heard(t), 0);
	talk_drop(t);
}
END_TEST

START_TEST(one_marked_segment_in_a_time_out)
{
	ToeNopConfig config = world_default_config();
	struct talk *t = talk_new_config(&config, 4 << 20);

	/* RFC 3168 6.1.2: the window is one segment, and still marked. */
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_ECN,
					    TOE_ECN_MODE_ON), TOE_ST_OK);
	talk_connect(t);
	HEAR(t, .flags = SYN | ECE | CWR);
	SAY(t, .flags = SYN | ACK | ECE, .ack = 1, .mss = 1460);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	ncb(t)->cwnd = M;
	ncb(t)->ssthresh = 2 * M;
	talk_send(t, 0, 3 * M);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = M);
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + M);
	world_advance(t->w, 190 * MS);
	SILENCE(t);
	world_advance(t->w, 20 * MS);
	HEAR(t, .flags = ACK | CWR, .seq = 1 + M, .ack = 1, .len = M);
	talk_drop(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_pacing");
	TCase *c = tcase_create("pacing");

	tcase_set_timeout(c, 120);
	tcase_add_test(c, spread_in_slow_start);
	tcase_add_test(c, spread_in_avoidance);
	tcase_add_test(c, acks_are_not_waited_for);
	tcase_add_test(c, where_there_is_nothing_to_spread);
	tcase_add_loop_test(c, limit_of_the_application, 0, 6);
	tcase_add_test(c, limit_is_an_option);
	tcase_add_test(c, what_is_sent_again_does_not_wait);
	tcase_add_test(c, fin_follows_the_last_byte);
	tcase_add_test(c, one_marked_segment_in_a_time_out);
	suite_add_tcase(s, c);
	return talk_main(s);
}
