/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timer.c - a binary heap of timers, keyed by id.
 *
 * heap[0] is the earliest.  where[id] is kept in step with every move, so a
 * timer is found without a search.  The heap's memory grows with the number
 * of armed timers, not with the number that exist.
 */
#include "timer.h"

#include <glib.h>
#include <string.h>

#define TOE_TIMERS_ROOM_MIN 64u

void toe_timers_init(ToeTimers *t, uint32_t ids)
{
    memset(t, 0, sizeof(*t));
    t->ids = ids;
    t->where = g_new0(uint32_t, ids);
}

void toe_timers_destroy(ToeTimers *t)
{
    g_free(t->heap);
    g_free(t->where);
    memset(t, 0, sizeof(*t));
}

void toe_timers_clear(ToeTimers *t)
{
    uint32_t i;

    for (i = 0; i < t->count; i++) {
        t->where[t->heap[i].id] = 0;
    }
    t->count = 0;
}

static bool before(const ToeTimerSlot *a, const ToeTimerSlot *b)
{
    return a->deadline < b->deadline ||
           (a->deadline == b->deadline && a->id < b->id);
}

static void put(ToeTimers *t, uint32_t at, ToeTimerSlot s)
{
    t->heap[at] = s;
    t->where[s.id] = at + 1;
}

/* The slot at this place is s, which may belong nearer to the top. */
static void sift_up(ToeTimers *t, uint32_t at, ToeTimerSlot s)
{
    while (at > 0) {
        uint32_t up = (at - 1) / 2;

        if (!before(&s, &t->heap[up])) {
            break;
        }
        put(t, at, t->heap[up]);
        at = up;
    }
    put(t, at, s);
}

/* The slot at this place is s, which may belong farther from the top. */
static void sift_down(ToeTimers *t, uint32_t at, ToeTimerSlot s)
{
    for (;;) {
        uint32_t down = 2 * at + 1;

        if (down >= t->count) {
            break;
        }
        if (down + 1 < t->count &&
            before(&t->heap[down + 1], &t->heap[down])) {
            down++;
        }
        if (!before(&t->heap[down], &s)) {
            break;
        }
        put(t, at, t->heap[down]);
        at = down;
    }
    put(t, at, s);
}

static void take_out(ToeTimers *t, uint32_t at)
{
    ToeTimerSlot last = t->heap[t->count - 1];

    t->where[t->heap[at].id] = 0;
    t->count--;
    if (at == t->count) {
        return;
    }
    if (at > 0 && before(&last, &t->heap[(at - 1) / 2])) {
        sift_up(t, at, last);
    } else {
        sift_down(t, at, last);
    }
}

void toe_timers_set(ToeTimers *t, uint32_t id, int64_t deadline)
{
    ToeTimerSlot s = { .deadline = deadline, .id = id };
    uint32_t at;

    if (id >= t->ids) {
        return;
    }
    at = t->where[id];
    if (deadline == TOE_TIMER_OFF) {
        if (at) {
            take_out(t, at - 1);
        }
        return;
    }
    if (at) {
        if (deadline < t->heap[at - 1].deadline) {
            sift_up(t, at - 1, s);
        } else {
            sift_down(t, at - 1, s);
        }
        return;
    }
    if (t->count == t->room) {
        t->room = t->room ? t->room * 2 : TOE_TIMERS_ROOM_MIN;
        t->heap = g_renew(ToeTimerSlot, t->heap, t->room);
    }
    t->count++;
    sift_up(t, t->count - 1, s);
}

int64_t toe_timers_get(const ToeTimers *t, uint32_t id)
{
    if (id >= t->ids || !t->where[id]) {
        return TOE_TIMER_OFF;
    }
    return t->heap[t->where[id] - 1].deadline;
}

int64_t toe_timers_next(const ToeTimers *t)
{
    return t->count ? t->heap[0].deadline : TOE_TIMER_OFF;
}

bool toe_timers_pop(ToeTimers *t, int64_t now, uint32_t *id)
{
    if (!t->count || t->heap[0].deadline > now) {
        return false;
    }
    *id = t->heap[0].id;
    take_out(t, 0);
    return true;
}
