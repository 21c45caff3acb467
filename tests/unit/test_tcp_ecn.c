/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_ecn.c - explicit congestion notification (RFC 3168, 8311), section
 * by section, and DCTCP (RFC 8257).
 */
#include "common_tcp.h"
#include "nop/tcp/tcp.h"

#define M	1460u
#define ECT0	2
#define ECT1	1
#define CE	3

static const struct talk_seg plain = { .mss = 1460 };
static const struct talk_seg with_sack = { .mss = 1460, .sackok = true };
static const struct talk_seg *const kinds[] = { &plain, &with_sack };

static void default_mode(struct talk *t, uint64_t mode)
{
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_ECN, mode),
			  TOE_ST_OK);
}

static void default_cc(struct talk *t, uint64_t cc)
{
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_CONGESTION, cc),
			  TOE_ST_OK);
}

static bool agreed(struct talk *t)
{
	uint64_t v = 99;

	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_ECN_AGREED,
					    &v), TOE_ST_OK);
	ck_assert_uint_le(v, 1);
	return v;
}

static ToeNcb *ncb(struct talk *t)
{
	return toe_ncb_by_handle(t->w->n->tcp, t->h);
}

/* A connection with ECN; the adapter asked, or the peer. */
static struct talk *open_active(const struct talk_seg *options)
{
	struct talk *t = talk_new();
	struct talk_seg s = *options;

	default_mode(t, TOE_ECN_MODE_ON);
	talk_connect(t);
	HEAR(t, .flags = SYN | ECE | CWR);
	s.flags = SYN | ACK | ECE;
	s.ack = 1;
	talk_say(t, &s);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	ck_assert(agreed(t));
	return t;
}

static void finish_passive(struct talk *t, const struct talk_seg *options)
{
	struct talk_seg s = *options;

	talk_listen(t, 4);
	s.flags = SYN | ECE | CWR;
	talk_say(t, &s);
	HEAR(t, .flags = SYN | ACK | ECE, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	toe_stream_accepted(t->w->n, t->h);
	ck_assert(agreed(t));
	ncb(t)->quickacks = 0;
}

static struct talk *open_passive(const struct talk_seg *options)
{
	struct talk *t = talk_new();

	finish_passive(t, options);
	return t;
}

/* ---- 6.1.1: agreement ---- */

START_TEST(option)
{
	struct talk *t = talk_new();
	uint64_t v = 99;

	talk_open_active(t, NULL);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_ECN, &v),
			  TOE_ST_OK);
	ck_assert_uint_eq(v, TOE_ECN_MODE_PASSIVE);
	ck_assert(!agreed(t));
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->h, TOE_OPT_ECN, 3),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->h, TOE_OPT_ECN_AGREED,
					    1), TOE_ST_INVALID);
	talk_setopt(t, TOE_OPT_ECN, TOE_ECN_MODE_OFF);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_ECN, &v),
			  TOE_ST_OK);
	ck_assert_uint_eq(v, TOE_ECN_MODE_OFF);
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_ECN, 3),
			  TOE_ST_INVALID);
	talk_free(t);

	/* Set after connect(), before the turn that sends the SYN. */
	t = talk_new();
	talk_connect(t);
	talk_setopt(t, TOE_OPT_ECN, TOE_ECN_MODE_ON);
	HEAR(t, .flags = SYN | ECE | CWR);
	talk_drop(t);
}
END_TEST

START_TEST(who_asks)
{
	static const uint8_t syn[] = {
		[TOE_ECN_MODE_OFF] = SYN, [TOE_ECN_MODE_ON] = SYN | ECE | CWR,
		[TOE_ECN_MODE_PASSIVE] = SYN,
	};
	unsigned mode = (unsigned)_i / 4;
	uint8_t bits = (uint8_t)(_i % 4 * ECE);
	struct talk *t = talk_new();
	const struct talk_seg *s;
	bool want = mode == TOE_ECN_MODE_ON && bits == ECE;

	/*
	 * 6.1.1: a SYN-ACK grants with ECE and without CWR; both at once are
	 * what a peer sends that reflects what it does not know.
	 */
	default_mode(t, mode);
	talk_connect(t);
	s = HEAR(t, .flags = syn[mode]);
	ck_assert_uint_eq(s->tos, 0);
	SAY(t, .flags = SYN | ACK | bits, .ack = 1, .mss = 1460);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(s->tos, 0);
	ck_assert_int_eq(agreed(t), want);
	ck_assert_uint_eq(COUNTER(t, TCP_ECN_CONNS), want);
	talk_send(t, 0, 100);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	ck_assert_uint_eq(s->tos, want ? ECT0 : 0);
	talk_drop(t);
}
END_TEST

START_TEST(who_grants)
{
	unsigned mode = (unsigned)_i / 4;
	uint8_t bits = (uint8_t)(_i % 4 * ECE);
	struct talk *t = talk_new();
	const struct talk_seg *s;
	bool want = mode != TOE_ECN_MODE_OFF && bits == (ECE | CWR);

	/* The listener's choice, not the default, is its children's. */
	default_mode(t, want ? TOE_ECN_MODE_OFF : TOE_ECN_MODE_ON);
	talk_listen(t, 4);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener, TOE_OPT_ECN,
					    mode), TOE_ST_OK);
	SAY(t, .flags = SYN | bits, .mss = 1460);
	s = HEAR(t, .flags = want ? SYN | ACK | ECE : SYN | ACK, .ack = 1);
	ck_assert_uint_eq(s->tos, 0);
	/* The same when it is sent again. */
	world_advance(t->w, 1500 * MS);
	s = HEAR(t, .flags = want ? SYN | ACK | ECE : SYN | ACK, .ack = 1);
	ck_assert_uint_eq(s->tos, 0);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_int_eq(agreed(t), want);
	ck_assert_uint_eq(COUNTER(t, TCP_ECN_CONNS), want);
	talk_send(t, 0, 100);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	ck_assert_uint_eq(s->tos, want ? ECT0 : 0);
	talk_drop(t);
}
END_TEST

START_TEST(syn_again_does_not_ask)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	/* 6.1.1.1; after that the answer to the first one is too late. */
	default_mode(t, TOE_ECN_MODE_ON);
	talk_connect(t);
	HEAR(t, .flags = SYN | ECE | CWR);
	world_advance(t->w, 1100 * MS);
	HEAR(t, .flags = SYN);
	ck_assert_uint_eq(COUNTER(t, TCP_ECN_FALLBACKS), 1);
	SAY(t, .flags = SYN | ACK | ECE, .ack = 1, .mss = 1460);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert(!agreed(t));
	talk_send(t, 0, 100);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	ck_assert_uint_eq(s->tos, 0);
	/* 6.1.1: but the peer may not know, and its marks count. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 101, .len = 100, .tos = CE);
	HEAR(t, .flags = ACK | ECE, .seq = 101, .ack = 101);
	talk_drop(t);
}
END_TEST

START_TEST(peers_second_syn_takes_it_back)
{
	struct talk *t = talk_new();

	talk_listen(t, 4);
	SAY(t, .flags = SYN | ECE | CWR, .mss = 1460);
	HEAR(t, .flags = SYN | ACK | ECE, .ack = 1);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	/* A third cannot give it again. */
	SAY(t, .flags = SYN | ECE | CWR, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert(!agreed(t));
	talk_drop(t);
}
END_TEST

START_TEST(simultaneous_open)
{
	uint8_t asks = _i & 1 ? ECE | CWR : 0;
	uint8_t grants = _i & 2 ? ECE : 0;
	struct talk *t = talk_new();

	default_mode(t, TOE_ECN_MODE_ON);
	talk_connect(t);
	HEAR(t, .flags = SYN | ECE | CWR);
	SAY(t, .flags = SYN | asks, .mss = 1460);
	HEAR(t, .flags = SYN | ACK | (asks ? ECE : 0), .ack = 1);
	SAY(t, .flags = SYN | ACK | grants, .ack = 1, .mss = 1460);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	ck_assert_int_eq(agreed(t), asks && grants);
	talk_drop(t);
}
END_TEST

START_TEST(not_agreed)
{
	struct talk *t = talk_new();
	uint32_t cwnd;

	/* Marks and echoes of a peer that does as if. */
	talk_open_active(t, &with_sack);
	SAY(t, .flags = ACK | CWR, .seq = 1, .ack = 1, .len = 100, .tos = CE);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 101);
	cwnd = talk_info(t, t->h).cwnd;
	talk_send(t, 0, 1000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 101, .len = 1000);
	SAY(t, .flags = ACK | ECE, .seq = 101, .ack = 1001);
	ck_assert_uint_ge(talk_info(t, t->h).cwnd, cwnd);
	ck_assert_uint_eq(COUNTER(t, TCP_CE_IN), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_ECE_IN), 0);
	talk_drop(t);
}
END_TEST

/* ---- 6.1.4, 6.1.5, 6.1.6: what is ECT ---- */

START_TEST(only_new_data_is_ect)
{
	struct talk *t = open_active(kinds[_i]);
	const struct talk_seg *s;

	talk_send(t, 0, 2000);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = M);
	ck_assert_uint_eq(s->tos, ECT0);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + M);
	s = HEAR(t, .flags = ACK, .seq = 1 + M, .ack = 1, .len = 2000 - M);
	ck_assert_uint_eq(s->tos, ECT0);
	/* Sent again, by a probe of the tail or by time-out. */
	world_advance(t->w, 3 * SEC);
	while ((s = talk_any(t))) {
		ck_assert_uint_eq(s->seq, 1 + M);
		ck_assert_uint_eq(s->tos, 0);
		ck_assert(!(s->flags & CWR));
	}
	ck_assert_uint_ge(COUNTER(t, TCP_RETRANSMITS), 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 2001);
	/* A pure ACK. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 2001, .len = 100);
	s = HEAR(t, .flags = ACK, .seq = 2001, .ack = 101);
	ck_assert_uint_eq(s->tos, 0);
	/* A probe of a closed window. */
	SAY(t, .flags = ACK, .seq = 101, .ack = 2001, .wnd = 1);
	talk_send(t, 2000, 500);
	world_advance(t->w, 15 * SEC);
	s = HEAR(t, .flags = ACK, .seq = 2001, .ack = 101, .len = 1);
	ck_assert_uint_eq(s->tos, 0);
	world_forget(t->w);
	SAY(t, .flags = ACK, .seq = 101, .ack = 2002);
	while ((s = talk_any(t)))
		ck_assert_uint_eq(s->tos, s->seq == 2002 ? ECT0 : 0);
	SAY(t, .flags = ACK, .seq = 101, .ack = 2501);
	/* A FIN alone, and a RST. */
	talk_shutdown(t);
	s = HEAR(t, .flags = FIN | ACK, .seq = 2501, .ack = 101);
	ck_assert_uint_eq(s->tos, 0);
	talk_abort(t);
	s = HEAR(t, .flags = RST | ACK, .seq = 2502, .ack = 101);
	ck_assert_uint_eq(s->tos, 0);
	talk_drop(t);
}
END_TEST

START_TEST(keepalive_is_not_ect)
{
	struct talk *t = open_active(&plain);
	const struct talk_seg *s;

	talk_setopt(t, TOE_OPT_KEEPALIVE, 10);
	talk_wait(t, 11 * SEC);
	s = HEAR(t, .flags = ACK, .seq = 0, .ack = 1);
	ck_assert_uint_eq(s->tos, 0);
	talk_drop(t);
}
END_TEST

START_TEST(data_with_fin_is_ect)
{
	struct talk *t = open_active(&plain);
	const struct talk_seg *s;

	talk_send(t, 0, 100);
	talk_shutdown(t);
	s = HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1, .len = 100);
	ck_assert_uint_eq(s->tos, ECT0);
	talk_drop(t);
}
END_TEST

/* ---- 6.1.3: the receiver ---- */

START_TEST(echo_until_cwr)
{
	struct talk *t = open_passive(kinds[_i]);

	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100, .tos = ECT1);
	world_advance(t->w, 100 * MS);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 101);
	/* At once, though one segment alone could wait. */
	SAY(t, .flags = ACK, .seq = 101, .ack = 1, .len = 100, .tos = CE);
	HEAR(t, .flags = ACK | ECE, .seq = 1, .ack = 201);
	SAY(t, .flags = ACK, .seq = 201, .ack = 1, .len = 100, .tos = ECT0);
	world_advance(t->w, 100 * MS);
	HEAR(t, .flags = ACK | ECE, .seq = 1, .ack = 301);
	/* On data too. */
	talk_send(t, 0, 10);
	HEAR(t, .flags = ACK | ECE, .seq = 1, .ack = 301, .len = 10);
	/* CWR without data is nothing. */
	SAY(t, .flags = ACK | CWR, .seq = 301, .ack = 11);
	SAY(t, .flags = ACK | CWR, .seq = 301, .ack = 11, .len = 100,
	    .tos = ECT0);
	HEAR(t, .flags = ACK, .seq = 11, .ack = 401);
	SAY(t, .flags = ACK, .seq = 401, .ack = 11, .len = 100, .tos = CE);
	HEAR(t, .flags = ACK | ECE, .seq = 11, .ack = 501);
	/* Both on one: the mark is the later word. */
	SAY(t, .flags = ACK | CWR, .seq = 501, .ack = 11, .len = 100,
	    .tos = CE);
	HEAR(t, .flags = ACK | ECE, .seq = 11, .ack = 601);
	ck_assert_uint_eq(COUNTER(t, TCP_CE_IN), 3);
	talk_drop(t);
}
END_TEST

START_TEST(marks_out_of_order)
{
	struct talk *t = open_passive(kinds[_i]);

	/* In the window is enough. */
	SAY(t, .flags = ACK, .seq = 501, .ack = 1, .len = 100, .tos = CE);
	HEAR(t, .flags = ACK | ECE, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 500, .tos = ECT0);
	HEAR(t, .flags = ACK | ECE, .seq = 1, .ack = 601);
	/* CWR behind a gap ends it as well. */
	SAY(t, .flags = ACK | CWR, .seq = 701, .ack = 1, .len = 100,
	    .tos = ECT0);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 601);
	talk_drop(t);
}
END_TEST

START_TEST(marks_without_meaning)
{
	struct talk *t = open_passive(kinds[_i]);

	/* 6.1.4: a pure ACK's. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .tos = CE);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100, .tos = ECT0);
	world_advance(t->w, 100 * MS);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 101);
	/* 6.1.5: of what is not in the window, at either end. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100, .tos = CE);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 101);
	SAY(t, .flags = ACK, .seq = 101 + (4 << 20), .ack = 1, .len = 100,
	    .tos = CE);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 101);
	ck_assert_uint_eq(COUNTER(t, TCP_CE_IN), 0);
	talk_drop(t);
}
END_TEST

START_TEST(mark_on_fragments)
{
	struct talk *t = open_passive(&plain);

	/* 5.3: put together, they are marked. */
	t->w->cut = 512;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1400, .tos = CE);
	HEAR(t, .flags = ACK | ECE, .seq = 1, .ack = 1401);
	talk_drop(t);
}
END_TEST

/* ---- 6.1.2: the sender ---- */

/* Send n segments from *sent on; CWR may be on the first. */
static void send_full(struct talk *t, uint32_t *sent, unsigned n, uint8_t cwr)
{
	const struct talk_seg *s;
	unsigned i;

	talk_send(t, *sent, n * M);
	for (i = 0; i < n; i++, *sent += M, cwr = 0) {
		s = HEAR(t, .flags = ACK | cwr, .seq = 1 + *sent, .ack = 1,
			 .len = M);
		ck_assert_uint_eq(s->tos, ECT0);
	}
}

START_TEST(one_reduction_per_window)
{
	struct talk *t = open_active(kinds[_i % 2]);
	uint32_t sent = 0, cwnd, after;

	talk_setopt(t, TOE_OPT_CONGESTION,
		    _i / 2 ? TOE_CC_NEWRENO : TOE_CC_CUBIC);
	send_full(t, &sent, 10, 0);
	cwnd = talk_info(t, t->h).cwnd;
	ck_assert_uint_eq(cwnd, 10 * M);
	t->w->now += 10 * MS;
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + 2 * M);
	after = talk_info(t, t->h).cwnd;
	ck_assert_uint_eq(after, _i / 2 ? 5 * M : 7 * M);
	ck_assert_uint_eq(talk_info(t, t->h).ssthresh, after);
	/* More of the same window; nor does it grow for these. */
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + 8 * M);
	ck_assert_uint_eq(talk_info(t, t->h).cwnd, after);
	/* The first new data says so, once. */
	send_full(t, &sent, 2, CWR);
	send_full(t, &sent, 1, 0);
	/* Up to that segment the peer echoes what it did before. */
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + 10 * M);
	ck_assert_uint_eq(talk_info(t, t->h).cwnd, after);
	ck_assert_uint_eq(COUNTER(t, TCP_ECN_REDUCED), 1);
	/* What is beyond is news. */
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + 11 * M);
	ck_assert_uint_eq(COUNTER(t, TCP_ECN_REDUCED), 2);
	ck_assert_uint_lt(talk_info(t, t->h).cwnd, after);
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + 12 * M);
	send_full(t, &sent, 1, CWR);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + sent);
	ck_assert_uint_eq(COUNTER(t, TCP_ECE_IN), 5);
	ck_assert_uint_eq(COUNTER(t, TCP_ECN_REDUCED), 2);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 0);
	SILENCE(t);
	talk_drop(t);
}
END_TEST

START_TEST(echo_on_a_duplicate_ack)
{
	struct talk *t = open_active(kinds[_i]);
	uint32_t sent = 0;

	/* That nothing new is acknowledged does not make it less true. */
	send_full(t, &sent, 4, 0);
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1);
	ck_assert_uint_eq(COUNTER(t, TCP_ECN_REDUCED), 1);
	ck_assert_uint_lt(talk_info(t, t->h).cwnd, 10 * M);
	talk_drop(t);
}
END_TEST

START_TEST(old_or_false_acks_do_not_count)
{
	struct talk *t = open_active(kinds[_i]);
	uint32_t sent = 0;

	send_full(t, &sent, 4, 0);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 2 * M);
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + 5 * M);
	HEAR(t, .flags = ACK, .seq = 1 + sent, .ack = 1);
	SAY(t, .flags = ACK | ECE, .seq = 1 + (4 << 20), .ack = 1 + 4 * M);
	HEAR(t, .flags = ACK, .seq = 1 + sent, .ack = 1);
	ck_assert_uint_eq(COUNTER(t, TCP_ECE_IN), 0);
	talk_drop(t);
}
END_TEST

START_TEST(a_loss_of_the_marked_window)
{
	struct talk *t = open_active(&with_sack);
	uint32_t sent = 0, after;

	/* 6.1.2: mark and loss of one window are one sign. */
	talk_setopt(t, TOE_OPT_CONGESTION, TOE_CC_NEWRENO);
	send_full(t, &sent, 10, 0);
	t->w->now += 10 * MS;
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + M);
	after = talk_info(t, t->h).ssthresh;
	ck_assert_uint_eq(after, 5 * M);
	t->w->now += 10 * MS;
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + M, .sacks = 1,
	    .sack = { { 1 + 2 * M, 1 + 10 * M } });
	HEAR(t, .flags = ACK, .seq = 1 + M, .ack = 1, .len = M);
	ck_assert_uint_eq(COUNTER(t, TCP_FAST_RETRANSMITS), 1);
	ck_assert_uint_eq(talk_info(t, t->h).ssthresh, after);
	t->w->now += 10 * MS;
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + 10 * M);
	ck_assert_uint_eq(talk_info(t, t->h).cwnd, after);
	/* The next window's loss is another. */
	send_full(t, &sent, 5, CWR);
	t->w->now += 10 * MS;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 10 * M, .sacks = 1,
	    .sack = { { 1 + 11 * M, 1 + 15 * M } });
	HEAR(t, .flags = ACK, .seq = 1 + 10 * M, .ack = 1, .len = M);
	ck_assert_uint_lt(talk_info(t, t->h).ssthresh, after);
	talk_drop(t);
}
END_TEST

START_TEST(cwr_after_a_loss)
{
	struct talk *t = open_active(&with_sack);
	const struct talk_seg *s;
	uint32_t sent = 0;
	unsigned cwr = 0;

	/* 6.1.2: for any reason; never on what is sent again. */
	send_full(t, &sent, 10, 0);
	t->w->now += 10 * MS;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .sacks = 1,
	    .sack = { { 1 + M, 1 + 10 * M } });
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = M);
	ck_assert_uint_eq(s->tos, 0);
	t->w->now += 10 * MS;
	/* An echo of that window is no second reason. */
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + 10 * M);
	ck_assert_uint_eq(COUNTER(t, TCP_ECN_REDUCED), 0);
	send_full(t, &sent, 3, CWR);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + sent);

	send_full(t, &sent, 1, 0);
	world_advance(t->w, 2 * SEC);
	while ((s = talk_any(t))) {
		ck_assert_uint_eq(s->seq, 1 + sent - M);
		ck_assert(!(s->flags & CWR));
		ck_assert_uint_eq(s->tos, 0);
	}
	ck_assert_uint_ge(COUNTER(t, TCP_RTO), 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + sent);
	talk_send(t, sent, 2 * M);
	while ((s = talk_any(t)))
		cwr += !!(s->flags & CWR);
	ck_assert_uint_eq(cwr, 1);
	talk_drop(t);
}
END_TEST

START_TEST(undo_takes_cwr_back)
{
	struct talk *t = open_active(&with_sack);
	uint32_t sent = 0, cwnd;

	/* Reordering that looked like a loss: the D-SACK tells. */
	send_full(t, &sent, 10, 0);
	cwnd = talk_info(t, t->h).cwnd;
	t->w->now += 10 * MS;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .sacks = 1,
	    .sack = { { 1 + M, 1 + 10 * M } });
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = M);
	ck_assert_uint_lt(talk_info(t, t->h).cwnd, cwnd);
	SAY(t, .flags = ACK | (_i ? ECE : 0), .seq = 1, .ack = 1 + 10 * M);
	t->w->now += 10 * MS;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + 10 * M, .sacks = 1,
	    .sack = { { 1, 1 + M } });
	if (_i) {
		/* But something of that window was marked. */
		ck_assert_uint_eq(COUNTER(t, TCP_SPURIOUS), 0);
		ck_assert_uint_lt(talk_info(t, t->h).cwnd, cwnd);
		send_full(t, &sent, 1, CWR);
	} else {
		ck_assert_uint_eq(COUNTER(t, TCP_SPURIOUS), 1);
		ck_assert_uint_ge(talk_info(t, t->h).cwnd, cwnd);
		send_full(t, &sent, 1, 0);
	}
	talk_drop(t);
}
END_TEST

/* ---- RFC 8257 ---- */

START_TEST(dctcp_always_asks)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	default_mode(t, TOE_ECN_MODE_OFF);
	default_cc(t, TOE_CC_DCTCP);
	talk_connect(t);
	s = HEAR(t, .flags = SYN | ECE | CWR);
	ck_assert_uint_eq(s->tos, ECT0);		/* 3.6 */
	/* 3.6: a mark on the SYN-ACK is ignored. */
	SAY(t, .flags = SYN | ACK | ECE, .ack = 1, .mss = 1460, .tos = CE);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(s->tos, 0);
	ck_assert(agreed(t));
	ck_assert_uint_eq(COUNTER(t, TCP_CE_IN), 0);
	talk_abort(t);
	s = HEAR(t, .flags = RST | ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(s->tos, ECT0);
	talk_drop(t);

	t = talk_new();
	default_mode(t, TOE_ECN_MODE_OFF);
	default_cc(t, TOE_CC_DCTCP);
	talk_listen(t, 4);
	SAY(t, .flags = SYN | ECE | CWR, .mss = 1460, .tos = CE);
	s = HEAR(t, .flags = SYN | ACK | ECE, .ack = 1);
	ck_assert_uint_eq(s->tos, ECT0);
	talk_drop(t);

	/* The fallback of 6.1.1.1 is for it too. */
	t = talk_new();
	default_cc(t, TOE_CC_DCTCP);
	talk_connect(t);
	HEAR(t, .flags = SYN | ECE | CWR);
	world_advance(t->w, 1100 * MS);
	s = HEAR(t, .flags = SYN);
	ck_assert_uint_eq(s->tos, 0);
	talk_drop(t);
}
END_TEST

static struct talk *dctcp_receiver(void)
{
	struct talk *t = talk_new();

	default_cc(t, TOE_CC_DCTCP);
	finish_passive(t, &with_sack);
	return t;
}

START_TEST(dctcp_echo_is_exact)
{
	struct talk *t = dctcp_receiver();

	/* 3.2, the two states; m = 2 segments for an ACK. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = M, .tos = ECT0);
	SILENCE(t);
	/* The change: an ACK for what was unmarked, one for the mark. */
	SAY(t, .flags = ACK, .seq = 1 + M, .ack = 1, .len = M, .tos = CE);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1 + M);
	HEAR(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + 2 * M);
	/* The same again can wait for a second. */
	SAY(t, .flags = ACK, .seq = 1 + 2 * M, .ack = 1, .len = M, .tos = CE);
	SILENCE(t);
	SAY(t, .flags = ACK, .seq = 1 + 3 * M, .ack = 1, .len = M, .tos = CE);
	HEAR(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + 4 * M);
	SAY(t, .flags = ACK, .seq = 1 + 4 * M, .ack = 1, .len = M, .tos = CE);
	SILENCE(t);
	/* And back; CWR has no say in this. */
	SAY(t, .flags = ACK, .seq = 1 + 5 * M, .ack = 1, .len = M,
	    .tos = ECT0);
	HEAR(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + 5 * M);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1 + 6 * M);
	SAY(t, .flags = ACK | CWR, .seq = 1 + 6 * M, .ack = 1, .len = M,
	    .tos = CE);
	HEAR(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + 7 * M);
	/* Nothing waits: one ACK does. */
	SAY(t, .flags = ACK, .seq = 1 + 7 * M, .ack = 1, .len = M,
	    .tos = ECT0);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1 + 8 * M);
	talk_drop(t);
}
END_TEST

START_TEST(dctcp_changes_within_a_burst)
{
	struct talk *t = dctcp_receiver();
	uint32_t right = 0, i;
	const struct talk_seg *s;

	/* Each has its word, though they come between two turns. */
	for (i = 0; i < 5; i++)
		BURST(t, .flags = ACK, .seq = 1 + i * 100, .ack = 1,
		      .len = 100, .tos = i & 1 ? CE : ECT0);
	for (i = 0; i < 5; i++) {
		s = HEAR(t, .flags = ACK | (i & 1 ? ECE : 0), .seq = 1,
			 .ack = 101 + i * 100);
		/* The window's right edge does not move back. */
		ck_assert_uint_ge(s->ack + s->window, right);
		right = s->ack + s->window;
	}
	/* As many as there are places; the last state is right again. */
	for (i = 5; i < 14; i++)
		BURST(t, .flags = ACK, .seq = 1 + i * 100, .ack = 1,
		      .len = 100, .tos = i & 1 ? CE : ECT0);
	for (i = 5; i < 9; i++)
		HEAR(t, .flags = ACK | (i & 1 ? ECE : 0), .seq = 1,
		     .ack = 101 + i * 100);
	HEAR(t, .flags = ACK | ECE, .seq = 1, .ack = 1401);
	SILENCE(t);
	talk_drop(t);
}
END_TEST

START_TEST(dctcp_changes_out_of_order)
{
	struct talk *t = dctcp_receiver();

	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100, .tos = ECT0);
	SILENCE(t);
	SAY(t, .flags = ACK, .seq = 201, .ack = 1, .len = 100, .tos = CE);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 101);
	HEAR(t, .flags = ACK | ECE, .seq = 1, .ack = 101);
	SAY(t, .flags = ACK, .seq = 101, .ack = 1, .len = 100, .tos = ECT0);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 301);
	talk_drop(t);
}
END_TEST

static struct talk *dctcp_sender(void)
{
	struct talk *t = talk_new();

	default_cc(t, TOE_CC_DCTCP);
	talk_connect(t);
	HEAR(t, .flags = SYN | ECE | CWR);
	SAY(t, .flags = SYN | ACK | ECE, .ack = 1, .mss = 1460,
	    .sackok = true, .wscale = 8);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	talk_setopt(t, TOE_OPT_SNDBUF, 1 << 20);
	return t;
}

static uint32_t alpha(struct talk *t)
{
	return ncb(t)->cc_state.dctcp.alpha;
}

/*
 * One window of up to 20 segments, acknowledged one by one; the first marked
 * of them with ECE.
 */
static uint32_t dctcp_window(struct talk *t, uint32_t *sent, unsigned marked)
{
	const struct talk_seg *s;
	uint32_t acked = *sent, n = 0;

	talk_send(t, *sent, MIN(20, talk_info(t, t->h).cwnd / M) * M);
	while ((s = talk_any(t))) {
		ck_assert_uint_eq(s->tos, ECT0);
		*sent += s->len;
		n++;
	}
	t->w->now += 10 * MS;
	for (; acked < *sent; acked += M)
		SAY(t, .flags = ACK | (marked && marked-- ? ECE : 0), .seq = 1,
		    .ack = 1 + acked + M);
	return n;
}

START_TEST(dctcp_alpha)
{
	struct talk *t = dctcp_sender();
	uint32_t sent = 0, a = 1024, before, n, i;

	/* 4.2: alpha begins with 1. */
	ck_assert_uint_eq(alpha(t), 1024);
	for (i = 0; i < 30; i++) {
		dctcp_window(t, &sent, 0);
		/* 3.3: the window of observation ends with the next one's. */
		a = a * 15 / 16;
		ck_assert_uint_le(alpha(t), a + 64);
	}
	ck_assert_uint_lt(alpha(t), 200);
	/* A mark now costs alpha / 2, once in the window. */
	before = talk_info(t, t->h).cwnd;
	a = alpha(t);
	n = dctcp_window(t, &sent, 5);
	ck_assert_uint_ge(n, 10);
	ck_assert_uint_eq(COUNTER(t, TCP_ECN_REDUCED), 1);
	ck_assert_uint_ge(talk_info(t, t->h).cwnd,
			  before - before * (a + 64) / 1024 / 2);
	ck_assert_uint_le(talk_info(t, t->h).cwnd,
			  before - before * (a - a / 8) / 1024 / 2 + 2 * M);
	/* All marked: alpha goes to 1. */
	for (i = 0; i < 60; i++)
		dctcp_window(t, &sent, 100);
	ck_assert_uint_ge(alpha(t), 900);
	ck_assert_uint_eq(talk_info(t, t->h).cwnd / M, 2);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 0);
	talk_drop(t);
}
END_TEST

START_TEST(dctcp_share_of_marks)
{
	struct talk *t = dctcp_sender();
	uint32_t sent = 0, i;

	/* Two of ten in each window: alpha comes to a fifth. */
	talk_setopt(t, TOE_OPT_CONGESTION, TOE_CC_DCTCP);
	for (i = 0; i < 200; i++) {
		ncb(t)->cwnd = ncb(t)->ssthresh = 10 * M;
		dctcp_window(t, &sent, 2);
	}
	ck_assert_uint_ge(alpha(t), 1024 / 5 - 40);
	ck_assert_uint_le(alpha(t), 1024 / 5 + 40);
	talk_drop(t);
}
END_TEST

START_TEST(dctcp_loss_is_a_loss)
{
	struct talk *t = dctcp_sender();
	uint32_t sent = 0, cwnd, i;
	const struct talk_seg *s;

	/* 3.5: half, however small alpha is, marks or not. */
	for (i = 0; i < 40; i++)
		dctcp_window(t, &sent, 0);
	ck_assert_uint_lt(alpha(t), 128);
	talk_send(t, sent, 20 * M);
	while ((s = talk_any(t)))
		;
	cwnd = talk_info(t, t->h).cwnd;
	t->w->now += 10 * MS;
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + sent + M);
	ck_assert_uint_eq(COUNTER(t, TCP_ECN_REDUCED), 1);
	ck_assert_uint_gt(talk_info(t, t->h).ssthresh, cwnd * 9 / 10);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + sent + M, .sacks = 1,
	    .sack = { { 1 + sent + 2 * M, 1 + sent + 20 * M } });
	s = talk_any(t);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(s->seq, 1 + sent + M);
	ck_assert_uint_eq(s->tos, 0);		/* RFC 3168 6.1.5 holds */
	ck_assert_uint_le(talk_info(t, t->h).ssthresh, 19 * M / 2);
	talk_drop(t);
}
END_TEST

START_TEST(dctcp_without_ecn_is_reno)
{
	struct talk *t = talk_new();
	uint32_t i;

	default_cc(t, TOE_CC_DCTCP);
	talk_connect(t);
	HEAR(t, .flags = SYN | ECE | CWR);
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460, .sackok = true);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert(!agreed(t));
	talk_send(t, 0, 10 * M);
	for (i = 0; i < 10; i++)
		ck_assert_uint_eq(talk_any(t)->tos, 0);
	t->w->now += 10 * MS;
	SAY(t, .flags = ACK | ECE, .seq = 1, .ack = 1 + M);
	ck_assert_uint_eq(talk_info(t, t->h).cwnd, 11 * M);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 + M, .sacks = 1,
	    .sack = { { 1 + 2 * M, 1 + 10 * M } });
	ck_assert_uint_eq(talk_info(t, t->h).ssthresh, 9 * M / 2);
	talk_drop(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_ecn");
	TCase *a = tcase_create("agreement"), *e = tcase_create("ect");
	TCase *r = tcase_create("receiver"), *c = tcase_create("sender");
	TCase *d = tcase_create("dctcp");

	/* A slow machine with sanitizers; none of them waits. */
	tcase_set_timeout(a, 60);
	tcase_set_timeout(e, 60);
	tcase_set_timeout(r, 60);
	tcase_set_timeout(c, 60);
	tcase_set_timeout(d, 60);
	tcase_add_test(a, option);
	tcase_add_loop_test(a, who_asks, 0, 12);
	tcase_add_loop_test(a, who_grants, 0, 12);
	tcase_add_test(a, syn_again_does_not_ask);
	tcase_add_test(a, peers_second_syn_takes_it_back);
	tcase_add_loop_test(a, simultaneous_open, 0, 4);
	tcase_add_test(a, not_agreed);
	tcase_add_loop_test(e, only_new_data_is_ect, 0, 2);
	tcase_add_test(e, keepalive_is_not_ect);
	tcase_add_test(e, data_with_fin_is_ect);
	tcase_add_loop_test(r, echo_until_cwr, 0, 2);
	tcase_add_loop_test(r, marks_out_of_order, 0, 2);
	tcase_add_loop_test(r, marks_without_meaning, 0, 2);
	tcase_add_test(r, mark_on_fragments);
	tcase_add_loop_test(c, one_reduction_per_window, 0, 4);
	tcase_add_loop_test(c, echo_on_a_duplicate_ack, 0, 2);
	tcase_add_loop_test(c, old_or_false_acks_do_not_count, 0, 2);
	tcase_add_test(c, a_loss_of_the_marked_window);
	tcase_add_test(c, cwr_after_a_loss);
	tcase_add_loop_test(c, undo_takes_cwr_back, 0, 2);
	tcase_add_test(d, dctcp_always_asks);
	tcase_add_test(d, dctcp_echo_is_exact);
	tcase_add_test(d, dctcp_changes_within_a_burst);
	tcase_add_test(d, dctcp_changes_out_of_order);
	tcase_add_test(d, dctcp_alpha);
	tcase_add_test(d, dctcp_share_of_marks);
	tcase_add_test(d, dctcp_loss_is_a_loss);
	tcase_add_test(d, dctcp_without_ecn_is_reno);
	suite_add_tcase(s, a);
	suite_add_tcase(s, e);
	suite_add_tcase(s, r);
	suite_add_tcase(s, c);
	suite_add_tcase(s, d);
	return talk_main(s);
}
