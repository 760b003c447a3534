#include "base/progress.hpp"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

namespace howdah::base {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kFirstDrawn = std::chrono::seconds(2);
constexpr auto kInterval = std::chrono::milliseconds(250);
constexpr std::size_t kRateSamples = 20;
constexpr std::string_view kEraseLine = "\r\x1b[K";

std::atomic<bool> allowed_by_program{false};
std::atomic<bool> line_shown{false};

void write_out(std::string_view text) { [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size()); }

std::size_t terminal_width() {
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

void allow_progress(bool allowed) { allowed_by_program = allowed; }
bool progress_allowed() { return allowed_by_program; }

std::string_view progress_eraser() { return line_shown ? kEraseLine : std::string_view(); }

std::string progress_text(const std::string& verb, Bytes done, Bytes total, Bytes per_second) {
    std::string line = fmt::format("{}  {}", verb, text(done));
    if (total.count > 0) {
        const double share = std::min(1.0, static_cast<double>(done.count) / static_cast<double>(total.count));
        line += fmt::format(" of {}  {} %", text(total), static_cast<int>(share * 100));
    }
    line += fmt::format("  {}/s", text(per_second));
    if (total.count > done.count && per_second.count > 0) {
        constexpr double kLongest = 1e9;
        const double seconds = std::min(kLongest, static_cast<double>(total.count - done.count) / static_cast<double>(per_second.count));
        line += fmt::format("  {} left", text_duration(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds))));
    }
    return line;
}

/// The thread that draws, four times a second, with the rate of the last five seconds.
struct Progress::Painter {
    explicit Painter(const Progress& owner) : progress(owner), thread([this](std::stop_token stop) { run(stop); }) {}

    void run(const std::stop_token& stop) {
        std::unique_lock lock(mutex);
        while (!stop.stop_requested()) {
            samples.emplace_back(Clock::now(), progress.done());
            if (samples.size() > kRateSamples) samples.pop_front();
            if (progress.elapsed() >= kFirstDrawn) draw();
            wake.wait_for(lock, stop, kInterval, [] { return false; });
        }
        if (line_shown.exchange(false)) write_out(kEraseLine);
    }

    void draw() {
        const std::chrono::duration<double> span = samples.back().first - samples.front().first;
        const double moved = static_cast<double>(samples.back().second.count - samples.front().second.count);
        const Bytes rate{span.count() > 0 ? static_cast<std::uint64_t>(moved / span.count()) : 0};
        std::string line = progress_text(progress.verb_, progress.done(), {progress.total_.load(std::memory_order_relaxed)}, rate);
        // A line as wide as the terminal would wrap and could not be erased.
        line.resize(std::min(line.size(), terminal_width() - 1));
        line_shown = true;
        write_out("\r" + line + "\x1b[K");
    }

    const Progress& progress;
    std::mutex mutex;
    std::condition_variable_any wake;
    std::deque<std::pair<Clock::time_point, Bytes>> samples;
    std::jthread thread;
};

Progress::Progress(std::string verb, Bytes total, bool drawn) : verb_(std::move(verb)), total_(total.count) {
    if (drawn && progress_allowed() && ::isatty(STDERR_FILENO)) painter_ = std::make_unique<Painter>(*this);
}

Progress::~Progress() = default;

}  // namespace howdah::base
