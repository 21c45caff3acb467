/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP from the application's side: requests, events, buffers, credit, rights
 * and quotas, with the whole adapter.  Applications talk to each other over
 * the port's own address; the network's datagrams come as frames.
 */
#include "common_host.h"
#include "nop/wire.h"

#define OWN	((const uint8_t[16]){ 10, 0, 2, 15 })
#define PEER	((const uint8_t[16]){ 10, 0, 2, 2 })
#define NOADDR	((const uint8_t[16]){ 0 })
#define GROUP	((const uint8_t[16]){ 239, 1, 2, 3 })

static struct guest g;
static struct app a, b;

static void start(void)
{
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_ADDR_ADD,
		.u.addr = { .family = TOE_AF_INET, .prefix = 24 },
	};

	guest_new(&g, NULL);
	memcpy(cmd.u.addr.addr, OWN, 16);
	ck_assert_uint_eq(admin(&g, &cmd), TOE_ST_OK);
	app_new(&a, &g, 1, 0);
	app_new(&b, &g, 2, 0);
}

static void stop(void)
{
	guest_free(&g);
}

static struct toe_hw_req open_req(uint16_t lport, const uint8_t *raddr,
				  uint16_t rport, uint32_t credit)
{
	struct toe_hw_req r = {
		.opcode = TOE_OP_UDP_OPEN,
		.cookie = 0x1000 + lport,
		.u.udp_open = { .family = TOE_AF_INET, .lport = lport,
				.rport = rport, .credit = credit },
	};

	memcpy(r.u.udp_open.raddr, raddr, 16);
	return r;
}

static struct toe_hw_cqe do_req(struct app *p, struct toe_hw_req r)
{
	return app_do(p, &r);
}

static uint32_t open_sock(struct app *p, uint16_t lport, uint32_t credit)
{
	struct toe_hw_cqe e = do_req(p, open_req(lport, NOADDR, 0, credit));

	ck_assert_uint_eq(e.status, TOE_ST_OK);
	ck_assert_uint_eq(e.u.udp_cpl.result, lport);
	ck_assert_uint_ne(e.handle, 0);
	return e.handle;
}

static struct toe_hw_req send_req(struct app *p, uint32_t handle,
				  uint16_t rport, const void *data,
				  uint32_t len)
{
	struct toe_hw_req r = {
		.opcode = TOE_OP_UDP_SEND, .handle = handle, .cookie = 7,
		.npieces = len != 0,
	};

	if (len) {
		memcpy(app_mem(p, OFF_DATA), data, len);
		r.u.udp_send.piece = (struct toe_hw_piece){
			.key = p->key, .offset = OFF_DATA, .length = len,
		};
	}
	if (rport) {
		r.u.udp_send.family = TOE_AF_INET;
		r.u.udp_send.rport = rport;
		memcpy(r.u.udp_send.raddr, OWN, 16);
	}
	return r;
}

static uint8_t send_to(struct app *p, uint32_t handle, uint16_t rport,
		       const void *data, uint32_t len)
{
	struct toe_hw_cqe e = do_req(p, send_req(p, handle, rport, data, len));

	ck_assert_uint_eq(e.u.cpl.bytes, e.status == TOE_ST_OK ? len : 0);
	guest_run(&g);
	return e.status;
}

static struct toe_hw_cqe expect_recv(struct app *p, uint32_t handle,
				     uint16_t rport, const void *data,
				     uint32_t len)
{
	struct toe_hw_cqe e = app_expect(p, TOE_EV_UDP_RECV);

	ck_assert_uint_eq(e.handle, handle);
	ck_assert_uint_eq(e.status, TOE_ST_OK);
	ck_assert_uint_eq(e.u.udp_recv.rport, rport);
	ck_assert_uint_eq(e.u.udp_recv.length, len);
	ck_assert_uint_eq(e.u.udp_recv.family, TOE_AF_INET);
	ck_assert_mem_eq(app_buf(p, e.u.udp_recv.buf_id), data, len);
	return e;
}

static uint8_t bare(struct app *p, uint8_t opcode, uint32_t handle)
{
	return do_req(p, (struct toe_hw_req){ .opcode = opcode,
					      .handle = handle,
					      .cookie = 9 }).status;
}

static void credit(struct app *p, uint32_t handle, uint32_t n)
{
	struct toe_hw_req r = { .opcode = TOE_OP_UDP_CREDIT,
				.handle = handle, .cookie = 8,
				.u.credit.credit = n };

	app_post(p, &r);
}

static uint32_t used_buflets(void)
{
	return counter(&g, TOE_CTR_LMEM_BUFLETS) -
	       counter(&g, TOE_CTR_LMEM_BUFLETS_FREE);
}

/* A datagram of the network's to the port 5000. */
static void frame_in(uint16_t sport, const char *data)
{
	size_t len = strlen(data);
	uint8_t f[256] = { 0x52, 0x54, 0, 1, 2, 3, 2, 0, 0, 0, 0, 1, 8, 0 };

	toe_wire_ipv4_build(f + 14, 0xb8, 28 + len, 1, true, 44, 17, PEER,
			    OWN);
	toe_put16(f + 34, sport);
	toe_put16(f + 36, 5000);
	toe_put16(f + 38, 8 + len);
	memcpy(f + 42, data, len);
	toe_adapter_frame_in(g.a, f, MAX(42 + len, 60));
}

START_TEST(capability_is_said)
{
	ck_assert(toe_adapter_reg_read(g.a, TOE_REG_CAPS, 4) & TOE_CAP_UDP);
}
END_TEST

START_TEST(request_and_response)
{
	uint32_t x = open_sock(&a, 5000, 10), y = open_sock(&b, 6000, 10);
	struct toe_hw_cqe e;

	app_buffer(&a, TOE_BQ_SMALL);
	app_buffer(&b, TOE_BQ_SMALL);
	ck_assert_uint_eq(send_to(&a, x, 6000, "request", 7), TOE_ST_OK);
	e = expect_recv(&b, y, 5000, "request", 7);
	ck_assert_uint_eq(e.cookie, 0x1000 + 6000);
	ck_assert_uint_eq(e.u.udp_recv.total, 7);
	ck_assert_mem_eq(e.u.udp_recv.raddr, OWN, 16);
	ck_assert_mem_eq(e.u.udp_recv.laddr, OWN, 16);
	ck_assert_uint_eq(e.flags, 0);
	ck_assert_uint_eq(send_to(&b, y, e.u.udp_recv.rport, "response", 8),
			  TOE_ST_OK);
	expect_recv(&a, x, 6000, "response", 8);
	ck_assert_uint_eq(used_buflets(), 0);
}
END_TEST

START_TEST(datagram_of_the_network)
{
	uint32_t x = open_sock(&a, 5000, 10);
	struct toe_hw_cqe e;

	app_buffer(&a, TOE_BQ_SMALL);
	frame_in(53, "from afar");
	e = expect_recv(&a, x, 53, "from afar", 9);
	ck_assert_mem_eq(e.u.udp_recv.raddr, PEER, 16);
	ck_assert_uint_eq(e.u.udp_recv.tos, 0xb8);
	ck_assert_uint_eq(e.u.udp_recv.ttl, 44);
}
END_TEST

START_TEST(empty_datagram)
{
	uint32_t x = open_sock(&a, 5000, 10), y = open_sock(&b, 6000, 10);

	app_buffer(&b, TOE_BQ_SMALL);
	ck_assert_uint_eq(send_to(&a, x, 6000, "", 0), TOE_ST_OK);
	expect_recv(&b, y, 5000, "", 0);
}
END_TEST

START_TEST(credit_counts_datagrams)
{
	uint32_t x = open_sock(&a, 5000, 0), slow = open_sock(&b, 6000, 2);
	uint32_t other = open_sock(&b, 6001, 1);

	for (int i = 0; i < 6; i++)
		app_buffer(&b, TOE_BQ_SMALL);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(send_to(&a, x, 6000, "0123" + i, 1),
				  TOE_ST_OK);
	expect_recv(&b, slow, 5000, "0", 1);
	expect_recv(&b, slow, 5000, "1", 1);
	app_expect_none(&b);
	/* The buffers that are left are for others. */
	ck_assert_uint_eq(send_to(&a, x, 6001, "x", 1), TOE_ST_OK);
	expect_recv(&b, other, 5000, "x", 1);
	credit(&b, slow, 1);
	expect_recv(&b, slow, 5000, "2", 1);
	app_expect_none(&b);
	credit(&b, slow, UINT32_MAX);
	credit(&b, slow, UINT32_MAX);
	expect_recv(&b, slow, 5000, "3", 1);
}
END_TEST

START_TEST(datagrams_wait_for_buffers)
{
	uint32_t x = open_sock(&a, 5000, 0), y = open_sock(&b, 6000, 10);
	uint8_t big[1000] = { 1, 2, 3 };

	ck_assert_uint_eq(send_to(&a, x, 6000, "small", 5), TOE_ST_OK);
	ck_assert_uint_eq(send_to(&a, x, 6000, big, 1000), TOE_ST_OK);
	app_expect_none(&b);
	ck_assert_uint_eq(b.page->bq_starved, 1);
	app_buffer(&b, TOE_BQ_SMALL);
	app_doorbell(&b, TOE_DB_BQ, 0);
	expect_recv(&b, y, 5000, "small", 5);
	app_expect_none(&b);
	ck_assert_uint_eq(b.page->bq_starved, 1);
	app_buffer(&b, TOE_BQ_LARGE);
	app_doorbell(&b, TOE_DB_BQ, 0);
	ck_assert(expect_recv(&b, y, 5000, big, 1000).flags &
		  TOE_CQE_F_LARGE);
	ck_assert_uint_eq(b.page->bq_starved, 0);
}
END_TEST

START_TEST(too_large_for_a_buffer_is_cut_and_said)
{
	uint32_t x = open_sock(&a, 5000, 0), y = open_sock(&b, 6000, 10);
	uint8_t *big = g_malloc(20000);
	struct toe_hw_cqe e;

	for (int i = 0; i < 20000; i++)
		big[i] = (uint8_t)(i * 3);
	app_buffer(&b, TOE_BQ_LARGE);
	ck_assert_uint_eq(send_to(&a, x, 6000, big, 20000), TOE_ST_OK);
	e = expect_recv(&b, y, 5000, big, LARGE_SIZE);
	ck_assert_uint_eq(e.flags, TOE_CQE_F_LARGE | TOE_CQE_F_TRUNC);
	ck_assert_uint_eq(e.u.udp_recv.total, 20000);
	ck_assert_uint_eq(used_buflets(), 0);
	g_free(big);
}
END_TEST

START_TEST(datagram_of_many_pieces)
{
	uint32_t x = open_sock(&a, 5000, 0), y = open_sock(&b, 6000, 10);
	struct toe_hw_piece *list = app_mem(&a, OFF_DATA + 0x1000);
	struct toe_hw_req r = send_req(&a, x, 6000, "abcdef", 6);
	struct toe_hw_cqe e;

	for (uint32_t i = 0; i < 6; i++)
		list[i] = (struct toe_hw_piece){ .key = a.key, .length = 1,
						 .offset = OFF_DATA + 5 - i };
	r.npieces = 6;
	r.flags = TOE_REQ_F_LIST;
	r.u.udp_send.piece = (struct toe_hw_piece){
		.key = a.key, .offset = OFF_DATA + 0x1000, .length = 6 * 16,
	};
	app_buffer(&b, TOE_BQ_SMALL);
	e = app_do(&a, &r);
	ck_assert_uint_eq(e.status, TOE_ST_OK);
	ck_assert_uint_eq(e.u.cpl.bytes, 6);
	guest_run(&g);
	expect_recv(&b, y, 5000, "fedcba", 6);
}
END_TEST

START_TEST(connected_socket)
{
	struct toe_hw_req c = { .opcode = TOE_OP_UDP_CONNECT, .cookie = 3 };
	struct toe_hw_cqe e = do_req(&a, open_req(5000, OWN, 6000, 1));
	uint32_t x = e.handle, y;

	ck_assert_uint_eq(e.status, TOE_ST_OK);
	ck_assert_mem_eq(e.u.udp_cpl.laddr, OWN, 16);
	/* Nobody has the port: as if the peer's host had said so. */
	ck_assert_uint_eq(send_to(&a, x, 0, "x", 1), TOE_ST_OK);
	e = app_expect(&a, TOE_EV_UDP_ERROR);
	ck_assert_uint_eq(e.handle, x);
	ck_assert_uint_eq(e.status, TOE_ST_REFUSED);
	ck_assert_uint_eq(e.u.udp_error.rport, 6000);
	ck_assert_uint_eq(e.u.udp_error.family, TOE_AF_INET);
	ck_assert_mem_eq(e.u.udp_error.raddr, OWN, 16);
	y = open_sock(&b, 6000, 1);
	app_buffer(&b, TOE_BQ_SMALL);
	ck_assert_uint_eq(send_to(&a, x, 0, "x", 1), TOE_ST_OK);
	expect_recv(&b, y, 5000, "x", 1);

	c.handle = x;
	e = app_do(&a, &c);
	ck_assert_uint_eq(e.status, TOE_ST_OK);
	ck_assert_uint_eq(e.u.udp_cpl.result, 5000);
	ck_assert_mem_eq(e.u.udp_cpl.laddr, NOADDR, 16);
	ck_assert_uint_eq(send_to(&a, x, 0, "x", 1), TOE_ST_STATE);
	c.u.udp_connect.family = TOE_AF_INET;
	c.u.udp_connect.rport = 6000;
	memcpy(c.u.udp_connect.raddr, OWN, 16);
	e = app_do(&a, &c);
	ck_assert_uint_eq(e.status, TOE_ST_OK);
	ck_assert_mem_eq(e.u.udp_cpl.laddr, OWN, 16);
	ck_assert_uint_eq(send_to(&a, x, 0, "x", 1), TOE_ST_OK);
	c.u.udp_connect.rport = 0;
	ck_assert_uint_eq(app_do(&a, &c).status, TOE_ST_INVALID);
	c.u.udp_connect.family = 0;
	ck_assert_uint_eq(app_do(&a, &c).status, TOE_ST_INVALID);
}
END_TEST

START_TEST(full_queue_again_writable)
{
	uint32_t x = open_sock(&a, 5000, 0);
	struct toe_hw_req opt = {
		.opcode = TOE_OP_UDP_SETOPT, .handle = x, .cookie = 4,
		.u.opt = { .option = TOE_OPT_UDP_SNDBUF, .value = 2048 },
	};
	unsigned n = 0;

	ck_assert_uint_eq(app_do(&a, &opt).status, TOE_ST_OK);
	toe_nop_port_busy(g.a->nop, true);
	while (send_to(&a, x, 6000, "x", 1) == TOE_ST_OK)
		n++;
	ck_assert_uint_eq(n, 8);
	ck_assert_uint_eq(send_to(&a, x, 6000, "x", 1), TOE_ST_AGAIN);
	app_expect_none(&a);
	toe_nop_port_busy(g.a->nop, false);
	toe_adapter_run(g.a);
	guest_run(&g);
	/* The first tells that nobody was there; then there is room. */
	ck_assert_uint_eq(app_expect(&a, TOE_EV_UDP_ERROR).handle, x);
	for (struct toe_hw_cqe e; app_poll(&a, &e);)
		n += e.type == TOE_EV_UDP_WRITABLE ? 100 : 0;
	ck_assert_uint_eq(n, 108);
	ck_assert_uint_eq(used_buflets(), 0);
}
END_TEST

START_TEST(full_completion_queue_loses_nothing)
{
	uint32_t x = open_sock(&a, 5000, 0), y = open_sock(&b, 6000, 100);
	struct toe_hw_cqe e;
	char c;

	for (int i = 0; i < 8; i++)
		app_buffer(&b, TOE_BQ_SMALL);
	for (c = 'a'; c < 'a' + 8; c++)
		ck_assert_uint_eq(send_to(&a, x, 6000, &c, 1), TOE_ST_OK);
	for (int i = 0; i < 8; i++)
		app_buffer(&b, TOE_BQ_LARGE);
	for (c = 'A'; c < 'A' + 5; c++)
		ck_assert_uint_eq(send_to(&a, x, 6000, &c, 1), TOE_ST_OK);
	for (c = 'a'; c < 'a' + 8; c++)
		expect_recv(&b, y, 5000, &c, 1);
	b.page->cq_head = b.cq_head;
	app_doorbell(&b, TOE_DB_CQ_SPACE, b.cq_head);
	guest_run(&g);
	for (c = 'A'; c < 'A' + 5; c++)
		expect_recv(&b, y, 5000, &c, 1);
	ck_assert(!app_poll(&b, &e));
}
END_TEST

START_TEST(others_sockets_are_refused)
{
	uint32_t x = open_sock(&a, 5000, 0);
	struct toe_hw_req r = send_req(&b, x, 6000, "x", 1);
	struct toe_hw_req c = { .opcode = TOE_OP_UDP_CREDIT, .handle = x,
				.u.credit.credit = 1 };
	uint64_t before = counter(&g, TOE_CTR_VIOL_OWNER);

	ck_assert_uint_eq(app_do(&b, &r).status, TOE_ST_OWNER);
	ck_assert_uint_eq(app_do(&b, &c).status, TOE_ST_OWNER);
	ck_assert_uint_eq(bare(&b, TOE_OP_UDP_CLOSE, x), TOE_ST_OWNER);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_OWNER), before + 3);
	/* Another's memory. */
	r = send_req(&a, x, 6000, "x", 1);
	r.u.udp_send.piece.key = b.key;
	ck_assert_uint_eq(app_do(&a, &r).status, TOE_ST_OWNER);
	/* Still there. */
	ck_assert_uint_eq(send_to(&a, x, 6000, "x", 1), TOE_ST_OK);
}
END_TEST

START_TEST(handles_of_one_kind_are_none_of_the_other)
{
	uint32_t x = open_sock(&a, 5000, 0);
	static const uint8_t conn_ops[] = {
		TOE_OP_SHUTDOWN, TOE_OP_CLOSE, TOE_OP_ABORT, TOE_OP_CREDIT,
	};
	struct toe_hw_req l = {
		.opcode = TOE_OP_LISTEN, .cookie = 2,
		.u.listen = { .family = TOE_AF_INET, .lport = 5000,
			      .backlog = 1 },
	};
	struct toe_hw_cqe e;

	for (size_t i = 0; i < G_N_ELEMENTS(conn_ops); i++)
		ck_assert_uint_eq(bare(&a, conn_ops[i], x), TOE_ST_HANDLE);
	e = app_do(&a, &l);
	ck_assert_uint_eq(e.status, TOE_ST_OK);
	ck_assert_uint_eq(bare(&a, TOE_OP_UDP_CLOSE, e.handle),
			  TOE_ST_HANDLE);
	ck_assert_uint_eq(bare(&a, TOE_OP_UDP_CLOSE, x), TOE_ST_OK);
	ck_assert_uint_eq(bare(&a, TOE_OP_UDP_CLOSE, x), TOE_ST_HANDLE);
	ck_assert_uint_eq(bare(&a, TOE_OP_UDP_CLOSE, 0), TOE_ST_HANDLE);
	ck_assert_uint_eq(bare(&a, TOE_OP_UDP_CLOSE, 0xffffffff),
			  TOE_ST_HANDLE);
}
END_TEST

/* The request "good" with this change is refused. */
#define BAD(change) do { \
		r = good; \
		change; \
		ck_assert_uint_eq(app_do(&a, &r).status, TOE_ST_INVALID); \
	} while (0)

START_TEST(malformed_requests)
{
	uint32_t x = open_sock(&a, 5000, 0);
	uint64_t before = counter(&g, TOE_CTR_VIOL_REQUEST);
	struct toe_hw_req good, r;

	good = open_req(5001, NOADDR, 0, 0);
	BAD(r.u.udp_open.rsvd0 = 1);
	BAD(r.u.udp_open.rsvd1 = 1);
	BAD(r.u.udp_open.flags = 0x80);
	BAD(r.handle = x);
	BAD(r.npieces = 1);
	BAD(r.flags = TOE_REQ_F_MORE);
	good = send_req(&a, x, 6000, "x", 1);
	BAD(r.u.udp_send.rsvd0 = 1);
	BAD(r.u.udp_send.rsvd1 = 1);
	BAD(r.u.udp_send.rsvd2[1] = 1);
	BAD(r.npieces = 2);
	BAD(r.npieces = 0);
	BAD(r.u.udp_send.family = 0);
	BAD(r.u.udp_send.piece.length = 0);
	BAD(r.flags = TOE_REQ_F_LIST);
	BAD(r.flags = TOE_REQ_F_LIST; r.npieces = 257);
	BAD(r.flags = TOE_REQ_F_LIST; r.npieces = 0);
	good = (struct toe_hw_req){ .opcode = TOE_OP_UDP_CONNECT,
				    .handle = x };
	BAD(r.u.udp_connect.rsvd0 = 1);
	BAD(r.u.udp_connect.rsvd2[5] = 1);
	good = (struct toe_hw_req){ .opcode = TOE_OP_UDP_GETOPT, .handle = x,
				    .u.opt.option = TOE_OPT_UDP_TTL };
	BAD(r.u.opt.value = 1);
	good = (struct toe_hw_req){ .opcode = 0x2f };
	BAD((void)0);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_REQUEST), before + 20);

	r = send_req(&a, x, 6000, "x", 1);
	r.u.udp_send.piece.length = 65528;
	ck_assert_uint_eq(app_do(&a, &r).status, TOE_ST_TOOBIG);
	r.u.udp_send.piece.length = 65508;
	ck_assert_uint_eq(app_do(&a, &r).status, TOE_ST_TOOBIG);
	r.u.udp_send.piece.offset = CTX_SIZE;
	ck_assert_uint_eq(app_do(&a, &r).status, TOE_ST_BOUNDS);
	ck_assert_uint_eq(used_buflets(), 0);
}
END_TEST

START_TEST(low_ports_need_the_right)
{
	struct app root;
	uint64_t before = counter(&g, TOE_CTR_VIOL_PERM);

	ck_assert_uint_eq(do_req(&a, open_req(53, NOADDR, 0, 0)).status,
			  TOE_ST_PERM);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_PERM), before + 1);
	app_new(&root, &g, 3, TOE_RIGHT_LOWPORT);
	open_sock(&root, 53, 0);
}
END_TEST

START_TEST(quota_counts_sockets_and_connections)
{
	struct toe_hw_req l = {
		.opcode = TOE_OP_LISTEN, .cookie = 2,
		.u.listen = { .family = TOE_AF_INET, .lport = 5000,
			      .backlog = 1 },
	};
	uint32_t x;

	g.a->ctxs.table[1].max_conns = 2;
	x = open_sock(&a, 5000, 0);
	ck_assert_uint_eq(app_do(&a, &l).status, TOE_ST_OK);
	ck_assert_uint_eq(do_req(&a, open_req(5001, NOADDR, 0, 0)).status,
			  TOE_ST_QUOTA);
	l.u.listen.lport = 5001;
	ck_assert_uint_eq(app_do(&a, &l).status, TOE_ST_QUOTA);
	ck_assert_uint_eq(bare(&a, TOE_OP_UDP_CLOSE, x), TOE_ST_OK);
	open_sock(&a, 5001, 0);
}
END_TEST

START_TEST(one_port_for_two_applications)
{
	struct toe_hw_req r = open_req(5000, NOADDR, 0, 0);

	open_sock(&a, 5000, 0);
	ck_assert_uint_eq(do_req(&b, r).status, TOE_ST_ADDRINUSE);
	r.u.udp_open.lport = 7000;
	r.u.udp_open.flags = TOE_UDP_F_REUSE;
	ck_assert_uint_eq(do_req(&a, r).status, TOE_ST_OK);
	ck_assert_uint_eq(do_req(&b, r).status, TOE_ST_OK);
}
END_TEST

START_TEST(options)
{
	uint32_t x = open_sock(&a, 5000, 0);
	struct toe_hw_req r = {
		.opcode = TOE_OP_UDP_SETOPT, .handle = x, .cookie = 4,
		.u.opt = { .option = TOE_OPT_UDP_TTL, .value = 9 },
	};
	struct toe_hw_cqe e;

	ck_assert_uint_eq(app_do(&a, &r).status, TOE_ST_OK);
	r.opcode = TOE_OP_UDP_GETOPT;
	r.u.opt.value = 0;
	e = app_do(&a, &r);
	ck_assert_uint_eq(e.status, TOE_ST_OK);
	ck_assert_uint_eq(e.u.cpl.result, 9);
	r.u.opt.option = TOE_OPT_NODELAY;
	ck_assert_uint_eq(app_do(&a, &r).status, TOE_ST_INVALID);
}
END_TEST

static uint8_t group_op(struct app *p, uint8_t opcode, uint32_t handle,
			const uint8_t *group)
{
	struct toe_hw_req r = { .opcode = opcode, .handle = handle,
				.cookie = 5,
				.u.udp_group.family = TOE_AF_INET };

	memcpy(r.u.udp_group.group, group, 16);
	return app_do(p, &r).status;
}

/* A datagram to 239.1.2.3, port 5000. */
static void group_in(const char *data)
{
	size_t len = strlen(data);
	uint8_t f[256] = { 0x01, 0, 0x5e, 1, 2, 3, 2, 0, 0, 0, 0, 1, 8, 0 };

	toe_wire_ipv4_build(f + 14, 0, 28 + len, 1, true, 1, 17, PEER, GROUP);
	toe_put16(f + 34, 53);
	toe_put16(f + 36, 5000);
	toe_put16(f + 38, 8 + len);
	memcpy(f + 42, data, len);
	toe_adapter_frame_in(g.a, f, MAX(42 + len, 60));
}

static uint32_t open_shared(struct app *p)
{
	struct toe_hw_req r = open_req(5000, NOADDR, 0, 10);
	struct toe_hw_cqe e;

	r.u.udp_open.flags = TOE_UDP_F_REUSE;
	e = app_do(p, &r);
	ck_assert_uint_eq(e.status, TOE_ST_OK);
	return e.handle;
}

START_TEST(group_of_two_applications)
{
	uint32_t x = open_shared(&a), y = open_shared(&b);

	app_buffer(&a, TOE_BQ_SMALL);
	app_buffer(&b, TOE_BQ_SMALL);
	ck_assert_uint_eq(group_op(&a, TOE_OP_UDP_JOIN, x, GROUP), TOE_ST_OK);
	ck_assert_uint_eq(group_op(&b, TOE_OP_UDP_JOIN, y, GROUP), TOE_ST_OK);
	guest_run(&g);
	group_in("both");
	ck_assert_mem_eq(expect_recv(&a, x, 53, "both", 4).u.udp_recv.laddr,
			 GROUP, 16);
	expect_recv(&b, y, 53, "both", 4);
	ck_assert_uint_eq(group_op(&b, TOE_OP_UDP_LEAVE, y, GROUP),
			  TOE_ST_OK);
	app_buffer(&a, TOE_BQ_SMALL);
	app_doorbell(&a, TOE_DB_BQ, 0);
	group_in("one");
	expect_recv(&a, x, 53, "one", 3);
	app_expect_none(&b);
	ck_assert_uint_eq(counter(&g, TOE_CTR_GROUPS), 1);
	ck_assert_uint_eq(used_buflets(), 0);
}
END_TEST

/* One of the members has a context that ends while it is told. */
START_TEST(member_faults_while_it_is_told)
{
	uint32_t x = open_shared(&a), y = open_shared(&b);
	struct toe_hw_buf *ring = app_mem(&a, OFF_SMALL);

	app_buffer(&a, TOE_BQ_SMALL);
	app_buffer(&b, TOE_BQ_SMALL);
	ring->key = b.key;
	group_op(&a, TOE_OP_UDP_JOIN, x, GROUP);
	group_op(&b, TOE_OP_UDP_JOIN, y, GROUP);
	group_in("x");
	app_expect(&a, TOE_EV_FAULT);
	expect_recv(&b, y, 53, "x", 1);
	ck_assert_uint_eq(ctx_destroy(&g, 1), TOE_ST_OK);
	ck_assert_uint_eq(used_buflets(), 0);
}
END_TEST

START_TEST(groups_end_with_their_context)
{
	uint32_t x = open_sock(&a, 5000, 0), y = open_sock(&b, 6000, 0);

	for (uint8_t i = 0; i < 16; i++)
		ck_assert_uint_eq(group_op(&b, TOE_OP_UDP_JOIN, y,
			(const uint8_t[16]){ 239, 1, 2, i }), TOE_ST_OK);
	ck_assert_uint_eq(group_op(&b, TOE_OP_UDP_JOIN, y,
		(const uint8_t[16]){ 239, 1, 2, 16 }), TOE_ST_QUOTA);
	ck_assert_uint_eq(group_op(&a, TOE_OP_UDP_JOIN, x, GROUP), TOE_ST_OK);
	ck_assert_uint_eq(counter(&g, TOE_CTR_GROUPS), 16);
	ck_assert_uint_eq(ctx_destroy(&g, 2), TOE_ST_OK);
	ck_assert_uint_eq(counter(&g, TOE_CTR_GROUPS), 1);
	toe_adapter_reset(g.a);
	ck_assert_uint_eq(counter(&g, TOE_CTR_GROUPS), 0);
}
END_TEST

/* One application leaves groups to the others. */
START_TEST(groups_of_a_context_are_bounded)
{
	uint32_t h[17], x = open_sock(&a, 5000, 0);

	for (uint16_t i = 0; i < 17; i++) {
		h[i] = open_sock(&b, 6000 + i, 0);
		for (uint8_t k = 0; i < 16 && k < 16; k++)
			ck_assert_uint_eq(group_op(&b, TOE_OP_UDP_JOIN, h[i],
				(const uint8_t[16]){ 239, 1, 2, k }),
				TOE_ST_OK);
	}
	ck_assert_uint_eq(group_op(&b, TOE_OP_UDP_JOIN, h[16], GROUP),
			  TOE_ST_QUOTA);
	ck_assert_uint_eq(group_op(&a, TOE_OP_UDP_JOIN, x, GROUP), TOE_ST_OK);
	ck_assert_uint_eq(group_op(&b, TOE_OP_UDP_LEAVE, h[3],
				   (const uint8_t[16]){ 239, 1, 2, 0 }),
			  TOE_ST_OK);
	ck_assert_uint_eq(group_op(&b, TOE_OP_UDP_JOIN, h[16], GROUP),
			  TOE_ST_OK);
	ck_assert_uint_eq(bare(&b, TOE_OP_UDP_CLOSE, h[5]),
			  TOE_ST_OK);
	for (uint8_t k = 0; k < 15; k++)
		ck_assert_uint_eq(group_op(&b, TOE_OP_UDP_JOIN, h[16],
			(const uint8_t[16]){ 239, 1, 3, k }), TOE_ST_OK);
}
END_TEST

START_TEST(malformed_group_requests)
{
	uint32_t x = open_sock(&a, 5000, 0);
	uint64_t before = counter(&g, TOE_CTR_VIOL_REQUEST);
	struct toe_hw_req good, r;

	good = (struct toe_hw_req){ .opcode = TOE_OP_UDP_JOIN, .handle = x,
				    .u.udp_group.family = TOE_AF_INET };
	memcpy(good.u.udp_group.group, GROUP, 16);
	BAD(r.u.udp_group.rsvd0[6] = 1);
	BAD(r.u.udp_group.rsvd1[0] = 1);
	BAD(r.npieces = 1);
	good.opcode = TOE_OP_UDP_LEAVE;
	BAD(r.u.udp_group.rsvd0[0] = 1);
	ck_assert_uint_eq(counter(&g, TOE_CTR_VIOL_REQUEST), before + 4);
	BAD(r.u.udp_group.family = 0);
	BAD(r.u.udp_group.group[0] = 10);
	BAD(r.u.udp_group.group[15] = 1);
	ck_assert_uint_eq(group_op(&b, TOE_OP_UDP_JOIN, x, GROUP),
			  TOE_ST_OWNER);
	ck_assert_uint_eq(group_op(&a, TOE_OP_UDP_JOIN, 0, GROUP),
			  TOE_ST_HANDLE);
	ck_assert_uint_eq(counter(&g, TOE_CTR_GROUPS), 0);
}
END_TEST

/* CONN_LIST, in answers of so many entries: all of them, and no more. */
static uint32_t list_conns(uint32_t portion, struct toe_hw_conn_info *out)
{
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_CONN_LIST,
		.u.query = { .addr = RAM_LIST,
			     .length = portion * sizeof(*out) },
	};
	uint32_t n = 0;

	do {
		ck_assert_uint_eq(admin(&g, &cmd), TOE_ST_OK);
		memcpy(out + n, g.ram + RAM_LIST,
		       g.cpl.result * sizeof(*out));
		n += (uint32_t)g.cpl.result;
		cmd.u.query.start = (uint32_t)g.cpl.next;
	} while (g.cpl.next);
	return n;
}

START_TEST(sockets_are_listed)
{
	struct toe_hw_req l = {
		.opcode = TOE_OP_LISTEN, .cookie = 2,
		.u.listen = { .family = TOE_AF_INET, .lport = 80,
			      .backlog = 1 },
	};
	struct toe_hw_conn_info info[16];
	uint32_t x = open_sock(&a, 5000, 3), y, listener;

	l.u.listen.lport = 8080;
	listener = app_do(&b, &l).handle;
	y = do_req(&b, open_req(6000, OWN, 5000, 0)).handle;
	ck_assert_uint_eq(send_to(&a, x, 6000, "12345", 5), TOE_ST_OK);
	for (uint32_t portion = 1; portion < 5; portion++) {
		memset(info, 0xee, sizeof(info));
		ck_assert_uint_eq(list_conns(portion, info), 3);
		ck_assert_uint_eq(info[0].handle, listener);
		ck_assert_uint_eq(info[0].state, TOE_TCP_LISTEN);
		ck_assert_uint_eq(info[1].handle, x);
		ck_assert_uint_eq(info[1].state, TOE_CONN_UDP);
		ck_assert_uint_eq(info[1].ctx, 1);
		ck_assert_uint_eq(info[1].lport, 5000);
		ck_assert_uint_eq(info[1].rport, 0);
		ck_assert_uint_eq(info[1].credit, 3);
		ck_assert_uint_eq(info[1].bytes_out, 5);
		ck_assert_uint_eq(info[2].handle, y);
		ck_assert_uint_eq(info[2].state, TOE_CONN_UDP_CONNECTED);
		ck_assert_uint_eq(info[2].ctx, 2);
		ck_assert_uint_eq(info[2].rport, 5000);
		ck_assert_mem_eq(info[2].raddr, OWN, 16);
		ck_assert_uint_eq(info[2].rxq, 256 + 5);
		ck_assert_uint_eq(info[2].bytes_in, 5);
	}
	/* Any start is allowed; behind the end there is nothing. */
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_CONN_LIST,
		.u.query = { .addr = RAM_LIST, .length = 4096,
			     .start = UINT32_MAX },
	};
	ck_assert_uint_eq(admin(&g, &cmd), TOE_ST_OK);
	ck_assert_uint_eq(g.cpl.result, 0);
	ck_assert_uint_eq(g.cpl.next, 0);
}
END_TEST

START_TEST(bad_buffer_stops_the_context)
{
	uint32_t x = open_sock(&a, 5000, 0);
	struct toe_hw_buf *ring;

	open_sock(&b, 6000, 10);
	app_buffer(&b, TOE_BQ_SMALL);
	ring = app_mem(&b, OFF_SMALL);
	ring->key = a.key;
	ck_assert_uint_eq(send_to(&a, x, 6000, "x", 1), TOE_ST_OK);
	app_expect(&b, TOE_EV_FAULT);
	ck_assert_uint_eq(b.page->fault, TOE_ST_OWNER);
	/* The sender goes on, and the datagram goes with the context. */
	ck_assert_uint_eq(send_to(&a, x, 6000, "x", 1), TOE_ST_OK);
	ck_assert_uint_eq(ctx_destroy(&g, 2), TOE_ST_OK);
	ck_assert_uint_eq(used_buflets(), 0);
}
END_TEST

START_TEST(destroyed_context_leaves_nothing)
{
	uint32_t x = open_sock(&a, 5000, 0);

	open_sock(&b, 6000, 0);
	open_sock(&b, 6001, 0);
	ck_assert_uint_eq(send_to(&a, x, 6000, "x", 1), TOE_ST_OK);
	ck_assert_uint_gt(used_buflets(), 0);
	ck_assert_uint_eq(ctx_destroy(&g, 2), TOE_ST_OK);
	ck_assert_uint_eq(used_buflets(), 0);
	ck_assert_uint_eq(counter(&g, TOE_CTR_UDP_SOCKETS), 1);
	open_sock(&a, 6000, 0);
	ck_assert_uint_eq(bare(&a, TOE_OP_UDP_CLOSE, x), TOE_ST_OK);
}
END_TEST

START_TEST(drain_delivers_what_was_sent)
{
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_CTX_DESTROY, .flags = TOE_ADM_F_DRAIN,
		.u.ctx_destroy.ctx = 1,
	};
	uint32_t x = open_sock(&a, 5000, 0), y = open_sock(&b, 6000, 10);
	struct toe_hw_req r = send_req(&a, x, 6000, "last words", 10);

	app_buffer(&b, TOE_BQ_SMALL);
	app_queue(&a, &r);		/* and no doorbell */
	ck_assert_uint_eq(admin(&g, &cmd), TOE_ST_OK);
	guest_run(&g);
	expect_recv(&b, y, 5000, "last words", 10);
	ck_assert_uint_eq(counter(&g, TOE_CTR_UDP_SOCKETS), 1);
	ck_assert_uint_eq(used_buflets(), 0);
}
END_TEST

START_TEST(reset_leaves_nothing)
{
	uint32_t x = open_sock(&a, 5000, 0);

	open_sock(&b, 6000, 0);
	ck_assert_uint_eq(send_to(&a, x, 6000, "x", 1), TOE_ST_OK);
	toe_adapter_reset(g.a);
	ck_assert_uint_eq(counter(&g, TOE_CTR_UDP_SOCKETS), 0);
	ck_assert_uint_eq(used_buflets(), 0);
	frame_in(53, "x");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("udp_host");
	SRunner *sr = srunner_create(s);
	TCase *tc = tcase_create("udp_host");
	int failed;

	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, capability_is_said);
	tcase_add_test(tc, request_and_response);
	tcase_add_test(tc, datagram_of_the_network);
	tcase_add_test(tc, empty_datagram);
	tcase_add_test(tc, credit_counts_datagrams);
	tcase_add_test(tc, datagrams_wait_for_buffers);
	tcase_add_test(tc, too_large_for_a_buffer_is_cut_and_said);
	tcase_add_test(tc, datagram_of_many_pieces);
	tcase_add_test(tc, connected_socket);
	tcase_add_test(tc, full_queue_again_writable);
	tcase_add_test(tc, full_completion_queue_loses_nothing);
	tcase_add_test(tc, others_sockets_are_refused);
	tcase_add_test(tc, handles_of_one_kind_are_none_of_the_other);
	tcase_add_test(tc, malformed_requests);
	tcase_add_test(tc, low_ports_need_the_right);
	tcase_add_test(tc, quota_counts_sockets_and_connections);
	tcase_add_test(tc, one_port_for_two_applications);
	tcase_add_test(tc, options);
	tcase_add_test(tc, group_of_two_applications);
	tcase_add_test(tc, member_faults_while_it_is_told);
	tcase_add_test(tc, groups_end_with_their_context);
	tcase_add_test(tc, groups_of_a_context_are_bounded);
	tcase_add_test(tc, malformed_group_requests);
	tcase_add_test(tc, sockets_are_listed);
	tcase_add_test(tc, bad_buffer_stops_the_context);
	tcase_add_test(tc, destroyed_context_leaves_nothing);
	tcase_add_test(tc, drain_delivers_what_was_sent);
	tcase_add_test(tc, reset_leaves_nothing);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
