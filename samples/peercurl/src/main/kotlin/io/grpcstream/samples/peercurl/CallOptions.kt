package io.grpcstream.samples.peercurl

import io.grpc.Metadata
import io.grpc.Metadata.BINARY_HEADER_SUFFIX
import picocli.CommandLine.Option
import java.util.Base64
import kotlin.time.Duration

/** What goes with each call: of every command that makes some. */
internal class CallOptions {
    @Option(
        names = ["-H", "--header"],
        paramLabel = "'NAME: VALUE'",
        description = ["A header of the calls, repeatable; in base64 if its name ends in -bin."],
    )
    var headers: List<String> = emptyList()

    @Option(
        names = ["--deadline"],
        paramLabel = "TIME",
        description = ["How long a call may take, connecting included, such as 5s or 500ms."],
    )
    var deadline: Duration? = null

    /**
     * The headers, as gRPC has them.
     *
     * @throws Failure if one of them is none
     */
    fun metadata(): Metadata = Metadata().apply { headers.forEach { put(it) } }

    private fun Metadata.put(header: String) {
        val name = header.substringBefore(':').trim()
        if (':' !in header || name.isEmpty()) {
            throw Failure.usage("-H '$header': expected 'name: value'")
        }
        val value = header.substringAfter(':').trim()
        try {
            if (name.endsWith(BINARY_HEADER_SUFFIX)) {
                put(Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER), bytesOf(value))
            } else {
                put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value)
            }
        } catch (e: IllegalArgumentException) {
            throw Failure.usage("-H '$header': ${e.message}", e)
        }
    }

    /** Base64 of either alphabet, padded or not, as HTTP/2 peers write it. */
    private fun bytesOf(text: String): ByteArray =
        Base64.getDecoder().decode(text.trimEnd('=').replace('-', '+').replace('_', '/'))
}
