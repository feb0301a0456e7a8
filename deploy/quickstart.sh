#!/usr/bin/env bash
# The first command: from nothing to a running server. On a bare Debian 12 machine it installs what is missing, builds,
# starts `patd dev`, which is an authority and a sidecar in front of it, and walks once through the life of a token on
# them, with a cache TTL of a few seconds instead of an hour: generate, introspect at both, revoke, the lag counting down
# at the sidecar, denied; the same with a second sidecar that is told of revocations (push); regenerate. At each step it
# says what it did and which command a person would type, and checks what came of it. Then the servers stay, in the
# foreground, with commands to try. Ctrl-C ends them.
#
#   deploy/quickstart.sh [--exit]
#
#   --exit   end the servers after the walk. Exit status 0 only if every step did what it should.
#
# The authority listens on 127.0.0.1:7443, the sidecars on :7444 and :7445, or on other ports where one is taken. The
# data is in a temporary directory that is removed at the end.
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
push_pid=
log_pid=

end_process() {
  [[ -n $1 ]] || return 0
  kill -TERM "$1" 2>/dev/null || true
  local tenths
  for ((tenths = 0; tenths < 100; ++tenths)); do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

clean_up() {
  trap '' INT TERM HUP
  [[ -z ${log_pid} ]] || kill "${log_pid}" 2>/dev/null || true
  end_process "${push_pid}"
  end_process "${server_pid}"
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
    local log
    for log in log push-log; do
      [[ -n ${scratch} && -s ${scratch}/${log} ]] || continue
      printf '\nthe last lines of the %s:\n' "$([[ ${log} == log ]] && echo server || echo 'second sidecar')"
      tail -n 20 "${scratch}/${log}"
    done
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

# patctl as ada, who is known at the authority. Sets `answer` (JSON) and `code` (exit status).
as_ada() {
  code=0
  answer="$(printf 'ada-password' |
    "${patctl}" --server "${authority}" --user ada --password-file - --output json "$@" 2>"${scratch}/notes")" || code=$?
}

# Ada makes a token. Sets secret and token (its name).
make_token() {
  as_ada token create --name "$1" --scopes TM.Defects.Read --expires 1d
  [[ ${code} -eq 0 ]] || fail "the token was not made (status ${code})"
  get secret; secret="${value}"
  get name; token="${value}"
  answer=
  [[ ${secret} =~ ^pat_[0-9A-Za-z]{49}$ ]] || fail "no secret of the right form came back"
  [[ ${token} == users/ada/tokens/* ]] || fail "no token of ada's came back"
}

# Ada revokes one. Sets last_accept_us (microseconds since the epoch).
revoke_token() {
  as_ada --yes token revoke "$1"
  [[ ${code} -eq 0 ]] || fail "the token was not revoked (status ${code})"
  get state
  [[ ${value} == STATE_REVOKED ]] || fail "the token is '${value}' after it was revoked"
  get lastAcceptTime
  last_accept_us="$(date -u -d "${value}" +%s%6N 2>/dev/null)" || fail "no last_accept_time came back, but '${value}'"
}

# patctl introspect, as the service that was given the secret $2, at the server $1. Sets answer, code, verdict, source,
# fresh_for (seconds) and sent_us (microseconds since the epoch, before the question was sent).
introspect() {
  local server="$1" secret="$2"
  shift 2
  sent_us="$(now_us)"
  code=0
  answer="$(printf '%s' "${secret}" |
    "${patctl}" --server "${server}" --output json introspect "$@" 2>"${scratch}/notes")" || code=$?
  get verdict; verdict="${value#VERDICT_}"
  get source; source="${value#SOURCE_}"
  get freshFor; fresh_for="${value%s}"
}

# $1: who answered, if that has to be said.
show_answer() {
  local where
  case "${source}" in
    STORE) where="read from the store for this answer" ;;
    CACHE) where="from the cache" ;;
    *) where="nothing was read" ;;
  esac
  printf '   %s%-8s  %s; fresh for %.1f s\n' "${1:+$(printf '%-10s  ' "$1")}" "${verdict}" "${where}" "${fresh_for}"
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
touch "${scratch}"/{guide,log,push-guide,push-log,notes}  # Before anybody reads them.

# --- starting servers --------------------------------------------------------

# Where to listen: at this port of loopback, or if somebody answers there, at any.
place() {
  local address="127.0.0.1:$1"
  if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then address=127.0.0.1:0; fi
  printf '%s' "${address}"
}

# Waits until the process $1 has written to the file $2 the line that begins with $3. Sets `value` to the address there.
wait_for_address() {
  local tenths
  value=
  for ((tenths = 0; tenths < 300; ++tenths)); do
    kill -0 "$1" 2>/dev/null || fail "patd did not start"
    value="$(sed -n "s/^$3 \([^, ]*\).*/\1/p" "$2")"
    [[ -z ${value} ]] || return 0
    sleep 0.1
  done
  fail "patd said for 30 s not where it listens"
}

must_serve() { "${patctl}" --server "$1" health >/dev/null 2>"${scratch}/notes" || fail "$1 is not healthy"; }

# --- the walk ----------------------------------------------------------------

step "Start a server whose caches keep what they know for ${ttl_seconds} s (default: 1 h)"
listen="$(place 7443)"
sidecar_listen="$(place 7444)"
if [[ ${listen}${sidecar_listen} == 127.0.0.1:7443127.0.0.1:7444 ]]; then
  typed "patd dev --cache-ttl ${ttl_seconds}s"
else
  typed "patd dev --cache-ttl ${ttl_seconds}s" "--listen ${listen} --sidecar-listen ${sidecar_listen}"
fi
"${patd}" dev --listen "${listen}" --sidecar-listen "${sidecar_listen}" --cache-ttl "${ttl_seconds}s" \
  --log-format console >"${scratch}/guide" 2>"${scratch}/log" </dev/null &
server_pid=$!
wait_for_address "${server_pid}" "${scratch}/guide" "Listening on"
authority="${value}"
wait_for_address "${server_pid}" "${scratch}/guide" "Sidecar on"
sidecar="${value}"
must_serve "${authority}"
must_serve "${sidecar}"
printf '   %-9s  %-15s  %s\n' authority "${authority}" "owns the tokens; ada's password is ada-password" \
  sidecar "${sidecar}" "runs beside a service, asks the authority, caches"
if [[ ${authority} != 127.0.0.1:7443 ]]; then
  say "The authority is not where patctl looks by itself, so before you type what follows:"
  typed "export PATCTL_SERVER=${authority}"
fi

step "Generate: ada makes a token that may read defects, for a day"
typed "patctl --user ada token create --name demo" "--scopes TM.Defects.Read --expires 1d"
aside "It asks for her password."
make_token demo
repeat_notes
say "${secret:0:8}...  (shown once; this script keeps the rest in a shell variable)"

step "Introspect: a service asks whether the bearer may read defects"
typed "patctl introspect --require TM.Defects.Read"
aside "It asks for the token."
introspect "${authority}" "${secret}" --require TM.Defects.Read
expect 0 ALLOW STORE
show_answer authority
typed "patctl --server ${sidecar} introspect --require TM.Defects.Read"
introspect "${sidecar}" "${secret}" --require TM.Defects.Read
expect 0 ALLOW STORE
show_answer sidecar
say "The sidecar has sent the token's SHA-256 to the authority, and not the token. Once more:"
introspect "${sidecar}" "${secret}" --require TM.Defects.Read
expect 0 ALLOW CACHE
show_answer sidecar
say "And whether it may change them (the cache keeps facts and not verdicts, so it can say):"
typed "patctl --server ${sidecar} introspect" "--require TM.Defects.Write"
introspect "${sidecar}" "${secret}" --require TM.Defects.Write
expect 3 INSUFFICIENT_SCOPE CACHE
say "${verdict}  from the cache"

step "Revoke"
typed "patctl --user ada token revoke demo"
aside "It asks whether you are sure, and tells until when caches may accept it."
revoke_token demo
repeat_notes
as_ada token list
[[ ${code} -eq 0 && ${answer} != *"${token}"* ]] || fail "the list still has the token"
say "It is gone from the list of her tokens."

step "The lag: the store knows that it is revoked, the sidecar does not yet"
typed "patctl --server ${sidecar} introspect --require TM.Defects.Read"
accepted=0
while true; do
  introspect "${sidecar}" "${secret}" --require TM.Defects.Read
  if [[ ${code} -ne 0 ]]; then break; fi
  expect 0 ALLOW CACHE
  ((sent_us <= last_accept_us)) || fail "it was accepted later than last_accept_time"
  accepted=$((accepted + 1))
  show_answer sidecar
  # A second at a time, and at the end just what the server said is left.
  pause=1
  if [[ ${fresh_for%%.*} -eq 0 ]]; then pause="${fresh_for}"; fi
  sleep "${pause}"
done
((accepted > 0)) || fail "the cache's entry had ended before anybody asked (is this machine very busy?): no lag to see"

step "Denied: the entry has ended, the store was asked"
expect 3 INACTIVE STORE
show_answer sidecar
introspect "${authority}" "${secret}" --require TM.Defects.Read
expect 3 INACTIVE ""
show_answer authority
say "From now on every cache denies it. Revoked stays revoked."

step "The same with push: a sidecar that the authority tells of revocations"
push_listen="$(place 7445)"
typed "patd sidecar --propagation push --cache-ttl ${ttl_seconds}s" "--authority '${authority}?plaintext'" \
  "--listen '${push_listen}?plaintext&role=introspector'"
"${patd}" sidecar --propagation push --cache-ttl "${ttl_seconds}s" --authority "${authority}?plaintext" \
  --listen "${push_listen}?plaintext&role=introspector" --log-format console \
  >"${scratch}/push-guide" 2>"${scratch}/push-log" </dev/null &
push_pid=$!
wait_for_address "${push_pid}" "${scratch}/push-guide" "Listening on"
push="${value}"
must_serve "${push}"
say "It serves on ${push}, in a process of its own, beside the sidecar from before."
say "Both are asked for a new token, and then it is revoked:"
make_token pushed
introspect "${sidecar}" "${secret}" --require TM.Defects.Read
expect 0 ALLOW STORE
# What it loads before its stream of revocations has begun it drops then, so perhaps it has to ask more than once.
for ((attempt = 0; attempt < 5; ++attempt)); do
  introspect "${push}" "${secret}" --require TM.Defects.Read
  expect 0 ALLOW ""
  if [[ ${source} == CACHE ]]; then break; fi
done
expect 0 ALLOW CACHE
show_answer "with push"
left="${fresh_for}"
typed "patctl --user ada token revoke pushed"
revoke_token pushed
revoked_us="$(now_us)"
typed "patctl --server ${push} introspect --require TM.Defects.Read"
asked=0
while true; do
  introspect "${push}" "${secret}" --require TM.Defects.Read
  answered_us="$(now_us)"
  asked=$((asked + 1))
  if [[ ${code} -ne 0 ]]; then break; fi
  expect 0 ALLOW CACHE
  ((answered_us - revoked_us < 2000000)) || fail "it was still accepted 2 s after it was revoked"
done
expect 3 INACTIVE ""
show_answer "with push"
took_ms=$(((answered_us - revoked_us) / 1000))
introspect "${sidecar}" "${secret}" --require TM.Defects.Read
expect 0 ALLOW CACHE
show_answer "without"
say "Denied at question ${asked}, ${took_ms} ms after the revocation was acknowledged; starting patctl is in that."
say "The bound is the same for both: had the authority not been able to tell, the entry would have ended by itself," \
  "at most $(printf '%.1f' "${left}") s later."

step "Regenerate: a new secret for a token that stays as it is"
typed "patctl --user ada token create --name report" "--scopes TM.Defects.Read --expires 1d"
make_token report
introspect "${sidecar}" "${secret}" --require TM.Defects.Read
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
introspect "${sidecar}" "${new_secret}" --require TM.Defects.Read
expect 0 ALLOW STORE
show_answer sidecar
say "The old one lags, like a revoked one:"
introspect "${sidecar}" "${secret}" --require TM.Defects.Read
expect 0 ALLOW CACHE
show_answer sidecar
say "Whoever cannot wait asks the store, and with that the cache learns it too:"
typed "patctl --server ${sidecar} introspect --max-staleness 0s"
introspect "${sidecar}" "${secret}" --max-staleness 0s
expect 3 INACTIVE STORE
show_answer sidecar
introspect "${sidecar}" "${secret}"
expect 3 INACTIVE CACHE
show_answer sidecar

for pid in "${server_pid}" "${push_pid}"; do kill -0 "${pid}" 2>/dev/null || fail "patd has ended by itself"; done
printf '\nEvery step did what it should.\n'

if ! "${stay}"; then exit 0; fi

printf '\nThe servers are still there; Ctrl-C ends them and removes the data.\nIn another terminal, first:\n\n'
printf '  export PATH="%s/%s/bin:$PATH"\n' "${PWD}" "${build}"
cat "${scratch}/guide"
printf '\nThe sidecar with push is at %s:\n\n' "${push}"
printf '  patctl --server %s introspect --require TM.Defects.Read\n' "${push}"
printf '\nTheir log:\n'
tail -q -n +1 -f "${scratch}/log" "${scratch}/push-log" &
log_pid=$!
trap 'printf "\n"; exit 0' INT
wait -n "${server_pid}" "${push_pid}" || true
printf 'quickstart: patd has ended by itself\n' >&2
exit 1
