// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libcounters.c - see libcounters.h.  It asks /dev/toeN by ioctl, as toestat
 * does, but shares no code with it: what is tested must not test itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "libcounters.h"
#include "toe_uapi.h"

#define COUNTER_NAME(NAME, name, text) #name,
const char *const counter_names[TOE_CTR_MAX] = { TOE_COUNTERS(COUNTER_NAME) };

/* Of contexts first, then those of TCP. */
static const enum toe_counter resources[] = {
	TOE_CTR_CTX_ACTIVE, TOE_CTR_MEM_REGIONS, TOE_CTR_MEM_PAGES,
	TOE_CTR_LMEM_BUFLETS_FREE, TOE_CTR_TCP_NCBS, TOE_CTR_TCP_ORPHANS,
	TOE_CTR_TCP_TIME_WAIT,
};
#define OF_CONTEXTS	3

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

void counters_read(struct counters *c)
{
	const char *path = getenv("TOE_DEVICE");
	struct toe_uapi_ctx_stat ctx[64];
	struct toe_uapi_stats st = {
		.addr = (uintptr_t)c->v, .count = TOE_CTR_MAX,
	};
	struct toe_uapi_list list = { 0 };
	uint32_t i;
	int fd;

	memset(c, 0, sizeof(*c));
	path = path && *path ? path : "/dev/toe0";
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fail(path);
	if (ioctl(fd, TOE_IOC_STATS, &st))
		fail("TOE_IOC_STATS");
	if (st.count != TOE_CTR_MAX) {
		fprintf(stderr, "the driver knows %u counters, this test %u\n",
			st.count, TOE_CTR_MAX);
		exit(1);
	}
	do {
		list.addr = (uintptr_t)ctx;
		list.count = 64;
		if (ioctl(fd, TOE_IOC_CTXS, &list))
			fail("TOE_IOC_CTXS");
		for (i = 0; i < list.count; i++) {
			if (ctx[i].ctx == TOE_CTX_KERNEL)
				continue;
			c->contexts++;
			c->pinned += ctx[i].pinned;
		}
	} while (list.start);
	close(fd);
}

uint64_t counters_violations(const struct counters *c)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < TOE_CTR_MAX; i++)
		if (strncmp(counter_names[i], "viol_", 5) == 0)
			sum += c->v[i];
	return sum;
}

static bool same(const char *name, uint64_t was, uint64_t now, FILE *where)
{
	if (was != now && where)
		fprintf(where, "%s is %llu, was %llu\n", name,
			(unsigned long long)now, (unsigned long long)was);
	return was == now;
}

bool counters_same_resources(const struct counters *was,
			     const struct counters *now,
			     enum counters_what what, FILE *where)
{
	size_t i, n = sizeof(resources) / sizeof(resources[0]);
	bool ok = true;

	for (i = 0; i < (what == COUNTERS_CONTEXTS ? OF_CONTEXTS : n); i++)
		ok &= same(counter_names[resources[i]], was->v[resources[i]],
			   now->v[resources[i]], where);
	ok &= same("contexts in the driver's list", was->contexts,
		   now->contexts, where);
	ok &= same("memory in the driver's list", was->pinned, now->pinned,
		   where);
	return ok;
}

bool counters_settle(const struct counters *was, enum counters_what what,
		     int seconds)
{
	struct timespec start, t, nap = { .tv_nsec = 100000000 };
	struct counters now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		counters_read(&now);
		if (counters_same_resources(was, &now, what, NULL))
			return true;
		clock_gettime(CLOCK_MONOTONIC, &t);
		if (t.tv_sec - start.tv_sec > seconds)
			break;
		nanosleep(&nap, NULL);
	}
	fprintf(stderr, "not as at the start after %d s:\n", seconds);
	counters_same_resources(was, &now, what, stderr);
	return false;
}
