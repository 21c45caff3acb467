/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_libtoe_recv.c - the library against a fake adapter: receiving.
 */
#include "fake_adapter.h"

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

/* ---- Who does not read -------------------------------------------------- */

START_TEST(small_segments_do_not_take_all_buffers)
{
	struct open_conn o = open_conn(NULL), p = open_conn(NULL);
	uint8_t data[LARGE], got[LARGE];
	struct toe_lend lend;
	uint32_t i, n, held;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + (i >> 8));
	/* All of the credit, a byte or a few at a time, and nobody reads. */
	for (n = 0; n < 2000; n += i) {
		i = 1 + n % 3;
		/* a large one when there is no small one, as the adapter */
		receive(fake.page->bq_small_tail == fake.page->bq_small_head,
			o.handle, o.cookie, data + n, i);
		toe_complete(toe);
	}
	held = 2 * RING - (fake.page->bq_small_tail -
			   fake.page->bq_small_head) -
	       (fake.page->bq_large_tail - fake.page->bq_large_head);
	/* 4 as they came, and full ones, and one begun */
	ck_assert_uint_le(held, 4 + 2000 / SMALL + 1);
	ck_assert_uint_gt(toe->stats.bytes_packed, 0);
	ck_assert_uint_eq(toe_recv_pending(o.c), n);
	/* Others go on. */
	receive(1, p.handle, p.cookie, "others", 6);
	ck_assert_int_eq(toe_recv(p.c, got, 10, 0), 6);
	/* And the bytes are the bytes, however they are read. */
	ck_assert_int_eq(toe_recv(o.c, got, n, TOE_PEEK), n);
	ck_assert_mem_eq(got, data, n);
	ck_assert_int_eq(toe_recv(o.c, got, 700, 0), 700);
	ck_assert_mem_eq(got, data, 700);
	ck_assert_int_eq(toe_recv(o.c, got, n - 700, TOE_PEEK), n - 700);
	ck_assert_mem_eq(got, data + 700, n - 700);
	for (i = 700; toe_recv_lend(o.c, &lend) == 1; i += lend.length) {
		ck_assert_uint_le(i + lend.length, n);
		ck_assert_mem_eq(lend.data, data + i, lend.length);
		ck_assert_int_eq(toe_recv_return(toe, &lend), 0);
	}
	ck_assert_uint_eq(i, n);
	ck_assert_uint_eq(fake.page->bq_small_tail - fake.page->bq_small_head,
			  RING);
	ck_assert_uint_eq(fake.page->bq_large_tail - fake.page->bq_large_head,
			  RING);
}
END_TEST

START_TEST(packing_fills_a_buffer_and_begins_the_next)
{
	struct open_conn o = open_conn(NULL);
	uint8_t data[8 * SMALL], got[8 * SMALL];
	uint32_t i, n = 0, size = SMALL - 56;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 11 + (i >> 8));
	for (i = 0; i < 6; i++, n += size)
		receive(0, o.handle, o.cookie, data + n, size);
	toe_complete(toe);
	/* The 5th and the 6th: 56 bytes each go to the buffer before. */
	ck_assert_uint_eq(toe->stats.bytes_packed, 56 + 56);
	receive(0, o.handle, o.cookie, data + n, 10);
	n += 10;
	toe_complete(toe);
	ck_assert_uint_eq(toe->stats.bytes_packed, 56 + 56 + 10);
	ck_assert_int_eq(toe_recv(o.c, got, 4 * size + 10, 0), 4 * size + 10);
	ck_assert_mem_eq(got, data, 4 * size + 10);
	ck_assert_int_eq(toe_recv(o.c, got, sizeof(got), 0),
			 n - 4 * size - 10);
	ck_assert_mem_eq(got, data + 4 * size + 10, n - 4 * size - 10);
}
END_TEST

START_TEST(credit_is_not_more_than_half_of_the_buffers)
{
	struct sockaddr_in a = peer_addr();
	struct toe_conn_opts opts = { .credit = 1u << 20 };
	uint64_t half = RING * (SMALL + LARGE) / 2, value = 0;
	struct toe_conn *c;

	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a, sizeof(a),
				     &opts, &c), 0);
	ck_assert_uint_eq(take_op(TOE_OP_CONNECT).u.connect.credit, half);
	ck_assert_int_eq(toe_setopt(c, TOE_CREDIT, half * 4), 0);
	ck_assert_int_eq(toe_getopt(c, TOE_CREDIT, &value), 0);
	ck_assert_uint_eq(value, half);
}
END_TEST

/* ---- Urgent data -------------------------------------------------------- */

static void mark_at(const struct open_conn *o, uint64_t mark)
{
	struct toe_hw_cqe e = {
		.type = TOE_EV_URGENT, .handle = o->handle,
		.cookie = o->cookie,
	};

	e.u.urgent.mark = mark;
	post_event(e);
}

START_TEST(urgent_data_is_told_and_found)
{
	struct open_conn o = open_conn(NULL);
	struct toe_event ev;
	unsigned char byte = 0;
	uint64_t ahead = 77;
	char buf[16];

	ck_assert_int_eq(toe_urgent(o.c, &ahead), 0);
	ck_assert_int_eq(toe_urgent_byte(o.c, &byte), -EINVAL);
	/* The news comes ahead of the bytes. */
	receive(0, o.handle, o.cookie, "ab", 2);
	mark_at(&o, 6);
	ev = one_event();
	ck_assert_uint_eq(ev.events, TOE_MARKED | TOE_READABLE);
	ck_assert_ptr_eq(ev.conn, o.c);
	ck_assert(toe_conn_state(o.c) & TOE_MARKED);
	ck_assert_int_eq(toe_urgent(o.c, &ahead), 1);
	ck_assert_uint_eq(ahead, 5);
	ck_assert_int_eq(toe_urgent_byte(o.c, &byte), -EAGAIN);
	receive(0, o.handle, o.cookie, "cdeUxy", 6);
	ck_assert_int_eq(toe_urgent_byte(o.c, &byte), 1);
	ck_assert_uint_eq(byte, 'U');
	/* A read stops before it, and then begins with it. */
	ck_assert_int_eq(toe_recv(o.c, buf, 3, 0), 3);
	ck_assert_int_eq(toe_recv(o.c, buf, 16, TOE_PEEK), 2);
	ck_assert_int_eq(toe_recv(o.c, buf, 16, 0), 2);
	ck_assert_mem_eq(buf, "de", 2);
	ck_assert_int_eq(toe_urgent(o.c, &ahead), 1);
	ck_assert_uint_eq(ahead, 0);
	ck_assert_int_eq(toe_recv(o.c, buf, 16, 0), 3);
	ck_assert_mem_eq(buf, "Uxy", 3);
	ck_assert_int_eq(toe_urgent(o.c, &ahead), 0);
	ck_assert(!(toe_conn_state(o.c) & TOE_MARKED));
	ck_assert_uint_eq(toe->stats.bad, 0);
}
END_TEST

START_TEST(urgent_byte_is_left_out)
{
	struct open_conn o = open_conn(NULL);
	char buf[16];

	mark_at(&o, 4);
	receive(0, o.handle, o.cookie, "abcU", 4);
	toe_complete(toe);
	ck_assert_int_eq(toe_recv(o.c, buf, 16, TOE_SKIP_URGENT), 3);
	/* It is all that is there: nothing, and a look does not take it. */
	ck_assert_int_eq(toe_recv(o.c, buf, 16, TOE_SKIP_URGENT | TOE_PEEK),
			 -EAGAIN);
	ck_assert_int_eq(toe_urgent(o.c, NULL), 1);
	receive(0, o.handle, o.cookie, "de", 2);
	ck_assert_int_eq(toe_recv(o.c, buf, 16, TOE_SKIP_URGENT | TOE_PEEK),
			 2);
	ck_assert_mem_eq(buf, "de", 2);
	ck_assert_int_eq(toe_urgent(o.c, NULL), 1);
	ck_assert_int_eq(toe_recv(o.c, buf, 1, TOE_SKIP_URGENT), 1);
	ck_assert_int_eq(buf[0], 'd');
	ck_assert_int_eq(toe_urgent(o.c, NULL), 0);
	/* The next one, alone: the read takes it away and has nothing. */
	mark_at(&o, 7);
	receive(0, o.handle, o.cookie, "V", 1);
	toe_complete(toe);
	ck_assert_int_eq(toe_recv(o.c, buf, 16, TOE_SKIP_URGENT), 1);
	ck_assert_int_eq(buf[0], 'e');
	ck_assert_int_eq(toe_recv(o.c, buf, 16, TOE_SKIP_URGENT), -EAGAIN);
	ck_assert_uint_eq(toe_recv_pending(o.c), 0);
	ck_assert_int_eq(toe_urgent(o.c, NULL), 0);
}
END_TEST

START_TEST(urgent_nonsense_of_the_adapter)
{
	struct open_conn o = open_conn(NULL);
	unsigned char byte;
	uint64_t ahead;
	char buf[8];

	receive(0, o.handle, o.cookie, "abc", 3);
	mark_at(&o, 0);
	toe_complete(toe);
	ck_assert_int_eq(toe_urgent(o.c, &ahead), 0);
	mark_at(&o, UINT64_MAX);
	toe_complete(toe);
	ck_assert_int_eq(toe_urgent(o.c, &ahead), 1);
	ck_assert_int_eq(toe_urgent_byte(o.c, &byte), -EAGAIN);
	ck_assert_int_eq(toe_recv(o.c, buf, 8, TOE_SKIP_URGENT), 3);
	/* Of a connection that was closed. */
	toe_close_conn(o.c);
	take_op(TOE_OP_CLOSE);
	mark_at(&o, 9);
	no_event();
	ck_assert_uint_eq(toe->stats.bad, 0);
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

START_TEST(credit_lowered_and_raised)
{
	struct open_conn o = open_conn(NULL);
	uint32_t asked = CREDIT;
	int i;

	for (i = 0; i < 50; i++) {
		ck_assert_int_eq(toe_setopt(o.c, TOE_CREDIT, 1), 0);
		ck_assert_int_eq(toe_setopt(o.c, TOE_CREDIT, CREDIT), 0);
		while (requests_waiting())
			asked += take_op(TOE_OP_CREDIT).u.credit.credit;
	}
	/* nothing was received: the adapter may hold one window */
	ck_assert_uint_le(asked, toe->credit_max);
}
END_TEST

START_TEST(abort_waits_for_room)
{
	struct open_conn o = open_conn(NULL), p = open_conn(NULL);
	struct toe_hw_req r;
	int i;

	ck_assert_int_eq(toe_send(o.c, "x", 1, 0), 1);
	r = take_op(TOE_OP_SEND);
	for (i = 0; i < 8; i++)
		ck_assert_int_eq(toe_send(p.c, "y", 1, 0), i < 4 ? 1 : -EAGAIN);
	while (toe_rq_space(toe))
		toe_rq_post(toe, &(struct toe_hw_req){ .opcode = TOE_OP_NOP,
				 .flags = TOE_REQ_F_QUIET });
	complete(&r, TOE_ST_DMA, o.handle, 0);
	ck_assert_uint_eq(one_event().events, TOE_CLOSED);
	while (requests_waiting())
		take_request();
	toe_poll(toe, &(struct toe_event){ 0 }, 1);
	toe_close_conn(o.c);
	toe_poll(toe, &(struct toe_event){ 0 }, 1);
	ck_assert_msg(requests_waiting() == 1, "ABORT never came");
	take_op(TOE_OP_ABORT);
}
END_TEST

START_TEST(accept_of_closed_listener)
{
	struct sockaddr_in a = peer_addr();
	struct toe_listener *l = NULL;
	struct toe_hw_req r = { .opcode = TOE_OP_LISTEN };
	struct toe_conn *c;

	r.cookie = toe_cookie(TOE_CK_LISTEN, toe->conns_used, 1);
	complete(&r, TOE_ST_OK, 50, 80);
	ck_assert_int_eq(toe_listen(toe, (struct sockaddr *)&a, sizeof(a), 5,
				    &fake, &l), 0);
	take_op(TOE_OP_LISTEN);
	conn_event(TOE_EV_CLOSED, TOE_ST_ABORTED, 50, r.cookie);
	ck_assert_uint_eq(one_event().events, TOE_CLOSED);
	ck_assert_int_ne(toe_accept(l, NULL, &c), -EAGAIN);
	ck_assert_int_ne(toe_accept_wait(l, NULL, 50, &c), -ETIMEDOUT);
}
END_TEST

static void add(TCase *t)
{
#define T(name) tcase_add_test(t, name)
	T(credit_lowered_and_raised);
	T(abort_waits_for_room);
	T(accept_of_closed_listener);
	T(receive_by_copy);
	T(buffers_go_round);
	T(credit_is_asked_for_by_halves);
	T(credit_window_changes);
	T(lend_and_return);
	T(return_after_close);
	T(bytes_before_the_end);
	T(bytes_before_the_error);
	T(starved_adapter_is_told);
	T(small_segments_do_not_take_all_buffers);
	T(packing_fills_a_buffer_and_begins_the_next);
	T(credit_is_not_more_than_half_of_the_buffers);
	T(urgent_data_is_told_and_found);
	T(urgent_byte_is_left_out);
	T(urgent_nonsense_of_the_adapter);
	T(events_of_a_closed_connection);
	T(bad_buffers_are_counted);
	T(bad_cookies_are_counted);
#undef T
}

int main(void)
{
	return fake_main("libtoe_recv", add);
}
