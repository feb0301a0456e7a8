#include "tests/bench/sample_tokens.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "tests/support/source_path.h"

namespace pat {

SampleSecrets::SampleSecrets(size_t count, uint64_t seed) : secrets_(count) {
  std::mt19937_64 random(seed);
  for (std::array<char, kSecretLength>& secret : secrets_) {
    std::array<uint8_t, 32> bits{};
    for (uint8_t& byte : bits) byte = static_cast<uint8_t>(random());
    const Secret made = EncodeSecret(bits);
    std::memcpy(secret.data(), made.Reveal().data(), secret.size());
  }
}

void SampleSecrets::Shuffle(uint64_t seed) { std::shuffle(secrets_.begin(), secrets_.end(), std::mt19937_64(seed)); }

std::shared_ptr<const ScopeCatalog> ShippedCatalog() {
  return ScopeCatalog::Load(SourcePath("deploy/scopes.tsv")).value();
}

const std::vector<std::string>& SampleScopes() {
  static const auto& scopes =
      *new std::vector<std::string>{"OR.Folders", "OR.Jobs", "OR.Assets.Read", "TM.Projects.Read"};
  return scopes;
}

MadeUpFacts::MadeUpFacts(const Clock& clock) : clock_(clock), catalog_(ShippedCatalog()) {
  const absl::Time now = clock_.Now();
  facts_.owner_id = std::string(kSampleOwner);
  facts_.create_time = now;
  facts_.expire_time = now + absl::Hours(24 * 90);
  facts_.scopes = catalog_->Closure(SampleScopes());
}

void MadeUpFacts::Find(const TokenDigest& digest, const FindOptions& /*options*/, FactsReceiver& receiver) {
  FactsAnswer answer;
  answer.now = answer.read_time = answer.fresh_until = clock_.Now();
  if (say_.load(std::memory_order_relaxed) == Say::kInactive) return receiver.Receive(answer);
  TokenFacts facts = facts_;
  std::memcpy(facts.uid.bytes.data(), digest.bytes.data(), facts.uid.bytes.size());
  answer.facts = &facts;
  answer.fresh_until = facts.expire_time;
  answer.fresh_for = facts.expire_time - answer.now;
  receiver.Receive(answer);
}

void SampleCheck::OnResult(const absl::StatusOr<IntrospectionResult>& result) {
  if (!result.ok()) return;
  source_ = result->freshness.source;
  switch (result->verdict) {
    case Verdict::kAllow:
      answer_ = Answer::kAllow;
      break;
    case Verdict::kInactive:
      answer_ = Answer::kInactive;
      break;
    default:
      answer_ = Answer::kOther;
  }
}

}  // namespace pat
