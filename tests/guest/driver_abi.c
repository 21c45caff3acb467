// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * driver_abi - the driver's promises of toe_uapi.h, without the library.
 *
 * Runs as root in a guest with one adapter and an address on its interface.
 * Each case prints its name; the first that fails says why and ends the
 * program with status 1.  "driver_abi CASE..." runs only these.
 *
 * What happens in the driver some time after a call (a context is given back
 * when it has drained) is waited for by looking again and again; the time limit
 * there is only for a driver that never gets there.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "toe_hw.h"
#include "toe_uapi.h"

#define LIMIT_S		60
#define NOBODY		65534

static const char *now_running;

static void __attribute__((noreturn, format(printf, 2, 3)))
fail_at(int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "driver_abi: %s: line %d: ", now_running, line);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	_exit(1);
}

#define fail(...) fail_at(__LINE__, __VA_ARGS__)
#define must(cond) \
	do { \
		if (!(cond)) \
			fail("not so: %s (errno %d: %s)", #cond, errno, \
			     strerror(errno)); \
	} while (0)
/* The call fails with this error. */
#define must_err(call, err) \
	do { \
		errno = 0; \
		if ((call) != -1 || errno != (err)) \
			fail("%s: expected %s, got %s", #call, strerror(err), \
			     strerror(errno)); \
	} while (0)

struct ctx {
	int fd;
	struct toe_uapi_ctx a;
	uint8_t *mem;
	volatile struct toe_hw_ctx_page *page;
	volatile uint32_t *db;
	const volatile struct toe_uapi_status *status;
};

static int toe_open_device(void)
{
	int fd = open("/dev/toe0", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail("/dev/toe0: %s", strerror(errno));
	return fd;
}

static struct toe_uapi_ctx good_args(void)
{
	return (struct toe_uapi_ctx) {
		.rq_log2 = 5, .cq_log2 = 6,
		.bq_small_log2 = 4, .bq_large_log2 = 4,
		.small_size = 512, .large_size = 4096,
		.data_size = 200000,
	};
}

static void ctx_map(struct ctx *c)
{
	c->mem = mmap(NULL, c->a.mem_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      c->fd, c->a.mem_mmap);
	must(c->mem != MAP_FAILED);
	c->page = (void *)(c->mem + c->a.page_off);
	c->db = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd,
		     c->a.doorbell_mmap);
	must(c->db != MAP_FAILED);
	c->status = mmap(NULL, 4096, PROT_READ, MAP_SHARED, c->fd,
			 c->a.status_mmap);
	must(c->status != MAP_FAILED);
}

static struct ctx ctx_open(void)
{
	struct ctx c = { .fd = toe_open_device(), .a = good_args() };

	must(!ioctl(c.fd, TOE_IOC_CTX_CREATE, &c.a));
	ctx_map(&c);
	return c;
}

static void ctx_close(struct ctx *c)
{
	munmap(c->mem, c->a.mem_size);
	munmap((void *)c->db, 4096);
	munmap((void *)c->status, 4096);
	close(c->fd);
}

static void ctx_post_nop(struct ctx *c, uint64_t cookie)
{
	struct toe_hw_req *rq = (void *)(c->mem + c->a.rq_off);
	uint32_t tail = c->page->rq_tail;

	rq[tail & ((1u << c->a.rq_log2) - 1)] = (struct toe_hw_req) {
		.opcode = TOE_OP_NOP,
		.cookie = cookie,
	};
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	c->page->rq_tail = tail + 1;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	c->db[TOE_DB_RQ / 4] = 0;
}

/* Wait for the next completion in poll(), as a program does. */
static struct toe_hw_cqe ctx_next(struct ctx *c)
{
	struct toe_hw_cqe *cq = (void *)(c->mem + c->a.cq_off), cqe;
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	uint32_t head = c->page->cq_head;

	while (c->page->cq_tail == head) {
		c->db[TOE_DB_CQ_ARM / 4] = head;
		must(poll(&p, 1, LIMIT_S * 1000) == 1);
		must(p.revents == POLLIN);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	cqe = cq[head & ((1u << c->a.cq_log2) - 1)];
	c->page->cq_head = head + 1;
	return cqe;
}

static void ctx_works(struct ctx *c)
{
	static uint64_t cookie = 0x1234567800000000;
	struct toe_hw_cqe cqe;

	ctx_post_nop(c, ++cookie);
	cqe = ctx_next(c);
	must(cqe.type == TOE_EV_COMPLETION);
	must(cqe.status == TOE_ST_OK);
	must(cqe.cookie == cookie);
}

static int ctx_poll(struct ctx *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	must(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static uint64_t counter(int which)
{
	uint64_t v[TOE_CTR_MAX];
	struct toe_uapi_stats s = {
		.addr = (uintptr_t)v, .count = TOE_CTR_MAX,
	};
	int fd = toe_open_device();

	must(!ioctl(fd, TOE_IOC_STATS, &s));
	must(s.count == TOE_CTR_MAX);
	close(fd);
	return v[which];
}

static bool late(time_t start)
{
	return time(NULL) - start > LIMIT_S;
}

/* Contexts drain after they were closed: wait until so many are there. */
static void wait_counter(int which, uint64_t value)
{
	time_t start = time(NULL);
	uint64_t v;

	while ((v = counter(which)) != value) {
		if (late(start))
			fail("counter %d stays at %llu, should be %llu", which,
			     (unsigned long long)v, (unsigned long long)value);
		sched_yield();
	}
}

/* Run fn in a child; it must end with status 0. */
static void in_child(void (*fn)(void *), void *arg)
{
	int status;
	pid_t pid = fork();

	must(pid >= 0);
	if (!pid) {
		fn(arg);
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid);
	if (status)
		fail("the child failed: %#x", status);
}

static void become_nobody(void)
{
	must(!setresgid(NOBODY, NOBODY, NOBODY));
	must(!setresuid(NOBODY, NOBODY, NOBODY));
}

/* ---- Cases -------------------------------------------------------------- */

static void case_info(void)
{
	struct toe_uapi_info info;
	int fd = toe_open_device();

	must(!ioctl(fd, TOE_IOC_INFO, &info));
	must(info.version == TOE_UAPI_VERSION);
	must(info.revision >> 16 == TOE_REVISION_MAJOR);
	must(info.caps & TOE_CAP_TCP);
	must(info.max_contexts >= 2 && info.max_conns >= 1);
	must(info.max_queue_log2 >= TOE_QUEUE_LOG2_MIN);
	must(!(info.mac[0] & 1));
	must(info.ifindex > 1);
	must_err(ioctl(fd, TOE_IOC_INFO, (void *)8), EFAULT);
	must_err(ioctl(fd, _IO(TOE_IOC_MAGIC, 0x7f), 0), ENOTTY);
	close(fd);
}

static void case_create_refused(void)
{
	struct toe_uapi_ctx a;
	int fd = toe_open_device();

#define refuse(field, value) \
	do { \
		a = good_args(); \
		a.field = (value); \
		must_err(ioctl(fd, TOE_IOC_CTX_CREATE, &a), EINVAL); \
	} while (0)
	refuse(rq_log2, TOE_QUEUE_LOG2_MIN - 1);
	refuse(rq_log2, TOE_QUEUE_LOG2_MAX + 1);
	refuse(cq_log2, 255);
	refuse(bq_small_log2, 0);
	refuse(bq_large_log2, 32);
	refuse(small_size, TOE_SMALL_MIN - 1);
	refuse(small_size, 8192);	/* above large_size */
	refuse(large_size, TOE_LARGE_MAX + 1);
	refuse(flags, 1);
	refuse(data_size, UINT64_MAX);
	refuse(data_size, UINT64_MAX - 4095);
	refuse(data_size, 1ull << 32);
#undef refuse
	must_err(ioctl(fd, TOE_IOC_CTX_CREATE, (void *)8), EFAULT);
	close(fd);
	wait_counter(TOE_CTR_CTX_ACTIVE, 1);
}

static void case_create(void)
{
	struct ctx c = ctx_open();
	struct toe_uapi_ctx again = good_args();
	const uint32_t off[] = { c.a.page_off, c.a.rq_off, c.a.cq_off,
				 c.a.bq_small_off, c.a.bq_large_off,
				 c.a.data_off };
	size_t i;

	for (i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		must(off[i] % 64 == 0);
		must(off[i] < c.a.mem_size);
	}
	must(c.a.data_off % 4096 == 0);
	must(c.a.data_off + c.a.data_size <= c.a.mem_size);
	must(c.a.ctx >= 1 && c.a.key != TOE_KEY_INVALID);
	must(c.a.rights == TOE_RIGHT_LOWPORT);
	must(c.a.max_conns > 0);
	must_err(ioctl(c.fd, TOE_IOC_CTX_CREATE, &again), EBUSY);
	for (i = 0; i < c.a.mem_size; i++)
		if (c.mem[i] && (i < 64 || i >= 128))
			fail("byte %zu of fresh memory is not zero", i);
	must(c.status->link == 1 && !(c.status->seq & 1));
	must(ctx_poll(&c) == 0);
	for (i = 0; i < 200; i++)
		ctx_works(&c);
	must(ctx_poll(&c) == 0);
	ctx_post_nop(&c, 1);
	ctx_next(&c);
	ctx_close(&c);
	wait_counter(TOE_CTR_CTX_ACTIVE, 1);
}

static void no_map(int fd, uint64_t off, size_t len, int prot, int flags)
{
	if (mmap(NULL, len, prot, flags, fd, off) != MAP_FAILED)
		fail("mmap of %zu at %#llx was allowed", len,
		     (unsigned long long)off);
}

static void case_mmap(void)
{
	struct ctx c = ctx_open();
	int rw = PROT_READ | PROT_WRITE;
	uint64_t pages = (c.a.mem_size + 4095) & ~4095ull;
	int fd = toe_open_device();
	uint8_t *m;

	/* Status: nobody may write. */
	no_map(c.fd, c.a.status_mmap, 4096, rw, MAP_SHARED);
	must_err(mprotect((void *)c.status, 4096, rw), EACCES);
	/* Doorbell: this page and no other. */
	no_map(c.fd, c.a.doorbell_mmap, 8192, rw, MAP_SHARED);
	no_map(c.fd, c.a.doorbell_mmap + 4096, 4096, rw, MAP_SHARED);
	no_map(c.fd, c.a.doorbell_mmap, 4096, rw, MAP_PRIVATE);
	/* Memory: within the object. */
	no_map(c.fd, c.a.mem_mmap, pages + 4096, rw, MAP_SHARED);
	no_map(c.fd, c.a.mem_mmap + pages, 4096, rw, MAP_SHARED);
	no_map(c.fd, c.a.mem_mmap, 4096, rw, MAP_PRIVATE);
	no_map(c.fd, 0, 4096, rw, MAP_SHARED);
	no_map(c.fd, c.a.mem_mmap + (1ull << 32), 4096, rw, MAP_SHARED);
	no_map(c.fd, 1ull << 62, 4096, rw, MAP_SHARED);
	/* A file without a context has nothing but the status page. */
	no_map(fd, c.a.doorbell_mmap, 4096, rw, MAP_SHARED);
	no_map(fd, c.a.mem_mmap, 4096, rw, MAP_SHARED);
	close(fd);
	/* A part of the object; pages come back after they were dropped. */
	m = mmap(NULL, 8192, rw, MAP_SHARED, c.fd, c.a.mem_mmap + c.a.data_off);
	must(m != MAP_FAILED);
	c.mem[c.a.data_off + 4100] = 77;
	must(m[4100] == 77);
	madvise(m, 8192, MADV_DONTNEED);
	must(m[4100] == 77);
	munmap(m, 8192);
	must(mremap((void *)c.db, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED);
	ctx_works(&c);
	ctx_close(&c);
}

static void case_mem(void)
{
	struct ctx c = ctx_open();
	uint64_t regions = counter(TOE_CTR_MEM_REGIONS);
	uint64_t pages = counter(TOE_CTR_MEM_PAGES);
	struct toe_uapi_mem m = { .access = TOE_MEM_READ };
	size_t len = 3 << 20;
	uint8_t *buf, *obj, *ro;

	/* With a page behind it that can't be had. */
	buf = mmap(NULL, len + 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(buf != MAP_FAILED);
	must(!mprotect(buf + len, 4096, PROT_NONE));
	m.addr = (uintptr_t)buf + 13;
	m.length = len - 100;
	must(!ioctl(c.fd, TOE_IOC_MEM_REG, &m));
	must(m.key != TOE_KEY_INVALID && m.key != c.a.key);
	must(counter(TOE_CTR_MEM_REGIONS) == regions + 1);
	must(!ioctl(c.fd, TOE_IOC_MEM_FREE, &m));
	must(counter(TOE_CTR_MEM_REGIONS) == regions);
	must(counter(TOE_CTR_MEM_PAGES) == pages);
	must_err(ioctl(c.fd, TOE_IOC_MEM_FREE, &m), ENOENT);

	/* Read-only memory may be read by the adapter, not written. */
	ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(ro != MAP_FAILED);
	m = (struct toe_uapi_mem) {
		.addr = (uintptr_t)ro, .length = 4096, .access = TOE_MEM_WRITE,
	};
	must_err(ioctl(c.fd, TOE_IOC_MEM_REG, &m), EFAULT);
	m.access = TOE_MEM_READ;
	must(!ioctl(c.fd, TOE_IOC_MEM_REG, &m));
	must(!ioctl(c.fd, TOE_IOC_MEM_FREE, &m));

	/* What makes no sense. */
#define refuse(a, l, acc, err) \
	do { \
		m = (struct toe_uapi_mem) { \
			.addr = (a), .length = (l), .access = (acc), \
		}; \
		must_err(ioctl(c.fd, TOE_IOC_MEM_REG, &m), err); \
	} while (0)
	refuse((uintptr_t)buf, 0, TOE_MEM_READ, EINVAL);
	refuse((uintptr_t)buf, 4096, 0, EINVAL);
	refuse((uintptr_t)buf, 4096, 4, EINVAL);
	refuse((uintptr_t)buf, UINT64_MAX, TOE_MEM_READ, EINVAL);
	refuse(UINT64_MAX - 10, 4096, TOE_MEM_READ, EINVAL);
	refuse((uintptr_t)buf + len - 4096, 1 << 20, TOE_MEM_READ, EFAULT);
	refuse(0, 4096, TOE_MEM_READ, EFAULT);
	refuse(0xffff888000000000, 4096, TOE_MEM_READ, EFAULT);
	refuse((uintptr_t)c.db, 4096, TOE_MEM_READ, EFAULT);
#undef refuse
	m = (struct toe_uapi_mem) { .key = c.a.key };
	must_err(ioctl(c.fd, TOE_IOC_MEM_FREE, &m), EBUSY);
	m.key = 0;
	must_err(ioctl(c.fd, TOE_IOC_MEM_FREE, &m), ENOENT);
	m.key = TOE_KEY_PHYS;
	must_err(ioctl(c.fd, TOE_IOC_MEM_FREE, &m), ENOENT);

	/* The driver's own memory; it stays mapped after it was freed. */
	m = (struct toe_uapi_mem) {
		.length = len, .access = TOE_MEM_READ | TOE_MEM_WRITE,
	};
	must(!ioctl(c.fd, TOE_IOC_MEM_ALLOC, &m));
	obj = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, c.fd, m.mmap);
	must(obj != MAP_FAILED);
	memset(obj, 0x5a, len);
	must(!ioctl(c.fd, TOE_IOC_MEM_FREE, &m));
	must(obj[len - 1] == 0x5a);
	no_map(c.fd, m.mmap, 4096, PROT_READ, MAP_SHARED);
	munmap(obj, len);
	munmap(ro, 4096);
	munmap(buf, len + 4096);
	must(counter(TOE_CTR_MEM_REGIONS) == regions);

	/* No context, no memory. */
	close(c.fd);
	c.fd = toe_open_device();
	must_err(ioctl(c.fd, TOE_IOC_MEM_ALLOC, &m), EINVAL);
	ctx_close(&c);
	wait_counter(TOE_CTR_CTX_ACTIVE, 1);
}

static void as_nobody(void *arg)
{
	struct toe_uapi_mem m = { .access = TOE_MEM_READ };
	struct rlimit rl = { 2 << 20, 2 << 20 };
	struct ctx c;
	time_t start;
	int i;

	(void)arg;
	must(!setrlimit(RLIMIT_MEMLOCK, &rl));
	become_nobody();
	c = ctx_open();
	must(c.a.rights == 0);
	m.length = 4 << 20;
	must_err(ioctl(c.fd, TOE_IOC_MEM_ALLOC, &m), ENOMEM);
	/* What a former context of this user had may still be on its way. */
	m.length = 1 << 20;
	for (start = time(NULL); ioctl(c.fd, TOE_IOC_MEM_ALLOC, &m);) {
		must(errno == ENOMEM && !late(start));
		sched_yield();
	}
	must(!ioctl(c.fd, TOE_IOC_MEM_FREE, &m));
	/* What was freed may be had again. */
	for (i = 0; i < 50; i++) {
		must(!ioctl(c.fd, TOE_IOC_MEM_ALLOC, &m));
		must(!ioctl(c.fd, TOE_IOC_MEM_FREE, &m));
	}
	/* Bound to fail before it has 4 MiB. */
	for (i = 0; i < 5 && !ioctl(c.fd, TOE_IOC_MEM_ALLOC, &m); i++)
		;
	must(i >= 1 && i < 5 && errno == ENOMEM);
	ctx_works(&c);
	ctx_close(&c);
}

static void case_unprivileged(void)
{
	uint64_t regions = counter(TOE_CTR_MEM_REGIONS);

	in_child(as_nobody, NULL);
	wait_counter(TOE_CTR_MEM_REGIONS, regions);
	/* The account is empty again, or this would fail. */
	in_child(as_nobody, NULL);
	wait_counter(TOE_CTR_MEM_REGIONS, regions);
}

static unsigned int read_param(const char *name)
{
	char path[128], buf[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/module/toe/parameters/%s", name);
	fd = open(path, O_RDONLY);
	must(fd >= 0);
	must(read(fd, buf, sizeof(buf) - 1) > 0);
	close(fd);
	return strtoul(buf, NULL, 10);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		fail("%s: %s", path, strerror(errno));
	if (write(fd, text, strlen(text)) < 0)
		fail("write to %s: %s", path, strerror(errno));
	close(fd);
}

static void case_quota(void)
{
	const char *path = "/sys/module/toe/parameters/user_contexts";
	struct ctx c[4];
	struct toe_uapi_ctx a = good_args();
	char old[32];
	int fd = toe_open_device(), i;

	wait_counter(TOE_CTR_CTX_ACTIVE, 1);
	snprintf(old, sizeof(old), "%u", read_param("user_contexts"));
	write_file(path, "4");
	for (i = 0; i < 4; i++)
		c[i] = ctx_open();
	must(c[0].a.ctx != c[1].a.ctx && c[0].a.key != c[1].a.key);
	must_err(ioctl(fd, TOE_IOC_CTX_CREATE, &a), EDQUOT);
	ctx_close(&c[0]);
	wait_counter(TOE_CTR_CTX_ACTIVE, 4);
	/* The driver counts it out after the adapter does. */
	for (time_t start = time(NULL); ioctl(fd, TOE_IOC_CTX_CREATE, &a);) {
		must(errno == EDQUOT && !late(start));
		sched_yield();
	}
	for (i = 1; i < 4; i++)
		ctx_close(&c[i]);
	close(fd);
	write_file(path, old);
	wait_counter(TOE_CTR_CTX_ACTIVE, 1);
}

static void case_lists(void)
{
	struct toe_uapi_ctx_stat st[8];
	struct toe_hw_conn_info conns[8];
	struct toe_uapi_list l = { .addr = (uintptr_t)st, .count = 8 };
	struct ctx c = ctx_open();
	bool found = false;
	uint32_t i, n = 0;

	/* One at a time, so that going on is tried as well. */
	do {
		l.count = 1;
		l.addr = (uintptr_t)&st[n];
		must(!ioctl(c.fd, TOE_IOC_CTXS, &l));
		must(l.count <= 1);
		n += l.count;
	} while (l.start && n < 8);
	must(n == 2);
	for (i = 0; i < n; i++) {
		if (st[i].ctx != c.a.ctx)
			continue;
		found = true;
		must(st[i].pid == getpid());
		must(st[i].uid == getuid());
		must(st[i].rights == c.a.rights);
		must(st[i].pinned >= c.a.mem_size);
		must(!strncmp(st[i].comm, "driver_abi", 10));
		must(st[i].flags == TOE_CTX_INFO_ACTIVE);
	}
	must(found);
	l = (struct toe_uapi_list) { .addr = (uintptr_t)conns, .count = 8 };
	must(!ioctl(c.fd, TOE_IOC_CONNS, &l));
	l = (struct toe_uapi_list) { .addr = 8, .count = 1 };
	must_err(ioctl(c.fd, TOE_IOC_CTXS, &l), EFAULT);
	ctx_close(&c);
	wait_counter(TOE_CTR_CTX_ACTIVE, 1);
}

static void child_uses(void *arg)
{
	struct ctx *c = arg;

	ctx_works(c);
}

/* A context belongs to the open file: whoever has it may use it. */
static void case_shared(void)
{
	struct ctx c = ctx_open();
	uint64_t active = counter(TOE_CTR_CTX_ACTIVE);
	int pipes[2], status;
	pid_t pid;
	char b;

	in_child(child_uses, &c);
	must(counter(TOE_CTR_CTX_ACTIVE) == active);
	ctx_works(&c);
	/* It lives in the child when the parent has closed it. */
	must(!pipe(pipes));
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		close(pipes[1]);
		must(read(pipes[0], &b, 1) == 0);
		ctx_works(&c);
		_exit(0);
	}
	close(pipes[0]);
	ctx_close(&c);
	close(pipes[1]);
	must(waitpid(pid, &status, 0) == pid && !status);
	wait_counter(TOE_CTR_CTX_ACTIVE, active - 1);

	/* A mapping alone holds it as well. */
	c = ctx_open();
	close(c.fd);
	must(counter(TOE_CTR_CTX_ACTIVE) == active);
	munmap((void *)c.db, 4096);
	munmap((void *)c.status, 4096);
	munmap(c.mem, c.a.mem_size);
	wait_counter(TOE_CTR_CTX_ACTIVE, active - 1);
}

static void case_killed(void)
{
	uint64_t regions = counter(TOE_CTR_MEM_REGIONS);
	int pipes[2], i;
	char b;

	for (i = 0; i < 200; i++) {
		pid_t pid;

		must(!pipe(pipes));
		pid = fork();
		must(pid >= 0);
		if (!pid) {
			struct toe_uapi_mem m = {
				.length = 100000, .access = TOE_MEM_WRITE,
			};
			struct ctx c = ctx_open();

			m.addr = (uintptr_t)malloc(m.length);
			must(!ioctl(c.fd, TOE_IOC_MEM_REG, &m));
			must(!ioctl(c.fd, TOE_IOC_MEM_ALLOC, &m));
			must(write(pipes[1], "x", 1) == 1);
			for (;;)
				ctx_works(&c);
		}
		close(pipes[1]);
		must(read(pipes[0], &b, 1) == 1);
		must(!kill(pid, SIGKILL));
		must(waitpid(pid, NULL, 0) == pid);
		close(pipes[0]);
	}
	wait_counter(TOE_CTR_CTX_ACTIVE, 1);
	wait_counter(TOE_CTR_MEM_REGIONS, regions);
}

/* Nonsense in the page and at the doorbell hurts nobody else. */
static void case_hostile(void)
{
	struct ctx good = ctx_open(), bad = ctx_open();
	struct pollfd p = { .fd = bad.fd, .events = POLLIN };
	int i;

	for (i = 0; i < 1024; i++)
		bad.db[i] = 0xfffffff0 + i;
	ctx_works(&good);
	/* Indices that promise more than the ring holds stop the context. */
	bad.db[TOE_DB_CQ_ARM / 4] = bad.page->cq_tail;
	bad.page->rq_tail += 1000;
	bad.db[TOE_DB_RQ / 4] = 0;
	must(poll(&p, 1, LIMIT_S * 1000) == 1);
	must(p.revents & POLLERR);
	ctx_works(&good);
	memset((void *)bad.page, 0xff, sizeof(*bad.page));
	for (i = 0; i < 1024; i++)
		bad.db[i] = i;
	ctx_works(&good);
	ctx_close(&bad);
	ctx_works(&good);
	ctx_close(&good);
	wait_counter(TOE_CTR_CTX_ACTIVE, 1);
}

/* The adapter's folder in sysfs; the interface is not named by us. */
static void pci_path(char *out, size_t size, const char *what)
{
	glob_t g;

	must(!glob("/sys/bus/pci/drivers/toe/0*", 0, NULL, &g));
	must(g.gl_pathc == 1);
	snprintf(out, size, "%s/%s", g.gl_pathv[0], what);
	globfree(&g);
}

static void must_be_dead(struct ctx *c, uint32_t epoch, int err)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	struct toe_uapi_mem m = { .length = 4096, .access = TOE_MEM_READ };
	struct toe_hw_req *rq = (void *)(c->mem + c->a.rq_off);

	must(poll(&p, 1, LIMIT_S * 1000) == 1);
	must(p.revents & POLLERR);
	must(c->status->epoch != epoch);
	must(c->page->fault);
	must_err(ioctl(c->fd, TOE_IOC_MEM_ALLOC, &m), err);
	/* No signal for who does not know yet. */
	rq[0].opcode = 0;
	c->page->rq_tail++;
	c->db[TOE_DB_RQ / 4] = 1;
	c->db[TOE_DB_CQ_ARM / 4] = 1;
	ctx_close(c);
}

static void case_reset(void)
{
	struct ctx c = ctx_open(), d;
	uint32_t epoch = c.status->epoch;
	struct toe_uapi_mem m = { .length = 1 << 20, .access = TOE_MEM_WRITE };
	char path[256];

	m.addr = (uintptr_t)malloc(m.length);
	must(!ioctl(c.fd, TOE_IOC_MEM_REG, &m));
	ctx_works(&c);
	pci_path(path, sizeof(path), "reset");
	write_file(path, "1");
	must_be_dead(&c, epoch, EIO);
	/* It goes on with a new one. */
	d = ctx_open();
	ctx_works(&d);
	must(d.status->epoch != epoch);
	ctx_close(&d);
	free((void *)(uintptr_t)m.addr);
	wait_counter(TOE_CTR_CTX_ACTIVE, 1);
}

/* Take the adapter away with a context open, and bring it back. */
static void case_remove(void)
{
	struct ctx c = ctx_open();
	struct toe_uapi_ctx a = good_args();
	struct toe_uapi_info info;
	uint32_t epoch = c.status->epoch;
	char path[256];
	int fd = toe_open_device();
	time_t start;

	must(syscall(SYS_delete_module, "toe", O_NONBLOCK) == -1);
	must(errno == EWOULDBLOCK || errno == EBUSY);
	ctx_works(&c);
	pci_path(path, sizeof(path), "remove");
	write_file(path, "1");
	must(access("/dev/toe0", F_OK) == -1);
	must_err(ioctl(fd, TOE_IOC_INFO, &info), ENODEV);
	must_err(ioctl(fd, TOE_IOC_CTX_CREATE, &a), ENODEV);
	close(fd);
	must_be_dead(&c, epoch, ENODEV);
	write_file("/sys/bus/pci/rescan", "1");
	for (start = time(NULL); access("/dev/toe0", R_OK); sched_yield())
		must(!late(start));
	c = ctx_open();
	ctx_works(&c);
	ctx_close(&c);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "info", case_info },
	{ "create_refused", case_create_refused },
	{ "create", case_create },
	{ "mmap", case_mmap },
	{ "mem", case_mem },
	{ "unprivileged", case_unprivileged },
	{ "quota", case_quota },
	{ "lists", case_lists },
	{ "shared", case_shared },
	{ "killed", case_killed },
	{ "hostile", case_hostile },
	{ "reset", case_reset },
	{ "remove", case_remove },
};

int main(int argc, char **argv)
{
	size_t i;
	int j;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (j = 1; j < argc; j++)
			if (!strcmp(argv[j], cases[i].name))
				break;
		if (argc > 1 && j == argc)
			continue;
		now_running = cases[i].name;
		printf("%s\n", now_running);
		/* Only the kernel's own: what was before has drained. */
		wait_counter(TOE_CTR_CTX_ACTIVE, 1);
		cases[i].run();
	}
	return 0;
}
