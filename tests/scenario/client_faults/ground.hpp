#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "crowd.hpp"
#include "postgres/scratch.hpp"
#include "postgres/session.hpp"
#include "support/fault_proxy.hpp"

namespace howdah::tests {

/// A count from the environment, or the small one of an ordinary run.
std::uint64_t count_from(const char* variable, std::uint64_t ordinary);
/// Callers at once: HOWDAH_TEST_CALLERS, 40 in an ordinary run.
int callers();
/// From HOWDAH_TEST_SEED or the clock; printed.
std::uint64_t test_seed();

/// A server with the ledger. Not synced to the disk: what is killed here are processes.
std::unique_ptr<postgres::ScratchServer> ledger_server();
/// The role `app` over the server's socket.
std::string app_conninfo(const postgres::ScratchServer& server);
/// The same through a proxy.
std::string app_conninfo(const FaultProxy& proxy);
std::string socket_path(const postgres::ScratchServer& server);

/// A proxy before the server that ends backends by pg_terminate_backend.
std::unique_ptr<FaultProxy> proxy_before(const postgres::ScratchServer& server, std::uint64_t seed);

/// A client of that endpoint with a pool of this many connections, everything else as the library has it.
Client open_client(const std::string& conninfo, std::uint32_t connections, const std::function<void(ClientOptions&)>& change = {});

/// Waits for a condition; false after the limit.
bool eventually(const std::function<bool()>& condition, Duration limit = std::chrono::seconds(60));

/// The process numbers of the postmaster and of its children.
pid_t postmaster_of(const postgres::ScratchServer& server);
std::vector<pid_t> children_of(pid_t process);

/// Looks every few milliseconds how many sessions the role `app` has.
class Sampler {
public:
    explicit Sampler(std::string superuser_conninfo);
    ~Sampler();
    Sampler(const Sampler&) = delete;
    Sampler& operator=(const Sampler&) = delete;

    std::uint64_t samples() const { return samples_.load(); }
    /// The most sessions in one sample, the monitor's included.
    std::int64_t most() const { return most_.load(); }
    std::int64_t most_of_pool() const { return most_of_pool_.load(); }
    std::int64_t most_monitors() const { return most_monitors_.load(); }

private:
    void run();

    const std::string conninfo_;
    std::atomic<bool> ending_{false};
    std::atomic<std::uint64_t> samples_{0};
    std::atomic<std::int64_t> most_{0};
    std::atomic<std::int64_t> most_of_pool_{0};
    std::atomic<std::int64_t> most_monitors_{0};
    std::thread thread_;
};

}  // namespace howdah::tests
