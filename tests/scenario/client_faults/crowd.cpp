#include "crowd.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "support/cpu_wait.hpp"

namespace howdah::tests {

namespace {

using std::chrono::steady_clock;

/// Who was turned away at the door does not come back at once.
constexpr std::chrono::milliseconds kPause{5};

Word word(Outcome outcome) {
    switch (outcome) {
        case Outcome::succeeded: return Word::succeeded;
        case Outcome::failed: return Word::failed;
        case Outcome::not_sent: return Word::not_sent;
        case Outcome::unknown: break;
    }
    return Word::unknown;
}

Result<void> without_rows(const Result<Rows>& rows) { return rows ? Result<void>() : Result<void>(rows.error()); }

}  // namespace

Crowd::Crowd(Client& client, const CrowdOptions& options) : client_(client), options_(options) {
    for (int i = 0; i < options.callers; ++i) {
        Caller& caller = callers_.emplace_back();
        const Kind kind = options.kinds[static_cast<std::size_t>(i) % options.kinds.size()];
        caller.thread = std::thread([this, &caller, name = options.first_caller + i, kind] { work(caller, name, kind); });
    }
}

Crowd::~Crowd() { finish(); }

void Crowd::finish() {
    if (!ending_.exchange(true)) give_up_at_ = (steady_clock::now() + options_.last_call).time_since_epoch().count();
    for (Caller& caller : callers_) {
        if (caller.thread.joinable()) caller.thread.join();
    }
}

std::vector<Note> Crowd::notes() const {
    std::vector<Note> all;
    for (const Caller& caller : callers_) all.insert(all.end(), caller.notes.begin(), caller.notes.end());
    return all;
}

void Crowd::work(Caller& caller, std::int64_t name, Kind kind) {
    for (std::int64_t number = 1; !ending_; ++number) {
        Note note = call(name, number, kind);
        while (kind == Kind::keyed && note.word != Word::succeeded && steady_clock::now().time_since_epoch().count() < give_up_at_)
            note = call(name, number, kind);
        if (note.word == Word::succeeded) ++done_;
        caller.notes.push_back(std::move(note));
    }
}

Note Crowd::call(std::int64_t name, std::int64_t number, Kind kind) {
    thread_local const CpuWait cpu;
    const auto waited_before = cpu.waited();
    const Moment deadline = steady_clock::now() + options_.call_time;
    Result<void> done;
    if (kind == Kind::alone) {
        done = without_rows(
            client_.execute({.tag = "alone", .deadline = deadline}, "INSERT INTO alone (caller, number) VALUES ($1, $2)", name, number));
    } else {
        TransactionOptions options{.tag = "ledger", .deadline = deadline, .resolve = kind == Kind::noted};
        if (kind == Kind::keyed) options.key = fmt::format("caller {} number {}", name, number);
        done = client_.run(options, [&](Transaction& transaction) {
            return without_rows(transaction.execute("INSERT INTO ledger (caller, number) VALUES ($1, $2)", name, number));
        });
    }
    const Moment answered = steady_clock::now();
    if (answered > deadline) {
        const Duration held_up = std::max<Duration>(cpu.waited() - waited_before, beside_.held_up(deadline, answered));
        note_overrun(answered - deadline, held_up, done ? std::string("went well") : done.error().message());
    }
    if (done) return {name, number, kind, Word::succeeded, {}};
    const Error& error = done.error();
    if (error.phase() == Phase::borrow && error.cause() == Cause::refused) std::this_thread::sleep_for(kPause);
    return {name, number, kind, word(error.outcome()),
            fmt::format("{} {} {}", howdah::name(error.phase()), error.sqlstate().view(), error.message())};
}

void Crowd::note_overrun(Duration overrun, Duration held_up, std::string what) {
    const std::scoped_lock lock(mutex_);
    overrun_ = std::max(overrun_, overrun);
    if (overrun - held_up <= own_overrun_) return;
    own_overrun_ = overrun - held_up;
    latest_ = std::move(what);
}

std::string Crowd::lateness() const {
    const std::scoped_lock lock(mutex_);
    const auto ms = [](Duration length) { return std::chrono::duration<double, std::milli>(length).count(); };
    return fmt::format("latest answer {:.1f} ms after its deadline, {:.1f} ms without the machine's share ({})", ms(overrun_),
                       ms(own_overrun_), latest_);
}

}  // namespace howdah::tests
