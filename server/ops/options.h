// Options of patd: one struct, one default each, units in the types.
//
// Each option is one row of a table (options.cc), which is also its documentation: the flag "--cache-ttl", the key
// "cache-ttl" of the YAML file given with --config, and the environment's PATD_CACHE_TTL are the same row. A flag beats
// the environment, the environment beats the file.
//
// A row says which commands it means something to. A flag of another one is no flag. In a file, the commands
// that serve refuse what they have no use for; the other commands take from the same file what they need. The
// environment is often shared, so what is not used there is not looked at.
#ifndef PAT_SERVER_OPS_OPTIONS_H_
#define PAT_SERVER_OPS_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/authn/identities.h"
#include "server/ops/listen_address.h"

namespace pat {

enum class Switch : uint8_t { kAuto, kOn, kOff };
enum class Propagation : uint8_t { kTtl, kPush };
enum class LogFormat : uint8_t { kAuto, kConsole, kJson };

enum class Command : uint8_t { kDev, kAuthority, kSidecar, kInit, kHealthcheck };

// "dev", "authority", ...
absl::string_view CommandName(Command command);

struct Options {
  std::vector<ListenAddress> listen;  // None given: 127.0.0.1:7443; a sidecar has no default.
  std::optional<ListenAddress> health_listen;
  std::optional<ListenAddress> sidecar_listen;  // Of `patd dev`.
  std::string data_dir;                         // Empty: a temporary directory, removed at the end.
  std::vector<std::string> pepper_files;        // Empty: data_dir + ".pepper".
  std::string scope_catalog;                    // Empty: the one built in.
  std::string tls_cert;
  std::string tls_key;
  std::string tls_client_ca;
  std::vector<IdentityEntry> identities;
  std::vector<std::string> authorities;  // Of `patd sidecar`.
  std::string authority_ca;
  std::string authority_name;  // Empty: that of the address.
  Propagation propagation = Propagation::kTtl;
  absl::Duration connection_age = absl::Minutes(10);
  absl::Duration cache_ttl = absl::Hours(1);
  absl::Duration negative_cache_ttl = absl::Seconds(10);
  size_t cache_capacity = 1'000'000;
  std::string issuer = "pat-sidecar";
  absl::Duration audit_retention = 24 * 365 * absl::Hours(1);
  std::string audit_log;      // Empty: only in the store. "-": standard error.
  std::string admin;          // Of `patd init`.
  std::string password_file;  // Of `patd init`. Empty: asked on the terminal. "-": standard input.
  Switch reflection = Switch::kAuto;
  LogFormat log_format = LogFormat::kAuto;
  std::string log_level = "info";
  std::map<std::string, std::string, std::less<>> where;  // By key, of options that are given: see WhereGiven().
  bool insecure_debug = false;  // Leave GRPC_TRACE and GRPC_VERBOSITY as they are; they print credentials.
};

// Where a value comes from, for error texts, and the values; several for options that may be repeated.
struct GivenOption {
  std::string where;  // "--cache-ttl", "PATD_CACHE_TTL", "patd.yaml: cache-ttl".
  std::vector<std::string> values;
  bool is_list = false;  // Written as a list: an error names the value by its number, "patd.yaml: listen[1]".
};
using GivenOptions = std::map<std::string, GivenOption>;  // By key.

// A row of the table, as far as a parser of command lines needs to know it.
struct OptionDescription {
  std::string key;      // "cache-ttl"
  std::string metavar;  // "DURATION"; empty for a switch that takes no value.
  std::string help;
  bool repeatable = false;
  std::string flag = {};  // Without "--"; empty: the key.
};

// Those of a command, or all there are.
std::vector<OptionDescription> OptionDescriptions(Command command);
std::vector<OptionDescription> OptionDescriptions();

// What the environment gives. Names that begin with PATD_ and are no option are left alone: Kubernetes makes such ones
// for services (PATD_SERVICE_HOST).
GivenOptions OptionsFromEnvironment(const char* const* environment);

// What a YAML file gives. INVALID_ARGUMENT, in one line, for what cannot be read, is no map, or has a key that is no
// option, or none of `command`.
absl::StatusOr<GivenOptions> OptionsFromFile(const std::string& path, Command command = Command::kDev);

// Puts the three layers together and checks every value that `command` has a use for. INVALID_ARGUMENT, in one line,
// with where, the value and what would be right. Whether the values fit together is for whoever uses them.
absl::StatusOr<Options> ResolveOptions(const GivenOptions& flags, const GivenOptions& environment,
                                       const GivenOptions& file, Command command = Command::kDev);

// Where an option was given, for what is found wrong later: "--listen", "PATD_LISTEN", "patd.yaml: listen". For one
// that was not given, its flag.
std::string WhereGiven(const Options& options, absl::string_view key);

}  // namespace pat

#endif  // PAT_SERVER_OPS_OPTIONS_H_
