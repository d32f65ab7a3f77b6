#pragma once
#include <rwkv/io/mapped_file.hpp>
#include <rwkv/io/safetensors_header.hpp>
#include <rwkv/io/tensor_source.hpp>

namespace rwkv {

/// A safetensors file: eight bytes n, n bytes of JSON, the data (huggingface/safetensors, "Format").
class SafetensorsFile final : public TensorSource {
 public:
  static constexpr std::string_view name = "safetensors";
  /// Damaged ones too, so that `open_source` says what is wrong with them.
  static bool recognises(std::span<const std::byte> file) { return file.size() > 8 && file[8] == std::byte{'{'}; }

  explicit SafetensorsFile(const std::string& path) : SafetensorsFile(MappedFile(path)) {}
  /// Error unless the whole header is sound and fits the file.
  [[gnu::cold]] explicit SafetensorsFile(MappedFile file) : TensorSource(file.path(), name), file_(std::move(file)) {
    const auto bytes = file_.bytes();
    std::uint64_t length = 0;
    if (bytes.size() < sizeof length) refuse("has only " + std::to_string(bytes.size()) + " bytes");
    std::memcpy(&length, bytes.data(), sizeof length);
    if (bytes[0] == std::byte{'P'} && bytes[1] == std::byte{'K'})
      throw Error(path(), ": is a zip archive, perhaps a .pth checkpoint, not safetensors; open_source reads both");
    if (length > bytes.size() - sizeof length)
      refuse("the header would have " + std::to_string(length) + " bytes, but the file ends after " +
             std::to_string(bytes.size() - sizeof length) + " of them");
    data_ = bytes.subspan(sizeof length + length);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof length, length);
    SafetensorsHeader header;
    const std::string complaint = parse_safetensors_header(text, data_.size(), header);
    if (!complaint.empty()) refuse(complaint);
    list(std::move(header.tensors), std::move(header.metadata));
  }

  std::optional<std::span<const std::byte>> bytes(const TensorInfo& t) const override {
    return data_.subspan(t.begin, t.end - t.begin);
  }

 private:
  [[noreturn, gnu::cold]] void refuse(const std::string& why) const {
    throw Error(path(), ": ", why, "; the file is damaged or not safetensors, save or download it again");
  }

  MappedFile file_;
  std::span<const std::byte> data_;
};

}  // namespace rwkv
