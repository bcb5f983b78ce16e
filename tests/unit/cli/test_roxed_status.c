/* The screens of `roxed status`, as transcripts: what a person reads in each situation. */
#include "cli/roxed_status.h"
#include "lib/common/common.h"
#include "lib/common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { NOW_S = 1795485600 }; /* 2026-11-24 02:00:00 UTC */

static const struct roxed_look plain = {.now_s = NOW_S};

/* Members that all situations share are written once. */
#define SERVICES(database, gateway)                                                                \
    "\"services\":[" database "," gateway ",{\"name\":\"corosync\",\"state\":\"STARTED\","         \
    "\"since_ms\":7505000,\"restarts\":0}]"
#define DATABASE_UP                                                                                \
    "{\"name\":\"PostgreSQL\",\"state\":\"STARTED\",\"since_ms\":7502000,\"restarts\":0}"
#define GATEWAY_UP    "{\"name\":\"gateway\",\"state\":\"STARTED\",\"since_ms\":63000,\"restarts\":1}"
#define DATABASE_DOWN "{\"name\":\"PostgreSQL\",\"state\":\"STOPPED\",\"restarts\":0}"
#define GATEWAY_DOWN  "{\"name\":\"gateway\",\"state\":\"STOPPED\",\"restarts\":0}"
#define LINKS_UP                                                                                   \
    "\"links\":[{\"name\":\"client LAN\",\"up\":true,\"age_ms\":80},"                              \
    "{\"name\":\"interconnect\",\"up\":true,\"age_ms\":120}]"
#define LINKS_DOWN                                                                                 \
    "\"links\":[{\"name\":\"client LAN\",\"up\":false,\"age_ms\":184000},"                         \
    "{\"name\":\"interconnect\",\"up\":false}]"
#define WITNESS_UP "\"witness\":{\"reachable\":true,\"age_ms\":1200,\"seq\":812,\"agreed\":true}"
#define WATCHDOG   "\"watchdog\":{\"device\":\"/dev/watchdog0\",\"armed\":true,\"worst_late_ms\":3}"
#define REST       "\"last_order_ms\":{},\"profile\":\"fast\",\"version\":\"0.1.0\""

static const char active_protected[] =
    "{\"node\":\"a\",\"node_id\":1,\"peer\":\"b\",\"role\":\"active\",\"phase\":\"active\","
    "\"reason\":\"Active and protected by the other node.\",\"since_ms\":7500000,\"row\":25,"
    "\"term\":7,\"right\":\"pair\",\"right_owner\":1,\"protected\":true,\"executor\":\"taken\","
    "\"failure\":\"\",\"vip\":{\"address\":\"10.77.1.100\",\"held\":true},"
    "\"drbd\":{\"known\":true,\"role\":\"Primary\",\"disk\":\"UpToDate\","
    "\"connection\":\"Connected\",\"peer_disk\":\"UpToDate\",\"suspended\":\"no\"},"
    "\"peer_state\":{\"heard\":true,\"fresh\":true,\"member\":true,\"phase\":\"standby\","
    "\"age_ms\":80," LINKS_UP "}," WITNESS_UP
    "," SERVICES(DATABASE_UP, GATEWAY_UP) ","
                                          "\"alarms\":[],\"advice\":\"\"," WATCHDOG "," REST "}";

static const char active_alone[] =
    "{\"node\":\"a\",\"node_id\":1,\"peer\":\"b\",\"role\":\"active\",\"phase\":\"active\","
    "\"reason\":\"Active alone: the other node's copy does not count until it is back.\","
    "\"since_ms\":7500000,\"row\":24,\"term\":8,\"right\":\"solo\",\"right_owner\":1,"
    "\"protected\":false,\"executor\":\"taken\",\"failure\":\"\","
    "\"vip\":{\"address\":\"10.77.1.100\",\"held\":true},"
    "\"drbd\":{\"known\":true,\"role\":\"Primary\",\"disk\":\"UpToDate\","
    "\"connection\":\"Connecting\",\"peer_disk\":\"Outdated\",\"suspended\":\"no\"},"
    "\"peer_state\":{\"heard\":true,\"fresh\":false,\"member\":false,\"phase\":\"standby\","
    "\"age_ms\":184000," LINKS_DOWN "}," WITNESS_UP
    "," SERVICES(DATABASE_UP, GATEWAY_UP) ","
                                          "\"alarms\":[\"Active alone: the other node's copy does "
                                          "not count until it is back.\"],"
                                          "\"advice\":\"Start the other node, or repair the "
                                          "network between the nodes.\"," WATCHDOG "," REST "}";

static const char standby[] =
    "{\"node\":\"b\",\"node_id\":2,\"peer\":\"a\",\"role\":\"standby\",\"phase\":\"standby\","
    "\"reason\":\"Both nodes are connected.\",\"since_ms\":273900000,\"row\":3,\"term\":7,"
    "\"right\":\"pair\",\"right_owner\":1,\"protected\":true,\"executor\":\"idle\","
    "\"failure\":\"\",\"vip\":{\"address\":\"10.77.1.100\",\"held\":false},"
    "\"drbd\":{\"known\":true,\"role\":\"Secondary\",\"disk\":\"UpToDate\","
    "\"connection\":\"Connected\",\"peer_disk\":\"UpToDate\",\"suspended\":\"no\"},"
    "\"peer_state\":{\"heard\":true,\"fresh\":true,\"member\":true,\"phase\":\"active\","
    "\"age_ms\":80," LINKS_UP "}," WITNESS_UP
    "," SERVICES(DATABASE_DOWN, GATEWAY_DOWN) ","
                                              "\"alarms\":[],\"advice\":\"\"," WATCHDOG "," REST
                                              "}";

static const char resync[] =
    "{\"node\":\"a\",\"node_id\":1,\"peer\":\"b\",\"role\":\"active\",\"phase\":\"active\","
    "\"reason\":\"Active alone; the other node's copy is being brought up to date.\","
    "\"since_ms\":7500000,\"row\":24,\"term\":8,\"right\":\"solo\",\"right_owner\":1,"
    "\"protected\":false,\"executor\":\"taken\",\"failure\":\"\","
    "\"vip\":{\"address\":\"10.77.1.100\",\"held\":true},"
    "\"drbd\":{\"known\":true,\"role\":\"Primary\",\"disk\":\"UpToDate\","
    "\"connection\":\"Connected\",\"peer_disk\":\"Inconsistent\",\"suspended\":\"no\","
    "\"resync_percent\":45.3,\"resync_left_s\":123},"
    "\"peer_state\":{\"heard\":true,\"fresh\":true,\"member\":true,\"phase\":\"standby\","
    "\"age_ms\":80," LINKS_UP "}," WITNESS_UP
    "," SERVICES(DATABASE_UP, GATEWAY_UP) ","
                                          "\"alarms\":[],\"advice\":\"Wait until the copies are "
                                          "equal; until then there is no "
                                          "protection.\"," WATCHDOG "," REST "}";

static const char waiting[] =
    "{\"node\":\"b\",\"node_id\":2,\"peer\":\"a\",\"role\":\"wait\",\"phase\":\"wait\","
    "\"reason\":\"The witness cannot be reached: this node does not become active by itself.\","
    "\"since_ms\":9400,\"row\":61,\"term\":7,\"right\":\"pair\",\"right_owner\":1,"
    "\"protected\":false,\"executor\":\"idle\","
    "\"failure\":\"promote the disk: refused: the peer is not known to be outdated\","
    "\"vip\":{\"address\":\"10.77.1.100\",\"held\":false},"
    "\"drbd\":{\"known\":true,\"role\":\"Secondary\",\"disk\":\"Consistent\","
    "\"connection\":\"Connecting\",\"peer_disk\":\"DUnknown\",\"suspended\":\"fencing\"},"
    "\"peer_state\":{\"heard\":false,\"fresh\":false,\"member\":false," LINKS_DOWN "},"
    "\"witness\":{\"reachable\":false,\"seq\":0,\"agreed\":false}," SERVICES(
        DATABASE_DOWN,
        GATEWAY_DOWN) ",\"alarms\":[\"The witness cannot be reached: this "
                      "node does not become active by itself.\",\"witness: connection refused\"],"
                      "\"advice\":\"Start the other node, or repair the network between the "
                      "nodes.\","
                      "\"watchdog\":{\"device\":\"\",\"armed\":false,\"worst_late_ms\":0}," REST
                      "}";

static const char taking[] =
    "{\"node\":\"b\",\"peer\":\"a\",\"phase\":\"taking\",\"since_ms\":700,\"protected\":false,"
    "\"executor\":\"taking\",\"step\":\"mount the file system\",\"alarms\":[],\"advice\":\"\"}";

static cJSON *parse(const char *text)
{
    cJSON *json = NULL;
    struct diag diag = {0};
    if (json_parse(text, strlen(text), &json, &diag) < 0)
        fail_msg("%s", diag.text);
    return json;
}

static char *screen_of(const struct roxed_look *look, const char *text)
{
    struct buf out = {0};
    cJSON *status = parse(text);
    roxed_status_add(&out, look, status);
    cJSON_Delete(status);
    return buf_take(&out);
}

static void check_screen(const char *status_text, enum roxed_exit exit_code, const char *expected)
{
    cJSON *status = parse(status_text);
    char *screen = screen_of(&plain, status_text);
    assert_string_equal(screen, expected);
    assert_int_equal(roxed_status_judge(status), exit_code);
    free(screen);
    cJSON_Delete(status);
}

/* One line of the screen a line here, however long. */
/* clang-format off */
static void an_active_protected_node(void **state)
{
    (void)state;
    check_screen(active_protected, ROXED_HEALTHY,
                 "a: ACTIVE since 2026-11-23 23:55:00 (2 h 5 min), protected by b\n"
                 "  Active and protected by the other node.\n"
                 "\n"
                 "Services   PostgreSQL       STARTED   for 2 h 5 min\n"
                 "           gateway          STARTED   for 1 min 3 s, restarted once\n"
                 "           corosync         STARTED   for 2 h 5 min\n"
                 "Address    10.77.1.100      held by this node\n"
                 "Disk       this node        Primary, copy UpToDate\n"
                 "           b                copy UpToDate\n"
                 "           data link        Connected\n"
                 "Peer       b                standby, heard just now\n"
                 "           client LAN       up, heard just now\n"
                 "           interconnect     up, heard just now\n"
                 "Witness    reachable, answered 1.2 s ago, agreed by both nodes\n"
                 "Watchdog   armed (/dev/watchdog0), longest delay so far 3 ms\n"
                 "Right      pair, owner node 1, term 7\n"
                 "\n"
                 "Alarms     none\n"
                 "Next       Nothing to do.\n");
}

static void an_active_node_alone(void **state)
{
    (void)state;
    check_screen(active_alone, ROXED_DEGRADED,
                 "a: ACTIVE since 2026-11-23 23:55:00 (2 h 5 min), NOT PROTECTED\n"
                 "  Active alone: the other node's copy does not count until it is back.\n"
                 "\n"
                 "Services   PostgreSQL       STARTED   for 2 h 5 min\n"
                 "           gateway          STARTED   for 1 min 3 s, restarted once\n"
                 "           corosync         STARTED   for 2 h 5 min\n"
                 "Address    10.77.1.100      held by this node\n"
                 "Disk       this node        Primary, copy UpToDate\n"
                 "           b                copy Outdated\n"
                 "           data link        Connecting\n"
                 "Peer       b                SILENT, last standby, heard 3 min 4 s ago\n"
                 "           client LAN       DOWN, heard 3 min 4 s ago\n"
                 "           interconnect     DOWN\n"
                 "Witness    reachable, answered 1.2 s ago, agreed by both nodes\n"
                 "Watchdog   armed (/dev/watchdog0), longest delay so far 3 ms\n"
                 "Right      solo, owner node 1, term 8\n"
                 "\n"
                 "Alarms     Active alone: the other node's copy does not count until it is back.\n"
                 "Next       Start the other node, or repair the network between the nodes.\n");
}

static void a_standby_node(void **state)
{
    (void)state;
    check_screen(standby, ROXED_HEALTHY,
                 "b: STANDBY since 2026-11-20 21:55:00 (3 d 4 h), protected (this node can take over)\n"
                 "  Both nodes are connected.\n"
                 "\n"
                 "Services   PostgreSQL       STOPPED\n"
                 "           gateway          STOPPED\n"
                 "           corosync         STARTED   for 2 h 5 min\n"
                 "Address    10.77.1.100      not held by this node\n"
                 "Disk       this node        Secondary, copy UpToDate\n"
                 "           a                copy UpToDate\n"
                 "           data link        Connected\n"
                 "Peer       a                active, heard just now\n"
                 "           client LAN       up, heard just now\n"
                 "           interconnect     up, heard just now\n"
                 "Witness    reachable, answered 1.2 s ago, agreed by both nodes\n"
                 "Watchdog   armed (/dev/watchdog0), longest delay so far 3 ms\n"
                 "Right      pair, owner node 1, term 7\n"
                 "\n"
                 "Alarms     none\n"
                 "Next       Nothing to do.\n");
}

static void a_resync_with_percentage_and_time_left(void **state)
{
    (void)state;
    check_screen(resync, ROXED_DEGRADED,
                 "a: ACTIVE since 2026-11-23 23:55:00 (2 h 5 min), NOT PROTECTED\n"
                 "  Active alone; the other node's copy is being brought up to date.\n"
                 "\n"
                 "Services   PostgreSQL       STARTED   for 2 h 5 min\n"
                 "           gateway          STARTED   for 1 min 3 s, restarted once\n"
                 "           corosync         STARTED   for 2 h 5 min\n"
                 "Address    10.77.1.100      held by this node\n"
                 "Disk       this node        Primary, copy UpToDate\n"
                 "           b                copy Inconsistent\n"
                 "           data link        Connected\n"
                 "           resync           [##########..............] 45.3 %, about 2 min 3 s left\n"
                 "Peer       b                standby, heard just now\n"
                 "           client LAN       up, heard just now\n"
                 "           interconnect     up, heard just now\n"
                 "Witness    reachable, answered 1.2 s ago, agreed by both nodes\n"
                 "Watchdog   armed (/dev/watchdog0), longest delay so far 3 ms\n"
                 "Right      solo, owner node 1, term 8\n"
                 "\n"
                 "Alarms     none\n"
                 "Next       Wait until the copies are equal; until then there is no protection.\n");
}

static void a_waiting_node_with_alarms(void **state)
{
    (void)state;
    check_screen(waiting, ROXED_DEGRADED,
                 "b: WAITING (not active) since 2026-11-24 01:59:51 (9.4 s), NOT PROTECTED\n"
                 "  The witness cannot be reached: this node does not become active by itself.\n"
                 "\n"
                 "Order      last failure     promote the disk: refused: the peer is not known to be outdated\n"
                 "Services   PostgreSQL       STOPPED\n"
                 "           gateway          STOPPED\n"
                 "           corosync         STARTED   for 2 h 5 min\n"
                 "Address    10.77.1.100      not held by this node\n"
                 "Disk       this node        Secondary, copy Consistent\n"
                 "           a                copy unknown\n"
                 "           data link        Connecting\n"
                 "           writes           waiting (fencing)\n"
                 "Peer       a                never heard since this node started\n"
                 "           client LAN       DOWN, heard 3 min 4 s ago\n"
                 "           interconnect     DOWN\n"
                 "Witness    NOT REACHABLE\n"
                 "Watchdog   NOT ARMED\n"
                 "Right      pair, owner node 1, term 7\n"
                 "\n"
                 "Alarms     The witness cannot be reached: this node does not become active by itself.\n"
                 "           witness: connection refused\n"
                 "Next       Start the other node, or repair the network between the nodes.\n");
}

static void a_node_that_becomes_active_with_little_known(void **state)
{
    (void)state;
    check_screen(taking, ROXED_DEGRADED,
                 "b: BECOMING ACTIVE since 2026-11-24 02:00:00 (0.7 s), NOT PROTECTED\n"
                 "\n"
                 "Order      taking           mount the file system\n"
                 "Services   unknown\n"
                 "Address    unknown          unknown\n"
                 "Disk       unknown\n"
                 "Peer       a                unknown\n"
                 "           links            unknown\n"
                 "Witness    unknown\n"
                 "Watchdog   unknown\n"
                 "Right      unknown\n"
                 "\n"
                 "Alarms     none\n"
                 "Next       Wait some seconds; if this stays: roxed history.\n");
}

static void an_empty_answer_is_all_unknown(void **state)
{
    (void)state;
    check_screen("{}", ROXED_DEGRADED,
                 "this node: role unknown since an unknown time, protection unknown\n"
                 "\n"
                 "Services   unknown\n"
                 "Address    unknown          unknown\n"
                 "Disk       unknown\n"
                 "Peer       other node       unknown\n"
                 "           links            unknown\n"
                 "Witness    unknown\n"
                 "Watchdog   unknown\n"
                 "Right      unknown\n"
                 "\n"
                 "Alarms     unknown\n"
                 "Next       unknown\n");
}
/* clang-format on */

static void a_stopped_and_a_silent_daemon_are_told_apart(void **state)
{
    (void)state;
    struct buf out = {0};
    roxed_status_add_unreachable(&out, &plain, ROXED_STOPPED, "cannot connect to /run/x: no");
    assert_string_equal(out.data,
                        "STOPPED: solution-control does not run; this node serves nothing.\n"
                        "  cannot connect to /run/x: no\n"
                        "\n"
                        "Next       roxed start\n");
    buf_clear(&out);
    roxed_status_add_unreachable(&out, &plain, ROXED_SILENT, "no answer within 5.0 s");
    assert_string_equal(out.data, "NO ANSWER: solution-control runs but does not answer.\n"
                                  "  no answer within 5.0 s\n"
                                  "\n"
                                  "Next       Wait some seconds and ask again; if this stays, see "
                                  "`journalctl -u solution-control`.\n");
    buf_done(&out);
}

/* Removes every member in turn, at every level, and replaces it by values of other types. */
static void spoil_each_member(cJSON *whole, cJSON *object)
{
    static const char *const wrong[] = {"null", "17", "-1",     "1e300",     "\"w\"",
                                        "[]",   "{}", "[7,{}]", "{\"x\":1}", "true"};
    for (cJSON *child = object->child; child != NULL; child = child->next) {
        for (size_t i = 0; i < COUNT_OF(wrong); i++) {
            cJSON *spoiled = parse(wrong[i]), kept = *child;
            child->type = spoiled->type;
            child->child = spoiled->child;
            child->valuestring = spoiled->valuestring;
            child->valueint = spoiled->valueint;
            child->valuedouble = spoiled->valuedouble;
            struct buf out = {0};
            roxed_status_add(&out, &plain, whole);
            roxed_status_add_progress(&out, whole);
            assert_non_null(strstr(out.data, "\nNext       "));
            (void)roxed_status_judge(whole);
            buf_done(&out);
            *child = kept;
            cJSON_Delete(spoiled);
        }
        if (child->child != NULL)
            spoil_each_member(whole, child);
    }
}

static void members_of_a_wrong_type_are_survived(void **state)
{
    (void)state;
    cJSON *status = parse(resync);
    spoil_each_member(status, status);
    cJSON_Delete(status);
}

static void health_needs_role_protection_and_silence(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        enum roxed_exit code;
    } cases[] = {
        {"{\"phase\":\"active\",\"protected\":true,\"alarms\":[]}", ROXED_HEALTHY},
        {"{\"phase\":\"standby\",\"protected\":true,\"alarms\":[]}", ROXED_HEALTHY},
        {"{\"role\":\"standby\",\"protected\":true,\"alarms\":[]}", ROXED_HEALTHY},
        {"{\"phase\":\"taking\",\"protected\":true,\"alarms\":[]}", ROXED_DEGRADED},
        {"{\"phase\":\"active\",\"protected\":false,\"alarms\":[]}", ROXED_DEGRADED},
        {"{\"phase\":\"active\",\"alarms\":[]}", ROXED_DEGRADED},
        {"{\"phase\":\"active\",\"protected\":true}", ROXED_DEGRADED},
        {"{\"phase\":\"active\",\"protected\":true,\"alarms\":[\"x\"]}", ROXED_DEGRADED},
        {"{\"protected\":true,\"alarms\":[]}", ROXED_DEGRADED},
        {"{}", ROXED_DEGRADED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cJSON *status = parse(cases[i].status);
        assert_int_equal(roxed_status_judge(status), cases[i].code);
        cJSON_Delete(status);
    }
}

static void nothing_from_the_socket_reaches_the_terminal_as_a_command(void **state)
{
    (void)state;
    /* escape, a new line, DEL, CSI as one C1 character, right-to-left override */
    char *screen = screen_of(&plain, "{\"node\":\"a\\u001b[2Jb\",\"reason\":\"x\\ny\\u007f\","
                                     "\"peer\":\"\\u009b31m\",\"alarms\":[\"\\u202egnp\\u0007\"],"
                                     "\"advice\":\"z\\rq\",\"phase\":\"\\u001b]0;t\\u0007\"}");
    for (const char *byte = screen; *byte != '\0'; byte++)
        assert_true(*byte == '\n' || ((unsigned char)*byte >= 0x20 && *byte != 0x7f));
    assert_null(strstr(screen, "\xc2\x9b"));
    assert_null(strstr(screen, "\xe2\x80\xae"));
    assert_non_null(strstr(screen, "a?[2Jb: ?]0;t? "));
    assert_non_null(strstr(screen, "  x?y?\n"));
    assert_non_null(strstr(screen, "Alarms     ?gnp?\n"));
    assert_non_null(strstr(screen, "Next       z?q\n"));
    free(screen);
}

/* Taking the colours away must give the plain screen: colours carry nothing of their own. */
static void colours_only_add_to_the_text(void **state)
{
    (void)state;
    const struct roxed_look coloured = {.colours = true, .now_s = NOW_S};
    char *with = screen_of(&coloured, waiting), *without = screen_of(&plain, waiting);
    assert_non_null(strstr(with, "\033[31mWAITING (not active)\033[0m"));
    assert_null(strchr(without, '\033'));
    char *to = with;
    unsigned begun = 0, ended = 0;
    for (const char *from = with; *from != '\0';) {
        if (*from == '\033') {
            if (strncmp(from, "\033[0m", 4) == 0)
                ended++;
            else
                begun++;
            from += strcspn(from, "m") + 1;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
    assert_string_equal(with, without);
    assert_int_equal(begun, ended);
    free(with);
    free(without);
}

static void without_a_clock_only_the_duration_is_shown(void **state)
{
    (void)state;
    const struct roxed_look look = {0};
    char *screen = screen_of(&look, active_protected);
    assert_ptr_equal(strstr(screen, "a: ACTIVE for 2 h 5 min, protected by b\n"), screen);
    free(screen);
}

static void the_bar_stays_within_its_frame(void **state)
{
    (void)state;
    static const struct {
        const char *status, *line;
    } cases[] = {
        {"{\"drbd\":{\"resync_percent\":0}}",
         "[........................] 0.0 %, time left unknown\n"},
        {"{\"drbd\":{\"resync_percent\":-5}}", "[........................] 0.0 %, "},
        {"{\"drbd\":{\"resync_percent\":100,\"resync_left_s\":0}}",
         "[########################] 100.0 %, about 0.0 s left\n"},
        {"{\"drbd\":{\"resync_percent\":1e99}}", "[########################] 100.0 %, "},
        {"{\"drbd\":{\"resync_percent\":50,\"resync_left_s\":100000}}",
         "[############............] 50.0 %, about 1 d 3 h left\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *screen = screen_of(&plain, cases[i].status);
        assert_non_null(strstr(screen, cases[i].line));
        free(screen);
    }
}

static void a_disk_that_is_not_up_is_said_to_be_down_not_unknown(void **state)
{
    (void)state;
    char *down = screen_of(&plain, "{\"drbd\":{\"known\":false,\"role\":\"Unknown\"}}");
    char *missing = screen_of(&plain, "{}");
    assert_non_null(strstr(down, "\nDisk       the replicated disk is not up\nPeer "));
    assert_non_null(strstr(missing, "\nDisk       unknown\nPeer "));
    free(down);
    free(missing);
}

static void progress_is_one_line_with_phase_and_step(void **state)
{
    (void)state;
    static const struct {
        const char *status, *line;
    } cases[] = {
        {"{\"phase\":\"releasing\",\"step\":\"stop PostgreSQL\"}", "releasing: stop PostgreSQL"},
        {"{\"phase\":\"active\",\"step\":\"\"}", "active"},
        {"{}", "unknown"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out = {0};
        cJSON *status = parse(cases[i].status);
        roxed_status_add_progress(&out, status);
        assert_string_equal(out.data, cases[i].line);
        buf_done(&out);
        cJSON_Delete(status);
    }
}

int main(void)
{
    (void)setenv("TZ", "UTC", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_active_protected_node),
        cmocka_unit_test(an_active_node_alone),
        cmocka_unit_test(a_standby_node),
        cmocka_unit_test(a_resync_with_percentage_and_time_left),
        cmocka_unit_test(a_waiting_node_with_alarms),
        cmocka_unit_test(a_node_that_becomes_active_with_little_known),
        cmocka_unit_test(an_empty_answer_is_all_unknown),
        cmocka_unit_test(a_stopped_and_a_silent_daemon_are_told_apart),
        cmocka_unit_test(members_of_a_wrong_type_are_survived),
        cmocka_unit_test(health_needs_role_protection_and_silence),
        cmocka_unit_test(nothing_from_the_socket_reaches_the_terminal_as_a_command),
        cmocka_unit_test(colours_only_add_to_the_text),
        cmocka_unit_test(without_a_clock_only_the_duration_is_shown),
        cmocka_unit_test(the_bar_stays_within_its_frame),
        cmocka_unit_test(a_disk_that_is_not_up_is_said_to_be_down_not_unknown),
        cmocka_unit_test(progress_is_one_line_with_phase_and_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
