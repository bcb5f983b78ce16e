/* users_compare.h - what has to be done so that the known users of a PBX are those of its
 * directory. Pure: the result is plain records; the database, the model and the events follow it.
 *
 * A line of the directory is a station. A main one (its own main number) makes a user, the others
 * become devices of the user whose main number they name, or users of their own when nobody has
 * that number. Only numbers of digits become users, and devices of another node's users stay
 * theirs; names are cut at the first space.
 *
 * One wrong answer of a PBX must not delete everybody: a result is `drastic` when the directory is
 * empty though users are known, or when more than half of at least USERS_DRASTIC_FROM users would
 * go. Such a result is to be carried out only when the next reading says the same. */
#ifndef OG_GATEWAY_USERS_COMPARE_H
#define OG_GATEWAY_USERS_COMPARE_H

#include "gateway/digest_table.h"
#include "gateway/model/users.h"
#include "lib/common/map.h"
#include "lib/http/arena.h"

enum {
    USERS_DRASTIC_FROM = 10,
    USER_NAME_BYTES_MAX = 256,
    USERS_COMPARE_MEMORY_BYTES = 512 * 1024 * 1024,
};

struct users_compare { /* a question; borrowed during the call */
    const struct users *users;
    const struct map *left_out; /* logins that must not become users; NULL: none */
    const char *node;
    const struct pbx_device *devices;
    size_t device_count;
};

struct users_changes { /* start it as {0}; everything in it lives in the arena */
    struct arena arena;
    struct user_record *created, *changed;
    const char **deleted; /* logins */
    size_t created_count, changed_count, deleted_count;
    size_t ignored; /* stations that cannot be shown: number, room for devices or users */
    bool drastic;
    struct digest deletion; /* of the logins that would go, to recognise the same reading */
};

/* 0 or -ENOMEM; the texts are copied into the arena. */
int users_compare(const struct users_compare *question, struct users_changes *ret_changes);
void users_changes_done(struct users_changes *changes);

#endif
