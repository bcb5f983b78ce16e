/* csta_driver.c - any messages from a PBX, through what the driver makes of them: events, lists of
 * stations, snapshots, errors. What comes out must keep the promises of pbx.h. Messages are divided
 * by NUL bytes. */
#include "gateway/pbx/csta_xml/cx_errors.h"
#include "gateway/pbx/csta_xml/cx_events.h"
#include "gateway/pbx/csta_xml/cx_snapshots.h"
#include "gateway/pbx/csta_xml/cx_stations.h"
#include "lib/common/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* It goes into JSON, logs and file names as it is. */
static void check_text(const char *text, size_t limit_bytes)
{
    if (text == NULL)
        return;
    require(strlen(text) < limit_bytes && utf8_valid(text, strlen(text)));
    for (; *text != '\0'; text++)
        require(!iscntrl((unsigned char)*text));
}

static void check_party(const struct pbx_party *party)
{
    check_text(party->number, PBX_NUMBER_CHARS);
    check_text(party->name, 128);
    require(party->number == NULL || (party->number[0] != '\0' && !party->restricted));
}

static void check_event(const struct csta_message *message)
{
    struct cx_event made = {0};
    int r = cx_event_from(&made, message, "1001");
    require(r == 0 || r == -ENOMSG || r == -EPROTO);
    if (r < 0)
        return;
    const struct pbx_event *event = &made.event;
    require(event->type < PBX_EVENT_COUNT && event->local < PBX_LOCAL_COUNT &&
            event->cause < CALL_CAUSE_COUNT && strcmp(event->monitored, "1001") == 0);
    require(event->call_id != NULL && event->call_id[0] != '\0');
    check_text(event->call_id, PBX_CALL_ID_CHARS);
    check_text(event->new_destination, PBX_NUMBER_CHARS);
    check_text(event->correlator, 65);
    check_party(&event->subject);
    check_party(&event->calling);
    check_party(&event->called);
    check_party(&event->redirecting);
}

static void check_error(const struct csta_message *message)
{
    char text[CX_ERROR_TEXT_CHARS];
    const struct pbx_error error = cx_error_of(message, text);
    require(error.type > 0 && error.type < TELEPHONY_ERROR_TYPE_COUNT &&
            error.cause < TELEPHONY_ERROR_CAUSE_COUNT);
    check_text(error.text, CX_ERROR_TEXT_CHARS);
    (void)cx_error_is_out_of_service(message);
}

static void check_stations(struct cx_stations *stations)
{
    size_t count = 0;
    const struct pbx_device *list = cx_stations_list(stations, &count);
    require((list == NULL) == (count == 0));
    for (size_t i = 0; i < count; i++) {
        check_text(list[i].number, PBX_NUMBER_CHARS);
        check_text(list[i].name, 128);
        require(strspn(list[i].number, "0123456789") == strlen(list[i].number));
        require(list[i].main_number != NULL && list[i].type > 0);
        bool found = false;
        for (size_t k = 0; k < count; k++) { /* its main device is there, and is one */
            found |= strcmp(list[k].number, list[i].main_number) == 0 &&
                     strcmp(list[k].main_number, list[k].number) == 0;
            require(k == i || strcmp(list[k].number, list[i].number) != 0);
        }
        require(found);
    }
}

static void check_snapshot(struct cx_snapshot *snapshot)
{
    const struct pbx_snapshot_call *calls = NULL;
    size_t count = 0;
    require(cx_snapshot_calls(snapshot, "1001", &calls, &count) == 0);
    for (size_t i = 0; i < count; i++) {
        require(calls[i].call_id[0] != '\0' && calls[i].local < PBX_LOCAL_COUNT);
        check_text(calls[i].call_id, PBX_CALL_ID_CHARS);
        check_party(&calls[i].calling);
        check_party(&calls[i].called);
        require(calls[i].party_count <= PBX_PARTIES_MAX);
        for (unsigned p = 0; p < calls[i].party_count; p++)
            check_party(&calls[i].parties[p].party);
    }
}

struct gathering {
    struct cx_stations *stations;
    struct cx_snapshot *snapshot;
};

static void take(struct gathering *gathering, const char *xml, size_t len_bytes)
{
    struct csta_message message = {0};
    struct csta_connection next;
    if (csta_read(xml, len_bytes, &message, NULL) < 0)
        return;
    if (message.type == CSTA_ERROR)
        check_error(&message);
    else if (message.type == CSTA_DEVICES)
        (void)cx_stations_add_segment(gathering->stations, &message);
    else if (message.has_calls)
        require(cx_snapshot_add_calls(gathering->snapshot, &message) == 0);
    else if (message.type == CSTA_SNAPSHOT_CALL_DONE &&
             cx_snapshot_next(gathering->snapshot, &next))
        cx_snapshot_answer(gathering->snapshot, &message);
    else
        check_event(&message);
    csta_message_done(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct gathering gathering = {.stations = cx_stations_new(), .snapshot = cx_snapshot_new()};
    require(gathering.stations != NULL && gathering.snapshot != NULL);
    const char *at = (const char *)data, *end = at + size_bytes;
    while (at < end) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        take(&gathering, at, (size_t)(stop - at));
        at = stop + 1;
    }
    check_stations(gathering.stations);
    check_snapshot(gathering.snapshot);
    cx_stations_free(gathering.stations);
    cx_snapshot_free(gathering.snapshot);
    return 0;
}
