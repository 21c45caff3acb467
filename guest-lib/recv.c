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
 *
 * Bounded in bytes, that is; a credit's worth of segments of a byte each would
 * take every buffer there is, and other connections would starve.  So whoever
 * holds PACK_FROM of them has what comes packed: copied behind the bytes of his
 * last buffer as far as there is room.  A reader that keeps up does not hold as
 * many, and nothing is copied for him.  A credit is half of the buffers' bytes
 * at most.
 *
 * Urgent data (RFC 6093: a mark in the stream) is delivered in its place.
 * toe_recv() does not read across the mark in one call, so that who wants to
 * know sees it: sockatmark() of POSIX.
 */
#include <string.h>

#include "internal.h"

#define PACK_FROM	16u	/* a sixteenth of all buffers */
#define PACK_LEAST	4u

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
	t->bufs[id].start = 0;
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

void toe_buf_enqueue(struct toe_conn *c, uint32_t id)
{
	struct toe *t = c->toe;

	t->bufs[id].next = TOE_NONE;
	if (c->rx_first == TOE_NONE) {
		c->rx_first = id;
		c->rx_off = t->bufs[id].start;
	} else {
		t->bufs[c->rx_last].next = id;
	}
	c->rx_last = id;
	c->rx_held++;
}

/* Copy what fits of buffer id behind the last one's bytes; true: all of it. */
static bool pack(struct toe_conn *c, uint32_t id)
{
	struct toe *t = c->toe;
	struct toe_rxbuf *b = &t->bufs[id], *last;
	uint32_t room, n;

	if (c->rx_held < PACK_LEAST || c->rx_held < t->nbufs / PACK_FROM)
		return false;
	last = &t->bufs[c->rx_last];
	room = t->buf_size[buf_class(t, c->rx_last)] - last->length;
	n = room < b->length ? room : b->length;
	memcpy(toe_buf_addr(t, c->rx_last) + last->length, toe_buf_addr(t, id),
	       n);
	last->length += n;
	b->start = n;
	t->stats.bytes_packed += n;
	return n == b->length;
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
	if (pack(c, id))
		toe_buf_post(t, id);
	else
		toe_buf_enqueue(c, id);
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
	c->rx_held--;
	c->rx_off = 0;
	if (c->rx_first == TOE_NONE) {
		c->rx_last = TOE_NONE;
		c->news &= ~TOE_READABLE;
	} else {
		c->rx_off = c->toe->bufs[c->rx_first].start;
	}
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

/*
 * Copy bytes from skip on, len of them at most, and unless they are only looked
 * at let go of all up to there.  Their number, skipped ones included.
 */
static size_t take(struct toe_conn *c, uint8_t *to, size_t skip, size_t len,
		   bool peek)
{
	struct toe *t = c->toe;
	uint32_t id = c->rx_first, off = c->rx_off, part;
	size_t done = 0, want = skip + len;

	while (id != TOE_NONE && done < want) {
		size_t end = done < skip ? skip : want;

		part = t->bufs[id].length - off;
		if (part > end - done)
			part = (uint32_t)(end - done);
		if (done >= skip)
			memcpy(to + (done - skip), toe_buf_addr(t, id) + off,
			       part);
		done += part;
		off += part;
		if (off < t->bufs[id].length)
			continue;
		if (peek) {
			id = t->bufs[id].next;
			off = id != TOE_NONE ? t->bufs[id].start : 0;
			continue;
		}
		toe_buf_unqueue(c);
		toe_buf_post(t, id);
		id = c->rx_first;
		off = c->rx_off;
	}
	if (peek)
		return done;
	if (id != TOE_NONE)
		c->rx_off = off;
	c->rx_bytes -= done;
	ring_some(t);
	consumed(c, (uint32_t)(done > UINT32_MAX ? UINT32_MAX : done));
	return done;
}

ssize_t toe_recv(struct toe_conn *c, void *buf, size_t len, unsigned int flags)
{
	struct toe *t = c->toe;
	size_t skip = 0, done;
	uint64_t ahead;

	if (flags & ~(TOE_PEEK | TOE_SKIP_URGENT))
		return -EINVAL;
	if (c->rx_bytes < len || !len)
		toe_complete(t);
	if (!len)
		return 0;
	if (c->rx_first == TOE_NONE)
		return nothing(c);
	if (len > (size_t)SSIZE_MAX - 1)
		len = SSIZE_MAX - 1;
	if (toe_urgent(c, &ahead)) {
		if (ahead)
			len = len < ahead ? len : (size_t)ahead;
		else if (flags & TOE_SKIP_URGENT)
			skip = 1;
	}
	done = take(c, buf, skip, len, flags & TOE_PEEK) - skip;
	t->stats.bytes_in_copied += done;
	return done ? (ssize_t)done : nothing(c);
}

/* ---- Urgent data -------------------------------------------------------- */

int toe_urgent(const struct toe_conn *c, uint64_t *ahead)
{
	uint64_t read = c->bytes_in - c->rx_bytes;

	if (!c->urgent || c->urgent_mark <= read)
		return 0;
	if (ahead)
		*ahead = c->urgent_mark - 1 - read;
	return 1;
}

int toe_urgent_byte(struct toe_conn *c, unsigned char *byte)
{
	uint64_t ahead;

	if (!toe_urgent(c, &ahead)) {
		toe_complete(c->toe);
		if (!toe_urgent(c, &ahead))
			return -EINVAL;
	}
	if (ahead >= c->rx_bytes)
		toe_complete(c->toe);
	if (ahead >= c->rx_bytes)
		return -EAGAIN;
	take(c, byte, (size_t)ahead, 1, true);
	return 1;
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
