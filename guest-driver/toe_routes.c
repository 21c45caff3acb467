// SPDX-License-Identifier: GPL-2.0-only
/*
 * toe_routes.c - which routes lead through an interface.
 *
 * The kernel's FIB notifier reports, of several routes to one destination,
 * only the best.  A machine with two network cards has two default routes, and
 * the adapter needs the one through its own port even if the kernel prefers
 * the other.  So we ask as "ip route" does, over rtnetlink, with sockets of
 * our own: one that hears of changes, and one for each question.
 *
 * The kernel says the same way when an IPv6 address has passed duplicate
 * address detection, of which no notifier tells; so the first socket hears
 * of IPv6 addresses too.
 *
 * Only the initial network namespace is looked at; our interface can't leave
 * it (toe_netdev.c).
 */
#include <linux/inetdevice.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <net/ip_fib.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/rtnh.h>
#include <net/sock.h>

#include "toe.h"

#define TOE_NL_BUFFER		32768
#define TOE_NL_TIMEOUT		(5 * HZ)

struct toe_route_watch {
	struct socket *sock;
	struct work_struct *work;
	struct workqueue_struct *wq;
};

/* A route changed.  What changed is not looked at: all are read again. */
static void toe_route_ready(struct sock *sk)
{
	struct toe_route_watch *watch;
	struct sk_buff *skb;

	read_lock_bh(&sk->sk_callback_lock);
	watch = sk->sk_user_data;
	if (watch) {
		while ((skb = skb_dequeue(&sk->sk_receive_queue)))
			kfree_skb(skb);
		queue_work(watch->wq, watch->work);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

/**
 * toe_route_watch() - have work queued whenever a route changes, or
 *		      an IPv6 address
 * @work: the work
 * @wq: where to queue it
 *
 * Return: the watch, or ERR_PTR.  Ended by toe_route_unwatch().
 */
struct toe_route_watch *toe_route_watch(struct work_struct *work,
					struct workqueue_struct *wq)
{
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_groups = 1u << (RTNLGRP_IPV4_ROUTE - 1) |
			     1u << (RTNLGRP_IPV6_ROUTE - 1) |
			     1u << (RTNLGRP_IPV6_IFADDR - 1),
	};
	struct toe_route_watch *watch;
	int ret;

	watch = kzalloc(sizeof(*watch), GFP_KERNEL);
	if (!watch)
		return ERR_PTR(-ENOMEM);
	watch->work = work;
	watch->wq = wq;
	ret = sock_create_kern(&init_net, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE,
			       &watch->sock);
	if (ret)
		goto fail;
	write_lock_bh(&watch->sock->sk->sk_callback_lock);
	watch->sock->sk->sk_user_data = watch;
	watch->sock->sk->sk_data_ready = toe_route_ready;
	write_unlock_bh(&watch->sock->sk->sk_callback_lock);
	ret = kernel_bind(watch->sock, (struct sockaddr *)&addr, sizeof(addr));
	if (ret)
		goto fail_sock;
	return watch;

fail_sock:
	sock_release(watch->sock);
fail:
	kfree(watch);
	return ERR_PTR(ret);
}

/* No work is queued after this; what was queued may still run. */
void toe_route_unwatch(struct toe_route_watch *watch)
{
	struct sock *sk = watch->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = NULL;
	write_unlock_bh(&sk->sk_callback_lock);
	sock_release(watch->sock);
	kfree(watch);
}

/* The next hop of a multipath route that is ours. */
static const struct rtnexthop *toe_route_hop(const struct nlattr *multipath,
					     int ifindex)
{
	const struct rtnexthop *hop = nla_data(multipath);
	int left = nla_len(multipath);

	while (rtnh_ok(hop, left)) {
		if (hop->rtnh_ifindex == ifindex &&
		    !(hop->rtnh_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)))
			return hop;
		hop = rtnh_next(hop, &left);
	}
	return NULL;
}

static int toe_route_family(u8 family)
{
	return family == TOE_AF_INET6 ? AF_INET6 : AF_INET;
}

/* Translate one RTM_NEWROUTE.  True if it leads through @ifindex. */
static bool toe_route_parse(const struct nlmsghdr *nlh, u8 family, int ifindex,
			    struct toe_route *route)
{
	int alen = family == TOE_AF_INET6 ? 16 : 4;
	const struct rtmsg *rtm = nlmsg_data(nlh);
	struct nlattr *tb[RTA_MAX + 1];
	const struct nlattr *gateway;
	const struct rtnexthop *hop;
	u32 table;

	if (nlmsg_parse_deprecated(nlh, sizeof(*rtm), tb, RTA_MAX, NULL, NULL))
		return false;
	table = tb[RTA_TABLE] ? nla_get_u32(tb[RTA_TABLE]) : rtm->rtm_table;
	if (rtm->rtm_family != toe_route_family(family) ||
	    rtm->rtm_type != RTN_UNICAST || table != RT_TABLE_MAIN ||
	    rtm->rtm_dst_len > alen * 8 || rtm->rtm_src_len || rtm->rtm_tos || rtm->rtm_flags & (RTNH_F_DEAD | RTM_F_CLONED))
		return false;

	gateway = tb[RTA_GATEWAY];
	if (tb[RTA_MULTIPATH]) {
		hop = toe_route_hop(tb[RTA_MULTIPATH], ifindex);
		if (!hop)
			return false;
		gateway = nla_find(rtnh_attrs(hop), rtnh_attrlen(hop),
				   RTA_GATEWAY);
	} else if (!tb[RTA_OIF] || nla_get_u32(tb[RTA_OIF]) != ifindex) {
		return false;
	}
	/* A gateway of the other family is none that the adapter can use. */
	if (tb[RTA_VIA])
		return false;

	memset(route, 0, sizeof(*route));
	route->family = family;
	route->prefix = rtm->rtm_dst_len;
	if (tb[RTA_DST])
		nla_memcpy(route->dst, tb[RTA_DST], alen);
	if (gateway)
		nla_memcpy(route->gateway, gateway, alen);
	if (tb[RTA_PRIORITY])
		route->metric = nla_get_u32(tb[RTA_PRIORITY]);
	return true;
}

/**
 * toe_routes_get() - the main table's routes through an interface
 * @family: TOE_AF_*
 * @ifindex: the interface, in the initial namespace
 * @routes: filled
 * @max: how many fit there
 *
 * Sleeps and takes rtnl_mutex.
 *
 * Return: number of routes, more than @max are left out; or -errno.
 */
int toe_routes_get(u8 family, int ifindex, struct toe_route *routes, int max)
{
	struct {
		struct nlmsghdr nlh;
		struct rtmsg rtm;
	} ask = {
		.nlh.nlmsg_len = sizeof(ask),
		.nlh.nlmsg_type = RTM_GETROUTE,
		.nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.nlh.nlmsg_seq = 1,
		.rtm.rtm_family = toe_route_family(family),
		.rtm.rtm_table = RT_TABLE_MAIN,
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr msg = {
		.msg_name = &kernel,
		.msg_namelen = sizeof(kernel),
	};
	struct kvec vec = { .iov_base = &ask, .iov_len = sizeof(ask) };
	const struct nlmsghdr *nlh;
	struct socket *sock;
	bool done = false;
	int n = 0, ret, one = 1;
	void *buf;

	buf = kmalloc(TOE_NL_BUFFER, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	ret = sock_create_kern(&init_net, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE,
			       &sock);
	if (ret)
		goto free;
	/* Have the kernel filter by table; without it we only get more. */
	sock->ops->setsockopt(sock, SOL_NETLINK, NETLINK_GET_STRICT_CHK,
			      KERNEL_SOCKPTR(&one), sizeof(one));
	sock->sk->sk_rcvtimeo = TOE_NL_TIMEOUT;
	ret = kernel_sendmsg(sock, &msg, &vec, 1, sizeof(ask));
	while (ret >= 0 && !done) {
		memset(&msg, 0, sizeof(msg));
		vec.iov_base = buf;
		vec.iov_len = TOE_NL_BUFFER;
		ret = kernel_recvmsg(sock, &msg, &vec, 1, TOE_NL_BUFFER, 0);
		if (ret <= 0)
			break;
		for (nlh = buf; nlmsg_ok(nlh, ret);
		     nlh = nlmsg_next(nlh, &ret)) {
			if (nlh->nlmsg_type == NLMSG_DONE ||
			    nlh->nlmsg_type == NLMSG_ERROR) {
				done = true;
				break;
			}
			if (nlh->nlmsg_type == RTM_NEWROUTE && n < max &&
			    toe_route_parse(nlh, family, ifindex,
					    &routes[n]))
				n++;
		}
		ret = 0;
	}
	sock_release(sock);
free:
	kfree(buf);
	return ret < 0 ? ret : n;
}
