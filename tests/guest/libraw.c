// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libraw.c - see libraw.h.
 *
 * Waiting is done in poll() on the context's file after arming, as the
 * contract says, so that the interrupt path is tested as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libraw.h"

#define MASK		((1u << RAW_LOG2) - 1)

int raw_open(struct raw *r)
{
	const char *path = getenv("TOE_DEVICE");
	int ret;

	memset(r, 0, sizeof(*r));
	r->fd = open(path && *path ? path : "/dev/toe0", O_RDWR | O_CLOEXEC);
	if (r->fd < 0)
		return -errno;
	r->u = (struct toe_uapi_ctx){
		.rq_log2 = RAW_LOG2,
		.cq_log2 = RAW_LOG2,
		.bq_small_log2 = RAW_LOG2,
		.bq_large_log2 = RAW_LOG2,
		.small_size = RAW_SMALL,
		.large_size = RAW_LARGE,
		.data_size = RAW_DATA,
	};
	if (ioctl(r->fd, TOE_IOC_CTX_CREATE, &r->u)) {
		ret = -errno;
		close(r->fd);
		return ret;
	}
	r->mem = mmap(NULL, r->u.mem_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      r->fd, r->u.mem_mmap);
	r->doorbell = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			   r->fd, r->u.doorbell_mmap);
	r->status = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r->fd,
			 r->u.status_mmap);
	if (r->mem == MAP_FAILED || r->doorbell == MAP_FAILED ||
	    r->status == MAP_FAILED) {
		perror("mmap of the own context");
		exit(1);
	}
	r->page = (void *)(r->mem + r->u.page_off);
	return 0;
}

void raw_close(struct raw *r)
{
	munmap(r->mem, r->u.mem_size);
	munmap((void *)r->doorbell, 4096);
	munmap((void *)r->status, 4096);
	close(r->fd);
}

void raw_ring(struct raw *r, uint32_t reg, uint32_t value)
{
	r->doorbell[reg / 4] = value;
}

void raw_post(struct raw *r, const struct toe_hw_req *req)
{
	struct toe_hw_req *ring = (void *)(r->mem + r->u.rq_off);

	ring[r->rq_tail++ & MASK] = *req;
	__atomic_store_n(&r->page->rq_tail, r->rq_tail, __ATOMIC_SEQ_CST);
	raw_ring(r, TOE_DB_RQ, r->rq_tail);
}

bool raw_next(struct raw *r, struct toe_hw_cqe *cqe)
{
	const struct toe_hw_cqe *ring = (void *)(r->mem + r->u.cq_off);

	while (__atomic_load_n(&r->page->cq_tail, __ATOMIC_ACQUIRE) ==
	       r->cq_head) {
		struct pollfd p = { .fd = r->fd, .events = POLLIN };

		raw_ring(r, TOE_DB_CQ_ARM, r->cq_head);
		if (poll(&p, 1, RAW_WAIT_MS) == 0)
			return false;
		if (p.revents & (POLLERR | POLLHUP) &&
		    __atomic_load_n(&r->page->cq_tail, __ATOMIC_ACQUIRE) ==
		    r->cq_head)
			return false;
	}
	*cqe = ring[r->cq_head++ & MASK];
	__atomic_store_n(&r->page->cq_head, r->cq_head, __ATOMIC_SEQ_CST);
	if (r->page->cq_full)
		raw_ring(r, TOE_DB_CQ_SPACE, r->cq_head);
	return true;
}

void raw_completion(struct raw *r, uint64_t cookie, struct toe_hw_cqe *cqe)
{
	while (raw_next(r, cqe))
		if (cqe->type == TOE_EV_COMPLETION && cqe->cookie == cookie)
			return;
	fprintf(stderr, "no completion of request %llu came (fault %u)\n",
		(unsigned long long)cookie, r->page->fault);
	exit(1);
}

uint8_t raw_do(struct raw *r, struct toe_hw_req req)
{
	struct toe_hw_cqe cqe;

	req.cookie = 0x1000 + r->rq_tail;
	raw_post(r, &req);
	raw_completion(r, req.cookie, &cqe);
	return cqe.status;
}

void raw_buffer(struct raw *r, bool large, uint32_t key, uint64_t offset,
		uint32_t id)
{
	struct toe_hw_buf *ring = (void *)(r->mem + (large ? r->u.bq_large_off :
						     r->u.bq_small_off));
	volatile uint32_t *tail = large ? &r->page->bq_large_tail :
				  &r->page->bq_small_tail;
	uint32_t t = *tail;

	ring[t & MASK] = (struct toe_hw_buf){ key, id, offset };
	__atomic_store_n(tail, t + 1, __ATOMIC_SEQ_CST);
	raw_ring(r, TOE_DB_BQ, 0);
}

uint32_t raw_connect(struct raw *r, const struct sockaddr_in *to,
		     uint32_t credit)
{
	struct toe_hw_req req = { .opcode = TOE_OP_CONNECT };
	struct toe_hw_cqe cqe;
	uint32_t handle;

	req.cookie = 0x2000 + r->rq_tail;
	req.u.connect.family = TOE_AF_INET;
	req.u.connect.rport = ntohs(to->sin_port);
	memcpy(req.u.connect.raddr, &to->sin_addr, 4);
	req.u.connect.credit = credit;
	raw_post(r, &req);
	raw_completion(r, req.cookie, &cqe);
	if (cqe.status) {
		fprintf(stderr, "CONNECT: status %u\n", cqe.status);
		return 0;
	}
	handle = cqe.handle;
	while (raw_next(r, &cqe)) {
		if (cqe.cookie != req.cookie || cqe.handle != handle)
			continue;
		if (cqe.type == TOE_EV_ESTABLISHED)
			return handle;
		fprintf(stderr, "CONNECT: event %#x, status %u\n", cqe.type,
			cqe.status);
		return 0;
	}
	fprintf(stderr, "CONNECT: no event came\n");
	return 0;
}

uint32_t raw_fault(struct raw *r)
{
	int waits;

	/* The adapter raises the vector when it stops an armed context. */
	for (waits = 0; waits < RAW_WAIT_MS / 100 && !r->page->fault; waits++) {
		struct pollfd p = { .fd = r->fd, .events = POLLIN };

		raw_ring(r, TOE_DB_CQ_ARM, r->cq_head);
		poll(&p, 1, 100);
	}
	return r->page->fault;
}
