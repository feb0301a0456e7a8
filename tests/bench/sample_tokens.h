// What the benchmarks check: a million secrets of tokens, facts that look like real ones, and the call that asks.
#ifndef PAT_TESTS_BENCH_SAMPLE_TOKENS_H_
#define PAT_TESTS_BENCH_SAMPLE_TOKENS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/core/clock.h"
#include "server/core/facts_reader.h"
#include "server/core/introspection.h"
#include "server/core/scope_catalog.h"
#include "server/core/token_secret.h"

namespace pat {

// Secrets as they would arrive, one after the other in memory. The same for the same seed.
class SampleSecrets {
 public:
  SampleSecrets(size_t count, uint64_t seed);

  size_t size() const { return secrets_.size(); }
  absl::string_view operator[](size_t index) const { return {secrets_[index].data(), kSecretLength}; }

  // Another order, so that walking through them meets what was made from them at random.
  void Shuffle(uint64_t seed);

 private:
  std::vector<std::array<char, kSecretLength>> secrets_;
};

// The catalogue that is shipped.
std::shared_ptr<const ScopeCatalog> ShippedCatalog();

// What a token is given that can do a few things, and who has it.
const std::vector<std::string>& SampleScopes();
inline constexpr absl::string_view kSampleOwner = "ada.lovelace";

// A source that knows every digest at once: it reads no store, so what is measured above it is what is above it.
//
// Threads: thread-safe.
class MadeUpFacts final : public FactsReader {
 public:
  enum class Say : uint8_t { kActive, kInactive };

  explicit MadeUpFacts(const Clock& clock);

  // What it says from now on.
  void set_say(Say say) { say_.store(say, std::memory_order_relaxed); }

  void Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) override;

 private:
  const Clock& clock_;
  const std::shared_ptr<const ScopeCatalog> catalog_;
  TokenFacts facts_;  // Of every active token, but for the uid.
  std::atomic<Say> say_{Say::kActive};
};

// One check as a service asks it: a secret, and one requirement of two scopes, of which the token has the second.
class SampleCheck final : public Introspection {
 public:
  explicit SampleCheck(absl::string_view secret) {
    query.credential = SecretCredential{secret};
    query.requirements.Begin();
    query.requirements.AddScope("OR.Administration.Read");
    query.requirements.AddScope("OR.Folders.Read");
  }

  // Of the answer; kNone before there is one, or if it is an error.
  enum class Answer : uint8_t { kNone, kAllow, kInactive, kOther };
  Answer answer() const { return answer_; }
  AnswerSource source() const { return source_; }

 private:
  void OnResult(const absl::StatusOr<IntrospectionResult>& result) override;

  Answer answer_ = Answer::kNone;
  AnswerSource source_ = AnswerSource::kFormat;
};

}  // namespace pat

#endif  // PAT_TESTS_BENCH_SAMPLE_TOKENS_H_
