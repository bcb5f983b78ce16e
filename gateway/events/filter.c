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

struct filter {
    uint32_t everybody, listed; /* packages */
    size_t count;
    struct filter_id *ids;
};

void filter_free(struct filter *filter)
{
    if (filter == NULL)
        return;
    for (size_t i = 0; i < filter->count; i++)
        free(filter->ids[i].id);
    free(filter->ids);
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

static int add_ids(struct filter *filter, uint32_t packages, const char *const *ids, size_t count)
{
    struct filter_id *all = realloc(filter->ids, (filter->count + count) * sizeof(*all));
    if (all == NULL)
        return -ENOMEM;
    filter->ids = all;
    for (size_t i = 0; i < count; i++) {
        char *id = strdup(ids[i]);
        if (id == NULL)
            return -ENOMEM;
        all[filter->count++] = (struct filter_id){id, packages};
    }
    return 0;
}

static int read_packages(const struct filter_selector *from, bool administrator,
                         uint32_t *ret_packages, struct diag *diag)
{
    const char *const *wanted = from->names.items;
    *ret_packages = 0;
    for (size_t i = 0; i < from->names.count; i++) {
        int package = find_package(wanted[i], administrator, diag);
        if (package < 0)
            return package;
        *ret_packages |= 1u << package;
    }
    if (*ret_packages == 0)
        return diag_fail(diag, -EINVAL, "a selector names no package");
    return 0;
}

static int add_selector(struct filter *filter, const struct filter_selector *from,
                        const char *owner, struct diag *diag)
{
    uint32_t packages = 0;
    int r = read_packages(from, owner == NULL, &packages, diag);
    if (r < 0)
        return r;
    if (owner != NULL)
        return add_ids(filter, packages, &owner, 1);
    if (!covers_everybody(&from->ids))
        return add_ids(filter, packages, from->ids.items, from->ids.count);
    filter->everybody |= packages;
    return 0;
}

static int compare_ids(const void *left, const void *right)
{
    const struct filter_id *a = left, *b = right;
    return strcmp(a->id, b->id);
}

/* Sorts, joins what stands twice, and drops what everybody's packages cover. */
static void tidy(struct filter *filter)
{
    size_t kept = 0;
    if (filter->count > 0)
        qsort(filter->ids, filter->count, sizeof(*filter->ids), compare_ids);
    for (size_t i = 0; i < filter->count; i++) {
        struct filter_id next = filter->ids[i];
        next.packages &= ~filter->everybody;
        if (kept > 0 && strcmp(filter->ids[kept - 1].id, next.id) == 0) {
            filter->ids[kept - 1].packages |= next.packages;
            free(next.id);
        } else if (next.packages == 0) {
            free(next.id);
        } else {
            filter->ids[kept++] = next;
        }
        filter->listed |= next.packages;
    }
    filter->count = kept;
}

int filter_new(const struct filter_request *request, const char *owner, struct filter **ret_filter,
               struct diag *diag)
{
    size_t count = request->selectors.count;
    const struct filter_selector *selectors = request->selectors.items;
    if (count == 0)
        return diag_fail(diag, -EINVAL, "the filter has no selector");
    AUTO(filter_freep) struct filter *filter = calloc(1, sizeof(*filter));
    if (filter == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        int r = add_selector(filter, &selectors[i], owner, diag);
        if (r < 0)
            return r;
    }
    tidy(filter);
    *ret_filter = TAKE(filter);
    return 0;
}

uint32_t filter_everybody(const struct filter *filter)
{
    return filter->everybody;
}

uint32_t filter_listed(const struct filter *filter)
{
    return filter->listed;
}

const struct filter_id *filter_ids(const struct filter *filter, size_t *ret_count)
{
    *ret_count = filter->count;
    return filter->ids;
}

static int compare_with_id(const void *text, const void *one)
{
    return strcmp(text, ((const struct filter_id *)one)->id);
}

bool filter_passes(const struct filter *filter, enum event_package package, const char *id)
{
    uint32_t bit = 1u << package;
    if (filter->everybody & bit || id == NULL)
        return ((filter->everybody | filter->listed) & bit) != 0;
    if (filter->count == 0)
        return false;
    const struct filter_id *found =
        bsearch(id, filter->ids, filter->count, sizeof(*filter->ids), compare_with_id);
    return found != NULL && (found->packages & bit) != 0;
}
