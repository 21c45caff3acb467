// SPDX-License-Identifier: GPL-2.0-only
/*
 * toe_main.c - the PCI function: probe, interrupts, reset, removal.
 *
 * States
 *	DOWN	between stop and start of the adapter
 *	UP	commands are accepted
 *	FAILED	it did not come back from a reset; only removal helps
 *	gone	(a flag beside them) removal has begun and never ends
 *
 * Reset
 *  toe_hw_stop() ends all DMA and fails all commands that wait; anybody may
 *  call it at any time.  The rest is toe_reset_work(): with dev->sem held for
 *  writing nobody else is inside; contexts are killed, the network interface's
 *  rings rebuilt, and addresses and routes mirrored again.  Removal stops the
 *  adapter in the same way, and then takes everything down in the reverse
 *  order of probe.
 *
 * Interrupts
 *  Vector 0 is the admin queue's, 1 the network interface's, the others are
 *  shared out among the contexts.  If there are fewer, they do double duty.
 */
#include <linux/delay.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "toe.h"

static unsigned int vectors = 32;
module_param(vectors, uint, 0444);
MODULE_PARM_DESC(vectors, "most MSI-X vectors used (default 32)");

#define TOE_RESET_TRIES		3
#define TOE_STOP_MS		1000

static DEFINE_IDA(toe_ida);

void toe_dev_get(struct toe_dev *dev)
{
	kref_get(&dev->ref);
}

static void toe_dev_release(struct kref *ref)
{
	struct toe_dev *dev = container_of(ref, struct toe_dev, ref);

	xa_destroy(&dev->ctxs);
	/* Mappings of it hold the page themselves. */
	if (dev->status_page)
		__free_page(dev->status_page);
	ida_free(&toe_ida, dev->index);
	kfree(dev->vectors);
	kfree(dev);
}

void toe_dev_put(struct toe_dev *dev)
{
	kref_put(&dev->ref, toe_dev_release);
}

/**
 * toe_enter() - start something that needs the adapter
 * @dev: the adapter
 *
 * Return: 0, then toe_leave() must follow; -ENODEV if it was removed; -EIO if
 * it is down; -EINTR if the process was killed.
 */
int toe_enter(struct toe_dev *dev)
{
	int ret = down_read_killable(&dev->sem);

	if (ret)
		return ret;
	if (READ_ONCE(dev->gone))
		ret = -ENODEV;
	else if (dev->state != TOE_UP)
		ret = -EIO;
	if (ret)
		up_read(&dev->sem);
	return ret;
}

void toe_leave(struct toe_dev *dev)
{
	up_read(&dev->sem);
}

/* ---- The status page ---------------------------------------------------- */

static void toe_status_begin(struct toe_dev *dev)
	__acquires(&dev->status_lock)
{
	spin_lock_bh(&dev->status_lock);
	WRITE_ONCE(dev->status->seq, dev->status->seq + 1);
	smp_wmb(); /* seq is odd before anything changes */
}

static void toe_status_end(struct toe_dev *dev)
	__releases(&dev->status_lock)
{
	smp_wmb(); /* everything changed before seq is even */
	WRITE_ONCE(dev->status->seq, dev->status->seq + 1);
	spin_unlock_bh(&dev->status_lock);
}

/**
 * toe_status_update() - publish the interface's settings
 * @dev: the adapter, with its netdev
 * @ipv4: first address, network order; 0: none
 * @prefix: its length
 */
void toe_status_update(struct toe_dev *dev, u32 ipv4, u8 prefix)
{
	struct toe_uapi_status *st = dev->status;

	toe_status_begin(dev);
	st->mtu = dev->netdev->mtu;
	memcpy(st->mac, dev->netdev->dev_addr, ETH_ALEN);
	memcpy(st->ipv4, &ipv4, sizeof(st->ipv4));
	st->ipv4_prefix = prefix;
	toe_status_end(dev);
}

void toe_status_link(struct toe_dev *dev, bool up)
{
	toe_status_begin(dev);
	dev->status->link = up;
	toe_status_end(dev);
}

/* Contexts made before this are dead. */
static void toe_status_epoch(struct toe_dev *dev)
{
	toe_status_begin(dev);
	dev->status->epoch++;
	toe_status_end(dev);
}

/* ---- Queries ------------------------------------------------------------ */

/**
 * toe_query_stats() - read the counters
 * @dev: the adapter; the caller is in toe_enter()
 * @values: in TOE_COUNTERS order
 * @count: how many, at most TOE_CTR_MAX; those that the adapter lacks are 0
 *
 * Return: 0 or -errno.
 */
int toe_query_stats(struct toe_dev *dev, u64 *values, u32 count)
{
	struct toe_adm_req req = {
		.cmd.opcode = TOE_ADM_STATS,
		.cmd.u.query.addr = dev->answer_dma,
		.cmd.u.query.length = TOE_CTR_MAX * sizeof(u64),
	};
	int ret;

	BUILD_BUG_ON(TOE_CTR_MAX * sizeof(u64) > TOE_ANSWER_SIZE);
	mutex_lock(&dev->query_lock);
	memset(dev->answer, 0, TOE_CTR_MAX * sizeof(u64));
	ret = toe_admin_exec(&dev->admin, &req);
	if (!ret)
		memcpy(values, dev->answer, count * sizeof(*values));
	mutex_unlock(&dev->query_lock);
	return ret;
}

/**
 * toe_query_list() - read a part of one of the adapter's tables
 * @dev: the adapter; the caller is in toe_enter()
 * @opcode: TOE_ADM_CONN_LIST or TOE_ADM_CTX_INFO
 * @entry: bytes of one entry
 * @buf: for *count entries
 * @count: in: most entries; out: entries copied
 * @start: in: first index; out: where to go on, 0: that was all
 *
 * Return: 0 or -errno.
 */
int toe_query_list(struct toe_dev *dev, u8 opcode, size_t entry, void *buf,
		   u32 *count, u32 *start)
{
	u32 most = min_t(u32, *count, TOE_ANSWER_SIZE / entry);
	struct toe_adm_req req = {
		.cmd.opcode = opcode,
		.cmd.u.query.addr = dev->answer_dma,
		.cmd.u.query.length = most * entry,
		.cmd.u.query.start = *start,
	};
	int ret;

	mutex_lock(&dev->query_lock);
	ret = toe_admin_exec(&dev->admin, &req);
	if (!ret && (req.result > most ||
		     (req.next && req.next <= *start))) {
		dev_err(dev->device, "nonsense answer to a query: %llu entries, next %llu\n",
			req.result, req.next);
		ret = -EIO;
	}
	if (!ret) {
		memcpy(buf, dev->answer, req.result * entry);
		*count = req.result;
		*start = req.next;
	}
	mutex_unlock(&dev->query_lock);
	return ret;
}

/* ---- Stop, start, reset ------------------------------------------------- */

/**
 * toe_hw_stop() - reset the adapter and leave it off
 * @dev: the adapter; not removed from the bus by us yet
 *
 * Afterwards it does no DMA, and all commands on their way have failed.
 */
void toe_hw_stop(struct toe_dev *dev)
{
	unsigned int waited;
	u32 ctl;

	mutex_lock(&dev->stop_lock);
	spin_lock_irq(&dev->admin.lock);
	dev->admin.up = false;
	spin_unlock_irq(&dev->admin.lock);

	writel(TOE_CTL_RESET, dev->regs + TOE_REG_CONTROL);
	for (waited = 0; waited < TOE_STOP_MS; waited++) {
		ctl = toe_readl(dev, TOE_REG_CONTROL);
		if (ctl == ~0u || !(ctl & TOE_CTL_RESET))
			break;
		usleep_range(1000, 1500);
	}
	if (waited == TOE_STOP_MS) {
		dev_err(dev->device, "the adapter does not finish its reset; it is cut off from memory\n");
		pci_clear_master(dev->pdev);
	}
	toe_admin_abort(&dev->admin);
	mutex_unlock(&dev->stop_lock);
}

/*
 * The opposite: UP afterwards if 0.  dev->sem is held for writing.  A stop
 * comes before or after it, never in between: else commands could be sent to
 * an adapter that is off, and be waited for.  -EBUSY: it must stay off for now,
 * and whoever wants that sees to the rest.
 */
static int toe_hw_start(struct toe_dev *dev)
{
	int ret = -EBUSY;

	mutex_lock(&dev->stop_lock);
	if (!READ_ONCE(dev->gone) && !dev->held) {
		pci_set_master(dev->pdev);
		ret = toe_admin_start(&dev->admin);
	}
	if (!ret)
		dev->state = TOE_UP;
	mutex_unlock(&dev->stop_lock);
	return ret;
}

/* Removal begins: the adapter is stopped and stays so. */
static void toe_hw_end(struct toe_dev *dev)
{
	WRITE_ONCE(dev->gone, true);
	toe_hw_stop(dev);
	cancel_work_sync(&dev->reset_work);
}

/**
 * toe_reset_request() - reset the adapter soon
 * @dev: the adapter
 * @why: for the log
 *
 * Any context.
 */
void toe_reset_request(struct toe_dev *dev, const char *why)
{
	if (READ_ONCE(dev->gone))
		return;
	if (queue_work(system_unbound_wq, &dev->reset_work))
		dev_err(dev->device, "resetting the adapter: %s; all app-direct connections are lost\n",
			why);
}

static void toe_reset_work(struct work_struct *work)
{
	struct toe_dev *dev = container_of(work, struct toe_dev, reset_work);
	int i, ret = -EIO;

	/* Whoever waits for a command inside dev->sem comes out. */
	toe_hw_stop(dev);
	rtnl_lock();
	down_write(&dev->sem);
	if (READ_ONCE(dev->gone))
		goto out;
	/* Somebody may have started something before the sem was ours. */
	toe_hw_stop(dev);
	dev->state = TOE_DOWN;
	toe_status_epoch(dev);
	toe_ctx_kill_all(dev);
	toe_netdev_reset_down(dev);
	toe_mirror_forget(dev);
	for (i = 0; i < TOE_RESET_TRIES; i++) {
		if (i)
			toe_hw_stop(dev);
		ret = toe_hw_start(dev);
		if (!ret || ret == -EBUSY)
			break;
	}
	if (ret == -EBUSY) {
		dev_dbg(dev->device, "stays off until the bus is done\n");
	} else if (ret) {
		dev->state = TOE_FAILED;
		toe_hw_stop(dev);
		netif_carrier_off(dev->netdev);
		toe_status_link(dev, false);
		dev_err(dev->device, "the adapter does not come back; remove and rescan it: echo 1 > /sys/bus/pci/devices/%s/remove\n",
			pci_name(dev->pdev));
	} else {
		toe_tunables_restore(dev);
		toe_netdev_reset_up(dev);
		dev_info(dev->device, "the adapter was reset\n");
	}
out:
	up_write(&dev->sem);
	rtnl_unlock();
	if (!ret)
		toe_mirror_kick(dev);
}

/* An admin command timed out: nothing can be trusted any more. */
static void toe_stuck(struct toe_admin *adm)
{
	struct toe_dev *dev = container_of(adm, struct toe_dev, admin);

	toe_hw_stop(dev);
	toe_reset_request(dev, "it does not answer");
}

/* ---- Interrupts --------------------------------------------------------- */

/* Admin queue, lock held, interrupts off. */
static void toe_event(struct toe_admin *adm, u8 event)
{
	struct toe_dev *dev = container_of(adm, struct toe_dev, admin);

	if (event == TOE_ADM_EV_LINK)
		toe_mirror_kick(dev);
	else
		dev_warn_ratelimited(dev->device, "unknown event %u from the adapter\n",
				     event);
}

static void toe_fatal(struct toe_admin *adm, u32 error)
{
	struct toe_dev *dev = container_of(adm, struct toe_dev, admin);

	dev_err_ratelimited(dev->device, "the adapter has stopped its admin queue: error %u\n",
			    error);
	toe_reset_request(dev, "fatal error");
}

static irqreturn_t toe_irq(int irq, void *data)
{
	struct toe_vector *vector = data;
	struct toe_dev *dev = vector->dev;

	if (vector->index == 0)
		toe_admin_irq(&dev->admin);
	if (vector->index == dev->net_vector)
		toe_netdev_irq(dev);
	toe_ctx_irq(vector);
	return IRQ_HANDLED;
}

static void toe_irq_free(struct toe_dev *dev)
{
	unsigned int i;

	for (i = 0; i < dev->nvectors; i++)
		free_irq(dev->vectors[i].irq, &dev->vectors[i]);
	pci_free_irq_vectors(dev->pdev);
}

static int toe_irq_alloc(struct toe_dev *dev)
{
	struct toe_vector *vector;
	unsigned int i, most;
	int n, ret = 0;

	most = clamp(toe_readl(dev, TOE_REG_VECTORS), 1u, TOE_MSIX_VECTORS);
	most = clamp(vectors, 1u, most);
	n = pci_alloc_irq_vectors(dev->pdev, 1, most, PCI_IRQ_MSIX);
	if (n < 0) {
		dev_err(dev->device, "no MSI-X interrupt available (%d); the adapter has no other kind\n",
			n);
		return n;
	}
	dev->vectors = kcalloc(n, sizeof(*dev->vectors), GFP_KERNEL);
	if (!dev->vectors) {
		pci_free_irq_vectors(dev->pdev);
		return -ENOMEM;
	}
	for (i = 0; i < n; i++) {
		vector = &dev->vectors[i];
		vector->dev = dev;
		vector->index = i;
		vector->irq = pci_irq_vector(dev->pdev, i);
		spin_lock_init(&vector->lock);
		INIT_LIST_HEAD(&vector->ctxs);
		snprintf(vector->name, sizeof(vector->name), "%s-%s%u",
			 dev->name, i == 0 ? "admin" : i == 1 ? "net" : "ctx",
			 i);
	}
	for (i = 0; i < n; i++) {
		vector = &dev->vectors[i];
		ret = request_irq(vector->irq, toe_irq, 0, vector->name,
				  vector);
		if (ret)
			break;
	}
	/* The processors may be short of vectors: make do with fewer. */
	if (i < n) {
		dev_warn(dev->device, "only %u of %d interrupts available (%d)\n",
			 i, n, ret);
		if (!i) {
			pci_free_irq_vectors(dev->pdev);
			return ret;
		}
	}
	dev->nvectors = i;
	dev->net_vector = min(i - 1, 1u);
	return 0;
}

/* ---- Probe and removal -------------------------------------------------- */

static int toe_read_caps(struct toe_dev *dev)
{
	u32 magic = toe_readl(dev, TOE_REG_MAGIC);
	u64 doorbells = pci_resource_len(dev->pdev, TOE_BAR_DOORBELLS);
	u32 lo, hi;
	int i;

	if (magic != TOE_MAGIC) {
		dev_err(dev->device, "not a TOE adapter: magic %#x\n", magic);
		return -ENODEV;
	}
	dev->revision = toe_readl(dev, TOE_REG_REVISION);
	if (dev->revision >> 16 != TOE_REVISION_MAJOR) {
		dev_err(dev->device, "adapter revision %u.%u; this driver knows %u only: use one that fits\n",
			dev->revision >> 16, dev->revision & 0xffff,
			TOE_REVISION_MAJOR);
		return -ENODEV;
	}
	dev->caps = toe_readl(dev, TOE_REG_CAPS) |
		    (u64)toe_readl(dev, TOE_REG_CAPS_HI) << 32;
	dev->max_contexts = toe_readl(dev, TOE_REG_MAX_CONTEXTS);
	dev->max_conns = toe_readl(dev, TOE_REG_MAX_CONNS);
	dev->max_pages = toe_readl(dev, TOE_REG_MAX_PAGES);
	dev->max_queue_log2 = toe_readl(dev, TOE_REG_MAX_QUEUE_LOG2);
	dev->buflet_size = toe_readl(dev, TOE_REG_BUFLET_SIZE);
	dev->max_segment = toe_readl(dev, TOE_REG_MAX_SEGMENT);
	dev->mtu_max = toe_readl(dev, TOE_REG_MTU_MAX);
	lo = toe_readl(dev, TOE_REG_MAC_LO);
	hi = toe_readl(dev, TOE_REG_MAC_HI);
	for (i = 0; i < ETH_ALEN; i++)
		dev->perm_mac[i] = (i < 4 ? lo >> 8 * i : hi >> 8 * (i - 4));
	dev->max_contexts = min_t(u64, dev->max_contexts,
				  doorbells / TOE_DOORBELL_PAGE_SIZE);
	if (dev->max_contexts < 2 || dev->max_conns < 1 ||
	    dev->mtu_max < ETH_MIN_MTU) {
		dev_err(dev->device, "unusable adapter: %u contexts, %u connections, MTU %u\n",
			dev->max_contexts, dev->max_conns, dev->mtu_max);
		return -ENODEV;
	}
	return 0;
}

static struct toe_dev *toe_dev_new(struct pci_dev *pdev)
{
	struct toe_dev *dev;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return NULL;
	dev->index = ida_alloc(&toe_ida, GFP_KERNEL);
	if (dev->index < 0) {
		kfree(dev);
		return NULL;
	}
	kref_init(&dev->ref);
	dev->pdev = pdev;
	dev->device = &pdev->dev;
	snprintf(dev->name, sizeof(dev->name), TOE_DRV_NAME "%d", dev->index);
	init_rwsem(&dev->sem);
	mutex_init(&dev->stop_lock);
	mutex_init(&dev->tunables_lock);
	mutex_init(&dev->query_lock);
	mutex_init(&dev->ctx_lock);
	spin_lock_init(&dev->status_lock);
	xa_init_flags(&dev->ctxs, XA_FLAGS_ALLOC1);
	sema_init(&dev->drains, TOE_ADM_DRAINS);
	INIT_WORK(&dev->reset_work, toe_reset_work);
	dev->admin.event = toe_event;
	dev->admin.fatal = toe_fatal;
	dev->admin.stuck = toe_stuck;
	dev->status_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!dev->status_page) {
		toe_dev_put(dev);
		return NULL;
	}
	dev->status = page_address(dev->status_page);
	return dev;
}

static int toe_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct toe_dev *dev;
	int ret;

	dev = toe_dev_new(pdev);
	if (!dev)
		return -ENOMEM;
	ret = pci_enable_device_mem(pdev);
	if (ret)
		goto put;
	ret = pci_request_mem_regions(pdev, TOE_DRV_NAME);
	if (ret)
		goto disable;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		goto release;
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);

	ret = -ENOMEM;
	dev->regs = pci_iomap(pdev, TOE_BAR_REGS, TOE_BAR_REGS_SIZE);
	if (!dev->regs)
		goto release;
	ret = toe_read_caps(dev);
	if (ret)
		goto unmap_regs;
	ret = -ENOMEM;
	dev->doorbell_phys = pci_resource_start(pdev, TOE_BAR_DOORBELLS);
	dev->doorbell0 = pci_iomap(pdev, TOE_BAR_DOORBELLS,
				   TOE_DOORBELL_PAGE_SIZE);
	if (!dev->doorbell0)
		goto unmap_regs;
	dev->answer = dma_alloc_coherent(&pdev->dev, TOE_ANSWER_SIZE,
					 &dev->answer_dma, GFP_KERNEL);
	if (!dev->answer)
		goto unmap_doorbell;
	ret = toe_admin_alloc(&dev->admin, &pdev->dev, dev->regs);
	if (ret)
		goto free_answer;
	ret = -ENOMEM;
	dev->wq = alloc_workqueue("%s", WQ_UNBOUND, 256, dev->name);
	if (!dev->wq)
		goto free_admin;
	ret = toe_netdev_alloc(dev);
	if (ret)
		goto free_wq;

	/* A kernel before us (kexec, crash) may have left it running. */
	toe_hw_stop(dev);
	ret = toe_irq_alloc(dev);
	if (ret)
		goto free_netdev;
	pci_set_drvdata(pdev, dev);
	down_write(&dev->sem);
	ret = toe_hw_start(dev);
	up_write(&dev->sem);
	if (ret)
		goto stop;
	ret = toe_mirror_add(dev);
	if (ret)
		goto stop;
	ret = toe_netdev_register(dev);
	if (ret)
		goto del_mirror;
	ret = toe_chrdev_add(dev);
	if (ret)
		goto unregister;
	toe_debugfs_add(dev);
	toe_mirror_kick(dev);
	dev_info(&pdev->dev, "TOE adapter %u.%u: %s, /dev/%s, %u contexts, %u connections, %u interrupts\n",
		 dev->revision >> 16, dev->revision & 0xffff,
		 netdev_name(dev->netdev), dev->name, dev->max_contexts,
		 dev->max_conns, dev->nvectors);
	return 0;

unregister:
	toe_hw_end(dev);
	toe_netdev_unregister(dev);
del_mirror:
	/* Its interrupts come to an end before what they reach. */
	toe_hw_end(dev);
	toe_mirror_del(dev);
stop:
	toe_hw_end(dev);
	toe_irq_free(dev);
	/* Somebody may have been about to ask for it. */
	cancel_work_sync(&dev->reset_work);
free_netdev:
	toe_netdev_free(dev);
free_wq:
	destroy_workqueue(dev->wq);
free_admin:
	toe_admin_free(&dev->admin);
free_answer:
	dma_free_coherent(&pdev->dev, TOE_ANSWER_SIZE, dev->answer,
			  dev->answer_dma);
unmap_doorbell:
	pci_iounmap(pdev, dev->doorbell0);
unmap_regs:
	pci_iounmap(pdev, dev->regs);
release:
	pci_release_mem_regions(pdev);
disable:
	pci_disable_device(pdev);
put:
	toe_dev_put(dev);
	return ret;
}

static void toe_remove(struct pci_dev *pdev)
{
	struct toe_dev *dev = pci_get_drvdata(pdev);

	/* Everybody who waits comes out; nobody new gets in. */
	toe_hw_end(dev);

	toe_debugfs_del(dev);
	toe_chrdev_del(dev);
	toe_netdev_unregister(dev);
	toe_mirror_del(dev);
	down_write(&dev->sem);
	dev->state = TOE_DOWN;
	toe_status_epoch(dev);
	toe_status_link(dev, false);
	toe_ctx_kill_all(dev);
	up_write(&dev->sem);
	/* Contexts whose drain was cut short are freed here. */
	destroy_workqueue(dev->wq);
	toe_irq_free(dev);
	/* Somebody may have been about to ask for it. */
	cancel_work_sync(&dev->reset_work);
	toe_netdev_free(dev);
	toe_admin_free(&dev->admin);
	dma_free_coherent(&pdev->dev, TOE_ANSWER_SIZE, dev->answer,
			  dev->answer_dma);
	pci_iounmap(pdev, dev->doorbell0);
	pci_iounmap(pdev, dev->regs);
	pci_clear_master(pdev);
	pci_release_mem_regions(pdev);
	pci_disable_device(pdev);
	/* Open files may hold it longer. */
	toe_dev_put(dev);
}

/* Power-off, reboot or kexec: no DMA into what comes next. */
static void toe_shutdown(struct pci_dev *pdev)
{
	struct toe_dev *dev = pci_get_drvdata(pdev);

	toe_hw_end(dev);
	pci_clear_master(pdev);
}

/*
 * Function-level reset by the PCI core (sysfs "reset").  A reset of our own may
 * be under way; it must not start the adapter while the bus resets it.
 */
static void toe_reset_prepare(struct pci_dev *pdev)
{
	struct toe_dev *dev = pci_get_drvdata(pdev);

	mutex_lock(&dev->stop_lock);
	dev->held = true;
	mutex_unlock(&dev->stop_lock);
	toe_hw_stop(dev);
}

static void toe_reset_done(struct pci_dev *pdev)
{
	struct toe_dev *dev = pci_get_drvdata(pdev);

	mutex_lock(&dev->stop_lock);
	dev->held = false;
	mutex_unlock(&dev->stop_lock);
	toe_reset_request(dev, "function-level reset");
}

static const struct pci_error_handlers toe_err_handlers = {
	.reset_prepare = toe_reset_prepare,
	.reset_done = toe_reset_done,
};

static const struct pci_device_id toe_ids[] = {
	{ PCI_DEVICE(TOE_PCI_VENDOR_ID, TOE_PCI_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, toe_ids);

static struct pci_driver toe_driver = {
	.name = TOE_DRV_NAME,
	.id_table = toe_ids,
	.probe = toe_probe,
	.remove = toe_remove,
	.shutdown = toe_shutdown,
	.err_handler = &toe_err_handlers,
	.dev_groups = toe_dev_groups,
};

static int __init toe_init(void)
{
	int ret;

	toe_debugfs_init();
	ret = pci_register_driver(&toe_driver);
	if (ret)
		toe_debugfs_exit();
	return ret;
}
module_init(toe_init);

static void __exit toe_exit(void)
{
	pci_unregister_driver(&toe_driver);
	toe_debugfs_exit();
	toe_quota_exit();
	ida_destroy(&toe_ida);
}
module_exit(toe_exit);

MODULE_AUTHOR("The TOE project");
MODULE_DESCRIPTION("Driver of the TOE adapter: network interface and app-direct contexts");
MODULE_LICENSE("GPL");
