#include "server/ops/logging.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "server/ops/line_limiter.h"

namespace pat {
namespace {

// %v of the pattern, but safe inside a JSON string; "%J" in the pattern below.
class JsonMessageFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/, spdlog::memory_buf_t& out) override {
    const std::string escaped = JsonEscaped(std::string(message.payload.data(), message.payload.size()));
    out.append(escaped.data(), escaped.data() + escaped.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonMessageFlag>(); }
};

// The same for a person: what comes from outside cannot forge a line or move the cursor.
class ConsoleMessageFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/, spdlog::memory_buf_t& out) override {
    // All that is not ASCII too: U+009B begins an escape sequence as well as ESC does.
    const std::string escaped = absl::CHexEscape(absl::string_view(message.payload.data(), message.payload.size()));
    out.append(escaped.data(), escaped.data() + escaped.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<ConsoleMessageFlag>(); }
};

// What gRPC and protobuf call back; they take a function without state.
LineLimiter* grpc_lines = nullptr;
LineLimiter* protobuf_lines = nullptr;

void LogComplaint(const char* library, const char* file, int line, LineLimiter& lines) {
  const std::optional<uint64_t> kept_back = lines.Admit();
  if (!kept_back.has_value()) return;
  spdlog::warn("{}: complained at {}:{} (and {} more times since the last line); --insecure-debug shows the text",
               library, file, line, *kept_back);
}

void LogGrpc(gpr_log_func_args* args) {
  if (args->severity == GPR_LOG_SEVERITY_ERROR) LogComplaint("gRPC", args->file, args->line, *grpc_lines);
}

void LogProtobuf(google::protobuf::LogLevel level, const char* file, int line, const std::string& /*message*/) {
  if (level >= google::protobuf::LOGLEVEL_WARNING) LogComplaint("protobuf", file, line, *protobuf_lines);
}

}  // namespace

void RouteLibraryLogs(const Clock& clock) {
  grpc_lines = new LineLimiter(clock);
  protobuf_lines = new LineLimiter(clock);
  gpr_set_log_function(&LogGrpc);
  google::protobuf::SetLogHandler(&LogProtobuf);
}

std::string JsonEscaped(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += absl::StrFormat("\\u%04x", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

void InitLogging(LogFormat format, const std::string& level) {
  const bool json = format == LogFormat::kJson || (format == LogFormat::kAuto && isatty(STDERR_FILENO) == 0);
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<JsonMessageFlag>('J').add_flag<ConsoleMessageFlag>('*');
  formatter->set_pattern(json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%J"})"
                              : "%Y-%m-%d %H:%M:%S.%eZ %l %*");
  auto logger = std::make_shared<spdlog::logger>("patd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace pat
