/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * admin.c - the admin queue: how the kernel driver sets the adapter up.
 *
 * One queue of commands and one of completions, both named by registers and
 * accepted, after a check, when TOE_CTL_ENABLE is set.  A command is read
 * once, run through a table with one handler per opcode, and completed with
 * the same tag.  Completions carry a phase bit that toggles at each wrap, so
 * that the driver need not read a register to find them; interrupt vector 0
 * follows.
 *
 * The completion queue is never overrun: a command is fetched only if there
 * is room for its completion.  A CTX_DESTROY that drains completes later; its
 * completion waits here (at most one per context) until there is room.
 *
 * A mistake in the queue itself (its memory does not answer, its index claims
 * more commands than it holds) makes the adapter stop taking commands and set
 * TOE_STATUS_FATAL; contexts that are active go on.
 */
#include "adapter_priv.h"
#include "toe_trace.h"

#define LATER (-1)
#define LIST_MAX 256u           /* entries of CONN_LIST, CTX_INFO at once */

typedef int (*Handler)(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                       struct toe_hw_adm_cpl *cpl);

void toe_admin_init(ToeAdapter *a)
{
    /* One drained context each, and the event of the link. */
    a->admin.later = g_new0(struct toe_hw_adm_cpl, a->config.contexts);
}

void toe_admin_fini(ToeAdapter *a)
{
    g_free(a->admin.later);
}

void toe_admin_reset(ToeAdapter *a)
{
    struct toe_hw_adm_cpl *later = a->admin.later;

    memset(&a->admin, 0, sizeof(a->admin));
    a->admin.later = later;
}

static void fatal(ToeAdapter *a, uint32_t error, const char *why)
{
    a->admin.ready = false;
    a->admin.fatal = error;
    a->admin.interrupt = true;
    toe_trace_admin_fatal(error, why);
    toe_guest_error(a, "admin queue stopped (error %u): %s", error, why);
}

/* ---- Completions ------------------------------------------------------- */

static bool has_room(ToeAdmin *m)
{
    return m->acq_tail - m->acq_head < 1u << m->acq_log2;
}

static void write_cpl(ToeAdapter *a, struct toe_hw_adm_cpl *cpl)
{
    ToeAdmin *m = &a->admin;
    uint32_t slot = m->acq_tail & ((1u << m->acq_log2) - 1);
    uint64_t addr = m->acq_base + slot * sizeof(*cpl);
    const size_t head = offsetof(struct toe_hw_adm_cpl, result);
    bool ok;

    cpl->flags = m->acq_tail >> m->acq_log2 & 1 ? 0 : TOE_ADM_CPL_PHASE;
    /* The phase shows the entry, so it is written last. */
    ok = toe_dma_write_bus(a, addr + head, (uint8_t *)cpl + head,
                           sizeof(*cpl) - head);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    ok = ok && toe_dma_write_bus(a, addr, cpl, head);
    if (!ok) {
        fatal(a, TOE_FATAL_AQ_DMA,
              "the admin completion queue cannot be written");
        return;
    }
    m->acq_tail++;
    m->interrupt = true;
}

/* Write what had to wait, oldest first. */
static void write_later(ToeAdapter *a)
{
    ToeAdmin *m = &a->admin;

    while (m->ready && m->later_len && has_room(m)) {
        write_cpl(a, &m->later[m->later_first]);
        m->later_first = (m->later_first + 1) % a->config.contexts;
        m->later_len--;
    }
    if (m->ready && m->link_event && has_room(m)) {
        struct toe_hw_adm_cpl cpl = { .event = TOE_ADM_EV_LINK };

        m->link_event = false;
        cpl.result = a->port.link;
        write_cpl(a, &cpl);
    }
}

void toe_admin_complete(ToeAdapter *a, uint8_t opcode, uint16_t tag,
                        uint8_t status)
{
    ToeAdmin *m = &a->admin;
    uint32_t at = (m->later_first + m->later_len) % a->config.contexts;

    /* A context has one such completion until it is written: there is room
     * unless the driver reuses contexts without reading its queue. */
    if (m->later_len == a->config.contexts) {
        fatal(a, TOE_FATAL_AQ_INDEX,
              "too many completions wait for the driver");
        return;
    }
    if (status != TOE_ST_OK) {
        toe_count(&a->counters, ADM_ERRORS);
    }
    toe_trace_admin_complete(opcode, tag, status);
    m->later[at] = (struct toe_hw_adm_cpl) {
        .tag = tag,
        .status = status,
        .opcode = opcode,
    };
    m->later_len++;
    write_later(a);
}

void toe_admin_link_event(ToeAdapter *a)
{
    a->admin.link_event = a->admin.ready;
    write_later(a);
}

void toe_admin_flush(ToeAdapter *a)
{
    if (a->admin.interrupt) {
        a->admin.interrupt = false;
        a->env.irq(a->env.opaque, 0);
    }
}

/* ---- Registers --------------------------------------------------------- */

void toe_admin_enable(ToeAdapter *a, bool on)
{
    ToeAdmin *m = &a->admin;
    uint32_t size = 1u << MIN(m->aq_log2, TOE_AQ_LOG2_MAX);
    uint8_t probe[sizeof(struct toe_hw_adm_cmd)];

    m->ready = false;
    m->later_len = 0;
    m->link_event = false;
    if (!on) {
        return;
    }
    if (m->fatal) {
        toe_guest_error(a, "ENABLE after a fatal error: reset first");
        return;
    }
    if (!m->aq_base || !m->acq_base || ((m->aq_base | m->acq_base) & 63) ||
        m->aq_log2 > TOE_AQ_LOG2_MAX || m->acq_log2 > TOE_AQ_LOG2_MAX ||
        m->aq_base > UINT64_MAX - size * sizeof(probe) ||
        m->acq_base > UINT64_MAX - size * sizeof(probe)) {
        fatal(a, TOE_FATAL_AQ_CONFIG,
              "base not 64-byte aligned or size above 2^8");
        return;
    }
    if (!toe_dma_read_bus(a, m->aq_base, probe, sizeof(probe)) ||
        !toe_dma_read_bus(a, m->acq_base, probe,
                          sizeof(struct toe_hw_adm_cpl))) {
        fatal(a, TOE_FATAL_AQ_DMA, "the admin queues cannot be read");
        return;
    }
    m->aq_head = 0;
    m->aq_tail = 0;
    m->acq_tail = 0;
    m->acq_head = 0;
    m->ready = true;
    toe_trace_admin_ready(m->aq_base, m->aq_log2, m->acq_base, m->acq_log2);
}

void toe_admin_doorbell(ToeAdapter *a, uint32_t tail)
{
    ToeAdmin *m = &a->admin;

    if (!m->ready) {
        toe_count(&a->counters, VIOL_REGISTER);
        toe_guest_error(a, "AQ_TAIL written while the admin queue is off");
        return;
    }
    if (tail - m->aq_head > 1u << m->aq_log2) {
        toe_count(&a->counters, VIOL_RING);
        fatal(a, TOE_FATAL_AQ_INDEX, "AQ_TAIL claims more commands than the "
              "queue holds");
        return;
    }
    m->aq_tail = tail;
}

void toe_admin_consumed(ToeAdapter *a, uint32_t head)
{
    ToeAdmin *m = &a->admin;

    if (!m->ready) {
        toe_count(&a->counters, VIOL_REGISTER);
        toe_guest_error(a, "ACQ_HEAD written while the admin queue is off");
        return;
    }
    if (m->acq_tail - head > 1u << m->acq_log2) {
        toe_count(&a->counters, VIOL_RING);
        fatal(a, TOE_FATAL_AQ_INDEX, "ACQ_HEAD is not between the oldest "
              "completion and the newest");
        return;
    }
    m->acq_head = head;
    write_later(a);
}

/* ---- Handlers ---------------------------------------------------------- */

static int invalid(ToeAdapter *a, const char *what)
{
    toe_guest_error(a, "admin command %s: a reserved field is not zero",
                    what);
    return TOE_ST_INVALID;
}

static int adm_nop(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                   struct toe_hw_adm_cpl *cpl)
{
    (void)cpl;
    return toe_all_zero(cmd->u.raw, sizeof(cmd->u.raw))
           ? TOE_ST_OK : invalid(a, "NOP");
}

static int adm_ctx_create(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                          struct toe_hw_adm_cpl *cpl)
{
    (void)cpl;
    return toe_ctx_create(a, cmd);
}

static int adm_ctx_queues(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                          struct toe_hw_adm_cpl *cpl)
{
    (void)cpl;
    return toe_ctx_queues(a, cmd);
}

static int adm_ctx_destroy(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                           struct toe_hw_adm_cpl *cpl)
{
    bool later;
    uint8_t status = toe_ctx_destroy(a, cmd, &later);

    (void)cpl;
    return later ? LATER : status;
}

static int adm_mem_register(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                            struct toe_hw_adm_cpl *cpl)
{
    uint32_t key = TOE_KEY_INVALID;
    uint8_t status = toe_memval_register(a, cmd, &key);

    cpl->result = key;
    return status;
}

static int adm_mem_pages(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                         struct toe_hw_adm_cpl *cpl)
{
    (void)cpl;
    return toe_memval_pages(a, cmd);
}

static int adm_mem_revoke(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                          struct toe_hw_adm_cpl *cpl)
{
    (void)cpl;
    return toe_all_zero(cmd->u.mem_revoke.rsvd,
                        sizeof(cmd->u.mem_revoke.rsvd))
           ? toe_memval_revoke(a, cmd->u.mem_revoke.key)
           : invalid(a, "MEM_REVOKE");
}

static int adm_addr(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                    struct toe_hw_adm_cpl *cpl)
{
    (void)cpl;
    if (cmd->u.addr.rsvd0 ||
        !toe_all_zero(cmd->u.addr.rsvd, sizeof(cmd->u.addr.rsvd))) {
        return invalid(a, "ADDR");
    }
    return (cmd->opcode == TOE_ADM_ADDR_ADD
            ? toe_nop_addr_add : toe_nop_addr_del)
           (a->nop, cmd->u.addr.family, cmd->u.addr.addr,
            cmd->u.addr.prefix);
}

static int adm_route(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                     struct toe_hw_adm_cpl *cpl)
{
    (void)cpl;
    if (cmd->u.route.rsvd0 ||
        !toe_all_zero(cmd->u.route.rsvd, sizeof(cmd->u.route.rsvd))) {
        return invalid(a, "ROUTE");
    }
    return (cmd->opcode == TOE_ADM_ROUTE_ADD
            ? toe_nop_route_add : toe_nop_route_del)
           (a->nop, cmd->u.route.family, cmd->u.route.dst,
            cmd->u.route.prefix, cmd->u.route.gateway, cmd->u.route.metric);
}

static int adm_neigh(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                     struct toe_hw_adm_cpl *cpl)
{
    (void)cpl;
    if (cmd->u.neigh.rsvd0 ||
        !toe_all_zero(cmd->u.neigh.rsvd, sizeof(cmd->u.neigh.rsvd))) {
        return invalid(a, "NEIGH");
    }
    if (cmd->opcode == TOE_ADM_NEIGH_ADD) {
        return toe_nop_neigh_add(a->nop, cmd->u.neigh.family,
                                 cmd->u.neigh.addr, cmd->u.neigh.mac);
    }
    return toe_nop_neigh_del(a->nop, cmd->u.neigh.family, cmd->u.neigh.addr);
}

static int adm_port_set(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                        struct toe_hw_adm_cpl *cpl)
{
    const uint8_t *mac = cmd->u.port_set.mac;

    (void)cpl;
    if (cmd->u.port_set.nmcast ||
        !toe_all_zero(cmd->u.port_set.rsvd, sizeof(cmd->u.port_set.rsvd)) ||
        (cmd->u.port_set.filter & ~(TOE_FILTER_PROMISC | TOE_FILTER_ALLMULTI |
                                    TOE_FILTER_UP))) {
        return invalid(a, "PORT_SET");
    }
    return toe_nop_port_set(a->nop, cmd->u.port_set.mtu,
                            toe_all_zero(mac, 6) ? NULL : mac,
                            cmd->u.port_set.filter,
                            cmd->u.port_set.mcast_hash);
}

static int adm_param(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                     struct toe_hw_adm_cpl *cpl)
{
    uint64_t value = 0;
    uint8_t status;

    if (cmd->u.param.rsvd0 ||
        !toe_all_zero(cmd->u.param.rsvd, sizeof(cmd->u.param.rsvd)) ||
        (cmd->opcode == TOE_ADM_PARAM_GET && cmd->u.param.value)) {
        return invalid(a, "PARAM");
    }
    if (cmd->opcode == TOE_ADM_PARAM_SET) {
        return toe_nop_param_set(a->nop, cmd->u.param.param,
                                 cmd->u.param.value);
    }
    status = toe_nop_param_get(a->nop, cmd->u.param.param, &value);
    cpl->result = value;
    return status;
}

/* The answer's place: TOE_ST_OK, or what is wrong with the command. */
static int check_query(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                       bool good, const char *what)
{
    if (!good ||
        !toe_all_zero(cmd->u.query.rsvd, sizeof(cmd->u.query.rsvd))) {
        toe_guest_error(a, "admin command %s: start %u, length %u or a "
                        "reserved field is wrong", what,
                        cmd->u.query.start, cmd->u.query.length);
        return TOE_ST_INVALID;
    }
    return cmd->u.query.addr > UINT64_MAX - cmd->u.query.length
           ? TOE_ST_DMA : TOE_ST_OK;
}

static int adm_stats(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                     struct toe_hw_adm_cpl *cpl)
{
    uint32_t n = MIN(cmd->u.query.length / sizeof(uint64_t), TOE_CTR_MAX);
    int status = check_query(a, cmd, !cmd->u.query.start, "STATS");

    if (status != TOE_ST_OK) {
        return status;
    }
    if (n && !toe_dma_write_bus(a, cmd->u.query.addr, a->counters.v,
                                n * sizeof(uint64_t))) {
        return TOE_ST_DMA;
    }
    cpl->result = n * sizeof(uint64_t);
    return TOE_ST_OK;
}

/* CONN_LIST's second part: sockets, whose indices follow the connections'. */
static int list_sockets(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                        struct toe_hw_adm_cpl *cpl, uint32_t index,
                        uint32_t n)
{
    uint32_t room = MIN(cmd->u.query.length /
                        sizeof(struct toe_hw_conn_info), LIST_MAX);
    struct toe_hw_conn_info info;

    index = MAX(index, a->config.connections) - a->config.connections;
    while (!cpl->next) {
        uint32_t at = index;
        ToeSock *s;

        if (!toe_udp_info(a->nop, &index, &info)) {
            break;
        }
        if (n == room) {
            cpl->next = a->config.connections + at;
            break;
        }
        s = toe_sock_find(a, info.handle);
        info.ctx = s ? s->ctx : TOE_NONE;
        info.credit = s ? s->credit : 0;
        if (!toe_dma_write_bus(a, cmd->u.query.addr + n * sizeof(info),
                               &info, sizeof(info))) {
            return TOE_ST_DMA;
        }
        n++;
    }
    cpl->result = n;
    return TOE_ST_OK;
}

static int adm_conn_list(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                         struct toe_hw_adm_cpl *cpl)
{
    uint32_t room = MIN(cmd->u.query.length /
                        sizeof(struct toe_hw_conn_info), LIST_MAX);
    uint32_t index = cmd->u.query.start;
    int status = check_query(a, cmd, room != 0, "CONN_LIST");
    uint32_t n = 0;

    if (status != TOE_ST_OK) {
        return status;
    }
    while (index < a->config.connections) {
        struct toe_hw_conn_info info = { 0 };
        uint32_t at = index;
        ToeConn *c;

        if (!toe_stream_info(a->nop, &index, &info)) {
            break;
        }
        if (n == room) {
            cpl->next = at;
            break;
        }
        c = toe_conn_find(a, info.handle);
        info.ctx = c ? c->ctx : TOE_NONE;
        info.credit = c ? c->credit : 0;
        if (!toe_dma_write_bus(a, cmd->u.query.addr + n * sizeof(info),
                               &info, sizeof(info))) {
            return TOE_ST_DMA;
        }
        n++;
    }
    return list_sockets(a, cmd, cpl, index, n);
}

static int adm_ctx_info(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd,
                        struct toe_hw_adm_cpl *cpl)
{
    uint32_t room = MIN(cmd->u.query.length /
                        sizeof(struct toe_hw_ctx_info), LIST_MAX);
    int status = check_query(a, cmd, room != 0, "CTX_INFO");
    uint32_t n = 0;

    if (status != TOE_ST_OK) {
        return status;
    }
    for (uint32_t i = cmd->u.query.start; i < a->config.contexts; i++) {
        struct toe_hw_ctx_info info;

        if (a->ctxs.table[i].state == TOE_CTX_FREE) {
            continue;
        }
        if (n == room) {
            cpl->next = i;
            break;
        }
        toe_ctx_info(&a->ctxs.table[i], &info);
        if (!toe_dma_write_bus(a, cmd->u.query.addr + n * sizeof(info),
                               &info, sizeof(info))) {
            return TOE_ST_DMA;
        }
        n++;
    }
    cpl->result = n;
    return TOE_ST_OK;
}

static const struct {
    Handler run;
    uint8_t flags;              /* allowed */
} commands[256] = {
    [TOE_ADM_NOP] = { adm_nop, 0 },
    [TOE_ADM_CTX_CREATE] = { adm_ctx_create, 0 },
    [TOE_ADM_CTX_QUEUES] = { adm_ctx_queues, 0 },
    [TOE_ADM_CTX_DESTROY] = { adm_ctx_destroy, TOE_ADM_F_DRAIN },
    [TOE_ADM_MEM_REGISTER] = { adm_mem_register, 0 },
    [TOE_ADM_MEM_PAGES] = { adm_mem_pages, 0 },
    [TOE_ADM_MEM_REVOKE] = { adm_mem_revoke, 0 },
    [TOE_ADM_ADDR_ADD] = { adm_addr, 0 },
    [TOE_ADM_ADDR_DEL] = { adm_addr, 0 },
    [TOE_ADM_ROUTE_ADD] = { adm_route, 0 },
    [TOE_ADM_ROUTE_DEL] = { adm_route, 0 },
    [TOE_ADM_NEIGH_ADD] = { adm_neigh, 0 },
    [TOE_ADM_NEIGH_DEL] = { adm_neigh, 0 },
    [TOE_ADM_PORT_SET] = { adm_port_set, 0 },
    [TOE_ADM_PARAM_SET] = { adm_param, 0 },
    [TOE_ADM_PARAM_GET] = { adm_param, 0 },
    [TOE_ADM_STATS] = { adm_stats, 0 },
    [TOE_ADM_CONN_LIST] = { adm_conn_list, 0 },
    [TOE_ADM_CTX_INFO] = { adm_ctx_info, 0 },
};

/* ---- Running ----------------------------------------------------------- */

static void execute(ToeAdapter *a, const struct toe_hw_adm_cmd *cmd)
{
    struct toe_hw_adm_cpl cpl = { .tag = cmd->tag, .opcode = cmd->opcode };
    Handler handler = commands[cmd->opcode].run;
    int status = TOE_ST_INVALID;

    toe_count(&a->counters, ADM_COMMANDS);
    if (!handler) {
        toe_guest_error(a, "there is no admin command 0x%02x", cmd->opcode);
    } else if (cmd->rsvd || (cmd->flags & ~commands[cmd->opcode].flags)) {
        toe_guest_error(a, "admin command 0x%02x: flags 0x%02x, reserved "
                        "field 0x%x", cmd->opcode, cmd->flags, cmd->rsvd);
    } else {
        status = handler(a, cmd, &cpl);
    }
    toe_trace_admin_command(cmd->opcode, cmd->tag, status, cpl.result);
    if (status == LATER) {
        return;
    }
    if (status != TOE_ST_OK) {
        toe_count(&a->counters, ADM_ERRORS);
    }
    cpl.status = status;
    /* The handler may have completed another command; room was checked. */
    if (a->admin.ready && has_room(&a->admin)) {
        write_cpl(a, &cpl);
    } else if (a->admin.ready) {
        uint32_t at = (a->admin.later_first + a->admin.later_len) %
                      a->config.contexts;

        if (a->admin.later_len < a->config.contexts) {
            a->admin.later[at] = cpl;
            a->admin.later_len++;
        }
    }
}

bool toe_admin_pending(ToeAdapter *a)
{
    ToeAdmin *m = &a->admin;

    return m->ready && m->aq_head != m->aq_tail && has_room(m);
}

bool toe_admin_run(ToeAdapter *a)
{
    ToeAdmin *m = &a->admin;
    bool any = false;

    write_later(a);
    while (a->turn.commands < TOE_TURN_COMMANDS && !m->later_len &&
           toe_admin_pending(a)) {
        struct toe_hw_adm_cmd cmd;
        uint32_t slot = m->aq_head & ((1u << m->aq_log2) - 1);

        if (!toe_dma_read_bus(a, m->aq_base + slot * sizeof(cmd), &cmd,
                              sizeof(cmd))) {
            fatal(a, TOE_FATAL_AQ_DMA, "the admin queue cannot be read");
            return any;
        }
        m->aq_head++;
        a->turn.commands++;
        any = true;
        execute(a, &cmd);
    }
    return any;
}
