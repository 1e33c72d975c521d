/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/dns.h"

const char *dns_kind_name(enum dns_kind kind)
{
	switch (kind) {
	case DNS_ADDRESSES:
		return "A and AAAA";
	case DNS_SRV:
		return "SRV";
	case DNS_NAPTR:
		return "NAPTR";
	}
	return "";
}
