// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * traffic - flows over the adapter, from the guest: client or server.
 *
 *   traffic client [OPTION]... ADDR PORT   connect to a server of flows
 *   traffic server [OPTION]... ADDR PORT   serve them; prints "listening" first
 *
 *   --conns N     client: so many at once; server: places (1)
 *   --turns N     client: one after the other (1); server: connections to serve
 *   --up N        bytes to the server (1 MiB)
 *   --down N      bytes from the server (1 MiB)
 *   --seed N      of the first connection's streams (1)
 *   --mem own     send from registered pages of this process
 *   --mem driver  send from registered memory of the driver's
 *   --together    send nothing before all are connected, and then look at the
 *                 adapter's count of connections
 *   --gate FIFO   with --together: then wait until somebody opens FIFO for
 *                 writing and closes it
 *   --spin        never sleep
 *
 * Exit status 0 only if every byte came, in both directions, and was right.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libapp.h"
#include "libcounters.h"

struct args {
	unsigned int conns, turns;
	uint64_t up, down, seed;
	const char *mem, *gate;
	bool together, spin;
};

static void report(struct app *app, const struct args *a, uint64_t bytes)
{
	struct toe_stats st;
	int ret = toe_stats(app->toe, &st, sizeof(st));

	if (ret)
		app_die("toe_stats: %s", toe_strerror(ret));
	printf("traffic: %u connections, %u failed, seed %llu, %llu bytes moved, %llu system calls\n",
	       app->finished, app->failed, (unsigned long long)a->seed,
	       (unsigned long long)bytes, (unsigned long long)st.syscalls);
	if (st.bad)
		app_die("%llu completions made no sense",
			(unsigned long long)st.bad);
	if (app->failed)
		exit(1);
}

static void check_together(struct app *app, const char *gate)
{
	struct counters c;

	app->held = true;
	while (app->connected < app->nconns) {
		app_step(app);
		if (app->failed)
			app_die("a connection failed before all were there");
	}
	counters_read(&c);
	if (c.v[TOE_CTR_TCP_NCBS] < app->nconns)
		app_die("the adapter counts %llu connections, %u are open",
			(unsigned long long)c.v[TOE_CTR_TCP_NCBS],
			app->nconns);
	printf("traffic: %u connections are open at once\n", app->nconns);
	fflush(stdout);
	if (gate) {
		FILE *f = fopen(gate, "r");

		if (!f)
			app_die("%s cannot be opened", gate);
		while (getc(f) != EOF)
			;
		fclose(f);
	}
	app_release(app);
}

static void client(struct app *app, const struct args *a,
		   const union app_addr *to)
{
	unsigned int i, turn;

	for (turn = 0; turn < a->turns; turn++) {
		app->held = a->together;
		for (i = 0; i < a->conns; i++) {
			struct flow f;

			flow_client(&f, a->seed + (uint64_t)turn * a->conns + i,
				    a->up, a->down, FLOW_F_VERDICT);
			app_connect(app, i, to, &f);
		}
		if (a->together)
			check_together(app, a->gate);
		app_run(app, (turn + 1) * a->conns);
	}
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "conns", required_argument, NULL, 'n' },
		{ "turns", required_argument, NULL, 't' },
		{ "up", required_argument, NULL, 'u' },
		{ "down", required_argument, NULL, 'd' },
		{ "seed", required_argument, NULL, 's' },
		{ "mem", required_argument, NULL, 'm' },
		{ "together", no_argument, NULL, 'T' },
		{ "gate", required_argument, NULL, 'g' },
		{ "spin", no_argument, NULL, 'S' },
		{ NULL, 0, NULL, 0 },
	};
	struct args a = { .conns = 1, .turns = 1, .up = 1 << 20,
			  .down = 1 << 20, .seed = 1 };
	struct toe_config cfg = { 0 };
	union app_addr addr;
	struct app app;
	bool server;
	int o;

	if (argc < 2)
		goto usage;
	server = strcmp(argv[1], "server") == 0;
	if (!server && strcmp(argv[1], "client"))
		goto usage;
	argc--;
	argv++;
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'n': a.conns = strtoul(optarg, NULL, 0); break;
		case 't': a.turns = strtoul(optarg, NULL, 0); break;
		case 'u': a.up = strtoull(optarg, NULL, 0); break;
		case 'd': a.down = strtoull(optarg, NULL, 0); break;
		case 's': a.seed = strtoull(optarg, NULL, 0); break;
		case 'm': a.mem = optarg; break;
		case 'g': a.gate = optarg; break;
		case 'T': a.together = true; break;
		case 'S': a.spin = true; break;
		default: goto usage;
		}
	}
	if (argc - optind != 2 || !a.conns || !a.turns ||
	    (a.mem && strcmp(a.mem, "own") && strcmp(a.mem, "driver")))
		goto usage;
	addr = app_addr_any(argv[optind], argv[optind + 1]);
	if (a.spin)
		cfg.flags |= TOE_CFG_SPIN;
	app_open(&app, &cfg, a.conns);
	if (a.mem)
		app_use_mem(&app, strcmp(a.mem, "own") == 0);
	if (server) {
		app_listen(&app, &addr, 256);
		printf("listening\n");
		fflush(stdout);
		app_run(&app, a.turns);
	} else {
		client(&app, &a, &addr);
	}
	report(&app, &a, app.moved);
	app_close(&app);
	return 0;
usage:
	fprintf(stderr, "usage: traffic client|server [--conns N] [--turns N] [--up N] [--down N] [--seed N]\n"
		"               [--mem own|driver] [--together [--gate FIFO]] [--spin] ADDR PORT\n");
	return 2;
}
