/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_open.c - how connections begin: RFC 9293 3.5 and 3.10.7.2/3,
 * listeners, what SYNs agree on.
 */
#include "common_tcp.h"

START_TEST(active)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	talk_connect(t);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_SYN_SENT);
	ck_assert_uint_eq(toe_stream_send_space(t->w->n, t->h), 0);
	s = HEAR(t, .flags = SYN);
	ck_assert_uint_eq(s->mss, 1460);
	ck_assert_int_gt(s->wscale, 0);
	ck_assert(s->ts);
	ck_assert_uint_eq(s->window, 65535);
	ck_assert_uint_eq(s->dport, RPORT);
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1400);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert(!s->ts);
	EVENTS(t, "E");
	ck_assert_uint_eq(talk_info(t, t->h).mss, 1400);
	ck_assert_uint_eq(COUNTER(t, TCP_ACTIVE_OPENS), 1);
	ck_assert_uint_gt(toe_stream_send_space(t->w->n, t->h), 0);
	talk_free(t);
}
END_TEST

START_TEST(passive)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;
	ToeTuple q;
	uint16_t mss;

	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460, .wscale = 8, .ts = true);
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_uint_eq(s->mss, 1460);
	ck_assert_int_gt(s->wscale, 0);
	ck_assert(s->ts);
	ck_assert_uint_eq(s->tsecr, 1000);
	EVENTS(t, "");
	t->ts = true;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(toe_stream_tuple(t->w->n, t->h, &q, &mss),
			  TOE_ST_OK);
	ck_assert_uint_eq(q.lport, LPORT);
	ck_assert_uint_eq(q.rport, RPORT);
	ck_assert_mem_eq(q.raddr, PEER_IP, 16);
	ck_assert_uint_eq(mss, 1448);
	ck_assert_uint_eq(COUNTER(t, TCP_PASSIVE_OPENS), 1);
	talk_free(t);
}
END_TEST

START_TEST(passive_without_options)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	talk_listen(t, 1);
	SAY(t, .flags = SYN);
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_int_eq(s->wscale, 0);
	ck_assert(!s->ts);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	/* RFC 9293 3.7.1: MSS 536 if none was said. */
	ck_assert_uint_eq(talk_info(t, t->h).mss, 536);
	talk_free(t);
}
END_TEST

START_TEST(simultaneous)
{
	struct talk *t = talk_new();

	talk_connect(t);
	HEAR(t, .flags = SYN);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_SYN_RECEIVED);
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460);
	EVENTS(t, "E");
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_ESTABLISHED);
	while (talk_any(t))
		;
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 5);
	EVENTS(t, "R");
	talk_read(t, 0, 5);
	world_forget(t->w);
	talk_free(t);
}
END_TEST

START_TEST(refused)
{
	struct talk *t = talk_new();

	talk_connect(t);
	HEAR(t, .flags = SYN);
	/* Not for our SYN. */
	SAY(t, .flags = RST | ACK, .ack = 2);
	SAY(t, .flags = RST, .seq = 0);
	EVENTS(t, "");
	SAY(t, .flags = RST | ACK, .ack = 1);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_REFUSED);
	ck_assert_uint_eq(COUNTER(t, TCP_ATTEMPT_FAILS), 1);
	talk_close(t);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 0);
	talk_free(t);
}
END_TEST

START_TEST(old_duplicate_syn_ack)
{
	struct talk *t = talk_new();

	talk_connect(t);
	HEAR(t, .flags = SYN);
	/* RFC 9293 figure 8: half-open connection discovered by the ACK. */
	SAY(t, .flags = ACK, .seq = 77, .ack = 999);
	HEAR(t, .flags = RST, .seq = 999);
	EVENTS(t, "");
	SAY(t, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	talk_free(t);
}
END_TEST

START_TEST(syn_retransmission)
{
	struct talk *t = talk_new();
	int64_t wait = SEC;
	unsigned i;

	talk_connect(t);
	HEAR(t, .flags = SYN);
	/* 1, 2, 4, ... seconds: RFC 6298. */
	for (i = 0; i < 5; i++) {
		world_advance(t->w, wait - MS);
		SILENCE(t);
		world_advance(t->w, MS);
		HEAR(t, .flags = SYN);
		wait *= 2;
	}
	ck_assert_uint_eq(COUNTER(t, TCP_RTO), 5);
	world_advance(t->w, 200 * SEC);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_TIMEDOUT);
	talk_drop(t);
}
END_TEST

START_TEST(syn_user_timeout)
{
	struct talk *t = talk_new();

	talk_connect(t);
	talk_setopt(t, TOE_OPT_USER_TIMEOUT, 2500);
	HEAR(t, .flags = SYN);
	world_advance(t->w, 2499 * MS);
	HEAR(t, .flags = SYN);
	EVENTS(t, "");
	world_advance(t->w, 2 * MS);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_TIMEDOUT);
	talk_free(t);
}
END_TEST

START_TEST(syn_ack_retransmission)
{
	struct talk *t = talk_new();

	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	world_advance(t->w, SEC);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	/* The peer's own retransmission is answered at once. */
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	talk_free(t);
}
END_TEST

START_TEST(syn_received_times_out)
{
	struct talk *t = talk_new();

	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 1);
	talk_wait(t, 62 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 1);
	talk_wait(t, 2 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 0);
	EVENTS(t, "");
	world_forget(t->w);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	talk_free(t);
}
END_TEST

START_TEST(syn_received_reset)
{
	struct talk *t = talk_new();

	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	/* In the window, but not exact: challenged (RFC 5961). */
	SAY(t, .flags = RST, .seq = 2);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = RST, .seq = 1);
	SILENCE(t);
	EVENTS(t, "");
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
	ck_assert_uint_eq(talk_state(t, t->listener), TOE_TCP_LISTEN);
	talk_free(t);
}
END_TEST

START_TEST(syn_received_bad_ack)
{
	struct talk *t = talk_new();

	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 2);
	HEAR(t, .flags = RST, .seq = 2);
	SAY(t, .flags = ACK, .seq = 1, .ack = 0);
	HEAR(t, .flags = RST, .seq = 0);
	EVENTS(t, "");
	talk_free(t);
}
END_TEST

START_TEST(listener_segments)
{
	struct talk *t = talk_new();

	talk_listen(t, 1);
	SAY(t, .flags = RST, .seq = 5);
	SAY(t, .flags = FIN, .seq = 5);
	SAY(t, .flags = SYN | FIN, .seq = 5);
	SILENCE(t);
	SAY(t, .flags = ACK, .seq = 5, .ack = 4711);
	HEAR(t, .flags = RST, .seq = 4711);
	SAY(t, .flags = SYN | ACK, .seq = 5, .ack = 4712);
	HEAR(t, .flags = RST, .seq = 4712);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
	talk_free(t);
}
END_TEST

START_TEST(listener_close_resets_half_open)
{
	struct talk *t = talk_new();
	uint32_t child;

	talk_listen(t, 4);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	child = t->h;
	t->rport = 1001;
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	toe_stream_close(t->w->n, t->listener);
	HEAR(t, .flags = RST | ACK, .seq = 1, .ack = 1);
	EVENTS(t, "");
	/* The reported one lives on. */
	ck_assert_uint_eq(talk_state(t, child), TOE_TCP_ESTABLISHED);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
	toe_stream_accepted(t->w->n, child);
	talk_free(t);
}
END_TEST

START_TEST(children_inherit)
{
	struct talk *t = talk_new();
	uint64_t v;

	talk_listen(t, 4);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener,
					    TOE_OPT_NODELAY, 1), TOE_ST_OK);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener,
					    TOE_OPT_RCVBUF, 10000), TOE_ST_OK);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener,
					    TOE_OPT_USER_TIMEOUT, 77),
			  TOE_ST_OK);
	talk_open_passive(t, NULL);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_NODELAY,
					    &v), TOE_ST_OK);
	ck_assert_uint_eq(v, 1);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_RCVBUF,
					    &v), TOE_ST_OK);
	ck_assert_uint_eq(v, 10000);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h,
					    TOE_OPT_USER_TIMEOUT, &v),
			  TOE_ST_OK);
	ck_assert_uint_eq(v, 77);
	talk_free(t);
}
END_TEST

START_TEST(addresses_in_use)
{
	struct talk *t = talk_new();
	ToeTuple q = { .family = TOE_AF_INET, .lport = LPORT };
	uint32_t h;

	talk_listen(t, 1);
	ck_assert_uint_eq(toe_stream_listen(t->w->n, &q, 1, &h),
			  TOE_ST_ADDRINUSE);
	memcpy(q.laddr, WORLD_IP, 16);
	ck_assert_uint_eq(toe_stream_listen(t->w->n, &q, 1, &h),
			  TOE_ST_ADDRINUSE);
	memcpy(q.laddr, FAR_IP, 16);
	ck_assert_uint_eq(toe_stream_listen(t->w->n, &q, 1, &h),
			  TOE_ST_ADDRNOTAVAIL);
	q = (ToeTuple){ .family = TOE_AF_INET, .lport = LPORT, .rport = 9 };
	memcpy(q.raddr, PEER_IP, 16);
	ck_assert_uint_eq(toe_stream_connect(t->w->n, &q, &h),
			  TOE_ST_ADDRINUSE);
	q.lport = 7777;
	ck_assert_uint_eq(toe_stream_connect(t->w->n, &q, &h), TOE_ST_OK);
	ck_assert_uint_eq(toe_stream_connect(t->w->n, &q, &h),
			  TOE_ST_ADDRINUSE);
	q.rport = 10;	/* another 4-tuple */
	ck_assert_uint_eq(toe_stream_connect(t->w->n, &q, &h), TOE_ST_OK);
	q.rport = 0;
	ck_assert_uint_eq(toe_stream_connect(t->w->n, &q, &h),
			  TOE_ST_INVALID);
	q.family = 9;
	ck_assert_uint_eq(toe_stream_connect(t->w->n, &q, &h),
			  TOE_ST_INVALID);
	q = (ToeTuple){ .family = TOE_AF_INET, .rport = 9 };
	memcpy(q.raddr, WORLD_IP, 16);
	ck_assert_uint_eq(toe_stream_connect(t->w->n, &q, &h),
			  TOE_ST_NOROUTE);
	world_run(t->w);
	world_forget(t->w);
	talk_free(t);
}
END_TEST

START_TEST(table_full)
{
	struct talk *t = talk_new();
	ToeTuple q;
	uint32_t h;
	unsigned i;

	for (i = 0; i < 64; i++)
		talk_connect(t);
	q = (ToeTuple){ .family = TOE_AF_INET, .rport = 9 };
	memcpy(q.raddr, PEER_IP, 16);
	ck_assert_uint_eq(toe_stream_connect(t->w->n, &q, &h), TOE_ST_NOMEM);
	talk_abort(t);
	ck_assert_uint_eq(toe_stream_connect(t->w->n, &q, &h), TOE_ST_OK);
	talk_drop(t);
}
END_TEST

START_TEST(stale_handles)
{
	struct talk *t = talk_new();
	uint32_t old;
	uint64_t v;
	ToeTuple q;
	unsigned i;

	talk_connect(t);
	old = t->h;
	talk_abort(t);
	/* Go round the table once: the same NCB with another generation. */
	for (i = 0; i < 64; i++)
		talk_connect(t);
	ck_assert_uint_eq(toe_stream_tuple(t->w->n, old, &q, NULL),
			  TOE_ST_HANDLE);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, old, TOE_OPT_NODELAY, 1),
			  TOE_ST_HANDLE);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, old, TOE_OPT_NODELAY,
					    &v), TOE_ST_HANDLE);
	ck_assert_uint_eq(toe_stream_shutdown(t->w->n, old), TOE_ST_HANDLE);
	ck_assert_uint_eq(toe_stream_send_space(t->w->n, old), 0);
	ck_assert_uint_eq(toe_stream_rx(t->w->n, old)->len, 0);
	toe_stream_close(t->w->n, old);
	toe_stream_abort(t->w->n, old);
	toe_stream_accepted(t->w->n, 0);
	toe_stream_close(t->w->n, 0xffffffff);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 64);
	talk_drop(t);
}
END_TEST

START_TEST(user_network_segments)
{
	ToeNopConfig config = world_default_config();
	struct talk *t;
	const struct talk_seg *s;

	config.max_segment = 65535;
	t = talk_new_config(&config, 4u << 20);
	talk_open_active(t, NULL);
	/* Ours is announced by the MTU; theirs does not count. */
	ck_assert_uint_eq(talk_info(t, t->h).mss, 65535 - 40);
	ck_assert_uint_eq(talk_info(t, t->h).cwnd, 2 * (65535 - 40));
	talk_send(t, 0, 65495 + 100);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 65495);
	ck_assert_uint_eq(s->window, 65535);
	SAY(t, .flags = ACK, .seq = 1, .ack = 65496);
	HEAR(t, .flags = ACK | PSH, .seq = 65496, .ack = 1, .len = 100);
	talk_free(t);
}
END_TEST

START_TEST(malformed)
{
	struct talk *t = talk_new();

	talk_open_passive(t, NULL);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 3, .hlen = 4);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 3, .hlen = 15);
	/* The option's length field runs out of the header. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 4, .hlen = 6,
	    .data = "\x02\x09\x05\xb4");
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 4, .hlen = 6,
	    .data = "\x01\x01\x01\x08");
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 4, .hlen = 6,
	    .data = "\x02\x00\x05\xb4");
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 4, .hlen = 6,
	    .data = "\x03\x04\x05\xb4");
	ck_assert_uint_eq(COUNTER(t, TCP_BAD), 6);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 3, .bad_checksum = 1);
	ck_assert_uint_eq(COUNTER(t, TCP_BAD_CHECKSUM), 1);
	/* An unknown option is skipped. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 4, .hlen = 6,
	    .data = "\xfd\x04\x05\xb4");
	EVENTS(t, "");
	talk_free(t);
}
END_TEST

START_TEST(not_ours)
{
	struct talk *t = talk_new();

	/* Neither connection nor listener: the operating system's. */
	SAY(t, .flags = SYN);
	ck_assert_uint_eq(world_os_count(t->w), 1);
	SILENCE(t);
	/* Without one, a RST (RFC 9293 3.10.7.1). */
	ck_assert_uint_eq(toe_nop_port_set(t->w->n, 0, NULL, 0, 0), TOE_ST_OK);
	SAY(t, .flags = SYN, .seq = 7, .len = 2);
	HEAR(t, .flags = RST | ACK, .seq = 0 - t->iss, .ack = 10);
	SAY(t, .flags = ACK, .seq = 7, .ack = 55);
	HEAR(t, .flags = RST, .seq = 55);
	SAY(t, .flags = RST, .seq = 7);
	talk_free(t);
}
END_TEST

START_TEST(icmp_unreachable)
{
	struct talk *t = talk_new();
	ToeIcmpError e = { .family = TOE_AF_INET, .type = 3, .code = 1,
			   .rport = RPORT };

	memcpy(e.src, WORLD_IP, 16);
	memcpy(e.dst, PEER_IP, 16);
	ck_assert(!toe_tcp_icmp_error(t->w->n, &e));
	talk_connect(t);
	HEAR(t, .flags = SYN);
	e.lport = t->lport;
	e.seq = t->iss + 1;	/* nothing in flight there: forged */
	e.code = 3;
	ck_assert(toe_tcp_icmp_error(t->w->n, &e));
	EVENTS(t, "");
	e.seq = t->iss;
	e.code = 1;		/* soft: goes on */
	ck_assert(toe_tcp_icmp_error(t->w->n, &e));
	EVENTS(t, "");
	e.code = 3;
	ck_assert(toe_tcp_icmp_error(t->w->n, &e));
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_REFUSED);
	talk_free(t);
}
END_TEST

START_TEST(isn_differs)
{
	struct talk *t = talk_new();
	uint32_t first, second, third;

	/* RFC 6528: a clock of 4 us, and another offset for each tuple. */
	talk_listen(t, 8);
	SAY(t, .flags = SYN);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	first = t->iss;
	SAY(t, .flags = RST, .seq = 1);
	world_advance(t->w, 4 * MS);
	SAY(t, .flags = SYN);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	second = t->iss;
	ck_assert_uint_eq(second - first, 1000);
	t->rport++;
	SAY(t, .flags = SYN);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	third = t->iss;
	ck_assert_uint_ne(third, second);
	talk_free(t);
}
END_TEST

START_TEST(address_deleted)
{
	struct talk *t = talk_new();

	talk_open_passive(t, NULL);
	ck_assert_uint_eq(toe_nop_addr_del(t->w->n, TOE_AF_INET, WORLD_IP,
					   24), TOE_ST_OK);
	ck_assert_str_eq(t->log->str, "");	/* not from inside the call */
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_ABORTED);
	talk_close(t);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
	talk_free(t);
}
END_TEST

START_TEST(simultaneous_window)
{
	struct talk *t = talk_new();

	t->wnd = 1000;
	talk_connect(t);
	HEAR(t, .flags = SYN);
	SAY(t, .flags = SYN, .mss = 1460, .wscale = 7 + 1);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	/* RFC 7323 2.2: the window of a SYN is never scaled. */
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460, .wscale = 7 + 1);
	EVENTS(t, "E");
	ck_assert_uint_eq(talk_info(t, t->h).snd_wnd, 1000);
	world_forget(t->w);
	talk_free(t);
}
END_TEST

START_TEST(simultaneous_in_one_turn)
{
	struct talk *t = talk_new();

	talk_connect(t);
	HEAR(t, .flags = SYN);
	BURST(t, .flags = SYN, .mss = 1460);
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460);
	/* Our SYN-ACK had no turn: without this the peer waits a second. */
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	talk_free(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_open");
	TCase *c = tcase_create("open");

	tcase_add_test(c, active);
	tcase_add_test(c, passive);
	tcase_add_test(c, passive_without_options);
	tcase_add_test(c, simultaneous);
	tcase_add_test(c, simultaneous_window);
	tcase_add_test(c, simultaneous_in_one_turn);
	tcase_add_test(c, refused);
	tcase_add_test(c, old_duplicate_syn_ack);
	tcase_add_test(c, syn_retransmission);
	tcase_add_test(c, syn_user_timeout);
	tcase_add_test(c, syn_ack_retransmission);
	tcase_add_test(c, syn_received_times_out);
	tcase_add_test(c, syn_received_reset);
	tcase_add_test(c, syn_received_bad_ack);
	tcase_add_test(c, listener_segments);
	tcase_add_test(c, listener_close_resets_half_open);
	tcase_add_test(c, children_inherit);
	tcase_add_test(c, addresses_in_use);
	tcase_add_test(c, table_full);
	tcase_add_test(c, stale_handles);
	tcase_add_test(c, user_network_segments);
	tcase_add_test(c, malformed);
	tcase_add_test(c, not_ours);
	tcase_add_test(c, icmp_unreachable);
	tcase_add_test(c, isn_differs);
	tcase_add_test(c, address_deleted);
	suite_add_tcase(s, c);
	return talk_main(s);
}
