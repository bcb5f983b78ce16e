/* script.h - scenario files: one step per line, "#" begins a comment; the first comment line is the
 * title. Words are separated by blanks, R1, R2 … stand for the calls' references in the order in
 * which they have appeared.
 *
 *   users 1001 1002                these users log in and listen, in this order
 *   admin [1001 1002]              the administrator listens too, to these users or to all
 *   rest WHO METHOD PATH [BODY] -> STATUS      WHO: a number or "admin"; PATH below the base
 *   until WHO METHOD PATH [BODY] -> STATUS     again and again until it is so; events count for
 *                                              the next step
 *   later WHO METHOD PATH [BODY]   the same in the background
 *   join WHO -> STATUS             the answer to it
 *   phone NUMBER KEY [DIGITS]      offhook, dial DIGITS, call DIGITS, answer, hangup
 *   service NUMBER in|out
 *   control METHOD PATH [BODY]     another request to the simulator's own interface
 *   misbehave BODY                 of PUT /misbehave; "misbehave {}" ends it
 *   link drop                      the simulator closes the connection
 *   synced [NUMBER...]             waits until the link is there again and the calls of these
 *                                  users (of all) have been read
 *   await WHO TEXT                 waits for an event that holds TEXT
 *   take WHO COUNT                 waits for so many events
 *   pause MS                       lets time pass without reading
 *   quiet                          the last step has led to no event at all
 *
 * Pure. */
#ifndef OG_TESTS_TELEPHONY_SCRIPT_H
#define OG_TESTS_TELEPHONY_SCRIPT_H

#include <stdbool.h>

enum { SCRIPT_STEPS_MAX = 64, SCRIPT_LINE_CHARS = 512, SCRIPT_WORD_CHARS = 128 };

struct step {
    unsigned line;
    char text[SCRIPT_LINE_CHARS]; /* the step without " -> STATUS" */
    int status;                   /* 0: not told */
};
struct script {
    char title[SCRIPT_LINE_CHARS];
    struct step steps[SCRIPT_STEPS_MAX];
    unsigned step_count;
};

/* False: it says on stderr what is wrong where. */
bool script_read(const char *path, struct script *ret_script);
/* Cuts the next word off; "" at the end. What is left stands in *rest, without leading blanks. */
void script_word(const char **rest, char word[SCRIPT_WORD_CHARS]);

#endif
