# shellcheck shell=bash disable=SC2154
# place.sh - the folder of one standalone gateway, who owns it, and the way into its copy of all this.
#
#   bin/                   programs and scripts of the last start
#   data/  run/  log/      PostgreSQL's files; its socket and the list of processes; what each part said
#   accounts.json          logins and passwords of the administrator and of users
#   cert.pem  key.pem      for 127.0.0.1 and localhost, signed by itself

# PostgreSQL's socket is $folder/run/.s.PGSQL.5432, and a socket's name has at most 107 characters
place_longest=85

place_known() {
    [ -x "$folder/bin/standalone" ]
}

# Sets $owner: who runs it. Nobody but root has a choice.
place_owner() {
    owner=$(id -un)
    [ "$(id -u)" = 0 ] || return 0
    owner=$(stat -c %U "$folder")
    case $owner in
    root | UNKNOWN) lacks "$folder belongs to $owner, but PostgreSQL refuses root: give another --folder" ;;
    esac
}

as_owner() {
    if [ "$owner" = "$(id -un)" ]; then
        "$@"
    else
        setpriv --reuid "$owner" --regid "$(id -g "$owner")" --init-groups --reset-env -- "$@"
    fi
}

place_make() {
    [ -d "$folder" ] && return
    (umask 022 && mkdir -p "$(dirname "$folder")")
    mkdir "$folder" || lacks "cannot make $folder; give another --folder"
    [ "$(id -u)" != 0 ] || chown postgres: "$folder"
}

# Copies what runs. Root only reads: the folder's owner writes.
place_prepare() {
    [ ${#folder} -le $place_longest ] ||
        lacks "the name of $folder is longer than $place_longest characters, too long for a socket in it"
    place_make
    place_owner
    as_owner test -w "$folder" ||
        lacks "user $owner cannot write to $folder (see the permissions of the folders above it); give another --folder"
    # shellcheck disable=SC2016 # the inner shell expands
    tar -cf - -C "$here" standalone place.sh processes.sh accounts.sh settings.sh tell.sh serve.sh \
        -C "$here/../solution-control" databases.sql \
        -C "$programs/gateway" roxe-gateway -C "$programs/simulator" oxe-simulator -C "$programs/standalone" og-password-hash |
        as_owner sh -c 'mkdir -p "$1" && tar -xf - -C "$1" --no-same-owner' sh "$folder/bin"
}

# Goes on as the owner, in the copy.
place_enter() {
    place_owner
    cd /
    if [ "$owner" = "$(id -un)" ]; then
        exec "$folder/bin/standalone" "$@"
    fi
    exec setpriv --reuid "$owner" --regid "$(id -g "$owner")" --init-groups --reset-env -- \
        "$folder/bin/standalone" "$@"
}
