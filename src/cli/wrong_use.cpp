#include "cli/wrong_use.hpp"

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "base/suggest.hpp"

namespace howdah::cli {

namespace {

using base::Failure;
using base::FailureKind;

/// A walk over the words as far as they are known: area and verb, options with their values, positional words.
struct Walk {
    const CLI::App* app = nullptr;  ///< The last area or verb that was named.
    std::string unknown;            ///< The first word or option that is none.
    std::string without_value;      ///< The first option or positional word with an empty value.
};

std::string command_of(const CLI::App* app) {
    return app->get_parent() ? command_of(app->get_parent()) + " " + app->get_name() : app->get_name();
}

std::vector<std::string> names_below(const CLI::App* app) {
    std::vector<std::string> names;
    for (const auto* each : app->get_subcommands({})) names.push_back(each->get_name());
    return names;
}

const CLI::App* below(const CLI::App* app, const std::string& name) {
    const auto found = app->get_subcommands([&](const CLI::App* each) { return each->get_name() == name; });
    return found.empty() ? nullptr : found.front();
}

/// Options of an area or verb are known there, those of the program everywhere.
const CLI::Option* option_of(const CLI::App* app, const std::string& name) {
    for (; app; app = app->get_parent())
        if (const auto* option = app->get_option_no_throw(name)) return option;
    return nullptr;
}

std::vector<std::string> option_names(const CLI::App* app) {
    std::vector<std::string> names;
    for (; app; app = app->get_parent())
        for (const auto* option : app->get_options())
            for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    return names;
}

std::vector<const CLI::Option*> positional_words(const CLI::App* app) {
    std::vector<const CLI::Option*> found;
    for (const auto* option : app->get_options())
        if (option->get_positional() && option->get_lnames().empty() && option->get_snames().empty()) found.push_back(option);
    return found;
}

bool may_be_empty(const std::string& option) { return option == "--label"; }

/// Goes over one option and its value; the index of the last word that belongs to it.
int walk_option(Walk& walk, int at, int argc, const char* const* argv) {
    const std::string word = argv[at];
    const auto equals = word.starts_with("--") ? word.find('=') : std::string::npos;
    const std::string name = word.starts_with("--") ? word.substr(0, equals) : word.substr(0, 2);
    const auto* option = option_of(walk.app, name);
    if (!option) {
        if (walk.unknown.empty()) walk.unknown = name;
        return at;
    }
    if (option->get_items_expected_max() == 0) return at;
    std::string value;
    if (equals != std::string::npos) {
        value = word.substr(equals + 1);
    } else if (at + 1 < argc) {
        value = argv[++at];
    } else {
        return at;  // The parser says that its value is missing.
    }
    if (value.empty() && !may_be_empty(name) && walk.without_value.empty()) walk.without_value = name;
    return at;
}

Walk walk_over(const CLI::App& program, int argc, const char* const* argv) {
    Walk walk{.app = &program, .unknown = {}, .without_value = {}};
    auto positional = positional_words(walk.app);
    std::size_t taken = 0;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--") break;
        if (word.size() > 1 && word.front() == '-') {
            i = walk_option(walk, i, argc, argv);
        } else if (const auto* next = below(walk.app, word)) {
            walk.app = next;
            positional = positional_words(next);
            taken = 0;
        } else if (taken < positional.size()) {
            if (word.empty() && walk.without_value.empty()) walk.without_value = positional[taken]->get_name(true);
            ++taken;
        } else if (walk.unknown.empty()) {
            walk.unknown = word.empty() ? "''" : word;
            if (!walk.app->get_subcommands({}).empty()) break;
        }
    }
    return walk;
}

std::string see_help(const CLI::App* app) { return fmt::format("see `{} --help`", command_of(app)); }

std::string listed(const std::vector<std::string>& words) {
    std::string list;
    for (const auto& word : words) list += (list.empty() ? "" : ", ") + word;
    return list;
}

Failure unknown_option(const CLI::App* app, const std::string& name) {
    const auto known = option_names(app);
    std::vector<std::string> longer;
    std::copy_if(known.begin(), known.end(), std::back_inserter(longer), [&](const auto& each) { return each.starts_with(name); });
    const auto nearest = longer.size() == 1 ? fmt::format("did you mean {}?", longer.front()) : base::did_you_mean(name, known);
    return Failure(FailureKind::usage, fmt::format("unknown option of `{}`: {}", command_of(app), name),
                   (nearest.empty() ? "" : nearest + " ") + see_help(app));
}

Failure unknown_word(const CLI::App* app, const std::string& word) {
    const auto known = names_below(app);
    if (!known.empty()) {
        const auto nearest = base::did_you_mean(word, known);
        const auto what =
            app->get_parent() ? fmt::format("unknown verb of `{}`: {}", command_of(app), word) : fmt::format("unknown area: {}", word);
        return Failure(FailureKind::usage, what, (nearest.empty() ? "there are " + listed(known) + "; " : nearest + " ") + see_help(app));
    }
    const auto option = "--" + word.substr(0, word.find('='));
    const auto meant = word.find('=') != std::string::npos && option_of(app, option)
                           ? fmt::format("did you mean {} {}? ", option, word.substr(word.find('=') + 1))
                           : "";
    return Failure(FailureKind::usage, fmt::format("unexpected word for `{}`: {}", command_of(app), word), meant + see_help(app));
}

Failure empty_value(const Walk& walk) {
    return Failure(FailureKind::usage, fmt::format("{} of `{}` has an empty value", walk.without_value, command_of(walk.app)),
                   "give it a value, or leave it out");
}

}  // namespace

std::optional<Failure> find_empty_value(const CLI::App& program, int argc, const char* const* argv) {
    const auto walk = walk_over(program, argc, argv);
    if (walk.without_value.empty()) return std::nullopt;
    return empty_value(walk);
}

Failure explain_wrong_use(const CLI::App& program, const CLI::ParseError& error, int argc, const char* const* argv) {
    const auto walk = walk_over(program, argc, argv);
    if (!walk.unknown.empty())
        return walk.unknown.starts_with('-') ? unknown_option(walk.app, walk.unknown) : unknown_word(walk.app, walk.unknown);
    if (!walk.without_value.empty()) return empty_value(walk);
    const auto below_it = names_below(walk.app);
    if (!below_it.empty() && walk.app->get_require_subcommand_min() > 0) {
        const auto what =
            walk.app->get_parent() ? fmt::format("no verb was given for `{}`", command_of(walk.app)) : std::string("no area was given");
        return Failure(FailureKind::usage, what, fmt::format("there are {}; {}", listed(below_it), see_help(walk.app)));
    }
    return Failure(FailureKind::usage, fmt::format("`{}` was used wrongly: {}", command_of(walk.app), error.what()), see_help(walk.app));
}

}  // namespace howdah::cli
