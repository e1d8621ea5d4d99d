package io.grpcstream.samples.telemetry.store

import io.grpcstream.libp2p.PeerId
import java.io.IOException
import java.nio.file.Path
import java.sql.Connection
import java.sql.DriverManager
import java.sql.PreparedStatement
import java.sql.ResultSet
import java.sql.SQLException
import java.time.Instant

/**
 * Readings in a file of SQLite's. A transaction is on the disk before it returns; one that holds the
 * batches of many devices costs little more than one of a single batch.
 */
class SqliteStore(
    file: Path,
) : ReadingStore {
    private val database: Connection = opened(file)
    private val addDevice = database.prepareStatement(ADD_DEVICE)
    private val addRun = database.prepareStatement(ADD_RUN)
    private val findRun = database.prepareStatement(FIND_RUN)
    private val addReading = database.prepareStatement(ADD_READING)
    private val countRun = database.prepareStatement(COUNT_RUN)

    override fun append(arrivals: List<Arrival>): List<Added> =
        attempt {
            try {
                arrivals.map(::append).also { database.commit() }
            } catch (e: SQLException) {
                database.rollback()
                throw e
            }
        }

    private fun append(arrival: Arrival): Added {
        val batch = arrival.batch
        val device = arrival.peer.toString()
        addDevice.run(device, arrival.name, arrival.time.toEpochMilli())
        addRun.run(device, batch.run)
        val (run, droppedBefore) =
            findRun.first(device, batch.run) { getLong(1) to getLong(2) }
        val stored =
            batch.readings.withIndex().sumOf { (index, reading) ->
                val sequence = batch.first + index
                val time = reading.time.toEpochMilli()
                addReading.run(run, sequence, time, reading.metric, reading.value)
            }
        val dropped = maxOf(0, batch.dropped - droppedBefore)
        countRun.run(stored, dropped, run)
        return Added(stored, dropped)
    }

    override fun devices(most: Int): List<StoredDevice> =
        attempt {
            database.prepareStatement(DEVICES).use { statement ->
                statement.all(most) {
                    StoredDevice(
                        PeerId.parse(getString(1)),
                        getString(2),
                        Instant.ofEpochMilli(getLong(3)),
                        getLong(4),
                        getLong(5),
                    )
                }
            }
        }

    /** For each run that there was: its device, what is stored of it, and what the device dropped. */
    fun runs(): List<StoredRun> =
        attempt {
            database.prepareStatement(RUNS).use { statement ->
                statement.all {
                    val peer = PeerId.parse(getString(1))
                    StoredRun(peer, getLong(2), getLong(3), getLong(4), getLong(5))
                }
            }
        }

    override fun close(): Unit = attempt { database.close() }

    private companion object {
        fun opened(file: Path): Connection =
            attempt {
                val database = DriverManager.getConnection("jdbc:sqlite:$file")
                try {
                    database.createStatement().use { statement ->
                        // A transaction appends to a log beside the file; readers are not held up.
                        statement.execute("PRAGMA journal_mode = WAL")
                        statement.execute("PRAGMA synchronous = FULL")
                        SCHEMA.split(";").filter(String::isNotBlank).forEach(statement::execute)
                    }
                    database.autoCommit = false
                    database
                } catch (e: SQLException) {
                    database.close()
                    throw e
                }
            }

        inline fun <T> attempt(work: () -> T): T =
            try {
                work()
            } catch (e: SQLException) {
                throw IOException("the store failed: ${e.message}", e)
            }

        fun PreparedStatement.run(vararg values: Any): Int {
            bind(values)
            return executeUpdate()
        }

        fun <T> PreparedStatement.all(
            vararg values: Any,
            row: ResultSet.() -> T,
        ): List<T> {
            bind(values)
            return executeQuery().use { rows -> buildList { while (rows.next()) add(rows.row()) } }
        }

        fun <T> PreparedStatement.first(
            vararg values: Any,
            row: ResultSet.() -> T,
        ): T = all(*values, row = row).first()

        fun PreparedStatement.bind(values: Array<out Any>) =
            values.forEachIndexed { index, value -> setObject(index + 1, value) }

        const val SCHEMA = """
            CREATE TABLE IF NOT EXISTS devices (
                peer TEXT PRIMARY KEY, -- its id, as it has proven it
                name TEXT NOT NULL,
                last_seen INTEGER NOT NULL -- milliseconds since 1970, as all times here
            ) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS runs (
                id INTEGER PRIMARY KEY,
                device TEXT NOT NULL REFERENCES devices,
                run INTEGER NOT NULL, -- as the device calls it
                stored INTEGER NOT NULL DEFAULT 0,
                dropped INTEGER NOT NULL DEFAULT 0,
                UNIQUE (device, run)
            );
            CREATE TABLE IF NOT EXISTS readings (
                run INTEGER NOT NULL REFERENCES runs,
                sequence INTEGER NOT NULL,
                time INTEGER NOT NULL,
                metric TEXT NOT NULL,
                value REAL NOT NULL,
                PRIMARY KEY (run, sequence)
            ) WITHOUT ROWID;
        """

        const val ADD_DEVICE =
            "INSERT INTO devices (peer, name, last_seen) VALUES (?, ?, ?) ON CONFLICT (peer) " +
                "DO UPDATE SET name = excluded.name, last_seen = excluded.last_seen"
        const val ADD_RUN = "INSERT OR IGNORE INTO runs (device, run) VALUES (?, ?)"
        const val FIND_RUN = "SELECT id, dropped FROM runs WHERE device = ? AND run = ?"
        const val ADD_READING =
            "INSERT OR IGNORE INTO readings (run, sequence, time, metric, value) " +
                "VALUES (?, ?, ?, ?, ?)"
        const val COUNT_RUN =
            "UPDATE runs SET stored = stored + ?, dropped = dropped + ? WHERE id = ?"
        const val DEVICES =
            "SELECT peer, name, last_seen, " +
                "coalesce(sum(stored), 0), coalesce(sum(dropped), 0) FROM devices " +
                "LEFT JOIN runs ON runs.device = peer " +
                "GROUP BY peer ORDER BY last_seen DESC LIMIT ?"
        const val RUNS =
            "SELECT device, runs.run, stored, dropped, coalesce(max(sequence), 0) FROM runs " +
                "LEFT JOIN readings ON readings.run = runs.id GROUP BY runs.id"
    }
}

/**
 * One run of a device in the store.
 *
 * @property last the greatest sequence number that is stored
 */
class StoredRun(
    val peer: PeerId,
    val run: Long,
    val stored: Long,
    val dropped: Long,
    val last: Long,
)
