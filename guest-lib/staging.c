// SPDX-License-Identifier: MIT
/*
 * staging.c - the memory that toe_send() copies into.
 *
 * It is cut into slots of 4 KiB; one SEND takes a run of neighbouring slots,
 * so that it is one piece for the adapter.  A map with a bit per slot, instead
 * of a ring, because SENDs of different connections finish in any order: a
 * connection whose peer is slow holds its own slots and nobody else's.  The
 * first fit is taken, so that a light load stays in a few warm pages.
 *
 * A connection may hold as much as it leaves free (toe_stage_share()): alone it
 * gets half, of two each a third.  However many peers stall, something is left
 * for the next connection.
 */
#include "internal.h"

/* The first free slot at or after pos; stage_slots if there is none. */
static uint32_t next_free(const struct toe *t, uint32_t pos)
{
	uint64_t word;

	while (pos < t->stage_slots) {
		word = t->stage_map[pos / 64] >> pos % 64;
		if (word)
			return pos + (uint32_t)__builtin_ctzll(word);
		pos = (pos / 64 + 1) * 64;
	}
	return t->stage_slots;
}

static uint32_t run_length(const struct toe *t, uint32_t pos, uint32_t max)
{
	uint32_t n = 0;

	while (n < max && pos + n < t->stage_slots &&
	       t->stage_map[(pos + n) / 64] >> (pos + n) % 64 & 1)
		n++;
	return n;
}

uint32_t toe_stage_alloc(struct toe *t, uint32_t want, uint32_t *first)
{
	uint32_t pos, len, i, best = 0;

	if (!t->stage_free)
		return 0;
	for (pos = next_free(t, 0); pos < t->stage_slots;
	     pos = next_free(t, pos + len)) {
		len = run_length(t, pos, want);
		if (len > best) {
			best = len;
			*first = pos;
		}
		if (best == want)
			break;
	}
	for (i = *first; i < *first + best; i++)
		t->stage_map[i / 64] &= ~(1ull << i % 64);
	t->stage_free -= best;
	return best;
}

void toe_stage_release(struct toe *t, uint32_t first, uint32_t count)
{
	uint32_t i;

	for (i = first; i < first + count; i++)
		t->stage_map[i / 64] |= 1ull << i % 64;
	t->stage_free += count;
}
