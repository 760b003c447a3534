#include "postgres/scratch.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <sstream>
#include <thread>
#include <utility>

#include "base/file.hpp"
#include "base/random.hpp"
#include "postgres/crash.hpp"
#include "postgres/guardian.hpp"

namespace howdah::postgres {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;
using base::SystemFailure;

namespace {

constexpr const char* kSuperuser = "postgres";
constexpr std::chrono::milliseconds kStep{10};
constexpr std::chrono::minutes kLongestStart{30};
constexpr std::chrono::minutes kLongestStop{10};

/// Polls until the condition holds; false when the time is over first.
template <typename Condition>
bool wait_until(Condition condition, std::chrono::nanoseconds time) {
    const auto limit = std::chrono::steady_clock::now() + time;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= limit) return false;
        std::this_thread::sleep_for(kStep);
    }
    return true;
}

base::User server_user(const ScratchOptions& options, bool adopted) {
    base::User user = base::current_user();
    if (user.uid != 0) return user;
    if (adopted) {
        user = base::owner_of(options.directory);
        if (user.uid != 0) return user;
        throw Failure(FailureKind::operation, fmt::format("starting a server in {}: root owns it", options.directory.string()),
                      "PostgreSQL refuses to run as root: give the directory to another user (chown -R postgres)");
    }
    if (auto postgres = base::find_user("postgres")) return *postgres;
    if (auto nobody = base::find_user("nobody")) return *nobody;
    throw Failure(FailureKind::operation, "looking for a user to run a server as: neither postgres nor nobody exists",
                  "run as another user than root");
}

void give_to(const fs::path& path, const base::User& user) {
    if (user.uid == ::geteuid()) return;
    if (::chown(path.c_str(), user.uid, user.gid) != 0)
        throw SystemFailure(FailureKind::operation, "giving " + path.string() + " to " + user.name, errno);
}

fs::path make_folder(const fs::path& path, const base::User& user) {
    base::create_directories_durably(path);
    give_to(path, user);
    return path;
}

void write_for(const fs::path& path, const std::string& content, const base::User& user) {
    base::write_file_durably(path, content);
    give_to(path, user);
}

/// A private folder for everything but a named data directory; below /tmp where TMPDIR would make the socket's path too long.
fs::path private_folder(const base::User& user) {
    constexpr std::size_t kLongestSocket = sizeof(sockaddr_un::sun_path) - 1;
    constexpr std::size_t kSocketName = std::string_view("/howdah-scratch-XXXXXX/socket/.s.PGSQL.65535.lock").size();
    const fs::path usual = fs::temp_directory_path();
    base::TemporaryDirectory folder("howdah-scratch", usual.string().size() + kSocketName > kLongestSocket ? fs::path("/tmp") : usual);
    folder.keep();
    give_to(folder.path(), user);
    return folder.path();
}

int free_port() {
    const base::File probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(probe.descriptor(), generic, size) != 0 || ::getsockname(probe.descriptor(), generic, &size) != 0) {
        throw SystemFailure(FailureKind::operation, "looking for a free port on 127.0.0.1", errno);
    }
    return ntohs(address.sin_port);
}

/// A value inside quotes, in conninfo strings and in configuration files alike.
std::string quoted(const std::string& value, char escape_quote) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\\') text += '\\';
        if (c == '\'') text += escape_quote;
        text += c;
    }
    return text + "'";
}

std::string kilobytes(base::Bytes size) { return fmt::format("{}kB", size.count / 1024); }

}  // namespace

struct ScratchServer::Impl {
    ScratchOptions options;
    bool adopted;
    base::User user;
    fs::path programs, root, data, socket, workspace, log;
    int port = 5432;
    std::unique_ptr<Guardian> guardian;
    pid_t postmaster = -1;

    Impl(const ScratchOptions& wanted, bool adopt);
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl();

    void make_guardian();
    void make_cluster();
    void write_access_files() const;
    std::vector<std::string> command() const;
    bool running() const { return postmaster > 0 && process_runs(postmaster); }
    bool ready() const;
    void start();
    void start_once();
    void signal_and_wait(int signal, const std::string& mode);
    std::string log_end() const;
};

ScratchServer::Impl::Impl(const ScratchOptions& wanted, bool adopt)
    : options(wanted),
      adopted(adopt),
      user(server_user(wanted, adopt)),
      programs(find_programs(0, wanted.programs)),
      root(private_folder(user)) {
    data = options.directory.empty() ? root / "data" : fs::absolute(options.directory);
    socket = root / "socket";
    workspace = root / "workspace";
    log = root / "server.log";
    if (options.listen_tcp) port = free_port();
    try {
        write_for(log, "", user);
        // Before anything that takes time, so that a kill of this process leaves nothing behind.
        make_guardian();
        make_folder(socket, user);
        make_folder(workspace, user);
        if (adopted) {
            write_access_files();
        } else {
            make_cluster();
        }
        start();
    } catch (...) {
        std::error_code ignored;
        fs::remove_all(root, ignored);
        throw;
    }
}

ScratchServer::Impl::~Impl() {
    if (!guardian || !guardian->owned() || options.detached) return;
    try {
        if (running()) {
            ::kill(postmaster, SIGQUIT);
            ::kill(postmaster, SIGCONT);
            if (!wait_until([&] { return !running(); }, std::chrono::seconds(10))) crash_postmaster(postmaster);
        }
    } catch (const std::exception&) {
        // The guardian tries again and removes the folder once this process has gone.
        return;
    }
    guardian.reset();
    remove_interlock(data / "postmaster.pid");
    std::error_code ignored;
    fs::remove_all(root, ignored);
}

void ScratchServer::Impl::make_guardian() {
    guardian.reset();
    // A server of its own folder needs nothing of the caller's libpq environment; messages are read, so they are not translated.
    guardian = std::make_unique<Guardian>(
        GuardianPlan{command(), {{"LC_ALL", "C"}, {"PGDATA", ""}}, user, log, options.detached ? fs::path() : root, options.detached});
}

void ScratchServer::Impl::make_cluster() {
    if (!options.directory.empty()) make_folder(data, user);
    std::vector<std::string> initdb{(programs / "initdb").string(),
                                    "-D",
                                    data.string(),
                                    "-U",
                                    kSuperuser,
                                    "--encoding=UTF8",
                                    "--locale=C.UTF-8",
                                    "--no-sync",
                                    "--no-instructions",
                                    fmt::format("--wal-segsize={}", options.wal_segment_mib),
                                    "--auth-local=trust"};
    if (options.checksums) {
        initdb.emplace_back("--data-checksums");
    } else if (program_version(programs) >= 18) {
        initdb.emplace_back("--no-data-checksums");
    }
    if (options.listen_tcp) {
        const std::string password = base::random_hex(16);
        write_for(root / "password", password + "\n", user);
        write_for(root / "passfile", fmt::format("127.0.0.1:*:*:{}:{}\n", kSuperuser, password), user);
        initdb.insert(initdb.end(), {"--auth-host=scram-sha-256", "--pwfile=" + (root / "password").string()});
    } else {
        initdb.emplace_back("--auth-host=reject");
    }
    initdb.insert(initdb.end(), options.initdb_options.begin(), options.initdb_options.end());
    base::ProcessOptions process;
    process.user = user;
    process.environment = {{"LC_ALL", "C"}, {"PGDATA", ""}};
    base::run_process_checked("making a scratch cluster with initdb", initdb, process);

    std::string settings = base::read_file(data / "postgresql.auto.conf");
    settings += fmt::format("shared_buffers = '{}'\n", kilobytes(options.shared_buffers));
    for (const auto& [name, value] : options.settings) settings += fmt::format("{} = {}\n", name, quoted(value, '\''));
    write_for(data / "postgresql.auto.conf", settings, user);
}

void ScratchServer::Impl::write_access_files() const {
    std::string rules = "local all all trust\nlocal replication all trust\n";
    if (options.listen_tcp) rules += "host all all 127.0.0.1/32 scram-sha-256\n";
    write_for(root / "pg_hba.conf", rules, user);
    write_for(root / "pg_ident.conf", "", user);
}

std::vector<std::string> ScratchServer::Impl::command() const {
    std::map<std::string, std::string> settings;
    if (adopted) {
        settings = options.settings;
        settings["shared_buffers"] = kilobytes(options.shared_buffers);
        // A restored configuration may name the original's places; none of them may be touched.
        settings["data_directory"] = data.string();
        settings["hba_file"] = (root / "pg_hba.conf").string();
        settings["ident_file"] = (root / "pg_ident.conf").string();
        settings["external_pid_file"] = "";
    }
    settings["port"] = std::to_string(port);
    settings["unix_socket_directories"] = socket.string();
    settings["listen_addresses"] = options.listen_tcp ? "127.0.0.1" : "";
    settings["logging_collector"] = "off";
    settings["log_destination"] = "stderr";
    std::vector<std::string> words{(programs / "postgres").string(), "-D", data.string()};
    for (const auto& [name, value] : settings) words.insert(words.end(), {"-c", name + "=" + value});
    return words;
}

bool ScratchServer::Impl::ready() const {
    // The postmaster's first line is its process id, the eighth its state (miscinit.c's lock file).
    std::istringstream file(base::read_file_if_exists(data / "postmaster.pid").value_or(""));
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines.size() >= 8 && lines[0] == std::to_string(postmaster) &&
           (lines[7].starts_with("ready") || lines[7].starts_with("standby"));
}

void ScratchServer::Impl::start_once() {
    postmaster = guardian->start();
    const bool up = wait_until([&] { return ready() || !running(); }, kLongestStart) && running();
    if (up) return;
    if (running()) crash_postmaster(postmaster);
    postmaster = -1;
    throw Failure(FailureKind::operation,
                  fmt::format("starting a server in {}: it did not come up; its log ends: {}", data.string(), log_end()),
                  "the log's last lines say why");
}

void ScratchServer::Impl::start() {
    if (running()) return;
    for (int attempt = 1;; ++attempt) {
        const auto seen = fs::file_size(log);
        try {
            return start_once();
        } catch (const Failure&) {
            // Somebody took the port between the look for a free one and the start.
            const bool taken = base::read_file(log).find("Address already in use", seen) != std::string::npos;
            if (!options.listen_tcp || !taken || attempt == 5) throw;
        }
        port = free_port();
        make_guardian();
    }
}

void ScratchServer::Impl::signal_and_wait(int signal, const std::string& mode) {
    if (!running()) return;
    ::kill(postmaster, signal);
    if (wait_until([&] { return !running(); }, kLongestStop)) return;
    throw Failure(FailureKind::operation,
                  fmt::format("stopping the server in {} ({}): it still runs; its log ends: {}", data.string(), mode, log_end()),
                  "clients or the archiver hold it; stop it with mode immediate");
}

std::string ScratchServer::Impl::log_end() const {
    constexpr std::size_t kShown = 1500;
    const std::string text = base::read_file(log);
    return text.size() <= kShown ? text : text.substr(text.size() - kShown);
}

ScratchServer::ScratchServer(const ScratchOptions& options) : impl_(std::make_unique<Impl>(options, false)) {}
ScratchServer::ScratchServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScratchServer ScratchServer::adopt(const ScratchOptions& options) { return ScratchServer(std::make_unique<Impl>(options, true)); }
ScratchServer::ScratchServer(ScratchServer&&) noexcept = default;
ScratchServer& ScratchServer::operator=(ScratchServer&&) noexcept = default;
ScratchServer::~ScratchServer() = default;

const fs::path& ScratchServer::data_directory() const { return impl_->data; }
const fs::path& ScratchServer::programs() const { return impl_->programs; }
const fs::path& ScratchServer::socket_directory() const { return impl_->socket; }
const fs::path& ScratchServer::workspace() const { return impl_->workspace; }
const base::User& ScratchServer::user() const { return impl_->user; }
int ScratchServer::port() const { return impl_->port; }
fs::path ScratchServer::log_file() const { return impl_->log; }
bool ScratchServer::running() const { return impl_->running(); }

std::string ScratchServer::conninfo(const std::string& database) const {
    return fmt::format("host={} port={} user={} dbname={}", quoted(impl_->socket.string(), '\\'), impl_->port, kSuperuser,
                       quoted(database, '\\'));
}

std::string ScratchServer::tcp_conninfo(const std::string& database) const {
    return fmt::format("host=127.0.0.1 port={} user={} dbname={} passfile={}", impl_->port, kSuperuser, quoted(database, '\\'),
                       quoted((impl_->root / "passfile").string(), '\\'));
}

void ScratchServer::start() { impl_->start(); }

void ScratchServer::stop(const std::string& mode) {
    static const std::map<std::string, int> kSignals{{"smart", SIGTERM}, {"fast", SIGINT}, {"immediate", SIGQUIT}};
    const auto signal = kSignals.find(mode);
    if (signal == kSignals.end())
        throw Failure(FailureKind::usage, "stopping a server: mode \"" + mode + "\"", "use fast, smart or immediate");
    impl_->signal_and_wait(signal->second, mode);
}

void ScratchServer::restart() {
    stop();
    start();
}

void ScratchServer::kill() {
    if (impl_->running()) crash_postmaster(impl_->postmaster);
}

base::ProcessResult ScratchServer::run(const std::string& program, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), (impl_->programs / program).string());
    base::ProcessOptions process;
    process.user = impl_->user;
    process.environment = {{"PGHOST", impl_->socket.string()},
                           {"PGPORT", std::to_string(impl_->port)},
                           {"PGUSER", kSuperuser},
                           {"PGDATABASE", ""},
                           {"PGSERVICE", ""},
                           {"PGHOSTADDR", ""},
                           {"PGOPTIONS", ""}};
    return base::run_process(arguments, process);
}

}  // namespace howdah::postgres
