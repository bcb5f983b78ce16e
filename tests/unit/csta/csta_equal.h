/* csta_equal.h - compares messages field by field, for tests. Knows nothing of the codec's tables:
 * a field that those forget is noticed here. */
#ifndef OG_TEST_CSTA_EQUAL_H
#define OG_TEST_CSTA_EQUAL_H

#include "lib/csta/csta.h"

/* Fails the cmocka test with `where` and the field's name when they differ. Names and memory are
 * not compared. */
void csta_assert_equal(const struct csta_message *have, const struct csta_message *want,
                       const char *where);

#endif
