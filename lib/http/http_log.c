/* http_log.c - the access log: one line for each request at level debug; those that failed on our
 * side (5xx) at level warning, one a second and a count of the others. Ids that prove something
 * (subscription, credential) are shortened, so that a log does not open a session. */
#include "lib/http/http_private.h"

#include "lib/common/common.h"
#include "lib/common/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_CHARS = 4, LONG_SEGMENT_CHARS = 20, TARGET_CHARS = 256 };

static const char *const DEFAULT_SECRETS[] = {"subscriptionId", "credential", "token", "password",
                                              NULL};

static bool is_secret(const struct http_request *request, const char *name, size_t len_bytes)
{
    const char *const *names = request->server->program.secret_names;
    for (names = names != NULL ? names : DEFAULT_SECRETS; *names != NULL; names++)
        if (strlen(*names) == len_bytes && memcmp(*names, name, len_bytes) == 0)
            return true;
    return false;
}

static void add_printable(struct buf *out, const char *text, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++) {
        char c = (unsigned char)text[i] > ' ' && text[i] != 0x7f ? text[i] : '?';
        buf_add(out, &c, 1);
    }
}

static void add_value(struct buf *out, const char *value, bool secret)
{
    size_t len = strlen(value);
    if (!secret) {
        add_printable(out, value, len);
        return;
    }
    add_printable(out, value, len > 2 * SHOWN_CHARS ? SHOWN_CHARS : 0);
    buf_adds(out, "...");
}

/* A segment is secret by its parameter's name; on unknown paths every long segment is, since a
 * mistyped path may still carry an id. */
static bool is_secret_segment(const struct http_request *request, unsigned index)
{
    if (!request->match.path_known)
        return strlen(request->url.segments[index]) >= LONG_SEGMENT_CHARS;
    for (unsigned i = 0; i < request->match.param_count; i++) {
        const struct http_match_param *param = &request->match.params[i];
        if (param->segment == index)
            return is_secret(request, param->name, param->name_bytes);
    }
    return false;
}

static void add_target(const struct http_request *request, struct buf *out)
{
    const struct http_url *url = &request->url;
    if (url->segment_count == 0)
        buf_adds(out, url->path[0] != '\0' ? url->path : "-");
    for (unsigned i = 0; i < url->segment_count; i++) {
        buf_adds(out, "/");
        add_value(out, url->segments[i], is_secret_segment(request, i));
    }
    for (unsigned i = 0; i < url->query_count; i++) {
        const struct http_url_pair *pair = &url->query[i];
        buf_adds(out, i == 0 ? "?" : "&");
        add_printable(out, pair->name, strlen(pair->name));
        if (pair->value[0] != '\0') {
            buf_adds(out, "=");
            add_value(out, pair->value, is_secret(request, pair->name, strlen(pair->name)));
        }
    }
}

/* Our own failures are an operator's business, everything else is for looking closer. */
static enum log_level level_of(const struct http_request *request, uint64_t *ret_skipped)
{
    struct http_server *server = request->server;
    *ret_skipped = 0;
    if (request->status < 500 ||
        !log_limit_passes(&server->failures_logged, uv_now(server->loop), ret_skipped))
        return LOG_LEVEL_DEBUG;
    return LOG_LEVEL_WARNING;
}

void http__log_access(const struct http_request *request, const char *what)
{
    uint64_t skipped;
    enum log_level level = level_of(request, &skipped);
    if (!log_wanted(HTTP__LOG, level))
        return;
    AUTO(buf_done) struct buf target = {0};
    add_target(request, &target);
    char id[24], took[24], bytes[24], more[24];
    (void)snprintf(id, sizeof(id), "%" PRIu64, request->id);
    (void)snprintf(took, sizeof(took), "%" PRIu64,
                   uv_now(request->server->loop) - request->started_ms);
    (void)snprintf(bytes, sizeof(bytes), "%" PRIu64, request->answer_bytes);
    (void)snprintf(more, sizeof(more), "%" PRIu64, skipped);
    struct log_field fields[] = {{"request", id},
                                 {"peer", request->peer},
                                 {"took_ms", took},
                                 {"bytes", bytes},
                                 {"tls", request->is_tls ? "yes" : "no"},
                                 {"more_like_this", more},
                                 {NULL, NULL}};
    if (skipped == 0)
        fields[COUNT_OF(fields) - 2] = (struct log_field){NULL, NULL};
    log_write_fields(HTTP__LOG, level, fields, "%s %.*s %d%s%s", http_method_name(request->method),
                     TARGET_CHARS, target.data != NULL ? target.data : "-", request->status,
                     what[0] != '\0' ? " " : "", what);
}
