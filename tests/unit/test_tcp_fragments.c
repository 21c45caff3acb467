/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_fragments.c - a conversation whose every segment comes in IPv4
 * fragments, the last one first; and one with the operating system's TCP.
 */
#include "common_tcp.h"

static const uint32_t cuts[] = { 24, 552, 1480 };

START_TEST(conversation)
{
	struct talk *t = talk_new();
	uint32_t seq = 1, len;

	t->w->cut = cuts[_i];
	talk_listen(t, 1);
	SAY(t, .flags = SYN, .mss = 1460);
	HEAR(t, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	for (len = 2; len < 5000; len *= 3) {
		SAY(t, .flags = ACK | PSH, .seq = seq, .ack = 1, .len = len);
		talk_read(t, seq - 1, len);
		seq += len;
	}
	ck_assert_uint_ge(COUNTER(t, IP_REASSEMBLED), 1);
	ck_assert_uint_eq(COUNTER(t, IP_REASM_NOW), 0);
	ck_assert_uint_eq(COUNTER(t, IP_FRAGMENTS), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_BAD_CHECKSUM), 0);
	ck_assert_uint_eq(world_os_count(t->w), 0);
	/* A checksum over all of them is wrong. */
	SAY(t, .flags = ACK | PSH, .seq = seq, .ack = 1, .len = 4400,
	    .bad_checksum = 1);
	ck_assert_uint_eq(talk_unread(t), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_BAD_CHECKSUM), 1);
	talk_drop(t);
}
END_TEST

/* No listener there: its fragments, not one answer of ours. */
START_TEST(of_the_operating_system)
{
	struct talk *t = talk_new();

	t->w->cut = cuts[_i];
	talk_listen(t, 1);
	t->lport = LPORT + 1;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1, .len = 1600);
	SILENCE(t);
	ck_assert_uint_eq(world_os_count(t->w), 1620 / cuts[_i] + 1);
	ck_assert_uint_eq(COUNTER(t, IP_REASM_NOW), 0);
	world_forget(t->w);
	talk_drop(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_fragments");
	TCase *c = tcase_create("fragments");

	tcase_add_loop_test(c, conversation, 0, 3);
	tcase_add_loop_test(c, of_the_operating_system, 0, 3);
	suite_add_tcase(s, c);
	return talk_main(s);
}
