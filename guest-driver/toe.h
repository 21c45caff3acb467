/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * toe.h - what the files of toe.ko share among themselves.
 *
 * Who owns what
 *  struct toe_dev is the adapter.  It is made at probe and lives until the
 *  function is gone *and* the last open file of /dev/toeN is closed (ref).
 *  struct toe_ctx is one application's context.  An open file points to it;
 *  when the file goes, the context lives on by itself until the adapter has
 *  given it back (toe_ctx.c).
 *  struct toe_mem is one memory region of a context (toe_mem.c).
 *
 * Locks, in the order in which they may be taken
 *  rtnl_mutex
 *  toe_file.lock	one ioctl at a time per open file
 *  toe_dev.sem		read: the adapter stays up or down while held; write:
 *			reset and removal.  Whoever sends an admin command
 *			holds it.  No user memory is touched under it, so that
 *			no process can hold up a reset.
 *  toe_dev.query_lock	the answer buffer of queries
 *  toe_ctx.map_lock	what page faults see (taken under mmap_lock)
 *  toe_dev.ctx_lock, toe_vector.lock, toe_admin.lock, toe_dev.status_lock
 *
 * Reset
 *  Anybody may call toe_reset_request().  The adapter is stopped at once when
 *  a command timed out (toe_hw_stop(): after it no DMA happens and every
 *  waiting command has failed), the rest is done by one work item.
 */
#ifndef TOE_H
#define TOE_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/scatterlist.h>
#include <linux/semaphore.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "toe_hw.h"
#include "toe_uapi.h"

#ifndef __LITTLE_ENDIAN
#error the adapter is little-endian and so must be the processor
#endif

#define TOE_DRV_NAME		"toe"

struct toe_dev;

/* ---- toe_admin.c: the admin queue --------------------------------------- */

#define TOE_ADM_LOG2		8
#define TOE_ADM_ENTRIES		BIT(TOE_ADM_LOG2)
#define TOE_ADM_SLOTS		240u	/* commands on the way; the rest of the
					 * completion queue is for events
					 */
#define TOE_ADM_DRAINS		160u	/* of these, destroys that wait */

/* A command on its way.  Zero it, fill cmd, and keep it until it is done. */
struct toe_adm_req {
	struct toe_hw_adm_cmd cmd;
	struct completion done;
	int error;		/* 0, or -EIO: the adapter was stopped */
	u8 status;		/* TOE_ST_* */
	u64 result;
	u64 next;
};

struct toe_admin {
	struct device *device;
	void __iomem *regs;
	struct toe_hw_adm_cmd *aq;
	struct toe_hw_adm_cpl *acq;
	dma_addr_t aq_dma;
	dma_addr_t acq_dma;

	spinlock_t lock;	/* all below */
	bool up;
	u32 aq_tail;
	u32 acq_head;
	u8 sequence[TOE_ADM_SLOTS];
	struct toe_adm_req *slot[TOE_ADM_SLOTS];
	unsigned int in_use;
	wait_queue_head_t space;

	/*
	 * The owner's.  In interrupt context: an event came; the adapter has
	 * stopped the queue.  In process context: a command timed out.
	 */
	void (*event)(struct toe_admin *adm, u8 event);
	void (*fatal)(struct toe_admin *adm, u32 error);
	void (*stuck)(struct toe_admin *adm);
};

int toe_admin_alloc(struct toe_admin *adm, struct device *device,
		    void __iomem *regs);
void toe_admin_free(struct toe_admin *adm);
int toe_admin_start(struct toe_admin *adm);
void toe_admin_abort(struct toe_admin *adm);
void toe_admin_irq(struct toe_admin *adm);
int toe_admin_submit(struct toe_admin *adm, struct toe_adm_req *req);
int toe_admin_wait(struct toe_admin *adm, struct toe_adm_req *req,
		   unsigned int ms);
int toe_admin_finish(struct toe_admin *adm, struct toe_adm_req *req);
int toe_admin_exec(struct toe_admin *adm, struct toe_adm_req *req);
int toe_admin_simple(struct toe_admin *adm, const struct toe_hw_adm_cmd *cmd);
int toe_status_errno(u8 status);
const char *toe_status_text(u8 status);

/* ---- toe_quota.c: what each user may have ------------------------------- */

struct toe_user;

struct toe_user *toe_user_get(void);
void toe_user_put(struct toe_user *user);
int toe_user_add_ctx(struct toe_user *user, u32 *conns);
void toe_user_sub_ctx(struct toe_user *user, u32 conns);
int toe_user_charge(struct toe_user *user, unsigned long npages);
void toe_user_uncharge(struct toe_user *user, unsigned long npages);
void toe_quota_exit(void);

/* ---- toe_mem.c: memory regions ------------------------------------------ */

#define TOE_MEM_LENGTH_MAX	BIT_ULL(30)

struct toe_mem {
	refcount_t ref;			/* toe_ctx.mems, and each mapping */
	struct toe_user *user;		/* pays for the pages */
	struct page **pages;
	unsigned long npages;
	u64 length;
	u32 first;			/* offset of byte 0 in pages[0] */
	u32 access;			/* TOE_MEM_* */
	u32 key;			/* TOE_KEY_INVALID: not registered */
	u32 id;				/* in toe_ctx.mems; names the mmap offset */
	bool pinned;			/* the caller's pages, not ours */
	bool mapped;			/* sgt is mapped for the adapter */
	struct sg_table sgt;
};

struct toe_mem *toe_mem_alloc(struct toe_user *user, u64 length);
struct toe_mem *toe_mem_pin(struct toe_user *user, u64 addr, u64 length,
			    u32 access);
int toe_mem_register(struct toe_dev *dev, struct toe_mem *mem, u32 ctx,
		     u32 access);
int toe_mem_revoke(struct toe_dev *dev, struct toe_mem *mem);
void toe_mem_unmap(struct toe_dev *dev, struct toe_mem *mem);
void toe_mem_get(struct toe_mem *mem);
void toe_mem_put(struct toe_mem *mem);
int toe_mem_register_dma(struct toe_dev *dev, u32 ctx, dma_addr_t addr,
			 size_t length, u32 access, u32 *key);

/* ---- toe_ctx.c: contexts ------------------------------------------------ */

struct toe_vector {
	struct toe_dev *dev;
	unsigned int index;
	int irq;
	char name[32];
	spinlock_t lock;		/* ctxs */
	struct list_head ctxs;
};

struct toe_ctx {
	struct kref ref;		/* file or drain; who looks at it */
	struct toe_dev *dev;
	u32 id;
	u32 rights;
	u32 max_conns;
	struct toe_user *user;
	struct pid *pid;
	kuid_t uid;
	char comm[TASK_COMM_LEN];

	struct toe_mem *obj;		/* page, rings, data */
	struct toe_hw_ctx_page *page;	/* in it; contents are hostile */
	struct xarray mems;		/* id -> struct toe_mem; obj is one */
	u32 mems_next;
	atomic_long_t pages;		/* held in mems */
	struct xarray ports;		/* id -> struct socket, toe_ports.c */
	u32 nports;			/* in it; the file's ioctl lock */

	struct mutex map_lock;		/* dead, mapping, mems: for faults */
	bool dead;			/* the adapter no longer knows it */
	struct address_space *mapping;	/* of the open file; NULL: closed */
	struct page *dummy;		/* the doorbell page of a dead context */

	struct toe_vector *vector;
	struct list_head vector_node;
	wait_queue_head_t wait;
	struct work_struct drain;
};

#define TOE_MMAP_DOORBELL	BIT_ULL(32)	/* see toe_chrdev.c */

struct toe_ctx *toe_ctx_create(struct toe_dev *dev, struct toe_uapi_ctx *arg,
			       struct address_space *mapping);
void toe_ctx_release(struct toe_ctx *ctx);
int toe_ctx_add_mem(struct toe_ctx *ctx, struct toe_mem *mem, u32 access,
		    u32 *key, u32 *id);
int toe_ctx_free_mem(struct toe_ctx *ctx, u32 key);
void toe_ctx_kill_all(struct toe_dev *dev);
void toe_ctx_irq(struct toe_vector *vector);
int toe_ctx_stat(struct toe_dev *dev, const struct toe_hw_ctx_info *info,
		 struct toe_uapi_ctx_stat *stat);

/* ---- toe_main.c: the function, and its reset and removal ---------------- */

enum toe_state {
	TOE_DOWN,			/* starting, or in reset */
	TOE_UP,
	TOE_FAILED,			/* did not come back from a reset */
};

#define TOE_ANSWER_SIZE		16384u	/* of a query, bytes */
#define TOE_TUNABLES		64u	/* TOE_PARAM_* are below */

struct toe_net;
struct toe_mirror;

struct toe_dev {
	struct kref ref;
	struct pci_dev *pdev;		/* valid until removal */
	struct device *device;
	int index;			/* N of /dev/toeN */
	char name[16];

	void __iomem *regs;
	phys_addr_t doorbell_phys;
	void __iomem *doorbell0;	/* context 0's page */
	u32 revision;
	u64 caps;
	u32 max_contexts;
	u32 max_conns;
	u32 max_pages;
	u32 max_queue_log2;
	u32 buflet_size;
	u32 max_segment;
	u32 mtu_max;
	u8 perm_mac[ETH_ALEN];

	struct rw_semaphore sem;
	enum toe_state state;		/* written under sem */
	bool gone;			/* removal has begun; never cleared */
	struct mutex stop_lock;		/* start and stop; held */
	bool held;			/* the bus resets it: don't start */
	struct work_struct reset_work;
	struct workqueue_struct *wq;	/* drains */

	struct toe_admin admin;
	struct mutex tunables_lock;
	struct {
		u64 value;
		bool set;
	} tunables[TOE_TUNABLES];	/* by TOE_PARAM_* */

	struct mutex query_lock;
	void *answer;			/* TOE_ANSWER_SIZE, coherent */
	dma_addr_t answer_dma;

	unsigned int nvectors;
	unsigned int net_vector;	/* the network interface's */
	struct toe_vector *vectors;

	struct mutex ctx_lock;
	struct xarray ctxs;		/* id -> struct toe_ctx */
	u32 ctxs_next;
	struct semaphore drains;

	struct page *status_page;
	struct toe_uapi_status *status;
	spinlock_t status_lock;

	struct miscdevice misc;
	bool misc_registered;
	struct net_device *netdev;	/* NULL after removal */
	int ifindex;
	struct toe_mirror *mirror;
	struct dentry *debugfs;
};

static inline u32 toe_readl(struct toe_dev *dev, u32 reg)
{
	return readl(dev->regs + reg);
}

int toe_enter(struct toe_dev *dev);
void toe_leave(struct toe_dev *dev);
void toe_hw_stop(struct toe_dev *dev);
void toe_reset_request(struct toe_dev *dev, const char *why);
void toe_dev_get(struct toe_dev *dev);
void toe_dev_put(struct toe_dev *dev);
void toe_status_update(struct toe_dev *dev, u32 ipv4, u8 prefix);
void toe_status_link(struct toe_dev *dev, bool up);

/* Queries; the answer is copied out of the adapter's buffer. */
int toe_query_stats(struct toe_dev *dev, u64 *values, u32 count);
int toe_query_list(struct toe_dev *dev, u8 opcode, size_t entry, void *buf,
		   u32 *count, u32 *start);

/* ---- toe_chrdev.c ------------------------------------------------------- */

int toe_chrdev_add(struct toe_dev *dev);
void toe_chrdev_del(struct toe_dev *dev);

/* ---- toe_netdev.c: the kernel's network interface ----------------------- */

int toe_netdev_alloc(struct toe_dev *dev);
int toe_netdev_register(struct toe_dev *dev);
void toe_netdev_unregister(struct toe_dev *dev);
void toe_netdev_free(struct toe_dev *dev);
void toe_netdev_irq(struct toe_dev *dev);
void toe_netdev_link(struct toe_dev *dev);
void toe_netdev_reset_down(struct toe_dev *dev);
void toe_netdev_reset_up(struct toe_dev *dev);
bool toe_netdev_is(const struct net_device *netdev);

/* ---- toe_mirror.c: addresses, routes and port settings ------------------ */

int toe_mirror_add(struct toe_dev *dev);
void toe_mirror_del(struct toe_dev *dev);
void toe_mirror_kick(struct toe_dev *dev);
void toe_mirror_forget(struct toe_dev *dev);

/* ---- toe_routes.c: the kernel's routes ---------------------------------- */

struct toe_route {
	u8 dst[16];			/* IPv4: the first four */
	u8 gateway[16];			/* 0: on link */
	u32 metric;
	u8 family;			/* TOE_AF_* */
	u8 prefix;
};

struct toe_route_watch;

struct toe_route_watch *toe_route_watch(struct work_struct *work,
					struct workqueue_struct *wq);
void toe_route_unwatch(struct toe_route_watch *watch);
int toe_routes_get(u8 family, int ifindex, struct toe_route *routes, int max);

/* ---- toe_ethtool.c, toe_debugfs.c --------------------------------------- */

extern const struct ethtool_ops toe_ethtool_ops;

void toe_debugfs_init(void);
void toe_debugfs_exit(void);
void toe_debugfs_add(struct toe_dev *dev);
void toe_debugfs_del(struct toe_dev *dev);

/* ---- toe_ports.c: ports held in the kernel ------------------------------ */

void toe_ports_init(struct toe_ctx *ctx);
void toe_ports_destroy(struct toe_ctx *ctx);
int toe_port_hold(struct toe_ctx *ctx, struct toe_uapi_port *arg);
int toe_port_release(struct toe_ctx *ctx, u32 id);

/* ---- toe_tunables.c: the adapter's parameters as files ------------------ */

extern const struct attribute_group *toe_dev_groups[];

void toe_tunables_restore(struct toe_dev *dev);

#endif /* TOE_H */
