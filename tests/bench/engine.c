/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.c - how fast is the engine by itself?
 *
 *	engine [--quick] [--runs N] [--only NAME] [--json]
 *
 * Two network sides of the adapter in one thread, each frame that one sends
 * given to the other at once: no QEMU, no host side, no wire.  The clock is
 * virtual and moves by a step for each turn, so what is measured is work alone.
 *
 *   engine_b2b_gbps   one connection, bulk data in segments of 1448 bytes:
 *                     copied into buflets, sent, received, taken out of them
 *   scale_100k        a segment of each of 1,000 busy connections in turn,
 *                     among 100,000 idle ones and beside one; the two cases
 *                     take turns, 8 short ones for each run
 *   engine_conn_rate  connect, accept, close by both sides
 *
 * Medians of N runs (5).  The three together need half a gigabyte.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "nop/tcp/tcp.h"

#define MTU		1500
#define BUDGET		(256u << 10)
#define CHUNK		65536u		/* an application's write */
#define SEGMENT		1448u		/* of Ethernet with timestamps */
#define RUNS_MAX	99

struct bench;

struct side {
	struct bench *b;
	struct side *other;
	ToeEnv env;
	ToeCounters counters;
	uint8_t *ram;
	ToeLmem *lm;
	ToeNop *n;
	uint8_t mac[6];
	uint8_t ip[16];
	uint64_t seed;
};

struct bench {
	struct side side[2];
	int64_t now;
	uint64_t got;		/* bytes that the server took */
	uint32_t last;		/* handle: established or incoming */
	uint64_t accepted;
	uint64_t ended;		/* by the server, in order */
	bool close_at_once;	/* connections are opened to be closed */
	uint8_t chunk[CHUNK];
	uint8_t sink[CHUNK];
};

static void die(const char *what)
{
	fprintf(stderr, "engine: %s\n", what);
	exit(1);
}

/* ---- The world of a side ---- */

static bool no_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	(void)opaque, (void)addr, (void)buf, (void)len;
	return false;
}

static bool no_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	(void)opaque, (void)addr, (void)buf, (void)len;
	return false;
}

static void no_irq(void *opaque, unsigned vector)
{
	(void)opaque, (void)vector;
}

static bool send_frame(void *opaque, const uint8_t *frame, size_t len)
{
	struct side *s = opaque;

	toe_nop_frame_in(s->other->n, frame, len);
	return true;
}

static int64_t now(void *opaque)
{
	return ((struct side *)opaque)->b->now;
}

static void set_timer(void *opaque, int64_t deadline)
{
	(void)opaque, (void)deadline;
}

static void kick(void *opaque)
{
	(void)opaque;
}

static void random_bytes(void *opaque, void *buf, size_t len)
{
	struct side *s = opaque;
	uint8_t *p = buf;

	while (len--) {
		s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
		*p++ = (uint8_t)(s->seed >> 56);
	}
}

static void guest_error(void *opaque, const char *sentence)
{
	(void)opaque;
	die(sentence);
}

/* ---- Applications ---- */

static void established(void *opaque, uint32_t handle)
{
	struct side *s = opaque;

	s->b->last = handle;
	if (s->b->close_at_once)
		toe_stream_close(s->n, handle);
}

static void incoming(void *opaque, uint32_t listener, uint32_t handle)
{
	struct side *s = opaque;

	(void)listener;
	toe_stream_accepted(s->n, handle);
	s->b->accepted++;
}

/* What the inbound DMA engine does: a copy, and the buflets are free. */
static void readable(void *opaque, uint32_t handle, bool push)
{
	struct side *s = opaque;
	struct bench *b = s->b;
	uint32_t len = toe_stream_rx(s->n, handle)->len;

	(void)push;
	b->got += len;
	while (len) {
		uint32_t n = MIN(len, CHUNK);

		toe_chain_copy_out(s->lm, toe_stream_rx(s->n, handle), 0,
				   b->sink, n, NULL);
		toe_stream_rx_consumed(s->n, handle, n);
		len -= n;
	}
}

static void writable(void *opaque, uint32_t handle)
{
	(void)opaque, (void)handle;
}

static void peer_closed(void *opaque, uint32_t handle)
{
	struct side *s = opaque;

	if (s->b->close_at_once) {
		toe_stream_close(s->n, handle);
		s->b->ended++;
	}
}

static void closed(void *opaque, uint32_t handle, uint8_t status)
{
	(void)opaque, (void)handle, (void)status;
	die("a connection was closed");
}

static void eth_frame(void *opaque, const uint8_t *frame, size_t len)
{
	(void)opaque, (void)frame, (void)len;
	die("a frame that no side wants");
}

static const ToeStreamOps ops = {
	.established = established, .incoming = incoming,
	.readable = readable, .writable = writable,
	.peer_closed = peer_closed, .closed = closed, .eth_frame = eth_frame,
};

/* ---- Life ---- */

static void need(uint8_t status)
{
	if (status != TOE_ST_OK)
		die("the engine refused a call");
}

static void side_init(struct bench *b, unsigned i, uint32_t conns, size_t ram)
{
	static const uint8_t mac[2][6] = {
		{ 0x52, 0x54, 0, 0, 0, 1 }, { 0x52, 0x54, 0, 0, 0, 2 },
	};
	struct side *s = &b->side[i];
	ToeNopConfig config = { .connections = conns, .mtu_max = MTU };

	s->b = b;
	s->other = &b->side[!i];
	s->seed = i + 1;
	s->env = (ToeEnv) {
		.opaque = s, .dma_read = no_read, .dma_write = no_write,
		.irq = no_irq, .send_frame = send_frame, .now = now,
		.set_timer = set_timer, .kick = kick, .random = random_bytes,
		.guest_error = guest_error,
	};
	memcpy(s->mac, mac[i], 6);
	memcpy(config.mac, mac[i], 6);
	memcpy(s->ip, (uint8_t[]){ 10, 0, 0, (uint8_t)(1 + i) }, 4);
	s->ram = g_malloc0(ram);
	s->lm = toe_lmem_new(s->ram, ram, &s->counters);
	s->n = toe_nop_new(&s->env, s->lm, &s->counters, &config, &ops, s);
	if (!s->n || !s->n->tcp)
		die("out of memory");
}

static struct bench *bench_new(uint32_t conns, size_t ram)
{
	struct bench *b = g_new0(struct bench, 1);
	unsigned i;

	b->now = 1000 * TOE_NS_PER_S;
	side_init(b, 0, conns, ram);
	side_init(b, 1, conns, ram);
	for (i = 0; i < 2; i++) {
		struct side *s = &b->side[i];

		need(toe_nop_port_set(s->n, MTU, NULL, 0, 0));
		need(toe_nop_addr_add(s->n, TOE_AF_INET, s->ip, 24));
		need(toe_nop_param_set(s->n, TOE_PARAM_PORT_LO, 1024));
		need(toe_nop_param_set(s->n, TOE_PARAM_PORT_HI, 65535));
	}
	for (i = 0; i < 2; i++)
		need(toe_nop_neigh_add(b->side[i].n, TOE_AF_INET,
				       b->side[!i].ip, b->side[!i].mac));
	return b;
}

static void bench_free(struct bench *b)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		toe_nop_free(b->side[i].n);
		toe_lmem_free(b->side[i].lm);
		g_free(b->side[i].ram);
	}
	g_free(b);
}

/* A turn of each side; ns pass. */
static void turn(struct bench *b, int64_t ns)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		toe_nop_run(b->side[i].n, BUDGET);
		if (toe_nop_deadline(b->side[i].n) <= b->now)
			toe_nop_timer(b->side[i].n);
	}
	b->now += ns;
}

static void listen_on(struct bench *b, uint16_t port)
{
	ToeTuple t = { .family = TOE_AF_INET, .lport = port };
	uint32_t h;

	need(toe_stream_listen(b->side[1].n, &t, 4096, &h));
}

static uint32_t start_connect(struct bench *b, uint16_t port)
{
	ToeTuple t = { .family = TOE_AF_INET, .rport = port };
	uint32_t h;

	memcpy(t.raddr, b->side[1].ip, 16);
	need(toe_stream_connect(b->side[0].n, &t, &h));
	return h;
}

static uint32_t open_one(struct bench *b, uint16_t port)
{
	uint32_t h = start_connect(b, port);
	unsigned i;

	b->last = 0;
	for (i = 0; i < 10 && b->last != h; i++)
		turn(b, 1000);
	if (b->last != h)
		die("a connection was not established");
	turn(b, 1000);
	return h;
}

static void put(struct bench *b, uint32_t h, uint32_t len)
{
	ToeChain c = toe_chain_init();

	if (!toe_chain_append(b->side[0].lm, &c, b->chunk, len, TOE_LMEM_OUT))
		die("no buflet");
	toe_stream_send(b->side[0].n, h, &c, false);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- The measurements ---- */

/* Nanoseconds for each segment, both sides together. */
static double b2b(uint64_t bytes)
{
	struct bench *b = bench_new(16, 16 << 20);
	uint64_t segments;
	double t;
	uint32_t h;

	listen_on(b, 80);
	h = open_one(b, 80);
	/* Slow start and cold caches are no part of it. */
	for (;;) {
		bool warm = b->got > 8u << 20;

		if (warm)
			break;
		if (toe_stream_send_space(b->side[0].n, h) >= CHUNK)
			put(b, h, CHUNK);
		turn(b, 10000);
	}
	b->got = 0;
	segments = b->side[0].counters.v[TOE_CTR_TCP_SEGS_OUT];
	t = seconds();
	while (b->got < bytes) {
		if (toe_stream_send_space(b->side[0].n, h) >= CHUNK)
			put(b, h, CHUNK);
		turn(b, 10000);
	}
	t = seconds() - t;
	segments = b->side[0].counters.v[TOE_CTR_TCP_SEGS_OUT] - segments;
	if (b->side[0].counters.v[TOE_CTR_TCP_RETRANSMITS])
		die("something was sent twice");
	t = t * 1e9 / (double)segments;
	t *= (double)segments * SEGMENT / (double)b->got;
	bench_free(b);
	return t;
}

/* Busy connections among idle ones. */
struct crowd {
	struct bench *b;
	uint32_t busy;
	uint32_t *handle;
};

#define LISTENERS 8u	/* one address has 64,512 ports for each */

static void crowd_init(struct crowd *w, uint32_t table, uint32_t idle,
		       uint32_t busy)
{
	uint32_t i, made = 0, all = idle + busy;

	w->b = bench_new(table, 512u << 20);
	w->busy = 0;
	w->handle = g_new(uint32_t, busy);
	for (i = 0; i < LISTENERS; i++)
		listen_on(w->b, (uint16_t)(80 + i));
	for (i = 0; i < all; i++) {
		uint32_t h = open_one(w->b, (uint16_t)(80 + i % LISTENERS));

		/* Evenly among the idle ones. */
		if ((uint64_t)(i + 1) * busy / all > made) {
			w->handle[made++] = h;
			w->busy++;
		}
	}
	if (w->busy != busy || w->b->accepted != all)
		die("the crowd is not complete");
	/* What is left of the beginnings: delayed ACKs and so on. */
	w->b->now += TOE_NS_PER_S;
	for (i = 0; i < all; i++)
		turn(w->b, 1000);
}

static void crowd_free(struct crowd *w)
{
	bench_free(w->b);
	g_free(w->handle);
}

/* Nanoseconds for each segment. */
static double crowd_run(struct crowd *w, unsigned rounds)
{
	struct bench *b = w->b;
	uint64_t want = (uint64_t)rounds * w->busy * SEGMENT;
	unsigned r, i;
	double t;

	b->got = 0;
	t = seconds();
	for (r = 0; r < rounds; r++) {
		for (i = 0; i < w->busy; i++) {
			if (toe_stream_send_space(b->side[0].n, w->handle[i]) <
			    SEGMENT)
				die("a busy connection is stuck");
			put(b, w->handle[i], SEGMENT);
			if (i % 16 == 15)
				turn(b, 10000);
		}
		turn(b, 10000);
	}
	for (i = 0; i < 1000 && b->got < want; i++)
		turn(b, TOE_NS_PER_MS);
	t = seconds() - t;
	if (b->got != want)
		die("not all bytes of the crowd arrived");
	return t * 1e9 / ((double)rounds * w->busy);
}

/* Connections in a second. */
static double conn_rate(uint32_t conns)
{
	struct bench *b = bench_new(16384, 16 << 20);
	uint32_t i;
	double t;

	b->close_at_once = true;
	for (i = 0; i < LISTENERS; i++)
		listen_on(b, (uint16_t)(80 + i));
	t = seconds();
	for (i = 0; i < conns; i++) {
		start_connect(b, (uint16_t)(80 + i % LISTENERS));
		if (i % 32 == 31)
			turn(b, 100000);
	}
	for (i = 0; i < 10; i++)
		turn(b, 100000);
	t = seconds() - t;
	if (b->accepted != conns || b->ended != conns)
		die("not all connections were opened and closed");
	bench_free(b);
	return conns / t;
}

/* ---- */

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

static bool json;
static bool first = true;

static void begin_record(const char *name, const char *unit, unsigned runs)
{
	if (json)
		printf("%s{\"name\": \"%s\", \"unit\": \"%s\", \"runs\": %u",
		       first ? "" : ",\n ", name, unit, runs);
	else
		printf("%-18s %-7s runs %u", name, unit, runs);
	first = false;
}

static void field(const char *name, double value)
{
	printf(json ? ", \"%s\": %.4g" : "  %s %.4g", name, value);
}

static void end_record(double value, double want, bool larger)
{
	bool ok = larger ? value >= want : value <= want;

	if (json)
		printf(", \"want\": %g, \"ok\": %s}", want,
		       ok ? "true" : "false");
	else
		printf("  wanted %s %g%s\n", larger ? ">=" : "<=", want,
		       ok ? "" : " !");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quick", no_argument, NULL, 'q' },
		{ "runs", required_argument, NULL, 'r' },
		{ "only", required_argument, NULL, 'o' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	static double v[RUNS_MAX], w[RUNS_MAX], ratio[RUNS_MAX];
	const char *only = NULL;
	unsigned runs = 5, i;
	bool quick = false;
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 'q':
			quick = true;
			break;
		case 'r':
			runs = (unsigned)atoi(optarg);
			break;
		case 'o':
			only = optarg;
			break;
		case 'j':
			json = true;
			break;
		default:
			fprintf(stderr, "usage: engine [--quick] [--runs N] "
				"[--only NAME] [--json]\n");
			return 2;
		}
	}
	if (runs < 1 || runs > RUNS_MAX)
		die("--runs takes 1 to 99");
	if (json)
		printf("[");
	if (!only || !strcmp(only, "engine_b2b_gbps")) {
		for (i = 0; i < runs; i++)
			v[i] = b2b((quick ? 128ull : 1024ull) << 20);
		begin_record("engine_b2b_gbps", "Gbit/s", runs);
		v[0] = median(v, runs);
		field("toe", SEGMENT * 8 / v[0]);
		field("ns_per_segment", v[0]);
		end_record(SEGMENT * 8 / v[0], 10, true);
	}
	if (!only || !strcmp(only, "scale_100k")) {
		uint32_t idle = quick ? 20000 : 100000, busy = 1000;
		unsigned pairs = MIN(runs * 8 + 1, RUNS_MAX);
		struct crowd few, many;

		crowd_init(&few, idle + busy + 64, 1, busy);
		crowd_init(&many, idle + busy + 64, idle, busy);
		crowd_run(&few, 10);
		crowd_run(&many, 10);
		/* Many short turns: what else the machine does hits both. */
		for (i = 0; i < pairs; i++) {
			v[i] = crowd_run(&few, 20);
			w[i] = crowd_run(&many, 20);
			ratio[i] = w[i] / v[i];
		}
		begin_record("scale_100k", "ns/segment", pairs);
		field("toe", median(w, pairs));
		field("one_idle", median(v, pairs));
		field("ratio", median(ratio, pairs));
		field("idle", idle);
		field("bytes_per_idle", sizeof(ToeNcb));
		end_record(median(ratio, pairs), 1.2, false);
		crowd_free(&few);
		crowd_free(&many);
	}
	if (!only || !strcmp(only, "engine_conn_rate")) {
		for (i = 0; i < runs; i++)
			v[i] = conn_rate(quick ? 100000 : 500000);
		begin_record("engine_conn_rate", "1/s", runs);
		field("toe", median(v, runs));
		end_record(median(v, runs), 200000, true);
	}
	if (json)
		printf("]\n");
	return 0;
}
