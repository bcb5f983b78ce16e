/* write.c - a stream of writes: each is acknowledged, refused, or its outcome stays unknown.
 *
 * The record is the client's half of the proof that nothing acknowledged is lost: an id is put
 * down in the same moment in which its answer was read, before anything else happens.
 *   ACK MS ID        the server said 200 and ACCEPTED
 *   REFUSED MS CODE  the server answered and did not do it
 *   UNKNOWN MS WHY   sent, but no whole answer came: it may or may not be there
 *   LOST MS WHY      no connection; nothing was sent
 */
#include "client.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

struct write_counts {
    unsigned acknowledged, refused, unknown, unsent;
};

struct writer {
    const struct client_options *options;
    const struct client_session *session;
    const struct wire_target *target;
    struct client_record *record;
    int64_t deadline_ms;
    double every_ms;
    struct write_counts counts;
    int64_t first_ms, last_ms; /* of the acknowledged ones */
    pthread_t thread;
    struct wire wire;
    struct answer answer;
};

static void note_answer(struct writer *writer)
{
    cJSON *object = writer->answer.status == 200 ? cJSON_Parse(writer->answer.body) : NULL;
    const char *id =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "subscriptionId"));
    const char *status = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "status"));
    int64_t now_ms = client_wall_ms();

    if (id != NULL && status != NULL && strcmp(status, "ACCEPTED") == 0) {
        client_record_line(writer->record, "ACK %lld %s", (long long)now_ms, id);
        if (writer->counts.acknowledged++ == 0)
            writer->first_ms = now_ms;
        writer->last_ms = now_ms;
    } else {
        client_record_line(writer->record, "REFUSED %lld %d", (long long)now_ms,
                           writer->answer.status);
        writer->counts.refused++;
    }
    cJSON_Delete(object);
}

/* Returns how long to wait before the next try beyond the usual pace. */
static unsigned write_one(struct writer *writer)
{
    char path[512];
    int r = 0;
    bool fresh = !wire_usable(&writer->wire);
    int64_t deadline_ms =
        client_mono_ms() + (fresh ? writer->options->first_ms : writer->options->request_ms);

    (void)snprintf(path, sizeof(path), "%s/subscriptions", writer->session->base_path);
    if (fresh)
        r = wire_open(&writer->wire, writer->target, writer->options->connect_ms, deadline_ms);
    if (r < 0) {
        client_record_line(writer->record, "LOST %lld %s", (long long)client_wall_ms(),
                           strerror(-r));
        writer->counts.unsent++;
        return 20;
    }
    r = answer_get(&writer->wire, writer->target, "POST", path, writer->session->cookie_head,
                   client_subscription_body, deadline_ms, &writer->answer);
    if (r < 0) {
        client_record_line(writer->record, "UNKNOWN %lld %s", (long long)client_wall_ms(),
                           strerror(-r));
        writer->counts.unknown++;
        return 0;
    }
    note_answer(writer);
    return writer->answer.status == 200 ? 0 : 50;
}

static void *write_loop(void *argument)
{
    struct writer *writer = argument;
    double next_ms = (double)client_mono_ms();

    while (!client_over(writer->deadline_ms)) {
        unsigned pause_ms = write_one(writer);
        next_ms += writer->every_ms;
        double now_ms = (double)client_mono_ms();
        if (next_ms < now_ms + pause_ms) /* behind: no burst to catch up */
            next_ms = now_ms + pause_ms;
        client_sleep_until((int64_t)next_ms);
    }
    wire_close(&writer->wire);
    return NULL;
}

enum { MAX_WRITERS = 64 };

int client_run_write(const struct client_options *options)
{
    static struct writer writers[MAX_WRITERS];
    struct client_session session;
    struct wire_target target;
    struct client_record record;
    struct write_counts sum = {0};
    unsigned count = options->connections < MAX_WRITERS ? options->connections : MAX_WRITERS;
    unsigned started = 0;
    int64_t first_ms = 0;
    int64_t last_ms = 0;

    if (client_session_load(&session, options->session_file) < 0 ||
        wire_target_init(&target, options) < 0)
        return 1;
    if (client_record_open(&record, options->out_file) < 0) {
        wire_target_done(&target);
        return 1;
    }
    for (; started < count; started++) {
        struct writer *writer = &writers[started];
        writer->options = options;
        writer->session = &session;
        writer->target = &target;
        writer->record = &record;
        writer->deadline_ms = client_deadline(options);
        writer->every_ms = 1000.0 * count / options->rate_per_s;
        wire_init(&writer->wire);
        if (pthread_create(&writer->thread, NULL, write_loop, writer) != 0)
            break;
    }
    for (unsigned i = 0; i < started; i++) {
        (void)pthread_join(writers[i].thread, NULL);
        const struct write_counts *one = &writers[i].counts;
        sum.acknowledged += one->acknowledged;
        sum.refused += one->refused;
        sum.unknown += one->unknown;
        sum.unsent += one->unsent;
        if (one->acknowledged > 0 && (first_ms == 0 || writers[i].first_ms < first_ms))
            first_ms = writers[i].first_ms;
        if (writers[i].last_ms > last_ms)
            last_ms = writers[i].last_ms;
    }
    (void)printf("{\"acknowledged\":%u,\"refused\":%u,\"unknown\":%u,\"not_sent\":%u,"
                 "\"first_ms\":%lld,\"last_ms\":%lld}\n",
                 sum.acknowledged, sum.refused, sum.unknown, sum.unsent, (long long)first_ms,
                 (long long)last_ms);
    client_record_close(&record);
    wire_target_done(&target);
    return started == count ? 0 : 1;
}
