/* cx_requests.h - the requests that a PBX has not answered yet: their numbers (1 to 9998, then 1
 * again; ECMA-323 TCP annex), time-outs and pacing. No I/O and no clock: the caller gives both.
 *
 * At most CX_IN_FLIGHT_MAX requests are with the PBX. Requests of people wait for a place and pass
 * the driver's own work, which may take only CX_BACKGROUND_MAX places and asks for them by
 * cx_requests_room(). Requests of the session neither wait nor count.
 *
 * Every accepted request ends by exactly one call of its answer function. What answers no request,
 * comes late, or is no answer to what was asked, changes nothing. */
#ifndef OG_GATEWAY_CX_REQUESTS_H
#define OG_GATEWAY_CX_REQUESTS_H

#include "lib/csta/csta.h"

enum { CX_IN_FLIGHT_MAX = 64, CX_BACKGROUND_MAX = 48, CX_WAITING_MAX = 1024 };

enum cx_class { CX_CLASS_SESSION, CX_CLASS_PEOPLE, CX_CLASS_BACKGROUND };
enum cx_outcome { CX_ANSWERED, CX_TIMED_OUT, CX_LOST };

/* answer: NULL unless CX_ANSWERED; perhaps CSTA_ERROR or a refusal of the session. It may be kept
 * by taking its memory over: copy it, then set *answer to {0}. May add requests. */
typedef void (*cx_answer_fn)(void *context, enum cx_outcome outcome, struct csta_message *answer);

struct cx_request {
    enum cx_class class;
    const struct csta_message *message; /* written at once, not kept */
    cx_answer_fn answer;                /* NULL: nobody wants to know */
    void *context;
};

struct cx_requests_output {
    /* 0 or a negative errno; nothing may be told from inside. */
    int (*send)(void *context, unsigned invoke_id, const char *xml, size_t len_bytes);
    void *context;
};

struct cx_requests;
struct cx_requests *cx_requests_new(const struct cx_requests_output *output); /* NULL: no memory */
void cx_requests_free(struct cx_requests *requests); /* answers nothing; NULL is fine */

/* A connection is there: requests are taken and written in this edition. */
void cx_requests_open(struct cx_requests *requests, enum csta_version version);
/* It is gone: each unanswered request ends with CX_LOST, further ones are refused. */
void cx_requests_fail(struct cx_requests *requests);

/* 0; -EAGAIN: not open; -ENOBUFS: too many wait; -EINVAL, -EMSGSIZE, -ENOMEM. */
int cx_requests_add(struct cx_requests *requests, const struct cx_request *request,
                    uint64_t now_ms);
/* How many background requests may be added now. */
unsigned cx_requests_room(const struct cx_requests *requests);
/* false: it answers nothing. */
bool cx_requests_answer(struct cx_requests *requests, unsigned invoke_id,
                        struct csta_message *answer, uint64_t now_ms);
/* Ends what is late with CX_TIMED_OUT: PBX_ANSWER_MS with the PBX, or as long in the queue. */
void cx_requests_tick(struct cx_requests *requests, uint64_t now_ms);

#endif
