#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "lib/common/secrets.h"
#include "lib/common/small_file.h"
#include "lib/config/config.h"
#include "lib/config/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The template, which must be right in itself; cases replace one piece of it. */
static char *template_text(void)
{
    char *text = NULL;
    size_t len_bytes = 0;
    assert_int_equal(small_file_read(TEMPLATE_FILE, 1 << 20, &text, &len_bytes, NULL), 0);
    return text;
}

/* Parses and checks the template with `from` replaced by `to` (NULL: as it is). */
static int read_changed(const char *from, const char *to, struct config *config,
                        struct config_problems *problems)
{
    AUTO(common_freep) char *text = template_text();
    struct buf changed = {0};
    const char *at = from != NULL ? strstr(text, from) : NULL;
    if (from != NULL)
        assert_non_null(at);
    size_t before = at != NULL ? (size_t)(at - text) : strlen(text);
    buf_add(&changed, text, before);
    if (at != NULL) {
        buf_adds(&changed, to);
        buf_adds(&changed, at + strlen(from));
    }
    int r = config_parse_xml(changed.data, changed.len_bytes, config, problems);
    int contradicts = config_check(config, problems);
    buf_done(&changed);
    return r < 0 ? r : contradicts;
}

static unsigned line_in_template(const char *piece)
{
    AUTO(common_freep) char *text = template_text();
    const char *at = strstr(text, piece);
    unsigned line = 1;
    assert_non_null(at);
    for (const char *c = text; c < at; c++)
        line += *c == '\n';
    return line;
}

static void every_row_of_the_table_has_its_id_and_its_words(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++) {
        const struct config_setting *row = config_setting_at((enum config_setting_id)i);
        assert_int_equal(row->id, i);
        assert_non_null(row->name);
        assert_non_null(row->wording);
        assert_non_null(row->help);
        assert_true(row->offset + config_setting_values_max(row) * row->size_bytes <=
                    sizeof(struct config));
        assert_ptr_equal(config_setting_find(row->section, row->name), row);
    }
    assert_null(config_setting_at(CONFIG_SETTING_COUNT));
    assert_string_equal(config_section_name(CONFIG_SECTION_COUNT), "?");
}

static void every_default_passes_its_own_check(void **unused)
{
    (void)unused;
    struct config config;
    config_set_defaults(&config);
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++) {
        const struct config_setting *row = config_setting_at((enum config_setting_id)i);
        struct diag diag = {0};
        if (row->fallback != NULL)
            assert_int_equal(
                config_setting_store(row, &config, (struct config_at){0}, row->fallback, &diag), 0);
    }
    assert_int_equal(config.pair.probe_interval_s, 30);
    assert_string_equal(config.pair.profile, "safe");
}

static void the_template_is_a_valid_configuration(void **unused)
{
    (void)unused;
    struct config config;
    struct config_problems problems = {0};
    int r = read_changed(NULL, NULL, &config, &problems);
    if (r != 0)
        print_error("%u: %s\n", problems.items[0].line, problems.items[0].text);
    assert_int_equal(r, 0);
    assert_string_equal(config.host.name, "primary");
    assert_string_equal(config.peer.name, "secondary");
    assert_int_equal(config.host.prefix, 24);
    assert_int_equal(config.vip.prefix, 24);
    assert_string_equal(config.vip.interface, "ens3");
    assert_string_equal(config.host.dns[0], "192.0.2.53");
    assert_string_equal(config.host.dns[1], "");
    assert_int_equal(config.interconnect.prefix, 30);
    assert_int_equal(config_node(&config), 1);
    assert_int_equal(config_peer_node(&config), 2);
    assert_false(config.drbd.wipe);
    assert_int_equal(config.witness.port, 5432);
}

/* One piece replaced, one problem expected: on the line of `at`, with `says` in its text. */
struct change {
    const char *from, *to, *at, *says;
};

static void expect_problem(const struct change *change)
{
    struct config config;
    struct config_problems problems = {0};
    assert_int_equal(read_changed(change->from, change->to, &config, &problems), -EINVAL);
    unsigned line = change->at != NULL ? line_in_template(change->at) : 0;
    for (unsigned i = 0; i < problems.count; i++)
        if (strstr(problems.items[i].text, change->says) != NULL && problems.items[i].line == line)
            return;
    print_error("'%s' on line %u was expected after '%s', found:\n", change->says, line,
                change->to);
    for (unsigned i = 0; i < problems.count; i++)
        print_error("  %u: %s\n", problems.items[i].line, problems.items[i].text);
    fail();
}

static void wrong_values_are_named_with_their_line(void **unused)
{
    (void)unused;
    static const struct change changes[] = {
        {"192.0.2.11", "192.0.2.256", "192.0.2.11", "no IPv4 address"},
        {"192.0.2.11", "127.0.0.1", "192.0.2.11", "no address that a machine"},
        {"192.0.2.11", "224.0.0.1", "192.0.2.11", "no address that a machine"},
        {"255.255.255.0", "255.0.255.0", "255.255.255.0", "ones of the netmask"},
        {"255.255.255.0", "33", "255.255.255.0", "from 8 to 30"},
        {"<profile>safe", "<profile>quick", "<profile>", "there are: fast|safe"},
        {"<role>primary", "<role>main", "<role>", "there are: primary|secondary"},
        {"<probe-interval>30", "<probe-interval>301", "<probe-interval>", "from 1 to 300"},
        {"<probe-interval>30", "<probe-interval>-1", "<probe-interval>", "from 1 to 300"},
        {"<probe-interval>30", "<probe-interval>99999999999", "<probe-interval>", "1 to 300"},
        {"<port>5432", "<port>0", "<port>", "from 1 to 65535"},
        {"/dev/sdb", "sdb", "/dev/sdb", "begin with /dev/"},
        {"/dev/sdb", "/dev/../etc/passwd", "/dev/sdb", "no .."},
        {"<watchdog>auto", "<watchdog>on", "<watchdog>", "auto|off"},
        {"wipe=\"no\"", "wipe=\"maybe\"", "wipe=\"no\"", "neither yes nor no"},
        {"wipe=\"no\"", "whipe=\"no\"", "wipe=\"no\"", "no attribute whipe"},
        {"primary.example.org", "pri mary.example.org", "primary.example.org", "no domain name"},
        {"primary.example.org", "-a.example.org", "primary.example.org", "no domain name"},
        {"<interface>ens3", "<interface>lo", "<interface>ens3", "no network interface"},
        {"<interface>ens3", "<interface>a-name-that-is-too-long", "<interface>ens3",
         "more than 15 characters"},
        {"change-this-password", "short", "change-this-password", "8 to 128"},
        {"<login>admin", "<login>ad min", "<login>", "letters, digits"},
        {"<port>5432</port>", "<ports>5432</ports>", "<port>", "no setting <ports>; there are:"},
        {"<port>5432</port>", "<port><a/></port>", "<port>", "not other elements"},
        {"<port>5432</port>", "<port>1</port><port>2</port>", "<port>", "stands twice"},
        {"<port>5432</port>", "<port unit=\"x\">1</port>", "<port>", "takes no attribute"},
        {"version=\"1\">", "version=\"2\">", "<open-gateway", "reads version=\"1\""},
        {"Europe/Paris", "/etc/passwd", "Europe/Paris", "no time zone"},
    };
    for (unsigned i = 0; i < COUNT_OF(changes); i++)
        expect_problem(&changes[i]);
}

static void contradictions_are_named_with_their_line(void **unused)
{
    (void)unused;
    static const struct change changes[] = {
        {"192.0.2.100", "192.0.2.11", "192.0.2.100", "this node's address"},
        {"192.0.2.100", "192.0.2.12", "192.0.2.100", "the other node's address"},
        {"192.0.2.100", "192.0.3.100", "192.0.2.100", "not in the network"},
        {"192.0.2.100", "192.0.2.255", "192.0.2.100", "broadcast address"},
        {"192.0.2.100", "192.0.2.0", "192.0.2.100", "first address"},
        {"<address>192.0.2.12", "<address>192.0.2.11", "<address>192.0.2.12", "needs its own"},
        {"203.0.113.5", "192.0.2.12", "203.0.113.5", "the witness must be a third machine"},
        {"203.0.113.5", "192.0.2.100", "203.0.113.5", "the witness must be a third machine"},
        {"203.0.113.5", "198.51.100.2", "203.0.113.5", "the witness must be a third machine"},
        {"198.51.100.1<", "192.0.2.33<", "198.51.100.1<", "lies in the clients' network"},
        {"198.51.100.2<", "198.51.101.2<", "198.51.100.2<", "not in one network"},
        {"198.51.100.2<", "198.51.100.1<", "198.51.100.2<", "needs its own"},
        {"<interface>ens4", "<interface>ens3", "<interface>ens4", "interface of its own"},
        {"secondary.example.org", "primary.example.org", "secondary.example.org", "needs its own"},
        {"global.example.org", "PRIMARY.example.org", "global.example.org", "needs its own"},
        {"/dev/sdb", "/dev/drbd0", "/dev/sdb", "replicated device itself"},
        {"<http-port>80", "<http-port>443", "<http-port>", "both 443"},
        {"<https-port>443</https-port>", "<key-file>/etc/x.key</key-file>", "<https-port>",
         "belong together"},
        {"change-this-password", "", "<administrator>", "password is missing"},
        {"<fqdn>primary.example.org</fqdn>", "", "<host>", "host/fqdn is missing"},
        {"/dev/sdb", "", "<drbd", "drbd/device is missing"},
        {"192.0.2.1<", "192.0.2.100<", "192.0.2.1<", "gateway cannot be the global"},
    };
    for (unsigned i = 0; i < COUNT_OF(changes); i++)
        expect_problem(&changes[i]);
}

static void a_witness_on_the_interconnect_is_refused(void **unused)
{
    (void)unused;
    struct config config;
    struct config_problems problems = {0};
    assert_int_equal(read_changed(NULL, NULL, &config, &problems), 0);
    config.interconnect.prefix = 24;
    (void)snprintf(config.witness.address, sizeof(config.witness.address), "198.51.100.77");
    assert_int_equal(config_check(&config, &problems), -EINVAL);
    assert_non_null(strstr(problems.items[0].text, "interconnect's network"));
}

static void all_problems_come_at_once(void **unused)
{
    (void)unused;
    struct config config;
    struct config_problems problems = {0};
    static const char text[] = "<open-gateway version=\"1\"><host><address>x</address></host>"
                               "<pair><role>x</role><profile>y</profile></pair>"
                               "<nonsense/><host/></open-gateway>";
    assert_int_equal(config_parse_xml(text, strlen(text), &config, &problems), -EINVAL);
    assert_int_equal(problems.count, 5);
    assert_int_equal(config_check(&config, &problems), -EINVAL);
    assert_true(problems.count > 15);
}

static void more_problems_than_fit_are_counted(void **unused)
{
    (void)unused;
    struct config_problems problems = {0};
    for (unsigned i = 0; i < CONFIG_PROBLEMS_MAX + 10u; i++)
        config_problem_add(&problems, i, "number %u\n", i);
    assert_int_equal(problems.count, CONFIG_PROBLEMS_MAX + 10);
    assert_string_equal(problems.items[CONFIG_PROBLEMS_MAX - 1].text, "number 63?");
}

static void garbage_is_refused_with_a_reason(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "",
        "<",
        "<open-gateway",
        "hello",
        "<a/>",
        "<open-gateway version=\"1\">",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><open-gateway version=\"1\"/>",
        "<open-gateway version=\"1\">&nothing;</open-gateway>",
        "\xff\xfe<\0a\0",
    };
    for (unsigned i = 0; i < COUNT_OF(texts); i++) {
        struct config config;
        struct config_problems problems = {0};
        assert_true(config_parse_xml(texts[i], strlen(texts[i]), &config, &problems) < 0);
        assert_int_equal(problems.count, 1);
        assert_true(problems.items[0].text[0] != '\0');
    }
}

static void secrets_never_stand_in_a_problem(void **unused)
{
    (void)unused;
    struct config config;
    struct config_problems problems = {0};
    (void)read_changed("change-this-password", "hunter2", &config, &problems);
    assert_int_equal(problems.count, 1);
    assert_null(strstr(problems.items[0].text, "hunter2"));
}

/* --- the stored file ----------------------------------------------------------------------- */

struct place {
    char folder[64], file[96];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    (void)snprintf(place->folder, sizeof(place->folder), "/tmp/test-config-XXXXXX");
    if (mkdtemp(place->folder) == NULL)
        return -1;
    (void)snprintf(place->file, sizeof(place->file), "%s/config.xml", place->folder);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    (void)unlink(place->file);
    int r = rmdir(place->folder); /* fails when something was left behind */
    free(place);
    return r;
}

static void what_is_written_is_read_back(void **state)
{
    struct place *place = *state;
    struct config config, again;
    struct config_problems problems = {0};
    struct diag diag = {0};
    struct stat st;
    assert_int_equal(read_changed("change-this-witness-password", "a&lt;b&gt;&amp;\"c' \xc3\xa9",
                                  &config, &problems),
                     0);
    assert_int_equal(config_write(place->file, &config, &diag), -EINVAL); /* clear password */
    assert_int_equal(config_seal(&config, &diag), 0);
    assert_int_equal(config_write(place->file, &config, &diag), 0);
    assert_int_equal(stat(place->file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(config_load(place->file, &again, &diag), 0);
    assert_string_equal(again.witness.password, "a<b>&\"c' \xc3\xa9");
    assert_string_equal(again.administrator.password_hash, config.administrator.password_hash);
    assert_int_equal(
        secrets_password_check("change-this-password", again.administrator.password_hash), 0);
    memset(config.lines, 0, sizeof(config.lines));
    memset(again.lines, 0, sizeof(again.lines));
    memset(config.section_lines, 0, sizeof(config.section_lines));
    memset(again.section_lines, 0, sizeof(again.section_lines));
    assert_memory_equal(&config, &again, sizeof(config));
    config_wipe(&config);
    assert_string_equal(config.witness.password, "");
}

static void a_file_that_others_may_read_is_not_loaded(void **state)
{
    struct place *place = *state;
    struct config config;
    struct config_problems problems = {0};
    struct diag diag = {0};
    assert_int_equal(read_changed(NULL, NULL, &config, &problems), 0);
    assert_int_equal(config_seal(&config, &diag), 0);
    assert_int_equal(config_write(place->file, &config, &diag), 0);
    assert_int_equal(chmod(place->file, 0640), 0);
    assert_int_equal(config_load(place->file, &config, &diag), -EPERM);
    assert_non_null(strstr(diag.text, "chmod 600"));
}

static void a_missing_or_odd_file_is_named(void **state)
{
    struct place *place = *state;
    struct config config;
    struct config_problems problems = {0};
    struct diag diag = {0};
    assert_int_equal(config_load(place->file, &config, &diag), -ENOENT);
    assert_non_null(strstr(diag.text, place->file));
    assert_int_equal(config_read_xml(place->folder, &config, &problems), -EINVAL);
    assert_int_equal(config_read_xml("/dev/zero", &config, &problems), -EINVAL);
}

static void assert_pbx_problem(const char *sections, const char *piece)
{
    struct config config;
    struct config_problems problems = {0};
    struct buf text = {0};
    buf_addf(&text, "%s</open-gateway>", sections);
    assert_int_equal(read_changed("</open-gateway>", text.data, &config, &problems), -EINVAL);
    if (problems.count != 1 || strstr(problems.items[0].text, piece) == NULL)
        fail_msg("%u problems, the first: %s", problems.count, problems.items[0].text);
    assert_true(problems.items[0].line > 1);
    buf_done(&text);
}

static void several_pbxs_are_read_in_their_order(void **unused)
{
    (void)unused;
    struct config config;
    struct config_problems problems = {0};
    int r = read_changed("</open-gateway>",
                         "<pbx><node>2</node><address>192.0.2.60</address><port>3</port>"
                         "<session>none</session><protocol>ed3</protocol></pbx></open-gateway>",
                         &config, &problems);
    assert_int_equal(r, 0);
    assert_int_equal(config.pbx_count, 2);
    assert_int_equal(config.pbx[0].node, 1);
    assert_string_equal(config.pbx[0].session, "ecma354");
    assert_int_equal(config.pbx[0].session_s, 120);
    assert_int_equal(config.pbx[1].node, 2);
    assert_string_equal(config.pbx[1].address, "192.0.2.60");
    assert_string_equal(config.pbx[1].session, "none");
    assert_string_equal(config.pbx[1].protocols[0], "ed3");
    assert_int_equal(config.lines[0][CONFIG_PBX_NODE], line_in_template("<node>"));
    assert_true(config.lines[1][CONFIG_PBX_NODE] > config.lines[0][CONFIG_PBX_NODE]);
}

static void a_pair_needs_no_pbx(void **unused)
{
    (void)unused;
    AUTO(common_freep) char *text = template_text();
    struct config config;
    struct config_problems problems = {0};
    char *from = strstr(text, "<pbx>"), *to = strstr(text, "</pbx>");
    memset(from, ' ', (size_t)(to - from) + strlen("</pbx>"));
    assert_int_equal(config_parse_xml(text, strlen(text), &config, &problems), 0);
    assert_int_equal(config_check(&config, &problems), 0);
    assert_int_equal(config.pbx_count, 0);
}

static void mistakes_of_a_pbx_are_named(void **unused)
{
    static const struct {
        const char *sections, *piece;
    } cases[] = {
        {"<pbx><node>1</node><address>192.0.2.60</address><port>1</port></pbx>",
         "two pbx have the node number 1"},
        {"<pbx><node>2</node><port>1</port></pbx>", "pbx/address is missing"},
        {"<pbx><address>192.0.2.60</address><port>1</port></pbx>", "pbx/node is missing"},
        {"<pbx><node>2</node><address>192.0.2.60</address></pbx>", "pbx/port is missing"},
        {"<pbx><node>0</node><address>192.0.2.60</address><port>1</port></pbx>",
         "pbx/node: '0' is no number from 1 to 999"},
        {"<pbx><node>2</node><address>pbx.test</address><port>1</port></pbx>",
         "'pbx.test' is no IPv4 address"},
        {"<pbx><node>2</node><address>192.0.2.100</address><port>1</port></pbx>",
         "192.0.2.100 is the global server's address"},
        {"<pbx><node>2</node><address>192.0.2.60</address><port>1</port>"
         "<backup-port>2</backup-port></pbx>",
         "backup-port is given without backup-address"},
        {"<pbx><node>2</node><address>192.0.2.60</address><port>1</port>"
         "<backup-address>192.0.2.60</backup-address></pbx>",
         "the backup host is the main host"},
        {"<pbx><node>2</node><address>192.0.2.60</address><port>1</port>"
         "<password>hunter2</password></pbx>",
         "pbx/password is given without user"},
        {"<pbx><node>2</node><address>192.0.2.60</address><port>1</port><session>none</session>"
         "<user>u</user></pbx>",
         "pbx/user needs the session ecma354"},
        {"<pbx><node>2</node><address>192.0.2.60</address><port>1</port><port>2</port></pbx>",
         "pbx/port stands twice"},
        {"<pbx><node>2</node><address>192.0.2.60</address><port>1</port>"
         "<device>10 01</device></pbx>",
         "'10 01' is no telephone number"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_pbx_problem(cases[i].sections, cases[i].piece);
}

static void more_pbxs_than_there_is_room_for_are_refused(void **unused)
{
    (void)unused;
    struct buf sections = {0};
    for (unsigned i = 2; i <= CONFIG_PBX_MAX + 1; i++)
        buf_addf(&sections, "<pbx><node>%u</node><address>192.0.3.%u</address><port>1</port></pbx>",
                 i, i);
    assert_pbx_problem(sections.data, "<pbx> stands more than 16 times");
    buf_done(&sections);
}

static void pbxs_are_written_and_read_back(void **state)
{
    struct place *place = *state;
    struct config config, again;
    struct config_problems problems = {0};
    struct diag diag = {0};
    int r = read_changed("</open-gateway>",
                         "<pbx><node>9</node><address>192.0.2.60</address><port>3</port>"
                         "<user>u</user><password>&lt;p&gt;</password><protocol>ed4</protocol>"
                         "<protocol>ed3</protocol><device>1001</device></pbx></open-gateway>",
                         &config, &problems);
    assert_int_equal(r, 0);
    assert_int_equal(config_seal(&config, &diag), 0);
    assert_int_equal(config_write(place->file, &config, &diag), 0);
    assert_int_equal(config_load(place->file, &again, &diag), 0);
    assert_int_equal(again.pbx_count, 2);
    assert_memory_equal(config.pbx, again.pbx, sizeof(config.pbx));
    assert_string_equal(again.pbx[1].password, "<p>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_has_its_id_and_its_words),
        cmocka_unit_test(every_default_passes_its_own_check),
        cmocka_unit_test(the_template_is_a_valid_configuration),
        cmocka_unit_test(wrong_values_are_named_with_their_line),
        cmocka_unit_test(contradictions_are_named_with_their_line),
        cmocka_unit_test(a_witness_on_the_interconnect_is_refused),
        cmocka_unit_test(all_problems_come_at_once),
        cmocka_unit_test(more_problems_than_fit_are_counted),
        cmocka_unit_test(garbage_is_refused_with_a_reason),
        cmocka_unit_test(several_pbxs_are_read_in_their_order),
        cmocka_unit_test(a_pair_needs_no_pbx),
        cmocka_unit_test(mistakes_of_a_pbx_are_named),
        cmocka_unit_test(more_pbxs_than_there_is_room_for_are_refused),
        cmocka_unit_test_setup_teardown(pbxs_are_written_and_read_back, make_place, remove_place),
        cmocka_unit_test(secrets_never_stand_in_a_problem),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_back, make_place, remove_place),
        cmocka_unit_test_setup_teardown(a_file_that_others_may_read_is_not_loaded, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(a_missing_or_odd_file_is_named, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
