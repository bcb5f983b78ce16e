/* migrations.h - the schema of database `api`, as steps that only expand it: a node with the
 * release before can go on with what a newer one has made. Contraction comes one release later. */
#ifndef OG_GATEWAY_MIGRATIONS_H
#define OG_GATEWAY_MIGRATIONS_H

#include <stddef.h>

/* Each step is one statement: a block that looks whether it is done, does it, and writes that down,
 * all in one transaction; interrupted anywhere, it can run again. NULL behind the last one. */
const char *migration_step(size_t number);

#endif
