#!/usr/bin/env bash
# clang-format, then clang-tidy, over our own sources.
#
#   tests/lint.sh [--format-only] [--all] [FILE...]
#
# clang-tidy takes seconds for every file that includes gRPC. So a file that was
# clean is not looked at again until it, a header of ours it may include, or the
# rules change: the marks are in build/lint/. --all looks at every file. FILEs
# (*.cc) restrict clang-tidy to those.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly build=build/release
readonly marks=build/lint
readonly jobs=2

format_only=false
all=false
files=()
for argument in "$@"; do
  case "${argument}" in
    --format-only) format_only=true ;;
    --all) all=true ;;
    -*) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
    *) files+=("${argument}") ;;
  esac
done

our_files() { find client server store tests -type f \( "$@" \) 2>/dev/null | LC_ALL=C sort; }

mapfile -t formatted < <(our_files -name '*.cc' -o -name '*.h')
echo "lint: clang-format, ${#formatted[@]} files"
clang-format --dry-run -Werror "${formatted[@]}"
if "${format_only}"; then exit 0; fi

if [[ ! -e ${build}/compile_commands.json ]]; then
  cmake --preset release -DPAT_BUILD_TESTS=ON >/dev/null
fi
cmake --build "${build}" --target generated_sources -- -j "${jobs}" >/dev/null  # .pb.h

# A file's mark is the hash of all that its outcome depends on: itself, the rules,
# its compile command, and every header of ours (finer would need the compiler).
headers="$(
  {
    cat .clang-tidy
    our_files -name '*.h' | xargs -r cat
    find proto -name '*.proto' | LC_ALL=C sort | xargs -r cat
  } | sha256sum
)"
mkdir -p "${marks}"

tidy() {
  local file="$1" mark
  mark="${marks}/$({ printf '%s\n' "${file}" "${headers}"; cat "${file}"; } | sha256sum | cut -c1-32)"
  if [[ ${all} == false && -e ${mark} ]]; then return 0; fi
  clang-tidy --quiet -p "${build}" "${file}" 2> >(grep -v ' warnings generated\.$' >&2) || return 1
  touch "${mark}"
}
export -f tidy
export all build marks headers

if [[ ${#files[@]} -eq 0 ]]; then
  # What is compiled here; sources that belong to no target yet cannot be parsed.
  mapfile -t files < <(jq -r --arg root "${PWD}/" '.[].file | select(startswith($root)) | .[($root | length):]' \
    "${build}/compile_commands.json" | grep -E '^(client|server|store|tests)/.*\.cc$' | LC_ALL=C sort -u)
fi
echo "lint: clang-tidy, ${#files[@]} files"
printf '%s\0' "${files[@]}" | xargs -0 -r -n 1 -P "${jobs}" bash -c 'tidy "$1"' tidy
echo "lint: clean"
