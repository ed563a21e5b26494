#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/team.hpp"
#include "kernels/gemm/gemm.hpp"

namespace ballast::kernels {

/// The library of a product. `panels` are this program's own kernels.
enum class GemmLibrary { openblas, onednn, panels };

[[nodiscard]] std::string_view name_of(GemmLibrary library);

/// The libraries that this build has and this processor runs.
[[nodiscard]] std::span<const GemmLibrary> gemm_libraries();

/// `team`, if there is one, shares the work of products, and must outlive the result. Throws a
/// usage Error when this build or this processor lacks `library`.
[[nodiscard]] std::unique_ptr<Gemm> make_gemm(GemmLibrary library, Team* team = nullptr);

}  // namespace ballast::kernels
