/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_stream.h - the network side as the host side sees it, played by a test.
 *
 * Included by one file of a test program, it defines all of stream.h, so the
 * real NOPs are not linked in.  The test opens and closes "the wire's" end of
 * connections, sets how much they take, and looks at what was sent.
 */
#ifndef TOE_TESTS_FAKE_STREAM_H
#define TOE_TESTS_FAKE_STREAM_H

#include "common_host.h"

#define FAKE_CONNS 64u

struct fake_conn {
	uint16_t generation;	/* of the handle, while used */
	bool used;
	bool shut;
	ToeTuple t;
	uint32_t space;		/* bytes that send takes */
	ToeChain rx;
	GByteArray *sent;
	bool more;		/* flag of the last send */
	bool linger;		/* close has to wait */
	bool undelivered;	/* and waited in vain */
	uint64_t opt[32];	/* as set */
	guint urgent;		/* bytes sent when the last urgent one was */
};

static struct {
	ToeLmem *lm;
	const ToeStreamOps *ops;
	void *opaque;
	struct fake_conn conn[FAKE_CONNS];
	uint32_t space;		/* of new connections */
	unsigned closes, aborts, accepts, runs, frames, fast;
	uint8_t connect_status;
	bool port_busy;
	GByteArray *last_frame;
	void (*on_frame)(void);	/* instead of giving it to the kernel */
	void (*on_run)(void);	/* once, in the next turn of output */
} net;

static struct fake_conn *fake_find(uint32_t handle)
{
	struct fake_conn *c = &net.conn[TOE_INDEX(handle) % FAKE_CONNS];

	ck_assert_msg(TOE_INDEX(handle) < FAKE_CONNS && c->used &&
		      c->generation == TOE_GENERATION(handle),
		      "the host side used the dead handle 0x%x", handle);
	return c;
}

/* A new connection; every reuse of an index has a new generation. */
static uint32_t fake_open(const ToeTuple *t)
{
	for (uint32_t i = 0; i < FAKE_CONNS; i++) {
		struct fake_conn *c = &net.conn[i];

		if (c->used)
			continue;
		c->used = true;
		c->shut = c->linger = c->undelivered = false;
		c->urgent = 0;
		memset(c->opt, 0, sizeof(c->opt));
		c->generation++;
		c->t = *t;
		c->space = net.space;
		c->rx = toe_chain_init();
		if (c->sent)
			g_byte_array_set_size(c->sent, 0);
		else
			c->sent = g_byte_array_new();
		return TOE_HANDLE(i, c->generation);
	}
	return 0;
}

static void fake_release(uint32_t handle)
{
	struct fake_conn *c = fake_find(handle);

	toe_chain_clear(net.lm, &c->rx);
	c->used = false;
}

/* Bytes arrive; the event is the caller's to raise. */
__attribute__((unused))
static void fake_rx(uint32_t handle, const void *data, uint32_t len)
{
	ck_assert(toe_chain_append(net.lm, &fake_find(handle)->rx, data, len,
				   TOE_LMEM_IN));
}

/* A connection comes to a listener. */
__attribute__((unused))
static uint32_t fake_incoming(uint32_t listener)
{
	ToeTuple t = fake_find(listener)->t;
	uint32_t handle;

	t.rport = 7777;
	handle = fake_open(&t);
	net.ops->incoming(net.opaque, listener, handle);
	return handle;
}

__attribute__((unused))
static unsigned fake_used(void)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < FAKE_CONNS; i++)
		n += net.conn[i].used;
	return n;
}

/* ---- stream.h ---- */

ToeNop *toe_nop_new(const ToeEnv *env, ToeLmem *lm, ToeCounters *counters,
		    const ToeNopConfig *config, const ToeStreamOps *ops,
		    void *ops_opaque)
{
	(void)env;
	(void)counters;
	(void)config;
	memset(&net, 0, sizeof(net));
	net.lm = lm;
	net.ops = ops;
	net.opaque = ops_opaque;
	net.space = 1u << 20;
	net.last_frame = g_byte_array_new();
	return (ToeNop *)(void *)&net;
}

void toe_nop_free(ToeNop *n)
{
	(void)n;
	for (uint32_t i = 0; i < FAKE_CONNS; i++)
		if (net.conn[i].sent)
			g_byte_array_unref(net.conn[i].sent);
	g_byte_array_unref(net.last_frame);
}

void toe_nop_reset(ToeNop *n)
{
	(void)n;
	for (uint32_t i = 0; i < FAKE_CONNS; i++)
		net.conn[i].used = false;
}

void toe_nop_frame_in(ToeNop *n, const uint8_t *frame, size_t len)
{
	(void)n;
	net.frames++;
	if (net.on_frame) {
		net.on_frame();
		return;
	}
	net.ops->eth_frame(net.opaque, frame, len);
}

void toe_nop_timer(ToeNop *n)
{
	(void)n;
}

int64_t toe_nop_deadline(ToeNop *n)
{
	(void)n;
	return INT64_MAX;
}

bool toe_nop_run(ToeNop *n, uint32_t budget)
{
	(void)n;
	(void)budget;
	net.runs++;
	if (net.on_run) {
		void (*what)(void) = net.on_run;

		net.on_run = NULL;
		what();
	}
	return false;
}

void toe_nop_port_busy(ToeNop *n, bool busy)
{
	(void)n;
	net.port_busy = busy;
}

void toe_nop_link(ToeNop *n, bool up)
{
	(void)n;
	(void)up;
}

uint8_t toe_nop_addr_add(ToeNop *n, uint8_t family, const uint8_t *addr,
			 uint8_t prefix)
{
	(void)n;
	(void)family;
	(void)addr;
	(void)prefix;
	return TOE_ST_OK;
}

uint8_t toe_nop_addr_del(ToeNop *n, uint8_t family, const uint8_t *addr,
			 uint8_t prefix)
{
	return toe_nop_addr_add(n, family, addr, prefix);
}

uint8_t toe_nop_route_add(ToeNop *n, uint8_t family, const uint8_t *dst,
			  uint8_t prefix, const uint8_t *gateway,
			  uint32_t metric)
{
	(void)gateway;
	(void)metric;
	return toe_nop_addr_add(n, family, dst, prefix);
}

uint8_t toe_nop_route_del(ToeNop *n, uint8_t family, const uint8_t *dst,
			  uint8_t prefix, const uint8_t *gateway,
			  uint32_t metric)
{
	return toe_nop_route_add(n, family, dst, prefix, gateway, metric);
}

uint8_t toe_nop_neigh_add(ToeNop *n, uint8_t family, const uint8_t *addr,
			  const uint8_t *mac)
{
	(void)mac;
	return toe_nop_addr_add(n, family, addr, 0);
}

uint8_t toe_nop_neigh_del(ToeNop *n, uint8_t family, const uint8_t *addr)
{
	return toe_nop_addr_add(n, family, addr, 0);
}

uint8_t toe_nop_port_set(ToeNop *n, uint32_t mtu, const uint8_t *mac,
			 uint32_t filter, uint64_t mcast_hash)
{
	(void)n;
	(void)mtu;
	(void)mac;
	(void)filter;
	(void)mcast_hash;
	return TOE_ST_OK;
}

uint8_t toe_nop_param_set(ToeNop *n, uint32_t param, uint64_t value)
{
	(void)n;
	(void)param;
	(void)value;
	return TOE_ST_OK;
}

uint8_t toe_nop_param_get(ToeNop *n, uint32_t param, uint64_t *value)
{
	(void)n;
	(void)param;
	*value = 1;
	return TOE_ST_OK;
}

bool toe_nop_eth_send(ToeNop *n, const uint8_t *frame, size_t len)
{
	(void)n;
	if (net.port_busy)
		return false;
	g_byte_array_set_size(net.last_frame, 0);
	g_byte_array_append(net.last_frame, frame, (guint)len);
	return true;
}

uint8_t toe_stream_connect(ToeNop *n, ToeTuple *t, uint32_t *handle)
{
	(void)n;
	if (net.connect_status != TOE_ST_OK)
		return net.connect_status;
	t->lport = t->lport ? t->lport : 20000;
	*handle = fake_open(t);
	if (*handle)
		fake_find(*handle)->space = 0;	/* until established */
	return *handle ? TOE_ST_OK : TOE_ST_NOMEM;
}

uint8_t toe_stream_connect_fast(ToeNop *n, ToeTuple *t, uint32_t *handle)
{
	net.fast++;
	return toe_stream_connect(n, t, handle);
}

uint8_t toe_stream_listen(ToeNop *n, ToeTuple *t, uint32_t backlog,
			  uint32_t *handle)
{
	(void)n;
	(void)backlog;
	t->lport = t->lport ? t->lport : 20001;
	*handle = fake_open(t);
	return *handle ? TOE_ST_OK : TOE_ST_NOMEM;
}

void toe_stream_accepted(ToeNop *n, uint32_t handle)
{
	(void)n;
	fake_find(handle);
	net.accepts++;
}

uint8_t toe_stream_tuple(ToeNop *n, uint32_t handle, ToeTuple *t,
			 uint16_t *mss)
{
	(void)n;
	*t = fake_find(handle)->t;
	*mss = 1460;
	return TOE_ST_OK;
}

uint32_t toe_stream_send_space(ToeNop *n, uint32_t handle)
{
	(void)n;
	return fake_find(handle)->space;
}

void toe_stream_send(ToeNop *n, uint32_t handle, ToeChain *data, bool more)
{
	struct fake_conn *c = fake_find(handle);
	guint at = c->sent->len;

	(void)n;
	ck_assert_uint_le(data->len, c->space);
	c->space -= data->len;
	c->more = more;
	g_byte_array_set_size(c->sent, at + data->len);
	toe_chain_copy_out(net.lm, data, 0, c->sent->data + at, data->len,
			   NULL);
	toe_chain_clear(net.lm, data);
}

void toe_stream_urgent(ToeNop *n, uint32_t handle)
{
	(void)n;
	fake_find(handle)->urgent = fake_find(handle)->sent->len;
}

const ToeChain *toe_stream_rx(ToeNop *n, uint32_t handle)
{
	(void)n;
	return &fake_find(handle)->rx;
}

void toe_stream_rx_consumed(ToeNop *n, uint32_t handle, uint32_t len)
{
	struct fake_conn *c = fake_find(handle);

	(void)n;
	ck_assert_uint_le(len, c->rx.len);
	toe_chain_trim_head(net.lm, &c->rx, len);
}

uint8_t toe_stream_shutdown(ToeNop *n, uint32_t handle)
{
	(void)n;
	fake_find(handle)->shut = true;
	return TOE_ST_OK;
}

void toe_stream_close(ToeNop *n, uint32_t handle)
{
	(void)n;
	fake_release(handle);
	net.closes++;
}

bool toe_stream_linger(ToeNop *n, uint32_t handle, bool *delivered)
{
	(void)n;
	*delivered = !fake_find(handle)->undelivered;
	return fake_find(handle)->linger;
}

void toe_stream_abort(ToeNop *n, uint32_t handle)
{
	(void)n;
	fake_release(handle);
	net.aborts++;
}

uint8_t toe_stream_setopt(ToeNop *n, uint32_t handle, uint32_t option,
			  uint64_t value)
{
	(void)n;
	if (option != TOE_OPT_NODELAY && option != TOE_OPT_MAXSEG &&
	    option != TOE_OPT_TOS && option != TOE_OPT_TTL &&
	    option != TOE_OPT_RCVBUF && option != TOE_OPT_SNDBUF)
		return TOE_ST_INVALID;
	if (option == TOE_OPT_MAXSEG && value == 1)
		return TOE_ST_INVALID;
	fake_find(handle)->opt[option] = value;
	return TOE_ST_OK;
}

uint8_t toe_stream_getopt(ToeNop *n, uint32_t handle, uint32_t option,
			  uint64_t *value)
{
	/* A connection whose space is what it began with has none in flight. */
	*value = option == TOE_OPT_SNDBUF ? net.space : 42;
	return option == TOE_OPT_SNDBUF ? TOE_ST_OK
	       : toe_stream_setopt(n, handle, option, 0);
}

/* Datagrams are tested with the real NOPs. */
uint32_t toe_udp_sockets(ToeNop *n)
{
	(void)n;
	return 1;
}

uint32_t toe_udp_index(ToeNop *n, uint32_t handle)
{
	(void)n, (void)handle;
	return UINT32_MAX;
}

uint8_t toe_udp_open(ToeNop *n, ToeTuple *t, unsigned flags, uint32_t *handle)
{
	(void)n, (void)t, (void)flags, (void)handle;
	return TOE_ST_NOMEM;
}

uint8_t toe_udp_connect(ToeNop *n, uint32_t handle, ToeTuple *t)
{
	(void)n, (void)handle, (void)t;
	return TOE_ST_HANDLE;
}

uint8_t toe_udp_tuple(ToeNop *n, uint32_t handle, ToeTuple *t)
{
	(void)n, (void)handle, (void)t;
	return TOE_ST_HANDLE;
}

void toe_udp_close(ToeNop *n, uint32_t handle)
{
	(void)n, (void)handle;
}

uint8_t toe_udp_send_check(ToeNop *n, uint32_t handle, ToeDgram *d)
{
	(void)n, (void)handle, (void)d;
	return TOE_ST_HANDLE;
}

void toe_udp_send(ToeNop *n, uint32_t handle, const ToeDgram *d,
		  ToeChain *data)
{
	(void)n, (void)handle, (void)d, (void)data;
}

bool toe_udp_rx(ToeNop *n, uint32_t handle, ToeDgram *d,
		const ToeChain **data)
{
	(void)n, (void)handle, (void)d, (void)data;
	return false;
}

void toe_udp_rx_done(ToeNop *n, uint32_t handle)
{
	(void)n, (void)handle;
}

uint8_t toe_udp_setopt(ToeNop *n, uint32_t handle, uint32_t option,
		       uint64_t value)
{
	(void)n, (void)handle, (void)option, (void)value;
	return TOE_ST_HANDLE;
}

uint8_t toe_udp_getopt(ToeNop *n, uint32_t handle, uint32_t option,
		       uint64_t *value)
{
	(void)n, (void)handle, (void)option, (void)value;
	return TOE_ST_HANDLE;
}

uint8_t toe_udp_join(ToeNop *n, uint32_t handle, uint8_t family,
		     const uint8_t *addr)
{
	(void)n, (void)handle, (void)family, (void)addr;
	return TOE_ST_HANDLE;
}

uint8_t toe_udp_leave(ToeNop *n, uint32_t handle, uint8_t family,
		      const uint8_t *addr)
{
	(void)n, (void)handle, (void)family, (void)addr;
	return TOE_ST_HANDLE;
}

bool toe_udp_info(ToeNop *n, uint32_t *index, struct toe_hw_conn_info *info)
{
	(void)n, (void)index, (void)info;
	return false;
}

bool toe_stream_info(ToeNop *n, uint32_t *index, struct toe_hw_conn_info *info)
{
	(void)n;
	while (*index < FAKE_CONNS && !net.conn[*index].used)
		++*index;
	if (*index >= FAKE_CONNS)
		return false;
	info->handle = TOE_HANDLE(*index, net.conn[*index].generation);
	++*index;
	return true;
}

/* Something to recognise: each byte is its offset. */
uint8_t toe_stream_tcp_info(ToeNop *n, uint32_t handle,
			    struct toe_hw_tcp_info *info)
{
	(void)n;
	fake_find(handle);
	for (size_t i = 0; i < sizeof(*info); i++)
		((uint8_t *)info)[i] = (uint8_t)i;
	return TOE_ST_OK;
}

#endif
