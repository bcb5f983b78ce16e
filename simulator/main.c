/* oxe-simulator: command line, signals, exit codes. */
#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/common/secrets.h"
#include "simulator/numbering.h"
#include "simulator/simulator.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 64, EXIT_START = 69 }; /* sysexits(3) */
enum { PASSWORD_CHARS = 256 };

static const char help[] =
    "Usage: oxe-simulator [OPTION...]\n"
    "A PBX for tests and developers: CSTA III in XML over TCP, and an HTTP interface that\n"
    "presses the keys of its phones.\n\n"
    "  --listen ADDR            address of both interfaces [127.0.0.1]\n"
    "  --csta-port N            0 picks a free one [0]\n"
    "  --control-port N         0 picks a free one [0]\n"
    "  --users N                users; every tenth has a mobile besides [20]\n"
    "  --first-number N         number of the first user [1001]\n"
    "  --node N                 the PBX's node number, shown only [1]\n"
    "  --no-answer MS           a phone rings so long [30000]\n"
    "  --tone MS                a failed call stays so long [20000]\n"
    "  --session S              longest session without renewal [180]\n"
    "  --status-poll S          asks its clients for a sign of life; 0: never [0]\n"
    "  --list-devices N         devices in one part of the device list [100]\n"
    "  --editions LIST          of ECMA-323 that it agrees to [ed6,ed5,ed4,ed3]\n"
    "  --without-session        requests need no application session\n"
    "  --user NAME              user that a session must show\n"
    "  --password-file FILE     that user's password; else $OXE_SIMULATOR_PASSWORD\n"
    "  --log-level LEVEL        error, warning, notice, info, debug [notice]\n"
    "  --json                   one line {\"csta_port\":..,\"control_port\":..} once ready\n"
    "  --help, --version\n\n"
    "Signals: SIGTERM and SIGINT stop it.\n"
    "Exit codes: 0 stopped, 64 usage, 69 could not start.\n";

struct program {
    struct simulator_options options;
    char password[PASSWORD_CHARS];
    bool json;
    uv_loop_t loop;
    uv_signal_t term, interrupt, pipe;
    struct simulator *simulator;
};

/* --- options ---------------------------------------------------------------------------------- */
static int fail_usage(const char *option, const char *value, const char *expected)
{
    (void)fprintf(stderr, "oxe-simulator: --%s '%s': %s\n", option, value, expected);
    return EXIT_USAGE;
}

/* A row per option with a whole number. */
#define AT(field)                                                                                  \
    offsetof(struct simulator_options, field), sizeof(((struct simulator_options *)0)->field)
static const struct number_option {
    const char *name;
    size_t offset, size_bytes;
    uint64_t min, max;
} number_options[] = {
    {"csta-port", AT(csta_port), 0, 65535},       {"control-port", AT(control_port), 0, 65535},
    {"users", AT(users), 0, NUMBERING_USERS_MAX}, {"no-answer", AT(no_answer_ms), 1, 86400000},
    {"tone", AT(tone_ms), 1, 86400000},           {"session", AT(session_s), 1, 86400},
    {"status-poll", AT(status_poll_s), 0, 86400}, {"list-devices", AT(list_devices), 1, 200},
};
#undef AT

static int set_number(struct simulator_options *options, const struct number_option *row,
                      const char *text)
{
    char *end, expected[80];
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value < row->min ||
        value > row->max) {
        (void)snprintf(expected, sizeof(expected), "a number from %llu to %llu is expected",
                       (unsigned long long)row->min, (unsigned long long)row->max);
        return fail_usage(row->name, text, expected);
    }
    char *place = (char *)options + row->offset;
    if (row->size_bytes == sizeof(uint16_t))
        *(uint16_t *)(void *)place = (uint16_t)value;
    else if (row->size_bytes == sizeof(unsigned))
        *(unsigned *)(void *)place = (unsigned)value;
    else
        *(uint64_t *)(void *)place = value;
    return -1;
}

static int set_editions(struct simulator_options *options, const char *text)
{
    static const char *const names[] = {"ed3", "ed4", "ed5", "ed6"};
    options->editions = 0;
    for (const char *at = text; *at != '\0'; at += *at == ',') {
        size_t len = strcspn(at, ","), i = 0;
        while (i < COUNT_OF(names) && (strlen(names[i]) != len || strncmp(names[i], at, len) != 0))
            i++;
        if (i == COUNT_OF(names))
            break;
        options->editions |= 1U << i;
        at += len;
        if (*at == '\0')
            return -1;
    }
    return fail_usage("editions", text, "names out of ed3, ed4, ed5, ed6 with commas are expected");
}

static int read_password(struct program *program, const char *file)
{
    struct diag diag = {0};
    const char *from_environment = getenv("OXE_SIMULATOR_PASSWORD");
    if (file != NULL &&
        secrets_read_file(file, program->password, sizeof(program->password), &diag) < 0)
        return fail_usage("password-file", file, diag.text);
    if (file == NULL && from_environment != NULL)
        (void)snprintf(program->password, sizeof(program->password), "%s", from_environment);
    if (file != NULL || from_environment != NULL)
        program->options.password = program->password;
    return -1;
}

static int set_log_level(const char *text)
{
    enum log_level level;
    if (!log_level_parse(text, &level))
        return fail_usage("log-level", text, "error, warning, notice, info or debug is expected");
    log_set_level(NULL, level);
    return -1;
}

enum { NUMBER_OPTION = 256 }; /* and the row's index */
static const struct option known[] = {
    {"csta-port", required_argument, NULL, NUMBER_OPTION},
    {"control-port", required_argument, NULL, NUMBER_OPTION + 1},
    {"users", required_argument, NULL, NUMBER_OPTION + 2},
    {"no-answer", required_argument, NULL, NUMBER_OPTION + 3},
    {"tone", required_argument, NULL, NUMBER_OPTION + 4},
    {"session", required_argument, NULL, NUMBER_OPTION + 5},
    {"status-poll", required_argument, NULL, NUMBER_OPTION + 6},
    {"list-devices", required_argument, NULL, NUMBER_OPTION + 7},
    {"listen", required_argument, NULL, 'l'},
    {"first-number", required_argument, NULL, 'f'},
    {"node", required_argument, NULL, 'n'},
    {"editions", required_argument, NULL, 'e'},
    {"without-session", no_argument, NULL, 'w'},
    {"user", required_argument, NULL, 'u'},
    {"password-file", required_argument, NULL, 'p'},
    {"log-level", required_argument, NULL, 'g'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},
    {NULL, 0, NULL, 0},
};

/* Returns -1 to go on, else the exit code. */
static int take_option(struct program *program, int option, const char **password_file)
{
    struct simulator_options *options = &program->options;
    switch (option) {
    case 'l':
        options->address = optarg;
        return -1;
    case 'f':
        options->first_number = optarg;
        return -1;
    case 'n':
        options->node = optarg;
        return -1;
    case 'e':
        return set_editions(options, optarg);
    case 'w':
        options->without_session = true;
        return -1;
    case 'u':
        options->user = optarg;
        return -1;
    case 'p':
        *password_file = optarg;
        return -1;
    case 'g':
        return set_log_level(optarg);
    case 'j':
        program->json = true;
        return -1;
    case 'h':
        (void)fputs(help, stdout);
        return 0;
    case 'v':
        (void)printf("oxe-simulator %s\n", OG_VERSION);
        return 0;
    default:
        if (option < NUMBER_OPTION)
            return EXIT_USAGE; /* getopt has said why */
        return set_number(options, &number_options[option - NUMBER_OPTION], optarg);
    }
}

static int parse_options(int argc, char **argv, struct program *program)
{
    const char *password_file = NULL;
    int option, code = -1;
    simulator_options_init(&program->options);
    while (code < 0 && (option = getopt_long(argc, argv, "h", known, NULL)) != -1)
        code = take_option(program, option, &password_file);
    if (code >= 0)
        return code;
    if (optind < argc) {
        (void)fprintf(stderr, "oxe-simulator: %s: no such argument; see --help\n", argv[optind]);
        return EXIT_USAGE;
    }
    return read_password(program, password_file);
}

/* --- running ---------------------------------------------------------------------------------- */
static void on_closed(uv_handle_t *handle)
{
    (void)handle;
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
    struct program *program = handle->data;
    (void)number;
    simulator_free(TAKE(program->simulator));
    uv_close((uv_handle_t *)&program->term, on_closed);
    uv_close((uv_handle_t *)&program->interrupt, on_closed);
    uv_close((uv_handle_t *)&program->pipe, on_closed);
}

static void on_ignored(uv_signal_t *handle, int number)
{
    (void)handle;
    (void)number;
}

static void watch_signal(struct program *program, uv_signal_t *handle, uv_signal_cb fn, int number)
{
    (void)uv_signal_init(&program->loop, handle);
    handle->data = program;
    (void)uv_signal_start(handle, fn, number);
}

static void say_ready(const struct program *program)
{
    unsigned csta_port = simulator_csta_port(program->simulator);
    unsigned control_port = simulator_control_port(program->simulator);
    if (program->json)
        (void)printf("{\"csta_port\":%u,\"control_port\":%u}\n", csta_port, control_port);
    else
        (void)printf("CSTA on %s port %u, control on http://%s:%u\n", program->options.address,
                     csta_port, program->options.address, control_port);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct program program;
    struct diag diag = {0};
    log_init("oxe-simulator");
    log_set_level(NULL, LOG_LEVEL_NOTICE);
    int code = parse_options(argc, argv, &program);
    if (code >= 0)
        return code;
    if (uv_loop_init(&program.loop) < 0)
        return EXIT_START;
    if (simulator_new(&program.loop, &program.options, &program.simulator, &diag) < 0) {
        (void)fprintf(stderr, "oxe-simulator: cannot start: %s\n", diag.text);
        (void)uv_run(&program.loop, UV_RUN_DEFAULT); /* what it had opened closes */
        (void)uv_loop_close(&program.loop);
        return EXIT_START;
    }
    watch_signal(&program, &program.term, on_stop_signal, SIGTERM);
    watch_signal(&program, &program.interrupt, on_stop_signal, SIGINT);
    watch_signal(&program, &program.pipe, on_ignored, SIGPIPE);
    say_ready(&program);
    (void)uv_run(&program.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&program.loop);
    return 0;
}
