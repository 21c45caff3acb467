// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_hostile.c - a guest that means harm: wild indices, rings where there is
 * no memory or where the adapter itself is, page lists to nowhere, and noise.
 *
 * What must hold: QEMU neither dies nor hangs (every test ends with a
 * liveness check), the harm stays in the context that did it, and after a
 * reset everything works.  The noise is random with a fixed seed, so a
 * failure repeats.
 */
#include "libpeer.h"

#include <stdlib.h>
#include <string.h>

static struct net n;
static struct tcp t;
static uint32_t h;

static uint64_t seed;

static uint32_t rnd(void)
{
	/* xorshift64* */
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 2685821657736338717ull) >> 32);
}

static uint32_t below(uint32_t limit)
{
	return rnd() % limit;
}

/* Numbers near the edges are more interesting than others. */
static uint32_t wild(void)
{
	static const uint32_t edge[] = {
		0, 1, 2, 3, 7, 8, 15, 16, 17, 63, 64, 255, 256, 4095, 4096,
		65535, 65536, 0x000fffff, 0x00100000, 0x7fffffff, 0x80000000,
		0xfffffff0, 0xffffffc0, 0xfffffffe, 0xffffffff,
		(uint32_t)PCI_REGS_ADDR, (uint32_t)PCI_MSIX_ADDR,
	};

	return below(3) ? edge[below(sizeof(edge) / sizeof(edge[0]))] : rnd();
}

static void setup(void)
{
	seed = 0x746f6531746f6531ull;
	net_open(&n, "contexts=16,connections=64,localmem=1M,regions=64,"
		     "pages=4096");
	h = net_connect(&n, &t, 80, 100000);
}

static void teardown(void)
{
	net_close(&n);
}

/* The innocent context and its connection work as before. */
static void check_innocent(void)
{
	struct toe_hw_cqe e;
	char buf[8];

	ck_assert_uint_eq(hw_send(&n.ctx, h, "ping", 4), TOE_ST_OK);
	tcp_expect(&t, TH_ACK, 4, NULL);
	tcp_send(&t, TH_ACK | TH_PSH, "pong", 4);
	hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
	ck_assert_uint_eq(hw_recv_take(&n.ctx, &e, buf, sizeof(buf)), 4);
	qt_alive(n.hw.qt);
}

/* After whatever was done: reset, and a connection from scratch. */
static void check_usable(void)
{
	struct tcp t2;
	struct pkt k;
	uint32_t h2;
	bool any;

	qt_alive(n.hw.qt);
	pci_flr(&n.hw.pci);
	pci_enable(&n.hw.pci);
	pci_msix_enable(&n.hw.pci);
	/* Frames of before; QEMU may hold more until there is room for them. */
	do {
		qt_settle(n.hw.qt);
		for (any = false; peer_poll(&n.peer, &k); any = true)
			;
	} while (any);
	hw_enable(&n.hw);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_TCP_NCBS), 0);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_MEM_REGIONS), 0);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_CTX_ACTIVE), 0);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_LMEM_BUFLETS_FREE),
			  hw_counter(&n.hw, TOE_CTR_LMEM_BUFLETS));
	ck_assert_uint_eq(hw_addr_add(&n.hw, DUT_IP, 24), TOE_ST_OK);
	hw_ctx_free(&n.ctx);
	hw_ctx_new(&n.hw, &n.ctx, 1, 0);
	h2 = net_connect(&n, &t2, 8080, 100);
	ck_assert_uint_eq(hw_send(&n.ctx, h2, "fine", 4), TOE_ST_OK);
	tcp_expect(&t2, TH_ACK, 4, NULL);
	qt_alive(n.hw.qt);
}

/* ---- Indices ---- */

static const struct {
	uint32_t off, value;
} wild_indices[] = {
	{ 0x00, 17 }, { 0x00, 0xffffffff }, { 0x00, 0x80000000 },
	{ 0x04, 1 }, { 0x04, 0xfffffff0 - 1 }, { 0x04, 0x7fffffff },
	{ 0x08, 17 }, { 0x08, 0xffffffff },
	{ 0x0c, 17 }, { 0x0c, 0x80000001 },
};

START_TEST(wild_index)
{
	uint64_t viol = hw_counter(&n.hw, TOE_CTR_VIOL_RING);
	struct toe_hw_cqe e;
	struct hw_ctx c;

	hw_ctx_make(&n.hw, &c, 2, 0, 4);
	hw_mem_writel(&n.hw, &c.mem, c.page + wild_indices[_i].off,
		      wild_indices[_i].value);
	hw_ring_rq(&c);
	hw_ring_bq(&c);
	hw_doorbell(&n.hw, 2, TOE_DB_CQ_SPACE, 0);
	QT_WAIT(n.hw.qt, hw_mem_readl(&n.hw, &c.mem, c.page +
		offsetof(struct toe_hw_ctx_page, fault)) != 0);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_VIOL_RING), viol + 1);
	if (wild_indices[_i].off != 4) {
		hw_cq_expect(&c, TOE_EV_FAULT, &e);
		ck_assert_uint_eq(e.status, hw_mem_readl(&n.hw, &c.mem,
				  c.page + offsetof(struct toe_hw_ctx_page,
						    fault)));
	}
	/* It stays stopped, even with sound indices; then it can go. */
	hw_mem_writel(&n.hw, &c.mem, c.page + wild_indices[_i].off, 0);
	hw_ring_rq(&c);
	hw_cq_arm(&c);
	check_innocent();
	ck_assert_uint_eq(hw_ctx_destroy(&n.hw, 2, TOE_ADM_F_DRAIN),
			  TOE_ST_OK);
	hw_ctx_free(&c);
	hw_ctx_new(&n.hw, &c, 2, 0);
	ck_assert_uint_eq(hw_simple(&c, TOE_OP_NOP, 0), TOE_ST_OK);
	hw_ctx_free(&c);
}
END_TEST

/* ---- Rings in the wrong place ---- */

static const uint64_t wrong_places[] = {
	PCI_REGS_ADDR, PCI_REGS_ADDR + TOE_REG_LMW, PCI_MSIX_ADDR,
	PCI_DOORBELLS_ADDR + 2 * TOE_DOORBELL_PAGE_SIZE,
	0xd0000000ull,			/* nothing */
	0xfee00000ull,			/* the interrupt controller */
	0xfec00000ull, 0xfed00000ull,	/* I/O APIC, HPET */
	0xfffffffffffff000ull, 0x7ffffffffffff000ull,
	QT_RAM_SIZE - HW_PAGE,		/* the last page of RAM: then nothing */
};
#define PLACES ((int)(sizeof(wrong_places) / sizeof(wrong_places[0])))

/* All of a context's memory there: rings, page, buffers. */
START_TEST(context_in_the_wrong_place)
{
	uint64_t pages[4];
	struct toe_hw_adm_cmd cmd;
	struct hw_ctx c = { .hw = &n.hw, .id = 2, .rq_log2 = 6, .cq_log2 = 6,
			    .bqs_log2 = 6, .bql_log2 = 6, .rq = 128 };
	uint32_t key, i;
	uint8_t status;

	for (i = 0; i < 4; i++)
		pages[i] = wrong_places[_i] + i * HW_PAGE;
	c.cq = c.rq + 4096;
	c.bqs = c.cq + 4096;
	c.bql = c.bqs + 1024;
	ck_assert_uint_eq(hw_ctx_create(&n.hw, 2, TOE_RIGHT_ETH, 3, 0),
			  TOE_ST_OK);
	status = hw_mem_register(&n.hw, 2, TOE_MEM_READ | TOE_MEM_WRITE,
				 4 * HW_PAGE, 0, 12, pages, 4, &key);
	ck_assert(status == TOE_ST_OK || status == TOE_ST_INVALID);
	if (status == TOE_ST_OK) {
		c.mem.key = key;
		hw_ctx_queues_cmd(&c, &cmd);
		status = hw_admin(&n.hw, &cmd, NULL);
		/* At the end of RAM the page itself is good memory. */
		if (wrong_places[_i] != QT_RAM_SIZE - HW_PAGE)
			ck_assert_uint_eq(status, TOE_ST_DMA);
		for (i = 0; i < 16; i += 4)
			hw_doorbell(&n.hw, 2, i, 0);
		if (status == TOE_ST_OK) {
			qt_writel(n.hw.qt, pages[0], 64);
			for (i = 0; i < 16; i += 4)
				hw_doorbell(&n.hw, 2, i, 0);
			qt_settle(n.hw.qt);
		}
	}
	check_innocent();
	ck_assert_uint_eq(hw_ctx_destroy(&n.hw, 2, 0), TOE_ST_OK);
	check_usable();
}
END_TEST

/* Only the page of indices is sound; the rings are there. */
START_TEST(rings_in_the_wrong_place)
{
	uint64_t pages[8], good = hw_alloc(&n.hw, HW_PAGE);
	struct toe_hw_adm_cmd cmd;
	struct hw_ctx c = { .hw = &n.hw, .id = 2, .rq_log2 = 6, .cq_log2 = 6,
			    .bqs_log2 = 6, .bql_log2 = 6, .rq = 4096,
			    .cq = 8192, .bqs = 12288, .bql = 16384 };
	uint32_t key, i;

	pages[0] = good;
	for (i = 1; i < 8; i++)
		pages[i] = wrong_places[_i];
	ck_assert_uint_eq(hw_ctx_create(&n.hw, 2, TOE_RIGHT_ETH, 3, 0),
			  TOE_ST_OK);
	ck_assert_uint_eq(hw_mem_register(&n.hw, 2, TOE_MEM_READ |
					  TOE_MEM_WRITE, 8 * HW_PAGE, 0, 12,
					  pages, 8, &key), TOE_ST_OK);
	c.mem.key = key;
	hw_ctx_queues_cmd(&c, &cmd);
	hw_admin_ok(&n.hw, &cmd);
	qt_writel(n.hw.qt, good, 10);			/* rq_tail */
	qt_writel(n.hw.qt, good + 8, 10);		/* bq_small_tail */
	qt_writel(n.hw.qt, good + 12, 10);
	for (i = 0; i < 16; i += 4)
		hw_doorbell(&n.hw, 2, i, 7);
	qt_settle(n.hw.qt);
	/* A frame for its buffers. */
	cmd = (struct toe_hw_adm_cmd) { .opcode = TOE_ADM_PORT_SET };
	cmd.u.port_set.filter = TOE_FILTER_UP;
	hw_admin_ok(&n.hw, &cmd);
	peer_arp(&n.peer, 2, dut_mac, PEER_IP, dut_mac, DUT_IP);
	peer_flush(&n.peer);
	check_innocent();
	ck_assert_uint_eq(hw_ctx_destroy(&n.hw, 2, 0), TOE_ST_OK);
	check_usable();
}
END_TEST

/* The admin queues there: FATAL, and a reset helps. */
START_TEST(admin_in_the_wrong_place)
{
	uint64_t at = wrong_places[_i];
	int which;

	for (which = 0; which < 3; which++) {
		uint64_t aq = which == 1 ? n.hw.aq : at;
		uint64_t acq = which == 0 ? n.hw.acq : at;

		hw_reset(&n.hw);
		hw_reg_write(&n.hw, TOE_REG_AQ_BASE_LO, (uint32_t)aq);
		hw_reg_write(&n.hw, TOE_REG_AQ_BASE_HI, (uint32_t)(aq >> 32));
		hw_reg_write(&n.hw, TOE_REG_AQ_LOG2, 8);
		hw_reg_write(&n.hw, TOE_REG_ACQ_BASE_LO, (uint32_t)acq);
		hw_reg_write(&n.hw, TOE_REG_ACQ_BASE_HI,
			     (uint32_t)(acq >> 32));
		hw_reg_write(&n.hw, TOE_REG_ACQ_LOG2, 8);
		hw_reg_write(&n.hw, TOE_REG_CONTROL, TOE_CTL_ENABLE);
		hw_reg_write(&n.hw, TOE_REG_AQ_TAIL, 256);
		qt_settle(n.hw.qt);
		if (wrong_places[_i] != QT_RAM_SIZE - HW_PAGE)
			ck_assert(hw_reg(&n.hw, TOE_REG_STATUS) &
				  TOE_STATUS_FATAL);
		qt_alive(n.hw.qt);
	}
	check_usable();
}
END_TEST

/* Data from there and to there. */
START_TEST(data_in_the_wrong_place)
{
	uint64_t page[1] = { wrong_places[_i] };
	uint32_t key;
	struct toe_hw_req r = { .opcode = TOE_OP_SEND, .npieces = 1,
				.handle = h };
	static const uint8_t queries[] = {
		TOE_ADM_STATS, TOE_ADM_CTX_INFO, TOE_ADM_CONN_LIST,
	};
	struct toe_hw_adm_cmd cmd = { 0 };
	unsigned i;
	bool last = wrong_places[_i] == QT_RAM_SIZE - HW_PAGE;
	uint8_t status;

	ck_assert_uint_eq(hw_mem_register(&n.hw, 1, TOE_MEM_READ |
					  TOE_MEM_WRITE, HW_PAGE, 0, 12, page,
					  1, &key), TOE_ST_OK);
	r.u.piece[0].key = key;
	r.u.piece[0].length = 1000;
	status = hw_req_wait(&n.ctx, &r, NULL);
	ck_assert_uint_eq(status, last ? TOE_ST_OK : TOE_ST_DMA);
	if (last) {
		tcp_expect(&t, TH_ACK, 1000, NULL);
		tcp_send(&t, TH_ACK, NULL, 0);
	}
	/* Queries that would write there; one wraps round the address space. */
	for (i = 0; i < sizeof(queries); i++) {
		cmd.opcode = queries[i];
		cmd.u.query.addr = wrong_places[_i];
		cmd.u.query.length = 0xffffffff;
		status = hw_admin(&n.hw, &cmd, NULL);
		ck_assert(last ? status == TOE_ST_OK : status == TOE_ST_DMA ||
			  status == TOE_ST_INVALID);
	}
	check_innocent();
	check_usable();
}
END_TEST

/* ---- Doorbells ---- */

START_TEST(doorbells_of_nobody)
{
	uint64_t viol = hw_counter(&n.hw, TOE_CTR_VIOL_DOORBELL);
	uint32_t i;

	for (i = 0; i < 16; i++)
		if (i != 1)
			hw_doorbell(&n.hw, i, (i & 3) * 4, wild());
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_VIOL_DOORBELL),
			  viol + 15);
	/* Offsets that are no doorbell, on an active page. */
	for (i = 16; i < 4096; i += 4 * 61)
		hw_doorbell(&n.hw, 1, i, wild());
	ck_assert_uint_gt(hw_counter(&n.hw, TOE_CTR_VIOL_DOORBELL),
			  viol + 15);
	check_innocent();
}
END_TEST

START_TEST(doorbell_storm)
{
	unsigned i;

	for (i = 0; i < 5000; i++)
		hw_doorbell(&n.hw, 1, below(4) * 4, wild());
	check_innocent();
}
END_TEST

/* ---- Page sizes ---- */

START_TEST(giant_pages)
{
	uint64_t pages[8] = { 0, 1ull << 30, 1ull << 62, 2ull << 30 };
	struct toe_hw_req r = { .opcode = TOE_OP_SEND, .npieces = 1,
				.handle = h };
	uint32_t key, i;

	ck_assert_uint_eq(hw_mem_register(&n.hw, 1, TOE_MEM_READ, 4ull << 30,
					  0, 30, pages, 4, &key), TOE_ST_OK);
	for (i = 0; i < 4; i++) {
		static const uint64_t off[] = { 64ull << 20, (1ull << 30) - 5,
			(2ull << 30) - 500, (4ull << 30) - 1000 };

		r.cookie = 0;
		r.u.piece[0].key = key;
		r.u.piece[0].offset = off[i];
		r.u.piece[0].length = 1000;
		ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_DMA);
	}
	r.cookie = 0;
	r.u.piece[0].length = 0xffffffff;
	r.u.piece[0].offset = 0;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_TOOBIG);
	check_innocent();
}
END_TEST

/* ---- Noise ---- */

START_TEST(register_noise)
{
	unsigned i;

	for (i = 0; i < 20000; i++) {
		uint64_t at = n.hw.pci.regs + (below(4) ? below(0x100) :
					       below(TOE_BAR_REGS_SIZE));
		uint32_t v = wild();

		if (below(3))
			at &= ~3ull;
		switch (below(8)) {
		case 0:
			qt_readl(n.hw.qt, at);
			break;
		case 1:
			qt_readq(n.hw.qt, at);
			break;
		case 2:
			qt_writeb(n.hw.qt, at, (uint8_t)v);
			break;
		case 3:
			qt_writew(n.hw.qt, at, (uint16_t)v);
			break;
		case 4:
			qt_writeq(n.hw.qt, at, (uint64_t)v << 32 | rnd());
			break;
		case 5:
			qt_writel(n.hw.qt, n.hw.pci.doorbells +
				  below(16 * 4096), v);
			break;
		default:
			qt_writel(n.hw.qt, at, v);
		}
		if (i % 1000 == 999)
			qt_clock_step(n.hw.qt, rnd());
	}
	check_usable();
}
END_TEST

/* Admin commands with sound opcodes and fields from a hat. */
START_TEST(admin_noise)
{
	static const uint8_t ops[] = {
		TOE_ADM_CTX_CREATE, TOE_ADM_CTX_QUEUES, TOE_ADM_CTX_DESTROY,
		TOE_ADM_MEM_REGISTER, TOE_ADM_MEM_PAGES, TOE_ADM_MEM_REVOKE,
		TOE_ADM_ADDR_ADD, TOE_ADM_ADDR_DEL, TOE_ADM_ROUTE_ADD,
		TOE_ADM_ROUTE_DEL, TOE_ADM_NEIGH_ADD, TOE_ADM_NEIGH_DEL,
		TOE_ADM_PORT_SET, TOE_ADM_PARAM_SET, TOE_ADM_PARAM_GET,
		TOE_ADM_CONN_LIST, TOE_ADM_CTX_INFO,
	};
	/* How many 32-bit words of the body mean something. */
	static const uint8_t words[] = { 5, 10, 1, 7, 6, 1, 5, 5, 10, 10, 6, 6,
					 6, 4, 4, 4, 4 };
	unsigned i, j;

	for (i = 0; i < 6000; i++) {
		struct toe_hw_adm_cmd cmd = { 0 };
		struct toe_hw_adm_cpl cpl;
		uint32_t body[14] = { 0 };
		unsigned op = below(sizeof(ops));

		cmd.opcode = ops[op];
		for (j = 0; j < words[op]; j++)
			body[j] = below(3) ? below(24) : wild();
		if (cmd.opcode == TOE_ADM_MEM_PAGES) {
			body[0] = below(4) ? TOE_HANDLE(below(64), 1 + below(4))
				  : body[0];
			body[1] = 0;
			body[2] = 1 + below(4);
			body[3] = 0;
			body[4] = (uint32_t)n.hw.aq;
			body[5] = 0;
		}
		/* The queries' answers go to spare memory, or to nowhere. */
		if (cmd.opcode >= TOE_ADM_STATS) {
			body[0] = below(2) ? 0xd0000000 : 0x10000;
			body[1] = 0;
			body[2] = below(0x10000);
		}
		memcpy(cmd.u.raw, body, sizeof(body));
		hw_admin_post(&n.hw, &cmd);
		/* A draining context answers later: others go on. */
		qt_settle(n.hw.qt);
		while (hw_admin_ready(&n.hw))
			hw_admin_next(&n.hw, &cpl);
		ck_assert(!(hw_reg(&n.hw, TOE_REG_STATUS) &
			    TOE_STATUS_FATAL));
	}
	check_usable();
}
END_TEST

/* Requests with sound structure and fields from a hat; frames meanwhile. */
static void request_noise_with(struct hw_ctx *c, uint32_t count)
{
	static const uint8_t ops[] = {
		TOE_OP_NOP, TOE_OP_CONNECT, TOE_OP_LISTEN, TOE_OP_ACCEPT,
		TOE_OP_SEND, TOE_OP_SEND, TOE_OP_SEND, TOE_OP_CREDIT,
		TOE_OP_SHUTDOWN, TOE_OP_CLOSE, TOE_OP_ABORT, TOE_OP_SETOPT,
		TOE_OP_GETOPT, TOE_OP_ETH_SEND, 0x55, 0xff,
	};
	uint32_t handles[8] = { h };
	uint32_t i, j, pending = 0;

	for (i = 0; i < count; i++) {
		struct toe_hw_req r = { .opcode = ops[below(sizeof(ops))] };
		struct toe_hw_cqe e;
		struct pkt k;

		if (r.opcode >= TOE_OP_ACCEPT && r.opcode <= TOE_OP_GETOPT)
			r.handle = below(8) ? handles[below(8)] : wild();
		r.flags = below(6) ? 0 : (uint8_t)below(8);
		r.cookie = i + 1;
		switch (r.opcode) {
		case TOE_OP_CONNECT:
			hw_connect_req(&r, PEER_IP + (below(8) ? 0 : rnd()),
				       (uint16_t)wild(), (uint16_t)
				       (below(2) ? 0 : wild()), wild());
			break;
		case TOE_OP_LISTEN:
			hw_listen_req(&r, (uint16_t)(below(2) ? 6000 +
				      below(4) : wild()), wild());
			break;
		case TOE_OP_SEND:
		case TOE_OP_ETH_SEND:
			r.npieces = (uint16_t)(1 + below(4));
			for (j = 0; j < 3; j++) {
				r.u.piece[j].key = below(8) ? c->mem.key :
						   wild();
				r.u.piece[j].length = below(8) ? below(5000) :
						      wild();
				r.u.piece[j].offset = below(8) ? c->data +
					below(HW_DATA) :
					(uint64_t)wild() << 32 | wild();
			}
			break;
		case TOE_OP_SETOPT:
		case TOE_OP_GETOPT:
			r.u.opt.option = below(7);
			r.u.opt.value = r.opcode == TOE_OP_SETOPT ? wild() : 0;
			break;
		case TOE_OP_ACCEPT:
		case TOE_OP_CREDIT:
			r.u.credit.credit = wild();
			break;
		default:
			if (!below(8))
				r.u.raw[below(48)] = 1;
		}
		if (pending < 12) {
			hw_req(c, &r);
			pending++;
		}
		/* What the application would do, most of the time. */
		while (below(8) && hw_cq_poll(c, &e)) {
			uint8_t buf[HW_LARGE];

			if (e.type == TOE_EV_COMPLETION &&
			    (e.u.cpl.opcode == TOE_OP_CONNECT ||
			     e.u.cpl.opcode == TOE_OP_LISTEN) && !e.status)
				handles[below(8)] = e.handle;
			if (e.type == TOE_EV_ACCEPT)
				handles[below(8)] = e.handle;
			if (e.type == TOE_EV_RECV)
				hw_recv_take(c, &e, buf, sizeof(buf));
			ck_assert_uint_ne(e.type, TOE_EV_FAULT);
		}
		pending = c->rq_tail - hw_mem_readl(&n.hw, &c->mem, c->page +
			  offsetof(struct toe_hw_ctx_page, rq_head));
		/* The peer answers SYNs, or resets, or says nothing. */
		while (peer_poll(&n.peer, &k)) {
			struct tcp x;

			if (k.ethertype != 0x0800 || k.proto != 6 ||
			    k.flags & TH_RST)
				continue;
			tcp_init(&x, &n.peer, k.dport, k.sport);
			x.rcv_nxt = k.seq + k.len + !!(k.flags & TH_SYN) +
				    !!(k.flags & TH_FIN);
			x.snd_nxt = k.flags & TH_ACK ? k.ack : rnd();
			switch (below(8)) {
			case 0:
				tcp_send(&x, TH_RST | TH_ACK, NULL, 0);
				break;
			case 1:
				break;
			case 2:
				tcp_send_at(&x, (uint8_t)rnd() & 0x3f, wild(),
					    wild(), "noise", 5);
				break;
			default:
				if (k.flags & TH_SYN)
					tcp_send(&x, TH_SYN | TH_ACK, NULL, 0);
				else if (k.len || k.flags & TH_FIN)
					tcp_send(&x, TH_ACK, "data",
						 below(2) * 4);
			}
		}
		if (!below(20)) {
			struct tcp x;

			tcp_init(&x, &n.peer, (uint16_t)rnd(),
				 (uint16_t)(6000 + below(4)));
			tcp_send(&x, (uint8_t)(below(2) ? TH_SYN : rnd() &
					       0x3f), NULL, 0);
		}
		if (!below(50))
			qt_clock_step(n.hw.qt, rnd() * 4ll);
	}
}

START_TEST(request_noise)
{
	request_noise_with(&n.ctx, 4000);
	check_usable();
}
END_TEST

/* Frames that are almost right, bytes flipped. */
START_TEST(frame_noise)
{
	uint32_t l = net_listen(&n, 5000, 4);
	unsigned i, j;

	(void)l;
	for (i = 0; i < 3000; i++) {
		uint8_t f[200], seg[120];
		uint32_t len = 20 + below(100);
		size_t flen;
		struct pkt k;

		for (j = 0; j < len; j++)
			seg[j] = (uint8_t)rnd();
		put16(seg, below(2) ? 80 : (uint16_t)rnd());
		put16(seg + 2, below(2) ? t.dport : 5000);
		if (below(2))
			put32(seg + 4, t.snd_nxt + below(100));
		if (below(2))
			put32(seg + 8, t.rcv_nxt);
		seg[12] = (uint8_t)(below(2) ? 0x50 : rnd());
		put16(seg + 16, 0);
		if (below(4)) {
			/* A right checksum: the segment gets further. */
			uint32_t s = (PEER_IP >> 16) + (PEER_IP & 0xffff) +
				     (DUT_IP >> 16) + (DUT_IP & 0xffff) + 6 +
				     len;

			put16(seg + 16, peer_checksum(seg, len, s));
		}
		flen = peer_ipv4(f, PEER_IP, DUT_IP, below(8) ? 6 : 1, seg,
				 len);
		if (!below(3))
			f[below((uint32_t)flen)] ^= (uint8_t)rnd();
		peer_send(&n.peer, f, below(8) ? flen :
			  1 + below((uint32_t)flen));
		while (peer_poll(&n.peer, &k))
			;
		if (!below(100))
			qt_clock_step(n.hw.qt, rnd());
	}
	peer_flush(&n.peer);
	check_usable();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hostile");
	TCase *tc = qt_case(s, "indices", setup, teardown);

	tcase_add_loop_test(tc, wild_index, 0,
			    sizeof(wild_indices) / sizeof(wild_indices[0]));
	tc = qt_case(s, "places", setup, teardown);
	tcase_add_loop_test(tc, context_in_the_wrong_place, 0, PLACES);
	tcase_add_loop_test(tc, rings_in_the_wrong_place, 0, PLACES);
	tcase_add_loop_test(tc, admin_in_the_wrong_place, 0, PLACES);
	tcase_add_loop_test(tc, data_in_the_wrong_place, 0, PLACES);
	tcase_add_test(tc, giant_pages);
	tc = qt_case(s, "doorbells", setup, teardown);
	tcase_add_test(tc, doorbells_of_nobody);
	tcase_add_test(tc, doorbell_storm);
	tc = qt_case(s, "noise", setup, teardown);
	tcase_add_test(tc, register_noise);
	tcase_add_test(tc, admin_noise);
	tcase_add_test(tc, request_noise);
	tcase_add_test(tc, frame_noise);
	return qt_main(s);
}
