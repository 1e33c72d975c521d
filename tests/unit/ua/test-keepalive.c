/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When keep-alives are due: plain arithmetic (RFC 5626 section 4.4, RFC 8489 section 6.2.1). */
#include <check.h>

#include "protocol/ua/keepalive.h"
#include "tests/support/run.h"

#define SEC USEC_PER_SEC

/* Section 4.4: between 80 and 100 per cent; 4.4.1: 95 to 120 s; 4.4.2: 24 to 29 s */
START_TEST(interval)
{
	static const struct {
		enum transport transport;
		uint32_t seconds;
		usec_t low, high;
	} rows[] = {
		{ TRANSPORT_TCP, 0, 95 * SEC, 120 * SEC },
		{ TRANSPORT_TLS, 0, 95 * SEC, 120 * SEC },
		{ TRANSPORT_UDP, 0, 24 * SEC, 29 * SEC },
		{ TRANSPORT_UDP, 120, 96 * SEC, 120 * SEC },
		{ TRANSPORT_TCP, 1, 8 * SEC / 10, SEC },
		{ TRANSPORT_TCP, UINT32_MAX, UINT32_MAX / 5 * 4 * SEC, UINT32_MAX * SEC },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		usec_t least = USEC_NEVER, most = 0;

		for (uint64_t n = 0; n < 1000; n++) {
			usec_t t = keepalive_interval(rows[i].transport, rows[i].seconds,
				n * UINT64_C(0x9e3779b97f4a7c15));

			ck_assert_uint_ge(t, rows[i].low);
			ck_assert_uint_le(t, rows[i].high);
			least = t < least ? t : least;
			most = t > most ? t : most;
		}
		ck_assert_uint_ge(most - least, (rows[i].high - rows[i].low) / 10 * 9);
	}
}
END_TEST

/* RFC 8489 section 6.2.1: at 0, 500, 1500, 3500, 7500, 15500 and 31500 ms; failure at 39500 ms */
START_TEST(retransmission)
{
	static const usec_t at_ms[] = { 500, 1500, 3500, 7500, 15500, 31500, 39500 };
	usec_t t = 0;

	for (unsigned n = 1; n <= KEEPALIVE_SENDS; n++) {
		t += keepalive_patience(n);
		ck_assert_uint_eq(t, at_ms[n - 1] * 1000);
	}
}
END_TEST

RUN_TESTS("keepalive", interval, retransmission)
