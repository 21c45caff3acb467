/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_libtoe.c - the library against a fake adapter: opening, connecting, the
 * rings, listening, and what ends a context.
 */
#include "fake_adapter.h"

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

static void add(TCase *t)
{
#define T(name) tcase_add_test(t, name)
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
	T(accept_takes_in_order);
	T(who_finds_no_place_is_reset);
	T(late_arrival_at_a_closed_listener);
	T(listen_fails);
	T(fault_ends_everything);
	T(reset_of_the_adapter_is_noticed);
	T(connect_wait_on_a_dead_context);
	T(few_events_at_a_time);
	T(arm_says_where_we_are);
	T(blocking_calls_time_out);
	T(statistics_for_old_programs);
#undef T
}

int main(void)
{
	return fake_main("libtoe", add);
}
