#include "kernels/gemm/gemm_profiled.hpp"

namespace ballast::kernels {

namespace {

Region region_of(Transpose a, Transpose b) {
  if (a == Transpose::no) return b == Transpose::no ? Region::product_nn : Region::product_nt;
  return b == Transpose::no ? Region::product_tn : Region::product_tt;
}

}  // namespace

void ProfiledGemm::multiply(const Operand& a, Transpose transpose_a, const Operand& b,
                            Transpose transpose_b, const Destination& c, Store store,
                            float alpha) const {
  const std::size_t k = transpose_a == Transpose::no ? a.cols : a.rows;
  const auto count = [](std::size_t x) { return static_cast<double>(x); };
  const std::size_t read = (a.rows * a.cols + b.rows * b.cols) * size_of(a.type);
  const std::size_t touched = c.rows * c.cols * size_of(c.type) * (store == Store::add ? 2 : 1);
  const Work work{2.0 * count(c.rows) * count(c.cols) * count(k), count(read + touched)};
  const auto whole = [](std::size_t x) { return static_cast<std::uint32_t>(x); };
  const ProfileSpan span{
      profile_,
      region_of(transpose_a, transpose_b),
      work,
      {whole(c.rows), whole(c.cols), whole(k), static_cast<std::uint32_t>(a.type)}};
  gemm_->multiply(a, transpose_a, b, transpose_b, c, store, alpha);
}

}  // namespace ballast::kernels
