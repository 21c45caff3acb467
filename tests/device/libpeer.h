/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libpeer.h - the host at the other end of the adapter's wire.
 *
 * QEMU's `-netdev dgram` carries one Ethernet frame per datagram over a pair
 * of unix sockets; the test holds the other end.  The peer has a MAC and an
 * IPv4 address, answers ARP by itself, and otherwise does only what a test
 * tells it: it crafts frames, right or wrong, and takes frames apart with
 * every checksum verified.
 */
#ifndef LIBPEER_H
#define LIBPEER_H

#include <stdbool.h>
#include <stdint.h>
#include "libtoehw.h"

#define PEER_IP		0x0a000002u	/* 10.0.0.2 */
#define DUT_IP		0x0a000001u	/* 10.0.0.1, prefix 24: the adapter */
#define PEER_FRAME_MAX	65600u

#define TH_FIN		0x01
#define TH_SYN		0x02
#define TH_RST		0x04
#define TH_PSH		0x08
#define TH_ACK		0x10

extern const uint8_t peer_mac[6];	/* 02:00:00:00:00:02 */
extern const uint8_t dut_mac[6];	/* 02:00:00:00:00:01 */
extern const uint8_t bcast_mac[6];

struct peer {
	struct hw *hw;
	int fd;
	char netdev[300];		/* argument for hw_start() */
	char own_path[108];
	char qemu_path[108];
	bool answer_arp;
	unsigned arp_asked;		/* requests for PEER_IP seen */
	uint8_t rx[PEER_FRAME_MAX];	/* frame of the last peer_recv() */
	size_t rx_len;
};

/* One frame taken apart.  Pointers go into peer->rx. */
struct pkt {
	const uint8_t *frame;
	size_t frame_len;
	uint16_t ethertype;
	/* IPv4 */
	uint32_t src, dst;
	uint8_t proto, ttl;
	uint16_t ip_len;
	/* TCP */
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint32_t win;			/* as in the header, not scaled */
	uint16_t mss;			/* 0: no option */
	int wscale;			/* -1: no option */
	bool ts;
	uint32_t tsval, tsecr;
	/* payload of TCP or ICMP (with its header), ARP body */
	const uint8_t *data;
	uint32_t len;
};

/* Make the sockets; netdev names them. */
void peer_open(struct peer *p, struct hw *hw);
void peer_close(struct peer *p);

/* ---- Frames ---- */

void peer_send(struct peer *p, const void *frame, size_t len);
/* Wait until QEMU has taken every frame and done what follows from it. */
void peer_flush(struct peer *p);
/*
 * Next frame other than ARP for PEER_IP (answered, if answer_arp) and other
 * than gratuitous ARP.  peer_poll: false if there is none now.
 */
bool peer_poll(struct peer *p, struct pkt *k);
void peer_recv(struct peer *p, struct pkt *k);
/* No frame may come without the clock moving. */
void peer_none(struct peer *p);

/* Begin a frame with an Ethernet header; gives 14. */
size_t peer_eth(uint8_t *f, const uint8_t dst[6], const uint8_t src[6],
		uint16_t ethertype);
/* Ethernet + IPv4 around len bytes at payload; gives the frame's length. */
size_t peer_ipv4(uint8_t *f, uint32_t src, uint32_t dst, uint8_t proto,
		 const void *payload, size_t len);
void peer_arp(struct peer *p, uint16_t op, const uint8_t eth_dst[6],
	      uint32_t sip, const uint8_t tmac[6], uint32_t tip);
uint16_t peer_checksum(const void *data, size_t len, uint32_t start);
void put16(uint8_t *p, uint16_t v);
void put32(uint8_t *p, uint32_t v);
uint16_t get16(const uint8_t *p);
uint32_t get32(const uint8_t *p);

/* ---- TCP ---- */

/* The peer's end of one connection. */
struct tcp {
	struct peer *p;
	uint16_t sport, dport;		/* peer's, adapter's */
	uint32_t snd_nxt, rcv_nxt;
	uint16_t win;			/* sent in the header */
	uint16_t mss;			/* MSS option of our SYN; 0: none */
	int wscale;			/* option of our SYN; -1: none */
	uint8_t dut_wscale;		/* shift of the windows received */
	uint32_t dut_mss;
	bool fin;			/* tcp_collect() saw the adapter's FIN */
	uint16_t bad_checksum;		/* XORed into the checksum */
};

void tcp_init(struct tcp *t, struct peer *p, uint16_t sport, uint16_t dport);
/* One segment with these flags at snd_nxt, which moves on.  win, rcv_nxt. */
void tcp_send(struct tcp *t, uint8_t flags, const void *data, uint32_t len);
/* One segment as given; nothing moves. */
void tcp_send_at(struct tcp *t, uint8_t flags, uint32_t seq, uint32_t ack,
		 const void *data, uint32_t len);
/* Next segment of this connection; other frames fail the test. */
void tcp_recv(struct tcp *t, struct pkt *k);
/*
 * Next segment: flags (PSH is ignored), at rcv_nxt, of len payload bytes,
 * acknowledging snd_nxt if ACK is set.  rcv_nxt moves over it.  Bare ACKs
 * before a segment with data or FIN are skipped: when they come is TCP's
 * freedom.
 */
void tcp_expect(struct tcp *t, uint8_t flags, uint32_t len, struct pkt *k);
/*
 * As tcp_expect() for a bare ACK of snd_nxt, however late: the clock is
 * stepped up to 500 ms (RFC 1122's limit) if it does not come at once.
 */
void tcp_expect_ack(struct tcp *t);
/* Collect total payload bytes, acknowledging everything as it comes. */
void tcp_collect(struct tcp *t, void *buf, uint32_t total);

/* ---- Both ends ---- */

/* Adapter with a peer: started, enabled, DUT_IP/24, one context (number 1). */
struct net {
	struct hw hw;
	struct peer peer;
	struct hw_ctx ctx;
};

void net_open(struct net *n, const char *props);
void net_close(struct net *n);
/*
 * Open a connection from the context to the peer's port, whole handshake;
 * events are consumed.  Gives the handle.
 */
uint32_t net_connect(struct net *n, struct tcp *t, uint16_t rport,
		     uint32_t credit);
/* The same from the peer to a listener; ACCEPTed with this credit. */
uint32_t net_accept(struct net *n, struct tcp *t, uint32_t listener,
		    uint16_t sport, uint16_t lport, uint32_t credit);
/* LISTEN that must succeed; the listener's handle. */
uint32_t net_listen(struct net *n, uint16_t lport, uint32_t backlog);

/* Bytes of a stream that can be checked anywhere: byte i of stream seed. */
uint8_t pattern(uint32_t seed, uint32_t i);
void pattern_fill(void *buf, uint32_t seed, uint32_t from, uint32_t len);
void pattern_check(const void *buf, uint32_t seed, uint32_t from,
		   uint32_t len);

#endif
