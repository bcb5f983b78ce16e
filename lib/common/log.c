/* Nothing here may stop the caller for long: the arbiter logs while it decides. The journal is
 * therefore written by its own documented datagram protocol (systemd, "Native Journal Protocol")
 * and not by sd_journal_sendv(), which waits without limit when journald hangs, for instance on
 * the very disk whose failure we are handling. */
#include "lib/common/log.h"

#include "lib/common/common.h"
#include "lib/common/log_private.h"
#include "lib/common/log_text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    MODULES_MAX = 64,
    MODULE_CHARS = 32,
    LINE_BYTES = 4096,
    JOURNAL_PATIENCE_US = 50000 /* one stall of this length, then lines are dropped and counted */
};

enum target { TARGET_PLAIN, TARGET_COLOUR, TARGET_JOURNAL };

/* Levels are read without a lock: an entry never moves, and `module_count` is raised only after
 * its name is complete. */
struct module_level {
    char name[MODULE_CHARS];
    atomic_int level;
};

static struct {
    char program[MODULE_CHARS];
    atomic_int target;
    atomic_int journal_fd;
    struct sockaddr_un journal;
    atomic_bool journal_stalled;
    atomic_ulong dropped;
    atomic_int default_level;
    atomic_int highest_level; /* no module logs above this: the quick answer of log_wanted() */
    atomic_uint module_count;
    struct module_level modules[MODULES_MAX];
    pthread_mutex_t change;
} state = {
    .journal_fd = -1,
    .journal = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"},
    .default_level = LOG_LEVEL_INFO,
    .highest_level = LOG_LEVEL_INFO,
    .change = PTHREAD_MUTEX_INITIALIZER,
};

#define LEVEL_NAME(id, text) [LOG_LEVEL_##id] = text,
static const char *const level_names[LOG_LEVEL_COUNT] = {LOG_LEVELS(LEVEL_NAME)};
static const int syslog_priorities[LOG_LEVEL_COUNT] = {3, 4, 5, 6, 7, 7};
static const char *const level_colours[LOG_LEVEL_COUNT] = {"31;1", "33;1", "1", "0", "2", "2"};

const char *log_level_name(enum log_level level)
{
    return (unsigned)level < LOG_LEVEL_COUNT ? level_names[level] : "?";
}

bool log_level_parse(const char *text, enum log_level *ret_level)
{
    for (int level = 0; level < LOG_LEVEL_COUNT; level++)
        if (strcmp(text, level_names[level]) == 0) {
            *ret_level = (enum log_level)level;
            return true;
        }
    return false;
}

/* systemd names the device and inode of the stream it gave us; a program started from there with
 * another stderr must not write to the journal. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM"); /* NOLINT(concurrency-mt-unsafe) */
    struct stat st;
    if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
        return false;
    char own[64];
    (void)snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, own) == 0;
}

static int open_journal(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    const struct timeval patience = {.tv_usec = JOURNAL_PATIENCE_US};
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return fd;
}

void log_init(const char *program)
{
    (void)snprintf(state.program, sizeof(state.program), "%s", program);
    int target = isatty(STDERR_FILENO) ? TARGET_COLOUR : TARGET_PLAIN;
    if (stderr_is_journal() && atomic_load(&state.journal_fd) < 0)
        atomic_store(&state.journal_fd, open_journal());
    if (stderr_is_journal() && atomic_load(&state.journal_fd) >= 0)
        target = TARGET_JOURNAL;
    atomic_store(&state.target, target);
}

void log__set_journal_socket(const char *path)
{
    (void)snprintf(state.journal.sun_path, sizeof(state.journal.sun_path), "%s", path);
}

static struct module_level *find_module(const char *module)
{
    unsigned count = atomic_load_explicit(&state.module_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++)
        if (strcmp(state.modules[i].name, module) == 0)
            return &state.modules[i];
    return NULL;
}

static int set_module_level(const char *module, enum log_level level)
{
    struct module_level *known = find_module(module);
    if (known != NULL) {
        atomic_store(&known->level, level);
        return 0;
    }
    unsigned count = atomic_load(&state.module_count);
    if (count == MODULES_MAX || strlen(module) >= MODULE_CHARS)
        return -ENOBUFS;
    struct module_level *fresh = &state.modules[count];
    memcpy(fresh->name, module, strlen(module) + 1);
    atomic_store(&fresh->level, level);
    atomic_store_explicit(&state.module_count, count + 1, memory_order_release);
    return 0;
}

static void set_all_levels(enum log_level level)
{
    atomic_store(&state.default_level, level);
    unsigned count = atomic_load(&state.module_count);
    for (unsigned i = 0; i < count; i++)
        atomic_store(&state.modules[i].level, level);
}

static void note_highest_level(void)
{
    int highest = atomic_load(&state.default_level);
    unsigned count = atomic_load(&state.module_count);
    for (unsigned i = 0; i < count; i++) {
        int level = atomic_load(&state.modules[i].level);
        highest = level > highest ? level : highest;
    }
    atomic_store(&state.highest_level, highest);
}

void log_set_level(const char *module, enum log_level level)
{
    if ((unsigned)level >= LOG_LEVEL_COUNT)
        return;
    int r = 0;
    (void)pthread_mutex_lock(&state.change);
    if (module == NULL)
        set_all_levels(level);
    else
        r = set_module_level(module, level);
    note_highest_level();
    (void)pthread_mutex_unlock(&state.change);
    if (r < 0)
        log_warning("log", "no level for module %s: its name is too long or %d modules have one",
                    module, MODULES_MAX);
}

bool log_wanted(const char *module, enum log_level level)
{
    if ((int)level > atomic_load_explicit(&state.highest_level, memory_order_relaxed))
        return false;
    const struct module_level *known = find_module(module);
    int limit = atomic_load_explicit(known != NULL ? &known->level : &state.default_level,
                                     memory_order_relaxed);
    return (int)level <= limit;
}

/* One write per line, so that lines of several threads and processes do not mix. A reader that
 * does not read (a full pipe in non-blocking mode) loses lines, it does not stop us. */
static void write_stderr(const char *line, size_t len_bytes)
{
    while (len_bytes > 0) {
        ssize_t done = write(STDERR_FILENO, line, len_bytes);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return;
        line += done;
        len_bytes -= (size_t)done;
    }
}

static void write_line(enum target target, const char *module, enum log_level level,
                       const struct log_field *fields, const char *message)
{
    char line[LINE_BYTES];
    struct log_text text = {.data = line, .cap_bytes = sizeof(line) - 1};
    bool colour = target == TARGET_COLOUR;

    struct timespec now = {0};
    struct tm utc = {0};
    char stamp[32] = "";
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &utc) != NULL)
        (void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);

    if (colour)
        log_text_addf(&text, "\x1b[%sm", level_colours[level]);
    log_text_addf(&text, "%s.%03ldZ %s %s %s: ", stamp, now.tv_nsec / 1000000, state.program,
                  level_names[level], module);
    log_text_add_safe(&text, message);
    for (; fields != NULL && fields->key != NULL; fields++)
        log_text_add_pair(&text, fields->key, fields->value);
    if (colour)
        log_text_close(&text, "\x1b[0m");
    line[text.len_bytes] = '\n'; /* cap_bytes left one byte for it */
    write_stderr(line, text.len_bytes + 1);
}

static int send_journal(const char *data, size_t len_bytes)
{
    /* After one stall, no further waiting until journald takes lines again. */
    int flags = MSG_NOSIGNAL | (atomic_load(&state.journal_stalled) ? MSG_DONTWAIT : 0);
    ssize_t sent;
    do
        sent = sendto(atomic_load(&state.journal_fd), data, len_bytes, flags,
                      (const struct sockaddr *)&state.journal, sizeof(state.journal));
    while (sent < 0 && errno == EINTR);
    int r = sent < 0 ? -errno : 0;
    atomic_store(&state.journal_stalled, r == -EAGAIN);
    return r;
}

static int write_journal(const char *module, enum log_level level, const struct log_field *fields,
                         const char *message)
{
    char data[LINE_BYTES];
    struct log_text text = {.data = data, .cap_bytes = sizeof(data)};
    log_text_add_journal(&text, state.program, syslog_priorities[level], module, level_names[level],
                         message);
    for (; fields != NULL && fields->key != NULL; fields++)
        log_text_add_journal_field(&text, fields->key, fields->value);
    return send_journal(data, text.len_bytes);
}

static void emit(const char *module, enum log_level level, const struct log_field *fields,
                 const char *message)
{
    enum target target = (enum target)atomic_load(&state.target);
    if (target != TARGET_JOURNAL) {
        write_line(target, module, level, fields, message);
        return;
    }
    int r = write_journal(module, level, fields, message);
    if (r == -EAGAIN) {
        (void)atomic_fetch_add(&state.dropped, 1);
        return;
    }
    if (r < 0) {
        write_line(TARGET_PLAIN, module, level, fields, message);
        return;
    }
    unsigned long dropped = atomic_exchange(&state.dropped, 0);
    if (dropped > 0) {
        char lost[80];
        (void)snprintf(lost, sizeof(lost), "%lu lines were lost while the journal was stalled",
                       dropped);
        if (write_journal("log", LOG_LEVEL_WARNING, NULL, lost) < 0)
            (void)atomic_fetch_add(&state.dropped, dropped);
    }
}

__attribute__((format(printf, 4, 0))) static void vlog(const char *module, enum log_level level,
                                                       const struct log_field *fields,
                                                       const char *format, va_list arguments)
{
    int saved_errno = errno; /* logging an error must not change it */
    char message[2048];
    if (vsnprintf(message, sizeof(message), format, arguments) >= 0)
        emit(module, level, fields, message);
    errno = saved_errno;
}

void log_write(const char *module, enum log_level level, const char *format, ...)
{
    if ((unsigned)level >= LOG_LEVEL_COUNT || !log_wanted(module, level))
        return;
    va_list arguments;
    va_start(arguments, format);
    vlog(module, level, NULL, format, arguments);
    va_end(arguments);
}

void log_write_fields(const char *module, enum log_level level, const struct log_field *fields,
                      const char *format, ...)
{
    if ((unsigned)level >= LOG_LEVEL_COUNT || !log_wanted(module, level))
        return;
    va_list arguments;
    va_start(arguments, format);
    vlog(module, level, fields, format, arguments);
    va_end(arguments);
}
