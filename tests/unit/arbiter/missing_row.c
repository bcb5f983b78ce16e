/* Linked into a second build of the decision tests: OG_MISSING_ROW="TABLE INDEX" takes that row out
 * of the arbiter before they run. The tests must then fail: see test_arbiter_rows.c. */
#include "tests/sim/sim_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((constructor)) static void remove_row(void)
{
    const char *text = getenv("OG_MISSING_ROW");
    if (text == NULL)
        return;
    const size_t length = strcspn(text, " ");
    for (const struct arb_table *table = arb__tables; table->name != NULL; table++)
        if (strlen(table->name) == length && strncmp(table->name, text, length) == 0) {
            sim_rows_remove(table, (unsigned)strtoul(text + length, NULL, 10));
            return;
        }
    (void)fprintf(stderr, "no table '%s'\n", text);
    abort();
}
