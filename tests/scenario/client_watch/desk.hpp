#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "howdah/client.hpp"
#include "howdah/testing.hpp"
#include "postgres/scratch.hpp"

namespace howdah::tests {

/// Looks until it is so; false when the patience is over first.
bool eventually(const std::function<bool()>& is_so, Duration patience = std::chrono::seconds(20));

/// What a client told, kept for the test. Thread-safe.
class Heard {
public:
    void add(const Alert& alert);
    void add(const LogLine& line);
    /// Changes of the rule so far: raised and cleared ones.
    unsigned raised(const std::string& rule) const;
    unsigned cleared(const std::string& rule) const;
    std::vector<LogLine> lines(LogKind kind) const;
    bool said(LogKind kind, const std::string& part) const;
    /// All messages of alerts, for a test that failed.
    std::string all() const;

private:
    mutable std::mutex mutex_;
    std::vector<Alert> alerts_;
    std::vector<LogLine> lines_;
};

/// A client's test with a server of the test program's own and everything the client tells.
class WatchTest : public ::testing::Test {
protected:
    static postgres::ScratchServer& server();
    ~WatchTest() override;

    /// Two connections, pings and figures every 50 ms; alerts and log lines are heard.
    ClientOptions options();
    Client open(ClientOptions options);
    /// A statement by a session of its own; the first value of the first row.
    std::string ask(const std::string& sql);
    /// The rule of the defaults with that name, with another threshold and next to no hold.
    static AlertRule rule(const std::string& name, double threshold, double clear_level);
    bool hears(const std::string& rule, bool raised);

    std::shared_ptr<Heard> heard_ = std::make_shared<Heard>();

private:
    std::unique_ptr<Client> admin_;
};

}  // namespace howdah::tests
