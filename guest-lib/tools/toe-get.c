// SPDX-License-Identifier: MIT
/*
 * toe-get - fetch a file by HTTP through the TOE adapter.
 *
 * The order of things in main() is the point of this program.  First comes all
 * that needs the kernel: resolve the name, open the context, open the output,
 * get memory.  Then, with --seccomp, the process puts itself under seccomp's
 * strict mode, in which the kernel kills it on any call but read, write, exit
 * and sigreturn.  Only after that it connects, sends the request, receives the
 * answer and closes, all in its own memory and with a doorbell.  When the
 * transfer is over and measured, the output is written with write(2), which
 * strict mode allows, the report with another, and the last call is exit.
 *
 * In strict mode the body goes to memory that was asked for before; the clock
 * is the coarse one, which is a read of a page that the kernel shares (the
 * time-stamp counter is switched off by strict mode).  Without --seccomp the
 * body is written as it comes, straight from the adapter's buffers.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common.h"
#include "common_http.h"
#include "toe.h"

#define DEFAULT_MAX_SIZE	(1ull << 30)
#define PROGRESS_NS		200000000
#define PROGRESS_EVERY		64	/* buffers between looks at the clock */

enum {
	EXIT_OK,
	EXIT_LOCAL,			/* arguments, device, output */
	EXIT_NET,			/* connection */
	EXIT_HTTP,			/* the server's answer */
};

struct get {
	struct url url;
	const char *output;
	bool seccomp, sha, json, quiet, spin, progress;
	uint64_t max_size;
	int timeout;

	int fd;
	uint8_t *memory;		/* with seccomp: the body */
	uint64_t writes;		/* calls to write the output */
	int write_error;
	struct sha256 digest;
	struct http http;
	struct toe *toe;
	struct toe_stats before, after;
	int64_t start, end, shown;
	const char *error;		/* NULL: all went well */
	int error_code;			/* -errno that explains it, or 0 */
	int exit_status;
};

static struct get get;			/* static: nothing is allocated later */

static void fail(struct get *g, int status, const char *what, int code)
{
	if (g->error)
		return;
	g->error = what;
	g->error_code = code;
	g->exit_status = status;
}

static int64_t now(const struct get *g)
{
	return g->seccomp ? clock_coarse_ns() : clock_ns();
}

/* ---- The body ----------------------------------------------------------- */

static bool body(void *opaque, const uint8_t *data, size_t len)
{
	struct get *g = opaque;

	if (g->http.status >= 300)
		return true;		/* the server's sentence, not the file */
	if (g->seccomp) {
		if (len > g->max_size - g->http.body) {
			fail(g, EXIT_LOCAL, "the file is larger than "
			     "--max-size", 0);
			return false;
		}
		memcpy(g->memory + g->http.body, data, len);
		return true;
	}
	if (g->sha)
		sha256_add(&g->digest, data, len);
	if (!write_all(g->fd, data, len, &g->writes)) {
		fail(g, EXIT_LOCAL, "cannot write the output", -errno);
		return false;
	}
	return true;
}

static void show_progress(struct get *g)
{
	struct text t = { .len = 0 };
	int64_t t1 = clock_ns();

	if (t1 - g->shown < PROGRESS_NS)
		return;
	g->shown = t1;
	text_str(&t, "\r");
	text_fixed(&t, g->http.body * 10 / (1 << 20), 1);
	text_str(&t, " MiB");
	if (g->http.has_length && g->http.length) {
		text_str(&t, ", ");
		text_u64(&t, g->http.body * 100 / g->http.length);
		text_str(&t, "%");
	}
	text_str(&t, "   ");
	text_write(&t, STDERR_FILENO);
}

/* ---- The transfer: the data path ---------------------------------------- */

static void receive(struct get *g, struct toe_conn *conn)
{
	unsigned int buffers = 0;
	struct toe_lend lend;
	bool ok = true;
	int n;

	while (ok && g->http.state != HTTP_DONE) {
		n = toe_recv_lend(conn, &lend);
		if (n == -EAGAIN) {
			n = toe_wait(g->toe, g->timeout);
			if (n == 1) {
				struct toe_event ev[8];

				toe_poll(g->toe, ev, 8);
				continue;
			}
			if (n == -EINTR)
				continue;
			fail(g, EXIT_NET, "receiving", n ? n : -ETIMEDOUT);
			return;
		}
		if (n < 0) {
			fail(g, EXIT_NET, "receiving", n);
			return;
		}
		if (n == 0)
			break;
		ok = http_feed(&g->http, lend.data, lend.length);
		toe_recv_return(g->toe, &lend);
		if (g->progress && ++buffers % PROGRESS_EVERY == 0)
			show_progress(g);
	}
	if ((!ok || !http_end(&g->http)) && !g->error)
		fail(g, EXIT_HTTP, g->http.error, 0);
	if (!g->error && (g->http.status < 200 || g->http.status > 299))
		fail(g, EXIT_HTTP, "the server did not give the file", 0);
}

static void transfer(struct get *g, const struct endpoint *addr,
		     const char *request, size_t len)
{
	struct toe_conn *conn;
	ssize_t n;
	int err;

	toe_stats(g->toe, &g->before, sizeof(g->before));
	g->start = g->shown = now(g);
	err = toe_connect_wait(g->toe, &addr->u.sa, addr->len, NULL,
			       g->timeout, &conn);
	if (err) {
		fail(g, EXIT_NET, "connecting", err);
	} else {
		n = toe_send_all(conn, request, len, g->timeout);
		if (n != (ssize_t)len)
			fail(g, EXIT_NET, "sending the request",
			     n < 0 ? (int)n : -ETIMEDOUT);
		else
			receive(g, conn);
		toe_close_conn(conn);
	}
	g->end = now(g);
	toe_stats(g->toe, &g->after, sizeof(g->after));
}

/* ---- The report --------------------------------------------------------- */

static void report_error(struct get *g)
{
	struct text t = { .len = 0 };

	text_str(&t, g->progress ? "\ntoe-get: " : "toe-get: ");
	text_str(&t, g->error);
	if (g->http.status && g->exit_status == EXIT_HTTP) {
		text_str(&t, " (HTTP status ");
		text_u64(&t, (uint64_t)g->http.status);
		text_str(&t, ")");
	}
	if (g->error_code) {
		text_str(&t, ": ");
		text_str(&t, toe_strerror(g->error_code));
	}
	text_str(&t, "\n");
	text_write(&t, STDERR_FILENO);
}

struct figure {
	const char *json, *text;
	uint64_t value;
	unsigned int digits;
};

static void report(struct get *g, const uint8_t digest[32])
{
	struct text t = { .len = 0 };
	uint64_t us = (uint64_t)(g->end - g->start) / 1000;
#define DIFF(f) (g->after.f - g->before.f)
	const struct figure figures[] = {
		{ "bytes", " bytes in ", g->http.body, 0 },
		{ "seconds", " s, ", us, 6 },
		{ "mbit_per_s", " Mbit/s; doorbells ",
		  us ? g->http.body * 80 / us : 0, 1 },
		{ "doorbells", ", requests ", DIFF(doorbells), 0 },
		{ "requests", ", completions ", DIFF(requests), 0 },
		{ "completions", "; system calls on the data path: ",
		  DIFF(completions), 0 },
		{ "syscalls", NULL, DIFF(syscalls) +
		  (g->seccomp ? 0 : g->writes), 0 },
		/* from here on in JSON only */
		{ "sleeps", NULL, DIFF(sleeps), 0 },
		{ "doorbells_rq", NULL, DIFF(doorbells_rq), 0 },
		{ "doorbells_arm", NULL, DIFF(doorbells_arm), 0 },
		{ "doorbells_bq", NULL, DIFF(doorbells_bq), 0 },
		{ "doorbells_cq", NULL, DIFF(doorbells_cq), 0 },
		{ "doorbells_saved", NULL, DIFF(doorbells_saved), 0 },
		{ "buffers", NULL, DIFF(buffers), 0 },
		{ "credits", NULL, DIFF(credits), 0 },
	};
#undef DIFF
	size_t i;

	text_str(&t, g->json ? "{\"seccomp\": " : g->progress ?
		 "\rtoe-get: " : "toe-get: ");
	if (g->json)
		text_str(&t, g->seccomp ? "true" : "false");
	for (i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		if (g->json) {
			text_str(&t, ", \"");
			text_str(&t, figures[i].json);
			text_str(&t, "\": ");
		}
		text_fixed(&t, figures[i].value, figures[i].digits);
		if (!g->json && !figures[i].text)
			break;
		if (!g->json)
			text_str(&t, figures[i].text);
	}
	if (!g->json && g->seccomp)
		text_str(&t, " (seccomp strict)");
	else if (!g->json)
		text_str(&t, " (library, and write of the output)");
	if (g->sha) {
		text_str(&t, g->json ? ", \"sha256\": \"" : "\nsha256 ");
		text_hex(&t, digest, 32);
		text_str(&t, g->json ? "\"" : "");
	}
	text_str(&t, g->json ? "}\n" : "\n");
	text_write(&t, STDERR_FILENO);
}

/* After the transfer; in strict mode only write() is left. */
static int finish(struct get *g)
{
	uint8_t digest[32] = { 0 };

	if (!g->error && g->seccomp) {
		if (g->sha)
			sha256_add(&g->digest, g->memory, g->http.body);
		if (!write_all(g->fd, g->memory, g->http.body, &g->writes))
			fail(g, EXIT_LOCAL, "cannot write the output", -errno);
	}
	if (g->sha)
		sha256_end(&g->digest, digest);
	if (g->error)
		report_error(g);
	else if (!g->quiet)
		report(g, digest);
	return g->exit_status;
}

/* ---- Before the transfer ------------------------------------------------ */

static void usage(FILE *f)
{
	fputs("usage: toe-get [OPTION]... http://HOST[:PORT]/PATH\n"
	      "Fetch a file by HTTP through the TOE adapter.\n"
	      "  -o, --output FILE   where to (default: standard output)\n"
	      "  -s, --seccomp       transfer under seccomp's strict mode\n"
	      "      --sha256        report the SHA-256 of the file\n"
	      "      --max-size N    memory for the file with --seccomp (1G)\n"
	      "      --timeout MS    longest wait for the peer (30000)\n"
	      "      --spin          never sleep while waiting\n"
	      "      --json          report as a JSON object\n"
	      "  -p, --progress      show progress (not with --seccomp)\n"
	      "  -q, --quiet         no report\n"
	      "  -h, --help\n"
	      "The report goes to standard error.  Exit status: 0, 1 (arguments,\n"
	      "device, output), 2 (connection), 3 (the server's answer).\n", f);
}

static void options(struct get *g, int argc, char **argv)
{
	enum { SHA = 256, MAX_SIZE, TIMEOUT, SPIN, JSON };
	static const struct option longs[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "seccomp", no_argument, NULL, 's' },
		{ "sha256", no_argument, NULL, SHA },
		{ "max-size", required_argument, NULL, MAX_SIZE },
		{ "timeout", required_argument, NULL, TIMEOUT },
		{ "spin", no_argument, NULL, SPIN },
		{ "json", no_argument, NULL, JSON },
		{ "progress", no_argument, NULL, 'p' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *wrong;
	int o;

	g->max_size = DEFAULT_MAX_SIZE;
	g->timeout = 30000;
	while ((o = getopt_long(argc, argv, "o:spqh", longs, NULL)) != -1) {
		switch (o) {
		case 'o':
			g->output = optarg;
			break;
		case 's':
			g->seccomp = true;
			break;
		case SHA:
			g->sha = true;
			break;
		case MAX_SIZE:
			g->max_size = parse_size(optarg, "--max-size");
			break;
		case TIMEOUT:
			g->timeout = (int)parse_size(optarg, "--timeout");
			break;
		case SPIN:
			g->spin = true;
			break;
		case JSON:
			g->json = true;
			break;
		case 'p':
			g->progress = true;
			break;
		case 'q':
			g->quiet = true;
			break;
		case 'h':
			usage(stdout);
			exit(EXIT_OK);
		default:
			usage(stderr);
			exit(EXIT_LOCAL);
		}
	}
	if (optind + 1 != argc) {
		usage(stderr);
		exit(EXIT_LOCAL);
	}
	wrong = url_parse(&g->url, argv[optind]);
	if (wrong)
		tool_die("%s: %s", argv[optind], wrong);
	if (g->seccomp)
		g->progress = false;
	if (!g->max_size)
		tool_die("--max-size must not be 0");
}

static void open_output(struct get *g)
{
	g->fd = STDOUT_FILENO;
	if (g->output && strcmp(g->output, "-")) {
		g->fd = open(g->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			     0666);
		if (g->fd < 0)
			tool_die("%s: %s", g->output, strerror(errno));
	}
	if (!g->seccomp)
		return;
	g->memory = mmap(NULL, g->max_size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (g->memory == MAP_FAILED)
		tool_die("no memory for --max-size %llu: %s",
			 (unsigned long long)g->max_size, strerror(errno));
	/* Page faults are no system calls; large pages make them few. */
	madvise(g->memory, g->max_size, MADV_HUGEPAGE);
}

int main(int argc, char **argv)
{
	struct toe_config config = { 0 };
	static char request[4096];
	struct endpoint addr;
	bool v6;
	int err, len, status;

	tool_name = "toe-get";
	options(&get, argc, argv);
	addr = resolve(get.url.host, get.url.port);
	if (get.seccomp || get.spin)
		config.flags = TOE_CFG_SPIN;
	err = toe_open(&get.toe, &config);
	if (err)
		tool_die("cannot open the adapter: %s", toe_strerror(err));
	open_output(&get);
	v6 = strchr(get.url.host, ':');
	len = snprintf(request, sizeof(request),
		       "GET %s HTTP/1.1\r\nHost: %s%s%s:%s\r\n"
		       "User-Agent: toe-get/1\r\nAccept: */*\r\n"
		       "Connection: close\r\n\r\n",
		       get.url.path, v6 ? "[" : "", get.url.host,
		       v6 ? "]" : "", get.url.port);
	http_init(&get.http, body, &get);
	sha256_init(&get.digest);
	(void)clock_coarse_ns();	/* bound now, not in strict mode */

	if (get.seccomp && prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		tool_die("seccomp strict mode: %s", strerror(errno));

	transfer(&get, &addr, request, (size_t)len);
	status = finish(&get);

	/* exit_group(), which exit() makes, is not allowed in strict mode. */
	if (get.seccomp)
		syscall(SYS_exit, status);
	toe_close(get.toe);
	return status;
}
