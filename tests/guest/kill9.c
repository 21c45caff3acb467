// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kill9 - a process with transfers under way is killed, again and again, and
 * nothing of it may be left.
 *
 *   kill9 ADDR PORT COUNT [SEED]     (a server of flows)
 *
 * Each child opens a context and moves data in one of several ways (copied,
 * from its own registered pages, from the driver's memory; up, down, both; one
 * connection or eight; with a listener besides).  It reports every 16 KiB moved
 * through a pipe; when a pseudo-random number of reports has come, the parent
 * kills it with SIGKILL, while it goes on.  Some are killed before they have
 * a context, or between context and connection.  There is no sleep: progress
 * decides.
 *
 * At the end every counter of resources must be back where it was, and a new
 * process must be able to do its work.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libapp.h"
#include "libcounters.h"

#define REPORT		16384u		/* bytes moved */
#define REPORTS_MAX	200u		/* 3 MiB */
#define KINDS		6u
#define SETTLE_SECONDS	150		/* drain, retransmissions, TIME-WAIT */

static struct sockaddr_in server;
static uint64_t state;

static uint32_t pseudo_random(uint32_t below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state >> 33) % below;
}

struct reporter {
	int fd;
	uint64_t told;
};

static void report(struct app *app, void *arg)
{
	static const char many[64];
	struct reporter *r = arg;
	uint64_t n = app->moved / REPORT - r->told;
	ssize_t ret;

	if (!n)
		return;
	ret = write(r->fd, many, n < sizeof(many) ? n : sizeof(many));
	if (ret > 0)
		r->told += ret;
}

static void child(int fd, unsigned int kind, unsigned int turn)
{
	struct reporter r = { .fd = fd };
	unsigned int i, conns = kind == 4 ? 8 : 1;
	uint64_t up = kind == 1 ? 0 : FLOW_FOREVER;
	uint64_t down = kind == 0 || kind == 3 ? 0 : FLOW_FOREVER;
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct app app;

	app_open(&app, NULL, conns);
	if (kind == 2 || kind == 4)
		app_use_mem(&app, true);
	if (kind == 3)
		app_use_mem(&app, false);
	if (kind == 5)
		app_listen(&app, &any, 4);
	app.progress = report;
	app.progress_arg = &r;
	for (i = 0; i < conns; i++) {
		struct flow f;

		flow_client(&f, turn * 16 + i, up, down, 0);
		app_connect(&app, i, &server, &f);
	}
	app_run(&app, conns);
	/* The transfers never end by themselves. */
	app_die("a connection ended, it should have gone on for ever");
}

/* Fork, wait for so many reports, kill.  false: it ended before. */
static bool one(unsigned int turn)
{
	unsigned int kind = turn % KINDS;
	unsigned int want = pseudo_random(8) ? pseudo_random(REPORTS_MAX) : 0;
	int fd[2], status;
	uint64_t got = 0;
	char buf[256];
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC))
		app_die("pipe: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		app_die("fork: %s", strerror(errno));
	if (pid == 0) {
		close(fd[0]);
		child(fd[1], kind, turn);
	}
	close(fd[1]);
	while (got < want) {
		ssize_t n = read(fd[0], buf, sizeof(buf));

		if (n <= 0)
			break;
		got += n;
	}
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		app_die("waitpid: %s", strerror(errno));
	close(fd[0]);
	if (got >= want && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	fprintf(stderr, "kill9: turn %u (kind %u) ended by itself after %llu of %u reports\n",
		turn, kind, (unsigned long long)got, want);
	return false;
}

int main(int argc, char **argv)
{
	struct counters was, now;
	unsigned int i, count;
	bool ok = true;

	if (argc < 4) {
		fprintf(stderr, "usage: kill9 ADDR PORT COUNT [SEED]\n");
		return 2;
	}
	server = app_addr(argv[1], argv[2]);
	count = strtoul(argv[3], NULL, 0);
	state = argc > 4 ? strtoull(argv[4], NULL, 0) : 1;
	counters_read(&was);
	for (i = 0; i < count && ok; i++)
		ok = one(i);
	counters_read(&now);
	printf("kill9: %u processes killed; the adapter moved %llu bytes in, %llu out meanwhile\n",
	       i, (unsigned long long)(now.v[TOE_CTR_TCP_BYTES_IN] -
				       was.v[TOE_CTR_TCP_BYTES_IN]),
	       (unsigned long long)(now.v[TOE_CTR_TCP_BYTES_OUT] -
				    was.v[TOE_CTR_TCP_BYTES_OUT]));
	if (now.v[TOE_CTR_TCP_BYTES_OUT] == was.v[TOE_CTR_TCP_BYTES_OUT]) {
		fprintf(stderr, "kill9: no byte moved, nothing was tested\n");
		ok = false;
	}
	if (!counters_settle(&was, COUNTERS_ALL, SETTLE_SECONDS))
		ok = false;
	else
		printf("kill9: every counter of resources is as at the start\n");
	return ok ? 0 : 1;
}
