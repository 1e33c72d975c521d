/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/sdp.h"

#include <errno.h>

#include "protocol/base/buf.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

static const struct sdp_origin origin = { .id = 4294967295U, .version = 7 };

#define HEAD "v=0\r\no=- 4294967295 7 IN IP4 anonymous.invalid\r\ns=-\r\nc=IN IP4 0.0.0.0\r\n"

static const struct {
	const char *offer, *answer;
} held[] = {
	{ "v=0\r\no=bob 1 2 IN IP4 192.0.2.1\r\ns=Talk\r\nc=IN IP4 192.0.2.1\r\nt=1 2\r\nt=3 4\r\n"
	  "a=sendonly\r\nm=audio 4000/2 RTP/AVP 0 97\r\nb=AS:64\r\na=rtpmap:97 iLBC/8000\r\n"
	  "a=fmtp:97 mode=20\r\na=rtcp-mux\r\n",
		HEAD "t=1 2\r\nt=3 4\r\nm=audio 9 RTP/AVP 0 97\r\na=inactive\r\n"
		     "a=rtpmap:97 iLBC/8000\r\na=fmtp:97 mode=20\r\n" },
	/* RFC 3264 section 6: as many streams, in order; what was disabled stays so. */
	{ "v=0\no=a 1 2 IN IP4 1\nt=0 0\nm=audio 4000 RTP/AVP 0\nm=image 4002 udptl t38\n"
	  "a=fmtp:t38 x\nm=video 0 RTP/AVP 31\na=rtpmap:31 H261/90000\nm=video 4004 RTP/AVPF 31\n"
	  "m=audio 4006 RTP/SAVP 0\nm=application 4 UDP/DTLS/SCTP webrtc-datachannel",
		HEAD "t=0 0\r\nm=audio 9 RTP/AVP 0\r\na=inactive\r\nm=image 0 udptl t38\r\n"
		     "m=video 0 RTP/AVP 31\r\nm=video 9 RTP/AVPF 31\r\na=inactive\r\n"
		     "m=audio 0 RTP/SAVP 0\r\n"
		     "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n" },
	/* No media in the offer, none in the answer. */
	{ "v=0\r\nt=0 0\r\n", HEAD "t=0 0\r\n" },
	{ "v=0", HEAD },
	/* RFC 6157 section 4.1 */
	{ "v=0\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio 4 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n",
		"v=0\r\no=- 4294967295 7 IN IP4 anonymous.invalid\r\ns=-\r\n"
		"c=IN IP6 held.invalid\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na=inactive\r\n" },
};

START_TEST(rfc3725_4_3_held)
{
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		struct slice offer = exact_str(held[i].offer);
		struct buf b = BUF_NULL;

		ck_assert_int_eq(sdp_append_held(&b, offer, &origin), 0);
		assert_slice(buf_slice(&b), held[i].answer);
		buf_deinit(&b);
		exact_free(offer);
	}
}
END_TEST

static const char *const broken[] = {
	"",
	"\r\n",
	"v=1\r\n",
	"o=- 1 1 IN IP4 x\r\nv=0\r\n",
	"v=0\r\nm=\r\n",
	"v=0\r\nm=audio\r\n",
	"v=0\r\nm=audio 4000\r\n",
	"v=0\r\nm=audio 4000 RTP/AVP\r\n",
	"v=0\r\nm=audio 4000 RTP/AVP \r\n",
	"v=0\r\nm=audio  RTP/AVP 0\r\n",
	"v=0\r\nm= 4000 RTP/AVP 0\r\n",
	"v=0\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\nm=video",
};

START_TEST(broken_is_not_held)
{
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct slice offer = exact_str(broken[i]);
		struct buf b = BUF_NULL;

		buf_lit(&b, "before");
		ck_assert_int_eq(sdp_append_held(&b, offer, &origin), -EBADMSG);
		assert_slice(buf_slice(&b), "before");
		buf_deinit(&b);
		exact_free(offer);
	}
}
END_TEST

/* RFC 3725 4.4: only the origin line is another. */
START_TEST(rfc3725_4_4_origin)
{
	static const char *const rows[][2] = {
		{ "v=0\r\no=bob 1 2 IN IP4 192.0.2.1\r\ns=o=\r\nm=audio 1 RTP/AVP 0\r\n",
			"v=0\r\no=- 4294967295 7 IN IP4 anonymous.invalid\r\ns=o=\r\n"
			"m=audio 1 RTP/AVP 0\r\n" },
		{ "v=0\no=\ns=x", "v=0\no=- 4294967295 7 IN IP4 anonymous.invalid\ns=x" },
		{ "v=0\no=last", "v=0\no=- 4294967295 7 IN IP4 anonymous.invalid" },
		{ "o=first\r\n", "o=- 4294967295 7 IN IP4 anonymous.invalid\r\n" },
		{ "", NULL },
		{ "v=0\r\ns=o=\r\n", NULL },
		{ "v=0\r\nm=audio 1 RTP/AVP 0\r\no=late\r\n", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice sdp = exact_str(rows[i][0]);
		struct buf b = BUF_NULL;

		buf_lit(&b, "|");
		ck_assert_int_eq(sdp_append_as(&b, sdp, &origin), rows[i][1] ? 0 : -EBADMSG);
		assert_slice(slice_skip(buf_slice(&b), 1), rows[i][1] ? rows[i][1] : "");
		buf_deinit(&b);
		exact_free(sdp);
	}
}
END_TEST

RUN_TESTS("msg-sdp", rfc3725_4_3_held, broken_is_not_held, rfc3725_4_4_origin)
