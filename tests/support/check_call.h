// CheckCall: one introspection whose result is kept, for a test to look at.
#ifndef PAT_TESTS_SUPPORT_CHECK_CALL_H_
#define PAT_TESTS_SUPPORT_CHECK_CALL_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/core/introspection.h"

namespace pat {

// An IntrospectionResult that is owned, not lent; or the error.
struct CheckResult {
  absl::Status status;
  Verdict verdict = Verdict::kInactive;
  std::optional<TokenFacts> facts;
  std::vector<uint32_t> unmet;
  Freshness freshness;
};

// Threads: thread-safe.
class CheckCall final : public Introspection {
 public:
  CheckCall() = default;
  explicit CheckCall(IntrospectionQuery asked) : Introspection(std::move(asked)) {}

  bool done() const { return times() > 0; }
  int times() const;

  // Waits until there is a result.
  CheckResult Wait() const;

 private:
  void OnResult(const absl::StatusOr<IntrospectionResult>& result) override;

  mutable absl::Mutex mutex_;
  int times_ ABSL_GUARDED_BY(mutex_) = 0;
  CheckResult result_ ABSL_GUARDED_BY(mutex_);
};

// Starts an introspection, and waits for its result.
CheckResult Check(Introspector& introspector, const IntrospectionQuery& query);

// Queries in one line. What the views point to must outlive the query.
Requirements AllOf(std::initializer_list<std::initializer_list<absl::string_view>> requirements);
IntrospectionQuery QueryFor(absl::string_view secret, Requirements requirements = {});
IntrospectionQuery QueryFor(const TokenDigest& digest, Requirements requirements = {});

}  // namespace pat

#endif  // PAT_TESTS_SUPPORT_CHECK_CALL_H_
