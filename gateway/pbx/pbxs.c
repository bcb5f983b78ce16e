#include "gateway/pbx/pbxs.h"

#include "gateway/pbx/csta_xml/csta_xml.h"
#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char module[] = "pbx";

/* All drivers: the word of the setting `driver`. */
static const struct {
    const char *name;
    int (*open)(uv_loop_t *loop, const struct pbx_settings *settings,
                const struct pbx_events *events, struct pbx **ret_pbx, struct diag *diag);
} drivers[] = {
    {"csta-xml", csta_xml_open},
};

struct pbxs {
    uv_loop_t *loop;
    struct pbx_events events;
    struct pbx *links[PBX_MAX];
    unsigned count;
    bool opened;
};

struct pbxs *pbxs_new(uv_loop_t *loop, const struct pbx_events *events)
{
    struct pbxs *pbxs = calloc(1, sizeof(*pbxs));
    if (pbxs != NULL) {
        pbxs->loop = loop;
        pbxs->events = *events;
    }
    return pbxs;
}

void pbxs_free(struct pbxs *pbxs)
{
    if (pbxs == NULL)
        return;
    for (unsigned i = 0; i < pbxs->count; i++)
        pbx_close(pbxs->links[i]);
    free(pbxs);
}

static void open_one(struct pbxs *pbxs, const struct pbx_settings *settings)
{
    struct diag diag = {0};
    int r = diag_fail(&diag, -ENOENT, "there is no driver %s", settings->driver);
    for (size_t i = 0; i < COUNT_OF(drivers); i++) {
        if (strcmp(drivers[i].name, settings->driver) == 0)
            r = drivers[i].open(pbxs->loop, settings, &pbxs->events, &pbxs->links[pbxs->count],
                                &diag);
    }
    if (r < 0)
        log_error(module, "node %s is left out: %s", settings->node, diag.text);
    else
        pbxs->count++;
}

void pbxs_open(struct pbxs *pbxs, const struct pbx_settings *settings, unsigned count,
               const struct users *users)
{
    const struct user *user;
    if (pbxs->opened)
        return;
    pbxs->opened = true;
    for (unsigned i = 0; i < count; i++)
        open_one(pbxs, &settings[i]);
    for (user = users_first(users); user != NULL; user = TAILQ_NEXT(user, of_all))
        pbxs_monitor_user(pbxs, user);
}

static struct pbx *find_node(const struct pbxs *pbxs, const char *node)
{
    for (unsigned i = 0; i < pbxs->count; i++) {
        if (strcmp(pbxs->links[i]->node, node) == 0)
            return pbxs->links[i];
    }
    return NULL;
}

struct pbx *pbxs_of(const struct pbxs *pbxs, const struct user *user)
{
    return find_node(pbxs, user->node);
}

void pbxs_monitor_user(struct pbxs *pbxs, const struct user *user)
{
    struct pbx *pbx = pbxs_of(pbxs, user);
    for (unsigned i = 0; pbx != NULL && i < user->device_count; i++) {
        if (pbx_monitor(pbx, user->devices[i]->number) < 0)
            log_error(module, "device %s of node %s is not monitored: not enough memory",
                      user->devices[i]->number, user->node);
    }
}

void pbxs_unmonitor_user(struct pbxs *pbxs, const struct user *user)
{
    for (unsigned i = 0; i < user->device_count; i++)
        pbxs_unmonitor(pbxs, user->node, user->devices[i]->number);
}

void pbxs_unmonitor(struct pbxs *pbxs, const char *node, const char *number)
{
    struct pbx *pbx = find_node(pbxs, node);
    if (pbx != NULL)
        pbx_unmonitor(pbx, number);
}
