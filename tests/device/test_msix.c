// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_msix.c - interrupts: one per arming, never a missed one, masked ones
 * are pending.  Each vector's message is a word in RAM.
 */
#include "libtoehw.h"

#include <stdlib.h>

static struct hw hw;
static struct hw_ctx c;
static uint64_t word;

#define MESSAGE 0x600d0000u

static uint64_t vector_word(unsigned v)
{
	return word + 4 * v;
}

static void setup(void)
{
	unsigned v;

	hw_start(&hw, "-netdev hubport,id=n0,hubid=1",
		 "contexts=16,connections=32,localmem=1M");
	hw_enable(&hw);
	hw_ctx_new(&hw, &c, 1, 0);
	word = hw_alloc(&hw, 4096);
	for (v = 0; v < TOE_MSIX_VECTORS; v++)
		pci_msix_set(&hw.pci, v, vector_word(v), MESSAGE + v);
	/* The commands so far may have left vector 0 behind. */
	qt_settle(hw.qt);
	qt_memset(hw.qt, word, 0, 4096);
}

static void teardown(void)
{
	hw_ctx_free(&c);
	hw_stop(&hw);
}

/* Did the vector come since last asked? */
static bool came(unsigned v)
{
	uint32_t got;

	qt_settle(hw.qt);
	got = qt_readl(hw.qt, vector_word(v));
	if (got)
		ck_assert_uint_eq(got, MESSAGE + v);
	qt_writel(hw.qt, vector_word(v), 0);
	return got != 0;
}

static void nop(void)
{
	struct toe_hw_req r = { .opcode = TOE_OP_NOP };

	hw_req(&c, &r);
}

static void take(void)
{
	struct toe_hw_cqe e;

	hw_cq_expect(&c, TOE_EV_COMPLETION, &e);
}

START_TEST(admin_vector)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_NOP };

	hw_admin_ok(&hw, &cmd);
	ck_assert(came(0));
	ck_assert(!came(0));
	hw_admin_ok(&hw, &cmd);
	ck_assert(came(0));
}
END_TEST

START_TEST(not_armed)
{
	nop();
	take();
	ck_assert(!came(c.vector));
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_CQM_INTERRUPTS), 0);
}
END_TEST

START_TEST(armed_raises_once)
{
	hw_cq_arm(&c);
	ck_assert(!came(c.vector));
	nop();
	ck_assert(came(c.vector));
	nop();
	nop();
	ck_assert(!came(c.vector));
	take();
	take();
	take();
	hw_cq_arm(&c);
	ck_assert(!came(c.vector));
	nop();
	ck_assert(came(c.vector));
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_CQM_INTERRUPTS), 2);
	take();
}
END_TEST

/* Something came between the last look and the arming. */
START_TEST(late_arming)
{
	nop();
	hw_cq_arm(&c);		/* cq_head 0, but cq_tail is 1 */
	ck_assert(came(c.vector));
	/* Seen now: arm with the new head, quiet. */
	take();
	hw_cq_arm(&c);
	ck_assert(!came(c.vector));
	/* Armed twice is armed once. */
	hw_cq_arm(&c);
	nop();
	ck_assert(came(c.vector));
	nop();
	ck_assert(!came(c.vector));
}
END_TEST

/* Several completions of one doorbell make one interrupt. */
START_TEST(batch)
{
	struct toe_hw_req r = { .opcode = TOE_OP_NOP };
	int i;

	hw_cq_arm(&c);
	for (i = 0; i < 8; i++)
		hw_req_put(&c, &r);
	hw_ring_rq(&c);
	ck_assert(came(c.vector));
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_CQM_INTERRUPTS), 1);
	for (i = 0; i < 8; i++)
		take();
}
END_TEST

START_TEST(masked_is_pending)
{
	pci_msix_mask(&hw.pci, c.vector, true);
	hw_cq_arm(&c);
	nop();
	ck_assert(!came(c.vector));
	ck_assert(pci_msix_pending(&hw.pci, c.vector));
	ck_assert(!pci_msix_pending(&hw.pci, c.vector + 1));
	pci_msix_mask(&hw.pci, c.vector, false);
	ck_assert(came(c.vector));
	ck_assert(!pci_msix_pending(&hw.pci, c.vector));
	take();
}
END_TEST

START_TEST(own_vectors)
{
	struct hw_ctx d;

	hw_ctx_new(&hw, &d, 5, 0);
	came(0);
	ck_assert_uint_ne(d.vector, c.vector);
	hw_cq_arm(&c);
	hw_cq_arm(&d);
	ck_assert_uint_eq(hw_simple(&d, TOE_OP_NOP, 0), TOE_ST_OK);
	ck_assert(came(d.vector));
	ck_assert(!came(c.vector));
	ck_assert(!came(0));
	hw_ctx_free(&d);
}
END_TEST

/* Two contexts with one vector: each arming counts for itself. */
START_TEST(shared_vector)
{
	struct hw_ctx d;
	struct toe_hw_adm_cmd cmd;

	ck_assert_uint_eq(hw_ctx_create(&hw, 2, 0, c.vector, 0), TOE_ST_OK);
	d = (struct hw_ctx) { .hw = &hw, .id = 2, .rq_log2 = 3, .cq_log2 = 3,
			      .bqs_log2 = 3, .bql_log2 = 3, .rq = 128,
			      .cq = 640, .bqs = 1152, .bql = 1280 };
	hw_region_new(&hw, &d.mem, 2, TOE_MEM_READ | TOE_MEM_WRITE, 4096);
	hw_ctx_queues_cmd(&d, &cmd);
	hw_admin_ok(&hw, &cmd);
	hw_cq_arm(&d);
	nop();
	take();
	ck_assert(!came(c.vector));
	ck_assert_uint_eq(hw_simple(&d, TOE_OP_NOP, 0), TOE_ST_OK);
	ck_assert(came(c.vector));
	hw_ctx_free(&d);
}
END_TEST

/* Destroyed or reset while armed: silence. */
START_TEST(armed_and_gone)
{
	hw_cq_arm(&c);
	ck_assert_uint_eq(hw_ctx_destroy(&hw, 1, 0), TOE_ST_OK);
	ck_assert(!came(c.vector));
	hw_ctx_free(&c);
	hw_ctx_new(&hw, &c, 1, 0);
	nop();
	take();
	ck_assert(!came(c.vector));
	hw_cq_arm(&c);
	hw_reset(&hw);
	ck_assert(!came(c.vector));
}
END_TEST

/* The link goes and comes back: two events, each with the vector. */
START_TEST(link_event)
{
	ck_assert(hw_reg(&hw, TOE_REG_STATUS) & TOE_STATUS_LINK);
	for (int up = 0; up < 2; up++) {
		uint32_t before = hw.link_events;

		free(qt_qmp(hw.qt, "{\"execute\":\"set_link\","
			    "\"arguments\":{\"name\":\"n0\",\"up\":%s}}",
			    up ? "true" : "false"));
		ck_assert(came(0));
		ck_assert_int_eq(!!(hw_reg(&hw, TOE_REG_STATUS) &
				    TOE_STATUS_LINK), up);
		ck_assert(!hw_admin_ready(&hw));
		ck_assert_uint_eq(hw.link_events, before + 1);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("msix");
	TCase *tc = qt_case(s, "arming", setup, teardown);

	tcase_add_test(tc, admin_vector);
	tcase_add_test(tc, not_armed);
	tcase_add_test(tc, armed_raises_once);
	tcase_add_test(tc, late_arming);
	tcase_add_test(tc, batch);
	tc = qt_case(s, "vectors", setup, teardown);
	tcase_add_test(tc, masked_is_pending);
	tcase_add_test(tc, own_vectors);
	tcase_add_test(tc, shared_vector);
	tcase_add_test(tc, armed_and_gone);
	tcase_add_test(tc, link_event);
	return qt_main(s);
}
