#include "lib/http/http_router.h"

#include "lib/common/common.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void handler(struct http_request *request)
{
    (void)request;
}

#define ROW(method_, path_)                                                                        \
    {                                                                                              \
        .method = (method_), .path = (path_), .handler = handler                                   \
    }

static const struct http_route rows[] = {
    ROW(HTTP_GET, "/"),
    ROW(HTTP_GET, "/api/rest"),
    ROW(HTTP_GET, "/users/{login}"),
    ROW(HTTP_PUT, "/users/{login}/password"),
    ROW(HTTP_GET, "/users/me"),
    ROW(HTTP_DELETE, "/users/{login}"),
    ROW(HTTP_POST, "/calls/{ref}/legs/{leg}"),
    ROW(HTTP_GET, "/a/b/c"),
    ROW(HTTP_GET, "/a/{x}/d"),
};

static struct http_router *router;

static int with_router(void **unused)
{
    (void)unused;
    router = http_router_new();
    return router != NULL ? http_router_add(router, rows, COUNT_OF(rows), NULL) : -1;
}

static int without_router(void **unused)
{
    (void)unused;
    http_router_free(router);
    return 0;
}

/* Looks up "a/b/c". */
static struct http_match find(enum http_method method, const char *path)
{
    static char text[256];
    const char *segments[HTTP_SEGMENTS_MAX];
    unsigned count = 0;
    (void)snprintf(text, sizeof(text), "%s", path);
    char *rest = text;
    for (char *part = strsep(&rest, "/"); part != NULL; part = strsep(&rest, "/"))
        if (part[0] != '\0')
            segments[count++] = part;
    struct http_match match;
    http_router_find(router, method, segments, count, &match);
    return match;
}

static void each_row_is_found_by_its_own_path(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_ptr_equal(find(rows[i].method, rows[i].path).route, &rows[i]);
}

static void an_unknown_path_is_told_from_a_method_not_allowed(void **unused)
{
    (void)unused;
    static const char *const unknown[] = {"/api",      "/users",        "/api/rest/x",
                                          "/API/rest", "/calls/1/legs", "/a/b/e"};
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        struct http_match match = find(HTTP_GET, unknown[i]);
        assert_null(match.route);
        assert_false(match.path_known);
    }
    struct http_match match = find(HTTP_POST, "/users/7");
    assert_null(match.route);
    assert_true(match.path_known);
    assert_string_equal(match.allow, "GET, HEAD, DELETE");
    assert_null(find(HTTP_OTHER, "/").route);
}

static void head_uses_the_row_of_get(void **unused)
{
    (void)unused;
    assert_ptr_equal(find(HTTP_HEAD, "/api/rest").route, &rows[1]);
    assert_null(find(HTTP_HEAD, "/calls/1/legs/2").route);
}

static void a_literal_segment_wins_over_a_parameter(void **unused)
{
    (void)unused;
    assert_ptr_equal(find(HTTP_GET, "/users/me").route, &rows[4]);
    assert_ptr_equal(find(HTTP_GET, "/users/you").route, &rows[2]);
    assert_ptr_equal(find(HTTP_GET, "/a/b/d").route, &rows[8]); /* back from the literal */
}

static void parameters_name_their_segments(void **unused)
{
    (void)unused;
    struct http_match match = find(HTTP_POST, "/calls/17/legs/4");
    assert_int_equal(match.param_count, 2);
    assert_int_equal(match.params[0].segment, 1);
    assert_memory_equal(match.params[0].name, "ref", match.params[0].name_bytes);
    assert_int_equal(match.params[1].segment, 3);
    assert_memory_equal(match.params[1].name, "leg", match.params[1].name_bytes);
}

static void faulty_rows_are_refused(void **unused)
{
    (void)unused;
    static const struct http_route bad[] = {
        ROW(HTTP_GET, "api"),
        ROW(HTTP_GET, NULL),
        ROW(HTTP_GET, "/a//b"),
        ROW(HTTP_GET, "/x{y}"),
        ROW(HTTP_GET, "/{}"),
        ROW(HTTP_GET, "/{a{b}}"),
        ROW(HTTP_GET, "/users/{other}"),
        ROW(HTTP_GET, "/api/rest"),
        {.method = HTTP_GET, .path = "/ok"},
        ROW(HTTP_GET, "/q?x"),
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct diag diag = {0};
        assert_int_equal(http_router_add(router, &bad[i], 1, &diag), -EINVAL);
        assert_true(diag.text[0] != '\0');
    }
}

static void count_row(void *context, const struct http_route *route)
{
    unsigned *seen = context;
    assert_ptr_equal(route, &rows[*seen]);
    ++*seen;
}

static void walking_shows_all_rows_in_their_order(void **unused)
{
    (void)unused;
    unsigned seen = 0;
    http_router_walk(router, count_row, &seen);
    assert_int_equal(seen, COUNT_OF(rows));
}

static void thousands_of_rows_are_all_found(void **unused)
{
    (void)unused;
    enum { MANY = 3000 };
    static char paths[MANY][40];
    static struct http_route many[MANY];
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "/s%d/{id}/t%d", i / 3, i);
        many[i] = (struct http_route)ROW(HTTP_GET, paths[i]);
    }
    assert_int_equal(http_router_add(router, many, MANY, NULL), 0);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(find(HTTP_GET, paths[i]).route, &many[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_router, without_router)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_row_is_found_by_its_own_path),
        TEST(an_unknown_path_is_told_from_a_method_not_allowed),
        TEST(head_uses_the_row_of_get),
        TEST(a_literal_segment_wins_over_a_parameter),
        TEST(parameters_name_their_segments),
        TEST(faulty_rows_are_refused),
        TEST(walking_shows_all_rows_in_their_order),
        TEST(thousands_of_rows_are_all_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
