/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * common_nop.h - a world for the network side alone.
 *
 * A ToeNop between two fakes: a port that keeps the frames it is given, and a
 * host that keeps the frames for the operating system.  The clock stands
 * until a test moves it, random numbers come from a seed, and the network's
 * other end is written by the test, frame by frame.  No thread, no sleep.
 *
 * Unless said otherwise the port has the address 10.0.2.15/24, a gateway
 * 10.0.2.2 and the kernel's interface up; the neighbour PEER (10.0.2.2) has
 * the MAC PEER_MAC, which the adapter has to learn.
 */
#ifndef TOE_TESTS_COMMON_NOP_H
#define TOE_TESTS_COMMON_NOP_H

#include <check.h>
#include "nop/nop.h"
#include "nop/wire.h"

#define WORLD_MAC	((const uint8_t[]){ 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 })
#define PEER_MAC	((const uint8_t[]){ 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02 })
#define OTHER_MAC	((const uint8_t[]){ 0x52, 0x55, 0x0a, 0x00, 0x02, 0x99 })
#define BROADCAST_MAC	((const uint8_t[]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff })
#define ZERO_MAC	((const uint8_t[]){ 0, 0, 0, 0, 0, 0 })

/* An IPv4 address in the 16 bytes that the adapter uses. */
#define IP(a, b, c, d)	((const uint8_t[16]){ a, b, c, d })
#define WORLD_IP	IP(10, 0, 2, 15)
#define PEER_IP		IP(10, 0, 2, 2)
#define FAR_IP		IP(192, 0, 2, 1)	/* behind the gateway */

#define MS		TOE_NS_PER_MS
#define SEC		TOE_NS_PER_S

struct frame {
	uint8_t *data;
	size_t len;
};

struct world {
	ToeEnv env;
	ToeCounters counters;
	ToeStreamOps ops;	/* eth_frame is set; the test may set others */
	ToeNopConfig config;
	uint8_t *ram;
	ToeLmem *lm;
	ToeNop *n;
	int64_t now;		/* ns */
	int64_t clock_step;	/* what a look at the clock takes */
	uint64_t seed;
	GQueue sent;		/* struct frame: given to the port */
	GQueue os;		/* struct frame: given to the operating system */
	uint32_t port_room;	/* frames until the port says busy */
	uint32_t cut;		/* world_in_ip(): see there; 0: do not */
	uint8_t tos;		/* of the packets of world_in_ip(), world6_in() */
	bool in_frame;		/* a frame is being given to the adapter */
	/*
	 * The peer answers by itself when it alone is asked for its MAC (ARP,
	 * or a solicitation); the question is counted and not kept.
	 */
	bool peer_answers;
	unsigned questions;
	uint8_t answer_family;	/* due at the end of the turn; 0: none */
	uint8_t answer[16];
	uint32_t guest_errors;
	char last_error[256];
	struct frame last;	/* owner of what the getters returned */
};

/*
 * A world with everything set up as above, and the announcement of the address
 * already sent and forgotten.  world_new_bare(): no address, no route, kernel
 * not up.  world_new_config(): as world_new(), with the test's sizes, and its
 * stream ops (NULL: none but eth_frame).
 */
struct world *world_new(void);
struct world *world_new_bare(void);
struct world *world_new_config(const ToeNopConfig *config, size_t ram,
			       const ToeStreamOps *ops);
void world_free(struct world *w);
/* Connections 64, MTU 1500, no large segments. */
ToeNopConfig world_default_config(void);

/* Move the clock, stopping at each deadline on the way, and run turns. */
void world_advance(struct world *w, int64_t ns);
/* Run timers that are due, and turns until nothing waits. */
void world_run(struct world *w);
/* Make the neighbour known without a frame being seen. */
void world_know_peer(struct world *w);

/*
 * The next frame sent or given to the operating system, or NULL.  The bytes
 * are valid until the next call of these two.
 */
const uint8_t *world_sent(struct world *w, size_t *len);
const uint8_t *world_os(struct world *w, size_t *len);
/* Forget what was sent and what the operating system got. */
void world_forget(struct world *w);
/* How many wait to be looked at. */
unsigned world_sent_count(struct world *w);
unsigned world_os_count(struct world *w);

uint64_t world_counter(struct world *w, enum toe_counter c);

/* ---- Frames to the adapter ---- */

/* The frame comes in, and then what had to wait for its end goes out. */
void world_in(struct world *w, const void *frame, size_t len);
/* An ARP packet in a frame; addresses of 4 bytes. */
void world_in_arp(struct world *w, const uint8_t *dst, uint16_t op,
		  const uint8_t *sha, const uint8_t *spa, const uint8_t *tha,
		  const uint8_t *tpa);
/*
 * An IPv4 packet from PEER_MAC to the adapter's MAC, its header made right;
 * len payload bytes.  With w->cut it comes in fragments of so many bytes, a
 * multiple of 8, the last one first.
 */
void world_in_ip(struct world *w, const uint8_t *src, const uint8_t *dst,
		 uint8_t proto, const void *payload, size_t len);
/* The same bytes, not delivered; returns their number. out: 64 KiB + 34. */
size_t world_make_ip(uint8_t *out, const uint8_t *src, const uint8_t *dst,
		     uint8_t proto, const void *payload, size_t len);

/* ---- Frames from the adapter ---- */

/*
 * The next frame sent must be an ARP packet (IPv4 packet) that is right in
 * every checked detail: MACs, lengths, checksum.  They fail the test if not.
 */
ToeWireArp world_expect_arp(struct world *w, uint16_t op);
ToeWireIpv4 world_expect_ip(struct world *w, uint8_t proto);
/* Nothing was sent. */
void world_expect_silence(struct world *w);

#endif
