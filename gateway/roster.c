#include "gateway/roster.h"

#include "gateway/api/users/repr.h"
#include "gateway/events/bus.h"
#include "gateway/model/calls.h"
#include "gateway/pbx/pbxs.h"
#include "lib/common/buf.h"
#include "lib/common/log.h"

#include <errno.h>
#include <string.h>

static const char module[] = "users";

/* --- events ------------------------------------------------------------------------------------
 */

/* Nobody is told while nobody listens: a first reading may bring thousands of users. */
static bool somebody_listens(const struct gateway *gateway)
{
    return !TAILQ_EMPTY(&gateway->subscriptions.all);
}

static void tell_created(struct gateway *gateway, const struct user *user)
{
    struct buf line = {0};
    if (!somebody_listens(gateway))
        return;
    buf_adds(&line, "{\"eventName\":\"OnUserCreated\",\"user\":");
    user_write(user, &line);
    buf_adds(&line, "}");
    (void)bus_publish(&gateway->subscriptions, EVENT_PACKAGE_USER_MANAGEMENT, NULL, &line);
}

static void tell_changed(struct gateway *gateway, const struct user *user)
{
    struct buf line = {0};
    if (!somebody_listens(gateway))
        return;
    buf_addf(&line,
             "{\"eventName\":\"OnUserInfoChanged\",\"loginName\":\"%s\",\"user\":", user->login);
    user_write(user, &line);
    buf_adds(&line, "}");
    (void)bus_publish(&gateway->subscriptions, EVENT_PACKAGE_USER, user->login, &line);
}

static void tell_deleted(struct gateway *gateway, const char *login)
{
    struct buf line = {0};
    buf_addf(&line, "{\"eventName\":\"OnUserDeleted\",\"loginName\":\"%s\"}", login);
    (void)bus_publish(&gateway->subscriptions, EVENT_PACKAGE_USER_MANAGEMENT, NULL, &line);
}

/* --- changes -----------------------------------------------------------------------------------
 */

static void give_up_device(struct gateway *gateway, struct device *device)
{
    const struct user *owner = device->user;
    struct user_record record = {
        .node = owner->node, .first_name = owner->first_name, .last_name = owner->last_name};
    for (unsigned i = 0; i < owner->device_count; i++) {
        const struct device *kept = owner->devices[i];
        if (kept != device)
            record.devices[record.device_count++] =
                (struct device_record){kept->number, kept->type, kept->model};
    }
    roster_change(gateway, device->user, &record);
}

/* Secondary devices that the record takes from other users leave these first: their calls there
 * end, the former owner hears of it, and the new monitor reads them for the new one. */
static void take_devices(struct gateway *gateway, const struct user_record *record)
{
    for (unsigned i = 0; i < record->device_count; i++) {
        struct device *device = users_find_device(gateway->users, record->devices[i].number);
        if (device != NULL && device != device->user->devices[0] &&
            strcmp(user_phone(device->user), record->devices[0].number) != 0)
            give_up_device(gateway, device);
    }
}

struct user *roster_add(struct gateway *gateway, const struct user_record *record,
                        const struct user_account *account)
{
    struct user *user = NULL;
    take_devices(gateway, record);
    int r = users_add(gateway->users, record, account, &user);
    if (r < 0) {
        log_warning(module, "the subscriber %s of node %s cannot be a user: %s",
                    record->devices[0].number, record->node, strerror(-r));
        return NULL;
    }
    pbxs_monitor_user(gateway->pbxs, user);
    tell_created(gateway, user);
    return user;
}

/* Devices that stay keep their monitors. */
static void change_monitors(struct gateway *gateway, const struct user *user,
                            char (*former)[PBX_NUMBER_CHARS], unsigned former_count)
{
    for (unsigned i = 0; i < former_count; i++) {
        if (user_find_device(user, former[i]) == NULL)
            pbxs_unmonitor(gateway->pbxs, user->node, former[i]);
    }
    pbxs_monitor_user(gateway->pbxs, user);
}

void roster_change(struct gateway *gateway, struct user *user, const struct user_record *record)
{
    char former[USER_DEVICES_MAX][PBX_NUMBER_CHARS];
    unsigned former_count = user->device_count;
    take_devices(gateway, record);
    for (unsigned i = 0; i < former_count; i++)
        memcpy(former[i], user->devices[i]->number, sizeof(former[i]));
    int r = users_change(gateway->users, user, record);
    if (r < 0) {
        log_warning(module, "%s stays as he was: %s", user->login, strerror(-r));
        return;
    }
    calls_devices_changed(gateway->calls, user);
    change_monitors(gateway, user, former, former_count);
    tell_changed(gateway, user);
}

static void end_sessions(struct gateway *gateway, const char *login, const struct digest *spared,
                         bool supervised)
{
    struct account *account = sessions_find_account(&gateway->sessions, login);
    struct session *session = account == NULL ? NULL : TAILQ_FIRST(&account->sessions);
    while (session != NULL) {
        struct session *next = TAILQ_NEXT(session, of_account);
        bool stays =
            session->administrator || (session->supervisor != NULL && !supervised) ||
            (spared != NULL && memcmp(&session->by_credential.key, spared, sizeof(*spared)) == 0);
        if (!stays)
            gateway_drop_session(gateway, session);
        session = next;
    }
}

void roster_end_sessions(struct gateway *gateway, const char *login, const struct digest *spared)
{
    end_sessions(gateway, login, spared, false);
}

void roster_remove(struct gateway *gateway, struct user *user)
{
    char login[USER_LOGIN_CHARS];
    memcpy(login, user->login, sizeof(login));
    end_sessions(gateway, login, NULL, true);
    pbxs_unmonitor_user(gateway->pbxs, user);
    calls_forget(user);
    users_remove(gateway->users, user);
    tell_deleted(gateway, login);
}
