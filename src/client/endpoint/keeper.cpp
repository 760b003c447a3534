#include "client/endpoint/keeper.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <utility>

namespace howdah::inline v0 {

namespace {

using std::chrono::steady_clock;

/// The longest sleep: the breaker wants to see the time pass.
constexpr Duration kTick = std::chrono::seconds(1);
/// After something unexpected, so that a trouble that stays does not take a core.
constexpr Duration kCalmDown = std::chrono::milliseconds(100);

}  // namespace

Keeper::Keeper(Endpoint& endpoint, DialPlan plan, const PoolOptions& pool, const std::optional<MonitorOptions>& monitor, ModeFile mode_file)
    : endpoint_(endpoint), plan_(std::move(plan)), pool_(pool), mode_file_(std::move(mode_file)) {
    if (monitor) {
        DialPlan own = plan_;
        own.faults.reset();
        own.options.overrides.emplace_back("application_name", "howdah monitor");
        monitor_ = std::make_unique<Monitor>(endpoint_, own, *monitor, pool_.dial_time);
    }
    endpoint_.set_keeper([this] { bell_.ring(); });
    // Before the first call, so that a service that starts in maintenance sends nothing.
    look_at_mode_file(steady_clock::now());
    // The host program's signals never land here.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::pthread_setname_np(thread_.native_handle(), "howdah keeper");
}

Keeper::~Keeper() {
    if (endpoint_.forked()) {
        // The thread stayed in the parent; here is only its handle, which cannot be joined.
        static_cast<void>(new std::thread(std::move(thread_)));
        // Sessions in the making, and what the thread was in the midst of, are left alone too: to end a dial is to say goodbye.
        for (auto& job : jobs_) static_cast<void>(job.release());
        if (monitor_) monitor_->disown();
        static_cast<void>(monitor_.release());
        endpoint_.disown();
        return;
    }
    ending_.store(true, std::memory_order_release);
    bell_.ring();
    thread_.join();
}

void Keeper::ask(std::shared_ptr<Inquiry> inquiry) {
    {
        const std::scoped_lock lock(mutex_);
        asked_.push_back(std::move(inquiry));
    }
    bell_.ring();
}

void Keeper::run() {
    endpoint_.keep_here();
    while (!ending_.load(std::memory_order_acquire)) {
        try {
            round(steady_clock::now());
        } catch (const std::exception& trouble) {
            // Out of memory or descriptors: whatever it was, the next round tries again.
            troubles_.fetch_add(1, std::memory_order_relaxed);
            if (endpoint_.log_wanted())
                endpoint_.log(steady_clock::now(), LogKind::keeper, Severity::critical,
                              std::string("the client's thread goes on after: ") + trouble.what());
            std::this_thread::sleep_for(kCalmDown);
        }
    }
    if (monitor_) monitor_->close();
    const std::scoped_lock lock(mutex_);
    for (const auto& inquiry : asked_) inquiry->give({Inquiry::Answer::lost, {}, {}, 0});
    asked_.clear();
}

void Keeper::round(Moment now) {
    heartbeat_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    if (rung_) bell_.quieten();
    watched_.clear();
    watched_.push_back({bell_.descriptor(), POLLIN, 0});
    next_ = kNever;
    // In between, the monitor alone has something to do: its answers come more often than work.
    bool work = rung_ || now >= next_work_;
    if (work) take_work(now);
    if (now >= next_look_) look_at_mode_file(now);
    work = work || !jobs_.empty();
    // Jobs first: they may ask the monitor something.
    for (std::size_t i = 0; i < jobs_.size();) {
        if (auto need = jobs_[i]->advance(now)) {
            watch(*need);
            ++i;
        } else {
            jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    if (monitor_) watch(monitor_->advance(now));
    // Looks at every place of the pool. What callers change meanwhile a sleeping keeper does not see either, for a tick at most.
    if (work) next_work_ = std::min(next_tick_, endpoint_.next_change());
    next_ = std::min(next_, next_work_);
    const auto left = std::max<Duration>(next_ - steady_clock::now(), Duration::zero());
    const timespec limit{std::chrono::duration_cast<std::chrono::seconds>(left).count(), (left % std::chrono::seconds(1)).count()};
    rung_ = ::ppoll(watched_.data(), watched_.size(), &limit, nullptr) > 0 && watched_.front().revents != 0;
}

void Keeper::take_work(Moment now) {
    next_tick_ = after(now, kTick);
    std::vector<std::shared_ptr<Inquiry>> asked;
    {
        const std::scoped_lock lock(mutex_);
        asked.swap(asked_);
    }
    for (auto& inquiry : asked) {
        if (monitor_) {
            monitor_->ask(std::move(inquiry));
        } else {
            inquiry->give({Inquiry::Answer::lost, {}, {}, 0});
        }
    }
    endpoint_.tick(now, work_);
    for (const PoolCore::Work& work : work_) begin(now, work);
}

void Keeper::begin(Moment now, const PoolCore::Work& work) {
    const AskMonitor ask = [this](Inquiry::About about, const Target& backend) -> std::shared_ptr<Inquiry> {
        if (!monitor_) return nullptr;
        if (!monitor_->well()) {
            if (about == Inquiry::About::terminate) monitor_->note_left_behind(backend);
            return nullptr;
        }
        auto inquiry = std::make_shared<Inquiry>(about, backend);
        monitor_->ask(inquiry);
        return inquiry;
    };
    switch (work.kind) {
        case PoolCore::Work::Kind::dial:
            jobs_.push_back(std::make_unique<DialJob>(endpoint_, work.connection, plan_, ask, after(now, pool_.dial_time)));
            return;
        case PoolCore::Work::Kind::reset: jobs_.push_back(std::make_unique<ResetJob>(endpoint_, work.connection)); return;
        case PoolCore::Work::Kind::drain: jobs_.push_back(std::make_unique<DrainJob>(endpoint_, work.connection, ask, now)); return;
        case PoolCore::Work::Kind::cancel: return cancel_leased(work);
        case PoolCore::Work::Kind::close:
            if (end_job(now, work.connection)) return;
            if (endpoint_.cut_off(work.connection)) return endpoint_.report(now, Endpoint::Report::closed, work.connection, false);
            jobs_.push_back(std::make_unique<GoodbyeJob>(endpoint_, work.connection, ask, now));
            return;
        default: return;
    }
}

bool Keeper::end_job(Moment now, ConnectionId connection) {
    const auto there = std::ranges::find_if(jobs_, [&](const auto& job) { return job->connection().place == connection.place; });
    if (there == jobs_.end()) return false;
    if ((*there)->end(now)) return true;
    jobs_.erase(there);
    return false;
}

void Keeper::cancel_leased(const PoolCore::Work& work) {
    const Backend backend = endpoint_.backend(work.connection);
    if (monitor_ && monitor_->well() && !backend.identity.backend_start.empty()) {
        monitor_->ask(std::make_shared<Inquiry>(Inquiry::About::cancel, backend.identity));
    } else if (backend.key) {
        plain_cancel(backend.key);
    }
}

void Keeper::look_at_mode_file(Moment now) {
    next_look_ = after(now, kTick);
    const auto seen = mode_file_.look();
    if (!seen) return;
    if (seen->mode) endpoint_.set_breaker_mode(now, *seen->mode);
    if (endpoint_.log_wanted()) endpoint_.log(now, LogKind::mode_file, seen->mode ? Severity::info : Severity::warning, seen->what);
}

void Keeper::watch(const Need& need) {
    next_ = std::min(next_, need.until);
    if (need.descriptor >= 0) watched_.push_back({need.descriptor, need.events, 0});
}

}  // namespace howdah::inline v0
