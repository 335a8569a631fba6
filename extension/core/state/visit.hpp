// The states of a visit (docs: domain of visits): one entry of one visitor at one site.
#pragma once

#include <array>
#include <string_view>

#include "core/base/outcome.hpp"
#include "core/state/transition.hpp"

namespace relygate::core {

inline constexpr std::array<std::string_view, 6> kVisitStates = {"pending", "checked_in", "checked_out",
                                                                 "refused", "cancelled",  "expired"};
inline constexpr std::array<std::string_view, 2> kVisitBirths = {"pending", "checked_in"};
inline constexpr std::array<Transition, 5> kVisitTransitions = {{{"pending", "checked_in"},
                                                                 {"pending", "refused"},
                                                                 {"pending", "cancelled"},
                                                                 {"pending", "expired"},
                                                                 {"checked_in", "checked_out"}}};
inline constexpr StateMachine kVisitMachine = {"visit", kVisitStates, kVisitBirths, kVisitTransitions};

static_assert(kVisitMachine.is_final("checked_out") && !kVisitMachine.may_change("checked_in", "checked_in"));

// True, or the refusal (409, visit_state) that names the state and those that may follow it.
Outcome<bool> begin_visit(std::string_view state);
Outcome<bool> change_visit(std::string_view from, std::string_view to);

} // namespace relygate::core
