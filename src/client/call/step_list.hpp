#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "client/session.hpp"
#include "howdah/parameters.hpp"
#include "howdah/statement.hpp"

namespace howdah::inline v0 {

/// The steps of one request being made up. Refers to what it is given.
class StepList {
public:
    StepList() noexcept {}
    /// A fixed text without parameters.
    void add(Step::Part part, const char* sql) { push(Step::Kind::text, part, sql, nullptr, {}, 0); }
    void add(Step::Part part, const char* sql, const ParameterView& parameters) {
        push(Step::Kind::text, part, sql, nullptr, parameters, 0);
    }
    /// The statement as the session can take it best: by name, prepared on the way when it is the first time.
    void add(Step::Part part, const Session& session, const Query& query, const ParameterView& parameters, bool by_name);

    std::size_t size() const noexcept { return size_; }
    bool room_for(std::size_t steps) const noexcept { return size_ + steps <= steps_.size(); }
    std::span<const Step> steps() const noexcept { return std::span(steps_).first(size_); }

private:
    void push(Step::Kind kind, Step::Part part, const char* sql, const char* name, const ParameterView& parameters,
              std::uint32_t statement) noexcept {
        if (size_ < steps_.size()) std::construct_at(&steps_[size_++], kind, part, sql, name, parameters, statement);
    }
    union {  // So that a list made at each call costs the steps that are in it, not those that could be.
        std::array<Step, Session::kMostSteps> steps_;
    };
    std::size_t size_ = 0;
};

ParameterView view(const ParameterList& list) noexcept;

}  // namespace howdah::inline v0
