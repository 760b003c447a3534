#include "ledger.hpp"

#include <fmt/core.h>

#include <map>
#include <utility>

#include "postgres/session.hpp"

namespace howdah::tests {

namespace {

constexpr std::size_t kExamples = 8;

void note_wrong(Judgement& judgement, std::uint64_t& count, const char* what, const Note& note, std::int64_t rows) {
    ++count;
    if (judgement.examples.size() >= kExamples) return;
    judgement.examples.push_back(fmt::format("{}: caller {} number {} ({}): said {}, {} rows; {}", what, note.caller, note.number,
                                             kKinds[static_cast<std::size_t>(note.kind)], kWords[static_cast<std::size_t>(note.word)], rows,
                                             note.said));
}

}  // namespace

void make_ledger(const std::string& superuser_conninfo) {
    postgres::Session(superuser_conninfo)
        .script(
            "CREATE ROLE app LOGIN;"
            "CREATE TABLE public.ledger (caller bigint NOT NULL, number bigint NOT NULL);"
            "CREATE TABLE public.alone (caller bigint NOT NULL, number bigint NOT NULL);"
            "CREATE TABLE public.howdah_key (key text PRIMARY KEY, made timestamptz NOT NULL DEFAULT now());"
            "GRANT ALL ON public.ledger, public.alone, public.howdah_key TO app");
}

Judgement judge(const std::string& superuser_conninfo, const std::vector<Note>& notes) {
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> rows;
    postgres::Session session(superuser_conninfo);
    const auto found = session.query(
        "SELECT caller, number, count(*) FROM (TABLE public.ledger UNION ALL TABLE public.alone) AS every GROUP BY caller, number");
    for (std::size_t i = 0; i < found.size(); ++i) rows[{found.integer(i, 0), found.integer(i, 1)}] = found.integer(i, 2);

    Judgement judgement;
    for (const Note& note : notes) {
        const auto place = rows.find({note.caller, note.number});
        const std::int64_t count = place == rows.end() ? 0 : place->second;
        if (place != rows.end()) rows.erase(place);
        ++judgement.words[static_cast<std::size_t>(note.kind)][static_cast<std::size_t>(note.word)];
        if (count > 1) note_wrong(judgement, judgement.doubled, "doubled", note, count);
        if (note.word == Word::succeeded && count == 0) note_wrong(judgement, judgement.lost, "lost", note, count);
        if ((note.word == Word::failed || note.word == Word::not_sent) && count > 0)
            note_wrong(judgement, judgement.invented, "invented", note, count);
        if (note.word == Word::unknown && count == 1) ++judgement.unknown_with_row;
        if (note.kind == Kind::keyed && note.word != Word::succeeded)
            note_wrong(judgement, judgement.unfinished_keys, "never finished", note, count);
    }
    judgement.strangers = rows.size();
    return judgement;
}

std::string Judgement::text() const {
    std::string text;
    for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
        text += fmt::format("{}{}:", kind == 0 ? "" : "; ", kKinds[kind]);
        for (std::size_t word = 0; word < kWords.size(); ++word) {
            if (words[kind][word] > 0) text += fmt::format(" {} {}", words[kind][word], kWords[word]);
        }
    }
    text += fmt::format("; of the unknown {} had happened; lost {}, doubled {}, mislabelled {}", unknown_with_row, lost, doubled, invented);
    if (unfinished_keys + strangers > 0) text += fmt::format(", unfinished keys {}, rows of nobody {}", unfinished_keys, strangers);
    for (const std::string& example : examples) text += "\n  " + example;
    return text;
}

}  // namespace howdah::tests
