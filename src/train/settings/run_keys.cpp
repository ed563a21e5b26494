#include "base/option_row.hpp"
#include "train/settings/section_keys.hpp"

namespace ballast::train {

using option_row::whole, option_row::number, option_row::choice, option_row::word,
    option_row::parsed, option_row::required;

Keys checkpoint_keys(CheckpointConfig& c) {
  return {
      {whole("checkpoint.every", c.every, kEvery,
             "steps between saves; 0: by the clock, at the end and on signals only"),
       Role::free()},
      {number("checkpoint.every_minutes", c.every_minutes, kZeroOrMore,
              "minutes between saves, besides those by steps; 0: none"),
       Role::free()},
      {whole("checkpoint.keep", c.keep, {1, UINT32_MAX}, "how many of the newest are kept"),
       Role::free()},
      {whole("checkpoint.keep_every", c.keep_every, kEvery,
             "checkpoints of its multiples, in steps, are kept for ever; 0: none"),
       Role::free()},
      {whole("checkpoint.give_up", c.give_up, kEvery,
             "failed saves in a row after which the run ends; 0: it never does"),
       Role::free()},
      {parsed("checkpoint.resume", "false|true|PATH", c.resume, Resume::parse,
              "a text in one line, not empty",
              "true: from the newest, or a fresh start; PATH: from that checkpoint"),
       Role::unreported()},
      {choice("checkpoint.numerics", c.numerics,
              "same: resume only with the libraries and the instruction set of the checkpoint; "
              "any: with all"),
       Role::free()},
      {choice("checkpoint.export", c.export_as,
              "what else the checkpoint of the last step becomes; hf: a Hugging Face folder, "
              "run.dir/export-hf; gguf: a file for llama.cpp, run.dir/export.gguf"),
       Role::free()},
  };
}

Keys eval_keys(Config& c) {
  return {{whole("eval.every", c.eval_every, kEvery, "steps between evaluations; 0: none"),
           Role::free()}};
}

Keys log_keys(Config& c) {
  return {
      {whole("log.every", c.log_every, kEvery, "steps between records; 0: none"), Role::free()},
      {whole("log.profile", c.log_profile, kEvery,
             "steps to profile, the last of the run: a trace a rank and a table of kernels in "
             "run.dir/profile; 0: none"),
       Role::free()},
  };
}

Keys run_keys(RunConfig& c) {
  return {
      {required(word("run.dir", "FOLDER", c.dir, "where log and checkpoints go")),
       Role::unreported()},
      for_calibration({whole("run.steps", c.steps, kSteps, "steps to train"), Role::free()}),
      for_calibration({whole("run.stop_at", c.stop_at, kSteps, "run.steps",
                             "stop after this step; the schedule does not change"),
                       Role::unreported()}),
      {whole("run.seed", c.seed, {}, "seed of the weights and of the data order"),
       Role::same(kNeverAbsent)},
      {word("run.init", "PATH", c.init,
            "begin with these weights: a Hugging Face folder, a GGUF file, a checkpoint, or a run "
            "directory; the "
            "[model] is theirs"),
       Role::free()},
      {word("run.gemm_table", "FILE", c.gemm_table,
            "table of matrix libraries, written by 'ballast tune'; without one: the shipped one"),
       Role::free()},
  };
}

}  // namespace ballast::train
