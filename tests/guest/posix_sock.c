// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * posix_sock - what programs do with sockets, to be run over libtoe-preload.
 *
 *   posix_sock ADDR PORT      (a server that sends back what it gets)
 *
 * Each check is something that a program does without thinking and that a
 * preloaded library can get wrong.  Without the preload all of them pass, too:
 * then it is the kernel that is asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libapp.h"

#define EXPECT(cond, ...) do {						\
	if (!(cond))							\
		app_die(__VA_ARGS__);					\
} while (0)

static struct sockaddr_in server;

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	EXPECT(fd >= 0, "socket: %s", strerror(errno));
	EXPECT(!connect(fd, (struct sockaddr *)&server, sizeof(server)),
	       "connect: %s", strerror(errno));
	return fd;
}

static void say(int fd, const char *text)
{
	ssize_t n = write(fd, text, strlen(text));

	EXPECT(n == (ssize_t)strlen(text), "write: %zd, %s", n,
	       strerror(errno));
}

static void hear(int fd, const char *text)
{
	char buf[64] = "";
	size_t want = strlen(text), got = 0;
	ssize_t n;

	while (got < want) {
		n = read(fd, buf + got, want - got);
		EXPECT(n > 0, "read: %zd, %s", n, strerror(errno));
		got += (size_t)n;
	}
	EXPECT(!memcmp(buf, text, want), "read '%s' instead of '%s'", buf,
	       text);
}

static void duplicates(void)
{
	int fd = dial(), a = dup(fd), b = fcntl(fd, F_DUPFD_CLOEXEC, 200);

	EXPECT(dup2(fd, 300) == 300, "dup2: %s", strerror(errno));
	say(fd, "one");
	close(fd);
	hear(a, "one");
	say(b, "two");
	close(b);
	hear(300, "two");
	close(300);
	EXPECT(!shutdown(a, SHUT_WR), "shutdown: %s", strerror(errno));
	EXPECT(read(a, &b, 1) == 0, "no end of the stream");
	close(a);
	EXPECT(read(a, &b, 1) < 0 && errno == EBADF, "read after close");
}

/* A number that was a connection is a file's now, however it was closed. */
static void numbers_again(void)
{
	char path[] = "/tmp/posix_sock.XXXXXX", buf[8] = "";
	int fd = dial(), file;
	FILE *f = fdopen(fd, "r");

	EXPECT(f, "fdopen: %s", strerror(errno));
	fclose(f);
	file = mkstemp(path);
	EXPECT(file == fd, "got number %d, not %d: test again", file, fd);
	unlink(path);
	say(file, "file");
	EXPECT(pread(file, buf, 4, 0) == 4 && !strcmp(buf, "file"),
	       "a file has the number of a closed connection: '%s'", buf);
	close(file);

	fd = dial();
	EXPECT(!close_range((unsigned int)fd, (unsigned int)fd, 0),
	       "close_range: %s", strerror(errno));
	file = dial();
	EXPECT(file == fd, "got number %d, not %d: test again", file, fd);
	say(file, "again");
	hear(file, "again");
	close(file);
}

/* As daemons do.  What the library needs for itself must survive. */
static void close_all(void)
{
	int fd, kept = dial();

	say(kept, "a");
	hear(kept, "a");
	EXPECT(dup2(kept, 500) == 500, "dup2: %s", strerror(errno));
	for (fd = 3; fd < 500; fd++)
		close(fd);
	say(500, "still");
	hear(500, "still");
	closefrom(3);
	fd = dial();
	say(fd, "new");
	hear(fd, "new");
	close(fd);
}

static void large_number(void)
{
	struct rlimit r = { 100000, 100000 };
	int fd, high;

	if (setrlimit(RLIMIT_NOFILE, &r))
		return;			/* not root: no such numbers */
	fd = socket(AF_INET, SOCK_STREAM, 0);
	high = fcntl(fd, F_DUPFD, 70000);
	close(fd);
	EXPECT(high >= 70000, "F_DUPFD: %s", strerror(errno));
	EXPECT(!connect(high, (struct sockaddr *)&server, sizeof(server)),
	       "connect: %s", strerror(errno));
	say(high, "high");
	hear(high, "high");
	close(high);
}

static volatile sig_atomic_t signals;
static int wake_fd;

static void on_signal(int sig)
{
	(void)sig;
	if (++signals == 3 && write(wake_fd, "wake", 4) != 4)
		_exit(3);
}

/* Handlers with SA_RESTART don't disturb a read; others do. */
static void interrupted(bool restart)
{
	struct sigaction sa = {
		.sa_handler = on_signal, .sa_flags = restart ? SA_RESTART : 0,
	};
	int fd = dial(), status;
	char c;
	pid_t pid;

	signals = 0;
	wake_fd = fd;
	sigaction(SIGUSR1, &sa, NULL);
	pid = fork();
	EXPECT(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		/* Until it has had enough: no guess of when it sleeps. */
		for (;;) {
			if (kill(getppid(), SIGUSR1))
				_exit(0);
			usleep(20000);
		}
	}
	if (restart) {
		hear(fd, "wake");
	} else {
		EXPECT(read(fd, &c, 1) < 0 && errno == EINTR,
		       "an interrupted read: %s", strerror(errno));
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	sa.sa_handler = SIG_DFL;
	sigaction(SIGUSR1, &sa, NULL);
	close(fd);
}

static pid_t reader_tid;

static void *reader(void *arg)
{
	__atomic_store_n(&reader_tid, gettid(), __ATOMIC_RELEASE);
	hear(*(int *)arg, "late");
	return NULL;
}

/* The kernel says that the reader sleeps: it neither looks nor wakes up. */
static void reader_sleeps(void)
{
	char path[64], state = 0;
	pid_t tid;
	FILE *f;

	while (state != 'S') {
		usleep(1000);
		tid = __atomic_load_n(&reader_tid, __ATOMIC_ACQUIRE);
		if (!tid)
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
		f = fopen(path, "r");
		EXPECT(f && fscanf(f, "%*d (%*[^)]) %c", &state) == 1,
		       "the state of thread %d", tid);
		fclose(f);
	}
}

/*
 * A thread sleeps in read() while another forks and the child uses connections
 * of its own: neither must take the other's wake-ups.
 */
static void fork_beside_a_reader(void)
{
	int fd = dial(), i, status, mine;
	pthread_t thread;
	pid_t pid;

	EXPECT(!pthread_create(&thread, NULL, reader, &fd), "pthread_create");
	for (i = 0; i < 5; i++) {
		pid = fork();
		if (!pid) {
			mine = dial();
			say(mine, "child");
			hear(mine, "child");
			close(fd);
			_exit(0);
		}
		mine = dial();
		say(mine, "parent");
		hear(mine, "parent");
		close(mine);
		EXPECT(waitpid(pid, &status, 0) == pid && !status,
		       "a child ended with status %#x", status);
	}
	say(fd, "late");
	pthread_join(thread, NULL);
	close(fd);
}

/*
 * What the adapter says of connections that another thread opens and closes
 * must not leave a sleeping reader without its wake-up.
 */
static void close_beside_a_reader(void)
{
	int fd = dial(), i, mine;
	pthread_t thread;

	for (i = 0; i < 20; i++) {
		reader_tid = 0;
		EXPECT(!pthread_create(&thread, NULL, reader, &fd),
		       "pthread_create");
		reader_sleeps();
		mine = dial();
		say(mine, "bye");
		close(mine);
		reader_sleeps();
		say(fd, "late");
		pthread_join(thread, NULL);
	}
	close(fd);
}

/* Sockets and pipes in one poll and in one epoll set. */
static void mixed(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = dial(), ep = epoll_create1(EPOLL_CLOEXEC), pipes[2], ready;
	struct pollfd p[3];

	EXPECT(!pipe(pipes), "pipe: %s", strerror(errno));
	p[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = -1, .events = POLLIN };
	p[2] = (struct pollfd){ .fd = pipes[0], .events = POLLIN };
	EXPECT(poll(p, 3, 0) == 0, "poll: ready before anything was sent");
	say(pipes[1], "p");
	EXPECT(poll(p, 3, -1) == 1 && p[2].revents == POLLIN, "poll: pipe");
	hear(pipes[0], "p");
	say(fd, "s");
	EXPECT(poll(p, 3, -1) == 1 && p[0].revents == POLLIN, "poll: socket");
	say(pipes[1], "p");
	EXPECT(poll(p, 3, -1) == 2, "poll: both");
	ev.data.fd = fd;
	EXPECT(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), "epoll_ctl");
	ev.data.fd = pipes[0];
	EXPECT(!epoll_ctl(ep, EPOLL_CTL_ADD, pipes[0], &ev), "epoll_ctl");
	hear(pipes[0], "p");
	EXPECT(epoll_wait(ep, &ev, 1, -1) == 1 && ev.data.fd == fd,
	       "epoll: socket");
	hear(fd, "s");
	ready = epoll_wait(ep, &ev, 1, 0);
	EXPECT(ready == 0, "epoll: %d ready, nothing there", ready);
	say(pipes[1], "p");
	EXPECT(epoll_wait(ep, &ev, 1, -1) == 1 && ev.data.fd == pipes[0],
	       "epoll: pipe");
	close(fd);
	close(ep);
	close(pipes[0]);
	close(pipes[1]);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: posix_sock ADDR PORT\n");
		return 2;
	}
	server = app_addr(argv[1], argv[2]);
#define RUN(call) do {							\
	call;								\
	printf("%s: ok\n", #call);					\
	fflush(stdout);							\
} while (0)
	RUN(duplicates());
	RUN(numbers_again());
	RUN(interrupted(true));
	RUN(interrupted(false));
	RUN(mixed());
	RUN(fork_beside_a_reader());
	RUN(close_beside_a_reader());
	RUN(large_number());
	RUN(close_all());
	return 0;
}
