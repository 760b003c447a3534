#include "ground.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "base/file.hpp"

namespace howdah::tests {

using postgres::ScratchServer;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::uint64_t count_from(const char* variable, std::uint64_t ordinary) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0' ? std::strtoull(value, nullptr, 10) : ordinary;
}

int callers() { return static_cast<int>(count_from("HOWDAH_TEST_CALLERS", 40)); }

std::uint64_t test_seed() {
    const std::uint64_t seed = count_from("HOWDAH_TEST_SEED", static_cast<std::uint64_t>(steady_clock::now().time_since_epoch().count()));
    fmt::print("seed {} (HOWDAH_TEST_SEED)\n", seed);
    return seed;
}

std::unique_ptr<ScratchServer> ledger_server() {
    postgres::ScratchOptions options;
    options.settings = {{"fsync", "off"}, {"max_connections", "120"}, {"log_min_messages", "error"}, {"wal_level", "replica"}};
    options.checksums = false;
    auto server = std::make_unique<ScratchServer>(options);
    make_ledger(server->conninfo());
    return server;
}

std::string app_conninfo(const ScratchServer& server) {
    return fmt::format("host={} port={} user=app dbname=postgres", server.socket_directory().string(), server.port());
}

std::string app_conninfo(const FaultProxy& proxy) {
    return fmt::format("host=127.0.0.1 port={} user=app dbname=postgres sslmode=disable gssencmode=disable", proxy.port());
}

std::string socket_path(const ScratchServer& server) {
    return (server.socket_directory() / fmt::format(".s.PGSQL.{}", server.port())).string();
}

std::unique_ptr<FaultProxy> proxy_before(const ScratchServer& server, std::uint64_t seed) {
    FaultProxy::Options options;
    options.server_socket = socket_path(server);
    options.marks = {{"COMMIT", "COMMIT"}, {"INSERT INTO alone", "INSERT"}};
    options.seed = seed;
    options.terminate = [conninfo = server.conninfo(), session = std::shared_ptr<postgres::Session>()](int backend) mutable {
        try {
            if (!session) session = std::make_shared<postgres::Session>(conninfo);
            session->query("SELECT pg_terminate_backend($1::int)", {std::to_string(backend)});
        } catch (const base::Failure&) {
            session.reset();
        }
    };
    return std::make_unique<FaultProxy>(std::move(options));
}

Client open_client(const std::string& conninfo, std::uint32_t connections, const std::function<void(ClientOptions&)>& change) {
    ClientOptions options;
    options.endpoint.conninfo = conninfo;
    options.endpoint.pool.max_connections = connections;
    options.endpoint.pool.max_waiters = 400;
    options.name = "ledger";
    if (change) change(options);
    auto client = Client::open(std::move(options));
    if (!client) throw std::runtime_error("opening a client: " + client.error().message());
    return std::move(*client);
}

bool eventually(const std::function<bool()>& condition, Duration limit) {
    const auto until = steady_clock::now() + limit;
    while (!condition()) {
        if (steady_clock::now() >= until) return false;
        std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
}

pid_t postmaster_of(const ScratchServer& server) { return std::atoi(base::read_file(server.data_directory() / "postmaster.pid").c_str()); }

std::vector<pid_t> children_of(pid_t process) {
    std::istringstream list(base::read_file_if_exists(fmt::format("/proc/{0}/task/{0}/children", process)).value_or(""));
    std::vector<pid_t> children;
    for (pid_t child = 0; list >> child;) children.push_back(child);
    return children;
}

Sampler::Sampler(std::string superuser_conninfo) : conninfo_(std::move(superuser_conninfo)) {
    thread_ = std::thread([this] { run(); });
}

Sampler::~Sampler() {
    ending_ = true;
    thread_.join();
}

void Sampler::run() {
    const auto raise = [](std::atomic<std::int64_t>& most, std::int64_t seen) { most = std::max(most.load(), seen); };
    postgres::SessionOptions patient;
    patient.statement_timeout = milliseconds(500);
    std::optional<postgres::Session> session;
    while (!ending_) {
        try {
            if (!session) session.emplace(conninfo_, patient);
            const auto rows = session->query(
                "SELECT count(*), count(*) FILTER (WHERE application_name = 'howdah monitor')"
                " FROM pg_stat_activity WHERE usename = 'app' AND backend_type = 'client backend'");
            const std::int64_t all = rows.integer(0, 0);
            const std::int64_t monitors = rows.integer(0, 1);
            raise(most_, all);
            raise(most_of_pool_, all - monitors);
            raise(most_monitors_, monitors);
            ++samples_;
        } catch (const base::Failure&) {
            session.reset();
        }
        std::this_thread::sleep_for(milliseconds(3));
    }
}

}  // namespace howdah::tests
