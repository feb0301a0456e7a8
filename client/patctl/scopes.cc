#include "absl/strings/str_join.h"
#include "client/patctl/commands.h"
#include "client/patctl/scope_picker.h"
#include "client/patctl/table.h"

namespace pat::patctl {

absl::StatusOr<ExitCode> Scopes(const std::string& query, Session& session) {
  if (absl::Status status = session.Connect(Access::kAnyone); !status.ok()) return status;
  const auto scopes = FetchScopes(query, session);
  if (!scopes.ok()) return scopes.status();

  absl::Status status;
  if (session.options().json) {
    v1::ListScopesResponse all;
    all.mutable_scopes()->Assign(scopes->begin(), scopes->end());
    status = session.PrintJsonList(all, all.scopes());
  } else if (scopes->empty()) {
    session.Say("no scopes");
  } else {
    Table table({"SCOPE", "DESCRIPTION", "COVERS"});
    for (const v1::Scope& scope : *scopes) {
      table.AddRow({scope.name(), scope.description(), absl::StrJoin(scope.implies(), " ")});
    }
    status = session.Print(table.ToString());
  }
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
