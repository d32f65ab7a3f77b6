#pragma once
#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rwkv/core/error.hpp>

namespace rwkv::detail {

/// What all ranks call together.
struct CommonCall {
  std::string_view name = {};
  dim_t n = 0;
  std::size_t bytes = 0;  // of a number
  int root = -1;
  bool operator==(const CommonCall&) const = default;
};

/// Where ranks that are threads of one process wait for each other, and show each other their memory.
class ThreadMeeting {
 public:
  /// A rank waits for one that returned or threw.
  struct Alone : Error {
    using Error::Error;
  };

  explicit ThreadMeeting(int size) : shown_(std::size_t(size)), calls_(std::size_t(size)), ended_(std::size_t(size)) {}

  int size() const { return static_cast<int>(shown_.size()); }
  /// What every rank shows when all have come, for all to look at until they meet. Error in all unless they call the
  /// same.
  const std::vector<const void*>& show(int rank, const void* what, const CommonCall& call = {}) {
    shown_[std::size_t(rank)] = what, calls_[std::size_t(rank)] = call;
    meet(rank);
    const auto other = std::ranges::find_if(calls_, [&](const CommonCall& theirs) { return theirs != calls_[0]; });
    if (other == calls_.end()) return shown_;
    const Error error("expected the same call in all ranks, ", in_words(calls_[0]), " as in rank 0, found ",
                      in_words(*other), " in rank ", other - calls_.begin());
    meet(rank);  // all have looked
    throw error;
  }
  /// Waits until every rank has come.
  void meet(int rank) {
    std::unique_lock lock(mutex_);
    if (++here_ == size()) {
      here_ = 0, ++meetings_;
      changed_.notify_all();
    } else {
      wait(
          lock, rank, [&, now = meetings_] { return meetings_ != now; },
          [&] {
            for (int other = 0; other < size(); ++other)
              if (ended_[std::size_t(other)]) return other;
            return -1;
          });
    }
  }

  /// n things for `to` to take; returns when they are taken.
  void hand_over(int rank, int to, const void* what, dim_t n) {
    std::unique_lock lock(mutex_);
    Parcel& parcel = parcels_[{rank, to}];
    parcel = {what, n};
    changed_.notify_all();
    wait(
        lock, rank, [&] { return parcel.what == nullptr; }, [&] { return ended(to); });
  }
  /// take(what) with what `from` hands over. Error unless those are n.
  template <class Take>
  void take(int rank, int from, dim_t n, const Take& take) {
    std::unique_lock lock(mutex_);
    Parcel& parcel = parcels_[{from, rank}];
    wait(
        lock, rank, [&] { return parcel.what != nullptr; }, [&] { return ended(from); });
    if (parcel.n != n)
      throw Error("receive: expected ", n, " numbers of rank ", from, ", found ", parcel.n, " in rank ", rank);
    lock.unlock();
    take(parcel.what);
    lock.lock();
    parcel.what = nullptr;
    changed_.notify_all();
  }

  void end(int rank) {
    const std::lock_guard lock(mutex_);
    ended_[std::size_t(rank)] = true;
    changed_.notify_all();
  }

 private:
  struct Parcel {
    const void* what = nullptr;
    dim_t n = 0;
  };

  static std::string in_words(const CommonCall& call) {
    std::string words(call.name);
    if (call.bytes > 0)
      words += " of " + std::to_string(call.n) + " numbers of " + std::to_string(call.bytes) + " bytes";
    if (call.root >= 0) words += " from rank " + std::to_string(call.root);
    return words;
  }
  int ended(int rank) const { return ended_[std::size_t(rank)] ? rank : -1; }
  /// gone() -> a rank that will not come any more, or -1.
  void wait(std::unique_lock<std::mutex>& lock, int rank, const auto& done, const auto& gone) {
    changed_.wait(lock, [&] { return done() || gone() >= 0; });
    if (!done()) throw Alone("rank ", rank, " waits for rank ", gone(), ", which has ended");
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<const void*> shown_;
  std::vector<CommonCall> calls_;
  std::vector<char> ended_;
  std::map<std::pair<int, int>, Parcel> parcels_;  // by sender and receiver
  int here_ = 0;
  long meetings_ = 0;
};

}  // namespace rwkv::detail
