// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_pci.c - the PCI function: identity, BARs, MSI-X, resets, properties.
 */
#include "libtoehw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(identity)
{
	struct hw hw;

	hw_start(&hw, "", "");
	ck_assert_uint_eq(pci_readw(&hw.pci, PCI_CFG_VENDOR),
			  TOE_PCI_VENDOR_ID);
	ck_assert_uint_eq(pci_readw(&hw.pci, PCI_CFG_DEVICE),
			  TOE_PCI_DEVICE_ID);
	ck_assert_uint_eq(pci_readb(&hw.pci, PCI_CFG_REVISION),
			  TOE_PCI_REVISION);
	/* Ethernet controller, header type 0. */
	ck_assert_uint_eq(pci_readl(&hw.pci, PCI_CFG_REVISION) >> 8, 0x020000);
	ck_assert_uint_eq(pci_readb(&hw.pci, PCI_CFG_HEADER) & 0x7f, 0);
	/* No interrupt pin: MSI-X only. */
	ck_assert_uint_eq(pci_readb(&hw.pci, 0x3d), 0);
	hw_stop(&hw);
}
END_TEST

START_TEST(bars)
{
	struct hw hw;
	uint32_t flags;

	hw_start(&hw, "", "");
	ck_assert_uint_eq(pci_bar_size(&hw.pci, TOE_BAR_REGS, &flags),
			  TOE_BAR_REGS_SIZE);
	ck_assert_uint_eq(flags, 0);
	ck_assert_uint_eq(pci_bar_size(&hw.pci, TOE_BAR_DOORBELLS, &flags),
			  1024 * TOE_DOORBELL_PAGE_SIZE);
	ck_assert_uint_eq(flags & 7, 4);	/* memory, 64 bits */
	ck_assert_uint_ge(pci_bar_size(&hw.pci, TOE_BAR_MSIX, &flags),
			  TOE_MSIX_VECTORS * 16 + 8);
	ck_assert_uint_eq(flags & 1, 0);
	hw_stop(&hw);
}
END_TEST

START_TEST(doorbell_bar_rounds_up)
{
	struct hw hw;

	hw_start(&hw, "", "contexts=5");
	ck_assert_uint_eq(pci_bar_size(&hw.pci, TOE_BAR_DOORBELLS, NULL),
			  8 * TOE_DOORBELL_PAGE_SIZE);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_MAX_CONTEXTS), 5);
	/* A doorbell of the part behind the contexts is nobody's. */
	hw_doorbell(&hw, 7, TOE_DB_RQ, 0);
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_VIOL_DOORBELL), 1);
	hw_stop(&hw);
}
END_TEST

START_TEST(msix_capability)
{
	struct hw hw;

	hw_start(&hw, "", "");
	ck_assert_uint_ne(pci_cap(&hw.pci, PCI_CAP_MSIX), 0);
	ck_assert_uint_eq(hw.pci.vectors, TOE_MSIX_VECTORS);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_VECTORS), TOE_MSIX_VECTORS);
	ck_assert_uint_eq(pci_readl(&hw.pci, hw.pci.msix_cap + 4) & 7,
			  TOE_BAR_MSIX);
	hw_stop(&hw);
}
END_TEST

/* A context that is there before a reset is gone after it. */
static void make_something(struct hw *hw)
{
	hw_enable(hw);
	ck_assert_uint_eq(hw_ctx_create(hw, 3, 0, 1, 0), TOE_ST_OK);
	ck_assert_uint_eq(hw_ctx_create(hw, 3, 0, 1, 0), TOE_ST_BUSY);
}

static void check_gone(struct hw *hw, uint32_t epoch)
{
	ck_assert_uint_eq(hw_reg(hw, TOE_REG_EPOCH), epoch);
	ck_assert_uint_eq(hw_reg(hw, TOE_REG_CONTROL), 0);
	ck_assert(!(hw_reg(hw, TOE_REG_STATUS) & TOE_STATUS_READY));
	ck_assert_uint_eq(hw_reg(hw, TOE_REG_AQ_BASE_LO), 0);
	hw_enable(hw);
	ck_assert_uint_eq(hw_ctx_create(hw, 3, 0, 1, 0), TOE_ST_OK);
}

START_TEST(function_level_reset)
{
	struct hw hw;
	uint32_t epoch;

	hw_start(&hw, "", "");
	make_something(&hw);
	epoch = hw_reg(&hw, TOE_REG_EPOCH);
	pci_flr(&hw.pci);
	/* A reset function decodes nothing until it is set up again. */
	ck_assert_uint_eq(pci_readw(&hw.pci, PCI_CFG_COMMAND) &
			  (PCI_CMD_MEMORY | PCI_CMD_MASTER), 0);
	pci_enable(&hw.pci);
	pci_msix_enable(&hw.pci);
	check_gone(&hw, epoch + 1);
	hw_stop(&hw);
}
END_TEST

START_TEST(machine_reset)
{
	struct hw hw;
	uint32_t epoch;

	hw_start(&hw, "", "");
	make_something(&hw);
	epoch = hw_reg(&hw, TOE_REG_EPOCH);
	free(qt_qmp(hw.qt, "{\"execute\":\"system_reset\"}"));
	QT_WAIT(hw.qt, (pci_readw(&hw.pci, PCI_CFG_COMMAND) &
			PCI_CMD_MEMORY) == 0);
	pci_enable(&hw.pci);
	pci_msix_enable(&hw.pci);
	check_gone(&hw, epoch + 1);
	hw_stop(&hw);
}
END_TEST

/* With bus mastering off nothing can be fetched: FATAL, not a crash. */
START_TEST(no_bus_master)
{
	struct hw hw;

	hw_start(&hw, "", "");
	pci_writew(&hw.pci, PCI_CFG_COMMAND, PCI_CMD_MEMORY);
	hw.aq = hw_alloc(&hw, 4096);
	hw_reg_write(&hw, TOE_REG_AQ_BASE_LO, (uint32_t)hw.aq);
	hw_reg_write(&hw, TOE_REG_AQ_LOG2, HW_AQ_LOG2);
	hw_reg_write(&hw, TOE_REG_ACQ_BASE_LO, (uint32_t)hw.aq + 2048);
	hw_reg_write(&hw, TOE_REG_ACQ_LOG2, HW_ACQ_LOG2);
	hw_reg_write(&hw, TOE_REG_CONTROL, TOE_CTL_ENABLE);
	hw_reg_write(&hw, TOE_REG_AQ_TAIL, 1);
	QT_WAIT(hw.qt, hw_reg(&hw, TOE_REG_STATUS) & TOE_STATUS_FATAL);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_ERROR), TOE_FATAL_AQ_DMA);
	hw_stop(&hw);
}
END_TEST

START_TEST(hotplug_out_and_in)
{
	struct hw hw;
	char *s;

	/* A second adapter on a root port comes and goes at run time. */
	hw.qt = qt_start("-device pcie-root-port,id=rp0,chassis=1 "
			 "-device toe,id=toe0");
	s = qt_qmp(hw.qt, "{\"execute\":\"device_add\",\"arguments\":"
		   "{\"driver\":\"toe\",\"id\":\"toe1\",\"bus\":\"rp0\"}}");
	ck_assert_msg(strstr(s, "\"return\"") != NULL, "%s", s);
	free(s);
	s = qt_qmp(hw.qt, "{\"execute\":\"device_del\",\"arguments\":"
		   "{\"id\":\"toe1\"}}");
	free(s);
	qt_alive(hw.qt);
	qt_stop(hw.qt);
}
END_TEST

/* ---- Properties ---- */

static const char *const bad_props[][2] = {
	{ "contexts=1", "contexts" },
	{ "contexts=4097", "contexts" },
	{ "contexts=-1", "contexts" },
	{ "contexts=many", "contexts" },
	{ "connections=0", "connections" },
	{ "connections=2000000", "connections" },
	{ "localmem=1", "localmem" },
	{ "localmem=64T", "localmem" },
	{ "mtu=67", "mtu" },
	{ "mtu=100000", "mtu" },
	{ "max-segment=10", "max-segment" },
	{ "max-segment=65536", "max-segment" },
	{ "regions=0", "regions" },
	{ "pages=0", "pages" },
	{ "mac=hello", "mac" },
	{ "netdev=nosuch", "nosuch" },
	{ "colour=blue", "colour" },
};

START_TEST(bad_property)
{
	const char *prop = bad_props[_i][0], *name = bad_props[_i][1];
	char *out;
	int status = qt_run(&out, "-machine q35 -accel qtest -m 64M -nodefaults "
			    "-display none -S -device toe,%s", prop);
	unsigned lines = 0;
	const char *p;

	/* A QEMU with the sanitizer begins with a line about coroutines. */
	if (strstr(out, "WARNING: ASan doesn't fully support"))
		lines--;
	for (p = out; *p; p++)
		lines += *p == '\n';
	ck_assert_msg(status == 1, "%s: exit status %d, output: %s", prop,
		      status, out);
	ck_assert_msg(lines == 1, "%s: not one sentence: %s", prop, out);
	ck_assert_msg(strstr(out, name) != NULL, "%s: not named in: %s", prop,
		      out);
	free(out);
}
END_TEST

/* The same over QMP: an error, and QEMU goes on. */
START_TEST(bad_property_at_run_time)
{
	struct qt *q = qt_start("-device pcie-root-port,id=rp0,chassis=1");
	char *s = qt_qmp(q, "{\"execute\":\"device_add\",\"arguments\":"
			 "{\"driver\":\"toe\",\"bus\":\"rp0\","
			 "\"contexts\":1}}");

	ck_assert_msg(strstr(s, "\"error\"") && strstr(s, "contexts"),
		      "%s", s);
	free(s);
	qt_alive(q);
	qt_stop(q);
}
END_TEST

START_TEST(help_lists_properties)
{
	static const char *const names[] = {
		"netdev=", "mac=", "contexts=", "connections=", "localmem=",
		"mtu=", "max-segment=", "regions=", "pages=",
	};
	char *out;
	unsigned i;

	ck_assert_int_eq(qt_run(&out, "-device toe,help"), 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(strstr(out, names[i]) != NULL,
			      "%s is not in: %s", names[i], out);
	free(out);
}
END_TEST

/* Migration must be refused with a sentence until state can be saved. */
START_TEST(migration_is_refused)
{
	struct hw hw;
	char *s;

	hw_start(&hw, "", "");
	s = qt_qmp(hw.qt, "{\"execute\":\"migrate\",\"arguments\":"
		   "{\"uri\":\"exec:cat>/dev/null\"}}");
	ck_assert_msg(strstr(s, "\"error\"") && strstr(s, "toe"), "%s", s);
	free(s);
	hw_stop(&hw);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pci");
	TCase *tc = qt_case(s, "function", NULL, NULL);
	tcase_add_test(tc, identity);
	tcase_add_test(tc, bars);
	tcase_add_test(tc, doorbell_bar_rounds_up);
	tcase_add_test(tc, msix_capability);

	tc = qt_case(s, "resets", NULL, NULL);
	tcase_add_test(tc, function_level_reset);
	tcase_add_test(tc, machine_reset);
	tcase_add_test(tc, no_bus_master);
	tcase_add_test(tc, hotplug_out_and_in);

	tc = qt_case(s, "properties", NULL, NULL);
	tcase_add_loop_test(tc, bad_property, 0,
			    sizeof(bad_props) / sizeof(bad_props[0]));
	tcase_add_test(tc, bad_property_at_run_time);
	tcase_add_test(tc, help_lists_properties);
	tcase_add_test(tc, migration_is_refused);
	return qt_main(s);
}
