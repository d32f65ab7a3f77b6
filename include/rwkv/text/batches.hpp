#pragma once
#include <concepts>
#include <memory>
#include <utility>

#include <rwkv/text/batch_rows.hpp>
#include <rwkv/text/contiguous_batches.hpp>
#include <rwkv/text/random_windows.hpp>

namespace rwkv {

/// Any batch source, chosen at run time. Copies share the source, which nothing changes.
class Batches {
 public:
  template <class Source>
  requires(!std::same_as<Source, Batches> && BatchSource<Source>) Batches(Source source)
      : source_(std::make_shared<const Erased<Source>>(std::move(source))) {}

  Seq seq() const { return source_->seq(); }
  void fill(dim_t step, Minibatch& batch) const { source_->fill(step, batch); }
  /// Rows first .. first + rows - 1 of that batch: see fill_rows.
  void fill(dim_t step, Minibatch& batch, dim_t first, dim_t rows) const { source_->fill(step, batch, first, rows); }
  /// What decides the batches, where the source says it: see run_identity.
  Settings settings() const { return source_->settings(); }
  /// Of the corpus, for messages; empty for a source without one.
  std::string name() const { return source_->name(); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual Seq seq() const = 0;
    virtual void fill(dim_t step, Minibatch& batch) const = 0;
    virtual void fill(dim_t step, Minibatch& batch, dim_t first, dim_t rows) const = 0;
    virtual Settings settings() const = 0;
    virtual std::string name() const = 0;
  };
  template <class Source>
  struct Erased final : Interface {
    explicit Erased(Source from) : source(std::move(from)) {}
    Seq seq() const override { return source.seq(); }
    void fill(dim_t step, Minibatch& batch) const override { source.fill(step, batch); }
    void fill(dim_t step, Minibatch& batch, dim_t first, dim_t rows) const override {
      fill_rows(source, step, first, rows, batch);
    }
    [[gnu::cold]] Settings settings() const override {
      if constexpr (requires { source.settings(); })
        return source.settings();
      else
        return {};
    }
    [[gnu::cold]] std::string name() const override {
      if constexpr (requires { source.corpus().name(); })
        return source.corpus().name();
      else
        return {};
    }
    Source source;
  };

  std::shared_ptr<const Interface> source_;
};

static_assert(BatchSource<RandomWindows> && BatchSource<ContiguousBatches> && BatchSource<Batches>);

}  // namespace rwkv
