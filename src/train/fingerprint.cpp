#include "train/fingerprint.hpp"

#include <limits>

#include "base/error.hpp"
#include "kernels/panel_kernel.hpp"

namespace ballast::train {

namespace {

bool denormals_are_flushed() {
  volatile float smallest = std::numeric_limits<float>::min();
  return smallest / 2.0f == 0.0f;
}

}  // namespace

std::string numerics_fingerprint(const kernels::Gemm& gemm) {
  const auto attention_on = [](ElementType compute) {
    return std::string{kernels::make_panel_kernel(compute)->name()};
  };
  return fmt::format("gemm: {}; attention: {}, bf16 on {}; denormals: {}", gemm.description(),
                     attention_on(ElementType::fp32), attention_on(ElementType::bf16),
                     denormals_are_flushed() ? "flushed" : "kept");
}

void require_same_numerics(comm::Communicator& world, const std::string& own) {
  const auto all = world.gather_texts(own, {"numerics fingerprint"});
  for (int rank = 1; rank < world.size(); ++rank) {
    const auto& other = all[static_cast<std::size_t>(rank)];
    if (other != all[0]) {
      throw data_error(
          "the ranks would not compute the same bits: rank 0 ({}) has '{}', rank {} ({}) has '{}'; "
          "run on hosts of one kind, or cap the instruction set of the matrix library on all",
          world.host(0), all[0], rank, world.host(rank), other);
    }
  }
}

}  // namespace ballast::train
