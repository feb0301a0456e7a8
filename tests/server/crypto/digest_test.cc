#include "server/crypto/digest.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "server/crypto/bytes.h"

namespace pat {
namespace {

std::string Hex(const Sha256Digest& digest) { return absl::BytesToHexString(AsText(digest)); }

struct Sha256Vector {
  std::string data;
  std::string digest;
};

// The examples of FIPS 180-4 and its predecessor (NIST "SHA256.pdf").
TEST(Sha256Test, KnownAnswers) {
  const std::vector<Sha256Vector> vectors = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const Sha256Vector& vector : vectors) {
    EXPECT_EQ(Hex(Sha256(vector.data)), vector.digest) << vector.data.size() << " bytes";
  }
}

struct HmacVector {
  std::string name;
  std::string key;
  std::string data;
  std::string mac;
};

std::string BytesFromTo(char first, char last) {
  std::string bytes;
  for (char c = first; c <= last; ++c) bytes.push_back(c);
  return bytes;
}

// RFC 4231, section 4. Of case 5 the RFC gives the first 128 bits; the rest, and
// the keys around the block size, were computed with Python's hmac module.
const std::vector<HmacVector>& HmacVectors() {
  static const auto& vectors = *new std::vector<HmacVector>{
      {"case 1", std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"case 2", "Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {"case 3", std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {"case 4", BytesFromTo(1, 25), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {"case 5", std::string(20, '\x0c'), "Test With Truncation",
       "a3b6167473100ee06e0c796c2955552bfa6f7c0a6a8aef8b93f860aab0cd20c5"},
      {"case 6", std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {"case 7", std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than "
       "block-size data. The key needs to be hashed before being used by the "
       "HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
      {"empty key", "", "data", "e528c4d99e6177f5841f712a143b90843299a4aa181a06501422d9ca862bd2a5"},
      {"a byte less than a block", std::string(63, 'k'), "data",
       "ac606b54f050fbdd53bb5848b99dd0bb6f1222bd375ea2aaf66f1af02fcf73e7"},
      {"exactly a block", std::string(64, 'k'), "data",
       "93244b031118b8060c6619e5900fcf916faefb2d8d020fecb22ae0f62275db08"},
      {"a byte more than a block", std::string(65, 'k'), "data",
       "a79b53d0bf1cb4bb00c301979e6e60ef792a435cafabd76ab9e8989bbdef2dff"},
  };
  return vectors;
}

TEST(HmacSha256Test, KnownAnswers) {
  for (const HmacVector& vector : HmacVectors()) {
    EXPECT_EQ(Hex(HmacSha256(AsBytes(vector.key), AsBytes(vector.data))), vector.mac) << vector.name;
  }
}

TEST(HmacSha256KeyTest, KnownAnswersAgainAndAgain) {
  for (const HmacVector& vector : HmacVectors()) {
    const HmacSha256Key key(AsBytes(vector.key));
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(Hex(key.Mac(AsBytes(vector.data))), vector.mac) << vector.name;
      key.Mac(AsBytes("something in between"));
    }
  }
}

TEST(HmacSha256KeyTest, NeedsTheCallersKeyOnlyWhileItIsMade) {
  std::string bytes = "Jefe";
  const HmacSha256Key key(AsBytes(bytes));
  bytes = "gone";
  EXPECT_EQ(Hex(key.Mac(AsBytes("what do ya want for nothing?"))), HmacVectors()[1].mac);
}

TEST(HmacSha256KeyTest, Moves) {
  HmacSha256Key from(AsBytes("Jefe"));
  HmacSha256Key to(std::move(from));
  EXPECT_EQ(Hex(to.Mac(AsBytes("what do ya want for nothing?"))), HmacVectors()[1].mac);
  HmacSha256Key assigned(AsBytes("another"));
  assigned = std::move(to);
  EXPECT_EQ(Hex(assigned.Mac(AsBytes("what do ya want for nothing?"))), HmacVectors()[1].mac);
}

TEST(HmacSha256KeyTest, ManyThreadsMayUseOneKey) {
  const HmacSha256Key key(AsBytes("a pepper"));
  const Sha256Digest expected = HmacSha256(AsBytes("a pepper"), AsBytes("t"));
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int& count : wrong) {
    threads.emplace_back([&key, &expected, &count] {
      for (int i = 0; i < 1000; ++i) count += key.Mac(AsBytes("t")) != expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!Printable<HmacSha256Key>);
static_assert(!std::is_copy_constructible_v<HmacSha256Key>);
static_assert(!std::is_copy_assignable_v<HmacSha256Key>);

}  // namespace
}  // namespace pat
