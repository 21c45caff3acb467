/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_fastopen.c - RFC 7413, server and client.
 */
#include "common_tcp.h"
#include "nop/tcp/tcp.h"

#define LINUX	.mss = 1460, .wscale = 7 + 1, .ts = true, .sackok = true

/* ---- Server ---- */

static struct talk *server(uint32_t limit)
{
	struct talk *t = talk_new();

	talk_listen(t, 8);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener,
					    TOE_OPT_FASTOPEN, limit),
			  TOE_ST_OK);
	return t;
}

/* Ask for a cookie, as a client that then goes away. */
static void get_cookie(struct talk *t, uint8_t *cookie)
{
	const struct talk_seg *s;
	uint16_t port = t->rport;

	t->rport = 999;
	SAY(t, .flags = SYN, .mss = 1460, .fo = 1);
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_int_eq(s->fo, 8 + 1);
	memcpy(cookie, s->cookie, 16);
	SAY(t, .flags = RST, .seq = 1);
	t->rport = port;
}

static void say_syn(struct talk *t, const uint8_t *cookie, uint32_t len)
{
	struct talk_seg s = { .flags = SYN, .mss = 1460, .fo = 8 + 1,
			      .len = len, .data = "hello, world" };

	memcpy(s.cookie, cookie, 16);
	talk_say(t, &s);
}

static void read_hello(struct talk *t)
{
	char buf[12];

	ck_assert_uint_eq(talk_unread(t), 12);
	toe_chain_copy_out(t->w->lm, toe_stream_rx(t->w->n, t->h), 0, buf, 12,
			   NULL);
	ck_assert_mem_eq(buf, "hello, world", 12);
	toe_stream_rx_consumed(t->w->n, t->h, 12);
}

/* Does INFO say that the SYN's data was taken? */
static bool syn_data(struct talk *t)
{
	struct toe_hw_tcp_info i;

	ck_assert_uint_eq(toe_stream_tcp_info(t->w->n, t->h, &i), TOE_ST_OK);
	return i.options & TOE_INFO_OPT_SYN_DATA;
}

/* RFC 7413 4.2.1 */
START_TEST(cookie_request)
{
	struct talk *t = server(4);
	const struct talk_seg *s;
	uint8_t cookie[16];

	/* 4.2.2: a cookie goes with the SYN-ACK, the data is not taken. */
	SAY(t, .flags = SYN, LINUX, .fo = 1, .len = 12,
	    .data = "hello, world");
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_int_eq(s->fo, 8 + 1);
	ck_assert(s->ts && s->sackok && s->wscale && s->mss);
	memcpy(cookie, s->cookie, 16);
	EVENTS(t, "");
	t->ts = true;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(talk_unread(t), 0);
	/* The same again: it is the address's. */
	t->ts = false;
	t->rport++;
	SAY(t, .flags = SYN, .mss = 1460, .fo = 1);
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_mem_eq(s->cookie, cookie, 8);
	talk_free(t);
}
END_TEST

/* RFC 7413 4.2.1 */
START_TEST(not_enabled)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	talk_listen(t, 8);
	SAY(t, .flags = SYN, .mss = 1460, .fo = 1);
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_int_eq(s->fo, 0);
	/* By the parameter. */
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener,
					    TOE_OPT_FASTOPEN, 5), TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_FASTOPEN,
					    TOE_FASTOPEN_CLIENT), TOE_ST_OK);
	t->rport++;
	SAY(t, .flags = SYN, .mss = 1460, .fo = 1);
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_int_eq(s->fo, 0);
	talk_free(t);
}
END_TEST

/* RFC 7413 4.2.2 */
START_TEST(data_in_the_syn)
{
	struct talk *t = server(4);
	const struct talk_seg *s;
	uint8_t cookie[16];

	get_cookie(t, cookie);
	say_syn(t, cookie, 12);
	/* Reported and readable before the handshake is over; no new cookie. */
	s = HEAR(t, .flags = SYN | ACK, .ack = 13);
	ck_assert_int_eq(s->fo, 0);
	EVENTS(t, "IR");
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_SYN_RECEIVED);
	ck_assert(syn_data(t));
	ck_assert_uint_eq(COUNTER(t, TCP_FASTOPEN_PASSIVE), 1);
	read_hello(t);
	/* And the answer does not wait for it either. */
	talk_send(t, 0, 100);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 13, .len = 100);
	world_advance(t->w, 40 * MS);
	SAY(t, .flags = ACK, .seq = 13, .ack = 1);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_ESTABLISHED);
	SAY(t, .flags = ACK, .seq = 13, .ack = 101);
	EVENTS(t, "");
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
	ck_assert_uint_gt(talk_info(t, t->h).srtt_us, 30000);
	SAY(t, .flags = FIN | ACK, .seq = 13, .ack = 101);
	HEAR(t, .flags = ACK, .seq = 101, .ack = 14);
	EVENTS(t, "F");
	talk_close(t);
	HEAR(t, .flags = FIN | ACK, .seq = 101, .ack = 14);
	SAY(t, .flags = ACK, .seq = 14, .ack = 102);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
	talk_free(t);
}
END_TEST

START_TEST(answer_in_one_turn)
{
	struct talk *t = server(4);
	uint8_t cookie[16];
	struct talk_seg s = { .flags = SYN, .mss = 1460, .fo = 9, .len = 12,
			      .data = "hello, world" };

	/* The application answers before the SYN-ACK has had its turn. */
	get_cookie(t, cookie);
	memcpy(s.cookie, cookie, 16);
	talk_say_quietly(t, &s);
	talk_send(t, 0, 50);
	HEAR(t, .flags = SYN | ACK, .ack = 13);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 13, .len = 50);
	SAY(t, .flags = ACK, .seq = 13, .ack = 51);
	EVENTS(t, "IR");
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_ESTABLISHED);
	talk_free(t);
}
END_TEST

/* RFC 7413 4.2.2 */
START_TEST(syn_ack_lost)
{
	struct talk *t = server(4);
	uint8_t cookie[16];

	get_cookie(t, cookie);
	say_syn(t, cookie, 12);
	HEAR(t, .flags = SYN | ACK, .ack = 13);
	EVENTS(t, "IR");
	talk_send(t, 0, 100);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 13, .len = 100);
	/* The SYN-ACK alone is repeated. */
	talk_wait(t, SEC);
	HEAR(t, .flags = SYN | ACK, .ack = 13);
	SILENCE(t);
	/* The peer's SYN, without data by now, is answered at once. */
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 13);
	SAY(t, .flags = ACK, .seq = 13, .ack = 1);
	/* Now the data has its turn. */
	talk_wait(t, 3 * SEC);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 13, .len = 100);
	SAY(t, .flags = ACK, .seq = 13, .ack = 101);
	EVENTS(t, "");
	read_hello(t);
	talk_free(t);
}
END_TEST

/* RFC 7413 5.1 */
START_TEST(handshake_never_ends)
{
	struct talk *t = server(1);
	uint8_t cookie[16];

	get_cookie(t, cookie);
	say_syn(t, cookie, 12);
	EVENTS(t, "IR");
	world_forget(t->w);
	/* One may be pending: the next is a SYN like any other. */
	t->rport++;
	say_syn(t, cookie, 12);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	EVENTS(t, "");
	ck_assert_uint_eq(COUNTER(t, TCP_FASTOPEN_OVERFLOWS), 1);
	SAY(t, .flags = RST, .seq = 1);
	talk_wait(t, 64 * SEC);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_TIMEDOUT);
	talk_close(t);
	world_forget(t->w);
	/* And its place is free again. */
	say_syn(t, cookie, 12);
	HEAR(t, .flags = SYN | ACK, .ack = 13);
	EVENTS(t, "IR");
	/* 5.1: who did not ask for it says RST. */
	SAY(t, .flags = RST, .seq = 13);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_RESET);
	talk_close(t);
	t->rport++;
	say_syn(t, cookie, 12);
	HEAR(t, .flags = SYN | ACK, .ack = 13);
	EVENTS(t, "IR");
	/* The place is given back by the ACK, too. */
	SAY(t, .flags = ACK, .seq = 13, .ack = 1);
	t->rport++;
	say_syn(t, cookie, 12);
	HEAR(t, .flags = SYN | ACK, .ack = 13);
	EVENTS(t, "IR");
	talk_drop(t);
}
END_TEST

/* RFC 7413 4.1.2 */
START_TEST(wrong_cookies)
{
	struct talk *t = server(4);
	const struct talk_seg *s;
	uint8_t cookie[16];
	unsigned i;

	get_cookie(t, cookie);
	for (i = 0; i < 64; i++) {
		cookie[i / 8] ^= (uint8_t)(1u << i % 8);
		t->rport = (uint16_t)(2000 + i);
		say_syn(t, cookie, 12);
		s = HEAR(t, .flags = SYN | ACK, .ack = 1);
		ck_assert_int_eq(s->fo, 8 + 1);		/* a good one */
		SAY(t, .flags = RST, .seq = 1);
		cookie[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	ck_assert_uint_eq(COUNTER(t, TCP_FASTOPEN_BAD), 64);
	EVENTS(t, "");
	/* Of another length; of a length that is none (4.1.1). */
	SAY(t, .flags = SYN, .mss = 1460, .fo = 16 + 1);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	t->rport++;
	SAY(t, .flags = SYN, .mss = 1460, .fo = 2 + 1);
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_int_eq(s->fo, 0);
	t->rport++;
	say_syn(t, cookie, 12);
	EVENTS(t, "IR");
	world_forget(t->w);
	talk_free(t);
}
END_TEST

/* RFC 7413 4.1.2 */
START_TEST(keys_rotate)
{
	struct talk *t = server(4);
	const struct talk_seg *s;
	uint8_t cookie[16], next[16];

	get_cookie(t, cookie);
	talk_wait(t, TOE_FO_KEY_NS + SEC);
	world_forget(t->w);
	/* The key before is good still, and the peer gets a new cookie. */
	say_syn(t, cookie, 12);
	s = HEAR(t, .flags = SYN | ACK, .ack = 13);
	ck_assert_int_eq(s->fo, 8 + 1);
	ck_assert_mem_ne(s->cookie, cookie, 8);
	memcpy(next, s->cookie, 16);
	EVENTS(t, "IR");
	SAY(t, .flags = ACK, .seq = 13, .ack = 1);
	talk_wait(t, TOE_FO_KEY_NS + SEC);
	t->rport++;
	say_syn(t, cookie, 12);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	EVENTS(t, "");
	ck_assert_uint_eq(COUNTER(t, TCP_FASTOPEN_BAD), 1);
	SAY(t, .flags = RST, .seq = 1);
	say_syn(t, next, 12);
	HEAR(t, .flags = SYN | ACK, .ack = 13);
	EVENTS(t, "IR");
	talk_drop(t);
}
END_TEST

START_TEST(closed_early)
{
	struct talk *t = server(4);
	uint8_t cookie[16];

	/* Answer and close, before the handshake is over. */
	get_cookie(t, cookie);
	say_syn(t, cookie, 12);
	HEAR(t, .flags = SYN | ACK, .ack = 13);
	EVENTS(t, "IR");
	read_hello(t);
	talk_send(t, 0, 10);
	talk_close(t);
	HEAR(t, .flags = FIN | ACK | PSH, .seq = 1, .ack = 13, .len = 10);
	talk_wait(t, SEC);
	HEAR(t, .flags = SYN | ACK, .ack = 13);
	SAY(t, .flags = FIN | ACK, .seq = 13, .ack = 12);
	HEAR(t, .flags = ACK, .seq = 12, .ack = 14);
	talk_wait(t, 61 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
	talk_free(t);
}
END_TEST

/* ---- Client ---- */

static uint8_t connect_fast(struct talk *t)
{
	ToeTuple q = { .family = TOE_AF_INET, .rport = RPORT };

	memcpy(q.raddr, PEER_IP, 16);
	return toe_stream_connect_fast(t->w->n, &q, &t->h);
}

static const uint8_t their[16] = "0123456789abcdef";

/* A first connection that brings the cookie, and ends. */
static struct talk *client(int cookie_len)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;
	struct talk_seg a = { .flags = SYN | ACK, .ack = 1, LINUX };

	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	EVENTS(t, "");
	ck_assert_uint_eq(toe_stream_send_space(t->w->n, t->h), 0);
	s = HEAR(t, .flags = SYN);
	ck_assert_int_eq(s->fo, 1);
	ck_assert(s->ts && s->sackok && s->wscale && s->mss);
	a.fo = cookie_len + 1;
	a.sackok = cookie_len <= 8;	/* our packing has no room for all */
	memcpy(a.cookie, their, 16);
	talk_say(t, &a);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	talk_abort(t);
	world_run(t->w);
	world_forget(t->w);
	t->ts = false;
	return t;
}

/* RFC 7413 4.2.1 */
START_TEST(ordinary_connect_has_no_option)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	talk_connect(t);
	s = HEAR(t, .flags = SYN);
	ck_assert_int_eq(s->fo, 0);
	talk_free(t);
}
END_TEST

/* RFC 7413 4.1.3 */
START_TEST(cookie_and_data)
{
	struct talk *t = client(8);
	const struct talk_seg *s;

	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	/* Reported at once, and nothing sent until there is something. */
	EVENTS(t, "E");
	SILENCE(t);
	ck_assert_uint_gt(toe_stream_send_space(t->w->n, t->h), 10000);
	talk_send(t, 0, 100);
	s = HEAR(t, .flags = SYN, .len = 100);
	ck_assert_int_eq(s->fo, 8 + 1);
	ck_assert_mem_eq(s->cookie, their, 8);
	ck_assert_uint_eq(COUNTER(t, TCP_FASTOPEN_ACTIVE), 1);
	ck_assert(!syn_data(t));
	SAY(t, .flags = SYN | ACK, .ack = 101, LINUX);
	HEAR(t, .flags = ACK, .seq = 101, .ack = 1);
	EVENTS(t, "");
	ck_assert(syn_data(t));
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
	t->ts = true;
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 101, .len = 20);
	EVENTS(t, "R");
	HEAR(t, .flags = ACK, .seq = 101, .ack = 21);
	talk_send(t, 100, 50);
	HEAR(t, .flags = ACK | PSH, .seq = 101, .ack = 21, .len = 50);
	SAY(t, .flags = ACK, .seq = 21, .ack = 151);
	talk_free(t);
}
END_TEST

/* RFC 7413 4.1.1 */
START_TEST(longest_cookie)
{
	struct talk *t = client(16);
	const struct talk_seg *s;

	/* All options at once: exactly 40 bytes. */
	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	talk_send(t, 0, 5000);
	s = talk_any(t);
	ck_assert_uint_eq(s->flags & SYN, SYN);
	ck_assert_int_eq(s->fo, 16 + 1);
	ck_assert_mem_eq(s->cookie, their, 16);
	ck_assert(s->ts && s->sackok && s->wscale && s->mss);
	/* Not longer than a segment of the remembered MSS. */
	ck_assert_uint_gt(s->len, 1400);
	ck_assert_uint_le(s->len + 40, 1460);
	EVENTS(t, "E");
	talk_abort(t);
	talk_free(t);
}
END_TEST

/* RFC 7413 4.2.2 */
START_TEST(more_than_the_syn_holds)
{
	struct talk *t = client(8);
	uint32_t at, first;
	const struct talk_seg *s;

	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	talk_send(t, 0, 5000);
	s = talk_any(t);
	first = s->len;
	SILENCE(t);
	SAY(t, .flags = SYN | ACK, .ack = first + 1, .mss = 1460);
	for (at = first; at < 5000;) {
		s = talk_any(t);
		ck_assert(s);
		ck_assert_uint_eq(s->seq, at + 1);
		at += s->len;
		SAY(t, .flags = ACK, .seq = 1, .ack = at + 1);
	}
	EVENTS(t, "E");
	SILENCE(t);
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
	talk_free(t);
}
END_TEST

/* RFC 7413 4.2.2 */
START_TEST(data_not_taken)
{
	struct talk *t = client(8);
	const struct talk_seg *s;

	/* The server took the SYN alone, and has a new cookie for us. */
	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	talk_send(t, 0, 100);
	HEAR(t, .flags = SYN, .len = 100);
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460, .fo = 4 + 1,
	    .cookie = "WXYZ");
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 100);
	SAY(t, .flags = ACK, .seq = 1, .ack = 101);
	EVENTS(t, "E");
	ck_assert(!syn_data(t));
	ck_assert_uint_eq(COUNTER(t, TCP_FASTOPEN_ACTIVE_FAILS), 1);
	ck_assert_uint_eq(COUNTER(t, TCP_BYTES_OUT), 100);
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 1);
	ck_assert_uint_eq(talk_info(t, t->h).bytes_out, 100);
	ck_assert_uint_eq(talk_info(t, t->h).retransmits, 1);
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	talk_send(t, 0, 1);
	s = HEAR(t, .flags = SYN, .len = 1);
	ck_assert_int_eq(s->fo, 4 + 1);
	ck_assert_mem_eq(s->cookie, "WXYZ", 4);
	EVENTS(t, "E");
	talk_free(t);
}
END_TEST

/* RFC 3168 6.1.5: what the SYN had is sent again, and that is not ECT. */
START_TEST(data_not_taken_is_no_new_data)
{
	struct talk *t = client(8);
	const struct talk_seg *s;

	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_ECN,
					    TOE_ECN_MODE_ON), TOE_ST_OK);
	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	talk_send(t, 0, 100);
	HEAR(t, .flags = SYN | ECE | CWR, .len = 100);
	SAY(t, .flags = SYN | ACK | ECE, .ack = 1, .mss = 1460);
	s = HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 100);
	ck_assert_uint_eq(s->tos & 3, 0);
	SAY(t, .flags = ACK, .seq = 1, .ack = 101);
	talk_send(t, 100, 1);
	s = HEAR(t, .flags = ACK | PSH, .seq = 101, .ack = 1, .len = 1);
	ck_assert_uint_eq(s->tos & 3, 2);
	EVENTS(t, "E");
	talk_free(t);
}
END_TEST

/* RFC 7413 4.2.2 */
START_TEST(part_of_the_data_taken)
{
	struct talk *t = client(8);

	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	talk_send(t, 0, 100);
	HEAR(t, .flags = SYN, .len = 100);
	SAY(t, .flags = SYN | ACK, .ack = 41, LINUX);
	t->ts = true;
	HEAR(t, .flags = ACK | PSH, .seq = 41, .ack = 1, .len = 60);
	SAY(t, .flags = ACK, .seq = 1, .ack = 101);
	EVENTS(t, "E");
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
	talk_free(t);
}
END_TEST

/* RFC 7413 4.1.3.1 */
START_TEST(black_hole)
{
	struct talk *t = client(8);
	const struct talk_seg *s;
	unsigned i;

	for (i = 0; i < 3; i++) {
		ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
		EVENTS(t, "E");
		talk_send(t, 0, 100);
		HEAR(t, .flags = SYN, .len = 100);
		/* Lost: once more, without cookie or data (4.2.1). */
		talk_wait(t, SEC);
		s = HEAR(t, .flags = SYN);
		ck_assert_int_eq(s->fo, 0);
		ck_assert_uint_eq(COUNTER(t, TCP_FASTOPEN_BLACKHOLES), i + 1);
		SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460);
		HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 100);
		SAY(t, .flags = ACK, .seq = 1, .ack = 101);
		talk_abort(t);
		world_run(t->w);
		world_forget(t->w);
		/* Off for 1, 2, 4 minutes: an ordinary SYN, at once. */
		talk_wait(t, (60 * SEC << i) - 2 * SEC);
		ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
		s = HEAR(t, .flags = SYN);
		ck_assert_int_eq(s->fo, 0);
		EVENTS(t, "");
		talk_abort(t);
		talk_wait(t, 2 * SEC);
	}
	/* One that comes through ends it. */
	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	talk_send(t, 0, 100);
	HEAR(t, .flags = SYN, .len = 100);
	SAY(t, .flags = SYN | ACK, .ack = 101, .mss = 1460);
	HEAR(t, .flags = ACK, .seq = 101, .ack = 1);
	EVENTS(t, "E");
	talk_abort(t);
	HEAR(t, .flags = RST | ACK, .seq = 101, .ack = 1);
	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	EVENTS(t, "E");
	talk_abort(t);
	talk_free(t);
}
END_TEST

START_TEST(late_answer_to_the_first_syn)
{
	struct talk *t = client(8);

	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	talk_send(t, 0, 100);
	HEAR(t, .flags = SYN, .len = 100);
	talk_wait(t, SEC);
	HEAR(t, .flags = SYN);
	SAY(t, .flags = SYN | ACK, .ack = 101, .mss = 1460);
	HEAR(t, .flags = ACK, .seq = 101, .ack = 1);
	EVENTS(t, "E");
	ck_assert_uint_eq(talk_info(t, t->h).txq, 0);
	talk_free(t);
}
END_TEST

START_TEST(refused)
{
	struct talk *t = client(8);

	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	talk_send(t, 0, 100);
	HEAR(t, .flags = SYN, .len = 100);
	/* Acknowledges SYN and data, or the SYN alone: both are about it. */
	SAY(t, .flags = RST | ACK, .ack = 101);
	EVENTS(t, "EC");
	ck_assert_uint_eq(t->status, TOE_ST_REFUSED);
	talk_close(t);
	ck_assert_uint_eq(COUNTER(t, TCP_FASTOPEN_BLACKHOLES), 1);
	talk_free(t);
}
END_TEST

START_TEST(send_and_close)
{
	struct talk *t = client(8);

	/* send(); close(); and the bytes arrive. */
	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	talk_send(t, 0, 100);
	talk_close(t);
	EVENTS(t, "");
	HEAR(t, .flags = SYN, .len = 100);
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460);
	HEAR(t, .flags = FIN | ACK | PSH, .seq = 1, .ack = 1, .len = 100);
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 102);
	HEAR(t, .flags = ACK, .seq = 102, .ack = 2);
	talk_wait(t, 61 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_ORPHANS), 0);
	talk_free(t);
}
END_TEST

START_TEST(shutdown_and_close_without_data)
{
	struct talk *t = client(8);

	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	EVENTS(t, "E");
	talk_close(t);			/* nobody ever hears of it */
	SILENCE(t);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 0);
	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	EVENTS(t, "E");
	talk_shutdown(t);		/* says something: FIN */
	HEAR(t, .flags = SYN);
	SAY(t, .flags = SYN | ACK, .ack = 1, .mss = 1460);
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	EVENTS(t, "");
	talk_free(t);
}
END_TEST

START_TEST(client_parameter)
{
	struct talk *t = client(8);
	const struct talk_seg *s;

	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_FASTOPEN,
					    TOE_FASTOPEN_SERVER), TOE_ST_OK);
	ck_assert_uint_eq(connect_fast(t), TOE_ST_OK);
	s = HEAR(t, .flags = SYN);
	ck_assert_int_eq(s->fo, 0);
	EVENTS(t, "");
	talk_free(t);
}
END_TEST

/* RFC 7413 4.1.3 */
START_TEST(many_servers)
{
	struct talk *t = talk_new();
	ToeNcb *c;
	ToeSeg seg = { .flags = TOE_SYN | TOE_ACK };
	uint32_t h, i, known = 0;
	ToeTuple q;

	/* The table is bounded, and the latest ones are in it. */
	seg.opt.have_fo = true;
	seg.opt.fo_len = 8;
	for (i = 0; i < 3000; i++) {
		q = (ToeTuple){ .family = TOE_AF_INET, .rport = 80 };
		memcpy(q.raddr, IP(192, 1, i >> 8, i & 0xff), 16);
		ck_assert_uint_eq(toe_stream_connect_fast(t->w->n, &q, &h),
				  TOE_ST_OK);
		c = toe_ncb_get(t->w->n->tcp, h);
		seg.ack = c->iss + 1;
		c->snd_max = c->iss + 1;
		toe_fastopen_synack(t->w->n->tcp, c, &seg);
		toe_stream_abort(t->w->n, h);
		t->w->now += MS;
	}
	for (i = 0; i < 3000; i++) {
		q = (ToeTuple){ .family = TOE_AF_INET, .rport = 80 };
		memcpy(q.raddr, IP(192, 1, i >> 8, i & 0xff), 16);
		ck_assert_uint_eq(toe_stream_connect_fast(t->w->n, &q, &h),
				  TOE_ST_OK);
		c = toe_ncb_get(t->w->n->tcp, h);
		known += !!(c->flags2 & TOE_F2_FO_EARLY);
		if (i == 2999)
			ck_assert(c->flags2 & TOE_F2_FO_EARLY);
		toe_stream_abort(t->w->n, h);
	}
	ck_assert_uint_le(known, TOE_FO_PEERS);
	ck_assert_uint_ge(known, TOE_FO_PEERS * 9 / 10);
	world_run(t->w);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_fastopen");
	TCase *c = tcase_create("server");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, cookie_request);
	tcase_add_test(c, not_enabled);
	tcase_add_test(c, data_in_the_syn);
	tcase_add_test(c, answer_in_one_turn);
	tcase_add_test(c, syn_ack_lost);
	tcase_add_test(c, handshake_never_ends);
	tcase_add_test(c, wrong_cookies);
	tcase_add_test(c, keys_rotate);
	tcase_add_test(c, closed_early);
	suite_add_tcase(s, c);
	c = tcase_create("client");
	tcase_set_timeout(c, 60);
	tcase_add_test(c, ordinary_connect_has_no_option);
	tcase_add_test(c, cookie_and_data);
	tcase_add_test(c, longest_cookie);
	tcase_add_test(c, more_than_the_syn_holds);
	tcase_add_test(c, data_not_taken);
	tcase_add_test(c, data_not_taken_is_no_new_data);
	tcase_add_test(c, part_of_the_data_taken);
	tcase_add_test(c, black_hole);
	tcase_add_test(c, late_answer_to_the_first_syn);
	tcase_add_test(c, refused);
	tcase_add_test(c, send_and_close);
	tcase_add_test(c, shutdown_and_close_without_data);
	tcase_add_test(c, client_parameter);
	tcase_add_test(c, many_servers);
	suite_add_tcase(s, c);
	return talk_main(s);
}
