// What `patd dev` prints when it is ready: the warning, the users, and commands to paste.
#ifndef PAT_SERVER_OPS_DEV_GUIDE_H_
#define PAT_SERVER_OPS_DEV_GUIDE_H_

#include <optional>
#include <string>
#include <vector>

#include "server/ops/listen_address.h"
#include "server/ops/options.h"

namespace pat {

// `listening`: at least one, with the ports that are really used. The commands are for the first one that takes
// x-pat-user; if none does, there are no commands with it. `sidecar`: where the sidecar listens, if there is one; then
// there are commands for it too, and what is different there.
std::string DevGuide(const Options& options, const std::string& data_dir, const std::vector<ListenAddress>& listening,
                     const std::optional<ListenAddress>& sidecar = std::nullopt);

}  // namespace pat

#endif  // PAT_SERVER_OPS_DEV_GUIDE_H_
