#include "gateway/events/filter.h"

#include "lib/common/common.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SELECTORS_MAX = 100, NAMES_MAX = 100, IDS_MAX = 20000, ID_BYTES_MAX = 128 };

#define PACKAGE_NAME(id, text, administrator)  text,
#define PACKAGE_RIGHT(id, text, administrator) administrator,
static const char *const names[] = {EVENT_PACKAGES(PACKAGE_NAME)};
static const bool administrators_only[] = {EVENT_PACKAGES(PACKAGE_RIGHT)};

const char *event_package_name(enum event_package package)
{
    return (unsigned)package < EVENT_PACKAGE_COUNT ? names[package] : "?";
}

static const struct repr_member selector_members[] = {
    REPR_STRINGS(struct filter_selector, ids, "ids", REPR_NULLABLE, IDS_MAX, ID_BYTES_MAX),
    REPR_STRINGS(struct filter_selector, names, "names", REPR_REQUIRED, NAMES_MAX, ID_BYTES_MAX),
    REPR_STRINGS(struct filter_selector, families, "families", REPR_NULLABLE, NAMES_MAX,
                 ID_BYTES_MAX),
    REPR_STRINGS(struct filter_selector, origins, "origins", REPR_NULLABLE, NAMES_MAX,
                 ID_BYTES_MAX),
};
static const struct repr selector_repr = REPR("Selector", struct filter_selector, selector_members);
static const struct repr_member request_members[] = {
    REPR_OBJECTS(struct filter_request, selectors, "selectors", REPR_REQUIRED, SELECTORS_MAX,
                 &selector_repr),
};
const struct repr filter_request_repr = REPR("Filter", struct filter_request, request_members);

struct selector {
    uint32_t packages; /* a bit for each */
    size_t id_count;   /* 0: everybody */
    char **ids;
};
struct filter {
    size_t count;
    struct selector selectors[];
};

void filter_free(struct filter *filter)
{
    if (filter == NULL)
        return;
    for (size_t i = 0; i < filter->count; i++) {
        for (size_t j = 0; j < filter->selectors[i].id_count; j++)
            free(filter->selectors[i].ids[j]);
        free(filter->selectors[i].ids);
    }
    free(filter);
}

DEFINE_FREEP(filter_freep, struct filter *, filter_free)

static int find_package(const char *name, bool administrator, struct diag *diag)
{
    for (int i = 0; i < EVENT_PACKAGE_COUNT; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        if (administrators_only[i] && !administrator)
            return diag_fail(diag, -EPERM, "administrator session needed: %s", name);
        return i;
    }
    return diag_fail(diag, -EINVAL, "unknown package: %s", name);
}

static bool covers_everybody(const struct repr_array *ids)
{
    const char *const *items = ids->items;
    for (size_t i = 0; i < ids->count; i++) {
        if (strcmp(items[i], "*") == 0)
            return true;
    }
    return ids->count == 0;
}

static int copy_ids(struct selector *selector, const char *const *ids, size_t count)
{
    selector->ids = calloc(count, sizeof(char *));
    if (selector->ids == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        selector->ids[i] = strdup(ids[i]);
        if (selector->ids[i] == NULL)
            return -ENOMEM;
        selector->id_count = i + 1;
    }
    return 0;
}

static int compact(const struct filter_selector *from, const char *owner, struct selector *to,
                   struct diag *diag)
{
    const char *const *wanted = from->names.items;
    for (size_t i = 0; i < from->names.count; i++) {
        int package = find_package(wanted[i], owner == NULL, diag);
        if (package < 0)
            return package;
        to->packages |= 1u << package;
    }
    if (to->packages == 0)
        return diag_fail(diag, -EINVAL, "a selector names no package");
    if (owner != NULL)
        return copy_ids(to, &owner, 1);
    if (covers_everybody(&from->ids))
        return 0;
    return copy_ids(to, from->ids.items, from->ids.count);
}

int filter_new(const struct filter_request *request, const char *owner, struct filter **ret_filter,
               struct diag *diag)
{
    size_t count = request->selectors.count;
    const struct filter_selector *selectors = request->selectors.items;
    if (count == 0)
        return diag_fail(diag, -EINVAL, "the filter has no selector");
    AUTO(filter_freep)
    struct filter *filter = calloc(1, sizeof(*filter) + count * sizeof(struct selector));
    if (filter == NULL)
        return -ENOMEM;

    filter->count = count;
    for (size_t i = 0; i < count; i++) {
        int r = compact(&selectors[i], owner, &filter->selectors[i], diag);
        if (r < 0)
            return r;
    }
    *ret_filter = TAKE(filter);
    return 0;
}

static bool selector_has(const struct selector *selector, const char *id)
{
    if (selector->id_count == 0 || id == NULL)
        return true;
    for (size_t i = 0; i < selector->id_count; i++) {
        if (strcmp(selector->ids[i], id) == 0)
            return true;
    }
    return false;
}

bool filter_passes(const struct filter *filter, enum event_package package, const char *id)
{
    for (size_t i = 0; i < filter->count; i++) {
        const struct selector *selector = &filter->selectors[i];
        if ((selector->packages & (1u << package)) != 0 && selector_has(selector, id))
            return true;
    }
    return false;
}
