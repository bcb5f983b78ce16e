/* roxe_config.c - the settings, as sub-commands: check, import, show, get, settings.
 * Exit codes: 0 done, 1 the configuration is wrong (every problem is printed), 2 wrong use, 4 could
 * not be read or written. */
#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "lib/config/certificate.h"
#include "lib/config/cluster_key.h"
#include "lib/config/config.h"
#include "lib/config/settings.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_WRONG = 1, EXIT_USAGE = 2, EXIT_IO = 4 };

static const char usage[] =
    "usage: roxe-config COMMAND ...\n"
    "\n"
    "  check FILE             read a clear configuration file and name everything that is wrong\n"
    "  import FILE            the same, then store it, make the pair's key (on the primary) and\n"
    "                         the certificate where they are missing\n"
    "  show [--json]          the stored configuration, without secrets\n"
    "  get SECTION/NAME|all   one value, or all as lines (secrets only with --secret);\n"
    "                         pbx[1]/NAME is of the second <pbx>\n"
    "  settings [--json]      every setting: meaning, type, default, what a change asks for\n"
    "\n"
    "  --file FILE            instead of " CONFIG_FILE "\n"
    "  --ca-file FILE         where import writes the authority (" CONFIG_CA_FILE ")\n"
    "  --help, --version\n"
    "\n"
    "exit codes: 0 done, 1 the configuration is wrong, 2 wrong use, 4 cannot read or write\n";

struct program {
    const char *file, *ca_file, *argument;
    bool json, secret;
    struct config config;
    struct config_problems problems;
};

static int print_problems(const struct program *program, const char *path)
{
    unsigned shown = program->problems.count;
    if (shown > CONFIG_PROBLEMS_MAX)
        shown = CONFIG_PROBLEMS_MAX;
    for (unsigned i = 0; i < shown; i++) {
        const struct config_problem *problem = &program->problems.items[i];
        if (problem->line != 0)
            (void)fprintf(stderr, "%s:%u: %s\n", path, problem->line, problem->text);
        else
            (void)fprintf(stderr, "%s: %s\n", path, problem->text);
    }
    (void)fprintf(stderr, "%u problem%s; nothing was changed\n", program->problems.count,
                  program->problems.count == 1 ? "" : "s");
    return EXIT_WRONG;
}

static int fail(int code, const struct diag *diag)
{
    (void)fprintf(stderr, "roxe-config: %s\n", diag->text);
    return code;
}

/* 0, or the exit code after everything wrong has been printed. */
static int read_clear(struct program *program)
{
    int r = config_read_xml(program->argument, &program->config, &program->problems);
    if (r < 0 && r != -EINVAL) {
        (void)fprintf(stderr, "roxe-config: %s\n", program->problems.items[0].text);
        return EXIT_IO;
    }
    if (config_check(&program->config, &program->problems) < 0 || r < 0)
        return print_problems(program, program->argument);
    return 0;
}

static int command_check(struct program *program)
{
    int code = read_clear(program);
    if (code == 0)
        (void)printf("%s: valid, for the %s %s of the pair %s\n", program->argument,
                     config_role_name(program->config.pair.role), program->config.host.name,
                     program->config.pair.cluster);
    return code;
}

/* The primary makes the key; the secondary must have been given it. */
static int ensure_key(const struct config *config, struct diag *diag)
{
    uint8_t probe[32];
    bool exists = access(config->pair.key_file, F_OK) == 0;
    if (!exists && config->pair.role == CONFIG_ROLE_PRIMARY) {
        int r = cluster_key_create(config->pair.key_file, diag);
        if (r < 0)
            return r;
        (void)printf("the pair's key is made: copy %s to the secondary\n", config->pair.key_file);
    } else if (!exists) {
        return diag_fail(diag, -ENOENT, "%s is missing: copy it from the primary (mode 600)",
                         config->pair.key_file);
    }
    return cluster_key_derive(config->pair.key_file, config->pair.cluster, "check", probe,
                              sizeof(probe), diag);
}

static int store(struct program *program, struct diag *diag)
{
    bool made = false;
    int r = ensure_key(&program->config, diag);
    if (r == 0)
        r = certificate_ensure(&program->config, program->ca_file, &made, diag);
    if (r == 0 && made)
        (void)printf("a certificate for %s is made; clients check it with %s\n",
                     program->config.vip.fqdn, program->ca_file);
    if (r == 0)
        r = config_seal(&program->config, diag);
    /* last: the stored file is what says that this node is configured */
    return r == 0 ? config_write(program->file, &program->config, diag) : r;
}

static int command_import(struct program *program)
{
    struct diag diag = {0};
    int code = read_clear(program);
    if (code != 0)
        return code;
    (void)umask(077);
    if (strcmp(program->file, CONFIG_FILE) == 0 && mkdir(CONFIG_FOLDER, 0755) < 0 &&
        errno != EEXIST) {
        (void)fprintf(stderr, "roxe-config: %s: %s\n", CONFIG_FOLDER, strerror(errno));
        return EXIT_IO;
    }
    if (store(program, &diag) < 0)
        return fail(EXIT_IO, &diag);
    (void)printf("configuration stored in %s\n", program->file);
    return 0;
}

static bool value_of(const struct program *program, const struct config_setting *row,
                     unsigned repeat, struct buf *text)
{
    bool given = false;
    for (unsigned i = 0; i < config_setting_values_max(row); i++) {
        struct buf one = {0};
        if (config_setting_print(row, &program->config, (struct config_at){repeat, i}, &one) &&
            one.data != NULL) {
            if (given)
                buf_adds(text, " ");
            buf_adds(text, one.data);
            given = true;
        }
        buf_done(&one);
    }
    return given;
}

/* "gateway", or "pbx[0]" for a section that may stand several times. */
struct label {
    char text[32];
};
static struct label label_of(enum config_section section, unsigned repeat)
{
    struct label label;
    const char *name = config_section_name(section);
    if (config_section_max(section) > 1)
        (void)snprintf(label.text, sizeof(label.text), "%s[%u]", name, repeat);
    else
        (void)snprintf(label.text, sizeof(label.text), "%s", name);
    return label;
}

static void show_text_section(const struct program *program, enum config_section section,
                              unsigned repeat)
{
    const struct label label = label_of(section, repeat);
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++) {
        const struct config_setting *row = config_setting_at((enum config_setting_id)i);
        struct buf value = {0};
        if (row->section == section && !(row->flags & CONFIG_NOT_STORED) &&
            value_of(program, row, repeat, &value))
            (void)printf("%-16s %-18s %s\n", label.text, row->name,
                         row->flags & CONFIG_SECRET_VALUE ? "(secret)" : value.data);
        buf_done(&value);
    }
}

static void show_text(const struct program *program)
{
    for (unsigned i = 0; i < CONFIG_SECTION_COUNT; i++) {
        enum config_section section = (enum config_section)i;
        unsigned count = config_section_count(section, &program->config);
        for (unsigned repeat = 0; repeat < count; repeat++)
            show_text_section(program, section, repeat);
    }
}

static void show_json_section(const struct program *program, enum config_section section,
                              unsigned repeat, struct buf *out)
{
    bool first = true;
    buf_adds(out, "{");
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++) {
        const struct config_setting *row = config_setting_at((enum config_setting_id)i);
        struct buf value = {0};
        if (row->section != section || row->flags & (CONFIG_NOT_STORED | CONFIG_SECRET_VALUE) ||
            !value_of(program, row, repeat, &value))
            continue;
        if (!first)
            buf_adds(out, ",");
        first = false;
        buf_add_json_string(out, row->name);
        buf_adds(out, ":");
        buf_add_json_string(out, value.data);
        buf_done(&value);
    }
    buf_adds(out, "}");
}

static void show_json(const struct program *program, struct buf *out)
{
    for (unsigned i = 0; i < CONFIG_SECTION_COUNT; i++) {
        enum config_section section = (enum config_section)i;
        unsigned count = config_section_count(section, &program->config);
        bool list = config_section_max(section) > 1;
        buf_adds(out, i == 0 ? "{" : ",");
        buf_add_json_string(out, config_section_name(section));
        buf_adds(out, list ? ":[" : ":");
        for (unsigned repeat = 0; repeat < count; repeat++) {
            buf_adds(out, repeat > 0 ? "," : "");
            show_json_section(program, section, repeat, out);
        }
        buf_adds(out, list ? "]" : "");
    }
    buf_adds(out, "}\n");
}

static int print_buf(struct buf *out)
{
    int code = out->failed || fputs(out->data, stdout) < 0 ? EXIT_IO : 0;
    buf_done(out);
    return code;
}

static int command_show(struct program *program)
{
    struct diag diag = {0};
    if (config_load(program->file, &program->config, &diag) < 0)
        return fail(EXIT_IO, &diag);
    if (!program->json) {
        show_text(program);
        return 0;
    }
    struct buf out = {0};
    show_json(program, &out);
    return print_buf(&out);
}

/* "gateway/https-port"; "pbx/node" is the first's, "pbx[1]/node" the second's. */
static const struct config_setting *find_key(const char *key, unsigned *ret_repeat)
{
    const char *slash = strchr(key, '/');
    for (unsigned i = 0; slash != NULL && i < CONFIG_SECTION_COUNT; i++) {
        enum config_section section = (enum config_section)i;
        for (unsigned repeat = 0; repeat < config_section_max(section); repeat++) {
            const struct label label = label_of(section, repeat);
            const char *names[] = {label.text, repeat == 0 ? config_section_name(section) : ""};
            for (unsigned n = 0; n < COUNT_OF(names); n++)
                if (strlen(names[n]) == (size_t)(slash - key) &&
                    strncmp(names[n], key, strlen(names[n])) == 0) {
                    *ret_repeat = repeat;
                    return config_setting_find(section, slash + 1);
                }
        }
    }
    return NULL;
}

/* "section/name value" lines: one call instead of one for each value. */
static void get_all(const struct program *program)
{
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++) {
        const struct config_setting *row = config_setting_at((enum config_setting_id)i);
        unsigned count = config_section_count(row->section, &program->config);
        for (unsigned repeat = 0; repeat < count; repeat++) {
            struct buf value = {0};
            if ((program->secret || !(row->flags & CONFIG_SECRET_VALUE)) &&
                value_of(program, row, repeat, &value))
                (void)printf("%s/%s %s\n", label_of(row->section, repeat).text, row->name,
                             value.data);
            buf_done(&value);
        }
    }
}

static int read_for_get(struct program *program)
{
    if (config_read_xml(program->file, &program->config, &program->problems) == 0)
        return 0;
    (void)fprintf(stderr, "roxe-config: %s\n", program->problems.items[0].text);
    return EXIT_IO;
}

/* Reads clear files too (the installer asks them before they are imported). */
static int command_get(struct program *program)
{
    if (strcmp(program->argument, "all") == 0) {
        int code = read_for_get(program);
        if (code == 0)
            get_all(program);
        return code;
    }
    unsigned repeat = 0;
    const struct config_setting *row = find_key(program->argument, &repeat);
    if (row == NULL) {
        (void)fprintf(stderr,
                      "roxe-config: there is no setting %s; 'roxe-config settings' "
                      "lists them\n",
                      program->argument);
        return EXIT_USAGE;
    }
    if (row->flags & CONFIG_SECRET_VALUE && !program->secret) {
        (void)fprintf(stderr, "roxe-config: %s is a secret; --secret prints it\n",
                      program->argument);
        return EXIT_USAGE;
    }
    int code = read_for_get(program);
    if (code != 0)
        return code;
    struct buf value = {0};
    if (repeat < config_section_count(row->section, &program->config) &&
        value_of(program, row, repeat, &value))
        (void)puts(value.data);
    buf_done(&value);
    return 0;
}

static void settings_text(void)
{
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++) {
        const struct config_setting *row = config_setting_at((enum config_setting_id)i);
        (void)printf("%s/%s (%s)\n    %s\n    %s%s%s%s, %s%s, a change is: %s\n",
                     config_section_name(row->section), row->name, row->wording, row->help,
                     row->choices != NULL ? row->choices : config_type_name(row->type),
                     row->flags & CONFIG_SECRET_VALUE ? ", secret" : "",
                     row->flags & CONFIG_ATTRIBUTE ? ", attribute" : "",
                     row->flags & CONFIG_LIST ? ", several" : "",
                     row->flags & CONFIG_REQUIRED ? "required"
                     : row->fallback != NULL      ? row->fallback
                                                  : "optional",
                     config_section_max(row->section) > 1 ? " in each section" : "",
                     config_reload_name(row->reload));
    }
}

static void settings_json(struct buf *out)
{
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++) {
        const struct config_setting *row = config_setting_at((enum config_setting_id)i);
        const char *const texts[][2] = {{"section", config_section_name(row->section)},
                                        {"name", row->name},
                                        {"type", config_type_name(row->type)},
                                        {"choices", row->choices},
                                        {"default", row->fallback},
                                        {"wording", row->wording},
                                        {"help", row->help},
                                        {"reload", config_reload_name(row->reload)}};
        buf_adds(out, i == 0 ? "[" : ",\n");
        for (unsigned t = 0; t < COUNT_OF(texts); t++) {
            buf_adds(out, t == 0 ? "{" : ",");
            buf_add_json_string(out, texts[t][0]);
            buf_adds(out, ":");
            if (texts[t][1] != NULL)
                buf_add_json_string(out, texts[t][1]);
            else
                buf_adds(out, "null");
        }
        buf_addf(out, ",\"sections\":%u,\"required\":%s,\"secret\":%s,\"list\":%s}",
                 config_section_max(row->section), row->flags & CONFIG_REQUIRED ? "true" : "false",
                 row->flags & CONFIG_SECRET_VALUE ? "true" : "false",
                 row->flags & CONFIG_LIST ? "true" : "false");
    }
    buf_adds(out, "]\n");
}

static int command_settings(struct program *program)
{
    if (!program->json) {
        settings_text();
        return 0;
    }
    struct buf out = {0};
    settings_json(&out);
    return print_buf(&out);
}

static const struct command {
    const char *name;
    bool takes_argument;
    int (*run)(struct program *program);
} commands[] = {
    {"check", true, command_check},        {"import", true, command_import},
    {"show", false, command_show},         {"get", true, command_get},
    {"settings", false, command_settings},
};

enum { OPTION_FILE = 1, OPTION_CA_FILE, OPTION_JSON, OPTION_SECRET, OPTION_HELP, OPTION_VERSION };

/* -1 to go on, else the exit code. */
static int read_options(int argc, char **argv, struct program *program)
{
    static const struct option options[] = {{"file", required_argument, NULL, OPTION_FILE},
                                            {"ca-file", required_argument, NULL, OPTION_CA_FILE},
                                            {"json", no_argument, NULL, OPTION_JSON},
                                            {"secret", no_argument, NULL, OPTION_SECRET},
                                            {"help", no_argument, NULL, OPTION_HELP},
                                            {"version", no_argument, NULL, OPTION_VERSION},
                                            {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case OPTION_FILE:
            program->file = optarg;
            break;
        case OPTION_CA_FILE:
            program->ca_file = optarg;
            break;
        case OPTION_JSON:
            program->json = true;
            break;
        case OPTION_SECRET:
            program->secret = true;
            break;
        case OPTION_HELP:
            (void)fputs(usage, stdout);
            return 0;
        case OPTION_VERSION:
            (void)puts("roxe-config " OG_VERSION);
            return 0;
        default:
            (void)fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    static struct program program = {.file = CONFIG_FILE, .ca_file = CONFIG_CA_FILE};
    int code = read_options(argc, argv, &program);
    if (code >= 0)
        return code;
    for (unsigned i = 0; optind < argc && i < COUNT_OF(commands); i++) {
        if (strcmp(argv[optind], commands[i].name) != 0)
            continue;
        if (argc - optind - 1 != (commands[i].takes_argument ? 1 : 0))
            break;
        program.argument = argv[optind + 1];
        code = commands[i].run(&program);
        config_wipe(&program.config);
        return code;
    }
    (void)fputs(usage, stderr);
    return EXIT_USAGE;
}
