/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * common_nop.c - the fakes around the network side; see common_nop.h.
 */
#include "common_nop.h"
#include "nop/wire6.h"

#define RAM_SIZE	(4u << 20)
#define TURN_BUDGET	(1u << 20)
#define TURNS_MAX	10000	/* more without an end is an error */

/* ---- The world ---- */

static bool no_dma_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	(void)opaque, (void)addr, (void)buf, (void)len;
	ck_abort_msg("the network side reads host memory");
	return false;
}

static bool no_dma_write(void *opaque, uint64_t addr, const void *buf,
			 size_t len)
{
	(void)opaque, (void)addr, (void)buf, (void)len;
	ck_abort_msg("the network side writes host memory");
	return false;
}

static void no_irq(void *opaque, unsigned vector)
{
	(void)opaque, (void)vector;
	ck_abort_msg("the network side raises an interrupt");
}

static void keep(GQueue *q, const uint8_t *data, size_t len)
{
	struct frame *f = g_new0(struct frame, 1);

	f->data = g_malloc(len);
	memcpy(f->data, data, len);
	f->len = len;
	g_queue_push_tail(q, f);
}

/* A question for the MAC of the peer, sent to the peer alone? */
static bool is_question(struct world *w, const uint8_t *frame, size_t len)
{
	uint16_t type = toe_get16(frame + 12);

	if (len < TOE_ETH_MIN || memcmp(frame, PEER_MAC, 6))
		return false;
	if (type == TOE_ETHERTYPE_ARP &&
	    toe_get16(frame + 20) == TOE_ARP_REQUEST) {
		w->answer_family = TOE_AF_INET;
		memset(w->answer, 0, 16);
		memcpy(w->answer, frame + 38, 4);
		return true;
	}
	if (type == TOE_ETHERTYPE_IPV6 && frame[20] == TOE_PROTO_ICMP6 &&
	    frame[54] == TOE_ICMP6_SOLICIT) {
		w->answer_family = TOE_AF_INET6;
		memcpy(w->answer, frame + 62, 16);
		return true;
	}
	return false;
}

static bool send_frame(void *opaque, const uint8_t *frame, size_t len)
{
	struct world *w = opaque;

	ck_assert_msg(w->port_room > 0, "a frame for a busy port");
	ck_assert_msg(!w->in_frame, "a frame out while one comes in");
	if (w->peer_answers && is_question(w, frame, len)) {
		w->questions++;
		return true;
	}
	keep(&w->sent, frame, len);
	w->port_room--;
	return w->port_room > 0;
}

static int64_t now(void *opaque)
{
	struct world *w = opaque;

	return w->now += w->clock_step;
}

static void set_timer(void *opaque, int64_t deadline)
{
	(void)opaque, (void)deadline;
}

static void kick(void *opaque)
{
	(void)opaque;
}

/* splitmix64: any seed will do. */
static void random_bytes(void *opaque, void *buf, size_t len)
{
	struct world *w = opaque;
	uint8_t *p = buf;

	while (len) {
		size_t n = MIN(len, 8);
		uint64_t z;

		w->seed += 0x9e3779b97f4a7c15ULL;
		z = w->seed;
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
		z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
		z ^= z >> 31;
		memcpy(p, &z, n);
		p += n;
		len -= n;
	}
}

static void guest_error(void *opaque, const char *sentence)
{
	struct world *w = opaque;

	w->guest_errors++;
	g_strlcpy(w->last_error, sentence, sizeof(w->last_error));
}

static void eth_frame(void *opaque, const uint8_t *frame, size_t len)
{
	struct world *w = opaque;

	keep(&w->os, frame, len);
}

ToeNopConfig world_default_config(void)
{
	ToeNopConfig c = { .connections = 64, .mtu_max = 9000 };

	memcpy(c.mac, WORLD_MAC, 6);
	return c;
}

static struct world *create(const ToeNopConfig *config, size_t ram,
			    const ToeStreamOps *ops)
{
	struct world *w = g_new0(struct world, 1);

	w->env = (ToeEnv) {
		.opaque = w,
		.dma_read = no_dma_read,
		.dma_write = no_dma_write,
		.irq = no_irq,
		.send_frame = send_frame,
		.now = now,
		.set_timer = set_timer,
		.kick = kick,
		.random = random_bytes,
		.guest_error = guest_error,
	};
	if (ops)
		w->ops = *ops;
	w->ops.eth_frame = eth_frame;
	w->config = *config;
	w->ram = g_malloc0(ram);
	w->now = 1000 * SEC;
	w->seed = 1;
	w->port_room = UINT32_MAX;
	g_queue_init(&w->sent);
	g_queue_init(&w->os);
	w->lm = toe_lmem_new(w->ram, ram, &w->counters);
	w->n = toe_nop_new(&w->env, w->lm, &w->counters, &w->config, &w->ops,
			   w);
	return w;
}

struct world *world_new_bare(void)
{
	ToeNopConfig config = world_default_config();

	return create(&config, RAM_SIZE, NULL);
}

struct world *world_new_config(const ToeNopConfig *config, size_t ram,
			       const ToeStreamOps *ops)
{
	struct world *w = create(config, ram, ops);

	ck_assert_uint_eq(toe_nop_port_set(w->n, 0, NULL, TOE_FILTER_UP, 0),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET, WORLD_IP, 24),
			  TOE_ST_OK);
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET, IP(0, 0, 0, 0),
					    0, PEER_IP, 0), TOE_ST_OK);
	world_advance(w, 10 * SEC);
	world_forget(w);
	/* What the announcement counted; gauges keep their values. */
	w->counters.v[TOE_CTR_PORT_FRAMES_OUT] = 0;
	w->counters.v[TOE_CTR_PORT_BYTES_OUT] = 0;
	w->counters.v[TOE_CTR_ARP_REQUESTS_OUT] = 0;
	return w;
}

struct world *world_new(void)
{
	ToeNopConfig config = world_default_config();

	return world_new_config(&config, RAM_SIZE, NULL);
}

static void free_frame(void *data)
{
	struct frame *f = data;

	g_free(f->data);
	g_free(f);
}

void world_free(struct world *w)
{
	toe_nop_free(w->n);
	toe_lmem_free(w->lm);
	world_forget(w);
	g_free(w->last.data);
	g_free(w->ram);
	g_free(w);
}

void world_run(struct world *w)
{
	int turns;

	for (turns = 0; toe_nop_deadline(w->n) <= w->now; turns++) {
		ck_assert_msg(turns < TURNS_MAX, "timers without end");
		toe_nop_timer(w->n);
	}
	for (turns = 0; toe_nop_run(w->n, TURN_BUDGET); turns++)
		ck_assert_msg(turns < TURNS_MAX, "turns without end");
	if (w->answer_family) {
		ck_assert_uint_eq(toe_nop_neigh_add(w->n, w->answer_family,
						    w->answer, PEER_MAC),
				  TOE_ST_OK);
		w->answer_family = 0;
	}
}

void world_advance(struct world *w, int64_t ns)
{
	int64_t end = w->now + ns;

	world_run(w);
	while (toe_nop_deadline(w->n) <= end) {
		w->now = MAX(w->now, toe_nop_deadline(w->n));
		world_run(w);
	}
	w->now = end;
	world_run(w);
}

void world_know_peer(struct world *w)
{
	ck_assert_uint_eq(toe_nop_neigh_add(w->n, TOE_AF_INET, PEER_IP,
					    PEER_MAC), TOE_ST_OK);
}

static const uint8_t *next(struct world *w, GQueue *q, size_t *len)
{
	struct frame *f = g_queue_pop_head(q);

	if (!f)
		return NULL;
	g_free(w->last.data);
	w->last = *f;
	g_free(f);
	*len = w->last.len;
	return w->last.data;
}

const uint8_t *world_sent(struct world *w, size_t *len)
{
	return next(w, &w->sent, len);
}

const uint8_t *world_os(struct world *w, size_t *len)
{
	return next(w, &w->os, len);
}

void world_forget(struct world *w)
{
	g_queue_clear_full(&w->sent, free_frame);
	g_queue_clear_full(&w->os, free_frame);
}

unsigned world_sent_count(struct world *w)
{
	return w->sent.length;
}

unsigned world_os_count(struct world *w)
{
	return w->os.length;
}

uint64_t world_counter(struct world *w, enum toe_counter c)
{
	return w->counters.v[c];
}

/* ---- Frames to the adapter ---- */

void world_in(struct world *w, const void *frame, size_t len)
{
	/* Exactly as long as it is, so that reading past it is seen. */
	uint8_t *copy = g_malloc(len);
	uint32_t budget = UINT32_MAX;

	if (len)
		memcpy(copy, frame, len);
	w->in_frame = true;
	toe_nop_frame_in(w->n, copy, len);
	w->in_frame = false;
	g_free(copy);
	/* What may not go out while a frame comes in does so soon after. */
	toe_eth_flush(w->n, &budget);
}

void world_in_arp(struct world *w, const uint8_t *dst, uint16_t op,
		  const uint8_t *sha, const uint8_t *spa, const uint8_t *tha,
		  const uint8_t *tpa)
{
	uint8_t f[TOE_ETH_MIN] = { 0 };

	toe_wire_eth_build(f, dst, sha, TOE_ETHERTYPE_ARP);
	toe_wire_arp_build(f + TOE_ETH_HLEN, op, sha, spa, tha, tpa);
	world_in(w, f, sizeof(f));
}

size_t world_make_ip(uint8_t *out, const uint8_t *src, const uint8_t *dst,
		     uint8_t proto, const void *payload, size_t len)
{
	uint8_t *ip = out + TOE_ETH_HLEN;

	ck_assert_uint_le(len + TOE_IPV4_HLEN, 65535);
	toe_wire_eth_build(out, WORLD_MAC, PEER_MAC, TOE_ETHERTYPE_IPV4);
	toe_wire_ipv4_build(ip, 0, len + TOE_IPV4_HLEN, 0x1234, true, 63,
			    proto, src, dst);
	if (len)
		memcpy(ip + TOE_IPV4_HLEN, payload, len);
	return TOE_ETH_HLEN + TOE_IPV4_HLEN + len;
}

void world_in_ip(struct world *w, const uint8_t *src, const uint8_t *dst,
		 uint8_t proto, const void *payload, size_t len)
{
	uint8_t *f = g_malloc(TOE_ETH_HLEN + TOE_IPV4_HLEN + len);
	uint8_t *ip = f + TOE_ETH_HLEN;
	size_t piece = w->cut && len > w->cut ? w->cut : len, off;

	for (off = piece ? (len - 1) / piece * piece : 0;; off -= piece) {
		size_t n = MIN(piece, len - off);
		size_t size = world_make_ip(f, src, dst, proto,
					    (const uint8_t *)payload + off, n);

		if (n < len)
			toe_put16(ip + 6, (off + n < len ? 0x2000 : 0) |
					  off / 8);
		if (n < len || w->tos) {
			ip[1] = w->tos;
			toe_put16(ip + 10, 0);
			toe_csum_store(ip + 10, toe_csum(ip, TOE_IPV4_HLEN, 0));
		}
		world_in(w, f, size);
		if (!off)
			break;
	}
	g_free(f);
}

/* ---- Frames from the adapter ---- */

ToeWireArp world_expect_arp(struct world *w, uint16_t op)
{
	ToeWireEth e;
	ToeWireArp a;
	size_t len;
	const uint8_t *f = world_sent(w, &len);

	ck_assert_msg(f, "no frame was sent, expected ARP");
	ck_assert_uint_ge(len, TOE_ETH_MIN);
	ck_assert(toe_wire_eth_parse(f, len, &e));
	ck_assert_uint_eq(e.type, TOE_ETHERTYPE_ARP);
	ck_assert_mem_eq(e.src, w->n->mac, 6);
	ck_assert_int_eq(toe_wire_arp_parse(e.payload, e.len, &a),
			 TOE_WIRE_ARP_OK);
	ck_assert_uint_eq(a.op, op);
	ck_assert_mem_eq(a.sha, w->n->mac, 6);
	return a;
}

ToeWireIpv4 world_expect_ip(struct world *w, uint8_t proto)
{
	ToeWireEth e;
	ToeWireIpv4 ip;
	size_t len;
	const uint8_t *f = world_sent(w, &len);

	ck_assert_msg(f, "no frame was sent, expected IPv4");
	ck_assert_uint_ge(len, TOE_ETH_MIN);
	ck_assert(toe_wire_eth_parse(f, len, &e));
	ck_assert_uint_eq(e.type, TOE_ETHERTYPE_IPV4);
	ck_assert_mem_eq(e.src, w->n->mac, 6);
	ck_assert_int_eq(toe_wire_ipv4_parse(e.payload, e.len, &ip),
			 TOE_WIRE_IPV4_OK);
	ck_assert_uint_eq(ip.proto, proto);
	return ip;
}

void world_expect_silence(struct world *w)
{
	ck_assert_msg(!w->sent.length, "%u frames were sent, expected none",
		      w->sent.length);
}
