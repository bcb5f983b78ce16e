/* talk_user.c - one of the two users who telephone: his event channel, a thread of its own, and his
 * requests. */
#include "talk.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>
#include <time.h>

enum { RETRY_MS = 50 }; /* between two tries to open a channel */
static const char *const user_names[USERS] = {"caller", "called"};

/* ---- the channels, a thread each ---- */

static void on_opened(void *context)
{
    struct talk_user *user = context;
    (void)pthread_mutex_lock(&user->talk->lock);
    user->opened++;
    user->open = true;
    talk_order_opened(&user->order);
    (void)pthread_cond_broadcast(&user->talk->changed);
    (void)pthread_mutex_unlock(&user->talk->lock);
    client_record_line(&user->talk->record, "OPEN %lld %s", (long long)client_wall_ms(),
                       user->name);
}

static void on_event(void *context, const char *line)
{
    struct talk_user *user = context;
    client_record_line(&user->talk->record, "EVENT %lld %s %s", (long long)client_wall_ms(),
                       user->name, line);
    (void)pthread_mutex_lock(&user->talk->lock);
    user->events++;
    talk_order_event(&user->order, line);
    (void)pthread_cond_broadcast(&user->talk->changed);
    (void)pthread_mutex_unlock(&user->talk->lock);
}

void *talk_user_listen(void *argument)
{
    struct talk_user *user = argument;
    while (!client_stop) {
        struct event_stream_end end = event_stream_read(&user->stream);
        (void)pthread_mutex_lock(&user->talk->lock);
        user->open = false;
        (void)pthread_mutex_unlock(&user->talk->lock);
        if (end.opened)
            client_record_line(&user->talk->record, "RESET %lld %s %s", (long long)client_wall_ms(),
                               user->name, end.reason == 0 ? "end" : strerror(-end.reason));
        else
            client_sleep_until(client_mono_ms() + RETRY_MS);
    }
    return NULL;
}

bool talk_wait_both(struct talk *talk, bool (*holds)(const struct talk_user *), int limit_ms)
{
    struct timespec until;
    bool good;
    int r = 0;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += limit_ms / 1000;
    (void)pthread_mutex_lock(&talk->lock);
    while (!(good = holds(&talk->users[CALLER]) && holds(&talk->users[CALLED])) && r == 0)
        r = pthread_cond_timedwait(&talk->changed, &talk->lock, &until);
    (void)pthread_mutex_unlock(&talk->lock);
    return good;
}

/* ---- requests ---- */

int talk_user_ask(struct talk_user *user, struct question question)
{
    struct talk *talk = user->talk;
    char path[512];
    int64_t deadline_ms = client_mono_ms() + question.limit_ms;
    int r = 0;
    (void)snprintf(path, sizeof(path), "%s%s", user->session.base_path, question.tail);
    if (!wire_usable(&user->wire))
        r = wire_open(&user->wire, &talk->target, talk->options->connect_ms, deadline_ms);
    if (r == 0)
        r = answer_get(&user->wire, &talk->target, question.method, path, user->session.cookie_head,
                       question.body, deadline_ms, &talk->answer);
    if (r < 0)
        wire_close(&user->wire);
    return r < 0 ? r : talk->answer.status;
}

bool talk_user_act(struct talk_user *user, struct question question, int wanted)
{
    char detail[160];
    question.limit_ms = ACT_MS;
    int status = talk_user_ask(user, question);
    if (status == wanted)
        return true;
    (void)snprintf(detail, sizeof(detail), "%s, %.80s",
                   status < 0 ? strerror(-status) : "wrong status",
                   status < 0 ? "" : user->talk->answer.body);
    talk_fail(user->talk, question.tail, detail);
    return false;
}

bool talk_user_find_device(struct talk_user *user)
{
    const struct question devices = {"GET", "/telephony/devices", NULL, 0};
    if (!talk_user_act(user, devices, 200))
        return false;
    cJSON *object = cJSON_Parse(user->talk->answer.body);
    const cJSON *first =
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(object, "deviceStates"), 0);
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(first, "deviceId"));
    if (id != NULL)
        (void)snprintf(user->device, sizeof(user->device), "%s", id);
    cJSON_Delete(object);
    return user->device[0] != '\0';
}

int talk_user_init(struct talk *talk, int index, const char *session_file)
{
    struct talk_user *user = &talk->users[index];
    user->talk = talk;
    user->name = user_names[index];
    talk_order_init(&user->order, index == CALLER);
    wire_init(&user->wire);
    if (client_session_load(&user->session, session_file) < 0)
        return -EINVAL;
    if (user->session.polling_path[0] == '\0') {
        fprintf(stderr, "og-lab-client: %s has no subscription (session --subscribe)\n",
                session_file);
        return -EINVAL;
    }
    user->stream = (struct event_stream){
        .options = talk->options,
        .target = &talk->target,
        .path = user->session.polling_path,
        .cookie_head = user->session.cookie_head,
        .opened = on_opened,
        .event = on_event,
        .context = user,
    };
    wire_init(&user->stream.wire);
    return 0;
}
