/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_adapter.h - the library's tests: an adapter played by the test.
 *
 * The fake is plain memory with the layout that the driver would make, and
 * functions that do what the adapter does: take a request from the ring, take
 * a posted buffer, write a completion.  Nothing happens by itself, so each
 * test says step by step what the adapter does and looks at what the library
 * wrote.  Calls that wait get their answer put into the queue beforehand.
 *
 * Rings have 8 entries, so that every test wraps them sooner or later.
 * Included by one file of a test program; not each uses all of it.
 */
#ifndef TOE_TESTS_FAKE_ADAPTER_H
#define TOE_TESTS_FAKE_ADAPTER_H

#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define RING		8u
#define SMALL		256u
#define LARGE		4096u
#define STAGING		(8u * TOE_STAGE_SLOT)
#define CREDIT		8192u
#define NO_DOORBELL	0xdeadbeefu
#define KEY		0x00300007u

struct fake {
	uint8_t *mem;
	struct toe_uapi_ctx u;
	struct toe_uapi_status status;
	uint32_t doorbell[TOE_DOORBELL_PAGE_SIZE / 4];
	struct toe_hw_ctx_page *page;
	struct toe_hw_req *rq;
	struct toe_hw_cqe *cq;
	struct toe_hw_buf *bq[2];
	uint32_t next_handle;
};

static struct fake fake;
static struct toe *toe;

/* ---- The fake adapter --------------------------------------------------- */

static inline void doorbells_clear(void)
{
	size_t i;

	for (i = 0; i < sizeof(fake.doorbell) / 4; i++)
		fake.doorbell[i] = NO_DOORBELL;
}

/* Was this doorbell written since the last look? */
static inline bool rung(unsigned int db)
{
	bool yes = fake.doorbell[db / 4] != NO_DOORBELL;

	fake.doorbell[db / 4] = NO_DOORBELL;
	return yes;
}

static inline void fake_open(uint32_t max_conns)
{
	struct toe_config in = {
		.requests = RING, .completions = RING, .small_count = RING,
		.small_size = SMALL, .large_count = RING, .large_size = LARGE,
		.staging = STAGING, .max_conns = max_conns, .credit = CREDIT,
		.flags = TOE_CFG_SPIN,
	}, cfg;
	struct toe_attach at = { .fd = -1 };
	uint32_t start = 0xfffffffa;	/* the indices wrap, too */

	memset(&fake, 0, sizeof(fake));
	doorbells_clear();
	ck_assert_int_eq(toe_config_resolve(&cfg, &in), 0);
	fake.u.page_off = 0;
	fake.u.rq_off = 4096;
	fake.u.cq_off = 8192;
	fake.u.bq_small_off = 12288;
	fake.u.bq_large_off = 12288 + 2048;
	fake.u.data_off = 16384;
	fake.u.mem_size = 16384 + toe_config_data_size(&cfg);
	fake.u.key = KEY;
	/* exactly as much as there is: the sanitizer sees a byte too far */
	fake.mem = aligned_alloc(4096, fake.u.mem_size);
	memset(fake.mem, 0, fake.u.mem_size);
	fake.page = (struct toe_hw_ctx_page *)fake.mem;
	fake.rq = (struct toe_hw_req *)(fake.mem + fake.u.rq_off);
	fake.cq = (struct toe_hw_cqe *)(fake.mem + fake.u.cq_off);
	fake.bq[0] = (struct toe_hw_buf *)(fake.mem + fake.u.bq_small_off);
	fake.bq[1] = (struct toe_hw_buf *)(fake.mem + fake.u.bq_large_off);
	fake.page->rq_tail = fake.page->rq_head = start;
	fake.page->cq_tail = fake.page->cq_head = start;
	fake.page->bq_small_tail = fake.page->bq_small_head = start;
	fake.page->bq_large_tail = fake.page->bq_large_head = start;
	fake.next_handle = TOE_HANDLE(1, 1);
	at.ctx = fake.u;
	at.mem = fake.mem;
	at.doorbell = fake.doorbell;
	at.status = &fake.status;
	ck_assert_int_eq(toe_attach(&toe, &cfg, &at), 0);
}

static inline void setup(void)
{
	fake_open(4);
}

static inline void teardown(void)
{
	toe_close(toe);
	free(fake.mem);
	toe = NULL;
}

static inline uint32_t requests_waiting(void)
{
	return fake.page->rq_tail - fake.page->rq_head;
}

static inline struct toe_hw_req take_request(void)
{
	ck_assert_msg(requests_waiting() > 0, "no request in the ring");
	ck_assert_uint_le(requests_waiting(), RING);
	return fake.rq[fake.page->rq_head++ % RING];
}

static inline struct toe_hw_req take_op(uint8_t opcode)
{
	struct toe_hw_req r = take_request();

	ck_assert_uint_eq(r.opcode, opcode);
	return r;
}

static inline void post_event(struct toe_hw_cqe e)
{
	ck_assert_msg(fake.page->cq_tail - fake.page->cq_head < RING,
		      "the test overran the completion queue");
	fake.cq[fake.page->cq_tail++ % RING] = e;
}

static inline void complete(const struct toe_hw_req *r, uint8_t status,
			    uint32_t handle, uint64_t result)
{
	struct toe_hw_cqe e = {
		.type = TOE_EV_COMPLETION, .status = status, .handle = handle,
		.cookie = r->cookie,
	};

	e.u.cpl.opcode = r->opcode;
	e.u.cpl.result = result;
	if (r->opcode == TOE_OP_SEND)
		e.u.cpl.bytes = status ? 0 : r->u.piece[0].length;
	post_event(e);
}

static inline void conn_event(uint8_t type, uint8_t status, uint32_t handle,
			      uint64_t cookie)
{
	struct toe_hw_cqe e = {
		.type = type, .status = status, .handle = handle,
		.cookie = cookie,
	};

	if (type == TOE_EV_ESTABLISHED || type == TOE_EV_ACCEPT) {
		e.u.conn.family = TOE_AF_INET;
		e.u.conn.lport = 40000;
		e.u.conn.rport = 80;
		e.u.conn.mss = 1460;
		memcpy(e.u.conn.laddr, "\x0a\x00\x02\x0f", 4);
		memcpy(e.u.conn.raddr, "\x0a\x00\x02\x02", 4);
	}
	post_event(e);
}

/* Take a posted buffer, fill it, and say so.  Returns its number. */
static inline uint32_t receive(unsigned int large, uint32_t handle, uint64_t cookie,
			       const void *data, uint32_t len)
{
	uint32_t *head = large ? &fake.page->bq_large_head
			       : &fake.page->bq_small_head;
	uint32_t tail = large ? fake.page->bq_large_tail
			      : fake.page->bq_small_tail;
	struct toe_hw_cqe e = {
		.type = TOE_EV_RECV, .handle = handle, .cookie = cookie,
		.flags = large ? TOE_CQE_F_LARGE : 0,
	};
	struct toe_hw_buf b;

	ck_assert_msg(tail != *head, "no buffer is posted");
	b = fake.bq[large][(*head)++ % RING];
	ck_assert_uint_eq(b.key, KEY);
	ck_assert_uint_le(b.offset + (large ? LARGE : SMALL),
			  fake.u.mem_size);
	memcpy(fake.mem + b.offset, data, len);
	e.u.recv.buf_id = b.buf_id;
	e.u.recv.length = len;
	post_event(e);
	return b.buf_id;
}

/* ---- Steps that many tests begin with ----------------------------------- */

static inline struct sockaddr_in peer_addr(void)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(80),
		.sin_addr = { htonl(0x0a000202) },
	};

	return a;
}

static inline struct toe_conn *start_connect(void *user, struct toe_hw_req *req)
{
	struct sockaddr_in a = peer_addr();
	struct toe_conn_opts opts = { .user = user };
	struct toe_conn *c = NULL;

	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a, sizeof(a),
				     &opts, &c), 0);
	*req = take_op(TOE_OP_CONNECT);
	return c;
}

struct open_conn {
	struct toe_conn *c;
	uint32_t handle;
	uint64_t cookie;
};

static inline struct toe_event one_event(void)
{
	struct toe_event ev[2];
	int n = toe_poll(toe, ev, 2);

	ck_assert_int_eq(n, 1);
	return ev[0];
}

static inline void no_event(void)
{
	struct toe_event ev;

	ck_assert_int_eq(toe_poll(toe, &ev, 1), 0);
}

static inline struct open_conn open_conn(void *user)
{
	struct toe_hw_req r;
	struct open_conn o = { .c = start_connect(user, &r) };

	o.handle = fake.next_handle++;
	o.cookie = r.cookie;
	complete(&r, TOE_ST_OK, o.handle, 0);
	conn_event(TOE_EV_ESTABLISHED, TOE_ST_OK, o.handle, o.cookie);
	ck_assert_uint_eq(one_event().events, TOE_CONNECTED);
	doorbells_clear();
	return o;
}

/* ---- The program -------------------------------------------------------- */

static inline int fake_main(const char *name, void (*add)(TCase *t))
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create("fake adapter");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	add(t);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
#endif
