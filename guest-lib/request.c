// SPDX-License-Identifier: MIT
/*
 * request.c - the request queue: how a request reaches the adapter.
 *
 * A caller builds the entry on its stack; toe_rq_post() copies it to the ring
 * and moves rq_tail with release order, so that the adapter never sees an
 * index whose entry is not complete.  toe_rq_ring() then writes the doorbell,
 * unless the adapter says in rq_looking that it has not stopped looking.  The
 * adapter clears rq_looking and reads rq_tail again before it stops; we write
 * rq_tail and read rq_looking.  With a full fence between the two on either
 * side one of us sees the other's write, so no request is left behind.
 */
#include "internal.h"

uint32_t toe_rq_space(struct toe *t)
{
	uint32_t head = __atomic_load_n(&t->page->rq_head, __ATOMIC_ACQUIRE);
	uint32_t used = t->rq_tail - head;

	if (used > t->rq_size) {	/* the adapter never does that */
		t->stats.bad++;
		toe_mark_dead(t, -EIO);
		return 0;
	}
	return t->rq_size - used;
}

bool toe_rq_room(struct toe *t)
{
	return toe_rq_room_for(t, 1);
}

bool toe_rq_room_for(struct toe *t, uint32_t n)
{
	if (toe_rq_space(t) >= n)
		return true;
	if (!t->dead) {
		t->stats.rq_full++;
		t->rq_refused = true;
		toe_rq_ring(t);
	}
	return false;
}

void toe_rq_post(struct toe *t, const struct toe_hw_req *req)
{
	t->rq[t->rq_tail & (t->rq_size - 1)] = *req;
	t->rq_tail++;
	__atomic_store_n(&t->page->rq_tail, t->rq_tail, __ATOMIC_RELEASE);
	t->rq_held = true;
	t->stats.requests++;
}

void toe_rq_ring(struct toe *t)
{
	if (!t->rq_held)
		return;
	t->rq_held = false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&t->page->rq_looking, __ATOMIC_RELAXED)) {
		t->stats.doorbells_saved++;
		return;
	}
	t->db[TOE_DB_RQ / 4] = t->rq_tail;
	t->stats.doorbells++;
	t->stats.doorbells_rq++;
}

void toe_flush(struct toe *t)
{
	if (!t->dead)
		toe_rq_ring(t);
}

/* Post one request of those that c wants. */
static void post_one(struct toe_conn *c)
{
	struct toe *t = c->toe;
	struct toe_hw_req req = {
		.flags = TOE_REQ_F_QUIET,
		.handle = c->handle,
		.cookie = toe_cookie(TOE_CK_QUIET, c->index, c->gen),
	};

	if (c->want & TOE_WANT_ABORT) {
		req.opcode = TOE_OP_ABORT;
		c->want = 0;		/* nothing else matters any more */
	} else if (c->want & TOE_WANT_NODELAY) {
		req.opcode = TOE_OP_SETOPT;
		req.u.opt.option = TOE_OPT_NODELAY;
		req.u.opt.value = 1;
		c->want &= ~TOE_WANT_NODELAY;
	} else if (c->want & TOE_WANT_SHUTDOWN) {
		req.opcode = TOE_OP_SHUTDOWN;
		c->want &= ~TOE_WANT_SHUTDOWN;
	} else if (c->want & TOE_WANT_CLOSE) {
		req.opcode = c->udp ? TOE_OP_UDP_CLOSE : TOE_OP_CLOSE;
		c->want = 0;
	} else {
		req.opcode = c->udp ? TOE_OP_UDP_CREDIT : TOE_OP_CREDIT;
		req.u.credit.credit = c->owed;
		c->owed = 0;
		c->want &= ~TOE_WANT_CREDIT;
		t->stats.credits++;
	}
	toe_rq_post(t, &req);
}

/* True if nothing is wanted any more. */
static bool post_wanted(struct toe_conn *c)
{
	struct toe *t = c->toe;

	if (t->dead || (c->phase == TOE_P_CLOSED && c->kind != TOE_K_LISTENER))
		c->want = 0;		/* the handle is dead already */
	while (c->want) {
		if (!c->handle_known || !toe_rq_room(t))
			return false;
		post_one(c);
	}
	return true;
}

void toe_want(struct toe_conn *c, unsigned int want)
{
	struct toe *t = c->toe;

	c->want |= want;
	if (post_wanted(c)) {
		toe_list_del(&c->rqwait);
		toe_zombie_check(c);
	} else if (c->handle_known) {
		toe_list_add(&t->rqwait, &c->rqwait);
	}				/* else: when the handle comes */
	if (!t->dead)
		toe_rq_ring(t);
}

void toe_rqwait_flush(struct toe *t)
{
	while (!toe_list_empty(&t->rqwait)) {
		struct toe_conn *c = toe_list_entry(t->rqwait.next,
						    struct toe_conn, rqwait);

		if (!post_wanted(c))
			break;
		toe_list_del(&c->rqwait);
		toe_zombie_check(c);
	}
	if (!t->dead)
		toe_rq_ring(t);
}
