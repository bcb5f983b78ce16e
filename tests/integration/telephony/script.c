#include "tests/integration/telephony/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t";

void script_word(const char **rest, char word[SCRIPT_WORD_CHARS])
{
    const char *begin = *rest + strspn(*rest, blanks);
    size_t len = strcspn(begin, blanks);
    (void)snprintf(word, SCRIPT_WORD_CHARS, "%.*s", (int)len, begin);
    *rest = begin + len + strspn(begin + len, blanks);
}

static bool read_step(struct step *step, char *line, unsigned number)
{
    char *status = strstr(line, " -> "), *end = NULL;
    step->line = number;
    step->status = 0;
    if (status != NULL) {
        long value = strtol(status + 4, &end, 10);
        if (*end != '\0' || value < 100 || value > 599)
            return false;
        step->status = (int)value;
        *status = '\0';
        while (status > line && strchr(blanks, status[-1]) != NULL)
            *--status = '\0';
    }
    (void)snprintf(step->text, sizeof(step->text), "%s", line);
    return true;
}

static bool read_line(struct script *script, char *line, unsigned number)
{
    size_t len = strcspn(line, "\r\n");
    bool whole = line[len] != '\0';
    line[len] = '\0';
    line += strspn(line, blanks);
    if (*line == '#') {
        if (script->title[0] == '\0')
            (void)snprintf(script->title, sizeof(script->title), "%s",
                           line + 1 + strspn(line + 1, blanks));
        return true;
    }
    if (*line == '\0')
        return true;
    return whole && script->step_count < SCRIPT_STEPS_MAX &&
           read_step(&script->steps[script->step_count++], line, number);
}

bool script_read(const char *path, struct script *ret_script)
{
    char line[SCRIPT_LINE_CHARS];
    unsigned number = 0;
    bool fine = true;
    FILE *file = fopen(path, "re");
    *ret_script = (struct script){0};
    if (file == NULL) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    while (fine && fgets(line, sizeof(line), file) != NULL) {
        number++;
        fine = read_line(ret_script, line, number);
        if (!fine)
            (void)fprintf(stderr, "%s, line %u: not a step, or too long\n", path, number);
    }
    (void)fclose(file);
    return fine && ret_script->step_count > 0;
}
