// SPDX-License-Identifier: MIT
/* common.c - messages, numbers, clocks and addresses for the tools. */
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

#define CALIBRATE_NS	20000000

const char *tool_name = "toe";

void tool_die(const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", tool_name);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* ---- Text without stdio ------------------------------------------------- */

void text_str(struct text *t, const char *s)
{
	while (*s && t->len < sizeof(t->buf))
		t->buf[t->len++] = *s++;
}

static void digits_of(struct text *t, uint64_t n, unsigned int at_least)
{
	char rev[21], one[2] = { 0 };
	unsigned int i = 0;

	do {
		rev[i++] = (char)('0' + n % 10);
		n /= 10;
	} while (i < sizeof(rev) && (n || i < at_least));
	while (i) {
		one[0] = rev[--i];
		text_str(t, one);
	}
}

void text_u64(struct text *t, uint64_t n)
{
	digits_of(t, n, 1);
}

void text_fixed(struct text *t, uint64_t n, unsigned int digits)
{
	uint64_t scale = 1;
	unsigned int i;

	for (i = 0; i < digits; i++)
		scale *= 10;
	text_u64(t, n / scale);
	if (digits) {
		text_str(t, ".");
		digits_of(t, n % scale, digits);
	}
}

void text_hex(struct text *t, const uint8_t *bytes, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	char s[3] = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		s[0] = hex[bytes[i] >> 4];
		s[1] = hex[bytes[i] & 15];
		text_str(t, s);
	}
}

bool write_all(int fd, const void *buf, size_t len, uint64_t *calls)
{
	const char *p = buf;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (calls)
			(*calls)++;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

void text_write(struct text *t, int fd)
{
	write_all(fd, t->buf, t->len, NULL);
	t->len = 0;
}

/* ---- Arguments ---------------------------------------------------------- */

uint64_t parse_size(const char *s, const char *what)
{
	char *end;
	unsigned long long n;
	unsigned int shift = 0;

	errno = 0;
	n = strtoull(s, &end, 10);
	if (end == s || errno || *s == '-')
		tool_die("%s: '%s' is not a number", what, s);
	if (*end == 'k' || *end == 'K')
		shift = 10;
	else if (*end == 'm' || *end == 'M')
		shift = 20;
	else if (*end == 'g' || *end == 'G')
		shift = 30;
	if (shift)
		end++;
	if (*end)
		tool_die("%s: '%s': a number may end in k, M or G", what, s);
	if (shift && n > UINT64_MAX >> shift)
		tool_die("%s: '%s' is too large", what, s);
	return n << shift;
}

struct endpoint resolve(const char *host, const char *port)
{
	/* Sorted: what there is no way to comes last (RFC 6724). */
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
	};
	struct endpoint e = { .len = 0 };
	struct addrinfo *list;
	int err = getaddrinfo(host, port, &hints, &list);

	if (err)
		tool_die("%s, port %s: %s", host, port, gai_strerror(err));
	memcpy(&e.u, list->ai_addr, list->ai_addrlen);
	e.len = list->ai_addrlen;
	freeaddrinfo(list);
	return e;
}

unsigned int endpoint_port(const struct endpoint *e)
{
	return ntohs(e->u.sa.sa_family == AF_INET6 ? e->u.in6.sin6_port
						   : e->u.in.sin_port);
}

/* ---- Clocks ------------------------------------------------------------- */

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t clock_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_coarse_ns(void)
{
	return read_clock(CLOCK_MONOTONIC_COARSE);
}

uint64_t ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t v;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(v));
	return v;
#else
	return (uint64_t)clock_ns();
#endif
}

static double ns_per_tick = 1;

void ticks_calibrate(void)
{
	int64_t t0 = clock_ns(), t1;
	uint64_t c0 = ticks(), c1;

	do {
		t1 = clock_ns();
		c1 = ticks();
	} while (t1 - t0 < CALIBRATE_NS || c1 == c0);
	ns_per_tick = (double)(t1 - t0) / (double)(c1 - c0);
}

uint64_t ticks_ns(uint64_t difference)
{
	return (uint64_t)((double)difference * ns_per_tick);
}
