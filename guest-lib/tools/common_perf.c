// SPDX-License-Identifier: MIT
/*
 * common_perf.c - toe-perf's header, and the server's side of a connection as
 * a state machine that knows neither sockets nor the adapter.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common_perf.h"

#define TURN_MAX	64		/* reads and writes of one call */

static uint8_t zeros[PERF_CHUNK];	/* what bulk-rx sends */

static void put(uint8_t *to, uint64_t v, unsigned int bytes)
{
	while (bytes--) {
		to[bytes] = (uint8_t)v;
		v >>= 8;
	}
}

static uint64_t take(const uint8_t *from, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | *from++;
	return v;
}

void perf_header_put(uint8_t to[PERF_HEADER], const struct perf_header *h)
{
	memset(to, 0, PERF_HEADER);
	put(to, PERF_MAGIC, 4);
	put(to + 4, PERF_VERSION, 4);
	put(to + 8, h->workload, 4);
	put(to + 12, h->size, 4);
	put(to + 16, h->bytes, 8);
}

bool perf_header_get(const uint8_t from[PERF_HEADER], struct perf_header *h)
{
	if (take(from, 4) != PERF_MAGIC || take(from + 4, 4) != PERF_VERSION ||
	    take(from + 24, 8))
		return false;
	h->workload = (uint32_t)take(from + 8, 4);
	h->size = (uint32_t)take(from + 12, 4);
	h->bytes = take(from + 16, 8);
	switch (h->workload) {
	case PERF_BULK_TX:
	case PERF_BULK_RX:
		return true;
	case PERF_PING_PONG:
		return h->size && h->size <= PERF_SIZE_MAX;
	case PERF_CONN_RATE:
		return h->size >= PERF_HEADER && h->size <= PERF_CHUNK;
	}
	return false;
}

void perf_peer_init(struct perf_peer *p, const struct perf_io *io, void *link)
{
	memset(p, 0, sizeof(*p));
	p->io = io;
	p->link = link;
}

void perf_peer_free(struct perf_peer *p)
{
	free(p->message);
	p->message = NULL;
}

/* One step: 1 progress, 0 through, -EAGAIN or error. */
static int header_step(struct perf_peer *p)
{
	ssize_t n = p->io->recv(p->link, p->head + p->have,
				PERF_HEADER - p->have);

	if (n <= 0)
		return (int)n;
	p->have += (uint32_t)n;
	if (p->have < PERF_HEADER)
		return 1;
	if (!perf_header_get(p->head, &p->h))
		return -EPROTO;
	p->started = true;
	if (p->h.workload == PERF_PING_PONG) {
		p->message = malloc(p->h.size);
		if (!p->message)
			return -ENOMEM;
	}
	if (p->h.workload == PERF_CONN_RATE)
		p->in = PERF_HEADER;
	return 1;
}

static int tx_step(struct perf_peer *p)
{
	uint8_t answer[8];
	ssize_t n;

	if (!p->eof) {
		n = p->io->discard(p->link, PERF_CHUNK);
		if (n < 0)
			return (int)n;
		p->in += (uint64_t)n;
		p->eof = n == 0;
		return 1;
	}
	put(answer, p->in, 8);
	n = p->io->send(p->link, answer + p->out, sizeof(answer) - p->out);
	if (n < 0)
		return (int)n;
	p->out += (uint64_t)n;
	return p->out < sizeof(answer);
}

static int rx_step(struct perf_peer *p)
{
	size_t part = PERF_CHUNK;
	ssize_t n;

	if (p->h.bytes && p->h.bytes - p->out < part)
		part = (size_t)(p->h.bytes - p->out);
	if (!part)
		return 0;
	n = p->io->send(p->link, zeros, part);
	if (n < 0)
		return (int)n;
	p->out += (uint64_t)n;
	return 1;
}

/* Receive a message, send it back; in and out count within the message. */
static int echo_step(struct perf_peer *p)
{
	ssize_t n;

	if (p->in < p->h.size) {
		n = p->io->recv(p->link, p->message + p->in,
				p->h.size - p->in);
		if (n <= 0)
			return (int)n;
		p->in += (uint64_t)n;
		return 1;
	}
	n = p->io->send(p->link, p->message + p->out, p->h.size - p->out);
	if (n < 0)
		return (int)n;
	p->out += (uint64_t)n;
	if (p->out == p->h.size)
		p->in = p->out = 0;
	return 1;
}

static int rate_step(struct perf_peer *p)
{
	ssize_t n;

	if (p->in < p->h.size) {
		n = p->io->discard(p->link, (size_t)(p->h.size - p->in));
		if (n <= 0)
			return (int)n;
		p->in += (uint64_t)n;
		return 1;
	}
	if (p->out == p->h.size) {		/* the client closes */
		n = p->io->discard(p->link, PERF_CHUNK);
		return n < 0 ? (int)n : n > 0;
	}
	n = p->io->send(p->link, zeros, (size_t)(p->h.size - p->out));
	if (n < 0)
		return (int)n;
	p->out += (uint64_t)n;
	return 1;
}

static bool is_sending(const struct perf_peer *p)
{
	switch (p->started ? p->h.workload : 0) {
	case PERF_BULK_TX:
		return p->eof;
	case PERF_BULK_RX:
		return true;
	case PERF_PING_PONG:
		return p->in == p->h.size;
	case PERF_CONN_RATE:
		return p->in == p->h.size && p->out < p->h.size;
	}
	return false;
}

bool perf_peer_run(struct perf_peer *p, bool *want_write, bool *again)
{
	static int (*const steps[])(struct perf_peer *) = {
		[0] = header_step,
		[PERF_BULK_TX] = tx_step,
		[PERF_BULK_RX] = rx_step,
		[PERF_PING_PONG] = echo_step,
		[PERF_CONN_RATE] = rate_step,
	};
	unsigned int turn;
	int n = 1;

	for (turn = 0; turn < TURN_MAX && n > 0; turn++)
		n = steps[p->started ? p->h.workload : 0](p);
	*again = n > 0;
	*want_write = is_sending(p);
	return n > 0 || n == -EAGAIN;
}
