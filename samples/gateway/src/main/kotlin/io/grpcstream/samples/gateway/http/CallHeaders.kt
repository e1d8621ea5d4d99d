package io.grpcstream.samples.gateway.http

import com.linecorp.armeria.common.HttpHeadersBuilder
import com.linecorp.armeria.common.RequestHeaders
import io.grpc.Metadata
import java.util.Base64
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** The prefix by which a header reaches the peer whatever its name: `grpc-metadata-authorization`. */
private const val METADATA_PREFIX = "grpc-metadata-"

private const val BINARY_SUFFIX = Metadata.BINARY_HEADER_SUFFIX

/**
 * The headers of a call from those of an HTTP request. Not passed on is what is about the HTTP request
 * itself, what browsers add, what gRPC sets by itself, and whatever would claim an identity towards the
 * peer: to it, the caller is the gateway.
 *
 * @param gatewayHasToken whether `authorization` is the gateway's, and so no peer's business
 */
internal fun RequestHeaders.toMetadata(gatewayHasToken: Boolean): Metadata {
    val metadata = Metadata()
    val hopByHop = getAll("connection").flatMap { it.split(',') }.map { it.trim().lowercase() }
    for ((key, value) in this) {
        val name = key.toString().lowercase()
        if (name.startsWith(METADATA_PREFIX)) {
            metadata.add(name.removePrefix(METADATA_PREFIX), value)
        } else if (passes(name, gatewayHasToken) && name !in hopByHop) {
            metadata.add(name, value)
        }
    }
    return metadata
}

private fun passes(
    name: String,
    gatewayHasToken: Boolean,
) = !(name == "authorization" && gatewayHasToken) &&
    name !in OF_HTTP &&
    OF_HTTP_PREFIXES.none { name.startsWith(it) }

private fun Metadata.add(
    name: String,
    value: String,
) {
    val plain = name.replace('_', '-') // As which some servers take it.
    if (plain in OF_CONNECTION || FORGED.any { plain.startsWith(it) }) return
    try {
        if (name.endsWith(BINARY_SUFFIX)) {
            val key = Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER)
            value.split(',').forEach { put(key, Base64.getDecoder().decode(it.trim())) }
        } else {
            require(value.all { it in ' '..'~' }) { "a value that is not printable ASCII" }
            put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value)
        }
    } catch (e: IllegalArgumentException) {
        throw malformed("header $name cannot be passed on: ${e.message}", e)
    }
}

/**
 * The deadline that the client has set: by gRPC's `grpc-timeout: 500m`, by Connect's
 * `connect-timeout-ms: 500`, or by `x-deadline: 1.5s`; null if by none.
 */
internal fun RequestHeaders.deadline(): Duration? {
    val timeout =
        get("grpc-timeout")?.let(::grpcTimeout)
            ?: get(
                "connect-timeout-ms",
            )?.let { named("connect-timeout-ms", it) { it.toLong().milliseconds } }
            ?: get("x-deadline")?.let { named("x-deadline", it) { Duration.parse(it) } }
            ?: return null
    if (timeout.isNegative()) throw malformed("a deadline of $timeout")
    return timeout
}

private fun grpcTimeout(value: String): Duration =
    named("grpc-timeout", value) {
        require(value.length in 2..9) { "1 to 8 digits and a unit are wanted" }
        val amount = value.dropLast(1).toLong()
        when (value.last()) {
            'H' -> amount.hours
            'M' -> amount.minutes
            'S' -> amount.seconds
            'm' -> amount.milliseconds
            'u' -> amount.microseconds
            'n' -> amount.nanoseconds
            else -> throw IllegalArgumentException("no such unit")
        }
    }

private fun named(
    header: String,
    value: String,
    parse: () -> Duration,
): Duration =
    try {
        parse()
    } catch (e: IllegalArgumentException) {
        throw malformed("$header: \"$value\" is no time: ${e.message}", e)
    }

/**
 * Adds what a peer sent as headers or trailers, each name after [prefix]. What a browser would act on
 * is left out: a peer's word must not become the gateway's.
 */
internal fun HttpHeadersBuilder.addMetadata(
    metadata: Metadata,
    prefix: String = "",
) {
    for ((name, value) in metadata.texts()) {
        if (prefix.isNotEmpty() || !isForBrowsers(name)) add(prefix + name, value)
    }
}

/**
 * Names and values as text, those of binary ones in Base64. What gRPC itself needs is left out, and so
 * is what a peer calls as nothing may be called in HTTP.
 */
internal fun Metadata.texts(): List<Pair<String, String>> =
    keys().filter { it !in OF_GRPC && NAME.matches(it) }.flatMap { name ->
        if (name.endsWith(BINARY_SUFFIX)) {
            val key = Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER)
            getAll(key)?.toList().orEmpty().map {
                name to
                    Base64.getEncoder().withoutPadding().encodeToString(it)
            }
        } else {
            val key = Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER)
            getAll(key)?.toList().orEmpty().map { name to it.filter { c -> c in ' '..'~' } }
        }
    }

private fun isForBrowsers(name: String) =
    name in OF_HTTP || name in TO_BROWSERS ||
        (OF_HTTP_PREFIXES + TO_BROWSER_PREFIXES).any { name.startsWith(it) }

/** Those that would say who calls, which is for the handshake alone to say. */
private val FORGED = listOf("x-libp2p-", "grpc-", ":")

/** Names of metadata, as gRPC defines them. */
private val NAME = Regex("[0-9a-z_.-]+")

/**
 * Those of one connection or one body. A peer that got them would have to end its connection to the
 * gateway (RFC 9113, section 8.2.2), and with it the calls of all others.
 */
private val OF_CONNECTION =
    setOf(
        "connection",
        "content-length",
        "content-type",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )

private val OF_GRPC =
    setOf("content-type", "grpc-status", "grpc-message", "grpc-encoding", "grpc-accept-encoding")

private val OF_HTTP =
    setOf(
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
        "host",
        "expect",
        "via",
        "cookie",
        "origin",
        "referer",
        "user-agent",
        "date",
        "cache-control",
        "pragma",
        "forwarded",
        "x-real-ip",
        "x-grpc-web",
        "x-user-agent",
        "x-deadline",
        "connect-timeout-ms",
        "connect-protocol-version",
        "dnt",
        "priority",
        "purpose",
        "save-data",
    )

private val OF_HTTP_PREFIXES =
    listOf(":", "accept", "content-", "grpc-", "if-", "proxy-", "sec-", "x-forwarded-", "x-libp2p-")

private val TO_BROWSERS =
    setOf(
        "age",
        "alt-svc",
        "critical-ch",
        "etag",
        "expires",
        "link",
        "location",
        "nel",
        "observe-browsing-topics",
        "origin-agent-cluster",
        "permissions-policy",
        "refresh",
        "report-to",
        "reporting-endpoints",
        "retry-after",
        "server",
        "service-worker-allowed",
        "set-login",
        "sourcemap",
        "speculation-rules",
        "supports-loading-mode",
        "strict-transport-security",
        "timing-allow-origin",
        "tk",
        "vary",
        "warning",
        "www-authenticate",
        "x-content-type-options",
        "x-dns-prefetch-control",
        "x-frame-options",
        "x-xss-protection",
    )

private val TO_BROWSER_PREFIXES =
    listOf(
        "access-control-",
        "cdn-",
        "clear-site-",
        "cross-origin-",
        "no-vary-",
        "referrer-",
        "set-cookie",
        "surrogate-",
        // Servers in front of the gateway would answer with files of theirs.
        "x-accel-",
        "x-lighttpd-",
        "x-reproxy-",
        "x-sendfile",
        "x-permitted-",
    )
