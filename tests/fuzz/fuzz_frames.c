// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_frames.c - frames in: the whole network side against a hostile network.
 *
 * A ToeNop with an address, routes, listeners and an owner of connections
 * that does, operation by operation, what the input says: a frame comes
 * (net.h), time passes, the owner connects, reads, writes, closes, an option
 * or a setting changes, the port is busy, the link goes; its sockets send and
 * receive datagrams, also to and from groups.
 *
 * What must hold, besides the sanitizers' rules:
 *  - nothing is sent from inside toe_nop_frame_in() or a toe_stream_ call, no
 *    event is reported from inside the latter;
 *  - a busy port gets no frame; frames are whole and no longer than may be;
 *  - a turn's output stays within its budget, turns and timers come to an
 *    end;
 *  - events name connections that the owner holds, and each of established,
 *    peer_closed and closed comes once at most;
 *  - when the owner has let go of everything and the network is silent, all
 *    connections end by themselves, and every buflet is free;
 *  - after a reset every count of "now" is 0 and every buflet is free.
 */
#include <glib.h>
#include "datagram.h"
#include "lmem.h"
#include "net.h"
#include "stream.h"

#define RAM_SIZE	(256u << 10)
#define HELD		16u	/* connections and listeners of the owner */
#define BUDGET		(64u << 10)
#define SLACK		(2u * 65600u)	/* a budget is not exact, see stream.h */
#define WAITED		(1u << 20)	/* for neighbours: a timer sends it */
#define SOCKS		4u
#define TURNS_MAX	2000u
#define SUPPLIES	32u	/* of the send buffer, in one run() */
#define STEPS_MAX	50000u	/* timers until everything has ended */
#define OPS_MAX		400u
#define MS		1000000LL

static const uint8_t mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static const uint8_t peer_mac[6] = { 0x52, 0x55, 0x0a, 0, 2, 2 };

struct held {
	uint32_t handle;
	bool used, listener, established, peer_closed, closed;
};

enum where { OUTSIDE, IN_FRAME, IN_TIMER, IN_RUN, IN_CALL };

struct world {
	ToeEnv env;
	ToeStreamOps ops;
	ToeCounters counters;
	uint8_t *ram;
	ToeLmem *lm;
	ToeNop *n;
	int64_t now;
	uint64_t seed;
	enum where where;
	bool busy;
	uint32_t room;		/* frames until the port is busy; 0: never */
	uint64_t sent_bytes, sent_frames;	/* in this call */
	uint32_t largest;	/* frame that the port takes */
	uint32_t stale;		/* a handle that was given back */
	uint8_t policy;		/* what the owner does in events */
	uint32_t supplies;	/* that he still makes in this run() */
	struct held held[HELD];
	uint32_t socks[SOCKS];	/* handles; 0: none */
	struct net net;
};

/* ---- The environment ---------------------------------------------------- */

static bool no_dma_read(void *o, uint64_t addr, void *buf, size_t len)
{
	(void)o, (void)buf;
	INVARIANT(false, "reads %zu bytes at 0x%" PRIx64, len, addr);
	return false;
}

static bool no_dma_write(void *o, uint64_t addr, const void *buf, size_t len)
{
	(void)o, (void)buf;
	INVARIANT(false, "writes %zu bytes at 0x%" PRIx64, len, addr);
	return false;
}

static void no_irq(void *o, unsigned int vector)
{
	(void)o;
	INVARIANT(false, "raises interrupt %u", vector);
}

static bool send_frame(void *o, const uint8_t *frame, size_t len)
{
	struct world *w = o;

	INVARIANT(w->where != IN_FRAME && w->where != IN_CALL,
		  "where %d, %zu bytes", w->where, len);
	INVARIANT(!w->busy, "%zu bytes", len);
	INVARIANT(len >= 14 && len <= w->largest, "%zu bytes", len);
	w->sent_bytes += len;
	w->sent_frames++;
	net_sent(&w->net, frame, len);
	if (w->room && !--w->room)
		w->busy = true;
	return !w->busy;
}

static int64_t now(void *o)
{
	return ((struct world *)o)->now;
}

static void set_timer(void *o, int64_t deadline)
{
	(void)o, (void)deadline;
}

static void kick(void *o)
{
	(void)o;
}

static void random_bytes(void *o, void *buf, size_t len)
{
	struct world *w = o;
	uint8_t *p = buf;

	while (len--) {
		w->seed = w->seed * 6364136223846793005ULL + 1;
		*p++ = (uint8_t)(w->seed >> 56);
	}
}

static void guest_error(void *o, const char *sentence)
{
	(void)o;
	INVARIANT(strlen(sentence) > 0, "no sentence");
}

/* ---- The owner ---------------------------------------------------------- */

static struct held *find(struct world *w, uint32_t handle)
{
	unsigned int i;

	for (i = 0; i < HELD; i++)
		if (w->held[i].used && w->held[i].handle == handle)
			return &w->held[i];
	return NULL;
}

static struct held *hold(struct world *w, uint32_t handle, bool listener)
{
	unsigned int i;

	INVARIANT(!find(w, handle), "handle 0x%x is given twice", handle);
	for (i = 0; i < HELD; i++)
		if (!w->held[i].used) {
			w->held[i] = (struct held){
				.handle = handle, .used = true,
				.listener = listener,
			};
			return &w->held[i];
		}
	return NULL;
}

static void let_go(struct world *w, uint32_t handle, bool abort)
{
	struct held *h = find(w, handle);

	w->stale = handle;
	if (h)
		h->used = false;
	if (abort)
		toe_stream_abort(w->n, handle);
	else
		toe_stream_close(w->n, handle);
}

static void consume(struct world *w, uint32_t handle, uint32_t max)
{
	const ToeChain *rx = toe_stream_rx(w->n, handle);
	uint8_t buf[512];
	uint32_t off, len;

	if (!rx)
		return;
	len = rx->len < max ? rx->len : max;
	for (off = 0; off < len; off += sizeof(buf)) {
		uint32_t part = MIN(len - off, (uint32_t)sizeof(buf));

		toe_chain_copy_out(w->lm, rx, off, buf, part, NULL);
	}
	if (len)
		toe_stream_rx_consumed(w->n, handle, len);
}

static void supply(struct world *w, uint32_t handle, uint32_t len, bool more)
{
	uint32_t space = toe_stream_send_space(w->n, handle);
	ToeChain c = toe_chain_init();

	len = MIN(len, space);
	if (!len || !toe_chain_extend(w->lm, &c, len, TOE_LMEM_OUT))
		return;
	toe_stream_send(w->n, handle, &c, more);
	INVARIANT(!c.len, "%u bytes were not taken", c.len);
}

/* ---- Events ------------------------------------------------------------- */

static struct held *event(struct world *w, uint32_t handle)
{
	struct held *h = find(w, handle);

	INVARIANT(w->where != IN_CALL && w->where != OUTSIDE, "where %d",
		  w->where);
	INVARIANT(h, "handle 0x%x", handle);
	INVARIANT(!h->closed, "handle 0x%x", handle);
	return h;
}

static void established(void *o, uint32_t handle)
{
	struct world *w = o;
	struct held *h = event(w, handle);

	INVARIANT(!h->listener && !h->established, "handle 0x%x", handle);
	h->established = true;
	if (w->policy & 0x01)
		supply(w, handle, 3000, false);
}

static void incoming(void *o, uint32_t listener, uint32_t handle)
{
	struct world *w = o;
	struct held *l = event(w, listener), *h;

	INVARIANT(l->listener, "handle 0x%x", listener);
	h = hold(w, handle, false);
	if (!h) {
		toe_stream_close(w->n, handle);
		return;
	}
	h->established = true;
	if (w->policy & 0x02)
		toe_stream_accepted(w->n, handle);
	if ((w->policy & 0x0c) == 0x04)
		let_go(w, handle, false);
	else if ((w->policy & 0x0c) == 0x08)
		let_go(w, handle, true);
	else if ((w->policy & 0x0c) == 0x0c)
		supply(w, handle, 5000, false);
}

static void readable(void *o, uint32_t handle, bool push)
{
	struct world *w = o;
	struct held *h = event(w, handle);

	(void)push;
	INVARIANT(!h->listener && h->established, "handle 0x%x", handle);
	if (w->policy & 0x10)
		consume(w, handle, UINT32_MAX);
}

static void writable(void *o, uint32_t handle)
{
	struct world *w = o;
	struct held *h = event(w, handle);

	INVARIANT(!h->listener && h->established, "handle 0x%x", handle);
	if (w->policy & 0x20 && w->supplies) {
		w->supplies--;
		supply(w, handle, 20000, false);
	}
}

static void peer_closed(void *o, uint32_t handle)
{
	struct world *w = o;
	struct held *h = event(w, handle);

	INVARIANT(!h->listener && !h->peer_closed, "handle 0x%x", handle);
	h->peer_closed = true;
	if (w->policy & 0x40)
		let_go(w, handle, false);
}

static void closed(void *o, uint32_t handle, uint8_t status)
{
	struct world *w = o;
	struct held *h = event(w, handle);

	INVARIANT(status < TOE_ST_MAX, "status %u", status);
	h->closed = true;
	if (w->policy & 0x80)
		let_go(w, handle, false);
}

static void udp_event(struct world *w, uint32_t handle)
{
	unsigned int i = 0;

	INVARIANT(w->where != IN_CALL && w->where != OUTSIDE, "where %d",
		  w->where);
	while (i < SOCKS && w->socks[i] != handle)
		i++;
	INVARIANT(i < SOCKS, "handle 0x%x", handle);
	if (w->policy & 0x80) {
		toe_udp_close(w->n, handle);
		w->socks[i] = 0;
	}
}

static void udp_readable(void *o, uint32_t handle)
{
	struct world *w = o;
	const ToeChain *rx;
	ToeDgram d;

	INVARIANT(toe_udp_rx(w->n, handle, &d, &rx), "handle 0x%x", handle);
	INVARIANT(rx->len == d.len && d.len <= TOE_UDP_DATA_MAX_V6,
		  "%u bytes", d.len);
	if (w->policy & 0x10)
		toe_udp_rx_done(w->n, handle);
	udp_event(w, handle);
}

static void udp_writable(void *o, uint32_t handle)
{
	udp_event(o, handle);
}

static void udp_error(void *o, uint32_t handle, uint8_t status, uint16_t rport,
		      const uint8_t *raddr)
{
	(void)rport, (void)raddr;
	INVARIANT(status && status < TOE_ST_MAX, "status %u", status);
	udp_event(o, handle);
}

static void eth_frame(void *o, const uint8_t *frame, size_t len)
{
	volatile uint8_t last;

	(void)o;
	INVARIANT(len > 0, "an empty frame");
	last = frame[len - 1];
	(void)last;
}

/* ---- Turns -------------------------------------------------------------- */

static void enter(struct world *w, enum where where)
{
	w->where = where;
	w->sent_bytes = 0;
	w->sent_frames = 0;
}

static void run(struct world *w)
{
	unsigned int turns = 0;
	uint64_t looped;
	bool more;

	/* To himself, with a reader who takes all, he would send for ever. */
	w->supplies = SUPPLIES;
	do {
		enter(w, IN_RUN);
		looped = w->counters.v[TOE_CTR_LOOP_PACKETS];
		more = toe_nop_run(w->n, BUDGET);
		INVARIANT(w->sent_bytes <= BUDGET + SLACK,
			  "%" PRIu64 " bytes in one turn", w->sent_bytes);
		looped = w->counters.v[TOE_CTR_LOOP_PACKETS] - looped;
		INVARIANT(!more || w->sent_frames || looped || turns < 8,
			  "turns that do nothing");
		INVARIANT(++turns < TURNS_MAX, "turns without end");
	} while (more && !w->busy);
	w->where = OUTSIDE;
}

static void timers(struct world *w)
{
	unsigned int i;

	for (i = 0; toe_nop_deadline(w->n) <= w->now; i++) {
		INVARIANT(i < TURNS_MAX, "timers without end");
		enter(w, IN_TIMER);
		toe_nop_timer(w->n);
		INVARIANT(w->sent_bytes <= SLACK + WAITED,
			  "%" PRIu64 " bytes", w->sent_bytes);
	}
	w->where = OUTSIDE;
}

static void frame_in(struct world *w, struct input *in)
{
	size_t len;
	const uint8_t *frame = net_frame(&w->net, in, &len);
	/* Exactly as long as it is: reading past it is seen. */
	uint8_t *copy = malloc(len ? len : 1);

	if (len)
		memcpy(copy, frame, len);
	enter(w, IN_FRAME);
	toe_nop_frame_in(w->n, copy, len);
	w->where = OUTSIDE;
	free(copy);
}

/* ---- Operations --------------------------------------------------------- */

static void op_time(struct world *w, struct input *in)
{
	uint8_t how = in_8(in);
	unsigned int i;

	if (how & 0x80) {	/* as far as the next deadlines */
		for (i = 0; i <= (how & 15); i++) {
			int64_t d = toe_nop_deadline(w->n);

			if (d == INT64_MAX)
				break;
			w->now = MAX(w->now, d);
			timers(w);
			run(w);
		}
		return;
	}
	/* 1 ms to an hour */
	w->now += (1 + (how >> 5)) * (MS << (how & 31) % 22);
	timers(w);
}

static uint32_t some_handle(struct world *w, struct input *in)
{
	uint8_t i = in_8(in);

	if (i == 0xff)
		return w->stale;
	if (i == 0xfe)
		return in_32(in);
	return w->held[i % HELD].used ? w->held[i % HELD].handle : w->stale;
}

static void op_connect(struct world *w, struct input *in)
{
	uint8_t how = in_8(in), status;
	ToeTuple t = { .family = how & 0x80 ? TOE_AF_INET6 : TOE_AF_INET };
	uint32_t handle;

	memcpy(t.raddr, net_addr(t.family, how & 7), 16);
	if (how & 8)
		memcpy(t.laddr, net_addr(t.family, how >> 4 & 3), 16);
	t.rport = (uint16_t)(how & 0x40 ? in_16(in) : 80);
	t.lport = how & 8 ? in_16(in) : 0;
	if (!t.rport)
		return;			/* the host side refuses it */
	status = toe_stream_connect(w->n, &t, &handle);
	INVARIANT(status < TOE_ST_MAX, "status %u", status);
	if (status == TOE_ST_OK && !hold(w, handle, false))
		toe_stream_abort(w->n, handle);
}

static void op_listen(struct world *w, struct input *in)
{
	static const uint16_t ports[] = { 80, 81, 443, 0 };
	uint8_t how = in_8(in);
	ToeTuple t = {
		.family = how & 0x80 ? TOE_AF_INET6 : TOE_AF_INET,
		.lport = ports[how & 3],
	};
	uint32_t handle;

	if (how & 4)
		memcpy(t.laddr, net_addr(t.family, how >> 4 & 3), 16);
	if (toe_stream_listen(w->n, &t, how & 8 ? in_32(in) : 4, &handle) ==
	    TOE_ST_OK && !hold(w, handle, true))
		toe_stream_close(w->n, handle);
}

static void op_setting(struct world *w, struct input *in)
{
	uint8_t how = in_8(in), f = how & 0x80 ? TOE_AF_INET6 : TOE_AF_INET;
	const uint8_t *addr = net_addr(f, how >> 4 & 7);
	uint8_t prefix = in_8(in), other[16];
	uint64_t value;

	switch (how & 15) {
	case 0:
		toe_nop_addr_add(w->n, f, addr, prefix);
		break;
	case 1:
		toe_nop_addr_del(w->n, f, addr, prefix);
		break;
	case 2:
		toe_nop_route_add(w->n, f, addr, prefix,
				  net_addr(f, in_8(in)), in_8(in));
		break;
	case 3:
		toe_nop_route_del(w->n, f, addr, prefix,
				  net_addr(f, in_8(in)), in_8(in));
		break;
	case 4:
		toe_nop_neigh_add(w->n, f, addr, prefix ? peer_mac : mac);
		break;
	case 5:
		toe_nop_neigh_del(w->n, f, addr);
		break;
	case 6:
		in_copy(in, other, 6);
		toe_nop_port_set(w->n, in_16(in), prefix & 0x80 ? other : NULL,
				 prefix & 0x0f, in_32(in));
		break;
	case 7:
		toe_nop_param_set(w->n, prefix, in_32(in));
		toe_nop_param_get(w->n, prefix, &value);
		break;
	case 8:			/* the usual address again */
		toe_nop_addr_add(w->n, f, net_addr(f, 0), NET_PREFIX(f));
		break;
	default:
		in_copy(in, other, 16);
		toe_nop_neigh_add(w->n, f, other, peer_mac);
		break;
	}
}

static void op_port(struct world *w, struct input *in)
{
	uint8_t how = in_8(in);

	switch (how & 3) {
	case 0:			/* busy soon */
		w->room = 1 + (how >> 2 & 7);
		break;
	case 1:
		w->busy = false;
		w->room = 0;
		toe_nop_port_busy(w->n, false);
		break;
	case 2:
		toe_nop_link(w->n, how & 4);
		break;
	default:
		if (!w->busy) {
			uint8_t frame[1514] = { 0xff };
			size_t len = 14u + in_16(in) % 1500u;

			enter(w, IN_RUN);
			toe_nop_eth_send(w->n, frame, len);
		}
	}
}

static void op_option(struct world *w, struct input *in)
{
	uint32_t handle = some_handle(w, in), option = in_8(in);
	uint64_t value = in_8(in);

	if (option & 0x80)
		value = in_32(in);
	if (option & 0x40)
		toe_stream_getopt(w->n, handle, option & 0x3f, &value);
	else
		toe_stream_setopt(w->n, handle, option & 0x3f, value);
}

static void udp_open(struct world *w, struct input *in, uint32_t *sock)
{
	uint8_t how = in_8(in);
	ToeTuple t = {
		.family = how & 0x80 ? TOE_AF_INET6 : TOE_AF_INET,
		.lport = (uint16_t)(how & 3 ? 53 : in_16(in)),
	};

	if (how & 4)
		memcpy(t.laddr, net_addr(t.family, 0), 16);
	if (how & 8) {
		memcpy(t.raddr, net_addr(t.family, how >> 4 & 7), 16);
		t.rport = 9;
	}
	if (*sock)
		toe_udp_close(w->n, *sock);
	*sock = 0;
	toe_udp_open(w->n, &t, TOE_UDP_F_REUSE, sock);
}

static void udp_send(struct world *w, struct input *in, uint32_t sock)
{
	uint8_t how = in_8(in);
	ToeDgram d = { .len = in_16(in) };
	ToeChain c = toe_chain_init();

	if (how & 3) {
		d.family = how & 0x80 ? TOE_AF_INET6 : TOE_AF_INET;
		d.rport = how & 4 ? 53 : 9;
		memcpy(d.raddr, how & 2 ? net_group(d.family, how >> 4)
					: net_addr(d.family, how >> 4 & 7),
		       16);
	}
	if (toe_udp_send_check(w->n, sock, &d) != TOE_ST_OK)
		return;
	if (d.len && !toe_chain_extend(w->lm, &c, d.len, TOE_LMEM_OUT))
		return;
	toe_udp_send(w->n, sock, &d, &c);
	INVARIANT(!c.len, "%u bytes were not taken", c.len);
}

/* A call about a socket. */
static void op_udp(struct world *w, struct input *in)
{
	uint8_t how = in_8(in), family, group;
	uint32_t *sock = &w->socks[how & 3];
	ToeTuple t = { .family = 0 };
	uint64_t value = 0;
	ToeDgram d;
	const ToeChain *rx;

	switch (how >> 2 & 7) {
	case 0:
		udp_open(w, in, sock);
		break;
	case 1:
		group = in_8(in);
		family = group & 0x80 ? TOE_AF_INET6 : TOE_AF_INET;
		if (group & 0x40)
			toe_udp_leave(w->n, *sock, family,
				      net_group(family, group));
		else
			toe_udp_join(w->n, *sock, family,
				     net_group(family, group));
		break;
	case 2:
		if (how & 0x80)
			toe_udp_getopt(w->n, *sock, 48u + in_8(in) % 16,
				       &value);
		else
			toe_udp_setopt(w->n, *sock, 48u + in_8(in) % 16,
				       in_16(in));
		break;
	case 3:
		if (toe_udp_rx(w->n, *sock, &d, &rx))
			toe_udp_rx_done(w->n, *sock);
		break;
	case 4:
		toe_udp_close(w->n, *sock);
		*sock = 0;
		break;
	case 5:
		if (how & 0x80) {
			t.family = how & 0x40 ? TOE_AF_INET6 : TOE_AF_INET;
			t.rport = 9;
			memcpy(t.raddr, net_addr(t.family, in_8(in)), 16);
		}
		toe_udp_connect(w->n, *sock, &t);
		break;
	default:
		udp_send(w, in, *sock);
		break;
	}
}

static void op_info(struct world *w)
{
	struct toe_hw_conn_info info;
	uint32_t index = 0, count = 0;

	while (toe_udp_info(w->n, &index, &info))
		INVARIANT(++count <= 64, "more sockets than there are");
	index = count = 0;

	while (toe_stream_info(w->n, &index, &info)) {
		INVARIANT(info.state <= TOE_TCP_TIME_WAIT, "state %u",
			  info.state);
		INVARIANT(++count <= 64, "more connections than there are");
	}
}

static void op(struct world *w, struct input *in)
{
	uint8_t code = in_8(in);
	uint32_t handle;
	ToeTuple t;
	uint16_t mss;

	enter(w, IN_CALL);
	switch (code & 0x1f) {
	case 0:
		op_connect(w, in);
		break;
	case 1:
		op_listen(w, in);
		break;
	case 2:
		handle = some_handle(w, in);
		supply(w, handle, in_16(in), code & 0x20);
		break;
	case 3:
		handle = some_handle(w, in);
		consume(w, handle, code & 0x20 ? UINT32_MAX : in_16(in));
		break;
	case 4:
		toe_stream_shutdown(w->n, some_handle(w, in));
		break;
	case 5:
		let_go(w, some_handle(w, in), false);
		break;
	case 6:
		let_go(w, some_handle(w, in), true);
		break;
	case 7:
		toe_stream_accepted(w->n, some_handle(w, in));
		break;
	case 8:
		op_option(w, in);
		break;
	case 9:
		op_setting(w, in);
		break;
	case 10:
		op_port(w, in);
		break;
	case 11:
		w->policy = in_8(in);
		break;
	case 12:
		op_info(w);
		toe_stream_tuple(w->n, some_handle(w, in), &t, &mss);
		break;
	case 13:
		if (in_8(in) == 0xa5) {
			toe_nop_reset(w->n);
			memset(w->held, 0, sizeof(w->held));
			memset(w->socks, 0, sizeof(w->socks));
		}
		break;
	case 14:
	case 15:
	case 16:
	case 17:
		op_time(w, in);
		break;
	case 0x1f:
		op_udp(w, in);
		break;
	default:
		frame_in(w, in);
		break;
	}
	w->where = OUTSIDE;
	if (!(code & 0x80))
		run(w);
}

/* ---- One input ---------------------------------------------------------- */

static void make(struct world *w, uint8_t how)
{
	ToeNopConfig config = {
		.connections = how & 1 ? 4 : 24,
		.mtu_max = 9000,
		.max_segment = how & 2 ? 65535 : 0,
	};
	ToeTuple t = { .family = TOE_AF_INET, .lport = 80 };
	uint8_t zero[16] = { 0 };
	uint32_t handle;

	memcpy(config.mac, mac, 6);
	w->env = (ToeEnv){
		.opaque = w, .dma_read = no_dma_read,
		.dma_write = no_dma_write, .irq = no_irq,
		.send_frame = send_frame, .now = now, .set_timer = set_timer,
		.kick = kick, .random = random_bytes,
		.guest_error = guest_error,
	};
	w->ops = (ToeStreamOps){
		.established = established, .incoming = incoming,
		.readable = readable, .writable = writable,
		.peer_closed = peer_closed, .closed = closed,
		.eth_frame = eth_frame,
		.udp_readable = udp_readable, .udp_writable = udp_writable,
		.udp_error = udp_error,
	};
	w->largest = 65535 + 18;
	w->now = 1000000 * MS;
	w->seed = 1;
	w->policy = 0x02;
	net_init(&w->net, mac);
	w->ram = malloc(RAM_SIZE);
	w->lm = toe_lmem_new(w->ram, RAM_SIZE, &w->counters);
	w->n = toe_nop_new(&w->env, w->lm, &w->counters, &config, &w->ops, w);
	toe_nop_port_set(w->n, 0, NULL, how & 4 ? TOE_FILTER_PROMISC |
			 TOE_FILTER_UP : TOE_FILTER_UP, 0);
	toe_nop_addr_add(w->n, TOE_AF_INET, net_addr(4, 0), NET_PREFIX(4));
	toe_nop_route_add(w->n, TOE_AF_INET, zero, 0, net_addr(4, 1), 0);
	toe_nop_addr_add(w->n, TOE_AF_INET6, net_addr(6, 0), NET_PREFIX(6));
	toe_nop_route_add(w->n, TOE_AF_INET6, zero, 0, net_addr(6, 1), 0);
	if (how & 8) {
		toe_nop_neigh_add(w->n, TOE_AF_INET, net_addr(4, 1), peer_mac);
		toe_nop_neigh_add(w->n, TOE_AF_INET6, net_addr(6, 1),
				  peer_mac);
	}
	if (toe_stream_listen(w->n, &t, 4, &handle) == TOE_ST_OK)
		hold(w, handle, true);
}

/* Every count of what there is now, by what its text says. */
static void check_nothing_left(struct world *w, const char *when)
{
#define TEXT(NAME, name, text) text,
	static const char *const texts[] = { TOE_COUNTERS(TEXT) };
#undef TEXT
	unsigned int i;

	for (i = 0; i < TOE_CTR_MAX; i++)
		if (strstr(texts[i], " now ") && i != TOE_CTR_LMEM_BUFLETS_FREE)
			INVARIANT(!w->counters.v[i], "%s: %s: %" PRIu64, when,
				  texts[i], w->counters.v[i]);
	INVARIANT(toe_lmem_avail(w->lm, TOE_LMEM_IN) == toe_lmem_total(w->lm),
		  "%s: %u of %u buflets are free", when,
		  toe_lmem_avail(w->lm, TOE_LMEM_IN), toe_lmem_total(w->lm));
}

/* The owner lets go, the network is silent: everything ends by itself. */
static void check_ends(struct world *w)
{
	unsigned int i;

	for (i = 0; i < HELD; i++)
		if (w->held[i].used)
			let_go(w, w->held[i].handle, false);
	for (i = 0; i < SOCKS; i++) {
		toe_udp_close(w->n, w->socks[i]);
		w->socks[i] = 0;
	}
	w->busy = false;
	w->room = 0;
	toe_nop_port_busy(w->n, false);
	run(w);
	for (i = 0; w->counters.v[TOE_CTR_TCP_NCBS] ||
		    w->counters.v[TOE_CTR_IP_REASM_NOW] ||
		    w->counters.v[TOE_CTR_IP6_REASM_NOW]; i++) {
		int64_t d = toe_nop_deadline(w->n);

		INVARIANT(i < STEPS_MAX && d != INT64_MAX,
			  "%" PRIu64 " connections, %" PRIu64
			  " fragmented packets do not end",
			  w->counters.v[TOE_CTR_TCP_NCBS],
			  w->counters.v[TOE_CTR_IP_REASM_NOW] +
			  w->counters.v[TOE_CTR_IP6_REASM_NOW]);
		w->now = MAX(w->now, d);
		timers(w);
		run(w);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };
	struct world *w = calloc(1, sizeof(*w));
	uint8_t how = in_8(&in);
	unsigned int ops = 0;

	make(w, how);
	while (in_more(&in) && ops++ < OPS_MAX)
		op(w, &in);
	if (how & 0x80) {
		check_ends(w);
		check_nothing_left(w, "at the end");
	}
	toe_nop_reset(w->n);
	check_nothing_left(w, "after a reset");
	toe_nop_free(w->n);
	toe_lmem_free(w->lm);
	free(w->ram);
	free(w);
	return 0;
}
