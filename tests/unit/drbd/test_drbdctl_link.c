/* The link with programs that the test plays itself. */
#include "drbd/drbdctl_link.h"

#include "lib/common/common.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CHILDREN_MAX = 64, OUTCOMES_MAX = 40 };

struct fake { /* one run of a program */
    char command[400];
    void (*output)(void *context, const char *bytes, size_t len_bytes);
    child_done_fn done;
    void *context;
    uint64_t budget_ms;
    bool alive, stopped, abandoned;
};

struct fixture {
    uv_loop_t loop;
    struct drbdctl_ops ops;
    struct drbdctl_options options;
    struct drbdctl_link *link;
    struct fake child[CHILDREN_MAX];
    unsigned children;
    bool has_module, no_memory;
    unsigned told; /* calls of on_state */
    bool told_valid;
    struct drbdctl_outcome outcome[OUTCOMES_MAX];
    char text[OUTCOMES_MAX][200];
    unsigned outcomes;
    bool close_when_told, close_when_done;
};

static struct child *fake_start(void *context, uv_loop_t *loop, const struct child_options *options)
{
    struct fixture *f = context;
    assert_ptr_equal(loop, &f->loop);
    if (f->no_memory)
        return NULL;
    assert_true(f->children < CHILDREN_MAX);
    struct fake *fake = &f->child[f->children++];
    *fake = (struct fake){.output = options->output,
                          .done = options->done,
                          .context = options->context,
                          .budget_ms = options->budget_ms,
                          .alive = true};
    size_t used = 0;
    for (const char *const *word = options->argv; *word != NULL; word++)
        used += (size_t)snprintf(fake->command + used, sizeof(fake->command) - used, "%s%s",
                                 used > 0 ? " " : "", *word);
    return (struct child *)(void *)fake;
}

static void fake_stop(void *context, struct child *child, uint64_t grace_ms)
{
    (void)context;
    assert_true(grace_ms <= 2000);
    struct fake *fake = (struct fake *)(void *)child;
    assert_true(fake->alive);
    fake->stopped = true;
}

static void fake_abandon(void *context, struct child *child)
{
    (void)context;
    struct fake *fake = (struct fake *)(void *)child;
    assert_true(fake->alive);
    fake->alive = false;
    fake->abandoned = true;
}

static bool fake_module_loaded(void *context)
{
    struct fixture *f = context;
    return f->has_module;
}

static void on_state(void *context, const struct drbdctl_state *state)
{
    struct fixture *f = context;
    f->told++;
    f->told_valid = state->valid;
    if (f->close_when_told) {
        drbdctl_close(f->link);
        f->link = NULL;
    }
}

static void on_done(void *context, const struct drbdctl_outcome *outcome)
{
    struct fixture *f = context;
    assert_true(f->outcomes < OUTCOMES_MAX);
    assert_non_null(outcome->text);
    (void)snprintf(f->text[f->outcomes], sizeof(f->text[0]), "%s", outcome->text);
    f->outcome[f->outcomes] = *outcome;
    f->outcome[f->outcomes++].text = NULL; /* was only borrowed */
    if (f->close_when_done) {
        drbdctl_close(f->link);
        f->link = NULL;
    }
}

static void turn(struct fixture *f)
{
    for (int i = 0; i < 3; i++)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

static int begin(void **ret_fixture)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->has_module = true;
    f->ops = (struct drbdctl_ops){.start = fake_start,
                                  .stop = fake_stop,
                                  .abandon = fake_abandon,
                                  .module_loaded = fake_module_loaded,
                                  .context = f};
    f->options = (struct drbdctl_options){
        .disk = "/dev/vdb", .on_state = on_state, .context = f, .ops = &f->ops};
    assert_int_equal(drbdctl_open(&f->loop, &f->options, &f->link, NULL), 0);
    *ret_fixture = f;
    return 0;
}

static int end(void **fixture)
{
    struct fixture *f = *fixture;
    drbdctl_close(f->link);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    for (unsigned i = 0; i < f->children; i++)
        assert_false(f->child[i].alive); /* nothing is left running */
    free(f);
    return 0;
}

/* The newest child; fails unless it is the program expected. */
static struct fake *newest(struct fixture *f, const char *command)
{
    assert_true(f->children > 0);
    struct fake *fake = &f->child[f->children - 1];
    assert_string_equal(fake->command, command);
    assert_true(fake->alive);
    return fake;
}

static void say(struct fake *fake, const char *text)
{
    fake->output(fake->context, text, strlen(text));
}

static void finish(struct fixture *f, struct fake *fake, int status, const char *output)
{
    assert_true(fake->alive);
    fake->alive = false;
    const struct child_result result = {
        .status = status, .output = output, .output_bytes = strlen(output)};
    fake->done(fake->context, &result);
    turn(f);
}

#define STREAM "drbdsetup events2 --timestamps --statistics all"
#define PEER   "peer-node-id:0 conn-name:peer"

static struct fake *stream(struct fixture *f)
{
    for (unsigned i = f->children; i > 0; i--)
        if (f->child[i - 1].alive && strcmp(f->child[i - 1].command, STREAM) == 0)
            return &f->child[i - 1];
    fail_msg("the event stream is not running");
    return NULL;
}

static void dump(struct fixture *f, const char *role, const char *peer_role, const char *disk,
                 const char *peer_disk, const char *connection)
{
    char text[800];
    (void)snprintf(text, sizeof(text),
                   "exists resource name:og role:%s suspended:no\n"
                   "exists connection name:og " PEER " connection:%s role:%s\n"
                   "exists device name:og volume:0 minor:0 disk:%s\n"
                   "exists peer-device name:og " PEER
                   " volume:0 replication:%s peer-disk:%s out-of-sync:0\n"
                   "exists -\n",
                   role, connection, peer_role, disk,
                   strcmp(connection, "Connected") == 0 ? "Established" : "Off", peer_disk);
    say(stream(f), text);
}

static void dump_standby(struct fixture *f)
{
    dump(f, "Secondary", "Primary", "UpToDate", "UpToDate", "Connected");
}

static void run(struct fixture *f, enum drbdctl_command command)
{
    assert_int_equal(drbdctl_run(f->link, command, on_done, f), 0);
}

static const struct drbdctl_outcome *last(struct fixture *f)
{
    assert_true(f->outcomes > 0);
    return &f->outcome[f->outcomes - 1];
}

static void expect(struct fixture *f, enum drbdctl_result result)
{
    turn(f);
    assert_int_equal(f->outcomes, 1);
    if (last(f)->result != result)
        fail_msg("%s: %s", drbdctl_result_name(last(f)->result), last(f)->diag.text);
    assert_int_equal(last(f)->diag.text[0] != '\0', result != DRBDCTL_RESULT_OK);
    assert_false(drbdctl_is_busy(f->link));
}

/* --- the event stream --- */

static void the_stream_is_read_from_the_start(void **fixture)
{
    struct fixture *f = *fixture;
    (void)newest(f, STREAM);
    assert_int_equal(stream(f)->budget_ms, 0);
    assert_false(drbdctl_state(f->link)->valid);
    dump_standby(f);
    assert_true(f->told > 0 && f->told_valid);
    assert_true(drbdctl_state_is_whole(drbdctl_state(f->link)));
    unsigned told = f->told;
    say(stream(f), "change connection name:og " PEER "\n");
    assert_int_equal(f->told, told); /* nothing new, nobody disturbed */
}

static void a_stream_that_ends_is_started_again_and_the_state_rebuilt(void **fixture)
{
    struct fixture *f = *fixture;
    dump_standby(f);
    finish(f, stream(f), 20, "receive buffer overrun");
    assert_false(f->told_valid);
    assert_false(drbdctl_state(f->link)->valid);
    assert_int_equal(drbdctl_state(f->link)->losses, 0);
    for (int i = 0; i < 100 && f->children == 1; i++) {
        (void)usleep(10000);
        turn(f);
    }
    (void)newest(f, STREAM);
    dump_standby(f);
    assert_true(f->told_valid);
    assert_int_equal(drbdctl_state(f->link)->connects, 1);
}

static void a_stream_that_keeps_ending_is_tried_at_most_every_two_seconds(void **fixture)
{
    struct fixture *f = *fixture;
    uint64_t longest_ms = 0, first_ms = 0;
    for (unsigned round = 1; round <= 6; round++) {
        uint64_t began_ms = common_boot_ms();
        finish(f, stream(f), 20, "Could not stat /proc/drbd");
        while (f->children == round && common_boot_ms() - began_ms < 5000) {
            (void)usleep(5000);
            turn(f);
        }
        assert_int_equal(f->children, round + 1);
        uint64_t waited_ms = common_boot_ms() - began_ms;
        first_ms = round == 1 ? waited_ms : first_ms;
        longest_ms = waited_ms > longest_ms ? waited_ms : longest_ms;
    }
    assert_true(first_ms < 1000);
    assert_true(longest_ms >= 1500 && longest_ms < 4000);
}

static void an_unreadable_line_makes_the_state_be_read_anew(void **fixture)
{
    struct fixture *f = *fixture;
    dump_standby(f);
    struct fake *first = stream(f);
    say(first, "change resou");
    say(first, "\xff\xfe\n");
    assert_true(first->stopped);
    first->stopped = false;
    say(first, "more garbage\nchange resource name:og role:Primary\n");
    assert_false(first->stopped); /* once is enough */
    assert_int_equal(drbdctl_state(f->link)->role, DRBDCTL_ROLE_PRIMARY);
    finish(f, first, 143, "");
    assert_false(drbdctl_state(f->link)->valid);
    for (int i = 0; i < 100 && f->children == 1; i++) {
        (void)usleep(10000);
        turn(f);
    }
    dump_standby(f);
    assert_true(drbdctl_state(f->link)->valid);
    assert_false(stream(f)->stopped);
}

static void lack_of_memory_for_the_stream_is_retried(void **fixture)
{
    struct fixture *f = *fixture;
    f->no_memory = true;
    finish(f, stream(f), 1, "");
    (void)usleep(150000);
    turn(f);
    assert_int_equal(f->children, 1);
    f->no_memory = false;
    for (int i = 0; i < 100 && f->children == 1; i++) {
        (void)usleep(10000);
        turn(f);
    }
    (void)newest(f, STREAM);
}

static void a_running_resync_is_measured(void **fixture)
{
    struct fixture *f = *fixture;
    dump_standby(f);
    say(stream(f), "change peer-device name:og " PEER
                   " volume:0 replication:SyncTarget peer-disk:UpToDate out-of-sync:100000\n");
    for (int i = 0; i < 400 && f->children == 1; i++) {
        (void)usleep(10000);
        turn(f);
    }
    struct fake *measure = newest(f, "drbdsetup events2 --now --statistics all");
    assert_true(measure->budget_ms > 0);
    unsigned told = f->told;
    finish(f, measure, 0,
           "exists resource name:og role:Secondary suspended:no\n"
           "exists connection name:og " PEER " connection:Connected role:Primary\n"
           "exists peer-device name:og " PEER
           " volume:0 replication:SyncTarget peer-disk:UpToDate out-of-sync:60000\nexists -\n");
    assert_int_equal(drbdctl_state(f->link)->progress.done_permille, 400);
    assert_true(drbdctl_state(f->link)->progress.rate_kib_per_s > 0);
    assert_int_equal(f->told, told + 1);
}

static void closing_inside_the_state_callback_is_safe(void **fixture)
{
    struct fixture *f = *fixture;
    run(f, DRBDCTL_COMMAND_PRIMARY);
    struct fake *reading = stream(f);
    f->close_when_told = true;
    say(reading, "exists -\n");
    assert_null(f->link);
    assert_true(reading->abandoned);
    assert_int_equal(f->outcomes, 1);
    assert_int_equal(last(f)->result, DRBDCTL_RESULT_CANCELLED);
}

/* --- commands --- */

static void every_command_runs_its_program_and_reads_back_its_effect(void **fixture)
{
    struct fixture *f = *fixture;
    static const struct {
        enum drbdctl_command command;
        const char *program, *before, *effect; /* effect NULL: nothing to read back */
    } rows[] = {
        {DRBDCTL_COMMAND_UP, "drbdadm adjust og",
         "destroy connection name:og\ndestroy device name:og volume:0\ndestroy resource name:og\n",
         "create resource name:og role:Secondary\ncreate device name:og volume:0 disk:Diskless\n"
         "change device name:og volume:0 disk:Attaching\n"
         "change device name:og volume:0 disk:Consistent\n"},
        {DRBDCTL_COMMAND_PRIMARY, "drbdadm primary og", "change resource name:og role:Secondary\n",
         "change resource name:og role:Primary\n"},
        {DRBDCTL_COMMAND_SECONDARY, "drbdadm secondary og",
         "change resource name:og role:Primary\n", "change resource name:og role:Secondary\n"},
        {DRBDCTL_COMMAND_CONNECT, "drbdadm connect og", "", NULL},
        {DRBDCTL_COMMAND_DISCONNECT, "drbdadm disconnect og",
         "change connection name:og connection:Connected\n",
         "change connection name:og connection:Disconnecting\n"
         "change connection name:og connection:StandAlone\n"},
        {DRBDCTL_COMMAND_OUTDATE, "drbdadm outdate og",
         "change device name:og volume:0 disk:UpToDate\n",
         "change device name:og volume:0 disk:Outdated\n"},
        {DRBDCTL_COMMAND_DOWN, "drbdadm down og", "", "destroy resource name:og\n"},
    };
    dump_standby(f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        say(stream(f), rows[i].before);
        run(f, rows[i].command);
        assert_true(drbdctl_is_busy(f->link));
        struct fake *program = newest(f, rows[i].program);
        assert_true(program->budget_ms > 0 &&
                    program->budget_ms <= drbdctl_command_budget_ms(rows[i].command));
        finish(f, program, 0, "");
        if (rows[i].effect != NULL) {
            assert_int_equal(f->outcomes, i); /* exit code 0 proves nothing */
            say(stream(f), rows[i].effect);
            turn(f);
        }
        assert_int_equal(f->outcomes, i + 1);
        assert_int_equal(last(f)->result, DRBDCTL_RESULT_OK);
        assert_int_equal(last(f)->command, rows[i].command);
        assert_string_equal(last(f)->diag.text, "");
    }
}

static void an_effect_that_came_before_the_exit_counts(void **fixture)
{
    struct fixture *f = *fixture;
    dump_standby(f);
    run(f, DRBDCTL_COMMAND_PRIMARY);
    say(stream(f), "change resource name:og role:Primary\n");
    assert_int_equal(f->outcomes, 0); /* not before the program has ended */
    finish(f, newest(f, "drbdadm primary og"), 0, "");
    expect(f, DRBDCTL_RESULT_OK);
}

static void outdate_without_effect_is_told(void **fixture)
{
    struct fixture *f = *fixture;
    dump_standby(f);
    run(f, DRBDCTL_COMMAND_OUTDATE);
    finish(f, newest(f, "drbdadm outdate og"), 0, ""); /* connected: rc 0 and nothing happens */
    uint64_t began_ms = common_boot_ms();
    while (f->outcomes == 0 && common_boot_ms() - began_ms < 6000) {
        (void)usleep(10000);
        turn(f);
    }
    expect(f, DRBDCTL_RESULT_NO_EFFECT);
    assert_non_null(strstr(last(f)->diag.text, "does not show"));
}

static void an_effect_cannot_be_read_while_the_state_is_invalid(void **fixture)
{
    struct fixture *f = *fixture;
    dump(f, "Primary", "Secondary", "UpToDate", "UpToDate", "Connected");
    finish(f, stream(f), 1, "");
    run(f, DRBDCTL_COMMAND_PRIMARY);
    finish(f, newest(f, "drbdadm primary og"), 0, "");
    turn(f);
    assert_int_equal(f->outcomes, 0);
    for (int i = 0; i < 100 && f->children == 2; i++) {
        (void)usleep(10000);
        turn(f);
    }
    dump(f, "Primary", "Secondary", "UpToDate", "UpToDate", "Connected");
    expect(f, DRBDCTL_RESULT_OK); /* the new dump shows it */
}

static void refusals_keep_their_meaning_and_the_tools_words(void **fixture)
{
    struct fixture *f = *fixture;
    static const struct {
        int status;
        const char *output;
        enum drbdctl_result result;
        const char *words;
    } rows[] = {
        {11, "0: State change failed: (-7) Refusing to be Primary while peer is not outdated\n",
         DRBDCTL_RESULT_REFUSED_NOT_OUTDATED, "not known to be outdated: 0: State"},
        {11, "0: State change failed: (-1) Multiple primaries not allowed by config\n",
         DRBDCTL_RESULT_REFUSED_MULTIPLE_PRIMARIES, "peer is Primary"},
        {17, "0: State change failed: (-2) Need access to UpToDate data\n",
         DRBDCTL_RESULT_REFUSED_NOT_UPTODATE, "no up-to-date copy"},
        {-ETIMEDOUT, "", DRBDCTL_RESULT_TIMEOUT, "did not end in time"},
        {-ENOENT, "no program drbdadm", DRBDCTL_RESULT_NO_TOOLS, "not installed"},
        {1, "", DRBDCTL_RESULT_OTHER, "failed"},
    };
    dump(f, "Secondary", "Unknown", "UpToDate", "DUnknown", "Connecting");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        run(f, DRBDCTL_COMMAND_PRIMARY);
        finish(f, newest(f, "drbdadm primary og"), rows[i].status, rows[i].output);
        assert_int_equal(f->outcomes, i + 1);
        assert_int_equal(last(f)->result, rows[i].result);
        assert_int_equal(last(f)->exit_code, rows[i].status);
        assert_string_equal(f->text[i], rows[i].output);
        if (strstr(last(f)->diag.text, rows[i].words) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", last(f)->diag.text, rows[i].words);
    }
}

static void what_is_so_already_is_no_failure(void **fixture)
{
    struct fixture *f = *fixture;
    static const struct {
        enum drbdctl_command command;
        const char *program, *state, *output;
        int status;
    } rows[] = {
        {DRBDCTL_COMMAND_DISCONNECT, "drbdadm disconnect og", "destroy connection name:og\n",
         "og: Failure: (162) Invalid configuration request\nunknown connection\n", 10},
        {DRBDCTL_COMMAND_CONNECT, "drbdadm connect og",
         "create connection name:og connection:Unconnected\n",
         "og: Failure: (102) Local address(port) already in use.\n", 10},
        {DRBDCTL_COMMAND_OUTDATE, "drbdadm outdate og",
         "change device name:og volume:0 disk:Outdated\n", "0: State change failed: (-10)\n", 17},
        {DRBDCTL_COMMAND_SECONDARY, "drbdadm secondary og", "", "og: Unknown resource\n", 10},
        {DRBDCTL_COMMAND_DOWN, "drbdadm down og", "destroy resource name:og\n",
         "og: Failure: (158) Unknown resource\n", 10},
    };
    dump_standby(f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        say(stream(f), rows[i].state);
        run(f, rows[i].command);
        finish(f, newest(f, rows[i].program), rows[i].status, rows[i].output);
        turn(f);
        assert_int_equal(f->outcomes, i + 1);
        assert_int_equal(last(f)->result, DRBDCTL_RESULT_OK);
    }
    /* but a promotion that failed has failed */
    say(stream(f), "create resource name:og role:Primary\n");
    run(f, DRBDCTL_COMMAND_PRIMARY);
    finish(f, newest(f, "drbdadm primary og"), 20, "");
    assert_int_equal(last(f)->result, DRBDCTL_RESULT_OTHER);
}

static void a_connect_that_failed_without_a_connection_has_failed(void **fixture)
{
    struct fixture *f = *fixture;
    dump(f, "Secondary", "Unknown", "UpToDate", "DUnknown", "StandAlone");
    run(f, DRBDCTL_COMMAND_CONNECT);
    finish(f, newest(f, "drbdadm connect og"), 10,
           "og: Failure: (102) Local address(port) already in use.\n");
    expect(f, DRBDCTL_RESULT_OTHER);
}

static void the_shared_secret_is_hidden_in_the_tools_words(void **fixture)
{
    struct fixture *f = *fixture;
    run(f, DRBDCTL_COMMAND_CONNECT);
    finish(f, newest(f, "drbdadm connect og"), 10,
           "Command 'drbdsetup-84 connect og --shared-secret=TOPSECRET --ping-int=1' failed\n"
           "again --shared-secret=TOPSECRET\n--shared-secret=TOPSECRET");
    expect(f, DRBDCTL_RESULT_OTHER);
    assert_string_equal(f->text[0],
                        "Command 'drbdsetup-84 connect og --shared-secret=(hidden) --ping-int=1' "
                        "failed\nagain --shared-secret=(hidden)\n--shared-secret=(hidden)");
    assert_null(strstr(last(f)->diag.text, "TOPSECRET"));
    assert_non_null(strstr(last(f)->diag.text, "--ping-int=1"));
}

#define HELD "0: State change failed: (-12) Device is held open by someone\n"

/* Lets the newest program be the next one of the same name, which must come within a second. */
static struct fake *again(struct fixture *f, const char *command, unsigned children)
{
    for (int i = 0; i < 100 && f->children == children; i++) {
        (void)usleep(10000);
        turn(f);
    }
    assert_int_equal(f->children, children + 1);
    return newest(f, command);
}

static void a_device_held_for_a_moment_is_tried_again(void **fixture)
{
    struct fixture *f = *fixture;
    dump(f, "Primary", "Secondary", "UpToDate", "UpToDate", "Connected");
    run(f, DRBDCTL_COMMAND_SECONDARY);
    struct fake *program = newest(f, "drbdadm secondary og");
    for (int i = 0; i < 2; i++) {
        finish(f, program, 11, HELD);
        assert_int_equal(f->outcomes, 0);
        program = again(f, "drbdadm secondary og", f->children);
    }
    finish(f, program, 0, "");
    say(stream(f), "change resource name:og role:Secondary\n");
    expect(f, DRBDCTL_RESULT_OK);
}

static void a_held_device_is_not_made_secondary(void **fixture)
{
    struct fixture *f = *fixture;
    dump(f, "Primary", "Secondary", "UpToDate", "UpToDate", "Connected");
    run(f, DRBDCTL_COMMAND_SECONDARY);
    uint64_t began_ms = common_boot_ms();
    struct fake *program = newest(f, "drbdadm secondary og");
    for (int i = 0; i < 5; i++) {
        finish(f, program, 11, HELD);
        program = again(f, "drbdadm secondary og", f->children);
    }
    finish(f, program, 11, HELD);
    expect(f, DRBDCTL_RESULT_HELD_OPEN);
    uint64_t took_ms = common_boot_ms() - began_ms;
    assert_true(took_ms >= 450 && took_ms < 3000);
}

static void closing_during_the_pause_is_safe(void **fixture)
{
    struct fixture *f = *fixture;
    run(f, DRBDCTL_COMMAND_DOWN);
    finish(f, newest(f, "drbdadm down og"), 11, HELD);
    drbdctl_close(f->link);
    f->link = NULL;
    assert_int_equal(last(f)->result, DRBDCTL_RESULT_CANCELLED);
}

static void the_module_is_loaded_before_the_resource(void **fixture)
{
    struct fixture *f = *fixture;
    f->has_module = false;
    say(stream(f), "exists -\n");
    run(f, DRBDCTL_COMMAND_UP);
    finish(f, newest(f, "modprobe drbd"), 0, "");
    finish(f, newest(f, "drbdadm adjust og"), 0, "");
    dump_standby(f);
    expect(f, DRBDCTL_RESULT_OK);
}

static void a_missing_module_is_named(void **fixture)
{
    struct fixture *f = *fixture;
    f->has_module = false;
    run(f, DRBDCTL_COMMAND_UP);
    finish(f, newest(f, "modprobe drbd"), 1,
           "modprobe: FATAL: Module drbd not found in directory /lib/modules/6.1.0\n");
    expect(f, DRBDCTL_RESULT_NO_MODULE);
    assert_non_null(strstr(last(f)->diag.text, "the kernel has no DRBD module"));
    assert_non_null(strstr(last(f)->diag.text, "/lib/modules/6.1.0"));
}

static void without_a_module_there_is_nothing_to_take_down(void **fixture)
{
    struct fixture *f = *fixture;
    f->has_module = false;
    run(f, DRBDCTL_COMMAND_DOWN);
    assert_int_equal(f->outcomes, 0); /* never from within the call */
    expect(f, DRBDCTL_RESULT_OK);
    assert_int_equal(f->children, 1);
}

static void a_loaded_module_is_not_loaded_again(void **fixture)
{
    struct fixture *f = *fixture;
    run(f, DRBDCTL_COMMAND_LOAD_MODULE);
    expect(f, DRBDCTL_RESULT_OK);
    assert_int_equal(f->children, 1);
}

static void a_device_without_metadata_is_named_when_bringing_up(void **fixture)
{
    struct fixture *f = *fixture;
    run(f, DRBDCTL_COMMAND_UP);
    finish(f, newest(f, "drbdadm adjust og"), 1, "No valid meta data found\n");
    expect(f, DRBDCTL_RESULT_NO_METADATA);
    assert_non_null(strstr(last(f)->diag.text, "(/dev/vdb)"));
}

/* --- metadata --- */

#define BIG_DISK "134217728\n"

static void metadata_is_created_on_an_empty_device_only(void **fixture)
{
    struct fixture *f = *fixture;
    run(f, DRBDCTL_COMMAND_CREATE_METADATA);
    finish(f, newest(f, "blockdev --getsize64 /dev/vdb"), 0, BIG_DISK);
    finish(f, newest(f, "drbdadm dump-md og"), 1, "No valid meta data found\n");
    finish(f, newest(f, "blkid -p /dev/vdb"), 2, "");
    finish(f, newest(f, "drbdadm create-md og"), 0,
           "New drbd meta data block successfully created.\n");
    finish(f, newest(f, "drbdadm dump-md og"), 0, "version \"v08\";\n");
    expect(f, DRBDCTL_RESULT_OK);
}

static void metadata_that_is_there_is_never_overwritten(void **fixture)
{
    struct fixture *f = *fixture;
    static const struct {
        int status;
        const char *output;
    } rows[] = {{0, "version \"v08\";\n"},
                {255, "Found meta data is \"unclean\", please apply-al first\n"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        run(f, DRBDCTL_COMMAND_CREATE_METADATA);
        finish(f, newest(f, "blockdev --getsize64 /dev/vdb"), 0, BIG_DISK);
        finish(f, newest(f, "drbdadm dump-md og"), rows[i].status, rows[i].output);
        assert_int_equal(last(f)->result, DRBDCTL_RESULT_HAS_METADATA);
        assert_non_null(strstr(last(f)->diag.text, "/dev/vdb"));
    }
}

static void foreign_data_is_never_overwritten(void **fixture)
{
    struct fixture *f = *fixture;
    static const int found[] = {0, 8};
    for (size_t i = 0; i < COUNT_OF(found); i++) {
        run(f, DRBDCTL_COMMAND_CREATE_METADATA);
        finish(f, newest(f, "blockdev --getsize64 /dev/vdb"), 0, BIG_DISK);
        finish(f, newest(f, "drbdadm dump-md og"), 1, "No valid meta data found\n");
        finish(f, newest(f, "blkid -p /dev/vdb"), found[i], "/dev/vdb: TYPE=\"xfs\"\n");
        assert_int_equal(last(f)->result, DRBDCTL_RESULT_HAS_DATA);
        assert_non_null(strstr(last(f)->diag.text, "xfs"));
    }
    run(f, DRBDCTL_COMMAND_CREATE_METADATA); /* and what only the tool sees */
    finish(f, newest(f, "blockdev --getsize64 /dev/vdb"), 0, BIG_DISK);
    finish(f, newest(f, "drbdadm dump-md og"), 1, "No valid meta data found\n");
    finish(f, newest(f, "blkid -p /dev/vdb"), 2, "");
    finish(f, newest(f, "drbdadm create-md og"), 40, "Found ext3 filesystem\nOperation refused.\n");
    assert_int_equal(last(f)->result, DRBDCTL_RESULT_HAS_DATA);
    assert_int_equal(f->outcomes, 3);
}

static void unusable_devices_are_told_apart(void **fixture)
{
    struct fixture *f = *fixture;
    static const struct {
        int status;
        const char *output;
        enum drbdctl_result result;
    } rows[] = {
        {1, "blockdev: cannot open /dev/vdb: No such file or directory\n",
         DRBDCTL_RESULT_NO_DEVICE},
        {1, "blockdev: ioctl error on BLKGETSIZE64: Inappropriate ioctl for device\n",
         DRBDCTL_RESULT_NO_DEVICE},
        {0, "67108863\n", DRBDCTL_RESULT_DEVICE_TOO_SMALL},
        {0, "what?\n", DRBDCTL_RESULT_NO_DEVICE},
        {-ENOENT, "", DRBDCTL_RESULT_NO_TOOLS},
        {-ETIMEDOUT, "", DRBDCTL_RESULT_TIMEOUT},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        run(f,
            i % 2 == 0 ? DRBDCTL_COMMAND_CREATE_METADATA : DRBDCTL_COMMAND_CREATE_METADATA_FORCED);
        finish(f, newest(f, "blockdev --getsize64 /dev/vdb"), rows[i].status, rows[i].output);
        assert_int_equal(f->outcomes, i + 1);
        assert_int_equal(last(f)->result, rows[i].result);
    }
    run(f, DRBDCTL_COMMAND_CREATE_METADATA);
    finish(f, newest(f, "blockdev --getsize64 /dev/vdb"), 0, BIG_DISK);
    finish(f, newest(f, "drbdadm dump-md og"), 20,
           "open(/dev/vdb) failed: Device or resource busy\n");
    assert_int_equal(last(f)->result, DRBDCTL_RESULT_DEVICE_BUSY);
}

static void force_wipes_first(void **fixture)
{
    struct fixture *f = *fixture;
    run(f, DRBDCTL_COMMAND_CREATE_METADATA_FORCED);
    finish(f, newest(f, "blockdev --getsize64 /dev/vdb"), 0, BIG_DISK);
    finish(f, newest(f, "wipefs --all --force /dev/vdb"), 0, "");
    finish(f, newest(f, "drbdadm create-md --force og"), 0, "");
    finish(f, newest(f, "drbdadm dump-md og"), 0, "version \"v08\";\n");
    expect(f, DRBDCTL_RESULT_OK);
}

static void metadata_that_cannot_be_read_back_is_no_success(void **fixture)
{
    struct fixture *f = *fixture;
    run(f, DRBDCTL_COMMAND_CREATE_METADATA_FORCED);
    finish(f, newest(f, "blockdev --getsize64 /dev/vdb"), 0, BIG_DISK);
    finish(f, newest(f, "wipefs --all --force /dev/vdb"), 0, "");
    finish(f, newest(f, "drbdadm create-md --force og"), 0, "");
    finish(f, newest(f, "drbdadm dump-md og"), 1, "No valid meta data found\n");
    expect(f, DRBDCTL_RESULT_NO_METADATA);
}

/* --- first pairing --- */

#define FRESH "0000000000000004:0000000000000000:0000000000000000:0000000000000000:0:0:0:0:0:0:0\n"
#define USED  "59B99CF0562A1AD6:0000000000000000:029E8382984FCBA5:029D8382984FCBA5:0:0:0:0:0:0:0\n"

static void two_new_copies_are_declared_equal(void **fixture)
{
    struct fixture *f = *fixture;
    dump(f, "Secondary", "Secondary", "Inconsistent", "Inconsistent", "Connected");
    run(f, DRBDCTL_COMMAND_FORM);
    finish(f, newest(f, "drbdadm get-gi og"), 0, FRESH);
    finish(f, newest(f, "drbdadm new-current-uuid --clear-bitmap og/0"), 0, "");
    say(stream(f), "change device name:og volume:0 disk:UpToDate\n");
    turn(f);
    assert_int_equal(f->outcomes, 0);
    say(stream(f), "change peer-device name:og " PEER " volume:0 peer-disk:UpToDate\n");
    expect(f, DRBDCTL_RESULT_OK);
}

static void nothing_else_is_ever_declared_equal(void **fixture)
{
    struct fixture *f = *fixture;
    static const char *const rows[][5] = {
        {"Primary", "Secondary", "Inconsistent", "Inconsistent", "Connected"},
        {"Secondary", "Primary", "Inconsistent", "Inconsistent", "Connected"},
        {"Secondary", "Secondary", "UpToDate", "Inconsistent", "Connected"},
        {"Secondary", "Secondary", "Inconsistent", "UpToDate", "Connected"},
        {"Secondary", "Secondary", "Inconsistent", "Outdated", "Connected"},
        {"Secondary", "Unknown", "Inconsistent", "DUnknown", "Connecting"},
        {"Secondary", "Secondary", "Inconsistent", "Inconsistent", "StandAlone"},
    };
    run(f, DRBDCTL_COMMAND_FORM); /* before any dump */
    turn(f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        dump(f, rows[i][0], rows[i][1], rows[i][2], rows[i][3], rows[i][4]);
        run(f, DRBDCTL_COMMAND_FORM);
        turn(f);
        assert_int_equal(f->outcomes, i + 2);
        assert_int_equal(last(f)->result, DRBDCTL_RESULT_REFUSED_STATE);
    }
    assert_int_equal(f->children, 1); /* no program was even started */
}

static void a_copy_that_carried_data_is_not_declared_new(void **fixture)
{
    struct fixture *f = *fixture;
    dump(f, "Secondary", "Secondary", "Inconsistent", "Inconsistent", "Connected");
    run(f, DRBDCTL_COMMAND_FORM);
    finish(f, newest(f, "drbdadm get-gi og"), 0, USED);
    expect(f, DRBDCTL_RESULT_REFUSED_STATE);
    assert_int_equal(f->children, 2);
}

/* --- order, limits, end --- */

static void commands_wait_for_one_another_but_reading_does_not(void **fixture)
{
    struct fixture *f = *fixture;
    dump_standby(f);
    run(f, DRBDCTL_COMMAND_PRIMARY);
    struct fake *primary = newest(f, "drbdadm primary og");
    run(f, DRBDCTL_COMMAND_SECONDARY);
    run(f, DRBDCTL_COMMAND_DISCONNECT);
    (void)newest(f, "drbdadm primary og");
    run(f, DRBDCTL_COMMAND_GENERATION);
    finish(f, newest(f, "drbdadm get-gi og"), 0, USED);
    assert_int_equal(f->outcomes, 1);
    assert_true(last(f)->generation.current == UINT64_C(0x59B99CF0562A1AD6));
    finish(f, primary, 11, "0: State change failed: (-1) x\n");
    assert_int_equal(last(f)->result, DRBDCTL_RESULT_REFUSED_MULTIPLE_PRIMARIES);
    finish(f, newest(f, "drbdadm secondary og"), 0, "");
    assert_int_equal(last(f)->command, DRBDCTL_COMMAND_SECONDARY);
    finish(f, newest(f, "drbdadm disconnect og"), 0, "");
    say(stream(f), "destroy connection name:og\n");
    turn(f);
    assert_int_equal(f->outcomes, 4);
    assert_false(drbdctl_is_busy(f->link));
}

static void on_refused(void *context, const struct drbdctl_outcome *outcome)
{
    struct fixture *f = context;
    assert_int_equal(outcome->result, DRBDCTL_RESULT_REFUSED_NOT_OUTDATED);
    run(f, DRBDCTL_COMMAND_PRIMARY);
}

static void a_command_given_from_a_callback_runs_its_program_once(void **fixture)
{
    struct fixture *f = *fixture;
    dump(f, "Secondary", "Unknown", "UpToDate", "Outdated", "Connecting");
    assert_int_equal(drbdctl_run(f->link, DRBDCTL_COMMAND_PRIMARY, on_refused, f), 0);
    unsigned before = f->children;
    finish(f, &f->child[before - 1], 11,
           "0: State change failed: (-7) Refusing to be Primary while peer is not outdated\n");
    assert_int_equal(f->children, before + 1);
    say(stream(f), "change resource name:og role:Primary\n");
    finish(f, &f->child[before], 0, "");
    expect(f, DRBDCTL_RESULT_OK);
    assert_int_equal(f->children, before + 1);
}

static void a_generation_that_cannot_be_read_is_a_failure(void **fixture)
{
    struct fixture *f = *fixture;
    run(f, DRBDCTL_COMMAND_GENERATION);
    finish(f, newest(f, "drbdadm get-gi og"), 0, "nonsense\n");
    expect(f, DRBDCTL_RESULT_OTHER);
}

static void the_number_of_waiting_commands_is_bounded(void **fixture)
{
    struct fixture *f = *fixture;
    for (int i = 0; i < 16; i++)
        run(f, DRBDCTL_COMMAND_CONNECT);
    assert_int_equal(drbdctl_run(f->link, DRBDCTL_COMMAND_CONNECT, on_done, f), -ENOBUFS);
    assert_int_equal(drbdctl_run(f->link, DRBDCTL_COMMAND_COUNT, on_done, f), -EINVAL);
    drbdctl_close(f->link);
    f->link = NULL;
    assert_int_equal(f->outcomes, 16);
    for (unsigned i = 0; i < f->outcomes; i++)
        assert_int_equal(f->outcome[i].result, DRBDCTL_RESULT_CANCELLED);
}

static void closing_inside_a_commands_callback_is_safe(void **fixture)
{
    struct fixture *f = *fixture;
    run(f, DRBDCTL_COMMAND_CONNECT);
    run(f, DRBDCTL_COMMAND_CONNECT);
    f->close_when_done = true;
    finish(f, newest(f, "drbdadm connect og"), 0, "");
    assert_null(f->link);
    assert_int_equal(f->outcomes, 2);
    assert_int_equal(last(f)->result, DRBDCTL_RESULT_CANCELLED);
}

static void lack_of_memory_for_a_program_ends_the_command(void **fixture)
{
    struct fixture *f = *fixture;
    f->no_memory = true;
    run(f, DRBDCTL_COMMAND_PRIMARY);
    expect(f, DRBDCTL_RESULT_OTHER);
}

static void the_configuration_file_is_handed_to_the_tool(void **fixture)
{
    struct fixture *f = *fixture;
    drbdctl_close(f->link);
    f->options.config_file = "/run/x/drbd.conf";
    f->options.resource = "other";
    assert_int_equal(drbdctl_open(&f->loop, &f->options, &f->link, NULL), 0);
    run(f, DRBDCTL_COMMAND_CONNECT);
    finish(f, newest(f, "drbdadm -c /run/x/drbd.conf connect other"), 0, "");
    expect(f, DRBDCTL_RESULT_OK);
}

static void impossible_options_are_refused(void **fixture)
{
    struct fixture *f = *fixture;
    char longest[400];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    const struct drbdctl_options rows[] = {
        {.resource = longest, .ops = &f->ops},    {.disk = longest, .ops = &f->ops},
        {.config_file = longest, .ops = &f->ops}, {.resource = "--force", .ops = &f->ops},
        {.disk = "-x", .ops = &f->ops},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct drbdctl_link *link = NULL;
        struct diag diag = {0};
        assert_int_equal(drbdctl_open(&f->loop, &rows[i], &link, &diag), -EINVAL);
        assert_null(link);
        assert_true(diag.text[0] != '\0');
    }
    drbdctl_close(NULL);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(the_stream_is_read_from_the_start),
        CASE(a_stream_that_ends_is_started_again_and_the_state_rebuilt),
        CASE(a_stream_that_keeps_ending_is_tried_at_most_every_two_seconds),
        CASE(an_unreadable_line_makes_the_state_be_read_anew),
        CASE(lack_of_memory_for_the_stream_is_retried),
        CASE(a_running_resync_is_measured),
        CASE(closing_inside_the_state_callback_is_safe),
        CASE(every_command_runs_its_program_and_reads_back_its_effect),
        CASE(an_effect_that_came_before_the_exit_counts),
        CASE(outdate_without_effect_is_told),
        CASE(an_effect_cannot_be_read_while_the_state_is_invalid),
        CASE(refusals_keep_their_meaning_and_the_tools_words),
        CASE(what_is_so_already_is_no_failure),
        CASE(a_connect_that_failed_without_a_connection_has_failed),
        CASE(the_shared_secret_is_hidden_in_the_tools_words),
        CASE(a_device_held_for_a_moment_is_tried_again),
        CASE(closing_during_the_pause_is_safe),
        CASE(a_held_device_is_not_made_secondary),
        CASE(the_module_is_loaded_before_the_resource),
        CASE(a_missing_module_is_named),
        CASE(without_a_module_there_is_nothing_to_take_down),
        CASE(a_loaded_module_is_not_loaded_again),
        CASE(a_device_without_metadata_is_named_when_bringing_up),
        CASE(metadata_is_created_on_an_empty_device_only),
        CASE(metadata_that_is_there_is_never_overwritten),
        CASE(foreign_data_is_never_overwritten),
        CASE(unusable_devices_are_told_apart),
        CASE(force_wipes_first),
        CASE(metadata_that_cannot_be_read_back_is_no_success),
        CASE(two_new_copies_are_declared_equal),
        CASE(nothing_else_is_ever_declared_equal),
        CASE(a_copy_that_carried_data_is_not_declared_new),
        CASE(commands_wait_for_one_another_but_reading_does_not),
        CASE(a_command_given_from_a_callback_runs_its_program_once),
        CASE(a_generation_that_cannot_be_read_is_a_failure),
        CASE(the_number_of_waiting_commands_is_bounded),
        CASE(closing_inside_a_commands_callback_is_safe),
        CASE(lack_of_memory_for_a_program_ends_the_command),
        CASE(the_configuration_file_is_handed_to_the_tool),
        CASE(impossible_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
