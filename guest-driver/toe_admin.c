// SPDX-License-Identifier: GPL-2.0-only
/*
 * toe_admin.c - the admin queue.
 *
 * Commands go to the adapter in a ring (AQ) and come back, in any order, in
 * another (ACQ), found by their tag.  This file knows how to send one, wait
 * for it and give up; what the commands mean is others' business.
 *
 * A tag is a slot number in the low byte and, above it, how often the slot was
 * used, so that a completion that the adapter sends twice hits nobody.  At
 * most TOE_ADM_SLOTS commands are on their way; a command that the adapter has
 * not fetched yet is one of them, so the AQ cannot overflow, and neither can
 * the ACQ.
 *
 * Giving up
 *  A command may name memory that its sender wants to free.  So a command that
 *  timed out is not just forgotten: the adapter is stopped first (stuck()),
 *  which ends all DMA, and toe_admin_abort() then fails everything that was on
 *  its way.  A sender therefore always gets its request back, and nothing of
 *  the adapter refers to it afterwards.
 */
#include <linux/delay.h>
#include <linux/errno.h>

#include "toe.h"

static unsigned int admin_ms = 5000;
module_param(admin_ms, uint, 0644);
MODULE_PARM_DESC(admin_ms, "time for one admin command before the adapter is reset, ms (default 5000)");

#define TOE_READY_MS		2000

/**
 * toe_admin_alloc() - make the rings
 * @adm: zeroed; event, fatal and stuck are set by the caller
 * @device: for DMA and messages
 * @regs: the registers, BAR 0
 *
 * Return: 0 or -ENOMEM.  Undone by toe_admin_free().
 */
int toe_admin_alloc(struct toe_admin *adm, struct device *device,
		    void __iomem *regs)
{
	adm->device = device;
	adm->regs = regs;
	spin_lock_init(&adm->lock);
	init_waitqueue_head(&adm->space);
	adm->aq = dma_alloc_coherent(device, sizeof(*adm->aq) * TOE_ADM_ENTRIES,
				     &adm->aq_dma, GFP_KERNEL);
	if (!adm->aq)
		return -ENOMEM;
	adm->acq = dma_alloc_coherent(device,
				      sizeof(*adm->acq) * TOE_ADM_ENTRIES,
				      &adm->acq_dma, GFP_KERNEL);
	if (!adm->acq) {
		dma_free_coherent(device, sizeof(*adm->aq) * TOE_ADM_ENTRIES,
				  adm->aq, adm->aq_dma);
		return -ENOMEM;
	}
	return 0;
}

/* Give the rings back.  The adapter is stopped and no command on its way. */
void toe_admin_free(struct toe_admin *adm)
{
	dma_free_coherent(adm->device, sizeof(*adm->acq) * TOE_ADM_ENTRIES,
			  adm->acq, adm->acq_dma);
	dma_free_coherent(adm->device, sizeof(*adm->aq) * TOE_ADM_ENTRIES,
			  adm->aq, adm->aq_dma);
}

/**
 * toe_admin_start() - hand the rings to an adapter that was just reset
 * @adm: the queue; nothing is on its way
 *
 * Return: 0; -EIO if the adapter does not accept them or does not answer.
 */
int toe_admin_start(struct toe_admin *adm)
{
	unsigned int waited;
	u32 status;

	memset(adm->aq, 0, sizeof(*adm->aq) * TOE_ADM_ENTRIES);
	memset(adm->acq, 0, sizeof(*adm->acq) * TOE_ADM_ENTRIES);
	spin_lock_irq(&adm->lock);
	adm->aq_tail = 0;
	adm->acq_head = 0;
	spin_unlock_irq(&adm->lock);

	writel(lower_32_bits(adm->aq_dma), adm->regs + TOE_REG_AQ_BASE_LO);
	writel(upper_32_bits(adm->aq_dma), adm->regs + TOE_REG_AQ_BASE_HI);
	writel(TOE_ADM_LOG2, adm->regs + TOE_REG_AQ_LOG2);
	writel(lower_32_bits(adm->acq_dma), adm->regs + TOE_REG_ACQ_BASE_LO);
	writel(upper_32_bits(adm->acq_dma), adm->regs + TOE_REG_ACQ_BASE_HI);
	writel(TOE_ADM_LOG2, adm->regs + TOE_REG_ACQ_LOG2);
	writel(TOE_CTL_ENABLE, adm->regs + TOE_REG_CONTROL);

	for (waited = 0;; waited++) {
		status = readl(adm->regs + TOE_REG_STATUS);
		if (status == ~0u) {
			dev_err(adm->device, "the adapter does not answer; it may have been unplugged\n");
			return -EIO;
		}
		if (status & TOE_STATUS_FATAL) {
			dev_err(adm->device, "the adapter refuses the admin queue: error %u\n",
				readl(adm->regs + TOE_REG_ERROR));
			return -EIO;
		}
		if (status & TOE_STATUS_READY)
			break;
		if (waited == TOE_READY_MS) {
			dev_err(adm->device, "the adapter did not become ready in %u ms: status %#x\n",
				TOE_READY_MS, status);
			return -EIO;
		}
		usleep_range(1000, 1500);
	}

	spin_lock_irq(&adm->lock);
	adm->up = true;
	spin_unlock_irq(&adm->lock);
	return 0;
}

/* Take request @slot out and report it.  Called with the lock held. */
static void toe_admin_end(struct toe_admin *adm, unsigned int slot, int error)
{
	struct toe_adm_req *req = adm->slot[slot];

	adm->slot[slot] = NULL;
	adm->in_use--;
	req->error = error;
	/*
	 * Whoever waits again finds it done.  From here on the sender may
	 * reuse req.
	 */
	complete_all(&req->done);
	wake_up(&adm->space);
}

/**
 * toe_admin_abort() - fail all commands, accept no more
 * @adm: the queue of an adapter that was stopped before this call
 */
void toe_admin_abort(struct toe_admin *adm)
{
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&adm->lock, flags);
	adm->up = false;
	for (i = 0; i < TOE_ADM_SLOTS; i++)
		if (adm->slot[i])
			toe_admin_end(adm, i, -EIO);
	wake_up_all(&adm->space);
	spin_unlock_irqrestore(&adm->lock, flags);
}

/* One completion or event, copied from the ring.  Lock held. */
static void toe_admin_take(struct toe_admin *adm,
			   const struct toe_hw_adm_cpl *cpl)
{
	unsigned int slot = cpl->tag & 0xff;
	struct toe_adm_req *req;

	if (cpl->event != TOE_ADM_EV_NONE) {
		adm->event(adm, cpl->event);
		return;
	}
	req = slot < TOE_ADM_SLOTS ? adm->slot[slot] : NULL;
	if (!req || adm->sequence[slot] != cpl->tag >> 8 ||
	    req->cmd.opcode != cpl->opcode) {
		dev_warn_ratelimited(adm->device, "admin completion nobody waits for: tag %#x, opcode %#x\n",
				     cpl->tag, cpl->opcode);
		return;
	}
	req->status = cpl->status;
	req->result = cpl->result;
	req->next = cpl->next;
	toe_admin_end(adm, slot, 0);
}

/**
 * toe_admin_irq() - take what the adapter has completed
 * @adm: the queue
 *
 * Called from the interrupt, and by a waiter that is about to give up.
 */
void toe_admin_irq(struct toe_admin *adm)
{
	struct toe_hw_adm_cpl *entry, cpl;
	unsigned long flags;
	u32 start;
	u8 phase;

	spin_lock_irqsave(&adm->lock, flags);
	start = adm->acq_head;
	/* At most one lap: whatever comes later raises its own interrupt. */
	while (adm->up && adm->acq_head - start < TOE_ADM_ENTRIES) {
		entry = &adm->acq[adm->acq_head & (TOE_ADM_ENTRIES - 1)];
		phase = adm->acq_head & TOE_ADM_ENTRIES ? 0 :
							  TOE_ADM_CPL_PHASE;
		if ((READ_ONCE(entry->flags) & TOE_ADM_CPL_PHASE) != phase)
			break;
		/* The rest of the entry is read after its phase bit. */
		dma_rmb();
		cpl = *entry;
		adm->acq_head++;
		toe_admin_take(adm, &cpl);
	}
	if (adm->up && adm->acq_head != start)
		writel(adm->acq_head, adm->regs + TOE_REG_ACQ_HEAD);
	else if (adm->up && readl(adm->regs + TOE_REG_STATUS) &
		 TOE_STATUS_FATAL)
		/* It says nothing because it has stopped. */
		adm->fatal(adm, readl(adm->regs + TOE_REG_ERROR));
	spin_unlock_irqrestore(&adm->lock, flags);
}

/* Queue it if there is room: true if that settled the matter, see *error. */
static bool toe_admin_try(struct toe_admin *adm, struct toe_adm_req *req,
			  int *error)
{
	unsigned long flags;
	unsigned int i;
	bool settled = true;

	spin_lock_irqsave(&adm->lock, flags);
	if (!adm->up) {
		*error = -EIO;
	} else if (adm->in_use == TOE_ADM_SLOTS) {
		settled = false;
	} else {
		for (i = 0; adm->slot[i]; i++)
			;
		adm->slot[i] = req;
		adm->in_use++;
		adm->sequence[i]++;
		req->cmd.tag = (u16)adm->sequence[i] << 8 | i;
		adm->aq[adm->aq_tail & (TOE_ADM_ENTRIES - 1)] = req->cmd;
		adm->aq_tail++;
		/* writel() orders the entry before the doorbell. */
		writel(adm->aq_tail, adm->regs + TOE_REG_AQ_TAIL);
		*error = 0;
	}
	spin_unlock_irqrestore(&adm->lock, flags);
	return settled;
}

/**
 * toe_admin_submit() - send a command, do not wait for it
 * @adm: the queue
 * @req: the command; the caller's, but the queue's until it is done
 *
 * May sleep for a free place.  After 0 the caller must see the request through
 * with toe_admin_wait() and toe_admin_finish().
 *
 * Return: 0; -EIO if the adapter is stopped; -ETIMEDOUT if no place came free.
 */
int toe_admin_submit(struct toe_admin *adm, struct toe_adm_req *req)
{
	int error = 0;

	init_completion(&req->done);
	req->error = 0;
	req->status = TOE_ST_OK;
	req->result = 0;
	req->next = 0;
	if (!wait_event_timeout(adm->space, toe_admin_try(adm, req, &error),
				msecs_to_jiffies(admin_ms) + 1)) {
		dev_err(adm->device, "the admin queue stays full\n");
		adm->stuck(adm);
		return -ETIMEDOUT;
	}
	return error;
}

/**
 * toe_admin_wait() - wait for a submitted command
 * @adm: the queue
 * @req: the command
 * @ms: how long
 *
 * Return: 0 if it is done (see req->error and req->status), -ETIMEDOUT if it
 * is still on its way.
 */
int toe_admin_wait(struct toe_admin *adm, struct toe_adm_req *req,
		   unsigned int ms)
{
	if (wait_for_completion_timeout(&req->done, msecs_to_jiffies(ms) + 1))
		return 0;
	/* Perhaps only the interrupt was lost. */
	toe_admin_irq(adm);
	if (!try_wait_for_completion(&req->done))
		return -ETIMEDOUT;
	dev_warn_ratelimited(adm->device, "an admin completion came without interrupt; check the MSI-X routing\n");
	return 0;
}

/**
 * toe_admin_finish() - wait for a submitted command, whatever it takes
 * @adm: the queue
 * @req: the command
 *
 * If it does not complete in time the adapter is stopped and will be reset.
 *
 * Return: 0; -EIO if the adapter was stopped; else by the command's status.
 */
int toe_admin_finish(struct toe_admin *adm, struct toe_adm_req *req)
{
	if (toe_admin_wait(adm, req, admin_ms)) {
		dev_err(adm->device, "admin command %#x did not complete in %u ms\n",
			req->cmd.opcode, admin_ms);
		adm->stuck(adm);
		wait_for_completion(&req->done);
		if (req->error)
			return -ETIMEDOUT;
	}
	if (req->error)
		return req->error;
	return toe_status_errno(req->status);
}

/**
 * toe_admin_exec() - send a command and wait for it
 * @adm: the queue
 * @req: the command; holds status, result and next afterwards
 *
 * Sleeps.  The caller holds toe_dev.sem.
 *
 * Return: as toe_admin_submit() and toe_admin_finish().
 */
int toe_admin_exec(struct toe_admin *adm, struct toe_adm_req *req)
{
	int ret = toe_admin_submit(adm, req);

	return ret ? ret : toe_admin_finish(adm, req);
}

/* The same for a command of which only success or failure matters. */
int toe_admin_simple(struct toe_admin *adm, const struct toe_hw_adm_cmd *cmd)
{
	struct toe_adm_req req = { .cmd = *cmd };

	return toe_admin_exec(adm, &req);
}

static const struct {
	int error;
	const char *text;
} toe_statuses[TOE_ST_MAX] = {
	[TOE_ST_OK]		= { 0, "success" },
	[TOE_ST_INVALID]	= { -EINVAL, "invalid field" },
	[TOE_ST_KEY]		= { -ENOENT, "no such memory key" },
	[TOE_ST_OWNER]		= { -EACCES, "another context's" },
	[TOE_ST_BOUNDS]		= { -ERANGE, "out of bounds" },
	[TOE_ST_ACCESS]		= { -EACCES, "direction not allowed" },
	[TOE_ST_HANDLE]		= { -ENOENT, "no such connection" },
	[TOE_ST_STATE]		= { -EBUSY, "not in this state" },
	[TOE_ST_PERM]		= { -EPERM, "right missing" },
	[TOE_ST_NOMEM]		= { -ENOMEM, "adapter's memory or tables full" },
	[TOE_ST_QUOTA]		= { -EDQUOT, "quota reached" },
	[TOE_ST_AGAIN]		= { -EAGAIN, "try again" },
	[TOE_ST_ADDRINUSE]	= { -EADDRINUSE, "address in use" },
	[TOE_ST_ADDRNOTAVAIL]	= { -EADDRNOTAVAIL, "address not available" },
	[TOE_ST_NOROUTE]	= { -ENETUNREACH, "no route" },
	[TOE_ST_UNREACH]	= { -EHOSTUNREACH, "unreachable" },
	[TOE_ST_REFUSED]	= { -ECONNREFUSED, "refused" },
	[TOE_ST_RESET]		= { -ECONNRESET, "reset by peer" },
	[TOE_ST_TIMEDOUT]	= { -ETIMEDOUT, "timed out" },
	[TOE_ST_ABORTED]	= { -ECONNABORTED, "aborted" },
	[TOE_ST_CLOSED]		= { -EPIPE, "closed" },
	[TOE_ST_DMA]		= { -EIO, "host memory did not answer" },
	[TOE_ST_BUSY]		= { -EBUSY, "busy" },
	[TOE_ST_TOOBIG]		= { -E2BIG, "too big" },
	[TOE_ST_LINKDOWN]	= { -ENETDOWN, "link down" },
};

/* TOE_ST_* as a negative errno; unknown ones are -EIO. */
int toe_status_errno(u8 status)
{
	return status < TOE_ST_MAX ? toe_statuses[status].error : -EIO;
}

/* TOE_ST_* in words, for messages. */
const char *toe_status_text(u8 status)
{
	return status < TOE_ST_MAX ? toe_statuses[status].text : "unknown";
}
