#pragma once

// How kernels are compiled: each one for several instruction sets, of which the
// loader picks the best that the machine has. All of
// them compute the same bits: reductions run over a fixed virtual width, fused
// multiply-adds are explicit, and no kernel calls libm.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(BALLAST_SINGLE_ISA)
#define BALLAST_KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define BALLAST_KERNEL
#endif

/// For helpers that must be inlined into the kernel that calls them.
#define BALLAST_INLINE [[gnu::always_inline]] static inline

#define BALLAST_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define BALLAST_INDEPENDENT
#define BALLAST_TARGET_BEGIN(features) \
  BALLAST_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define BALLAST_TARGET_END BALLAST_PRAGMA(clang attribute pop)
#else
/// Before a loop: no iteration reads what another one writes. clang finds that out at run time.
#define BALLAST_INDEPENDENT BALLAST_PRAGMA(GCC ivdep)
/// Functions between these two are compiled for processors with these features.
#define BALLAST_TARGET_BEGIN(features) \
  BALLAST_PRAGMA(GCC push_options) BALLAST_PRAGMA(GCC target(features))
#define BALLAST_TARGET_END BALLAST_PRAGMA(GCC pop_options)
#endif
