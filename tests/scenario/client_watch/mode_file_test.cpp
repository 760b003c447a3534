#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "scenario/client_watch/desk.hpp"

// The breaker's mode, set by a file while the client runs.
namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

class BreakerModeFile : public WatchTest {
protected:
    BreakerModeFile() : folder_(std::filesystem::temp_directory_path() / ("howdah-mode-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(folder_);
    }
    ~BreakerModeFile() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path path() const { return folder_ / "mode"; }
    void write(const std::string& text) const {
        std::ofstream(folder_ / "new") << text;
        std::filesystem::rename(folder_ / "new", path());
    }
    ClientOptions with_file() {
        ClientOptions chosen = options();
        chosen.breaker_mode_file = path();
        return chosen;
    }
    static bool comes_to(const Client& client, BreakerState state) {
        return eventually([&] { return client.figures().breaker_state == state; });
    }

    const std::filesystem::path folder_;
};

TEST_F(BreakerModeFile, HoldsBeforeTheFirstCallAndFollowsEveryChange) {
    write("forced_open\nbecause of the move to the new hall\n");
    Client client = open(with_file());
    const auto refused = client.execute("SELECT 1");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().phase(), Phase::borrow);
    EXPECT_EQ(client.figures().dials, 0U);
    write("  automatic");
    ASSERT_TRUE(comes_to(client, BreakerState::closed));
    EXPECT_TRUE(client.execute("SELECT 1"));
    for (const auto& [word, state] : {std::pair{"disabled", BreakerState::disabled},
                                      {"observe", BreakerState::observe},
                                      {"forced_closed", BreakerState::forced_closed},
                                      {"forced_open", BreakerState::forced_open}}) {
        write(word);
        EXPECT_TRUE(comes_to(client, state)) << word;
    }
    EXPECT_TRUE(heard_->said(LogKind::mode_file, "says forced_open")) << heard_->all();
}

TEST_F(BreakerModeFile, WithoutTheFileTheModeIsTheConfiguredOne) {
    ClientOptions chosen = with_file();
    chosen.breaker.mode = BreakerMode::observe;
    Client client = open(std::move(chosen));
    EXPECT_EQ(client.figures().breaker_state, BreakerState::observe);
    EXPECT_TRUE(heard_->lines(LogKind::mode_file).empty()) << heard_->all();
    write("disabled");
    ASSERT_TRUE(comes_to(client, BreakerState::disabled));
    std::filesystem::remove(path());
    ASSERT_TRUE(comes_to(client, BreakerState::observe));
    EXPECT_TRUE(eventually([&] { return heard_->said(LogKind::mode_file, "is gone"); })) << heard_->all();
}

TEST_F(BreakerModeFile, WhatMakesNoSenseIsToldAndChangesNothing) {
    write("disabled");
    Client client = open(with_file());
    EXPECT_EQ(client.figures().breaker_state, BreakerState::disabled);
    write("offen\x01 ");
    EXPECT_TRUE(eventually([&] { return heard_->said(LogKind::mode_file, "begins with no mode: \"offen?\""); })) << heard_->all();
    write("");
    EXPECT_TRUE(eventually([&] { return heard_->said(LogKind::mode_file, "begins with no mode: \"\""); })) << heard_->all();
    std::filesystem::remove(path());
    std::filesystem::create_directory(path());
    EXPECT_TRUE(eventually([&] { return heard_->said(LogKind::mode_file, "cannot read"); })) << heard_->all();
    std::filesystem::remove(path());
    // The mode goes back to the configured one; a FIFO that nobody writes to must not hold the thread.
    ASSERT_TRUE(comes_to(client, BreakerState::closed));
    ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
    EXPECT_TRUE(eventually([&] { return heard_->said(LogKind::mode_file, "begins with no mode: \"\""); })) << heard_->all();
    EXPECT_TRUE(client.execute("SELECT 1"));
}

TEST_F(BreakerModeFile, AModeSetByCallStandsUntilTheFileChanges) {
    write("observe");
    Client client = open(with_file());
    client.set_breaker_mode(BreakerMode::disabled);
    const std::uint64_t before = client.figures().pings;
    ASSERT_TRUE(eventually([&] { return client.figures().pings > before + 25; }));
    EXPECT_EQ(client.figures().breaker_state, BreakerState::disabled);
    write("observe ");
    EXPECT_TRUE(comes_to(client, BreakerState::observe));
}

}  // namespace
}  // namespace howdah::tests
