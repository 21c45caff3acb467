/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_plpmtud.c - path MTU: what routers say and when they are believed,
 * routers that say nothing, probes, and what is remembered of a path.
 *
 * Longer stories are told to a small receiver (receive()) behind a path that
 * takes packets up to path_mtu and says nothing of others.
 */
#include <stdio.h>
#include <stdlib.h>
#include "common_tcp.h"

#define TCP_IP	40		/* headers, without options */

static struct talk *t;
static uint32_t path_mtu;
static uint32_t got;		/* the receiver's RCV.NXT, relative */
static uint32_t above[2];	/* a range above it; equal: none */
static uint32_t largest;	/* payload that came through since asked */
static uint32_t tried;		/* payload of the largest one that did not */
static unsigned drops;

static void setup(void)
{
	t = talk_new();
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_MTU_PROBING, 1),
			  TOE_ST_OK);
	path_mtu = 1500;
	got = 1;
	above[0] = above[1] = 0;
	largest = tried = 0;
	drops = 0;
}

static void teardown(void)
{
	world_run(t->w);
	world_forget(t->w);
	talk_drop(t);
}

static uint32_t mss(void)
{
	return talk_info(t, t->h).mss;
}

static void open_it(void)
{
	talk_open_active(t, &(struct talk_seg){ .mss = 1460, .sackok = true });
}

/* A router's word about the segment at this place. */
static void too_big(uint32_t mtu, uint32_t seq)
{
	ToeIcmpError e = { .family = TOE_AF_INET, .type = 3, .code = 4,
			   .lport = t->lport, .rport = t->rport, .mtu = mtu,
			   .seq = t->iss + seq };

	memcpy(e.src, WORLD_IP, 16);
	memcpy(e.dst, PEER_IP, 16);
	ck_assert(toe_tcp_icmp_error(t->w->n, &e));
}

/* Take all that was sent, and answer each segment. */
static void receive(void)
{
	const struct talk_seg *s;

	while ((s = talk_any(t))) {
		uint32_t seq = s->seq, end = s->seq + s->len;

		if (!s->len)
			continue;
		if (s->len + TCP_IP > path_mtu) {
			tried = MAX(tried, s->len);
			drops++;
			continue;
		}
		largest = MAX(largest, s->len);
		if ((int32_t)(seq - got) > 0) {
			if (above[0] == above[1])
				above[0] = above[1] = seq;
			above[0] = MIN(above[0], seq);
			above[1] = MAX(above[1], end);
		} else {
			got = MAX(got, end);
			if (above[0] != above[1] && got >= above[0]) {
				got = MAX(got, above[1]);
				above[0] = above[1] = 0;
			}
		}
		if (above[0] != above[1])
			BURST(t, .flags = ACK, .seq = 1, .ack = got, .sacks = 1,
			      .sack = { { above[0], above[1] } });
		else
			BURST(t, .flags = ACK, .seq = 1, .ack = got);
	}
	world_run(t->w);
}

/* Have so many bytes delivered, up to stream offset end. */
static void deliver(uint32_t from, uint32_t end)
{
	uint32_t at = from;
	unsigned i;

	for (i = 0; got <= end; i++) {
		uint32_t space = toe_stream_send_space(t->w->n, t->h);
		uint32_t len = MIN(MIN(space, end - at), 50000);

		ck_assert_uint_lt(i, 5000);
		if (len) {
			talk_send(t, at, len);
			at += len;
		}
		world_run(t->w);
		world_advance(t->w, 50 * MS);
		receive();
	}
}

/* Much time passes; the neighbour stays known. */
static void pass(int64_t ns)
{
	talk_wait(t, ns);
	world_forget(t->w);
}

/* ---- What routers say ---- */

/* A path once found out is where the next connection begins: 10 minutes. */
/* RFC 8201 5.2 */
START_TEST(remembered)
{
	open_it();
	ck_assert_uint_eq(mss(), 1460);
	talk_send(t, 0, 1460);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 1460);
	too_big(1000, 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 960);
	world_run(t->w);
	world_forget(t->w);
	ck_assert_uint_eq(COUNTER(t, TCP_PMTU_LOWERED), 1);
	talk_abort(t);
	world_run(t->w);
	world_forget(t->w);
	EVENTS(t, "");
	open_it();
	ck_assert_uint_eq(mss(), 960);
	talk_abort(t);
	world_run(t->w);
	pass(601 * SEC);
	open_it();
	ck_assert_uint_eq(mss(), 1460);
}
END_TEST

/* RFC 5927 7.2: packets as large have arrived; wait for a time-out. */
/* RFC 5927 7.2 */
START_TEST(doubted)
{
	open_it();
	talk_send(t, 0, 1460);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 1460);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1461);
	talk_send(t, 1460, 1460);
	HEAR(t, .flags = ACK | PSH, .seq = 1461, .ack = 1, .len = 1460);
	too_big(1000, 1461);
	SILENCE(t);
	ck_assert_uint_eq(mss(), 1460);
	/* It arrives: somebody lied. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 2921);
	ck_assert_uint_eq(COUNTER(t, TCP_PMTU_IGNORED), 1);
	ck_assert_uint_eq(COUNTER(t, TCP_PMTU_LOWERED), 0);
	talk_send(t, 2920, 1460);
	HEAR(t, .flags = ACK | PSH, .seq = 2921, .ack = 1, .len = 1460);
	too_big(1000, 2921);
	/* It does not: the router was right. */
	while (!COUNTER(t, TCP_RTO))
		world_advance(t->w, 10 * MS);
	ck_assert_uint_eq(mss(), 960);
	ck_assert_uint_eq(COUNTER(t, TCP_PMTU_LOWERED), 1);
	ck_assert_uint_eq(COUNTER(t, TCP_BLACK_HOLES), 0);
}
END_TEST

/* RFC 5927 4 */
START_TEST(not_in_flight)
{
	open_it();
	talk_send(t, 0, 1460);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 1460);
	too_big(1000, 0);
	too_big(1000, 1461);
	too_big(1500, 1);
	too_big(9000, 1);
	SILENCE(t);
	ck_assert_uint_eq(mss(), 1460);
	ck_assert_uint_eq(COUNTER(t, TCP_OUT_OF_WINDOW), 2);
}
END_TEST

/* ---- Options ---- */

static bool df_of_next(void)
{
	size_t len;
	const uint8_t *f = world_sent(t->w, &len);

	ck_assert_ptr_nonnull(f);
	return f[20] & 0x40;
}

START_TEST(options)
{
	uint64_t v = 0;

	open_it();
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h,
					    TOE_OPT_MTU_DISCOVER, &v),
			  TOE_ST_OK);
	ck_assert_uint_eq(v, TOE_PMTUD_WANT);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_PATH_MTU,
					    &v), TOE_ST_OK);
	ck_assert_uint_eq(v, 1500);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->h,
					    TOE_OPT_MTU_DISCOVER, 4),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->h, TOE_OPT_PATH_MTU,
					    1000), TOE_ST_INVALID);
	talk_send(t, 0, 1460);
	world_run(t->w);
	ck_assert(df_of_next());
	talk_setopt(t, TOE_OPT_MTU_DISCOVER, TOE_PMTUD_PROBE);
	too_big(1000, 1);
	ck_assert_uint_eq(mss(), 1460);
	talk_setopt(t, TOE_OPT_MTU_DISCOVER, TOE_PMTUD_DO);
	too_big(1000, 1);
	ck_assert_uint_eq(mss(), 960);
	world_run(t->w);
	world_forget(t->w);
	/* Routers may fragment: nothing is believed, nothing is too big. */
	talk_setopt(t, TOE_OPT_MTU_DISCOVER, TOE_PMTUD_DONT);
	ck_assert_uint_eq(mss(), 1460);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1461);
	world_forget(t->w);
	talk_send(t, 1460, 1460);
	world_run(t->w);
	ck_assert(!df_of_next());
	too_big(1000, 1461);
	ck_assert_uint_eq(mss(), 1460);
}
END_TEST

/* ---- Routers that say nothing ---- */

/* Three time-outs, then 1280; the path takes less: two more, the least. */
/* RFC 8899 4.3 */
START_TEST(black_hole)
{
	static const uint32_t paths[] = { 1400, 1280, 1000, 552 };
	static const uint32_t found[] = { 1280, 1280, 552, 552 };

	open_it();
	path_mtu = paths[_i];
	deliver(0, 100000);
	ck_assert_uint_eq(mss(), found[_i] - TCP_IP);
	ck_assert_uint_eq(COUNTER(t, TCP_BLACK_HOLES),
			  found[_i] == 1280 ? 1 : 2);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), found[_i] == 1280 ? 3 : 5);
	ck_assert_uint_eq(COUNTER(t, TCP_MTU_PROBES), 0);
	/* The next connection knows. */
	talk_abort(t);
	world_run(t->w);
	world_forget(t->w);
	g_string_truncate(t->log, 0);
	talk_open_active(t, NULL);
	ck_assert_uint_eq(mss(), found[_i] - TCP_IP);
}
END_TEST

/* Small segments that time out say nothing of sizes. */
/* RFC 8899 4.3 */
START_TEST(silence_is_no_black_hole)
{
	open_it();
	talk_send(t, 0, 100);
	world_advance(t->w, 10 * SEC);
	ck_assert_uint_gt(COUNTER(t, TCP_RTO), 2);
	ck_assert_uint_eq(COUNTER(t, TCP_BLACK_HOLES), 0);
	ck_assert_uint_eq(mss(), 1460);
}
END_TEST

/* The peer's window is smaller than the MSS, and yet too large. */
/* RFC 8899 4.3 */
START_TEST(black_hole_below_mss)
{
	t->wnd = 1400;
	open_it();
	t->wnd = 1400;
	path_mtu = 1300;
	ck_assert_uint_eq(mss(), 1460);
	deliver(0, 20000);
	ck_assert_uint_eq(mss(), 1240);
	ck_assert_uint_eq(COUNTER(t, TCP_BLACK_HOLES), 1);
}
END_TEST

/* What little there is to send is below the first step, and yet too large. */
/* RFC 8899 5.2 */
START_TEST(black_hole_below_the_base)
{
	open_it();
	path_mtu = 800;
	deliver(0, 1000);
	ck_assert_uint_eq(mss(), 552 - TCP_IP);
	ck_assert_uint_eq(COUNTER(t, TCP_BLACK_HOLES), 1);
}
END_TEST

START_TEST(not_if_forbidden)
{
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_MTU_PROBING, 0),
			  TOE_ST_OK);
	open_it();
	talk_send(t, 0, 5000);
	world_advance(t->w, 20 * SEC);
	ck_assert_uint_gt(COUNTER(t, TCP_RTO), 3);
	ck_assert_uint_eq(COUNTER(t, TCP_BLACK_HOLES), 0);
	ck_assert_uint_eq(mss(), 1460);
}
END_TEST

/* ---- Probes ---- */

/* The path takes more again: found after 10 minutes, not before. */
/* RFC 8899 5.3 */
START_TEST(raised)
{
	open_it();
	path_mtu = 1400;
	deliver(0, 100000);
	ck_assert_uint_eq(mss(), 1240);
	path_mtu = 1500;
	pass(500 * SEC);
	deliver(100000, 300000);
	ck_assert_uint_eq(COUNTER(t, TCP_MTU_PROBES), 0);
	pass(100 * SEC);
	drops = 0;
	deliver(300000, 600000);
	ck_assert_uint_ge(COUNTER(t, TCP_MTU_PROBES_ACKED), 1);
	ck_assert_uint_ge(mss(), 1460 - 8);
	ck_assert_uint_eq(drops, 0);
	ck_assert_uint_eq(COUNTER(t, TCP_MTU_PROBES),
			  COUNTER(t, TCP_MTU_PROBES_ACKED));
}
END_TEST

/*
 * It takes no more than it did: each size is tried three times, and no loss
 * of a probe is taken for congestion.
 */
/* RFC 8899 5.3 */
START_TEST(searched)
{
	uint32_t ssthresh;
	uint64_t rto, fast;

	open_it();
	path_mtu = 1400;
	deliver(0, 100000);
	deliver(100000, 400000);
	pass(601 * SEC);
	ssthresh = talk_info(t, t->h).ssthresh;
	rto = COUNTER(t, TCP_RTO);
	fast = COUNTER(t, TCP_FAST_RETRANSMITS);
	drops = 0;
	deliver(400000, 30000000);
	ck_assert_uint_gt(drops, 3);
	ck_assert_uint_eq(drops % 3, 0);
	ck_assert_uint_eq(COUNTER(t, TCP_MTU_PROBES),
			  COUNTER(t, TCP_MTU_PROBES_ACKED) + drops);
	ck_assert_uint_ge(mss(), 1400 - TCP_IP - 16);
	ck_assert_uint_le(mss(), 1400 - TCP_IP);
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), rto);
	ck_assert_uint_eq(COUNTER(t, TCP_FAST_RETRANSMITS), fast);
	ck_assert_uint_ge(talk_info(t, t->h).ssthresh, ssthresh);
	printf("path 1400: MTU %u after %u lost probes of %u\n",
	       mss() + TCP_IP, drops,
	       (unsigned)COUNTER(t, TCP_MTU_PROBES));
}
END_TEST

/* ---- The table ---- */

START_TEST(table)
{
	unsigned i, known = 0;
	ToeNop *n = t->w->n;

	for (i = 0; i < 10000; i++)
		toe_pmtu_set(n, TOE_AF_INET, IP(10, 1, i >> 8, i), 600 + i % 800);
	for (i = 0; i < 10000; i++) {
		uint32_t m = toe_pmtu_get(n, TOE_AF_INET,
					  IP(10, 1, i >> 8, i), 1500);

		if (m != 1500)
			ck_assert_uint_eq(m, 600 + i % 800);
		known += m != 1500;
	}
	ck_assert_uint_gt(known, TOE_PMTU_MAX / 2);
	ck_assert_uint_le(known, TOE_PMTU_MAX);
	printf("table: %u of %u entries, %zu bytes, after 10000 paths\n",
	       known, TOE_PMTU_MAX, sizeof(n->pmtu));
	/* Families apart; never above what the port takes. */
	toe_pmtu_set(n, TOE_AF_INET, PEER_IP, 1400);
	ck_assert_uint_eq(toe_pmtu_get(n, TOE_AF_INET6, PEER_IP, 1500), 1500);
	ck_assert_uint_eq(toe_pmtu_get(n, TOE_AF_INET, PEER_IP, 1300), 1300);
	world_advance(t->w, 599 * SEC);
	ck_assert_uint_eq(toe_pmtu_get(n, TOE_AF_INET, PEER_IP, 1500), 1400);
	world_advance(t->w, 1 * SEC);
	ck_assert_uint_eq(toe_pmtu_get(n, TOE_AF_INET, PEER_IP, 1500), 1500);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plpmtud");
	TCase *c = tcase_create("plpmtud");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 300);
	tcase_add_test(c, remembered);
	tcase_add_test(c, doubted);
	tcase_add_test(c, not_in_flight);
	tcase_add_test(c, options);
	tcase_add_loop_test(c, black_hole, 0, 4);
	tcase_add_test(c, silence_is_no_black_hole);
	tcase_add_test(c, black_hole_below_mss);
	tcase_add_test(c, black_hole_below_the_base);
	tcase_add_test(c, not_if_forbidden);
	tcase_add_test(c, raised);
	tcase_add_test(c, searched);
	tcase_add_test(c, table);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
