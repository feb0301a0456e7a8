#!/usr/bin/env bash
# The first command: from nothing to a running server. On a bare Debian 12 machine it installs what is missing, builds,
# starts `patd dev`, and walks once through the life of a token on that server, with a cache TTL of a few seconds instead
# of an hour: generate, introspect, revoke, the lag counting down, denied, regenerate. At each step it says what it did
# and which command a person would type, and checks what came of it. Then the server stays, in the foreground, with
# commands to try. Ctrl-C ends it.
#
#   deploy/quickstart.sh [--exit]
#
#   --exit   end the server after the walk. Exit status 0 only if every step did what it should.
#
# The server listens on 127.0.0.1:7443, or on another port if that one is taken. Its data is in a temporary directory
# that is removed at the end.
#
# PAT_JOBS=<n>   compile jobs, default: one per CPU
set -euo pipefail
export LC_ALL=C
export HOME="${HOME:-$(unset HOME; printf %s ~)}"

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly build=build/release
readonly patd="${PWD}/${build}/bin/patd"
readonly patctl="${PWD}/${build}/bin/patctl"
readonly ttl_seconds=6

stay=true
for argument in "$@"; do
  case "${argument}" in
    --exit) stay=false ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
  esac
done

# What is set for other servers shall not change this walk.
unset "${!PATD_@}" "${!PATCTL_@}"

# --- what is cleaned up at the end, whatever the end is ----------------------

scratch=
server_pid=
log_pid=

end_server() {
  [[ -n ${server_pid} ]] || return 0
  kill -TERM "${server_pid}" 2>/dev/null || true
  local tenths
  for ((tenths = 0; tenths < 100; ++tenths)); do
    kill -0 "${server_pid}" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "${server_pid}" 2>/dev/null || true
  wait "${server_pid}" 2>/dev/null || true
  server_pid=
}

clean_up() {
  trap '' INT TERM HUP
  [[ -z ${log_pid} ]] || kill "${log_pid}" 2>/dev/null || true
  end_server
  [[ -z ${scratch} ]] || rm -rf "${scratch}"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- saying things -----------------------------------------------------------

step_number=0
step() { printf '\n%d. %s\n' "$((++step_number))" "$*"; }
# Nothing is wider than 80 columns.
say() { printf '%s\n' "$*" | fold -s -w 77 | sed 's/^/   /;s/ $//'; }
aside() { say "($*)"; }
# What a person would type; each further argument is one more line of it.
typed() {
  printf '   $ %s' "$1"
  shift
  if (($#)); then printf ' \\\n       %s' "$@"; fi
  printf '\n'
}

# What patctl told the person in the last call. It never writes a secret there.
repeat_notes() {
  local line
  while IFS= read -r line; do say "${line}"; done <"${scratch}/notes"
}

fail() {
  {
    printf '\nquickstart: FAILED in step %d: %s\n' "${step_number}" "$*"
    if [[ -n ${scratch} && -s ${scratch}/notes ]]; then
      printf '\nwhat patctl said:\n'
      repeat_notes
    fi
    if [[ -n ${scratch} && -s ${scratch}/log ]]; then
      printf '\nthe last lines of the server:\n'
      tail -n 20 "${scratch}/log"
    fi
  } >&2
  exit 1
}

# --- talking to the server ---------------------------------------------------
#
# Secrets stay in variables of this shell and go to patctl by its standard input: never into a file or an argument.
# printf is part of the shell, so its arguments are in no list of processes.

now_us() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }

# A member of the JSON in `answer` that is a text or a number. Sets `value`; empty if there is none.
get() {
  value=
  if [[ ${answer} =~ \"$1\":\ *\"?([^\",}]*) ]]; then value="${BASH_REMATCH[1]}"; fi
}

# patctl as ada. Sets `answer` (JSON) and `code` (exit status).
as_ada() {
  code=0
  answer="$(printf 'ada-password' |
    "${patctl}" --server "${server}" --user ada --password-file - --output json "$@" 2>"${scratch}/notes")" || code=$?
}

# patctl introspect, as the service that was given the secret $1. Sets answer, code, verdict, source, fresh_for (seconds)
# and sent_us (microseconds since the epoch, before the question was sent).
introspect() {
  local secret="$1"
  shift
  sent_us="$(now_us)"
  code=0
  answer="$(printf '%s' "${secret}" |
    "${patctl}" --server "${server}" --output json introspect "$@" 2>"${scratch}/notes")" || code=$?
  get verdict; verdict="${value#VERDICT_}"
  get source; source="${value#SOURCE_}"
  get freshFor; fresh_for="${value%s}"
}

show_answer() {
  local where
  case "${source}" in
    STORE) where="read from the store for this answer" ;;
    CACHE) where="from the cache" ;;
    *) where="nothing was read" ;;
  esac
  printf '   %-18s %s; fresh for %.1f s\n' "${verdict}" "${where}" "${fresh_for}"
}

# The exit status of patctl and what is in the answer must agree.
expect() {
  local wanted_code="$1" wanted_verdict="$2" wanted_source="$3"
  [[ ${code} -eq ${wanted_code} ]] || fail "patctl ended with status ${code} instead of ${wanted_code}"
  [[ ${verdict} == "${wanted_verdict}" ]] || fail "the verdict is '${verdict}' instead of ${wanted_verdict}"
  [[ -z ${wanted_source} || ${source} == "${wanted_source}" ]] ||
    fail "the answer comes from '${source}' instead of ${wanted_source}"
}

# --- build -------------------------------------------------------------------

deploy/setup.sh

# Configured once, without tests: they need more packages. tests/run.sh turns them on in the same build directory, which
# leaves what was compiled here as it is; and what it turned on stays on here. Ninja configures anew by itself.
if [[ ! -e ${build}/build.ninja ]]; then
  printf 'quickstart: configuring\n'
  cmake --preset release -DPAT_BUILD_TESTS=OFF >/dev/null
fi
printf 'quickstart: building patd and patctl (some minutes, the first time)\n'
cmake --build --preset release --parallel "${PAT_JOBS:-$(nproc)}" --target patd patctl

scratch="$(mktemp -d)"

# --- the walk ----------------------------------------------------------------

step "Start a server whose cache keeps what it knows for ${ttl_seconds} s (default: one hour)"
address=127.0.0.1:7443
# Somebody answers there? Then any port will do.
if (exec 3<>"/dev/tcp/${address/://}") 2>/dev/null; then address=127.0.0.1:0; fi
typed "patd dev --cache-ttl ${ttl_seconds}s$([[ ${address} == *:7443 ]] || printf ' --listen %s' "${address}")"
"${patd}" dev --listen "${address}" --cache-ttl "${ttl_seconds}s" --log-format console \
  >"${scratch}/guide" 2>"${scratch}/log" </dev/null &
server_pid=$!
server=
for ((tenths = 0; tenths < 300; ++tenths)); do
  kill -0 "${server_pid}" 2>/dev/null || fail "patd did not start"
  server="$(sed -n 's/^Listening on //p' "${scratch}/guide")"
  [[ -z ${server} ]] || break
  sleep 0.1
done
[[ -n ${server} ]] || fail "patd said for 30 s not where it listens"
"${patctl}" --server "${server}" health >/dev/null 2>"${scratch}/notes" || fail "the server is not healthy"
say "It serves on ${server}. It has sample users; ada's password is ada-password."
if [[ ${server} != 127.0.0.1:7443 ]]; then
  say "That is not where patctl looks by itself, so before you type what follows:"
  typed "export PATCTL_SERVER=${server}"
fi

step "Generate: ada makes a token that may read defects, for a day"
typed "patctl --user ada token create --name demo" "--scopes TM.Defects.Read --expires 1d"
aside "It asks for her password."
as_ada token create --name demo --scopes TM.Defects.Read --expires 1d
[[ ${code} -eq 0 ]] || fail "the token was not made (status ${code})"
get secret; secret="${value}"
get name; token="${value}"
answer=
[[ ${secret} =~ ^pat_[0-9A-Za-z]{49}$ ]] || fail "no secret of the right form came back"
[[ ${token} == users/ada/tokens/* ]] || fail "no token of ada's came back"
repeat_notes
say "${secret:0:8}...  (shown once; this script keeps the rest in a shell variable)"

step "Introspect: a service asks whether the bearer may read defects"
typed "patctl introspect --require TM.Defects.Read"
aside "It asks for the token."
introspect "${secret}" --require TM.Defects.Read
expect 0 ALLOW STORE
show_answer
say "The same once more:"
introspect "${secret}" --require TM.Defects.Read
expect 0 ALLOW CACHE
show_answer
say "And whether it may change them (the cache keeps facts and not verdicts, so it can say):"
typed "patctl introspect --require TM.Defects.Write"
introspect "${secret}" --require TM.Defects.Write
expect 3 INSUFFICIENT_SCOPE CACHE
show_answer

step "Revoke"
typed "patctl --user ada token revoke demo"
aside "It asks whether you are sure, and tells until when caches may accept it."
as_ada --yes token revoke demo
[[ ${code} -eq 0 ]] || fail "the token was not revoked (status ${code})"
get state
[[ ${value} == STATE_REVOKED ]] || fail "the token is '${value}' after it was revoked"
get lastAcceptTime
last_accept_us="$(date -u -d "${value}" +%s%6N 2>/dev/null)" || fail "no last_accept_time came back, but '${value}'"
repeat_notes
as_ada token list
[[ ${code} -eq 0 && ${answer} != *"${token}"* ]] || fail "the list still has the token"
say "It is gone from the list of her tokens."

step "The lag: the store knows that it is revoked, the cache does not yet"
typed "patctl introspect --require TM.Defects.Read"
accepted=0
while true; do
  introspect "${secret}" --require TM.Defects.Read
  if [[ ${code} -ne 0 ]]; then break; fi
  expect 0 ALLOW CACHE
  ((sent_us <= last_accept_us)) || fail "it was accepted later than last_accept_time"
  accepted=$((accepted + 1))
  show_answer
  # A second at a time, and at the end just what the server said is left.
  pause=1
  if [[ ${fresh_for%%.*} -eq 0 ]]; then pause="${fresh_for}"; fi
  sleep "${pause}"
done
((accepted > 0)) || fail "the cache's entry had ended before anybody asked (is this machine very busy?): no lag to see"

step "Denied: the entry has ended, the store was asked"
expect 3 INACTIVE STORE
show_answer
say "From now on every cache denies it. Revoked stays revoked."

step "Regenerate: a new secret for a token that stays as it is"
typed "patctl --user ada token create --name report" "--scopes TM.Defects.Read --expires 1d"
as_ada token create --name report --scopes TM.Defects.Read --expires 1d
[[ ${code} -eq 0 ]] || fail "the second token was not made (status ${code})"
get secret; secret="${value}"
answer=
introspect "${secret}" --require TM.Defects.Read
expect 0 ALLOW STORE
typed "patctl --user ada token regenerate report"
aside "It asks whether you are sure, and tells until when caches may accept the old one."
as_ada --yes token regenerate report
[[ ${code} -eq 0 ]] || fail "the token was not regenerated (status ${code})"
get secret; new_secret="${value}"
answer=
[[ ${new_secret} =~ ^pat_[0-9A-Za-z]{49}$ && ${new_secret} != "${secret}" ]] || fail "no new secret came back"
repeat_notes
say "The new secret works at once:"
introspect "${new_secret}" --require TM.Defects.Read
expect 0 ALLOW STORE
show_answer
say "The old one lags, like a revoked one:"
introspect "${secret}" --require TM.Defects.Read
expect 0 ALLOW CACHE
show_answer
say "Whoever cannot wait asks the store, and with that the cache learns it too:"
typed "patctl introspect --require TM.Defects.Read --max-staleness 0s"
introspect "${secret}" --require TM.Defects.Read --max-staleness 0s
expect 3 INACTIVE STORE
show_answer
introspect "${secret}" --require TM.Defects.Read
expect 3 INACTIVE CACHE
show_answer

kill -0 "${server_pid}" 2>/dev/null || fail "patd has ended by itself"
printf '\nEvery step did what it should.\n'

if ! "${stay}"; then exit 0; fi

printf '\nThe server is still there; Ctrl-C ends it and removes its data. In another terminal, first:\n\n'
printf '  export PATH="%s/%s/bin:$PATH"\n' "${PWD}" "${build}"
cat "${scratch}/guide"
printf '\nIts log:\n'
tail -n +1 -f "${scratch}/log" &
log_pid=$!
trap 'printf "\n"; exit 0' INT
wait "${server_pid}" || true
server_pid=
printf 'quickstart: patd has ended by itself\n' >&2
exit 1
