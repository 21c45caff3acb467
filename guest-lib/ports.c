// SPDX-License-Identifier: MIT
/*
 * ports.c - a listener's port is taken in the kernel as well.
 *
 * The adapter hands a segment to the kernel only if none of its listeners wants
 * it, so a program that listened on the same port through the kernel would hear
 * nothing.  The driver holds the port there for us: whoever comes second gets
 * EADDRINUSE.  A driver without this call, and a context that was attached
 * without a file, have to do without.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "internal.h"
#include "toe_uapi.h"

int toe_port_hold(struct toe_conn *l, uint16_t port)
{
	struct toe_uapi_port u = { .family = l->family, .port = port };

	if (l->toe->fd < 0)
		return 0;
	memcpy(u.addr, l->laddr, sizeof(u.addr));
	if (ioctl(l->toe->fd, TOE_IOC_PORT_HOLD, &u) < 0)
		return errno == ENOTTY ? 0 : -errno;
	l->held = u.id;
	return 0;
}

void toe_port_release(struct toe_conn *l)
{
	struct toe_uapi_port u = { .id = l->held };
	int err = errno;

	if (!l->held)
		return;
	l->held = 0;
	ioctl(l->toe->fd, TOE_IOC_PORT_RELEASE, &u);
	errno = err;
}
