#include "ground.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "base/file.hpp"
#include "support/programs.hpp"

namespace howdah::tests {

namespace {

std::unique_ptr<ProtectedServer> made;

struct EndOfServer : testing::Environment {
    void TearDown() override { made.reset(); }
};

const auto* const kEndOfServer = testing::AddGlobalTestEnvironment(new EndOfServer);

}  // namespace

ProtectedServer& shared_server() {
    if (!made) {
        ProtectedServer::Options options;
        options.scratch.wal_segment_mib = 1;
        made = std::make_unique<ProtectedServer>(options);
        made->howdah_ok({"backup", "run"});
        made->archive_everything();
    }
    return *made;
}

base::ProcessResult run_bare(const std::vector<std::string>& words, const Environment& environment) {
    static const base::TemporaryDirectory home("cli-test");
    std::vector<std::string> command{howdah_program().string()};
    command.insert(command.end(), words.begin(), words.end());
    base::ProcessOptions options;
    options.environment = {{"HOME", home.path().string()}, {"XDG_STATE_HOME", ""}};
    for (const auto& [name, value] : environment) options.environment[name] = value;
    return base::run_process(command, options);
}

std::string expect_answer(const base::ProcessResult& result, int exit_code, const std::vector<std::string>& parts) {
    const auto said = result.output + result.errors;
    EXPECT_EQ(result.exit_code, exit_code) << said;
    for (const auto& part : parts) EXPECT_NE(said.find(part), std::string::npos) << "looked for: " << part << "\nin: " << said;
    return said;
}

}  // namespace howdah::tests
