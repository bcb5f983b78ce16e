#include "gateway/gateway_settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define REQUIRED                                                                                   \
    "\"listen\":[\"10.77.1.100\",\"::1\"],\"public_url\":\"https://og.test\","                     \
    "\"certificate_file\":\"/c\",\"key_file\":\"/k\""

static struct gateway_settings settings;

static void the_required_settings_are_enough(void **unused)
{
    static const char text[] = "{" REQUIRED "}";
    struct buf problems = {0};
    (void)unused;
    assert_int_equal(gateway_settings_parse(text, strlen(text), &settings, &problems), 0);
    assert_int_equal(settings.listen_count, 2);
    assert_string_equal(settings.listen[1], "::1");
    assert_string_equal(settings.private_url, "https://og.test");
    assert_int_equal(settings.https_port, 443);
    assert_int_equal(settings.http_port, 0);
    assert_int_equal(settings.session_ttl_s, 1800);
    assert_int_equal(settings.channel_heartbeat_s, 20);
    assert_false(settings.http_full_access);
    assert_string_equal(settings.database_name, "api");
    buf_done(&problems);
}

static void every_mistake_is_named_and_all_are_listed(void **unused)
{
    static const char text[] =
        "{\"listen\":[\"gateway.test\"],\"public_url\":\"https://og.test/\",\"https_port\":70000,"
        "\"key_file\":\"key\",\"ha\":1,\"colour\":\"red\",\"log_level\":\"loud\","
        "\"product_name\":\"caf\\u00e9\"}";
    static const char *const expected[] = {
        "listen: gateway.test is no numeric address",
        "public_url: must be https://host",
        "https_port: must be a whole number from 1 to 65535",
        "key_file: must be an absolute path",
        "ha: must be true or false",
        "colour: there is no such setting",
        "log_level: must be error",
        "certificate_file: must be given",
        "product_name: may hold printable ASCII only",
    };
    struct buf problems = {0};
    unsigned lines = 0;
    (void)unused;
    assert_int_equal(gateway_settings_parse(text, strlen(text), &settings, &problems), -EINVAL);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_non_null(strstr(problems.data, expected[i]));
    for (const char *c = problems.data; *c != '\0'; c++)
        lines += *c == '\n';
    assert_int_equal(lines, sizeof(expected) / sizeof(expected[0]));
    buf_done(&problems);
}

static void what_is_no_object_is_refused(void **unused)
{
    static const char *const texts[] = {"", "[]", "{\"listen\":", "{} x", "{\"a\":1,\"a\":2}"};
    (void)unused;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct buf problems = {0};
        assert_int_equal(gateway_settings_parse(texts[i], strlen(texts[i]), &settings, &problems),
                         -EINVAL);
        assert_true(problems.len_bytes > 0);
        buf_done(&problems);
    }
}

static void ports_that_contradict_are_refused(void **unused)
{
    static const char text[] = "{" REQUIRED ",\"https_port\":8443,\"http_port\":8443}";
    static const char other[] = "{" REQUIRED ",\"http_full_access\":true}";
    struct buf problems = {0};
    (void)unused;
    assert_int_equal(gateway_settings_parse(text, strlen(text), &settings, &problems), -EINVAL);
    assert_non_null(strstr(problems.data, "http_port: is the same as https_port"));
    assert_int_equal(gateway_settings_parse(other, strlen(other), &settings, &problems), -EINVAL);
    assert_non_null(strstr(problems.data, "http_full_access: makes no sense"));
    buf_done(&problems);
}

static void a_missing_file_is_told_with_its_name(void **unused)
{
    struct buf problems = {0};
    (void)unused;
    assert_int_equal(gateway_settings_read("/nonexistent/g.json", &settings, &problems), -ENOENT);
    assert_non_null(strstr(problems.data, "/nonexistent/g.json"));
    buf_done(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_required_settings_are_enough),
        cmocka_unit_test(every_mistake_is_named_and_all_are_listed),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(ports_that_contradict_are_refused),
        cmocka_unit_test(a_missing_file_is_told_with_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
