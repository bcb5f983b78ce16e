#include "gateway/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int privileges_drop(const char *user, struct diag *diag)
{
    struct passwd entry, *found = NULL;
    char text[4096];
    if (*user == '\0')
        return 0;
    int error = getpwnam_r(user, &entry, text, sizeof(text), &found);
    if (found == NULL)
        return diag_fail(diag, -ENOENT, "there is no user %s%s%s", user, error ? ": " : "",
                         error ? strerror(error) : "");
    if (geteuid() == found->pw_uid)
        return 0;
    if (found->pw_uid == 0)
        return diag_fail(diag, -EPERM, "user %s is root; give an ordinary user", user);
    if (initgroups(user, found->pw_gid) < 0 ||
        setresgid(found->pw_gid, found->pw_gid, found->pw_gid) < 0 ||
        setresuid(found->pw_uid, found->pw_uid, found->pw_uid) < 0)
        return diag_fail(diag, -errno, "cannot become user %s: %s", user, strerror(errno));
    if (setuid(0) == 0)
        return diag_fail(diag, -EPERM, "user %s can become root again", user);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return 0;
}
