/* og-password-hash: the first line of standard input is a password; prints the hash that the
 * gateway checks it against. Passwords travel by pipe only: arguments are visible to every user. */
#include "lib/common/common.h"
#include "lib/common/secrets.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
    char password[256], hash[SECRETS_HASH_CHARS];
    struct diag diag = {0};

    if (fgets(password, sizeof(password), stdin) == NULL) {
        (void)fprintf(stderr, "og-password-hash: no password on standard input\n");
        return 1;
    }
    password[strcspn(password, "\r\n")] = '\0';
    int r = secrets_password_hash(password, hash, &diag);
    secrets_wipe(password, sizeof(password));
    if (r < 0) {
        (void)fprintf(stderr, "og-password-hash: %s\n", diag.text);
        return 1;
    }
    return puts(hash) >= 0 && fflush(stdout) == 0 ? 0 : 1;
}
