#include "client/call/tries.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace howdah::inline v0 {

namespace {
thread_local unsigned inside_bodies = 0;
}

InsideBody::InsideBody() noexcept { ++inside_bodies; }
InsideBody::~InsideBody() { --inside_bodies; }
bool InsideBody::now() noexcept { return inside_bodies > 0; }

Tries::Tries(ClientState& state, std::string_view tag, Moment deadline, unsigned most, const std::stop_token& stop, Moment begun)
    : state_(state), tag_(tag), deadline_(deadline), most_(InsideBody::now() ? 1 : most), stop_(stop), begun_(begun) {}

bool Tries::again(Moment ended, const Error& error, const ClassRow& row, Retry retry) {
    if (retry == Retry::never) return false;
    const bool repeated = allowed(ended, error, retry);
    const RetryEvent event{row.what, error, made_, repeated, wait_};
    state_.endpoint.told_retry(event);
    if (!repeated || !wait(ended, wait_)) return false;
    ++made_;
    state_.retries[static_cast<std::size_t>(retry)].fetch_add(1, std::memory_order_relaxed);
    return true;
}

bool Tries::allowed(Moment now, const Error& error, Retry retry) {
    if (made_ >= most_ || now >= deadline_) return false;
    if (retry == Retry::reroute || retry == Retry::reprepare) {
        if (once_) return false;
        once_ = true;
    }
    const bool contention = retry == Retry::contention || retry == Retry::lock_if_asked || retry == Retry::key_if_asked;
    if (!random_) random_.emplace(static_cast<std::uint64_t>(now.time_since_epoch().count()) ^ reinterpret_cast<std::uintptr_t>(this));
    auto& backoff = contention ? contention_ : failure_;
    if (!backoff) backoff.emplace(contention ? kContentionBackoff : kDialBackoff);
    const auto wait = retry == Retry::reprepare ? std::optional<Duration>(Duration::zero()) : backoff->next(now, deadline_, *random_);
    if (!wait) return false;
    wait_ = *wait;
    const auto reason = error.cause() == Cause::timed_out ? RetryBudget::After::timeout : RetryBudget::After::failure;
    return state_.endpoint.spend(now, contention, reason);
}

bool Tries::wait(Moment now, Duration length) {
    if (length <= Duration::zero()) return true;
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_until(lock, stop_, after(now, length), [] { return false; });
    return !stop_.stop_requested();
}

void Tries::ended(Moment now, const Error* error) noexcept {
    if (!state_.endpoint.spans_wanted()) return;
    state_.endpoint.told_span({tag_, begun_, now, made_, error});
}

}  // namespace howdah::inline v0
