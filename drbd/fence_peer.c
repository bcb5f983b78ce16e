/* drbd-fence-peer - asks solution-control whether this node may go on without its peer.
 *
 *     drbd-fence-peer [SOCKET [LIMIT_MS]]        (the arguments are for tests)
 *
 * Started by the kernel through drbdadm while DRBD holds back every write, with hardly any
 * environment and possibly with the root file system's other users stuck. So it is static, opens
 * nothing but the daemon's socket and the kernel's log, allocates nothing, and calls none of the
 * C library's string functions: on some virtual machines their vector registers do not survive
 * a signal.
 *
 * Its exit code is a command to the kernel. 7, 4 and 6 are passed on when the daemon, running as
 * root, said so in one well-formed line; every other case, a signal included, ends with 1 ("not
 * known": stay frozen). 0, 3 and 5 would permit more than anybody decided and never occur. */
#include "drbd/drbd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_UNKNOWN = 1, LIMIT_DEFAULT_MS = 8000, LIMIT_MAX_MS = 60000, NAME_MAX_BYTES = 63 };

struct text {
    char data[192];
    size_t len;
};

static void add(struct text *text, const char *word)
{
    while (*word != '\0' && text->len < sizeof(text->data))
        text->data[text->len++] = *word++;
}

static void add_number(struct text *text, long number)
{
    char digits[24];
    size_t at = sizeof(digits) - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    add(text, &digits[at]);
}

static long now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The kernel's log needs no daemon and no disk. */
static void report(const char *resource, const char *what, int code, long took_ms)
{
    struct text line = {.len = 0};
    add(&line, code == ANSWER_UNKNOWN ? "<4>" : "<5>");
    add(&line, "drbd-fence-peer: resource ");
    add(&line, resource);
    add(&line, ": ");
    add(&line, what);
    add(&line, ", exit ");
    add_number(&line, code);
    add(&line, " after ");
    add_number(&line, took_ms);
    add(&line, " ms\n");
    int fd = open("/dev/kmsg", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t written = write(fd, line.data, line.len);
    (void)written;
    (void)close(fd);
}

static void die_unknown(int signal_number)
{
    (void)signal_number;
    _exit(ANSWER_UNKNOWN);
}

/* A signal must not become an exit status that drbdadm reads as something else; and the alarm
 * ends every call that could block longer than the limit. */
static void arm(long limit_ms)
{
    const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2};
    const struct sigaction action = {.sa_handler = die_unknown};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)sigaction(signals[i], &action, NULL);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    const struct itimerval timer = {
        .it_value = {.tv_sec = limit_ms / 1000, .tv_usec = limit_ms % 1000 * 1000 + 1}};
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

/* The name goes to the daemon as part of a line: only what a DRBD resource is called. */
static bool is_name(const char *name)
{
    size_t len = 0;
    for (; name[len] != '\0'; len++) {
        char c = name[len];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
        if (!ok || len >= NAME_MAX_BYTES)
            return false;
    }
    return len > 0;
}

/* Only root (or, in tests, ourselves) may tell the kernel to go on. */
static bool is_trusted(int fd)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t len = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static int open_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = 0;
    for (; path[len] != '\0'; len++) {
        if (len == sizeof(address.sun_path) - 1)
            return -1;
        address.sun_path[len] = path[len];
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 || !is_trusted(fd)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool send_question(int fd, const char *resource)
{
    struct text line = {.len = 0};
    add(&line, "fence ");
    add(&line, resource);
    add(&line, "\n");
    return send(fd, line.data, line.len, MSG_NOSIGNAL) == (ssize_t)line.len;
}

/* Exactly "answer D\n" with D one of 7, 4, 6, 1, then nothing more; else 0. */
static int parse_answer(const char *line, size_t len)
{
    static const char lead[] = "answer ";
    enum { LEAD = sizeof(lead) - 1 };
    if (len != LEAD + 2 || line[LEAD + 1] != '\n')
        return 0;
    for (size_t i = 0; i < LEAD; i++)
        if (line[i] != lead[i])
            return 0;
    switch (line[LEAD]) {
    case '7':
        return 7;
    case '4':
        return 4;
    case '6':
        return 6;
    case '1':
        return 1;
    default:
        return 0;
    }
}

/* Reads until the daemon closes, so that nothing can follow the line unseen. Returns the answer,
 * or 0 with a reason. */
static int read_answer(int fd, long deadline_ms, const char **ret_reason)
{
    char line[32];
    size_t len = 0;
    while (true) {
        long left_ms = deadline_ms - now_ms();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = left_ms > 0 ? poll(&wait, 1, (int)left_ms) : 0;
        *ret_reason = "the daemon did not answer in time";
        if (ready == 0)
            return 0;
        *ret_reason = "the connection broke";
        if (ready < 0)
            return 0;
        ssize_t got = recv(fd, line + len, sizeof(line) - len, 0);
        if (got < 0)
            return 0;
        *ret_reason = len == 0 ? "the daemon closed without an answer"
                               : "the daemon's answer is not understood";
        if (got == 0)
            return parse_answer(line, len);
        len += (size_t)got;
        if (len == sizeof(line))
            return 0;
    }
}

static long parse_limit(const char *text)
{
    long limit = 0;
    for (; *text >= '0' && *text <= '9' && limit <= LIMIT_MAX_MS; text++)
        limit = limit * 10 + (*text - '0');
    return *text == '\0' && limit > 0 && limit <= LIMIT_MAX_MS ? limit : LIMIT_DEFAULT_MS;
}

int main(int argc, char **argv)
{
    long begin_ms = now_ms();
    long limit_ms = argc > 2 ? parse_limit(argv[2]) : LIMIT_DEFAULT_MS;
    arm(limit_ms + 200); /* behind the poll's own limit, which can still say why */

    const char *resource = getenv("DRBD_RESOURCE");
    if (resource == NULL || !is_name(resource)) {
        report("?", "no resource named by drbdadm", ANSWER_UNKNOWN, 0);
        return ANSWER_UNKNOWN;
    }
    const char *reason = "the daemon is not there";
    int answer = 0;
    int fd = open_socket(argc > 1 ? argv[1] : DRBDCTL_FENCE_SOCKET);
    if (fd >= 0 && send_question(fd, resource))
        answer = read_answer(fd, begin_ms + limit_ms, &reason);
    int code = answer != 0 ? answer : ANSWER_UNKNOWN;
    report(resource, answer != 0 ? "the daemon answered" : reason, code, now_ms() - begin_ms);
    return code;
}
