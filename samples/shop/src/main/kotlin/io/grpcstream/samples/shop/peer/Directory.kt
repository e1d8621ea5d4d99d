package io.grpcstream.samples.shop.peer

import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withContext
import org.slf4j.LoggerFactory
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import java.nio.file.StandardCopyOption.REPLACE_EXISTING
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.nameWithoutExtension
import kotlin.time.Duration.Companion.milliseconds

/**
 * Who is who, and where: a [folder] with a file `NAME.peer` for each peer, in which its multiaddrs stand,
 * one a line, each ending in its id; or `/p2p/<id>` for one that only calls. Peers write their own
 * files. Who may write there says who belongs to the shop.
 *
 * In a network of many machines, discovery or a list in the configuration takes its place.
 */
class Directory(
    private val folder: Path,
) {
    private val found = MutableStateFlow(emptyMap<String, List<Multiaddr>>())

    /** The addresses of all peers, by their names, as they were when the folder was read the last time. */
    val peers: StateFlow<Map<String, List<Multiaddr>>> get() = found

    /** The id of the peer called [name], if it is known. Does not block. */
    fun idOf(name: String): PeerId? =
        found.value[name]?.firstNotNullOfOrNull { it.peerId().orElse(null) }

    /** The id of the peer called [name], once it is known. */
    suspend fun await(name: String): PeerId {
        idOf(name)?.let { return it }
        log.info("waiting for {} to be found in {}", name, folder)
        found.first { name in it }
        return checkNotNull(idOf(name))
    }

    /** Says where the peer called [name] is. */
    suspend fun put(
        name: String,
        addresses: List<Multiaddr>,
    ) {
        withContext(Dispatchers.IO) {
            Files.createDirectories(folder)
            // Nobody must find half of it.
            val draft = Files.createTempFile(folder, name, ".draft")
            Files.write(draft, addresses.map { "$it" })
            Files.move(draft, folder.resolve("$name.peer"), REPLACE_EXISTING, ATOMIC_MOVE)
        }
        read()
    }

    /** Reads the folder. */
    suspend fun read() {
        found.value =
            withContext(Dispatchers.IO) {
                Files.createDirectories(folder)
                folder
                    .listDirectoryEntries("*.peer")
                    .associate { it.nameWithoutExtension to addressesIn(it) }
                    .filterValues { it.isNotEmpty() }
            }
    }

    /** Reads the folder again and again, until it is cancelled. */
    suspend fun follow() {
        while (true) {
            delay(PAUSE)
            try {
                read()
            } catch (e: IOException) {
                log.warn("the directory {} is not to be read: {}", folder, e.toString())
            }
        }
    }

    private fun addressesIn(file: Path): List<Multiaddr> =
        Files.readAllLines(file).filter { it.isNotBlank() }.mapNotNull {
            try {
                Multiaddr.parse(it.trim()).takeIf { address -> address.peerId().isPresent }
            } catch (e: IllegalArgumentException) {
                log.warn("{}: {}", file, e.message)
                null
            }
        }

    private companion object {
        val log = LoggerFactory.getLogger(Directory::class.java)
        val PAUSE = 250.milliseconds
    }
}
