#!/usr/bin/env bash
# Makes a bare Debian 12 ready to build pat-sidecar: installs the packages that are
# missing and builds BoringSSL's libcrypto into the user's cache. Says what it does;
# with nothing to do it is done at once.
#
#   deploy/setup.sh [--tests] [--npm]
#
#   --tests   also what only tests/run.sh and tests/lint.sh need
#   --npm     also what only tests/npm_checks.sh needs: npm, unless there is one, git and jq
#
# As root, or as a user who may sudo. Do not run it, or what calls it, with sudo: it
# does that itself, for apt-get only; what is built shall belong to you.
#
# PAT_BORINGSSL_ROOT=<dir>   a BoringSSL you have built: none is built here, and CMake
#                            takes that one when it configures a build directory anew
# PAT_JOBS=<n>               compile jobs, default: one per CPU
set -euo pipefail
export HOME="${HOME:-$(unset HOME; printf %s ~)}"

readonly repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

readonly build_packages=(
  g++ cmake ninja-build ccache
  libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libabsl-dev
  librocksdb-dev libyaml-cpp-dev libspdlog-dev libcli11-dev zlib1g-dev
)
# To fetch and unpack BoringSSL's source package; only when it is not built yet.
readonly source_packages=(dpkg-dev ca-certificates)
readonly test_packages=(
  libgtest-dev libgmock-dev libbenchmark-dev
  clang-format clang-tidy
  openssl jq
)
readonly boringssl_package=android-platform-external-boringssl
readonly own_boringssl="set PAT_BORINGSSL_ROOT to a BoringSSL you have built"

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

# --- packages ---------------------------------------------------------------

as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  else
    sudo -- "$@"
  fi
}

# Prints those of the given packages that are not installed.
missing_packages() {
  comm -23 <(printf '%s\n' "$@" | sort -u) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
      sed -n 's/^installed //p' | sort -u)
}

install_packages() {
  local missing log
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  command -v apt-get >/dev/null || fail "no apt-get here; install by hand: ${missing[*]}"
  [[ $(id -u) -eq 0 ]] || command -v sudo >/dev/null ||
    fail "need root, or sudo, to install ${missing[*]}"
  say "installing ${missing[*]}"
  log="$(mktemp)"
  {
    as_root apt-get -q update &&
      as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -o Dpkg::Use-Pty=0 install --yes --no-install-recommends "${missing[@]}"
  } >"${log}" 2>&1 || { tail -n 40 "${log}" >&2; fail "apt-get failed"; }
  rm -f "${log}"
}

# --- BoringSSL --------------------------------------------------------------

# The directory a BoringSSL of version $1 is kept in; $1 may be the glob *.
# Keep in step with cmake/BoringSSL.cmake.
boringssl_slot() {
  local recipe
  recipe="$(cat "${repository}"/cmake/boringssl/{CMakeLists.txt,prefix_symbols.cmake} | sha256sum)"
  printf '%s/%s-%s-%s' "${boringssl_cache}" "$1" "$(uname -m)" "${recipe:0:12}"
}

boringssl_is_built() { compgen -G "$(boringssl_slot '*')/libcrypto.a" >/dev/null; }

# Prints this machine's own package sources of the given suites, as sources of
# source packages, in deb822 format.
source_stanzas() {
  local file
  for file in /etc/apt/sources.list.d/*.sources; do
    [[ -r ${file} ]] || continue
    sed -e '/^#/d' "${file}" | awk -v wanted="$*" '
      BEGIN { RS = ""; FS = "\n"; n = split(wanted, name, " "); for (i = 1; i <= n; i++) is_wanted[name[i]] = 1 }
      /(^|\n)Enabled:[ \t]*no/ { next }
      {
        text = ""; suites = ""
        for (i = 1; i <= NF; i++) {
          if ($i ~ /^Types:/) { if ($i !~ /[ \t]deb([ \t]|$)/) next; $i = "Types: deb-src" }
          if ($i ~ /^Suites:/) {
            n = split($i, suite, /[ \t]+/)
            for (j = 2; j <= n; j++) if (suite[j] in is_wanted) suites = suites " " suite[j]
            $i = "Suites:" suites
          }
          text = text $i "\n"
        }
        if (suites != "") print text
      }'
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -r ${file} ]] || continue
    awk -v wanted="$*" '
      BEGIN { n = split(wanted, name, " "); for (i = 1; i <= n; i++) is_wanted[name[i]] = 1 }
      $1 != "deb" { next }
      {
        line = $0; sub(/#.*/, "", line); options = ""
        sub(/^[ \t]*deb[ \t]+/, "", line)
        if (match(line, /^\[[^]]*\][ \t]*/)) {
          options = substr(line, RSTART + 1, RLENGTH); line = substr(line, RLENGTH + 1)
          sub(/\].*/, "", options)
        }
        n = split(line, field, /[ \t]+/)
        if (!(field[2] in is_wanted)) next
        components = ""
        for (i = 3; i <= n; i++) if (field[i] != "") components = components " " field[i]
        print "Types: deb-src\nURIs: " field[1] "\nSuites: " field[2] "\nComponents:" components
        m = split(options, option, /[ \t]+/)
        for (i = 1; i <= m; i++) {
          if (option[i] ~ /^signed-by=/) print "Signed-By: " substr(option[i], 11)
          if (option[i] ~ /^trusted=/) print "Trusted: " substr(option[i], 9)
        }
        print ""
      }' "${file}"
  done
}

# Fetches and unpacks the source package under $1, with package lists of its own,
# so that neither the machine's sources nor its lists change.
fetch_boringssl() {
  local work="$1" sources="$1/boringssl.sources" codename alias
  codename="$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")"
  local suites=("${codename}" "${codename}-security") aliases=()
  source_stanzas "${suites[@]}" >"${sources}"
  if ! grep -qE "^Suites:.* ${codename}( |\$)" "${sources}"; then
    for alias in stable oldstable oldoldstable; do aliases+=("${alias}" "${alias}-security"); done
    source_stanzas "${suites[@]}" "${aliases[@]}" >"${sources}"
  fi
  [[ -s ${sources} ]] || fail "/etc/apt has no source of ${codename:-Debian}; ${own_boringssl}"
  mkdir -p "${work}/lists/partial" "${work}/archives/partial" "${work}/source"
  local apt=(
    apt-get -qq
    -o "Dir::Etc::sourcelist=${sources}" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=${work}/lists" -o "Dir::Cache=${work}"
    -o APT::Get::List-Cleanup=0
  )
  # Apt downloads as the user _apt, who must be able to write here.
  if [[ $(id -u) -eq 0 ]] && id _apt >/dev/null 2>&1; then
    chown _apt "${work}/source"
  fi
  if [[ ${#aliases[@]} -eq 0 ]]; then
    "${apt[@]}" update
  else
    # Such names move on, and others than Debian use them too. What counts are those that apt now knows to be this release.
    "${apt[@]}" update || true
    mapfile -t suites < <(
      "${apt[@]}" indextargets --format '$(RELEASE) $(CODENAME)' |
        awk -v codename="${codename}" '$2 == codename || $2 == codename "-security" { print $1 }' | sort -u)
    source_stanzas "${suites[@]}" >"${sources}"
    [[ -s ${sources} ]] || fail "no source in /etc/apt is of ${codename}; ${own_boringssl}"
  fi
  (cd "${work}/source" && "${apt[@]}" source --download-only "${boringssl_package}" >/dev/null)
  dpkg-source --no-check -x "${work}"/source/*.dsc "${work}/unpacked" >"${work}/unpack.log" 2>&1 ||
    { cat "${work}/unpack.log" >&2; fail "could not unpack ${boringssl_package}"; }
}

build_boringssl() {
  [[ -z ${PAT_BORINGSSL_ROOT:-} ]] || return 0
  ! boringssl_is_built || return 0

  mkdir -p "${boringssl_cache}"
  exec 9>"${boringssl_cache}/.lock"
  flock 9
  ! boringssl_is_built || return 0  # somebody else did while we waited

  local work version slot
  work="$(mktemp -d)"
  trap 'rm -rf "${work}"' EXIT
  chmod 755 "${work}"
  say "fetching the source of BoringSSL (package ${boringssl_package})"
  fetch_boringssl "${work}"
  version="$(sed -n 's/^Version: //p' "${work}"/source/*.dsc | head -n 1)"

  say "building BoringSSL's libcrypto ${version}: about a minute, once"
  {
    cmake -S "${repository}/cmake/boringssl" -B "${work}/build" -G Ninja "-DBORINGSSL_SOURCE=${work}/unpacked" &&
      cmake --build "${work}/build" --parallel "${PAT_JOBS:-$(nproc)}"
  } >"${work}/build.log" 2>&1 || { tail -n 40 "${work}/build.log" >&2; fail "BoringSSL did not build"; }

  # Whole or not at all: installed beside its place, then renamed.
  slot="$(boringssl_slot "${version}")"
  rm -rf "${slot}.new"
  cmake --install "${work}/build" --prefix "${slot}.new" >/dev/null
  mv "${slot}.new" "${slot}"
  rm -rf "${work}"
  trap - EXIT
  say "BoringSSL is in ${slot}"
}

# --- main -------------------------------------------------------------------

packages=("${build_packages[@]}")
for argument in "$@"; do
  case "${argument}" in
    --tests) packages+=("${test_packages[@]}") ;;
    --npm)
      packages+=(git jq)
      command -v npm >/dev/null || packages+=(npm)
      ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
if [[ $(id -u) -eq 0 && -n ${SUDO_USER:-} ]]; then
  say "this runs under sudo: what is built will belong to root, and ${SUDO_USER} cannot build there afterwards"
fi
readonly boringssl_cache="${XDG_CACHE_HOME:-${HOME}/.cache}/pat-sidecar/boringssl"

if [[ -z ${PAT_BORINGSSL_ROOT:-} ]] && ! boringssl_is_built; then
  packages+=("${source_packages[@]}")
fi
install_packages "${packages[@]}"
build_boringssl
