// Numbers, instants and strings as bytes whose order (memcmp) is the order of the values, and back.
//
// Used for keys, where the order matters, and for records, where it only has to be one form per value. The form is part
// of the disk format: see store/FORMAT.md.
//
// An Append… function adds to the end of a string. A Consume… function takes from the front of a view: true, or false
// if the view is too short or holds what no Append… writes; the view is then unspecified. Thread-safe: no state.
#ifndef PAT_STORE_ROCKSDB_ORDERED_BYTES_H_
#define PAT_STORE_ROCKSDB_ORDERED_BYTES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace pat::rocks {

// Big-endian: 4 and 8 bytes.
void AppendUint32(std::string& out, uint32_t value);
void AppendUint64(std::string& out, uint64_t value);
bool ConsumeUint32(absl::string_view& in, uint32_t& value);
bool ConsumeUint64(absl::string_view& in, uint64_t& value);

// 12 bytes: whole seconds since 1970 plus 2^63 (8 bytes), then nanoseconds (4 bytes). Finer than a nanosecond is cut
// off, towards the past. The very first and last of these instants stand for InfinitePast and InfiniteFuture.
void AppendTime(std::string& out, absl::Time time);
bool ConsumeTime(absl::string_view& in, absl::Time& time);

// The same with every bit turned over: later instants come first.
void AppendDescendingTime(std::string& out, absl::Time time);
bool ConsumeDescendingTime(absl::string_view& in, absl::Time& time);

// A string of any bytes that something else follows: 00 becomes 00 FF, and the end is 00 01.
void AppendTerminated(std::string& out, absl::string_view text);

// Exactly as many bytes as the array has.
template <size_t kSize>
void AppendArray(std::string& out, const std::array<uint8_t, kSize>& bytes) {
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}
template <size_t kSize>
bool ConsumeArray(absl::string_view& in, std::array<uint8_t, kSize>& bytes) {
  if (in.size() < kSize) return false;
  for (size_t i = 0; i < kSize; ++i) bytes[i] = static_cast<uint8_t>(in[i]);
  in.remove_prefix(kSize);
  return true;
}

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_ORDERED_BYTES_H_
