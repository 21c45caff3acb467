/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * toe.c - the adapter as a PCI function: -device toe.
 *
 * A thin front: BARs, MSI-X, reset, properties, and the table of functions
 * (env.h) through which the core reaches the world.  All it does itself is to
 * check the properties; what the guest writes goes to the core unchecked.
 *
 * The core runs under the big lock: register and doorbell accesses come from
 * the processors' threads, frames, timer and the kick from the main loop.
 *
 * DMA is allowed to reach memory only (MemTxAttrs.memory): an address in any
 * device's BAR, the adapter's own included, "does not answer".  So a ring in
 * MMIO space can neither re-enter the adapter nor poke other devices.  Should
 * an access come in during a turn all the same, the core refuses it.
 */
#include "qemu/osdep.h"
#include "toe-qemu.h"
#include "hw/core/cpu.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/guest-random.h"
#include "qemu/host-utils.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qemu/notify.h"
#include "qemu/units.h"
#include "toe_trace.h"

#define TOE_CONNECTIONS_MIN     16u
#define TOE_LOCALMEM_MIN        (1 * MiB)
#define TOE_LOCALMEM_MAX        (2 * GiB)
#define TOE_MTU_LOW             576u
#define TOE_MTU_HIGH            65535u
#define TOE_REGIONS_MIN         16u
#define TOE_REGIONS_MAX         (1u << 19)
#define TOE_PAGES_MIN           1024u
#define TOE_PAGES_MAX           (1u << 26)

/* ---- The world, for the core ------------------------------------------- */

static bool env_dma(ToeState *s, uint64_t addr, void *buf, size_t len,
                    DMADirection dir)
{
    MemTxAttrs attrs = { .memory = 1 };

    if (!s->adapter) {
        return false;           /* unplugged in this turn: see toe_exit() */
    }
    return pci_dma_rw(PCI_DEVICE(s), addr, buf, len, dir, attrs) == MEMTX_OK;
}

static bool env_dma_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
    return env_dma(opaque, addr, buf, len, DMA_DIRECTION_TO_DEVICE);
}

static bool env_dma_write(void *opaque, uint64_t addr, const void *buf,
                          size_t len)
{
    return env_dma(opaque, addr, (void *)buf, len,
                   DMA_DIRECTION_FROM_DEVICE);
}

static void env_irq(void *opaque, unsigned vector)
{
    ToeState *s = opaque;
    PCIDevice *pci = PCI_DEVICE(s);

    if (s->adapter && msix_enabled(pci)) {
        msix_notify(pci, vector);
    }
}

static int64_t env_now(void *opaque)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void env_set_timer(void *opaque, int64_t deadline)
{
    ToeState *s = opaque;

    if (!s->adapter) {
        return;
    }
    if (deadline == INT64_MAX) {
        timer_del(s->timer);
    } else {
        timer_mod(s->timer, deadline);
    }
}

static void env_kick(void *opaque)
{
    ToeState *s = opaque;

    if (!s->adapter) {
        return;
    }
    if (current_cpu) {
        qemu_bh_schedule(s->bh);
    } else {
        s->kicked = true;
    }
}

static void env_random(void *opaque, void *buf, size_t len)
{
    qemu_guest_getrandom_nofail(buf, len);
}

static void env_guest_error(void *opaque, const char *sentence)
{
    qemu_log_mask(LOG_GUEST_ERROR, "toe: %s\n", sentence);
}

static void toe_bh(void *opaque)
{
    ToeState *s = opaque;

    toe_adapter_run(s->adapter);
}

/*
 * The main loop is about to poll.  The backends read from there, a burst of
 * frames in one go: all of it is in, and what it causes can be done, before
 * they poll again.  A bottom half would cost one more round of the main loop
 * for each burst, and a system call to wake it up.
 */
static void toe_before_poll(Notifier *notifier, void *data)
{
    ToeState *s = container_of(notifier, ToeState, poll);
    MainLoopPoll *poll = data;

    if (poll->state != MAIN_LOOP_POLL_FILL || !s->kicked) {
        return;
    }
    s->kicked = false;
    toe_adapter_run(s->adapter);
    if (s->kicked) {
        poll->timeout = 0;
    }
}

static void toe_timer(void *opaque)
{
    ToeState *s = opaque;

    toe_adapter_timer(s->adapter);
}

/* ---- BARs -------------------------------------------------------------- */

/*
 * A processor may wait for the big lock with its access under way while
 * another one unplugs the adapter: then there is none here any more.
 */

static uint64_t regs_read(void *opaque, hwaddr addr, unsigned size)
{
    ToeState *s = opaque;

    return s->adapter ? toe_adapter_reg_read(s->adapter, addr, size)
                      : UINT64_MAX;
}

static void regs_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    ToeState *s = opaque;

    if (s->adapter) {
        toe_adapter_reg_write(s->adapter, addr, val, size);
    }
}

/* The core decides about sizes and alignment, and counts what is wrong. */
static const MemoryRegionOps regs_ops = {
    .read = regs_read,
    .write = regs_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

static uint64_t doorbells_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

static void doorbells_write(void *opaque, hwaddr addr, uint64_t val,
                            unsigned size)
{
    ToeState *s = opaque;

    if (s->adapter) {
        toe_adapter_doorbell_write(s->adapter, addr, val, size);
    }
}

static const MemoryRegionOps doorbells_ops = {
    .read = doorbells_read,
    .write = doorbells_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

/* ---- Properties -------------------------------------------------------- */

static bool in_range(const char *name, uint64_t val, uint64_t lo, uint64_t hi,
                     Error **errp)
{
    if (val >= lo && val <= hi) {
        return true;
    }
    error_setg(errp, "toe: property '%s' is %" PRIu64 ", it must be from %"
               PRIu64 " to %" PRIu64, name, val, lo, hi);
    return false;
}

/* Check the properties and make the core's configuration of them. */
static bool configure(ToeState *s, ToeConfig *c, Error **errp)
{
    ToePeer peer = toe_port_peer(s);

    if (!in_range("contexts", s->contexts, TOE_CONTEXTS_MIN,
                  TOE_CONTEXTS_MAX, errp) ||
        !in_range("connections", s->connections, TOE_CONNECTIONS_MIN,
                  TOE_CONNECTIONS_MAX, errp) ||
        !in_range("localmem", s->localmem, TOE_LOCALMEM_MIN,
                  TOE_LOCALMEM_MAX, errp) ||
        !in_range("mtu", s->mtu, TOE_MTU_LOW, TOE_MTU_HIGH, errp) ||
        !in_range("regions", s->regions, TOE_REGIONS_MIN, TOE_REGIONS_MAX,
                  errp) ||
        !in_range("pages", s->pages, TOE_PAGES_MIN, TOE_PAGES_MAX, errp)) {
        return false;
    }
    if (s->localmem % (64 * KiB)) {
        error_setg(errp, "toe: property 'localmem' is %" PRIu64
                   " bytes, it must be a multiple of 64 KiB", s->localmem);
        return false;
    }
    if (s->max_segment > 0 && (s->max_segment < (int32_t)s->mtu ||
                               s->max_segment > (int32_t)TOE_MTU_HIGH)) {
        error_setg(errp, "toe: property 'max-segment' is %d, it must be 0 "
                   "(the MTU) or from the MTU, %u, to %u", s->max_segment,
                   s->mtu, TOE_MTU_HIGH);
        return false;
    }
    if (s->max_segment < -1) {
        error_setg(errp, "toe: property 'max-segment' is %d, it must be 0 "
                   "(the MTU), or from the MTU to %u, or -1 (by the backend)",
                   s->max_segment, TOE_MTU_HIGH);
        return false;
    }
    if (s->max_segment > 0 && peer == TOE_PEER_PLAIN) {
        error_setg(errp, "toe: property 'max-segment' is %d, but only a "
                   "'-netdev user' backend takes packets above the MTU",
                   s->max_segment);
        return false;
    }
    *c = (ToeConfig) {
        .contexts = s->contexts,
        .connections = s->connections,
        .mtu_max = s->mtu,
        .max_segment = s->max_segment >= 0 ? s->max_segment
                       : peer == TOE_PEER_USER ? TOE_MTU_HIGH : 0,
        .regions = s->regions,
        .pages = s->pages,
    };
    memcpy(c->mac, s->conf.macaddr.a, sizeof(c->mac));
    return true;
}

static void get_counters(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    ToeState *s = TOE(obj);
    static const char *const names[] = {
#define TOE_COUNTER_NAME(NAME, lower, text) #lower,
        TOE_COUNTERS(TOE_COUNTER_NAME)
    };

    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return;
    }
    for (int i = 0; i < TOE_CTR_MAX; i++) {
        uint64_t val = s->adapter
                       ? toe_adapter_counters(s->adapter)->v[i] : 0;

        if (!visit_type_uint64(v, names[i], &val, errp)) {
            goto out;
        }
    }
    visit_check_struct(v, errp);
out:
    visit_end_struct(v, NULL);
}

/* What one wants to know first, from the registers. */
static void get_info(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    static const struct {
        const char *name;
        uint32_t reg;
        uint32_t mask;
    } items[] = {
        { "revision", TOE_REG_REVISION, UINT32_MAX },
        { "ready", TOE_REG_STATUS, TOE_STATUS_READY },
        { "link", TOE_REG_STATUS, TOE_STATUS_LINK },
        { "fatal", TOE_REG_ERROR, UINT32_MAX },
        { "resets", TOE_REG_EPOCH, UINT32_MAX },
        { "contexts", TOE_REG_MAX_CONTEXTS, UINT32_MAX },
        { "connections", TOE_REG_MAX_CONNS, UINT32_MAX },
        { "localmem", TOE_REG_LMEM_SIZE, UINT32_MAX },
        { "mtu", TOE_REG_MTU_MAX, UINT32_MAX },
        { "max-segment", TOE_REG_MAX_SEGMENT, UINT32_MAX },
    };
    ToeState *s = TOE(obj);

    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return;
    }
    for (int i = 0; i < ARRAY_SIZE(items); i++) {
        uint64_t val = s->adapter
                       ? toe_adapter_reg_read(s->adapter, items[i].reg, 4)
                       : 0;

        val &= items[i].mask;
        if (items[i].mask != UINT32_MAX) {
            val = val != 0;
        }
        if (!visit_type_uint64(v, items[i].name, &val, errp)) {
            goto out;
        }
    }
    visit_check_struct(v, errp);
out:
    visit_end_struct(v, NULL);
}

/* ---- Life -------------------------------------------------------------- */

static void toe_realize(PCIDevice *pci, Error **errp)
{
    ToeState *s = TOE(pci);
    ToeConfig config;
    ToeEnv env = {
        .opaque = s,
        .dma_read = env_dma_read,
        .dma_write = env_dma_write,
        .irq = env_irq,
        .send_frame = toe_port_send,
        .now = env_now,
        .set_timer = env_set_timer,
        .kick = env_kick,
        .random = env_random,
        .guest_error = env_guest_error,
    };
    Error *err = NULL;

    qemu_macaddr_default_if_unset(&s->conf.macaddr);
    if (!configure(s, &config, errp)) {
        return;
    }

    error_setg(&s->blocker, "The TOE adapter ('-device toe') cannot be "
               "migrated or saved yet: its connections would be lost");
    if (toe_add_blocker(&s->blocker, errp) < 0) {
        return;
    }
    memory_region_init_ram(&s->lmem, OBJECT(s), "toe.localmem", s->localmem,
                           &err);
    if (err) {
        error_propagate(errp, err);
        goto no_lmem;
    }

    pci->config[PCI_INTERRUPT_PIN] = 0;         /* MSI-X only */
    if (pci_bus_is_express(pci_get_bus(pci))) {
        if (pcie_endpoint_cap_init(pci, 0) < 0) {
            error_setg(errp, "toe: no room for the PCI Express capability");
            goto no_express;
        }
        pcie_cap_flr_init(pci);
    }
    memory_region_init_io(&s->regs, OBJECT(s), &regs_ops, s, "toe.regs",
                          TOE_BAR_REGS_SIZE);
    pci_register_bar(pci, TOE_BAR_REGS, PCI_BASE_ADDRESS_SPACE_MEMORY,
                     &s->regs);
    memory_region_init_io(&s->doorbells, OBJECT(s), &doorbells_ops, s,
                          "toe.doorbells", pow2ceil(s->contexts) *
                          (uint64_t)TOE_DOORBELL_PAGE_SIZE);
    pci_register_bar(pci, TOE_BAR_DOORBELLS,
                     PCI_BASE_ADDRESS_SPACE_MEMORY |
                     PCI_BASE_ADDRESS_MEM_TYPE_64 |
                     PCI_BASE_ADDRESS_MEM_PREFETCH, &s->doorbells);
    if (msix_init_exclusive_bar(pci, TOE_MSIX_VECTORS, TOE_BAR_MSIX,
                                errp) < 0) {
        goto no_msix;
    }
    for (unsigned i = 0; i < TOE_MSIX_VECTORS; i++) {
        msix_vector_use(pci, i);
    }

    s->bh = qemu_bh_new(toe_bh, s);
    s->poll.notify = toe_before_poll;
    main_loop_poll_add_notifier(&s->poll);
    s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, toe_timer, s);
    s->adapter = toe_adapter_new(&env, &config,
                                 memory_region_get_ram_ptr(&s->lmem),
                                 s->localmem);
    toe_port_realize(s);
    return;

no_msix:
    if (pci_is_express(pci)) {
        pcie_cap_exit(pci);
    }
no_express:
    vmstate_unregister_ram(&s->lmem, DEVICE(s));
no_lmem:
    toe_del_blocker(&s->blocker);
}

/* The end of an adapter that was unplugged in the middle of a turn. */
typedef struct ToeLate {
    ToeState *s;
    ToeAdapter *adapter;
} ToeLate;

static void toe_exit_late(void *opaque)
{
    ToeLate *late = opaque;

    toe_port_unrealize(late->s);
    toe_adapter_free(late->adapter);
    object_unref(OBJECT(late->s));
    g_free(late);
}

/*
 * A guest can have this called inside a turn: an MSI-X message is a write to
 * any address, also to the one that takes the slot's power away.  The turn
 * then goes on to its end without a world (s->adapter is NULL: no DMA, no
 * interrupt, no frame); the core, and the port, whose frame it may be, are
 * freed after it.
 */
static void toe_exit(PCIDevice *pci)
{
    ToeState *s = TOE(pci);
    ToeAdapter *adapter = s->adapter;

    s->adapter = NULL;
    if (toe_adapter_busy(adapter)) {
        ToeLate *late = g_new(ToeLate, 1);

        *late = (ToeLate) { .s = s, .adapter = adapter };
        object_ref(OBJECT(s));
        aio_bh_schedule_oneshot(qemu_get_aio_context(), toe_exit_late, late);
    } else {
        toe_port_unrealize(s);
        toe_adapter_free(adapter);
    }
    timer_free(s->timer);
    s->timer = NULL;
    qemu_bh_delete(s->bh);
    s->bh = NULL;
    main_loop_poll_remove_notifier(&s->poll);
    s->kicked = false;
    /* Its name is free for an adapter that comes before this one is freed. */
    vmstate_unregister_ram(&s->lmem, DEVICE(s));
    msix_uninit_exclusive_bar(pci);
    if (pci_bus_is_express(pci_get_bus(pci))) {
        pcie_cap_exit(pci);
    }
    toe_del_blocker(&s->blocker);
}

static void toe_reset(DeviceState *dev)
{
    ToeState *s = TOE(dev);

    toe_trace_pci_reset();
    if (s->adapter) {
        toe_adapter_reset(s->adapter);
    }
}

static void toe_config_write(PCIDevice *pci, uint32_t addr, uint32_t val,
                             int len)
{
    pci_default_write_config(pci, addr, val, len);
    if (pci_bus_is_express(pci_get_bus(pci))) {
        pcie_cap_flr_write_config(pci, addr, val, len);
    }
}

TOE_PROPERTY_LIST toe_properties[] = {
    DEFINE_NIC_PROPERTIES(ToeState, conf),
    DEFINE_PROP_UINT32("contexts", ToeState, contexts, 1024),
    DEFINE_PROP_UINT32("connections", ToeState, connections, 16384),
    DEFINE_PROP_SIZE("localmem", ToeState, localmem, 64 * MiB),
    DEFINE_PROP_UINT32("mtu", ToeState, mtu, 1500),
    DEFINE_PROP_INT32("max-segment", ToeState, max_segment, -1),
    DEFINE_PROP_UINT32("regions", ToeState, regions, 16384),
    DEFINE_PROP_UINT32("pages", ToeState, pages, 4 * MiB),
    TOE_PROPERTY_LIST_END
};

static const struct {
    const char *name;
    const char *text;
} toe_texts[] = {
    { "netdev", "the backend (-netdev id) that the port is connected to" },
    { "mac", "the port's permanent Ethernet address" },
    { "contexts", "contexts, each with a doorbell page, 2 to 4096" },
    { "connections", "TCP connections and listeners of all contexts, 16 to "
                     "1048576" },
    { "localmem", "local memory that holds all data on the adapter, 1 MiB "
                  "to 2 GiB" },
    { "mtu", "largest MTU of the port, 576 to 65535" },
    { "max-segment", "largest IPv4 packet to give to a '-netdev user' "
                     "backend, mtu to 65535; 0: the MTU; -1: 65535 if the "
                     "backend is 'user', else the MTU" },
    { "regions", "memory regions that may be registered, 16 to 524288" },
    { "pages", "page addresses that all regions may hold, 1024 to 67108864" },
};

static void toe_class_init(ObjectClass *oc, TOE_CLASS_DATA data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);

    pc->realize = toe_realize;
    pc->exit = toe_exit;
    pc->config_write = toe_config_write;
    pc->vendor_id = TOE_PCI_VENDOR_ID;
    pc->device_id = TOE_PCI_DEVICE_ID;
    pc->revision = TOE_PCI_REVISION;
    pc->class_id = PCI_CLASS_NETWORK_ETHERNET;
    dc->desc = "Network adapter with a complete TCP offload engine";
    set_bit(DEVICE_CATEGORY_NETWORK, dc->categories);
    toe_set_reset(dc, toe_reset);
    device_class_set_props(dc, toe_properties);
    for (int i = 0; i < ARRAY_SIZE(toe_texts); i++) {
        object_class_property_set_description(oc, toe_texts[i].name,
                                              toe_texts[i].text);
    }
    object_class_property_add(oc, "counters", "dict", get_counters, NULL,
                              NULL, NULL);
    object_class_property_set_description(oc, "counters",
                                          "all counters by name (read only)");
    object_class_property_add(oc, "info", "dict", get_info, NULL, NULL, NULL);
    object_class_property_set_description(oc, "info",
                                          "state and limits (read only)");
}

static void toe_instance_init(Object *obj)
{
    /* On a conventional bus the extended configuration space is not seen. */
    PCI_DEVICE(obj)->cap_present |= QEMU_PCI_CAP_EXPRESS;
}

static const TypeInfo toe_info = {
    .name = TYPE_TOE,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(ToeState),
    .instance_init = toe_instance_init,
    .class_init = toe_class_init,
    .interfaces = (InterfaceInfo[]) {
        { INTERFACE_PCIE_DEVICE },
        { INTERFACE_CONVENTIONAL_PCI_DEVICE },
        { }
    },
};

static void toe_register_types(void)
{
    type_register_static(&toe_info);
}

type_init(toe_register_types)
