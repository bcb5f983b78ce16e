/* The arbiter's tables with a row missing. */
#include "sim_rows.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_OF_A_TABLE = 64 };

static const struct arb_row *replaced;
static struct arb_row shortened[ROWS_OF_A_TABLE];

/* The names are the linker's: __wrap_NAME is called for NAME, __real_NAME is the original. */
bool __real_arb__walk(struct arb_call *call, const struct arb_row *rows);
bool __wrap_arb__walk(struct arb_call *call, const struct arb_row *rows);

bool __wrap_arb__walk(struct arb_call *call, const struct arb_row *rows)
{
    return __real_arb__walk(call, rows == replaced ? shortened : rows);
}

unsigned sim_rows_count(const struct arb_table *table)
{
    unsigned count = 0;
    while (table->rows[count].reason != NULL)
        count++;
    return count;
}

void sim_rows_remove(const struct arb_table *table, unsigned index)
{
    replaced = NULL;
    if (table == NULL)
        return;
    const unsigned count = sim_rows_count(table);
    if (count >= ROWS_OF_A_TABLE || index >= count)
        abort();
    memcpy(shortened, table->rows, index * sizeof(shortened[0]));
    memcpy(&shortened[index], &table->rows[index + 1], (count - index) * sizeof(shortened[0]));
    replaced = table->rows;
}
