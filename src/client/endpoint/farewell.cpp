#include "client/endpoint/farewell.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

namespace howdah::inline v0 {

namespace {

using std::chrono::milliseconds;

/// How long the end of a session is awaited that the server does not tell, before it is terminated and after.
constexpr Duration kLongGoodbye = std::chrono::seconds(2);
/// The same while there is no monitor to ask: a server whose links were cut needs a moment to notice.
constexpr Duration kShortGoodbye = milliseconds(250);
/// The same for one without a name, whose link is silent: it cannot be found before the monitor's next session is there.
constexpr Duration kGoodbyeWithoutMonitor = std::chrono::seconds(10);
/// Between two looks whether a backend is gone whose link is.
constexpr Duration kLookAgain = milliseconds(20);
/// Between two looks whether a backend has come that nobody has seen yet.
constexpr Duration kSearchAgain = milliseconds(100);
/// Between two looks for an answer that comes from another thread.
constexpr Duration kLookForAnswer = milliseconds(2);

}  // namespace

Farewell::Farewell(Target backend, int watched, AskMonitor ask, Moment now)
    : ask_(std::move(ask)), backend_(std::move(backend)), watched_(watched), begun_(now), ask_again_(now) {}

Farewell::~Farewell() {
    if (watched_ >= 0) ::close(watched_);
}

std::optional<Need> Farewell::advance(Moment now, bool hurried) {
    if (over(now, hurried)) return std::nullopt;
    const bool asks = backend_.known() && (!backend_.named() || watched_ < 0 || now >= after(begun_, kShortGoodbye));
    const bool only_watches = !backend_.known() && watched_ >= 0 && !hurried;
    const Moment until = asks           ? std::max(ask_again_, after(now, kLookForAnswer))
                         : only_watches ? after(begun_, kLongGoodbye)
                                        : after(begun_, kShortGoodbye);
    return watched_ < 0 ? Need{-1, 0, until} : Need{watched_, POLLIN, until};
}

bool Farewell::over(Moment now, bool hurried) {
    if (watched_ >= 0 && ended()) return true;
    return backend_.named() ? named_over(now, hurried) : nameless_over(now, hurried);
}

bool Farewell::named_over(Moment now, bool hurried) {
    const bool silent_link = watched_ >= 0;
    if (silent_link && now < after(begun_, kShortGoodbye)) return false;
    look(now, next_question(now));
    if (gone_) return true;
    const Duration most = hurried ? kLongGoodbye : 2 * kLongGoodbye;
    const bool too_long = now >= after(begun_, most) || (!silent_link && !asked_ && now >= after(begun_, kShortGoodbye));
    return too_long && give_up();
}

bool Farewell::nameless_over(Moment now, bool hurried) {
    const bool silent_link = watched_ >= 0;
    const Moment waited = after(begun_, silent_link && !hurried ? kLongGoodbye : kShortGoodbye);
    // Nothing was ever sent there.
    if (!silent_link && backend_.trace.peer.empty()) return true;
    if (!backend_.known()) return now >= waited;
    look(now, seen_ ? Inquiry::About::is_gone : Inquiry::About::terminate);
    if (gone_ && (seen_ || now >= waited)) return true;
    const bool nobody_to_ask = !silent_link && !asked_ && !gone_ && now >= waited;
    return (nobody_to_ask || now >= after(begun_, hurried ? kShortGoodbye : kGoodbyeWithoutMonitor)) && give_up();
}

bool Farewell::give_up() {
    // Nobody knows whether it is still there, so the monitor ends it as soon as it can.
    static_cast<void>(ask_(Inquiry::About::terminate, backend_));
    return true;
}

bool Farewell::ended() const {
    std::array<char, 4096> rest;
    while (true) {
        const ssize_t count = ::recv(watched_, rest.data(), rest.size(), MSG_DONTWAIT);
        if (count > 0) continue;
        return !(count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
    }
}

Inquiry::About Farewell::next_question(Moment now) const {
    if (terminated_) return Inquiry::About::is_gone;
    if (now >= after(begun_, kLongGoodbye)) return Inquiry::About::terminate;
    return looked_ && now >= after(begun_, kShortGoodbye) ? Inquiry::About::end_idle : Inquiry::About::is_gone;
}

void Farewell::look(Moment now, Inquiry::About question) {
    if (!asked_) {
        if (now < ask_again_) return;
        asked_ = ask_(question, backend_);
        terminated_ = terminated_ || (question == Inquiry::About::terminate && asked_);
        ask_again_ = after(now, asked_ ? kLookForAnswer : kLookAgain);
        return;
    }
    const auto answer = asked_->told().answer;
    ask_again_ = after(now, kLookForAnswer);
    if (answer == Inquiry::Answer::waiting) return;
    const auto about = std::exchange(asked_, nullptr)->about();
    const bool yes = answer == Inquiry::Answer::yes;
    looked_ = false;
    if (about == Inquiry::About::end_idle) {
        terminated_ = terminated_ || yes;
    } else if (answer != Inquiry::Answer::lost) {
        gone_ = yes == (about == Inquiry::About::is_gone);
        looked_ = !gone_;
        seen_ = seen_ || looked_;
    }
    ask_again_ = after(now, backend_.named() || seen_ ? kLookAgain : kSearchAgain);
}

}  // namespace howdah::inline v0
