// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_admin.c - the admin queue: every command well and badly formed, the
 * rings' wrap and limits, fatal errors and the way out of them.
 */
#include "libpeer.h"

#include <stdlib.h>
#include <string.h>

#define CONTEXTS 16u

static struct hw hw;

static void setup(void)
{
	hw_start(&hw, "", "contexts=16,connections=32,localmem=1M");
	hw_enable(&hw);
}

static void teardown(void)
{
	hw_stop(&hw);
}

static uint8_t run(struct toe_hw_adm_cmd cmd)
{
	return hw_admin(&hw, &cmd, NULL);
}

/* ---- The rings ---- */

START_TEST(nop_and_wrap)
{
	unsigned i;

	/* Several times round both rings: the phase toggles. */
	for (i = 0; i < 100; i++) {
		struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_NOP };

		hw_admin_ok(&hw, &cmd);
	}
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_AQ_HEAD), 100);
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_ADM_COMMANDS), 100);
}
END_TEST

START_TEST(batch)
{
	struct toe_hw_adm_cpl cpl;
	unsigned i, n = 1u << HW_AQ_LOG2;

	/* A whole ring with one doorbell, answered in order. */
	for (i = 0; i < n; i++) {
		struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_NOP,
					      .tag = (uint16_t)(900 + i) };

		qt_write(hw.qt, hw.aq + 64 * i, &cmd, sizeof(cmd));
	}
	hw.aq_tail = n;
	hw_reg_write(&hw, TOE_REG_AQ_TAIL, n);
	for (i = 0; i < n; i++) {
		hw_admin_next(&hw, &cpl);
		ck_assert_uint_eq(cpl.tag, 900 + i);
		ck_assert_uint_eq(cpl.status, TOE_ST_OK);
	}
}
END_TEST

START_TEST(completion_queue_full)
{
	struct toe_hw_adm_cpl cpl;
	unsigned i, room = 1u << HW_ACQ_LOG2, posted = 0;

	/* Consume nothing: exactly as many are fetched as fit. */
	while (posted < room + 4) {
		struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_NOP };

		hw_admin_post(&hw, &cmd);
		posted++;
	}
	qt_settle(hw.qt);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_AQ_HEAD), room);
	/* Nothing was overwritten, and the rest follows. */
	for (i = 1; i <= posted; i++) {
		hw_admin_next(&hw, &cpl);
		ck_assert_uint_eq(cpl.tag, i);
	}
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_AQ_HEAD), posted);
}
END_TEST

/* After a fatal error commands do nothing; a reset makes it whole again. */
static void check_fatal(uint32_t why)
{
	QT_WAIT(hw.qt, hw_reg(&hw, TOE_REG_STATUS) & TOE_STATUS_FATAL);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_ERROR), why);
	ck_assert(!(hw_reg(&hw, TOE_REG_STATUS) & TOE_STATUS_READY));
	hw_reset(&hw);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_ERROR), TOE_FATAL_NONE);
	ck_assert(!(hw_reg(&hw, TOE_REG_STATUS) & TOE_STATUS_FATAL));
	hw_enable(&hw);
	ck_assert_uint_eq(hw_ctx_create(&hw, 1, 0, 1, 0), TOE_ST_OK);
}

START_TEST(tail_out_of_range)
{
	hw_reg_write(&hw, TOE_REG_AQ_TAIL, (1u << HW_AQ_LOG2) + 1);
	check_fatal(TOE_FATAL_AQ_INDEX);
	/* "Less than nothing" is a very large number of commands. */
	hw_reg_write(&hw, TOE_REG_AQ_TAIL, 0xffffffff);
	check_fatal(TOE_FATAL_AQ_INDEX);
}
END_TEST

START_TEST(head_out_of_range)
{
	hw_reg_write(&hw, TOE_REG_ACQ_HEAD, 1);
	check_fatal(TOE_FATAL_AQ_INDEX);
}
END_TEST

static void try_enable(uint64_t aq, uint32_t aq_log2, uint64_t acq,
		       uint32_t acq_log2)
{
	hw_reset(&hw);
	hw_reg_write(&hw, TOE_REG_AQ_BASE_LO, (uint32_t)aq);
	hw_reg_write(&hw, TOE_REG_AQ_BASE_HI, (uint32_t)(aq >> 32));
	hw_reg_write(&hw, TOE_REG_AQ_LOG2, aq_log2);
	hw_reg_write(&hw, TOE_REG_ACQ_BASE_LO, (uint32_t)acq);
	hw_reg_write(&hw, TOE_REG_ACQ_BASE_HI, (uint32_t)(acq >> 32));
	hw_reg_write(&hw, TOE_REG_ACQ_LOG2, acq_log2);
	hw_reg_write(&hw, TOE_REG_CONTROL, TOE_CTL_ENABLE);
}

START_TEST(bad_configuration)
{
	uint64_t a = hw.aq, c = hw.acq;

	try_enable(a, 9, c, 4);
	check_fatal(TOE_FATAL_AQ_CONFIG);
	try_enable(a, 4, c, 9);
	check_fatal(TOE_FATAL_AQ_CONFIG);
	try_enable(a, 0xffffffff, c, 4);
	check_fatal(TOE_FATAL_AQ_CONFIG);
	try_enable(a + 32, 3, c, 4);
	check_fatal(TOE_FATAL_AQ_CONFIG);
	try_enable(a, 3, c + 1, 4);
	check_fatal(TOE_FATAL_AQ_CONFIG);
	try_enable(0xffffffffffffffc0ull, 8, c, 4);
	check_fatal(TOE_FATAL_AQ_CONFIG);
}
END_TEST

START_TEST(smallest_rings)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_NOP, .tag = 5 };
	struct toe_hw_adm_cpl cpl;

	/* log2 0: one entry each. */
	try_enable(hw.aq, 0, hw.acq, 0);
	ck_assert(hw_reg(&hw, TOE_REG_STATUS) & TOE_STATUS_READY);
	qt_memset(hw.qt, hw.acq, 0, 32);
	qt_write(hw.qt, hw.aq, &cmd, sizeof(cmd));
	hw_reg_write(&hw, TOE_REG_AQ_TAIL, 1);
	QT_WAIT(hw.qt, hw_reg(&hw, TOE_REG_AQ_HEAD) == 1);
	qt_settle(hw.qt);
	qt_read(hw.qt, hw.acq, &cpl, sizeof(cpl));
	ck_assert_uint_eq(cpl.tag, 5);
	ck_assert_uint_eq(cpl.flags, TOE_ADM_CPL_PHASE);
	hw_reg_write(&hw, TOE_REG_ACQ_HEAD, 1);
	hw_reg_write(&hw, TOE_REG_AQ_TAIL, 2);
	QT_WAIT(hw.qt, hw_reg(&hw, TOE_REG_AQ_HEAD) == 2);
	qt_settle(hw.qt);
	qt_read(hw.qt, hw.acq, &cpl, sizeof(cpl));
	ck_assert_uint_eq(cpl.flags, 0);
}
END_TEST

START_TEST(disabled)
{
	/* Without ENABLE the doorbell does nothing. */
	hw_reset(&hw);
	hw_reg_write(&hw, TOE_REG_AQ_TAIL, 1);
	qt_settle(hw.qt);
	ck_assert_uint_eq(hw_reg(&hw, TOE_REG_AQ_HEAD), 0);
	ck_assert(!(hw_reg(&hw, TOE_REG_STATUS) & TOE_STATUS_FATAL));
}
END_TEST

/* ---- What holds for every command ---- */

static const uint8_t known[] = {
	TOE_ADM_NOP, TOE_ADM_CTX_CREATE, TOE_ADM_CTX_QUEUES,
	TOE_ADM_CTX_DESTROY, TOE_ADM_MEM_REGISTER, TOE_ADM_MEM_PAGES,
	TOE_ADM_MEM_REVOKE, TOE_ADM_ADDR_ADD, TOE_ADM_ADDR_DEL,
	TOE_ADM_ROUTE_ADD, TOE_ADM_ROUTE_DEL, TOE_ADM_NEIGH_ADD,
	TOE_ADM_NEIGH_DEL, TOE_ADM_PORT_SET, TOE_ADM_PARAM_SET,
	TOE_ADM_PARAM_GET, TOE_ADM_STATS, TOE_ADM_CONN_LIST, TOE_ADM_CTX_INFO,
};

START_TEST(unknown_opcodes)
{
	unsigned op, i, bad = 0;

	for (op = 0; op < 256; op++) {
		struct toe_hw_adm_cmd cmd = { .opcode = (uint8_t)op };
		bool is_known = false;

		for (i = 0; i < sizeof(known); i++)
			is_known |= known[i] == op;
		if (is_known)
			continue;
		ck_assert_uint_eq(hw_admin(&hw, &cmd, NULL), TOE_ST_INVALID);
		bad++;
	}
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_ADM_ERRORS), bad);
}
END_TEST

/* The last byte of every body is reserved; so are flags and head. */
START_TEST(reserved_must_be_zero)
{
	struct toe_hw_adm_cmd cmd = { .opcode = known[_i] };

	cmd.u.raw[55] = 1;
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	cmd.u.raw[55] = 0;
	cmd.rsvd = 0x80000000;
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	cmd.rsvd = 0;
	cmd.flags = 0x80;
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	if (known[_i] != TOE_ADM_CTX_DESTROY) {
		cmd.flags = TOE_ADM_F_DRAIN;
		ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	}
}
END_TEST

/* ---- Contexts ---- */

START_TEST(ctx_create)
{
	ck_assert_uint_eq(hw_ctx_create(&hw, CONTEXTS, 0, 0, 0),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(hw_ctx_create(&hw, 0xffffffff, 0, 0, 0),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(hw_ctx_create(&hw, 1, 0, TOE_MSIX_VECTORS, 0),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(hw_ctx_create(&hw, 1, 0x80, 0, 0), TOE_ST_INVALID);
	ck_assert_uint_eq(hw_ctx_create(&hw, 1, TOE_RIGHT_ETH, 0, 0),
			  TOE_ST_OK);
	ck_assert_uint_eq(hw_ctx_create(&hw, 1, 0, 0, 0), TOE_ST_BUSY);
	/* Raw Ethernet is one context's. */
	ck_assert_uint_eq(hw_ctx_create(&hw, 2, TOE_RIGHT_ETH, 0, 0),
			  TOE_ST_BUSY);
	ck_assert_uint_eq(hw_ctx_destroy(&hw, 1, 0), TOE_ST_OK);
	ck_assert_uint_eq(hw_ctx_create(&hw, 2, TOE_RIGHT_ETH, 0, 0),
			  TOE_ST_OK);
	ck_assert_uint_eq(hw_ctx_create(&hw, CONTEXTS - 1, 0, 63, 0),
			  TOE_ST_OK);
}
END_TEST

START_TEST(ctx_destroy)
{
	struct hw_ctx c;

	ck_assert_uint_eq(hw_ctx_destroy(&hw, 1, 0), TOE_ST_STATE);
	ck_assert_uint_ne(hw_ctx_destroy(&hw, 99999, 0), TOE_ST_OK);
	ck_assert_uint_eq(hw_ctx_create(&hw, 1, 0, 0, 0), TOE_ST_OK);
	ck_assert_uint_eq(hw_ctx_destroy(&hw, 1, TOE_ADM_F_DRAIN), TOE_ST_OK);
	ck_assert_uint_eq(hw_ctx_destroy(&hw, 1, 0), TOE_ST_STATE);
	hw_ctx_new(&hw, &c, 1, 0);
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_CTX_ACTIVE), 1);
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_MEM_REGIONS), 1);
	ck_assert_uint_eq(hw_ctx_destroy(&hw, 1, TOE_ADM_F_DRAIN), TOE_ST_OK);
	/* Its memory went with it. */
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_CTX_ACTIVE), 0);
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_MEM_REGIONS), 0);
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_MEM_PAGES), 0);
	ck_assert_uint_eq(hw_mem_revoke(&hw, c.mem.key), TOE_ST_KEY);
	hw_doorbell(&hw, 1, TOE_DB_RQ, 0);
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_VIOL_DOORBELL), 1);
	hw_ctx_free(&c);
}
END_TEST

START_TEST(ctx_queues)
{
	struct toe_hw_adm_cmd good, cmd;
	struct hw_ctx c = { .hw = &hw, .id = 1 };
	struct hw_region other, ro;
	uint32_t len;

	c.rq_log2 = c.cq_log2 = c.bqs_log2 = c.bql_log2 = 3;
	c.page = 0;
	c.rq = 128;
	c.cq = 640;
	c.bqs = 1152;
	c.bql = 1280;
	len = 1408;
	ck_assert_uint_eq(hw_ctx_create(&hw, 1, 0, 1, 0), TOE_ST_OK);
	ck_assert_uint_eq(hw_ctx_create(&hw, 2, 0, 1, 0), TOE_ST_OK);
	hw_region_new(&hw, &c.mem, 1, TOE_MEM_READ | TOE_MEM_WRITE, len);
	hw_region_new(&hw, &other, 2, TOE_MEM_READ | TOE_MEM_WRITE, len);
	hw_region_new(&hw, &ro, 1, TOE_MEM_READ, len);
	hw_ctx_queues_cmd(&c, &good);

#define SPOIL(field, value, status) do { \
	cmd = good; \
	cmd.u.ctx_queues.field = (value); \
	ck_assert_msg(run(cmd) == (status), "%s = %s", #field, #value); \
} while (0)
	SPOIL(ctx, 3, TOE_ST_STATE);
	SPOIL(ctx, CONTEXTS, TOE_ST_STATE);
	SPOIL(key, 0, TOE_ST_KEY);
	SPOIL(key, TOE_KEY_PHYS, TOE_ST_PERM);
	SPOIL(key, c.mem.key + (1u << TOE_INDEX_BITS), TOE_ST_KEY);
	SPOIL(key, other.key, TOE_ST_OWNER);
	SPOIL(key, ro.key, TOE_ST_ACCESS);
	SPOIL(page, 32, TOE_ST_INVALID);
	SPOIL(page, 1344, TOE_ST_BOUNDS);
	SPOIL(rq, 0xffffffc0, TOE_ST_BOUNDS);
	SPOIL(cq, 1, TOE_ST_INVALID);
	SPOIL(cq, 960, TOE_ST_BOUNDS);
	SPOIL(bq_small, 1344, TOE_ST_BOUNDS);
	SPOIL(bq_large, 1344, TOE_ST_BOUNDS);
	SPOIL(rq_log2, 2, TOE_ST_INVALID);
	SPOIL(rq_log2, 16, TOE_ST_INVALID);
	SPOIL(cq_log2, 255, TOE_ST_INVALID);
	SPOIL(bq_small_log2, 0, TOE_ST_INVALID);
	SPOIL(bq_large_log2, 64, TOE_ST_INVALID);
	SPOIL(rq_log2, 15, TOE_ST_BOUNDS);
	SPOIL(small_size, 255, TOE_ST_INVALID);
	SPOIL(small_size, HW_LARGE + 1, TOE_ST_INVALID);
	SPOIL(large_size, TOE_LARGE_MAX + 1, TOE_ST_INVALID);
	SPOIL(rsvd[3], 1, TOE_ST_INVALID);
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_CTX_ACTIVE), 0);
	hw_admin_ok(&hw, &good);
	ck_assert_uint_eq(hw_counter(&hw, TOE_CTR_CTX_ACTIVE), 1);
	ck_assert_uint_eq(run(good), TOE_ST_STATE);
	hw_region_free(&c.mem);
	hw_region_free(&other);
	hw_region_free(&ro);
}
END_TEST

/* ---- Addresses, routes, neighbours, port ---- */

START_TEST(addresses)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_ADDR_ADD };

	cmd.u.addr.family = TOE_AF_INET;
	cmd.u.addr.prefix = 33;
	hw_put_ipv4(cmd.u.addr.addr, DUT_IP);
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	cmd.u.addr.prefix = 24;
	cmd.u.addr.family = 9;
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	cmd.u.addr.family = TOE_AF_INET6;
	memset(cmd.u.addr.addr, 0, 16);
	cmd.u.addr.addr[0] = 0xff;			/* multicast */
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	cmd.u.addr.addr[0] = 0xfd;
	cmd.u.addr.prefix = 129;
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	cmd.u.addr.prefix = 64;
	cmd.u.addr.addr[15] = 1;
	ck_assert_uint_eq(run(cmd), TOE_ST_OK);
	cmd.opcode = TOE_ADM_ADDR_DEL;
	ck_assert_uint_eq(run(cmd), TOE_ST_OK);
	cmd.opcode = TOE_ADM_ADDR_ADD;
	memset(cmd.u.addr.addr, 0, 16);
	cmd.u.addr.prefix = 24;
	cmd.u.addr.family = TOE_AF_INET;
	hw_put_ipv4(cmd.u.addr.addr, 0xe0000001);	/* multicast */
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	hw_put_ipv4(cmd.u.addr.addr, 0);
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	hw_put_ipv4(cmd.u.addr.addr, DUT_IP);
	ck_assert_uint_eq(run(cmd), TOE_ST_OK);
	/* Once more changes nothing: it is there once. */
	ck_assert_uint_eq(run(cmd), TOE_ST_OK);
	cmd.opcode = TOE_ADM_ADDR_DEL;
	ck_assert_uint_eq(run(cmd), TOE_ST_OK);
	ck_assert_uint_eq(run(cmd), TOE_ST_ADDRNOTAVAIL);
}
END_TEST

START_TEST(address_table_is_bounded)
{
	unsigned i;

	for (i = 0; i < 5000; i++)
		if (hw_addr_add(&hw, DUT_IP + i, 8) != TOE_ST_OK)
			break;
	ck_assert_uint_lt(i, 5000);
	ck_assert_uint_ge(i, 16);
	ck_assert_uint_eq(hw_addr_add(&hw, DUT_IP + i, 8), TOE_ST_NOMEM);
}
END_TEST

START_TEST(routes)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_ROUTE_ADD };

	ck_assert_uint_eq(hw_addr_add(&hw, DUT_IP, 24), TOE_ST_OK);
	cmd.u.route.family = TOE_AF_INET;
	cmd.u.route.prefix = 16;
	hw_put_ipv4(cmd.u.route.dst, 0xc0a80000);
	hw_put_ipv4(cmd.u.route.gateway, PEER_IP);
	ck_assert_uint_eq(run(cmd), TOE_ST_OK);
	cmd.u.route.prefix = 40;
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	cmd.u.route.prefix = 16;
	cmd.u.route.rsvd0 = 1;
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	cmd.u.route.rsvd0 = 0;
	cmd.opcode = TOE_ADM_ROUTE_DEL;
	ck_assert_uint_eq(run(cmd), TOE_ST_OK);
	ck_assert_uint_ne(run(cmd), TOE_ST_OK);
}
END_TEST

START_TEST(neighbours)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_NEIGH_DEL };

	ck_assert_uint_eq(hw_addr_add(&hw, DUT_IP, 24), TOE_ST_OK);
	ck_assert_uint_eq(hw_neigh_add(&hw, PEER_IP, peer_mac), TOE_ST_OK);
	ck_assert_uint_eq(hw_neigh_add(&hw, PEER_IP, bcast_mac),
			  TOE_ST_INVALID);
	cmd.u.neigh.family = TOE_AF_INET;
	hw_put_ipv4(cmd.u.neigh.addr, PEER_IP);
	ck_assert_uint_eq(run(cmd), TOE_ST_OK);
}
END_TEST

START_TEST(port)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_PORT_SET };

	cmd.u.port_set.mtu = 67;
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	cmd.u.port_set.mtu = 1501;
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	cmd.u.port_set.mtu = 1400;
	ck_assert_uint_eq(run(cmd), TOE_ST_OK);
	cmd.u.port_set.filter = 0x80;
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	cmd.u.port_set.filter = TOE_FILTER_UP;
	cmd.u.port_set.mac[0] = 1;			/* a group */
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	cmd.u.port_set.mac[0] = 2;
	cmd.u.port_set.nmcast = 1;
	ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	cmd.u.port_set.nmcast = 0;
	ck_assert_uint_eq(run(cmd), TOE_ST_OK);
}
END_TEST

START_TEST(parameters)
{
	static const uint32_t all[] = {
		TOE_PARAM_TIME_WAIT_MS, TOE_PARAM_PORT_LO, TOE_PARAM_PORT_HI,
		TOE_PARAM_RCVBUF, TOE_PARAM_SNDBUF, TOE_PARAM_ORPHAN_MS,
		TOE_PARAM_FORWARD_TTL,
	};
	struct toe_hw_adm_cmd cmd;
	unsigned i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		uint64_t was;

		cmd = (struct toe_hw_adm_cmd) { .opcode = TOE_ADM_PARAM_GET };
		cmd.u.param.param = all[i];
		was = hw_admin_ok(&hw, &cmd);
		ck_assert_uint_gt(was, 0);
		ck_assert_uint_eq(hw_param_set(&hw, all[i], ~0ull),
				  TOE_ST_INVALID);
		ck_assert_uint_eq(hw_param_set(&hw, all[i], was), TOE_ST_OK);
		cmd.u.param.rsvd0 = 1;
		ck_assert_uint_eq(run(cmd), TOE_ST_INVALID);
	}
	ck_assert_uint_eq(hw_param_set(&hw, 0, 1), TOE_ST_INVALID);
	ck_assert_uint_eq(hw_param_set(&hw, 99, 1), TOE_ST_INVALID);
	ck_assert_uint_eq(hw_param_set(&hw, TOE_PARAM_FORWARD_TTL, 0),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(hw_param_set(&hw, TOE_PARAM_FORWARD_TTL, 17),
			  TOE_ST_OK);
	cmd = (struct toe_hw_adm_cmd) { .opcode = TOE_ADM_PARAM_GET };
	cmd.u.param.param = TOE_PARAM_FORWARD_TTL;
	ck_assert_uint_eq(hw_admin_ok(&hw, &cmd), 17);
}
END_TEST

/* ---- Queries ---- */

START_TEST(stats)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_STATS };
	uint64_t at = hw_alloc(&hw, 4096), v[TOE_CTR_MAX + 1];

	qt_memset(hw.qt, at, 0xee, 4096);
	cmd.u.query.addr = at + 8;
	cmd.u.query.length = 4000;
	ck_assert_uint_eq(hw_admin_ok(&hw, &cmd), 8 * TOE_CTR_MAX);
	qt_read(hw.qt, at + 8, v, sizeof(v));
	ck_assert_uint_eq(v[TOE_CTR_LMEM_BUFLETS],
			  hw_counter(&hw, TOE_CTR_LMEM_BUFLETS));
	ck_assert_uint_eq(v[TOE_CTR_MAX], 0xeeeeeeeeeeeeeeeeull);
	/* What does not fit is not written. */
	qt_memset(hw.qt, at, 0xee, 4096);
	cmd.u.query.length = 20;
	ck_assert_uint_eq(hw_admin_ok(&hw, &cmd), 16);
	qt_read(hw.qt, at + 8, v, 32);
	ck_assert_uint_eq(v[2], 0xeeeeeeeeeeeeeeeeull);
	cmd.u.query.length = 0;
	ck_assert_uint_eq(hw_admin_ok(&hw, &cmd), 0);
	/* Where there is no memory. */
	cmd.u.query.addr = 0xd0000000;
	cmd.u.query.length = 4096;
	ck_assert_uint_eq(run(cmd), TOE_ST_DMA);
	cmd.u.query.addr = 0xfffffffffffffff8ull;
	ck_assert_uint_ne(run(cmd), TOE_ST_OK);
}
END_TEST

START_TEST(ctx_info_in_pieces)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_CTX_INFO };
	struct toe_hw_adm_cpl cpl;
	uint64_t at = hw_alloc(&hw, 4096);
	uint32_t expect = 2, guard = 0;

	for (uint32_t i = 2; i < 12; i++)
		ck_assert_uint_eq(hw_ctx_create(&hw, i, TOE_RIGHT_LOWPORT, 1,
						0), TOE_ST_OK);
	cmd.u.query.addr = at;
	cmd.u.query.length = 3 * sizeof(struct toe_hw_ctx_info) + 5;
	do {
		struct toe_hw_ctx_info info[3];

		ck_assert_uint_eq(hw_admin(&hw, &cmd, &cpl), TOE_ST_OK);
		ck_assert_uint_le(cpl.result, 3);
		qt_read(hw.qt, at, info, sizeof(info));
		for (unsigned i = 0; i < cpl.result; i++) {
			ck_assert_uint_eq(info[i].ctx, expect++);
			ck_assert_uint_eq(info[i].rights, TOE_RIGHT_LOWPORT);
			ck_assert_uint_eq(info[i].flags, 0);
		}
		cmd.u.query.start = (uint32_t)cpl.next;
	} while (cpl.next && ++guard < 20);
	ck_assert_uint_eq(expect, 12);
	cmd.u.query.start = 0xffffffff;
	ck_assert_uint_eq(hw_admin(&hw, &cmd, &cpl), TOE_ST_OK);
	ck_assert_uint_eq(cpl.result, 0);
	cmd.u.query.start = 0;
	cmd.u.query.addr = 0xd0000000;
	ck_assert_uint_eq(run(cmd), TOE_ST_DMA);
}
END_TEST

START_TEST(conn_list)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_CONN_LIST };
	struct toe_hw_conn_info info;
	struct toe_hw_adm_cpl cpl;
	struct toe_hw_req r;
	struct toe_hw_cqe e;
	uint64_t at = hw_alloc(&hw, 4096);
	struct hw_ctx c;

	cmd.u.query.addr = at;
	cmd.u.query.length = 4096;
	ck_assert_uint_eq(hw_admin(&hw, &cmd, &cpl), TOE_ST_OK);
	ck_assert_uint_eq(cpl.result, 0);
	ck_assert_uint_eq(cpl.next, 0);

	ck_assert_uint_eq(hw_addr_add(&hw, DUT_IP, 24), TOE_ST_OK);
	hw_ctx_new(&hw, &c, 1, 0);
	hw_listen_req(&r, 5000, 4);
	ck_assert_uint_eq(hw_req_wait(&c, &r, &e), TOE_ST_OK);
	ck_assert_uint_eq(hw_admin(&hw, &cmd, &cpl), TOE_ST_OK);
	ck_assert_uint_eq(cpl.result, 1);
	ck_assert_uint_eq(cpl.next, 0);
	qt_read(hw.qt, at, &info, sizeof(info));
	ck_assert_uint_eq(info.handle, e.handle);
	ck_assert_uint_eq(info.ctx, 1);
	ck_assert_uint_eq(info.family, TOE_AF_INET);
	ck_assert_uint_eq(info.state, TOE_TCP_LISTEN);
	ck_assert_uint_eq(info.lport, 5000);
	ck_assert_uint_eq(info.rport, 0);
	hw_ctx_free(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("admin");
	TCase *tc;

	tc = qt_case(s, "rings", setup, teardown);
	tcase_add_test(tc, nop_and_wrap);
	tcase_add_test(tc, batch);
	tcase_add_test(tc, completion_queue_full);
	tc = qt_case(s, "fatal", setup, teardown);
	tcase_add_test(tc, tail_out_of_range);
	tcase_add_test(tc, head_out_of_range);
	tcase_add_test(tc, bad_configuration);
	tcase_add_test(tc, smallest_rings);
	tcase_add_test(tc, disabled);
	tc = qt_case(s, "commands", setup, teardown);
	tcase_add_test(tc, unknown_opcodes);
	tcase_add_loop_test(tc, reserved_must_be_zero, 0, sizeof(known));
	tc = qt_case(s, "contexts", setup, teardown);
	tcase_add_test(tc, ctx_create);
	tcase_add_test(tc, ctx_destroy);
	tcase_add_test(tc, ctx_queues);
	tc = qt_case(s, "network", setup, teardown);
	tcase_add_test(tc, addresses);
	tcase_add_test(tc, address_table_is_bounded);
	tcase_add_test(tc, routes);
	tcase_add_test(tc, neighbours);
	tcase_add_test(tc, port);
	tcase_add_test(tc, parameters);
	tc = qt_case(s, "queries", setup, teardown);
	tcase_add_test(tc, stats);
	tcase_add_test(tc, ctx_info_in_pieces);
	tcase_add_test(tc, conn_list);
	return qt_main(s);
}
