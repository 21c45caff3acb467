// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * holder - an application whose adapter is taken away.
 *
 *   holder ADDR PORT      (a server of flows)
 *
 * It opens a context and a connection with a transfer that has no end, says
 * "holding", and goes on until the context is dead.  Then every call must fail
 * as the manual says, none may crash or hang, and closing must work.  It says
 * "let go" and exits with 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "libapp.h"
#include "toe_hw.h"
#include "toe_uapi.h"

#define EXPECT(cond, ...) do {						\
	if (!(cond))							\
		app_die(__VA_ARGS__);					\
} while (0)

static bool gone(int error)
{
	return error == -ENODEV || error == -EIO;
}

/* All calls on a dead context. */
static void use_dead(struct toe *toe, struct toe_conn *conn,
		     const struct sockaddr_in *to)
{
	struct pollfd p = { .fd = toe_fd(toe), .events = POLLIN };
	struct toe_conn *other;
	struct toe_event ev[4];
	struct toe_mem *mem;
	static char buf[5000];
	ssize_t n;
	int i, ret;

	ret = poll(&p, 1, 0);
	EXPECT(ret == 1 && p.revents & POLLERR,
	       "poll of a dead context: %d, events %#x", ret, p.revents);
	ret = toe_connect(toe, (const struct sockaddr *)to, sizeof(*to), NULL,
			  &other);
	EXPECT(gone(ret), "toe_connect on a dead context: %s",
	       ret ? toe_strerror(ret) : "success");
	/* More than any queue holds: must not wait for an adapter. */
	for (i = 0; i < 3000; i++) {
		n = toe_send(conn, buf, sizeof(buf), 0);
		EXPECT(n < 0, "toe_send on a dead context takes %zd bytes", n);
	}
	n = toe_recv(conn, buf, sizeof(buf), 0);
	EXPECT(n != 0, "toe_recv on a dead context: end of the stream");
	ret = toe_mem_alloc(toe, 8192, TOE_MEM_F_SEND, &mem);
	EXPECT(gone(ret), "toe_mem_alloc on a dead context: %s",
	       ret ? toe_strerror(ret) : "success");
	toe_poll(toe, ev, 4);
	toe_arm(toe);
}

int main(int argc, char **argv)
{
	struct toe_conn_opts opts = { 0 };
	struct toe_event ev[16];
	struct toe_uapi_info info;
	struct sockaddr_in to;
	struct toe_conn *conn;
	static uint8_t buf[65536];
	bool dead = false, told = false, idle;
	struct toe *toe;
	struct flow f;
	size_t len;
	ssize_t n;
	int i, ret;

	if (argc != 3) {
		fprintf(stderr, "usage: holder ADDR PORT\n");
		return 2;
	}
	to = app_addr(argv[1], argv[2]);
	ret = toe_open(&toe, NULL);
	EXPECT(!ret, "toe_open: %s", toe_strerror(ret));
	ret = toe_connect_wait(toe, (struct sockaddr *)&to, sizeof(to), &opts,
			       APP_IDLE_MS, &conn);
	EXPECT(!ret, "connect: %s", toe_strerror(ret));
	flow_client(&f, 77, FLOW_FOREVER, FLOW_FOREVER, 0);
	while (!dead) {
		/* Up and down in turns, as sending never has to wait for long;
		 * the bytes are checked as everywhere. */
		len = flow_next(&f, buf, sizeof(buf));
		n = toe_send(conn, buf, len, 0);
		idle = n <= 0;
		if (n > 0)
			flow_sent(&f, n);
		/* Once: what comes has no end, and may come as fast as we read. */
		n = toe_recv(conn, buf, sizeof(buf), 0);
		if (n > 0) {
			EXPECT(flow_received(&f, buf, n), "%s", f.why);
			idle = false;
		}
		if (!told && flow_bytes_down(&f) > 1 << 20) {
			told = true;
			printf("holding\n");
			fflush(stdout);
		}
		n = toe_poll(toe, ev, 16);
		for (i = 0; i < n; i++) {
			dead |= (ev[i].events & TOE_DEAD) != 0;
			/* A reset of the adapter tells nobody; the contract
			 * lets the library tell the connections first. */
			if (ev[i].events & TOE_CLOSED)
				EXPECT(told && ev[i].status,
				       "closed in order, with no end in sight");
		}
		if (!n && !dead && idle) {
			ret = toe_wait(toe, APP_IDLE_MS);
			EXPECT(ret != 0, "nothing moves, but no word that the context is dead");
		}
	}
	use_dead(toe, conn, &to);
	ret = ioctl(toe_fd(toe), TOE_IOC_INFO, &info);
	printf("holder: the context is dead; TOE_IOC_INFO says %s\n",
	       ret ? strerror(errno) : "the adapter is there");
	toe_close_conn(conn);
	toe_close(toe);
	printf("let go\n");
	return 0;
}
