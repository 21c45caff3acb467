/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_libtoe_opts.c - the library against a fake adapter: options, and what it
 * tells of a connection.
 */
#include "fake_adapter.h"

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
	struct toe_conn_opts opts = { .rsvd = { 0, 1 } };
	struct toe_conn *c;

	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a, sizeof(a),
				     &opts, &c), -EINVAL);
	opts.rsvd[1] = 0;
	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a, sizeof(a),
				     &opts, &c), 0);
	ck_assert_uint_eq(take_op(TOE_OP_CONNECT).flags, 0);
	opts.flags = TOE_CONN_FASTOPEN;
	ck_assert_int_eq(toe_connect(toe, (struct sockaddr *)&a, sizeof(a),
				     &opts, &c), 0);
	ck_assert_uint_eq(take_op(TOE_OP_CONNECT).flags, TOE_REQ_F_FASTOPEN);
}
END_TEST

static int connect_with(const struct toe_option *options, uint32_t n,
			struct toe_conn **c)
{
	struct sockaddr_in a = peer_addr();
	struct toe_conn_opts opts = { .options = options, .noptions = n };

	return toe_connect(toe, (struct sockaddr *)&a, sizeof(a), &opts, c);
}

START_TEST(options_before_the_first_segment)
{
	struct toe_option o[RING] = {
		{ .option = TOE_RCVBUF, .value = 100000 },
		{ .option = TOE_ECN, .value = TOE_ECN_MODE_ON },
		{ .option = TOE_LINGER, .value = TOE_LINGER_ON | 7 },
		{ .option = TOE_TOS }, { .option = TOE_TTL },
		{ .option = TOE_CORK }, { .option = TOE_UTO },
		{ .option = TOE_NODELAY },
	};
	uint32_t tail = fake.page->rq_tail, i;
	struct toe_conn *c, *d;
	struct toe_hw_req r;

	ck_assert_int_eq(connect_with(o, 3, &c), 0);
	for (i = 0; i < 3; i++) {
		r = take_op(TOE_OP_SETOPT);
		ck_assert_uint_eq(r.handle, 0);
		ck_assert_uint_eq(r.flags, TOE_REQ_F_QUIET);
		ck_assert_uint_eq(r.u.opt.option, (uint32_t)o[i].option);
		ck_assert(r.u.opt.value == o[i].value);
	}
	r = take_op(TOE_OP_CONNECT);
	ck_assert(c->lingers);
	complete(&r, TOE_ST_INVALID, 0, 0);
	ck_assert_int_eq(one_event().status, -EINVAL);
	toe_close_conn(c);
	ck_assert_uint_eq(fake.page->rq_tail - tail, 4);
	/* All of it or nothing: the queue has room for 3, and then for 4. */
	for (i = 0; i < RING - 3; i++)
		ck_assert_int_eq(connect_with(NULL, 0, &d), i < 4 ? 0 : -EMFILE);
	ck_assert_uint_eq(requests_waiting(), 4);
	take_op(TOE_OP_CONNECT);
	ck_assert_int_eq(connect_with(o, 5, &d), -EAGAIN);
	ck_assert_uint_eq(requests_waiting(), 3);
	/* What never fits, what is unknown, and this library's own. */
	ck_assert_int_eq(connect_with(o, RING, &d), -EINVAL);
	o[1].option = 99;
	ck_assert_int_eq(connect_with(o, 2, &d), -EINVAL);
	o[1].option = TOE_CREDIT;
	ck_assert_int_eq(connect_with(o, 2, &d), -EINVAL);
	o[1] = (struct toe_option){ .option = TOE_ECN, .rsvd = 1 };
	ck_assert_int_eq(connect_with(o, 2, &d), -EINVAL);
	ck_assert_int_eq(connect_with(o, TOE_OPTIONS_MAX + 1, &d), -EINVAL);
	ck_assert_uint_eq(requests_waiting(), 3);
}
END_TEST

START_TEST(options_of_the_later_adapter)
{
	static const int known[] = {
		TOE_DEFER_ACCEPT, TOE_FASTOPEN, TOE_ECN, TOE_ECN_AGREED,
		TOE_PACING_RATE, TOE_MTU_DISCOVER, TOE_PATH_MTU,
	};
	static const int unknown[] = { 0, 18, 31, 34, 39, 43, 46, 48, -1 };
	struct open_conn o = open_conn(NULL);
	struct toe_hw_req r = { .opcode = TOE_OP_SETOPT };
	uint64_t value;
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		r.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
		complete(&r, TOE_ST_OK, o.handle, 0);
		ck_assert_int_eq(toe_setopt(o.c, known[i], 1), 0);
		ck_assert_uint_eq(take_op(TOE_OP_SETOPT).u.opt.option,
				  (uint32_t)known[i]);
	}
	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		ck_assert_int_eq(toe_setopt(o.c, unknown[i], 1), -EINVAL);
		ck_assert_int_eq(toe_getopt(o.c, unknown[i], &value), -EINVAL);
	}
	ck_assert_uint_eq(requests_waiting(), 0);
}
END_TEST

START_TEST(option_waits_for_the_handle)
{
	struct toe_hw_req r, set = { .opcode = TOE_OP_SETOPT };
	struct toe_conn *c = start_connect(NULL, &r);

	complete(&r, TOE_ST_OK, 77, 0);
	ck_assert(!c->handle_known);
	ck_assert_int_eq(toe_handle_wait(c), 0);
	set.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
	complete(&set, TOE_ST_OK, 77, 0);
	ck_assert_int_eq(toe_setopt(c, TOE_NODELAY, 1), 0);
	ck_assert_uint_eq(take_op(TOE_OP_SETOPT).handle, 77);
	/* There will be none. */
	c = start_connect(NULL, &r);
	complete(&r, TOE_ST_NOROUTE, 0, 0);
	ck_assert_int_eq(toe_setopt(c, TOE_NODELAY, 1), -ENOTCONN);
	ck_assert_uint_eq(requests_waiting(), 0);
}
END_TEST

START_TEST(options_of_a_listener)
{
	struct sockaddr_in a = peer_addr();
	struct toe_listener *l;
	struct toe_hw_req r = { .opcode = TOE_OP_LISTEN }, set = {
		.opcode = TOE_OP_SETOPT };
	uint64_t value;

	r.cookie = toe_cookie(TOE_CK_LISTEN, toe->conns_used, 1);
	complete(&r, TOE_ST_OK, 55, 80);
	ck_assert_int_eq(toe_listen(toe, (struct sockaddr *)&a, sizeof(a), 5,
				    NULL, &l), 0);
	take_op(TOE_OP_LISTEN);
	set.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
	complete(&set, TOE_ST_OK, 55, 0);
	ck_assert_int_eq(toe_listener_setopt(l, TOE_DEFER_ACCEPT, 3), 0);
	r = take_op(TOE_OP_SETOPT);
	ck_assert_uint_eq(r.handle, 55);
	ck_assert_uint_eq(r.u.opt.option, TOE_OPT_DEFER_ACCEPT);
	set.opcode = TOE_OP_GETOPT;
	set.cookie = toe_cookie(TOE_CK_CTL, toe->ctl.seq + 1, 0);
	complete(&set, TOE_ST_OK, 55, 9);
	ck_assert_int_eq(toe_listener_getopt(l, TOE_FASTOPEN, &value), 0);
	ck_assert_uint_eq(value, 9);
	ck_assert_int_eq(toe_listener_setopt(l, TOE_CREDIT, 9), -EINVAL);
	ck_assert_int_eq(toe_listener_getopt(l, TOE_CREDIT, &value), -EINVAL);
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
	complete(&r, TOE_ST_NOROUTE, 0, 0);
	ck_assert_int_eq(toe_tcp_info(c, &info, sizeof(info)), -ENOTCONN);
}
END_TEST

static void add(TCase *t)
{
#define T(name) tcase_add_test(t, name)
	T(options_wait_for_the_answer);
	T(options_of_connect);
	T(options_before_the_first_segment);
	T(options_of_the_later_adapter);
	T(option_waits_for_the_handle);
	T(options_of_a_listener);
	T(close_waits_if_it_lingers);
	T(tcp_info_is_asked_for);
#undef T
}

int main(void)
{
	return fake_main("libtoe_opts", add);
}
