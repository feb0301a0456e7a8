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
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
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
LineLimiter* handshake_lines = nullptr;
LineLimiter* protobuf_lines = nullptr;

struct HandshakeReason {
  const char* reason;
  const char* meaning;
};

// What OpenSSL says, and what a person is to make of it. "Alerts" are what the other side says of us.
constexpr HandshakeReason kHandshakeReasons[] = {
    {"peer did not return a certificate", "the client shows none, and one is asked for"},
    {"certificate verify failed",
     "the other side's certificate is from none of the CAs that are given, has ended, or is not yet valid"},
    {"tlsv1 alert unknown ca", "the other side knows no CA for our certificate"},
    {"tlsv13 alert certificate required", "the other side asks for a certificate, and got none"},
    {"sslv3 alert bad certificate", "the other side does not take our certificate"},
    {"sslv3 alert certificate unknown", "the other side does not take our certificate"},
    {"sslv3 alert certificate expired", "to the other side our certificate has ended"},
    {"wrong version number", "the other side does not speak TLS"},
    {"http request", "the other side speaks HTTP without TLS"},
    {"unsupported protocol", "the other side knows no TLS 1.2 or 1.3"},
};

void LogComplaint(const char* library, const char* file, int line, LineLimiter& lines) {
  const std::optional<uint64_t> kept_back = lines.Admit();
  if (!kept_back.has_value()) return;
  spdlog::warn("{}: complained at {}:{} (and {} more times since the last line); --insecure-debug shows the text",
               library, file, line, *kept_back);
}

void LogGrpc(gpr_log_func_args* args) {
  if (args->severity != GPR_LOG_SEVERITY_ERROR) return;
  const std::optional<std::string> handshake = HandshakeComplaint(args->file, args->message);
  if (handshake.has_value()) {
    const std::optional<uint64_t> kept_back = handshake_lines->Admit();
    if (kept_back.has_value()) spdlog::warn("TLS: {} (and {} more handshakes)", *handshake, *kept_back);
    return;
  }
  LogComplaint("gRPC", args->file, args->line, *grpc_lines);
}

void LogProtobuf(google::protobuf::LogLevel level, const char* file, int line, const std::string& /*message*/) {
  if (level >= google::protobuf::LOGLEVEL_WARNING) LogComplaint("protobuf", file, line, *protobuf_lines);
}

}  // namespace

std::optional<std::string> HandshakeComplaint(absl::string_view file, absl::string_view message) {
  // The one text of that file that has nothing but the code and the reason of OpenSSL's error, which are constants:
  // "... SSL_ERROR_SSL: error:0A0000C7:SSL routines::peer did not return a certificate."
  constexpr size_t kLongestReason = 100;
  if (!absl::EndsWith(file, "tsi/ssl_transport_security.cc")) return std::nullopt;
  if (!absl::ConsumePrefix(&message, "Handshake failed with fatal error ")) return std::nullopt;
  if (const size_t end = message.rfind("::"); end != absl::string_view::npos) message.remove_prefix(end + 2);
  absl::ConsumeSuffix(&message, ".");
  message = message.substr(0, kLongestReason);
  for (const auto& [reason, meaning] : kHandshakeReasons) {
    if (message == reason) return absl::StrCat("a handshake failed: ", message, ": ", meaning);
  }
  return absl::StrCat("a handshake failed: ", message);
}

void RouteLibraryLogs(const Clock& clock) {
  grpc_lines = new LineLimiter(clock);
  handshake_lines = new LineLimiter(clock);
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
