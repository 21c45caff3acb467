// SPDX-License-Identifier: GPL-2.0-only
/*
 * toe_netdev.c - the kernel's ordinary network interface on the port.
 *
 * Everything that is not an offloaded connection's comes and goes here: DHCP,
 * ping, ssh.  This file has what the kernel calls; the rings are in
 * toe_rings.c.  They exist while the interface is up; a new MTU rebuilds them
 * with buffers that fit.
 *
 * The interface stays in the initial network namespace: its addresses and
 * routes are the adapter's, and those of another namespace would not be what
 * the applications see.
 */
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/version.h>

#include "toe.h"
#include "toe_net.h"

#define TOE_NET_TIMEOUT		(10 * HZ)

static int toe_open(struct net_device *netdev)
{
	struct toe_net *net = netdev_priv(netdev);
	struct toe_dev *dev = net->dev;
	int ret;

	ret = toe_enter(dev);
	if (ret)
		return ret;
	ret = toe_rings_up(net);
	toe_leave(dev);
	if (ret) {
		netdev_err(netdev, "can't be brought up: %d\n", ret);
		return ret;
	}
	toe_mirror_kick(dev);
	return 0;
}

static int toe_stop(struct net_device *netdev)
{
	struct toe_net *net = netdev_priv(netdev);

	/* Also when the adapter is down: the rings are ours to free. */
	down_read(&net->dev->sem);
	if (net->running)
		toe_rings_down(net);
	up_read(&net->dev->sem);
	toe_mirror_kick(net->dev);
	return 0;
}

static int toe_change_mtu(struct net_device *netdev, int mtu)
{
	struct toe_net *net = netdev_priv(netdev);
	unsigned int old = netdev->mtu;
	int ret = 0;

	if (!netif_running(netdev)) {
		WRITE_ONCE(netdev->mtu, mtu);
		return 0;
	}
	ret = toe_enter(net->dev);
	if (ret)
		return ret;
	if (net->running)
		toe_rings_down(net);
	WRITE_ONCE(netdev->mtu, mtu);
	ret = toe_rings_up(net);
	if (ret) {
		netdev_err(netdev, "no rings for MTU %d: %d; back to %u\n", mtu,
			   ret, old);
		WRITE_ONCE(netdev->mtu, old);
		if (toe_rings_up(net))
			toe_reset_request(net->dev,
					  "the network interface lost its rings");
	}
	toe_leave(net->dev);
	/* The adapter learns of it by the mirror, on NETDEV_CHANGEMTU. */
	return ret;
}

static void toe_set_rx_mode(struct net_device *netdev)
{
	struct toe_net *net = netdev_priv(netdev);

	toe_mirror_kick(net->dev);
}

static void toe_tx_timeout(struct net_device *netdev, unsigned int queue)
{
	struct toe_net *net = netdev_priv(netdev);

	net->tx_errors++;
	toe_reset_request(net->dev, "frames of the network interface are stuck");
}

static void toe_get_stats64(struct net_device *netdev,
			    struct rtnl_link_stats64 *stats)
{
	struct toe_net *net = netdev_priv(netdev);

	dev_fetch_sw_netstats(stats, netdev->tstats);
	stats->tx_errors = READ_ONCE(net->tx_errors);
	stats->rx_errors = READ_ONCE(net->rx_errors);
	stats->rx_dropped = READ_ONCE(net->rx_dropped);
}

static const struct net_device_ops toe_netdev_ops = {
	.ndo_open = toe_open,
	.ndo_stop = toe_stop,
	.ndo_start_xmit = toe_rings_xmit,
	.ndo_change_mtu = toe_change_mtu,
	.ndo_set_rx_mode = toe_set_rx_mode,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_tx_timeout = toe_tx_timeout,
	.ndo_get_stats64 = toe_get_stats64,
};

/* Is it an interface of this driver? */
bool toe_netdev_is(const struct net_device *netdev)
{
	return netdev->netdev_ops == &toe_netdev_ops;
}

/**
 * toe_netdev_alloc() - make the interface, not visible yet
 * @dev: the adapter; its capabilities are read
 *
 * Return: 0 or -ENOMEM.  Undone by toe_netdev_free().
 */
int toe_netdev_alloc(struct toe_dev *dev)
{
	struct net_device *netdev;
	struct toe_net *net;

	netdev = alloc_etherdev(sizeof(*net));
	if (!netdev)
		return -ENOMEM;
	netdev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	if (!netdev->tstats) {
		free_netdev(netdev);
		return -ENOMEM;
	}
	net = netdev_priv(netdev);
	net->dev = dev;
	net->netdev = netdev;
	SET_NETDEV_DEV(netdev, dev->device);
	netdev->netdev_ops = &toe_netdev_ops;
	netdev->ethtool_ops = &toe_ethtool_ops;
	netdev->watchdog_timeo = TOE_NET_TIMEOUT;
	netdev->min_mtu = ETH_MIN_MTU;
	netdev->max_mtu = min_t(u32, dev->mtu_max, 16384);
	netdev->mtu = min_t(u32, ETH_DATA_LEN, netdev->max_mtu);
	netdev->features |= NETIF_F_HIGHDMA;
#if defined(TOE_NETNS_IMMUTABLE)
	netdev->netns_immutable = true;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	netdev->netns_local = true;
#else
	netdev->features |= NETIF_F_NETNS_LOCAL;
#endif
	netdev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	eth_hw_addr_set(netdev, dev->perm_mac);
	memcpy(netdev->perm_addr, dev->perm_mac, ETH_ALEN);
	if (!is_valid_ether_addr(netdev->dev_addr)) {
		dev_warn(dev->device, "the adapter has no valid MAC; taking a random one\n");
		eth_hw_addr_random(netdev);
	}
	netif_napi_add(netdev, &net->napi, toe_rings_poll);
	netif_carrier_off(netdev);
	dev->netdev = netdev;
	toe_status_update(dev, 0, 0);
	return 0;
}

int toe_netdev_register(struct toe_dev *dev)
{
	int ret = register_netdev(dev->netdev);

	if (ret)
		dev_err(dev->device, "the network interface can't be registered: %d\n",
			ret);
	else
		dev->ifindex = dev->netdev->ifindex;
	return ret;
}

void toe_netdev_unregister(struct toe_dev *dev)
{
	unregister_netdev(dev->netdev);
}

void toe_netdev_free(struct toe_dev *dev)
{
	struct toe_net *net = netdev_priv(dev->netdev);

	netif_napi_del(&net->napi);
	free_percpu(dev->netdev->tstats);
	free_netdev(dev->netdev);
	dev->netdev = NULL;
}

/* Interrupt of the interface's vector. */
void toe_netdev_irq(struct toe_dev *dev)
{
	struct toe_net *net = netdev_priv(dev->netdev);

	if (READ_ONCE(net->running))
		napi_schedule_irqoff(&net->napi);
}

/* The link may have changed.  Called in process context. */
void toe_netdev_link(struct toe_dev *dev)
{
	bool up = toe_readl(dev, TOE_REG_STATUS) & TOE_STATUS_LINK;

	if (up && !netif_carrier_ok(dev->netdev))
		netif_carrier_on(dev->netdev);
	else if (!up && netif_carrier_ok(dev->netdev))
		netif_carrier_off(dev->netdev);
	toe_status_link(dev, up);
}

/* Reset, before: the adapter was stopped; rtnl and dev->sem are held. */
void toe_netdev_reset_down(struct toe_dev *dev)
{
	struct toe_net *net = netdev_priv(dev->netdev);

	if (net->running)
		toe_rings_down(net);
}

/* Reset, after: the adapter is up again. */
void toe_netdev_reset_up(struct toe_dev *dev)
{
	struct toe_net *net = netdev_priv(dev->netdev);
	int ret;

	if (!netif_running(dev->netdev))
		return;
	ret = toe_rings_up(net);
	if (ret)
		netdev_err(dev->netdev, "no rings after the reset: %d; set the interface down and up\n",
			   ret);
	else
		netif_trans_update(dev->netdev);
}
