// Introspection: facts + what is asked + now → verdict.
//
// The order of a call: its arguments are judged, then the form of the token, then the facts are found, then the verdict
// is computed, with the clock of that moment. Arguments that do not fit are an error whatever the token is. An inactive
// token is an answer, the same whatever made it so; it is never an error.
//
// A call does not allocate on the way of a cache hit, however many requirements it has (up to the inline sizes below).
#ifndef PAT_SERVER_CORE_INTROSPECTION_H_
#define PAT_SERVER_CORE_INTROSPECTION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/core/clock.h"
#include "server/core/error.h"
#include "server/core/facts_reader.h"
#include "server/core/token_secret.h"
#include "server/core/use_recorder.h"

namespace pat {

inline constexpr size_t kMaxTokenBytes = 1024;
inline constexpr size_t kMaxRequirements = 16;
inline constexpr size_t kMaxScopesInRequirement = 32;

// What a call needs: a list of lists of scopes; each list is met by any one of its names. Holds views: what they point
// to must live until the verdict.
class Requirements {
 public:
  // Begins the next requirement.
  void Begin() { begins_.push_back(static_cast<uint32_t>(names_.size())); }

  // Adds a scope to the requirement begun last.
  void AddScope(absl::string_view name) { names_.push_back(name); }

  size_t size() const { return begins_.size(); }
  absl::Span<const absl::string_view> any_of(size_t index) const {
    const size_t begin = begins_[index];
    const size_t end = index + 1 < begins_.size() ? begins_[index + 1] : names_.size();
    return absl::MakeConstSpan(names_).subspan(begin, end - begin);
  }

 private:
  absl::InlinedVector<absl::string_view, 8> names_;
  absl::InlinedVector<uint32_t, 4> begins_;
};

// A secret as its bearer sent it (a view), or what a sidecar sends instead.
struct SecretCredential {
  absl::string_view secret;
};
struct DigestCredential {
  absl::string_view sha256;
};
struct NoCredential {};

struct IntrospectionQuery {
  std::variant<NoCredential, SecretCredential, DigestCredential> credential;
  Requirements requirements;
  absl::string_view audience;
  std::optional<absl::Duration> max_staleness;
  std::optional<absl::Duration> timeout;  // How long the caller can still wait: FindOptions::timeout.
};

enum class Verdict : uint8_t { kAllow, kInactive, kInsufficientScope, kWrongAudience };

enum class AnswerSource : uint8_t { kStore, kCache, kFormat };

struct Freshness {
  AnswerSource source = AnswerSource::kFormat;
  absl::Time read_time = {};
  absl::Time fresh_until = {};
  absl::Duration fresh_for = {};  // Never negative.
};

// A verdict with what it rests on. Lent: `facts` is good until the call it is given to returns.
struct IntrospectionResult {
  Verdict verdict = Verdict::kInactive;
  const TokenFacts* facts = nullptr;                           // Null exactly if the verdict is kInactive.
  absl::InlinedVector<uint32_t, kMaxRequirements> unmet = {};  // Indices; only with kInsufficientScope.
  Freshness freshness = {};
};

// Judges the arguments only. Appends to `violations`, with `prefix` ("requests[7].") before each field.
void CheckQuery(const IntrospectionQuery& query, absl::string_view prefix, std::vector<FieldViolation>& violations);

// The verdict that follows from facts at `answer.now`. Never reads a clock.
IntrospectionResult Judge(const FactsAnswer& answer, const IntrospectionQuery& query);

class Introspector;

// One introspection: the query, and who wants the result. Made by the caller, who keeps it alive until OnResult() was
// called, exactly once: within Introspector::Start(), or later on another thread.
class Introspection : private FactsReceiver {
 public:
  Introspection() = default;
  explicit Introspection(IntrospectionQuery asked) : query(std::move(asked)) {}
  Introspection(const Introspection&) = delete;
  Introspection& operator=(const Introspection&) = delete;
  virtual ~Introspection() = default;

  IntrospectionQuery query;

 protected:
  // An error is "could not decide": INVALID_ARGUMENT, UNAVAILABLE, RESOURCE_EXHAUSTED.
  virtual void OnResult(const absl::StatusOr<IntrospectionResult>& result) = 0;

 private:
  friend class Introspector;

  void Receive(const absl::StatusOr<FactsAnswer>& answer) final;

  UseRecorder* uses_ = nullptr;
};

// Threads: Start() is thread-safe. What is given must outlive this object and every call that is under way.
class Introspector {
 public:
  // `uses` is told of each call that found its token active; null: nobody is.
  Introspector(FactsReader& reader, const Clock& clock, UseRecorder* uses = nullptr)
      : reader_(reader), clock_(clock), uses_(uses) {}

  // Judges the arguments, then the token.
  void Start(Introspection& call);

  // The same for a call whose arguments CheckQuery() has found right.
  void StartChecked(Introspection& call);

 private:
  FactsReader& reader_;
  const Clock& clock_;
  UseRecorder* const uses_;
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_INTROSPECTION_H_
