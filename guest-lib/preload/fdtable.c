// SPDX-License-Identifier: MIT
/*
 * fdtable.c - which descriptors are accelerated, and how they multiply and
 * end.
 *
 * The table is indexed by descriptor.  An entry is set and cleared under
 * ps_lock but read without it, so that a call on any other descriptor costs
 * one load.  Several descriptors may share a socket (dup); the connection is
 * closed with the last one, and the memory goes when the last call that is
 * under way on it (in another thread) is done.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "preload.h"

#define TABLE_SIZE	65536

static struct psock *table[TABLE_SIZE];

struct psock *ps_look(int fd)
{
	if (fd < 0 || fd >= TABLE_SIZE)
		return NULL;
	return __atomic_load_n(&table[fd], __ATOMIC_ACQUIRE);
}

bool ps_is(int fd)
{
	return ps_look(fd) != NULL;
}

struct psock *ps_get(int fd)
{
	struct psock *s;

	if (!ps_look(fd))
		return NULL;
	pthread_mutex_lock(&ps_lock);
	s = ps_look(fd);
	if (s)
		s->refs++;
	else
		pthread_mutex_unlock(&ps_lock);
	return s;
}

static void unref(struct psock *s)
{
	if (!--s->refs)
		free(s);
}

void ps_put(struct psock *s)
{
	unref(s);
	pthread_mutex_unlock(&ps_lock);
}

void ps_install(int fd, struct psock *s)
{
	s->refs++;
	s->fds++;
	__atomic_store_n(&table[fd], s, __ATOMIC_RELEASE);
}

void ps_remove(int fd)
{
	struct psock *s = ps_look(fd);

	if (!s)
		return;
	__atomic_store_n(&table[fd], NULL, __ATOMIC_RELEASE);
	ps_epoll_forget(fd);
	if (!--s->fds) {
		toe_close_conn(s->conn);
		s->conn = NULL;
	}
	unref(s);
}

void ps_share(int fd, int newfd)
{
	struct psock *s = ps_look(fd);

	if (s && newfd >= 0 && newfd < TABLE_SIZE)
		ps_install(newfd, s);
}

void ps_forget_all(void)
{
	int fd;

	for (fd = 0; fd < TABLE_SIZE; fd++)
		if (table[fd])
			table[fd]->conn = NULL;
}

/* ---- Calls -------------------------------------------------------------- */

EXPORT int close(int fd)
{
	ps_start();
	if (!ps_foreign()) {
		if (ps_is(fd)) {
			pthread_mutex_lock(&ps_lock);
			ps_remove(fd);
			pthread_mutex_unlock(&ps_lock);
		} else {
			ps_epoll_forget(fd);
		}
	}
	return real.close(fd);
}

static int duplicated(int fd, int newfd)
{
	if (newfd >= 0 && !ps_foreign() && ps_is(fd)) {
		pthread_mutex_lock(&ps_lock);
		ps_share(fd, newfd);
		pthread_mutex_unlock(&ps_lock);
	}
	return newfd;
}

/* newfd is closed by dup2() itself. */
static void replaced(int fd, int newfd)
{
	if (fd == newfd || ps_foreign())
		return;
	if (ps_is(newfd)) {
		pthread_mutex_lock(&ps_lock);
		ps_remove(newfd);
		pthread_mutex_unlock(&ps_lock);
	}
}

EXPORT int dup(int fd)
{
	ps_start();
	return duplicated(fd, real.dup(fd));
}

EXPORT int dup2(int fd, int newfd)
{
	int n;

	ps_start();
	n = real.dup2(fd, newfd);
	if (n < 0 || fd == newfd)
		return n;
	replaced(fd, newfd);
	return duplicated(fd, n);
}

EXPORT int dup3(int fd, int newfd, int flags)
{
	int n;

	ps_start();
	n = real.dup3(fd, newfd, flags);
	if (n < 0)
		return n;
	replaced(fd, newfd);
	return duplicated(fd, n);
}

static void set_nonblock(int fd, bool on)
{
	struct psock *s = ps_get(fd);

	if (!s)
		return;
	s->nonblock = on;
	ps_put(s);
}

static int do_fcntl(__typeof__(fcntl) *call, int fd, int cmd, void *arg)
{
	int n = call(fd, cmd, arg);

	if (n < 0)
		return n;
	if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC)
		return duplicated(fd, n);
	if (cmd == F_SETFL && ps_is(fd))
		set_nonblock(fd, (long)arg & O_NONBLOCK);
	return n;
}

EXPORT int fcntl(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	ps_start();
	return do_fcntl(real.fcntl, fd, cmd, arg);
}

EXPORT int fcntl64(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	ps_start();
	return do_fcntl(real.fcntl64, fd, cmd, arg);
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	struct psock *s;
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	ps_start();
	if (request == FIONBIO && arg && ps_is(fd))
		set_nonblock(fd, *(int *)arg != 0);
	if (request == FIONREAD && arg) {
		s = ps_get(fd);
		if (s) {
			ps_pump();
			*(int *)arg = s->conn ?
				      (int)toe_recv_pending(s->conn) : 0;
			ps_put(s);
			return 0;
		}
	}
	return real.ioctl(fd, request, arg);
}
