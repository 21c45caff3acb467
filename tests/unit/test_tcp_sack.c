/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_sack.c - selective acknowledgments: what the adapter reports of
 * what it received (RFC 2018, 2883), and what it makes of the peer's reports
 * (RFC 6675, 6937, 8985).
 */
#include "common_tcp.h"
#include "nop/tcp/tcp.h"

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

/* ---- Sent ---- */

#define M	1460u
#define SEG(n)	(1 + ((n) - 1) * M)	/* where the n-th segment begins */
#define RTT	(100 * MS)

/* A connection that has seen a round trip of 100 ms. */
static struct talk *far_away(const struct talk_seg *syn)
{
	struct talk *t = talk_new();
	struct talk_seg s = *syn;

	talk_connect(t);
	HEAR(t, .flags = SYN);
	world_advance(t->w, RTT);
	s.flags = SYN | ACK;
	s.ack = 1;
	talk_say(t, &s);
	t->ts = s.ts;
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	return t;
}

/* Segments first to last are heard, each full. */
static void hear(struct talk *t, unsigned first, unsigned last)
{
	uint32_t len = t->ts ? M - 12 : M;

	for (; first <= last; first++)
		HEAR(t, .flags = ACK, .seq = 1 + (first - 1) * len, .ack = 1,
		     .len = len);
}

/* An ACK of everything before segment n. */
#define ACKED(t, n, ...)						\
	SAY(t, .flags = ACK, .seq = 1, .ack = SEG(n), __VA_ARGS__)
/* Blocks by numbers of segments: a up to and without b. */
#define SACK1(a, b)							\
	.sacks = 1, .sack = { { SEG(a), SEG(b) } }
#define SACK2(a, b, c, d)						\
	.sacks = 2, .sack = { { SEG(a), SEG(b) }, { SEG(c), SEG(d) } }

START_TEST(three_segments_sacked)
{
	struct talk *t = far_away(&with_sack);
	struct toe_hw_conn_info i;

	talk_send(t, 0, 40 * M);
	hear(t, 1, 10);
	world_advance(t->w, RTT);
	/* Each SACKed segment lets a new one go (RFC 3042, by pipe). */
	ACKED(t, 1, SACK1(2, 3));
	hear(t, 11, 11);
	SILENCE(t);
	ACKED(t, 1, SACK1(2, 4));
	hear(t, 12, 12);
	SILENCE(t);
	ck_assert_uint_eq(COUNTER(t, TCP_FAST_RETRANSMITS), 0);
	/* More than two segments' worth: RFC 6675 (4), 8985 6.2. */
	ACKED(t, 1, SACK1(2, 5));
	hear(t, 1, 1);
	SILENCE(t);
	ck_assert_uint_eq(COUNTER(t, TCP_FAST_RETRANSMITS), 1);
	i = talk_info(t, t->h);
	ck_assert_uint_lt(i.ssthresh, 12 * M);
	ck_assert_uint_ge(i.ssthresh, 6 * M);
	/* The rest of the flight, and the retransmission. */
	ACKED(t, 1, SACK1(2, 11));
	world_forget(t->w);
	world_advance(t->w, RTT);
	ACKED(t, 13);
	ck_assert_uint_eq(talk_info(t, t->h).cwnd, i.ssthresh);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 1);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 0);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(only_holes_are_filled)
{
	struct talk *t = far_away(&with_sack);

	/* Two holes are repaired in one round trip. */
	talk_send(t, 0, 10 * M);
	hear(t, 1, 10);
	world_advance(t->w, RTT);
	ACKED(t, 1, SACK2(6, 11, 2, 5));
	hear(t, 1, 1);
	hear(t, 5, 5);
	SILENCE(t);
	world_advance(t->w, RTT);
	ACKED(t, 11);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 2);
	ck_assert_uint_eq(COUNTER(t, TCP_FAST_RETRANSMITS), 1);
	talk_free(t);
}
END_TEST

START_TEST(rate_falls_in_proportion)
{
	struct talk *t = far_away(&with_sack);
	unsigned k, sent = 0;

	/* RFC 6937: spread over the round trip, ssthresh in all. */
	talk_send(t, 0, 40 * M);
	hear(t, 1, 10);
	world_advance(t->w, RTT);
	for (k = 3; k <= 11; k++) {
		ACKED(t, 1, SACK1(2, k));
		while (talk_any(t))
			sent++;
		ck_assert_uint_le(sent, k - 2 + 1);
	}
	/* Two of limited transmit; then about one for two, or 0.7. */
	ck_assert_uint_ge(sent, 6);
	ck_assert_uint_le(sent, 9);
	talk_drop(t);
}
END_TEST

START_TEST(a_little_reordering)
{
	struct talk *t = far_away(&with_sack);

	/* RFC 8985: within a quarter of the least round trip it is not lost. */
	talk_send(t, 0, 5 * M);
	hear(t, 1, 5);
	world_advance(t->w, RTT);
	ACKED(t, 1, SACK1(2, 4));
	world_advance(t->w, 24 * MS);
	SILENCE(t);
	ACKED(t, 6);
	world_advance(t->w, SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 0);
	/* And now that reordering was seen, three segments prove nothing. */
	talk_send(t, 5 * M, 8 * M);
	hear(t, 6, 13);
	world_advance(t->w, RTT);
	ACKED(t, 6, SACK1(7, 14));
	world_advance(t->w, 20 * MS);
	SILENCE(t);
	world_advance(t->w, 10 * MS);
	hear(t, 6, 6);
	ACKED(t, 14);
	talk_free(t);
}
END_TEST

START_TEST(one_sack_and_time)
{
	struct talk *t = far_away(&with_sack);

	/* Too few SACKs for RFC 6675; the reordering window runs out. */
	talk_send(t, 0, 2 * M);
	hear(t, 1, 2);
	world_advance(t->w, RTT);
	ACKED(t, 1, SACK1(2, 3));
	SILENCE(t);
	world_advance(t->w, 26 * MS);
	hear(t, 1, 1);
	world_advance(t->w, RTT);
	ACKED(t, 3);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_TLP_PROBES), 0);
	talk_free(t);
}
END_TEST

START_TEST(retransmission_lost)
{
	struct talk *t = far_away(&with_sack);

	talk_send(t, 0, 40 * M);
	hear(t, 1, 10);
	world_advance(t->w, RTT);
	ACKED(t, 1, SACK1(2, 5));
	hear(t, 1, 1);
	world_forget(t->w);
	world_advance(t->w, MS);
	ACKED(t, 1, SACK1(2, 11));
	world_forget(t->w);
	world_advance(t->w, RTT);
	/* What was sent after it arrived. */
	ACKED(t, 1, SACK1(2, 13));
	hear(t, 1, 1);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 0);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(tail_loss_probe)
{
	struct talk *t = far_away(&with_sack);

	/* RFC 8985 7: the last segment again, after two round trips. */
	talk_send(t, 0, 3 * M);
	hear(t, 1, 3);
	world_advance(t->w, 199 * MS);
	SILENCE(t);
	world_advance(t->w, MS);
	hear(t, 3, 3);
	ck_assert_uint_eq(COUNTER(t, TCP_TLP_PROBES), 1);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 0);
	world_advance(t->w, RTT);
	/* Only it arrived: the others are found lost without a time-out. */
	ACKED(t, 1, SACK1(3, 4));
	hear(t, 1, 1);
	world_advance(t->w, RTT);
	ACKED(t, 2, SACK1(3, 4));
	hear(t, 2, 2);
	world_advance(t->w, RTT);
	ACKED(t, 4);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 0);
	talk_free(t);
}
END_TEST

START_TEST(tail_loss_repaired_by_the_probe)
{
	struct talk *t = far_away(&with_sack);
	uint32_t cwnd;

	/* 7.4.2: the probe hid a loss; congestion control hears of it. */
	talk_send(t, 0, 3 * M);
	hear(t, 1, 3);
	world_advance(t->w, RTT);
	ACKED(t, 3);
	world_advance(t->w, 3 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_TLP_PROBES), 1);
	hear(t, 3, 3);
	world_forget(t->w);
	ACKED(t, 4);
	cwnd = talk_info(t, t->h).cwnd;
	talk_send(t, 3 * M, M);
	hear(t, 4, 4);
	world_advance(t->w, RTT);
	ACKED(t, 5);
	ck_assert_uint_le(talk_info(t, t->h).ssthresh, cwnd);
	talk_free(t);
}
END_TEST

START_TEST(probe_with_new_data)
{
	struct talk *t = far_away(&with_sack);

	talk_send(t, 0, 40 * M);
	hear(t, 1, 10);
	world_advance(t->w, 200 * MS);
	hear(t, 11, 11);
	SILENCE(t);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 0);
	/* Nothing is acknowledged: one probe only, then the time-out. */
	world_advance(t->w, 200 * MS);
	SILENCE(t);
	world_advance(t->w, 150 * MS);
	hear(t, 1, 1);
	SILENCE(t);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 1);
	ck_assert_uint_eq(talk_info(t, t->h).cwnd, M);
	talk_drop(t);
}
END_TEST

START_TEST(timeout_keeps_what_is_sacked)
{
	struct talk *t = far_away(&with_sack);

	talk_send(t, 0, 4 * M);
	hear(t, 1, 4);
	world_advance(t->w, RTT);
	ACKED(t, 1, SACK1(4, 5));
	world_advance(t->w, 26 * MS);
	hear(t, 1, 1);
	world_advance(t->w, 2 * SEC);
	ck_assert_uint_ge(COUNTER(t, TCP_RTO), 1);
	world_forget(t->w);
	/* In slow start, and without the fourth. */
	ACKED(t, 2, SACK1(4, 5));
	hear(t, 2, 3);
	SILENCE(t);
	ACKED(t, 5);
	talk_free(t);
}
END_TEST

START_TEST(a_peer_that_reneges)
{
	struct talk *t = far_away(&with_sack);

	/* RFC 2018 section 8: it took back what it had SACKed. */
	talk_send(t, 0, 3 * M);
	hear(t, 1, 3);
	world_advance(t->w, RTT);
	ACKED(t, 1, SACK1(2, 4));
	world_advance(t->w, 26 * MS);
	hear(t, 1, 1);
	world_advance(t->w, RTT);
	ACKED(t, 2);
	SILENCE(t);
	world_advance(t->w, 2 * SEC);
	ck_assert_uint_ge(COUNTER(t, TCP_SACK_RENEGES), 1);
	HEAR(t, .flags = ACK, .seq = SEG(2), .ack = 1, .len = M);
	world_forget(t->w);
	ACKED(t, 3);
	hear(t, 3, 3);
	ACKED(t, 4);
	talk_free(t);
}
END_TEST

START_TEST(dsack_undoes)
{
	struct talk *t = far_away(&with_sack);
	uint32_t cwnd;

	/* Everything that was resent is reported as a duplicate. */
	talk_send(t, 0, 10 * M);
	hear(t, 1, 10);
	cwnd = talk_info(t, t->h).cwnd;
	world_advance(t->w, RTT);
	ACKED(t, 1, SACK1(2, 5));
	hear(t, 1, 1);
	ck_assert_uint_lt(talk_info(t, t->h).ssthresh, cwnd);
	ACKED(t, 11);
	ck_assert_uint_lt(talk_info(t, t->h).cwnd, cwnd);
	ACKED(t, 11, SACK1(1, 2));
	ck_assert_uint_ge(talk_info(t, t->h).cwnd, cwnd);
	ck_assert_uint_eq(COUNTER(t, TCP_SPURIOUS), 1);
	ck_assert_uint_eq(COUNTER(t, TCP_DSACKS_IN), 1);
	/* Once. */
	ACKED(t, 11, SACK1(1, 2));
	ck_assert_uint_eq(COUNTER(t, TCP_SPURIOUS), 1);
	talk_free(t);
}
END_TEST

#undef M
#define M	1448u

START_TEST(timestamps_undo)
{
	struct talk *t = far_away(&with_both);
	uint32_t cwnd, first;

	/* RFC 3522: the echo is older than the retransmission. */
	talk_send(t, 0, 10 * M);
	hear(t, 1, 10);
	first = t->tsecr;
	cwnd = talk_info(t, t->h).cwnd;
	world_advance(t->w, RTT);
	ACKED(t, 1, SACK1(2, 5));
	hear(t, 1, 1);
	ck_assert_uint_gt(t->tsecr, first);
	ACKED(t, 5, .ts = true, .tsecr = first);
	ck_assert_uint_eq(COUNTER(t, TCP_SPURIOUS), 1);
	ck_assert_uint_ge(talk_info(t, t->h).cwnd, cwnd);
	ACKED(t, 11);
	talk_free(t);

	/* And if it is not. */
	t = far_away(&with_both);
	talk_send(t, 0, 10 * M);
	hear(t, 1, 10);
	world_advance(t->w, RTT);
	ACKED(t, 1, SACK1(2, 5));
	hear(t, 1, 1);
	ACKED(t, 5);
	ck_assert_uint_eq(COUNTER(t, TCP_SPURIOUS), 0);
	ACKED(t, 11);
	talk_free(t);
}
END_TEST

#undef M
#define M	1460u

/* ACKs of a path that reorders, in one turn: nothing could be resent yet. */
START_TEST(first_copies_in_one_burst)
{
	struct talk *t = far_away(&with_sack);
	const ToeNcb *c = toe_ncb_by_handle(t->w->n->tcp, t->h);
	uint32_t cwnd;

	/* 1 and 3 seem lost.  1 was not, 3 was. */
	talk_send(t, 0, 10 * M);
	hear(t, 1, 10);
	world_advance(t->w, RTT);
	BURST(t, .flags = ACK, .seq = 1, .ack = SEG(1), .sacks = 2,
	      .sack = { { SEG(4), SEG(8) }, { SEG(2), SEG(3) } });
	SAY(t, .flags = ACK, .seq = 1, .ack = SEG(3), .sacks = 1,
	    .sack = { { SEG(4), SEG(8) } });
	ck_assert_uint_eq(COUNTER(t, TCP_SPURIOUS), 0);
	hear(t, 3, 3);
	world_advance(t->w, RTT);
	ACKED(t, 11);
	ck_assert_uint_eq(c->reo_mult, 1);
	talk_free(t);

	/* Both were only late: RACK's window has to be wider. */
	t = far_away(&with_sack);
	c = toe_ncb_by_handle(t->w->n->tcp, t->h);
	talk_send(t, 0, 10 * M);
	hear(t, 1, 10);
	cwnd = talk_info(t, t->h).cwnd;
	world_advance(t->w, RTT);
	BURST(t, .flags = ACK, .seq = 1, .ack = SEG(1), .sacks = 2,
	      .sack = { { SEG(4), SEG(8) }, { SEG(2), SEG(3) } });
	SAY(t, .flags = ACK, .seq = 1, .ack = SEG(8));
	ck_assert_uint_eq(COUNTER(t, TCP_SPURIOUS), 1);
	ck_assert_uint_ge(talk_info(t, t->h).cwnd, cwnd);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 0);
	ck_assert_uint_eq(c->reo_mult, 2);
	ACKED(t, 11);
	talk_free(t);
}
END_TEST

START_TEST(spurious_timeout)
{
	struct talk *t = far_away(&with_sack);
	uint32_t cwnd;

	/* RFC 5682 3.1: the ACKs were only late. */
	talk_send(t, 0, 40 * M);
	hear(t, 1, 10);
	cwnd = talk_info(t, t->h).cwnd;
	world_advance(t->w, 200 * MS);
	hear(t, 11, 11);			/* the probe */
	world_advance(t->w, 350 * MS);
	hear(t, 1, 1);
	SILENCE(t);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 1);
	/* 2.b: new data instead of retransmissions. */
	ACKED(t, 2);
	hear(t, 12, 13);
	SILENCE(t);
	/* 3.b: something that was sent once is acknowledged. */
	ACKED(t, 3);
	ck_assert_uint_eq(COUNTER(t, TCP_SPURIOUS), 1);
	ck_assert_uint_ge(talk_info(t, t->h).cwnd, cwnd);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 1);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(real_timeout)
{
	struct talk *t = far_away(&with_sack);

	talk_send(t, 0, 40 * M);
	hear(t, 1, 10);
	world_advance(t->w, 200 * MS);
	hear(t, 11, 11);
	world_advance(t->w, 350 * MS);
	hear(t, 1, 1);
	ACKED(t, 2);
	hear(t, 12, 13);
	/* 3.a: only the new data arrives. */
	ACKED(t, 2, SACK1(12, 13));
	ck_assert_uint_eq(COUNTER(t, TCP_SPURIOUS), 0);
	hear(t, 2, 2);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(bogus_blocks)
{
	struct talk *t = far_away(&with_sack);

	talk_send(t, 0, 4 * M);
	hear(t, 1, 4);
	/* Nothing of this is about what is out. */
	ACKED(t, 1, SACK1(6, 9));
	ACKED(t, 1, SACK1(3, 2));
	ACKED(t, 1, SACK1(4, 6));
	ACKED(t, 1, .sacks = 1, .sack = { { 0x80000000, 0x80000100 } });
	ACKED(t, 1, .sacks = 2, .sack = { { 0, 0xffffffff }, { 1, 100 } });
	ACKED(t, 1, SACK1(1, 5));
	world_advance(t->w, 150 * MS);
	SILENCE(t);
	ck_assert_uint_eq(COUNTER(t, TCP_FAST_RETRANSMITS), 0);
	ACKED(t, 5);
	talk_free(t);
}
END_TEST

START_TEST(lost_fin)
{
	struct talk *t = far_away(&with_sack);

	talk_send(t, 0, 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	talk_shutdown(t);
	HEAR(t, .flags = FIN | ACK, .seq = 101, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 101);
	world_advance(t->w, 400 * MS);
	HEAR(t, .flags = FIN | ACK, .seq = 101, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 102);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_FIN_WAIT_2);
	talk_drop(t);
}
END_TEST

START_TEST(sack_bomb)
{
	struct talk *t = far_away(&with_sack);
	uint32_t out, k;
	unsigned round;

	/*
	 * Every other byte SACKed: the pieces are limited, the work for each
	 * ACK with it, and the stream survives.
	 */
	talk_setopt(t, TOE_OPT_SNDBUF, 1 << 20);
	talk_send(t, 0, 10 * M);
	hear(t, 1, 10);
	world_advance(t->w, RTT);
	out = 10 * M;
	for (k = 3; k < out - 10; k += 8) {
		SAY(t, .flags = ACK, .seq = 1, .ack = 1, .sacks = 4, .sack = {
			{ k, k + 1 }, { k + 2, k + 3 }, { k + 4, k + 5 },
			{ k + 6, k + 7 } });
		world_forget(t->w);
	}
	ck_assert_uint_le(t->w->n->tcp->ncbs[TOE_INDEX(t->h)].spans,
			  TOE_SPANS_PER_CONN);
	ck_assert_uint_gt(t->w->n->tcp->ncbs[TOE_INDEX(t->h)].spans, 500);
	for (round = 0; round < 5; round++)
		world_advance(t->w, 5 * SEC);
	world_forget(t->w);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + out);
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
	ck_assert_uint_eq(t->w->n->tcp->ncbs[TOE_INDEX(t->h)].spans, 0);
	talk_send(t, out, 100);
	HEAR(t, .flags = ACK, .seq = 1 + out, .ack = 1, .len = 100);
	talk_drop(t);
}
END_TEST

/* Three reports of a hole, and its end, before a turn: nothing to repair. */
START_TEST(late_before_it_is_resent)
{
	struct talk *t = talk_new();
	uint32_t cwnd;

	talk_open_passive(t, &with_sack);
	talk_send(t, 0, 10 * 1460);
	world_run(t->w);
	world_forget(t->w);
	cwnd = talk_info(t, t->h).cwnd;
	BURST(t, .flags = ACK, .seq = 1, .ack = 1, .sacks = 1,
	      .sack = { { 1461, 2921 } });
	BURST(t, .flags = ACK, .seq = 1, .ack = 1, .sacks = 1,
	      .sack = { { 1461, 4381 } });
	BURST(t, .flags = ACK, .seq = 1, .ack = 1, .sacks = 1,
	      .sack = { { 1461, 5841 } });
	ck_assert_uint_eq(COUNTER(t, TCP_FAST_RETRANSMITS), 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 5841);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_SPURIOUS), 1);
	ck_assert_uint_ge(talk_info(t, t->h).cwnd, cwnd);
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
	c = tcase_create("send");
	tcase_set_timeout(c, 60);
	tcase_add_test(c, three_segments_sacked);
	tcase_add_test(c, only_holes_are_filled);
	tcase_add_test(c, rate_falls_in_proportion);
	tcase_add_test(c, a_little_reordering);
	tcase_add_test(c, one_sack_and_time);
	tcase_add_test(c, retransmission_lost);
	tcase_add_test(c, tail_loss_probe);
	tcase_add_test(c, tail_loss_repaired_by_the_probe);
	tcase_add_test(c, probe_with_new_data);
	tcase_add_test(c, timeout_keeps_what_is_sacked);
	tcase_add_test(c, a_peer_that_reneges);
	tcase_add_test(c, dsack_undoes);
	tcase_add_test(c, timestamps_undo);
	tcase_add_test(c, first_copies_in_one_burst);
	tcase_add_test(c, spurious_timeout);
	tcase_add_test(c, real_timeout);
	tcase_add_test(c, bogus_blocks);
	tcase_add_test(c, lost_fin);
	tcase_add_test(c, sack_bomb);
	tcase_add_test(c, late_before_it_is_resent);
	suite_add_tcase(s, c);
	return talk_main(s);
}
