// Read sections: how readers of the cache look at entries without a lock and without counting references.
//
// A reader holds a ReadSection while it looks. A writer unlinks an entry, asks RetireStamp() for a stamp and keeps the
// entry aside; once OldestReader() is greater than the stamp, nobody can still be looking and the entry may be freed.
// So two threads that read the same hot entry write to nothing that they share. (Fraser, "Practical lock-freedom",
// 2004: epoch-based reclamation; one domain for the process.)
//
// Threads: any thread may open sections, nested ones too; a section is closed on the thread that opened it. A section
// must be short: what is retired meanwhile is kept until it ends.
#ifndef PAT_SERVER_CACHE_READ_SECTION_H_
#define PAT_SERVER_CACHE_READ_SECTION_H_

#include <cstdint>

namespace pat {

class ReadSection {
 public:
  ReadSection();
  ~ReadSection();

  ReadSection(const ReadSection&) = delete;
  ReadSection& operator=(const ReadSection&) = delete;
};

// Call after the last link to an entry is gone.
uint64_t RetireStamp();

// All that was retired with a smaller stamp than this may be freed.
uint64_t OldestReader();

}  // namespace pat

#endif  // PAT_SERVER_CACHE_READ_SECTION_H_
