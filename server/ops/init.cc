#include "server/ops/init.h"

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/authn/password_verifier.h"
#include "server/core/audit_log.h"
#include "server/core/error.h"
#include "server/core/principal.h"
#include "server/core/user_lifecycle.h"
#include "server/crypto/self_test.h"
#include "server/ops/authority.h"
#include "server/ops/data_directory.h"
#include "server/ops/new_password.h"

namespace pat {
namespace {

// A refusal by the rules, as a line for a person.
absl::Status InOneLine(const absl::Status& status, const std::string& password_file) {
  const std::optional<ErrorDetails> details = DetailsOf(status);
  if (!details.has_value() || details->violations.empty()) return status;
  return absl::InvalidArgumentError(
      absl::StrJoin(details->violations, "; ", [&](std::string* out, const FieldViolation& violation) {
        const bool of_file = violation.field == "password" && !password_file.empty();
        absl::StrAppend(out, of_file ? "--password-file: " + password_file + ": the password" : violation.field,
                        of_file ? " " : ": ", violation.description);
      }));
}

absl::Status MakeAdministrator(DataDirectory& data, const ScopeCatalog& catalog, const std::string& id,
                               const Secret& password, const Clock& clock) {
  AuditLog audit(data.store(), data.peppers(), clock);
  PasswordVerifier passwords(data.store(), clock);
  UserLifecycle users(data.store(), catalog, passwords, audit, data.peppers(), clock);
  // Nobody is there who could be asked; so it is the administrator's own doing.
  const Principal principal{.kind = PrincipalKind::kUser, .user_id = id, .administrator = true, .peer = "patd init"};
  return users
      .CreateFirst(principal, {.user_id = id,
                               .type = UserType::kLocal,
                               .administrator = true,
                               .grants = {"*"},
                               .password = password.Reveal()})
      .status();
}

}  // namespace

absl::StatusOr<std::string> InitAuthority(const Options& options, const ClockSource& clock_source) {
  if (options.admin.empty()) {
    return absl::InvalidArgumentError(
        "--admin: is not given; give the id of the first administrator, for example admin");
  }
  const Clock clock(clock_source);
  if (absl::Status status = CryptoSelfTest(); !status.ok()) return status;
  const absl::StatusOr<std::shared_ptr<const ScopeCatalog>> catalog = LoadScopeCatalog(options);
  if (!catalog.ok()) return catalog.status();
  // Before somebody is asked for a password in vain. From here on until everything is there nobody is asked anything.
  if (absl::Status status = DataDirectory::CheckFree(options); !status.ok()) return status;
  const absl::StatusOr<Secret> password = ReadNewPassword(options.password_file);
  if (!password.ok()) return password.status();
  if (password->empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.password_file.empty() ? "" : absl::StrCat("--password-file: ", options.password_file, ": "),
        "the password is empty; nothing was made"));
  }

  const absl::StatusOr<std::unique_ptr<DataDirectory>> data = DataDirectory::Open(options, DataUse::kMake, clock);
  if (!data.ok()) return data.status();
  const absl::Status made = MakeAdministrator(**data, **catalog, options.admin, *password, clock);
  if (!made.ok()) return InOneLine(made, options.password_file);
  (*data)->Keep();

  const std::string& pepper = (*data)->pepper_files().front();
  const std::string pepper_option = options.pepper_files.empty() ? "" : absl::StrCat(" --pepper-file ", pepper);
  return absl::StrCat("Data directory: ", (*data)->directory(), "\nPepper file:    ", pepper,
                      (*data)->pepper_is_new() ? "" : " (was there before)", "\nAdministrator:  ", options.admin,
                      "\n\nKeep a copy of the pepper file, apart from copies of the data: without it no token is ever "
                      "found.\nNext:\n\n  patd authority --data-dir ",
                      (*data)->directory(), pepper_option,
                      " --tls-cert FILE --tls-key FILE --tls-client-ca FILE\n\nor, for callers on this machine only, "
                      "--listen unix:/run/pat/pat.sock instead of the certificates; then, as the administrator,\n\n"
                      "  patctl --server unix:/run/pat/pat.sock --user ",
                      options.admin, " user create --help\n");
}

}  // namespace pat
