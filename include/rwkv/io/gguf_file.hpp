#pragma once
#include <rwkv/io/ggml_types.hpp>
#include <rwkv/io/gguf_value.hpp>
#include <rwkv/io/mapped_file.hpp>
#include <rwkv/io/tensor_source.hpp>

namespace rwkv {

/// A GGUF file, versions 2 and 3 (ggml-org/ggml, docs/gguf.md): keys with values, a list of tensors, and from the next
/// multiple of an alignment on their data. Scalars are in metadata() as texts; arrays, such as a vocabulary, `value`
/// gives. Quantised tensors are read as numbers, and have their blocks as `bytes`.
class GgufFile final : public TensorSource {
 public:
  static constexpr std::string_view name = "GGUF";
  static bool recognises(std::span<const std::byte> file) {
    return file.size() >= name.size() && std::memcmp(file.data(), name.data(), name.size()) == 0;
  }

  explicit GgufFile(const std::string& path) : GgufFile(MappedFile(path)) {}
  /// Error unless keys, tensors and their places are sound.
  [[gnu::cold]] explicit GgufFile(MappedFile file) : TensorSource(file.path(), name), file_(std::move(file)) {
    detail::ByteReader reader(path(), file_.bytes(), "the file is damaged or not GGUF, convert or download it again");
    if (!recognises(file_.bytes())) reader.refuse("expected it to begin with \"GGUF\", found something else");
    const std::string header = "the header";
    reader.go_to(name.size());
    const auto version = reader.number<std::uint32_t>(header);
    if (version == __builtin_bswap32(2) || version == __builtin_bswap32(3))
      reader.refuse("expected numbers with their lowest byte first, found the highest: it is for another machine");
    if (version != 2 && version != 3) reader.refuse("expected version 2 or 3, found ", version);
    const auto tensor_count = reader.number<std::uint64_t>(header), key_count = reader.number<std::uint64_t>(header);
    if (key_count > most_keys) reader.refuse(header, ": expected ", most_keys, " keys at most, found ", key_count);
    for (std::uint64_t i = 0; i < key_count; ++i) read_key(reader);
    const std::uint64_t alignment = alignment_of(reader);
    std::vector<TensorInfo> tensors;
    for (std::uint64_t i = 0; i < tensor_count; ++i) tensors.push_back(read_tensor(reader, alignment));
    const std::uint64_t begin = (reader.at() + alignment - 1) / alignment * alignment;
    data_ = file_.bytes().subspan(std::min<std::uint64_t>(begin, file_.bytes().size()));
    detail::sort_by_place(tensors);
    expect_apart(tensors, reader);
    list(std::move(tensors), texts_of_scalars());
  }

  std::optional<std::span<const std::byte>> bytes(const TensorInfo& t) const override {
    return data_.subspan(t.begin, t.end - t.begin);
  }
  /// What a key stands for; null if there is none of that name.
  const GgufValue* value(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : &found->second;
  }

 private:
  static constexpr std::uint64_t most_keys = 1 << 16;  // files have some thirty

  void read_key(detail::ByteReader& reader) {
    const std::string_view key = detail::gguf_text(reader, "the key at byte " + std::to_string(reader.at()));
    const std::string what = "key " + in_quotes(key);
    if (!values_.emplace(key, detail::gguf_value(reader, what)).second) reader.refuse(what, " occurs twice");
  }
  std::uint64_t alignment_of(const detail::ByteReader& reader) const {
    constexpr std::string_view key = "general.alignment";
    const GgufValue* const v = value(key);
    if (v == nullptr) return 32;
    if (v->array || v->type != GgufType::u32) reader.refuse(key, ": expected a number of 32 bits, found another type");
    std::uint32_t alignment;
    std::memcpy(&alignment, v->bytes.data(), sizeof alignment);
    if (alignment == 0 || (alignment & (alignment - 1)) != 0)
      reader.refuse(key, ": expected a power of two, found ", alignment);
    return alignment;
  }
  TensorInfo read_tensor(detail::ByteReader& reader, std::uint64_t alignment) const {
    const std::string place = "the tensor at byte " + std::to_string(reader.at());
    TensorInfo t;
    t.name = detail::gguf_text(reader, place);
    if (t.name.empty()) reader.refuse(place, " has no name");
    const std::string what = "tensor " + in_quotes(t.name);
    const auto extents = reader.number<std::uint32_t>(what);
    if (extents < 1 || extents > 4) reader.refuse(what, ": expected 1 to 4 extents, found ", extents);
    t.shape.resize(extents);
    for (std::uint32_t i = extents; i > 0; --i) {
      const auto extent = reader.number<std::uint64_t>(what);
      if (extent > std::uint64_t(PTRDIFF_MAX)) reader.refuse(what, " has an extent beyond 63 bits");
      t.shape[i - 1] = dim_t(extent);
    }
    t.dtype = dtype(reader.number<std::uint32_t>(what), what, reader);
    const auto size = byte_size(t.dtype, t.shape);
    if (!size && std::uint64_t(t.shape.back()) % block_of(t.dtype) != 0)
      reader.refuse(what, ": ", describe(t.dtype, t.shape), " has rows that are no whole blocks of ",
                    block_of(t.dtype));
    if (!size) reader.refuse(what, ": shape ", shape_text(t.shape), " is too large to count");
    t.begin = reader.number<std::uint64_t>(what);
    if (t.begin % alignment != 0)
      reader.refuse(what, ": expected an offset that is a multiple of ", alignment, ", found ", t.begin);
    if (__builtin_add_overflow(t.begin, *size, &t.end)) reader.refuse(what, ": its place is too large to count");
    return t;
  }
  Dtype dtype(std::uint32_t code, const std::string& what, const detail::ByteReader& reader) const {
    const detail::GgmlType type = detail::ggml_type(code);
    if (type.name.empty()) reader.refuse(what, ": no type of ggml is known that has the code ", code);
    if (type.dtype == Dtype::other)
      throw Error(path(), ": ", what,
                  ": expected F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K or Q6_K, found ", type.name,
                  ", which is not read; quantise the model to one of them, or take its F16 file");
    return type.dtype;
  }
  /// Of tensors in the order of their data.
  void expect_apart(const std::vector<TensorInfo>& tensors, const detail::ByteReader& reader) const {
    std::map<std::string_view, int> names;
    std::uint64_t used = 0;
    for (const TensorInfo& t : tensors) {
      const std::string what = "tensor " + in_quotes(t.name);
      if (++names[t.name] > 1) reader.refuse(what, " occurs twice");
      if (t.end > data_.size())
        reader.refuse(what, ": bytes ", t.begin, " to ", t.end, " reach beyond the ", data_.size(), " bytes of data");
      if (t.begin < used)
        reader.refuse(what, ": bytes ", t.begin, " to ", t.end, " overlap the tensor before it, which ends at ", used);
      used = t.end;
    }
  }
  Metadata texts_of_scalars() const {
    Metadata texts;
    for (const auto& [key, value] : values_)
      if (!value.array) texts.emplace(key, value.text());
    return texts;
  }

  MappedFile file_;
  std::span<const std::byte> data_;
  std::map<std::string, GgufValue, std::less<>> values_;
};

}  // namespace rwkv
