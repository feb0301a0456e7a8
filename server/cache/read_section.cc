#include "server/cache/read_section.h"

#include <algorithm>
#include <atomic>

namespace pat {
namespace {

constexpr uint64_t kNotReading = UINT64_MAX;

// One per thread that ever read, on a cache line of its own. Slots are linked once and used again after their thread
// ended; they are never freed, so the list may be walked without a lock.
struct alignas(64) Slot {
  std::atomic<uint64_t> reading_since{kNotReading};
  std::atomic<bool> taken{true};
  Slot* next = nullptr;  // Constant after the slot was linked.
};

std::atomic<uint64_t> stamp_clock{1};
std::atomic<Slot*> first_slot{nullptr};

Slot* TakeSlot() {
  for (Slot* slot = first_slot.load(std::memory_order_acquire); slot != nullptr; slot = slot->next) {
    bool expected = false;
    if (slot->taken.compare_exchange_strong(expected, true)) return slot;
  }
  Slot* const slot = new Slot();
  slot->next = first_slot.load(std::memory_order_relaxed);
  while (!first_slot.compare_exchange_weak(slot->next, slot, std::memory_order_seq_cst)) {
  }
  return slot;
}

struct ThreadState {
  Slot* slot = nullptr;
  int depth = 0;

  ~ThreadState() {
    if (slot != nullptr) slot->taken.store(false);
  }
};

thread_local ThreadState thread_state;

}  // namespace

// All of these are sequentially consistent on purpose. A reader announces itself (S) and then loads a link (L); a
// writer removes the link (U) and then looks for readers (O). If L still saw the link then L is before U in the one
// order of all these operations, so S is before O and the writer sees the reader.
ReadSection::ReadSection() {
  ThreadState& state = thread_state;
  if (state.depth++ > 0) return;
  if (state.slot == nullptr) state.slot = TakeSlot();
  state.slot->reading_since.store(stamp_clock.load(std::memory_order_seq_cst), std::memory_order_seq_cst);
}

ReadSection::~ReadSection() {
  ThreadState& state = thread_state;
  if (--state.depth > 0) return;
  state.slot->reading_since.store(kNotReading, std::memory_order_release);
}

uint64_t RetireStamp() { return stamp_clock.fetch_add(1, std::memory_order_seq_cst); }

uint64_t OldestReader() {
  uint64_t oldest = stamp_clock.load(std::memory_order_seq_cst);
  for (Slot* slot = first_slot.load(std::memory_order_seq_cst); slot != nullptr; slot = slot->next) {
    oldest = std::min(oldest, slot->reading_since.load(std::memory_order_seq_cst));
  }
  return oldest;
}

}  // namespace pat
