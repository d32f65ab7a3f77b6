#pragma once
#include <exception>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <rwkv/distributed/host_numbers.hpp>
#include <rwkv/distributed/sum_in_order.hpp>
#include <rwkv/distributed/thread_meeting.hpp>
#include <rwkv/training/share.hpp>

namespace rwkv {

/// A rank that is a thread of run_in_threads: a Communicator and PointToPoint that needs nothing installed, to try out
/// and to test what ranks do together.
class ThreadRank {
 public:
  ThreadRank(detail::ThreadMeeting& meeting, int rank) : meeting_(&meeting), rank_(rank) {}

  int rank() const { return rank_; }
  int size() const { return meeting_->size(); }

  template <class B, class Travel = typename B::scalar>
  void sum(typename B::scalar* numbers, dim_t n) {
    scatter_sums<B, Travel>(numbers, n);
    gather<B>(numbers, n);
  }
  template <class B, class Travel = typename B::scalar>
  void scatter_sums(typename B::scalar* numbers, dim_t n) {
    if (size() == 1) return;
    const auto mine = on_host<B, Travel>(numbers, n);
    const Share own = share_of(n, rank_, size());
    std::vector<const Travel*> parts;
    for (const void* theirs : show(mine.data(), {"scatter_sums", n, sizeof(Travel)}))
      parts.push_back(static_cast<const Travel*>(theirs) + own.first);
    std::vector<typename B::scalar> sums(std::size_t(own.size));
    detail::sum_in_order<typename B::scalar, Travel>(parts, own.size, sums.data());
    B::upload(numbers + own.first, sums.data(), own.size);
    meet();
  }
  template <class B>
  void gather(typename B::scalar* numbers, dim_t n) {
    const Share own = share_of(n, rank_, size());
    const auto mine = on_host<B>(numbers + own.first, own.size);
    const auto& all = show(mine.data(), {"gather", n, sizeof(typename B::scalar)});
    for (int rank = 0; rank < size(); ++rank) {
      const Share share = share_of(n, rank, size());
      if (rank != rank_) B::upload(numbers + share.first, of<B>(all, rank), share.size);
    }
    meet();
  }
  template <class B>
  void broadcast(typename B::scalar* numbers, dim_t n, int root) {
    const auto mine = on_host<B>(numbers, rank_ == root ? n : 0);
    const auto& all = show(mine.data(), {"broadcast", n, sizeof(typename B::scalar), root});
    if (rank_ != root) B::upload(numbers, of<B>(all, root), n);
    meet();
  }
  std::vector<std::string> gather_texts(std::string_view text) {
    std::vector<std::string> texts;
    for (const void* theirs : show(&text, {"gather_texts"}))
      texts.emplace_back(*static_cast<const std::string_view*>(theirs));
    meet();
    return texts;
  }

  template <class B>
  void send(const typename B::scalar* numbers, dim_t n, int to) {
    auto parcel = on_host<B>(numbers, n);
    parcel.push_back({});  // of no numbers, too, a place to point to
    meeting_->hand_over(rank_, to, parcel.data(), n);
  }
  template <class B>
  void receive(typename B::scalar* numbers, dim_t n, int from) {
    meeting_->take(rank_, from, n,
                   [&](const void* parcel) { B::upload(numbers, static_cast<const typename B::scalar*>(parcel), n); });
  }

 private:
  template <class B, class Travel = typename B::scalar>
  static std::vector<Travel> on_host(const typename B::scalar* numbers, dim_t n) {
    std::vector<Travel> host(static_cast<std::size_t>(n));
    detail::take_to_host<B>(host.data(), numbers, n);
    return host;
  }
  template <class B>
  static const typename B::scalar* of(const std::vector<const void*>& all, int rank) {
    return static_cast<const typename B::scalar*>(all[std::size_t(rank)]);
  }
  const std::vector<const void*>& show(const void* what, const detail::CommonCall& call) {
    return meeting_->show(rank_, what, call);
  }
  void meet() { meeting_->meet(rank_); }

  detail::ThreadMeeting* meeting_;
  int rank_;
};

/// f(ThreadRank) in so many threads, which are ranks of one another. What f throws in one ends the others where they
/// wait for it, and is thrown here; of several, what the first rank threw.
template <class F>
void run_in_threads(int size, const F& f) {
  detail::ThreadMeeting meeting(size);
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(size));
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < size; ++rank)
      threads.emplace_back([&, rank] {
        try {
          f(ThreadRank(meeting, rank));
        } catch (...) {
          errors[std::size_t(rank)] = std::current_exception();
        }
        meeting.end(rank);
      });
  }
  std::exception_ptr alone;  // what follows from another's error, if there is one
  for (const std::exception_ptr& error : errors) try {
      if (error) std::rethrow_exception(error);
    } catch (const detail::ThreadMeeting::Alone&) {
      if (!alone) alone = error;
    }
  if (alone) std::rethrow_exception(alone);
}

}  // namespace rwkv
