/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_memval.c - memory validation: keys, owners, directions, bounds, page
 * lists, limits.
 */
#include <stdlib.h>
#include "fake_stream.h"

static struct guest g;
static struct app app;

#define RW (TOE_MEM_READ | TOE_MEM_WRITE)
#define REGION 0x600000u		/* RAM that no context has */

static void setup(void)
{
	guest_new(&g, NULL);
	app_new(&app, &g, 1, 0);
	ck_assert_uint_eq(ctx_create(&g, 2, 0), TOE_ST_OK);
}

static void teardown(void)
{
	guest_free(&g);
}

static uint8_t rd(uint32_t ctx, uint32_t key, uint64_t off, void *buf,
		  uint32_t len)
{
	return toe_memval_read(g.a, &g.a->ctxs.table[ctx], key, off, buf, len,
			       "test");
}

static uint8_t wr(uint32_t ctx, uint32_t key, uint64_t off, const void *buf,
		  uint32_t len)
{
	return toe_memval_write(g.a, &g.a->ctxs.table[ctx], key, off, buf, len,
				"test");
}

START_TEST(moves_bytes)
{
	uint32_t key = mem_register(&g, 1, REGION + 100, 9000, RW);
	uint8_t buf[9000];

	memset(buf, 7, sizeof(buf));
	ck_assert_uint_eq(wr(1, key, 0, buf, 9000), TOE_ST_OK);
	ck_assert_uint_eq(g.ram[REGION + 99], 0);
	ck_assert_uint_eq(g.ram[REGION + 100], 7);
	ck_assert_uint_eq(g.ram[REGION + 9099], 7);
	ck_assert_uint_eq(g.ram[REGION + 9100], 0);
	g.ram[REGION + 9099] = 8;
	ck_assert_uint_eq(rd(1, key, 8999, buf, 1), TOE_ST_OK);
	ck_assert_uint_eq(buf[0], 8);
	ck_assert_uint_eq(rd(1, key, 9000, buf, 0), TOE_ST_OK);
}
END_TEST

START_TEST(contiguous_pages_are_one_transfer)
{
	uint32_t key = mem_register(&g, 1, REGION, 16 * PAGE, RW);
	uint8_t buf[16 * PAGE];
	unsigned before = g.dma_reads;

	ck_assert_uint_eq(rd(1, key, 0, buf, sizeof(buf)), TOE_ST_OK);
	ck_assert_uint_eq(g.dma_reads, before + 1);
}
END_TEST

/* Pages backwards: each is a transfer of its own, in the right place. */
START_TEST(scattered_pages)
{
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_MEM_REGISTER,
		.u.mem_register = {
			.ctx = 1, .access = RW, .length = 3 * PAGE - 10,
			.first = 10, .page_shift = 12, .npages = 3,
		},
	};
	uint64_t *list = (uint64_t *)(void *)(g.ram + RAM_LIST);
	uint8_t buf[3 * PAGE];
	unsigned before;
	uint32_t key;

	ck_assert_uint_eq(admin(&g, &cmd), TOE_ST_OK);
	key = (uint32_t)g.cpl.result;
	for (int i = 0; i < 3; i++) {
		list[i] = REGION + (2 - i) * PAGE;
		memset(g.ram + list[i], 'a' + i, PAGE);
	}
	memset(&cmd, 0, sizeof(cmd));
	cmd.opcode = TOE_ADM_MEM_PAGES;
	cmd.u.mem_pages.key = key;
	cmd.u.mem_pages.list = RAM_LIST;
	/* Incomplete: not usable; out of order, too many: refused. */
	cmd.u.mem_pages.count = 1;
	ck_assert_uint_eq(admin(&g, &cmd), TOE_ST_OK);
	ck_assert_uint_eq(rd(1, key, 0, buf, 1), TOE_ST_KEY);
	ck_assert_uint_eq(admin(&g, &cmd), TOE_ST_BOUNDS);
	cmd.u.mem_pages.index = 1;
	cmd.u.mem_pages.count = 3;
	ck_assert_uint_eq(admin(&g, &cmd), TOE_ST_BOUNDS);
	cmd.u.mem_pages.count = 2;
	cmd.u.mem_pages.list = NO_RAM;
	ck_assert_uint_eq(admin(&g, &cmd), TOE_ST_DMA);
	cmd.u.mem_pages.list = RAM_LIST + 8;
	list[2] += 8;
	ck_assert_uint_eq(admin(&g, &cmd), TOE_ST_INVALID);
	list[2] -= 8;
	ck_assert_uint_eq(admin(&g, &cmd), TOE_ST_OK);

	/* The list was copied: what becomes of it means nothing. */
	memset(list, 0xff, 24);
	before = g.dma_reads;
	ck_assert_uint_eq(rd(1, key, 0, buf, 3 * PAGE - 10), TOE_ST_OK);
	ck_assert_uint_eq(g.dma_reads, before + 3);
	ck_assert_uint_eq(buf[0], 'a');
	ck_assert_uint_eq(buf[PAGE - 11], 'a');
	ck_assert_uint_eq(buf[PAGE - 10], 'b');
	ck_assert_uint_eq(buf[3 * PAGE - 11], 'c');
}
END_TEST

START_TEST(bad_keys)
{
	uint32_t key = mem_register(&g, 1, REGION, PAGE, RW);
	uint64_t before = counter(&g, TOE_CTR_VIOL_KEY);
	uint8_t b;

	ck_assert_uint_eq(rd(1, 0, 0, &b, 1), TOE_ST_KEY);
	ck_assert_uint_eq(rd(1, key + 1, 0, &b, 1), TOE_ST_KEY);
	ck_assert_uint_eq(rd(1, TOE_HANDLE(16, 1), 0, &b, 1), TOE_ST_KEY);
	ck_assert_uint_eq(rd(1, TOE_HANDLE(0xfffff, 1), 0, &b, 1),
			  TOE_ST_KEY);
	ck_assert_uint_eq(rd(1, TOE_HANDLE(TOE_INDEX(key),
					   TOE_GENERATION(key) + 1), 0, &b, 1),
			  TOE_ST_KEY);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_KEY), before + 5);
	ck_assert_uint_ge(g.guest_errors, 5);
	ck_assert_uint_eq(mem_revoke(&g, key), TOE_ST_OK);
	ck_assert_uint_eq(mem_revoke(&g, key), TOE_ST_KEY);
	ck_assert_uint_eq(rd(1, key, 0, &b, 1), TOE_ST_KEY);
}
END_TEST

/* The generation wraps over 0, and no key is ever 0. */
START_TEST(generation_wraps)
{
	uint32_t first = 0, key;

	for (uint32_t i = 0; i < 16 * (TOE_GENERATION_MAX + 1); i++) {
		key = mem_register(&g, 1, REGION, PAGE, RW);
		ck_assert_uint_ne(key, 0);
		ck_assert_uint_ne(TOE_GENERATION(key), 0);
		ck_assert_uint_ne(key, TOE_KEY_PHYS);
		if (!first)
			first = key;
		else if (i < TOE_GENERATION_MAX)
			ck_assert_uint_ne(key, first);
		ck_assert_uint_eq(mem_revoke(&g, key), TOE_ST_OK);
	}
	ck_assert_uint_eq(counter(&g, TOE_CTR_MEM_REGIONS), 1);
}
END_TEST

START_TEST(owner)
{
	uint32_t key = mem_register(&g, 1, REGION, PAGE, RW);
	uint8_t b = 1;

	ck_assert_uint_eq(rd(2, key, 0, &b, 1), TOE_ST_OWNER);
	ck_assert_uint_eq(wr(2, key, 0, &b, 1), TOE_ST_OWNER);
	ck_assert_uint_eq(g.ram[REGION], 0);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_OWNER), 2);
}
END_TEST

START_TEST(direction)
{
	uint32_t ro = mem_register(&g, 1, REGION, PAGE, TOE_MEM_READ);
	uint32_t wo = mem_register(&g, 1, REGION, PAGE, TOE_MEM_WRITE);
	uint8_t b = 1;

	ck_assert_uint_eq(wr(1, ro, 0, &b, 1), TOE_ST_ACCESS);
	ck_assert_uint_eq(g.ram[REGION], 0);
	ck_assert_uint_eq(rd(1, ro, 0, &b, 1), TOE_ST_OK);
	b = 1;
	ck_assert_uint_eq(wr(1, wo, 0, &b, 1), TOE_ST_OK);
	ck_assert_uint_eq(rd(1, wo, 0, &b, 1), TOE_ST_ACCESS);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_ACCESS), 2);
}
END_TEST

START_TEST(bounds)
{
	/* The page goes on behind the region: it must not be reachable. */
	uint32_t key = mem_register(&g, 1, REGION + 16, 100, RW);
	static const struct {
		uint64_t off;
		uint32_t len;
		uint8_t status;
	} cases[] = {
		{ 0, 100, TOE_ST_OK },
		{ 99, 1, TOE_ST_OK },
		{ 0, 101, TOE_ST_BOUNDS },
		{ 100, 1, TOE_ST_BOUNDS },
		{ 99, 2, TOE_ST_BOUNDS },
		{ UINT64_MAX, 1, TOE_ST_BOUNDS },
		{ UINT64_MAX, 2, TOE_ST_BOUNDS },
		{ UINT64_MAX - 50, 100, TOE_ST_BOUNDS },
		{ 1ull << 63, 100, TOE_ST_BOUNDS },
		{ 50, UINT32_MAX, TOE_ST_BOUNDS },
	};
	uint8_t *buf = g_malloc(200);

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		ck_assert_msg(rd(1, key, cases[i].off, buf, cases[i].len) ==
			      cases[i].status, "case %zu", i);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_BOUNDS), 8);
	g_free(buf);
}
END_TEST

START_TEST(registration)
{
	struct toe_hw_adm_cmd good = {
		.opcode = TOE_ADM_MEM_REGISTER,
		.u.mem_register = {
			.ctx = 1, .access = RW, .length = PAGE,
			.page_shift = 12, .npages = 1,
		},
	};
	struct toe_hw_adm_cmd c;

#define BAD(field, val, st) do { \
		c = good; \
		c.u.mem_register.field = (val); \
		ck_assert_uint_eq(admin(&g, &c), (st)); \
	} while (0)
	BAD(ctx, 5, TOE_ST_STATE);
	BAD(ctx, UINT32_MAX, TOE_ST_STATE);
	BAD(access, 0, TOE_ST_INVALID);
	BAD(access, 4, TOE_ST_INVALID);
	BAD(length, 0, TOE_ST_BOUNDS);
	BAD(length, PAGE + 1, TOE_ST_BOUNDS);
	BAD(length, UINT64_MAX, TOE_ST_BOUNDS);
	BAD(first, 1, TOE_ST_BOUNDS);
	BAD(first, PAGE, TOE_ST_INVALID);
	BAD(page_shift, 11, TOE_ST_INVALID);
	BAD(page_shift, 31, TOE_ST_INVALID);
	BAD(page_shift, 1000, TOE_ST_INVALID);
	BAD(npages, 0, TOE_ST_INVALID);
	BAD(npages, 100000, TOE_ST_NOMEM);
	BAD(npages, UINT32_MAX, TOE_ST_NOMEM);
	BAD(rsvd[6], 1, TOE_ST_INVALID);
	ck_assert_uint_eq(admin(&g, &good), TOE_ST_OK);
	ck_assert_uint_eq(counter(&g, TOE_CTR_MEM_REGIONS), 2);
}
END_TEST

START_TEST(limits)
{
	uint32_t n = 0;

	while (mem_register(&g, 1, REGION, PAGE, RW))
		n++;
	ck_assert_uint_eq(n, 15);	/* of 16, one holds the queues */
	ck_assert_uint_eq(g.cpl.status, TOE_ST_NOMEM);
	ck_assert_uint_eq(ctx_destroy(&g, 1), TOE_ST_OK);
	ck_assert_uint_eq(counter(&g, TOE_CTR_MEM_REGIONS), 0);
	ck_assert_uint_eq(counter(&g, TOE_CTR_MEM_PAGES), 0);
	ck_assert_uint_ne(mem_register(&g, 2, REGION, PAGE, RW), 0);
}
END_TEST

START_TEST(physical)
{
	uint8_t b = 9;

	ck_assert_uint_eq(rd(1, TOE_KEY_PHYS, REGION, &b, 1), TOE_ST_PERM);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_PERM), 1);
	ck_assert_uint_eq(ctx_create(&g, 3, TOE_RIGHT_PHYS), TOE_ST_OK);
	ck_assert_uint_eq(wr(3, TOE_KEY_PHYS, REGION, &b, 1), TOE_ST_OK);
	ck_assert_uint_eq(g.ram[REGION], 9);
	ck_assert_uint_eq(wr(3, TOE_KEY_PHYS, NO_RAM, &b, 1), TOE_ST_DMA);
	ck_assert_uint_eq(wr(3, TOE_KEY_PHYS, UINT64_MAX, &b, 2),
			  TOE_ST_BOUNDS);
	ck_assert_uint_eq(counter(&g, TOE_CTR_DMA_ERRORS), 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("memval");
	TCase *tc = tcase_create("memval");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, moves_bytes);
	tcase_add_test(tc, contiguous_pages_are_one_transfer);
	tcase_add_test(tc, scattered_pages);
	tcase_add_test(tc, bad_keys);
	tcase_add_test(tc, generation_wraps);
	tcase_add_test(tc, owner);
	tcase_add_test(tc, direction);
	tcase_add_test(tc, bounds);
	tcase_add_test(tc, registration);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, physical);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
