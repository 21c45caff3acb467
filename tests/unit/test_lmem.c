/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lmem.c - local memory: accounting, the shares of the two classes, and
 * chains against a plain byte array.
 */
#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include "lmem.h"

#define NBUFLETS 64u

static uint8_t *ram;
static ToeCounters counters;
static ToeLmem *lm;

static void setup(void)
{
	ram = g_malloc(NBUFLETS * TOE_BUFLET_SIZE);
	lm = toe_lmem_new(ram, NBUFLETS * TOE_BUFLET_SIZE + 100, &counters);
}

static void teardown(void)
{
	toe_lmem_free(lm);
	g_free(ram);
}

START_TEST(sizes)
{
	size_t size;

	ck_assert_uint_eq(toe_lmem_total(lm), NBUFLETS);
	ck_assert_uint_eq(toe_lmem_avail(lm, TOE_LMEM_IN), NBUFLETS);
	ck_assert_uint_eq(toe_lmem_avail(lm, TOE_LMEM_OUT), NBUFLETS / 4 * 3);
	ck_assert_ptr_eq(toe_lmem_ram(lm, &size), ram);
	ck_assert_uint_eq(size, NBUFLETS * TOE_BUFLET_SIZE);
	ck_assert_uint_eq(counters.v[TOE_CTR_LMEM_BUFLETS], NBUFLETS);
	ck_assert_uint_eq(counters.v[TOE_CTR_LMEM_BUFLETS_FREE], NBUFLETS);
}
END_TEST

START_TEST(classes)
{
	ToeChain out = toe_chain_init(), in = toe_chain_init();

	/* OUT leaves the last quarter; a failed extend changes nothing. */
	ck_assert(!toe_chain_extend(lm, &out, (NBUFLETS / 4 * 3) *
				    TOE_BUFLET_SIZE + 1, TOE_LMEM_OUT));
	ck_assert_uint_eq(out.len, 0);
	ck_assert_uint_eq(toe_lmem_avail(lm, TOE_LMEM_IN), NBUFLETS);
	ck_assert(toe_chain_extend(lm, &out, (NBUFLETS / 4 * 3) *
				   TOE_BUFLET_SIZE, TOE_LMEM_OUT));
	ck_assert_uint_eq(toe_lmem_avail(lm, TOE_LMEM_OUT), 0);
	ck_assert(!toe_chain_append(lm, &out, "x", 1, TOE_LMEM_OUT));
	/* IN takes everything. */
	ck_assert(toe_chain_extend(lm, &in, NBUFLETS / 4 * TOE_BUFLET_SIZE,
				   TOE_LMEM_IN));
	ck_assert(!toe_chain_append(lm, &in, "x", 1, TOE_LMEM_IN));
	ck_assert_uint_eq(counters.v[TOE_CTR_LMEM_BUFLETS_FREE], 0);
	toe_chain_clear(lm, &in);
	ck_assert_uint_eq(toe_lmem_avail(lm, TOE_LMEM_OUT), 0);
	toe_chain_clear(lm, &out);
	ck_assert_uint_eq(counters.v[TOE_CTR_LMEM_BUFLETS_FREE], NBUFLETS);
}
END_TEST

START_TEST(room_of_the_last_buflet)
{
	ToeChain c = toe_chain_init();

	ck_assert(toe_chain_append(lm, &c, "abc", 3, TOE_LMEM_OUT));
	ck_assert_uint_eq(toe_lmem_avail(lm, TOE_LMEM_IN), NBUFLETS - 1);
	ck_assert(toe_chain_extend(lm, &c, TOE_BUFLET_SIZE - 3,
				   TOE_LMEM_OUT));
	ck_assert_uint_eq(toe_lmem_avail(lm, TOE_LMEM_IN), NBUFLETS - 1);
	ck_assert(toe_chain_append(lm, &c, "d", 1, TOE_LMEM_OUT));
	ck_assert_uint_eq(toe_lmem_avail(lm, TOE_LMEM_IN), NBUFLETS - 2);
	toe_chain_trim_tail(lm, &c, 1);
	ck_assert_uint_eq(toe_lmem_avail(lm, TOE_LMEM_IN), NBUFLETS - 1);
	toe_chain_clear(lm, &c);
}
END_TEST

START_TEST(neighbours_are_one_span)
{
	ToeChain c = toe_chain_init();
	uint32_t n;

	ck_assert(toe_chain_extend(lm, &c, 40 * TOE_BUFLET_SIZE,
				   TOE_LMEM_OUT));
	ck_assert_ptr_eq(toe_chain_span(lm, &c, 0, &n, NULL), ram);
	ck_assert_uint_eq(n, 32 * TOE_BUFLET_SIZE);
	ck_assert_ptr_null(toe_chain_span(lm, &c, c.len, &n, NULL));
	/* What is free and lowest is taken first. */
	toe_chain_trim_head(lm, &c, 16 * TOE_BUFLET_SIZE);
	toe_chain_clear(lm, &c);
	ck_assert(toe_chain_extend(lm, &c, 16 * TOE_BUFLET_SIZE,
				   TOE_LMEM_OUT));
	toe_chain_span(lm, &c, 0, &n, NULL);
	ck_assert_uint_eq(n, 16 * TOE_BUFLET_SIZE);
	toe_chain_clear(lm, &c);
}
END_TEST

/*
 * Neighbours stay neighbours however long frames of an odd size come and
 * buffers of another are emptied: a buffer is one span, or two where the chain
 * goes back to the low end.
 */
START_TEST(spans_stay_long)
{
	ToeChain c = toe_chain_init();
	uint8_t frame[1440] = { 0 };
	GRand *r = g_rand_new_with_seed(1);
	uint32_t spans = 0, buffers = 0;

	for (int step = 0; step < 4000; step++) {
		if (c.len < 40000 || g_rand_boolean(r)) {
			if (c.len < 90000)
				ck_assert(toe_chain_append(lm, &c, frame,
							   sizeof(frame),
							   TOE_LMEM_IN));
			continue;
		}
		for (uint32_t off = 0, n; off < 40000; off += n, spans++)
			ck_assert_ptr_nonnull(toe_chain_span(lm, &c, off, &n,
							     NULL));
		buffers++;
		toe_chain_trim_head(lm, &c, 40000);
	}
	ck_assert_uint_gt(buffers, 100);
	ck_assert_uint_le(spans, 3 * buffers);
	toe_chain_clear(lm, &c);
	g_rand_free(r);
}
END_TEST

/* The lowest is found across words, and words of words, of free ones. */
START_TEST(lowest_first)
{
	const uint32_t total = 64 * 64 * 2 + 70;
	uint8_t *mem = g_malloc((size_t)total * TOE_BUFLET_SIZE);
	ToeLmem *big = toe_lmem_new(mem, (size_t)total * TOE_BUFLET_SIZE, NULL);
	ToeChain *c = g_new(ToeChain, total);
	static const uint32_t back[] = { 8261, 5000, 4096, 4095, 64, 63, 0 };
	uint32_t i;

	for (i = 0; i < total; i++) {
		c[i] = toe_chain_init();
		ck_assert(toe_chain_extend(big, &c[i], TOE_BUFLET_SIZE,
					   TOE_LMEM_IN));
		ck_assert_uint_eq(c[i].first, i);
	}
	ck_assert_uint_eq(toe_lmem_avail(big, TOE_LMEM_IN), 0);
	for (i = 0; i < G_N_ELEMENTS(back); i++)
		toe_chain_clear(big, &c[back[i]]);
	while (i-- > 0) {
		ck_assert(toe_chain_extend(big, &c[back[i]], 1, TOE_LMEM_IN));
		ck_assert_uint_eq(c[back[i]].first, back[i]);
	}
	ck_assert_uint_eq(toe_lmem_avail(big, TOE_LMEM_IN), 0);
	g_free(c);
	toe_lmem_free(big);
	g_free(mem);
}
END_TEST

/* Chains do what byte arrays do, in any order of operations. */
START_TEST(against_a_model)
{
	GRand *r = g_rand_new_with_seed(_i + 1);
	ToeChain c[3];
	GByteArray *m[3];
	uint8_t data[8000], got[NBUFLETS * TOE_BUFLET_SIZE];

	for (int i = 0; i < 3; i++) {
		c[i] = toe_chain_init();
		m[i] = g_byte_array_new();
	}
	for (int step = 0; step < 600; step++) {
		int i = g_rand_int_range(r, 0, 3);
		int j = (i + 1) % 3;
		uint32_t len = g_rand_int_range(r, 0, sizeof(data));
		ToeChainPos pos = { TOE_BUFLET_NONE, 0 };

		switch (g_rand_int_range(r, 0, 5)) {
		case 0:
		case 1:
			for (uint32_t k = 0; k < len; k++)
				data[k] = (uint8_t)g_rand_int(r);
			if (toe_chain_append(lm, &c[i], data, len,
					     i ? TOE_LMEM_IN : TOE_LMEM_OUT))
				g_byte_array_append(m[i], data, len);
			break;
		case 2:
			toe_chain_trim_head(lm, &c[i], len);
			g_byte_array_remove_range(m[i], 0,
						  MIN(len, m[i]->len));
			break;
		case 3:
			toe_chain_trim_tail(lm, &c[i], len);
			g_byte_array_set_size(m[i], m[i]->len -
					      MIN(len, m[i]->len));
			break;
		case 4:
			toe_chain_concat(lm, &c[i], &c[j]);
			g_byte_array_append(m[i], m[j]->data, m[j]->len);
			g_byte_array_set_size(m[j], 0);
			break;
		}
		ck_assert_uint_eq(c[i].len, m[i]->len);
		if (!c[i].len)
			continue;
		toe_chain_copy_out(lm, &c[i], 0, got, c[i].len, NULL);
		ck_assert_mem_eq(got, m[i]->data, c[i].len);
		/* The same in small steps, with a position. */
		for (uint32_t off = 0; off < c[i].len;) {
			uint32_t n;
			uint8_t *p = toe_chain_span(lm, &c[i], off, &n, &pos);

			ck_assert_ptr_nonnull(p);
			n = MIN(n, 700u);
			n = MIN(n, c[i].len - off);
			ck_assert_mem_eq(p, m[i]->data + off, n);
			off += n;
		}
	}
	for (int i = 0; i < 3; i++) {
		toe_chain_clear(lm, &c[i]);
		g_byte_array_unref(m[i]);
	}
	ck_assert_uint_eq(toe_lmem_avail(lm, TOE_LMEM_IN), NBUFLETS);
	g_rand_free(r);
}
END_TEST

START_TEST(reset_frees_all)
{
	ToeChain c = toe_chain_init();

	ck_assert(toe_chain_extend(lm, &c, 10000, TOE_LMEM_IN));
	toe_lmem_reset(lm);
	ck_assert_uint_eq(toe_lmem_avail(lm, TOE_LMEM_IN), NBUFLETS);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lmem");
	TCase *tc = tcase_create("lmem");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, sizes);
	tcase_add_test(tc, classes);
	tcase_add_test(tc, room_of_the_last_buflet);
	tcase_add_test(tc, neighbours_are_one_span);
	tcase_add_test(tc, spans_stay_long);
	tcase_add_test(tc, lowest_first);
	tcase_add_loop_test(tc, against_a_model, 0, 8);
	tcase_add_test(tc, reset_frees_all);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
