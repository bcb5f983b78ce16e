/* throttle.h - how long somebody must wait after wrong passwords. Pure: the clock is a parameter.
 *
 * Three counts run side by side. The pair (account, address) is strict: five wrong passwords in a
 * row begin a delay that doubles with each further one. The account alone and the address alone
 * are looser, so that one attacker locks out neither the owner of the account elsewhere nor his
 * neighbours, while guessing from many addresses or over many accounts is still slowed down.
 *
 * An attempt counts as wrong from its beginning and is taken back when it was right; attempts side
 * by side are therefore no way around. Counts are forgotten after a quiet while, and the oldest go
 * first when there are too many. */
#ifndef OG_GATEWAY_THROTTLE_H
#define OG_GATEWAY_THROTTLE_H

#include <stdint.h>

enum {
    THROTTLE_PAIR_FREE = 5,    /* wrong passwords in a row without delay */
    THROTTLE_SINGLE_FREE = 30, /* the same for an account or an address alone */
    THROTTLE_PAIR_MAX_S = 300, /* longest delay */
    THROTTLE_SINGLE_MAX_S = 30,
    THROTTLE_FORGET_S = 900,
    THROTTLE_ENTRIES_MAX = 30000,
};

struct throttle;
struct throttle *throttle_new(void); /* NULL: no memory */
void throttle_free(struct throttle *throttle);
/* May this attempt be made? 0: yes, and it counts as wrong until throttle_right(). Else the ms to
 * wait; nothing is counted then. */
uint64_t throttle_begin(struct throttle *throttle, const char *account, const char *address,
                        uint64_t now_ms);
/* The attempt was right: pair and account start again from nothing. The address only loses the
 * count of this attempt, else a right password in between would make guessing free. */
void throttle_right(struct throttle *throttle, const char *account, const char *address);
/* The attempt was not judged (no answer, no memory): as if it had not been. */
void throttle_undo(struct throttle *throttle, const char *account, const char *address);

#endif
