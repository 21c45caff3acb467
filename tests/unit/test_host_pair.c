/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_host_pair.c - two whole adapters back to back, with very little local
 * memory, and applications that keep to the doorbell protocol to the letter:
 * a doorbell is rung only if the page asks for it.
 *
 * Three connections of each of two contexts send both ways at once through
 * 1 MiB of local memory; some applications read only when nothing else moves,
 * so that what was received fills the memory while SENDs wait for it.  Every
 * byte must arrive, every request must complete, and at the end no buflet is
 * missing.  If nothing moves any more and no timer runs, a wake-up was lost.
 * Other traffic of the context can hide a flag that was not set; test_rqm.c
 * and test_host_edges.c look at each flag alone.
 * Link and applications follow a seed; the clock is virtual.
 */
#include <stdlib.h>
#include "common_host.h"

#define FLOWS	6
#define TOTAL	400000u			/* bytes of each flow, each way */
#define PIECE	24000u			/* longest SEND */
#define WINDOW	60000u			/* credit that an application gives */
#define AREA	0x18000u		/* data area of a flow; 2 SENDs */
#define TEXT	"no frame, no kick, no timer: a wake-up was lost"

enum { CONNECT = 1, LISTEN, ACCEPT, SEND, SHUTDOWN, CLOSE, CREDIT };

struct flow {			/* one end of a connection */
	struct app *p;
	unsigned side, id;
	uint32_t handle;
	uint32_t tx, rx;		/* bytes posted, received */
	uint32_t owed;			/* credit not given back yet */
	unsigned sends;			/* not completed */
	uint32_t at;			/* where in its area the next one goes */
	bool up, shut, peer_closed, closing, gone, slow;
};

struct frame {
	struct frame *next;
	unsigned to;
	size_t len;
	uint8_t data[];
};

static struct guest g[2];
static struct app app[2][3];		/* by context */
static struct flow flow[2][FLOWS];
static struct frame *first, **last = &first;
static int64_t clock_ns;
static uint32_t seed;
static unsigned loss;			/* per mille */

static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(seed >> 4) * below) >> 28);
}

static uint8_t byte(unsigned side, unsigned id, uint32_t pos)
{
	return (uint8_t)(pos * 31 + (pos >> 8) * 7 + id * 17 + side * 101);
}

/* ---- The world ---- */

static bool send_frame(void *opaque, const uint8_t *data, size_t len)
{
	struct frame *f;

	if (rnd(1000) < loss)
		return true;
	f = g_malloc(sizeof(*f) + len);
	f->next = NULL;
	f->to = opaque == &g[0];
	f->len = len;
	memcpy(f->data, data, len);
	*last = f;
	last = &f->next;
	return true;
}

static bool deliver(void)
{
	struct frame *f = first;

	if (!f)
		return false;
	first = f->next;
	if (!first)
		last = &first;
	toe_adapter_frame_in(g[f->to].a, f->data, f->len);
	g_free(f);
	return true;
}

static int64_t now(void *opaque)
{
	(void)opaque;
	return clock_ns;
}

static bool timers(void)
{
	int64_t next = MIN(g[0].deadline, g[1].deadline);

	if (next == INT64_MAX)
		return false;
	clock_ns = MAX(clock_ns, next);
	for (unsigned i = 0; i < 2; i++)
		if (g[i].deadline <= clock_ns) {
			g[i].deadline = INT64_MAX;
			toe_adapter_timer(g[i].a);
		}
	return true;
}

/* ---- Applications ---- */

static bool room(struct app *p)
{
	return p->page->rq_tail - p->page->rq_head < RING_SIZE;
}

static void post(struct app *p, unsigned op, unsigned id,
		 struct toe_hw_req *req)
{
	req->cookie = (uint64_t)op << 32 | id;
	app_queue(p, req);
	if (!p->page->rq_looking)
		app_doorbell(p, TOE_DB_RQ, 0);
}

static void post_buffer(struct app *p, int queue)
{
	app_buffer(p, queue);
	if (p->page->bq_starved)
		app_doorbell(p, TOE_DB_BQ, 0);
}

static void received(struct flow *f, const struct toe_hw_cqe *e)
{
	const uint8_t *data = app_buf(f->p, e->u.recv.buf_id);

	for (uint32_t i = 0; i < e->u.recv.length; i++, f->rx++)
		if (data[i] != byte(!f->side, f->id, f->rx))
			ck_abort_msg("flow %u of side %u: byte %u is wrong",
				     f->id, f->side, f->rx);
	f->owed += e->u.recv.length;
	post_buffer(f->p, e->u.recv.buf_id >> 31 ? TOE_BQ_LARGE
						 : TOE_BQ_SMALL);
}

static void handle(struct app *p, unsigned side, const struct toe_hw_cqe *e)
{
	struct flow *f = &flow[side][(uint32_t)e->cookie % FLOWS];
	struct toe_hw_req req = { .opcode = TOE_OP_ACCEPT };

	switch (e->type) {
	case TOE_EV_ACCEPT:
		/* Both ends of a flow know it by the peer's order of ports. */
		f = &flow[side][e->u.conn.rport % FLOWS];
		ck_assert(!f->up);
		req.handle = f->handle = e->handle;
		req.u.credit.credit = WINDOW;
		f->up = true;
		ck_assert(f->p == p && room(p));
		post(p, ACCEPT, f->id, &req);
		break;
	case TOE_EV_ESTABLISHED:
		f->up = true;
		break;
	case TOE_EV_RECV:
		received(f, e);
		break;
	case TOE_EV_PEER_CLOSED:
		ck_assert_uint_eq(f->rx, TOTAL);
		f->peer_closed = true;
		break;
	case TOE_EV_CLOSED:
		ck_assert_uint_eq(e->status, TOE_ST_OK);
		ck_assert(f->peer_closed && f->shut);
		f->gone = true;
		break;
	case TOE_EV_COMPLETION:
		if (f->gone && e->status == TOE_ST_HANDLE)
			break;			/* CLOSED came first */
		ck_assert_msg(e->status == TOE_ST_OK, "request %u: status %u",
			      (unsigned)(e->cookie >> 32), e->status);
		switch (e->cookie >> 32) {
		case CONNECT:
			f->handle = e->handle;
			break;
		case SEND:
			f->sends--;
			break;
		case CLOSE:
			f->gone = true;
			break;
		}
		break;
	default:
		ck_abort_msg("event 0x%02x", e->type);
	}
}

/* One thing that this end of a flow can do now.  False: nothing. */
static bool act(struct flow *f, bool quiet)
{
	struct toe_hw_req req = { .handle = f->handle };

	if (!f->up || f->gone || f->closing || !room(f->p))
		return false;
	if (f->owed > WINDOW / 4 && (!f->slow || quiet)) {
		req.opcode = TOE_OP_CREDIT;
		req.u.credit.credit = f->owed;
		f->owed = 0;
		post(f->p, CREDIT, f->id, &req);
		return true;
	}
	if (f->tx < TOTAL && f->sends < 2) {
		uint32_t want = 1 + rnd(PIECE);
		uint32_t len = MIN(want, TOTAL - f->tx);
		uint32_t off = OFF_DATA + f->id % 3 * AREA +
			       f->at * (AREA / 2);
		uint8_t *to = app_mem(f->p, off);

		for (uint32_t i = 0; i < len; i++)
			to[i] = byte(f->side, f->id, f->tx + i);
		req.opcode = TOE_OP_SEND;
		req.npieces = 1;
		req.u.piece[0].key = f->p->key;
		req.u.piece[0].length = len;
		req.u.piece[0].offset = off;
		f->tx += len;
		f->sends++;
		f->at ^= 1;
		post(f->p, SEND, f->id, &req);
		return true;
	}
	if (f->tx == TOTAL && !f->shut) {
		req.opcode = TOE_OP_SHUTDOWN;
		f->shut = true;
		post(f->p, SHUTDOWN, f->id, &req);
		return true;
	}
	if (f->shut && f->peer_closed && !f->sends) {
		req.opcode = TOE_OP_CLOSE;
		f->closing = true;
		post(f->p, CLOSE, f->id, &req);
		return true;
	}
	return false;
}

static bool applications(bool quiet)
{
	bool any = false;

	for (unsigned side = 0; side < 2; side++) {
		for (unsigned c = 1; c < 3; c++) {
			struct toe_hw_cqe e;
			unsigned left = 1 + rnd(8);

			/* ACCEPT needs a place in the RQ. */
			while (left-- && room(&app[side][c]) &&
			       app_poll(&app[side][c], &e)) {
				handle(&app[side][c], side, &e);
				any = true;
			}
		}
		for (unsigned i = 0; i < FLOWS; i++)
			any |= act(&flow[side][i], quiet);
	}
	return any;
}

/* ---- Setting up ---- */

static void host(unsigned side)
{
	static const struct host_options sizes = {
		.contexts = 4, .connections = 64, .regions = 16,
		.pages = 2048, .lmem = 1u << 20,
	};
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_PORT_SET };

	guest_new(&g[side], &sizes);
	g[side].a->env.send_frame = send_frame;
	g[side].a->env.now = now;
	cmd.u.port_set.filter = TOE_FILTER_UP;
	memcpy(cmd.u.port_set.mac, "\x52\x54\0\0\0", 5);
	cmd.u.port_set.mac[5] = (uint8_t)(side + 1);
	ck_assert_uint_eq(admin(&g[side], &cmd), TOE_ST_OK);
	cmd = (struct toe_hw_adm_cmd) { .opcode = TOE_ADM_ADDR_ADD };
	cmd.u.addr.family = TOE_AF_INET;
	cmd.u.addr.prefix = 24;
	memcpy(cmd.u.addr.addr, "\x0a\0\0", 3);
	cmd.u.addr.addr[3] = (uint8_t)(side + 1);
	ck_assert_uint_eq(admin(&g[side], &cmd), TOE_ST_OK);
	for (unsigned c = 1; c < 3; c++) {
		app_new(&app[side][c], &g[side], c, 0);
		for (unsigned i = 0; i < RING_SIZE; i++) {
			post_buffer(&app[side][c], TOE_BQ_SMALL);
			post_buffer(&app[side][c], TOE_BQ_LARGE);
		}
	}
}

static void check_free(unsigned side)
{
	ck_assert_uint_eq(counter(&g[side], TOE_CTR_LMEM_BUFLETS_FREE),
			  counter(&g[side], TOE_CTR_LMEM_BUFLETS));
	ck_assert_uint_eq(counter(&g[side], TOE_CTR_VIOL_RING), 0);
}

static bool all_gone(void)
{
	for (unsigned i = 0; i < 2 * FLOWS; i++)
		if (!flow[i / FLOWS][i % FLOWS].gone)
			return false;
	return true;
}

START_TEST(little_memory)
{
	unsigned idle = 0;

	seed = 1000 + (uint32_t)_i;
	loss = _i % 3 == 2 ? 10 : 0;
	clock_ns = 1000000000;
	host(0);
	host(1);
	for (unsigned c = 1; c < 3; c++) {
		struct toe_hw_req req = {
			.opcode = TOE_OP_LISTEN,
			.u.listen = { .family = TOE_AF_INET, .backlog = 8,
				      .lport = (uint16_t)(5000 + c) },
		};

		ck_assert_uint_eq(app_do(&app[1][c], &req).status, TOE_ST_OK);
	}
	for (unsigned i = 0; i < 2 * FLOWS; i++) {
		struct flow *f = &flow[i / FLOWS][i % FLOWS];

		f->side = i / FLOWS;
		f->id = i % FLOWS;
		f->p = &app[f->side][1 + f->id / 3];
		f->slow = rnd(2);
	}
	for (unsigned i = 0; i < FLOWS; i++) {
		struct toe_hw_req req = {
			.opcode = TOE_OP_CONNECT,
			.u.connect = { .family = TOE_AF_INET,
				       .raddr = { 10, 0, 0, 2 },
				       .lport = (uint16_t)(6000 + i),
				       .rport = (uint16_t)(5001 + i / 3),
				       .credit = WINDOW },
		};

		post(flow[0][i].p, CONNECT, i, &req);
	}
	while (!all_gone()) {
		bool any = applications(idle > 0);

		for (unsigned i = 0; i < 2; i++)
			if (g[i].kicked) {
				g[i].kicked = false;
				toe_adapter_run(g[i].a);
				any = true;
			}
		for (unsigned n = rnd(8); n; n--)
			any |= deliver();
		if (any || first) {
			idle = 0;
			continue;
		}
		/* Slow readers read now; if that moves nothing, time does. */
		if (++idle > 2)
			ck_assert_msg(timers() && idle < 2000, TEXT);
	}
	/* Nothing is left behind but TIME-WAIT. */
	for (unsigned i = 0; i < 1000 && (first || timers()); i++) {
		while (deliver())
			;
		guest_run(&g[0]);
		guest_run(&g[1]);
	}
	for (unsigned side = 0; side < 2; side++) {
		check_free(side);
		guest_free(&g[side]);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("host_pair");
	TCase *tc = tcase_create("host_pair");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, little_memory, 0, 12);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
