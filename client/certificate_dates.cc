#include "client/certificate_dates.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"

namespace pat::client {
namespace {

// Tags of DER.
constexpr unsigned char kInteger = 0x02;
constexpr unsigned char kUtcTime = 0x17;
constexpr unsigned char kGeneralizedTime = 0x18;
constexpr unsigned char kSequence = 0x30;
constexpr unsigned char kVersion = 0xA0;

struct Element {
  unsigned char tag;
  absl::string_view content;
};

// Takes the next element off `der`. nullopt: there is none that is whole.
std::optional<Element> Take(absl::string_view& der) {
  const auto byte = [&der](size_t i) { return static_cast<unsigned char>(der[i]); };
  if (der.size() < 2) return std::nullopt;
  size_t header = 2;
  size_t length = byte(1);
  if (length >= 0x80) {
    const size_t digits = length & 0x7F;
    if (digits == 0 || digits > 4 || der.size() < header + digits) return std::nullopt;
    length = 0;
    for (size_t i = 0; i < digits; ++i) length = length << 8 | byte(header + i);
    header += digits;
  }
  if (der.size() - header < length) return std::nullopt;
  const Element element{byte(0), der.substr(header, length)};
  der.remove_prefix(header + length);
  return element;
}

// Takes an element of this tag.
std::optional<absl::string_view> Take(absl::string_view& der, unsigned char tag) {
  const std::optional<Element> element = Take(der);
  if (!element.has_value() || element->tag != tag) return std::nullopt;
  return element->content;
}

// "YYMMDDhhmmssZ" or "YYYYMMDDhhmmssZ", as RFC 5280 wants them.
std::optional<absl::Time> TakeTime(absl::string_view& der) {
  const std::optional<Element> element = Take(der);
  if (!element.has_value()) return std::nullopt;
  std::string digits(element->content);
  if (element->tag == kUtcTime && digits.size() == 13) {
    digits.insert(0, digits[0] < '5' ? "20" : "19");
  } else if (element->tag != kGeneralizedTime) {
    return std::nullopt;
  }
  if (digits.size() != 15 || digits.back() != 'Z') return std::nullopt;
  digits.pop_back();
  for (char c : digits) {
    if (!absl::ascii_isdigit(c)) return std::nullopt;
  }
  const auto number = [&digits](size_t begin, size_t length) {
    int value = 0;
    return absl::SimpleAtoi(digits.substr(begin, length), &value) ? value : 0;
  };
  return absl::FromCivil(
      absl::CivilSecond(number(0, 4), number(4, 2), number(6, 2), number(8, 2), number(10, 2), number(12, 2)),
      absl::UTCTimeZone());
}

std::optional<std::string> DerOf(absl::string_view pem) {
  constexpr absl::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr absl::string_view kEnd = "-----END CERTIFICATE-----";
  const size_t begin = pem.find(kBegin);
  if (begin == absl::string_view::npos) return std::nullopt;
  pem.remove_prefix(begin + kBegin.size());
  const size_t end = pem.find(kEnd);
  if (end == absl::string_view::npos) return std::nullopt;
  std::string der;
  const std::string base64 = absl::StrReplaceAll(pem.substr(0, end), {{"\n", ""}, {"\r", ""}});
  if (!absl::Base64Unescape(base64, &der)) return std::nullopt;
  return der;
}

}  // namespace

std::optional<CertificateDates> ReadCertificateDates(absl::string_view pem) {
  const std::optional<std::string> der = DerOf(pem);
  if (!der.has_value()) return std::nullopt;
  absl::string_view rest = *der;
  std::optional<absl::string_view> content = Take(rest, kSequence);
  if (content.has_value()) content = Take(*content, kSequence);
  if (!content.has_value()) return std::nullopt;
  absl::string_view signed_part = *content;
  if (!signed_part.empty() && static_cast<unsigned char>(signed_part[0]) == kVersion) Take(signed_part);
  for (const unsigned char tag : {kInteger, kSequence, kSequence}) {  // Serial number, algorithm, issuer.
    if (!Take(signed_part, tag).has_value()) return std::nullopt;
  }
  std::optional<absl::string_view> validity = Take(signed_part, kSequence);
  if (!validity.has_value()) return std::nullopt;
  const std::optional<absl::Time> begin = TakeTime(*validity);
  const std::optional<absl::Time> end = TakeTime(*validity);
  if (!begin.has_value() || !end.has_value()) return std::nullopt;
  return CertificateDates{*begin, *end};
}

}  // namespace pat::client
