// --output nagios: an answer by the plugin rules, or a refusal with 3, which a probe reads as UNKNOWN; never a table with exit 0.
#include <gtest/gtest.h>

#include <algorithm>

#include "ground.hpp"

namespace howdah::tests {
namespace {

base::ProcessResult probe(std::vector<std::string> words, const Environment& environment = {}) {
    words.insert(words.end(), {"--output", "nagios"});
    return shared_server().howdah(words, environment);
}

TEST(Probe, AnswersInOneLineWithFigures) {
    for (const auto& words :
         std::vector<std::vector<std::string>>{{"backup", "status"}, {"backup", "verify"}, {"wal", "status"}, {"repo", "check"}}) {
        const auto result = probe(words);
        EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
        EXPECT_TRUE(result.output.starts_with("OK: ")) << result.output;
        EXPECT_NE(result.output.find(" | "), std::string::npos) << result.output;
        EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
    }
}

TEST(Probe, NamesEverythingThatCheckFound) {
    const auto result = probe({"check", "--no-switch"}, {{"HOWDAH_OBJECTIVE_BACKUP_AGE", "1us"}});
    EXPECT_EQ(result.exit_code, 2) << result.output;
    const auto first = result.output.substr(0, result.output.find('\n'));
    EXPECT_TRUE(first.starts_with("CRITICAL: ")) << first;
    EXPECT_NE(first.find("latest_backup"), std::string::npos) << first;
    EXPECT_NE(first.find("archive_timeout"), std::string::npos) << first;
    EXPECT_NE(result.output.find("\ncritical latest_backup: "), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("\ncritical archive_timeout: "), std::string::npos) << result.output;
}

TEST(Probe, IsRefusedWhereThereIsNoAnswer) {
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"backup", "list"}, {"backup", "run"}, {"config", "check"}, {"repo", "info"}, {"journal", "list"}}) {
        const auto result = probe(words);
        EXPECT_EQ(result.exit_code, 3) << result.output << result.errors;
        EXPECT_TRUE(result.output.starts_with("UNKNOWN: ")) << result.output;
    }
    const auto wrong = probe({"backup", "statis"});
    EXPECT_EQ(wrong.exit_code, 3);
    EXPECT_TRUE(wrong.output.starts_with("UNKNOWN: ")) << wrong.output;
}

}  // namespace
}  // namespace howdah::tests
