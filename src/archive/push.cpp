#include "archive/push.hpp"

#include <fmt/core.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <set>

#include "archive/catch_up.hpp"
#include "archive/destinations.hpp"
#include "archive/file_pusher.hpp"
#include "archive/push_order.hpp"
#include "archive/workers.hpp"
#include "base/file.hpp"
#include "base/hooks.hpp"
#include "base/log.hpp"
#include "postgres/control_file.hpp"

namespace howdah::archive {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;
using postgres::WalFileKind;

namespace {

constexpr std::chrono::seconds kLongestAhead{10};
constexpr std::chrono::seconds kLongestCatchUp{3};

/// One call's work: the named file and the ready ones after it, taken by the workers in that order.
class PushRun {
public:
    PushRun(const PushOptions& options, const base::Cancellation& cancellation)
        : options_(options),
          cancellation_(cancellation),
          data_directory_(data_directory_of(options.path)),
          control_(postgres::read_control_file(data_directory_)),
          destinations_(options, control_.system_identifier),
          area_(options.cluster, control_.system_identifier),
          pusher_(fs::absolute(options.path).parent_path()),
          acknowledgements_(acknowledgements(options)) {}

    PushResult run() {
        if (take_promise()) return std::move(result_);
        if (base::guard("T19.finished")) require_finished(data_directory_, options_, control_.wal_segment_size);
        gather();
        run_workers(taken() ? 1 : worker_count(options_.jobs, names_.size(), control_.wal_segment_size), [this] { work(); });
        if (failure_) std::rethrow_exception(failure_);
        if (!named_done_) cancellation_.check("wal push");
        look_after_repositories();
        base::fault_point("wal_push.before_exit");
        return std::move(result_);
    }

private:
    /// Whether an earlier call pushed the named file to all repositories that can be reached, and the others may lack it.
    bool take_promise() {
        const auto promise = promised(acknowledgements_, options_);
        if (!promise) return false;
        const auto open = destinations_.takers();
        try {
            for (const Destination* each : open)
                if (!holds_what_was_promised(*promise, options_, each->repository->store())) return false;
        } catch (const Failure& failure) {
            base::log_debug("the acknowledgement of {} is left aside: {}", options_.path.filename().string(), failure.what());
            return false;  // The push itself finds out what is wrong with that repository.
        }
        const std::string name = options_.path.filename().string();
        destinations_.settle(name, open, std::vector<PutResult>(open.size()));
        acknowledgements_.remove(name);
        result_.acknowledged = true;
        return true;
    }

    /// Nothing that goes wrong here may turn the push into a failure.
    void look_after_repositories() {
        if (!destinations_.several()) return;
        try {
            result_.caught_up = catch_up_a_while(destinations_, data_directory_, control_.wal_segment_size, options_.compression_level,
                                                 kLongestCatchUp, cancellation_);
            destinations_.warn();
        } catch (const std::exception& error) {
            base::log_warning("what repositories lack could not be looked after: {}", error.what());
        }
    }

    void gather() {
        const std::vector<std::string> ready = ready_files(data_directory_);
        acknowledgements_.remove_except({ready.begin(), ready.end()});
        names_ = push_order(options_, ready, acknowledgements_);
    }

    /// Whether a repository has something under one of these names. It may be of another history, and then nothing that follows may get
    /// there beside it: the files go one after the other.
    bool taken() const {
        if (names_.size() == 1) return true;
        try {
            for (const Destination* each : destinations_.takers())
                for (const std::string& name : names_)
                    if (each->repository->store().exists(area_.wal(name))) return true;
        } catch (const Failure& failure) {
            base::log_debug("what the repositories hold cannot be told: {}", failure.what());
            return true;  // The puts decide what becomes of that repository.
        }
        return false;
    }

    /// The next file's place in the list; none when this call should begin no other.
    std::optional<std::size_t> next() {
        if (stop_ || cancellation_.requested()) return std::nullopt;
        const std::size_t place = taken_++;
        if (place >= names_.size()) return std::nullopt;
        if (place > 0 && std::chrono::steady_clock::now() - start_ > kLongestAhead) return std::nullopt;
        return place;
    }

    void work() {
        PushWorker worker(options_.compression_level);
        while (const auto place = next()) {
            const std::string& name = names_[*place];
            try {
                if (*place > 0) base::fault_point("wal_push.between_ahead");
                const auto takers = destinations_.takers();
                if (*place > 0 && !base::guard("T19.durable"))
                    acknowledgements_.write(name, stamp_of(options_.path.parent_path() / name), {area_.wal(name), markers(takers)});
                const PushedFile pushed = pusher_.push(name, worker, archives_of(takers), *place == 0 && options_.replace_unfinished);
                destinations_.settle(name, takers, pushed.results);
                if (*place > 0) acknowledge(name, pushed, takers);
                note(name, *place, pushed);
            } catch (...) {
                note_failure(name, *place, std::current_exception());
            }
        }
    }

    static std::vector<std::string> markers(std::span<Destination* const> destinations) {
        std::vector<std::string> markers;
        for (const Destination* each : destinations) markers.push_back(each->marker);
        return markers;
    }

    void acknowledge(const std::string& name, const PushedFile& pushed, const std::vector<Destination*>& takers) {
        std::vector<Destination*> have;
        for (std::size_t i = 0; i < takers.size(); ++i)
            if (!pushed.results[i].failure) have.push_back(takers[i]);
        acknowledgements_.write(name, pushed.stamp, {area_.wal(name), markers(have)});
        base::fault_point("wal_push.after_ack");
    }

    void note(const std::string& name, std::size_t place, const PushedFile& pushed) {
        std::lock_guard lock(mutex_);
        if (place == 0) named_done_ = true;
        result_.pushed.push_back(name);
        result_.bytes += pushed.bytes;
        result_.stored += pushed.stored_bytes;
    }

    void note_failure(const std::string& name, std::size_t place, const std::exception_ptr& failure) {
        stop_ = true;
        if (place == 0) {
            std::lock_guard lock(mutex_);
            failure_ = failure;
            return;
        }
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& error) {
            base::log_warning("{} was not pushed ahead and is left to its own call: {}", name, error.what());
        }
    }

    const PushOptions& options_;
    const base::Cancellation& cancellation_;
    fs::path data_directory_;
    postgres::ControlFile control_;
    Destinations destinations_;
    repository::ClusterArea area_;
    FilePusher pusher_;
    Acknowledgements acknowledgements_;
    std::vector<std::string> names_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::atomic<std::size_t> taken_{0};
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    bool named_done_ = false;
    std::exception_ptr failure_;
    PushResult result_;
};

}  // namespace

PushResult push(const PushOptions& options, const base::Cancellation& cancellation) {
    base::fault_point("wal_push.start");
    switch (postgres::classify_wal_file(options.path.filename().string())) {
        case WalFileKind::other:
            throw Failure(FailureKind::usage, fmt::format("not a WAL file: '{}'", options.path.string()),
                          "archive_command gives wal push its %p");
        case WalFileKind::backup_label: return {};
        default: return PushRun(options, cancellation).run();
    }
}

bool take_acknowledgement(const PushOptions& options) {
    const std::string name = options.path.filename().string();
    const Acknowledgements promises = acknowledgements(options);
    try {
        const auto promise = promised(promises, options);
        if (!promise) return false;
        for (const auto& repository : options.repositories)
            if (!holds_what_was_promised(*promise, options, *storage::open_store(repository.url))) return false;
    } catch (const Failure& failure) {
        base::log_debug("the acknowledgement of {} is left aside: {}", name, failure.what());
        return false;
    }
    promises.remove(name);
    return true;
}

}  // namespace howdah::archive
