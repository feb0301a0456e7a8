#include "tests/server/ops/options_for_tests.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

namespace pat {
namespace {

std::string ShowListen(const Options& options) {
  return absl::StrJoin(options.listen, " ", [](std::string* out, const ListenAddress& address) {
    absl::StrAppend(out, address.ToString(), address.plaintext ? "?plaintext" : "");
    if (address.role.has_value()) absl::StrAppend(out, "(role ", static_cast<int>(*address.role), ")");
  });
}
std::string ShowHealthListen(const Options& options) {
  return options.health_listen.has_value() ? options.health_listen->ToString() : "";
}
std::string ShowIdentities(const Options& options) {
  return absl::StrJoin(options.identities, " ", [](std::string* out, const IdentityEntry& entry) {
    absl::StrAppend(out, entry.spiffe, entry.uri, entry.dns, "(", entry.role, entry.digests ? " digests" : "",
                    absl::StrJoin(entry.users, "|"), ")");
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
       "give for example 127.0.0.1:7443",
       "127.0.0.1:2"},
      {"health-listen",
       "PATD_HEALTH_LISTEN",
       "0.0.0.0:8080",
       "0.0.0.0:8080",
       ShowHealthListen,
       {"", "8080", "localhost:8080", "unix:/p", "127.0.0.1:80?plaintext"},
       "give an address with a port",
       "127.0.0.1:3",
       Command::kAuthority},
      {"tls-cert",
       "PATD_TLS_CERT",
       "/tls/tls.crt",
       "/tls/tls.crt",
       [](const Options& options) { return options.tls_cert; },
       {""},
       "give the path of a file of certificates in PEM",
       "/other",
       Command::kAuthority},
      {"tls-key",
       "PATD_TLS_KEY",
       "/tls/tls.key",
       "/tls/tls.key",
       [](const Options& options) { return options.tls_key; },
       {""},
       "give the path of a private key in PEM",
       "/other",
       Command::kAuthority},
      {"tls-client-ca",
       "PATD_TLS_CLIENT_CA",
       "/tls/ca.crt",
       "/tls/ca.crt",
       [](const Options& options) { return options.tls_client_ca; },
       {""},
       "give the path of a file of CA certificates in PEM",
       "/other",
       Command::kAuthority},
      {"identities",
       "PATD_IDENTITIES",
       "spiffe=spiffe://example.org/gateway,role=introspector,digests=true",
       "spiffe://example.org/gateway(introspector digests)",
       ShowIdentities,
       {"nonsense", "dns=x.example,role=user,role=user", "dns=,role=user", "dns=x.example,role=user,digests=yes"},
       "give for example spiffe=spiffe://example.org/web,role=introspector",
       "dns=x.example,role=user",
       Command::kAuthority,
       "identity"},
      {"connection-age",
       "PATD_CONNECTION_AGE",
       "5m",
       "5m",
       [](const Options& options) { return absl::FormatDuration(options.connection_age); },
       {"", "0", "999ms", "601s", "forever"},
       "give a duration of 1s to 10m",
       "7s",
       Command::kAuthority},
      {"audit-retention",
       "PATD_AUDIT_RETENTION",
       "90d",
       "2160h",
       [](const Options& options) { return absl::FormatDuration(options.audit_retention); },
       {"", "59m", "36501d", "forever"},
       "give a duration of 1h to 36500d, for example 90d",
       "7d"},
      {"audit-log",
       "PATD_AUDIT_LOG",
       "-",
       "-",
       [](const Options& options) { return options.audit_log; },
       {""},
       "give the path of a file, or - for standard error"},
      {"admin",
       "PATD_ADMIN",
       "root",
       "root",
       [](const Options& options) { return options.admin; },
       {"", "Root", "a b", "-x", "users/ada"},
       "give a user id",
       "other",
       Command::kInit},
      {"password-file",
       "PATD_PASSWORD_FILE",
       "-",
       "-",
       [](const Options& options) { return options.password_file; },
       {""},
       "give the path of a file that holds a password, or - for standard input",
       "/other",
       Command::kInit},
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
       "give a number of entries, 10 to 1000000000",
       "11"},
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
       "give auto, on, off",
       "on"},
      {"log-format",
       "PATD_LOG_FORMAT",
       "json",
       Number(static_cast<int>(LogFormat::kJson)),
       ShowLogFormat,
       {"", "text", "JSON"},
       "give auto, console, json",
       "console"},
      {"log-level",
       "PATD_LOG_LEVEL",
       "error",
       "error",
       [](const Options& options) { return options.log_level; },
       {"", "trace", "warning", "INFO", "off", "1"},
       "give debug, info, warn or error",
       "warn"},
      {"insecure-debug",
       "PATD_INSECURE_DEBUG",
       "true",
       "1",
       [](const Options& options) { return absl::StrCat(options.insecure_debug); },
       {"", "yes", "1", "True", "on"},
       "give true or false",
       "false"},
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
