// The engines that the conformance suite runs over, each behind the same small handle.
//
// Exceptions, named and argued:
//   memory  keeps_data() is false: it promises to keep nothing, so what a test says about reopening does not apply to
//   it.
//           Reopen() is an error there, so that no test can use it by accident.
#ifndef PAT_TESTS_STORE_ENGINES_H_
#define PAT_TESTS_STORE_ENGINES_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "store/token_store.h"

namespace pat {

// One store of one engine, empty at first, removed with the object.
class EngineUnderTest {
 public:
  virtual ~EngineUnderTest() = default;

  virtual TokenStore& store() = 0;

  // Whether data outlives the store object.
  virtual bool keeps_data() const = 0;
  // Closes the store and opens it again. References that store() gave before are void.
  virtual absl::Status Reopen() = 0;
  // Whether indexes and records agree, where the engine can tell.
  virtual absl::Status Verify() = 0;
};

struct Engine {
  std::string name;
  std::function<std::unique_ptr<EngineUnderTest>()> make;
};
inline void PrintTo(const Engine& engine, std::ostream* out) { *out << engine.name; }

std::unique_ptr<EngineUnderTest> MakeMemoryEngine();
std::unique_ptr<EngineUnderTest> MakeRocksDbEngine();

// All of them.
std::vector<Engine> AllEngines();

// A directory of its own for one test, removed with the object.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace pat

#endif  // PAT_TESTS_STORE_ENGINES_H_
