/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * common_tcp.c - see common_tcp.h.
 *
 * Loops over bytes do not use ck_assert: each one writes to check's log.
 */
#include <stdlib.h>
#include "common_tcp.h"

#define RAM_SIZE	(4u << 20)

static GHashTable *talks;	/* struct world -> struct talk */

static struct talk *of(void *opaque)
{
	return g_hash_table_lookup(talks, opaque);
}

/* ---- Events ---- */

static void established(void *opaque, uint32_t handle)
{
	struct talk *t = of(opaque);

	if (!t->many)
		ck_assert_uint_eq(handle, t->h);
	g_string_append_c(t->log, 'E');
}

static void incoming(void *opaque, uint32_t listener, uint32_t handle)
{
	struct talk *t = of(opaque);

	ck_assert_uint_eq(listener, t->listener);
	t->h = handle;
	g_string_append_c(t->log, 'I');
	if (t->on_incoming)
		t->on_incoming(t, handle);
}

static void readable(void *opaque, uint32_t handle, bool push)
{
	struct talk *t = of(opaque);

	g_string_append_c(t->log, push ? 'R' : 'r');
	if (t->on_readable)
		t->on_readable(t, handle);
}

static void writable(void *opaque, uint32_t handle)
{
	struct talk *t = of(opaque);

	g_string_append_c(t->log, 'W');
	if (t->on_writable)
		t->on_writable(t, handle);
}

static void urgent(void *opaque, uint32_t handle, uint64_t mark)
{
	struct talk *t = of(opaque);

	(void)handle;
	t->mark = mark;
	g_string_append_c(t->log, 'U');
}

static void peer_closed(void *opaque, uint32_t handle)
{
	struct talk *t = of(opaque);

	g_string_append_c(t->log, 'F');
	if (t->on_peer_closed)
		t->on_peer_closed(t, handle);
}

static void closed(void *opaque, uint32_t handle, uint8_t status)
{
	struct talk *t = of(opaque);

	t->status = status;
	g_string_append_c(t->log, 'C');
	if (t->close_on_closed)
		toe_stream_close(t->w->n, handle);
}

static const ToeStreamOps ops = {
	.established = established,
	.incoming = incoming,
	.readable = readable,
	.writable = writable,
	.urgent = urgent,
	.peer_closed = peer_closed,
	.closed = closed,
};

/* ---- Life ---- */

struct talk *talk_new_config(const ToeNopConfig *config, size_t ram)
{
	struct talk *t = g_new0(struct talk, 1);

	if (!talks)
		talks = g_hash_table_new(NULL, NULL);
	t->w = world_new_config(config, ram, &ops);
	t->w->peer_answers = true;
	g_hash_table_insert(talks, t->w, t);
	t->log = g_string_new("");
	t->peer_iss = 0x10000000;
	t->lport = LPORT;
	t->rport = RPORT;
	t->wnd = 65535;
	t->tsval = 1000;
	world_know_peer(t->w);
	/* Time stands while a test talks; test_tcp_pacing turns it on. */
	toe_nop_param_set(t->w->n, TOE_PARAM_PACING, 0);
	return t;
}

struct talk *talk_new(void)
{
	ToeNopConfig config = world_default_config();

	return talk_new_config(&config, RAM_SIZE);
}

void talk_drop(struct talk *t)
{
	/* A reset must give back every buflet and every NCB. */
	toe_nop_reset(t->w->n);
	ck_assert_uint_eq(toe_lmem_avail(t->w->lm, TOE_LMEM_IN),
			  toe_lmem_total(t->w->lm));
	ck_assert_uint_eq(COUNTER(t, TCP_NCBS), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_ORPHANS), 0);
	ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 0);
	g_hash_table_remove(talks, t->w);
	if (!g_hash_table_size(talks)) {
		g_hash_table_destroy(talks);
		talks = NULL;
	}
	world_free(t->w);
	g_string_free(t->log, TRUE);
	g_free(t);
}

void talk_free(struct talk *t)
{
	SILENCE(t);
	EVENTS(t, "");
	talk_drop(t);
}

/* ---- Segments ---- */

uint8_t talk_pattern(uint32_t off)
{
	return (uint8_t)((off * 2654435761u) >> 13);
}

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

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

/* RFC 1071, the slow and obvious way. */
static uint16_t checksum(const uint8_t *src, const uint8_t *dst,
			 const uint8_t *p, size_t len)
{
	uint64_t sum = 6 + len;
	size_t i;

	for (i = 0; i < 4; i += 2)
		sum += get16(src + i) + get16(dst + i);
	for (i = 0; i + 1 < len; i += 2)
		sum += get16(p + i);
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void talk_say_quietly(struct talk *t, const struct talk_seg *s)
{
	static uint8_t p[65536];
	uint32_t hlen = 20, i;

	memset(p, 0, 60);
	put16(p, t->rport);
	put16(p + 2, t->lport);
	put32(p + 4, t->peer_iss + s->seq);
	if (s->flags & ACK)
		put32(p + 8, t->iss + s->ack);
	p[13] = s->flags;
	put16(p + 14, s->wnd ? (uint32_t)s->wnd - 1 : t->wnd);
	put16(p + 18, s->urg);
	if (s->mss) {
		p[hlen] = 2;
		p[hlen + 1] = 4;
		put16(p + hlen + 2, s->mss);
		hlen += 4;
	}
	if (s->wscale) {
		p[hlen] = 3;
		p[hlen + 1] = 3;
		p[hlen + 2] = (uint8_t)(s->wscale - 1);
		p[hlen + 3] = 1;
		hlen += 4;
	}
	if (s->ts || t->ts) {
		p[hlen] = 1;
		p[hlen + 1] = 1;
		p[hlen + 2] = 8;
		p[hlen + 3] = 10;
		put32(p + hlen + 4, s->tsval ? s->tsval : t->tsval);
		put32(p + hlen + 8, s->tsecr ? s->tsecr : t->tsecr);
		hlen += 12;
	}
	if (s->sackok) {
		put32(p + hlen, 0x01010402);
		hlen += 4;
	}
	if (s->uto) {
		p[hlen] = 28;
		p[hlen + 1] = 4;
		put16(p + hlen + 2, s->uto);
		hlen += 4;
	}
	if (s->sacks) {
		put16(p + hlen, 0x0101);
		p[hlen + 2] = 5;
		p[hlen + 3] = (uint8_t)(2 + 8 * s->sacks);
		hlen += 4;
		for (i = 0; i < s->sacks; i++, hlen += 8) {
			put32(p + hlen, t->iss + s->sack[i][0]);
			put32(p + hlen + 4, t->iss + s->sack[i][1]);
		}
	}
	if (s->fo) {
		for (; (hlen + 1u + (uint32_t)s->fo) & 3; hlen++)
			p[hlen] = 1;
		p[hlen] = 34;
		p[hlen + 1] = (uint8_t)(s->fo + 1);
		memcpy(p + hlen + 2, s->cookie, (size_t)s->fo - 1);
		hlen += (uint32_t)s->fo + 1;
	}
	p[12] = (uint8_t)(hlen / 4 << 4);
	if (s->hlen)
		p[12] = (uint8_t)(s->hlen << 4);
	for (i = 0; i < s->len; i++)
		p[hlen + i] = s->data ? ((const uint8_t *)s->data)[i]
				      : talk_pattern(s->seq - 1 + i);
	put16(p + 16, checksum(PEER_IP, WORLD_IP, p, hlen + s->len));
	p[17] ^= (uint8_t)s->bad_checksum;
	t->w->tos = s->tos;
	world_in_ip(t->w, PEER_IP, WORLD_IP, 6, p, hlen + s->len);
	t->w->tos = 0;
}

void talk_say(struct talk *t, const struct talk_seg *s)
{
	talk_say_quietly(t, s);
	world_run(t->w);
}

const struct talk_seg *talk_any(struct talk *t)
{
	static struct talk_seg s;
	uint32_t hlen, i;
	const uint8_t *p;
	ToeWireIpv4 ip;

	world_run(t->w);
	if (!world_sent_count(t->w))
		return NULL;
	ip = world_expect_ip(t->w, 6);
	p = ip.payload;
	ck_assert_uint_ge(ip.len, 20);
	hlen = (p[12] >> 4) * 4u;
	ck_assert_uint_ge(hlen, 20);
	ck_assert_uint_le(hlen, ip.len);
	ck_assert_uint_eq(checksum(WORLD_IP, PEER_IP, p, ip.len), 0);
	memset(&s, 0, offsetof(struct talk_seg, payload));
	s.sport = (uint16_t)get16(p);
	s.dport = (uint16_t)get16(p + 2);
	s.flags = p[13];
	s.urg = (uint16_t)get16(p + 18);
	s.ttl = ip.ttl;
	s.tos = ip.tos;
	if (s.flags & SYN) {
		t->iss = get32(p + 4);
		t->lport = s.sport;
	}
	s.seq = get32(p + 4) - t->iss;
	s.ack = s.flags & ACK ? get32(p + 8) - t->peer_iss : 0;
	s.window = get16(p + 14);
	for (i = 20; i < hlen && p[i];) {
		if (p[i] == 1) {
			i++;
			continue;
		}
		ck_assert_uint_lt(i + 1, hlen);
		ck_assert_uint_ge(p[i + 1], 2);
		ck_assert_uint_le(i + p[i + 1], hlen);
		if (p[i] == 2)
			s.mss = (uint16_t)get16(p + i + 2);
		if (p[i] == 3)
			s.wscale = p[i + 2] + 1;
		if (p[i] == 4)
			s.sackok = true;
		if (p[i] == 5) {
			uint32_t k;

			s.sacks = (uint8_t)((p[i + 1] - 2) / 8);
			ck_assert_uint_eq(p[i + 1], 2 + 8u * s.sacks);
			ck_assert_uint_le(s.sacks, 4);
			for (k = 0; k < 2u * s.sacks; k++)
				s.sack[k / 2][k % 2] = get32(p + i + 2 + 4 * k)
						       - t->peer_iss;
		}
		if (p[i] == 28)
			s.uto = (uint16_t)get16(p + i + 2);
		if (p[i] == 34) {
			s.fo = p[i + 1] - 1;
			ck_assert_uint_le(p[i + 1], 18);
			memcpy(s.cookie, p + i + 2, p[i + 1] - 2u);
		}
		if (p[i] == 8) {
			s.ts = true;
			s.tsval = get32(p + i + 2);
			s.tsecr = get32(p + i + 6);
			t->tsecr = s.tsval;
		}
		i += p[i + 1];
	}
	s.len = (uint32_t)ip.len - hlen;
	memcpy(s.payload, p + hlen, s.len);
	return &s;
}

static const char *flags_text(uint8_t flags)
{
	static char text[2][16];
	static int turn;
	char *p = text[turn ^= 1];
	unsigned i;

	memset(text[turn], 0, sizeof(text[turn]));
	for (i = 0; i < 8; i++)
		if (flags & 1u << i)
			*p++ = "FSRPAUEC"[i];
	return text[turn];
}

const struct talk_seg *talk_hear(struct talk *t, const struct talk_seg *want,
				 const char *file, int line)
{
	const struct talk_seg *s = talk_any(t);
	uint8_t mask = want->flags & PSH ? 0xff : (uint8_t)~PSH;
	uint32_t i;

	ck_assert_msg(s, "%s:%d: nothing sent, want %s seq %u ack %u len %u",
		      file, line, flags_text(want->flags), want->seq,
		      want->ack, want->len);
	ck_assert_msg((s->flags & mask) == want->flags &&
		      s->seq == want->seq && s->ack == want->ack &&
		      s->len == want->len,
		      "%s:%d: sent %s seq %u ack %u len %u, "
		      "want %s seq %u ack %u len %u", file, line,
		      flags_text(s->flags), s->seq, s->ack, s->len,
		      flags_text(want->flags), want->seq, want->ack,
		      want->len);
	for (i = 0; i < s->len; i++)
		if (s->payload[i] != talk_pattern(s->seq - !(s->flags & SYN) +
						  i))
			ck_abort_msg("%s:%d: byte %u of the segment is wrong",
				     file, line, i);
	return s;
}

void talk_silence(struct talk *t, const char *file, int line)
{
	const struct talk_seg *s = talk_any(t);

	ck_assert_msg(!s, "%s:%d: sent %s seq %u ack %u len %u, want nothing",
		      file, line, s ? flags_text(s->flags) : "",
		      s ? s->seq : 0, s ? s->ack : 0, s ? s->len : 0);
}

/* ---- The host side ---- */

void talk_events_are(struct talk *t, const char *want, const char *file,
		     int line)
{
	world_run(t->w);
	ck_assert_msg(!strcmp(t->log->str, want),
		      "%s:%d: events '%s', want '%s'", file, line, t->log->str,
		      want);
	g_string_truncate(t->log, 0);
}

void talk_listen(struct talk *t, uint32_t backlog)
{
	ToeTuple q = { .family = TOE_AF_INET, .lport = LPORT };

	ck_assert_uint_eq(toe_stream_listen(t->w->n, &q, backlog,
					    &t->listener), TOE_ST_OK);
}

void talk_connect(struct talk *t)
{
	ToeTuple q = { .family = TOE_AF_INET, .rport = RPORT };

	memcpy(q.raddr, PEER_IP, 16);
	ck_assert_uint_eq(toe_stream_connect(t->w->n, &q, &t->h), TOE_ST_OK);
	ck_assert_mem_eq(q.laddr, WORLD_IP, 16);
	ck_assert_uint_ne(q.lport, 0);
}

void talk_send_more(struct talk *t, uint32_t off, uint32_t len, bool more)
{
	ToeChain c = toe_chain_init();
	uint8_t *data = g_malloc(len);
	uint32_t i;

	for (i = 0; i < len; i++)
		data[i] = talk_pattern(off + i);
	ck_assert_uint_le(len, toe_stream_send_space(t->w->n, t->h));
	ck_assert(toe_chain_append(t->w->lm, &c, data, len, TOE_LMEM_OUT));
	toe_stream_send(t->w->n, t->h, &c, more);
	ck_assert_uint_eq(c.len, 0);
	g_free(data);
}

void talk_send(struct talk *t, uint32_t off, uint32_t len)
{
	talk_send_more(t, off, len, false);
}

uint32_t talk_unread(struct talk *t)
{
	return toe_stream_rx(t->w->n, t->h)->len;
}

void talk_read(struct talk *t, uint32_t off, uint32_t len)
{
	uint8_t *data = g_malloc(len + 1);
	uint32_t i;

	ck_assert_uint_ge(talk_unread(t), len);
	toe_chain_copy_out(t->w->lm, toe_stream_rx(t->w->n, t->h), 0, data,
			   len, NULL);
	for (i = 0; i < len; i++)
		if (data[i] != talk_pattern(off + i))
			ck_abort_msg("byte %u of the stream is wrong",
				     off + i);
	toe_stream_rx_consumed(t->w->n, t->h, len);
	g_free(data);
}

struct toe_hw_conn_info talk_info(struct talk *t, uint32_t handle)
{
	struct toe_hw_conn_info info = { .state = TOE_TCP_CLOSED };
	uint32_t index = 0;

	while (toe_stream_info(t->w->n, &index, &info))
		if (info.handle == handle)
			return info;
	memset(&info, 0, sizeof(info));
	return info;
}

uint8_t talk_state(struct talk *t, uint32_t handle)
{
	return talk_info(t, handle).state;
}

void talk_close(struct talk *t)
{
	toe_stream_close(t->w->n, t->h);
}

void talk_abort(struct talk *t)
{
	toe_stream_abort(t->w->n, t->h);
}

void talk_shutdown(struct talk *t)
{
	ck_assert_uint_eq(toe_stream_shutdown(t->w->n, t->h), TOE_ST_OK);
}

void talk_setopt(struct talk *t, uint32_t option, uint64_t value)
{
	ck_assert_uint_eq(toe_stream_setopt(t->w->n, t->h, option, value),
			  TOE_ST_OK);
}

void talk_open_active(struct talk *t, const struct talk_seg *syn)
{
	struct talk_seg s = syn ? *syn : (struct talk_seg){ .mss = 1460 };

	talk_connect(t);
	HEAR(t, .flags = SYN);
	s.flags = SYN | ACK;
	s.ack = 1;
	talk_say(t, &s);
	t->ts = s.ts;
	HEAR(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "E");
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_ESTABLISHED);
}

void talk_open_passive(struct talk *t, const struct talk_seg *syn)
{
	struct talk_seg s = syn ? *syn : (struct talk_seg){ .mss = 1460 };

	if (!t->listener)
		talk_listen(t, 16);
	s.flags = SYN;
	talk_say(t, &s);
	HEAR(t, .flags = SYN | ACK, .seq = 0, .ack = 1);
	t->ts = s.ts;
	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
	EVENTS(t, "I");
	toe_stream_accepted(t->w->n, t->h);
	ck_assert_uint_eq(talk_state(t, t->h), TOE_TCP_ESTABLISHED);
	SILENCE(t);
}

void talk_wait(struct talk *t, int64_t ns)
{
	while (ns > 0) {
		int64_t step = MIN(ns, 5 * SEC);

		world_know_peer(t->w);
		world_advance(t->w, step);
		ns -= step;
	}
}

void talk_warm_up(struct talk *t, uint32_t *seq)
{
	unsigned i;

	for (i = 0; i < 8; i++) {
		SAY(t, .flags = ACK, .seq = *seq, .ack = 1, .len = 1000);
		HEAR(t, .flags = ACK, .seq = 1, .ack = *seq + 1000);
		talk_read(t, *seq - 1, 1000);
		*seq += 1000;
	}
	world_forget(t->w);
	g_string_truncate(t->log, 0);
}

int talk_main(Suite *s)
{
	SRunner *r = srunner_create(s);
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
