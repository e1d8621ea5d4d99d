package io.grpcstream.samples.shop.store

import java.sql.Connection
import java.sql.PreparedStatement
import java.sql.ResultSet

/** Runs [sql], which changes rows, and returns how many it has changed. */
fun Connection.update(
    sql: String,
    vararg values: Any?,
): Int = prepareStatement(sql).use { it.with(values).executeUpdate() }

/** Runs [sql], and returns what [map] makes of each row. */
fun <T> Connection.query(
    sql: String,
    vararg values: Any?,
    map: (ResultSet) -> T,
): List<T> =
    prepareStatement(sql).use { statement ->
        statement.with(values).executeQuery().use { rows ->
            buildList { while (rows.next()) add(map(rows)) }
        }
    }

private fun PreparedStatement.with(values: Array<out Any?>) =
    apply { values.forEachIndexed { index, value -> setObject(index + 1, value) } }
