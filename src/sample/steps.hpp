#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace howdah::sample {

/// A piece of loading: a script and the names of the steps that must be done before it.
struct Step {
    std::string name;
    std::string sql;
    std::vector<std::string> needs;
};

/// The names in the "-- needs: a b" line that opens a generator script; empty when there is none.
std::vector<std::string> needs_of(std::string_view script);

/// Hands steps to several workers, each only when what it needs is done; among the ready ones first those that most others wait
/// for. Thread-safe.
class StepQueue {
public:
    /// Failure when a step needs an unknown one, or when needs go in a circle.
    explicit StepQueue(std::vector<Step> steps);

    /// The next ready step, waiting for one; nullptr when nothing is left or after stop().
    const Step* next();
    void done(const Step& step);
    /// No further step is handed out.
    void stop();
    std::size_t size() const { return steps_.size(); }

private:
    enum class State { waiting, running, done };
    struct Entry {
        Step step;
        std::vector<std::size_t> needs;
        std::size_t dependents = 0;
        State state = State::waiting;
    };
    void link();
    void rank();
    bool ready(const Entry& entry) const;
    Entry* best();

    std::vector<Entry> steps_;
    std::size_t left_ = 0;
    bool stopped_ = false;
    std::mutex mutex_;
    std::condition_variable changed_;
};

}  // namespace howdah::sample
