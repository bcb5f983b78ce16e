#include "lib/http/http_url.h"

#include "lib/common/common.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int with_arena(void **unused)
{
    (void)unused;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int without_arena(void **unused)
{
    (void)unused;
    arena_done(&arena);
    return 0;
}

static int parse(const char *target, struct http_url *url)
{
    return http_url_parse(target, strlen(target), &arena, url, NULL);
}

static void accepted_targets_take_their_normal_form(void **unused)
{
    (void)unused;
    static const struct {
        const char *target, *path;
        unsigned segments;
    } rows[] = {
        {"/", "/", 0},
        {"//", "/", 0},
        {"/api/rest", "/api/rest", 2},
        {"/api/rest/", "/api/rest", 2},
        {"/api/rest/1.0//sessions", "/api/rest/1.0/sessions", 4},
        {"/api/rest/1.0/sessions/?a=1", "/api/rest/1.0/sessions", 4},
        {"/a%20b", "/a b", 1},
        {"/a+b", "/a+b", 1},
        {"/a%2Fb/c", "/a/b/c", 2},
        {"/%C3%A9", "/\xc3\xa9", 1},
        {"/...", "/...", 1},
        {"/.a", "/.a", 1},
        {"http://host:80/a/b?c", "/a/b", 2},
        {"HTTPS://host", "/", 0},
        {"https://host?x=1", "/", 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_url url;
        assert_int_equal(parse(rows[i].target, &url), 0);
        assert_string_equal(url.path, rows[i].path);
        assert_int_equal(url.segment_count, rows[i].segments);
    }
}

static void dangerous_targets_are_refused_and_leave_the_output_alone(void **unused)
{
    (void)unused;
    static const char *const targets[] = {
        "",          "a",        "*x",       "/..",   "/../etc",      "/a/../b",
        "/%2e%2e/b", "/%2E%2e",  "/.%2e",    "/.",    "/a/./b",       "/%2e",
        "/a%00b",    "/a%0ab",   "/%7f",     "/%",    "/%4",          "/%4x",
        "/%c3",      "/%ff",     "/%c0%ae",  "/a#b",  "/a?b#c",       "/a?%00=1",
        "/a?b=%zz",  "/a?b=%0d", "ftp://h/", "//%00", "/a?%ed%a0%80",
    };
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        struct http_url url = {.path = "untouched"};
        if (parse(targets[i], &url) != -EINVAL)
            fail_msg("%s was accepted", targets[i]);
        assert_string_equal(url.path, "untouched");
    }
}

static void an_encoded_slash_stays_in_its_segment(void **unused)
{
    (void)unused;
    struct http_url url;
    assert_int_equal(parse("/users/a%2fb/x", &url), 0);
    assert_int_equal(url.segment_count, 3);
    assert_string_equal(url.segments[1], "a/b");
}

static void a_query_gives_names_and_values(void **unused)
{
    (void)unused;
    struct http_url url;
    assert_int_equal(parse("/a?onlyACD&x=1+2&nodeIds=1%3B2&&e=&d=a=b", &url), 0);
    assert_int_equal(url.query_count, 5);
    assert_string_equal(url.query[0].name, "onlyACD");
    assert_string_equal(url.query[0].value, "");
    assert_string_equal(url.query[1].value, "1 2");
    assert_string_equal(url.query[2].value, "1;2");
    assert_string_equal(url.query[3].name, "e");
    assert_string_equal(url.query[3].value, "");
    assert_string_equal(url.query[4].value, "a=b");
}

static void too_many_segments_or_parameters_are_refused(void **unused)
{
    (void)unused;
    char target[1024] = "";
    size_t used = 0;
    for (int i = 0; i < HTTP_SEGMENTS_MAX; i++)
        used += (size_t)snprintf(target + used, sizeof(target) - used, "/s");
    struct http_url url;
    assert_int_equal(parse(target, &url), 0);
    (void)snprintf(target + used, sizeof(target) - used, "/s");
    assert_int_equal(parse(target, &url), -EINVAL);

    used = (size_t)snprintf(target, sizeof(target), "/?");
    for (int i = 0; i < HTTP_QUERY_PAIRS_MAX; i++)
        used += (size_t)snprintf(target + used, sizeof(target) - used, "%sq", i > 0 ? "&" : "");
    assert_int_equal(parse(target, &url), 0);
    assert_int_equal(url.query_count, HTTP_QUERY_PAIRS_MAX);
    (void)snprintf(target + used, sizeof(target) - used, "&q");
    assert_int_equal(parse(target, &url), -EINVAL);
}

static void the_asterisk_stands_for_the_server(void **unused)
{
    (void)unused;
    struct http_url url;
    assert_int_equal(parse("*", &url), 0);
    assert_true(url.is_asterisk);
}

static void memory_that_runs_out_is_no_bad_request(void **unused)
{
    (void)unused;
    struct arena small;
    arena_init(&small, 16);
    struct http_url url;
    assert_int_equal(http_url_parse("/a/b", 4, &small, &url, NULL), -ENOMEM);
    arena_done(&small);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_arena, without_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(accepted_targets_take_their_normal_form),
        TEST(dangerous_targets_are_refused_and_leave_the_output_alone),
        TEST(an_encoded_slash_stays_in_its_segment),
        TEST(a_query_gives_names_and_values),
        TEST(too_many_segments_or_parameters_are_refused),
        TEST(the_asterisk_stands_for_the_server),
        TEST(memory_that_runs_out_is_no_bad_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
