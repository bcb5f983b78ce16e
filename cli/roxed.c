/* roxed - the administrator's command: starts and stops this node, shows its state, orders a
 * switchover. Knows nothing by itself: systemd starts, solution-control answers. */
#include "cli/control_client.h"
#include "cli/roxed_history.h"
#include "cli/roxed_preview.h"
#include "cli/roxed_status.h"
#include "cli/roxed_text.h"
#include "cli/roxed_unit.h"
#include "lib/common/common.h"
#include "lib/common/json.h"
#include "lib/common/log.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    FOLLOW_MS = 20000,
    FOLLOW_EVERY_MS = 200,
    HISTORY_BUDGET_MS = 10000,
    HISTORY_LIMIT_MAX = 100000,
    LOGIN_CHARS = 64,
};

static const char usage_text[] =
    "usage: roxed COMMAND [OPTIONS]\n"
    "\n"
    "  start                    start this node\n"
    "  stop                     stop this node in order; the other node takes over\n"
    "  restart                  stop, then start\n"
    "  status                   show role, services, disk, links, alarms, and what to do next\n"
    "      --json               print what solution-control answers, one line\n"
    "      --watch              draw again every second until Ctrl-C\n"
    "  switchover               this node hands its active role to the other node\n"
    "      --dry-run            only check what it needs: each precondition, and what to do\n"
    "      --json               with --dry-run: print the answer, one line\n"
    "  simulate FAULT           what this node would decide, step by step; changes nothing:\n"
    "                           peer-dead, link-lost, witness-lost, isolated, membership-lost,\n"
    "                           disk-failed, record-failed, switchover, stop\n"
    "      --json               print the answer, one line\n"
    "  history                  show what was decided, and why\n"
    "      --since WHEN         10m, 2h, 3d, today, yesterday, 14:30, 2026-01-31, ...\n"
    "      --limit N            at most the newest N entries (200)\n"
    "      --json               print a JSON array\n"
    "  log-level MODULE LEVEL   error, warning, notice, info, debug or trace; MODULE may be 'all'\n"
    "\n"
    "  --socket PATH            ask there (" CONTROL_CLIENT_SOCKET ")\n"
    "  --help, --version\n"
    "\n"
    "exit status: 0 healthy or done, 1 degraded or refused, 2 wrong use, 3 stopped, 4 no answer\n";

struct program {
    struct control_client client;
    bool json, watch, dry_run;
    int64_t since_s, limit;
};

/* --- printing -------------------------------------------------------------------------------- */

static void print(FILE *file, struct buf *text)
{
    if (text->failed)
        (void)fputs("roxed: not enough memory\n", stderr);
    else if (text->len_bytes > 0)
        (void)fwrite(text->data, 1, text->len_bytes, file);
    (void)fflush(file);
    buf_done(text);
}

static void complain(const char *what, const char *text)
{
    struct buf out = {0};
    buf_adds(&out, "roxed: ");
    buf_adds(&out, what);
    roxed_add_safe(&out, text);
    buf_adds(&out, "\n");
    print(stderr, &out);
}

static enum roxed_exit wrong_use(const char *what, const char *text)
{
    complain(what, text);
    (void)fputs("Try: roxed --help\n", stderr);
    return ROXED_USAGE;
}

static struct roxed_look look_now(void)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool dumb = term != NULL && strcmp(term, "dumb") == 0;
    return (struct roxed_look){.colours = isatty(STDOUT_FILENO) && !dumb &&
                                          (no_color == NULL || no_color[0] == '\0'),
                               .now_s = (int64_t)time(NULL)};
}

/* --- asking ---------------------------------------------------------------------------------- */

/* What a failed question says about the daemon. Where nobody listens, systemd knows whether it is
 * stopped or only not yet there; of another socket than the usual one systemd knows nothing. */
static enum roxed_exit judge_failure(const struct program *program, int error)
{
    bool usual = strcmp(program->client.socket, CONTROL_CLIENT_SOCKET) == 0;
    if (error == -EACCES || error == -EPERM || error == -ENAMETOOLONG)
        return ROXED_DEGRADED;
    if (error == -ENOENT || error == -ECONNREFUSED)
        return usual && roxed_unit_is_up(ROXED_UNIT_SYSTEMCTL) ? ROXED_SILENT : ROXED_STOPPED;
    return ROXED_SILENT;
}

/* NULL, or why the answer is a refusal. */
static const char *refusal_of(const cJSON *answer)
{
    const cJSON *ok = cJSON_GetObjectItemCaseSensitive(answer, "ok");
    if (!cJSON_IsFalse(ok))
        return NULL;
    const char *error = json_string(answer, "error");
    return error != NULL ? error : "no reason is given";
}

/* Asks and complains; 0 when there is an answer, else the exit code. */
static enum roxed_exit ask_plain(const struct program *program, const char *request,
                                 struct buf *line, cJSON **ret_answer)
{
    struct diag diag = {0};
    int r = control_client_ask(&program->client, request, line, ret_answer, &diag);
    if (r == 0)
        return ROXED_HEALTHY;
    enum roxed_exit code = judge_failure(program, r);
    complain(code == ROXED_STOPPED  ? "solution-control does not run: "
             : code == ROXED_SILENT ? "solution-control does not answer: "
                                    : "",
             diag.text);
    return code;
}

/* The same; a refusal is complained about too. */
static enum roxed_exit ask(const struct program *program, const char *request, struct buf *line,
                           cJSON **ret_answer)
{
    AUTO(json_freep) cJSON *answer = NULL;
    enum roxed_exit code = ask_plain(program, request, line, &answer);
    if (code != ROXED_HEALTHY)
        return code;
    const char *refusal = refusal_of(answer);
    if (refusal != NULL) {
        complain("refused: ", refusal);
        return ROXED_DEGRADED;
    }
    *ret_answer = TAKE(answer);
    return ROXED_HEALTHY;
}

/* --- status ---------------------------------------------------------------------------------- */

/* One screen into out. */
static enum roxed_exit status_add(const struct program *program, const struct roxed_look *look,
                                  struct buf *out)
{
    struct diag diag = {0};
    struct buf line = {0};
    AUTO(json_freep) cJSON *answer = NULL;
    enum roxed_exit code;
    int r = control_client_ask(&program->client, "{\"command\":\"status\"}", &line, &answer, &diag);
    const char *refusal = r == 0 ? refusal_of(answer) : NULL;
    if (r < 0)
        code = judge_failure(program, r);
    else
        code = refusal != NULL ? ROXED_DEGRADED : roxed_status_judge(answer);

    if (r == 0 && program->json) {
        roxed_add_safe_json(out, line.data, line.len_bytes);
        buf_adds(out, "\n");
    } else if (code == ROXED_STOPPED || code == ROXED_SILENT) {
        if (program->json)
            complain("", diag.text);
        else
            roxed_status_add_unreachable(out, look, code, diag.text);
    } else if (r < 0 || refusal != NULL) {
        complain(r < 0 ? "" : "refused: ", r < 0 ? diag.text : refusal);
    } else {
        roxed_status_add(out, look, answer);
    }
    buf_done(&line);
    return code;
}

/* Draws over the last screen without clearing it first: nothing flickers. */
static void draw(struct buf *screen)
{
    struct buf out = {0};
    buf_adds(&out, "\033[H");
    for (size_t i = 0; i < screen->len_bytes; i++) {
        if (screen->data[i] == '\n')
            buf_adds(&out, "\033[K");
        buf_add(&out, &screen->data[i], 1);
    }
    buf_adds(&out, "\033[J");
    buf_done(screen);
    print(stdout, &out);
}

static enum roxed_exit status_watch(const struct program *program)
{
    bool terminal = isatty(STDOUT_FILENO) && !program->json;
    if (terminal)
        (void)fputs("\033[2J", stdout);
    while (!ferror(stdout)) { /* Ctrl-C ends it */
        struct buf screen = {0};
        struct roxed_look look = look_now();
        (void)status_add(program, &look, &screen);
        if (terminal) {
            buf_adds(&screen, "\nCtrl-C ends.\n");
            draw(&screen);
        } else {
            if (!program->json)
                buf_adds(&screen, "\n");
            print(stdout, &screen);
        }
        (void)sleep(1);
    }
    return ROXED_DEGRADED;
}

static enum roxed_exit command_status(struct program *program, char **arguments)
{
    (void)arguments;
    if (program->watch)
        return status_watch(program);
    struct buf screen = {0};
    struct roxed_look look = look_now();
    enum roxed_exit code = status_add(program, &look, &screen);
    print(stdout, &screen);
    return code;
}

/* --- start, stop, restart -------------------------------------------------------------------- */

static enum roxed_exit run_unit(const char *verb, const char *done)
{
    struct diag diag = {0};
    int r = roxed_unit_run(ROXED_UNIT_SYSTEMCTL, verb, &diag);
    if (r < 0)
        complain("", diag.text);
    else if (r == 0)
        (void)puts(done);
    else
        complain("", "systemctl failed; see: journalctl -u solution-control");
    return r == 0 ? ROXED_HEALTHY : ROXED_DEGRADED;
}

static enum roxed_exit command_start(struct program *program, char **arguments)
{
    (void)program, (void)arguments;
    return run_unit("start", "solution-control is started. Its role: roxed status --watch");
}

static enum roxed_exit command_stop(struct program *program, char **arguments)
{
    (void)program, (void)arguments;
    return run_unit("stop", "solution-control is stopped.");
}

static enum roxed_exit command_restart(struct program *program, char **arguments)
{
    (void)program, (void)arguments;
    return run_unit("restart", "solution-control is started again. Its role: roxed status --watch");
}

/* --- switchover ------------------------------------------------------------------------------ */

/* Who sits at the terminal, also behind sudo; the history names him. */
static void login_name(char *out, size_t cap_bytes)
{
    const char *sudo = geteuid() == 0 ? getenv("SUDO_USER") : NULL;
    if (sudo != NULL && sudo[0] != '\0')
        (void)snprintf(out, cap_bytes, "%s", sudo);
    else if (getlogin_r(out, cap_bytes) != 0 || out[0] == '\0') {
        const struct passwd *user = getpwuid(getuid());
        (void)snprintf(out, cap_bytes, "%s", user != NULL ? user->pw_name : "somebody");
    }
}

static void say_progress(uint64_t since_ms, const char *text)
{
    struct buf out = {0};
    buf_addf(&out, "  %4llu.%llu s  ", (unsigned long long)(since_ms / 1000),
             (unsigned long long)(since_ms % 1000 / 100));
    roxed_add_safe(&out, text);
    buf_adds(&out, "\n");
    print(stdout, &out);
}

static void say_done(const cJSON *status, uint64_t took_ms)
{
    struct buf out = {0};
    const char *peer = json_string(status, "peer");
    const char *peer_phase =
        json_string(cJSON_GetObjectItemCaseSensitive(status, "peer_state"), "phase");
    buf_adds(&out, "This node is standby after ");
    roxed_add_duration(&out, took_ms);
    buf_adds(&out, "; ");
    roxed_add_safe(&out, peer != NULL ? peer : "the other node");
    buf_adds(&out, " is ");
    roxed_add_safe(&out, peer_phase != NULL ? peer_phase : "taking over");
    buf_adds(&out, ".\n");
    print(stdout, &out);
}

/* Shows each step until this node is standby. One lost answer is no failure: the daemon is busy. */
static enum roxed_exit follow_switchover(const struct program *program)
{
    struct buf shown = {0}, now = {0}, line = {0};
    enum roxed_exit code = ROXED_DEGRADED;
    uint64_t begin_ms = common_boot_ms(), took_ms = 0;
    struct diag diag = {0};
    int r = 0;
    for (; took_ms < FOLLOW_MS; took_ms = common_boot_ms() - begin_ms) {
        AUTO(json_freep) cJSON *status = NULL;
        r = control_client_ask(&program->client, "{\"command\":\"status\"}", &line, &status, &diag);
        took_ms = common_boot_ms() - begin_ms;
        if (r == 0 && strcmp(roxed_status_phase(status), "standby") == 0) {
            say_done(status, took_ms);
            code = ROXED_HEALTHY;
            break;
        }
        buf_clear(&now);
        if (r == 0)
            roxed_status_add_progress(&now, status);
        else
            buf_adds(&now, diag.text);
        if (now.data != NULL && (shown.data == NULL || strcmp(now.data, shown.data) != 0)) {
            say_progress(took_ms, now.data);
            buf_clear(&shown);
            buf_adds(&shown, now.data);
        }
        (void)usleep(FOLLOW_EVERY_MS * 1000);
    }
    if (code != ROXED_HEALTHY) {
        complain("", "this node is not standby yet; see: roxed status, roxed history");
        code = r < 0 ? judge_failure(program, r) : ROXED_DEGRADED;
    }
    buf_done(&shown);
    buf_done(&now);
    buf_done(&line);
    return code;
}

/* The answer to a question that changes nothing, as it came or as add() words it. */
static enum roxed_exit show_preview(const struct program *program, const char *request,
                                    enum roxed_exit (*add)(struct buf *out, const cJSON *answer))
{
    struct buf line = {0}, out = {0};
    AUTO(json_freep) cJSON *answer = NULL;
    enum roxed_exit code = ask_plain(program, request, &line, &answer);
    if (code == ROXED_HEALTHY) {
        code = add(&out, answer);
        const char *refusal = refusal_of(answer);
        if (code == ROXED_SILENT) {
            complain(refusal != NULL ? "refused: " : "",
                     refusal != NULL ? refusal : "the answer has not the expected form");
            code = refusal != NULL ? ROXED_DEGRADED : ROXED_SILENT;
        } else if (program->json) {
            buf_clear(&out);
            roxed_add_safe_json(&out, line.data, line.len_bytes);
            buf_adds(&out, "\n");
        }
    }
    buf_done(&line);
    print(stdout, &out);
    return code;
}

static enum roxed_exit command_switchover(struct program *program, char **arguments)
{
    (void)arguments;
    if (program->dry_run)
        return show_preview(program, "{\"command\":\"switchover\",\"dry_run\":true}",
                            roxed_preview_add_checks);
    if (program->json)
        return wrong_use("--json is understood with --dry-run only: ", "switchover");
    char name[LOGIN_CHARS] = "";
    struct buf request = {0}, line = {0};
    AUTO(json_freep) cJSON *answer = NULL;
    login_name(name, sizeof(name));
    buf_adds(&request, "{\"command\":\"switchover\",\"dry_run\":false,\"by\":");
    buf_add_json_string(&request, name);
    buf_adds(&request, "}");
    enum roxed_exit code =
        request.failed ? ROXED_DEGRADED : ask(program, request.data, &line, &answer);
    buf_done(&request);
    buf_done(&line);
    if (code != ROXED_HEALTHY)
        return code;
    if (!json_bool(answer, "ok", false)) {
        complain("", "the answer does not say whether the switchover was accepted");
        return ROXED_DEGRADED;
    }
    (void)puts("The switchover is ordered.");
    return follow_switchover(program);
}

static enum roxed_exit command_simulate(struct program *program, char **arguments)
{
    struct buf request = {0};
    buf_adds(&request, "{\"command\":\"simulate\",\"fault\":");
    buf_add_json_string(&request, arguments[0]);
    buf_adds(&request, "}");
    enum roxed_exit code = request.failed
                               ? ROXED_DEGRADED
                               : show_preview(program, request.data, roxed_preview_add_steps);
    buf_done(&request);
    return code;
}

/* --- history, log-level ---------------------------------------------------------------------- */

static void add_entries_json(struct buf *out, const cJSON *entries)
{
    AUTO(common_freep) char *text = cJSON_PrintUnformatted(entries);
    if (text == NULL) {
        out->failed = true;
        return;
    }
    roxed_add_safe_json(out, text, strlen(text));
    buf_adds(out, "\n");
}

static enum roxed_exit command_history(struct program *program, char **arguments)
{
    (void)arguments;
    char request[128];
    struct buf line = {0}, out = {0};
    AUTO(json_freep) cJSON *answer = NULL;
    program->client.budget_ms = HISTORY_BUDGET_MS;
    (void)snprintf(request, sizeof(request),
                   "{\"command\":\"history\",\"since_s\":%lld,\"limit\":%lld}",
                   (long long)program->since_s, (long long)program->limit);
    enum roxed_exit code = ask(program, request, &line, &answer);
    buf_done(&line);
    if (code != ROXED_HEALTHY)
        return code;
    const cJSON *entries = cJSON_GetObjectItemCaseSensitive(answer, "entries");
    if (!cJSON_IsArray(entries)) {
        complain("", "the answer carries no entries");
        return ROXED_SILENT;
    }
    if (program->json)
        add_entries_json(&out, entries);
    else
        roxed_history_add(&out, entries);
    print(stdout, &out);
    return ROXED_HEALTHY;
}

static enum roxed_exit command_log_level(struct program *program, char **arguments)
{
    const char *module = arguments[0], *level_text = arguments[1];
    enum log_level level;
    if (!log_level_parse(level_text, &level))
        return wrong_use("no such level: ", level_text);
    struct buf request = {0}, line = {0};
    AUTO(json_freep) cJSON *answer = NULL;
    buf_addf(&request, "{\"command\":\"log_level\",\"level\":\"%s\"", log_level_name(level));
    if (strcmp(module, "all") != 0) {
        buf_adds(&request, ",\"module\":");
        buf_add_json_string(&request, module);
    }
    buf_adds(&request, "}");
    enum roxed_exit code =
        request.failed ? ROXED_DEGRADED : ask(program, request.data, &line, &answer);
    buf_done(&request);
    buf_done(&line);
    return code;
}

/* --- the command line ------------------------------------------------------------------------ */

enum option_bit { TAKES_JSON = 1, TAKES_WATCH = 2, TAKES_DRY_RUN = 4, TAKES_TIMES = 8 };

static const struct command {
    const char *name;
    enum roxed_exit (*run)(struct program *program, char **arguments);
    unsigned takes;
    int arguments;
} commands[] = {
    {"start", command_start, 0, 0},
    {"stop", command_stop, 0, 0},
    {"restart", command_restart, 0, 0},
    {"status", command_status, TAKES_JSON | TAKES_WATCH, 0},
    {"switchover", command_switchover, TAKES_DRY_RUN | TAKES_JSON, 0},
    {"simulate", command_simulate, TAKES_JSON, 1},
    {"history", command_history, TAKES_JSON | TAKES_TIMES, 0},
    {"log-level", command_log_level, 0, 2},
};

static const struct option options[] = {
    {"json", no_argument, NULL, 'j'},
    {"watch", no_argument, NULL, 'w'},
    {"dry-run", no_argument, NULL, 'd'},
    {"since", required_argument, NULL, 's'},
    {"limit", required_argument, NULL, 'l'},
    {"socket", required_argument, NULL, 'S'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static unsigned bit_of(int option)
{
    switch (option) {
    case 'j':
        return TAKES_JSON;
    case 'w':
        return TAKES_WATCH;
    case 'd':
        return TAKES_DRY_RUN;
    case 's':
    case 'l':
        return TAKES_TIMES;
    default:
        return 0;
    }
}

static bool parse_limit(const char *text, int64_t *ret_limit)
{
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > HISTORY_LIMIT_MAX)
        return false;
    *ret_limit = value;
    return true;
}

/* Takes one option with a value; -EINVAL with the reason in the diag. */
static int take_value(struct program *program, int option, struct diag *diag)
{
    if (option == 'S')
        program->client.socket = optarg;
    else if (option == 's')
        return roxed_history_parse_when(optarg, (int64_t)time(NULL), &program->since_s, diag);
    else if (option == 'l' && !parse_limit(optarg, &program->limit))
        return diag_fail(diag, -EINVAL, "--limit: a number from 1 to %d is expected",
                         HISTORY_LIMIT_MAX);
    return 0;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static enum roxed_exit run_command(struct program *program, unsigned given, int count, char **words)
{
    if (count == 0) {
        (void)fputs(usage_text, stderr);
        return ROXED_USAGE;
    }
    const struct command *command = find_command(words[0]);
    if (command == NULL)
        return wrong_use("no such command: ", words[0]);
    if ((given & ~command->takes) != 0)
        return wrong_use("an option that this command does not know: ", command->name);
    if (count - 1 != command->arguments)
        return wrong_use(count - 1 < command->arguments ? "something is missing after "
                                                        : "too many words after ",
                         command->name);
    return command->run(program, words + 1);
}

int main(int argc, char **argv)
{
    struct program program = {
        .client = {.socket = CONTROL_CLIENT_SOCKET,
                   .budget_ms = CONTROL_CLIENT_BUDGET_MS,
                   .answer_max_bytes = CONTROL_CLIENT_ANSWER_MAX_BYTES},
        .limit = 200,
    };
    unsigned given = 0;
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        struct diag diag = {0};
        given |= bit_of(option);
        switch (option) {
        case 'h':
            (void)fputs(usage_text, stdout);
            return ROXED_HEALTHY;
        case 'V':
            (void)puts("roxed " OG_VERSION);
            return ROXED_HEALTHY;
        case '?':
            (void)fputs("Try: roxed --help\n", stderr);
            return ROXED_USAGE;
        default:
            if (take_value(&program, option, &diag) < 0)
                return (int)wrong_use("", diag.text);
        }
    }
    program.json = (given & TAKES_JSON) != 0;
    program.watch = (given & TAKES_WATCH) != 0;
    program.dry_run = (given & TAKES_DRY_RUN) != 0;
    return (int)run_command(&program, given, argc - optind, argv + optind);
}
