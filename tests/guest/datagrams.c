// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * datagrams - UDP sockets over libtoe.
 *
 *   datagrams client ADDR PORT SEED   to a server that sends back what it gets:
 *                                     sizes from 0 to 8000, each byte checked
 *   datagrams server ADDR PORT        be such a server; says "listening"; ends
 *                                     with a datagram of the one byte 'q'
 *   datagrams quit ADDR PORT          end such a server
 *   datagrams refused ADDR PORT       nobody has the port: a connected socket
 *                                     is told so
 *   datagrams group ADDR PORT         two sockets that join a group hear what
 *                                     one sends to it; then says "joined", and
 *                                     leaves when its standard input ends
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libapp.h"

#define LARGEST		8000u
#define TRIES		20		/* UDP may lose a datagram */
#define ANSWER_MS	3000

static uint8_t out[LARGEST], in[LARGEST + 1];

/* Until the socket has something to say; false: nothing for so long. */
static bool wait_for(struct toe *t, int timeout)
{
	struct toe_event ev[16];
	int n = toe_poll(t, ev, 16), ret;

	if (n)
		return true;
	ret = toe_wait(t, timeout);
	if (ret < 0 && ret != -EINTR)
		app_die("waiting: %s", toe_strerror(ret));
	while ((n = toe_poll(t, ev, 16)) == 16)
		;
	return ret != 0;
}

static void say(struct toe *t, struct toe_udp *u, const void *data, size_t len,
		const struct toe_dgram *to)
{
	const struct sockaddr *addr = to ? (const void *)&to->from : NULL;
	ssize_t n;

	while ((n = toe_udp_sendto(u, data, len, 0, addr,
				   to ? to->from_len : 0)) == -EAGAIN)
		wait_for(t, ANSWER_MS);
	if (n != (ssize_t)len)
		app_die("a datagram of %zu bytes: %s", len,
			toe_strerror((int)n));
}

static void exchange(struct toe *t, struct toe_udp *u, size_t len)
{
	struct toe_dgram d;
	int tries = 0;
	ssize_t n;

	for (;;) {
		if (++tries > TRIES)
			app_die("no answer to %zu bytes", len);
		say(t, u, out, len, NULL);
		while ((n = toe_udp_recv(u, in, sizeof(in), 0, &d)) == -EAGAIN)
			if (!wait_for(t, ANSWER_MS))
				break;
		if (n == -EAGAIN)
			continue;
		if (n < 0)
			app_die("receive: %s", toe_strerror((int)n));
		if (n == (ssize_t)len && !memcmp(in, out, len))
			return;
		/* A late answer to one that was sent twice is another one's. */
		if (tries == 1)
			app_die("%zd bytes came for %zu, or wrong ones", n,
				len);
	}
}

static struct toe_udp *connected(struct toe *t, const struct sockaddr_in *to)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct toe_udp *u;
	int ret = toe_udp_open(t, (struct sockaddr *)&any, sizeof(any), NULL,
			       &u);

	if (ret)
		app_die("a socket: %s", toe_strerror(ret));
	ret = toe_udp_connect(u, (const struct sockaddr *)to, sizeof(*to));
	if (ret)
		app_die("connect: %s", toe_strerror(ret));
	return u;
}

static void client(struct toe *t, const struct sockaddr_in *to,
		   unsigned int seed)
{
	static const size_t sizes[] = {
		0, 1, 2, 17, 512, 1471, 1472, 1473, 2953, 4000, LARGEST,
	};
	struct toe_udp *u = connected(t, to);
	unsigned int i, k;

	srand(seed);
	for (i = 0; i < 200; i++) {
		size_t len = i < 11 ? sizes[i]
				    : (size_t)rand() % (LARGEST + 1);

		for (k = 0; k < len; k++)
			out[k] = (uint8_t)rand();
		exchange(t, u, len);
	}
	toe_udp_close(u);
	printf("datagrams: %u there and back, seed %u\n", i, seed);
}

static void server(struct toe *t, const struct sockaddr_in *at)
{
	struct toe_udp *u;
	struct toe_dgram d;
	uint64_t served = 0;
	int ret = toe_udp_open(t, (const struct sockaddr *)at, sizeof(*at),
			       NULL, &u);

	if (ret)
		app_die("a socket: %s", toe_strerror(ret));
	printf("listening\n");
	fflush(stdout);
	for (;;) {
		ret = toe_udp_recv_lend(u, &d);
		if (ret == -EAGAIN) {
			wait_for(t, -1);
			continue;
		}
		if (ret < 0)
			app_die("receive: %s", toe_strerror(ret));
		if (d.length == 1 && *(const char *)d.lend.data == 'q')
			break;
		say(t, u, d.lend.data, d.length, &d);
		toe_recv_return(t, &d.lend);
		served++;
	}
	toe_recv_return(t, &d.lend);
	toe_udp_close(u);
	printf("datagrams: %llu served\n", (unsigned long long)served);
}

static void refused(struct toe *t, const struct sockaddr_in *to)
{
	struct toe_udp *u = connected(t, to);
	int tries = 0;
	ssize_t n;

	do {
		if (++tries > TRIES)
			app_die("nobody said that the port is not there");
		/* Whichever call comes first is told. */
		n = toe_udp_sendto(u, "x", 1, 0, NULL, 0);
		if (n < 0)
			break;
		wait_for(t, ANSWER_MS);
		n = toe_udp_recv(u, in, sizeof(in), 0, NULL);
	} while (n == -EAGAIN);
	if (n != -ECONNREFUSED)
		app_die("sent or received: %s", toe_strerror((int)n));
	toe_udp_close(u);
	printf("datagrams: refused\n");
}

static struct toe_udp *member(struct toe *t, const struct sockaddr_in *group)
{
	struct sockaddr_in any = {
		.sin_family = AF_INET, .sin_port = group->sin_port,
	};
	struct toe_udp_opts opts = { .flags = TOE_UDP_REUSE };
	struct toe_udp *u;
	int ret = toe_udp_open(t, (struct sockaddr *)&any, sizeof(any), &opts,
			       &u);

	if (ret)
		app_die("a socket: %s", toe_strerror(ret));
	ret = toe_udp_join(u, (const struct sockaddr *)group, sizeof(*group));
	if (ret)
		app_die("join: %s", toe_strerror(ret));
	return u;
}

static void group(struct toe *t, const struct sockaddr_in *to)
{
	struct toe_udp *u[2] = { member(t, to), member(t, to) };
	struct toe_dgram d = { .from_len = sizeof(*to) };
	unsigned int i;
	ssize_t n;

	memcpy(&d.from, to, sizeof(*to));
	say(t, u[0], "to all", 6, &d);
	for (i = 0; i < 2; i++) {
		while ((n = toe_udp_recv(u[i], in, sizeof(in), 0, &d)) ==
		       -EAGAIN)
			if (!wait_for(t, ANSWER_MS))
				app_die("member %u heard nothing", i);
		if (n != 6 || memcmp(in, "to all", 6) ||
		    memcmp(&((struct sockaddr_in *)&d.to)->sin_addr,
			   &to->sin_addr, 4))
			app_die("member %u heard something else", i);
	}
	printf("joined\n");
	fflush(stdout);
	while (getchar() != EOF)
		;
	if (toe_udp_leave(u[1], (const struct sockaddr *)to, sizeof(*to)))
		app_die("leave");
	toe_udp_close(u[0]);
	toe_udp_close(u[1]);
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr;
	struct toe_udp *u;
	struct toe *t;
	int ret;

	if (argc < 4) {
		fprintf(stderr, "usage: datagrams client|server|quit|refused|group ADDR PORT [SEED]\n");
		return 2;
	}
	addr = app_addr(argv[2], argv[3]);
	ret = toe_open(&t, NULL);
	if (ret)
		app_die("opening a context: %s", toe_strerror(ret));
	if (!strcmp(argv[1], "client")) {
		client(t, &addr, argc > 4 ? (unsigned int)atoi(argv[4]) : 1);
	} else if (!strcmp(argv[1], "server")) {
		server(t, &addr);
	} else if (!strcmp(argv[1], "refused")) {
		refused(t, &addr);
	} else if (!strcmp(argv[1], "group")) {
		group(t, &addr);
	} else {
		u = connected(t, &addr);
		say(t, u, "q", 1, NULL);
		toe_udp_close(u);
	}
	toe_close(t);
	return 0;
}
