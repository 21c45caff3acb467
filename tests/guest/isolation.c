// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * isolation - application A goes after application B.
 *
 *   isolation ADDR PORT        (a server of flows)
 *
 * B is a process with a context of libtoe and a transfer under way, half
 * copied, half from registered memory.  It tells A everything that A could
 * guess: the number of its context, its handles, the key of its memory.
 * A is an unprivileged process that writes its queues by hand (libraw.h) and
 * tries all that the contracts forbid.  Each try must be refused with the
 * right status and counted; B must end with every byte right, without
 * an event that it did not ask for, and the memory it registered for receiving
 * untouched.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libapp.h"
#include "libcounters.h"
#include "libraw.h"

#define B_CONNS		4u
#define B_BYTES		(12ull << 20)
#define SECRET_SIZE	65536u
#define SECRET_SEED	4711u
#define A_BYTES		300000u
#define NOBODY		65534

/* What B tells A. */
struct secrets {
	uint32_t ctx;
	uint32_t send_key, recv_key;
	uint32_t handle[B_CONNS];
};

static struct sockaddr_in server;
static unsigned int checks;

#define CHECK(cond, ...) do {						\
	checks++;							\
	if (!(cond)) {							\
		printf("FAILED: " __VA_ARGS__);				\
		printf(" (%s, line %d)\n", #cond, __LINE__);		\
		fflush(stdout);						\
		exit(1);						\
	}								\
} while (0)

/* ---- B ------------------------------------------------------------------ */

struct pause {
	int tell, go;			/* pipes */
	struct secrets secrets;
	unsigned int stage;
};

/*
 * At a quarter: tell A all, and go on when A is through.  At three quarters:
 * wait until A is through for the second time.
 */
static void b_progress(struct app *app, void *arg)
{
	struct pause *p = arg;
	char c;

	if (p->stage == 2 ||
	    app->moved < (p->stage ? 6 : 2) * B_CONNS * (B_BYTES / 4))
		return;
	if (!p->stage++ && write(p->tell, &p->secrets, sizeof(p->secrets)) !=
	    sizeof(p->secrets))
		app_die("B: A is gone");
	if (read(p->go, &c, 1) != 1)
		app_die("B: A is gone");
}

static void b_main(int tell, int go)
{
	struct pause p = { .tell = tell, .go = go };
	struct toe_conn_stats cs;
	struct toe_mem *secret;
	struct toe_stats st;
	struct app app;
	unsigned int i;
	int ret;

	app_open(&app, NULL, B_CONNS);
	app_use_mem(&app, true);
	ret = toe_mem_alloc(app.toe, SECRET_SIZE,
			    TOE_MEM_F_SEND | TOE_MEM_F_RECV, &secret);
	if (ret)
		app_die("B: memory: %s", toe_strerror(ret));
	stream_fill(SECRET_SEED, 0, toe_mem_addr(secret), SECRET_SIZE);
	app.held = true;
	for (i = 0; i < B_CONNS; i++) {
		struct flow f;

		flow_client(&f, 100 + i, B_BYTES, B_BYTES, FLOW_F_VERDICT);
		app_connect(&app, i, &server, &f);
	}
	while (app.connected < B_CONNS && !app.failed)
		app_step(&app);
	p.secrets.ctx = toe_id(app.toe);
	p.secrets.send_key = toe_mem_key(app.mem);
	p.secrets.recv_key = toe_mem_key(secret);
	for (i = 0; i < B_CONNS && !app.failed; i++) {
		toe_conn_stats(app.conns[i].conn, &cs, sizeof(cs));
		p.secrets.handle[i] = cs.handle;
	}
	app.progress = b_progress;
	app.progress_arg = &p;
	app_release(&app);
	app_run(&app, B_CONNS);
	toe_stats(app.toe, &st, sizeof(st));
	if (app.failed || p.stage != 2 || st.bad || st.stale)
		app_die("B: %u connections failed, %llu bad and %llu stale completions",
			app.failed, (unsigned long long)st.bad,
			(unsigned long long)st.stale);
	if (stream_check(SECRET_SEED, 0, toe_mem_addr(secret), SECRET_SIZE) !=
	    SECRET_SIZE)
		app_die("B: somebody wrote into my memory");
	toe_mem_free(secret);
	app_close(&app);
	exit(0);
}

/* ---- A ------------------------------------------------------------------ */

static struct toe_hw_req send_of(uint32_t handle, uint32_t key,
				 uint64_t offset, uint32_t length)
{
	struct toe_hw_req req = {
		.opcode = TOE_OP_SEND, .npieces = 1, .handle = handle,
	};

	req.u.piece[0] = (struct toe_hw_piece){ key, length, offset };
	return req;
}

/* B's handles with every operation there is. */
static void a_handles(struct raw *r, const struct secrets *b)
{
	static const uint8_t ops[] = {
		TOE_OP_ACCEPT, TOE_OP_SEND, TOE_OP_CREDIT, TOE_OP_SHUTDOWN,
		TOE_OP_CLOSE, TOE_OP_ABORT, TOE_OP_SETOPT, TOE_OP_GETOPT,
	};
	unsigned int i, k;

	for (k = 0; k < B_CONNS; k++) {
		for (i = 0; i < sizeof(ops); i++) {
			struct toe_hw_req req = { .handle = b->handle[k] };
			uint8_t st;

			if (ops[i] == TOE_OP_SEND)
				req = send_of(b->handle[k], r->u.key,
					      r->u.data_off, 100);
			else if (ops[i] == TOE_OP_CREDIT ||
				 ops[i] == TOE_OP_ACCEPT)
				req.u.credit.credit = 1000;
			else if (ops[i] == TOE_OP_SETOPT ||
				 ops[i] == TOE_OP_GETOPT)
				req.u.opt.option = TOE_OPT_NODELAY;
			req.opcode = ops[i];
			st = raw_do(r, req);
			CHECK(st == TOE_ST_OWNER,
			      "opcode %#x on B's handle: status %u", ops[i],
			      st);
		}
	}
}

/* B's memory as the source of a SEND, and what only looks like A's own. */
static void a_keys(struct raw *r, const struct secrets *b, uint32_t handle)
{
	struct toe_hw_piece *list = (void *)(r->mem + r->u.data_off);
	struct toe_hw_req req;
	uint32_t i, gen;
	uint8_t st;

	st = raw_do(r, send_of(handle, b->send_key, 0, 100));
	CHECK(st == TOE_ST_OWNER, "SEND from B's memory: status %u", st);
	st = raw_do(r, send_of(handle, b->recv_key, 0, 100));
	CHECK(st == TOE_ST_OWNER, "SEND from B's secret: status %u", st);

	/* Second piece of three, and hidden in a list. */
	req = send_of(handle, r->u.key, r->u.data_off, 100);
	req.npieces = 3;
	req.u.piece[1] = (struct toe_hw_piece){ b->recv_key, 100, 0 };
	req.u.piece[2] = req.u.piece[0];
	st = raw_do(r, req);
	CHECK(st == TOE_ST_OWNER, "B's memory as second piece: status %u", st);
	list[0] = (struct toe_hw_piece){ r->u.key, 64, r->u.data_off + 4096 };
	list[1] = (struct toe_hw_piece){ b->recv_key, 64, 0 };
	req = send_of(handle, r->u.key, r->u.data_off, 2 * sizeof(list[0]));
	req.flags = TOE_REQ_F_LIST;
	req.npieces = 2;
	st = raw_do(r, req);
	CHECK(st == TOE_ST_OWNER, "B's memory in a list: status %u", st);
	req = send_of(handle, b->recv_key, 0, 2 * sizeof(list[0]));
	req.flags = TOE_REQ_F_LIST;
	req.npieces = 2;
	st = raw_do(r, req);
	CHECK(st == TOE_ST_OWNER, "a list in B's memory: status %u", st);

	/* Own memory, wrong generation, outside, around the end. */
	st = raw_do(r, send_of(handle, r->u.key ^ 1u << TOE_INDEX_BITS,
			       r->u.data_off, 100));
	CHECK(st == TOE_ST_KEY, "stale generation: status %u", st);
	st = raw_do(r, send_of(handle, r->u.key, r->u.mem_size - 99, 100));
	CHECK(st == TOE_ST_BOUNDS, "one byte too far: status %u", st);
	st = raw_do(r, send_of(handle, r->u.key, UINT64_MAX - 49, 100));
	CHECK(st == TOE_ST_BOUNDS, "offset overflows: status %u", st);
	st = raw_do(r, send_of(handle, TOE_KEY_PHYS, 0x100000, 100));
	CHECK(st == TOE_ST_PERM || st == TOE_ST_KEY,
	      "bus address without the right: status %u", st);
	st = raw_do(r, send_of(handle, TOE_KEY_INVALID, 0, 100));
	CHECK(st == TOE_ST_KEY, "key 0: status %u", st);

	/* Whatever key A guesses, only its own opens. */
	for (i = 0; i < 64; i++) {
		for (gen = 0; gen < 4; gen++) {
			uint32_t key = TOE_HANDLE(i, gen);

			if (key == r->u.key)
				continue;
			st = raw_do(r, send_of(handle, key, 0, 1));
			CHECK(st == TOE_ST_KEY || st == TOE_ST_OWNER,
			      "guessed key %#x: status %u", key, st);
		}
	}
}

static void a_malformed(struct raw *r, uint32_t handle)
{
	struct toe_hw_req req = { .opcode = 0x7f };
	uint8_t st;

	st = raw_do(r, req);
	CHECK(st == TOE_ST_INVALID, "unknown opcode: status %u", st);
	req = (struct toe_hw_req){ .opcode = TOE_OP_NOP, .flags = 0x80 };
	st = raw_do(r, req);
	CHECK(st == TOE_ST_INVALID, "unknown flag: status %u", st);
	req = (struct toe_hw_req){ .opcode = TOE_OP_SHUTDOWN, .handle = handle };
	req.u.raw[40] = 1;
	st = raw_do(r, req);
	CHECK(st == TOE_ST_INVALID, "reserved field: status %u", st);
	req = send_of(handle, r->u.key, r->u.data_off, 0);
	st = raw_do(r, req);
	CHECK(st == TOE_ST_INVALID, "empty piece: status %u", st);
	req = send_of(0, r->u.key, r->u.data_off, 60);
	req.opcode = TOE_OP_ETH_SEND;
	st = raw_do(r, req);
	CHECK(st == TOE_ST_PERM, "raw Ethernet: status %u", st);
	req = (struct toe_hw_req){ .opcode = TOE_OP_LISTEN };
	req.u.listen.family = TOE_AF_INET;
	req.u.listen.lport = 80;
	req.u.listen.backlog = 1;
	st = raw_do(r, req);
	CHECK(st == TOE_ST_PERM, "listen on port 80: status %u", st);
	req = send_of(TOE_HANDLE(0xfffff, 3), r->u.key, r->u.data_off, 10);
	st = raw_do(r, req);
	CHECK(st == TOE_ST_HANDLE, "handle out of range: status %u", st);
}

/* The driver: mappings and ioctls that name what is B's. */
static void a_driver(struct raw *r, const struct secrets *b)
{
	struct toe_uapi_mem mem = { .key = b->send_key };
	long n;
	void *p;
	int i;

	CHECK(ioctl(r->fd, TOE_IOC_MEM_FREE, &mem) && errno == ENOENT,
	      "TOE_IOC_MEM_FREE of B's key: errno %d", errno);
	CHECK(ioctl(r->fd, TOE_IOC_CTX_CREATE, &r->u) && errno == EBUSY,
	      "a second context on one file: errno %d", errno);
	/* Doorbells of all contexts lie side by side on the adapter. */
	for (n = -64; n <= 1024; n++) {
		if (!n)
			continue;
		p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
			 r->u.doorbell_mmap + n * 4096);
		CHECK(p == MAP_FAILED, "doorbell page %ld can be mapped", n);
	}
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		 r->u.doorbell_mmap);
	CHECK(p == MAP_FAILED, "two doorbell pages can be mapped");
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		 r->u.status_mmap);
	CHECK(p == MAP_FAILED, "the status page can be mapped for writing");
	CHECK(mprotect((void *)r->status, 4096, PROT_READ | PROT_WRITE),
	      "the status page can be made writable");
	/* B's memory object has an offset of its own; A's file has no such. */
	for (i = 0; i < 256; i++) {
		uint64_t off = (uint64_t)i << 32;

		if (off == r->u.mem_mmap || off == r->u.doorbell_mmap ||
		    off == r->u.status_mmap)
			continue;
		p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r->fd, off);
		CHECK(p == MAP_FAILED, "offset %#llx can be mapped",
		      (unsigned long long)off);
	}
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r->fd,
		 r->u.mem_mmap + r->u.mem_size);
	CHECK(p == MAP_FAILED, "the page behind the own memory can be mapped");
	p = mremap(r->mem, r->u.mem_size, r->u.mem_size + 4096, MREMAP_MAYMOVE);
	CHECK(p == MAP_FAILED, "the own mapping can grow");
	p = mremap((void *)r->doorbell, 4096, 8192, MREMAP_MAYMOVE);
	CHECK(p == MAP_FAILED, "the doorbell mapping can grow");
}

/* Through sysfs and around the driver. */
static void a_sysfs(const char *pci)
{
	static const char *const files[] = {
		"resource0", "resource2", "resource4", "config",
	};
	char path[300];
	unsigned int i;
	int fd;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", pci, files[i]);
		fd = open(path, O_RDWR);
		CHECK(fd < 0 && (errno == EACCES || errno == ENOENT),
		      "%s can be opened by nobody", path);
	}
}

static void a_doorbells(struct raw *r)
{
	uint32_t reg;
	uint8_t st;

	for (reg = 0; reg < 4096; reg += 4)
		raw_ring(r, reg, 0xdeadbeef);
	st = raw_do(r, (struct toe_hw_req){ .opcode = TOE_OP_NOP });
	CHECK(st == TOE_ST_OK, "NOP after wild doorbells: status %u", st);
}

/* Receive buffers that lie in B's memory: data of A's connection comes. */
static void a_buffers(const struct secrets *b, uint32_t key, uint32_t expect,
		      uint64_t offset)
{
	struct flow f;
	struct raw r;
	uint32_t handle, fault;
	int ret = raw_open(&r);

	(void)b;
	CHECK(!ret, "a second context of A: %d", ret);
	raw_buffer(&r, false, key, offset, 1);
	raw_buffer(&r, true, key, offset, 2);
	handle = raw_connect(&r, &server, A_BYTES);
	CHECK(handle, "A cannot connect");
	flow_client(&f, 900, 0, A_BYTES, 0);
	flow_next(&f, r.mem + r.u.data_off, sizeof(f.hdr));
	ret = raw_do(&r, send_of(handle, r.u.key, r.u.data_off,
				 sizeof(f.hdr)));
	CHECK(ret == TOE_ST_OK, "A's own SEND: status %u", ret);
	fault = raw_fault(&r);
	CHECK(fault == expect, "receive buffer with key %#x: fault %u", key,
	      fault);
	raw_close(&r);
}

/* Ring indices that claim more than the ring holds. */
static void a_rings(void)
{
	int which;

	for (which = 0; which < 4; which++) {
		struct raw r;
		struct pollfd p;
		uint32_t fault;
		int ret = raw_open(&r);

		CHECK(!ret, "a context of A: %d", ret);
		switch (which) {
		case 0:
			r.page->rq_tail = 0x80000000;
			raw_ring(&r, TOE_DB_RQ, 0);
			break;
		case 1:
			r.page->rq_tail = (1u << RAW_LOG2) + 1;
			raw_ring(&r, TOE_DB_RQ, 0);
			break;
		case 2:
			r.page->bq_small_tail = 0xffffff00;
			raw_ring(&r, TOE_DB_BQ, 0);
			break;
		case 3:
			r.page->cq_head = 1234567;
			raw_post(&r, &(struct toe_hw_req){
				 .opcode = TOE_OP_NOP });
			break;
		}
		fault = raw_fault(&r);
		/* Buffer rings are looked at when data comes. */
		if (which != 2)
			CHECK(fault == TOE_ST_BOUNDS,
			      "wild index %d: fault %u", which, fault);
		p = (struct pollfd){ .fd = r.fd, .events = POLLIN };
		if (fault)
			CHECK(poll(&p, 1, RAW_WAIT_MS) == 1 &&
			      p.revents & POLLERR,
			      "poll of a stopped context says %#x", p.revents);
		raw_close(&r);
	}
}

static void become_nobody(void)
{
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		app_die("cannot become nobody: %s", strerror(errno));
}

static void expect_moved(const struct counters *was, enum toe_counter i,
			 uint64_t min)
{
	struct counters now;

	counters_read(&now);
	CHECK(now.v[i] - was->v[i] >= min, "%s went from %llu to %llu",
	      counter_names[i], (unsigned long long)was->v[i],
	      (unsigned long long)now.v[i]);
}

static void a_main(const struct secrets *b, const char *pci)
{
	struct counters was;
	uint32_t handle;
	struct raw r;
	int ret;

	become_nobody();
	counters_read(&was);
	ret = raw_open(&r);
	CHECK(!ret, "A cannot have a context: %s", strerror(-ret));
	CHECK(r.u.ctx != b->ctx, "A and B have the same context");
	handle = raw_connect(&r, &server, 0);
	CHECK(handle, "A cannot connect");

	a_handles(&r, b);
	expect_moved(&was, TOE_CTR_VIOL_OWNER, 8 * B_CONNS);
	counters_read(&was);
	a_keys(&r, b, handle);
	expect_moved(&was, TOE_CTR_VIOL_OWNER, 5);
	expect_moved(&was, TOE_CTR_VIOL_KEY, 2);
	expect_moved(&was, TOE_CTR_VIOL_BOUNDS, 2);
	a_malformed(&r, handle);
	expect_moved(&was, TOE_CTR_VIOL_REQUEST, 4);
	expect_moved(&was, TOE_CTR_VIOL_PERM, 2);
	expect_moved(&was, TOE_CTR_VIOL_HANDLE, 1);
	a_driver(&r, b);
	a_sysfs(pci);
	a_doorbells(&r);

	counters_read(&was);
	a_buffers(b, b->recv_key, TOE_ST_OWNER, 0);
	a_buffers(b, b->send_key, TOE_ST_OWNER, 0);
	a_buffers(b, TOE_KEY_INVALID, TOE_ST_KEY, 0);
	expect_moved(&was, TOE_CTR_VIOL_OWNER, 2);
	a_rings();
	expect_moved(&was, TOE_CTR_VIOL_RING, 3);
	raw_close(&r);
	printf("isolation: A was refused %u times\n", checks);
	fflush(stdout);
	exit(0);
}

static int ended(pid_t pid, const char *who)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		app_die("waitpid: %s", strerror(errno));
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	printf("%s failed: %s %d\n", who, WIFSIGNALED(status) ? "signal" :
	       "status", WIFSIGNALED(status) ? WTERMSIG(status) :
	       WEXITSTATUS(status));
	return 1;
}

int main(int argc, char **argv)
{
	int tell[2], go[2], bad;
	struct secrets s;
	struct counters was;
	char *pci = NULL, link[300];
	pid_t a, b;

	if (argc != 3) {
		fprintf(stderr, "usage: isolation ADDR PORT\n");
		return 2;
	}
	server = app_addr(argv[1], argv[2]);
	snprintf(link, sizeof(link), "/sys/class/misc/toe0/device");
	pci = realpath(link, NULL);
	if (!pci)
		app_die("%s: %s", link, strerror(errno));
	counters_read(&was);
	if (pipe(tell) || pipe(go))
		app_die("pipe: %s", strerror(errno));
	fflush(stdout);
	b = fork();
	if (b == 0) {
		close(tell[0]);
		close(go[1]);
		b_main(tell[1], go[0]);
	}
	close(tell[1]);
	close(go[0]);
	if (read(tell[0], &s, sizeof(s)) != sizeof(s))
		app_die("B told nothing");
	printf("isolation: B is context %u, keys %#x %#x, first handle %#x\n",
	       s.ctx, s.send_key, s.recv_key, s.handle[0]);
	fflush(stdout);
	/* Once while B stands still, once while it runs. */
	a = fork();
	if (a == 0)
		a_main(&s, pci);
	bad = ended(a, "A");
	if (write(go[1], "x", 1) != 1)
		app_die("B is gone");
	fflush(stdout);
	a = fork();
	if (a == 0)
		a_main(&s, pci);
	bad |= ended(a, "A, while B runs");
	if (write(go[1], "x", 1) != 1)
		app_die("B is gone");
	bad |= ended(b, "B");
	if (!bad && !counters_settle(&was, COUNTERS_CONTEXTS, 30))
		bad = 1;
	if (!bad)
		printf("isolation: B saw nothing of it\n");
	return bad;
}
