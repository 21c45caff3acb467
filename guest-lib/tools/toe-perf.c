// SPDX-License-Identifier: MIT
/*
 * toe-perf - measure the adapter, or the kernel's sockets, with one program.
 *
 * The client runs a workload over struct path: a table of functions with two
 * implementations, libtoe and sockets.  So the loops that are measured are the
 * same; what differs is how bytes are moved.  System calls are counted by the
 * library (libtoe) or here, one per call (sockets).
 *
 * A run gives one value: Mbit/s of payload, microseconds of a round trip
 * (median of the run), or connections per second.  The report has the median,
 * minimum and maximum of the runs.
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "common_perf.h"
#include "toe.h"

#define RUNS_MAX	1000
#define CLOCK_EVERY	16u		/* bulk: messages between clock reads */
#define SAMPLES_MAX	(1u << 20)	/* ping-pong: round trips kept */
#define TIMEOUT_MS	30000
#define SEND_DEPTH	8u		/* bulk-tx: messages under way */
/*
 * Large receive buffers: there is one connection at a time, and 1 MiB is more
 * than is under way on it.  They are filled in turn, so more of them would
 * only leave the processor's cache.
 */
#define RECV_BUFFERS	16u

struct perf {
	enum perf_workload workload;
	bool kernel, copy, spin, json, nodelay;
	uint64_t bytes, count, size;
	double seconds;
	unsigned int runs;
	struct endpoint addr;

	const struct path *path;
	uint8_t *buf;			/* size bytes, or PERF_CHUNK */
	size_t buf_size;
	int fd;				/* sockets */
	uint64_t calls;			/* system calls on them */
	struct toe *toe;
	struct toe_conn *conn;
	struct toe_mem *mem;		/* bulk-tx without a copy */
	unsigned int in_flight;

	uint64_t *samples;		/* ns */
	size_t nsamples;
};

/* How bytes are moved.  Each call waits; errors end the program. */
struct path {
	const char *name;
	void (*open)(struct perf *p);
	void (*connect)(struct perf *p);
	void (*send)(struct perf *p, const void *buf, size_t len);
	/* Bulk: len bytes of no interest; may be under way on return. */
	void (*push)(struct perf *p, size_t len);
	void (*shutdown)(struct perf *p);
	/* At least one byte; 0: end. */
	size_t (*recv)(struct perf *p, void *buf, size_t len);
	/* Bulk: whatever is there, at least one byte; 0: end. */
	size_t (*pull)(struct perf *p);
	void (*close)(struct perf *p);
	void (*abort)(struct perf *p);
	uint64_t (*syscalls)(struct perf *p);
	uint64_t (*doorbells)(struct perf *p);
};

/* ---- Kernel sockets ----------------------------------------------------- */

static void k_die(const char *what)
{
	tool_die("%s: %s", what, strerror(errno));
}

static void k_open(struct perf *p)
{
	(void)p;
}

static void k_connect(struct perf *p)
{
	int one = 1;

	p->fd = socket(p->addr.u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC,
		       0);
	p->calls++;
	if (p->fd < 0)
		k_die("socket");
	if (p->nodelay) {
		setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		p->calls++;
	}
	p->calls++;
	if (connect(p->fd, &p->addr.u.sa, p->addr.len))
		k_die("connect");
}

static void k_send(struct perf *p, const void *buf, size_t len)
{
	const uint8_t *from = buf;
	ssize_t n;

	while (len) {
		n = send(p->fd, from, len, MSG_NOSIGNAL);
		p->calls++;
		if (n < 0)
			k_die("send");
		from += n;
		len -= (size_t)n;
	}
}

static void k_push(struct perf *p, size_t len)
{
	k_send(p, p->buf, len);
}

static void k_shutdown(struct perf *p)
{
	p->calls++;
	if (shutdown(p->fd, SHUT_WR))
		k_die("shutdown");
}

static size_t k_recv(struct perf *p, void *buf, size_t len)
{
	ssize_t n = recv(p->fd, buf, len, 0);

	p->calls++;
	if (n < 0)
		k_die("recv");
	return (size_t)n;
}

static size_t k_pull(struct perf *p)
{
	return k_recv(p, p->buf, p->buf_size);
}

static void k_close(struct perf *p)
{
	p->calls++;
	close(p->fd);
}

static void k_abort(struct perf *p)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(p->fd);
	p->calls += 2;
}

static uint64_t k_syscalls(struct perf *p)
{
	return p->calls;
}

static uint64_t k_doorbells(struct perf *p)
{
	(void)p;
	return 0;
}

static const struct path kernel_path = {
	"kernel", k_open, k_connect, k_send, k_push, k_shutdown, k_recv,
	k_pull, k_close, k_abort, k_syscalls, k_doorbells,
};

/* ---- libtoe ------------------------------------------------------------- */

static void t_check(int err, const char *what)
{
	if (err < 0)
		tool_die("%s: %s", what, toe_strerror(err));
}

static void t_open(struct perf *p)
{
	struct toe_config config = {
		.flags = p->spin ? TOE_CFG_SPIN : 0,
		.large_count = RECV_BUFFERS,
	};

	t_check(toe_open(&p->toe, &config), "cannot open the adapter");
	if (p->workload == PERF_BULK_TX && !p->copy)
		t_check(toe_mem_alloc(p->toe, p->buf_size, TOE_MEM_F_SEND,
				      &p->mem), "memory for sending");
}

static void t_connect(struct perf *p)
{
	struct toe_conn_opts opts = {
		.flags = p->nodelay ? TOE_CONN_NODELAY : 0,
	};

	t_check(toe_connect_wait(p->toe, &p->addr.u.sa, p->addr.len, &opts,
				 TIMEOUT_MS, &p->conn),
		"connect");
}

static void t_send(struct perf *p, const void *buf, size_t len)
{
	ssize_t n = toe_send_all(p->conn, buf, len, TIMEOUT_MS);

	t_check((int)(n < 0 ? n : 0), "send");
	if ((size_t)n != len)
		tool_die("send: the connection ended early");
}

/* Wait for something, take events, count finished sends. */
static void t_events(struct perf *p)
{
	struct toe_event ev[16];
	int i, n = toe_wait(p->toe, TIMEOUT_MS);

	if (n == -EINTR)
		return;
	t_check(n ? n : -ETIMEDOUT, "waiting");
	n = toe_poll(p->toe, ev, 16);
	for (i = 0; i < n; i++) {
		if (ev[i].events & TOE_SENT) {
			t_check(ev[i].status, "send");
			p->in_flight--;
		}
		if (ev[i].events & TOE_DEAD)
			t_check(ev[i].status, "the adapter");
	}
}

static void t_push(struct perf *p, size_t len)
{
	int err;

	if (!p->mem) {
		t_send(p, p->buf, len);
		return;
	}
	while (p->in_flight >= SEND_DEPTH)
		t_events(p);
	while ((err = toe_send_mem(p->conn, p->mem, 0, len, 0, 0)) == -EAGAIN)
		t_events(p);
	t_check(err, "send");
	p->in_flight++;
}

static void t_shutdown(struct perf *p)
{
	while (p->in_flight)
		t_events(p);
	t_check(toe_shutdown(p->conn), "shutdown");
}

static size_t t_recv(struct perf *p, void *buf, size_t len)
{
	ssize_t n = toe_recv_wait(p->conn, buf, len, TIMEOUT_MS);

	t_check((int)(n < 0 ? n : 0), "receive");
	return (size_t)n;
}

static size_t t_pull(struct perf *p)
{
	struct toe_lend lend;
	int n;

	if (p->copy)
		return t_recv(p, p->buf, p->buf_size);
	while ((n = toe_recv_lend(p->conn, &lend)) == -EAGAIN)
		t_events(p);
	t_check(n, "receive");
	if (!n)
		return 0;
	toe_recv_return(p->toe, &lend);
	return lend.length;
}

static void t_close(struct perf *p)
{
	toe_close_conn(p->conn);
}

static void t_abort(struct perf *p)
{
	toe_abort(p->conn);
}

static uint64_t t_syscalls(struct perf *p)
{
	struct toe_stats s;

	toe_stats(p->toe, &s, sizeof(s));
	return s.syscalls;
}

static uint64_t t_doorbells(struct perf *p)
{
	struct toe_stats s;

	toe_stats(p->toe, &s, sizeof(s));
	return s.doorbells;
}

static const struct path toe_path = {
	"toe", t_open, t_connect, t_send, t_push, t_shutdown, t_recv,
	t_pull, t_close, t_abort, t_syscalls, t_doorbells,
};

/* ---- Workloads ---------------------------------------------------------- */

struct result {
	double value, p50_us, p99_us, seconds;
	uint64_t bytes, operations, syscalls, doorbells;
};

static bool time_over(const struct perf *p, uint64_t start)
{
	return p->seconds > 0 &&
	       (double)ticks_ns(ticks() - start) >= p->seconds * 1e9;
}

static void send_header(struct perf *p, size_t more)
{
	struct perf_header h = {
		.workload = p->workload, .size = (uint32_t)p->size,
		.bytes = p->seconds > 0 ? 0 : p->bytes,
	};

	perf_header_put(p->buf, &h);
	p->path->send(p, p->buf, PERF_HEADER + more);
}

static void bulk_tx(struct perf *p, struct result *r, uint64_t start)
{
	uint8_t answer[8] = { 0 };
	uint64_t got = 0, n = 0;
	size_t part, have = 0;
	unsigned int i;

	send_header(p, 0);
	while (p->seconds > 0 || r->bytes < p->bytes) {
		if (p->seconds > 0 && n++ % CLOCK_EVERY == 0 &&
		    time_over(p, start))
			break;
		part = p->size;
		if (!(p->seconds > 0) && p->bytes - r->bytes < part)
			part = (size_t)(p->bytes - r->bytes);
		p->path->push(p, part);
		r->bytes += part;
	}
	p->path->shutdown(p);
	while (have < sizeof(answer)) {
		part = p->path->recv(p, answer + have, sizeof(answer) - have);
		if (!part)
			tool_die("the server went away before its answer");
		have += part;
	}
	for (i = 0; i < sizeof(answer); i++)
		got = got << 8 | answer[i];
	if (got != r->bytes)
		tool_die("sent %llu bytes, but the server got %llu",
			 (unsigned long long)r->bytes, (unsigned long long)got);
	p->path->close(p);
}

static void bulk_rx(struct perf *p, struct result *r, uint64_t start)
{
	uint64_t n = 0;
	size_t part;

	send_header(p, 0);
	while ((part = p->path->pull(p))) {
		r->bytes += part;
		if (p->seconds > 0 && n++ % CLOCK_EVERY == 0 &&
		    time_over(p, start)) {
			p->path->abort(p);
			return;
		}
	}
	if (p->seconds > 0 || r->bytes != p->bytes)
		tool_die("the server ended after %llu bytes",
			 (unsigned long long)r->bytes);
	p->path->close(p);
}

static void recv_message(struct perf *p, size_t len)
{
	size_t n, have = 0;

	while (have < len) {
		n = p->path->recv(p, p->buf + have, len - have);
		if (!n)
			tool_die("the server closed the connection early");
		have += n;
	}
}

static void sample(struct perf *p, uint64_t difference)
{
	if (p->nsamples < SAMPLES_MAX)
		p->samples[p->nsamples++] = ticks_ns(difference);
}

static void ping_pong(struct perf *p, struct result *r, uint64_t start)
{
	uint64_t t0, t1 = start;

	send_header(p, 0);
	while (p->seconds > 0 ? !time_over(p, start)
			      : r->operations < p->count) {
		t0 = ticks();
		p->path->send(p, p->buf, p->size);
		recv_message(p, p->size);
		t1 = ticks();
		sample(p, t1 - t0);
		r->operations++;
		r->bytes += 2 * p->size;
	}
	p->path->close(p);
}

static void conn_rate(struct perf *p, struct result *r, uint64_t start)
{
	uint64_t t0 = start, t1;

	while (p->seconds > 0 ? !time_over(p, start)
			      : r->operations < p->count) {
		if (r->operations)	/* the first was opened outside */
			p->path->connect(p);
		send_header(p, p->size - PERF_HEADER);
		recv_message(p, p->size);
		p->path->close(p);
		t1 = ticks();
		sample(p, t1 - t0);
		t0 = t1;
		r->operations++;
		r->bytes += 2 * p->size;
	}
	if (!r->operations)
		p->path->close(p);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static double percentile(struct perf *p, unsigned int percent)
{
	if (!p->nsamples)
		return 0;
	return (double)p->samples[(p->nsamples - 1) * percent / 100] / 1000;
}

/*
 * A nop that nothing else contains, at the beginning and the end of what is
 * measured: tests/bench/insn-plugin.c counts the guest's instructions between.
 */
static void mark(void)
{
#ifdef __x86_64__
	__asm__ volatile("nopl 0x544f4521(%%rax)" ::: "memory");
#endif
}

static struct result run(struct perf *p)
{
	struct result r = { 0 };
	uint64_t calls, bells, start;

	p->nsamples = 0;
	calls = p->path->syscalls(p);
	bells = p->path->doorbells(p);
	if (p->workload != PERF_CONN_RATE)
		p->path->connect(p);
	mark();
	start = ticks();
	if (p->workload == PERF_CONN_RATE)
		p->path->connect(p);
	switch (p->workload) {
	case PERF_BULK_TX:
		bulk_tx(p, &r, start);
		break;
	case PERF_BULK_RX:
		bulk_rx(p, &r, start);
		break;
	case PERF_PING_PONG:
		ping_pong(p, &r, start);
		break;
	case PERF_CONN_RATE:
		conn_rate(p, &r, start);
		break;
	}
	r.seconds = (double)ticks_ns(ticks() - start) / 1e9;
	mark();
	r.syscalls = p->path->syscalls(p) - calls;
	r.doorbells = p->path->doorbells(p) - bells;
	qsort(p->samples, p->nsamples, sizeof(*p->samples), by_value);
	r.p50_us = percentile(p, 50);
	r.p99_us = percentile(p, 99);
	if (p->workload == PERF_PING_PONG)
		r.value = r.p50_us;
	else if (p->workload == PERF_CONN_RATE)
		r.value = (double)r.operations / r.seconds;
	else
		r.value = (double)r.bytes * 8 / r.seconds / 1e6;
	return r;
}

/* ---- Report ------------------------------------------------------------- */

static const char *const workload_names[] = {
	[PERF_BULK_TX] = "bulk-tx",
	[PERF_BULK_RX] = "bulk-rx",
	[PERF_PING_PONG] = "ping-pong",
	[PERF_CONN_RATE] = "conn-rate",
};

static const char *const units[] = {
	[PERF_BULK_TX] = "Mbit/s",
	[PERF_BULK_RX] = "Mbit/s",
	[PERF_PING_PONG] = "us",
	[PERF_CONN_RATE] = "1/s",
};

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), by_double);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void report(const struct perf *p, const struct result *r)
{
	double value[RUNS_MAX], p50[RUNS_MAX], p99[RUNS_MAX];
	struct result sum = { 0 };
	double mid, mid50, mid99, mib;
	unsigned int i;

	for (i = 0; i < p->runs; i++) {
		value[i] = r[i].value;
		p50[i] = r[i].p50_us;
		p99[i] = r[i].p99_us;
		sum.bytes += r[i].bytes;
		sum.operations += r[i].operations;
		sum.syscalls += r[i].syscalls;
		sum.doorbells += r[i].doorbells;
		sum.seconds += r[i].seconds;
	}
	mid = median(value, p->runs);
	mid50 = median(p50, p->runs);
	mid99 = median(p99, p->runs);
	mib = (double)sum.bytes / (1 << 20);
	if (!p->json) {
		printf("%s over %s: %.1f %s (min %.1f, max %.1f, %u runs)",
		       workload_names[p->workload], p->path->name, mid,
		       units[p->workload], value[0], value[p->runs - 1],
		       p->runs);
		if (mid50 > 0)
			printf(", p50 %.1f us, p99 %.1f us", mid50, mid99);
		printf(", %.2f system calls and %.2f doorbells per MiB\n",
		       (double)sum.syscalls / mib, (double)sum.doorbells / mib);
		return;
	}
	printf("{\"workload\": \"%s\", \"path\": \"%s\", \"unit\": \"%s\", "
	       "\"size\": %llu, \"runs\": %u, \"median\": %.3f, \"min\": %.3f, "
	       "\"max\": %.3f, \"p50_us\": %.3f, \"p99_us\": %.3f, "
	       "\"bytes\": %llu, \"operations\": %llu, \"seconds\": %.6f, "
	       "\"syscalls\": %llu, \"syscalls_per_mib\": %.4f, "
	       "\"doorbells\": %llu, \"values\": [",
	       workload_names[p->workload], p->path->name, units[p->workload],
	       (unsigned long long)p->size, p->runs, mid, value[0],
	       value[p->runs - 1], mid50, mid99, (unsigned long long)sum.bytes,
	       (unsigned long long)sum.operations, sum.seconds,
	       (unsigned long long)sum.syscalls, (double)sum.syscalls / mib,
	       (unsigned long long)sum.doorbells);
	for (i = 0; i < p->runs; i++)
		printf("%s%.3f", i ? ", " : "", r[i].value);
	printf("]}\n");
}

/* ---- Arguments ---------------------------------------------------------- */

static void usage(FILE *f)
{
	fputs("usage: toe-perf --server [--native-server] [OPTION]...\n"
	      "       toe-perf [--kernel] -w WORKLOAD [OPTION]... HOST\n"
	      "Measure TCP over the TOE adapter, or over kernel sockets.\n"
	      "Server:\n"
	      "      --server          serve over kernel sockets\n"
	      "      --native-server   serve over the adapter\n"
	      "      --bind ADDRESS    listen on it only\n"
	      "Client:\n"
	      "  -w, --workload NAME   bulk-tx, bulk-rx, ping-pong, conn-rate\n"
	      "  -k, --kernel          kernel sockets instead of the adapter\n"
	      "  -b, --bytes N         bulk: bytes of a run (256M)\n"
	      "  -n, --count N         round trips, connections of a run (1000)\n"
	      "  -t, --seconds S       run that long instead\n"
	      "  -s, --size N          message (bulk 256k, else 64)\n"
	      "  -r, --runs N          runs (5)\n"
	      "      --copy            bulk: copying calls of libtoe\n"
	      "      --nagle           leave Nagle's algorithm on\n"
	      "      --json            report as a JSON object\n"
	      "Both:\n"
	      "  -p, --port PORT       (5201)\n"
	      "      --spin            never sleep while waiting (adapter)\n"
	      "  -h, --help\n", f);
}

struct args {
	struct perf *p;
	bool server, native;
	const char *bind, *port;
};

static enum perf_workload workload_of(const char *name)
{
	unsigned int i;

	for (i = PERF_BULK_TX; i <= PERF_CONN_RATE; i++)
		if (!strcmp(name, workload_names[i]))
			return (enum perf_workload)i;
	tool_die("unknown workload '%s': bulk-tx, bulk-rx, ping-pong or "
		 "conn-rate", name);
}

static void options(struct args *a, int argc, char **argv)
{
	enum { SERVER = 256, NATIVE, BIND, COPY, NAGLE, JSON, SPIN };
	static const struct option longs[] = {
		{ "server", no_argument, NULL, SERVER },
		{ "native-server", no_argument, NULL, NATIVE },
		{ "bind", required_argument, NULL, BIND },
		{ "workload", required_argument, NULL, 'w' },
		{ "kernel", no_argument, NULL, 'k' },
		{ "bytes", required_argument, NULL, 'b' },
		{ "count", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 't' },
		{ "size", required_argument, NULL, 's' },
		{ "runs", required_argument, NULL, 'r' },
		{ "copy", no_argument, NULL, COPY },
		{ "nagle", no_argument, NULL, NAGLE },
		{ "json", no_argument, NULL, JSON },
		{ "port", required_argument, NULL, 'p' },
		{ "spin", no_argument, NULL, SPIN },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct perf *p = a->p;
	char *end;
	int o;

	while ((o = getopt_long(argc, argv, "w:kb:n:t:s:r:p:h", longs, NULL))
	       != -1) {
		switch (o) {
		case SERVER:
			a->server = true;
			break;
		case NATIVE:
			a->server = a->native = true;
			break;
		case BIND:
			a->bind = optarg;
			break;
		case 'w':
			p->workload = workload_of(optarg);
			break;
		case 'k':
			p->kernel = true;
			break;
		case 'b':
			p->bytes = parse_size(optarg, "--bytes");
			break;
		case 'n':
			p->count = parse_size(optarg, "--count");
			break;
		case 't':
			p->seconds = strtod(optarg, &end);
			if (end == optarg || *end || !(p->seconds > 0))
				tool_die("--seconds: '%s' is not a time",
					 optarg);
			break;
		case 's':
			p->size = parse_size(optarg, "--size");
			break;
		case 'r':
			p->runs = (unsigned int)parse_size(optarg, "--runs");
			if (!p->runs || p->runs > RUNS_MAX)
				tool_die("--runs: 1 to %u", RUNS_MAX);
			break;
		case COPY:
			p->copy = true;
			break;
		case NAGLE:
			p->nodelay = false;
			break;
		case JSON:
			p->json = true;
			break;
		case 'p':
			a->port = optarg;
			break;
		case SPIN:
			p->spin = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(1);
		}
	}
	if (argc - optind != !a->server || (!a->server && !p->workload)) {
		usage(stderr);
		exit(1);
	}
}

static void check_size(struct perf *p)
{
	bool bulk = p->workload <= PERF_BULK_RX;
	uint64_t least = p->workload == PERF_CONN_RATE ? PERF_HEADER : 1;
	uint64_t most = p->workload == PERF_CONN_RATE ? PERF_CHUNK
						      : PERF_SIZE_MAX;

	if (!p->size)
		p->size = bulk ? 256 << 10 : 64;
	if (p->size < least || p->size > most)
		tool_die("--size: %llu to %llu with this workload",
			 (unsigned long long)least, (unsigned long long)most);
	if (!p->bytes || !p->count)
		tool_die("--bytes and --count must not be 0");
}

int main(int argc, char **argv)
{
	struct perf p = {
		.bytes = 256 << 20, .count = 1000, .runs = 5, .nodelay = true,
	};
	struct args a = { .p = &p, .port = PERF_PORT };
	static struct result results[RUNS_MAX];
	unsigned int i;
	int err;

	tool_name = "toe-perf";
	options(&a, argc, argv);
	if (a.server) {
		err = a.native ? perf_serve_native(a.bind, a.port, p.spin)
			       : perf_serve_kernel(a.bind, a.port);
		tool_die("server, port %s: %s", a.port,
			 a.native ? toe_strerror(err) : strerror(-err));
	}
	check_size(&p);
	p.addr = resolve(argv[optind], a.port);
	p.buf_size = p.size > PERF_HEADER ? p.size : PERF_HEADER;
	p.buf = calloc(1, p.buf_size);
	p.samples = malloc(SAMPLES_MAX * sizeof(*p.samples));
	if (!p.buf || !p.samples)
		tool_die("out of memory");
	p.path = p.kernel ? &kernel_path : &toe_path;
	p.path->open(&p);
	ticks_calibrate();
	for (i = 0; i < p.runs; i++)
		results[i] = run(&p);
	report(&p, results);
	toe_mem_free(p.mem);
	toe_close(p.toe);
	free(p.samples);
	free(p.buf);
	return 0;
}
