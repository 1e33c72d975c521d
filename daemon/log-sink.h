/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>

#include "protocol/base/log.h"

/* Where the daemon's lines go; numbers as in LogControl1's LogTarget. */
enum log_sink_target {
	LOG_SINK_AUTO,    /* the journal if stderr leads there, else stderr */
	LOG_SINK_CONSOLE, /* stderr, with <N> in front unless it is a terminal */
	LOG_SINK_JOURNAL,
};

/* sink->ctx stays NULL: there is nothing to close. */
void log_sink_open(struct log_sink *sink, enum log_sink_target target, enum log_level level);
/* "debug", "info", "notice", "warning", "err"; false for anything else. */
bool log_sink_parse_level(const char *name, enum log_level *ret_level);
const char *log_sink_level_name(enum log_level level);
