/* drbd-console - walks the real DRBD through commands of drbd/ and checks each result; for lab
 * stories, not installed.
 *
 *     drbd-console resource PROFILE A-ADDRESS B-ADDRESS DISK    prints the resource file
 *     drbd-console global                                       prints global_common.conf
 *     drbd-console STEP...                                      with the steps
 *         COMMAND[=RESULT]   runs it, the result must be RESULT (default OK); the names are those
 *                            of enum drbdctl_command and drbdctl_result: PRIMARY=HELD_OPEN
 *         see=WORD,WORD...   waits up to 20 s until the state line has all these words
 *         never=WORD         from now on the state line must not have this word
 *         answer=CODE        answers the kernel's fence question with CODE from now on
 *         wait=MS            lets the events come
 *
 * Prints every state and outcome with the time in ms. Exit status 0: all as expected. */
#include "drbd/drbd.h"
#include "drbd/drbdctl_fence.h"
#include "drbd/drbdctl_link.h"
#include "drbd/drbdctl_resource.h"
#include "lib/common/common.h"
#include "lib/common/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEE_LIMIT_MS = 20000, STATE_TEXT = 512 };

#define COMMAND_ID(id, text, budget_ms) #id,
#define RESULT_ID(id, text)             #id,
static const char *const command_ids[] = {DRBDCTL_COMMANDS(COMMAND_ID)};
static const char *const result_ids[] = {DRBDCTL_RESULTS(RESULT_ID)};

struct console {
    uv_loop_t loop;
    struct drbdctl_link *link;
    struct drbdctl_fence *fence;
    int answer; /* 0: none */
    const char *never;
    bool failed, done;
    enum drbdctl_result result;
    uint64_t began_ms;
};

static const char *state_text(const struct drbdctl_state *state, char *ret_text)
{
    char suspended[DRBDCTL_WORD_MAX];
    (void)snprintf(ret_text, STATE_TEXT,
                   "valid:%d up:%d role:%s peer-role:%s disk:%s peer-disk:%s connection:%s "
                   "replication:%s suspended:%s losses:%u lost-by:%s fence:%d fence-calls:%u "
                   "split-brains:%u unreadable:%" PRIu64 " unknown-words:%" PRIu64 " done:%u",
                   state->valid, state->up, drbdctl_role_name(state->role),
                   drbdctl_role_name(state->peer_role), drbdctl_disk_name(state->disk),
                   drbdctl_disk_name(state->peer_disk), drbdctl_connection_name(state->connection),
                   drbdctl_replication_name(state->replication),
                   drbdctl_suspended_text(state->suspended, suspended), state->losses,
                   drbdctl_end_name(state->lost_by), state->fence.exit_code, state->fence.calls,
                   state->split_brains, state->unreadable, state->unknown_words,
                   state->progress.done_permille);
    return ret_text;
}

static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        if ((at == text || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

static bool has_all_words(const char *text, const char *words)
{
    while (*words != '\0') {
        char word[DRBDCTL_WORD_MAX];
        size_t len = strcspn(words, ",");
        (void)snprintf(word, sizeof(word), "%.*s", (int)len, words);
        if (!has_word(text, word))
            return false;
        words += len + (words[len] == ',');
    }
    return true;
}

static uint64_t passed_ms(const struct console *console)
{
    return common_boot_ms() - console->began_ms;
}

static void on_state(void *context, const struct drbdctl_state *state)
{
    struct console *console = context;
    char text[STATE_TEXT];
    printf("%6" PRIu64 " %s\n", passed_ms(console), state_text(state, text));
    if (console->never != NULL && state->valid && has_all_words(text, console->never)) {
        printf("FAILED: never wanted to see %s\n", console->never);
        console->failed = true;
    }
}

static void on_asked(void *context, drbdctl_fence_token token)
{
    struct console *console = context;
    int r = drbdctl_fence_answer(console->fence, token, console->answer);
    printf("%6" PRIu64 " asked, answered %d: %d\n", passed_ms(console), console->answer, r);
}

static void on_done(void *context, const struct drbdctl_outcome *outcome)
{
    struct console *console = context;
    printf("%6" PRIu64 " %s: %s (%" PRIu64 " ms) %s\n", passed_ms(console),
           command_ids[outcome->command], result_ids[outcome->result], outcome->took_ms,
           outcome->diag.text);
    if (outcome->command == DRBDCTL_COMMAND_GENERATION && outcome->result == DRBDCTL_RESULT_OK) {
        char text[DRBDCTL_GENERATION_TEXT];
        printf("generation %s\n", drbdctl_generation_text(&outcome->generation, text));
    }
    console->result = outcome->result;
    console->done = true;
}

static void turn(struct console *console)
{
    (void)uv_run(&console->loop, UV_RUN_NOWAIT);
    (void)usleep(1000);
}

static int find(const char *const *ids, size_t count, const char *id, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(ids[i]) == len && strncmp(ids[i], id, len) == 0)
            return (int)i;
    return -1;
}

static bool run_command(struct console *console, const char *step)
{
    size_t len = strcspn(step, "=");
    const char *wanted = step[len] == '=' ? step + len + 1 : "OK";
    int command = find(command_ids, COUNT_OF(command_ids), step, len);
    int result = find(result_ids, COUNT_OF(result_ids), wanted, strlen(wanted));
    if (command < 0 || result < 0) {
        printf("FAILED: unknown step %s\n", step);
        return false;
    }
    console->done = false;
    if (drbdctl_run(console->link, (enum drbdctl_command)command, on_done, console) != 0)
        return false;
    while (!console->done)
        turn(console);
    if ((int)console->result != result)
        printf("FAILED: %s ended with %s\n", step, result_ids[console->result]);
    return (int)console->result == result;
}

static bool see(struct console *console, const char *words)
{
    char text[STATE_TEXT];
    uint64_t until_ms = common_boot_ms() + SEE_LIMIT_MS;
    while (common_boot_ms() < until_ms) {
        turn(console);
        if (drbdctl_state(console->link)->valid &&
            has_all_words(state_text(drbdctl_state(console->link), text), words)) {
            printf("%6" PRIu64 " seen %s\n", passed_ms(console), words);
            return true;
        }
    }
    printf("FAILED: never saw %s, but %s\n", words, state_text(drbdctl_state(console->link), text));
    return false;
}

static bool set_answer(struct console *console, int code)
{
    console->answer = code;
    if (console->fence != NULL)
        return true;
    (void)mkdir("/run/open-gateway", 0755);
    const struct drbdctl_fence_options options = {.asked = on_asked, .context = console};
    struct diag diag = {0};
    if (drbdctl_fence_open(&console->loop, &options, &console->fence, &diag) == 0)
        return true;
    printf("FAILED: %s\n", diag.text);
    return false;
}

static bool run_step(struct console *console, const char *step)
{
    printf("%6" PRIu64 " step %s\n", passed_ms(console), step);
    if (strncmp(step, "see=", 4) == 0)
        return see(console, step + 4);
    if (strncmp(step, "answer=", 7) == 0)
        return set_answer(console, (int)strtol(step + 7, NULL, 10));
    if (strncmp(step, "never=", 6) == 0) {
        console->never = step + 6;
        return true;
    }
    if (strncmp(step, "wait=", 5) == 0) {
        uint64_t until_ms = common_boot_ms() + (uint64_t)strtol(step + 5, NULL, 10);
        while (common_boot_ms() < until_ms)
            turn(console);
        return true;
    }
    return run_command(console, step);
}

static int print_resource(char **argv)
{
    const struct drbdctl_timings *timings = drbdctl_timings_named(argv[0]);
    if (timings == NULL)
        return 2;
    const struct drbdctl_resource resource = {
        .name = DRBDCTL_RESOURCE,
        .host = {{"a", argv[1], argv[3]}, {"b", argv[2], argv[3]}},
        .port = 7788,
        .shared_secret = "only-for-this-story-0123456789",
        .fence_helper = DRBDCTL_FENCE_HELPER,
        .timings = *timings,
    };
    struct buf text = {0};
    struct diag diag = {0};
    int r = drbdctl_resource_text(&resource, &text, &diag);
    (void)fputs(r == 0 ? text.data : diag.text, r == 0 ? stdout : stderr);
    buf_done(&text);
    return r == 0 ? 0 : 1;
}

static int print_global(void)
{
    struct buf text = {0};
    drbdctl_global_text(&text);
    (void)fputs(text.data != NULL ? text.data : "", stdout);
    buf_done(&text);
    return 0;
}

static int walk(int argc, char **argv)
{
    struct console console = {.began_ms = common_boot_ms()};
    const struct drbdctl_options options = {
        .disk = getenv("DRBD_DISK"), .on_state = on_state, .context = &console};
    struct diag diag = {0};
    if (uv_loop_init(&console.loop) != 0 ||
        drbdctl_open(&console.loop, &options, &console.link, &diag) != 0) {
        printf("FAILED: %s\n", diag.text);
        return 1;
    }
    for (int i = 1; i < argc && !console.failed; i++)
        if (!run_step(&console, argv[i]))
            console.failed = true;
    const struct drbdctl_state *state = drbdctl_state(console.link);
    if (state->unreadable != 0 || state->unknown_words != 0) {
        printf("FAILED: the stream had lines or words that are not known\n");
        console.failed = true;
    }
    drbdctl_close(console.link);
    drbdctl_fence_close(console.fence);
    (void)uv_run(&console.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&console.loop) == 0 && !console.failed ? 0 : 1;
}

int main(int argc, char **argv)
{
    log_init("drbd-console");
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 6 && strcmp(argv[1], "resource") == 0)
        return print_resource(argv + 2);
    if (argc == 2 && strcmp(argv[1], "global") == 0)
        return print_global();
    return walk(argc, argv);
}
