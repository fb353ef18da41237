#!/bin/sh
# Installs the collector as a service on Debian or Raspberry Pi OS. Run it again to bring in another version.
set -eu

usage() {
    cat <<'TEXT'
Usage: sudo systemd/install.sh [--store] [WHEELS]

  Installs the program, the user and the service `collector`. Nothing that you have configured is changed.
  --store installs the group's store beside it, with the user and the service `collector-store`.
  WHEELS is a folder with Python packages, for a gateway that cannot reach the internet; on a computer of the
  same kind that can, it is made by:  python3 -m pip wheel --wheel-dir WHEELS .     (with --store: '.[store]')
TEXT
}

store=
extra=
case "${1:-}" in
    --store)
        store=yes
        extra='[store]'
        shift
        ;;
    -*) usage; exit 0 ;;
esac
wheels=${1:+$(cd "$1" && pwd)}
cd "$(dirname "$0")/.."

home=/opt/collector
settings=/etc/collector
state=/var/lib/collector

say() { echo "install.sh: $*"; }
fail() { say "$*" >&2; exit 1; }

[ "$(id -u)" -eq 0 ] || fail "this needs root; type: sudo systemd/install.sh"
command -v python3 >/dev/null || fail "Python is missing; type: sudo apt-get install python3 python3-venv"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or later is needed (Debian 12)"
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    say "installing the Debian package python3-venv"
    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
fi

if ! id collector >/dev/null 2>&1; then
    say "making the user collector, who may use serial ports"
    useradd --system --user-group --home-dir "$state" --no-create-home --shell /usr/sbin/nologin collector
fi
usermod -a -G dialout collector

say "installing the program into $home"
[ -x "$home/bin/python" ] || python3 -m venv "$home"
if [ -n "$wheels" ]; then
    "$home/bin/python" -m pip install --quiet --no-index --find-links "$wheels" --upgrade --force-reinstall "collector$extra"
else
    # From a copy: building leaves files behind, which would get into the next version.
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    cp -R pyproject.toml README.md LICENSE collector "$copy"
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check "$copy$extra"
fi
mkdir -p /usr/local/bin
ln -sf "$home/bin/collector" /usr/local/bin/collector
rm -rf "$home/doc" "$home/examples"
mkdir "$home/doc"
cp -R README.md docs "$home/doc"
cp -R config "$home/examples"

install -d -m 0755 "$settings" "$settings/machines" "$settings/learned"
install -d -m 0700 "$settings/secrets"
install -d -m 0750 -o collector -g collector "$state"
if [ ! -e "$settings/collector.toml" ]; then
    say "copying example files to $settings"
    install -m 0644 config/collector.toml "$settings"
    ls "$settings"/machines/*.toml >/dev/null 2>&1 ||
        install -m 0644 config/machines/simulated-1.toml "$settings/machines"
fi

if [ -n "$store" ]; then
    if ! id collector-store >/dev/null 2>&1; then
        say "making the user collector-store, who runs the store"
        useradd --system --user-group --home-dir /var/lib/collector-store --no-create-home \
            --shell /usr/sbin/nologin collector-store
    fi
    install -d -m 0700 "$settings/store-secrets"
    [ -e "$settings/store.toml" ] || install -m 0644 config/store.toml "$settings"
    install -m 0644 systemd/collector-store.service /etc/systemd/system
fi

say "installing the service"
install -m 0644 systemd/collector.service /etc/systemd/system
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    restarted=
    for service in collector collector-store; do
        if systemctl is-active --quiet "$service"; then
            say "restarting $service"
            systemctl restart "$service"
            restarted=yes
        fi
    done
    [ -z "$restarted" ] || exit 0
fi
if [ -n "$store" ]; then
    cat <<TEXT
Done. What to do next:
  sudo collector enroll FILE                       lets the store into the broker
  sudo systemctl enable --now collector-store      starts it, now and at every boot
  sudo -u collector-store collector store status   is it well?
TEXT
    exit
fi
cat <<TEXT
Done. What to do next:
  sudo collector enroll FILE                      joins a group, with the file that its administrator sent
  sudo nano $settings/collector.toml         or without a group: company, gateway, broker
  sudo -u collector collector check               tells every mistake
  sudo systemctl enable --now collector           starts it, now and at every boot
  sudo -u collector collector status              is it collecting?
Examples for sensors are in $home/examples/machines.
TEXT
