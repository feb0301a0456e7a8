// What becomes of the memory of secrets: this program replaces operator new and
// delete, and looks at every block at the moment it is freed.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <utility>

#include "server/crypto/bytes.h"
#include "server/crypto/digest.h"
#include "server/crypto/secret.h"

namespace {

// The blocks allocated while `watching`, and what was in them at the end. Plain
// arrays: this runs inside operator new.
struct Block {
  const unsigned char* data;
  size_t size;
};
bool watching = false;
std::array<Block, 16> blocks;
size_t block_count = 0;
int freed_wiped = 0;
int freed_dirty = 0;

void Forget() {
  watching = false;
  block_count = 0;
  freed_wiped = 0;
  freed_dirty = 0;
}

void Allocated(void* data, size_t size) {
  if (!watching) return;
  if (block_count == blocks.size()) std::abort();
  blocks[block_count++] = {static_cast<const unsigned char*>(data), size};
}

void Freeing(const void* data) {
  for (size_t i = 0; i < block_count; ++i) {
    if (blocks[i].data != data) continue;
    const bool wiped =
        std::all_of(blocks[i].data, blocks[i].data + blocks[i].size, [](unsigned char byte) { return byte == 0; });
    ++(wiped ? freed_wiped : freed_dirty);
    blocks[i] = blocks[--block_count];
    return;
  }
}

}  // namespace

// Not inlined, or the compiler sees free() on what some `new` returned. The array
// forms are here as a sanitizer's own do not come through the plain ones.

[[gnu::noinline]] void* operator new(size_t size) {
  void* data = std::malloc(size);
  if (data == nullptr) throw std::bad_alloc();
  Allocated(data, size);
  return data;
}

[[gnu::noinline]] void operator delete(void* data) noexcept {
  Freeing(data);
  std::free(data);
}

[[gnu::noinline]] void operator delete(void* data, size_t /*size*/) noexcept { operator delete(data); }

[[gnu::noinline]] void* operator new[](size_t size) { return operator new(size); }

[[gnu::noinline]] void operator delete[](void* data) noexcept { operator delete(data); }

[[gnu::noinline]] void operator delete[](void* data, size_t /*size*/) noexcept { operator delete(data); }

namespace pat {
namespace {

TEST(WipedBeforeFreedTest, TheWatchItselfSeesADirtyBlock) {
  Forget();
  watching = true;
  { std::string text(100, 's'); }
  watching = false;
  EXPECT_EQ(freed_dirty, 1);
}

TEST(WipedBeforeFreedTest, DestroyedSecret) {
  std::string text(100, 's');
  Forget();
  watching = true;
  { Secret secret(std::move(text)); }
  watching = false;
  EXPECT_EQ(freed_wiped, 1);
  EXPECT_EQ(freed_dirty, 0);
}

TEST(WipedBeforeFreedTest, SecretThatIsAssignedTo) {
  std::string first(100, '1');
  std::string second(100, '2');
  Forget();
  watching = true;
  {
    Secret a(std::move(first));
    Secret b(std::move(second));
    a = std::move(b);
    EXPECT_EQ(freed_wiped, 1);
  }
  watching = false;
  EXPECT_EQ(freed_wiped, 2);
  EXPECT_EQ(freed_dirty, 0);
}

TEST(WipedBeforeFreedTest, DestroyedHmacKey) {
  Forget();
  watching = true;
  {
    HmacSha256Key key(AsBytes("a pepper"));
    HmacSha256Key moved(std::move(key));
  }
  watching = false;
  EXPECT_EQ(freed_wiped, 1);
  EXPECT_EQ(freed_dirty, 0);
}

TEST(WipedBeforeFreedTest, HmacKeyThatIsAssignedTo) {
  Forget();
  watching = true;
  {
    HmacSha256Key key(AsBytes("a pepper"));
    key = HmacSha256Key(AsBytes("another pepper"));
    EXPECT_EQ(freed_wiped, 1);
  }
  watching = false;
  EXPECT_EQ(freed_wiped, 2);
  EXPECT_EQ(freed_dirty, 0);
}

}  // namespace
}  // namespace pat
