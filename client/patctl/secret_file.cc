#include "client/patctl/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/patctl/exit_code.h"
#include "client/patctl/text.h"

namespace pat::patctl {
namespace {

using client::SecretText;

absl::StatusOr<SecretText> ReadFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return UsageError(absl::StrCat("cannot be read: ", strerror(errno)));
  auto content = ReadDescriptor(descriptor, kLongestSecret);
  close(descriptor);
  return content;
}

}  // namespace

absl::StatusOr<SecretText> ReadDescriptor(int descriptor, size_t limit) {
  SecretText content;
  char buffer[1024];
  absl::Status status;
  while (true) {
    const ssize_t count = read(descriptor, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) status = UsageError(absl::StrCat("cannot be read: ", strerror(errno)));
    if (count <= 0) break;
    content.Append(absl::string_view(buffer, count));
    if (content.size() > limit) {
      status = UsageError(absl::StrCat("more than ", limit, " bytes: that is no password and no token"));
      break;
    }
  }
  explicit_bzero(buffer, sizeof(buffer));
  if (!status.ok()) return status;
  return content;
}

void WarnIfOthersCanRead(const std::string& path, Console& console) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  if ((status.st_mode & (S_IRGRP | S_IROTH)) == 0) return;
  const std::string shown = MaskSecrets(Printable(path));
  console.err() << "patctl: warning: others can read \"" << shown << "\": chmod 600 \"" << shown << "\"" << std::endl;
}

absl::StatusOr<SecretText> ReadSecretFile(const std::string& path, absl::string_view prompt, Console& console) {
  const bool standard_input = path == "-";
  if (standard_input && console.InputIsTerminal()) return console.ReadHidden(prompt);
  auto content = standard_input ? console.ReadAll(kLongestSecret) : ReadFile(path);
  const std::string source = standard_input ? "standard input" : absl::StrCat("\"", path, "\"");
  if (!content.ok()) return UsageError(absl::StrCat(source, ": ", content.status().message()));
  if (!standard_input) WarnIfOthersCanRead(path, console);
  content->StripLineEnd();
  if (content->empty()) return UsageError(absl::StrCat(source, ": there is nothing in it"));
  return content;
}

}  // namespace pat::patctl
