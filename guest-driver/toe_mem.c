// SPDX-License-Identifier: GPL-2.0-only
/*
 * toe_mem.c - memory regions: pages that stay, known to the adapter by a key.
 *
 * A region is made of the caller's pages (pinned) or of ours, and goes through
 * these steps, undone in reverse order:
 *
 *	toe_mem_alloc() or toe_mem_pin()	pages are charged and stay
 *	toe_mem_register()			mapped for DMA, key
 *	...
 *	toe_mem_revoke()			the adapter forgets the key
 *	toe_mem_unmap()				no DMA mapping
 *	toe_mem_put()				pages and charge are given back,
 *						when no process maps them
 *
 * When a context is destroyed or the adapter reset, all its keys are gone at
 * once and only the last two steps remain.
 *
 * All mapping goes through the DMA API, so that an IOMMU between adapter and
 * memory works.  Application and adapter use the memory at the same time
 * without telling us, so a mapping that needs copying (swiotlb) or cache
 * maintenance is refused.
 *
 * The adapter takes page addresses of one size per region.  We look for the
 * largest size at which the region's pages are contiguous: our own memory is
 * allocated in blocks of up to 2 MiB, which makes its list 512 times shorter.
 */
#include <linux/dma-map-ops.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "toe.h"

#define TOE_BLOCK_ORDER		9u	/* largest block of our own, 2 MiB */
#define TOE_PIN_BATCH		512u

static struct toe_mem *toe_mem_new(struct toe_user *user, u64 length, u32 first)
{
	struct toe_mem *mem;

	mem = kzalloc(sizeof(*mem), GFP_KERNEL);
	if (!mem)
		return ERR_PTR(-ENOMEM);
	refcount_set(&mem->ref, 1);
	mem->user = user;
	mem->length = length;
	mem->first = first;
	mem->npages = PAGE_ALIGN(first + length) >> PAGE_SHIFT;
	mem->pages = kvcalloc(mem->npages, sizeof(*mem->pages),
			      GFP_KERNEL_ACCOUNT);
	if (!mem->pages) {
		kfree(mem);
		return ERR_PTR(-ENOMEM);
	}
	return mem;
}

/* Give back the first @n pages and what holds them. */
static void toe_mem_put_pages(struct toe_mem *mem, unsigned long n)
{
	unsigned long i;

	if (mem->pinned) {
		unpin_user_pages_dirty_lock(mem->pages, n,
					    mem->access & TOE_MEM_WRITE);
		return;
	}
	for (i = 0; i < n; i++) {
		/* A mapping of the application may hold the page longer. */
		put_page(mem->pages[i]);
		cond_resched();
	}
}

/**
 * toe_mem_alloc() - make a memory object of our own
 * @user: who pays; outlives the region
 * @length: bytes, 1..TOE_MEM_LENGTH_MAX
 *
 * The pages are zero and can be mapped one by one.
 *
 * Return: the region, or ERR_PTR: -ENOMEM, -EDQUOT, -EINTR.
 */
struct toe_mem *toe_mem_alloc(struct toe_user *user, u64 length)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO;
	struct toe_mem *mem;
	unsigned int order = TOE_BLOCK_ORDER;
	unsigned long n = 0, i;
	struct page *block;
	int ret;

	mem = toe_mem_new(user, length, 0);
	if (IS_ERR(mem))
		return mem;
	ret = toe_user_charge(user, mem->npages);
	if (ret)
		goto fail;
	while (n < mem->npages) {
		while (order && (1ul << order) > mem->npages - n)
			order--;
		/* Large blocks are welcome, not worth reclaiming for. */
		block = alloc_pages(order ? gfp | __GFP_NOWARN | __GFP_NORETRY :
				    gfp, order);
		if (!block && order) {
			order--;
			continue;
		}
		if (!block || fatal_signal_pending(current)) {
			if (block)
				__free_pages(block, order);
			ret = block ? -EINTR : -ENOMEM;
			goto fail_pages;
		}
		if (order)
			split_page(block, order);
		for (i = 0; i < 1ul << order; i++)
			mem->pages[n++] = block + i;
		cond_resched();
	}
	return mem;

fail_pages:
	toe_mem_put_pages(mem, n);
	toe_user_uncharge(user, mem->npages);
fail:
	kvfree(mem->pages);
	kfree(mem);
	return ERR_PTR(ret);
}

/**
 * toe_mem_pin() - pin memory of the calling process
 * @user: who pays; outlives the region
 * @addr: its first byte, any alignment
 * @length: bytes, 1..TOE_MEM_LENGTH_MAX
 * @access: TOE_MEM_*
 *
 * Return: the region, or ERR_PTR: -EFAULT, -ENOMEM, -EDQUOT, -EINTR.
 */
struct toe_mem *toe_mem_pin(struct toe_user *user, u64 addr, u64 length,
			    u32 access)
{
	unsigned long start = addr & PAGE_MASK;
	unsigned int flags = FOLL_LONGTERM | FOLL_WRITE;
	unsigned long n = 0;
	struct toe_mem *mem;
	long got;
	int ret;

	mem = toe_mem_new(user, length, offset_in_page(addr));
	if (IS_ERR(mem))
		return mem;
	mem->pinned = true;
	mem->access = access;
	ret = toe_user_charge(user, mem->npages);
	if (ret)
		goto fail;
	while (n < mem->npages) {
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			goto fail_pages;
		}
		got = pin_user_pages_fast(start + n * PAGE_SIZE,
					  min_t(unsigned long, TOE_PIN_BATCH,
						mem->npages - n),
					  flags, mem->pages + n);
		/*
		 * Pages that the adapter only reads are pinned for writing as
		 * well where possible: a copy-on-write page pinned for reading
		 * would be left behind by the owner's first write, and the
		 * adapter would go on sending the old bytes.
		 */
		if (got == -EFAULT && !(access & TOE_MEM_WRITE) &&
		    flags & FOLL_WRITE) {
			flags &= ~FOLL_WRITE;
			continue;
		}
		if (got <= 0) {
			ret = got ? got : -EFAULT;
			goto fail_pages;
		}
		n += got;
		cond_resched();
	}
	return mem;

fail_pages:
	toe_mem_put_pages(mem, n);
	toe_user_uncharge(user, mem->npages);
fail:
	kvfree(mem->pages);
	kfree(mem);
	return ERR_PTR(ret);
}

/* One more mapping of a process; it pays for the pages as long as it lasts. */
void toe_mem_get(struct toe_mem *mem)
{
	refcount_inc(&mem->ref);
}

/*
 * The opposite of toe_mem_alloc(), toe_mem_pin() and toe_mem_get().  With the
 * last reference the region is neither registered nor mapped for the adapter.
 */
void toe_mem_put(struct toe_mem *mem)
{
	if (!refcount_dec_and_test(&mem->ref))
		return;
	WARN_ON(mem->mapped);
	toe_mem_put_pages(mem, mem->npages);
	toe_user_uncharge(mem->user, mem->npages);
	kvfree(mem->pages);
	kfree(mem);
}

/*
 * Does the adapter, at bus address @addr, see the very bytes of @page, without
 * copies in between and without anybody flushing caches?
 */
static bool toe_mem_direct(struct toe_dev *dev, dma_addr_t addr,
			   struct page *page)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev->device);

	/* dma_need_sync() says yes to every IOMMU in older kernels. */
	if (domain)
		return dev_is_dma_coherent(dev->device) &&
		       iommu_iova_to_phys(domain, addr) == page_to_phys(page);
	return !dma_need_sync(dev->device, addr);
}

/* Map it for the adapter: one bus address per page in @addr. */
static int toe_mem_map(struct toe_dev *dev, struct toe_mem *mem, u64 *addr)
{
	struct sg_dma_page_iter iter;
	unsigned long n = 0;
	int ret;

	ret = sg_alloc_table_from_pages(&mem->sgt, mem->pages, mem->npages, 0,
					mem->npages << PAGE_SHIFT, GFP_KERNEL);
	if (ret)
		return ret;
	ret = dma_map_sgtable(dev->device, &mem->sgt, DMA_BIDIRECTIONAL, 0);
	if (ret) {
		sg_free_table(&mem->sgt);
		return ret;
	}
	mem->mapped = true;
	for_each_sgtable_dma_page(&mem->sgt, &iter, 0) {
		if (WARN_ON(n == mem->npages))
			break;
		addr[n] = sg_page_iter_dma_address(&iter);
		if (!toe_mem_direct(dev, addr[n], mem->pages[n])) {
			dev_err_once(dev->device, "memory can't be shared with the adapter directly (swiotlb or no cache coherency); app-direct contexts don't work on this machine\n");
			ret = -EOPNOTSUPP;
			goto unmap;
		}
		n++;
	}
	if (WARN_ON(n != mem->npages)) {
		ret = -EIO;
		goto unmap;
	}
	return 0;

unmap:
	toe_mem_unmap(dev, mem);
	return ret;
}

/* The adapter no longer uses it: undo the DMA mapping, if there is one. */
void toe_mem_unmap(struct toe_dev *dev, struct toe_mem *mem)
{
	if (!mem->mapped)
		return;
	dma_unmap_sgtable(dev->device, &mem->sgt, DMA_BIDIRECTIONAL, 0);
	sg_free_table(&mem->sgt);
	mem->mapped = false;
	mem->key = TOE_KEY_INVALID;
}

/*
 * Are the 4 KiB pages at bus addresses @addr contiguous in naturally aligned
 * blocks of 1 << shift bytes?  The first and the last block may be partial.
 */
static bool toe_mem_fits(const u64 *addr, unsigned long n, unsigned int shift)
{
	u64 mask = (1ull << shift) - 1;
	unsigned long i;

	for (i = 1; i < n; i++)
		if ((addr[i] & mask) && addr[i] != addr[i - 1] + PAGE_SIZE)
			return false;
		else if (!(addr[i] & mask) &&
			 ((addr[i - 1] + PAGE_SIZE) & mask))
			return false;
	return true;
}

/*
 * Tell the adapter about a region: @n pages of PAGE_SIZE at bus addresses
 * @addr, of which @length bytes from @first on are the region.  @addr is
 * overwritten.  On success *key is its key.
 */
static int toe_mem_tell(struct toe_dev *dev, u32 ctx, u64 *addr,
			unsigned long n, u32 first, u64 length, u32 access,
			u32 *key)
{
	static const unsigned int shifts[] = { 21, 18, 16, 14, PAGE_SHIFT };
	struct toe_adm_req req = {};
	struct toe_hw_adm_cmd pages = {};
	unsigned long i, m, done;
	unsigned int shift, count;
	dma_addr_t list_dma;
	u64 mask;
	u64 *list;
	int ret;

	for (i = 0; i < ARRAY_SIZE(shifts) - 1; i++)
		if (toe_mem_fits(addr, n, shifts[i]))
			break;
	shift = shifts[i];
	mask = (1ull << shift) - 1;
	first += addr[0] & mask;
	addr[0] &= ~mask;
	for (i = 1, m = 1; i < n; i++)
		if (!(addr[i] & mask))
			addr[m++] = addr[i];

	list = dma_alloc_coherent(dev->device,
				  TOE_MEM_PAGES_MAX * sizeof(*list),
				  &list_dma, GFP_KERNEL);
	if (!list)
		return -ENOMEM;

	req.cmd.opcode = TOE_ADM_MEM_REGISTER;
	req.cmd.u.mem_register.ctx = ctx;
	req.cmd.u.mem_register.access = access;
	req.cmd.u.mem_register.length = length;
	req.cmd.u.mem_register.first = first;
	req.cmd.u.mem_register.page_shift = shift;
	req.cmd.u.mem_register.npages = m;
	ret = toe_admin_exec(&dev->admin, &req);
	if (ret)
		goto out;
	*key = req.result;

	pages.opcode = TOE_ADM_MEM_PAGES;
	pages.u.mem_pages.key = *key;
	pages.u.mem_pages.list = list_dma;
	for (done = 0; done < m; done += count) {
		count = min_t(unsigned long, m - done, TOE_MEM_PAGES_MAX);
		memcpy(list, addr + done, count * sizeof(*list));
		pages.u.mem_pages.index = done;
		pages.u.mem_pages.count = count;
		ret = toe_admin_simple(&dev->admin, &pages);
		if (ret) {
			struct toe_hw_adm_cmd revoke = {
				.opcode = TOE_ADM_MEM_REVOKE,
				.u.mem_revoke.key = *key,
			};

			/* Can't fail but by a reset, which revokes as well. */
			toe_admin_simple(&dev->admin, &revoke);
			break;
		}
	}
out:
	dma_free_coherent(dev->device, TOE_MEM_PAGES_MAX * sizeof(*list), list,
			  list_dma);
	return ret;
}

/**
 * toe_mem_register() - map a region and make it known to the adapter
 * @dev: the adapter, up; the caller holds dev->sem
 * @mem: the region; mem->key is set
 * @ctx: number of the context that will own it
 * @access: TOE_MEM_*
 *
 * Return: 0; -ENOMEM, -EDQUOT, -EIO and others of toe_status_errno().  On
 * error the region is not mapped.
 */
int toe_mem_register(struct toe_dev *dev, struct toe_mem *mem, u32 ctx,
		     u32 access)
{
	u64 *addr;
	u32 key;
	int ret;

	addr = kvmalloc_array(mem->npages, sizeof(*addr), GFP_KERNEL);
	if (!addr)
		return -ENOMEM;
	ret = toe_mem_map(dev, mem, addr);
	if (ret)
		goto out;
	ret = toe_mem_tell(dev, ctx, addr, mem->npages, mem->first, mem->length,
			   access, &key);
	if (ret) {
		toe_mem_unmap(dev, mem);
	} else {
		mem->access = access;
		mem->key = key;
	}
out:
	kvfree(addr);
	return ret;
}

/**
 * toe_mem_register_dma() - make coherent memory known to the adapter
 * @dev: the adapter; the caller holds dev->sem
 * @ctx: number of the context that will own it
 * @addr: its bus address, page aligned
 * @size: bytes, whole pages
 * @access: TOE_MEM_*
 * @key: set on success
 *
 * Return: 0 or as toe_mem_register().
 */
int toe_mem_register_dma(struct toe_dev *dev, u32 ctx, dma_addr_t addr,
			 size_t size, u32 access, u32 *key)
{
	unsigned long n = size >> PAGE_SHIFT, i;
	u64 *list;
	int ret;

	list = kvmalloc_array(n, sizeof(*list), GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		list[i] = addr + (i << PAGE_SHIFT);
	ret = toe_mem_tell(dev, ctx, list, n, 0, size, access, key);
	kvfree(list);
	return ret;
}

/**
 * toe_mem_revoke() - the adapter forgets the region's key
 * @dev: the adapter; the caller holds dev->sem
 * @mem: a registered region
 *
 * Return: 0: the adapter does not touch it any more, also if it was stopped.
 * Else the region must stay until the context is destroyed.
 */
int toe_mem_revoke(struct toe_dev *dev, struct toe_mem *mem)
{
	struct toe_adm_req req = {
		.cmd.opcode = TOE_ADM_MEM_REVOKE,
		.cmd.u.mem_revoke.key = mem->key,
	};
	int ret = toe_admin_exec(&dev->admin, &req);

	/* A stopped adapter has forgotten everything. */
	if (ret == -EIO || ret == -ETIMEDOUT)
		return 0;
	if (ret)
		dev_err(dev->device, "key %#x can't be revoked: %s\n", mem->key,
			toe_status_text(req.status));
	return ret;
}
