/* numbering.h - fills an exchange with a company: the same people, numbers and phones in every run.
 *
 * Users have the numbers from the first one on, each a phone whose kind changes from user to user;
 * every tenth user has a mobile besides, numbered above the users, whose main number is his. */
#ifndef OG_SIMULATOR_NUMBERING_H
#define OG_SIMULATOR_NUMBERING_H

#include "lib/common/diag.h"
#include "simulator/exchange.h"

enum { NUMBERING_USERS_MAX = 50000, NUMBERING_EVERY_MOBILE = 10 };

/* first_number: 1 to 15 digits; leading zeros are kept. -EINVAL, -ENOMEM. */
int numbering_fill(struct exchange *exchange, const char *first_number, unsigned users,
                   struct diag *diag);
/* "Nora Lindqvist" of the user at this place, counted from 0. */
void numbering_name(unsigned user, char out[EXCHANGE_NAME_CHARS]);

#endif
