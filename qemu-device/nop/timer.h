/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timer.h - many timers, one alarm.
 *
 * Timers are named by small numbers (an NCB's index, or an id of the NOP's
 * own), never by pointers, so that they can be saved.  Armed timers sit in a
 * binary heap; an array tells where.  Arming, moving or stopping one costs
 * O(log armed); a timer that is off costs four bytes and no time at all.
 *
 * Timers with the same deadline expire in the order of their ids, so a run
 * with the same inputs is the same every time.
 */
#ifndef TOE_NOP_TIMER_H
#define TOE_NOP_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOE_TIMER_OFF INT64_MAX

typedef struct ToeTimerSlot {
    int64_t deadline;           /* ns */
    uint32_t id;
} ToeTimerSlot;

typedef struct ToeTimers {
    ToeTimerSlot *heap;         /* [0] expires first */
    uint32_t count;             /* armed */
    uint32_t room;              /* slots allocated */
    uint32_t *where;            /* by id: place in heap + 1; 0: off */
    uint32_t ids;
} ToeTimers;

/* ids: timers 0..ids - 1 exist, all off. */
void toe_timers_init(ToeTimers *t, uint32_t ids);
void toe_timers_destroy(ToeTimers *t);
/* Every timer is off. */
void toe_timers_clear(ToeTimers *t);

/*
 * Arm timer id for the given time (ns), wherever it stood before;
 * TOE_TIMER_OFF stops it.  An id that does not exist is ignored.
 */
void toe_timers_set(ToeTimers *t, uint32_t id, int64_t deadline);
/* TOE_TIMER_OFF if the timer is off. */
int64_t toe_timers_get(const ToeTimers *t, uint32_t id);
/* The earliest deadline; TOE_TIMER_OFF if there is none. */
int64_t toe_timers_next(const ToeTimers *t);
/* Take the first timer due at or before now; it is off then. */
bool toe_timers_pop(ToeTimers *t, int64_t now, uint32_t *id);

#endif
