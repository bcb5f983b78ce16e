#include "tests/integration/telephony/record.h"

#include "lib/common/common.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void record_init(struct record *record, const char *base)
{
    *record = (struct record){0};
    (void)snprintf(record->base, sizeof(record->base), "%s", base);
}

void record_done(struct record *record)
{
    buf_done(&record->steps);
    for (unsigned i = 0; i < record->actor_count; i++)
        buf_done(&record->actors[i].events);
}

void record_actor(struct record *record, const char *name)
{
    (void)snprintf(record->actors[record->actor_count++].name, sizeof(record->actors[0].name), "%s",
                   name);
}

/* 16 hexadecimal digits that stand alone. */
static bool is_ref(const char *text, const char *begin)
{
    size_t len = strspn(text, "0123456789abcdef");
    return len == RECORD_REF_CHARS - 1 && (text == begin || !isalnum((unsigned char)text[-1])) &&
           !isalnum((unsigned char)text[len]);
}

static unsigned number_of(struct record *record, const char *ref)
{
    for (unsigned i = 0; i < record->ref_count; i++)
        if (strncmp(record->refs[i], ref, RECORD_REF_CHARS - 1) == 0)
            return i + 1;
    if (record->ref_count == RECORD_REFS_MAX)
        return 0;
    (void)snprintf(record->refs[record->ref_count++], RECORD_REF_CHARS, "%s", ref);
    return record->ref_count;
}

static void add_normal(struct record *record, struct buf *out, const char *text)
{
    size_t base_len = strlen(record->base);
    for (const char *at = text; *at != '\0';) {
        if (strncmp(at, record->base, base_len) == 0) {
            buf_adds(out, "GATEWAY");
            at += base_len;
        } else if (is_ref(at, text)) {
            buf_addf(out, "R%u", number_of(record, at));
            at += RECORD_REF_CHARS - 1;
        } else {
            buf_add(out, at++, 1);
        }
    }
}

void record_step(struct record *record, unsigned step, const char *text)
{
    buf_addf(&record->steps, "%u %s\n", step, text);
}

void record_answer(struct record *record, int status, const char *location, const char *body)
{
    buf_addf(&record->steps, "  %d\n", status);
    if (location[0] != '\0') {
        buf_adds(&record->steps, "  Location: ");
        add_normal(record, &record->steps, location);
        buf_adds(&record->steps, "\n");
    }
    if (body[0] != '\0') {
        buf_adds(&record->steps, "  ");
        add_normal(record, &record->steps, body);
        buf_adds(&record->steps, "\n");
    }
}

void record_event(struct record *record, const char *actor, unsigned step, const char *line)
{
    for (unsigned i = 0; i < record->actor_count; i++) {
        struct buf *events = &record->actors[i].events;
        if (strcmp(record->actors[i].name, actor) != 0)
            continue;
        buf_addf(events, "[%u] ", step);
        add_normal(record, events, line);
        buf_adds(events, "\n");
        return;
    }
}

char *record_expand(const struct record *record, const char *text)
{
    struct buf out = {0};
    for (const char *at = text; *at != '\0';) {
        char *end = NULL;
        bool alone = *at == 'R' && isdigit((unsigned char)at[1]) &&
                     (at == text || !isalnum((unsigned char)at[-1]));
        unsigned long number = alone ? strtoul(at + 1, &end, 10) : 0;
        if (number > 0 && number <= record->ref_count) {
            buf_adds(&out, record->refs[number - 1]);
            at = end;
        } else {
            buf_add(&out, at++, 1);
        }
    }
    buf_adds(&out, "");
    return buf_take(&out);
}

void record_write(const struct record *record, const char *title, struct buf *out)
{
    buf_addf(out, "# %s\n== steps\n%s", title,
             record->steps.data != NULL ? record->steps.data : "");
    for (unsigned i = 0; i < record->actor_count; i++) {
        const struct buf *events = &record->actors[i].events;
        buf_addf(out, "== %s\n%s", record->actors[i].name,
                 events->data != NULL ? events->data : "");
    }
}

/* --- difference ------------------------------------------------------------------------------- */

struct lines {
    char **line;
    unsigned count;
};

static struct lines cut(char *text)
{
    struct lines lines = {calloc(strlen(text) + 1, sizeof(char *)), 0};
    char *place = NULL;
    for (char *line = strtok_r(text, "\n", &place); line != NULL && lines.line != NULL;
         line = strtok_r(NULL, "\n", &place))
        lines.line[lines.count++] = line;
    return lines;
}

/* Length of the longest common subsequence of what follows each pair of places. */
static unsigned *measure(const struct lines *a, const struct lines *b)
{
    size_t width = b->count + 1;
    unsigned *common = calloc((a->count + 1) * width, sizeof(*common));
    for (unsigned i = a->count; common != NULL && i-- > 0;)
        for (unsigned j = b->count; j-- > 0;) {
            unsigned down = common[(i + 1) * width + j], right = common[i * width + j + 1];
            common[i * width + j] = strcmp(a->line[i], b->line[j]) == 0
                                        ? common[(i + 1) * width + j + 1] + 1
                                        : (down > right ? down : right);
        }
    return common;
}

static void list_differences(const struct lines *a, const struct lines *b, struct buf *out)
{
    AUTO(common_freep) unsigned *common = measure(a, b);
    size_t width = b->count + 1;
    unsigned i = 0, j = 0;
    while (common != NULL && (i < a->count || j < b->count)) {
        if (i < a->count && j < b->count && strcmp(a->line[i], b->line[j]) == 0) {
            i++;
            j++;
        } else if (j == b->count ||
                   (i < a->count && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
            buf_addf(out, "- %s\n", a->line[i++]);
        } else {
            buf_addf(out, "+ %s\n", b->line[j++]);
        }
    }
}

bool record_diff(const char *expected, const char *actual, struct buf *out)
{
    if (strcmp(expected, actual) == 0)
        return false;
    AUTO(common_freep) char *left = strdup(expected);
    AUTO(common_freep) char *right = strdup(actual);
    if (left == NULL || right == NULL)
        return true;
    struct lines a = cut(left), b = cut(right);
    list_differences(&a, &b, out);
    free(a.line);
    free(b.line);
    return true;
}
