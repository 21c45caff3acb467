/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcounters.h - the adapter's counters and its contexts, as the driver tells
 * them, for programs that check that something moved, or that nothing was left
 * behind.
 */
#ifndef TEST_LIBCOUNTERS_H
#define TEST_LIBCOUNTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "toe_hw.h"

struct counters {
	uint64_t v[TOE_CTR_MAX];
	uint64_t contexts;		/* that the driver lists, but its own */
	uint64_t pinned;		/* bytes of memory they hold */
};

/* End the program on an error. */
void counters_read(struct counters *c);

extern const char *const counter_names[TOE_CTR_MAX];

/* Sum of all viol_* counters. */
uint64_t counters_violations(const struct counters *c);

/* Which resources: those of contexts; those of TCP as well, where TIME-WAIT
 * (a minute) has to pass before an adapter's own CLOSE is forgotten. */
enum counters_what { COUNTERS_CONTEXTS, COUNTERS_ALL };

/*
 * Are all that count resources as they were?  Those that are not are named on
 * where, if it is not NULL.
 */
bool counters_same_resources(const struct counters *was,
			     const struct counters *now,
			     enum counters_what what, FILE *where);

/*
 * Wait until that is so, at most so many seconds; false, and the differences
 * on stderr, if it does not come.
 */
bool counters_settle(const struct counters *was, enum counters_what what,
		     int seconds);

#endif /* TEST_LIBCOUNTERS_H */
