/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libflow.h - what the test programs say to each other over a TCP connection,
 * whatever carries it: libtoe in the guest, kernel sockets on either side.
 *
 * The client sends a header that names a seed and two lengths, then "up" bytes
 * of the stream of that seed; the server sends "down" bytes of another one
 * at the same time.  If asked to, the server ends with a verdict on what
 * it received.  The bytes at each offset follow from the seed, so that both
 * sides know what has to come: a byte that is lost, doubled, swapped or another
 * connection's is noticed, with its offset.
 *
 * A flow holds no buffer and does no input or output: its owner asks for the
 * next bytes to send and hands in those received.
 */
#ifndef TEST_LIBFLOW_H
#define TEST_LIBFLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOW_MAGIC	0x31545345544f5445ull
#define FLOW_F_VERDICT	0x1u		/* server: say what came */
#define FLOW_F_HOLD	0x2u		/* server: send nothing before all came */
#define FLOW_FOREVER	(1ull << 62)	/* a length that is never reached */

/* On the wire, little-endian (all machines of these tests are). */
struct flow_header {
	uint64_t magic;
	uint32_t flags;			/* FLOW_F_* */
	uint32_t rsvd;
	uint64_t seed;
	uint64_t up;			/* bytes, client to server */
	uint64_t down;			/* bytes, server to client */
};

struct flow_verdict {
	uint64_t magic;
	uint64_t received;
	uint64_t ok;
};

struct flow {
	bool server;
	bool known;			/* header is there */
	bool eof;			/* peer's stream has ended */
	bool wrong;			/* see why */
	struct flow_header hdr;
	struct flow_verdict verdict;
	uint64_t tx_pos, rx_pos;	/* in the streams, header and all */
	char why[160];
};

/* len bytes of seed's stream at offset; *_check gives the first wrong one's
 * index, or len. */
void stream_fill(uint64_t seed, uint64_t offset, void *buf, size_t len);
size_t stream_check(uint64_t seed, uint64_t offset, const void *buf,
		    size_t len);

void flow_client(struct flow *f, uint64_t seed, uint64_t up, uint64_t down,
		 uint32_t flags);
void flow_server(struct flow *f);

/* The next bytes to send, at most cap, from the present position (which
 * flow_sent() moves).  0: nothing now. */
size_t flow_next(const struct flow *f, void *buf, size_t cap);
void flow_sent(struct flow *f, size_t n);

/* Bytes that came; false: they are wrong, see why. */
bool flow_received(struct flow *f, const void *data, size_t n);

/* The peer's stream ended; false: too early. */
bool flow_ended(struct flow *f);

/* Everything was sent; everything came (and was right). */
bool flow_tx_done(const struct flow *f);
bool flow_rx_done(const struct flow *f);

/* Payload bytes so far. */
uint64_t flow_bytes_up(const struct flow *f);
uint64_t flow_bytes_down(const struct flow *f);

#endif /* TEST_LIBFLOW_H */
