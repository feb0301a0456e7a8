#include "tests/support/check_call.h"

#include "server/crypto/bytes.h"

namespace pat {

int CheckCall::times() const {
  const absl::MutexLock lock(&mutex_);
  return times_;
}

CheckResult CheckCall::Wait() const {
  const auto received = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return times_ > 0; };
  const absl::MutexLock lock(&mutex_, absl::Condition(&received));
  return result_;
}

void CheckCall::OnResult(const absl::StatusOr<IntrospectionResult>& result) {
  const absl::MutexLock lock(&mutex_);
  ++times_;
  result_.status = result.status();
  if (!result.ok()) return;
  result_.verdict = result->verdict;
  if (result->facts != nullptr) result_.facts = *result->facts;
  result_.unmet.assign(result->unmet.begin(), result->unmet.end());
  result_.freshness = result->freshness;
}

CheckResult Check(Introspector& introspector, const IntrospectionQuery& query) {
  CheckCall call(query);
  introspector.Start(call);
  return call.Wait();
}

Requirements AllOf(std::initializer_list<std::initializer_list<absl::string_view>> requirements) {
  Requirements all;
  for (const auto& any_of : requirements) {
    all.Begin();
    for (const absl::string_view name : any_of) all.AddScope(name);
  }
  return all;
}

IntrospectionQuery QueryFor(absl::string_view secret, Requirements requirements) {
  IntrospectionQuery query;
  query.credential = SecretCredential{secret};
  query.requirements = std::move(requirements);
  return query;
}

IntrospectionQuery QueryFor(const TokenDigest& digest, Requirements requirements) {
  IntrospectionQuery query;
  query.credential = DigestCredential{AsText(digest.bytes)};
  query.requirements = std::move(requirements);
  return query;
}

}  // namespace pat
