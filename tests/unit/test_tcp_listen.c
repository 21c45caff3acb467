/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_listen.c - a listener's queues, and SYN cookies.
 *
 * The SYN queue and the accept queue have the limits and the manners that
 * users know from Linux; cookies are RFC 4987's.
 */
#include "common_tcp.h"
#include "nop/tcp/tcp.h"

#define SWAP_ISS(t, other) \
	do { \
		uint32_t swap_ = (t)->iss; \
		(t)->iss = (other); \
		(other) = swap_; \
	} while (0)

#define OPTIONS .mss = 1460, .wscale = 7 + 1, .ts = true, .sackok = true

static void param(struct talk *t, uint32_t param, uint64_t value)
{
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, param, value), TOE_ST_OK);
}

static struct talk *talk_cookies(uint64_t mode)
{
	struct talk *t = talk_new();

	param(t, TOE_PARAM_SYN_COOKIES, mode);
	return t;
}

/* A whole handshake from this port; the handle is t->h. */
static void handshake(struct talk *t, uint16_t port)
{
	t->rport = port;
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
}

/* ---- Queues ---- */

START_TEST(half_open_costs_no_ncb)
{
	struct talk *t = talk_new();
	uint32_t ncbs;

	talk_listen(t, 16);
	ncbs = (uint32_t)COUNTER(t, TCP_NCBS);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), ncbs);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), ncbs + 1);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 0);
	ck_assert_uint_lt(sizeof(ToeSynReq) * 3, sizeof(ToeNcb));
	talk_free(t);
}
END_TEST

START_TEST(accept_queue)
{
	struct talk *t = talk_new();
	uint32_t first;

	/* As in Linux, a backlog of 2 has room for three. */
	talk_listen(t, 2);
	handshake(t, 1000);
	first = t->h;
	handshake(t, 1001);
	handshake(t, 1002);
	ck_assert_uint_eq(talk_info(t, t->listener).rxq, 3);
	ck_assert_uint_eq(talk_info(t, t->listener).txq, 2);
	/* Full: a SYN is dropped, and no cookie is given. */
	t->rport = 1003;
	SAY(t, .flags = SYN, .mss = 1460);
	SILENCE(t);
	ck_assert_uint_eq(COUNTER(t, TCP_LISTEN_DROPS), 1);
	toe_stream_accepted(t->w->n, first);
	handshake(t, 1003);
	talk_free(t);
}
END_TEST

START_TEST(backlog_zero)
{
	struct talk *t = talk_new();

	talk_listen(t, 0);
	handshake(t, 1000);
	t->rport = 1001;
	SAY(t, .flags = SYN, .mss = 1460);
	SILENCE(t);
	talk_free(t);
}
END_TEST

START_TEST(last_ack_ignored_when_full)
{
	struct talk *t = talk_new();
	uint32_t iss, first;

	talk_listen(t, 0);
	t->rport = 1001;
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	iss = t->iss;
	handshake(t, 1000);
	first = t->h;
	/* The other one's ACK finds the accept queue full: as if lost. */
	t->rport = 1001;
	t->iss = iss;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	SILENCE(t);
	EVENTS(t, "");
	ck_assert_uint_eq(COUNTER(t, TCP_ACCEPT_OVERFLOWS), 2);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 1);
	/* The SYN-ACK is sent again, and its ACK tries once more. */
	world_advance(t->w, SEC);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "");
	toe_stream_accepted(t->w->n, first);
	world_advance(t->w, 2 * SEC);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	EVENTS(t, "IR");
	talk_read(t, 0, 10);
	world_forget(t->w);
	talk_free(t);
}
END_TEST

START_TEST(no_ncb_for_the_last_ack)
{
	struct talk *t = talk_new();
	uint32_t h[62], l;
	unsigned i;

	talk_listen(t, 16);
	l = t->listener;
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	for (i = 0; i < 62; i++) {
		ToeTuple q = { .family = TOE_AF_INET,
			       .lport = (uint16_t)(2000 + i) };

		ck_assert_uint_eq(toe_stream_listen(t->w->n, &q, 1, &h[i]),
				  TOE_ST_OK);
	}
	talk_connect(t);
	while (talk_any(t))
		;
	/* 64 NCBs are in use. */
	t->lport = LPORT;
	t->iss = 0;
	world_advance(t->w, SEC);
	do {
		ck_assert(talk_any(t));
	} while (t->lport != LPORT);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(COUNTER(t, TCP_ACCEPT_OVERFLOWS), 1);
	EVENTS(t, "");
	toe_stream_close(t->w->n, h[0]);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(t->listener, l);
	talk_drop(t);
}
END_TEST

START_TEST(syn_queue_limit)
{
	struct talk *t = talk_cookies(TOE_SYN_COOKIES_OFF);
	unsigned i;

	talk_listen(t, 20);
	for (i = 0; i < 30; i++) {
		t->rport = (uint16_t)(1000 + i);
		SAY(t, .flags = SYN, .mss = 1460);
	}
	ck_assert_uint_eq(world_sent_count(t->w), 21);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 21);
	ck_assert_uint_eq(COUNTER(t, TCP_LISTEN_DROPS), 9);
	world_forget(t->w);
	/* An active open, and another listener, are not hindered. */
	talk_connect(t);
	t->rport = RPORT;
	HEAR(t, .flags = SYN);
	/* The parameter goes below what the backlog says. */
	talk_drop(t);
	t = talk_cookies(TOE_SYN_COOKIES_OFF);
	param(t, TOE_PARAM_SYN_BACKLOG, 5);
	talk_listen(t, 20);
	for (i = 0; i < 30; i++) {
		t->rport = (uint16_t)(1000 + i);
		SAY(t, .flags = SYN, .mss = 1460);
	}
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 5);
	world_forget(t->w);
	talk_free(t);
}
END_TEST

START_TEST(table_limit)
{
	struct talk *t = talk_cookies(TOE_SYN_COOKIES_OFF);
	unsigned i;

	/* 64 NCBs: 64 half-open connections in all. */
	talk_listen(t, 4096);
	for (i = 0; i < 100; i++) {
		t->rport = (uint16_t)(1000 + i);
		SAY(t, .flags = SYN, .mss = 1460);
	}
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 64);
	ck_assert_uint_eq(COUNTER(t, TCP_LISTEN_DROPS), 36);
	world_forget(t->w);
	/* They go one after the other, and all places are good again. */
	talk_wait(t, 64 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 0);
	world_forget(t->w);
	for (i = 0; i < 64; i++) {
		t->rport = (uint16_t)(1000 + i);
		SAY(t, .flags = SYN, .mss = 1460);
	}
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 64);
	world_forget(t->w);
	talk_free(t);
}
END_TEST

START_TEST(synack_retries)
{
	struct talk *t = talk_new();
	int64_t wait = SEC;
	unsigned i;

	param(t, TOE_PARAM_SYNACK_RETRIES, 3);
	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	for (i = 0; i < 3; i++) {
		talk_wait(t, wait - MS);
		SILENCE(t);
		talk_wait(t, MS);
		HEAR(t, .flags = SYN | ACK, .ack = 1);
		wait *= 2;
	}
	ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 3);
	talk_wait(t, wait - MS);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 1);
	talk_wait(t, MS);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 0);
	SILENCE(t);
	/* Its ACK is nobody's now. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	HEAR(t, .flags = RST, .seq = 1);
	talk_free(t);
}
END_TEST

START_TEST(rto_after_lost_synack)
{
	struct talk *t = talk_new();

	/* RFC 6298 (5.7): no sample from a SYN-ACK sent twice; RTO is 3 s. */
	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	talk_wait(t, SEC);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(talk_info(t, t->h).srtt_us, 0);
	ck_assert_uint_eq(talk_info(t, t->h).rto_us, 3000000);
	ck_assert_uint_eq(talk_info(t, t->h).retransmits, 1);
	/* One sent once gives a sample. */
	t->rport++;
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	world_advance(t->w, 30 * MS);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(talk_info(t, t->h).srtt_us, 30000);
	talk_free(t);
}
END_TEST

START_TEST(options_survive_the_queue)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	talk_listen(t, 1);
	t->wnd = 1000;
	SAY(t, .flags = SYN, OPTIONS);
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_int_gt(s->wscale, 0);
	ck_assert(s->ts && s->sackok);
	ck_assert_uint_eq(s->window, 65535);
	t->ts = true;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(talk_info(t, t->h).mss, 1448);
	ck_assert_uint_eq(talk_info(t, t->h).snd_wnd, 1000 << 7);
	/* What the SYN-ACK offered is the window from the start. */
	ck_assert_uint_eq(talk_info(t, t->h).rcv_wnd, 65535);
	talk_free(t);
}
END_TEST

START_TEST(data_with_the_last_ack)
{
	struct talk *t = talk_new();

	/* The ACK itself was lost: the first data brings it. */
	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	/* The second segment comes before the first. */
	SAY(t, .flags = ACK | PSH, .seq = 101, .ack = 1, .len = 50);
	EVENTS(t, "I");
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	EVENTS(t, "R");
	talk_read(t, 0, 150);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 151);
	talk_free(t);
}
END_TEST

START_TEST(paws_in_syn_received)
{
	struct talk *t = talk_new();

	talk_listen(t, 1);
	SAY(t, .flags = SYN, OPTIONS, .tsval = 5000);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	/* RFC 7323 5.3: older than the SYN. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .ts = true, .tsval = 4999);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	/* 3.2: without one. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	SILENCE(t);
	EVENTS(t, "");
	ck_assert_uint_eq(COUNTER(t, TCP_PAWS_DROPS), 2);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .ts = true, .tsval = 5000);
	EVENTS(t, "I");
	talk_free(t);
}
END_TEST

START_TEST(blind_segments_in_syn_received)
{
	struct talk *t = talk_new();
	unsigned i;

	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = RST, .seq = 70000);		/* out of the window */
	SILENCE(t);
	SAY(t, .flags = SYN, .seq = 9);			/* RFC 5961 4.2 */
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK, .seq = 70000, .ack = 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	/* Answers are limited. */
	for (i = 0; i < 30; i++)
		SAY(t, .flags = SYN, .seq = 9);
	ck_assert_uint_eq(world_sent_count(t->w), 8);
	world_forget(t->w);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	talk_free(t);
}
END_TEST

/*
 * The client has filled the window, and all of that was lost.  Its answer to
 * the SYN-ACK that came again stands at the window's edge: not in it, so no
 * connection, but no end of the handshake either.
 */
START_TEST(ack_at_the_windows_edge)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;
	uint32_t edge;

	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	edge = 1 + s->window;
	SAY(t, .flags = ACK, .seq = edge, .ack = 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "");
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 500);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 501);
	EVENTS(t, "IR");
	talk_free(t);
}
END_TEST

START_TEST(icmp_does_not_end_a_handshake)
{
	struct talk *t = talk_new();
	ToeIcmpError e = { .family = TOE_AF_INET, .type = 3, .code = 3,
			   .lport = LPORT, .rport = RPORT };

	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	memcpy(e.src, WORLD_IP, 16);
	memcpy(e.dst, PEER_IP, 16);
	e.seq = t->iss;
	ck_assert(toe_tcp_icmp_error(t->w->n, &e));
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	talk_free(t);
}
END_TEST

START_TEST(listener_gone_in_one_turn)
{
	struct talk *t = talk_new();

	/* The SYN-ACK had no turn yet: RST alone, and the place is free. */
	talk_listen(t, 1);
	BURST(t, .flags = SYN, .mss = 1460);
	toe_stream_close(t->w->n, t->listener);
	t->iss = 0;
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 0);
	ck_assert(talk_any(t)->flags & RST);
	SILENCE(t);
	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	talk_free(t);
}
END_TEST

START_TEST(address_gone)
{
	struct talk *t = talk_new();

	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_uint_eq(toe_nop_addr_del(t->w->n, TOE_AF_INET, WORLD_IP,
					   24), TOE_ST_OK);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 0);
	world_advance(t->w, SEC);
	talk_free(t);
}
END_TEST

START_TEST(port_busy)
{
	struct talk *t = talk_new();

	/* The port takes nothing for a while: the SYN-ACK waits. */
	talk_listen(t, 1);
	toe_nop_port_busy(t->w->n, true);
	SAY(t, .flags = SYN, .mss = 1460);
	ck_assert_uint_eq(world_sent_count(t->w), 0);
	toe_nop_port_busy(t->w->n, false);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	talk_free(t);
}
END_TEST

/* ---- DEFER_ACCEPT ---- */

static struct talk *deferred(uint32_t seconds, uint32_t want)
{
	struct talk *t = talk_new();
	uint64_t v;

	talk_listen(t, 1);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener,
					    TOE_OPT_DEFER_ACCEPT, seconds),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->listener,
					    TOE_OPT_DEFER_ACCEPT, &v),
			  TOE_ST_OK);
	ck_assert_uint_eq(v, want);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	return t;
}

START_TEST(defer_until_data)
{
	struct talk *t = deferred(10, 15);

	EVENTS(t, "");
	ck_assert_uint_eq(COUNTER(t, TCP_DEFERRED), 1);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
	/* The peer has answered: nothing is sent again. */
	talk_wait(t, 5 * SEC);
	SILENCE(t);
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	EVENTS(t, "IR");
	/* Its thinking is no round trip, and nothing was sent again. */
	ck_assert_uint_eq(talk_info(t, t->h).srtt_us, 0);
	ck_assert_uint_eq(talk_info(t, t->h).retransmits, 0);
	ck_assert_uint_eq(talk_info(t, t->h).rto_us, 1000000);
	talk_read(t, 0, 10);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 11);
	talk_free(t);
}
END_TEST

START_TEST(defer_until_time)
{
	struct talk *t = deferred(3, 3);

	/* Over after 1 + 2 s: asked once more, and taken as it is. */
	talk_wait(t, 3 * SEC - MS);
	SILENCE(t);
	talk_wait(t, MS);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	EVENTS(t, "");
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	talk_free(t);
}
END_TEST

START_TEST(defer_until_fin)
{
	struct talk *t = deferred(100, 123);

	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	EVENTS(t, "IF");
	HEAR(t, .flags = ACK, .seq = 1, .ack = 2);
	talk_free(t);
}
END_TEST

START_TEST(defer_longer_than_retries)
{
	struct talk *t = deferred(100, 123);

	/* Its time counts, not that of a handshake: 63 s. */
	talk_wait(t, 122 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 1);
	SILENCE(t);
	talk_wait(t, 1 * SEC);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	talk_wait(t, 60 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 0);
	EVENTS(t, "");
	talk_free(t);
}
END_TEST

START_TEST(defer_without_answer)
{
	struct talk *t = talk_new();

	/* No ACK at all: a handshake like any other. */
	talk_listen(t, 1);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener,
					    TOE_OPT_DEFER_ACCEPT, 10),
			  TOE_ST_OK);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	talk_wait(t, SEC);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	talk_free(t);
}
END_TEST

START_TEST(defer_is_a_listeners)
{
	struct talk *t = talk_new();
	uint64_t v;

	talk_open_passive(t, NULL);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->h,
					    TOE_OPT_DEFER_ACCEPT, 1),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h,
					    TOE_OPT_DEFER_ACCEPT, &v),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener,
					    TOE_OPT_DEFER_ACCEPT, UINT32_MAX),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->listener,
					    TOE_OPT_DEFER_ACCEPT, INT32_MAX),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->listener,
					    TOE_OPT_DEFER_ACCEPT, &v),
			  TOE_ST_OK);
	ck_assert_uint_eq(v, 603);
	talk_free(t);
}
END_TEST

/* ---- Cookies ---- */

START_TEST(cookie_when_full)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;
	unsigned i;

	talk_listen(t, 8);
	for (i = 0; i < 9; i++) {
		t->rport = (uint16_t)(1000 + i);
		SAY(t, .flags = SYN, .mss = 1460);
	}
	ck_assert_uint_eq(COUNTER(t, TCP_COOKIES_SENT), 0);
	world_forget(t->w);
	t->rport = 2000;
	t->wnd = 1000;
	SAY(t, .flags = SYN, OPTIONS);
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_uint_eq(s->mss, 1460);
	ck_assert_int_gt(s->wscale, 0);
	ck_assert(s->ts && s->sackok);
	ck_assert_uint_eq(COUNTER(t, TCP_COOKIES_SENT), 1);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 9);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
	t->ts = true;
	world_advance(t->w, 100 * MS);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(COUNTER(t, TCP_COOKIES_OK), 1);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_ESTABLISHED);
	/* All that the SYN said is there: MSS, scale, and SACK. */
	ck_assert_uint_eq(talk_info(t, t->h).mss, 1448);
	ck_assert_uint_eq(talk_info(t, t->h).snd_wnd, 1000 << 7);
	SAY(t, .flags = ACK, .seq = 101, .ack = 1, .len = 10);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(s->sacks, 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 111);
	EVENTS(t, "R");
	talk_read(t, 0, 110);
	talk_send(t, 0, 500);
	s = HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 111, .len = 500);
	ck_assert(s->ts);
	talk_drop(t);
}
END_TEST

/* What the connection has after a cookie, for each thing a SYN may say. */
static void roundtrip(uint16_t mss, int wscale, bool ts, bool sackok,
		      uint16_t want_mss)
{
	struct talk *t = talk_cookies(TOE_SYN_COOKIES_ALWAYS);
	const struct talk_seg *s;

	talk_listen(t, 1);
	t->wnd = 1000;
	SAY(t, .flags = SYN, .mss = mss, .wscale = wscale, .ts = ts,
	    .sackok = sackok);
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_int_eq(s->ts, ts);
	/* Without timestamps nothing else can be remembered. */
	ck_assert_int_eq(s->wscale > 0, ts && wscale > 0);
	ck_assert_int_eq(s->sackok, ts && sackok);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 0);
	t->ts = ts;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(talk_info(t, t->h).mss,
			  want_mss - (ts ? TOE_OPT_TS_LEN : 0));
	ck_assert_uint_eq(talk_info(t, t->h).snd_wnd,
			  1000u << (ts && wscale ? wscale - 1 : 0));
	/* A hole: SACK blocks or not. */
	SAY(t, .flags = ACK, .seq = 101, .ack = 1, .len = 10);
	s = HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	ck_assert_uint_eq(s->sacks, ts && sackok ? 1 : 0);
	talk_free(t);
}

START_TEST(cookie_options)
{
	unsigned bits;

	for (bits = 0; bits < 8; bits++)
		roundtrip(1460, bits & 1 ? 1 + 7 : 0, bits & 2, bits & 4, 1460);
	roundtrip(1460, 1 + 14, true, true, 1460);
	roundtrip(1460, 1 + 0, true, false, 1460);
	/* Rounded down, never up. */
	roundtrip(1459, 0, false, false, 1440);
	roundtrip(9000, 0, true, false, 1460);	/* our own MTU is 1500 */
	roundtrip(536, 0, false, false, 536);
	roundtrip(535, 0, false, false, 256);
	roundtrip(0, 0, false, false, 536);
	roundtrip(1, 0, false, false, 48);
}
END_TEST

START_TEST(cookie_ecn)
{
	unsigned ts;

	/* RFC 3168's agreement goes through the timestamp, or is not made. */
	for (ts = 0; ts < 2; ts++) {
		struct talk *t = talk_cookies(TOE_SYN_COOKIES_ALWAYS);
		uint64_t agreed;

		talk_listen(t, 1);
		SAY(t, .flags = SYN | ECE | CWR, .mss = 1460, .ts = ts);
		HEAR(t, .flags = SYN | ACK | (ts ? ECE : 0), .ack = 1);
		t->ts = ts;
		SAY(t, .flags = ACK, .seq = 1, .ack = 1);
		EVENTS(t, "I");
		ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h,
						    TOE_OPT_ECN_AGREED,
						    &agreed), TOE_ST_OK);
		ck_assert_uint_eq(agreed, ts);
		talk_free(t);
	}
}
END_TEST

START_TEST(ecn_through_the_queue)
{
	struct talk *t = talk_new();
	uint64_t agreed;

	talk_listen(t, 1);
	SAY(t, .flags = SYN | ECE | CWR, .mss = 1460);
	HEAR(t, .flags = SYN | ACK | ECE, .ack = 1);
	/* RFC 3168 6.1.1.1: the peer gave it up. */
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(toe_stream_getopt(t->w->n, t->h, TOE_OPT_ECN_AGREED,
					    &agreed), TOE_ST_OK);
	ck_assert_uint_eq(agreed, 0);
	talk_free(t);
}
END_TEST

START_TEST(cookie_forged)
{
	struct talk *t = talk_cookies(TOE_SYN_COOKIES_ALWAYS);
	unsigned i;

	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	for (i = 2; i < 200; i += 3) {
		SAY(t, .flags = ACK, .seq = 1, .ack = i);
		SILENCE(t);
	}
	/* Another ISN, port, address of the same cookie. */
	SAY(t, .flags = ACK, .seq = 2, .ack = 1);
	SILENCE(t);
	t->rport++;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	SILENCE(t);
	t->rport--;
	ck_assert_uint_eq(COUNTER(t, TCP_COOKIES_BAD), 68);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
	EVENTS(t, "");
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	talk_free(t);
}
END_TEST

START_TEST(cookie_forged_timestamp)
{
	struct talk *t = talk_cookies(TOE_SYN_COOKIES_ALWAYS);
	uint32_t tsecr;

	talk_listen(t, 1);
	SAY(t, .flags = SYN, OPTIONS);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	tsecr = t->tsecr;
	/* An echo of what was never said: from the future, too old. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .ts = true,
	    .tsecr = tsecr + 1000);
	SILENCE(t);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .ts = true,
	    .tsecr = tsecr - 200000);
	SILENCE(t);
	t->ts = true;
	t->tsecr = tsecr;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	talk_free(t);
}
END_TEST

START_TEST(cookie_age)
{
	struct talk *t = talk_cookies(TOE_SYN_COOKIES_ALWAYS);
	int64_t left;

	talk_listen(t, 8);
	/* At the end of a count: 64 s and no more. */
	left = 64 * SEC - t->w->now % (64 * SEC);
	talk_wait(t, left - MS);
	SAY(t, .flags = SYN, OPTIONS);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	talk_wait(t, 64 * SEC);
	t->ts = true;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	t->ts = false;
	/* At its beginning: twice that. */
	t->rport++;
	talk_wait(t, 2 * MS);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	talk_wait(t, 127 * SEC);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	/* And then never. */
	t->rport++;
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	talk_wait(t, 130 * SEC);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	HEAR(t, .flags = RST, .seq = 1);
	EVENTS(t, "");
	talk_drop(t);
}
END_TEST

START_TEST(cookie_old_count)
{
	struct talk *t = talk_cookies(TOE_SYN_COOKIES_ALWAYS);

	talk_listen(t, 8);
	talk_wait(t, 64 * SEC - t->w->now % (64 * SEC) - MS);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	talk_wait(t, 64 * SEC + 2 * MS);
	/* Two counts later, and cookies are still being given. */
	t->rport++;
	SAY(t, .flags = SYN, .mss = 1460);
	t->rport--;
	world_forget(t->w);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	SILENCE(t);
	EVENTS(t, "");
	ck_assert_uint_eq(COUNTER(t, TCP_COOKIES_BAD), 1);
	talk_free(t);
}
END_TEST

START_TEST(cookie_in_peace)
{
	struct talk *t = talk_new();

	/* Nobody gave cookies: an ACK out of nowhere is not even looked at. */
	talk_listen(t, 8);
	SAY(t, .flags = ACK, .seq = 1, .ack = 77);
	HEAR(t, .flags = RST, .seq = 77);
	ck_assert_uint_eq(COUNTER(t, TCP_COOKIES_BAD), 0);
	talk_free(t);
}
END_TEST

START_TEST(cookie_and_accept_queue)
{
	struct talk *t = talk_cookies(TOE_SYN_COOKIES_ALWAYS);
	uint32_t iss, first;

	talk_listen(t, 0);
	t->rport = 1000;
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	iss = t->iss;
	t->rport = 1001;
	handshake(t, 1001);
	first = t->h;
	/* True, but no room: no RST, the peer sends its data again. */
	t->rport = 1000;
	t->iss = iss;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	SILENCE(t);
	EVENTS(t, "");
	ck_assert_uint_eq(COUNTER(t, TCP_ACCEPT_OVERFLOWS), 1);
	/* Full: no cookie either. */
	t->rport = 1002;
	SAY(t, .flags = SYN, .mss = 1460);
	SILENCE(t);
	toe_stream_accepted(t->w->n, first);
	t->rport = 1000;
	t->iss = iss;
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 5);
	EVENTS(t, "IR");
	talk_read(t, 0, 5);
	world_forget(t->w);
	talk_free(t);
}
END_TEST

START_TEST(cookie_overtaken)
{
	struct talk *t = talk_cookies(TOE_SYN_COOKIES_ALWAYS);

	/* The second segment comes first: no RST, it comes again. */
	talk_listen(t, 0);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK, .seq = 101, .ack = 1, .len = 100);
	SAY(t, .flags = FIN | ACK, .seq = 201, .ack = 1);
	SAY(t, .flags = ACK, .seq = 201, .ack = 1);
	SILENCE(t);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	EVENTS(t, "IR");
	HEAR(t, .flags = ACK, .seq = 1, .ack = 101);
	talk_read(t, 0, 100);
	talk_free(t);
}
END_TEST

START_TEST(cookie_window)
{
	ToeNopConfig config = world_default_config();
	struct talk *t = talk_new_config(&config, 32u << 10);
	const struct talk_seg *s;
	uint32_t h;

	/* Memory gets short in between: what was offered is not taken back. */
	param(t, TOE_PARAM_SYN_COOKIES, TOE_SYN_COOKIES_ALWAYS);
	talk_listen(t, 2);
	t->rport = 1000;
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	h = t->iss;
	t->rport = 1001;
	SAY(t, .flags = SYN, .mss = 1460);
	s = HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_uint_eq(s->window, 65535);
	SWAP_ISS(t, h);
	t->rport = 1000;
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 8000);
	world_forget(t->w);
	SWAP_ISS(t, h);
	t->rport = 1001;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "RI");
	ck_assert_uint_eq(talk_info(t, t->h).rcv_wnd, 65535);
	talk_free(t);
}
END_TEST

START_TEST(cookie_burst)
{
	struct talk *t = talk_cookies(TOE_SYN_COOKIES_ALWAYS);
	unsigned i;

	/* More SYNs than a turn answers: the rest is dropped and counted. */
	talk_listen(t, 1);
	for (i = 0; i < 300; i++) {
		t->rport = (uint16_t)(1000 + i);
		BURST(t, .flags = SYN, .mss = 1460);
	}
	world_run(t->w);
	ck_assert_uint_eq(world_sent_count(t->w) + COUNTER(t, TCP_LISTEN_DROPS),
			  300);
	ck_assert_uint_ge(world_sent_count(t->w), TOE_COOKIE_RING);
	world_forget(t->w);
	talk_free(t);
}
END_TEST

START_TEST(params)
{
	struct talk *t = talk_new();
	uint64_t v;

	ck_assert_uint_eq(toe_nop_param_get(t->w->n, TOE_PARAM_SYN_COOKIES,
					    &v), TOE_ST_OK);
	ck_assert_uint_eq(v, TOE_SYN_COOKIES_FULL);
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_SYN_COOKIES,
					    3), TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_SYNACK_RETRIES,
					    16), TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_SYN_BACKLOG,
					    0), TOE_ST_INVALID);
	param(t, TOE_PARAM_SYNACK_RETRIES, 15);
	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	talk_wait(t, 660 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 1);
	talk_wait(t, 20 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 0);
	ck_assert_uint_eq(world_sent_count(t->w), 16);
	world_forget(t->w);
	talk_free(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_listen");
	TCase *c = tcase_create("queues");

	tcase_add_test(c, half_open_costs_no_ncb);
	tcase_add_test(c, accept_queue);
	tcase_add_test(c, backlog_zero);
	tcase_add_test(c, last_ack_ignored_when_full);
	tcase_add_test(c, no_ncb_for_the_last_ack);
	tcase_add_test(c, syn_queue_limit);
	tcase_add_test(c, table_limit);
	tcase_add_test(c, synack_retries);
	tcase_add_test(c, rto_after_lost_synack);
	tcase_add_test(c, options_survive_the_queue);
	tcase_add_test(c, data_with_the_last_ack);
	tcase_add_test(c, ecn_through_the_queue);
	tcase_add_test(c, paws_in_syn_received);
	tcase_add_test(c, blind_segments_in_syn_received);
	tcase_add_test(c, ack_at_the_windows_edge);
	tcase_add_test(c, icmp_does_not_end_a_handshake);
	tcase_add_test(c, listener_gone_in_one_turn);
	tcase_add_test(c, address_gone);
	tcase_add_test(c, port_busy);
	tcase_add_test(c, params);
	suite_add_tcase(s, c);
	c = tcase_create("defer");
	tcase_add_test(c, defer_until_data);
	tcase_add_test(c, defer_until_time);
	tcase_add_test(c, defer_until_fin);
	tcase_add_test(c, defer_longer_than_retries);
	tcase_add_test(c, defer_without_answer);
	tcase_add_test(c, defer_is_a_listeners);
	suite_add_tcase(s, c);
	c = tcase_create("cookies");
	tcase_add_test(c, cookie_when_full);
	tcase_add_test(c, cookie_options);
	tcase_add_test(c, cookie_ecn);
	tcase_add_test(c, cookie_forged);
	tcase_add_test(c, cookie_forged_timestamp);
	tcase_add_test(c, cookie_age);
	tcase_add_test(c, cookie_old_count);
	tcase_add_test(c, cookie_in_peace);
	tcase_add_test(c, cookie_and_accept_queue);
	tcase_add_test(c, cookie_overtaken);
	tcase_add_test(c, cookie_window);
	tcase_add_test(c, cookie_burst);
	suite_add_tcase(s, c);
	return talk_main(s);
}
