#include "scenario/client/ground.hpp"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/process.hpp"

namespace howdah::tests {

namespace {

std::unique_ptr<postgres::ScratchServer> shared;
std::unique_ptr<postgres::ScratchServer> victim;

/// The servers end before the program's other statics do.
class Servers final : public ::testing::Environment {
public:
    void TearDown() override {
        shared.reset();
        victim.reset();
    }
};
const ::testing::Environment* const kServers = ::testing::AddGlobalTestEnvironment(new Servers);

std::string test_name() {
    const auto* const test = ::testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string(test->test_suite_name()) + "_" + test->name();
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    return name.substr(0, 50);
}

}  // namespace

postgres::ScratchServer& shared_server() {
    if (!shared) {
        postgres::ScratchOptions options;
        options.settings = {{"max_connections", "120"}, {"max_prepared_transactions", "4"}};
        shared = std::make_unique<postgres::ScratchServer>(options);
    }
    return *shared;
}

postgres::ScratchServer& victim_server() {
    if (!victim) {
        postgres::ScratchOptions options;
        options.settings = {{"max_connections", "120"}, {"restart_after_crash", "on"}};
        options.listen_tcp = true;
        victim = std::make_unique<postgres::ScratchServer>(options);
    }
    if (!victim->running()) victim->start();
    return *victim;
}

pid_t postmaster(const postgres::ScratchServer& server) {
    pid_t pid = 0;
    std::ifstream(server.data_directory() / "postmaster.pid") >> pid;
    return pid;
}

std::vector<pid_t> processes(const postgres::ScratchServer& server) {
    const pid_t parent = postmaster(server);
    std::vector<pid_t> found{parent};
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        std::ifstream file(entry.path() / "stat");
        std::string line;
        std::getline(file, line);
        const std::size_t end = line.rfind(')');
        if (end == std::string::npos || line.size() < end + 5) continue;
        if (std::atoi(line.c_str() + end + 4) == parent) found.push_back(std::atoi(name.c_str()));
    }
    return found;
}

Frozen::Frozen(std::vector<pid_t> processes) : processes_(std::move(processes)) {
    for (const pid_t process : processes_) ::kill(process, SIGSTOP);
}
Frozen::~Frozen() {
    for (const pid_t process : processes_) ::kill(process, SIGCONT);
}

bool eventually(const std::function<bool()>& is_so, Duration patience) {
    const Moment until = in(patience);
    while (!is_so()) {
        if (std::chrono::steady_clock::now() >= until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

void Admin::Close::operator()(pg_conn* handle) const { PQfinish(handle); }

Admin::Admin(const std::string& conninfo) : handle_(PQconnectdb(conninfo.c_str())) {
    EXPECT_EQ(PQstatus(handle_.get()), CONNECTION_OK) << PQerrorMessage(handle_.get());
    ask("SET client_min_messages = error");
}

std::string Admin::ask(const std::string& sql) {
    const std::scoped_lock lock(mutex_);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(handle_.get(), sql.c_str()), &PQclear);
    const auto status = PQresultStatus(result.get());
    EXPECT_TRUE(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) << sql << ": " << PQresultErrorMessage(result.get());
    return status == PGRES_TUPLES_OK && PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

long Admin::number(const std::string& sql) { return std::atol(ask(sql).c_str()); }

ClientTest::ClientTest(const postgres::ScratchServer& server) : server_(server), name_(test_name()), admin_(server.conninfo()) {}

ClientTest::~ClientTest() {
    for (const std::string& name : tables_) admin_.ask("DROP TABLE IF EXISTS " + name);
}

ClientOptions ClientTest::options(std::uint32_t connections) const {
    ClientOptions options;
    options.endpoint.conninfo = server_.conninfo() + " application_name=" + name_;
    options.endpoint.pool.max_connections = connections;
    options.monitor->interval = std::chrono::milliseconds(100);
    return options;
}

Client ClientTest::open(ClientOptions options) const {
    auto client = Client::open(std::move(options));
    EXPECT_TRUE(client) << client.error().message();
    return std::move(*client);
}

std::string ClientTest::table(const std::string& columns) {
    const std::string name = name_ + (tables_.empty() ? "" : "_" + std::to_string(tables_.size()));
    admin_.ask("DROP TABLE IF EXISTS " + name);
    admin_.ask("CREATE TABLE " + name + " (" + columns + ")");
    tables_.push_back(name);
    return name;
}

long ClientTest::most_sessions_while(const std::function<void()>& work) {
    std::atomic<bool> over{false};
    long most = 0;
    std::jthread sampler([&] {
        while (!over) most = std::max(most, sessions());
    });
    work();
    over = true;
    sampler.join();
    return most;
}

bool await_monitor(const Client& client) {
    return eventually([&] { return client.figures().pings > 0; });
}

int in_a_child(const std::function<int()>& what) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(10);
        ::_exit(what());
    }
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int refused_as_forked(Client& client, Lease& lease) {
    const auto rows = client.execute("SELECT 1");
    const auto done = client.run([](Transaction& transaction) { return transaction.execute("SELECT 1"); });
    const bool told = !rows && !done && rows.error().message().find("forked") != std::string::npos;
    const bool lease_told = !lease.execute("SELECT 1");
    static_cast<void>(client.figures());
    client.set_breaker_mode(BreakerMode::disabled);
    static_cast<void>(client.close(std::chrono::seconds(1)));
    {
        const Client gone = std::move(client);
        const Lease dropped = std::move(lease);  // and so the first to go
    }
    return told ? lease_told ? 0 : 2 : 1;
}

struct Impostor::State {
    int listener = -1;
    int port = 0;
    Manner manner = Manner::silent;
    std::atomic<int> taken{0};
    std::atomic<bool> ending{false};
    std::vector<int> held;
    std::thread thread;

    void serve() {
        while (!ending) {
            pollfd watched{listener, POLLIN, 0};
            if (::poll(&watched, 1, 10) <= 0) continue;
            const int descriptor = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
            if (descriptor < 0) continue;
            ++taken;
            if (manner == Manner::silent) {
                held.push_back(descriptor);
            } else {
                ::close(descriptor);
            }
        }
        for (const int descriptor : held) ::close(descriptor);
    }
};

Impostor::Impostor(Manner manner) : state_(std::make_unique<State>()) {
    state_->manner = manner;
    state_->listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(state_->listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(state_->listener, 1000), 0);
    socklen_t length = sizeof address;
    ::getsockname(state_->listener, reinterpret_cast<sockaddr*>(&address), &length);
    state_->port = ntohs(address.sin_port);
    state_->thread = std::thread([state = state_.get()] { state->serve(); });
}

Impostor::~Impostor() {
    state_->ending = true;
    state_->thread.join();
    ::close(state_->listener);
}

std::string Impostor::conninfo() const {
    return "host=127.0.0.1 port=" + std::to_string(state_->port) + " user=nobody dbname=none password=x sslmode=disable";
}

int Impostor::taken() const { return state_->taken; }

}  // namespace howdah::tests
