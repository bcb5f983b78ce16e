/* main.c - the options of og-lab-client, its clock and its records. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

volatile sig_atomic_t client_stop;

static const char help[] =
    "usage: og-lab-client MODE [OPTION...]\n"
    "An application that uses the pair through its service address and measures what it notices.\n"
    "\n"
    "  session   discover, authenticate, open a session; prints it as JSON (--account, "
    "--subscribe)\n"
    "  check     is the session of --session still good? exit 0 or 1, and JSON\n"
    "  write     a stream of POST .../subscriptions (--session, --rate, --connections); --out gets "
    "a\n"
    "            line for each: ACK MS ID | UNKNOWN MS WHY | REFUSED MS STATUS | LOST MS WHY\n"
    "  probe     GET of --url every --every ms; finds outages\n"
    "  channel   opens the event channel of --session or --url and only reads; reconnects\n"
    "  talk      the users of --session and --peer telephone, told on standard input: call, "
    "hangup\n"
    "  arp       which MAC answers for --address on --interface, and do two at once?\n"
    "\n"
    "  --address HOST      the service (10.77.1.100)      --port PORT     (443)\n"
    "  --ca FILE           verify the server's certificate against this authority\n"
    "  --account FILE      its first line is login:password\n"
    "  --session FILE      what 'session' printed          --subscribe     subscribe, too\n"
    "  --peer FILE         talk: the same of the user who is called\n"
    "  --out FILE          the record, appended line by line\n"
    "  --mark FILE         moments in ms since 1970, one a line: losses are counted from them\n"
    "  --url URL           probe (/api/sysstat/health?commit=1), channel\n"
    "  --interface NAME    arp (br1)\n"
    "  --rate N            writes per second (50)          --connections N (1)\n"
    "  --seconds S         end by itself; else SIGTERM or SIGINT ends it\n"
    "  --every MS          probe, arp: between requests (10; arp 20)\n"
    "  --connect-ms MS     limit to connect (200)\n"
    "  --first-ms MS       limit of the first request of a connection, handshake included (2000)\n"
    "  --request-ms MS     limit of every later one (write 2000, probe 300)\n"
    "  --gap-ms MS         probe: a longer time without a good answer is an outage (150)\n"
    "\n"
    "Times are milliseconds since 1970. Exit status: 0 done, 1 failed, 2 wrong use.\n";

int64_t client_wall_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t client_mono_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void client_sleep_until(int64_t mono_ms)
{
    for (;;) {
        int64_t left_ms = mono_ms - client_mono_ms();
        if (left_ms <= 0 || client_stop)
            return;
        (void)poll(NULL, 0, left_ms > 100 ? 100 : (int)left_ms);
    }
}

int64_t client_deadline(const struct client_options *options)
{
    return options->seconds > 0 ? client_mono_ms() + (int64_t)(options->seconds * 1000) : 0;
}

bool client_over(int64_t deadline_ms)
{
    return client_stop || (deadline_ms != 0 && client_mono_ms() >= deadline_ms);
}

int client_record_open(struct client_record *record, const char *path)
{
    record->fd = -1;
    if (path == NULL)
        return 0;
    record->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (record->fd < 0) {
        int r = -errno;
        fprintf(stderr, "og-lab-client: cannot write %s: %s\n", path, strerror(errno));
        return r;
    }
    return 0;
}

void client_record_line(struct client_record *record, const char *format, ...)
{
    char line[4096];
    va_list args;

    if (record->fd < 0)
        return;
    va_start(args, format);
    int length = vsnprintf(line, sizeof(line) - 1, format, args);
    va_end(args);
    if (length < 0)
        return;
    size_t used = (size_t)length < sizeof(line) - 2 ? (size_t)length : sizeof(line) - 2;
    line[used++] = '\n';
    /* one write: lines of several threads do not mix. A record that cannot be kept is useless. */
    if (write(record->fd, line, used) != (ssize_t)used) {
        perror("og-lab-client: record");
        abort();
    }
}

void client_record_close(struct client_record *record)
{
    if (record->fd >= 0)
        (void)close(record->fd);
    record->fd = -1;
}

static void on_stop(int number)
{
    (void)number;
    client_stop = 1;
}

static int number_option(const char *name, const char *text, double lowest, double *ret_value)
{
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    if (errno != 0 || end == text || *end != '\0' || !(value >= lowest) || value > 1e7) {
        fprintf(stderr, "og-lab-client: --%s: '%s' is not a number from %g on\n", name, text,
                lowest);
        return -EINVAL;
    }
    *ret_value = value;
    return 0;
}

enum option_id {
    OPTION_ADDRESS = 256,
    OPTION_PORT,
    OPTION_CA,
    OPTION_ACCOUNT,
    OPTION_SESSION,
    OPTION_PEER,
    OPTION_SUBSCRIBE,
    OPTION_OUT,
    OPTION_MARK,
    OPTION_URL,
    OPTION_INTERFACE,
    OPTION_RATE,
    OPTION_CONNECTIONS,
    OPTION_SECONDS,
    OPTION_EVERY,
    OPTION_CONNECT_MS,
    OPTION_FIRST_MS,
    OPTION_REQUEST_MS,
    OPTION_GAP_MS,
    OPTION_HELP,
};

static const struct option option_names[] = {
    {"address", required_argument, NULL, OPTION_ADDRESS},
    {"port", required_argument, NULL, OPTION_PORT},
    {"ca", required_argument, NULL, OPTION_CA},
    {"account", required_argument, NULL, OPTION_ACCOUNT},
    {"session", required_argument, NULL, OPTION_SESSION},
    {"peer", required_argument, NULL, OPTION_PEER},
    {"subscribe", no_argument, NULL, OPTION_SUBSCRIBE},
    {"out", required_argument, NULL, OPTION_OUT},
    {"mark", required_argument, NULL, OPTION_MARK},
    {"url", required_argument, NULL, OPTION_URL},
    {"interface", required_argument, NULL, OPTION_INTERFACE},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"connections", required_argument, NULL, OPTION_CONNECTIONS},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"every", required_argument, NULL, OPTION_EVERY},
    {"connect-ms", required_argument, NULL, OPTION_CONNECT_MS},
    {"first-ms", required_argument, NULL, OPTION_FIRST_MS},
    {"request-ms", required_argument, NULL, OPTION_REQUEST_MS},
    {"gap-ms", required_argument, NULL, OPTION_GAP_MS},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

/* Options with a text are put down as they are. Returns whether id is one of them. */
static bool text_option(struct client_options *options, int id, const char *text)
{
    const char **place = NULL;
    switch (id) {
    case OPTION_ADDRESS:
        place = &options->address;
        break;
    case OPTION_PORT:
        place = &options->port;
        break;
    case OPTION_CA:
        place = &options->ca_file;
        break;
    case OPTION_ACCOUNT:
        place = &options->account_file;
        break;
    case OPTION_SESSION:
        place = &options->session_file;
        break;
    case OPTION_PEER:
        place = &options->peer_file;
        break;
    case OPTION_OUT:
        place = &options->out_file;
        break;
    case OPTION_MARK:
        place = &options->mark_file;
        break;
    case OPTION_URL:
        place = &options->url;
        break;
    case OPTION_INTERFACE:
        place = &options->interface;
        break;
    default:
        return false;
    }
    *place = text;
    return true;
}

static bool millisecond_option(struct client_options *options, int id, unsigned value)
{
    switch (id) {
    case OPTION_CONNECTIONS:
        options->connections = value;
        break;
    case OPTION_EVERY:
        options->every_ms = value;
        break;
    case OPTION_CONNECT_MS:
        options->connect_ms = value;
        break;
    case OPTION_FIRST_MS:
        options->first_ms = value;
        break;
    case OPTION_REQUEST_MS:
        options->request_ms = value;
        break;
    case OPTION_GAP_MS:
        options->gap_ms = value;
        break;
    default:
        return false;
    }
    return true;
}

static int parse_options(struct client_options *options, int argc, char **argv)
{
    int id;
    int index = 0;
    while ((id = getopt_long(argc, argv, "", option_names, &index)) != -1) {
        double value = 0;
        if (id == OPTION_HELP) {
            (void)fputs(help, stdout);
            exit(0);
        }
        if (id == '?')
            return -EINVAL;
        if (text_option(options, id, optarg))
            continue;
        if (id == OPTION_SUBSCRIBE) {
            options->subscribe = true;
            continue;
        }
        bool real = id == OPTION_RATE || id == OPTION_SECONDS;
        if (number_option(option_names[index].name, optarg, real ? 0.001 : 1, &value) < 0)
            return -EINVAL;
        if (id == OPTION_RATE)
            options->rate_per_s = value;
        else if (id == OPTION_SECONDS)
            options->seconds = value;
        else
            (void)millisecond_option(options, id, (unsigned)value);
    }
    return optind == argc ? 0 : -EINVAL;
}

struct mode {
    const char *name;
    int (*run)(const struct client_options *options);
    unsigned every_ms, request_ms;
};
static const struct mode modes[] = {
    {"session", client_run_session, 10, 10000}, {"check", client_run_check, 10, 5000},
    {"write", client_run_write, 10, 2000},      {"probe", client_run_probe, 10, 300},
    {"channel", client_run_channel, 10, 2000},  {"arp", client_run_arp, 20, 300},
    {"talk", client_run_talk, 10, 5000},
};

int main(int argc, char **argv)
{
    struct client_options options = {
        .address = "10.77.1.100",
        .port = "443",
        .url = NULL,
        .interface = "br1",
        .rate_per_s = 50,
        .connections = 1,
        .connect_ms = 200,
        .first_ms = 2000,
        .gap_ms = 150,
    };
    const struct sigaction stop = {.sa_handler = on_stop};

    if (argc < 2) {
        (void)fputs(help, stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0) {
        (void)fputs(help, stdout);
        return 0;
    }
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(argv[1], modes[i].name) != 0)
            continue;
        options.every_ms = modes[i].every_ms;
        options.request_ms = modes[i].request_ms;
        if (parse_options(&options, argc - 1, argv + 1) < 0) {
            fprintf(stderr, "og-lab-client: wrong use, see --help\n");
            return 2;
        }
        (void)signal(SIGPIPE, SIG_IGN);
        (void)sigaction(SIGTERM, &stop, NULL);
        (void)sigaction(SIGINT, &stop, NULL);
        int status = modes[i].run(&options);
        return fflush(stdout) == 0 ? status : 1;
    }
    fprintf(stderr, "og-lab-client: there is no mode '%s', see --help\n", argv[1]);
    return 2;
}
