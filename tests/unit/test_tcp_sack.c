/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_sack.c - selective acknowledgments: what the adapter reports of
 * what it received (RFC 2018, 2883), and what it makes of the peer's reports
 * (RFC 6675, 6937, 8985).
 */
#include "common_tcp.h"

static const struct talk_seg with_sack = { .mss = 1460, .sackok = true };
static const struct talk_seg with_both = { .mss = 1460, .sackok = true,
					   .ts = true };

/* The blocks of a segment heard: pairs of left and right. */
static void blocks_are(const struct talk_seg *s, unsigned n,
		       const uint32_t want[][2])
{
	unsigned i;

	ck_assert_uint_eq(s->sacks, n);
	for (i = 0; i < n; i++) {
		ck_assert_uint_eq(s->sack[i][0], want[i][0]);
		ck_assert_uint_eq(s->sack[i][1], want[i][1]);
	}
}

#define BLOCKS(s, ...)							\
	do {								\
		static const uint32_t want[][2] = { __VA_ARGS__ };	\
									\
		blocks_are(s, G_N_ELEMENTS(want), want);		\
	} while (0)

/* ---- Received ---- */

START_TEST(sack_is_agreed_on)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	/* RFC 2018 section 2: offered, and answered if the SYN had it. */
	talk_connect(t);
	s = HEAR(t, .flags = SYN);
	ck_assert(s->sackok);
	talk_drop(t);

	t = talk_new();
	talk_listen(t, 4);
	SAY(t, .flags = SYN, .mss = 1460, .sackok = true);
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert(s->sackok);
	talk_drop(t);

	t = talk_new();
	talk_listen(t, 4);
	SAY(t, .flags = SYN, .mss = 1460);
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert(!s->sackok);
	talk_drop(t);
}
END_TEST

START_TEST(no_blocks_without_agreement)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	talk_open_passive(t, NULL);
	SAY(t, .flags = ACK, .seq = 1001, .ack = 1, .len = 100);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(s->sacks, 0);
	talk_free(t);
}
END_TEST

START_TEST(latest_block_first)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	/* RFC 2018 section 4, and its example: every second segment lost. */
	talk_open_passive(t, &with_sack);
	SAY(t, .flags = ACK, .seq = 501, .ack = 1, .len = 500);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	BLOCKS(s, { 501, 1001 });
	SAY(t, .flags = ACK, .seq = 1501, .ack = 1, .len = 500);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	BLOCKS(s, { 1501, 2001 }, { 501, 1001 });
	SAY(t, .flags = ACK, .seq = 2501, .ack = 1, .len = 500);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	BLOCKS(s, { 2501, 3001 }, { 1501, 2001 }, { 501, 1001 });
	/* One grows: it is the latest. */
	SAY(t, .flags = ACK, .seq = 1001, .ack = 1, .len = 100);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	BLOCKS(s, { 501, 1101 }, { 2501, 3001 }, { 1501, 2001 });
	/* Two join. */
	SAY(t, .flags = ACK, .seq = 1101, .ack = 1, .len = 400);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	BLOCKS(s, { 501, 2001 }, { 2501, 3001 });
	/* In order again. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 500);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 2001);
	BLOCKS(s, { 2501, 3001 });
	SAY(t, .flags = ACK, .seq = 2001, .ack = 1, .len = 500);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 3001);
	ck_assert_uint_eq(s->sacks, 0);
	EVENTS(t, "RR");
	talk_read(t, 0, 3000);
	talk_free(t);
}
END_TEST

START_TEST(as_many_blocks_as_fit)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;
	unsigned i;

	talk_open_passive(t, &with_sack);
	for (i = 0; i < 10; i++) {
		SAY(t, .flags = ACK, .seq = 101 + 200 * i, .ack = 1,
		    .len = 100);
		s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
		ck_assert_uint_eq(s->sacks, MIN(i + 1, 4));
		ck_assert_uint_eq(s->sack[0][0], 101 + 200 * i);
	}
	talk_free(t);

	/* With timestamps: three. */
	t = talk_new();
	talk_open_passive(t, &with_both);
	for (i = 0; i < 10; i++) {
		SAY(t, .flags = ACK, .seq = 101 + 200 * i, .ack = 1,
		    .len = 100);
		s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
		ck_assert_uint_eq(s->sacks, MIN(i + 1, 3));
		ck_assert(s->ts);
	}
	talk_free(t);
}
END_TEST

START_TEST(duplicates_are_reported_once)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	/* RFC 2883 section 4.1: what was acknowledged came again. */
	talk_open_passive(t, &with_sack);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 500);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 501);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 500);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 501);
	BLOCKS(s, { 1, 501 });
	/* 4.2: partly; the rest is new. */
	SAY(t, .flags = ACK, .seq = 401, .ack = 1, .len = 200);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 601);
	BLOCKS(s, { 401, 501 });
	/* 4.1 example 2: out of order and twice; then not again. */
	SAY(t, .flags = ACK, .seq = 1001, .ack = 1, .len = 500);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 601);
	BLOCKS(s, { 1001, 1501 });
	SAY(t, .flags = ACK, .seq = 1101, .ack = 1, .len = 100);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 601);
	BLOCKS(s, { 1101, 1201 }, { 1001, 1501 });
	SAY(t, .flags = ACK, .seq = 2001, .ack = 1, .len = 500);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 601);
	BLOCKS(s, { 2001, 2501 }, { 1001, 1501 });
	EVENTS(t, "RR");
	talk_drop(t);
}
END_TEST

START_TEST(blocks_beside_full_segments)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	/* Data that leaves no room for the option does not swallow it. */
	talk_open_passive(t, &with_sack);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 101);
	SAY(t, .flags = ACK, .seq = 201, .ack = 1, .len = 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 101);
	SAY(t, .flags = ACK, .seq = 401, .ack = 1, .len = 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 101);
	BURST(t, .flags = ACK, .seq = 101, .ack = 1, .len = 100);
	talk_send(t, 0, 1460);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 301, .len = 1460);
	ck_assert_uint_eq(s->sacks, 0);
	s = HEAR(t, .flags = ACK, .seq = 1461, .ack = 301);
	BLOCKS(s, { 401, 501 });
	EVENTS(t, "RR");
	talk_drop(t);
}
END_TEST

START_TEST(malformed_sack_option)
{
	struct talk *t = talk_new();

	/* Our own emitter of the tests: 4 blocks and a header too short. */
	talk_open_passive(t, &with_sack);
	talk_send(t, 0, 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	SAY(t, .flags = ACK, .seq = 1, .ack = 101, .sacks = 2,
	    .sack = { { 1, 2 }, { 3, 4 } }, .hlen = 7);
	ck_assert_uint_eq(COUNTER(t, TCP_BAD), 1);
	talk_drop(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_sack");
	TCase *c = tcase_create("receive");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, sack_is_agreed_on);
	tcase_add_test(c, no_blocks_without_agreement);
	tcase_add_test(c, latest_block_first);
	tcase_add_test(c, as_many_blocks_as_fit);
	tcase_add_test(c, duplicates_are_reported_once);
	tcase_add_test(c, blocks_beside_full_segments);
	tcase_add_test(c, malformed_sack_option);
	suite_add_tcase(s, c);
	return talk_main(s);
}
