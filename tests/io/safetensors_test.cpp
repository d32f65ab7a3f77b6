#include <cmath>
#include <random>

#include <rwkv/io/safetensors.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/repeat.hpp>
#include <rwkv/layers/sequential.hpp>
#include <rwkv/ops/weight_format.hpp>

#include "folder.hpp"

using namespace rwkv;

namespace {

/// Every rank from one to four, and something per sequence.
template <class B, dim_t C>
struct Inner {
  Tensor<B, C> a;
  Tensor<B, 1> scalar;
  Tensor<B, 1, 1, C> mix;
  static constexpr void fields(auto&& f, auto&&... p) {
    f(Field{"a"}, p.a...);
    f(Field{"scalar"}, p.scalar...);
    f(Field{"mix"}, p.mix...);
  }
};
template <class B, dim_t C = 5>
struct Outer {
  Tensor<B, 2, C> matrix;
  Inner<B, C> inner;
  Tensor<B, Batch, 2, 3, C> state;
  static constexpr void fields(auto&& f, auto&&... p) {
    f(Field{"matrix"}, p.matrix...);
    f(Field{"inner"}, p.inner...);
    f(Field{"state"}, p.state...);
  }
};
/// More than a reader or a writer holds in its hands at once.
template <class B>
struct Long {
  Tensor<B, (1 << 20) + 3> weight;
  static constexpr void fields(auto&& f, auto&&... p) { f(Field{"weight"}, p.weight...); }
};
template <class B>
struct Twins {
  Tensor<B, 2> one, other;
  static constexpr void fields(auto&& f, auto&&... p) {
    f(Field{"weight"}, p.one...);
    f(Field{"weight"}, p.other...);
  }
};

struct Net : Sequential<Named<"ln", LayerNorm<4>>, Named<"blocks", Repeat<2, Sequential<Named<"up", Linear<4, 4>>>>>> {
};
struct Wide : Sequential<Named<"ln", LayerNorm<6>>, Named<"blocks", Repeat<3, Sequential<Named<"up", Linear<6, 6>>>>>> {
};

/// Random bits: any number, the odd ones too.
template <class B, class P>
void scramble(Owned<B, P>& bundle, std::mt19937_64& random) {
  for_each_leaf(
      [&](auto&, auto&, auto& leaf) {
        std::vector<typename B::scalar> values(std::size_t(leaf.size()));
        for (auto& x : values) {
          const std::uint64_t bits = random();
          std::memcpy(&x, &bits, sizeof x);
        }
        B::upload(leaf.data, values.data(), leaf.size());
      },
      bundle.view());
}
template <class B, class P>
bool same_bits(const Owned<B, P>& a, const Owned<B, P>& b) {
  const auto x = a.download(), y = b.download();
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof x[0]) == 0;
}
/// A copy of a file with a space more in its header, so that every tensor begins at an odd address.
void shift(const std::string& from, const std::string& to) {
  std::string bytes = test::read(from);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  bytes.insert(sizeof length + length++, " ");
  std::memcpy(bytes.data(), &length, sizeof length);
  test::write(to, bytes);
}
template <class F>
std::string complaint(const F& f) {
  return test::message<Error>(f);
}

}  // namespace

TEST_CASE_TEMPLATE("any bundle comes back bit for bit", T, float, double) {
  const auto seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const test::Folder folder;
  for (const dim_t batch : {1, 2, 7, 0}) {
    Owned<Cpu<T>, Outer<Cpu<T>>> a({batch, 1}), b({batch, 1});
    scramble(a, random);
    save(a, folder / "a", {{"batch", std::to_string(batch)}});
    CHECK(load(b, folder / "a").at("batch") == std::to_string(batch));
    CHECK(same_bits(a, b));

    shift(folder / "a", folder / "odd");
    scramble(b, random);
    load(b, folder / "odd");
    CHECK(same_bits(a, b));
  }
}

TEST_CASE("a long tensor comes back whole, from any address and as any scalar") {
  const test::Folder folder;
  std::mt19937_64 random(4);
  Owned<Cpu<float>, Long<Cpu<float>>> a, b;
  scramble(a, random);
  save(a, folder / "a");
  load(b, folder / "a");
  CHECK(same_bits(a, b));
  shift(folder / "a", folder / "odd");
  scramble(b, random);
  load(b, folder / "odd");
  CHECK(same_bits(a, b));

  for (dim_t i = 0; i < a.weight.size(); ++i) a.weight[i] = float(random() % 9999);
  save(a, folder / "a");
  Owned<Cpu<double>, Long<Cpu<double>>> wide;
  Owned<Cpu<bf16>, Long<Cpu<bf16>>> rounded;
  load(wide, folder / "a");
  load(rounded, folder / "a");
  bool same = true;
  for (dim_t i = 0; i < a.weight.size(); ++i)
    same = same && wide.weight[i] == a.weight[i] && float(rounded.weight[i]) == float(bf16(a.weight[i]));
  CHECK(same);
}

TEST_CASE("a model is stored under its official names, in their order") {
  const test::Folder folder;
  const Model<Net> model(3);
  save(model, folder / "a");
  const SafetensorsFile file(folder / "a");
  std::string names;
  for (const TensorInfo& t : file.tensors())
    names += t.name + " " + std::string(name_of(t.dtype)) + shape_text(t.shape) + "; ";
  CHECK(names == "ln.weight F32(4); ln.bias F32(4); blocks.0.up.weight F32(4, 4); blocks.1.up.weight F32(4, 4); ");
  CHECK(file.metadata().empty());

  Model<Net> other(4);
  CHECK(!same_bits(model.params, other.params));
  load(other, folder / "a");
  CHECK(same_bits(model.params, other.params));
}

TEST_CASE("floats go to doubles exactly, doubles do not go to floats") {
  const test::Folder folder;
  const Model<Net, Cpu<float>> model(3);
  save(model, folder / "f32");
  Model<Net, Cpu<double>> wide(4);
  load(wide, folder / "f32");
  const auto f = model.params.download();
  const auto d = wide.params.download();
  CHECK(std::vector<double>(f.begin(), f.end()) == d);

  save(wide, folder / "f64");
  CHECK(SafetensorsFile(folder / "f64").find("ln.bias")->dtype == Dtype::f64);
  Model<Net, Cpu<float>> other(5), before(5);
  const std::string what = complaint([&] { load(other, folder / "f64"); });
  CHECK(what.find("\n  ln.weight: dtype: expected F32, found F64\n  ln.bias: dtype: expected F32, found F64\n") !=
        std::string::npos);
  CHECK(same_bits(other.params, before.params));
}

TEST_CASE("halves of either kind load into floats") {
  const test::Folder folder;
  for (const Dtype half : {Dtype::f16, Dtype::bf16}) {
    SafetensorsWriter writer;
    Owned<Cpu<float>, Inner<Cpu<float>, 3>> bundle;
    for (const Leaf& leaf : bundle.leaves())
      writer.add(leaf.name, half, leaf.shape, [half](std::uint64_t, std::span<std::byte> chunk) {
        const std::uint16_t one_and_a_half = half == Dtype::f16 ? 0x3E00 : 0x3FC0;
        for (std::size_t i = 0; i < chunk.size(); i += 2) std::memcpy(&chunk[i], &one_and_a_half, 2);
      });
    writer.write(folder / "half");
    load(bundle, folder / "half");
    CHECK(bundle.a[2] == 1.5f);
    CHECK(bundle.mix[0] == 1.5f);
  }
}

TEST_CASE("a matrix is saved as it is stored, and takes numbers that are stored otherwise") {
  using B = Cpu<float>;
  using Params = Linear<3, 5>::Params<B>;  // 15 numbers: an odd end in the machine's scalars
  const test::Folder folder;
  Owned<B, Params> plain, other;
  plain.reset(3);
  Owned<B, Params> rounded({}, {.formats = {{"weight", &stored_as<B, bf16>}}}), again = rounded;
  save(plain, folder / "plain");
  load(rounded, folder / "plain");
  save(rounded, folder / "rounded");
  const SafetensorsFile file(folder / "rounded");
  CHECK(file.find("weight")->dtype == Dtype::bf16);
  load(again, folder / "rounded");
  CHECK(same_bits(again, rounded));
  load(other, folder / "rounded");
  for (dim_t i = 0; i < 15; ++i) CHECK(other.weight.data[i] == float(bf16(plain.weight.data[i])));
}

TEST_CASE("whatever does not fit is said in one Error, and nothing is loaded") {
  const test::Folder folder;
  const std::vector<double> four{1, 2, 3, 4};
  const std::vector<float> twelve(12);
  SafetensorsWriter writer;
  writer.add("ln.bias", {2, 2}, std::span(four));
  writer.add("ln.weight", {4}, std::span(twelve).subspan(8));
  writer.add("blocks.1.up.weight", {3, 4}, std::span(twelve));
  writer.add("head.weight", {12}, std::span(twelve));
  writer.write(folder / "a");

  Model<Net> model(5), before(5);
  CHECK(complaint([&] { load(model, folder / "a"); }) ==
        (folder / "a") +
            ":"
            "\n  ln.bias: shape: expected (4), found (2, 2)"
            "\n  ln.bias: dtype: expected F32, found F64"
            "\n  blocks.0.up.weight: expected F32 (4, 4), found nothing of that name"
            "\n  blocks.1.up.weight: shape: expected (4, 4), found (3, 4)"
            "\n  head.weight: expected nothing of that name, found F32 (12)"
            "\nnothing was loaded; load it into the type that it was saved from");
  CHECK(same_bits(model.params, before.params));

  save(Model<Wide>(), folder / "wide");
  const std::string what = complaint([&] { load(model, folder / "wide"); });
  CHECK(what.find("ln.weight: shape: expected (4), found (6)") != std::string::npos);
  CHECK(what.find("blocks.2.up.weight: expected nothing of that name, found F32 (6, 6)") != std::string::npos);
}

TEST_CASE("a state loads into as many sequences as it was saved from") {
  const test::Folder folder;
  std::mt19937_64 random(1);
  Owned<Cpu<float>, Outer<Cpu<float>>> two({2, 1}), three({3, 1});
  scramble(two, random);
  save(two, folder / "state");
  CHECK(complaint([&] { load(three, folder / "state"); }) ==
        (folder / "state") +
            ": state: shape: expected (3, 2, 3, 5), found (2, 2, 3, 5); nothing was loaded; "
            "load it into the type that it was saved from");
}

TEST_CASE("leaves of one name are refused") {
  const test::Folder folder;
  Owned<Cpu<float>, Twins<Cpu<float>>> twins;
  const std::string what = complaint([&] { save(twins, folder / "a"); });
  CHECK(what.starts_with("weight: two tensors would have this name"));
  CHECK(what.find("Named<") != std::string::npos);
  CHECK(folder.files() == 0);

  const std::vector<float> values(2);
  SafetensorsWriter writer;
  writer.add("weight", {2}, std::span(values));
  writer.write(folder / "a");
  CHECK(complaint([&] { load(twins, folder / "a"); }).starts_with("weight: two tensors of what is to be loaded"));
}

TEST_CASE("several bundles share a file under their prefixes") {
  const test::Folder folder;
  std::mt19937_64 random(2);
  using Bundle = Owned<Cpu<float>, Inner<Cpu<float>, 3>>;
  Bundle model, m, v;
  scramble(model, random), scramble(m, random), scramble(v, random);
  SafetensorsWriter writer;
  writer.metadata["step"] = "12";
  write_bundle(writer, "model.", model);
  write_bundle(writer, "adam.m.", m);
  write_bundle(writer, "adam.v.", v);
  writer.write(folder / "a");
  const SafetensorsFile file(folder / "a");
  CHECK(file.find("adam.m.scalar") != nullptr);

  Bundle one, two, three;
  read_bundle(file, "adam.m.", one);
  CHECK(same_bits(one, m));

  BundleReader some(file);  // one bundle is left over
  some.add("model.", one), some.add("adam.m.", two);
  CHECK(complaint([&] { some.read(); }).find("adam.v.mix: expected nothing of that name") != std::string::npos);
  CHECK(same_bits(one, m));
  CHECK(same_bits(two, three));

  BundleReader all(file);
  all.add("model.", one), all.add("adam.m.", two), all.add("adam.v.", three);
  all.read();
  CHECK(same_bits(one, model));
  CHECK(same_bits(two, m));
  CHECK(same_bits(three, v));

  CHECK(complaint([&] { read_bundle(file, "adam.", one); }).find("adam.a: expected F32 (3)") != std::string::npos);
}
