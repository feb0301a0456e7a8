// SlowDisk: a FactsReader that now and then takes its time. The read is made at some moment between question and
// answer.
#ifndef PAT_TESTS_SIMULATION_SLOW_DISK_H_
#define PAT_TESTS_SIMULATION_SLOW_DISK_H_

#include <cstdint>
#include <map>
#include <memory>

#include "server/core/facts_reader.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/world.h"
#include "tests/support/facts_recorder.h"

namespace pat::simulation {

class SlowDisk final : public FactsReader {
 public:
  // `store` must answer within Find().
  SlowDisk(World& world, Machine& machine, FactsReader& store) : world_(world), machine_(machine), store_(store) {}

  void Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) override;

  // Everybody who waits, and who comes, is told UNAVAILABLE.
  void Shutdown();

 private:
  void ReadLater(uint64_t id, const TokenDigest& digest);
  void AnswerLater(uint64_t id, ReceivedFacts answer);

  World& world_;
  Machine& machine_;
  FactsReader& store_;
  bool is_closed_ = false;
  uint64_t last_id_ = 0;
  std::map<uint64_t, FactsReceiver*> waiting_;
  const std::shared_ptr<SlowDisk> alive_{this, [](SlowDisk*) {}};  // Events look whether this object is still there.
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_SLOW_DISK_H_
