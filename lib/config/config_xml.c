/* config_xml.c - XML to struct config and back; both walk the settings table. */
#include "lib/config/config.h"

#include "lib/common/common.h"
#include "lib/common/secrets.h"
#include "lib/common/small_file.h"
#include "lib/common/xml.h"
#include "lib/config/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

DEFINE_FREEP(xml_freep, struct xml *, xml_free)

enum { FILE_BYTES_MAX = 1 << 20 };
static const char root_name[] = "open-gateway";

void config_problem_add(struct config_problems *problems, unsigned line, const char *format, ...)
{
    unsigned index = problems->count++;
    if (index >= CONFIG_PROBLEMS_MAX)
        return;
    struct config_problem *problem = &problems->items[index];
    problem->line = line;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(problem->text, sizeof(problem->text), format, arguments);
    va_end(arguments);
    for (char *c = problem->text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

void config_set_defaults(struct config *config)
{
    memset(config, 0, sizeof(*config));
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++) {
        const struct config_setting *row = config_setting_at((enum config_setting_id)i);
        for (unsigned repeat = 0;
             row->fallback != NULL && repeat < config_section_max(row->section); repeat++)
            (void)config_setting_store(row, config, (struct config_at){repeat, 0}, row->fallback,
                                       NULL);
    }
}

static uint16_t line_of(const struct xml_node *node)
{
    unsigned line = xml_line(node);
    return line < UINT16_MAX ? (uint16_t)line : UINT16_MAX;
}

/* "fqdn, name, interface": what may stand in a section. */
static void list_names(enum config_section section, bool attributes, char *out, size_t cap_bytes)
{
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++) {
        const struct config_setting *row = config_setting_at((enum config_setting_id)i);
        if (row->section != section || ((row->flags & CONFIG_ATTRIBUTE) != 0) != attributes)
            continue;
        int n = snprintf(out + used, cap_bytes - used, "%s%s", used > 0 ? ", " : "", row->name);
        if (n < 0 || (size_t)n >= cap_bytes - used)
            return;
        used += (size_t)n;
    }
}

/* The section being read. */
struct reader {
    struct config *config;
    struct config_problems *problems;
    enum config_section section;
    unsigned repeat;                     /* which one of that name */
    unsigned seen[CONFIG_SETTING_COUNT]; /* how often each of its settings */
};

static void store_value(const struct reader *reader, const struct config_setting *row,
                        unsigned line, const char *text)
{
    const struct config_at at = {reader->repeat, reader->seen[row->id]};
    struct diag diag = {0};
    reader->config->lines[at.repeat][row->id] = (uint16_t)line;
    if (config_setting_store(row, reader->config, at, text, &diag) < 0)
        config_problem_add(reader->problems, line, "%s/%s: %s", config_section_name(row->section),
                           row->name, diag.text);
}

static void read_setting(const struct xml_node *node, struct reader *reader)
{
    struct config_problems *problems = reader->problems;
    const char *section_name = config_section_name(reader->section), *value = NULL;
    const struct config_setting *row = config_setting_find(reader->section, xml_name(node));
    if (row == NULL || row->flags & CONFIG_ATTRIBUTE) {
        char names[200];
        list_names(reader->section, false, names, sizeof(names));
        config_problem_add(problems, xml_line(node), "<%s> has no setting <%.40s>; there are: %s",
                           section_name, xml_name(node), names);
        return;
    }
    if (xml_attribute_at(node, 0, &value) != NULL)
        config_problem_add(problems, xml_line(node), "%s/%s takes no attribute", section_name,
                           row->name);
    const char *text = xml_text(node);
    unsigned *seen = &reader->seen[row->id];
    if (*seen > 0 && !(row->flags & CONFIG_LIST))
        config_problem_add(problems, xml_line(node),
                           "%s/%s stands twice (first on line %u); remove one", section_name,
                           row->name, reader->config->lines[reader->repeat][row->id]);
    else if (text == NULL)
        config_problem_add(problems, xml_line(node), "%s/%s must hold a value, not other elements",
                           section_name, row->name);
    else if (text[0] == '\0')
        return; /* an empty element is one that is not there */
    else
        store_value(reader, row, line_of(node), text);
    (*seen)++;
}

static void read_attributes(const struct xml_node *node, const struct reader *reader)
{
    const char *name, *value = NULL;
    for (unsigned i = 0; (name = xml_attribute_at(node, i, &value)) != NULL; i++) {
        const struct config_setting *row = config_setting_find(reader->section, name);
        if (row == NULL || !(row->flags & CONFIG_ATTRIBUTE))
            config_problem_add(reader->problems, xml_line(node), "<%s> takes no attribute %.40s",
                               config_section_name(reader->section), name);
        else
            store_value(reader, row, line_of(node), value);
    }
}

static enum config_section find_section(const char *name)
{
    unsigned section = 0;
    while (section < CONFIG_SECTION_COUNT &&
           strcmp(config_section_name((enum config_section)section), name) != 0)
        section++;
    return (enum config_section)section;
}

static void refuse_section(const struct xml_node *node, struct config_problems *problems)
{
    struct buf names = {0};
    for (unsigned i = 0; i < CONFIG_SECTION_COUNT; i++)
        buf_addf(&names, "%s%s", i > 0 ? ", " : "", config_section_name((enum config_section)i));
    config_problem_add(problems, xml_line(node), "there is no section <%.40s>; there are: %s",
                       xml_name(node), names.data != NULL ? names.data : "");
    buf_done(&names);
}

/* False when the section stands too often. */
static bool count_section(const struct xml_node *node, struct reader *reader)
{
    struct config *config = reader->config;
    unsigned max = config_section_max(reader->section);
    if (max == 1 && config->section_lines[0][reader->section] != 0) {
        config_problem_add(reader->problems, xml_line(node),
                           "<%s> stands twice (first on line %u); put all its settings into one",
                           xml_name(node), config->section_lines[0][reader->section]);
        return false;
    }
    if (max > 1) {
        reader->repeat = config_section_count(reader->section, config);
        if (!config_section_add(reader->section, config)) {
            config_problem_add(reader->problems, xml_line(node), "<%s> stands more than %u times",
                               xml_name(node), max);
            return false;
        }
    }
    config->section_lines[reader->repeat][reader->section] = line_of(node);
    return true;
}

static void read_section(const struct xml_node *node, struct config *config,
                         struct config_problems *problems)
{
    struct reader reader = {.config = config, .problems = problems};
    reader.section = find_section(xml_name(node));
    if (reader.section == CONFIG_SECTION_COUNT) {
        refuse_section(node, problems);
        return;
    }
    if (!count_section(node, &reader))
        return;
    read_attributes(node, &reader);
    for (const struct xml_node *child = xml_child(node); child != NULL; child = xml_next(child))
        read_setting(child, &reader);
}

static void copy_text(char *out, size_t cap_bytes, const char *text, size_t len_bytes)
{
    if (out[0] == '\0' && len_bytes < cap_bytes)
        memcpy(out, text, len_bytes); /* the rest is zero already */
}

/* Settings whose default is another setting. */
static void fill_from_others(struct config *config)
{
    copy_text(config->host.name, sizeof(config->host.name), config->host.fqdn,
              strcspn(config->host.fqdn, "."));
    copy_text(config->peer.name, sizeof(config->peer.name), config->peer.fqdn,
              strcspn(config->peer.fqdn, "."));
    copy_text(config->vip.interface, sizeof(config->vip.interface), config->host.interface,
              strlen(config->host.interface));
    if (config->vip.prefix == 0)
        config->vip.prefix = config->host.prefix;
}

int config_parse_xml(const char *text, size_t len_bytes, struct config *config,
                     struct config_problems *problems)
{
    AUTO(xml_freep) struct xml *xml = NULL;
    struct diag diag = {0};
    unsigned before = problems->count;

    config_set_defaults(config);
    int r = xml_parse(text, len_bytes, &xml, &diag);
    if (r < 0) {
        config_problem_add(problems, 0, "not well-formed XML: %s", diag.text);
        return r;
    }
    const struct xml_node *root = xml_root(xml);
    const char *version = xml_attribute(root, "version");
    if (strcmp(xml_name(root), root_name) != 0) {
        config_problem_add(problems, xml_line(root),
                           "the outermost element is <%.40s>, it must be <%s version=\"1\">",
                           xml_name(root), root_name);
        return -EINVAL;
    }
    if (version == NULL || strcmp(version, "1") != 0)
        config_problem_add(problems, xml_line(root),
                           "this program reads version=\"1\" of the file, not \"%.20s\"",
                           version != NULL ? version : "");
    for (const struct xml_node *node = xml_child(root); node != NULL; node = xml_next(node))
        read_section(node, config, problems);
    fill_from_others(config);
    return problems->count == before ? 0 : -EINVAL;
}

int config_read_xml(const char *path, struct config *config, struct config_problems *problems)
{
    struct diag diag = {0};
    char *text = NULL;
    size_t len_bytes = 0;
    config_set_defaults(config);
    int r = small_file_read(path, FILE_BYTES_MAX, &text, &len_bytes, &diag);
    if (r < 0) {
        config_problem_add(problems, 0, "%s", diag.text);
        return r;
    }
    r = config_parse_xml(text, len_bytes, config, problems);
    small_file_free(text, len_bytes);
    return r;
}

/* --- writing ------------------------------------------------------------------------------ */

static void add_escaped(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            buf_adds(out, "&amp;");
            break;
        case '<':
            buf_adds(out, "&lt;");
            break;
        case '>':
            buf_adds(out, "&gt;");
            break;
        default:
            buf_add(out, text, 1);
            break;
        }
    }
}

static void write_setting(struct buf *out, const struct config_setting *row,
                          const struct config *config, unsigned repeat)
{
    for (unsigned i = 0; i < config_setting_values_max(row); i++) {
        struct buf value = {0};
        if (config_setting_print(row, config, (struct config_at){repeat, i}, &value) &&
            value.data != NULL) {
            buf_addf(out, "    <%s>", row->name);
            add_escaped(out, value.data);
            buf_addf(out, "</%s>\n", row->name);
        }
        out->failed = out->failed || value.failed;
        if (value.data != NULL)
            secrets_wipe(value.data, value.cap_bytes);
        buf_done(&value);
    }
}

static void write_section(struct buf *out, const struct config *config, enum config_section section,
                          unsigned repeat)
{
    const char *name = config_section_name(section);
    buf_addf(out, "  <%s>\n", name);
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++) {
        const struct config_setting *row = config_setting_at((enum config_setting_id)i);
        if (row->section == section && !(row->flags & CONFIG_NOT_STORED))
            write_setting(out, row, config, repeat);
    }
    buf_addf(out, "  </%s>\n", name);
}

static void write_document(struct buf *out, const struct config *config)
{
    buf_addf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s version=\"1\">\n", root_name);
    for (unsigned i = 0; i < CONFIG_SECTION_COUNT; i++) {
        enum config_section section = (enum config_section)i;
        for (unsigned repeat = 0; repeat < config_section_count(section, config); repeat++)
            write_section(out, config, section, repeat);
    }
    buf_addf(out, "</%s>\n", root_name);
}

int config_write(const char *path, const struct config *config, struct diag *diag)
{
    if (config->administrator.password[0] != '\0')
        return diag_fail(diag, -EINVAL, "the administrator's password is not hashed yet");
    const struct small_file_mode how = {.mode = 0600};
    struct buf out = {0};
    write_document(&out, config);
    int r = out.failed ? diag_fail(diag, -ENOMEM, "no memory for the configuration file")
                       : small_file_replace(path, out.data, out.len_bytes, &how, diag);
    if (out.data != NULL)
        secrets_wipe(out.data, out.cap_bytes);
    buf_done(&out);
    return r;
}

int config_load(const char *path, struct config *config, struct diag *diag)
{
    struct config_problems problems = {0};
    char *text = NULL;
    size_t len_bytes = 0;
    config_set_defaults(config);
    int r = small_file_read_secret(path, FILE_BYTES_MAX, &text, &len_bytes, diag);
    if (r < 0)
        return r;
    r = config_parse_xml(text, len_bytes, config, &problems);
    small_file_free(text, len_bytes);
    int contradicts = config_check(config, &problems);
    if (r == 0)
        r = contradicts;
    if (r == 0)
        return 0;
    const struct config_problem *first = &problems.items[0];
    return diag_fail(diag, r, "%s, line %u: %s%s", path, first->line, first->text,
                     problems.count > 1 ? " (and more: roxe-config check)" : "");
}

int config_seal(struct config *config, struct diag *diag)
{
    if (config->administrator.password[0] == '\0')
        return 0;
    int r = secrets_password_hash(config->administrator.password,
                                  config->administrator.password_hash, diag);
    if (r == 0)
        secrets_wipe(config->administrator.password, sizeof(config->administrator.password));
    return r;
}

void config_wipe(struct config *config)
{
    secrets_wipe(config, sizeof(*config));
}

uint32_t config_node(const struct config *config)
{
    return config->pair.role == CONFIG_ROLE_PRIMARY ? 1 : 2;
}

uint32_t config_peer_node(const struct config *config)
{
    return config->pair.role == CONFIG_ROLE_PRIMARY ? 2 : 1;
}
