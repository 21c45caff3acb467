/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * app.c - the applications on both sides.
 *
 * Each end of a connection has a plan, drawn before it begins: how much it
 * writes, in what pieces and how fast, how it reads, and how it ends.  It
 * then acts on the events of stream.h alone, as the host side does: having
 * found the send buffer full it waits for writable(), having read everything
 * for readable().  So an event that the engine forgets hangs the run.
 *
 * The data is a function of connection, side and offset.
 */
#include <stdio.h>
#include "nop/tcp/tcp.h"
#include "sim.h"

static uint8_t buf[1 << 17];	/* per process: one seed runs at a time */

uint8_t app_byte(const struct conn *c, unsigned side, uint32_t off)
{
	return (uint8_t)(((off + 1) * 0x9e3779b1u +
			  (c->id * 2 + side) * 0x85ebca6bu) >> 21);
}

struct conn *app_find(struct sim *s, const uint16_t port[2])
{
	struct conn *found = NULL;
	unsigned i;

	for (i = 0; i < s->p.conns; i++) {
		struct conn *c = &s->conn[i];

		if (c->started && !c->refused && c->port[0] == port[0] &&
		    c->port[1] == port[1] &&
		    (!found || found->started < c->started))
			found = c;
	}
	return found;
}

static struct end *end_of(struct side *w, uint32_t handle)
{
	struct sim *s = w->sim;
	unsigned i;

	for (i = 0; i < s->p.conns; i++) {
		struct end *e = &s->conn[i].end[w->number];

		if (e->handle == handle && !e->let_go)
			return e;
	}
	sim_fail(s, NULL, "side %u: an event of handle 0x%x, which is dead",
		 w->number, handle);
}

static void act_soon(struct sim *s, struct end *e)
{
	e->act = MIN(e->act, s->now);
}

/* ---- Reading and writing ---- */

static void let_go(struct sim *s, struct end *e, bool abort)
{
	struct side *w = &s->side[e->side];

	if (abort) {
		e->aborted = true;
		toe_stream_abort(w->n, e->handle);
	} else {
		e->shut = true;
		toe_stream_close(w->n, e->handle);
	}
	e->let_go = true;
	e->act = NEVER;
	s->maybe_done = true;
	side_kick(w);
}

static void read_some(struct sim *s, struct end *e)
{
	struct side *w = &s->side[e->side];
	const ToeChain *rx = toe_stream_rx(w->n, e->handle);
	uint32_t len = MIN(rx->len, (uint32_t)sizeof(buf)), i;
	bool slow = e->rdelay && !e->closed;

	if (e->read_at > s->now) {
		e->act = MIN(e->act, e->read_at);
		return;
	}
	if (!len)
		return;
	if (!e->stalled && e->got + len >= e->stall_at && e->stall_for) {
		e->stalled = true;
		e->read_at = s->now + e->stall_for;
		e->act = MIN(e->act, e->read_at);
		return;
	}
	if (slow)
		len = MIN(len, e->rchunk);
	toe_chain_copy_out(w->lm, rx, 0, buf, len, NULL);
	for (i = 0; i < len; i++)
		if (buf[i] != app_byte(e->conn, !e->side, e->got + i))
			sim_fail(s, e->conn, "side %u reads a wrong byte at "
				 "offset %u", e->side, e->got + i);
	e->got += len;
	if (e->got > e->conn->end[!e->side].sent)
		sim_fail(s, e->conn, "side %u reads more than was written",
			 e->side);
	e->reads++;
	toe_stream_rx_consumed(w->n, e->handle, len);
	if (toe_stream_rx(w->n, e->handle)->len) {
		e->read_at = slow ? s->now + 1 +
			     (int64_t)rnd(&s->rng, (uint64_t)e->rdelay) : s->now;
		e->act = MIN(e->act, e->read_at);
	}
}

static void write_some(struct sim *s, struct end *e)
{
	struct side *w = &s->side[e->side];
	ToeChain c = toe_chain_init();
	uint32_t want, len, i, space;

	if (!e->up || e->shut || e->closed || e->sent == e->total ||
	    e->wants_space)
		return;
	if (e->write_at > s->now) {
		e->act = MIN(e->act, e->write_at);
		return;
	}
	want = 1 + (uint32_t)rnd(&s->rng, e->wchunk);
	want = MIN(MIN(want, e->total - e->sent), (uint32_t)sizeof(buf));
	space = toe_stream_send_space(w->n, e->handle);
	len = MIN(want, space);
	for (i = 0; i < len; i++)
		buf[i] = app_byte(e->conn, e->side, e->sent + i);
	if (len && !toe_chain_append(w->lm, &c, buf, len, TOE_LMEM_OUT)) {
		/* No local memory: the host side asks again later. */
		e->write_at = s->now + 5 * MS;
		e->act = MIN(e->act, e->write_at);
		return;
	}
	if (len) {
		e->sent += len;
		toe_stream_send(w->n, e->handle, &c, e->sent < e->total &&
				chance(&s->rng, 100));
	}
	if (len < want) {
		e->wants_space = true;
	} else if (e->sent < e->total) {
		e->write_at = s->now +
			      (int64_t)rnd(&s->rng, (uint64_t)e->wdelay);
		e->act = MIN(e->act, e->write_at);
	}
}

static void finish(struct sim *s, struct end *e)
{
	struct side *w = &s->side[e->side];
	bool empty = !toe_stream_rx(w->n, e->handle)->len;
	uint8_t st;

	if (e->closed) {
		if (empty)
			let_go(s, e, false);
		return;
	}
	if (!e->up)
		return;
	if (e->sent + e->got >= e->abort_at) {
		let_go(s, e, true);
		return;
	}
	if (e->sent < e->total)
		return;
	if (e->early_close) {
		let_go(s, e, false);
		return;
	}
	if (!e->shut && (!e->waits || e->peer_closed)) {
		e->shut = true;
		st = toe_stream_shutdown(w->n, e->handle);
		if (st != TOE_ST_OK)
			sim_fail(s, e->conn, "side %u: shutdown says %u",
				 e->side, st);
	}
	if (e->shut && e->peer_closed && empty && !e->lingers)
		let_go(s, e, false);
}

static void act(struct sim *s, struct end *e)
{
	struct side *w = &s->side[e->side];

	e->act = NEVER;
	if (e->let_go || !e->handle)
		return;
	if (e->accept_due) {
		e->accept_due = false;
		toe_stream_accepted(w->n, e->handle);
	}
	read_some(s, e);
	write_some(s, e);
	finish(s, e);
	side_kick(w);
}

/* Some applications act in the callback, some later. */
static void react(struct sim *s, struct end *e)
{
	if (rnd(&s->rng, 2))
		act(s, e);
	else
		act_soon(s, e);
}

/* The peer may vanish, and its RST be lost: ask for it. */
static void watch(struct sim *s, struct end *e)
{
	if (e->conn->may_fail)
		toe_stream_setopt(s->side[e->side].n, e->handle,
				  TOE_OPT_KEEPALIVE, 20);
}

/* ---- Events ---- */

static struct end *event(void *opaque, uint32_t handle, const char *what)
{
	struct side *w = opaque;
	struct end *e;

	if (!w->in_engine)
		sim_fail(w->sim, NULL, "side %u: %s() from inside a call",
			 w->number, what);
	e = end_of(w, handle);
	if (e->closed)
		sim_fail(w->sim, e->conn, "side %u: %s() after closed()",
			 w->number, what);
	return e;
}

static void on_established(void *opaque, uint32_t handle)
{
	struct side *w = opaque;
	struct end *e = event(opaque, handle, "established");

	if (e->up)
		sim_fail(w->sim, e->conn, "side %u: established twice",
			 w->number);
	e->up = true;
	react(w->sim, e);
}

static void on_incoming(void *opaque, uint32_t listener, uint32_t handle)
{
	struct side *w = opaque;
	struct sim *s = w->sim;
	struct conn *c;
	struct end *e;
	uint16_t port[2];
	ToeTuple q;
	unsigned i;

	for (i = 0; i < LISTENERS_MAX; i++)
		if (w->listener[i] && w->listener[i] == listener)
			break;
	if (i == LISTENERS_MAX)
		sim_fail(s, NULL, "side %u: a connection of a listener that "
			 "is closed", w->number);
	if (toe_stream_tuple(w->n, handle, &q, NULL) != TOE_ST_OK)
		sim_fail(s, NULL, "side %u: incoming, but no tuple", w->number);
	port[w->number] = q.lport;
	port[!w->number] = q.rport;
	c = app_find(s, port);
	if (!c)
		sim_fail(s, c, "side %u: incoming, but nobody connected",
			 w->number);
	e = &c->end[w->number];
	if (e->handle || c->end[!w->number].flow.iss !=
	    toe_ncb_by_handle(w->n->tcp, handle)->irs) {
		if (!e->handle && !c->again)
			sim_fail(s, c, "side %u: incoming, of another SYN",
				 w->number);
		/* Of a connection that its other end has forgotten. */
		toe_stream_abort(w->n, handle);
		return;
	}
	e->handle = handle;
	e->up = true;
	e->cc = toe_ncb_by_handle(w->n->tcp, handle)->cc;
	watch(s, e);
	if (chance(&s->rng, 500) || !s->p.accept_delay) {
		toe_stream_accepted(w->n, handle);
	} else {
		e->accept_due = true;
		e->read_at = e->write_at = s->now +
			(int64_t)rnd(&s->rng, (uint64_t)s->p.accept_delay);
		e->act = e->read_at;
		return;
	}
	react(s, e);
}

static void on_readable(void *opaque, uint32_t handle, bool push)
{
	struct side *w = opaque;
	struct end *e = event(opaque, handle, "readable");

	(void)push;
	/* There may be nothing left, if an event before this one read it. */
	if (e->peer_closed)
		sim_fail(w->sim, e->conn, "side %u: readable after FIN",
			 w->number);
	react(w->sim, e);
}

static void on_writable(void *opaque, uint32_t handle)
{
	struct side *w = opaque;
	struct end *e = event(opaque, handle, "writable");

	e->wants_space = false;
	react(w->sim, e);
}

static void on_peer_closed(void *opaque, uint32_t handle)
{
	struct side *w = opaque;
	struct sim *s = w->sim;
	struct end *e = event(opaque, handle, "peer_closed");
	struct end *peer = &e->conn->end[!w->number];
	uint32_t have = e->got + toe_stream_rx(w->n, handle)->len;

	if (e->peer_closed || !peer->shut)
		sim_fail(s, e->conn, "side %u: peer_closed, %s", w->number,
			 peer->shut ? "twice" : "but it did not");
	if (have != peer->sent)
		sim_fail(s, e->conn, "side %u: FIN after %u bytes of %u",
			 w->number, have, peer->sent);
	e->peer_closed = true;
	react(s, e);
}

static void on_closed(void *opaque, uint32_t handle, uint8_t status)
{
	struct side *w = opaque;
	struct sim *s = w->sim;
	struct end *e = event(opaque, handle, "closed");

	if (status == TOE_ST_OK && (!e->shut || !e->peer_closed))
		sim_fail(s, e->conn, "side %u: closed in order, but%s%s",
			 w->number, e->shut ? "" : " it has not shut down",
			 e->peer_closed ? "" : " the peer has not");
	if (status != TOE_ST_OK && !e->conn->may_fail)
		sim_fail(s, e->conn, "side %u: the connection died of status "
			 "%u", w->number, status);
	e->closed = true;
	e->status = status;
	/* What is there can be read at once. */
	e->read_at = s->now;
	react(s, e);
}

static void on_eth_frame(void *opaque, const uint8_t *frame, size_t len)
{
	/* The operating system's interface is down. */
	(void)opaque, (void)frame, (void)len;
}

const ToeStreamOps app_ops = {
	.established = on_established,
	.incoming = on_incoming,
	.readable = on_readable,
	.writable = on_writable,
	.peer_closed = on_peer_closed,
	.closed = on_closed,
	.eth_frame = on_eth_frame,
};

/* ---- Plans ---- */

static uint16_t listen_port(unsigned i)
{
	return (uint16_t)(7000 + i);
}

static void plan_end(struct sim *s, struct end *e)
{
	struct params *p = &s->p;
	struct rng *r = &s->rng;

	e->total = chance(r, 150) ? 0 : (uint32_t)rnd_log(r, 1, p->bytes);
	e->wchunk = (uint32_t)rnd_log(r, 1, 100000);
	if (e->total / e->wchunk > 500)
		e->wchunk = e->total / 500;
	e->wdelay = chance(r, 700) ? 0 : (int64_t)rnd_log(r, 1, 50) * MS;
	e->abort_at = UINT32_MAX;
	if (chance(r, 200)) {
		e->rdelay = (int64_t)rnd_log(r, 1, 50) * MS;
		e->rchunk = 1 + (uint32_t)rnd_log(r, 100, 20000);
		/* Not for ever. */
		e->rchunk = MAX(e->rchunk, p->bytes / 200);
	}
	e->stall_at = UINT32_MAX;
	if (p->stall && chance(r, p->profile == SLOW_READERS ||
				p->profile == LITTLE_MEMORY ? 400 : 80)) {
		e->stall_at = (uint32_t)rnd_log(r, 1, p->bytes);
		e->stall_for = (int64_t)rnd_log(r, 1, (uint64_t)p->stall / MS) *
			       MS;
	}
	if (chance(r, p->aborts))
		e->abort_at = (uint32_t)rnd_log(r, 0, p->bytes);
	e->early_close = chance(r, 200);
	e->lingers = chance(r, 300);
	e->act = NEVER;
}

static void plan(struct sim *s, struct conn *c)
{
	struct rng *r = &s->rng;
	struct end *e = c->end;
	unsigned i;

	c->initiator = (unsigned)rnd(r, 2);
	c->listener = (unsigned)rnd(r, LISTENERS_MAX);
	c->both = chance(r, 50);
	c->start = s->begin + 1 + (int64_t)rnd(r, (uint64_t)s->p.span);
	c->may_fail = s->p.harsh;
	for (i = 0; i < 2; i++) {
		e[i].conn = c;
		e[i].side = i;
		e[i].flow.fin = -1;
		e[i].flow.again = -2;
		plan_end(s, &e[i]);
	}
	e[rnd(r, 2)].waits = chance(r, 500);
	c->fast = s->p.fastopen && !c->both && chance(r, 700);
	/*
	 * Data that the SYN-ACK did not take goes instead of a mere ACK.  Is it
	 * too long for the path, a cookie is too old when that is found out.
	 */
	if (c->fast && s->p.mute && s->p.cookies != TOE_SYN_COOKIES_OFF)
		c->may_fail = true;
	if (s->p.cookies != TOE_SYN_COOKIES_OFF || c->fast) {
		/* A SYN with a cookie waits for the client's first word. */
		/*
		 * A cookie's server knows nothing until the last ACK comes.  Is
		 * that lost, a client that waits for the server's first word
		 * waits for ever (RFC 4987 3.6): it must not be one of those.
		 */
		e[c->initiator].total = MAX(e[c->initiator].total, 1);
		e[c->initiator].waits = false;
	}
	for (i = 0; i < 2; i++) {
		if (e[i].abort_at != UINT32_MAX)
			c->may_fail = true;
		/* To close before reading all resets the connection. */
		if (e[i].early_close && e[!i].total)
			c->may_fail = true;
		/* Adapters do not keep what nobody owns for ever. */
		if (e[i].early_close && e[!i].stall_at != UINT32_MAX)
			c->may_fail = true;
		if (e[i].early_close)
			e[i].waits = false;
	}
}

void app_init(struct sim *s)
{
	unsigned i, k;

	for (i = 0; i < s->p.conns; i++) {
		s->conn[i].id = i;
		plan(s, &s->conn[i]);
	}
	for (i = 0; i < 2; i++)
		for (k = 0; k < LISTENERS_MAX; k++) {
			struct side *w = &s->side[i];
			ToeTuple q = { .family = TOE_AF_INET,
				       .lport = listen_port(k) };

			if (toe_stream_listen(w->n, &q, s->p.backlog,
					      &w->listener[k]) != TOE_ST_OK)
				sim_fail(s, NULL, "cannot listen");
			if (s->p.fastopen)
				toe_stream_setopt(w->n, w->listener[k],
						  TOE_OPT_FASTOPEN,
						  s->p.fastopen);
			if (k == 1)
				toe_stream_setopt(w->n, w->listener[k],
						  TOE_OPT_NODELAY, 1);
			if (k == 2)
				toe_stream_setopt(w->n, w->listener[k],
						  TOE_OPT_KEEPALIVE, 10);
		}
	s->listen_event = s->p.listener_pauses
		? s->begin + (int64_t)rnd(&s->rng, (uint64_t)s->p.span) : NEVER;
}

/* ---- Time ---- */

static void close_listeners(struct sim *s)
{
	unsigned i, k;

	for (i = 0; i < 2; i++)
		for (k = 0; k < LISTENERS_MAX; k++)
			if (s->side[i].listener[k]) {
				toe_stream_close(s->side[i].n,
						 s->side[i].listener[k]);
				s->side[i].listener[k] = 0;
				side_kick(&s->side[i]);
			}
	s->listeners_done = true;
}

/* One listener goes away for a while, then comes back. */
static void pause_listener(struct sim *s)
{
	struct side *w = &s->side[0];
	ToeTuple q = { .family = TOE_AF_INET, .lport = listen_port(0) };

	s->listen_event = NEVER;
	if (w->listener[0]) {
		toe_stream_close(w->n, w->listener[0]);
		w->listener[0] = 0;
		s->listen_event = s->now + SEC;
		side_kick(w);
	} else if (!s->listeners_done &&
		   toe_stream_listen(w->n, &q, s->p.backlog, &w->listener[0])) {
		w->listener[0] = 0;
		s->listen_event = s->now + SEC;	/* no NCB */
	}
}

/* An ISN that soon wraps, or soon changes sign. */
static void near_wrap(struct sim *s, struct end *e)
{
	ToeNcb *c = toe_ncb_get(s->side[e->side].n->tcp, e->handle);
	uint32_t near = (uint32_t)rnd(&s->rng, 100000);

	c->iss = (chance(&s->rng, 500) ? 0x80000000u : 0) - near;
	c->snd_una = c->snd_nxt = c->snd_max = c->iss;
}

static void start_end(struct sim *s, struct conn *c, unsigned side)
{
	struct end *e = &c->end[side];
	struct side *w = &s->side[side];
	ToeTuple q = { .family = TOE_AF_INET, .rport = c->port[!side],
		       .lport = c->port[side] };
	unsigned i;
	uint8_t st;

	memcpy(q.raddr, s->side[!side].ip, 16);
	st = c->fast ? toe_stream_connect_fast(w->n, &q, &e->handle)
		     : toe_stream_connect(w->n, &q, &e->handle);
	if (st != TOE_ST_OK) {
		if (st != TOE_ST_NOMEM && st != TOE_ST_ADDRNOTAVAIL)
			sim_fail(s, c, "side %u: connect says %u", side, st);
		e->handle = 0;
		e->let_go = true;
		s->maybe_done = true;
		return;
	}
	c->port[side] = q.lport;
	e->cc = s->p.cc[side];
	if (chance(&s->rng, 200)) {
		e->cc = (uint8_t)rnd(&s->rng, TOE_CC_MAX + 1);
		toe_stream_setopt(w->n, e->handle, TOE_OPT_CONGESTION, e->cc);
	}
	if (chance(&s->rng, 100)) {
		e->pace = (uint32_t)rnd_log(&s->rng, 20000, 20000000);
		toe_stream_setopt(w->n, e->handle, TOE_OPT_PACING_RATE,
				  e->pace);
	}
	if (chance(&s->rng, 200))
		toe_stream_setopt(w->n, e->handle, TOE_OPT_ECN,
				  rnd(&s->rng, TOE_ECN_MODE_MAX + 1));
	for (i = 0; i < s->p.conns; i++)
		if (&s->conn[i] != c && s->conn[i].started &&
		    !memcmp(s->conn[i].port, c->port, sizeof(c->port)))
			c->again = true;
	if (!s->p.ports && !c->fast && chance(&s->rng, 300))
		near_wrap(s, e);
	if (chance(&s->rng, 200))
		toe_stream_setopt(w->n, e->handle, TOE_OPT_NODELAY, 1);
	if (chance(&s->rng, 200))
		toe_stream_setopt(w->n, e->handle, TOE_OPT_KEEPALIVE,
				  1 + rnd(&s->rng, 60));
	watch(s, e);
	side_kick(w);
}

static void start(struct sim *s, struct conn *c)
{
	unsigned i = c->initiator;

	c->started = ++s->starts;
	if (c->both) {
		c->port[0] = (uint16_t)(40000 + c->id);
		c->port[1] = (uint16_t)(50000 + c->id);
		start_end(s, c, 0);
		start_end(s, c, 1);
		if (c->end[0].let_go || c->end[1].let_go)
			c->may_fail = true;
		c->refused = c->end[0].let_go && c->end[1].let_go;
		return;
	}
	c->port[!i] = listen_port(c->listener);
	start_end(s, c, i);
	c->refused = c->end[i].let_go;
	if (s->p.listener_pauses && !c->listener && i == 1)
		c->may_fail = true;
}

int64_t app_next(struct sim *s)
{
	int64_t when = s->maybe_done ? s->now : s->listen_event;
	unsigned i;

	for (i = 0; i < s->p.conns; i++) {
		struct conn *c = &s->conn[i];

		if (!c->started)
			when = MIN(when, c->start);
		else
			when = MIN(when, MIN(c->end[0].act, c->end[1].act));
	}
	return when;
}

void app_step(struct sim *s)
{
	unsigned i, k;

	if (s->listen_event <= s->now) {
		pause_listener(s);
		return;
	}
	for (i = 0; i < s->p.conns; i++) {
		struct conn *c = &s->conn[i];

		if (!c->started) {
			if (c->start <= s->now)
				start(s, c);
			continue;
		}
		for (k = 0; k < 2; k++)
			if (c->end[k].act <= s->now)
				act(s, &c->end[k]);
	}
	if (s->maybe_done && !s->listeners_done && app_done(s))
		close_listeners(s);
	s->maybe_done = false;
}

bool app_done(const struct sim *s)
{
	unsigned i, k;

	for (i = 0; i < s->p.conns; i++) {
		const struct conn *c = &s->conn[i];

		if (!c->started)
			return false;
		if (c->refused)
			continue;
		for (k = 0; k < 2; k++) {
			const struct end *e = &c->end[k];

			if (e->let_go)
				continue;
			/* An end that never came to be, of a failed one. */
			if (!e->handle && (c->end[!k].aborted ||
					   c->end[!k].status))
				continue;
			if (!e->handle && c->may_fail && c->end[!k].let_go)
				continue;
			return false;
		}
	}
	return true;
}
