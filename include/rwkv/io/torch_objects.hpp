#pragma once
#include <iterator>

#include <rwkv/io/pickle_machine.hpp>
#include <rwkv/io/strides.hpp>
#include <rwkv/io/torch_names.hpp>

namespace rwkv::detail {

/// A tensor as torch.save describes it: a view of a storage, which is a file of its own in the archive.
struct TorchTensor {
  std::string_view storage;  ///< its key
  Dtype dtype = Dtype::other;
  std::uint64_t storage_bytes = 0;
  std::uint64_t first = 0;  ///< scalar of the storage
  Strides strides;
};

/// What the pickles of torch.save may name and call: what dictionaries of tensors are made of. Calls make nothing; a
/// tensor is looked at when it is asked for.
class TorchObjects final : public PickleHost {
 public:
  explicit TorchObjects(const ByteReader& pickle) : pickle_(pickle) {}

  [[gnu::cold]] PickleValue global(std::string_view module, std::string_view name) override {
    for (std::size_t i = 0; i < std::size(torch_names); ++i)
      if (torch_names[i].module == module && torch_names[i].name == name) return PickleValue::of(Kind::global, i);
    pickle_.refuse("data.pkl asks for ", in_quotes(std::string(module) + "." + std::string(name)),
                   ", which no dictionary of tensors needs and which might run code: nothing was loaded");
  }
  [[gnu::cold]] PickleValue call(const PickleValue& function, const PickleValue& arguments, PickleHeap& heap) override {
    const TorchName& name = torch_names[function.place];
    const std::vector<PickleValue>& given = heap[arguments.place];
    if (name.role == TorchRole::tensor) return PickleValue::of(Kind::made, arguments.place);
    if (name.role == TorchRole::parameter && !given.empty() && given[0].is(Kind::made)) return given[0];
    if (name.role == TorchRole::size && given.size() == 1 && given[0].is(Kind::tuple)) return given[0];
    if (name.role == TorchRole::value) return PickleValue::of(Kind::opaque);
    if (name.role == TorchRole::subclass && given.size() == 4 && given[0].is(Kind::global) &&
        given[2].is(Kind::tuple) && torch_names[given[0].place].role == TorchRole::tensor)
      return PickleValue::of(Kind::made, given[2].place);
    if (name.role != TorchRole::dictionary || !given.empty())
      pickle_.refuse("data.pkl calls ", name.module, ".", name.name, " as torch.save does not");
    heap.emplace_back();
    return PickleValue::of(Kind::dictionary, heap.size() - 1);
  }
  PickleValue outside(const PickleValue& mark, PickleHeap&) override {
    if (!mark.is(Kind::tuple)) pickle_.refuse("data.pkl: expected the mark of a storage, found ", name_of(mark.kind));
    return PickleValue::of(Kind::outside, mark.place);
  }

  /// The tensor that `made` is; `what` names it in errors.
  [[gnu::cold]] TorchTensor tensor(const PickleValue& made, const PickleHeap& heap, const std::string& what) const {
    // storage, first scalar, extents, steps, and from version 2 on: whether it has a gradient, hooks, flags or a dtype
    const std::vector<PickleValue>& given = heap[made.place];
    if (given.size() < 4 || !given[0].is(Kind::outside))
      pickle_.refuse(what, ": expected a storage, a place, extents and strides, found others");
    TorchTensor t = storage(heap[given[0].place], what);
    if (given.size() > 6 && given[6].is(Kind::global)) t.dtype = torch_names[given[6].place].dtype;
    const std::size_t flags = given.size() > 6 && given[6].is(Kind::global) ? 7 : 6;
    if (given.size() > flags && given[flags].is(Kind::dictionary) && !heap[given[flags].place].empty())
      pickle_.refuse(what, " is a negative or conjugate view: save x.resolve_neg().resolve_conj() instead");
    if (t.dtype == Dtype::other) pickle_.refuse(what, " has bytes of no type");
    t.first = std::uint64_t(count(given[1], what));
    t.strides = {counts(given[2], heap, what), counts(given[3], heap, what)};
    if (t.strides.shape.size() != t.strides.steps.size())
      pickle_.refuse(what, " has ", t.strides.shape.size(), " extents and ", t.strides.steps.size(), " strides");
    return t;
  }

 private:
  using Kind = PickleValue::Kind;
  static constexpr std::size_t most_extents = 8;

  /// From its mark: "storage", type, key, device, scalars.
  TorchTensor storage(const std::vector<PickleValue>& mark, const std::string& what) const {
    if (mark.size() != 5 || !mark[0].is(Kind::text) || mark[0].text != "storage" || !mark[1].is(Kind::global) ||
        torch_names[mark[1].place].role != TorchRole::storage || !mark[2].is(Kind::text))
      pickle_.refuse(what, ": expected a storage with its type and key, found others");
    TorchTensor t;
    t.storage = mark[2].text, t.dtype = torch_names[mark[1].place].dtype;
    const std::uint64_t bytes = t.dtype == Dtype::other ? 1 : bytes_of(t.dtype);
    if (__builtin_mul_overflow(std::uint64_t(count(mark[4], what)), bytes, &t.storage_bytes))
      pickle_.refuse(what, " has a storage too large to count");
    return t;
  }
  dim_t count(const PickleValue& value, const std::string& what) const {
    if (!value.is(Kind::integer) || value.integer < 0)
      pickle_.refuse(what, ": expected whole numbers from 0, found ",
                     value.is(Kind::integer) ? std::to_string(value.integer) : std::string(name_of(value.kind)));
    return value.integer;
  }
  std::vector<dim_t> counts(const PickleValue& tuple, const PickleHeap& heap, const std::string& what) const {
    if (!tuple.is(Kind::tuple)) pickle_.refuse(what, ": expected a tuple of numbers, found ", name_of(tuple.kind));
    const std::vector<PickleValue>& values = heap[tuple.place];
    if (values.size() > most_extents) pickle_.refuse(what, " has ", values.size(), " extents, more than 8");
    std::vector<dim_t> numbers;
    numbers.reserve(values.size());
    for (const PickleValue& value : values) numbers.push_back(count(value, what));
    return numbers;
  }

  const ByteReader& pickle_;
};

}  // namespace rwkv::detail
