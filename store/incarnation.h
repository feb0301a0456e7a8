// The name of one store's life: 16 random bytes as 32 lower-case hexadecimal digits, drawn when the store is made.
#ifndef PAT_STORE_INCARNATION_H_
#define PAT_STORE_INCARNATION_H_

#include <string>

namespace pat {

// Another value at each call. From the kernel's random numbers (getrandom(2)); waits at most for the machine's first
// boot to collect them. Thread-safe.
std::string NewIncarnation();

}  // namespace pat

#endif  // PAT_STORE_INCARNATION_H_
