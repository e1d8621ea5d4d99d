package io.grpcstream.samples.shop.store

import java.net.InetAddress
import java.net.ServerSocket
import java.nio.file.Files
import java.nio.file.Path
import java.sql.DriverManager
import java.sql.SQLException
import java.util.concurrent.TimeUnit.SECONDS
import kotlin.io.path.exists
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name

/** A server of PostgreSQL in a temporary folder, which ends with the test. It refuses to run as root. */
class PostgresServer private constructor(
    private val programs: Path,
) : AutoCloseable {
    // Others than us must get at it, where the server is one of them.
    private val folder = Files.createTempDirectory(Path.of("/tmp"), "shop-postgres")
    private val data = folder.resolve("data")
    private val log = folder.resolve("log").toFile()
    private val port = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
    private val server: Process
    private var databases = 0

    init {
        if (isRoot) run(listOf("chown", "postgres", "$folder"))
        run(asPostgres("initdb", "-D", "$data", "-U", "shop", "-A", "trust", "--no-sync"))
        // No socket in a folder of the system's, and no care for the day when the machine loses power.
        server =
            ProcessBuilder(
                asPostgres(
                    "postgres",
                    "-D",
                    "$data",
                    "-p",
                    "$port",
                    "-h",
                    "127.0.0.1",
                    "-k",
                    "$folder",
                    "-F",
                ),
            ).directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log)
                .start()
        awaitConnections()
    }

    /** The URL of a database that is empty. */
    fun emptyDatabase(): String {
        val name = "shop${databases++}"
        DriverManager.getConnection(url("postgres")).use { connection ->
            connection.createStatement().use { it.execute("CREATE DATABASE $name") }
        }
        return url(name)
    }

    override fun close() {
        server.destroy() // Then it waits for those who are connected, of whom there should be none.
        if (!server.waitFor(10, SECONDS)) {
            (server.toHandle().descendants().toList() + server.toHandle()).forEach {
                it
                    .destroyForcibly()
            }
            server.waitFor()
        }
        folder.toFile().deleteRecursively()
    }

    private fun url(database: String) = "jdbc:postgresql://127.0.0.1:$port/$database?user=shop"

    private fun awaitConnections() {
        val patience = System.nanoTime() + SECONDS.toNanos(60)
        while (true) {
            try {
                DriverManager.getConnection(url("postgres")).close()
                return
            } catch (e: SQLException) {
                if (!server.isAlive || System.nanoTime() > patience) {
                    close()
                    throw IllegalStateException("no PostgreSQL on port $port", e)
                }
                Thread.onSpinWait()
            }
        }
    }

    private fun asPostgres(
        program: String,
        vararg arguments: String,
    ): List<String> {
        val user =
            if (isRoot) {
                listOf(
                    "setpriv",
                    "--reuid=postgres",
                    "--regid=postgres",
                    "--clear-groups",
                )
            } else {
                emptyList()
            }
        return user + "${programs.resolve(program)}" + arguments
    }

    private fun run(command: List<String>) {
        val process =
            ProcessBuilder(
                command,
            ).directory(folder.toFile()).redirectErrorStream(true).start()
        val said = process.inputReader().readText()
        check(process.waitFor() == 0) { "${command.joinToString(" ")}: $said" }
    }

    companion object {
        private val isRoot = System.getProperty("user.name") == "root"

        /** Starts one; null if this machine has none (Debian's package "postgresql"). */
        fun startOrNull(): PostgresServer? = programs()?.let(::PostgresServer)

        private fun programs(): Path? {
            val debian = Path.of("/usr/lib/postgresql")
            val versions = if (debian.exists()) debian.listDirectoryEntries() else emptyList()
            val folders =
                versions.sortedByDescending { it.name.toIntOrNull() ?: 0 }.map {
                    it.resolve(
                        "bin",
                    )
                } +
                    System.getenv("PATH").split(':').map(Path::of)
            return folders.firstOrNull {
                it.resolve("initdb").exists() &&
                    it.resolve("postgres").exists()
            }
        }
    }
}
