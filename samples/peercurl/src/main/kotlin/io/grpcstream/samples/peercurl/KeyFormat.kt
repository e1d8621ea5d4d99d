package io.grpcstream.samples.peercurl

import io.grpcstream.libp2p.crypto.PrivateKey
import java.io.IOException
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption.CREATE_NEW
import java.nio.file.StandardOpenOption.WRITE
import java.nio.file.attribute.FileAttribute
import java.nio.file.attribute.PosixFilePermissions
import java.util.Base64

/** How keys are written. */
internal enum class KeyFormat {
    /** The protobuf of libp2p's specification. */
    LIBP2P {
        override fun encode(key: PrivateKey): ByteArray = key.marshal()
    },

    /** The same in base64, on a line. */
    BASE64 {
        override fun encode(key: PrivateKey): ByteArray =
            (Base64.getEncoder().encodeToString(key.marshal()) + "\n").toByteArray()
    },

    /** PKCS #8 (RFC 5958) in PEM (RFC 7468), as openssl reads it. */
    PEM {
        override fun encode(key: PrivateKey): ByteArray {
            val base64 =
                Base64
                    .getMimeEncoder(
                        PEM_LINE,
                        "\n".toByteArray(),
                    ).encodeToString(Pkcs8.encode(key))
            return "$PEM_BEGIN\n$base64\n$PEM_END\n".toByteArray()
        }
    }, ;

    abstract fun encode(key: PrivateKey): ByteArray

    companion object {
        const val PEM_BEGIN = "-----BEGIN PRIVATE KEY-----"
        const val PEM_END = "-----END PRIVATE KEY-----"
        private const val PEM_LINE = 64

        /**
         * The key that [bytes] are, in whichever format.
         *
         * @throws IllegalArgumentException if they are none
         */
        fun decode(bytes: ByteArray): PrivateKey {
            val text = bytes.decodeToString()
            if (PEM_BEGIN in text) {
                val base64 = text.substringAfter(PEM_BEGIN).substringBefore(PEM_END)
                return Pkcs8.decode(Base64.getMimeDecoder().decode(base64))
            }
            require("-----BEGIN" !in text) {
                "this PEM is no unencrypted PKCS #8 (\"PRIVATE KEY\"); openssl pkcs8 -topk8 -nocrypt makes one"
            }
            val compact = text.trim()
            val asText =
                if (BASE64_TEXT.matches(
                        compact,
                    )
                ) {
                    Base64.getDecoder().decode(compact)
                } else {
                    null
                }
            return PrivateKey.unmarshal(asText ?: bytes)
        }

        private val BASE64_TEXT = Regex("""[A-Za-z0-9+/]+={0,2}""")
    }
}

/** Keys in files. */
internal object KeyFiles {
    private const val MAX_BYTES = 64L shl 10

    fun read(file: Path): PrivateKey {
        if (Files.size(file) > MAX_BYTES) throw Failure("$file: larger than any key")
        return try {
            KeyFormat.decode(Files.readAllBytes(file))
        } catch (e: IllegalArgumentException) {
            throw Failure("$file holds no key: ${e.message}", cause = e)
        }
    }

    /** Writes a file that none but its owner can read, and that was not there before. */
    fun write(
        file: Path,
        content: ByteArray,
    ) {
        val posix = "posix" in file.fileSystem.supportedFileAttributeViews()
        val attributes: Array<FileAttribute<*>> =
            if (posix) {
                arrayOf(
                    PosixFilePermissions.asFileAttribute(
                        PosixFilePermissions.fromString("rw-------"),
                    ),
                )
            } else {
                emptyArray()
            }
        try {
            FileChannel.open(file, setOf(CREATE_NEW, WRITE), *attributes).use { channel ->
                val left = java.nio.ByteBuffer.wrap(content)
                while (left.hasRemaining()) channel.write(left)
            }
        } catch (e: IOException) {
            throw Failure(Failure.textOf(e), cause = e)
        }
    }
}
