// SPDX-License-Identifier: MIT
/*
 * common_perf_server.c - toe-perf's servers: one over kernel sockets with
 * epoll, one over the adapter.  Both feed the same state machine.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "common_perf.h"
#include "toe.h"

#define BACKLOG		1024
#define EVENTS		64

static struct endpoint bind_address(const char *host, const char *port)
{
	return resolve(host ? host : "0.0.0.0", port);
}

/* ---- Kernel sockets ----------------------------------------------------- */

struct kpeer {
	struct perf_peer peer;
	int fd;
	uint32_t interest;
};

static ssize_t k_result(ssize_t n)
{
	return n < 0 ? -errno : n;
}

static int k_fd(void *link)
{
	return ((struct kpeer *)link)->fd;
}

static ssize_t k_recv(void *link, void *buf, size_t len)
{
	return k_result(recv(k_fd(link), buf, len, 0));
}

static ssize_t k_discard(void *link, size_t len)
{
	/* MSG_TRUNC: TCP drops the bytes without copying them, tcp(7). */
	return k_result(recv(k_fd(link), NULL, len, MSG_TRUNC));
}

static ssize_t k_send(void *link, const void *buf, size_t len)
{
	return k_result(send(k_fd(link), buf, len, MSG_NOSIGNAL));
}

static const struct perf_io k_io = {
	.recv = k_recv, .discard = k_discard, .send = k_send,
};

static void k_close(struct kpeer *k)
{
	perf_peer_free(&k->peer);
	close(k->fd);			/* leaves the epoll set, too */
	free(k);
}

static void k_run(int ep, struct kpeer *k)
{
	struct epoll_event ev = { .data.ptr = k };
	bool want_write, again;

	/* With more to do, the others have a turn first: events are levels. */
	if (!perf_peer_run(&k->peer, &want_write, &again)) {
		k_close(k);
		return;
	}
	ev.events = want_write ? EPOLLOUT : EPOLLIN;
	if (ev.events != k->interest) {
		k->interest = ev.events;
		epoll_ctl(ep, EPOLL_CTL_MOD, k->fd, &ev);
	}
}

/*
 * The peer is the same for every path and on every machine, and costs little
 * beside what is measured: Reno, which every kernel has and every user may
 * choose, sets no timer for each segment, as a default of BBR would.  It must
 * be the listener's choice: a connection that began with BBR is paced for its
 * whole life, whatever it changes to.
 */
static void k_choose_reno(int listener)
{
	static const char reno[] = "reno";

	setsockopt(listener, IPPROTO_TCP, TCP_CONGESTION, reno, strlen(reno));
}

static void k_options(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void k_accept(int ep, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL,
			     SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct kpeer *k = calloc(1, sizeof(*k));
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = k };

		if (!k) {
			close(fd);
			return;
		}
		k_options(fd);
		k->fd = fd;
		k->interest = EPOLLIN;
		perf_peer_init(&k->peer, &k_io, k);
		if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
			k_close(k);
		else
			k_run(ep, k);	/* the header is often there already */
	}
}

static int k_listen(const char *host, const char *port)
{
	struct endpoint addr = bind_address(host, port);
	socklen_t len = sizeof(addr.u);
	int one = 1, fd = socket(addr.u.sa.sa_family, SOCK_STREAM |
				 SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, &addr.u.sa, addr.len) ||
	    getsockname(fd, &addr.u.sa, &len))
		return -errno;
	k_choose_reno(fd);
	if (listen(fd, BACKLOG))
		return -errno;
	printf("toe-perf: listening on port %u\n", endpoint_port(&addr));
	fflush(stdout);
	return fd;
}

int perf_serve_kernel(const char *host, const char *port)
{
	struct epoll_event evs[EVENTS];
	int i, n, ep, listener = k_listen(host, port);

	if (listener < 0)
		return listener;
	ep = epoll_create1(EPOLL_CLOEXEC);
	evs[0] = (struct epoll_event){ .events = EPOLLIN };
	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, listener, &evs[0]))
		return -errno;
	for (;;) {
		n = epoll_wait(ep, evs, EVENTS, -1);
		if (n < 0 && errno != EINTR)
			return -errno;
		for (i = 0; i < n; i++) {
			if (evs[i].data.ptr)
				k_run(ep, evs[i].data.ptr);
			else
				k_accept(ep, listener);
		}
	}
}

/* ---- The adapter -------------------------------------------------------- */

struct npeer {
	struct perf_peer peer;
	struct toe_conn *conn;
	struct npeer *next;		/* list of those with more to do */
	bool busy;
};

static struct toe_conn *n_conn(void *link)
{
	return ((struct npeer *)link)->conn;
}

static ssize_t n_recv(void *link, void *buf, size_t len)
{
	return toe_recv(n_conn(link), buf, len, 0);
}

static ssize_t n_discard(void *link, size_t len)
{
	struct toe_conn *conn = n_conn(link);
	static char rest[PERF_CHUNK];
	struct toe_lend lend;
	int n;

	/* A whole buffer only if all of it may go. */
	if (len < PERF_CHUNK)
		return toe_recv(conn, rest, len, 0);
	n = toe_recv_lend(conn, &lend);
	if (n <= 0)
		return n;
	toe_recv_return(toe_conn_context(conn), &lend);
	return (ssize_t)lend.length;
}

static ssize_t n_send(void *link, const void *buf, size_t len)
{
	return toe_send(n_conn(link), buf, len, 0);
}

static const struct perf_io n_io = {
	.recv = n_recv, .discard = n_discard, .send = n_send,
};

static struct npeer *busy_list;

static void n_run(struct npeer *p)
{
	bool want_write, again;

	if (!perf_peer_run(&p->peer, &want_write, &again)) {
		perf_peer_free(&p->peer);
		toe_close_conn(p->conn);
		free(p);
		return;
	}
	if (again && !p->busy) {
		p->busy = true;
		p->next = busy_list;
		busy_list = p;
	}
}

static void n_accept(struct toe_listener *listener)
{
	static const struct toe_conn_opts opts = {
		.flags = TOE_CONN_NODELAY,
	};
	struct toe_conn *conn;

	while (toe_accept(listener, &opts, &conn) == 0) {
		struct npeer *p = calloc(1, sizeof(*p));

		if (!p) {
			toe_abort(conn);
			continue;
		}
		p->conn = conn;
		toe_conn_set_user(conn, p);
		perf_peer_init(&p->peer, &n_io, p);
	}
}

static void n_turn(struct toe_event *evs, int n)
{
	struct npeer *list = busy_list, *next;
	int i;

	busy_list = NULL;
	/*
	 * A connection that is both in the list and among the events runs by
	 * its event only: it may be gone afterwards.
	 */
	for (i = 0; i < n; i++)
		if (evs[i].conn && evs[i].user)
			((struct npeer *)evs[i].user)->busy = false;
	for (; list; list = next) {
		next = list->next;
		if (!list->busy)
			continue;
		list->busy = false;
		n_run(list);
	}
	for (i = 0; i < n; i++) {
		if (evs[i].events & TOE_ACCEPTABLE)
			n_accept(evs[i].listener);
		else if (evs[i].conn && evs[i].user)
			n_run(evs[i].user);
	}
}

int perf_serve_native(const char *host, const char *port, bool spin)
{
	struct toe_config config = { .flags = spin ? TOE_CFG_SPIN : 0 };
	struct endpoint addr = bind_address(host, port);
	socklen_t len = sizeof(addr.u);
	struct toe_listener *listener;
	struct toe_event evs[EVENTS];
	struct toe *toe;
	int err = toe_open(&toe, &config), n;

	if (!err)
		err = toe_listen(toe, &addr.u.sa, addr.len, BACKLOG, NULL,
				 &listener);
	if (err)
		return err;
	toe_listener_name(listener, &addr.u.sa, &len);
	printf("toe-perf: listening on port %u of the adapter\n",
	       endpoint_port(&addr));
	fflush(stdout);
	for (;;) {
		if (!busy_list) {
			n = toe_wait(toe, -1);
			if (n < 0 && n != -EINTR)
				return n;
		}
		n = toe_poll(toe, evs, EVENTS);
		if (n && evs[0].events & TOE_DEAD)
			return evs[0].status;
		n_turn(evs, n);
	}
}
