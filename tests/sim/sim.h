/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim.h - two adapters' network sides, a network that misbehaves, and
 * applications that do as they like, all from one seed.
 *
 *   app.c    applications: connect, listen, write, read, shut down, abort
 *   check.c  looks at every frame and every event: what TCP promises
 *   net.c    the network: a router between two links, with every fault
 *   world.c  what a seed means; the clock; what must be left at the end
 *   pcap.c   the frames of a run, for wireshark
 *   main.c   many seeds, each in a process of its own
 *
 * Nothing here reads a clock or shares state with another seed, so a seed is
 * the same run each time, to the byte: main.c compares hashes of all frames.
 *
 * The checker knows nothing of the engine's state but what stream.h shows and
 * what is on the wire; only the last look, for leaks, is inside.  A fault that
 * a seed has (sim->p) says what may be expected: without loss nothing may be
 * sent twice; with mild faults that end every connection must end in order
 * unless its own application spoils it (conn->may_fail); with harsh ones it
 * must end, and what arrived must be right.
 */
#ifndef TOE_TESTS_SIM_H
#define TOE_TESTS_SIM_H

#include <inttypes.h>
#include <stdio.h>
#include "nop/nop.h"
#include "nop/wire.h"

#define MS		TOE_NS_PER_MS
#define SEC		TOE_NS_PER_S
#define NEVER		INT64_MAX

#define CONNS_MAX	64
#define LISTENERS_MAX	3
#define NET_EVENTS_MAX	16
#define SPANS_MAX	512	/* gaps in what was delivered */

#define FIN		0x01
#define SYN		0x02
#define RST		0x04
#define ACK		0x10
#define ECE		0x40
#define CWR		0x80

#define NOT_ECT		0	/* RFC 3168 */
#define ECT0		2
#define CE		3

/* ---- Chance ---- */

struct rng {
	uint64_t s;
};

/* splitmix64 */
static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->s += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* 0 .. n - 1; 0 for n = 0 */
static inline uint64_t rnd(struct rng *r, uint64_t n)
{
	return n ? rng_next(r) % n : 0;
}

static inline bool chance(struct rng *r, unsigned permille)
{
	return rnd(r, 1000) < permille;
}

/* lo .. hi, small values as likely as large ones */
static inline uint64_t rnd_log(struct rng *r, uint64_t lo, uint64_t hi)
{
	unsigned bits = 0;

	while (bits < 63 && (hi - lo) >> bits)
		bits++;
	return lo + rnd(r, MIN(1ULL << rnd(r, bits + 1), hi - lo + 1));
}

/* ---- What a seed means ---- */

enum profile {
	CLEAN,			/* no fault: nothing may be sent twice */
	LOSSY,
	REORDER,
	EVERYTHING,
	LITTLE_MEMORY,
	USER_NET,		/* segments of up to 64 KiB */
	PATH_MTU,
	CHURN,			/* many short ones, few NCBs and ports */
	SLOW_READERS,
	HARSH,
	PROFILES
};

struct params {
	enum profile profile;
	bool harsh;		/* connections may fail */
	/* The network, each way. */
	int64_t delay[2];	/* ns */
	int64_t jitter;
	unsigned loss;		/* per mille, as the following */
	unsigned burst;		/* a burst begins */
	int64_t burst_for;	/* its longest */
	unsigned dup;
	unsigned corrupt;
	unsigned reorder;	/* held up to reorder_by */
	int64_t reorder_by;
	uint64_t rate;		/* bit/s; 0: no limit */
	int64_t queue;		/* ns of it */
	int64_t faults_end;	/* loss, bursts, flaps and so on are over */
	unsigned flaps;
	unsigned routes;	/* changes of delay and MTU */
	unsigned mtu_events;
	unsigned mark;		/* CE */
	int64_t mark_queue;	/* and for all that meets so much queue; 0: none */
	bool mute;		/* routers that drop what is too big, no word */
	bool arp;		/* neighbours are found by ARP */
	/* The adapters. */
	uint32_t mtu;
	uint32_t max_segment;
	uint32_t ncbs;
	uint32_t ram;
	uint32_t rcvbuf;
	uint32_t sndbuf;
	uint32_t tuned;		/* to what buffers may grow; less: they don't */
	uint32_t time_wait_ms;
	uint32_t cookies;	/* TOE_SYN_COOKIES_* */
	uint32_t fastopen;	/* of a listener: pending at most; 0: off */
	uint32_t syn_backlog;	/* half-open connections of a listener */
	uint32_t ports;		/* ephemeral; 0: the default range */
	uint8_t ecn[2];		/* TOE_ECN_MODE_*, by side */
	uint8_t cc[2];		/* TOE_CC_* */
	bool pacing[2];
	int64_t run_delay;	/* a turn comes up to this after its cause */
	unsigned port_room;	/* frames until the port is busy; 0: never */
	/* The applications. */
	unsigned conns;
	uint32_t bytes;		/* of a stream, at most */
	int64_t span;		/* the connections begin within this */
	int64_t stall;		/* longest nap of a reader */
	unsigned aborts;	/* per mille */
	uint32_t backlog;
	int64_t accept_delay;
	bool listener_pauses;
	int64_t limit;		/* all is over by then, or hangs */
};

/* ---- A direction of a connection, as the checker sees it ---- */

struct span {
	int64_t from;
	int64_t to;
};

/*
 * Offsets count the bytes of the stream: the first data byte is 0, the SYN
 * -1.  So an acknowledgment of all of n bytes is n, of the FIN n + 1.
 */
struct flow {
	bool syn;		/* was sent */
	uint32_t iss;
	bool wscale_offered;
	uint8_t wscale;
	int64_t end;		/* highest byte sent, + 1 */
	int64_t fin;		/* offset of the FIN sent, or -1 */
	bool ecn;		/* each SYN and SYN-ACK wanted it */
	bool owes_cwr;		/* an echo came that wants it */
	int64_t cwr;		/* offset of the last one sent, or -1 */
	/* What reached the other side. */
	bool syn_there;
	bool fin_there;
	bool ecn_there;		/* each SYN and SYN-ACK there wanted it */
	bool ecn_once;		/* one did */
	bool ce_there;		/* a mark, and no CWR since */
	bool ce_once;
	uint64_t ce_paws;	/* the receiver's PAWS drops by then */
	uint64_t owes_paws;		/* and when owes_cwr was */
	int64_t there;		/* all before this */
	struct span spans[SPANS_MAX];	/* and these */
	unsigned nspans;
	/* What reached the sender about it. */
	int64_t edge;		/* of the window */
	int64_t acked;
	/* What the receiver said about it. */
	bool said;
	int64_t adv;		/* the highest window edge */
	int64_t ack;
	/* Sent again while nothing came. */
	int64_t again;		/* from which byte; -2: nothing yet */
	int64_t again_since;
	unsigned again_count;
};

/* ---- Applications ---- */

struct conn;

struct end {
	struct conn *conn;
	unsigned side;
	uint32_t handle;	/* 0: none yet */
	/* Plan. */
	uint32_t total;
	uint32_t wchunk;	/* write at most this at a time */
	int64_t wdelay;		/* and think up to this */
	uint32_t rchunk;
	int64_t rdelay;
	uint32_t stall_at;	/* bytes read; then nothing for stall_for */
	int64_t stall_for;
	uint32_t abort_at;	/* bytes written and read; UINT32_MAX: never */
	bool early_close;	/* close as soon as all is written */
	bool waits;		/* shuts down after the peer */
	bool lingers;		/* keeps the handle until closed() */
	/* Progress. */
	uint32_t sent;		/* given to the adapter */
	uint32_t got;		/* read and right */
	bool up;
	bool shut;		/* a FIN may be sent */
	bool aborted;
	bool peer_closed;
	bool closed;
	uint8_t status;
	bool let_go;		/* the handle is dead */
	bool stalled;
	bool wants_space;	/* writable() must come */
	bool accept_due;
	bool ghost;		/* its listener answers an old SYN */
	int64_t act;		/* when it does something by itself */
	int64_t read_at;	/* not before */
	int64_t write_at;
	struct flow flow;	/* of what it sends */
	uint64_t pure_acks;	/* it sent */
	uint64_t heard;		/* segments delivered to it */
	uint64_t reads;
	uint8_t cc;		/* TOE_CC_* */
	uint32_t pace;		/* bytes/s at most; 0: no limit */
	int64_t paced_since;	/* its first byte */
	bool paced;		/* it was sent */
};

struct conn {
	struct end end[2];
	unsigned id;
	unsigned initiator;	/* side */
	bool both;		/* simultaneous open */
	bool fast;		/* connects by Fast Open */
	unsigned listener;
	uint16_t port[2];	/* by side */
	int64_t start;
	uint64_t started;	/* 0: not yet; counts up */
	bool again;		/* another had the ports before */
	bool refused;		/* connect() itself failed: no connection */
	bool may_fail;
};

/* ---- A frame under way ---- */

struct seg {
	struct conn *conn;	/* NULL: not TCP, or of no connection */
	unsigned from;		/* side */
	uint32_t seq;
	uint32_t ack;
	uint32_t wnd;		/* as in the header */
	uint32_t len;
	uint8_t flags;
	uint8_t ecn;		/* of the IP header */
};

struct flight {
	int64_t when;
	uint64_t order;
	unsigned to;
	bool corrupt;
	struct seg seg;
	size_t len;
	uint8_t data[];
};

struct link {			/* one way */
	int64_t busy_until;
	int64_t burst_until;
};

enum net_kind { NET_DOWN, NET_UP, LINK_DOWN, LINK_UP, ROUTE, MTU_CHANGE };

struct net_event {
	int64_t when;
	enum net_kind kind;
	unsigned side;
	int64_t delay;
	uint32_t mtu;
};

/* ---- One adapter ---- */

struct side {
	struct sim *sim;
	unsigned number;
	ToeEnv env;
	ToeCounters counters;
	ToeLmem *lm;
	ToeNop *n;
	uint8_t *ram;
	uint8_t mac[6];
	uint8_t ip[16];
	uint8_t gw_ip[16];
	uint8_t gw_mac[6];
	struct rng rng;		/* env->random */
	int64_t run_at;
	int64_t ready_at;	/* the port */
	unsigned port_left;
	bool link;
	uint32_t listener[LISTENERS_MAX];
	bool in_engine;		/* events may come only now */
};

struct sim {
	uint64_t seed;
	struct params p;
	struct rng rng;
	int64_t begin;
	int64_t now;
	struct side side[2];
	struct conn conn[CONNS_MAX];
	GPtrArray *heap;	/* struct flight */
	uint64_t order;
	struct link way[2];	/* by sender */
	bool net_up;
	uint32_t path_mtu;
	struct net_event event[NET_EVENTS_MAX];
	unsigned nevents, next_event;
	int64_t listen_event;
	bool listeners_done;
	bool maybe_done;	/* an application ended: look if it was the last */
	uint64_t starts;
	uint64_t frames;
	uint64_t bytes;
	uint64_t lost;
	uint64_t marked;
	uint64_t hash;		/* of all frames and their times */
	struct pcap *pcap;
	bool verbose;
};

/* Say what is wrong, and end the process. */
void sim_fail(struct sim *s, const struct conn *c, const char *fmt, ...)
	G_GNUC_PRINTF(3, 4) G_GNUC_NORETURN;
static inline int64_t sim_time(const struct sim *s)
{
	return s->now - s->begin;
}

/* world.c */
void sim_params(struct params *p, uint64_t seed);
/* Run it; returns if all is well. */
void sim_run(struct sim *s);
void sim_describe(const struct sim *s, FILE *f);
/* The adapter has something to do. */
void side_kick(struct side *w);

/* net.c */
void net_init(struct sim *s);
void net_free(struct sim *s);
void net_send(struct side *w, const uint8_t *frame, size_t len);
int64_t net_next(struct sim *s);
/* Deliver one frame that is due, or do one event. */
void net_step(struct sim *s);

/* app.c */
/* The latest connection of these ports, by side: they may be used again. */
struct conn *app_find(struct sim *s, const uint16_t port[2]);
uint8_t app_byte(const struct conn *c, unsigned side, uint32_t off);
void app_init(struct sim *s);
int64_t app_next(struct sim *s);
void app_step(struct sim *s);
bool app_done(const struct sim *s);
extern const ToeStreamOps app_ops;

/* check.c */
/* The frame leaves the adapter; fills seg in. */
void check_sent(struct side *w, const uint8_t *frame, size_t len,
		struct seg *seg);
/* The frame is about to be given to the adapter, as it was sent. */
void check_delivered(struct sim *s, const struct seg *seg);
/* All is over: nothing may be left. */
void check_end(struct sim *s);

/* pcap.c: what passed the two ports */
struct pcap *pcap_open(const char *path);
void pcap_frame(struct pcap *p, unsigned side, bool in, int64_t when,
		const uint8_t *frame, size_t len);
void pcap_close(struct pcap *p);

#endif
