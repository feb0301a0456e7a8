# For scripts that try a client against a real `patd dev`; to be sourced. Sets
#
#   work      a directory that is removed at the end
#   address   where the server listens; it is ended at the end
#   sidecar   where its sidecar listens
#
# after start_dev_server PATD, and has what the scripts check with: fail, field, expect.

work="$(mktemp -d)"
server_pid=
clean_up() {
  [[ -z ${server_pid} ]] || kill "${server_pid}" 2>/dev/null || true
  [[ -z ${server_pid} ]] || wait "${server_pid}" 2>/dev/null || true
  rm -rf "${work}"
}
trap clean_up EXIT

fail() {
  printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
  exit 1
}

# The server prints "Listening on ADDRESS" when it serves; a pipe tells us without asking again and again.
start_dev_server() {
  local line
  mkfifo "${work}/out"
  "$1" dev --listen 127.0.0.1:0 --sidecar-listen 127.0.0.1:0 --log-level error >"${work}/out" &
  server_pid=$!
  address= sidecar=
  while IFS= read -r -t 30 line; do
    case "${line}" in
      "Listening on "*) address="${line#Listening on }"; address="${address%%[ ,]*}" ;;
      "Sidecar on "*) sidecar="${line#Sidecar on }"; sidecar="${sidecar%%[ ,]*}"; break ;;
    esac
  done <"${work}/out"
  [[ -n ${address} && -n ${sidecar} ]] || fail "patd did not start"
}

# field JSON PATH; expect VALUE WANTED WHAT. What is said of a failure has no secret in it.
field() { jq -er "$2" <<<"$1" || fail "no $2 in: $(jq -c 'del(.secret)' <<<"$1")"; }
expect() { [[ $1 == "$2" ]] || fail "$3: expected $2, got $1"; }
