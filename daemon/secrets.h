/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/list.h"
#include "protocol/base/slice.h"
#include "protocol/base/timer.h"

struct host_secret_query;
struct log_sink;
struct loop;

/*
 * Who gives user and password: the profile, else an agent on the bus. Both kinds come in through
 * libgsasl's callback and are prepared by its SASLprep (RFC 4013, as RFC 7616 section 4 asks for
 * user names and passwords in UTF-8), the same for every mechanism.
 */
struct secrets {
	struct loop *loop;
	const struct log_sink *log;
	void *gsasl;
	struct list answers; /* ready, told between two rounds */
	struct timer tell;
	/*
	 * Asks an agent; answers by secrets_answer() exactly once, now or later. `what` lives until
	 * this returns. NULL: there are no agents.
	 */
	void (*ask_agent)(void *ctx, uint64_t query, const struct host_secret_query *what);
	void *agent_ctx;
};

/* 0 or -EIO, logged. */
int secrets_init(struct secrets *s, struct loop *loop, const struct log_sink *log);
void secrets_deinit(struct secrets *s);
/* struct host_ops' secret. */
void secrets_ask(struct secrets *s, uint64_t query, const struct host_secret_query *what);
/*
 * An agent's answer; copied, the caller wipes its own. password.p == NULL: nobody has one.
 */
void secrets_answer(struct secrets *s, uint64_t query, struct slice user, struct slice password);
