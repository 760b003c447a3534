#include "preflight/clock.hpp"

#include <fmt/core.h>

#include "preflight/looker.hpp"
#include "storage/store.hpp"

namespace howdah::preflight {

namespace {

base::Timestamp now() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

ClockReading read_server(Looker& looker) {
    auto& session = looker.session();
    ClockReading reading;
    reading.before = now();
    const auto rows = session.query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
    reading.after = now();
    reading.other = base::Timestamp(std::chrono::microseconds(rows.integer(0, 0)));
    return reading;
}

}  // namespace

base::Duration ClockReading::difference() const {
    if (other > after) return other - after;
    if (other < before) return other - before;
    return {};
}

Finding judge_clock(const std::string& check, const std::string& whose, const ClockReading& reading, const Thresholds& thresholds) {
    const auto difference = reading.difference();
    const auto size = difference < base::Duration{} ? -difference : difference;
    const auto value = size < thresholds.clock_difference ? fmt::format("within {}", base::text_duration(thresholds.clock_difference))
                                                          : fmt::format("{} is {} {} this host", whose, base::text_duration(size),
                                                                        difference < base::Duration{} ? "behind" : "ahead of");
    const char* advice = "run a time service (chrony, systemd-timesyncd) on both hosts";
    if (size >= thresholds.wrong_clock)
        return {"clock_" + check, Severity::critical, value,
                "points in time and ages cannot be trusted: do not restore to a time before this is repaired", advice};
    if (size >= thresholds.clock_difference)
        return {"clock_" + check, Severity::warning, value, "points in time are uncertain by as much", advice};
    return {"clock_" + check, Severity::ok, value, fmt::format("{} and this host agree", whose), {}};
}

void look_at_clocks(Looker& looker) {
    looker.look("clock_server", [&] { return Findings{judge_clock("server", "the server", read_server(looker), looker.thresholds())}; });
    if (!looker.options().repository) return;
    looker.look("clock_repository", [&] {
        const auto store = storage::open_store(looker.options().repository->url);
        ClockReading reading;
        reading.before = now();
        reading.other = store->now();
        reading.after = now();
        return Findings{judge_clock("repository", "the repository's store", reading, looker.thresholds())};
    });
}

}  // namespace howdah::preflight
