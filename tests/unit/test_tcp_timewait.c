/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_timewait.c - who may end TIME-WAIT early: RFC 6191, 7323 and 1337.
 */
#include "common_tcp.h"
#include "nop/tcp/tcp.h"

#define TS .mss = 1460, .wscale = 7 + 1, .ts = true

/* A connection that we closed first: as a server, as a client. */
static struct talk *waiting(bool ts)
{
	struct talk *t = talk_new();
	struct talk_seg syn = { .mss = 1460, .ts = ts };

	talk_open_passive(t, &syn);
	talk_shutdown(t);
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 2);
	HEAR(t, .flags = ACK, .seq = 2, .ack = 2);
	EVENTS(t, "FC");
	talk_close(t);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 1);
	return t;
}

static void client_waits(struct talk *t, bool ts)
{
	struct talk_seg syn = { .mss = 1460, .ts = ts };

	t->ts = false;
	talk_open_active(t, &syn);
	talk_close(t);
	HEAR(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 2);
	HEAR(t, .flags = ACK, .seq = 2, .ack = 2);
}

static void reopened(struct talk *t)
{
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT_REUSED), 1);
}

static void not_reopened(struct talk *t)
{
	HEAR(t, .flags = ACK, .seq = 2,
	     .ack = 2 + 0x10000000 - t->peer_iss);
	SILENCE(t);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 1);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT_REUSED), 0);
}

/* ---- As a server ---- */

START_TEST(later_timestamp)
{
	struct talk *t = waiting(true);

	/* RFC 6191: whatever the sequence number is. */
	t->peer_iss -= 100000;
	t->tsval++;
	SAY(t, .flags = SYN, TS);
	reopened(t);
	talk_free(t);
}
END_TEST

START_TEST(earlier_timestamp)
{
	struct talk *t = waiting(true);

	/* Even if the sequence number is above. */
	t->peer_iss += 100000;
	t->tsval--;
	SAY(t, .flags = SYN, TS);
	not_reopened(t);
	talk_free(t);
}
END_TEST

START_TEST(same_timestamp)
{
	struct talk *t = waiting(true);

	SAY(t, .flags = SYN, TS, .seq = 1);
	not_reopened(t);
	t->peer_iss += 100000;
	SAY(t, .flags = SYN, TS);
	reopened(t);
	talk_free(t);
}
END_TEST

START_TEST(timestamp_where_was_none)
{
	struct talk *t = waiting(false);

	t->peer_iss -= 100000;
	t->ts = true;
	SAY(t, .flags = SYN, TS);
	reopened(t);
	talk_free(t);
}
END_TEST

START_TEST(no_timestamp_where_was_one)
{
	struct talk *t = waiting(true);

	t->ts = false;
	SAY(t, .flags = SYN, .mss = 1460, .seq = 1);
	not_reopened(t);
	t->peer_iss += 100000;
	SAY(t, .flags = SYN, .mss = 1460);
	reopened(t);
	talk_free(t);
}
END_TEST

START_TEST(isn_above_the_old_one)
{
	struct talk *t = talk_new();
	uint32_t end;

	/*
	 * The old connection sent more than the ISN's clock, 250 bytes a
	 * millisecond, moved: the new ISN is above it all the same.
	 */
	talk_open_passive(t, NULL);
	talk_send(t, 0, 50000);
	for (end = 1; end < 50001;) {
		const struct talk_seg *s = talk_any(t);

		ck_assert(s);
		end += s->len;
		SAY(t, .flags = ACK, .seq = 1, .ack = end);
	}
	talk_shutdown(t);
	HEAR(t, .flags = FIN | ACK, .seq = 50001, .ack = 1);
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 50002);
	HEAR(t, .flags = ACK, .seq = 50002, .ack = 2);
	EVENTS(t, "FC");
	talk_close(t);
	end = t->iss + 50002;
	t->peer_iss += 1000;
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	ck_assert_int_gt((int32_t)(t->iss - end), 0);
	talk_free(t);
}
END_TEST

START_TEST(no_listener)
{
	struct talk *t = waiting(true);

	toe_stream_close(t->w->n, t->listener);
	t->peer_iss += 100000;
	t->tsval++;
	SAY(t, .flags = SYN, TS);
	not_reopened(t);
	talk_free(t);
}
END_TEST

/* ---- RFC 1337 ---- */

START_TEST(rst_is_not_obeyed)
{
	struct talk *t = waiting(false);

	SAY(t, .flags = RST, .seq = 2);
	SAY(t, .flags = RST | ACK, .seq = 2, .ack = 2);
	SAY(t, .flags = RST, .seq = 1);
	SILENCE(t);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 1);
	/* Section 2: an old duplicate makes us ACK, and that the peer RST. */
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1);
	HEAR(t, .flags = ACK, .seq = 2, .ack = 2);
	SAY(t, .flags = RST, .seq = 2);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 1);
	talk_wait(t, 61 * SEC);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 0);
	talk_free(t);
}
END_TEST

/* ---- As a client ---- */

static struct talk *one_port(void)
{
	struct talk *t = talk_new();

	toe_nop_param_set(t->w->n, TOE_PARAM_PORT_LO, 40000);
	toe_nop_param_set(t->w->n, TOE_PARAM_PORT_HI, 40000);
	return t;
}

static uint8_t connect_from(struct talk *t, uint16_t lport)
{
	ToeTuple q = { .family = TOE_AF_INET, .lport = lport, .rport = RPORT };

	memcpy(q.raddr, PEER_IP, 16);
	return toe_stream_connect(t->w->n, &q, &t->h);
}

START_TEST(given_port)
{
	struct talk *t = one_port();
	uint32_t old;

	client_waits(t, true);
	old = t->iss;
	/* The peer's timestamps may not have moved yet. */
	ck_assert_uint_eq(connect_from(t, 40000), TOE_ST_ADDRINUSE);
	world_advance(t->w, SEC);
	ck_assert_uint_eq(connect_from(t, 40000), TOE_ST_ADDRINUSE);
	world_advance(t->w, MS);
	ck_assert_uint_eq(connect_from(t, 40000), TOE_ST_OK);
	HEAR(t, .flags = SYN);
	ck_assert_int_gt((int32_t)(t->iss - old), 2);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT_REUSED), 1);
	talk_free(t);
}
END_TEST

START_TEST(given_port_without_timestamps)
{
	struct talk *t = one_port();

	client_waits(t, false);
	world_advance(t->w, 30 * SEC);
	ck_assert_uint_eq(connect_from(t, 40000), TOE_ST_ADDRINUSE);
	world_advance(t->w, 31 * SEC);
	ck_assert_uint_eq(connect_from(t, 40000), TOE_ST_OK);
	world_run(t->w);
	world_forget(t->w);
	talk_free(t);
}
END_TEST

START_TEST(chosen_port)
{
	struct talk *t = talk_new();
	uint16_t with_ts;
	unsigned i;

	/* Of the ports that wait, one with timestamps is taken first. */
	toe_nop_param_set(t->w->n, TOE_PARAM_PORT_LO, 40000);
	toe_nop_param_set(t->w->n, TOE_PARAM_PORT_HI, 40003);
	client_waits(t, true);
	with_ts = t->lport;
	for (i = 0; i < 3; i++)
		client_waits(t, false);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 4);
	talk_wait(t, 2 * SEC);
	t->ts = false;
	ck_assert_uint_eq(connect_from(t, 0), TOE_ST_OK);
	HEAR(t, .flags = SYN);
	ck_assert_uint_eq(t->lport, with_ts);
	/* Then the others, rather than none. */
	for (i = 0; i < 3; i++) {
		ck_assert_uint_eq(connect_from(t, 0), TOE_ST_OK);
		HEAR(t, .flags = SYN);
	}
	ck_assert_uint_eq(connect_from(t, 0), TOE_ST_ADDRNOTAVAIL);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT_REUSED), 4);
	talk_free(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_timewait");
	TCase *c = tcase_create("server");

	tcase_add_test(c, later_timestamp);
	tcase_add_test(c, earlier_timestamp);
	tcase_add_test(c, same_timestamp);
	tcase_add_test(c, timestamp_where_was_none);
	tcase_add_test(c, no_timestamp_where_was_one);
	tcase_add_test(c, isn_above_the_old_one);
	tcase_add_test(c, no_listener);
	tcase_add_test(c, rst_is_not_obeyed);
	suite_add_tcase(s, c);
	c = tcase_create("client");
	tcase_add_test(c, given_port);
	tcase_add_test(c, given_port_without_timestamps);
	tcase_add_test(c, chosen_port);
	suite_add_tcase(s, c);
	return talk_main(s);
}
