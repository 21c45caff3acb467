// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_libtoe.c - the library against hostile memory.
 *
 * A context is attached to plain memory, laid out as the driver would, and
 * the input says in turn what the application does (every call of toe.h that
 * needs no driver) and what the adapter does: sometimes what a real one
 * would (a request is answered, an event follows, a buffer is filled), and
 * sometimes anything: completions with wrong names, indices that jump, bytes
 * that change.  A call that waits for the adapter comes by
 * __wrap_toe_wait_cq(), where the adapter has its turn; after a while of
 * nothing it declares the context stopped.
 *
 * What must hold, besides the sanitizers' rules:
 *  - events name connections and listeners that the application holds;
 *  - what the application is lent lies in a receive buffer;
 *  - each receive buffer is posted, filled or lent; a connection's buffers
 *    and its count of unread bytes agree;
 *  - each slot of the staging memory is free or belongs to one SEND;
 *  - what is written to the rings names memory of the context only.
 */
#include <arpa/inet.h>

#include "fuzz.h"
#include "internal.h"

#define RING		8u
#define SMALL		256u
#define LARGE		4096u
#define STAGING		(8u * TOE_STAGE_SLOT)
#define CONNS		6u
#define KEY		0x00300007u
#define MEM_KEY		0x00400008u
#define MEM_SIZE	8192u
#define OPS_MAX		400u
#define WAITS_MAX	40u
#define LENT		16u
#define SEEN		16u

struct fake {
	struct toe *toe;
	uint8_t *mem;
	size_t size;
	uint32_t data_off;
	struct toe_uapi_status status;
	uint32_t doorbell[TOE_DOORBELL_PAGE_SIZE / 4];
	struct toe_hw_ctx_page *page;
	struct toe_hw_req *rq;
	struct toe_hw_cqe *cq;
	struct toe_hw_buf *bq[2];
	uint8_t sendable[MEM_SIZE];
	struct toe_mem registered;

	/* the application */
	struct toe_conn *conns[CONNS];
	struct toe_listener *listeners[CONNS];
	struct toe_lend lent[LENT];
	bool is_lent[LENT];

	/* the adapter */
	struct toe_hw_req seen[SEEN];	/* requests it took */
	uint32_t nseen, next_handle;
	uint32_t rq_taken;		/* its own count, whatever the page says */
	uint32_t bq_taken[2];
	uint32_t rq_checked;		/* requests looked at by check_rings() */
	bool scribbled;			/* memory was changed in this operation */

	struct input *in;
	unsigned int waits;
};

static struct fake *fake;	/* for the wrapper, which has no argument */

/* ---- The adapter -------------------------------------------------------- */

static void post(struct fake *f, const struct toe_hw_cqe *e)
{
	f->cq[f->page->cq_tail++ % RING] = *e;
}

static bool take_request(struct fake *f)
{
	struct toe_hw_req r;

	if (f->rq_taken == f->toe->rq_tail)
		return false;
	r = f->rq[f->rq_taken++ % RING];
	f->page->rq_head = f->rq_taken;
	f->seen[f->nseen++ % SEEN] = r;
	return true;
}

/* The answer to a request, and the event that follows it. */
static void answer(struct fake *f, const struct toe_hw_req *r, uint8_t status,
		   bool event)
{
	struct toe_hw_cqe e = {
		.type = TOE_EV_COMPLETION, .status = status,
		.handle = r->handle, .cookie = r->cookie,
	};

	e.u.cpl.opcode = r->opcode;
	e.u.cpl.result = 4000;
	if (r->opcode == TOE_OP_SEND && !status)
		e.u.cpl.bytes = r->u.piece[0].length;
	if (r->opcode == TOE_OP_CONNECT || r->opcode == TOE_OP_LISTEN)
		e.handle = f->next_handle++;
	if (!(r->flags & TOE_REQ_F_QUIET) || status)
		post(f, &e);
	if (r->opcode == TOE_OP_CONNECT && event && !status) {
		memset(&e.u, 0, sizeof(e.u));
		e.type = TOE_EV_ESTABLISHED;
		e.u.conn.family = TOE_AF_INET;
		e.u.conn.rport = 80;
		post(f, &e);
	}
}

/* An honest step: the oldest request is taken and answered. */
static bool serve(struct fake *f, uint8_t status)
{
	if (!take_request(f))
		return false;
	answer(f, &f->seen[(f->nseen - 1) % SEEN], status, true);
	return true;
}

static const struct toe_hw_req *some_request(struct fake *f, struct input *in)
{
	return &f->seen[in_8(in) % SEEN];
}

/* An event of a connection, its buffer perhaps taken from the ring. */
static void adapter_event(struct fake *f, struct input *in)
{
	static const uint8_t types[] = {
		TOE_EV_RECV, TOE_EV_RECV, TOE_EV_ESTABLISHED, TOE_EV_ACCEPT,
		TOE_EV_PEER_CLOSED, TOE_EV_CLOSED, TOE_EV_URGENT, TOE_EV_RECV,
	};
	const struct toe_hw_req *r = some_request(f, in);
	uint8_t how = in_8(in);
	struct toe_hw_cqe e = {
		.type = types[how & 7], .handle = r->handle,
		.cookie = r->cookie,
	};
	unsigned int large = how >> 3 & 1;

	if (e.type == TOE_EV_CLOSED)
		e.status = in_8(in);
	if (e.type == TOE_EV_URGENT)
		e.u.urgent.mark = how & 0x80 ? in_32(in) : in_8(in);
	if (e.type == TOE_EV_ACCEPT) {
		e.handle = f->next_handle++;
		e.u.conn.family = TOE_AF_INET;
	}
	if (e.type == TOE_EV_RECV) {
		uint32_t size = large ? LARGE : SMALL;
		uint32_t id = f->bq[large][f->bq_taken[large] % RING].buf_id;

		if (f->bq_taken[large] != f->toe->bq_tail[large] &&
		    !(how & 0x10))
			f->bq_taken[large]++;
		e.flags = large ? TOE_CQE_F_LARGE : 0;
		e.u.recv.buf_id = how & 0x20 ? in_8(in) : id;
		e.u.recv.length = how & 0x40 ? in_32(in)
				  : 1 + in_16(in) % size;
	}
	if (how & 0x80)			/* and something that is wrong */
		((uint8_t *)&e)[in_8(in) % sizeof(e)] ^= in_8(in);
	post(f, &e);
}

static void adapter_memory(struct fake *f, struct input *in)
{
	uint8_t how = in_8(in);
	uint32_t at = (how & 15u) * 4u;

	if (how & 0x80) {		/* anywhere in page and rings */
		f->mem[in_16(in) % f->data_off] ^= in_8(in);
		f->scribbled = true;
	} else {			/* an index: near, or anything */
		uint32_t *p = (uint32_t *)(void *)((uint8_t *)f->page + 64 +
						   at % 64);

		*p = how & 0x40 ? in_32(in) : *p + (uint32_t)(int8_t)in_8(in);
	}
}

static void adapter(struct fake *f, struct input *in)
{
	uint8_t how = in_8(in);

	switch (how & 7) {
	case 0:
	case 1:
	case 2:
		serve(f, how & 0x80 ? in_8(in) : 0);
		break;
	case 3:
		take_request(f);
		break;
	case 4:
		answer(f, some_request(f, in), how & 0x80 ? in_8(in) : 0,
		       how & 0x40);
		break;
	case 5:
		adapter_memory(f, in);
		break;
	default:
		adapter_event(f, in);
		break;
	}
}

/* The library waits: whoever calls this would spin or sleep otherwise. */
int __real_toe_wait_cq(struct toe *t, struct toe_deadline *d);
int __wrap_toe_wait_cq(struct toe *t, struct toe_deadline *d);
int __wrap_toe_wait_cq(struct toe *t, struct toe_deadline *d)
{
	struct fake *f = fake;
	struct toe_deadline none = { .timeout = 0 };
	int err;

	if (++f->waits > WAITS_MAX)
		f->page->fault = TOE_ST_ABORTED;
	else if (in_8(f->in) & 0x80)
		adapter(f, f->in);
	else if (!serve(f, 0) && d->timeout >= 0)
		return 0;
	err = __real_toe_wait_cq(t, &none);
	return err < 0 ? err : 1;
}

/* ---- The application ---------------------------------------------------- */

static struct toe_conn **free_conn(struct fake *f)
{
	unsigned int i;

	for (i = 0; i < CONNS; i++)
		if (!f->conns[i])
			return &f->conns[i];
	return NULL;
}

static struct toe_conn **some_conn(struct fake *f, struct input *in)
{
	uint8_t i = in_8(in), n;

	for (n = 0; n < CONNS; n++, i++)
		if (f->conns[i % CONNS])
			return &f->conns[i % CONNS];
	return NULL;
}

static struct toe_listener **some_listener(struct fake *f, struct input *in)
{
	uint8_t i = in_8(in), n;

	for (n = 0; n < CONNS; n++, i++)
		if (f->listeners[i % CONNS])
			return &f->listeners[i % CONNS];
	return NULL;
}

static bool holds(struct fake *f, const struct toe_conn *c)
{
	unsigned int i;

	for (i = 0; i < CONNS; i++)
		if (f->conns[i] == c)
			return true;
	return false;
}

static bool listens(struct fake *f, const struct toe_listener *l)
{
	unsigned int i;

	for (i = 0; i < CONNS; i++)
		if (f->listeners[i] == l)
			return true;
	return false;
}

static void app_connect(struct fake *f, struct input *in)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(80),
		.sin_addr = { htonl(0x0a000202) },
	};
	static const struct toe_option options[] = {
		{ .option = TOE_ECN, .value = TOE_ECN_MODE_ON },
		{ .option = TOE_LINGER, .value = TOE_LINGER_ON | 1 },
		{ .option = TOE_RCVBUF, .value = 1 },
	};
	uint8_t how = in_8(in);
	struct toe_conn_opts opts = {
		.flags = (how & 1 ? TOE_CONN_NODELAY : 0) |
			 (how & 0x10 ? TOE_CONN_FASTOPEN : 0),
		.credit = how & 2 ? in_16(in) : 0,
		.options = options, .noptions = how >> 6,
	};
	struct toe_conn **c = free_conn(f);

	if (!c)
		return;
	if (how & 4)
		toe_connect_wait(f->toe, (struct sockaddr *)&a, sizeof(a),
				 &opts, how & 8 ? 0 : 10, c);
	else
		toe_connect(f->toe, (struct sockaddr *)&a, sizeof(a), &opts,
			    c);
}

static void app_listen(struct fake *f, struct input *in)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(80),
	};
	unsigned int i;

	for (i = 0; i < CONNS; i++)
		if (!f->listeners[i]) {
			toe_listen(f->toe, (struct sockaddr *)&a, sizeof(a),
				   in_8(in), NULL, &f->listeners[i]);
			return;
		}
}

static void app_accept(struct fake *f, struct input *in)
{
	struct toe_listener **l = some_listener(f, in);
	struct toe_conn **c = free_conn(f);
	uint8_t how = in_8(in);

	if (!l || !c)
		return;
	if (how & 1)
		toe_accept_wait(*l, NULL, how & 2 ? 0 : 10, c);
	else
		toe_accept(*l, NULL, c);
}

static void app_send(struct fake *f, struct input *in)
{
	static const uint8_t data[4 * TOE_STAGE_SLOT];
	struct toe_conn **c = some_conn(f, in);
	uint8_t how = in_8(in);
	size_t len = in_16(in) % sizeof(data);
	struct iovec iov[3] = {
		{ (void *)(uintptr_t)data, len },
		{ NULL, 0 },
		{ (void *)(uintptr_t)data, how },
	};
	unsigned int flags = (how & 1 ? TOE_MORE : 0) |
			     (how & 8 ? TOE_URGENT : 0);

	if (!c)
		return;
	switch (how >> 1 & 3) {
	case 0:
		toe_send(*c, data, len, flags);
		break;
	case 1:
		toe_sendv(*c, iov, 3, flags);
		break;
	case 2:
		toe_send_mem(*c, &f->registered, in_16(in), len, flags, how);
		break;
	default:
		if (how & 0x80)
			toe_send_drain(*c, 10);
		else
			toe_send_all(*c, data, len, 10);
		break;
	}
	toe_send_pending(*c);
}

static void app_lend(struct fake *f, struct toe_conn *c)
{
	const uint8_t *buffers = f->mem + f->toe->buf_off[0];
	const uint8_t *end = f->mem + f->toe->stage_off;
	unsigned int i;
	const uint8_t *p;

	for (i = 0; i < LENT && f->is_lent[i]; i++)
		;
	if (i == LENT || toe_recv_lend(c, &f->lent[i]) != 1)
		return;
	f->is_lent[i] = true;
	p = f->lent[i].data;
	INVARIANT(f->lent[i].length > 0 && p >= buffers && p < end &&
		  f->lent[i].length <= (size_t)(end - p), "%zu bytes",
		  f->lent[i].length);
}

static void app_return(struct fake *f, struct input *in)
{
	unsigned int i = in_8(in) % LENT;
	struct toe_lend odd = { .buffer = in_8(in) };

	if (f->is_lent[i]) {
		int err = toe_recv_return(f->toe, &f->lent[i]);

		INVARIANT(err == 0, "%d", err);
		f->is_lent[i] = false;
	} else {
		for (i = 0; i < LENT; i++)
			if (f->is_lent[i] &&
			    f->lent[i].buffer == odd.buffer)
				return;
		INVARIANT(toe_recv_return(f->toe, &odd) == -EINVAL,
			  "buffer %u was not lent", odd.buffer);
	}
}

static void app_receive(struct fake *f, struct input *in)
{
	struct toe_conn **c = some_conn(f, in);
	uint8_t how = in_8(in);
	static uint8_t buf[3 * LARGE];
	size_t len = in_16(in) % sizeof(buf);
	ssize_t n;

	if (!c)
		return;
	switch (how & 3) {
	case 0:
		app_lend(f, *c);
		return;
	case 1:
		n = toe_recv(*c, buf, len, (how & 4 ? TOE_PEEK : 0) |
					   (how & 8 ? TOE_SKIP_URGENT : 0));
		break;
	case 2:
		n = toe_recv_wait(*c, buf, len, how & 4 ? 0 : 10);
		break;
	default:
		n = toe_recv(*c, buf, sizeof(buf), 0);
		len = sizeof(buf);
		break;
	}
	INVARIANT(n <= (ssize_t)len, "%zd bytes of %zu", n, len);
}

static void app_close(struct fake *f, struct input *in)
{
	struct toe_conn **c = some_conn(f, in);
	uint8_t how = in_8(in);

	if (!c)
		return;
	if (how & 1) {
		toe_shutdown(*c);
		return;
	}
	if (how & 2)
		toe_abort(*c);
	else
		toe_close_conn(*c);
	*c = NULL;
}

static void app_option(struct fake *f, struct input *in)
{
	struct toe_conn **c = some_conn(f, in);
	uint8_t how = in_8(in);
	int option = how & 0x80 ? TOE_CREDIT : how & 7;
	uint64_t value = in_32(in);

	if (!c)
		return;
	if (how & 0x40)
		toe_getopt(*c, option, &value);
	else
		toe_setopt(*c, option, value);
}

static void app_poll(struct fake *f, struct input *in)
{
	struct toe_event ev[4];
	uint8_t how = in_8(in);
	int n, i;

	if (how & 0x80) {
		toe_wait(f->toe, 0);
		toe_arm(f->toe);
	}
	n = toe_poll(f->toe, ev, 1 + (how & 3));
	INVARIANT(n >= 0 && n <= 4, "%d events", n);
	for (i = 0; i < n; i++) {
		INVARIANT(ev[i].events, "an event that is none");
		INVARIANT(!ev[i].conn || holds(f, ev[i].conn),
			  "events 0x%x of a connection that was given back",
			  ev[i].events);
		INVARIANT(!ev[i].listener || listens(f, ev[i].listener),
			  "events 0x%x of a listener that was given back",
			  ev[i].events);
	}
}

static void app_look(struct fake *f, struct input *in)
{
	struct toe_conn **c = some_conn(f, in);
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	unsigned char byte;

	toe_flush(f->toe);
	if (!c)
		return;
	toe_conn_name(*c, (struct sockaddr *)&a, &len);
	len = in_8(in) % sizeof(a);
	toe_conn_peer(*c, (struct sockaddr *)&a, &len);
	toe_conn_state(*c);
	toe_conn_error(*c);
	toe_recv_pending(*c);
	toe_urgent(*c, NULL);
	toe_urgent_byte(*c, &byte);
}

/* ---- What must hold ----------------------------------------------------- */

static bool in_context(struct fake *f, uint32_t key, uint64_t off,
		       uint64_t len)
{
	uint64_t size = key == KEY ? f->size : key == MEM_KEY ? MEM_SIZE : 0;

	return off <= size && len <= size - off;
}

/* Requests that the library has written since the last look. */
static void check_rings(struct fake *f)
{
	struct toe *t = f->toe;

	if (f->scribbled)
		f->rq_checked = t->rq_tail;	/* who wrote what? */
	for (; f->rq_checked != t->rq_tail; f->rq_checked++) {
		const struct toe_hw_req *r = &f->rq[f->rq_checked % RING];

		if (t->rq_tail - f->rq_checked > RING)
			continue;	/* gone already */
		if (r->opcode == TOE_OP_SEND)
			INVARIANT(r->npieces == 1 && r->u.piece[0].length &&
				  in_context(f, r->u.piece[0].key,
					     r->u.piece[0].offset,
					     r->u.piece[0].length),
				  "SEND of %u bytes at 0x%" PRIx64,
				  r->u.piece[0].length, r->u.piece[0].offset);
		else
			INVARIANT(r->opcode >= TOE_OP_CONNECT &&
				  r->opcode <= TOE_OP_GETOPT, "opcode 0x%x",
				  r->opcode);
	}
}

static void check_buffers(struct fake *f)
{
	struct toe *t = f->toe;
	uint32_t i, id, filled = 0, queued = 0, lent = 0, mine = 0;

	for (i = 0; i < t->nbufs; i++) {
		filled += t->bufs[i].state == TOE_BUF_FILLED;
		lent += t->bufs[i].state == TOE_BUF_LENT;
	}
	for (i = 0; i < LENT; i++)
		mine += f->is_lent[i];
	INVARIANT(lent == mine, "%u buffers are lent, not %u", mine, lent);
	for (i = 0; i < t->conns_used; i++) {
		const struct toe_conn *c = &t->conns[i];
		uint64_t bytes = 0;
		uint32_t held = queued, off = 0;

		if (c->kind == TOE_K_FREE)
			continue;
		if (c->rx_first != TOE_NONE)
			off = c->rx_off - t->bufs[c->rx_first].start;
		for (id = c->rx_first; id != TOE_NONE; id = t->bufs[id].next) {
			INVARIANT(id < t->nbufs && ++queued <= t->nbufs,
				  "buffer %u", id);
			INVARIANT(t->bufs[id].state == TOE_BUF_FILLED,
				  "buffer %u", id);
			bytes += t->bufs[id].length - t->bufs[id].start;
		}
		INVARIANT(bytes - off == c->rx_bytes,
			  "%" PRIu64 " bytes of %" PRIu64, c->rx_bytes,
			  bytes - off);
		INVARIANT(queued - held == c->rx_held, "%u buffers, not %u",
			  queued - held, c->rx_held);
	}
	INVARIANT(queued == filled, "%u buffers of %u", queued, filled);
}

static void check_sends(struct fake *f)
{
	struct toe *t = f->toe;
	uint32_t i, used = 0, free_bits = 0;

	for (i = 0; i < t->sends_used; i++)
		if (t->sends[i].conn != TOE_NONE &&
		    t->sends[i].stage_first != TOE_NONE)
			used += t->sends[i].stage_count;
	for (i = 0; i < t->stage_slots; i++)
		free_bits += t->stage_map[i / 64] >> i % 64 & 1;
	INVARIANT(free_bits == t->stage_free, "%u slots, not %u", free_bits,
		  t->stage_free);
	INVARIANT(used + free_bits == t->stage_slots,
		  "%u slots in use, %u free", used, free_bits);
	for (i = 0; i < t->conns_used; i++) {
		const struct toe_conn *c = &t->conns[i];

		if (c->kind != TOE_K_FREE)
			INVARIANT(c->nsends <= TOE_PENDING_SENDS &&
				  c->stage_slots <= t->stage_slots,
				  "%u SENDs, %u slots", c->nsends,
				  c->stage_slots);
	}
}

/* ---- One input ---------------------------------------------------------- */

static void attach(struct fake *f)
{
	struct toe_config in = {
		.requests = RING, .completions = RING, .small_count = RING,
		.small_size = SMALL, .large_count = RING, .large_size = LARGE,
		.staging = STAGING, .max_conns = CONNS, .credit = 8192,
		.flags = TOE_CFG_SPIN,
	}, cfg;
	struct toe_attach at = { .fd = -1 };
	uint32_t start = 0xfffffffa;	/* the indices wrap, too */
	int err = toe_config_resolve(&cfg, &in);

	INVARIANT(!err, "%d", err);
	at.ctx.rq_off = 4096;
	at.ctx.cq_off = 4096 + 512;
	at.ctx.bq_small_off = 4096 + 1024;
	at.ctx.bq_large_off = 4096 + 1024 + 128;
	at.ctx.data_off = f->data_off = 8192;
	at.ctx.mem_size = f->size = 8192 + toe_config_data_size(&cfg);
	at.ctx.key = KEY;
	f->mem = aligned_alloc(4096, f->size);
	memset(f->mem, 0, f->size);
	f->page = (void *)f->mem;
	f->rq = (void *)(f->mem + at.ctx.rq_off);
	f->cq = (void *)(f->mem + at.ctx.cq_off);
	f->bq[0] = (void *)(f->mem + at.ctx.bq_small_off);
	f->bq[1] = (void *)(f->mem + at.ctx.bq_large_off);
	f->page->rq_tail = f->page->rq_head = start;
	f->page->cq_tail = f->page->cq_head = start;
	f->page->bq_small_tail = f->page->bq_small_head = start;
	f->page->bq_large_tail = f->page->bq_large_head = start;
	f->rq_taken = f->rq_checked = start;
	f->bq_taken[0] = f->bq_taken[1] = start;
	f->next_handle = TOE_HANDLE(1, 1);
	at.mem = f->mem;
	at.doorbell = f->doorbell;
	at.status = &f->status;
	err = toe_attach(&f->toe, &cfg, &at);
	INVARIANT(!err, "%d", err);
	f->registered = (struct toe_mem){
		.toe = f->toe, .addr = f->sendable, .length = MEM_SIZE,
		.key = MEM_KEY, .flags = TOE_MEM_F_SEND,
	};
}

static void op(struct fake *f, struct input *in)
{
	struct toe_listener **l;
	struct toe_conn **c;

	f->waits = 0;
	f->scribbled = false;
	switch (in_8(in) % 24) {
	case 0:
		app_connect(f, in);
		break;
	case 1:
		app_listen(f, in);
		break;
	case 2:
		app_accept(f, in);
		break;
	case 3:
	case 4:
		app_send(f, in);
		break;
	case 5:
	case 6:
		app_receive(f, in);
		break;
	case 7:
		app_return(f, in);
		break;
	case 8:
		app_close(f, in);
		break;
	case 9:
		l = some_listener(f, in);
		if (l) {
			toe_close_listener(*l);
			*l = NULL;
		}
		break;
	case 10:
		app_option(f, in);
		break;
	case 11:
		app_look(f, in);
		break;
	case 12:
	case 13:
	case 14:
		app_poll(f, in);
		break;
	case 15:		/* a short cut: an open connection */
		c = free_conn(f);
		if (c) {
			app_connect(f, in);
			while (serve(f, 0))
				;
			app_poll(f, in);
		}
		break;
	case 16:
		if (in_8(in) == 0xa5)
			f->status.epoch++;
		break;
	default:
		adapter(f, in);
		break;
	}
	check_rings(f);
	check_buffers(f);
	check_sends(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };
	struct fake *f = calloc(1, sizeof(*f));
	unsigned int ops = 0, i;

	fake = f;
	f->in = &in;
	attach(f);
	while (in_more(&in) && ops++ < OPS_MAX)
		op(f, &in);
	for (i = 0; i < CONNS; i++) {
		if (f->conns[i])
			toe_close_conn(f->conns[i]);
		if (f->listeners[i])
			toe_close_listener(f->listeners[i]);
	}
	check_sends(f);
	toe_close(f->toe);
	free(f->mem);
	free(f);
	fake = NULL;
	return 0;
}
