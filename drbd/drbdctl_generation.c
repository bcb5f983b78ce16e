#include "drbd/drbdctl_generation.h"

#include "drbd/drbdctl_names.h"
#include "lib/common/common.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* The kernel's mark of metadata that never carried data. */
#define JUST_CREATED UINT64_C(4)
#define PRIMARY_FLAG UINT64_C(1)

enum { UUIDS = 4, HEX_DIGITS = 16, FLAGS = 7 };

#define NAME_TEXT(id, text) text,
static const char *const relations[] = {DRBDCTL_RELATIONS(NAME_TEXT)};

const char *drbdctl_relation_name(enum drbdctl_relation relation)
{
    return drbdctl__name(relations, COUNT_OF(relations), relation);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

static bool read_hex(const char **at, const char *end, uint64_t *ret_value)
{
    if (end - *at < HEX_DIGITS)
        return false;
    uint64_t value = 0;
    for (int i = 0; i < HEX_DIGITS; i++) {
        int digit = hex_digit(*(*at)++);
        if (digit < 0)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    *ret_value = value;
    return true;
}

static bool read_byte(const char **at, const char *end, char byte)
{
    if (*at == end || **at != byte)
        return false;
    (*at)++;
    return true;
}

static bool read_line(const char *at, const char *end, struct drbdctl_generation *ret)
{
    uint64_t uuid[UUIDS];
    bool flag[FLAGS];
    for (int i = 0; i < UUIDS; i++)
        if (!read_hex(&at, end, &uuid[i]) || !read_byte(&at, end, ':'))
            return false;
    for (int i = 0; i < FLAGS; i++) {
        if (i > 0 && !read_byte(&at, end, ':'))
            return false;
        if (at == end || (*at != '0' && *at != '1'))
            return false;
        flag[i] = *at++ == '1';
    }
    if (at != end)
        return false; /* DRBD 9 prints more fields, whose meaning differs: not ours to guess */
    *ret = (struct drbdctl_generation){
        .current = uuid[0],
        .bitmap = uuid[1],
        .history = {uuid[2], uuid[3]},
        .consistent = flag[0],
        .was_uptodate = flag[1],
        .primary = flag[2],
        .connected = flag[3],
        .full_sync = flag[4],
        .peer_outdated = flag[5],
        .crashed_primary = flag[6],
    };
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

int drbdctl_generation_parse(const char *text, size_t len_bytes,
                             struct drbdctl_generation *ret_generation, struct diag *diag)
{
    const char *end = text + len_bytes;
    for (const char *line = text; line < end;) {
        const char *line_end = line;
        while (line_end < end && *line_end != '\n')
            line_end++;
        const char *from = line, *to = line_end;
        while (from < to && is_blank(*from))
            from++;
        while (to > from && is_blank(to[-1]))
            to--;
        if (read_line(from, to, ret_generation))
            return 0;
        line = line_end < end ? line_end + 1 : end;
    }
    return diag_fail(diag, -EINVAL, "drbdadm printed no generation identifiers of DRBD 8.4");
}

static uint64_t plain(uint64_t uuid)
{
    return uuid & ~PRIMARY_FLAG;
}

static bool is_empty(const struct drbdctl_generation *copy)
{
    return plain(copy->current) == JUST_CREATED || copy->current == 0;
}

static bool is_in_history(const struct drbdctl_generation *copy, uint64_t uuid)
{
    return plain(uuid) != 0 &&
           (plain(copy->history[0]) == plain(uuid) || plain(copy->history[1]) == plain(uuid));
}

/* The kernel's own order of questions (its "rules" 10 to 110, as its log names them), reduced to
 * what a person and the arbiter need: which side has the newer data. */
enum drbdctl_relation drbdctl_generation_compare(const struct drbdctl_generation *mine,
                                                 const struct drbdctl_generation *peers)
{
    if (is_empty(mine) || is_empty(peers))
        return is_empty(mine) && is_empty(peers) ? DRBDCTL_RELATION_EMPTY
               : is_empty(mine)                  ? DRBDCTL_RELATION_BEHIND
                                                 : DRBDCTL_RELATION_AHEAD;
    uint64_t my_current = plain(mine->current), peers_current = plain(peers->current);
    uint64_t my_bitmap = plain(mine->bitmap), peers_bitmap = plain(peers->bitmap);

    if (my_current == peers_current)
        return DRBDCTL_RELATION_SAME;
    if (my_current == peers_bitmap || is_in_history(peers, my_current))
        return DRBDCTL_RELATION_BEHIND;
    if (peers_current == my_bitmap || is_in_history(mine, peers_current))
        return DRBDCTL_RELATION_AHEAD;
    if (my_bitmap != 0 && my_bitmap == peers_bitmap)
        return DRBDCTL_RELATION_SPLIT_BRAIN;
    for (size_t i = 0; i < COUNT_OF(mine->history); i++)
        if (is_in_history(peers, mine->history[i]))
            return DRBDCTL_RELATION_SPLIT_BRAIN; /* a common ancestor further back */
    if (is_in_history(peers, my_bitmap) || is_in_history(mine, peers_bitmap))
        return DRBDCTL_RELATION_SPLIT_BRAIN;
    return DRBDCTL_RELATION_UNRELATED;
}

const char *drbdctl_generation_text(const struct drbdctl_generation *generation, char *ret_text)
{
    (void)snprintf(ret_text, DRBDCTL_GENERATION_TEXT,
                   "%016" PRIX64 ":%016" PRIX64 ":%016" PRIX64 ":%016" PRIX64
                   ":%d:%d:%d:%d:%d:%d:%d",
                   generation->current, generation->bitmap, generation->history[0],
                   generation->history[1], generation->consistent, generation->was_uptodate,
                   generation->primary, generation->connected, generation->full_sync,
                   generation->peer_outdated, generation->crashed_primary);
    return ret_text;
}
