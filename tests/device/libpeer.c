// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libpeer.c - the host at the other end of the adapter's wire.
 *
 * The kernel says how many bytes of what was sent the other side has not yet
 * taken out of a unix socket (SIOCOUTQ); together with qt_settle() that is a
 * barrier: after peer_flush() QEMU has seen every frame and acted on it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "libpeer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/sockios.h>
#include <unistd.h>

#define ARP_REQUEST	1
#define ARP_REPLY	2
#define ETH_HDR		14u
#define IP_HDR		20u
#define TCP_HDR		20u
#define DELAYED_ACK_NS	500000000ll

const uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 2 };
const uint8_t dut_mac[6] = { 2, 0, 0, 0, 0, 1 };
const uint8_t bcast_mac[6] = { 255, 255, 255, 255, 255, 255 };

void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* RFC 1071; start: sum of a pseudo header in 16-bit words. */
uint16_t peer_checksum(const void *data, size_t len, uint32_t start)
{
	const uint8_t *p = data;
	uint64_t sum = start;

	for (; len > 1; p += 2, len -= 2)
		sum += get16(p);
	if (len)
		sum += (uint32_t)p[0] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint32_t pseudo(uint32_t src, uint32_t dst, uint8_t proto, size_t len)
{
	return (src >> 16) + (src & 0xffff) + (dst >> 16) + (dst & 0xffff) +
	       proto + (uint32_t)len;
}

/* ---- Sockets ---- */

static int bind_dgram(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int size = 4 << 20;

	ck_assert_int_ge(fd, 0);
	ck_assert_uint_lt(strlen(path), sizeof(a.sun_path));
	strcpy(a.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

void peer_open(struct peer *p, struct hw *hw)
{
	static unsigned count;

	*p = (struct peer) { .hw = hw, .answer_arp = true };
	count++;
	snprintf(p->own_path, sizeof(p->own_path), "%s/p%d-%u", qt_dir(),
		 (int)getpid(), count);
	snprintf(p->qemu_path, sizeof(p->qemu_path), "%s/q%d-%u", qt_dir(),
		 (int)getpid(), count);
	p->fd = bind_dgram(p->own_path);
	snprintf(p->netdev, sizeof(p->netdev),
		 "-netdev dgram,id=n0,local.type=unix,local.path=%s,"
		 "remote.type=unix,remote.path=%s", p->qemu_path,
		 p->own_path);
}

void peer_close(struct peer *p)
{
	close(p->fd);
	unlink(p->own_path);
	unlink(p->qemu_path);
}

void peer_send(struct peer *p, const void *frame, size_t len)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int64_t t0 = qt_now_ms();

	strcpy(a.sun_path, p->qemu_path);
	while (sendto(p->fd, frame, len, 0, (struct sockaddr *)&a,
		      sizeof(a)) < 0) {
		/* The socket holds a few datagrams only; let QEMU take them. */
		ck_assert_msg(errno == EAGAIN || errno == ENOBUFS,
			      "sending a frame: %s", strerror(errno));
		if (!qt_wait_more(p->hw->qt, t0))
			ck_abort_msg("QEMU takes no frames");
	}
}

void peer_flush(struct peer *p)
{
	int64_t t0 = qt_now_ms();
	int left = 0;

	while (ioctl(p->fd, SIOCOUTQ, &left) == 0 && left > 0)
		if (!qt_wait_more(p->hw->qt, t0))
			ck_abort_msg("QEMU does not take a frame");
	qt_settle(p->hw->qt);
}

/* ---- Crafting ---- */

size_t peer_eth(uint8_t *f, const uint8_t dst[6], const uint8_t src[6],
		uint16_t ethertype)
{
	memcpy(f, dst, 6);
	memcpy(f + 6, src, 6);
	put16(f + 12, ethertype);
	return ETH_HDR;
}

static uint16_t ip_id;

size_t peer_ipv4(uint8_t *f, uint32_t src, uint32_t dst, uint8_t proto,
		 const void *payload, size_t len)
{
	uint8_t *ip = f + peer_eth(f, dut_mac, peer_mac, 0x0800);

	memset(ip, 0, IP_HDR);
	ip[0] = 0x45;
	put16(ip + 2, (uint16_t)(IP_HDR + len));
	put16(ip + 4, ++ip_id);
	ip[8] = 64;
	ip[9] = proto;
	put32(ip + 12, src);
	put32(ip + 16, dst);
	put16(ip + 10, peer_checksum(ip, IP_HDR, 0));
	memmove(ip + IP_HDR, payload, len);
	return ETH_HDR + IP_HDR + len;
}

void peer_arp(struct peer *p, uint16_t op, const uint8_t eth_dst[6],
	      uint32_t sip, const uint8_t tmac[6], uint32_t tip)
{
	uint8_t f[60] = { 0 };
	uint8_t *a = f + peer_eth(f, eth_dst, peer_mac, 0x0806);

	put16(a, 1);
	put16(a + 2, 0x0800);
	a[4] = 6;
	a[5] = 4;
	put16(a + 6, op);
	memcpy(a + 8, peer_mac, 6);
	put32(a + 14, sip);
	if (tmac)
		memcpy(a + 18, tmac, 6);
	put32(a + 24, tip);
	peer_send(p, f, sizeof(f));
}

/* ---- Taking apart ---- */

static void parse_tcp(struct pkt *k, const uint8_t *t, uint32_t len)
{
	uint32_t hdr, i;

	ck_assert_uint_ge(len, TCP_HDR);
	ck_assert_msg(peer_checksum(t, len, pseudo(k->src, k->dst, 6, len)) ==
		      0, "TCP checksum of a frame is wrong");
	k->sport = get16(t);
	k->dport = get16(t + 2);
	k->seq = get32(t + 4);
	k->ack = get32(t + 8);
	hdr = (uint32_t)(t[12] >> 4) * 4;
	k->flags = t[13] & 0x3f;
	k->win = get16(t + 14);
	ck_assert_uint_ge(hdr, TCP_HDR);
	ck_assert_uint_le(hdr, len);
	for (i = TCP_HDR; i < hdr && t[i] != 0;) {
		uint32_t n;

		if (t[i] == 1) {
			i++;
			continue;
		}
		ck_assert_uint_lt(i + 1, hdr);
		n = t[i + 1];
		ck_assert_uint_ge(n, 2);
		ck_assert_uint_le(i + n, hdr);
		if (t[i] == 2 && n == 4) {
			k->mss = get16(t + i + 2);
		} else if (t[i] == 3 && n == 3) {
			k->wscale = t[i + 2];
		} else if (t[i] == 8 && n == 10) {
			k->ts = true;
			k->tsval = get32(t + i + 2);
			k->tsecr = get32(t + i + 6);
		}
		i += n;
	}
	k->data = t + hdr;
	k->len = len - hdr;
}

static void parse(struct peer *p, struct pkt *k)
{
	const uint8_t *f = p->rx, *ip = f + ETH_HDR;
	uint32_t hdr;

	*k = (struct pkt) { .frame = f, .frame_len = p->rx_len, .wscale = -1 };
	ck_assert_uint_ge(p->rx_len, ETH_HDR);
	k->ethertype = get16(f + 12);
	k->data = ip;
	k->len = (uint32_t)p->rx_len - ETH_HDR;
	if (k->ethertype != 0x0800)
		return;
	ck_assert_uint_ge(k->len, IP_HDR);
	ck_assert_uint_eq(ip[0] >> 4, 4);
	hdr = (ip[0] & 15u) * 4;
	k->ip_len = get16(ip + 2);
	ck_assert_uint_ge(hdr, IP_HDR);
	ck_assert_uint_le(hdr, k->ip_len);
	ck_assert_uint_le(k->ip_len, k->len);
	ck_assert_msg(peer_checksum(ip, hdr, 0) == 0,
		      "IPv4 checksum of a frame is wrong");
	k->ttl = ip[8];
	k->proto = ip[9];
	k->src = get32(ip + 12);
	k->dst = get32(ip + 16);
	k->data = ip + hdr;
	k->len = k->ip_len - hdr;
	if (k->proto == 6)
		parse_tcp(k, k->data, k->len);
	else if (k->proto == 1)
		ck_assert_msg(peer_checksum(k->data, k->len, 0) == 0,
			      "ICMP checksum of a frame is wrong");
}

bool peer_poll(struct peer *p, struct pkt *k)
{
	for (;;) {
		ssize_t n = recv(p->fd, p->rx, sizeof(p->rx), 0);
		const uint8_t *a = p->rx + ETH_HDR;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			ck_assert_int_eq(errno, EAGAIN);
			return false;
		}
		p->rx_len = (size_t)n;
		if (n >= 42 && get16(p->rx + 12) == 0x0806 &&
		    get16(a + 6) == ARP_REQUEST) {
			/* Gratuitous: sender and target are the same. */
			if (get32(a + 14) == get32(a + 24))
				continue;
			if (get32(a + 24) == PEER_IP) {
				p->arp_asked++;
				if (p->answer_arp)
					peer_arp(p, ARP_REPLY, a + 8, PEER_IP,
						 a + 8, get32(a + 14));
				continue;
			}
		}
		parse(p, k);
		return true;
	}
}

void peer_recv(struct peer *p, struct pkt *k)
{
	QT_WAIT(p->hw->qt, peer_poll(p, k));
}

void peer_none(struct peer *p)
{
	struct pkt k;

	peer_flush(p);
	if (peer_poll(p, &k))
		ck_abort_msg("unexpected frame: type %04x proto %u flags %02x "
			     "seq %u ack %u len %u", k.ethertype, k.proto,
			     k.flags, k.seq, k.ack, k.len);
}

/* ---- TCP ---- */

void tcp_init(struct tcp *t, struct peer *p, uint16_t sport, uint16_t dport)
{
	*t = (struct tcp) {
		.p = p, .sport = sport, .dport = dport,
		/* Near the wrap, so that every test also crosses it. */
		.snd_nxt = 0xfffffff0u,
		.win = 65535, .mss = 1460, .wscale = -1,
	};
}

void tcp_send_at(struct tcp *t, uint8_t flags, uint32_t seq, uint32_t ack,
		 const void *data, uint32_t len)
{
	static uint8_t f[PEER_FRAME_MAX], seg[PEER_FRAME_MAX];
	uint32_t hdr = TCP_HDR;

	memset(seg, 0, 60);
	put16(seg, t->sport);
	put16(seg + 2, t->dport);
	put32(seg + 4, seq);
	put32(seg + 8, ack);
	seg[13] = flags;
	put16(seg + 14, t->win);
	if (flags & TH_SYN && t->mss) {
		seg[hdr++] = 2;
		seg[hdr++] = 4;
		put16(seg + hdr, t->mss);
		hdr += 2;
	}
	if (flags & TH_SYN && t->wscale >= 0) {
		seg[hdr++] = 1;
		seg[hdr++] = 3;
		seg[hdr++] = 3;
		seg[hdr++] = (uint8_t)t->wscale;
	}
	seg[12] = (uint8_t)(hdr / 4 << 4);
	if (len)
		memcpy(seg + hdr, data, len);
	len += hdr;
	put16(seg + 16, (uint16_t)(peer_checksum(seg, len,
				   pseudo(PEER_IP, DUT_IP, 6, len)) ^
				   t->bad_checksum));
	peer_send(t->p, f, peer_ipv4(f, PEER_IP, DUT_IP, 6, seg, len));
}

void tcp_send(struct tcp *t, uint8_t flags, const void *data, uint32_t len)
{
	tcp_send_at(t, flags, t->snd_nxt,
		    flags & TH_ACK ? t->rcv_nxt : 0, data, len);
	t->snd_nxt += len + !!(flags & TH_SYN) + !!(flags & TH_FIN);
}

void tcp_recv(struct tcp *t, struct pkt *k)
{
	peer_recv(t->p, k);
	ck_assert_msg(k->ethertype == 0x0800 && k->proto == 6,
		      "not a TCP segment: type %04x proto %u", k->ethertype,
		      k->proto);
	ck_assert_uint_eq(k->src, DUT_IP);
	ck_assert_uint_eq(k->dst, PEER_IP);
	ck_assert_uint_eq(k->dport, t->sport);
	if (t->dport)
		ck_assert_uint_eq(k->sport, t->dport);
}

void tcp_expect(struct tcp *t, uint8_t flags, uint32_t len, struct pkt *k)
{
	struct pkt own;

	if (!k)
		k = &own;
	do {
		tcp_recv(t, k);
	} while ((len || flags & TH_FIN) && k->flags == TH_ACK && !k->len &&
		 k->seq == t->rcv_nxt);
	ck_assert_msg((k->flags & ~TH_PSH) == flags && k->len == len,
		      "expected flags %02x with %u bytes, got %02x with %u "
		      "(seq %u, ack %u)", flags, len, k->flags, k->len,
		      k->seq, k->ack);
	if (!(flags & TH_SYN))
		ck_assert_uint_eq(k->seq, t->rcv_nxt);
	if (flags & TH_ACK)
		ck_assert_uint_eq(k->ack, t->snd_nxt);
	t->rcv_nxt = k->seq + len + !!(flags & TH_SYN) + !!(flags & TH_FIN);
}

void tcp_expect_ack(struct tcp *t)
{
	struct pkt k;
	bool stepped = false;

	peer_flush(t->p);
	for (;;) {
		if (!peer_poll(t->p, &k)) {
			ck_assert_msg(!stepped, "no ACK within 500 ms");
			qt_clock_step(t->p->hw->qt, DELAYED_ACK_NS);
			stepped = true;
			continue;
		}
		ck_assert_uint_eq(k.ethertype, 0x0800);
		ck_assert_uint_eq(k.proto, 6);
		ck_assert_uint_eq(k.flags, TH_ACK);
		ck_assert_uint_eq(k.len, 0);
		ck_assert_uint_eq(k.seq, t->rcv_nxt);
		if (k.ack == t->snd_nxt)
			return;
		/* An ACK of a part; the rest must still come. */
		ck_assert_int_lt((int32_t)(k.ack - t->snd_nxt), 0);
	}
}

void tcp_collect(struct tcp *t, void *buf, uint32_t total)
{
	uint8_t *p = buf;
	uint32_t got = 0;

	while (got < total) {
		struct pkt k;

		tcp_recv(t, &k);
		if (!k.len && !(k.flags & TH_FIN))
			continue;	/* a bare ACK or window update */
		ck_assert_uint_eq(k.seq, t->rcv_nxt);
		ck_assert_uint_le(k.len, total - got);
		memcpy(p + got, k.data, k.len);
		got += k.len;
		t->rcv_nxt += k.len;
		if (k.flags & TH_FIN) {
			t->fin = true;
			t->rcv_nxt++;
		}
		tcp_send(t, TH_ACK, NULL, 0);
	}
}

/* ---- Both ends ---- */

void net_open(struct net *n, const char *props)
{
	memset(n, 0, sizeof(*n));
	peer_open(&n->peer, &n->hw);
	hw_start(&n->hw, n->peer.netdev, props);
	hw_enable(&n->hw);
	ck_assert_uint_eq(hw_addr_add(&n->hw, DUT_IP, 24), TOE_ST_OK);
	hw_ctx_new(&n->hw, &n->ctx, 1, TOE_RIGHT_LOWPORT);
}

void net_close(struct net *n)
{
	hw_ctx_free(&n->ctx);
	hw_stop(&n->hw);
	peer_close(&n->peer);
}

uint32_t net_connect(struct net *n, struct tcp *t, uint16_t rport,
		     uint32_t credit)
{
	struct toe_hw_req r;
	struct toe_hw_cqe e;
	struct pkt k;
	uint32_t handle;
	uint64_t cookie;

	tcp_init(t, &n->peer, rport, 0);
	hw_connect_req(&r, PEER_IP, rport, 0, credit);
	ck_assert_uint_eq(hw_req_wait(&n->ctx, &r, &e), TOE_ST_OK);
	handle = e.handle;
	cookie = r.cookie;
	tcp_expect(t, TH_SYN, 0, &k);
	t->dport = k.sport;
	t->dut_wscale = 0;
	t->dut_mss = k.mss;
	tcp_send(t, TH_SYN | TH_ACK, NULL, 0);
	tcp_expect(t, TH_ACK, 0, NULL);
	hw_cq_expect(&n->ctx, TOE_EV_ESTABLISHED, &e);
	ck_assert_uint_eq(e.handle, handle);
	ck_assert_uint_eq(e.cookie, cookie);
	ck_assert_uint_eq(e.status, TOE_ST_OK);
	ck_assert_uint_eq(e.u.conn.lport, t->dport);
	ck_assert_uint_eq(e.u.conn.rport, rport);
	ck_assert_uint_eq(hw_get_ipv4(e.u.conn.laddr), DUT_IP);
	ck_assert_uint_eq(hw_get_ipv4(e.u.conn.raddr), PEER_IP);
	return handle;
}

uint32_t net_listen(struct net *n, uint16_t lport, uint32_t backlog)
{
	struct toe_hw_req r;
	struct toe_hw_cqe e;

	hw_listen_req(&r, lport, backlog);
	ck_assert_uint_eq(hw_req_wait(&n->ctx, &r, &e), TOE_ST_OK);
	if (lport)
		ck_assert_uint_eq(e.u.cpl.result, lport);
	return e.handle;
}

uint32_t net_accept(struct net *n, struct tcp *t, uint32_t listener,
		    uint16_t sport, uint16_t lport, uint32_t credit)
{
	struct toe_hw_req r = { .opcode = TOE_OP_ACCEPT };
	struct toe_hw_cqe e;
	struct pkt k;

	tcp_init(t, &n->peer, sport, lport);
	tcp_send(t, TH_SYN, NULL, 0);
	tcp_expect(t, TH_SYN | TH_ACK, 0, &k);
	t->dut_mss = k.mss;
	tcp_send(t, TH_ACK, NULL, 0);
	hw_cq_expect(&n->ctx, TOE_EV_ACCEPT, &e);
	ck_assert_uint_eq(e.u.conn.listener, listener);
	ck_assert_uint_eq(e.u.conn.lport, lport);
	ck_assert_uint_eq(e.u.conn.rport, sport);
	ck_assert_uint_eq(hw_get_ipv4(e.u.conn.raddr), PEER_IP);
	r.handle = e.handle;
	r.u.credit.credit = credit;
	ck_assert_uint_eq(hw_req_wait(&n->ctx, &r, NULL), TOE_ST_OK);
	return r.handle;
}

uint8_t pattern(uint32_t seed, uint32_t i)
{
	uint32_t x = i * 2654435761u + seed * 40503u;

	return (uint8_t)(x >> 24 ^ x >> 8);
}

void pattern_fill(void *buf, uint32_t seed, uint32_t from, uint32_t len)
{
	uint8_t *p = buf;
	uint32_t i;

	for (i = 0; i < len; i++)
		p[i] = pattern(seed, from + i);
}

void pattern_check(const void *buf, uint32_t seed, uint32_t from, uint32_t len)
{
	const uint8_t *p = buf;
	uint32_t i;

	for (i = 0; i < len; i++)
		if (p[i] != pattern(seed, from + i))
			ck_abort_msg("byte %u of the stream is 0x%02x, not "
				     "0x%02x", from + i, p[i],
				     pattern(seed, from + i));
}
