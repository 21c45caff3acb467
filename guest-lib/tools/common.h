/* SPDX-License-Identifier: MIT */
/*
 * common.h - what the tools share: messages, numbers, clocks, addresses.
 *
 * The text functions write into memory that the caller gives and end in
 * write(2): no allocation, no stdio, so that toe-get can report from inside
 * seccomp's strict mode.
 */
#ifndef TOE_TOOLS_COMMON_H
#define TOE_TOOLS_COMMON_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Name of the program in messages; main() sets it. */
extern const char *tool_name;

/* One sentence to stderr, then exit(1). */
__attribute__((noreturn, format(printf, 1, 2)))
void tool_die(const char *format, ...);

/* Text that grows in a fixed buffer; what does not fit is cut off. */
struct text {
	char buf[1024];
	size_t len;
};

void text_str(struct text *t, const char *s);
void text_u64(struct text *t, uint64_t n);
/* n / 10^digits with that many digits after the point. */
void text_fixed(struct text *t, uint64_t n, unsigned int digits);
void text_hex(struct text *t, const uint8_t *bytes, size_t n);
/* Write it to fd and empty it. */
void text_write(struct text *t, int fd);

/* Write all of buf; false if that fails (errno). Counts calls in *calls. */
bool write_all(int fd, const void *buf, size_t len, uint64_t *calls);

/* "64k", "1M", "2G", "100"; dies with a sentence that names what. */
uint64_t parse_size(const char *s, const char *what);

/* A socket address of either family. */
struct endpoint {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} u;
	socklen_t len;
};

/* Resolve host, a name or an address; dies with a sentence. */
struct endpoint resolve(const char *host, const char *port);
unsigned int endpoint_port(const struct endpoint *e);

/* Clocks, ns.  The coarse one makes no system call and has the tick's grain. */
int64_t clock_ns(void);
int64_t clock_coarse_ns(void);

/*
 * The time-stamp counter, for many short measurements; ticks_ns() converts a
 * difference, after ticks_calibrate() took about 20 ms.
 */
uint64_t ticks(void);
void ticks_calibrate(void);
uint64_t ticks_ns(uint64_t difference);

/* SHA-256 (FIPS 180-4). */
struct sha256 {
	uint32_t h[8];
	uint64_t bytes;
	uint8_t block[64];
};
void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
void sha256_end(struct sha256 *s, uint8_t digest[32]);

#endif
