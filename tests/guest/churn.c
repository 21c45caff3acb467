// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * churn - contexts come and go while the adapter is reset or taken away.
 *
 *   churn ADDR PORT PROCESSES STOP    (a server that accepts, never reads)
 *
 * Each process makes contexts in a loop and leaves them in one of several
 * ways: closed, closed with data on the way to a peer that does not read, left
 * open at exit, left by SIGKILL, with memory mapped that was given back.  It
 * goes on until the file STOP exists, and makes STOP.going when it has had its
 * first context.  That the adapter is away, or in
 * reset, or full, is no failure; every other error is, and so is a crash.
 * What the kernel thinks of it is read from its console by the script.
 *
 * The slowest close is printed, for who wants to know; it decides nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libapp.h"

#define PAGES	(64u << 10)

static struct sockaddr_in server;
static const char *stop;
static char going_file[4096];
static bool going;
static unsigned int rounds, away;
static long slowest_ms;

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* May this call fail so while somebody pulls the adapter out? */
static bool allowed(int err)
{
	switch (err) {
	case 0:
		return true;
	case -ENOENT:			/* no /dev/toe0 */
	case -ENXIO:			/* there, but its number is free */
	case -ENODEV:
	case -EIO:
	case -ETIMEDOUT:		/* a command was lost in the reset */
	case -ENOSPC:			/* what drains counts */
	case -EDQUOT:
	case -EAGAIN:
	case -ENOTCONN:
	case -ENETUNREACH:		/* the interface has no address yet */
	case -EADDRNOTAVAIL:
	case -ENETDOWN:
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -ECONNABORTED:		/* its address was taken away */
		away++;
		return true;
	}
	return false;
}

static bool ok(const char *what, int err)
{
	if (!allowed(err))
		app_die("%s: %s", what, toe_strerror(err));
	return !err;
}

static struct toe *context(void)
{
	struct toe_config cfg = { .max_conns = 4 };
	struct toe *toe;

	return ok("toe_open", toe_open(&toe, &cfg)) ? toe : NULL;
}

static void leave(struct toe *toe)
{
	long start = now_ms(), took;

	toe_close(toe);
	took = now_ms() - start;
	if (took > slowest_ms)
		slowest_ms = took;
}

/* Memory of both kinds; given back while it is still in use by us. */
static void memory(struct toe *toe, void *pages)
{
	struct toe_mem *own, *ours;

	if (ok("toe_mem_alloc", toe_mem_alloc(toe, PAGES, TOE_MEM_F_SEND,
					      &own))) {
		memset(toe_mem_addr(own), 1, PAGES);
		ok("toe_mem_free", toe_mem_free(own));
	}
	if (ok("toe_mem_register",
	       toe_mem_register(toe, pages, PAGES, TOE_MEM_F_SEND, &ours))) {
		memset(pages, 2, PAGES);
		ok("toe_mem_free", toe_mem_free(ours));
	}
}

/* Connect, and send until nothing goes any more (@stuck), or once. */
static void send_some(struct toe *toe, bool stuck)
{
	static char data[65536];
	struct toe_event ev[8];
	struct toe_conn *conn;
	ssize_t n;

	if (!ok("toe_connect_wait",
		toe_connect_wait(toe, (struct sockaddr *)&server,
				 sizeof(server), NULL, 5000, &conn)))
		return;
	do {
		n = toe_send(conn, data, sizeof(data), 0);
		if (n == -EAGAIN && toe_wait(toe, 100) > 0) {
			toe_poll(toe, ev, 8);
			n = 0;
		}
	} while (stuck && n >= 0);
	ok("toe_send", n < 0 ? (int)n : 0);
}

static void one(unsigned int turn, void *pages)
{
	struct toe *toe;
	int status;
	pid_t pid;

	if (turn % 6 >= 4) {
		fflush(stdout);
		pid = fork();
		if (pid < 0)
			app_die("fork: %s", strerror(errno));
		if (!pid) {
			toe = context();
			if (toe)
				send_some(toe, false);
			if (turn % 6 == 4)
				_exit(0);
			raise(SIGKILL);
		}
		if (waitpid(pid, &status, 0) != pid)
			app_die("waitpid: %s", strerror(errno));
		if (WIFSIGNALED(status) ? WTERMSIG(status) != SIGKILL
					: WEXITSTATUS(status))
			app_die("a child ended with status %#x", status);
		return;
	}
	toe = context();
	if (!toe)
		return;
	if (turn % 6 == 1)
		memory(toe, pages);
	if (turn % 6 >= 2)
		send_some(toe, turn % 6 == 3 && turn % 5 == 0);
	leave(toe);
	if (!going) {
		int fd = open(going_file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

		if (fd < 0)
			app_die("%s: %s", going_file, strerror(errno));
		close(fd);
		going = true;
	}
}

static void process(unsigned int i)
{
	void *pages = aligned_alloc(4096, PAGES);

	if (!pages)
		app_die("no memory");
	memset(pages, 0, PAGES);
	while (access(stop, F_OK)) {
		one(i + rounds, pages);
		rounds++;
	}
	printf("%u rounds, %u times the adapter was away, slowest close %ld ms\n",
	       rounds, away, slowest_ms);
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	unsigned int i, n;
	int status, ret = 0;

	if (argc != 5) {
		fprintf(stderr, "usage: churn ADDR PORT PROCESSES STOP\n");
		return 2;
	}
	server = app_addr(argv[1], argv[2]);
	n = (unsigned int)atoi(argv[3]);
	stop = argv[4];
	snprintf(going_file, sizeof(going_file), "%s.going", stop);
	for (i = 0; i < n; i++)
		if (!fork())
			process(i);
	for (i = 0; i < n; i++)
		if (wait(&status) < 0 || status)
			ret = 1;
	return ret;
}
