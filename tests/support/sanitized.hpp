#pragma once

namespace ballast::test {

/// Whether a sanitizer is in this program, whose shadow of the memory shows in every account of it
/// and is beyond any limit.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace ballast::test
