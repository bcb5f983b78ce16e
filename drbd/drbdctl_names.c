#include "drbd/drbdctl_names.h"

#include <string.h>

const char *drbdctl__name(const char *const *names, size_t count, unsigned index)
{
    return index < count ? names[index] : "?";
}

int drbdctl__index(const char *const *names, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], word) == 0)
            return (int)i;
    return -1;
}
