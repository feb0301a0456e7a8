#include "tests/server/ops/options_for_tests.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

namespace pat {
namespace {

std::string ShowListen(const Options& options) {
  return absl::StrJoin(options.listen, " ", [](std::string* out, const ListenAddress& address) {
    absl::StrAppend(out, address.ToString(), address.introspectors ? "(introspectors)" : "");
  });
}
std::string ShowPeppers(const Options& options) { return absl::StrJoin(options.pepper_files, " "); }
std::string ShowReflection(const Options& options) { return absl::StrCat(static_cast<int>(options.reflection)); }
std::string ShowLogFormat(const Options& options) { return absl::StrCat(static_cast<int>(options.log_format)); }
std::string Number(int64_t number) { return absl::StrCat(number); }

}  // namespace

std::vector<OptionCase> AllOptionCases() {
  return {
      {"listen",
       "PATD_LISTEN",
       "[::1]:1",
       "[::1]:1",
       ShowListen,
       {"localhost:1", "7443", "unix:relative", "x"},
       "give for example 127.0.0.1:7443"},
      {"data-dir",
       "PATD_DATA_DIR",
       "/var/lib/pat",
       "/var/lib/pat",
       [](const Options& options) { return options.data_dir; },
       {""},
       "give the path of a directory"},
      {"cache-ttl",
       "PATD_CACHE_TTL",
       "90s",
       "1m30s",
       [](const Options& options) { return absl::FormatDuration(options.cache_ttl); },
       {"", "1 hour", "-1s", "1.5h", "366d", "60"},
       "give a duration of at most 365d, for example 90s, 15m, 1h or 30d"},
      {"negative-cache-ttl",
       "PATD_NEGATIVE_CACHE_TTL",
       "0",
       "0",
       [](const Options& options) { return absl::FormatDuration(options.negative_cache_ttl); },
       {"", "never", "10"},
       "give a duration of at most 365d, for example 90s, 15m, 1h or 30d"},
      {"cache-capacity",
       "PATD_CACHE_CAPACITY",
       "10",
       "10",
       [](const Options& options) { return absl::StrCat(options.cache_capacity); },
       {"", "9", "-1", "0", "1000000001", "1e6", "99999999999999999999999", "many"},
       "give a number of entries, 10 to 1000000000"},
      {"pepper-file",
       "PATD_PEPPER_FILE",
       "/etc/pat.pepper",
       "/etc/pat.pepper",
       ShowPeppers,
       {},
       "give the path of a file of at least 32 random bytes"},
      {"scope-catalog",
       "PATD_SCOPE_CATALOG",
       "/etc/scopes.tsv",
       "/etc/scopes.tsv",
       [](const Options& options) { return options.scope_catalog; },
       {""},
       "give the path of a scope catalogue"},
      {"issuer",
       "PATD_ISSUER",
       "https://pat.example",
       "https://pat.example",
       [](const Options& options) { return options.issuer; },
       {""},
       "give a name for who issued the tokens"},
      {"reflection",
       "PATD_REFLECTION",
       "off",
       Number(static_cast<int>(Switch::kOff)),
       ShowReflection,
       {"", "yes", "true", "ON", "Auto"},
       "give auto, on, off"},
      {"log-format",
       "PATD_LOG_FORMAT",
       "json",
       Number(static_cast<int>(LogFormat::kJson)),
       ShowLogFormat,
       {"", "text", "JSON"},
       "give auto, console, json"},
      {"log-level",
       "PATD_LOG_LEVEL",
       "error",
       "error",
       [](const Options& options) { return options.log_level; },
       {"", "trace", "warning", "INFO", "off", "1"},
       "give debug, info, warn or error"},
      {"insecure-debug",
       "PATD_INSECURE_DEBUG",
       "true",
       "1",
       [](const Options& options) { return absl::StrCat(options.insecure_debug); },
       {"", "yes", "1", "True", "on"},
       "give true or false"},
  };
}

std::string ShowAll(const Options& options) {
  std::string all;
  for (const OptionCase& option : AllOptionCases()) {
    absl::StrAppend(&all, option.key, "=", option.show(options), "\n");
  }
  return all;
}

}  // namespace pat
