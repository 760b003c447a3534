#include "scenario/client_watch/desk.hpp"

#include <algorithm>
#include <iterator>
#include <thread>

namespace howdah::tests {

namespace {

std::unique_ptr<postgres::ScratchServer> shared;

/// The server ends before the program's other statics do.
class Server final : public ::testing::Environment {
public:
    void TearDown() override { shared.reset(); }
};
const ::testing::Environment* const kServer = ::testing::AddGlobalTestEnvironment(new Server);

}  // namespace

bool eventually(const std::function<bool()>& is_so, Duration patience) {
    const Moment until = std::chrono::steady_clock::now() + patience;
    while (!is_so()) {
        if (std::chrono::steady_clock::now() >= until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

void Heard::add(const Alert& alert) {
    const std::scoped_lock lock(mutex_);
    alerts_.push_back(alert);
}

void Heard::add(const LogLine& line) {
    const std::scoped_lock lock(mutex_);
    lines_.push_back(line);
}

unsigned Heard::raised(const std::string& rule) const {
    const std::scoped_lock lock(mutex_);
    return static_cast<unsigned>(std::count_if(alerts_.begin(), alerts_.end(), [&](const Alert& a) { return a.rule == rule && a.raised; }));
}

unsigned Heard::cleared(const std::string& rule) const {
    const std::scoped_lock lock(mutex_);
    return static_cast<unsigned>(
        std::count_if(alerts_.begin(), alerts_.end(), [&](const Alert& a) { return a.rule == rule && !a.raised; }));
}

std::vector<LogLine> Heard::lines(LogKind kind) const {
    const std::scoped_lock lock(mutex_);
    std::vector<LogLine> found;
    std::copy_if(lines_.begin(), lines_.end(), std::back_inserter(found), [&](const LogLine& line) { return line.kind == kind; });
    return found;
}

bool Heard::said(LogKind kind, const std::string& part) const {
    const auto found = lines(kind);
    return std::any_of(found.begin(), found.end(), [&](const LogLine& line) { return line.what.find(part) != std::string::npos; });
}

std::string Heard::all() const {
    const std::scoped_lock lock(mutex_);
    std::string text;
    for (const Alert& alert : alerts_) text += alert.message + "\n";
    for (const LogLine& line : lines_) text += std::string(name(line.kind)) + ": " + line.what + "\n";
    return text;
}

postgres::ScratchServer& WatchTest::server() {
    if (!shared) {
        postgres::ScratchOptions options;
        options.settings = {{"max_connections", "20"}};
        shared = std::make_unique<postgres::ScratchServer>(options);
    }
    if (!shared->running()) shared->start();
    return *shared;
}

WatchTest::~WatchTest() = default;

ClientOptions WatchTest::options() {
    ClientOptions options;
    options.endpoint.conninfo = server().conninfo();
    options.endpoint.pool.max_connections = 2;
    options.endpoint.pool.dial_backoff = {std::chrono::milliseconds(10), std::chrono::milliseconds(100)};
    options.monitor->interval = std::chrono::milliseconds(50);
    options.monitor->figures_every = std::chrono::milliseconds(50);
    options.observer.on_alert = [heard = heard_](std::string_view, const Alert& alert) { heard->add(alert); };
    options.observer.on_log = [heard = heard_](std::string_view, const LogLine& line) { heard->add(line); };
    return options;
}

Client WatchTest::open(ClientOptions options) {
    auto client = Client::open(std::move(options));
    EXPECT_TRUE(client) << client.error().message();
    return std::move(*client);
}

std::string WatchTest::ask(const std::string& sql) {
    if (!admin_) {
        ClientOptions options;
        options.endpoint.conninfo = server().conninfo() + " application_name=desk";
        options.endpoint.pool.max_connections = 1;
        options.monitor.reset();
        admin_ = std::make_unique<Client>(open(std::move(options)));
    }
    const auto rows = admin_->execute(CallOptions{.repeatable = true}, sql);
    EXPECT_TRUE(rows) << sql << ": " << rows.error().message();
    if (!rows || rows->empty()) return "";
    return (*rows)[0].get<std::optional<std::string>>(0).value().value_or("");
}

AlertRule WatchTest::rule(const std::string& name, double threshold, double clear_level) {
    for (AlertRule rule : default_alert_rules()) {
        if (rule.name != name) continue;
        rule.threshold = threshold;
        rule.clear_level = clear_level;
        rule.hold = std::chrono::milliseconds(20);
        return rule;
    }
    ADD_FAILURE() << "no rule " << name;
    return {};
}

bool WatchTest::hears(const std::string& rule, bool raised) {
    return eventually([&] { return (raised ? heard_->raised(rule) : heard_->cleared(rule)) > 0; });
}

}  // namespace howdah::tests
