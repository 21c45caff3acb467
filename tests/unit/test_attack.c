/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_attack.c - hostile peers: what they cannot do, and what they cost.
 *
 * Each case prints what it made the adapter hold: NCBs, buflets, ranges of
 * bytes ahead, spans of the scoreboard.  The limits are the configuration's.
 * (Floods of SYNs and of fragments have tests of their own.)
 */
#include <stdio.h>
#include "common_tcp.h"
#include "nop/tcp/tcp.h"

static const struct talk_seg with_sack = { .mss = 1460, .sackok = true };

static uint32_t buflets(struct talk *t)
{
	return toe_lmem_total(t->w->lm) - toe_lmem_avail(t->w->lm, TOE_LMEM_IN);
}

static ToeNcb *ncb(struct talk *t)
{
	ToeNcb *c = toe_ncb_by_handle(t->w->n->tcp, t->h);

	ck_assert_ptr_nonnull(c);
	return c;
}

static uint32_t ranges(struct talk *t)
{
	return ncb(t)->reass_ranges;
}

static void figure(const char *name, struct talk *t, uint32_t most_ranges,
		   uint32_t most_spans)
{
	printf("%s: %u NCBs, %u of %u buflets, %u ranges, %u spans\n", name,
	       (unsigned)COUNTER(t, TCP_NCBS), buflets(t),
	       toe_lmem_total(t->w->lm), most_ranges, most_spans);
	fflush(stdout);
}

/* The connection still works: a byte each way. */
static void alive(struct talk *t, uint32_t seq, uint32_t ack)
{
	uint32_t unread = talk_unread(t);

	world_forget(t->w);
	g_string_truncate(t->log, 0);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_ESTABLISHED);
	SAY(t, .flags = ACK | PSH, .seq = seq, .ack = ack, .len = 1);
	ck_assert_uint_eq(talk_unread(t), unread + 1);
	world_forget(t->w);
	g_string_truncate(t->log, 0);
}

/* ---- Blind injection, RFC 5961 ---- */

START_TEST(blind_rst)
{
	struct talk *t = talk_new();
	uint32_t seq;

	/* Section 3.2: only the exact sequence number resets. */
	talk_open_passive(t, NULL);
	for (seq = 2; seq < 500000; seq += 997)
		BURST(t, .flags = RST, .seq = seq, .ack = 1);
	BURST(t, .flags = RST, .seq = 0);
	BURST(t, .flags = RST, .seq = (uint32_t)-70000);
	world_run(t->w);
	ck_assert_uint_le(COUNTER(t, TCP_CHALLENGE_ACKS),
			  TOE_CHALLENGE_PER_CONN);
	ck_assert_uint_ge(COUNTER(t, TCP_CHALLENGE_ACKS), 1);
	ck_assert_uint_le(world_sent_count(t->w), TOE_CHALLENGE_PER_CONN);
	ck_assert_uint_eq(COUNTER(t, TCP_RST_IN), 0);
	figure("blind RST", t, ranges(t), ncb(t)->spans);
	alive(t, 1, 1);
	/* And the exact one does, or no peer could. */
	SAY(t, .flags = RST, .seq = 2);
	EVENTS(t, "C");
	talk_close(t);
	talk_drop(t);
}
END_TEST

START_TEST(blind_syn)
{
	struct talk *t = talk_new();
	uint32_t seq;

	/* Section 4.2: never, whatever its sequence number. */
	talk_open_passive(t, NULL);
	for (seq = 1; seq < 500000; seq += 997)
		BURST(t, .flags = SYN, .seq = seq);
	BURST(t, .flags = SYN | ACK, .seq = 1, .ack = 1);
	world_run(t->w);
	ck_assert_uint_le(COUNTER(t, TCP_CHALLENGE_ACKS),
			  TOE_CHALLENGE_PER_CONN);
	ck_assert_uint_le(world_sent_count(t->w), TOE_CHALLENGE_PER_CONN);
	figure("blind SYN", t, ranges(t), ncb(t)->spans);
	alive(t, 1, 1);
	talk_drop(t);
}
END_TEST

START_TEST(blind_data)
{
	struct talk *t = talk_new();
	uint32_t i, was;

	/*
	 * Section 5.2: the ACK of injected data must be near what we sent.  The
	 * attacker knows SEQ here, and tries 997 of all ACKs.
	 */
	talk_open_passive(t, NULL);
	was = buflets(t);
	for (i = 0; i < 997; i++) {
		uint32_t ack = 2 + (uint32_t)(i * 4294800000ull / 997);

		BURST(t, .flags = ACK | PSH, .seq = 1, .ack = ack, .len = 100);
	}
	world_run(t->w);
	ck_assert_uint_eq(talk_unread(t), 0);
	ck_assert_uint_eq(buflets(t), was);
	ck_assert_uint_ge(COUNTER(t, TCP_CHALLENGE_ACKS), 1);
	ck_assert_uint_le(COUNTER(t, TCP_CHALLENGE_ACKS),
			  TOE_CHALLENGE_PER_CONN);
	figure("blind data", t, ranges(t), ncb(t)->spans);
	alive(t, 1, 1);
	talk_drop(t);
}
END_TEST

/* ---- Acknowledgments that lie ---- */

/* Send as much as the peer allows; returns the bytes that are out. */
static uint32_t fill_window(struct talk *t)
{
	uint32_t off = 0, space;

	while ((space = toe_stream_send_space(t->w->n, t->h))) {
		talk_send(t, off, MIN(space, 65536));
		off += MIN(space, 65536);
	}
	world_run(t->w);
	world_forget(t->w);
	return ncb(t)->snd_max - ncb(t)->snd_una;
}

START_TEST(sack_bomb)
{
	struct talk *t = talk_new();
	uint32_t out, at, spans = 0, acks = 0;
	ToeTcp *tcp = t->w->n->tcp;
	uint32_t shared = tcp->spans_shared;

	talk_open_passive(t, &with_sack);
	out = fill_window(t);
	ck_assert_uint_gt(out, 10000);
	/* A byte, a hole of one byte, and so on, four in each ACK. */
	for (at = 3; at + 8 < out; at += 8) {
		SAY(t, .flags = ACK, .seq = 1, .ack = 1, .sacks = 4,
		    .sack = { { at, at + 1 }, { at + 2, at + 3 },
			      { at + 4, at + 5 }, { at + 6, at + 7 } });
		spans = MAX(spans, ncb(t)->spans);
		acks++;
		world_forget(t->w);
	}
	ck_assert_uint_gt(acks, 1000);
	/* What one ACK walks over, and holds, is this much at most. */
	ck_assert_uint_le(spans, TOE_SPANS_PER_CONN);
	ck_assert_uint_gt(spans, 100);
	ck_assert_uint_ge(tcp->spans_shared, shared - TOE_SPANS_PER_CONN);
	figure("SACK bomb", t, ranges(t), spans);
	/* What it lied about is sent again all the same, and ends. */
	g_string_truncate(t->log, 0);
	SAY(t, .flags = ACK, .seq = 1, .ack = ncb(t)->snd_max - t->iss);
	talk_abort(t);
	world_run(t->w);
	ck_assert_uint_eq(tcp->spans_shared, shared);
	talk_drop(t);
}
END_TEST

START_TEST(ack_division)
{
	struct talk *t = talk_new();
	uint32_t cwnd, i;

	/* RFC 3465: growth by bytes, not by ACKs. */
	talk_open_passive(t, &with_sack);
	fill_window(t);
	cwnd = ncb(t)->cwnd;
	for (i = 1; i <= 1460; i++)
		SAY(t, .flags = ACK, .seq = 1, .ack = 1 + i);
	ck_assert_uint_le(ncb(t)->cwnd, cwnd + 1460);
	ck_assert_uint_gt(ncb(t)->cwnd, cwnd);
	figure("ACK division", t, ranges(t), ncb(t)->spans);
	talk_drop(t);
}
END_TEST

START_TEST(optimistic_acks)
{
	struct talk *t = talk_new();
	uint32_t out, cwnd, i;

	/* Of what was never sent: no news, and no growth (RFC 5961 5.2). */
	talk_open_passive(t, &with_sack);
	out = fill_window(t);
	cwnd = ncb(t)->cwnd;
	for (i = 1; i <= 2000; i++)
		BURST(t, .flags = ACK, .seq = 1, .ack = 1 + out + i * 1460);
	world_run(t->w);
	ck_assert_uint_eq(ncb(t)->cwnd, cwnd);
	ck_assert_uint_eq(ncb(t)->snd_una, t->iss + 1);
	/* The peer's word for what was sent: never more out than its window. */
	for (i = 0; i < 100 && ncb(t)->tx.len; i++) {
		SAY(t, .flags = ACK, .seq = 1,
		    .ack = ncb(t)->snd_max - t->iss);
		ck_assert_uint_le(ncb(t)->snd_max - ncb(t)->snd_una, t->wnd);
	}
	figure("optimistic ACKs", t, ranges(t), ncb(t)->spans);
	talk_drop(t);
}
END_TEST

/* ---- Memory ---- */

#define HOLDERS 10000u

START_TEST(zero_window_hold)
{
	ToeNopConfig config = world_default_config();
	struct talk *t;
	uint32_t i, held = 0, full, *handle = g_new(uint32_t, HOLDERS);
	uint64_t probes;

	config.connections = HOLDERS + 16;
	t = talk_new_config(&config, 16 << 20);
	t->many = true;
	talk_listen(t, TOE_BACKLOG_MAX);
	for (i = 0; i < HOLDERS; i++) {
		ToeChain c = toe_chain_init();

		/* The answers are not of interest; the log would grow. */
		t->rport = (uint16_t)(1024 + i);
		SAY(t, .flags = SYN, .mss = 1460);
		ck_assert_ptr_nonnull(talk_any(t));
		SAY(t, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1);
		toe_stream_accepted(t->w->n, t->h);
		handle[i] = t->h;
		if (toe_chain_extend(t->w->lm, &c, 2048, TOE_LMEM_OUT)) {
			toe_stream_send(t->w->n, t->h, &c, false);
			held++;
		}
		world_forget(t->w);
		g_string_truncate(t->log, 0);
	}
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), HOLDERS + 1);
	/* What is sent never takes the last quarter (lmem.h). */
	full = buflets(t);
	ck_assert_uint_eq(full, toe_lmem_total(t->w->lm) * 3 / 4);
	ck_assert_uint_eq(held, full);
	printf("zero-window hold: %u connections of %zu bytes, %u of %u "
	       "buflets\n", HOLDERS, sizeof(ToeNcb), full,
	       toe_lmem_total(t->w->lm));
	fflush(stdout);
	/* So another one is served. */
	t->rport = 900;
	talk_open_passive(t, NULL);
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 1000);
	talk_read(t, 0, 1000);
	talk_abort(t);
	/* Probes back off: over two minutes fewer than eleven each. */
	probes = COUNTER(t, TCP_PROBES);
	for (i = 0; i < 24; i++) {
		talk_wait(t, 5 * SEC);
		world_forget(t->w);
	}
	probes = COUNTER(t, TCP_PROBES) - probes;
	ck_assert_uint_ge(probes, held);
	ck_assert_uint_lt(probes, 11ull * held);
	for (i = 0; i < HOLDERS; i++)
		toe_stream_abort(t->w->n, handle[i]);
	world_run(t->w);
	world_forget(t->w);
	ck_assert_uint_eq(buflets(t), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
	g_free(handle);
	talk_drop(t);
}
END_TEST

START_TEST(tiny_segments)
{
	struct talk *t = talk_new();
	uint32_t i;

	/* Nobody reads; a byte each. */
	talk_open_passive(t, NULL);
	for (i = 0; i < 20000; i++)
		BURST(t, .flags = ACK, .seq = 1 + i, .ack = 1, .len = 1);
	world_run(t->w);
	ck_assert_uint_eq(talk_unread(t), 20000);
	ck_assert_uint_le(buflets(t), 20000 / TOE_BUFLET_SIZE + 1);
	figure("tiny segments", t, ranges(t), ncb(t)->spans);
	talk_read(t, 0, 20000);
	ck_assert_uint_eq(buflets(t), 0);
	talk_drop(t);
}
END_TEST

START_TEST(out_of_order)
{
	struct talk *t = talk_new();
	uint32_t i, most, limit;

	/* Every other byte, the first never. */
	talk_open_passive(t, &with_sack);
	limit = 2 * (ncb(t)->rcv_buf / TOE_BUFLET_SIZE + 1) + 32;
	for (i = 0; i < 20000; i++) {
		BURST(t, .flags = ACK, .seq = 2 + 2 * i, .ack = 1, .len = 1);
		if (i % 64 == 63) {
			world_run(t->w);
			/* One ACK for each that came, not more. */
			ck_assert_uint_le(world_sent_count(t->w), 64);
			world_forget(t->w);
		}
	}
	most = ranges(t);
	ck_assert_uint_le(most, TOE_RANGES_PER_CONN);
	ck_assert_uint_le(buflets(t), limit);
	ck_assert_uint_eq(talk_unread(t), 0);
	figure("out of order", t, most, ncb(t)->spans);
	/* Then the other way: each from above, so that none joins. */
	for (i = 0; i < 20000; i++)
		BURST(t, .flags = ACK, .seq = 400001 - 3 * i, .ack = 1,
		      .len = 1);
	ck_assert_uint_le(ranges(t), TOE_RANGES_PER_CONN);
	ck_assert_uint_le(buflets(t), limit);
	world_run(t->w);
	world_forget(t->w);
	talk_abort(t);
	world_run(t->w);
	ck_assert_uint_eq(buflets(t), 0);
	talk_drop(t);
}
END_TEST

/* ---- Sequence numbers that wrap ---- */

static const uint32_t borders[] = { 0, 0x80000000u };
static const uint32_t belows[] = { 1, 2, 3, 1000, 1460, 1461, 2920, 4000 };

#define WRAPS ((int)(G_N_ELEMENTS(borders) * G_N_ELEMENTS(belows)))

/* The adapter's ISN is a hash plus a clock (RFC 6528): set the clock. */
static struct talk *talk_at(uint32_t iss, uint32_t peer_iss)
{
	struct talk *t = talk_new();
	uint32_t found;

	t->peer_iss = peer_iss;
	talk_listen(t, 4);
	SAY(t, .flags = SYN, .mss = 1460, .sackok = true);
	ck_assert_ptr_nonnull(talk_any(t));
	found = t->iss;
	talk_drop(t);

	t = talk_new();
	t->peer_iss = peer_iss;
	t->w->now += (int64_t)(uint32_t)(iss - found) * 4000;
	world_know_peer(t->w);
	talk_open_passive(t, &with_sack);
	ck_assert_uint_eq(t->iss, iss);
	return t;
}

START_TEST(wrap)
{
	uint32_t at = borders[_i % 2] - belows[_i / 2];
	const struct talk_seg *s;
	struct talk *t = talk_at(at, at);
	uint32_t i, lost = 0;

	/* Received: in order, with a gap, filled. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1001);
	SAY(t, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1001);
	ck_assert_uint_eq(s->sacks, 1);
	ck_assert_uint_eq(s->sack[0][0], 2001);
	ck_assert_uint_eq(s->sack[0][1], 3001);
	SAY(t, .flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 3001);
	/* Old ones stay old. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 3001);
	EVENTS(t, "rr");
	talk_read(t, 0, 3000);

	/* Sent: the second segment is lost, the rest SACKed one by one. */
	talk_send(t, 0, 5 * 1460);
	for (i = 0; i < 5; i++)
		HEAR(t, .flags = ACK, .seq = 1 + i * 1460, .ack = 3001,
		     .len = 1460);
	SAY(t, .flags = ACK, .seq = 3001, .ack = 1461);
	for (i = 2; i < 5; i++)
		SAY(t, .flags = ACK, .seq = 3001, .ack = 1461, .sacks = 1,
		    .sack = { { 2921, 1 + (i + 1) * 1460 } });
	talk_wait(t, MS);
	while ((s = talk_any(t))) {
		ck_assert_uint_eq(s->seq, 1461);
		ck_assert_uint_eq(s->len, 1460);
		lost++;
	}
	ck_assert_uint_ge(lost, 1);
	/* The window ends behind the border, or at it; and opens. */
	SAY(t, .flags = ACK, .seq = 3001, .ack = 7301, .wnd = 1 + 1000);
	talk_send(t, 7300, 3000);
	world_run(t->w);
	talk_wait(t, SEC);
	s = talk_any(t);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(s->seq, 7301);
	ck_assert_uint_eq(s->len, 1000);
	world_forget(t->w);
	SAY(t, .flags = ACK, .seq = 3001, .ack = 8301);
	for (i = 8301; i < 10301; i += s->len) {
		s = talk_any(t);
		ck_assert_ptr_nonnull(s);
		ck_assert_uint_eq(s->seq, i);
		ck_assert_uint_gt(s->len, 0);
		if (i + s->len < 10301)
			SAY(t, .flags = ACK, .seq = 3001, .ack = i + s->len);
	}
	g_string_truncate(t->log, 0);
	talk_close(t);
	HEAR(t, .flags = FIN | ACK, .seq = 10301, .ack = 3001);
	SAY(t, .flags = FIN | ACK, .seq = 3001, .ack = 10302);
	HEAR(t, .flags = ACK, .seq = 10302, .ack = 3002);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 1);
	talk_free(t);
}
END_TEST

/* The FIN itself stands at the border, or a byte beside it; both ways. */
START_TEST(wrap_at_fin)
{
	static const uint32_t isns[] = { (uint32_t)-2, (uint32_t)-1, 0,
					 0x7ffffffe, 0x7fffffff, 0x80000000 };
	struct talk *t = talk_at(isns[_i], isns[_i]);

	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 2);
	EVENTS(t, "F");
	talk_close(t);
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 2);
	SAY(t, .flags = ACK, .seq = 2, .ack = 2);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
	talk_free(t);
}
END_TEST

/* ---- A peer that answers nothing any more ---- */

static void to_state(struct talk *t, uint8_t state)
{
	switch (state) {
	case TOE_TCP_SYN_SENT:
		talk_connect(t);
		HEAR(t, .flags = SYN);
		return;
	case TOE_TCP_SYN_RECEIVED:
		talk_listen(t, 4);
		SAY(t, .flags = SYN, .mss = 1460);
		HEAR(t, .flags = SYN | ACK, .seq = 0, .ack = 1);
		return;
	default:
		break;
	}
	talk_open_passive(t, &with_sack);
	switch (state) {
	case TOE_TCP_ESTABLISHED:
		talk_send(t, 0, 20000);
		/* It also left something behind. */
		SAY(t, .flags = ACK, .seq = 5001, .ack = 1, .len = 1000);
		break;
	case TOE_TCP_FIN_WAIT_1:
		talk_send(t, 0, 20000);
		talk_close(t);
		break;
	case TOE_TCP_FIN_WAIT_2:
		talk_close(t);
		HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
		SAY(t, .flags = ACK, .seq = 1, .ack = 2);
		break;
	case TOE_TCP_CLOSE_WAIT:
		SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
		talk_send(t, 0, 20000);
		break;
	case TOE_TCP_CLOSING:
		talk_close(t);
		HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
		SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
		break;
	case TOE_TCP_LAST_ACK:
		SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
		talk_send(t, 0, 20000);
		talk_close(t);
		break;
	case TOE_TCP_TIME_WAIT:
		talk_close(t);
		HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
		SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 2);
		break;
	default:
		break;
	}
}

START_TEST(silent_peer)
{
	struct talk *t = talk_new();
	uint8_t state = (uint8_t)_i;
	ToeTcp *tcp = t->w->n->tcp;
	uint32_t shared = tcp->spans_shared;
	unsigned i;

	t->close_on_closed = true;
	to_state(t, state);
	world_run(t->w);
	if (state == TOE_TCP_SYN_RECEIVED)
		ck_assert_uint_eq(tcp->synq.count, 1);
	else
		ck_assert_uint_eq(talk_state(t, t->h), state);
	printf("silent in state %u: %u NCBs, %u buflets; ", state,
	       (unsigned)COUNTER(t, TCP_NCBS), buflets(t));
	/* RFC 9293 3.8.3: three minutes for a SYN, and the last back-off. */
	for (i = 0; i < 80; i++) {
		talk_wait(t, 5 * SEC);
		world_forget(t->w);
	}
	printf("then %u, %u\n", (unsigned)COUNTER(t, TCP_NCBS), buflets(t));
	fflush(stdout);
	/* The listener stays. */
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), t->listener ? 1 : 0);
	ck_assert_uint_eq(COUNTER(t, TCP_ORPHANS), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 0);
	ck_assert_uint_eq(buflets(t), 0);
	ck_assert_uint_eq(tcp->synq.count, 0);
	ck_assert_uint_eq(tcp->conns, 0);
	ck_assert_uint_eq(tcp->spans_shared, shared);
	talk_drop(t);
}
END_TEST

/* ---- The table ---- */

START_TEST(crowded_buckets)
{
	ToeNopConfig config = world_default_config();
	struct talk *t;
	uint32_t iss[600], handle[600], i, k;

	/*
	 * A look-up moves what it finds to the head of its bucket; whatever the
	 * order, each is found, and each goes.
	 */
	config.connections = 601;
	t = talk_new_config(&config, 4 << 20);
	t->many = true;
	talk_listen(t, TOE_BACKLOG_MAX);
	t->w->n->tcp->hash_mask = 7;	/* of 1024: chains of 75 */
	for (i = 0; i < 600; i++) {
		t->rport = (uint16_t)(1024 + i);
		SAY(t, .flags = SYN, .mss = 1460);
		ck_assert_ptr_nonnull(talk_any(t));
		SAY(t, .flags = ACK, .seq = 1, .ack = 1);
		toe_stream_accepted(t->w->n, t->h);
		iss[i] = t->iss;
		handle[i] = t->h;
	}
	for (k = 0; k < 1200; k++) {
		i = k * 7919 % 600;
		t->rport = (uint16_t)(1024 + i);
		t->iss = iss[i];
		t->h = handle[i];
		SAY(t, .flags = ACK | PSH, .seq = 1 + k / 600, .ack = 1,
		    .len = 1);
		talk_read(t, k / 600, 1);
		if (k >= 600 && k % 2) {
			talk_abort(t);
			ck_assert_uint_eq(talk_state(t, t->h), 0);
		}
		world_forget(t->w);
	}
	world_run(t->w);
	world_forget(t->w);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 301);
	talk_drop(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("attack");
	TCase *c = tcase_create("blind");

	tcase_set_timeout(c, 600);
	tcase_add_test(c, blind_rst);
	tcase_add_test(c, blind_syn);
	tcase_add_test(c, blind_data);
	suite_add_tcase(s, c);
	c = tcase_create("acks");
	tcase_set_timeout(c, 600);
	tcase_add_test(c, sack_bomb);
	tcase_add_test(c, ack_division);
	tcase_add_test(c, optimistic_acks);
	suite_add_tcase(s, c);
	c = tcase_create("memory");
	tcase_set_timeout(c, 600);
	tcase_add_test(c, zero_window_hold);
	tcase_add_test(c, tiny_segments);
	tcase_add_test(c, out_of_order);
	suite_add_tcase(s, c);
	c = tcase_create("wrap");
	tcase_set_timeout(c, 600);
	tcase_add_loop_test(c, wrap, 0, WRAPS);
	tcase_add_loop_test(c, wrap_at_fin, 0, 6);
	suite_add_tcase(s, c);
	c = tcase_create("silence");
	tcase_set_timeout(c, 600);
	tcase_add_loop_test(c, silent_peer, TOE_TCP_SYN_SENT,
			    TOE_TCP_TIME_WAIT + 1);
	suite_add_tcase(s, c);
	c = tcase_create("table");
	tcase_set_timeout(c, 600);
	tcase_add_test(c, crowded_buckets);
	suite_add_tcase(s, c);
	return talk_main(s);
}
