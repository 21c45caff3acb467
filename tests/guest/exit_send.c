// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exit_send - send, and be gone: nothing is closed, nothing is waited for.
 *
 *   exit_send ADDR PORT SEED BYTES HOW END
 *       HOW   send (copied) or mem (from registered memory)
 *       END   exit, _exit, abort, kill (SIGKILL to itself), exec
 *
 * The last thing it does before the end is the call that hands over the last
 * byte.  What a send call has taken must reach the peer all the same.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libflow.h"
#include "libapp.h"

#define PIECE	(256u << 10)

static void leave(const char *end)
{
	struct rlimit none = { 0, 0 };

	if (strcmp(end, "exit") == 0)
		exit(0);
	if (strcmp(end, "_exit") == 0)
		_exit(0);
	if (strcmp(end, "abort") == 0) {
		setrlimit(RLIMIT_CORE, &none);
		abort();
	}
	if (strcmp(end, "kill") == 0)
		raise(SIGKILL);
	if (strcmp(end, "exec") == 0)
		execlp("true", "true", NULL);
	app_die("cannot end by '%s'", end);
}

static void wait_more(struct toe *toe)
{
	struct toe_event ev[16];
	int i, n;

	while ((n = toe_poll(toe, ev, 16)) == 0)
		if (toe_wait(toe, APP_IDLE_MS) == 0)
			app_die("nothing moves any more");
	for (i = 0; i < n; i++)
		if (ev[i].events & (TOE_CLOSED | TOE_DEAD))
			app_die("closed: %s", toe_strerror(ev[i].status));
}

int main(int argc, char **argv)
{
	struct sockaddr_in to;
	struct toe_conn *conn;
	struct toe_mem *mem = NULL;
	struct toe *toe;
	struct flow f;
	uint8_t *all, *p;
	uint64_t total, pos;
	size_t n;
	ssize_t ret;

	if (argc != 7) {
		fprintf(stderr, "usage: exit_send ADDR PORT SEED BYTES send|mem exit|_exit|abort|kill|exec\n");
		return 2;
	}
	to = app_addr(argv[1], argv[2]);
	flow_client(&f, strtoull(argv[3], NULL, 0),
		    strtoull(argv[4], NULL, 0), 0, 0);
	total = sizeof(f.hdr) + f.hdr.up;
	ret = toe_open(&toe, NULL);
	if (ret)
		app_die("toe_open: %s", toe_strerror(ret));
	all = mmap(NULL, total, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		app_die("out of memory");
	for (pos = 0; (n = flow_next(&f, all + pos, total - pos)); pos += n)
		flow_sent(&f, n);
	if (strcmp(argv[5], "mem") == 0) {
		ret = toe_mem_register(toe, all, total, TOE_MEM_F_SEND, &mem);
		if (ret)
			app_die("toe_mem_register: %s", toe_strerror(ret));
	}
	ret = toe_connect_wait(toe, (struct sockaddr *)&to, sizeof(to), NULL,
			       APP_IDLE_MS, &conn);
	if (ret)
		app_die("connect: %s", toe_strerror(ret));
	for (p = all; p < all + total;) {
		n = (size_t)(all + total - p) < PIECE ?
		    (size_t)(all + total - p) : PIECE;
		if (mem) {
			ret = toe_send_mem(conn, mem, p - all, n, 0, 1);
			ret = ret ? ret : (ssize_t)n;
		} else {
			ret = toe_send(conn, p, n, 0);
		}
		if (ret > 0)
			p += ret;
		else if (ret == -EAGAIN)
			wait_more(toe);
		else
			app_die("send: %s", toe_strerror(ret));
	}
	leave(argv[6]);
	return 1;
}
