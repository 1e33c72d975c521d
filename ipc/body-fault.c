/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-fault.h"

#include <stdarg.h>
#include <stdio.h>

int body_fault_set(struct body_fault *f, int err, const char *fmt, ...)
{
	va_list ap;

	if (f->text[0])
		return err;
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	return err;
}
