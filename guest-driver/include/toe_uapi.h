/* SPDX-License-Identifier: MIT */
/*
 * toe_uapi.h - the kernel contract: /dev/toeN.
 *
 * An open file of /dev/toeN may own one context.  The context, its memory and
 * everything it registered live as long as the last reference to the open
 * file (descriptors passed or inherited, and mappings made through it).  When
 * it goes, data that the adapter or the request queue has already accepted is
 * still delivered.
 *
 * Mappings are made with mmap() at the offsets that the ioctls return; they
 * are page aligned and opaque.  Structures have the same layout for 32- and
 * 64-bit programs.  A reserved field must be zero.
 */
#ifndef TOE_UAPI_H
#define TOE_UAPI_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/ioctl.h>
#else
#include <stdint.h>
#include <sys/ioctl.h>
#endif

#define TOE_UAPI_VERSION	1

/* TOE_IOC_INFO: the adapter and this driver. */
struct toe_uapi_info {
	uint32_t version;		/* TOE_UAPI_VERSION */
	uint32_t revision;		/* TOE_REG_REVISION */
	uint64_t caps;			/* TOE_CAP_* */
	uint32_t max_contexts;
	uint32_t max_conns;
	uint32_t max_queue_log2;
	uint32_t buflet_size;
	uint32_t max_segment;
	uint32_t ifindex;		/* of the kernel's network interface */
	uint8_t mac[6];
	uint8_t rsvd[10];
};

/*
 * TOE_IOC_CTX_CREATE: create this file's context (once).  The driver makes one
 * memory object that holds the context's page, its four rings and data_size
 * bytes for the library (receive buffers, staging), registers it with the
 * adapter for reading and writing, and says where everything is.
 * Errors: EBUSY (has one), EINVAL, ENOSPC (no free context), EDQUOT (the
 * user's limit of contexts), ENOMEM (also: RLIMIT_MEMLOCK), EIO (adapter).
 */
struct toe_uapi_ctx {
	/* in */
	uint8_t rq_log2;
	uint8_t cq_log2;
	uint8_t bq_small_log2;
	uint8_t bq_large_log2;
	uint32_t small_size;		/* bytes of each small receive buffer */
	uint32_t large_size;
	uint32_t flags;			/* 0 */
	uint64_t data_size;		/* bytes */
	/* out */
	uint32_t ctx;			/* number of the context, for logs and toestat */
	uint32_t rights;		/* TOE_RIGHT_* granted */
	uint32_t key;			/* of the memory object */
	uint32_t max_conns;		/* quota of this context */
	uint64_t mem_size;		/* whole object */
	uint64_t mem_mmap;		/* read-write */
	uint64_t doorbell_mmap;		/* one page, write only in effect */
	uint64_t status_mmap;		/* one page, read-only */
	uint32_t page_off;		/* struct toe_hw_ctx_page; offsets in the object */
	uint32_t rq_off;
	uint32_t cq_off;
	uint32_t bq_small_off;
	uint32_t bq_large_off;
	uint32_t data_off;
};

/*
 * TOE_IOC_MEM_REG: pin [addr, addr + length) of the caller and register it.
 * The pages count against RLIMIT_MEMLOCK.  Offset 0 of the key is addr.
 * TOE_IOC_MEM_ALLOC: the same for a new memory object of the driver's, to be
 * mapped at mmap (and, unlike the caller's pages, shared by all who hold the
 * file).  TOE_IOC_MEM_FREE: revoke a key of either kind.  A mapping that is
 * left keeps its pages, which count on until it goes.
 * Errors: EINVAL, EFAULT, ENOMEM, EDQUOT, ENOENT (no such key), EIO.
 */
struct toe_uapi_mem {
	uint64_t addr;			/* REG: in */
	uint64_t length;		/* in */
	uint32_t access;		/* in: TOE_MEM_* */
	uint32_t key;			/* REG, ALLOC: out; FREE: in */
	uint64_t mmap;			/* ALLOC: out */
};

/*
 * TOE_IOC_STATS: copy up to count counters, in TOE_COUNTERS order; count comes
 * back as the number there are.
 */
struct toe_uapi_stats {
	uint64_t addr;			/* of uint64_t[count] */
	uint32_t count;			/* in, out */
	uint32_t rsvd;
};

/*
 * TOE_IOC_CONNS, TOE_IOC_CTXS: copy up to count entries (struct
 * toe_hw_conn_info, struct toe_uapi_ctx_stat) from index start on; count comes
 * back as the number copied, start as where to go on (0: that was all).
 */
struct toe_uapi_list {
	uint64_t addr;
	uint32_t count;			/* in, out */
	uint32_t start;			/* in, out */
};

struct toe_uapi_ctx_stat {
	uint32_t ctx;
	uint32_t uid;
	int32_t pid;			/* that created it, in the caller's namespace; 0: gone */
	uint32_t rights;
	uint32_t conns;
	uint32_t regions;
	uint64_t pinned;		/* bytes */
	uint64_t requests;
	uint64_t completions;
	uint64_t errors;
	uint32_t flags;			/* TOE_CTX_INFO_* */
	uint32_t rsvd;
	char comm[16];
};

/*
 * TOE_IOC_PORT_HOLD: before LISTEN, take the TCP port in the kernel as well, so
 * that a program that binds it there gets EADDRINUSE, and we do if one has it.
 * It stays taken until TOE_IOC_PORT_RELEASE names its id, or the context ends.
 * The adapter does not ask for it: a listener without it hears what comes to
 * the port, and one of the kernel's does not.
 * Errors: EADDRINUSE, EACCES (port below 1024), EADDRNOTAVAIL, EINVAL, EDQUOT
 * (more than max_conns), ENOMEM, ENXIO (no context); ENOENT (no such id).
 */
struct toe_uapi_port {
	uint8_t family;			/* TOE_AF_* */
	uint8_t rsvd;
	uint16_t port;			/* not 0 */
	uint32_t id;			/* HOLD: out, in 0; RELEASE: in */
	uint8_t addr[16];		/* zero: any */
};

/*
 * The shared status page, one per adapter, mapped read-only by every context.
 * seq is odd while the driver writes.
 */
struct toe_uapi_status {
	uint32_t seq;
	uint32_t epoch;			/* changes when the adapter was reset: contexts are dead */
	uint32_t link;			/* 1: up */
	uint32_t mtu;
	uint8_t mac[6];
	uint8_t rsvd[2];
	uint8_t ipv4[4];		/* first address of the interface; zero: none */
	uint8_t ipv4_prefix;
	uint8_t rsvd1[3];
};

#define TOE_IOC_MAGIC		'T'
#define TOE_IOC_INFO		_IOR(TOE_IOC_MAGIC, 0x00, struct toe_uapi_info)
#define TOE_IOC_CTX_CREATE	_IOWR(TOE_IOC_MAGIC, 0x01, struct toe_uapi_ctx)
#define TOE_IOC_MEM_REG		_IOWR(TOE_IOC_MAGIC, 0x02, struct toe_uapi_mem)
#define TOE_IOC_MEM_ALLOC	_IOWR(TOE_IOC_MAGIC, 0x03, struct toe_uapi_mem)
#define TOE_IOC_MEM_FREE	_IOW(TOE_IOC_MAGIC, 0x04, struct toe_uapi_mem)
#define TOE_IOC_STATS		_IOWR(TOE_IOC_MAGIC, 0x05, struct toe_uapi_stats)
#define TOE_IOC_CONNS		_IOWR(TOE_IOC_MAGIC, 0x06, struct toe_uapi_list)
#define TOE_IOC_CTXS		_IOWR(TOE_IOC_MAGIC, 0x07, struct toe_uapi_list)
#define TOE_IOC_PORT_HOLD	_IOWR(TOE_IOC_MAGIC, 0x08, struct toe_uapi_port)
#define TOE_IOC_PORT_RELEASE	_IOW(TOE_IOC_MAGIC, 0x09, struct toe_uapi_port)

/*
 * poll(): POLLIN while cq_tail differs from cq_head in the context's page.
 * Before sleeping, write cq_head to TOE_DB_CQ_ARM.  POLLERR: the context is
 * dead (adapter reset or removed, or stopped after a violation).
 */

#endif /* TOE_UAPI_H */
