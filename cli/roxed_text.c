#include "cli/roxed_text.h"

#include "lib/common/utf8.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

static bool is_harmful(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) ||      /* C0, DEL, C1 */
           code == 0x061c || code == 0x200e || code == 0x200f || /* direction marks */
           (code >= 0x2028 && code <= 0x202e) ||                 /* separators, embeddings */
           (code >= 0x2066 && code <= 0x2069);                   /* isolates */
}

static size_t add_safe_counted(struct buf *out, const char *text)
{
    size_t count = 0, left = strlen(text);
    while (left > 0) {
        uint32_t code = 0;
        size_t step = utf8_next(text, left, &code);
        if (step == 0 || is_harmful(code))
            buf_adds(out, "?");
        else
            buf_add(out, text, step);
        step = step > 0 ? step : 1;
        text += step;
        left -= step;
        count++;
    }
    return count;
}

void roxed_add_safe(struct buf *out, const char *text)
{
    (void)add_safe_counted(out, text);
}

void roxed_add_padded(struct buf *out, const char *text, size_t width)
{
    for (size_t count = add_safe_counted(out, text); count < width; count++)
        buf_adds(out, " ");
}

void roxed_add_safe_json(struct buf *out, const char *json, size_t len_bytes)
{
    while (len_bytes > 0) {
        uint32_t code = 0;
        size_t step = utf8_next(json, len_bytes, &code);
        /* below 0x20 only white space between values is possible in well-formed JSON */
        if (step > 0 && code < 0x20)
            buf_adds(out, " ");
        else if (step > 0 && is_harmful(code))
            buf_addf(out, "\\u%04x", code);
        else if (step > 0)
            buf_add(out, json, step);
        step = step > 0 ? step : 1;
        json += step;
        len_bytes -= step;
    }
}

void roxed_add_duration(struct buf *out, uint64_t duration_ms)
{
    unsigned long long s = duration_ms / 1000;
    if (s < 10)
        buf_addf(out, "%llu.%llu s", s, (unsigned long long)(duration_ms % 1000 / 100));
    else if (s < 60)
        buf_addf(out, "%llu s", s);
    else if (s < 3600)
        buf_addf(out, "%llu min %llu s", s / 60, s % 60);
    else if (s < 86400)
        buf_addf(out, "%llu h %llu min", s / 3600, s % 3600 / 60);
    else
        buf_addf(out, "%llu d %llu h", s / 86400, s % 86400 / 3600);
}

void roxed_add_time(struct buf *out, int64_t at_s)
{
    char text[64] = "";
    struct tm parts;
    time_t at = (time_t)at_s;
    if (localtime_r(&at, &parts) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts) == 0)
        buf_adds(out, "unknown time");
    else
        buf_adds(out, text);
}
