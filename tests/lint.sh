#!/usr/bin/env bash
# clang-format, then clang-tidy, over our own sources. Installs what is missing
# first (deploy/setup.sh --tests).
#
#   tests/lint.sh [--format-only] [--all] [FILE...]
#
# clang-tidy takes 5 s for a small file and 15 s for one that includes gRPC. So a
# file that was clean is not looked at again until it, a file of ours that it
# includes, the rules, or the command that compiles it change. The marks of the
# clean ones are outside the build tree, in ~/.cache/pat-sidecar/lint, so that a
# fresh clone has them too. They do not know of changes in the system's headers:
# --all looks at every file. FILEs (*.cc) restrict clang-tidy to those.
#
# PAT_JOBS=<n>   files at a time, default: one per CPU
set -euo pipefail
export LC_ALL=C
export HOME="${HOME:-$(unset HOME; printf %s ~)}"

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly build=build/release
readonly jobs="${PAT_JOBS:-$(nproc)}"

format_only=false
all=false
files=()
for argument in "$@"; do
  case "${argument}" in
    --format-only) format_only=true ;;
    --all) all=true ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    -*) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
    *) files+=("${argument#./}") ;;
  esac
done

deploy/setup.sh --tests

mapfile -t formatted < <(find client server store tests -type f \( -name '*.cc' -o -name '*.h' \) | sort)
echo "lint: clang-format, ${#formatted[@]} files"
clang-format --dry-run -Werror "${formatted[@]}"
if "${format_only}"; then exit 0; fi

work="$(mktemp -d)"
trap 'rm -rf "${work}"' EXIT
{
  cmake --preset release -DPAT_BUILD_TESTS=ON &&
    cmake --build "${build}" --target generated_sources --parallel "${jobs}"  # .pb.h
} >"${work}/log" 2>&1 || { cat "${work}/log" >&2; exit 1; }

# Of each file that is compiled here: its path from the root, and the command
# without the checkout's own path.
jq -r --arg root "${PWD}/" '.[] | select(.file | startswith($root)) |
  [.file[($root | length):], (.command | split($root) | join("./") | split($root[:-1]) | join("."))] | @tsv' \
  "${build}/compile_commands.json" | grep -E '^(client|server|store|tests)/[^[:space:]]*\.cc'$'\t' |
  sort -u >"${work}/commands"
if [[ ${#files[@]} -eq 0 ]]; then
  mapfile -t files < <(cut -f 1 "${work}/commands" | uniq)
else
  for file in "${files[@]}"; do
    grep -q "^${file}"$'\t' "${work}/commands" || { echo "lint: ${file} is not compiled by preset release" >&2; exit 2; }
  done
fi

# Prints, for each file that is compiled, its path and all that its outcome
# depends on: its commands, and the hashes of itself and of what it includes, to
# the end of the chain. Our includes are paths from the root, all of them. A file
# that includes generated code depends on all of proto/.
mapfile -t protos < <(find proto -name '*.proto' | sort)
proto_hash="$(cat "${protos[@]}" | sha256sum)"
sha256sum "${formatted[@]}" >"${work}/hashes"
awk -v proto_hash="${proto_hash%% *}" '
  function visit(path,   n, i, direct) {
    if (path in seen) return
    seen[path] = 1
    text = text " " hash[path]
    n = split(includes[path], direct, " ")
    for (i = 1; i <= n; i++) {
      if (direct[i] in hash) visit(direct[i])
      else if (direct[i] ~ /\.pb\.h$/) seen_proto = 1
    }
  }
  FILENAME == ARGV[1] { hash[$2] = $1; next }
  FILENAME == ARGV[2] { split($0, part, "\t"); command[part[1]] = command[part[1]] " " part[2]; next }
  /^[ \t]*#[ \t]*include[ \t]*"/ { split($0, part, "\""); includes[FILENAME] = includes[FILENAME] " " part[2] }
  END {
    for (file in command) {
      split("", seen); text = ""; seen_proto = 0
      visit(file)
      print file "\t" command[file] text (seen_proto ? " " proto_hash : "")
    }
  }' "${work}/hashes" "${work}/commands" "${formatted[@]}" | sort >"${work}/inputs"

marks="${XDG_CACHE_HOME:-${HOME}/.cache}/pat-sidecar/lint"
mkdir -p "${marks}"
find "${marks}" -type f -mtime +60 -delete
rules="$(clang-tidy --version | cat - .clang-tidy)"

# Pairs of a file and its mark, for those that are to be looked at.
declare -A mark_of
while IFS= read -r line; do
  mark="$(printf '%s\n' "${rules}" "${line}" | sha256sum)"
  mark_of["${line%%$'\t'*}"]="${marks}/${mark:0:32}"
done <"${work}/inputs"
pending=()
for file in "${files[@]}"; do
  mark="${mark_of[${file}]}"
  if [[ ${all} == false && -e ${mark} ]]; then touch "${mark}"; else pending+=("${file}" "${mark}"); fi
done

tidy() {
  clang-tidy --quiet -p "${build}" "$1" 2> >(grep -v ' warnings generated\.$' >&2) && touch "$2"
}
export -f tidy
export build

echo "lint: clang-tidy, ${#files[@]} files, $((${#pending[@]} / 2)) of them to look at"
if [[ ${#pending[@]} -gt 0 ]]; then
  printf '%s\0' "${pending[@]}" | xargs -0 -n 2 -P "${jobs}" bash -c 'tidy "$1" "$2"' tidy ||
    { echo "lint: there are findings" >&2; exit 1; }
fi
echo "lint: clean"
