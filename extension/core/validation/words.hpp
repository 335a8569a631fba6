// Word lists: the only values that some columns and parameters take. SQL's domains ask for them (is_visit_state ...),
// the binder and the reference page show them.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "core/state/visit.hpp"

namespace relygate::core {

using Words = std::span<const std::string_view>;

inline constexpr std::array<std::string_view, 7> kDocumentTypes = {
    "aadhaar", "pan", "passport", "driving_licence", "voter_id", "employee_id", "student_id"};
inline constexpr std::array<std::string_view, 2> kVisitorTypes = {"registered", "unregistered"};
inline constexpr std::array<std::string_view, 5> kTenantKinds = {"school", "residential", "office", "hospital",
                                                                 "other"};
inline constexpr std::array<std::string_view, 2> kTenantStates = {"active", "suspended"};
inline constexpr std::array<std::string_view, 5> kPurposeKinds = {"visit", "gate_pass", "student", "staff", "vehicle"};
inline constexpr std::array<std::string_view, 3> kGateDirections = {"in", "out", "both"};
inline constexpr std::array<std::string_view, 3> kLocationKinds = {"building", "floor", "unit"};
inline constexpr std::array<std::string_view, 2> kHostKinds = {"resident", "employee"};

// What lists can be sorted by, ascending, or descending with a "-" in front. Each is a member of the rows; a word that
// ends in "At" sorts by time (list_page.sql and the check of cursors go by that).
inline constexpr std::array<std::string_view, 3> kVisitSorts = {"requestedAt", "checkedInAt", "checkedOutAt"};
inline constexpr std::array<std::string_view, 2> kNameSorts = {"name", "createdAt"};
inline constexpr std::array<std::string_view, 3> kHostSorts = {"firstName", "name", "createdAt"};
inline constexpr std::array<std::string_view, 2> kUserSorts = {"userName", "createdAt"};
inline constexpr std::array<std::string_view, 3> kVocabularySorts = {"position", "name", "createdAt"};
inline constexpr std::array<std::string_view, 1> kAuditSorts = {"occurredAt"};

constexpr bool is_word(Words words, std::string_view text) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

} // namespace relygate::core
