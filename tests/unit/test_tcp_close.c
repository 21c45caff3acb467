/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_close.c - how connections end: RFC 9293 3.6, 3.10.4, 3.10.5, each
 * order of FINs, resets in each state, TIME-WAIT, orphans.
 */
#include "common_tcp.h"

static void gone(struct talk *t)
{
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), t->listener ? 1 : 0);
	ck_assert_uint_eq(COUNTER(t, TCP_ORPHANS), 0);
	ck_assert_uint_eq(toe_lmem_avail(t->w->lm, TOE_LMEM_IN),
			  toe_lmem_total(t->w->lm));
}

START_TEST(we_close_first)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_shutdown(t);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_FIN_WAIT_1);
	ck_assert_uint_eq(toe_stream_shutdown(t->w->n, t->h), TOE_ST_STATE);
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 2);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_FIN_WAIT_2);
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 2);
	HEAR(t, .flags = ACK, .seq = 2, .ack = 2);
	EVENTS(t, "FC");
	ck_assert_uint_eq(t->status, TOE_ST_OK);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_TIME_WAIT);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 1);
	talk_close(t);
	world_advance(t->w, 59 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 1);
	world_advance(t->w, 2 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 0);
	gone(t);
	talk_free(t);
}
END_TEST

START_TEST(owner_keeps_handle_after_time_wait)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 9);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 10);
	talk_shutdown(t);
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 10);
	SAY(t, .flags = FIN | ACK, .seq = 10, .ack = 2);
	HEAR(t, .flags = ACK, .seq = 2, .ack = 11);
	EVENTS(t, "RFC");
	world_advance(t->w, 61 * SEC);
	/* The bytes are still there. */
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 0);
	talk_read(t, 0, 9);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
	talk_close(t);
	gone(t);
	talk_free(t);
}
END_TEST

START_TEST(peer_closes_first)
{
	struct talk *t = talk_new();

	talk_open_passive(t, NULL);
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 2);
	EVENTS(t, "F");
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_CLOSE_WAIT);
	/* Half-closed: we may go on sending. */
	talk_send(t, 0, 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 2, .len = 100);
	SAY(t, .flags = ACK, .seq = 2, .ack = 101);
	talk_shutdown(t);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_LAST_ACK);
	HEAR(t, .flags = FIN | ACK, .seq = 101, .ack = 2);
	SAY(t, .flags = ACK, .seq = 2, .ack = 102);
	EVENTS(t, "C");
	ck_assert_uint_eq(t->status, TOE_ST_OK);
	talk_close(t);
	gone(t);
	talk_free(t);
}
END_TEST

START_TEST(half_closed_receives)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_shutdown(t);
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	/* Data with the ACK of our FIN, then more. */
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 2, .len = 10);
	HEAR(t, .flags = ACK, .seq = 2, .ack = 11);
	EVENTS(t, "R");
	SAY(t, .flags = ACK | PSH | FIN, .seq = 11, .ack = 2, .len = 10);
	HEAR(t, .flags = ACK, .seq = 2, .ack = 22);
	EVENTS(t, "RFC");
	talk_read(t, 0, 20);
	talk_close(t);
	talk_free(t);
}
END_TEST

START_TEST(both_close_at_once)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_shutdown(t);
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	HEAR(t, .flags = ACK, .seq = 2, .ack = 2);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_CLOSING);
	EVENTS(t, "F");
	SAY(t, .flags = ACK, .seq = 2, .ack = 2);
	EVENTS(t, "C");
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_TIME_WAIT);
	talk_close(t);
	talk_free(t);
}
END_TEST

START_TEST(fin_carries_ack_of_fin)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_shutdown(t);
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 2);
	HEAR(t, .flags = ACK, .seq = 2, .ack = 2);
	EVENTS(t, "FC");
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_TIME_WAIT);
	talk_close(t);
	talk_free(t);
}
END_TEST

START_TEST(close_sends_what_is_buffered)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_send(t, 0, 3000);
	talk_close(t);
	EVENTS(t, "");
	ck_assert_uint_eq(COUNTER(t, TCP_ORPHANS), 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1460);
	HEAR(t, .flags = ACK, .seq = 1461, .ack = 1, .len = 1460);
	HEAR(t, .flags = FIN | ACK | PSH, .seq = 2921, .ack = 1, .len = 80);
	SAY(t, .flags = ACK, .seq = 1, .ack = 3002);
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 3002);
	HEAR(t, .flags = ACK, .seq = 3002, .ack = 2);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 1);
	ck_assert_uint_eq(COUNTER(t, TCP_ORPHANS), 0);
	world_advance(t->w, 61 * SEC);
	gone(t);
	talk_free(t);
}
END_TEST

START_TEST(close_with_unread_bytes_resets)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 11);
	EVENTS(t, "R");
	talk_close(t);
	HEAR(t, .flags = RST | ACK, .seq = 1, .ack = 11);
	gone(t);
	talk_free(t);
}
END_TEST

START_TEST(bytes_for_an_orphan_reset)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_close(t);
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 2, .len = 10);
	HEAR(t, .flags = RST | ACK, .seq = 2, .ack = 1);
	gone(t);
	talk_free(t);
}
END_TEST

START_TEST(abort_resets)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_send(t, 0, 10);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	talk_abort(t);
	EVENTS(t, "");
	HEAR(t, .flags = RST | ACK, .seq = 11, .ack = 1);
	gone(t);
	talk_free(t);
}
END_TEST

START_TEST(abort_before_established)
{
	struct talk *t = talk_new();

	talk_connect(t);
	HEAR(t, .flags = SYN);
	talk_abort(t);
	SILENCE(t);
	gone(t);
	talk_connect(t);
	HEAR(t, .flags = SYN);
	talk_close(t);
	SILENCE(t);
	gone(t);
	talk_free(t);
}
END_TEST

/* Bring a connection into state _i and reset it from there. */
static struct talk *in_state(unsigned state)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	switch (state) {
	case TOE_TCP_ESTABLISHED:
		break;
	case TOE_TCP_FIN_WAIT_1:
		talk_shutdown(t);
		break;
	case TOE_TCP_FIN_WAIT_2:
		talk_shutdown(t);
		world_run(t->w);
		SAY(t, .flags = ACK, .seq = 1, .ack = 2);
		break;
	case TOE_TCP_CLOSE_WAIT:
		SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
		break;
	case TOE_TCP_CLOSING:
		talk_shutdown(t);
		world_run(t->w);
		SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
		break;
	case TOE_TCP_LAST_ACK:
		SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
		talk_shutdown(t);
		break;
	case TOE_TCP_TIME_WAIT:
		talk_shutdown(t);
		world_run(t->w);
		SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 2);
		break;
	default:
		ck_abort();
	}
	world_run(t->w);
	ck_assert_uint_eq(talk_state(t, t->h), state);
	world_forget(t->w);
	g_string_truncate(t->log, 0);
	return t;
}

START_TEST(rst_in_each_state)
{
	struct talk *t = in_state((unsigned)_i);
	bool fin = _i == TOE_TCP_CLOSE_WAIT || _i == TOE_TCP_CLOSING ||
		   _i == TOE_TCP_LAST_ACK || _i == TOE_TCP_TIME_WAIT;
	uint32_t rcv_nxt = fin ? 2 : 1;
	uint32_t snd_nxt = _i == TOE_TCP_ESTABLISHED ||
			   _i == TOE_TCP_CLOSE_WAIT ? 1 : 2;

	/* RFC 5961 3.2: in the window but not exact. */
	if (_i != TOE_TCP_TIME_WAIT) {
		SAY(t, .flags = RST, .seq = rcv_nxt + 100);
		HEAR(t, .flags = ACK, .seq = snd_nxt, .ack = rcv_nxt);
		ck_assert_uint_eq(COUNTER(t, TCP_CHALLENGE_ACKS), 1);
	}
	/* Outside. */
	SAY(t, .flags = RST, .seq = rcv_nxt - 10);
	SAY(t, .flags = RST, .seq = rcv_nxt + 10000000);
	SILENCE(t);
	EVENTS(t, "");
	ck_assert_uint_eq(talk_state(t, t->h), _i);
	SAY(t, .flags = RST, .seq = rcv_nxt);
	SILENCE(t);
	if (_i == TOE_TCP_TIME_WAIT) {
		EVENTS(t, "");		/* RFC 1337: goes on */
		ck_assert_uint_eq(talk_state(t, t->h), _i);
	} else {
		EVENTS(t, "C");
		ck_assert_uint_eq(t->status, TOE_ST_RESET);
	}
	talk_close(t);
	if (_i == TOE_TCP_TIME_WAIT)
		talk_wait(t, 61 * SEC);
	gone(t);
	talk_free(t);
}
END_TEST

START_TEST(syn_in_each_state)
{
	struct talk *t = in_state((unsigned)_i);
	bool fin = _i == TOE_TCP_CLOSE_WAIT || _i == TOE_TCP_CLOSING ||
		   _i == TOE_TCP_LAST_ACK || _i == TOE_TCP_TIME_WAIT;
	uint32_t snd_nxt = _i == TOE_TCP_ESTABLISHED ||
			   _i == TOE_TCP_CLOSE_WAIT ? 1 : 2;

	/* RFC 5961 4.2: a challenge ACK, wherever it is. */
	SAY(t, .flags = SYN, .seq = 5);
	HEAR(t, .flags = ACK, .seq = snd_nxt, .ack = fin ? 2 : 1);
	SAY(t, .flags = SYN | ACK, .seq = 0, .ack = 1);
	HEAR(t, .flags = ACK, .seq = snd_nxt, .ack = fin ? 2 : 1);
	ck_assert_uint_eq(talk_state(t, t->h), _i);
	EVENTS(t, "");
	talk_drop(t);
}
END_TEST

START_TEST(abort_in_each_state)
{
	struct talk *t = in_state((unsigned)_i);

	talk_abort(t);
	if (_i == TOE_TCP_CLOSING || _i == TOE_TCP_LAST_ACK ||
	    _i == TOE_TCP_TIME_WAIT)
		SILENCE(t);
	else
		HEAR(t, .flags = RST | ACK,
		     .seq = _i == TOE_TCP_ESTABLISHED ||
			    _i == TOE_TCP_CLOSE_WAIT ? 1 : 2,
		     .ack = _i == TOE_TCP_CLOSE_WAIT ? 2 : 1);
	gone(t);
	talk_free(t);
}
END_TEST

START_TEST(challenge_limit)
{
	struct talk *t = talk_new();
	unsigned i;

	talk_open_active(t, NULL);
	for (i = 0; i < 100; i++)
		SAY(t, .flags = SYN, .seq = i);
	ck_assert_uint_eq(world_sent_count(t->w), 10);
	world_forget(t->w);
	world_advance(t->w, SEC);
	SAY(t, .flags = SYN, .seq = 3);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	talk_free(t);
}
END_TEST

START_TEST(time_wait_answers_fin)
{
	struct talk *t = in_state(TOE_TCP_TIME_WAIT);

	talk_close(t);
	world_advance(t->w, 50 * SEC);
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 2);
	HEAR(t, .flags = ACK, .seq = 2, .ack = 2);
	/* And starts again. */
	world_advance(t->w, 59 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 1);
	world_advance(t->w, 2 * SEC);
	gone(t);
	talk_free(t);
}
END_TEST

START_TEST(time_wait_reopened)
{
	struct talk *t = talk_new();
	uint32_t old;

	talk_open_passive(t, NULL);
	talk_shutdown(t);
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 2);
	HEAR(t, .flags = ACK, .seq = 2, .ack = 2);
	EVENTS(t, "FC");
	talk_close(t);
	old = t->iss;
	/* An old SYN does not. */
	SAY(t, .flags = SYN, .seq = 0);
	HEAR(t, .flags = ACK, .seq = 2, .ack = 2);
	/* RFC 9293 3.10.7.4: a new one, above what was used. */
	world_advance(t->w, SEC);
	t->peer_iss += 1000;
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_int_gt((int32_t)(t->iss - old), 2);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 0);
	talk_free(t);
}
END_TEST

START_TEST(time_wait_recycled)
{
	struct talk *t = talk_new();
	unsigned i;

	/* 64 NCBs, each of them left in TIME-WAIT: the oldest gives way. */
	for (i = 0; i < 200; i++) {
		talk_open_active(t, NULL);
		talk_close(t);
		HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
		SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 2);
		HEAR(t, .flags = ACK, .seq = 2, .ack = 2);
	}
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 64);
	world_advance(t->w, 61 * SEC);
	gone(t);
	talk_free(t);
}
END_TEST

START_TEST(ports_recycled)
{
	struct talk *t = talk_new();
	unsigned i;

	/* Eight ports in all, used again while their old users wait. */
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_PORT_LO, 40000),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_PORT_HI, 40007),
			  TOE_ST_OK);
	for (i = 0; i < 30; i++) {
		talk_open_active(t, NULL);
		ck_assert_uint_ge(t->lport, 40000);
		ck_assert_uint_le(t->lport, 40007);
		talk_close(t);
		HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
		SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 2);
		HEAR(t, .flags = ACK, .seq = 2, .ack = 2);
	}
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 8);
	/* But never while they are open. */
	for (i = 0; i < 8; i++)
		talk_open_active(t, NULL);
	{
		ToeTuple q = { .family = TOE_AF_INET, .rport = RPORT };
		uint32_t h;

		memcpy(q.raddr, PEER_IP, 16);
		ck_assert_uint_eq(toe_stream_connect(t->w->n, &q, &h),
				  TOE_ST_ADDRNOTAVAIL);
	}
	talk_free(t);
}
END_TEST

START_TEST(orphan_gives_up)
{
	struct talk *t = talk_new();
	const struct talk_seg *s, *last = NULL;

	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_ORPHAN_MS,
					    5000), TOE_ST_OK);
	talk_open_active(t, NULL);
	talk_send(t, 0, 100);
	talk_close(t);
	world_advance(t->w, 4900 * MS);
	ck_assert_uint_eq(COUNTER(t, TCP_ORPHANS), 1);
	world_advance(t->w, 200 * MS);
	while ((s = talk_any(t)))
		last = s;
	ck_assert(last && last->flags & RST);
	gone(t);
	talk_free(t);
}
END_TEST

START_TEST(orphan_with_closed_window)
{
	struct talk *t = talk_new();
	unsigned i;

	/* A peer that answers probes but never reads does not keep it. */
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_ORPHAN_MS,
					    30000), TOE_ST_OK);
	t->wnd = 0;
	talk_open_active(t, NULL);
	talk_send(t, 0, 100);
	talk_close(t);
	for (i = 0; i < 31; i++) {
		world_advance(t->w, SEC);
		world_forget(t->w);
		if (COUNTER(t, TCP_NCBS))
			SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	}
	gone(t);
	talk_drop(t);
}
END_TEST

START_TEST(fin_wait_2_orphan_times_out)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_close(t);
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 2);
	world_advance(t->w, 59 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
	world_advance(t->w, 2 * SEC);
	gone(t);
	talk_free(t);
}
END_TEST

START_TEST(fin_retransmitted)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_shutdown(t);
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	world_advance(t->w, 250 * MS);
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 2);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_FIN_WAIT_2);
	world_advance(t->w, 10 * SEC);
	talk_free(t);
}
END_TEST

START_TEST(fin_out_of_order)
{
	struct talk *t = talk_new();

	talk_open_passive(t, NULL);
	SAY(t, .flags = FIN | ACK, .seq = 101, .ack = 1);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "");
	/* Bytes behind the FIN do not exist. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 200);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 102);
	EVENTS(t, "RF");
	ck_assert_uint_eq(talk_unread(t), 100);
	talk_read(t, 0, 100);
	talk_free(t);
}
END_TEST

START_TEST(fin_with_data_repeated)
{
	struct talk *t = talk_new();

	talk_open_passive(t, NULL);
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 1, .len = 50);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 52);
	EVENTS(t, "RF");
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 1, .len = 50);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 52);
	EVENTS(t, "");
	talk_read(t, 0, 50);
	talk_free(t);
}
END_TEST

START_TEST(close_in_callback)
{
	struct talk *t = talk_new();

	t->close_on_closed = true;
	talk_open_passive(t, NULL);
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 5);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 6);
	SAY(t, .flags = RST, .seq = 6);
	EVENTS(t, "RC");
	gone(t);
	talk_free(t);
}
END_TEST

static void close_now(struct talk *t, uint32_t handle)
{
	toe_stream_close(t->w->n, handle);
}

static void abort_now(struct talk *t, uint32_t handle)
{
	toe_stream_abort(t->w->n, handle);
}

START_TEST(close_in_incoming)
{
	struct talk *t = talk_new();

	t->on_incoming = close_now;
	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 2);
	HEAR(t, .flags = ACK, .seq = 2, .ack = 2);

	/* Data with the last ACK, and the owner aborts at once. */
	t->on_incoming = abort_now;
	t->rport++;
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	EVENTS(t, "I");
	HEAR(t, .flags = RST | ACK, .seq = 1, .ack = 11);
	world_advance(t->w, 61 * SEC);
	gone(t);
	talk_free(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_close");
	TCase *c = tcase_create("close");

	tcase_add_test(c, we_close_first);
	tcase_add_test(c, owner_keeps_handle_after_time_wait);
	tcase_add_test(c, peer_closes_first);
	tcase_add_test(c, half_closed_receives);
	tcase_add_test(c, both_close_at_once);
	tcase_add_test(c, fin_carries_ack_of_fin);
	tcase_add_test(c, close_sends_what_is_buffered);
	tcase_add_test(c, close_with_unread_bytes_resets);
	tcase_add_test(c, bytes_for_an_orphan_reset);
	tcase_add_test(c, abort_resets);
	tcase_add_test(c, abort_before_established);
	tcase_add_loop_test(c, rst_in_each_state, TOE_TCP_ESTABLISHED,
			    TOE_TCP_TIME_WAIT + 1);
	tcase_add_loop_test(c, syn_in_each_state, TOE_TCP_ESTABLISHED,
			    TOE_TCP_TIME_WAIT + 1);
	tcase_add_loop_test(c, abort_in_each_state, TOE_TCP_ESTABLISHED,
			    TOE_TCP_TIME_WAIT + 1);
	tcase_add_test(c, challenge_limit);
	tcase_add_test(c, time_wait_answers_fin);
	tcase_add_test(c, time_wait_reopened);
	tcase_add_test(c, time_wait_recycled);
	tcase_add_test(c, ports_recycled);
	tcase_add_test(c, orphan_gives_up);
	tcase_add_test(c, orphan_with_closed_window);
	tcase_add_test(c, fin_wait_2_orphan_times_out);
	tcase_add_test(c, fin_retransmitted);
	tcase_add_test(c, fin_out_of_order);
	tcase_add_test(c, fin_with_data_repeated);
	tcase_add_test(c, close_in_callback);
	tcase_add_test(c, close_in_incoming);
	suite_add_tcase(s, c);
	return talk_main(s);
}
