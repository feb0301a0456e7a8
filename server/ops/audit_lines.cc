#include "server/ops/audit_lines.h"

#include <fcntl.h>
#include <google/protobuf/util/json_util.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <system_error>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "pat/v1/audit_service.pb.h"
#include "server/rpc/messages.h"

namespace pat {

absl::StatusOr<std::unique_ptr<AuditLines>> AuditLines::Open(const std::string& path, const Clock& clock) {
  if (path == "-") return absl::WrapUnique(new AuditLines(STDERR_FILENO, /*owned=*/false, clock));
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
  if (file < 0) return absl::ErrnoToStatus(errno, absl::StrCat("--audit-log: ", path, ": cannot be opened"));
  return absl::WrapUnique(new AuditLines(file, /*owned=*/true, clock));
}

AuditLines::~AuditLines() {
  if (owned_) close(file_);
}

void AuditLines::Write(const AuditRecord& row) {
  v1::AuditEvent event;
  SetAuditEvent(row, event);
  std::string line;
  int error = 0;
  if (!google::protobuf::util::MessageToJsonString(event, &line).ok()) {
    error = EILSEQ;
  } else {
    line.push_back('\n');
    // One call for a whole line: what is appended so is not mixed with the lines of other threads and processes.
    const ssize_t written = write(file_, line.data(), line.size());
    if (written != static_cast<ssize_t>(line.size())) error = written < 0 ? errno : ENOSPC;
  }
  if (error == 0) return;
  const std::optional<uint64_t> kept_back = failures_.Admit();
  if (!kept_back.has_value()) return;
  spdlog::error("--audit-log: an event could not be written: {} (and {} more since the last line); the store has it",
                std::generic_category().message(error), *kept_back);
}

}  // namespace pat
