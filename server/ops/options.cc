#include "server/ops/options.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "server/core/error.h"
#include "server/ops/duration_text.h"

namespace pat {
namespace {

constexpr size_t kLargestCapacity = 1'000'000'000;
const absl::Duration kLongestTtl = 24 * 365 * absl::Hours(1);

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

Setter SetDuration(absl::Duration Options::*field) {
  return [field](const std::string& value, Options& options) {
    const std::optional<absl::Duration> duration = ParseDurationText(value);
    if (!duration.has_value() || *duration > kLongestTtl) {
      return Wrong(value, "a duration of at most 365d, for example 90s, 15m, 1h or 30d");
    }
    options.*field = *duration;
    return absl::OkStatus();
  };
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
    return Wrong(value, absl::StrJoin(choices, ", ", [](std::string* out, const auto& item) { *out += item.first; }));
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

struct Row {
  OptionDescription description;
  Setter set;
};

const std::vector<Row>& Table() {
  static const auto* const table = new std::vector<Row>{
      {{"listen", "ADDRESS", "where to listen: 127.0.0.1:7443 (default), [::1]:7443, unix:/run/pat/pat.sock", true},
       AddListen},
      {{"data-dir", "DIR", "where the tokens are kept; default: a temporary directory, removed at the end"},
       SetText(&Options::data_dir, "the path of a directory")},
      {{"cache-ttl", "DURATION", "how long a cache may accept what it has read: the lag of a revocation; default 1h"},
       SetDuration(&Options::cache_ttl)},
      {{"negative-cache-ttl", "DURATION", "how long it is remembered that a token is inactive; default 10s"},
       SetDuration(&Options::negative_cache_ttl)},
      {{"cache-capacity", "N", "entries of the cache, at most a tenth of them inactive tokens; default 1000000"},
       SetCapacity},
      {{"pepper-file", "FILE", "secret of at least 32 bytes, mode 0400; the first one writes; default DIR.pepper",
        true},
       AddPepper},
      {{"scope-catalog", "FILE", "the scopes there are, tab separated; default: the catalogue built in"},
       SetText(&Options::scope_catalog, "the path of a scope catalogue")},
      {{"issuer", "NAME", "the iss of an introspection; default pat-sidecar"},
       SetText(&Options::issuer, "a name for who issued the tokens")},
      {{"reflection", "auto|on|off", "let clients ask for the API; auto: on loopback and Unix sockets"},
       SetChoice(&Options::reflection, {{"auto", Switch::kAuto}, {"on", Switch::kOn}, {"off", Switch::kOff}})},
      {{"log-format", "auto|console|json", "auto: console on a terminal, json elsewhere"},
       SetChoice(&Options::log_format,
                 {{"auto", LogFormat::kAuto}, {"console", LogFormat::kConsole}, {"json", LogFormat::kJson}})},
      {{"log-level", "LEVEL", "debug, info, warn or error; default info"}, SetLogLevel},
      {{"insecure-debug", "", "leave GRPC_TRACE and GRPC_VERBOSITY alone; they print credentials"}, SetInsecureDebug},
  };
  return *table;
}

const Row* FindRow(absl::string_view key) {
  const auto found =
      std::find_if(Table().begin(), Table().end(), [key](const Row& row) { return row.description.key == key; });
  return found == Table().end() ? nullptr : &*found;
}

std::string EnvironmentName(absl::string_view key) {
  return absl::StrCat("PATD_", absl::AsciiStrToUpper(absl::StrReplaceAll(key, {{"-", "_"}})));
}

// One item of the list under `listen:` that is a map, as the text that --listen takes.
std::string ListenText(const YAML::Node& item) {
  std::string text = item["address"].as<std::string>("");
  std::vector<std::string> options;
  for (const auto& entry : item) {
    const auto key = entry.first.as<std::string>();
    if (key == "address" || (key == "plaintext" && !entry.second.as<bool>())) continue;
    options.push_back(key == "plaintext" ? key : absl::StrCat(key, "=", entry.second.as<std::string>()));
  }
  if (!options.empty()) absl::StrAppend(&text, "?", absl::StrJoin(options, "&"));
  return text;
}

// The values of one key.
absl::StatusOr<GivenOption> ReadOption(const Row& row, absl::string_view where, const YAML::Node& node) {
  GivenOption option{.where = std::string(where), .values = {}};
  if (node.IsSequence() && row.description.repeatable) {
    for (const YAML::Node& item : node) {
      option.values.push_back(item.IsMap() ? ListenText(item) : item.as<std::string>());
    }
  } else if (node.IsScalar()) {
    option.values.push_back(node.as<std::string>());
  } else {
    return absl::InvalidArgumentError(absl::StrCat(where, ": has no single value; give one"));
  }
  return option;
}

absl::StatusOr<GivenOptions> ReadMap(const std::string& path, const YAML::Node& root) {
  GivenOptions given;
  if (root.IsNull()) return given;
  if (!root.IsMap())
    return absl::InvalidArgumentError(absl::StrCat(path, ": is not a map of options; give key: value"));
  for (const auto& entry : root) {
    const auto key = entry.first.as<std::string>();
    const Row* const row = FindRow(key);
    if (row == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": ", Quoted(key), " is no option; patd dev --help lists them"));
    }
    const std::string where = absl::StrCat(path, ": ", key);
    if (given.find(key) != given.end()) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": is given twice; give it once"));
    }
    try {
      absl::StatusOr<GivenOption> option = ReadOption(*row, where, entry.second);
      if (!option.ok()) return option.status();
      given.emplace(key, *std::move(option));
    } catch (const YAML::BadConversion& error) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": line ", error.mark.line + 1, ": ", key,
                                                     ": has a value of another kind than is wanted"));
    }
  }
  return given;
}

}  // namespace

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
        option.values = absl::StrSplit(parts.second, ',', absl::SkipEmpty());
      } else {
        option.values.emplace_back(parts.second);
      }
      given.emplace(row.description.key, std::move(option));
    }
  }
  return given;
}

absl::StatusOr<GivenOptions> OptionsFromFile(const std::string& path) {
  const absl::Status unreadable =
      absl::InvalidArgumentError(absl::StrCat("--config: ", path, " cannot be read; give the path of a YAML file"));
  // To a stream a directory is an empty file.
  if (std::error_code error; std::filesystem::is_directory(path, error)) return unreadable;
  try {
    return ReadMap(path, YAML::LoadFile(path));
  } catch (const YAML::BadFile&) {
    return unreadable;
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": line ", error.mark.line + 1, ": ", error.msg));
  }
}

absl::StatusOr<Options> ResolveOptions(const GivenOptions& flags, const GivenOptions& environment,
                                       const GivenOptions& file) {
  Options options;
  for (const Row& row : Table()) {
    for (const GivenOptions* layer : {&flags, &environment, &file}) {
      const auto given = layer->find(row.description.key);
      if (given == layer->end()) continue;
      for (const std::string& value : given->second.values) {
        const absl::Status status = row.set(value, options);
        if (!status.ok()) return absl::InvalidArgumentError(absl::StrCat(given->second.where, ": ", status.message()));
      }
      break;
    }
  }
  if (options.listen.empty()) options.listen.push_back({.host = "127.0.0.1", .port = 7443, .path = {}});
  return options;
}

}  // namespace pat
