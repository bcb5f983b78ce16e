#include "drbd/drbdctl_resource.h"

#include "drbd/drbd.h"
#include "lib/common/common.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct drbdctl_resource sound(void)
{
    return (struct drbdctl_resource){
        .name = DRBDCTL_RESOURCE,
        .host = {{"a", "10.77.2.11", "/dev/vdb"}, {"b", "10.77.2.12", "/dev/disk/by-id/x:1@2+3"}},
        .port = 7788,
        .minor = 0,
        .shared_secret = "Zm9vYmFyYmF6cXV4_-0123456789abcdefghijklmno",
        .fence_helper = DRBDCTL_FENCE_HELPER,
        .timings = *drbdctl_timings_named("safe"),
    };
}

static char *text_of(const struct drbdctl_resource *resource)
{
    struct buf text = {0};
    struct diag diag = {0};
    if (drbdctl_resource_text(resource, &text, &diag) != 0)
        fail_msg("%s", diag.text);
    return buf_take(&text);
}

/* What the real tool understood of our two files, white space squeezed; the caller frees it. */
static char *dump_of(const struct drbdctl_resource *resource, const char *environment)
{
    char path[] = "/tmp/drbdctl-resource-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct buf text = {0};
    drbdctl_global_text(&text);
    assert_int_equal(drbdctl_resource_text(resource, &text, NULL), 0);
    assert_int_equal(write(fd, text.data, text.len_bytes), text.len_bytes);
    (void)close(fd);
    buf_done(&text);

    char command[256];
    (void)snprintf(command, sizeof(command), "%s /usr/lib/drbd/drbdadm-84 -c %s dump 2>&1",
                   environment, path);
    FILE *tool = popen(command, "r");
    assert_non_null(tool);
    char *dump = calloc(1, 16384);
    assert_non_null(dump);
    size_t used = 0;
    for (int c = fgetc(tool); c != EOF && used < 16383; c = fgetc(tool)) {
        bool blank = isspace(c) != 0;
        if (!blank || (used > 0 && dump[used - 1] != ' '))
            dump[used++] = blank ? ' ' : (char)c;
    }
    int status = pclose(tool);
    (void)unlink(path);
    if (status != 0)
        fail_msg("drbdadm: %s", dump);
    return dump;
}

static void the_real_tool_reads_every_setting_as_meant(void **unused)
{
    (void)unused;
    static const char *const wanted[] = {
        "usage-count no;",
        "resource og {",
        "on a {",
        "on b {",
        "device /dev/drbd0 minor 0;",
        "disk /dev/vdb;",
        "/dev/disk/by-id/x:1@2+3",
        "meta-disk internal;",
        "address ipv4 10.77.2.11:7788;",
        "address ipv4 10.77.2.12:7788;",
        "protocol C;",
        "allow-two-primaries no;",
        "after-sb-0pri disconnect;",
        "after-sb-1pri disconnect;",
        "after-sb-2pri disconnect;",
        "always-asbp no;",
        "rr-conflict disconnect;",
        "cram-hmac-alg sha256;",
        "Zm9vYmFyYmF6cXV4_-0123456789abcdefghijklmno",
        "ping-int 2;",
        "ping-timeout 5;",
        "timeout 15;",
        "connect-int 3;",
        "ko-count 4;",
        "fencing resource-and-stonith;",
        "on-io-error detach;",
        "c-min-rate 8192k;",
        "c-max-rate 409600k;",
        "fence-peer " DRBDCTL_FENCE_HELPER ";",
        "on-no-data-accessible io-error;",
    };
    struct drbdctl_resource resource = sound();
    AUTO(common_freep) char *dump = dump_of(&resource, "");
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        if (strstr(dump, wanted[i]) == NULL)
            fail_msg("\"%s\" is missing in: %s", wanted[i], dump);
    assert_null(strstr(dump, "data-integrity-alg"));
    assert_null(strstr(dump, "disk-timeout"));
}

static void each_node_finds_itself_in_the_file(void **unused)
{
    (void)unused;
    struct drbdctl_resource resource = sound();
    for (int node = 0; node < 2; node++) {
        char environment[64], wanted[64];
        resource.host[node].address = "127.0.0.1"; /* the tool wants to see its own address */
        resource.host[1 - node].address = "127.0.0.2";
        (void)snprintf(environment, sizeof(environment), "__DRBD_NODE__=%s",
                       resource.host[node].name);
        (void)snprintf(wanted, sizeof(wanted), "resource og on %s: not ignored",
                       resource.host[node].name);
        AUTO(common_freep) char *dump = dump_of(&resource, environment);
        if (strstr(dump, wanted) == NULL)
            fail_msg("\"%s\" is missing in: %s", wanted, dump);
    }
}

static void the_real_tool_reads_the_fast_profile_ipv6_and_another_minor(void **unused)
{
    (void)unused;
    struct drbdctl_resource resource = sound();
    resource.timings = *drbdctl_timings_named("fast");
    resource.host[0].address = "fd00:77::11";
    resource.host[1].address = "fd00:77::12";
    resource.host[0].name = "node-1.example.org";
    resource.minor = 7;
    resource.resync_min_kib_per_s = 1000;
    resource.resync_max_kib_per_s = 50000;
    AUTO(common_freep) char *dump = dump_of(&resource, "");
    static const char *const wanted[] = {
        "ping-int 1;",       "ping-timeout 5;",          "timeout 9;",
        "connect-int 1;",    "ipv6 [fd00:77::11]:7788;", "/dev/drbd7 minor 7;",
        "c-min-rate 1000k;", "c-max-rate 50000k;",       "on node-1.example.org {",
    };
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        if (strstr(dump, wanted[i]) == NULL)
            fail_msg("\"%s\" is missing in: %s", wanted[i], dump);
}

static void both_nodes_get_the_same_file(void **unused)
{
    (void)unused;
    struct drbdctl_resource resource = sound();
    AUTO(common_freep) char *first = text_of(&resource);
    AUTO(common_freep) char *second = text_of(&resource);
    assert_string_equal(first, second);
    assert_non_null(strstr(first, "on \"a\" {"));
}

/* --- what is refused --- */

#define REFUSE(change, words)                                                                      \
    do {                                                                                           \
        struct drbdctl_resource resource = sound();                                                \
        resource.change;                                                                           \
        struct diag diag = {0};                                                                    \
        struct buf text = {0};                                                                     \
        assert_int_equal(drbdctl_resource_text(&resource, &text, &diag), -EINVAL);                 \
        assert_int_equal(text.len_bytes, 0);                                                       \
        buf_done(&text);                                                                           \
        if (strstr(diag.text, words) == NULL)                                                      \
            fail_msg("\"%s\" does not say \"%s\"", diag.text, words);                              \
    } while (0)

static void nothing_can_be_smuggled_into_the_file(void **unused)
{
    (void)unused;
    static const char *const poisons[] = {
        "\"",  ";",     "{",   "}",          "\n",         " ",    "\\",
        "#",   "$(id)", "`",   "a\" { x; }", "include /x", "\x7f", "\xc3\xa4",
        "a;b", "a'b",   "a|b", "a&b",        "a\tb",       "a<b",  "a*b",
    };
    char path[64], secret[64];
    for (size_t i = 0; i < COUNT_OF(poisons); i++) {
        (void)snprintf(path, sizeof(path), "/dev/%s", poisons[i]);
        (void)snprintf(secret, sizeof(secret), "0123456789abcdef%s", poisons[i]);
        REFUSE(name = poisons[i], "resource name");
        REFUSE(host[0].name = poisons[i], "node name");
        REFUSE(host[1].address = poisons[i], "address");
        REFUSE(host[1].disk = path, "backing disk");
        REFUSE(fence_helper = path, "fence helper");
        REFUSE(shared_secret = secret, "shared secret");
    }
}

static void missing_and_wrong_parts_are_named(void **unused)
{
    (void)unused;
    static const char long_name[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    REFUSE(name = NULL, "resource name is missing");
    REFUSE(name = "", "resource name is missing");
    REFUSE(name = long_name, "longer than 63");
    REFUSE(host[0].name = NULL, "node name is missing");
    REFUSE(host[0].name = "-a", "must begin with a letter");
    REFUSE(host[1].name = "a", "both nodes are called a");
    REFUSE(host[1].address = NULL, "node b is no IPv4 or IPv6");
    REFUSE(host[1].address = "10.77.2.11", "both nodes have");
    REFUSE(host[1].address = "10.77.2", "no IPv4 or IPv6");
    REFUSE(host[1].address = "fd00::1", "both be IPv4 or both IPv6");
    REFUSE(host[0].disk = NULL, "backing disk is missing");
    REFUSE(host[0].disk = "vdb", "below /dev/");
    REFUSE(host[0].disk = "/dev/", "below /dev/");
    REFUSE(host[0].disk = "/srv/disk.img", "below /dev/");
    REFUSE(host[0].disk = "/dev/../etc/passwd", "'..'");
    REFUSE(port = 0, "port");
    REFUSE(minor = 256, "minor");
    REFUSE(shared_secret = NULL, "shared secret is missing");
    REFUSE(shared_secret = "tooshort", "shorter than 16");
    REFUSE(shared_secret = long_name, "longer than 63");
    REFUSE(fence_helper = "drbd-fence-peer", "fence helper");
    REFUSE(resync_min_kib_per_s = 100, "c-min-rate");
    REFUSE(resync_max_kib_per_s = 5000000, "c-max-rate");
    REFUSE(resync_max_kib_per_s = 1000, "c-min-rate is above c-max-rate");
}

static void a_refused_secret_does_not_appear_in_the_message(void **unused)
{
    (void)unused;
    struct drbdctl_resource resource = sound();
    resource.shared_secret = "very-secret-words with-a-space";
    struct diag diag = {0};
    assert_int_equal(drbdctl_resource_check(&resource, &diag), -EINVAL);
    assert_null(strstr(diag.text, "very-secret"));
}

static void the_order_of_the_timers_is_checked(void **unused)
{
    (void)unused;
    static const struct {
        struct drbdctl_timings timings;
        const char *words; /* NULL: sound */
    } rows[] = {
        {{1, 5, 9, 1, 4}, NULL},
        {{2, 5, 15, 3, 4}, NULL},
        {{10, 5, 60, 10, 7}, NULL},
        {{1, 5, 10, 1, 4}, "shorter than ping-int"}, /* the tools take both of these */
        {{2, 5, 20, 3, 4}, "shorter than ping-int"},
        {{3, 5, 15, 1, 4}, "shorter than connect-int"},
        {{2, 15, 15, 3, 4}, "ping-timeout (15) must be shorter than timeout"},
        {{2, 16, 15, 3, 4}, "ping-timeout"},
        {{0, 5, 9, 1, 4}, "ping-int is 0"},
        {{121, 5, 9, 1, 4}, "ping-int is 121"},
        {{1, 0, 9, 1, 4}, "ping-timeout is 0"},
        {{1, 5, 0, 1, 4}, "timeout is 0"},
        {{1, 5, 9, 0, 4}, "connect-int is 0"},
        {{1, 5, 9, 1, 0}, "ko-count is 0"},
        {{UINT32_MAX, 5, 9, 1, 4}, "ping-int"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct diag diag = {0};
        int r = drbdctl_timings_check(&rows[i].timings, &diag);
        assert_int_equal(r, rows[i].words == NULL ? 0 : -EINVAL);
        if (rows[i].words != NULL && strstr(diag.text, rows[i].words) == NULL)
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, diag.text, rows[i].words);
    }
}

static void the_profiles_bound_the_loss_as_measured(void **unused)
{
    (void)unused;
    const struct drbdctl_timings *fast = drbdctl_timings_named("fast");
    const struct drbdctl_timings *safe = drbdctl_timings_named("safe");
    assert_int_equal(drbdctl_timings_check(fast, NULL), 0);
    assert_int_equal(drbdctl_timings_check(safe, NULL), 0);
    assert_int_equal(drbdctl_timings_loss_active_ms(fast), 1500);
    assert_int_equal(drbdctl_timings_loss_standby_ms(fast), 2500);
    assert_int_equal(drbdctl_timings_loss_active_ms(safe), 2500);
    assert_int_equal(drbdctl_timings_loss_standby_ms(safe), 4500);
    assert_null(drbdctl_timings_named("furious"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_real_tool_reads_every_setting_as_meant),
        cmocka_unit_test(the_real_tool_reads_the_fast_profile_ipv6_and_another_minor),
        cmocka_unit_test(each_node_finds_itself_in_the_file),
        cmocka_unit_test(both_nodes_get_the_same_file),
        cmocka_unit_test(nothing_can_be_smuggled_into_the_file),
        cmocka_unit_test(missing_and_wrong_parts_are_named),
        cmocka_unit_test(a_refused_secret_does_not_appear_in_the_message),
        cmocka_unit_test(the_order_of_the_timers_is_checked),
        cmocka_unit_test(the_profiles_bound_the_loss_as_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
