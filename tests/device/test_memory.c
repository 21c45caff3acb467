// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_memory.c - memory validation as an application meets it: every way to
 * name memory wrongly, with an open connection that must not be harmed by it.
 */
#include "libpeer.h"

#include <string.h>

static struct net n;
static struct tcp t;
static uint32_t handle;

static void setup(void)
{
	net_open(&n, "contexts=16,connections=32,localmem=4M,regions=64,"
		     "pages=4096");
	handle = net_connect(&n, &t, 80, 65536);
}

static void teardown(void)
{
	net_close(&n);
}

/* The connection still works: bytes out, bytes in. */
static void check_works(void)
{
	static const char out[] = "still here", in[] = "so am I";
	struct toe_hw_cqe e;
	struct pkt k;
	char buf[32];

	ck_assert_uint_eq(hw_send(&n.ctx, handle, out, sizeof(out)),
			  TOE_ST_OK);
	tcp_expect(&t, TH_ACK, sizeof(out), &k);
	ck_assert_mem_eq(k.data, out, sizeof(out));
	tcp_send(&t, TH_ACK | TH_PSH, in, sizeof(in));
	hw_cq_expect(&n.ctx, TOE_EV_RECV, &e);
	ck_assert_uint_eq(hw_recv_take(&n.ctx, &e, buf, sizeof(buf)),
			  sizeof(in));
	ck_assert_mem_eq(buf, in, sizeof(in));
}

static uint8_t try_send(uint32_t key, uint64_t off, uint32_t len)
{
	struct toe_hw_req r = { .opcode = TOE_OP_SEND, .npieces = 1,
				.handle = handle };
	struct toe_hw_cqe e;
	uint8_t status;

	r.u.piece[0].key = key;
	r.u.piece[0].length = len;
	r.u.piece[0].offset = off;
	status = hw_req_wait(&n.ctx, &r, &e);
	if (status != TOE_ST_OK)
		ck_assert_uint_eq(e.u.cpl.bytes, 0);
	return status;
}

#define COUNTED(counter, call, status) do { \
	uint64_t was_ = hw_counter(&n.hw, TOE_CTR_##counter); \
	ck_assert_uint_eq((call), (status)); \
	ck_assert_msg(hw_counter(&n.hw, TOE_CTR_##counter) == was_ + 1, \
		      "%s did not move by 1 at: %s", #counter, #call); \
} while (0)

START_TEST(bad_key)
{
	uint32_t key = n.ctx.mem.key;

	COUNTED(VIOL_KEY, try_send(TOE_KEY_INVALID, 0, 1), TOE_ST_KEY);
	COUNTED(VIOL_KEY, try_send(key + (1u << TOE_INDEX_BITS), 0, 1),
		TOE_ST_KEY);
	COUNTED(VIOL_KEY, try_send(TOE_INDEX(key), 0, 1), TOE_ST_KEY);
	COUNTED(VIOL_KEY, try_send(key + 1, 0, 1), TOE_ST_KEY);
	COUNTED(VIOL_KEY, try_send(TOE_HANDLE(64, 1), 0, 1), TOE_ST_KEY);
	COUNTED(VIOL_KEY, try_send(TOE_HANDLE(0xfffff, 1), 0, 1),
		TOE_ST_KEY);
	COUNTED(VIOL_PERM, try_send(TOE_KEY_PHYS, 0x100000, 1), TOE_ST_PERM);
	peer_none(&n.peer);
	check_works();
}
END_TEST

START_TEST(stale_generation)
{
	struct hw_region r;
	uint32_t old, i;

	hw_region_new(&n.hw, &r, 1, TOE_MEM_READ, HW_PAGE);
	ck_assert_uint_eq(try_send(r.key, 0, 1), TOE_ST_OK);
	tcp_expect(&t, TH_ACK, 1, NULL);
	tcp_send(&t, TH_ACK, NULL, 0);
	old = r.key;
	ck_assert_uint_eq(hw_mem_revoke(&n.hw, old), TOE_ST_OK);
	ck_assert_uint_eq(hw_mem_revoke(&n.hw, old), TOE_ST_KEY);
	COUNTED(VIOL_KEY, try_send(old, 0, 1), TOE_ST_KEY);
	/* However often its place is used again, the old key stays dead. */
	for (i = 0; i < 130; i++) {
		ck_assert_uint_eq(hw_mem_register(&n.hw, 1, TOE_MEM_READ,
						  HW_PAGE, 0, 12, r.pages, 1,
						  &r.key), TOE_ST_OK);
		ck_assert_uint_ne(r.key, old);
		ck_assert_uint_eq(hw_mem_revoke(&n.hw, r.key), TOE_ST_OK);
	}
	COUNTED(VIOL_KEY, try_send(old, 0, 1), TOE_ST_KEY);
	check_works();
	hw_region_free(&r);
}
END_TEST

START_TEST(wrong_owner)
{
	struct toe_hw_req r = { .opcode = TOE_OP_NOP };
	struct hw_ctx other;

	hw_ctx_new(&n.hw, &other, 2, 0);
	COUNTED(VIOL_OWNER, try_send(other.mem.key, 0, 1), TOE_ST_OWNER);
	/* The other's handle from this side, with its own memory. */
	hw_send_req(&other, &r, handle, 0, 1);
	COUNTED(VIOL_OWNER, hw_req_wait(&other, &r, NULL), TOE_ST_OWNER);
	for (uint8_t op = TOE_OP_ACCEPT; op <= TOE_OP_GETOPT; op++) {
		if (op == TOE_OP_SEND)
			continue;
		r = (struct toe_hw_req) { .opcode = op, .handle = handle };
		COUNTED(VIOL_OWNER, hw_req_wait(&other, &r, NULL),
			TOE_ST_OWNER);
	}
	check_works();
	hw_cq_none(&other);
	hw_ctx_free(&other);
}
END_TEST

START_TEST(bounds)
{
	uint32_t key = n.ctx.mem.key;
	uint64_t len = n.ctx.mem.length;

	COUNTED(VIOL_BOUNDS, try_send(key, len, 1), TOE_ST_BOUNDS);
	COUNTED(VIOL_BOUNDS, try_send(key, len - 1, 2), TOE_ST_BOUNDS);
	COUNTED(VIOL_BOUNDS, try_send(key, 0, (uint32_t)len + 1),
		TOE_ST_BOUNDS);
	COUNTED(VIOL_BOUNDS, try_send(key, ~0ull, 1), TOE_ST_BOUNDS);
	COUNTED(VIOL_BOUNDS, try_send(key, ~0ull, 2), TOE_ST_BOUNDS);
	COUNTED(VIOL_BOUNDS, try_send(key, ~0ull - 0xffff, 0x20000),
		TOE_ST_BOUNDS);
	COUNTED(VIOL_BOUNDS, try_send(key, 1ull << 32, 1), TOE_ST_BOUNDS);
	COUNTED(VIOL_BOUNDS, try_send(key, 1ull << 63, 0xffffffff),
		TOE_ST_BOUNDS);
	/* The last byte is inside. */
	ck_assert_uint_eq(try_send(key, len - 1, 1), TOE_ST_OK);
	tcp_expect(&t, TH_ACK, 1, NULL);
	tcp_send(&t, TH_ACK, NULL, 0);
	check_works();
}
END_TEST

START_TEST(direction)
{
	struct hw_region wo;

	hw_region_new(&n.hw, &wo, 1, TOE_MEM_WRITE, HW_PAGE);
	COUNTED(VIOL_ACCESS, try_send(wo.key, 0, 1), TOE_ST_ACCESS);
	check_works();
	hw_region_free(&wo);
}
END_TEST

/* One bad piece among good ones: nothing at all is sent. */
START_TEST(all_pieces_are_checked_first)
{
	struct toe_hw_req r;
	struct toe_hw_cqe e;

	hw_send_req(&n.ctx, &r, handle, 0, 10);
	r.npieces = 3;
	r.u.piece[1] = r.u.piece[2] = r.u.piece[0];
	r.u.piece[2].offset = n.ctx.mem.length;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, &e), TOE_ST_BOUNDS);
	ck_assert_uint_eq(e.u.cpl.bytes, 0);
	r.u.piece[2].length = 0;
	r.u.piece[2].offset = 0;
	r.cookie = 0;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, &e), TOE_ST_INVALID);
	r.npieces = 4;
	r.cookie = 0;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, &e), TOE_ST_INVALID);
	r.npieces = 0;
	r.cookie = 0;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, &e), TOE_ST_INVALID);
	peer_none(&n.peer);
	check_works();
}
END_TEST

/* Pieces that are scattered and unaligned arrive as one stream. */
START_TEST(pieces)
{
	static const uint32_t at[3] = { 4093, 20001, 8190 };
	static const uint32_t len[3] = { 5000, 1, 4099 };
	uint8_t out[9100], in[9100];
	struct toe_hw_req r;
	uint32_t i, sum = 0;

	hw_send_req(&n.ctx, &r, handle, 0, 1);
	r.npieces = 3;
	for (i = 0; i < 3; i++) {
		r.u.piece[i].key = n.ctx.mem.key;
		r.u.piece[i].offset = n.ctx.data + 30000 * i + at[i];
		r.u.piece[i].length = len[i];
		pattern_fill(out + sum, 4, sum, len[i]);
		hw_mem_write(&n.hw, &n.ctx.mem, r.u.piece[i].offset,
			     out + sum, len[i]);
		sum += len[i];
	}
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_OK);
	tcp_collect(&t, in, sum);
	pattern_check(in, 4, 0, sum);
	check_works();
}
END_TEST

START_TEST(piece_list)
{
	enum { N = 100 };
	struct toe_hw_piece list[TOE_PIECES_MAX];
	struct toe_hw_req r;
	uint8_t out[N * 7], in[N * 7];
	uint32_t i, list_off = 100 << 10;

	pattern_fill(out, 5, 0, sizeof(out));
	hw_mem_write(&n.hw, &n.ctx.mem, n.ctx.data, out, sizeof(out));
	memset(list, 0, sizeof(list));
	for (i = 0; i < N; i++) {
		list[i].key = n.ctx.mem.key;
		list[i].length = 7;
		list[i].offset = n.ctx.data + 7 * i;
	}
	hw_mem_write(&n.hw, &n.ctx.mem, n.ctx.data + list_off, list,
		     sizeof(list));
	hw_send_req(&n.ctx, &r, handle, list_off, N * 16);
	r.flags = TOE_REQ_F_LIST;
	r.npieces = N;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_OK);
	tcp_collect(&t, in, sizeof(in));
	pattern_check(in, 5, 0, sizeof(in));

	/* The list is memory like any other. */
	r.cookie = 0;
	r.u.piece[0].length = N * 16 - 1;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_INVALID);
	r.cookie = 0;
	r.npieces = TOE_PIECES_MAX + 1;
	r.u.piece[0].length = r.npieces * 16;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_INVALID);
	r.cookie = 0;
	r.npieces = N;
	r.u.piece[0].length = N * 16;
	r.u.piece[0].offset = n.ctx.mem.length - 8;
	COUNTED(VIOL_BOUNDS, hw_req_wait(&n.ctx, &r, NULL), TOE_ST_BOUNDS);
	r.cookie = 0;
	r.u.piece[0].offset = n.ctx.data + list_off;
	r.u.piece[0].key = 0;
	COUNTED(VIOL_KEY, hw_req_wait(&n.ctx, &r, NULL), TOE_ST_KEY);
	/* Too many bytes: 256 pieces of the whole data area. */
	for (i = 0; i < TOE_PIECES_MAX; i++)
		list[i] = (struct toe_hw_piece) { n.ctx.mem.key, HW_DATA,
						  n.ctx.data };
	hw_mem_write(&n.hw, &n.ctx.mem, n.ctx.data + list_off, list,
		     sizeof(list));
	r.cookie = 0;
	r.npieces = TOE_PIECES_MAX;
	r.u.piece[0].key = n.ctx.mem.key;
	r.u.piece[0].length = TOE_PIECES_MAX * 16;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &r, NULL), TOE_ST_TOOBIG);
	check_works();
}
END_TEST

/* A SEND waits (the peer's window is small); its region goes; it fails. */
START_TEST(revoked_in_flight)
{
	struct toe_hw_cqe e;
	struct hw_region r;
	struct toe_hw_req req = { .opcode = TOE_OP_SEND, .npieces = 1,
				  .handle = handle };
	uint32_t got = 0, bytes;
	bool done = false;

	ck_assert_uint_eq(hw_simple(&n.ctx, TOE_OP_NOP, 0), TOE_ST_OK);
	req.opcode = TOE_OP_SETOPT;
	req.npieces = 0;
	req.u.opt.option = TOE_OPT_SNDBUF;
	req.u.opt.value = 32768;
	ck_assert_uint_eq(hw_req_wait(&n.ctx, &req, NULL), TOE_ST_OK);

	hw_region_new(&n.hw, &r, 1, TOE_MEM_READ, 1u << 20);
	req = (struct toe_hw_req) { .opcode = TOE_OP_SEND, .npieces = 1,
				    .handle = handle };
	req.u.piece[0].key = r.key;
	req.u.piece[0].length = 1u << 20;
	hw_req(&n.ctx, &req);
	hw_cq_none(&n.ctx);		/* it waits */
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_RQM_PARKED), 1);
	ck_assert_uint_eq(hw_mem_revoke(&n.hw, r.key), TOE_ST_OK);
	/* What was taken before is sent; then the SEND fails. */
	while (!done) {
		struct pkt k;

		tcp_recv(&t, &k);
		ck_assert_uint_eq(k.seq, t.rcv_nxt);
		t.rcv_nxt += k.len;
		got += k.len;
		tcp_send(&t, TH_ACK, NULL, 0);
		peer_flush(&n.peer);
		done = hw_cq_poll(&n.ctx, &e);
	}
	ck_assert_uint_eq(e.type, TOE_EV_COMPLETION);
	ck_assert_uint_eq(e.status, TOE_ST_KEY);
	bytes = e.u.cpl.bytes;
	ck_assert_uint_gt(bytes, 0);
	ck_assert_uint_lt(bytes, 1u << 20);
	while (got < bytes) {
		struct pkt k;

		tcp_recv(&t, &k);
		t.rcv_nxt += k.len;
		got += k.len;
		tcp_send(&t, TH_ACK, NULL, 0);
	}
	ck_assert_uint_eq(got, bytes);
	/* Nothing may close up to the bytes that were sent. */
	ck_assert_uint_eq(hw_send(&n.ctx, handle, "x", 1), TOE_ST_ABORTED);
	hw_region_free(&r);
}
END_TEST

/* Revoking the memory of the queues stops the context, nothing else. */
START_TEST(queues_revoked)
{
	struct hw_ctx other;

	hw_ctx_new(&n.hw, &other, 2, 0);
	ck_assert_uint_eq(hw_mem_revoke(&n.hw, other.mem.key), TOE_ST_OK);
	hw_ring_rq(&other);
	hw_doorbell(&n.hw, 2, TOE_DB_CQ_ARM, 0);
	qt_settle(n.hw.qt);
	check_works();
	ck_assert_uint_eq(hw_ctx_destroy(&n.hw, 2, 0), TOE_ST_OK);
	hw_ctx_free(&other);
	hw_ctx_new(&n.hw, &other, 2, 0);
	ck_assert_uint_eq(hw_simple(&other, TOE_OP_NOP, 0), TOE_ST_OK);
	hw_ctx_free(&other);
}
END_TEST

/* ---- Receive buffers ---- */

static void post_raw(struct hw_ctx *c, uint32_t key, uint64_t off)
{
	struct toe_hw_buf b = { .key = key, .buf_id = 3, .offset = off };
	uint32_t i = c->bqs_tail++ & 15;

	hw_mem_write(&n.hw, &c->mem, c->bqs + 16 * i, &b, sizeof(b));
	hw_mem_writel(&n.hw, &c->mem, c->page +
		      offsetof(struct toe_hw_ctx_page, bq_small_tail),
		      c->bqs_tail);
	hw_ring_bq(c);
}

static const struct {
	uint8_t status;
	int what;
} bad_buffers[] = {
	{ TOE_ST_KEY, 0 }, { TOE_ST_OWNER, 1 }, { TOE_ST_ACCESS, 2 },
	{ TOE_ST_BOUNDS, 3 }, { TOE_ST_BOUNDS, 4 }, { TOE_ST_PERM, 5 },
};

START_TEST(bad_buffer)
{
	struct hw_ctx c;
	struct hw_region ro;
	struct toe_hw_req r;
	struct toe_hw_cqe e;
	struct tcp t2;
	struct pkt k;
	uint32_t h;

	hw_ctx_make(&n.hw, &c, 2, 0, 4);
	hw_region_new(&n.hw, &ro, 2, TOE_MEM_READ, HW_PAGE);
	switch (bad_buffers[_i].what) {
	case 0:
		post_raw(&c, 0x00300001, 0);
		break;
	case 1:
		post_raw(&c, n.ctx.mem.key, 0);
		break;
	case 2:
		post_raw(&c, ro.key, 0);
		break;
	case 3:
		post_raw(&c, c.mem.key, c.mem.length - 3);
		break;
	case 4:
		post_raw(&c, c.mem.key, ~0ull - 2);
		break;
	case 5:
		post_raw(&c, TOE_KEY_PHYS, 0x100000);
		break;
	}
	tcp_init(&t2, &n.peer, 81, 0);
	hw_connect_req(&r, PEER_IP, 81, 0, 1000);
	ck_assert_uint_eq(hw_req_wait(&c, &r, &e), TOE_ST_OK);
	h = e.handle;
	tcp_expect(&t2, TH_SYN, 0, &k);
	t2.dport = k.sport;
	tcp_send(&t2, TH_SYN | TH_ACK, NULL, 0);
	tcp_expect(&t2, TH_ACK, 0, NULL);
	hw_cq_expect(&c, TOE_EV_ESTABLISHED, &e);
	ck_assert_uint_eq(e.handle, h);
	tcp_send(&t2, TH_ACK | TH_PSH, "hello", 5);
	hw_cq_expect(&c, TOE_EV_FAULT, &e);
	ck_assert_uint_eq(e.status, bad_buffers[_i].status);
	ck_assert_uint_eq(hw_mem_readl(&n.hw, &c.mem, c.page +
				       offsetof(struct toe_hw_ctx_page,
						fault)),
			  bad_buffers[_i].status);
	/* It is dead; the other is not. */
	r = (struct toe_hw_req) { .opcode = TOE_OP_NOP };
	hw_req(&c, &r);
	hw_cq_none(&c);
	ck_assert_uint_eq(hw_ctx_destroy(&n.hw, 2, 0), TOE_ST_OK);
	/* The connection of the stopped context is reset towards the peer. */
	do {
		peer_recv(&n.peer, &k);
		ck_assert_uint_eq(k.dport, 81);
	} while (!(k.flags & TH_RST));
	check_works();
	hw_region_free(&ro);
	hw_ctx_free(&c);
}
END_TEST

/* ---- Registration ---- */

START_TEST(registration)
{
	struct toe_hw_adm_cmd cmd;
	struct toe_hw_adm_cpl cpl;
	uint64_t *pages = hw_pages(&n.hw, 4);
	uint64_t list = hw_alloc(&n.hw, 4096);
	uint64_t bad = pages[0] + 8;
	uint32_t key;

#define REG(ctx, access, len, first, shift, np) \
	hw_mem_register(&n.hw, ctx, access, len, first, shift, pages, np, &key)
	ck_assert_uint_ne(REG(99, 1, 4096, 0, 12, 1), TOE_ST_OK);
	ck_assert_uint_ne(REG(5, 1, 4096, 0, 12, 1), TOE_ST_OK);
	ck_assert_uint_eq(REG(1, 0, 4096, 0, 12, 1), TOE_ST_INVALID);
	ck_assert_uint_eq(REG(1, 4, 4096, 0, 12, 1), TOE_ST_INVALID);
	ck_assert_uint_ne(REG(1, 1, 0, 0, 12, 1), TOE_ST_OK);
	ck_assert_uint_ne(REG(1, 1, 4097, 0, 12, 1), TOE_ST_OK);
	ck_assert_uint_ne(REG(1, 1, 4096, 1, 12, 1), TOE_ST_OK);
	ck_assert_uint_eq(REG(1, 1, 4096, 4096, 12, 2), TOE_ST_INVALID);
	ck_assert_uint_eq(REG(1, 1, 4096, 0, 11, 2), TOE_ST_INVALID);
	ck_assert_uint_eq(REG(1, 1, 4096, 0, 31, 1), TOE_ST_INVALID);
	ck_assert_uint_eq(REG(1, 1, 4096, 0, 0xffffffff, 1), TOE_ST_INVALID);
	ck_assert_uint_ne(REG(1, 1, 4096, 0, 12, 0), TOE_ST_OK);
	ck_assert_uint_ne(REG(1, 1, ~0ull, 0, 12, 1), TOE_ST_OK);
	ck_assert_uint_ne(REG(1, 1, ~0ull, 4095, 12, 0xffffffff), TOE_ST_OK);
	ck_assert_uint_eq(REG(1, 1, 4096, 0, 12, 1000000), TOE_ST_NOMEM);

	/* By hand: pages out of order, too many, misaligned, incomplete. */
	cmd = (struct toe_hw_adm_cmd) { .opcode = TOE_ADM_MEM_REGISTER };
	cmd.u.mem_register.ctx = 1;
	cmd.u.mem_register.access = TOE_MEM_READ;
	cmd.u.mem_register.length = 4 * 4096;
	cmd.u.mem_register.page_shift = 12;
	cmd.u.mem_register.npages = 4;
	key = (uint32_t)hw_admin_ok(&n.hw, &cmd);
	COUNTED(VIOL_KEY, try_send(key, 0, 1), TOE_ST_KEY);
	qt_write(n.hw.qt, list, pages, 32);
	cmd = (struct toe_hw_adm_cmd) { .opcode = TOE_ADM_MEM_PAGES };
	cmd.u.mem_pages.key = key;
	cmd.u.mem_pages.list = list;
	cmd.u.mem_pages.index = 1;
	cmd.u.mem_pages.count = 1;
	ck_assert_uint_ne(hw_admin(&n.hw, &cmd, &cpl), TOE_ST_OK);
	cmd.u.mem_pages.index = 0;
	cmd.u.mem_pages.count = 0;
	ck_assert_uint_eq(hw_admin(&n.hw, &cmd, &cpl), TOE_ST_INVALID);
	cmd.u.mem_pages.count = TOE_MEM_PAGES_MAX + 1;
	ck_assert_uint_eq(hw_admin(&n.hw, &cmd, &cpl), TOE_ST_INVALID);
	cmd.u.mem_pages.count = 5;
	ck_assert_uint_ne(hw_admin(&n.hw, &cmd, &cpl), TOE_ST_OK);
	cmd.u.mem_pages.count = 2;
	cmd.u.mem_pages.list = 0xd0000000;
	ck_assert_uint_eq(hw_admin(&n.hw, &cmd, &cpl), TOE_ST_DMA);
	cmd.u.mem_pages.list = list;
	qt_writeq(n.hw.qt, list, bad);
	ck_assert_uint_eq(hw_admin(&n.hw, &cmd, &cpl), TOE_ST_INVALID);
	qt_write(n.hw.qt, list, pages, 32);
	ck_assert_uint_eq(hw_admin(&n.hw, &cmd, &cpl), TOE_ST_OK);
	COUNTED(VIOL_KEY, try_send(key, 0, 1), TOE_ST_KEY);
	ck_assert_uint_ne(hw_admin(&n.hw, &cmd, &cpl), TOE_ST_OK);
	cmd.u.mem_pages.index = 2;
	qt_write(n.hw.qt, list, pages + 2, 16);
	ck_assert_uint_eq(hw_admin(&n.hw, &cmd, &cpl), TOE_ST_OK);
	/* The list was copied: changing it later means nothing. */
	qt_memset(n.hw.qt, list, 0xff, 32);
	ck_assert_uint_eq(try_send(key, 4 * 4096 - 1, 1), TOE_ST_OK);
	tcp_expect(&t, TH_ACK, 1, NULL);
	tcp_send(&t, TH_ACK, NULL, 0);
	ck_assert_uint_eq(hw_mem_revoke(&n.hw, key), TOE_ST_OK);
	check_works();
}
END_TEST

START_TEST(tables_are_bounded)
{
	uint64_t regions = hw_counter(&n.hw, TOE_CTR_MEM_REGIONS);
	uint64_t *pages = hw_pages(&n.hw, 1);
	uint32_t key, keys[80], i, j;

	for (i = 0; i < 80; i++) {
		uint8_t status = hw_mem_register(&n.hw, 1, TOE_MEM_READ, 4096,
						 0, 12, pages, 1, &key);

		if (status != TOE_ST_OK) {
			ck_assert_uint_eq(status, TOE_ST_NOMEM);
			break;
		}
		keys[i] = key;
	}
	ck_assert_uint_eq(i, 64 - regions);
	for (j = 0; j < i; j++)
		ck_assert_uint_eq(hw_mem_revoke(&n.hw, keys[j]), TOE_ST_OK);
	ck_assert_uint_eq(hw_counter(&n.hw, TOE_CTR_MEM_REGIONS), regions);
	check_works();
}
END_TEST

START_TEST(quota)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_CTX_CREATE };
	uint64_t *pages = hw_pages(&n.hw, 1);
	uint32_t key;

	cmd.u.ctx_create.ctx = 4;
	cmd.u.ctx_create.max_regions = 2;
	hw_admin_ok(&n.hw, &cmd);
	for (int i = 0; i < 2; i++)
		ck_assert_uint_eq(hw_mem_register(&n.hw, 4, TOE_MEM_READ, 4096,
						  0, 12, pages, 1, &key),
				  TOE_ST_OK);
	ck_assert_uint_eq(hw_mem_register(&n.hw, 4, TOE_MEM_READ, 4096, 0, 12,
					  pages, 1, &key), TOE_ST_QUOTA);
	ck_assert_uint_eq(hw_mem_revoke(&n.hw, key), TOE_ST_KEY);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("memory");
	TCase *tc = qt_case(s, "send", setup, teardown);

	tcase_add_test(tc, bad_key);
	tcase_add_test(tc, stale_generation);
	tcase_add_test(tc, wrong_owner);
	tcase_add_test(tc, bounds);
	tcase_add_test(tc, direction);
	tcase_add_test(tc, all_pieces_are_checked_first);
	tcase_add_test(tc, pieces);
	tcase_add_test(tc, piece_list);
	tc = qt_case(s, "revoke", setup, teardown);
	tcase_add_test(tc, revoked_in_flight);
	tcase_add_test(tc, queues_revoked);
	tc = qt_case(s, "buffers", setup, teardown);
	tcase_add_loop_test(tc, bad_buffer, 0,
			    sizeof(bad_buffers) / sizeof(bad_buffers[0]));
	tc = qt_case(s, "registration", setup, teardown);
	tcase_add_test(tc, registration);
	tcase_add_test(tc, tables_are_bounded);
	tcase_add_test(tc, quota);
	return qt_main(s);
}
