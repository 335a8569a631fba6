// relygate.normalize_columns(): BEFORE INSERT OR UPDATE. Whoever writes, a request or a DBA, the column gets the form
// that the rule gives: uniqueness and search compare stored texts. The arguments of the trigger are pairs,
//   'mobile=mobile'                             column = rule
//   'search_name=fold:first_name,last_name'     column = folded text of other columns (of their normalised values:
//   write it last)
// A column that an UPDATE leaves alone is not looked at: a rule that became stricter must not lock old rows.
#include "core/base/text.hpp"
#include "core/validation/input_rule.hpp"
#include "pg/rules/row.hpp"

namespace relygate::pg {
namespace {

// The country of the row's tenant; tables of which a column needs it have a tenant_id. "" where the tenant cannot be
// seen, then only international numbers pass, and the foreign key refuses the row anyway.
std::string_view country_of(const Row &row) {
    static SPIPlanPtr plan = nullptr; // of this backend; PostgreSQL plans anew when role or table change
    const int column = row.find("tenant_id", UUIDOID);
    if (column == 0 || row.now(column).isnull)
        return {};
    if (SPI_connect() != SPI_OK_CONNECT)
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not connect to SPI"));
    if (plan == nullptr) {
        Oid types[] = {UUIDOID};
        SPIPlanPtr made = SPI_prepare(
            "SELECT country::pg_catalog.text FROM relygate.tenants WHERE id OPERATOR(pg_catalog.=) $1", 1, types);
        if (made == nullptr || SPI_keepplan(made) != 0)
            ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR),
                    errmsg("could not prepare the look-up of a tenant's country"));
        plan = made;
    }
    Datum tenant_id = row.now(column).value;
    std::string_view country;
    // Not read-only: a tenant made by this very statement's transaction must be seen.
    if (SPI_execute_plan(plan, &tenant_id, nullptr, false, 1) == SPI_OK_SELECT && SPI_processed == 1) {
        const char *text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
        const std::size_t size = text ? std::strlen(text) : 0;
        auto *copy = static_cast<char *>(SPI_palloc(size + 1)); // outlives SPI_finish
        std::copy_n(text ? text : "", size, copy);
        country = {copy, size};
    }
    SPI_finish();
    return country;
}

const core::InputRule *find_rule(const char *name) {
    const char *domain = psprintf("%s_input", name);
    const core::InputRule *rule = run_rule([&] { return core::find_input_rule(domain); });
    if (rule == nullptr)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no rule \"%s\"", name));
    return rule;
}

// Country is read once for a row, and only where a rule asks for it.
struct LazyCountry {
    bool is_read = false;
    std::string_view code;
};

bool needs_country(const char *rule) {
    return std::strcmp(rule, "mobile") == 0 || std::strcmp(rule, "vehicle_number") == 0;
}

void apply_rule(Row &row, const char *column_name, const char *rule_name, LazyCountry &country) {
    const int column = row.column(column_name, TEXTOID);
    const auto value = row.now(column);
    if (value.isnull || !row.is_changed(column))
        return;
    const core::InputRule *rule = find_rule(rule_name);
    if (needs_country(rule_name) && !country.is_read)
        country = {true, country_of(row)};
    const auto written = text_view(DatumGetTextPP(value.value));
    const auto ruled = run_rule([&] {
        ContextMemory memory;
        return rule->apply(written, core::RuleContext{country.code, {}}, memory);
    });
    if (!ruled) {
        core::Refusal refusal = ruled.refusal();
        refusal.field = column_name; // the dispatcher knows the member
        raise_refusal(refusal);
    }
    if (ruled.value() != written)
        row.set(column, not_null(PointerGetDatum(make_text(ruled.value()))));
}

// Computed in full at each write: nothing else may stand in the column.
void fold(Row &row, const char *column_name, char *source_names) {
    StringInfoData whole;
    initStringInfo(&whole);
    char *rest = source_names;
    while (char *name = strsep(&rest, ",")) {
        const auto value = row.now(row.column(name, TEXTOID));
        if (value.isnull)
            continue;
        const auto part = text_view(DatumGetTextPP(value.value));
        if (whole.len > 0)
            appendStringInfoChar(&whole, ' ');
        appendBinaryStringInfo(&whole, part.data(), static_cast<int>(part.size()));
    }
    if (whole.len == 0) {
        row.set(row.column(column_name, TEXTOID), null_datum());
        return;
    }
    const std::string_view joined(whole.data, static_cast<std::size_t>(whole.len));
    const auto folded = run_rule([&] {
        ContextMemory memory;
        return core::fold_search(joined, memory);
    });
    row.set(row.column(column_name, TEXTOID), not_null(PointerGetDatum(make_text(folded))));
}

} // namespace

RELYGATE_FUNCTION(relygate_normalize_columns) {
    Row row(fcinfo, "normalize_columns");
    LazyCountry country;
    for (int i = 0; i < row.trigger().tgnargs; ++i) {
        char *column = pstrdup(row.trigger().tgargs[i]);
        char *rule = std::strchr(column, '=');
        if (rule == nullptr)
            ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("argument \"%s\" is not column=rule", row.trigger().tgargs[i]));
        *rule++ = '\0';
        if (std::strncmp(rule, "fold:", 5) == 0)
            fold(row, column, rule + 5);
        else
            apply_rule(row, column, rule, country);
    }
    return row.result();
}

} // namespace relygate::pg
