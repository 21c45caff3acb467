// SPDX-License-Identifier: MIT
/*
 * init.c - the beginning and the end.
 *
 * Order of initialisation
 *  1. The constructor, or the first wrapped call if that comes earlier (other
 *     libraries' constructors may open sockets): ps_start().
 *  2. libc's own functions are looked up; until then nothing can be done.
 *  3. Options are read from the environment:
 *       TOE_PRELOAD_STATS=1   statistics to standard error at exit
 *       TOE_PRELOAD_DEBUG=1   a line for each decision
 *       TOE_PRELOAD_OFF=1     do nothing
 *       TOE_DEVICE            the adapter (default /dev/toe0)
 *  4. Handlers for fork() are registered.
 *  5. The context is opened by the first connect() that wants it, so that a
 *     program that never connects costs nothing.  Without an adapter, or if
 *     the context dies, everything is the kernel's.
 *  6. At exit: the statistics.  Connections are left as they are: adapter and
 *     driver deliver what was sent and close them when the process is gone.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preload.h"

struct ps_real real;
struct ps_stats ps_stats;
pthread_mutex_t ps_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
struct toe *ps_toe;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool debug, stats, off, tried;
static pid_t owner;

/* stdio might end in one of our wrappers, so write by hand. */
static void say(const char *s, size_t n)
{
	ssize_t ignored = real.write ? real.write(STDERR_FILENO, s, n)
				     : write(STDERR_FILENO, s, n);

	(void)ignored;
}

void ps_debug(const char *format, ...)
{
	char line[256];
	va_list ap;
	int n;

	if (!debug)
		return;
	va_start(ap, format);
	n = vsnprintf(line, sizeof(line) - 1, format, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	say(line, (size_t)n);
}

static bool option(const char *name)
{
	const char *v = getenv(name);

	return v && *v && strcmp(v, "0");
}

static void before_fork(void)
{
	pthread_mutex_lock(&ps_lock);
}

static void after_fork_parent(void)
{
	pthread_mutex_unlock(&ps_lock);
}

static void after_fork_child(void)
{
	static const pthread_mutex_t fresh =
		PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

	ps_forget_all();
	ps_poll_forked();
	toe_close(ps_toe);	/* in the child it only lets go */
	ps_toe = NULL;
	tried = false;
	owner = getpid();
	memset(&ps_stats, 0, sizeof(ps_stats));
	ps_lock = fresh;	/* its owner was a thread of the parent */
}

static void init(void)
{
#define LOOK_UP(name) \
	real.name = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);
	PS_REAL(LOOK_UP)
#undef LOOK_UP
	if (!real.fcntl64)
		real.fcntl64 = real.fcntl;
	debug = option("TOE_PRELOAD_DEBUG");
	stats = option("TOE_PRELOAD_STATS");
	off = option("TOE_PRELOAD_OFF");
	owner = getpid();
	pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

void ps_start(void)
{
	pthread_once(&once, init);
}

__attribute__((constructor))
static void constructor(void)
{
	ps_start();
}

bool ps_foreign(void)
{
	return getpid() != owner;
}

struct toe *ps_context(void)
{
	int err;

	if (off)
		return NULL;
	if (!ps_toe && !tried) {
		tried = true;
		err = toe_open(&ps_toe, NULL);
		ps_debug("toe-preload: opening the adapter: %s",
			 toe_strerror(err));
		if (err)
			ps_toe = NULL;
	}
	return ps_toe;
}

static void line_of(const char *name, uint64_t value, const char *text)
{
	char line[160];
	int n = snprintf(line, sizeof(line), "toe-preload: %-18s %12llu  %s\n",
			 name, (unsigned long long)value, text);

	if (n > 0)
		say(line, (size_t)n < sizeof(line) ? (size_t)n
						   : sizeof(line) - 1);
}

__attribute__((destructor))
static void at_exit(void)
{
	struct toe_stats t = { 0 };

	if (!stats || ps_foreign())
		return;
#define SHOW(name, text) line_of(#name, ps_stats.name, text);
	PS_STATS(SHOW)
#undef SHOW
	if (!ps_toe)
		return;
	toe_stats(ps_toe, &t, sizeof(t));
	line_of("bytes_in", t.bytes_in, "bytes received");
	line_of("bytes_out", t.bytes_out, "bytes sent");
	line_of("doorbells", t.doorbells, "doorbells");
	line_of("requests", t.requests, "requests");
	line_of("completions", t.completions, "completions");
}
