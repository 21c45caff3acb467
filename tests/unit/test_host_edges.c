/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_host_edges.c - the host side where two things happen at once: an
 * application that moves an index while the adapter looks, completions that
 * wait while events come, memory that is short, commands for what is busy,
 * and a world that calls back in the middle of a turn.
 *
 * The network is played by the test (fake_stream.h); net.on_frame makes
 * something happen inside the turn of a frame.
 */
#include <stdlib.h>
#include "fake_stream.h"

static struct guest g;
static struct app a, b;
static uint32_t other;

static void setup(void)
{
	static const struct host_options sizes = {
		.contexts = 6, .connections = 64, .regions = 16,
		.pages = 2048, .lmem = 1u << 20,
	};

	guest_new(&g, &sizes);
	app_new(&a, &g, 1, 0);
	app_new(&b, &g, 2, 0);
}

static void teardown(void)
{
	guest_free(&g);
}

static struct toe_hw_req simple(uint8_t opcode, uint32_t handle)
{
	return (struct toe_hw_req) { .opcode = opcode, .handle = handle };
}

static uint32_t open_conn(struct app *p, uint32_t credit)
{
	struct toe_hw_req req = {
		.opcode = TOE_OP_CONNECT,
		.u.connect = { .family = TOE_AF_INET, .rport = 80,
			       .raddr = { 10, 0, 2, 2 }, .credit = credit },
	};
	uint32_t handle = app_do(p, &req).handle;

	fake_find(handle)->space = net.space;
	net.ops->established(net.opaque, handle);
	toe_adapter_run(g.a);
	app_expect(p, TOE_EV_ESTABLISHED);
	return handle;
}

static struct toe_hw_req send_req(struct app *p, uint32_t handle, uint32_t len)
{
	return (struct toe_hw_req) {
		.opcode = TOE_OP_SEND, .npieces = 1, .handle = handle,
		.u.piece[0] = { .key = p->key, .length = len,
				.offset = OFF_DATA },
	};
}

static uint32_t listener(struct app *p)
{
	struct toe_hw_req req = {
		.opcode = TOE_OP_LISTEN,
		.u.listen = { .family = TOE_AF_INET, .backlog = 4 },
	};

	return app_do(p, &req).handle;
}

static void frame(void (*what)(void))
{
	static const uint8_t bytes[60];

	net.on_frame = what;
	toe_adapter_frame_in(g.a, bytes, sizeof(bytes));
}

static void peer_closes(void)
{
	net.ops->peer_closed(net.opaque, other);
}

/* The application took n completions and did not look at cq_full yet. */
static void take_quietly(struct app *p, uint32_t n)
{
	p->cq_head += n;
	p->page->cq_head = p->cq_head;
}

/* ---- Completions ---- */

/*
 * Requests wait for room.  The application makes room; before it looks at
 * cq_full, a frame makes the adapter see the room and clear the flag.  Now
 * the application does not ring, and the requests must run all the same.
 */
START_TEST(room_seen_before_the_doorbell)
{
	other = open_conn(&a, 0);
	for (unsigned i = 0; i < RING_SIZE + 3; i++) {
		struct toe_hw_req req = simple(TOE_OP_NOP, 0);

		app_post(&a, &req);
	}
	ck_assert_uint_ne(a.page->cq_full, 0);
	ck_assert_uint_eq(a.page->rq_tail - a.page->rq_head, 3);
	take_quietly(&a, RING_SIZE);
	frame(peer_closes);
	ck_assert_uint_eq(a.page->cq_full, 0);
	guest_run(&g);
	ck_assert_uint_eq(a.page->rq_tail, a.page->rq_head);
	app_expect(&a, TOE_EV_PEER_CLOSED);
	for (unsigned i = 0; i < 3; i++)
		app_expect(&a, TOE_EV_COMPLETION);
	app_expect_none(&a);
}
END_TEST

/* The same with an event that waits: another event finds the room. */
START_TEST(event_waits_and_room_is_seen)
{
	uint32_t h[2] = { open_conn(&a, 0), open_conn(&a, 0) };

	for (unsigned i = 0; i < RING_SIZE; i++) {
		struct toe_hw_req req = simple(TOE_OP_NOP, 0);

		app_post(&a, &req);
	}
	other = h[0];
	frame(peer_closes);
	guest_run(&g);
	take_quietly(&a, RING_SIZE);
	other = h[1];
	frame(peer_closes);
	guest_run(&g);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_PEER_CLOSED).handle, h[1]);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_PEER_CLOSED).handle, h[0]);
}
END_TEST

/* More completions than the CQ holds: nothing that comes later overtakes. */
START_TEST(nothing_overtakes_what_waits)
{
	uint32_t h = open_conn(&a, 0);
	uint64_t first;
	struct toe_hw_cqe cqe;

	other = open_conn(&a, 0);
	fake_find(h)->space = 0;
	first = a.cookie + 1;
	for (unsigned i = 0; i < RING_SIZE + 2; i++) {
		struct toe_hw_req req = send_req(&a, h, 10);

		app_post(&a, &req);
	}
	app_expect_none(&a);
	fake_find(h)->space = 1000;
	net.ops->writable(net.opaque, h);
	toe_adapter_run(g.a);
	ck_assert_uint_eq(a.page->cq_tail - a.cq_head, RING_SIZE);
	take_quietly(&a, RING_SIZE - 1);
	frame(peer_closes);		/* there is room, but not for this */
	{
		struct toe_hw_req nop = simple(TOE_OP_NOP, 0);

		app_queue(&a, &nop);
	}
	guest_run(&g);
	for (unsigned i = RING_SIZE - 1; i < RING_SIZE + 2; i++) {
		ck_assert(app_poll(&a, &cqe));
		ck_assert_uint_eq(cqe.type, TOE_EV_COMPLETION);
		ck_assert_msg(cqe.cookie == first + i, "SEND %u expected", i);
	}
	ck_assert(app_poll(&a, &cqe));
	ck_assert_uint_eq(cqe.type, TOE_EV_PEER_CLOSED);
	app_expect(&a, TOE_EV_COMPLETION);		/* of the NOP */
	app_expect_none(&a);
}
END_TEST

/* ---- Local memory ---- */

/* Others hold all but n buflets of what SENDs may take. */
static void hold_all_but(ToeChain *held, uint32_t n)
{
	uint32_t avail = toe_lmem_avail(net.lm, TOE_LMEM_OUT);

	if (avail > n)
		ck_assert(toe_chain_extend(net.lm, held, (avail - n) *
					   TOE_BUFLET_SIZE, TOE_LMEM_IN));
	else
		toe_chain_trim_tail(net.lm, held,
				    (n - avail) * TOE_BUFLET_SIZE);
	ck_assert_uint_eq(toe_lmem_avail(net.lm, TOE_LMEM_OUT), n);
}

/* A SEND that nothing else will wake takes the little there is. */
START_TEST(little_memory_is_enough)
{
	uint32_t h = open_conn(&a, 0);
	struct toe_hw_req req = send_req(&a, h, 5 * TOE_BUFLET_SIZE);
	ToeChain held = toe_chain_init();

	hold_all_but(&held, 0);
	app_post(&a, &req);
	app_expect_none(&a);
	ck_assert_uint_eq(fake_find(h)->sent->len, 0);
	hold_all_but(&held, 5);
	frame(NULL);
	guest_run(&g);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_COMPLETION).u.cpl.bytes,
			  5 * TOE_BUFLET_SIZE);
	toe_chain_clear(net.lm, &held);
}
END_TEST

/* With bytes in flight it waits for a piece worth sending, in turn. */
START_TEST(memory_goes_round)
{
	uint32_t h[2] = { open_conn(&a, 0), open_conn(&b, 0) };
	struct toe_hw_req ra = send_req(&a, h[0], TOE_BUFLET_SIZE);
	struct toe_hw_req rb = send_req(&b, h[1], TOE_BUFLET_SIZE);
	ToeChain held = toe_chain_init();

	hold_all_but(&held, 0);
	fake_find(h[0])->space = net.space - 1;
	app_post(&a, &ra);
	app_post(&b, &rb);
	hold_all_but(&held, 5);
	toe_adapter_run(g.a);
	guest_run(&g);
	app_expect_none(&a);		/* its acknowledgment will come */
	app_expect(&b, TOE_EV_COMPLETION);
	hold_all_but(&held, 64);
	toe_adapter_run(g.a);
	app_expect(&a, TOE_EV_COMPLETION);
	toe_chain_clear(net.lm, &held);
}
END_TEST

static ToeChain released;

static void give_back(void)
{
	toe_chain_clear(net.lm, &released);
}

/* Memory that comes back in the output of a turn's last round is seen. */
START_TEST(memory_freed_at_the_end_of_a_turn)
{
	uint32_t h = open_conn(&a, 0);
	struct toe_hw_req req = send_req(&a, h, 100);

	released = toe_chain_init();
	hold_all_but(&released, 0);
	app_post(&a, &req);
	net.on_run = give_back;
	toe_adapter_run(g.a);
	guest_run(&g);
	app_expect(&a, TOE_EV_COMPLETION);
}
END_TEST

/* ---- Listeners ---- */

static void listener_dies(void)
{
	net.ops->closed(net.opaque, other, TOE_ST_ABORTED);
}

/* A connection that nobody accepted, and whose CLOSE lingers; its listener. */
static uint32_t closing_unaccepted(uint32_t *l)
{
	struct toe_hw_req req;
	uint32_t h;

	*l = listener(&a);
	h = fake_incoming(*l);
	toe_adapter_run(g.a);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_ACCEPT).handle, h);
	fake_find(h)->linger = true;
	req = simple(TOE_OP_CLOSE, h);
	app_post(&a, &req);
	app_expect_none(&a);
	return h;
}

START_TEST(lingering_outlives_its_listener)
{
	uint32_t l, h = closing_unaccepted(&l);
	struct toe_hw_req req = simple(TOE_OP_CLOSE, l);

	ck_assert_uint_eq(app_do(&a, &req).handle, l);
	app_expect_none(&a);
	fake_find(h)->linger = false;
	net.ops->writable(net.opaque, h);
	toe_adapter_run(g.a);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_COMPLETION).handle, h);
}
END_TEST

START_TEST(destroy_with_lingering_unaccepted)
{
	uint32_t l;

	closing_unaccepted(&l);
	ck_assert_uint_eq(ctx_destroy(&g, 1), TOE_ST_OK);
}
END_TEST

START_TEST(reset_while_lingering_is_told)
{
	uint32_t h = open_conn(&a, 0);
	struct toe_hw_req req = simple(TOE_OP_CLOSE, h);

	fake_find(h)->linger = true;
	app_post(&a, &req);
	app_expect_none(&a);
	net.ops->closed(net.opaque, h, TOE_ST_RESET);
	toe_adapter_run(g.a);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_COMPLETION).status,
			  TOE_ST_RESET);
}
END_TEST

START_TEST(listener_without_address)
{
	uint32_t h, keep = listener(&a), h2;
	struct toe_hw_req req;
	struct toe_hw_cqe cqe;

	other = listener(&a);
	h = fake_incoming(other);
	h2 = fake_incoming(keep);
	toe_adapter_run(g.a);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_ACCEPT).handle, h);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_ACCEPT).handle, h2);
	frame(listener_dies);
	guest_run(&g);
	cqe = app_expect(&a, TOE_EV_CLOSED);
	ck_assert_uint_eq(cqe.handle, other);
	ck_assert_uint_eq(cqe.status, TOE_ST_ABORTED);
	/* Handle and those that nobody took are gone, others are not. */
	req = simple(TOE_OP_CLOSE, other);
	ck_assert_uint_eq(app_do(&a, &req).status, TOE_ST_HANDLE);
	req = simple(TOE_OP_ACCEPT, h);
	ck_assert_uint_eq(app_do(&a, &req).status, TOE_ST_HANDLE);
	req = simple(TOE_OP_ACCEPT, h2);
	ck_assert_uint_eq(app_do(&a, &req).status, TOE_ST_OK);
	ck_assert_uint_eq(fake_used(), 2);
}
END_TEST

/* Each listener has its own: taken and closed ones are not on its list. */
START_TEST(listeners_take_their_own)
{
	uint32_t l[2] = { listener(&a), listener(&a) }, h[5];
	struct toe_hw_req req;

	for (unsigned i = 0; i < 5; i++) {
		h[i] = fake_incoming(l[i % 2]);
		toe_adapter_run(g.a);
		app_expect(&a, TOE_EV_ACCEPT);
	}
	req = simple(TOE_OP_ACCEPT, h[0]);
	ck_assert_uint_eq(app_do(&a, &req).status, TOE_ST_OK);
	req = simple(TOE_OP_CLOSE, h[2]);
	ck_assert_uint_eq(app_do(&a, &req).status, TOE_ST_OK);
	req = simple(TOE_OP_CLOSE, l[0]);	/* h[4] goes with it */
	ck_assert_uint_eq(app_do(&a, &req).status, TOE_ST_OK);
	ck_assert_uint_eq(net.aborts, 1);
	ck_assert_uint_eq(fake_used(), 4);
	for (unsigned i = 0; i < 4; i++)
		if (i != 2)
			fake_find(h[i]);
	/* A new one at the listener's index has none of them. */
	ck_assert_uint_eq(TOE_INDEX(listener(&a)), TOE_INDEX(l[0]));
	ck_assert_uint_eq(ctx_destroy(&g, 1), TOE_ST_OK);
	ck_assert_uint_eq(fake_used(), 0);
}
END_TEST

/* Listeners, connections, and those that wait for ACCEPT, all count. */
START_TEST(quota_of_connections)
{
	uint32_t l, h;
	struct toe_hw_req req = {
		.opcode = TOE_OP_LISTEN,
		.u.listen = { .family = TOE_AF_INET, .backlog = 4 },
	};

	g.a->ctxs.table[1].max_conns = 3;
	l = listener(&a);
	open_conn(&a, 0);
	h = fake_incoming(l);
	toe_adapter_run(g.a);
	app_expect(&a, TOE_EV_ACCEPT);
	fake_incoming(l);
	toe_adapter_run(g.a);
	app_expect_none(&a);
	ck_assert_uint_eq(counter(&g, TOE_CTR_TCP_LISTEN_DROPS), 1);
	ck_assert_uint_eq(net.aborts, 1);
	ck_assert_uint_eq(app_do(&a, &req).status, TOE_ST_QUOTA);
	open_conn(&b, 0);			/* another's quota */
	req = simple(TOE_OP_ABORT, h);
	ck_assert_uint_eq(app_do(&a, &req).status, TOE_ST_OK);
	open_conn(&a, 0);
}
END_TEST

/* ---- Commands for what is busy ---- */

START_TEST(busy_contexts)
{
	uint32_t h = open_conn(&a, 0);
	struct toe_hw_req req = send_req(&a, h, 100);
	struct toe_hw_adm_cmd drain = {
		.opcode = TOE_ADM_CTX_DESTROY, .flags = TOE_ADM_F_DRAIN,
		.u.ctx_destroy.ctx = 1,
	};
	struct toe_hw_adm_cmd again = drain;
	uint16_t tag;

	/* In use, active or not: CTX_CREATE leaves it as it is. */
	ck_assert_uint_eq(ctx_create(&g, 1, TOE_RIGHT_LOWPORT), TOE_ST_BUSY);
	ck_assert_uint_eq(g.a->ctxs.table[1].rights, 0);
	ck_assert_uint_eq(ctx_create(&g, 3, TOE_RIGHT_ETH), TOE_ST_OK);
	ck_assert_uint_eq(ctx_create(&g, 3, 0), TOE_ST_BUSY);
	/* Raw Ethernet has one owner, until that one is gone. */
	ck_assert_uint_eq(ctx_create(&g, 4, TOE_RIGHT_ETH), TOE_ST_BUSY);
	ck_assert_uint_eq(ctx_destroy(&g, 4), TOE_ST_STATE);
	ck_assert_uint_eq(ctx_destroy(&g, 3), TOE_ST_OK);
	ck_assert_uint_eq(ctx_create(&g, 4, TOE_RIGHT_ETH), TOE_ST_OK);

	fake_find(h)->space = 30;
	app_queue(&a, &req);
	tag = admin_post(&g, &drain);
	guest_run(&g);
	ck_assert(!admin_poll(&g));
	ck_assert_uint_eq(admin(&g, &again), TOE_ST_BUSY);
	ck_assert_uint_eq(ctx_create(&g, 1, 0), TOE_ST_BUSY);
	ck_assert_uint_eq(mem_register(&g, 1, RAM_CTX(1), PAGE, TOE_MEM_READ),
			  0);
	ck_assert_uint_eq(g.cpl.status, TOE_ST_STATE);
	/* None of it disturbed the one that drains. */
	fake_find(h)->space = 1000;
	net.ops->writable(net.opaque, h);
	toe_adapter_run(g.a);
	guest_run(&g);
	ck_assert(admin_poll(&g));
	ck_assert_uint_eq(g.cpl.tag, tag);
	ck_assert_uint_eq(g.cpl.status, TOE_ST_OK);
	ck_assert_uint_eq(net.conn[TOE_INDEX(h)].sent->len, 100);
	ck_assert_uint_eq(ctx_create(&g, 1, 0), TOE_ST_OK);
}
END_TEST

/* As many commands as the ring holds: a turn runs a bounded number. */
START_TEST(commands_of_a_turn)
{
	struct toe_hw_adm_cmd *cmds = (void *)(g.ram + RAM_AQ);

	toe_adapter_reg_write(g.a, TOE_REG_CONTROL, 0, 4);
	toe_adapter_reg_write(g.a, TOE_REG_AQ_LOG2, 6, 4);
	toe_adapter_reg_write(g.a, TOE_REG_ACQ_LOG2, 6, 4);
	toe_adapter_reg_write(g.a, TOE_REG_CONTROL, TOE_CTL_ENABLE, 4);
	memset(cmds, 0, 64 * sizeof(*cmds));
	for (unsigned i = 0; i < 64; i++)
		cmds[i].opcode = TOE_ADM_NOP;
	g.kicked = false;
	toe_adapter_reg_write(g.a, TOE_REG_AQ_TAIL, 64, 4);
	ck_assert_uint_eq(toe_adapter_reg_read(g.a, TOE_REG_AQ_HEAD, 4),
			  TOE_TURN_COMMANDS);
	ck_assert(g.kicked);
	guest_run(&g);
	ck_assert_uint_eq(toe_adapter_reg_read(g.a, TOE_REG_AQ_HEAD, 4), 64);
}
END_TEST

/* ---- The world calls back ---- */

static void irq_brings_frame(void *opaque, unsigned vector)
{
	static const uint8_t bytes[60];

	(void)opaque;
	(void)vector;
	toe_adapter_frame_in(g.a, bytes, sizeof(bytes));
}

static void irq_resets(void *opaque, unsigned vector)
{
	(void)opaque;
	(void)vector;
	ck_assert(toe_adapter_busy(g.a));
	toe_adapter_reset(g.a);
	toe_adapter_reg_write(g.a, TOE_REG_CONTROL, TOE_CTL_RESET, 4);
	ck_assert_uint_eq(toe_adapter_reg_read(g.a, TOE_REG_EPOCH, 4), 0);
}

/* A message that makes another device send: the frame waits for no one. */
START_TEST(frame_during_an_interrupt)
{
	struct toe_hw_req req = simple(TOE_OP_NOP, 0);

	app_doorbell(&a, TOE_DB_CQ_ARM, 0);
	g.a->env.irq = irq_brings_frame;
	app_post(&a, &req);
	guest_run(&g);
	ck_assert_uint_eq(net.frames, 1);
}
END_TEST

/* A message that resets the adapter: at the end of the turn, once. */
START_TEST(reset_during_an_interrupt)
{
	struct toe_hw_req req = simple(TOE_OP_NOP, 0);

	app_doorbell(&a, TOE_DB_CQ_ARM, 0);
	g.a->env.irq = irq_resets;
	app_post(&a, &req);
	ck_assert(!toe_adapter_busy(g.a));
	ck_assert_uint_eq(toe_adapter_reg_read(g.a, TOE_REG_EPOCH, 4), 1);
	ck_assert_uint_eq(counter(&g, TOE_CTR_CTX_ACTIVE), 0);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_REGISTER), 2);
	guest_run(&g);
}
END_TEST

/* ---- The clock ---- */

static int64_t clock_ns, seen_ns;

static int64_t read_clock(void *opaque)
{
	(void)opaque;
	return ++clock_ns;
}

static void look_at_clock(void)
{
	seen_ns = g.a->nop_env.now(g.a->nop_env.opaque);
}

static int64_t time_of_frame(void)
{
	static const uint8_t bytes[60];

	toe_adapter_frame_in(g.a, bytes, sizeof(bytes));
	return seen_ns;
}

/* Frames one behind another look once; who comes after a turn, again. */
START_TEST(clock_of_a_burst)
{
	struct toe_hw_req req = simple(TOE_OP_NOP, 0);
	int64_t first;

	g.a->env.now = read_clock;
	net.on_frame = look_at_clock;
	first = time_of_frame();
	ck_assert_int_eq(time_of_frame(), first);
	ck_assert_int_eq(time_of_frame(), first);
	net.on_run = look_at_clock;
	guest_run(&g);
	ck_assert_int_gt(seen_ns, first);
	first = seen_ns;
	ck_assert_int_gt(time_of_frame(), first);
	net.on_run = look_at_clock;
	app_post(&a, &req);		/* a turn of another kind */
	first = seen_ns;
	ck_assert_int_gt(time_of_frame(), first);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("host_edges");
	TCase *tc = tcase_create("host_edges");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, room_seen_before_the_doorbell);
	tcase_add_test(tc, event_waits_and_room_is_seen);
	tcase_add_test(tc, nothing_overtakes_what_waits);
	tcase_add_test(tc, little_memory_is_enough);
	tcase_add_test(tc, memory_goes_round);
	tcase_add_test(tc, memory_freed_at_the_end_of_a_turn);
	tcase_add_test(tc, lingering_outlives_its_listener);
	tcase_add_test(tc, destroy_with_lingering_unaccepted);
	tcase_add_test(tc, reset_while_lingering_is_told);
	tcase_add_test(tc, listener_without_address);
	tcase_add_test(tc, listeners_take_their_own);
	tcase_add_test(tc, quota_of_connections);
	tcase_add_test(tc, busy_contexts);
	tcase_add_test(tc, commands_of_a_turn);
	tcase_add_test(tc, frame_during_an_interrupt);
	tcase_add_test(tc, reset_during_an_interrupt);
	tcase_add_test(tc, clock_of_a_burst);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
