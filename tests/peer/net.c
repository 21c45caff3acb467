/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net.c - the ends and what is between them; see peer.h.
 *
 * The process makes two network namespaces and opens a tap in each.  A tap's
 * file stays with its namespace, so do sockets, so one thread serves all of
 * them.  A frame goes by its destination MAC; one of a flow passes the flow's
 * wire for its direction, any other goes straight through.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "peer.h"

#define MTU		1500
#define CONNECTIONS	4096
#define RAM		(256u << 20)
#define FRAMES_EACH	2u		/* of an end, before the next one's turn */
#define BUDGET		(FRAMES_EACH * 1514u)
#define TURNS_MAX	1024u
#define FD_MAX		8192
#define LOOK_NS		(20 * MS)	/* how often to look for the end */

struct net {
	ToeEnv env;
	ToeCounters counters;
	uint8_t *ram;
	ToeLmem *lm;
	ToeNop *nop;
	struct wires *wires;
	int tap[ENDS];		/* [ENGINE] is none */
	int ns[ENDS];
	int epoll;
	struct flow *flow[FLOWS_MAX];
	struct flow *of_fd[FD_MAX];
	int64_t now;
	uint64_t seed;
};

static const uint8_t macs[ENDS][6] = {
	{ 0x02, 0, 0, 0, 0, 1 }, { 0x02, 0, 0, 0, 0, 2 },
	{ 0x02, 0, 0, 0, 0, 3 },
};

static void skip(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(77);
}

int64_t net_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SEC + t.tv_nsec;
}

void net_address(enum end end, uint8_t family, uint8_t *addr)
{
	memset(addr, 0, 16);
	if (family == TOE_AF_INET) {
		memcpy(addr, (uint8_t[]){ 10, 9, 0, (uint8_t)(1 + end) }, 4);
	} else {
		addr[0] = 0xfd;
		addr[3] = 9;
		addr[15] = (uint8_t)(1 + end);
	}
}

/* ---- Frames ---- */

static void deliver(void *opaque, unsigned to, const uint8_t *frame,
		    size_t len)
{
	struct net *n = opaque;

	if (to == ENGINE)
		toe_nop_frame_in(n->nop, frame, len);
	else if (write(n->tap[to], frame, len) < 0)
		perror("tap");
}

/* The flow of a TCP segment, and whether it goes with the data. */
static struct flow *flow_of(struct net *n, const uint8_t *f, size_t len,
			    bool *data)
{
	const uint8_t *p = NULL;
	unsigned from, to;

	if (len >= 34 && toe_get16(f + 12) == TOE_ETHERTYPE_IPV4 &&
	    f[23] == TOE_PROTO_TCP)
		p = f + 14 + (f[14] & 15) * 4;
	else if (len >= 54 && toe_get16(f + 12) == TOE_ETHERTYPE_IPV6 &&
		 f[20] == TOE_PROTO_TCP)
		p = f + 54;
	if (!p || p + 4 > f + len)
		return NULL;
	from = toe_get16(p) - PORT_BASE;
	to = toe_get16(p + 2) - PORT_BASE;
	*data = to < FLOWS_MAX;
	if (*data)
		return n->flow[to];
	return from < FLOWS_MAX ? n->flow[from] : NULL;
}

static void route(struct net *n, enum end from, const uint8_t *frame,
		  size_t len)
{
	bool data = false;
	struct flow *f = flow_of(n, frame, len, &data);
	struct wire *w = f ? f->wire[!data] : NULL;
	unsigned to;

	for (to = 0; to < ENDS; to++)
		if (to != from && (frame[0] & 1 ||
				   !memcmp(frame, macs[to], 6)))
			wires_send(n->wires, w, to, n->now, frame, len);
}

/* ---- The engine's world ---- */

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
	route(opaque, ENGINE, frame, len);
	return true;
}

static int64_t engine_now(void *opaque)
{
	return ((struct net *)opaque)->now;
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
	struct net *n = opaque;
	uint8_t *p = buf;

	while (len--) {
		n->seed = n->seed * 6364136223846793005u + 1442695040888963407u;
		*p++ = (uint8_t)(n->seed >> 56);
	}
}

static void guest_error(void *opaque, const char *sentence)
{
	(void)opaque;
	fprintf(stderr, "engine: %s\n", sentence);
	exit(1);
}

static struct flow *of(struct net *n, uint32_t handle)
{
	ToeTuple t;

	if (toe_stream_tuple(n->nop, handle, &t, NULL) != TOE_ST_OK)
		return NULL;
	for (unsigned i = 0; i < 2; i++) {
		unsigned id = (i ? t.rport : t.lport) - PORT_BASE;

		if (id < FLOWS_MAX && n->flow[id])
			return n->flow[id];
	}
	return NULL;
}

#define EVENT(name, call)						\
	static void name(void *opaque, uint32_t handle)			\
	{								\
		struct net *n = opaque;					\
		struct flow *f = of(n, handle);				\
									\
		if (f)							\
			call;						\
	}

EVENT(established, flow_established(n, f))
EVENT(writable, flow_writable(n, f))
EVENT(peer_closed, flow_peer_closed(n, f, handle))

static void incoming(void *opaque, uint32_t listener, uint32_t handle)
{
	struct net *n = opaque;
	struct flow *f = of(n, handle);

	(void)listener;
	if (f)
		flow_incoming(n, f, handle);
	else
		toe_stream_abort(n->nop, handle);
}

static void readable(void *opaque, uint32_t handle, bool push)
{
	struct net *n = opaque;
	struct flow *f = of(n, handle);

	(void)push;
	if (f)
		flow_readable(n, f);
}

static void closed(void *opaque, uint32_t handle, uint8_t status)
{
	struct net *n = opaque;
	struct flow *f = of(n, handle);

	if (f)
		flow_closed(n, f, handle, status);
	else
		toe_stream_close(n->nop, handle);
}

static void eth_frame(void *opaque, const uint8_t *frame, size_t len)
{
	(void)opaque, (void)frame, (void)len;
}

static const ToeStreamOps ops = {
	.established = established, .incoming = incoming,
	.readable = readable, .writable = writable,
	.peer_closed = peer_closed, .closed = closed, .eth_frame = eth_frame,
};

static void need(uint8_t status, const char *what)
{
	if (status != TOE_ST_OK) {
		fprintf(stderr, "%s: status %u\n", what, status);
		exit(1);
	}
}

static void engine_init(struct net *n, uint32_t buffers)
{
	ToeNopConfig config = { .connections = CONNECTIONS, .mtu_max = MTU };
	static const uint8_t none[16];
	uint8_t addr[16];

	n->env = (ToeEnv) {
		.opaque = n, .dma_read = no_read, .dma_write = no_write,
		.irq = no_irq, .send_frame = send_frame, .now = engine_now,
		.set_timer = set_timer, .kick = kick, .random = random_bytes,
		.guest_error = guest_error,
	};
	n->seed = 1;
	memcpy(config.mac, macs[ENGINE], 6);
	n->ram = g_malloc(RAM);
	n->lm = toe_lmem_new(n->ram, RAM, &n->counters);
	n->nop = toe_nop_new(&n->env, n->lm, &n->counters, &config, &ops, n);
	net_address(ENGINE, TOE_AF_INET, addr);
	need(toe_nop_addr_add(n->nop, TOE_AF_INET, addr, 24), "address");
	net_address(ENGINE, TOE_AF_INET6, addr);
	need(toe_nop_addr_add(n->nop, TOE_AF_INET6, addr, 64), "address");
	/* The driver mirrors this one: IPv6 has on-link prefixes (RFC 5942). */
	addr[15] = 0;
	need(toe_nop_route_add(n->nop, TOE_AF_INET6, addr, 64, none, 0),
	     "route");
	need(toe_nop_param_set(n->nop, TOE_PARAM_TIME_WAIT_MS, 100), "param");
	need(toe_nop_param_set(n->nop, TOE_PARAM_SNDBUF, buffers), "param");
	need(toe_nop_param_set(n->nop, TOE_PARAM_RCVBUF, buffers), "param");
}

/* ---- The kernel's ends ---- */

static void setting(const char *name, const char *value)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	f = fopen(path, "w");
	if (!f || fprintf(f, "%s\n", value) < 0 || fclose(f))
		skip(path);
}

static void kernel_init(struct net *n, enum end end, uint32_t buffers)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	const uint8_t *m = macs[end];
	char command[1024], mem[64];

	if (unshare(CLONE_NEWNET))
		skip("a network namespace cannot be made");
	n->ns[end] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	n->tap[end] = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (n->ns[end] < 0 || n->tap[end] < 0)
		skip("/dev/net/tun");
	strcpy(r.ifr_name, "tap0");
	if (ioctl(n->tap[end], TUNSETIFF, &r))
		skip("a tap cannot be made");
	/* What an earlier connection learnt must not help a later one. */
	setting("tcp_no_metrics_save", "1");
	setting("tcp_ecn", "1");
	snprintf(mem, sizeof(mem), "4096 131072 %u", 2 * buffers);
	setting("tcp_rmem", mem);
	setting("tcp_wmem", mem);
	snprintf(command, sizeof(command),
		 "ip link set lo up && ip link set tap0 address "
		 "%02x:%02x:%02x:%02x:%02x:%02x mtu %u txqueuelen 10000 && "
		 "ip address add 10.9.0.%u/24 dev tap0 && "
		 "ip address add fd00:9::%u/64 dev tap0 nodad && "
		 "ip link set tap0 up", m[0], m[1], m[2], m[3], m[4], m[5],
		 MTU, 1 + end, 1 + end);
	if (system(command)) {
		printf("the addresses of a tap cannot be set\n");
		exit(77);
	}
}

int net_socket(struct net *n, enum end end, uint8_t family)
{
	int fd;

	if (setns(n->ns[end], CLONE_NEWNET))
		skip("setns");
	fd = socket(family == TOE_AF_INET ? AF_INET : AF_INET6,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || fd >= FD_MAX)
		skip("socket");
	return fd;
}

void net_watch(struct net *n, int fd, struct flow *f, bool out)
{
	struct epoll_event e = {
		.events = out ? EPOLLOUT : EPOLLIN, .data.fd = fd,
	};

	n->of_fd[fd] = f;
	if (epoll_ctl(n->epoll, EPOLL_CTL_ADD, fd, &e) &&
	    epoll_ctl(n->epoll, EPOLL_CTL_MOD, fd, &e))
		skip("epoll");
}

void net_unwatch(struct net *n, int fd)
{
	n->of_fd[fd] = NULL;
	epoll_ctl(n->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/* ---- Life ---- */

struct net *net_new(uint32_t buffers)
{
	struct net *n = g_new0(struct net, 1);
	enum end end;

	n->now = net_now();
	n->epoll = epoll_create1(EPOLL_CLOEXEC);
	n->wires = wires_new(deliver, n);
	engine_init(n, buffers);
	for (end = KERNEL; end < ENDS; end++) {
		struct epoll_event e = { .events = EPOLLIN };

		kernel_init(n, end, buffers);
		e.data.fd = n->tap[end];
		epoll_ctl(n->epoll, EPOLL_CTL_ADD, n->tap[end], &e);
	}
	need(toe_nop_port_set(n->nop, MTU, NULL, 0, 0), "port");
	return n;
}

void net_free(struct net *n)
{
	enum end end;

	toe_nop_free(n->nop);
	toe_lmem_free(n->lm);
	g_free(n->ram);
	for (end = KERNEL; end < ENDS; end++) {
		close(n->tap[end]);
		close(n->ns[end]);
	}
	close(n->epoll);
	wires_free(n->wires);
	g_free(n);
}

ToeNop *net_engine(struct net *n)
{
	return n->nop;
}

ToeLmem *net_lmem(struct net *n)
{
	return n->lm;
}

uint64_t net_counter(struct net *n, enum toe_counter c)
{
	return n->counters.v[c];
}

void net_add(struct net *n, struct flow *f)
{
	n->flow[f->id] = f;
	f->begun = n->now = net_now();
	flow_start(n, f);
}

void net_remove(struct net *n, struct flow *f)
{
	flow_stop(n, f);
	n->flow[f->id] = NULL;
}

unsigned net_unfinished(struct net *n)
{
	unsigned left = 0, i;

	for (i = 0; i < FLOWS_MAX; i++)
		left += n->flow[i] && !n->flow[i]->done && !n->flow[i]->wrong;
	return left;
}

/* ---- The loop ---- */

/* A few frames of a tap.  False: there was none. */
static bool read_tap(struct net *n, enum end end)
{
	uint8_t frame[2048];
	unsigned i;

	for (i = 0; i < FRAMES_EACH; i++) {
		ssize_t len = read(n->tap[end], frame, sizeof(frame));

		if (len < 14)
			break;
		route(n, end, frame, (size_t)len);
	}
	return i > 0;
}

/*
 * What the ends want to send goes into the wires by turns, a few frames each:
 * whoever came first each time would have the room in a queue, and leave
 * its losses to the others.
 */
static void send_all(struct net *n)
{
	unsigned i;
	bool more = true;

	for (i = 0; more && i < TURNS_MAX; i++) {
		more = toe_nop_run(n->nop, BUDGET);
		more |= read_tap(n, KERNEL);
		more |= read_tap(n, KERNEL2);
	}
}

/* False: nothing happened. */
static bool step(struct net *n, int64_t until)
{
	struct epoll_event e[64];
	int64_t next = MIN(until, MIN(wires_next(n->wires),
				      toe_nop_deadline(n->nop)));
	struct timespec wait;
	int count, i;

	next = MAX(next - net_now(), 0);
	wait.tv_sec = next / SEC;
	wait.tv_nsec = next % SEC;
	count = epoll_pwait2(n->epoll, e, 64, &wait, NULL);
	n->now = net_now();
	for (i = 0; i < count; i++) {
		int fd = e[i].data.fd;

		if (n->of_fd[fd])
			flow_ready(n, n->of_fd[fd]);
	}
	wires_run(n->wires, n->now);
	while (toe_nop_deadline(n->nop) <= n->now)
		toe_nop_timer(n->nop);
	send_all(n);
	return count > 0;
}

void net_run(struct net *n, int64_t until)
{
	unsigned turns = 0;

	n->now = net_now();
	while (n->now < until) {
		bool busy = step(n, MIN(until, n->now + LOOK_NS));

		/* Not each time: it looks at all of them. */
		if ((!busy || ++turns % 64 == 0) && !net_unfinished(n))
			break;
	}
}
