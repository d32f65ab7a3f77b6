#pragma once
#include <algorithm>
#include <concepts>
#include <initializer_list>
#include <optional>
#include <vector>

#include <rwkv/backend/backend.hpp>
#include <rwkv/core/error.hpp>

namespace rwkv {

/// A call that a machine cannot record, since it waits for the machine or allocates memory.
struct CannotCapture : Error {
  using Error::Error;
};

/// A machine that can launch many calls as one: a B::Record is constructed from calls, which it records without running
/// them, and runs them each time it is called, with the arguments of the recording on whatever is in memory then.
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

/// Calls that are repeated on the same memory. A GraphMachine launches them as one from the second time on; where they
/// cannot be recorded, and on other machines, they are made one by one.
template <class B>
class GraphCache {
 public:
  /// Does what calls() does. `memory` lists what it works on: when that has moved, calls are recorded anew.
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
    } catch (const Error&) {  // they are made one by one, as before, and what is wrong with them is said then
    }
  }

  [[no_unique_address]] typename detail::RecordOf<B>::type record_;
  std::vector<const void*> memory_;
  int made_ = 0;  // times without a record: the first call may allocate memory, so the second is recorded
};

}  // namespace rwkv
