/* directory_private.h - shared by directory.c and directory_wishes.c only. */
#ifndef OG_GATEWAY_DIRECTORY_PRIVATE_H
#define OG_GATEWAY_DIRECTORY_PRIVATE_H

#include "gateway/directory.h"
#include "gateway/model/users_compare.h"

/* The parts of a difference, in the order in which they are carried out: numbers that go are free
 * for those who come. */
enum part { PART_DELETED, PART_CHANGED, PART_CREATED, PART_COUNT };

struct reading { /* of one node */
    TAILQ_ENTRY(reading) next;
    struct directory *directory;
    char node[USER_NODE_CHARS];
    struct arena arena; /* of the list, which stays for administrators' questions */
    struct pbx_device *devices;
    size_t count;
    struct digest list; /* of the list */
    bool settled;       /* the users are those of the list, as far as is known */
    bool waits;         /* has not been compared yet */
    bool doubted;       /* the last comparison was drastic, and `deletion` says which one */
    struct digest deletion;
    struct users_changes changes; /* under way */
    enum part part;
    size_t at, group_count; /* place within the part; how many the open statement carries */
};

struct directory {
    struct gateway *gateway;
    TAILQ_HEAD(, reading) readings;
    struct reading *under_way; /* one at a time: the next is compared with what this one makes */
    struct reading *last;      /* that was under way: its node is the last to come again */
    struct map *left_out;      /* login: the directory itself */
    struct timer *retry;
};

/* NULL: the node's directory has not been read since the start. */
struct reading *directory__find_reading(const struct directory *directory, const char *node);

#endif
