/* SPDX-License-Identifier: MIT */
/*
 * common_perf.h - what toe-perf's client and server say to each other.
 *
 * A connection begins with a header of 32 bytes from the client; numbers are
 * big-endian.  Then, by workload:
 *
 *	bulk-tx    client sends until FIN; server answers with the number of
 *	           bytes it got (8 bytes) and closes
 *	bulk-rx    server sends `bytes` bytes (0: until the client goes away)
 *	           and closes
 *	ping-pong  server sends each message of `size` bytes back, until FIN
 *	conn-rate  client sends `size` bytes, the header among them; server
 *	           answers with as many; the client closes, so TIME-WAIT is on
 *	           its side
 */
#ifndef TOE_TOOLS_PERF_H
#define TOE_TOOLS_PERF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PERF_MAGIC	0x544f4550u	/* "TOEP" */
#define PERF_VERSION	1u
#define PERF_HEADER	32u
#define PERF_PORT	"5201"
#define PERF_SIZE_MAX	(1u << 20)	/* of a ping-pong or conn-rate message */
#define PERF_CHUNK	(256u << 10)	/* of the server's reads and writes */

enum perf_workload {
	PERF_BULK_TX = 1,
	PERF_BULK_RX,
	PERF_PING_PONG,
	PERF_CONN_RATE,
};

struct perf_header {
	uint32_t workload;
	uint32_t size;
	uint64_t bytes;
};

void perf_header_put(uint8_t to[PERF_HEADER], const struct perf_header *h);
/* False: not a header, or numbers out of range. */
bool perf_header_get(const uint8_t from[PERF_HEADER], struct perf_header *h);

/*
 * The server's side of one connection, over any non-blocking stream.  The
 * functions return bytes, 0 at the end (recv), or -EAGAIN or another error.
 * discard() drops received bytes without giving them.
 */
struct perf_io {
	ssize_t (*recv)(void *link, void *buf, size_t len);
	ssize_t (*discard)(void *link, size_t len);
	ssize_t (*send)(void *link, const void *buf, size_t len);
};

struct perf_peer {
	const struct perf_io *io;
	void *link;
	struct perf_header h;
	bool started;			/* header is there */
	bool eof;
	uint64_t in, out;		/* payload bytes, header not counted */
	uint32_t have;			/* bytes in head */
	uint8_t head[PERF_HEADER];
	uint8_t *message;		/* ping-pong; h.size bytes */
};

void perf_peer_init(struct perf_peer *p, const struct perf_io *io, void *link);
void perf_peer_free(struct perf_peer *p);
/*
 * Go on as far as possible.  True: call again when the stream is readable or
 * writable.  False: through with it, close.  The work of one call is bounded.
 */
bool perf_peer_run(struct perf_peer *p, bool *want_write, bool *again);

/* The two servers; they return only on an error, negative errno. */
int perf_serve_kernel(const char *bind_host, const char *port);
int perf_serve_native(const char *bind_host, const char *port, bool spin);

#endif
