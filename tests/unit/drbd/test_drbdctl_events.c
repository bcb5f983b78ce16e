#include "drbd/drbdctl_events.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DUMP_RESOURCE "exists resource name:og role:Secondary suspended:no write-ordering:flush\n"
#define DUMP_CONNECTION                                                                            \
    "exists connection name:og peer-node-id:0 conn-name:peer connection:Connected role:Primary "   \
    "congested:no\n"
#define DUMP_DEVICE "exists device name:og volume:0 minor:0 disk:UpToDate size:1000 blocked:no\n"
#define DUMP_PEER                                                                                  \
    "exists peer-device name:og peer-node-id:0 conn-name:peer volume:0 replication:Established "   \
    "peer-disk:UpToDate resync-suspended:no out-of-sync:0\n"
#define DUMP_END  "exists -\n"
#define DUMP_PAIR DUMP_RESOURCE DUMP_CONNECTION DUMP_DEVICE DUMP_PEER DUMP_END
#define PEER      "peer-node-id:0 conn-name:peer"

static struct drbdctl_events events; /* zeroed by every test through drbdctl_events_init */
#define STATE (&events.state)

static bool feed_at(const char *text, uint64_t now_ms)
{
    return drbdctl_events_feed(&events, text, strlen(text), now_ms);
}

static bool feed(const char *text)
{
    return feed_at(text, 1000);
}

static int begin_pair(void **unused)
{
    (void)unused;
    drbdctl_events_init(&events, "og");
    (void)feed(DUMP_PAIR);
    return 0;
}

static int begin_empty(void **unused)
{
    (void)unused;
    drbdctl_events_init(&events, "og");
    return 0;
}

/* The whole recorded stream; freed by the caller. */
static char *recorded(size_t *ret_bytes)
{
    FILE *file = fopen(PAIR_STREAM, "rb");
    assert_non_null(file);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    *ret_bytes = fread(text, 1, 65535, file);
    assert_true(*ret_bytes > 4000);
    (void)fclose(file);
    return text;
}

/* --- the dump --- */

static void the_state_is_valid_only_after_the_end_of_the_dump(void **unused)
{
    (void)unused;
    (void)feed(DUMP_RESOURCE DUMP_CONNECTION DUMP_DEVICE DUMP_PEER);
    assert_false(STATE->valid);
    assert_false(drbdctl_state_is_whole(STATE));
    assert_true(feed(DUMP_END));
    assert_true(STATE->valid);
    assert_true(drbdctl_state_is_whole(STATE));
    assert_int_equal(STATE->role, DRBDCTL_ROLE_SECONDARY);
    assert_int_equal(STATE->peer_role, DRBDCTL_ROLE_PRIMARY);
    assert_int_equal(STATE->disk, DRBDCTL_DISK_UPTODATE);
    assert_int_equal(STATE->peer_disk, DRBDCTL_DISK_UPTODATE);
    assert_int_equal(STATE->size_kib, 1000);
    assert_int_equal(STATE->connects, 1);
    assert_int_equal(STATE->losses, 0);
}

static void an_empty_dump_says_that_the_resource_is_not_up(void **unused)
{
    (void)unused;
    (void)feed(DUMP_END);
    assert_true(STATE->valid);
    assert_false(STATE->up);
    assert_int_equal(STATE->connection, DRBDCTL_CONNECTION_UNKNOWN);
    assert_int_equal(STATE->disk, DRBDCTL_DISK_UNKNOWN);
}

static void a_dump_without_a_connection_means_standalone(void **unused)
{
    (void)unused;
    (void)feed(DUMP_RESOURCE DUMP_DEVICE DUMP_END);
    assert_true(STATE->up);
    assert_int_equal(STATE->connection, DRBDCTL_CONNECTION_STANDALONE);
    assert_int_equal(STATE->replication, DRBDCTL_REPLICATION_OFF);
    assert_int_equal(STATE->peer_role, DRBDCTL_ROLE_UNKNOWN);
    assert_int_equal(STATE->losses, 0);
}

static void lines_with_and_without_a_time_and_with_crlf_say_the_same(void **unused)
{
    (void)unused;
    (void)feed("2026-11-24T01:14:57.373875+00:00 exists resource name:og role:Primary "
               "suspended:no\r\n"
               "2026-11-24T01:14:57.373875Z exists device name:og volume:0 disk:Consistent\r\n"
               "\r\n\n"
               "exists -\r\n");
    assert_int_equal(STATE->unreadable, 0);
    assert_int_equal(STATE->role, DRBDCTL_ROLE_PRIMARY);
    assert_int_equal(STATE->disk, DRBDCTL_DISK_CONSISTENT);
    assert_true(STATE->valid);
}

/* --- changes --- */

static void a_change_without_keys_changes_nothing(void **unused)
{
    (void)unused;
    struct drbdctl_state before = *STATE;
    assert_false(feed("change connection name:og " PEER "\n"
                      "change peer-device name:og " PEER " volume:0\n"
                      "change resource name:og\n"));
    assert_int_equal(STATE->unreadable, 0);
    assert_true(drbdctl_state_is_whole(STATE));
    assert_int_equal(STATE->losses, before.losses);
}

static void a_change_touches_only_the_keys_it_carries(void **unused)
{
    (void)unused;
    assert_true(feed("change resource name:og role:Primary\n"));
    assert_int_equal(STATE->role, DRBDCTL_ROLE_PRIMARY);
    assert_int_equal(STATE->suspended, 0);
    assert_true(feed("change resource name:og suspended:fencing\n"));
    assert_int_equal(STATE->role, DRBDCTL_ROLE_PRIMARY);
    assert_int_equal(STATE->suspended, DRBDCTL_SUSPENDED_FENCING);
    assert_true(feed("change resource name:og suspended:no\n"));
    assert_int_equal(STATE->suspended, 0);
}

static void every_reason_for_suspended_writes_is_kept(void **unused)
{
    (void)unused;
    char text[DRBDCTL_WORD_MAX];
    (void)feed("change resource name:og suspended:user,no-data,fencing\n");
    assert_int_equal(STATE->suspended, DRBDCTL_SUSPENDED_USER | DRBDCTL_SUSPENDED_NO_DATA |
                                           DRBDCTL_SUSPENDED_FENCING);
    assert_string_equal(drbdctl_suspended_text(STATE->suspended, text), "user,no-data,fencing");
    (void)feed("change resource name:og suspended:moonlight\n");
    assert_int_equal(STATE->suspended, DRBDCTL_SUSPENDED_UNKNOWN);
    (void)feed("change resource name:og suspended:\n");
    assert_int_equal(STATE->suspended, DRBDCTL_SUSPENDED_UNKNOWN);
    assert_string_equal(drbdctl_suspended_text(0, text), "no");
    assert_string_equal(drbdctl_suspended_text(UINT32_MAX, text),
                        "user,no-data,fencing,quorum,unknown");
}

static void every_name_of_every_table_is_read_back(void **unused)
{
    (void)unused;
    char line[200];
    for (unsigned i = 0; i < DRBDCTL_CONNECTION_COUNT; i++) {
        (void)snprintf(line, sizeof(line), "change connection name:og " PEER " connection:%s\n",
                       drbdctl_connection_name((enum drbdctl_connection)i));
        (void)feed(line);
        assert_int_equal(STATE->connection, i);
    }
    for (unsigned i = 0; i < DRBDCTL_DISK_COUNT; i++) {
        (void)snprintf(line, sizeof(line), "change device name:og volume:0 minor:0 disk:%s\n",
                       drbdctl_disk_name((enum drbdctl_disk)i));
        (void)feed(line);
        assert_int_equal(STATE->disk, i);
    }
    for (unsigned i = 0; i < DRBDCTL_REPLICATION_COUNT; i++) {
        (void)snprintf(line, sizeof(line),
                       "change peer-device name:og " PEER " volume:0 replication:%s peer-disk:%s\n",
                       drbdctl_replication_name((enum drbdctl_replication)i),
                       drbdctl_disk_name((enum drbdctl_disk)(i % DRBDCTL_DISK_COUNT)));
        (void)feed(line);
        assert_int_equal(STATE->replication, i);
        assert_int_equal(STATE->peer_disk, i % DRBDCTL_DISK_COUNT);
    }
    for (unsigned i = 0; i < DRBDCTL_ROLE_COUNT; i++) {
        (void)snprintf(line, sizeof(line), "change resource name:og role:%s\n",
                       drbdctl_role_name((enum drbdctl_role)i));
        (void)feed(line);
        assert_int_equal(STATE->role, i);
    }
    assert_int_equal(STATE->unknown_words, 0);
    assert_string_equal(drbdctl_role_name(DRBDCTL_ROLE_COUNT), "?");
    assert_string_equal(drbdctl_end_name(DRBDCTL_END_COUNT), "?");
}

static void a_word_without_a_name_becomes_unknown_and_is_counted(void **unused)
{
    (void)unused;
    (void)feed("change device name:og volume:0 disk:UpToDat\n");
    assert_int_equal(STATE->disk, DRBDCTL_DISK_UNKNOWN);
    (void)feed("change connection name:og " PEER " connection:connected role:Boss\n");
    assert_int_equal(STATE->connection, DRBDCTL_CONNECTION_UNKNOWN);
    assert_int_equal(STATE->peer_role, DRBDCTL_ROLE_UNKNOWN);
    assert_int_equal(STATE->unknown_words, 3);
    assert_int_equal(STATE->unreadable, 0);
    assert_int_equal(STATE->losses, 0); /* not known is not lost */
}

/* --- how connections end --- */

static void the_end_of_a_connection_is_told_apart(void **unused)
{
    (void)unused;
    static const struct {
        const char *word;
        enum drbdctl_end end;
    } rows[] = {
        {"NetworkFailure", DRBDCTL_END_FAILURE}, {"BrokenPipe", DRBDCTL_END_FAILURE},
        {"Timeout", DRBDCTL_END_FAILURE},        {"ProtocolError", DRBDCTL_END_FAILURE},
        {"TearDown", DRBDCTL_END_ORDERLY},       {"Disconnecting", DRBDCTL_END_LOCAL},
        {"Unconnected", DRBDCTL_END_UNKNOWN},    {"StandAlone", DRBDCTL_END_UNKNOWN},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char line[160];
        (void)snprintf(line, sizeof(line),
                       "change connection name:og " PEER " connection:%s role:Unknown\n",
                       rows[i].word);
        uint64_t now_ms = 5000 + i;
        assert_true(feed_at(line, now_ms));
        assert_int_equal(STATE->losses, i + 1);
        assert_int_equal(STATE->lost_at_ms, now_ms);
        assert_int_equal(STATE->lost_by, rows[i].end);
        /* what follows on the way down is no second loss */
        (void)feed_at("change connection name:og " PEER " connection:Connecting\n", 9000);
        assert_int_equal(STATE->losses, i + 1);
        (void)feed_at("change connection name:og " PEER " connection:Connected\n", 9001);
        assert_int_equal(STATE->connects, i + 2);
    }
}

static void a_standby_that_says_good_bye_is_known_outdated(void **unused)
{
    (void)unused;
    (void)feed("change connection name:og " PEER " connection:TearDown role:Unknown\n"
               "change peer-device name:og " PEER " volume:0 replication:Off peer-disk:Outdated\n"
               "change connection name:og " PEER " connection:Unconnected\n"
               "change connection name:og " PEER " connection:Connecting\n");
    assert_int_equal(STATE->lost_by, DRBDCTL_END_ORDERLY);
    assert_int_equal(STATE->peer_disk, DRBDCTL_DISK_OUTDATED);
    assert_int_equal(STATE->connection, DRBDCTL_CONNECTION_CONNECTING);
}

static void a_destroyed_connection_is_standalone(void **unused)
{
    (void)unused;
    (void)feed("change connection name:og " PEER " connection:StandAlone\n"
               "destroy peer-device name:og " PEER " volume:0\n");
    assert_int_equal(STATE->peer_disk, DRBDCTL_DISK_UNKNOWN);
    assert_int_equal(STATE->replication, DRBDCTL_REPLICATION_OFF);
    (void)feed("destroy connection name:og " PEER "\n");
    assert_int_equal(STATE->connection, DRBDCTL_CONNECTION_STANDALONE);
    assert_int_equal(STATE->losses, 1);
    assert_true(STATE->up);
    assert_int_equal(STATE->disk, DRBDCTL_DISK_UPTODATE);
}

static void what_is_known_of_a_worse_peer_outlives_the_connection(void **unused)
{
    (void)unused;
    static const struct {
        const char *word;
        enum drbdctl_disk kept;
    } rows[] = {{"Outdated", DRBDCTL_DISK_OUTDATED}, {"Inconsistent", DRBDCTL_DISK_INCONSISTENT},
                {"UpToDate", DRBDCTL_DISK_UNKNOWN},  {"Consistent", DRBDCTL_DISK_UNKNOWN},
                {"DUnknown", DRBDCTL_DISK_UNKNOWN},  {"Diskless", DRBDCTL_DISK_UNKNOWN}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char line[160];
        (void)snprintf(line, sizeof(line),
                       "change peer-device name:og " PEER " volume:0 peer-disk:%s\n", rows[i].word);
        (void)feed(line);
        (void)feed("destroy peer-device name:og " PEER " volume:0\n"
                   "destroy connection name:og " PEER "\n");
        assert_int_equal(STATE->peer_disk, rows[i].kept);
    }
    (void)feed("change peer-device name:og " PEER " volume:0 peer-disk:Outdated\n"
               "destroy resource name:og\n");
    assert_int_equal(STATE->peer_disk, DRBDCTL_DISK_UNKNOWN);
}

static void a_connection_destroyed_without_a_word_is_a_loss(void **unused)
{
    (void)unused;
    assert_true(feed_at("destroy connection name:og\n", 77)); /* conn-name is missing too */
    assert_int_equal(STATE->connection, DRBDCTL_CONNECTION_STANDALONE);
    assert_int_equal(STATE->lost_at_ms, 77);
}

static void a_destroyed_resource_leaves_nothing_known(void **unused)
{
    (void)unused;
    (void)feed("destroy device name:og volume:0 minor:0\n");
    assert_int_equal(STATE->disk, DRBDCTL_DISK_UNKNOWN);
    (void)feed("destroy resource name:og\n");
    assert_false(STATE->up);
    assert_true(STATE->valid);
    assert_int_equal(STATE->role, DRBDCTL_ROLE_UNKNOWN);
    assert_int_equal(STATE->connection, DRBDCTL_CONNECTION_UNKNOWN);
    (void)feed("create resource name:og role:Secondary suspended:no\n");
    assert_int_equal(STATE->connection, DRBDCTL_CONNECTION_STANDALONE);
    (void)feed("create device name:og volume:0 minor:0 disk:Diskless\n"
               "change device name:og volume:0 minor:0 disk:Attaching\n"
               "change device name:og volume:0 minor:0 disk:Consistent\n"
               "create connection name:og " PEER " connection:StandAlone role:Unknown\n"
               "change connection name:og " PEER " connection:Connecting\n");
    assert_true(STATE->up);
    assert_int_equal(STATE->disk, DRBDCTL_DISK_CONSISTENT);
    assert_int_equal(STATE->connection, DRBDCTL_CONNECTION_CONNECTING);
}

/* --- helpers --- */

static void the_exit_code_is_the_wait_status_by_256(void **unused)
{
    (void)unused;
    static const struct {
        const char *status;
        int exit_code;
    } rows[] = {{"1792", 7}, {"1024", 4},  {"1536", 6}, {"256", 1},
                {"0", 0},    {"5120", 20}, {"15", -1},  {"9", -1},
                {"abc", -1}, {"", -1},     {"-1", -1},  {"999999999999999999999", -1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char line[160];
        assert_true(feed_at("call helper name:og " PEER " helper:fence-peer\n", 100 + i));
        assert_true(STATE->fence.running);
        assert_int_equal(STATE->fence.called_at_ms, 100 + i);
        (void)snprintf(line, sizeof(line),
                       "response helper name:og " PEER " helper:fence-peer status:%s\n",
                       rows[i].status);
        assert_true(feed_at(line, 200 + i));
        assert_false(STATE->fence.running);
        assert_int_equal(STATE->fence.exit_code, rows[i].exit_code);
        assert_int_equal(STATE->fence.answered_at_ms, 200 + i);
        assert_int_equal(STATE->fence.calls, i + 1);
    }
}

static void a_helper_called_from_standalone_has_no_connection_name(void **unused)
{
    (void)unused;
    (void)feed("call helper name:og peer-node-id:0 helper:fence-peer\n"
               "response helper name:og peer-node-id:0 helper:fence-peer status:1024\n");
    assert_string_equal(STATE->fence.name, "fence-peer");
    assert_int_equal(STATE->fence.exit_code, 4);
}

static void other_helpers_do_not_hide_the_fence_answer(void **unused)
{
    (void)unused;
    (void)feed("call helper name:og " PEER " helper:fence-peer\n"
               "response helper name:og " PEER " helper:fence-peer status:1792\n"
               "call helper name:og " PEER " volume:0 minor:0 helper:before-resync-source\n"
               "response helper name:og " PEER " volume:0 minor:0 helper:before-resync-source "
               "status:0\n"
               "call helper name:og " PEER " volume:0 minor:0 helper:unfence-peer\n");
    assert_int_equal(STATE->fence.exit_code, 7);
    assert_false(STATE->fence.running);
    assert_string_equal(STATE->helper.name, "unfence-peer");
    assert_true(STATE->helper.running);
}

static void the_split_brain_helper_is_counted(void **unused)
{
    (void)unused;
    (void)feed("call helper name:og " PEER " volume:0 minor:0 helper:initial-split-brain\n");
    assert_int_equal(STATE->split_brains, 0); /* the kernel may still solve it */
    (void)feed("call helper name:og " PEER " volume:0 minor:0 helper:split-brain\n");
    assert_int_equal(STATE->split_brains, 1);
}

/* --- progress --- */

static void a_resync_shows_its_progress(void **unused)
{
    (void)unused;
    (void)feed_at("change peer-device name:og " PEER
                  " volume:0 replication:SyncSource peer-disk:Inconsistent out-of-sync:100000\n",
                  10000);
    assert_true(STATE->progress.running);
    assert_int_equal(STATE->progress.done_permille, 0);
    assert_true(STATE->progress.left_s == UINT64_MAX);
    assert_true(drbdctl_events_measure(&events, 90000, 12000));
    assert_int_equal(STATE->progress.done_permille, 100);
    assert_int_equal(STATE->progress.rate_kib_per_s, 5000);
    assert_int_equal(STATE->progress.left_s, 18);
    assert_true(drbdctl_events_measure(&events, 50000, 14000));
    assert_int_equal(STATE->progress.done_permille, 500);
    assert_int_equal(STATE->progress.rate_kib_per_s, (3 * 5000 + 20000) / 4);
    assert_true(drbdctl_state_is_syncing(STATE));
    (void)feed_at("change peer-device name:og " PEER
                  " volume:0 replication:Established peer-disk:UpToDate out-of-sync:0\n",
                  15000);
    assert_false(STATE->progress.running);
    assert_false(drbdctl_events_measure(&events, 5, 16000));
    assert_true(drbdctl_state_is_whole(STATE));
}

static void a_clock_that_stands_and_a_growing_rest_do_no_harm(void **unused)
{
    (void)unused;
    (void)feed_at("change peer-device name:og " PEER " volume:0 replication:SyncTarget\n", 10000);
    assert_int_equal(STATE->progress.done_permille, 0);
    (void)drbdctl_events_measure(&events, 500, 10000);
    (void)drbdctl_events_measure(&events, 800, 9000);
    (void)drbdctl_events_measure(&events, 900, 11500);
    assert_int_equal(STATE->progress.rate_kib_per_s, 0);
    assert_int_equal(STATE->progress.begin_kib, 900);
    assert_false(drbdctl_events_measure(&events, UINT64_MAX, 12000));
    assert_int_equal(STATE->out_of_sync_kib, 900);
}

/* --- restarts of the stream --- */

static void a_restart_forgets_the_state_but_not_the_history(void **unused)
{
    (void)unused;
    (void)feed("call helper name:og " PEER " helper:fence-peer\nchange resource name:og ro");
    drbdctl_events_restart(&events);
    assert_false(STATE->valid);
    assert_int_equal(STATE->disk, DRBDCTL_DISK_UNKNOWN);
    assert_int_equal(STATE->fence.calls, 1);
    assert_false(STATE->fence.running); /* its answer may have passed unseen */
    (void)feed(DUMP_PAIR);              /* the half line is gone */
    assert_int_equal(STATE->unreadable, 0);
    assert_true(drbdctl_state_is_whole(STATE));
    assert_int_equal(STATE->connects, 1);
    assert_int_equal(STATE->losses, 0);
}

static void a_loss_during_a_restart_is_found_in_the_new_dump(void **unused)
{
    (void)unused;
    drbdctl_events_restart(&events);
    (void)feed_at(DUMP_RESOURCE "exists connection name:og " PEER " connection:Connecting\n", 4000);
    assert_int_equal(STATE->losses, 0);
    (void)feed_at(DUMP_END, 4001);
    assert_int_equal(STATE->losses, 1);
    assert_int_equal(STATE->lost_at_ms, 4001);
    assert_int_equal(STATE->lost_by, DRBDCTL_END_UNKNOWN);
}

/* --- what is not ours, or nothing at all --- */

static void foreign_resources_volumes_objects_and_keys_change_nothing(void **unused)
{
    (void)unused;
    assert_false(
        feed("change resource name:other role:Primary suspended:fencing\n"
             "change resource name:ogg role:Primary\n"
             "change device name:og volume:1 minor:1 disk:Failed\n"
             "exists path name:og peer-node-id:0 conn-name:peer local:ipv4:10.0.0.1:7788 "
             "peer:ipv4:10.0.0.2:7788 established:yes\n"
             "destroy resource name:other\n"
             "rename resource name:og new_name:og2\n"
             "change resource name:og may_promote:yes promotion_score:10101 quorum:yes\n"));
    assert_true(drbdctl_state_is_whole(STATE));
    assert_int_equal(STATE->role, DRBDCTL_ROLE_SECONDARY);
    assert_int_equal(STATE->unreadable, 0);
    assert_int_equal(STATE->unknown_words, 0);
}

static void lines_that_are_none_are_counted_and_change_nothing(void **unused)
{
    (void)unused;
    static const char *const lines[] = {
        "hello world",
        "change",
        "exists",
        "2026-11-24T01:14:57.373875+00:00",
        "change resource role:Primary",              /* of which resource? */
        "change resource name:og role",              /* no value */
        "change resource name:og role:Primary oops", /* a word that is no pair */
        "change resource name:og :Primary",
        "change resource name:og role:Primary role:Secondary",
        "change helper name:og helper:fence-peer",
        "call resource name:og role:Primary",
        "change resource name:og\trole:Primary",
        "change resource name:og role:\x01Primary",
        "CHANGE resource name:og role:Primary",
        "change res\xc3\xb6urce name:og role:Primary",
        "change resou",
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        (void)feed(lines[i]);
        (void)feed("\n");
        assert_int_equal(STATE->unreadable, i + 1);
        assert_int_equal(STATE->role, DRBDCTL_ROLE_SECONDARY);
        assert_true(drbdctl_state_is_whole(STATE));
        assert_int_equal(STATE->fence.calls, 0);
    }
    static const char zero[] = "change resource name:og role:Primary\0\n";
    (void)drbdctl_events_feed(&events, zero, sizeof(zero) - 1, 0);
    assert_int_equal(STATE->unreadable, COUNT_OF(lines) + 1);
    assert_int_equal(STATE->role, DRBDCTL_ROLE_SECONDARY);
}

static void a_line_without_end_is_dropped_as_a_whole(void **unused)
{
    (void)unused;
    (void)feed("change resource name:og role:Primary ");
    for (int i = 0; i < 3 * DRBDCTL_LINE_MAX; i++)
        (void)feed("x");
    (void)feed("\n");
    assert_int_equal(STATE->unreadable, 1);
    assert_int_equal(STATE->role, DRBDCTL_ROLE_SECONDARY);
    (void)feed("change resource name:og role:Primary\n");
    assert_int_equal(STATE->role, DRBDCTL_ROLE_PRIMARY);
}

static void a_line_with_more_keys_than_any_known_is_not_read(void **unused)
{
    (void)unused;
    (void)feed("change resource name:og role:Primary");
    for (int i = 0; i < 60; i++) {
        char pair[16];
        (void)snprintf(pair, sizeof(pair), " k%d:v", i);
        (void)feed(pair);
    }
    (void)feed("\n");
    assert_int_equal(STATE->unreadable, 1);
    assert_int_equal(STATE->role, DRBDCTL_ROLE_SECONDARY);
}

/* --- the recorded life of a pair --- */

static void the_recorded_stream_ends_as_it_ended_in_reality(void **unused)
{
    (void)unused;
    size_t len = 0;
    AUTO(common_freep) char *text = recorded(&len);
    (void)drbdctl_events_feed(&events, text, len, 1);
    assert_int_equal(STATE->unreadable, 0);
    assert_int_equal(STATE->unknown_words, 0);
    assert_true(STATE->valid && STATE->up);
    assert_int_equal(STATE->role, DRBDCTL_ROLE_PRIMARY);
    assert_int_equal(STATE->disk, DRBDCTL_DISK_UPTODATE);
    assert_int_equal(STATE->connection, DRBDCTL_CONNECTION_STANDALONE);
    assert_int_equal(STATE->connects, 3);
    assert_int_equal(STATE->losses, 3);
    assert_int_equal(STATE->lost_by, DRBDCTL_END_LOCAL);
    assert_int_equal(STATE->split_brains, 1);
    assert_int_equal(STATE->fence.calls, 2);
    assert_int_equal(STATE->fence.exit_code, 1);
    assert_int_equal(STATE->suspended, 0);
}

static void the_split_position_of_a_stream_does_not_matter(void **unused)
{
    (void)unused;
    size_t len = 0;
    AUTO(common_freep) char *text = recorded(&len);
    struct drbdctl_events whole;
    drbdctl_events_init(&whole, "og");
    (void)drbdctl_events_feed(&whole, text, len, 1);
    for (size_t split = 0; split <= len; split++) {
        drbdctl_events_init(&events, "og");
        (void)drbdctl_events_feed(&events, text, split, 1);
        (void)drbdctl_events_feed(&events, text + split, len - split, 1);
        assert_memory_equal(&events.state, &whole.state, sizeof(whole.state));
    }
    drbdctl_events_init(&events, "og");
    for (size_t i = 0; i < len; i++)
        (void)drbdctl_events_feed(&events, text + i, 1, 1);
    assert_memory_equal(&events.state, &whole.state, sizeof(whole.state));
}

/* Every value of the state stays inside its table, and valid needs the end of a dump. */
static void check_sane(const struct drbdctl_state *state)
{
    assert_true(state->role < DRBDCTL_ROLE_COUNT && state->peer_role < DRBDCTL_ROLE_COUNT);
    assert_true(state->disk < DRBDCTL_DISK_COUNT && state->peer_disk < DRBDCTL_DISK_COUNT);
    assert_true(state->connection < DRBDCTL_CONNECTION_COUNT);
    assert_true(state->replication < DRBDCTL_REPLICATION_COUNT);
    assert_true(state->lost_by < DRBDCTL_END_COUNT);
    assert_true(state->progress.done_permille <= 1000);
    assert_true(state->unreadable <= state->lines);
    assert_true(state->fence.exit_code >= -1 && state->fence.exit_code <= 255);
}

static void ten_thousand_mutations_are_survived(void **unused)
{
    (void)unused;
    size_t len = 0;
    AUTO(common_freep) char *text = recorded(&len);
    AUTO(common_freep) char *copy = malloc(len);
    assert_non_null(copy);
    uint32_t random = 20261124;
    unsigned unreadable_runs = 0;
    for (int run = 0; run < 10000; run++) {
        memcpy(copy, text, len);
        for (int i = 0; i < 1 + run % 9; i++) {
            random = random * 1664525u + 1013904223u;
            size_t at = (random >> 8) % len;
            random = random * 1664525u + 1013904223u;
            if (random >> 31 != 0)
                copy[at] = (char)(random >> 16);
            else
                memmove(copy + at, copy + at / 2, (len - at) / 2);
        }
        drbdctl_events_init(&events, "og");
        size_t split = random % (len + 1);
        (void)drbdctl_events_feed(&events, copy, split, 1);
        check_sane(STATE);
        (void)drbdctl_events_feed(&events, copy + split, len - split, 2);
        check_sane(STATE);
        unreadable_runs += STATE->unreadable > 0;
    }
    assert_true(unreadable_runs > 1000); /* the mutations did bite */
}

int main(void)
{
#define EMPTY(test) cmocka_unit_test_setup(test, begin_empty)
#define PAIR(test)  cmocka_unit_test_setup(test, begin_pair)
    const struct CMUnitTest tests[] = {
        EMPTY(the_state_is_valid_only_after_the_end_of_the_dump),
        EMPTY(an_empty_dump_says_that_the_resource_is_not_up),
        EMPTY(a_dump_without_a_connection_means_standalone),
        EMPTY(lines_with_and_without_a_time_and_with_crlf_say_the_same),
        PAIR(a_change_without_keys_changes_nothing),
        PAIR(a_change_touches_only_the_keys_it_carries),
        PAIR(every_reason_for_suspended_writes_is_kept),
        PAIR(every_name_of_every_table_is_read_back),
        PAIR(a_word_without_a_name_becomes_unknown_and_is_counted),
        PAIR(the_end_of_a_connection_is_told_apart),
        PAIR(a_standby_that_says_good_bye_is_known_outdated),
        PAIR(a_destroyed_connection_is_standalone),
        PAIR(what_is_known_of_a_worse_peer_outlives_the_connection),
        PAIR(a_connection_destroyed_without_a_word_is_a_loss),
        PAIR(a_destroyed_resource_leaves_nothing_known),
        PAIR(the_exit_code_is_the_wait_status_by_256),
        PAIR(a_helper_called_from_standalone_has_no_connection_name),
        PAIR(other_helpers_do_not_hide_the_fence_answer),
        PAIR(the_split_brain_helper_is_counted),
        PAIR(a_resync_shows_its_progress),
        PAIR(a_clock_that_stands_and_a_growing_rest_do_no_harm),
        PAIR(a_restart_forgets_the_state_but_not_the_history),
        PAIR(a_loss_during_a_restart_is_found_in_the_new_dump),
        PAIR(foreign_resources_volumes_objects_and_keys_change_nothing),
        PAIR(lines_that_are_none_are_counted_and_change_nothing),
        PAIR(a_line_without_end_is_dropped_as_a_whole),
        PAIR(a_line_with_more_keys_than_any_known_is_not_read),
        EMPTY(the_recorded_stream_ends_as_it_ended_in_reality),
        EMPTY(the_split_position_of_a_stream_does_not_matter),
        EMPTY(ten_thousand_mutations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
