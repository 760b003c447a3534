# shellcheck shell=sh
# What the scripts that make Debian roots share. Sourced by POSIX shells.

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Where roots are kept between runs. Servers run as another user when we are root, and that user cannot enter root's home.
cache_folder() {
    if [ -n "${HOWDAH_TEST_CACHE:-}" ]; then
        printf '%s\n' "$HOWDAH_TEST_CACHE"
    elif [ "$(id -u)" -eq 0 ]; then
        printf '/var/cache/howdah\n'
    else
        printf '%s/howdah\n' "${XDG_CACHE_HOME:-$HOME/.cache}"
    fi
}

# The sources of this machine's apt as "deb URI SUITE COMPONENT" lines, Debian's own only.
debian_sources() {
    # shellcheck disable=SC2016  # apt expands the format
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
        grep ' main$' | sort -u
}

# The mirror this machine uses; nothing when it cannot be told (debootstrap then takes its default).
debian_mirror() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | sort -u | head -n 1
}

# bootstrap ARGUMENT... SUITE FOLDER: debootstrap from this machine's mirror and through its proxy.
bootstrap() {
    proxy=
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    # shellcheck disable=SC2046  # no mirror must be no argument
    as_root env ${proxy:+http_proxy="$proxy"} debootstrap --variant=minbase "$@" $(debian_mirror)
}
