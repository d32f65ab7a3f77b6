#include <doctest/doctest.h>

#include <rwkv/io/safetensors_file.hpp>
#include <rwkv/io/safetensors_writer.hpp>
#include <rwkv/training/start_settings.hpp>

#include "../io/folder.hpp"

using namespace rwkv;

TEST_CASE(
    "a start is told by its tensors' names, extents and numbers, whatever their order and the file's other words") {
  const test::Folder folder;
  const std::vector<float> numbers(70'000, 0.5f), few{1, 2, 3, 4, 5, 6};
  const auto said = [&](const auto& write) {
    SafetensorsWriter writer;
    write(writer);
    writer.write(folder / "model");
    return start_settings(SafetensorsFile(folder / "model"));
  };
  const auto usual = [&](SafetensorsWriter& writer) {
    writer.add("a", {2, 3}, std::span<const float>(few));
    writer.add("b", {70'000}, std::span<const float>(numbers));
  };
  const Settings start = said(usual);
  CHECK(start[0].first == "start");
  CHECK(start[0].second.starts_with("2 tensors, fingerprint "));
  CHECK(said([&](SafetensorsWriter& writer) {
          writer.add("b", {70'000}, std::span<const float>(numbers));
          writer.add("a", {2, 3}, std::span<const float>(few));
          writer.metadata["note"] = "another";
        }) == start);
  std::vector<float> other = numbers;
  other[69'999] = 0.25f;
  CHECK(said([&](SafetensorsWriter& writer) {
          writer.add("a", {2, 3}, std::span<const float>(few));
          writer.add("b", {70'000}, std::span<const float>(other));
        }) != start);
  CHECK(said([&](SafetensorsWriter& writer) {
          writer.add("a", {3, 2}, std::span<const float>(few));
          writer.add("b", {70'000}, std::span<const float>(numbers));
        }) != start);
  CHECK(said([&](SafetensorsWriter& writer) {
          writer.add("c", {2, 3}, std::span<const float>(few));
          writer.add("b", {70'000}, std::span<const float>(numbers));
        }) != start);
}
