/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_receive.c - bytes in: in order and out of order, windows,
 * acknowledgements, timestamps, what is outside.
 */
#include "common_tcp.h"

START_TEST(in_order)
{
	struct talk *t = talk_new();

	talk_open_passive(t, NULL);
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 101);
	EVENTS(t, "R");
	/* A full segment without PSH: more is to come. */
	SAY(t, .flags = ACK, .seq = 101, .ack = 1, .len = 1460);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1561);
	EVENTS(t, "r");
	/* A short one is the end of something. */
	SAY(t, .flags = ACK, .seq = 1561, .ack = 1, .len = 40);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1601);
	EVENTS(t, "R");
	talk_read(t, 0, 1600);
	ck_assert_uint_eq(COUNTER(t, TCP_BYTES_IN), 1600);
	ck_assert_uint_eq(talk_info(t, t->h).bytes_in, 1600);
	talk_free(t);
}
END_TEST

START_TEST(delayed_ack)
{
	struct talk *t = talk_new();
	uint32_t seq = 1;

	talk_open_passive(t, NULL);
	talk_warm_up(t, &seq);
	SAY(t, .flags = ACK, .seq = seq, .ack = 1, .len = 1000);
	SILENCE(t);
	world_advance(t->w, 39 * MS);
	SILENCE(t);
	world_advance(t->w, MS);
	HEAR(t, .flags = ACK, .seq = 1, .ack = seq + 1000);
	seq += 1000;
	/* Every second full segment is acknowledged at once. */
	SAY(t, .flags = ACK, .seq = seq, .ack = 1, .len = 1000);
	SILENCE(t);
	SAY(t, .flags = ACK, .seq = seq + 1000, .ack = 1, .len = 1000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = seq + 2000);
	seq += 2000;
	/* And rides on data if there is some. */
	SAY(t, .flags = ACK | PSH, .seq = seq, .ack = 1, .len = 10);
	talk_send(t, 0, 10);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = seq + 10, .len = 10);
	SAY(t, .flags = ACK, .seq = seq + 10, .ack = 11);
	world_advance(t->w, SEC);
	EVENTS(t, "rrrR");
	talk_free(t);
}
END_TEST

START_TEST(burst_makes_one_ack)
{
	struct talk *t = talk_new();
	unsigned i;

	talk_open_passive(t, NULL);
	for (i = 0; i < 10; i++)
		BURST(t, .flags = ACK, .seq = 1 + i * 1460, .ack = 1,
		      .len = 1460);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 14601);
	SILENCE(t);
	talk_read(t, 0, 14600);
	EVENTS(t, "rrrrrrrrrr");
	talk_free(t);
}
END_TEST

START_TEST(out_of_order)
{
	struct talk *t = talk_new();

	talk_open_passive(t, NULL);
	SAY(t, .flags = ACK, .seq = 101, .ack = 1, .len = 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK, .seq = 301, .ack = 1, .len = 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(COUNTER(t, TCP_OUT_OF_ORDER), 2);
	EVENTS(t, "");
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 201);
	EVENTS(t, "R");
	talk_read(t, 0, 200);
	SAY(t, .flags = ACK, .seq = 201, .ack = 1, .len = 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 401);
	EVENTS(t, "R");
	talk_read(t, 200, 200);
	talk_free(t);
}
END_TEST

START_TEST(duplicate_acks_are_counted_out)
{
	struct talk *t = talk_new();
	unsigned i;

	/* One for each segment out of order, though in one turn. */
	talk_open_passive(t, NULL);
	for (i = 1; i <= 4; i++)
		BURST(t, .flags = ACK, .seq = 1 + i * 1000, .ack = 1,
		      .len = 1000);
	for (i = 1; i <= 4; i++)
		HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 5001);
	talk_read(t, 0, 5000);
	EVENTS(t, "r");
	talk_free(t);
}
END_TEST

START_TEST(overlaps)
{
	struct talk *t = talk_new();

	talk_open_passive(t, NULL);
	/* 200..299, 400..499, then 150..450 over both, then the rest. */
	SAY(t, .flags = ACK, .seq = 201, .ack = 1, .len = 100);
	SAY(t, .flags = ACK, .seq = 401, .ack = 1, .len = 100);
	SAY(t, .flags = ACK, .seq = 151, .ack = 1, .len = 300);
	SAY(t, .flags = ACK, .seq = 201, .ack = 1, .len = 50);
	SAY(t, .flags = ACK, .seq = 141, .ack = 1, .len = 10);
	world_forget(t->w);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 145);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 501);
	EVENTS(t, "R");
	talk_read(t, 0, 500);
	ck_assert_uint_eq(COUNTER(t, TCP_BYTES_IN), 500);
	/* Old and new in one segment. */
	SAY(t, .flags = ACK, .seq = 401, .ack = 1, .len = 200);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 601);
	EVENTS(t, "R");
	talk_read(t, 500, 100);
	talk_free(t);
}
END_TEST

START_TEST(first_copy_wins)
{
	struct talk *t = talk_new();
	uint8_t evil[100];

	memset(evil, 0xee, sizeof(evil));
	talk_open_passive(t, NULL);
	SAY(t, .flags = ACK, .seq = 51, .ack = 1, .len = 50);
	SAY(t, .flags = ACK, .seq = 51, .ack = 1, .len = 50, .data = evil);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 50);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100, .data = evil);
	world_forget(t->w);
	talk_read(t, 0, 100);
	EVENTS(t, "R");
	talk_free(t);
}
END_TEST

START_TEST(random_reassembly)
{
	struct talk *t = talk_new();
	uint32_t rnd = 12345 + (uint32_t)_i, total = 60000, i;

	talk_open_passive(t, NULL);
	for (i = 0; i < 3000; i++) {
		uint32_t off, len;

		rnd = rnd * 1664525u + 1013904223u;
		off = (rnd >> 8) % total;
		rnd = rnd * 1664525u + 1013904223u;
		len = 1 + (rnd >> 8) % 1460;
		len = MIN(len, total - off);
		SAY(t, .flags = ACK, .seq = 1 + off, .ack = 1, .len = len);
	}
	/* Whatever is missing, in order. */
	for (i = 0; i < total; i += 1000)
		SAY(t, .flags = ACK, .seq = 1 + i, .ack = 1, .len = 1000);
	ck_assert_uint_eq(talk_unread(t), total);
	talk_read(t, 0, total);
	ck_assert_uint_eq(toe_lmem_avail(t->w->lm, TOE_LMEM_IN),
			  toe_lmem_total(t->w->lm));
	talk_drop(t);
}
END_TEST

START_TEST(reassembly_is_bounded)
{
	struct talk *t = talk_new();
	uint32_t total = toe_lmem_total(t->w->lm), i;

	/* Every other byte, from the back: as dear as can be. */
	talk_open_passive(t, NULL);
	for (i = 60000; i > 2; i -= 2)
		SAY(t, .flags = ACK, .seq = i, .ack = 1, .len = 1);
	ck_assert_uint_ge(toe_lmem_avail(t->w->lm, TOE_LMEM_IN), total - 70);
	/* Byte by byte from the back, touching. */
	for (i = 60000; i > 50000; i--)
		SAY(t, .flags = ACK, .seq = i, .ack = 1, .len = 1);
	ck_assert_uint_ge(toe_lmem_avail(t->w->lm, TOE_LMEM_IN), total - 700);
	/* The stream goes on all the same. */
	for (i = 0; i < 60; i++)
		SAY(t, .flags = ACK, .seq = 1 + i * 1000, .ack = 1,
		    .len = 1000);
	talk_read(t, 0, 60000);
	ck_assert_uint_eq(toe_lmem_avail(t->w->lm, TOE_LMEM_IN), total);
	talk_drop(t);
}
END_TEST

START_TEST(sparse_ranges_are_packed)
{
	struct talk *t = talk_new();
	uint32_t total = toe_lmem_total(t->w->lm), round, i;

	/* Never read: what is kept may not grow beyond its bytes. */
	talk_open_passive(t, NULL);
	for (round = 0; round < 20; round++) {
		uint32_t base = 1 + round * 101;

		for (i = 100; i > 0; i--)
			SAY(t, .flags = ACK, .seq = base + i, .ack = 1,
			    .len = 1);
		SAY(t, .flags = ACK, .seq = base, .ack = 1, .len = 1);
	}
	ck_assert_uint_eq(talk_unread(t), 2020);
	ck_assert_uint_ge(toe_lmem_avail(t->w->lm, TOE_LMEM_IN), total - 4);
	talk_read(t, 0, 2020);
	talk_drop(t);
}
END_TEST

START_TEST(window_edges)
{
	struct talk *t = talk_new();
	uint32_t wnd;

	talk_listen(t, 1);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener,
					    TOE_OPT_RCVBUF, 8000), TOE_ST_OK);
	SAY(t, .flags = SYN, .mss = 1460);
	wnd = HEAR(t, .flags = SYN | ACK, .ack = 1)->window;
	ck_assert_uint_eq(wnd, 8000);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	/* The last byte inside, the first outside. */
	SAY(t, .flags = ACK, .seq = wnd, .ack = 1, .len = 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(COUNTER(t, TCP_OUT_OF_ORDER), 1);
	SAY(t, .flags = ACK, .seq = wnd + 1, .ack = 1, .len = 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(COUNTER(t, TCP_OUT_OF_ORDER), 1);
	ck_assert_uint_eq(COUNTER(t, TCP_OUT_OF_WINDOW), 1);
	/* Cut at the edge. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = wnd + 100);
	ck_assert_uint_eq(HEAR(t, .flags = ACK, .seq = 1,
			       .ack = wnd + 1)->window, 0);
	ck_assert_uint_eq(talk_unread(t), wnd);
	/* Closed: a probe is answered, its byte not taken. */
	SAY(t, .flags = ACK, .seq = wnd + 1, .ack = 1, .len = 1);
	ck_assert_uint_eq(HEAR(t, .flags = ACK, .seq = 1,
			       .ack = wnd + 1)->window, 0);
	ck_assert_uint_eq(talk_unread(t), wnd);
	EVENTS(t, "r");
	talk_read(t, 0, wnd);
	ck_assert_uint_eq(HEAR(t, .flags = ACK, .seq = 1,
			       .ack = wnd + 1)->window, 8000);
	talk_free(t);
}
END_TEST

START_TEST(closed_window_takes_ack_and_rst)
{
	struct talk *t = talk_new();

	talk_listen(t, 1);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener,
					    TOE_OPT_RCVBUF, 4096), TOE_ST_OK);
	talk_open_passive(t, NULL);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 4096);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 4097);
	EVENTS(t, "r");
	talk_send(t, 0, 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 4097, .len = 100);
	/* RFC 9293 3.10.7.4: special allowance for ACKs and RSTs. */
	SAY(t, .flags = ACK, .seq = 4097, .ack = 101, .len = 1);
	HEAR(t, .flags = ACK, .seq = 101, .ack = 4097);
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
	SAY(t, .flags = RST, .seq = 4097);
	EVENTS(t, "C");
	talk_free(t);
}
END_TEST

START_TEST(silly_window)
{
	struct talk *t = talk_new();
	unsigned i;

	/* RFC 9293 3.8.6.2.2: no small steps. */
	talk_listen(t, 1);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener,
					    TOE_OPT_RCVBUF, 14600), TOE_ST_OK);
	talk_open_passive(t, NULL);
	for (i = 0; i < 10; i++)
		SAY(t, .flags = ACK, .seq = 1 + i * 1460, .ack = 1,
		    .len = 1460);
	world_forget(t->w);
	EVENTS(t, "rrrrrrrrrr");
	for (i = 0; i < 29; i++)
		talk_read(t, i * 100, 100);
	SILENCE(t);
	/* A probe still finds it closed. */
	SAY(t, .flags = ACK, .seq = 14601, .ack = 1, .len = 1);
	ck_assert_uint_eq(HEAR(t, .flags = ACK, .seq = 1,
			       .ack = 14601)->window, 0);
	talk_read(t, 2900, 100);
	ck_assert_uint_eq(HEAR(t, .flags = ACK, .seq = 1,
			       .ack = 14601)->window, 3000);
	talk_free(t);
}
END_TEST

START_TEST(window_never_shrinks)
{
	struct talk *t = talk_new();
	uint32_t edge = 0, seq = 1, rnd = 1;
	unsigned i;

	talk_open_passive(t, &(struct talk_seg){ .mss = 1460, .wscale = 8 });
	for (i = 0; i < 400; i++) {
		const struct talk_seg *s;
		uint32_t len;

		rnd = rnd * 1664525u + 1013904223u;
		len = 1 + (rnd >> 16) % 1460;
		SAY(t, .flags = ACK, .seq = seq, .ack = 1, .len = len);
		seq += len;
		if (i % 7 == 6)
			talk_read(t, seq - 1 - talk_unread(t),
				  talk_unread(t) / 2);
		if (i % 50 == 0)
			talk_setopt(t, TOE_OPT_RCVBUF,
				    i % 100 ? 20000 : 400000);
		while ((s = talk_any(t))) {
			uint32_t e = s->ack + (s->window << 7);

			/* Less than a unit of the scale may be lost. */
			ck_assert_uint_ge(e + 127, edge);
			edge = MAX(edge, e);
			ck_assert_uint_ge(edge, seq);
		}
	}
	g_string_truncate(t->log, 0);
	talk_free(t);
}
END_TEST

START_TEST(no_buflet)
{
	ToeNopConfig config = world_default_config();
	struct talk *t = talk_new_config(&config, 64 << 10);
	ToeChain hog = toe_chain_init();
	uint32_t n = toe_lmem_total(t->w->lm);

	talk_open_passive(t, NULL);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 101);
	ck_assert(toe_chain_extend(t->w->lm, &hog, (n - 1) * TOE_BUFLET_SIZE,
				   TOE_LMEM_IN));
	/* Fills the last buflet; then there is no more. */
	SAY(t, .flags = ACK, .seq = 101, .ack = 1, .len = 1400);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1501);
	SAY(t, .flags = ACK, .seq = 1501, .ack = 1, .len = 1400);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1501);
	SAY(t, .flags = ACK, .seq = 4001, .ack = 1, .len = 1400);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1501);
	ck_assert_uint_eq(COUNTER(t, TCP_NO_BUFLET), 2);
	toe_chain_clear(t->w->lm, &hog);
	SAY(t, .flags = ACK, .seq = 1501, .ack = 1, .len = 1400);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 2901);
	talk_read(t, 0, 2900);
	EVENTS(t, "Rrr");
	world_forget(t->w);
	talk_free(t);
}
END_TEST

START_TEST(fair_share)
{
	ToeNopConfig config = world_default_config();
	struct talk *t = talk_new_config(&config, 64 << 10);

	/* 64 KiB of memory: never promise all of it to one connection. */
	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	ck_assert_uint_le(HEAR(t, .flags = SYN | ACK, .ack = 1)->window,
			  32 << 10);
	talk_free(t);
}
END_TEST

START_TEST(window_scaling)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_RCVBUF,
					    1 << 20), TOE_ST_OK);
	t->wnd = 10;
	talk_connect(t);
	s = HEAR(t, .flags = SYN);
	ck_assert_int_eq(s->wscale, 7 + 1);
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460, .wscale = 5 + 1,
	    .wnd = 1000 + 1);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	/* In a SYN not scaled, later by 5; ours by 7. */
	ck_assert_uint_eq(talk_info(t, t->h).snd_wnd, 1000);
	ck_assert_uint_eq(s->window, (1 << 20) >> 7);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(talk_info(t, t->h).snd_wnd, 10 << 5);
	talk_free(t);
}
END_TEST

START_TEST(wrap)
{
	struct talk *t = talk_new();
	uint32_t i;

	/* The peer's numbers pass zero in the middle of everything. */
	t->peer_iss = 0xffffffff - 5000;
	talk_open_passive(t, NULL);
	for (i = 0; i < 10; i++) {
		SAY(t, .flags = ACK, .seq = 1001 + i * 2000, .ack = 1,
		    .len = 1000);
		HEAR(t, .flags = ACK, .seq = 1, .ack = 1 + i * 2000);
		SAY(t, .flags = ACK, .seq = 1 + i * 2000, .ack = 1,
		    .len = 1000);
		HEAR(t, .flags = ACK, .seq = 1, .ack = 2001 + i * 2000);
		talk_read(t, i * 2000, 2000);
	}
	world_forget(t->w);
	g_string_truncate(t->log, 0);
	talk_free(t);
}
END_TEST

START_TEST(timestamps)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;
	uint32_t first;

	talk_open_passive(t, &(struct talk_seg){ .mss = 1460, .ts = true });
	ck_assert_uint_eq(talk_info(t, t->h).mss, 1448);
	first = t->tsecr;
	world_advance(t->w, 250 * MS);
	t->tsval = 1250;
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 11);
	ck_assert(s->ts);
	ck_assert_uint_eq(s->tsecr, 1250);
	ck_assert_uint_eq(s->tsval - first, 250);
	/* One ahead does not count (RFC 7323 4.3). */
	SAY(t, .flags = ACK, .seq = 21, .ack = 1, .len = 10, .tsval = 1300);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 11);
	ck_assert_uint_eq(s->tsecr, 1250);
	SAY(t, .flags = ACK, .seq = 11, .ack = 1, .len = 10, .tsval = 1299);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 31);
	ck_assert_uint_eq(s->tsecr, 1299);
	talk_read(t, 0, 30);
	EVENTS(t, "RR");
	talk_free(t);
}
END_TEST

START_TEST(paws)
{
	struct talk *t = talk_new();

	talk_open_passive(t, &(struct talk_seg){ .mss = 1460, .ts = true });
	/* The right number, but from the past. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .tsval = 999);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(COUNTER(t, TCP_PAWS_DROPS), 1);
	EVENTS(t, "");
	/* Timestamps were agreed: without one it is not the peer's. */
	t->ts = false;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	SILENCE(t);
	ck_assert_uint_eq(COUNTER(t, TCP_PAWS_DROPS), 2);
	/* RST is exempt. */
	SAY(t, .flags = RST, .seq = 1);
	EVENTS(t, "C");
	talk_free(t);
}
END_TEST

START_TEST(paws_after_long_idle)
{
	struct talk *t = talk_new();

	talk_open_passive(t, &(struct talk_seg){ .mss = 1460, .ts = true });
	/* RFC 7323 5.5: after 24 days the old value means nothing. */
	world_advance(t->w, 25ll * 24 * 3600 * SEC);
	world_know_peer(t->w);
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10, .tsval = 5);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 11);
	EVENTS(t, "R");
	talk_free(t);
}
END_TEST

START_TEST(bad_acks)
{
	struct talk *t = talk_new();

	talk_open_passive(t, NULL);
	talk_send(t, 0, 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	/* RFC 5961 5.2: of what was never sent; of what is long gone. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 102, .len = 10);
	HEAR(t, .flags = ACK, .seq = 101, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1 - 70000u, .len = 10);
	HEAR(t, .flags = ACK, .seq = 101, .ack = 1);
	ck_assert_uint_eq(COUNTER(t, TCP_CHALLENGE_ACKS), 2);
	EVENTS(t, "");
	/* A segment without ACK is nothing. */
	SAY(t, .flags = PSH, .seq = 1, .len = 10);
	SILENCE(t);
	EVENTS(t, "");
	SAY(t, .flags = ACK, .seq = 1, .ack = 101);
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
	talk_free(t);
}
END_TEST

START_TEST(old_acks_do_not_take_window_back)
{
	struct talk *t = talk_new();

	talk_open_passive(t, NULL);
	talk_send(t, 0, 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	SAY(t, .flags = ACK, .seq = 1, .ack = 101, .wnd = 5000 + 1);
	ck_assert_uint_eq(talk_info(t, t->h).snd_wnd, 5000);
	SAY(t, .flags = ACK, .seq = 1, .ack = 51, .wnd = 7 + 1);
	ck_assert_uint_eq(talk_info(t, t->h).snd_wnd, 5000);
	SAY(t, .flags = ACK, .seq = 1, .ack = 101, .wnd = 7 + 1);
	ck_assert_uint_eq(talk_info(t, t->h).snd_wnd, 7);
	talk_free(t);
}
END_TEST

START_TEST(keepalive_probe_answered)
{
	struct talk *t = talk_new();

	talk_open_passive(t, NULL);
	SAY(t, .flags = ACK, .seq = 0, .ack = 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK, .seq = 0, .ack = 1, .len = 1, .data = "");
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "");
	talk_free(t);
}
END_TEST

START_TEST(urgent_is_data)
{
	struct talk *t = talk_new();

	talk_open_passive(t, NULL);
	SAY(t, .flags = ACK | URG | PSH, .seq = 1, .ack = 1, .len = 10);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 11);
	EVENTS(t, "R");
	talk_read(t, 0, 10);
	talk_free(t);
}
END_TEST

START_TEST(resent_data_acknowledged)
{
	struct talk *t = talk_new();
	uint32_t seq = 1;

	talk_open_passive(t, NULL);
	talk_warm_up(t, &seq);
	/* Our ACK was lost: answer at once, not after the delay. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = seq);
	EVENTS(t, "");
	talk_free(t);
}
END_TEST

START_TEST(port_busy_keeps_acks)
{
	struct talk *t = talk_new();

	talk_open_passive(t, NULL);
	toe_nop_port_busy(t->w->n, true);
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	EVENTS(t, "R");
	ck_assert_uint_eq(world_sent_count(t->w), 0);
	toe_nop_port_busy(t->w->n, false);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 11);
	talk_read(t, 0, 10);
	talk_free(t);
}
END_TEST

START_TEST(ahead_leaves_memory)
{
ToeNopConfig config = world_default_config();
	struct talk *t = talk_new_config(&config, 64 << 10);
	ToeChain hog = toe_chain_init();
	uint32_t n = toe_lmem_total(t->w->lm), i;

	talk_open_passive(t, NULL);
	ck_assert(toe_chain_extend(t->w->lm, &hog, n / 2 * TOE_BUFLET_SIZE,
				   TOE_LMEM_IN));
	for (i = 0; i < 20; i++)
		SAY(t, .flags = ACK, .seq = 1001 + i * 1400, .ack = 1,
		    .len = 1400);
	ck_assert_uint_gt(COUNTER(t, TCP_NO_BUFLET), 0);
	/* What fills the gap finds a buflet. */
	ck_assert_uint_ge(toe_lmem_avail(t->w->lm, TOE_LMEM_IN), n / 4);
	world_forget(t->w);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	ck_assert_uint_gt(talk_any(t)->ack, 1001);
	toe_chain_clear(t->w->lm, &hog);
	talk_drop(t);
}
END_TEST

START_TEST(window_opens_in_little_memory)
{
ToeNopConfig config = world_default_config();
	struct talk *t = talk_new_config(&config, 64 << 10);
	ToeChain hog = toe_chain_init();
	uint32_t n = toe_lmem_total(t->w->lm), i;

	talk_open_passive(t, NULL);
	/* The share is less than two segments from now on. */
	ck_assert(toe_chain_extend(t->w->lm, &hog, (n - 2) * TOE_BUFLET_SIZE,
				   TOE_LMEM_IN));
	for (i = 0; i < 100; i++) {
		ck_assert_uint_gt(talk_info(t, t->h).rcv_wnd, 0);
		SAY(t, .flags = ACK, .seq = 1 + i * 1200, .ack = 1,
		    .len = 1200);
		talk_read(t, i * 1200, 1200);
		world_advance(t->w, 50 * MS);
		world_forget(t->w);
	}
	toe_chain_clear(t->w->lm, &hog);
	talk_drop(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_receive");
	TCase *c = tcase_create("receive");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, in_order);
	tcase_add_test(c, delayed_ack);
	tcase_add_test(c, burst_makes_one_ack);
	tcase_add_test(c, out_of_order);
	tcase_add_test(c, duplicate_acks_are_counted_out);
	tcase_add_test(c, overlaps);
	tcase_add_test(c, first_copy_wins);
	tcase_add_loop_test(c, random_reassembly, 0, 5);
	tcase_add_test(c, reassembly_is_bounded);
	tcase_add_test(c, sparse_ranges_are_packed);
	tcase_add_test(c, window_edges);
	tcase_add_test(c, closed_window_takes_ack_and_rst);
	tcase_add_test(c, silly_window);
	tcase_add_test(c, window_never_shrinks);
	tcase_add_test(c, no_buflet);
	tcase_add_test(c, fair_share);
	tcase_add_test(c, window_scaling);
	tcase_add_test(c, ahead_leaves_memory);
	tcase_add_test(c, window_opens_in_little_memory);
	tcase_add_test(c, wrap);
	tcase_add_test(c, timestamps);
	tcase_add_test(c, paws);
	tcase_add_test(c, paws_after_long_idle);
	tcase_add_test(c, bad_acks);
	tcase_add_test(c, old_acks_do_not_take_window_back);
	tcase_add_test(c, keepalive_probe_answered);
	tcase_add_test(c, urgent_is_data);
	tcase_add_test(c, resent_data_acknowledged);
	tcase_add_test(c, port_busy_keeps_acks);
	suite_add_tcase(s, c);
	return talk_main(s);
}
