/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/subscription-package.h"

#include "protocol/msg/event.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/subscription-private.h"

/*
 * Those that allow one dialog only, whoever else answers (RFC 6665 5.4.9). Of others, and of those
 * that nobody here has heard of, each notifier has state of its own to tell.
 */
static const struct slice singles[] = {
	SLICE_INIT("certificate"),               /* RFC 6072 6.9 */
	SLICE_INIT("conference"),                /* RFC 4575 3.8 */
	SLICE_INIT("consent-pending-additions"), /* RFC 5362 5.1.8 */
	SLICE_INIT("credential"),                /* RFC 6072 7.11 */
	SLICE_INIT("http-monitor"),              /* RFC 5989 4.9 */
	SLICE_INIT("kpml"),                      /* RFC 4730 4.10 */
	SLICE_INIT("poc-settings"),              /* RFC 4354 5.9 */
	SLICE_INIT("presence"),                  /* RFC 3856 6.9 */
	SLICE_INIT("reg"),                       /* RFC 3680 4.9 */
	SLICE_INIT("ua-profile"),                /* RFC 6080 6.9 */
	SLICE_INIT("xcap-diff"),                 /* RFC 5875 4.9 */
};

static bool is_single(struct slice type)
{
	for (size_t i = 0; i < ARRAY_LEN(singles); i++)
		if (slice_eq(type, singles[i]))
			return true;
	return false;
}

size_t subscription_max_forks(const struct subscription *s)
{
	struct event e;

	/* RFC 4662 4.7: a list has one source of notifications. */
	if (s->list == SUBSCRIPTION_LIST || s->targets.body.n)
		return 1;
	return event_parse(slice_str(s->event), &e) == 0 && is_single(e.type) ? 1 : LIMITS_FORKS;
}

bool subscription_fits(const struct subscription *s, const struct msg *m)
{
	struct event ours, theirs;

	return event_parse(slice_str(s->event), &ours) == 0 &&
	       event_parse(msg_header(m, HDR_EVENT), &theirs) == 0 && event_equal(&ours, &theirs);
}

/* "text/plain", "text/" with "*" and "*" with "*" behind a slash, parameters apart. */
static bool covers(struct slice range, struct slice type)
{
	struct slice main, rest;

	range = slice_trim(slice_head(range, slice_find(range, ';')));
	if (slice_eq(range, SLICE("*/*")) || slice_eq_ci(range, type))
		return true;
	return slice_cut(range, '/', &main, &rest) && slice_eq(rest, SLICE("*")) &&
	       slice_eq_ci(main, slice_head(type, slice_find(type, '/')));
}

bool subscription_accepts(const struct subscription *s, struct slice content_type)
{
	struct slice type = slice_trim(slice_head(content_type, slice_find(content_type, ';')));
	struct slice rest = slice_str(s->accept), one;

	/* Then it is the package's own type, which is not for us to know. */
	if (!rest.n)
		return true;
	while (slice_cut(rest, ',', &one, &rest))
		if (covers(one, type))
			return true;
	return covers(rest, type);
}
