// SPDX-License-Identifier: MIT
/*
 * oob.c - urgent data, as the kernel's sockets have it.
 *
 * The peer marks a byte of the stream.  Unless SO_OOBINLINE is set it is no
 * part of what read() gives: MSG_OOB gives it, once, whether what is before it
 * was read or not, until a read goes on behind it.  A read stops at the mark
 * either way.  libtoe has the byte in its place all the time, so all there is
 * to remember is that it was given.
 *
 * No SIGURG is sent: nothing runs here unless the program calls.
 */
#include <errno.h>

#include "preload.h"

/* Where the urgent byte is, counted from the beginning of the stream. */
static bool place(const struct psock *s, uint64_t *at, uint64_t *ahead)
{
	struct toe_conn_stats stats = { 0 };

	if (!s->conn || !toe_urgent(s->conn, ahead))
		return false;
	toe_conn_stats(s->conn, &stats, sizeof(stats));
	*at = stats.bytes_in - stats.recv_pending + *ahead;
	return true;
}

static bool taken(const struct psock *s, uint64_t at)
{
	return s->oob_taken && s->oob_mark == at;
}

bool ps_oob_ready(const struct psock *s)
{
	uint64_t at, ahead;

	return place(s, &at, &ahead) && !taken(s, at) &&
	       ahead < toe_recv_pending(s->conn);
}

/* Nothing at the mark, as in Linux. */
uint64_t ps_next_read(const struct psock *s)
{
	uint64_t n = toe_recv_pending(s->conn), ahead;

	if (s->oob_inline || !toe_urgent(s->conn, &ahead) || ahead >= n)
		return n;
	return ahead;
}

bool ps_readable(const struct psock *s)
{
	/* At the mark the urgent byte is the first one, and does not count. */
	return ps_next_read(s) || toe_recv_pending(s->conn) > 1;
}

bool ps_at_mark(const struct psock *s)
{
	uint64_t ahead;

	return s->conn && toe_urgent(s->conn, &ahead) && !ahead;
}

ssize_t ps_recv_oob(struct psock *s, void *buf, size_t len, int flags)
{
	uint64_t at, ahead;
	unsigned char byte;
	int err;

	if (!s->conn)
		return -ECONNABORTED;
	ps_pump();
	if (s->oob_inline || !place(s, &at, &ahead) || taken(s, at))
		return -EINVAL;
	err = toe_urgent_byte(s->conn, &byte);
	if (err < 0)
		return err;
	if (!(flags & MSG_PEEK)) {
		s->oob_taken = true;
		s->oob_mark = at;
	}
	if (!len)
		return 0;
	*(unsigned char *)buf = byte;
	return 1;
}

EXPORT int sockatmark(int fd)
{
	struct psock *s;
	int at;

	ps_start();
	s = ps_get(fd);
	if (!s)
		return real.sockatmark(fd);
	ps_pump();
	at = ps_at_mark(s);
	ps_put(s);
	return at;
}
