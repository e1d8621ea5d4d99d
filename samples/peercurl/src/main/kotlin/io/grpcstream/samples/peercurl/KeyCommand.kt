package io.grpcstream.samples.peercurl

import com.google.gson.JsonObject
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import kotlinx.coroutines.CoroutineScope
import picocli.CommandLine.Command
import picocli.CommandLine.Option
import picocli.CommandLine.Parameters
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.exists

/** Identity keys: made, shown, converted. */
@Command(
    name = "key",
    header = ["Make, show and convert identity keys."],
    description = [
        "Shows whose key is in FILE, and makes one if there is no such file. Without FILE, a new " +
            "key is made and printed (as PEM, unless --format says otherwise).",
        "Keys are read in any of the formats: libp2p (protobuf, what --identity takes), base64 " +
            "(the same as text, as kubo's configuration has it), and pem (PKCS #8).",
    ],
)
internal class KeyCommand : PeercurlCommand() {
    @Parameters(index = "0", arity = "0..1", paramLabel = "FILE", description = ["The key's file."])
    var file: Path? = null

    @Option(
        names = ["--type"],
        paramLabel = "TYPE",
        description = ["What to make: ed25519 (default) or secp256k1."],
    )
    var type: NewKey? = null

    @Option(
        names = ["--format"],
        paramLabel = "FORMAT",
        description = ["Print the key itself: libp2p, base64 or pem."],
    )
    var format: KeyFormat? = null

    @Option(
        names = ["--to"],
        paramLabel = "FILE",
        description = ["Write it there, in that --format (default: libp2p), for its owner alone."],
    )
    var to: Path? = null

    override suspend fun CoroutineScope.run(): Int {
        val source = file
        val key =
            when {
                source == null -> make()
                source.exists() -> read(source)
                to != null -> throw Failure("$source: there is no such file")
                else -> create(source)
            }
        val target = to
        when {
            target != null -> {
                KeyFiles.write(target, (format ?: KeyFormat.LIBP2P).encode(key))
                show(key, target, "written")
            }

            format != null || source == null -> {
                print(key)
            }

            else -> {
                show(key, source, null)
            }
        }
        return Exit.OK
    }

    private fun make(): PrivateKey = (type ?: NewKey.ED25519).generate()

    private fun read(source: Path): PrivateKey {
        if (type != null) throw Failure("$source: there is a key already; --type is for new ones")
        return KeyFiles.read(source)
    }

    private fun create(target: Path): PrivateKey {
        val key = PrivateKey.loadOrCreate(target, ::make)
        console.note("made a new key: $target")
        return key
    }

    private fun print(key: PrivateKey) {
        val form = format ?: KeyFormat.PEM
        val peer = PeerId.of(key.publicKey())
        if (console.json) {
            val text = if (form == KeyFormat.LIBP2P) KeyFormat.BASE64 else form
            val line = JsonObject()
            line.addProperty("peer", peer.toString())
            line.addProperty("type", key.type().name.lowercase())
            line.addProperty("key", text.encode(key).decodeToString().trim())
            console.println(line.toString())
        } else {
            console.print(form.encode(key))
            console.note("of $peer")
        }
    }

    private fun show(
        key: PrivateKey,
        file: Path,
        what: String?,
    ) {
        val peer = PeerId.of(key.publicKey())
        if (console.json) {
            val line = JsonObject()
            line.addProperty("peer", peer.toString())
            line.addProperty("cid", peer.toCid())
            line.addProperty("type", key.type().name.lowercase())
            line.addProperty("file", file.toString())
            console.println(line.toString())
        } else {
            what?.let { console.note("$what: $file") }
            console.println(
                "${console.style.faint("peer  ")}${console.style.strong(peer.toString())}",
            )
            console.println("${console.style.faint("cid   ")}${peer.toCid()}")
            console.println("${console.style.faint("type  ")}${key.type().name.lowercase()}")
        }
    }
}

/** The types of keys that can be made. */
internal enum class NewKey(
    val generate: () -> PrivateKey,
) {
    ED25519(PrivateKey::generateEd25519),
    SECP256K1(PrivateKey::generateSecp256k1),
}
