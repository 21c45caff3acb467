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
#include <sys/socket.h>

#include "preload.h"

static struct psock *table[PS_FD_MAX];

struct psock *ps_look(int fd)
{
	if (fd < 0 || fd >= PS_FD_MAX)
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
	ps_settle();
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

	if (s && newfd >= 0 && newfd < PS_FD_MAX) {
		ps_remove(newfd);	/* closed where we did not see it */
		ps_install(newfd, s);
	}
}

void ps_forget_all(void)
{
	int fd;

	for (fd = 0; fd < PS_FD_MAX; fd++)
		if (table[fd])
			table[fd]->conn = NULL;
}

/* ---- Calls -------------------------------------------------------------- */

/* Is it one of the library's?  The program can't mean that. */
static bool own(int fd)
{
	return fd >= 0 && !ps_foreign() &&
	       ((ps_toe && fd == toe_fd(ps_toe)) || fd == ps_own_eventfd());
}

/* The kernel will close fd; ours first. */
static void closing(int fd)
{
	ps_kept_forget(fd);
	if (ps_is(fd)) {
		pthread_mutex_lock(&ps_lock);
		ps_remove(fd);
		ps_settle();
		pthread_mutex_unlock(&ps_lock);
	} else {
		ps_epoll_forget(fd);
	}
}

EXPORT int close(int fd)
{
	ps_start();
	if (!ps_foreign()) {
		/* Daemons close every number; theirs it is not. */
		if (own(fd)) {
			errno = EBADF;
			return -1;
		}
		closing(fd);
	}
	return real.close(fd);
}

/* A new number cannot be accelerated: it was closed where we did not see it. */
EXPORT int socket(int domain, int type, int protocol)
{
	int fd;

	ps_start();
	fd = real.socket(domain, type, protocol);
	if (fd >= 0 && !ps_foreign()) {
		ps_kept_forget(fd);
		if (ps_is(fd))
			closing(fd);
	}
	return fd;
}

/*
 * stdio closes its descriptor without asking us.  If it stayed accelerated, the
 * next file with this number would be read from the connection.
 */
EXPORT int fclose(FILE *file)
{
	int fd;

	ps_start();
	fd = fileno(file);
	if (fd >= 0 && !ps_foreign()) {
		if (ps_is(fd)) {
			fflush(file);
			closing(fd);
		} else {
			ps_kept_forget(fd);
		}
	}
	return real.fclose(file);
}

static int range(unsigned int first, unsigned int last, int flags)
{
	return first > last ? 0 : real.close_range(first, last, flags);
}

/* All but the library's own, which are at most two. */
static int close_others(unsigned int first, unsigned int last, int flags)
{
	/* -1 becomes a number above all others. */
	unsigned int a = ps_toe ? (unsigned int)toe_fd(ps_toe) : UINT_MAX;
	unsigned int b = (unsigned int)ps_own_eventfd();
	unsigned int lo = a < b ? a : b, hi = a < b ? b : a, fd;
	int result = 0;

	for (fd = first; fd <= last && fd < PS_FD_MAX; fd++)
		if (fd != lo && fd != hi)
			closing((int)fd);
	if (lo != UINT_MAX && lo >= first && lo <= last) {
		if (lo > first)
			result = range(first, lo - 1, flags);
		first = lo + 1;
	}
	if (!result && hi != UINT_MAX && hi >= first && hi <= last) {
		if (hi > first)
			result = range(first, hi - 1, flags);
		first = hi + 1;
	}
	return result ? result : range(first, last, flags);
}

EXPORT int close_range(unsigned int first, unsigned int last, int flags)
{
	ps_start();
	if (!real.close_range) {
		errno = ENOSYS;
		return -1;
	}
	if (ps_foreign() || first > last || flags & CLOSE_RANGE_CLOEXEC)
		return real.close_range(first, last, flags);
	return close_others(first, last, flags);
}

EXPORT void closefrom(int first)
{
	ps_start();
	if (first < 0)
		first = 0;
	if (!ps_foreign() && real.close_range &&
	    !close_others((unsigned int)first, UINT_MAX, 0))
		return;
	if (real.closefrom)
		real.closefrom(first);
}

static int duplicated(int fd, int newfd)
{
	if (newfd >= 0 && !ps_foreign()) {
		ps_kept_share(fd, newfd);
		if (ps_is(fd)) {
			pthread_mutex_lock(&ps_lock);
			ps_share(fd, newfd);
			pthread_mutex_unlock(&ps_lock);
		}
	}
	return newfd;
}

/* newfd is closed by dup2() itself. */
static void replaced(int fd, int newfd)
{
	if (fd != newfd && !ps_foreign())
		closing(newfd);
}

/* Where the library has its own descriptor there's no place for another. */
static bool taken(int newfd)
{
	if (!own(newfd))
		return false;
	errno = EBUSY;
	return true;
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
	if (taken(newfd))
		return -1;
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
	if (taken(newfd))
		return -1;
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
			*(int *)arg = s->conn ? (int)ps_next_read(s) : 0;
			ps_put(s);
			return 0;
		}
	}
	if (request == SIOCATMARK && arg && ps_is(fd)) {
		*(int *)arg = sockatmark(fd);
		return 0;
	}
	return real.ioctl(fd, request, arg);
}
