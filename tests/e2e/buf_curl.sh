#!/usr/bin/env bash
# buf curl, a gRPC client that is not ours, against a real `patd dev`: it learns the API by reflection and calls every method.
#
#   tests/e2e/buf_curl.sh BUF PATD
set -euo pipefail

readonly buf="$1" patd="$2"
readonly tokens=pat.v1.TokenService introspection=pat.v1.IntrospectionService

. "$(dirname "${BASH_SOURCE[0]}")/dev_server.sh"
. "$(dirname "${BASH_SOURCE[0]}")/management_calls.sh"
start_dev_server "${patd}"
url="http://${address}"

# call METHOD BODY [HEADER]: the answer on stdout. The body goes by stdin, because it may hold a secret.
call() {
  local headers=()
  [[ -z ${3:-} ]] || headers=(-H "$3")
  printf '%s' "$2" | "${buf}" curl --protocol grpc --http2-prior-knowledge "${headers[@]}" -d @- "${url}/$1"
}

methods="$("${buf}" curl --protocol grpc --http2-prior-knowledge --list-methods "${url}")"
for method in "${tokens}/"{CreateToken,RegenerateToken,RevokeAllTokens,ReportLeakedToken} \
  "${introspection}/BatchIntrospect" pat.v1.UserService/SetPassword pat.v1.PolicyService/UpdatePolicy \
  pat.v1.AuditService/ListAuditEvents grpc.health.v1.Health/Check; do
  grep -qxF "${method}" <<<"${methods}" || fail "reflection does not list ${method}"
done

readonly ada='x-pat-user: ada'
made="$(call "${tokens}/CreateToken" \
  '{"parent":"users/ada","displayName":"buf","scopes":["TM.Defects"],"ttl":"3600s"}' "${ada}")"
name="$(field "${made}" .token.name)"
secret="$(field "${made}" .secret)"
[[ ${secret} =~ ^pat_[0-9A-Za-z]{49}$ ]] || fail "the secret has not its form"

answer="$(call "${introspection}/Introspect" "{\"token\":\"${secret}\",\"requirements\":[{\"anyOf\":[\"TM.Defects.Read\"]}]}")"
expect "$(field "${answer}" .verdict)" VERDICT_ALLOW "introspect"
expect "$(field "${answer}" .sub)" users/ada "introspect"

answer="$(call "${introspection}/BatchIntrospect" "{\"requests\":[{\"token\":\"${secret}\"},{\"token\":\"pat_no\"}]}")"
expect "$(field "${answer}" '.responses | map(.verdict) | join(" ")')" "VERDICT_ALLOW VERDICT_INACTIVE" "batch"

expect "$(field "$(call "${tokens}/GetToken" "{\"name\":\"${name}\"}" "${ada}")" .token.state)" STATE_ACTIVE "get"
expect "$(field "$(call "${tokens}/ListTokens" '{"parent":"users/ada"}' "${ada}")" '.tokens | length')" 1 "list"
expect "$(field "$(call "${tokens}/UpdateToken" \
  "{\"token\":{\"name\":\"${name}\",\"description\":\"by buf\"},\"updateMask\":\"description\"}" "${ada}")" \
  .token.description)" "by buf" "update"
expect "$(field "$(call "${tokens}/ListScopes" '{"query":"TM.Defects.Read"}')" '.scopes[0].name')" TM.Defects.Read "scopes"

# The same at its sidecar, which tells a client what it serves, and serves nothing else.
url="http://${sidecar}"
methods="$("${buf}" curl --protocol grpc --http2-prior-knowledge --list-methods "${url}")"
grep -qxF "${introspection}/Introspect" <<<"${methods}" || fail "reflection at the sidecar does not list Introspect"
if grep -q "^${tokens}/" <<<"${methods}"; then fail "the sidecar says that it serves ${tokens}"; fi
answer="$(call "${introspection}/Introspect" "{\"token\":\"${secret}\"}")"
expect "$(field "${answer}" '.verdict + " " + .freshness.source')" "VERDICT_ALLOW SOURCE_STORE" "introspect at the sidecar"
expect "$(field "$(call grpc.health.v1.Health/Check '{"service":"readiness"}')" .status)" SERVING "health of the sidecar"
url="http://${address}"

regenerated="$(call "${tokens}/RegenerateToken" "{\"name\":\"${name}\"}" "${ada}")"
expect "$(field "${regenerated}" .token.name)" "${name}" "regenerate"
[[ $(field "${regenerated}" .secret) != "${secret}" ]] || fail "regenerate gave the old secret"
answer="$(call "${introspection}/Introspect" "{\"token\":\"${secret}\"}")"
expect "$(field "${answer}" .freshness.source)" SOURCE_CACHE "the old secret within the lag"
answer="$(call "${introspection}/Introspect" "{\"token\":\"${secret}\",\"maxStaleness\":\"0s\"}")"
expect "$(field "${answer}" .verdict)" VERDICT_INACTIVE "the old secret, asked of the store"

field "$(call "${tokens}/RevokeToken" "{\"name\":\"${name}\"}" "${ada}")" .lastAcceptTime >/dev/null
expect "$(field "$(call grpc.health.v1.Health/Check '{}')" .status)" SERVING "health"

# In JSON a mask is a text with names in JSON's way.
mask() { printf '"%s"' "$(sed 's/_\(.\)/\U\1/g' <<<"$1")"; }
check_management

# A refusal, with details that the client can read.
if refusal="$(call "${tokens}/CreateToken" '{"parent":"users/ada","scopes":["TM.Defect"]}' "${ada}" 2>&1)"; then
  fail "a bad request was taken"
fi
# buf curl shows the details in base64 (grpcurl as messages); what is inside is text enough.
violations="$(jq -r '.details[] | select(.type == "google.rpc.BadRequest").value' <<<"${refusal}")"
[[ -n ${violations} ]] || fail "no BadRequest in: ${refusal}"
{ base64 -d <<<"${violations}" 2>/dev/null || true; } >"${work}/violations" # without the padding, base64 complains
grep -aq 'scopes\[0\]' "${work}/violations" || fail "the refusal does not name the field: ${refusal}"
grep -aq 'TM.Defects' "${work}/violations" || fail "the refusal does not help: ${refusal}"
echo "buf_curl: every method answered as it should"
