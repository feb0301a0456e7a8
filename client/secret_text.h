// SecretText: a password or a token's secret in memory.
//
// It is wiped when it is destroyed and when it is moved away. It cannot be copied, compared or printed; looking inside
// takes Reveal(), a word that can be searched for. What gRPC copies of it into its own buffers is not wiped.
//
// Threads: a value type; no synchronisation of its own.
#ifndef PAT_CLIENT_SECRET_TEXT_H_
#define PAT_CLIENT_SECRET_TEXT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pat::client {

class SecretText {
 public:
  SecretText() = default;

  // Takes a copy, and wipes `text`.
  explicit SecretText(std::string&& text);

  SecretText(SecretText&& other) noexcept;
  SecretText& operator=(SecretText&& other) noexcept;
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  ~SecretText();

  // The text. Valid until the next change of this object.
  absl::string_view Reveal() const { return absl::string_view(bytes_.data(), bytes_.size()); }

  bool empty() const { return bytes_.empty(); }
  size_t size() const { return bytes_.size(); }

  // Adds to the end. The memory that it leaves when it must grow is wiped.
  void Append(absl::string_view more);

  // Takes "\n" or "\r\n" away from the end, once: what an editor or `echo` puts after a line.
  void StripLineEnd();

 private:
  void Wipe();

  std::vector<char> bytes_;
};

// Overwrites `text` and empties it. For strings that other people's code made of a secret.
void WipeString(std::string& text);

}  // namespace pat::client

#endif  // PAT_CLIENT_SECRET_TEXT_H_
