// SPDX-License-Identifier: MIT
/*
 * send.c - sending, with a copy and without.
 *
 * toe_send() copies into staging memory and posts SENDs that name it;
 * toe_send_mem() posts a SEND that names the caller's registered memory.  A
 * SEND completes when its bytes are on the adapter, which then owns their
 * delivery; the staging slots are free again, or TOE_SENT is reported.
 *
 * Limits: at most TOE_PENDING_SENDS SENDs under way per connection, because
 * the adapter refuses more (it parks what does not fit the send buffer), and
 * a share of the staging memory (staging.c).  Who meets a limit gets -EAGAIN
 * and goes on toe->blocked; complete.c reports TOE_WRITABLE when it is over.
 */
#include <string.h>

#include "internal.h"

/* ---- Table of SENDs under way ------------------------------------------- */

static struct toe_sendop *op_alloc(struct toe *t, struct toe_conn *c)
{
	struct toe_sendop *op;

	if (t->send_free != TOE_NONE) {
		op = &t->sends[t->send_free];
		t->send_free = op->next;
	} else if (t->sends_used < t->max_sends) {
		op = &t->sends[t->sends_used++];
		op->gen = 1;
	} else {
		return NULL;
	}
	op->conn = c->index;
	op->conn_gen = c->gen;
	op->next = TOE_NONE;
	op->stage_first = TOE_NONE;
	op->stage_count = 0;
	op->status = 0;
	return op;
}

static void op_free(struct toe *t, struct toe_sendop *op)
{
	op->conn = TOE_NONE;
	op->gen = (op->gen + 1) & TOE_GEN_MASK;
	op->next = t->send_free;
	t->send_free = (uint32_t)(op - t->sends);
}

static bool ops_left(const struct toe *t)
{
	return t->send_free != TOE_NONE || t->sends_used < t->max_sends;
}

/* The connection of op, or NULL if it was closed meanwhile. */
static struct toe_conn *op_conn(struct toe *t, const struct toe_sendop *op)
{
	return toe_slot_find(t, toe_cookie(TOE_CK_CONN, op->conn,
					   op->conn_gen));
}

/* A toe_send_mem() is done; the caller will hear of it. */
static void op_sent(struct toe *t, struct toe_sendop *op, int status)
{
	uint32_t i = (uint32_t)(op - t->sends);

	op->status = status;
	op->gen = (op->gen + 1) & TOE_GEN_MASK;	/* once only */
	op->next = TOE_NONE;
	if (t->sent_first == TOE_NONE)
		t->sent_first = i;
	else
		t->sends[t->sent_last].next = i;
	t->sent_last = i;
}

/* ---- Posting ------------------------------------------------------------ */

static int send_state(struct toe_conn *c)
{
	if (c->phase == TOE_P_OPEN)
		return c->shut ? -EPIPE : 0;
	if (c->phase == TOE_P_CONNECTING)
		return -ENOTCONN;
	return c->error ? c->error : -EPIPE;
}

static bool can_post(struct toe_conn *c)
{
	return c->nsends < TOE_PENDING_SENDS && ops_left(c->toe) &&
	       toe_rq_space(c->toe);
}

static void post_send(struct toe_conn *c, struct toe_sendop *op, uint32_t key,
		      uint64_t offset, unsigned int flags)
{
	struct toe *t = c->toe;
	struct toe_hw_req req = {
		.opcode = TOE_OP_SEND,
		.flags = (flags & TOE_MORE ? TOE_REQ_F_MORE : 0) |
			 (flags & TOE_URGENT ? TOE_REQ_F_URGENT : 0),
		.npieces = 1,
		.handle = c->handle,
		.cookie = toe_cookie(TOE_CK_SEND, (uint32_t)(op - t->sends),
				     op->gen),
	};

	req.u.piece[0].key = key;
	req.u.piece[0].length = op->bytes;
	req.u.piece[0].offset = offset;
	c->nsends++;
	c->sends++;
	c->send_bytes += op->bytes;
	c->bytes_out += op->bytes;
	t->stats.bytes_out += op->bytes;
	toe_rq_post(t, &req);
}

/* Position in a vector. */
struct cursor {
	const struct iovec *iov;
	int left;
	size_t off;
};

static void gather(struct cursor *cu, uint8_t *to, size_t n)
{
	while (n) {
		size_t part = cu->iov->iov_len - cu->off;

		if (part > n)
			part = n;
		if (part)
			memcpy(to, (const uint8_t *)cu->iov->iov_base + cu->off,
			       part);
		to += part;
		n -= part;
		cu->off += part;
		if (cu->off == cu->iov->iov_len && cu->left > 1) {
			cu->iov++;
			cu->left--;
			cu->off = 0;
		}
	}
}

/* One SEND of at most left bytes; 0: a limit was met. */
static size_t stage_one(struct toe_conn *c, struct cursor *cu, size_t left,
			unsigned int flags)
{
	struct toe *t = c->toe;
	struct toe_sendop *op;
	uint32_t want, got, first = 0;
	size_t n;

	if (!can_post(c))
		return 0;
	want = TOE_STAGE_RUN_MAX;
	if (left < (size_t)want * TOE_STAGE_SLOT)
		want = (uint32_t)((left + TOE_STAGE_SLOT - 1) / TOE_STAGE_SLOT);
	if (want > toe_stage_share(c))
		want = toe_stage_share(c);
	if (!want)
		return 0;
	got = toe_stage_alloc(t, want, &first);
	if (!got) {
		t->stats.staging_full++;
		return 0;
	}
	n = (size_t)got * TOE_STAGE_SLOT;
	if (n > left)
		n = left;
	gather(cu, t->stage + (size_t)first * TOE_STAGE_SLOT, n);
	op = op_alloc(t, c);
	op->bytes = (uint32_t)n;
	op->stage_first = first;
	op->stage_count = got;
	c->stage_slots += got;
	t->stats.bytes_out_copied += n;
	if (n < left)			/* the last byte is yet to come */
		flags = TOE_MORE;
	post_send(c, op, t->key, t->stage_off + (uint64_t)first *
		  TOE_STAGE_SLOT, flags);
	return n;
}

static void refuse(struct toe_conn *c)
{
	struct toe *t = c->toe;

	if (!t->dead)
		toe_rq_room(t);
	toe_list_add(&t->blocked, &c->blocked);
	if (!t->dead)
		toe_rq_ring(t);
}

ssize_t toe_sendv(struct toe_conn *c, const struct iovec *iov, int iovcnt,
		  unsigned int flags)
{
	struct toe *t = c->toe;
	struct cursor cu = { iov, iovcnt, 0 };
	size_t len = 0, done = 0, n;
	bool looked = false;
	int i, err = send_state(c);

	if (err)
		return err;
	if (flags & ~(TOE_MORE | TOE_URGENT) || iovcnt < 0)
		return -EINVAL;
	for (i = 0; i < iovcnt; i++) {
		if (iov[i].iov_len > (size_t)SSIZE_MAX - len)
			return -EINVAL;
		len += iov[i].iov_len;
	}
	while (done < len) {
		n = stage_one(c, &cu, len - done, flags);
		if (n) {
			done += n;
			continue;
		}
		if (looked || t->dead)
			break;
		/* Let the adapter take what is posted, and look for room. */
		toe_rq_ring(t);
		toe_complete(t);
		if (c->phase != TOE_P_OPEN)
			break;
		looked = !can_post(c) || !toe_stage_share(c);
	}
	if (done) {
		if (!(flags & TOE_MORE) || done < len)
			toe_rq_ring(t);
		return (ssize_t)done;
	}
	if (!len)
		return 0;
	err = send_state(c);
	if (err)
		return err;
	refuse(c);
	return t->dead ? -ENODEV : -EAGAIN;
}

int toe_send_datagram(struct toe_conn *c, struct toe_hw_req *req,
		      const void *buf, uint32_t len)
{
	struct toe *t = c->toe;
	uint32_t want, got = 0, first = 0;
	struct toe_sendop *op;

	/* An empty one has a slot too: its answer must find something. */
	want = len ? (len + TOE_STAGE_SLOT - 1) / TOE_STAGE_SLOT : 1;
	if (want > (t->stage_slots + 1) / 2)
		return -EMSGSIZE;
	if (c->udp_full || !can_post(c) || want > toe_stage_share(c)) {
		toe_rq_ring(t);
		toe_complete(t);
	}
	if (!c->udp_full && can_post(c) && want <= toe_stage_share(c))
		got = toe_stage_alloc(t, want, &first);
	if (got < want) {
		if (got)
			toe_stage_release(t, first, got);
		if (!c->udp_full)
			refuse(c);	/* else the adapter tells */
		return t->dead ? -ENODEV : -EAGAIN;
	}
	if (len)
		memcpy(t->stage + (size_t)first * TOE_STAGE_SLOT, buf, len);
	op = op_alloc(t, c);
	op->bytes = len;
	op->stage_first = first;
	op->stage_count = got;
	c->stage_slots += got;
	req->handle = c->handle;
	req->cookie = toe_cookie(TOE_CK_SEND, (uint32_t)(op - t->sends),
				 op->gen);
	req->npieces = len != 0;
	if (len) {
		req->u.udp_send.piece.key = t->key;
		req->u.udp_send.piece.length = len;
		req->u.udp_send.piece.offset = t->stage_off +
					       (uint64_t)first *
					       TOE_STAGE_SLOT;
	}
	c->nsends++;
	c->sends++;
	c->send_bytes += len;
	c->bytes_out += len;
	t->stats.bytes_out += len;
	t->stats.bytes_out_copied += len;
	toe_rq_post(t, req);
	return 0;
}

ssize_t toe_send(struct toe_conn *c, const void *buf, size_t len,
		 unsigned int flags)
{
	struct iovec iov = { (void *)buf, len };

	return toe_sendv(c, &iov, 1, flags);
}

int toe_send_mem(struct toe_conn *c, const struct toe_mem *mem, size_t offset,
		 size_t len, unsigned int flags, uint64_t cookie)
{
	struct toe *t = c->toe;
	struct toe_sendop *op;
	int err = send_state(c);

	if (err)
		return err;
	if (flags & ~(TOE_MORE | TOE_URGENT) || !len ||
	    len > TOE_SEND_MEM_MAX ||
	    mem->toe != t || !(mem->flags & TOE_MEM_F_SEND) ||
	    offset > mem->length || len > mem->length - offset)
		return -EINVAL;
	if (!can_post(c)) {
		toe_rq_ring(t);
		toe_complete(t);
		err = send_state(c);
		if (err)
			return err;
	}
	if (t->dead)
		return -ENODEV;
	if (!can_post(c)) {
		refuse(c);
		return -EAGAIN;
	}
	op = op_alloc(t, c);
	op->bytes = (uint32_t)len;
	op->cookie = cookie;
	post_send(c, op, mem->key, offset, flags);
	if (!(flags & TOE_MORE))
		toe_rq_ring(t);
	return 0;
}

size_t toe_send_pending(const struct toe_conn *c)
{
	return c->send_bytes;
}

/* ---- Completion --------------------------------------------------------- */

void toe_send_completed(struct toe *t, const struct toe_hw_cqe *e)
{
	uint32_t i = toe_cookie_index(e->cookie);
	struct toe_sendop *op;
	struct toe_conn *c;

	if (i >= t->sends_used || t->sends[i].conn == TOE_NONE ||
	    t->sends[i].gen != toe_cookie_gen(e->cookie)) {
		t->stats.bad++;
		return;
	}
	op = &t->sends[i];
	c = op_conn(t, op);
	if (c) {
		c->nsends--;
		c->send_bytes -= op->bytes;
		c->stage_slots -= op->stage_count;
		if (c->kind == TOE_K_UDP)
			toe_udp_send_answered(c, e->status);
		/*
		 * Bytes are missing from the stream: it must not go on.
		 * Mostly CLOSED follows by itself and says why.
		 */
		if (e->status != TOE_ST_OK && c->kind == TOE_K_CONN &&
		    c->phase == TOE_P_OPEN && e->status != TOE_ST_HANDLE &&
		    e->status != TOE_ST_CLOSED && e->status != TOE_ST_RESET &&
		    e->status != TOE_ST_TIMEDOUT &&
		    e->status != TOE_ST_ABORTED) {
			toe_reject(t, c->handle);
			toe_conn_closed(c, toe_status_errno(e->status));
		}
		toe_zombie_check(c);
	}
	if (op->stage_first != TOE_NONE) {
		toe_stage_release(t, op->stage_first, op->stage_count);
		op_free(t, op);
	} else {
		if (e->u.cpl.bytes < op->bytes)
			op->bytes = e->u.cpl.bytes;
		op_sent(t, op, toe_status_errno(e->status));
	}
}

bool toe_send_take_sent(struct toe *t, struct toe_event *ev)
{
	struct toe_sendop *op;
	struct toe_conn *c;

	if (t->sent_first == TOE_NONE)
		return false;
	op = &t->sends[t->sent_first];
	t->sent_first = op->next;
	if (t->sent_first == TOE_NONE)
		t->sent_last = TOE_NONE;
	c = op_conn(t, op);
	if (c && c->kind != TOE_K_CONN)
		c = NULL;
	*ev = (struct toe_event){
		.events = TOE_SENT,
		.status = op->status,
		.conn = c,
		.user = c ? c->user : NULL,
		.cookie = op->cookie,
		.bytes = op->bytes,
	};
	op_free(t, op);
	return true;
}

void toe_send_unblock(struct toe *t)
{
	struct toe_link *l, *next;

	if (!toe_rq_room(t) || !ops_left(t))
		return;
	for (l = t->blocked.next; l != &t->blocked; l = next) {
		struct toe_conn *c = toe_list_entry(l, struct toe_conn,
						    blocked);

		next = l->next;
		if (c->nsends >= TOE_PENDING_SENDS || !toe_stage_share(c) ||
		    c->udp_full)
			continue;
		toe_list_del(&c->blocked);
		toe_news(c, TOE_WRITABLE);
	}
}

void toe_send_fail_all(struct toe *t, int error)
{
	uint32_t i, j;
	bool waits;

	for (i = 0; i < t->sends_used; i++) {
		struct toe_sendop *op = &t->sends[i];

		if (op->conn == TOE_NONE || op->stage_first != TOE_NONE)
			continue;
		waits = false;		/* finished, to be reported? */
		for (j = t->sent_first; j != TOE_NONE; j = t->sends[j].next)
			waits |= j == i;
		if (!waits) {
			op->bytes = 0;
			op_sent(t, op, error);
		}
	}
}
