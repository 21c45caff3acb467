// SPDX-License-Identifier: GPL-2.0-only
/*
 * toe_ctx.c - contexts: what one application owns of the adapter.
 *
 * Life
 *	toe_ctx_create()	number, quota, memory object, queues: alive
 *	toe_ctx_release()	the last reference to the open file is gone
 *	drain			the adapter delivers what it has accepted
 *	toe_ctx_free()		pages, quota are given back
 *
 * The drain is CTX_DESTROY with the flag DRAIN, which completes when the
 * requests that stand in the queue are done and their data is on the adapter
 * or delivered.  It runs in a work item, so that exit() of the process does not
 * wait for a slow peer.  If it takes longer than drain_ms, the context is
 * destroyed without the flag; if even that is not answered, the adapter is
 * reset.  Only then are pages given back: until then the adapter may use them.
 *
 * Death by reset or removal: toe_ctx_kill_all() runs after the adapter was
 * stopped.  It takes everything that the adapter could reach away from all
 * contexts, and wakes their owners.  What the application has mapped stays
 * readable until it closes the file, so that it sees an error and not a
 * signal; only the doorbell page is replaced by a page of ordinary memory, as
 * its number may soon be somebody else's.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "toe.h"

static unsigned int drain_ms = 10000;
module_param(drain_ms, uint, 0644);
MODULE_PARM_DESC(drain_ms, "how long data of a closed context is delivered before it is dropped, ms (default 10000)");

static unsigned int ctx_regions = 1024;
module_param(ctx_regions, uint, 0644);
MODULE_PARM_DESC(ctx_regions, "most memory regions of one context (default 1024)");

/* mmap offsets are (16 + id) << 32 and must fit a 32-bit page offset. */
#define TOE_MEM_ID_MAX		4000u

static void toe_ctx_drain(struct work_struct *work);

/*
 * Find a place for everything in the memory object.  The rings get pages of
 * their own; data follows.
 */
static int toe_ctx_layout(const struct toe_dev *dev, struct toe_uapi_ctx *arg)
{
	u32 max = min(dev->max_queue_log2, TOE_QUEUE_LOG2_MAX);
	const u8 log2[] = { arg->rq_log2, arg->cq_log2, arg->bq_small_log2,
			    arg->bq_large_log2 };
	const size_t entry[] = { sizeof(struct toe_hw_req),
				 sizeof(struct toe_hw_cqe),
				 sizeof(struct toe_hw_buf),
				 sizeof(struct toe_hw_buf) };
	u32 *off[] = { &arg->rq_off, &arg->cq_off, &arg->bq_small_off,
		       &arg->bq_large_off };
	u64 at = PAGE_SIZE;
	int i;

	if (arg->flags || arg->small_size < TOE_SMALL_MIN ||
	    arg->large_size < arg->small_size ||
	    arg->large_size > TOE_LARGE_MAX ||
	    arg->data_size > TOE_MEM_LENGTH_MAX)
		return -EINVAL;
	arg->page_off = 0;
	for (i = 0; i < ARRAY_SIZE(log2); i++) {
		if (log2[i] < TOE_QUEUE_LOG2_MIN || log2[i] > max)
			return -EINVAL;
		*off[i] = at;
		at += PAGE_ALIGN(entry[i] << log2[i]);
	}
	arg->data_off = at;
	at += PAGE_ALIGN(arg->data_size);
	if (at > TOE_MEM_LENGTH_MAX)
		return -EINVAL;
	arg->mem_size = at;
	return 0;
}

/* Which vector serves context @id; 0 is the admin queue's, 1 the netdev's. */
static struct toe_vector *toe_ctx_vector(struct toe_dev *dev, u32 id)
{
	unsigned int own = dev->nvectors > 2 ? dev->nvectors - 2 : 0;

	if (!own)
		return &dev->vectors[dev->nvectors - 1];
	return &dev->vectors[2 + (id - 1) % own];
}

static void toe_ctx_free(struct kref *ref)
{
	struct toe_ctx *ctx = container_of(ref, struct toe_ctx, ref);
	struct toe_mem *mem;
	unsigned long id;

	toe_ports_destroy(ctx);
	xa_for_each(&ctx->mems, id, mem)
		toe_mem_put(mem);
	xa_destroy(&ctx->mems);
	__free_page(ctx->dummy);
	toe_user_sub_ctx(ctx->user, ctx->max_conns);
	toe_user_put(ctx->user);
	put_pid(ctx->pid);
	toe_dev_put(ctx->dev);
	kfree(ctx);
}

static void toe_ctx_put(struct toe_ctx *ctx)
{
	kref_put(&ctx->ref, toe_ctx_free);
}

/* The adapter is done with the context: take it off all lists. */
static void toe_ctx_unlink(struct toe_ctx *ctx)
{
	struct toe_dev *dev = ctx->dev;

	spin_lock_irq(&ctx->vector->lock);
	list_del_init(&ctx->vector_node);
	spin_unlock_irq(&ctx->vector->lock);
	mutex_lock(&dev->ctx_lock);
	xa_erase(&dev->ctxs, ctx->id);
	mutex_unlock(&dev->ctx_lock);
}

/*
 * Have the adapter give the context back, after it delivered what it accepted
 * if @drain.  Afterwards it touches none of the context's memory: either it
 * said so, or it was stopped.
 */
static void toe_ctx_destroy(struct toe_ctx *ctx, bool drain)
{
	struct toe_admin *adm = &ctx->dev->admin;
	struct toe_adm_req gentle = {
		.cmd.opcode = TOE_ADM_CTX_DESTROY,
		.cmd.flags = TOE_ADM_F_DRAIN,
		.cmd.u.ctx_destroy.ctx = ctx->id,
	};
	struct toe_adm_req hard = {
		.cmd.opcode = TOE_ADM_CTX_DESTROY,
		.cmd.u.ctx_destroy.ctx = ctx->id,
	};
	bool waiting = false;
	int ret;

	if (drain && !down_timeout(&ctx->dev->drains,
				   msecs_to_jiffies(drain_ms))) {
		ret = toe_admin_submit(adm, &gentle);
		waiting = !ret && toe_admin_wait(adm, &gentle, drain_ms);
		if (!ret && !waiting)
			ret = toe_admin_finish(adm, &gentle);
		if (!waiting)
			up(&ctx->dev->drains);
		if (!waiting && !ret)
			return;
	}

	ret = toe_admin_exec(adm, &hard);
	if (waiting) {
		/* The drain ends with the context it was for. */
		toe_admin_finish(adm, &gentle);
		up(&ctx->dev->drains);
		/* It may have ended by itself just before the second command. */
		if (!gentle.error && gentle.status == TOE_ST_OK)
			return;
	}
	if (ret && !hard.error && hard.status) {
		dev_err(ctx->dev->device, "context %u can't be destroyed: %s\n",
			ctx->id, toe_status_text(hard.status));
		adm->stuck(adm);
	}
}

/**
 * toe_ctx_create() - make a context for the calling process
 * @dev: the adapter
 * @arg: wishes in, answers out, except the mmap offsets
 * @mapping: of the open file
 *
 * Return: the context, or ERR_PTR as TOE_IOC_CTX_CREATE documents.  Undone by
 * toe_ctx_release().
 */
struct toe_ctx *toe_ctx_create(struct toe_dev *dev, struct toe_uapi_ctx *arg,
			       struct address_space *mapping)
{
	struct toe_adm_req req = {};
	struct toe_hw_adm_cmd cmd = {};
	struct toe_ctx *ctx;
	int ret;

	ret = toe_ctx_layout(dev, arg);
	if (ret)
		return ERR_PTR(ret);

	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return ERR_PTR(-ENOMEM);
	kref_init(&ctx->ref);
	xa_init_flags(&ctx->mems, XA_FLAGS_ALLOC1);
	toe_ports_init(ctx);
	mutex_init(&ctx->map_lock);
	init_waitqueue_head(&ctx->wait);
	INIT_LIST_HEAD(&ctx->vector_node);
	INIT_WORK(&ctx->drain, toe_ctx_drain);
	ctx->dev = dev;
	ctx->mapping = mapping;
	ctx->uid = current_uid();
	get_task_comm(ctx->comm, current->group_leader);
	/*
	 * The ports are those of the interface, which stays in the initial
	 * network namespace: rights in a namespace of its own don't count.
	 */
	if (capable(CAP_NET_BIND_SERVICE))
		ctx->rights |= TOE_RIGHT_LOWPORT;
	ctx->max_conns = dev->max_conns;

	ctx->dummy = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!ctx->dummy) {
		ret = -ENOMEM;
		goto free_ctx;
	}
	ctx->user = toe_user_get();
	if (!ctx->user) {
		ret = -ENOMEM;
		goto free_dummy;
	}
	ret = toe_user_add_ctx(ctx->user, &ctx->max_conns);
	if (ret)
		goto put_user;
	ctx->obj = toe_mem_alloc(ctx->user, arg->mem_size);
	if (IS_ERR(ctx->obj)) {
		ret = PTR_ERR(ctx->obj);
		goto sub_ctx;
	}
	ctx->page = page_address(ctx->obj->pages[0]);
	ret = xa_alloc_cyclic(&ctx->mems, &ctx->obj->id, ctx->obj,
			      XA_LIMIT(1, TOE_MEM_ID_MAX), &ctx->mems_next,
			      GFP_KERNEL);
	if (ret < 0) {
		toe_mem_put(ctx->obj);
		goto destroy_xa;
	}
	atomic_long_set(&ctx->pages, ctx->obj->npages);
	ctx->pid = get_task_pid(current, PIDTYPE_TGID);
	toe_dev_get(dev);

	ret = toe_enter(dev);
	if (ret)
		goto free_all;
	mutex_lock(&dev->ctx_lock);
	ret = xa_alloc_cyclic(&dev->ctxs, &ctx->id, ctx,
			      XA_LIMIT(1, dev->max_contexts - 1),
			      &dev->ctxs_next, GFP_KERNEL);
	mutex_unlock(&dev->ctx_lock);
	if (ret < 0) {
		ret = ret == -EBUSY ? -ENOSPC : ret;
		goto leave;
	}
	ctx->vector = toe_ctx_vector(dev, ctx->id);

	req.cmd.opcode = TOE_ADM_CTX_CREATE;
	req.cmd.u.ctx_create.ctx = ctx->id;
	req.cmd.u.ctx_create.rights = ctx->rights;
	req.cmd.u.ctx_create.vector = ctx->vector->index;
	req.cmd.u.ctx_create.max_conns = ctx->max_conns;
	req.cmd.u.ctx_create.max_regions = ctx_regions;
	ret = toe_admin_exec(&dev->admin, &req);
	if (ret) {
		if (!req.error && req.status)
			dev_err(dev->device, "context %u can't be created: %s\n",
				ctx->id, toe_status_text(req.status));
		goto erase;
	}
	ret = toe_mem_register(dev, ctx->obj, ctx->id,
			       TOE_MEM_READ | TOE_MEM_WRITE);
	if (ret)
		goto destroy;

	cmd.opcode = TOE_ADM_CTX_QUEUES;
	cmd.u.ctx_queues.ctx = ctx->id;
	cmd.u.ctx_queues.key = ctx->obj->key;
	cmd.u.ctx_queues.page = arg->page_off;
	cmd.u.ctx_queues.rq = arg->rq_off;
	cmd.u.ctx_queues.cq = arg->cq_off;
	cmd.u.ctx_queues.bq_small = arg->bq_small_off;
	cmd.u.ctx_queues.bq_large = arg->bq_large_off;
	cmd.u.ctx_queues.rq_log2 = arg->rq_log2;
	cmd.u.ctx_queues.cq_log2 = arg->cq_log2;
	cmd.u.ctx_queues.bq_small_log2 = arg->bq_small_log2;
	cmd.u.ctx_queues.bq_large_log2 = arg->bq_large_log2;
	cmd.u.ctx_queues.small_size = arg->small_size;
	cmd.u.ctx_queues.large_size = arg->large_size;
	ret = toe_admin_simple(&dev->admin, &cmd);
	if (ret)
		goto destroy;

	spin_lock_irq(&ctx->vector->lock);
	list_add_tail(&ctx->vector_node, &ctx->vector->ctxs);
	spin_unlock_irq(&ctx->vector->lock);
	toe_leave(dev);

	arg->ctx = ctx->id;
	arg->rights = ctx->rights;
	arg->key = ctx->obj->key;
	arg->max_conns = ctx->max_conns;
	return ctx;

destroy:
	toe_ctx_destroy(ctx, false);
	toe_mem_unmap(dev, ctx->obj);
erase:
	mutex_lock(&dev->ctx_lock);
	xa_erase(&dev->ctxs, ctx->id);
	mutex_unlock(&dev->ctx_lock);
leave:
	toe_leave(dev);
free_all:
	toe_ctx_put(ctx);
	return ERR_PTR(ret);
destroy_xa:
	xa_destroy(&ctx->mems);
sub_ctx:
	toe_user_sub_ctx(ctx->user, ctx->max_conns);
put_user:
	toe_user_put(ctx->user);
free_dummy:
	__free_page(ctx->dummy);
free_ctx:
	kfree(ctx);
	return ERR_PTR(ret);
}

/* Take away what the adapter could reach: it is done with the context. */
static void toe_ctx_unmap(struct toe_ctx *ctx)
{
	struct toe_mem *mem;
	unsigned long id;

	xa_for_each(&ctx->mems, id, mem)
		toe_mem_unmap(ctx->dev, mem);
}

static void toe_ctx_drain(struct work_struct *work)
{
	struct toe_ctx *ctx = container_of(work, struct toe_ctx, drain);
	struct toe_dev *dev = ctx->dev;

	down_read(&dev->sem);
	if (!ctx->dead) {
		toe_ctx_destroy(ctx, true);
		toe_ctx_unmap(ctx);
		toe_ctx_unlink(ctx);
	}
	up_read(&dev->sem);
	toe_ctx_put(ctx);
}

/**
 * toe_ctx_release() - the file of the context was closed
 * @ctx: the context; not the caller's any more
 *
 * Does not wait for the adapter, nor for a reset: it runs in exit() of a
 * process, and dev->sem can be held for seconds.
 */
void toe_ctx_release(struct toe_ctx *ctx)
{
	bool drain;

	/* The drain may be over before we are out of here. */
	kref_get(&ctx->ref);
	mutex_lock(&ctx->map_lock);
	ctx->mapping = NULL;
	/*
	 * Who is not dead yet is killed, under this lock, before removal
	 * flushes the queue: the queue is there.
	 */
	drain = !ctx->dead;
	if (drain)
		queue_work(ctx->dev->wq, &ctx->drain);
	mutex_unlock(&ctx->map_lock);
	if (!drain)
		toe_ctx_put(ctx);
	toe_ctx_put(ctx);
}

/**
 * toe_ctx_add_mem() - register a region for a context
 * @ctx: the context; the caller holds its file's lock
 * @mem: the region; the context's on success
 * @access: TOE_MEM_*
 * @key: set: its key; once we return, a reset may free @mem at any time
 * @id: set: its number in mmap offsets
 *
 * Return: 0, or -errno as TOE_IOC_MEM_REG documents.
 */
int toe_ctx_add_mem(struct toe_ctx *ctx, struct toe_mem *mem, u32 access,
		    u32 *key, u32 *id)
{
	struct toe_dev *dev = ctx->dev;
	int ret;

	ret = toe_enter(dev);
	if (ret)
		return ret;
	ret = ctx->dead ? -EIO : toe_mem_register(dev, mem, ctx->id, access);
	if (ret)
		goto leave;
	mutex_lock(&ctx->map_lock);
	ret = xa_alloc_cyclic(&ctx->mems, &mem->id, mem,
			      XA_LIMIT(1, TOE_MEM_ID_MAX), &ctx->mems_next,
			      GFP_KERNEL);
	mutex_unlock(&ctx->map_lock);
	if (ret < 0) {
		ret = ret == -EBUSY ? -EDQUOT : ret;
		/* If it can't be revoked the caller must not free it. */
		if (toe_mem_revoke(dev, mem))
			dev->admin.stuck(&dev->admin);
		toe_mem_unmap(dev, mem);
		goto leave;
	}
	atomic_long_add(mem->npages, &ctx->pages);
	*key = mem->key;
	*id = mem->id;
	ret = 0;
leave:
	toe_leave(dev);
	return ret;
}

/**
 * toe_ctx_free_mem() - revoke a region and give it back
 * @ctx: the context; the caller holds its file's lock
 * @key: the region's
 *
 * Return: 0; -ENOENT: no such region; -EBUSY: the memory object with the
 * queues goes with the context only; -EIO, -ENODEV.
 */
int toe_ctx_free_mem(struct toe_ctx *ctx, u32 key)
{
	struct toe_dev *dev = ctx->dev;
	struct toe_mem *mem;
	unsigned long id;
	int ret;

	ret = toe_enter(dev);
	if (ret)
		return ret;
	ret = -EIO;
	if (ctx->dead)
		goto leave;
	ret = -ENOENT;
	if (key == TOE_KEY_INVALID)
		goto leave;
	xa_for_each(&ctx->mems, id, mem)
		if (mem->key == key)
			break;
	if (!mem)
		goto leave;
	ret = -EBUSY;
	if (mem == ctx->obj)
		goto leave;
	ret = toe_mem_revoke(dev, mem);
	if (ret)
		goto leave;
	toe_mem_unmap(dev, mem);
	mutex_lock(&ctx->map_lock);
	xa_erase(&ctx->mems, mem->id);
	mutex_unlock(&ctx->map_lock);
	atomic_long_sub(mem->npages, &ctx->pages);
	toe_mem_put(mem);
leave:
	toe_leave(dev);
	return ret;
}

/* One context, of an adapter that was stopped. */
static void toe_ctx_kill(struct toe_ctx *ctx)
{
	struct toe_mem *mem;
	unsigned long id;

	/* Alive until dead is set; after that its file may be closed. */
	kref_get(&ctx->ref);
	/* For a library that looks at its page only; before poll() says so. */
	WRITE_ONCE(ctx->page->fault, TOE_ST_ABORTED);
	mutex_lock(&ctx->map_lock);
	smp_store_release(&ctx->dead, true); /* pairs with toe_poll() */
	/* Page faults after this give the dummy page. */
	if (ctx->mapping)
		unmap_mapping_range(ctx->mapping, TOE_MMAP_DOORBELL,
				    PAGE_SIZE, 1);
	xa_for_each(&ctx->mems, id, mem) {
		toe_mem_unmap(ctx->dev, mem);
		if (!mem->pinned)
			continue;
		xa_erase(&ctx->mems, id);
		atomic_long_sub(mem->npages, &ctx->pages);
		toe_mem_put(mem);
	}
	mutex_unlock(&ctx->map_lock);
	toe_ctx_unlink(ctx);
	wake_up_interruptible_poll(&ctx->wait, EPOLLERR | EPOLLHUP);
	toe_ctx_put(ctx);
}

/**
 * toe_ctx_kill_all() - all contexts die with the adapter's state
 * @dev: the adapter, stopped; the caller holds dev->sem for writing
 */
void toe_ctx_kill_all(struct toe_dev *dev)
{
	struct toe_ctx *ctx;
	unsigned long id;

	xa_for_each(&dev->ctxs, id, ctx)
		toe_ctx_kill(ctx);
}

/* Interrupt: something completed for a context of this vector. */
void toe_ctx_irq(struct toe_vector *vector)
{
	struct toe_ctx *ctx;

	spin_lock(&vector->lock);
	list_for_each_entry(ctx, &vector->ctxs, vector_node)
		wake_up_interruptible_poll(&ctx->wait,
					   EPOLLIN | EPOLLRDNORM);
	spin_unlock(&vector->lock);
}

/**
 * toe_ctx_stat() - put together what adapter and driver know of a context
 * @dev: the adapter
 * @info: what the adapter says
 * @stat: filled
 *
 * Return: 0; -ENOENT if the driver does not know it.
 */
int toe_ctx_stat(struct toe_dev *dev, const struct toe_hw_ctx_info *info,
		 struct toe_uapi_ctx_stat *stat)
{
	struct toe_ctx *ctx;
	int ret = 0;

	memset(stat, 0, sizeof(*stat));
	stat->ctx = info->ctx;
	stat->rights = info->rights;
	stat->conns = info->conns;
	stat->regions = info->regions;
	stat->requests = info->requests;
	stat->completions = info->completions;
	stat->errors = info->errors;
	stat->flags = info->flags;
	if (info->ctx == TOE_CTX_KERNEL) {
		strscpy(stat->comm, "kernel", sizeof(stat->comm));
		return 0;
	}

	mutex_lock(&dev->ctx_lock);
	ctx = xa_load(&dev->ctxs, info->ctx);
	if (ctx) {
		stat->uid = from_kuid_munged(current_user_ns(), ctx->uid);
		stat->pinned = (u64)atomic_long_read(&ctx->pages) << PAGE_SHIFT;
		memcpy(stat->comm, ctx->comm, sizeof(stat->comm));
		rcu_read_lock();
		if (pid_task(ctx->pid, PIDTYPE_TGID))
			stat->pid = pid_vnr(ctx->pid);
		rcu_read_unlock();
	} else {
		ret = -ENOENT;
	}
	mutex_unlock(&dev->ctx_lock);
	return ret;
}
