/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_timer.c - the timer heap against a plain array, and the local ports.
 */
#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include "nop/ports.h"
#include "nop/timer.h"

START_TEST(test_empty)
{
	ToeTimers t;
	uint32_t id;

	toe_timers_init(&t, 4);
	ck_assert(toe_timers_next(&t) == TOE_TIMER_OFF);
	ck_assert(!toe_timers_pop(&t, INT64_MAX, &id));
	ck_assert(toe_timers_get(&t, 3) == TOE_TIMER_OFF);
	toe_timers_set(&t, 2, TOE_TIMER_OFF);
	ck_assert_uint_eq(t.count, 0);
	toe_timers_destroy(&t);
}
END_TEST

START_TEST(test_order)
{
	const int64_t when[] = { 50, 10, 40, 10, 30, -5 };
	const uint32_t order[] = { 5, 1, 3, 4, 2, 0 };
	ToeTimers t;
	uint32_t id, i;

	toe_timers_init(&t, 6);
	for (i = 0; i < 6; i++)
		toe_timers_set(&t, i, when[i]);
	for (i = 0; i < 6; i++) {
		ck_assert(toe_timers_next(&t) == when[order[i]]);
		ck_assert(!toe_timers_pop(&t, when[order[i]] - 1, &id));
		ck_assert(toe_timers_pop(&t, when[order[i]], &id));
		ck_assert_uint_eq(id, order[i]);
	}
	ck_assert(!toe_timers_pop(&t, INT64_MAX, &id));
	toe_timers_destroy(&t);
}
END_TEST

START_TEST(test_move)
{
	ToeTimers t;
	uint32_t id;

	toe_timers_init(&t, 3);
	toe_timers_set(&t, 0, 10);
	toe_timers_set(&t, 1, 20);
	toe_timers_set(&t, 2, 30);
	toe_timers_set(&t, 0, 40);
	toe_timers_set(&t, 2, 5);
	ck_assert_uint_eq(t.count, 3);
	ck_assert(toe_timers_get(&t, 0) == 40);
	toe_timers_set(&t, 1, TOE_TIMER_OFF);
	ck_assert(toe_timers_pop(&t, 100, &id) && id == 2);
	ck_assert(toe_timers_pop(&t, 100, &id) && id == 0);
	ck_assert(!toe_timers_pop(&t, 100, &id));
	toe_timers_destroy(&t);
}
END_TEST

START_TEST(test_bad_id)
{
	ToeTimers t;

	toe_timers_init(&t, 3);
	toe_timers_set(&t, 3, 10);
	toe_timers_set(&t, UINT32_MAX, 10);
	ck_assert(toe_timers_next(&t) == TOE_TIMER_OFF);
	ck_assert(toe_timers_get(&t, UINT32_MAX) == TOE_TIMER_OFF);
	toe_timers_destroy(&t);
}
END_TEST

START_TEST(test_clear)
{
	ToeTimers t;
	uint32_t i;

	toe_timers_init(&t, 200);
	for (i = 0; i < 200; i++)
		toe_timers_set(&t, i, i);
	toe_timers_clear(&t);
	ck_assert(toe_timers_next(&t) == TOE_TIMER_OFF);
	ck_assert(toe_timers_get(&t, 7) == TOE_TIMER_OFF);
	toe_timers_set(&t, 7, 3);
	ck_assert(toe_timers_next(&t) == 3);
	toe_timers_destroy(&t);
}
END_TEST

/* 50000 random changes; an array of deadlines says what must come out. */
START_TEST(test_random)
{
	enum { IDS = 300, STEPS = 50000 };
	GRand *r = g_rand_new_with_seed(_i + 1);
	int64_t want[IDS];
	ToeTimers t;
	int step, i;

	toe_timers_init(&t, IDS);
	for (i = 0; i < IDS; i++)
		want[i] = TOE_TIMER_OFF;
	for (step = 0; step < STEPS; step++) {
		uint32_t id = g_rand_int_range(r, 0, IDS), got;
		int first = -1;

		switch (g_rand_int_range(r, 0, 4)) {
		case 0:
			want[id] = TOE_TIMER_OFF;
			toe_timers_set(&t, id, want[id]);
			break;
		case 1:
			for (i = 0; i < IDS; i++) {
				if (want[i] != TOE_TIMER_OFF &&
				    (first < 0 || want[i] < want[first]))
					first = i;
			}
			if (first < 0) {
				ck_assert(!toe_timers_pop(&t, INT64_MAX - 1,
							  &got));
				break;
			}
			ck_assert(toe_timers_next(&t) == want[first]);
			ck_assert(toe_timers_pop(&t, want[first], &got));
			ck_assert_uint_eq(got, (uint32_t)first);
			want[first] = TOE_TIMER_OFF;
			break;
		default:
			want[id] = g_rand_int_range(r, 0, 1000);
			toe_timers_set(&t, id, want[id]);
			break;
		}
		ck_assert(toe_timers_get(&t, id) == want[id]);
	}
	toe_timers_destroy(&t);
	g_rand_free(r);
}
END_TEST

/* ---- Ports ---- */

START_TEST(test_port_refs)
{
	ToePorts p;

	toe_ports_init(&p);
	ck_assert(!toe_ports_reserve(&p, 0));
	ck_assert(toe_ports_reserve_free(&p, 80));
	ck_assert(!toe_ports_reserve_free(&p, 80));
	ck_assert(toe_ports_reserve(&p, 80));
	ck_assert_uint_eq(toe_ports_refs(&p, 80), 2);
	toe_ports_release(&p, 80);
	toe_ports_release(&p, 80);
	toe_ports_release(&p, 80);	/* one too many: nothing */
	ck_assert_uint_eq(toe_ports_refs(&p, 80), 0);
	ck_assert(toe_ports_reserve_free(&p, 80));
	toe_ports_clear(&p);
	ck_assert_uint_eq(toe_ports_refs(&p, 80), 0);
	toe_ports_destroy(&p);
}
END_TEST

/* Every port of the range exactly once, whatever the random number. */
START_TEST(test_port_all)
{
	const uint16_t lo = 40000, sizes[] = { 1, 2, 12, 97, 1000 };
	GRand *r = g_rand_new_with_seed(5);
	size_t s;

	for (s = 0; s < G_N_ELEMENTS(sizes); s++) {
		uint16_t hi = lo + sizes[s] - 1, i;
		ToePorts p;

		toe_ports_init(&p);
		for (i = 0; i < sizes[s]; i++) {
			uint64_t rnd = (uint64_t)g_rand_int(r) << 32 |
				       g_rand_int(r);
			uint16_t port = toe_ports_pick(&p, lo, hi, rnd, NULL,
						       NULL);

			ck_assert(port >= lo && port <= hi);
			ck_assert_uint_eq(toe_ports_refs(&p, port), 1);
		}
		ck_assert_uint_eq(toe_ports_pick(&p, lo, hi, 0, NULL, NULL),
				  0);
		ck_assert_uint_eq(toe_ports_pick(&p, hi, lo, 0, NULL, NULL),
				  0);
		toe_ports_destroy(&p);
	}
	g_rand_free(r);
}
END_TEST

static bool only_this(void *opaque, uint16_t port)
{
	return port == *(const uint16_t *)opaque;
}

START_TEST(test_port_predicate)
{
	uint16_t want = 51234;
	ToePorts p;

	toe_ports_init(&p);
	/* In use by another: the predicate alone decides. */
	toe_ports_reserve(&p, want);
	ck_assert_uint_eq(toe_ports_pick(&p, 1, 65535, 0x123456789abcdefULL,
					 only_this, &want), want);
	ck_assert_uint_eq(toe_ports_refs(&p, want), 2);
	want = 7;
	ck_assert_uint_eq(toe_ports_pick(&p, 49152, 65535, 1, only_this,
					 &want), 0);
	/* Port 0 is never given, even if asked for. */
	want = 0;
	ck_assert_uint_eq(toe_ports_pick(&p, 0, 10, 1, only_this, &want), 0);
	ck_assert_uint_eq(toe_ports_pick(&p, 0, 0, 1, NULL, NULL), 0);
	toe_ports_destroy(&p);
}
END_TEST

/* A port must not follow from the one before. */
START_TEST(test_port_spread)
{
	GRand *r = g_rand_new_with_seed(9);
	unsigned i, near = 0;
	uint16_t last = 0;
	ToePorts p;

	toe_ports_init(&p);
	for (i = 0; i < 1000; i++) {
		uint64_t rnd = (uint64_t)g_rand_int(r) << 32 | g_rand_int(r);
		uint16_t port = toe_ports_pick(&p, 16384, 32767, rnd, NULL,
					       NULL);

		near += abs((int)port - (int)last) < 16;
		last = port;
	}
	ck_assert_uint_lt(near, 20);	/* two are expected */
	toe_ports_destroy(&p);
	g_rand_free(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("timer");
	TCase *t = tcase_create("timer"), *p = tcase_create("ports");
	SRunner *r;
	int failed;

	tcase_add_test(t, test_empty);
	tcase_add_test(t, test_order);
	tcase_add_test(t, test_move);
	tcase_add_test(t, test_bad_id);
	tcase_add_test(t, test_clear);
	tcase_add_loop_test(t, test_random, 0, 4);
	tcase_add_test(p, test_port_refs);
	tcase_add_test(p, test_port_all);
	tcase_add_test(p, test_port_predicate);
	tcase_add_test(p, test_port_spread);
	suite_add_tcase(s, t);
	suite_add_tcase(s, p);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
