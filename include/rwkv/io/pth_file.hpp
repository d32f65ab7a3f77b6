#pragma once
#include <rwkv/core/number_text.hpp>
#include <rwkv/io/mapped_file.hpp>
#include <rwkv/io/pth_names.hpp>
#include <rwkv/io/tensor_source.hpp>
#include <rwkv/io/torch_objects.hpp>
#include <rwkv/io/zip_archive.hpp>

namespace rwkv {

/// A .pth checkpoint: a dictionary of tensors that torch.save wrote, since PyTorch 1.6 a zip archive with a pickle and
/// a member for each storage. Nothing of it is run: the pickle may name what dictionaries of tensors are made of, and
/// nothing else. The dictionary may lie in others under "state_dict", "model_state_dict", "model", "weights" or
/// "module"; what stands beside it is passed over. Numbers and texts among the tensors are metadata. Names lose what
/// trainers put before them, and "rwkv." or "model." if the embedding is called emb.weight without that.
class PthFile final : public TensorSource {
 public:
  static constexpr std::string_view name = "PyTorch's .pth";
  static bool recognises(std::span<const std::byte> file) { return detail::ZipArchive::recognises(file); }

  /// As above, or as they are stored.
  enum class Names { official, stored };

  explicit PthFile(const std::string& path) : PthFile(MappedFile(path)) {}
  /// Error unless the archive and the pickle are sound, and every tensor lies within its storage.
  [[gnu::cold]] explicit PthFile(MappedFile file, Names names = Names::official)
      : TensorSource(file.path(), name), file_(std::move(file)), names_(names) {
    const detail::ByteReader whole(path(), file_.bytes(), way_out);
    if (!recognises(file_.bytes())) whole.refuse("expected it to begin as a zip archive, found something else");
    const detail::ZipArchive archive(whole);
    const std::string root = root_of(archive);
    const auto pickle = bytes_of_member(archive, root + "data.pkl");
    if (pickle.size() > longest_pickle)
      whole.refuse("data.pkl has ", pickle.size(), " bytes, more than ", longest_pickle);
    const detail::ByteReader reader(path(), pickle, way_out);
    detail::TorchObjects torch(reader);
    detail::PickleMachine machine(reader, torch);
    const detail::PickleValue all = machine.run();
    list_dictionary(archive, root, torch, machine.heap, dictionary_of_tensors(all, machine.heap));
  }

  std::optional<std::span<const std::byte>> bytes(const TensorInfo& t) const override {
    if (!strides_of(t).contiguous()) return {};
    return file_.bytes().subspan(t.begin, t.end - t.begin);
  }
  void read_numbers(const TensorInfo& t, std::uint64_t first, std::span<float> out) const override {
    read_any(t, first, out);
  }
  void read_numbers(const TensorInfo& t, std::uint64_t first, std::span<double> out) const override {
    read_any(t, first, out);
  }

 private:
  using Kind = detail::PickleValue::Kind;
  static constexpr const char* way_out = "save model.state_dict() with torch.save again, or convert it to safetensors";
  static constexpr std::size_t longest_pickle = 1 << 24;  // a thousand tensors take 200 kB

  template <class... Pieces>
  [[noreturn]] [[gnu::cold]] void refuse(const Pieces&... why) const {
    throw Error(path(), ": ", why..., "; ", way_out);
  }

  /// What stands before all names of the archive.
  std::string root_of(const detail::ZipArchive& archive) const {
    constexpr std::string_view ending = "/data.pkl";
    std::string root;
    for (const auto& [member, place] : archive.members()) {
      if (!member.ends_with(ending) || member.find('/') != member.size() - ending.size()) continue;
      if (!root.empty()) refuse("expected one data.pkl in the zip archive, found several");
      root = std::string(member.substr(0, member.size() - ending.size())) + "/";
    }
    if (root.empty())
      throw Error(path(), ": expected a checkpoint of torch.save, found a zip archive without one; unpack it");
    if (archive.find(root + "constants.pkl") != nullptr)
      throw Error(path(), ": expected a dictionary of tensors, found a TorchScript program; ", way_out);
    if (archive.find(root + "byteorder") == nullptr) return root;  // older ones are little-endian
    const auto order = bytes_of_member(archive, root + "byteorder");
    const std::string_view text(reinterpret_cast<const char*>(order.data()), order.size());
    if (text != "little") refuse("expected numbers in the order \"little\", found ", in_quotes(text));
    return root;
  }
  std::span<const std::byte> bytes_of_member(const detail::ZipArchive& archive, const std::string& member) const {
    const detail::ZipMember* const found = archive.find(member);
    if (found == nullptr) refuse("expected ", in_quotes(member), " in the zip archive, found nothing of that name");
    if (!found->as_it_is) refuse(in_quotes(member), " is compressed or encrypted, expected it as it is");
    return file_.bytes().subspan(found->begin, found->end - found->begin);
  }

  /// Keys and values of the one that holds tensors.
  const std::vector<detail::PickleValue>& dictionary_of_tensors(detail::PickleValue all,
                                                                const detail::PickleHeap& heap) const {
    std::string keys;
    const std::vector<detail::PickleValue>* found = nullptr;  // the innermost, since tensors may stand beside a model
    for (int depth = 0; depth < 4 && all.is(Kind::dictionary); ++depth) {
      const std::vector<detail::PickleValue>& items = heap[all.place];
      const detail::PickleValue* inner = nullptr;
      for (std::size_t i = 0; i < items.size(); i += 2) {
        const detail::PickleValue &key = items[i], &value = items[i + 1];
        if (value.is(Kind::made)) found = &items;
        if (!key.is(Kind::text)) continue;
        if (keys.size() < 200) keys += (keys.empty() ? "" : ", ") + in_quotes(key.text);
        for (const std::string_view known : {"state_dict", "model_state_dict", "model", "weights", "module"})
          if (key.text == known && value.is(Kind::dictionary) && !heap[value.place].empty()) inner = &value;
      }
      if (inner == nullptr) break;
      all = *inner;
    }
    if (found != nullptr) return *found;
    if (!all.is(Kind::dictionary)) refuse("expected a dictionary of tensors, found ", name_of(all.kind));
    refuse("expected a dictionary of tensors, found one without tensors", keys.empty() ? "" : ", its keys are ", keys);
  }
  void list_dictionary(const detail::ZipArchive& archive, const std::string& root, const detail::TorchObjects& torch,
                       const detail::PickleHeap& heap, const std::vector<detail::PickleValue>& items) {
    for (std::size_t i = 0; i < items.size(); i += 2)
      for (const std::string_view mark : {"_strategy", "_version", "_rescale_layer"})
        if (items[i].is(Kind::text) && items[i].text == mark)
          throw Error(path(),
                      ": expected weights as they were trained, found some that pip rwkv has converted for a "
                      "strategy (they have ",
                      in_quotes(mark),
                      "): matrices are transposed and scaled, decays changed; "
                      "use the file that it was made from");
    std::string_view prefix;
    for (std::size_t i = 0; i < items.size(); i += 2)
      if (items[i].is(Kind::text) && prefix.empty() && names_ == Names::official)
        prefix = detail::model_prefix(detail::without_wrappers(items[i].text));
    std::vector<TensorInfo> tensors;
    Metadata metadata;
    for (std::size_t i = 0; i < items.size(); i += 2) {
      if (!items[i].is(Kind::text)) refuse("expected names as keys, found ", name_of(items[i].kind));
      std::string_view called = items[i].text;
      if (names_ == Names::official) called = detail::without_wrappers(called);
      if (called.starts_with(prefix)) called.remove_prefix(prefix.size());
      if (!items[i + 1].is(Kind::made)) {
        if (const auto text = text_of(items[i + 1])) metadata.emplace(called, *text);
        continue;
      }
      const std::string what = "tensor " + in_quotes(items[i].text);
      detail::TorchTensor t = torch.tensor(items[i + 1], heap, what);
      tensors.push_back(place(t, bytes_of_member(archive, root + "data/" + std::string(t.storage)), what));
      tensors.back().name = called;
      if (!strides_.emplace(called, std::move(t.strides)).second) refuse(what, " occurs twice");
    }
    detail::sort_by_place(tensors);
    list(std::move(tensors), std::move(metadata));
  }
  static std::optional<std::string> text_of(const detail::PickleValue& value) {
    if (value.is(Kind::text)) return std::string(value.text);
    if (value.is(Kind::integer)) return std::to_string(value.integer);
    if (value.is(Kind::boolean)) return value.integer != 0 ? "true" : "false";
    if (value.is(Kind::real)) return number_text(value.real, 17);
    return {};
  }
  /// A tensor without its name, in the bytes of its storage.
  TensorInfo place(const detail::TorchTensor& t, std::span<const std::byte> storage, const std::string& what) const {
    if (storage.size() != t.storage_bytes)
      refuse(what, ": its storage ", in_quotes(t.storage), " has ", storage.size(), " bytes, expected ",
             t.storage_bytes);
    const auto size = t.strides.size(), reach = t.strides.reach();
    const auto scalars = dim_t(storage.size() / bytes_of(t.dtype));
    const std::string shape = shape_text(t.strides.shape);
    if (!size || !reach || *size > scalars)
      throw Error(path(), ": ", what, ": ", shape, " has more scalars than its storage, which has ", scalars,
                  "; if it was expanded, save its clone() instead");
    if (*reach > 0 && (t.first >= std::uint64_t(scalars) || *reach > scalars - dim_t(t.first)))
      refuse(what, ": ", shape, " with strides ", shape_text(t.strides.steps), " from scalar ", t.first,
             " on reaches beyond its storage, which has ", scalars);
    const auto begin =
        std::uint64_t(storage.data() - file_.bytes().data()) + (*reach > 0 ? t.first * bytes_of(t.dtype) : 0);
    return {.name = {},
            .dtype = t.dtype,
            .shape = t.strides.shape,
            .begin = begin,
            .end = begin + std::uint64_t(*reach) * bytes_of(t.dtype)};
  }

  const detail::Strides& strides_of(const TensorInfo& t) const { return strides_.find(t.name)->second; }
  template <class T>
  void read_any(const TensorInfo& t, std::uint64_t first, std::span<T> out) const {
    const std::span<const std::byte> all = file_.bytes().subspan(t.begin, t.end - t.begin);
    const detail::Strides& strides = strides_of(t);
    if (strides.contiguous()) return read_elements(t.dtype, all.data(), first, out);
    constexpr std::size_t most = 512;
    std::byte scalars[most * sizeof(double)];
    for (const std::size_t size = bytes_of(t.dtype); !out.empty();) {
      const std::size_t n = std::min(out.size(), most);
      strides.gather(all, size, first, {scalars, n * size});
      convert(t.dtype, scalars, out.first(n));
      first += n, out = out.subspan(n);
    }
  }

  MappedFile file_;
  Names names_;
  std::map<std::string, detail::Strides, std::less<>> strides_;  // by the tensors' names
};

}  // namespace rwkv
