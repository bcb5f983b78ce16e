/* http_url.h - request targets: splitting, percent decoding, normal form. Pure.
 *
 * The path is split at '/' first and each segment is decoded after that, so that "%2F" stays inside
 * its segment. Empty segments ("//", a trailing "/") are dropped: real clients send them. Refused
 * with -EINVAL: "." and ".." segments (decoded too), %00 and other control bytes, broken percent
 * signs, invalid UTF-8, '#', more than HTTP_SEGMENTS_MAX segments. */
#ifndef OG_HTTP_HTTP_URL_H
#define OG_HTTP_HTTP_URL_H

#include "lib/common/diag.h"
#include "lib/http/arena.h"
#include "lib/http/http_router.h"

struct http_url_pair {
    const char *name, *value; /* decoded; value "" when there was none */
};
struct http_url {
    const char *path; /* "/a/b", decoded, for people: do not split it again */
    const char *segments[HTTP_SEGMENTS_MAX];
    unsigned segment_count;
    struct http_url_pair *query;
    unsigned query_count;
    bool is_asterisk; /* "OPTIONS *" */
};
enum { HTTP_QUERY_PAIRS_MAX = 64 };

/* target: origin form "/path?query", absolute form "http://host/path", or "*". */
int http_url_parse(const char *target, size_t len_bytes, struct arena *arena,
                   struct http_url *ret_url, struct diag *diag);
/* Decodes "%41" (and '+' as space when plus_is_space). -EINVAL broken, %00 or invalid UTF-8. */
int http_url_decode(const char *text, size_t len_bytes, bool plus_is_space, struct arena *arena,
                    const char **ret_text);

#endif
