// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * counters - for scripts: look at the adapter's counters, from the guest.
 *
 *   counters show [NAME...]        "name value", all or those named
 *   counters save FILE             keep them
 *   counters settle FILE [SECONDS] wait until every resource is as it was then
 *   counters settle-contexts FILE [SECONDS]  the same, but for TCP's
 *   counters moved FILE NAME [MIN] has the counter grown by MIN (1) since?
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcounters.h"

static struct counters now, was;

static int find(const char *name)
{
	int i;

	for (i = 0; i < TOE_CTR_MAX; i++)
		if (strcmp(counter_names[i], name) == 0)
			return i;
	fprintf(stderr, "counters: there is no counter '%s'\n", name);
	exit(2);
}

static void show(int i)
{
	printf("%s %llu\n", counter_names[i], (unsigned long long)now.v[i]);
}

static void file(const char *path, bool save)
{
	FILE *f = fopen(path, save ? "wb" : "rb");
	size_t n;

	if (f) {
		n = save ? fwrite(&now, sizeof(now), 1, f) :
		    fread(&was, sizeof(was), 1, f);
		if (n == 1 && !fclose(f))
			return;
	}
	fprintf(stderr, "counters: %s: %s\n", path, strerror(errno));
	exit(1);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int i;

	if (strcmp(what, "show") == 0) {
		counters_read(&now);
		for (i = 2; i < argc; i++)
			show(find(argv[i]));
		for (i = 0; argc == 2 && i < TOE_CTR_MAX; i++)
			show(i);
		return 0;
	}
	if (strcmp(what, "save") == 0 && argc == 3) {
		counters_read(&now);
		file(argv[2], true);
		return 0;
	}
	if (strncmp(what, "settle", 6) == 0 && argc >= 3) {
		bool contexts = strcmp(what, "settle-contexts") == 0;

		file(argv[2], false);
		return counters_settle(&was, contexts ? COUNTERS_CONTEXTS :
				       COUNTERS_ALL,
				       argc > 3 ? atoi(argv[3]) : 90) ?
		       0 : 1;
	}
	if (strcmp(what, "moved") == 0 && argc >= 4) {
		uint64_t min = argc > 4 ? strtoull(argv[4], NULL, 0) : 1;
		int k = find(argv[3]);

		file(argv[2], false);
		counters_read(&now);
		if (now.v[k] - was.v[k] >= min && now.v[k] >= was.v[k])
			return 0;
		fprintf(stderr, "counters: %s went from %llu to %llu, expected %llu more\n",
			argv[3], (unsigned long long)was.v[k],
			(unsigned long long)now.v[k], (unsigned long long)min);
		return 1;
	}
	fprintf(stderr, "usage: counters show [NAME...] | save FILE | settle[-contexts] FILE [SECONDS] | moved FILE NAME [MIN]\n");
	return 2;
}
