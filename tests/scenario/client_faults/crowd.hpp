#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "howdah/client.hpp"
#include "ledger.hpp"
#include "support/stopwatch_beside.hpp"

namespace howdah::tests {

struct CrowdOptions {
    int callers = 40;
    Duration call_time = std::chrono::seconds(2);   ///< The deadline of each call.
    Duration last_call = std::chrono::seconds(60);  ///< How long work with a key is asked for again once the end was called.
    std::vector<Kind> kinds{Kind::keyed, Kind::noted, Kind::plain, Kind::alone};
    std::int64_t first_caller = 1;
};

/// Threads that write rows through one client, one after the other, and note what the library says.
class Crowd {
public:
    Crowd(Client& client, const CrowdOptions& options);
    ~Crowd();
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    /// Nobody begins a new piece of work; work with a key is brought to its end.
    void finish();
    /// After finish().
    std::vector<Note> notes() const;
    /// Pieces of work that ended well so far.
    std::uint64_t done() const { return done_.load(); }
    /// The most that any call went on beyond its deadline.
    Duration overrun() const {
        const std::scoped_lock lock(mutex_);
        return overrun_;
    }
    /// The same without the machine's share: what the caller's thread stood ready to run and had no processor, or what threads beside
    /// stood still after the deadline, whichever is more.
    Duration own_overrun() const {
        const std::scoped_lock lock(mutex_);
        return own_overrun_;
    }
    /// Both in words, with what the call was told.
    std::string lateness() const;

private:
    struct Caller {
        std::vector<Note> notes;
        std::thread thread;
    };
    void work(Caller& caller, std::int64_t name, Kind kind);
    /// One call.
    Note call(std::int64_t name, std::int64_t number, Kind kind);
    void note_overrun(Duration overrun, Duration held_up, std::string what);

    Client& client_;
    const CrowdOptions options_;
    std::atomic<bool> ending_{false};
    std::atomic<Moment::rep> give_up_at_{Moment::max().time_since_epoch().count()};
    std::atomic<std::uint64_t> done_{0};
    StopwatchBeside beside_;
    mutable std::mutex mutex_;
    Duration overrun_{};
    Duration own_overrun_{};
    std::string latest_ = "none was late";
    std::deque<Caller> callers_;
};

}  // namespace howdah::tests
