package io.grpcstream.samples.peercurl.doors

import java.io.ByteArrayOutputStream

/** The text of a status as it stands in `grpc-message`: percent-encoded UTF-8. */
internal object GrpcMessage {
    private const val HEX = 16

    fun encode(text: String): String =
        buildString {
            for (byte in text.toByteArray()) {
                val char = byte.toInt().toChar()
                if (char in ' '..'~' && char != '%') append(char) else append("%%%02X".format(byte))
            }
        }

    /** What is no encoding stands for itself. */
    fun decode(encoded: String): String {
        val bytes = ByteArrayOutputStream(encoded.length)
        var i = 0
        while (i < encoded.length) {
            val byte =
                if (encoded[i] == '%' && i + 2 < encoded.length) {
                    encoded.substring(i + 1, i + 3).toIntOrNull(HEX)
                } else {
                    null
                }
            if (byte != null) {
                bytes.write(byte)
                i += 3
            } else {
                bytes.write(encoded[i].code)
                i++
            }
        }
        return bytes.toString(Charsets.UTF_8)
    }
}
