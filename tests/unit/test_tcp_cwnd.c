/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_cwnd.c - how cwnd begins (RFC 6928), counts (RFC 3465), is validated
 * (RFC 5681 4.1, RFC 2861), and what does not count as in flight (RFC 5681
 * 3.2, RFC 3042).
 */
#include "common_tcp.h"
#include "nop/tcp/tcp.h"

#define M	1460u

static const struct talk_seg plain = { .mss = 1460 };
static const struct talk_seg with_sack = { .mss = 1460, .sackok = true };
static const struct talk_seg *const kinds[] = { &plain, &with_sack };

static ToeNcb *ncb(struct talk *t)
{
	return toe_ncb_by_handle(t->w->n->tcp, t->h);
}

static uint32_t cwnd(struct talk *t)
{
	return talk_info(t, t->h).cwnd;
}

/* Send what may go of n segments; how many did. */
static unsigned send_some(struct talk *t, uint32_t *sent, unsigned n)
{
	unsigned went = 0;

	talk_send(t, *sent, n * M);
	while (talk_any(t))
		went++;
	*sent += n * M;
	return went;
}

/* All of it is acknowledged after 5 ms, before any probe; 50 ms pass. */
static void turn(struct talk *t, uint32_t sent)
{
	world_advance(t->w, 5 * MS);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + sent);
	world_advance(t->w, 45 * MS);
}

/* ---- RFC 6928 ---- */

/* RFC 6928 2 */
START_TEST(initial_window)
{
	static const struct {
		uint16_t mss;
		uint32_t window;
	} c[] = {
		{ 100, 1000 }, { 536, 5360 }, { 1220, 12200 }, { 1460, 14600 },
	};
	struct talk *t = talk_new();
	struct talk_seg syn = { .mss = c[_i].mss };

	/* 2: min(10 MSS, max(2 MSS, 14600)), sent at once. */
	talk_open_active(t, &syn);
	ck_assert_uint_eq(cwnd(t), c[_i].window);
	talk_send(t, 0, 20000);
	ck_assert_uint_eq(talk_info(t, t->h).mss, c[_i].mss);
	world_run(t->w);
	ck_assert_uint_eq(world_sent_count(t->w), 10);
	talk_drop(t);
	ck_assert_uint_eq(toe_cc_initial_window(4000), 14600);
	ck_assert_uint_eq(toe_cc_initial_window(8960), 17920);
}
END_TEST

/* RFC 6928 2 */
START_TEST(after_lost_syns)
{
	struct talk *t = talk_new();
	unsigned i;

	/* 2: one loss is nothing, more are. */
	talk_connect(t);
	HEAR(t, .flags = SYN);
	for (i = 0; i < (unsigned)_i; i++) {
		world_advance(t->w, (1 << i) * SEC + 10 * MS);
		HEAR(t, .flags = SYN);
	}
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(cwnd(t), _i > 1 ? M : 10 * M);
	talk_drop(t);

	t = talk_new();
	talk_listen(t, 4);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	for (i = 0; i < (unsigned)_i; i++) {
		world_advance(t->w, (1 << i) * SEC + 10 * MS);
		HEAR(t, .flags = SYN | ACK, .ack = 1);
	}
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(cwnd(t), _i > 1 ? M : 10 * M);
	talk_drop(t);
}
END_TEST

/* ---- RFC 3465 ---- */

/* RFC 3465 2.3 */
START_TEST(one_segment_an_ack_after_a_timeout)
{
	struct talk *t = talk_new();
	uint32_t sent = 0, before;

	talk_open_active(t, kinds[_i]);
	talk_setopt(t, TOE_OPT_CONGESTION, TOE_CC_NEWRENO);
	ncb(t)->cwnd = 16 * M;
	ck_assert_uint_eq(send_some(t, &sent, 16), 16);
	world_advance(t->w, 3 * SEC);
	world_forget(t->w);
	ck_assert_uint_ge(COUNTER(t, TCP_RTO), 1);
	ck_assert_uint_eq(cwnd(t), M);
	/* 2.3: four segments acknowledged, which came before the time-out. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 4 * M);
	ck_assert_uint_eq(cwnd(t), 2 * M);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 8 * M);
	ck_assert_uint_eq(cwnd(t), 3 * M);
	/* All of that is through: two again. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + sent);
	world_forget(t->w);
	before = cwnd(t);
	ck_assert_uint_lt(before + 2 * M, talk_info(t, t->h).ssthresh);
	ck_assert_uint_eq(send_some(t, &sent, 3), 3);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + sent);
	ck_assert_uint_eq(cwnd(t), before + 2 * M);
	talk_drop(t);
}
END_TEST

/* RFC 3465 2.1 */
START_TEST(half_segments_count_half)
{
	struct talk *t = talk_new();
	uint32_t sent = 0, i;

	/* 2.1: bytes, so that split ACKs bring nothing. */
	talk_open_active(t, &plain);
	talk_setopt(t, TOE_OPT_CONGESTION, TOE_CC_NEWRENO);
	ck_assert_uint_eq(send_some(t, &sent, 10), 10);
	for (i = 1; i <= 20; i++)
		SAY(t, .flags = ACK, .seq = 1, .ack = 1 + i * M / 10);
	ck_assert_uint_eq(cwnd(t), 12 * M);
	/* The same in congestion avoidance: one more for all of cwnd. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 10 * M);
	ncb(t)->cwnd = ncb(t)->ssthresh = 8 * M;
	ck_assert_uint_eq(send_some(t, &sent, 40), 8);
	for (i = 1; i < 80; i++)
		SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 10 * M + i * M / 10);
	ck_assert_uint_eq(cwnd(t), 8 * M);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 18 * M);
	ck_assert_uint_eq(cwnd(t), 9 * M);
	talk_drop(t);
}
END_TEST

/* ---- RFC 5681 4.1, RFC 2861 3.1 ---- */

/* cwnd is n segments, all in use a moment ago. */
static struct talk *open_used(unsigned n, uint32_t *sent)
{
	struct talk *t = talk_new();

	talk_open_active(t, &with_sack);
	talk_setopt(t, TOE_OPT_CONGESTION, TOE_CC_NEWRENO);
	ncb(t)->cwnd = ncb(t)->ssthresh = n * M;
	ck_assert_uint_eq(send_some(t, sent, n), n);
	t->w->now += 10 * MS;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + *sent);
	g_string_truncate(t->log, 0);
	ncb(t)->ssthresh = 20 * M;
	return t;
}

/* RFC 5681 4.1 */
START_TEST(restart_window)
{
	uint32_t sent = 0, before;
	struct talk *t = open_used(30, &sent);

	before = cwnd(t);
	ck_assert_uint_ge(before, 30 * M);
	world_advance(t->w, 150 * MS);
	ck_assert_uint_eq(send_some(t, &sent, 20), 20);	/* not yet idle */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + sent);
	before = cwnd(t);
	world_advance(t->w, 350 * MS);
	ck_assert_uint_eq(send_some(t, &sent, 30), 10);
	ck_assert_uint_eq(cwnd(t), 10 * M);
	/* RFC 2861: three quarters are remembered. */
	ck_assert_uint_ge(talk_info(t, t->h).ssthresh, before / 4 * 3);
	talk_drop(t);
}
END_TEST

START_TEST(acks_are_no_data)
{
	uint32_t sent = 0, seq = 1, i;
	struct talk *t = open_used(30, &sent);

	/* We acknowledge all the time, but send nothing. */
	for (i = 0; i < 10; i++) {
		world_advance(t->w, 60 * MS);
		SAY(t, .flags = ACK, .seq = seq, .ack = 1 + sent, .len = 1000);
		HEAR(t, .flags = ACK, .seq = 1 + sent, .ack = seq + 1000);
		seq += 1000;
		ncb(t)->quickacks = 8;
	}
	ck_assert_uint_eq(send_some(t, &sent, 30), 10);
	talk_drop(t);
}
END_TEST

START_TEST(a_small_window_is_not_raised)
{
	uint32_t sent = 0;
	struct talk *t = open_used(4, &sent);
	uint32_t before = cwnd(t);

	/* RW is the less of IW and cwnd. */
	ck_assert_uint_lt(before, 10 * M);
	world_advance(t->w, 5 * SEC);
	ck_assert_uint_eq(send_some(t, &sent, 10), before / M);
	talk_drop(t);
}
END_TEST

/* ---- RFC 2861 3.2 ---- */

/* RFC 2861 3.2 */
START_TEST(unused_window_decays)
{
	uint32_t sent = 0, before, i;
	struct talk *t = open_used(40, &sent);

	/*
	 * Twelve of forty, each 50 ms; the RTO is 200 ms.  In the first such
	 * time forty were used still; after the second it is half way between.
	 */
	before = (cwnd(t) + 40 * M) / 2;
	for (i = 0; i < 20 && cwnd(t) >= before; i++) {
		ck_assert_uint_eq(send_some(t, &sent, 12), 12);
		turn(t, sent);
	}
	ck_assert_uint_ge(i, 8);
	ck_assert_uint_le(i, 12);
	ck_assert_uint_eq(cwnd(t), (before + 12 * M) / 2);
	ck_assert_uint_ge(talk_info(t, t->h).ssthresh, before / 4 * 3);
	/* In the end it is what is used. */
	for (i = 0; i < 100; i++) {
		send_some(t, &sent, 12);
		turn(t, sent);
	}
	ck_assert_uint_lt(cwnd(t), 25 * M);
	ck_assert_uint_ge(cwnd(t), 12 * M);
	talk_drop(t);
}
END_TEST

/* RFC 2861 3.2 */
START_TEST(used_window_stays)
{
	uint32_t sent = 0, i;
	struct talk *t = open_used(20, &sent);

	ncb(t)->ssthresh = 2 * M;
	for (i = 0; i < 20; i++) {
		talk_send(t, sent, 20 * M);
		while (talk_any(t))
			;
		sent += 20 * M;
		turn(t, sent);
		ck_assert_uint_ge(cwnd(t), 20 * M);
	}
	talk_drop(t);
}
END_TEST

/* ---- RFC 5681 3.2 (2), RFC 3042 ---- */

/* RFC 3042 2 */
START_TEST(limited_transmit_does_not_count)
{
	struct talk *t = talk_new();
	uint32_t sent = 0;

	talk_connect(t);
	HEAR(t, .flags = SYN);
	t->w->now += 100 * MS;
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460, .sackok = true);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	talk_setopt(t, TOE_OPT_CONGESTION, TOE_CC_NEWRENO);
	ck_assert_uint_eq(send_some(t, &sent, 14), 10);
	t->w->now += 100 * MS;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .sacks = 1,
	    .sack = { { 1 + M, 1 + 2 * M } });
	HEAR(t, .flags = ACK, .seq = 1 + 10 * M, .ack = 1, .len = M);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .sacks = 1,
	    .sack = { { 1 + M, 1 + 3 * M } });
	HEAR(t, .flags = ACK, .seq = 1 + 11 * M, .ack = 1, .len = M);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .sacks = 1,
	    .sack = { { 1 + M, 1 + 4 * M } });
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = M);
	ck_assert_uint_eq(COUNTER(t, TCP_FAST_RETRANSMITS), 1);
	ck_assert_uint_eq(talk_info(t, t->h).ssthresh, 5 * M);
	talk_drop(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_cwnd");
	TCase *c = tcase_create("cwnd");

	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, initial_window, 0, 4);
	tcase_add_loop_test(c, after_lost_syns, 0, 4);
	tcase_add_loop_test(c, one_segment_an_ack_after_a_timeout, 0, 2);
	tcase_add_test(c, half_segments_count_half);
	tcase_add_test(c, restart_window);
	tcase_add_test(c, acks_are_no_data);
	tcase_add_test(c, a_small_window_is_not_raised);
	tcase_add_test(c, unused_window_decays);
	tcase_add_test(c, used_window_stays);
	tcase_add_test(c, limited_transmit_does_not_count);
	suite_add_tcase(s, c);
	return talk_main(s);
}
