// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * limits - rights and quotas, one case per call, as the user it is started as
 * or, with "as UID", as another one.
 *
 *   limits [as UID] [memlock BYTES] CASE ARG...
 *
 *   listen PORT             0, or the errno as a number: printed
 *   bind-connect PORT ADDR RPORT    connect from that local port
 *   open N                  open N contexts and keep them; how many it got,
 *                           and the errno that ended it
 *   hold N                  the same, then "holding", until standard input ends
 *   conns N ADDR PORT       open N connections; how many, and errno
 *   memory N                register N bytes; errno
 *
 * It prints "CASE got=N errno=NAME"; the caller decides what is right.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libapp.h"

#define MANY	4096

static void say(const char *what, unsigned int got, int error)
{
	printf("%s got=%u errno=%s\n", what, got,
	       error ? strerrorname_np(-error) : "0");
	fflush(stdout);
}

/* The smallest context there is, so that many fit. */
static struct toe_config small(unsigned int conns)
{
	return (struct toe_config){
		.requests = 64, .completions = 64, .small_count = 8,
		.large_count = 8, .large_size = 4096, .staging = 65536,
		.max_conns = conns,
	};
}

static void try_open(const char *what, unsigned int n, bool hold)
{
	static struct toe *toe[MANY];
	struct toe_config cfg = small(8);
	unsigned int i;
	int ret = 0;

	for (i = 0; i < n && i < MANY && !ret; i++) {
		ret = toe_open(&toe[i], &cfg);
		if (ret)
			toe[i] = NULL;
	}
	say(what, ret ? i - 1 : i, ret);
	if (hold) {
		printf("holding\n");
		fflush(stdout);
		while (getchar() != EOF)
			;
	}
	while (i--)
		toe_close(toe[i]);	/* NULL: the one that failed */
}

static void try_conns(unsigned int n, const struct sockaddr_in *to)
{
	struct toe_config cfg = { .max_conns = n + 8 };
	unsigned int i, up = 0;
	struct toe *toe;
	int ret = toe_open(&toe, &cfg);

	for (i = 0; i < n && !ret; i++) {
		struct toe_conn *c;

		ret = toe_connect_wait(toe, (const struct sockaddr *)to,
				       sizeof(*to), NULL, APP_IDLE_MS, &c);
		up += !ret;
	}
	say("conns", up, ret);
	toe_close(toe);
}

static void try_listen(const char *port)
{
	struct sockaddr_in a = app_addr("0.0.0.0", port);
	struct toe_listener *l;
	struct toe *toe;
	int ret = toe_open(&toe, NULL);

	if (ret)
		app_die("toe_open: %s", toe_strerror(ret));
	ret = toe_listen(toe, (struct sockaddr *)&a, sizeof(a), 4, NULL, &l);
	say("listen", !ret, ret);
	toe_close(toe);
}

static void try_bind(char **argv)
{
	struct sockaddr_in to = app_addr(argv[1], argv[2]);
	struct sockaddr_in from = app_addr("0.0.0.0", argv[0]);
	struct toe_conn_opts opts = {
		.local = (struct sockaddr *)&from, .local_len = sizeof(from),
	};
	struct toe_conn *c;
	struct toe *toe;
	int ret = toe_open(&toe, NULL);

	if (ret)
		app_die("toe_open: %s", toe_strerror(ret));
	ret = toe_connect_wait(toe, (struct sockaddr *)&to, sizeof(to), &opts,
			       APP_IDLE_MS, &c);
	say("bind-connect", !ret, ret);
	toe_close(toe);
}

static void try_memory(size_t n)
{
	struct toe_config cfg = small(8);
	struct toe_mem *mem;
	struct toe *toe;
	int ret = toe_open(&toe, &cfg);
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ret || p == MAP_FAILED)
		app_die("set-up: %s", toe_strerror(ret));
	ret = toe_mem_register(toe, p, n, TOE_MEM_F_SEND, &mem);
	say("memory", !ret, ret);
	if (!ret)
		toe_mem_free(mem);
	toe_close(toe);
}

int main(int argc, char **argv)
{
	uid_t uid = getuid();
	struct rlimit r;

	argv++;
	argc--;
	for (; argc > 2; argv += 2, argc -= 2) {
		if (strcmp(argv[0], "as") == 0) {
			uid = atoi(argv[1]);
		} else if (strcmp(argv[0], "memlock") == 0) {
			r.rlim_cur = r.rlim_max = strtoull(argv[1], NULL, 0);
			if (setrlimit(RLIMIT_MEMLOCK, &r))
				app_die("setrlimit: %s", strerror(errno));
		} else {
			break;
		}
	}
	if (uid != getuid() && (setgroups(0, NULL) || setgid(uid) ||
				setuid(uid)))
		app_die("cannot become user %u: %s", uid, strerror(errno));
	if (argc == 2 && strcmp(argv[0], "listen") == 0) {
		try_listen(argv[1]);
	} else if (argc == 4 && strcmp(argv[0], "bind-connect") == 0) {
		try_bind(argv + 1);
	} else if (argc == 2 && strcmp(argv[0], "open") == 0) {
		try_open("open", strtoul(argv[1], NULL, 0), false);
	} else if (argc == 2 && strcmp(argv[0], "hold") == 0) {
		try_open("hold", strtoul(argv[1], NULL, 0), true);
	} else if (argc == 4 && strcmp(argv[0], "conns") == 0) {
		struct sockaddr_in to = app_addr(argv[2], argv[3]);

		try_conns(strtoul(argv[1], NULL, 0), &to);
	} else if (argc == 2 && strcmp(argv[0], "memory") == 0) {
		try_memory(strtoull(argv[1], NULL, 0));
	} else {
		fprintf(stderr, "usage: limits [as UID] [memlock BYTES] listen PORT | bind-connect PORT ADDR RPORT |\n"
			"              open N | hold N | conns N ADDR PORT | memory BYTES\n");
		return 2;
	}
	return 0;
}
