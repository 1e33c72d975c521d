/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/log-sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "protocol/base/mem.h"

static const struct {
	const char *name;
	enum log_level level;
} levels[] = {
	{ "debug", LOG_LEVEL_DEBUG },
	{ "info", LOG_LEVEL_INFO },
	{ "notice", LOG_LEVEL_NOTICE },
	{ "warning", LOG_LEVEL_WARNING },
	{ "err", LOG_LEVEL_ERROR },
};

/* Text may quote what a peer sent: a control character must not become a line or a colour. */
static void write_clean(char *out, size_t cap, const char *text)
{
	size_t n = 0;

	for (; *text && n + 1 < cap; text++)
		out[n++] = (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text;
	out[n] = '\0';
}

static void write_terminal(void *ctx, enum log_level level, const char *text)
{
	char clean[1024];

	(void)ctx;
	(void)level;
	write_clean(clean, sizeof(clean), text);
	(void)fprintf(stderr, "sipbusd: %s\n", clean);
}

/* sd-daemon(3): the level in front of the line, for whoever reads our stderr. */
static void write_prefixed(void *ctx, enum log_level level, const char *text)
{
	char clean[1024];

	(void)ctx;
	write_clean(clean, sizeof(clean), text);
	(void)fprintf(stderr, "<%d>%s\n", (int)level, clean);
}

static void write_journal(void *ctx, enum log_level level, const char *text)
{
	char clean[1024];

	write_clean(clean, sizeof(clean), text);
	if (sd_journal_send("MESSAGE=%s", clean, "PRIORITY=%d", (int)level, NULL) < 0)
		write_prefixed(ctx, level, text);
}

/* $JOURNAL_STREAM names the socket's device and inode (systemd.exec(5)). */
static bool leads_to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	return strcmp(stream, own) == 0;
}

void log_sink_open(struct log_sink *sink, enum log_sink_target target, enum log_level level)
{
	*sink = (struct log_sink){ .max = level };
	if (target == LOG_SINK_JOURNAL || (target == LOG_SINK_AUTO && leads_to_journal()))
		sink->write = write_journal;
	else
		sink->write = isatty(STDERR_FILENO) ? write_terminal : write_prefixed;
}

bool log_sink_parse_level(const char *name, enum log_level *ret_level)
{
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		if (strcmp(levels[i].name, name) == 0) {
			*ret_level = levels[i].level;
			return true;
		}
	}
	return false;
}

const char *log_sink_level_name(enum log_level level)
{
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (levels[i].level == level)
			return levels[i].name;
	return "info";
}
