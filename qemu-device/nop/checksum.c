/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checksum.c - the Internet checksum, wide.
 *
 * The one's complement sum of 16-bit words can be taken in any word size and
 * any byte order and folded at the end (RFC 1071, section 2).  Segments here
 * have up to 64 KiB, so the sum is most of what the adapter does to a byte:
 * the main loop takes 64 bytes a time as vectors (GCC and clang make SSE, AVX
 * or NEON of them), splits each 64-bit lane into its 32-bit halves and adds
 * these to 64-bit lanes, which cannot overflow in 2^32 rounds.
 */
#include "checksum.h"

#include <string.h>
#include "toe_hw.h"

typedef uint64_t Vec __attribute__((vector_size(16)));

#define BLOCK 64u               /* bytes of a round of the main loop */

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

/* One variable each and no array, or the compiler goes through the stack. */
static inline __attribute__((always_inline)) Vec load(const uint8_t *p)
{
    Vec v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static inline __attribute__((always_inline)) void store(uint8_t *p, Vec v)
{
    memcpy(p, &v, sizeof(v));
}

/*
 * The sum of len bytes; if copy, they go to dst too.  Always inlined into two
 * callers, so that the plain sum has no trace of the copy.
 */
static inline __attribute__((always_inline))
uint32_t sum_bytes(bool copy, uint8_t *dst, const uint8_t *p, size_t len,
                   uint32_t sum)
{
    uint64_t s = sum;

    if (len >= BLOCK) {
        const Vec low = { 0xffffffffu, 0xffffffffu };
        Vec a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };

        do {
            Vec v0 = load(p), v1 = load(p + 16);
            Vec v2 = load(p + 32), v3 = load(p + 48);

            if (copy) {
                store(dst, v0);
                store(dst + 16, v1);
                store(dst + 32, v2);
                store(dst + 48, v3);
                dst += BLOCK;
            }
            a += v0 & low;
            b += v0 >> 32;
            c += v1 & low;
            d += v1 >> 32;
            a += v2 & low;
            b += v2 >> 32;
            c += v3 & low;
            d += v3 >> 32;
            p += BLOCK;
            len -= BLOCK;
        } while (len >= BLOCK);
        a += b;
        c += d;
        a += c;
        s += fold32(a[0]);
        s += fold32(a[1]);
    }
    for (; len >= 4; len -= 4, p += 4) {
        uint32_t w;

        memcpy(&w, p, 4);
        s += w;
        if (copy) {
            memcpy(dst, &w, 4);
            dst += 4;
        }
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

uint32_t toe_csum(const void *data, size_t len, uint32_t sum)
{
    return sum_bytes(false, NULL, data, len, sum);
}

uint32_t toe_csum_copy(void *dst, const void *src, size_t len, uint32_t sum)
{
    return sum_bytes(true, dst, src, len, sum);
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
