// See row.hpp.
#include "pg/rules/row.hpp"

extern "C" {
#include <utils/builtins.h>
#include <utils/datum.h>
#include <utils/lsyscache.h>
}

namespace relygate::pg {

Row::Row(FunctionCallInfo fcinfo, const char *function) : data_(reinterpret_cast<TriggerData *>(fcinfo->context)) {
    if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(data_->tg_event) ||
        !TRIGGER_FIRED_FOR_ROW(data_->tg_event) ||
        !(TRIGGER_FIRED_BY_INSERT(data_->tg_event) || TRIGGER_FIRED_BY_UPDATE(data_->tg_event)))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("\"%s\" must be called by a BEFORE trigger for each row of INSERT or UPDATE", function));
    before_ = is_insert() ? nullptr : data_->tg_trigtuple;
    now_ = is_insert() ? data_->tg_trigtuple : data_->tg_newtuple;
}

// The type is asked for each time: values are read and written as what they should be, and a text that is a number
// would be a wild pointer.
int Row::find(const char *column, Oid type) const {
    const int number = SPI_fnumber(data_->tg_relation->rd_att, column);
    if (number <= 0)
        return 0;
    if (getBaseType(TupleDescAttr(data_->tg_relation->rd_att, number - 1)->atttypid) != type)
        ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
                errmsg("column \"%s\" of table \"%s\" is not of type %s", column,
                       RelationGetRelationName(data_->tg_relation), format_type_be(type)));
    return number;
}

int Row::column(const char *column, Oid type) const {
    const int number = find(column, type);
    if (number == 0)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                errmsg("table \"%s\" has no column \"%s\"", RelationGetRelationName(data_->tg_relation), column));
    return number;
}

NullableDatum Row::value(HeapTuple tuple, int column) const {
    NullableDatum found;
    found.value = heap_getattr(tuple, column, data_->tg_relation->rd_att, &found.isnull);
    return found;
}

bool Row::is_changed(int column) const {
    if (is_insert())
        return true;
    const auto old_value = before(column);
    const auto new_value = now(column);
    if (old_value.isnull || new_value.isnull)
        return old_value.isnull != new_value.isnull;
    const auto *attribute = TupleDescAttr(data_->tg_relation->rd_att, column - 1);
    return !datum_image_eq(old_value.value, new_value.value, attribute->attbyval, attribute->attlen);
}

void Row::set(int column, NullableDatum to) {
    now_ = heap_modify_tuple_by_cols(now_, data_->tg_relation->rd_att, 1, &column, &to.value, &to.isnull);
}

} // namespace relygate::pg
