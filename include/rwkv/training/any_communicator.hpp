#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <rwkv/core/storage.hpp>
#include <rwkv/training/communicator.hpp>

namespace rwkv {

/// Any communicator, chosen at run time, so that what uses it is compiled once; without one, one process alone. Copies
/// share it. Numbers of machines whose memory is not the host's go through a copy there.
class AnyCommunicator {
  enum class Verb { sum, scatter_sums, sum_rounded, scatter_sums_rounded, gather, broadcast, send, receive };

 public:
  AnyCommunicator() : AnyCommunicator(SingleProcess{}) {}
  template <class C>
  requires(!std::is_same_v<C, AnyCommunicator> && Communicator<C, Cpu<float>>) AnyCommunicator(C communicator)
      : held_(std::make_shared<Erased<C>>(std::move(communicator))), rank_(held_->rank()), size_(held_->size()) {}

  int rank() const { return rank_; }
  int size() const { return size_; }

  template <class B, class Travel = typename B::scalar>
  void sum(typename B::scalar* numbers, dim_t n) {
    call<B>(rounds<B, Travel> ? Verb::sum_rounded : Verb::sum, numbers, n);
  }
  template <class B, class Travel = typename B::scalar>
  void scatter_sums(typename B::scalar* numbers, dim_t n) {
    call<B>(rounds<B, Travel> ? Verb::scatter_sums_rounded : Verb::scatter_sums, numbers, n);
  }
  template <class B>
  void gather(typename B::scalar* numbers, dim_t n) {
    call<B>(Verb::gather, numbers, n);
  }
  template <class B>
  void broadcast(typename B::scalar* numbers, dim_t n, int root) {
    call<B>(Verb::broadcast, numbers, n, root);
  }
  template <class B>
  void send(const typename B::scalar* numbers, dim_t n, int to) {
    call<B>(Verb::send, const_cast<typename B::scalar*>(numbers), n, to);
  }
  template <class B>
  void receive(typename B::scalar* numbers, dim_t n, int from) {
    call<B>(Verb::receive, numbers, n, from);
  }
  std::vector<std::string> gather_texts(std::string_view text) { return held_->gather_texts(text); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual int rank() const = 0;
    virtual int size() const = 0;
    virtual void call(Verb verb, Storage of, void* numbers, dim_t n, int peer) = 0;
    virtual std::vector<std::string> gather_texts(std::string_view text) = 0;
  };
  template <class C>
  struct Erased final : Interface {
    explicit Erased(C c) : communicator(std::move(c)) {}
    int rank() const override { return communicator.rank(); }
    int size() const override { return communicator.size(); }
    [[gnu::cold]] void call(Verb verb, Storage of, void* numbers, dim_t n, int peer) override {
      if (of == Storage::f64) return call<Cpu<double>>(verb, static_cast<double*>(numbers), n, peer);
      if (of == Storage::f32) return call<Cpu<float>>(verb, static_cast<float*>(numbers), n, peer);
      call<Cpu<bf16>>(verb, static_cast<bf16*>(numbers), n, peer);
    }
    template <class B>
    void call(Verb verb, typename B::scalar* numbers, dim_t n, int peer) {
      switch (verb) {
        case Verb::sum:
          return communicator.template sum<B>(numbers, n);
        case Verb::scatter_sums:
          return communicator.template scatter_sums<B>(numbers, n);
        case Verb::sum_rounded:
          return communicator.template sum<B, bf16>(numbers, n);
        case Verb::scatter_sums_rounded:
          return communicator.template scatter_sums<B, bf16>(numbers, n);
        case Verb::gather:
          return communicator.template gather<B>(numbers, n);
        case Verb::broadcast:
          return communicator.template broadcast<B>(numbers, n, peer);
        case Verb::send:
          return communicator.template send<B>(numbers, n, peer);
        case Verb::receive:
          return communicator.template receive<B>(numbers, n, peer);
      }
    }
    std::vector<std::string> gather_texts(std::string_view text) override { return communicator.gather_texts(text); }
    C communicator;
  };

  template <class B, class Travel>
  static constexpr bool rounds = !std::is_same_v<Travel, typename B::scalar>;

  template <class B>
  void call(Verb verb, typename B::scalar* numbers, dim_t n, int peer = 0) {
    constexpr Storage of = storage_of<typename B::scalar>;
    if (size_ == 1) return;
    if constexpr (asynchronous<B>) {
      std::vector<typename B::scalar> host(static_cast<std::size_t>(n));
      B::download(host.data(), numbers, n);
      held_->call(verb, of, host.data(), n, peer);
      if (verb != Verb::send) B::upload(numbers, host.data(), n);
    } else {
      held_->call(verb, of, numbers, n, peer);
    }
  }

  std::shared_ptr<Interface> held_;
  int rank_, size_;
};

}  // namespace rwkv
