#pragma once

namespace ballast::kernels {

/// The thread count of the OpenMP runtime that oneDNN was built with. It is looked up in the
/// process: linking one here could bring in a second runtime whose settings oneDNN never reads.
class OpenMpThreads {
 public:
  /// Throws a usage Error when the process has no OpenMP runtime.
  OpenMpThreads();

  /// Limits the calling thread to teams of one while the object lives.
  class One {
   public:
    explicit One(const OpenMpThreads& threads) : threads_{threads}, before_{threads.get_()} {
      threads_.set_(1);
    }
    ~One() { threads_.set_(before_); }
    One(const One&) = delete;
    One& operator=(const One&) = delete;

   private:
    const OpenMpThreads& threads_;
    int before_;
  };

 private:
  int (*get_)();
  void (*set_)(int);
};

}  // namespace ballast::kernels
