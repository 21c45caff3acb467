/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script_wire.c - segments as frames, and back.  They are built and taken apart
 * by hand, not by the code under test.
 */
#include <inttypes.h>
#include "script_priv.h"

/* ---- The peer sends ---- */

const uint8_t *sc_our_addr(const struct script *s)
{
	static const uint8_t v4[16] = { 10, 0, 2, 15 };
	static const uint8_t v6[16] = { 0xfe, 0xc0, [15] = 0x15 };

	return s->v6 ? v6 : v4;
}

static uint16_t sum_of(struct script *s, const uint8_t *src,
		       const uint8_t *dst, const uint8_t *p, size_t len)
{
	size_t i, alen = s->v6 ? 16 : 4;
	uint64_t sum = 6 + len;

	for (i = 0; i < alen; i += 2)
		sum += toe_get16(src + i) + toe_get16(dst + i);
	for (i = 0; i + 1 < len; i += 2)
		sum += toe_get16(p + i);
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint32_t put_options(struct script *s, struct seg *g, uint8_t *p)
{
	struct peer *q = s->p;
	uint32_t at = 0, i;

	if (g->mss != ANY) {
		p[at] = 2;
		p[at + 1] = 4;
		toe_put16(p + at + 2, (uint16_t)g->mss);
		at += 4;
	}
	if (g->ws != ANY) {
		toe_put32(p + at, 0x01030300 | (uint32_t)g->ws);
		at += 4;
	}
	if (g->flags & SYN && !(g->flags & RST))
		q->syn_ts = g->tsval != ANY;
	else if (q->syn_ts && q->our_syn_ts && g->tsval == ANY && !g->nots)
		g->tsval = g->tsecr = STAR;
	if (g->tsval != ANY) {
		uint32_t ms = (uint32_t)((s->w->now - s->start) / MS);

		if (g->tsval == STAR)
			g->tsval = q->clock + ms;
		else if (g->flags & SYN)
			q->clock = (uint32_t)g->tsval - ms;
		toe_put32(p + at, 0x0101080a);
		toe_put32(p + at + 4, (uint32_t)g->tsval);
		toe_put32(p + at + 8, g->tsecr == STAR ? q->tsecr :
			  q->ts_base + (uint32_t)g->tsecr);
		at += 12;
	}
	if (g->sackok) {
		toe_put32(p + at, 0x01010402);
		at += 4;
	}
	if (g->sacks) {
		toe_put32(p + at, 0x01010502 + 8 * g->sacks);
		at += 4;
		for (i = 0; i < 2 * g->sacks; i++, at += 4)
			toe_put32(p + at, q->adapter_iss +
				  g->sack[i / 2][i % 2]);
	}
	if (g->fo) {
		p[at++] = 34;
		p[at++] = (uint8_t)(2 + g->fo->len);
		memcpy(p + at, g->fo->data, g->fo->len);
		at += g->fo->len;
		while (at % 4)
			p[at++] = 1;
	}
	if (g->raw) {
		memcpy(p + at, g->raw->data, g->raw->len);
		at += g->raw->len;
		while (at % 4)
			p[at++] = 0;
	}
	if (at > 40)
		sc_wrong(s, "%u bytes of options", at);
	return at;
}

void sc_say(struct script *s, struct seg *g)
{
	static uint8_t p[70000], f[70100];
	const uint8_t *src = g->src ? g->src : s->p->addr;
	const uint8_t *dst = g->dst ? g->dst : sc_our_addr(s);
	struct peer *q = s->p;
	uint32_t hlen, i, tos;

	memset(p, 0, 80);
	toe_put16(p, q->port);
	toe_put16(p + 2, g->port != ANY ? (uint16_t)g->port : q->lport);
	toe_put32(p + 4, q->iss + g->seq);
	if (g->flags & ACK)
		toe_put32(p + 8, q->adapter_iss + (uint32_t)g->ack);
	p[13] = (uint8_t)g->flags;
	toe_put16(p + 14, g->win != ANY ? (uint16_t)g->win : q->wnd);
	toe_put16(p + 18, g->urg != ANY ? (uint16_t)g->urg : 0);
	hlen = 20 + put_options(s, g, p + 20);
	p[12] = (uint8_t)((g->hlen != ANY ? g->hlen : hlen / 4) << 4);
	p[12] |= g->rsvd != ANY ? (uint8_t)g->rsvd & 0xf : 0;
	for (i = 0; i < g->len; i++)
		p[hlen + i] = talk_pattern(g->seq - 1 + i +
					   !!(g->flags & SYN));
	toe_put16(p + 16, sum_of(s, src, dst, p, hlen + g->len));
	p[17] ^= g->badsum;
	sc_trace(s, "<", g);
	tos = (g->tos != ANY ? (uint32_t)g->tos & ~3u : 0) |
	      (g->ecn != ANY ? (uint32_t)g->ecn : 0);
	if (s->v6) {
		size_t n = world6_make(f, src, dst, 6, 64, p, hlen + g->len);

		f[14] |= (uint8_t)(tos >> 4);
		f[15] |= (uint8_t)(tos << 4);
		world_in(s->w, f, n);
	} else {
		size_t n = world_make_ip(f, src, dst, 6, p, hlen + g->len);

		f[15] = (uint8_t)tos;
		toe_put16(f + 24, 0);
		toe_csum_store(f + 24, toe_csum(f + 14, 20, 0));
		world_in(s->w, f, n);
	}
}

/* ---- The adapter has sent ---- */

static void get_options(struct script *s, struct seg *g, const uint8_t *p,
			uint32_t hlen)
{
	struct peer *q = s->p;
	uint32_t i = 20, k;

	while (i < hlen && p[i]) {
		uint32_t olen = p[i] == 1 ? 1 : p[i + 1];
		const uint8_t *o = p + i + 2;

		if (p[i] != 1 && (i + 1 >= hlen || olen < 2 ||
				  i + olen > hlen))
			sc_wrong(s, "the adapter sent malformed options");
		switch (p[i]) {
		case 1:
			break;
		case 2:
			g->mss = toe_get16(o);
			break;
		case 3:
			g->ws = o[0];
			break;
		case 4:
			g->sackok = true;
			break;
		case 5:
			g->sacks = (olen - 2) / 8;
			for (k = 0; k < 2 * g->sacks; k++)
				g->sack[k / 2][k % 2] =
					toe_get32(o + 4 * k) - q->iss;
			break;
		case 8:
			if (!q->ts_known)
				q->ts_base = toe_get32(o);
			q->ts_known = true;
			q->tsecr = toe_get32(o);
			g->tsval = (int32_t)(q->tsecr - q->ts_base);
			g->tsecr = toe_get32(o + 4);
			break;
		case 34:
			g->fo = g_byte_array_new();
			g_byte_array_append(g->fo, o, olen - 2);
			break;
		default:
			sc_wrong(s, "the adapter sent option %u", p[i]);
		}
		i += olen;
	}
	/* RFC 9293 3.1, MUST-69. */
	for (; i < hlen; i++)
		if (p[i])
			sc_wrong(s, "the options are not padded with zero");
}

/* The next segment; NULL: none. */
static struct seg *hear(struct script *s)
{
	struct peer *q = s->p;
	const uint8_t *p, *src, *dst;
	struct seg *g;
	uint32_t hlen;
	size_t len;

	world_run(s->w);
	if (!world_sent_count(s->w))
		return NULL;
	g = sc_seg_new();
	if (s->v6) {
		ToeWireIpv6 ip = world6_expect(s->w, 6);

		g->tos = ip.tos;
		g->ttl = ip.hops;
		src = ip.src;
		dst = ip.dst;
		p = ip.payload;
		len = ip.len;
	} else {
		ToeWireIpv4 ip = world_expect_ip(s->w, 6);

		g->tos = ip.tos;
		g->ttl = ip.ttl;
		src = ip.src;
		dst = ip.dst;
		p = ip.payload;
		len = ip.len;
	}
	hlen = len < 20 ? 0 : (p[12] >> 4) * 4u;
	if (hlen < 20 || hlen > len || sum_of(s, src, dst, p, len))
		sc_wrong(s, "the adapter sent a malformed segment, or checksum");
	g->ecn = g->tos & 3;
	g->sport = toe_get16(p);
	g->dport = toe_get16(p + 2);
	if (memcmp(src, sc_our_addr(s), s->v6 ? 16 : 4))
		sc_wrong(s, "the adapter sent something from another address");
	if (g->dport != q->port || memcmp(dst, q->addr, s->v6 ? 16 : 4))
		sc_wrong(s, "the adapter sent something to another peer, port %u",
		     g->dport);
	if (p[12] & 0xf)
		sc_wrong(s, "the adapter sets reserved bits");
	g->flags = p[13];
	if (g->flags & SYN && (!(g->flags & ACK) || !q->adapter_iss)) {
		q->adapter_iss = toe_get32(p + 4);
		q->lport = (uint16_t)g->sport;
		q->ts_known = false;
	}
	g->seq = toe_get32(p + 4) - q->adapter_iss;
	if (g->flags & ACK)
		g->ack = (int32_t)(toe_get32(p + 8) - q->iss);
	g->win = toe_get16(p + 14);
	g->urg = toe_get16(p + 18);
	get_options(s, g, p, hlen);
	if (g->flags & SYN)
		q->our_syn_ts = g->tsval != ANY;
	g->len = (uint32_t)len - hlen;
	memcpy(g->payload, p + hlen, g->len);
	sc_trace(s, ">", g);
	return g;
}

static void check_options(struct script *s, const struct seg *want,
			  const struct seg *got, bool *bad)
{
	bool ts = s->p->syn_ts && s->p->our_syn_ts && !(got->flags & RST);
	uint32_t i;

	if (want->any_options)
		return;
	*bad |= want->mss != got->mss || want->ws != got->ws ||
		want->sackok != got->sackok || want->sacks != got->sacks;
	if (got->flags & SYN)
		ts = want->tsval != ANY;
	*bad |= ts != (got->tsval != ANY);
	if (want->tsval != ANY && want->tsval != STAR)
		*bad |= want->tsval != got->tsval;
	if (want->tsecr != ANY && want->tsecr != STAR)
		*bad |= want->tsecr != got->tsecr;
	for (i = 0; i < want->sacks && i < got->sacks; i++)
		*bad |= want->sack[i][0] != got->sack[i][0] ||
			want->sack[i][1] != got->sack[i][1];
	*bad |= !!want->fo != !!got->fo;
	if (want->fo && got->fo && want->fo->len)
		*bad |= want->fo->len != got->fo->len ||
			memcmp(want->fo->data, got->fo->data, got->fo->len);
}

void sc_expect(struct script *s, const struct seg *want)
{
	struct seg *got = hear(s);
	uint32_t mask = want->flags & PSH || want->nopush ? 0xff : 0xff & ~PSH;
	char *wt = sc_seg_text(want), *gt;
	bool bad = false;
	uint32_t i;

	if (!got)
		sc_wrong(s, "not sent\n    want  %s\n    got   nothing", wt);
	gt = sc_seg_text(got);
	bad |= (got->flags & mask) != want->flags;
	bad |= got->seq != want->seq || got->len != want->len;
	bad |= want->ack != ANY && (int32_t)want->ack != (int32_t)got->ack;
	bad |= want->win != ANY && want->win != got->win;
	bad |= want->tos != ANY && want->tos != (got->tos & ~3);
	bad |= want->ttl != ANY && want->ttl != got->ttl;
	bad |= (want->ecn == ANY ? 0 : want->ecn) != got->ecn;
	bad |= (want->urg == ANY ? 0 : want->urg) !=
	       (got->flags & URG ? got->urg : 0);
	check_options(s, want, got, &bad);
	if (bad)
		sc_wrong(s, "another segment\n    want  %s\n    got   %s", wt, gt);
	for (i = 0; i < got->len; i++)
		if (got->payload[i] != talk_pattern(got->seq - 1 + i +
						    !!(got->flags & SYN)))
			sc_wrong(s, "byte %u of the segment is wrong", i);
	g_free(wt);
	g_free(gt);
	sc_seg_free(got);
}

void sc_silence(struct script *s, const char *when)
{
	struct seg *got = hear(s);

	if (got)
		sc_wrong(s, "sent %s\n    want  nothing\n    got   %s", when,
		     sc_seg_text(got));
}
