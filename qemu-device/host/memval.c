/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memval.c - memory validation.
 *
 * No request carries a bus address.  It carries a key and an offset; the key
 * names a region that the kernel driver registered for one context: a list of
 * pages, a length, and the directions in which the adapter may move data.
 * Every access goes through check() below:
 *
 *   key -> region     index in range, in use, same generation  TOE_ST_KEY
 *   owner             region belongs to the context            TOE_ST_OWNER
 *   access            region allows the direction              TOE_ST_ACCESS
 *   bounds            offset + length inside, no overflow      TOE_ST_BOUNDS
 *
 * and is then split into physical ranges; neighbouring pages become one DMA
 * transfer.  Whatever fails is counted (VIOL_*), traced, and told to the
 * world with the values in it.
 *
 * A region is made by MEM_REGISTER and filled by MEM_PAGES, in order; until
 * its last page is in, its key is refused.  The pages are copied here once,
 * so later changes of the list in host memory mean nothing.  MEM_REVOKE kills
 * the key at once: a SEND that waits on it fails when it is continued.  Freed
 * entries are reused in the order they were freed, with the next generation;
 * an old key is recognised for 4095 reuses of its entry.
 *
 * The kernel's context may have TOE_RIGHT_PHYS; TOE_KEY_PHYS then makes the
 * offset a bus address.
 */
#include "adapter_priv.h"
#include "toe_trace.h"

#define REGION_LINKS(a) \
    ((ToeLinks) { (char *)(a)->memval.table + offsetof(ToeRegion, link), \
                  sizeof(ToeRegion) })

void toe_memval_init(ToeAdapter *a)
{
    ToeMemval *m = &a->memval;

    m->table = g_new0(ToeRegion, a->config.regions);
    m->free = toe_list_init();
    for (uint32_t i = 0; i < a->config.regions; i++) {
        m->table[i].generation = 1;
        toe_list_append(&m->free, REGION_LINKS(a), i);
    }
}

static void release(ToeAdapter *a, uint32_t index)
{
    ToeMemval *m = &a->memval;
    ToeRegion *r = &m->table[index];
    ToeCtx *ctx = &a->ctxs.table[r->owner];

    toe_list_remove(&ctx->regions, REGION_LINKS(a), index);
    ctx->nregions--;
    m->npages -= r->npages;
    g_free(r->pages);
    r->pages = NULL;
    r->used = false;
    r->generation = r->generation == TOE_GENERATION_MAX
                    ? 1 : r->generation + 1;
    toe_list_append(&m->free, REGION_LINKS(a), index);
    toe_count_add(&a->counters, MEM_REGIONS, -1);
    a->counters.v[TOE_CTR_MEM_PAGES] = m->npages;
}

void toe_memval_reset(ToeAdapter *a)
{
    for (uint32_t i = 0; i < a->config.regions; i++) {
        if (a->memval.table[i].used) {
            release(a, i);
        }
    }
}

void toe_memval_fini(ToeAdapter *a)
{
    toe_memval_reset(a);
    g_free(a->memval.table);
}

/* ---- Admin commands ---------------------------------------------------- */

uint8_t toe_memval_register(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                            uint32_t *key)
{
    ToeMemval *m = &a->memval;
    uint32_t id = cmd->u.mem_register.ctx;
    uint32_t access = cmd->u.mem_register.access;
    uint64_t length = cmd->u.mem_register.length;
    uint32_t first = cmd->u.mem_register.first;
    uint32_t shift = cmd->u.mem_register.page_shift;
    uint32_t npages = cmd->u.mem_register.npages;
    ToeCtx *ctx;
    ToeRegion *r;
    uint32_t index;

    if (!toe_all_zero(cmd->u.mem_register.rsvd,
                      sizeof(cmd->u.mem_register.rsvd))) {
        toe_guest_error(a, "MEM_REGISTER: a reserved field is not zero");
        return TOE_ST_INVALID;
    }
    if (id >= a->config.contexts ||
        a->ctxs.table[id].state == TOE_CTX_FREE ||
        a->ctxs.table[id].state == TOE_CTX_DRAINING) {
        toe_guest_error(a, "MEM_REGISTER: there is no context %u", id);
        return TOE_ST_STATE;
    }
    ctx = &a->ctxs.table[id];
    if (!access || (access & ~(TOE_MEM_READ | TOE_MEM_WRITE)) ||
        shift < TOE_PAGE_SHIFT_MIN || shift > TOE_PAGE_SHIFT_MAX ||
        first >= 1u << shift || !npages) {
        toe_guest_error(a, "MEM_REGISTER: bad access 0x%x, page shift %u, "
                        "offset 0x%x or number of pages %u",
                        access, shift, first, npages);
        return TOE_ST_INVALID;
    }
    /* npages << shift is below 2^62: no overflow here. */
    if (!length || length > ((uint64_t)npages << shift) - first) {
        toe_guest_error(a, "MEM_REGISTER: %" PRIu64 " bytes at offset 0x%x "
                        "do not fit %u pages of 2^%u", length, first, npages,
                        shift);
        return TOE_ST_BOUNDS;
    }
    if (ctx->max_regions && ctx->nregions >= ctx->max_regions) {
        return TOE_ST_QUOTA;
    }
    if (m->free.first == TOE_NONE || npages > a->config.pages - m->npages) {
        return TOE_ST_NOMEM;
    }

    index = m->free.first;
    toe_list_remove(&m->free, REGION_LINKS(a), index);
    r = &m->table[index];
    r->length = length;
    r->pages = g_new0(uint64_t, npages);
    r->owner = id;
    r->first = first;
    r->npages = npages;
    r->pages_set = 0;
    r->page_shift = shift;
    r->access = access;
    r->used = true;
    toe_list_append(&ctx->regions, REGION_LINKS(a), index);
    ctx->nregions++;
    m->npages += npages;
    toe_count(&a->counters, MEM_REGIONS);
    a->counters.v[TOE_CTR_MEM_PAGES] = m->npages;
    *key = TOE_HANDLE(index, r->generation);
    toe_trace_memval_register(id, *key, length, npages, access);
    return TOE_ST_OK;
}

/* The region of a key, or NULL; complete or not, whoever owns it. */
static ToeRegion *find(ToeAdapter *a, uint32_t key)
{
    uint32_t index = TOE_INDEX(key);
    ToeRegion *r;

    if (index >= a->config.regions) {
        return NULL;
    }
    r = &a->memval.table[index];
    return r->used && r->generation == TOE_GENERATION(key) ? r : NULL;
}

uint8_t toe_memval_pages(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd)
{
    uint32_t key = cmd->u.mem_pages.key;
    uint32_t index = cmd->u.mem_pages.index;
    uint32_t count = cmd->u.mem_pages.count;
    uint64_t list[TOE_MEM_PAGES_MAX];
    ToeRegion *r = find(a, key);
    uint64_t in_page;

    if (cmd->u.mem_pages.rsvd0 ||
        !toe_all_zero(cmd->u.mem_pages.rsvd,
                      sizeof(cmd->u.mem_pages.rsvd))) {
        toe_guest_error(a, "MEM_PAGES: a reserved field is not zero");
        return TOE_ST_INVALID;
    }
    if (!r) {
        toe_guest_error(a, "MEM_PAGES: there is no key 0x%x", key);
        return TOE_ST_KEY;
    }
    if (!count || count > TOE_MEM_PAGES_MAX) {
        toe_guest_error(a, "MEM_PAGES: count is %u, must be 1..%u", count,
                        TOE_MEM_PAGES_MAX);
        return TOE_ST_INVALID;
    }
    if (index != r->pages_set || count > r->npages - r->pages_set) {
        toe_guest_error(a, "MEM_PAGES: pages %u+%u given, expected from %u "
                        "and at most %u in all", index, count, r->pages_set,
                        r->npages);
        return TOE_ST_BOUNDS;
    }
    if (!toe_dma_read_bus(a, cmd->u.mem_pages.list, list,
                          count * sizeof(list[0]))) {
        return TOE_ST_DMA;
    }
    in_page = (UINT64_C(1) << r->page_shift) - 1;
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] & in_page) {
            toe_guest_error(a, "MEM_PAGES: page %u at 0x%" PRIx64 " is not "
                            "aligned to 2^%u", index + i, list[i],
                            r->page_shift);
            return TOE_ST_INVALID;
        }
    }
    memcpy(r->pages + index, list, count * sizeof(list[0]));
    r->pages_set += count;
    toe_trace_memval_pages(r->owner, key, index, count);
    return TOE_ST_OK;
}

uint8_t toe_memval_revoke(ToeAdapter *a, uint32_t key)
{
    ToeRegion *r = find(a, key);

    if (!r) {
        toe_guest_error(a, "MEM_REVOKE: there is no key 0x%x", key);
        return TOE_ST_KEY;
    }
    toe_trace_memval_revoke(r->owner, key);
    release(a, TOE_INDEX(key));
    return TOE_ST_OK;
}

void toe_memval_revoke_all(ToeAdapter *a, ToeCtx *ctx)
{
    while (ctx->regions.first != TOE_NONE) {
        release(a, ctx->regions.first);
    }
}

/* ---- Access ------------------------------------------------------------ */

static uint8_t violation(ToeAdapter *a, ToeCtx *ctx, uint32_t key,
                         uint64_t off, uint64_t len, uint8_t status,
                         const char *what)
{
    const char *why;

    switch (status) {
    case TOE_ST_OWNER:
        toe_count(&a->counters, VIOL_OWNER);
        why = "the key belongs to another context";
        break;
    case TOE_ST_ACCESS:
        toe_count(&a->counters, VIOL_ACCESS);
        why = "the region does not allow this direction";
        break;
    case TOE_ST_BOUNDS:
        toe_count(&a->counters, VIOL_BOUNDS);
        why = "this is outside the region";
        break;
    case TOE_ST_PERM:
        toe_count(&a->counters, VIOL_PERM);
        why = "the context may not use bus addresses";
        break;
    default:
        toe_count(&a->counters, VIOL_KEY);
        why = "there is no such key";
        break;
    }
    ctx->errors++;
    toe_trace_memval_violation(ctx->id, key, off, len, status);
    toe_guest_error(a, "context %u: %s: key 0x%x, offset 0x%" PRIx64
                    ", length %" PRIu64 ": %s", ctx->id, what, key, off, len,
                    why);
    return status;
}

/* *region is NULL for TOE_KEY_PHYS. */
static uint8_t check(ToeAdapter *a, ToeCtx *ctx, uint32_t key, uint64_t off,
                     uint64_t len, uint8_t access, const char *what,
                     ToeRegion **region)
{
    uint8_t status = TOE_ST_OK;
    ToeRegion *r = NULL;

    if (key == TOE_KEY_PHYS) {
        if (!(ctx->rights & TOE_RIGHT_PHYS)) {
            status = TOE_ST_PERM;
        } else if (len > UINT64_MAX - off) {
            status = TOE_ST_BOUNDS;
        }
    } else {
        r = find(a, key);
        if (!r || r->pages_set < r->npages) {
            status = TOE_ST_KEY;
        } else if (r->owner != ctx->id) {
            status = TOE_ST_OWNER;
        } else if ((r->access & access) != access) {
            status = TOE_ST_ACCESS;
        } else if (off > r->length || len > r->length - off) {
            status = TOE_ST_BOUNDS;
        }
    }
    *region = r;
    return status == TOE_ST_OK
           ? status : violation(a, ctx, key, off, len, status, what);
}

uint8_t toe_memval_check(ToeAdapter *a, ToeCtx *ctx, uint32_t key,
                         uint64_t off, uint64_t len, uint8_t access,
                         const char *what)
{
    ToeRegion *r;

    return check(a, ctx, key, off, len, access, what, &r);
}

/*
 * The physical range that begins at off and has at most len bytes; *n is its
 * length.  Neighbouring pages are one range.
 */
static uint64_t translate(const ToeRegion *r, uint64_t off, uint32_t len,
                          uint32_t *n)
{
    uint64_t at = r->first + off;
    uint64_t size = UINT64_C(1) << r->page_shift;
    uint64_t page = at >> r->page_shift;
    uint64_t addr = r->pages[page] + (at & (size - 1));
    uint64_t got = size - (at & (size - 1));

    while (got < len && r->pages[page + 1] == r->pages[page] + size) {
        page++;
        got += size;
    }
    *n = MIN(got, len);
    return addr;
}

uint8_t toe_memval_read(ToeAdapter *a, ToeCtx *ctx, uint32_t key,
                        uint64_t off, void *buf, uint32_t len,
                        const char *what)
{
    uint8_t *to = buf;
    ToeRegion *r;
    uint8_t status = check(a, ctx, key, off, len, TOE_MEM_READ, what, &r);

    if (status != TOE_ST_OK) {
        return status;
    }
    while (len) {
        uint32_t n = len;
        uint64_t addr = r ? translate(r, off, len, &n) : off;

        if (!toe_dma_read_bus(a, addr, to, n)) {
            return TOE_ST_DMA;
        }
        to += n;
        off += n;
        len -= n;
    }
    return TOE_ST_OK;
}

uint8_t toe_memval_write(ToeAdapter *a, ToeCtx *ctx, uint32_t key,
                         uint64_t off, const void *buf, uint32_t len,
                         const char *what)
{
    const uint8_t *from = buf;
    ToeRegion *r;
    uint8_t status = check(a, ctx, key, off, len, TOE_MEM_WRITE, what, &r);

    if (status != TOE_ST_OK) {
        return status;
    }
    while (len) {
        uint32_t n = len;
        uint64_t addr = r ? translate(r, off, len, &n) : off;

        if (!toe_dma_write_bus(a, addr, from, n)) {
            return TOE_ST_DMA;
        }
        from += n;
        off += n;
        len -= n;
    }
    return TOE_ST_OK;
}
