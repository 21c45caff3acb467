/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.c - what is run, and what comes out of it; see peer.h.
 *
 *	toe-peer matrix [--bytes N] [--seed K]
 *	toe-peer goodput [--runs N] [--seconds N] [--seed K] [--json]
 *	toe-peer fair [--runs N] [--seconds N] [--seed K] [--json]
 *
 * A cell is a loss (each way), a delay (there and back) and reordering or
 * none.
 *
 * matrix: in each cell, in both directions, over IPv4 and IPv6, with each
 * congestion control of the sender, and CUBIC with marks (ecn), a stream arrives
 * whole.
 * All at the same time, each over wires of its own.
 *
 * goodput: for each cell the engine and this kernel send to the same receiver,
 * at the same time, each over wires of its own with the same faults.
 * Bytes received, engine over kernel: the median of all cells, and the least.
 *
 * fair: the two share one wire; with --control, two streams of the kernel do.
 *
 * Exit status 77: no network namespace or tap here.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "peer.h"
#include "nop/tcp/tcp.h"

#define RATE		50000000ull	/* bit/s, of a cell of goodput */
#define FAIR_RATE	100000000ull
#define BUFFERS		(4u << 20)
#define TOGETHER	4u		/* cells at a time */
#define MATRIX_SECONDS	240

static const double losses[] = { 0, 0.001, 0.01, 0.05 };
static const int64_t delays[] = { 0, 20 * MS, 100 * MS };

#define CELLS (G_N_ELEMENTS(losses) * G_N_ELEMENTS(delays) * 2)

struct cell {
	double loss;
	int64_t delay;
	bool reorder;
};

struct options {
	bool json;
	bool verbose;
	bool control;
	uint64_t bytes;
	unsigned runs;
	unsigned seconds;
	uint64_t seed;
	const char *cell;
	const char *cc;
};

static struct cell cell_of(unsigned i)
{
	return (struct cell) {
		.loss = losses[i % G_N_ELEMENTS(losses)],
		.delay = delays[i / G_N_ELEMENTS(losses) %
				G_N_ELEMENTS(delays)],
		.reorder = i >= CELLS / 2,
	};
}

static const char *cell_name(unsigned i)
{
	static char name[64];
	struct cell c = cell_of(i);

	snprintf(name, sizeof(name), "loss %.1f%% delay %3d ms%s",
		 c.loss * 100, (int)(c.delay / MS),
		 c.reorder ? " reordered" : "");
	return name;
}

/* Both ways of a cell. */
static void wires_of(struct wire *w, struct cell c, uint64_t rate,
		     uint64_t seed)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		memset(&w[i], 0, sizeof(w[i]));
		w[i].seed = seed * 2 + i;
		w[i].p = (struct wire_params) {
			.loss = c.loss, .delay = c.delay / 2,
			.reorder = c.reorder ? 0.02 : 0,
			.reorder_by = MS + c.delay / 4,
		};
		if (rate) {
			/* A round trip's worth of queue, at least 20 ms. */
			w[i].p.rate = rate;
			w[i].p.queue = (uint64_t)MAX(c.delay, 20 * MS) *
				       (rate / 8000000) / 1000;
		}
	}
}

/* ---- The matrix ---- */

struct item {
	struct flow flow;
	struct wire wire[2];
	unsigned cell;
};

static bool engine_empty(struct net *n)
{
	return !net_counter(n, TOE_CTR_TCP_NCBS) &&
	       toe_lmem_avail(net_lmem(n), TOE_LMEM_IN) ==
	       toe_lmem_total(net_lmem(n));
}

static void report(const struct item *m)
{
	const struct flow *f = &m->flow;

	printf("not ok: %s, IPv%d, %s sends, %s: %s (%" PRIu64 " of %" PRIu64
	       " bytes; wire: %" PRIu64 " frames, %" PRIu64 " lost, %" PRIu64
	       " dropped, %" PRIu64 " held, %" PRIu64 " marked)\n",
	       cell_name(m->cell), f->family == TOE_AF_INET ? 4 : 6,
	       f->from == ENGINE ? "engine" : "kernel", f->cc,
	       f->wrong ? f->wrong : "it does not end", f->got, f->bytes,
	       m->wire[0].frames, m->wire[0].lost, m->wire[0].dropped,
	       m->wire[0].held, m->wire[0].marked);
}

static int matrix(const struct options *o)
{
	static const char *const ccs[] = { "cubic", "newreno", "dctcp", "ecn" };
	static struct item items[CELLS * 16];
	struct net *n = net_new(BUFFERS);
	unsigned count = 0, bad = 0, i, cell, way, v6, cc;
	uint64_t lost = 0, held = 0, marked = 0, dropped = 0;
	int64_t begin = net_now(), until;

	for (cell = 0; cell < CELLS; cell++)
		for (way = 0; way < 2; way++)
			for (v6 = 0; v6 < 2; v6++)
				for (cc = 0; cc < 4; cc++) {
		struct item *m = &items[count];

		/* This kernel may have no DCTCP: its sender is the engine. */
		if (cc == 2 && way)
			continue;
		m->cell = cell;
		wires_of(m->wire, cell_of(cell), RATE, o->seed * 1000 + count);
		if (cc >= 2)
			m->wire[0].p.mark = m->wire[0].p.queue / 4;
		m->flow = (struct flow) {
			.id = count, .from = way ? KERNEL : ENGINE,
			.to = way ? ENGINE : KERNEL,
			.family = v6 ? TOE_AF_INET6 : TOE_AF_INET,
			.cc = ccs[cc], .bytes = o->bytes,
			.wire = { &m->wire[0], &m->wire[1] },
		};
		count++;
	}
	/* A few at a time: so many at once would only wait for the machine. */
	until = begin + MATRIX_SECONDS * SEC;
	for (i = 0; i < count; i++) {
		net_add(n, &items[i].flow);
		while (net_unfinished(n) > 48 && net_now() < until)
			net_run(n, net_now() + 20 * MS);
	}
	net_run(n, until);
	for (i = 0; i < count; i++) {
		struct item *m = &items[i];

		if (!m->flow.done) {
			report(m);
			bad++;
		}
		lost += m->wire[0].lost + m->wire[1].lost;
		held += m->wire[0].held + m->wire[1].held;
		dropped += m->wire[0].dropped + m->wire[1].dropped;
		marked += m->wire[0].marked;
	}
	/* TIME-WAIT is short here; an engine that keeps something is wrong. */
	for (i = 0; i < 3000 && !bad && !engine_empty(n); i++)
		net_run(n, net_now() + 10 * MS), until = net_now();
	if (!marked) {
		printf("not ok: nothing was marked, ECN was not agreed on\n");
		bad++;
	}
	if (!bad && !engine_empty(n)) {
		printf("not ok: the engine keeps %" PRIu64 " connections, %u of "
		       "%u buflets are free\n",
		       net_counter(n, TOE_CTR_TCP_NCBS),
		       toe_lmem_avail(net_lmem(n), TOE_LMEM_IN),
		       toe_lmem_total(net_lmem(n)));
		bad++;
	}
	printf("%u streams of %" PRIu64 " bytes, %u failed, %.1f s; wires: %"
	       PRIu64 " frames lost, %" PRIu64 " dropped by a queue, %" PRIu64
	       " held up, %" PRIu64 " marked; the engine sent %" PRIu64
	       " segments again, %" PRIu64 " time-outs, agreed on ECN with %"
	       PRIu64 "\n", count, o->bytes,
	       bad, (double)(net_now() - begin) / SEC, lost, dropped, held,
	       marked, net_counter(n, TOE_CTR_TCP_RETRANSMITS),
	       net_counter(n, TOE_CTR_TCP_RTO),
	       net_counter(n, TOE_CTR_TCP_ECN_CONNS));
	for (i = 0; i < count; i++)
		net_remove(n, &items[i].flow);
	net_free(n);
	return bad ? 1 : 0;
}

/* ---- Goodput ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void start(struct net *n, struct item *m, unsigned id, enum end from,
		  const char *cc)
{
	m->flow = (struct flow) {
		.id = id, .from = from, .to = KERNEL, .family = TOE_AF_INET,
		.cc = cc, .wire = { &m->wire[0], &m->wire[1] },
	};
	net_add(n, &m->flow);
}

static void check(const struct flow *f)
{
	if (f->wrong) {
		fprintf(stderr, "toe-peer: a stream of the %s: %s\n",
			f->from == ENGINE ? "engine" : "kernel", f->wrong);
		exit(1);
	}
}

static int goodput(const struct options *o)
{
	static double mbit[CELLS][2][99];
	double medians[CELLS], sorted[CELLS];
	struct net *n = net_new(BUFFERS);
	unsigned r, i, k, id = 0, least = 0, cells[CELLS], ncells = 0;

	for (i = 0; i < CELLS; i++)
		if (!o->cell || strstr(cell_name(i), o->cell))
			cells[ncells++] = i;
	if (!ncells) {
		fprintf(stderr, "toe-peer: there is no such cell\n");
		return 2;
	}
	for (r = 0; r < o->runs; r++) {
		for (i = 0; i < ncells; i += TOGETHER) {
			struct item m[TOGETHER][2];
			unsigned end = MIN(TOGETHER, ncells - i);

			for (k = 0; k < end; k++) {
				uint64_t seed = o->seed * 10000 + r * CELLS +
						cells[i + k];

				wires_of(m[k][0].wire, cell_of(cells[i + k]),
					 RATE, seed);
				wires_of(m[k][1].wire, cell_of(cells[i + k]),
					 RATE, seed);
				start(n, &m[k][0], id++ % FLOWS_MAX, ENGINE,
				      o->cc);
				start(n, &m[k][1], id++ % FLOWS_MAX, KERNEL2,
				      o->cc);
			}
			net_run(n, net_now() + o->seconds * SEC);
			for (k = 0; k < end; k++) {
				double e = (double)m[k][0].flow.got;
				double x = (double)m[k][1].flow.got;
				double unit = 8e-6 / o->seconds;

				check(&m[k][0].flow);
				check(&m[k][1].flow);
				mbit[i + k][0][r] = e * unit;
				mbit[i + k][1][r] = x * unit;
				net_remove(n, &m[k][0].flow);
				net_remove(n, &m[k][1].flow);
			}
			/* What is under way still finds its wires. */
			net_run(n, net_now() + 300 * MS);
		}
	}
	for (i = 0; i < ncells; i++) {
		/* Medians of each: a ratio of two draws of luck says little. */
		double e = median(mbit[i][0], o->runs);
		double x = median(mbit[i][1], o->runs);

		medians[i] = e / MAX(x, 1e-9);
		sorted[i] = medians[i];
		if (medians[i] < medians[least])
			least = i;
		fprintf(o->json ? stderr : stdout, "%-34s engine %7.3f  "
			"kernel %7.3f Mbit/s  ratio %.2f\n",
			cell_name(cells[i]), e, x, medians[i]);
	}
	if (o->json)
		printf("[{\"name\": \"goodput_loss_median\", \"unit\": "
		       "\"engine/kernel\", \"runs\": %u, \"toe\": %.3f, "
		       "\"ratio\": %.3f, \"cells\": %u, \"want\": 0.95, "
		       "\"ok\": %s},\n {\"name\": \"goodput_loss_min\", "
		       "\"unit\": \"engine/kernel\", \"runs\": %u, \"toe\": "
		       "%.3f, \"ratio\": %.3f, \"cell\": \"%s\", \"want\": "
		       "0.8, \"ok\": %s}]\n", o->runs, median(sorted, ncells),
		       median(sorted, ncells), ncells,
		       median(sorted, ncells) >= 0.95 ? "true" : "false",
		       o->runs, medians[least], medians[least],
		       cell_name(cells[least]),
		       medians[least] >= 0.8 ? "true" : "false");
	else
		printf("median %.3f, least %.3f (%s)\n",
		       median(sorted, ncells), medians[least],
		       cell_name(cells[least]));
	net_free(n);
	return 0;
}

/* ---- Fairness ---- */

static int fair(const struct options *o)
{
	static double share[99];
	struct net *n = net_new(BUFFERS);
	double total = 0, middle;
	unsigned r, t;

	for (r = 0; r < o->runs; r++) {
		struct item m[2];
		double e, k;

		wires_of(m[0].wire, (struct cell) { .delay = 20 * MS },
			 FAIR_RATE, o->seed + r);
		start(n, &m[0], 0, o->control ? KERNEL2 : ENGINE, o->cc);
		start(n, &m[1], 1, KERNEL2, o->cc);
		/* One bottleneck for both. */
		m[1].flow.wire[0] = &m[0].wire[0];
		m[1].flow.wire[1] = &m[0].wire[1];
		for (t = 0; t < o->seconds; t += 5) {
			uint64_t was[2] = { m[0].flow.got, m[1].flow.got };

			net_run(n, net_now() + MIN(5, o->seconds - t) * SEC);
			if (o->verbose)
				fprintf(stderr, "%2u s: %.1f %.1f Mbit/s, "
					"%" PRIu64 " dropped\n", t + 5,
					(double)(m[0].flow.got - was[0]) *
					8e-6 / 5,
					(double)(m[1].flow.got - was[1]) *
					8e-6 / 5, m[0].wire[0].dropped);
		}
		check(&m[0].flow);
		check(&m[1].flow);
		e = (double)m[0].flow.got;
		k = (double)m[1].flow.got;
		share[r] = e / MAX(e + k, 1);
		total += (e + k) * 8e-6 / o->seconds / o->runs;
		fprintf(o->json ? stderr : stdout, "engine %.1f kernel %.1f "
			"Mbit/s, share %.3f\n", e * 8e-6 / o->seconds,
			k * 8e-6 / o->seconds, share[r]);
		net_remove(n, &m[0].flow);
		net_remove(n, &m[1].flow);
		net_run(n, net_now() + 300 * MS);
	}
	middle = median(share, o->runs);
	if (o->json)
		printf("[{\"name\": \"fair_share\", \"unit\": \"share\", "
		       "\"runs\": %u, \"toe\": %.3f, \"kernel\": %.3f, "
		       "\"mbit\": %.1f, \"want\": 0.35, \"ok\": %s}]\n",
		       o->runs, middle, 1 - middle, total,
		       middle >= 0.35 && middle <= 0.65 ? "true" : "false");
	else
		printf("share of the engine: %.3f of %.1f Mbit/s\n", middle,
		       total);
	net_free(n);
	return 0;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: toe-peer matrix [--bytes N] [--seed K]\n"
		"       toe-peer goodput [--runs N] [--seconds N] [--seed K] "
		"[--cc NAME] [--cell TEXT] [--json]\n"
		"       toe-peer fair [--runs N] [--seconds N] [--seed K] "
		"[--control] [--verbose] [--json]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "verbose", no_argument, NULL, 'v' },
		{ "control", no_argument, NULL, 'k' },
		{ "json", no_argument, NULL, 'j' },
		{ "bytes", required_argument, NULL, 'b' },
		{ "runs", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 's' },
		{ "cell", required_argument, NULL, 'c' },
		{ "cc", required_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { .bytes = 300000, .seed = 1, .cc = "cubic" };
	const char *what = argc > 1 ? argv[1] : "";
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'v':
			o.verbose = true;
			break;
		case 'k':
			o.control = true;
			break;
		case 'j':
			o.json = true;
			break;
		case 'b':
			o.bytes = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			o.runs = (unsigned)atoi(optarg);
			break;
		case 't':
			o.seconds = (unsigned)atoi(optarg);
			break;
		case 's':
			o.seed = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			o.cell = optarg;
			break;
		case 'a':
			o.cc = optarg;
			break;
		default:
			return usage();
		}
	}
	if (o.runs > 99 || !o.bytes)
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "matrix"))
		return matrix(&o);
	if (!strcmp(what, "goodput")) {
		o.runs = o.runs ? o.runs : 5;
		o.seconds = o.seconds ? o.seconds : 10;
		return goodput(&o);
	}
	if (!strcmp(what, "fair")) {
		o.runs = o.runs ? o.runs : 1;
		o.seconds = o.seconds ? o.seconds : 30;
		return fair(&o);
	}
	return usage();
}
