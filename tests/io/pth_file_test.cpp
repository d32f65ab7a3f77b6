#include <rwkv/io/pth_file.hpp>

#include "../fuzz/memory_file.hpp"
#include "golden_tensors.hpp"
#include "zip.hpp"

using namespace rwkv;
using namespace std::string_literals;

namespace {

/// Opens it and reads all there is.
std::string complaint(const std::string& path) {
  return test::message<Error>([&] {
    const PthFile file(path);
    for (const TensorInfo& t : file.tensors())
      if (is_real(t.dtype)) test::numbers_of(file, t);
  });
}
std::string complaint(const std::string& path, const std::string& bytes) {
  test::write(path, bytes);
  return complaint(path);
}
/// Pieces of pickles of protocol 2.
std::string text(const std::string& t) {
  return "X" + test::bytes_of(std::uint32_t(t.size())) + t;
}
std::string number(std::int64_t n) {
  return "\x8A\x08" + test::bytes_of(n);
}
std::string tuple(const std::string& parts) {
  return "(" + parts + "t";
}
std::string storage(const std::string& key, std::int64_t size, const std::string& type = "FloatStorage") {
  return tuple(text("storage") + "ctorch\n" + type + "\n" + text(key) + text("cpu") + number(size)) + "Q";
}
std::string tensor(const std::string& where, std::int64_t first, const std::string& shape, const std::string& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n" + tuple(where + number(first) + shape + strides + "\x89}") + "R";
}
const std::string pair = tensor(storage("0", 2), 0, tuple(number(2)), tuple(number(1)));
std::string dictionary(const std::string& items) {
  return "\x80\2}(" + items + "u.";
}
/// An archive with this pickle and one storage of 8 bytes.
test::Zip archive(const std::string& pickle) {
  return {.members = {{"a/data.pkl", pickle}, {"a/byteorder", "little"}, {"a/data/0", std::string(8, '\1')}}};
}

}  // namespace

TEST_CASE("what torch.save wrote is read as torch reads it") {
  struct Case {
    const char* file;
    std::size_t tensors;
  };
  const Case cases[] = {{"plain.pth", 9},     {"module.pth", 4},       {"attributes.pth", 4}, {"strided.pth", 10},
                        {"nested.pth", 3},    {"transformers.pth", 2}, {"protocol5.pth", 2},  {"state.pth", 2},
                        {"training2.pth", 1}, {"training5.pth", 1}};
  for (const Case& c : cases) {
    INFO(c.file);
    const PthFile source(test::golden_files + c.file);
    CHECK(test::check_golden(source, "torch_expected.safetensors", c.file) == c.tensors);
    CHECK(source.format() == PthFile::name);
    for (std::size_t i = 1; i < source.tensors().size(); ++i)
      CHECK(source.tensors()[i - 1].begin <= source.tensors()[i].begin);
  }
}

TEST_CASE("numbers and texts beside tensors are metadata") {
  const PthFile plain(test::golden_files + "plain.pth");
  CHECK(plain.metadata() == Metadata{{"big", "1099511627776"},
                                     {"done", "true"},
                                     {"epoch", "3"},
                                     {"negative", "-2"},
                                     {"note", "caf\u00e9"},
                                     {"rate", number_text(0.1, 17)}});
  CHECK(plain.find("half")->dtype == Dtype::f16);
  CHECK(plain.find("brain")->dtype == Dtype::bf16);
  CHECK(plain.find("double")->dtype == Dtype::f64);
  CHECK(plain.find("unsigned")->dtype == Dtype::u16);
}

TEST_CASE("tensors beside a dictionary that has none are the model") {
  const test::Folder folder;
  test::write(
      folder / "a",
      archive(dictionary(text("emb.weight") + pair + text("model") + "}(" + text("size") + number(2) + "u")).bytes());
  const PthFile file(folder / "a");
  REQUIRE(file.tensors().size() == 1);
  CHECK(file.tensors()[0].name == "emb.weight");
}

TEST_CASE("tensors with strides have no bytes of their own, and any part of them is read") {
  const PthFile file(test::golden_files + "strided.pth");
  for (const char* gapless : {"whole", "row", "odd"}) CHECK(file.bytes(*file.find(gapless)));
  for (const char* strided : {"transposed", "corner", "column", "swapped", "one", "every other", "long"}) {
    INFO(strided);
    const TensorInfo& t = *file.find(strided);
    CHECK(!file.bytes(t));
    const std::vector<float> all = test::numbers_of(file, t);
    std::vector<double> some(all.size() - 1);
    file.read_numbers(t, 1, std::span(some));
    CHECK(std::equal(some.begin(), some.end(), all.begin() + 1));
  }
  std::vector<float> three(3);
  file.read_numbers(*file.find("long"), 999, std::span(three));
  const auto all = test::numbers_of(file, *file.find("long"));
  CHECK(std::equal(three.begin(), three.end(), all.begin() + 999));
}

TEST_CASE("what torch.save wrote, but is no dictionary of tensors as they were trained, is refused by name") {
  const auto says = [](const std::string& file, const std::string& reason) {
    const std::string path = test::golden_files + file, found = complaint(path);
    CHECK_MESSAGE(found.starts_with(path + ": " + reason), found);
    CHECK(found.find("; ") != std::string::npos);  // and the way out
  };
  says("converted.pth",
       "expected weights as they were trained, found some that pip rwkv has converted for a strategy (they have "
       "\"_strategy\")");
  says("script.pth", "expected a dictionary of tensors, found a TorchScript program");
  says("legacy.pth", "expected it to begin as a zip archive");
  says("tensor.pth", "expected a dictionary of tensors, found a tensor");
  says("empty.pth", "expected a dictionary of tensors, found one without tensors, its keys are \"args\", \"epoch\"");
  says("whole.pth", "data.pkl asks for \"torch.nn.modules.linear.Linear\", which no dictionary of tensors needs");
  says("numpy.pth", "data.pkl asks for \"numpy");
  says("expanded.pth",
       "tensor \"emb.weight\": (1000) has more scalars than its storage, which has 1; if it was expanded, save");
  says("conjugate.pth", "tensor \"emb.weight\" is a negative or conjugate view");
  says("sparse.pth", "data.pkl asks for \"torch._utils._rebuild_sparse_tensor\"");
}

TEST_CASE("a .pth that is not sound is refused with the reason") {
  const test::Folder folder;
  const std::string path = folder / "a", emb = text("emb.weight"), whole = archive(dictionary(emb + pair)).bytes();
  REQUIRE(complaint(path, whole) == "");
  CHECK(PthFile(path).tensors().size() == 1);
  struct Case {
    std::string bytes, reason;
  };
  const auto with = [&](auto change) {
    test::Zip zip = archive(dictionary(emb + pair));
    change(zip);
    return zip.bytes();
  };
  const auto pickled = [](const std::string& pickle) { return archive(pickle).bytes(); };
  const auto viewed = [&](std::int64_t first, const std::string& shape, const std::string& strides) {
    return archive(dictionary(emb + tensor(storage("0", 2), first, shape, strides))).bytes();
  };
  const std::int64_t huge = std::int64_t(1) << 62;
  const std::string two = tuple(number(2)), one = tuple(number(1));
  const Case cases[] = {
      {"", "expected it to begin as a zip archive"},
      {"PK\3\4", "begins as a zip archive, but has no directory at its end"},
      {with([](test::Zip& z) { z.members.erase(z.members.begin()); }),
       "expected a checkpoint of torch.save, found a zip archive without one"},
      {with([](test::Zip& z) {
         z.members.push_back({"b/data.pkl", ""});
       }),
       "expected one data.pkl in the zip archive, found several"},
      {with([](test::Zip& z) { z.members.push_back(z.members[2]); }), "member \"a/data/0\" occurs twice"},
      {with([](test::Zip& z) { z.members.pop_back(); }),
       "expected \"a/data/0\" in the zip archive, found nothing of that name"},
      {with([](test::Zip& z) { z.members[1].second = "big"; }),
       "expected numbers in the order \"little\", found \"big\""},
      {with([](test::Zip& z) { z.members[2].second = "1234567"; }),
       "tensor \"emb.weight\": its storage \"0\" has 7 bytes, expected 8"},
      {with([](test::Zip& z) { z.method = 8; }), "\"a/byteorder\" is compressed or encrypted"},
      {with([](test::Zip& z) { z.flags = 1; }), "\"a/byteorder\" is compressed or encrypted"},
      {with([](test::Zip& z) { z.shifted = 1; }), "member \"a/data.pkl\": expected its header at byte 1, found none"},
      {with([](test::Zip& z) { z.shifted = 1u << 31; }),
       "member \"a/data.pkl\": expected its header at byte 2147483648, found none"},
      {with([](test::Zip& z) { z.grown = 1; }), "two members of the zip archive overlap at byte "},
      {with([](test::Zip& z) { z.grown = 1000; }), "member \"a/data.pkl\": its "},
      {with([](test::Zip& z) {
         z.members[0].second += "PK";
         z.grown = 0xFFFFFFFF - z.members[0].second.size();
       }),
       "member \"a/data.pkl\" has no sizes of 64 bits"},
      {with([](test::Zip& z) { z.other_name = "another"; }),
       "member \"a/data.pkl\" is called \"another\" in its header at byte 0"},
      {with([](test::Zip& z) { z.more_entries = 1; }), "the zip directory has 3 entries, expected 4"},
      {with([](test::Zip& z) { z.more_entries = std::uint64_t(-1); }),
       "the zip directory has bytes after its 2 entries"},
      {with([](test::Zip& z) { z.more_entries = huge; }),
       "the zip directory has 3 entries, expected 4611686018427387907"},
      {whole.substr(0, whole.size() - 98) + std::string(76, '\0') + whole.substr(whole.size() - 22),
       "the zip directory would have 4294967295 bytes"},
      {pickled(""), "data.pkl is cut short at byte 0"},
      {pickled("."), "data.pkl: the operation before byte 1 finds too little on the stack"},
      {pickled("\x80\1N."), "data.pkl: byte 1: expected a pickle of protocol 2 to 5, found 1"},
      {pickled("\x80\2i"), "data.pkl: byte 2: operation 105 is none that dictionaries of tensors need"},
      {pickled("\x80\2t"), "data.pkl: the operation before byte 3 finds no mark on the stack"},
      {pickled("\x80\2\x85"), "data.pkl: the operation before byte 3 finds too little on the stack"},
      {pickled("\x80\2}(u(s"), "data.pkl: the operation before byte 7 finds too little on the stack"},
      {pickled("\x80\2}(Nu."), "data.pkl: byte 5: a dictionary is given a key without a value"},
      {pickled("\x80\2NNNs."), "data.pkl: byte 5: expected a dictionary to add to, found None"},
      {pickled("\x80\2Nr\xFF\xFF\xFF\x7F."),
       "data.pkl: the operation before byte 8 keeps something under a number that is too large"},
      {pickled("\x80\2h\5."), "data.pkl: the operation before byte 4 asks for something that was not kept"},
      {pickled("\x80\2\x8A\x09"
               "123456789."),
       "expected a dictionary of tensors, found an object"},
      {pickled("\x80\2N(\x90."), "data.pkl: byte 4: expected a set to add to, found None"},
      {pickled("\x80\2(\x90."), "data.pkl: the operation before byte 4 finds too little on the stack"},
      {pickled("\x80\2\x91."), "data.pkl: the operation before byte 3 finds no mark on the stack"},
      {pickled("\x80\2X\xFF\xFF\xFF\xFFtoo long"), "data.pkl is cut short at byte 15"},
      {pickled("\x80\2NNR."), "data.pkl: byte 4: expected a call, found others"},
      {pickled("\x80\2NQ."), "data.pkl: expected the mark of a storage, found None"},
      {pickled("\x80\2cos\nsystem\n"),
       "data.pkl asks for \"os.system\", which no dictionary of tensors needs and which might run code"},
      {pickled("\x80\4X\2\0\0\0osX\6\0\0\0system\x93."s), "data.pkl asks for \"os.system\""},
      {pickled("\x80\2ctorch\nFloatStorage\n)R."), "data.pkl calls torch.FloatStorage as torch.save does not"},
      {pickled("\x80\2ccollections\nOrderedDict\n]\x85R."),
       "data.pkl calls collections.OrderedDict as torch.save does not"},
      {pickled("\x80\2N."), "expected a dictionary of tensors, found None"},
      {pickled(dictionary("")), "expected a dictionary of tensors, found one without tensors"},
      {pickled("\x80\2}q\0"s + text("model") + "h\0s."s),
       "expected a dictionary of tensors, found one without tensors"},
      {pickled(dictionary(number(1) + pair)), "expected names as keys, found an integer"},
      {pickled(dictionary(emb + pair + emb + pair)), "tensor \"emb.weight\" occurs twice"},
      {pickled(dictionary(emb + pair + text("module.emb.weight") + pair)), "tensor \"module.emb.weight\" occurs twice"},
      {pickled(dictionary(emb + tensor("N", 0, two, one))),
       "tensor \"emb.weight\": expected a storage, a place, extents and strides"},
      {pickled(dictionary(emb + tensor(tuple(text("storage")) + "Q", 0, two, one))),
       "tensor \"emb.weight\": expected a storage with its type and key"},
      {pickled(dictionary(emb + tensor(storage("0", -2), 0, two, one))),
       "tensor \"emb.weight\": expected whole numbers from 0, found -2"},
      {pickled(dictionary(emb + tensor(storage("0", huge / 2), 0, two, one))),
       "tensor \"emb.weight\": its storage \"0\" has 8 bytes, expected"},
      {pickled(dictionary(emb + tensor(storage("0", huge), 0, two, one))),
       "tensor \"emb.weight\" has a storage too large to count"},
      {pickled(dictionary(emb + tensor(storage("0", 8, "UntypedStorage"), 0, two, one))),
       "data.pkl asks for \"torch.UntypedStorage\""},
      {viewed(0, tuple(number(3)), one), "tensor \"emb.weight\": (3) has more scalars than its storage, which has 2"},
      {viewed(1, two, one),
       "tensor \"emb.weight\": (2) with strides (1) from scalar 1 on reaches beyond its storage, which has 2"},
      {viewed(huge, one, one),
       "tensor \"emb.weight\": (1) with strides (1) from scalar 4611686018427387904 on reaches beyond"},
      {viewed(-1, two, one), "tensor \"emb.weight\": expected whole numbers from 0, found -1"},
      {viewed(0, two, tuple(number(-1))), "tensor \"emb.weight\": expected whole numbers from 0, found -1"},
      {viewed(0, two, tuple(number(2))), "tensor \"emb.weight\": (2) with strides (2) from scalar 0 on reaches beyond"},
      {viewed(0, two, tuple(number(huge))),
       "tensor \"emb.weight\": (2) with strides (4611686018427387904) from scalar 0 on reaches beyond"},
      {viewed(0, tuple(number(1) + number(2)), tuple(number(huge) + number(huge))),
       "tensor \"emb.weight\": (1, 2) with strides (46"},
      {viewed(0, tuple(number(huge) + number(4)), tuple(number(1) + number(1))),
       "tensor \"emb.weight\": (4611686018427387904, 4) has more scalars"},
      {viewed(0, two, tuple(number(1) + number(1))), "tensor \"emb.weight\" has 1 extents and 2 strides"},
      {viewed(0, two, "N"), "tensor \"emb.weight\": expected a tuple of numbers, found None"},
      {viewed(0,
              tuple(number(1) + number(1) + number(1) + number(1) + number(1) + number(1) + number(1) + number(1) +
                    number(1)),
              one),
       "tensor \"emb.weight\" has 9 extents, more than 8"},
      {viewed(0, tuple("G12345678"), one), "tensor \"emb.weight\": expected whole numbers from 0, found a number"},
  };
  for (const Case& c : cases) {
    const std::string found = complaint(path, c.bytes);
    CHECK_MESSAGE(found.starts_with(path + ": " + c.reason), found, "\n  expected: ", c.reason);
    CHECK(found.find("; ") != std::string::npos);  // and the way out
  }
  CHECK(complaint(path, with([](test::Zip& z) {
                    z.wide = false;
                    z.comment = std::string(65535, 'c');
                  })) == "");
  const std::string wide = with([](test::Zip& z) { z.wide_sizes = true; });
  CHECK(complaint(path, wide) == "");
  CHECK(PthFile(path).tensors().size() == 1);
  CHECK(complaint(path, with([](test::Zip& z) { z.wide_sizes = true, z.shifted = std::uint64_t(1) << 63; }))
            .find("expected its header at byte 9223372036854775808, found none") != std::string::npos);
  CHECK(complaint(path, viewed(9, tuple(number(0)), one)) == "");  // nothing, wherever that is
}

TEST_CASE("a .pth cut short anywhere is refused") {
  fuzz::MemoryFile cut;
  for (const char* file : {"plain.pth", "module.pth", "nested.pth", "protocol5.pth"}) {
    const std::string whole = test::read(test::golden_files + file);
    for (std::size_t n = 0; n < whole.size(); ++n) {
      INFO(file, " after ", n, " bytes");
      cut.hold(std::string_view(whole).substr(0, n));
      REQUIRE(complaint(cut.path()) != "");
    }
  }
}
