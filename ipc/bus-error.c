/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/bus-error.h"

#include <dbus/dbus.h>
#include <errno.h>
#include <string.h>

#include "protocol/base/mem.h"

/* The first row of an errno names it; the other rows are there for the way back. */
static const struct {
	int err;
	const char *name, *text;
} errors[] = {
	{ EINVAL, BUS_ERROR("InvalidArgument"), "an argument is wrong" },
	{ EBADMSG, BUS_ERROR("InvalidArgument"), "an argument does not follow its grammar" },
	{ EEXIST, BUS_ERROR("InvalidArgument"), "the name is taken" },
	{ EMSGSIZE, BUS_ERROR("LimitExceeded"), "larger than is let through" },
	{ ENOSPC, BUS_ERROR("LimitExceeded"), "too many at once" },
	{ ENOENT, BUS_ERROR("NoSuchObject"), "there is no such object" },
	{ EOPNOTSUPP, BUS_ERROR("NotSupported"), "this object cannot do that" },
	{ ENOTCONN, BUS_ERROR("NotRegistered"), "this needs a registration" },
	{ ESTALE, BUS_ERROR("WrongState"), "not in this state" },
	{ EBUSY, BUS_ERROR("WrongState"), "the same is under way already" },
	{ ECANCELED, BUS_ERROR("WrongState"), "it was ended before its outcome" },
	{ EACCES, BUS_ERROR("AuthenticationFailed"), "the credentials were not accepted" },
	{ ECONNREFUSED, BUS_ERROR("TransportFailed"), "the far end could not be reached" },
	{ ENETUNREACH, BUS_ERROR("TransportFailed"), "no address or route leads there" },
	{ EIO, BUS_ERROR("TransportFailed"), "input or output failed" },
	{ ETIMEDOUT, BUS_ERROR("Timeout"), "no answer in time" },
	{ EPERM, DBUS_ERROR_ACCESS_DENIED, "you may not do that" },
	{ ETIMEDOUT, DBUS_ERROR_NO_REPLY, NULL },
	{ ETIMEDOUT, DBUS_ERROR_TIMEOUT, NULL },
	{ EOPNOTSUPP, DBUS_ERROR_UNKNOWN_METHOD, NULL },
	{ ENOENT, DBUS_ERROR_UNKNOWN_OBJECT, NULL },
	{ ENOENT, DBUS_ERROR_SERVICE_UNKNOWN, NULL },
	{ ENOENT, DBUS_ERROR_NAME_HAS_NO_OWNER, NULL },
};

const char *bus_error_name(int err)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		if (errors[i].err == -err)
			return errors[i].name;
	return DBUS_ERROR_FAILED;
}

const char *bus_error_text(int err)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		if (errors[i].err == -err)
			return errors[i].text;
	return "it did not work";
}

int bus_error_errno(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		if (strcmp(errors[i].name, name) == 0)
			return -errors[i].err;
	return -EIO;
}
