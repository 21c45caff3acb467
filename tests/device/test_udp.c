// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_udp.c - UDP sockets of a context, end to end: requests in guest memory
 * on the one side, frames on the wire on the other.  What UDP itself must do
 * is in tests/unit/test_udp*.c.
 */
#include "libpeer.h"

#include <string.h>

#define GROUP	0xef010203u		/* 239.1.2.3 */

static struct net n;

static void setup(void)
{
	net_open(&n, "contexts=16,connections=32,localmem=1M");
	ck_assert_uint_eq(hw_neigh_add(&n.hw, PEER_IP, peer_mac), TOE_ST_OK);
	peer_none(&n.peer);
}

static void teardown(void)
{
	net_close(&n);
}

static uint32_t udp_open(struct hw_ctx *c, uint16_t port)
{
	struct toe_hw_req r = { .opcode = TOE_OP_UDP_OPEN };
	struct toe_hw_cqe e;

	r.u.udp_open.family = TOE_AF_INET;
	r.u.udp_open.lport = port;
	r.u.udp_open.credit = 100;
	ck_assert_uint_eq(hw_req_wait(c, &r, &e), TOE_ST_OK);
	return e.handle;
}

static uint8_t udp_send(struct hw_ctx *c, uint32_t handle, uint32_t ip,
			uint16_t port, const void *buf, uint32_t len)
{
	struct toe_hw_req r;

	hw_mem_write(c->hw, &c->mem, c->data, buf, len);
	hw_send_req(c, &r, handle, 0, len);
	r.opcode = TOE_OP_UDP_SEND;
	r.u.udp_send.family = TOE_AF_INET;
	r.u.udp_send.rport = port;
	hw_put_ipv4(r.u.udp_send.raddr, ip);
	return hw_req_wait(c, &r, NULL);
}

static uint8_t group(struct hw_ctx *c, uint8_t opcode, uint32_t handle)
{
	struct toe_hw_req r = { .opcode = opcode, .handle = handle };

	r.u.udp_group.family = TOE_AF_INET;
	hw_put_ipv4(r.u.udp_group.group, GROUP);
	return hw_req_wait(c, &r, NULL);
}

/* A datagram of the peer's, from port 9. */
static void say(uint32_t dst, uint16_t port, const void *buf, uint32_t len)
{
	static uint8_t f[2000], udp[1900];
	size_t total;

	memset(udp, 0, 8);
	put16(udp, 9);
	put16(udp + 2, port);
	put16(udp + 4, (uint16_t)(8 + len));
	memcpy(udp + 8, buf, len);
	total = peer_ipv4(f, PEER_IP, dst, 17, udp, 8 + len);
	if (dst == GROUP)
		memcpy(f, "\x01\x00\x5e\x01\x02\x03", 6);
	peer_send(&n.peer, f, total);
}

/* The next completion of c is this datagram, from the peer. */
static void hears(struct hw_ctx *c, uint32_t handle, uint32_t dst,
		  const void *want, uint32_t len)
{
	struct toe_hw_cqe e;
	uint8_t buf[HW_LARGE];

	hw_cq_expect(c, TOE_EV_UDP_RECV, &e);
	ck_assert_uint_eq(e.handle, handle);
	ck_assert_uint_eq(e.u.udp_recv.total, len);
	ck_assert_uint_eq(e.u.udp_recv.rport, 9);
	ck_assert_uint_eq(hw_get_ipv4(e.u.udp_recv.raddr), PEER_IP);
	ck_assert_uint_eq(hw_get_ipv4(e.u.udp_recv.laddr), dst);
	ck_assert_uint_eq(hw_recv_take(c, &e, buf, sizeof(buf)), len);
	ck_assert_mem_eq(buf, want, len);
}

START_TEST(both_ways)
{
	uint32_t h = udp_open(&n.ctx, 7000);
	uint8_t data[1400];
	struct pkt k;

	pattern_fill(data, 1, 0, sizeof(data));
	say(DUT_IP, 7000, data, 100);
	hears(&n.ctx, h, DUT_IP, data, 100);
	say(DUT_IP, 7000, data, sizeof(data));
	hears(&n.ctx, h, DUT_IP, data, sizeof(data));
	say(DUT_IP, 7000, data, 0);
	hears(&n.ctx, h, DUT_IP, data, 0);

	ck_assert_uint_eq(udp_send(&n.ctx, h, PEER_IP, 9, data, 1000),
			  TOE_ST_OK);
	peer_recv(&n.peer, &k);
	ck_assert_uint_eq(k.proto, 17);
	ck_assert_uint_eq(k.src, DUT_IP);
	ck_assert_uint_eq(get16(k.data), 7000);
	ck_assert_uint_eq(get16(k.data + 2), 9);
	ck_assert_uint_eq(get16(k.data + 4), 1008);
	ck_assert_mem_eq(k.data + 8, data, 1000);
	/* Its checksum holds, with the pseudo header. */
	ck_assert_uint_eq(peer_checksum(k.data, 1008,
					(DUT_IP >> 16) + (DUT_IP & 0xffff) +
					(PEER_IP >> 16) + (PEER_IP & 0xffff) +
					17 + 1008), 0);
	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_UDP_CLOSE, h), TOE_ST_OK);
	say(DUT_IP, 7000, data, 10);
	peer_recv(&n.peer, &k);
	ck_assert_uint_eq(k.proto, 1);
	ck_assert_uint_eq(k.data[1], 3);	/* nobody has the port now */
	hw_cq_none(&n.ctx);
}
END_TEST

/* The handle of another context's socket is worth nothing. */
START_TEST(owner)
{
	uint32_t h = udp_open(&n.ctx, 7000);
	struct hw_ctx other;

	hw_ctx_new(&n.hw, &other, 2, 0);
	ck_assert_uint_eq(udp_send(&other, h, PEER_IP, 9, "x", 1),
			  TOE_ST_OWNER);
	ck_assert_uint_eq(group(&other, TOE_OP_UDP_JOIN, h), TOE_ST_OWNER);
	ck_assert_uint_eq(hw_simple(&other, TOE_OP_UDP_CLOSE, h),
			  TOE_ST_OWNER);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_VIOL_OWNER), 3);
	peer_none(&n.peer);
	say(DUT_IP, 7000, "mine", 4);
	hears(&n.ctx, h, DUT_IP, "mine", 4);
	hw_cq_none(&other);
	hw_ctx_free(&other);
}
END_TEST

/* Members of two contexts get a copy each; who leaves, or dies, gets none. */
START_TEST(groups)
{
	uint32_t h = udp_open(&n.ctx, 7000), h2;
	struct toe_hw_req r = { .opcode = TOE_OP_UDP_OPEN };
	struct toe_hw_cqe e;
	struct hw_ctx other;
	struct pkt k;

	hw_ctx_new(&n.hw, &other, 2, 0);
	say(GROUP, 7000, "early", 5);
	peer_flush(&n.peer);
	hw_cq_none(&n.ctx);
	ck_assert_uint_eq(group(&n.ctx, TOE_OP_UDP_JOIN, h), TOE_ST_OK);
	peer_recv(&n.peer, &k);
	ck_assert_uint_eq(k.proto, 2);		/* IGMP says so */
	ck_assert_uint_eq(k.ttl, 1);
	say(GROUP, 7000, "one", 3);
	hears(&n.ctx, h, GROUP, "one", 3);

	/* The port is shared by who asks for it from the start. */
	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_UDP_CLOSE, h), TOE_ST_OK);
	r.u.udp_open.family = TOE_AF_INET;
	r.u.udp_open.flags = TOE_UDP_F_REUSE;
	r.u.udp_open.lport = 7000;
	r.u.udp_open.credit = 100;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, &e), TOE_ST_OK);
	h = e.handle;
	r.cookie = 0;
	ck_assert_uint_eq(hw_req_wait(&other, &r, &e), TOE_ST_OK);
	h2 = e.handle;
	ck_assert_uint_eq(group(&n.ctx, TOE_OP_UDP_JOIN, h), TOE_ST_OK);
	ck_assert_uint_eq(group(&other, TOE_OP_UDP_JOIN, h2), TOE_ST_OK);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_GROUPS), 1);
	say(GROUP, 7000, "both", 4);
	hears(&n.ctx, h, GROUP, "both", 4);
	hears(&other, h2, GROUP, "both", 4);
	ck_assert_uint_eq(group(&n.ctx, TOE_OP_UDP_LEAVE, h), TOE_ST_OK);
	say(GROUP, 7000, "other", 5);
	hears(&other, h2, GROUP, "other", 5);
	hw_cq_none(&n.ctx);
	ck_assert_uint_eq(hw_ctx_destroy(&n.hw, 2, 0), TOE_ST_OK);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_GROUPS), 0);
	hw_ctx_free(&other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("udp");
	TCase *tc = qt_case(s, "sockets", setup, teardown);

	tcase_add_test(tc, both_ways);
	tcase_add_test(tc, owner);
	tcase_add_test(tc, groups);
	return qt_main(s);
}
