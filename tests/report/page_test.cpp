#include "report/page.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "report/run_folder.hpp"

namespace ballast::report {
namespace {

using test::RunFolder;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Page, NoTextCanLeaveTheDataElement) {
  RunFolder run;
  const std::string message = "a </script><!--<script> b & \"c\" {{script}}";
  run.write("log.jsonl", "");
  run.write("alerts.jsonl",
            Json{{"step", 3}, {"severity", "critical"}, {"message", message}}.dump() + "\n");
  const std::string html = run.page({{"run.dir", "</script><b>"}});
  EXPECT_EQ(count(html, "</script>"), 2u) << "one of the data, one of the program";
  EXPECT_EQ(count(html, "<!--"), 0u);
  const Json data = run.data({{"run.dir", "</script><b>"}});
  EXPECT_EQ(data.at("alerts").at(0).at("message"), message);
  EXPECT_EQ(data.at("settings").at(0).at(1), "</script><b>");
}

TEST(Page, TextThatIsNoUtf8IsMended) {
  RunFolder run;
  run.write("log.jsonl", "");
  const Json data = run.data({{"data.path", "caf\xe9"}});
  EXPECT_EQ(data.at("settings").at(0).at(1), "caf\xef\xbf\xbd");
}

TEST(Page, TitlesAreEscaped) {
  EXPECT_EQ(escaped("<a> & \"b\""), "&lt;a&gt; &amp; &quot;b&quot;");
  const std::string html = fill_page("x<y", Json::object());
  EXPECT_NE(html.find("<h1>x&lt;y</h1>"), std::string::npos);
  EXPECT_EQ(html.find("{{"), std::string::npos) << "a place was not filled";
}

TEST(Page, NeedsNothingButItself) {
  std::string html = fill_page("run", Json::object());
  // The name of SVG's elements is written as an address, but nobody goes there.
  const std::string svg = "http://www.w3.org/2000/svg";
  for (auto at = html.find(svg); at != std::string::npos; at = html.find(svg)) {
    html.erase(at, svg.size());
  }
  for (const char* outside : {"http:", "https:", "src=", "@import", "fetch(", "url(h", "//cdn"}) {
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  }
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
}

}  // namespace
}  // namespace ballast::report
