/* main.c - solution-control: arguments, one loop, signals. */
#include "solution-control/solution_control.h"

#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static const char module[] = "main";

/* Exit codes, as in sysexits.h where it has one; solution-control(8) lists them. */
enum { EXIT_USAGE = 64, EXIT_FAILED = 70, EXIT_CONFIG = 78 };

static const char usage[] =
    "usage: solution-control [--config FILE]\n"
    "       solution-control [--config FILE] --init [--create-metadata [--wipe]]\n"
    "       solution-control [--config FILE] --check-config\n"
    "\n"
    "The daemon that arbitrates this node of an Open Gateway pair. Started by systemd.\n"
    "\n"
    "  --config FILE      settings to use instead of " CONFIG_FILE "\n"
    "  --check-config     read and check the settings, then end\n"
    "  --init             write the files of the pair and this node's first state, then end\n"
    "  --create-metadata  with --init: make DRBD's metadata on the configured device\n"
    "  --wipe             with --create-metadata: destroy foreign data on that device\n"
    "  --version, --help\n"
    "\n"
    "exit codes: 0 done, 64 wrong arguments, 70 failed, 78 wrong settings\n";

struct program {
    const char *config_path;
    bool init, check;
    struct sol_setup setup;
    uv_loop_t loop;
    uv_signal_t terminate, interrupt;
    struct sol_daemon *daemon;
    bool stopping;
};

enum { OPTION_CONFIG = 1, OPTION_INIT, OPTION_CHECK, OPTION_METADATA, OPTION_WIPE, OPTION_VERSION,
       OPTION_HELP };

/* Returns -1 to go on, else the exit code. */
static int read_arguments(int argc, char **argv, struct program *program)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, OPTION_CONFIG},
        {"init", no_argument, NULL, OPTION_INIT},
        {"check-config", no_argument, NULL, OPTION_CHECK},
        {"create-metadata", no_argument, NULL, OPTION_METADATA},
        {"wipe", no_argument, NULL, OPTION_WIPE},
        {"version", no_argument, NULL, OPTION_VERSION},
        {"help", no_argument, NULL, OPTION_HELP},
        {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case OPTION_CONFIG:
            program->config_path = optarg;
            break;
        case OPTION_INIT:
            program->init = true;
            break;
        case OPTION_CHECK:
            program->check = true;
            break;
        case OPTION_METADATA:
            program->setup.create_metadata = true;
            break;
        case OPTION_WIPE:
            program->setup.wipe = true;
            break;
        case OPTION_VERSION:
            (void)puts("solution-control " OG_VERSION);
            return EXIT_SUCCESS;
        case OPTION_HELP:
            (void)fputs(usage, stdout);
            return EXIT_SUCCESS;
        default:
            (void)fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "solution-control: unexpected argument \"%s\"\n%s", argv[optind],
                      usage);
        return EXIT_USAGE;
    }
    return -1;
}

static void on_ended(void *context)
{
    struct program *program = context;
    uv_stop(&program->loop);
}

static void on_signal(uv_signal_t *handle, int signal)
{
    struct program *program = handle->data;
    if (program->stopping)
        return;
    program->stopping = true;
    log_notice(module, "signal %d: stopping in order", signal);
    (void)sd_notify(0, "STOPPING=1");
    sol_daemon_stop(program->daemon, on_ended, program);
}

static int watch_signals(struct program *program)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)uv_signal_init(&program->loop, &program->terminate);
    (void)uv_signal_init(&program->loop, &program->interrupt);
    program->terminate.data = program;
    program->interrupt.data = program;
    int r = uv_signal_start(&program->terminate, on_signal, SIGTERM);
    return r < 0 ? r : uv_signal_start(&program->interrupt, on_signal, SIGINT);
}

/* The loop ends only by an orderly stop; then everything has been released and the watchdog may be
 * disarmed. On any other way out the device stays armed until the next start. */
static int run_daemon(struct program *program, const struct config *config, struct diag *diag)
{
    int r = uv_loop_init(&program->loop);
    if (r == 0)
        r = watch_signals(program);
    if (r < 0)
        return diag_fail(diag, r, "no event loop: %s", uv_strerror(r));
    r = sol_daemon_start(&program->loop, config, &program->daemon, diag);
    if (r < 0)
        return r;
    (void)sd_notify(0, "READY=1");
    log_notice(module, "solution-control %s on %s (%s), profile %s", OG_VERSION, config->host.name,
               config_role_name(config->pair.role), config->pair.profile);
    (void)uv_run(&program->loop, UV_RUN_DEFAULT);
    sol_daemon_close(program->daemon);
    return 0;
}

static int fail(int code, const struct diag *diag)
{
    log_error(module, "%s", diag->text);
    return code;
}

int main(int argc, char **argv)
{
    struct program program = {.config_path = CONFIG_FILE};
    int code = read_arguments(argc, argv, &program);
    if (code >= 0)
        return code;

    log_init("solution-control");
    struct diag diag = {0};
    static struct config config;
    if (config_load(program.config_path, &config, &diag) < 0)
        return fail(EXIT_CONFIG, &diag);
    if (program.check)
        return EXIT_SUCCESS;
    if (geteuid() != 0) {
        (void)diag_fail(&diag, -EPERM, "solution-control must run as root");
        return fail(EXIT_FAILED, &diag);
    }
    if (program.init)
        return sol_setup_run(&config, &program.setup, &diag) < 0 ? fail(EXIT_FAILED, &diag)
                                                                 : EXIT_SUCCESS;

    if (watchdog_lock_memory(&diag) < 0)
        log_warning(module, "%s", diag.text);
    diag = (struct diag){0};
    int r = sol_files_write(&config, &diag);
    if (r == 0)
        r = run_daemon(&program, &config, &diag);
    return r < 0 ? fail(EXIT_FAILED, &diag) : EXIT_SUCCESS;
}
