/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a negative return value means in protocol/, conf/ and ipc/. Nothing else is returned as an
 * error; expected results that are no failure are enumerated by the module that has them.
 *
 *   -EINVAL        the caller's argument is wrong (bad URI, unknown option)    InvalidArgument
 *   -EBADMSG       bytes that do not follow their grammar
 *   -EMSGSIZE      more bytes, headers or items than limits.h lets through     LimitExceeded
 *   -ENOENT        no such object                                              NoSuchObject
 *   -EEXIST        the name is taken                                           InvalidArgument
 *   -EOPNOTSUPP    this kind of endpoint, or this profile, cannot do that      NotSupported
 *   -ENOTCONN      registration is needed and absent                           NotRegistered
 *   -ESTALE        the object is in a state in which the verb makes no sense   WrongState
 *   -EBUSY         the same operation is already under way                     WrongState
 *   -EACCES        the far end did not accept the credentials                  AuthenticationFailed
 *   -EREMOTEIO     the far end refused, its status says why                    Refused
 *   -ECONNREFUSED  the flow broke or could not be opened                       TransportFailed
 *   -ENETUNREACH   no address or route of this machine leads there             TransportFailed
 *   -ETIMEDOUT     no final answer in time                                     Timeout
 *   -ECANCELED     ended by ourselves before an answer came                    WrongState
 *   -ENOSPC        a quota or a table is full                                  LimitExceeded
 *   -EPERM         the caller may not do that                                  AccessDenied
 *   -EIO           a file, socket or the bus failed                            TransportFailed
 */
#include <errno.h>
