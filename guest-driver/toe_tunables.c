// SPDX-License-Identifier: GPL-2.0-only
/*
 * toe_tunables.c - the adapter's parameters as files:
 * /sys/bus/pci/devices/ADDRESS/tunables/NAME, one number each.
 *
 * A file shows what the adapter says, not what was written last.  A value that
 * was written is kept and set again after a reset of the adapter; it is lost
 * when the driver is unloaded.
 */
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/pci.h>
#include <linux/sysfs.h>

#include "toe.h"

struct toe_tunable {
	struct device_attribute attr;
	u32 param;			/* TOE_PARAM_* */
};

#define to_tunable(a)	container_of(a, struct toe_tunable, attr)

static ssize_t toe_tunable_show(struct device *device,
				struct device_attribute *attr, char *buf)
{
	struct toe_dev *dev = dev_get_drvdata(device);
	struct toe_adm_req req = {
		.cmd.opcode = TOE_ADM_PARAM_GET,
		.cmd.u.param.param = to_tunable(attr)->param,
	};
	int ret;

	ret = toe_enter(dev);
	if (ret)
		return ret;
	ret = toe_admin_exec(&dev->admin, &req);
	toe_leave(dev);
	return ret ? ret : sysfs_emit(buf, "%llu\n", req.result);
}

static int toe_tunable_set(struct toe_dev *dev, u32 param, u64 value)
{
	struct toe_hw_adm_cmd cmd = {
		.opcode = TOE_ADM_PARAM_SET,
		.u.param.param = param,
		.u.param.value = value,
	};

	return toe_admin_simple(&dev->admin, &cmd);
}

static ssize_t toe_tunable_store(struct device *device,
				 struct device_attribute *attr,
				 const char *buf, size_t count)
{
	struct toe_dev *dev = dev_get_drvdata(device);
	u32 param = to_tunable(attr)->param;
	u64 value;
	int ret;

	ret = kstrtou64(buf, 0, &value);
	if (ret)
		return ret;
	ret = toe_enter(dev);
	if (ret)
		return ret;
	/* Two writers of one file: the adapter and we keep the same one. */
	mutex_lock(&dev->tunables_lock);
	ret = toe_tunable_set(dev, param, value);
	if (!ret) {
		dev->tunables[param].value = value;
		dev->tunables[param].set = true;
	}
	mutex_unlock(&dev->tunables_lock);
	toe_leave(dev);
	return ret ? ret : count;
}

#define TUNABLE(_name, _param)						\
static struct toe_tunable toe_tunable_##_name = {			\
	.attr = __ATTR(_name, 0644, toe_tunable_show, toe_tunable_store), \
	.param = TOE_PARAM_##_param,					\
};									\
static_assert(TOE_PARAM_##_param < TOE_TUNABLES)

TUNABLE(time_wait_ms, TIME_WAIT_MS);
TUNABLE(port_lo, PORT_LO);
TUNABLE(port_hi, PORT_HI);
TUNABLE(rcvbuf, RCVBUF);
TUNABLE(sndbuf, SNDBUF);
TUNABLE(orphan_ms, ORPHAN_MS);
TUNABLE(ttl, FORWARD_TTL);
TUNABLE(congestion, CONGESTION);
TUNABLE(ecn, ECN);
TUNABLE(pacing, PACING);
TUNABLE(syn_cookies, SYN_COOKIES);
TUNABLE(synack_retries, SYNACK_RETRIES);
TUNABLE(syn_backlog, SYN_BACKLOG);
TUNABLE(fastopen, FASTOPEN);
TUNABLE(rcvbuf_max, RCVBUF_MAX);
TUNABLE(sndbuf_max, SNDBUF_MAX);
TUNABLE(uto_min_ms, UTO_MIN_MS);
TUNABLE(uto_max_ms, UTO_MAX_MS);
TUNABLE(mtu_probing, MTU_PROBING);
TUNABLE(udp_rcvbuf, UDP_RCVBUF);
TUNABLE(udp_sndbuf, UDP_SNDBUF);

static struct attribute *toe_tunable_attrs[] = {
	&toe_tunable_time_wait_ms.attr.attr,
	&toe_tunable_port_lo.attr.attr,
	&toe_tunable_port_hi.attr.attr,
	&toe_tunable_rcvbuf.attr.attr,
	&toe_tunable_sndbuf.attr.attr,
	&toe_tunable_orphan_ms.attr.attr,
	&toe_tunable_ttl.attr.attr,
	&toe_tunable_congestion.attr.attr,
	&toe_tunable_ecn.attr.attr,
	&toe_tunable_pacing.attr.attr,
	&toe_tunable_syn_cookies.attr.attr,
	&toe_tunable_synack_retries.attr.attr,
	&toe_tunable_syn_backlog.attr.attr,
	&toe_tunable_fastopen.attr.attr,
	&toe_tunable_rcvbuf_max.attr.attr,
	&toe_tunable_sndbuf_max.attr.attr,
	&toe_tunable_uto_min_ms.attr.attr,
	&toe_tunable_uto_max_ms.attr.attr,
	&toe_tunable_mtu_probing.attr.attr,
	&toe_tunable_udp_rcvbuf.attr.attr,
	&toe_tunable_udp_sndbuf.attr.attr,
	NULL
};

static const struct attribute_group toe_tunables_group = {
	.name = "tunables",
	.attrs = toe_tunable_attrs,
};

/* Made by the driver core after probe() and gone before remove(). */
const struct attribute_group *toe_dev_groups[] = {
	&toe_tunables_group,
	NULL
};

/**
 * toe_tunables_restore() - set again what was set before the reset
 * @dev: the adapter, up
 *
 * The caller holds dev->sem.
 */
void toe_tunables_restore(struct toe_dev *dev)
{
	u32 i;
	int ret;

	mutex_lock(&dev->tunables_lock);
	for (i = 0; i < TOE_TUNABLES; i++) {
		if (!dev->tunables[i].set)
			continue;
		ret = toe_tunable_set(dev, i, dev->tunables[i].value);
		if (ret)
			dev_warn(dev->device, "parameter %u can't be set to %llu again: %d\n",
				 i, dev->tunables[i].value, ret);
	}
	mutex_unlock(&dev->tunables_lock);
}
