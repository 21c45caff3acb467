// SPDX-License-Identifier: GPL-2.0-only
/*
 * toe_chrdev.c - /dev/toeN: how an application gets its context.
 *
 * The ioctls, mappings and poll() of toe_uapi.h.  Everything that comes from
 * the caller is copied once and checked here or where it is used; user memory
 * is never touched while dev->sem is held.
 *
 * Mappings, by offset:
 *	1 << 32		the doorbell page, filled at the first access; when the
 *			context dies it is replaced by a page of ordinary memory
 *	2 << 32		the status page, read-only
 *	(16 + id) << 32	memory object id, filled at mmap(), so that no page
 *			fault follows on the data path
 */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include "toe.h"

#define TOE_MMAP_STATUS		(2ull << 32)
#define TOE_MMAP_MEM(id)	((16ull + (id)) << 32)

#define TOE_LIST_BATCH		64u	/* entries per query */

struct toe_file {
	struct toe_dev *dev;
	struct mutex lock;		/* one ioctl at a time */
	struct toe_ctx *ctx;		/* set once; NULL: none yet */
};

static struct toe_ctx *toe_file_ctx(struct toe_file *f)
{
	/* Pairs with toe_ioc_ctx_create(): the context is complete. */
	return smp_load_acquire(&f->ctx);
}

static int toe_open(struct inode *inode, struct file *filp)
{
	struct toe_dev *dev = container_of(filp->private_data, struct toe_dev,
					   misc);
	struct toe_file *f;

	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	mutex_init(&f->lock);
	/* The misc device is registered while we are here, so dev lives. */
	toe_dev_get(dev);
	f->dev = dev;
	filp->private_data = f;
	return nonseekable_open(inode, filp);
}

static int toe_release(struct inode *inode, struct file *filp)
{
	struct toe_file *f = filp->private_data;

	if (f->ctx)
		toe_ctx_release(f->ctx);
	toe_dev_put(f->dev);
	kfree(f);
	return 0;
}

/* ---- ioctl -------------------------------------------------------------- */

static int toe_ioc_info(struct toe_file *f, void __user *argp)
{
	struct toe_dev *dev = f->dev;
	struct toe_uapi_info info = {
		.version = TOE_UAPI_VERSION,
		.revision = dev->revision,
		.caps = dev->caps,
		.max_contexts = dev->max_contexts,
		.max_conns = dev->max_conns,
		.max_queue_log2 = min(dev->max_queue_log2, TOE_QUEUE_LOG2_MAX),
		.buflet_size = dev->buflet_size,
		.max_segment = dev->max_segment,
		.ifindex = dev->ifindex,
	};

	if (READ_ONCE(dev->gone))
		return -ENODEV;
	/* The status page has the present one, the adapter the permanent. */
	spin_lock_bh(&dev->status_lock);
	memcpy(info.mac, dev->status->mac, ETH_ALEN);
	spin_unlock_bh(&dev->status_lock);
	return copy_to_user(argp, &info, sizeof(info)) ? -EFAULT : 0;
}

static int toe_ioc_ctx_create(struct toe_file *f, struct file *filp,
			      void __user *argp)
{
	struct toe_uapi_ctx arg;
	struct toe_ctx *ctx;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (f->ctx)
		return -EBUSY;
	ctx = toe_ctx_create(f->dev, &arg, filp->f_mapping);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	arg.mem_mmap = TOE_MMAP_MEM(ctx->obj->id);
	arg.doorbell_mmap = TOE_MMAP_DOORBELL;
	arg.status_mmap = TOE_MMAP_STATUS;
	if (copy_to_user(argp, &arg, sizeof(arg))) {
		toe_ctx_release(ctx);
		return -EFAULT;
	}
	/* Pairs with toe_file_ctx(). */
	smp_store_release(&f->ctx, ctx);
	return 0;
}

static int toe_ioc_mem_add(struct toe_file *f, void __user *argp, bool pin)
{
	struct toe_ctx *ctx = f->ctx;
	struct toe_uapi_mem arg;
	struct toe_mem *mem;
	u64 end;
	u32 id;
	int ret;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (!arg.access || arg.access & ~(TOE_MEM_READ | TOE_MEM_WRITE) ||
	    !arg.length || arg.length > TOE_MEM_LENGTH_MAX ||
	    check_add_overflow(arg.addr, arg.length, &end) ||
	    end > ULONG_MAX - PAGE_SIZE)
		return -EINVAL;
	if (!ctx)
		return -EINVAL;
	if (READ_ONCE(ctx->dead))
		return READ_ONCE(f->dev->gone) ? -ENODEV : -EIO;
	if (pin)
		mem = toe_mem_pin(ctx->user, arg.addr, arg.length, arg.access);
	else
		mem = toe_mem_alloc(ctx->user, arg.length);
	if (IS_ERR(mem))
		return PTR_ERR(mem);
	ret = toe_ctx_add_mem(ctx, mem, arg.access, &arg.key, &id);
	if (ret) {
		toe_mem_put(mem);
		return ret;
	}
	if (!pin)
		arg.mmap = TOE_MMAP_MEM(id);
	if (copy_to_user(argp, &arg, sizeof(arg))) {
		toe_ctx_free_mem(ctx, arg.key);
		return -EFAULT;
	}
	return 0;
}

static int toe_ioc_mem_free(struct toe_file *f, void __user *argp)
{
	struct toe_uapi_mem arg;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (!f->ctx)
		return -EINVAL;
	return toe_ctx_free_mem(f->ctx, arg.key);
}

static int toe_ioc_stats(struct toe_file *f, void __user *argp)
{
	struct toe_uapi_stats arg;
	u64 *values;
	u32 count;
	int ret;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.rsvd)
		return -EINVAL;
	values = kcalloc(TOE_CTR_MAX, sizeof(*values), GFP_KERNEL);
	if (!values)
		return -ENOMEM;
	count = min_t(u32, arg.count, TOE_CTR_MAX);
	ret = toe_enter(f->dev);
	if (ret)
		goto out;
	ret = toe_query_stats(f->dev, values, count);
	toe_leave(f->dev);
	if (ret)
		goto out;
	arg.count = TOE_CTR_MAX;
	if (copy_to_user(u64_to_user_ptr(arg.addr), values,
			 count * sizeof(*values)) ||
	    copy_to_user(argp, &arg, sizeof(arg)))
		ret = -EFAULT;
out:
	kfree(values);
	return ret;
}

/*
 * One batch of a list, in the form that the caller wants.  *count: in: at
 * most so many; out: so many.
 */
static int toe_list_batch(struct toe_dev *dev, bool conns, void *hw, void *out,
			  u32 *count, u32 *start)
{
	const struct toe_hw_ctx_info *info = hw;
	struct toe_uapi_ctx_stat *stat = out;
	u32 i, n = 0;
	int ret;

	ret = toe_enter(dev);
	if (ret)
		return ret;
	if (conns) {
		ret = toe_query_list(dev, TOE_ADM_CONN_LIST,
				     sizeof(struct toe_hw_conn_info), out,
				     count, start);
	} else {
		ret = toe_query_list(dev, TOE_ADM_CTX_INFO, sizeof(*info), hw,
				     count, start);
		/* A context that is just made or unmade is left out. */
		for (i = 0; !ret && i < *count; i++)
			if (!toe_ctx_stat(dev, &info[i], &stat[n]))
				n++;
		if (!ret)
			*count = n;
	}
	toe_leave(dev);
	return ret;
}

static int toe_ioc_list(struct toe_file *f, void __user *argp, bool conns)
{
	size_t size = conns ? sizeof(struct toe_hw_conn_info) :
			      sizeof(struct toe_uapi_ctx_stat);
	struct toe_uapi_list arg;
	void *hw, *out;
	u32 done = 0, count, start;
	int ret = 0;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	hw = kcalloc(TOE_LIST_BATCH, sizeof(struct toe_hw_ctx_info),
		     GFP_KERNEL);
	out = kcalloc(TOE_LIST_BATCH, size, GFP_KERNEL);
	if (!hw || !out) {
		ret = -ENOMEM;
		goto free;
	}
	start = arg.start;
	while (done < arg.count) {
		if (signal_pending(current)) {
			/* What there is so far is an answer, too. */
			ret = done ? 0 : -EINTR;
			break;
		}
		count = min(arg.count - done, TOE_LIST_BATCH);
		ret = toe_list_batch(f->dev, conns, hw, out, &count, &start);
		if (ret)
			break;
		if (copy_to_user(u64_to_user_ptr(arg.addr + (u64)done * size),
				 out, count * size)) {
			ret = -EFAULT;
			break;
		}
		done += count;
		if (!start)
			break;
	}
	if (!ret) {
		arg.count = done;
		arg.start = start;
		if (copy_to_user(argp, &arg, sizeof(arg)))
			ret = -EFAULT;
	}
free:
	kfree(out);
	kfree(hw);
	return ret;
}

static int toe_ioc_port(struct toe_file *f, void __user *argp, bool hold)
{
	struct toe_uapi_port arg;
	int ret;

	if (!f->ctx)
		return -ENXIO;
	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (!hold)
		return toe_port_release(f->ctx, arg.id);
	ret = toe_port_hold(f->ctx, &arg);
	if (!ret && copy_to_user(argp, &arg, sizeof(arg))) {
		toe_port_release(f->ctx, arg.id);
		ret = -EFAULT;
	}
	return ret;
}

static long toe_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct toe_file *f = filp->private_data;
	void __user *argp = (void __user *)arg;
	long ret;

	/* These need no context, and many threads may ask at once. */
	switch (cmd) {
	case TOE_IOC_INFO:
		return toe_ioc_info(f, argp);
	case TOE_IOC_STATS:
		return toe_ioc_stats(f, argp);
	case TOE_IOC_CONNS:
		return toe_ioc_list(f, argp, true);
	case TOE_IOC_CTXS:
		return toe_ioc_list(f, argp, false);
	}

	if (mutex_lock_interruptible(&f->lock))
		return -ERESTARTSYS;
	switch (cmd) {
	case TOE_IOC_CTX_CREATE:
		ret = toe_ioc_ctx_create(f, filp, argp);
		break;
	case TOE_IOC_MEM_REG:
		ret = toe_ioc_mem_add(f, argp, true);
		break;
	case TOE_IOC_MEM_ALLOC:
		ret = toe_ioc_mem_add(f, argp, false);
		break;
	case TOE_IOC_MEM_FREE:
		ret = toe_ioc_mem_free(f, argp);
		break;
	case TOE_IOC_PORT_HOLD:
		ret = toe_ioc_port(f, argp, true);
		break;
	case TOE_IOC_PORT_RELEASE:
		ret = toe_ioc_port(f, argp, false);
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&f->lock);
	return ret;
}

/* ---- mmap --------------------------------------------------------------- */

static void toe_vma_flags(struct vm_area_struct *vma, unsigned long set,
			  unsigned long clear)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

static vm_fault_t toe_doorbell_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct toe_file *f = vma->vm_file->private_data;
	struct toe_ctx *ctx = toe_file_ctx(f);
	unsigned long pfn;
	vm_fault_t ret;

	/*
	 * Whoever kills the context first sets dead and then unmaps, both
	 * under this lock: a doorbell put in before is taken out again.
	 */
	mutex_lock(&ctx->map_lock);
	if (ctx->dead)
		pfn = page_to_pfn(ctx->dummy);
	else
		pfn = (f->dev->doorbell_phys +
		       (u64)ctx->id * TOE_DOORBELL_PAGE_SIZE) >> PAGE_SHIFT;
	ret = vmf_insert_pfn(vma, vma->vm_start, pfn);
	mutex_unlock(&ctx->map_lock);
	return ret;
}

static const struct vm_operations_struct toe_doorbell_ops = {
	.fault = toe_doorbell_fault,
};

static int toe_mmap_doorbell(struct toe_file *f, struct vm_area_struct *vma)
{
	BUILD_BUG_ON(TOE_DOORBELL_PAGE_SIZE != PAGE_SIZE);
	if (vma_pages(vma) != 1)
		return -EINVAL;
	toe_vma_flags(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP, 0);
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &toe_doorbell_ops;
	return 0;
}

static vm_fault_t toe_status_fault(struct vm_fault *vmf)
{
	struct toe_file *f = vmf->vma->vm_file->private_data;

	vmf->page = f->dev->status_page;
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct toe_status_ops = {
	.fault = toe_status_fault,
};

static int toe_mmap_status(struct toe_file *f, struct vm_area_struct *vma)
{
	if (vma_pages(vma) != 1)
		return -EINVAL;
	if (vma->vm_flags & VM_WRITE)
		return -EACCES;
	toe_vma_flags(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYWRITE);
	vma->vm_ops = &toe_status_ops;
	return vm_insert_page(vma, vma->vm_start, f->dev->status_page);
}

/* The region that mmap offset @pgoff lies in, and the page in it. */
static struct toe_mem *toe_mem_find(struct toe_ctx *ctx, unsigned long pgoff,
				    unsigned long *index)
{
	u64 off = (u64)pgoff << PAGE_SHIFT;
	u64 id = (off >> 32) - 16;
	struct toe_mem *mem;

	lockdep_assert_held(&ctx->map_lock);
	if (off < TOE_MMAP_MEM(0) || id > UINT_MAX)
		return NULL;
	mem = xa_load(&ctx->mems, id);
	*index = (off & UINT_MAX) >> PAGE_SHIFT;
	if (!mem || mem->pinned || *index >= mem->npages)
		return NULL;
	return mem;
}

/*
 * Only for what was dropped after mmap() filled it, as madvise() can do.  The
 * low 32 bits of the offset are the place in the region.
 */
static vm_fault_t toe_mem_fault(struct vm_fault *vmf)
{
	struct toe_mem *mem = vmf->vma->vm_private_data;
	unsigned long index = vmf->pgoff & (UINT_MAX >> PAGE_SHIFT);

	if (index >= mem->npages)
		return VM_FAULT_SIGBUS;
	vmf->page = mem->pages[index];
	get_page(vmf->page);
	return 0;
}

/* A mapping was copied (fork) or split. */
static void toe_mem_open(struct vm_area_struct *vma)
{
	toe_mem_get(vma->vm_private_data);
}

static void toe_mem_close(struct vm_area_struct *vma)
{
	toe_mem_put(vma->vm_private_data);
}

/*
 * A mapping keeps the region, and what it costs its user, even if the region
 * is given back: else memory that nobody pays for could be had without limit.
 */
static const struct vm_operations_struct toe_mem_ops = {
	.open = toe_mem_open,
	.close = toe_mem_close,
	.fault = toe_mem_fault,
};

static int toe_mmap_mem(struct toe_ctx *ctx, struct vm_area_struct *vma)
{
	unsigned long n = vma_pages(vma), index;
	struct toe_mem *mem;
	int ret = -EINVAL;

	toe_vma_flags(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_MIXEDMAP, 0);
	mutex_lock(&ctx->map_lock);
	mem = toe_mem_find(ctx, vma->vm_pgoff, &index);
	if (mem && n <= mem->npages - index)
		ret = vm_insert_pages(vma, vma->vm_start, mem->pages + index,
				      &n);
	if (!ret) {
		toe_mem_get(mem);
		vma->vm_private_data = mem;
		vma->vm_ops = &toe_mem_ops;
	}
	mutex_unlock(&ctx->map_lock);
	return ret;
}

static int toe_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct toe_file *f = filp->private_data;
	struct toe_ctx *ctx = toe_file_ctx(f);
	u64 off = (u64)vma->vm_pgoff << PAGE_SHIFT;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (off == TOE_MMAP_STATUS)
		return toe_mmap_status(f, vma);
	if (!ctx)
		return -EINVAL;
	if (off == TOE_MMAP_DOORBELL)
		return toe_mmap_doorbell(f, vma);
	return toe_mmap_mem(ctx, vma);
}

/* ---- poll --------------------------------------------------------------- */

static __poll_t toe_poll(struct file *filp, poll_table *wait)
{
	struct toe_file *f = filp->private_data;
	struct toe_ctx *ctx = toe_file_ctx(f);
	__poll_t mask = 0;

	if (!ctx)
		return EPOLLERR;
	poll_wait(filp, &ctx->wait, wait);
	/* Pairs with toe_ctx_kill(): the page says it as well. */
	if (smp_load_acquire(&ctx->dead))
		return EPOLLERR | EPOLLHUP;
	/* Whatever the application wrote there, it fools only itself. */
	if (READ_ONCE(ctx->page->fault))
		mask |= EPOLLERR;
	if (READ_ONCE(ctx->page->cq_tail) != READ_ONCE(ctx->page->cq_head))
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask;
}

static const struct file_operations toe_fops = {
	.owner = THIS_MODULE,
	.open = toe_open,
	.release = toe_release,
	.unlocked_ioctl = toe_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = toe_mmap,
	.poll = toe_poll,
};

/**
 * toe_chrdev_add() - make /dev/toeN
 * @dev: the adapter, up
 *
 * Anybody may open it: what it gives is limited by quotas and rights, as with
 * sockets.
 *
 * Return: 0 or -errno.
 */
int toe_chrdev_add(struct toe_dev *dev)
{
	int ret;

	dev->misc.minor = MISC_DYNAMIC_MINOR;
	dev->misc.name = dev->name;
	dev->misc.fops = &toe_fops;
	dev->misc.parent = dev->device;
	dev->misc.mode = 0666;
	ret = misc_register(&dev->misc);
	if (ret)
		dev_err(dev->device, "/dev/%s can't be made: %d\n", dev->name,
			ret);
	else
		dev->misc_registered = true;
	return ret;
}

/* Nobody can open it any more; open files stay until they are closed. */
void toe_chrdev_del(struct toe_dev *dev)
{
	if (dev->misc_registered)
		misc_deregister(&dev->misc);
	dev->misc_registered = false;
}
