// SPDX-License-Identifier: MIT
/*
 * io.c - moving bytes: read, write, send, recv and their relatives, all of
 * which end in receive() or transmit().
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "preload.h"

static ssize_t result(ssize_t n)
{
	if (n >= 0)
		return n;
	errno = (int)-n;
	return -1;
}

/* ---- Receiving ---------------------------------------------------------- */

static ssize_t receive_once(struct psock *s, const struct iovec *iov,
			    int count, int flags)
{
	ssize_t n, done = 0;
	int i;

	if (!s->conn)
		return -ECONNABORTED;
	if (s->shut_rd)
		return 0;
	for (i = 0; i < count; i++) {
		if (!iov[i].iov_len)
			continue;
		/* A read does not go on across the mark: oob.c. */
		if (done && ps_at_mark(s))
			break;
		n = toe_recv(s->conn, iov[i].iov_base, iov[i].iov_len,
			     (flags & MSG_PEEK ? TOE_PEEK : 0) |
			     (s->oob_inline ? 0 : TOE_SKIP_URGENT));
		if (n < 0 || (n && (size_t)n < iov[i].iov_len))
			s->dry++;
		if (n <= 0)
			return done ? done : n;
		done += n;
		if ((size_t)n < iov[i].iov_len || flags & MSG_PEEK)
			break;
	}
	return done;
}

/* A vector without its first n bytes; for MSG_WAITALL. */
static void skip(struct iovec *iov, int count, size_t n)
{
	int i;

	for (i = 0; i < count && n; i++) {
		size_t part = n < iov[i].iov_len ? n : iov[i].iov_len;

		iov[i].iov_base = (char *)iov[i].iov_base + part;
		iov[i].iov_len -= part;
		n -= part;
	}
}

static size_t total(const struct iovec *iov, int count)
{
	size_t n = 0;
	int i;

	for (i = 0; i < count; i++)
		n += iov[i].iov_len;
	return n;
}

static ssize_t receive(struct psock *s, const struct iovec *iov, int count,
		       int flags)
{
	struct iovec copy[count > 0 && count <= IOV_MAX ? count : 1];
	ssize_t n, done = 0;
	int err = 0;

	if (count < 0 || count > IOV_MAX)
		return -EINVAL;
	if (flags & MSG_OOB)
		return ps_recv_oob(s, count ? iov[0].iov_base : NULL,
				   count ? iov[0].iov_len : 0, flags);
	if (flags & (MSG_ERRQUEUE | MSG_TRUNC)) {
		ps_stats.unsupported++;
		return flags & MSG_ERRQUEUE ? -EAGAIN : -EINVAL;
	}
	memcpy(copy, iov, (size_t)count * sizeof(*iov));
	ps_stats.recvs++;
	for (;;) {
		size_t wanted = total(copy, count);

		if (!wanted)
			return done;
		n = receive_once(s, copy, count, flags);
		if (n > 0) {
			done += n;
			if (!(flags & MSG_WAITALL) || flags & MSG_PEEK ||
			    (size_t)n == wanted || ps_at_mark(s))
				return done;
			skip(copy, count, (size_t)n);
			continue;
		}
		if (n != -EAGAIN)
			break;
		if (s->nonblock || flags & MSG_DONTWAIT)
			break;
		err = ps_wait_for(s, POLLIN | POLLHUP, s->rcv_timeout);
		if (err) {
			n = err;
			break;
		}
	}
	return done ? done : n;
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct psock *s;
	ssize_t n;

	ps_start();
	s = ps_get(fd);
	if (!s)
		return real.recvmsg(fd, msg, flags);
	n = receive(s, msg->msg_iov, (int)msg->msg_iovlen, flags);
	ps_put(s);
	if (n >= 0) {
		msg->msg_namelen = 0;
		msg->msg_controllen = 0;
		msg->msg_flags = flags & MSG_OOB;
	}
	return result(n);
}

static ssize_t receive_buffer(struct psock *s, void *buf, size_t len,
			      int flags)
{
	struct iovec iov = { buf, len };
	ssize_t n = receive(s, &iov, 1, flags);

	ps_put(s);
	return result(n);
}

EXPORT ssize_t recv(int fd, void *buf, size_t len, int flags)
{
	struct psock *s;

	ps_start();
	s = ps_get(fd);
	return s ? receive_buffer(s, buf, len, flags)
		 : real.recv(fd, buf, len, flags);
}

EXPORT ssize_t recvfrom(int fd, void *restrict buf, size_t len, int flags,
			struct sockaddr *restrict addr,
			socklen_t *restrict addrlen)
{
	struct psock *s;

	ps_start();
	s = ps_get(fd);
	if (!s)
		return real.recvfrom(fd, buf, len, flags, addr, addrlen);
	if (addr && addrlen)
		*addrlen = 0;		/* a connected stream gives no name */
	return receive_buffer(s, buf, len, flags);
}

EXPORT ssize_t read(int fd, void *buf, size_t len)
{
	struct psock *s;

	ps_start();
	s = ps_get(fd);
	return s ? receive_buffer(s, buf, len, 0) : real.read(fd, buf, len);
}

EXPORT ssize_t readv(int fd, const struct iovec *iov, int count)
{
	struct psock *s;
	ssize_t n;

	ps_start();
	s = ps_get(fd);
	if (!s)
		return real.readv(fd, iov, count);
	n = receive(s, iov, count, 0);
	ps_put(s);
	return result(n);
}

/* What programs built with _FORTIFY_SOURCE call. */
extern void __chk_fail(void) __attribute__((noreturn));
ssize_t __read_chk(int fd, void *buf, size_t len, size_t size);
ssize_t __recv_chk(int fd, void *buf, size_t len, size_t size, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t len, size_t size, int flags,
		       struct sockaddr *addr, socklen_t *addrlen);

EXPORT ssize_t __read_chk(int fd, void *buf, size_t len, size_t size)
{
	if (len > size)
		__chk_fail();
	return read(fd, buf, len);
}

EXPORT ssize_t __recv_chk(int fd, void *buf, size_t len, size_t size,
			  int flags)
{
	if (len > size)
		__chk_fail();
	return recv(fd, buf, len, flags);
}

EXPORT ssize_t __recvfrom_chk(int fd, void *buf, size_t len, size_t size,
			      int flags, struct sockaddr *addr,
			      socklen_t *addrlen)
{
	if (len > size)
		__chk_fail();
	return recvfrom(fd, buf, len, flags, addr, addrlen);
}

/* ---- Sending ------------------------------------------------------------ */

static ssize_t transmit(struct psock *s, const struct iovec *iov, int count,
			int flags)
{
	struct iovec copy[count > 0 && count <= IOV_MAX ? count : 1];
	ssize_t n = 0, done = 0;
	unsigned int how;
	int err;

	if (count < 0 || count > IOV_MAX)
		return -EINVAL;
	memcpy(copy, iov, (size_t)count * sizeof(*iov));
	ps_stats.sends++;
	how = (flags & MSG_MORE ? TOE_MORE : 0) |
	      (flags & MSG_OOB ? TOE_URGENT : 0);
	while (total(copy, count)) {
		n = s->conn ? toe_sendv(s->conn, copy, count, how)
			    : -ECONNABORTED;
		if (n < 0 || (size_t)n < total(copy, count))
			s->full++;
		if (n > 0) {
			done += n;
			skip(copy, count, (size_t)n);
			continue;
		}
		if (n == -ENOTCONN && s->connecting && !s->nonblock)
			n = -EAGAIN;
		if (n != -EAGAIN || s->nonblock || flags & MSG_DONTWAIT)
			break;
		err = ps_wait_for(s, POLLOUT | POLLHUP, s->snd_timeout);
		if (err) {
			n = err;
			break;
		}
	}
	/* The doorbell must not wait for a next call that may never come. */
	if (flags & MSG_MORE && ps_toe)
		toe_flush(ps_toe);
	if (n == -ENOTCONN && s->connecting)
		n = -EAGAIN;
	return done ? done : n < 0 ? n : 0;
}

/* Give up the lock before a signal may be raised. */
static ssize_t sent(struct psock *s, ssize_t n, int flags)
{
	ps_put(s);
	if (n == -EPIPE && !(flags & MSG_NOSIGNAL))
		raise(SIGPIPE);
	return result(n);
}

static ssize_t transmit_buffer(struct psock *s, const void *buf, size_t len,
			       int flags)
{
	struct iovec iov = { (void *)buf, len };

	return sent(s, transmit(s, &iov, 1, flags), flags);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct psock *s;

	ps_start();
	s = ps_get(fd);
	if (!s)
		return real.sendmsg(fd, msg, flags);
	return sent(s, transmit(s, msg->msg_iov, (int)msg->msg_iovlen, flags),
		    flags);
}

EXPORT ssize_t send(int fd, const void *buf, size_t len, int flags)
{
	struct psock *s;

	ps_start();
	s = ps_get(fd);
	return s ? transmit_buffer(s, buf, len, flags)
		 : real.send(fd, buf, len, flags);
}

EXPORT ssize_t sendto(int fd, const void *buf, size_t len, int flags,
		      const struct sockaddr *addr, socklen_t addrlen)
{
	struct psock *s;

	ps_start();
	s = ps_get(fd);
	return s ? transmit_buffer(s, buf, len, flags)
		 : real.sendto(fd, buf, len, flags, addr, addrlen);
}

EXPORT ssize_t write(int fd, const void *buf, size_t len)
{
	struct psock *s;

	ps_start();
	s = ps_get(fd);
	return s ? transmit_buffer(s, buf, len, 0) : real.write(fd, buf, len);
}

EXPORT ssize_t writev(int fd, const struct iovec *iov, int count)
{
	struct psock *s;

	ps_start();
	s = ps_get(fd);
	if (!s)
		return real.writev(fd, iov, count);
	return sent(s, transmit(s, iov, count, 0), 0);
}

EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
	ps_start();
	if (!ps_is(out) && !ps_is(in))
		return real.sendfile(out, in, offset, count);
	/* EINVAL is what makes programs fall back to read and write. */
	ps_stats.unsupported++;
	errno = EINVAL;
	return -1;
}
