// SPDX-License-Identifier: MIT
/*
 * complete.c - the completion queue: what the adapter has to say.
 *
 * toe_complete() reads cq_tail with acquire order, handles each entry in one
 * switch over its type and gives the entries back by moving cq_head.  After
 * that a fence, and a look at cq_full: if the adapter ran out of entries it
 * waits for TOE_DB_CQ_SPACE.
 *
 * An entry is copied before it is looked at, and it names what it is about by
 * cookie (index and generation), so that an event of a connection that was
 * closed meanwhile is recognised and its buffer goes back to the adapter.
 */
#include <string.h>

#include "internal.h"

void toe_news(struct toe_conn *c, uint32_t bits)
{
	c->news |= bits;
	if (c->kind == TOE_K_CONN || c->kind == TOE_K_LISTENER ||
	    c->kind == TOE_K_UDP)
		toe_list_add(&c->toe->ready, &c->ready);
}

bool toe_has_news(const struct toe *t)
{
	const struct toe_link *l;

	if (t->sent_first != TOE_NONE || t->dead_news)
		return true;
	for (l = t->ready.next; l != &t->ready; l = l->next)
		if (toe_list_entry(l, const struct toe_conn, ready)->news)
			return true;
	return false;
}

/* Addresses of ESTABLISHED and ACCEPT. */
static void take_names(struct toe_conn *c, const struct toe_hw_cqe *e)
{
	c->family = e->u.conn.family;
	c->lport = e->u.conn.lport;
	c->rport = e->u.conn.rport;
	c->mss = e->u.conn.mss;
	memcpy(c->laddr, e->u.conn.laddr, sizeof(c->laddr));
	memcpy(c->raddr, e->u.conn.raddr, sizeof(c->raddr));
}

/* CONNECT or ACCEPT was answered. */
static void open_completed(struct toe_conn *c, const struct toe_hw_cqe *e)
{
	if (e->status != TOE_ST_OK) {
		if (c->kind == TOE_K_ZOMBIE) {
			toe_list_del(&c->rqwait);
			toe_slot_free(c);
		} else {
			toe_conn_closed(c, toe_status_errno(e->status));
		}
		return;
	}
	if (e->u.cpl.opcode != TOE_OP_CONNECT)
		return;
	c->handle = e->handle;
	c->handle_known = true;
	if (c->nodelay)
		c->want |= TOE_WANT_NODELAY;
	if (c->want)
		toe_want(c, 0);
}

static void ctl_completed(struct toe *t, const struct toe_hw_cqe *e)
{
	if (!t->ctl.waiting || toe_cookie_index(e->cookie) != t->ctl.seq) {
		t->stats.stale++;
		return;
	}
	t->ctl.waiting = false;
	t->ctl.done = true;
	t->ctl.status = e->status;
	t->ctl.handle = e->handle;
	t->ctl.bytes = e->u.cpl.bytes;
	t->ctl.result = e->u.cpl.result;
	memcpy(t->ctl.laddr, e->u.udp_cpl.laddr, sizeof(t->ctl.laddr));
}

/*
 * A request without a completion of its own failed.  TOE_ST_HANDLE after the
 * connection ended by itself is no news.
 */
static void quiet_failed(struct toe *t, const struct toe_hw_cqe *e)
{
	struct toe_conn *c = toe_slot_find(t, e->cookie);

	if (!c || e->status == TOE_ST_OK || e->status == TOE_ST_HANDLE ||
	    e->status == TOE_ST_STATE || e->u.cpl.opcode == TOE_OP_SETOPT) {
		t->stats.stale++;
		return;
	}
	if (c->kind == TOE_K_CONN && c->phase != TOE_P_CLOSED) {
		toe_reject(t, c->handle);
		toe_conn_closed(c, toe_status_errno(e->status));
	}
}

static void completion(struct toe *t, const struct toe_hw_cqe *e)
{
	struct toe_conn *c;

	switch (toe_cookie_kind(e->cookie)) {
	case TOE_CK_SEND:
		toe_send_completed(t, e);
		break;
	case TOE_CK_CONN:
		c = toe_slot_find(t, e->cookie);
		if (c)
			open_completed(c, e);
		else
			t->stats.stale++;
		break;
	case TOE_CK_LISTEN:
	case TOE_CK_UDP:
	case TOE_CK_CTL:
		ctl_completed(t, e);
		break;
	case TOE_CK_QUIET:
		quiet_failed(t, e);
		break;
	default:
		t->stats.bad++;
	}
}

/* An event of a connection or listener that is gone, or never was. */
static void orphan_event(struct toe *t, const struct toe_hw_cqe *e)
{
	t->stats.stale++;
	if (e->type == TOE_EV_RECV || e->type == TOE_EV_UDP_RECV)
		toe_recv_arrived(t, NULL, e);
	else if (e->type == TOE_EV_ACCEPT)
		toe_reject(t, e->handle);
}

static void event(struct toe *t, const struct toe_hw_cqe *e)
{
	struct toe_conn *c = toe_slot_find(t, e->cookie);

	if (!c || c->kind == TOE_K_ZOMBIE) {
		if (c && e->type == TOE_EV_CLOSED) {
			/* ended by itself before its close was posted */
			toe_list_del(&c->rqwait);
			c->phase = TOE_P_CLOSED;
			c->want = 0;
			toe_zombie_check(c);
		} else {
			orphan_event(t, e);
		}
		return;
	}
	if (c->kind == TOE_K_UDP) {
		toe_udp_event(c, e);
		return;
	}
	switch (e->type) {
	case TOE_EV_RECV:
		toe_recv_arrived(t, c, e);
		break;
	case TOE_EV_ESTABLISHED:
		if (c->phase == TOE_P_CONNECTING) {
			c->phase = TOE_P_OPEN;
			take_names(c, e);
			toe_news(c, TOE_CONNECTED);
		}
		break;
	case TOE_EV_ACCEPT:
		toe_listen_incoming(c, e);
		break;
	case TOE_EV_URGENT:
		c->urgent = true;
		c->urgent_mark = e->u.urgent.mark;
		toe_news(c, TOE_MARKED);
		break;
	case TOE_EV_PEER_CLOSED:
		c->peer_closed = true;
		toe_news(c, TOE_PEER_CLOSED);
		break;
	case TOE_EV_CLOSED:
		toe_conn_closed(c, toe_status_errno(e->status));
		break;
	default:
		t->stats.bad++;
	}
}

/* Tell the adapter how far we are. */
static void give_back(struct toe *t)
{
	__atomic_store_n(&t->page->cq_head, t->cq_head, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&t->page->cq_full, __ATOMIC_RELAXED)) {
		t->db[TOE_DB_CQ_SPACE / 4] = t->cq_head;
		t->stats.doorbells++;
		t->stats.doorbells_cq++;
	}
}

static void check_alive(struct toe *t)
{
	uint32_t fault = __atomic_load_n(&t->page->fault, __ATOMIC_RELAXED);

	if (fault)
		toe_mark_dead(t, toe_status_errno((uint8_t)fault));
	else if (t->status && __atomic_load_n(&t->status->epoch,
					      __ATOMIC_RELAXED) != t->epoch)
		toe_mark_dead(t, -ENODEV);
}

bool toe_complete(struct toe *t)
{
	uint32_t tail, n, done = 0;

	if (t->dead)
		return false;
	check_alive(t);
	if (t->dead)
		return false;
	if (t->bq_unrung)
		toe_buf_ring(t);
	tail = __atomic_load_n(&t->page->cq_tail, __ATOMIC_ACQUIRE);
	n = tail - t->cq_head;
	if (n > t->cq_size) {
		t->stats.bad++;
		toe_mark_dead(t, -EIO);
		return false;
	}
	while (done < n && !t->dead) {
		struct toe_hw_cqe e = t->cq[t->cq_head & (t->cq_size - 1)];

		t->cq_head++;
		done++;
		if (e.type == TOE_EV_COMPLETION)
			completion(t, &e);
		else if (e.type == TOE_EV_FAULT)
			toe_mark_dead(t, toe_status_errno(e.status));
		else
			event(t, &e);
		if (done % TOE_CQ_BATCH == 0)
			give_back(t);
	}
	t->stats.completions += done;
	if (t->dead)
		return done > 0;
	if (done % TOE_CQ_BATCH)
		give_back(t);
	if (t->bq_unrung)
		toe_buf_ring(t);	/* for buffers of stale events */
	if (!toe_list_empty(&t->rqwait))
		toe_rqwait_flush(t);
	if (!toe_list_empty(&t->blocked))
		toe_send_unblock(t);
	return done > 0;
}

static bool take_ready(struct toe *t, struct toe_event *ev)
{
	while (!toe_list_empty(&t->ready)) {
		struct toe_conn *c = toe_list_entry(t->ready.next,
						    struct toe_conn, ready);

		toe_list_del(&c->ready);
		if (!c->news)
			continue;	/* somebody saw to it already */
		*ev = (struct toe_event){
			.events = c->news,
			.user = c->user,
			.status = c->news & TOE_CLOSED ? c->error : 0,
		};
		if (c->kind == TOE_K_LISTENER) {
			ev->listener = (struct toe_listener *)c;
		} else if (c->kind == TOE_K_UDP) {
			ev->events |= TOE_UDP;
			ev->udp = (struct toe_udp *)c;
		} else {
			ev->conn = c;
		}
		c->news = 0;
		return true;
	}
	return false;
}

int toe_poll(struct toe *t, struct toe_event *events, int n)
{
	int i = 0;

	t->stats.polls++;
	if (!t->dead)
		toe_rq_ring(t);		/* what TOE_MORE held back */
	toe_complete(t);
	if (t->dead_news && i < n) {
		t->dead_news = false;
		events[i++] = (struct toe_event){
			.events = TOE_DEAD, .status = t->dead_error,
		};
	}
	while (i < n && (toe_send_take_sent(t, &events[i]) ||
			 take_ready(t, &events[i])))
		i++;
	return i;
}
