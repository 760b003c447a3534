#include "preflight/activity.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "preflight/looker.hpp"
#include "preflight/text.hpp"

namespace howdah::preflight {

namespace {

base::Duration seconds(double value) { return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(value)); }

Severity by_age(base::Duration age, const Thresholds& thresholds) {
    if (age > thresholds.very_long_transaction) return Severity::critical;
    return age > thresholds.long_transaction ? Severity::warning : Severity::ok;
}

std::string describe(const OpenTransaction& transaction, base::Duration age) {
    return fmt::format("pid {} ({} in {}{}{}) for {}", transaction.pid, transaction.user, transaction.database,
                       transaction.application.empty() ? "" : ", ", transaction.application, base::text_duration(age));
}

/// The worst and the words of all beyond the threshold, oldest first.
struct Aged {
    Severity severity = Severity::ok;
    std::vector<std::pair<base::Duration, std::string>> words;
    void add(base::Duration age, const std::string& word, const Thresholds& thresholds) {
        const auto found = by_age(age, thresholds);
        if (found == Severity::ok) return;
        severity = std::max(severity, found);
        words.emplace_back(age, word);
    }
    std::string value() {
        std::sort(words.begin(), words.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
        std::vector<std::string> texts;
        for (const auto& [age, word] : words) texts.push_back(word);
        return text::join(texts, 3);
    }
};

Findings transactions(Looker& looker) {
    std::vector<OpenTransaction> open;
    const auto rows = looker.session().query(
        "SELECT pid, coalesce(usename, ''), coalesce(datname, ''), coalesce(application_name, ''), state LIKE 'idle in transaction%',"
        " extract(epoch FROM clock_timestamp() - xact_start), extract(epoch FROM clock_timestamp() - state_change)"
        " FROM pg_stat_activity WHERE xact_start IS NOT NULL AND backend_type = 'client backend' AND pid <> pg_backend_pid()");
    for (std::size_t row = 0; row < rows.size(); ++row)
        open.push_back({static_cast<int>(rows.integer(row, 0)), std::string(rows.text(row, 1)), std::string(rows.text(row, 2)),
                        std::string(rows.text(row, 3)), rows.boolean(row, 4), seconds(rows.real(row, 5)), seconds(rows.real(row, 6))});
    const auto hidden =
        looker.session().value("SELECT count(*) FROM pg_stat_activity WHERE query = '<insufficient privilege>' AND datid IS NOT NULL");
    return judge_transactions(open, std::strtoll(hidden.c_str(), nullptr, 10), looker.thresholds());
}

Findings prepared(Looker& looker) {
    std::vector<PreparedTransaction> found;
    const auto rows =
        looker.session().query("SELECT gid, owner, database, extract(epoch FROM clock_timestamp() - prepared) FROM pg_prepared_xacts");
    for (std::size_t row = 0; row < rows.size(); ++row)
        found.push_back(
            {std::string(rows.text(row, 0)), std::string(rows.text(row, 1)), std::string(rows.text(row, 2)), seconds(rows.real(row, 3))});
    return {judge_prepared(found, looker.thresholds())};
}

}  // namespace

Findings judge_transactions(const std::vector<OpenTransaction>& transactions, std::int64_t hidden, const Thresholds& thresholds) {
    Aged running, idle;
    for (const auto& transaction : transactions) {
        if (transaction.idle) idle.add(transaction.idle_for, describe(transaction, transaction.idle_for), thresholds);
        running.add(transaction.age, describe(transaction, transaction.age), thresholds);
    }
    Findings findings;
    if (running.words.empty())
        findings.push_back({"long_transactions", Severity::ok, "none", "no transaction holds back vacuum or waits with its locks", {}});
    else
        findings.push_back({"long_transactions", running.severity, running.value(), "they hold back vacuum and make changes of tables wait",
                            "ask their owners; end one with: SELECT pg_terminate_backend(PID)"});
    if (idle.words.empty())
        findings.push_back({"idle_in_transaction", Severity::ok, "none", "no session sleeps inside a transaction", {}});
    else
        findings.push_back({"idle_in_transaction", idle.severity, idle.value(), "they keep locks and old row versions while doing nothing",
                            "make the application end its transactions; set idle_in_transaction_session_timeout"});
    if (hidden > 0)
        findings.push_back(
            could_not_look("hidden_sessions", text::count(hidden, "session") + " of other roles", "GRANT pg_monitor to the role"));
    return findings;
}

Finding judge_prepared(const std::vector<PreparedTransaction>& prepared, const Thresholds& thresholds) {
    if (prepared.empty()) return {"prepared_transactions", Severity::ok, "none", "no transaction waits for its second phase", {}};
    Aged aged;
    for (const auto& transaction : prepared)
        aged.add(transaction.age,
                 fmt::format("\"{}\" ({} in {}) for {}", transaction.name, transaction.owner, transaction.database,
                             base::text_duration(transaction.age)),
                 thresholds);
    if (aged.words.empty())
        return {"prepared_transactions", Severity::notice, text::count(static_cast<std::int64_t>(prepared.size()), "transaction"),
                "they wait for their second phase", "see that a transaction manager finishes them"};
    return {"prepared_transactions", aged.severity, aged.value(), "forgotten ones keep locks and hold back vacuum, also over a restart",
            "finish them in their database with COMMIT PREPARED or ROLLBACK PREPARED"};
}

Finding judge_connections(std::int64_t used, std::int64_t maximum, const Thresholds& thresholds) {
    const double share = maximum > 0 ? static_cast<double>(used) / static_cast<double>(maximum) : 1.0;
    const auto value = fmt::format("{} of {} ({})", used, maximum, text::percent(share));
    const char* advice = "put a pooler before the server, or raise max_connections and restart";
    if (share >= thresholds.connections_exhausted)
        return {"connections", Severity::critical, value, "new connections are about to be refused", advice};
    if (share > thresholds.connections_busy)
        return {"connections", Severity::warning, value, fmt::format("more than {} are in use", text::percent(thresholds.connections_busy)),
                advice};
    return {"connections", Severity::ok, value, "enough are free", {}};
}

void look_at_activity(Looker& looker) {
    looker.look("long_transactions", [&] { return transactions(looker); });
    looker.look("prepared_transactions", [&] { return prepared(looker); });
    looker.look("connections", [&] {
        const auto rows = looker.session().query("SELECT sum(numbackends), current_setting('max_connections') FROM pg_stat_database");
        return Findings{judge_connections(rows.integer(0, 0), rows.integer(0, 1), looker.thresholds())};
    });
}

}  // namespace howdah::preflight
