#pragma once
#include <charconv>

#include <rwkv/io/bundle_reader.hpp>
#include <rwkv/io/safetensors_file.hpp>
#include <rwkv/training/gathered_tensors.hpp>
#include <rwkv/training/trainer.hpp>

namespace rwkv {

/// What checkpoints are called in their metadata under "checkpoint": their tensors and what these mean.
inline constexpr const char* checkpoint_version = "2";

namespace detail {
/// More than any run makes; what counts batches by it stays within 64 bits.
inline constexpr dim_t most_steps = dim_t(1) << 40;

/// The number of steps of a checkpoint. Error unless the file is one, of this version.
[[gnu::cold]] inline dim_t checkpoint_steps(const SafetensorsFile& file) {
  const auto value = [&](const char* key) {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string("nothing") : found->second;
  };
  const std::string text = value("steps"), version = value("checkpoint");
  dim_t steps = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), steps);
  const bool number = error != std::errc::invalid_argument && end == text.data() + text.size();
  if (number && (error != std::errc{} || steps < 0 || steps > most_steps))
    throw Error(file.path(), ": metadata \"steps\": expected a number from 0 to ", most_steps, ", found ", shown(text),
                "; the file is damaged, take an earlier checkpoint or start afresh");
  if (!number)
    throw Error(file.path(), ": metadata \"steps\": expected a number, found ", shown(text),
                "; this file is no checkpoint of a training run");
  if (version != checkpoint_version)
    throw Error(file.path(), ": metadata \"checkpoint\": expected version ", checkpoint_version, ", found ",
                shown(version), "; it was written by ", (version == "nothing" ? "an older" : "another"),
                " version of the library: finish the run with that one, or start afresh");
  return steps;
}
}  // namespace detail

/// Of several ranks, all call it, and rank 0 writes; what others have of a tensor they send.
[[gnu::cold]] inline void save_checkpoint(const CheckpointParts& parts, dim_t steps, AnyCommunicator& ranks,
                                          const std::string& path, Metadata metadata) {
  metadata["checkpoint"] = checkpoint_version;
  metadata["steps"] = std::to_string(steps);
  SafetensorsWriter writer;
  writer.metadata = std::move(metadata);
  detail::GatheredTensors tensors(ranks);
  for (const CheckpointPart& part : parts) tensors.add(writer, part);
  tensors.write(writer, path);
}
/// Returns the number of steps; `metadata` becomes the file's.
inline dim_t load_checkpoint(const CheckpointParts& parts, const std::string& path, Metadata& metadata,
                             OnNonFinite on = OnNonFinite::refuse) {
  const SafetensorsFile file(path);
  const dim_t steps = detail::checkpoint_steps(file);
  BundleReader reader(file);
  for (const CheckpointPart& part : parts) reader.add(part.name, part.own);
  reader.read(on);
  metadata = file.metadata();
  return steps;
}

/// Everything a run needs to go on bit for bit, in one file that is replaced whole or not at all: parameters, what the
/// optimizer remembers, the carried state and the number of steps, which is also the place in the text. Any number of
/// ranks may go on from it, whatever number made it.
template <class Net, Backend B, class O, class C>
void save_checkpoint(Trainer<Net, B, O, C>& trainer, const std::string& path, Metadata metadata = {}) {
  AnyCommunicator ranks(trainer.communicator());
  save_checkpoint(trainer.parts(), trainer.steps(), ranks, path, std::move(metadata));
}
/// Puts a trainer where the checkpoint was taken; returns the file's metadata. Error, and nothing changed, unless the
/// checkpoint was made by a trainer of the same model, optimizer and batch, and all its numbers are finite or need not
/// be.
template <class Net, Backend B, class O, class C>
Metadata load_checkpoint(Trainer<Net, B, O, C>& trainer, const std::string& path,
                         OnNonFinite on = OnNonFinite::refuse) {
  Metadata metadata;
  AnyCommunicator ranks(trainer.communicator());
  trainer.continue_from(together(ranks, [&] { return load_checkpoint(trainer.parts(), path, metadata, on); }));
  return metadata;
}

}  // namespace rwkv
