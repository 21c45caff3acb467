/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz.h - what every fuzz target needs: the input as a stream, and a way to
 * say that something is wrong.
 *
 * A target (fuzz_*.c) turns its input into a sequence of operations: a byte
 * says which, the bytes behind it are its parameters.  Every input is a valid
 * sequence: at its end all further reads give 0, and numbers that are out of
 * range are brought into it.  So no input is wasted on being rejected, and
 * one that was found can be cut and joined by the fuzzer.
 *
 * No input may depend on another one: a target makes its world anew for each.
 */
#ifndef TOE_TESTS_FUZZ_H
#define TOE_TESTS_FUZZ_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What must hold whatever the input; the sanitizers show where it did not. */
#define INVARIANT(cond, ...) do { \
	if (!(cond)) { \
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, \
			#cond); \
		fprintf(stderr, __VA_ARGS__); \
		fputc('\n', stderr); \
		abort(); \
	} \
} while (0)

struct input {
	const uint8_t *p;
	size_t left;
};

static inline bool in_more(const struct input *in)
{
	return in->left > 0;
}

static inline uint8_t in_8(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

static inline uint16_t in_16(struct input *in)
{
	uint16_t low = in_8(in);

	return (uint16_t)(low | in_8(in) << 8);
}

static inline uint32_t in_32(struct input *in)
{
	uint32_t low = in_16(in);

	return low | (uint32_t)in_16(in) << 16;
}

/* Copy len bytes, zeros behind the input's end. */
static inline void in_copy(struct input *in, void *to, size_t len)
{
	size_t n = len < in->left ? len : in->left;

	memset((uint8_t *)to + n, 0, len - n);
	if (!n)
		return;
	memcpy(to, in->p, n);
	in->p += n;
	in->left -= n;
}

#endif
