// SPDX-License-Identifier: MIT
/*
 * listen.c - listeners, and the connections that wait on them.
 *
 * An ACCEPT event says that a connection is established.  It takes a table
 * entry at once and waits in the listener's queue; toe_accept() posts ACCEPT
 * with the connection's own cookie, and only then the adapter reports its
 * bytes and events.  The queue is no longer than the backlog, which the
 * adapter keeps.  If the table is full the connection is reset.
 */
#include <string.h>

#include "internal.h"

#define PORT_TRIES	16	/* ports of the adapter's choice */

/* Listen; with a port of its own in the kernel, which has to be free there. */
static int listen_on(struct toe *t, struct toe_hw_req *req, void *user,
		     struct toe_conn **listener)
{
	struct toe_conn *l = toe_slot_alloc(t, TOE_K_LISTENER);
	uint16_t port = req->u.listen.lport;
	int err = 0;

	if (!l)
		return -EMFILE;
	l->user = user;
	l->family = req->u.listen.family;
	memcpy(l->laddr, req->u.listen.laddr, sizeof(l->laddr));
	req->cookie = toe_cookie(TOE_CK_LISTEN, l->index, l->gen);
	if (port)
		err = toe_port_hold(l, port);
	if (!err)
		err = toe_ctl(t, req);
	if (err) {
		toe_slot_free(l);
		return err;
	}
	l->handle = t->ctl.handle;
	l->handle_known = true;
	l->phase = TOE_P_OPEN;
	l->lport = (uint16_t)t->ctl.result;
	if (!port)
		err = toe_port_hold(l, l->lport);
	if (err) {
		toe_close_listener((struct toe_listener *)l);
		return err;
	}
	*listener = l;
	return 0;
}

int toe_listen(struct toe *t, const struct sockaddr *addr, socklen_t addrlen,
	       int backlog, void *user, struct toe_listener **listener)
{
	struct toe_hw_req req = { .opcode = TOE_OP_LISTEN };
	struct toe_conn *l = NULL;
	unsigned int tries = 0;
	uint8_t family;
	uint16_t port;
	int err;

	if (t->dead)
		return -ENODEV;
	err = toe_addr_parse(t, addr, addrlen, &family, &port,
			     req.u.listen.laddr);
	if (err)
		return err;
	req.u.listen.family = family;
	req.u.listen.lport = port;
	req.u.listen.backlog = backlog > 0 ? (uint32_t)backlog : 0;
	do
		err = listen_on(t, &req, user, &l);
	while (err == -EADDRINUSE && !port && ++tries < PORT_TRIES);
	if (!err)
		*listener = (struct toe_listener *)l;
	return err;
}

void toe_reject(struct toe *t, uint32_t handle)
{
	struct toe_conn *c = toe_slot_alloc(t, TOE_K_ZOMBIE);
	struct toe_hw_req req = {
		.opcode = TOE_OP_ABORT, .flags = TOE_REQ_F_QUIET,
		.handle = handle, .cookie = toe_cookie(TOE_CK_QUIET, 0, 0),
	};

	if (c) {
		c->phase = TOE_P_OPEN;
		c->handle = handle;
		c->handle_known = true;
		toe_want(c, TOE_WANT_ABORT);
	} else if (toe_rq_space(t)) {
		toe_rq_post(t, &req);
		toe_rq_ring(t);
	} else {
		/* It stays, unaccepted, until listener or context goes. */
		t->stats.bad++;
	}
}

void toe_listen_incoming(struct toe_conn *l, const struct toe_hw_cqe *e)
{
	struct toe *t = l->toe;
	struct toe_conn *c;

	if (l->kind != TOE_K_LISTENER) {
		t->stats.bad++;
		return;
	}
	c = toe_slot_alloc(t, TOE_K_WAITING);
	if (!c) {
		toe_reject(t, e->handle);
		return;
	}
	c->phase = TOE_P_OPEN;
	c->handle = e->handle;
	c->handle_known = true;
	c->family = e->u.conn.family;
	c->lport = e->u.conn.lport;
	c->rport = e->u.conn.rport;
	c->mss = e->u.conn.mss;
	memcpy(c->laddr, e->u.conn.laddr, sizeof(c->laddr));
	memcpy(c->raddr, e->u.conn.raddr, sizeof(c->raddr));
	if (l->acc_last)
		l->acc_last->next = c;
	else
		l->acc_first = c;
	l->acc_last = c;
	toe_news(l, TOE_ACCEPTABLE);
}

static struct toe_conn *accept_take(struct toe_conn *l)
{
	struct toe_conn *c = l->acc_first;

	l->acc_first = c->next;
	if (!l->acc_first)
		l->acc_last = NULL;
	c->next = NULL;
	return c;
}

int toe_accept(struct toe_listener *listener, const struct toe_conn_opts *opts,
	       struct toe_conn **conn)
{
	struct toe_conn *l = &listener->c, *c;
	struct toe_hw_req req = { .opcode = TOE_OP_ACCEPT };
	struct toe *t = l->toe;
	int err = toe_opts_check(opts);

	if (err)
		return err;
	if (t->dead)
		return -ENODEV;
	if (!l->acc_first)
		toe_complete(t);
	if (!l->acc_first && l->phase == TOE_P_CLOSED)
		return l->error ? l->error : -EINVAL;
	if (!l->acc_first)
		return t->dead ? -ENODEV : -EAGAIN;
	if (!toe_rq_room(t)) {
		/* Nobody will tell that there is room, so say it again. */
		toe_news(l, TOE_ACCEPTABLE);
		return t->dead ? -ENODEV : -EAGAIN;
	}
	c = accept_take(l);
	if (!l->acc_first)
		l->news &= ~TOE_ACCEPTABLE;
	c->kind = TOE_K_CONN;
	c->credit = toe_credit_or_default(t, opts);
	c->user = opts ? opts->user : NULL;
	req.handle = c->handle;
	req.cookie = toe_cookie(TOE_CK_CONN, c->index, c->gen);
	req.u.credit.credit = c->credit;
	toe_rq_post(t, &req);
	if (opts && opts->flags & TOE_CONN_NODELAY)
		toe_want(c, TOE_WANT_NODELAY);
	toe_rq_ring(t);
	t->stats.accepts++;
	*conn = c;
	return 0;
}

void toe_close_listener(struct toe_listener *listener)
{
	struct toe_conn *l, *c;
	struct toe *t;

	if (!listener)
		return;
	l = &listener->c;
	t = l->toe;
	toe_complete(t);
	while (l->acc_first) {
		c = accept_take(l);
		c->kind = TOE_K_ZOMBIE;
		toe_want(c, TOE_WANT_ABORT);
	}
	toe_list_del(&l->ready);
	l->news = 0;
	if (l->phase == TOE_P_CLOSED) {
		/* its address was taken away: the adapter has let go */
		toe_slot_free(l);
		return;
	}
	l->kind = TOE_K_ZOMBIE;
	toe_want(l, TOE_WANT_CLOSE);
}

int toe_listener_name(const struct toe_listener *listener,
		      struct sockaddr *addr, socklen_t *addrlen)
{
	const struct toe_conn *l = &listener->c;

	return toe_addr_format(l->family, l->lport, l->laddr, addr, addrlen);
}

void *toe_listener_user(const struct toe_listener *listener)
{
	return listener->c.user;
}
