// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn-plugin - a TCG plugin that counts the guest's instructions between two
 * marks.
 *
 * A program in the guest marks the beginning and the end of what it measures
 * by executing a long nop that nothing else contains (toe-perf does).  At
 * each mark the plugin writes the number of instructions that the whole guest,
 * kernel included, has executed since the mark before:
 *
 *     insn-plugin: 123456789
 *
 * to the file named by its argument out=FILE.  One virtual processor only: the
 * count is not locked.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <glib.h>
#include <qemu-plugin.h>

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

/* nopl 0x544f4521(%rax); the same bytes stand in toe-perf. */
static const uint8_t mark[] = { 0x0f, 0x1f, 0x80, 0x21, 0x45, 0x4f, 0x54 };

static uint64_t count;
static uint64_t last;
static FILE *out;

static void on_block(unsigned int vcpu, void *insns)
{
	(void)vcpu;
	count += (uintptr_t)insns;
}

static void on_mark(unsigned int vcpu, void *opaque)
{
	(void)vcpu;
	(void)opaque;
	fprintf(out, "insn-plugin: %" PRIu64 "\n", count - last);
	fflush(out);
	last = count;
}

static int is_mark(const struct qemu_plugin_insn *insn)
{
	if (qemu_plugin_insn_size(insn) != sizeof(mark))
		return 0;
#if QEMU_PLUGIN_VERSION >= 3
	uint8_t data[sizeof(mark)];

	return qemu_plugin_insn_data(insn, data, sizeof(data)) == sizeof(data) &&
	       !memcmp(data, mark, sizeof(mark));
#else
	return !memcmp(qemu_plugin_insn_data(insn), mark, sizeof(mark));
#endif
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS,
					     (void *)(uintptr_t)n);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (is_mark(insn))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark,
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
					   int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
	if (!out) {
		fprintf(stderr, "insn-plugin: cannot write its result; give out=FILE\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
