/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * siphash.h - SipHash-2-4, a keyed hash for short inputs.
 *
 * Used where a peer could choose the input and gain by knowing the output:
 * hash tables of connections and neighbours, initial sequence numbers
 * (RFC 6528), SYN cookies.
 */
#ifndef TOE_NOP_SIPHASH_H
#define TOE_NOP_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct ToeSipKey {
    uint64_t k[2];              /* secret, random */
} ToeSipKey;

/* The same for the same key and bytes on every machine. */
uint64_t toe_siphash(const ToeSipKey *key, const void *data, size_t len);

#endif
