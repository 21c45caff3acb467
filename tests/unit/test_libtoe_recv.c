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

static void add(TCase *t)
{
#define T(name) tcase_add_test(t, name)
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
#undef T
}

int main(void)
{
	return fake_main("libtoe_recv", add);
}
