#include "gateway/events/event_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void push(struct event_queue *queue, const char *text)
{
    struct event_line *line = event_line_new(text, strlen(text));
    assert_non_null(line);
    event_queue_push(queue, line);
    event_line_unref(line);
}

static void pop(struct event_queue *queue, const char *expected)
{
    struct event_line *line = event_queue_pop(queue);
    assert_non_null(line);
    assert_int_equal(line->len_bytes, strlen(expected));
    assert_memory_equal(line->text, expected, line->len_bytes);
    event_line_unref(line);
}

static void lines_come_out_in_order_with_their_newline(void **unused)
{
    struct event_queue queue = {0};
    char text[16], expected[16];
    (void)unused;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) {
            (void)snprintf(text, sizeof(text), "%d", i);
            push(&queue, text);
        }
        for (int i = 0; i < 100; i++) {
            (void)snprintf(expected, sizeof(expected), "%d\n", i);
            pop(&queue, expected);
        }
        assert_null(event_queue_pop(&queue));
    }
    assert_int_equal(queue.lost, 0);
    assert_int_equal(queue.bytes, 0);
    event_queue_done(&queue);
}

static void a_full_queue_loses_the_oldest_and_counts_them(void **unused)
{
    struct event_queue queue = {0};
    char text[16];
    (void)unused;
    for (int i = 0; i < EVENT_QUEUE_MAX + 10; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        push(&queue, text);
    }
    assert_int_equal(queue.lost, 10);
    assert_int_equal(queue.count, EVENT_QUEUE_MAX);
    pop(&queue, "10\n");
    event_queue_done(&queue);
}

static void large_events_fill_it_by_their_bytes(void **unused)
{
    struct event_queue queue = {0};
    enum { LARGE_BYTES = EVENT_QUEUE_BYTES_MAX / 4 };
    char *large = malloc(LARGE_BYTES + 1);
    (void)unused;
    assert_non_null(large);
    memset(large, 'x', LARGE_BYTES);
    large[LARGE_BYTES] = '\0';
    for (int i = 0; i < 10; i++)
        push(&queue, large);
    assert_true(queue.bytes <= EVENT_QUEUE_BYTES_MAX);
    assert_int_equal(queue.lost + queue.count, 10);
    event_queue_done(&queue);
    free(large);
}

static void a_line_is_shared(void **unused)
{
    struct event_queue one = {0}, two = {0};
    struct event_line *line = event_line_new("x", 1);
    (void)unused;
    event_queue_push(&one, line);
    event_queue_push(&two, line);
    assert_int_equal(line->refs, 3);
    event_line_unref(line);
    event_queue_done(&one);
    pop(&two, "x\n");
    event_queue_done(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_out_in_order_with_their_newline),
        cmocka_unit_test(a_full_queue_loses_the_oldest_and_counts_them),
        cmocka_unit_test(large_events_fill_it_by_their_bytes),
        cmocka_unit_test(a_line_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
