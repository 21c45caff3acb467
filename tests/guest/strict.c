// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * strict - the control experiment for "toe-get --seccomp": is strict mode
 * really on, and does a transfer over libtoe really get by in it?
 *
 *   strict ADDR PORT transfer    (a server of flows) all within strict mode:
 *                                connect, move data both ways, close; exit 0
 *   strict ADDR PORT forbidden   the same with one call of getppid() in the
 *                                middle: the kernel must kill it
 *   strict ADDR PORT kernel      a kernel socket's connect(): must be killed
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libapp.h"

#define BYTES	(2u << 20)

/* exit_group is not among the calls allowed. */
static void leave(int status)
{
	syscall(SYS_exit, status);
	__builtin_unreachable();
}

static void say(const char *text)
{
	if (write(2, text, strlen(text)) < 0)
		leave(4);
}

int main(int argc, char **argv)
{
	struct toe_config cfg = { .flags = TOE_CFG_SPIN };
	static uint8_t buf[65536];
	struct sockaddr_in to;
	struct toe_conn *conn;
	struct toe_stats st;
	bool forbidden, shut = false;
	struct toe *toe;
	struct flow f;
	ssize_t n = 0;
	size_t len;
	int ret, fd;

	if (argc != 4) {
		fprintf(stderr, "usage: strict ADDR PORT transfer|forbidden|kernel\n");
		return 2;
	}
	to = app_addr(argv[1], argv[2]);
	forbidden = strcmp(argv[3], "forbidden") == 0;
	flow_client(&f, 31, BYTES, BYTES, FLOW_F_VERDICT);
	ret = toe_open(&toe, &cfg);
	if (ret)
		app_die("toe_open: %s", toe_strerror(ret));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		app_die("no strict mode: %s", strerror(errno));

	say("strict: in strict mode\n");
	if (strcmp(argv[3], "kernel") == 0) {
		connect(fd, (struct sockaddr *)&to, sizeof(to));
		say("strict: connect() of a kernel socket is still here\n");
		leave(3);
	}
	ret = toe_connect_wait(toe, (struct sockaddr *)&to, sizeof(to), NULL,
			       APP_IDLE_MS, &conn);
	if (ret) {
		say("strict: cannot connect\n");
		leave(1);
	}
	while (!f.eof || !shut) {
		struct toe_event ev[16];

		while ((len = flow_next(&f, buf, sizeof(buf))) &&
		       (n = toe_send(conn, buf, len, 0)) > 0)
			flow_sent(&f, n);
		if (len && n < 0 && n != -EAGAIN)
			leave(1);
		while (!f.eof && (n = toe_recv(conn, buf, sizeof(buf), 0)) > 0)
			if (!flow_received(&f, buf, n))
				leave(1);
		if (n == 0)
			flow_ended(&f);
		else if (n != -EAGAIN)
			leave(1);
		if (forbidden && flow_bytes_down(&f) > BYTES / 2) {
			syscall(SYS_getppid);
			say("strict: getppid() came back\n");
			leave(3);
		}
		if (f.eof && !shut) {
			toe_shutdown(conn);
			shut = true;
		}
		if (!toe_poll(toe, ev, 16) && (!f.eof || !shut))
			toe_wait(toe, APP_IDLE_MS);
	}
	toe_close_conn(conn);
	toe_stats(toe, &st, sizeof(st));
	if (f.wrong || st.syscalls) {
		say("strict: wrong data, or system calls\n");
		leave(1);
	}
	say("strict: every byte came, without a system call\n");
	leave(0);
}
