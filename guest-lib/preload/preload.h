/* SPDX-License-Identifier: MIT */
/*
 * preload.h - libtoe-preload: sockets over the TOE adapter for programs that
 * know nothing of it.
 *
 * The library is put in front of libc with LD_PRELOAD.  connect() decides: a
 * TCP socket that goes to another host over IPv4 becomes an adapter's
 * connection (struct psock), everything else is the kernel's, as before.  The
 * kernel's descriptor stays open as a placeholder, so that numbers are unique
 * and close-on-exec, limits and the like behave.
 *
 *	init.c		libc's own functions, options, the context, exit, fork
 *	fdtable.c	which descriptors are accelerated; dup, close
 *	socket.c	connect, names, shutdown
 *	options.c	setsockopt, getsockopt
 *	kept.c		options that were set before connect()
 *	io.c		read, write, send, recv and relatives
 *	oob.c		urgent data
 *	poll.c		poll, select and waiting on mixed descriptors
 *	epoll.c		epoll with accelerated members
 *
 * Locking: one mutex (ps_lock; recursive, because libtoe itself calls wrapped
 * functions when it opens a context) over the context and all of the library's
 * state.  A descriptor that isn't accelerated is recognised without it.  A
 * thread that waits does so outside of the lock, in poll() on the context's
 * descriptor and an eventfd of its own; who processes completions signals the
 * others that wait (see ps_pump()), as it may have taken their news.
 *
 * Known limits of this first form: accept() is the kernel's; a child after
 * fork() cannot use its parent's accelerated connections; stdio streams on
 * sockets, sendfile() and splice() on accelerated sockets do not work;
 * connections do not survive exec(); static programs are not reached.
 */
#ifndef TOE_PRELOAD_H
#define TOE_PRELOAD_H

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "toe.h"

#define EXPORT __attribute__((visibility("default")))

/* ---- libc's functions --------------------------------------------------- */

#define PS_REAL(X) \
	X(connect) X(close) X(fclose) X(closefrom) X(close_range) X(socket) \
	X(shutdown) X(getsockopt) X(setsockopt) \
	X(getsockname) X(getpeername) X(dup) X(dup2) X(dup3) X(fcntl) \
	X(fcntl64) X(ioctl) X(read) X(write) X(readv) X(writev) X(recv) \
	X(send) X(recvfrom) X(sendto) X(recvmsg) X(sendmsg) X(sendfile) \
	X(poll) X(ppoll) X(select) X(pselect) X(epoll_ctl) X(epoll_wait) \
	X(epoll_pwait) X(sockatmark)

struct ps_real {
#define PS_REAL_FIELD(name) __typeof__(name) *name;
	PS_REAL(PS_REAL_FIELD)
#undef PS_REAL_FIELD
};

/* Valid after ps_start(), which every wrapper calls first. */
extern struct ps_real real;

/* ---- Statistics --------------------------------------------------------- */

#define PS_STATS(X) \
	X(accelerated, "connections through the adapter") \
	X(kernel_loopback, "connections left to the kernel: loopback") \
	X(kernel_family, "connections left to the kernel: not IPv4 TCP") \
	X(kernel_bound, "connections left to the kernel: bound before") \
	X(kernel_no_device, "connections left to the kernel: no adapter") \
	X(kernel_no_route, "connections left to the kernel: no route") \
	X(sends, "send calls on accelerated sockets") \
	X(recvs, "receive calls on accelerated sockets") \
	X(polls, "poll and select calls with accelerated sockets") \
	X(epolls, "epoll_wait calls with accelerated sockets") \
	X(sleeps, "times a call slept") \
	X(syscalls, "system calls made for accelerated sockets") \
	X(unsupported, "calls refused on accelerated sockets")

struct ps_stats {
#define PS_STATS_FIELD(name, text) uint64_t name;
	PS_STATS(PS_STATS_FIELD)
#undef PS_STATS_FIELD
};

extern struct ps_stats ps_stats;		/* under ps_lock */

/* ---- Sockets ------------------------------------------------------------ */

struct psock {
	unsigned int refs;		/* descriptors and calls under way */
	unsigned int fds;		/* descriptors */
	struct toe_conn *conn;		/* NULL: closed, or lost by fork */
	bool nonblock;
	bool connecting;		/* connect() has not been answered */
	bool error_taken;		/* by SO_ERROR or connect() */
	bool shut_rd, shut_wr;
	bool oob_inline;		/* SO_OOBINLINE */
	bool oob_taken;			/* the urgent byte was given by MSG_OOB, */
	uint64_t oob_mark;		/* the one at this place of the stream */
	unsigned int dry, full;		/* reads, writes that got less than asked */
	int rcv_timeout, snd_timeout;	/* ms, -1: none */
	struct sockaddr_in peer;
};

extern pthread_mutex_t ps_lock;
extern struct toe *ps_toe;		/* NULL: not opened */

/* ---- init.c ---- */

void ps_start(void);
/* The context, opened now if need be; NULL: there is no adapter. */
struct toe *ps_context(void);
__attribute__((format(printf, 1, 2)))
void ps_debug(const char *format, ...);
/* In a vfork() child, which runs in its parent's memory? */
bool ps_foreign(void);

/* ---- fdtable.c ---- */

/* Numbers below this can be accelerated. */
#define PS_FD_MAX	65536
/* Accelerated?  Without the lock; ps_get() tells for sure. */
bool ps_is(int fd);
/* Take the lock and a reference; NULL (and no lock): not accelerated. */
struct psock *ps_get(int fd);
/* Give both back. */
void ps_put(struct psock *s);
/* Under the lock: */
struct psock *ps_look(int fd);
void ps_install(int fd, struct psock *s);
/* fd goes away; the last one closes the connection. */
void ps_remove(int fd);
/* Another descriptor for the same socket. */
void ps_share(int fd, int newfd);
/* After fork(), in the child: nothing here is ours. */
void ps_forget_all(void);

/* ---- socket.c ---- */

struct timeval;
/* -1: none. */
int ps_timeout_ms(const struct timeval *tv);
/*
 * Under the lock, the answer's state of a connect: 0, -EINPROGRESS, or the
 * error, which is given once.
 */
int ps_connect_state(struct psock *s);

/* ---- options.c ---- */

/*
 * What was set on fd before, for connect(); out has TOE_OPTIONS_MAX entries.
 * Their number.
 */
uint32_t ps_options_before(int fd, struct toe_option *out);

/* ---- kept.c, under the lock ---- */

void ps_keep(int fd, int option, uint64_t value);
bool ps_kept(int fd, int option, uint64_t *value);
uint32_t ps_kept_all(int fd, struct toe_option *out);
/* Without the lock: fd is closed, or new; newfd is the same socket. */
void ps_kept_forget(int fd);
void ps_kept_share(int fd, int newfd);

/* ---- oob.c, under the lock ---- */

/* Is there an urgent byte that MSG_OOB would give?  POLLPRI. */
bool ps_oob_ready(const struct psock *s);
/* Would a read give something now? */
bool ps_readable(const struct psock *s);
/* Bytes that one read would give at most, as it stops at the mark: FIONREAD. */
uint64_t ps_next_read(const struct psock *s);
bool ps_at_mark(const struct psock *s);
/* recv() with MSG_OOB. */
ssize_t ps_recv_oob(struct psock *s, void *buf, size_t len, int flags);

/* ---- poll.c ---- */

/* Take what the adapter has reported; under the lock. */
void ps_pump(void);
/*
 * Before the lock is given up: libtoe may have taken completions in passing,
 * which other threads sleep for.
 */
void ps_settle(void);
/* What other threads sleep for may hold now, by a call and not by news. */
void ps_wake_others(void);
/* poll()'s bits of a socket that hold now; under the lock. */
short ps_events(const struct psock *s);
/*
 * Sleep until the adapter has news, another thread had them, or one of the
 * kernel's descriptors is ready.  Called and returns with the lock held, which
 * is released meanwhile.  kfds has two entries of room behind its n.  Returns
 * poll()'s result for the n, or -errno; 0 can also mean news.
 */
int ps_sleep(struct pollfd *kfds, nfds_t n, int timeout);
/* Remaining ms of a time-out that ends at *end (set at the first call). */
int ps_remaining(int timeout, int64_t *end);
/* Wait until s has one of events: 0, or -EAGAIN after timeout, -errno. */
int ps_wait_for(struct psock *s, short events, int timeout);
/* A descriptor of this thread's that the program does not know; -1: none. */
int ps_own_eventfd(void);
/* After fork(), in the child: sleepers and eventfds are the parent's. */
void ps_poll_forked(void);

/* ---- epoll.c ---- */

/* fd becomes accelerated: take it out of the kernel's sets, into ours. */
void ps_epoll_adopt(int fd);
/* fd is closed. */
void ps_epoll_forget(int fd);

#endif
