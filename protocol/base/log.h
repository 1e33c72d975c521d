/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Levels as syslog numbers them. The protocol core logs at LOG_LEVEL_DEBUG only. */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* Where text goes is the host's business. A zeroed sink swallows everything. */
struct log_sink {
	void (*write)(void *ctx, enum log_level level, const char *text);
	void *ctx;
	enum log_level max;
};

/* One line, no newline. Never a secret, never the body of a message. */
void log_line(const struct log_sink *s, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
