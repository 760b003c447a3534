#include <signal.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <set>
#include <thread>

#include "installed.hpp"
#include "support/metrics_page.hpp"

using namespace std::chrono_literals;

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// The example service, as a process of its own that is told to stop, or killed.
class Service {
public:
    Service(const fs::path& program, const fs::path& folder, std::map<std::string, std::string> environment)
        : process_(folder / "process"), log_(folder / "log") {
        fs::remove(process_);
        fs::remove(log_);
        thread_ = std::thread([this, program, folder, environment = std::move(environment)] {
            base::ProcessOptions options;
            options.environment = environment;
            options.output_file = log_;
            const std::string command = base::shell_quote({program.string(), folder.string(), "0"});
            exit_code_ =
                base::run_process({"/bin/sh", "-c", "echo $$ >" + base::shell_quote(process_.string()) + "; exec " + command}, options)
                    .exit_code;
        });
    }
    ~Service() { stop(SIGKILL); }
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// How it ended.
    int stop(int signal) {
        pid_t process = 0;
        if (thread_.joinable() && std::ifstream(process_) >> process) ::kill(process, signal);
        if (thread_.joinable()) thread_.join();
        return exit_code_;
    }
    /// Where the metrics are; 0 before it is ready.
    int port() const {
        std::ifstream log(log_);
        for (std::string line; std::getline(log, line);) {
            const std::string ready = "ready, metrics on port ";
            if (line.starts_with(ready) && !log.eof()) return std::stoi(line.substr(ready.size()));
        }
        return 0;
    }

private:
    fs::path process_, log_;
    int exit_code_ = -1;
    std::thread thread_;
};

class ExampleService : public InstalledLibrary {
protected:
    /// The payments of the ledger's lines with that word. A line that is not whole yet is left out.
    std::multiset<std::string> of_ledger(const std::string& word) const {
        std::multiset<std::string> found;
        std::ifstream ledger(folder_ / "ledger");
        for (std::string line; std::getline(ledger, line) && !ledger.eof();) {
            if (line.starts_with(word + " ")) found.insert(line.substr(word.size() + 1));
        }
        return found;
    }
    static bool eventually(const std::function<bool()>& is_so) {
        const auto limit = std::chrono::steady_clock::now() + 60s;
        while (!is_so()) {
            if (std::chrono::steady_clock::now() > limit) return false;
            std::this_thread::sleep_for(20ms);
        }
        return true;
    }
    /// It goes on: a hundred payments more.
    testing::AssertionResult pays() const {
        const std::size_t wanted = of_ledger("paid").size() + 100;
        if (eventually([&] { return of_ledger("paid").size() >= wanted; })) return testing::AssertionSuccess();
        return testing::AssertionFailure() << "the service pays no more; it said:\n" << read(folder_ / "log");
    }
};

TEST_F(ExampleService, PaysOnceThroughRestartsOfTheServerAndOfItself) {
    ASSERT_NO_FATAL_FAILURE(build(source_folder() / "examples" / "service", folder_ / "built"));
    const fs::path program = folder_ / "built" / "payments";
    postgres::ScratchServer server(postgres::ScratchOptions{});
    const auto variables = environment(server);

    server.stop("fast");
    {
        Service service(program, folder_, variables);  // begun before there is a server
        server.start();
        ASSERT_TRUE(pays());
        server.restart();
        ASSERT_TRUE(pays());
        server.stop("immediate");
        server.start();
        ASSERT_TRUE(pays());
        server.kill();
        server.start();
        ASSERT_TRUE(pays());
        EXPECT_EQ(service.stop(SIGKILL), 128 + SIGKILL);
    }
    Service service(program, folder_, variables);
    ASSERT_TRUE(pays());
    ASSERT_TRUE(eventually([&] { return service.port() != 0; }));
    const Ran page =
        run({"/usr/bin/python3", "-c", "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode(), end='')",
             "http://127.0.0.1:" + std::to_string(service.port()) + "/metrics"});
    const MetricsPage metrics(page.output);
    EXPECT_TRUE(metrics.complaints.empty()) << page.output;
    EXPECT_NE(metrics.value("db_connection_pool_size", {{"endpoint", "payments"}, {"state", "open"}}), "") << page.output;
    EXPECT_EQ(service.stop(SIGTERM), 0) << read(folder_ / "log");

    const base::ProcessResult rows = server.run("psql", {"-XAtqc", "SELECT id FROM payment"});
    std::multiset<std::string> table;
    std::istringstream lines(rows.output);
    for (std::string line; std::getline(lines, line);) table.insert(line);
    const auto paid = of_ledger("paid");
    const auto promised = of_ledger("promised");
    EXPECT_EQ(std::set<std::string>(table.begin(), table.end()).size(), table.size()) << "paid twice";
    EXPECT_TRUE(std::includes(table.begin(), table.end(), paid.begin(), paid.end())) << "said to be paid and was not";
    EXPECT_TRUE(std::includes(promised.begin(), promised.end(), table.begin(), table.end())) << "paid without a promise";
    EXPECT_EQ(server.run("psql", {"-XAtqc", "SELECT 50 * 1000000 - sum(balance) FROM account"}).output,
              std::to_string(table.size()) + "\n");
}

}  // namespace
}  // namespace howdah::tests
