// --dry-run with --output json prints one document, whatever the command.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

TEST(DryRun, PrintsJsonWhenAsked) {
    ProtectedServer protectee;
    protectee.howdah_ok({"backup", "run"});
    const auto into = (protectee.workspace() / "into").string();
    const std::vector<std::vector<std::string>> commands{{"restore", "--into", into, "--to-backup-end"},
                                                         {"backup", "run"},
                                                         {"repo", "gc"},
                                                         {"wal", "setup"},
                                                         {"sample", "load", "--cluster", "main"},
                                                         {"sample", "run", "--cluster", "main"},
                                                         {"demo"},
                                                         {"scratch", "start", into}};
    for (auto words : commands) {
        words.insert(words.begin(), "--dry-run");
        EXPECT_TRUE(protectee.howdah_json(words)["dry_run"].get<bool>()) << words[1];
    }
    EXPECT_FALSE(std::filesystem::exists(into));
    EXPECT_EQ(protectee.howdah_json({"backup", "list"})["backups"].size(), 1u);
}

}  // namespace
}  // namespace howdah::tests
