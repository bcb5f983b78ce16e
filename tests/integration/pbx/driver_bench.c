#include "tests/integration/pbx/driver_bench.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void write_story(struct bench *bench, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void write_story(struct bench *bench, const char *format, ...)
{
    size_t used = strlen(bench->story);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(bench->story + used, sizeof(bench->story) - used, format, args);
    va_end(args);
}

static const char *shown(const struct pbx_party *party)
{
    if (party->restricted)
        return "hidden";
    return party->number != NULL ? party->number : "-";
}

static void on_link(void *context, struct pbx *pbx, bool up, const char *why)
{
    struct bench *bench = context;
    assert_ptr_equal(pbx, bench->pbx);
    assert_int_equal(pbx->up, up);
    bench->ups += up;
    bench->downs += !up;
    write_story(bench, "%s ", up ? "up" : "down");
    if (!up)
        (void)snprintf(bench->why_down, sizeof(bench->why_down), "%s", why);
}

static void on_directory(void *context, struct pbx *pbx, const struct pbx_device *devices,
                         size_t count)
{
    struct bench *bench = context;
    bench->directories++;
    bench->stations = count;
    write_story(bench, "directory:%zu ", count);
    (void)snprintf(bench->first_station, sizeof(bench->first_station), "%s", devices[0].number);
    (void)snprintf(bench->first_name, sizeof(bench->first_name), "%s",
                   devices[0].name != NULL ? devices[0].name : "");
    for (size_t i = 0; bench->watch_all && i < count; i++)
        assert_int_equal(pbx_monitor(pbx, devices[i].number), 0);
}

static void on_device_state(void *context, struct pbx *pbx, const char *number,
                            enum operational_state state)
{
    struct bench *bench = context;
    (void)pbx;
    bench->states++;
    write_story(bench, "%s:%s ", number, state == DEVICE_IN_SERVICE ? "in" : "out");
}

static bool on_call(void *context, struct pbx *pbx, const struct pbx_event *event)
{
    struct bench *bench = context;
    (void)pbx;
    bench->events++;
    write_story(bench, "%s@%s(%s %s,%s>%s,%s,%s) ", pbx_event_name(event->type), event->monitored,
                event->call_id, shown(&event->subject), shown(&event->calling),
                shown(&event->called), pbx_local_name(event->local),
                event->cause != CAUSE_ABSENT ? call_cause_names[event->cause - 1] : "");
    return !bench->disbelieves;
}

static void on_snapshot(void *context, struct pbx *pbx, const char *number,
                        const struct pbx_snapshot_call *calls, size_t count)
{
    struct bench *bench = context;
    (void)pbx;
    bench->snapshots++;
    write_story(bench, "snapshot@%s[", number);
    for (size_t i = 0; i < count; i++) {
        write_story(bench, "%s %s %s>%s", calls[i].call_id, pbx_local_name(calls[i].local),
                    shown(&calls[i].calling), shown(&calls[i].called));
        for (unsigned p = 0; p < calls[i].party_count; p++)
            write_story(bench, " with %s %s", shown(&calls[i].parties[p].party),
                        pbx_local_name(calls[i].parties[p].local));
        write_story(bench, "%s", i + 1 < count ? ";" : "");
    }
    write_story(bench, "] ");
}

void bench_settings(struct bench *bench, int port)
{
    bench->settings = (struct pbx_settings){
        .node = "1",
        .driver = "csta-xml",
        .address = "127.0.0.1",
        .port = port,
        .session = "ecma354",
        .user = "gateway",
        .password = "s3cret & <more>",
        .application_id = "opengw",
        .protocols = {"ed6", "ed5", "ed4", "ed3"},
        .protocol_count = 4,
        .session_s = 120,
        .directory_s = 60,
    };
}

void bench_open(struct bench *bench)
{
    const struct pbx_events events = {.link = on_link,
                                      .directory = on_directory,
                                      .device_state = on_device_state,
                                      .call = on_call,
                                      .snapshot = on_snapshot,
                                      .context = bench};
    struct diag diag = {0};
    if (csta_xml_open(&bench->loop, &bench->settings, &events, &bench->pbx, &diag) < 0)
        fail_msg("%s", diag.text);
}

void bench_close(struct bench *bench)
{
    pbx_close(bench->pbx);
    bench->pbx = NULL;
    bench_run(bench, 20); /* the peer reads the end of the session */
    if (bench->peer.loop != NULL)
        peer_close(&bench->peer);
    (void)uv_run(&bench->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
    assert_string_equal(bench->peer.why_bad, "");
}

static void on_limit(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
    uv_stop(timer->loop); /* due before the loop sleeps, it must not sleep until something else */
}

bool bench_until(struct bench *bench, const unsigned *counter, unsigned value, unsigned limit_ms)
{
    uv_timer_t limit;
    bool over = false;
    (void)uv_timer_init(&bench->loop, &limit);
    limit.data = &over;
    uv_update_time(&bench->loop);
    (void)uv_timer_start(&limit, on_limit, limit_ms, 0);
    while (!over && *counter < value)
        (void)uv_run(&bench->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&limit, NULL);
    (void)uv_run(&bench->loop, UV_RUN_NOWAIT);
    return *counter >= value;
}

void bench_run(struct bench *bench, unsigned for_ms)
{
    static const unsigned never = 0;
    (void)bench_until(bench, &never, 1, for_ms);
}

void bench_note_answer(void *answer_, const struct pbx_error *error, const char *call_id)
{
    struct answer *answer = answer_;
    answer->count++;
    answer->good = error == NULL;
    (void)snprintf(answer->call_id, sizeof(answer->call_id), "%s", call_id != NULL ? call_id : "");
    if (error == NULL)
        return;
    answer->type = error->type;
    answer->cause = error->cause;
    (void)snprintf(answer->text, sizeof(answer->text), "%s", error->text);
}
