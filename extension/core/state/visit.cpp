// See visit.hpp. The words come from the database, where a domain has checked them: a detail may show them.
#include "core/state/visit.hpp"

namespace relygate::core {

namespace {

struct Sentence {
    char text[192] = "";
    std::size_t size = 0;

    void add(std::string_view words) {
        const auto room = sizeof text - 1 - size;
        size += words.copy(text + size, std::min(room, words.size()));
        text[size] = '\0';
    }
};

Refusal refuse(const Sentence &detail) {
    return Refusal{409, "visit_state", "visit cannot change state this way", "Read the visit again before you retry."}
        .with_detail({detail.text, detail.size});
}

} // namespace

Outcome<bool> begin_visit(std::string_view state) {
    if (kVisitMachine.may_begin(state))
        return true;
    Sentence detail;
    detail.add("A new visit is pending or checked_in; ");
    detail.add(state);
    detail.add(" was asked for.");
    return refuse(detail);
}

Outcome<bool> change_visit(std::string_view from, std::string_view to) {
    if (kVisitMachine.may_change(from, to))
        return true;
    Sentence detail;
    detail.add("The visit is ");
    detail.add(from);
    detail.add("; ");
    detail.add(to);
    detail.add(" was asked for, ");
    const char *before = "allowed are ";
    for (const auto &transition : kVisitTransitions) {
        if (transition.from != from)
            continue;
        detail.add(before);
        detail.add(transition.to);
        before = ", ";
    }
    detail.add(kVisitMachine.is_final(from) ? "nothing is allowed any more." : ".");
    return refuse(detail);
}

} // namespace relygate::core
