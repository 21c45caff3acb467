/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world.c - what a seed means, and the run itself.
 *
 * The clock jumps to whatever comes next: a frame, a timer, a turn of an
 * adapter, an application's next move, an event of the network.  When nothing
 * ever comes, or too much time has passed, the applications must have ended
 * and the adapters must be as they were.
 *
 * Profiles: each tenth seed has the same, so that any ten in a row see all;
 * within one the numbers are drawn.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "nop/tcp/tcp.h"
#include "sim.h"

#define TURN_BUDGET	(256u << 10)
#define STEPS_MAX	3000000u

static const char *const profile_names[] = {
	[CLEAN] = "clean", [LOSSY] = "lossy", [REORDER] = "reorder",
	[EVERYTHING] = "everything", [LITTLE_MEMORY] = "little-memory",
	[USER_NET] = "user-net", [PATH_MTU] = "path-mtu", [CHURN] = "churn",
	[SLOW_READERS] = "slow-readers", [HARSH] = "harsh",
};

/* ---- Parameters ---- */

static void faults(struct params *p, struct rng *r)
{
	p->loss = (unsigned)rnd_log(r, 0, 60);
	if (chance(r, 300)) {
		p->burst = 1 + (unsigned)rnd(r, 10);
		p->burst_for = (int64_t)rnd_log(r, 1, 300) * MS;
	}
	if (chance(r, 400))
		p->dup = (unsigned)rnd_log(r, 1, 100);
	if (chance(r, 400))
		p->corrupt = (unsigned)rnd_log(r, 1, 40);
	if (chance(r, 500)) {
		p->reorder = (unsigned)rnd_log(r, 1, 300);
		p->reorder_by = (int64_t)rnd_log(r, 1, 100) * MS;
	}
	if (chance(r, 300))
		p->jitter = (int64_t)rnd_log(r, 1, 20) * MS;
}

static void bottleneck(struct params *p, struct rng *r)
{
	p->rate = rnd_log(r, 2, 500) * 1000000;
	p->queue = (int64_t)rnd_log(r, 2, 200) * MS;
}

static void special(struct params *p, struct rng *r)
{
	switch (p->profile) {
	case CLEAN:
		/* The turns must not look like a lossy path's time-outs. */
		p->stall = 20 * SEC;
		break;
	case LOSSY:
		p->loss = (unsigned)rnd_log(r, 1, 100);
		if (chance(r, 500))
			bottleneck(p, r);
		break;
	case REORDER:
		p->reorder = 10 + (unsigned)rnd(r, 500);
		p->reorder_by = (int64_t)rnd_log(r, 1, 300) * MS;
		p->jitter = (int64_t)rnd_log(r, 1, 50) * MS;
		p->dup = (unsigned)rnd_log(r, 1, 200);
		break;
	case EVERYTHING:
		faults(p, r);
		if (chance(r, 500))
			bottleneck(p, r);
		p->flaps = (unsigned)rnd(r, 4);
		p->routes = (unsigned)rnd(r, 4);
		p->mtu_events = (unsigned)rnd(r, 3);
		p->mute = chance(r, 200);
		p->stall = 30 * SEC;
		p->aborts = 50;
		break;
	case LITTLE_MEMORY:
		faults(p, r);
		p->ram = (uint32_t)rnd_log(r, 48, 512) << 10;
		p->conns = 4 + (unsigned)rnd(r, 40);
		p->stall = 5 * SEC;
		break;
	case USER_NET:
		p->max_segment = 1500 + (uint32_t)rnd(r, 64036);
		p->delay[0] = p->delay[1] = (int64_t)rnd(r, 5 * MS);
		p->bytes *= 2;
		if (chance(r, 300))
			p->loss = (unsigned)rnd_log(r, 1, 20);
		p->stall = 30 * SEC;
		break;
	case PATH_MTU:
		p->mtu_events = 1 + (unsigned)rnd(r, 5);
		p->routes = (unsigned)rnd(r, 3);
		if (chance(r, 300))
			faults(p, r);
		p->mute = chance(r, 500);
		break;
	case CHURN:
		p->conns = CONNS_MAX;
		p->bytes = 3000;
		p->ncbs = 12 + (uint32_t)rnd(r, 60);
		p->ports = 4 + (uint32_t)rnd(r, 60);
		p->span = (int64_t)rnd_log(r, 1, 200) * SEC;
		p->backlog = 1 + (uint32_t)rnd(r, 8);
		p->accept_delay = (int64_t)rnd(r, 500) * MS;
		p->listener_pauses = chance(r, 500);
		p->aborts = 100;
		p->harsh = true;
		if (chance(r, 500))
			faults(p, r);
		break;
	case SLOW_READERS:
		p->stall = 400 * SEC;
		p->rcvbuf = (uint32_t)rnd_log(r, 4096, 65536);
		if (chance(r, 500))
			faults(p, r);
		break;
	case HARSH:
		faults(p, r);
		p->loss = 50 + (unsigned)rnd(r, 400);
		p->harsh = true;
		p->flaps = (unsigned)rnd(r, 6);
		p->aborts = 200;
		p->bytes /= 4;
		break;
	case PROFILES:
		break;
	}
}

/* Half of the seeds mark, and know what marks are; drawn last. */
static void ecn(struct params *p, struct rng *r)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		p->ecn[i] = (uint8_t)rnd(r, TOE_ECN_MODE_MAX + 1);
		p->cc[i] = chance(r, 600) ? TOE_CC_CUBIC
					  : (uint8_t)rnd(r, TOE_CC_MAX + 1);
		p->pacing[i] = chance(r, 700);
	}
	if (chance(r, 500))
		return;
	p->ecn[rnd(r, 2)] = TOE_ECN_MODE_ON;
	p->mark = (unsigned)rnd_log(r, 1, 500);
	if (p->rate)
		p->mark_queue = 1 + (int64_t)rnd(r, (uint64_t)p->queue);
}

void sim_params(struct params *p, uint64_t seed)
{
	/* Other than the step of rng_next(), or seeds would be shifted runs. */
	struct rng r = { seed * 0xff51afd7ed558ccdULL + 12345 };

	memset(p, 0, sizeof(*p));
	p->profile = (enum profile)(seed % PROFILES);
	p->delay[0] = p->delay[1] = (int64_t)rnd_log(&r, 20, 100000) * 1000;
	if (chance(&r, 300))
		p->delay[1] = (int64_t)rnd_log(&r, 20, 100000) * 1000;
	p->mtu = chance(&r, 700) ? 1500 : 576 + (uint32_t)rnd(&r, 8425);
	p->ncbs = 256;
	p->ram = 8 << 20;
	p->rcvbuf = (uint32_t)rnd_log(&r, 4096, 1 << 20);
	p->sndbuf = (uint32_t)rnd_log(&r, 4096, 1 << 20);
	p->time_wait_ms = chance(&r, 500) ? 60000
					  : 15000 + (uint32_t)rnd(&r, 47000);
	p->run_delay = chance(&r, 500) ? 0 : (int64_t)rnd(&r, 2 * MS);
	p->port_room = chance(&r, 700) ? 0 : 1 + (unsigned)rnd(&r, 20);
	p->conns = 1 + (unsigned)rnd(&r, 16);
	p->bytes = (uint32_t)rnd_log(&r, 20000, 1000000);
	p->span = (int64_t)rnd_log(&r, 1, 5000) * MS;
	p->backlog = CONNS_MAX;
	p->accept_delay = chance(&r, 300) ? (int64_t)rnd(&r, SEC) : 0;
	p->faults_end = (int64_t)rnd_log(&r, 5, 300) * SEC;
	p->arp = chance(&r, 300);
	special(p, &r);
	p->cookies = (uint32_t)rnd(&r, 3);
	p->syn_backlog = chance(&r, 500) ? 1 + (uint32_t)rnd(&r, 8) : 4097;
	/* An ACK that comes again when all is over makes a connection again. */
	if (p->dup || p->reorder || p->jitter)
		p->cookies = TOE_SYN_COOKIES_OFF;
	/* Without cookies a full queue is a loss, perhaps one for ever. */
	if (p->cookies == TOE_SYN_COOKIES_OFF)
		p->syn_backlog = 4097;
	if (p->flaps || p->harsh)
		p->arp = false;		/* who is not found is unreachable */
	ecn(p, &r);
	/* Half of the seeds with buffers that stay as they are. */
	p->tuned = chance(&r, 500) ? (uint32_t)rnd_log(&r, 4096, 8 << 20)
				   : 4096;
	/* A SYN with a cookie that comes again is a connection again. */
	p->fastopen = chance(&r, 300) ? 1 + (uint32_t)rnd(&r, 8) : 0;
	if (p->dup || p->reorder || p->jitter)
		p->fastopen = 0;
	p->limit = p->span + p->faults_end + 2 * p->stall + 1500 * SEC;
}

void sim_describe(const struct sim *s, FILE *f)
{
	const struct params *p = &s->p;

	fprintf(f, "  %s%s: %u connections, up to %u bytes, delay %.2f/%.2f ms, "
		"jitter %.1f, reorder %u by %.0f ms,\n"
		"  loss %u, burst %u of %.0f ms, dup %u, corrupt %u (per mille) until "
		"%.0f s, rate %.0f Mbit/s, queue %.0f ms,\n"
		"  flaps %u, routes %u, MTU changes %u, mtu %u, max-segment "
		"%u, NCBs %u, RAM %u KiB, buffers %u/%u up to %u,\n"
		"  marks %u or from %.1f ms of queue on, ECN %u/%u, congestion "
		"control %u/%u, pacing %u/%u,\n"
		"  stalls up to %.0f s, turn delay %.2f ms, port room %u, "
		"ports %u, backlog %u, cookies %u, half-open %u, fast open %u%s%s"
		"\n",
		profile_names[p->profile], p->harsh ? " (harsh)" : "", p->conns,
		p->bytes, (double)p->delay[0] / MS, (double)p->delay[1] / MS,
		(double)p->jitter / MS, p->reorder, (double)p->reorder_by / MS,
		p->loss, p->burst, (double)p->burst_for / MS, p->dup, p->corrupt,
		(double)p->faults_end / SEC, (double)p->rate / 1e6,
		(double)p->queue / MS, p->flaps, p->routes, p->mtu_events,
		p->mtu, p->max_segment, p->ncbs, p->ram >> 10, p->rcvbuf,
		p->sndbuf, p->tuned, p->mark,
		(double)p->mark_queue / MS, p->ecn[0],
		p->ecn[1], p->cc[0], p->cc[1], p->pacing[0], p->pacing[1],
		(double)p->stall / SEC, (double)p->run_delay / MS,
		p->port_room, p->ports, p->backlog, p->cookies, p->syn_backlog,
		p->fastopen, p->arp ? ", arp" : "", p->mute ? ", mute routers" : "");
}

static const char *state_name(uint8_t state)
{
	static const char *const names[] = {
		"closed", "listen", "syn-sent", "syn-received", "established",
		"fin-wait-1", "fin-wait-2", "close-wait", "closing",
		"last-ack", "time-wait",
	};

	return state < G_N_ELEMENTS(names) ? names[state] : "?";
}

static void describe_end(const struct sim *s, const struct end *e)
{
	const struct flow *f = &e->flow;
	struct toe_hw_conn_info info;
	uint32_t i = 0;

	fprintf(stderr, "    side %u port %u: wrote %u of %u, read %u%s%s%s%s%s"
		"%s%s, sent to %" PRId64 ", acked %" PRId64 ", window to %"
		PRId64 ", arrived %" PRId64 "\n", e->side,
		e->conn->port[e->side], e->sent, e->total, e->got,
		e->handle ? "" : ", no handle", e->up ? ", up" : "",
		e->shut ? ", shut" : "", e->peer_closed ? ", peer closed" : "",
		e->closed ? ", closed" : "", e->let_go ? ", let go" : "",
		e->wants_space ? ", waits for writable" : "", f->end,
		f->acked, f->edge, f->there);
	while (s->side[e->side].n &&
	       toe_stream_info(s->side[e->side].n, &i, &info))
		if (info.lport == e->conn->port[e->side] &&
		    info.rport == e->conn->port[!e->side])
			fprintf(stderr, "      %s: rxq %u txq %u mss %u cwnd %u "
				"ssthresh %u snd_wnd %u rcv_wnd %u rto %u us, "
				"%u retransmits\n", state_name(info.state),
				info.rxq, info.txq, info.mss, info.cwnd,
				info.ssthresh, info.snd_wnd, info.rcv_wnd,
				info.rto_us, info.retransmits);
	if (e->handle && !e->let_go) {
		const ToeNcb *n = toe_ncb_by_handle(s->side[e->side].n->tcp,
						    e->handle);

		fprintf(stderr, "      %u ranges with %u buflets ahead, flags "
			"%08x\n", n->reass_ranges, n->reass_buflets, n->flags);
	}
}

static bool unfinished(const struct conn *c)
{
	return c->started && !c->refused &&
	       !(c->end[0].let_go && c->end[1].let_go);
}

void sim_fail(struct sim *s, const struct conn *c, const char *fmt, ...)
{
	unsigned i;
	va_list args;

	fprintf(stderr, "seed %" PRIu64 ", at %.6f s", s->seed,
		(double)sim_time(s) / SEC);
	if (c)
		fprintf(stderr, ", connection %u", c->id);
	fprintf(stderr, ": ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	sim_describe(s, stderr);
	for (i = 0; c && i < 2; i++)
		describe_end(s, &c->end[i]);
	for (i = 0; i < 2 * s->p.conns; i++)
		if (s->verbose && unfinished(&s->conn[i / 2])) {
			fprintf(stderr, "   connection %u\n", i / 2);
			describe_end(s, &s->conn[i / 2].end[i % 2]);
		}
	for (i = 0; i < 2; i++)
		if (s->side[i].n)
			fprintf(stderr, "  side %u: %u of %u buflets free\n", i,
				toe_lmem_avail(s->side[i].lm, TOE_LMEM_IN),
				toe_lmem_total(s->side[i].lm));
	fflush(stderr);
	_Exit(1);
}

/* ---- An adapter ---- */

static bool no_dma_read(void *opaque, uint64_t addr, void *to, size_t len)
{
	(void)opaque, (void)addr, (void)to, (void)len;
	return false;
}

static bool no_dma_write(void *opaque, uint64_t addr, const void *from,
			 size_t len)
{
	(void)opaque, (void)addr, (void)from, (void)len;
	return false;
}

static void no_irq(void *opaque, unsigned vector)
{
	(void)opaque, (void)vector;
}

static bool port_send(void *opaque, const uint8_t *frame, size_t len)
{
	struct side *w = opaque;
	struct sim *s = w->sim;

	if (w->ready_at != NEVER)
		sim_fail(s, NULL, "side %u sends though the port is busy",
			 w->number);
	net_send(w, frame, len);
	if (!s->p.port_room || --w->port_left)
		return true;
	w->ready_at = s->now + 1 + (int64_t)rnd(&s->rng, MS);
	return false;
}

static int64_t clock_now(void *opaque)
{
	return ((struct side *)opaque)->sim->now;
}

static void set_timer(void *opaque, int64_t deadline)
{
	(void)opaque, (void)deadline;
}

static void kick(void *opaque)
{
	side_kick(opaque);
}

static void random_bytes(void *opaque, void *to, size_t len)
{
	struct side *w = opaque;
	uint8_t *p = to;

	while (len) {
		uint64_t z = rng_next(&w->rng);
		size_t n = MIN(len, sizeof(z));

		memcpy(p, &z, n);
		p += n;
		len -= n;
	}
}

static void guest_error(void *opaque, const char *sentence)
{
	struct side *w = opaque;

	sim_fail(w->sim, NULL, "side %u: %s", w->number, sentence);
}

void side_kick(struct side *w)
{
	struct sim *s = w->sim;

	if (w->run_at == NEVER)
		w->run_at = s->now +
			    (int64_t)rnd(&s->rng, (uint64_t)s->p.run_delay);
}

static void side_run(struct side *w)
{
	bool more;

	w->run_at = NEVER;
	w->in_engine = true;
	more = toe_nop_run(w->n, TURN_BUDGET);
	w->in_engine = false;
	if (more)
		side_kick(w);
}

static void side_init(struct sim *s, unsigned i)
{
	struct side *w = &s->side[i];
	struct params *p = &s->p;
	ToeNopConfig config = {
		.mac = { 0x52, 0x54, 0x00, 0x12, 0x34, (uint8_t)(0x56 + i) },
		.connections = p->ncbs, .mtu_max = MAX(p->mtu, 1500),
		.max_segment = p->max_segment,
	};
	static const uint8_t all[16];

	w->sim = s;
	w->number = i;
	w->env = (ToeEnv){
		.opaque = w, .dma_read = no_dma_read,
		.dma_write = no_dma_write, .irq = no_irq,
		.send_frame = port_send, .now = clock_now,
		.set_timer = set_timer, .kick = kick, .random = random_bytes,
		.guest_error = guest_error,
	};
	w->rng.s = rng_next(&s->rng);
	w->run_at = w->ready_at = NEVER;
	w->port_left = p->port_room;
	w->link = true;
	memcpy(w->mac, config.mac, 6);
	memcpy(w->ip, (uint8_t[]){ 10, (uint8_t)(1 + i), 0, 2 }, 4);
	memcpy(w->gw_ip, (uint8_t[]){ 10, (uint8_t)(1 + i), 0, 1 }, 4);
	memcpy(w->gw_mac, (uint8_t[]){ 0x52, 0x55, 0, 0, 0, (uint8_t)i }, 6);
	w->ram = g_malloc(p->ram);
	w->lm = toe_lmem_new(w->ram, p->ram, &w->counters);
	w->n = toe_nop_new(&w->env, w->lm, &w->counters, &config, &app_ops, w);
	toe_nop_port_set(w->n, p->mtu, NULL, 0, 0);
	toe_nop_param_set(w->n, TOE_PARAM_MTU_PROBING, p->mute);
	toe_nop_addr_add(w->n, TOE_AF_INET, w->ip, 24);
	toe_nop_route_add(w->n, TOE_AF_INET, all, 0, w->gw_ip, 0);
	if (!p->arp)
		toe_nop_neigh_add(w->n, TOE_AF_INET, w->gw_ip, w->gw_mac);
	toe_nop_param_set(w->n, TOE_PARAM_TIME_WAIT_MS, p->time_wait_ms);
	toe_nop_param_set(w->n, TOE_PARAM_SYN_COOKIES, p->cookies);
	toe_nop_param_set(w->n, TOE_PARAM_SYN_BACKLOG, p->syn_backlog);
	/* An application that ends does not wait for its peer's readers. */
	if (!p->harsh)
		toe_nop_param_set(w->n, TOE_PARAM_ORPHAN_MS, 3600000);
	toe_nop_param_set(w->n, TOE_PARAM_ECN, p->ecn[i]);
	toe_nop_param_set(w->n, TOE_PARAM_CONGESTION, p->cc[i]);
	toe_nop_param_set(w->n, TOE_PARAM_PACING, p->pacing[i]);
	toe_nop_param_set(w->n, TOE_PARAM_RCVBUF, p->rcvbuf);
	toe_nop_param_set(w->n, TOE_PARAM_SNDBUF, p->sndbuf);
	toe_nop_param_set(w->n, TOE_PARAM_RCVBUF_MAX, p->tuned);
	toe_nop_param_set(w->n, TOE_PARAM_SNDBUF_MAX, p->tuned);
	if (p->ports)
		toe_nop_param_set(w->n, TOE_PARAM_PORT_HI,
				  16384 + p->ports - 1);
}

static void side_free(struct side *w)
{
	toe_nop_free(w->n);
	toe_lmem_free(w->lm);
	g_free(w->ram);
}

/* ---- The run ---- */

static void check_limits(struct sim *s, uint64_t steps)
{
	unsigned i;

	if (steps < STEPS_MAX && sim_time(s) < s->p.limit)
		return;
	for (i = 0; i < s->p.conns; i++) {
		struct conn *c = &s->conn[i];

		if (unfinished(c))
			sim_fail(s, c, "it does not end (%" PRIu64 " frames)",
				 s->frames);
	}
	sim_fail(s, NULL, "all is over, but something goes on (%" PRIu64
		 " frames)", s->frames);
}

/* Do what comes next.  False: nothing ever does. */
static bool step(struct sim *s)
{
	int64_t net = net_next(s), app = app_next(s), when = MIN(net, app);
	int64_t timer[2];
	unsigned i;

	for (i = 0; i < 2; i++) {
		struct side *w = &s->side[i];

		timer[i] = toe_nop_deadline(w->n);
		when = MIN(when, MIN(timer[i], w->run_at));
		when = MIN(when, w->ready_at);
	}
	if (when == NEVER)
		return false;
	s->now = MAX(s->now, when);
	if (net <= s->now)
		net_step(s);
	if (app <= s->now)
		app_step(s);
	for (i = 0; i < 2; i++) {
		struct side *w = &s->side[i];

		if (w->ready_at <= s->now) {
			w->ready_at = NEVER;
			w->port_left = 1 + (unsigned)rnd(&s->rng,
							 s->p.port_room);
			toe_nop_port_busy(w->n, false);
			side_kick(w);
		}
		if (timer[i] <= s->now) {
			w->in_engine = true;
			toe_nop_timer(w->n);
			w->in_engine = false;
			side_kick(w);
		}
		if (w->run_at <= s->now)
			side_run(w);
	}
	return true;
}

void sim_run(struct sim *s)
{
	uint64_t steps = 0;
	unsigned i;

	s->rng.s = s->seed * 0xd1342543de82ef95ULL + 1;
	s->begin = s->now = SEC + (int64_t)rnd(&s->rng, 1ULL << 55);
	for (i = 0; i < 2; i++)
		side_init(s, i);
	net_init(s);
	app_init(s);
	while (step(s))
		check_limits(s, ++steps);
	if (!app_done(s)) {
		s->p.limit = 0;		/* say who */
		check_limits(s, steps);
	}
	check_end(s);
	if (s->verbose) {
		printf("seed %" PRIu64 ": %.1f s, %" PRIu64 " frames, %" PRIu64
		       " bytes, %" PRIu64 " lost, %" PRIu64 " steps, hash %016"
		       PRIx64 "\n", s->seed, (double)sim_time(s) / SEC,
		       s->frames, s->bytes, s->lost, steps, s->hash);
		sim_describe(s, stdout);
	}
	net_free(s);
	for (i = 0; i < 2; i++)
		side_free(&s->side[i]);
}
