// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libapp.c - see libapp.h.
 *
 * Connections with an odd number receive by toe_recv() (copied), the others by
 * toe_recv_lend() (in place); with app_use_mem() they send from slots of one
 * registered memory, which come back with TOE_SENT.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "libapp.h"

static uint8_t buffer[APP_SLOT];

void app_die(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

struct sockaddr_in app_addr(const char *text, const char *port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(atoi(port)),
	};

	if (inet_pton(AF_INET, text, &a.sin_addr) != 1)
		app_die("'%s' is not an address", text);
	return a;
}

union app_addr app_addr_any(const char *text, const char *port)
{
	union app_addr a = { .in6 = { .sin6_family = AF_INET6,
				      .sin6_port = htons(atoi(port)) } };

	if (inet_pton(AF_INET6, text, &a.in6.sin6_addr) != 1)
		a.in = app_addr(text, port);
	return a;
}

static socklen_t addr_len(const struct sockaddr *a)
{
	return a->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					: sizeof(struct sockaddr_in);
}

void app_open(struct app *app, const struct toe_config *cfg,
	      unsigned int conns)
{
	struct toe_config c = { 0 };
	int ret;

	memset(app, 0, sizeof(*app));
	if (cfg)
		c = *cfg;
	if (!c.max_conns)
		c.max_conns = conns + 8;
	ret = toe_open(&app->toe, &c);
	if (ret)
		app_die("toe_open: %s", toe_strerror(ret));
	app->nconns = conns;
	app->conns = calloc(conns, sizeof(*app->conns));
	if (!app->conns)
		app_die("out of memory");
}

void app_use_mem(struct app *app, bool own)
{
	size_t len = (size_t)APP_SLOT * APP_SLOTS;
	int ret;

	if (own) {
		/* Not page aligned, on purpose. */
		uint8_t *p = mmap(NULL, len + 4096, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			app_die("out of memory");
		ret = toe_mem_register(app->toe, p + 1000, len,
				       TOE_MEM_F_SEND, &app->mem);
	} else {
		ret = toe_mem_alloc(app->toe, len, TOE_MEM_F_SEND, &app->mem);
	}
	if (ret)
		app_die("memory of %zu bytes: %s", len, toe_strerror(ret));
}

void app_connect(struct app *app, unsigned int i, const void *to,
		 const struct flow *flow)
{
	struct app_conn *c = &app->conns[i];
	struct toe_conn_opts opts = { .user = c };
	int ret;

	memset(c, 0, sizeof(*c));
	c->app = app;
	c->flow = *flow;
	c->copy = i & 1;
	while ((ret = toe_connect(app->toe, to, addr_len(to), &opts,
				  &c->conn)) == -EAGAIN)
		app_step(app);
	if (ret)
		app_die("toe_connect: %s", toe_strerror(ret));
	app->open++;
}

void app_listen(struct app *app, const void *at, int backlog)
{
	int ret = toe_listen(app->toe, at, addr_len(at), backlog, app,
			     &app->listener);

	if (ret)
		app_die("toe_listen: %s", toe_strerror(ret));
}

static void end(struct app_conn *c, int error)
{
	struct app *app = c->app;
	bool ok = !error && !c->flow.wrong && flow_rx_done(&c->flow) &&
		  flow_tx_done(&c->flow);

	if (!ok) {
		app->failed++;
		fprintf(stderr, "%s: connection %ld (seed %llu, up %llu of %llu, down %llu of %llu): %s\n",
			program_invocation_short_name,
			(long)(c - app->conns),
			(unsigned long long)c->flow.hdr.seed,
			(unsigned long long)flow_bytes_up(&c->flow),
			(unsigned long long)c->flow.hdr.up,
			(unsigned long long)flow_bytes_down(&c->flow),
			(unsigned long long)c->flow.hdr.down,
			error ? toe_strerror(error) :
			c->flow.wrong ? c->flow.why : "unfinished");
	}
	app->finished++;
	app->open--;
	if (ok)
		toe_close_conn(c->conn);
	else
		toe_abort(c->conn);
	c->conn = NULL;
}

static void moved(struct app *app, size_t n)
{
	app->moved += n;
	if (app->progress)
		app->progress(app, app->progress_arg);
}

static int free_slot(const struct app *app)
{
	unsigned int i;

	for (i = 0; i < APP_SLOTS; i++)
		if (!app->slot_busy[i])
			return i;
	return -1;
}

/* One piece; bytes, 0 (nothing to send), or -errno. */
static ssize_t send_piece(struct app_conn *c)
{
	struct app *app = c->app;
	uint8_t *p;
	size_t n;
	int slot, ret;

	if (!app->mem) {
		n = flow_next(&c->flow, buffer, sizeof(buffer));
		return n ? toe_send(c->conn, buffer, n, 0) : 0;
	}
	slot = free_slot(app);
	c->waits = slot < 0;
	if (slot < 0)
		return -EAGAIN;
	p = (uint8_t *)toe_mem_addr(app->mem) + (size_t)slot * APP_SLOT;
	n = flow_next(&c->flow, p, APP_SLOT);
	if (!n)
		return 0;
	ret = toe_send_mem(c->conn, app->mem, (size_t)slot * APP_SLOT, n, 0,
			   slot);
	if (ret)
		return ret;
	app->slot_busy[slot] = true;
	return n;
}

/* false: the connection has ended. */
static bool pump_out(struct app_conn *c)
{
	ssize_t n;

	if (!c->connected || c->app->held || c->shut)
		return true;
	while ((n = send_piece(c)) > 0) {
		flow_sent(&c->flow, n);
		moved(c->app, n);
	}
	if (n < 0 && n != -EAGAIN) {
		end(c, n);
		return false;
	}
	/* The server closes first, so that TIME-WAIT is always on its side. */
	if (flow_tx_done(&c->flow) &&
	    (c->flow.eof || (c->flow.server && flow_rx_done(&c->flow)))) {
		int ret = toe_shutdown(c->conn);

		if (ret && ret != -EAGAIN) {
			end(c, ret);
			return false;
		}
		c->shut = ret == 0;
	}
	return true;
}

static ssize_t recv_piece(struct app_conn *c)
{
	struct toe_lend lend;
	ssize_t n;

	if (c->copy) {
		n = toe_recv(c->conn, buffer, sizeof(buffer), 0);
		if (n > 0)
			flow_received(&c->flow, buffer, n);
		return n;
	}
	n = toe_recv_lend(c->conn, &lend);
	if (n <= 0)
		return n;
	flow_received(&c->flow, lend.data, lend.length);
	n = toe_recv_return(c->app->toe, &lend);
	if (n)
		app_die("toe_recv_return: %s", toe_strerror(n));
	return lend.length;
}

static bool pump_in(struct app_conn *c)
{
	ssize_t n = -EAGAIN;

	while (!c->flow.eof && !c->flow.wrong && (n = recv_piece(c)) > 0)
		moved(c->app, n);
	if (n == 0)
		flow_ended(&c->flow);
	if (c->flow.wrong || (n < 0 && n != -EAGAIN)) {
		end(c, c->flow.wrong ? 0 : n);
		return false;
	}
	return true;
}

static void step(struct app_conn *c, const struct toe_event *ev)
{
	if (!c->conn || ev->conn != c->conn)
		app_die("event %#x of a connection that was closed",
			ev->events);
	if (ev->events & TOE_CONNECTED) {
		c->connected = true;
		c->app->connected++;
	}
	if (ev->events & TOE_CLOSED && ev->status) {
		/* What came before the end is good all the same. */
		end(c, ev->status);
		return;
	}
	if (c->connected && (!pump_in(c) || !pump_out(c)))
		return;
	if (c->flow.eof && c->shut)
		end(c, 0);
}

static void take(struct app *app)
{
	for (;;) {
		struct toe_conn_opts opts = { 0 };
		struct app_conn *c;
		unsigned int i;
		int ret;

		for (i = 0; i < app->nconns && app->conns[i].conn; i++)
			;
		if (i == app->nconns)
			return;
		c = &app->conns[i];
		memset(c, 0, sizeof(*c));
		opts.user = c;
		ret = toe_accept(app->listener, &opts, &c->conn);
		if (ret == -EAGAIN)
			return;
		if (ret)
			app_die("toe_accept: %s", toe_strerror(ret));
		c->app = app;
		c->connected = true;
		c->copy = i & 1;
		flow_server(&c->flow);
		app->open++;
		app->accepted++;
	}
}

/* Slots came back: those who wait for one go on, in turn. */
static void wake(struct app *app)
{
	static unsigned int turn;
	unsigned int k;

	turn++;
	for (k = 0; k < app->nconns; k++) {
		struct app_conn *c = &app->conns[(k + turn) % app->nconns];

		if (c->conn && c->waits && pump_out(c) && c->flow.eof &&
		    c->shut)
			end(c, 0);
	}
}

/* For the one who has to find out why nothing moves. */
static void dump(const struct app *app)
{
	unsigned int i, free = 0;

	for (i = 0; i < APP_SLOTS; i++)
		free += !app->slot_busy[i];
	for (i = 0; i < app->nconns; i++) {
		const struct app_conn *c = &app->conns[i];
		struct toe_conn_stats st = { 0 };

		if (!c->conn)
			continue;
		toe_conn_stats(c->conn, &st, sizeof(st));
		fprintf(stderr, "connection %u: handle %#x, state %#x, connected %d, eof %d, shut %d, waits for a slot %d (%u free), up %llu of %llu, down %llu of %llu, pending in %llu out %llu\n",
			i, st.handle, toe_conn_state(c->conn), c->connected,
			c->flow.eof, c->shut, c->waits, free,
			(unsigned long long)flow_bytes_up(&c->flow),
			(unsigned long long)c->flow.hdr.up,
			(unsigned long long)flow_bytes_down(&c->flow),
			(unsigned long long)c->flow.hdr.down,
			(unsigned long long)st.recv_pending,
			(unsigned long long)st.send_pending);
	}
	if (system("toestat -n 2>/dev/null || build/bin/toestat -n") < 0)
		return;
}

void app_step(struct app *app)
{
	struct toe_event ev[32];
	int i, ret, n = toe_poll(app->toe, ev, 32);
	bool slots = false;

	for (i = 0; i < n; i++) {
		if (ev[i].events & TOE_DEAD)
			app_die("the context is dead: %s",
				toe_strerror(ev[i].status));
		if (ev[i].events & TOE_SENT) {
			if (ev[i].cookie >= APP_SLOTS ||
			    !app->slot_busy[ev[i].cookie])
				app_die("TOE_SENT of slot %llu, which is free",
					(unsigned long long)ev[i].cookie);
			app->slot_busy[ev[i].cookie] = false;
			slots = true;
		}
		if (ev[i].listener)
			take(app);
		else if (ev[i].conn && ev[i].events & ~TOE_SENT)
			step(ev[i].user, &ev[i]);
	}
	if (slots)
		wake(app);
	/* A server with all places taken has left some in the queue. */
	if (app->listener && n)
		take(app);
	if (n)
		return;
	ret = toe_wait(app->toe, getenv("APP_IDLE") ? atoi(getenv("APP_IDLE")) : APP_IDLE_MS);
	if (ret == 0)
		dump(app);
	if (ret == 0)
		app_die("nothing moves any more; %u connections are open, %u have ended",
			app->open, app->finished);
	if (ret < 0 && ret != -EINTR)
		app_die("toe_wait: %s", toe_strerror(ret));
}

void app_release(struct app *app)
{
	unsigned int i;

	app->held = false;
	for (i = 0; i < app->nconns; i++) {
		struct app_conn *c = &app->conns[i];

		if (c->conn && pump_out(c) && c->flow.eof && c->shut)
			end(c, 0);
	}
}

void app_run(struct app *app, unsigned int finished)
{
	while (app->finished < finished)
		app_step(app);
}

void app_close(struct app *app)
{
	toe_close_listener(app->listener);
	if (app->mem)
		toe_mem_free(app->mem);
	toe_close(app->toe);
	free(app->conns);
	memset(app, 0, sizeof(*app));
}
