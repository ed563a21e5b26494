#pragma once

namespace ballast::kernels {

/// Whether a result replaces what the destination holds or is added to it.
enum class Store { overwrite, add };

}  // namespace ballast::kernels
