/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * siphash.c - SipHash-2-4 after Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF" (2012): two rounds for each 8-byte word, four at the end;
 * the last word holds what is left and the length modulo 256.
 */
#include "siphash.h"

#include <string.h>

static uint64_t rotl(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t load_le64(const uint8_t *p, size_t n)
{
    uint64_t w = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        w |= (uint64_t)p[i] << (8 * i);
    }
    return w;
}

static void rounds(uint64_t v[4], unsigned n)
{
    while (n--) {
        v[0] += v[1];
        v[1] = rotl(v[1], 13) ^ v[0];
        v[0] = rotl(v[0], 32);
        v[2] += v[3];
        v[3] = rotl(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotl(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotl(v[1], 17) ^ v[2];
        v[2] = rotl(v[2], 32);
    }
}

uint64_t toe_siphash(const ToeSipKey *key, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t v[4] = {
        key->k[0] ^ 0x736f6d6570736575ULL,
        key->k[1] ^ 0x646f72616e646f6dULL,
        key->k[0] ^ 0x6c7967656e657261ULL,
        key->k[1] ^ 0x7465646279746573ULL,
    };
    uint64_t last = (uint64_t)(len & 0xff) << 56;
    uint64_t m;

    for (; len >= 8; len -= 8, p += 8) {
        m = load_le64(p, 8);
        v[3] ^= m;
        rounds(v, 2);
        v[0] ^= m;
    }
    m = last | load_le64(p, len);
    v[3] ^= m;
    rounds(v, 2);
    v[0] ^= m;
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
