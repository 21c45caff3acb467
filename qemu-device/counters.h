/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * counters.h - the adapter's counters; names and order are toe_hw.h's.
 */
#ifndef TOE_COUNTERS_H
#define TOE_COUNTERS_H

#include "toe_hw.h"

typedef struct ToeCounters {
    uint64_t v[TOE_CTR_MAX];
} ToeCounters;

/* toe_count(c, TCP_RTO): one more.  toe_count_add: several, may be negative. */
#define toe_count(c, NAME) ((c)->v[TOE_CTR_##NAME]++)
#define toe_count_add(c, NAME, n) ((c)->v[TOE_CTR_##NAME] += (uint64_t)(n))

#endif
