/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libapp.h - flows (libflow.h) over libtoe: a client with many connections at
 * once, and a server, both driven by toe_poll() in one thread.
 */
#ifndef TEST_LIBAPP_H
#define TEST_LIBAPP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libflow.h"
#include "toe.h"

#define APP_SLOT	65536u		/* bytes of one piece to send */
#define APP_SLOTS	16u		/* of registered memory */
#define APP_IDLE_MS	120000		/* nothing at all moves: give up */

struct app;

struct app_conn {
	struct app *app;
	struct toe_conn *conn;		/* NULL: closed */
	struct flow flow;
	bool connected, shut, copy;
	bool waits;			/* for a slot of registered memory */
};

struct app {
	struct toe *toe;
	struct app_conn *conns;
	unsigned int nconns, open, connected, failed, finished;
	unsigned int accepted;
	struct toe_listener *listener;
	struct toe_mem *mem;		/* with app_use_mem() */
	bool slot_busy[APP_SLOTS];
	bool held;			/* connect, but don't send yet */
	uint64_t moved;			/* payload bytes, both ways */
	void (*progress)(struct app *app, void *arg);
	void *progress_arg;
};

struct sockaddr_in app_addr(const char *text, const char *port);

/* The same of either family. */
union app_addr {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

union app_addr app_addr_any(const char *text, const char *port);

/* Print and exit: a test's helper has nobody to give an error to. */
void app_die(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/* Open a context that suits so many connections; ends the program if it
 * cannot.  cfg may be NULL. */
void app_open(struct app *app, const struct toe_config *cfg,
	      unsigned int conns);

/* Send from registered memory instead of copying.  The caller's pages, or (own
 * == false) memory of the driver's. */
void app_use_mem(struct app *app, bool own);

/*
 * Start connection number i with the flow given.  An address (app_listen(), too)
 * is an IPv4 or an IPv6 one.
 */
void app_connect(struct app *app, unsigned int i, const void *to,
		 const struct flow *flow);

void app_listen(struct app *app, const void *at, int backlog);

/* Poll once, wait if there was nothing. */
void app_step(struct app *app);

/* Let held connections start to send. */
void app_release(struct app *app);

/* Until all connections have ended (a server: so many). */
void app_run(struct app *app, unsigned int finished);

void app_close(struct app *app);

#endif /* TEST_LIBAPP_H */
