// SPDX-License-Identifier: GPL-2.0-only
/*
 * toe_ethtool.c - "ethtool IFACE", "ethtool -i", "ethtool -S".
 *
 * The statistics are the adapter's counters, all of them, under the names that
 * they have in toe_hw.h and everywhere else.
 */
#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "toe.h"
#include "toe_net.h"

static const char toe_counter_names[TOE_CTR_MAX][ETH_GSTRING_LEN] = {
#define TOE_COUNTER_NAME(NAME, name, text) #name,
	TOE_COUNTERS(TOE_COUNTER_NAME)
#undef TOE_COUNTER_NAME
};

static void toe_get_drvinfo(struct net_device *netdev,
			    struct ethtool_drvinfo *info)
{
	struct toe_net *net = netdev_priv(netdev);

	strscpy(info->driver, TOE_DRV_NAME, sizeof(info->driver));
	strscpy(info->bus_info, pci_name(net->dev->pdev),
		sizeof(info->bus_info));
	snprintf(info->fw_version, sizeof(info->fw_version), "%u.%u",
		 net->dev->revision >> 16, net->dev->revision & 0xffff);
}

static int toe_get_sset_count(struct net_device *netdev, int set)
{
	return set == ETH_SS_STATS ? TOE_CTR_MAX : -EOPNOTSUPP;
}

static void toe_get_strings(struct net_device *netdev, u32 set, u8 *data)
{
	if (set == ETH_SS_STATS)
		memcpy(data, toe_counter_names, sizeof(toe_counter_names));
}

static void toe_get_ethtool_stats(struct net_device *netdev,
				  struct ethtool_stats *stats, u64 *data)
{
	struct toe_net *net = netdev_priv(netdev);

	memset(data, 0, TOE_CTR_MAX * sizeof(*data));
	if (toe_enter(net->dev))
		return;
	if (toe_query_stats(net->dev, data, TOE_CTR_MAX))
		memset(data, 0, TOE_CTR_MAX * sizeof(*data));
	toe_leave(net->dev);
}

static int toe_get_link_ksettings(struct net_device *netdev,
				  struct ethtool_link_ksettings *ks)
{
	/* An emulated port is as fast as the machine. */
	ks->base.speed = SPEED_UNKNOWN;
	ks->base.duplex = DUPLEX_FULL;
	ks->base.port = PORT_OTHER;
	ks->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

static void toe_get_ringparam(struct net_device *netdev,
			      struct ethtool_ringparam *ring,
			      struct kernel_ethtool_ringparam *kernel_ring,
			      struct netlink_ext_ack *extack)
{
	ring->rx_pending = TOE_NET_BQ_LARGE;
	ring->rx_max_pending = TOE_NET_BQ_LARGE;
	ring->tx_pending = TOE_NET_RQ;
	ring->tx_max_pending = TOE_NET_RQ;
}

const struct ethtool_ops toe_ethtool_ops = {
	.get_drvinfo = toe_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = toe_get_sset_count,
	.get_strings = toe_get_strings,
	.get_ethtool_stats = toe_get_ethtool_stats,
	.get_link_ksettings = toe_get_link_ksettings,
	.get_ringparam = toe_get_ringparam,
	.get_ts_info = ethtool_op_get_ts_info,
};
