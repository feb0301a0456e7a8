// Faults: mistakes that a cache, a wire or a follower could make, to show that the oracle finds them. They are made by
// what stands around the product's code in a simulation, never by the product's code.
#ifndef PAT_TESTS_SIMULATION_FAULT_H_
#define PAT_TESTS_SIMULATION_FAULT_H_

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace pat::simulation {

enum class Fault : uint8_t {
  kNone,
  kLosesMessages,       // The stream goes on after a message that did not arrive.
  kResumesWithGap,      // A lost stream is asked for again from now on, and nobody is told of the gap.
  kIgnoresReset,        // "What was missed cannot be told" is taken for a heartbeat.
  kIgnoresOtherStore,   // Neither stream nor answers make anybody notice that there is another store.
  kForgetsTokenDrops,   // The cache is not told of some tokens.
  kForgetsOwnerDrops,   // Nor of some owners.
  kIgnoresFreshFor,     // How long the layer below may use its answer is not looked at.
  kLoadedAfterwards,    // Entries age from when they arrived.
  kSlidesOnHit,         // A hit makes an entry young again.
  kServesStaleOnError,  // When the source is down, an entry that has ended will do.
  kAgesByWallClock,     // Only the wall clock is looked at.
  kIgnoresExpiry,       // An entry lasts for the TTL, whatever the token's expiry.
  kKeepsOvertaken,      // What a drop has overtaken on its way is kept.
  kKeepsInactive,       // That a token was inactive is remembered for the TTL.
  kJoinsNothing,        // Everybody who finds nothing asks the source.
  kMixesScopes,         // An entry answers for another token of the same owner.
  kHidesStore,          // A sidecar does not tell one above it of which store its answers are.
  kAlarmStaysSilent,    // It never goes off.
  kAlarmStaysAsSet,     // It is not brought forward, once it is set.
  kForsakesJoiners,     // The cache does not learn that a question came to nothing as its time was up.
};

struct NamedFault {
  Fault fault;
  absl::string_view name;
};

inline constexpr std::array<NamedFault, 20> kFaults = {{
    {Fault::kLosesMessages, "loses-messages"},
    {Fault::kResumesWithGap, "resumes-with-gap"},
    {Fault::kIgnoresReset, "ignores-reset"},
    {Fault::kIgnoresOtherStore, "ignores-other-store"},
    {Fault::kForgetsTokenDrops, "forgets-token-drops"},
    {Fault::kForgetsOwnerDrops, "forgets-owner-drops"},
    {Fault::kIgnoresFreshFor, "ignores-fresh-for"},
    {Fault::kLoadedAfterwards, "loaded-afterwards"},
    {Fault::kSlidesOnHit, "slides-on-hit"},
    {Fault::kServesStaleOnError, "serves-stale-on-error"},
    {Fault::kAgesByWallClock, "ages-by-wall-clock"},
    {Fault::kIgnoresExpiry, "ignores-expiry"},
    {Fault::kKeepsOvertaken, "keeps-overtaken"},
    {Fault::kKeepsInactive, "keeps-inactive"},
    {Fault::kJoinsNothing, "joins-nothing"},
    {Fault::kMixesScopes, "mixes-scopes"},
    {Fault::kHidesStore, "hides-store"},
    {Fault::kAlarmStaysSilent, "alarm-stays-silent"},
    {Fault::kAlarmStaysAsSet, "alarm-stays-as-set"},
    {Fault::kForsakesJoiners, "forsakes-joiners"},
}};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_FAULT_H_
