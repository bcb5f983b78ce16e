#include "gateway/pbx/csta_xml/cx_errors.h"

#include "lib/common/common.h"
#include "lib/common/utf8.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

struct row {
    enum csta_error category; /* ABSENT: any */
    const char *value;        /* "*" at the end: any rest */
    enum telephony_error_type type;
    enum telephony_error_cause cause;
};

/* First match wins. */
/* clang-format off */
static const struct row rows[] = {
    {CSTA_ERROR_OPERATION, "serviceNotSupported",     TELEPHONY_SERVICE_NOT_PROVIDED,     TELEPHONY_CAUSE_UNKNOWN},
    {CSTA_ERROR_OPERATION, "parameterNotSupported",   TELEPHONY_SERVICE_NOT_PROVIDED,     TELEPHONY_CAUSE_INVALID_DATA},
    {CSTA_ERROR_OPERATION, "invalidParameterValue",   TELEPHONY_BAD_PARAMETER_VALUE,      TELEPHONY_CAUSE_INVALID_DATA},
    {CSTA_ERROR_OPERATION, "valueOutOfRange",         TELEPHONY_BAD_PARAMETER_VALUE,      TELEPHONY_CAUSE_INVALID_DATA},
    {CSTA_ERROR_OPERATION, "invalidFeature",          TELEPHONY_SERVICE_NOT_PROVIDED,     TELEPHONY_CAUSE_UNKNOWN},
    {CSTA_ERROR_OPERATION, "invalidDeviceID",         TELEPHONY_BAD_PARAMETER_VALUE,      TELEPHONY_CAUSE_INVALID_DEVICE},
    {CSTA_ERROR_OPERATION, "objectNotKnown",          TELEPHONY_BAD_PARAMETER_VALUE,      TELEPHONY_CAUSE_INVALID_DEVICE},
    {CSTA_ERROR_OPERATION, "invalidMonitorObject",    TELEPHONY_BAD_PARAMETER_VALUE,      TELEPHONY_CAUSE_INVALID_DEVICE},
    {CSTA_ERROR_OPERATION, "invalidCallingDeviceID",  TELEPHONY_BAD_PARAMETER_VALUE,      TELEPHONY_CAUSE_INVALID_CALLING},
    {CSTA_ERROR_OPERATION, "invalidCalledDeviceID",   TELEPHONY_BAD_PARAMETER_VALUE,      TELEPHONY_CAUSE_INVALID_DESTINATION},
    {CSTA_ERROR_OPERATION, "invalidDestination*",     TELEPHONY_BAD_PARAMETER_VALUE,      TELEPHONY_CAUSE_INVALID_DESTINATION},
    {CSTA_ERROR_OPERATION, "invalidCallID",           TELEPHONY_CALL_REFERENCE_NOT_FOUND, TELEPHONY_CAUSE_INVALID_CALL_ID},
    {CSTA_ERROR_OPERATION, "invalid*ConnectionID",    TELEPHONY_LEG_NOT_FOUND,            TELEPHONY_CAUSE_INVALID_CALL_ID},
    {CSTA_ERROR_OPERATION, "privilegeViolationCalledDevice",         TELEPHONY_UNAUTHORIZED, TELEPHONY_CAUSE_INVALID_DESTINATION},
    {CSTA_ERROR_OPERATION, "privilegeViolationCallingDevice",        TELEPHONY_UNAUTHORIZED, TELEPHONY_CAUSE_INVALID_CALLING},
    {CSTA_ERROR_OPERATION, "privilegeViolation*",                    TELEPHONY_UNAUTHORIZED, TELEPHONY_CAUSE_INVALID_DEVICE},
    {CSTA_ERROR_OPERATION, "securityViolation",                      TELEPHONY_UNAUTHORIZED, TELEPHONY_CAUSE_UNKNOWN},
    {CSTA_ERROR_OPERATION, "requestIncompatibleWithConnection",      TELEPHONY_INCOMPATIBLE_WITH_STATE, TELEPHONY_CAUSE_INVALID_CONNECTION_STATE},
    {CSTA_ERROR_OPERATION, "requestIncompatibleWithCalledDevice",    TELEPHONY_INCOMPATIBLE_WITH_STATE, TELEPHONY_CAUSE_INVALID_DESTINATION},
    {CSTA_ERROR_OPERATION, "requestIncompatibleWith*",               TELEPHONY_INCOMPATIBLE_WITH_STATE, TELEPHONY_CAUSE_INVALID_DEVICE_STATE},

    {CSTA_ERROR_STATE, "invalidDeviceState",          TELEPHONY_INCOMPATIBLE_WITH_STATE,  TELEPHONY_CAUSE_INVALID_DEVICE_STATE},
    {CSTA_ERROR_STATE, "invalid*DeviceState",         TELEPHONY_INCOMPATIBLE_WITH_STATE,  TELEPHONY_CAUSE_INVALID_DEVICE_STATE},
    {CSTA_ERROR_STATE, "invalidObjectState",          TELEPHONY_INCOMPATIBLE_WITH_STATE,  TELEPHONY_CAUSE_INVALID_DEVICE_STATE},
    {CSTA_ERROR_STATE, "generic",                     TELEPHONY_INCOMPATIBLE_WITH_STATE,  TELEPHONY_CAUSE_UNKNOWN},
    {CSTA_ERROR_STATE, "*",                           TELEPHONY_INCOMPATIBLE_WITH_STATE,  TELEPHONY_CAUSE_INVALID_CONNECTION_STATE},

    {CSTA_ERROR_SYSTEM_RESOURCE, "*eviceOutOfService", TELEPHONY_SERVICE_UNAVAILABLE,     TELEPHONY_CAUSE_DEVICE_OUT_OF_SERVICE},
    {CSTA_ERROR_SYSTEM_RESOURCE, "generic",           TELEPHONY_SERVICE_UNAVAILABLE,      TELEPHONY_CAUSE_UNKNOWN},
    {CSTA_ERROR_SYSTEM_RESOURCE, "*",                 TELEPHONY_SERVICE_UNAVAILABLE,      TELEPHONY_CAUSE_RESOURCE_BUSY},
    {CSTA_ERROR_SUBSCRIBED_RESOURCE, "*",             TELEPHONY_SERVICE_UNAVAILABLE,      TELEPHONY_CAUSE_RESOURCE_BUSY},
    {CSTA_ERROR_PERFORMANCE, "*",                     TELEPHONY_SERVICE_UNAVAILABLE,      TELEPHONY_CAUSE_RESOURCE_BUSY},
    {CSTA_ERROR_SECURITY, "*",                        TELEPHONY_UNAUTHORIZED,             TELEPHONY_CAUSE_UNKNOWN},
    {CSTA_ERROR_ABSENT, "*",                          TELEPHONY_CALL_SERVER_ERROR,        TELEPHONY_CAUSE_UNKNOWN},
};
/* clang-format on */

/* The PBX's words go to programs and into the log: without control characters, and cut between
 * characters. */
static void copy_words(char *to, size_t size_bytes, const char *from)
{
    size_t len = strlen(from), used = 0;
    while (len > 0) {
        size_t bytes = utf8_next(from, len, NULL);
        if (bytes == 0 || used + bytes >= size_bytes)
            break;
        memcpy(to + used, from, bytes);
        if (iscntrl((unsigned char)*from))
            to[used] = '?';
        used += bytes;
        from += bytes;
        len -= bytes;
    }
    to[used] = '\0';
}

static const struct row *find_row(enum csta_error category, const char *value)
{
    const struct row *row = rows, *last = rows + COUNT_OF(rows) - 1; /* which takes everything */
    while (row < last && (row->category != category || fnmatch(row->value, value, 0) != 0))
        row++;
    return row;
}

struct pbx_error cx_error_of(const struct csta_message *error, char text[CX_ERROR_TEXT_CHARS])
{
    const char *value = error->error_value != NULL ? error->error_value : "";
    const struct row *row = find_row(error->error, value);
    int len = snprintf(text, CX_ERROR_TEXT_CHARS, "%s%s", csta_error_name(error->error),
                       value[0] != '\0' ? "." : "");
    copy_words(text + len, CX_ERROR_TEXT_CHARS - (size_t)len, value); /* categories are short */
    return (struct pbx_error){.type = row->type, .cause = row->cause, .text = text};
}

bool cx_error_is_out_of_service(const struct csta_message *error)
{
    return error->error == CSTA_ERROR_SYSTEM_RESOURCE && error->error_value != NULL &&
           strcmp(error->error_value, "deviceOutOfService") == 0;
}
