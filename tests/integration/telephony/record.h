/* record.h - what a scenario has led to, as text to compare: its steps with the answers, then for
 * each actor the events that he has heard, each with the number of the step after which it came.
 *
 * Calls' references become R1, R2 … in the order of their appearance, the gateway's address becomes
 * GATEWAY, so that the text is the same in every run. Pure. */
#ifndef OG_TESTS_TELEPHONY_RECORD_H
#define OG_TESTS_TELEPHONY_RECORD_H

#include "lib/common/buf.h"

enum { RECORD_REFS_MAX = 64, RECORD_ACTORS_MAX = 12, RECORD_REF_CHARS = 17 };

struct record {
    char base[64]; /* what becomes GATEWAY */
    char refs[RECORD_REFS_MAX][RECORD_REF_CHARS];
    unsigned ref_count;
    struct buf steps;
    struct {
        char name[32];
        struct buf events;
    } actors[RECORD_ACTORS_MAX];
    unsigned actor_count;
};

void record_init(struct record *record, const char *base);
void record_done(struct record *record);
void record_actor(struct record *record, const char *name); /* his block comes next */
/* "3 rest 1001 …" and lines below it. */
void record_step(struct record *record, unsigned step, const char *text);
void record_answer(struct record *record, int status, const char *location, const char *body);
void record_event(struct record *record, const char *actor, unsigned step, const char *line);
/* R1 and so on become real references; unknown ones stay. Caller frees. */
char *record_expand(const struct record *record, const char *text);
void record_write(const struct record *record, const char *title, struct buf *out);

/* Lines that differ, with "-" what was expected and "+" what came. False: equal. */
bool record_diff(const char *expected, const char *actual, struct buf *out);

#endif
