// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * net.c - see net.h.  Formats are written out by hand here: nothing of the
 * code under test.
 */
#include "net.h"

#define ETH		14u
#define PROTO_ICMP	1u
#define PROTO_TCP	6u
#define PROTO_IGMP	2u
#define PROTO_UDP	17u
#define PROTO_ICMP6	58u

#define FIN	0x01
#define SYN	0x02
#define RST	0x04
#define ACK	0x10

static const uint8_t addrs4[NET_ADDRS][16] = {
	{ 10, 0, 2, 15 }, { 10, 0, 2, 2 }, { 192, 0, 2, 1 }, { 10, 0, 2, 99 },
	{ 10, 0, 2, 255 }, { 224, 0, 0, 1 }, { 255, 255, 255, 255 },
	{ 0, 0, 0, 0 },
};

static const uint8_t addrs6[NET_ADDRS][16] = {
	{ 0xfd, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0x15 },
	{ 0xfd, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2 },
	{ 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
	{ 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 },
	{ 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
	{ 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0x15 },
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 2, 15 },
	{ 0 },
};

static const uint8_t peer_mac[6] = { 0x52, 0x55, 0x0a, 0, 2, 2 };

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

const uint8_t *net_addr(uint8_t family, unsigned i)
{
	return family == 4 ? addrs4[i % NET_ADDRS] : addrs6[i % NET_ADDRS];
}

void net_init(struct net *n, const uint8_t *mac)
{
	n->mac = mac;
	memset(n->flows, 0, sizeof(n->flows));
	n->next_flow = 0;
	n->last_len = 0;
	n->len = 0;
}

/* ---- Lengths and checksums ---- */

static uint64_t sum(const uint8_t *p, size_t len)
{
	uint64_t s = 0;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		s += get16(p + i);
	if (len & 1)
		s += (uint32_t)p[len - 1] << 8;
	return s;
}

static uint16_t fold(uint64_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

/* The payload of an IP packet; addrs: source and destination, alen each. */
static void fix_payload(const uint8_t *addrs, size_t alen, unsigned int proto,
			uint8_t *p, size_t len)
{
	uint64_t s = proto == PROTO_ICMP || proto == PROTO_IGMP ? 0 :
		     sum(addrs, 2 * alen) + proto + len;
	size_t at = proto == PROTO_TCP ? 16 : proto == PROTO_UDP ? 6 :
		    proto == PROTO_ICMP || proto == PROTO_ICMP6 ||
		    proto == PROTO_IGMP ? 2 : SIZE_MAX;

	if (at == SIZE_MAX || len < at + 2)
		return;
	if (proto == PROTO_UDP)
		put16(p + 4, (uint32_t)len);
	put16(p + at, 0);
	put16(p + at, fold(s + sum(p, len)));
}

static void fix_ipv4(uint8_t *p, size_t len)
{
	size_t hlen = (p[0] & 15) * 4u;

	if (hlen < 20 || hlen > len)
		return;
	put16(p + 2, (uint32_t)(len < 65535 ? len : 65535));
	put16(p + 10, 0);
	put16(p + 10, fold(sum(p, hlen)));
	if (!(get16(p + 6) & 0x3fff))
		fix_payload(p + 12, 4, p[9], p + hlen, len - hlen);
}

static void fix_ipv6(uint8_t *p, size_t len)
{
	unsigned int next = p[6], i;
	size_t at = 40;

	put16(p + 4, (uint32_t)(len - 40 < 65535 ? len - 40 : 65535));
	for (i = 0; i < 8 && (next == 0 || next == 43 || next == 60); i++) {
		if (at + 8 > len)
			return;
		next = p[at];
		at += 8u + p[at + 1] * 8u;
	}
	if (at < len)
		fix_payload(p + 8, 16, next, p + at, len - at);
}

/* Where the packet begins; *type: of what it is. */
static size_t packet_at(const uint8_t *frame, size_t len, uint32_t *type)
{
	size_t at = ETH;

	*type = len >= ETH ? get16(frame + 12) : 0;
	while ((*type == 0x8100 || *type == 0x88a8) && len >= at + 4) {
		*type = get16(frame + at + 2);
		at += 4;
	}
	return at;
}

void net_fix(uint8_t *frame, size_t len)
{
	uint32_t type;
	size_t at = packet_at(frame, len, &type);

	if (type == 0x0800 && len >= at + 20)
		fix_ipv4(frame + at, len - at);
	else if (type == 0x86dd && len >= at + 40)
		fix_ipv6(frame + at, len - at);
}

/* ---- What is heard ---- */

static struct flow *find_flow(struct net *n, const struct flow *f)
{
	unsigned int i;

	for (i = 0; i < NET_FLOWS; i++) {
		struct flow *g = &n->flows[i];

		if (g->family == f->family && g->lport == f->lport &&
		    g->rport == f->rport && !memcmp(g->ours, f->ours, 16) &&
		    !memcmp(g->theirs, f->theirs, 16))
			return g;
	}
	return NULL;
}

static struct flow *new_flow(struct net *n)
{
	return &n->flows[n->next_flow++ % NET_FLOWS];
}

/* Addresses and the TCP segment of a frame; NULL: it is none. */
static const uint8_t *segment_of(const uint8_t *frame, size_t len,
				 struct flow *f, size_t *seg_len)
{
	uint32_t type;
	size_t at = packet_at(frame, len, &type), hlen, plen;
	const uint8_t *p = frame + at;

	memset(f, 0, sizeof(*f));
	if (type == 0x0800 && len >= at + 20 && p[9] == PROTO_TCP) {
		hlen = (p[0] & 15) * 4u;
		plen = get16(p + 2);
		f->family = 4;
		memcpy(f->ours, p + 12, 4);
		memcpy(f->theirs, p + 16, 4);
	} else if (type == 0x86dd && len >= at + 40 && p[6] == PROTO_TCP) {
		hlen = 40;
		plen = 40 + get16(p + 4);
		f->family = 6;
		memcpy(f->ours, p + 8, 16);
		memcpy(f->theirs, p + 24, 16);
	} else {
		return NULL;
	}
	if (plen < hlen + 20 || at + hlen + 20 > len)
		return NULL;
	p += hlen;
	f->lport = (uint16_t)get16(p);
	f->rport = (uint16_t)get16(p + 2);
	*seg_len = plen - hlen;		/* what it says, frame may be cut */
	return p;
}

void net_sent(struct net *n, const uint8_t *frame, size_t len)
{
	struct flow heard, *f;
	size_t seg_len, hlen;
	const uint8_t *p;
	uint32_t end;

	n->last_len = len < sizeof(n->last) ? len : sizeof(n->last);
	memcpy(n->last, frame, n->last_len);
	p = segment_of(frame, len, &heard, &seg_len);
	if (!p)
		return;
	f = find_flow(n, &heard);
	if (!f) {
		f = new_flow(n);
		*f = heard;
		f->seq = 0x10000000;
		f->ack = get32(p + 4);
	}
	hlen = (p[12] >> 4) * 4u;
	end = get32(p + 4) + (uint32_t)(seg_len - (hlen < seg_len ? hlen
								  : seg_len));
	end += !!(p[13] & SYN) + !!(p[13] & FIN);
	if ((p[13] & SYN) || (int32_t)(end - f->ack) > 0)
		f->ack = end;
	if (p[13] & ACK)
		f->seq = get32(p + 8);
	if (hlen >= 32 && p[20] == 1 && p[21] == 1 && p[22] == 8)
		f->tsval = get32(p + 24);
}

/* ---- Frames ---- */

static size_t make_eth(struct net *n, uint8_t how, uint32_t type)
{
	static const uint8_t groups[4][6] = {
		{ 0 },					/* the adapter's */
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x33, 0x33, 0xff, 0, 0, 0x15 },
		{ 0x52, 0x55, 1, 2, 3, 4 },
	};
	uint8_t *f = n->frame;
	size_t at = ETH;

	memcpy(f, how & 3 ? groups[how & 3] : n->mac, 6);
	memcpy(f + 6, how & 4 ? n->mac : peer_mac, 6);
	if (how & 8) {
		put16(f + 12, 0x8100);
		put16(f + 14, how);
		at += 4;
	}
	put16(f + at - 2, type);
	return at;
}

/* An IP header for len bytes behind it; returns where they go. */
static size_t make_ip(struct net *n, uint8_t how, uint8_t family,
		      const uint8_t *src, const uint8_t *dst,
		      unsigned int proto, struct input *in)
{
	size_t at = make_eth(n, how & 0x0f, family == 4 ? 0x0800 : 0x86dd);
	uint8_t *p = n->frame + at;
	size_t opt = 0;

	if (family == 4) {
		if (how & 0x10)
			opt = 4u * (1u + in_8(in) % 10u);
		memset(p, 0, 20);
		p[0] = (uint8_t)(0x45 + opt / 4);
		p[6] = 0x40;
		p[8] = 64;
		p[9] = (uint8_t)proto;
		memcpy(p + 12, src, 4);
		memcpy(p + 16, dst, 4);
		if (opt)
			in_copy(in, p + 20, opt);
		return at + 20 + opt;
	}
	memset(p, 0, 40);
	p[0] = 0x60;
	p[6] = (uint8_t)proto;
	p[7] = 255;
	memcpy(p + 8, src, 16);
	memcpy(p + 24, dst, 16);
	if (how & 0x10) {		/* one extension header */
		p[6] = (uint8_t)(how & 0x20 ? 60 : 0);
		in_copy(in, p + 40, 8);
		p[40] = (uint8_t)proto;
		p[41] = 0;
		opt = 8;
	}
	return at + 40 + opt;
}

static uint8_t family_of(uint8_t how)
{
	return how & 0x80 ? 6 : 4;
}

static void fill(uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7);
}

/*
 * Options that a SYN or a segment carries: some that make sense by a bit
 * each, and up to 12 bytes of anything.
 */
static size_t make_options(uint8_t *p, const struct flow *f, struct input *in)
{
	uint8_t what = in_8(in);
	size_t len = 0, raw = what >> 4 > 12 ? 12 : what >> 4;

	if (what & 1) {
		put16(p + len, 0x0204);
		put16(p + len + 2, in_16(in));
		len += 4;
	}
	if (what & 2) {
		put32(p + len, 0x01030300u | in_8(in));
		len += 4;
	}
	if (what & 4) {
		put32(p + len, 0x0101080a);
		put32(p + len + 4, 1000u + in_16(in));
		put32(p + len + 8, f->tsval - in_8(in));
		len += 12;
	}
	if (what & 8) {
		put32(p + len, 0x01010402);	/* SACK permitted */
		len += 4;
	}
	in_copy(in, p + len, raw);
	len += raw;
	while (len % 4)
		p[len++] = 0;
	return len;
}

/* A segment of flow f; seq and ack as given. */
static void make_segment(struct net *n, uint8_t how, const struct flow *f,
			 uint8_t flags, uint32_t seq, uint32_t ack,
			 struct input *in)
{
	size_t at = make_ip(n, how, f->family, f->theirs, f->ours, PROTO_TCP,
			    in);
	uint8_t *p = n->frame + at;
	size_t hlen, len = in_16(in);

	memset(p, 0, 20);
	put16(p, f->rport);
	put16(p + 2, f->lport);
	put32(p + 4, seq);
	put32(p + 8, ack);
	p[13] = flags;
	put16(p + 14, in_16(in));
	hlen = 20 + make_options(p + 20, f, in);
	p[12] = (uint8_t)(hlen / 4 << 4);
	/* Mostly as long as segments are. */
	if (len > 1448 && !(how & 0x40))
		len %= 1449;
	if (len > 60000)
		len = 60000;
	fill(p + hlen, len);
	n->len = at + hlen + len;
	net_fix(n->frame, n->len);
}

static void kind_raw(struct net *n, struct input *in)
{
	n->len = in_16(in) % 2048u;
	if (n->len > in->left)
		n->len = in->left;
	in_copy(in, n->frame, n->len);
}

static void kind_packet(struct net *n, struct input *in)
{
	static const uint16_t types[] = { 0x0800, 0x86dd, 0x0806, 0x88cc };
	uint8_t how = in_8(in);
	size_t at = make_eth(n, how, types[how >> 4 & 3]), len = in_8(in);

	in_copy(in, n->frame + at, len);
	n->len = at + len;
	if (!(how & 0x80))
		net_fix(n->frame, n->len);
}

static void kind_segment(struct net *n, struct input *in)
{
	uint8_t how = in_8(in);
	struct flow *f = &n->flows[in_8(in) % NET_FLOWS];
	uint8_t flags = in_8(in), scale = in_8(in);
	uint32_t seq, ack;

	if (!f->family)
		f = &n->flows[0];
	if (!f->family) {
		f->family = 4;
		memcpy(f->ours, addrs4[0], 16);
		memcpy(f->theirs, addrs4[1], 16);
		f->lport = 80;
		f->rport = 5000;
	}
	/* 0: where the two stand; a bit says which one is off, and how far */
	seq = f->seq + (scale & 1 ? (uint32_t)(int16_t)in_16(in) : 0);
	ack = f->ack + (scale & 2 ? (uint32_t)(int16_t)in_16(in) : 0);
	if (scale & 4)
		seq += in_32(in);
	if (scale & 8)
		ack += in_32(in);
	make_segment(n, how, f, flags, seq, ack, in);
}

/* A new peer; the flow is kept. */
static void kind_syn(struct net *n, struct input *in)
{
	static const uint16_t ports[] = { 80, 81, 443, 22 };
	uint8_t how = in_8(in), who = in_8(in), flags = in_8(in);
	struct flow f = { .family = family_of(how) }, *g;

	memcpy(f.ours, net_addr(f.family, who >> 5 & 1 ? who >> 5 : 0), 16);
	memcpy(f.theirs, net_addr(f.family, 1 + (who >> 3 & 3)), 16);
	f.lport = ports[who & 3];
	f.rport = (uint16_t)(5000u + in_8(in));
	g = find_flow(n, &f);
	if (!g) {
		g = new_flow(n);
		*g = f;
	}
	g->seq = 0x10000000u + in_16(in);
	make_segment(n, how, g, (uint8_t)(SYN | flags), g->seq, 0, in);
	g->seq++;
}

/* An error that quotes what was heard last, or an echo request. */
static void kind_icmp(struct net *n, struct input *in)
{
	uint8_t how = in_8(in), type = in_8(in), code = in_8(in);
	uint8_t family = family_of(how), who = in_8(in);
	size_t at, quote = in_8(in) * 6u, skip;
	uint32_t etype;
	uint8_t *p;

	at = make_ip(n, how, family, net_addr(family, 1 + who % 7),
		     net_addr(family, who >> 4 & 7),
		     family == 4 ? PROTO_ICMP : PROTO_ICMP6, in);
	p = n->frame + at;
	p[0] = type;
	p[1] = code;
	put16(p + 2, 0);
	put32(p + 4, in_32(in));
	skip = packet_at(n->last, n->last_len, &etype);
	if ((how & 0x40) && n->last_len > skip) {
		if (quote > n->last_len - skip)
			quote = n->last_len - skip;
		memcpy(p + 8, n->last + skip, quote);
	} else {
		fill(p + 8, quote);
	}
	n->len = at + 8 + quote;
	net_fix(n->frame, n->len);
}

static void kind_arp(struct net *n, struct input *in)
{
	uint8_t how = in_8(in), op = in_8(in), who = in_8(in);
	size_t at = make_eth(n, how, 0x0806);
	uint8_t *p = n->frame + at;

	put16(p, 1);
	put16(p + 2, 0x0800);
	p[4] = 6;
	p[5] = 4;
	put16(p + 6, op & 0x0f);
	memcpy(p + 8, how & 0x10 ? n->mac : peer_mac, 6);
	p[13] = (uint8_t)(p[13] + (how >> 5));
	memcpy(p + 14, addrs4[who & 7], 4);
	memset(p + 18, 0, 6);
	memcpy(p + 24, addrs4[who >> 3 & 7], 4);
	if (op & 0x80) {
		/* A host that is not in the table: the cache fills up. */
		p[17] = in_8(in);
		p[16] = (uint8_t)(2 + (op >> 4 & 1));
	}
	n->len = at + (op & 0x40 ? in_8(in) % 29 : 28);
}

static void kind_udp(struct net *n, struct input *in)
{
	uint8_t how = in_8(in), who = in_8(in), family = family_of(how);
	size_t len = in_8(in);
	size_t at = make_ip(n, how, family, net_addr(family, 1 + who % 7),
			    net_addr(family, who >> 4 & 7), PROTO_UDP, in);
	uint8_t *p = n->frame + at;

	put16(p, in_16(in));
	put16(p + 2, in_16(in));
	fill(p + 8, len);
	n->len = at + 8 + len;
	net_fix(n->frame, n->len);
}

const uint8_t *net_group(uint8_t family, unsigned int i)
{
	static const uint8_t groups[2][4][16] = {
		{ { 224, 0, 0, 1 }, { 239, 1, 2, 3 }, { 239, 1, 2, 4 },
		  { 232, 0, 0, 1 } },
		{ { 0xff, 2, [15] = 1 }, { 0xff, 5, [15] = 3 },
		  { 0xff, 2, [15] = 4 }, { 0xff, 1, [15] = 5 } },
	};

	return groups[family == 6][i & 3];
}

/* To a group: a query, a report, or a datagram. */
static void kind_group(struct net *n, struct input *in)
{
	uint8_t how = in_8(in), who = in_8(in), family = family_of(how);
	const uint8_t *dst = net_group(family, who);
	unsigned int proto = how & 0x40 ? PROTO_UDP :
			     family == 6 ? PROTO_ICMP6 : PROTO_IGMP;
	size_t at = make_ip(n, how & 8, family,
			    net_addr(family, family == 6 ? 3 : 1 + (who >> 6)),
			    dst, proto, in);
	uint8_t *ip = n->frame + at - (family == 6 ? 40 : 20);
	uint8_t *p = n->frame + at;
	size_t len = in_8(in) % 64;

	n->frame[0] = family == 6 ? 0x33 : 0x01;
	if (proto == PROTO_UDP) {
		put16(p, in_16(in));
		put16(p + 2, in_16(in));
		fill(p + 8, len);
		n->len = at + 8 + len;
		net_fix(n->frame, n->len);
		return;
	}
	ip[family == 6 ? 7 : 8] = 1 + (how & 1);
	if (family == 6) {		/* router alert */
		memcpy(p, "\x3a\0\5\2\0\0\1", 8);
		ip[6] = 0;
		p += 8;
		at += 8;
	}
	memset(p, 0, 64);
	p[0] = in_8(in);
	p[1] = in_8(in);
	put16(p + 4, in_16(in));
	if (family == 6)
		memcpy(p + 8, net_group(6, who >> 2), how & 2 ? 16 : 0);
	else
		memcpy(p + 4, net_group(4, who >> 2), how & 2 ? 4 : 0);
	n->len = at + len;
	net_fix(n->frame, n->len);
}

/* What was heard comes back, from the other side. */
static void kind_reflect(struct net *n, struct input *in)
{
	uint32_t type;
	size_t at;
	uint8_t tmp[16], *p;

	memcpy(n->frame, n->last, n->last_len);
	n->len = n->last_len;
	at = packet_at(n->frame, n->len, &type);
	p = n->frame + at;
	if (n->len < ETH)
		return;
	memcpy(n->frame, n->mac, 6);
	memcpy(n->frame + 6, peer_mac, 6);
	if (in_8(in) & 1)
		return;
	if (type == 0x0800 && n->len >= at + 24) {
		memcpy(tmp, p + 12, 4);
		memmove(p + 12, p + 16, 4);
		memcpy(p + 16, tmp, 4);
		p += (p[0] & 15) * 4u;
	} else if (type == 0x86dd && n->len >= at + 44) {
		memcpy(tmp, p + 8, 16);
		memmove(p + 8, p + 24, 16);
		memcpy(p + 24, tmp, 16);
		p += 40;
	} else {
		return;
	}
	if (p + 4 <= n->frame + n->len) {
		memcpy(tmp, p, 2);
		memmove(p, p + 2, 2);
		memcpy(p + 2, tmp, 2);
	}
	net_fix(n->frame, n->len);
}

/* The frame before, one byte of it changed or its end cut off. */
static void kind_again(struct net *n, struct input *in)
{
	uint8_t how = in_8(in);
	uint16_t at = in_16(in);

	if (!n->len)
		return;
	n->frame[at % n->len] ^= in_8(in);
	if (how & 1)
		n->len -= in_8(in) % n->len;
	if (how & 2)
		net_fix(n->frame, n->len);
}

/* A piece of the IPv4 packet made before, which is kept. */
static const uint8_t *kind_fragment(struct net *n, struct input *in,
				    size_t *len)
{
	uint8_t off = in_8(in), how = in_8(in);
	size_t part = (how & 0x3f) * 8u + (how >> 6 & 1 ? 1 : 0);
	uint32_t type;
	size_t at = packet_at(n->frame, n->len, &type), hlen, start;
	uint8_t *p;

	*len = 0;
	if (type != 0x0800 || n->len < at + 20)
		return n->piece;
	hlen = (n->frame[at] & 15) * 4u;
	start = at + hlen + off * 8u;
	if (hlen < 20 || start > n->len)
		return n->piece;
	if (part > n->len - start)
		part = n->len - start;
	memcpy(n->piece, n->frame, at + hlen);
	memcpy(n->piece + at + hlen, n->frame + start, part);
	p = n->piece + at;
	put16(p + 4, in_8(in));
	put16(p + 6, (how & 0x80 ? 0x2000u : 0) | off);
	*len = at + hlen + part;
	/* Only the header: the payload's checksum is that of the whole. */
	put16(p + 2, (uint32_t)(hlen + part));
	put16(p + 10, 0);
	put16(p + 10, fold(sum(p, hlen)));
	return n->piece;
}

const uint8_t *net_frame(struct net *n, struct input *in, size_t *len)
{
	switch (in_8(in) % 12) {
	case 0:
		kind_raw(n, in);
		break;
	case 1:
		kind_packet(n, in);
		break;
	case 2:
		kind_syn(n, in);
		break;
	case 3:
		kind_icmp(n, in);
		break;
	case 4:
		kind_arp(n, in);
		break;
	case 5:
		kind_udp(n, in);
		break;
	case 6:
		kind_reflect(n, in);
		break;
	case 7:
		kind_again(n, in);
		break;
	case 8:
		return kind_fragment(n, in, len);
	case 11:
		kind_group(n, in);
		break;
	default:
		kind_segment(n, in);
		break;
	}
	*len = n->len;
	return n->frame;
}

const uint8_t *net_answer(struct net *n, size_t *len)
{
	struct input none = { NULL, 0 };
	struct flow heard, *f;
	size_t seg_len;
	const uint8_t *p = segment_of(n->last, n->last_len, &heard, &seg_len);
	uint8_t flags = ACK;

	if (!p || (p[13] & RST))
		return NULL;
	f = find_flow(n, &heard);
	if (!f || (!(p[13] & (SYN | FIN)) &&
		   seg_len <= (size_t)(p[12] >> 4) * 4u))
		return NULL;
	if ((p[13] & (SYN | ACK)) == SYN)
		flags |= SYN;
	make_segment(n, 0, f, flags, f->seq, f->ack, &none);
	if (flags & SYN)
		f->seq++;
	/* Room for a while. */
	put16(n->frame + n->len - 20 + 14, 60000);
	net_fix(n->frame, n->len);
	*len = n->len;
	return n->frame;
}
