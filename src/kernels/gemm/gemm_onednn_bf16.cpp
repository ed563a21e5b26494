#ifdef BALLAST_HAVE_ONEDNN

#include "kernels/gemm/gemm_onednn_bf16.hpp"

#include <array>

#include "base/checked_cast.hpp"
#include "base/error.hpp"

namespace ballast::kernels {

namespace {

/// Entries after which the cache starts anew. A training step has a few dozen shapes; a decoder
/// whose sequences grow has one more with each token.
constexpr std::size_t kLargestCache = 512;

/// op(x) [rows, cols] where x lies in memory with `stride` elements from row to row.
dnnl::memory::desc described(dnnl::memory::data_type type, std::size_t rows, std::size_t cols,
                             std::size_t stride, Transpose transpose) {
  const auto step = ballast::checked_cast<dnnl::memory::dim>(stride);
  const dnnl::memory::dims strides =
      transpose == Transpose::no ? dnnl::memory::dims{step, 1} : dnnl::memory::dims{1, step};
  return {{ballast::checked_cast<dnnl::memory::dim>(rows),
           ballast::checked_cast<dnnl::memory::dim>(cols)},
          type,
          strides};
}

dnnl::matmul::primitive_desc planned(const dnnl::engine& engine, const dnnl::memory::desc& a,
                                     const dnnl::memory::desc& b, const dnnl::memory::desc& c,
                                     Store store) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (store == Store::add) {
    dnnl::post_ops sum;
    sum.append_sum(1.0f);
    attributes.set_post_ops(sum);
  }
#if DNNL_VERSION_MAJOR >= 3
  return {engine, a, b, c, attributes};
#else
  return {dnnl::matmul::desc{a, b, c}, attributes, engine};
#endif
}

/// oneDNN's interface takes operands as void*, though it only reads them.
void* writable(const void* data) { return const_cast<void*>(data); }

/// `work`, whose oneDNN errors become ours and say of which product they are.
template <class Work>
void explained(const GemmShape& shape, Work&& work) {
  try {
    work();
  } catch (const dnnl::error& error) {
    throw internal_error("oneDNN's bf16 product of m {}, n {}, k {} failed with status {}: {}",
                         shape.m, shape.n, shape.k, static_cast<int>(error.status), error.what());
  }
}

}  // namespace

void OneDnnBf16::reserve_scratch(std::size_t bytes) {
  if (scratch_ && scratch_.get_desc().get_size() >= bytes) return;
  const dnnl::memory::desc flat{{ballast::checked_cast<dnnl::memory::dim>(bytes)},
                                dnnl::memory::data_type::u8,
                                dnnl::memory::format_tag::a};
  scratch_ = dnnl::memory{flat, engine_};
}

OneDnnBf16::Entry OneDnnBf16::make(const Key& key) {
  using Type = dnnl::memory::data_type;
  const auto a = described(Type::bf16, key.m, key.k, key.stride_a, key.transpose_a);
  const auto b = described(Type::bf16, key.k, key.n, key.stride_b, key.transpose_b);
  const auto type_c = key.type_c == ElementType::fp32 ? Type::f32 : Type::bf16;
  const auto c = described(type_c, key.m, key.n, key.stride_c, Transpose::no);
  const auto plan = planned(engine_, a, b, c, key.store);
  const auto scratch = plan.scratchpad_desc();
  reserve_scratch(scratch.get_size());
  return {dnnl::matmul{plan},
          {a, engine_, nullptr},
          {b, engine_, nullptr},
          {c, engine_, nullptr},
          {scratch, engine_, nullptr}};
}

OneDnnBf16::Key OneDnnBf16::key_of(const Product& product) {
  const auto& [shape, a, transpose_a, b, transpose_b, c, store, alpha] = product;
  return {shape.m,  shape.n,     shape.k,     a.stride, b.stride,
          c.stride, transpose_a, transpose_b, store,    c.type};
}

OneDnnBf16::Entry& OneDnnBf16::entry_of(const Product& product) {
  const Key key = key_of(product);
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    if (entries_.size() == kLargestCache) entries_.clear();
    found = entries_.emplace(key, make(key)).first;
  }
  return found->second;
}

void OneDnnBf16::prepare(const Product& product) {
  explained(product.shape, [&] { static_cast<void>(entry_of(product)); });
}

void OneDnnBf16::multiply(const Product& product) {
  explained(product.shape, [&] {
    Entry& entry = entry_of(product);
    entry.a.set_data_handle(writable(product.a.data));
    entry.b.set_data_handle(writable(product.b.data));
    entry.c.set_data_handle(product.c.data);
    if (scratch_) entry.scratch.set_data_handle(scratch_.get_data_handle());
    // The C++ interface would build a hash map of the arguments for each call.
    const std::array<dnnl_exec_arg_t, 4> arguments{{{DNNL_ARG_SRC, entry.a.get()},
                                                    {DNNL_ARG_WEIGHTS, entry.b.get()},
                                                    {DNNL_ARG_DST, entry.c.get()},
                                                    {DNNL_ARG_SCRATCHPAD, entry.scratch.get()}}};
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(entry.primitive.get(), stream_.get(),
                               static_cast<int>(arguments.size()), arguments.data()),
        "could not execute a matmul");
    stream_.wait();
  });
}

}  // namespace ballast::kernels

#endif  // BALLAST_HAVE_ONEDNN
