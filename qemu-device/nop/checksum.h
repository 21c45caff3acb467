/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checksum.h - the Internet checksum (RFC 1071).
 *
 * A partial sum is a 32-bit number that can be carried from piece to piece.
 * It is in the machine's byte order, as the words lie in memory: never look
 * at it, end it with toe_csum_store() or toe_csum_ok().
 *
 *   sum = toe_csum_pseudo(family, src, dst, proto, len);
 *   sum = toe_csum(header, hlen, sum);               (hlen even)
 *   sum = toe_csum_copy(to, from, n, sum);           (copies as it sums)
 *   toe_csum_store(header + 16, sum);
 *
 * A piece that begins at an odd offset of the whole must be summed by itself
 * and joined with toe_csum_join().
 */
#ifndef TOE_NOP_CHECKSUM_H
#define TOE_NOP_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Add len bytes that begin at an even offset of the whole. */
uint32_t toe_csum(const void *data, size_t len, uint32_t sum);
/* The same, and copy them to dst in the same pass; no overlap. */
uint32_t toe_csum_copy(void *dst, const void *src, size_t len, uint32_t sum);
/* Join the sum of a piece (begun from 0) that lies at this offset. */
uint32_t toe_csum_join(uint32_t sum, uint32_t part, size_t offset);
/*
 * The pseudo header of TCP and UDP over IPv4 (addresses: 4 bytes) or IPv6
 * (16); len: transport header and payload.
 */
uint32_t toe_csum_pseudo(uint8_t family, const uint8_t *src,
                         const uint8_t *dst, uint8_t proto, uint32_t len);
/* Complement and store; the field must have been 0 when it was summed. */
void toe_csum_store(uint8_t *field, uint32_t sum);
/* Is the sum over data with its checksum field right? */
bool toe_csum_ok(uint32_t sum);

#endif
