/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.c - many seeds, each in a process of its own.
 *
 *	toe-sim [--seeds N] [--seed K] [--twice] [--pcap FILE] [-v]
 *
 * Seeds K to K + N - 1.  A process for each, so that a crash, a sanitizer's
 * find or a failed check is one seed's and the others still run.  Each
 * twentieth seed (--twice: each) runs twice, and the two must have sent the
 * same frames at the same times.  A seed that fails runs again with its frames
 * written to FILE (default sim-K.pcapng in $TOE_BUILD), and the command
 * that does it alone is printed.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sim.h"

#define CPU_SECONDS	120	/* of one seed: more is an endless loop */
#define FAILURES_MAX	5

struct totals {
	uint64_t frames;
	uint64_t bytes;
	uint64_t hash;
	double seconds;		/* virtual */
};

static void run_here(uint64_t seed, const char *pcap, bool verbose,
		     struct totals *t)
{
	struct sim *s = g_new0(struct sim, 1);

	s->seed = seed;
	s->verbose = verbose;
	s->pcap = pcap ? pcap_open(pcap) : NULL;
	sim_params(&s->p, seed);
	sim_run(s);
	pcap_close(s->pcap);
	t->frames = s->frames;
	t->bytes = s->bytes;
	t->hash = s->hash;
	t->seconds = (double)sim_time(s) / SEC;
	g_free(s);
}

/* True: it passed, and *t is what it did. */
static bool run_seed(uint64_t seed, const char *pcap, bool verbose, bool quiet,
		     struct totals *t)
{
	struct rlimit limit = { CPU_SECONDS, CPU_SECONDS };
	int fd[2], status;
	pid_t pid;
	bool ok;

	fflush(stdout);
	if (pipe(fd) < 0 || (pid = fork()) < 0) {
		perror("toe-sim");
		exit(2);
	}
	if (!pid) {
		close(fd[0]);
		setrlimit(RLIMIT_CPU, &limit);
		if (quiet && !freopen("/dev/null", "w", stderr))
			_exit(2);
		run_here(seed, pcap, verbose, t);
		ok = write(fd[1], t, sizeof(*t)) == sizeof(*t);
		exit(ok ? 0 : 2);
	}
	close(fd[1]);
	ok = read(fd[0], t, sizeof(*t)) == sizeof(*t);
	close(fd[0]);
	if (waitpid(pid, &status, 0) != pid)
		return false;
	if (WIFSIGNALED(status) && !quiet)
		fprintf(stderr, "seed %" PRIu64 ": ended by signal %d (%s)\n",
			seed, WTERMSIG(status), strsignal(WTERMSIG(status)));
	return ok && WIFEXITED(status) && !WEXITSTATUS(status);
}

static void again(uint64_t seed, const char *pcap)
{
	const char *build = getenv("TOE_BUILD");
	char *path = pcap ? g_strdup(pcap)
		: g_strdup_printf("%s/sim-%" PRIu64 ".pcapng",
				  build ? build : ".", seed);
	struct totals t;

	run_seed(seed, path, false, true, &t);
	fprintf(stderr, "  frames: %s\n  run it alone: make sim SEED=%" PRIu64
		"\n", path, seed);
	g_free(path);
}

static int usage(void)
{
	fprintf(stderr, "usage: toe-sim [--seeds N] [--seed K] [--step N] "
		"[--twice] [--pcap FILE] [-v]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seeds", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "step", required_argument, NULL, 'i' },
		{ "twice", no_argument, NULL, 't' },
		{ "pcap", required_argument, NULL, 'p' },
		{ "verbose", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t first = 1, count = 1, inc = 1, i, frames = 0, bytes = 0;
	unsigned failed = 0, twice = 0;
	bool each_twice = false, verbose = false;
	const char *pcap = NULL;
	double seconds = 0;
	int o;

	while ((o = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		switch (o) {
		case 'n':
			count = strtoull(optarg, NULL, 0);
			break;
		case 's':
			first = strtoull(optarg, NULL, 0);
			break;
		case 'i':
			inc = strtoull(optarg, NULL, 0);
			break;
		case 't':
			each_twice = true;
			break;
		case 'p':
			pcap = optarg;
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return usage();
		}
	}
	if (optind != argc || !count)
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < count && failed < FAILURES_MAX; i++) {
		uint64_t seed = first + i * inc;
		struct totals t, u;

		if (!run_seed(seed, count == 1 ? pcap : NULL, verbose, false,
			      &t)) {
			failed++;
			again(seed, pcap);
			continue;
		}
		frames += t.frames;
		bytes += t.bytes;
		seconds += t.seconds;
		if (!each_twice && seed % 20)
			continue;
		twice++;
		if (!run_seed(seed, NULL, false, false, &u) ||
		    u.hash != t.hash || u.frames != t.frames) {
			fprintf(stderr, "seed %" PRIu64 ": two runs differ: %"
				PRIu64 " frames, hash %016" PRIx64 "; %" PRIu64
				", %016" PRIx64 "\n", seed, t.frames, t.hash,
				u.frames, u.hash);
			failed++;
		}
	}
	printf("%" PRIu64 " seeds, %u failed; %u of them run twice; %" PRIu64
	       " frames, %.1f MiB, %.1f hours of virtual time\n", i, failed,
	       twice, frames, (double)bytes / (1 << 20), seconds / 3600);
	return failed ? 1 : 0;
}
