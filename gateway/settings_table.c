#include "gateway/settings_table.h"

#include "lib/common/common.h"
#include "lib/common/log.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE_CHARS = 64 };

/* Where mistakes go, and what stands before a key's name there: "" or "pbx[1].". */
struct report {
    struct buf *problems;
    char place[PLACE_CHARS];
};

static void problem(const struct report *report, const struct settings_row *row, const char *what)
{
    buf_addf(report->problems, "%s%s: %s\n", report->place, row->key, what);
}

static void problem_range(const struct report *report, const struct settings_row *row,
                          const char *format)
{
    char what[128];
    (void)snprintf(what, sizeof(what), "must %s %lld to %lld%s", format, (long long)row->min,
                   (long long)row->max, row->kind == SETTINGS_INT ? "" : " entries");
    problem(report, row, what);
}

static bool is_url(const char *url)
{
    const char *rest = NULL;
    if (strncmp(url, "https://", 8) == 0)
        rest = url + 8;
    else if (strncmp(url, "http://", 7) == 0)
        rest = url + 7;
    return rest != NULL && *rest != '\0' && strpbrk(rest, "/?# \"\\@") == NULL;
}

static bool is_printable(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (*c < 0x20 || *c > 0x7e)
            return false;
    return true;
}

static bool is_address(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);
    for (const char *word = choices; *word != '\0';) {
        size_t word_len = strcspn(word, " ");
        if (word_len == len && memcmp(word, text, len) == 0)
            return true;
        word += word_len + (word[word_len] == ' ');
    }
    return false;
}

static void check_text(const struct report *report, const struct settings_row *row,
                       const char *text)
{
    enum log_level level;
    char what[128];
    switch (row->kind) {
    case SETTINGS_TEXT:
    case SETTINGS_TEXTS: /* the root descriptor is ISO-8859-1 */
        if (!is_printable(text))
            problem(report, row, "may hold printable ASCII only");
        return;
    case SETTINGS_PATH:
        if (*text != '/')
            problem(report, row, "must be an absolute path");
        return;
    case SETTINGS_URL:
        if (!is_url(text))
            problem(report, row, "must be https://host or https://host:port, nothing behind it");
        return;
    case SETTINGS_LEVEL:
        if (!log_level_parse(text, &level))
            problem(report, row, "must be error, warning, notice, info, debug or trace");
        return;
    case SETTINGS_ADDRESS:
    case SETTINGS_ADDRESSES:
        (void)snprintf(what, sizeof(what), "%.64s is no numeric address", text);
        if (!is_address(text))
            problem(report, row, what);
        return;
    case SETTINGS_CHOICE:
    case SETTINGS_CHOICES:
        (void)snprintf(what, sizeof(what), "must be one of: %s", row->choices);
        if (!is_choice(row->choices, text))
            problem(report, row, what);
        return;
    case SETTINGS_SECRET:
    case SETTINGS_BOOL:
    case SETTINGS_INT:
    case SETTINGS_OBJECTS:
        return;
    }
}

static void read_text(const struct report *report, const struct settings_row *row,
                      const cJSON *value, char *place)
{
    const char *text = cJSON_GetStringValue(value);
    if (text == NULL) {
        problem(report, row, "must be a text");
        return;
    }
    bool in_list = row->count_offset != 0;
    if ((row->otherwise == NULL || in_list) && *text == '\0') {
        problem(report, row, "must not be empty");
        return;
    }
    int len = snprintf(place, row->chars, "%s", text);
    if ((size_t)len >= row->chars) {
        char what[64];
        (void)snprintf(what, sizeof(what), "is longer than %zu bytes", row->chars - 1);
        problem(report, row, what);
        return;
    }
    if (*place != '\0')
        check_text(report, row, place);
}

static void read_object(const struct report *report, const struct settings_list *table,
                        const cJSON *json, char *base);

/* The next object of a list. */
static void read_item(const struct report *report, const struct settings_row *row,
                      const cJSON *value, char *base)
{
    const unsigned number = *(const unsigned *)(const void *)(base + row->count_offset);
    struct report inner = {.problems = report->problems};
    (void)snprintf(inner.place, sizeof(inner.place), "%.16s%.24s[%u].", report->place, row->key,
                   number);
    if (cJSON_IsObject(value))
        read_object(&inner, row->item, value, base + row->offset + number * row->item->item_bytes);
    else
        buf_addf(report->problems, "%s%s[%u]: must be an object\n", report->place, row->key,
                 number);
}

static void read_list(const struct report *report, const struct settings_row *row,
                      const cJSON *value, char *base)
{
    bool objects = row->kind == SETTINGS_OBJECTS;
    unsigned *count = (void *)(base + row->count_offset);
    if (!cJSON_IsArray(value)) {
        problem(report, row, objects ? "must be a list of objects" : "must be a list of texts");
        return;
    }
    int size = cJSON_GetArraySize(value);
    if (size < row->min || size > row->max) {
        problem_range(report, row, "have");
        return;
    }
    const cJSON *item;
    cJSON_ArrayForEach(item, value)
    {
        if (objects)
            read_item(report, row, item, base);
        else
            read_text(report, row, item, base + row->offset + *count * row->chars);
        (*count)++; /* also a wrong one: the next keeps its number */
    }
}

static void read_number(const struct report *report, const struct settings_row *row,
                        const cJSON *value, int64_t *place)
{
    double number = cJSON_GetNumberValue(value);
    if (!cJSON_IsNumber(value) || number < (double)row->min || number > (double)row->max ||
        number != (double)(int64_t)number) {
        problem_range(report, row, "be a whole number from");
        return;
    }
    *place = (int64_t)number;
}

static void read_row(const struct report *report, const struct settings_row *row,
                     const cJSON *value, char *base)
{
    switch (row->kind) {
    case SETTINGS_TEXT:
    case SETTINGS_SECRET:
    case SETTINGS_PATH:
    case SETTINGS_URL:
    case SETTINGS_LEVEL:
    case SETTINGS_ADDRESS:
    case SETTINGS_CHOICE:
        read_text(report, row, value, base + row->offset);
        return;
    case SETTINGS_TEXTS:
    case SETTINGS_ADDRESSES:
    case SETTINGS_CHOICES:
    case SETTINGS_OBJECTS:
        read_list(report, row, value, base);
        return;
    case SETTINGS_INT:
        read_number(report, row, value, (void *)(base + row->offset));
        return;
    case SETTINGS_BOOL:
        if (cJSON_IsBool(value))
            *(bool *)(void *)(base + row->offset) = cJSON_IsTrue(value);
        else
            problem(report, row, "must be true or false");
        return;
    }
}

static void set_default_texts(const struct settings_row *row, char *base)
{
    unsigned *count = (void *)(base + row->count_offset);
    for (const char *word = row->otherwise; *word != '\0';) {
        int len = (int)strcspn(word, " ");
        (void)snprintf(base + row->offset + *count * row->chars, row->chars, "%.*s", len, word);
        (*count)++;
        word += len + (word[len] == ' ');
    }
}

static void set_default(const struct report *report, const struct settings_row *row, char *base)
{
    if (row->otherwise == NULL)
        problem(report, row, "must be given");
    else if (row->kind == SETTINGS_INT)
        *(int64_t *)(void *)(base + row->offset) = strtoll(row->otherwise, NULL, 10);
    else if (row->kind == SETTINGS_BOOL)
        *(bool *)(void *)(base + row->offset) = strcmp(row->otherwise, "true") == 0;
    else if (row->kind == SETTINGS_OBJECTS)
        return; /* an empty list */
    else if (row->count_offset != 0)
        set_default_texts(row, base);
    else
        (void)snprintf(base + row->offset, row->chars, "%s", row->otherwise);
}

static void read_object(const struct report *report, const struct settings_list *table,
                        const cJSON *json, char *base)
{
    const cJSON *member;
    cJSON_ArrayForEach(member, json)
    {
        bool known = false;
        for (size_t i = 0; i < table->row_count; i++)
            known = known || strcmp(table->rows[i].key, member->string) == 0;
        if (!known)
            buf_addf(report->problems, "%s%.64s: there is no such setting\n", report->place,
                     member->string);
    }
    for (size_t i = 0; i < table->row_count; i++) {
        const struct settings_row *row = &table->rows[i];
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, row->key);
        if (value == NULL)
            set_default(report, row, base);
        else
            read_row(report, row, value, base);
    }
}

void settings_table_read(const struct settings_list *table, const cJSON *json, void *base,
                         struct buf *problems)
{
    const struct report report = {.problems = problems};
    read_object(&report, table, json, base);
}

static void describe(const struct settings_list *table, const char *indent, struct buf *out)
{
    for (size_t i = 0; i < table->row_count; i++) {
        const struct settings_row *row = &table->rows[i];
        const char *otherwise = row->otherwise;
        if (otherwise != NULL && *otherwise == '\0')
            otherwise = row->count_offset != 0 ? "[]" : "empty";
        buf_addf(out, "%s%-*s %s", indent, 28 - (int)strlen(indent), row->key, row->meaning);
        if (otherwise == NULL)
            buf_adds(out, " (required)\n");
        else
            buf_addf(out, " (default: %s)\n", otherwise);
        if (row->item != NULL)
            describe(row->item, "      ", out);
    }
}

void settings_table_describe(const struct settings_list *table, struct buf *out)
{
    describe(table, "  ", out);
}
