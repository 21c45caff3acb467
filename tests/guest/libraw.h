/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libraw.h - a context without libtoe: the queues of toe_hw.h are written by
 * hand, so that a test can also write what no library would.
 */
#ifndef TEST_LIBRAW_H
#define TEST_LIBRAW_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "toe_hw.h"
#include "toe_uapi.h"

#define RAW_LOG2	6u		/* entries of every ring */
#define RAW_SMALL	2048u
#define RAW_LARGE	65536u
#define RAW_DATA	(1u << 20)
#define RAW_WAIT_MS	20000

struct raw {
	int fd;
	struct toe_uapi_ctx u;
	uint8_t *mem;			/* the whole object */
	volatile struct toe_hw_ctx_page *page;
	volatile uint32_t *doorbell;
	volatile struct toe_uapi_status *status;
	uint32_t rq_tail, cq_head;
};

/* 0, or -errno of the driver. */
int raw_open(struct raw *r);
void raw_close(struct raw *r);

/* Put a request into the ring, and ring. */
void raw_post(struct raw *r, const struct toe_hw_req *req);
void raw_ring(struct raw *r, uint32_t reg, uint32_t value);

/* The next entry of the completion queue, whatever it is; false: none came. */
bool raw_next(struct raw *r, struct toe_hw_cqe *cqe);

/* The completion of this cookie; other entries are dropped.  Ends the program
 * if none comes. */
void raw_completion(struct raw *r, uint64_t cookie, struct toe_hw_cqe *cqe);

/* Post, wait, and give the status (TOE_ST_*). */
uint8_t raw_do(struct raw *r, struct toe_hw_req req);

/* Post a receive buffer. */
void raw_buffer(struct raw *r, bool large, uint32_t key, uint64_t offset,
		uint32_t id);

/* Connect with this credit; handle, or 0. */
uint32_t raw_connect(struct raw *r, const struct sockaddr_in *to,
		     uint32_t credit);

/* Wait until the adapter has stopped the context; the status, or 0. */
uint32_t raw_fault(struct raw *r);

#endif /* TEST_LIBRAW_H */
