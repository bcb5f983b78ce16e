#include "tests/integration/http/http_test_server.h"

#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/common/timer.h"

#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ACCESS_ANY, ACCESS_ASYNC, ACCESS_NEVER, BIG_BYTES = 4 * 1024 * 1024, LINE_BYTES = 1024 };

struct http_test_server {
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t wake;
    uv_mutex_t lock;
    uv_cond_t done;
    void (*fn)(void *context);
    void *fn_context;
    struct http_router *router;
    struct http_server *server;
    struct http_test_counts counts;
    uint16_t port;
    uint64_t drain_budget_ms;
    char *big;
};

/* --- handlers --------------------------------------------------------------------------------- */
struct note {
    const char *text;
    struct repr_int number;
    struct repr_array tags;
};
static const struct repr_member note_members[] = {
    REPR_STRING(struct note, text, "text", REPR_REQUIRED, 0, 0),
    REPR_INT_OPTIONAL(struct note, number, "number", 0, 0, 100),
    REPR_STRINGS(struct note, tags, "tags", 0, 0, 0),
};
static const struct repr note_repr = REPR("Note", struct note, note_members);

static struct http_test_server *test_of(const struct http_request *request)
{
    return http_request_program(request);
}

static void get_plain(struct http_request *request)
{
    atomic_fetch_add(&test_of(request)->counts.handled, 1);
    http_answer_json(request, 200, "{\"ok\":true}");
}

static void get_big(struct http_request *request)
{
    http_answer_bytes(request, 200, "text/plain", test_of(request)->big, BIG_BYTES);
}

struct delay {
    struct timer *timer;
    struct http_request *request;
};

static void on_later(void *context)
{
    struct delay *delay = context;
    timer_free(delay->timer);
    http_answer_json(delay->request, 200, "{\"later\":true}");
}

static void get_later(struct http_request *request)
{
    struct delay *delay = arena_calloc(http_request_arena(request), 1, sizeof(*delay));
    delay->request = request;
    delay->timer = timer_new(&test_of(request)->loop, on_later, delay);
    timer_start(delay->timer, 50, 0);
}

static void on_hold_gone(void *context, struct http_request *request)
{
    struct http_test_server *test = context;
    atomic_fetch_add(&test->counts.gone, 1);
    http_answer_empty(request, 204); /* dropped: nobody is there */
}

static void get_hold(struct http_request *request)
{
    atomic_fetch_add(&test_of(request)->counts.handled, 1);
    http_request_on_gone(request, on_hold_gone, test_of(request));
}

static void on_late_hold(void *context)
{
    struct delay *delay = context;
    timer_free(delay->timer);
    http_request_on_gone(delay->request, on_hold_gone, test_of(delay->request));
}

/* Asks for its client only after 50 ms, when it may have gone already. */
static void get_late_hold(struct http_request *request)
{
    struct delay *delay = arena_calloc(http_request_arena(request), 1, sizeof(*delay));
    delay->request = request;
    delay->timer = timer_new(&test_of(request)->loop, on_late_hold, delay);
    timer_start(delay->timer, 50, 0);
}

static void post_echo(struct http_request *request)
{
    assert_non_null(http_request_param(request, "id"));
    (void)http_answer_header(request, "X-Id", http_request_param(request, "id"));
    http_answer_repr(request, 201, &note_repr, http_request_data(request));
}

static void post_raw(struct http_request *request)
{
    char text[32];
    size_t len = 0;
    (void)http_request_body(request, &len);
    int chars = snprintf(text, sizeof(text), "%zu", len);
    http_answer_bytes(request, 200, "text/plain", text, (size_t)chars);
}

struct feed {
    struct http_test_server *test;
    uint64_t lines_left;
};

static void feed_more(void *context, struct http_stream *stream)
{
    struct feed *feed = context;
    char line[LINE_BYTES];
    memset(line, 's', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    while (feed->lines_left > 0 && http_stream_queued_bytes(stream) < 64 * 1024) {
        if (http_stream_write(stream, line, sizeof(line)) < 0)
            return;
        feed->lines_left--;
    }
    unsigned long queued = http_stream_queued_bytes(stream);
    if (queued > atomic_load(&feed->test->counts.stream_queue_max_bytes))
        atomic_store(&feed->test->counts.stream_queue_max_bytes, queued);
    if (feed->lines_left == 0)
        http_stream_end(stream);
}

static void on_stream_closed(void *context, struct http_stream *stream, int error)
{
    (void)stream;
    struct feed *feed = context;
    atomic_fetch_add(&feed->test->counts.streams_closed, 1);
    if (error != 0)
        atomic_fetch_add(&feed->test->counts.streams_broken, 1);
}

static void last_words(void *context, struct http_stream *stream)
{
    struct feed *feed = context;
    feed->lines_left = 0;
    (void)http_stream_write(stream, "bye\n", 4);
    http_stream_end(stream);
}

static void open_feed(struct http_request *request, uint64_t lines)
{
    struct feed *feed = arena_calloc(http_request_arena(request), 1, sizeof(*feed));
    feed->test = test_of(request);
    feed->lines_left = lines;
    const struct http_stream_events events = {
        .writable = feed_more, .drain = last_words, .closed = on_stream_closed, .context = feed};
    struct http_stream *stream = http_stream_open(request, 200, "text/plain", &events);
    if (stream != NULL && lines > 0)
        feed_more(feed, stream);
}

static void get_stream(struct http_request *request)
{
    const char *lines = http_request_query(request, "lines");
    open_feed(request, lines != NULL ? strtoull(lines, NULL, 10) : 1);
}

static void get_endless(struct http_request *request)
{
    open_feed(request, UINT64_MAX);
}

/* Opens and says nothing: an idle event channel. */
static void get_quiet(struct http_request *request)
{
    open_feed(request, 0);
}

static const struct http_route ROUTES[] = {
    {.method = HTTP_GET, .path = "/plain", .handler = get_plain},
    {.method = HTTP_GET, .path = "/big", .handler = get_big},
    {.method = HTTP_GET, .path = "/later", .handler = get_later},
    {.method = HTTP_GET, .path = "/hold", .handler = get_hold},
    {.method = HTTP_GET, .path = "/late-hold", .handler = get_late_hold},
    {.method = HTTP_POST, .path = "/echo/{id}", .request = &note_repr, .handler = post_echo},
    {.method = HTTP_POST, .path = "/raw", .handler = post_raw},
    {.method = HTTP_GET, .path = "/private", .access = ACCESS_ASYNC, .handler = get_plain},
    {.method = HTTP_POST, .path = "/private", .access = ACCESS_ASYNC, .handler = post_raw},
    {.method = HTTP_POST, .path = "/forbidden", .access = ACCESS_NEVER, .handler = post_raw},
    {.method = HTTP_GET, .path = "/stream", .handler = get_stream},
    {.method = HTTP_GET, .path = "/endless", .handler = get_endless},
    {.method = HTTP_GET, .path = "/quiet", .handler = get_quiet},
};

static void on_agreed(void *context)
{
    struct delay *delay = context;
    timer_free(delay->timer);
    http_request_resume(delay->request);
}

static void authorize(void *context, struct http_request *request, unsigned access)
{
    struct http_test_server *test = context;
    if (access == ACCESS_ANY) {
        http_request_resume(request);
    } else if (access == ACCESS_NEVER) {
        http_answer_fail(request, 403, "not for you");
    } else {
        struct delay *delay = arena_calloc(http_request_arena(request), 1, sizeof(*delay));
        delay->request = request;
        delay->timer = timer_new(&test->loop, on_agreed, delay);
        timer_start(delay->timer, 20, 0);
    }
}

/* --- the thread ------------------------------------------------------------------------------- */
static void on_wake(uv_async_t *async)
{
    struct http_test_server *test = async->data;
    uv_mutex_lock(&test->lock);
    if (test->fn != NULL)
        test->fn(test->fn_context);
    test->fn = NULL;
    uv_cond_signal(&test->done);
    uv_mutex_unlock(&test->lock);
}

static void *run(void *context)
{
    struct http_test_server *test = context;
    (void)uv_run(&test->loop, UV_RUN_DEFAULT);
    return NULL;
}

void http_test_server_call(struct http_test_server *test, void (*fn)(void *context), void *context)
{
    uv_mutex_lock(&test->lock);
    test->fn = fn;
    test->fn_context = context;
    (void)uv_async_send(&test->wake);
    while (test->fn != NULL)
        uv_cond_wait(&test->done, &test->lock);
    uv_mutex_unlock(&test->lock);
}

struct http_test_server *http_test_server_start(const struct http_limits *limits,
                                                struct tls_context *tls)
{
    log_set_level(NULL, LOG_LEVEL_ERROR);
    struct http_test_server *test = calloc(1, sizeof(*test));
    assert_non_null(test);
    test->big = malloc(BIG_BYTES);
    assert_non_null(test->big);
    memset(test->big, 'b', BIG_BYTES);
    assert_int_equal(uv_loop_init(&test->loop), 0);
    assert_int_equal(uv_async_init(&test->loop, &test->wake, on_wake), 0);
    test->wake.data = test;
    assert_int_equal(uv_mutex_init(&test->lock), 0);
    assert_int_equal(uv_cond_init(&test->done), 0);
    test->router = http_router_new();
    assert_non_null(test->router);
    struct diag diag = {0};
    assert_int_equal(http_router_add(test->router, ROUTES, COUNT_OF(ROUTES), &diag), 0);
    struct http_program program = {.context = test, .authorize = authorize};
    if (limits != NULL)
        program.limits = *limits;
    assert_int_equal(http_server_new(&test->loop, test->router, &program, &test->server, &diag), 0);
    if (http_server_listen(test->server, "127.0.0.1", 0, tls, &test->port, &diag) < 0 ||
        http_server_start(test->server, &diag) < 0)
        fail_msg("%s", diag.text);
    assert_int_equal(pthread_create(&test->thread, NULL, run, test), 0);
    return test;
}

uint16_t http_test_server_port(const struct http_test_server *test)
{
    return test->port;
}

struct http_test_counts *http_test_server_counts(struct http_test_server *test)
{
    return &test->counts;
}

struct stats_call {
    struct http_test_server *test;
    struct http_server_stats stats;
};

static void take_stats(void *context)
{
    struct stats_call *call = context;
    http_server_stats(call->test->server, &call->stats);
}

struct http_server_stats http_test_server_stats(struct http_test_server *test)
{
    struct stats_call call = {.test = test};
    http_test_server_call(test, take_stats, &call);
    return call.stats;
}

static void on_drained(void *context)
{
    struct http_test_server *test = context;
    atomic_fetch_add(&test->counts.drained, 1);
}

static void drain(void *context)
{
    struct http_test_server *test = context;
    http_server_drain(test->server, test->drain_budget_ms, on_drained, test);
}

void http_test_server_drain(struct http_test_server *test, uint64_t budget_ms)
{
    test->drain_budget_ms = budget_ms;
    http_test_server_call(test, drain, test);
}

static void stop(void *context)
{
    struct http_test_server *test = context;
    http_server_free(test->server);
    uv_close((uv_handle_t *)&test->wake, NULL);
}

/* The loop ends by itself once every handle is closed: one that is forgotten hangs the test. */
void http_test_server_stop(struct http_test_server *test)
{
    http_test_server_call(test, stop, test);
    (void)pthread_join(test->thread, NULL);
    assert_int_equal(uv_loop_close(&test->loop), 0);
    uv_mutex_destroy(&test->lock);
    uv_cond_destroy(&test->done);
    http_router_free(test->router);
    free(test->big);
    free(test);
}
