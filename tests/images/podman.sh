#!/bin/sh
# podman for podman-compose on a machine without systemd, where nobody runs health checks: who waits for health asks.
case "$1 ${2:-}" in
"--version "*)
    # From this version on podman-compose waits for health at all.
    echo "podman version 4.6.0"
    ;;
"wait --condition=healthy")
    shift 2
    for container; do
        until "$PODMAN" --runtime runc healthcheck run "$container" >/dev/null 2>&1; do sleep 1; done
    done
    ;;
"create "* | "run "*)
    # podman 4.3 does not find what a requirement requires; podman-compose keeps the order itself.
    for argument; do
        shift
        case "$argument" in --requires=*) ;; *) set -- "$@" "$argument" ;; esac
    done
    exec "$PODMAN" --runtime runc "$@"
    ;;
*)
    exec "$PODMAN" --runtime runc "$@"
    ;;
esac
