#pragma once
#include <algorithm>
#include <concepts>
#include <initializer_list>
#include <optional>
#include <vector>

#include <rwkv/backend/backend.hpp>
#include <rwkv/core/error.hpp>

namespace rwkv {

/// Calls that a machine cannot record, since they wait for it or take memory.
struct CannotCapture : Error {
  using Error::Error;
};

/// A machine that can launch many calls as one: B::Record of calls keeps what they would do, without doing it, and does
/// that each time it is called. Everything but the contents of memory is as it was when they were recorded.
template <class B>
concept GraphMachine =
    Backend<B> && std::constructible_from<typename B::Record, void (*)()> && std::invocable<typename B::Record&>;

namespace detail {
template <class B>
struct RecordOf {
  struct type {};
};
template <GraphMachine B>
struct RecordOf<B> {
  using type = std::optional<typename B::Record>;
};
}  // namespace detail

/// Calls that are made many times, with the same memory: on a GraphMachine launched as one from the second time on, on
/// other machines, and where that cannot be, just made.
template <class B>
class GraphCache {
 public:
  /// What calls() would do; `memory` names what it works on and may lie elsewhere the next time.
  template <std::invocable Calls>
  void operator()(std::initializer_list<const void*> memory, const Calls& calls) {
    if constexpr (GraphMachine<B>)
      play(memory, calls);
    else
      calls();
  }

 private:
  void play(std::initializer_list<const void*> memory, const auto& calls) {
    if (!std::ranges::equal(memory, memory_)) record_.reset(), made_ = 0, memory_ = memory;
    if (made_ == 1) record(calls);
    if (record_)
      (*record_)();
    else
      calls(), ++made_;
  }
  void record(const auto& calls) {
    try {
      record_.emplace(calls);
    } catch (const CannotCapture&) {  // made as before
    }
  }

  [[no_unique_address]] typename detail::RecordOf<B>::type record_;
  std::vector<const void*> memory_;
  int made_ = 0;  // once before they are recorded: what takes memory the first time has taken it
};

}  // namespace rwkv
