/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/outcome.h"

const char *outcome_origin_name(enum origin o)
{
	switch (o) {
	case ORIGIN_LOCAL:
		return "local";
	case ORIGIN_REMOTE:
		return "remote";
	case ORIGIN_NETWORK:
		return "network";
	case ORIGIN_TIMEOUT:
		return "timeout";
	}
	return "";
}
