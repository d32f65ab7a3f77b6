#pragma once
#include <charconv>

#include <rwkv/io/safetensors.hpp>
#include <rwkv/training/trainer.hpp>

namespace rwkv {

/// Everything a run needs to go on bit for bit, in one file that is replaced whole or not at all: parameters, moments,
/// carried state and the number of steps, which is also the place in the text.
template <class Net, Backend B>
void save_checkpoint(Trainer<Net, B>& trainer, const std::string& path, Metadata metadata = {}) {
  metadata["steps"] = std::to_string(trainer.steps());
  SafetensorsWriter writer;
  writer.metadata = std::move(metadata);
  trainer.for_each_part([&](const char* name, auto& part) { write_bundle(writer, name, part); });
  writer.write(path);
}

/// Puts a trainer where the checkpoint was taken; returns the file's metadata. Error, and nothing changed, unless the
/// checkpoint was made by a trainer of the same model and batch.
template <class Net, Backend B>
Metadata load_checkpoint(Trainer<Net, B>& trainer, const std::string& path) {
  const SafetensorsFile file(path);
  const auto found = file.metadata().find("steps");
  const std::string text = found == file.metadata().end() ? "nothing" : found->second;
  dim_t steps = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), steps);
  if (error != std::errc{} || end != text.data() + text.size() || steps < 0)
    throw Error(path, ": metadata \"steps\": expected a number, found ", text,
                "; this file is no checkpoint of a training run");
  BundleReader reader(file);
  trainer.for_each_part([&](const char* name, auto& part) { reader.add(name, part); });
  reader.read();
  trainer.continue_from(steps);
  return file.metadata();
}

}  // namespace rwkv
