/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_cc.c - congestion control: the option that chooses, CUBIC's curve
 * (RFC 9438), HyStart++ (RFC 9406), DCTCP and ECN (RFC 8257, 3168).
 */
#include "common_tcp.h"
#include "nop/tcp/tcp.h"

#define M	1460u

static const struct talk_seg with_sack = { .mss = 1460, .sackok = true };

/*
 * One round trip of ms: all that waits is sent, comes there, and is
 * acknowledged, two segments at a time; in the second half of it a queue grows
 * to more ms.  *sent: bytes so far.
 */
static void slowing_round_trip(struct talk *t, uint32_t *sent, unsigned ms,
			       unsigned more)
{
	uint32_t acked = *sent, room, half;
	const struct talk_seg *s;

	room = toe_stream_send_space(t->w->n, t->h);
	if (room)
		talk_send(t, *sent + talk_info(t, t->h).txq, room);
	while ((s = talk_any(t)))
		*sent = s->seq + s->len - 1;
	t->w->now += ms * MS;
	half = (*sent - acked) / 2;
	while (acked < *sent) {
		if (*sent - acked <= half)
			t->w->now += 2 * M * MS * more / half;
		acked = MIN(acked + 2 * M, *sent);
		BURST(t, .flags = ACK, .seq = 1, .ack = 1 + acked);
	}
	g_string_truncate(t->log, 0);
}

static void round_trip(struct talk *t, uint32_t *sent, unsigned ms)
{
	slowing_round_trip(t, sent, ms, 0);
}

static struct talk *open_far(unsigned ms)
{
	ToeNopConfig config = world_default_config();
	struct talk *t = talk_new_config(&config, 32 << 20);

	t->wnd = 65535;
	talk_connect(t);
	HEAR(t, .flags = SYN);
	world_advance(t->w, ms * MS);
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460, .sackok = true,
	    .wscale = 8);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	talk_setopt(t, TOE_OPT_SNDBUF, 4 << 20);
	return t;
}

START_TEST(option)
{
	struct talk *t = talk_new();
	uint64_t v = 99;

	talk_open_active(t, &with_sack);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_CONGESTION,
					    &v), TOE_ST_OK);
	ck_assert_uint_eq(v, TOE_CC_CUBIC);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->h, TOE_OPT_CONGESTION,
					    TOE_CC_MAX + 1), TOE_ST_INVALID);
	talk_setopt(t, TOE_OPT_CONGESTION, TOE_CC_NEWRENO);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_CONGESTION,
					    &v), TOE_ST_OK);
	ck_assert_uint_eq(v, TOE_CC_NEWRENO);
	talk_free(t);

	/* The adapter's own; a listener's children have the listener's. */
	t = talk_new();
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_CONGESTION, 9),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_CONGESTION,
					    TOE_CC_NEWRENO), TOE_ST_OK);
	talk_open_passive(t, &with_sack);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_CONGESTION,
					    &v), TOE_ST_OK);
	ck_assert_uint_eq(v, TOE_CC_NEWRENO);
	talk_free(t);
}
END_TEST

/* Lose the first segment of a flight; cwnd afterwards. */
static uint32_t lose_one(struct talk *t, uint32_t *sent)
{
	const ToeNcb *c = toe_ncb_by_handle(t->w->n->tcp, t->h);
	uint32_t first = *sent, last;
	const struct talk_seg *s;

	talk_send(t, *sent + talk_info(t, t->h).txq,
		  toe_stream_send_space(t->w->n, t->h));
	while (talk_any(t))
		;
	last = c->snd_max - c->iss - 1;
	t->w->now += 100 * MS;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + first, .sacks = 1,
	    .sack = { { 1 + first + M, 1 + last } });
	while ((s = talk_any(t)))
		last = MAX(last, s->seq + s->len - 1);
	t->w->now += 100 * MS;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + last);
	while ((s = talk_any(t)))
		last = MAX(last, s->seq + s->len - 1);
	t->w->now += 100 * MS;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + last);
	*sent = last;
	world_forget(t->w);
	g_string_truncate(t->log, 0);
	return talk_info(t, t->h).ssthresh;
}

/* RFC 9438 4.2 4.6 */
START_TEST(cubic_beta_and_curve)
{
	struct talk *t = open_far(100);
	uint32_t sent = 0, before, after, i, cwnd, last;
	uint32_t steps[3] = { 0 };

	for (i = 0; i < 4; i++)
		round_trip(t, &sent, 100);
	/* What a round put off goes out, and is acknowledged. */
	before = talk_info(t, t->h).cwnd;
	ck_assert_uint_gt(before, 100 * M);
	after = lose_one(t, &sent);
	/* RFC 9438 4.6: 0.7, where Reno has a half. */
	ck_assert_uint_ge(after, before / 10 * 6);
	ck_assert_uint_le(after, before / 10 * 8);
	/*
	 * Concave, then flat at W_max, then convex.  K = cbrt(0.3 W_max / C):
	 * between four and six seconds.
	 */
	last = talk_info(t, t->h).cwnd;
	for (i = 0; i < 90; i++) {
		round_trip(t, &sent, 100);
		cwnd = talk_info(t, t->h).cwnd;
		ck_assert_uint_ge(cwnd, last);
		if (i >= 1 && i < 11)
			steps[0] += cwnd - last;
		if (i >= 40 && i < 50)
			steps[1] += cwnd - last;
		if (i >= 80)
			steps[2] += cwnd - last;
		last = cwnd;
	}
	ck_assert_uint_gt(steps[0], 2 * steps[1]);
	ck_assert_uint_gt(steps[2], 2 * steps[1]);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 0);
	talk_drop(t);
}
END_TEST

/*
 * Who loses before it is back at the window of the last loss takes it that
 * the path has less to give, and gives way.
 */
/* RFC 9438 4.7 */
START_TEST(cubic_gives_way)
{
	struct talk *t = open_far(100);
	const ToeNcb *c = toe_ncb_by_handle(t->w->n->tcp, t->h);
	const ToeCubic *q = &c->cc_state.cubic;
	uint32_t sent = 0, first, i;

	for (i = 0; i < 4; i++)
		round_trip(t, &sent, 100);
	lose_one(t, &sent);
	first = q->w_max;
	ck_assert_uint_eq(first, q->cwnd_prior);
	round_trip(t, &sent, 100);
	lose_one(t, &sent);
	ck_assert_uint_eq(COUNTER(t, TCP_FAST_RETRANSMITS), 2);
	ck_assert_uint_lt(q->cwnd_prior, first);
	ck_assert_uint_eq(q->w_max, q->cwnd_prior * 17ull / 20);
	talk_drop(t);
}
END_TEST

/* RFC 9406 4.2 */
START_TEST(hystart_leaves_slow_start)
{
	struct talk *t = open_far(100);
	uint32_t sent = 0, i;

	/* The round trip grows while the queue does: no loss is needed. */
	for (i = 0; i < 3; i++)
		round_trip(t, &sent, 100);
	ck_assert_uint_gt(talk_info(t, t->h).ssthresh, 1 << 29);
	for (i = 0; i < 9; i++)
		round_trip(t, &sent, 120 + 20 * i);
	ck_assert_uint_lt(talk_info(t, t->h).ssthresh, 1 << 29);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 0);
	talk_drop(t);
}
END_TEST

/* RFC 9406 4.2 */
START_TEST(hystart_goes_back)
{
	struct talk *t = open_far(100);
	uint32_t sent = 0;

	/* One long round was jitter. */
	round_trip(t, &sent, 100);
	round_trip(t, &sent, 100);
	round_trip(t, &sent, 120);
	round_trip(t, &sent, 100);
	round_trip(t, &sent, 100);
	ck_assert_uint_gt(talk_info(t, t->h).ssthresh, 1 << 29);
	talk_drop(t);
}
END_TEST

/* A queue that was empty when the round began. */
/* RFC 9406 4.2 4.3 */
START_TEST(hystart_sees_a_late_rise)
{
	struct talk *t = open_far(100);
	const ToeNcb *c = toe_ncb_by_handle(t->w->n->tcp, t->h);
	const ToeCubic *q = &c->cc_state.cubic;
	uint32_t sent = 0, i;

	for (i = 0; i < 3; i++)
		round_trip(t, &sent, 100);
	slowing_round_trip(t, &sent, 100, 10);	/* less than an eighth */
	ck_assert_uint_eq(q->css_rounds, 0);
	slowing_round_trip(t, &sent, 100, 30);
	ck_assert_uint_ge(q->css_rounds, 1);
	ck_assert_uint_gt(c->ssthresh, 1 << 29);
	/* A second rise, in one round, is enough. */
	slowing_round_trip(t, &sent, 140, 30);
	ck_assert_uint_lt(c->ssthresh, 1 << 29);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 0);
	talk_drop(t);
}
END_TEST

/*
 * A bottleneck of 4,000 segments a second and 100 ms: slow start ends with the
 * path full and before a queue of one round trip, 400 segments, overflows.
 */
/* RFC 9406 4.3 */
START_TEST(slow_start_ends_before_a_queue_overflows)
{
	enum { US = MS / 1000, EACH = 250 * US, STEPS = 4000 * 3 };
	struct { int64_t when; uint32_t end; } way[2048];
	struct talk *t = open_far(100);
	const ToeNcb *c = toe_ncb_by_handle(t->w->n->tcp, t->h);
	uint32_t sent = 0, acked = 0, head = 0, tail = 0, i, room;
	int64_t busy = 0, most = 0;

	toe_nop_param_set(t->w->n, TOE_PARAM_PACING, 1);
	for (i = 0; i < STEPS && c->ssthresh == TOE_CWND_MAX; i++) {
		const struct talk_seg *s;
		uint32_t due = acked;

		room = toe_stream_send_space(t->w->n, t->h);
		if (room)
			talk_send(t, sent + talk_info(t, t->h).txq, room);
		while ((s = talk_any(t))) {
			sent = s->seq + s->len - 1;
			busy = MAX(busy, t->w->now) + EACH;
			most = MAX(most, (busy - t->w->now) / EACH);
			way[tail % 2048].when = busy + 100 * MS;
			way[tail++ % 2048].end = sent;
			ck_assert_uint_lt(tail - head, 2048);
		}
		for (; head < tail && way[head % 2048].when <= t->w->now; head++)
			due = way[head % 2048].end;
		/* Every other one is acknowledged. */
		if (due >= acked + 2 * M) {
			acked = due;
			BURST(t, .flags = ACK, .seq = 1, .ack = 1 + acked);
		}
		g_string_truncate(t->log, 0);
		world_advance(t->w, EACH);
	}
	ck_assert_int_lt(most, 300);
	ck_assert_uint_lt(c->ssthresh, 800 * M);
	ck_assert_uint_gt(c->ssthresh, 400 * M);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 0);
	talk_drop(t);
}
END_TEST

/* RFC 5681 3.1 */
START_TEST(newreno_halves)
{
	struct talk *t = open_far(100);
	uint32_t sent = 0, before, after, i;

	talk_setopt(t, TOE_OPT_CONGESTION, TOE_CC_NEWRENO);
	for (i = 0; i < 4; i++)
		round_trip(t, &sent, 100);
	before = talk_info(t, t->h).cwnd;
	after = lose_one(t, &sent);
	ck_assert_uint_ge(after, before / 10 * 4);
	ck_assert_uint_le(after, before / 10 * 6);
	talk_drop(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_cc");
	TCase *c = tcase_create("cc");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, option);
	tcase_add_test(c, cubic_beta_and_curve);
	tcase_add_test(c, cubic_gives_way);
	tcase_add_test(c, hystart_leaves_slow_start);
	tcase_add_test(c, hystart_goes_back);
	tcase_add_test(c, hystart_sees_a_late_rise);
	tcase_add_test(c, slow_start_ends_before_a_queue_overflows);
	tcase_add_test(c, newreno_halves);
	suite_add_tcase(s, c);
	return talk_main(s);
}
