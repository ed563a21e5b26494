#pragma once

// How kernels meet the processor. Each kernel is compiled for several
// instruction sets and the loader picks the best one the machine has. All of
// them compute the same bits: reductions run over a fixed virtual width, fused
// multiply-adds are explicit, and no kernel calls libm.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(BALLAST_SINGLE_ISA)
#define BALLAST_KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define BALLAST_KERNEL
#endif

/// For helpers that must melt into the kernel that calls them.
#define BALLAST_INLINE [[gnu::always_inline]] static inline
