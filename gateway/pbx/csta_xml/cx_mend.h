/* cx_mend.h - bytes that no XML may have. Pure. */
#ifndef OG_GATEWAY_CX_MEND_H
#define OG_GATEWAY_CX_MEND_H

#include <stddef.h>

/* A copy in which '?' stands for each byte that XML 1.0 (2.2) does not allow: broken UTF-8, control
 * characters, U+FFFE, U+FFFF. NULL: there are none, or no memory. free() it. */
char *cx_mend_xml(const char *xml, size_t len_bytes);

#endif
