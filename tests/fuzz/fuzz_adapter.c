// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_adapter.c - the whole adapter against a hostile guest.
 *
 * toe_adapter_* with everything behind it, in a world of guest RAM, a port
 * and a clock.  Unless the input says otherwise three contexts are set up as
 * a driver would: the kernel's with raw Ethernet, and two applications.  Then
 * come, operation by operation: register and doorbell accesses, bytes to RAM,
 * admin commands and requests (made of a template with names that exist, or
 * of anything), buffers, frames (net.h), time.
 *
 * The world has some malice of its own, when told so: DMA that fails, RAM that
 * changes between two reads of it, addresses that lead back into the
 * adapter's own BARs, a port that is busy, and a backend that answers from
 * inside env->send_frame() as libslirp does.
 *
 * What must hold, besides the sanitizers' rules:
 *  - a frame that comes in sends nothing, a busy port gets none;
 *  - one entry from the world makes a bounded number of DMA calls, moves a
 *    bounded number of bytes and sends a bounded number of bytes;
 *  - kicks come to an end;
 *  - interrupt vectors exist;
 *  - after a reset every count of "now" is 0 and every buflet is free.
 */
#include <glib.h>
#include "adapter.h"
#include "counters.h"
#include "net.h"

#define CONTEXTS	4u
#define CONNECTIONS	16u
#define REGIONS		12u
#define PAGES		256u
#define LMEM_SIZE	(256u << 10)
#define OPS_MAX		300u
#define KICKS_MAX	3000u
#define ENTRY_DMAS_MAX	60000u
#define ENTRY_DMA_BYTES	(16u << 20)
#define ENTRY_SENT_MAX	(2u << 20)
#define MS		1000000LL

/* Bus addresses. */
#define RAM_SIZE	0x40000u
#define RAM_AQ		0x1000u
#define RAM_ACQ		0x1800u
#define RAM_LIST	0x2000u
#define RAM_ANSWER	0x3000u
#define RAM_CTX(i)	(0x10000u * (1u + (i)))
#define CTX_SIZE	0xe000u
#define BAR_REGS	0xfe000000u
#define BAR_DB		0xfe100000u

/* In a context's memory; rings of 8 wrap soon. */
#define OFF_PAGE	0x0000u
#define OFF_RQ		0x0400u
#define OFF_CQ		0x0800u
#define OFF_BQ(q)	(0x0c00u + (q) * 0x200u)
#define OFF_DATA	0x1000u
#define OFF_SMALL	0x4000u
#define OFF_LARGE	0x5000u
#define SMALL_SIZE	256u
#define LARGE_SIZE	4096u
#define LOG2		3u
#define RING		(1u << LOG2)

#define KEYS		16u
#define HANDLES		16u

static const uint8_t mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static const uint8_t peer_mac[6] = { 0x52, 0x55, 0x0a, 0, 2, 2 };

struct guest {
	ToeAdapter *a;
	uint8_t *ram;
	uint8_t *lmem;
	int64_t now, deadline;
	uint64_t seed;
	bool kicked;

	/* the port */
	bool in_frame, busy, answers, answering;
	uint32_t room;
	struct net net;

	/* malice */
	bool bars;		/* DMA reaches the BARs */
	uint32_t fail_in, fail_for;	/* DMA calls */
	uint32_t change_in;	/* reads, then a byte of RAM changes */
	uint32_t change_at;
	uint8_t change_to;

	/* of this entry */
	uint32_t dmas;
	uint64_t dma_bytes, sent_bytes;

	/* the driver's and the applications' memory of names */
	uint32_t aq_tail, acq_head;
	uint16_t tag;
	uint32_t keys[KEYS], handles[HANDLES];
	uint32_t nkeys, nhandles;
	uint32_t key_of[CONTEXTS];
	uint64_t cookie;
};

/* ---- The environment ---------------------------------------------------- */

/* The adapter's own BARs, from inside a turn. */
static bool own_bar(struct guest *g, uint64_t addr, void *buf, size_t len,
		    bool write)
{
	uint64_t val = 0;
	bool regs = addr >= BAR_REGS && addr - BAR_REGS < TOE_BAR_REGS_SIZE;

	if (!g->bars || len > 8 || (!regs && (addr < BAR_DB ||
	    addr - BAR_DB >= CONTEXTS * TOE_DOORBELL_PAGE_SIZE)))
		return false;
	if (write) {
		memcpy(&val, buf, len);
		if (regs)
			toe_adapter_reg_write(g->a, addr - BAR_REGS, val,
					      (unsigned int)len);
		else
			toe_adapter_doorbell_write(g->a, addr - BAR_DB, val,
						   (unsigned int)len);
	} else {
		if (regs)
			val = toe_adapter_reg_read(g->a, addr - BAR_REGS,
						   (unsigned int)len);
		memcpy(buf, &val, len);
	}
	return true;
}

static bool dma_ok(struct guest *g, size_t len)
{
	g->dmas++;
	g->dma_bytes += len;
	INVARIANT(len > 0, "a DMA of nothing");
	INVARIANT(g->dmas <= ENTRY_DMAS_MAX, "%u DMA calls of one entry",
		  g->dmas);
	INVARIANT(g->dma_bytes <= ENTRY_DMA_BYTES,
		  "%" PRIu64 " bytes of DMA of one entry", g->dma_bytes);
	if (!g->fail_for)
		return true;
	if (g->fail_in) {
		g->fail_in--;
		return true;
	}
	g->fail_for--;
	return false;
}

static bool in_ram(uint64_t addr, size_t len)
{
	return addr < RAM_SIZE && len <= RAM_SIZE - addr;
}

static bool dma_read(void *o, uint64_t addr, void *buf, size_t len)
{
	struct guest *g = o;

	if (!dma_ok(g, len))
		return false;
	if (!in_ram(addr, len))
		return own_bar(g, addr, buf, len, false);
	memcpy(buf, g->ram + addr, len);
	if (g->change_in && !--g->change_in)
		g->ram[g->change_at] = g->change_to;
	return true;
}

static bool dma_write(void *o, uint64_t addr, const void *buf, size_t len)
{
	struct guest *g = o;

	if (!dma_ok(g, len))
		return false;
	if (!in_ram(addr, len))
		return own_bar(g, addr, (void *)(uintptr_t)buf, len, true);
	memcpy(g->ram + addr, buf, len);
	return true;
}

static void irq(void *o, unsigned int vector)
{
	(void)o;
	INVARIANT(vector < TOE_MSIX_VECTORS, "vector %u", vector);
}

static bool send_frame(void *o, const uint8_t *frame, size_t len)
{
	struct guest *g = o;
	const uint8_t *answer;
	uint8_t *copy;

	INVARIANT(!g->in_frame, "%zu bytes", len);
	INVARIANT(!g->busy, "%zu bytes", len);
	INVARIANT(len >= 14 && len <= 65535 + 18, "%zu bytes", len);
	g->sent_bytes += len;
	INVARIANT(g->sent_bytes <= ENTRY_SENT_MAX,
		  "%" PRIu64 " bytes sent of one entry", g->sent_bytes);
	net_sent(&g->net, frame, len);
	if (g->answers && !g->answering) {
		g->answering = true;
		answer = net_answer(&g->net, &len);
		if (answer) {
			copy = malloc(len);
			memcpy(copy, answer, len);
			toe_adapter_frame_in(g->a, copy, len);
			free(copy);
		}
		g->answering = false;
	}
	if (g->room && !--g->room)
		g->busy = true;
	return !g->busy;
}

static int64_t now(void *o)
{
	return ((struct guest *)o)->now;
}

static void set_timer(void *o, int64_t deadline)
{
	((struct guest *)o)->deadline = deadline;
}

static void kick(void *o)
{
	((struct guest *)o)->kicked = true;
}

static void random_bytes(void *o, void *buf, size_t len)
{
	struct guest *g = o;
	uint8_t *p = buf;

	while (len--) {
		g->seed = g->seed * 6364136223846793005ULL + 1;
		*p++ = (uint8_t)(g->seed >> 56);
	}
}

static void guest_error(void *o, const char *sentence)
{
	(void)o;
	INVARIANT(strlen(sentence) > 0, "no sentence");
}

/* ---- Entries: each is one turn ------------------------------------------ */

static void entry(struct guest *g)
{
	g->dmas = 0;
	g->dma_bytes = 0;
	g->sent_bytes = 0;
}

static void run(struct guest *g)
{
	unsigned int kicks = 0;

	while (g->kicked) {
		INVARIANT(++kicks < KICKS_MAX, "kicks without end");
		g->kicked = false;
		entry(g);
		toe_adapter_run(g->a);
	}
}

static void reg(struct guest *g, uint64_t off, uint64_t val, unsigned int size)
{
	entry(g);
	toe_adapter_reg_write(g->a, off, val, size);
}

static void doorbell(struct guest *g, uint64_t off, uint64_t val,
		     unsigned int size)
{
	entry(g);
	toe_adapter_doorbell_write(g->a, off, val, size);
}

/* ---- The driver --------------------------------------------------------- */

static void read_acq(struct guest *g, bool consume)
{
	unsigned int i;

	for (i = 0; i < RING; i++) {
		struct toe_hw_adm_cpl c;
		uint8_t phase = g->acq_head >> LOG2 & 1 ? 0
				: TOE_ADM_CPL_PHASE;

		memcpy(&c, g->ram + RAM_ACQ + (g->acq_head & (RING - 1)) *
		       sizeof(c), sizeof(c));
		if ((c.flags & TOE_ADM_CPL_PHASE) != phase)
			break;
		if (c.opcode == TOE_ADM_MEM_REGISTER && c.status == TOE_ST_OK)
			g->keys[g->nkeys++ % KEYS] = (uint32_t)c.result;
		g->acq_head++;
	}
	if (consume)
		reg(g, TOE_REG_ACQ_HEAD, g->acq_head, 4);
}

static void command(struct guest *g, struct toe_hw_adm_cmd *cmd, bool ring,
		    bool consume)
{
	uint32_t slot = g->aq_tail++ & (RING - 1);

	cmd->tag = ++g->tag;
	memcpy(g->ram + RAM_AQ + slot * sizeof(*cmd), cmd, sizeof(*cmd));
	if (ring)
		reg(g, TOE_REG_AQ_TAIL, g->aq_tail, 4);
	run(g);
	read_acq(g, consume);
}

static void must(struct guest *g, struct toe_hw_adm_cmd *cmd)
{
	command(g, cmd, true, true);
}

static void enable(struct guest *g)
{
	reg(g, TOE_REG_AQ_BASE_LO, RAM_AQ, 4);
	reg(g, TOE_REG_AQ_LOG2, LOG2, 4);
	reg(g, TOE_REG_ACQ_BASE_LO, RAM_ACQ, 4);
	reg(g, TOE_REG_ACQ_LOG2, LOG2, 4);
	memset(g->ram + RAM_ACQ, 0, RING * sizeof(struct toe_hw_adm_cpl));
	g->aq_tail = 0;
	g->acq_head = 0;
	reg(g, TOE_REG_CONTROL, TOE_CTL_ENABLE, 4);
}

static uint32_t mem_register(struct guest *g, uint32_t ctx, uint64_t addr,
			     uint32_t len, uint32_t access)
{
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_MEM_REGISTER,
		.u.mem_register = {
			.ctx = ctx, .access = access, .length = len,
			.page_shift = 12, .npages = len / 4096u,
		},
	};
	uint32_t n = g->nkeys, i, key;

	must(g, &cmd);
	if (g->nkeys == n)
		return 0;
	key = g->keys[n % KEYS];
	for (i = 0; i < len / 4096u; i++) {
		uint64_t page = addr + i * 4096u;

		memcpy(g->ram + RAM_LIST + i * 8, &page, 8);
	}
	memset(&cmd, 0, sizeof(cmd));
	cmd.opcode = TOE_ADM_MEM_PAGES;
	cmd.u.mem_pages.key = key;
	cmd.u.mem_pages.count = len / 4096u;
	cmd.u.mem_pages.list = RAM_LIST;
	must(g, &cmd);
	return key;
}

static void context(struct guest *g, uint32_t ctx, uint32_t rights)
{
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_CTX_CREATE,
		.u.ctx_create = {
			.ctx = ctx, .rights = rights, .vector = ctx + 1,
		},
	};

	must(g, &cmd);
	memset(g->ram + RAM_CTX(ctx), 0, OFF_DATA);
	g->key_of[ctx] = mem_register(g, ctx, RAM_CTX(ctx), CTX_SIZE,
				      TOE_MEM_READ | TOE_MEM_WRITE);
	memset(&cmd, 0, sizeof(cmd));
	cmd.opcode = TOE_ADM_CTX_QUEUES;
	cmd.u.ctx_queues.ctx = ctx;
	cmd.u.ctx_queues.key = g->key_of[ctx];
	cmd.u.ctx_queues.page = OFF_PAGE;
	cmd.u.ctx_queues.rq = OFF_RQ;
	cmd.u.ctx_queues.cq = OFF_CQ;
	cmd.u.ctx_queues.bq_small = OFF_BQ(0);
	cmd.u.ctx_queues.bq_large = OFF_BQ(1);
	cmd.u.ctx_queues.rq_log2 = LOG2;
	cmd.u.ctx_queues.cq_log2 = LOG2;
	cmd.u.ctx_queues.bq_small_log2 = LOG2;
	cmd.u.ctx_queues.bq_large_log2 = LOG2;
	cmd.u.ctx_queues.small_size = SMALL_SIZE;
	cmd.u.ctx_queues.large_size = LARGE_SIZE;
	must(g, &cmd);
}

static struct toe_hw_adm_cmd addr_cmd(uint8_t family)
{
	struct toe_hw_adm_cmd cmd = { .opcode = TOE_ADM_ADDR_ADD };

	cmd.u.addr.family = family;
	cmd.u.addr.prefix = NET_PREFIX(family);
	memcpy(cmd.u.addr.addr, net_addr(family, 0), 16);
	return cmd;
}

static void set_up(struct guest *g)
{
	struct toe_hw_adm_cmd cmd;
	uint8_t family;

	enable(g);
	context(g, 0, TOE_RIGHT_ETH | TOE_RIGHT_PHYS | TOE_RIGHT_LOWPORT);
	context(g, 1, TOE_RIGHT_LOWPORT);
	context(g, 2, 0);
	for (family = 4; family <= 6; family += 2) {
		cmd = addr_cmd(family);
		must(g, &cmd);
		memset(&cmd, 0, sizeof(cmd));
		cmd.opcode = TOE_ADM_ROUTE_ADD;
		cmd.u.route.family = family;
		memcpy(cmd.u.route.gateway, net_addr(family, 1), 16);
		must(g, &cmd);
		memset(&cmd, 0, sizeof(cmd));
		cmd.opcode = TOE_ADM_NEIGH_ADD;
		cmd.u.neigh.family = family;
		memcpy(cmd.u.neigh.addr, net_addr(family, 1), 16);
		memcpy(cmd.u.neigh.mac, peer_mac, 6);
		must(g, &cmd);
	}
	memset(&cmd, 0, sizeof(cmd));
	cmd.opcode = TOE_ADM_PORT_SET;
	cmd.u.port_set.filter = TOE_FILTER_UP;
	must(g, &cmd);
}

/* ---- Applications ------------------------------------------------------- */

static struct toe_hw_ctx_page *page(struct guest *g, uint32_t ctx)
{
	return (void *)(g->ram + RAM_CTX(ctx) + OFF_PAGE);
}

static uint32_t some_key(struct guest *g, struct input *in, uint32_t ctx)
{
	uint8_t i = in_8(in);

	if (i < 0x80)
		return g->key_of[ctx];
	if (i == 0xff)
		return TOE_KEY_PHYS;
	if (i == 0xfe)
		return in_32(in);
	return g->keys[i % KEYS];
}

static uint32_t some_handle(struct guest *g, struct input *in)
{
	uint8_t i = in_8(in);

	return i == 0xfe ? in_32(in) : g->handles[i % HANDLES];
}

/* Where a piece or buffer lies: mostly where there is something. */
static uint64_t some_offset(struct input *in)
{
	uint8_t i = in_8(in);

	if (i == 0xff)
		return in_32(in) | (uint64_t)in_32(in) << 32;
	if (i == 0xfe)
		return BAR_REGS + in_16(in);
	if (i == 0xfd)
		return BAR_DB + in_16(in);
	return OFF_DATA + i * 128u;
}

static void put_request(struct guest *g, uint32_t ctx,
			const struct toe_hw_req *r)
{
	struct toe_hw_ctx_page *p = page(g, ctx);

	memcpy(g->ram + RAM_CTX(ctx) + OFF_RQ + (p->rq_tail & (RING - 1)) *
	       sizeof(*r), r, sizeof(*r));
	p->rq_tail++;
}

static void pieces(struct guest *g, struct input *in, uint32_t ctx,
		   struct toe_hw_req *r, bool list)
{
	struct toe_hw_piece many[TOE_PIECES_MAX];
	uint32_t n = in_8(in), i;

	if (!list) {
		r->npieces = (uint16_t)(n > 0xf0 ? n : 1 + n % 3);
		for (i = 0; i < MIN(r->npieces, TOE_PIECES_INLINE); i++) {
			r->u.piece[i].key = some_key(g, in, ctx);
			r->u.piece[i].offset = some_offset(in);
			r->u.piece[i].length = in_16(in);
		}
		return;
	}
	r->npieces = (uint16_t)(n + 1);
	r->flags |= TOE_REQ_F_LIST;
	/* All alike but for the place. */
	memset(many, 0, sizeof(many));
	many[0].key = some_key(g, in, ctx);
	many[0].length = in_16(in);
	for (i = 0; i <= n; i++) {
		many[i].key = many[0].key;
		many[i].length = many[0].length;
		many[i].offset = OFF_DATA + i * 16u;
	}
	memcpy(g->ram + RAM_CTX(ctx) + OFF_SMALL, many,
	       (n + 1) * sizeof(many[0]));
	r->u.piece[0].key = g->key_of[ctx];
	r->u.piece[0].offset = OFF_SMALL;
	r->u.piece[0].length = (n + 1) * (uint32_t)sizeof(many[0]);
}

/* To a UDP socket, or for one: the ports are those that net.c sends to. */
static void udp_request(struct guest *g, struct input *in, uint32_t ctx,
			uint8_t family, struct toe_hw_req *r)
{
	static const uint8_t opcodes[] = {
		TOE_OP_UDP_OPEN, TOE_OP_UDP_OPEN, TOE_OP_UDP_CONNECT,
		TOE_OP_UDP_SEND, TOE_OP_UDP_SEND, TOE_OP_UDP_CREDIT,
		TOE_OP_UDP_CLOSE, TOE_OP_UDP_SETOPT, TOE_OP_UDP_GETOPT,
		TOE_OP_UDP_JOIN, TOE_OP_UDP_JOIN, TOE_OP_UDP_LEAVE,
	};
	uint8_t what = in_8(in), who = in_8(in);
	/* A host, or a group. */
	const uint8_t *addr = who & 4 ? net_group(family, who)
				      : net_addr(family, who & 1);

	r->opcode = opcodes[what % sizeof(opcodes)];
	if (r->opcode != TOE_OP_UDP_OPEN)
		r->handle = some_handle(g, in);
	switch (r->opcode) {
	case TOE_OP_UDP_OPEN:
		r->u.udp_open.family = family;
		r->u.udp_open.flags = who >> 7;
		r->u.udp_open.lport = who & 0x40 ? 0 : 53;
		if (who & 0x20) {
			r->u.udp_open.rport = 7;
			memcpy(r->u.udp_open.raddr, addr, 16);
		}
		r->u.udp_open.credit = in_8(in);
		break;
	case TOE_OP_UDP_CONNECT:
		if (who & 0x20)
			break;
		r->u.udp_connect.family = family;
		r->u.udp_connect.rport = 7;
		memcpy(r->u.udp_connect.raddr, addr, 16);
		break;
	case TOE_OP_UDP_SEND:
		pieces(g, in, ctx, r, who & 0x80);
		if (!(who & 0x80))
			r->npieces = MIN(r->npieces, 1);
		memset(&r->u.piece[1], 0, sizeof(r->u) - sizeof(r->u.piece[0]));
		if (who & 0x20)
			break;
		r->u.udp_send.family = family;
		r->u.udp_send.rport = who & 0x40 ? 53 : 7;
		memcpy(r->u.udp_send.raddr, addr, 16);
		break;
	case TOE_OP_UDP_CREDIT:
		r->u.credit.credit = in_16(in);
		break;
	case TOE_OP_UDP_SETOPT:
	case TOE_OP_UDP_GETOPT:
		r->u.opt.option = TOE_OPT_UDP_RCVBUF + in_8(in) % 16;
		if (r->opcode == TOE_OP_UDP_SETOPT)
			r->u.opt.value = in_32(in);
		break;
	case TOE_OP_UDP_JOIN:
	case TOE_OP_UDP_LEAVE:
		r->u.udp_group.family = family;
		memcpy(r->u.udp_group.group, addr, 16);
		break;
	}
}

static void op_request(struct guest *g, struct input *in)
{
	static const uint8_t opcodes[] = {
		TOE_OP_NOP, TOE_OP_CONNECT, TOE_OP_LISTEN, TOE_OP_ACCEPT,
		TOE_OP_SEND, TOE_OP_SEND, TOE_OP_CREDIT, TOE_OP_SHUTDOWN,
		TOE_OP_CLOSE, TOE_OP_ABORT, TOE_OP_SETOPT, TOE_OP_GETOPT,
		TOE_OP_ETH_SEND, TOE_OP_RECV_INTO, TOE_OP_UDP_SEND,
		TOE_OP_INFO,
	};
	uint8_t how = in_8(in), what = in_8(in), family;
	uint32_t ctx = (how & 3) % 3;
	struct toe_hw_req r = {
		.opcode = opcodes[what & 15],
		.flags = how >> 2 & 3,		/* QUIET, MORE */
		.cookie = ++g->cookie,
	};
	unsigned int i, copies = 1;

	family = how & 0x10 ? TOE_AF_INET6 : TOE_AF_INET;
	switch (r.opcode) {
	case TOE_OP_CONNECT:
		r.flags &= TOE_REQ_F_QUIET;
		r.u.connect.family = family;
		memcpy(r.u.connect.raddr, net_addr(family, 1), 16);
		r.u.connect.rport = 80;
		r.u.connect.credit = in_16(in);
		break;
	case TOE_OP_LISTEN:
		r.flags &= TOE_REQ_F_QUIET;
		r.u.listen.family = family;
		r.u.listen.lport = what & 0x10 ? 81 : 80;
		r.u.listen.backlog = in_8(in);
		break;
	case TOE_OP_ACCEPT:
	case TOE_OP_CREDIT:
		r.flags &= TOE_REQ_F_QUIET;
		r.handle = some_handle(g, in);
		r.u.credit.credit = what & 0x10 ? in_32(in) : in_16(in);
		break;
	case TOE_OP_SEND:
		r.handle = some_handle(g, in);
		pieces(g, in, ctx, &r, what & 0x10);
		if (what & 0x20)
			copies = 1 + in_8(in) % 6;
		break;
	case TOE_OP_ETH_SEND:
		r.flags &= TOE_REQ_F_QUIET;
		ctx = 0;
		pieces(g, in, ctx, &r, false);
		break;
	case TOE_OP_SETOPT:
	case TOE_OP_GETOPT:
		r.flags &= TOE_REQ_F_QUIET;
		r.handle = some_handle(g, in);
		r.u.opt.option = in_8(in);
		if (r.opcode == TOE_OP_SETOPT)
			r.u.opt.value = in_32(in);
		break;
	case TOE_OP_INFO:
		r.flags &= TOE_REQ_F_QUIET;
		r.handle = some_handle(g, in);
		pieces(g, in, ctx, &r, false);
		break;
	case TOE_OP_UDP_SEND:
		r.flags &= TOE_REQ_F_QUIET;
		udp_request(g, in, ctx, family, &r);
		break;
	case TOE_OP_NOP:
		r.flags &= TOE_REQ_F_QUIET;
		break;
	default:
		r.flags &= TOE_REQ_F_QUIET;
		r.handle = some_handle(g, in);
		break;
	}
	if (what & 0x80)		/* and something that is wrong */
		((uint8_t *)&r)[in_8(in) % sizeof(r)] ^= in_8(in);
	for (i = 0; i < copies; i++)
		put_request(g, ctx, &r);
	if (!(how & 0x80))
		doorbell(g, ctx * TOE_DOORBELL_PAGE_SIZE + TOE_DB_RQ, 0, 4);
}

static void op_command(struct guest *g, struct input *in)
{
	static const uint8_t opcodes[] = {
		TOE_ADM_NOP, TOE_ADM_CTX_CREATE, TOE_ADM_CTX_QUEUES,
		TOE_ADM_CTX_DESTROY, TOE_ADM_MEM_REGISTER, TOE_ADM_MEM_PAGES,
		TOE_ADM_MEM_REVOKE, TOE_ADM_ADDR_ADD, TOE_ADM_ADDR_DEL,
		TOE_ADM_ROUTE_ADD, TOE_ADM_ROUTE_DEL, TOE_ADM_NEIGH_ADD,
		TOE_ADM_NEIGH_DEL, TOE_ADM_PORT_SET, TOE_ADM_PARAM_SET,
		TOE_ADM_PARAM_GET, TOE_ADM_STATS, TOE_ADM_CONN_LIST,
		TOE_ADM_CTX_INFO, 0x7f,
	};
	uint8_t how = in_8(in), what = in_8(in);
	uint32_t ctx = what >> 5 & 3;
	struct toe_hw_adm_cmd cmd = {
		.opcode = opcodes[(what & 31) % sizeof(opcodes)],
	};
	uint8_t family = how & 0x10 ? TOE_AF_INET6 : TOE_AF_INET;

	switch (how & 0x20 ? 0xff : cmd.opcode) {
	case 0xff:			/* anything */
		in_copy(in, cmd.u.raw, in_8(in) % (sizeof(cmd.u.raw) + 1));
		break;
	case TOE_ADM_CTX_CREATE:
		cmd.u.ctx_create.ctx = ctx;
		cmd.u.ctx_create.rights = in_8(in);
		cmd.u.ctx_create.vector = in_8(in);
		cmd.u.ctx_create.max_conns = in_8(in);
		cmd.u.ctx_create.max_regions = in_8(in);
		break;
	case TOE_ADM_CTX_QUEUES:
		cmd.u.ctx_queues.ctx = ctx;
		cmd.u.ctx_queues.key = some_key(g, in, ctx);
		cmd.u.ctx_queues.page = in_8(in) * 64u;
		cmd.u.ctx_queues.rq = OFF_RQ;
		cmd.u.ctx_queues.cq = in_16(in) & ~63u;
		cmd.u.ctx_queues.bq_small = OFF_BQ(0);
		cmd.u.ctx_queues.bq_large = OFF_BQ(1);
		cmd.u.ctx_queues.rq_log2 = in_8(in) & 15;
		cmd.u.ctx_queues.cq_log2 = LOG2;
		cmd.u.ctx_queues.bq_small_log2 = LOG2;
		cmd.u.ctx_queues.bq_large_log2 = in_8(in) & 15;
		cmd.u.ctx_queues.small_size = SMALL_SIZE + in_8(in);
		cmd.u.ctx_queues.large_size = LARGE_SIZE - in_8(in);
		break;
	case TOE_ADM_CTX_DESTROY:
		cmd.flags = how & 0x40 ? TOE_ADM_F_DRAIN : 0;
		cmd.u.ctx_destroy.ctx = ctx;
		break;
	case TOE_ADM_MEM_REGISTER:
		cmd.u.mem_register.ctx = ctx;
		cmd.u.mem_register.access = in_8(in);
		cmd.u.mem_register.length = in_16(in);
		cmd.u.mem_register.first = in_16(in);
		cmd.u.mem_register.page_shift = 12u + in_8(in) % 20;
		cmd.u.mem_register.npages = in_8(in);
		break;
	case TOE_ADM_MEM_PAGES:
		cmd.u.mem_pages.key = g->keys[in_8(in) % KEYS];
		cmd.u.mem_pages.index = in_8(in);
		cmd.u.mem_pages.count = in_16(in) & 0x3ff;
		cmd.u.mem_pages.list = RAM_LIST;
		break;
	case TOE_ADM_MEM_REVOKE:
		cmd.u.mem_revoke.key = g->keys[in_8(in) % KEYS];
		break;
	case TOE_ADM_ADDR_ADD:
	case TOE_ADM_ADDR_DEL:
		cmd.u.addr.family = family;
		cmd.u.addr.prefix = in_8(in);
		memcpy(cmd.u.addr.addr, net_addr(family, in_8(in)), 16);
		break;
	case TOE_ADM_ROUTE_ADD:
	case TOE_ADM_ROUTE_DEL:
		cmd.u.route.family = family;
		cmd.u.route.prefix = in_8(in);
		memcpy(cmd.u.route.dst, net_addr(family, in_8(in)), 16);
		memcpy(cmd.u.route.gateway, net_addr(family, in_8(in)), 16);
		break;
	case TOE_ADM_NEIGH_ADD:
	case TOE_ADM_NEIGH_DEL:
		cmd.u.neigh.family = family;
		memcpy(cmd.u.neigh.addr, net_addr(family, in_8(in)), 16);
		memcpy(cmd.u.neigh.mac, peer_mac, 6);
		break;
	case TOE_ADM_PORT_SET:
		cmd.u.port_set.mtu = in_16(in);
		cmd.u.port_set.filter = in_8(in) & 7;
		break;
	case TOE_ADM_PARAM_SET:
	case TOE_ADM_PARAM_GET:
		cmd.u.param.param = in_8(in);
		cmd.u.param.value = in_32(in);
		break;
	case TOE_ADM_STATS:
	case TOE_ADM_CONN_LIST:
	case TOE_ADM_CTX_INFO:
		cmd.u.query.addr = how & 0x40 ? BAR_DB : RAM_ANSWER;
		cmd.u.query.length = in_16(in);
		cmd.u.query.start = in_8(in);
		break;
	default:
		break;
	}
	command(g, &cmd, !(how & 1), !(how & 2));
}

static void op_buffers(struct guest *g, struct input *in)
{
	uint8_t how = in_8(in);
	uint32_t ctx = (how & 3) % 3, q = how >> 2 & 1, i;
	struct toe_hw_ctx_page *p = page(g, ctx);
	uint32_t *tail = q ? &p->bq_large_tail : &p->bq_small_tail;

	for (i = 0; i <= (how >> 4 & 7); i++) {
		struct toe_hw_buf b = {
			.key = how & 8 ? some_key(g, in, ctx)
				       : g->key_of[ctx],
			.buf_id = *tail,
			.offset = how & 8 ? some_offset(in)
				  : q ? OFF_LARGE + (*tail % 2) * LARGE_SIZE
				      : OFF_SMALL + (*tail % 8) * SMALL_SIZE,
		};

		memcpy(g->ram + RAM_CTX(ctx) + OFF_BQ(q) +
		       (*tail & (RING - 1)) * sizeof(b), &b, sizeof(b));
		++*tail;
	}
	if (!(how & 0x80))
		doorbell(g, ctx * TOE_DOORBELL_PAGE_SIZE + TOE_DB_BQ, 0, 4);
}

/* Read completions, remember handles. */
static void op_consume(struct guest *g, struct input *in)
{
	uint8_t how = in_8(in);
	uint32_t ctx = (how & 3) % 3, i;
	struct toe_hw_ctx_page *p = page(g, ctx);

	for (i = 0; i < RING && p->cq_head != p->cq_tail; i++) {
		struct toe_hw_cqe e;

		memcpy(&e, g->ram + RAM_CTX(ctx) + OFF_CQ + (p->cq_head &
		       (RING - 1)) * sizeof(e), sizeof(e));
		if (e.type == TOE_EV_ACCEPT || (e.type == TOE_EV_COMPLETION &&
		    e.status == TOE_ST_OK &&
		    (e.u.cpl.opcode == TOE_OP_CONNECT ||
		     e.u.cpl.opcode == TOE_OP_LISTEN ||
		     e.u.cpl.opcode == TOE_OP_UDP_OPEN)))
			g->handles[g->nhandles++ % HANDLES] = e.handle;
		p->cq_head++;
	}
	if (how & 4)
		doorbell(g, ctx * TOE_DOORBELL_PAGE_SIZE + TOE_DB_CQ_SPACE,
			 p->cq_head, 4);
	if (how & 8)
		doorbell(g, ctx * TOE_DOORBELL_PAGE_SIZE + TOE_DB_CQ_ARM,
			 p->cq_head, 4);
}

/* ---- Everything else ---------------------------------------------------- */

static void op_frame(struct guest *g, struct input *in)
{
	size_t len;
	const uint8_t *frame = net_frame(&g->net, in, &len);
	uint8_t *copy = malloc(len ? len : 1);

	if (len)
		memcpy(copy, frame, len);
	entry(g);
	g->in_frame = true;
	toe_adapter_frame_in(g->a, copy, len);
	g->in_frame = false;
	free(copy);
}

static void op_register(struct guest *g, struct input *in)
{
	uint8_t how = in_8(in);
	unsigned int size = 1u << (how & 1 ? how >> 1 & 3 : 2);
	uint64_t off = in_16(in), val;

	if (how & 8)
		off &= 0xfc;		/* the registers proper */
	if (how & 16) {
		toe_adapter_reg_read(g->a, off, size);
		return;
	}
	val = in_32(in);
	reg(g, off, val, size);
}

static void op_time(struct guest *g, struct input *in)
{
	uint8_t how = in_8(in);

	if (!(how & 0x80))
		g->now += (1 + (how >> 5)) * (MS << (how & 31) % 22);
	else if (g->deadline != INT64_MAX && g->deadline > g->now)
		g->now = g->deadline;
	if (g->deadline <= g->now) {
		g->deadline = INT64_MAX;
		entry(g);
		toe_adapter_timer(g->a);
	}
}

static void op_port(struct guest *g, struct input *in)
{
	uint8_t how = in_8(in);

	entry(g);
	switch (how & 3) {
	case 0:
		g->room = 1 + (how >> 2 & 7);
		break;
	case 1:
		g->busy = false;
		g->room = 0;
		toe_adapter_port_ready(g->a);
		break;
	case 2:
		toe_adapter_link(g->a, how & 4);
		break;
	default:
		g->answers = how & 4;
		break;
	}
}

static void op_malice(struct guest *g, struct input *in)
{
	uint8_t how = in_8(in);

	switch (how & 3) {
	case 0:
		g->fail_in = in_8(in);
		g->fail_for = 1 + (how >> 2 & 7);
		break;
	case 1:
		g->change_in = 1 + in_8(in) % 32;
		g->change_at = in_16(in) * 4u % RAM_SIZE;
		if (how & 0x80)		/* an index, a request */
			g->change_at = RAM_CTX(1) + g->change_at % 0x1000u;
		g->change_to = in_8(in);
		break;
	case 2:
		g->bars = how & 4;
		break;
	default:
		break;
	}
}

/* Bytes to RAM: anywhere, or an index of a context's page. */
static void op_memory(struct guest *g, struct input *in)
{
	uint8_t how = in_8(in);
	uint32_t ctx = (how & 3) % 3, at, len;

	if (how & 0x80) {
		at = in_16(in) * 4u % (RAM_SIZE - 64u);
		len = 1 + in_8(in) % 64u;
		in_copy(in, g->ram + at, len);
		return;
	}
	at = RAM_CTX(ctx) + OFF_PAGE + (how >> 2 & 15) * 4u;
	if (how & 0x40) {
		g->ram[at] += in_8(in);
	} else {
		uint32_t val = in_32(in);

		memcpy(g->ram + at, &val, 4);
	}
}

static void op_reset(struct guest *g, struct input *in)
{
	uint8_t how = in_8(in);

	entry(g);
	if (how & 1)
		reg(g, TOE_REG_CONTROL, TOE_CTL_RESET, 4);
	else
		toe_adapter_reset(g->a);
	if (how & 2) {
		g->fail_for = 0;
		set_up(g);
	}
}

static void op(struct guest *g, struct input *in)
{
	uint8_t code = in_8(in);

	switch (code & 0x1f) {
	case 0:
		op_register(g, in);
		break;
	case 1: {
		uint8_t how = in_8(in);

		doorbell(g, (how & 7u) * TOE_DOORBELL_PAGE_SIZE +
			 (how & 0x80 ? in_16(in) : (how >> 3 & 3) * 4u),
			 in_32(in), how & 0x40 ? how >> 4 & 7 : 4);
		break;
	}
	case 2:
		op_memory(g, in);
		break;
	case 3:
	case 4:
		op_command(g, in);
		break;
	case 5:
		op_port(g, in);
		break;
	case 6:
		op_malice(g, in);
		break;
	case 7:
		if (in_8(in) == 0xa5)
			op_reset(g, in);
		break;
	case 8:
	case 9:
	case 10:
		op_time(g, in);
		break;
	case 11:
	case 12:
	case 13:
		op_buffers(g, in);
		break;
	case 14:
	case 15:
	case 16:
	case 17:
		op_consume(g, in);
		break;
	case 18:
	case 19:
	case 20:
	case 21:
	case 22:
	case 23:
		op_frame(g, in);
		break;
	default:
		op_request(g, in);
		break;
	}
	if (!(code & 0x80))
		run(g);
}

/* ---- One input ---------------------------------------------------------- */

static void check_nothing_left(struct guest *g)
{
#define TEXT(NAME, name, text) text,
	static const char *const texts[] = { TOE_COUNTERS(TEXT) };
#undef TEXT
	const ToeCounters *c = toe_adapter_counters(g->a);
	unsigned int i;

	for (i = 0; i < TOE_CTR_MAX; i++)
		if (strstr(texts[i], " now ") && i != TOE_CTR_LMEM_BUFLETS_FREE)
			INVARIANT(!c->v[i], "%s: %" PRIu64, texts[i], c->v[i]);
	INVARIANT(c->v[TOE_CTR_LMEM_BUFLETS_FREE] ==
		  c->v[TOE_CTR_LMEM_BUFLETS],
		  "%" PRIu64 " buflets are free",
		  c->v[TOE_CTR_LMEM_BUFLETS_FREE]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };
	struct guest *g = calloc(1, sizeof(*g));
	uint8_t how = in_8(&in);
	unsigned int ops = 0;
	ToeEnv env = {
		.opaque = g, .dma_read = dma_read, .dma_write = dma_write,
		.irq = irq, .send_frame = send_frame, .now = now,
		.set_timer = set_timer, .kick = kick, .random = random_bytes,
		.guest_error = guest_error,
	};
	ToeConfig config = {
		.contexts = CONTEXTS, .connections = CONNECTIONS,
		.mtu_max = 9000, .max_segment = how & 2 ? 65535 : 0,
		.regions = REGIONS, .pages = PAGES,
	};

	memcpy(config.mac, mac, 6);
	g->ram = calloc(1, RAM_SIZE);
	g->lmem = malloc(LMEM_SIZE);
	g->now = 1000000 * MS;
	g->deadline = INT64_MAX;
	g->seed = 1;
	net_init(&g->net, mac);
	g->a = toe_adapter_new(&env, &config, g->lmem, LMEM_SIZE);
	toe_adapter_link(g->a, true);
	if (!(how & 1))
		set_up(g);
	g->answers = how & 4;
	while (in_more(&in) && ops++ < OPS_MAX)
		op(g, &in);
	if (!g->kicked || !(how & 8))
		run(g);
	toe_adapter_reset(g->a);
	check_nothing_left(g);
	toe_adapter_free(g->a);
	free(g->lmem);
	free(g->ram);
	free(g);
	return 0;
}
