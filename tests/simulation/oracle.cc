#include "tests/simulation/oracle.h"

#include "absl/strings/str_cat.h"

namespace pat::simulation {
namespace {

// Told when it is needed only: it is text.
std::string Explain(const KnownSecret& secret, const Judged& answer) {
  std::string text = "; it was";
  for (const Span& span : secret.history) {
    absl::StrAppend(&text, span.alive ? absl::StrCat(" alive (scopes ", span.scopes, ")") : " dead");
    if (span.to == absl::InfiniteFuture()) break;
    absl::StrAppend(&text, " until ", absl::FormatDuration(answer.now - span.to), " ago (commit ", span.ended_by, "),");
  }
  return text;
}

std::string JudgeActive(const KnownSecret& secret, const Judged& answer) {
  bool was_alive = false;
  bool was_so = false;
  bool was_not_told = false;
  for (const Span& span : secret.history) {
    // What ended at an instant may still have been read at that instant.
    if (!span.alive || span.from > answer.now || span.to < answer.active_since) continue;
    was_alive = true;
    if (span.scopes != answer.scopes) continue;
    was_so = true;
    if (span.ended_by <= answer.told) continue;
    was_not_told = true;
    const bool is_promised = answer.fresh_for > absl::ZeroDuration();
    if (!is_promised || answer.now + answer.fresh_for <= span.to + answer.bound) return "";
  }
  const std::string since = absl::FormatDuration(answer.now - answer.active_since);
  if (!was_alive) return absl::StrCat("active, but was not within the last ", since, Explain(secret, answer));
  if (!was_so) {
    return absl::StrCat("active with scopes ", answer.scopes, ", which it did not have within the last ", since,
                        Explain(secret, answer));
  }
  if (!was_not_told) {
    return absl::StrCat("active, though everything until commit ", answer.told, " was told here",
                        Explain(secret, answer));
  }
  return absl::StrCat("active for another ", absl::FormatDuration(answer.fresh_for), ", which is beyond the bound of ",
                      absl::FormatDuration(answer.bound), Explain(secret, answer));
}

}  // namespace

std::string Judge(const KnownSecret& secret, const Judged& answer) {
  if (answer.active) return JudgeActive(secret, answer);
  if (answer.may_be_expired) return "";
  for (const Span& span : secret.history) {
    if (!span.alive && span.from <= answer.now && span.to >= answer.inactive_since) return "";
  }
  return absl::StrCat("inactive, but was active for the last ",
                      absl::FormatDuration(answer.now - answer.inactive_since), Explain(secret, answer));
}

std::string Judge(const Told& error) {
  if (error.left <= absl::ZeroDuration()) return "";
  const std::string left = absl::FormatDuration(error.left);
  if (error.is_dismissal) return absl::StrCat("told that the time was up, with ", left, " left");
  if (error.is_of_another) return absl::StrCat("told that another question had no time left, with ", left, " left");
  return "";
}

absl::Duration DeadFor(const KnownSecret& secret, absl::Time now) {
  const Span& last = secret.history.back();
  return last.alive ? absl::ZeroDuration() : now - last.from;
}

}  // namespace pat::simulation
