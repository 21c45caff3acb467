// SPDX-License-Identifier: MIT
/*
 * socket.c - connect() and what belongs to it.
 *
 * Only connect() accelerates.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "preload.h"

static int fail(int err)
{
	errno = -err;
	return -1;
}

static int int_option(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = 0;

	return real.getsockopt(fd, level, name, &value, &len) ? 0 : value;
}

int ps_timeout_ms(const struct timeval *tv)
{
	if (!tv->tv_sec && !tv->tv_usec)
		return -1;
	if (tv->tv_sec > INT32_MAX / 1000 - 1)
		return INT32_MAX;
	return (int)(tv->tv_sec * 1000 + (tv->tv_usec + 999) / 1000);
}

static int timeout_option(int fd, int name)
{
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);

	if (real.getsockopt(fd, SOL_SOCKET, name, &tv, &len))
		return -1;
	return ps_timeout_ms(&tv);
}

/* Why the kernel has to do it; NULL: the adapter can. */
static uint64_t *not_ours(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_in in, own = { 0 };
	socklen_t own_len = sizeof(own);
	uint32_t ip;

	if (fd >= PS_FD_MAX || !addr || len < sizeof(in) ||
	    addr->sa_family != AF_INET ||
	    int_option(fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
	    int_option(fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP)
		return &ps_stats.kernel_family;
	memcpy(&in, addr, sizeof(in));
	ip = ntohl(in.sin_addr.s_addr);
	if (!ip || ip >> 24 == 127 || ip >> 28 >= 14 || !in.sin_port)
		return &ps_stats.kernel_loopback;
	if (real.getsockname(fd, (struct sockaddr *)&own, &own_len) ||
	    own.sin_port || own.sin_addr.s_addr)
		return &ps_stats.kernel_bound;
	return NULL;
}

static struct psock *new_sock(int fd, const struct sockaddr *addr)
{
	struct psock *s = calloc(1, sizeof(*s));
	int flags = real.fcntl(fd, F_GETFL);

	if (!s)
		return NULL;
	s->nonblock = flags >= 0 && flags & O_NONBLOCK;
	s->oob_inline = int_option(fd, SOL_SOCKET, SO_OOBINLINE);
	s->rcv_timeout = timeout_option(fd, SO_RCVTIMEO);
	s->snd_timeout = timeout_option(fd, SO_SNDTIMEO);
	memcpy(&s->peer, addr, sizeof(s->peer));
	return s;
}

int ps_connect_state(struct psock *s)
{
	uint32_t state;

	if (!s->conn)
		return -EBADF;
	state = toe_conn_state(s->conn);
	if (!(state & (TOE_CONNECTED | TOE_CLOSED)))
		return -EINPROGRESS;
	s->connecting = false;
	if (state & TOE_CONNECTED || s->error_taken)
		return 0;
	s->error_taken = true;
	return toe_conn_error(s->conn) ? toe_conn_error(s->conn) : -ECONNRESET;
}

/* 1: try the kernel; else connect()'s result as -errno. */
static int start(int fd, const struct sockaddr *addr, socklen_t len,
		 struct psock **out)
{
	struct toe *toe = ps_context();
	struct toe_option options[TOE_OPTIONS_MAX];
	struct toe_conn_opts opts = { .options = options };
	struct psock *s;
	int err;

	if (!toe) {
		ps_stats.kernel_no_device++;
		return 1;
	}
	s = new_sock(fd, addr);
	if (!s)
		return -ENOMEM;
	opts.user = s;
	opts.noptions = ps_options_before(fd, options);
	if (int_option(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT))
		opts.flags |= TOE_CONN_FASTOPEN;
	do {
		ps_pump();
		err = toe_connect(toe, addr, len, &opts, &s->conn);
	} while (err == -EAGAIN);
	if (!err) {
		ps_pump();	/* most refusals of the adapter come at once */
		err = toe_conn_error(s->conn);
		if (err != -ENETUNREACH && err != -EADDRNOTAVAIL &&
		    err != -ENETDOWN && err != -ENOBUFS)
			err = 0;
		if (err)
			toe_close_conn(s->conn);
	}
	if (err) {
		ps_debug("toe-preload: fd %d: kernel, because: %s", fd,
			 toe_strerror(err));
		ps_stats.kernel_no_route++;
		free(s);
		return 1;
	}
	s->connecting = true;
	ps_install(fd, s);
	ps_epoll_adopt(fd);
	ps_stats.accelerated++;
	*out = s;
	return 0;
}

static int finish(struct psock *s)
{
	int err;

	while ((err = ps_connect_state(s)) == -EINPROGRESS && !s->nonblock) {
		err = ps_wait_for(s, POLLOUT | POLLHUP, s->snd_timeout);
		if (err)
			return err == -EAGAIN ? -EINPROGRESS : err;
	}
	return err;
}

static int connect_again(struct psock *s)
{
	ps_pump();
	if (!s->connecting)
		return -EISCONN;
	if (s->nonblock && ps_connect_state(s) == -EINPROGRESS)
		return -EALREADY;
	return finish(s);
}

EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct psock *s;
	uint64_t *reason;
	int err;

	ps_start();
	s = ps_get(fd);
	if (s) {
		err = connect_again(s);
		ps_put(s);
		return err ? fail(err) : 0;
	}
	reason = not_ours(fd, addr, len);
	pthread_mutex_lock(&ps_lock);
	if (reason) {
		(*reason)++;
		err = 1;
	} else {
		err = start(fd, addr, len, &s);
	}
	if (err == 1) {
		ps_settle();
		pthread_mutex_unlock(&ps_lock);
		ps_debug("toe-preload: fd %d: connection by the kernel", fd);
		return real.connect(fd, addr, len);
	}
	if (!err) {
		ps_debug("toe-preload: fd %d: connection by the adapter", fd);
		s->refs++;
		err = finish(s);
		ps_put(s);
	} else {
		ps_settle();
		pthread_mutex_unlock(&ps_lock);
	}
	return err ? fail(err) : 0;
}

/* ---- Names -------------------------------------------------------------- */

EXPORT int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	struct psock *s;
	int err;

	ps_start();
	s = ps_get(fd);
	if (!s)
		return real.getsockname(fd, addr, len);
	err = s->conn ? toe_conn_name(s->conn, addr, len) : -EBADF;
	if (err == -ENOTCONN) {		/* not chosen yet */
		struct sockaddr_in none = { .sin_family = AF_INET };

		memcpy(addr, &none, *len < sizeof(none) ? *len : sizeof(none));
		*len = sizeof(none);
		err = 0;
	}
	ps_put(s);
	return err ? fail(err) : 0;
}

EXPORT int getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	struct psock *s;
	int err = 0;

	ps_start();
	s = ps_get(fd);
	if (!s)
		return real.getpeername(fd, addr, len);
	if (!s->conn || !(toe_conn_state(s->conn) & TOE_CONNECTED)) {
		err = -ENOTCONN;
	} else {
		memcpy(addr, &s->peer,
		       *len < sizeof(s->peer) ? *len : sizeof(s->peer));
		*len = sizeof(s->peer);
	}
	ps_put(s);
	return err ? fail(err) : 0;
}

/* ---- Shutdown ----------------------------------------------------------- */

EXPORT int shutdown(int fd, int how)
{
	struct psock *s;
	int err = 0;

	ps_start();
	s = ps_get(fd);
	if (!s)
		return real.shutdown(fd, how);
	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		err = -EINVAL;
	else if (!s->conn || !(toe_conn_state(s->conn) & TOE_CONNECTED))
		err = -ENOTCONN;
	if (!err && how != SHUT_WR) {
		s->shut_rd = true;
		ps_wake_others();	/* they read the end now */
	}
	if (!err && how != SHUT_RD && !s->shut_wr) {
		s->shut_wr = true;
		toe_shutdown(s->conn);
	}
	ps_put(s);
	return err ? fail(err) : 0;
}
