/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peer.h - the engine against the TCP of this machine's kernel.
 *
 *   main.c    what is run, and what comes out: matrix, goodput, fairness
 *   net.c     three ends on a switch of wires: the engine, and two taps, each
 *             in a network namespace of its own
 *   flow.c    a stream of bytes from one end to another, checked
 *   wire.c    links that lose, delay, reorder, limit and mark
 *
 * One thread and no VM.  The engine is the adapter's network side as a
 * library, on the real clock.  Both kernels are this one, in two namespaces,
 * so that the kernel can be compared with the engine as a sender to the same
 * receiver over the same wires.
 */
#ifndef TOE_TESTS_PEER_H
#define TOE_TESTS_PEER_H

#include "nop/nop.h"
#include "nop/wire.h"
#include "wire.h"

#define MS		TOE_NS_PER_MS
#define SEC		TOE_NS_PER_S
#define PORT_BASE	10000u		/* flow i is received at port BASE + i */
#define FLOWS_MAX	2048u

enum end { ENGINE, KERNEL, KERNEL2, ENDS };

struct flow {
	/* What is asked for. */
	unsigned id;
	enum end from, to;
	uint8_t family;		/* TOE_AF_* */
	const char *cc;		/* the sender's: cubic, newreno, dctcp, ecn */
	uint64_t bytes;		/* 0: as many as it can */
	struct wire *wire[2];	/* of the data, of the ACKs */
	/* How far it is. */
	bool started;
	bool done;		/* all received and checked, ended in order */
	const char *wrong;	/* what is not as it has to be */
	uint64_t sent;
	uint64_t got;
	int64_t begun;
	int64_t ended;
	/* Sockets of a kernel, -1: none; handles of the engine, 0: none. */
	int listen_fd, send_fd, recv_fd;
	uint32_t listener, send_h, recv_h;
	bool up;
	GChecksum *sum[2];	/* of finite ones: sender's, receiver's */
};

struct net;

/* As root of a network namespace; exits with 77 and a reason if it cannot. */
struct net *net_new(uint32_t buffers);
void net_free(struct net *n);
ToeNop *net_engine(struct net *n);
ToeLmem *net_lmem(struct net *n);
uint64_t net_counter(struct net *n, enum toe_counter c);
int64_t net_now(void);
/* Let the flows run till all are done, or until this time. */
void net_run(struct net *n, int64_t until);
/* A flow takes part from now on; it starts at once. */
void net_add(struct net *n, struct flow *f);
void net_remove(struct net *n, struct flow *f);
/* A socket in the namespace of this end; watched from now on. */
int net_socket(struct net *n, enum end end, uint8_t family);
void net_watch(struct net *n, int fd, struct flow *f, bool out);
void net_unwatch(struct net *n, int fd);
/* The address of an end: bytes as in the adapter. */
void net_address(enum end end, uint8_t family, uint8_t *addr);
/* How many of the flows are not done. */
unsigned net_unfinished(struct net *n);

/* flow.c */
void flow_start(struct net *n, struct flow *f);
void flow_stop(struct net *n, struct flow *f);
/* One of its sockets is ready. */
void flow_ready(struct net *n, struct flow *f);
/* The engine says something about one of its handles. */
void flow_established(struct net *n, struct flow *f);
void flow_incoming(struct net *n, struct flow *f, uint32_t handle);
void flow_readable(struct net *n, struct flow *f);
void flow_writable(struct net *n, struct flow *f);
void flow_peer_closed(struct net *n, struct flow *f, uint32_t handle);
void flow_closed(struct net *n, struct flow *f, uint32_t handle,
		 uint8_t status);

#endif
