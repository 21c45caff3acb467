// SPDX-License-Identifier: GPL-2.0-only
/*
 * toe_rings.c - the network interface's own context (number 0) and its rings.
 *
 * The kernel's interface uses the adapter as an application does: requests
 * (ETH_SEND) in, completions and frames (ETH_RECV) out, receive buffers posted
 * in advance.  What it has beyond an application are the rights to send raw
 * frames and to name memory by bus address (TOE_KEY_PHYS).
 *
 * Rings, context page and small receive buffers are one block of coherent
 * memory, registered as one region.  Small frames are copied out of the small
 * buffers, which are posted again at once.  Large buffers are page fragments
 * that become the sk_buff's own; a new one takes the place, and if there is no
 * memory for it the frame is dropped and the old one stays, so the ring never
 * runs dry.
 *
 * Interrupts come only when asked for (TOE_DB_CQ_ARM), so NAPI needs no
 * masking: it arms when it has nothing left to do, and the adapter interrupts
 * at once if something came in between.
 *
 * Frames are sent in one piece: without a checksum offload the stack offers
 * no scattered ones, and those that come nevertheless are made linear.
 */
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/skbuff.h>

#include "toe.h"
#include "toe_net.h"

#define TOE_NET_HEADROOM	(NET_SKB_PAD + NET_IP_ALIGN)
#define TOE_NET_STOP		4u	/* the queue rests below so many places */

static void toe_doorbell(struct toe_net *net, u32 reg, u32 value)
{
	writel(value, net->dev->doorbell0 + reg);
}

/* ---- Receive buffers ---------------------------------------------------- */

static int toe_rx_fill(struct toe_net *net, struct toe_net_rx *rx)
{
	struct device *device = net->dev->device;
	dma_addr_t addr;
	void *data;

	data = netdev_alloc_frag(net->truesize);
	if (!data)
		return -ENOMEM;
	addr = dma_map_single(device, data + TOE_NET_HEADROOM, net->large_size,
			      DMA_FROM_DEVICE);
	if (dma_mapping_error(device, addr)) {
		skb_free_frag(data);
		return -ENOMEM;
	}
	rx->data = data;
	rx->addr = addr;
	return 0;
}

static void toe_rx_empty(struct toe_net *net)
{
	unsigned int i;

	for (i = 0; i < TOE_NET_BQ_LARGE; i++) {
		if (!net->rx[i].data)
			continue;
		dma_unmap_single(net->dev->device, net->rx[i].addr,
				 net->large_size, DMA_FROM_DEVICE);
		skb_free_frag(net->rx[i].data);
		net->rx[i].data = NULL;
	}
}

static void toe_rx_post_small(struct toe_net *net, u32 id)
{
	struct toe_hw_buf *buf;

	buf = &net->bq_small[net->small_tail++ & (TOE_NET_BQ_SMALL - 1)];
	buf->key = net->key;
	buf->buf_id = id;
	buf->offset = TOE_NET_OFF_SMALL + id * TOE_NET_SMALL_SIZE;
}

static void toe_rx_post_large(struct toe_net *net, u32 id)
{
	struct toe_hw_buf *buf;

	buf = &net->bq_large[net->large_tail++ & (TOE_NET_BQ_LARGE - 1)];
	buf->key = TOE_KEY_PHYS;
	buf->buf_id = id;
	buf->offset = net->rx[id].addr;
}

/* Tell the adapter what was posted. */
static void toe_rx_publish(struct toe_net *net)
{
	/* The entries before the index, the index before the question. */
	dma_wmb();
	WRITE_ONCE(net->page->bq_small_tail, net->small_tail);
	WRITE_ONCE(net->page->bq_large_tail, net->large_tail);
	mb(); /* as said */
	if (READ_ONCE(net->page->bq_starved))
		toe_doorbell(net, TOE_DB_BQ, 0);
}

static struct sk_buff *toe_rx_small(struct toe_net *net, u32 id, u32 length)
{
	struct sk_buff *skb = napi_alloc_skb(&net->napi, length);

	if (skb)
		skb_put_data(skb, net->block + TOE_NET_OFF_SMALL +
			     id * TOE_NET_SMALL_SIZE, length);
	return skb;
}

static struct sk_buff *toe_rx_large(struct toe_net *net, u32 id, u32 length)
{
	struct toe_net_rx old = net->rx[id];
	struct sk_buff *skb;

	if (toe_rx_fill(net, &net->rx[id]))
		return NULL;
	dma_unmap_single(net->dev->device, old.addr, net->large_size,
			 DMA_FROM_DEVICE);
	skb = napi_build_skb(old.data, net->truesize);
	if (!skb) {
		skb_free_frag(old.data);
		return NULL;
	}
	skb_reserve(skb, TOE_NET_HEADROOM);
	skb_put(skb, length);
	return skb;
}

/* A frame came in.  False if the completion is nonsense. */
static bool toe_rx_frame(struct toe_net *net, const struct toe_hw_cqe *cqe)
{
	bool large = cqe->flags & TOE_CQE_F_LARGE;
	u32 id = cqe->u.recv.buf_id;
	u32 length = cqe->u.recv.length;
	struct sk_buff *skb;

	if (id >= (large ? TOE_NET_BQ_LARGE : TOE_NET_BQ_SMALL) ||
	    length > (large ? net->large_size : TOE_NET_SMALL_SIZE))
		return false;
	if (length < ETH_HLEN) {
		net->rx_errors++;
		skb = NULL;
	} else {
		skb = large ? toe_rx_large(net, id, length) :
			      toe_rx_small(net, id, length);
		if (!skb)
			net->rx_dropped++;
	}
	if (large)
		toe_rx_post_large(net, id);
	else
		toe_rx_post_small(net, id);
	if (skb) {
		skb->protocol = eth_type_trans(skb, net->netdev);
		dev_sw_netstats_rx_add(net->netdev, length);
		napi_gro_receive(&net->napi, skb);
	}
	return true;
}

/* ---- Sending ------------------------------------------------------------ */

static u32 toe_tx_room(struct toe_net *net)
{
	/* The places in tx_free are read after the index that covers them. */
	return TOE_NET_RQ -
	       (net->tx_taken - smp_load_acquire(&net->tx_returned));
}

/* ndo_start_xmit */
netdev_tx_t toe_rings_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	struct toe_net *net = netdev_priv(netdev);
	struct device *device = net->dev->device;
	struct toe_hw_req *req;
	struct toe_net_tx *tx;
	dma_addr_t addr;
	u16 place;

	if (unlikely(!toe_tx_room(net))) {
		netif_stop_queue(netdev);
		return NETDEV_TX_BUSY;
	}
	/* Frees the skb if it fails. */
	if (unlikely(eth_skb_pad(skb)))
		goto lost;
	if (unlikely(skb_linearize(skb)))
		goto drop;
	addr = dma_map_single(device, skb->data, skb->len, DMA_TO_DEVICE);
	if (unlikely(dma_mapping_error(device, addr)))
		goto drop;

	place = net->tx_free[net->tx_taken++ & (TOE_NET_RQ - 1)];
	tx = &net->tx[place];
	tx->skb = skb;
	tx->addr = addr;
	tx->length = skb->len;

	req = &net->rq[net->rq_tail & (TOE_NET_RQ - 1)];
	memset(req, 0, sizeof(*req));
	req->opcode = TOE_OP_ETH_SEND;
	req->npieces = 1;
	req->cookie = place;
	req->u.piece[0].key = TOE_KEY_PHYS;
	req->u.piece[0].length = skb->len;
	req->u.piece[0].offset = addr;
	skb_tx_timestamp(skb);
	netdev_sent_queue(netdev, skb->len);

	if (toe_tx_room(net) < TOE_NET_STOP) {
		netif_stop_queue(netdev);
		/* NAPI returns places, then looks whether it is stopped. */
		smp_mb();
		if (toe_tx_room(net) >= TOE_NET_STOP)
			netif_start_queue(netdev);
	}

	dma_wmb();
	WRITE_ONCE(net->page->rq_tail, ++net->rq_tail);
	/* The index before the question whether the adapter looks at it. */
	mb();
	if (!READ_ONCE(net->page->rq_looking))
		toe_doorbell(net, TOE_DB_RQ, 0);
	return NETDEV_TX_OK;

drop:
	dev_kfree_skb_any(skb);
lost:
	net->tx_errors++;
	return NETDEV_TX_OK;
}

static void toe_tx_release(struct toe_net *net, struct toe_net_tx *tx,
			   int budget)
{
	dma_unmap_single(net->dev->device, tx->addr, tx->length, DMA_TO_DEVICE);
	napi_consume_skb(tx->skb, budget);
	tx->skb = NULL;
}

/* A frame was sent.  False if the completion is nonsense. */
static bool toe_tx_done(struct toe_net *net, const struct toe_hw_cqe *cqe,
			int budget, unsigned int *bytes)
{
	struct toe_net_tx *tx;

	if (cqe->cookie >= TOE_NET_RQ || !net->tx[cqe->cookie].skb)
		return false;
	tx = &net->tx[cqe->cookie];
	*bytes += tx->length;
	if (cqe->status == TOE_ST_OK) {
		dev_sw_netstats_tx_add(net->netdev, 1, tx->length);
	} else {
		net->tx_errors++;
		if (net_ratelimit())
			netdev_warn(net->netdev, "frame of %u bytes not sent: %s\n",
				    tx->length, toe_status_text(cqe->status));
	}
	toe_tx_release(net, tx, budget);
	net->tx_free[net->tx_returned & (TOE_NET_RQ - 1)] = cqe->cookie;
	/* The place before the index that lets start_xmit take it. */
	smp_store_release(&net->tx_returned, net->tx_returned + 1);
	return true;
}

static void toe_tx_empty(struct toe_net *net)
{
	unsigned int i;

	for (i = 0; i < TOE_NET_RQ; i++)
		if (net->tx[i].skb)
			toe_tx_release(net, &net->tx[i], 0);
	netdev_reset_queue(net->netdev);
}

/* ---- Polling ------------------------------------------------------------ */

/**
 * toe_rings_poll() - NAPI: take completions
 * @napi: of the interface
 * @budget: most frames to receive
 *
 * Return: frames received; less than @budget: all done, interrupt armed.
 */
int toe_rings_poll(struct napi_struct *napi, int budget)
{
	struct toe_net *net = container_of(napi, struct toe_net, napi);
	unsigned int sent = 0, bytes = 0;
	u32 tail = READ_ONCE(net->page->cq_tail);
	const struct toe_hw_cqe *entry;
	struct toe_hw_cqe cqe;
	bool good = true;
	int received = 0;

	if (tail - net->cq_head > TOE_NET_CQ)
		good = false;
	/* The entries are read after the index that covers them. */
	dma_rmb();
	while (good && net->cq_head != tail && (!budget || received < budget)) {
		entry = &net->cq[net->cq_head & (TOE_NET_CQ - 1)];
		/* Netpoll (budget 0) may not receive. */
		if (entry->type == TOE_EV_ETH_RECV && !budget)
			break;
		cqe = *entry;
		net->cq_head++;
		switch (cqe.type) {
		case TOE_EV_ETH_RECV:
			good = toe_rx_frame(net, &cqe);
			received++;
			break;
		case TOE_EV_COMPLETION:
			good = toe_tx_done(net, &cqe, budget, &bytes);
			sent++;
			break;
		default:
			good = false;
		}
	}
	if (!good) {
		toe_reset_request(net->dev, "the network interface's completion queue is broken");
		napi_complete_done(napi, received);
		return budget ? min(received, budget - 1) : 0;
	}

	WRITE_ONCE(net->page->cq_head, net->cq_head);
	if (received)
		toe_rx_publish(net);
	else
		mb(); /* cq_head before the question, as in publish */
	if (READ_ONCE(net->page->cq_full))
		toe_doorbell(net, TOE_DB_CQ_SPACE, 0);
	if (sent) {
		netdev_completed_queue(net->netdev, sent, bytes);
		smp_mb(); /* places returned before: is it stopped? */
		if (netif_queue_stopped(net->netdev) &&
		    toe_tx_room(net) >= TOE_NET_STOP)
			netif_wake_queue(net->netdev);
	}
	if (received < budget && napi_complete_done(napi, received))
		toe_doorbell(net, TOE_DB_CQ_ARM, net->cq_head);
	return received;
}

/* ---- Up and down -------------------------------------------------------- */

static void toe_rings_ctx_destroy(struct toe_net *net)
{
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_CTX_DESTROY,
		.u.ctx_destroy.ctx = TOE_CTX_KERNEL,
	};
	int ret = toe_admin_simple(&net->dev->admin, &cmd);

	/* -EIO: it was stopped, and knows no context any more. */
	if (ret && ret != -EIO && ret != -ETIMEDOUT) {
		netdev_err(net->netdev, "the adapter does not let go of the rings: %d\n",
			   ret);
		net->dev->admin.stuck(&net->dev->admin);
	}
}

static int toe_rings_ctx_create(struct toe_net *net)
{
	struct toe_dev *dev = net->dev;
	struct toe_hw_adm_cmd create = {
		.opcode = TOE_ADM_CTX_CREATE,
		.u.ctx_create.ctx = TOE_CTX_KERNEL,
		.u.ctx_create.rights = TOE_RIGHT_ETH | TOE_RIGHT_PHYS,
		.u.ctx_create.vector = dev->net_vector,
	};
	struct toe_hw_adm_cmd queues = {
		.opcode = TOE_ADM_CTX_QUEUES,
		.u.ctx_queues.ctx = TOE_CTX_KERNEL,
		.u.ctx_queues.page = TOE_NET_OFF_PAGE,
		.u.ctx_queues.rq = TOE_NET_OFF_RQ,
		.u.ctx_queues.cq = TOE_NET_OFF_CQ,
		.u.ctx_queues.bq_small = TOE_NET_OFF_BQ_SMALL,
		.u.ctx_queues.bq_large = TOE_NET_OFF_BQ_LARGE,
		.u.ctx_queues.rq_log2 = TOE_NET_RQ_LOG2,
		.u.ctx_queues.cq_log2 = TOE_NET_CQ_LOG2,
		.u.ctx_queues.bq_small_log2 = TOE_NET_BQ_SMALL_LOG2,
		.u.ctx_queues.bq_large_log2 = TOE_NET_BQ_LARGE_LOG2,
		.u.ctx_queues.small_size = TOE_NET_SMALL_SIZE,
		.u.ctx_queues.large_size = net->large_size,
	};
	u32 i;
	int ret;

	ret = toe_admin_simple(&dev->admin, &create);
	if (ret)
		return ret;
	ret = toe_mem_register_dma(dev, TOE_CTX_KERNEL, net->block_dma,
				   PAGE_ALIGN(TOE_NET_BLOCK),
				   TOE_MEM_READ | TOE_MEM_WRITE, &net->key);
	if (ret)
		goto destroy;
	/* Posted before the adapter looks for the first time. */
	for (i = 0; i < TOE_NET_BQ_SMALL; i++)
		toe_rx_post_small(net, i);
	for (i = 0; i < TOE_NET_BQ_LARGE; i++)
		toe_rx_post_large(net, i);
	WRITE_ONCE(net->page->bq_small_tail, net->small_tail);
	WRITE_ONCE(net->page->bq_large_tail, net->large_tail);

	queues.u.ctx_queues.key = net->key;
	ret = toe_admin_simple(&dev->admin, &queues);
	if (ret)
		goto destroy;
	return 0;

destroy:
	toe_rings_ctx_destroy(net);
	return ret;
}

static void toe_rings_free(struct toe_net *net)
{
	toe_rx_empty(net);
	dma_free_coherent(net->dev->device, PAGE_ALIGN(TOE_NET_BLOCK),
			  net->block, net->block_dma);
	net->block = NULL;
}

/**
 * toe_rings_up() - create context 0 with rings for the present MTU
 * @net: the interface; rtnl and dev->sem are held, the adapter is up
 *
 * Return: 0, then frames come and may be sent; or -errno.
 */
int toe_rings_up(struct toe_net *net)
{
	u32 i;
	int ret;

	BUILD_BUG_ON(TOE_NET_CQ <
		     TOE_NET_RQ + TOE_NET_BQ_SMALL + TOE_NET_BQ_LARGE);
	net->large_size = net->netdev->mtu + VLAN_ETH_HLEN;
	net->truesize = SKB_DATA_ALIGN(TOE_NET_HEADROOM + net->large_size) +
			SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	net->block = dma_alloc_coherent(net->dev->device,
					PAGE_ALIGN(TOE_NET_BLOCK),
					&net->block_dma, GFP_KERNEL);
	if (!net->block)
		return -ENOMEM;
	net->page = net->block + TOE_NET_OFF_PAGE;
	net->rq = net->block + TOE_NET_OFF_RQ;
	net->cq = net->block + TOE_NET_OFF_CQ;
	net->bq_small = net->block + TOE_NET_OFF_BQ_SMALL;
	net->bq_large = net->block + TOE_NET_OFF_BQ_LARGE;
	net->rq_tail = 0;
	net->cq_head = 0;
	net->small_tail = 0;
	net->large_tail = 0;
	net->tx_taken = 0;
	net->tx_returned = 0;
	for (i = 0; i < TOE_NET_RQ; i++)
		net->tx_free[i] = i;
	for (i = 0; i < TOE_NET_BQ_LARGE; i++) {
		ret = toe_rx_fill(net, &net->rx[i]);
		if (ret)
			goto free;
	}
	ret = toe_rings_ctx_create(net);
	if (ret)
		goto free;
	napi_enable(&net->napi);
	WRITE_ONCE(net->running, true);
	/* The first poll arms the interrupt. */
	local_bh_disable();
	napi_schedule(&net->napi);
	local_bh_enable();
	netif_start_queue(net->netdev);
	return 0;

free:
	toe_rings_free(net);
	return ret;
}

/**
 * toe_rings_down() - destroy context 0, free the rings
 * @net: the interface, up; rtnl and dev->sem are held; the adapter may have
 *	 been stopped
 *
 * Frames that were not sent yet are dropped.
 */
void toe_rings_down(struct toe_net *net)
{
	WRITE_ONCE(net->running, false);
	/* First who wakes the transmit queue, then the queue. */
	napi_disable(&net->napi);
	netif_tx_disable(net->netdev);
	toe_rings_ctx_destroy(net);
	toe_tx_empty(net);
	toe_rings_free(net);
}
