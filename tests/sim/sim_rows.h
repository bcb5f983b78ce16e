/* sim_rows.h - takes single rows out of the arbiter's tables, at run time.
 *
 * The arbiter under test is the production code, unchanged: only calls of arb__walk() pass through
 * here (the linker's --wrap, of this program alone), where the table without the row is put in. */
#ifndef OG_SIM_ROWS_H
#define OG_SIM_ROWS_H

#include "ha/arbiter_private.h"

/* From here on row number `index` of the table is missing; with table NULL all are there. */
void sim_rows_remove(const struct arb_table *table, unsigned index);
unsigned sim_rows_count(const struct arb_table *table);

#endif
