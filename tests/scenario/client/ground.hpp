#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "howdah/client.hpp"
#include "postgres/scratch.hpp"

struct pg_conn;

namespace howdah::tests {

/// The server that tests share which leave it running. Made at first use, gone at the end.
postgres::ScratchServer& shared_server();
/// The one that tests stop, kill and freeze; each leaves it running again. It listens on TCP with TLS too.
postgres::ScratchServer& victim_server();
/// The number of the postmaster, and of all its children.
pid_t postmaster(const postgres::ScratchServer& server);
std::vector<pid_t> processes(const postgres::ScratchServer& server);

/// Stops processes where they are until it goes.
class Frozen {
public:
    explicit Frozen(std::vector<pid_t> processes);
    ~Frozen();
    Frozen(const Frozen&) = delete;
    Frozen& operator=(const Frozen&) = delete;

private:
    std::vector<pid_t> processes_;
};

/// Looks until it is so; false when the patience is over first.
bool eventually(const std::function<bool()>& is_so, Duration patience = std::chrono::seconds(5));

inline Moment in(Duration length) { return std::chrono::steady_clock::now() + length; }
/// How long something took.
class Stopwatch {
public:
    Duration taken() const { return std::chrono::steady_clock::now() - begun_; }

private:
    Moment begun_ = std::chrono::steady_clock::now();
};

/// A plain session of the test's own, beside the library.
class Admin {
public:
    explicit Admin(const std::string& conninfo);
    /// The first value of the first row; empty when there is none. A statement that fails fails the test. One thread at a time.
    std::string ask(const std::string& sql);
    long number(const std::string& sql);

private:
    struct Close {
        void operator()(pg_conn* handle) const;
    };
    std::mutex mutex_;
    std::unique_ptr<pg_conn, Close> handle_;
};

/// A client's test on the shared server, with a name of its own that its sessions bear.
class ClientTest : public ::testing::Test {
protected:
    explicit ClientTest(const postgres::ScratchServer& server = shared_server());

    /// A pool of that size; the monitor pings every 100 ms.
    ClientOptions options(std::uint32_t connections = 4) const;
    Client open(ClientOptions options) const;
    Client open(std::uint32_t connections = 4) const { return open(options(connections)); }
    /// Made anew, and gone with the test: "name (columns)" with a name that no other test has. Returns the name.
    std::string table(const std::string& columns);
    /// Sessions of this test's pools that the server has.
    long sessions() { return admin_.number("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + name_ + "'"); }
    /// The most of them that it had at any look while the work was done.
    long most_sessions_while(const std::function<void()>& work);
    /// Ends this test's sessions on the server, the monitor's apart.
    void terminate_sessions() {
        admin_.ask("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '" + name_ + "'");
    }
    /// Whether a session of this test runs a text like that or waits in it.
    bool runs(const std::string& like) {
        return admin_.number("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + name_ +
                             "' AND state = 'active' AND query LIKE '" + like + "'") > 0;
    }
    ~ClientTest() override;

    const postgres::ScratchServer& server_;
    const std::string name_;
    Admin admin_;
    std::vector<std::string> tables_;
};

/// The same on the server that may be stopped and killed.
class VictimTest : public ClientTest {
protected:
    VictimTest() : ClientTest(victim_server()) {}
};

bool await_monitor(const Client& client);

/// Runs it in a child of a fork, which has ten seconds. Its exit code; -1 when it did not come to that.
int in_a_child(const std::function<int()>& what);
/// For such a child: 0 when its parent's client and lease tell it that it forked, and let themselves be closed and dropped.
int refused_as_forked(Client& client, Lease& lease);

/// The only value of an answer, or the error's text, for comparisons that tell what went wrong.
template <typename T = long>
std::string shown(const Result<Rows>& rows) {
    if (!rows) return "error: " + rows.error().message();
    const auto value = rows->one<T>();
    if (!value) return "error: " + value.error().message();
    if constexpr (std::is_same_v<T, std::string>) {
        return *value;
    } else {
        return std::to_string(*value);
    }
}

/// A listener on 127.0.0.1 that is no PostgreSQL: takes connections, and ends them at once or never answers.
class Impostor {
public:
    enum class Manner { silent, rude };
    explicit Impostor(Manner manner);
    ~Impostor();
    std::string conninfo() const;
    /// Connections taken so far.
    int taken() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace howdah::tests
