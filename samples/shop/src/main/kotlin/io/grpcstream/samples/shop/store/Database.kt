package io.grpcstream.samples.shop.store

import com.zaxxer.hikari.HikariConfig
import com.zaxxer.hikari.HikariDataSource
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.WRITE
import java.sql.Connection
import java.sql.SQLException

/**
 * A database by its JDBC URL, of SQLite (`jdbc:sqlite:FILE`) or of PostgreSQL
 * (`jdbc:postgresql://HOST/DATABASE?user=…`). For any thread.
 *
 * One file of SQLite may serve several processes: it has a write-ahead log, so that readers and the
 * one writer do not wait for each other; writers wait for each other, for up to 5 s.
 */
class Database private constructor(
    private val pool: HikariDataSource,
    private val dialect: Dialect,
) : AutoCloseable {
    /**
     * Runs [block] as one transaction, on a thread for blocking: all that it does is done, or nothing.
     * What the database gives up because of another transaction is done again. If the coroutine is
     * cancelled meanwhile, it is done all the same.
     */
    suspend fun <T> transaction(block: Connection.() -> T): T =
        withContext(Dispatchers.IO) { unlessRaceIsLost { connection().use { it.transact(block) } } }

    /** Runs [block], which only reads, and by one statement; on a thread for blocking. */
    suspend fun <T> read(block: Connection.() -> T): T =
        withContext(Dispatchers.IO) { connection().use(block) }

    /** Makes what is not there yet by [statements]; several processes may do so at a time. */
    suspend fun create(statements: List<String>) =
        transaction {
            dialect.lockForCreation?.let { sql -> createStatement().use { it.execute(sql) } }
            createStatement().use { statement -> statements.forEach(statement::execute) }
        }

    /** Whether it can be asked for what is in [table]. If not, connections are made anew. */
    suspend fun isThere(table: String): Boolean =
        withContext(Dispatchers.IO) {
            try {
                connection().use { it.query("SELECT COUNT(*) FROM $table WHERE 1 = 0") {} }
                true
            } catch (_: SQLException) {
                pool.hikariPoolMXBean.softEvictConnections()
                false // which is the answer
            }
        }

    override fun close() = pool.close()

    /** Who holds a file that is gone could still write to it, and to no avail. */
    private fun connection(): Connection {
        val file = dialect.file
        if (file != null && !Files.exists(file)) throw SQLException("$file is gone")
        return pool.connection
    }

    private fun <T> unlessRaceIsLost(block: () -> T): T {
        repeat(ATTEMPTS - 1) {
            try {
                return block()
            } catch (e: SQLException) {
                if (e.sqlState !in LOST_RACES) throw e
            }
        }
        return block()
    }

    private fun <T> Connection.transact(block: Connection.() -> T): T {
        autoCommit = false
        try {
            val result = block()
            commit()
            return result
        } catch (e: Throwable) {
            try {
                rollback()
            } catch (other: SQLException) {
                e.addSuppressed(other)
            }
            throw e
        }
        // The pool sets autoCommit back.
    }

    /** Opens databases. */
    companion object {
        private const val ATTEMPTS = 5

        /** PostgreSQL's states of a serialization failure and of a deadlock. */
        private val LOST_RACES = setOf("40001", "40P01")
        private const val WAIT_MILLIS = 2_000L

        /**
         * Opens the database of [url].
         *
         * @throws java.io.IOException if there is no file, and none can be made
         * @throws com.zaxxer.hikari.pool.HikariPool.PoolInitializationException if that cannot be done
         * @throws IllegalArgumentException if the URL is of neither kind
         */
        fun open(url: String): Database {
            val dialect = Dialect.of(url)
            dialect.file?.let(::createUnlessThere)
            val config =
                HikariConfig().apply {
                    jdbcUrl = url
                    connectionTimeout = WAIT_MILLIS
                    maximumPoolSize = dialect.connections
                    dialect.properties.forEach(::addDataSourceProperty)
                }
            return Database(HikariDataSource(config), dialect)
        }

        /** Others may do so at the same time. */
        private fun createUnlessThere(file: Path) =
            Files.newByteChannel(file, CREATE, WRITE).close()
    }
}

/** What is different from one kind of database to the other. */
private class Dialect(
    val connections: Int,
    val properties: Map<String, String> = emptyMap(),
    val lockForCreation: String? = null,
    val file: Path? = null,
) {
    companion object {
        const val SQLITE = "jdbc:sqlite:"

        /** And not make a file where one is gone. */
        const val READ_AND_WRITE = "2"

        fun of(url: String): Dialect =
            when {
                url.startsWith(
                    SQLITE,
                ) -> sqlite(Path.of(url.removePrefix(SQLITE).substringBefore('?')))

                url.startsWith("jdbc:postgresql:") -> POSTGRESQL

                else -> throw IllegalArgumentException("neither SQLite nor PostgreSQL: $url")
            }

        /**
         * With one connection, those who write in this process wait for each other in line. Others'
         * locks SQLite asks for again and again; it must take them at the start of a transaction, as
         * two that have read could not both go on to write.
         */
        private fun sqlite(file: Path) =
            Dialect(
                connections = 1,
                properties =
                    mapOf(
                        "journal_mode" to "WAL",
                        "busy_timeout" to "5000",
                        "transaction_mode" to "IMMEDIATE",
                        "open_mode" to READ_AND_WRITE,
                    ),
                file = file,
            )

        /** Two that create one table at a time fail there, also with IF NOT EXISTS. */
        private val POSTGRESQL =
            Dialect(
                connections = 8,
                lockForCreation = "SELECT pg_advisory_xact_lock(7368573)",
            )
    }
}
