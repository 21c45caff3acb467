/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net.h - the network's other end, as an input says it.
 *
 * net_frame() makes one frame of the next bytes of the input.  Some kinds are
 * bytes as they are; most have a structure, and get lengths and checksums
 * put right afterwards, or nothing random would come further than those.
 *
 * net_sent() looks at each frame that the adapter sends and keeps for each
 * TCP connection what the peer has to know: addresses, ports, where either
 * side's sequence numbers stand.  The segments of a flow are made relative to
 * that, so that they hit the window unless the input wants otherwise.
 */
#ifndef TOE_TESTS_FUZZ_NET_H
#define TOE_TESTS_FUZZ_NET_H

#include "fuzz.h"

#define NET_FLOWS	8u
#define NET_FRAME_MAX	66000u

struct flow {
	uint8_t family;		/* 4, 6; 0: free */
	uint8_t ours[16];	/* the adapter's address */
	uint8_t theirs[16];
	uint16_t lport;		/* the adapter's */
	uint16_t rport;
	uint32_t seq;		/* the peer's next one: last ACK heard */
	uint32_t ack;		/* behind the last byte heard */
	uint32_t tsval;		/* last heard */
};

struct net {
	const uint8_t *mac;	/* of the adapter */
	struct flow flows[NET_FLOWS];
	unsigned next_flow;	/* to be replaced */
	uint8_t last[2048];	/* head of the last frame heard */
	size_t last_len;
	uint8_t frame[NET_FRAME_MAX];	/* the frame made, to be cut or changed */
	size_t len;
	uint8_t piece[NET_FRAME_MAX];	/* a fragment of it */
};

/* Addresses that occur: net_addr(family, 0) is the adapter's own. */
const uint8_t *net_addr(uint8_t family, unsigned i);
#define NET_ADDRS	8u
#define NET_PREFIX(family) ((family) == 4 ? 24 : 64)
/* Multicast groups that occur, four. */
const uint8_t *net_group(uint8_t family, unsigned int i);

void net_init(struct net *n, const uint8_t *mac);
/* The adapter has sent this. */
void net_sent(struct net *n, const uint8_t *frame, size_t len);
/* A frame of the input; *len can be anything from 0 up. */
const uint8_t *net_frame(struct net *n, struct input *in, size_t *len);
/*
 * What a peer on the same machine says at once to the last frame heard: a SYN
 * is accepted, data are acknowledged.  NULL: nothing.
 */
const uint8_t *net_answer(struct net *n, size_t *len);
/* Put right what can be: IP lengths, checksums of IP and what it carries. */
void net_fix(uint8_t *frame, size_t len);

#endif
