/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * common_udp.c - sockets in a world of the network side; see common_udp.h.
 */
#include "common_udp.h"

struct udp_events ev;
uint32_t close_when_told;

static void on_readable(void *opaque, uint32_t handle)
{
	struct world *w = opaque;

	ev.readable++;
	ev.handle = handle;
	if (close_when_told)
		toe_udp_close(w->n, close_when_told);
	close_when_told = 0;
}

static void on_writable(void *opaque, uint32_t handle)
{
	(void)opaque;
	ev.writable++;
	ev.handle = handle;
}

static void on_error(void *opaque, uint32_t handle, uint8_t status, uint16_t rport,
		     const uint8_t *raddr)
{
	(void)opaque;
	ev.errors++;
	ev.handle = handle;
	ev.status = status;
	ev.rport = rport;
	memcpy(ev.raddr, raddr, 16);
}

const ToeStreamOps udp_ops = {
	.udp_readable = on_readable,
	.udp_writable = on_writable,
	.udp_error = on_error,
};

struct world *start_ram(size_t ram, uint32_t connections)
{
	ToeNopConfig config = world_default_config();
	struct world *w;

	config.connections = connections;
	memset(&ev, 0, sizeof(ev));
	w = world_new_config(&config, ram, &udp_ops);
	world_know_peer(w);
	return w;
}

struct world *start(void)
{
	return start_ram(4u << 20, 64);
}

struct world *start6(void)
{
	ToeNopConfig config = world_default_config();
	struct world *w;

	memset(&ev, 0, sizeof(ev));
	w = world6_new_config(&config, 4u << 20, &udp_ops);
	world6_know_peer(w);
	return w;
}

uint8_t try_open(struct world *w, uint8_t family, const uint8_t *laddr, uint16_t lport,
		 const uint8_t *raddr, uint16_t rport, unsigned flags, uint32_t *handle)
{
	ToeTuple t = {.family = family, .lport = lport, .rport = rport};

	memcpy(t.laddr, laddr, 16);
	memcpy(t.raddr, raddr, 16);
	return toe_udp_open(w->n, &t, flags, handle);
}

uint32_t open_at(struct world *w, const uint8_t *laddr, uint16_t lport)
{
	uint32_t handle;

	ck_assert_uint_eq(try_open(w, TOE_AF_INET, laddr, lport, NOADDR, 0, 0, &handle), TOE_ST_OK);
	return handle;
}

uint32_t open_to(struct world *w, uint16_t lport, const uint8_t *raddr, uint16_t rport)
{
	uint32_t handle;

	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, lport, raddr, rport, 0, &handle),
			  TOE_ST_OK);
	return handle;
}

/* A datagram; sum false: without a checksum. Its length. */
size_t make(uint8_t *out, uint8_t family, const uint8_t *src, uint16_t sport, const uint8_t *dst,
	    uint16_t dport, const void *data, size_t len, bool sum)
{
	toe_put16(out, sport);
	toe_put16(out + 2, dport);
	toe_put16(out + 4, (uint16_t)(8 + len));
	toe_put16(out + 6, 0);
	memcpy(out + 8, data, len);
	if (sum)
		toe_csum_store(out + 6, toe_csum(out, 8 + len,
						 toe_csum_pseudo(family, src, dst, 17, 8 + len)));
	return 8 + len;
}

void in_from(struct world *w, const uint8_t *src, uint16_t sport, const uint8_t *dst,
	     uint16_t dport, const void *data, size_t len)
{
	uint8_t *d = g_malloc(8 + len);

	len = make(d, TOE_AF_INET, src, sport, dst, dport, data, len, true);
	world_in_ip(w, src, dst, 17, d, len);
	g_free(d);
}

void in6(struct world *w, uint16_t dport, const void *data, size_t len, bool sum)
{
	uint8_t d[256];

	len = make(d, TOE_AF_INET6, P6, 53, W6, dport, data, len, sum);
	world6_in(w, P6, W6, 17, 64, d, len);
}

/* The oldest datagram must be these bytes from this port. */
void expect(struct world *w, uint32_t handle, uint16_t rport, const void *data, size_t len)
{
	const ToeChain *c;
	ToeDgram d;
	uint8_t *got = g_malloc(len + 1);

	ck_assert_msg(toe_udp_rx(w->n, handle, &d, &c), "nothing came");
	ck_assert_uint_eq(d.rport, rport);
	ck_assert_uint_eq(d.len, len);
	ck_assert_uint_eq(c->len, len);
	toe_chain_copy_out(w->lm, c, 0, got, len, NULL);
	ck_assert_mem_eq(got, data, len);
	g_free(got);
	toe_udp_rx_done(w->n, handle);
}

void expect_nothing(struct world *w, uint32_t handle)
{
	const ToeChain *c;
	ToeDgram d;

	ck_assert(!toe_udp_rx(w->n, handle, &d, &c));
}

uint8_t send_to(struct world *w, uint32_t handle, uint8_t family, const uint8_t *raddr,
		uint16_t rport, const void *data, size_t len)
{
	ToeDgram d = {.family = family, .rport = rport, .len = (uint32_t)len};
	ToeChain c = toe_chain_init();
	uint8_t status;

	memcpy(d.raddr, raddr, 16);
	status = toe_udp_send_check(w->n, handle, &d);
	if (status != TOE_ST_OK)
		return status;
	ck_assert(toe_chain_append(w->lm, &c, data, (uint32_t)len, TOE_LMEM_OUT));
	toe_udp_send(w->n, handle, &d, &c);
	return TOE_ST_OK;
}

uint8_t send4(struct world *w, uint32_t handle, const uint8_t *raddr, uint16_t rport,
	      const void *data, size_t len)
{
	return send_to(w, handle, TOE_AF_INET, raddr, rport, data, len);
}

/* The next frame must be this datagram, right in every detail. */
void expect_out(struct world *w, uint16_t sport, const uint8_t *dst, uint16_t dport,
		const void *data, size_t len)
{
	ToeWireIpv4 ip = world_expect_ip(w, 17);
	uint32_t sum;

	ck_assert_mem_eq(ip.dst, dst, 4);
	ck_assert_uint_eq(ip.len, 8 + len);
	ck_assert_uint_eq(toe_get16(ip.payload), sport);
	ck_assert_uint_eq(toe_get16(ip.payload + 2), dport);
	ck_assert_uint_eq(toe_get16(ip.payload + 4), 8 + len);
	ck_assert_uint_ne(toe_get16(ip.payload + 6), 0);
	sum = toe_csum_pseudo(TOE_AF_INET, ip.src, ip.dst, 17, 8 + len);
	ck_assert(toe_csum_ok(toe_csum(ip.payload, 8 + len, sum)));
	ck_assert_mem_eq(ip.payload + 8, data, len);
}

uint32_t lmem_used(struct world *w)
{
	return toe_lmem_total(w->lm) - toe_lmem_avail(w->lm, TOE_LMEM_IN);
}
