/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_libtoe_udp.c - the library against a fake adapter: UDP.
 */
#include "fake_adapter.h"

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

static void add(TCase *t)
{
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
#undef T
}

int main(void)
{
	return fake_main("libtoe_udp", add);
}
