/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * toe_net.h - the network interface: what toe_netdev.c (the kernel's side) and
 * toe_rings.c (the adapter's side) share.
 */
#ifndef TOE_NET_H
#define TOE_NET_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "toe.h"

#define TOE_NET_RQ_LOG2		8u
#define TOE_NET_BQ_SMALL_LOG2	8u
#define TOE_NET_BQ_LARGE_LOG2	8u
#define TOE_NET_CQ_LOG2		10u	/* all of the above at once, and more */
#define TOE_NET_RQ		(1u << TOE_NET_RQ_LOG2)
#define TOE_NET_CQ		(1u << TOE_NET_CQ_LOG2)
#define TOE_NET_BQ_SMALL	(1u << TOE_NET_BQ_SMALL_LOG2)
#define TOE_NET_BQ_LARGE	(1u << TOE_NET_BQ_LARGE_LOG2)
#define TOE_NET_SMALL_SIZE	TOE_SMALL_MIN

/* The memory of context 0, one coherent block: offsets of its parts. */
#define TOE_NET_OFF_PAGE	0u
#define TOE_NET_OFF_RQ		4096u
#define TOE_NET_OFF_CQ		(TOE_NET_OFF_RQ + \
				 TOE_NET_RQ * sizeof(struct toe_hw_req))
#define TOE_NET_OFF_BQ_SMALL	(TOE_NET_OFF_CQ + \
				 TOE_NET_CQ * sizeof(struct toe_hw_cqe))
#define TOE_NET_OFF_BQ_LARGE	(TOE_NET_OFF_BQ_SMALL + \
				 TOE_NET_BQ_SMALL * sizeof(struct toe_hw_buf))
#define TOE_NET_OFF_SMALL	(TOE_NET_OFF_BQ_LARGE + \
				 TOE_NET_BQ_LARGE * sizeof(struct toe_hw_buf))
#define TOE_NET_BLOCK		(TOE_NET_OFF_SMALL + \
				 TOE_NET_BQ_SMALL * TOE_NET_SMALL_SIZE)

struct toe_net_tx {			/* one frame on its way out */
	struct sk_buff *skb;		/* NULL: free */
	dma_addr_t addr;
	u32 length;
};

struct toe_net_rx {			/* one large receive buffer */
	void *data;			/* with headroom before the frame */
	dma_addr_t addr;		/* of the frame */
};

struct toe_net {
	struct toe_dev *dev;
	struct net_device *netdev;
	struct napi_struct napi;
	bool running;			/* rings are there; under rtnl */
	bool napi_on;

	void *block;			/* TOE_NET_BLOCK bytes */
	dma_addr_t block_dma;
	u32 key;
	struct toe_hw_ctx_page *page;
	struct toe_hw_req *rq;
	struct toe_hw_cqe *cq;
	struct toe_hw_buf *bq_small;
	struct toe_hw_buf *bq_large;

	/* Sending: start_xmit adds under the queue's lock, NAPI removes. */
	u32 rq_tail;
	struct toe_net_tx tx[TOE_NET_RQ];
	u16 tx_free[TOE_NET_RQ];	/* ring of free places in tx[] */
	u32 tx_taken;			/* start_xmit's index into tx_free */
	u32 tx_returned;		/* NAPI's; their difference: in use */

	/* Receiving: NAPI only. */
	u32 cq_head;
	u32 small_tail;
	u32 large_tail;
	u32 large_size;			/* largest frame */
	u32 truesize;			/* of a large buffer's memory */
	struct toe_net_rx rx[TOE_NET_BQ_LARGE];

	u64 tx_errors;
	u64 rx_errors;
	u64 rx_dropped;
};

int toe_rings_up(struct toe_net *net);
void toe_rings_down(struct toe_net *net);
netdev_tx_t toe_rings_xmit(struct sk_buff *skb, struct net_device *netdev);
int toe_rings_poll(struct napi_struct *napi, int budget);

#endif /* TOE_NET_H */
