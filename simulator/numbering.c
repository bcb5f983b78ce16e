/* numbering.c - the people of the simulated company. */
#include "simulator/numbering.h"

#include "lib/common/common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two lists without a common divisor of their lengths: no name comes twice before each first name
 * has met each last name. */
static const char *const first_names[] = {
    "Nora",   "Emil",    "Zoé",      "Jonas",  "Amélie",  "Tomasz", "Ingrid", "Kofi",
    "Björn",  "Lucía",   "Pavel",    "Hannah", "Mateo",   "Renée",  "Oskar",  "Leila",
    "Henrik", "Chiara",  "Łukasz",   "Freya",  "Damien",  "Núria",  "Stefan", "Yasmin",
    "Rasmus", "Odile",   "Viktor",   "Elena",  "Joris",   "Maren",  "Gaël",   "Sofia",
    "Anton",  "Beatriz", "François", "Ilse",   "Marek",   "Aurora", "Niklas", "Thérèse",
    "Ravi",   "Greta",   "Simon",    "Åsa",    "Dimitri", "Clara",  "Jürgen",
};
static const char *const last_names[] = {
    "Lindqvist", "Okafor",   "Marchetti",    "Duvallon", "Kowalczyk",  "Brandt",    "Ferreira",
    "Nyström",   "Garnier",  "van der Meer", "Hofmann",  "Castellano", "Petrov",    "Sørensen",
    "Beaufort",  "Yılmaz",   "Haugen",       "Moreau",   "Novák",      "Delgado",   "Albrecht",
    "Ó Briain",  "Vasseur",  "Takács",       "Wikström", "Romano",     "Lefèvre",   "Janssen",
    "Dragomir",  "Müller",   "Fontaine",     "Eriksen",  "Battaglia",  "Rousselet", "Zieliński",
    "Hartmann",  "Pinheiro", "Collet",       "Steiner",  "Virtanen",   "Da Costa",  "Meunier",
    "Andersson",
};
static const char *const models[] = {
    "DESK 40", "DESK 80", "DECT 20", "DESK 40", "SOFTPHONE 3", "DESK 80 SIP", "DECT 50",
};

void numbering_name(unsigned user, char out[EXCHANGE_NAME_CHARS])
{
    (void)snprintf(out, EXCHANGE_NAME_CHARS, "%s %s", first_names[user % COUNT_OF(first_names)],
                   last_names[user % COUNT_OF(last_names)]);
}

static int add(struct exchange *exchange, const struct exchange_phone_options *options,
               struct diag *diag)
{
    enum exchange_result result = exchange_phone_add(exchange, options);
    if (result == EXCHANGE_DONE)
        return 0;
    return diag_fail(diag, result == EXCHANGE_NO_MEMORY ? -ENOMEM : -EINVAL, "phone %s: %s",
                     options->number, exchange_result_text(result));
}

int numbering_fill(struct exchange *exchange, const char *first_number, unsigned users,
                   struct diag *diag)
{
    size_t digits = strlen(first_number);
    if (digits == 0 || digits > 15 || strspn(first_number, "0123456789") != digits)
        return diag_fail(diag, -EINVAL, "first number '%s': 1 to 15 digits expected", first_number);
    if (users > NUMBERING_USERS_MAX)
        return diag_fail(diag, -EINVAL, "%u users: at most %d", users, NUMBERING_USERS_MAX);

    unsigned long long first = strtoull(first_number, NULL, 10);
    char number[EXCHANGE_NUMBER_CHARS], main_number[EXCHANGE_NUMBER_CHARS];
    char name[EXCHANGE_NAME_CHARS];
    for (unsigned i = 0; i < users; i++) {
        (void)snprintf(number, sizeof(number), "%0*llu", (int)digits, first + i);
        numbering_name(i, name);
        int r = add(exchange,
                    &(struct exchange_phone_options){
                        .number = number, .name = name, .model = models[i % COUNT_OF(models)]},
                    diag);
        if (r < 0)
            return r;
    }
    for (unsigned i = 0; i < users / NUMBERING_EVERY_MOBILE; i++) {
        unsigned user = (i + 1) * NUMBERING_EVERY_MOBILE - 1;
        (void)snprintf(number, sizeof(number), "%0*llu", (int)digits, first + users + i);
        (void)snprintf(main_number, sizeof(main_number), "%0*llu", (int)digits, first + user);
        numbering_name(user, name);
        int r =
            add(exchange,
                &(struct exchange_phone_options){
                    .number = number, .name = name, .model = "MOBILE", .main_number = main_number},
                diag);
        if (r < 0)
            return r;
    }
    return 0;
}
