/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_checksum.c - the Internet checksum, and SipHash: against worked
 * examples, and against the definition taken byte by byte.
 */
#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include "nop/checksum.h"
#include "nop/siphash.h"
#include "toe_hw.h"

/* What is used on a processor without AVX2, beside what is used on this one. */
#define TOE_CSUM_PLAIN
#define toe_csum plain_csum
#define toe_csum_copy plain_csum_copy
#define toe_csum_join plain_csum_join
#define toe_csum_pseudo plain_csum_pseudo
#define toe_csum_store plain_csum_store
#define toe_csum_ok plain_csum_ok
#include "nop/checksum.c"
#undef toe_csum
#undef toe_csum_copy
#undef toe_csum_join
#undef toe_csum_pseudo
#undef toe_csum_store
#undef toe_csum_ok

static const struct {
	uint32_t (*sum)(const void *data, size_t len, uint32_t sum);
	uint32_t (*copy)(void *dst, const void *src, size_t len, uint32_t sum);
} ways[] = {
	{ toe_csum, toe_csum_copy },
	{ plain_csum, plain_csum_copy },
};

/* RFC 1071 as it is written: 16-bit words in network order, end-around. */
static uint16_t by_definition(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return ~sum;
}

static uint16_t stored(uint32_t sum)
{
	uint8_t f[2];

	toe_csum_store(f, sum);
	return f[0] << 8 | f[1];
}

static void fill(uint8_t *p, size_t len, uint32_t seed)
{
	GRand *r = g_rand_new_with_seed(seed);
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = g_rand_int(r) >> 13;
	g_rand_free(r);
}

START_TEST(test_rfc_example)
{
	/* RFC 1071, section 3: the sum is 0xddf2. */
	const uint8_t p[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	ck_assert_uint_eq(stored(toe_csum(p, sizeof(p), 0)),
			  (uint16_t)~0xddf2);
}
END_TEST

START_TEST(test_ip_header)
{
	/* A header seen on the wire, checksum 0xb861. */
	const uint8_t p[] = {
		0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
		0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
	};
	uint8_t q[20];

	ck_assert(toe_csum_ok(toe_csum(p, 20, 0)));
	memcpy(q, p, 20);
	q[10] = q[11] = 0;
	toe_csum_store(q + 10, toe_csum(q, 20, 0));
	ck_assert_mem_eq(p, q, 20);
	q[7] ^= 1;
	ck_assert(!toe_csum_ok(toe_csum(q, 20, 0)));
}
END_TEST

/* Every length around the block sizes, every alignment. */
START_TEST(test_lengths)
{
	size_t len, at;

	for (len = 0; len <= 400; len++) {
		for (at = 0; at < 9; at++) {
			uint8_t *p = g_malloc(at + len);

			fill(p, at + len, len);
			ck_assert_uint_eq(stored(ways[_i].sum(p + at, len, 0)),
					  by_definition(p + at, len));
			g_free(p);
		}
	}
}
END_TEST

START_TEST(test_large)
{
	const size_t len = 65535;
	uint8_t *p = g_malloc(len);

	fill(p, len, 7);
	ck_assert_uint_eq(stored(ways[_i].sum(p, len, 0)), by_definition(p, len));
	/* All ones: every carry there can be. */
	memset(p, 0xff, len);
	ck_assert_uint_eq(stored(ways[_i].sum(p, len, 0)), by_definition(p, len));
	ck_assert_uint_eq(stored(ways[_i].sum(p, len - 1, 0)),
			  by_definition(p, len - 1));
	g_free(p);
}
END_TEST

START_TEST(test_copy)
{
	size_t len, at;

	for (len = 0; len <= 400; len++) {
		for (at = 0; at < 5; at++) {
			uint8_t *p = g_malloc(len), *q = g_malloc(at + len + 1);

			fill(p, len, len);
			q[at + len] = 0xa5;
			ck_assert_uint_eq(
				stored(ways[_i].copy(q + at, p, len, 0)),
				by_definition(p, len));
			if (len)
				ck_assert_mem_eq(q + at, p, len);
			ck_assert_uint_eq(q[at + len], 0xa5);
			g_free(p);
			g_free(q);
		}
	}
}
END_TEST

/* Cut anywhere, summed apart, joined: the same. */
START_TEST(test_join)
{
	uint8_t p[400], q[400];
	size_t cut, cut2;

	fill(p, sizeof(p), 3);
	for (cut = 0; cut <= sizeof(p); cut += 13) {
		for (cut2 = cut; cut2 <= sizeof(p); cut2 += 31) {
			uint32_t s = toe_csum(p, cut, 0);

			s = toe_csum_join(s, toe_csum(p + cut, cut2 - cut, 0),
					  cut);
			s = toe_csum_join(s, toe_csum_copy(q, p + cut2,
							   sizeof(p) - cut2,
							   0), cut2);
			ck_assert_uint_eq(stored(s),
					  by_definition(p, sizeof(p)));
		}
	}
}
END_TEST

START_TEST(test_pseudo)
{
	/*
	 * A UDP packet, 1.2.3.4 -> 5.6.7.8, 9 bytes of UDP, proto 17; the
	 * expected value by adding the words by hand:
	 * 0102+0304+0506+0708+0011+0009 = 102e
	 */
	const uint8_t src[4] = { 1, 2, 3, 4 }, dst[4] = { 5, 6, 7, 8 };
	uint8_t long_src[16], long_dst[16], all[40] = { 0 };

	ck_assert_uint_eq(stored(toe_csum_pseudo(TOE_AF_INET, src, dst, 17,
						 9)), (uint16_t)~0x102e);
	fill(long_src, 16, 1);
	fill(long_dst, 16, 2);
	memcpy(all, long_src, 16);
	memcpy(all + 16, long_dst, 16);
	all[33] = 0x01, all[34] = 0x02, all[35] = 0x03, all[39] = 6;
	ck_assert_uint_eq(stored(toe_csum_pseudo(TOE_AF_INET6, long_src,
						 long_dst, 6, 0x10203)),
			  by_definition(all, 40));
}
END_TEST

START_TEST(test_siphash)
{
	/* The paper's appendix A: key 00..0f, input 00..0e. */
	const ToeSipKey key = { { 0x0706050403020100ULL,
				  0x0f0e0d0c0b0a0908ULL } };
	uint8_t in[16];
	unsigned i;

	for (i = 0; i < 16; i++)
		in[i] = i;
	ck_assert(toe_siphash(&key, in, 15) == 0xa129ca6149be45e5ULL);
	/* The first and another of the reference vectors. */
	ck_assert(toe_siphash(&key, in, 0) == 0x726fdb47dd0e0e31ULL);
	ck_assert(toe_siphash(&key, in, 8) == 0x93f5f5799a932462ULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("checksum");
	TCase *t = tcase_create("checksum");
	SRunner *r;
	int failed;

	tcase_add_test(t, test_rfc_example);
	tcase_add_test(t, test_ip_header);
	tcase_add_loop_test(t, test_lengths, 0, G_N_ELEMENTS(ways));
	tcase_add_loop_test(t, test_large, 0, G_N_ELEMENTS(ways));
	tcase_add_loop_test(t, test_copy, 0, G_N_ELEMENTS(ways));
	tcase_add_test(t, test_join);
	tcase_add_test(t, test_pseudo);
	tcase_add_test(t, test_siphash);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
