/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libtoehw.h - a mini driver: the adapter as a device test uses it.
 *
 * Does what docs/hardware.md tells a driver to do, in the plainest way, and
 * lets a test do each step wrongly.  Memory comes from guest RAM in pages in a
 * deliberately scattered order, so that nothing that is contiguous in a region
 * is contiguous on the bus.
 */
#ifndef LIBTOEHW_H
#define LIBTOEHW_H

#include <stdbool.h>
#include <stdint.h>
#include "libpci.h"
#include "libqt.h"
#include "toe_hw.h"

#define HW_PAGE		4096u
#define HW_AQ_LOG2	3u
#define HW_ACQ_LOG2	4u
#define HW_NBUFS	16u		/* small and large buffers of a context */
#define HW_SMALL	512u
#define HW_LARGE	8192u
#define HW_DATA		(160u << 10)	/* bytes for SEND in a context */
#define HW_MSI_BASE	0x8000u		/* RAM words that vectors write to */
#define HW_NOKEY	0u

/* A registered region, and where its pages are. */
struct hw_region {
	uint32_t key;
	uint32_t npages;
	uint64_t length;
	uint64_t *pages;
};

struct hw {
	struct qt *qt;
	struct pci pci;
	uint32_t next_page;		/* of the scattering allocator */
	uint64_t aq, acq;		/* bus addresses of the rings */
	uint32_t aq_tail, acq_head;
	uint16_t tag;
	uint32_t link_events;
};

/* A context with everything in one region. */
struct hw_ctx {
	struct hw *hw;
	uint32_t id, vector;
	struct hw_region mem;
	uint32_t page, rq, cq, bqs, bql;	/* offsets in the region */
	uint32_t data, small, large;
	uint8_t rq_log2, cq_log2, bqs_log2, bql_log2;
	uint32_t rq_tail, cq_head, bqs_tail, bql_tail;
	uint64_t cookie;
};

/* Receive buffers' names: large ones have this bit. */
#define HW_ID_LARGE	0x10000u

/* ---- Adapter ---- */

/* Start QEMU with a device, args e.g. "contexts=8 ..." ("" for none), and
 * netdev arguments; find it, place BARs, MSI-X on.  Not enabled. */
void hw_start(struct hw *hw, const char *netdev, const char *props);
void hw_stop(struct hw *hw);

uint32_t hw_reg(struct hw *hw, uint32_t off);
void hw_reg_write(struct hw *hw, uint32_t off, uint32_t value);
uint64_t hw_counter(struct hw *hw, enum toe_counter c);
void hw_doorbell(struct hw *hw, uint32_t ctx, uint32_t off, uint32_t value);

/* Set the admin queue up and ENABLE; waits for READY. */
void hw_enable(struct hw *hw);
/* CONTROL.RESET; forgets the admin queue's state. */
void hw_reset(struct hw *hw);

/* count new pages of RAM, scattered, filled with zero.  The caller frees. */
uint64_t *hw_pages(struct hw *hw, uint32_t count);
/* One page-aligned piece of contiguous RAM. */
uint64_t hw_alloc(struct hw *hw, uint32_t bytes);

/* ---- Admin queue ---- */

/* Post one command without waiting.  Gives its tag. */
uint16_t hw_admin_post(struct hw *hw, struct toe_hw_adm_cmd *cmd);
/* The next completion (link events are counted and skipped). */
void hw_admin_next(struct hw *hw, struct toe_hw_adm_cpl *cpl);
/* Is a completion there now? */
bool hw_admin_ready(struct hw *hw);
/* Both; the status.  cpl may be NULL. */
uint8_t hw_admin(struct hw *hw, struct toe_hw_adm_cmd *cmd,
		 struct toe_hw_adm_cpl *cpl);
/* hw_admin() that must succeed. */
uint64_t hw_admin_ok(struct hw *hw, struct toe_hw_adm_cmd *cmd);

uint8_t hw_ctx_create(struct hw *hw, uint32_t ctx, uint32_t rights,
		      uint32_t vector, uint32_t max_conns);
uint8_t hw_ctx_destroy(struct hw *hw, uint32_t ctx, uint8_t flags);
/* Register a new region of length bytes for ctx; must succeed. */
void hw_region_new(struct hw *hw, struct hw_region *r, uint32_t ctx,
		   uint32_t access, uint64_t length);
/* Register the given pages; gives the status, and the key in *key. */
uint8_t hw_mem_register(struct hw *hw, uint32_t ctx, uint32_t access,
			uint64_t length, uint32_t first, uint32_t shift,
			const uint64_t *pages, uint32_t npages, uint32_t *key);
uint8_t hw_mem_revoke(struct hw *hw, uint32_t key);
uint8_t hw_addr_add(struct hw *hw, uint32_t ipv4, uint8_t prefix);
uint8_t hw_neigh_add(struct hw *hw, uint32_t ipv4, const uint8_t mac[6]);
uint8_t hw_param_set(struct hw *hw, uint32_t param, uint64_t value);
void hw_region_free(struct hw_region *r);

/* Host order IPv4 to the 16-byte field and back. */
void hw_put_ipv4(uint8_t field[16], uint32_t ipv4);
uint32_t hw_get_ipv4(const uint8_t field[16]);

/* Contents of a region. */
void hw_mem_write(struct hw *hw, const struct hw_region *r, uint64_t off,
		  const void *buf, uint32_t len);
void hw_mem_read(struct hw *hw, const struct hw_region *r, uint64_t off,
		 void *buf, uint32_t len);
uint32_t hw_mem_readl(struct hw *hw, const struct hw_region *r, uint64_t off);
void hw_mem_writel(struct hw *hw, const struct hw_region *r, uint64_t off,
		   uint32_t value);

/* ---- Contexts ---- */

/*
 * Create a context with rings of 2^log2 entries, register its region, name the
 * queues.  Posts no buffers.  hw_ctx_new: log2 4, all buffers posted.
 */
void hw_ctx_make(struct hw *hw, struct hw_ctx *c, uint32_t id, uint32_t rights,
		 uint8_t log2);
void hw_ctx_new(struct hw *hw, struct hw_ctx *c, uint32_t id, uint32_t rights);
void hw_ctx_free(struct hw_ctx *c);
/* Fill in a CTX_QUEUES command for c, for tests that spoil it. */
void hw_ctx_queues_cmd(struct hw_ctx *c, struct toe_hw_adm_cmd *cmd);

/* Put a request at the tail and move rq_tail; no doorbell. */
void hw_req_put(struct hw_ctx *c, const struct toe_hw_req *r);
void hw_ring_rq(struct hw_ctx *c);
/* Both.  A cookie of 0 is replaced by a fresh one, which is returned. */
uint64_t hw_req(struct hw_ctx *c, struct toe_hw_req *r);
/* The same, and wait for its completion, the next in the CQ. */
uint8_t hw_req_wait(struct hw_ctx *c, struct toe_hw_req *r,
		    struct toe_hw_cqe *e);

/* Next entry of the CQ if there is one; moves cq_head. */
bool hw_cq_poll(struct hw_ctx *c, struct toe_hw_cqe *e);
/* Next entry; waits. */
void hw_cq_next(struct hw_ctx *c, struct toe_hw_cqe *e);
/* Next entry, which must be of this type. */
void hw_cq_expect(struct hw_ctx *c, uint8_t type, struct toe_hw_cqe *e);
/* Nothing more may be in the CQ after everything has settled. */
void hw_cq_none(struct hw_ctx *c);
/* Write cq_head back and arm. */
void hw_cq_arm(struct hw_ctx *c);

void hw_post_small(struct hw_ctx *c, uint32_t buf);
void hw_post_large(struct hw_ctx *c, uint32_t buf);
void hw_ring_bq(struct hw_ctx *c);
/*
 * Read the bytes of a RECV or ETH_RECV event (at most len), then post the
 * buffer again with a doorbell.  Gives the length.
 */
uint32_t hw_recv_take(struct hw_ctx *c, const struct toe_hw_cqe *e, void *buf,
		      uint32_t len);
/* Collect total bytes of RECV events of this handle. */
void hw_recv_all(struct hw_ctx *c, uint32_t handle, void *buf,
		 uint32_t total);

/* Requests. */
void hw_connect_req(struct toe_hw_req *r, uint32_t raddr, uint16_t rport,
		    uint16_t lport, uint32_t credit);
void hw_listen_req(struct toe_hw_req *r, uint16_t lport, uint32_t backlog);
/* SEND of len bytes from offset off of the context's data area. */
void hw_send_req(struct hw_ctx *c, struct toe_hw_req *r, uint32_t handle,
		 uint32_t off, uint32_t len);
/* Copy buf to the data area, SEND it, wait for its completion. */
uint8_t hw_send(struct hw_ctx *c, uint32_t handle, const void *buf,
		uint32_t len);
uint8_t hw_simple(struct hw_ctx *c, uint8_t opcode, uint32_t handle);
void hw_credit(struct hw_ctx *c, uint32_t handle, uint32_t bytes);

#endif
