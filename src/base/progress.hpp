#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/units.hpp"

namespace howdah::base {

/// One running measure of bytes done out of a total that may still grow. Workers add from any thread at the cost of one relaxed
/// atomic addition; a thread of its own draws "copying  412 MiB of 1.2 GiB  34 %  510 MiB/s  1.6 s left" on standard error four
/// times a second, from the third second on, only when standard error is a terminal and the output is for people. Removes its line
/// when destroyed.
class Progress {
public:
    /// `drawn` false (JSON output, not a terminal) counts without drawing.
    Progress(std::string verb, Bytes total, bool drawn);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void add(Bytes done) { done_.fetch_add(done.count, std::memory_order_relaxed); }
    void set_total(Bytes total) { total_.store(total.count, std::memory_order_relaxed); }
    Bytes done() const { return {done_.load(std::memory_order_relaxed)}; }
    std::chrono::steady_clock::duration elapsed() const { return std::chrono::steady_clock::now() - start_; }

private:
    struct Painter;
    std::string verb_;
    std::atomic<std::uint64_t> done_{0};
    std::atomic<std::uint64_t> total_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::unique_ptr<Painter> painter_;
};

/// Whether progress may be drawn at all: set once by cli from --output; false until then. That standard error is a terminal is asked
/// by each Progress itself.
void allow_progress(bool allowed);
bool progress_allowed();

/// The line as it is drawn. No share without a total, no time left without a rate.
std::string progress_text(const std::string& verb, Bytes done, Bytes total, Bytes per_second);

/// What whoever else writes on standard error puts first, so that no line starts behind a drawn one: empty when none is drawn.
std::string_view progress_eraser();

}  // namespace howdah::base
