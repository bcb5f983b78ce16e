/* talk.h - what the halves of the mode `talk` share: talk_user.c has a user's channel and requests,
 * talk.c the calls between the two and their fate. */
#ifndef LAB_TALK_H
#define LAB_TALK_H

#include "client.h"
#include "talk_order.h"

#include <pthread.h>

enum {
    CALLER,
    CALLED,
    USERS,
    MAX_CALLS = 100,
    ACT_MS = 8000,   /* for one action and the events that follow it */
    BACK_MS = 60000, /* for a service that was lost */
};

struct talk;
struct talk_user {
    struct talk *talk;
    const char *name;
    struct client_session session;
    char device[32];
    struct wire wire; /* for requests; the channel has its own */
    struct event_stream stream;
    pthread_t thread;
    /* under the talk's lock */
    struct talk_order order;
    unsigned opened;        /* channels, so far */
    bool open;              /* as far as it knows */
    unsigned opened_before; /* when the service was lost */
    unsigned opened_wanted; /* after the last outage that no open channel can outlive */
    unsigned events;
};

/* One call's fate: for the outage that lasted longest. */
struct fate {
    char ref[TALK_REF_CHARS];
    bool survived, broken;
    int64_t readable_ms; /* from the first answer of the service to the call's */
    int64_t outage_ms;   /* from the last good look to the next */
};

struct talk {
    const struct client_options *options;
    struct wire_target target;
    struct client_record record;
    struct talk_user users[USERS];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool talking;
    /* of the call that is on; times by the steady clock */
    int64_t good_ms, answered_ms; /* last good look; first answer since; 0: none yet */
    bool lost;                    /* no good look since good_ms */
    unsigned call_count, failures;
    struct fate fates[MAX_CALLS];
    struct answer answer;
    char failure[512];
};

/* Puts a failure down; the mode goes on. */
void talk_fail(struct talk *talk, const char *what, const char *detail);

/* ---- talk_user.c ---- */

/* index: CALLER or CALLED. 0, or -errno with a message. */
int talk_user_init(struct talk *talk, int index, const char *session_file);
/* The thread of a user's channel; argument: the user. Ends when told to stop. */
void *talk_user_listen(void *argument);
/* Waits until the condition, called with the lock held, holds of both users. False after limit_ms.
 */
bool talk_wait_both(struct talk *talk, bool (*holds)(const struct talk_user *), int limit_ms);

struct question {
    const char *method, *tail, *body; /* tail: behind the base path; body NULL: none */
    int limit_ms;
};
/* The status, or -errno. The answer is in talk->answer. */
int talk_user_ask(struct talk_user *user, struct question question);
/* An action with the status that it must have, within ACT_MS. */
bool talk_user_act(struct talk_user *user, struct question question, int wanted);
/* Learns the user's own telephone: the first of his devices. */
bool talk_user_find_device(struct talk_user *user);

#endif
