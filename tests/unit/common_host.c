/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * common_host.c - see common_host.h.
 */
#include "common_host.h"

#define AQ_LOG2		3u

/* ---- The world ---- */

static bool in_ram(uint64_t addr, size_t len)
{
	return addr <= RAM_SIZE && len <= RAM_SIZE - addr;
}

static bool dma_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	struct guest *g = opaque;

	g->dma_reads++;
	if (!in_ram(addr, len))
		return false;
	memcpy(buf, g->ram + addr, len);
	return true;
}

static bool dma_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	struct guest *g = opaque;

	g->dma_writes++;
	if (!in_ram(addr, len))
		return false;
	memcpy(g->ram + addr, buf, len);
	return true;
}

static void irq(void *opaque, unsigned vector)
{
	struct guest *g = opaque;

	ck_assert_uint_lt(vector, TOE_MSIX_VECTORS);
	g->irqs[vector]++;
}

static bool send_frame(void *opaque, const uint8_t *frame, size_t len)
{
	(void)opaque;
	(void)frame;
	(void)len;
	return true;
}

static int64_t now(void *opaque)
{
	(void)opaque;
	return 1000000000;
}

static void set_timer(void *opaque, int64_t deadline)
{
	((struct guest *)opaque)->deadline = deadline;
}

static void kick(void *opaque)
{
	((struct guest *)opaque)->kicked = true;
}

static void fill_random(void *opaque, void *buf, size_t len)
{
	(void)opaque;
	memset(buf, 0x5a, len);
}

static void guest_error(void *opaque, const char *sentence)
{
	struct guest *g = opaque;

	g->guest_errors++;
	g_strlcpy(g->last_error, sentence, sizeof(g->last_error));
}

static void reg(struct guest *g, uint32_t off, uint32_t val)
{
	toe_adapter_reg_write(g->a, off, val, 4);
}

void guest_new(struct guest *g, const struct host_options *o)
{
	static const struct host_options usual = {
		.contexts = 6, .connections = 64, .regions = 16,
		.pages = 2048, .lmem = 4u << 20,
	};
	ToeEnv env = {
		.opaque = g,
		.dma_read = dma_read,
		.dma_write = dma_write,
		.irq = irq,
		.send_frame = send_frame,
		.now = now,
		.set_timer = set_timer,
		.kick = kick,
		.random = fill_random,
		.guest_error = guest_error,
	};
	ToeConfig config = {
		.mac = { 0x52, 0x54, 0, 1, 2, 3 },
		.mtu_max = 1500,
	};

	o = o ? o : &usual;
	config.contexts = o->contexts;
	config.connections = o->connections;
	config.regions = o->regions;
	config.pages = o->pages;
	memset(g, 0, sizeof(*g));
	g->ram = g_malloc0(RAM_SIZE);
	g->lmem = g_malloc(o->lmem);
	g->deadline = INT64_MAX;
	g->a = toe_adapter_new(&env, &config, g->lmem, o->lmem);
	toe_adapter_link(g->a, true);

	reg(g, TOE_REG_AQ_BASE_LO, RAM_AQ);
	reg(g, TOE_REG_AQ_LOG2, AQ_LOG2);
	reg(g, TOE_REG_ACQ_BASE_LO, RAM_ACQ);
	reg(g, TOE_REG_ACQ_LOG2, AQ_LOG2);
	reg(g, TOE_REG_CONTROL, TOE_CTL_ENABLE);
	ck_assert_uint_eq(toe_adapter_reg_read(g->a, TOE_REG_STATUS, 4),
			  TOE_STATUS_READY | TOE_STATUS_LINK);
}

void guest_free(struct guest *g)
{
	toe_adapter_free(g->a);
	g_free(g->lmem);
	g_free(g->ram);
}

void guest_run(struct guest *g)
{
	unsigned turns = 0;

	while (g->kicked) {
		ck_assert_msg(++turns < 1000, "the adapter kicks forever");
		g->kicked = false;
		toe_adapter_run(g->a);
	}
}

uint64_t counter(struct guest *g, enum toe_counter c)
{
	return toe_adapter_reg_read(g->a, TOE_REG_COUNTERS + c * 8, 8);
}

/* ---- Admin queue ---- */

uint16_t admin_post(struct guest *g, struct toe_hw_adm_cmd *cmd)
{
	uint32_t slot = g->aq_tail++ & ((1u << AQ_LOG2) - 1);

	cmd->tag = ++g->tag;
	memcpy(g->ram + RAM_AQ + slot * sizeof(*cmd), cmd, sizeof(*cmd));
	reg(g, TOE_REG_AQ_TAIL, g->aq_tail);
	return cmd->tag;
}

bool admin_poll(struct guest *g)
{
	uint32_t slot = g->acq_head & ((1u << AQ_LOG2) - 1);
	uint8_t phase = g->acq_head >> AQ_LOG2 & 1 ? 0 : TOE_ADM_CPL_PHASE;
	struct toe_hw_adm_cpl *c = (void *)(g->ram + RAM_ACQ +
					    slot * sizeof(*c));

	if ((c->flags & TOE_ADM_CPL_PHASE) != phase)
		return false;
	g->cpl = *c;
	/* Before the first wrap an entry that was never written is all 0. */
	g->acq_head++;
	reg(g, TOE_REG_ACQ_HEAD, g->acq_head);
	return true;
}

uint8_t admin(struct guest *g, struct toe_hw_adm_cmd *cmd)
{
	uint16_t tag = admin_post(g, cmd);

	guest_run(g);
	ck_assert_msg(admin_poll(g), "command 0x%02x was not completed",
		      cmd->opcode);
	ck_assert_uint_eq(g->cpl.tag, tag);
	ck_assert_uint_eq(g->cpl.opcode, cmd->opcode);
	return g->cpl.status;
}

uint8_t ctx_create(struct guest *g, uint32_t ctx, uint32_t rights)
{
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_CTX_CREATE,
		.u.ctx_create = {
			.ctx = ctx, .rights = rights, .vector = ctx + 1,
		},
	};

	return admin(g, &cmd);
}

uint8_t ctx_destroy(struct guest *g, uint32_t ctx)
{
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_CTX_DESTROY,
		.u.ctx_destroy.ctx = ctx,
	};

	return admin(g, &cmd);
}

uint32_t mem_register(struct guest *g, uint32_t ctx, uint64_t addr,
		      uint64_t len, uint32_t access)
{
	uint32_t npages = (addr % PAGE + len + PAGE - 1) / PAGE;
	uint64_t *list = (uint64_t *)(void *)(g->ram + RAM_LIST);
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_MEM_REGISTER,
		.u.mem_register = {
			.ctx = ctx, .access = access, .length = len,
			.first = addr % PAGE, .page_shift = 12,
			.npages = npages,
		},
	};
	uint32_t key;

	if (admin(g, &cmd) != TOE_ST_OK)
		return 0;
	key = (uint32_t)g->cpl.result;
	for (uint32_t at = 0; at < npages;) {
		uint32_t n = MIN(npages - at, TOE_MEM_PAGES_MAX);

		for (uint32_t i = 0; i < n; i++)
			list[i] = addr - addr % PAGE +
				  (uint64_t)(at + i) * PAGE;
		memset(&cmd, 0, sizeof(cmd));
		cmd.opcode = TOE_ADM_MEM_PAGES;
		cmd.u.mem_pages.key = key;
		cmd.u.mem_pages.index = at;
		cmd.u.mem_pages.count = n;
		cmd.u.mem_pages.list = RAM_LIST;
		ck_assert_uint_eq(admin(g, &cmd), TOE_ST_OK);
		at += n;
	}
	return key;
}

uint8_t mem_revoke(struct guest *g, uint32_t key)
{
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_MEM_REVOKE,
		.u.mem_revoke.key = key,
	};

	return admin(g, &cmd);
}

/* ---- An application ---- */

void app_new(struct app *p, struct guest *g, uint32_t ctx, uint32_t rights)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_CTX_QUEUES };

	memset(p, 0, sizeof(*p));
	p->g = g;
	p->ctx = ctx;
	p->page = (void *)(g->ram + RAM_CTX(ctx) + OFF_PAGE);
	p->cookie = (uint64_t)ctx << 32;
	ck_assert_uint_eq(ctx_create(g, ctx, rights), TOE_ST_OK);
	p->key = mem_register(g, ctx, RAM_CTX(ctx), CTX_SIZE,
			      TOE_MEM_READ | TOE_MEM_WRITE);
	ck_assert_uint_ne(p->key, 0);
	cmd.u.ctx_queues.ctx = ctx;
	cmd.u.ctx_queues.key = p->key;
	cmd.u.ctx_queues.page = OFF_PAGE;
	cmd.u.ctx_queues.rq = OFF_RQ;
	cmd.u.ctx_queues.cq = OFF_CQ;
	cmd.u.ctx_queues.bq_small = OFF_SMALL;
	cmd.u.ctx_queues.bq_large = OFF_LARGE;
	cmd.u.ctx_queues.rq_log2 = RING_LOG2;
	cmd.u.ctx_queues.cq_log2 = RING_LOG2;
	cmd.u.ctx_queues.bq_small_log2 = RING_LOG2;
	cmd.u.ctx_queues.bq_large_log2 = RING_LOG2;
	cmd.u.ctx_queues.small_size = SMALL_SIZE;
	cmd.u.ctx_queues.large_size = LARGE_SIZE;
	ck_assert_uint_eq(admin(g, &cmd), TOE_ST_OK);
}

void *app_mem(struct app *p, uint32_t off)
{
	return p->g->ram + RAM_CTX(p->ctx) + off;
}

void app_doorbell(struct app *p, uint32_t off, uint32_t value)
{
	toe_adapter_doorbell_write(p->g->a, p->ctx * TOE_DOORBELL_PAGE_SIZE +
				   off, value, 4);
}

void app_queue(struct app *p, struct toe_hw_req *req)
{
	uint32_t slot = p->page->rq_tail & (RING_SIZE - 1);

	ck_assert_uint_lt(p->page->rq_tail - p->page->rq_head, RING_SIZE);
	if (!req->cookie)
		req->cookie = ++p->cookie;
	memcpy(app_mem(p, OFF_RQ + slot * sizeof(*req)), req, sizeof(*req));
	p->page->rq_tail++;
}

void app_post(struct app *p, struct toe_hw_req *req)
{
	app_queue(p, req);
	app_doorbell(p, TOE_DB_RQ, 0);
}

bool app_poll(struct app *p, struct toe_hw_cqe *cqe)
{
	uint32_t slot = p->cq_head & (RING_SIZE - 1);

	if (p->page->cq_tail == p->cq_head)
		return false;
	memcpy(cqe, app_mem(p, OFF_CQ + slot * sizeof(*cqe)), sizeof(*cqe));
	p->page->cq_head = ++p->cq_head;
	if (p->page->cq_full)
		app_doorbell(p, TOE_DB_CQ_SPACE, 0);
	return true;
}

struct toe_hw_cqe app_expect(struct app *p, uint8_t type)
{
	struct toe_hw_cqe cqe;

	ck_assert_msg(app_poll(p, &cqe), "context %u: no completion, event "
		      "0x%02x expected", p->ctx, type);
	ck_assert_uint_eq(cqe.type, type);
	return cqe;
}

void app_expect_none(struct app *p)
{
	ck_assert_uint_eq(p->page->cq_tail, p->cq_head);
}

struct toe_hw_cqe app_do(struct app *p, struct toe_hw_req *req)
{
	struct toe_hw_cqe cqe;

	app_post(p, req);
	cqe = app_expect(p, TOE_EV_COMPLETION);
	ck_assert(cqe.cookie == req->cookie);
	ck_assert_uint_eq(cqe.u.cpl.opcode, req->opcode);
	return cqe;
}

/* Buffer ids: queue in bit 31, the number of the place below. */
uint32_t app_buffer(struct app *p, int queue)
{
	uint32_t *tail = queue ? &p->page->bq_large_tail
			       : &p->page->bq_small_tail;
	uint32_t place = *tail & (RING_SIZE - 1);
	struct toe_hw_buf b = {
		.key = p->key,
		.buf_id = (uint32_t)queue << 31 | place,
		.offset = OFF_BUFS + (queue ? 0x10000u + place * LARGE_SIZE
					    : place * SMALL_SIZE),
	};

	memcpy(app_mem(p, (queue ? OFF_LARGE : OFF_SMALL) +
		       place * sizeof(b)), &b, sizeof(b));
	(*tail)++;
	return b.buf_id;
}

uint8_t *app_buf(struct app *p, uint32_t id)
{
	uint32_t place = id & (RING_SIZE - 1);

	return app_mem(p, OFF_BUFS + (id >> 31
				      ? 0x10000u + place * LARGE_SIZE
				      : place * SMALL_SIZE));
}
