#include "gateway/pbx/csta_xml/cx_directory.h"

#include "gateway/pbx/csta_xml/cx_errors.h"
#include "gateway/pbx/csta_xml/cx_private.h"
#include "gateway/pbx/csta_xml/cx_stations.h"
#include "lib/common/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void end_reading(struct cx *cx)
{
    struct cx_directory *directory = &cx->directory;
    cx_stations_free(directory->stations);
    free(directory->list_id);
    directory->stations = NULL;
    directory->list_id = NULL;
    directory->next_ms = cx__now_ms() + (uint64_t)cx->settings.directory_s * 1000;
}

static void settle(struct cx *cx)
{
    cx->directory.settled = true;
    cx__monitors_pump(cx);
}

static void tell(struct cx *cx, struct cx_stations *stations)
{
    size_t count = 0;
    const struct pbx_device *list = cx_stations_list(stations, &count);
    if (list != NULL)
        cx->events.directory(cx->events.context, &cx->pbx, list, count);
}

static void tell_configured(struct cx *cx)
{
    struct cx_stations *stations = cx_stations_new();
    for (unsigned i = 0; stations != NULL && i < cx->settings.device_count; i++) {
        const struct csta_listed_device device = {.device = {.id = cx->settings.devices[i]}};
        if (cx_stations_add(stations, &device) < 0)
            break;
    }
    if (stations != NULL)
        tell(cx, stations);
    cx_stations_free(stations);
}

static void fail(struct cx *cx, const char *why)
{
    if (cx->directory.stations == NULL)
        return;
    cx__odd(cx, CX_ODD_DIRECTORY, why);
    end_reading(cx);
    if (!cx->directory.pbx_has_list)
        tell_configured(cx);
    settle(cx);
}

/* An empty list is told only by leaving it out: a PBX without a single station is one that has not
 * yet started, and nobody's user is to vanish for that. */
static void finish(struct cx *cx)
{
    struct cx_stations *stations = cx->directory.stations;
    size_t count = 0;
    (void)cx_stations_list(stations, &count);
    if (count == 0) {
        fail(cx, "it is empty");
        return;
    }
    cx->directory.stations = NULL;
    cx->directory.pbx_has_list = true;
    end_reading(cx);
    log_debug(CX_LOG, "node %s: %zu stations", cx->pbx.node, count);
    tell(cx, stations);
    cx_stations_free(stations);
    settle(cx);
}

/* ---- the list's segments ----------------------------------------------------------------- */

/* false: it belongs to another list. The first one may come before the answer that names it. */
static bool is_ours(struct cx_directory *directory, const char *list_id)
{
    if (directory->stations == NULL)
        return false;
    if (directory->list_id == NULL)
        directory->list_id = strdup(list_id != NULL ? list_id : "");
    return directory->list_id != NULL && list_id != NULL &&
           strcmp(directory->list_id, list_id) == 0;
}

void cx_directory_segment(struct cx *cx, const struct csta_message *segment)
{
    struct cx_directory *directory = &cx->directory;
    if (!is_ours(directory, segment->cross_ref_id)) {
        cx__odd(cx, CX_ODD_MESSAGE, "a device list that nobody asked for");
        return;
    }
    directory->late_ms = cx__now_ms() + CX_SEGMENT_MS;
    int r = cx_stations_add_segment(directory->stations, segment);
    if (r > 0)
        finish(cx);
    else if (r == -EPROTO)
        fail(cx, "a segment is missing");
    else if (r < 0)
        fail(cx, strerrordesc_np(-r));
}

/* ---- asking ------------------------------------------------------------------------------ */

/* The list may be complete already, or its segments have named another identifier. */
static void note_list_id(struct cx *cx, const char *list_id)
{
    struct cx_directory *directory = &cx->directory;
    if (directory->stations == NULL || list_id == NULL)
        return;
    if (directory->list_id != NULL && strcmp(directory->list_id, list_id) != 0)
        fail(cx, "its segments belong to another list");
    else if (directory->list_id == NULL)
        directory->list_id = strdup(list_id);
}

static void on_answer(void *context, enum cx_outcome outcome, struct csta_message *answer)
{
    struct cx *cx = context;
    char text[CX_ERROR_TEXT_CHARS];
    if (outcome == CX_TIMED_OUT)
        fail(cx, "the PBX does not answer");
    else if (outcome == CX_ANSWERED && answer->type == CSTA_ERROR)
        fail(cx, cx_error_of(answer, text).text);
    else if (outcome == CX_ANSWERED)
        note_list_id(cx, answer->cross_ref_id);
}

static void read_list(struct cx *cx)
{
    struct cx_directory *directory = &cx->directory;
    uint64_t now_ms = cx__now_ms();
    directory->late_ms = now_ms + PBX_ANSWER_MS + CX_SEGMENT_MS;
    directory->end_ms = now_ms + CX_DIRECTORY_MS;
    directory->stations = cx_stations_new();
    if (directory->stations == NULL) {
        end_reading(cx);
        settle(cx);
        return;
    }
    const struct csta_message message = {.type = CSTA_GET_DEVICES, .category = "station"};
    const struct cx_request request = {
        .class = CX_CLASS_SESSION, .message = &message, .answer = on_answer, .context = cx};
    int r = cx_requests_add(cx->requests, &request, now_ms);
    if (r < 0)
        fail(cx, strerrordesc_np(-r));
}

void cx_directory_start(struct cx *cx)
{
    cx->directory.settled = false;
    read_list(cx);
}

void cx_directory_tick(struct cx *cx, uint64_t now_ms)
{
    struct cx_directory *directory = &cx->directory;
    if (directory->stations == NULL) {
        if (now_ms >= directory->next_ms)
            read_list(cx);
    } else if (now_ms >= directory->late_ms || now_ms >= directory->end_ms) {
        fail(cx, "it ends early");
    }
}

void cx_directory_clear(struct cx *cx)
{
    end_reading(cx);
    cx->directory.settled = false;
}
