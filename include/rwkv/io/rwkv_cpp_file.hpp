#pragma once
#include <iterator>
#include <set>

#include <rwkv/io/byte_reader.hpp>
#include <rwkv/io/mapped_file.hpp>
#include <rwkv/io/tensor_source.hpp>

namespace rwkv {

/// A .bin file of rwkv.cpp, versions 100 and 101: six numbers of 32 bits (magic, version, vocabulary, width, layers,
/// type), then until the end of the file a record for each tensor: how many extents, length of the name, type, the
/// extents in reverse order, the name, the elements, which may be quantised in blocks. The type stands at every tensor;
/// the first one only says what matrices are.
class RwkvCppFile final : public TensorSource {
 public:
  static constexpr std::string_view name = "rwkv.cpp's .bin";
  static bool recognises(std::span<const std::byte> file) {
    constexpr std::string_view magic = "fmgg";
    return file.size() >= magic.size() && std::memcmp(file.data(), magic.data(), magic.size()) == 0;
  }

  explicit RwkvCppFile(const std::string& path) : RwkvCppFile(MappedFile(path)) {}
  /// Error unless every record is sound, up to the last byte.
  [[gnu::cold]] explicit RwkvCppFile(MappedFile file) : TensorSource(file.path(), name), file_(std::move(file)) {
    detail::ByteReader reader(path(), file_.bytes(),
                              "the file is damaged or not rwkv.cpp's, convert or download it again");
    const std::string header = "the header";
    if (!recognises(file_.bytes())) reader.refuse("expected it to begin with \"fmgg\", found something else");
    reader.go_to(4);
    const auto version = reader.number<std::uint32_t>(header);
    if (version != 100 && version != 101) reader.refuse("expected version 100 or 101, found ", version);
    Metadata sizes;
    for (const char* size : {"n_vocab", "n_embed", "n_layer"})
      sizes[size] = std::to_string(reader.number<std::uint32_t>(header));
    expect_known(dtype(reader.number<std::uint32_t>(header), header, reader), version);
    std::vector<TensorInfo> tensors;
    std::set<std::string> names;
    while (reader.left() > 0) {
      tensors.push_back(record(reader));
      expect_known(tensors.back().dtype, version);
      if (!names.insert(tensors.back().name).second)
        reader.refuse("tensor ", in_quotes(tensors.back().name), " occurs twice");
    }
    list(std::move(tensors), std::move(sizes));
  }

  std::optional<std::span<const std::byte>> bytes(const TensorInfo& t) const override {
    return file_.bytes().subspan(t.begin, t.end - t.begin);
  }

 private:
  static constexpr const char* again = "quantise the file that this one was made from again, as Q8_0 or Q5_1";

  void expect_known(Dtype dtype, std::uint32_t version) const {
    if (version == 100 && in_blocks(dtype))
      throw Error(path(),
                  ": expected version 101 of quantised numbers, found 100, whose blocks are laid out otherwise; ",
                  again);
  }
  TensorInfo record(detail::ByteReader& reader) const {
    const std::string place = "the tensor at byte " + std::to_string(reader.at());
    const auto number = [&] { return reader.number<std::uint32_t>(place); };
    const std::uint32_t extents = number(), length = number(), type = number();
    if (extents < 1 || extents > 3) reader.refuse(place, ": expected 1 to 3 extents, found ", extents);
    TensorInfo t;
    t.shape.resize(extents);
    for (std::uint32_t i = extents; i > 0; --i) t.shape[i - 1] = number();
    if (length == 0) reader.refuse(place, " has no name");
    if (length > reader.left())
      reader.refuse(place, ": its name would have ", length, " bytes, but the file ends after ", reader.left(),
                    " of them");
    t.name = reader.text(length, place);
    const std::string what = "tensor " + in_quotes(t.name);
    t.dtype = dtype(type, what, reader);
    const auto size = byte_size(t.dtype, t.shape);
    if (!size && std::uint64_t(t.shape.back()) % block_of(t.dtype) != 0)
      reader.refuse(what, ": ", describe(t.dtype, t.shape), " has rows that are no whole blocks of ",
                    block_of(t.dtype));
    if (!size || *size > reader.left())
      reader.refuse(what, ": ", describe(t.dtype, t.shape), " takes ", size ? std::to_string(*size) : "more than 2^64",
                    " bytes, but the file ends after ", reader.left(), " of them");
    t.begin = reader.at();
    t.end = t.begin + *size;
    reader.go_to(t.end);
    return t;
  }
  Dtype dtype(std::uint32_t code, const std::string& place, const detail::ByteReader& reader) const {
    struct Type {
      std::string_view name;
      Dtype dtype = Dtype::other;  // or one that rwkv.cpp has given up, or never wrote
    };
    constexpr Type types[] = {{"FP32", Dtype::f32},
                              {"FP16", Dtype::f16},
                              {"Q4_0", Dtype::q4_0},
                              {"Q4_1", Dtype::q4_1},
                              {"Q4_1_O"},
                              {"Q4_2"},
                              {"Q4_3"},
                              {"Q5_0", Dtype::q5_0},
                              {"Q5_1", Dtype::q5_1},
                              {"Q8_0", Dtype::q8_0},
                              {"Q8_1"},
                              {"Q2_K"},
                              {"Q3_K"},
                              {"Q4_K"},
                              {"Q5_K"},
                              {"Q6_K"},
                              {"Q8_K"}};
    if (code >= std::size(types)) reader.refuse(place, ": expected a type from 0 to 16, found ", code);
    if (types[code].dtype == Dtype::other)
      throw Error(path(), ": ", place, ": expected FP32, FP16, Q4_0, Q4_1, Q5_0, Q5_1 or Q8_0, found ",
                  types[code].name, ", which rwkv.cpp does not read or write any more; ", again);
    return types[code].dtype;
  }

  MappedFile file_;
};

}  // namespace rwkv
