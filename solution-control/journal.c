#include "solution-control/journal.h"

#include "lib/common/common.h"
#include "lib/common/json.h"
#include "lib/common/log.h"
#include "lib/common/timer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char module[] = "journal";

struct journal {
    uv_loop_t *loop;
    char *path;
    struct buf waiting; /* lines to be written next */
    struct buf writing; /* lines the pool writes now */
    uv_work_t work;
    bool busy, closed;
    int error;
    void (*flushed)(void *context);
    void *flush_context;
    struct timer *limit;
};

static void append_time(struct buf *out)
{
    struct timespec now;
    struct tm parts;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    char text[32];
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    buf_addf(out, "\"at\":\"%s.%03ldZ\",\"at_s\":%lld", text, now.tv_nsec / 1000000,
             (long long)now.tv_sec);
}

static void append_entry(struct buf *out, const struct journal_entry *entry)
{
    buf_adds(out, "{");
    append_time(out);
    buf_addf(out, ",\"up_ms\":%llu,\"event\":", (unsigned long long)common_boot_ms());
    buf_add_json_string(out, entry->event);
    if (entry->from != NULL) {
        buf_adds(out, ",\"from\":");
        buf_add_json_string(out, entry->from);
    }
    if (entry->to != NULL) {
        buf_adds(out, ",\"to\":");
        buf_add_json_string(out, entry->to);
    }
    if (entry->row != 0)
        buf_addf(out, ",\"row\":%u", entry->row);
    buf_addf(out, ",\"term\":%llu,\"text\":", (unsigned long long)entry->term);
    buf_add_json_string(out, entry->text);
    buf_adds(out, "}\n");
}

static int open_for_append(const char *path)
{
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size < JOURNAL_MAX_BYTES / 2)
        return fd;

    char old[4096];
    int len = snprintf(old, sizeof(old), "%s.1", path);
    if (len > 0 && (size_t)len < sizeof(old) && rename(path, old) == 0) {
        (void)close(fd);
        fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    }
    return fd;
}

/* A power cut or a full disk leaves half a line; what is appended must not become part of it. */
static bool ends_torn(int fd)
{
    char last = '\n';
    off_t end = lseek(fd, 0, SEEK_END);
    return end > 0 && (pread(fd, &last, 1, end - 1) != 1 || last != '\n');
}

static int write_all(int fd, const char *bytes, size_t len_bytes)
{
    while (len_bytes > 0) {
        ssize_t n = write(fd, bytes, len_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        bytes += n;
        len_bytes -= (size_t)n;
    }
    return 0;
}

static void write_on_pool(uv_work_t *work)
{
    struct journal *journal = work->data;
    AUTO(common_closep) int fd = open_for_append(journal->path);
    if (fd < 0) {
        journal->error = -errno;
        return;
    }
    journal->error = ends_torn(fd) ? write_all(fd, "\n", 1) : 0;
    if (journal->error == 0)
        journal->error = write_all(fd, journal->writing.data, journal->writing.len_bytes);
    if (journal->error == 0 && fdatasync(fd) != 0)
        journal->error = -errno;
}

static void journal_destroy(struct journal *journal)
{
    buf_done(&journal->waiting);
    buf_done(&journal->writing);
    timer_free(journal->limit);
    free(journal->path);
    free(journal);
}

static void finish_flush(struct journal *journal)
{
    void (*done)(void *) = journal->flushed;
    journal->flushed = NULL;
    timer_stop(journal->limit);
    if (done != NULL)
        done(journal->flush_context);
}

static void start_writing(struct journal *journal);

static void on_written(uv_work_t *work, int status)
{
    struct journal *journal = work->data;
    (void)status;
    journal->busy = false;
    if (journal->error != 0)
        log_warning(module, "cannot write %s: %s; free space on the local disk", journal->path,
                    strerror(-journal->error));
    buf_clear(&journal->writing);
    if (journal->waiting.len_bytes > 0)
        start_writing(journal);
    else if (journal->closed)
        journal_destroy(journal);
    else
        finish_flush(journal);
}

static void start_writing(struct journal *journal)
{
    struct buf empty = journal->writing;
    journal->writing = journal->waiting;
    journal->waiting = empty;
    journal->busy = true;
    journal->work.data = journal;
    (void)uv_queue_work(journal->loop, &journal->work, write_on_pool, on_written);
}

static void on_limit(void *context)
{
    finish_flush(context);
}

int journal_open(uv_loop_t *loop, const char *path, struct journal **ret_journal, struct diag *diag)
{
    struct journal *journal = calloc(1, sizeof(*journal));
    if (journal == NULL)
        return diag_fail(diag, -ENOMEM, "journal: no memory");
    journal->loop = loop;
    journal->path = strdup(path);
    journal->limit = timer_new(loop, on_limit, journal);
    if (journal->path == NULL || journal->limit == NULL) {
        journal_destroy(journal);
        return diag_fail(diag, -ENOMEM, "journal: no memory");
    }
    *ret_journal = journal;
    return 0;
}

void journal_write(struct journal *journal, const struct journal_entry *entry)
{
    enum { WAITING_MAX_BYTES = 1024 * 1024 }; /* a disk that hangs must not eat the memory */
    if (journal->waiting.len_bytes > WAITING_MAX_BYTES)
        return;
    append_entry(&journal->waiting, entry);
    if (!journal->busy)
        start_writing(journal);
}

void journal_flush(struct journal *journal, uint64_t limit_ms, void (*done)(void *context),
                   void *context)
{
    journal->flushed = done;
    journal->flush_context = context;
    if (journal->busy)
        timer_start(journal->limit, limit_ms, 0);
    else
        finish_flush(journal);
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    journal->closed = true;
    journal->flushed = NULL;
    if (!journal->busy)
        journal_destroy(journal);
}

/* Reads a whole file into out; a missing file is empty. */
static int read_file(const char *path, struct buf *out)
{
    AUTO(common_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    char chunk[16384];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        buf_add(out, chunk, (size_t)n);
    }
}

static bool wanted(const char *line, size_t len_bytes, int64_t since_s)
{
    cJSON *json = NULL;
    int64_t at_s = 0;
    bool good = json_parse(line, len_bytes, &json, NULL) == 0 && json_int64(json, "at_s", &at_s) &&
                at_s >= since_s;
    cJSON_Delete(json);
    return good;
}

/* From where on `limit` wanted entries stand. Nothing but the number ends the search: neither a
 * line that cannot be read nor one that a wrong clock has dated too early says anything of older
 * ones. */
static const char *newest(const char *begin, const char *end, unsigned limit, int64_t since_s)
{
    const char *first = end;
    for (unsigned count = 0; count < limit && first > begin;) {
        const char *stop = first - 1,
                   *line = stop; /* of a torn last line one byte stays: no entry */
        while (line > begin && line[-1] != '\n')
            line--;
        if (stop > line && wanted(line, (size_t)(stop - line), since_s))
            count++;
        first = line;
    }
    return first;
}

static void add_wanted(struct buf *out, const char *first, const char *end, int64_t since_s)
{
    bool any = false;
    buf_adds(out, "[");
    while (first < end) {
        const char *stop = memchr(first, '\n', (size_t)(end - first));
        if (stop == NULL)
            break; /* torn last line */
        if (stop > first && wanted(first, (size_t)(stop - first), since_s)) {
            buf_adds(out, any ? "," : "");
            buf_add(out, first, (size_t)(stop - first));
            any = true;
        }
        first = stop + 1;
    }
    buf_adds(out, "]");
}

int journal_read(const char *path, unsigned limit, int64_t since_s, struct buf *out,
                 struct diag *diag)
{
    char old[4096];
    struct buf text = {0};
    (void)snprintf(old, sizeof(old), "%s.1", path);
    int r = read_file(old, &text);
    if (r == 0)
        r = read_file(path, &text);
    if (r < 0) {
        buf_done(&text);
        return diag_fail(diag, r, "cannot read %s: %s", path, strerror(-r));
    }

    const char *begin = text.data != NULL ? text.data : "";
    const char *end = begin + text.len_bytes;
    add_wanted(out, newest(begin, end, limit, since_s), end, since_s);
    buf_done(&text);
    return out->failed ? diag_fail(diag, -ENOMEM, "history: no memory") : 0;
}
