#include "server/ops/options.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/core/error.h"
#include "server/core/resource_name.h"
#include "server/ops/duration_text.h"
#include "server/ops/identity_text.h"
#include "server/upstream/authority_channels.h"

namespace pat {
namespace {

constexpr size_t kLongestIssuer = 255;
constexpr size_t kLargestCapacity = 1'000'000'000;
const absl::Duration kLongestTtl = 24 * 365 * absl::Hours(1);
const absl::Duration kLongestRetention = 24 * 36'500 * absl::Hours(1);

absl::Status Wrong(absl::string_view value, absl::string_view right) {
  return absl::InvalidArgumentError(absl::StrCat(Quoted(value), " is wrong; give ", right));
}

// The setters below are given each value of an option in turn.
using Setter = std::function<absl::Status(const std::string& value, Options& options)>;

Setter SetText(std::string Options::*field, absl::string_view what) {
  return [field, what = std::string(what)](const std::string& value, Options& options) {
    if (value.empty()) return Wrong(value, what);
    options.*field = value;
    return absl::OkStatus();
  };
}

Setter SetDuration(absl::Duration Options::*field, absl::Duration shortest, absl::Duration longest,
                   absl::string_view right) {
  return [=, right = std::string(right)](const std::string& value, Options& options) {
    const std::optional<absl::Duration> duration = ParseDurationText(value);
    if (!duration.has_value() || *duration < shortest || *duration > longest) return Wrong(value, right);
    options.*field = *duration;
    return absl::OkStatus();
  };
}

Setter SetTtl(absl::Duration Options::*field) {
  return SetDuration(field, absl::ZeroDuration(), kLongestTtl,
                     "a duration of at most 365d, for example 90s, 15m, 1h or 30d");
}

absl::Status SetCapacity(const std::string& value, Options& options) {
  size_t capacity = 0;
  if (!absl::SimpleAtoi(value, &capacity) || capacity < 10 || capacity > kLargestCapacity) {
    return Wrong(value, absl::StrCat("a number of entries, 10 to ", kLargestCapacity));
  }
  options.cache_capacity = capacity;
  return absl::OkStatus();
}

template <typename Enum>
Setter SetChoice(Enum Options::*field, std::vector<std::pair<std::string, Enum>> choices) {
  return [field, choices = std::move(choices)](const std::string& value, Options& options) {
    for (const auto& [name, choice] : choices) {
      if (value != name) continue;
      options.*field = choice;
      return absl::OkStatus();
    }
    std::string right;
    for (size_t i = 0; i < choices.size(); ++i) {
      const char* const separator = i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ";
      absl::StrAppend(&right, separator, choices[i].first);
    }
    return Wrong(value, right);
  };
}

absl::Status SetLogLevel(const std::string& value, Options& options) {
  for (const char* level : {"debug", "info", "warn", "error"}) {
    if (value == level) {
      options.log_level = value;
      return absl::OkStatus();
    }
  }
  return Wrong(value, "debug, info, warn or error");
}

absl::Status AddListen(const std::string& value, Options& options) {
  absl::StatusOr<ListenAddress> address = ParseListenAddress(value);
  if (!address.ok()) return address.status();
  options.listen.push_back(*std::move(address));
  return absl::OkStatus();
}

absl::Status SetHealthListen(const std::string& value, Options& options) {
  absl::StatusOr<ListenAddress> address = ParsePlaintextAddress(value);
  if (!address.ok()) return Wrong(value, "an address with a port, for example 127.0.0.1:8080 or 0.0.0.0:8080");
  options.health_listen = *std::move(address);
  return absl::OkStatus();
}

absl::Status SetSidecarListen(const std::string& value, Options& options) {
  absl::StatusOr<ListenAddress> address = ParseListenAddress(value);
  if (!address.ok()) return address.status();
  if (address->is_unix ? address->role.value_or(ListenerRole::kIntrospector) != ListenerRole::kIntrospector
                       : !address->IsLoopback()) {
    return Wrong(value, "an address on loopback or a Unix socket, for example 127.0.0.1:7444");
  }
  options.sidecar_listen = *std::move(address);
  return absl::OkStatus();
}

absl::Status AddAuthority(const std::string& value, Options& options) {
  absl::string_view address = value;
  if (absl::ConsumeSuffix(&address, "?plaintext")) {
    const absl::StatusOr<ListenAddress> plain = ParsePlaintextAddress(address);
    if (!plain.ok() || !plain->IsLoopback() || plain->port == 0) {
      return Wrong(value, "an address on loopback where there is no TLS, for example 127.0.0.1:7443?plaintext");
    }
  } else if (absl::StartsWith(address, "unix:")) {
    return Wrong(value, "an address over TCP, for example authority.example:7443: sidecars are known by certificates");
  } else if (absl::Status status = AuthorityTarget(address).status(); !status.ok()) {
    return status;
  }
  options.authorities.push_back(value);
  return absl::OkStatus();
}

absl::Status AddIdentity(const std::string& value, Options& options) {
  absl::StatusOr<IdentityEntry> entry = ParseIdentityText(value);
  if (!entry.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("identities[", options.identities.size(), "]: ", entry.status().message()));
  }
  options.identities.push_back(*std::move(entry));
  // With those before it, so that what is wrong is said together with where it stands.
  return IdentityTable::Create(options.identities).status();
}

absl::Status SetIssuer(const std::string& value, Options& options) {
  // It is in every answer and in lines of logs.
  const bool is_text = std::all_of(value.begin(), value.end(), [](char c) { return absl::ascii_isprint(c); });
  if (value.empty() || value.size() > kLongestIssuer || !is_text) {
    return Wrong(
        value, absl::StrCat("a name for who issued the tokens, up to ", kLongestIssuer, " printable ASCII characters"));
  }
  options.issuer = value;
  return absl::OkStatus();
}

absl::Status SetAdmin(const std::string& value, Options& options) {
  if (!IsUserId(value)) {
    return Wrong(
        value,
        "a user id: 1 to 63 lower case letters, digits, dots, underscores and hyphens, beginning with a letter "
        "or digit");
  }
  options.admin = value;
  return absl::OkStatus();
}

absl::Status AddPepper(const std::string& value, Options& options) {
  if (value.empty()) return Wrong(value, "the path of a file of at least 32 random bytes");
  options.pepper_files.push_back(value);
  return absl::OkStatus();
}

absl::Status SetInsecureDebug(const std::string& value, Options& options) {
  if (value != "true" && value != "false") return Wrong(value, "true or false");
  options.insecure_debug = value == "true";
  return absl::OkStatus();
}

// Which commands a row means something to, as bits.
constexpr uint8_t Bit(Command command) { return static_cast<uint8_t>(1U << static_cast<uint8_t>(command)); }
constexpr uint8_t kDev = Bit(Command::kDev);
constexpr uint8_t kAuthority = Bit(Command::kAuthority);
constexpr uint8_t kSidecar = Bit(Command::kSidecar);
constexpr uint8_t kInit = Bit(Command::kInit);
constexpr uint8_t kHealthcheck = Bit(Command::kHealthcheck);
constexpr uint8_t kStores = kDev | kAuthority;
constexpr uint8_t kServers = kStores | kSidecar;
constexpr uint8_t kAll = kServers | kInit | kHealthcheck;

struct Row {
  OptionDescription description;
  uint8_t commands;
  Setter set;
};

const std::vector<Row>& Table() {
  static const auto* const table = new std::vector<Row>{
      {{"listen", "ADDRESS",
        "where to listen: 127.0.0.1:7443, [::1]:7443, 127.0.0.1:7443?plaintext (on loopback only), or a Unix "
        "socket: unix:/run/pat/pat.sock?role=introspector|portal|user&mode=0660",
        true},
       kServers | kHealthcheck,
       AddListen},
      {{"health-listen", "ADDRESS", "where health, and nothing else, is served in plaintext; default: nowhere"},
       kAuthority | kSidecar | kHealthcheck,
       SetHealthListen},
      {{"sidecar-listen", "ADDRESS",
        "where a sidecar listens besides, in front of the authority; default 127.0.0.1:7444, with --listen none"},
       kDev,
       SetSidecarListen},
      {{"authority", "ADDRESS",
        "where the authority is: authority.example:7443; several: one is used, the others stand by. "
        "127.0.0.1:7443?plaintext: without TLS",
        true},
       kSidecar,
       AddAuthority},
      {{"authority-ca", "FILE", "the CAs that vouch for the authority, in PEM; read again when changed"},
       kSidecar,
       SetText(&Options::authority_ca, "the path of a file of CA certificates in PEM")},
      {{"authority-name", "NAME",
        "whom the authority's certificate must be made out to; default: the host of the address"},
       kSidecar,
       SetText(&Options::authority_name, "a DNS name, for example authority.example")},
      {{"propagation", "ttl|push",
        "ttl: a revocation is noticed when entries end; push: the authority tells at once, the TTL bounds all the "
        "same"},
       kDev | kSidecar,
       SetChoice(&Options::propagation, {{"ttl", Propagation::kTtl}, {"push", Propagation::kPush}})},
      {{"data-dir", "DIR", "where the tokens are kept"},
       kStores | kInit,
       SetText(&Options::data_dir, "the path of a directory")},
      {{"tls-cert", "FILE", "certificate of this server in PEM, then those that vouch for it; read again when changed"},
       kAuthority | kSidecar,
       SetText(&Options::tls_cert, "the path of a file of certificates in PEM")},
      {{"tls-key", "FILE", "its private key in PEM, mode 0400; read again when changed"},
       kAuthority | kSidecar,
       SetText(&Options::tls_key, "the path of a private key in PEM")},
      {{"tls-client-ca", "FILE", "the CAs whose clients may connect, in PEM; read again when changed"},
       kAuthority | kSidecar,
       SetText(&Options::tls_client_ca, "the path of a file of CA certificates in PEM")},
      {{"identities", "ENTRY",
        "whom a client certificate stands for: spiffe=ID|uri=URI|dns=NAME,role=introspector|portal|user[,digests=true]"
        "[,users=ID+ID]",
        true, "identity"},
       kAuthority | kSidecar,
       AddIdentity},
      {{"connection-age", "DURATION", "a connection ends at this age at the latest, 1s to 10m; default 10m"},
       kAuthority | kSidecar,
       SetDuration(&Options::connection_age, absl::Seconds(1), absl::Minutes(10),
                   "a duration of 1s to 10m, so that who is not trusted any more is out")},
      {{"cache-ttl", "DURATION", "how long a cache may accept what it has read: the lag of a revocation; default 1h"},
       kServers,
       SetTtl(&Options::cache_ttl)},
      {{"negative-cache-ttl", "DURATION", "how long it is remembered that a token is inactive; default 10s"},
       kServers,
       SetTtl(&Options::negative_cache_ttl)},
      {{"cache-capacity", "N", "entries of the cache, at most a tenth of them inactive tokens; default 1000000"},
       kServers,
       SetCapacity},
      {{"pepper-file", "FILE", "secret of at least 32 bytes, mode 0400; the first one writes; default DIR.pepper",
        true},
       kStores | kInit,
       AddPepper},
      {{"scope-catalog", "FILE", "the scopes there are, tab separated; default: the catalogue built in"},
       kStores,
       SetText(&Options::scope_catalog, "the path of a scope catalogue")},
      {{"issuer", "NAME", "the iss of an introspection; default pat-sidecar"}, kServers, SetIssuer},
      {{"audit-retention", "DURATION", "how long audit events are kept; default 365d"},
       kStores,
       SetDuration(&Options::audit_retention, absl::Hours(1), kLongestRetention,
                   "a duration of 1h to 36500d, for example 90d")},
      {{"audit-log", "FILE|-", "audit events also as lines of JSON, appended to a file or to standard error (-)"},
       kStores,
       SetText(&Options::audit_log, "the path of a file, or - for standard error")},
      {{"reflection", "auto|on|off", "let clients ask for the API; auto: on loopback and Unix sockets, without TLS"},
       kServers,
       SetChoice(&Options::reflection, {{"auto", Switch::kAuto}, {"on", Switch::kOn}, {"off", Switch::kOff}})},
      {{"admin", "USER", "the id of the first administrator"}, kInit, SetAdmin},
      {{"password-file", "FILE|-", "the administrator's password, in a file or on standard input (-); default: asked"},
       kInit,
       SetText(&Options::password_file, "the path of a file that holds a password, or - for standard input")},
      {{"log-format", "auto|console|json", "auto: console on a terminal, json elsewhere"},
       kAll,
       SetChoice(&Options::log_format,
                 {{"auto", LogFormat::kAuto}, {"console", LogFormat::kConsole}, {"json", LogFormat::kJson}})},
      {{"log-level", "LEVEL", "debug, info, warn or error; default info"}, kAll, SetLogLevel},
      {{"insecure-debug", "", "leave GRPC_TRACE and GRPC_VERBOSITY alone; they print credentials"},
       kServers | kHealthcheck,
       SetInsecureDebug},
  };
  return *table;
}

std::string EnvironmentName(absl::string_view key) {
  return absl::StrCat("PATD_", absl::AsciiStrToUpper(absl::StrReplaceAll(key, {{"-", "_"}})));
}

}  // namespace

absl::string_view CommandName(Command command) {
  switch (command) {
    case Command::kDev:
      return "dev";
    case Command::kAuthority:
      return "authority";
    case Command::kSidecar:
      return "sidecar";
    case Command::kInit:
      return "init";
    case Command::kHealthcheck:
      return "healthcheck";
  }
  return "";
}

std::vector<OptionDescription> OptionDescriptions(Command command) {
  std::vector<OptionDescription> descriptions;
  for (const Row& row : Table()) {
    if ((row.commands & Bit(command)) == 0) continue;
    descriptions.push_back(row.description);
    std::string& help = descriptions.back().help;
    if (command == Command::kDev && row.description.key == "data-dir") {
      help += "; default: a temporary directory, removed at the end";
    }
    if (row.description.key == "listen") {
      help += command == Command::kSidecar ? "; must be given" : "; default 127.0.0.1:7443";
    }
  }
  return descriptions;
}

std::vector<OptionDescription> OptionDescriptions() {
  std::vector<OptionDescription> descriptions;
  for (const Row& row : Table()) descriptions.push_back(row.description);
  return descriptions;
}

GivenOptions OptionsFromEnvironment(const char* const* environment) {
  GivenOptions given;
  for (; *environment != nullptr; ++environment) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(absl::string_view(*environment), absl::MaxSplits('=', 1));
    for (const Row& row : Table()) {
      if (parts.first != EnvironmentName(row.description.key)) continue;
      GivenOption option{.where = std::string(parts.first), .values = {}};
      if (row.description.repeatable) {
        // An identity has commas of its own.
        const char separator = row.description.key == "identities" ? ';' : ',';
        option.values = absl::StrSplit(parts.second, separator, absl::SkipEmpty());
        // Separators alone are a mistake, and no wish for the default.
        if (option.values.empty() && !parts.second.empty()) option.values.emplace_back(parts.second);
      } else {
        option.values.emplace_back(parts.second);
      }
      given.emplace(row.description.key, std::move(option));
    }
  }
  return given;
}

std::string WhereGiven(const Options& options, absl::string_view key) {
  const auto given = options.where.find(key);
  if (given != options.where.end()) return given->second;
  for (const Row& row : Table()) {
    const OptionDescription& option = row.description;
    if (option.key == key && !option.flag.empty()) return absl::StrCat("--", option.flag);
  }
  return absl::StrCat("--", key);
}

absl::StatusOr<Options> ResolveOptions(const GivenOptions& flags, const GivenOptions& environment,
                                       const GivenOptions& file, Command command) {
  Options options;
  for (const Row& row : Table()) {
    if ((row.commands & Bit(command)) == 0) continue;
    for (const GivenOptions* layer : {&flags, &environment, &file}) {
      const auto given = layer->find(row.description.key);
      if (given == layer->end()) continue;
      const GivenOption& option = given->second;
      for (size_t i = 0; i < option.values.size(); ++i) {
        const absl::Status status = row.set(option.values[i], options);
        if (status.ok()) continue;
        // What is wrong with an identity says itself which one it is.
        const bool numbered = option.is_list && row.description.key != "identities";
        return absl::InvalidArgumentError(
            absl::StrCat(option.where, numbered ? absl::StrCat("[", i, "]") : "", ": ", status.message()));
      }
      options.where.emplace(row.description.key, option.where);
      break;
    }
  }
  if (options.listen.empty() && command != Command::kSidecar) {
    options.listen.push_back({.host = "127.0.0.1", .port = 7443, .path = {}});
    if (command == Command::kDev && !options.sidecar_listen.has_value()) {
      options.sidecar_listen = ListenAddress{.host = "127.0.0.1", .port = 7444, .path = {}};
    }
  }
  return options;
}

}  // namespace pat
