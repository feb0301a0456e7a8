// Linked into every program of the tsan preset, and only there.
//
// ThreadSanitizer knows what it compiled and what it intercepts (pthread_*, ...).
// Debian's Abseil and gRPC are neither: absl::Mutex sleeps on a futex, gRPC hands
// over tags through atomics of its own. Everything protected by them would be
// reported as a race.
//
// So the functions that synchronise are defined again here. A program's own
// definitions come before a shared library's, also for calls from other shared
// libraries. Each one tells ThreadSanitizer what happens before what, and calls
// the real one. These are edges between releases and acquires of one address, not
// more: data that an absl::Mutex does not protect is still reported.
//
// Conditions (Mutex::Await, ...) may be evaluated by whichever thread unlocks, in
// the middle of the real Unlock. What they read is ignored.

#include <dlfcn.h>
#include <grpc/grpc.h>
#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/base/config.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
}

namespace {

void Acquire(const volatile void* address) { __tsan_acquire(const_cast<void*>(address)); }
void Release(const volatile void* address) { __tsan_release(const_cast<void*>(address)); }

class IgnoreReads {
 public:
  IgnoreReads() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }
  ~IgnoreReads() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
};

void* Find(const std::string& symbol) {
  void* real = dlsym(RTLD_NEXT, symbol.c_str());
  if (real == nullptr) {
    std::fprintf(stderr, "tsan_shared_libraries.cc: no %s\n", symbol.c_str());
    std::abort();
  }
  return real;
}

#define PAT_STRING_(x) #x
#define PAT_STRING(x) PAT_STRING_(x)

// The symbol "_ZN4absl<inline namespace><rest>".
std::string AbslSymbol(const char* qualifier, const char* rest) {
  const std::string name = PAT_STRING(ABSL_OPTION_INLINE_NAMESPACE_NAME);
  return std::string("_ZN") + qualifier + "4absl" + std::to_string(name.size()) + name + rest;
}

}  // namespace

// The real function, found at the first call.
#define PAT_REAL_ABSL(qualifier, rest, ...) \
  static const auto real = reinterpret_cast<__VA_ARGS__>(Find(AbslSymbol(qualifier, rest)))
#define PAT_REAL(symbol, ...) static const auto real = reinterpret_cast<__VA_ARGS__>(Find(symbol))

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  PAT_REAL_ABSL("", "5Mutex4LockEv", void (*)(Mutex*));
  {
    IgnoreReads ignore;
    real(this);
  }
  Acquire(this);
}

void Mutex::Unlock() {
  PAT_REAL_ABSL("", "5Mutex6UnlockEv", void (*)(Mutex*));
  Release(this);
  IgnoreReads ignore;
  real(this);
}

bool Mutex::TryLock() {
  PAT_REAL_ABSL("", "5Mutex7TryLockEv", bool (*)(Mutex*));
  const bool locked = real(this);
  if (locked) Acquire(this);
  return locked;
}

void Mutex::ReaderLock() {
  PAT_REAL_ABSL("", "5Mutex10ReaderLockEv", void (*)(Mutex*));
  {
    IgnoreReads ignore;
    real(this);
  }
  Acquire(this);
}

void Mutex::ReaderUnlock() {
  PAT_REAL_ABSL("", "5Mutex12ReaderUnlockEv", void (*)(Mutex*));
  Release(this);
  IgnoreReads ignore;
  real(this);
}

bool Mutex::ReaderTryLock() {
  PAT_REAL_ABSL("", "5Mutex13ReaderTryLockEv", bool (*)(Mutex*));
  const bool locked = real(this);
  if (locked) Acquire(this);
  return locked;
}

// These unlock while they wait. Release is harmless where nothing was held.
#define PAT_WAIT_RETURNING(type, rest, real_type, ...) \
  PAT_REAL_ABSL("", rest, real_type);                  \
  Release(this);                                       \
  IgnoreReads ignore;                                  \
  const type result = real(__VA_ARGS__);               \
  Acquire(this);                                       \
  return result
#define PAT_WAIT(rest, ...)                                    \
  PAT_REAL_ABSL("", rest, void (*)(Mutex*, const Condition&)); \
  Release(this);                                               \
  IgnoreReads ignore;                                          \
  real(__VA_ARGS__);                                           \
  Acquire(this)

void Mutex::Await(const Condition& condition) { PAT_WAIT("5Mutex5AwaitERKNS0_9ConditionE", this, condition); }
void Mutex::LockWhen(const Condition& condition) { PAT_WAIT("5Mutex8LockWhenERKNS0_9ConditionE", this, condition); }
void Mutex::ReaderLockWhen(const Condition& condition) {
  PAT_WAIT("5Mutex14ReaderLockWhenERKNS0_9ConditionE", this, condition);
}
bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  PAT_WAIT_RETURNING(bool, "5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE",
                     bool (*)(Mutex*, const Condition&, Duration), this, condition, timeout);
}
bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  PAT_WAIT_RETURNING(bool, "5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE",
                     bool (*)(Mutex*, const Condition&, Time), this, condition, deadline);
}
bool Mutex::LockWhenWithTimeout(const Condition& condition, Duration timeout) {
  PAT_WAIT_RETURNING(bool, "5Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE",
                     bool (*)(Mutex*, const Condition&, Duration), this, condition, timeout);
}
bool Mutex::LockWhenWithDeadline(const Condition& condition, Time deadline) {
  PAT_WAIT_RETURNING(bool, "5Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE",
                     bool (*)(Mutex*, const Condition&, Time), this, condition, deadline);
}

void CondVar::Wait(Mutex* mutex) {
  PAT_REAL_ABSL("", "7CondVar4WaitEPNS0_5MutexE", void (*)(CondVar*, Mutex*));
  Release(mutex);
  {
    IgnoreReads ignore;
    real(this, mutex);
  }
  Acquire(mutex);
}
bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  PAT_REAL_ABSL("", "7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE", bool (*)(CondVar*, Mutex*, Duration));
  Release(mutex);
  IgnoreReads ignore;
  const bool expired = real(this, mutex, timeout);
  Acquire(mutex);
  return expired;
}
bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  PAT_REAL_ABSL("", "7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE", bool (*)(CondVar*, Mutex*, Time));
  Release(mutex);
  IgnoreReads ignore;
  const bool expired = real(this, mutex, deadline);
  Acquire(mutex);
  return expired;
}

void Notification::Notify() {
  PAT_REAL_ABSL("", "12Notification6NotifyEv", void (*)(Notification*));
  Release(this);
  real(this);
}
void Notification::WaitForNotification() const {
  PAT_REAL_ABSL("K", "12Notification19WaitForNotificationEv", void (*)(const Notification*));
  real(this);
  Acquire(this);
}
bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  PAT_REAL_ABSL("K", "12Notification30WaitForNotificationWithTimeoutENS0_8DurationE",
                bool (*)(const Notification*, Duration));
  const bool notified = real(this, timeout);
  Acquire(this);
  return notified;
}
bool Notification::WaitForNotificationWithDeadline(Time deadline) const {
  PAT_REAL_ABSL("K", "12Notification31WaitForNotificationWithDeadlineENS0_4TimeE", bool (*)(const Notification*, Time));
  const bool notified = real(this, deadline);
  Acquire(this);
  return notified;
}

bool BlockingCounter::DecrementCount() {
  PAT_REAL_ABSL("", "15BlockingCounter14DecrementCountEv", bool (*)(BlockingCounter*));
  Release(this);
  return real(this);
}
void BlockingCounter::Wait() {
  PAT_REAL_ABSL("", "15BlockingCounter4WaitEv", void (*)(BlockingCounter*));
  real(this);
  Acquire(this);
}

ABSL_NAMESPACE_END
}  // namespace absl

// gRPC: who starts an operation with a tag happens before who gets the tag back.
// A blocking call's tag is its completion queue's own, on the caller's stack.

extern "C" {

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t nops, void* tag, void* reserved) {
  PAT_REAL("grpc_call_start_batch", decltype(&grpc_call_start_batch));
  Release(tag);
  return real(call, ops, nops, tag, reserved);
}

grpc_call_error grpc_server_request_call(grpc_server* server, grpc_call** call, grpc_call_details* details,
                                         grpc_metadata_array* metadata, grpc_completion_queue* bound_to_call,
                                         grpc_completion_queue* for_notification, void* tag) {
  PAT_REAL("grpc_server_request_call", decltype(&grpc_server_request_call));
  Release(tag);
  return real(server, call, details, metadata, bound_to_call, for_notification, tag);
}

grpc_call_error grpc_server_request_registered_call(grpc_server* server, void* method, grpc_call** call,
                                                    gpr_timespec* deadline, grpc_metadata_array* metadata,
                                                    grpc_byte_buffer** payload, grpc_completion_queue* bound_to_call,
                                                    grpc_completion_queue* for_notification, void* tag) {
  PAT_REAL("grpc_server_request_registered_call", decltype(&grpc_server_request_registered_call));
  Release(tag);
  return real(server, method, call, deadline, metadata, payload, bound_to_call, for_notification, tag);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline, void* reserved) {
  PAT_REAL("grpc_completion_queue_next", decltype(&grpc_completion_queue_next));
  const grpc_event event = real(queue, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) Acquire(event.tag);
  return event;
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag, gpr_timespec deadline, void* reserved) {
  PAT_REAL("grpc_completion_queue_pluck", decltype(&grpc_completion_queue_pluck));
  const grpc_event event = real(queue, tag, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) Acquire(event.tag);
  return event;
}

}  // extern "C"

namespace grpc {

void Alarm::SetInternal(CompletionQueue* queue, gpr_timespec deadline, void* tag) {
  PAT_REAL("_ZN4grpc5Alarm11SetInternalEPNS_15CompletionQueueE12gpr_timespecPv",
           void (*)(Alarm*, CompletionQueue*, gpr_timespec, void*));
  Release(tag);
  real(this, queue, deadline, tag);
}

// Also what was set or asked for with a tag of the application's and came back
// through one of gRPC's own.
CompletionQueue::NextStatus CompletionQueue::AsyncNextInternal(void** tag, bool* ok, gpr_timespec deadline) {
  PAT_REAL("_ZN4grpc15CompletionQueue17AsyncNextInternalEPPvPb12gpr_timespec",
           NextStatus(*)(CompletionQueue*, void**, bool*, gpr_timespec));
  const NextStatus status = real(this, tag, ok, deadline);
  if (status == GOT_EVENT) Acquire(*tag);
  return status;
}

}  // namespace grpc
