#include <rwkv/io/safetensors_header.hpp>

#include "expect.hpp"
#include "targets.hpp"

/// The last two bytes say how much data there is.
void fuzz::header(std::string_view input) {
  std::uint64_t data = 0;
  for (int i = 0; i < 2 && !input.empty(); ++i, input.remove_suffix(1))
    data = data << 8 | static_cast<unsigned char>(input.back());
  rwkv::SafetensorsHeader header;
  const std::string complaint = rwkv::parse_safetensors_header(input, data, header);
  expect(complaint.size() < 5000, "a short complaint");
  if (!complaint.empty()) return;
  std::uint64_t end = 0;
  for (const rwkv::TensorInfo& t : header.tensors) {
    expect(t.begin == end && t.end >= t.begin, "tensors one after the other");
    end = t.end;
  }
  expect(end == data, "all of the data");
}
