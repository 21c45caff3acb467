// SPDX-License-Identifier: MIT
/*
 * context.c - the life of a context: open, map, set up, close.
 *
 * toe_open() speaks with the driver; toe_attach() makes a context of memory
 * that is there already, and is what tests use with a fake adapter behind it.
 * Everything the data path will need is allocated here, because later calls
 * must not make system calls.  The data area of the memory object holds small
 * receive buffers, large ones, the staging memory, and a page for answers of the
 * adapter (info.c), in this order.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

#define PAGE			4096u
#define DEFAULT_DEVICE		"/dev/toe0"
#define SENDS_MAX		65536u
#define STAGING_MAX		(64u << 20)
#define CONNS_MAX		(1u << 20)
#define COUNT_MAX		(1u << TOE_QUEUE_LOG2_MAX)

static uint64_t page_up(uint64_t n)
{
	return (n + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static uint8_t log2_of(uint32_t n)
{
	return (uint8_t)__builtin_ctz(n);
}

static bool ring_ok(uint32_t n)
{
	return n >= 1u << TOE_QUEUE_LOG2_MIN && n <= COUNT_MAX &&
	       !(n & (n - 1));
}

int toe_config_resolve(struct toe_config *out, const struct toe_config *in)
{
	static const struct toe_config zero;
	struct toe_config c = in ? *in : zero;

	if (memcmp(c.rsvd, zero.rsvd, sizeof(c.rsvd)) ||
	    (c.flags & ~TOE_CFG_SPIN))
		return -EINVAL;
	if (!c.device)
		c.device = getenv("TOE_DEVICE");
	if (!c.device || !*c.device)
		c.device = DEFAULT_DEVICE;
#define DEFAULT(field, value) do { if (!c.field) c.field = (value); } while (0)
	DEFAULT(requests, 256);
	DEFAULT(completions, 1024);
	DEFAULT(small_count, 256);
	DEFAULT(small_size, 2048);
	DEFAULT(large_count, 64);
	DEFAULT(large_size, 65536);
	DEFAULT(staging, 1u << 20);
	DEFAULT(max_conns, 1024);
	DEFAULT(credit, 1u << 20);
	DEFAULT(spin, 20000);
#undef DEFAULT
	if (!ring_ok(c.requests) || !ring_ok(c.completions) ||
	    !ring_ok(c.small_count) || !ring_ok(c.large_count) ||
	    c.small_size < TOE_SMALL_MIN || c.small_size > TOE_LARGE_MAX ||
	    c.large_size < c.small_size || c.large_size > TOE_LARGE_MAX ||
	    c.staging < TOE_STAGE_SLOT || c.staging > STAGING_MAX ||
	    c.max_conns > CONNS_MAX)
		return -EINVAL;
	c.staging = (uint32_t)page_up(c.staging);
	*out = c;
	return 0;
}

uint64_t toe_config_data_size(const struct toe_config *cfg)
{
	return page_up((uint64_t)cfg->small_count * cfg->small_size) +
	       page_up((uint64_t)cfg->large_count * cfg->large_size) +
	       cfg->staging + page_up(sizeof(struct toe_hw_tcp_info));
}

/*
 * Should a spinning loop use the pause instruction?  It helps a hyperthread
 * sibling, but QEMU's translator leaves its loop and takes the big lock for
 * it, which would slow down the adapter that we are waiting for.
 */
static bool pause_is_good(void)
{
#if defined(__x86_64__) || defined(__i386__)
	uint32_t a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if (!(c & 1u << 31))
		return true;		/* no hypervisor */
	a = 0x40000000;
	c = 0;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return b != 0x54474354;		/* "TCGT" */
#else
	return true;
#endif
}

/* Are all parts of the memory object where they can be? */
static bool layout_ok(const struct toe_config *cfg,
		      const struct toe_uapi_ctx *u)
{
	const struct {
		uint64_t off, size, align;
	} parts[] = {
		{ u->page_off, sizeof(struct toe_hw_ctx_page), 64 },
		{ u->rq_off, (uint64_t)cfg->requests * 64, 64 },
		{ u->cq_off, (uint64_t)cfg->completions * 64, 64 },
		{ u->bq_small_off, (uint64_t)cfg->small_count * 16, 64 },
		{ u->bq_large_off, (uint64_t)cfg->large_count * 16, 64 },
		{ u->data_off, toe_config_data_size(cfg), 64 },
	};
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].off % parts[i].align ||
		    parts[i].off > u->mem_size ||
		    parts[i].size > u->mem_size - parts[i].off)
			return false;
	return u->mem_size <= UINT32_MAX;
}

static void map_data(struct toe *t, const struct toe_config *cfg,
		     const struct toe_uapi_ctx *u)
{
	uint8_t *mem = t->mem;
	uint32_t off = u->data_off;

	t->buf_off[0] = off;
	off += (uint32_t)page_up((uint64_t)cfg->small_count * cfg->small_size);
	t->buf_off[1] = off;
	off += (uint32_t)page_up((uint64_t)cfg->large_count * cfg->large_size);
	t->stage_off = off;
	t->info_off = off + cfg->staging;
	t->buf_base[0] = mem + t->buf_off[0];
	t->buf_base[1] = mem + t->buf_off[1];
	t->stage = mem + t->stage_off;
	t->buf_size[0] = cfg->small_size;
	t->buf_size[1] = cfg->large_size;
	t->bq_size[0] = cfg->small_count;
	t->bq_size[1] = cfg->large_count;
	t->nbufs = cfg->small_count + cfg->large_count;
	t->stage_slots = t->stage_free = cfg->staging / TOE_STAGE_SLOT;
	/* No more than half of what the buffers hold: others read, too. */
	t->credit_max = (cfg->small_count * cfg->small_size) / 2 +
			(cfg->large_count * cfg->large_size) / 2;
}

static int alloc_tables(struct toe *t, const struct toe_config *cfg)
{
	uint32_t words = (t->stage_slots + 63) / 64, i;

	t->max_conns = cfg->max_conns;
	t->max_sends = cfg->max_conns * (uint64_t)TOE_PENDING_SENDS < SENDS_MAX
			? cfg->max_conns * TOE_PENDING_SENDS : SENDS_MAX;
	t->conns = calloc(t->max_conns, sizeof(*t->conns));
	t->sends = calloc(t->max_sends, sizeof(*t->sends));
	t->bufs = calloc(t->nbufs, sizeof(*t->bufs));
	t->stage_map = calloc(words, sizeof(*t->stage_map));
	if (!t->conns || !t->sends || !t->bufs || !t->stage_map)
		return -ENOMEM;
	for (i = 0; i < t->stage_slots; i++)
		t->stage_map[i / 64] |= 1ull << i % 64;
	t->send_free = TOE_NONE;
	t->sent_first = t->sent_last = TOE_NONE;
	return 0;
}

static void free_tables(struct toe *t)
{
	free(t->conns);
	free(t->sends);
	free(t->bufs);
	free(t->stage_map);
	free(t);
}

int toe_attach(struct toe **toe, const struct toe_config *cfg,
	       const struct toe_attach *at)
{
	const struct toe_uapi_ctx *u = &at->ctx;
	uint8_t *mem = at->mem;
	struct toe *t;
	uint32_t i;
	int err;

	if (!layout_ok(cfg, u))
		return -EPROTO;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->mem = mem;
	t->mem_size = u->mem_size;
	t->page = (struct toe_hw_ctx_page *)(mem + u->page_off);
	t->rq = (struct toe_hw_req *)(mem + u->rq_off);
	t->cq = (struct toe_hw_cqe *)(mem + u->cq_off);
	t->bq[0] = (struct toe_hw_buf *)(mem + u->bq_small_off);
	t->bq[1] = (struct toe_hw_buf *)(mem + u->bq_large_off);
	t->rq_size = cfg->requests;
	t->cq_size = cfg->completions;
	map_data(t, cfg, u);
	err = alloc_tables(t, cfg);
	if (err) {
		free_tables(t);
		return err;
	}
	toe_list_init(&t->ready);
	toe_list_init(&t->blocked);
	toe_list_init(&t->rqwait);
	t->rq_tail = t->page->rq_tail;
	t->cq_head = t->page->cq_head;
	t->bq_tail[0] = t->page->bq_small_tail;
	t->bq_tail[1] = t->page->bq_large_tail;
	t->db = at->doorbell;
	t->status = at->status;
	t->epoch = at->status ? at->status->epoch : 0;
	t->caps = at->caps;
	t->key = u->key;
	t->id = u->ctx;
	t->flags = cfg->flags;
	t->credit = cfg->credit;
	t->spin = cfg->spin;
	t->pause = pause_is_good();
	t->coarse_clock = getauxval(AT_SYSINFO_EHDR) != 0;
	t->fd = at->fd;
	t->pid = getpid();
	t->mapped = at->mapped;
	for (i = 0; i < t->nbufs; i++)
		toe_buf_post(t, i);
	toe_buf_ring(t);
	*toe = t;
	return 0;
}

static int create(int fd, struct toe_config *cfg, struct toe_attach *at)
{
	struct toe_uapi_info info;
	struct toe_uapi_ctx *u = &at->ctx;

	memset(&info, 0, sizeof(info));
	if (ioctl(fd, TOE_IOC_INFO, &info) < 0)
		return errno == ENOTTY ? -EPROTO : -errno;
	if (info.version != TOE_UAPI_VERSION ||
	    info.revision >> 16 != TOE_REVISION_MAJOR)
		return -EPROTO;
	if (log2_of(cfg->requests) > info.max_queue_log2 ||
	    log2_of(cfg->completions) > info.max_queue_log2 ||
	    log2_of(cfg->small_count) > info.max_queue_log2 ||
	    log2_of(cfg->large_count) > info.max_queue_log2)
		return -EINVAL;
	at->caps = info.caps;
	u->rq_log2 = log2_of(cfg->requests);
	u->cq_log2 = log2_of(cfg->completions);
	u->bq_small_log2 = log2_of(cfg->small_count);
	u->bq_large_log2 = log2_of(cfg->large_count);
	u->small_size = cfg->small_size;
	u->large_size = cfg->large_size;
	u->data_size = toe_config_data_size(cfg);
	if (ioctl(fd, TOE_IOC_CTX_CREATE, u) < 0)
		return -errno;
	return 0;
}

static void *map(int fd, uint64_t size, int prot, uint64_t off)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED, fd, (off_t)off);

	return p == MAP_FAILED ? NULL : p;
}

static void unmap(struct toe_attach *at)
{
	if (at->mem)
		munmap(at->mem, at->ctx.mem_size);
	if (at->doorbell)
		munmap((void *)at->doorbell, TOE_DOORBELL_PAGE_SIZE);
	if (at->status)
		munmap((void *)at->status, PAGE);
}

int toe_open(struct toe **toe, const struct toe_config *config)
{
	struct toe_config cfg;
	struct toe_attach at = { .mapped = true };
	int err;

	if (!toe)
		return -EINVAL;
	err = toe_config_resolve(&cfg, config);
	if (err)
		return err;
	at.fd = open(cfg.device, O_RDWR | O_CLOEXEC);
	if (at.fd < 0)
		return -errno;
	err = create(at.fd, &cfg, &at);
	if (err)
		goto out;
	at.mem = map(at.fd, at.ctx.mem_size, PROT_READ | PROT_WRITE,
		     at.ctx.mem_mmap);
	at.doorbell = map(at.fd, TOE_DOORBELL_PAGE_SIZE, PROT_WRITE | PROT_READ,
			  at.ctx.doorbell_mmap);
	at.status = map(at.fd, PAGE, PROT_READ, at.ctx.status_mmap);
	err = -ENOMEM;
	if (!at.mem || !at.doorbell || !at.status)
		goto out;
	err = toe_attach(toe, &cfg, &at);
	if (!err)
		return 0;
out:
	unmap(&at);
	close(at.fd);
	return err;
}

void toe_close(struct toe *t)
{
	if (!t)
		return;
	/* A child of the owner must not touch the shared rings. */
	if (t->pid == getpid() && !t->dead)
		toe_rq_ring(t);
	if (t->mapped) {
		munmap(t->mem, t->mem_size);
		munmap((void *)t->db, TOE_DOORBELL_PAGE_SIZE);
		if (t->status)
			munmap((void *)t->status, PAGE);
	}
	if (t->fd >= 0)
		close(t->fd);
	free_tables(t);
}

void toe_mark_dead(struct toe *t, int error)
{
	uint32_t i;

	if (t->dead)
		return;
	t->dead = t->dead_news = true;
	t->dead_error = error ? error : -EIO;
	t->ctl.waiting = false;
	for (i = 0; i < t->conns_used; i++)
		if (t->conns[i].kind == TOE_K_CONN &&
		    t->conns[i].phase != TOE_P_CLOSED)
			toe_conn_closed(&t->conns[i], -ENODEV);
	toe_send_fail_all(t, -ENODEV);
}

int toe_fd(const struct toe *t)
{
	return t->fd;
}

uint32_t toe_id(const struct toe *t)
{
	return t->id;
}
