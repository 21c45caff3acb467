/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_libtoe.c - the library against a fake adapter.
 *
 * The fake is plain memory with the layout that the driver would make, and
 * functions that do what the adapter does: take a request from the ring, take
 * a posted buffer, write a completion.  Nothing happens by itself, so each
 * test says step by step what the adapter does and looks at what the library
 * wrote.  Calls that wait get their answer put into the queue beforehand.
 *
 * Rings have 8 entries, so that every test wraps them sooner or later.
 */
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

static void doorbells_clear(void)
{
	size_t i;

	for (i = 0; i < sizeof(fake.doorbell) / 4; i++)
		fake.doorbell[i] = NO_DOORBELL;
}

/* Was this doorbell written since the last look? */
static bool rung(unsigned int db)
{
	bool yes = fake.doorbell[db / 4] != NO_DOORBELL;

	fake.doorbell[db / 4] = NO_DOORBELL;
	return yes;
}

static void fake_open(uint32_t max_conns)
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

static void setup(void)
{
	fake_open(4);
}

static void teardown(void)
{
	toe_close(toe);
	free(fake.mem);
	toe = NULL;
}

static uint32_t requests_waiting(void)
{
	return fake.page->rq_tail - fake.page->rq_head;
}

static struct toe_hw_req take_request(void)
{
	ck_assert_msg(requests_waiting() > 0, "no request in the ring");
	ck_assert_uint_le(requests_waiting(), RING);
	return fake.rq[fake.page->rq_head++ % RING];
}

static struct toe_hw_req take_op(uint8_t opcode)
{
	struct toe_hw_req r = take_request();

	ck_assert_uint_eq(r.opcode, opcode);
	return r;
}

static void post_event(struct toe_hw_cqe e)
{
	ck_assert_msg(fake.page->cq_tail - fake.page->cq_head < RING,
		      "the test overran the completion queue");
	fake.cq[fake.page->cq_tail++ % RING] = e;
}

static void complete(const struct toe_hw_req *r, uint8_t status,
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

static void conn_event(uint8_t type, uint8_t status, uint32_t handle,
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
static uint32_t receive(unsigned int large, uint32_t handle, uint64_t cookie,
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

static struct sockaddr_in peer_addr(void)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(80),
		.sin_addr = { htonl(0x0a000202) },
	};

	return a;
}

static struct toe_conn *start_connect(void *user, struct toe_hw_req *req)
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

static struct toe_event one_event(void)
{
	struct toe_event ev[2];
	int n = toe_poll(toe, ev, 2);

	ck_assert_int_eq(n, 1);
	return ev[0];
}

static void no_event(void)
{
	struct toe_event ev;

	ck_assert_int_eq(toe_poll(toe, &ev, 1), 0);
}

static struct open_conn open_conn(void *user)
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

/* ---- Opening ------------------------------------------------------------ */

START_TEST(buffers_are_posted)
{
	uint32_t i, j, k;

	ck_assert_uint_eq(fake.page->bq_small_tail - fake.page->bq_small_head,
			  RING);
	ck_assert_uint_eq(fake.page->bq_large_tail - fake.page->bq_large_head,
			  RING);
	for (k = 0; k < 2; k++)
		for (i = 0; i < RING; i++) {
			struct toe_hw_buf *b = &fake.bq[k][i];
			uint32_t size = k ? LARGE : SMALL;

			ck_assert_uint_eq(b->key, KEY);
			ck_assert_uint_ge(b->offset, fake.u.data_off);
			ck_assert_uint_le(b->offset + size, fake.u.mem_size);
			for (j = 0; j < i; j++) {
				uint64_t a = fake.bq[k][j].offset;

				ck_assert(a + size <= b->offset ||
					  b->offset + size <= a);
				ck_assert_uint_ne(fake.bq[k][j].buf_id,
						  b->buf_id);
			}
		}
}
END_TEST

START_TEST(configurations_are_checked)
{
	struct toe_config out, in = { .requests = 100 };

	ck_assert_int_eq(toe_config_resolve(&out, NULL), 0);
	ck_assert_uint_eq(out.requests, 256);
	ck_assert_uint_eq(out.completions, 1024);
	ck_assert_int_eq(toe_config_resolve(&out, &in), -EINVAL);
	in = (struct toe_config){ .small_size = 100 };
	ck_assert_int_eq(toe_config_resolve(&out, &in), -EINVAL);
	in = (struct toe_config){ .large_size = (1u << 20) + 1 };
	ck_assert_int_eq(toe_config_resolve(&out, &in), -EINVAL);
	in = (struct toe_config){ .rsvd = { 0, 0, 0, 1 } };
	ck_assert_int_eq(toe_config_resolve(&out, &in), -EINVAL);
	in = (struct toe_config){ .flags = 0x80 };
	ck_assert_int_eq(toe_config_resolve(&out, &in), -EINVAL);
}
END_TEST

START_TEST(layout_of_the_driver_is_checked)
{
	struct toe_config cfg, in = {
		.requests = RING, .completions = RING, .small_count = RING,
		.small_size = SMALL, .large_count = RING, .large_size = LARGE,
		.staging = STAGING, .max_conns = 4,
	};
	struct toe_attach at = { .fd = -1, .mem = fake.mem,
				 .doorbell = fake.doorbell, .ctx = fake.u };
	struct toe *t;

	ck_assert_int_eq(toe_config_resolve(&cfg, &in), 0);
	at.ctx.data_off += 4096;
	ck_assert_int_eq(toe_attach(&t, &cfg, &at), -EPROTO);
	at.ctx = fake.u;
	at.ctx.cq_off = 0xffffffc0;
	ck_assert_int_eq(toe_attach(&t, &cfg, &at), -EPROTO);
	at.ctx = fake.u;
	at.ctx.rq_off += 4;
	ck_assert_int_eq(toe_attach(&t, &cfg, &at), -EPROTO);
}
END_TEST

/* ---- Connecting --------------------------------------------------------- */

START_TEST(connect_reports_and_names)
{
	struct toe_hw_req r;
	int mine;
	struct toe_conn *c = start_connect(&mine, &r);
	struct toe_event ev;
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	ck_assert(rung(TOE_DB_RQ));
	ck_assert_uint_eq(r.handle, 0);
	ck_assert_uint_eq(r.flags, 0);
	ck_assert_uint_eq(r.u.connect.family, TOE_AF_INET);
	ck_assert_uint_eq(r.u.connect.rport, 80);
	ck_assert_uint_eq(r.u.connect.lport, 0);
	ck_assert_uint_eq(r.u.connect.credit, CREDIT);
	ck_assert_mem_eq(r.u.connect.raddr, "\x0a\x00\x02\x02\0\0\0\0", 8);
	ck_assert_uint_eq(r.u.connect.maxseg | r.u.connect.ttl, 0);
	no_event();
	ck_assert_int_eq(toe_send(c, "x", 1, 0), -ENOTCONN);
	complete(&r, TOE_ST_OK, 77, 0);
	no_event();
	conn_event(TOE_EV_ESTABLISHED, TOE_ST_OK, 77, r.cookie);
	ev = one_event();
	ck_assert_uint_eq(ev.events, TOE_CONNECTED);
	ck_assert_ptr_eq(ev.conn, c);
	ck_assert_ptr_eq(ev.user, &mine);
	ck_assert_int_eq(toe_conn_name(c, (struct sockaddr *)&a, &len), 0);
	ck_assert_uint_eq(ntohs(a.sin_port), 40000);
	ck_assert_uint_eq(ntohl(a.sin_addr.s_addr), 0x0a00020f);
	toe_close_conn(c);
	r = take_op(TOE_OP_CLOSE);
	ck_assert_uint_eq(r.handle, 77);
	ck_assert_uint_eq(requests_waiting(), 0);
}
END_TEST

START_TEST(refused_is_an_event)
{
	struct toe_hw_req r;
	struct toe_conn *c = start_connect(NULL, &r);
	struct toe_event ev;

	complete(&r, TOE_ST_OK, 5, 0);
	conn_event(TOE_EV_CLOSED, TOE_ST_REFUSED, 5, r.cookie);
	ev = one_event();
	ck_assert_uint_eq(ev.events, TOE_CLOSED);
	ck_assert_int_eq(ev.status, -ECONNREFUSED);
	ck_assert_int_eq(toe_send(c, "x", 1, 0), -ECONNREFUSED);
	/* the handle is dead: nothing to close on the adapter */
	toe_close_conn(c);
	ck_assert_uint_eq(requests_waiting(), 0);
}
END_TEST

START_TEST(failed_connect_request)
{
	struct toe_hw_req r;
	struct toe_conn *c = start_connect(NULL, &r);

	complete(&r, TOE_ST_NOROUTE, 0, 0);
	ck_assert_int_eq(one_event().status, -ENETUNREACH);
	toe_close_conn(c);
	ck_assert_uint_eq(requests_waiting(), 0);
}
END_TEST

START_TEST(closed_before_there_is_a_handle)
{
	struct toe_hw_req r;
	struct toe_conn *c = start_connect(NULL, &r);

	toe_close_conn(c);
	ck_assert_uint_eq(requests_waiting(), 0);
	complete(&r, TOE_ST_OK, 9, 0);
	no_event();
	ck_assert_uint_eq(take_op(TOE_OP_ABORT).handle, 9);
}
END_TEST

START_TEST(arguments_of_connect)
{
	struct sockaddr_in a = peer_addr();
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = 1 };
	struct toe_conn_opts opts = { .rsvd = { 1 } };
	struct toe_conn *c;

	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a, 4, NULL, &c),
			 -EINVAL);
	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a6, sizeof(a6),
				     NULL, &c), -EAFNOSUPPORT);
	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a, sizeof(a),
				     &opts, &c), -EINVAL);
	a.sin_port = 0;
	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a, sizeof(a),
				     NULL, &c), -EINVAL);
	ck_assert_uint_eq(requests_waiting(), 0);
}
END_TEST

/* Only with an adapter that has it; sizes and names are sockaddr_in6's. */
START_TEST(connect_over_ipv6)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(443) }, name;
	struct sockaddr *a = (struct sockaddr *)&a6;
	socklen_t len = sizeof(name);
	struct toe_hw_cqe cqe = {
		.type = TOE_EV_ESTABLISHED, .handle = 77,
		.u.conn = { .family = TOE_AF_INET6, .lport = 40000,
			    .rport = 443, .mss = 1440 },
	};
	struct toe_hw_req r;
	struct toe_conn *c;

	toe->caps |= TOE_CAP_IPV6;
	inet_pton(AF_INET6, "fec0::2", &a6.sin6_addr);
	inet_pton(AF_INET6, "fec0::15", cqe.u.conn.laddr);
	memcpy(cqe.u.conn.raddr, &a6.sin6_addr, 16);
	ck_assert_int_eq(toe_connect(toe, a, sizeof(struct sockaddr_in), NULL,
				     &c), -EINVAL);
	ck_assert_int_eq(toe_connect(toe, a, sizeof(a6), NULL, &c), 0);
	r = take_op(TOE_OP_CONNECT);
	ck_assert_uint_eq(r.u.connect.family, TOE_AF_INET6);
	ck_assert_uint_eq(r.u.connect.rport, 443);
	ck_assert_mem_eq(r.u.connect.raddr, &a6.sin6_addr, 16);
	complete(&r, TOE_ST_OK, 77, 0);
	cqe.cookie = r.cookie;
	post_event(cqe);
	ck_assert_uint_eq(one_event().events, TOE_CONNECTED);
	ck_assert_int_eq(toe_conn_name(c, (struct sockaddr *)&name, &len), 0);
	ck_assert_uint_eq(len, sizeof(name));
	ck_assert_uint_eq(name.sin6_family, AF_INET6);
	ck_assert_uint_eq(ntohs(name.sin6_port), 40000);
	ck_assert_mem_eq(&name.sin6_addr, cqe.u.conn.laddr, 16);
	ck_assert_int_eq(toe_conn_peer(c, (struct sockaddr *)&name, &len), 0);
	ck_assert_uint_eq(ntohs(name.sin6_port), 443);
	ck_assert_mem_eq(&name.sin6_addr, &a6.sin6_addr, 16);
	/* Cut to the caller's room, and its full length said. */
	len = 4;
	memset(&name, 0xee, sizeof(name));
	ck_assert_int_eq(toe_conn_peer(c, (struct sockaddr *)&name, &len), 0);
	ck_assert_uint_eq(len, sizeof(name));
	ck_assert_uint_eq(((uint8_t *)&name)[4], 0xee);
}
END_TEST

START_TEST(listen_over_ipv6)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof(a6);
	struct toe_hw_req r = { .opcode = TOE_OP_LISTEN };
	struct toe_listener *l;

	toe->caps |= TOE_CAP_IPV6;
	r.cookie = toe_cookie(TOE_CK_LISTEN, toe->conns_used, 1);
	complete(&r, TOE_ST_OK, 50, 4711);
	ck_assert_int_eq(toe_listen(toe, (struct sockaddr *)&a6, sizeof(a6), 5,
				    NULL, &l), 0);
	ck_assert_uint_eq(take_op(TOE_OP_LISTEN).u.listen.family,
			  TOE_AF_INET6);
	ck_assert_int_eq(toe_listener_name(l, (struct sockaddr *)&a6, &len),
			 0);
	ck_assert_uint_eq(a6.sin6_family, AF_INET6);
	ck_assert_uint_eq(ntohs(a6.sin6_port), 4711);
}
END_TEST

START_TEST(table_of_connections_is_bounded)
{
	struct sockaddr_in a = peer_addr();
	struct toe_conn *c;
	int i;

	for (i = 0; i < 4; i++)
		open_conn(NULL);
	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a, sizeof(a),
				     NULL, &c), -EMFILE);
}
END_TEST

/* ---- Rings -------------------------------------------------------------- */

START_TEST(rings_wrap)
{
	struct open_conn o;
	int i;

	for (i = 0; i < 100; i++) {
		o = open_conn(NULL);
		toe_close_conn(o.c);
		ck_assert_uint_eq(take_op(TOE_OP_CLOSE).handle, o.handle);
	}
	ck_assert_uint_eq(toe->stats.bad, 0);
	ck_assert_uint_eq(toe->stats.conns, 0);
}
END_TEST

START_TEST(no_doorbell_while_the_adapter_looks)
{
	struct toe_hw_req r;

	fake.page->rq_looking = 1;
	start_connect(NULL, &r);
	ck_assert(!rung(TOE_DB_RQ));
	fake.page->rq_looking = 0;
	start_connect(NULL, &r);
	ck_assert(rung(TOE_DB_RQ));
}
END_TEST

START_TEST(full_request_queue)
{
	struct open_conn o = open_conn(NULL), p = open_conn(NULL);
	uint32_t i;

	for (i = 1; i <= RING; i++)
		ck_assert_int_eq(toe_setopt(o.c, TOE_CREDIT, CREDIT + i), 0);
	ck_assert_int_eq(toe_send(p.c, "a", 1, 0), -EAGAIN);
	ck_assert_uint_ge(toe->stats.rq_full, 1);
	/* closing cannot fail, and is done when there's room */
	toe_close_conn(o.c);
	ck_assert_uint_eq(requests_waiting(), RING);
	no_event();
	/* the adapter makes room without a word: waiting must not sleep */
	for (i = 0; i < RING; i++)
		take_op(TOE_OP_CREDIT);
	ck_assert_int_eq(toe_wait(toe, -1), 1);
	ck_assert_uint_eq(one_event().events, TOE_WRITABLE);
	ck_assert_uint_eq(take_op(TOE_OP_CLOSE).handle, o.handle);
	ck_assert_int_eq(toe_send(p.c, "a", 1, 0), 1);
}
END_TEST

/* An adapter that takes no requests at all: time-outs hold nevertheless. */
START_TEST(full_request_queue_and_a_time_out)
{
	struct open_conn o = open_conn(NULL);
	struct sockaddr_in a = peer_addr();
	struct toe_conn *c = NULL;
	uint32_t i;

	for (i = 1; i <= RING; i++)
		ck_assert_int_eq(toe_setopt(o.c, TOE_CREDIT, CREDIT + i), 0);
	ck_assert_int_eq(toe_connect_wait(toe, (struct sockaddr *)&a,
					  sizeof(a), NULL, 1, &c),
			 -ETIMEDOUT);
	ck_assert_ptr_null(c);
	ck_assert_int_eq(toe_send_all(o.c, "x", 1, 1), -ETIMEDOUT);
	ck_assert_uint_eq(requests_waiting(), RING);
}
END_TEST

START_TEST(full_completion_queue)
{
	struct open_conn o = open_conn(NULL);
	uint32_t i;

	for (i = 0; i < RING; i++)
		receive(0, o.handle, o.cookie, "x", 1);
	fake.page->cq_full = 1;
	ck_assert_uint_eq(one_event().events, TOE_READABLE);
	ck_assert(rung(TOE_DB_CQ_SPACE));
	ck_assert_uint_eq(fake.page->cq_head, fake.page->cq_tail);
	ck_assert_uint_eq(toe_recv_pending(o.c), RING);
}
END_TEST

START_TEST(wild_indices_stop_the_context)
{
	struct toe_event ev[4];

	open_conn(NULL);
	fake.page->cq_tail += RING + 1;
	ck_assert_int_eq(toe_poll(toe, ev, 4), 2);
	ck_assert_uint_eq(ev[0].events, TOE_DEAD);
	ck_assert_int_eq(ev[0].status, -EIO);
	ck_assert_uint_eq(ev[1].events, TOE_CLOSED);
	ck_assert_int_eq(toe_wait(toe, -1), -ENODEV);
}
END_TEST

START_TEST(wild_rq_head_stops_the_context)
{
	struct sockaddr_in a = peer_addr();
	struct toe_conn *c;

	fake.page->rq_head += 3;
	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a, sizeof(a),
				     NULL, &c), -ENODEV);
	ck_assert_uint_eq(one_event().events, TOE_DEAD);
}
END_TEST

/* ---- Receiving ---------------------------------------------------------- */

START_TEST(receive_by_copy)
{
	struct open_conn o = open_conn(NULL);
	char buf[32] = "";
	uint32_t id;

	ck_assert_int_eq(toe_recv(o.c, buf, 4, 0), -EAGAIN);
	id = receive(0, o.handle, o.cookie, "hello ", 6);
	receive(1, o.handle, o.cookie, "world", 5);
	ck_assert_uint_eq(one_event().events, TOE_READABLE);
	no_event();
	ck_assert_int_eq(toe_recv(o.c, buf, 32, TOE_PEEK), 11);
	ck_assert_mem_eq(buf, "hello world", 11);
	ck_assert_int_eq(toe_recv(o.c, buf, 4, 0), 4);
	ck_assert_mem_eq(buf, "hell", 4);
	ck_assert_int_eq(toe_recv(o.c, buf, 32, TOE_PEEK), 7);
	/* the small one goes back only when it's empty */
	ck_assert_uint_eq(toe->bufs[id].state, TOE_BUF_FILLED);
	ck_assert_int_eq(toe_recv(o.c, buf, 3, 0), 3);
	ck_assert_mem_eq(buf, "o w", 3);
	ck_assert_uint_eq(toe->bufs[id].state, TOE_BUF_POSTED);
	ck_assert_uint_eq(fake.page->bq_small_tail - fake.page->bq_small_head,
			  RING);
	ck_assert_int_eq(toe_recv(o.c, buf, 32, 0), 4);
	ck_assert_mem_eq(buf, "orld", 4);
	ck_assert_int_eq(toe_recv(o.c, buf, 32, 0), -EAGAIN);
	ck_assert_uint_eq(toe_recv_pending(o.c), 0);
}
END_TEST

START_TEST(buffers_go_round)
{
	struct open_conn o = open_conn(NULL);
	uint8_t in[200], out[200];
	uint32_t i, j;

	for (i = 0; i < 50; i++) {
		for (j = 0; j < sizeof(in); j++)
			in[j] = (uint8_t)(i * 7 + j);
		receive(i & 1, o.handle, o.cookie, in, sizeof(in));
		ck_assert_int_eq(toe_recv(o.c, out, sizeof(out), 0),
				 (int)sizeof(out));
		ck_assert_mem_eq(in, out, sizeof(in));
		while (requests_waiting())
			take_op(TOE_OP_CREDIT);
	}
	ck_assert_uint_eq(toe->stats.bytes_in, 50 * sizeof(in));
	ck_assert_uint_eq(toe->stats.bad, 0);
}
END_TEST

START_TEST(credit_is_asked_for_by_halves)
{
	struct open_conn o = open_conn(NULL);
	uint8_t data[LARGE] = { 0 };
	struct toe_hw_req r;

	receive(1, o.handle, o.cookie, data, LARGE - 1);
	ck_assert_int_eq(toe_recv(o.c, data, LARGE, 0), LARGE - 1);
	ck_assert_uint_eq(requests_waiting(), 0);
	receive(0, o.handle, o.cookie, data, 2);
	ck_assert_int_eq(toe_recv(o.c, data, 1, 0), 1);
	r = take_op(TOE_OP_CREDIT);		/* 4096 of 8192 */
	ck_assert_uint_eq(r.u.credit.credit, LARGE);
	ck_assert_uint_eq(r.handle, o.handle);
	ck_assert_uint_eq(r.flags, TOE_REQ_F_QUIET);
	ck_assert(rung(TOE_DB_RQ));
	ck_assert_int_eq(toe_recv(o.c, data, 1, 0), 1);
	ck_assert_uint_eq(requests_waiting(), 0);
}
END_TEST

START_TEST(credit_window_changes)
{
	struct open_conn o = open_conn(NULL);
	uint8_t data[LARGE] = { 0 };

	ck_assert_int_eq(toe_setopt(o.c, TOE_CREDIT, CREDIT + 100), 0);
	ck_assert_uint_eq(take_op(TOE_OP_CREDIT).u.credit.credit, 100);
	/* lowered by 8192: the next 8192 bytes are not asked for again */
	ck_assert_int_eq(toe_setopt(o.c, TOE_CREDIT, 100), 0);
	receive(1, o.handle, o.cookie, data, LARGE);
	receive(1, o.handle, o.cookie, data, LARGE);
	ck_assert_int_eq(toe_recv(o.c, data, LARGE, 0), LARGE);
	ck_assert_int_eq(toe_recv(o.c, data, LARGE, 0), LARGE);
	ck_assert_uint_eq(requests_waiting(), 0);
	receive(0, o.handle, o.cookie, data, 60);
	ck_assert_int_eq(toe_recv(o.c, data, LARGE, 0), 60);
	ck_assert_uint_eq(take_op(TOE_OP_CREDIT).u.credit.credit, 60);
}
END_TEST

START_TEST(lend_and_return)
{
	struct open_conn o = open_conn(NULL);
	uint8_t data[LARGE];
	struct toe_lend a, b;

	memset(data, 0x5a, sizeof(data));
	receive(1, o.handle, o.cookie, data, LARGE);
	receive(1, o.handle, o.cookie, data, 10);
	ck_assert_int_eq(toe_recv(o.c, data, 16, 0), 16);
	ck_assert_int_eq(toe_recv_lend(o.c, &a), 1);
	ck_assert_uint_eq(a.length, LARGE - 16);
	ck_assert_int_eq(toe_recv_lend(o.c, &b), 1);
	ck_assert_uint_eq(b.length, 10);
	ck_assert_mem_eq(b.data, data + 100, 10);
	ck_assert_int_eq(toe_recv_lend(o.c, &b), -EAGAIN);
	/* not returned: no credit, no buffer */
	ck_assert_uint_eq(requests_waiting(), 0);
	ck_assert_uint_eq(fake.page->bq_large_tail - fake.page->bq_large_head,
			  RING - 2);
	ck_assert_int_eq(toe_recv_return(toe, &b), 0);
	ck_assert_int_eq(toe_recv_return(toe, &b), -EINVAL);
	ck_assert_uint_eq(requests_waiting(), 0);
	ck_assert_int_eq(toe_recv_return(toe, &a), 0);
	ck_assert_uint_eq(take_op(TOE_OP_CREDIT).u.credit.credit, LARGE + 10);
	b.buffer = 1000;
	ck_assert_int_eq(toe_recv_return(toe, &b), -EINVAL);
}
END_TEST

START_TEST(return_after_close)
{
	struct open_conn o = open_conn(NULL);
	struct toe_lend l;

	receive(0, o.handle, o.cookie, "abc", 3);
	ck_assert_int_eq(toe_recv_lend(o.c, &l), 1);
	toe_close_conn(o.c);
	take_op(TOE_OP_CLOSE);
	ck_assert_mem_eq(l.data, "abc", 3);
	ck_assert_int_eq(toe_recv_return(toe, &l), 0);
	ck_assert_uint_eq(requests_waiting(), 0);
	ck_assert_uint_eq(fake.page->bq_small_tail - fake.page->bq_small_head,
			  RING);
}
END_TEST

START_TEST(bytes_before_the_end)
{
	struct open_conn o = open_conn(NULL);
	char buf[8];

	receive(0, o.handle, o.cookie, "abc", 3);
	conn_event(TOE_EV_PEER_CLOSED, 0, o.handle, o.cookie);
	ck_assert_uint_eq(one_event().events, TOE_READABLE | TOE_PEER_CLOSED);
	ck_assert_int_eq(toe_recv(o.c, buf, 8, 0), 3);
	ck_assert_int_eq(toe_recv(o.c, buf, 8, 0), 0);
	/* sending still works, in half-close */
	ck_assert_int_eq(toe_send(o.c, "x", 1, 0), 1);
}
END_TEST

START_TEST(bytes_before_the_error)
{
	struct open_conn o = open_conn(NULL);
	char buf[8];

	receive(0, o.handle, o.cookie, "abc", 3);
	conn_event(TOE_EV_CLOSED, TOE_ST_RESET, o.handle, o.cookie);
	ck_assert_int_eq(toe_recv(o.c, buf, 8, 0), 3);
	ck_assert_int_eq(toe_recv(o.c, buf, 8, 0), -ECONNRESET);
	ck_assert_int_eq(toe_send(o.c, "x", 1, 0), -ECONNRESET);
}
END_TEST

START_TEST(starved_adapter_is_told)
{
	struct open_conn o = open_conn(NULL);
	char buf[8];

	receive(0, o.handle, o.cookie, "abc", 3);
	ck_assert_int_eq(toe_recv(o.c, buf, 8, 0), 3);
	ck_assert(!rung(TOE_DB_BQ));
	receive(0, o.handle, o.cookie, "abc", 3);
	fake.page->bq_starved = 1;
	ck_assert_int_eq(toe_recv(o.c, buf, 3, 0), 3);
	ck_assert_int_eq(toe_recv(o.c, buf, 3, 0), -EAGAIN);
	ck_assert(rung(TOE_DB_BQ));
	/* once is enough */
	no_event();
	ck_assert(!rung(TOE_DB_BQ));
	/* with more to read it can wait, but not longer than the reading */
	receive(0, o.handle, o.cookie, "a", 1);
	receive(0, o.handle, o.cookie, "b", 1);
	ck_assert_uint_eq(one_event().events, TOE_READABLE);
	ck_assert_int_eq(toe_recv(o.c, buf, 1, 0), 1);
	ck_assert(!rung(TOE_DB_BQ));
	ck_assert_int_eq(toe_recv(o.c, buf, 1, 0), 1);
	ck_assert_int_eq(toe_wait(toe, 0), 0);
	ck_assert(rung(TOE_DB_BQ));
}
END_TEST

/* ---- Stale and senseless completions ------------------------------------ */

START_TEST(events_of_a_closed_connection)
{
	struct open_conn o = open_conn(NULL), p;

	toe_close_conn(o.c);
	take_op(TOE_OP_CLOSE);
	p = open_conn(NULL);			/* takes the same place */
	ck_assert_uint_eq(toe_cookie_index(o.cookie),
			  toe_cookie_index(p.cookie));
	receive(0, o.handle, o.cookie, "old", 3);
	conn_event(TOE_EV_PEER_CLOSED, 0, o.handle, o.cookie);
	no_event();
	ck_assert_uint_eq(toe_recv_pending(p.c), 0);
	ck_assert_uint_eq(toe->stats.stale, 2);
	ck_assert_uint_eq(fake.page->bq_small_tail - fake.page->bq_small_head,
			  RING);
}
END_TEST

START_TEST(bad_buffers_are_counted)
{
	struct open_conn o = open_conn(NULL);
	struct toe_hw_cqe e = {
		.type = TOE_EV_RECV, .handle = o.handle, .cookie = o.cookie,
	};
	struct toe_event ev;
	uint32_t id = receive(0, o.handle, o.cookie, "x", 1);

	ck_assert_int_eq(toe_poll(toe, &ev, 1), 1);
	e.u.recv.length = 1;
	e.u.recv.buf_id = id;			/* not the adapter's now */
	post_event(e);
	e.u.recv.buf_id = 2 * RING;		/* no such buffer */
	post_event(e);
	e.u.recv.buf_id = 0xffffffff;
	post_event(e);
	e.u.recv.buf_id = (id + 1) % RING;
	e.u.recv.length = SMALL + 1;		/* longer than it is */
	post_event(e);
	e.u.recv.length = 1;
	e.flags = TOE_CQE_F_LARGE;		/* of the other queue */
	post_event(e);
	no_event();
	ck_assert_uint_eq(toe->stats.bad, 5);
	ck_assert_uint_eq(toe_recv_pending(o.c), 1);
}
END_TEST

START_TEST(bad_cookies_are_counted)
{
	struct open_conn o = open_conn(NULL);
	struct toe_hw_req r = { .opcode = TOE_OP_SEND };

	r.cookie = toe_cookie(TOE_CK_SEND, 0, 1);	/* nothing was sent */
	complete(&r, TOE_ST_OK, o.handle, 0);
	r.cookie = toe_cookie(TOE_CK_SEND, 0x7fffffff, 1);
	complete(&r, TOE_ST_OK, o.handle, 0);
	r.cookie = 0;
	complete(&r, TOE_ST_OK, o.handle, 0);
	conn_event(0x66, 0, o.handle, o.cookie);	/* unknown event */
	no_event();
	ck_assert_uint_eq(toe->stats.bad, 4);
	ck_assert_int_eq(toe_send(o.c, "a", 1, 0), 1);
	r = take_op(TOE_OP_SEND);
	complete(&r, TOE_ST_OK, o.handle, 0);
	complete(&r, TOE_ST_OK, o.handle, 0);		/* twice */
	no_event();
	ck_assert_uint_eq(toe->stats.bad, 5);
	ck_assert_uint_eq(toe->stage_free, toe->stage_slots);
}
END_TEST

/* ---- Sending ------------------------------------------------------------ */

static const uint8_t *staged(const struct toe_hw_req *r)
{
	ck_assert_uint_eq(r->npieces, 1);
	ck_assert_uint_eq(r->u.piece[0].key, KEY);
	ck_assert_uint_le(r->u.piece[0].offset + r->u.piece[0].length,
			  fake.u.mem_size);
	return fake.mem + r->u.piece[0].offset;
}

START_TEST(send_copies)
{
	struct open_conn o = open_conn(NULL);
	char text[] = "some bytes";
	struct toe_hw_req r;

	ck_assert_int_eq(toe_send(o.c, text, 10, 0), 10);
	memset(text, 0, sizeof(text));
	ck_assert(rung(TOE_DB_RQ));
	r = take_op(TOE_OP_SEND);
	ck_assert_uint_eq(r.handle, o.handle);
	ck_assert_uint_eq(r.u.piece[0].length, 10);
	ck_assert_mem_eq(staged(&r), "some bytes", 10);
	ck_assert_uint_eq(toe_send_pending(o.c), 10);
	complete(&r, TOE_ST_OK, o.handle, 0);
	no_event();
	ck_assert_uint_eq(toe_send_pending(o.c), 0);
	ck_assert_uint_eq(toe->stage_free, toe->stage_slots);
}
END_TEST

START_TEST(send_gathers)
{
	struct open_conn o = open_conn(NULL);
	struct iovec iov[] = {
		{ "ab", 2 }, { NULL, 0 }, { "cde", 3 }, { "", 0 },
	};
	struct toe_hw_req r;

	ck_assert_int_eq(toe_sendv(o.c, iov, 4, 0), 5);
	r = take_op(TOE_OP_SEND);
	ck_assert_mem_eq(staged(&r), "abcde", 5);
}
END_TEST

START_TEST(staging_is_shared_fairly)
{
	struct open_conn o = open_conn(NULL), p = open_conn(NULL);
	static uint8_t data[2 * STAGING];
	struct toe_hw_req r;
	size_t i, got = 0;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 >> 3);
	/* one connection gets half of the memory, and never more */
	ck_assert_int_eq(toe_send(o.c, data, sizeof(data), 0), STAGING / 2);
	ck_assert_int_eq(toe_send(o.c, data, 1, 0), -EAGAIN);
	ck_assert_int_eq(toe_send(p.c, data, 100, 0), 100);
	while (requests_waiting()) {
		r = take_op(TOE_OP_SEND);
		if (r.handle == p.handle)
			continue;
		ck_assert_mem_eq(staged(&r), data + got, r.u.piece[0].length);
		got += r.u.piece[0].length;
		complete(&r, TOE_ST_OK, o.handle, 0);
	}
	ck_assert_uint_eq(got, STAGING / 2);
	ck_assert_uint_eq(one_event().events, TOE_WRITABLE);
	no_event();
	ck_assert_int_gt(toe_send(o.c, data, 1, 0), 0);
}
END_TEST

START_TEST(staging_is_used_again_in_any_order)
{
	struct open_conn o = open_conn(NULL), p = open_conn(NULL);
	static uint8_t a[3 * TOE_STAGE_SLOT], b[TOE_STAGE_SLOT];
	struct toe_hw_req ra, rb, r;
	int i;

	for (i = 0; i < 40; i++) {
		memset(a, i, sizeof(a));
		memset(b, 255 - i, sizeof(b));
		ck_assert_int_eq(toe_send(o.c, a, sizeof(a), 0), sizeof(a));
		ck_assert_int_eq(toe_send(p.c, b, sizeof(b), 0), sizeof(b));
		ra = take_op(TOE_OP_SEND);
		rb = take_op(TOE_OP_SEND);
		ck_assert_mem_eq(staged(&ra), a, sizeof(a));
		complete(&ra, TOE_ST_OK, o.handle, 0);
		no_event();
		/* b's memory is not overwritten by what comes in between */
		ck_assert_int_eq(toe_send(o.c, a, sizeof(a), 0), sizeof(a));
		r = take_op(TOE_OP_SEND);
		ck_assert_mem_eq(staged(&rb), b, sizeof(b));
		complete(&r, TOE_ST_OK, o.handle, 0);
		complete(&rb, TOE_ST_OK, p.handle, 0);
		no_event();
	}
	ck_assert_uint_eq(toe->stage_free, toe->stage_slots);
}
END_TEST

START_TEST(more_holds_the_doorbell)
{
	struct open_conn o = open_conn(NULL);

	ck_assert_int_eq(toe_send(o.c, "a", 1, TOE_MORE), 1);
	ck_assert(!rung(TOE_DB_RQ));
	ck_assert_uint_eq(take_op(TOE_OP_SEND).flags, TOE_REQ_F_MORE);
	ck_assert_int_eq(toe_send(o.c, "b", 1, TOE_MORE), 1);
	toe_flush(toe);
	ck_assert(rung(TOE_DB_RQ));
	toe_flush(toe);
	ck_assert(!rung(TOE_DB_RQ));
}
END_TEST

START_TEST(pending_sends_are_bounded)
{
	struct open_conn o = open_conn(NULL), p = open_conn(NULL);
	struct toe_mem m = {
		.toe = toe, .length = 4096, .key = 0x500001,
		.flags = TOE_MEM_F_SEND,
	};
	struct toe_hw_req r = { 0 };
	unsigned int i;

	for (i = 0; i < TOE_PENDING_SENDS; i++) {
		ck_assert_int_eq(toe_send_mem(o.c, &m, 0, 1, 0, i), 0);
		r = take_op(TOE_OP_SEND);
	}
	ck_assert_int_eq(toe_send_mem(o.c, &m, 0, 1, 0, i), -EAGAIN);
	ck_assert_int_eq(toe_send(o.c, "x", 1, 0), -EAGAIN);
	ck_assert_int_eq(toe_send(p.c, "x", 1, 0), 1);
	complete(&r, TOE_ST_OK, o.handle, 0);
	ck_assert_int_eq(toe_send(o.c, "x", 1, 0), 1);
}
END_TEST

START_TEST(send_mem_says_when)
{
	struct open_conn o = open_conn(&fake);
	struct toe_mem m = {
		.toe = toe, .length = 4096, .key = 0x500001,
		.flags = TOE_MEM_F_SEND,
	};
	struct toe_hw_req r;
	struct toe_event ev;

	ck_assert_int_eq(toe_send_mem(o.c, &m, 4000, 97, 0, 1), -EINVAL);
	ck_assert_int_eq(toe_send_mem(o.c, &m, SIZE_MAX, 2, 0, 1), -EINVAL);
	ck_assert_int_eq(toe_send_mem(o.c, &m, 0, 0, 0, 1), -EINVAL);
	ck_assert_int_eq(toe_send_mem(o.c, &m, 4000, 96, 0, 0xabcdef01234), 0);
	r = take_op(TOE_OP_SEND);
	ck_assert_uint_eq(r.u.piece[0].key, 0x500001);
	ck_assert_uint_eq(r.u.piece[0].offset, 4000);
	ck_assert_uint_eq(r.u.piece[0].length, 96);
	no_event();
	complete(&r, TOE_ST_OK, o.handle, 0);
	ev = one_event();
	ck_assert_uint_eq(ev.events, TOE_SENT);
	ck_assert_uint_eq(ev.cookie, 0xabcdef01234);
	ck_assert_uint_eq(ev.bytes, 96);
	ck_assert_int_eq(ev.status, 0);
	ck_assert_ptr_eq(ev.conn, o.c);
	ck_assert_ptr_eq(ev.user, &fake);
	ck_assert_uint_eq(toe->stats.bytes_out_copied, 0);
	/* also when the connection is gone, then without it */
	ck_assert_int_eq(toe_send_mem(o.c, &m, 0, 8, 0, 5), 0);
	r = take_op(TOE_OP_SEND);
	toe_close_conn(o.c);
	complete(&r, TOE_ST_ABORTED, o.handle, 0);
	ev = one_event();
	ck_assert_uint_eq(ev.events, TOE_SENT);
	ck_assert_uint_eq(ev.cookie, 5);
	ck_assert_int_eq(ev.status, -ECONNABORTED);
	ck_assert_uint_eq(ev.bytes, 0);
	ck_assert_ptr_null(ev.conn);
}
END_TEST

START_TEST(lost_bytes_end_the_connection)
{
	struct open_conn o = open_conn(NULL);
	struct toe_event ev;
	struct toe_hw_req r;

	ck_assert_int_eq(toe_send(o.c, "x", 1, 0), 1);
	r = take_op(TOE_OP_SEND);
	complete(&r, TOE_ST_DMA, o.handle, 0);
	ev = one_event();
	ck_assert_uint_eq(ev.events, TOE_CLOSED);
	ck_assert_int_eq(ev.status, -EIO);
	ck_assert_uint_eq(take_op(TOE_OP_ABORT).handle, o.handle);
	toe_close_conn(o.c);
	ck_assert_uint_eq(requests_waiting(), 0);
}
END_TEST

START_TEST(shutdown_once)
{
	struct open_conn o = open_conn(NULL);

	ck_assert_int_eq(toe_send(o.c, "x", 1, 0), 1);
	ck_assert_int_eq(toe_shutdown(o.c), 0);
	take_op(TOE_OP_SEND);
	ck_assert_uint_eq(take_op(TOE_OP_SHUTDOWN).handle, o.handle);
	ck_assert_int_eq(toe_shutdown(o.c), -EPIPE);
	ck_assert_int_eq(toe_send(o.c, "x", 1, 0), -EPIPE);
}
END_TEST

/* ---- Listening ---------------------------------------------------------- */

static struct toe_listener *listen_on(uint16_t port)
{
	struct sockaddr_in a = peer_addr();
	struct toe_listener *l = NULL;
	struct toe_hw_req r = { .opcode = TOE_OP_LISTEN };
	struct toe_conn *next = toe->conn_free;

	/* the answer is there before the question */
	r.cookie = next ? toe_cookie(TOE_CK_LISTEN, next->index, next->gen)
			: toe_cookie(TOE_CK_LISTEN, toe->conns_used, 1);
	complete(&r, TOE_ST_OK, 50, port ? port : 4711);
	a.sin_port = htons(port);
	ck_assert_int_eq(toe_listen(toe, (struct sockaddr *)&a, sizeof(a), 5,
				    &fake, &l), 0);
	r = take_op(TOE_OP_LISTEN);
	ck_assert_uint_eq(r.u.listen.lport, port);
	ck_assert_uint_eq(r.u.listen.backlog, 5);
	return l;
}

static uint64_t listen_cookie(struct toe_listener *l)
{
	return toe_cookie(TOE_CK_LISTEN, l->c.index, l->c.gen);
}

START_TEST(accept_takes_in_order)
{
	struct toe_listener *l = listen_on(0);
	struct toe_conn *c, *d;
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	struct toe_event ev;
	struct toe_hw_req r;

	ck_assert_int_eq(toe_listener_name(l, (struct sockaddr *)&a, &len), 0);
	ck_assert_uint_eq(ntohs(a.sin_port), 4711);
	ck_assert_int_eq(toe_accept(l, NULL, &c), -EAGAIN);
	conn_event(TOE_EV_ACCEPT, 0, 61, listen_cookie(l));
	conn_event(TOE_EV_ACCEPT, 0, 62, listen_cookie(l));
	ev = one_event();
	ck_assert_uint_eq(ev.events, TOE_ACCEPTABLE);
	ck_assert_ptr_eq(ev.listener, l);
	ck_assert_ptr_eq(ev.user, &fake);
	ck_assert_int_eq(toe_accept(l, NULL, &c), 0);
	r = take_op(TOE_OP_ACCEPT);
	ck_assert_uint_eq(r.handle, 61);
	ck_assert_uint_eq(r.u.credit.credit, CREDIT);
	complete(&r, TOE_ST_OK, 61, 0);
	receive(0, 61, r.cookie, "hi", 2);
	ck_assert_ptr_eq(one_event().conn, c);
	ck_assert_int_eq(toe_accept(l, NULL, &d), 0);
	r = take_op(TOE_OP_ACCEPT);
	ck_assert_uint_eq(r.handle, 62);
	complete(&r, TOE_ST_RESET, 62, 0);	/* died meanwhile */
	ev = one_event();
	ck_assert_ptr_eq(ev.conn, d);
	ck_assert_uint_eq(ev.events, TOE_CLOSED);
	ck_assert_int_eq(ev.status, -ECONNRESET);
	ck_assert_int_eq(toe_accept(l, NULL, &d), -EAGAIN);
}
END_TEST

START_TEST(who_finds_no_place_is_reset)
{
	struct toe_listener *l = listen_on(80);
	uint32_t i;

	for (i = 0; i < 4; i++)
		conn_event(TOE_EV_ACCEPT, 0, 61 + i, listen_cookie(l));
	one_event();
	ck_assert_uint_eq(take_op(TOE_OP_ABORT).handle, 64);
	ck_assert_uint_eq(requests_waiting(), 0);
	/* those that wait go with the listener */
	toe_close_listener(l);
	for (i = 0; i < 3; i++)
		ck_assert_uint_eq(take_op(TOE_OP_ABORT).handle, 61 + i);
	ck_assert_uint_eq(take_op(TOE_OP_CLOSE).handle, 50);
	ck_assert_uint_eq(toe->stats.conns, 0);
}
END_TEST

START_TEST(late_arrival_at_a_closed_listener)
{
	struct toe_listener *l = listen_on(80);
	uint64_t cookie = listen_cookie(l);

	toe_close_listener(l);
	take_op(TOE_OP_CLOSE);
	conn_event(TOE_EV_ACCEPT, 0, 61, cookie);
	no_event();
	ck_assert_uint_eq(take_op(TOE_OP_ABORT).handle, 61);
}
END_TEST

START_TEST(listen_fails)
{
	struct sockaddr_in a = peer_addr();
	struct toe_hw_req r = {
		.opcode = TOE_OP_LISTEN,
		.cookie = toe_cookie(TOE_CK_LISTEN, 0, 1),
	};
	struct toe_listener *l;

	complete(&r, TOE_ST_PERM, 0, 0);
	ck_assert_int_eq(toe_listen(toe, (struct sockaddr *)&a, sizeof(a), 5,
				    NULL, &l), -EACCES);
	ck_assert_uint_eq(toe->stats.conns, 0);
}
END_TEST

/* ---- The rest ----------------------------------------------------------- */

START_TEST(options_wait_for_the_answer)
{
	struct open_conn o = open_conn(NULL);
	struct toe_hw_req r = { .opcode = TOE_OP_GETOPT };
	uint64_t value = 0;

	r.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
	complete(&r, TOE_ST_OK, o.handle, 12345);
	ck_assert_int_eq(toe_getopt(o.c, TOE_SNDBUF, &value), 0);
	ck_assert_uint_eq(value, 12345);
	ck_assert_uint_eq(take_op(TOE_OP_GETOPT).u.opt.option, TOE_OPT_SNDBUF);
	r.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
	complete(&r, TOE_ST_INVALID, o.handle, 0);
	ck_assert_int_eq(toe_setopt(o.c, TOE_RCVBUF, 1), -EINVAL);
	ck_assert_int_eq(toe_setopt(o.c, 99, 1), -EINVAL);
}
END_TEST

START_TEST(options_of_connect)
{
	struct sockaddr_in a = peer_addr();
	struct toe_conn_opts opts = { .maxseg = 900, .tos = 0x20, .ttl = 4 };
	struct toe_hw_req r;
	struct toe_conn *c;

	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a, sizeof(a),
				     &opts, &c), 0);
	r = take_op(TOE_OP_CONNECT);
	ck_assert_uint_eq(r.u.connect.maxseg, 900);
	ck_assert_uint_eq(r.u.connect.tos, 0x20);
	ck_assert_uint_eq(r.u.connect.ttl, 4);
	opts.rsvd[3] = 1;
	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a, sizeof(a),
				     &opts, &c), -EINVAL);
}
END_TEST

START_TEST(close_waits_if_it_lingers)
{
	struct open_conn o = open_conn(NULL);
	struct toe_hw_req r = { .opcode = TOE_OP_SETOPT };

	r.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
	complete(&r, TOE_ST_OK, o.handle, 0);
	ck_assert_int_eq(toe_setopt(o.c, TOE_LINGER, TOE_LINGER_ON | 500), 0);
	r = take_op(TOE_OP_SETOPT);
	ck_assert_uint_eq(r.u.opt.option, TOE_OPT_LINGER);
	ck_assert(r.u.opt.value == (TOE_LINGER_ON | 500));
	/*
	 * Bytes that come between, and the answer: it is waited for, or the
	 * completion would still be there afterwards.
	 */
	ck_assert_uint_eq(toe->stats.conns, 1);
	receive(0, o.handle, o.cookie, "abc", 3);
	toe_complete(toe);
	r = (struct toe_hw_req){ .opcode = TOE_OP_CLOSE };
	r.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
	complete(&r, TOE_ST_TIMEDOUT, o.handle, 0);
	toe->ctl.done = false;
	toe_close_conn(o.c);
	ck_assert(toe->ctl.done);
	r = take_op(TOE_OP_CLOSE);
	ck_assert_uint_eq(r.handle, o.handle);
	ck_assert_uint_eq(r.flags, 0);
	ck_assert_uint_eq(toe->stats.conns, 0);
	ck_assert_uint_eq(fake.page->cq_head, fake.page->cq_tail);
	no_event();
}
END_TEST

START_TEST(tcp_info_is_asked_for)
{
	struct open_conn o = open_conn(NULL);
	struct toe_hw_req r = { .opcode = TOE_OP_INFO }, asked;
	struct toe_hw_tcp_info hw = {
		.state = TOE_TCP_ESTABLISHED, .rtt = 1234, .bytes_sent = 99,
		.rcv_wnd = 77,
	};
	struct toe_tcp_info info;
	struct toe_hw_cqe e = { .type = TOE_EV_COMPLETION };
	struct toe_conn *c;

	ck_assert_uint_le(toe->info_off + sizeof(hw), fake.u.mem_size);
	ck_assert_uint_ge(toe->info_off,
			  toe->stage_off + toe->stage_slots * TOE_STAGE_SLOT);
	memcpy(fake.mem + toe->info_off, &hw, sizeof(hw));
	memset(&info, 0xee, sizeof(info));
	e.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
	e.u.cpl.bytes = sizeof(hw);
	post_event(e);
	ck_assert_int_eq(toe_tcp_info(o.c, &info, sizeof(info)), 0);
	asked = take_op(TOE_OP_INFO);
	ck_assert_uint_eq(asked.handle, o.handle);
	ck_assert_uint_eq(asked.npieces, 1);
	ck_assert_uint_eq(asked.u.piece[0].key, KEY);
	ck_assert_uint_eq(asked.u.piece[0].offset, toe->info_off);
	ck_assert_uint_eq(asked.u.piece[0].length, sizeof(hw));
	ck_assert_uint_eq(info.state, TOE_STATE_ESTABLISHED);
	ck_assert_uint_eq(info.rtt, 1234);
	ck_assert_uint_eq(info.bytes_sent, 99);
	ck_assert_uint_eq(info.rcv_wnd, 77);
	/* An adapter that knows less, and a program that asks for less. */
	memset(&info, 0xee, sizeof(info));
	e.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
	e.u.cpl.bytes = offsetof(struct toe_hw_tcp_info, bytes_sent);
	post_event(e);
	ck_assert_int_eq(toe_tcp_info(o.c, &info,
				      offsetof(struct toe_tcp_info, rcv_wnd)),
			 0);
	take_op(TOE_OP_INFO);
	ck_assert_uint_eq(info.rtt, 1234);
	ck_assert_uint_eq(info.bytes_sent, 0);
	ck_assert_uint_eq(info.rcv_wnd, 0xeeeeeeee);
	/* One that lies about it. */
	e.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
	e.u.cpl.bytes = 0xffffffff;
	post_event(e);
	ck_assert_int_eq(toe_tcp_info(o.c, &info, sizeof(info)), -EIO);
	take_op(TOE_OP_INFO);
	/* An older one. */
	r.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
	complete(&r, TOE_ST_INVALID, o.handle, 0);
	ck_assert_int_eq(toe_tcp_info(o.c, &info, sizeof(info)), -EOPNOTSUPP);
	take_op(TOE_OP_INFO);
	ck_assert_int_eq(toe_tcp_info(o.c, &info, 0), -EINVAL);
	ck_assert_int_eq(toe_tcp_info(o.c, &info, sizeof(info) + 1), -EINVAL);
	c = start_connect(NULL, &r);
	ck_assert_int_eq(toe_tcp_info(c, &info, sizeof(info)), -ENOTCONN);
}
END_TEST

START_TEST(fault_ends_everything)
{
	struct open_conn o = open_conn(NULL);
	struct toe_mem m = {
		.toe = toe, .length = 4096, .key = 5, .flags = TOE_MEM_F_SEND,
	};
	struct toe_event ev[8];
	int n;

	ck_assert_int_eq(toe_send_mem(o.c, &m, 0, 10, 0, 42), 0);
	fake.page->fault = TOE_ST_BOUNDS;
	n = toe_poll(toe, ev, 8);
	ck_assert_int_eq(n, 3);
	ck_assert_uint_eq(ev[0].events, TOE_DEAD);
	ck_assert_int_eq(ev[0].status, -EFAULT);
	ck_assert_uint_eq(ev[1].events, TOE_SENT);
	ck_assert_uint_eq(ev[1].cookie, 42);
	ck_assert_int_eq(ev[1].status, -ENODEV);
	ck_assert_uint_eq(ev[2].events, TOE_CLOSED);
	ck_assert_int_eq(ev[2].status, -ENODEV);
	no_event();
	doorbells_clear();
	ck_assert_int_eq(toe_send(o.c, "x", 1, 0), -ENODEV);
	toe_close_conn(o.c);
	ck_assert(!rung(TOE_DB_RQ));
}
END_TEST

START_TEST(reset_of_the_adapter_is_noticed)
{
	struct toe_event ev[4];

	open_conn(NULL);
	fake.status.epoch++;
	ck_assert_int_eq(toe_wait(toe, -1), 1);
	ck_assert_int_eq(toe_poll(toe, ev, 4), 2);
	ck_assert_uint_eq(ev[0].events, TOE_DEAD);
	ck_assert_int_eq(ev[0].status, -ENODEV);
	ck_assert_uint_eq(ev[1].events, TOE_CLOSED);
	ck_assert_int_eq(toe_arm(toe), 1);
}
END_TEST

/* No connection was made: none may be closed, the one before least of all. */
START_TEST(connect_wait_on_a_dead_context)
{
	struct sockaddr_in a = peer_addr();
	struct toe_hw_req r = {
		.opcode = TOE_OP_CONNECT,
		.cookie = toe_cookie(TOE_CK_CONN, 0, 1),
	};
	struct toe_conn *c = NULL, *none = NULL;

	complete(&r, TOE_ST_OK, 5, 0);
	conn_event(TOE_EV_ESTABLISHED, TOE_ST_OK, 5, r.cookie);
	ck_assert_int_eq(toe_connect_wait(toe, (struct sockaddr *)&a,
					  sizeof(a), NULL, -1, &c), 0);
	fake.status.epoch++;
	ck_assert_int_eq(toe_wait(toe, -1), 1);
	ck_assert_int_eq(toe_connect_wait(toe, (struct sockaddr *)&a,
					  sizeof(a), NULL, -1, &none),
			 -ENODEV);
	ck_assert_ptr_null(none);
	ck_assert_uint_eq(toe->stats.conns, 1);
	toe_close_conn(c);
	ck_assert_uint_eq(toe->stats.conns, 0);
}
END_TEST

START_TEST(few_events_at_a_time)
{
	struct open_conn o = open_conn(NULL), p = open_conn(NULL);
	struct toe_event ev;

	receive(0, o.handle, o.cookie, "a", 1);
	receive(0, p.handle, p.cookie, "b", 1);
	ck_assert_int_eq(toe_poll(toe, &ev, 1), 1);
	ck_assert_ptr_eq(ev.conn, o.c);
	ck_assert_int_eq(toe_wait(toe, 0), 1);
	ck_assert_int_eq(toe_poll(toe, &ev, 1), 1);
	ck_assert_ptr_eq(ev.conn, p.c);
	ck_assert_int_eq(toe_wait(toe, 0), 0);
}
END_TEST

START_TEST(arm_says_where_we_are)
{
	struct open_conn o = open_conn(NULL);

	ck_assert_int_eq(toe_arm(toe), 0);
	ck_assert_uint_eq(fake.doorbell[TOE_DB_CQ_ARM / 4],
			  fake.page->cq_head);
	doorbells_clear();
	receive(0, o.handle, o.cookie, "a", 1);
	ck_assert_int_eq(toe_arm(toe), 1);
	ck_assert(!rung(TOE_DB_CQ_ARM));
	ck_assert_uint_eq(toe->stats.syscalls, 0);
}
END_TEST

START_TEST(blocking_calls_time_out)
{
	struct open_conn o = open_conn(NULL);
	char buf[4];

	ck_assert_int_eq(toe_recv_wait(o.c, buf, 4, 0), -ETIMEDOUT);
	receive(0, o.handle, o.cookie, "abcd", 4);
	ck_assert_int_eq(toe_recv_wait(o.c, buf, 4, 0), 4);
	ck_assert_int_eq(toe_send(o.c, buf, 4, 0), 4);
	ck_assert_int_eq(toe_send_drain(o.c, 0), -ETIMEDOUT);
}
END_TEST

START_TEST(statistics_for_old_programs)
{
	struct toe_stats s;

	open_conn(NULL);
	memset(&s, 0xff, sizeof(s));
	ck_assert_int_eq(toe_stats(toe, &s, 3 * sizeof(uint64_t)), 0);
	ck_assert_uint_eq(s.requests, 1);
	ck_assert_uint_eq(s.completions, UINT64_MAX);
	ck_assert_int_eq(toe_stats(toe, &s, sizeof(s)), 0);
	ck_assert_uint_eq(s.completions, 2);
	ck_assert_uint_eq(s.syscalls, 0);
	ck_assert_str_ne(toe_strerror(-ECONNREFUSED), toe_strerror(-12345));
}
END_TEST

/* ---- UDP ---------------------------------------------------------------- */

static struct sockaddr_in any_addr(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port) };

	return a;
}

struct open_udp {
	struct toe_udp *u;
	uint64_t cookie;
};

/* Prepare the answer that a waiting call will find. */
static void answer_ctl(uint8_t opcode, uint8_t status, uint64_t result)
{
	struct toe_hw_req r = { .opcode = opcode };

	r.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
	complete(&r, status, 70, result);
}

static struct open_udp open_udp(uint32_t credit)
{
	struct sockaddr_in a = any_addr(0);
	struct toe_udp_opts opts = { .credit = credit, .user = &fake };
	struct toe_conn *next = toe->conn_free;
	struct toe_hw_req r = { .opcode = TOE_OP_UDP_OPEN };
	struct open_udp o = { NULL, 0 };

	toe->caps |= TOE_CAP_UDP;
	r.cookie = next ? toe_cookie(TOE_CK_UDP, next->index, next->gen)
			: toe_cookie(TOE_CK_UDP, toe->conns_used, 1);
	o.cookie = r.cookie;
	complete(&r, TOE_ST_OK, 70, 4711);
	ck_assert_int_eq(toe_udp_open(toe, (struct sockaddr *)&a, sizeof(a),
				      &opts, &o.u), 0);
	r = take_op(TOE_OP_UDP_OPEN);
	ck_assert_uint_eq(r.cookie, o.cookie);
	ck_assert_uint_eq(r.u.udp_open.family, TOE_AF_INET);
	ck_assert_uint_eq(r.u.udp_open.credit, credit ? credit : 64);
	doorbells_clear();
	return o;
}

static void udp_event(uint8_t type, uint8_t status, uint64_t cookie)
{
	post_event((struct toe_hw_cqe){ .type = type, .status = status,
					.handle = 70, .cookie = cookie });
}

static uint32_t udp_in(uint64_t cookie, uint16_t rport, const void *data,
		       uint32_t len)
{
	uint32_t id = receive(0, 70, cookie, data, len);
	struct toe_hw_cqe *e = &fake.cq[(fake.page->cq_tail - 1) % RING];

	e->type = TOE_EV_UDP_RECV;
	e->u.udp_recv.total = (uint16_t)len;
	e->u.udp_recv.family = TOE_AF_INET;
	e->u.udp_recv.rport = rport;
	memcpy(e->u.udp_recv.raddr, "\x0a\x00\x02\x02", 4);
	memcpy(e->u.udp_recv.laddr, "\x0a\x00\x02\x0f", 4);
	return id;
}

static ssize_t udp_send(struct toe_udp *u, const void *data, size_t len)
{
	struct sockaddr_in a = peer_addr();

	return toe_udp_sendto(u, data, len, 0, (struct sockaddr *)&a,
			      sizeof(a));
}

START_TEST(udp_opens_and_closes)
{
	struct open_udp o = open_udp(0);
	struct sockaddr_in name;
	socklen_t len = sizeof(name);

	ck_assert_int_eq(toe_udp_name(o.u, (struct sockaddr *)&name, &len), 0);
	ck_assert_uint_eq(ntohs(name.sin_port), 4711);
	ck_assert_int_eq(toe_udp_peer(o.u, (struct sockaddr *)&name, &len),
			 -ENOTCONN);
	ck_assert_ptr_eq(toe_udp_user(o.u), &fake);
	toe_udp_close(o.u);
	ck_assert_uint_eq(take_op(TOE_OP_UDP_CLOSE).handle, 70);
	ck_assert_uint_eq(toe->stats.conns, 0);
	toe_udp_close(NULL);
}
END_TEST

START_TEST(udp_open_is_refused)
{
	struct sockaddr_in a = any_addr(53);
	struct toe_hw_req r = { .opcode = TOE_OP_UDP_OPEN };
	struct toe_udp_opts opts = { .rsvd = { 1 } };
	struct toe_udp *u = NULL;

	ck_assert_int_eq(toe_udp_open(toe, (struct sockaddr *)&a, sizeof(a),
				      NULL, &u), -EOPNOTSUPP);
	toe->caps |= TOE_CAP_UDP;
	ck_assert_int_eq(toe_udp_open(toe, (struct sockaddr *)&a, sizeof(a),
				      &opts, &u), -EINVAL);
	ck_assert_int_eq(toe_udp_open(toe, (struct sockaddr *)&a, 3, NULL,
				      &u), -EINVAL);
	r.cookie = toe_cookie(TOE_CK_UDP, toe->conns_used, 1);
	complete(&r, TOE_ST_ADDRINUSE, 0, 0);
	ck_assert_int_eq(toe_udp_open(toe, (struct sockaddr *)&a, sizeof(a),
				      NULL, &u), -EADDRINUSE);
	ck_assert_uint_eq(toe->stats.conns, 0);
}
END_TEST

START_TEST(udp_sends)
{
	struct open_udp o = open_udp(0);
	struct toe_hw_req r;

	ck_assert_int_eq(udp_send(o.u, "hello", 5), 5);
	ck_assert(rung(TOE_DB_RQ));
	r = take_op(TOE_OP_UDP_SEND);
	ck_assert_uint_eq(r.handle, 70);
	ck_assert_uint_eq(r.npieces, 1);
	ck_assert_uint_eq(r.u.udp_send.family, TOE_AF_INET);
	ck_assert_uint_eq(r.u.udp_send.rport, 80);
	ck_assert_mem_eq(r.u.udp_send.raddr, "\x0a\x00\x02\x02", 4);
	ck_assert_uint_eq(r.u.udp_send.piece.key, KEY);
	ck_assert_uint_eq(r.u.udp_send.piece.length, 5);
	ck_assert_mem_eq(fake.mem + r.u.udp_send.piece.offset, "hello", 5);
	complete(&r, TOE_ST_OK, 70, 0);
	no_event();
	ck_assert_uint_eq(toe->stage_free, toe->stage_slots);
	/* An empty one names no memory. */
	ck_assert_int_eq(udp_send(o.u, NULL, 0), 0);
	r = take_op(TOE_OP_UDP_SEND);
	ck_assert_uint_eq(r.npieces, 0);
	ck_assert_uint_eq(r.u.udp_send.piece.key, 0);
	complete(&r, TOE_ST_OK, 70, 0);
	no_event();
	ck_assert_uint_eq(toe->stage_free, toe->stage_slots);
	ck_assert_int_eq(toe_udp_sendto(o.u, "x", 1, 0, NULL, 0),
			 -EDESTADDRREQ);
	ck_assert_int_eq(toe_udp_sendto(o.u, "x", 1, 1, NULL, 0), -EINVAL);
	ck_assert_int_eq(udp_send(o.u, "x", 65528), -EMSGSIZE);
}
END_TEST

START_TEST(udp_send_tells_the_answer)
{
	struct open_udp o = open_udp(0);
	struct toe_hw_req r = { .opcode = TOE_OP_UDP_SEND };
	struct toe_event ev;

	/* The answer is there before the question. */
	r.cookie = toe_cookie(TOE_CK_SEND, 0, 1);
	complete(&r, TOE_ST_NOROUTE, 70, 0);
	ck_assert_int_eq(udp_send(o.u, "x", 1), -ENETUNREACH);
	take_op(TOE_OP_UDP_SEND);
	no_event();
	ck_assert_uint_eq(toe->stage_free, toe->stage_slots);
	/* One that comes later is no news of the next. */

	ck_assert_int_eq(udp_send(o.u, "x", 1), 1);
	r = take_op(TOE_OP_UDP_SEND);
	complete(&r, TOE_ST_AGAIN, 70, 0);
	no_event();
	/* Full: no request, until the adapter says so. */
	ck_assert_int_eq(udp_send(o.u, "x", 1), -EAGAIN);
	ck_assert_uint_eq(requests_waiting(), 0);
	udp_event(TOE_EV_UDP_WRITABLE, 0, o.cookie);
	ev = one_event();
	ck_assert_uint_eq(ev.events, TOE_WRITABLE | TOE_UDP);
	ck_assert_ptr_eq(ev.udp, o.u);
	ck_assert_ptr_null(ev.conn);
	ck_assert_ptr_eq(ev.user, &fake);
	ck_assert_int_eq(udp_send(o.u, "x", 1), 1);
}
END_TEST

START_TEST(udp_send_meets_our_limits)
{
	struct open_udp o = open_udp(0);
	struct toe_hw_req r[4];
	uint8_t big[2 * TOE_STAGE_SLOT] = { 7 };

	/* Half of the staging memory: four slots. */
	ck_assert_int_eq(udp_send(o.u, big, sizeof(big)), sizeof(big));
	ck_assert_int_eq(udp_send(o.u, big, sizeof(big)), sizeof(big));
	ck_assert_int_eq(udp_send(o.u, "x", 1), -EAGAIN);
	r[0] = take_op(TOE_OP_UDP_SEND);
	r[1] = take_op(TOE_OP_UDP_SEND);
	complete(&r[0], TOE_ST_OK, 70, 0);
	ck_assert_uint_eq(one_event().events, TOE_WRITABLE | TOE_UDP);
	ck_assert_int_eq(udp_send(o.u, "x", 1), 1);
	r[2] = take_op(TOE_OP_UDP_SEND);
	complete(&r[1], TOE_ST_OK, 70, 0);
	complete(&r[2], TOE_ST_OK, 70, 0);
	no_event();
	ck_assert_uint_eq(toe->stage_free, toe->stage_slots);
}
END_TEST

START_TEST(udp_receives)
{
	struct open_udp o = open_udp(0);
	struct toe_dgram d;
	struct sockaddr_in from, to;
	struct toe_event ev;
	char buf[16];

	ck_assert_int_eq(toe_udp_recv(o.u, buf, 16, 0, &d), -EAGAIN);
	udp_in(o.cookie, 53, "hello", 5);
	udp_in(o.cookie, 54, "", 0);
	udp_in(o.cookie, 55, "truncated", 9);
	ev = one_event();
	ck_assert_uint_eq(ev.events, TOE_READABLE | TOE_UDP);
	ck_assert_int_eq(toe_udp_recv(o.u, buf, 16, TOE_PEEK, NULL), 5);
	ck_assert_int_eq(toe_udp_recv(o.u, buf, 16, 0, &d), 5);
	ck_assert_mem_eq(buf, "hello", 5);
	memcpy(&from, &d.from, sizeof(from));
	memcpy(&to, &d.to, sizeof(to));
	ck_assert_uint_eq(ntohs(from.sin_port), 53);
	ck_assert_uint_eq(ntohl(from.sin_addr.s_addr), 0x0a000202);
	ck_assert_uint_eq(ntohs(to.sin_port), 4711);
	ck_assert_uint_eq(ntohl(to.sin_addr.s_addr), 0x0a00020f);
	ck_assert_int_eq(toe_udp_recv(o.u, buf, 16, 0, &d), 0);
	ck_assert_int_eq(toe_udp_recv(o.u, buf, 4, 0, &d), 4);
	ck_assert_uint_eq(d.total, 9);
	ck_assert_mem_eq(buf, "trun", 4);
	ck_assert_int_eq(toe_udp_recv(o.u, buf, 16, 0, &d), -EAGAIN);
	ck_assert_uint_eq(fake.page->bq_small_tail - fake.page->bq_small_head,
			  RING);
}
END_TEST

START_TEST(udp_lends)
{
	struct open_udp o = open_udp(2);
	struct toe_dgram d, e;
	uint32_t id = udp_in(o.cookie, 53, "hello", 5);

	udp_in(o.cookie, 53, "again", 5);
	ck_assert_int_eq(toe_udp_recv_lend(o.u, &d), 1);
	ck_assert_uint_eq(d.lend.buffer, id);
	ck_assert_mem_eq(d.lend.data, "hello", 5);
	ck_assert_uint_eq(d.length, 5);
	ck_assert_int_eq(toe_udp_recv_lend(o.u, &e), 1);
	ck_assert_uint_eq(requests_waiting(), 0);
	ck_assert_int_eq(toe_recv_return(toe, &d.lend), 0);
	ck_assert_int_eq(toe_recv_return(toe, &d.lend), -EINVAL);
	/* Half of what was asked for is consumed: asked for again. */
	ck_assert_uint_eq(take_op(TOE_OP_UDP_CREDIT).u.credit.credit, 1);
	/* Lent beyond the socket's end. */
	toe_udp_close(o.u);
	take_op(TOE_OP_UDP_CLOSE);
	ck_assert_int_eq(toe_recv_return(toe, &e.lend), 0);
	ck_assert_uint_eq(fake.page->bq_small_tail - fake.page->bq_small_head,
			  RING);
}
END_TEST

START_TEST(udp_errors_are_told_once)
{
	struct open_udp o = open_udp(0);
	struct sockaddr_in a = peer_addr();
	struct toe_hw_req r;
	char c;

	/* Not connected: not told. */
	udp_event(TOE_EV_UDP_ERROR, TOE_ST_REFUSED, o.cookie);
	no_event();
	answer_ctl(TOE_OP_UDP_CONNECT, TOE_ST_OK, 4711);
	ck_assert_int_eq(toe_udp_connect(o.u, (struct sockaddr *)&a,
					 sizeof(a)), 0);
	r = take_op(TOE_OP_UDP_CONNECT);
	ck_assert_uint_eq(r.u.udp_connect.rport, 80);
	udp_event(TOE_EV_UDP_ERROR, TOE_ST_REFUSED, o.cookie);
	ck_assert_uint_eq(one_event().events, TOE_ERROR | TOE_UDP);
	ck_assert_int_eq(toe_udp_recv(o.u, &c, 1, 0, NULL), -ECONNREFUSED);
	ck_assert_int_eq(toe_udp_recv(o.u, &c, 1, 0, NULL), -EAGAIN);
	udp_event(TOE_EV_UDP_ERROR, TOE_ST_UNREACH, o.cookie);
	ck_assert_uint_eq(one_event().events, TOE_ERROR | TOE_UDP);
	ck_assert_int_eq(toe_udp_sendto(o.u, "x", 1, 0, NULL, 0),
			 -EHOSTUNREACH);
	ck_assert_int_eq(toe_udp_sendto(o.u, "x", 1, 0, NULL, 0), 1);
	r = take_op(TOE_OP_UDP_SEND);
	ck_assert_uint_eq(r.u.udp_send.family, 0);
	answer_ctl(TOE_OP_UDP_CONNECT, TOE_ST_OK, 4711);
	ck_assert_int_eq(toe_udp_connect(o.u, NULL, 0), 0);
	ck_assert_uint_eq(take_op(TOE_OP_UDP_CONNECT).u.udp_connect.family,
			  0);
	ck_assert_int_eq(toe_udp_sendto(o.u, "x", 1, 0, NULL, 0),
			 -EDESTADDRREQ);
}
END_TEST

START_TEST(udp_options)
{
	struct open_udp o = open_udp(0);
	struct toe_hw_req r;
	uint64_t v = 0;

	answer_ctl(TOE_OP_UDP_SETOPT, TOE_ST_OK, 0);
	ck_assert_int_eq(toe_udp_setopt(o.u, TOE_UDP_TTL, 9), 0);
	r = take_op(TOE_OP_UDP_SETOPT);
	ck_assert_uint_eq(r.u.opt.option, TOE_OPT_UDP_TTL);
	ck_assert_uint_eq(r.u.opt.value, 9);
	answer_ctl(TOE_OP_UDP_GETOPT, TOE_ST_OK, 17);
	ck_assert_int_eq(toe_udp_getopt(o.u, TOE_UDP_DROPS, &v), 0);
	ck_assert_uint_eq(v, 17);
	ck_assert_int_eq(toe_udp_setopt(o.u, TOE_UDP_DROPS, 1), -EINVAL);
	ck_assert_int_eq(toe_udp_getopt(o.u, TOE_NODELAY, &v), -EINVAL);
	answer_ctl(TOE_OP_UDP_SETOPT, TOE_ST_OK, 0);
	ck_assert_int_eq(toe_udp_setopt(o.u, TOE_UDP_BROADCAST, 1), 0);
	take_op(TOE_OP_UDP_GETOPT);	/* the one from above */
	r = take_op(TOE_OP_UDP_SETOPT);
	ck_assert_uint_eq(r.u.opt.option, TOE_OPT_UDP_BROADCAST);
	answer_ctl(TOE_OP_UDP_GETOPT, TOE_ST_OK, 1400);
	ck_assert_int_eq(toe_udp_getopt(o.u, TOE_UDP_PATH_MTU, &v), 0);
	r = take_op(TOE_OP_UDP_GETOPT);
	ck_assert_uint_eq(r.u.opt.option, TOE_OPT_UDP_PATH_MTU);
	ck_assert_uint_eq(v, 1400);
	ck_assert_int_eq(toe_udp_setopt(o.u, TOE_UDP_PATH_MTU, 1), -EINVAL);
	ck_assert_int_eq(toe_udp_getopt(o.u, TOE_UDP_PATH_MTU + 1, &v),
			 -EINVAL);
}
END_TEST

START_TEST(udp_groups)
{
	struct open_udp o = open_udp(0);
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct toe_hw_req r;

	inet_pton(AF_INET, "239.1.2.3", &in.sin_addr);
	inet_pton(AF_INET6, "ff02::1234", &in6.sin6_addr);
	answer_ctl(TOE_OP_UDP_JOIN, TOE_ST_OK, 0);
	ck_assert_int_eq(toe_udp_join(o.u, (struct sockaddr *)&in,
				      sizeof(in)), 0);
	r = take_op(TOE_OP_UDP_JOIN);
	ck_assert_uint_eq(r.handle, 70);
	ck_assert_uint_eq(r.u.udp_group.family, TOE_AF_INET);
	ck_assert_mem_eq(r.u.udp_group.group, "\xef\1\2\3", 4);
	ck_assert_uint_eq(r.u.udp_group.group[4], 0);
	answer_ctl(TOE_OP_UDP_JOIN, TOE_ST_QUOTA, 0);
	ck_assert_int_eq(toe_udp_join(o.u, (struct sockaddr *)&in,
				      sizeof(in)), -EDQUOT);
	take_op(TOE_OP_UDP_JOIN);
	answer_ctl(TOE_OP_UDP_LEAVE, TOE_ST_ADDRNOTAVAIL, 0);
	ck_assert_int_eq(toe_udp_leave(o.u, (struct sockaddr *)&in,
				       sizeof(in)), -EADDRNOTAVAIL);
	take_op(TOE_OP_UDP_LEAVE);
	ck_assert_int_eq(toe_udp_join(o.u, (struct sockaddr *)&in, 3),
			 -EINVAL);
	ck_assert_int_lt(toe_udp_join(o.u, (struct sockaddr *)&in6,
				      sizeof(in6)), 0);
	ck_assert_int_eq(toe_udp_join(o.u, NULL, 0), -EINVAL);
	ck_assert_uint_eq(requests_waiting(), 0);
}
END_TEST

START_TEST(udp_nonsense_of_the_adapter)
{
	struct open_udp o = open_udp(0);
	struct toe_hw_cqe e = { .type = TOE_EV_UDP_RECV, .handle = 70,
				.cookie = o.cookie };
	uint64_t bad = toe->stats.bad;

	e.u.udp_recv.buf_id = 12345;
	post_event(e);
	e.u.udp_recv.buf_id = 0;
	e.u.udp_recv.length = SMALL + 1;
	post_event(e);
	udp_event(TOE_EV_ESTABLISHED, 0, o.cookie);
	no_event();
	ck_assert_uint_eq(toe->stats.bad, bad + 3);
	/* Of a socket that is gone: the buffer comes back. */
	toe_udp_close(o.u);
	take_op(TOE_OP_UDP_CLOSE);
	udp_in(o.cookie, 53, "late", 4);
	no_event();
	ck_assert_uint_eq(fake.page->bq_small_tail - fake.page->bq_small_head,
			  RING);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("libtoe");
	TCase *t = tcase_create("fake adapter");

	tcase_add_checked_fixture(t, setup, teardown);
#define T(name) tcase_add_test(t, name)
	T(udp_opens_and_closes);
	T(udp_open_is_refused);
	T(udp_sends);
	T(udp_send_tells_the_answer);
	T(udp_send_meets_our_limits);
	T(udp_receives);
	T(udp_lends);
	T(udp_errors_are_told_once);
	T(udp_options);
	T(udp_groups);
	T(udp_nonsense_of_the_adapter);
	T(buffers_are_posted);
	T(configurations_are_checked);
	T(layout_of_the_driver_is_checked);
	T(connect_reports_and_names);
	T(refused_is_an_event);
	T(failed_connect_request);
	T(closed_before_there_is_a_handle);
	T(arguments_of_connect);
	T(connect_over_ipv6);
	T(listen_over_ipv6);
	T(table_of_connections_is_bounded);
	T(rings_wrap);
	T(no_doorbell_while_the_adapter_looks);
	T(full_request_queue);
	T(full_request_queue_and_a_time_out);
	T(full_completion_queue);
	T(wild_indices_stop_the_context);
	T(wild_rq_head_stops_the_context);
	T(receive_by_copy);
	T(buffers_go_round);
	T(credit_is_asked_for_by_halves);
	T(credit_window_changes);
	T(lend_and_return);
	T(return_after_close);
	T(bytes_before_the_end);
	T(bytes_before_the_error);
	T(starved_adapter_is_told);
	T(events_of_a_closed_connection);
	T(bad_buffers_are_counted);
	T(bad_cookies_are_counted);
	T(send_copies);
	T(send_gathers);
	T(staging_is_shared_fairly);
	T(staging_is_used_again_in_any_order);
	T(more_holds_the_doorbell);
	T(pending_sends_are_bounded);
	T(send_mem_says_when);
	T(lost_bytes_end_the_connection);
	T(shutdown_once);
	T(accept_takes_in_order);
	T(who_finds_no_place_is_reset);
	T(late_arrival_at_a_closed_listener);
	T(listen_fails);
	T(options_wait_for_the_answer);
	T(tcp_info_is_asked_for);
	T(options_of_connect);
	T(close_waits_if_it_lingers);
	T(fault_ends_everything);
	T(reset_of_the_adapter_is_noticed);
	T(connect_wait_on_a_dead_context);
	T(few_events_at_a_time);
	T(arm_says_where_we_are);
	T(blocking_calls_time_out);
	T(statistics_for_old_programs);
#undef T
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
