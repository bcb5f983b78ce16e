#include "lib/http/http_router.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64, NO_NODE = 0 };

/* A place in the tree of paths. Literal children are found through the router's hash table (key:
 * parent and segment), the one parameter child directly. */
struct node {
    const char *segment; /* borrowed from a row's path, segment_bytes long */
    size_t segment_bytes;
    uint32_t parent, param_child; /* indexes into nodes; 0 is the root and stands for "none" */
    bool is_param, has_rows;
    const struct http_route *rows[HTTP_METHOD_COUNT];
};

struct http_router {
    struct node *nodes;
    uint32_t node_count, node_cap;
    uint32_t *slots; /* open addressing; 0 empty; slot_count is a power of two */
    uint32_t slot_count;
    const struct http_route **rows; /* in the order of adding */
    size_t row_count, row_cap;
};

static uint32_t hash_segment(uint32_t parent, const char *segment, size_t len_bytes)
{
    uint64_t hash = 14695981039346656037u ^ parent; /* FNV-1a */
    for (size_t i = 0; i < len_bytes; i++)
        hash = (hash ^ (unsigned char)segment[i]) * 1099511628211u;
    return (uint32_t)(hash ^ (hash >> 32));
}

/* The slot that holds the child, or the empty slot where it belongs. */
static uint32_t *find_slot(const struct http_router *router, uint32_t parent, const char *segment,
                           size_t len_bytes)
{
    uint32_t mask = router->slot_count - 1;
    for (uint32_t i = hash_segment(parent, segment, len_bytes) & mask;; i = (i + 1) & mask) {
        uint32_t index = router->slots[i];
        if (index == NO_NODE)
            return &router->slots[i];
        const struct node *node = &router->nodes[index];
        if (node->parent == parent && node->segment_bytes == len_bytes &&
            memcmp(node->segment, segment, len_bytes) == 0)
            return &router->slots[i];
    }
}

static int grow_slots(struct http_router *router)
{
    if (2 * (router->node_count + 1) <= router->slot_count)
        return 0;
    uint32_t *old = router->slots, old_count = router->slot_count;
    uint32_t *slots = calloc(2 * (size_t)old_count, sizeof(*slots));
    if (slots == NULL)
        return -ENOMEM;
    router->slots = slots;
    router->slot_count = 2 * old_count;
    for (uint32_t i = 0; i < old_count; i++)
        if (old[i] != NO_NODE) {
            const struct node *node = &router->nodes[old[i]];
            *find_slot(router, node->parent, node->segment, node->segment_bytes) = old[i];
        }
    free(old);
    return 0;
}

static int new_node(struct http_router *router, uint32_t parent, const char *segment,
                    size_t len_bytes, bool is_param, uint32_t *ret_index)
{
    if (router->node_count == router->node_cap) {
        uint32_t cap = 2 * router->node_cap;
        struct node *nodes = realloc(router->nodes, cap * sizeof(*nodes));
        if (nodes == NULL)
            return -ENOMEM;
        router->nodes = nodes;
        router->node_cap = cap;
    }
    *ret_index = router->node_count++;
    router->nodes[*ret_index] = (struct node){
        .segment = segment, .segment_bytes = len_bytes, .parent = parent, .is_param = is_param};
    return 0;
}

struct http_router *http_router_new(void)
{
    struct http_router *router = calloc(1, sizeof(*router));
    if (router == NULL)
        return NULL;
    router->node_cap = FIRST_SLOTS;
    router->slot_count = 2 * FIRST_SLOTS;
    router->row_cap = FIRST_SLOTS;
    router->nodes = calloc(router->node_cap, sizeof(*router->nodes));
    router->slots = calloc(router->slot_count, sizeof(*router->slots));
    router->rows = calloc(router->row_cap, sizeof(*router->rows));
    if (router->nodes == NULL || router->slots == NULL || router->rows == NULL) {
        http_router_free(router);
        return NULL;
    }
    router->node_count = 1; /* the root */
    return router;
}

void http_router_free(struct http_router *router)
{
    if (router == NULL)
        return;
    free(router->nodes);
    free(router->slots);
    free(router->rows);
    free(router);
}

/* The node below parent for one part of a template, made when absent. */
static int step_literal(struct http_router *router, uint32_t parent, const char *part,
                        size_t len_bytes, uint32_t *ret_index)
{
    int r = grow_slots(router);
    if (r < 0)
        return r;
    uint32_t *slot = find_slot(router, parent, part, len_bytes);
    if (*slot == NO_NODE) {
        uint32_t index;
        r = new_node(router, parent, part, len_bytes, false, &index);
        if (r < 0)
            return r;
        *slot = index;
    }
    *ret_index = *slot;
    return 0;
}

static int step_param(struct http_router *router, uint32_t parent, const char *part,
                      size_t len_bytes, uint32_t *ret_index, struct diag *diag)
{
    uint32_t index = router->nodes[parent].param_child;
    if (index == NO_NODE) {
        int r = new_node(router, parent, part, len_bytes, true, &index);
        if (r < 0)
            return r;
        router->nodes[parent].param_child = index;
    }
    const struct node *node = &router->nodes[index];
    if (node->segment_bytes != len_bytes || memcmp(node->segment, part, len_bytes) != 0)
        return diag_fail(diag, -EINVAL, "two names for one place: {%.*s} and {%.*s}",
                         (int)node->segment_bytes, node->segment, (int)len_bytes, part);
    *ret_index = index;
    return 0;
}

static bool is_name(const char *text, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++)
        if (strchr("{}%?#", text[i]) != NULL)
            return false;
    return len_bytes > 0;
}

static int step(struct http_router *router, uint32_t parent, const char *part, size_t len_bytes,
                uint32_t *ret_index, struct diag *diag)
{
    if (len_bytes > 2 && part[0] == '{' && part[len_bytes - 1] == '}') {
        if (!is_name(part + 1, len_bytes - 2))
            return diag_fail(diag, -EINVAL, "malformed parameter \"%.*s\"", (int)len_bytes, part);
        return step_param(router, parent, part + 1, len_bytes - 2, ret_index, diag);
    }
    if (!is_name(part, len_bytes))
        return diag_fail(diag, -EINVAL, "malformed segment \"%.*s\"", (int)len_bytes, part);
    return step_literal(router, parent, part, len_bytes, ret_index);
}

static int add_row(struct http_router *router, const struct http_route *row, struct diag *diag)
{
    if (row->path == NULL || row->path[0] != '/' || row->handler == NULL ||
        (unsigned)row->method >= HTTP_METHOD_COUNT)
        return diag_fail(diag, -EINVAL, "a row needs a method, a handler and a path from '/'");
    uint32_t index = 0;
    unsigned depth = 0;
    for (const char *part = row->path + 1; *part != '\0';) {
        size_t len = strcspn(part, "/");
        if (++depth > HTTP_SEGMENTS_MAX)
            return diag_fail(diag, -EINVAL, "more than %d segments", HTTP_SEGMENTS_MAX);
        int r = step(router, index, part, len, &index, diag);
        if (r < 0)
            return r;
        part += len + (part[len] == '/');
    }
    struct node *node = &router->nodes[index];
    if (node->rows[row->method] != NULL)
        return diag_fail(diag, -EINVAL, "a second row for this method and path");
    if (router->row_count == router->row_cap) {
        const struct http_route **rows =
            realloc(router->rows, 2 * router->row_cap * sizeof(*router->rows));
        if (rows == NULL)
            return -ENOMEM;
        router->rows = rows;
        router->row_cap *= 2;
    }
    router->rows[router->row_count++] = row;
    node->rows[row->method] = row;
    node->has_rows = true;
    return 0;
}

int http_router_add(struct http_router *router, const struct http_route *rows, size_t count,
                    struct diag *diag)
{
    for (size_t i = 0; i < count; i++) {
        int r = add_row(router, &rows[i], diag);
        if (r < 0)
            return diag_within(diag, r, "route %s %s", http_method_name(rows[i].method),
                               rows[i].path != NULL ? rows[i].path : "(no path)");
    }
    return 0;
}

void http_router_walk(const struct http_router *router,
                      void (*fn)(void *context, const struct http_route *route), void *context)
{
    for (size_t i = 0; i < router->row_count; i++)
        fn(context, router->rows[i]);
}

/* The deepest match, literal segments first. A literal that leads nowhere further down gives way to
 * the parameter beside it ("/a/{x}/c" beside "/a/b/d"), hence the recursion; each level has at most
 * two ways, and templates that really fork are few. */
static uint32_t find_node(const struct http_router *router, uint32_t at,
                          const char *const *segments, unsigned count)
{
    if (count == 0)
        return router->nodes[at].has_rows ? at : NO_NODE;
    uint32_t child = *find_slot(router, at, segments[0], strlen(segments[0]));
    uint32_t found = NO_NODE;
    if (child != NO_NODE)
        found = find_node(router, child, segments + 1, count - 1);
    if (found == NO_NODE && router->nodes[at].param_child != NO_NODE)
        found = find_node(router, router->nodes[at].param_child, segments + 1, count - 1);
    return found;
}

static void fill_params(const struct http_router *router, uint32_t index, unsigned depth,
                        struct http_match *match)
{
    unsigned total = 0;
    for (uint32_t at = index; at != NO_NODE; at = router->nodes[at].parent)
        total += router->nodes[at].is_param;
    match->param_count = total;
    for (uint32_t at = index; at != NO_NODE; at = router->nodes[at].parent, depth--)
        if (router->nodes[at].is_param) {
            total--;
            match->params[total].name = router->nodes[at].segment;
            match->params[total].name_bytes = router->nodes[at].segment_bytes;
            match->params[total].segment = depth - 1;
        }
}

static void fill_allow(const struct node *node, struct http_match *match)
{
    size_t used = 0;
    for (unsigned method = 0; method < HTTP_METHOD_COUNT; method++) {
        bool has =
            node->rows[method] != NULL || (method == HTTP_HEAD && node->rows[HTTP_GET] != NULL);
        if (!has)
            continue;
        int len = snprintf(match->allow + used, sizeof(match->allow) - used, "%s%s",
                           used > 0 ? ", " : "", http_method_name((enum http_method)method));
        used += (size_t)len;
    }
}

void http_router_find(const struct http_router *router, enum http_method method,
                      const char *const *segments, unsigned segment_count,
                      struct http_match *ret_match)
{
    *ret_match = (struct http_match){0};
    uint32_t index = find_node(router, 0, segments, segment_count);
    const struct node *node = &router->nodes[index];
    if (index == NO_NODE && !(segment_count == 0 && node->has_rows))
        return;
    ret_match->path_known = true;
    fill_params(router, index, segment_count, ret_match);
    fill_allow(node, ret_match);
    ret_match->route = node->rows[method];
    if (ret_match->route == NULL && method == HTTP_HEAD)
        ret_match->route = node->rows[HTTP_GET];
}
