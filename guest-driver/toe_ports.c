// SPDX-License-Identifier: GPL-2.0-only
/*
 * toe_ports.c - ports that a context listens on are taken in the kernel too.
 *
 * Adapter and kernel have the same addresses, and a segment goes to whatever
 * connection or listener of the adapter wants it before the kernel sees it.  So
 * a listener of the kernel's on the same port would hear nothing and not know
 * why.  TOE_IOC_PORT_HOLD binds a kernel socket for the port, which does nothing
 * else: whoever comes second, in the kernel or with a context, gets EADDRINUSE
 * from the kernel's own rules.  The socket does not listen, so that a connection
 * over the loopback interface is refused as before.
 *
 * A port is held until it is released, or the adapter is done with the context.
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "toe.h"

void toe_ports_init(struct toe_ctx *ctx)
{
	xa_init_flags(&ctx->ports, XA_FLAGS_ALLOC1);
}

void toe_ports_destroy(struct toe_ctx *ctx)
{
	struct socket *sock;
	unsigned long id;

	xa_for_each(&ctx->ports, id, sock)
		sock_release(sock);
	xa_destroy(&ctx->ports);
}

static int toe_port_bind(struct socket *sock, const struct toe_uapi_port *arg)
{
	struct sockaddr_in6 a6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(arg->port),
	};
	struct sockaddr_in a4 = {
		.sin_family = AF_INET,
		.sin_port = htons(arg->port),
	};

	if (arg->family == TOE_AF_INET) {
		memcpy(&a4.sin_addr, arg->addr, sizeof(a4.sin_addr));
		return kernel_bind(sock, (struct sockaddr *)&a4, sizeof(a4));
	}
	/* The adapter's listener on any IPv6 address takes no IPv4. */
	ip6_sock_set_v6only(sock->sk);
	memcpy(&a6.sin6_addr, arg->addr, sizeof(a6.sin6_addr));
	return kernel_bind(sock, (struct sockaddr *)&a6, sizeof(a6));
}

/**
 * toe_port_hold() - take a port in the kernel for a listener of the context
 * @ctx: the context
 * @arg: the port; its id is filled in
 *
 * The interface, and so its ports, are in the initial network namespace.
 *
 * Return: 0 or as TOE_IOC_PORT_HOLD documents.
 */
int toe_port_hold(struct toe_ctx *ctx, struct toe_uapi_port *arg)
{
	struct socket *sock;
	int family, ret;

	if (!arg->port || arg->rsvd || arg->id)
		return -EINVAL;
	if (arg->family == TOE_AF_INET)
		family = PF_INET;
	else if (arg->family == TOE_AF_INET6)
		family = PF_INET6;
	else
		return -EINVAL;
	/* As many as it may have listeners; ids are not used again soon. */
	if (ctx->nports >= ctx->max_conns)
		return -EDQUOT;
	ret = sock_create_kern(&init_net, family, SOCK_STREAM, IPPROTO_TCP,
			       &sock);
	if (ret)
		return ret;
	ret = toe_port_bind(sock, arg);
	if (!ret)
		ret = xa_alloc(&ctx->ports, &arg->id, sock, xa_limit_31b,
			       GFP_KERNEL_ACCOUNT);
	if (ret) {
		sock_release(sock);
		return ret;
	}
	ctx->nports++;
	return 0;
}

int toe_port_release(struct toe_ctx *ctx, u32 id)
{
	struct socket *sock = xa_erase(&ctx->ports, id);

	if (!sock)
		return -ENOENT;
	ctx->nports--;
	sock_release(sock);
	return 0;
}
