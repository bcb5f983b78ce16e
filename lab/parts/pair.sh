# shellcheck shell=bash
# pair.sh - our package in both guests: installed by our installer, formed into a pair, watched.
#
# Words for stories: pair_form PROFILE, pair_active, pair_standby, pair_other N, pair_status N,
# pair_is N JQ-CONDITION, client MODE ..., and the background clients of pair_watch_begin/_end.

pair_vip=10.77.1.100
pair_database=witness

pair_package() { # the newest package that ./run package made
    local deb
    deb=$(find "${OG_BUILD:-$checkout/build}" -maxdepth 1 -name 'open-gateway_*_amd64.deb' | sort -V | tail -1)
    [ -n "$deb" ] || die "there is no package; run ./run package"
    echo "$deb"
}

pair_pbx() { # the telephone system, when the lab has one
    [ "$(pbx_state)" != running ] || cat <<XML
  <pbx>
    <node>1</node>
    <address>$pbx_address</address>
    <port>$pbx_csta_port</port>
  </pbx>
XML
}

pair_config() { # pair_config N PROFILE: the clear XML file of one node
    local own peer role
    own=$(guest_number "$1")
    peer=$((23 - own))
    role=$([ "$1" = a ] && echo primary || echo secondary)
    cat <<XML
<?xml version="1.0" encoding="UTF-8"?>
<open-gateway version="1">
  <host>
    <fqdn>$1.lab.test</fqdn>
    <interface>vec1</interface>
    <address>10.77.1.$own</address>
    <netmask>255.255.255.0</netmask>
  </host>
  <peer>
    <fqdn>$(pair_other "$1").lab.test</fqdn>
    <address>10.77.1.$peer</address>
  </peer>
  <virtual-address>
    <fqdn>gateway.lab.test</fqdn>
    <address>$pair_vip</address>
  </virtual-address>
  <interconnect>
    <interface>vec2</interface>
    <address>10.77.2.$own</address>
    <netmask>255.255.255.0</netmask>
    <peer-address>10.77.2.$peer</peer-address>
  </interconnect>
  <pair>
    <role>$role</role>
    <name>lab</name>
    <profile>$2</profile>
  </pair>
  <drbd>
    <device>/dev/ubdb</device>
  </drbd>
  <witness>
    <address>10.77.1.5</address>
    <database>$pair_database</database>
    <user>witness_$1</user>
    <password>$(cat "$state/witness_$1.password")</password>
    <ca-file>/etc/open-gateway/witness-ca.crt</ca-file>
  </witness>
$(pair_pbx)
  <administrator>
    <login>admin</login>
    <password>$(cut -d: -f2- "$state/account")</password>
  </administrator>
</open-gateway>
XML
}

pair_secrets() { # fresh passwords of this lab; nothing of the lab leaves this host
    local name
    for name in witness_a.password witness_b.password; do
        [ -s "$state/$name" ] || (umask 077 && openssl rand -hex 16 >"$state/$name")
    done
    [ -s "$state/account" ] || (umask 077 && echo "admin:$(openssl rand -hex 8)" >"$state/account")
}

pair_witness() {
    "$lab_root/lab" witness start
    "$lab_root/lab" witness sh "SELECT 1 FROM pg_database WHERE datname = '$pair_database'" | grep -q 1 ||
        "$lab_root/lab" witness sh "CREATE DATABASE $pair_database"
    # the passwords go by standard input, not by argument
    {
        printf '\\set cluster lab\n\\set role_a witness_a\n\\set role_b witness_b\n'
        printf '\\set pw_a %s\n' "$(cat "$state/witness_a.password")"
        printf '\\set pw_b %s\n' "$(cat "$state/witness_b.password")"
        printf '\\c %s\n' "$pair_database"
        cat "$checkout/ha/witness.sql"
    } | "$lab_root/lab" witness sh >/dev/null
}

pair_install() { # pair_install N PROFILE: package, configuration, installer
    local guest=$1 deb
    deb=$(pair_package)
    "$lab_root/lab" sh "$guest" 'umask 077; mkdir -p /etc/open-gateway /root/bundle'
    "$lab_root/lab" put "$guest" "$deb" /root/bundle/
    "$lab_root/lab" put "$guest" "$state/witness/ca.crt" /etc/open-gateway/witness-ca.crt
    pair_config "$guest" "$2" | "$lab_root/lab" sh "$guest" 'umask 077; cat >/root/bundle/pair.xml'
    if [ "$guest" = b ]; then # the pair's key comes from the primary
        "$lab_root/lab" sh a 'cat /etc/open-gateway/cluster.key' |
            "$lab_root/lab" sh b 'umask 077; cat >/etc/open-gateway/cluster.key'
    fi
    "$lab_root/lab" sh "$guest" 'cd /root/bundle && dpkg --fsys-tarfile open-gateway_*.deb |
        tar -xO ./usr/sbin/roxe-installer.sh >roxe-installer.sh && chmod 700 roxe-installer.sh &&
        ./roxe-installer.sh IMPORT /root/bundle/pair.xml && rm -f pair.xml && sync'
}

# roxed ends with 1 for a node that serves without protection: its words count here
pair_status() { "$lab_root/lab" sh "$1" 'roxed status --json || [ $? = 1 ]' </dev/null; }
pair_is() { # pair_is N CONDITION: a jq condition on its status
    pair_status "$1" | jq -e "$2" >/dev/null
}
pair_other() { [ "$1" = a ] && echo b || echo a; }
pair_active() { # prints the active node; fails while there is none
    local guest
    for guest in a b; do
        if guest_alive "$guest" && pair_is "$guest" '.role == "active"' 2>/dev/null; then
            echo "$guest"
            return 0
        fi
    done
    return 1
}
pair_is_protected() {
    local active
    active=$(pair_active) && pair_is "$active" '.protected == true and .witness.agreed == true' &&
        pair_is "$(pair_other "$active")" '.role == "standby"'
}

# client MODE ...: the test client, as an application on the client LAN. In a background job it takes
# the place of that job's shell, so that a signal to the job reaches the client itself.
client() {
    local words=("$lab_root/lab" ns "${OG_BUILD:-$checkout/build}/release/lab/og-lab-client" "$@")
    [ "$BASHPID" = $$ ] || exec "${words[@]}"
    "${words[@]}"
}
