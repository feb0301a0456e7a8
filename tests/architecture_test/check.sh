#!/usr/bin/env bash
# Checks the rules of the house that a compiler does not: who may include what, who may read a clock, what a test may
# not do.
#
#   tests/architecture_test/check.sh [ROOT]     ROOT: the repository, by default the one this file is in
#
# Prints "path:line: rule: text" for each violation. Exit status: 0 none, 1 some, 2 it could not check. Reads files
# only: it needs no build, no .git and no network. Rules about single lines are in rules.awk; self_test.sh plants
# violations of each rule and checks that they are found. That CMake really has every test is checked by
# every_test_file_is_registered; here the text of the files is compared, which works before there is a build.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "${1:-$here/../..}" || exit 2

# Everything that people wrote here: not builds, not hidden directories.
sources() {
  find . \( -path './build*' -o -path './cmake-build*' -o -path './.?*' \) -prune -o -type f \
    \( -name '*.cc' -o -name '*.h' -o -name '*.c' -o -name '*.cpp' -o -name '*.hpp' -o -name '*.proto' -o -name '*.sh' \
    -o -name '*.py' -o -name '*.awk' -o -name '*.cmake' -o -name CMakeLists.txt \) -print0 | sort -z
}

# The files that any word of a CMakeLists.txt under tests/ can mean; words in comments do not count.
words_of_cmake() {
  find tests -name CMakeLists.txt -type f -exec awk '{
    sub(/#.*/, "")
    gsub(/[()";]/, " ")
    for (i = 1; i <= NF; ++i) print substr(FILENAME, 1, length(FILENAME) - length("CMakeLists.txt")) $i
  }' {} + | sort
}

files=$(sources | tr -cd '\0' | wc -c)
if ((files == 0)); then
  echo "$(pwd): there is no source file here" >&2
  exit 2
fi

# A check that could not run must not pass: each pipeline's status counts.
violations=$(sources | xargs -0 awk -f "$here/rules.awk") || exit 2
if [[ -d tests ]]; then
  named=$(words_of_cmake) || exit 2
  lost=$(find tests -name '*_test.cc' -type f | sort | comm -23 - <(printf '%s\n' "$named")) || exit 2
  for test in $lost; do
    violations+=${violations:+$'\n'}"$test:1: unregistered-test: no CMakeLists.txt beside or above it has it as a word"
  done
fi

if [[ -n $violations ]]; then
  printf '%s\n' "$violations"
  printf '%s files, %s violations\n' "$files" "$(wc -l <<<"$violations")"
  exit 1
fi
echo "$files files, no violation"
