/* SPDX-License-Identifier: MIT */
/*
 * common_http.h - URLs, and an HTTP/1.1 response read piece by piece.
 *
 * http_feed() takes the bytes as they come and hands the body, freed of
 * chunking, to a function.  No allocation and no system call of its own.
 */
#ifndef TOE_TOOLS_HTTP_H
#define TOE_TOOLS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct url {
	char host[256];		/* an IPv6 address without its brackets */
	char port[8];
	char path[2048];
};

/* http://host[:port][/path], host may be [IPv6 address]; NULL, or a sentence that says what is wrong. */
const char *url_parse(struct url *u, const char *s);

enum http_state {
	HTTP_HEAD,
	HTTP_BODY,		/* content-length, or until the end */
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK,
	HTTP_CHUNK_END,		/* CR LF after a chunk */
	HTTP_TRAILER,
	HTTP_DONE,
	HTTP_BAD,
};

struct http {
	enum http_state state;
	int status;			/* of the response, e.g. 200 */
	bool has_length;
	uint64_t length;		/* of the body, with has_length */
	uint64_t left;			/* of the body, or of the chunk */
	uint64_t body;			/* bytes handed on */
	const char *error;		/* with HTTP_BAD */
	bool (*sink)(void *opaque, const uint8_t *data, size_t len);
	void *opaque;
	size_t have;			/* in line */
	char line[16384];		/* the head; a chunk's size line */
};

void http_init(struct http *h,
	       bool (*sink)(void *opaque, const uint8_t *data, size_t len),
	       void *opaque);
/* False: HTTP_BAD, or the sink said no (then error is NULL). */
bool http_feed(struct http *h, const uint8_t *data, size_t len);
/* The connection ended.  False and an error if the response is not whole. */
bool http_end(struct http *h);

#endif
