/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager.ReadBody: what bodies say, as a script sees it. */
#include "ipc/body-table.h"
#include "tests/unit/ipc/dump.h"
#include "tests/unit/ipc/stage.h"

#define USER ":1.20"

static struct stage s;

static void setup(void)
{
	stage_init(&s);
	stage_client(&s, USER, STAGE_USER_UID);
}

static void teardown(void)
{
	stage_silence(&s);
	stage_deinit(&s);
}

static void read_body(const char *type, const char *body)
{
	DBusMessage *m = recorder_call(&s.r, RECORDER_ROOT, STAGE_MANAGER, "ReadBody");

	dbus_message_append_args(m, DBUS_TYPE_STRING, &type, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &body,
		(int)strlen(body), DBUS_TYPE_INVALID);
	stage_deliver(&s, USER, m);
}

static void assert_read(const char *type, const char *body, const char *want)
{
	read_body(type, body);
	ck_assert_str_eq(dump_arguments(stage_return(&s, "a{sv}")), want);
}

static void assert_refused(const char *type, const char *body, const char *error, const char *text)
{
	read_body(type, body);
	ck_assert_str_eq(stage_error(&s, error), text);
}

/* RFC 3863, RFC 4480 */
START_TEST(presence)
{
	setup();
	assert_read("application/pidf+xml;charset=UTF-8",
		"<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:bob@example.com' "
		"xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' "
		"xmlns:r='urn:ietf:params:xml:ns:pidf:rpid'>"
		"<tuple id='a'><status><basic>open</basic></status>"
		"<contact priority='0.8'>sip:bob@pc</contact><note xml:lang='en'>desk</note>"
		"<timestamp>2001-10-27T16:49:29Z</timestamp></tuple><tuple id='b'/>"
		"<note>one</note><note xml:lang='de'>zwei</note>"
		"<dm:person id='p'><r:activities><r:away/><r:meeting/></r:activities></dm:person>"
		"</presence>",
		"{Kind=presence Entity=pres:bob@example.com Basic=open Note=one "
		"Notes=[(one ) (zwei de)] Activities=[away meeting] "
		"Tuples=[{Id=a Basic=open Contact=sip:bob@pc Priority=0.8 Note=desk "
		"Notes=[(desk en)] Timestamp=2001-10-27T16:49:29Z} {Id=b Basic=}]}");
	assert_read("application/cpim-pidf+xml",
		"<presence xmlns='urn:ietf:params:xml:ns:cpim-pidf:'>"
		"<tuple id='a'><status><basic>closed</basic></status><note>gone</note></tuple>"
		"</presence>",
		"{Kind=presence Entity= Basic=closed Note=gone Activities=[] "
		"Tuples=[{Id=a Basic=closed Note=gone Notes=[(gone )]}]}");
	teardown();
}
END_TEST

/* RFC 4235 */
START_TEST(dialogs)
{
	setup();
	assert_read("Application/Dialog-Info+XML",
		"<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' version='3' state='full' "
		"entity='sip:alice@example.com'><dialog id='a' call-id='c' local-tag='l' "
		"remote-tag='r' direction='recipient'><state>early</state><duration>7</duration>"
		"<local><identity display='Alice'>sip:alice@example.com</identity>"
		"<target uri='sip:alice@pc'/></local><remote><identity display='Bob'>sip:bob@x"
		"</identity><target uri='sip:bob@y'/></remote></dialog>"
		"<dialog id='b'><state event='rejected' code='486'>terminated</state></dialog>"
		"</dialog-info>",
		"{Kind=dialog Version=3 Complete=true Entity=sip:alice@example.com State=early "
		"Dialogs=[{Id=a State=early Direction=recipient Duration=7 CallId=c LocalTag=l "
		"RemoteTag=r LocalIdentity=sip:alice@example.com LocalDisplayName=Alice "
		"LocalTarget=sip:alice@pc RemoteIdentity=sip:bob@x RemoteDisplayName=Bob "
		"RemoteTarget=sip:bob@y} {Id=b State=terminated Event=rejected Code=486}]}");
	assert_read("application/dialog-info+xml",
		"<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' version='3' "
		"state='partial' entity=''/>",
		"{Kind=dialog Version=3 Complete=false Entity= State= Dialogs=[]}");
	teardown();
}
END_TEST

/* RFC 3680, RFC 5628 */
START_TEST(registrations)
{
	setup();
	assert_read("application/reginfo+xml",
		"<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='0' state='full' "
		"xmlns:gr='urn:ietf:params:xml:ns:gruuinfo'>"
		"<registration aor='sip:user@example.com' id='as9' state='active'>"
		"<contact id='76' state='active' event='shortened' expires='60' q='0.8' cseq='5' "
		"callid='c'><uri>sip:user@pc</uri><display-name>U</display-name>"
		"<gr:pub-gruu uri='sip:user@example.com;gr=1'/></contact></registration>"
		"<registration aor='sip:other@example.com' id='b' state='init'/></reginfo>",
		"{Kind=registration Version=0 Complete=true Registrations=[{Id=as9 "
		"Aor=sip:user@example.com State=active Contacts=[{Id=76 Uri=sip:user@pc "
		"State=active Event=shortened Expires=60 CSeq=5 CallId=c Q=0.8 DisplayName=U "
		"Gruu=sip:user@example.com;gr=1}]} {Id=b Aor=sip:other@example.com State=init "
		"Contacts=[]}]}");
	teardown();
}
END_TEST

/* RFC 3842 section 5.2 */
START_TEST(message_summary)
{
	setup();
	assert_read("application/simple-message-summary",
		"Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\n"
		"Voice-Message: 2/8 (0/2)\r\nFax-Message: 1/0\r\n",
		"{Kind=messages MessagesWaiting=true Account=sip:alice@vmail.example.com "
		"Voice=(2 8 0 2) Fax=(1 0 0 0)}");
	assert_read("application/simple-message-summary", "Messages-Waiting: no\r\n",
		"{Kind=messages MessagesWaiting=false}");
	assert_refused("application/simple-message-summary", "Voice-Message: 2/8\r\n",
		STAGE_ERROR("InvalidArgument"),
		"application/simple-message-summary: no line says whether messages are waiting");
	teardown();
}
END_TEST

#define PIDF "<presence xmlns='urn:ietf:params:xml:ns:pidf'><tuple id='t'/></presence>"

/* RFC 4662, with a list in the list. */
START_TEST(lists)
{
	setup();
	assert_read("multipart/related;type=\"application/rlmi+xml\";boundary=b",
		"--b\r\nContent-Type: application/rlmi+xml\r\n\r\n"
		"<list xmlns='urn:ietf:params:xml:ns:rlmi' uri='sip:all@x' version='1' "
		"fullState='true'><name>All</name>"
		"<resource uri='sip:a@x'><name>A</name><instance id='1' state='active' cid='1'/>"
		"</resource><resource uri='sip:b@x'><instance id='1' state='terminated' "
		"reason='rejected'/></resource><resource uri='sip:c@x'/>"
		"<resource uri='sip:in@x'><instance id='1' state='active' cid='2'/></resource>"
		"</list>\r\n"
		"--b\r\nContent-ID: <1>\r\nContent-Type: application/pidf+xml\r\n\r\n" PIDF "\r\n"
		"--b\r\nContent-ID: <2>\r\nContent-Type: multipart/related;boundary=i\r\n\r\n"
		"--i\r\nContent-Type: application/rlmi+xml\r\n\r\n"
		"<list xmlns='urn:ietf:params:xml:ns:rlmi' uri='sip:in@x' version='0' "
		"fullState='1'><resource uri='sip:d@x'><instance id='9' state='active' cid='3'/>"
		"</resource></list>\r\n"
		"--i\r\nContent-ID: <3>\r\nContent-Type: text/x\r\n\r\nhi\r\n--i--\r\n--b--",
		"{Kind=list Version=1 Complete=true Uri=sip:all@x Name=All Resources=["
		"{Uri=sip:a@x Name=A State=active Instance=1 ContentType=application/pidf+xml "
		"Body=" PIDF " Summary={Kind=presence Entity= Basic= Note= Activities=[] "
		"Tuples=[{Id=t Basic=}]}} "
		"{Uri=sip:b@x State=terminated Instance=1 Reason=rejected} "
		"{Uri=sip:in@x State=active Instance=1 ContentType=multipart/related;boundary=i "
		"Body= Summary={}} "
		"{Uri=sip:d@x State=active List=sip:in@x Instance=9 ContentType=text/x Body=hi "
		"Summary={}} {Uri=sip:c@x State=}]}");
	teardown();
}
END_TEST

START_TEST(errors_say_what_is_wrong)
{
	setup();
	assert_refused("application/pidf+xml", "<presence>\n<x>\n</presence>",
		STAGE_ERROR("InvalidArgument"), "application/pidf+xml: line 3: mismatched tag");
	assert_refused("application/pidf+xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
		STAGE_ERROR("InvalidArgument"),
		"application/pidf+xml: line 1: a document type declaration (DOCTYPE) is not accepted");
	assert_refused("application/reginfo+xml", PIDF, STAGE_ERROR("InvalidArgument"),
		"application/reginfo+xml: the root element <presence> is no registration information");
	assert_refused("multipart/related", "", STAGE_ERROR("InvalidArgument"),
		"multipart/related: the content type has no usable boundary");
	assert_refused(
		"text/x", "hi", STAGE_ERROR("NotSupported"), "nothing is known about 'text/x'");
	assert_refused("", "", STAGE_ERROR("NotSupported"), "nothing is known about ''");
	teardown();
}
END_TEST

START_TEST(too_much_is_a_limit)
{
	struct buf b = BUF_NULL;

	setup();
	for (unsigned i = 0; i < 100; i++)
		buf_lit(&b, "<a>");
	buf_putc(&b, '\0');
	assert_refused("application/pidf+xml", b.p, STAGE_ERROR("LimitExceeded"),
		"application/pidf+xml: line 1: elements are nested too deep");
	buf_deinit(&b);
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&presence,
		&dialogs,
		&registrations,
		&message_summary,
		&lists,
		&errors_say_what_is_wrong,
		&too_much_is_a_limit,
	};

	return recorder_main("summary", tests, ARRAY_LEN(tests));
}
