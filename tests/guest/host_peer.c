// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * host_peer - the other end of a test, over kernel sockets: server or client
 * of libflow.h, any number of connections at once, one thread.
 *
 *   host_peer server [--bind ADDR] [--port N] [--log FILE] [--expect N]
 *       prints "port N", serves; each connection that ends makes a line in the
 *       log: "conn seed=N up=BYTES down=BYTES end=eof|reset state=ok|WHY".
 *       With --expect it exits after so many.
 *   host_peer client [--conns N] [--up BYTES] [--down BYTES] [--seed N]
 *                    [--turns N] [--ramp N] [--bind ADDR] ADDR PORT
 *       N connections at once, N turns; exit status 0 if all was right.  With
 *       --ramp the next one starts only while fewer than N wait for their first
 *       byte: libslirp's hostfwd listens with a backlog of 1, and what is over
 *       it the host's kernel may reset.
 *
 * It runs on the host, and in the guest when the kernel's TCP is to be used.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libflow.h"

#define CHUNK		65536
#define IDLE_MS		120000		/* nothing at all moves: give up */

struct link {
	int fd;
	bool connecting, shut, reset;
	bool waits;			/* client: no byte came yet */
	uint32_t interest;
	struct flow flow;
};

static int epfd;
static FILE *logfile;
static long finished, failed, waiting;
static uint8_t buffer[CHUNK];

static void die(const char *what)
{
	fprintf(stderr, "host_peer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void interest(struct link *l, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = l };

	if (events == l->interest)
		return;
	if (epoll_ctl(epfd, l->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, l->fd,
		      &ev))
		die("epoll_ctl");
	l->interest = events;
}

/* Send what may be sent; false: the connection is over. */
static bool pump_out(struct link *l)
{
	for (;;) {
		size_t n = flow_next(&l->flow, buffer, sizeof(buffer));
		ssize_t ret;

		if (!n)
			break;
		ret = send(l->fd, buffer, n, MSG_NOSIGNAL);
		if (ret < 0) {
			if (errno == EAGAIN) {
				interest(l, EPOLLIN | EPOLLOUT);
				return true;
			}
			l->reset = true;
			return false;
		}
		flow_sent(&l->flow, ret);
	}
	interest(l, EPOLLIN);
	/* The server closes first, so that TIME-WAIT is always on its side. */
	if (!l->shut && flow_tx_done(&l->flow) &&
	    (l->flow.eof || (l->flow.server && flow_rx_done(&l->flow)))) {
		shutdown(l->fd, SHUT_WR);
		l->shut = true;
	}
	return true;
}

static void not_waiting(struct link *l)
{
	waiting -= l->waits;
	l->waits = false;
}

static bool pump_in(struct link *l)
{
	while (!l->flow.eof) {
		ssize_t n = recv(l->fd, buffer, sizeof(buffer), 0);

		if (n < 0) {
			if (errno == EAGAIN)
				return true;
			l->reset = true;
			return false;
		}
		not_waiting(l);
		if (n == 0)
			flow_ended(&l->flow);
		else if (!flow_received(&l->flow, buffer, n))
			return false;
	}
	return true;
}

static void end(struct link *l)
{
	bool ok = !l->flow.wrong && flow_rx_done(&l->flow) &&
		  flow_tx_done(&l->flow);
	const char *why = ok ? "ok" : l->flow.wrong ? l->flow.why :
			  "unfinished";

	if (logfile) {
		fprintf(logfile, "conn seed=%" PRIu64 " up=%" PRIu64 " down=%"
			PRIu64 " end=%s state=%s\n", l->flow.hdr.seed,
			flow_bytes_up(&l->flow), flow_bytes_down(&l->flow),
			l->reset ? "reset" : l->flow.eof ? "eof" : "closed",
			why);
		fflush(logfile);
	}
	if (!ok) {
		failed++;
		if (!l->flow.server)
			fprintf(stderr, "host_peer: seed %" PRIu64 ": %s%s\n",
				l->flow.hdr.seed, l->reset ? "reset, " : "",
				why);
	}
	finished++;
	not_waiting(l);
	close(l->fd);
	free(l);
}

static void step(struct link *l, uint32_t events)
{
	bool alive = true;

	if (l->connecting && events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
		int error = 0;
		socklen_t len = sizeof(error);

		getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		l->connecting = false;
		if (error) {
			l->flow.wrong = true;
			snprintf(l->flow.why, sizeof(l->flow.why),
				 "connect: %s", strerror(error));
			end(l);
			return;
		}
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		alive = pump_in(l);
	if (alive)
		alive = pump_out(l);
	/* Over: broken, wrong, or both directions have ended. */
	if (!alive || l->flow.wrong || (l->flow.eof && l->shut))
		end(l);
}

static struct link *new_link(int fd)
{
	struct link *l = calloc(1, sizeof(*l));

	if (!l)
		die("memory");
	l->fd = fd;
	return l;
}

static void take(int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct link *l;

		if (fd < 0) {
			if (errno == EAGAIN || errno == ECONNABORTED)
				return;
			die("accept");
		}
		l = new_link(fd);
		flow_server(&l->flow);
		interest(l, EPOLLIN);
	}
}

static struct sockaddr_in address(const char *text, int port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(port),
	};

	if (inet_pton(AF_INET, text, &a.sin_addr) != 1) {
		fprintf(stderr, "host_peer: '%s' is not an address\n", text);
		exit(2);
	}
	return a;
}

/* One look at all descriptors; with a limit, something has to move. */
static void look(int listener, bool limit)
{
	struct epoll_event ev[64];
	int i, n = epoll_wait(epfd, ev, 64, limit ? IDLE_MS : -1);

	if (n < 0 && errno != EINTR)
		die("epoll_wait");
	if (n == 0) {
		fprintf(stderr, "host_peer: nothing moves; %ld connections have ended\n",
			finished);
		exit(1);
	}
	for (i = 0; i < n; i++) {
		if (ev[i].data.ptr)
			step(ev[i].data.ptr, ev[i].events);
		else
			take(listener);
	}
}

static int serve(const char *bind_to, int port, long expect)
{
	struct sockaddr_in a = address(bind_to, port);
	struct epoll_event ev = { .events = EPOLLIN };
	socklen_t len = sizeof(a);
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 4096) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		die("listen");
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev))
		die("epoll_ctl");
	printf("port %d\n", ntohs(a.sin_port));
	fflush(stdout);
	while (!expect || finished < expect)
		look(fd, expect != 0);
	return failed ? 1 : 0;
}

struct client_args {
	long conns, turns, ramp;
	uint64_t up, down, seed;
	const char *bind_to;
};

static void open_one(const struct client_args *c, struct sockaddr_in *to,
		     uint64_t seed)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in from;
	struct link *l;

	if (fd < 0)
		die("socket");
	if (c->bind_to) {
		from = address(c->bind_to, 0);
		if (bind(fd, (struct sockaddr *)&from, sizeof(from)))
			die("bind");
	}
	l = new_link(fd);
	flow_client(&l->flow, seed, c->up, c->down, FLOW_F_VERDICT);
	l->connecting = true;
	l->waits = true;
	waiting++;
	if (connect(fd, (struct sockaddr *)to, sizeof(*to)) &&
	    errno != EINPROGRESS)
		die("connect");
	interest(l, EPOLLIN | EPOLLOUT);
}

static int run_client(const struct client_args *c, const char *host, int port)
{
	struct sockaddr_in to = address(host, port);
	long turn, i;

	for (turn = 0; turn < c->turns; turn++) {
		for (i = 0; i < c->conns; i++) {
			while (c->ramp && waiting >= c->ramp)
				look(-1, true);
			open_one(c, &to, c->seed + turn * c->conns + i);
		}
		while (finished < (turn + 1) * c->conns)
			look(-1, true);
	}
	printf("host_peer: %ld connections, %ld failed, %" PRIu64
	       " bytes up, %" PRIu64 " down each\n", finished, failed, c->up,
	       c->down);
	return failed ? 1 : 0;
}

static void raise_files(void)
{
	struct rlimit r;

	if (!getrlimit(RLIMIT_NOFILE, &r)) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "bind", required_argument, NULL, 'b' },
		{ "port", required_argument, NULL, 'p' },
		{ "log", required_argument, NULL, 'l' },
		{ "expect", required_argument, NULL, 'e' },
		{ "conns", required_argument, NULL, 'n' },
		{ "turns", required_argument, NULL, 't' },
		{ "ramp", required_argument, NULL, 'r' },
		{ "up", required_argument, NULL, 'u' },
		{ "down", required_argument, NULL, 'd' },
		{ "seed", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	struct client_args c = { .conns = 1, .turns = 1, .up = 1 << 16,
				 .down = 1 << 16, .seed = 1 };
	const char *bind_to = NULL;
	bool server;
	int port = 0, o;
	long expect = 0;

	if (argc < 2)
		goto usage;
	server = strcmp(argv[1], "server") == 0;
	if (!server && strcmp(argv[1], "client") != 0)
		goto usage;
	argc--;
	argv++;
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'b': bind_to = optarg; break;
		case 'p': port = atoi(optarg); break;
		case 'e': expect = atol(optarg); break;
		case 'n': c.conns = atol(optarg); break;
		case 't': c.turns = atol(optarg); break;
		case 'r': c.ramp = atol(optarg); break;
		case 'u': c.up = strtoull(optarg, NULL, 0); break;
		case 'd': c.down = strtoull(optarg, NULL, 0); break;
		case 's': c.seed = strtoull(optarg, NULL, 0); break;
		case 'l':
			logfile = fopen(optarg, "w");
			if (!logfile)
				die(optarg);
			break;
		default:
			goto usage;
		}
	}
	signal(SIGPIPE, SIG_IGN);
	raise_files();
	epfd = epoll_create1(EPOLL_CLOEXEC);
	if (epfd < 0)
		die("epoll_create1");
	c.bind_to = bind_to;
	if (server)
		return serve(bind_to ? bind_to : "127.0.0.1", port, expect);
	if (argc - optind != 2)
		goto usage;
	return run_client(&c, argv[optind], atoi(argv[optind + 1]));
usage:
	fprintf(stderr, "usage: host_peer server [--bind ADDR] [--port N] [--log FILE] [--expect N]\n"
		"       host_peer client [--conns N] [--turns N] [--up N] [--down N] [--seed N]\n"
		"                        [--ramp N] [--bind ADDR] ADDR PORT\n");
	return 2;
}
