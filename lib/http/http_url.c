#include "lib/http/http_url.h"

#include "lib/common/utf8.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes into out, which has room for len_bytes + 1; returns the decoded length or -EINVAL. */
static int decode_bytes(const char *text, size_t len_bytes, bool plus_is_space, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < len_bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '%') {
            int high = i + 2 < len_bytes ? hex_value(text[i + 1]) : -1;
            int low = i + 2 < len_bytes ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return -EINVAL;
            c = (unsigned char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c < 0x20 || c == 0x7f)
            return -EINVAL;
        out[used++] = (char)c;
    }
    out[used] = '\0';
    return utf8_valid(out, used) ? (int)used : -EINVAL;
}

int http_url_decode(const char *text, size_t len_bytes, bool plus_is_space, struct arena *arena,
                    const char **ret_text)
{
    if (len_bytes > INT32_MAX)
        return -EINVAL;
    char *out = arena_alloc(arena, len_bytes + 1);
    if (out == NULL)
        return -ENOMEM;
    int len = decode_bytes(text, len_bytes, plus_is_space, out);
    if (len < 0)
        return len;
    *ret_text = out;
    return 0;
}

static int add_segment(struct http_url *url, const char *text, size_t len_bytes,
                       struct arena *arena, struct diag *diag)
{
    if (len_bytes == 0)
        return 0;
    if (url->segment_count == HTTP_SEGMENTS_MAX)
        return diag_fail(diag, -EINVAL, "path: more than %d segments", HTTP_SEGMENTS_MAX);
    const char *segment = NULL;
    int r = http_url_decode(text, len_bytes, false, arena, &segment);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return diag_fail(diag, r, "path: segment %u is not percent-encoded UTF-8",
                         url->segment_count + 1);
    if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
        return diag_fail(diag, -EINVAL, "path: relative segments are refused");
    url->segments[url->segment_count++] = segment;
    return 0;
}

/* "/a/b" from the decoded segments. */
static int join_path(struct http_url *url, struct arena *arena)
{
    size_t size = 2;
    for (unsigned i = 0; i < url->segment_count; i++)
        size += strlen(url->segments[i]) + 1;
    char *path = arena_alloc(arena, size);
    if (path == NULL)
        return -ENOMEM;
    char *at = path;
    for (unsigned i = 0; i < url->segment_count; i++) {
        size_t len = strlen(url->segments[i]);
        *at++ = '/';
        memcpy(at, url->segments[i], len);
        at += len;
    }
    if (at == path)
        *at++ = '/';
    *at = '\0';
    url->path = path;
    return 0;
}

static int parse_path(struct http_url *url, const char *text, size_t len_bytes, struct arena *arena,
                      struct diag *diag)
{
    for (size_t start = 0; start < len_bytes;) {
        const char *slash = memchr(text + start, '/', len_bytes - start);
        size_t end = slash != NULL ? (size_t)(slash - text) : len_bytes;
        int r = add_segment(url, text + start, end - start, arena, diag);
        if (r < 0)
            return r;
        start = end + 1;
    }
    return join_path(url, arena);
}

static int add_pair(struct http_url *url, const char *text, size_t len_bytes, struct arena *arena,
                    struct diag *diag)
{
    if (len_bytes == 0)
        return 0;
    if (url->query_count == HTTP_QUERY_PAIRS_MAX)
        return diag_fail(diag, -EINVAL, "query: more than %d parameters", HTTP_QUERY_PAIRS_MAX);
    const char *equals = memchr(text, '=', len_bytes);
    size_t name_bytes = equals != NULL ? (size_t)(equals - text) : len_bytes;
    struct http_url_pair *pair = &url->query[url->query_count];
    pair->value = "";
    int r = http_url_decode(text, name_bytes, true, arena, &pair->name);
    if (r == 0 && equals != NULL)
        r = http_url_decode(equals + 1, len_bytes - name_bytes - 1, true, arena, &pair->value);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return diag_fail(diag, r, "query: parameter %u is not percent-encoded UTF-8",
                         url->query_count + 1);
    url->query_count++;
    return 0;
}

static int parse_query(struct http_url *url, const char *text, size_t len_bytes,
                       struct arena *arena, struct diag *diag)
{
    unsigned count = 1;
    for (size_t i = 0; i < len_bytes; i++)
        count += text[i] == '&';
    if (count > HTTP_QUERY_PAIRS_MAX)
        return diag_fail(diag, -EINVAL, "query: more than %d parameters", HTTP_QUERY_PAIRS_MAX);
    url->query = arena_calloc(arena, count, sizeof(*url->query));
    if (url->query == NULL)
        return -ENOMEM;
    for (size_t start = 0; start < len_bytes;) {
        const char *ampersand = memchr(text + start, '&', len_bytes - start);
        size_t end = ampersand != NULL ? (size_t)(ampersand - text) : len_bytes;
        int r = add_pair(url, text + start, end - start, arena, diag);
        if (r < 0)
            return r;
        start = end + 1;
    }
    return 0;
}

/* Length of "http://authority" in front of an absolute form; 0 for origin form. */
static size_t skip_authority(const char *target, size_t len_bytes)
{
    size_t scheme = 0;
    if (len_bytes >= 7 && strncasecmp(target, "http://", 7) == 0)
        scheme = 7;
    else if (len_bytes >= 8 && strncasecmp(target, "https://", 8) == 0)
        scheme = 8;
    if (scheme == 0)
        return 0;
    size_t at = scheme;
    while (at < len_bytes && target[at] != '/' && target[at] != '?')
        at++;
    return at;
}

int http_url_parse(const char *target, size_t len_bytes, struct arena *arena,
                   struct http_url *ret_url, struct diag *diag)
{
    struct http_url url = {.path = "/"};
    if (len_bytes == 1 && target[0] == '*') {
        url.is_asterisk = true;
        url.path = "*";
        *ret_url = url;
        return 0;
    }
    size_t skipped = skip_authority(target, len_bytes);
    const char *path = target + skipped;
    size_t path_bytes = len_bytes - skipped;
    if (skipped == 0 && (path_bytes == 0 || path[0] != '/'))
        return diag_fail(diag, -EINVAL, "the request target must begin with '/'");
    if (memchr(path, '#', path_bytes) != NULL)
        return diag_fail(diag, -EINVAL, "the request target must not carry a fragment");

    const char *question = path_bytes > 0 ? memchr(path, '?', path_bytes) : NULL;
    size_t query_bytes = 0;
    if (question != NULL) {
        query_bytes = path_bytes - (size_t)(question - path) - 1;
        path_bytes = (size_t)(question - path);
    }
    int r = parse_path(&url, path, path_bytes, arena, diag);
    if (r == 0 && query_bytes > 0)
        r = parse_query(&url, question + 1, query_bytes, arena, diag);
    if (r < 0)
        return r;
    *ret_url = url;
    return 0;
}
