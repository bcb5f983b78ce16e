# shellcheck shell=bash disable=SC2154
# standalone.sh - builds what one gateway and a telephone system need, and hands over to standalone/.

standalone_programs=(roxe-gateway oxe-simulator og_password_hash)

run_standalone() {
    case " $* " in
    *" --stop "* | *" --status "* | *" -h "* | *" --help "*) ;; # need no programs
    *)
        "$checkout/standalone/standalone" --check "$@" # wrong use is told before anything is built
        need_packages build standalone
        build_tree release "${standalone_programs[@]}"
        ;;
    esac >&2 # standard output is for what standalone prints: one JSON object, perhaps
    exec "$checkout/standalone/standalone" --programs "$build/release" --folder "$build/standalone" "$@"
}
