/* What solution-control writes for the gateway is what the gateway reads. */
#include "gateway/gateway_settings.h"
#include "solution-control/solution_control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct config config;
static struct gateway_settings settings;

/* The configuration of a file that holds the pair's template with these <pbx> sections. */
static void read_config(const char *pbxs)
{
    struct config_problems problems = {0};
    struct buf text = {0};
    buf_addf(&text,
             "<open-gateway version=\"1\"><virtual-address><fqdn>global.example.org</fqdn>"
             "<address>192.0.2.100</address></virtual-address>%s</open-gateway>",
             pbxs);
    assert_int_equal(config_parse_xml(text.data, text.len_bytes, &config, &problems), 0);
    buf_done(&text);
}

static void write_and_read(void)
{
    struct buf text = {0}, problems = {0};
    sol_gateway_settings(&config, &text);
    int r = gateway_settings_parse(text.data, text.len_bytes, &settings, &problems);
    if (r < 0)
        fail_msg("%s\n%s", problems.data, text.data);
    buf_done(&text);
    buf_done(&problems);
}

static void the_gateway_accepts_what_is_written_without_a_pbx(void **unused)
{
    (void)unused;
    read_config("");
    write_and_read();
    assert_int_equal(settings.pbx_count, 0);
    assert_string_equal(settings.public_url, "https://global.example.org");
    assert_string_equal(settings.private_url, "https://192.0.2.100");
    assert_string_equal(settings.listen[0], "192.0.2.100");
    assert_int_equal(settings.http_port, 80);
    assert_true(settings.ha);
    assert_string_equal(settings.user, "roxe-gateway");
}

static void another_port_stands_in_both_urls(void **unused)
{
    (void)unused;
    read_config("<gateway><https-port>8443</https-port></gateway>");
    write_and_read();
    assert_string_equal(settings.public_url, "https://global.example.org:8443");
    assert_string_equal(settings.private_url, "https://192.0.2.100:8443");
}

static void every_setting_of_a_pbx_arrives(void **unused)
{
    (void)unused;
    read_config("<pbx><node>1</node><address>192.0.2.50</address><port>2555</port>"
                "<backup-address>192.0.2.51</backup-address><backup-port>2556</backup-port>"
                "<user>csta</user><password>pass\"\\ &amp;&lt;</password>"
                "<application-id>mine</application-id><protocol>ed5</protocol>"
                "<protocol>ed3</protocol><session-time>60</session-time>"
                "<directory-interval>30</directory-interval><device>1001</device>"
                "<device>*1002</device></pbx>"
                "<pbx><node>20</node><address>192.0.2.60</address><port>4000</port>"
                "<session>none</session></pbx>");
    write_and_read();
    assert_int_equal(settings.pbx_count, 2);
    const struct pbx_settings *pbx = &settings.pbx[0];
    assert_string_equal(pbx->node, "1");
    assert_string_equal(pbx->address, "192.0.2.50");
    assert_int_equal(pbx->port, 2555);
    assert_string_equal(pbx->backup_address, "192.0.2.51");
    assert_int_equal(pbx->backup_port, 2556);
    assert_string_equal(pbx->session, "ecma354");
    assert_string_equal(pbx->user, "csta");
    assert_string_equal(pbx->password, "pass\"\\ &<");
    assert_string_equal(pbx->application_id, "mine");
    assert_int_equal(pbx->protocol_count, 2);
    assert_string_equal(pbx->protocols[0], "ed5");
    assert_string_equal(pbx->protocols[1], "ed3");
    assert_int_equal(pbx->session_s, 60);
    assert_int_equal(pbx->directory_s, 30);
    assert_int_equal(pbx->device_count, 2);
    assert_string_equal(pbx->devices[1], "*1002");
    assert_string_equal(settings.pbx[1].node, "20");
    assert_string_equal(settings.pbx[1].session, "none");
    assert_int_equal(settings.pbx[1].protocol_count, 4);
    assert_int_equal(settings.pbx[1].session_s, 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gateway_accepts_what_is_written_without_a_pbx),
        cmocka_unit_test(another_port_stands_in_both_urls),
        cmocka_unit_test(every_setting_of_a_pbx_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
