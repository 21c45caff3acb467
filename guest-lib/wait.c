// SPDX-License-Identifier: MIT
/*
 * wait.c - waiting: first by looking, then by sleeping.
 *
 * An answer often comes within microseconds, faster than the kernel can put a
 * process to sleep and wake it up.  So toe_wait_cq() first looks at cq_tail
 * some thousand times, which costs no system call and needs no clock.  Then it
 * arms the completion queue (an interrupt when cq_tail differs from the value
 * given), looks once more, and sleeps in poll().  While bytes stream in it looks
 * longer: sleeping takes the adapter's thread away from receiving them.  These calls are the only
 * ones the library makes after a context is set up, and they are counted.
 *
 * With TOE_CFG_SPIN it never sleeps.  A time-out is then measured with the
 * kernel's coarse clock, which on Linux is a read of a shared page: no system
 * call, no time-stamp counter (that seccomp's strict mode takes away).
 */
#include <poll.h>
#include <time.h>

#include "internal.h"

#define COARSE_EVERY	4096u		/* looks between two looks at the clock */
#define BULK		65536u		/* bytes received since the last wait */
#define BULK_SPIN	8u		/* then look so many times as often */

static int64_t now_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void relax(const struct toe *t)
{
#if defined(__x86_64__) || defined(__i386__)
	if (t->pause)
		__asm__ volatile("pause" ::: "memory");
#elif defined(__aarch64__)
	if (t->pause)
		__asm__ volatile("yield" ::: "memory");
#endif
	__asm__ volatile("" ::: "memory");
}

static bool is_up(const struct toe *t)
{
	return !__atomic_load_n(&t->page->fault, __ATOMIC_RELAXED) &&
	       (!t->status || __atomic_load_n(&t->status->epoch,
					      __ATOMIC_RELAXED) == t->epoch);
}

/*
 * Somebody met a full request queue.  The adapter makes room by itself but
 * does not report it, so we must not sleep on that: the caller tries again,
 * until its time is over.
 */
static bool waits_for_room(struct toe *t)
{
	bool refused = t->rq_refused || !toe_list_empty(&t->rqwait);

	t->rq_refused = false;
	return refused;
}

static bool look(struct toe *t, uint32_t times)
{
	uint32_t i;

	for (i = 0; i < times; i++) {
		if (toe_cq_ready(t))
			return true;
		relax(t);
	}
	return toe_cq_ready(t);
}

static void arm(struct toe *t)
{
	t->db[TOE_DB_CQ_ARM / 4] = t->cq_head;
	t->stats.doorbells++;
	t->stats.doorbells_arm++;
}

static int spin_forever(struct toe *t, struct toe_deadline *d)
{
	for (;;) {
		if (look(t, COARSE_EVERY) || !is_up(t))
			return 1;
		if (d->timeout >= 0 && t->coarse_clock) {
			int64_t now = now_ms(CLOCK_MONOTONIC_COARSE);

			if (!d->running) {
				d->running = true;
				d->end_ms = now + d->timeout;
			} else if (now >= d->end_ms) {
				return 0;
			}
		}
		if (waits_for_room(t))
			return 1;
	}
}

static int remaining(struct toe *t, struct toe_deadline *d)
{
	int64_t left, now;

	if (d->timeout < 0)
		return -1;
	t->stats.syscalls++;		/* may be one, depends on the machine */
	now = now_ms(CLOCK_MONOTONIC);
	if (!d->running) {
		d->running = true;
		d->end_ms = now + d->timeout;
		return d->timeout;
	}
	left = d->end_ms - now;
	return left > 0 ? (int)left : 0;
}

static uint32_t spins(struct toe *t)
{
	uint64_t got = t->stats.bytes_in - t->waited_bytes;

	t->waited_bytes = t->stats.bytes_in;
	if (got < BULK || t->spin > UINT32_MAX / BULK_SPIN)
		return t->spin;
	return t->spin * BULK_SPIN;
}

int toe_wait_cq(struct toe *t, struct toe_deadline *d)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	int left, n;

	if (t->dead)
		return -ENODEV;
	toe_rq_ring(t);
	if (toe_cq_ready(t) || !is_up(t))
		return 1;
	if (!d->timeout)
		return 0;
	if (t->flags & TOE_CFG_SPIN)
		return spin_forever(t, d);
	if (look(t, spins(t)) || !is_up(t))
		return 1;
	left = remaining(t, d);
	if (!left)
		return 0;
	if (waits_for_room(t))
		return 1;
	arm(t);
	if (toe_cq_ready(t))
		return 1;
	t->stats.syscalls++;
	t->stats.sleeps++;
	n = poll(&p, 1, left);
	if (n < 0)
		return -errno;
	if (n > 0 && p.revents & (POLLERR | POLLHUP | POLLNVAL)) {
		toe_mark_dead(t, -ENODEV);
		return -ENODEV;
	}
	return n || toe_cq_ready(t);
}

int toe_wait(struct toe *t, int timeout)
{
	struct toe_deadline d = { .timeout = timeout };
	int n;

	for (;;) {
		toe_complete(t);
		if (toe_has_news(t))
			return 1;
		if (t->dead)
			return -ENODEV;
		n = toe_wait_cq(t, &d);
		if (n == -ENODEV)
			continue;	/* report TOE_DEAD first */
		if (n <= 0)
			return n;
	}
}

int toe_arm(struct toe *t)
{
	if (t->dead)
		return 1;
	toe_rq_ring(t);
	toe_complete(t);
	if (toe_has_news(t) || t->dead || waits_for_room(t))
		return 1;
	arm(t);
	return toe_cq_ready(t);
}
