#include "archive/prefetch.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "archive/read_segment.hpp"
#include "archive/workers.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "repository/repository.hpp"

namespace howdah::archive {

namespace fs = std::filesystem;

namespace {

constexpr unsigned kMostWorkers = 4;

/// One prefetcher's work, shared by its threads.
class Prefetcher {
public:
    Prefetcher(const repository::Repository& repository, const FetchOptions& options, const LookAhead& folder, std::uint64_t segment_size)
        : archive_(repository, repository::ClusterArea(options.cluster, options.system)),
          folder_(folder),
          ahead_(options.ahead),
          segment_size_(segment_size) {}

    void run() {
        const auto current = position();
        if (!current) return;
        folder_.clean(*current, segment_size_);
        run_workers(worker_count(0, std::min(ahead_, kMostWorkers), segment_size_), [this] { work(); });
    }

private:
    std::optional<postgres::WalSegment> position() const {
        const auto name = folder_.position();
        if (!name) return std::nullopt;
        return postgres::parse_segment_name(*name, segment_size_);
    }

    std::optional<std::string> next() {
        std::lock_guard lock(mutex_);
        const auto current = position();
        if (done_ || !current || !enough_space()) return std::nullopt;
        if (next_.timeline != current->timeline || next_.number <= current->number) next_ = current->next();
        if (next_.number > current->number + ahead_) return std::nullopt;
        const std::string name = next_.name(segment_size_);
        next_ = next_.next();
        return name;
    }

    /// Recovery itself needs the disk more than we do.
    bool enough_space() const {
        const base::Space space = base::space_of(folder_.folder());
        return space.available.count > space.total.count / 20 + 4 * segment_size_;
    }

    void work() {
        try {
            repository::SealContext context;
            while (const auto name = next()) {
                if (folder_.holds(*name)) continue;
                if (!folder_.put(*name, [&](const auto& visit) { return read_segment(archive_, *name, context, visit); })) done_ = true;
            }
        } catch (const std::exception& error) {
            done_ = true;
            base::log_debug("look-ahead ends: {}", error.what());
        }
    }

    WalArchive archive_;
    const LookAhead& folder_;
    unsigned ahead_;
    std::uint64_t segment_size_;
    std::mutex mutex_;
    postgres::WalSegment next_;
    std::atomic<bool> done_{false};
};

void detach() {
    for (const int signal_number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal_number, SIG_DFL);
    ::close_range(0, ~0U, 0);
    ::open("/dev/null", O_RDWR);
    if (::dup(0) < 0 || ::dup(0) < 0 || ::chdir("/") != 0) ::_exit(1);
}

bool half_there(const LookAhead& folder, postgres::WalSegment segment, std::uint64_t segment_size, unsigned ahead) {
    unsigned there = 0;
    for (unsigned i = 0; i < ahead; ++i) {
        segment = segment.next();
        if (folder.holds(segment.name(segment_size))) ++there;
    }
    return 2 * there >= ahead;
}

base::RepositoryConfig with_absolute_paths(base::RepositoryConfig config) {
    if (!config.key_file.empty()) config.key_file = fs::absolute(config.key_file);
    if (!config.passphrase_file.empty()) config.passphrase_file = fs::absolute(config.passphrase_file);
    return config;
}

}  // namespace

void prefetch(const base::RepositoryConfig& config, const FetchOptions& options, std::uint64_t segment_size) {
    const repository::Repository repository = repository::Repository::open(config);
    const LookAhead folder(options.look_ahead, repository, repository::ClusterArea(options.cluster, options.system));
    const auto lock = folder.lock();
    if (!lock) return;
    Prefetcher(repository, options, folder, segment_size).run();
}

void start_prefetch(const base::RepositoryConfig& config, const FetchOptions& options, const LookAhead& look_ahead,
                    const postgres::WalSegment& current, std::uint64_t segment_size) {
    if (options.ahead == 0 || !look_ahead.prepare()) return;
    look_ahead.set_position(current.name(segment_size));
    if (look_ahead.locked() || half_there(look_ahead, current, segment_size, options.ahead)) return;
    const base::RepositoryConfig absolute = with_absolute_paths(config);
    FetchOptions detached = options;
    detached.look_ahead = fs::absolute(options.look_ahead);
    const pid_t child = ::fork();
    if (child < 0) return;
    if (child > 0) {
        int status = 0;
        ::waitpid(child, &status, 0);
        return;
    }
    if (::setsid() < 0 || ::fork() != 0) ::_exit(0);
    try {
        detach();
        prefetch(absolute, detached, segment_size);
    } catch (...) {
        ::_exit(1);
    }
    ::_exit(0);
}

}  // namespace howdah::archive
