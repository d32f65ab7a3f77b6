#pragma once
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <rwkv/distributed/nccl_number.hpp>
#include <rwkv/distributed/thread_meeting.hpp>

namespace test {

/// Does what NCCL is told, in ranks that are threads, and refuses what NCCL would not take or would wait for in vain:
/// calls that differ between ranks in kind, order, count, type or root, messages that nobody takes, another stream.
class NcclStandIn {
 public:
  using Stream = int;
  using Number = rwkv::detail::NcclNumber;

  NcclStandIn(rwkv::detail::ThreadMeeting& meeting, int rank) : meeting_(&meeting), rank_(rank) {}

  Stream stream() const { return 1000 + rank_; }
  void group_start() {
    if (grouped_) throw rwkv::Error("group_start within a group");
    grouped_ = true;
  }
  void group_end() {
    if (!grouped_) throw rwkv::Error("group_end without group_start");
    grouped_ = false;
    perform();
  }
  void reduce_scatter(const void* all, void* own, rwkv::dim_t each, Number number, Stream stream) {
    if (own != static_cast<const char*>(all) + rank_ * each * bytes(number))
      throw rwkv::Error("reduce_scatter in place: expected to write the own share");
    add({"reduce_scatter", each, number, -1}, all, each * meeting_->size(), own, stream);
  }
  void reduce(const void* from, void* to, rwkv::dim_t n, Number number, int root, Stream stream) {
    add({"reduce", n, number, root}, from, n, to, stream);
  }
  void all_gather(const void* own, void* all, rwkv::dim_t each, Number number, Stream stream) {
    if (own != static_cast<const char*>(all) + rank_ * each * bytes(number))
      throw rwkv::Error("all_gather in place: expected to read the own share");
    add({"all_gather", each, number, -1}, own, each, all, stream);
  }
  void broadcast(const void* from, void* to, rwkv::dim_t n, Number number, int root, Stream stream) {
    add({"broadcast", n, number, root}, from, n, to, stream);
  }
  void send(const void* from, rwkv::dim_t n, Number number, int to, Stream stream) {
    if (grouped_) return add({"send", n, number, to}, from, n, nullptr, stream);
    expect_stream(stream);
    meeting_->hand_over(rank_, to, from, n * bytes(number));
  }
  void receive(void* to, rwkv::dim_t n, Number number, int from, Stream stream) {
    if (grouped_) return add({"receive", n, number, from}, nullptr, 0, to, stream);
    expect_stream(stream);
    const rwkv::dim_t size = n * bytes(number);
    meeting_->take(rank_, from, size, [&](const void* what) { std::memcpy(to, what, std::size_t(size)); });
  }

 private:
  struct What {
    std::string name;
    rwkv::dim_t n;
    Number number;
    int peer;  // the root, or who sends or receives
    bool operator==(const What&) const = default;
  };
  struct Call {
    What what;
    std::vector<char> from;
    char* to;
    bool message() const { return what.name == "send" || what.name == "receive"; }
  };

  static rwkv::dim_t bytes(Number number) { return number == Number::f32 ? 4 : number == Number::f64 ? 8 : 2; }
  void expect_stream(Stream found) const {
    if (found != stream()) throw rwkv::Error("expected stream ", stream(), ", found ", found);
  }
  void add(What what, const void* from, rwkv::dim_t n, void* to, Stream stream) {
    expect_stream(stream);
    if (what.n <= 0) throw rwkv::Error(what.name, ": a call of nothing");
    const auto* const first = static_cast<const char*>(from);
    std::vector<char> copy(first, first + n * bytes(what.number));
    calls_.push_back({std::move(what), std::move(copy), static_cast<char*>(to)});
    if (!grouped_) perform();
  }
  void perform() {
    std::vector<const std::vector<Call>*> all;
    for (const void* theirs : meeting_->show(rank_, &calls_))
      all.push_back(static_cast<const std::vector<Call>*>(theirs));
    std::size_t messages = 0;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (calls_[i].message()) {
        messages += calls_[i].what.name == "receive";
        deliver(calls_[i], all);
        continue;
      }
      for (const auto* theirs : all)
        if (i >= theirs->size() || (*theirs)[i].what != calls_[i].what)
          throw rwkv::Error("rank ", rank_, ": ", calls_[i].what.name, " is not what all call");
      collect(i, all);
    }
    for (const auto* theirs : all)
      for (const Call& call : *theirs)
        if (call.what.name == "send" && call.what.peer == rank_) --messages;
    if (messages != 0) throw rwkv::Error("rank ", rank_, ": messages that nobody takes");
    meeting_->meet(rank_);
    calls_.clear();
  }
  void collect(std::size_t i, const std::vector<const std::vector<Call>*>& all) {
    const Call& mine = calls_[i];
    const std::string& name = mine.what.name;
    const rwkv::dim_t size = mine.what.n * bytes(mine.what.number);
    if (name == "all_gather") {
      for (std::size_t r = 0; r < all.size(); ++r)
        std::memcpy(mine.to + rwkv::dim_t(r) * size, (*all[r])[i].from.data(), std::size_t(size));
    } else if (name == "broadcast") {
      std::memcpy(mine.to, (*all[std::size_t(mine.what.peer)])[i].from.data(), std::size_t(size));
    } else if (name == "reduce_scatter" || mine.what.peer == rank_) {
      const rwkv::dim_t first = name == "reduce" ? 0 : rank_ * size;
      mine.what.number == Number::f32 ? sum<float>(i, all, first) : sum<double>(i, all, first);
    }
  }
  template <class T>
  void sum(std::size_t i, const std::vector<const std::vector<Call>*>& all, rwkv::dim_t first) {
    for (rwkv::dim_t k = 0; k < calls_[i].what.n; ++k) {
      T total = 0, x;
      for (std::size_t r = 0; r < all.size(); ++r) {
        std::memcpy(&x, (*all[r])[i].from.data() + first + k * rwkv::dim_t(sizeof x), sizeof x);
        total = r == 0 ? x : total + x;
      }
      std::memcpy(calls_[i].to + k * rwkv::dim_t(sizeof total), &total, sizeof total);
    }
  }
  void deliver(const Call& mine, const std::vector<const std::vector<Call>*>& all) {
    if (mine.what.name == "send") return;
    for (const Call& theirs : *all[std::size_t(mine.what.peer)])
      if (theirs.what == What{"send", mine.what.n, mine.what.number, rank_}) {
        std::memcpy(mine.to, theirs.from.data(), theirs.from.size());
        return;
      }
    throw rwkv::Error("rank ", rank_, ": a message of ", mine.what.n, " that rank ", mine.what.peer, " does not send");
  }

  rwkv::detail::ThreadMeeting* meeting_;
  int rank_;
  bool grouped_ = false;
  std::vector<Call> calls_;
};

}  // namespace test
