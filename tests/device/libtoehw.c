// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libtoehw.c - a mini driver: the adapter as a device test uses it.
 *
 * Guest RAM: the first MiB is left alone except for the words that MSI-X
 * vectors write to; from there to the end pages are handed out in the order
 * (i * stride) mod n, with a stride that is odd and large, so that two
 * neighbours in a region are never neighbours in memory and the order is also
 * falling at times.  Nothing is given back; a test lives shorter than that.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "libtoehw.h"

#include <stdlib.h>
#include <string.h>

#define RAM_FIRST	(1u << 20)
#define FLAT_SIZE	(2u << 20)	/* contiguous pieces come from here */
#define SCATTER_FIRST	(RAM_FIRST + FLAT_SIZE)
#define SCATTER_PAGES	((QT_RAM_SIZE - SCATTER_FIRST) / HW_PAGE)
#define SCATTER_STRIDE	6007u		/* coprime to the number of pages */

static uint32_t flat_used;		/* tests are processes of their own */

void hw_start(struct hw *hw, const char *netdev, const char *props)
{
	*hw = (struct hw) { 0 };
	flat_used = 0;
	hw->qt = qt_start("%s -device toe,id=toe0,%smac=02:00:00:00:00:01%s%s",
			  netdev, netdev[0] ? "netdev=n0," : "",
			  props[0] ? "," : "", props);
	pci_find(&hw->pci, hw->qt);
	pci_enable(&hw->pci);
	pci_msix_enable(&hw->pci);
}

void hw_stop(struct hw *hw)
{
	qt_alive(hw->qt);
	qt_stop(hw->qt);
}

uint32_t hw_reg(struct hw *hw, uint32_t off)
{
	return qt_readl(hw->qt, hw->pci.regs + off);
}

void hw_reg_write(struct hw *hw, uint32_t off, uint32_t value)
{
	qt_writel(hw->qt, hw->pci.regs + off, value);
}

uint64_t hw_counter(struct hw *hw, enum toe_counter c)
{
	return qt_readq(hw->qt, hw->pci.regs + TOE_REG_COUNTERS + 8u * c);
}

void hw_doorbell(struct hw *hw, uint32_t ctx, uint32_t off, uint32_t value)
{
	qt_writel(hw->qt, hw->pci.doorbells +
		  (uint64_t)ctx * TOE_DOORBELL_PAGE_SIZE + off, value);
}

/* ---- Memory ---- */

uint64_t *hw_pages(struct hw *hw, uint32_t count)
{
	uint64_t *p = calloc(count ? count : 1, sizeof(*p));
	uint32_t i;

	ck_assert_ptr_nonnull(p);
	for (i = 0; i < count; i++) {
		uint64_t n = hw->next_page++;

		ck_assert_uint_lt(n, SCATTER_PAGES);
		p[i] = SCATTER_FIRST +
		       n * SCATTER_STRIDE % SCATTER_PAGES * HW_PAGE;
		qt_memset(hw->qt, p[i], 0, HW_PAGE);
	}
	return p;
}

uint64_t hw_alloc(struct hw *hw, uint32_t bytes)
{
	uint64_t at = RAM_FIRST + flat_used;

	bytes = (bytes + HW_PAGE - 1) & ~(HW_PAGE - 1);
	flat_used += bytes;
	ck_assert_uint_le(flat_used, FLAT_SIZE);
	qt_memset(hw->qt, at, 0, bytes);
	return at;
}

static void mem_walk(struct hw *hw, const struct hw_region *r, uint64_t off,
		     uint8_t *buf, uint32_t len, bool write)
{
	ck_assert_uint_le(off + len, (uint64_t)r->npages * HW_PAGE);
	while (len) {
		uint32_t in = (uint32_t)(off % HW_PAGE);
		uint32_t n = HW_PAGE - in < len ? HW_PAGE - in : len;
		uint64_t at = r->pages[off / HW_PAGE] + in;

		if (write)
			qt_write(hw->qt, at, buf, n);
		else
			qt_read(hw->qt, at, buf, n);
		off += n;
		buf += n;
		len -= n;
	}
}

void hw_mem_write(struct hw *hw, const struct hw_region *r, uint64_t off,
		  const void *buf, uint32_t len)
{
	mem_walk(hw, r, off, (uint8_t *)(uintptr_t)buf, len, true);
}

void hw_mem_read(struct hw *hw, const struct hw_region *r, uint64_t off,
		 void *buf, uint32_t len)
{
	mem_walk(hw, r, off, buf, len, false);
}

uint32_t hw_mem_readl(struct hw *hw, const struct hw_region *r, uint64_t off)
{
	return qt_readl(hw->qt, r->pages[off / HW_PAGE] + off % HW_PAGE);
}

void hw_mem_writel(struct hw *hw, const struct hw_region *r, uint64_t off,
		   uint32_t value)
{
	qt_writel(hw->qt, r->pages[off / HW_PAGE] + off % HW_PAGE, value);
}

void hw_put_ipv4(uint8_t field[16], uint32_t ipv4)
{
	memset(field, 0, 16);
	field[0] = (uint8_t)(ipv4 >> 24);
	field[1] = (uint8_t)(ipv4 >> 16);
	field[2] = (uint8_t)(ipv4 >> 8);
	field[3] = (uint8_t)ipv4;
}

uint32_t hw_get_ipv4(const uint8_t field[16])
{
	return (uint32_t)field[0] << 24 | (uint32_t)field[1] << 16 |
	       (uint32_t)field[2] << 8 | field[3];
}

/* ---- Adapter ---- */

static void admin_registers(struct hw *hw)
{
	if (!hw->aq) {
		hw->aq = hw_alloc(hw, sizeof(struct toe_hw_adm_cmd) <<
				  HW_AQ_LOG2);
		hw->acq = hw_alloc(hw, sizeof(struct toe_hw_adm_cpl) <<
				   HW_ACQ_LOG2);
	}
	/* The phase bit of the first pass is 1: old entries must read 0. */
	qt_memset(hw->qt, hw->acq, 0,
		  sizeof(struct toe_hw_adm_cpl) << HW_ACQ_LOG2);
	hw->aq_tail = 0;
	hw->acq_head = 0;
	hw_reg_write(hw, TOE_REG_AQ_BASE_LO, (uint32_t)hw->aq);
	hw_reg_write(hw, TOE_REG_AQ_BASE_HI, (uint32_t)(hw->aq >> 32));
	hw_reg_write(hw, TOE_REG_AQ_LOG2, HW_AQ_LOG2);
	hw_reg_write(hw, TOE_REG_ACQ_BASE_LO, (uint32_t)hw->acq);
	hw_reg_write(hw, TOE_REG_ACQ_BASE_HI, (uint32_t)(hw->acq >> 32));
	hw_reg_write(hw, TOE_REG_ACQ_LOG2, HW_ACQ_LOG2);
}

void hw_enable(struct hw *hw)
{
	admin_registers(hw);
	hw_reg_write(hw, TOE_REG_CONTROL, TOE_CTL_ENABLE);
	QT_WAIT(hw->qt, hw_reg(hw, TOE_REG_STATUS) & TOE_STATUS_READY);
	ck_assert_uint_eq(hw_reg(hw, TOE_REG_ERROR), TOE_FATAL_NONE);
}

void hw_reset(struct hw *hw)
{
	hw_reg_write(hw, TOE_REG_CONTROL, TOE_CTL_RESET);
	QT_WAIT(hw->qt, !(hw_reg(hw, TOE_REG_CONTROL) & TOE_CTL_RESET));
	ck_assert(!(hw_reg(hw, TOE_REG_STATUS) & TOE_STATUS_READY));
	hw->aq_tail = 0;
	hw->acq_head = 0;
}

/* ---- Admin queue ---- */

uint16_t hw_admin_post(struct hw *hw, struct toe_hw_adm_cmd *cmd)
{
	uint64_t at = hw->aq + sizeof(*cmd) *
		      (hw->aq_tail & ((1u << HW_AQ_LOG2) - 1));

	cmd->tag = ++hw->tag;
	qt_write(hw->qt, at, cmd, sizeof(*cmd));
	hw->aq_tail++;
	hw_reg_write(hw, TOE_REG_AQ_TAIL, hw->aq_tail);
	return cmd->tag;
}

static bool admin_peek(struct hw *hw, struct toe_hw_adm_cpl *cpl)
{
	uint32_t pass = hw->acq_head >> HW_ACQ_LOG2;

	qt_read(hw->qt, hw->acq + sizeof(*cpl) *
		(hw->acq_head & ((1u << HW_ACQ_LOG2) - 1)), cpl, sizeof(*cpl));
	return (cpl->flags & TOE_ADM_CPL_PHASE) == (pass & 1 ? 0 : 1);
}

bool hw_admin_ready(struct hw *hw)
{
	struct toe_hw_adm_cpl cpl;

	for (;;) {
		if (!admin_peek(hw, &cpl))
			return false;
		if (!cpl.event)
			return true;
		hw->link_events++;
		hw->acq_head++;
		hw_reg_write(hw, TOE_REG_ACQ_HEAD, hw->acq_head);
	}
}

void hw_admin_next(struct hw *hw, struct toe_hw_adm_cpl *cpl)
{
	QT_WAIT(hw->qt, hw_admin_ready(hw));
	admin_peek(hw, cpl);
	hw->acq_head++;
	hw_reg_write(hw, TOE_REG_ACQ_HEAD, hw->acq_head);
	ck_assert_uint_eq(cpl->rsvd, 0);
	ck_assert_uint_eq(cpl->rsvd1, 0);
	ck_assert_uint_lt(cpl->status, TOE_ST_MAX);
}

uint8_t hw_admin(struct hw *hw, struct toe_hw_adm_cmd *cmd,
		 struct toe_hw_adm_cpl *cpl)
{
	struct toe_hw_adm_cpl own;
	uint16_t tag = hw_admin_post(hw, cmd);

	if (!cpl)
		cpl = &own;
	hw_admin_next(hw, cpl);
	ck_assert_uint_eq(cpl->tag, tag);
	ck_assert_uint_eq(cpl->opcode, cmd->opcode);
	return cpl->status;
}

uint64_t hw_admin_ok(struct hw *hw, struct toe_hw_adm_cmd *cmd)
{
	struct toe_hw_adm_cpl cpl;
	uint8_t status = hw_admin(hw, cmd, &cpl);

	ck_assert_msg(status == TOE_ST_OK, "admin opcode 0x%02x: status %u",
		      cmd->opcode, status);
	return cpl.result;
}

uint8_t hw_ctx_create(struct hw *hw, uint32_t ctx, uint32_t rights,
		      uint32_t vector, uint32_t max_conns)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_CTX_CREATE };

	cmd.u.ctx_create.ctx = ctx;
	cmd.u.ctx_create.rights = rights;
	cmd.u.ctx_create.vector = vector;
	cmd.u.ctx_create.max_conns = max_conns;
	return hw_admin(hw, &cmd, NULL);
}

uint8_t hw_ctx_destroy(struct hw *hw, uint32_t ctx, uint8_t flags)
{
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_CTX_DESTROY, .flags = flags,
	};

	cmd.u.ctx_destroy.ctx = ctx;
	return hw_admin(hw, &cmd, NULL);
}

uint8_t hw_mem_register(struct hw *hw, uint32_t ctx, uint32_t access,
			uint64_t length, uint32_t first, uint32_t shift,
			const uint64_t *pages, uint32_t npages, uint32_t *key)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_MEM_REGISTER };
	struct toe_hw_adm_cpl cpl;
	uint64_t list;
	uint32_t done = 0;
	uint8_t status;

	cmd.u.mem_register.ctx = ctx;
	cmd.u.mem_register.access = access;
	cmd.u.mem_register.length = length;
	cmd.u.mem_register.first = first;
	cmd.u.mem_register.page_shift = shift;
	cmd.u.mem_register.npages = npages;
	status = hw_admin(hw, &cmd, &cpl);
	*key = (uint32_t)cpl.result;
	if (status)
		return status;

	list = hw_pages(hw, 1)[0];
	while (done < npages) {
		uint32_t n = npages - done;

		if (n > TOE_MEM_PAGES_MAX)
			n = TOE_MEM_PAGES_MAX;
		qt_write(hw->qt, list, pages + done, n * sizeof(*pages));
		cmd = (struct toe_hw_adm_cmd) { .opcode = TOE_ADM_MEM_PAGES };
		cmd.u.mem_pages.key = *key;
		cmd.u.mem_pages.index = done;
		cmd.u.mem_pages.count = n;
		cmd.u.mem_pages.list = list;
		status = hw_admin(hw, &cmd, NULL);
		if (status)
			return status;
		done += n;
	}
	return TOE_ST_OK;
}

void hw_region_new(struct hw *hw, struct hw_region *r, uint32_t ctx,
		   uint32_t access, uint64_t length)
{
	r->length = length;
	r->npages = (uint32_t)((length + HW_PAGE - 1) / HW_PAGE);
	r->pages = hw_pages(hw, r->npages);
	ck_assert_uint_eq(hw_mem_register(hw, ctx, access, length, 0, 12,
					  r->pages, r->npages, &r->key),
			  TOE_ST_OK);
	ck_assert_uint_ne(r->key, TOE_KEY_INVALID);
	ck_assert_uint_ne(r->key, TOE_KEY_PHYS);
}

void hw_region_free(struct hw_region *r)
{
	free(r->pages);
	*r = (struct hw_region) { 0 };
}

uint8_t hw_mem_revoke(struct hw *hw, uint32_t key)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_MEM_REVOKE };

	cmd.u.mem_revoke.key = key;
	return hw_admin(hw, &cmd, NULL);
}

uint8_t hw_addr_add(struct hw *hw, uint32_t ipv4, uint8_t prefix)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_ADDR_ADD };

	cmd.u.addr.family = TOE_AF_INET;
	cmd.u.addr.prefix = prefix;
	hw_put_ipv4(cmd.u.addr.addr, ipv4);
	return hw_admin(hw, &cmd, NULL);
}

uint8_t hw_neigh_add(struct hw *hw, uint32_t ipv4, const uint8_t mac[6])
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_NEIGH_ADD };

	cmd.u.neigh.family = TOE_AF_INET;
	memcpy(cmd.u.neigh.mac, mac, 6);
	hw_put_ipv4(cmd.u.neigh.addr, ipv4);
	return hw_admin(hw, &cmd, NULL);
}

uint8_t hw_param_set(struct hw *hw, uint32_t param, uint64_t value)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_PARAM_SET };

	cmd.u.param.param = param;
	cmd.u.param.value = value;
	return hw_admin(hw, &cmd, NULL);
}

/* ---- Contexts ---- */

static uint32_t place(uint32_t *at, uint32_t bytes)
{
	uint32_t was = *at;

	*at += (bytes + 63) & ~63u;
	return was;
}

void hw_ctx_queues_cmd(struct hw_ctx *c, struct toe_hw_adm_cmd *cmd)
{
	*cmd = (struct toe_hw_adm_cmd) { .opcode = TOE_ADM_CTX_QUEUES };
	cmd->u.ctx_queues.ctx = c->id;
	cmd->u.ctx_queues.key = c->mem.key;
	cmd->u.ctx_queues.page = c->page;
	cmd->u.ctx_queues.rq = c->rq;
	cmd->u.ctx_queues.cq = c->cq;
	cmd->u.ctx_queues.bq_small = c->bqs;
	cmd->u.ctx_queues.bq_large = c->bql;
	cmd->u.ctx_queues.rq_log2 = c->rq_log2;
	cmd->u.ctx_queues.cq_log2 = c->cq_log2;
	cmd->u.ctx_queues.bq_small_log2 = c->bqs_log2;
	cmd->u.ctx_queues.bq_large_log2 = c->bql_log2;
	cmd->u.ctx_queues.small_size = HW_SMALL;
	cmd->u.ctx_queues.large_size = HW_LARGE;
}

void hw_ctx_make(struct hw *hw, struct hw_ctx *c, uint32_t id, uint32_t rights,
		 uint8_t log2)
{
	struct toe_hw_adm_cmd cmd;
	uint32_t at = 0;

	*c = (struct hw_ctx) { .hw = hw, .id = id, .cookie = 0x1000 };
	c->vector = 1 + id % (TOE_MSIX_VECTORS - 1);
	c->rq_log2 = log2;
	c->cq_log2 = log2;
	c->bqs_log2 = 4;
	c->bql_log2 = 4;
	/* The page is not at 0, and the rings cross pages where they can. */
	place(&at, 192);
	c->page = place(&at, sizeof(struct toe_hw_ctx_page));
	c->rq = place(&at, 64u << c->rq_log2);
	c->cq = place(&at, 64u << c->cq_log2);
	c->bqs = place(&at, 16u << c->bqs_log2);
	c->bql = place(&at, 16u << c->bql_log2);
	c->small = place(&at, HW_NBUFS * HW_SMALL);
	c->large = place(&at, HW_NBUFS * HW_LARGE);
	c->data = place(&at, HW_DATA);

	ck_assert_uint_eq(hw_ctx_create(hw, id, rights, c->vector, 0),
			  TOE_ST_OK);
	hw_region_new(hw, &c->mem, id, TOE_MEM_READ | TOE_MEM_WRITE, at);
	hw_ctx_queues_cmd(c, &cmd);
	hw_admin_ok(hw, &cmd);
}

void hw_ctx_new(struct hw *hw, struct hw_ctx *c, uint32_t id, uint32_t rights)
{
	uint32_t i;

	hw_ctx_make(hw, c, id, rights, 4);
	for (i = 0; i < HW_NBUFS; i++) {
		hw_post_small(c, i);
		hw_post_large(c, i);
	}
	hw_ring_bq(c);
}

void hw_ctx_free(struct hw_ctx *c)
{
	hw_region_free(&c->mem);
}

/* Fields of the context's page. */
#define PAGE_OFF(c, field) \
	((c)->page + (uint32_t)offsetof(struct toe_hw_ctx_page, field))

void hw_req_put(struct hw_ctx *c, const struct toe_hw_req *r)
{
	uint32_t i = c->rq_tail & ((1u << c->rq_log2) - 1);

	hw_mem_write(c->hw, &c->mem, c->rq + 64 * i, r, sizeof(*r));
	c->rq_tail++;
	hw_mem_writel(c->hw, &c->mem, PAGE_OFF(c, rq_tail), c->rq_tail);
}

void hw_ring_rq(struct hw_ctx *c)
{
	hw_doorbell(c->hw, c->id, TOE_DB_RQ, 0);
}

uint64_t hw_req(struct hw_ctx *c, struct toe_hw_req *r)
{
	if (!r->cookie)
		r->cookie = ++c->cookie;
	hw_req_put(c, r);
	hw_ring_rq(c);
	return r->cookie;
}

bool hw_cq_poll(struct hw_ctx *c, struct toe_hw_cqe *e)
{
	uint32_t tail = hw_mem_readl(c->hw, &c->mem, PAGE_OFF(c, cq_tail));
	uint32_t i = c->cq_head & ((1u << c->cq_log2) - 1);

	if (tail == c->cq_head)
		return false;
	ck_assert_msg(tail - c->cq_head <= 1u << c->cq_log2,
		      "cq_tail %u with cq_head %u", tail, c->cq_head);
	hw_mem_read(c->hw, &c->mem, c->cq + 64 * i, e, sizeof(*e));
	c->cq_head++;
	hw_mem_writel(c->hw, &c->mem, PAGE_OFF(c, cq_head), c->cq_head);
	if (hw_mem_readl(c->hw, &c->mem, PAGE_OFF(c, cq_full)))
		hw_doorbell(c->hw, c->id, TOE_DB_CQ_SPACE, 0);
	ck_assert_uint_lt(e->status, TOE_ST_MAX);
	return true;
}

void hw_cq_next(struct hw_ctx *c, struct toe_hw_cqe *e)
{
	QT_WAIT(c->hw->qt, hw_cq_poll(c, e));
}

void hw_cq_expect(struct hw_ctx *c, uint8_t type, struct toe_hw_cqe *e)
{
	hw_cq_next(c, e);
	ck_assert_msg(e->type == type,
		      "expected event 0x%02x, got 0x%02x (status %u, opcode 0x%02x)",
		      type, e->type, e->status, e->u.cpl.opcode);
}

void hw_cq_none(struct hw_ctx *c)
{
	struct toe_hw_cqe e;

	qt_settle(c->hw->qt);
	if (hw_cq_poll(c, &e))
		ck_abort_msg("unexpected event 0x%02x, status %u, opcode 0x%02x, "
			     "handle 0x%x", e.type, e.status, e.u.cpl.opcode,
			     e.handle);
}

void hw_cq_arm(struct hw_ctx *c)
{
	hw_doorbell(c->hw, c->id, TOE_DB_CQ_ARM, c->cq_head);
}

uint8_t hw_req_wait(struct hw_ctx *c, struct toe_hw_req *r,
		    struct toe_hw_cqe *e)
{
	struct toe_hw_cqe own;
	uint64_t cookie = hw_req(c, r);

	if (!e)
		e = &own;
	hw_cq_expect(c, TOE_EV_COMPLETION, e);
	ck_assert_uint_eq(e->cookie, cookie);
	ck_assert_uint_eq(e->u.cpl.opcode, r->opcode);
	return e->status;
}

static void post(struct hw_ctx *c, uint32_t ring, uint8_t log2, uint32_t *tail,
		 uint32_t tail_off, uint32_t id, uint64_t off)
{
	struct toe_hw_buf b = { .key = c->mem.key, .buf_id = id,
				.offset = off };
	uint32_t i = *tail & ((1u << log2) - 1);

	hw_mem_write(c->hw, &c->mem, ring + 16 * i, &b, sizeof(b));
	(*tail)++;
	hw_mem_writel(c->hw, &c->mem, tail_off, *tail);
}

void hw_post_small(struct hw_ctx *c, uint32_t buf)
{
	post(c, c->bqs, c->bqs_log2, &c->bqs_tail, PAGE_OFF(c, bq_small_tail),
	     buf, c->small + buf * HW_SMALL);
}

void hw_post_large(struct hw_ctx *c, uint32_t buf)
{
	post(c, c->bql, c->bql_log2, &c->bql_tail, PAGE_OFF(c, bq_large_tail),
	     buf | HW_ID_LARGE, c->large + buf * HW_LARGE);
}

void hw_ring_bq(struct hw_ctx *c)
{
	hw_doorbell(c->hw, c->id, TOE_DB_BQ, 0);
}

uint32_t hw_recv_take(struct hw_ctx *c, const struct toe_hw_cqe *e, void *buf,
		      uint32_t len)
{
	bool large = e->flags & TOE_CQE_F_LARGE;
	uint32_t id = e->u.recv.buf_id & ~HW_ID_LARGE;
	uint32_t n = e->u.recv.length;

	ck_assert_uint_lt(id, HW_NBUFS);
	ck_assert_uint_eq(large, !!(e->u.recv.buf_id & HW_ID_LARGE));
	/* A datagram may be empty. */
	ck_assert(n || e->type == TOE_EV_UDP_RECV);
	ck_assert_uint_le(n, large ? HW_LARGE : HW_SMALL);
	ck_assert_uint_le(n, len);
	if (n)
		hw_mem_read(c->hw, &c->mem, large ? c->large + id * HW_LARGE :
			    c->small + id * HW_SMALL, buf, n);
	if (large)
		hw_post_large(c, id);
	else
		hw_post_small(c, id);
	hw_ring_bq(c);
	return n;
}

void hw_recv_all(struct hw_ctx *c, uint32_t handle, void *buf, uint32_t total)
{
	uint8_t *p = buf;

	while (total) {
		struct toe_hw_cqe e;
		uint32_t n;

		hw_cq_expect(c, TOE_EV_RECV, &e);
		ck_assert_uint_eq(e.handle, handle);
		n = hw_recv_take(c, &e, p, total);
		p += n;
		total -= n;
	}
}

/* ---- Requests ---- */

void hw_connect_req(struct toe_hw_req *r, uint32_t raddr, uint16_t rport,
		    uint16_t lport, uint32_t credit)
{
	*r = (struct toe_hw_req) { .opcode = TOE_OP_CONNECT };
	r->u.connect.family = TOE_AF_INET;
	r->u.connect.lport = lport;
	r->u.connect.rport = rport;
	hw_put_ipv4(r->u.connect.raddr, raddr);
	r->u.connect.credit = credit;
}

void hw_listen_req(struct toe_hw_req *r, uint16_t lport, uint32_t backlog)
{
	*r = (struct toe_hw_req) { .opcode = TOE_OP_LISTEN };
	r->u.listen.family = TOE_AF_INET;
	r->u.listen.lport = lport;
	r->u.listen.backlog = backlog;
}

void hw_send_req(struct hw_ctx *c, struct toe_hw_req *r, uint32_t handle,
		 uint32_t off, uint32_t len)
{
	*r = (struct toe_hw_req) { .opcode = TOE_OP_SEND, .npieces = 1,
				   .handle = handle };
	r->u.piece[0].key = c->mem.key;
	r->u.piece[0].length = len;
	r->u.piece[0].offset = c->data + off;
}

uint8_t hw_send(struct hw_ctx *c, uint32_t handle, const void *buf,
		uint32_t len)
{
	struct toe_hw_req r;
	struct toe_hw_cqe e;
	uint8_t status;

	ck_assert_uint_le(len, HW_DATA);
	hw_mem_write(c->hw, &c->mem, c->data, buf, len);
	hw_send_req(c, &r, handle, 0, len);
	status = hw_req_wait(c, &r, &e);
	if (status == TOE_ST_OK)
		ck_assert_uint_eq(e.u.cpl.bytes, len);
	return status;
}

uint8_t hw_simple(struct hw_ctx *c, uint8_t opcode, uint32_t handle)
{
	struct toe_hw_req r = { .opcode = opcode, .handle = handle };

	return hw_req_wait(c, &r, NULL);
}

void hw_credit(struct hw_ctx *c, uint32_t handle, uint32_t bytes)
{
	struct toe_hw_req r = { .opcode = TOE_OP_CREDIT, .handle = handle };

	r.u.credit.credit = bytes;
	hw_req(c, &r);
}
