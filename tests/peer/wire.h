/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.h - links that misbehave, in real time.
 *
 * What tc netem does, in user space: loss, delay, reordering, and a bottleneck
 * with a rate, a queue and CE marks (RFC 3168) above a threshold of it.  A
 * wire goes one way.  Chance comes from the wire's seed; only time is real.
 */
#ifndef TOE_TESTS_PEER_WIRE_H
#define TOE_TESTS_PEER_WIRE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_params {
	double loss;		/* share of the frames */
	double reorder;		/* share that is held up by reorder_by */
	int64_t reorder_by;	/* ns */
	int64_t delay;		/* ns */
	uint64_t rate;		/* bit/s; 0: no bottleneck */
	uint64_t queue;		/* bytes that wait before it, at most */
	uint64_t mark;		/* bytes from which on ECT frames are marked */
};

struct wire {
	struct wire_params p;
	uint64_t seed;
	int64_t busy_until;	/* of the bottleneck */
	uint64_t frames;
	uint64_t lost;		/* by chance */
	uint64_t dropped;	/* by the queue */
	uint64_t held;
	uint64_t marked;
};

struct wires;

typedef void wire_out(void *opaque, unsigned to, const uint8_t *frame,
		      size_t len);

struct wires *wires_new(wire_out *out, void *opaque);
void wires_free(struct wires *w);
/* A frame enters a wire (NULL: one without faults) for the end to. */
void wires_send(struct wires *w, struct wire *wire, unsigned to, int64_t now,
		const uint8_t *frame, size_t len);
/* When the next frame arrives; INT64_MAX: none is under way. */
int64_t wires_next(const struct wires *w);
/* Let the frames out that are due. */
void wires_run(struct wires *w, int64_t now);

#endif
