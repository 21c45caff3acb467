// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_regs.c - the register interface: constants, unlisted offsets and odd
 * sizes, the window into local memory, counters both ways.
 */
#include "libtoehw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct hw hw;

static void setup(void)
{
	hw_start(&hw, "", "contexts=16,connections=32,localmem=1M,mtu=9000");
}

static void teardown(void)
{
	hw_stop(&hw);
}

START_TEST(constants)
{
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_MAGIC), TOE_MAGIC);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_REVISION),
			  TOE_REVISION_MAJOR << 16 | TOE_REVISION_MINOR);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_CAPS) &
			  (TOE_CAP_TCP | TOE_CAP_ETH | TOE_CAP_IPV4 |
			   TOE_CAP_IPV6 | TOE_CAP_UDP),
			  TOE_CAP_TCP | TOE_CAP_ETH | TOE_CAP_IPV4 |
			  TOE_CAP_IPV6 | TOE_CAP_UDP);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_CAPS_HI), 0);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_MAX_CONTEXTS), 16);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_MAX_CONNS), 32);
	ck_assert_uint_gt(hw_reg(&hw, TOE_REG_MAX_REGIONS), 0);
	ck_assert_uint_gt(hw_reg(&hw, TOE_REG_MAX_PAGES), 0);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_LMEM_SIZE), 1u << 20);
	ck_assert_uint_eq((1u << 20) / hw_reg(&hw, TOE_REG_BUFLET_SIZE),
			  hw_counter(&hw, TOE_CTR_LMEM_BUFLETS));
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_MAX_QUEUE_LOG2),
			  TOE_QUEUE_LOG2_MAX);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_VECTORS), TOE_MSIX_VECTORS);
	/* 02:00:00:00:00:01, see hw_start(). */
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_MAC_LO), 0x00000002);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_MAC_HI), 0x0100);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_MTU_MAX), 9000);
	/* No user networking: packets are not larger than the MTU. */
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_MAX_SEGMENT), 0);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_STATUS) &
			  (TOE_STATUS_READY | TOE_STATUS_FATAL |
			   TOE_STATUS_USERNET), 0);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_ERROR), TOE_FATAL_NONE);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_COUNTER_COUNT), TOE_CTR_MAX);
}
END_TEST

START_TEST(read_only)
{
	static const uint32_t ro[] = {
		TOE_REG_MAGIC, TOE_REG_REVISION, TOE_REG_CAPS,
		TOE_REG_MAX_CONTEXTS, TOE_REG_LMEM_SIZE, TOE_REG_MAC_LO,
		TOE_REG_ERROR, TOE_REG_EPOCH, TOE_REG_AQ_HEAD,
		TOE_REG_COUNTER_COUNT, TOE_REG_COUNTERS,
		TOE_REG_COUNTERS + 8 * TOE_CTR_LMEM_BUFLETS,
	};
	unsigned i;

	for (i = 0; i < sizeof(ro) / sizeof(ro[0]); i++) {
		uint32_t was = hw_reg(&hw, ro[i]);
		uint64_t viol = hw_counter(&hw, TOE_CTR_VIOL_REGISTER);

		hw_reg_write(&hw, ro[i], ~was);
		ck_assert_uint_eq(hw_reg(&hw, ro[i]), was);
		ck_assert_msg(hw_counter(&hw, TOE_CTR_VIOL_REGISTER) ==
			      viol + 1, "a write to 0x%x was not counted",
			      ro[i]);
	}
}
END_TEST

START_TEST(unlisted)
{
	static const uint32_t none[] = {
		0x050, 0x07c, 0x0a4, 0x0bc, 0x0c8, 0x800, 0xffc,
		TOE_REG_COUNTERS + 8 * TOE_CTR_MAX, 0x7ffc,
	};
	unsigned i;

	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		uint64_t viol = hw_counter(&hw, TOE_CTR_VIOL_REGISTER);

		ck_assert_uint_eq(hw_reg(&hw, none[i]), 0);
		hw_reg_write(&hw, none[i], 0xdeadbeef);
		ck_assert_uint_eq(hw_reg(&hw, none[i]), 0);
		ck_assert_msg(hw_counter(&hw, TOE_CTR_VIOL_REGISTER) > viol,
			      "a write to 0x%x was not counted", none[i]);
	}
}
END_TEST

START_TEST(odd_sizes)
{
	uint64_t at = hw.pci.regs + TOE_REG_AQ_BASE_LO;

	hw_reg_write(&hw, TOE_REG_AQ_BASE_LO, 0x12345640);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_AQ_BASE_LO), 0x12345640);
	qt_writeb(hw.qt, at, 0xff);
	qt_writew(hw.qt, at, 0xffff);
	qt_writew(hw.qt, at + 2, 0xffff);
	qt_writel(hw.qt, at + 1, 0xffffffff);
	qt_writel(hw.qt, at + 2, 0xffffffff);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_AQ_BASE_LO), 0x12345640);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_AQ_BASE_HI), 0);
	qt_readb(hw.qt, at);
	qt_readw(hw.qt, at + 1);
	qt_readl(hw.qt, at + 3);
	qt_readq(hw.qt, at);
	qt_readq(hw.qt, at + 1);
	qt_writeq(hw.qt, hw.pci.regs + TOE_REG_MAGIC, ~0ull);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_MAGIC), TOE_MAGIC);
	/* A doorbell page takes aligned 32-bit writes only, and reads 0. */
	qt_writeb(hw.qt, hw.pci.doorbells, 1);
	qt_writew(hw.qt, hw.pci.doorbells + 2, 1);
	qt_writel(hw.qt, hw.pci.doorbells + 6, 1);
	ck_assert_uint_eq(qt_readl(hw.qt, hw.pci.doorbells), 0);
	ck_assert_uint_eq(qt_readl(hw.qt, hw.pci.doorbells + 4096 * 15), 0);
}
END_TEST

START_TEST(lmem_window)
{
	uint32_t size = hw_reg(&hw, TOE_REG_LMEM_SIZE);
	uint32_t i;

	for (i = 0; i < 4; i++) {
		hw_reg_write(&hw, TOE_REG_LMW_BASE, i * TOE_REG_LMW_SIZE);
		hw_reg_write(&hw, TOE_REG_LMW, 0x1000 + i);
		hw_reg_write(&hw, TOE_REG_LMW + TOE_REG_LMW_SIZE - 4,
			     0x2000 + i);
	}
	for (i = 0; i < 4; i++) {
		hw_reg_write(&hw, TOE_REG_LMW_BASE, i * TOE_REG_LMW_SIZE);
		ck_assert_uint_eq(hw_reg(&hw, TOE_REG_LMW), 0x1000 + i);
		ck_assert_uint_eq(hw_reg(&hw, TOE_REG_LMW +
					 TOE_REG_LMW_SIZE - 4), 0x2000 + i);
	}
	/* The last window, across the end, and far behind it. */
	hw_reg_write(&hw, TOE_REG_LMW_BASE, size - TOE_REG_LMW_SIZE);
	hw_reg_write(&hw, TOE_REG_LMW + TOE_REG_LMW_SIZE - 4, 0x77);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_LMW + TOE_REG_LMW_SIZE - 4),
			  0x77);
	hw_reg_write(&hw, TOE_REG_LMW_BASE, size - 4096);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_LMW + 4092), 0x77);
	hw_reg_write(&hw, TOE_REG_LMW + 4096, 0x88);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_LMW + 4096), 0);
	hw_reg_write(&hw, TOE_REG_LMW_BASE, 0xfffff000);
	for (i = 0; i < TOE_REG_LMW_SIZE; i += 1024) {
		hw_reg_write(&hw, TOE_REG_LMW + i, 0x99);
		ck_assert_uint_eq(hw_reg(&hw, TOE_REG_LMW + i), 0);
	}
	hw_reg_write(&hw, TOE_REG_LMW_BASE, 0);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_LMW), 0x1000);
}
END_TEST

#define NAME_OF(NAME, name, text) #name,
static const char *const names[] = { TOE_COUNTERS(NAME_OF) };

START_TEST(counters_both_ways)
{
	char *s;
	unsigned i;

	hw_enable(&hw);
	ck_assert_uint_eq(hw_ctx_create(&hw, 1, 0, 1, 0), TOE_ST_OK);
	hw_doorbell(&hw, 9, TOE_DB_RQ, 0);	/* a violation */
	s = qt_qmp(hw.qt, "{\"execute\":\"qom-get\",\"arguments\":{\"path\":"
		   "\"/machine/peripheral/toe0\",\"property\":\"counters\"}}");
	for (i = 0; i < TOE_CTR_MAX; i++) {
		uint64_t v;

		ck_assert_msg(qt_json_u64(s, names[i], &v),
			      "the monitor does not show %s: %s", names[i],
			      s);
		ck_assert_msg(v == hw_counter(&hw, i),
			      "%s is %llu in the monitor, %llu in the register",
			      names[i], (unsigned long long)v,
			      (unsigned long long)hw_counter(&hw, i));
	}
	free(s);
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_ADM_COMMANDS), 1);
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_VIOL_DOORBELL), 1);
	/* Halves make the whole. */
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_COUNTERS +
				 8 * TOE_CTR_LMEM_BUFLETS),
			  hw_counter(&hw, TOE_CTR_LMEM_BUFLETS));
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_COUNTERS +
				 8 * TOE_CTR_LMEM_BUFLETS + 4), 0);
}
END_TEST

START_TEST(admin_registers_are_locked)
{
	hw_enable(&hw);
	hw_reg_write(&hw, TOE_REG_AQ_BASE_LO, 0x4000);
	hw_reg_write(&hw, TOE_REG_ACQ_LOG2, 1);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_AQ_BASE_LO), (uint32_t)hw.aq);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_ACQ_LOG2), HW_ACQ_LOG2);
	ck_assert_uint_eq(hw_ctx_create(&hw, 1, 0, 1, 0), TOE_ST_OK);
}
END_TEST

START_TEST(unknown_control_bits)
{
	hw_reg_write(&hw, TOE_REG_CONTROL, 0xfffffffc);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_CONTROL), 0);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_STATUS) & TOE_STATUS_READY, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("regs");
	TCase *tc = qt_case(s, "registers", setup, teardown);
	tcase_add_test(tc, constants);
	tcase_add_test(tc, read_only);
	tcase_add_test(tc, unlisted);
	tcase_add_test(tc, odd_sizes);
	tcase_add_test(tc, lmem_window);
	tcase_add_test(tc, counters_both_ways);
	tcase_add_test(tc, admin_registers_are_locked);
	tcase_add_test(tc, unknown_control_bits);
	return qt_main(s);
}
