/* table.h - the decision tables and the diagram of roles, told from the code (docs/arbiter.md). */
#ifndef OG_SIM_TABLE_H
#define OG_SIM_TABLE_H

#include <stdio.h>

void table_print(FILE *out);

#endif
