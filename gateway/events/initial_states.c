#include "gateway/events/initial_states.h"

static bool tell_next_of_all(const struct initial_states *states, struct snapshot_cursor *cursor,
                             struct buf *out)
{
    const struct user *user = users_walk_on(states->users, &cursor->users);
    if (user == NULL)
        return false;
    out->failed = states->tell(user, out) < 0 || out->failed;
    return true;
}

static bool tell_next_of_list(const struct initial_states *states, const struct filter *filter,
                              struct snapshot_cursor *cursor, struct buf *out)
{
    size_t count;
    const struct filter_id *ids = filter_ids(filter, &count);
    if (cursor->position >= count)
        return false;
    const struct filter_id *id = &ids[cursor->position++];
    const struct user *user = NULL;
    if (id->packages & 1u << states->package)
        user = users_find_login(states->users, id->id);
    if (user != NULL)
        out->failed = states->tell(user, out) < 0 || out->failed;
    return true;
}

static bool next(void *context, const struct filter *filter, struct snapshot_cursor *cursor,
                 struct buf *out)
{
    const struct initial_states *states = context;
    if (filter_everybody(filter) & 1u << states->package)
        return tell_next_of_all(states, cursor, out);
    return tell_next_of_list(states, filter, cursor, out);
}

void initial_states_init(struct initial_states *states)
{
    states->ops = (struct snapshot_ops){.next = next, .context = states};
}
