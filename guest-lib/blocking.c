// SPDX-License-Identifier: MIT
/*
 * blocking.c - helpers that wait, built on the calls that don't.
 *
 * Each is a loop: try, and while the answer is "not now", wait until the
 * completion queue has something and look again.  Other connections' news that
 * come by are kept for toe_poll().
 */
#include "internal.h"

/* -EAGAIN's answer: 0 to try again, or why not. */
static int wait_more(struct toe *t, struct toe_deadline *d)
{
	int n = toe_wait_cq(t, d);

	if (n == 0)
		return -ETIMEDOUT;
	if (n < 0)
		return n;
	toe_complete(t);
	return 0;
}

int toe_connect_wait(struct toe *t, const struct sockaddr *addr,
		     socklen_t addrlen, const struct toe_conn_opts *opts,
		     int timeout, struct toe_conn **conn)
{
	struct toe_deadline d = { .timeout = timeout };
	struct toe_conn *c;
	int err;

	while ((err = toe_connect(t, addr, addrlen, opts, &c)) == -EAGAIN) {
		err = wait_more(t, &d);
		if (err && err != -EINTR)
			break;
	}
	if (err)
		return err;		/* there is no c */
	while (!err && c->phase == TOE_P_CONNECTING) {
		err = wait_more(t, &d);
		if (err == -EINTR)
			err = 0;
	}
	if (err) {
		if (err == -ETIMEDOUT || err == -ENODEV)
			toe_abort(c);
		return err;
	}
	if (c->phase == TOE_P_CLOSED) {
		err = c->error ? c->error : -ECONNRESET;
		toe_close_conn(c);
		return err;
	}
	c->news &= ~TOE_CONNECTED;
	*conn = c;
	return 0;
}

int toe_accept_wait(struct toe_listener *l, const struct toe_conn_opts *opts,
		    int timeout, struct toe_conn **conn)
{
	struct toe_deadline d = { .timeout = timeout };
	int err;

	while ((err = toe_accept(l, opts, conn)) == -EAGAIN) {
		err = wait_more(l->c.toe, &d);
		if (err)
			return err;
	}
	return err;
}

ssize_t toe_send_all(struct toe_conn *c, const void *buf, size_t len,
		     int timeout)
{
	struct toe_deadline d = { .timeout = timeout };
	size_t done = 0;
	ssize_t n = 0;

	while (done < len) {
		n = toe_send(c, (const uint8_t *)buf + done, len - done, 0);
		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		if (n == -EAGAIN)
			n = wait_more(c->toe, &d);
		if (n < 0)
			break;
	}
	toe_list_del(&c->blocked);
	c->news &= ~TOE_WRITABLE;
	return done ? (ssize_t)done : n;
}

ssize_t toe_recv_wait(struct toe_conn *c, void *buf, size_t len, int timeout)
{
	struct toe_deadline d = { .timeout = timeout };
	ssize_t n;

	while ((n = toe_recv(c, buf, len, 0)) == -EAGAIN) {
		n = wait_more(c->toe, &d);
		if (n)
			return n;
	}
	return n;
}

int toe_send_drain(struct toe_conn *c, int timeout)
{
	struct toe_deadline d = { .timeout = timeout };
	int err = 0;

	toe_flush(c->toe);
	toe_complete(c->toe);
	while (!err && c->nsends && c->phase != TOE_P_CLOSED)
		err = wait_more(c->toe, &d);
	if (!err && c->phase == TOE_P_CLOSED)
		err = c->error;
	return err;
}
