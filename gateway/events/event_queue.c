#include "gateway/events/event_queue.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { RING_FIRST = 8 };

struct event_line *event_line_new(const char *text, size_t len_bytes)
{
    struct event_line *line = malloc(sizeof(*line) + len_bytes + 1);
    if (line == NULL)
        return NULL;
    line->refs = 1;
    line->len_bytes = len_bytes + 1;
    memcpy(line->text, text, len_bytes);
    line->text[len_bytes] = '\n';
    return line;
}

struct event_line *event_line_ref(struct event_line *line)
{
    line->refs++;
    return line;
}

void event_line_unref(struct event_line *line)
{
    if (line != NULL && --line->refs == 0)
        free(line);
}

void event_queue_done(struct event_queue *queue)
{
    struct event_line *line;
    while ((line = event_queue_pop(queue)) != NULL)
        event_line_unref(line);
    free(queue->ring);
    *queue = (struct event_queue){0};
}

static bool grow(struct event_queue *queue)
{
    unsigned cap = queue->cap == 0 ? RING_FIRST : queue->cap * 2;
    struct event_line **ring = calloc(cap, sizeof(struct event_line *));
    if (ring == NULL)
        return false;
    for (unsigned i = 0; i < queue->count; i++)
        ring[i] = queue->ring[(queue->first + i) % queue->cap];
    free(queue->ring);
    queue->ring = ring;
    queue->first = 0;
    queue->cap = cap;
    return true;
}

void event_queue_push(struct event_queue *queue, struct event_line *line)
{
    while (queue->count > 0 && (queue->count >= EVENT_QUEUE_MAX ||
                                queue->bytes + line->len_bytes > EVENT_QUEUE_BYTES_MAX)) {
        event_line_unref(event_queue_pop(queue));
        queue->lost++;
    }
    if (queue->count == queue->cap && !grow(queue)) {
        queue->lost++;
        return;
    }
    queue->ring[(queue->first + queue->count) % queue->cap] = event_line_ref(line);
    queue->count++;
    queue->bytes += line->len_bytes;
}

struct event_line *event_queue_pop(struct event_queue *queue)
{
    if (queue->count == 0)
        return NULL;
    struct event_line *line = queue->ring[queue->first];
    queue->first = (queue->first + 1) % queue->cap;
    queue->count--;
    queue->bytes -= line->len_bytes;
    return line;
}
