#include "client/call/step_list.hpp"

namespace howdah::inline v0 {

void StepList::add(Step::Part part, const Session& session, const Query& query, const ParameterView& parameters, bool by_name) {
    const Statement* const statement = query.statement();
    if (statement == nullptr || !by_name) return add(part, query.sql(), parameters);
    const char* const name = statement->name().c_str();
    const auto prepared = session.prepared(statement->number(), parameters);
    if (prepared == Session::Prepared::otherwise) add(Step::Part::before, statement->forgetting().c_str());
    if (prepared != Session::Prepared::yes)
        push(Step::Kind::prepare, Step::Part::before, query.sql(), name, parameters, statement->number());
    push(Step::Kind::prepared, part, query.sql(), name, parameters, 0);
}

ParameterView view(const ParameterList& list) noexcept {
    return {static_cast<int>(list.size()), list.types(), list.values(), list.lengths(), list.formats()};
}

}  // namespace howdah::inline v0
