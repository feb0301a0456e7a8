#!/usr/bin/env bash
# grpcurl, a gRPC client that is not ours, against a real `patd dev`: it lists and describes the API by reflection, calls
# every method, and shows the details of errors as messages.
#
#   tests/e2e/grpcurl.sh GRPCURL PATD
set -euo pipefail

readonly grpcurl="$1" patd="$2"
readonly tokens=pat.v1.TokenService introspection=pat.v1.IntrospectionService

. "$(dirname "${BASH_SOURCE[0]}")/dev_server.sh"
. "$(dirname "${BASH_SOURCE[0]}")/management_calls.sh"
start_dev_server "${patd}"

# call METHOD BODY [HEADER]: the answer on stdout. The body goes by stdin, because it may hold a secret.
call() {
  local headers=()
  [[ -z ${3:-} ]] || headers=(-H "$3")
  printf '%s' "$2" | "${grpcurl}" -plaintext "${headers[@]}" -d @ "${address}" "$1"
}

# grpcurl does not know that a field mask is a text in JSON.
mask() { printf '{"paths":["%s"]}' "$1"; }

services="$("${grpcurl}" -plaintext "${address}" list)"
for service in "${tokens}" "${introspection}" pat.v1.{User,Policy,Audit}Service grpc.health.v1.Health \
  grpc.reflection.v1{,alpha}.ServerReflection; do
  grep -qxF "${service}" <<<"${services}" || fail "reflection does not list ${service}"
  for method in $("${grpcurl}" -plaintext "${address}" list "${service}"); do
    "${grpcurl}" -plaintext "${address}" describe "${method}" | grep -q '^rpc ' || fail "${method} is not described"
  done
done
"${grpcurl}" -plaintext "${address}" describe .pat.v1.IntrospectRequest | grep -q 'bytes token_sha256 = 2;' ||
  fail "a message is not described"

readonly ada='x-pat-user: ada'
made="$(call "${tokens}/CreateToken" \
  '{"parent":"users/ada","display_name":"grpcurl","scopes":["TM.Defects.Read"],"ttl":"3600s"}' "${ada}")"
name="$(field "${made}" .token.name)"
secret="$(field "${made}" .secret)"
[[ ${secret} =~ ^pat_[0-9A-Za-z]{49}$ ]] || fail "the secret has not its form"

answer="$(call "${introspection}/Introspect" \
  "{\"token\":\"${secret}\",\"requirements\":[{\"any_of\":[\"TM.Defects\",\"TM.Defects.Read\"]}]}")"
expect "$(field "${answer}" .verdict)" VERDICT_ALLOW "introspect"
field "${answer}" .freshness.readTime >/dev/null  # The names of JSON, which reflection has to bring.
answer="$(call "${introspection}/BatchIntrospect" "{\"requests\":[{\"token\":\"${secret}\"},{\"token\":\"pat_no\"}]}")"
expect "$(field "${answer}" '.responses | map(.verdict) | join(" ")')" "VERDICT_ALLOW VERDICT_INACTIVE" "batch"

# The same at its sidecar.
services="$("${grpcurl}" -plaintext "${sidecar}" list)"
grep -qxF "${introspection}" <<<"${services}" || fail "reflection at the sidecar does not list ${introspection}"
if grep -qxF "${tokens}" <<<"${services}"; then fail "the sidecar says that it serves ${tokens}"; fi
answer="$(printf '{"token":"%s"}' "${secret}" |
  "${grpcurl}" -plaintext -d @ "${sidecar}" "${introspection}/Introspect")"
expect "$(field "${answer}" .verdict)" VERDICT_ALLOW "introspect at the sidecar"

expect "$(field "$(call "${tokens}/GetToken" "{\"name\":\"${name}\"}" "${ada}")" .token.state)" STATE_ACTIVE "get"
expect "$(field "$(call "${tokens}/ListTokens" '{"parent":"users/ada"}' "${ada}")" '.tokens | length')" 1 "list"
expect "$(field "$(call "${tokens}/UpdateToken" \
  "{\"token\":{\"name\":\"${name}\",\"description\":\"by it\"},\"update_mask\":$(mask description)}" "${ada}")" \
  .token.description)" "by it" "update"
expect "$(field "$(call "${tokens}/ListScopes" '{"query":"TM.Defects.Read"}')" '.scopes[0].name')" TM.Defects.Read "scopes"
regenerated="$(call "${tokens}/RegenerateToken" "{\"name\":\"${name}\"}" "${ada}")"
[[ $(field "${regenerated}" .secret) != "${secret}" ]] || fail "regenerate gave the old secret"
field "$(call "${tokens}/RevokeToken" "{\"name\":\"${name}\"}" "${ada}")" .lastAcceptTime >/dev/null
answer="$(call "${introspection}/Introspect" "{\"token\":\"${secret}\",\"max_staleness\":\"0s\"}")"
expect "$(field "${answer}" .verdict)" VERDICT_INACTIVE "asked of the store"
expect "$(field "$(call grpc.health.v1.Health/Check '{}')" .status)" SERVING "health"

check_management

if refusal="$(call "${tokens}/CreateToken" '{"parent":"users/ada","scopes":["TM.Defect"]}' "${ada}" 2>&1)"; then
  fail "a bad request was taken"
fi
for part in '"@type": "type.googleapis.com/google.rpc.ErrorInfo"' '"reason": "INVALID_REQUEST"' \
  '"@type": "type.googleapis.com/google.rpc.BadRequest"' '"field": "scopes[0]"'; do
  grep -qF "${part}" <<<"${refusal}" || fail "the refusal does not show ${part}: ${refusal}"
done
echo "grpcurl: every method answered as it should, and details are shown as messages"
