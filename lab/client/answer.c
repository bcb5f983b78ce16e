/* answer.c - HTTP/1.1 as a client: one request at a time, answers read to their end. */
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The next line of the head or of the chunk framing, without its end, NUL at the end. */
static int next_framing_line(struct wire *wire, char *line, size_t size, int64_t deadline_ms)
{
    for (;;) {
        char *begin = wire->buffer + wire->begin;
        char *end = memchr(begin, '\n', wire->end - wire->begin);
        if (end != NULL) {
            size_t length = (size_t)(end - begin);
            wire->begin += length + 1;
            if (length > 0 && begin[length - 1] == '\r')
                length--;
            if (length >= size)
                return -EMSGSIZE;
            memcpy(line, begin, length);
            line[length] = '\0';
            return 0;
        }
        int r = wire_fill(wire, deadline_ms);
        if (r <= 0)
            return r < 0 ? r : -EPIPE;
    }
}

static void take_cookie(struct answer *answer, const char *value)
{
    size_t length = strcspn(value, ";");
    if (answer->cookie[0] == '\0' && length < sizeof(answer->cookie)) {
        memcpy(answer->cookie, value, length);
        answer->cookie[length] = '\0';
    }
}

static void take_field(struct answer *answer, char *line)
{
    char *value = strchr(line, ':');
    if (value == NULL)
        return;
    *value++ = '\0';
    value += strspn(value, " \t");
    if (strcasecmp(line, "Content-Length") == 0)
        answer->content_length = strtol(value, NULL, 10);
    else if (strcasecmp(line, "Transfer-Encoding") == 0)
        answer->chunked = strcasecmp(value, "chunked") == 0;
    else if (strcasecmp(line, "Connection") == 0)
        answer->keep_alive = strcasecmp(value, "close") != 0;
    else if (strcasecmp(line, "Set-Cookie") == 0)
        take_cookie(answer, value);
}

static int read_head(struct wire *wire, int64_t deadline_ms, struct answer *answer)
{
    char line[ANSWER_COOKIE_BYTES + 256];

    int r = next_framing_line(wire, line, sizeof(line), deadline_ms);
    if (r < 0)
        return r;
    if (strncmp(line, "HTTP/1.1 ", 9) != 0)
        return -EPROTO;
    answer->status = (int)strtol(line + 9, NULL, 10);
    if (answer->status < 100 || answer->status > 599)
        return -EPROTO;
    for (;;) {
        r = next_framing_line(wire, line, sizeof(line), deadline_ms);
        if (r < 0)
            return r;
        if (line[0] == '\0')
            return 0;
        take_field(answer, line);
    }
}

/* Moves count bytes of the body out of the wire; what does not fit is dropped. */
static int take_bytes(struct wire *wire, long count, int64_t deadline_ms, struct answer *answer)
{
    while (count > 0) {
        if (wire->begin == wire->end) {
            int r = wire_fill(wire, deadline_ms);
            if (r <= 0)
                return r < 0 ? r : -EPIPE;
        }
        size_t part = wire->end - wire->begin;
        if (part > (size_t)count)
            part = (size_t)count;
        size_t room = ANSWER_BODY_BYTES - answer->length;
        size_t kept = part < room ? part : room;
        memcpy(answer->body + answer->length, wire->buffer + wire->begin, kept);
        answer->length += kept;
        wire->begin += part;
        count -= (long)part;
    }
    return 0;
}

static int read_chunks(struct wire *wire, int64_t deadline_ms, struct answer *answer)
{
    char line[256];
    for (;;) {
        int r = next_framing_line(wire, line, sizeof(line), deadline_ms);
        if (r < 0)
            return r;
        long size = strtol(line, NULL, 16);
        if (size < 0 || line[0] == '\0')
            return -EPROTO;
        r = take_bytes(wire, size, deadline_ms, answer);
        if (r == 0)
            r = next_framing_line(wire, line, sizeof(line), deadline_ms);
        if (r < 0 || size == 0)
            return r;
    }
}

static int read_body(struct wire *wire, int64_t deadline_ms, struct answer *answer)
{
    if (answer->status == 204 || answer->status == 304)
        return 0;
    if (answer->chunked)
        return read_chunks(wire, deadline_ms, answer);
    if (answer->content_length >= 0)
        return take_bytes(wire, answer->content_length, deadline_ms, answer);
    answer->keep_alive = false; /* its end is the connection's end */
    for (;;) {
        int r = wire_fill(wire, deadline_ms);
        if (r <= 0)
            return r;
        r = take_bytes(wire, (long)(wire->end - wire->begin), deadline_ms, answer);
        if (r < 0)
            return r;
    }
}

static int send_request(struct wire *wire, const struct wire_target *target, const char *method,
                        const char *path, const char *head_lines, const char *body,
                        int64_t deadline_ms)
{
    char request[WIRE_BUFFER_BYTES];
    size_t body_length = body != NULL ? strlen(body) : 0;
    int length = snprintf(request, sizeof(request),
                          "%s %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n%s%s%sContent-Length: "
                          "%zu\r\n\r\n%s",
                          method, path, target->host, head_lines != NULL ? head_lines : "",
                          body != NULL ? "Content-Type: application/json\r\n" : "", "", body_length,
                          body != NULL ? body : "");
    if (length < 0 || (size_t)length >= sizeof(request))
        return -EMSGSIZE;
    return wire_send(wire, request, (size_t)length, deadline_ms);
}

int answer_get_head(struct wire *wire, const struct wire_target *target, const char *method,
                    const char *path, const char *head_lines, const char *body,
                    int64_t deadline_mono_ms, struct answer *ret_answer)
{
    *ret_answer = (struct answer){.keep_alive = true, .content_length = -1};
    int r = send_request(wire, target, method, path, head_lines, body, deadline_mono_ms);
    if (r == 0)
        r = read_head(wire, deadline_mono_ms, ret_answer);
    if (r < 0)
        wire_close(wire);
    return r;
}

int answer_get(struct wire *wire, const struct wire_target *target, const char *method,
               const char *path, const char *head_lines, const char *body, int64_t deadline_mono_ms,
               struct answer *ret_answer)
{
    int r =
        answer_get_head(wire, target, method, path, head_lines, body, deadline_mono_ms, ret_answer);
    if (r == 0)
        r = read_body(wire, deadline_mono_ms, ret_answer);
    ret_answer->body[ret_answer->length] = '\0';
    if (r < 0 || !ret_answer->keep_alive)
        wire_close(wire);
    else
        wire->requests++;
    return r;
}

/* Begins the next chunk. 1: it has bytes; 0: that was the last; or -errno. */
static int begin_chunk(struct wire *wire, struct answer_lines *lines)
{
    char line[256];
    int r = next_framing_line(wire, line, sizeof(line), 0);
    if (r < 0)
        return r;
    lines->left = strtol(line, NULL, 16);
    if (lines->left < 0 || line[0] == '\0')
        return -EPROTO;
    if (lines->left > 0)
        return 1;
    r = next_framing_line(wire, line, sizeof(line), 0);
    return r < 0 ? r : 0;
}

int answer_next_line(struct wire *wire, struct answer_lines *lines)
{
    char end_of_chunk[8];
    for (;;) {
        int r;
        if (lines->left < 0) {
            r = begin_chunk(wire, lines);
            if (r <= 0)
                return r;
        }
        while (lines->left > 0) {
            if (wire->begin == wire->end) {
                r = wire_fill(wire, 0);
                if (r <= 0)
                    return r < 0 ? r : -EPIPE;
            }
            char byte = wire->buffer[wire->begin++];
            lines->left--;
            if (byte == '\n') {
                lines->line[lines->length] = '\0';
                lines->length = 0;
                return 1;
            }
            if (lines->length == sizeof(lines->line) - 1)
                return -EMSGSIZE;
            lines->line[lines->length++] = byte;
        }
        r = next_framing_line(wire, end_of_chunk, sizeof(end_of_chunk), 0);
        if (r < 0)
            return r;
        lines->left = -1;
    }
}
