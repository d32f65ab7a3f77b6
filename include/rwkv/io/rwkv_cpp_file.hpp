#pragma once
#include <iterator>
#include <set>

#include <rwkv/io/mapped_file.hpp>
#include <rwkv/io/tensor_source.hpp>

namespace rwkv {

/// A .bin file of rwkv.cpp, versions 100 and 101: six numbers of 32 bits (magic, version, vocabulary, width, layers,
/// type), then until the end of the file a record for each tensor: how many extents, length of the name, type, the
/// extents in reverse order, the name, the elements. The type stands at every tensor; the first one only says what
/// matrices are.
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
    if (!recognises(file_.bytes())) refuse("expected it to begin with \"fmgg\", found something else");
    at_ = 4;
    const std::uint32_t version = number("the header");
    if (version != 100 && version != 101) refuse("expected version 100 or 101, found " + std::to_string(version));
    Metadata sizes;
    for (const char* size : {"n_vocab", "n_embed", "n_layer"}) sizes[size] = std::to_string(number("the header"));
    dtype(number("the header"), "the header: ");
    std::vector<TensorInfo> tensors;
    std::set<std::string> names;
    while (at_ < file_.bytes().size()) {
      tensors.push_back(record());
      if (!names.insert(tensors.back().name).second)
        refuse("tensor " + in_quotes(tensors.back().name) + " occurs twice");
    }
    list(std::move(tensors), std::move(sizes));
  }

  std::optional<std::span<const std::byte>> bytes(const TensorInfo& t) const override {
    return file_.bytes().subspan(t.begin, t.end - t.begin);
  }

 private:
  std::uint64_t left() const { return file_.bytes().size() - at_; }

  std::uint32_t number(const std::string& what) {
    std::uint32_t n;
    if (left() < sizeof n) refuse(what + " is cut short at byte " + std::to_string(file_.bytes().size()));
    std::memcpy(&n, file_.bytes().data() + at_, sizeof n);
    at_ += sizeof n;
    return n;
  }
  TensorInfo record() {
    const std::string place = "the tensor at byte " + std::to_string(at_);
    const std::uint32_t extents = number(place), length = number(place), type = number(place);
    if (extents < 1 || extents > 3) refuse(place + ": expected 1 to 3 extents, found " + std::to_string(extents));
    TensorInfo t;
    t.shape.resize(extents);
    for (std::uint32_t i = extents; i > 0; --i) t.shape[i - 1] = number(place);
    if (length == 0) refuse(place + " has no name");
    if (length > left())
      refuse(place + ": its name would have " + std::to_string(length) + " bytes, but the file ends after " +
             std::to_string(left()) + " of them");
    t.name = file_.text().substr(at_, length);
    at_ += length;
    t.dtype = dtype(type, "tensor " + in_quotes(t.name) + ": ");
    const auto size = byte_size(t.dtype, t.shape);
    if (!size || *size > left())
      refuse("tensor " + in_quotes(t.name) + ": " + describe(t.dtype, t.shape) + " takes " +
             (size ? std::to_string(*size) : "more than 2^64") + " bytes, but the file ends after " +
             std::to_string(left()) + " of them");
    t.begin = std::exchange(at_, at_ + *size);
    t.end = at_;
    return t;
  }
  Dtype dtype(std::uint32_t type, const std::string& place) const {
    constexpr const char* names[] = {"FP32", "FP16", "Q4_0", "Q4_1", "Q4_1_O", "Q4_2", "Q4_3", "Q5_0", "Q5_1",
                                     "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K",   "Q5_K", "Q6_K", "Q8_K"};
    if (type >= std::size(names)) refuse(place + "expected a type from 0 to 16, found " + std::to_string(type));
    if (type > 1)
      throw Error(path(), ": ", place, "expected FP32 or FP16, found ", names[type],
                  ": quantised numbers cannot be read yet; use the file that this one was quantised from");
    return type == 0 ? Dtype::f32 : Dtype::f16;
  }
  [[noreturn, gnu::cold]] void refuse(const std::string& why) const {
    throw Error(path(), ": ", why, "; the file is damaged or not rwkv.cpp's, convert or download it again");
  }

  MappedFile file_;
  std::uint64_t at_ = 0;
};

}  // namespace rwkv
