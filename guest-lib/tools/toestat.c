// SPDX-License-Identifier: MIT
/*
 * toestat - show what the TOE adapter is doing: connections (like ss),
 * contexts, counters (like ethtool -S), and the adapter itself.
 *
 * It asks the driver through ioctls of /dev/toeN and creates no context.
 * Lists come in portions; entries may come and go between two of them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "toe_hw.h"
#include "toe_uapi.h"

#define PORTION		256u
#define ROUNDS_MAX	65536u		/* of a list, against a broken driver */
#define NO_CONTEXT	0xffffffffu

struct stat_args {
	bool conns, ctxs, counters, info, all, json;
	double every;
	const char *device;
	int fd;
};

static const char *const states[] = {
	[TOE_TCP_CLOSED] = "CLOSED",
	[TOE_TCP_LISTEN] = "LISTEN",
	[TOE_TCP_SYN_SENT] = "SYN-SENT",
	[TOE_TCP_SYN_RECEIVED] = "SYN-RECEIVED",
	[TOE_TCP_ESTABLISHED] = "ESTABLISHED",
	[TOE_TCP_FIN_WAIT_1] = "FIN-WAIT-1",
	[TOE_TCP_FIN_WAIT_2] = "FIN-WAIT-2",
	[TOE_TCP_CLOSE_WAIT] = "CLOSE-WAIT",
	[TOE_TCP_CLOSING] = "CLOSING",
	[TOE_TCP_LAST_ACK] = "LAST-ACK",
	[TOE_TCP_TIME_WAIT] = "TIME-WAIT",
	[TOE_CONN_UDP] = "UDP",
	[TOE_CONN_UDP_CONNECTED] = "UDP-CONN",
};

#define COUNTER_NAME(NAME, name, text) #name,
static const char *const counter_names[] = { TOE_COUNTERS(COUNTER_NAME) };
#define COUNTER_TEXT(NAME, name, text) text,
static const char *const counter_texts[] = { TOE_COUNTERS(COUNTER_TEXT) };

static void ask(struct stat_args *a, unsigned long request, void *arg,
		const char *what)
{
	if (ioctl(a->fd, request, arg) < 0)
		tool_die("%s: %s: %s", a->device, what, strerror(errno));
}

/* A JSON string; comm is any bytes that a process chose. */
static void print_json_string(const char *s, size_t max)
{
	size_t i;

	putchar('"');
	for (i = 0; i < max && s[i]; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c > 0x7e)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void print_plain(const char *s, size_t max)
{
	size_t i;

	for (i = 0; i < max && s[i]; i++)
		putchar(s[i] < 0x20 || s[i] > 0x7e ? '?' : s[i]);
}

/* ---- Connections -------------------------------------------------------- */

static const char *endpoint(char *to, size_t size, uint8_t family,
			    const uint8_t *ip, uint16_t port)
{
	char addr[INET6_ADDRSTRLEN] = "?";
	bool v6 = family == TOE_AF_INET6;

	inet_ntop(v6 ? AF_INET6 : AF_INET, ip, addr, sizeof(addr));
	snprintf(to, size, v6 ? "[%s]:%u" : "%s:%u", addr, port);
	return to;
}

static const char *state_name(uint8_t state)
{
	return state < sizeof(states) / sizeof(states[0]) && states[state] ?
		       states[state] : "?";
}

static void print_conn(const struct toe_hw_conn_info *c, bool json, bool all,
		       bool first)
{
	char local[64], peer[64], ctx[12] = "-";

	endpoint(local, sizeof(local), c->family, c->laddr, c->lport);
	endpoint(peer, sizeof(peer), c->family, c->raddr, c->rport);
	if (json) {
		printf("%s\n    {\"handle\": %u, \"ctx\": ", first ? "" : ",",
		       c->handle);
		if (c->ctx == NO_CONTEXT)
			printf("null");
		else
			printf("%u", c->ctx);
		printf(", \"state\": \"%s\", \"local\": \"%s\", "
		       "\"peer\": \"%s\", \"rxq\": %u, \"txq\": %u, "
		       "\"credit\": %u, \"mss\": %u, \"cwnd\": %u, "
		       "\"ssthresh\": %u, \"srtt_us\": %u, \"rto_us\": %u, "
		       "\"snd_wnd\": %u, \"rcv_wnd\": %u, "
		       "\"retransmits\": %u, \"bytes_in\": %llu, "
		       "\"bytes_out\": %llu}",
		       state_name(c->state), local, peer, c->rxq, c->txq,
		       c->credit, c->mss, c->cwnd, c->ssthresh, c->srtt_us,
		       c->rto_us, c->snd_wnd, c->rcv_wnd, c->retransmits,
		       (unsigned long long)c->bytes_in,
		       (unsigned long long)c->bytes_out);
		return;
	}
	if (c->ctx != NO_CONTEXT)
		snprintf(ctx, sizeof(ctx), "%u", c->ctx);
	printf("%-12s %8u %8u %-21s %-21s %4s\n", state_name(c->state), c->rxq,
	       c->txq, local, peer, ctx);
	if (all)
		printf("\thandle %#x mss %u cwnd %u ssthresh %u srtt %u us "
		       "rto %u us snd_wnd %u rcv_wnd %u credit %u "
		       "retransmits %u in %llu out %llu\n", c->handle, c->mss,
		       c->cwnd, c->ssthresh, c->srtt_us, c->rto_us, c->snd_wnd,
		       c->rcv_wnd, c->credit, c->retransmits,
		       (unsigned long long)c->bytes_in,
		       (unsigned long long)c->bytes_out);
}

static void show_conns(struct stat_args *a)
{
	static struct toe_hw_conn_info conns[PORTION];
	struct toe_uapi_list list = { 0 };
	unsigned int rounds = 0;
	bool first = true;
	uint32_t i;

	if (a->json)
		printf("\"connections\": [");
	else
		printf("%-12s %8s %8s %-21s %-21s %4s\n", "STATE", "RECV-Q",
		       "SEND-Q", "LOCAL", "PEER", "CTX");
	do {
		list.addr = (uintptr_t)conns;
		list.count = PORTION;
		ask(a, TOE_IOC_CONNS, &list, "list of connections");
		for (i = 0; i < list.count && i < PORTION; i++) {
			print_conn(&conns[i], a->json, a->all, first);
			first = false;
		}
	} while (list.start && ++rounds < ROUNDS_MAX);
	if (a->json)
		printf("]");
}

/* ---- Contexts ----------------------------------------------------------- */

static void print_ctx(const struct toe_uapi_ctx_stat *c, bool json, bool first)
{
	if (!json) {
		printf("%4u %7d %6u %6u %7u %9llu %10llu %11llu %7llu %s%s%s ",
		       c->ctx, c->pid, c->uid, c->conns, c->regions,
		       (unsigned long long)c->pinned >> 10,
		       (unsigned long long)c->requests,
		       (unsigned long long)c->completions,
		       (unsigned long long)c->errors,
		       c->flags & TOE_CTX_INFO_ACTIVE ? "A" : "-",
		       c->flags & TOE_CTX_INFO_DRAINING ? "D" : "-",
		       c->flags & TOE_CTX_INFO_FAULT ? "F" : "-");
		print_plain(c->comm, sizeof(c->comm));
		putchar('\n');
		return;
	}
	printf("%s\n    {\"ctx\": %u, \"pid\": %d, \"uid\": %u, "
	       "\"rights\": %u, \"connections\": %u, \"regions\": %u, "
	       "\"pinned\": %llu, \"requests\": %llu, \"completions\": %llu, "
	       "\"errors\": %llu, \"active\": %s, \"draining\": %s, "
	       "\"fault\": %s, \"comm\": ", first ? "" : ",", c->ctx, c->pid,
	       c->uid, c->rights, c->conns, c->regions,
	       (unsigned long long)c->pinned, (unsigned long long)c->requests,
	       (unsigned long long)c->completions,
	       (unsigned long long)c->errors,
	       c->flags & TOE_CTX_INFO_ACTIVE ? "true" : "false",
	       c->flags & TOE_CTX_INFO_DRAINING ? "true" : "false",
	       c->flags & TOE_CTX_INFO_FAULT ? "true" : "false");
	print_json_string(c->comm, sizeof(c->comm));
	printf("}");
}

static void show_ctxs(struct stat_args *a)
{
	static struct toe_uapi_ctx_stat ctxs[PORTION];
	struct toe_uapi_list list = { 0 };
	unsigned int rounds = 0;
	bool first = true;
	uint32_t i;

	if (a->json)
		printf("\"contexts\": [");
	else
		printf("%4s %7s %6s %6s %7s %9s %10s %11s %7s %s\n", "CTX",
		       "PID", "UID", "CONNS", "REGIONS", "PINNED/K",
		       "REQUESTS", "COMPLETIONS", "ERRORS", "STATE");
	do {
		list.addr = (uintptr_t)ctxs;
		list.count = PORTION;
		ask(a, TOE_IOC_CTXS, &list, "list of contexts");
		for (i = 0; i < list.count && i < PORTION; i++) {
			print_ctx(&ctxs[i], a->json, first);
			first = false;
		}
	} while (list.start && ++rounds < ROUNDS_MAX);
	if (a->json)
		printf("]");
}

/* ---- Counters ----------------------------------------------------------- */

static void show_counters(struct stat_args *a)
{
	static uint64_t v[TOE_CTR_MAX];
	struct toe_uapi_stats s = {
		.addr = (uintptr_t)v, .count = TOE_CTR_MAX,
	};
	bool first = true;
	unsigned int i;

	memset(v, 0, sizeof(v));
	ask(a, TOE_IOC_STATS, &s, "counters");
	if (a->json)
		printf("\"counters\": {");
	for (i = 0; i < TOE_CTR_MAX && i < s.count; i++) {
		if (!v[i] && !a->all)
			continue;
		if (a->json)
			printf("%s\n    \"%s\": %llu", first ? "" : ",",
			       counter_names[i], (unsigned long long)v[i]);
		else
			printf("%-22s %14llu  %s\n", counter_names[i],
			       (unsigned long long)v[i], counter_texts[i]);
		first = false;
	}
	if (a->json)
		printf("}");
}

/* ---- The adapter -------------------------------------------------------- */

static void show_info(struct stat_args *a)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} caps[] = {
		{ TOE_CAP_TCP, "tcp" }, { TOE_CAP_ETH, "eth" },
		{ TOE_CAP_IPV4, "ipv4" }, { TOE_CAP_IPV6, "ipv6" },
		{ TOE_CAP_UDP, "udp" }, { TOE_CAP_ISCSI, "iscsi" },
		{ TOE_CAP_CRYPTO, "crypto" }, { TOE_CAP_BIOS, "bios" },
	};
	struct toe_uapi_info i = { 0 };
	char names[128] = "";
	unsigned int k;

	ask(a, TOE_IOC_INFO, &i, "information");
	for (k = 0; k < sizeof(caps) / sizeof(caps[0]); k++) {
		if (!(i.caps & caps[k].bit))
			continue;
		if (*names)
			strcat(names, " ");
		strcat(names, caps[k].name);
	}
	if (a->json)
		printf("\"info\": {\"device\": \"%s\", \"driver_interface\": "
		       "%u, \"revision\": \"%u.%u\", \"capabilities\": "
		       "\"%s\", \"mac\": \"%02x:%02x:%02x:%02x:%02x:%02x\", "
		       "\"ifindex\": %u, \"contexts\": %u, "
		       "\"connections\": %u, \"max_queue_log2\": %u, "
		       "\"buflet_size\": %u, \"max_segment\": %u}",
		       a->device, i.version, i.revision >> 16,
		       i.revision & 0xffff, names, i.mac[0], i.mac[1],
		       i.mac[2], i.mac[3], i.mac[4], i.mac[5], i.ifindex,
		       i.max_contexts, i.max_conns, i.max_queue_log2,
		       i.buflet_size, i.max_segment);
	else
		printf("device         %s\n"
		       "interface      version %u, adapter revision %u.%u\n"
		       "capabilities   %s\n"
		       "mac            %02x:%02x:%02x:%02x:%02x:%02x\n"
		       "ifindex        %u\n"
		       "contexts       %u\n"
		       "connections    %u\n"
		       "queue entries  %u\n"
		       "buflet         %u bytes\n"
		       "max segment    %u%s\n",
		       a->device, i.version, i.revision >> 16,
		       i.revision & 0xffff, names, i.mac[0], i.mac[1],
		       i.mac[2], i.mac[3], i.mac[4], i.mac[5], i.ifindex,
		       i.max_contexts, i.max_conns,
		       i.max_queue_log2 < 32 ? 1u << i.max_queue_log2 : 0,
		       i.buflet_size, i.max_segment,
		       i.max_segment ? " bytes" : " (the MTU)");
}

/* ---- Arguments ---------------------------------------------------------- */

static void usage(FILE *f)
{
	fputs("usage: toestat [OPTION]...\n"
	      "Show the TOE adapter's connections (default), contexts and "
	      "counters.\n"
	      "  -n, --connections   connections with state and queues\n"
	      "  -c, --contexts      contexts and who owns them\n"
	      "  -s, --counters      counters that are not zero\n"
	      "  -i, --info          the adapter\n"
	      "  -a, --all           more of each: details, zero counters\n"
	      "  -w, --watch SECONDS repeat\n"
	      "  -d, --device FILE   (/dev/toe0, or $TOE_DEVICE)\n"
	      "      --json          a JSON object, one per repetition\n"
	      "  -h, --help\n", f);
}

static void options(struct stat_args *a, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "connections", no_argument, NULL, 'n' },
		{ "contexts", no_argument, NULL, 'c' },
		{ "counters", no_argument, NULL, 's' },
		{ "info", no_argument, NULL, 'i' },
		{ "all", no_argument, NULL, 'a' },
		{ "watch", required_argument, NULL, 'w' },
		{ "device", required_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	char *end;
	int o;

	while ((o = getopt_long(argc, argv, "ncsiaw:d:h", longs, NULL)) != -1) {
		switch (o) {
		case 'n':
			a->conns = true;
			break;
		case 'c':
			a->ctxs = true;
			break;
		case 's':
			a->counters = true;
			break;
		case 'i':
			a->info = true;
			break;
		case 'a':
			a->all = true;
			break;
		case 'w':
			a->every = strtod(optarg, &end);
			if (end == optarg || *end || !(a->every > 0) ||
			    a->every > 86400)
				tool_die("--watch: '%s' is not a time",
					 optarg);
			break;
		case 'd':
			a->device = optarg;
			break;
		case 'j':
			a->json = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(1);
		}
	}
	if (optind < argc) {
		usage(stderr);
		exit(1);
	}
	if (!a->ctxs && !a->counters && !a->info)
		a->conns = true;
}

static void show(struct stat_args *a)
{
	static void (*const parts[])(struct stat_args *) = {
		show_info, show_conns, show_ctxs, show_counters,
	};
	const bool wanted[] = { a->info, a->conns, a->ctxs, a->counters };
	bool first = true;
	size_t i;

	if (a->json)
		printf("{");
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!wanted[i])
			continue;
		if (!first)
			printf(a->json ? ",\n " : "\n");
		parts[i](a);
		first = false;
	}
	if (a->json)
		printf("}\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct stat_args a = { .device = getenv("TOE_DEVICE") };
	struct timespec pause;

	tool_name = "toestat";
	if (!a.device || !*a.device)
		a.device = "/dev/toe0";
	options(&a, argc, argv);
	a.fd = open(a.device, O_RDWR | O_CLOEXEC);
	if (a.fd < 0)
		tool_die("%s: %s%s", a.device, strerror(errno),
			 errno == ENOENT ? " (is toe.ko loaded?)" : "");
	pause.tv_sec = (time_t)a.every;
	pause.tv_nsec = (long)((a.every - (double)pause.tv_sec) * 1e9);
	show(&a);
	while (a.every > 0) {
		nanosleep(&pause, NULL);
		show(&a);
	}
	close(a.fd);
	return 0;
}
