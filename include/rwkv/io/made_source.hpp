#pragma once
#include <rwkv/io/tensor_source.hpp>

namespace rwkv {

/// How a tensor is made of another source's: those in `of`, stacked along their first extent, or a part of the only
/// one.
struct Made {
  std::vector<const TensorInfo*> of;
  int part = 0, parts = 1;
  bool transposed = false;             ///< the last two extents change places
  double (*number)(double) = nullptr;  ///< of each number
  double factor = 1;                   ///< after that

  bool same_numbers() const { return number == nullptr && factor == 1; }
};

/// Tensors that are made of those of another source, which must outlive it, when they are read. What only gets another
/// name or other extents keeps its bytes where they are.
class MadeSource : public TensorSource {
 public:
  std::optional<std::span<const std::byte>> bytes(const TensorInfo& t) const final {
    const Made& made = made_of(t);
    if (!made.same_numbers() || made.transposed || made.of.size() > 1 || t.dtype != made.of[0]->dtype) return {};
    const auto all = base_.bytes(*made.of[0]);
    if (!all) return {};
    const std::size_t size = all->size() / std::size_t(made.parts);
    return all->subspan(std::size_t(made.part) * size, size);
  }
  void read_numbers(const TensorInfo& t, std::uint64_t first, std::span<float> out) const final { make(t, first, out); }
  void read_numbers(const TensorInfo& t, std::uint64_t first, std::span<double> out) const final {
    make(t, first, out);
  }

 protected:
  MadeSource(const TensorSource& base, std::string_view format) : TensorSource(base.path(), format), base_(base) {}
  const TensorSource& base() const { return base_; }

  /// Tensor i is made as made[i] says. It is an F32 where numbers are changed, or leave their blocks, and not F64.
  [[gnu::cold]] void list(std::vector<TensorInfo> tensors, std::vector<Made> made, Metadata metadata) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      TensorInfo& t = tensors[i];
      const bool blocks = in_blocks(t.dtype) && (made[i].transposed || !byte_size(t.dtype, t.shape));
      if (blocks || (is_real(t.dtype) && t.dtype != Dtype::f64 && !made[i].same_numbers())) t.dtype = Dtype::f32;
    }
    made_ = std::move(made);
    TensorSource::list(std::move(tensors), std::move(metadata));
  }

 private:
  const Made& made_of(const TensorInfo& t) const {
    return made_[std::size_t((&t < tensors().data() || &t >= tensors().data() + tensors().size() ? find(t.name) : &t) -
                             tensors().data())];
  }

  template <class Number>
  void make(const TensorInfo& t, std::uint64_t first, std::span<Number> out) const {
    const Made& made = made_of(t);
    const std::uint64_t each = size_of(t) / made.of.size();
    for (std::uint64_t done = 0; done < out.size();) {
      const std::uint64_t at = (first + done) % each, n = std::min(each - at, out.size() - done);
      const auto part = out.subspan(std::size_t(done), std::size_t(n));
      const TensorInfo& from = *made.of[std::size_t((first + done) / each)];
      const std::uint64_t begin = std::uint64_t(made.part) * each;
      if (made.transposed)
        transpose(t, from, begin, at, part);
      else
        base_.read_numbers(from, begin + at, part);
      if (!made.same_numbers())
        for (Number& x : part) {
          const double y = made.factor * (made.number != nullptr ? made.number(double(x)) : double(x));
          x = t.dtype == Dtype::f32 ? Number(float(y)) : Number(y);
        }
      done += n;
    }
  }
  /// Numbers from `at` on of the transposed matrices of t, which begin in `from` at `begin`; theirs are read row by
  /// row, as far as those rows hold what is asked for.
  template <class Number>
  void transpose(const TensorInfo& t, const TensorInfo& from, std::uint64_t begin, std::uint64_t at,
                 std::span<Number> out) const {
    const auto rows = std::uint64_t(t.shape[t.shape.size() - 2]), columns = std::uint64_t(t.shape.back());
    std::vector<Number> row;
    for (std::uint64_t done = 0; done < out.size();) {
      const std::uint64_t place = (at + done) % (rows * columns), matrix = (at + done) - place;
      const std::uint64_t n = std::min(rows * columns - place, out.size() - done);
      const std::uint64_t top = place / columns, bottom = (place + n - 1) / columns + 1;
      row.resize(std::size_t(bottom - top));
      for (std::uint64_t column = 0; column < columns; ++column) {
        const std::uint64_t from_row = top + (top * columns + column < place ? 1 : 0);
        const std::uint64_t end = bottom - ((bottom - 1) * columns + column >= place + n ? 1 : 0);
        if (from_row >= end) continue;
        const std::span some(row.data(), std::size_t(end - from_row));
        base_.read_numbers(from, begin + matrix + column * rows + from_row, some);
        for (std::uint64_t i = 0; i < some.size(); ++i)
          out[std::size_t(done + (from_row + i) * columns + column - place)] = some[std::size_t(i)];
      }
      done += n;
    }
  }
  static std::uint64_t size_of(const TensorInfo& t) {
    std::uint64_t n = 1;
    for (const dim_t d : t.shape) n *= std::uint64_t(d);
    return n;
  }

  const TensorSource& base_;
  std::vector<Made> made_;
};

}  // namespace rwkv
