/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>

#include "conf/config.h"
#include "daemon/app.h"
#include "daemon/log-sink.h"
#include "daemon/tls-check.h"
#include "ipc/iface.h"
#include "protocol/base/buf.h"
#include "protocol/base/mem.h"

enum verb { VERB_RUN, VERB_CHECK, VERB_INTROSPECT, VERB_DUMP_CONFIG, VERB_VERSION, VERB_HELP };

enum { EXIT_USAGE = 2 };

struct arguments {
	enum verb verb;
	bool system;
	const char *address, *config, *state;
	enum log_level level;
};

static const char help[] =
	"sipbusd [OPTION...]\n"
	"\n"
	"A SIP user agent as a service on D-Bus.\n"
	"\n"
	"  --user             on the session bus (the default)\n"
	"  --system           on the system bus\n"
	"  --address=BUS      on the bus at this D-Bus address\n"
	"  --config=DIR       configuration (~/.config/sipbus, /etc/sipbus)\n"
	"  --state=DIR        what outlives a restart (~/.local/state/sipbus, /var/lib/sipbus)\n"
	"  --log-level=LEVEL  err, warning, notice, info (the default) or debug\n"
	"  --check            say what is wrong with the configuration, and end\n"
	"  --dump-config      print every key with its default, and end\n"
	"  --introspect       print the D-Bus interfaces as XML, and end\n"
	"  --version, --help\n";

/* DIR below $variable, else below $HOME/fallback. The caller frees; NULL: neither is set. */
static char *below(const char *variable, const char *fallback)
{
	const char *base = getenv(variable), *home = getenv("HOME");
	struct buf path = BUF_NULL;

	/* The XDG specification: a relative path counts as none. */
	if (base && base[0] == '/')
		buf_printf(&path, "%s/sipbus", base);
	else if (home && *home)
		buf_printf(&path, "%s/%s/sipbus", home, fallback);
	else
		return NULL;
	return buf_take(&path);
}

static char *config_folder(const struct arguments *a)
{
	if (a->config)
		return mem_strdup(a->config);
	return a->system ? mem_strdup("/etc/sipbus") : below("XDG_CONFIG_HOME", ".config");
}

static char *state_folder(const struct arguments *a)
{
	const char *given = a->state ? a->state : getenv("STATE_DIRECTORY");

	if (given && *given)
		return slice_dup(slice_head(slice_str(given), slice_find(slice_str(given), ':')));
	return a->system ? mem_strdup("/var/lib/sipbus") : below("XDG_STATE_HOME", ".local/state");
}

static int usage(const char *what, const char *which)
{
	(void)fprintf(stderr, "sipbusd: %s%s\nTry sipbusd --help\n", what, which);
	return EXIT_USAGE;
}

/* 0, or an exit status above it: the message is out. */
static int parse(int argc, char **argv, struct arguments *ret)
{
	static const struct option options[] = {
		{ "user", no_argument, NULL, 'u' },
		{ "system", no_argument, NULL, 's' },
		{ "address", required_argument, NULL, 'a' },
		{ "config", required_argument, NULL, 'c' },
		{ "state", required_argument, NULL, 'd' },
		{ "log-level", required_argument, NULL, 'l' },
		{ "check", no_argument, NULL, 'C' },
		{ "introspect", no_argument, NULL, 'I' },
		{ "dump-config", no_argument, NULL, 'D' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int o;

	*ret = (struct arguments){ .level = LOG_LEVEL_INFO };
	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (o) {
		case 'u':
			ret->system = false;
			break;
		case 's':
			ret->system = true;
			break;
		case 'a':
			ret->address = optarg;
			break;
		case 'c':
			ret->config = optarg;
			break;
		case 'd':
			ret->state = optarg;
			break;
		case 'l':
			if (!log_sink_parse_level(optarg, &ret->level))
				return usage("no such log level: ", optarg);
			break;
		case 'C':
			ret->verb = VERB_CHECK;
			break;
		case 'I':
			ret->verb = VERB_INTROSPECT;
			break;
		case 'D':
			ret->verb = VERB_DUMP_CONFIG;
			break;
		case 'V':
			ret->verb = VERB_VERSION;
			break;
		case 'h':
			ret->verb = VERB_HELP;
			break;
		default: /* getopt has said what is wrong */
			return usage("bad option", "");
		}
	}
	return optind < argc ? usage("unexpected argument: ", argv[optind]) : 0;
}

/* Output that is cut short, on a full disk or into a closed pipe, is a failure. */
static int print(const struct buf *b)
{
	if (b->n && fwrite(b->p, 1, b->n, stdout) != b->n)
		return EXIT_FAILURE;
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int check(const char *folder)
{
	const struct config_source source = { .folder = folder,
		.credentials_folder = getenv("CREDENTIALS_DIRECTORY") };
	struct config *c = tls_check_load(&source);
	struct buf text cleanup_buf = BUF_NULL;
	int status;

	problem_list_append(&text, &c->problems);
	status = print(&text);
	if (!config_is_usable(c))
		status = EX_CONFIG;
	config_free(c);
	return status;
}

static int run(const struct arguments *a, const char *config)
{
	char *state cleanup_free = state_folder(a);
	const struct app_options options = { .config_folder = config,
		.state_folder = state,
		.bus_address = a->address  ? a->address
			       : a->system ? "system"
					   : "session",
		.system = a->system };
	struct log_sink log;

	if (!state)
		return usage("no state directory: neither --state nor $HOME", "");
	/* Passwords are in memory: no core dump, no ptrace by others of our user. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* Whoever reads our standard error may leave; every other write says so by its result. */
	(void)signal(SIGPIPE, SIG_IGN);
	log_sink_open(&log, LOG_SINK_AUTO, a->level);
	return app_run(&options, &log);
}

int main(int argc, char **argv)
{
	struct arguments a;
	struct buf text cleanup_buf = BUF_NULL;
	int status = parse(argc, argv, &a);
	char *config cleanup_free = NULL;

	if (status)
		return status;
	switch (a.verb) {
	case VERB_HELP:
		buf_str(&text, help);
		return print(&text);
	case VERB_VERSION:
		buf_str(&text, "sipbusd " SIPBUS_VERSION "\n");
		return print(&text);
	case VERB_INTROSPECT:
		iface_introspect(&text);
		return print(&text);
	case VERB_DUMP_CONFIG:
		config_dump(&text);
		return print(&text);
	case VERB_CHECK:
	case VERB_RUN:
		break;
	}
	config = config_folder(&a);
	if (!config)
		return usage("no configuration: neither --config nor $HOME", "");
	return a.verb == VERB_CHECK ? check(config) : run(&a, config);
}
