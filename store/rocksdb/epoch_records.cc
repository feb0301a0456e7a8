#include "store/rocksdb/epoch_records.h"

#include <algorithm>

namespace pat::rocks {

std::optional<absl::Time> EndOfEpochs(const std::optional<OwnerEpochRecord>& owner_epoch,
                                      const std::optional<GlobalEpochRecord>& global_epoch) {
  std::optional<absl::Time> end;
  if (owner_epoch.has_value() && owner_epoch->end.has_value()) end = owner_epoch->end->time;
  if (global_epoch.has_value()) end = std::min(end.value_or(absl::InfiniteFuture()), global_epoch->end.time);
  return end;
}

}  // namespace pat::rocks
