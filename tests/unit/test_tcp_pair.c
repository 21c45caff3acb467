/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp_pair.c - two adapters back to back over a link that loses,
 * reorders, repeats and corrupts frames, by a seed.
 *
 * Both sides send a stream of their own in random pieces and read the other's
 * in random pieces, over several connections at once, then shut down in either
 * order.  Every byte must arrive, both must see an orderly end, and when all is
 * closed no NCB and no buflet is missing.  The clock is virtual: a failing
 * seed fails every time.
 */
#include "common_nop6.h"
#include "common_tcp.h"
#include "nop/tcp/tcp.h"

#define B_IP	IP(10, 0, 2, 16)
#define B_MAC	((const uint8_t[]){ 0x52, 0x54, 0x00, 0x12, 0x34, 0x57 })
#define B6		Q6
#define CONNS	3

struct link {
	int64_t delay;		/* ns, one way */
	int64_t jitter;		/* up to this in addition: reorders */
	unsigned loss;		/* per mille */
	unsigned repeat;
	unsigned corrupt;
};

struct flight {
	struct flight *next;
	int64_t when;
	unsigned to;
	size_t len;
	uint8_t data[];
};

struct end {
	uint32_t handle;
	uint32_t sent, got;	/* bytes */
	bool up, shut, peer_closed, let_go;
};

struct sim {
	struct talk *t[2];
	struct end end[2][CONNS];
	uint16_t lport[CONNS];	/* of side 0's */
	unsigned conns;
	uint32_t total;
	struct link link;
	struct flight *first;
	uint32_t rnd;
	uint64_t frames;
};

static struct sim *sim;
static bool v6;		/* all of it over IPv6 */

static uint32_t rnd(struct sim *s, uint32_t below)
{
	s->rnd = s->rnd * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(s->rnd >> 4) * below) >> 28);
}

/* Which byte: differs by side and connection. */
static uint8_t byte(unsigned side, unsigned conn, uint32_t off)
{
	return talk_pattern(off + side * 1000003 + conn * 777);
}

static struct end *end_of(unsigned side, uint32_t handle)
{
	unsigned i;

	for (i = 0; i < CONNS; i++)
		if (sim->end[side][i].handle == handle)
			return &sim->end[side][i];
	ck_abort_msg("an event of an unknown handle");
	return NULL;
}

static unsigned side_of(struct talk *t)
{
	return t == sim->t[1];
}

/* ---- Events; the log of common_tcp.c is not used ---- */

static void on_incoming(struct talk *t, uint32_t handle)
{
	struct end *e = NULL;
	ToeTuple q;
	unsigned i;

	/* Which of the other side's connections is it? */
	ck_assert_uint_eq(toe_stream_tuple(t->w->n, handle, &q, NULL),
			  TOE_ST_OK);
	for (i = 0; i < sim->conns; i++)
		if (sim->lport[i] == q.rport)
			e = &sim->end[1][i];
	ck_assert(e && !e->handle);
	e->handle = handle;
	e->up = true;
	toe_stream_accepted(t->w->n, handle);
}

static void on_peer_closed(struct talk *t, uint32_t handle)
{
	end_of(side_of(t), handle)->peer_closed = true;
}

/* ---- The link ---- */

static void fly(struct sim *s, unsigned to, const uint8_t *data, size_t len)
{
	struct flight *f = g_malloc(sizeof(*f) + len), **p = &s->first;

	memcpy(f->data, data, len);
	f->len = len;
	f->to = to;
	f->when = s->t[0]->w->now + s->link.delay;
	if (s->link.jitter)
		f->when += rnd(s, (uint32_t)s->link.jitter);
	if (rnd(s, 1000) < s->link.corrupt)
		f->data[14 + rnd(s, (uint32_t)len - 14)] ^=
			(uint8_t)(1 + rnd(s, 255));
	while (*p && (*p)->when <= f->when)
		p = &(*p)->next;
	f->next = *p;
	*p = f;
}

static void collect(struct sim *s)
{
	unsigned side;

	for (side = 0; side < 2; side++) {
		struct world *w = s->t[side]->w;
		const uint8_t *data;
		size_t len;

		world_run(w);
		while ((data = world_sent(w, &len))) {
			s->frames++;
			if (rnd(s, 1000) < s->link.loss)
				continue;
			fly(s, !side, data, len);
			if (rnd(s, 1000) < s->link.repeat)
				fly(s, !side, data, len);
		}
		while (world_os(w, &len))
			;
	}
}

/* Deliver or expire what comes next.  False: nothing ever comes. */
static bool step(struct sim *s)
{
	int64_t when = s->first ? s->first->when : INT64_MAX;
	unsigned side;

	for (side = 0; side < 2; side++)
		when = MIN(when, toe_nop_deadline(s->t[side]->w->n));
	if (when == INT64_MAX)
		return false;
	for (side = 0; side < 2; side++)
		s->t[side]->w->now = MAX(s->t[side]->w->now, when);
	while (s->first && s->first->when <= when) {
		struct flight *f = s->first;

		s->first = f->next;
		world_in(s->t[f->to]->w, f->data, f->len);
		g_free(f);
	}
	return true;
}

/* ---- The applications ---- */

static void pump(struct sim *s, unsigned side, unsigned conn)
{
	struct end *e = &s->end[side][conn];
	struct world *w = s->t[side]->w;
	struct toe_hw_conn_info info;
	static uint8_t buf[1 << 16];
	ToeChain c = toe_chain_init();
	uint32_t len, i, space;

	if (!e->handle || e->let_go)
		return;
	info = talk_info(s->t[side], e->handle);
	if (!e->up && info.state == TOE_TCP_ESTABLISHED)
		e->up = true;
	/* Read some of what is there. */
	len = toe_stream_rx(w->n, e->handle)->len;
	if (len && !e->peer_closed)
		len = rnd(s, 2 * len + 1);
	len = MIN(MIN(len, toe_stream_rx(w->n, e->handle)->len), sizeof(buf));
	if (len) {
		toe_chain_copy_out(w->lm, toe_stream_rx(w->n, e->handle), 0,
				   buf, len, NULL);
		for (i = 0; i < len; i++)
			if (buf[i] != byte(!side, conn, e->got + i))
				ck_abort_msg("side %u connection %u byte %u",
					     side, conn, e->got + i);
		e->got += len;
		toe_stream_rx_consumed(w->n, e->handle, len);
	}
	/* Write some of what is left. */
	space = toe_stream_send_space(w->n, e->handle);
	len = 1 + rnd(s, 20000);
	len = MIN(MIN(len, space), s->total - e->sent);
	len = MIN(len, toe_lmem_avail(w->lm, TOE_LMEM_OUT) *
		       TOE_BUFLET_SIZE / 4);
	if (e->up && len && rnd(s, 3)) {
		for (i = 0; i < len; i++)
			buf[i] = byte(side, conn, e->sent + i);
		if (toe_chain_append(w->lm, &c, buf, len, TOE_LMEM_OUT)) {
			toe_stream_send(w->n, e->handle, &c, rnd(s, 8) == 0);
			e->sent += len;
		}
	}
	if (e->up && e->sent == s->total && !e->shut && !info.state)
		ck_abort_msg("side %u connection %u died", side, conn);
	/* One side closes first, or both. */
	if (e->up && e->sent == s->total && !e->shut &&
	    (side == (s->rnd & 1) || e->peer_closed || rnd(s, 50) == 0)) {
		ck_assert_uint_eq(toe_stream_shutdown(w->n, e->handle),
				  TOE_ST_OK);
		e->shut = true;
	}
	if (e->shut && e->peer_closed && e->got == s->total) {
		toe_stream_close(w->n, e->handle);
		e->let_go = true;
	}
}

/* The spans cover what is in flight, and the sums are right. */
static void check_scoreboard(const ToeTcp *t)
{
	uint32_t i, k, spans = 0;

	for (i = 0; i < t->size; i++) {
		const ToeNcb *c = &t->ncbs[i];
		uint32_t at = c->snd_una, sacked = 0, lost = 0, n = 0;

		if (c->kind != TOE_NCB_CONN)
			continue;
		for (k = c->span_first; k != TOE_NONE; k = t->spans[k].next) {
			const ToeSpan *p = &t->spans[k];

			if (p->left != at || !seq_lt(p->left, p->right))
				ck_abort_msg("spans do not join");
			at = p->right;
			if (p->state == TOE_SPAN_SACKED)
				sacked += p->right - p->left;
			if (p->state == TOE_SPAN_LOST)
				lost += p->right - p->left;
			n++;
		}
		if (n && at != c->snd_nxt)
			ck_abort_msg("spans do not end at SND.NXT");
		if (n != c->spans || sacked != c->sacked || lost != c->lost)
			ck_abort_msg("the sums are wrong");
		spans += n ? n - 1 : 0;
	}
	if (spans + t->spans_shared != t->spans_size - t->size)
		ck_abort_msg("%u spans are missing",
			     t->spans_size - t->size - t->spans_shared);
}

static bool done(struct sim *s)
{
	unsigned side, i;

	for (side = 0; side < 2; side++)
		for (i = 0; i < s->conns; i++)
			if (!s->end[side][i].let_go)
				return false;
	return true;
}

static struct talk *make_end(unsigned side, size_t ram)
{
	ToeNopConfig config = world_default_config();
	struct talk *t;

	if (side)
		memcpy(config.mac, B_MAC, 6);
	t = talk_new_config(&config, ram);
	if (side) {
		ck_assert_uint_eq(toe_nop_addr_del(t->w->n, TOE_AF_INET,
						   WORLD_IP, 24), TOE_ST_OK);
		ck_assert_uint_eq(toe_nop_addr_add(t->w->n, TOE_AF_INET, B_IP,
						   24), TOE_ST_OK);
	}
	if (v6) {
		ck_assert_uint_eq(toe_nop_addr_add(t->w->n, TOE_AF_INET6,
						   side ? B6 : W6, 64),
				  TOE_ST_OK);
		ck_assert_uint_eq(toe_nop_route_add(t->w->n, TOE_AF_INET6, W6,
						    64, NULL, 0), TOE_ST_OK);
	}
	t->many = true;
	t->on_incoming = on_incoming;
	t->on_peer_closed = on_peer_closed;
	return t;
}

static void know_each_other(struct sim *s)
{
	if (v6)
		return;			/* neighbour discovery is part of it */
	toe_nop_neigh_add(s->t[0]->w->n, TOE_AF_INET, B_IP, B_MAC);
	toe_nop_neigh_add(s->t[1]->w->n, TOE_AF_INET, WORLD_IP, WORLD_MAC);
}

static void run(uint32_t seed, const struct link *link, uint32_t total,
		unsigned conns, size_t ram)
{
	struct sim s = { .conns = conns, .total = total, .link = *link,
			 .rnd = seed * 2654435761u + 1 };
	unsigned side, i;
	uint64_t steps;
	int64_t end;

	sim = &s;
	for (side = 0; side < 2; side++)
		s.t[side] = make_end(side, ram);
	if (v6) {
		ToeTuple q = { .family = TOE_AF_INET6, .lport = LPORT };

		ck_assert_uint_eq(toe_stream_listen(s.t[1]->w->n, &q, 16,
						    &s.t[1]->listener),
				  TOE_ST_OK);
	} else {
		talk_listen(s.t[1], 16);
	}
	for (i = 0; i < conns; i++) {
		ToeTuple q = { .family = TOE_AF_INET, .rport = LPORT };

		memcpy(q.raddr, B_IP, 16);
		if (v6) {
			q.family = TOE_AF_INET6;
			memcpy(q.raddr, B6, 16);
		}
		ck_assert_uint_eq(toe_stream_connect(s.t[0]->w->n, &q,
						     &s.end[0][i].handle),
				  TOE_ST_OK);
		s.lport[i] = q.lport;
	}
	for (steps = 0; !done(&s); steps++) {
		ck_assert_msg(steps < 200000, "seed %u: no end", seed);
		know_each_other(&s);
		for (side = 0; side < 2; side++)
			for (i = 0; i < conns; i++)
				pump(&s, side, i);
		collect(&s);
		for (side = 0; side < 2; side++)
			check_scoreboard(s.t[side]->w->n->tcp);
		step(&s);
	}
	/* TIME-WAIT and everything else runs out. */
	for (end = s.t[0]->w->now + 300 * SEC; s.t[0]->w->now < end;) {
		know_each_other(&s);
		collect(&s);
		if (!step(&s))
			break;
	}
	collect(&s);
	while (s.first) {
		struct flight *f = s.first;

		s.first = f->next;
		g_free(f);
	}
	for (side = 0; side < 2; side++) {
		struct talk *t = s.t[side];

		ck_assert_uint_eq(COUNTER(t, TCP_NCBS), side);
		ck_assert_uint_eq(COUNTER(t, TCP_TIME_WAIT), 0);
		ck_assert_uint_eq(COUNTER(t, TCP_ORPHANS), 0);
		ck_assert_uint_eq(toe_lmem_avail(t->w->lm, TOE_LMEM_IN),
				  toe_lmem_total(t->w->lm));
		if (!link->loss && !link->corrupt && !link->jitter) {
			ck_assert_uint_eq(COUNTER(t, TCP_RETRANSMITS), 0);
			ck_assert_uint_eq(COUNTER(t, TCP_DUP_ACKS_IN), 0);
		}
		talk_drop(t);
	}
}

START_TEST(clean)
{
	struct link l = { .delay = MS };

	run(1 + (uint32_t)_i, &l, 300000, CONNS, 4 << 20);
}
END_TEST

START_TEST(loss)
{
	struct link l = { .delay = 5 * MS, .loss = 20 };

	run(100 + (uint32_t)_i, &l, 200000, CONNS, 4 << 20);
}
END_TEST

START_TEST(heavy_loss)
{
	struct link l = { .delay = 5 * MS, .loss = 150 };

	run(200 + (uint32_t)_i, &l, 40000, 2, 4 << 20);
}
END_TEST

START_TEST(reordering)
{
	struct link l = { .delay = MS, .jitter = 3 * MS, .repeat = 30 };

	run(300 + (uint32_t)_i, &l, 200000, CONNS, 4 << 20);
}
END_TEST

START_TEST(everything)
{
	struct link l = { .delay = 2 * MS, .jitter = 4 * MS, .loss = 30,
			  .repeat = 30, .corrupt = 20 };

	run(400 + (uint32_t)_i, &l, 100000, CONNS, 4 << 20);
}
END_TEST

START_TEST(little_memory)
{
	struct link l = { .delay = 2 * MS, .jitter = MS, .loss = 10 };

	run(500 + (uint32_t)_i, &l, 100000, CONNS, 256 << 10);
}
END_TEST

/* ---- Over IPv6, neighbour discovery included ---- */

START_TEST(ipv6_clean)
{
	struct link l = { .delay = MS };

	v6 = true;
	run(600 + (uint32_t)_i, &l, 300000, CONNS, 4 << 20);
}
END_TEST

START_TEST(ipv6_everything)
{
	struct link l = { .delay = 2 * MS, .jitter = 4 * MS, .loss = 30,
			  .repeat = 30, .corrupt = 20 };

	v6 = true;
	run(700 + (uint32_t)_i, &l, 100000, CONNS, 4 << 20);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_pair");
	TCase *c = tcase_create("pair");

	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, clean, 0, 4);
	tcase_add_loop_test(c, loss, 0, 8);
	tcase_add_loop_test(c, heavy_loss, 0, 6);
	tcase_add_loop_test(c, reordering, 0, 8);
	tcase_add_loop_test(c, everything, 0, 10);
	tcase_add_loop_test(c, little_memory, 0, 6);
	tcase_add_loop_test(c, ipv6_clean, 0, 4);
	tcase_add_loop_test(c, ipv6_everything, 0, 8);
	suite_add_tcase(s, c);
	return talk_main(s);
}
