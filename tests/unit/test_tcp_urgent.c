/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_urgent.c - urgent data, both ways: RFC 9293 section 3.8.5, RFC 6093.
 */
#include "common_tcp.h"

static void send_urgent(struct talk *t, uint32_t off, uint32_t len)
{
	ToeChain c = toe_chain_init();
	uint8_t *p = g_malloc(len);
	uint32_t i;

	for (i = 0; i < len; i++)
		p[i] = talk_pattern(off + i);
	ck_assert(toe_chain_append(t->w->lm, &c, p, len, TOE_LMEM_OUT));
	toe_stream_send(t->w->n, t->h, &c, false);
	toe_stream_urgent(t->w->n, t->h);
	g_free(p);
}

START_TEST(pointer_is_behind_the_last_urgent_byte)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	talk_open_active(t, NULL);
	send_urgent(t, 0, 5);
	s = HEAR(t, .flags = ACK | PSH | URG, .seq = 1, .ack = 1, .len = 5);
	ck_assert_uint_eq(s->urg, 5);
	/* What follows is not urgent, and past it there is no URG. */
	talk_setopt(t, TOE_OPT_NODELAY, 1);
	talk_send(t, 5, 10);
	s = HEAR(t, .flags = ACK | PSH, .seq = 6, .ack = 1, .len = 10);
	ck_assert_uint_eq(s->urg, 0);
	SAY(t, .flags = ACK, .seq = 1, .ack = 16);
	g_string_truncate(t->log, 0);
	talk_free(t);
}
END_TEST

START_TEST(each_segment_before_it_has_the_flag)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	talk_open_active(t, NULL);
	send_urgent(t, 0, 3000);
	s = HEAR(t, .flags = ACK | URG, .seq = 1, .ack = 1, .len = 1460);
	ck_assert_uint_eq(s->urg, 3000);
	s = HEAR(t, .flags = ACK | URG, .seq = 1461, .ack = 1, .len = 1460);
	ck_assert_uint_eq(s->urg, 1540);
	/* Nagle does not hold it. */
	s = HEAR(t, .flags = ACK | PSH | URG, .seq = 2921, .ack = 1,
		 .len = 80);
	ck_assert_uint_eq(s->urg, 80);
	SAY(t, .flags = ACK, .seq = 1, .ack = 2921);
	/* Sent again it is still urgent. */
	world_advance(t->w, SEC);
	s = HEAR(t, .flags = ACK | PSH | URG, .seq = 2921, .ack = 1,
		 .len = 80);
	ck_assert_uint_eq(s->urg, 80);
	world_forget(t->w);
	SAY(t, .flags = ACK, .seq = 1, .ack = 3001);
	talk_send(t, 3000, 10);
	s = HEAR(t, .flags = ACK | PSH, .seq = 3001, .ack = 1, .len = 10);
	ck_assert_uint_eq(s->urg, 0);
	talk_free(t);
}
END_TEST

START_TEST(not_held_by_cork_or_nagle)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	talk_setopt(t, TOE_OPT_CORK, 1);
	talk_send(t, 0, 10);
	SILENCE(t);
	send_urgent(t, 10, 1);
	HEAR(t, .flags = ACK | PSH | URG, .seq = 1, .ack = 1, .len = 11);
	talk_send(t, 11, 10);
	SILENCE(t);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(a_mark_far_ahead)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	talk_open_active(t, NULL);
	send_urgent(t, 0, 100000);
	s = HEAR(t, .flags = ACK | URG, .seq = 1, .ack = 1, .len = 1460);
	ck_assert_uint_eq(s->urg, 65535);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(told_through_a_closed_window)
{
	struct talk *t = talk_new();
	const struct talk_seg *s;

	t->wnd = 0;
	talk_open_active(t, NULL);
	send_urgent(t, 0, 10);
	s = HEAR(t, .flags = ACK | URG, .seq = 1, .ack = 1);
	ck_assert_uint_eq(s->urg, 10);
	/* The window probe says it, too. */
	world_advance(t->w, 200 * MS);
	s = HEAR(t, .flags = ACK | URG, .seq = 1, .ack = 1, .len = 1);
	ck_assert_uint_eq(s->urg, 10);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(nothing_to_be_urgent_about)
{
	struct talk *t = talk_new();

	/* MUST-30: at least one byte has to be sent with it. */
	talk_open_active(t, NULL);
	toe_stream_urgent(t->w->n, t->h);
	SILENCE(t);
	talk_send(t, 0, 10);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
	toe_stream_urgent(t->w->n, 0);
	toe_stream_urgent(t->w->n, t->h + 1);
	talk_free(t);
}
END_TEST

START_TEST(owner_is_told_and_bytes_stay_inline)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	SAY(t, .flags = ACK | URG | PSH, .seq = 1, .ack = 1, .len = 10,
	    .urg = 10);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 11);
	EVENTS(t, "UR");
	ck_assert_uint_eq(t->mark, 10);
	talk_read(t, 0, 10);
	/* The same mark once more is no news. */
	SAY(t, .flags = ACK | URG, .seq = 11, .ack = 1);
	EVENTS(t, "");
	/* MUST-31: it may be of any length, here ahead of its bytes. */
	SAY(t, .flags = ACK | URG | PSH, .seq = 11, .ack = 1, .len = 100,
	    .urg = 3000);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 111);
	EVENTS(t, "UR");
	ck_assert_uint_eq(t->mark, 3010);
	talk_read(t, 10, 100);
	SAY(t, .flags = ACK | URG | PSH, .seq = 111, .ack = 1, .len = 100,
	    .urg = 2900);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 211);
	EVENTS(t, "R");
	talk_read(t, 110, 100);
	talk_free(t);
}
END_TEST

START_TEST(mark_moves_on)
{
	struct talk *t = talk_new();

	/* MUST-32: told again when it advances. */
	talk_open_active(t, NULL);
	SAY(t, .flags = ACK | URG, .seq = 1, .ack = 1, .urg = 50);
	EVENTS(t, "U");
	ck_assert_uint_eq(t->mark, 50);
	SAY(t, .flags = ACK | URG, .seq = 1, .ack = 1, .urg = 40);
	EVENTS(t, "");
	SAY(t, .flags = ACK | URG, .seq = 1, .ack = 1, .urg = 60);
	EVENTS(t, "U");
	ck_assert_uint_eq(t->mark, 60);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(pointer_of_a_segment_that_is_cut)
{
	struct talk *t = talk_new();

	/* Half of it was there before: the pointer counts from its own start. */
	talk_open_active(t, NULL);
	SAY(t, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 101);
	EVENTS(t, "R");
	SAY(t, .flags = ACK | URG | PSH, .seq = 51, .ack = 1, .len = 100,
	    .urg = 70);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 151);
	EVENTS(t, "UR");
	ck_assert_uint_eq(t->mark, 120);
	talk_read(t, 0, 150);
	/* Read past, and pointers to before. */
	SAY(t, .flags = ACK | URG, .seq = 151, .ack = 1, .urg = 0);
	EVENTS(t, "");
	talk_free(t);
}
END_TEST

START_TEST(ahead_of_a_gap)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	SAY(t, .flags = ACK | URG, .seq = 101, .ack = 1, .len = 10,
	    .urg = 10);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "U");
	ck_assert_uint_eq(t->mark, 110);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 111);
	EVENTS(t, "R");
	talk_read(t, 0, 110);
	talk_free(t);
}
END_TEST

START_TEST(outside_the_window_it_is_nothing)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	SAY(t, .flags = ACK | URG, .seq = 0x20000000, .ack = 1, .len = 10,
	    .urg = 10);
	EVENTS(t, "");
	world_forget(t->w);
	/* Nor after the peer's FIN: RFC 9293 3.10.7.4. */
	SAY(t, .flags = FIN | ACK, .seq = 1, .ack = 1);
	EVENTS(t, "F");
	SAY(t, .flags = ACK | URG, .seq = 2, .ack = 1, .urg = 10);
	EVENTS(t, "");
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

START_TEST(mark_with_fin)
{
	struct talk *t = talk_new();

	talk_open_active(t, NULL);
	SAY(t, .flags = FIN | ACK | URG, .seq = 1, .ack = 1, .len = 10,
	    .urg = 10);
	HEAR(t, .flags = ACK, .seq = 1, .ack = 12);
	EVENTS(t, "URF");
	ck_assert_uint_eq(t->mark, 10);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_urgent");
	TCase *tc = tcase_create("urgent");

	tcase_add_test(tc, pointer_is_behind_the_last_urgent_byte);
	tcase_add_test(tc, each_segment_before_it_has_the_flag);
	tcase_add_test(tc, not_held_by_cork_or_nagle);
	tcase_add_test(tc, a_mark_far_ahead);
	tcase_add_test(tc, told_through_a_closed_window);
	tcase_add_test(tc, nothing_to_be_urgent_about);
	tcase_add_test(tc, owner_is_told_and_bytes_stay_inline);
	tcase_add_test(tc, mark_moves_on);
	tcase_add_test(tc, pointer_of_a_segment_that_is_cut);
	tcase_add_test(tc, ahead_of_a_gap);
	tcase_add_test(tc, outside_the_window_it_is_nothing);
	tcase_add_test(tc, mark_with_fin);
	suite_add_tcase(s, tc);
	return talk_main(s);
}
