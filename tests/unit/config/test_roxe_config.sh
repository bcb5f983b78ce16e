#!/bin/bash
# test_roxe_config.sh PROGRAM TEMPLATE - the command as an administrator and the installer use it.
set -u
program=$1 template=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

is() { # is WHAT EXPECTED FOUND
    if [ "$2" = "$3" ]; then
        echo "ok    $1"
    else
        echo "FAIL  $1: expected '$2', found '$3'"
        failures=$((failures + 1))
    fi
}
has() { # has WHAT PIECE TEXT
    case $3 in
    *"$2"*) echo "ok    $1" ;;
    *)
        echo "FAIL  $1: '$2' is not in: $3"
        failures=$((failures + 1))
        ;;
    esac
}
run() { # run ARGUMENTS...: sets $out, $code
    out=$("$program" "$@" 2>&1)
    code=$?
}

sed "s#/etc/open-gateway/cluster.key#$work/cluster.key#
     s#<http-port>#<certificate-file>$work/g.crt</certificate-file><key-file>$work/g.key</key-file><http-port>#" \
    "$template" >"$work/a.xml"
files=(--file "$work/config.xml" --ca-file "$work/ca.pem")

run check "$work/a.xml"
is "the template is valid" 0 $code

sed 's#<profile>safe#<profile>quick#; s#192.0.2.100#192.0.2.11#' "$work/a.xml" >"$work/wrong.xml"
run check "$work/wrong.xml"
is "a wrong file gives exit code 1" 1 $code
has "its wrong profile is named with file and line" "wrong.xml:$(grep -n quick "$work/wrong.xml" | cut -d: -f1): pair/profile" "$out"
has "its contradiction is named in the same run" "192.0.2.11 is the global server's address and also" "$out"
has "the problems are counted" "2 problems" "$out"

run import "$work/wrong.xml" "${files[@]}"
is "a wrong file is not imported" 1 $code
is "and leaves nothing behind" "a.xml wrong.xml" "$(cd "$work" && echo *)"

run import "$work/a.xml" "${files[@]}"
is "a right file is imported" 0 $code
has "the primary is told to carry the key over" "copy $work/cluster.key to the secondary" "$out"
is "the stored file is private" 600 "$(stat -c %a "$work/config.xml")"
is "the key is private" 600 "$(stat -c %a "$work/cluster.key")"
is "no clear password of the administrator is stored" 0 "$(grep -c change-this-password "$work/config.xml")"
key_before=$(sha256sum <"$work/cluster.key")
sed 's#</pbx>#<user>csta</user><password>pbx-secret-word</password></pbx>\
    <pbx><node>7</node><address>192.0.2.77</address><port>77</port></pbx>#' \
    "$work/a.xml" >"$work/pbx.xml"
run get pbx/address --file "$work/pbx.xml"
is "the first pbx is asked by its section's name" 192.0.2.50 "$out"
run get 'pbx[1]/address' --file "$work/pbx.xml"
is "the second by its number" 192.0.2.77 "$out"
run get 'pbx[2]/address' --file "$work/pbx.xml"
is "one that is not there is empty" "" "$out"
run get pbx/password --file "$work/pbx.xml"
is "a pbx's password is not printed" 2 $code
run import "$work/pbx.xml" "${files[@]}"
is "two pbxs are imported" 0 $code
run show "${files[@]}"
has "show lists the second pbx" "pbx[1]           address            192.0.2.77" "$out"
has "show says that there is a password" "pbx[0]           password           (secret)" "$out"
run show --json "${files[@]}"
is "nor is the password in the json" 0 "$(grep -c pbx-secret-word <<<"$out")"
is "the json has a list of pbxs" "192.0.2.50 192.0.2.77" \
    "$(python3 -c 'import json,sys; print(*[p["address"] for p in json.load(sys.stdin)["pbx"]])' <<<"$out")"
run import "$work/a.xml" "${files[@]}"
is "a second import works" 0 $code
is "and keeps the key" "$key_before" "$(sha256sum <"$work/cluster.key")"

sed "s#<role>primary#<role>secondary#; s#cluster.key#other.key#" "$work/a.xml" >"$work/b.xml"
run import "$work/b.xml" --file "$work/b-config.xml" --ca-file "$work/b-ca.pem"
is "a secondary without the pair's key is refused" 4 $code
has "and told what to do" "copy it from the primary" "$out"
is "and not configured" no "$([ -e "$work/b-config.xml" ] && echo yes || echo no)"

run show --file "$work/config.xml"
is "what is stored can be shown" 0 $code
is "without secrets" 0 "$(grep -cE "change-this|scrypt" <<<"$out")"
run show --json --file "$work/config.xml"
has "also as JSON" '"profile":"safe"' "$out"
run get witness/password --file "$work/config.xml"
is "a secret is not given without asking for it" 2 $code
run get witness/password --secret --file "$work/config.xml"
is "a secret is given on demand" change-this-witness-password "$out"
run get pair/nonsense --file "$work/config.xml"
is "an unknown setting is wrong use" 2 $code
run get all --file "$work/a.xml"
has "all values come as lines" "host/address 192.0.2.11" "$out"
run show --file "$work/missing.xml"
is "a missing file is an error of reading" 4 $code
chmod 644 "$work/config.xml"
run show --file "$work/config.xml"
has "a file that others may read is refused with advice" "chmod 600" "$out"
run settings
has "every setting is explained" "pair/profile (failover profile)" "$out"
run
is "no command is wrong use" 2 $code
run check
is "a missing argument is wrong use" 2 $code
run --help
is "help is no error" 0 $code

echo "$failures failures"
[ $failures = 0 ]
