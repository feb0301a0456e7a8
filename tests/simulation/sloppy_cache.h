// SloppyCache: a cache above the product's cache that makes one of the mistakes of fault.h. All else it does right, so
// what the oracle finds is that mistake.
#ifndef PAT_TESTS_SIMULATION_SLOPPY_CACHE_H_
#define PAT_TESTS_SIMULATION_SLOPPY_CACHE_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "absl/time/time.h"
#include "server/core/clock.h"
#include "server/core/facts_reader.h"
#include "tests/simulation/fault.h"

namespace pat::simulation {

class SloppyCache final : public FactsReader {
 public:
  // `ttl`: the bound that holds here.
  SloppyCache(FactsReader& source, const Clock& clock, absl::Duration ttl, Fault fault)
      : source_(source), clock_(clock), ttl_(ttl), fault_(fault) {}

  void Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) override;

  // Something was dropped below. Which, it does not look at.
  void DropAll();

 private:
  class Question;

  struct Entry {
    std::optional<TokenFacts> facts;
    Reading kept_at;
    absl::Duration good_for;
  };

  bool IsUsable(const Entry& entry, const Reading& now) const;
  void AnswerFrom(const Entry& kept, FactsReceiver& receiver);
  Entry* FindEntry(const TokenDigest& digest);
  void Keep(const Question& question, const FactsAnswer& answer);

  FactsReader& source_;
  const Clock& clock_;
  const absl::Duration ttl_;
  const Fault fault_;
  uint64_t drops_ = 0;
  std::map<std::array<uint8_t, 32>, Entry> entries_;
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_SLOPPY_CACHE_H_
