// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nicinfo - what "ethtool -i" and "ethtool -S" show, for machines without
 * ethtool: "driver NAME", "bus NAME", "link 0|1", then "stat NAME VALUE".
 *
 *   nicinfo INTERFACE
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int fd;
static struct ifreq ifr;

static void ask(void *cmd, const char *what)
{
	ifr.ifr_data = cmd;
	if (ioctl(fd, SIOCETHTOOL, &ifr)) {
		fprintf(stderr, "nicinfo: %s: %s: %s\n", ifr.ifr_name, what,
			strerror(errno));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_value link = { .cmd = ETHTOOL_GLINK };
	struct ethtool_gstrings *names;
	struct ethtool_stats *stats;
	unsigned int i, n;

	if (argc != 2) {
		fprintf(stderr, "usage: nicinfo INTERFACE\n");
		return 2;
	}
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", argv[1]);
	ask(&info, "driver");
	ask(&link, "link");
	printf("driver %s\nbus %s\nlink %u\n", info.driver, info.bus_info,
	       link.data);
	n = info.n_stats;
	names = calloc(1, sizeof(*names) + n * ETH_GSTRING_LEN);
	stats = calloc(1, sizeof(*stats) + n * sizeof(stats->data[0]));
	if (!names || !stats)
		return 1;
	*names = (struct ethtool_gstrings){
		.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_STATS, .len = n,
	};
	*stats = (struct ethtool_stats){ .cmd = ETHTOOL_GSTATS, .n_stats = n };
	ask(names, "names");
	ask(stats, "values");
	for (i = 0; i < n; i++)
		printf("stat %.*s %llu\n", ETH_GSTRING_LEN,
		       (char *)names->data + i * ETH_GSTRING_LEN,
		       (unsigned long long)stats->data[i]);
	return 0;
}
