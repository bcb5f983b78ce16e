#include "cli/roxed_history.h"

#include "cli/roxed_text.h"
#include "lib/common/common.h"
#include "lib/common/json.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EVENT_WIDTH = 22 };

static void add_entry(struct buf *out, const cJSON *entry)
{
    const char *from = json_string(entry, "from"), *to = json_string(entry, "to");
    const char *event = json_string(entry, "event"), *text = json_string(entry, "text");
    int64_t at_s, row, term;
    struct buf what = {0};

    if (json_int64(entry, "at_s", &at_s))
        roxed_add_time(out, at_s);
    else
        roxed_add_padded(out, "unknown time", sizeof("2026-11-24 01:02:03") - 1);
    if (from != NULL && to != NULL && strcmp(from, to) != 0)
        buf_addf(&what, "%s -> %s", from, to);
    else
        buf_adds(&what, event != NULL ? event : "unknown");
    buf_adds(out, "  ");
    roxed_add_padded(out, what.data != NULL ? what.data : "", EVENT_WIDTH);
    buf_adds(out, " ");
    roxed_add_safe(out, text != NULL ? text : "unknown");
    buf_done(&what);

    bool has_row = json_int64(entry, "row", &row), has_term = json_int64(entry, "term", &term);
    if (has_row && has_term)
        buf_addf(out, " (rule %" PRId64 ", term %" PRId64 ")", row, term);
    else if (has_term)
        buf_addf(out, " (term %" PRId64 ")", term);
    buf_adds(out, "\n");
}

void roxed_history_add(struct buf *out, const cJSON *entries)
{
    const cJSON *entry;
    if (cJSON_GetArraySize(entries) == 0)
        buf_adds(out, "Nothing is recorded for this time.\n");
    cJSON_ArrayForEach(entry, entries) add_entry(out, entry);
}

/* --- times ----------------------------------------------------------------------------------- */

/* "10m": so long ago */
static bool parse_ago(const char *text, int64_t now_s, int64_t *ret_at_s)
{
    static const struct unit {
        char letter;
        int64_t length_s;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end = NULL;
    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    long long count = strtoll(text, &end, 10);
    if (errno != 0 || count > 1000000 || end[0] == '\0' || end[1] != '\0')
        return false;
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (units[i].letter == end[0]) {
            int64_t at_s = now_s - count * units[i].length_s;
            *ret_at_s = at_s > 0 ? at_s : 0;
            return true;
        }
    return false;
}

/* mktime() accepts the 31st of February and moves it; such a date is a slip of the hand. */
static bool make_time(const struct tm *wanted, int64_t *ret_at_s)
{
    struct tm parts = *wanted;
    parts.tm_isdst = -1;
    time_t at = mktime(&parts);
    if (at == (time_t)-1 || parts.tm_mday != wanted->tm_mday || parts.tm_mon != wanted->tm_mon)
        return false;
    *ret_at_s = (int64_t)at;
    return true;
}

static bool parse_day_word(const char *text, const struct tm *today, int64_t *ret_at_s)
{
    struct tm parts = {.tm_year = today->tm_year,
                       .tm_mon = today->tm_mon,
                       .tm_mday = today->tm_mday,
                       .tm_isdst = -1};
    if (strcmp(text, "yesterday") == 0) {
        parts.tm_mday--; /* mktime() goes back over the month's border */
        *ret_at_s = (int64_t)mktime(&parts);
        return true;
    }
    return strcmp(text, "today") == 0 && make_time(&parts, ret_at_s);
}

static bool parse_date(const char *text, const struct tm *today, int64_t *ret_at_s)
{
    static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M",
                                          "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
                                          "%Y-%m-%d",          "%H:%M"};
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        struct tm parts = {
            .tm_year = today->tm_year, .tm_mon = today->tm_mon, .tm_mday = today->tm_mday};
        const char *end = strptime(text, formats[i], &parts);
        if (end != NULL && *end == '\0')
            return make_time(&parts, ret_at_s);
    }
    return false;
}

int roxed_history_parse_when(const char *text, int64_t now_s, int64_t *ret_at_s, struct diag *diag)
{
    time_t now = (time_t)now_s;
    struct tm today;
    int64_t at_s = 0;
    if (localtime_r(&now, &today) != NULL &&
        (parse_ago(text, now_s, &at_s) || parse_day_word(text, &today, &at_s) ||
         parse_date(text, &today, &at_s))) {
        *ret_at_s = at_s > 0 ? at_s : 0;
        return 0;
    }
    return diag_fail(diag, -EINVAL,
                     "'%.40s' is no time: 10m, 2h, 3d, today, yesterday, 14:30, 2026-01-31 or "
                     "'2026-01-31 14:30' is expected",
                     text);
}
