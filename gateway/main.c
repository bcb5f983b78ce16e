/* roxe-gateway: command line, signals, exit codes. */
#include "gateway/api/routes_text.h"
#include "gateway/gateway.h"
#include "gateway/gateway_settings.h"
#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char module[] = "gateway";

enum { EXIT_USAGE = 64, EXIT_START = 69, EXIT_CONFIG = 78 }; /* sysexits(3) */

struct options {
    const char *config;
    bool check_only;
};

struct program {
    struct gateway *gateway;
    uv_loop_t loop;
    uv_signal_t term, interrupt, hangup, pipe;
};

static void print_help(void)
{
    struct buf text = {0};
    buf_adds(&text, "Usage: roxe-gateway [--config FILE] [--check-config]\n"
                    "       roxe-gateway --routes\n"
                    "REST API of Open Gateway on the active node; started by solution-control.\n\n"
                    "  --config FILE    settings (default " GATEWAY_SETTINGS_FILE ")\n"
                    "  --check-config   only check the settings and say what is wrong\n"
                    "  --routes         print the routes as tab-separated values: service,\n"
                    "                   method, path, access, licence\n"
                    "  --help           this text\n"
                    "  --version        version\n\n"
                    "Settings (one JSON object):\n");
    gateway_settings_describe(&text);
    buf_adds(&text, "\nSignals: SIGTERM and SIGINT stop in order, SIGHUP reads administrators and\n"
                    "certificate again.\n"
                    "Exit codes: 0 stopped in order, 64 usage, 69 could not start, 78 wrong "
                    "settings.\n");
    (void)fputs(text.data != NULL ? text.data : "", stdout);
    buf_done(&text);
}

static int print_routes(void)
{
    struct buf text = {0};
    routes_text_tsv(&text);
    int r = text.failed || fputs(text.data, stdout) < 0 || fflush(stdout) != 0 ? EXIT_START : 0;
    buf_done(&text);
    return r;
}

/* Returns -1 to go on, else the exit code. */
static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'}, {"check-config", no_argument, NULL, 'k'},
        {"routes", no_argument, NULL, 'r'},       {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},      {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
        switch (option) {
        case 'c':
            options->config = optarg;
            break;
        case 'k':
            options->check_only = true;
            break;
        case 'r':
            return print_routes();
        case 'h':
            print_help();
            return 0;
        case 'v':
            (void)printf("roxe-gateway %s\n", OG_VERSION);
            return 0;
        default:
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "roxe-gateway: %s: no such argument; see --help\n", argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

/* Each line of problems is one mistake. */
static void log_problems(const char *config, struct buf *problems)
{
    char *rest = NULL;
    for (char *line = strtok_r(problems->data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        log_error(module, "%s: %s", config, line);
}

static void on_closed(uv_handle_t *handle)
{
    (void)handle;
}

static void on_stopped(void *context)
{
    struct program *program = context;
    gateway_free(program->gateway);
    program->gateway = NULL;
    uv_close((uv_handle_t *)&program->term, on_closed);
    uv_close((uv_handle_t *)&program->interrupt, on_closed);
    uv_close((uv_handle_t *)&program->hangup, on_closed);
    uv_close((uv_handle_t *)&program->pipe, on_closed);
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
    struct program *program = handle->data;
    (void)number;
    if (program->gateway != NULL)
        gateway_stop(program->gateway, on_stopped, program);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    struct program *program = handle->data;
    (void)number;
    if (program->gateway != NULL)
        gateway_reload(program->gateway);
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

static int run(const struct gateway_settings *settings)
{
    struct program program = {0};
    struct diag diag = {0};
    /* two for password hashes, the others so that a frozen disk cannot hold them up */
    (void)setenv("UV_THREADPOOL_SIZE", "6", 0);
    if (uv_loop_init(&program.loop) < 0)
        return EXIT_START;
    watch_signal(&program, &program.term, on_stop_signal, SIGTERM);
    watch_signal(&program, &program.interrupt, on_stop_signal, SIGINT);
    watch_signal(&program, &program.hangup, on_hangup, SIGHUP);
    watch_signal(&program, &program.pipe, on_ignored, SIGPIPE);

    int r = gateway_new(&program.loop, settings, &program.gateway, &diag);
    if (r < 0) {
        log_error(module, "cannot start: %s", diag.text);
        return EXIT_START;
    }
    (void)uv_run(&program.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&program.loop);
    return 0;
}

int main(int argc, char **argv)
{
    static struct gateway_settings settings; /* large */
    struct options options = {.config = GATEWAY_SETTINGS_FILE};
    struct buf problems = {0};
    enum log_level level;

    int code = parse_options(argc, argv, &options);
    if (code >= 0)
        return code;
    log_init("roxe-gateway");
    int r = gateway_settings_read(options.config, &settings, &problems);
    if (r < 0) {
        log_problems(options.config, &problems);
        buf_done(&problems);
        return EXIT_CONFIG;
    }
    buf_done(&problems);
    if (options.check_only) {
        (void)printf("%s: all settings are right\n", options.config);
        return 0;
    }
    if (log_level_parse(settings.log_level, &level))
        log_set_level(NULL, level);
    return run(&settings);
}
