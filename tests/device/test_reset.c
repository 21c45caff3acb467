// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_reset.c - reset in every state gives every resource back.
 *
 * A loop test per state: bring the adapter there, reset it (by register, by
 * function-level reset, or the whole machine), and check that nothing is left:
 * every "now" counter is where it was at power-on, no segment and no DMA comes
 * afterwards however long one waits, old keys and handles are dead, and the
 * adapter can be used again at once.
 */
#include "libpeer.h"

#include <stdlib.h>
#include <string.h>

static struct net n;
static struct tcp t;
static uint32_t h;

static const enum toe_counter now_counters[] = {
	TOE_CTR_TCP_TIME_WAIT, TOE_CTR_TCP_ORPHANS, TOE_CTR_TCP_NCBS,
	TOE_CTR_LMEM_BUFLETS, TOE_CTR_LMEM_BUFLETS_FREE, TOE_CTR_CTX_ACTIVE,
	TOE_CTR_MEM_REGIONS, TOE_CTR_MEM_PAGES,
};
#define NOW (sizeof(now_counters) / sizeof(now_counters[0]))

/* ---- States ---- */

static void idle(void)
{
}

static void disabled(void)
{
	hw_reset(&n.hw);
}

static void fatal(void)
{
	hw_reg_write(&n.hw, TOE_REG_AQ_TAIL, 100000);
	QT_WAIT(n.hw.qt, hw_reg(&n.hw, TOE_REG_STATUS) & TOE_STATUS_FATAL);
}

static void admin_ring_full(void)
{
	unsigned i;

	for (i = 0; i < (1u << HW_ACQ_LOG2) + 6; i++) {
		struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_NOP };

		hw_admin_post(&n.hw, &cmd);
	}
}

static void rings_full(void)
{
	struct toe_hw_req r = { .opcode = TOE_OP_NOP };
	unsigned i;

	for (i = 0; i < 16; i++)
		hw_req(&n.ctx, &r);
	for (i = 0; i < 16; i++)
		hw_req_put(&n.ctx, &r);
	hw_ring_rq(&n.ctx);
	hw_cq_arm(&n.ctx);
}

static void half_region(void)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_MEM_REGISTER };

	cmd.u.mem_register.ctx = 1;
	cmd.u.mem_register.access = TOE_MEM_READ;
	cmd.u.mem_register.length = 1u << 20;
	cmd.u.mem_register.page_shift = 12;
	cmd.u.mem_register.npages = 256;
	hw_admin_ok(&n.hw, &cmd);
}

static void faulted(void)
{
	hw_mem_writel(&n.hw, &n.ctx.mem, n.ctx.page, 0x80000000);
	hw_ring_rq(&n.ctx);
}

static void listening(void)
{
	net_listen(&n, 5000, 8);
}

static void syn_sent(void)
{
	struct toe_hw_req r;

	hw_connect_req(&r, PEER_IP, 80, 0, 0);
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_OK);
}

static void resolving(void)
{
	n.peer.answer_arp = false;
	syn_sent();
}

static void syn_received(void)
{
	net_listen(&n, 5000, 8);
	tcp_init(&t, &n.peer, 4000, 5000);
	tcp_send(&t, TH_SYN, NULL, 0);
	tcp_expect(&t, TH_SYN | TH_ACK, 0, NULL);
}

static void not_accepted(void)
{
	syn_received();
	tcp_send(&t, TH_ACK, NULL, 0);
	tcp_send(&t, TH_ACK | TH_PSH, "early", 5);
	peer_flush(&n.peer);
}

static void established(void)
{
	h = net_connect(&n, &t, 80, 10000);
}

static void unacknowledged(void)
{
	established();
	ck_assert_uint_eq(hw_send(&n.ctx, h, "data", 4), TOE_ST_OK);
	tcp_expect(&t, TH_ACK, 4, NULL);
}

static void unread(void)
{
	h = net_connect(&n, &t, 80, 0);
	tcp_send(&t, TH_ACK | TH_PSH, "unread", 6);
	peer_flush(&n.peer);
}

static void out_of_order(void)
{
	established();
	tcp_send_at(&t, TH_ACK, t.snd_nxt + 100, t.rcv_nxt, "later", 5);
	peer_flush(&n.peer);
}

/* Both a SEND half taken and others behind it. */
static void parked(void)
{
	struct toe_hw_req r;
	unsigned i;

	established();
	for (i = 0; i < 10; i++) {
		hw_send_req(&n.ctx, &r, h, 0, HW_DATA);
		hw_req(&n.ctx, &r);
	}
	qt_settle(n.hw.qt);
}

static void draining(void)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_CTX_DESTROY,
				      .flags = TOE_ADM_F_DRAIN };

	parked();
	cmd.u.ctx_destroy.ctx = 1;
	hw_admin_post(&n.hw, &cmd);
}

static void zero_window(void)
{
	established();
	t.win = 0;
	tcp_send(&t, TH_ACK, NULL, 0);
	peer_flush(&n.peer);
	ck_assert_uint_eq(hw_send(&n.ctx, h, "data", 4), TOE_ST_OK);
}

static void fin_wait_1(void)
{
	established();
	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_SHUTDOWN, h), TOE_ST_OK);
	tcp_expect(&t, TH_FIN | TH_ACK, 0, NULL);
}

static void fin_wait_2(void)
{
	fin_wait_1();
	tcp_send(&t, TH_ACK, NULL, 0);
	peer_flush(&n.peer);
}

static void close_wait(void)
{
	established();
	tcp_send(&t, TH_FIN | TH_ACK, NULL, 0);
	peer_flush(&n.peer);
}

static void last_ack(void)
{
	struct toe_hw_cqe e;

	close_wait();
	hw_cq_expect(&n.ctx, TOE_EV_PEER_CLOSED, &e);
	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_SHUTDOWN, h), TOE_ST_OK);
}

static void closing(void)
{
	fin_wait_1();
	tcp_send_at(&t, TH_FIN | TH_ACK, t.snd_nxt, t.rcv_nxt - 1, NULL, 0);
	peer_flush(&n.peer);
}

static void time_wait(void)
{
	fin_wait_2();
	tcp_send(&t, TH_FIN | TH_ACK, NULL, 0);
	peer_flush(&n.peer);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_TIME_WAIT), 1);
}

static void orphan(void)
{
	unacknowledged();
	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_CLOSE, h), TOE_ST_OK);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_ORPHANS), 1);
}

#define STATE(f) { #f, f }
static const struct {
	const char *name;
	void (*enter)(void);
} states[] = {
	STATE(idle), STATE(disabled), STATE(fatal), STATE(admin_ring_full),
	STATE(rings_full), STATE(half_region), STATE(faulted),
	STATE(listening), STATE(resolving), STATE(syn_sent),
	STATE(syn_received), STATE(not_accepted), STATE(established),
	STATE(unacknowledged), STATE(unread), STATE(out_of_order),
	STATE(parked), STATE(draining), STATE(zero_window), STATE(fin_wait_1),
	STATE(fin_wait_2), STATE(close_wait), STATE(last_ack), STATE(closing),
	STATE(time_wait), STATE(orphan),
};
#define STATES ((int)(sizeof(states) / sizeof(states[0])))

/* ---- Resets ---- */

static void by_register(void)
{
	hw_reset(&n.hw);
}

static void by_function(void)
{
	pci_flr(&n.hw.pci);
	pci_enable(&n.hw.pci);
	pci_msix_enable(&n.hw.pci);
}

static void by_machine(void)
{
	free(qt_qmp(n.hw.qt, "{\"execute\":\"system_reset\"}"));
	QT_WAIT(n.hw.qt, (pci_readw(&n.hw.pci, PCI_CFG_COMMAND) &
			  PCI_CMD_MEMORY) == 0);
	pci_enable(&n.hw.pci);
	pci_msix_enable(&n.hw.pci);
}

static void run(const char *name, void (*enter)(void), void (*reset)(void))
{
	uint64_t was[NOW], resets;
	uint8_t before[sizeof(struct toe_hw_ctx_page)], after[sizeof(before)];
	struct hw_region mem;
	uint32_t epoch, key;
	struct pkt k;
	unsigned i;

	peer_open(&n.peer, &n.hw);
	hw_start(&n.hw, n.peer.netdev,
		 "contexts=16,connections=64,localmem=1M");
	for (i = 0; i < NOW; i++)
		was[i] = hw_counter(&n.hw, now_counters[i]);
	hw_enable(&n.hw);
	ck_assert_uint_eq(hw_addr_add(&n.hw, DUT_IP, 24), TOE_ST_OK);
	hw_ctx_new(&n.hw, &n.ctx, 1, 0);
	h = 0;
	epoch = hw_reg(&n.hw, TOE_REG_EPOCH);
	resets = hw_counter(&n.hw, TOE_CTR_RESETS);

	enter();
	if (enter == disabled) {
		epoch++;
		resets++;
	}
	mem = n.ctx.mem;
	key = mem.key;
	reset();

	ck_assert_uint_eq(hw_reg(&n.hw, TOE_REG_EPOCH), epoch + 1);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_RESETS), resets + 1);
	ck_assert_uint_eq(hw_reg(&n.hw, TOE_REG_CONTROL), 0);
	ck_assert_uint_eq(hw_reg(&n.hw, TOE_REG_ERROR), TOE_FATAL_NONE);
	ck_assert_uint_eq(hw_reg(&n.hw, TOE_REG_STATUS) &
			  (TOE_STATUS_READY | TOE_STATUS_FATAL), 0);
	for (i = 0; i < NOW; i++)
		ck_assert_msg(hw_counter(&n.hw, now_counters[i]) == was[i],
			      "%s: counter %u is %llu, was %llu", name,
			      (unsigned)now_counters[i], (unsigned long long)
			      hw_counter(&n.hw, now_counters[i]),
			      (unsigned long long)was[i]);

	/* Silence, on the wire and in memory, for an hour. */
	qt_settle(n.hw.qt);
	while (peer_poll(&n.peer, &k))
		;			/* what was sent before the reset */
	hw_mem_read(&n.hw, &mem, n.ctx.page, before, sizeof(before));
	for (i = 0; i < 60; i++)
		qt_clock_step(n.hw.qt, 60ll * 1000000000);
	if (t.p) {
		tcp_send(&t, TH_ACK | TH_PSH, "anyone?", 7);
		t.p = NULL;
	}
	hw_ring_rq(&n.ctx);
	peer_flush(&n.peer);
	while (peer_poll(&n.peer, &k))
		ck_abort_msg("%s: a frame after the reset", name);
	hw_mem_read(&n.hw, &mem, n.ctx.page, after, sizeof(after));
	ck_assert_mem_eq(before, after, sizeof(before));

	/* And everything works again; the old names are dead. */
	hw_enable(&n.hw);
	ck_assert_uint_eq(hw_mem_revoke(&n.hw, key), TOE_ST_KEY);
	ck_assert_uint_eq(hw_addr_add(&n.hw, DUT_IP, 24), TOE_ST_OK);
	hw_ctx_free(&n.ctx);
	hw_ctx_new(&n.hw, &n.ctx, 1, 0);
	ck_assert_uint_ne(n.ctx.mem.key, key);
	if (h)
		ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_ABORT, h),
				  TOE_ST_HANDLE);
	n.peer.answer_arp = true;
	h = net_connect(&n, &t, 82, 100);
	ck_assert_uint_eq(hw_send(&n.ctx, h, "again", 5), TOE_ST_OK);
	tcp_expect(&t, TH_ACK, 5, &k);
	ck_assert_mem_eq(k.data, "again", 5);
	net_close(&n);
}

START_TEST(reset_by_register)
{
	run(states[_i].name, states[_i].enter, by_register);
}
END_TEST

START_TEST(reset_by_function)
{
	run(states[_i].name, states[_i].enter, by_function);
}
END_TEST

START_TEST(reset_by_machine)
{
	/* The reasons differ little by state; a few are enough. */
	run(states[_i].name, states[_i].enter, by_machine);
}
END_TEST

/* Generations do not start again: keys of before many resets stay dead. */
START_TEST(many_resets)
{
	uint32_t keys[20];
	unsigned i, j;

	net_open(&n, "contexts=16,connections=64,localmem=1M,regions=16");
	for (i = 0; i < 20; i++) {
		keys[i] = n.ctx.mem.key;
		for (j = 0; j < i; j++)
			ck_assert_uint_ne(keys[j], keys[i]);
		hw_reset(&n.hw);
		hw_enable(&n.hw);
		hw_ctx_free(&n.ctx);
		hw_ctx_make(&n.hw, &n.ctx, 1, 0, 4);
	}
	net_close(&n);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("reset");
	TCase *tc = qt_case(s, "register", NULL, NULL);

	tcase_add_loop_test(tc, reset_by_register, 0, STATES);
	tcase_add_test(tc, many_resets);
	tc = qt_case(s, "function", NULL, NULL);
	tcase_add_loop_test(tc, reset_by_function, 0, STATES);
	tc = qt_case(s, "machine", NULL, NULL);
	tcase_add_loop_test(tc, reset_by_machine, 12, 18);
	return qt_main(s);
}
