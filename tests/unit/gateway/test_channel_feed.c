#include "gateway/events/channel_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { THINGS_MAX = 20000 };

/* Things with a state each; the generator tells "<number>=<state>". */
static struct world {
    unsigned things;
    int states[THINGS_MAX];
    unsigned told;
} world;

static bool next_thing(void *context, const struct filter *filter, struct snapshot_cursor *cursor,
                       struct buf *out)
{
    struct world *all = context;
    (void)filter;
    if (cursor->position >= all->things)
        return false;
    buf_addf(out, "%zu=%d\n", cursor->position, all->states[cursor->position]);
    cursor->position++;
    all->told++;
    return true;
}

static const struct snapshot_ops ops = {.next = next_thing, .context = &world};
static struct event_queue queue;
static struct channel_feed feed;

static int begin(void **unused)
{
    (void)unused;
    memset(&world, 0, sizeof(world));
    queue = (struct event_queue){0};
    feed = (struct channel_feed){.queue = &queue, .ops = &ops};
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    event_queue_done(&queue);
    return 0;
}

static void push(const char *text)
{
    struct event_line *line = event_line_new(text, strlen(text));
    event_queue_push(&queue, line);
    event_line_unref(line);
}

/* Everything that the feed has. */
static void assert_feed(const char *expected)
{
    struct buf out = {0};
    while (channel_feed_next(&feed, &out))
        assert_false(out.failed);
    assert_string_equal(out.data == NULL ? "" : out.data, expected);
    assert_true(channel_feed_is_empty(&feed));
    buf_done(&out);
}

static void states_come_before_the_events_that_waited(void **unused)
{
    (void)unused;
    world.things = 2;
    push("{A}");
    channel_feed_restart(&feed);
    assert_false(channel_feed_is_empty(&feed));
    push("{B}");
    assert_feed("0=0\n1=0\n{A}\n{B}\n");
    push("{C}");
    assert_feed("{C}\n"); /* and only once */
}

static void without_states_only_events_come(void **unused)
{
    (void)unused;
    feed.ops = NULL;
    channel_feed_restart(&feed);
    push("{A}");
    assert_feed("{A}\n");
    feed.ops = &ops; /* there is nothing that the filter covers */
    channel_feed_restart(&feed);
    assert_feed("");
}

static void after_a_loss_the_states_are_told_again(void **unused)
{
    (void)unused;
    world.things = 1;
    channel_feed_restart(&feed);
    assert_feed("0=0\n");
    world.states[0] = 7;
    push("{A}");
    queue.lost = 3;
    assert_feed("{\"eventName\":\"OnChannelInformation\",\"text\":\"3 events lost\"}\n0=7\n{A}\n");
}

static void a_loss_before_the_first_state_tells_them_once(void **unused)
{
    (void)unused;
    world.things = 1;
    channel_feed_restart(&feed);
    queue.lost = 1;
    assert_feed("{\"eventName\":\"OnChannelInformation\",\"text\":\"1 events lost\"}\n0=0\n");
}

static void a_loss_while_states_are_told_tells_all_once_more(void **unused)
{
    struct buf out = {0};
    (void)unused;
    world.things = 2000;
    channel_feed_restart(&feed);
    assert_true(channel_feed_next(&feed, &out));
    assert_true(world.told > 0 && world.told < 2000);
    queue.lost = 1;
    while (channel_feed_next(&feed, &out))
        buf_clear(&out);
    assert_int_equal(world.told, 4000);
    buf_done(&out);
}

static void many_states_come_in_small_pieces(void **unused)
{
    struct buf out = {0};
    unsigned pieces = 0, lines = 0;
    (void)unused;
    world.things = THINGS_MAX;
    channel_feed_restart(&feed);
    for (; channel_feed_next(&feed, &out); pieces++) {
        assert_true(out.len_bytes < CHANNEL_FEED_PIECE_BYTES + 64);
        assert_true(out.data[out.len_bytes - 1] == '\n');
        for (const char *c = out.data; *c != '\0'; c++)
            lines += *c == '\n';
        buf_clear(&out);
    }
    assert_int_equal(lines, THINGS_MAX);
    assert_true(pieces > 20);
    buf_done(&out);
}

static void events_that_press_are_not_lost_behind_many_states(void **unused)
{
    struct buf out = {0};
    (void)unused;
    world.things = THINGS_MAX;
    channel_feed_restart(&feed);
    for (unsigned i = 0; i < 10 * EVENT_QUEUE_MAX; i++) { /* as many events as pieces */
        push("{}");
        (void)channel_feed_next(&feed, &out);
        buf_clear(&out);
    }
    assert_int_equal(queue.lost, 0);
    while (channel_feed_next(&feed, &out))
        buf_clear(&out);
    assert_int_equal(world.told, THINGS_MAX);
    buf_done(&out);
}

static void a_stream_that_ends_gets_its_events_only(void **unused)
{
    struct buf out = {0};
    (void)unused;
    world.things = THINGS_MAX;
    channel_feed_restart(&feed);
    assert_true(channel_feed_next(&feed, &out));
    push("{A}");
    channel_feed_skip_states(&feed);
    assert_feed("{A}\n");
    buf_done(&out);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(states_come_before_the_events_that_waited),
        CASE(without_states_only_events_come),
        CASE(after_a_loss_the_states_are_told_again),
        CASE(a_loss_before_the_first_state_tells_them_once),
        CASE(a_loss_while_states_are_told_tells_all_once_more),
        CASE(many_states_come_in_small_pieces),
        CASE(events_that_press_are_not_lost_behind_many_states),
        CASE(a_stream_that_ends_gets_its_events_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
