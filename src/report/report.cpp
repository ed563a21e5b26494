#include "report/report.hpp"

#include <array>
#include <fmt/format.h>
#include <map>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"
#include "report/alert_list.hpp"
#include "report/curves.hpp"
#include "report/page.hpp"
#include "report/probe_table.hpp"
#include "storage/files.hpp"

namespace ballast::report {

namespace {

/// "runs/first/" and "." have names, too.
std::string name_of(const std::filesystem::path& run) {
  const auto whole = std::filesystem::absolute(run).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

/// What `train` said of the run as it began, by its first word; of a resumed run, the newest.
storage::Json introduction(const std::filesystem::path& train_log) {
  constexpr std::array<std::string_view, 5> kWords{
      "model: ", "job: ", "mode: ", "precision: ", "monitor: "};
  constexpr std::size_t kLongestWords = 4096;
  std::map<std::string, std::string> said;
  if (!std::filesystem::exists(train_log)) return said;
  storage::for_each_line(train_log, [&](std::string_view line, storage::LineEnd) {
    for (const auto word : kWords) {
      if (line.starts_with(word)) {
        said[std::string{word.substr(0, word.size() - 2)}] =
            excerpt(line.substr(word.size()), kLongestWords);
      }
    }
  });
  return said;
}

storage::Json list_of(const Settings& settings) {
  storage::Json list = storage::Json::array();
  for (const auto& [key, value] : settings) list.push_back(storage::Json::array({key, value}));
  return list;
}

template <class Log>
Log read_if_there(const std::filesystem::path& file) {
  return std::filesystem::exists(file) ? Log::read(file) : Log{};
}

void note_unreadable(storage::Json& notes, const char* file, std::size_t lines) {
  if (lines == 0) return;
  notes.push_back(fmt::format("{}: {} line{} could not be read and {} left out", file, lines,
                              lines == 1 ? "" : "s", lines == 1 ? "is" : "are"));
}

}  // namespace

std::string make_page(const std::filesystem::path& run, const Settings& settings) {
  const auto log = run / "log.jsonl";
  if (!std::filesystem::exists(log)) {
    throw data_error("there is no '{}'; name the run.dir of a training", log.string());
  }
  const auto curves = Curves::read(log);
  const auto alerts = read_if_there<AlertList>(run / "alerts.jsonl");
  const auto probes = read_if_there<ProbeTable>(run / "monitor.jsonl");

  storage::Json notes = storage::Json::array();
  note_unreadable(notes, "log.jsonl", curves.unreadable);
  note_unreadable(notes, "alerts.jsonl", alerts.unreadable);
  note_unreadable(notes, "monitor.jsonl", probes.unreadable);
  storage::Json sources = storage::Json::object();
  for (const auto& [name, of_source] : probes.sources) sources[name] = of_source.to_json();

  const std::string name = name_of(run);
  return fill_page(name, {{"run", name},
                          {"about", introduction(run / "train.log")},
                          {"settings", list_of(settings)},
                          {"notes", std::move(notes)},
                          {"last", curves.last},
                          {"series", curves.to_json()},
                          {"risk", to_json(probes.risk)},
                          {"threshold", alerts.threshold},
                          {"probes", std::move(sources)},
                          {"alerts", alerts.to_json()},
                          {"alert_counts", alerts.counts()}});
}

}  // namespace ballast::report
