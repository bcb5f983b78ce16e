#include "tests/integration/pbx/hostile.h"

#include "lib/common/common.h"
#include "lib/common/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WAIT_MS = 8000 };

/* The log goes to standard error, which is a file here. */
static int log_fd = -1, stderr_copy = -1;

static char *read_log(void)
{
    off_t size = lseek(log_fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)size + 1);
    if (text != NULL && pread(log_fd, text, (size_t)size, 0) != size)
        text[0] = '\0';
    return text;
}

int hostile_begin(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    log_fd = memfd_create("log", MFD_CLOEXEC);
    stderr_copy = dup(STDERR_FILENO);
    if (bench == NULL || log_fd < 0 || stderr_copy < 0 || uv_loop_init(&bench->loop) < 0 ||
        dup2(log_fd, STDERR_FILENO) < 0)
        return -1;
    log_init("test");
    log_set_level(NULL, LOG_LEVEL_DEBUG);
    bench->peer.first_number = 1001;
    bench->peer.devices = 3;
    peer_open(&bench->peer, &bench->loop);
    bench_settings(bench, bench->peer.port);
    bench->settings.directory_s = 3600;
    *state = bench;
    return 0;
}

/* The log is shown after all: whoever looks for a failure's cause needs it. */
int hostile_end(void **state)
{
    struct bench *bench = *state;
    bench_close(bench);
    free(bench);
    AUTO(common_freep) char *log = read_log();
    (void)dup2(stderr_copy, STDERR_FILENO);
    (void)fprintf(stderr, "%s", log != NULL ? log : "");
    (void)close(stderr_copy);
    (void)close(log_fd);
    return 0;
}

unsigned hostile_count(const struct bench *bench, const char *words)
{
    unsigned count = 0;
    for (const char *at = strstr(bench->story, words); at != NULL; at = strstr(at + 1, words))
        count++;
    return count;
}

void hostile_wait(struct bench *bench, const char *words)
{
    uint64_t end_ms = common_boot_ms() + WAIT_MS;
    while (strstr(bench->story, words) == NULL) {
        if (common_boot_ms() > end_ms)
            fail_msg("\"%s\" was not told within %d ms, but: %s", words, WAIT_MS, bench->story);
        bench_run(bench, 2);
    }
}

void hostile_forget(struct bench *bench)
{
    bench->story[0] = '\0';
}

void hostile_settle(struct bench *bench)
{
    bench_open(bench);
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    assert_int_equal(pbx_monitor(bench->pbx, "1002"), 0);
    hostile_wait(bench, "snapshot@1001[");
    hostile_wait(bench, "snapshot@1002[");
    hostile_forget(bench);
}

struct csta_message hostile_delivered(const char *number, const char *call_id)
{
    return (struct csta_message){
        .type = CSTA_DELIVERED,
        .connection = {.call_id = call_id, .device = {.id = number}},
        .subject = {.kind = CSTA_PARTY_DEVICE, .device = {.id = number}},
        .calling = {.kind = CSTA_PARTY_DEVICE, .device = {.id = "2000"}},
        .called = {.kind = CSTA_PARTY_DEVICE, .device = {.id = number}},
        .local = CSTA_LOCAL_ALERTING,
        .cause = "newCall",
    };
}

void hostile_assert_works(struct bench *bench)
{
    const struct csta_message rings = hostile_delivered("1001", "C-alive");
    const struct pbx_make_call call = {.device = "1001", .callee = "1002"};
    struct answer made = {0};
    hostile_forget(bench);
    peer_event(&bench->peer, "1001", &rings);
    hostile_wait(bench, "delivered@1001(C-alive 1001,2000>1001,alerting,");
    assert_int_equal(pbx_make_call(bench->pbx, &call, bench_note_answer, &made), 0);
    assert_true(bench_until(bench, &made.count, 1, WAIT_MS));
    assert_true(made.good);
    assert_int_equal(hostile_count(bench, "down"), 0);
}

void hostile_assert_recovers(struct bench *bench)
{
    hostile_wait(bench, "up ");
    hostile_wait(bench, "snapshot@1001[");
    hostile_wait(bench, "snapshot@1002[");
    hostile_assert_works(bench);
}

void hostile_assert_logged(const char *text)
{
    char *log = read_log();
    bool found = log != NULL && strstr(log, text) != NULL;
    free(log);
    if (!found)
        fail_msg("not logged: \"%s\"", text);
}
