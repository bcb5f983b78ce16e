/* http_names.c - methods and status codes: number, name in ErrorInfo, reason of the status line. */
#include "lib/http/http.h"

#include "lib/common/common.h"

struct status_row {
    int status;
    const char *name, *reason;
};

/* clang-format off */
static const struct status_row STATUSES[] = {
    {100, "CONTINUE", "Continue"},
    {200, "OK", "OK"},
    {201, "CREATED", "Created"},
    {202, "ACCEPTED", "Accepted"},
    {204, "NO_CONTENT", "No Content"},
    {301, "MOVED_PERMANENTLY", "Moved Permanently"},
    {302, "FOUND", "Found"},
    {303, "SEE_OTHER", "See Other"},
    {304, "NOT_MODIFIED", "Not Modified"},
    {307, "TEMPORARY_REDIRECT", "Temporary Redirect"},
    {308, "PERMANENT_REDIRECT", "Permanent Redirect"},
    {400, "BAD_REQUEST", "Bad Request"},
    {401, "UNAUTHORIZED", "Unauthorized"},
    {402, "PAYMENT_REQUIRED", "Payment Required"},
    {403, "FORBIDDEN", "Forbidden"},
    {404, "NOT_FOUND", "Not Found"},
    {405, "METHOD_NOT_ALLOWED", "Method Not Allowed"},
    {406, "NOT_ACCEPTABLE", "Not Acceptable"},
    {408, "REQUEST_TIMEOUT", "Request Timeout"},
    {409, "CONFLICT", "Conflict"},
    {410, "GONE", "Gone"},
    {411, "LENGTH_REQUIRED", "Length Required"},
    {412, "PRECONDITION_FAILED", "Precondition Failed"},
    {413, "PAYLOAD_TOO_LARGE", "Payload Too Large"},
    {414, "URI_TOO_LONG", "URI Too Long"},
    {415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type"},
    {417, "EXPECTATION_FAILED", "Expectation Failed"},
    {421, "MISDIRECTED_REQUEST", "Misdirected Request"},
    {422, "UNPROCESSABLE_ENTITY", "Unprocessable Entity"},
    {429, "TOO_MANY_REQUESTS", "Too Many Requests"},
    {431, "REQUEST_HEADER_FIELDS_TOO_LARGE", "Request Header Fields Too Large"},
    {500, "INTERNAL_SERVER_ERROR", "Internal Server Error"},
    {501, "NOT_IMPLEMENTED", "Not Implemented"},
    {502, "BAD_GATEWAY", "Bad Gateway"},
    {503, "SERVICE_UNAVAILABLE", "Service Unavailable"},
    {504, "GATEWAY_TIMEOUT", "Gateway Timeout"},
    {505, "HTTP_VERSION_NOT_SUPPORTED", "HTTP Version Not Supported"},
};
/* clang-format on */

static const struct status_row *find_status(int status)
{
    for (size_t i = 0; i < COUNT_OF(STATUSES); i++)
        if (STATUSES[i].status == status)
            return &STATUSES[i];
    return NULL;
}

const char *http_status_name(int status)
{
    const struct status_row *row = find_status(status);
    return row != NULL ? row->name : "UNKNOWN";
}

const char *http_status_reason(int status)
{
    const struct status_row *row = find_status(status);
    return row != NULL ? row->reason : "Status";
}

const char *http_method_name(enum http_method method)
{
#define METHOD_TEXT(id) [HTTP_##id] = #id,
    static const char *const names[] = {HTTP_METHODS(METHOD_TEXT)};
#undef METHOD_TEXT
    return (unsigned)method < HTTP_METHOD_COUNT ? names[method] : "?";
}
