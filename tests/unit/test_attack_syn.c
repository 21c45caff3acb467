/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_attack_syn.c - a million SYNs from forged addresses, RFC 4987.
 *
 * Meanwhile a client that has no part in it connects, says something and is
 * answered, again and again, and what it agreed on with its SYN holds.  What
 * the adapter spends on the flood is bounded and printed.  Then ACKs are
 * forged as well.
 */
#include <inttypes.h>
#include <stdio.h>
#include "common_tcp.h"
#include "nop/tcp/tcp.h"

#define SYNS	1000000u
#define EVERY	2500u		/* of the flood, a step of the client */
#define BACKLOG	128u
#define BYTES	3000u

struct peaks {
	uint64_t ncbs, half_open, buflets;
	uint64_t syns, answers;
};

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint16_t sum(const uint8_t *p, size_t len, uint64_t s)
{
	size_t i;

	for (i = 0; i < len; i += 2)
		s += (uint32_t)p[i] << 8 | p[i + 1];
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

/* A segment with options as Linux has them, from an address nobody has. */
static size_t forge(uint8_t *f, uint32_t i, uint8_t flags)
{
	uint8_t *ip = f + 14, *tcp = ip + 20;
	uint32_t src = 0x0b000000u + i * 2654435761u % 0x50000000u;

	memset(f, 0, 14 + 20 + 40);
	memcpy(f, WORLD_MAC, 6);
	memcpy(f + 6, PEER_MAC, 6);
	put16(f + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, 60);
	ip[8] = 64;
	ip[9] = 6;
	put32(ip + 12, src);
	memcpy(ip + 16, WORLD_IP, 4);
	put16(ip + 10, sum(ip, 20, 0));
	put16(tcp, 1024 + i % 60000);
	put16(tcp + 2, LPORT);
	put32(tcp + 4, i * 7919u);
	put32(tcp + 8, flags & ACK ? i * 40503u : 0);
	tcp[12] = 10 << 4;
	tcp[13] = flags;
	put16(tcp + 14, 64240);
	memcpy(tcp + 20, "\x02\x04\x05\xb4\x04\x02\x08\x0a", 8);
	put32(tcp + 28, i);
	memcpy(tcp + 36, "\x01\x03\x03\x07", 4);
	put16(tcp + 16, sum(tcp, 40, 6 + 40 +
			    ((uint32_t)ip[12] << 8 | ip[13]) +
			    ((uint32_t)ip[14] << 8 | ip[15]) +
			    ((uint32_t)ip[16] << 8 | ip[17]) +
			    ((uint32_t)ip[18] << 8 | ip[19])));
	return 14 + 20 + 40;
}

static void measure(struct talk *t, struct peaks *p)
{
	p->ncbs = MAX(p->ncbs, COUNTER(t, TCP_NCBS));
	p->half_open = MAX(p->half_open, COUNTER(t, TCP_SYN_QUEUE));
	p->buflets = MAX(p->buflets, COUNTER(t, LMEM_BUFLETS) -
				     COUNTER(t, LMEM_BUFLETS_FREE));
}

/* n more of the flood; a turn now and then, as a busy adapter has them. */
static void flood(struct talk *t, struct peaks *p, uint32_t n, uint8_t flags)
{
	static uint8_t f[128];

	while (n--) {
		size_t len = forge(f, (uint32_t)p->syns++, flags);

		toe_nop_frame_in(t->w->n, f, len);
		if (p->syns % 32 == 0 || !n) {
			world_run(t->w);
			measure(t, p);
			p->answers += world_sent_count(t->w);
			world_forget(t->w);
			/* 320,000 a second. */
			t->w->now += 100000;
			if (p->syns % 32000 == 0)
				world_know_peer(t->w);
		}
	}
}

static struct talk *target(void)
{
	ToeNopConfig config = world_default_config();
	struct talk *t;

	config.connections = 4096;
	t = talk_new_config(&config, 16u << 20);
	talk_listen(t, BACKLOG);
	return t;
}

static void report(const char *what, struct talk *t, const struct peaks *p,
		   unsigned clients)
{
	ToeTcp *tcp = t->w->n->tcp;

	printf("%s: %" PRIu64 " segments, %" PRIu64 " answers, %u clients served; "
	       "peak: NCBs %" PRIu64 " of %u, half-open %" PRIu64 " of %u (%zu "
	       "bytes each), buflets %" PRIu64 "; cookies sent %" PRIu64
	       ", good %" PRIu64 ", bad %" PRIu64 "\n", what, p->syns, p->answers,
	       clients, p->ncbs, tcp->size, p->half_open, tcp->synq.size,
	       sizeof(ToeSynReq), p->buflets, COUNTER(t, TCP_COOKIES_SENT),
	       COUNTER(t, TCP_COOKIES_OK), COUNTER(t, TCP_COOKIES_BAD));
	fflush(stdout);
}

/* One client's whole life, with the flood between its steps. */
static void client(struct talk *t, struct peaks *p, unsigned i, uint32_t each,
		   uint8_t flags)
{
	uint32_t at;

	t->rport = (uint16_t)(2000 + i);
	t->peer_iss = 0x70000000u + i * 1000003u;
	t->ts = false;
	SAY(t, .flags = SYN, .mss = 1460, .wscale = 7 + 1, .ts = true,
	    .sackok = true);
	HEAR(t, .flags = SYN | ACK, .ack = 1);
	t->ts = true;
	flood(t, p, each, flags);
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	ck_assert_uint_eq(talk_info(t, t->h).mss, 1448);
	ck_assert_uint_eq(talk_info(t, t->h).snd_wnd, 65535u << 7);
	toe_stream_accepted(t->w->n, t->h);
	flood(t, p, each, flags);
	for (at = 0; at < BYTES; at += 1000)
		SAY(t, .flags = ACK | PSH, .seq = 1 + at, .ack = 1,
		    .len = 1000);
	measure(t, p);
	talk_read(t, 0, BYTES);
	EVENTS(t, "RRR");
	while (talk_any(t))
		;
	talk_send(t, 0, 1000);
	HEAR(t, .flags = ACK | PSH, .seq = 1, .ack = 1 + BYTES, .len = 1000);
	flood(t, p, each, flags);
	SAY(t, .flags = FIN | ACK, .seq = 1 + BYTES, .ack = 1001);
	HEAR(t, .flags = ACK, .seq = 1001, .ack = 2 + BYTES);
	EVENTS(t, "F");
	flood(t, p, each, flags);
	talk_close(t);
	HEAR(t, .flags = FIN | ACK, .seq = 1001, .ack = 2 + BYTES);
	SAY(t, .flags = ACK, .seq = 2 + BYTES, .ack = 1002);
	SILENCE(t);
}

START_TEST(syns)
{
	struct talk *t = target();
	struct peaks p = { 0 };
	unsigned i, clients = SYNS / (4 * EVERY);

	flood(t, &p, 1000, SYN);
	for (i = 0; i < clients; i++)
		client(t, &p, i, EVERY, SYN);
	report("SYN flood", t, &p, clients);
	ck_assert_uint_ge(p.syns, SYNS);
	/* The listener, one client at a time, and nobody else. */
	ck_assert_uint_le(p.ncbs, 2);
	ck_assert_uint_le(p.half_open, BACKLOG + 1);
	ck_assert_uint_le(p.buflets, 3 * (1 + 1000 / TOE_BUFLET_SIZE));
	/* Each SYN gets one answer; the queue's are resent a few times. */
	ck_assert_uint_le(p.answers, p.syns + p.syns / 100);
	ck_assert_uint_ge(p.answers, p.syns / 2);
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 1);
	talk_drop(t);
}
END_TEST

START_TEST(syns_without_cookies)
{
	struct talk *t = target();
	struct peaks p = { 0 };

	/* Nobody gets in, but it costs no more, and it ends with the flood. */
	ck_assert_uint_eq(toe_nop_param_set(t->w->n, TOE_PARAM_SYN_COOKIES,
					    TOE_SYN_COOKIES_OFF), TOE_ST_OK);
	flood(t, &p, 100000, SYN);
	report("SYN flood, no cookies", t, &p, 0);
	ck_assert_uint_le(p.ncbs, 1);
	ck_assert_uint_le(p.half_open, BACKLOG + 1);
	ck_assert_uint_le(p.answers, 2000);
	talk_wait(t, 64 * SEC);
	world_forget(t->w);
	ck_assert_uint_eq(COUNTER(t, TCP_SYN_QUEUE), 0);
	client(t, &p, 0, 0, SYN);
	talk_drop(t);
}
END_TEST

START_TEST(acks)
{
	struct talk *t = target();
	struct peaks p = { 0 };
	unsigned i;

	/* A few SYNs, so that cookies are looked at; then forged ones. */
	flood(t, &p, 2 * BACKLOG, SYN);
	for (i = 0; i < 10; i++)
		client(t, &p, i, 2500, ACK);
	report("ACK flood", t, &p, i);
	ck_assert_uint_le(p.ncbs, 2);
	ck_assert_uint_eq(COUNTER(t, TCP_COOKIES_OK), 10);
	ck_assert_uint_ge(COUNTER(t, TCP_COOKIES_BAD), 100000);
	talk_drop(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("attack_syn");
	TCase *c = tcase_create("attack");

	tcase_set_timeout(c, 600);
	tcase_add_test(c, syns);
	tcase_add_test(c, syns_without_cookies);
	tcase_add_test(c, acks);
	suite_add_tcase(s, c);
	return talk_main(s);
}
