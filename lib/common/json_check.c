#include "lib/common/json_check.h"

#include "lib/common/json.h"
#include "lib/common/utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct reader {
    const char *text;
    size_t len, at;
    const char *problem; /* set once, where reading stopped */
    /* what each open bracket is: '{' or '[' */
    char open[JSON_DEPTH_MAX];
    int depth;
};

static bool stop(struct reader *in, const char *problem)
{
    in->problem = problem;
    return false;
}

static int peek(const struct reader *in)
{
    return in->at < in->len ? (unsigned char)in->text[in->at] : -1;
}

static void skip_space(struct reader *in)
{
    while (peek(in) == ' ' || peek(in) == '\t' || peek(in) == '\n' || peek(in) == '\r')
        in->at++;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool read_word(struct reader *in, const char *word)
{
    size_t len = strlen(word);
    if (in->len - in->at < len || memcmp(in->text + in->at, word, len) != 0)
        return stop(in, "no JSON value");
    in->at += len;
    return true;
}

static bool read_digits(struct reader *in)
{
    if (!is_digit(peek(in)))
        return stop(in, "a digit is missing");
    while (is_digit(peek(in)))
        in->at++;
    return true;
}

static bool read_number(struct reader *in)
{
    if (peek(in) == '-')
        in->at++;
    if (peek(in) == '0') {
        in->at++;
        if (is_digit(peek(in)))
            return stop(in, "a number starts with a needless zero");
    } else if (!read_digits(in)) {
        return false;
    }
    if (peek(in) == '.') {
        in->at++;
        if (!read_digits(in))
            return false;
    }
    if (peek(in) == 'e' || peek(in) == 'E') {
        in->at++;
        if (peek(in) == '+' || peek(in) == '-')
            in->at++;
        return read_digits(in);
    }
    return true;
}

static bool read_hex4(struct reader *in, uint32_t *ret_code)
{
    uint32_t code = 0;
    for (int i = 0; i < 4; i++, in->at++) {
        int c = peek(in);
        uint32_t digit;
        if (is_digit(c))
            digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (uint32_t)(c - 'A') + 10;
        else
            return stop(in, "\\u needs four hexadecimal digits");
        code = code << 4 | digit;
    }
    *ret_code = code;
    return true;
}

static bool read_unicode_escape(struct reader *in)
{
    uint32_t code = 0, second = 0;
    if (!read_hex4(in, &code))
        return false;
    if (code == 0)
        return stop(in, "a NUL character is not allowed in a string");
    if (code >= 0xdc00 && code <= 0xdfff)
        return stop(in, "half a surrogate pair");
    if (code < 0xd800 || code > 0xdbff)
        return true;
    if (in->len - in->at < 2 || memcmp(in->text + in->at, "\\u", 2) != 0)
        return stop(in, "half a surrogate pair");
    in->at += 2;
    if (!read_hex4(in, &second))
        return false;
    return (second >= 0xdc00 && second <= 0xdfff) || stop(in, "half a surrogate pair");
}

static bool read_escape(struct reader *in)
{
    int c = peek(in);
    if (c <= 0 || strchr("\"\\/bfnrtu", c) == NULL)
        return stop(in, "unknown escape");
    in->at++;
    return c != 'u' || read_unicode_escape(in);
}

static bool read_string(struct reader *in)
{
    if (peek(in) != '"')
        return stop(in, "a string in double quotes is missing");
    in->at++;
    while (peek(in) != '"') {
        int c = peek(in);
        if (c < 0)
            return stop(in, "the text ends inside a string");
        if (c < 0x20)
            return stop(in, "a control character must be written as an escape");
        size_t step = utf8_next(in->text + in->at, in->len - in->at, NULL);
        if (step == 0)
            return stop(in, "these bytes are no UTF-8");
        in->at += step;
        if (c == '\\' && !read_escape(in))
            return false;
    }
    in->at++;
    return true;
}

static bool read_name(struct reader *in)
{
    skip_space(in);
    if (!read_string(in))
        return false;
    skip_space(in);
    if (peek(in) != ':')
        return stop(in, "a colon is missing after a member's name");
    in->at++;
    return true;
}

/* Opens an array or object. *ret_value: a value follows; false when it was closed at once. */
static bool read_opening(struct reader *in, bool *ret_value)
{
    if (in->depth == JSON_DEPTH_MAX)
        return stop(in, "nested too deeply");
    char kind = in->text[in->at++];
    in->open[in->depth++] = kind;
    skip_space(in);
    *ret_value = peek(in) != (kind == '{' ? '}' : ']');
    return !*ret_value || kind == '[' || read_name(in);
}

static bool read_scalar(struct reader *in)
{
    switch (peek(in)) {
    case -1:
        return stop(in, "the text ends where a value is missing");
    case '"':
        return read_string(in);
    case 't':
        return read_word(in, "true");
    case 'f':
        return read_word(in, "false");
    case 'n':
        return read_word(in, "null");
    default:
        if (peek(in) == '-' || is_digit(peek(in)))
            return read_number(in);
        return stop(in, "no JSON value");
    }
}

/* Behind a value: closes what ends here. *ret_value: a comma came, the next value follows. */
static bool read_closings(struct reader *in, bool *ret_value)
{
    *ret_value = false;
    while (in->depth > 0) {
        skip_space(in);
        char kind = in->open[in->depth - 1];
        if (peek(in) == ',') {
            in->at++;
            *ret_value = true;
            return kind == '[' || read_name(in);
        }
        if (peek(in) != (kind == '{' ? '}' : ']'))
            return stop(in, kind == '{' ? "',' or '}' is missing" : "',' or ']' is missing");
        in->at++;
        in->depth--;
    }
    return true;
}

static bool read_text(struct reader *in)
{
    bool value = true;
    while (value) {
        skip_space(in);
        if (peek(in) == '{' || peek(in) == '[') {
            if (!read_opening(in, &value))
                return false;
            if (value)
                continue;
        } else if (!read_scalar(in)) {
            return false;
        }
        if (!read_closings(in, &value))
            return false;
    }
    skip_space(in);
    return in->at == in->len || stop(in, "something follows after the end of the JSON text");
}

int json_check(const char *text, size_t len_bytes, struct diag *diag)
{
    struct reader in = {.text = text, .len = len_bytes};
    if (read_text(&in))
        return 0;

    size_t line = 1, column = 1;
    for (size_t i = 0; i < in.at && i < len_bytes; i++) {
        column++;
        if (text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    return diag_fail(diag, -EINVAL, "line %zu, column %zu: %s", line, column, in.problem);
}
