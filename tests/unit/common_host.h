/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * common_host.h - a guest for the adapter's host side alone.
 *
 * Guest RAM is an array; bus addresses in it answer, all others do not.  The
 * clock stands, interrupts are counted, a kick is remembered and run when the
 * test says so.  The helpers do what driver and library do: admin commands
 * (each through the real queue), a context with its queues at fixed places of
 * its own memory, requests, completions, receive buffers.
 *
 * With fake_stream.h in place of the network side the tests of the queues say
 * themselves what the network does.
 */
#ifndef TOE_TESTS_COMMON_HOST_H
#define TOE_TESTS_COMMON_HOST_H

#include <check.h>
#include <string.h>
#include "adapter_priv.h"

#define RAM_SIZE	(8u << 20)
#define PAGE		4096u
#define NO_RAM		0xdead0000u	/* a bus address that does not answer */

/* Places in guest RAM. */
#define RAM_AQ		0x1000u
#define RAM_ACQ		0x2000u
#define RAM_LIST	0x3000u		/* page lists, answers of queries */
#define RAM_CTX(i)	(0x100000u + (i) * 0x100000u)	/* memory of context i */
#define CTX_SIZE	0x100000u

/* Places in a context's memory; offsets of its key. */
#define OFF_PAGE	0x0000u
#define OFF_RQ		0x1000u
#define OFF_CQ		0x2000u
#define OFF_SMALL	0x3000u
#define OFF_LARGE	0x4000u
#define OFF_DATA	0x10000u	/* what the application sends */
#define OFF_BUFS	0x80000u	/* receive buffers */
#define SMALL_SIZE	512u
#define LARGE_SIZE	16384u
#define RING_LOG2	3u		/* rings of 8: they wrap soon */
#define RING_SIZE	(1u << RING_LOG2)

struct guest {
	uint8_t *ram;
	uint8_t *lmem;
	ToeAdapter *a;
	unsigned irqs[TOE_MSIX_VECTORS];
	unsigned dma_reads;
	unsigned dma_writes;
	bool kicked;
	int64_t deadline;
	unsigned guest_errors;
	char last_error[320];
	uint32_t aq_tail;
	uint32_t acq_head;
	uint16_t tag;
	struct toe_hw_adm_cpl cpl;	/* of the last admin command */
};

struct app {			/* one context */
	struct guest *g;
	uint32_t ctx;
	uint32_t key;
	struct toe_hw_ctx_page *page;	/* in guest RAM */
	uint32_t cq_head;
	uint32_t nbuf[2];		/* buffers posted so far */
	uint64_t cookie;		/* of the last request */
};

struct host_options {
	uint32_t contexts;
	uint32_t connections;
	uint32_t regions;
	uint32_t pages;
	uint32_t lmem;			/* bytes */
};

/* An adapter with its admin queue on.  NULL: usual sizes. */
void guest_new(struct guest *g, const struct host_options *o);
void guest_free(struct guest *g);
/* Run kicks until there are none; fails if they never end. */
void guest_run(struct guest *g);
uint64_t counter(struct guest *g, enum toe_counter c);

/* Run one command; its status.  The completion is in g->cpl. */
uint8_t admin(struct guest *g, struct toe_hw_adm_cmd *cmd);
/* Hand it over without waiting for its completion; its tag. */
uint16_t admin_post(struct guest *g, struct toe_hw_adm_cmd *cmd);
/* The next completion, if there is one, in g->cpl. */
bool admin_poll(struct guest *g);

uint8_t ctx_create(struct guest *g, uint32_t ctx, uint32_t rights);
uint8_t ctx_destroy(struct guest *g, uint32_t ctx);
/* Register contiguous RAM; 0 if that failed (status in g->cpl). */
uint32_t mem_register(struct guest *g, uint32_t ctx, uint64_t addr,
		      uint64_t len, uint32_t access);
uint8_t mem_revoke(struct guest *g, uint32_t key);

/* An active context with rings of RING_SIZE at the places above. */
void app_new(struct app *p, struct guest *g, uint32_t ctx, uint32_t rights);
void *app_mem(struct app *p, uint32_t off);
void app_doorbell(struct app *p, uint32_t off, uint32_t value);
/* Write a request at rq_tail, no doorbell. */
void app_queue(struct app *p, struct toe_hw_req *req);
/* Write it and ring. */
void app_post(struct app *p, struct toe_hw_req *req);
/* The next completion; false if there is none. */
bool app_poll(struct app *p, struct toe_hw_cqe *cqe);
/* The next completion, which must be there and of this type. */
struct toe_hw_cqe app_expect(struct app *p, uint8_t type);
/* No completion waits. */
void app_expect_none(struct app *p);
/* Post a request and take its completion. */
struct toe_hw_cqe app_do(struct app *p, struct toe_hw_req *req);
/* Post a buffer of queue TOE_BQ_*; no doorbell.  Its buf_id. */
uint32_t app_buffer(struct app *p, int queue);
/* Address of a buffer's bytes by its id. */
uint8_t *app_buf(struct app *p, uint32_t id);

#endif
