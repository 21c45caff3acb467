/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_rqm.c - requests, completions, receive buffers and the host half of
 * connections, with a network that the test plays (fake_stream.h).
 */
#include <stdlib.h>
#include "fake_stream.h"

static struct guest g;
static struct app a, b;

static void setup(void)
{
	guest_new(&g, NULL);
	app_new(&a, &g, 1, 0);
	app_new(&b, &g, 2, TOE_RIGHT_LOWPORT);
}

static void teardown(void)
{
	guest_free(&g);
}

/* An established connection. */
static uint32_t open_conn(struct app *p, uint32_t credit)
{
	struct toe_hw_req req = {
		.opcode = TOE_OP_CONNECT,
		.u.connect = { .family = TOE_AF_INET, .rport = 80,
			       .raddr = { 10, 0, 2, 2 }, .credit = credit },
	};
	struct toe_hw_cqe cqe = app_do(p, &req);
	uint32_t handle = cqe.handle;

	ck_assert_uint_eq(cqe.status, TOE_ST_OK);
	fake_find(handle)->space = net.space;
	net.ops->established(net.opaque, handle);
	toe_adapter_run(g.a);
	cqe = app_expect(p, TOE_EV_ESTABLISHED);
	ck_assert_uint_eq(cqe.handle, handle);
	ck_assert(cqe.cookie == req.cookie);
	ck_assert_uint_eq(cqe.u.conn.rport, 80);
	return handle;
}

static struct toe_hw_req send_req(struct app *p, uint32_t handle, uint32_t off,
				  uint32_t len)
{
	return (struct toe_hw_req) {
		.opcode = TOE_OP_SEND,
		.npieces = 1,
		.handle = handle,
		.u.piece[0] = { .key = p->key, .length = len,
				.offset = OFF_DATA + off },
	};
}

static struct toe_hw_req simple(uint8_t opcode, uint32_t handle)
{
	return (struct toe_hw_req) { .opcode = opcode, .handle = handle };
}

static uint8_t status_of(struct app *p, struct toe_hw_req req)
{
	return app_do(p, &req).status;
}

/* ---- INFO ---- */

static struct toe_hw_req info_req(struct app *p, uint32_t handle, uint32_t off,
				  uint32_t len)
{
	struct toe_hw_req req = send_req(p, handle, off, len);

	req.opcode = TOE_OP_INFO;
	return req;
}

START_TEST(info_is_written)
{
	uint32_t h = open_conn(&a, 0), i;
	struct toe_hw_req req = info_req(&a, h, 0, 4096);
	uint8_t *mem = app_mem(&a, OFF_DATA);
	struct toe_hw_cqe cqe;

	memset(mem, 0xee, 4096);
	cqe = app_do(&a, &req);
	ck_assert_uint_eq(cqe.status, TOE_ST_OK);
	ck_assert_uint_eq(cqe.u.cpl.bytes, sizeof(struct toe_hw_tcp_info));
	for (i = 0; i < sizeof(struct toe_hw_tcp_info); i++)
		ck_assert_uint_eq(mem[i], (uint8_t)i);
	ck_assert_uint_eq(mem[i], 0xee);
	/* Software that knows less gets less. */
	memset(mem, 0xee, 4096);
	req = info_req(&a, h, 0, 12);
	cqe = app_do(&a, &req);
	ck_assert_uint_eq(cqe.u.cpl.bytes, 12);
	ck_assert_uint_eq(mem[11], 11);
	ck_assert_uint_eq(mem[12], 0xee);
}
END_TEST

START_TEST(info_checks_its_piece)
{
	uint32_t h = open_conn(&a, 0);
	uint32_t read_only = mem_register(&g, 1, RAM_CTX(1), PAGE,
					  TOE_MEM_READ);
	uint64_t access = counter(&g, TOE_CTR_VIOL_ACCESS);
	uint8_t *mem = app_mem(&a, OFF_DATA);
	struct toe_hw_req req;

	mem[0] = 0xee;
	req = info_req(&a, h, 0, 256);
	req.npieces = 0;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_INVALID);
	req.npieces = 2;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_INVALID);
	ck_assert_uint_eq(status_of(&a, info_req(&a, h, 0, 0)),
			  TOE_ST_INVALID);
	req = info_req(&a, h, 0, 256);
	req.u.raw[20] = 1;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_INVALID);
	req = info_req(&a, h, 0, 256);
	req.u.piece[0].key = read_only;
	req.u.piece[0].offset = 0;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_ACCESS);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_ACCESS), access + 1);
	req = info_req(&a, h, 0, 256);
	req.u.piece[0].offset = CTX_SIZE - 255;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_BOUNDS);
	req.u.piece[0].offset = UINT64_MAX - 10;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_BOUNDS);
	req = info_req(&a, h, 0, 256);
	req.u.piece[0].key = b.key;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_OWNER);
	req.u.piece[0].key = TOE_KEY_PHYS;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_PERM);
	ck_assert_uint_eq(status_of(&b, info_req(&b, h, 0, 256)),
			  TOE_ST_OWNER);
	ck_assert_uint_eq(status_of(&a, info_req(&a, 0, 0, 256)),
			  TOE_ST_HANDLE);
	ck_assert_uint_eq(mem[0], 0xee);
}
END_TEST

/* ---- CONNECT and what was said before it, CLOSE that waits ---- */

START_TEST(malformed_connect)
{
	struct toe_hw_req good = {
		.opcode = TOE_OP_CONNECT,
		.u.connect = { .family = TOE_AF_INET, .rport = 80,
			       .raddr = { 10, 0, 2, 2 } },
	}, bad[3] = { good, good, good };
	unsigned i;

	bad[0].u.connect.rsvd0 = 1;
	bad[1].u.connect.rsvd1 = 1;
	bad[2].u.connect.rsvd2 = 1;
	for (i = 0; i < G_N_ELEMENTS(bad); i++)
		ck_assert_uint_eq(status_of(&a, bad[i]), TOE_ST_INVALID);
	ck_assert_uint_eq(status_of(&a, good), TOE_ST_OK);
}
END_TEST

static struct toe_hw_req option(uint32_t option, uint64_t value)
{
	return (struct toe_hw_req) {
		.opcode = TOE_OP_SETOPT,
		.u.opt = { .option = option, .value = value },
	};
}

START_TEST(options_before_the_handle)
{
	struct toe_hw_req req = {
		.opcode = TOE_OP_CONNECT,
		.u.connect = { .family = TOE_AF_INET, .rport = 80,
			       .raddr = { 10, 0, 2, 2 } },
	}, listen = {
		.opcode = TOE_OP_LISTEN,
		.u.listen = { .family = TOE_AF_INET, .lport = 8080 },
	}, bad = option(TOE_OPT_RCVBUF, 1);
	struct toe_hw_cqe cqe;
	unsigned i, used, aborts;

	ck_assert_uint_eq(status_of(&a, option(TOE_OPT_TTL, 9)), TOE_ST_OK);
	ck_assert_uint_eq(status_of(&a, option(TOE_OPT_RCVBUF, 1)),
			  TOE_ST_OK);
	ck_assert_uint_eq(status_of(&a, option(TOE_OPT_RCVBUF, 5000)),
			  TOE_ST_OK);
	/* Of this context alone. */
	cqe = app_do(&b, &req);
	ck_assert_uint_eq(fake_find(cqe.handle)->opt[TOE_OPT_RCVBUF], 0);
	cqe = app_do(&a, &req);
	ck_assert_uint_eq(cqe.status, TOE_ST_OK);
	ck_assert_uint_eq(fake_find(cqe.handle)->opt[TOE_OPT_RCVBUF], 5000);
	ck_assert_uint_eq(fake_find(cqe.handle)->opt[TOE_OPT_TTL], 9);
	/* And once. */
	cqe = app_do(&a, &req);
	ck_assert_uint_eq(fake_find(cqe.handle)->opt[TOE_OPT_RCVBUF], 0);
	ck_assert_uint_eq(status_of(&a, option(TOE_OPT_SNDBUF, 6000)),
			  TOE_ST_OK);
	cqe = app_do(&a, &listen);
	ck_assert_uint_eq(cqe.status, TOE_ST_OK);
	ck_assert_uint_eq(fake_find(cqe.handle)->opt[TOE_OPT_SNDBUF], 6000);
	/* One with a bad value, or that fails, uses them up; nothing is left. */
	ck_assert_uint_eq(status_of(&a, option(TOE_OPT_MAXSEG, 1)),
			  TOE_ST_OK);
	used = fake_used();
	aborts = net.aborts;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_INVALID);
	ck_assert_uint_eq(net.aborts, aborts + 1);
	ck_assert_uint_eq(fake_used(), used);
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_OK);
	ck_assert_uint_eq(status_of(&a, option(TOE_OPT_SNDBUF, 7000)),
			  TOE_ST_OK);
	req.u.connect.rport = 0;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_INVALID);
	req.u.connect.rport = 80;
	ck_assert_uint_eq(status_of(&a, option(TOE_OPT_RCVBUF, 7000)),
			  TOE_ST_OK);
	req.flags = TOE_REQ_F_MORE;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_INVALID);
	req.flags = 0;
	cqe = app_do(&a, &req);
	ck_assert_uint_eq(fake_find(cqe.handle)->opt[TOE_OPT_SNDBUF], 0);
	ck_assert_uint_eq(fake_find(cqe.handle)->opt[TOE_OPT_RCVBUF], 0);
	/* So many may wait; another is an error, and counted. */
	for (i = 0; i < TOE_FIRST_OPTIONS; i++)
		ck_assert_uint_eq(status_of(&a, option(1000 + i, 0)),
				  TOE_ST_OK);
	ck_assert_uint_eq(status_of(&a, option(999, 0)), TOE_ST_INVALID);
	ck_assert_uint_eq(status_of(&a, option(1000, 1)), TOE_ST_OK);
	bad.u.opt.rsvd0 = 1;
	ck_assert_uint_eq(status_of(&a, bad), TOE_ST_INVALID);
	bad = simple(TOE_OP_GETOPT, 0);
	ck_assert_uint_eq(status_of(&a, bad), TOE_ST_HANDLE);
}
END_TEST

START_TEST(close_lingers)
{
	uint32_t h = open_conn(&a, 0), h2 = open_conn(&a, 0);
	struct toe_hw_req req = simple(TOE_OP_CLOSE, h);
	struct toe_hw_cqe cqe;
	unsigned closes = net.closes;

	fake_find(h)->linger = true;
	app_post(&a, &req);
	app_expect_none(&a);
	ck_assert_uint_eq(net.closes, closes);
	/* The handle is dead already, and others go on. */
	ck_assert_uint_eq(status_of(&a, simple(TOE_OP_SHUTDOWN, h)),
			  TOE_ST_HANDLE);
	ck_assert_uint_eq(status_of(&a, send_req(&a, h2, 0, 1)), TOE_ST_OK);
	net.ops->writable(net.opaque, h);
	toe_adapter_run(g.a);
	app_expect_none(&a);
	fake_find(h)->linger = false;
	net.ops->writable(net.opaque, h);
	toe_adapter_run(g.a);
	cqe = app_expect(&a, TOE_EV_COMPLETION);
	ck_assert(cqe.cookie == req.cookie);
	ck_assert_uint_eq(cqe.status, TOE_ST_OK);
	ck_assert_uint_eq(net.closes, closes + 1);
	/* In vain. */
	req = simple(TOE_OP_CLOSE, h2);
	fake_find(h2)->linger = true;
	app_post(&a, &req);
	fake_find(h2)->linger = false;
	fake_find(h2)->undelivered = true;
	net.ops->writable(net.opaque, h2);
	toe_adapter_run(g.a);
	cqe = app_expect(&a, TOE_EV_COMPLETION);
	ck_assert_uint_eq(cqe.status, TOE_ST_TIMEDOUT);
	ck_assert_uint_eq(fake_used(), 0);
}
END_TEST

START_TEST(a_context_that_goes_does_not_linger)
{
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_CTX_DESTROY, .flags = TOE_ADM_F_DRAIN,
		.u.ctx_destroy.ctx = 1,
	};
	uint32_t h = open_conn(&a, 0), h2 = open_conn(&a, 0);
	struct toe_hw_req req = simple(TOE_OP_CLOSE, h);

	fake_find(h)->linger = true;
	fake_find(h2)->linger = true;
	app_post(&a, &req);
	ck_assert_uint_eq(fake_used(), 2);
	ck_assert_uint_eq(admin(&g, &cmd), TOE_ST_OK);
	ck_assert_uint_eq(fake_used(), 0);
}
END_TEST

/* ---- Urgent data ---- */

START_TEST(urgent_send)
{
	uint32_t h = open_conn(&a, 0);
	struct toe_hw_req req = send_req(&a, h, 0, 100);

	req.flags = TOE_REQ_F_URGENT;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_OK);
	ck_assert_uint_eq(fake_find(h)->urgent, 100);
	ck_assert_uint_eq(status_of(&a, send_req(&a, h, 0, 50)), TOE_ST_OK);
	ck_assert_uint_eq(fake_find(h)->urgent, 100);
	/* One that waits is urgent when its last byte is on the adapter. */
	fake_find(h)->space = 30;
	app_post(&a, &req);
	app_expect_none(&a);
	ck_assert_uint_eq(fake_find(h)->sent->len, 180);
	ck_assert_uint_eq(fake_find(h)->urgent, 100);
	fake_find(h)->space = 1000;
	net.ops->writable(net.opaque, h);
	toe_adapter_run(g.a);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_COMPLETION).status,
			  TOE_ST_OK);
	ck_assert_uint_eq(fake_find(h)->urgent, 250);
	req = simple(TOE_OP_SHUTDOWN, h);
	req.flags = TOE_REQ_F_URGENT;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_INVALID);
}
END_TEST

START_TEST(urgent_is_told_at_once)
{
	uint32_t h = open_conn(&a, 0);		/* no credit: bytes wait */
	struct toe_hw_cqe cqe;

	fake_rx(h, "abcdef", 6);
	net.ops->readable(net.opaque, h, true);
	net.ops->urgent(net.opaque, h, 0x100000005);
	toe_adapter_run(g.a);
	cqe = app_expect(&a, TOE_EV_URGENT);
	ck_assert_uint_eq(cqe.handle, h);
	ck_assert(cqe.u.urgent.mark == 0x100000005);
	app_expect_none(&a);
	/* Nobody hears of it after CLOSE. */
	fake_find(h)->linger = true;
	app_post(&a, &(struct toe_hw_req){ .opcode = TOE_OP_CLOSE,
					   .handle = h });
	net.ops->urgent(net.opaque, h, 9);
	toe_adapter_run(g.a);
	app_expect_none(&a);
	fake_find(h)->linger = false;
	net.ops->writable(net.opaque, h);
	toe_adapter_run(g.a);
	app_expect(&a, TOE_EV_COMPLETION);
}
END_TEST

START_TEST(urgent_before_accept)
{
	struct toe_hw_req req = {
		.opcode = TOE_OP_LISTEN,
		.u.listen = { .family = TOE_AF_INET, .backlog = 4 },
	};
	uint32_t l = app_do(&a, &req).handle, h = fake_incoming(l);

	toe_adapter_run(g.a);
	app_expect(&a, TOE_EV_ACCEPT);
	net.ops->urgent(net.opaque, h, 3);
	toe_adapter_run(g.a);
	app_expect_none(&a);
	ck_assert_uint_eq(status_of(&a, simple(TOE_OP_ACCEPT, h)), TOE_ST_OK);
	toe_adapter_run(g.a);
	ck_assert(app_expect(&a, TOE_EV_URGENT).u.urgent.mark == 3);
}
END_TEST

/* ---- Form of requests ---- */

START_TEST(nop_and_quiet)
{
	struct toe_hw_req req = simple(TOE_OP_NOP, 0);

	ck_assert_uint_eq(status_of(&a, req), TOE_ST_OK);
	req.flags = TOE_REQ_F_QUIET;
	app_post(&a, &req);
	app_expect_none(&a);
	ck_assert_uint_eq(a.page->rq_head, 2);
}
END_TEST

START_TEST(malformed)
{
	uint64_t before = counter(&g, TOE_CTR_VIOL_REQUEST);
	struct toe_hw_req req = simple(0x7e, 0);

	ck_assert_uint_eq(status_of(&a, req), TOE_ST_INVALID);
	req = simple(TOE_OP_NOP, 0);
	req.flags = 0x80;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_INVALID);
	req.flags = TOE_REQ_F_MORE;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_INVALID);
	req = simple(TOE_OP_NOP, 5);
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_INVALID);
	req = simple(TOE_OP_NOP, 0);
	req.npieces = 1;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_INVALID);
	req = simple(TOE_OP_NOP, 0);
	req.u.raw[47] = 1;
	/* QUIET does not hide a failure. */
	req.flags = TOE_REQ_F_QUIET;
	ck_assert_uint_eq(status_of(&a, req), TOE_ST_INVALID);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_REQUEST), before + 6);
}
END_TEST

START_TEST(handles)
{
	uint32_t h = open_conn(&a, 0);
	uint32_t old;

	ck_assert_uint_eq(status_of(&a, simple(TOE_OP_SHUTDOWN, 0)),
			  TOE_ST_HANDLE);
	ck_assert_uint_eq(status_of(&a, simple(TOE_OP_SHUTDOWN, h + 1)),
			  TOE_ST_HANDLE);
	ck_assert_uint_eq(status_of(&a, simple(TOE_OP_SHUTDOWN, ~0u)),
			  TOE_ST_HANDLE);
	ck_assert_uint_eq(status_of(&b, send_req(&b, h, 0, 1)),
			  TOE_ST_OWNER);
	ck_assert_uint_eq(status_of(&b, simple(TOE_OP_ABORT, h)),
			  TOE_ST_OWNER);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_OWNER), 2);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_HANDLE), 3);
	ck_assert_uint_eq(fake_find(h)->sent->len, 0);

	old = h;
	ck_assert_uint_eq(status_of(&a, simple(TOE_OP_CLOSE, h)), TOE_ST_OK);
	h = open_conn(&a, 0);
	ck_assert_uint_eq(TOE_INDEX(h), TOE_INDEX(old));
	ck_assert_uint_eq(status_of(&a, simple(TOE_OP_ABORT, old)),
			  TOE_ST_HANDLE);
	fake_find(h);
}
END_TEST

START_TEST(low_ports)
{
	struct toe_hw_req req = {
		.opcode = TOE_OP_LISTEN,
		.u.listen = { .family = TOE_AF_INET, .lport = 80,
			      .backlog = 4 },
	};
	struct toe_hw_cqe cqe;

	ck_assert_uint_eq(app_do(&a, &req).status, TOE_ST_PERM);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_PERM), 1);
	cqe = app_do(&b, &req);
	ck_assert_uint_eq(cqe.status, TOE_ST_OK);
	ck_assert(cqe.u.cpl.result == 80);
}
END_TEST

/* ---- Rings ---- */

START_TEST(wrap)
{
	for (unsigned i = 0; i < 5 * RING_SIZE; i++)
		ck_assert_uint_eq(status_of(&a, simple(TOE_OP_NOP, 0)),
				  TOE_ST_OK);
	/* Indices wrap at 2^32 as they do at the ring's end. */
	g.a->ctxs.table[1].out.rq_head = 0xfffffffe;
	g.a->ctxs.table[1].out.cq_tail = 0xfffffffe;
	a.page->rq_head = a.page->rq_tail = 0xfffffffe;
	a.page->cq_tail = a.page->cq_head = a.cq_head = 0xfffffffe;
	for (unsigned i = 0; i < 3 * RING_SIZE; i++)
		ck_assert_uint_eq(status_of(&a, simple(TOE_OP_NOP, 0)),
				  TOE_ST_OK);
	ck_assert_uint_eq(a.page->fault, 0);
}
END_TEST

START_TEST(cq_full_loses_nothing)
{
	struct toe_hw_cqe cqe;
	uint64_t first = a.cookie + 1;

	for (unsigned i = 0; i < RING_SIZE; i++) {
		struct toe_hw_req req = simple(TOE_OP_NOP, 0);

		app_post(&a, &req);
	}
	for (unsigned i = 0; i < 3; i++) {
		struct toe_hw_req req = simple(TOE_OP_NOP, 0);

		app_post(&a, &req);
	}
	ck_assert_uint_eq(a.page->cq_tail, RING_SIZE);
	ck_assert_uint_eq(a.page->rq_head, RING_SIZE);
	ck_assert_uint_ne(a.page->cq_full, 0);
	for (unsigned i = 0; i < RING_SIZE + 3; i++) {
		ck_assert(app_poll(&a, &cqe));
		ck_assert(cqe.cookie == first + i);
	}
	ck_assert_uint_eq(a.page->cq_full, 0);
	app_expect_none(&a);
}
END_TEST

START_TEST(bad_indices_stop_the_context)
{
	static const struct {
		size_t off;
		uint32_t value;
	} cases[] = {
		{ offsetof(struct toe_hw_ctx_page, rq_tail), RING_SIZE + 1 },
		{ offsetof(struct toe_hw_ctx_page, rq_tail), ~0u },
		{ offsetof(struct toe_hw_ctx_page, cq_head), 1 },
		{ offsetof(struct toe_hw_ctx_page, bq_small_tail), 1u << 31 },
		{ offsetof(struct toe_hw_ctx_page, bq_large_tail), 9 },
	};
	unsigned irqs = g.irqs[2];

	memcpy((char *)a.page + cases[_i].off, &cases[_i].value, 4);
	app_doorbell(&a, TOE_DB_RQ, 0);
	ck_assert_uint_ne(a.page->fault, 0);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_RING), 1);
	ck_assert_uint_eq(g.irqs[2], irqs + 1);
	app_expect(&a, TOE_EV_FAULT);
	/* It is stopped, the other one is not. */
	a.page->rq_tail = a.page->rq_head + 1;
	app_doorbell(&a, TOE_DB_RQ, 0);
	ck_assert_uint_eq(a.page->rq_head, 0);
	ck_assert_uint_eq(status_of(&b, simple(TOE_OP_NOP, 0)), TOE_ST_OK);
	ck_assert_uint_eq(ctx_destroy(&g, 1), TOE_ST_OK);
}
END_TEST

START_TEST(revoked_queues_stop_the_context)
{
	ck_assert_uint_eq(mem_revoke(&g, a.key), TOE_ST_OK);
	app_doorbell(&a, TOE_DB_RQ, 0);
	ck_assert(g.a->ctxs.table[1].faulted);
	ck_assert_uint_eq(ctx_destroy(&g, 1), TOE_ST_OK);
	ck_assert_uint_eq(counter(&g, TOE_CTR_CTX_ACTIVE), 1);
}
END_TEST

START_TEST(one_interrupt_per_arming)
{
	struct toe_hw_req req = simple(TOE_OP_NOP, 0);

	app_post(&a, &req);
	ck_assert_uint_eq(g.irqs[2], 0);
	/* Something is there already: at once. */
	app_doorbell(&a, TOE_DB_CQ_ARM, 0);
	ck_assert_uint_eq(g.irqs[2], 1);
	app_expect(&a, TOE_EV_COMPLETION);
	app_doorbell(&a, TOE_DB_CQ_ARM, 1);
	ck_assert_uint_eq(g.irqs[2], 1);
	req.cookie = 0;
	app_post(&a, &req);
	ck_assert_uint_eq(g.irqs[2], 2);
	req.cookie = 0;
	app_post(&a, &req);
	ck_assert_uint_eq(g.irqs[2], 2);
}
END_TEST

/* More requests than a turn runs: the rest in kicks, without a doorbell. */
START_TEST(a_turn_is_bounded)
{
	uint32_t h = open_conn(&a, 0);
	struct toe_hw_req req = send_req(&a, h, 0, 0x40000);

	fake_find(h)->space = UINT32_MAX;
	req.flags = TOE_REQ_F_QUIET;
	for (unsigned i = 0; i < RING_SIZE; i++) {
		req.cookie = 0;
		req.u.piece[0].length = 0x70000;
		req.u.piece[0].offset = 0;
		app_queue(&a, &req);
	}
	app_doorbell(&a, TOE_DB_RQ, 0);
	guest_run(&g);
	ck_assert_uint_eq(a.page->rq_head, a.page->rq_tail);
	ck_assert_uint_eq(a.page->rq_looking, 0);
	ck_assert_uint_eq(fake_find(h)->sent->len, RING_SIZE * 0x70000);
}
END_TEST

/* ---- SEND ---- */

START_TEST(send_gathers)
{
	uint32_t h = open_conn(&a, 0);
	struct toe_hw_req req = send_req(&a, h, 0, 3);
	struct toe_hw_piece *list = app_mem(&a, OFF_DATA + 0x1000);

	memcpy(app_mem(&a, OFF_DATA), "abcdefgh", 8);
	req.npieces = 3;
	req.u.piece[1] = (struct toe_hw_piece){ a.key, 1, OFF_DATA + 7 };
	req.u.piece[2] = (struct toe_hw_piece){ a.key, 2, OFF_DATA + 3 };
	ck_assert_uint_eq(app_do(&a, &req).u.cpl.bytes, 6);
	ck_assert_mem_eq(fake_find(h)->sent->data, "abchde", 6);

	for (int i = 0; i < 8; i++)
		list[i] = (struct toe_hw_piece){ a.key, 1, OFF_DATA + 7 - i };
	req = send_req(&a, h, 0x1000, 8 * sizeof(*list));
	req.flags = TOE_REQ_F_LIST | TOE_REQ_F_MORE;
	req.npieces = 8;
	ck_assert_uint_eq(app_do(&a, &req).u.cpl.bytes, 8);
	ck_assert_mem_eq(fake_find(h)->sent->data + 6, "hgfedcba", 8);
	ck_assert(fake_find(h)->more);

	/* One bad piece: nothing is sent. */
	list[7].key = 0;
	req.cookie = 0;
	ck_assert_uint_eq(app_do(&a, &req).status, TOE_ST_KEY);
	list[7].key = a.key;
	req.npieces = 257;
	req.u.piece[0].length = 257 * sizeof(*list);
	req.cookie = 0;
	ck_assert_uint_eq(app_do(&a, &req).status, TOE_ST_INVALID);
	ck_assert_uint_eq(fake_find(h)->sent->len, 14);
}
END_TEST

START_TEST(send_waits_in_order)
{
	uint32_t h = open_conn(&a, 0), other = open_conn(&a, 0);
	struct toe_hw_req r1 = send_req(&a, h, 0, 1000);
	struct toe_hw_req r2 = send_req(&a, h, 1000, 500);
	struct toe_hw_req shut = simple(TOE_OP_SHUTDOWN, h);
	struct toe_hw_cqe cqe;
	uint8_t *data = app_mem(&a, OFF_DATA);

	for (int i = 0; i < 1500; i++)
		data[i] = (uint8_t)(i * 7);
	fake_find(h)->space = 600;
	app_post(&a, &r1);
	app_post(&a, &r2);
	app_post(&a, &shut);
	app_expect_none(&a);
	ck_assert_uint_eq(fake_find(h)->sent->len, 600);
	ck_assert_uint_eq(counter(&g, TOE_CTR_RQM_PARKED), 2);
	/* Another connection is not held up. */
	ck_assert_uint_eq(status_of(&a, send_req(&a, other, 0, 10)),
			  TOE_ST_OK);
	/* After SHUTDOWN no more. */
	ck_assert_uint_eq(status_of(&a, send_req(&a, h, 0, 1)),
			  TOE_ST_CLOSED);

	fake_find(h)->space = 500;
	net.ops->writable(net.opaque, h);
	guest_run(&g);
	toe_adapter_run(g.a);
	cqe = app_expect(&a, TOE_EV_COMPLETION);
	ck_assert(cqe.cookie == r1.cookie);
	ck_assert_uint_eq(cqe.u.cpl.bytes, 1000);
	ck_assert(!fake_find(h)->shut);
	fake_find(h)->space = 5000;
	net.ops->writable(net.opaque, h);
	toe_adapter_run(g.a);
	cqe = app_expect(&a, TOE_EV_COMPLETION);
	ck_assert(cqe.cookie == r2.cookie);
	cqe = app_expect(&a, TOE_EV_COMPLETION);
	ck_assert(cqe.cookie == shut.cookie);
	ck_assert(fake_find(h)->shut);
	ck_assert_uint_eq(fake_find(h)->sent->len, 1500);
	ck_assert_mem_eq(fake_find(h)->sent->data, data, 1500);
}
END_TEST

START_TEST(too_many_wait)
{
	uint32_t h = open_conn(&a, 0);
	struct toe_hw_req req;

	fake_find(h)->space = 0;
	for (unsigned i = 0; i < TOE_PENDING_SENDS; i++) {
		req = send_req(&a, h, 0, 1);
		app_post(&a, &req);
	}
	app_expect_none(&a);
	ck_assert_uint_eq(status_of(&a, send_req(&a, h, 0, 1)),
			  TOE_ST_AGAIN);
	/* ABORT: all of them complete, more than the CQ holds, in order. */
	req = simple(TOE_OP_ABORT, h);
	app_post(&a, &req);
	for (unsigned i = 0; i < TOE_PENDING_SENDS; i++)
		ck_assert_uint_eq(app_expect(&a, TOE_EV_COMPLETION).status,
				  TOE_ST_ABORTED);
	ck_assert(app_expect(&a, TOE_EV_COMPLETION).cookie == req.cookie);
	ck_assert_uint_eq(net.aborts, 1);
	app_expect_none(&a);
}
END_TEST

START_TEST(shutdown_behind_as_many_as_may_wait)
{
	uint32_t h = open_conn(&a, 0);
	struct toe_hw_req req;

	/* It is not a SEND, and there is one at most: there is room for it. */
	fake_find(h)->space = 0;
	for (unsigned i = 0; i < TOE_PENDING_SENDS; i++) {
		req = send_req(&a, h, 0, 1);
		app_post(&a, &req);
	}
	req = simple(TOE_OP_SHUTDOWN, h);
	app_post(&a, &req);
	app_expect_none(&a);
	fake_find(h)->space = 1000;
	net.ops->writable(net.opaque, h);
	toe_adapter_run(g.a);
	for (unsigned i = 0; i <= TOE_PENDING_SENDS; i++)
		ck_assert_uint_eq(app_expect(&a, TOE_EV_COMPLETION).status,
				  TOE_ST_OK);
	ck_assert_uint_eq(fake_find(h)->sent->len, TOE_PENDING_SENDS);
	app_expect_none(&a);
}
END_TEST

START_TEST(revoked_while_waiting)
{
	uint32_t h = open_conn(&a, 0);
	uint32_t key = mem_register(&g, 1, 0x600000, 4096, TOE_MEM_READ);
	struct toe_hw_req req = send_req(&a, h, 0, 100);
	struct toe_hw_req after = send_req(&a, h, 0, 10);
	struct toe_hw_cqe cqe;

	req.u.piece[0].key = key;
	req.u.piece[0].offset = 0;
	fake_find(h)->space = 40;
	app_post(&a, &req);
	app_post(&a, &after);
	ck_assert_uint_eq(mem_revoke(&g, key), TOE_ST_OK);
	fake_find(h)->space = 1000;
	net.ops->writable(net.opaque, h);
	toe_adapter_run(g.a);
	cqe = app_expect(&a, TOE_EV_COMPLETION);
	ck_assert_uint_eq(cqe.status, TOE_ST_KEY);
	ck_assert_uint_eq(cqe.u.cpl.bytes, 40);
	/* Nothing closes up to the 40 bytes: neither what waited nor news. */
	ck_assert_uint_eq(app_expect(&a, TOE_EV_COMPLETION).status,
			  TOE_ST_ABORTED);
	app_post(&a, &after);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_COMPLETION).status,
			  TOE_ST_ABORTED);
	ck_assert_uint_eq(fake_find(h)->sent->len, 40);
	after = (struct toe_hw_req) { .opcode = TOE_OP_CLOSE, .handle = h };
	app_post(&a, &after);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_COMPLETION).status, TOE_ST_OK);
	ck_assert_uint_eq(net.aborts, 1);
}
END_TEST

START_TEST(close_after_waiting_sends)
{
	uint32_t h = open_conn(&a, 0);
	struct toe_hw_req req = send_req(&a, h, 0, 100);
	struct toe_hw_req close = simple(TOE_OP_CLOSE, h);

	fake_find(h)->space = 10;
	app_post(&a, &req);
	app_post(&a, &close);
	ck_assert_uint_eq(net.closes, 0);
	/* The handle is dead for the application, not for the data. */
	ck_assert_uint_eq(status_of(&a, send_req(&a, h, 0, 1)),
			  TOE_ST_HANDLE);
	fake_find(h)->space = 1000;
	net.ops->writable(net.opaque, h);
	toe_adapter_run(g.a);
	ck_assert(app_expect(&a, TOE_EV_COMPLETION).cookie == req.cookie);
	ck_assert(app_expect(&a, TOE_EV_COMPLETION).cookie == close.cookie);
	ck_assert_uint_eq(net.closes, 1);
	ck_assert_uint_eq(net.conn[TOE_INDEX(h)].sent->len, 100);
}
END_TEST

/* ---- Receive ---- */

START_TEST(receive_small_and_large)
{
	uint32_t h = open_conn(&a, 100000);
	uint8_t data[20000];
	struct toe_hw_cqe cqe;
	uint32_t small = app_buffer(&a, TOE_BQ_SMALL);
	uint32_t large = app_buffer(&a, TOE_BQ_LARGE);

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 13);
	app_doorbell(&a, TOE_DB_BQ, 0);
	fake_rx(h, data, 100);
	net.ops->readable(net.opaque, h, true);
	toe_adapter_run(g.a);
	cqe = app_expect(&a, TOE_EV_RECV);
	ck_assert_uint_eq(cqe.u.recv.buf_id, small);
	ck_assert_uint_eq(cqe.u.recv.length, 100);
	ck_assert_uint_eq(cqe.flags, 0);
	ck_assert_mem_eq(app_buf(&a, small), data, 100);

	fake_rx(h, data, 20000);
	net.ops->readable(net.opaque, h, false);
	app_expect_none(&a);
	toe_adapter_run(g.a);
	cqe = app_expect(&a, TOE_EV_RECV);
	ck_assert_uint_eq(cqe.u.recv.buf_id, large);
	ck_assert_uint_eq(cqe.u.recv.length, LARGE_SIZE);
	ck_assert_uint_eq(cqe.flags, TOE_CQE_F_LARGE | TOE_CQE_F_MORE);
	ck_assert_mem_eq(app_buf(&a, large), data, LARGE_SIZE);
	/* No buffer for the rest: it waits, PEER_CLOSED behind it. */
	ck_assert_uint_ne(a.page->bq_starved, 0);
	net.ops->peer_closed(net.opaque, h);
	net.ops->closed(net.opaque, h, TOE_ST_RESET);
	toe_adapter_run(g.a);
	app_expect_none(&a);
	large = app_buffer(&a, TOE_BQ_LARGE);
	app_doorbell(&a, TOE_DB_BQ, 0);
	cqe = app_expect(&a, TOE_EV_RECV);
	ck_assert_uint_eq(cqe.u.recv.length, 20000 - LARGE_SIZE);
	ck_assert_mem_eq(app_buf(&a, large), data + LARGE_SIZE,
			 20000 - LARGE_SIZE);
	app_expect(&a, TOE_EV_PEER_CLOSED);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_CLOSED).status, TOE_ST_RESET);
	ck_assert_uint_eq(fake_used(), 0);
	ck_assert_uint_eq(a.page->bq_starved, 0);
}
END_TEST

/* Who receives much will ask for more: requests are seen without a doorbell. */
START_TEST(bulk_receiver_need_not_ring)
{
	uint32_t h = open_conn(&a, 100000);
	static uint8_t data[LARGE_SIZE];
	struct toe_hw_req req = simple(TOE_OP_NOP, 0);
	unsigned kicks = 0;

	app_buffer(&a, TOE_BQ_SMALL);
	app_buffer(&a, TOE_BQ_LARGE);
	app_doorbell(&a, TOE_DB_BQ, 0);
	fake_rx(h, data, 100);
	net.ops->readable(net.opaque, h, true);
	toe_adapter_run(g.a);
	app_expect(&a, TOE_EV_RECV);
	ck_assert_uint_eq(a.page->rq_looking, 0);

	fake_rx(h, data, sizeof(data));
	net.ops->readable(net.opaque, h, false);
	g.kicked = false;
	toe_adapter_run(g.a);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_RECV).u.recv.length,
			  sizeof(data));
	ck_assert_uint_eq(a.page->rq_looking, 1);
	for (; a.page->rq_looking; kicks++) {
		ck_assert(g.kicked);
		req.cookie = 0;
		app_queue(&a, &req);
		g.kicked = false;
		toe_adapter_run(g.a);
		ck_assert(app_expect(&a, TOE_EV_COMPLETION).cookie ==
			  req.cookie);
	}
	/* But not for ever, and then the doorbell is what counts. */
	ck_assert_uint_gt(kicks, 1);
	guest_run(&g);
	req.cookie = 0;
	app_queue(&a, &req);
	ck_assert(!g.kicked);
	app_expect_none(&a);
	app_doorbell(&a, TOE_DB_RQ, 0);
	app_expect(&a, TOE_EV_COMPLETION);
}
END_TEST

/* The context goes while it is watched. */
START_TEST(bulk_receiver_goes)
{
	uint32_t h = open_conn(&a, 100000);
	static uint8_t data[LARGE_SIZE];

	app_buffer(&a, TOE_BQ_LARGE);
	app_doorbell(&a, TOE_DB_BQ, 0);
	fake_rx(h, data, sizeof(data));
	net.ops->readable(net.opaque, h, false);
	toe_adapter_run(g.a);
	ck_assert_uint_eq(a.page->rq_looking, 1);
	net.ops->closed(net.opaque, h, TOE_ST_RESET);
	ck_assert_uint_eq(ctx_destroy(&g, 1), TOE_ST_OK);
	guest_run(&g);
	ck_assert_uint_eq(status_of(&b, simple(TOE_OP_NOP, 0)), TOE_ST_OK);
}
END_TEST

START_TEST(credit_holds_bytes_back)
{
	uint32_t h = open_conn(&a, 10);
	struct toe_hw_req credit = simple(TOE_OP_CREDIT, h);

	app_buffer(&a, TOE_BQ_SMALL);
	app_buffer(&a, TOE_BQ_SMALL);
	app_doorbell(&a, TOE_DB_BQ, 0);
	fake_rx(h, "0123456789abcdef", 16);
	net.ops->readable(net.opaque, h, true);
	toe_adapter_run(g.a);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_RECV).u.recv.length, 10);
	ck_assert_uint_eq(fake_find(h)->rx.len, 6);
	net.ops->peer_closed(net.opaque, h);
	toe_adapter_run(g.a);
	app_expect_none(&a);
	credit.u.credit.credit = UINT32_MAX;
	app_post(&a, &credit);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_RECV).u.recv.length, 6);
	app_expect(&a, TOE_EV_PEER_CLOSED);
	app_expect_none(&a);
}
END_TEST

START_TEST(bad_buffer_stops_the_context)
{
	uint32_t h = open_conn(&a, 100);
	struct toe_hw_buf *bq = app_mem(&a, OFF_SMALL);

	app_buffer(&a, TOE_BQ_SMALL);
	bq[0].key = b.key;
	app_doorbell(&a, TOE_DB_BQ, 0);
	fake_rx(h, "secret", 6);
	net.ops->readable(net.opaque, h, true);
	toe_adapter_run(g.a);
	ck_assert_uint_eq(app_expect(&a, TOE_EV_FAULT).status, TOE_ST_OWNER);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_OWNER), 1);
	ck_assert(toe_all_zero(app_mem(&b, OFF_BUFS), SMALL_SIZE));
}
END_TEST

/* ---- Listen, accept ---- */

static uint32_t listener(struct app *p)
{
	struct toe_hw_req req = {
		.opcode = TOE_OP_LISTEN,
		.u.listen = { .family = TOE_AF_INET, .backlog = 4 },
	};

	return app_do(p, &req).handle;
}

START_TEST(accept)
{
	uint32_t l = listener(&a), h = fake_incoming(l);
	struct toe_hw_req req = simple(TOE_OP_ACCEPT, h);
	struct toe_hw_cqe cqe;

	toe_adapter_run(g.a);
	cqe = app_expect(&a, TOE_EV_ACCEPT);
	ck_assert_uint_eq(cqe.handle, h);
	ck_assert_uint_eq(cqe.u.conn.listener, l);
	ck_assert_uint_eq(cqe.u.conn.rport, 7777);
	/* Silent until it is taken. */
	app_buffer(&a, TOE_BQ_SMALL);
	app_doorbell(&a, TOE_DB_BQ, 0);
	fake_rx(h, "hello", 5);
	net.ops->readable(net.opaque, h, true);
	net.ops->peer_closed(net.opaque, h);
	toe_adapter_run(g.a);
	app_expect_none(&a);
	ck_assert_uint_eq(status_of(&a, send_req(&a, h, 0, 1)), TOE_ST_STATE);
	ck_assert_uint_eq(status_of(&b, req), TOE_ST_OWNER);
	req.u.credit.credit = 100;
	app_post(&a, &req);
	ck_assert_uint_eq(net.accepts, 1);
	/* Bytes may come before the completion or after it, never lost. */
	for (int i = 0, seen = 0; i < 3; i++) {
		ck_assert(app_poll(&a, &cqe));
		seen |= cqe.type == TOE_EV_COMPLETION ? 1 :
			cqe.type == TOE_EV_RECV ? 2 : 4;
		ck_assert(cqe.cookie == req.cookie);
		ck_assert(i < 2 || seen == 7);
	}
}
END_TEST

START_TEST(accept_of_the_dead)
{
	uint32_t l = listener(&a), h = fake_incoming(l), h2;
	struct toe_hw_req req = simple(TOE_OP_ACCEPT, h);

	toe_adapter_run(g.a);
	app_expect(&a, TOE_EV_ACCEPT);
	net.ops->closed(net.opaque, h, TOE_ST_RESET);
	ck_assert_uint_eq(app_do(&a, &req).status, TOE_ST_RESET);
	req.cookie = 0;
	ck_assert_uint_eq(app_do(&a, &req).status, TOE_ST_HANDLE);
	/* A closed listener takes those that nobody took with it. */
	h2 = fake_incoming(l);
	toe_adapter_run(g.a);
	app_expect(&a, TOE_EV_ACCEPT);
	ck_assert_uint_ne(h2, h);
	ck_assert_uint_eq(status_of(&a, simple(TOE_OP_CLOSE, l)), TOE_ST_OK);
	ck_assert_uint_eq(net.aborts, 1);
	ck_assert_uint_eq(fake_used(), 0);
}
END_TEST

/* ---- Destroy, drain, reset ---- */

START_TEST(destroy_returns_everything)
{
	uint32_t h = open_conn(&a, 0);
	struct toe_hw_req req = send_req(&a, h, 0, 100);

	fake_find(h)->space = 0;
	app_post(&a, &req);
	fake_incoming(listener(&a));
	ck_assert_uint_eq(ctx_destroy(&g, 1), TOE_ST_OK);
	ck_assert_uint_eq(fake_used(), 0);
	ck_assert_uint_eq(counter(&g, TOE_CTR_CTX_ACTIVE), 1);
	ck_assert_uint_eq(counter(&g, TOE_CTR_MEM_REGIONS), 1);
	ck_assert_uint_eq(counter(&g, TOE_CTR_LMEM_BUFLETS_FREE),
			  counter(&g, TOE_CTR_LMEM_BUFLETS));
	app_doorbell(&a, TOE_DB_RQ, 0);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_DOORBELL), 1);
}
END_TEST

START_TEST(drain_delivers_what_was_queued)
{
	uint32_t h = open_conn(&a, 0);
	struct toe_hw_req req = send_req(&a, h, 0, 100);
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_CTX_DESTROY, .flags = TOE_ADM_F_DRAIN,
		.u.ctx_destroy.ctx = 1,
	};
	struct toe_hw_adm_cmd nop = { .opcode = TOE_ADM_NOP };
	uint16_t tag;

	fake_find(h)->space = 30;
	for (int i = 0; i < 3; i++) {		/* no doorbell */
		req.cookie = 0;
		app_queue(&a, &req);
	}
	tag = admin_post(&g, &cmd);
	guest_run(&g);
	ck_assert(!admin_poll(&g));
	ck_assert_uint_eq(fake_find(h)->sent->len, 30);
	ck_assert_uint_eq(admin(&g, &nop), TOE_ST_OK);	/* others go on */
	fake_find(h)->space = 1000;
	net.ops->writable(net.opaque, h);
	toe_adapter_run(g.a);
	guest_run(&g);
	ck_assert(admin_poll(&g));
	ck_assert_uint_eq(g.cpl.tag, tag);
	ck_assert_uint_eq(g.cpl.status, TOE_ST_OK);
	ck_assert_uint_eq(net.conn[TOE_INDEX(h)].sent->len, 300);
	ck_assert_uint_eq(net.closes, 1);
	app_expect_none(&a);
	ck_assert_uint_eq(ctx_create(&g, 1, 0), TOE_ST_OK);
}
END_TEST

START_TEST(drain_is_forced)
{
	uint32_t h = open_conn(&a, 0);
	struct toe_hw_req req = send_req(&a, h, 0, 100);
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_CTX_DESTROY, .flags = TOE_ADM_F_DRAIN,
		.u.ctx_destroy.ctx = 1,
	};
	uint16_t tag, tag2;

	fake_find(h)->space = 0;
	app_queue(&a, &req);
	tag = admin_post(&g, &cmd);
	guest_run(&g);
	ck_assert(!admin_poll(&g));
	cmd.flags = 0;
	tag2 = admin_post(&g, &cmd);
	guest_run(&g);
	ck_assert(admin_poll(&g));
	ck_assert_uint_eq(g.cpl.tag, tag);
	ck_assert_uint_eq(g.cpl.status, TOE_ST_ABORTED);
	ck_assert(admin_poll(&g));
	ck_assert_uint_eq(g.cpl.tag, tag2);
	ck_assert_uint_eq(g.cpl.status, TOE_ST_OK);
	ck_assert_uint_eq(fake_used(), 0);
}
END_TEST

START_TEST(reset_returns_everything)
{
	uint32_t h = open_conn(&a, 10);
	struct toe_hw_req req = send_req(&a, h, 0, 100);

	fake_find(h)->space = 0;
	app_post(&a, &req);
	toe_adapter_reg_write(g.a, TOE_REG_CONTROL, TOE_CTL_RESET, 4);
	ck_assert_uint_eq(toe_adapter_reg_read(g.a, TOE_REG_EPOCH, 4), 1);
	ck_assert_uint_eq(counter(&g, TOE_CTR_CTX_ACTIVE), 0);
	ck_assert_uint_eq(counter(&g, TOE_CTR_MEM_REGIONS), 0);
	ck_assert_uint_eq(counter(&g, TOE_CTR_MEM_PAGES), 0);
	ck_assert_uint_eq(counter(&g, TOE_CTR_LMEM_BUFLETS_FREE),
			  counter(&g, TOE_CTR_LMEM_BUFLETS));
	guest_run(&g);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rqm");
	TCase *tc = tcase_create("rqm");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, info_is_written);
	tcase_add_test(tc, info_checks_its_piece);
	tcase_add_test(tc, malformed_connect);
	tcase_add_test(tc, options_before_the_handle);
	tcase_add_test(tc, close_lingers);
	tcase_add_test(tc, a_context_that_goes_does_not_linger);
	tcase_add_test(tc, urgent_send);
	tcase_add_test(tc, urgent_is_told_at_once);
	tcase_add_test(tc, urgent_before_accept);
	tcase_add_test(tc, nop_and_quiet);
	tcase_add_test(tc, malformed);
	tcase_add_test(tc, handles);
	tcase_add_test(tc, low_ports);
	tcase_add_test(tc, wrap);
	tcase_add_test(tc, cq_full_loses_nothing);
	tcase_add_loop_test(tc, bad_indices_stop_the_context, 0, 5);
	tcase_add_test(tc, revoked_queues_stop_the_context);
	tcase_add_test(tc, one_interrupt_per_arming);
	tcase_add_test(tc, a_turn_is_bounded);
	tcase_add_test(tc, send_gathers);
	tcase_add_test(tc, send_waits_in_order);
	tcase_add_test(tc, too_many_wait);
	tcase_add_test(tc, shutdown_behind_as_many_as_may_wait);
	tcase_add_test(tc, revoked_while_waiting);
	tcase_add_test(tc, close_after_waiting_sends);
	tcase_add_test(tc, receive_small_and_large);
	tcase_add_test(tc, bulk_receiver_need_not_ring);
	tcase_add_test(tc, bulk_receiver_goes);
	tcase_add_test(tc, credit_holds_bytes_back);
	tcase_add_test(tc, bad_buffer_stops_the_context);
	tcase_add_test(tc, accept);
	tcase_add_test(tc, accept_of_the_dead);
	tcase_add_test(tc, destroy_returns_everything);
	tcase_add_test(tc, drain_delivers_what_was_queued);
	tcase_add_test(tc, drain_is_forced);
	tcase_add_test(tc, reset_returns_everything);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
