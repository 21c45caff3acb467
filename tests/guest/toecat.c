// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * toecat - a file over the adapter: standard input is sent, what comes goes to
 * standard output, both at once.
 *
 *   toecat [--rx-only] ADDR PORT             connect; --rx-only: send nothing
 *   toecat [--rx-only] -l ADDR PORT          listen, take one; says
 *                                            "listening" on standard error
 *
 * For tests that compare files by SHA-256.  Input and output must be files or
 * pipes whose other side keeps going.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libapp.h"

#define PIECE	65536u

static uint8_t in[PIECE];

struct cat {
	struct toe *toe;
	struct toe_conn *conn;
	size_t at, have;		/* of in */
	bool in_ended, out_ended, shut;
};

static bool output(struct cat *c)
{
	struct toe_lend lend;
	bool some = false;
	int ret = 0;

	while (!c->out_ended && (ret = toe_recv_lend(c->conn, &lend)) == 1) {
		size_t done = 0;

		while (done < lend.length) {
			ssize_t n = write(1, (const char *)lend.data + done,
					  lend.length - done);

			if (n < 0 && errno != EINTR)
				app_die("write: %s", strerror(errno));
			done += n > 0 ? n : 0;
		}
		toe_recv_return(c->toe, &lend);
		some = true;
	}
	if (!c->out_ended && ret == 0) {
		c->out_ended = true;
		some = true;
	}
	if (ret < 0 && ret != -EAGAIN)
		app_die("receive: %s", toe_strerror(ret));
	return some;
}

static bool input(struct cat *c)
{
	bool some = false;
	ssize_t n;

	if (c->at == c->have && !c->in_ended) {
		n = read(0, in, sizeof(in));
		if (n < 0)
			app_die("read: %s", strerror(errno));
		c->in_ended = n == 0;
		c->at = 0;
		c->have = n;
		some = true;
	}
	if (c->at < c->have) {
		n = toe_send(c->conn, in + c->at, c->have - c->at, 0);
		if (n < 0 && n != -EAGAIN)
			app_die("send: %s", toe_strerror(n));
		c->at += n > 0 ? n : 0;
		return n > 0;
	}
	if (c->in_ended && !c->shut) {
		n = toe_shutdown(c->conn);
		if (n)
			app_die("shutdown: %s", toe_strerror(n));
		c->shut = true;
		some = true;
	}
	return some;
}

int main(int argc, char **argv)
{
	struct toe_event ev[32];
	struct toe_listener *listener = NULL;
	struct cat c = { 0 };
	union app_addr a;
	socklen_t alen;
	bool listening = false;
	int i, n, ret;

	for (; argc > 3; argc--, argv++) {
		if (strcmp(argv[1], "-l") == 0)
			listening = true;
		else if (strcmp(argv[1], "--rx-only") == 0)
			c.in_ended = true;
		else
			break;
	}
	if (argc != 3) {
		fprintf(stderr, "usage: toecat [--rx-only] [-l] ADDR PORT\n");
		return 2;
	}
	a = app_addr_any(argv[1], argv[2]);
	alen = a.any.sa_family == AF_INET6 ? sizeof(a.in6) : sizeof(a.in);
	ret = toe_open(&c.toe, NULL);
	if (ret)
		app_die("toe_open: %s", toe_strerror(ret));
	if (listening) {
		ret = toe_listen(c.toe, &a.any, alen, 4, NULL, &listener);
		if (ret)
			app_die("listen: %s", toe_strerror(ret));
		fprintf(stderr, "listening\n");
		ret = toe_accept_wait(listener, NULL, APP_IDLE_MS, &c.conn);
	} else {
		ret = toe_connect_wait(c.toe, &a.any, alen, NULL, APP_IDLE_MS,
				       &c.conn);
	}
	if (ret)
		app_die("no connection: %s", toe_strerror(ret));
	while (!c.out_ended || !c.shut) {
		bool some = output(&c);

		some |= input(&c);
		n = toe_poll(c.toe, ev, 32);
		for (i = 0; i < n; i++)
			if (ev[i].events & (TOE_CLOSED | TOE_DEAD) &&
			    ev[i].status)
				app_die("closed: %s",
					toe_strerror(ev[i].status));
		if (!some && !n && toe_wait(c.toe, APP_IDLE_MS) == 0)
			app_die("nothing moves any more");
	}
	toe_close_conn(c.conn);
	toe_close_listener(listener);
	toe_close(c.toe);
	return 0;
}
