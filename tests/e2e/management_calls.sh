# For scripts that try a client against a real `patd dev`; to be sourced after dev_server.sh. check_management calls
# every method for administrators, and those that end many tokens, with
#
#   tokens, introspection       the names of these services
#   call METHOD BODY [HEADER]   the client
#   mask FIELD                  an update mask of one field, as that client reads it

check_management() {
  local users=pat.v1.UserService policy=pat.v1.PolicyService audit=pat.v1.AuditService
  local admin cleo made answer refusal number
  local secrets=()
  # The password that every `patd dev` prints.
  admin="authorization: Basic $(printf %s admin:admin-password | base64)"
  cleo="authorization: Basic $(printf %s 'cleo:another good one' | base64)"

  made="$(call "${users}/CreateUser" \
    '{"user_id":"cleo","user":{"type":"TYPE_LOCAL","grants":["OR.Folders"]},"password":"a good password"}' "${admin}")"
  expect "$(field "${made}" .user.name)" users/cleo "create user"
  call "${users}/SetPassword" '{"name":"users/cleo","password":"another good one"}' "${admin}" >/dev/null
  expect "$(field "$(call "${users}/UpdateUser" \
    "{\"user\":{\"name\":\"users/cleo\",\"grants\":[\"TM.Defects\"]},\"update_mask\":$(mask grants)}" "${admin}")" \
    '.user.grants | join(" ")')" TM.Defects "update user"
  expect "$(field "$(call "${users}/GetUser" '{"name":"users/cleo"}' "${admin}")" .user.type)" TYPE_LOCAL "get user"
  field "$(call "${users}/ListUsers" '{}' "${admin}")" '.users[] | select(.name == "users/cleo")' >/dev/null

  for number in 1 2 3; do
    made="$(call "${tokens}/CreateToken" \
      "{\"parent\":\"users/cleo\",\"display_name\":\"${number}\",\"scopes\":[\"TM.Defects\"],\"ttl\":\"3600s\"}" \
      "${cleo}")"
    secrets+=("$(field "${made}" .secret)")
  done
  call "${tokens}/ReportLeakedToken" "{\"secret\":\"${secrets[0]}\"}" >/dev/null
  expect "$(field "$(call "${tokens}/RevokeAllTokens" '{"parent":"users/cleo"}' "${cleo}")" .revokedCount)" 2 "revoke all"
  for number in 0 1 2; do
    answer="$(call "${introspection}/Introspect" "{\"token\":\"${secrets[number]}\",\"max_staleness\":\"0s\"}")"
    expect "$(field "${answer}" .verdict)" VERDICT_INACTIVE "token ${number} of all that were revoked"
  done

  expect "$(field "$(call "${policy}/GetPolicy" '{}' "${admin}")" .policy.maximumLifespan)" 31536000s "get policy"
  expect "$(field "$(call "${policy}/UpdatePolicy" \
    "{\"policy\":{\"maximum_live_tokens\":7},\"update_mask\":$(mask maximum_live_tokens)}" "${admin}")" \
    .policy.maximumLiveTokens)" 7 "update policy"

  if refusal="$(call "${users}/ListUsers" '{}' "${cleo}" 2>&1)"; then fail "a user manages users"; fi
  grep -qi 'permission.\?denied' <<<"${refusal}" || fail "another refusal: ${refusal}"
  field "$(call "${users}/DeleteUser" '{"name":"users/cleo"}' "${admin}")" .lastAcceptTime >/dev/null
  # What was done to cleo, oldest first; the user is gone, the events are not.
  answer="$(call "${audit}/ListAuditEvents" '{"user":"users/cleo"}' "${admin}")"
  expect "$(field "${answer}" '.auditEvents | map(.method | sub(".*/"; "")) | join(" ")')" \
    "CreateUser SetPassword UpdateUser CreateToken CreateToken CreateToken ReportLeakedToken RevokeAllTokens DeleteUser" \
    "audit"
}
