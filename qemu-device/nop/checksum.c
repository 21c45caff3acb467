/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checksum.c - the Internet checksum, wide.
 *
 * The one's complement sum of 16-bit words can be taken in any word size and
 * any byte order and folded at the end (RFC 1071, section 2).  Segments here
 * have up to 64 KiB, so the sum is most of what the adapter does to a byte:
 * the main loop takes four vectors a time (GCC and clang make SSE, AVX or NEON
 * of them), splits each 64-bit lane into its 32-bit halves and adds
 * these to 64-bit lanes, which cannot overflow in 2^32 rounds.
 *
 * Programs for x86-64 are built for processors that have SSE alone; there all
 * is compiled twice, and the one with AVX2 is taken where the processor has
 * it: half the time.
 */
#include "checksum.h"

#include <string.h>
#include "toe_hw.h"

typedef uint64_t Vec16 __attribute__((vector_size(16)));
typedef uint64_t Vec32 __attribute__((vector_size(32)));

#define INLINE inline __attribute__((always_inline))

/* Fold to 32 bits, by end-around carry: no information is lost. */
static uint32_t fold32(uint64_t s)
{
    s = (s & 0xffffffffu) + (s >> 32);
    s = (s & 0xffffffffu) + (s >> 32);
    return (uint32_t)s;
}

static uint16_t fold16(uint32_t s)
{
    s = (s & 0xffff) + (s >> 16);
    s = (s & 0xffff) + (s >> 16);
    return (uint16_t)s;
}

/*
 * The main loop, for one type of vector: the sum of whole rounds, of which
 * there must be one; what is left over stays in *p and *len.  One variable for
 * each vector and no array, or the compiler goes through the stack.
 */
#define DEFINE_ROUNDS(name, Vec)                                            \
static INLINE uint64_t name(bool copy, uint8_t **dst, const uint8_t **p,    \
                            size_t *len)                                    \
{                                                                           \
    const Vec low = (Vec) { 0 } + 0xffffffffu;                              \
    Vec a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };                         \
    uint64_t s = 0;                                                         \
    size_t i;                                                               \
                                                                            \
    do {                                                                    \
        Vec v0, v1, v2, v3;                                                 \
                                                                            \
        memcpy(&v0, *p, sizeof(Vec));                                       \
        memcpy(&v1, *p + sizeof(Vec), sizeof(Vec));                         \
        memcpy(&v2, *p + 2 * sizeof(Vec), sizeof(Vec));                     \
        memcpy(&v3, *p + 3 * sizeof(Vec), sizeof(Vec));                     \
        if (copy) {                                                         \
            memcpy(*dst, &v0, sizeof(Vec));                                 \
            memcpy(*dst + sizeof(Vec), &v1, sizeof(Vec));                   \
            memcpy(*dst + 2 * sizeof(Vec), &v2, sizeof(Vec));               \
            memcpy(*dst + 3 * sizeof(Vec), &v3, sizeof(Vec));               \
            *dst += 4 * sizeof(Vec);                                        \
        }                                                                   \
        a += v0 & low;                                                      \
        b += v0 >> 32;                                                      \
        c += v1 & low;                                                      \
        d += v1 >> 32;                                                      \
        a += v2 & low;                                                      \
        b += v2 >> 32;                                                      \
        c += v3 & low;                                                      \
        d += v3 >> 32;                                                      \
        *p += 4 * sizeof(Vec);                                              \
        *len -= 4 * sizeof(Vec);                                            \
    } while (*len >= 4 * sizeof(Vec));                                      \
    a += b;                                                                 \
    c += d;                                                                 \
    a += c;                                                                 \
    for (i = 0; i < sizeof(Vec) / 8; i++) {                                 \
        s += fold32(a[i]);                                                  \
    }                                                                       \
    return s;                                                               \
}

DEFINE_ROUNDS(rounds16, Vec16)
DEFINE_ROUNDS(rounds32, Vec32)

/*
 * The sum of len bytes; if copy, they go to dst too.  Always inlined into its
 * callers, so that the plain sum has no trace of the copy.
 */
static INLINE uint32_t sum_bytes(bool wide, bool copy, uint8_t *dst,
                                 const uint8_t *p, size_t len, uint32_t sum)
{
    uint64_t s = sum;

    if (wide && len >= 4 * sizeof(Vec32)) {
        s += rounds32(copy, &dst, &p, &len);
    } else if (!wide && len >= 4 * sizeof(Vec16)) {
        s += rounds16(copy, &dst, &p, &len);
    }
    for (; len >= 8; len -= 8, p += 8) {
        uint64_t w;

        memcpy(&w, p, 8);
        s += (w & 0xffffffffu) + (w >> 32);
        if (copy) {
            memcpy(dst, &w, 8);
            dst += 8;
        }
    }
    if (len >= 4) {
        uint32_t w;

        memcpy(&w, p, 4);
        s += w;
        if (copy) {
            memcpy(dst, &w, 4);
            dst += 4;
        }
        len -= 4;
        p += 4;
    }
    if (len) {
        /* The words are complete with zero bytes (RFC 1071). */
        uint32_t w = 0;

        memcpy(&w, p, len);
        s += w;
        if (copy) {
            memcpy(dst, &w, len);
        }
    }
    return fold32(s);
}

#if defined(__x86_64__) && !defined(TOE_CSUM_PLAIN)
static __attribute__((target("avx2")))
uint32_t sum_avx2(const void *data, size_t len, uint32_t sum)
{
    return sum_bytes(true, false, NULL, data, len, sum);
}

static __attribute__((target("avx2")))
uint32_t copy_avx2(void *dst, const void *src, size_t len, uint32_t sum)
{
    return sum_bytes(true, true, dst, src, len, sum);
}

#define HAVE_AVX2 __builtin_cpu_supports("avx2")
#else
#define HAVE_AVX2 false
#define sum_avx2 toe_csum
#define copy_avx2 toe_csum_copy
#endif

uint32_t toe_csum(const void *data, size_t len, uint32_t sum)
{
    if (len >= 4 * sizeof(Vec32) && HAVE_AVX2) {
        return sum_avx2(data, len, sum);
    }
    return sum_bytes(false, false, NULL, data, len, sum);
}

uint32_t toe_csum_copy(void *dst, const void *src, size_t len, uint32_t sum)
{
    if (len >= 4 * sizeof(Vec32) && HAVE_AVX2) {
        return copy_avx2(dst, src, len, sum);
    }
    return sum_bytes(false, true, dst, src, len, sum);
}

uint32_t toe_csum_join(uint32_t sum, uint32_t part, size_t offset)
{
    if (offset & 1) {
        /* Its bytes were taken for the other halves of the words. */
        part = part << 8 | part >> 24;
    }
    return fold32((uint64_t)sum + part);
}

uint32_t toe_csum_pseudo(uint8_t family, const uint8_t *src,
                         const uint8_t *dst, uint8_t proto, uint32_t len)
{
    uint8_t tail[8] = {
        len >> 24, len >> 16, len >> 8, len, 0, 0, 0, proto
    };
    size_t alen = family == TOE_AF_INET6 ? 16 : 4;
    uint32_t sum;

    sum = toe_csum(src, alen, 0);
    sum = toe_csum(dst, alen, sum);
    return toe_csum(tail, sizeof(tail), sum);
}

void toe_csum_store(uint8_t *field, uint32_t sum)
{
    uint16_t f = ~fold16(sum);

    memcpy(field, &f, 2);
}

bool toe_csum_ok(uint32_t sum)
{
    return fold16(sum) == 0xffff;
}
