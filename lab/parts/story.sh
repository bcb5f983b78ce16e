# shellcheck shell=bash
# story.sh - runs a story: a test on the lab that says in plain sentences what it does and sees.
#
# A story is a bash file in stories/. Its first comment line "# story: ..." is its summary. It runs
# in a lab of its own, which is taken down afterwards however it ends (OG_STORY_KEEP=1 keeps it), and
# it has these words:
#   say TEXT                       tell what happens
#   must "SENTENCE" COMMAND...     the command must succeed, else the story fails with the sentence
#   wait_until S "SENTENCE" CMD... the command must succeed within S seconds; sets $waited_ms
#   figure KEY VALUE               a number, true, false or text for the JSON file
#   lab COMMAND...                 the lab's own commands, on this story's lab
# A story that ends early, or checks nothing, has failed.

story_dir=$lab_root/stories

story_list() {
    local file
    for file in "$story_dir"/*; do
        printf '%-18s %s\n' "${file##*/}" "$(sed -n 's/^# story: //p;T;q' "$file")"
    done
}

must() {
    local sentence=$1 begin output
    shift
    begin=$(now_ms)
    if output=$("$@" 2>&1); then
        story_checks=$((story_checks + 1))
        say "ok    $sentence ($(($(now_ms) - begin)) ms)"
    else
        story_fail "$sentence" "$output"
    fi
}

wait_until() {
    local limit_s=$1 sentence=$2 begin output=
    shift 2
    begin=$(now_ms)
    until output=$("$@" 2>&1); do
        (($(now_ms) - begin < limit_s * 1000)) || story_fail "$sentence (waited $limit_s s)" "$output"
        sleep 0.05
    done
    waited_ms=$(($(now_ms) - begin))
    story_checks=$((story_checks + 1))
    say "ok    $sentence (after $waited_ms ms)"
}

figure() {
    [[ $1 =~ ^[a-z][a-z0-9_]*$ ]] || die "figure: '$1' is no key"
    if jq -e . >/dev/null 2>&1 <<<"$2" || [ "$2" = false ] || [ "$2" = null ]; then
        story_figures=$(jq -c --arg key "$1" --argjson value "$2" '. + {($key): $value}' <<<"$story_figures")
    else
        story_figures=$(jq -c --arg key "$1" --arg value "$2" '. + {($key): $value}' <<<"$story_figures")
    fi
    say "      $1 = $2"
}

story_fail() {
    story_failure=$1
    say "FAIL  $1"
    [ -z "${2:-}" ] || tail -n 20 <<<"$2" | cut -c1-300 | sed 's/^/              | /' >&2
    exit 1
}

# The subshell's end, whatever led there: figures, verdict, lab gone.
story_end() {
    local status=$?
    trap - EXIT INT TERM HUP
    [ "$status" = 0 ] && [ "$story_finished" = 1 ] && [ "$story_checks" -gt 0 ] || {
        status=1
        story_failure=${story_failure:-the story ended before its last step}
    }
    if [ -n "$story_json" ]; then
        jq -n --arg story "$story_name" --argjson passed "$([ $status = 0 ] && echo true || echo false)" \
            --argjson seconds "$((($(now_ms) - started_ms) / 1000))" --argjson checks "$story_checks" \
            --argjson figures "$story_figures" --arg failure "$story_failure" \
            '{story: $story, passed: $passed, seconds: $seconds, checks: $checks, figures: $figures,
              failure: (if $failure == "" then null else $failure end)}' >"$story_json"
    fi
    if [ "$status" != 0 ] && [ -d "$state" ]; then
        local kept=${TMPDIR:-/tmp}/open-gateway-story-$story_name.logs
        rm -rf "$kept"
        mkdir -p "$kept"
        cp "$state"/*.log "$state"/witness/log "$kept/" 2>/dev/null || true
        say "the consoles of the failed story are kept in $kept"
    fi
    [ -n "${OG_STORY_KEEP:-}" ] || OG_LAB=$lab OG_LAB_QUIET=1 "$lab_root/lab" down
    if [ "$status" = 0 ]; then
        say "story $story_name passed: $story_checks checks"
    else
        say "story $story_name FAILED: $story_failure"
    fi
    exit "$status"
}

cmd_story() {
    local name=
    story_json=
    while [ $# -gt 0 ]; do
        case $1 in
        --list)
            story_list
            return
            ;;
        --json)
            [ $# -ge 2 ] || usage_error "--json needs a file"
            story_json=$(realpath -m "$2")
            shift
            ;;
        -*) usage_error "story takes --list, --json FILE and a name, not $1" ;;
        *) name=$1 ;;
        esac
        shift
    done
    [ -n "$name" ] && [[ $name =~ ^[a-z0-9-]+$ ]] && [ -f "$story_dir/$name" ] ||
        usage_error "there is no story '$name'; 'story --list' names them"
    need_host
    image_ensure # outside the story's time

    export OG_LAB=${OG_LAB:-s}-$name-$$
    OG_LAB=${OG_LAB:0:32}
    lab=$OG_LAB
    state=${OG_LAB_STATE:-/var/tmp/open-gateway-lab}/$lab
    ns=og-lab-$lab
    witness=$state/witness
    started_ms=$(now_ms)
    story_name=$name
    story_checks=0
    story_figures='{}'
    story_failure=
    story_finished=0
    trap story_end EXIT
    trap 'story_failure="interrupted"; exit 130' INT TERM HUP
    say "story $name: $(sed -n 's/^# story: //p;T;q' "$story_dir/$name")"
    # shellcheck disable=SC2317 # the story calls it
    lab() { "$lab_root/lab" "$@"; }
    # shellcheck source=/dev/null
    . "$story_dir/$name"
    story_finished=1
    exit 0
}
