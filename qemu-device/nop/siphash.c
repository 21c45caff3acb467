/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * siphash.c - SipHash-2-4 after Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF" (2012): two rounds for each 8-byte word, four at the end;
 * the last word holds what is left and the length modulo 256.
 */
#include "siphash.h"

#include <string.h>

typedef struct SipState {
    uint64_t v0, v1, v2, v3;    /* no array: they stay in registers */
} SipState;

static inline uint64_t rotl(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline uint64_t load_le64(const uint8_t *p)
{
    uint64_t w;

    memcpy(&w, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

static inline SipState sip_round(SipState s)
{
    s.v0 += s.v1;
    s.v1 = rotl(s.v1, 13) ^ s.v0;
    s.v0 = rotl(s.v0, 32);
    s.v2 += s.v3;
    s.v3 = rotl(s.v3, 16) ^ s.v2;
    s.v0 += s.v3;
    s.v3 = rotl(s.v3, 21) ^ s.v0;
    s.v2 += s.v1;
    s.v1 = rotl(s.v1, 17) ^ s.v2;
    s.v2 = rotl(s.v2, 32);
    return s;
}

static inline SipState take(SipState s, uint64_t m)
{
    s.v3 ^= m;
    s = sip_round(sip_round(s));
    s.v0 ^= m;
    return s;
}

uint64_t toe_siphash(const ToeSipKey *key, const void *data, size_t len)
{
    const uint8_t *p = data;
    SipState s = {
        key->k[0] ^ 0x736f6d6570736575ULL,
        key->k[1] ^ 0x646f72616e646f6dULL,
        key->k[0] ^ 0x6c7967656e657261ULL,
        key->k[1] ^ 0x7465646279746573ULL,
    };
    uint64_t last = (uint64_t)(len & 0xff) << 56;
    size_t i;

    for (; len >= 8; len -= 8, p += 8) {
        s = take(s, load_le64(p));
    }
    for (i = 0; i < len; i++) {
        last |= (uint64_t)p[i] << (8 * i);
    }
    s = take(s, last);
    s.v2 ^= 0xff;
    s = sip_round(sip_round(sip_round(sip_round(s))));
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
