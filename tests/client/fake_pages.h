// What the services of FakeServer have in common.
//
// Threads: pure functions.
#ifndef PAT_TESTS_CLIENT_FAKE_PAGES_H_
#define PAT_TESTS_CLIENT_FAKE_PAGES_H_

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace pat::client {

inline constexpr int kPageSize = 2;

// The page that begins at `page_token`, a number. `empty_pages`: in front of each there is one with nothing in it.
template <typename T, typename Repeated>
std::string Page(const std::vector<T>& all, std::string page_token, bool empty_pages, Repeated* page) {
  if (page_token.empty()) page_token = "0";
  if (empty_pages && page_token.front() != '+') return absl::StrCat("+", page_token);
  size_t begin = 0;
  if (!absl::SimpleAtoi(page_token, &begin)) return "";  // A "+" does no harm.
  const size_t end = std::min(begin + kPageSize, all.size());
  for (size_t i = begin; i < end; ++i) *page->Add() = all[i];
  return end < all.size() ? absl::StrCat(end) : "";
}

// "RevokeToken", or "RevokeToken validate_only".
template <typename Request>
std::string Method(const std::string& name, const Request& request) {
  return request.validate_only() ? absl::StrCat(name, " validate_only") : name;
}

}  // namespace pat::client

#endif  // PAT_TESTS_CLIENT_FAKE_PAGES_H_
