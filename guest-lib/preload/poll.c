// SPDX-License-Identifier: MIT
/*
 * poll.c - poll, select, and waiting in general.
 *
 * A wait over mixed descriptors looks at the accelerated sockets in memory,
 * and at the others with the kernel's poll().  To sleep, it arms the
 * completion queue and gives the kernel's descriptors, the context's and an
 * eventfd of the thread to one poll().  The eventfd is there because another
 * thread may take the completions that this one waits for: whoever takes some
 * signals all that sleep, and they look again.
 *
 * That holds for completions without news, too (of a connection that was
 * closed, say).  Their interrupt was the one that the sleepers armed; it finds
 * the queue read already, so poll() sleeps on, and nothing is armed for what
 * comes next.  The sleepers have to arm again.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "preload.h"

#define SPINS		2000		/* looks before sleeping */
#define PUMP_EVENTS	16
#define STACK_FDS	64

struct waiter {
	int fd;
	struct waiter *next;
};

static struct waiter *waiters;		/* sleeping threads; under ps_lock */
static bool spinning;			/* somebody looks; under ps_lock */
static uint64_t armed_at;		/* completions taken when it was armed */
static __thread int own_eventfd;	/* + 1; 0: none yet */
static pthread_key_t eventfd_key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void close_eventfd(void *fd)
{
	real.close((int)(intptr_t)fd - 1);
}

static void make_key(void)
{
	pthread_key_create(&eventfd_key, close_eventfd);
}

static int thread_eventfd(void)
{
	int fd;

	if (own_eventfd)
		return own_eventfd - 1;
	pthread_once(&key_once, make_key);
	fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0)
		return -1;
	own_eventfd = fd + 1;
	pthread_setspecific(eventfd_key, (void *)(intptr_t)own_eventfd);
	return fd;
}

int ps_own_eventfd(void)
{
	return own_eventfd - 1;
}

/*
 * The list has the parent's threads, and reading the eventfd in the child would
 * take away the parent's wake-ups.
 */
void ps_poll_forked(void)
{
	waiters = NULL;
	spinning = false;
	if (!own_eventfd)
		return;
	pthread_setspecific(eventfd_key, NULL);
	real.close(own_eventfd - 1);
	own_eventfd = 0;
}

void ps_wake_others(void)
{
	uint64_t one = 1;
	struct waiter *w;
	ssize_t n;

	for (w = waiters; w; w = w->next) {
		n = real.write(w->fd, &one, sizeof(one));
		ps_stats.syscalls++;
		(void)n;		/* full means that it is awake */
	}
}

static uint64_t taken(void)
{
	struct toe_stats stats = { 0 };

	toe_stats(ps_toe, &stats, sizeof(stats));
	return stats.completions;
}

void ps_pump(void)
{
	struct toe_event ev[PUMP_EVENTS];
	bool any = false;
	int n;

	if (!ps_toe)
		return;
	/* States are kept by libtoe; the events only say that some changed. */
	do {
		n = toe_poll(ps_toe, ev, PUMP_EVENTS);
		any |= n > 0;
	} while (n == PUMP_EVENTS);
	if (waiters && (any || taken() != armed_at))
		ps_wake_others();
}

void ps_settle(void)
{
	if (waiters)
		ps_pump();
}

short ps_events(const struct psock *s)
{
	uint32_t state;
	short ev = 0;

	if (!s->conn)
		return POLLIN | POLLOUT | POLLERR | POLLHUP;
	state = toe_conn_state(s->conn);
	if (state & (TOE_PEER_CLOSED | TOE_CLOSED) || s->shut_rd ||
	    (state & TOE_READABLE && ps_readable(s)))
		ev |= POLLIN | POLLRDNORM;
	if (state & TOE_MARKED && ps_oob_ready(s))
		ev |= POLLPRI;
	if (state & (TOE_PEER_CLOSED | TOE_CLOSED) || s->shut_rd)
		ev |= POLLRDHUP;
	if (state & (TOE_WRITABLE | TOE_CLOSED) ||
	    (s->shut_wr && state & TOE_CONNECTED))
		ev |= POLLOUT | POLLWRNORM;
	if (state & TOE_CLOSED)
		ev |= POLLHUP;
	if (state & TOE_CLOSED && toe_conn_error(s->conn) && !s->error_taken)
		ev |= POLLERR;
	return ev;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int ps_remaining(int timeout, int64_t *end)
{
	int64_t now, left;

	if (timeout <= 0)
		return timeout;
	now = now_ms();
	if (!*end) {
		*end = now + timeout;
		return timeout;
	}
	left = *end - now;
	return left > 0 ? (int)left : 0;
}

/*
 * Did the adapter report something while we looked?  Others may run.  Negative:
 * the context is dead and will say no more.  With many threads a look is all:
 * each news wakes all of them, and they would spin in each other's way.
 */
static int spin(void)
{
	int i, n = 0, times = waiters || spinning ? 1 : SPINS;
	bool first = !spinning;

	spinning = true;
	for (i = 0; i < times; i++) {
		n = toe_wait(ps_toe, 0);
		if (n && n != -EINTR)
			break;
		n = 0;
		if (i % 64 == 63) {
			pthread_mutex_unlock(&ps_lock);
			pthread_mutex_lock(&ps_lock);
		}
	}
	if (first)
		spinning = false;
	return n;
}

/* Only the kernel's descriptors. */
static int sleep_kernel(struct pollfd *kfds, nfds_t n, int timeout)
{
	int ready, err;

	pthread_mutex_unlock(&ps_lock);
	ready = real.poll(kfds, n, timeout);
	err = errno;
	pthread_mutex_lock(&ps_lock);
	return ready < 0 ? -err : ready;
}

static int sleep_armed(struct pollfd *kfds, nfds_t n, int timeout)
{
	struct waiter self = { .fd = thread_eventfd() }, **w;
	uint64_t count;
	int ready, err;
	ssize_t ignored;

	kfds[n] = (struct pollfd){ .fd = toe_fd(ps_toe), .events = POLLIN };
	kfds[n + 1] = (struct pollfd){ .fd = self.fd, .events = POLLIN };
	/* Looking and arming may have taken what others sleep for. */
	if (waiters && taken() != armed_at)
		ps_wake_others();
	self.next = waiters;
	waiters = &self;
	armed_at = taken();
	ps_stats.sleeps++;
	ps_stats.syscalls++;
	pthread_mutex_unlock(&ps_lock);
	ready = real.poll(kfds, n + 2, timeout);
	err = errno;
	pthread_mutex_lock(&ps_lock);
	for (w = &waiters; *w; w = &(*w)->next)
		if (*w == &self) {
			*w = self.next;
			break;
		}
	if (ready > 0 && kfds[n + 1].revents) {
		ignored = real.read(self.fd, &count, sizeof(count));
		(void)ignored;
		ps_stats.syscalls++;
		ready--;
	}
	if (ready > 0 && kfds[n].revents)
		ready--;
	return ready < 0 ? -err : ready;
}

int ps_sleep(struct pollfd *kfds, nfds_t n, int timeout)
{
	int ready = 0, news;

	if (!ps_toe)
		return sleep_kernel(kfds, n, timeout);
	news = timeout ? spin() : 1;
	if (news < 0)
		ready = sleep_kernel(kfds, n, timeout);
	else if (!news && !toe_arm(ps_toe))
		ready = sleep_armed(kfds, n, timeout);
	else if (n)
		ready = sleep_kernel(kfds, n, 0);
	ps_pump();
	return ready;
}

/*
 * A signal interrupted a call that the kernel would begin again if the handler
 * was installed with SA_RESTART.  Nobody says which signal it was, so all
 * handlers there are must have it.
 */
static bool restarts(void)
{
	struct sigaction sa;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		if (!sigaction(sig, NULL, &sa) && sa.sa_handler != SIG_DFL &&
		    sa.sa_handler != SIG_IGN && !(sa.sa_flags & SA_RESTART))
			return false;
	return true;
}

int ps_wait_for(struct psock *s, short events, int timeout)
{
	struct pollfd room[2];
	int64_t end = 0;
	int left, n;

	for (;;) {
		ps_pump();
		if (!s->conn)
			return -EBADF;
		if (ps_events(s) & events)
			return 0;
		left = ps_remaining(timeout, &end);
		if (!left)
			return -EAGAIN;
		n = ps_sleep(room, 0, left);
		if (n == -EINTR && timeout < 0 && restarts())
			continue;
		if (n < 0)
			return n;
	}
}

/* ---- poll --------------------------------------------------------------- */

static bool any_of_ours(const struct pollfd *fds, nfds_t n)
{
	nfds_t i;

	for (i = 0; i < n; i++)
		if (ps_is(fds[i].fd))
			return true;
	return false;
}

/*
 * Under the lock.  Fills revents of our sockets and the kernel's part; returns
 * the number of ours that are ready.
 */
static int look(struct pollfd *fds, nfds_t n, struct pollfd *kfds)
{
	const short always = POLLERR | POLLHUP | POLLNVAL;
	int ready = 0;
	nfds_t i;

	for (i = 0; i < n; i++) {
		struct psock *s = ps_look(fds[i].fd);

		kfds[i] = fds[i];
		kfds[i].revents = 0;
		fds[i].revents = 0;
		if (!s)
			continue;
		kfds[i].fd = -1;	/* the kernel ignores it */
		fds[i].revents = ps_events(s) & (fds[i].events | always);
		ready += fds[i].revents != 0;
	}
	return ready;
}

static int merge(struct pollfd *fds, nfds_t n, const struct pollfd *kfds)
{
	int ready = 0;
	nfds_t i;

	for (i = 0; i < n; i++) {
		if (kfds[i].fd >= 0)
			fds[i].revents = kfds[i].revents;
		ready += fds[i].revents != 0;
	}
	return ready;
}

static bool kernel_part(const struct pollfd *kfds, nfds_t n)
{
	nfds_t i;

	for (i = 0; i < n; i++)
		if (kfds[i].fd >= 0)
			return true;
	return false;
}

/* kfds: n + 2 entries. */
static int mixed_poll(struct pollfd *fds, nfds_t n, struct pollfd *kfds,
		      int timeout)
{
	int64_t end = 0;
	int ours, left, ready;

	pthread_mutex_lock(&ps_lock);
	ps_stats.polls++;
	for (;;) {
		ps_pump();
		ours = look(fds, n, kfds);
		left = ours ? 0 : ps_remaining(timeout, &end);
		if (left) {
			ready = ps_sleep(kfds, n, left);
		} else if (kernel_part(kfds, n)) {
			ps_stats.syscalls++;
			ready = real.poll(kfds, n, 0);
			ready = ready < 0 ? -errno : ready;
		} else {
			ready = 0;
		}
		if (ready < 0)
			break;
		if (left && !ready)
			continue;	/* news, or the time is over */
		ready = merge(fds, n, kfds);
		if (ready || !left)
			break;
	}
	pthread_mutex_unlock(&ps_lock);
	if (ready < 0) {
		errno = -ready;
		return -1;
	}
	return ready;
}

EXPORT int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct pollfd stack[STACK_FDS + 2], *kfds = stack;
	int ready;

	ps_start();
	if (!any_of_ours(fds, n))
		return real.poll(fds, n, timeout);
	if (n > STACK_FDS) {
		if (n > INT_MAX / sizeof(*kfds) - 2) {
			errno = EINVAL;
			return -1;
		}
		kfds = malloc((n + 2) * sizeof(*kfds));
		if (!kfds) {
			errno = ENOMEM;
			return -1;
		}
	}
	ready = mixed_poll(fds, n, kfds, timeout);
	if (kfds != stack)
		free(kfds);
	return ready;
}

extern void __chk_fail(void) __attribute__((noreturn));
int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size);

EXPORT int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size)
{
	if (size / sizeof(*fds) < n)
		__chk_fail();
	return poll(fds, n, timeout);
}

static int timespec_ms(const struct timespec *ts)
{
	if (!ts)
		return -1;
	if (ts->tv_sec > INT_MAX / 1000 - 1)
		return INT_MAX;
	return (int)(ts->tv_sec * 1000 + (ts->tv_nsec + 999999) / 1000000);
}

EXPORT int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *ts,
		 const sigset_t *mask)
{
	sigset_t old;
	int ready, err;

	ps_start();
	if (!any_of_ours(fds, n))
		return real.ppoll(fds, n, ts, mask);
	/* Not atomic: a signal in between is seen by the next call. */
	if (mask)
		pthread_sigmask(SIG_SETMASK, mask, &old);
	ready = poll(fds, n, timespec_ms(ts));
	err = errno;
	if (mask)
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return ready;
}

int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *ts,
		const sigset_t *mask, size_t size);

EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *ts,
		       const sigset_t *mask, size_t size)
{
	if (size / sizeof(*fds) < n)
		__chk_fail();
	return ppoll(fds, n, ts, mask);
}

/* ---- select ------------------------------------------------------------- */

static bool sets_have_ours(int n, fd_set *const sets[3])
{
	int fd, k;

	for (fd = 0; fd < n && fd < FD_SETSIZE; fd++)
		for (k = 0; k < 3; k++)
			if (sets[k] && FD_ISSET(fd, sets[k]) && ps_is(fd))
				return true;
	return false;
}

static int select_by_poll(int n, fd_set *const sets[3], int timeout)
{
	static const short wanted[3] = { POLLIN, POLLOUT, POLLPRI };
	static const short counts[3] = {
		POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI,
	};
	struct pollfd *fds = calloc((size_t)n + 1, sizeof(*fds));
	int fd, k, ready, bits = 0, nfds = 0;

	if (!fds) {
		errno = ENOMEM;
		return -1;
	}
	for (fd = 0; fd < n; fd++) {
		short events = 0;

		for (k = 0; k < 3; k++)
			if (sets[k] && FD_ISSET(fd, sets[k]))
				events |= wanted[k];
		if (events)
			fds[nfds++] = (struct pollfd){ fd, events, 0 };
	}
	ready = poll(fds, (nfds_t)nfds, timeout);
	if (ready < 0) {
		free(fds);
		return -1;
	}
	for (k = 0; k < nfds; k++)
		if (fds[k].revents & POLLNVAL) {
			free(fds);
			errno = EBADF;
			return -1;
		}
	for (k = 0; k < 3; k++) {
		int i;

		if (!sets[k])
			continue;
		for (i = 0; i < nfds; i++) {
			if (!FD_ISSET(fds[i].fd, sets[k]))
				continue;
			if (fds[i].revents & counts[k])
				bits++;
			else
				FD_CLR(fds[i].fd, sets[k]);
		}
	}
	free(fds);
	return bits;
}

EXPORT int select(int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *tv)
{
	fd_set *const sets[3] = { r, w, x };
	struct timespec ts;

	ps_start();
	if (n < 0 || n > FD_SETSIZE || !sets_have_ours(n, sets))
		return real.select(n, r, w, x, tv);
	if (!tv)
		return select_by_poll(n, sets, -1);
	ts = (struct timespec){ tv->tv_sec, tv->tv_usec * 1000 };
	return select_by_poll(n, sets, timespec_ms(&ts));
}

EXPORT int pselect(int n, fd_set *r, fd_set *w, fd_set *x,
		   const struct timespec *ts, const sigset_t *mask)
{
	fd_set *const sets[3] = { r, w, x };
	sigset_t old;
	int ready, err;

	ps_start();
	if (n < 0 || n > FD_SETSIZE || !sets_have_ours(n, sets))
		return real.pselect(n, r, w, x, ts, mask);
	if (mask)
		pthread_sigmask(SIG_SETMASK, mask, &old);
	ready = select_by_poll(n, sets, timespec_ms(ts));
	err = errno;
	if (mask)
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return ready;
}
