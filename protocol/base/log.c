/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/log.h"

#include <stdarg.h>
#include <stdio.h>

enum { LOG_LINE_MAX = 1024 };

void log_line(const struct log_sink *s, enum log_level level, const char *fmt, ...)
{
	char line[LOG_LINE_MAX];
	va_list ap;

	if (!s || !s->write || level > s->max)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	s->write(s->ctx, level, line);
}
