/* routes_text.h - the route table as text, for people and for other programs. */
#ifndef OG_GATEWAY_ROUTES_TEXT_H
#define OG_GATEWAY_ROUTES_TEXT_H

#include "lib/common/buf.h"

/* Appends lines of tab-separated values: service, method, path, access, licence; the first line
 * holds those names, licence "-" means none. */
void routes_text_tsv(struct buf *out);

#endif
