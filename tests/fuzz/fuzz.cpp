#include <rwkv/core/error.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "targets.hpp"

// fuzz TARGET [libFuzzer's options and folders]

namespace {
const fuzz::Target* target = nullptr;
}

// Freed memory is reused soon: it counts as used until then.
extern "C" const char* __asan_default_options() {
  return "quarantine_size_mb=8";
}

extern "C" int LLVMFuzzerInitialize(int* count, char*** words) {
  constexpr const char* passed_on = "RWKV_FUZZ_TARGET";  // to the processes that libFuzzer starts
  if (*count > 1 && (target = fuzz::find((*words)[1])) != nullptr) {
    ::setenv(passed_on, (*words)[1], 1);
    for (int i = 1; i < *count; ++i) (*words)[i] = (*words)[i + 1];  // the last is null
    --*count;
  } else if (const char* word = std::getenv(passed_on)) {
    target = fuzz::find(word);
  }
  if (target != nullptr) return 0;
  std::fprintf(stderr, "usage: fuzz TARGET [options and folders of libFuzzer]; targets:");
  for (const fuzz::Target& each : fuzz::targets) std::fprintf(stderr, " %s", std::string(each.name).c_str());
  std::fprintf(stderr, "\n");
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  try {
    target->run({reinterpret_cast<const char*>(bytes), size});
  } catch (const rwkv::Error&) {
  }
  return 0;
}
