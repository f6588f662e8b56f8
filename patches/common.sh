# shellcheck shell=bash
# What the scripts here share. Sourced, never run.

set -euo pipefail

PATCHES=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${EXECUTOR_PATCHES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/executor-patches}
export PATCHES CACHE
mkdir -p "$CACHE"

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# Ends the script, with status 1 unless it has another one for that.
die() {
    say "$*"
    exit "${STATUS_OF_DEATH:-1}"
}

# usage: prints the comment at the top of the calling script, which is its help.
usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

# need COMMAND:PACKAGE ... : sees to it that the commands, or files, are there; as root by installing the packages.
need() {
    local pair missing=()
    for pair in "$@"; do
        if [[ $pair == /* ]]; then
            [ -e "${pair%%:*}" ] || missing+=("${pair##*:}")
        else
            command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
        fi
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "this needs the Debian packages ${missing[*]}, and apt to have them from"
    [ "$(id -u)" = 0 ] || die "missing: apt-get install --no-install-recommends ${missing[*]}"
    say "installing ${missing[*]}"
    # Another script of ours may be installing as well.
    (
        flock 9
        export DEBIAN_FRONTEND=noninteractive
        local install=(apt-get -qq -o DPkg::Lock::Timeout=300 install --no-install-recommends -y "${missing[@]}")
        "${install[@]}" >"$CACHE/install.log" 2>&1 ||
            { apt-get -qq update && "${install[@]}"; } >>"$CACHE/install.log" 2>&1
    ) 9>"$CACHE/install.lock" || {
        tail -20 "$CACHE/install.log" >&2
        die "could not install ${missing[*]}"
    }
}

# private_apt DIRECTORY SUITE ... : makes an apt of its own in DIRECTORY, which looks at these suites of the Debian mirrors that the machine is
# configured for and leaves the machine's apt alone. Its options are in the array PRIVATE_APT.
private_apt() {
    local directory=$1 suite mirror security key codename sources
    shift
    command -v apt-get >/dev/null || die "this needs apt, and the Debian mirror it is configured for"
    key=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -e "$key" ] || die "missing: apt-get install debian-archive-keyring"
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    sources=$(apt-get indextargets --no-release-info --format "\$(RELEASE) \$(COMPONENT) \$(REPO_URI)" 'Created-By: Packages')
    mirror=$(awk -v release="$codename" '$1 == release && $2 == "main" {print $3; exit}' <<<"$sources")
    security=$(awk -v release="$codename-security" '$1 == release && $2 == "main" {print $3; exit}' <<<"$sources")
    [ -n "$mirror" ] || die "apt on this machine has no Debian mirror (component main of '$codename') to fetch sources from"
    mkdir -p "$directory/lists/partial" "$directory/cache/archives/partial"
    for suite in "$@"; do
        case $suite in
        *-security) [ -z "$security" ] || printf 'deb [signed-by=%s] %s %s main\n' "$key" "$security" "$suite" ;;
        *) printf 'deb [signed-by=%s] %s %s main\ndeb-src [signed-by=%s] %s %s main\n' "$key" "$mirror" "$suite" "$key" "$mirror" "$suite" ;;
        esac
    done >"$directory/sources.list"
    : >"$directory/status"
    PRIVATE_APT=(
        -q -o "Dir::Etc::SourceList=$directory/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$directory/lists" -o "Dir::State::Status=$directory/status" -o "Dir::Cache=$directory/cache"
        -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
        -o Acquire::Retries=3 -o APT::Update::Error-Mode=any -o APT::Sandbox::User=root
    )
    export PRIVATE_APT
}
