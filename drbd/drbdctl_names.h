/* drbdctl_names.h - looking words up in the X-macro tables of this room. Room private. */
#ifndef OG_DRBD_DRBDCTL_NAMES_H
#define OG_DRBD_DRBDCTL_NAMES_H

#include <stddef.h>

/* The name of an index, "?" out of range. */
const char *drbdctl__name(const char *const *names, size_t count, unsigned index);
/* The index of a word (case counts), or -1. */
int drbdctl__index(const char *const *names, size_t count, const char *word);

#endif
