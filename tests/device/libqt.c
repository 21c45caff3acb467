// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libqt.c - a small client of QEMU's qtest protocol, and of QMP.
 *
 * The test listens on two sockets and QEMU connects to both.  On the qtest
 * socket a command is a line ("writel 0x1000 0x1") and its answer a line that
 * begins with OK or FAIL; lines of interrupts (IRQ ...) may come in between
 * and are skipped.  On the QMP socket a command and its answer are a line of
 * JSON; events are skipped.
 *
 * A folder per program holds the sockets and QEMU's standard error.  A test
 * that fails leaves without any clean-up (check ends its process), so the
 * program itself, not the test, shows the files that are left and removes the
 * folder, and QEMU is told by the kernel to go when its parent does.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "libqt.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QT_ARGS_MAX	128
#define QT_LINE_START	256

struct line_fd {			/* a stream socket, read line by line */
	int fd;
	char *buf;
	size_t len, size;
};

struct qt {
	pid_t pid;
	struct line_fd qtest;
	struct line_fd qmp;
	char stderr_path[160];
};

static char dir_path[96];
static unsigned starts;			/* so that each start has its own files */

int64_t qt_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const char *qt_dir(void)
{
	if (!dir_path[0]) {
		const char *tmp = getenv("TMPDIR");

		/* A socket's path has room for 107 bytes. */
		if (!tmp || strlen(tmp) > 40)
			tmp = "/tmp";
		snprintf(dir_path, sizeof(dir_path), "%s/toe-dev-XXXXXX", tmp);
		if (!mkdtemp(dir_path)) {
			perror(dir_path);
			exit(1);
		}
	}
	return dir_path;
}

static void show_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[512];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		fprintf(stderr, "  qemu: %s", line);
	fclose(f);
}

/* QEMU went away or does not answer: say how it ended and fail the test. */
static void __attribute__((noreturn)) qemu_lost(struct qt *q, const char *what)
{
	int status = 0;
	pid_t got = 0;

	if (q->pid > 0) {
		/* After an EOF it may need a moment to become a zombie. */
		int64_t t0 = qt_now_ms();

		do {
			got = waitpid(q->pid, &status, WNOHANG);
		} while (!got && qt_now_ms() - t0 < 2000 &&
			 poll(NULL, 0, 10) == 0);
		if (got == 0) {
			kill(q->pid, SIGKILL);
			waitpid(q->pid, NULL, 0);
		}
		q->pid = 0;
	}
	fprintf(stderr, "QEMU's standard error:\n");
	show_file(q->stderr_path);
	unlink(q->stderr_path);
	if (got > 0 && WIFSIGNALED(status))
		ck_abort_msg("%s: QEMU was ended by signal %d (%s)", what,
			     WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (got > 0)
		ck_abort_msg("%s: QEMU ended with exit status %d", what,
			     WEXITSTATUS(status));
	ck_abort_msg("%s: QEMU hangs (no answer for %d ms)", what,
		     QT_LIMIT_MS);
	abort();
}

/* ---- Lines over a socket ---- */

static void line_send(struct qt *q, struct line_fd *l, const char *s,
		      size_t len)
{
	while (len) {
		ssize_t n = send(l->fd, s, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			qemu_lost(q, "sending a command");
		s += n;
		len -= (size_t)n;
	}
}

/* The next line, without its end; the caller's to free(). */
static char *line_get(struct qt *q, struct line_fd *l, const char *what)
{
	int64_t t0 = qt_now_ms();

	for (;;) {
		char *nl = l->len ? memchr(l->buf, '\n', l->len) : NULL;
		struct pollfd p = { .fd = l->fd, .events = POLLIN };
		int64_t left;
		ssize_t n;

		if (nl) {
			size_t used = (size_t)(nl - l->buf) + 1;
			char *s = strndup(l->buf, used - 1);

			memmove(l->buf, l->buf + used, l->len - used);
			l->len -= used;
			used = strlen(s);
			if (used && s[used - 1] == '\r')
				s[used - 1] = 0;
			return s;
		}
		left = QT_LIMIT_MS - (qt_now_ms() - t0);
		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			qemu_lost(q, what);
		if (l->size - l->len < 4096) {
			l->size = l->size ? l->size * 2 : 8192;
			l->buf = realloc(l->buf, l->size);
			ck_assert_ptr_nonnull(l->buf);
		}
		n = read(l->fd, l->buf + l->len, l->size - l->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			qemu_lost(q, what);
		l->len += (size_t)n;
	}
}

/* ---- qtest ---- */

static char *qtest(struct qt *q, const char *cmd, size_t len)
{
	line_send(q, &q->qtest, cmd, len);
	for (;;) {
		char what[96];
		char *s;

		snprintf(what, sizeof(what), "qtest command '%.*s'",
			 (int)(len > 60 ? 60 : len - 1), cmd);
		s = line_get(q, &q->qtest, what);
		if (!strncmp(s, "IRQ ", 4)) {
			free(s);
			continue;
		}
		if (strncmp(s, "OK", 2))
			ck_abort_msg("%s: %s", what, s);
		return s;
	}
}

static char *qtestf(struct qt *q, const char *fmt, ...)
{
	char cmd[QT_LINE_START];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	ck_assert(n > 0 && n < (int)sizeof(cmd));
	return qtest(q, cmd, (size_t)n);
}

static uint64_t qtest_value(char *answer)
{
	uint64_t v = 0;

	if (answer[2] == ' ')
		v = strtoull(answer + 3, NULL, 0);
	free(answer);
	return v;
}

uint8_t qt_readb(struct qt *q, uint64_t addr)
{
	return (uint8_t)qtest_value(qtestf(q, "readb 0x%llx\n",
					   (unsigned long long)addr));
}

uint16_t qt_readw(struct qt *q, uint64_t addr)
{
	return (uint16_t)qtest_value(qtestf(q, "readw 0x%llx\n",
					    (unsigned long long)addr));
}

uint32_t qt_readl(struct qt *q, uint64_t addr)
{
	return (uint32_t)qtest_value(qtestf(q, "readl 0x%llx\n",
					    (unsigned long long)addr));
}

uint64_t qt_readq(struct qt *q, uint64_t addr)
{
	return qtest_value(qtestf(q, "readq 0x%llx\n",
				  (unsigned long long)addr));
}

void qt_writeb(struct qt *q, uint64_t addr, uint8_t value)
{
	free(qtestf(q, "writeb 0x%llx 0x%x\n", (unsigned long long)addr,
		    value));
}

void qt_writew(struct qt *q, uint64_t addr, uint16_t value)
{
	free(qtestf(q, "writew 0x%llx 0x%x\n", (unsigned long long)addr,
		    value));
}

void qt_writel(struct qt *q, uint64_t addr, uint32_t value)
{
	free(qtestf(q, "writel 0x%llx 0x%x\n", (unsigned long long)addr,
		    value));
}

void qt_writeq(struct qt *q, uint64_t addr, uint64_t value)
{
	free(qtestf(q, "writeq 0x%llx 0x%llx\n", (unsigned long long)addr,
		    (unsigned long long)value));
}

static unsigned hex_digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') :
			  (unsigned)((c | 0x20) - 'a') + 10;
}

void qt_read(struct qt *q, uint64_t addr, void *buf, size_t len)
{
	uint8_t *p = buf;
	char *s;
	size_t i;

	if (!len)
		return;
	s = qtestf(q, "read 0x%llx 0x%zx\n", (unsigned long long)addr, len);
	ck_assert_uint_ge(strlen(s), 5 + 2 * len);	/* "OK 0x" */
	for (i = 0; i < len; i++)
		p[i] = (uint8_t)(hex_digit(s[5 + 2 * i]) << 4 |
				 hex_digit(s[6 + 2 * i]));
	free(s);
}

void qt_write(struct qt *q, uint64_t addr, const void *buf, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = buf;
	char *cmd;
	size_t i;
	int n;

	if (!len)
		return;
	cmd = malloc(64 + 2 * len);
	ck_assert_ptr_nonnull(cmd);
	n = sprintf(cmd, "write 0x%llx 0x%zx 0x", (unsigned long long)addr,
		    len);
	for (i = 0; i < len; i++) {
		cmd[n++] = digits[p[i] >> 4];
		cmd[n++] = digits[p[i] & 15];
	}
	cmd[n++] = '\n';
	free(qtest(q, cmd, (size_t)n));
	free(cmd);
}

void qt_memset(struct qt *q, uint64_t addr, uint8_t value, size_t len)
{
	if (len)
		free(qtestf(q, "memset 0x%llx 0x%zx 0x%02x\n",
			    (unsigned long long)addr, len, value));
}

uint32_t qt_inl(struct qt *q, uint16_t port)
{
	return (uint32_t)qtest_value(qtestf(q, "inl 0x%x\n", port));
}

void qt_outl(struct qt *q, uint16_t port, uint32_t value)
{
	free(qtestf(q, "outl 0x%x 0x%x\n", port, value));
}

void qt_outb(struct qt *q, uint16_t port, uint8_t value)
{
	free(qtestf(q, "outb 0x%x 0x%x\n", port, value));
}

int64_t qt_clock_step(struct qt *q, int64_t ns)
{
	int64_t now = (int64_t)qtest_value(qtestf(q, "clock_step %lld\n",
						  (long long)ns));

	qt_settle(q);
	return now;
}

void qt_settle(struct qt *q)
{
	int i;

	/*
	 * QEMU answers a command from its main loop, and one turn of the loop
	 * runs everything that is ready.  A chain (frame in, kick, output,
	 * refused by the socket, output again) needs several turns.
	 */
	for (i = 0; i < 12; i++)
		qt_readb(q, 0);
}

bool qt_wait_more(struct qt *q, int64_t t0)
{
	qt_readb(q, 0);
	return qt_now_ms() - t0 < QT_LIMIT_MS;
}

/* ---- QMP ---- */

char *qt_qmp(struct qt *q, const char *fmt, ...)
{
	va_list ap;
	char *cmd = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&cmd, fmt, ap);
	va_end(ap);
	ck_assert_int_gt(n, 0);
	line_send(q, &q->qmp, cmd, (size_t)n);
	line_send(q, &q->qmp, "\n", 1);
	free(cmd);
	for (;;) {
		char *s = line_get(q, &q->qmp, "QMP command");

		if (strncmp(s, "{\"event\"", 8) &&
		    !strstr(s, "\"timestamp\": {\"seconds\"") &&
		    strncmp(s, "{\"QMP\"", 6))
			return s;
		free(s);
	}
}

bool qt_json_u64(const char *json, const char *member, uint64_t *value)
{
	char name[96];
	const char *p;

	snprintf(name, sizeof(name), "\"%s\":", member);
	p = strstr(json, name);
	if (!p)
		return false;
	p += strlen(name);
	while (isspace((unsigned char)*p))
		p++;
	if (!isdigit((unsigned char)*p))
		return false;
	*value = strtoull(p, NULL, 10);
	return true;
}

void qt_alive(struct qt *q)
{
	char *s = qt_qmp(q, "{\"execute\":\"query-status\"}");

	ck_assert_msg(strstr(s, "\"return\"") != NULL, "QMP: %s", s);
	free(s);
	qt_settle(q);
}

/* ---- Start and stop ---- */

static int listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_uint_lt(strlen(path), sizeof(a.sun_path));
	strcpy(a.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

/* Accept; notices when QEMU ends instead of connecting. */
static int accept_from(struct qt *q, int lfd, const char *what)
{
	int64_t t0 = qt_now_ms();

	for (;;) {
		struct pollfd p = { .fd = lfd, .events = POLLIN };
		siginfo_t si = { 0 };

		if (poll(&p, 1, 100) == 1) {
			int fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);

			ck_assert_int_ge(fd, 0);
			close(lfd);
			return fd;
		}
		if (waitid(P_PID, (id_t)q->pid, &si,
			   WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid)
			qemu_lost(q, what);
		if (qt_now_ms() - t0 > QT_LIMIT_MS)
			qemu_lost(q, what);
	}
}

static const char *qemu_program(void)
{
	const char *p = getenv("TOE_QEMU");

	if (!p || !*p)
		ck_abort_msg("TOE_QEMU does not name a QEMU");
	return p;
}

/* Split s at blanks into argv from n on; s is written to. */
static int split(char *s, char **argv, int n)
{
	char *save = NULL, *w;

	for (w = strtok_r(s, " \n\t", &save); w;
	     w = strtok_r(NULL, " \n\t", &save)) {
		ck_assert_int_lt(n, QT_ARGS_MAX - 1);
		argv[n++] = w;
	}
	argv[n] = NULL;
	return n;
}

static pid_t spawn(char **argv, int out_fd, int err_fd)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int null = open("/dev/null", O_RDONLY);

		/* A test that ends in any way takes its QEMU along. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(127);
		dup2(null, 0);
		dup2(out_fd, 1);
		dup2(err_fd, 2);
		execvp(argv[0], argv);
		dprintf(2, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	return pid;
}

struct qt *qt_start(const char *fmt, ...)
{
	struct qt *q = calloc(1, sizeof(*q));
	char qtest_path[128], qmp_path[128];
	char *argv[QT_ARGS_MAX];
	char *extra = NULL, *fixed = NULL;
	int lq, lm, err, n;
	va_list ap;

	ck_assert_ptr_nonnull(q);
	starts++;
	snprintf(qtest_path, sizeof(qtest_path), "%s/t%d-%u", qt_dir(),
		 (int)getpid(), starts);
	snprintf(qmp_path, sizeof(qmp_path), "%s/m%d-%u", qt_dir(),
		 (int)getpid(), starts);
	snprintf(q->stderr_path, sizeof(q->stderr_path), "%s/%d-%u.stderr",
		 qt_dir(), (int)getpid(), starts);
	lq = listen_at(qtest_path);
	lm = listen_at(qmp_path);
	err = open(q->stderr_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
		   0600);
	ck_assert_int_ge(err, 0);

	n = asprintf(&fixed,
		     "%s -machine q35 -accel qtest -m %uM -display none "
		     "-nodefaults -no-user-config -d guest_errors "
		     "-qtest unix:%s -qtest-log none "
		     "-chardev socket,id=qmp,path=%s "
		     "-mon chardev=qmp,mode=control",
		     qemu_program(), QT_RAM_SIZE >> 20, qtest_path, qmp_path);
	ck_assert_int_gt(n, 0);
	va_start(ap, fmt);
	n = vasprintf(&extra, fmt, ap);
	va_end(ap);
	ck_assert_int_ge(n, 0);
	n = split(fixed, argv, 0);
	split(extra, argv, n);

	q->pid = spawn(argv, err, err);
	close(err);
	free(fixed);
	free(extra);
	q->qtest.fd = accept_from(q, lq, "starting (qtest)");
	q->qmp.fd = accept_from(q, lm, "starting (QMP)");
	unlink(qtest_path);
	unlink(qmp_path);
	free(qt_qmp(q, "{\"execute\":\"qmp_capabilities\"}"));
	return q;
}

static void line_free(struct line_fd *l)
{
	close(l->fd);
	free(l->buf);
}

void qt_stop(struct qt *q)
{
	int status = 0;

	if (!q)
		return;
	/* A crash that no command noticed is still a failure. */
	if (waitpid(q->pid, &status, WNOHANG) != 0)
		qemu_lost(q, "at the end of the test");
	kill(q->pid, SIGTERM);
	{
		int64_t t0 = qt_now_ms();
		pid_t got;

		while ((got = waitpid(q->pid, &status, WNOHANG)) == 0 &&
		       qt_now_ms() - t0 < QT_LIMIT_MS)
			poll(NULL, 0, 5);
		if (got == 0)
			qemu_lost(q, "on SIGTERM");
		q->pid = 0;
	}
	/* Sanitizers and aborts in the tear-down show here. */
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "QEMU's standard error:\n");
		show_file(q->stderr_path);
		ck_abort_msg("QEMU did not end well: wait status 0x%x",
			     status);
	}
	line_free(&q->qtest);
	line_free(&q->qmp);
	unlink(q->stderr_path);
	free(q);
}

int qt_run(char **out, const char *fmt, ...)
{
	char *argv[QT_ARGS_MAX];
	char *extra = NULL;
	size_t len = 0, size = 8192;
	char *buf = malloc(size);
	int64_t t0 = qt_now_ms();
	int fds[2], status = 0, n;
	pid_t pid;
	va_list ap;

	ck_assert_ptr_nonnull(buf);
	va_start(ap, fmt);
	n = vasprintf(&extra, fmt, ap);
	va_end(ap);
	ck_assert_int_ge(n, 0);
	argv[0] = (char *)qemu_program();
	split(extra, argv, 1);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = spawn(argv, fds[1], fds[1]);
	close(fds[1]);
	for (;;) {
		struct pollfd p = { .fd = fds[0], .events = POLLIN };
		int64_t left = QT_LIMIT_MS - (qt_now_ms() - t0);
		ssize_t got;

		if (left <= 0 || poll(&p, 1, (int)left) == 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			ck_abort_msg("QEMU did not end: %s", extra);
		}
		if (size - len < 2048) {
			size *= 2;
			buf = realloc(buf, size);
			ck_assert_ptr_nonnull(buf);
		}
		got = read(fds[0], buf + len, size - len - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	buf[len] = 0;
	close(fds[0]);
	waitpid(pid, &status, 0);
	free(extra);
	*out = buf;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- The program ---- */

static void remove_dir(bool show)
{
	DIR *d = opendir(dir_path);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		char path[400];
		size_t n = strlen(e->d_name);

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir_path, e->d_name);
		if (show && n > 7 && !strcmp(e->d_name + n - 7, ".stderr")) {
			fprintf(stderr, "standard error of a failed test's "
				"QEMU:\n");
			show_file(path);
		}
		unlink(path);
	}
	closedir(d);
	rmdir(dir_path);
}

TCase *qt_case(Suite *s, const char *name, SFun setup, SFun teardown)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, QT_CASE_SECONDS);
	if (setup || teardown)
		tcase_add_checked_fixture(tc, setup, teardown);
	suite_add_tcase(s, tc);
	return tc;
}

int qt_main(Suite *s)
{
	SRunner *sr = srunner_create(s);
	TestResult **results;
	const char *self = program_invocation_name;
	int i, failed;

	if (!getenv("TOE_QEMU")) {
		fprintf(stderr, "%s: set TOE_QEMU to the QEMU with the "
			"adapter\n", self);
		srunner_free(sr);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	qt_dir();
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	results = srunner_failures(sr);
	for (i = 0; i < failed; i++) {
		if (i && !strcmp(tr_tcname(results[i]),
				 tr_tcname(results[i - 1])))
			continue;
		printf("to run it alone: TOE_QEMU=%s CK_RUN_CASE=%s %s\n",
		       getenv("TOE_QEMU"), tr_tcname(results[i]), self);
	}
	free(results);
	srunner_free(sr);
	remove_dir(failed > 0);
	return failed ? 1 : 0;
}
