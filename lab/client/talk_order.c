#include "talk_order.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

/* What one event must be. NULL: anything. */
struct expected {
    const char *name, *state, *cause;
    bool ringing_remote;
};

/* clang-format off */
static const struct expected of_caller[] = {
    {"OnCallCreated",       "DIALING",          NULL,      false},
    {"OnUserStateModified", "BUSY",             NULL,      false},
    {"OnCallModified",      "RINGING_OUTGOING", NULL,      false},
    {"OnCallModified",      "RINGING_OUTGOING", NULL,      true},
    {"OnCallModified",      "ACTIVE",           NULL,      false},
    {"OnCallRemoved",       NULL,               NULL,      false},
    {"OnUserStateModified", "FREE",             NULL,      false},
};
static const struct expected of_called[] = {
    {"OnCallCreated",       "RINGING_INCOMING", NULL,      false},
    {"OnCallModified",      "ACTIVE",           NULL,      false},
    {"OnUserStateModified", "BUSY",             NULL,      false},
    {"OnCallModified",      "RELEASING",        "CLEARED", false},
    {"OnCallRemoved",       NULL,               NULL,      false},
    {"OnUserStateModified", "FREE",             NULL,      false},
};
/* clang-format on */
enum { CALLER_STEPS = 7, CALLED_STEPS = 6, CALLER_TALKS = 5, CALLED_RINGS = 1, CALLED_TALKS = 3 };

static const char *const opening[] = {"OnChannelInformation", "OnDeviceStateModified",
                                      "OnUserStateModified"};
enum { OPENING_LINES = 3 };

/* An event, as far as its place in the order depends on it; texts "" when absent. */
struct seen {
    const char *name, *login, *ref, *state, *cause;
    bool ringing_remote;
};

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text != NULL ? text : "";
}

static struct seen read_event(const cJSON *event)
{
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(event, "callData");
    struct seen seen = {
        .name = text_of(event, "eventName"),
        .login = text_of(event, "loginName"),
        .ref = text_of(event, "callRef"),
        .state = data != NULL ? text_of(data, "state") : text_of(event, "state"),
        .cause = text_of(event, "cause"),
    };
    const cJSON *leg = NULL;
    cJSON_ArrayForEach(leg, cJSON_GetObjectItemCaseSensitive(event, "modifiedLegs"))
    {
        if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(leg, "ringingRemote")))
            seen.ringing_remote = true;
    }
    return seen;
}

static unsigned steps(const struct talk_order *order)
{
    return order->caller ? CALLER_STEPS : CALLED_STEPS;
}

static bool is_expected(const struct talk_order *order, const struct seen *seen)
{
    const struct expected *expected =
        order->caller ? &of_caller[order->step] : &of_called[order->step];
    bool ref_fits = seen->ref[0] == '\0' || order->step == 0 || strcmp(seen->ref, order->ref) == 0;
    bool leg_fits = strcmp(expected->name, "OnCallModified") != 0 || !order->caller ||
                    order->step == CALLER_TALKS - 1 ||
                    seen->ringing_remote == expected->ringing_remote;
    return ref_fits && leg_fits && strcmp(seen->name, expected->name) == 0 &&
           (expected->state == NULL || strcmp(seen->state, expected->state) == 0) &&
           (expected->cause == NULL || strcmp(seen->cause, expected->cause) == 0);
}

/* May a server tell this again once the channel has been opened anew? */
static bool is_told_again(const struct talk_order *order, const struct seen *seen)
{
    bool talking = talk_order_talking(order);
    if (!order->again || !(talking || talk_order_idle(order)))
        return false;
    if (strcmp(seen->name, "OnDeviceStateModified") == 0)
        return true;
    if (strcmp(seen->name, "OnUserStateModified") == 0)
        return strcmp(seen->state, talking ? "FREE" : "BUSY") != 0;
    return talking && strcmp(seen->ref, order->ref) == 0 && strcmp(seen->state, "ACTIVE") == 0 &&
           (strcmp(seen->name, "OnCallCreated") == 0 || strcmp(seen->name, "OnCallModified") == 0);
}

static void go_on(struct talk_order *order, const struct seen *seen)
{
    if (order->step == 0) {
        (void)snprintf(order->ref, sizeof(order->ref), "%s", seen->ref);
        order->again = false;
    }
    order->step = (order->step + 1) % steps(order);
}

static bool fits(struct talk_order *order, const struct seen *seen)
{
    if (order->opening < OPENING_LINES)
        return strcmp(seen->name, opening[order->opening++]) == 0;
    if (strcmp(seen->name, "OnChannelInformation") == 0)
        return true; /* keep-alive */
    if (order->login[0] == '\0')
        (void)snprintf(order->login, sizeof(order->login), "%s", seen->login);
    if (strcmp(order->login, seen->login) != 0)
        return false;
    if (is_expected(order, seen)) {
        go_on(order, seen);
        return true;
    }
    return is_told_again(order, seen);
}

void talk_order_init(struct talk_order *order, bool caller)
{
    *order = (struct talk_order){.caller = caller, .opening = OPENING_LINES};
}

void talk_order_opened(struct talk_order *order)
{
    order->opening = 0;
    order->again = true;
}

void talk_order_event(struct talk_order *order, const char *line)
{
    unsigned step = order->step;
    cJSON *event = cJSON_Parse(line);
    if (line[0] == '\0') /* readers skip empty lines */
        return;
    struct seen seen = read_event(event);
    if (!fits(order, &seen) && order->wrong[0] == '\0')
        (void)snprintf(order->wrong, sizeof(order->wrong), "the %s at step %u: %.400s",
                       order->caller ? "caller" : "called user", step, line);
    cJSON_Delete(event);
}

bool talk_order_begun(const struct talk_order *order)
{
    return order->opening == OPENING_LINES;
}

bool talk_order_idle(const struct talk_order *order)
{
    return order->step == 0;
}

bool talk_order_ringing(const struct talk_order *order)
{
    return !order->caller && order->step == CALLED_RINGS;
}

bool talk_order_talking(const struct talk_order *order)
{
    return order->step == (order->caller ? CALLER_TALKS : CALLED_TALKS);
}
