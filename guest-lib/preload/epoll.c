// SPDX-License-Identifier: MIT
/*
 * epoll.c - epoll sets with accelerated members.
 *
 * Sockets are often put into a set before they connect, so every membership is
 * remembered here.  When a member becomes accelerated it is taken out of the
 * kernel's set; epoll_wait() on a set that has such members looks at them in
 * memory and at the rest with the kernel, like poll().  A set without
 * accelerated members is the kernel's alone.
 *
 * Edge-triggered members are reported when an event appears that did not hold
 * at the last report, or when more bytes have come; EPOLLONESHOT is kept.
 * Limits: sets inside of sets do not see accelerated members, and a wait that
 * has begun does not see members that another thread adds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "preload.h"

struct member {
	int ep, fd;
	bool ours;			/* not in the kernel's set */
	bool disabled;			/* EPOLLONESHOT was reported */
	struct epoll_event ev;
	uint32_t reported;		/* edge: events that held then */
	unsigned int dry, full;		/* edge: the socket's then */
	uint64_t bytes_in;		/* edge: bytes received until then */
	struct member *next;
};

static struct member *members;		/* under ps_lock */
static unsigned int total, ours_total;	/* read without it */

static struct member **find(int ep, int fd)
{
	struct member **m;

	for (m = &members; *m; m = &(*m)->next)
		if ((*m)->ep == ep && (*m)->fd == fd)
			break;
	return m;
}

static void drop(struct member **at)
{
	struct member *m = *at;

	*at = m->next;
	if (m->ours)
		__atomic_fetch_sub(&ours_total, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&total, 1, __ATOMIC_RELAXED);
	free(m);
}

void ps_epoll_forget(int fd)
{
	struct member **m = &members;

	if (!__atomic_load_n(&total, __ATOMIC_RELAXED))
		return;
	pthread_mutex_lock(&ps_lock);
	while (*m) {
		if ((*m)->fd == fd || (*m)->ep == fd)
			drop(m);
		else
			m = &(*m)->next;
	}
	pthread_mutex_unlock(&ps_lock);
}

void ps_epoll_adopt(int fd)
{
	struct member *m;

	for (m = members; m; m = m->next) {
		if (m->fd != fd || m->ours)
			continue;
		real.epoll_ctl(m->ep, EPOLL_CTL_DEL, fd, NULL);
		m->ours = true;
		__atomic_fetch_add(&ours_total, 1, __ATOMIC_RELAXED);
	}
}

/* ---- epoll_ctl ---------------------------------------------------------- */

static int add(int ep, int fd, const struct epoll_event *ev, bool ours)
{
	struct member *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->ep = ep;
	m->fd = fd;
	m->ours = ours;
	m->ev = *ev;
	m->next = members;
	members = m;
	__atomic_fetch_add(&total, 1, __ATOMIC_RELAXED);
	if (ours)
		__atomic_fetch_add(&ours_total, 1, __ATOMIC_RELAXED);
	return 0;
}

static int control(int ep, int op, int fd, struct epoll_event *ev)
{
	struct member **m = find(ep, fd);
	bool ours = ps_look(fd) != NULL;

	if (!ours && real.epoll_ctl(ep, op, fd, ev))
		return -errno;
	switch (op) {
	case EPOLL_CTL_ADD:
		if (*m && ours)
			return -EEXIST;
		if (*m)
			drop(m);	/* of a descriptor closed elsewhere */
		return add(ep, fd, ev, ours);
	case EPOLL_CTL_MOD:
		if (!*m)
			return ours ? -ENOENT : 0;
		(*m)->ev = *ev;
		(*m)->disabled = false;
		(*m)->reported = 0;
		return 0;
	case EPOLL_CTL_DEL:
		if (!*m)
			return ours ? -ENOENT : 0;
		drop(m);
		return 0;
	}
	return -EINVAL;
}

EXPORT int epoll_ctl(int ep, int op, int fd, struct epoll_event *ev)
{
	int err;

	ps_start();
	if (ps_foreign() || (!ev && op != EPOLL_CTL_DEL))
		return real.epoll_ctl(ep, op, fd, ev);
	pthread_mutex_lock(&ps_lock);
	err = control(ep, op, fd, ev);
	pthread_mutex_unlock(&ps_lock);
	if (!err)
		return 0;
	errno = -err;
	return -1;
}

/* ---- epoll_wait --------------------------------------------------------- */

static uint32_t edges(struct member *m, const struct psock *s, uint32_t held)
{
	struct toe_conn_stats stats = { 0 };
	uint32_t fresh = held & ~m->reported;

	if (s->conn)
		toe_conn_stats(s->conn, &stats, sizeof(stats));
	if (stats.bytes_in != m->bytes_in)
		fresh |= held & EPOLLIN;
	/* What did not hold in between, unseen by us, is new as well. */
	if (s->dry != m->dry)
		fresh |= held & (EPOLLIN | EPOLLRDHUP);
	if (s->full != m->full)
		fresh |= held & EPOLLOUT;
	m->dry = s->dry;
	m->full = s->full;
	m->reported = held;
	m->bytes_in = stats.bytes_in;
	return fresh ? held : 0;
}

static int collect(int ep, struct epoll_event *evs, int max)
{
	const uint32_t always = EPOLLERR | EPOLLHUP;
	struct member *m;
	int n = 0;

	for (m = members; m && n < max; m = m->next) {
		struct psock *s = ps_look(m->fd);
		uint32_t held;

		if (m->ep != ep || !m->ours || m->disabled || !s)
			continue;
		held = (uint16_t)ps_events(s) & (m->ev.events | always);
		if (m->ev.events & EPOLLET)
			held = edges(m, s, held);
		if (!held)
			continue;
		m->disabled = m->ev.events & EPOLLONESHOT;
		evs[n++] = (struct epoll_event){
			.events = held, .data = m->ev.data,
		};
	}
	return n;
}

static bool has_ours(int ep)
{
	struct member *m;

	if (!__atomic_load_n(&ours_total, __ATOMIC_RELAXED))
		return false;
	pthread_mutex_lock(&ps_lock);
	for (m = members; m; m = m->next)
		if (m->ep == ep && m->ours)
			break;
	pthread_mutex_unlock(&ps_lock);
	return m != NULL;
}

static int mixed_wait(int ep, struct epoll_event *evs, int max, int timeout)
{
	struct pollfd kfds[3];
	int64_t end = 0;
	int n, k, left;

	pthread_mutex_lock(&ps_lock);
	ps_stats.epolls++;
	for (;;) {
		ps_pump();
		n = collect(ep, evs, max);
		k = 0;
		if (n < max) {
			ps_stats.syscalls++;
			k = real.epoll_wait(ep, evs + n, max - n, 0);
			if (k < 0 && !n)
				n = -errno;
			else if (k > 0)
				n += k;
		}
		if (n)
			break;
		left = ps_remaining(timeout, &end);
		if (!left)
			break;
		kfds[0] = (struct pollfd){ .fd = ep, .events = POLLIN };
		n = ps_sleep(kfds, 1, left);
		if (n < 0)
			break;
	}
	pthread_mutex_unlock(&ps_lock);
	if (n >= 0)
		return n;
	errno = -n;
	return -1;
}

EXPORT int epoll_wait(int ep, struct epoll_event *evs, int max, int timeout)
{
	ps_start();
	if (max <= 0 || !has_ours(ep))
		return real.epoll_wait(ep, evs, max, timeout);
	return mixed_wait(ep, evs, max, timeout);
}

EXPORT int epoll_pwait(int ep, struct epoll_event *evs, int max, int timeout,
		       const sigset_t *mask)
{
	sigset_t old;
	int n, err;

	ps_start();
	if (max <= 0 || !has_ours(ep))
		return real.epoll_pwait(ep, evs, max, timeout, mask);
	if (mask)
		pthread_sigmask(SIG_SETMASK, mask, &old);
	n = mixed_wait(ep, evs, max, timeout);
	err = errno;
	if (mask)
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return n;
}
