/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a subscription's state says, to those who want to have it read. */
#include <string.h>

#include "ipc/iface-digest.h"
#include "protocol/msg/msg.h"
#include "tests/support/exact.h"
#include "tests/unit/ipc/dump.h"
#include "tests/unit/ipc/stage-subscription.h"

#define SEC USEC_PER_SEC
#define PIDF_TYPE "application/pidf+xml"
#define PIDF(basic)                                                                         \
	"<presence xmlns='urn:ietf:params:xml:ns:pidf'><tuple id='t'><status><basic>" basic \
	"</basic></status></tuple></presence>"
#define SAYS(basic)                                                                             \
	"{Kind=presence Entity= Basic=" basic " Note= Activities=[] Tuples=[{Id=t Basic=" basic \
	"}]}"

static struct stage stage;
static struct stage *const s = &stage;
static const struct stage_option summary[] = { STAGE_FLAG("Summary", true), { 0 } };
static const struct stage_option list[] = { STAGE_FLAG("List", true), { 0 } };
static const struct stage_option list_summary[] = { STAGE_FLAG("List", true),
	STAGE_FLAG("Summary", true), { 0 } };
static const char *path;
static struct slice dialog_call_id, dialog_tag;

/* Anna's subscription, which bob accepted. */
static void setup(const char *event, const struct stage_option *options)
{
	const struct stage_wish w = { .client = STAGE_ANNA, .event = event, .options = options };
	const struct msg *m;

	stage_subscription_init(s);
	m = stage_wish_out(s, &w, &path);
	dialog_call_id = exact_copy(m->call_id);
	dialog_tag = exact_copy(m->from_tag);
	stage_bob_agrees(s, m, 86400);
}

static void teardown(void)
{
	exact_free(dialog_call_id);
	exact_free(dialog_tag);
	stage_subscription_deinit(s);
}

static void notify_from(const char *notifier, const char *event, const char *type, const char *body)
{
	static unsigned cseq = 100;
	char text[4096];

	(void)snprintf(text, sizeof(text),
		"NOTIFY {contact} SIP/2.0\n"
		"Via: SIP/2.0/UDP {peer};branch=z9hG4bK{n};rport\n"
		"Max-Forwards: 70\n"
		"From: <" STAGE_BOB ">;tag=%s\n"
		"To: <sip:alice@example.com>;tag=%.*s\n"
		"Call-ID: %.*s\n"
		"CSeq: %u NOTIFY\n"
		"Contact: <sip:bob@192.0.2.9>\n"
		"Event: %s\n"
		"Subscription-State: active;expires=86400\n"
		"%s%s%s"
		"Content-Length: {length}\n\n%s",
		notifier, SLICE_ARGS(dialog_tag), SLICE_ARGS(dialog_call_id), ++cseq, event,
		*body ? "Content-Type: " : "", type, *body ? "\n" : "", body);
	world_in(s->alice, STAGE_PEER, text);
	stage_settle(s);
	(void)world_expect_out(s->w, "200");
}

static void notify(const char *event, const char *type, const char *body)
{
	notify_from("bob", event, type, body);
}

static void expect_signal(const char *name, const char *client, const char *want)
{
	ck_assert_str_eq(dump_arguments(stage_signal(s, name, client)), want);
}

static const char *get(const char *client, const char *member, const char *signature)
{
	stage_subscription_call(s, client, path, member);
	return dump_arguments(stage_return(s, signature));
}

START_TEST(a_summary_follows_who_asked_for_it)
{
	static const struct stage_wish ben = { .client = STAGE_BEN };
	static const struct stage_wish cleo = { .client = STAGE_CLEO, .options = summary };

	setup("presence", NULL);
	stage_subscription_call(s, STAGE_ANNA, path, "GetSummary");
	ck_assert_str_eq(stage_error(s, STAGE_ERROR("WrongState")), "no state came yet");
	notify("presence", PIDF_TYPE, PIDF("open"));
	(void)stage_signal(s, "Notified", STAGE_ANNA);
	stage_no_signal(s, "Summarized");
	ck_assert_str_eq(get(STAGE_ANNA, "GetSummary", "a{sv}"), SAYS("open"));
	/* Who comes late hears it right after the last state; who did not ask for it does not. */
	ck_assert_str_eq(stage_wish_for(s, &ben), path);
	(void)stage_signal(s, "Notified", STAGE_BEN);
	ck_assert_str_eq(stage_wish_for(s, &cleo), path);
	(void)stage_signal(s, "Notified", STAGE_CLEO);
	expect_signal("Summarized", STAGE_CLEO, SAYS("open"));
	notify("presence", PIDF_TYPE, PIDF("closed"));
	expect_signal("Summarized", STAGE_CLEO, SAYS("closed"));
	stage_no_signal(s, "Summarized");
	ck_assert_str_eq(get(STAGE_BEN, "GetSummary", "a{sv}"), SAYS("closed"));
	teardown();
}
END_TEST

/* RFC 6665 section 4.2.1.2: a body may be empty, and is then neutral. */
START_TEST(no_state_says_nothing)
{
	static const struct stage_wish ben = { .client = STAGE_BEN, .options = summary };

	setup("presence", summary);
	notify("presence", "", "");
	(void)stage_signal(s, "Notified", STAGE_ANNA);
	stage_no_signal(s, "Summarized");
	ck_assert_str_eq(get(STAGE_ANNA, "GetSummary", "a{sv}"), "{}");
	notify("presence", PIDF_TYPE, PIDF("open"));
	expect_signal("Summarized", STAGE_ANNA, SAYS("open"));
	notify("presence", "", "");
	expect_signal("Summarized", STAGE_ANNA, "{}");
	ck_assert_str_eq(get(STAGE_ANNA, "GetSummary", "a{sv}"), "{}");
	/* It is told once, and not what was before to one who comes late. */
	notify("presence", "", "");
	ck_assert_str_eq(stage_wish_for(s, &ben), path);
	stage_no_signal(s, "Summarized");
	notify("presence", PIDF_TYPE, PIDF("closed"));
	expect_signal("Summarized", STAGE_ANNA, SAYS("closed"));
	expect_signal("Summarized", STAGE_BEN, SAYS("closed"));
	teardown();
}
END_TEST

START_TEST(what_cannot_be_read_says_why)
{
	setup("presence", summary);
	notify("presence", PIDF_TYPE, "<presence>\n<oops");
	(void)stage_signal(s, "Notified", STAGE_ANNA);
	stage_no_signal(s, "Summarized");
	stage_subscription_call(s, STAGE_ANNA, path, "GetSummary");
	ck_assert_str_eq(stage_error(s, STAGE_ERROR("InvalidArgument")),
		PIDF_TYPE ": line 2: unclosed token");
	notify("presence", "text/x", "hi");
	stage_subscription_call(s, STAGE_ANNA, path, "GetSummary");
	ck_assert_str_eq(
		stage_error(s, STAGE_ERROR("NotSupported")), "nothing is known about 'text/x'");
	teardown();
}
END_TEST

#define DIALOG_TYPE "application/dialog-info+xml"
#define INFO(version, state, dialogs)                                               \
	"<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' version='" version \
	"' state='" state "' entity='sip:bob'>" dialogs "</dialog-info>"
#define DIALOG(id, state) "<dialog id='" id "'><state>" state "</state></dialog>"
#define HAS(version, complete, state, dialogs)                                               \
	"{Kind=dialog Version=" version " Complete=" complete " Entity=sip:bob State=" state \
	" Dialogs=[" dialogs "]}"

/* Bob is asked for the whole state, and agrees. */
static void expect_refresh(void)
{
	stage_settle(s);
	stage_bob_agrees(s, world_expect_out(s->w, "SUBSCRIBE"), 86400);
}

static void expect_no_refresh(void)
{
	stage_settle(s);
	ck_assert_uint_eq(world_skip_out(s->w), 0);
}

/* RFC 4235 section 4.3: pieces are put together, though nobody asked for summaries; after a gap
 * the whole state is asked for, but not over and over. */
START_TEST(rfc4235_4_3_pieces)
{
	setup("dialog", NULL);
	notify("dialog", DIALOG_TYPE, INFO("0", "full", DIALOG("a", "early")));
	notify("dialog", DIALOG_TYPE, INFO("1", "partial", DIALOG("b", "confirmed")));
	ck_assert_str_eq(get(STAGE_ANNA, "GetSummary", "a{sv}"),
		HAS("1", "true", "confirmed", "{Id=a State=early} {Id=b State=confirmed}"));
	notify("dialog", DIALOG_TYPE, INFO("0", "full", ""));
	ck_assert_str_eq(get(STAGE_ANNA, "GetSummary", "a{sv}"),
		HAS("1", "true", "confirmed", "{Id=a State=early} {Id=b State=confirmed}"));
	expect_no_refresh();
	notify("dialog", DIALOG_TYPE, INFO("7", "partial", DIALOG("b", "terminated")));
	ck_assert_str_eq(get(STAGE_ANNA, "GetSummary", "a{sv}"),
		HAS("7", "false", "early", "{Id=a State=early} {Id=b State=terminated}"));
	expect_refresh();
	notify("dialog", DIALOG_TYPE, INFO("9", "partial", ""));
	expect_no_refresh();
	stage_run(s, (IFACE_DIGEST_ASK + 1) * SEC);
	notify("dialog", DIALOG_TYPE, INFO("10", "partial", ""));
	expect_refresh();
	notify("dialog", DIALOG_TYPE, INFO("11", "full", ""));
	ck_assert_str_eq(get(STAGE_ANNA, "GetSummary", "a{sv}"), HAS("11", "true", "", ""));
	notify("dialog", DIALOG_TYPE, INFO("20", "partial", ""));
	expect_refresh();
	teardown();
}
END_TEST

/* After no state at all a change says too little, and full state counts as it comes. */
START_TEST(rfc4235_4_3_pieces_around_no_state)
{
	setup("dialog", summary);
	notify("dialog", DIALOG_TYPE, INFO("3", "full", DIALOG("a", "early")));
	expect_signal("Summarized", STAGE_ANNA, HAS("3", "true", "early", "{Id=a State=early}"));
	notify("dialog", "", "");
	expect_signal("Summarized", STAGE_ANNA, "{}");
	expect_no_refresh();
	notify("dialog", DIALOG_TYPE, INFO("4", "partial", DIALOG("b", "trying")));
	expect_signal("Summarized", STAGE_ANNA,
		HAS("4", "false", "early", "{Id=a State=early} {Id=b State=trying}"));
	expect_refresh();
	notify("dialog", "", "");
	expect_signal("Summarized", STAGE_ANNA, "{}");
	notify("dialog", DIALOG_TYPE, INFO("0", "full", DIALOG("b", "trying")));
	expect_signal("Summarized", STAGE_ANNA, HAS("0", "true", "trying", "{Id=b State=trying}"));
	teardown();
}
END_TEST

/* A document above a limit: as long as something is missing, the whole state is asked for. */
START_TEST(rfc4235_4_3_too_much)
{
	struct buf too_deep = BUF_NULL;

	for (unsigned i = 0; i < 100; i++)
		buf_lit(&too_deep, "<a>");
	buf_putc(&too_deep, '\0');
	setup("dialog", NULL);
	notify("dialog", DIALOG_TYPE, INFO("0", "full", ""));
	notify("dialog", DIALOG_TYPE, too_deep.p);
	expect_no_refresh();
	notify("dialog", DIALOG_TYPE, INFO("2", "partial", ""));
	expect_refresh();
	notify("dialog", DIALOG_TYPE, too_deep.p);
	expect_no_refresh();
	stage_run(s, (IFACE_DIGEST_ASK + 1) * SEC);
	notify("dialog", DIALOG_TYPE, too_deep.p);
	expect_refresh();
	buf_deinit(&too_deep);
	teardown();
}
END_TEST

/* RFC 6665 section 4.1.4: several notifiers. Each has versions of its own (RFC 4235 section 4.1),
 * so that there is always a gap between them, which no refresh fills. */
START_TEST(rfc6665_4_1_4_notifiers_of_a_fork)
{
	setup("dialog", NULL);
	notify("dialog", DIALOG_TYPE, INFO("0", "full", DIALOG("a", "early")));
	notify_from("carol", "dialog", DIALOG_TYPE, INFO("0", "full", DIALOG("c", "trying")));
	ck_assert_uint_eq(stage_number_of(s, STAGE_ANNA, path, "Dialogs"), 2);
	ck_assert_str_eq(get(STAGE_ANNA, "GetSummary", "a{sv}"),
		HAS("0", "true", "trying", "{Id=c State=trying}"));
	notify("dialog", DIALOG_TYPE, INFO("1", "partial", DIALOG("a", "confirmed")));
	ck_assert_str_eq(get(STAGE_ANNA, "GetSummary", "a{sv}"),
		HAS("1", "false", "confirmed", "{Id=c State=trying} {Id=a State=confirmed}"));
	expect_no_refresh();
	teardown();
}
END_TEST

#define LIST_TYPE "multipart/related;type=\"application/rlmi+xml\";boundary=b"
#define RLMI(version, full, resources)                                                          \
	"--b\nContent-Type: application/rlmi+xml\n\n<list xmlns='urn:ietf:params:xml:ns:rlmi' " \
	"uri='sip:friends' version='" version "' fullState='" full "'>" resources "</list>\n"
#define RESOURCE(uri, instances) "<resource uri='" uri "'><name>N</name>" instances "</resource>"
#define INSTANCE(cid) "<instance id='1' state='active' cid='" cid "'/>"
#define PART(cid, body) "--b\nContent-ID: <" cid ">\nContent-Type: " PIDF_TYPE "\n\n" body "\n"
#define CLOSE "--b--\n"
#define RLMI_FIRST                                                                             \
	RLMI("0", "true",                                                                      \
		RESOURCE("sip:a", INSTANCE("1")) RESOURCE("sip:b", "")                         \
			RESOURCE("sip:c", "<instance id='1' state='terminated' reason='x'/>")) \
	PART("1", PIDF("open")) CLOSE

START_TEST(rfc4662_resources)
{
	setup("presence", list);
	notify("presence", LIST_TYPE, RLMI_FIRST);
	expect_signal("ResourceNotified", STAGE_ANNA,
		"sip:a N active " PIDF_TYPE " " PIDF("open") " {Instance=1}");
	expect_signal("ResourceNotified", STAGE_ANNA, "sip:c N terminated   {Instance=1 Reason=x}");
	stage_no_signal(s, "ResourceNotified");
	/* What is told of one is told of no other; one is removed. */
	notify("presence", LIST_TYPE,
		RLMI("1", "false", RESOURCE("sip:a", INSTANCE("1"))) PART("1", PIDF("closed"))
			CLOSE);
	expect_signal("ResourceNotified", STAGE_ANNA,
		"sip:a N active " PIDF_TYPE " " PIDF("closed") " {Instance=1}");
	stage_no_signal(s, "ResourceNotified");
	ck_assert_str_eq(get(STAGE_ANNA, "GetResources", "a(ssssaya{sv})"),
		"[(sip:a N active " PIDF_TYPE
		" " PIDF("closed") " {Instance=1}) "
				   "(sip:c N terminated   {Instance=1 Reason=x}) (sip:b N    {})]");
	notify("presence", LIST_TYPE, RLMI("2", "true", RESOURCE("sip:b", "")) CLOSE);
	expect_signal("ResourceNotified", STAGE_ANNA, "sip:a N removed   {}");
	expect_signal("ResourceNotified", STAGE_ANNA, "sip:c N removed   {}");
	expect_no_refresh();
	/* RFC 4662 section 5.6.2 */
	notify("presence", LIST_TYPE, RLMI("8", "false", "") CLOSE);
	expect_refresh();
	teardown();
}
END_TEST

START_TEST(resources_for_who_comes_late)
{
	static const struct stage_wish ben = { .client = STAGE_BEN, .options = list_summary };

	setup("presence", list);
	notify("presence", LIST_TYPE, RLMI_FIRST);
	ck_assert_str_eq(stage_wish_for(s, &ben), path);
	(void)stage_signal(s, "Notified", STAGE_BEN);
	expect_signal("ResourceNotified", STAGE_BEN,
		"sip:a N active " PIDF_TYPE
		" " PIDF("open") " {Instance=1 Summary=" SAYS("open") "}");
	(void)stage_signal(s, "ResourceNotified", STAGE_BEN);
	expect_signal("Summarized", STAGE_BEN,
		"{Kind=list Version=0 Complete=true Uri=sip:friends Resources=["
		"{Uri=sip:a Name=N State=active Instance=1 ContentType=" PIDF_TYPE
		" Body=" PIDF("open") " Summary=" SAYS(
			"open") "} "
				"{Uri=sip:c Name=N State=terminated Instance=1 Reason=x} "
				"{Uri=sip:b Name=N State=}]}");
	teardown();
}
END_TEST

/* Nobody asked for a list to be taken apart: it is told as it came. */
START_TEST(a_list_that_was_not_asked_for)
{
	setup("presence", NULL);
	notify("presence", LIST_TYPE, RLMI_FIRST);
	(void)stage_signal(s, "Notified", STAGE_ANNA);
	stage_no_signal(s, "ResourceNotified");
	stage_subscription_call(s, STAGE_ANNA, path, "GetResources");
	ck_assert_str_eq(stage_error(s, STAGE_ERROR("NotSupported")),
		"neither List nor Targets was asked for in Subscribe");
	ck_assert(strncmp(get(STAGE_ANNA, "GetSummary", "a{sv}"), "{Kind=list Version=0", 20) == 0);
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&a_summary_follows_who_asked_for_it,
		&no_state_says_nothing,
		&what_cannot_be_read_says_why,
		&rfc4235_4_3_pieces,
		&rfc4235_4_3_pieces_around_no_state,
		&rfc4235_4_3_too_much,
		&rfc6665_4_1_4_notifiers_of_a_fork,
		&rfc4662_resources,
		&resources_for_who_comes_late,
		&a_list_that_was_not_asked_for,
	};

	return recorder_main("digest", tests, ARRAY_LEN(tests));
}
