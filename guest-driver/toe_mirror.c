// SPDX-License-Identifier: GPL-2.0-only
/*
 * toe_mirror.c - the interface's addresses, routes and settings, as the
 * adapter has them.
 *
 * The adapter sends and receives by itself for the offloaded connections, so
 * it must know what "ip addr", "ip route", "ip neigh" and "ip link" say of our
 * interface.  Nothing has to be configured twice: whatever changes, one work
 * item is queued, which
 *	1. takes a picture of how things are in the kernel,
 *	2. compares it with what the adapter was told,
 *	3. tells the difference: first what went, then what came, so that a
 *	   changed entry is never there twice.
 * So the order and number of the kernel's events do not matter, and after a
 * reset the same work tells everything again (toe_mirror_forget()).  A
 * change that the adapter refuses is reported once and tried again with the
 * next one.
 *
 * An IPv6 address is told when duplicate address detection, which is the
 * kernel's, has let it pass, and taken back when that finds a duplicate.  Its
 * prefix makes no route: those that the kernel made of it are in its table.
 *
 * While the interface is down the adapter has no addresses and no routes.
 * Neighbours are resolved by the adapter; only permanent entries, set by the
 * administrator, are handed over.
 */
#include <linux/crc32.h>
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/notifier.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/arp.h>
#include <net/if_inet6.h>
#include <net/ipv6.h>
#include <net/ndisc.h>
#include <net/neighbour.h>
#include <net/netevent.h>

#include "toe.h"

#define TOE_MIRROR_MAX		2048	/* entries in all */
#define TOE_MIRROR_ROUTES	1024

enum toe_mirror_kind {			/* in the order in which they are told */
	TOE_MIRROR_ADDR,
	TOE_MIRROR_ROUTE,
	TOE_MIRROR_NEIGH,
	TOE_MIRROR_KINDS,
};

static const char * const toe_mirror_names[] = {
	"address", "route", "neighbour",
};

/* Compared as bytes: zeroed first, unused fields stay zero. */
struct toe_mirror_entry {
	u8 kind;
	u8 family;			/* TOE_AF_* */
	u8 prefix;
	u8 pad;
	u8 mac[ETH_ALEN];
	u8 pad2[2];
	u8 addr[16];			/* IPv4: the first four */
	u8 gateway[16];
	u32 metric;
};

struct toe_mirror_list {
	unsigned int n;
	struct toe_mirror_entry e[TOE_MIRROR_MAX];
};

struct toe_mirror_port {
	u64 mcast_hash;
	u32 mtu;
	u32 filter;
	u8 mac[ETH_ALEN];
	u8 pad[2];
};

struct toe_mirror {
	struct toe_dev *dev;
	struct work_struct work;
	struct notifier_block inetaddr;
	struct notifier_block netdevice;
	struct notifier_block netevent;
	struct toe_route_watch *routes;

	/* The work's alone, or under dev->sem for writing: */
	struct toe_mirror_list *told;	/* what the adapter has */
	struct toe_mirror_list *now;
	struct toe_mirror_list *failed;	/* refused, and that was reported */
	struct toe_mirror_port port;
	struct toe_route route[TOE_MIRROR_ROUTES];
};

/* ---- The picture -------------------------------------------------------- */

static struct toe_mirror_entry *toe_mirror_new(struct toe_mirror_list *list,
					       enum toe_mirror_kind kind,
					       u8 family)
{
	struct toe_mirror_entry *e;

	if (list->n == TOE_MIRROR_MAX)
		return NULL;
	e = &list->e[list->n++];
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	e->family = family;
	return e;
}

static bool toe_mirror_has(const struct toe_mirror_list *list,
			   const struct toe_mirror_entry *e)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		if (!memcmp(&list->e[i], e, sizeof(*e)))
			return true;
	return false;
}

static void toe_mirror_add_entry(struct toe_mirror_list *list,
				 const struct toe_mirror_entry *e)
{
	if (list->n < TOE_MIRROR_MAX)
		list->e[list->n++] = *e;
}

static void toe_mirror_del_entry(struct toe_mirror_list *list,
				 const struct toe_mirror_entry *e)
{
	unsigned int i;

	for (i = 0; i < list->n; i++) {
		if (!memcmp(&list->e[i], e, sizeof(*e))) {
			list->e[i] = list->e[--list->n];
			return;
		}
	}
}

/* rtnl is held. */
static void toe_mirror_get_addrs(struct toe_mirror *m)
{
	struct in_device *in = __in_dev_get_rtnl(m->dev->netdev);
	struct toe_mirror_entry *e;
	const struct in_ifaddr *ifa;

	if (!in)
		return;
	in_dev_for_each_ifa_rtnl(ifa, in) {
		e = toe_mirror_new(m->now, TOE_MIRROR_ADDR, TOE_AF_INET);
		if (!e)
			return;
		memcpy(e->addr, &ifa->ifa_local, sizeof(ifa->ifa_local));
		/* With a peer address the prefix is the peer's. */
		e->prefix = ifa->ifa_address == ifa->ifa_local ?
			    ifa->ifa_prefixlen : 32;
	}
}

#if IS_ENABLED(CONFIG_IPV6)
/* rtnl is held. */
static void toe_mirror_get_addrs6(struct toe_mirror *m)
{
	struct inet6_dev *in6 = __in6_dev_get(m->dev->netdev);
	const struct inet6_ifaddr *ifa;
	struct toe_mirror_entry *e;

	if (!in6 || !(m->dev->caps & TOE_CAP_IPV6))
		return;
	read_lock_bh(&in6->lock);
	list_for_each_entry(ifa, &in6->addr_list, if_list) {
		if (ifa->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))
			continue;
		e = toe_mirror_new(m->now, TOE_MIRROR_ADDR, TOE_AF_INET6);
		if (!e)
			break;
		memcpy(e->addr, &ifa->addr, sizeof(e->addr));
		e->prefix = ifa->prefix_len;
	}
	read_unlock_bh(&in6->lock);
}
#else
static void toe_mirror_get_addrs6(struct toe_mirror *m)
{
}
#endif

static void toe_mirror_get_neigh(struct neighbour *neigh, void *data)
{
	struct toe_mirror *m = data;
	struct toe_mirror_entry *e;

	if (neigh->dev != m->dev->netdev)
		return;
	read_lock(&neigh->lock);
	if (neigh->nud_state & NUD_PERMANENT) {
		e = toe_mirror_new(m->now, TOE_MIRROR_NEIGH,
				   neigh->tbl == &arp_tbl ? TOE_AF_INET
							  : TOE_AF_INET6);
		if (e) {
			memcpy(e->addr, neigh->primary_key,
			       neigh->tbl->key_len);
			memcpy(e->mac, neigh->ha, ETH_ALEN);
		}
	}
	read_unlock(&neigh->lock);
}

static void toe_mirror_get_neighs(struct toe_mirror *m)
{
	neigh_for_each(&arp_tbl, toe_mirror_get_neigh, m);
#if IS_ENABLED(CONFIG_IPV6)
	if (m->dev->caps & TOE_CAP_IPV6 && ipv6_mod_enabled())
		neigh_for_each(&nd_tbl, toe_mirror_get_neigh, m);
#endif
}

static void toe_mirror_get_routes(struct toe_mirror *m, u8 family)
{
	struct net_device *netdev = m->dev->netdev;
	struct toe_mirror_entry *e;
	int n, i;

	n = toe_routes_get(family, netdev->ifindex, m->route,
			   TOE_MIRROR_ROUTES);
	if (n < 0)
		netdev_warn(netdev, "the routes can't be read: %d; the adapter knows only its own networks\n",
			    n);
	for (i = 0; i < n; i++) {
		e = toe_mirror_new(m->now, TOE_MIRROR_ROUTE, family);
		if (!e)
			break;
		memcpy(e->addr, m->route[i].dst, sizeof(e->addr));
		memcpy(e->gateway, m->route[i].gateway, sizeof(e->gateway));
		e->prefix = m->route[i].prefix;
		e->metric = m->route[i].metric;
	}
}

/* rtnl is held. */
static void toe_mirror_get_port(struct toe_mirror *m,
				struct toe_mirror_port *port)
{
	struct net_device *netdev = m->dev->netdev;
	struct netdev_hw_addr *ha;

	memset(port, 0, sizeof(*port));
	port->mtu = netdev->mtu;
	memcpy(port->mac, netdev->dev_addr, ETH_ALEN);
	if (netdev->flags & IFF_UP)
		port->filter |= TOE_FILTER_UP;
	if (netdev->flags & IFF_PROMISC)
		port->filter |= TOE_FILTER_PROMISC;
	if (netdev->flags & IFF_ALLMULTI)
		port->filter |= TOE_FILTER_ALLMULTI;
	netif_addr_lock_bh(netdev);
	netdev_for_each_mc_addr(ha, netdev)
		port->mcast_hash |= BIT_ULL(~crc32_le(~0, ha->addr, ETH_ALEN) >>
					    26);
	/* Further unicast addresses: there is no filter for them. */
	if (!netdev_uc_empty(netdev))
		port->filter |= TOE_FILTER_PROMISC;
	netif_addr_unlock_bh(netdev);
}

static void toe_mirror_picture(struct toe_mirror *m,
			       struct toe_mirror_port *port)
{
	struct net_device *netdev = m->dev->netdev;
	const struct toe_mirror_entry *first;
	__be32 ipv4 = 0;
	bool up;

	m->now->n = 0;
	rtnl_lock();
	toe_netdev_link(m->dev);
	toe_mirror_get_port(m, port);
	up = netdev->flags & IFF_UP;
	if (up)
		toe_mirror_get_addrs(m);
	first = m->now->n ? &m->now->e[0] : NULL;
	if (first)
		memcpy(&ipv4, first->addr, sizeof(ipv4));
	toe_status_update(m->dev, (__force u32)ipv4, first ? first->prefix : 0);
	if (up)
		toe_mirror_get_addrs6(m);
	rtnl_unlock();
	if (!up)
		return;

	toe_mirror_get_routes(m, TOE_AF_INET);
	if (m->dev->caps & TOE_CAP_IPV6)
		toe_mirror_get_routes(m, TOE_AF_INET6);
	toe_mirror_get_neighs(m);
}

/* ---- Telling ------------------------------------------------------------ */

static int toe_mirror_tell(struct toe_mirror *m,
			   const struct toe_mirror_entry *e, bool add, u8 *st)
{
	struct toe_adm_req req = {};
	int ret;

	switch (e->kind) {
	case TOE_MIRROR_ADDR:
		req.cmd.opcode = add ? TOE_ADM_ADDR_ADD : TOE_ADM_ADDR_DEL;
		req.cmd.u.addr.family = e->family;
		req.cmd.u.addr.prefix = e->prefix;
		memcpy(req.cmd.u.addr.addr, e->addr, sizeof(e->addr));
		break;
	case TOE_MIRROR_ROUTE:
		req.cmd.opcode = add ? TOE_ADM_ROUTE_ADD : TOE_ADM_ROUTE_DEL;
		req.cmd.u.route.family = e->family;
		req.cmd.u.route.prefix = e->prefix;
		req.cmd.u.route.metric = e->metric;
		memcpy(req.cmd.u.route.dst, e->addr, sizeof(e->addr));
		memcpy(req.cmd.u.route.gateway, e->gateway,
		       sizeof(e->gateway));
		break;
	default:
		req.cmd.opcode = add ? TOE_ADM_NEIGH_ADD : TOE_ADM_NEIGH_DEL;
		req.cmd.u.neigh.family = e->family;
		memcpy(req.cmd.u.neigh.addr, e->addr, sizeof(e->addr));
		/* Deleted by address. */
		if (add)
			memcpy(req.cmd.u.neigh.mac, e->mac, ETH_ALEN);
		break;
	}
	ret = toe_admin_exec(&m->dev->admin, &req);
	*st = req.status;
	return ret;
}

static void toe_mirror_refused(struct toe_mirror *m,
			       const struct toe_mirror_entry *e, bool add,
			       u8 st)
{
	char addr[40];

	if (e->family == TOE_AF_INET6)
		snprintf(addr, sizeof(addr), "%pI6c", e->addr);
	else
		snprintf(addr, sizeof(addr), "%pI4", e->addr);
	netdev_warn(m->dev->netdev, "the adapter refuses to %s the %s %s/%u: %s\n",
		    add ? "add" : "remove", toe_mirror_names[e->kind], addr,
		    e->prefix, toe_status_text(st));
}

static void toe_mirror_tell_kind(struct toe_mirror *m, u8 kind, bool add)
{
	/* Iterate over a list that the telling does not change. */
	struct toe_mirror_list *from = add ? m->now : m->told;
	const struct toe_mirror_list *other = add ? m->told : m->now;
	struct toe_mirror_entry e;
	unsigned int i = 0;
	u8 st;
	int ret;

	while (i < from->n) {
		e = from->e[i];
		if (e.kind != kind || toe_mirror_has(other, &e)) {
			i++;
			continue;
		}
		ret = toe_mirror_tell(m, &e, add, &st);
		if (ret == -EIO || ret == -ETIMEDOUT)
			return;
		if (!add) {
			/* Takes its last entry to this place. */
			toe_mirror_del_entry(from, &e);
		} else if (!ret) {
			toe_mirror_add_entry(m->told, &e);
			toe_mirror_del_entry(m->failed, &e);
			i++;
		} else {
			i++;
		}
		if (ret && (!add || !toe_mirror_has(m->failed, &e))) {
			toe_mirror_refused(m, &e, add, st);
			if (add)
				toe_mirror_add_entry(m->failed, &e);
		}
	}
}

static void toe_mirror_tell_port(struct toe_mirror *m,
				 const struct toe_mirror_port *port)
{
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_PORT_SET,
		.u.port_set.mtu = port->mtu,
		.u.port_set.filter = port->filter,
		.u.port_set.mcast_hash = port->mcast_hash,
	};
	int ret;

	if (!memcmp(port, &m->port, sizeof(*port)))
		return;
	memcpy(cmd.u.port_set.mac, port->mac, ETH_ALEN);
	ret = toe_admin_simple(&m->dev->admin, &cmd);
	if (!ret)
		m->port = *port;
	else if (ret != -EIO && ret != -ETIMEDOUT)
		netdev_err(m->dev->netdev, "the adapter refuses MTU %u or MAC %pM: %d\n",
			   port->mtu, port->mac, ret);
}

static void toe_mirror_work(struct work_struct *work)
{
	struct toe_mirror *m = container_of(work, struct toe_mirror, work);
	struct toe_mirror_port port;
	int kind;

	if (READ_ONCE(m->dev->gone))
		return;
	toe_mirror_picture(m, &port);
	if (toe_enter(m->dev))
		return;
	for (kind = TOE_MIRROR_KINDS - 1; kind >= 0; kind--)
		toe_mirror_tell_kind(m, kind, false);
	toe_mirror_tell_port(m, &port);
	for (kind = 0; kind < TOE_MIRROR_KINDS; kind++)
		toe_mirror_tell_kind(m, kind, true);
	toe_leave(m->dev);
}

/**
 * toe_mirror_kick() - something may have changed
 * @dev: the adapter
 *
 * Any context.
 */
void toe_mirror_kick(struct toe_dev *dev)
{
	struct toe_mirror *m = READ_ONCE(dev->mirror);

	if (m && !READ_ONCE(dev->gone))
		queue_work(system_unbound_wq, &m->work);
}

/**
 * toe_mirror_forget() - the adapter has forgotten everything
 * @dev: the adapter, in reset; dev->sem is held for writing
 */
void toe_mirror_forget(struct toe_dev *dev)
{
	struct toe_mirror *m = dev->mirror;

	if (!m)
		return;
	m->told->n = 0;
	m->failed->n = 0;
	memset(&m->port, 0, sizeof(m->port));
}

/* ---- Events ------------------------------------------------------------- */

static int toe_mirror_inetaddr(struct notifier_block *nb, unsigned long event,
			       void *ptr)
{
	struct toe_mirror *m = container_of(nb, struct toe_mirror, inetaddr);
	const struct in_ifaddr *ifa = ptr;

	if (ifa->ifa_dev->dev == m->dev->netdev)
		toe_mirror_kick(m->dev);
	return NOTIFY_DONE;
}

static int toe_mirror_netdevice(struct notifier_block *nb, unsigned long event,
				void *ptr)
{
	struct toe_mirror *m = container_of(nb, struct toe_mirror, netdevice);

	if (netdev_notifier_info_to_dev(ptr) != m->dev->netdev)
		return NOTIFY_DONE;
	switch (event) {
	case NETDEV_UP:
	case NETDEV_DOWN:
	case NETDEV_CHANGE:
	case NETDEV_CHANGEMTU:
	case NETDEV_CHANGEADDR:
		toe_mirror_kick(m->dev);
	}
	return NOTIFY_DONE;
}

static int toe_mirror_netevent(struct notifier_block *nb, unsigned long event,
			       void *ptr)
{
	struct toe_mirror *m = container_of(nb, struct toe_mirror, netevent);
	const struct neighbour *neigh = ptr;

	if (event == NETEVENT_NEIGH_UPDATE && neigh->dev == m->dev->netdev &&
	    (neigh->tbl->family == AF_INET || neigh->tbl->family == AF_INET6))
		toe_mirror_kick(m->dev);
	return NOTIFY_DONE;
}

/* ---- Start and end ------------------------------------------------------ */

static void toe_mirror_free(struct toe_mirror *m)
{
	kvfree(m->told);
	kvfree(m->now);
	kvfree(m->failed);
	kvfree(m);
}

/**
 * toe_mirror_add() - start mirroring
 * @dev: the adapter, up, its interface not registered yet
 *
 * Return: 0 or -errno.  Undone by toe_mirror_del().
 */
int toe_mirror_add(struct toe_dev *dev)
{
	struct toe_mirror *m;
	int ret = -ENOMEM;

	m = kvzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	m->dev = dev;
	INIT_WORK(&m->work, toe_mirror_work);
	m->inetaddr.notifier_call = toe_mirror_inetaddr;
	m->netdevice.notifier_call = toe_mirror_netdevice;
	m->netevent.notifier_call = toe_mirror_netevent;
	m->told = kvzalloc(sizeof(*m->told), GFP_KERNEL);
	m->now = kvzalloc(sizeof(*m->now), GFP_KERNEL);
	m->failed = kvzalloc(sizeof(*m->failed), GFP_KERNEL);
	if (!m->told || !m->now || !m->failed)
		goto free;
	m->routes = toe_route_watch(&m->work, system_unbound_wq);
	if (IS_ERR(m->routes)) {
		ret = PTR_ERR(m->routes);
		goto free;
	}
	ret = register_inetaddr_notifier(&m->inetaddr);
	if (ret)
		goto unwatch;
	ret = register_netevent_notifier(&m->netevent);
	if (ret)
		goto unregister_inetaddr;
	ret = register_netdevice_notifier(&m->netdevice);
	if (ret)
		goto unregister_netevent;
	WRITE_ONCE(dev->mirror, m);
	return 0;

unregister_netevent:
	unregister_netevent_notifier(&m->netevent);
unregister_inetaddr:
	unregister_inetaddr_notifier(&m->inetaddr);
unwatch:
	toe_route_unwatch(m->routes);
	cancel_work_sync(&m->work);
free:
	toe_mirror_free(m);
	dev_err(dev->device, "addresses and routes can't be mirrored: %d\n",
		ret);
	return ret;
}

/**
 * toe_mirror_del() - end it
 * @dev: the adapter; gone is set, its interface unregistered, no interrupt
 *	 comes any more
 */
void toe_mirror_del(struct toe_dev *dev)
{
	struct toe_mirror *m = dev->mirror;

	unregister_netdevice_notifier(&m->netdevice);
	unregister_netevent_notifier(&m->netevent);
	unregister_inetaddr_notifier(&m->inetaddr);
	toe_route_unwatch(m->routes);
	WRITE_ONCE(dev->mirror, NULL);
	cancel_work_sync(&m->work);
	toe_mirror_free(m);
}
