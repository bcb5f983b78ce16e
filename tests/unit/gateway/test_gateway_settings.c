#include "gateway/gateway_settings.h"
#include "lib/common/common.h"

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

/* Just these mistakes are told, in any order; no password is among what is told. */
static void assert_problems(const char *text, const char *const *expected, size_t count)
{
    struct buf problems = {0};
    size_t lines = 0;
    assert_int_equal(gateway_settings_parse(text, strlen(text), &settings, &problems), -EINVAL);
    for (size_t i = 0; i < count; i++)
        if (strstr(problems.data, expected[i]) == NULL)
            fail_msg("missing: %s in:\n%s", expected[i], problems.data);
    for (const char *c = problems.data; *c != '\0'; c++)
        lines += *c == '\n';
    assert_int_equal(lines, count);
    assert_null(strstr(problems.data, "hunter2"));
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
    (void)unused;
    assert_problems(text, expected, COUNT_OF(expected));
}

static void what_is_no_object_is_refused(void **unused)
{
    static const char *const texts[] = {"", "[]", "{\"listen\":", "{} x", "{\"a\":1,\"a\":2}"};
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
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

static void a_pbx_needs_only_its_node_and_address(void **unused)
{
    static const char text[] =
        "{" REQUIRED ",\"pbx\":[{\"node\":\"1\",\"address\":\"127.0.0.1\",\"port\":2555,"
        "\"backup_address\":\"fd00::2\"}]}";
    struct buf problems = {0};
    const struct pbx_settings *pbx = &settings.pbx[0];
    (void)unused;
    assert_int_equal(gateway_settings_parse(text, strlen(text), &settings, &problems), 0);
    assert_int_equal(settings.pbx_count, 1);
    assert_string_equal(pbx->node, "1");
    assert_string_equal(pbx->driver, "csta-xml");
    assert_int_equal(pbx->port, 2555);
    assert_int_equal(pbx->backup_port, 2555);
    assert_string_equal(pbx->session, "ecma354");
    assert_string_equal(pbx->application_id, "opengw");
    assert_int_equal(pbx->protocol_count, 4);
    assert_string_equal(pbx->protocols[0], "ed6");
    assert_string_equal(pbx->protocols[3], "ed3");
    assert_int_equal(pbx->session_s, 120);
    assert_int_equal(pbx->directory_s, 60);
    assert_int_equal(pbx->device_count, 0);
    buf_done(&problems);
}

static void every_value_of_a_pbx_is_read(void **unused)
{
    static const char text[] =
        "{" REQUIRED ",\"pbx\":[{\"node\":\"7\",\"driver\":\"csta-xml\",\"address\":\"::1\","
        "\"port\":1,\"session\":\"ecma354\",\"user\":\"u\",\"password\":\"p\\u00e9\","
        "\"application_id\":\"mine\",\"protocols\":[\"ed3\",\"ed5\"],\"session_s\":30,"
        "\"directory_s\":5,\"devices\":[\"1001\",\"*1002\"]},"
        "{\"node\":\"8\",\"address\":\"10.0.0.1\",\"port\":9,\"session\":\"none\"}]}";
    struct buf problems = {0};
    (void)unused;
    assert_int_equal(gateway_settings_parse(text, strlen(text), &settings, &problems), 0);
    assert_int_equal(settings.pbx_count, 2);
    assert_string_equal(settings.pbx[0].password, "p\xc3\xa9");
    assert_int_equal(settings.pbx[0].protocol_count, 2);
    assert_string_equal(settings.pbx[0].protocols[1], "ed5");
    assert_int_equal(settings.pbx[0].device_count, 2);
    assert_string_equal(settings.pbx[0].devices[1], "*1002");
    assert_string_equal(settings.pbx[1].session, "none");
    assert_int_equal(settings.pbx[1].backup_port, 0);
    buf_done(&problems);
}

static void mistakes_of_a_pbx_are_told_with_their_place(void **unused)
{
    static const char text[] =
        "{" REQUIRED ",\"pbx\":[{\"node\":\"1\",\"address\":\"pbx.test\",\"port\":0},"
        "{\"node\":\"1\",\"address\":\"::1\",\"driver\":\"tapi\",\"protocols\":[\"ed9\"],"
        "\"port\":5,\"sessions\":1,\"devices\":[\"10 01\"],\"backup_port\":9},17,"
        "{\"node\":\"x\",\"address\":\"::1\",\"port\":5,\"password\":\"hunter2\","
        "\"session\":\"none\",\"protocols\":[]}]}";
    static const char *const expected[] = {
        "pbx[0].address: pbx.test is no numeric address\n",
        "pbx[0].port: must be a whole number from 1 to 65535\n",
        "pbx[1].driver: must be one of: csta-xml\n",
        "pbx[1].protocols: must be one of: ed6 ed5 ed4 ed3\n",
        "pbx[1].sessions: there is no such setting\n",
        "pbx[1].devices: \"10 01\" is no device number\n",
        "pbx[1].backup_port: is given without backup_address\n",
        "pbx[1].node: is the same as pbx[0].node\n",
        "pbx[2]: must be an object\n",
        "pbx[3].node: must be digits\n",
        "pbx[3].user: is missing beside the password\n",
        "pbx[3].protocols: must have 1 to 4 entries\n",
    };
    (void)unused;
    assert_problems(text, expected, COUNT_OF(expected));
}

static void more_pbxs_than_there_is_room_for_are_refused(void **unused)
{
    struct buf text = {0}, problems = {0};
    (void)unused;
    buf_adds(&text, "{" REQUIRED ",\"pbx\":[");
    for (unsigned i = 0; i <= PBX_MAX; i++)
        buf_addf(&text, "%s{\"node\":\"%u\",\"address\":\"::1\",\"port\":5}", i > 0 ? "," : "", i);
    buf_adds(&text, "]}");
    assert_int_equal(gateway_settings_parse(text.data, text.len_bytes, &settings, &problems),
                     -EINVAL);
    assert_string_equal(problems.data, "pbx: must have 0 to 16 entries\n");
    buf_done(&text);
    buf_done(&problems);
}

static void the_help_lists_the_keys_of_a_pbx_below_the_list(void **unused)
{
    struct buf text = {0};
    (void)unused;
    gateway_settings_describe(&text);
    const char *list = strstr(text.data, "\n  pbx ");
    assert_non_null(list);
    assert_non_null(strstr(list, "\n      node "));
    assert_non_null(strstr(list, "(default: ed6 ed5 ed4 ed3)\n"));
    buf_done(&text);
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
        cmocka_unit_test(a_pbx_needs_only_its_node_and_address),
        cmocka_unit_test(every_value_of_a_pbx_is_read),
        cmocka_unit_test(mistakes_of_a_pbx_are_told_with_their_place),
        cmocka_unit_test(more_pbxs_than_there_is_room_for_are_refused),
        cmocka_unit_test(the_help_lists_the_keys_of_a_pbx_below_the_list),
        cmocka_unit_test(a_missing_file_is_told_with_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
