#include "server/core/use_reports.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/core/error.h"
#include "store/uid.h"

namespace pat {

absl::Status NoteReportedUses(absl::Span<const ReportedUse> uses, absl::Time now, UseRecorder& recorder) {
  Violations violations;
  if (uses.size() > kMaxReportedUses) {
    violations.push_back({"uses", absl::StrCat("has ", uses.size(), " items; at most ", kMaxReportedUses)});
    return InvalidRequest(std::move(violations));
  }
  std::vector<std::pair<TokenUid, absl::Time>> read;
  read.reserve(uses.size());
  for (size_t i = 0; i < uses.size(); ++i) {
    const std::optional<TokenUid> uid = TokenUid::Parse(uses[i].jti);
    if (!uid.has_value()) {
      violations.push_back({absl::StrCat("uses[", i, "].jti"),
                            absl::StrCat(Quoted(uses[i].jti), " is no uid of a token, like ", TokenUid().ToString())});
    }
    const std::string field = absl::StrCat("uses[", i, "].last_use_time");
    std::optional<absl::Time> time;
    if (uses[i].last_use_time.has_value()) {
      time = ReadInstant(*uses[i].last_use_time, field, violations);
    } else {
      violations.push_back({field, "is missing; say when the token was last used"});
    }
    if (uid.has_value() && time.has_value()) read.emplace_back(*uid, std::min(*time, now));
  }
  if (!violations.empty()) return InvalidRequest(std::move(violations));
  for (const auto& [uid, time] : read) recorder.Note(uid, time);
  return absl::OkStatus();
}

}  // namespace pat
