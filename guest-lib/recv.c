// SPDX-License-Identifier: MIT
/*
 * recv.c - receiving: buffers on their way round, and credit.
 *
 * A buffer is POSTED (the adapter's), FILLED (in a connection's queue) or LENT
 * (the caller's), and then posted again.  The adapter fills a buffer for any
 * connection, but never more for one than that connection's credit: the bytes
 * asked for and not yet received.  Credit is asked for again, half a window
 * at a time, when bytes are consumed: by toe_recv() when they are copied, with
 * toe_recv_lend() when the buffer comes back.  So what a slow reader leaves
 * unread is bounded, and waits on the adapter behind a closed TCP window.
 */
#include <string.h>

#include "internal.h"

static unsigned int buf_class(const struct toe *t, uint32_t id)
{
	return id >= t->bq_size[0];
}

static uint32_t buf_place(const struct toe *t, uint32_t id)
{
	return id - (buf_class(t, id) ? t->bq_size[0] : 0);
}

uint8_t *toe_buf_addr(const struct toe *t, uint32_t id)
{
	unsigned int k = buf_class(t, id);

	return t->buf_base[k] + (size_t)buf_place(t, id) * t->buf_size[k];
}

/* The ring has an entry for each buffer, so there is always room. */
void toe_buf_post(struct toe *t, uint32_t id)
{
	unsigned int k = buf_class(t, id);
	struct toe_hw_buf entry = {
		.key = t->key,
		.buf_id = id,
		.offset = t->buf_off[k] +
			  (uint64_t)buf_place(t, id) * t->buf_size[k],
	};

	t->bufs[id].state = TOE_BUF_POSTED;
	t->bq[k][t->bq_tail[k] & (t->bq_size[k] - 1)] = entry;
	t->bq_tail[k]++;
	t->bq_unrung++;
	__atomic_store_n(k ? &t->page->bq_large_tail : &t->page->bq_small_tail,
			 t->bq_tail[k], __ATOMIC_RELEASE);
}

void toe_buf_ring(struct toe *t)
{
	t->bq_unrung = 0;
	if (t->dead)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&t->page->bq_starved, __ATOMIC_RELAXED)) {
		t->db[TOE_DB_BQ / 4] = t->bq_tail[0] + t->bq_tail[1];
		t->stats.doorbells++;
		t->stats.doorbells_bq++;
	}
}

/*
 * A reader that is slower than the network has all buffers in its own hands
 * and the adapter waiting for the next one.  So a few are given back before
 * the doorbell is rung; toe_complete() rings for the rest, and everybody who
 * finds nothing to read comes by there.
 */
static void ring_some(struct toe *t)
{
	if (t->bq_unrung >= TOE_BQ_BATCH)
		toe_buf_ring(t);
}

bool toe_buf_filled(struct toe *t, const struct toe_hw_cqe *e)
{
	/* RECV and UDP_RECV have these two in the same place. */
	uint32_t id = e->u.recv.buf_id, len = e->u.recv.length;

	if (id >= t->nbufs || t->bufs[id].state != TOE_BUF_POSTED ||
	    len > t->buf_size[buf_class(t, id)] ||
	    !(e->flags & TOE_CQE_F_LARGE) != !buf_class(t, id)) {
		t->stats.bad++;
		return false;
	}
	t->stats.buffers++;
	return true;
}

void toe_recv_arrived(struct toe *t, struct toe_conn *c,
		      const struct toe_hw_cqe *e)
{
	uint32_t id = e->u.recv.buf_id, len = e->u.recv.length;
	struct toe_rxbuf *b;

	if (!toe_buf_filled(t, e))
		return;
	if (!c || c->kind != TOE_K_CONN || !len) {
		toe_buf_post(t, id);
		return;
	}
	b = &t->bufs[id];
	b->state = TOE_BUF_FILLED;
	b->length = len;
	b->next = TOE_NONE;
	if (c->rx_first == TOE_NONE)
		c->rx_first = id;
	else
		t->bufs[c->rx_last].next = id;
	c->rx_last = id;
	c->rx_bytes += len;
	c->bytes_in += len;
	c->buffers++;
	t->stats.bytes_in += len;
	toe_news(c, TOE_READABLE);
}

/* The first filled buffer leaves the queue. */
void toe_buf_unqueue(struct toe_conn *c)
{
	c->rx_first = c->toe->bufs[c->rx_first].next;
	if (c->rx_first == TOE_NONE) {
		c->rx_last = TOE_NONE;
		c->news &= ~TOE_READABLE;
	}
	c->rx_off = 0;
}

/* n bytes are read: ask for as many more, half a window at a time. */
static void consumed(struct toe_conn *c, uint32_t n)
{
	if (c->kind != TOE_K_CONN || c->peer_closed ||
	    c->phase != TOE_P_OPEN)
		return;
	if (c->surplus) {
		uint32_t keep = n < c->surplus ? n : c->surplus;

		c->surplus -= keep;
		n -= keep;
	}
	c->owed += n;
	if (c->owed >= c->credit / 2 && !(c->want & TOE_WANT_CREDIT))
		toe_want(c, TOE_WANT_CREDIT);
}

/* No bytes: the end of the stream, an error, or not now. */
static int nothing(struct toe_conn *c)
{
	if (c->phase == TOE_P_CONNECTING)
		return -ENOTCONN;
	if (c->phase == TOE_P_CLOSED)
		return c->peer_closed ? 0 : c->error;
	return c->peer_closed ? 0 : -EAGAIN;
}

int toe_recv_lend(struct toe_conn *c, struct toe_lend *lend)
{
	struct toe *t = c->toe;
	struct toe_rxbuf *b;

	if (c->rx_first == TOE_NONE)
		toe_complete(t);
	if (c->rx_first == TOE_NONE)
		return nothing(c);
	b = &t->bufs[c->rx_first];
	lend->data = toe_buf_addr(t, c->rx_first) + c->rx_off;
	lend->length = b->length - c->rx_off;
	lend->buffer = c->rx_first;
	lend->rsvd = 0;
	b->state = TOE_BUF_LENT;
	b->conn = c->index;
	b->conn_gen = c->gen;
	b->lent_bytes = (uint32_t)lend->length;
	c->rx_bytes -= lend->length;
	c->lent++;
	toe_buf_unqueue(c);
	return 1;
}

int toe_recv_return(struct toe *t, const struct toe_lend *lend)
{
	struct toe_rxbuf *b;
	struct toe_conn *c;

	if (lend->buffer >= t->nbufs ||
	    t->bufs[lend->buffer].state != TOE_BUF_LENT)
		return -EINVAL;
	b = &t->bufs[lend->buffer];
	toe_buf_post(t, lend->buffer);
	ring_some(t);
	c = toe_slot_find(t, toe_cookie(TOE_CK_CONN, b->conn, b->conn_gen));
	if (c) {
		c->lent--;
		if (c->kind == TOE_K_UDP)
			toe_udp_consumed(c);
		else
			consumed(c, b->lent_bytes);
	}
	return 0;
}

ssize_t toe_recv(struct toe_conn *c, void *buf, size_t len, unsigned int flags)
{
	struct toe *t = c->toe;
	uint32_t id, off, part;
	size_t done = 0;

	if (flags & ~TOE_PEEK)
		return -EINVAL;
	if (c->rx_bytes < len || !len)
		toe_complete(t);
	if (!len)
		return 0;
	if (c->rx_first == TOE_NONE)
		return nothing(c);
	if (len > (size_t)SSIZE_MAX)
		len = SSIZE_MAX;
	id = c->rx_first;
	off = c->rx_off;
	while (id != TOE_NONE && done < len) {
		part = t->bufs[id].length - off;
		if (part > len - done)
			part = (uint32_t)(len - done);
		memcpy((uint8_t *)buf + done, toe_buf_addr(t, id) + off, part);
		done += part;
		off += part;
		if (off < t->bufs[id].length)
			break;
		off = 0;
		if (flags & TOE_PEEK) {
			id = t->bufs[id].next;
			continue;
		}
		toe_buf_unqueue(c);
		toe_buf_post(t, id);
		id = c->rx_first;
	}
	t->stats.bytes_in_copied += done;
	if (flags & TOE_PEEK)
		return (ssize_t)done;
	if (id != TOE_NONE)
		c->rx_off = off;
	c->rx_bytes -= done;
	ring_some(t);
	consumed(c, (uint32_t)(done > UINT32_MAX ? UINT32_MAX : done));
	return (ssize_t)done;
}

size_t toe_recv_pending(const struct toe_conn *c)
{
	return c->rx_bytes;
}

void toe_recv_drop(struct toe_conn *c)
{
	struct toe *t = c->toe;
	uint32_t id;

	while (c->rx_first != TOE_NONE) {
		id = c->rx_first;
		toe_buf_unqueue(c);
		toe_buf_post(t, id);
	}
	c->rx_bytes = 0;
	toe_buf_ring(t);
}
