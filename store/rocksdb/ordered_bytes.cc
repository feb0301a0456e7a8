#include "store/rocksdb/ordered_bytes.h"

#include <limits>

namespace pat::rocks {
namespace {

constexpr uint64_t kSignBit = uint64_t{1} << 63;
constexpr uint32_t kLastNanosecond = 999'999'999;
constexpr size_t kTimeSize = 12;

template <typename Integer>
void AppendBigEndian(std::string& out, Integer value) {
  for (int shift = 8 * (static_cast<int>(sizeof(value)) - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<uint8_t>(value >> shift)));
  }
}

template <typename Integer>
bool ConsumeBigEndian(absl::string_view& in, Integer& value) {
  if (in.size() < sizeof(value)) return false;
  value = 0;
  for (size_t i = 0; i < sizeof(value); ++i) {
    value = static_cast<Integer>((value << 8) | static_cast<uint8_t>(in[i]));
  }
  in.remove_prefix(sizeof(value));
  return true;
}

}  // namespace

void AppendUint32(std::string& out, uint32_t value) { AppendBigEndian(out, value); }
void AppendUint64(std::string& out, uint64_t value) { AppendBigEndian(out, value); }
bool ConsumeUint32(absl::string_view& in, uint32_t& value) { return ConsumeBigEndian(in, value); }
bool ConsumeUint64(absl::string_view& in, uint64_t& value) { return ConsumeBigEndian(in, value); }

void AppendTime(std::string& out, absl::Time time) {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  if (time == absl::InfiniteFuture()) {
    seconds = std::numeric_limits<int64_t>::max();
    nanoseconds = kLastNanosecond;
  } else if (time == absl::InfinitePast()) {
    seconds = std::numeric_limits<int64_t>::min();
  } else {
    seconds = absl::ToUnixSeconds(time);  // Rounds towards the past, so the rest is never negative.
    nanoseconds = static_cast<uint32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds)));
  }
  AppendUint64(out, static_cast<uint64_t>(seconds) ^ kSignBit);
  AppendUint32(out, nanoseconds);
}

bool ConsumeTime(absl::string_view& in, absl::Time& time) {
  uint64_t biased_seconds = 0;
  uint32_t nanoseconds = 0;
  if (!ConsumeUint64(in, biased_seconds) || !ConsumeUint32(in, nanoseconds)) return false;
  if (nanoseconds > kLastNanosecond) return false;
  const auto seconds = static_cast<int64_t>(biased_seconds ^ kSignBit);
  if (seconds == std::numeric_limits<int64_t>::max() && nanoseconds == kLastNanosecond) {
    time = absl::InfiniteFuture();
  } else if (seconds == std::numeric_limits<int64_t>::min() && nanoseconds == 0) {
    time = absl::InfinitePast();
  } else {
    time = absl::FromUnixSeconds(seconds) + absl::Nanoseconds(nanoseconds);
  }
  return true;
}

void AppendDescendingTime(std::string& out, absl::Time time) {
  const size_t begin = out.size();
  AppendTime(out, time);
  for (size_t i = begin; i < out.size(); ++i) out[i] = static_cast<char>(~out[i]);
}

bool ConsumeDescendingTime(absl::string_view& in, absl::Time& time) {
  if (in.size() < kTimeSize) return false;
  std::string ascending(in.substr(0, kTimeSize));
  for (char& byte : ascending) byte = static_cast<char>(~byte);
  in.remove_prefix(kTimeSize);
  absl::string_view rest = ascending;
  return ConsumeTime(rest, time);
}

void AppendTerminated(std::string& out, absl::string_view text) {
  for (const char byte : text) {
    out.push_back(byte);
    if (byte == '\0') out.push_back('\xff');
  }
  out.append("\x00\x01", 2);
}

}  // namespace pat::rocks
