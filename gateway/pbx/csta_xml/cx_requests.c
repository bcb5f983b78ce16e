#include "gateway/pbx/csta_xml/cx_requests.h"

#include "gateway/pbx/pbx.h"
#include "lib/common/common.h"
#include "lib/common/secrets.h"
#include "lib/csta/csta_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

struct entry {
    TAILQ_ENTRY(entry) in_list; /* of `waiting` or `sent` */
    unsigned invoke_id;         /* 0: waits */
    enum csta_type type;
    enum cx_class class;
    uint64_t deadline_ms;
    cx_answer_fn answer;
    void *context;
    struct buf xml; /* while it waits */
};
TAILQ_HEAD(entry_list, entry);

struct cx_requests {
    struct cx_requests_output output;
    bool open;
    enum csta_version version;
    struct entry_list waiting, sent; /* each in the order of its deadlines */
    unsigned waiting_count, in_flight;
    unsigned last_invoke_id;
    struct entry *by_invoke_id[CSTA_INVOKE_MAX + 1];
};

static bool is_answer_to(enum csta_type request, enum csta_type answer)
{
    static const struct {
        enum csta_type request, good, bad;
    } pairs[] = {
        {CSTA_START_SESSION, CSTA_START_SESSION_DONE, CSTA_START_SESSION_REFUSED},
        {CSTA_RESET_TIMER, CSTA_RESET_TIMER_DONE, CSTA_RESET_TIMER_REFUSED},
        {CSTA_STOP_SESSION, CSTA_STOP_SESSION_DONE, CSTA_STOP_SESSION_REFUSED},
        {CSTA_REQUEST_STATUS, CSTA_REQUEST_STATUS_DONE, CSTA_ERROR},
        {CSTA_GET_DEVICES, CSTA_GET_DEVICES_DONE, CSTA_ERROR},
        {CSTA_MONITOR_START, CSTA_MONITOR_START_DONE, CSTA_ERROR},
        {CSTA_MONITOR_STOP, CSTA_MONITOR_STOP_DONE, CSTA_ERROR},
        {CSTA_SNAPSHOT_DEVICE, CSTA_SNAPSHOT_DEVICE_DONE, CSTA_ERROR},
        {CSTA_SNAPSHOT_CALL, CSTA_SNAPSHOT_CALL_DONE, CSTA_ERROR},
        {CSTA_MAKE_CALL, CSTA_MAKE_CALL_DONE, CSTA_ERROR},
        {CSTA_ANSWER_CALL, CSTA_ANSWER_CALL_DONE, CSTA_ERROR},
        {CSTA_CLEAR_CONNECTION, CSTA_CLEAR_CONNECTION_DONE, CSTA_ERROR},
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        if (pairs[i].request == request)
            return answer == pairs[i].good || answer == pairs[i].bad || answer == CSTA_ERROR;
    return false;
}

/* ---- life -------------------------------------------------------------------------------- */

struct cx_requests *cx_requests_new(const struct cx_requests_output *output)
{
    struct cx_requests *requests = calloc(1, sizeof(*requests));
    if (requests == NULL)
        return NULL;
    requests->output = *output;
    TAILQ_INIT(&requests->waiting);
    TAILQ_INIT(&requests->sent);
    return requests;
}

/* A session's start holds a password. */
static void free_entry(struct entry *entry)
{
    if (entry->xml.data != NULL)
        secrets_wipe(entry->xml.data, entry->xml.len_bytes);
    buf_done(&entry->xml);
    free(entry);
}
DEFINE_FREEP(entry_freep, struct entry *, free_entry)

static void take_out(struct cx_requests *requests, struct entry *entry)
{
    if (entry->invoke_id == 0) {
        TAILQ_REMOVE(&requests->waiting, entry, in_list);
        requests->waiting_count--;
        return;
    }
    TAILQ_REMOVE(&requests->sent, entry, in_list);
    requests->by_invoke_id[entry->invoke_id] = NULL;
    if (entry->class != CX_CLASS_SESSION)
        requests->in_flight--;
}

/* The answer function may do anything with `requests` but free it. */
static void finish(struct cx_requests *requests, struct entry *entry, enum cx_outcome outcome,
                   struct csta_message *answer)
{
    take_out(requests, entry);
    cx_answer_fn tell = entry->answer;
    void *context = entry->context;
    free_entry(entry);
    if (tell != NULL)
        tell(context, outcome, answer);
}

static struct entry *first_entry(const struct cx_requests *requests)
{
    struct entry *entry = TAILQ_FIRST(&requests->sent);
    return entry != NULL ? entry : TAILQ_FIRST(&requests->waiting);
}

void cx_requests_free(struct cx_requests *requests)
{
    if (requests == NULL)
        return;
    for (struct entry *entry = first_entry(requests); entry != NULL;
         entry = first_entry(requests)) {
        take_out(requests, entry);
        free_entry(entry);
    }
    free(requests);
}

void cx_requests_open(struct cx_requests *requests, enum csta_version version)
{
    requests->open = true;
    requests->version = version;
}

void cx_requests_fail(struct cx_requests *requests)
{
    requests->open = false;
    for (struct entry *entry = first_entry(requests); entry != NULL; entry = first_entry(requests))
        finish(requests, entry, CX_LOST, NULL);
}

/* ---- sending ----------------------------------------------------------------------------- */

static unsigned next_invoke_id(struct cx_requests *requests)
{
    /* far fewer are in flight than there are numbers: a free one comes soon */
    do {
        requests->last_invoke_id = requests->last_invoke_id % CSTA_INVOKE_MAX + 1;
    } while (requests->by_invoke_id[requests->last_invoke_id] != NULL);
    return requests->last_invoke_id;
}

static int send_entry(struct cx_requests *requests, struct entry *entry, uint64_t now_ms)
{
    unsigned invoke_id = next_invoke_id(requests);
    int r = requests->output.send(requests->output.context, invoke_id, entry->xml.data,
                                  entry->xml.len_bytes);
    if (r < 0)
        return r;
    secrets_wipe(entry->xml.data, entry->xml.len_bytes);
    buf_done(&entry->xml);
    entry->invoke_id = invoke_id;
    entry->deadline_ms = now_ms + PBX_ANSWER_MS;
    requests->by_invoke_id[invoke_id] = entry;
    TAILQ_INSERT_TAIL(&requests->sent, entry, in_list);
    if (entry->class != CX_CLASS_SESSION)
        requests->in_flight++;
    return 0;
}

/* What cannot be sent now stays: its time in the queue ends it if that does not change. */
static void send_waiting(struct cx_requests *requests, uint64_t now_ms)
{
    while (requests->in_flight < CX_IN_FLIGHT_MAX && requests->waiting_count > 0) {
        struct entry *entry = TAILQ_FIRST(&requests->waiting);
        TAILQ_REMOVE(&requests->waiting, entry, in_list);
        requests->waiting_count--;
        if (send_entry(requests, entry, now_ms) < 0) {
            TAILQ_INSERT_HEAD(&requests->waiting, entry, in_list);
            requests->waiting_count++;
            return;
        }
    }
}

unsigned cx_requests_room(const struct cx_requests *requests)
{
    if (!requests->open || requests->waiting_count > 0 || requests->in_flight >= CX_BACKGROUND_MAX)
        return 0;
    return CX_BACKGROUND_MAX - requests->in_flight;
}

static bool must_wait(const struct cx_requests *requests, enum cx_class class)
{
    return class == CX_CLASS_PEOPLE &&
           (requests->in_flight >= CX_IN_FLIGHT_MAX || requests->waiting_count > 0);
}

int cx_requests_add(struct cx_requests *requests, const struct cx_request *request, uint64_t now_ms)
{
    if (!requests->open)
        return -EAGAIN;
    bool wait = must_wait(requests, request->class);
    if ((wait && requests->waiting_count >= CX_WAITING_MAX) ||
        (request->class == CX_CLASS_BACKGROUND && cx_requests_room(requests) == 0))
        return -ENOBUFS;
    AUTO(entry_freep) struct entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL)
        return -ENOMEM;
    entry->type = request->message->type;
    entry->class = request->class;
    entry->answer = request->answer;
    entry->context = request->context;
    int r = csta_write(request->message, requests->version, &entry->xml, NULL);
    if (r == 0 && !wait)
        r = send_entry(requests, entry, now_ms);
    if (r < 0)
        return r;
    if (wait) {
        entry->deadline_ms = now_ms + PBX_ANSWER_MS;
        TAILQ_INSERT_TAIL(&requests->waiting, entry, in_list);
        requests->waiting_count++;
    }
    entry = NULL; /* a list has it */
    return 0;
}

/* ---- ends -------------------------------------------------------------------------------- */

bool cx_requests_answer(struct cx_requests *requests, unsigned invoke_id,
                        struct csta_message *answer, uint64_t now_ms)
{
    struct entry *entry = invoke_id <= CSTA_INVOKE_MAX ? requests->by_invoke_id[invoke_id] : NULL;
    if (entry == NULL || !is_answer_to(entry->type, answer->type))
        return false;
    finish(requests, entry, CX_ANSWERED, answer);
    send_waiting(requests, now_ms);
    return true;
}

static void expire(struct cx_requests *requests, struct entry_list *list, uint64_t now_ms)
{
    for (struct entry *entry = TAILQ_FIRST(list); entry != NULL && entry->deadline_ms <= now_ms;
         entry = TAILQ_FIRST(list))
        finish(requests, entry, CX_TIMED_OUT, NULL);
}

void cx_requests_tick(struct cx_requests *requests, uint64_t now_ms)
{
    expire(requests, &requests->sent, now_ms);
    expire(requests, &requests->waiting, now_ms);
    if (requests->open)
        send_waiting(requests, now_ms);
}
