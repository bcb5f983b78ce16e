#include "gateway/pbx/csta_xml/cx_stations.h"

#include "lib/common/common.h"
#include "lib/common/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct station {
    char *number, *name, *display_number, *model; /* the last three NULL when absent */
};

struct cx_stations {
    struct station **stations;
    struct pbx_device *list;
    size_t count, capacity;
    size_t seen;           /* wanted or not */
    struct map *by_number; /* number -> station */
    bool started;
    int64_t last_segment_id;
};

struct cx_stations *cx_stations_new(void)
{
    struct cx_stations *stations = calloc(1, sizeof(*stations));
    if (stations == NULL)
        return NULL;
    stations->by_number = map_new();
    if (stations->by_number == NULL) {
        free(stations);
        return NULL;
    }
    return stations;
}

static void free_station(struct station *station)
{
    free(station->number);
    free(station->name);
    free(station->display_number);
    free(station->model);
    free(station);
}
DEFINE_FREEP(station_freep, struct station *, free_station)

void cx_stations_free(struct cx_stations *stations)
{
    if (stations == NULL)
        return;
    for (size_t i = 0; i < stations->count; i++)
        free_station(stations->stations[i]);
    free(stations->stations);
    free(stations->list);
    map_free(stations->by_number, NULL);
    free(stations);
}

/* ---- adding ------------------------------------------------------------------------------ */

static bool is_digits(const char *number)
{
    return number[0] != '\0' && number[strspn(number, "0123456789")] == '\0';
}

static bool is_wanted(const struct csta_listed_device *device)
{
    return device->device.id != NULL &&
           (device->category == NULL || strcmp(device->category, "station") == 0);
}

static int reserve(struct cx_stations *stations)
{
    if (stations->count < stations->capacity)
        return 0;
    size_t capacity = stations->capacity > 0 ? stations->capacity * 2 : 64;
    struct station **more = realloc(stations->stations, capacity * sizeof(struct station *));
    if (more == NULL)
        return -ENOMEM;
    stations->stations = more;
    stations->capacity = capacity;
    return 0;
}

/* false: no memory; *ret is NULL for an absent text. */
static bool copy_text(const char *text, char **ret_copy)
{
    *ret_copy = NULL;
    if (text == NULL || text[0] == '\0')
        return true;
    *ret_copy = strdup(text);
    return *ret_copy != NULL;
}

static int add_station(struct cx_stations *stations, const struct csta_device_parts *parts,
                       const char *model)
{
    int r = reserve(stations);
    if (r < 0)
        return r;
    AUTO(station_freep) struct station *station = calloc(1, sizeof(*station));
    if (station == NULL || !copy_text(parts->number, &station->number) ||
        !copy_text(parts->name, &station->name) ||
        !copy_text(parts->display_number, &station->display_number) ||
        !copy_text(model, &station->model) ||
        map_put(stations->by_number, parts->number, station, NULL) < 0)
        return -ENOMEM;
    stations->stations[stations->count++] = TAKE(station);
    return 0;
}

int cx_stations_add(struct cx_stations *stations, const struct csta_listed_device *device)
{
    /* counted even when it is not taken, or a PBX could go on for ever */
    if (stations->seen++ >= CX_STATIONS_MAX)
        return -EOVERFLOW;
    struct csta_device_parts parts;
    if (!is_wanted(device) || csta_device_parse(device->device.id, &parts) < 0 ||
        !is_digits(parts.number) || strlen(parts.number) >= PBX_NUMBER_CHARS ||
        map_get(stations->by_number, parts.number) != NULL)
        return 0;
    return add_station(stations, &parts, device->model);
}

int cx_stations_add_segment(struct cx_stations *stations, const struct csta_message *segment)
{
    if (segment->segment_id.set && stations->started) {
        if (segment->segment_id.value == stations->last_segment_id)
            return 0;
        if (segment->segment_id.value != stations->last_segment_id + 1)
            return -EPROTO;
    }
    /* products count from 0 or from 1 */
    if (segment->segment_id.set && !stations->started &&
        (segment->segment_id.value < 0 || segment->segment_id.value > 1))
        return -EPROTO;
    stations->started = true;
    stations->last_segment_id = segment->segment_id.value;
    for (size_t i = 0; i < segment->device_count; i++) {
        int r = cx_stations_add(stations, &segment->devices[i]);
        if (r < 0)
            return r;
    }
    return segment->last_segment.value ? 1 : 0;
}

/* ---- reading ----------------------------------------------------------------------------- */

enum device_type cx_device_type_of(const char *model)
{
    static const struct {
        const char *word;
        enum device_type type;
    } words[] = {
        {"DECT", DEVICE_TYPE_DECT},
        {"MOBILE", DEVICE_TYPE_MOBILE},
        {"SOFT", DEVICE_TYPE_SOFTPHONE},
        {"SIP", DEVICE_TYPE_SOFTPHONE},
    };
    for (size_t i = 0; model != NULL && i < COUNT_OF(words); i++)
        if (strcasestr(model, words[i].word) != NULL)
            return words[i].type;
    return DEVICE_TYPE_DESKPHONE;
}

static bool is_main(const struct station *station)
{
    return station->display_number == NULL || strcmp(station->display_number, station->number) == 0;
}

static const char *main_number_of(const struct cx_stations *stations, const struct station *station)
{
    const struct station *main = station->display_number != NULL
                                     ? map_get(stations->by_number, station->display_number)
                                     : NULL;
    return main != NULL && is_main(main) ? main->number : station->number;
}

const struct pbx_device *cx_stations_list(struct cx_stations *stations, size_t *ret_count)
{
    *ret_count = 0;
    free(stations->list);
    stations->list = stations->count > 0 ? calloc(stations->count, sizeof(*stations->list)) : NULL;
    if (stations->list == NULL)
        return NULL;
    for (size_t i = 0; i < stations->count; i++) {
        const struct station *station = stations->stations[i];
        stations->list[i] = (struct pbx_device){
            .number = station->number,
            .name = station->name,
            .main_number = main_number_of(stations, station),
            .type = cx_device_type_of(station->model),
            .model = station->model,
        };
    }
    *ret_count = stations->count;
    return stations->list;
}
