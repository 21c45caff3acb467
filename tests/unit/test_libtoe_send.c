/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_libtoe_send.c - the library against a fake adapter: sending.
 */
#include "fake_adapter.h"

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

START_TEST(stalled_peers_leave_room_for_others)
{
	static uint8_t data[2 * STAGING];
	struct open_conn o[3];
	struct toe_hw_req r;
	ssize_t n, all = 0;
	int i;

	for (i = 0; i < 3; i++)
		o[i] = open_conn(NULL);
	/* Two send all they may, again and again, and nothing is taken. */
	for (i = 0; i < 16; i++) {
		n = toe_send(o[i % 2].c, data, sizeof(data), 0);
		ck_assert(n > 0 || n == -EAGAIN);
		all += n > 0 ? n : 0;
	}
	ck_assert_int_gt(all, STAGING / 2);
	ck_assert_int_lt(all, STAGING);
	ck_assert(toe_conn_state(o[2].c) & TOE_WRITABLE);
	ck_assert_int_gt(toe_send(o[2].c, data, 100, 0), 0);
	/* Later all of it is there again. */
	while (requests_waiting()) {
		r = take_op(TOE_OP_SEND);
		complete(&r, TOE_ST_OK, r.handle, 0);
		toe_complete(toe);
	}
	ck_assert_uint_eq(toe->stage_free, toe->stage_slots);
	ck_assert_int_eq(toe_send(o[0].c, data, sizeof(data), 0),
			 STAGING / 2);
}
END_TEST

START_TEST(closed_connections_count_until_their_sends_are_done)
{
	struct sockaddr_in a = peer_addr();
	struct toe_hw_req sends[4], close;
	struct open_conn o;
	struct toe_conn *c;
	int i;

	for (i = 0; i < 4; i++) {
		o = open_conn(NULL);
		ck_assert_int_eq(toe_send(o.c, "x", 1, 0), 1);
		sends[i] = take_op(TOE_OP_SEND);
		toe_close_conn(o.c);
		close = take_op(TOE_OP_CLOSE);
		ck_assert_uint_eq(close.handle, o.handle);
	}
	/* max_conns is 4, and the memory of 4 SENDs is not free yet. */
	ck_assert_uint_eq(toe->stats.conns, 4);
	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a, sizeof(a),
				     NULL, &c), -EMFILE);
	complete(&sends[2], TOE_ST_OK, sends[2].handle, 0);
	/* The call itself looks whether one is done. */
	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a, sizeof(a),
				     NULL, &c), 0);
	take_op(TOE_OP_CONNECT);
	for (i = 0; i < 4; i++)
		if (i != 2)
			complete(&sends[i], TOE_ST_ABORTED, sends[i].handle,
				 0);
	no_event();
	ck_assert_uint_eq(toe->stats.conns, 1);
	ck_assert_uint_eq(toe->stage_free, toe->stage_slots);
}
END_TEST

START_TEST(close_that_waits_has_its_sends_counted)
{
	struct open_conn o = open_conn(NULL);
	struct toe_hw_req r, send, set = { .opcode = TOE_OP_SETOPT };

	set.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
	complete(&set, TOE_ST_OK, o.handle, 0);
	ck_assert_int_eq(toe_setopt(o.c, TOE_LINGER, TOE_LINGER_ON | 5), 0);
	take_op(TOE_OP_SETOPT);
	ck_assert_int_eq(toe_send(o.c, "x", 1, 0), 1);
	send = take_op(TOE_OP_SEND);
	r = (struct toe_hw_req){ .opcode = TOE_OP_CLOSE };
	r.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
	complete(&r, TOE_ST_OK, o.handle, 0);
	toe_close_conn(o.c);
	take_op(TOE_OP_CLOSE);
	/* It holds memory as long as its SEND does. */
	ck_assert_uint_eq(toe->stats.conns, 1);
	complete(&send, TOE_ST_OK, o.handle, 0);
	no_event();
	ck_assert_uint_eq(toe->stats.conns, 0);
	ck_assert_uint_eq(toe->stats.bad, 0);
	ck_assert_uint_eq(toe->stage_free, toe->stage_slots);
}
END_TEST

/* It ends while its CLOSE waits for room in the request queue. */
START_TEST(ended_before_its_close_was_posted)
{
	struct open_conn o = open_conn(NULL), p = open_conn(NULL);
	struct toe_hw_req send;
	uint32_t i;

	ck_assert_int_eq(toe_send(o.c, "x", 1, 0), 1);
	send = take_op(TOE_OP_SEND);
	for (i = 1; i <= RING; i++)
		ck_assert_int_eq(toe_setopt(p.c, TOE_CREDIT, CREDIT + i), 0);
	toe_close_conn(o.c);
	conn_event(TOE_EV_CLOSED, TOE_ST_RESET, o.handle, o.cookie);
	no_event();
	ck_assert_uint_eq(toe->stats.conns, 2);
	for (i = 0; i < RING; i++)
		take_op(TOE_OP_CREDIT);
	complete(&send, TOE_ST_RESET, o.handle, 0);
	no_event();
	ck_assert_uint_eq(requests_waiting(), 0);
	ck_assert_uint_eq(toe->stats.conns, 1);
	ck_assert_uint_eq(toe->stats.bad, 0);
}
END_TEST

START_TEST(urgent_goes_with_the_last_byte)
{
	struct open_conn o = open_conn(NULL);
	static uint8_t data[STAGING];
	struct toe_mem m = { .toe = toe, .length = 100, .key = 5,
			     .flags = TOE_MEM_F_SEND };
	struct toe_hw_req r;

	ck_assert_int_eq(toe_send(o.c, "x!", 2, TOE_URGENT), 2);
	ck_assert_uint_eq(take_op(TOE_OP_SEND).flags, TOE_REQ_F_URGENT);
	ck_assert_int_eq(toe_send_mem(o.c, &m, 0, 10, TOE_URGENT | TOE_MORE,
				      1), 0);
	ck_assert_uint_eq(take_op(TOE_OP_SEND).flags,
			  TOE_REQ_F_URGENT | TOE_REQ_F_MORE);
	/* Not all is taken: the last byte is not among it. */
	ck_assert_int_lt(toe_send(o.c, data, sizeof(data), TOE_URGENT),
			 sizeof(data));
	while (requests_waiting()) {
		r = take_op(TOE_OP_SEND);
		ck_assert_uint_eq(r.flags, TOE_REQ_F_MORE);
	}
	ck_assert_int_eq(toe_send(o.c, "x", 1, 4), -EINVAL);
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

static void add(TCase *t)
{
#define T(name) tcase_add_test(t, name)
	T(send_copies);
	T(send_gathers);
	T(staging_is_shared_fairly);
	T(stalled_peers_leave_room_for_others);
	T(closed_connections_count_until_their_sends_are_done);
	T(close_that_waits_has_its_sends_counted);
	T(ended_before_its_close_was_posted);
	T(urgent_goes_with_the_last_byte);
	T(staging_is_used_again_in_any_order);
	T(more_holds_the_doorbell);
	T(pending_sends_are_bounded);
	T(send_mem_says_when);
	T(lost_bytes_end_the_connection);
	T(shutdown_once);
#undef T
}

int main(void)
{
	return fake_main("libtoe_send", add);
}
