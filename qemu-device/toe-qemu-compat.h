/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * toe-qemu-compat.h - one source for QEMU 7.2 to 10.x.
 *
 * Everything that differs between the versions is here; toe.c and port.c read
 * as if there were one.  Include it after qemu/osdep.h, instead of the QEMU
 * headers named below.
 */
#ifndef TOE_QEMU_COMPAT_H
#define TOE_QEMU_COMPAT_H

#define TOE_QEMU_AT_LEAST(major, minor) \
    (QEMU_VERSION_MAJOR > (major) || \
     (QEMU_VERSION_MAJOR == (major) && QEMU_VERSION_MINOR >= (minor)))

/* Headers that were split or moved. */
#if TOE_QEMU_AT_LEAST(8, 0)
#include "hw/pci/pci_device.h"
#else
#include "hw/pci/pci.h"
#endif
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#if TOE_QEMU_AT_LEAST(10, 2)
#include "hw/core/qdev-properties.h"
#else
#include "hw/qdev-properties.h"
#endif
#if TOE_QEMU_AT_LEAST(10, 0)
#include "system/dma.h"
#else
#include "sysemu/dma.h"
#endif
#include "migration/blocker.h"
#include "migration/vmstate.h"
#include "net/net.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"

/* 10.0: property lists carry their own length. */
#if TOE_QEMU_AT_LEAST(10, 0)
#define TOE_PROPERTY_LIST static const Property
#define TOE_PROPERTY_LIST_END
#else
#define TOE_PROPERTY_LIST static Property
#define TOE_PROPERTY_LIST_END DEFINE_PROP_END_OF_LIST(),
#endif

/* 10.1: class data is constant. */
#if TOE_QEMU_AT_LEAST(10, 1)
#define TOE_CLASS_DATA const void *
#else
#define TOE_CLASS_DATA void *
#endif

/* 9.2: a plain reset function is set through a helper. */
static inline void toe_set_reset(DeviceClass *dc, void (*reset)(DeviceState *))
{
#if TOE_QEMU_AT_LEAST(9, 2)
    device_class_set_legacy_reset(dc, reset);
#else
    dc->reset = reset;
#endif
}

/* 8.1 and the stable 7.2.x: a NIC knows its device's re-entrancy guard. */
static inline NICState *toe_new_nic(NetClientInfo *info, NICConf *conf,
                                    DeviceState *dev, void *opaque)
{
#if TOE_QEMU_AT_LEAST(8, 1) || defined(qemu_bh_new_guarded)
    return qemu_new_nic(info, conf, object_get_typename(OBJECT(dev)),
                        dev->id, &dev->mem_reentrancy_guard, opaque);
#else
    return qemu_new_nic(info, conf, object_get_typename(OBJECT(dev)),
                        dev->id, opaque);
#endif
}

/* 8.2: the list of blockers owns the error. */
static inline int toe_add_blocker(Error **reason, Error **errp)
{
#if TOE_QEMU_AT_LEAST(8, 2)
    return migrate_add_blocker(reason, errp);
#else
    int ret = migrate_add_blocker(*reason, errp);

    if (ret < 0) {
        error_free(*reason);
        *reason = NULL;
    }
    return ret;
#endif
}

static inline void toe_del_blocker(Error **reason)
{
#if TOE_QEMU_AT_LEAST(8, 2)
    migrate_del_blocker(reason);
#else
    if (*reason) {
        migrate_del_blocker(*reason);
        error_free(*reason);
        *reason = NULL;
    }
#endif
}

#endif
